"""The units of each panel: one row a jurisdiction, its name, its state and the county that holds it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from analysis.sources import acs, geography
from analysis.sources.reading import check_columns
from analysis.sources.states import ABBREVIATION

UNIT_COLUMNS = ("name", "state", "state_geoid", "county_geoid", "kind", "cautions")

# Classes of incorporated places, and of county subdivisions that govern; U and M are statistical or
# military and govern nothing. A C5 subdivision is a city that stands in for one, a T5 a town with the bounds
# of a place: where that place is incorporated, it is the unit, and the subdivision is not a second one.
PLACE_CLASS = "C"
STATISTICAL = r"(?:CDP|Census Designated Place)\b"
# The code of all of Louisville; its residents are counted under the "balance", which is the government.
COUNTED_AS_BALANCE = ("2148000",)
PLACE_FIGURES = ("NAME_OFFICIAL", "CLASSFP", "B01003_001E", "POP_ACS2021_US_GEO", "PCT_FOREIGN_BORN")
PLACE_FIGURES += ("LAND_SQMI", "LAT", "LON")
SQKM_PER_SQUARE_MILE = 2.589988110336


@cache
def read_units(level: str, vintage: str) -> pd.DataFrame:
    """The units of one level.

    Parameters
    ----------
    level : "county" (3,144), "place" or "state" (51).
    vintage : of the geography.

    Returns
    -------
    DataFrame, index `geoid`, sorted: `name`, `state` (postal abbreviation), `state_geoid`, `county_geoid`
    (the county itself, or the one that holds most of a place's residents; missing for a state), `kind`
    (county, place, cousub, state), `cautions` (what a reader must know, `;`-joined). Places also carry
    `population_2019_2023`, `population_2017_2021`, `land_area_sqkm`, `latitude`, `longitude`.
    """
    units = {"state": state_units, "county": county_units, "place": place_units}[level](vintage)
    return units.sort_index()


def state_units(vintage: str) -> pd.DataFrame:
    """The 50 states and DC."""
    states = geography.state_table()
    return states.assign(state_geoid=states.index, county_geoid=None, kind="state", cautions="")


def county_units(vintage: str) -> pd.DataFrame:
    """The 3,144 counties and equivalents, Connecticut in planning regions."""
    counties = geography.read(vintage)
    cautions = pd.Series("", index=counties.index).mask(
        counties["USPS"] == "CT", "connecticut_planning_region"
    )
    return pd.DataFrame(
        {
            "name": counties["NAME"],
            "state": counties["USPS"],
            "state_geoid": counties.index.str[:2],
            "county_geoid": counties.index,
            "kind": "county",
            "cautions": cautions.mask(counties["USPS"] == "AK", "alaska_no_borough_vote"),
        }
    )


def place_units(vintage: str) -> pd.DataFrame:
    """Incorporated places, and towns and townships that govern and are no place."""
    pairs = geography.read_places(vintage)
    current, former = acs.read("2019-2023", "place"), acs.read("2017-2021", "place")
    for period, table in (("2019-2023", current), ("2017-2021", former)):
        check_columns(table.columns, PLACE_FIGURES, f"data/raw/acs/{period}/place.csv")
    figures = pd.concat([current, former])
    places = incorporated(pairs, figures)
    subdivisions = geography.read_subdivisions(vintage)
    chosen = subdivisions[(subdivisions["CLASSFP"] == "T1") | ~has_place(subdivisions, places)]
    towns = pd.DataFrame(
        {
            "name": chosen["NAME_OFFICIAL"],
            "county_geoid": chosen["COUNTY_GEOID"],
            "kind": "cousub",
            "cautions": "subdivision_population_only",
            "population_2019_2023": chosen["B01003_001E"],
            "land_area_sqkm": chosen["ALAND_SQKM"],
            "latitude": chosen["INTPTLAT"],
            "longitude": chosen["INTPTLON"],
        }
    )
    units = pd.concat([places, towns]).rename_axis("geoid")
    units["cautions"] = units["cautions"].mask(units["county_geoid"].isna(), "county_unknown")
    state = units.index.str[:2]
    return units.assign(state_geoid=state, state=state.map(ABBREVIATION))


def incorporated(pairs: pd.DataFrame, figures: pd.DataFrame) -> pd.DataFrame:
    """One row an incorporated place, with its holding county and what ACS says of its size.

    Parameters
    ----------
    pairs : places and counties as `geography.read_places` gives them; codes that only these hold are
        retired or statistical.
    figures : ACS rows of places, index `geoid`.
    """
    unclassed = (figures["CLASSFP"] == "") & ~figures["NAME_OFFICIAL"].str.contains(STATISTICAL)
    figures = figures[figures["CLASSFP"].str.startswith(PLACE_CLASS) | unclassed]
    figures = figures.drop(index=list(COUNTED_AS_BALANCE), errors="ignore")
    largest = pairs[~pairs["is_legacy"]].sort_values(
        ["PLACE_GEOID", "SHARE_OF_PLACE_POP", "COUNTY_GEOID"], ascending=[True, False, True]
    )
    holding = largest.drop_duplicates("PLACE_GEOID").set_index("PLACE_GEOID")["COUNTY_GEOID"]
    has_figures = figures["PCT_FOREIGN_BORN"].notna()
    return pd.DataFrame(
        {
            "name": figures["NAME_OFFICIAL"],
            "county_geoid": holding.reindex(figures.index),
            "kind": "place",
            "cautions": pd.Series("", index=figures.index).mask(~has_figures, "place_population_only"),
            "population_2019_2023": figures["B01003_001E"],
            "population_2017_2021": figures["POP_ACS2021_US_GEO"],
            "land_area_sqkm": figures["LAND_SQMI"] * SQKM_PER_SQUARE_MILE,
            "latitude": figures["LAT"],
            "longitude": figures["LON"],
        }
    )


def has_place(subdivisions: pd.DataFrame, places: pd.DataFrame) -> pd.Series:
    """Whether a subdivision is an incorporated place under a second code.

    By the last five digits, or, where states number the two apart, by the name within the county.
    """
    by_code = (subdivisions.index.str[:2] + subdivisions.index.str[5:]).isin(places.index)
    place_names = set(zip(places["county_geoid"], proper_name(places["name"]), strict=True))
    own = zip(subdivisions["COUNTY_GEOID"], proper_name(subdivisions["NAME_OFFICIAL"]), strict=True)
    by_name = [name in place_names for name in own]
    return pd.Series(by_code | np.array(by_name), index=subdivisions.index)


def proper_name(names: pd.Series) -> pd.Series:
    """Official names without their kind: "City of Amesbury Town" gives "Amesbury"."""
    bare = names.str.replace(r"^(?:City|Town|Village|Borough) of ", "", regex=True)
    return bare.str.replace(r" (?:[Tt]own|city|town|village|borough)$", "", regex=True)

"""Census geography: counties, governing county subdivisions, places and their counties, neighbours."""

from __future__ import annotations

import json

import pandas as pd

from analysis.errors import DataError
from analysis.provenance import raw_file
from analysis.sources.reading import RESTORE, numbers, read_table
from analysis.sources.states import ABBREVIATION, STATES

COUNTY_FIGURES = ("ALAND_SQKM", "AWATER_SQKM", "INTPTLAT", "INTPTLON", "RUCC_2023")


def read(vintage: str, level: str = "county") -> pd.DataFrame:
    """Land and water area (square kilometres), internal point (degrees), rural-urban code.

    Parameters
    ----------
    vintage : a folder of `data/raw/geography/`.
    level : "county" (3,144 rows, Connecticut's nine planning regions) or "state" (51 rows, areas summed).

    Returns
    -------
    DataFrame, index `geoid` (text). At county level also `NAME`, `USPS`, `STATE_NAME`, `LSAD_TYPE`.
    """
    counties = read_counties(vintage)
    current = counties[counties["GEOGRAPHY"] != "legacy"]
    if level == "county":
        return current
    return current.groupby(current.index.str[:2])[["ALAND_SQKM", "AWATER_SQKM"]].sum().rename_axis("geoid")


def read_counties(vintage: str) -> pd.DataFrame:
    """Current counties and, marked `legacy` in `GEOGRAPHY`, Connecticut's eight old ones; index `geoid`."""
    name = "county_geography.csv"
    frame = read_table(
        "geography",
        vintage,
        name,
        required=[
            "GEOID",
            "NAME",
            "USPS",
            "STATE_NAME",
            "LSAD_TYPE",
            "CLASSFP",
            "GEOGRAPHY",
            *COUNTY_FIGURES,
        ],
        key=["GEOID"],
        codes={"GEOID": 5},
        states="USPS",
    )
    figures = numbers(frame, COUNTY_FIGURES, raw_file("geography", vintage, name).path)
    return frame.assign(**figures).rename(columns={"GEOID": "geoid"}).set_index("geoid").sort_index()


def read_subdivisions(vintage: str) -> pd.DataFrame:
    """Governing towns, townships, and cities that stand in for one; index `geoid` (ten digits).

    Population is ACS 2019-2023 (`B01003_001E`), area in square kilometres. Classes T1, T5, C5 only.
    """
    name = "county_subdivisions.csv"
    figures = ["B01003_001E", "ALAND_SQKM", "INTPTLAT", "INTPTLON"]
    frame = read_table(
        "geography",
        vintage,
        name,
        required=["GEOID", "NAME_OFFICIAL", "COUNTY_GEOID", "CLASSFP", *figures],
        key=["GEOID"],
        codes={"GEOID": 10, "COUNTY_GEOID": 5},
    )
    values = numbers(frame, figures, raw_file("geography", vintage, name).path)
    return frame.assign(**values).rename(columns={"GEOID": "geoid"}).set_index("geoid").sort_index()


def read_places(vintage: str) -> pd.DataFrame:
    """Pairs of a place and a county that it lies in, with the share of the place's 2020 population.

    Returns
    -------
    DataFrame of `PLACE_GEOID` (7 digits), `PLACE_NAME`, `PLACE_NAME_GEOCORR`, `CLASSFP`, `COUNTY_GEOID`
    (5), `SHARE_OF_PLACE_POP` (0 to 1, may be missing), `SOURCE`, `is_legacy` (a second row on one of
    Connecticut's old counties).
    """
    name = "place_county.csv"
    frame = read_table(
        "geography",
        vintage,
        name,
        required=["PLACE_GEOID", "PLACE_NAME", "PLACE_NAME_GEOCORR", "CLASSFP", "COUNTY_GEOID", "SOURCE"],
        key=["PLACE_GEOID", "COUNTY_GEOID", "SOURCE"],
        codes={"PLACE_GEOID": 7, "COUNTY_GEOID": 5},
    )
    share = numbers(frame, ["SHARE_OF_PLACE_POP"], raw_file("geography", vintage, name).path)
    return frame.assign(**share, is_legacy=frame["SOURCE"].str.contains("legacy CT")).reset_index(drop=True)


def read_adjacency(vintage: str) -> pd.DataFrame:
    """Directed pairs of neighbouring counties, `GEOID` and `NEIGHBOR_GEOID`, with their two sources."""
    return read_table(
        "geography",
        vintage,
        "county_adjacency.csv",
        required=["GEOID", "NEIGHBOR_GEOID", "IN_CENSUS_2010_LIST", "SHARES_BORDER_2023_TOPOJSON"],
        key=["GEOID", "NEIGHBOR_GEOID", "GEOGRAPHY"],
        codes={"GEOID": 5, "NEIGHBOR_GEOID": 5},
    )


def read_boundaries(vintage: str) -> dict:
    """The TopoJSON topology of counties and states, in the plane of the Albers projection with insets.

    Raises
    ------
    DataError : not JSON, or without the two layers.
    """
    recorded = raw_file("boundaries", vintage, "counties-albers-10m.json")
    try:
        topology = json.loads(recorded.content)
    except ValueError as error:
        raise DataError(f"not JSON ({error}).", file=recorded.path, remedy=RESTORE) from error
    layers = topology.get("objects") if isinstance(topology, dict) else None
    if not isinstance(layers, dict) or not {"counties", "states"} <= set(layers):
        raise DataError("no layers counties and states.", file=recorded.path, remedy=RESTORE)
    recorded.verify()
    return topology


def state_table() -> pd.DataFrame:
    """The 50 states and DC: index `geoid` (two digits), `name`, `state` (postal abbreviation)."""
    rows = [(code, name, ABBREVIATION[code]) for code, name in STATES.values()]
    return pd.DataFrame(rows, columns=["geoid", "name", "state"]).set_index("geoid").sort_index()

"""Federal money by county and city: FY2022 awards, compiled flows of a programme, SLFRF allocations."""

from __future__ import annotations

import pandas as pd

from analysis.errors import DataError
from analysis.provenance import raw_file, vintages
from analysis.sources import geography
from analysis.sources.reading import RESTORE, numbers, read_table

SLFRF_LEVELS = {
    "county": "SLFRF_county_allocation",
    "place": "SLFRF_metro_city_allocation",
}

FLOW_KEY = ("county_geoid", "fiscal_year", "award_group", "awarding_agency", "recipient_type", "scope")
FLOW_MEASURE = "sum_of_transaction_obligations_in_FY"
FLOW_SCOPES = {"recipient_location": "recipient", "place_of_performance": "place_of_performance"}


def read_county_grants(vintage: str, level: str = "county") -> pd.DataFrame:
    """Whole awards to date of the grants active in a fiscal year and performed in a county.

    Not obligations of the year: a multi-year award counts in full. See the vintage's `origin.yaml`.

    Returns
    -------
    DataFrame, index `geoid` (five digits; Connecticut's old counties), `award_amounts_usd`, `n_awards`.
    """
    name = "grants_county.csv"
    frame = read_table(
        "county_grants",
        vintage,
        name,
        required=["county_geoid", "fiscal_year", "scope", "measure", "obligations_usd", "n_awards"],
        key=["county_geoid"],
        codes={"county_geoid": 5},
    )
    values = numbers(frame, ["obligations_usd", "n_awards"], raw_file("county_grants", vintage, name).path)
    return (
        frame[["county_geoid"]]
        .assign(award_amounts_usd=values["obligations_usd"], n_awards=values["n_awards"])
        .rename(columns={"county_geoid": "geoid"})
        .set_index("geoid")
        .sort_index()
    )


def read_county_flows(vintage: str, name: str) -> pd.DataFrame:
    """A compiled table of a programme's obligations by county, as published: text, nothing summed.

    Returns
    -------
    DataFrame `county_geoid` (five digits, retired codes among them), `fiscal_year`, `awarding_agency`,
    `assistance_listing`, `scope` ("recipient" or "place_of_performance"), `obligations_usd` (text of
    dollars and cents), `transactions` (text).

    Raises
    ------
    DataError : a row that is no sum of a year's obligations of one assistance listing.
    """
    frame = read_table(
        "usaspending",
        vintage,
        name,
        required=[*FLOW_KEY, "obligations_usd", "n_awards", "measure"],
        key=FLOW_KEY,
        codes={"county_geoid": 5, "fiscal_year": 4},
    )
    listing = frame["award_group"].str.extract(r"^CFDA_([0-9]{2}\.[0-9A-Z]{3})_")[0]
    whole = frame["obligations_usd"].str.fullmatch(r"-?[0-9]+\.[0-9]{2}")
    whole &= frame["n_awards"].str.fullmatch("[0-9]+")  # other scripts have digits, too
    ours = frame["scope"].isin(FLOW_SCOPES) & (frame["measure"] == FLOW_MEASURE) & listing.notna() & whole
    if not ours.all():
        raise DataError(
            "not a year's obligations of one assistance listing by county, in dollars and cents.",
            file=raw_file("usaspending", vintage, name).path,
            row=int(frame.index[~ours][0]),
            remedy=RESTORE,
        )
    named = frame.assign(assistance_listing=listing, scope=frame["scope"].map(FLOW_SCOPES))
    named = named.rename(columns={"n_awards": "transactions"})
    return named[["county_geoid", "fiscal_year", "awarding_agency", "assistance_listing", "scope"]].join(
        named[["obligations_usd", "transactions"]]
    )


def read_slfrf(vintage: str, level: str = "county") -> pd.DataFrame:
    """Coronavirus State and Local Fiscal Recovery Funds: what Treasury allocated in May 2021.

    Parameters
    ----------
    level : "county" (counties) or "place" (metropolitan cities, those that are subdivisions among them).

    Returns
    -------
    DataFrame, index `geoid`, `allocation_usd`.
    """
    rows = read_slfrf_rows(vintage)
    chosen = rows[rows["program"] == SLFRF_LEVELS[level]]
    geoid = chosen["geoid"].where(chosen["geoid_kind"] != "cousub", chosen["geoid"].map(ten_digits()))
    return (
        chosen.assign(geoid=geoid).dropna(subset="geoid").set_index("geoid")[["allocation_usd"]].sort_index()
    )


def ten_digits() -> dict[str, str]:
    """Treasury's seven digits of a subdivision (state and code, unique in a state) to the full ten."""
    codes = geography.read_subdivisions(vintages("geography")[-1]).index
    return dict(zip(codes.str[:2] + codes.str[5:], codes, strict=True))


def read_slfrf_rows(vintage: str) -> pd.DataFrame:
    """Every allocation, territories included: `program`, `geoid`, `geoid_kind`, `allocation_usd`."""
    name = "slfrf_allocations.csv"
    frame = read_table(
        "slfrf",
        vintage,
        name,
        required=["program", "geoid", "geoid_kind", "state_abbr", "amount_usd"],
        key=["program", "geoid"],
        codes={"geoid": (5, 7, 10)},
        states="state_abbr",
    )
    amount = numbers(frame, ["amount_usd"], raw_file("slfrf", vintage, name).path)["amount_usd"]
    return frame.assign(allocation_usd=amount)

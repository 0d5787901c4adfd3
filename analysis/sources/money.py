"""Federal money by county and city: FY2022 grants as first compiled, and the SLFRF allocations."""

from __future__ import annotations

import pandas as pd

from analysis.provenance import raw_file, vintages
from analysis.sources import geography
from analysis.sources.reading import numbers, read_table

SLFRF_LEVELS = {
    "county": "SLFRF_county_allocation",
    "place": "SLFRF_metro_city_allocation",
}


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

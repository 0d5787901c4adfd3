"""Federal programmes: their Assistance Listings, published totals, and money that others compiled."""

from __future__ import annotations

import pandas as pd

from analysis.provenance import raw_file
from analysis.sources.reading import numbers, read_table


def read_listings(vintage: str) -> pd.DataFrame:
    """The Department of Justice's programmes for law enforcement.

    Returns
    -------
    DataFrame of text, index `assistance_listing` ("16.738"): `title`, `office`, `assistance_type`,
    `source_url`.
    """
    frame = read_table(
        "assistance_listings",
        vintage,
        "law_enforcement.csv",
        required=["assistance_listing", "title", "office", "assistance_type", "source_url"],
        key=["assistance_listing"],
    )
    return frame.set_index("assistance_listing").sort_index()


def read_totals(vintage: str) -> pd.DataFrame:
    """What was published of single programmes: totals of the nation, and the largest allocations.

    Returns
    -------
    DataFrame, index `line`: `program`, `fiscal_year` (int), `level` (nation, state, place), `geoid` (text,
    "" for the nation), `jurisdiction_as_published`, `amount_usd`, `source`.
    """
    frame = read_table(
        "program_totals",
        vintage,
        "program_totals.csv",
        required=["program", "year", "level", "geoid", "jurisdiction_as_published", "amount_usd", "source"],
        key=["program", "year", "jurisdiction_as_published"],
        codes={"geoid": (2, 5, 7), "year": 4},
    )
    return with_amount(frame, "program_totals", vintage, "program_totals.csv")


def read_city_grants(vintage: str) -> pd.DataFrame:
    """Federal prime awards of all award types to the governments of the compilation's cities.

    Returns
    -------
    DataFrame, index `line`: `geoid` (seven digits), `fiscal_year` (int), `amount_usd`, missing where the
    compilation leaves the year blank.
    """
    frame = read_table(
        "city_grants",
        vintage,
        "city_grants.csv",
        required=["geoid", "year", "amount_usd"],
        key=["geoid", "year"],
        codes={"geoid": 7, "year": 4},
    )
    return with_amount(frame, "city_grants", vintage, "city_grants.csv")


def with_amount(frame: pd.DataFrame, source: str, vintage: str, name: str) -> pd.DataFrame:
    """The frame with `amount_usd` as a figure and `year` as the whole number `fiscal_year`."""
    amount = numbers(frame, ["amount_usd"], raw_file(source, vintage, name).path)["amount_usd"]
    return frame.assign(amount_usd=amount, fiscal_year=frame["year"].astype("int64")).drop(columns="year")


def read_capitals(vintage: str) -> pd.DataFrame:
    """The capitals of the states, by name: `state_abbr`, `capital`."""
    return read_table(
        "state_capitals",
        vintage,
        "state_capitals.csv",
        required=["state_abbr", "capital"],
        key=["state_abbr"],
        states="state_abbr",
    )

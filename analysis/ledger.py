"""The ledger's verdicts as columns: who is listed by which list, and which counties had an agreement."""

from __future__ import annotations

from functools import cache

import pandas as pd

from analysis.errors import DataError, nearest
from analysis.provenance import processed, read_output, read_param, root, vintages
from analysis.sources import geography
from analysis.units import read_units

COLUMNS = ("state_abbr", "geoid", "unit", "also_geoids", "match_type", "needs_review", "note")
CODE_LEVEL = {2: "state", 5: "county", 7: "place", 10: "place"}


@cache
def read_jurisdictions() -> pd.DataFrame:
    """`jurisdictions.csv` as text."""
    return read_ledger("jurisdictions.csv", ("vintage", "issuer", "published", "level", "text_as_published"))


def read_ledger(name: str, beside: tuple[str, ...] = ()) -> pd.DataFrame:
    """One of the ledger's files as text, empty cells as ""; `needs_review` becomes a boolean.

    Parameters
    ----------
    beside : columns that must be there beside those of every verdict.

    Raises
    ------
    DataError : it was not written yet, or cannot be read.
    """
    frame = read_output(name, as_text=True, columns=(*COLUMNS, *beside))
    return frame.assign(needs_review=frame["needs_review"] == "true")


def codes_of(entries: pd.DataFrame) -> pd.DataFrame:
    """One row a code of each entry's government: the entry's columns, `code` and `code_level`.

    An entry that needs review, or that is no unit, has no code yet.
    """
    settled = entries[~entries["needs_review"] & (entries["geoid"] != "")]
    every = (settled["geoid"] + ";" + settled["also_geoids"]).str.strip(";").str.split(";")
    exploded = settled.assign(code=every).explode("code")
    return exploded.assign(code_level=exploded["code"].str.len().map(CODE_LEVEL))


def listings(vintage: str, level: str) -> pd.DataFrame:
    """What one list says of every unit of a level, as 0/1.

    Parameters
    ----------
    vintage : a list ("dhs-2025-05-31"), or "main_list", the one that params.yaml names.
    level : "county", "place" or "state".

    Returns
    -------
    DataFrame, index `geoid` of every unit: `own` (the unit's government has an entry, under whatever
    heading), `as_county` (an entry of a county government), `place_inside` (a listed city or town lies in
    the county, wholly or in part), `state_entry` (the unit's state has a state entry), `mixed` (its state
    has units of this level with `own` 1 and with 0).

    Raises
    ------
    DataError : no such list in the ledger.
    """
    params = read_param("vintages")
    vintage = params["main_list"] if vintage == "main_list" else vintage
    entries = read_jurisdictions()
    known = sorted(set(entries["vintage"]))
    if vintage not in known:
        raise DataError(
            f"no list {vintage!r} in the ledger; there: {', '.join(known)}.{nearest(vintage, known)}",
            file=processed("jurisdictions.csv"),
            remedy="name one of these in params.yaml, or run `make repro`.",
        )
    return listed_units(entries[entries["vintage"] == vintage], level)


def listed_units(entries: pd.DataFrame, level: str) -> pd.DataFrame:
    """What some entries of the ledger say of every unit of a level, as 0/1; columns as for `listings`."""
    params = read_param("vintages")
    units = read_units(level, params["geography"])
    codes = codes_of(entries)
    states = codes[(codes["level"] == "state") & (codes["code_level"] == "state")]["code"]
    towns = codes[codes["unit"].isin(["place", "cousub"])]
    counties = codes[codes["unit"] == "county"]
    out = pd.DataFrame(
        {
            "own": units.index.isin(codes["code"]),
            "as_county": units.index.isin(counties["geoid"]),
            "place_inside": units.index.isin(holding_counties(towns["code"], params["geography"])),
            "state_entry": units["state_geoid"].isin(states),
        },
        index=units.index,
    )
    share = out.groupby(units["state_geoid"])["own"].transform("mean")
    return out.assign(mixed=(share > 0) & (share < 1)).astype("float64")


def holding_counties(codes: pd.Series, geography_vintage: str) -> set[str]:
    """The current counties in which places and subdivisions with these codes lie, wholly or in part."""
    pairs = place_counties(geography_vintage)
    pairs = pairs[pairs["PLACE_GEOID"].isin(codes)]
    subdivisions = codes[codes.str.len() == 10].str[:5]
    return set(pairs["COUNTY_GEOID"]) | set(subdivisions)


@cache
def place_counties(geography_vintage: str) -> pd.DataFrame:
    """Pairs of a place and a current county that it lies in."""
    pairs = geography.read_places(geography_vintage)
    return pairs[~pairs["is_legacy"]]


def agreements(vintage: str, level: str) -> pd.DataFrame:
    """287(g) agreements of county agencies on the day of a roster.

    Returns
    -------
    DataFrame, index `geoid` of every county: `agreements` and `agencies`, 0 where the roster names none.

    Raises
    ------
    DataError : no such roster, or another level than county.
    """
    if level != "county":
        raise DataError(
            "agreements of county agencies exist at county level only.", remedy="use level county."
        )
    if vintage not in vintages("rosters"):
        raise DataError(
            f"no roster of {vintage!r}.{nearest(vintage, vintages('rosters'))}",
            file=root() / "data" / "raw" / "rosters",
            remedy=f"use one of {', '.join(vintages('rosters'))}.",
        )
    rows = read_output("county_287g.csv", columns=["roster", "geoid", "agreements", "agencies"])
    counts = rows[rows["roster"] == vintage].set_index("geoid")[["agreements", "agencies"]]
    if not counts.index.is_unique or not all(pd.api.types.is_numeric_dtype(counts[name]) for name in counts):
        raise DataError(
            "a county twice, or agreements or agencies that are no numbers.",
            file=processed("county_287g.csv"),
            remedy="run `make repro`.",
        )
    units = read_units("county", read_param("vintages")["geography"])
    return counts.reindex(units.index, fill_value=0).astype("float64")

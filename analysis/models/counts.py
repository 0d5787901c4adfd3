"""Counts that need no model: listing by state, and the outcomes that are kept apart."""

from __future__ import annotations

import pandas as pd

OUTCOMES = {
    "is_listed": "is_listed",
    "is_in_listed_state": "is_in_listed_state",
    "has_listed_place": "has_listed_place_{dhs}",
    "is_listed_as_county": "is_listed_as_county_{dhs}",
    "is_listed_by_justice": "is_listed_{doj}",
    "is_listed_as_county_by_justice": "is_listed_as_county_{doj}",
}


def listing_by_state(counties: pd.DataFrame) -> pd.DataFrame:
    """One row a state: `geoid, state, counties, listed, listed_share, is_listed_state`.

    Parameters
    ----------
    counties : the county panel, or a frame with its columns.
    """
    grouped = counties.groupby(["state_geoid", "state"])["is_listed"]
    out = grouped.agg(counties="size", listed="sum", listed_share="mean").reset_index()
    state_listed = counties.groupby("state_geoid")["is_in_listed_state"].max()
    return out.rename(columns={"state_geoid": "geoid"}).assign(
        listed=out["listed"].astype("int64"),
        is_listed_state=out["state_geoid"].map(state_listed).astype("int64"),
    )


def cross_table(counties: pd.DataFrame, dhs: str, doj: str) -> pd.DataFrame:
    """How many counties have each combination of the outcomes that are kept apart.

    Own listing (whatever the heading), the state's listing, a listed city or town inside, an entry as a
    county government, and the county's own entry on the Justice list, which is for description only.

    Parameters
    ----------
    counties : the county panel. dhs, doj : suffixes of the panel's columns for the two lists.

    Returns
    -------
    DataFrame `is_listed, is_in_listed_state, has_listed_place, is_listed_as_county, is_listed_by_justice,
    is_listed_as_county_by_justice` (0 and 1), `counties`, `states`: one row a combination that occurs.
    """
    frame = pd.DataFrame(
        {name: counties[column.format(dhs=dhs, doj=doj)] for name, column in OUTCOMES.items()}
    ).astype("int64")
    grouped = frame.assign(state=counties["state"]).groupby(list(OUTCOMES))["state"]
    return grouped.agg(counties="size", states="nunique").reset_index()

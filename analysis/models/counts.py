"""Counts that need no model: listing by state, and listing against 287(g) agreements."""

from __future__ import annotations

import pandas as pd

SCOPES = ("all counties", "counties of listed states", "counties of other states", "states with both")


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


def agreement_table(counties: pd.DataFrame, rosters: dict[str, str]) -> pd.DataFrame:
    """Listed or not by agreement or not, for each roster, in all counties and in strata.

    Parameters
    ----------
    counties : the county panel.
    rosters : date of the roster -> the panel's 0/1 column of counties whose agency had an agreement.

    Returns
    -------
    DataFrame `roster, scope, states, counties, listed, with_agreement, listed_with_agreement`. The scope
    "states with both" holds the states that have a listed county and a county with an agreement: the only
    ones in which the two can be compared.
    """
    rows = []
    for day, column in rosters.items():
        has = counties[column] == 1
        listed = counties["is_listed"] == 1
        by_state = counties["state_geoid"]
        both = has.groupby(by_state).transform("any") & listed.groupby(by_state).transform("any")
        in_listed_state = counties["is_in_listed_state"] == 1
        strata = (pd.Series(True, counties.index), in_listed_state, ~in_listed_state, both)
        for scope, chosen in zip(SCOPES, strata, strict=True):
            rows.append(
                {
                    "roster": day,
                    "scope": scope,
                    "states": by_state[chosen].nunique(),
                    "counties": int(chosen.sum()),
                    "listed": int((listed & chosen).sum()),
                    "with_agreement": int((has & chosen).sum()),
                    "listed_with_agreement": int((has & listed & chosen).sum()),
                }
            )
    return pd.DataFrame(rows)

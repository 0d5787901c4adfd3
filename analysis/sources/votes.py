"""Presidential votes by county and state."""

from __future__ import annotations

import pandas as pd

from analysis.provenance import raw_file
from analysis.sources.reading import check_codes, check_states, numbers, read_table
from analysis.sources.states import FIPS, STATES

COUNTS = ("votes_dem", "votes_gop", "votes_total")
# Districts and wards subdivide rows that are there as a whole: counted with them, votes count twice.
PARTS = ("ak_house_district", "dc_ward")


def read(vintage: str, level: str = "county") -> pd.DataFrame:
    """Votes of one election.

    Parameters
    ----------
    vintage : the year, "2020" or "2024".
    level : "county" or "state" (sums).

    Returns
    -------
    DataFrame, index `geoid`, `votes_dem`, `votes_gop`, `votes_total` as float. At county level
    Connecticut of 2020 stands on its old counties, and Alaska's votes on House districts and the state's
    total, which are rows of their own and no boroughs.

    Raises
    ------
    DataError : see `analysis.sources.reading.read_table`.
    """
    rows = read_rows(vintage)
    if level == "county":
        return rows.set_index("geoid")[list(COUNTS)].sort_index()
    rows = rows[~rows["geo_type"].isin(PARTS)]
    return rows.groupby(rows["state"].map(FIPS))[list(COUNTS)].sum().rename_axis("geoid").sort_index()


def read_rows(vintage: str) -> pd.DataFrame:
    """Every published row, parts included: `geoid`, `geo_type`, `state` and the counts."""
    name = "county_votes.csv"
    frame = read_table(
        "votes",
        vintage,
        name,
        required=["GEOID", "year", "geo_type", "STATE_NAME", *COUNTS],
        key=["GEOID", "geo_type"],
    )
    file = raw_file("votes", vintage, name).path
    counties = frame["geo_type"].str.contains("county|region")
    check_codes(frame.loc[counties, "GEOID"], 5, file)
    abbreviations = {name: abbreviation for abbreviation, (_, name) in STATES.items()}
    state = frame["STATE_NAME"].map(abbreviations).fillna(frame["STATE_NAME"])
    check_states(state.rename("STATE_NAME"), file)
    return frame.assign(**numbers(frame, COUNTS, file), state=state).rename(columns={"GEOID": "geoid"})

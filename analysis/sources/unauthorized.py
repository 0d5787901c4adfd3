"""Migration Policy Institute's estimates of the unauthorized immigrant population, mid-2023."""

from __future__ import annotations

import pandas as pd

from analysis.provenance import raw_file
from analysis.sources.reading import check_codes, numbers, read_table
from analysis.sources.states import FIPS, STATES


def read(vintage: str, level: str = "county") -> pd.DataFrame:
    """Estimated persons in counties and groups of counties, or in states.

    A group of counties has one estimate; it is not divided among them, so its key is the codes of all its
    members, joined by "|", which no county has.

    Returns
    -------
    DataFrame, index `geoid` (Connecticut's old counties), `unauthorized` (persons, to the thousand).
    """
    rows = read_rows(vintage)
    if level == "county":
        local = rows[~rows["LEVEL"].isin(["state", "national"])]
        codes = (local["COUNTY_GEOIDS"] + "|" + local["PARTIAL_GEOIDS"]).str.strip("|")
        return local.assign(geoid=codes).set_index("geoid")[["unauthorized"]].sort_index()
    states = rows[rows["LEVEL"] == "state"]
    codes = states["STATE_NAME"].map({name: FIPS[a] for a, (_, name) in STATES.items()})
    return states.assign(geoid=codes).set_index("geoid")[["unauthorized"]].sort_index()


def read_rows(vintage: str) -> pd.DataFrame:
    """Every published estimate: nation, states, counties and groups of counties."""
    name = "unauthorized_county.csv"
    frame = read_table(
        "unauthorized",
        vintage,
        name,
        required=[
            "COUNTY_GEOIDS",
            "PARTIAL_GEOIDS",
            "N_COUNTIES",
            "STATE_NAME",
            "UNAUTHORIZED_2023",
            "LEVEL",
        ],
        key=["MPI_NAME"],
    )
    file = raw_file("unauthorized", vintage, name).path
    for column in ("COUNTY_GEOIDS", "PARTIAL_GEOIDS"):
        check_codes(frame[column].str.split("|").explode(), (2, 5), file)
    values = numbers(frame, ["UNAUTHORIZED_2023"], file)
    return frame.assign(unauthorized=values["UNAUTHORIZED_2023"])

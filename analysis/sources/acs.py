"""American Community Survey 5-year tables, one folder a vintage; estimates end in E, 90 % margins in M."""

from __future__ import annotations

import pandas as pd

from analysis.provenance import raw_file, read_origin
from analysis.sources.reading import numbers, read_table

CODE_WIDTH = {"county": 5, "place": 7, "state": 2}
# Of the level "place" too, in vintages that hold it: where towns govern, they are the panel's units.
SUBDIVISIONS, SUBDIVISION_WIDTH = "county_subdivision", 10
# Controlled to the old counties, whose shares they repeat in the planning regions of Connecticut.
HISPANIC_OF_OLD_CONNECTICUT = ("2018-2022",)  # and what was fetched anew for the same years
HISPANIC = ("B03002_012E", "B03002_012M", "PCT_HISPANIC", "PCT_HISPANIC_M")
TEXT = ("NAME", "NAME_OFFICIAL", "CLASSFP", "COUNTY_NAME_SOURCE", "vintage", "CHECK")


def read(vintage: str, level: str = "county") -> pd.DataFrame:
    """Every figure of one vintage at one level; nothing is derived here.

    Figures known to be another unit's are missing: the Hispanic residents of Connecticut's planning regions
    in 2018-2022.

    Parameters
    ----------
    vintage : such as "2019-2023"; which columns it holds is told in its `origin.yaml`.
    level : "county", "place" (with county subdivisions, by their ten digits, where the vintage holds them) or
        "state".

    Returns
    -------
    DataFrame, index `geoid` (text), the figures as float, the names as text.

    Raises
    ------
    DataError : see `analysis.sources.reading.read_table`; also an annotation code left as a figure.
    """
    frame = read_file(vintage, level, CODE_WIDTH[level])
    if level == "place" and f"{SUBDIVISIONS}.csv" in read_origin("acs", vintage)["files"]:
        frame = pd.concat([frame, read_file(vintage, SUBDIVISIONS, SUBDIVISION_WIDTH)])
    return frame.sort_index()


def read_file(vintage: str, level: str, width: int) -> pd.DataFrame:
    """One file of a vintage; see `read`."""
    name = f"{level}.csv"
    frame = read_table(
        "acs",
        vintage,
        name,
        required=["GEOID", "NAME", "vintage"],
        key=["GEOID"],
        codes={"GEOID": width},
    )
    columns = [column for column in frame if column not in (*TEXT, "GEOID")]
    figures = numbers(frame, columns, raw_file("acs", vintage, name).path)
    if vintage.startswith(HISPANIC_OF_OLD_CONNECTICUT) and level == "county":
        regions = frame["GEOID"].str.startswith("09")
        repeated = [name for name in HISPANIC if name in figures]
        figures.loc[regions, repeated] = float("nan")
    return frame.assign(**figures).rename(columns={"GEOID": "geoid"}).set_index("geoid")

"""Tables that need no reader of their own: one CSV a level, a code and figures."""

from __future__ import annotations

import pandas as pd

from analysis.provenance import raw_file
from analysis.sources.reading import numbers, read_table

CODE_WIDTHS = {"county": 5, "place": (7, 10), "state": 2}
TEXT = ("GEOID", "NAME")


def read(source: str, vintage: str, level: str = "county") -> pd.DataFrame:
    """The figures of one level, from `data/raw/<source>/<vintage>/<level>.csv`.

    Parameters
    ----------
    source, vintage : a folder of `data/raw/`, with its `origin.yaml`.
    level : "county", "place" or "state".

    Returns
    -------
    DataFrame, index `geoid` (text), every column but `GEOID` and `NAME` as float, empty cells missing.

    Raises
    ------
    DataError : see `analysis.sources.reading.read_table`; also a cell that is no figure.
    """
    name = f"{level}.csv"
    frame = read_table(
        source, vintage, name, required=["GEOID"], key=["GEOID"], codes={"GEOID": CODE_WIDTHS[level]}
    )
    columns = [column for column in frame if column not in TEXT]
    figures = numbers(frame, columns, raw_file(source, vintage, name).path)
    return figures.set_axis(frame["GEOID"].rename("geoid"), axis="index").sort_index()

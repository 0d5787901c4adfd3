"""ICE's rosters of agencies with a 287(g) agreement, one row an agreement as printed."""

from __future__ import annotations

import pandas as pd

from analysis.provenance import vintages
from analysis.sources.reading import read_table

COLUMNS = ("snapshot", "sheet_row", "state_abbr", "county_as_published", "agency_as_published")
COLUMNS += ("agency_type_as_published", "support_type_as_published", "signed", "moa_url", "source")


def read(vintage: str) -> pd.DataFrame:
    """The roster of one day.

    Parameters
    ----------
    vintage : the roster's date, a folder of `data/raw/rosters/`, such as "2025-05-28".

    Returns
    -------
    DataFrame of text, one row an agreement, index `line`. Columns `*_as_published` are ICE's own text:
    "#N/A", "N/A", trailing blanks and misspellings stay.

    Raises
    ------
    DataError : see `analysis.sources.reading.read_table`.
    """
    return read_table(
        "rosters", vintage, "roster.csv", required=COLUMNS, key=["sheet_row"], states="state_abbr"
    )


def read_all() -> pd.DataFrame:
    """Every roster under one another, by date and row of the sheet; the index starts at 0."""
    return pd.concat([read(vintage) for vintage in vintages("rosters")], ignore_index=True)

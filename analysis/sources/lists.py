"""The federal lists of jurisdictions, as published: one row an entry, nothing corrected."""

from __future__ import annotations

import pandas as pd

from analysis.errors import DataError
from analysis.provenance import raw_file, vintages
from analysis.sources.reading import RESTORE, check_codes, check_key, read_table

LEVELS = ("state", "county", "place")
COLUMNS = ("vintage", "issuer", "published", "page_order", "state_abbr", "level_heading", "level")
COLUMNS += ("text_as_published", "basis", "source_url", "note")


def read(vintage: str) -> pd.DataFrame:
    """The entries of one list in the order of the page.

    Parameters
    ----------
    vintage : a folder of `data/raw/lists/`, such as "dhs-2025-05-31".

    Returns
    -------
    DataFrame of text, one row an entry, index `line`; `level` is the heading that the entry stood under
    (state, county, place), which can be wrong; `page_order` is an integer from 1, missing for an entry
    that only the press reports, which comes last.

    Raises
    ------
    DataError : see `analysis.sources.reading.read_table`; also an unknown level, another vintage's row,
        an empty entry.
    """
    name = "listings.csv"
    frame = read_table("lists", vintage, name, required=COLUMNS, states="state_abbr")
    file = raw_file("lists", vintage, name).path
    for column, allowed in (("level", LEVELS), ("vintage", (vintage,))):
        wrong = frame.index[~frame[column].isin(allowed)]
        if len(wrong):
            raise DataError(
                f"{frame.loc[wrong[0], column]!r} is not one of {', '.join(allowed)}.",
                file=file,
                row=int(wrong[0]),
                column=column,
                remedy=RESTORE,
            )
    empty = frame.index[frame["text_as_published"].str.strip() == ""]
    if len(empty):
        raise DataError(
            "the entry is empty.", file=file, row=int(empty[0]), column="text_as_published", remedy=RESTORE
        )
    printed = frame[frame["page_order"] != ""]
    check_codes(printed["page_order"], tuple(range(1, 6)), file)
    check_key(printed, ["page_order"], file)
    order = pd.to_numeric(frame["page_order"]).astype("Int64")
    return frame.assign(page_order=order).sort_values("page_order", kind="stable")


def read_all() -> pd.DataFrame:
    """Every vintage under one another, by vintage and order of the page; the index starts at 0."""
    return pd.concat([read(vintage) for vintage in vintages("lists")], ignore_index=True)

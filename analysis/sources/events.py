"""Dated events around the lists, as compiled from news pages, and who a source names in them."""

from __future__ import annotations

import datetime

import pandas as pd

from analysis.errors import DataError
from analysis.provenance import raw_file, vintages
from analysis.sources.reading import read_table

NAME = "policy_events.csv"
DAY, MONTH = 10, 7


def read(vintage: str) -> pd.DataFrame:
    """The events of one compilation, in its order.

    Returns
    -------
    DataFrame of text, index `line`: `date` (a day "2025-05-29", or "2025-01" where only the month is known),
    `precision` (day or month), `event`, `jurisdiction` (as published), `source_url`.

    Raises
    ------
    DataError : see `analysis.sources.reading.read_table`; also a date that is neither a day nor a month.
    """
    frame = read_table(
        "policy_events",
        vintage,
        NAME,
        required=["date", "event", "jurisdiction", "source_url"],
        key=["date", "event"],
    )
    wrong = frame.index[~frame["date"].map(is_date)]
    if len(wrong):
        raise DataError(
            f"{frame.loc[wrong[0], 'date']!r} is neither a day nor a month.",
            file=raw_file("policy_events", vintage, NAME).path,
            row=int(wrong[0]),
            column="date",
            remedy='write "2025-05-29", or "2025-05" where the day is not known.',
        )
    return frame.assign(precision=frame["date"].str.len().map({DAY: "day", MONTH: "month"}))


def read_newest() -> pd.DataFrame:
    """The newest compilation, which is the one that the timeline shows."""
    return read(vintages("policy_events")[-1])


def is_date(text: str) -> bool:
    """Whether a text is an ISO day, or a month alone.

    >>> is_date("2025-01"), is_date("2025-01-20"), is_date("2025-13"), is_date("January 2025")
    (True, True, False, False)
    """
    try:
        datetime.date.fromisoformat(f"{text}-01" if len(text) == MONTH else text)
    except ValueError:
        return False
    return len(text) in (MONTH, DAY)

"""Dated events, and the governments that a source names in them."""

from __future__ import annotations

import pandas as pd

COLUMNS = ["date", "precision", "event", "concerns", "role", "name", "state", "geoid", "unit", "listed_on"]
COLUMNS += ["reason", "event_source_url", "name_source_url"]
ROLES = {
    "plaintiff": "plaintiff",
    "defendant": "defendant",
    "removed": "removed from a list",
    "objector": "says that the entry is an error",
    "under_review": "its federal funds are to be compiled",
}
NOT_NAMED = "the source names no single government"


def timeline(events: pd.DataFrame, named: pd.DataFrame, lists: pd.Series) -> pd.DataFrame:
    """One row an event and a government that a source names in it; an event that names none has one row.

    Parameters
    ----------
    events : `date, precision, event, jurisdiction, source_url`, as `analysis.sources.events.read`.
    named : governments by event as `analysis.jurisdictions.match` reads them: `event`, `role`,
        `text_as_published`, `state_abbr`, `source_url`, `geoid`, `unit`, `needs_review`, `note`.
    lists : the lists that name a government, `;`-joined, by any of its codes.

    Returns
    -------
    DataFrame of `COLUMNS` in the order of the dates, a month before its days. A month stays a month. `reason`
    says why a row has no code: no government is named, or the name could not be read. `listed_on` is empty
    for a government that no list names.
    """
    joined = events.rename(columns={"source_url": "event_source_url", "jurisdiction": "concerns"}).merge(
        named.rename(columns={"source_url": "name_source_url", "text_as_published": "name"}),
        on="event",
        how="left",
        validate="1:m",
    )
    code = joined["geoid"].mask(joined["needs_review"].astype("boolean").fillna(False))
    unread = joined["note"].replace("", pd.NA).fillna("the name was not read as a government's")
    reason = unread.mask(code.notna(), "").mask(joined["name"].isna(), NOT_NAMED)
    joined = joined.assign(
        geoid=code,
        state=joined["state_abbr"],
        reason=reason,
        listed_on=code.map(lists),
        unit=joined["unit"].mask(code.isna()),
    )
    ordered = joined.sort_values(["date", "event", "role", "state", "name"], kind="stable")
    return ordered[COLUMNS].fillna("").reset_index(drop=True)


def without_event(named: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """The named governments whose event is not among the events: the event was mended, the name is inert."""
    return named[~named["event"].isin(events["event"])]

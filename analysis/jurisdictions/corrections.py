"""The hand decisions of `data/corrections/`, one table a kind, each row with its reason, source and day.

Every table is keyed on the value as printed, so that a row goes inert once the publisher mends the value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

from analysis.errors import DataError
from analysis.jurisdictions.normalise import key
from analysis.provenance import root
from analysis.sources.reading import check_columns, check_key, check_states, parse

COLUMNS = ("state_abbr", "key", "value", "reason", "source_url", "decided_on")
TABLES = {
    "names": ("state_abbr", "level", "key"),
    "aliases": ("state_abbr", "key"),
    "agencies": ("state_abbr", "key"),
    "districts": ("state_abbr", "key"),
    "consolidated_governments": ("state_abbr", "key"),
    "entry_oddities": ("state_abbr", "level", "key", "value"),
    "event_governments": ("state_abbr", "level", "key", "value"),
    "money_codes": ("state_abbr", "key"),
}

# Columns of single tables beside these.
FURTHER = {"agencies": ("unit", "overrules", "review"), "event_governments": ("role",)}


def read(table: str) -> pd.DataFrame:
    """One table of hand decisions as text, index `line`.

    Parameters
    ----------
    table : names (a wrong name and the right one, or "" where there is no such unit), aliases (a short name
        and its code), agencies (an agency and the codes of its counties), districts (a judicial district
        and its counties), consolidated_governments (a county and the place of the same government),
        entry_oddities (what is odd about an entry that only a reader can find), event_governments (a
        dated event and a government that a source names in it, with its `role`), money_codes (a code
        under which tables of money print a government, and the government's own).

    Raises
    ------
    DataError : a column is missing, a key is empty or occurs twice, a state is unknown, or a row has no
        reason, no source or no day.
    """
    path = root() / "data" / "corrections" / f"{table}.csv"
    if not path.is_file():
        raise DataError("the file does not exist.", file=path, remedy="restore it from git.")
    frame = parse(path.read_bytes(), path)
    check_columns(frame.columns, [*dict.fromkeys((*TABLES[table], *COLUMNS, *FURTHER.get(table, ())))], path)
    check_states(frame["state_abbr"], path)
    check_key(frame, TABLES[table], path)
    check_decided(frame, path)
    return frame


def check_decided(frame: pd.DataFrame, path: Path) -> None:
    """Every decision says why, where that was read, and when it was taken."""
    rules = {"reason": r".{10,}", "source_url": r"https?://\S+", "decided_on": r"[0-9]{4}-[0-9]{2}-[0-9]{2}"}
    for column, pattern in rules.items():
        wrong = [line for line, text in frame[column].items() if not re.fullmatch(pattern, text)]
        if column == "decided_on" and not wrong:
            days = pd.to_datetime(frame[column], format="%Y-%m-%d", errors="coerce")
            wrong = list(days.index[days.isna()])
        if wrong:
            raise DataError(
                f"{frame.loc[wrong[0], column]!r} is not a {column.replace('_', ' ')}.",
                file=path,
                row=int(wrong[0]),
                column=column,
                remedy="a hand decision states its reason, an address and a day (YYYY-MM-DD).",
            )


@dataclass(frozen=True)
class Decisions:
    """The decisions on names, agencies and districts, by the keys that `match` looks up.

    `names` : (state, level, key) to the name meant ("" for no unit) and the reason; `agencies` : (state, key)
    to unit, codes, reason, whether to review it and the COUNTY that it
    overrules; `districts` : (state, key) to codes and reason.
    """

    names: dict[tuple[str, str, str], tuple[str, str]]
    agencies: dict[tuple[str, str], tuple[str, str, str, bool, str]]
    districts: dict[tuple[str, str], tuple[str, str]]

    def name(self, state: str, level: str, text: str) -> tuple[str, str]:
        """The name that a text means and the reason, or the text itself and ""."""
        return self.names.get((state, level, key(text)), (text, ""))


def decisions() -> Decisions:
    """The hand decisions, read once a process."""
    return _decisions(root())


@lru_cache(maxsize=2)
def _decisions(folder: Path) -> Decisions:
    names, agencies, districts = read("names"), read("agencies"), read("districts")
    return Decisions(
        {(r.state_abbr, r.level, key(r.key)): (r.value, r.reason) for r in names.itertuples()},
        {
            (r.state_abbr, key(r.key)): (r.unit, r.value, r.reason, r.review == "yes", r.overrules)
            for r in agencies.itertuples()
        },
        {(r.state_abbr, key(r.key)): (r.value, r.reason) for r in districts.itertuples()},
    )

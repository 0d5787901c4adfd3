"""What a candidate changes: rows added, removed and changed, column by column."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from analysis.errors import DataError
from analysis.refresh.client import Compared
from analysis.refresh.faults import QuarantineError
from analysis.writing import write_csv

COLUMNS = ("file", "change", "key", "column", "before", "after")
SHOWN, LISTED = 8, 5_000


@dataclass(frozen=True)
class Difference:
    """What a candidate changes.

    Parameters
    ----------
    table : one row a change: `file`, `change` (added, removed, changed, column added, column removed, column
        changed), `key`, `column`, `before`, `after`. A column that changes in more than `LISTED` rows has one
        row alone, "column changed", and `after` says in how many.
    rows : the numbers of rows compared, by file.
    counts : the numbers of rows and columns by kind of change.
    """

    table: pd.DataFrame
    rows: dict[str, tuple[int, int]]
    counts: Mapping[str, int]

    def __bool__(self) -> bool:
        return len(self.table) > 0

    def counted(self) -> str:
        """`3 added, 1 removed, 2 changed`; rows, of which a changed one may have several changes."""
        kinds = ["added", "removed", "changed", *(kind for kind in self.counts if kind.startswith("column"))]
        return ", ".join(f"{self.counts.get(kind, 0):,} {kind}" for kind in kinds)

    def lines(self) -> list[str]:
        """The first changes of each kind, a line each."""
        out = []
        for kind, rows in self.table.groupby("change", sort=True):
            for row in rows.head(SHOWN).to_dict("records"):
                moved = {
                    "changed": f": {row['column']} {row['before']!r} to {row['after']!r}",
                    "column changed": f" of {row['file']}: {row['after']}",
                }.get(kind, "")
                sign = {"added": "+", "removed": "-", "changed": "~"}.get(kind, f"{kind}:")
                out.append(f"  {sign} {row['key'] or row['column']}{moved}")
            if len(rows) > SHOWN:
                out.append(f"    and {len(rows) - SHOWN:,} more {kind}")
        return out


def compare(before: Path | None, after: Path, compared: dict[str, Compared]) -> Difference:
    """Every compared table of two vintages; without a vintage before every row is added."""
    tables, rows, counts = [], {}, Counter()
    for name, how in compared.items():
        old, new = (read(folder / name) if folder else None for folder in (before, after))
        if old is None and new is None:
            continue
        rows[name] = (0 if old is None else len(old), 0 if new is None else len(new))
        table, counted = differences(old, new, how)
        tables.append(table.assign(file=name))
        counts += counted
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))
    return Difference(table[list(COLUMNS)], rows, counts)


def read(path: Path) -> pd.DataFrame | None:
    """A CSV as text, or None where there is none.

    Raises
    ------
    DataError : it is no CSV in UTF-8 with every column once, which it was when it was accepted.
    """
    if not path.is_file():
        return None
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = next(csv.reader(stream), [])
        if doubled := [name for name, times in Counter(header).items() if times > 1]:
            rule = f"the header names {doubled[0]!r} twice."
            raise DataError(rule, file=path, row=1, column=doubled[0], remedy="restore it from git.")
        return pa_csv.read_csv(
            path,
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
        ).to_pandas()
    except (UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        first = str(error).splitlines()[0]
        raise DataError(f"no CSV in UTF-8 ({first}).", file=path, remedy="restore it from git.") from error


def differences(
    old: pd.DataFrame | None, new: pd.DataFrame | None, how: Compared
) -> tuple[pd.DataFrame, Counter]:
    """The changes between two tables, and their counts; a key that repeats is told apart by its order."""
    either = new if old is None else old
    old, new = (either.iloc[:0] if frame is None else frame for frame in (old, new))
    for column in how.key:
        if column not in old.columns or column not in new.columns:
            raise QuarantineError("column missing", f"{column!r}, by which rows are compared, is missing.")
    left, right = keyed(old, how), keyed(new, how)
    parts = [
        changes("column removed", column=[column for column in old if column not in new]),
        changes("column added", column=[column for column in new if column not in old]),
        changes("removed", key=left.index.difference(right.index, sort=False)),
        changes("added", key=right.index.difference(left.index, sort=False)),
    ]
    counts = Counter({part["change"].iloc[0]: len(part) for part in parts if len(part)})
    both = left.index.intersection(right.index, sort=False)
    left, right = left.loc[both], right.loc[both]
    moved = np.zeros(len(both), bool)
    for column in left.columns.intersection(right.columns, sort=False):
        if column in how.key or column in how.ignore:
            continue
        was, now = left[column], right[column]
        here = was.to_numpy() != now.to_numpy()
        if not here.any():
            continue
        moved |= here
        if here.sum() > LISTED:
            said = f"{int(here.sum()):,} of {len(both):,} rows"
            parts.append(changes("column changed", column=[column], after=[said]))
            counts["column changed"] += 1
        else:
            parts.append(changes("changed", key=both[here], column=column, before=was[here], after=now[here]))
    counts["changed"] = int(moved.sum())
    return pd.concat(parts, ignore_index=True), counts


def changes(kind: str, *, key: Iterable[tuple] = (), **cells: object) -> pd.DataFrame:
    """Rows of one kind of change, by their keys or their columns."""
    keys = [told(each) for each in key]
    cells = {"key": keys or "", "column": "", "before": "", "after": ""} | {
        name: value if isinstance(value, str) else list(value) for name, value in cells.items()
    }
    many = max((len(value) for value in cells.values() if isinstance(value, list)), default=0)
    return pd.DataFrame({"change": kind} | cells, index=range(many), dtype="str")


def keyed(frame: pd.DataFrame, how: Compared) -> pd.DataFrame:
    """The frame by its key and the how-manieth row of that key it is."""
    key = [column for column in how.key if column in frame.columns]
    names = [frame[column].str.strip().rename(None) for column in key]
    place = frame.groupby(names).cumcount() if len(frame) else pd.Series(dtype="int64")
    return frame.set_index([*names, place])


def told(key: tuple) -> str:
    """A key as text; from its second row on with the number of it."""
    *parts, place = key
    return " | ".join(parts) + (f" (row {place + 1} of that key)" if place else "")


def write(difference: Difference, path: Path) -> None:
    write_csv(difference.table, path)

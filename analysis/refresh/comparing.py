"""What a candidate changes: rows added, removed and changed, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.refresh.client import Compared
from analysis.refresh.faults import QuarantineError
from analysis.sources.reading import parse
from analysis.writing import write_csv

COLUMNS = ("file", "change", "key", "column", "before", "after")
SHOWN = 8


@dataclass(frozen=True)
class Difference:
    """One row a change: `file`, `change` (added, removed, changed, column added, column removed), `key`,
    `column`, `before`, `after`; with the numbers of rows compared."""

    table: pd.DataFrame
    rows: dict[str, tuple[int, int]]

    def __bool__(self) -> bool:
        return len(self.table) > 0

    def counted(self) -> str:
        """`3 added, 1 removed, 2 changed`; rows, of which a changed one may have several changes."""
        firsts = self.table.drop_duplicates(["file", "change", "key"])["change"].value_counts()
        kinds = ["added", "removed", "changed", *(kind for kind in firsts.index if kind.startswith("column"))]
        return ", ".join(f"{firsts.get(kind, 0):,} {kind}" for kind in kinds)

    def lines(self) -> list[str]:
        """The first changes of each kind, a line each."""
        out = []
        for kind, rows in self.table.groupby("change", sort=True):
            for row in rows.head(SHOWN).to_dict("records"):
                moved = (
                    f": {row['column']} {row['before']!r} to {row['after']!r}" if kind == "changed" else ""
                )
                sign = {"added": "+", "removed": "-", "changed": "~"}.get(kind, f"{kind}:")
                out.append(f"  {sign} {row['key'] or row['column']}{moved}")
            if len(rows) > SHOWN:
                out.append(f"    and {len(rows) - SHOWN:,} more {kind}")
        return out


def compare(before: Path | None, after: Path, compared: dict[str, Compared]) -> Difference:
    """Every compared table of two vintages; without a vintage before every row is added."""
    tables, rows = [], {}
    for name, how in compared.items():
        old, new = (read(folder / name) if folder else None for folder in (before, after))
        if old is None and new is None:
            continue
        rows[name] = (0 if old is None else len(old), 0 if new is None else len(new))
        tables.append(differences(old, new, how).assign(file=name))
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))
    return Difference(table[list(COLUMNS)], rows)


def read(path: Path) -> pd.DataFrame | None:
    """A CSV as text, or None where there is none."""
    return parse(path.read_bytes(), path) if path.is_file() else None


def differences(old: pd.DataFrame | None, new: pd.DataFrame | None, how: Compared) -> pd.DataFrame:
    """One row a change from one table to another. A key that repeats is told apart by its order."""
    either = new if old is None else old
    old, new = (either.iloc[:0] if frame is None else frame for frame in (old, new))
    for column in how.key:
        if column not in old.columns or column not in new.columns:
            raise QuarantineError("column missing", f"{column!r}, by which rows are compared, is missing.")
    gone = [column for column in old.columns if column not in new.columns]
    come = [column for column in new.columns if column not in old.columns]
    rows = [("column removed", "", column, "", "") for column in gone]
    rows += [("column added", "", column, "", "") for column in come]
    left, right = keyed(old, how), keyed(new, how)
    rows += [("removed", told(key), "", "", "") for key in left.index.difference(right.index, sort=False)]
    rows += [("added", told(key), "", "", "") for key in right.index.difference(left.index, sort=False)]
    both = left.index.intersection(right.index, sort=False)
    for column in left.columns.intersection(right.columns, sort=False):
        if column in how.key or column in how.ignore:
            continue
        was, now = left.loc[both, column], right.loc[both, column]
        moved = was.to_numpy() != now.to_numpy()
        rows += [
            ("changed", told(key), column, a, b)
            for key, a, b in zip(both[moved], was[moved], now[moved], strict=True)
        ]
    return pd.DataFrame(rows, columns=["change", "key", "column", "before", "after"], dtype="str")


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

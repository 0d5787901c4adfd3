"""Plain text for a terminal or a pipe: aligned tables that keep within a width, and JSON for scripts."""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.errors import visible
from analysis.tables import number

GAP = "  "
NARROWEST = 6  # letters that a column of text keeps however narrow the terminal is


def width() -> int | None:
    """The terminal's width in letters; None where the output goes to a file or another program."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def plain_table(frame: pd.DataFrame, within: int | None = None) -> str:
    """The frame without its index, numbers to the right and text to the left, missing values empty.

    Parameters
    ----------
    within : letters; the widest columns of text are broken into lines until the table fits. None: one line
        a row, however long.

    Examples
    --------
    >>> print(plain_table(pd.DataFrame({"list": ["dhs", "doj"], "entries": [605, 35]})))
    list  entries
    ----  -------
    dhs       605
    doj        35
    """
    cells = [[visible(str(name)), *map(_text, frame.iloc[:, at])] for at, name in enumerate(frame.columns)]
    right = [
        pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) for kind in frame.dtypes
    ]
    wide = [max(map(len, column)) for column in cells]
    words = [max(len(word) for cell in column for word in cell.split() or [""]) for column in cells]
    for least in (words, [NARROWEST] * len(wide)):  # words are broken only where nothing else helps
        while within is not None and sum(wide) + len(GAP) * (len(wide) - 1) > within:
            texts = [at for at in range(len(wide)) if not right[at] and wide[at] > max(least[at], NARROWEST)]
            if not texts:
                break
            wide[max(texts, key=wide.__getitem__)] -= 1
    rows = list(zip(*cells, strict=True))
    rows.insert(1, tuple("-" * size for size in wide))
    return "\n".join(line for row in rows for line in _lines(row, wide, right))


def _text(value: object) -> str:
    """A cell: floats with four significant digits, whole numbers with all of theirs."""
    if not isinstance(value, str) and (value is None or pd.isna(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        size = float(value)
        return f"{size:,.0f}" if size == int(size) or abs(size) >= 1e4 else number(size, 4)
    return visible(" ".join(str(value).split()))


def _lines(row: tuple[str, ...], wide: list[int], right: list[bool]) -> list[str]:
    """A row as one line of text, or as several where a cell is broken."""
    broken = [
        textwrap.wrap(cell, size, break_on_hyphens=False) or [""]
        for cell, size in zip(row, wide, strict=True)
    ]
    lines = []
    for at in range(max(map(len, broken))):
        parts = [cell[at] if at < len(cell) else "" for cell in broken]
        shown = [
            part.rjust(size) if to_right else part.ljust(size)
            for part, size, to_right in zip(parts, wide, right, strict=True)
        ]
        lines.append(GAP.join(shown).rstrip())
    return lines


def paragraph(text: str, within: int | None = None) -> str:
    """A sentence or two, broken into lines where the terminal is narrower."""
    text = visible(text)
    return text if within is None else textwrap.fill(text, max(within, 20))


def as_json(value: object) -> str:
    """JSON (UTF-8, no NaN: what is missing is null) of dicts, lists, frames (a list of rows) and scalars.

    Examples
    --------
    >>> print(as_json({"geoid": "01001", "share": float("nan"), "rows": pd.DataFrame({"n": [1]})}))
    {
     "geoid": "01001",
     "share": null,
     "rows": [
      {
       "n": 1
      }
     ]
    }
    """
    text = json.dumps(_plain(value), ensure_ascii=False, indent=1, allow_nan=False)
    return re.sub(r"[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", _as_number, text)


def _as_number(sign: re.Match[str]) -> str:
    """A sign that a terminal would obey, as JSON writes it by its number."""
    return f"\\u{ord(sign[0]):04x}"


def _plain(value: object) -> object:
    """The value in JSON's own types."""
    if isinstance(value, pd.DataFrame):
        return [_plain(row) for row in value.to_dict("records")]
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        size = float(value)
        if not math.isfinite(size):
            return None
        return int(size) if size == int(size) and abs(size) < 2**53 else size
    if isinstance(value, str):
        return value
    return None if value is None or pd.isna(value) else str(value)

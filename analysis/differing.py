"""Where two versions of a file, or of a folder, part for the first time, in words."""

from __future__ import annotations

import contextlib
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd

SHOWN = 60  # characters of a line around the place


def first_difference(was: Path, now: Path) -> str:
    """The first place where two files differ, or "" where their bytes are equal.

    Tables are told by row, column and the two values (for numbers with the relative difference), pictures by
    the dot, PDF by page and line of its text, other text by line and character, other files by the byte.
    """
    for path, word in ((was, "absent before"), (now, "absent now")):
        if not path.is_file():
            return word
    old, new = was.read_bytes(), now.read_bytes()
    if old == new:
        return ""
    if was.suffix in (".csv", ".parquet"):
        try:
            return _of_tables(_table(was), _table(now)) or _of_bytes(old, new)
        except (ValueError, OSError) as error:
            return f"not a table any more ({str(error).splitlines()[0]}); {_of_bytes(old, new)}"
    if was.suffix in LOOKED_INTO:
        with contextlib.suppress(Exception):  # whatever the libraries raise of files that are none
            return f"{LOOKED_INTO[was.suffix](was, now)}; {_of_bytes(old, new)}"
    try:
        return _of_lines(old.decode("utf-8"), new.decode("utf-8"))
    except UnicodeDecodeError:
        return _of_bytes(old, new)


def differences(was: Path, now: Path) -> list[tuple[str, str]]:
    """Every file that differs between two files or folders, with its first difference, sorted by path."""
    if not was.is_dir() and not now.is_dir():
        said = first_difference(was, now)
        return [(was.name, said)] if said else []
    names = {
        str(path.relative_to(top))
        for top in (was, now)
        for path in top.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".part"
    }
    told = ((name, first_difference(was / name, now / name)) for name in sorted(names))
    return [(name, said) for name, said in told if said]


def _table(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path).reset_index()
    return pd.read_csv(path, dtype="str", keep_default_na=False)


def _of_tables(old: pd.DataFrame, new: pd.DataFrame) -> str:
    """The first difference of two tables: columns, then rows, then the cells, row by row."""
    if list(old.columns) != list(new.columns):
        pairs = zip_longest(old.columns, new.columns, fillvalue="none")
        return next(f"column {a!r} became {b!r}" for a, b in pairs if a != b)
    shared = min(len(old), len(new))
    a, b = old.head(shared).astype("object"), new.head(shared).astype("object")
    rows, columns = np.nonzero((a.ne(b) & ~(a.isna() & b.isna())).to_numpy())
    if len(rows):
        was, now = a.iloc[rows[0], columns[0]], b.iloc[rows[0], columns[0]]
        where = f"row {rows[0] + 1}, column {old.columns[columns[0]]!r}"
        return f"{where}: {was} became {now}{_relative(was, now)}; {len(rows)} cells in all"
    return f"{len(old)} rows became {len(new)}" if len(old) != len(new) else ""


def _relative(a: object, b: object) -> str:
    try:
        old, new = float(a), float(b)
    except (TypeError, ValueError):
        return ""
    return f" (by {abs(new - old) / abs(old):.1e} of it)" if old else ""


def _of_pictures(was: Path, now: Path) -> str:
    """The first dot that differs, from the top, and how many do."""
    old, new = (_dots(path) for path in (was, now))
    if old.shape != new.shape:
        return "{1} by {0} dots became {3} by {2}".format(*old.shape[:2], *new.shape[:2])
    other = (old != new).any(axis=2)
    if not other.any():
        return "the same picture, packed or described otherwise"
    down, across = np.argwhere(other)[0]
    colours = (f"({', '.join(map(str, dots[down, across]))})" for dots in (old, new))
    place = f"dot {across + 1} of line {down + 1}"
    return f"{place}: {' became '.join(colours)}; {int(other.sum())} dots in all"


def _dots(path: Path) -> np.ndarray:
    """The colours of a PNG, (height, width, 4): red, green, blue and what covers, 0 to 255."""
    from matplotlib.colors import to_rgba_array
    from matplotlib.image import imread

    dots = np.atleast_3d(imread(path))
    grey = dots.shape[2] < 3
    dots = np.repeat(dots[:, :, :1], 3, axis=2) if grey else dots
    found = to_rgba_array(dots.reshape(-1, dots.shape[2])).reshape(*dots.shape[:2], 4)
    return np.rint(found * 255).astype("int64")


def _of_pdf(was: Path, now: Path) -> str:
    """The first page whose text differs, and where."""
    import pypdf

    old, new = ([page.extract_text() for page in pypdf.PdfReader(path).pages] for path in (was, now))
    for number, (a, b) in enumerate(zip(old, new, strict=False), start=1):
        if a != b:
            return f"page {number}, {_of_lines(a, b)}"
    if len(old) != len(new):
        return f"{len(old)} pages became {len(new)}"
    return "the same text, drawn, packed or described otherwise"


LOOKED_INTO = {".png": _of_pictures, ".pdf": _of_pdf}


def _of_lines(old: str, new: str) -> str:
    for number, (a, b) in enumerate(zip_longest(old.split("\n"), new.split("\n")), start=1):
        if a is None or b is None:
            return f"line {number} is only in the {'later' if a is None else 'earlier'} version"
        if a != b:
            at = next(i for i in range(max(len(a), len(b))) if a[i : i + 1] != b[i : i + 1])
            begin = max(at - SHOWN // 2, 0)
            return (
                f"line {number}, character {at + 1}: {a[begin : begin + SHOWN]!r}"
                f" became {b[begin : begin + SHOWN]!r}"
            )
    raise AssertionError("the texts are equal")


def _of_bytes(old: bytes, new: bytes) -> str:
    at = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return f"byte {at + 1} of {len(old)}, now {len(new)}"

"""Where two versions of a file, or of a folder, part for the first time, in words."""

from __future__ import annotations

import contextlib
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

SHOWN = 60  # characters of a line around the place


def first_difference(was: Path, now: Path) -> str:
    """The first place where two files differ, or "" where their bytes are equal.

    Tables are told by row, column and the two values (for numbers with the relative difference), Parquet by
    its columns' types too, pictures by the dot, PDF by page and line of its text, other text by line and
    character, other files by the byte.
    """
    for path, word in ((was, "absent before"), (now, "absent now")):
        if not path.is_file():
            return word.replace("absent", "a folder") if path.is_dir() else word
    old, new = was.read_bytes(), now.read_bytes()
    if old == new:
        return ""
    if was.suffix in (".csv", ".parquet"):
        try:
            tables = _table(was), _table(now)
        except (ValueError, OSError) as error:
            return f"not a table any more ({str(error).splitlines()[0]}); {_of_bytes(old, new)}"
        told = _of_tables(*tables) or (_of_types(was, now) if was.suffix == ".parquet" else "")
        return told or f"the same cells, written otherwise; {_of_bytes(old, new)}"
    if was.suffix in LOOKED_INTO:
        with contextlib.suppress(Exception):  # whatever the libraries raise of files that are none
            return f"{LOOKED_INTO[was.suffix](was, now)}; {_of_bytes(old, new)}"
    try:
        return _of_lines(old.decode("utf-8"), new.decode("utf-8"))
    except UnicodeDecodeError:
        return _of_bytes(old, new)


def differences(was: Path, now: Path) -> list[tuple[str, str]]:
    """Every file that differs between two files or folders, with its first difference, sorted by path."""
    if was.is_file() or now.is_file() or not (was.is_dir() or now.is_dir()):
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
    """The cells as they are stored; an index of Parquet is a column like the others."""
    if path.suffix == ".parquet":
        table = pq.ParquetFile(path).read()
        cells = [pd.Series(column.to_pylist(), dtype="object") for column in table.columns]
        return pd.concat(cells, axis=1, keys=range(len(cells))).set_axis(table.column_names, axis=1)
    return pd.read_csv(path, dtype="str", keep_default_na=False)


def _of_tables(old: pd.DataFrame, new: pd.DataFrame) -> str:
    """The first difference of two tables: columns, then rows, then the cells, row by row."""
    if list(old.columns) != list(new.columns):
        pairs = zip_longest(old.columns, new.columns, fillvalue="none")
        return next(f"column {a!r} became {b!r}" for a, b in pairs if a != b)
    shared = min(len(old), len(new))
    a, b = (table.head(shared).to_numpy("object") for table in (old, new))
    rows, columns = np.nonzero((a != b) & ~(pd.isna(a) & pd.isna(b)))
    if len(rows):
        was, now = (cells[rows[0], columns[0]] for cells in (a, b))
        where = f"row {rows[0] + 1}, column {old.columns[columns[0]]!r}"
        pair = " became ".join(_around(str(was), str(now)))
        return f"{where}: {pair}{_relative(was, now)}; {len(rows)} cells in all"
    return f"{len(old)} rows became {len(new)}" if len(old) != len(new) else ""


def _of_types(was: Path, now: Path) -> str:
    """The first column of another type, or "" where the types are equal."""
    pairs = zip(pq.read_schema(was), pq.read_schema(now), strict=True)
    return next((f"column {a.name!r}: {a.type} became {b.type}" for a, b in pairs if a.type != b.type), "")


def _relative(a: object, b: object) -> str:
    try:
        old, new = float(a), float(b)
    except (TypeError, ValueError):
        return ""
    return f" (by {abs(new - old) / abs(old):.1e} of it)" if old and np.isfinite([old, new]).all() else ""


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
            pair = " became ".join(_around(a, b, always=True))
            return f"line {number}, character {_parting(a, b) + 1}: {pair}"
    raise AssertionError("the texts are equal")


def _parting(a: str | bytes, b: str | bytes) -> int:
    """Where two texts part, from 0."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _around(a: str, b: str, *, always: bool = False) -> list[str]:
    """Two texts about where they part, in quotes where signs are among them that steer a terminal."""
    begin = max(_parting(a, b) - SHOWN // 2, 0) if always or max(len(a), len(b)) > SHOWN else 0
    seen = [text[begin : begin + SHOWN] for text in (a, b)]
    return [repr(text) for text in seen] if always or not "".join(seen).isprintable() else seen


def _of_bytes(old: bytes, new: bytes) -> str:
    return f"byte {_parting(old, new) + 1} of {len(old)}, now {len(new)}"

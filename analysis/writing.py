"""How tables and files are written: rounded alike, and never half-written."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd


@contextmanager
def replacing(path: Path):
    """A temporary path beside `path` that takes its place when the block ends well, else vanishes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))  # less the umask
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


# Eight digits survive other kernels of the linear-algebra library; ten did not. Amounts keep their cents.
DIGITS = 8
LEAST_DECIMALS = 2
NEGLIGIBLE = 1e-12


def round_significant(values: np.ndarray, digits: int = DIGITS) -> np.ndarray:
    """Floats to so many significant digits, but never fewer than two decimals; |x| < 1e-12 becomes 0."""
    values = np.asarray(values, dtype="float64")
    with np.errstate(all="ignore"):
        magnitude = np.floor(np.log10(np.abs(values)))
        decimals = np.clip(np.nan_to_num(digits - 1 - magnitude), LEAST_DECIMALS, 22)
        scale = 10.0**decimals
        out = np.rint(values * scale) / scale
    exact = ~np.isfinite(out) | (values == np.rint(values))
    return np.where(np.abs(values) < NEGLIGIBLE, 0.0, np.where(exact, values, out))


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every float rounded by `round_significant`, in columns of whichever type."""
    return frame.apply(_rounded)


def _rounded(column: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(column.dtype):
        values = round_significant(column.to_numpy("float64", na_value=np.nan))
        return pd.Series(values, column.index).astype(column.dtype).mask(column.isna(), column)
    if column.dtype == "object":
        cells = (float(round_significant(v)) if isinstance(v, float | np.floating) else v for v in column)
        return pd.Series(list(cells), column.index, dtype="object")
    return column


def write_csv(frame: pd.DataFrame, path: Path, *, index: bool = False) -> None:
    """The frame as CSV (UTF-8, LF, significant digits rounded), beside and then renamed."""
    with replacing(path) as beside:
        rounded(frame).to_csv(beside, index=index, lineterminator="\n", encoding="utf-8")


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """The frame with its index as Parquet (zstd, significant digits rounded), beside and then renamed."""
    with replacing(path) as beside:
        rounded(frame).to_parquet(beside, engine="pyarrow", compression="zstd", index=True)

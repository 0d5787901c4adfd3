"""A table as a file of Stata (.dta, format 118, which Stata 14 and newer read)."""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

LONGEST_NAME, LONGEST_LABEL = 32, 80
LONG = 2_147_483_620  # the largest whole number of Stata's `long`; larger ones become doubles
# Stata's reserved words; Mata's are free as names of variables.
TAKEN: tuple[str, ...] = (
    "_all",
    "_b",
    "byte",
    "_coef",
    "_cons",
    "double",
    "float",
    "if",
    "in",
    "int",
    "long",
)
TAKEN += ("_n", "_N", "_pi", "_pred", "_rc", "_skip", "str", "strL", "using", "with")


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Names that Stata takes, at most 32 letters, digits and underscores: each by the full name.

    A longer name keeps its beginning and its end, and a number where two would be the same.

    >>> list(short_names(["log_grant_awards_fy2022_usd_per_resident", "from", "if"]).values())
    ['log_grant_awards_fy_per_resident', 'from', 'if_']
    """
    out: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII) or "_"
        plain = f"_{plain}" if plain[0].isdigit() else f"{plain}_" if plain in TAKEN else plain
        short = plain if len(plain) <= LONGEST_NAME else plain[:19] + plain[-13:]
        at = 2
        while short.casefold() in {each.casefold() for each in out.values()}:
            short, at = f"{short[: LONGEST_NAME - len(str(at)) - 1]}_{at}", at + 1
        out[name] = short
    return out


def stata_bytes(frame: pd.DataFrame, labels: Mapping[str, str], title: str, written: datetime.date) -> bytes:
    """The frame as a .dta file: the same bytes for the same frame.

    Numbers are long or double, booleans 0 and 1, days Stata's dates, text str or strL; what is missing is `.`
    or an empty text. Variable labels are the full name where it was shortened, then the description.

    Parameters
    ----------
    labels : descriptions by column. title : of the data; both are cut at 80 letters.
    written : the day that the file names as its own.
    """
    names = short_names(frame.columns)
    columns, days = {}, {}
    for name, short in names.items():
        columns[short], is_day = _column(frame[name])
        if is_day:
            days[short] = "td"
    described = {
        short: (f"{name}: " if short != name else "") + labels.get(name, "") for name, short in names.items()
    }
    stream = io.BytesIO()
    pd.DataFrame(columns, index=range(len(frame))).to_stata(
        stream,
        write_index=False,
        version=118,
        time_stamp=datetime.datetime.combine(written, datetime.time()),
        data_label=title[:LONGEST_LABEL],
        variable_labels={short: text.strip(": ")[:LONGEST_LABEL] for short, text in described.items()},
        convert_dates=days,
        convert_strl=[short for short, column in columns.items() if _is_long(column)],
    )
    return stream.getvalue()


def _column(column: pd.Series) -> tuple[pd.Series, bool]:
    """A column in a type that pandas writes, and whether it holds days."""
    values = column.reset_index(drop=True)
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_integer_dtype(values.dtype):
        numbers = values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        whole = not np.isnan(numbers).any() and np.abs(numbers).max(initial=0) <= LONG
        return pd.Series(numbers).astype("int32" if whole else "float64"), False
    if pd.api.types.is_float_dtype(values.dtype):
        return values.astype("float64").where(np.isfinite(values.astype("float64"))), False
    if "date" in str(values.dtype):
        return pd.to_datetime(values).astype("datetime64[ns]"), True
    return values.astype("str").fillna("").astype(object), False


def _is_long(column: pd.Series) -> bool:
    return column.dtype == object and bool((column.str.encode("utf-8").str.len() > 2045).any())

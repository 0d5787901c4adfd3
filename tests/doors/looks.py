"""What is implausible in a value that a reader gave: "" where nothing is."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

ANNOTATION_CODE = -1e8
CODE = re.compile(r"[0-9A-Z|]+")
Look = Callable[[object], str]


def frame(value: object) -> str:
    """A table: rows, columns of one name each, figures that are figures, codes of ASCII digits, text that a
    file can hold."""
    if not isinstance(value, pd.DataFrame):
        return f"a {type(value).__name__}, no table"
    if not len(value):
        return "no rows"
    if not value.columns.is_unique:
        return "two columns of one name"
    numbers = value.select_dtypes("number").astype("float64").to_numpy()
    if np.isinf(numbers).any():
        return "an infinite figure"
    if (numbers < ANNOTATION_CODE).any():
        return "an annotation code among the figures"
    if value.index.name == "geoid" and not all(CODE.fullmatch(str(code)) for code in value.index):
        return f"a code {next(code for code in value.index if not CODE.fullmatch(str(code)))!r}"
    for name in value.select_dtypes(["object", "str"]):
        for cell in value[name]:
            if isinstance(cell, str) and not storable(cell):
                return f"text in {name!r} that no file can hold"
    return ""


def storable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def table_of(columns: dict[str, str], unique: bool = True) -> Look:
    """A table whose columns (or index) hold codes of these patterns."""

    def look(value: object) -> str:
        if wrong := frame(value):
            return wrong
        if unique and value.index.name == "geoid" and not value.index.is_unique:
            return "a unit twice"
        for name, pattern in columns.items():
            cells = value.index if name == value.index.name else value[name]
            for cell in cells:
                if not re.fullmatch(pattern, str(cell)):
                    return f"{cell!r} in {name!r}"
        return ""

    return look


def all_of(*looks: Look) -> Look:
    """Several values, each with its own look."""
    return lambda values: next(
        (said for look, value in zip(looks, values, strict=True) if (said := look(value))), ""
    )


def verdicts(value: object) -> str:
    """Verdicts of `match`: a code and a unit together or neither, a type, a flag, a note of some length."""
    if not isinstance(value, pd.DataFrame):
        return "no table"
    for row in value.itertuples():
        code = None if pd.isna(row.geoid) else row.geoid
        if (code is None) != (row.unit == "none"):
            return f"code {code!r} of unit {row.unit!r}"
        if code is not None and not re.fullmatch(r"\d{2}|\d{5}|\d{7}|\d{10}|\d{5}(;\d{5})+", code, re.ASCII):
            return f"code {code!r}"
        if row.match_type == "none" and code is not None and not row.needs_review:
            return "an answer without a reason"
        if len(row.note) > 1000:
            return "a note without end"
    return ""


def mapping(value: object) -> str:
    return "" if isinstance(value, dict) and value else "no mapping"


def anything(value: object) -> str:
    return ""

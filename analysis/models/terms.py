"""From names to numbers: columns, catalogue groups, products and squares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real

import numpy as np
import pandas as pd

from analysis import catalogue
from analysis.errors import ModelError, nearest


@dataclass(frozen=True)
class Term:
    """A covariate as it enters a model: the product of its parts, one part for a plain column."""

    name: str
    parts: tuple[str, ...]


def resolve(covariates: Iterable[str], data: pd.DataFrame, level: str = "county") -> tuple[Term, ...]:
    """The terms that names stand for: a column first, then a product of columns, then a catalogue group.

    A group is that of the catalogue's `level`; a member that is already there is not added again.

    Raises
    ------
    ModelError : a name that is none of these (with the nearest), or a group's member that `data` lacks.
    """
    terms: dict[str, Term] = {}
    for name in covariates:
        if name in data.columns:
            terms.setdefault(name, Term(name, (name,)))
        elif ":" in name:
            parts = tuple(part.strip() for part in name.split(":"))
            for part in parts:
                require(part, data, f"of the product {name!r}")
            terms.setdefault(name, Term(name, parts))
        else:
            for member in _members(name, data, level):
                terms.setdefault(member, Term(member, (member,)))
    return tuple(terms.values())


def _members(name: str, data: pd.DataFrame, level: str) -> tuple[str, ...]:
    """The columns of a catalogue group."""
    if name not in catalogue.GROUPS:
        known = [str(column) for column in data.columns] + list(catalogue.GROUPS)
        raise ModelError(
            f"No column and no catalogue group is named {name!r}.{nearest(name, known)}{how_to_add(name)}"
        )
    members = catalogue.group_members(name, level)
    if absent := [member for member in members if member not in data.columns]:
        raise ModelError(
            f"The group {name!r} holds columns that the data lack: {', '.join(absent)}. Is this frame "
            f"load_panel({level!r})? If they are newly declared, run `dvc repro`."
        )
    if not members:
        raise ModelError(f"The group {name!r} has no variable at the level {level!r}.")
    return members


def require(column: str, data: pd.DataFrame, role: str) -> None:
    """Nothing, when `data` has exactly one column of that name.

    Raises
    ------
    ModelError : it has none (with the nearest name), or several.
    """
    if not isinstance(column, str):
        raise ModelError(f"{column!r} is no name of a column ({role}).")
    if column not in data.columns:
        raise ModelError(
            f"The data have no column {column!r} ({role}).{nearest(column, data.columns)}{how_to_add(column)}"
        )
    if isinstance(data[column], pd.DataFrame):
        raise ModelError(f"The data have several columns named {column!r} ({role}).")


def how_to_add(column: str) -> str:
    """The end of an error message: where a column that the data lack is declared, or is to be.

    >>> how_to_add("median_age").split(".")[0]
    " 'median_age' is declared in analysis/variables"
    """
    levels = [level for level in catalogue.LEVELS if column in catalogue.load_catalogue(level)]
    if levels:
        return (
            f" {column!r} is declared in analysis/variables.yaml for the level {' and '.join(levels)}: take "
            f"load_panel({levels[0]!r}), after `dvc repro` where it is new."
        )
    return (
        " A new column is declared in one line of analysis/variables.yaml (name: {"
        f"{', '.join(f'{key}: ...' for key in catalogue.REQUIRED)}}}), followed by `dvc repro`; one of your "
        "own is added to the frame, as data.assign(name=values)."
    )


def numbers(data: pd.DataFrame, column: str, role: str = "a covariate") -> np.ndarray:
    """A column as floats of shape (n,), missing values as NaN; True and False as 1 and 0.

    Raises
    ------
    ModelError : the column is absent, twice there, or does not hold numbers.
    """
    require(column, data, role)
    values = data[column]
    if values.dtype == object and all(isinstance(value, Real | Decimal) for value in values.dropna()):
        try:
            values = values.astype("Float64")
        except OverflowError as error:
            raise ModelError(
                f"The column {column!r} ({role}) holds a number too large: rescale it."
            ) from error
    if not pd.api.types.is_any_real_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(
        values.dtype
    ):
        raise ModelError(f"The column {column!r} ({role}) holds no numbers but {values.dtype}.")
    return values.to_numpy(dtype=float, na_value=np.nan)


def labels_of(data: pd.DataFrame, column: str, role: str) -> pd.Series:
    """A column of labels, by which rows can be grouped.

    Raises
    ------
    ModelError : the column is absent, twice there, or holds values that cannot be compared (lists).
    """
    require(column, data, role)
    try:
        labels = data[column]
        pd.factorize(labels.to_numpy())
        pd.util.hash_pandas_object(labels.astype(str).astype(object), index=False)
    except (TypeError, UnicodeEncodeError) as error:
        raise ModelError(
            f"The column {column!r} ({role}) holds values that are no labels ({error}): use text or numbers."
        ) from error
    return labels


def require_frame(data: object, of: str = "") -> None:
    """Nothing, when `data` is a DataFrame; `of` begins the message.

    Raises
    ------
    ModelError : it is something else.
    """
    if not isinstance(data, pd.DataFrame):
        raise ModelError(f"{of}{'a' if of else 'A'} DataFrame was expected, not {type(data).__name__}.")


def whole(name: str, value: object, least: int, why: str = "") -> int:
    """The value, when it is a whole number of at least `least` (True and False are none).

    Raises
    ------
    ModelError : it is not.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral) or value < least:
        reason = f": {why}" if why else ""
        raise ModelError(f"{name}={value!r}: a whole number of at least {least} is needed{reason}.")
    return int(value)


def product(term: Term, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The term's values, shape (n,)."""
    values = columns[term.parts[0]]
    for part in term.parts[1:]:
        values = values * columns[part]
    return values


def derivative(term: Term, column: str, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The term's derivative with respect to one column, shape (n,), by the product rule.

    >>> derivative(Term("a:a", ("a", "a")), "a", {"a": np.array([1.0, 3.0])})
    array([2., 6.])
    """
    total = np.zeros(len(columns[term.parts[0]]))
    for position, part in enumerate(term.parts):
        if part == column:
            others = np.ones(len(total))
            for rest, other in enumerate(term.parts):
                if rest != position:
                    others = others * columns[other]
            total = total + others
    return total

"""Standard errors of covariates from published margins, and draws of what the survey might have found.

A variable with a margin of its own (`<name>_moe`) has the standard error of that margin. A variable that the
catalogue derives from such ones takes theirs: to first order for a standard error (the delta method), and
exactly for a draw, since the drawn figures go through the same formula. Errors of different variables are
independent, for want of published covariances.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from analysis.catalogue import load_catalogue
from analysis.errors import DataError
from analysis.formulas import evaluate, names_in
from analysis.margins import standard_error
from analysis.models.terms import numbers

STEP = 1e-5  # of the derivatives, as a share of the value
SAMPLED = ("acs", "unauthorized")  # sources that are estimates


def drawn_from(name: str, data: pd.DataFrame) -> tuple[str, ...]:
    """The variables with a published margin that a column is made of, itself included; none for exact.

    Parameters
    ----------
    name : a column. data : with what it is made of, and the margins (`<column>_moe`, 90 %).
    """
    if f"{name}_moe" in data:
        return (name,)
    parts = _parts(name, data)
    return tuple(dict.fromkeys(leaf for part in parts for leaf in drawn_from(part, data)))


def standard_errors(name: str, data: pd.DataFrame) -> np.ndarray:
    """The standard error of a column in every row, (n,); zeros where nothing it is made of has a margin.

    For a derived variable: the root of the sum of squares of each part's error times the formula's
    derivative, at the published values. NaN where a margin or the value is missing.

    Parameters
    ----------
    name : the column. data : with it, what it is made of, and the margins (`<column>_moe`, 90 %).

    Raises
    ------
    DataError : a negative margin; it names the column.
    """
    leaves = drawn_from(name, data)
    if not leaves:
        return np.zeros(len(data))
    if leaves == (name,):
        return _published(name, data)
    total = np.zeros(len(data))
    for leaf in leaves:
        error, at = _published(leaf, data), numbers(data, leaf)
        step = STEP * np.where(at == 0, np.where(error > 0, error, 1.0), np.abs(at))
        above, below = (value(name, data, {leaf: pd.Series(at + d, data.index)}) for d in (step, -step))
        total += ((above - below).to_numpy() / (2 * step) * error) ** 2
    return np.sqrt(total)


def value(name: str, data: pd.DataFrame, instead: Mapping[str, pd.Series]) -> pd.Series:
    """A column, made anew through the catalogue's formulas where its parts have other values."""
    if name in instead:
        return instead[name]
    if not set(drawn_from(name, data)) & set(instead):
        return pd.Series(numbers(data, name), data.index)
    return evaluate(
        load_catalogue()[name].formula, {part: value(part, data, instead) for part in _parts(name, data)}
    )


def drawn(names: Iterable[str], data: pd.DataFrame, seed: int, number: int) -> dict[str, np.ndarray]:
    """The columns with one draw of all sampling errors, each (n,), carried through the formulas."""
    names = list(names)
    leaves = dict.fromkeys(leaf for name in names for leaf in drawn_from(name, data))
    instead = {leaf: with_error(data, leaf, seed, number) for leaf in leaves}
    return {name: value(name, data, instead).to_numpy(dtype=float) for name in names}


def with_error(data: pd.DataFrame, name: str, seed: int, number: int) -> pd.Series:
    """A column with one draw of its sampling error, normal and within the range of the catalogue.

    The draw's number, the seed and the column's name give the errors, whatever else is drawn. A row without
    a margin keeps its value.
    """
    rng = np.random.default_rng([seed, number, *name.encode()])
    error = np.nan_to_num(_published(name, data))
    values = data[name] + error * rng.standard_normal(len(data))
    declared = load_catalogue().get(name)
    return values if declared is None else values.clip(*declared.range)


def why_without_margin(name: str) -> str:
    """Why a variable of the catalogue has no sampling error here: not published, or there is none."""
    catalogue = load_catalogue()
    names = [name]
    for each in names:  # which grows by the parts of derived ones
        if catalogue[each].source == "derived":
            names += [part for part in names_in(catalogue[each].formula) if part in catalogue]
    sampled = any(catalogue[each].source.partition("/")[0] in SAMPLED for each in names)
    return "no margin comes with this figure" if sampled else "not from a sample"


def _published(name: str, data: pd.DataFrame) -> np.ndarray:
    """The standard error (n,) of a variable by its own margin."""
    margin = f"{name}_moe"
    try:
        return standard_error(numbers(data, margin))
    except DataError as error:
        raise DataError(error.rule, column=margin, remedy=error.remedy) from error


def _parts(name: str, data: pd.DataFrame) -> tuple[str, ...]:
    """The columns that a derived variable's formula reads; none for any other."""
    declared = load_catalogue().get(name)
    if declared is None or declared.source != "derived":
        return ()
    parts = names_in(declared.formula)
    return parts if all(part in data for part in parts) else ()

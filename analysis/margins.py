"""Margins of error of the American Community Survey: to standard errors, and through sums and ratios.

Published margins are at 90 %. The formulas are those of the Census Bureau, "Understanding and Using American
Community Survey Data: What All Data Users Need to Know" (2018 and 2020), chapter 8. They take the errors of
the parts as independent, because covariances are not published. All functions work element by element on
numbers and arrays; what is undefined is NaN. A negative margin is an error: it is an annotation code.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import DataError

STANDARD_ERRORS_PER_MARGIN = 1.645  # the factor that the Bureau uses for its 90 % margins


def standard_error(margin: ArrayLike) -> np.ndarray | pd.Series:
    """The standard error of an estimate with that 90 % margin.

    Raises
    ------
    DataError : a negative margin, here as in the other functions.

    >>> round(float(standard_error(np.array(1.645))), 6)
    1.0
    """
    (checked,) = _margins(margin)
    return (margin if isinstance(margin, pd.Series) else checked) / STANDARD_ERRORS_PER_MARGIN


def margin_of_sum(margins: ArrayLike, estimates: ArrayLike | None = None) -> np.ndarray:
    """The margin of a sum (or difference) of estimates, along the last axis.

    Parameters
    ----------
    margins : (..., m). estimates : of the same shape, or None. Of the parts whose estimate is zero only the
        largest margin counts, since the Bureau gives zero estimates one margin for all that is small.

    >>> float(margin_of_sum([3.0, 4.0])), float(margin_of_sum([3.0, 4.0, 12.0], [9, 0, 0]).round(3))
    (5.0, 12.369)
    """
    squares = _margins(margins)[0] ** 2
    if estimates is None:
        return np.sqrt(squares.sum(axis=-1))
    (figures,) = _floats(estimates)
    if figures.shape != squares.shape:
        raise DataError(
            f"margins of shape {squares.shape} do not belong to estimates of shape {figures.shape}.",
            remedy="give every estimate its margin.",
        )
    zero = figures == 0
    largest = np.where(zero, squares, 0.0).max(axis=-1, initial=0.0)
    return np.sqrt(np.where(zero, 0.0, squares).sum(axis=-1) + largest)


def margin_of_ratio(x: ArrayLike, margin_x: ArrayLike, y: ArrayLike, margin_y: ArrayLike) -> np.ndarray:
    """The margin of x / y where x is no part of y."""
    (x, y), (margin_x, margin_y) = _floats(x, y), _margins(margin_x, margin_y)
    with np.errstate(all="ignore"):
        return _finite(np.sqrt(margin_x**2 + (x / y * margin_y) ** 2) / np.abs(y))


def margin_of_proportion(x: ArrayLike, margin_x: ArrayLike, y: ArrayLike, margin_y: ArrayLike) -> np.ndarray:
    """The margin of x / y where x is a part of y; that of a ratio where the radicand is negative.

    >>> margin_of_proportion(90, 5, 100, 10).round(4).tolist()
    0.103
    """
    (x, y), (margin_x, margin_y) = _floats(x, y), _margins(margin_x, margin_y)
    with np.errstate(all="ignore"):
        radicand = margin_x**2 - (x / y * margin_y) ** 2
        proportion = np.sqrt(radicand) / np.abs(y)
    return np.where(radicand >= 0, _finite(proportion), margin_of_ratio(x, margin_x, y, margin_y))


def margin_of_product(x: ArrayLike, margin_x: ArrayLike, y: ArrayLike, margin_y: ArrayLike) -> np.ndarray:
    """The margin of x times y.

    >>> float(margin_of_product(2.0, 3.0, 4.0, 2.0).round(4))
    12.6491
    """
    (x, y), (margin_x, margin_y) = _floats(x, y), _margins(margin_x, margin_y)
    return np.sqrt((x * margin_y) ** 2 + (y * margin_x) ** 2)


def _floats(*values: ArrayLike) -> tuple[np.ndarray, ...]:
    try:
        return tuple(np.asarray(value, dtype=float) for value in values)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"an estimate or a margin is no number: {error}.",
            remedy="read the columns as numbers, annotations as missing.",
        ) from error


def _margins(*values: ArrayLike) -> tuple[np.ndarray, ...]:
    """The margins as floats, none of them below zero."""
    margins = _floats(*values)
    if any((margin < 0).any() for margin in margins):
        raise DataError(
            "a margin of error is negative: it is an annotation code, no margin.",
            remedy="set -555555555 (a controlled estimate) to 0 and every other code to missing.",
        )
    return margins


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)

"""Permutation within states: what the association would be if a state's counties were shuffled."""

from __future__ import annotations

import numpy as np

from analysis.models import lpm
from analysis.models.bootstrap import TIE, restrict
from analysis.models.design import Design


def shuffles(groups: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Random permutations (draws, n) of the positions 0 .. n-1 that keep every row in its group (n,)."""
    rng = np.random.default_rng(seed)
    place = np.argsort(groups, kind="stable")
    out = np.empty((draws, len(groups)), dtype=np.int32)
    for draw in out:
        draw[place] = np.argsort(2.0 * groups + rng.random(len(groups)))  # by group, at random within
    return out


def varying(values: np.ndarray, groups: np.ndarray) -> int:
    """In how many groups a column (n,) takes more than one value.

    >>> varying(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]))
    1
    """
    low, high = np.full(groups.max() + 1, np.inf), np.full(groups.max() + 1, -np.inf)
    np.minimum.at(low, groups, values)
    np.maximum.at(high, groups, values)
    return int((high > low).sum())


def within_permutation(
    arrays: Design, j: int, beta: np.ndarray, groups: np.ndarray, shuffled: np.ndarray
) -> float:
    """The p-value that coefficient j is zero, by shuffling the restricted residuals within groups.

    The statistic is the score of coefficient j at the fit without it, from what the column varies within
    groups after the other columns are taken out. The p-value counts the data as one of the draws. It
    supposes that a group's rows are exchangeable, not that groups are drawn from more of them. A column
    that is constant in every group has none: NaN.

    Parameters
    ----------
    arrays : of a `logit` or `lpm`, absorbed effects taken out. beta : (k,), the estimates.
    groups : (n,), as 0 .. S-1.
    shuffled : (draws, n), from `shuffles` of the same groups.
    """
    if varying(arrays.X[:, j], groups) == 0:
        return float("nan")
    null = restrict(arrays, j, 0.0, beta)
    others = np.delete(null.X, j, axis=1)
    column = null.X[:, j]
    if others.shape[1]:
        column = column - others @ lpm.least_squares(others, column)
    rest = lpm.demean((column / null.root)[:, None], (groups,))[:, 0]
    residuals = null.residuals * null.root
    found = residuals[shuffled] @ rest
    beyond = np.abs(found) >= abs(float(residuals @ rest)) * (1 - TIE)
    return float((1 + beyond.sum()) / (1 + len(shuffled)))

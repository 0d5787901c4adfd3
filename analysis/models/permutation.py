"""Permutation within states: what the association would be if a state's counties were shuffled."""

from __future__ import annotations

import numpy as np

from analysis.models import conditional, lpm
from analysis.models.bootstrap import TIE, restrict, start_at
from analysis.models.design import Design
from analysis.models.terms import whole


def shuffles(groups: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Random permutations (draws, n) of the positions 0 .. n-1 that keep every row in its group (n,)."""
    rng = np.random.default_rng(whole("seed", seed, 0))
    place = np.argsort(groups, kind="stable")
    out = np.empty((whole("draws", draws, 1), len(groups)), dtype=np.int32)
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
    arrays : of a `logit`, `lpm` (absorbed effects taken out) or `conditional_logit`.
    beta : (k,), the estimates. groups : (n,), as 0 .. S-1.
    shuffled : (draws, n), from `shuffles` of the same groups.
    """
    if varying(arrays.X[:, j], groups) == 0:
        return float("nan")
    residuals, column = _left_over(arrays, j, beta)
    rest = lpm.demean(column[:, None], (groups,))[:, 0]
    found = residuals[shuffled] @ rest
    beyond = np.abs(found) >= abs(float(residuals @ rest)) * (1 - TIE)
    return float((1 + beyond.sum()) / (1 + len(shuffled)))


def _left_over(arrays: Design, j: int, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The residuals (n,) of the fit without coefficient j, and column j less what the others tell of it."""
    if arrays.model.estimator == "conditional_logit":
        X, y, (groups,) = arrays.X, arrays.y, arrays.groups
        start = start_at(arrays, j, 0.0, beta)
        at, _, _, information = conditional.maximise(X, y, groups, start, j)
        rest, total = np.arange(len(beta)) != j, information.sum(axis=0)
        told = np.linalg.solve(total[np.ix_(rest, rest)], total[rest, j])
        return y - conditional.fitted_values(X, y, groups, at), X[:, j] - X[:, rest] @ told
    null = restrict(arrays, j, 0.0, beta)
    others, column = np.delete(null.X, j, axis=1), null.X[:, j]
    if others.shape[1]:
        column = column - others @ lpm.least_squares(others, column)
    return null.residuals * null.root, column / null.root

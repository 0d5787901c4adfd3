"""p-values of several tests at once."""

from __future__ import annotations

import numpy as np


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values (m,): the chance of any false rejection is held, whatever the dependence.

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty(len(p))
    out[order] = np.minimum(adjusted, 1.0)
    return out


def benjamini_hochberg(p: np.ndarray, *, dependent: bool = False) -> np.ndarray:
    """Adjusted p-values (m,) that hold the expected share of false rejections.

    Benjamini and Hochberg (Journal of the Royal Statistical Society B 57, 1995); with `dependent` under any
    dependence (Benjamini and Yekutieli, Annals of Statistics 29, 2001).

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    p = np.asarray(p, dtype=float)
    tests = len(p)
    order = np.argsort(p, kind="stable")[::-1]
    scale = tests * (np.sum(1 / np.arange(1, tests + 1)) if dependent else 1.0)
    adjusted = np.minimum.accumulate(p[order] * scale / np.arange(tests, 0, -1))
    out = np.empty(tests)
    out[order] = np.minimum(adjusted, 1.0)
    return out


def romano_wolf(statistics: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Stepdown adjusted p-values (m,) from the largest statistic of each joint draw.

    Romano and Wolf, "Exact and Approximate Stepdown Methods for Multiple Hypothesis Testing" (Journal of
    the American Statistical Association 100, 2005). As for the single test the p-value is the share of
    draws strictly beyond the statistic, ties within 1e-9 apart.

    Parameters
    ----------
    statistics : (m,), whose size counts. drawn : (m, B), each under its own null, the same B draws.
    """
    size, drawn = np.abs(statistics), np.abs(drawn)
    order = np.argsort(-size, kind="stable")
    out, floor = np.empty(len(size)), 0.0
    for step, test in enumerate(order):
        largest = drawn[order[step:]].max(axis=0)
        floor = max(floor, float((largest > size[test] * (1 + 1e-9)).mean()))
        out[test] = floor
    return out

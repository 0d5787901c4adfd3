"""Whether the maximum of a logit's likelihood exists, settled before it is sought.

A covariate, or a combination of covariates, that orders the outcome without overlap sends coefficients
to infinity (Albert and Anderson, Biometrika 71, 1984). As the combination grows, the rows off its
boundary are predicted perfectly and say nothing more, and the other coefficients tend to the maximum
over the rows on the boundary (Correia, Guimaraes and Zylkin, arXiv 1903.01633).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack

from analysis.errors import ModelError


@dataclass(frozen=True, eq=False)
class Single:
    """One covariate that separates: the boundary, what lies off it, and how it is worded.

    `predicted` is (n,) bool; `sign` is +1 when the outcome is 1 above the boundary, or 0 below it;
    `text` says what was seen.
    """

    predicted: np.ndarray
    sign: int
    text: str
    kept_at: float | None


def single(x: np.ndarray, y: np.ndarray, name: str, outcome: str) -> Single | None:
    """Whether one covariate by itself separates the outcome, completely or up to one value.

    Parameters
    ----------
    x, y : (n,), y being 0 and 1 with both present, x not constant.
    name, outcome : for the wording.
    """
    for sign in (1, -1):
        z = sign * x
        low, high = z[y == 0].max(), z[y == 1].min()
        if low > high:
            continue
        above, below = z > low, z < high
        boundary = None if low < high else sign * low
        above, below = (above, below) if low == high else (y == 1, y == 0)
        said = []
        for rows, value in ((above, 1), (below, 0)):
            if rows.any():
                said.append(f"{outcome} is {value} in all {rows.sum()} rows with {_where(x, rows, name)}")
        return Single(above | below, sign, " and ".join(said), boundary)
    return None


def _where(x: np.ndarray, rows: np.ndarray, name: str) -> str:
    """In words, which values of x the rows have."""
    inside, outside = x[rows], x[~rows]
    if inside.min() == inside.max():
        return f"{name} = {inside[0]:g}"
    if not len(outside) or inside.min() > outside.max():
        return f"{name} >= {inside.min():g}"
    return f"{name} <= {inside.max():g}"


def joint(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows that some combination of the columns predicts perfectly, and such a combination.

    One linear programme with as many equality rows as X has columns, `minimise sum(1 - a)` over
    0 <= a <= 1 and b >= 0 such that the signed rows, each weighted by a + b, sum to zero. A row has
    a = 0 if and only if it can be predicted perfectly (Stiemke's lemma), and the multipliers of the
    equalities are a combination that predicts all such rows at once (Konis, thesis, Oxford 2007, gives
    the primal).

    Parameters
    ----------
    X : (n, k), of full column rank, its span holding the constant. y : (n,), 0 and 1.

    Returns
    -------
    predicted : (n,) bool, all False when the maximum exists.
    direction : (k,), zeros when the maximum exists.
    """
    n, k = X.shape
    scale = np.abs(X).max(axis=0)
    signed = csr_array((X / scale * np.where(y == 1, 1.0, -1.0)[:, None]).T)
    answer = linprog(
        np.concatenate([-np.ones(n), np.zeros(n)]),
        A_eq=hstack([signed, signed]),
        b_eq=np.zeros(k),
        bounds=[(0, 1)] * n + [(0, None)] * n,
        method="highs",
    )
    if answer.status != 0:
        raise ModelError(f"The check for separation did not finish: {answer.message}")
    predicted = answer.x[:n] < 0.5
    if not predicted.any():
        return predicted, np.zeros(k)
    direction = -answer.eqlin.marginals
    direction[np.abs(direction) < 1e-7 * np.abs(direction).max()] = 0.0
    return predicted, direction / scale


def smallest(X: np.ndarray, y: np.ndarray, before: int) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """As `joint`, with the combination reduced to columns that are all needed to predict these rows.

    Parameters
    ----------
    before : how many columns come first that are never taken out (the constant, fixed effects).

    Returns
    -------
    predicted, direction : as for `joint`, the direction (k,) zero outside the combination.
    part : positions in X of the columns after the first `before` that form the combination.
    """
    predicted, direction = joint(X, y)
    part = [j for j in range(before, X.shape[1]) if direction[j] != 0]
    for j in list(part):
        fewer = [*range(before), *(i for i in part if i != j)]
        again, reduced = joint(X[:, fewer], y)
        if np.array_equal(again, predicted):
            part.remove(j)
            direction = np.zeros(X.shape[1])
            direction[fewer] = reduced
    return predicted, direction, part


def unidentified(X: np.ndarray) -> np.ndarray:
    """Which coefficients the rows of X (n, k) do not determine: (k,) bool, those with a part in its null
    space; all of them when there is no row."""
    largest = np.abs(X).max(axis=0, initial=0.0)
    triangle = np.linalg.qr(X / np.where(largest > 0, largest, 1.0), mode="r")
    _, singular, rows = np.linalg.svd(triangle, full_matrices=True)
    rank = int((singular > 1e-9 * singular.max(initial=0.0)).sum())
    return np.abs(rows[rank:]).max(axis=0, initial=0.0) > 1e-7


def independent(X: np.ndarray, base: np.ndarray, tolerance: float = 1e-7) -> tuple[np.ndarray, list]:
    """Which columns add something to those before them, by Gram-Schmidt in the given order.

    Parameters
    ----------
    X : (n, k). base : (n, m), columns that come first and whose span holds the constant.
    tolerance : what must remain of a column, as a share of its deviation from the mean (1e-7 is R's
        tolerance for `lm`).

    Returns
    -------
    keep : (k,) bool.
    reasons : for each column None (kept), `"constant"`, or the positions of the columns of X that it
        is a combination of (empty: of the base alone).
    """
    basis, _ = np.linalg.qr(base)
    keep, reasons, kept = np.zeros(X.shape[1], dtype=bool), [], []
    for j, column in enumerate(X.T):
        column = column / (np.abs(column).max(initial=0.0) or 1.0)
        centred = column - column.mean()
        size = np.linalg.norm(centred)
        if np.ptp(column) <= 1e-12 * np.abs(column).max(initial=0.0):
            reasons.append("constant")
            continue
        rest = centred - basis @ (basis.T @ centred)
        rest -= basis @ (basis.T @ rest)
        if np.linalg.norm(rest) <= tolerance * size:
            reasons.append(_partners(centred / size, X[:, kept], base, kept))
            continue
        basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
        keep[j] = True
        kept.append(j)
        reasons.append(None)
    return keep, reasons


def _partners(target: np.ndarray, X: np.ndarray, base: np.ndarray, positions: list[int]) -> list[int]:
    """The positions of the columns with a part in the combination that makes up `target`."""
    if not positions:
        return []
    X = X / np.abs(X).max(axis=0)
    residual = X - base @ np.linalg.lstsq(base, X, rcond=None)[0]
    rest = target - base @ np.linalg.lstsq(base, target, rcond=None)[0]
    sizes = np.linalg.norm(residual, axis=0)
    weights = np.linalg.lstsq(residual / sizes, rest, rcond=None)[0]
    return [position for position, weight in zip(positions, weights, strict=True) if abs(weight) > 1e-6]

"""Do neighbours resemble each other: Moran's I, Geary's C, join counts, and tests of least squares.

Cliff and Ord, "Spatial Processes" (1981); Anselin, Bera, Florax and Yoon, "Simple Diagnostic Tests for
Spatial Dependence" (Regional Science and Urban Economics 26, 1996). `weights` is
sparse (n, n), without a diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from analysis.errors import ModelError

DISPERSION = 1e-12  # values that vary less than this share of their size are constant


@dataclass(frozen=True)
class Moments:
    """A statistic, and its expectation and variance where neighbours do not resemble each other."""

    value: float
    expected: float
    variance: float

    @property
    def z(self) -> float:
        """The standardised statistic."""
        return (self.value - self.expected) / self.variance**0.5


def morans_i(values: np.ndarray, weights: sparse.csr_array) -> float:
    """Moran's I of values (n,): about -1/(n-1) without, towards 1 with resemblance.

    Parameters
    ----------
    values : (n,). weights : (n, n), how much each row is a neighbour of each.

    Raises
    ------
    ModelError : values that are missing or do not vary, no neighbours, unlike sizes.
    """
    away = _deviations(values, weights)
    return float(len(away) / weights.sum() * (away @ (weights @ away)) / (away @ away))


def gearys_c(values: np.ndarray, weights: sparse.csr_array) -> float:
    """Geary's C of values (n,): 1 without resemblance, below 1 with it.

    Parameters
    ----------
    values : (n,). weights : (n, n), how much each row is a neighbour of each.

    Raises
    ------
    ModelError : as for `morans_i`.
    """
    away = _deviations(values, weights)
    links = weights.tocoo()
    differences = links.data @ (away[links.coords[0]] - away[links.coords[1]]) ** 2
    return float((len(away) - 1) * differences / (2 * weights.sum() * (away @ away)))


STATISTICS = {"morans_i": morans_i, "gearys_c": gearys_c}


def moran_moments(values: np.ndarray, weights: sparse.csr_array, law: str = "randomisation") -> Moments:
    """Moran's I of values (n,) with its moments under shuffling (`randomisation`) or the `normal` law.

    Parameters
    ----------
    values : (n,). weights : (n, n). law : `randomisation` or `normal`.

    Raises
    ------
    ModelError : as for `morans_i`; another law; fewer than four values.
    """
    away = _deviations(values, weights)
    n, (s0, s1, s2) = len(away), _sums(weights)
    if law not in ("randomisation", "normal") or n < 4:
        raise ModelError(
            f"law={law!r} with {n} values: 'randomisation' or 'normal', and four values, are needed."
        )
    expected = -1 / (n - 1)
    if law == "normal":
        square = (n**2 * s1 - n * s2 + 3 * s0**2) / (s0**2 * (n**2 - 1))
    else:
        kurtosis = n * (away**4).sum() / (away @ away) ** 2
        square = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
        square -= kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
        square /= (n - 1) * (n - 2) * (n - 3) * s0**2
    return Moments(morans_i(values, weights), expected, float(square - expected**2))


def moran_of_residuals(X: np.ndarray, y: np.ndarray, weights: sparse.csr_array) -> Moments:
    """Moran's I of the residuals of least squares, with the moments that account for the fitted columns.

    Parameters
    ----------
    X : (n, k), the constant included, of full column rank. y : (n,). weights : (n, n).

    Raises
    ------
    ModelError : a fit without residuals, no neighbours, unlike sizes, no more rows than columns.
    """
    residuals, inverse = _least_squares(X, y, weights)
    n, k = X.shape
    V = (weights + weights.T) / 2
    s0, VX = weights.sum(), V @ X
    C = inverse @ (X.T @ VX)
    trace = -np.trace(C)  # of M V, the diagonal of V being empty
    squares = (V.data**2).sum() - 2 * np.trace(inverse @ (VX.T @ VX)) + np.trace(C @ C)
    value = n / s0 * (residuals @ (V @ residuals)) / (residuals @ residuals)
    variance = 2 * ((n - k) * squares - trace**2) / ((n - k) ** 2 * (n - k + 2))
    return Moments(float(value), float(n / s0 * trace / (n - k)), float((n / s0) ** 2 * variance))


def join_count(marked: np.ndarray, links: sparse.csr_array) -> Moments:
    """How many pairs of neighbours are both marked, with the moments of marking as many at random.

    Parameters
    ----------
    marked : (n,), 0 and 1. links : symmetric, zeros and ones.

    Raises
    ------
    ModelError : values that are not 0 and 1 or do not vary, no neighbours, unlike sizes, fewer than four.
    """
    _deviations(marked, links)
    marks = np.asarray(marked, dtype=float)
    if not np.isin(marks, (0.0, 1.0)).all() or len(marks) < 4:
        raise ModelError("A join count needs four values or more, each 0 or 1.")
    n, m, (s0, s1, s2) = len(marks), marks.sum(), _sums(links)
    two, three, four = (_falling(m, order) / _falling(n, order) for order in (2, 3, 4))
    expected = s0 * two / 2
    square = (s1 * two + (s2 - 2 * s1) * three + (s0**2 + s1 - s2) * four) / 4
    return Moments(float(marks @ (links @ marks)) / 2, float(expected), float(square - expected**2))


def lagrange_multipliers(X: np.ndarray, y: np.ndarray, weights: sparse.csr_array) -> dict[str, float]:
    """Tests of least squares against spatial errors and against a spatial lag, each also robust to the other.

    Each is chi-squared with one degree of freedom where there is neither: `lm_error`, `lm_lag`,
    `robust_lm_error`, `robust_lm_lag`. Errors as for `moran_of_residuals`.

    Parameters
    ----------
    X : (n, k), the constant included, of full column rank. y : (n,). weights : (n, n).
    """
    residuals, inverse = _least_squares(X, y, weights)
    n = len(y)
    variance = residuals @ residuals / n
    trace = float((weights.multiply(weights).sum()) + weights.multiply(weights.T).sum())
    lagged = weights @ (y - residuals)
    rest = lagged - X @ (inverse @ (X.T @ lagged))
    information = rest @ rest / variance + trace
    of_error = residuals @ (weights @ residuals) / variance
    of_lag = residuals @ (weights @ y) / variance
    return {
        "lm_error": float(of_error**2 / trace),
        "lm_lag": float(of_lag**2 / information),
        "robust_lm_error": float(
            (of_error - trace / information * of_lag) ** 2 / (trace * (1 - trace / information))
        ),
        "robust_lm_lag": float((of_lag - of_error) ** 2 / (information - trace)),
    }


def permuted(
    values: np.ndarray, weights: sparse.csr_array, shuffled: np.ndarray, statistic: str = "morans_i"
) -> np.ndarray:
    """Moran's I or Geary's C (draws,) of the values (n,) in other orders.

    Parameters
    ----------
    shuffled : (draws, n), from `analysis.models.permutation.shuffles`, freely or within groups.
    statistic : `morans_i` or `gearys_c`.

    Raises
    ------
    ModelError : as for `morans_i`; another statistic.
    """
    if statistic not in STATISTICS:
        raise ModelError(f"statistic={statistic!r}: {' or '.join(STATISTICS)} is needed.")
    away = _deviations(values, weights)
    moved, total, n = away[shuffled].T, weights.sum(), len(away)
    products = (moved * (weights @ moved)).sum(axis=0)
    if statistic == "morans_i":
        return n / total * products / (away @ away)
    return (n - 1) * (_edges(weights) @ moved**2 - 2 * products) / (2 * total * (away @ away))


def share_beyond(found: float, drawn: np.ndarray) -> float:
    """The two-sided p-value of a statistic among draws (m,), itself one of them, by distance from their mean.

    >>> share_beyond(3.0, np.array([-1.0, 0.0, 1.0]))
    0.25
    """
    centre = drawn.mean()
    beyond = np.abs(drawn - centre) >= abs(found - centre) * (1 - 1e-9)
    return float((1 + beyond.sum()) / (1 + len(drawn)))


def _deviations(values: np.ndarray, weights: sparse.csr_array) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or weights.shape != (len(values), len(values)):
        raise ModelError(f"Values of shape {values.shape} and weights of shape {weights.shape} do not fit.")
    if not np.isfinite(values).all():
        raise ModelError(f"{(~np.isfinite(values)).sum()} of {len(values)} values are missing or infinite.")
    if not weights.nnz or not weights.sum() > 0:
        raise ModelError("There are no neighbours. Look at the codes of units and pairs.")
    if weights.diagonal().any():
        raise ModelError("The weights make a unit its own neighbour. Clear their diagonal.")
    away = values - values.mean()
    if np.abs(away).max(initial=0.0) <= DISPERSION * np.abs(values).max(initial=0.0):
        raise ModelError("The values do not vary, so that neighbours cannot be told from others.")
    return away


def _least_squares(X: np.ndarray, y: np.ndarray, weights: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (n,) and the inverse of X'X (k, k)."""
    if X.shape[0] <= X.shape[1]:
        raise ModelError(f"{X.shape[0]} rows are too few for {X.shape[1]} columns.")
    _deviations(y, weights)
    Q, R = np.linalg.qr(X)
    residuals = y - Q @ (Q.T @ y)
    if residuals @ residuals <= 1e-20 * (y @ y):
        raise ModelError("The fit is exact: it leaves no residuals to compare.")
    inverse = np.linalg.inv(R)
    return residuals, inverse @ inverse.T


def _sums(weights: sparse.csr_array) -> tuple[float, float, float]:
    """Cliff and Ord's S0, S1, S2."""
    both = weights + weights.T
    return float(weights.sum()), float((both.data**2).sum() / 2), float((_edges(weights) ** 2).sum())


def _edges(weights: sparse.csr_array) -> np.ndarray:
    """Each row's sum and its column's, together, (n,)."""
    return np.asarray(weights.sum(axis=0)).ravel() + np.asarray(weights.sum(axis=1)).ravel()


def _falling(number: float, order: int) -> float:
    """number (number - 1) ... of that many factors."""
    return float(np.prod([number - step for step in range(order)]))

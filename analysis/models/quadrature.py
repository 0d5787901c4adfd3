"""The likelihood of a logit with normal intercepts of groups, by adaptive Gauss-Hermite quadrature.

Each group's integral is taken over nodes that are moved to the mode of its integrand and scaled by the
curvature there (Pinheiro and Bates, Journal of Computational and Graphical Statistics 4, 1995; Rabe-Hesketh,
Skrondal and Pickles, Stata Journal 2, 2002). One node is Laplace's approximation. The derivatives are those
of the approximation itself, the moving of the nodes included, so that any number of nodes has a maximum
that Newton's method finds to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit, logsumexp

# Expectations over the normal law by the trapezoid rule, whose error falls exponentially for a function
# as smooth as these: below 1e-9 up to a standard deviation of 10.
GRID = np.linspace(-9.0, 9.0, 241)
NORMAL = np.exp(-0.5 * GRID**2) / np.exp(-0.5 * GRID**2).sum()
BLOCK = 4096  # rows whose values on the grid are held at once


@dataclass(frozen=True, eq=False)
class Grouped:
    """Rows in the order of their groups: X (n, k), y (n,), codes (n,) as 0 .. G-1 ascending, and the
    position `starts` (G,) of each group's first row."""

    X: np.ndarray
    y: np.ndarray
    codes: np.ndarray
    starts: np.ndarray

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums within groups of the rows of `values` (n, ...): (G, ...)."""
        return np.add.reduceat(values, self.starts, axis=0)


@dataclass(frozen=True, eq=False)
class Integrated:
    """The log-likelihood at one point of the parameters (the k coefficients, then the standard deviation).

    Parameters
    ----------
    value : the sum over groups. scores : (G, k + 1), each group's first derivatives.
    information : (k + 1, k + 1), by Louis' identity; the nodes being held, it is that of the exact
        likelihood as far as the nodes are enough. None where it was not asked for.
    modes, spreads : (G,), of each group's standardised intercept given its rows.
    """

    value: float
    scores: np.ndarray
    information: np.ndarray | None
    modes: np.ndarray
    spreads: np.ndarray


def grouped(X: np.ndarray, y: np.ndarray, codes: np.ndarray) -> Grouped:
    """The rows sorted by `codes` (n,), which are 0 .. G-1, each present."""
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    return Grouped(X[order], y[order], codes, np.flatnonzero(np.diff(codes, prepend=-1)))


def find_modes(
    rows: Grouped, eta: np.ndarray, deviation: float, start: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mode and curvature (-h'', at least 1) of each group's integrand in its standardised intercept z, (G,).

    h(z) is the group's log-likelihood at `eta + deviation * z` less z^2/2: strictly concave, so that Newton's
    method inside a bracket that only shrinks always arrives.
    """
    reach = np.abs(deviation) * np.diff(rows.starts, append=len(rows.y)) + 1.0  # |z| is at most sd * rows
    low, high = -reach, reach
    z = np.zeros(len(rows.starts)) if start is None else np.clip(start, low, high)
    for _ in range(200):
        p = expit(eta + deviation * z[rows.codes])
        slope = deviation * rows.sums(rows.y - p) - z
        curvature = 1.0 + deviation**2 * rows.sums(p * (1 - p))
        low, high = np.where(slope > 0, z, low), np.where(slope < 0, z, high)
        ahead = z + slope / curvature
        inside = (ahead > low) & (ahead < high)
        ahead = np.where(inside, ahead, np.where(slope == 0, z, (low + high) / 2))
        moved, z = np.abs(ahead - z), ahead
        if (moved <= 1e-10 * (1 + np.abs(z))).all():
            break
    p = expit(eta + deviation * z[rows.codes])
    return z, 1.0 + deviation**2 * rows.sums(p * (1 - p))


def integrate(
    rows: Grouped,
    beta: np.ndarray,
    deviation: float,
    points: int,
    start: np.ndarray | None = None,
    with_information: bool = False,
) -> Integrated:
    """The log-likelihood of all groups and its derivatives, by `points` nodes a group.

    Parameters
    ----------
    beta : (k,). deviation : of the intercepts, in log odds. start : (G,), modes to begin from, or None.
    """
    x, weights = np.polynomial.hermite.hermgauss(points)
    eta, codes = rows.X @ beta, rows.codes
    z, curvature = find_modes(rows, eta, deviation, start)
    tau = curvature**-0.5
    nodes = z[:, None] + np.sqrt(2) * tau[:, None] * x
    linear = eta[:, None] + deviation * nodes[codes]
    sign = np.where(rows.y == 1, 1.0, -1.0)[:, None]
    terms = rows.sums(log_expit(sign * linear)) - nodes**2 / 2 + np.log(weights) + x**2
    totals = logsumexp(terms, axis=1)
    share = np.exp(terms - totals[:, None])
    left = rows.y[:, None] - expit(linear)
    left_sums = rows.sums(left)
    moves = share * (deviation * left_sums - nodes)
    direct = np.column_stack(
        [
            rows.sums(rows.X * (left * share[codes]).sum(axis=1)[:, None]),
            (share * nodes * left_sums).sum(axis=1),
        ]
    )
    mode_slope, log_tau_slope = _of_nodes(rows, eta, deviation, z, curvature)
    scores = (
        direct
        + moves.sum(axis=1)[:, None] * mode_slope
        + (1 + np.sqrt(2) * tau * (moves @ x))[:, None] * log_tau_slope
    )
    information = _louis(rows, left, nodes, share, direct) if with_information else None
    value = float((totals + np.log(tau)).sum() - len(tau) * np.log(np.pi) / 2)
    return Integrated(value, scores, information, z, tau)


def _of_nodes(
    rows: Grouped, eta: np.ndarray, deviation: float, z: np.ndarray, curvature: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives (G, k + 1) of each group's mode and of the logarithm of its scale, by the implicit
    function theorem."""
    p = expit(eta + deviation * z[rows.codes])
    v = p * (1 - p)
    skew = v * (1 - 2 * p)
    v_sums, skew_sums, left = rows.sums(v), rows.sums(skew), rows.sums(rows.y - p)
    slope = np.column_stack(
        [-deviation * rows.sums(v[:, None] * rows.X), left - deviation * z * v_sums],
    )
    mode = slope / curvature[:, None]
    second = np.column_stack(
        [
            -(deviation**2) * rows.sums(skew[:, None] * rows.X),
            -2 * deviation * v_sums - deviation**2 * z * skew_sums,
        ]
    )
    second = second - (deviation**3 * skew_sums)[:, None] * mode
    return mode, second / (2 * curvature[:, None])


def _louis(
    rows: Grouped, left: np.ndarray, nodes: np.ndarray, share: np.ndarray, mean: np.ndarray
) -> np.ndarray:
    """The information (k + 1, k + 1): that of the rows given the intercepts, less what not knowing these
    costs (Louis, Journal of the Royal Statistical Society B 44, 1982)."""
    X, codes = rows.X, rows.codes
    p = rows.y[:, None] - left
    v = p * (1 - p) * share[codes]
    weighted = (v * nodes[codes]).sum(axis=1)
    inside = X.T @ (X * v.sum(axis=1)[:, None])
    cross = X.T @ weighted
    known = np.block(
        [[inside, cross[:, None]], [cross[None, :], np.array([[(v * nodes[codes] ** 2).sum()]])]]
    )
    pushes = [rows.sums(left * column[:, None]) for column in X.T] + [nodes * rows.sums(left)]
    pushes = np.array(pushes)  # (k + 1, G, points)
    spread = np.einsum("agq,bgq->ab", pushes * share, pushes) - mean.T @ mean
    return known - spread


def averaged(eta: np.ndarray, deviation: float | np.ndarray) -> np.ndarray:
    """The mean of expit(eta + u) over normal u of that standard deviation, and its derivatives.

    Parameters
    ----------
    eta : (n,). deviation : a number, or (n,).

    Returns
    -------
    (5, n): the mean probability, its first and second derivative in eta, and the derivatives of the mean and
    of its first derivative in the standard deviation.

    >>> averaged(np.array([0.0, 1.0]), 0.0)[0].round(6).tolist()
    [0.5, 0.731059]
    """
    deviation = np.broadcast_to(np.asarray(deviation, dtype=float), eta.shape)
    out = np.empty((5, len(eta)))
    for first in range(0, len(eta), BLOCK):
        part = slice(first, first + BLOCK)
        p = expit(eta[part, None] + deviation[part, None] * GRID)
        v = p * (1 - p)
        skew = v * (1 - 2 * p)
        out[:, part] = [p @ NORMAL, v @ NORMAL, skew @ NORMAL, v @ (NORMAL * GRID), skew @ (NORMAL * GRID)]
    return out

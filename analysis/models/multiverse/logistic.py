"""The logit on every subset by Newton's method on many specifications at once, with clustered errors.

The products x_i x_j of all rows are formed once; the Hessians of a block of specifications are then one
matrix product of their weights with them. Each specification starts at the minimum, among its own
coefficients, of the quadratic that the full fit gives, which the tree of sweeps holds for all of them.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from analysis.errors import ModelError
from analysis.models import logit, separation
from analysis.models.multiverse import lattice
from analysis.models.multiverse.linear import Found
from analysis.models.multiverse.prepare import Prepared

STEP = 1e-8  # in standard deviations; the next step would be its square
STEPS = 25
AT_ONCE = 64  # specifications of a block: their rows fit into a cache


def estimate(prepared: Prepared, subsets: np.ndarray | None = None) -> Found:
    """The curve of a logit, with the project's clustered convention.

    Parameters
    ----------
    subsets : (m, usable controls) bool; None for all of them in binary-count order.
    """
    Z, scale = standardised(prepared)
    held = lattice.masks(prepared.X.shape[1] - 1) if subsets is None else subsets
    weights = np.ones(len(Z)) if prepared.weights is None else prepared.weights
    first = _reference(Z, prepared.y, weights, prepared.base.shape[1])
    status, starts, exists = _starts(prepared, Z, weights, first, held, subsets)
    before = prepared.base.shape[1]
    inside = np.column_stack([np.ones((len(held), before + 1), bool), held])
    sizes = prepared.counted + 1 + held.sum(axis=1)
    status[sizes >= len(Z)] = "too few rows"
    if not exists:
        _mark_single(prepared, held, status)
    todo = np.flatnonzero(status == "ok")
    newton = Newton(prepared, Z, weights)
    blocks = [todo[begin : begin + AT_ONCE] for begin in range(0, len(todo), AT_ONCE)]
    m = len(held)
    coefficient, variance, density = np.full(m, np.nan), np.full(m, np.nan), np.full(m, np.nan)
    with ThreadPoolExecutor(threads()) as pool:
        for block, found in zip(
            blocks, pool.map(lambda b: newton(inside[b], starts[b]), blocks), strict=True
        ):
            beta, variance[block], density[block] = found
            coefficient[block] = beta[:, before]
    lost = todo[~np.isfinite(variance[todo])]
    _settle(prepared, Z, weights, inside, lost, newton, (coefficient, variance, density), status)
    if prepared.clusters is not None:
        G, n = prepared.clusters, len(Z)
        variance = variance * (G / (G - 1) * (n - 1) / np.maximum(n - sizes, 1))
    elif prepared.weights is not None:
        variance = variance * (len(Z) / np.maximum(len(Z) - sizes, 1))
    bad = status != "ok"
    slope = np.where(bad, np.nan, coefficient / scale)
    error = np.where(bad, np.nan, np.sqrt(variance) / scale)
    return Found(slope, error, slope * density, status)


def threads() -> int:
    """Two Python threads where each has one thread of the linear algebra, else one."""
    return 2 if os.environ.get("OMP_NUM_THREADS") == "1" and (os.cpu_count() or 1) > 1 else 1


def standardised(prepared: Prepared) -> tuple[np.ndarray, float]:
    """Base, focal variable and controls (n, b + 1 + controls), the latter centred, of standard deviation one;
    and the focal variable's standard deviation."""
    X = prepared.X - prepared.X.mean(axis=0)
    deviation = X.std(axis=0)
    return np.column_stack([prepared.base, X / deviation]), float(deviation[0])


def _reference(Z: np.ndarray, y: np.ndarray, weights: np.ndarray, before: int) -> np.ndarray | None:
    """The full fit, (columns,), dependent columns at 0; None where it does not exist."""
    keep, _ = separation.independent(Z[:, before:], Z[:, :before])
    columns = np.r_[np.ones(before, bool), keep]
    if columns.sum() >= len(Z):
        return None
    try:
        beta = np.zeros(Z.shape[1])
        beta[columns] = logit.maximise(Z[:, columns], y, weights, steps=30)
    except ModelError:
        return None
    return beta


def _starts(
    prepared: Prepared,
    Z: np.ndarray,
    weights: np.ndarray,
    first: np.ndarray | None,
    held: np.ndarray,
    subsets: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, bool]:
    """For each specification its status so far and where to start (m, columns); whether the full fit exists.

    Where it does, no subset of it separates the outcome.
    """
    before = prepared.base.shape[1]
    around = np.zeros(Z.shape[1]) if first is None else first
    p = 1 / (1 + np.exp(-Z @ around))
    information = Z.T @ (Z * (weights * p * (1 - p))[:, None])
    wanted = information @ around + Z.T @ (weights * (prepared.y - p))
    base, rest = information[:before, :before], information[:before, before:]
    across = np.linalg.solve(base, np.column_stack([rest, wanted[:before]]))
    inner = information[before:, before:] - rest.T @ across[:, :-1]
    right = wanted[before:] - rest.T @ across[:, -1]
    lengths = np.sqrt(np.diag(inner))
    lengths = np.where(lengths > 0, lengths, 1.0)
    products = np.zeros((len(inner) + 1, len(inner) + 1))
    products[:-1, :-1] = inner / np.outer(lengths, lengths)
    products[-1, :-1] = products[:-1, -1] = right / lengths
    products[-1, -1] = 1.0
    m = len(held)
    starts, least = np.empty((m, Z.shape[1])), np.empty(m)
    blocks = lattice.every(products) if subsets is None else lattice.chosen(products, subsets)
    for block, fits in blocks:
        slopes = fits.coefficients.T / lengths
        starts[block, before:] = slopes
        starts[block, :before] = across[:, -1] - slopes @ across[:, :-1].T
        least[block] = fits.least
    status = np.full(m, "ok", object)
    status[least <= lattice.DEFICIENT] = "rank deficient"
    for i in np.flatnonzero((least < lattice.DOUBTFUL) & (least > lattice.DEFICIENT)):
        columns = Z[:, before:][:, np.r_[True, held[i]]]
        if not separation.independent(columns, Z[:, :before])[0].all():
            status[i] = "rank deficient"
    return status, starts, first is not None


class Newton:
    """Newton's method for blocks of specifications on the same rows.

    Parameters
    ----------
    Z : (n, c), base, focal variable, controls. weights : (n,).
    """

    def __init__(self, prepared: Prepared, Z: np.ndarray, weights: np.ndarray) -> None:
        self.prepared, self.Z, self.weights = prepared, Z, weights
        upper = np.triu_indices(Z.shape[1])
        self.products = Z[:, upper[0]] * Z[:, upper[1]]
        c = Z.shape[1]
        self.place = np.empty((c, c), dtype=int)
        self.place[upper] = self.place[upper[::-1]] = np.arange(len(upper[0]))
        self.focal = prepared.base.shape[1]
        self.begins = None if prepared.codes is None else prepared.starts()

    def __call__(self, inside: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients (m, c), and of the focal one the variance without factors and the mean density, (m,);
        NaN where there was no convergence.

        Parameters
        ----------
        inside : (m, c) bool, which columns each specification holds. starts : (m, c).
        """
        m = len(inside)
        found, out = np.full(inside.shape, np.nan), np.full((2, m), np.nan)
        at, beta, going = np.arange(m), np.where(inside, starts, 0.0), inside
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            for _ in range(STEPS):
                residuals, density = self.rows(beta)
                try:
                    step, toward = self._solve(residuals @ self.Z, density @ self.products, going)
                except np.linalg.LinAlgError:
                    for i in at if m > 1 else ():
                        found[i], out[0, i], out[1, i] = (part[0] for part in self(inside[[i]], starts[[i]]))
                    break
                beta = beta + step
                size = np.abs(step).max(axis=1)
                done = size < STEP
                if done.any():
                    found[at[done]] = beta[done]
                    out[0, at[done]] = self._variance(toward[done], residuals[done])
                    out[1, at[done]] = density[done].sum(axis=1) / self.weights.sum()
                stay = ~done & np.isfinite(size)
                if not stay.any():
                    break
                at, beta, going = at[stay], beta[stay], going[stay]
        return found, out[0], out[1]

    def rows(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals and weights p(1 - p) of every row, each (m, n)."""
        p = beta @ self.Z.T
        np.negative(p, out=p)
        np.exp(p, out=p)
        p += 1.0
        np.reciprocal(p, out=p)
        residuals = self.prepared.y - p
        np.multiply(p, 1.0 - p, out=p)
        if self.prepared.weights is not None:
            residuals *= self.weights
            p *= self.weights
        return residuals, p

    def _solve(
        self, gradient: np.ndarray, hessian: np.ndarray, inside: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The step and the focal row of the inverse Hessian, each (m, c)."""
        square = self.information(hessian, inside)
        right = np.zeros((*gradient.shape, 2))
        right[:, :, 0] = gradient * inside
        right[:, self.focal, 1] = 1.0
        found = np.linalg.solve(square, right)
        return found[:, :, 0], found[:, :, 1]

    def information(self, sums: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """The Hessians (m, c, c) from the sums of products, with ones for columns that are not in."""
        square = sums[:, self.place]
        square *= inside[:, :, None] & inside[:, None, :]
        diagonal = np.arange(square.shape[1])
        square[:, diagonal, diagonal] += ~inside
        return square

    def _variance(self, toward: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """The focal variance, (m,): the sandwich without its factor, or the inverse Hessian's entry."""
        if self.begins is None and self.prepared.weights is None:
            return toward[:, self.focal]
        scores = (toward @ self.Z.T) * residuals
        if self.begins is not None:
            scores = np.add.reduceat(scores, self.begins, axis=1)
        return np.einsum("mg,mg->m", scores, scores)


def _mark_single(prepared: Prepared, held: np.ndarray, status: np.ndarray) -> None:
    """Specifications that hold a variable which by itself separates the outcome."""
    names = [prepared.focal, *(prepared.controls[j] for j in prepared.usable)]
    for j, name in enumerate(names):
        if separation.single(prepared.X[:, j], prepared.y, name, "") is not None:
            has = np.ones(len(held), bool) if j == 0 else held[:, j - 1]
            status[has & (status == "ok")] = f"separated by {name}"


def _settle(
    prepared: Prepared,
    Z: np.ndarray,
    weights: np.ndarray,
    inside: np.ndarray,
    lost: np.ndarray,
    newton: Newton,
    found: tuple[np.ndarray, np.ndarray, np.ndarray],
    status: np.ndarray,
) -> None:
    """What did not converge: separated, which a linear programme decides, or in need of shorter steps.

    What separates a specification separates all that hold its columns, so that few programmes are needed.
    """
    separated: list[np.ndarray] = []
    for i in sorted(lost, key=lambda i: inside[i].sum()):
        columns = inside[i]
        if any((columns & few == few).all() for few in separated):
            status[i] = "separated"
            continue
        if separation.joint(Z[:, columns], prepared.y)[0].any():
            separated.append(columns)
            status[i] = "separated"
            continue
        try:
            beta = np.zeros(Z.shape[1])
            beta[columns] = logit.maximise(Z[:, columns], prepared.y, weights)
        except ModelError:
            status[i] = "not converged"
            continue
        coefficients, variance, density = newton(inside[[i]], beta[None])
        for array, value in zip(found, (coefficients[0, newton.focal], variance[0], density[0]), strict=True):
            array[i] = value
        if not np.isfinite(variance[0]):
            status[i] = "not converged"

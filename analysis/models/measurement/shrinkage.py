"""Regression calibration: every noisy column is replaced by what one should expect the true one to be.

The expectation given the published figure and the exact columns shrinks a county's figure to what the others
would tell of it, the more so the larger its margin (Fay and Herriot, Journal of the American Statistical
Association 74, 1979; Carroll, Ruppert, Stefanski and Crainiceanu, "Measurement Error in Nonlinear Models",
2006, chapter 4). It is exact for least squares and close for a logit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.errors import ModelError
from analysis.models.design import Design
from analysis.models.jackknife import cv3
from analysis.models.measurement.noisy import Noisy
from analysis.models.measurement.simex import Corrected
from analysis.models.scores import coefficients, influence, sandwich
from analysis.models.terms import Term

STEPS = 50
TOLERANCE = 1e-8
LEAST_RELIABILITY = 0.01  # given the exact columns; below it nothing can be told of the true ones


def shrinkage(noisy: Noisy) -> Corrected:
    """Coefficients on the calibrated columns.

    With clusters the covariance is the jackknife's (CV3): calibration and fit are done anew without each
    cluster, so that it counts the calibration's own uncertainty; NaN where some cluster is needed. Without
    clusters it is the fit's own and leaves that out.

    Raises
    ------
    ModelError : errors as large as the spread of a column given the exact ones, a product of more than two
        noisy columns, a fit that does not converge.
    """
    arrays = calibrated(noisy)
    beta = coefficients(arrays)
    if arrays.codes is None:
        return Corrected(beta, *sandwich(arrays, influence(arrays, beta)))
    without = np.array(
        [_without(noisy, arrays.codes != cluster, beta) for cluster in range(int(arrays.clusters))]
    )
    return Corrected(beta, cv3(without, beta), arrays.clusters - 1.0)


def calibrated(noisy: Noisy) -> Design:
    """The arrays on the expected true columns, products included."""
    names = list(noisy.errors)
    published = np.column_stack([noisy.columns[name] for name in names])
    squares = np.column_stack([noisy.errors[name] for name in names]) ** 2
    mean, true = moments(published, squares, _exact(noisy), names)
    total = true + squares[:, :, None] * np.eye(len(names))
    gain = np.linalg.solve(total, np.broadcast_to(true, total.shape)).transpose(0, 2, 1)
    expected = mean + np.einsum("nij,nj->ni", gain, published - mean)
    left = true - gain @ true
    columns = noisy.columns | dict(zip(names, expected.T, strict=True))
    arrays = noisy.on(columns)
    X = arrays.X.copy()
    for term in arrays.terms:
        if term.name in arrays.names:
            X[:, arrays.names.index(term.name)] += _covariance_in(term, columns, names, left)
    return replace(arrays, X=X)


def moments(
    published: np.ndarray, squares: np.ndarray, exact: np.ndarray, names: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The mean (n, q) of the true columns given the exact ones, and their covariance (q, q) around it.

    By moments: the published columns' residual products less the squared standard errors, rows weighted by
    their reliability, which depends on the answer, until it settles.

    Parameters
    ----------
    published, squares : (n, q), figures and squared standard errors. exact : (n, p).
    names : of the q columns.
    """
    n, p = exact.shape
    weights = np.ones(n)
    before = np.full(published.shape[1], np.inf)
    for _ in range(STEPS):
        root = np.sqrt(weights)[:, None]
        mean = exact @ np.linalg.lstsq(exact * root, published * root, rcond=None)[0]
        rest = published - mean
        total = (rest * weights[:, None]).T @ rest * n / (n - p)
        errors = np.diag(weights @ squares)
        true = (total - errors) / weights.sum()
        variances = np.diag(true)
        if (low := variances < LEAST_RELIABILITY * np.diag(total) / weights.sum()).any():
            raise ModelError(
                f"The errors of {', '.join(np.array(names)[low])} are as large as what the column varies "
                "beside the exact ones: nothing can be told of its true values. Leave it out, or keep "
                "larger units."
            )
        weights = (variances / (variances + squares)).min(axis=1) ** 2
        if np.abs(variances / before - 1).max() < TOLERANCE:
            break
        before = variances
    if np.linalg.eigvalsh(true / np.sqrt(np.outer(variances, variances))).min() < LEAST_RELIABILITY:
        raise ModelError(
            f"Without their errors {', '.join(names)} would be the same column. Leave one of them out."
        )
    return mean, true


def _covariance_in(
    term: Term, columns: dict[str, np.ndarray], names: list[str], left: np.ndarray
) -> np.ndarray | float:
    """What a product of two noisy columns is expected to exceed the product of their expectations."""
    noisy = [names.index(part) for part in term.parts if part in names]
    if len(noisy) < 2:
        return 0.0
    if len(noisy) > 2:
        raise ModelError(f"{term.name!r} multiplies {len(noisy)} noisy columns; two are the most.")
    exact = [columns[part] for part in term.parts if part not in names]
    return left[:, noisy[0], noisy[1]] * np.prod(exact, axis=0)


def _exact(noisy: Noisy) -> np.ndarray:
    """The constant, the effects and the columns without error, (n, p), without those that repeat others."""
    arrays = noisy.arrays
    blocks = [np.ones((len(arrays.y), 1))]
    blocks += [np.eye(int(group.max()) + 1)[group][:, 1:] for group in arrays.groups]
    if arrays.effects and not arrays.groups:
        blocks.append(arrays.X[:, -arrays.effects :])
    exact = [column for name, column in noisy.columns.items() if name not in noisy.errors]
    exact = [(column - column.mean()) / (column.std() or 1.0) for column in exact]
    return np.column_stack([*blocks, *exact])


def _without(noisy: Noisy, rows: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The coefficients (k,) on some rows; an effect that has none of them stays as it was."""
    part = noisy.subset(rows)
    kept = [noisy.arrays.names.index(name) for name in part.arrays.names]
    out = beta.copy()
    try:
        out[kept] = coefficients(calibrated(part), beta[kept])
    except (ModelError, np.linalg.LinAlgError):
        return np.full(len(beta), np.nan)
    return out

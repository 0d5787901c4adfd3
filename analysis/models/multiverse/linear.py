"""The linear probability model on every subset, with clustered errors, from cross-products by cluster."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.models import lpm
from analysis.models.cluster import clustered_covariance, inverse_gram
from analysis.models.multiverse import lattice
from analysis.models.multiverse.prepare import Prepared

PERFECT = 1e-20  # residual sum of squares, as a share of the total, below which there is no error to estimate
NEAR_PERFECT = 1e-10  # below this the digits of a sweep run out
DEPENDENT = 1e-7  # what must remain of a column of length one after the others are taken out
AT_ONCE = 64  # specifications taken together where rows are touched


@dataclass(frozen=True, eq=False)
class Found:
    """What an estimator found for m specifications; NaN where the status is not `ok`.

    Parameters
    ----------
    estimate, std_error : (m,), of the focal variable.
    effect : (m,), the estimate as a difference in probability (for a logit the average marginal effect).
    status : (m,), object.
    """

    estimate: np.ndarray
    std_error: np.ndarray
    effect: np.ndarray
    status: np.ndarray


@dataclass(frozen=True, eq=False)
class Sums:
    """Cross-products of columns with effects and means taken out, each scaled to length one.

    Parameters
    ----------
    columns : (n, p + 1), focal, controls, outcome, times the square root of the weights.
    lengths : (p + 1,). total : (p + 1, p + 1). clusters : (G, p + 1, p + 1), or None.
    """

    columns: np.ndarray
    lengths: np.ndarray
    total: np.ndarray
    clusters: np.ndarray | None


def sums(prepared: Prepared) -> Sums:
    """Effects swept out once, and the sums that all specifications are made of."""
    columns = np.column_stack([prepared.X, prepared.y])
    groups = prepared.groups or (np.zeros(len(columns), dtype=int),)
    columns = lpm.demean(columns, groups, prepared.weights)
    if prepared.weights is not None:
        columns *= np.sqrt(prepared.weights)[:, None]
    lengths = np.linalg.norm(columns, axis=0)
    columns = columns / np.where(lengths > 0, lengths, 1.0)
    return Sums(columns, lengths, columns.T @ columns, by_cluster(columns, prepared))


def by_cluster(columns: np.ndarray, prepared: Prepared) -> np.ndarray | None:
    """The cross-products of each cluster's rows, (G, q, q)."""
    if prepared.codes is None:
        return None
    parts = [columns[begin:end] for begin, end in pairwise([*prepared.starts(), len(columns)])]
    return np.stack([part.T @ part for part in parts])


def estimate(prepared: Prepared, subsets: np.ndarray | None = None) -> Found:
    """The curve of a linear probability model.

    Parameters
    ----------
    subsets : (m, usable controls) bool; None for all of them in binary-count order.
    """
    given = sums(prepared)
    held = lattice.masks(given.total.shape[0] - 2) if subsets is None else subsets
    blocks = lattice.every(given.total) if subsets is None else lattice.chosen(given.total, subsets)
    m, n = len(held), len(prepared.y)
    sizes = 1 + prepared.counted + held.sum(axis=1)
    coefficient, squares = np.empty(m), np.empty(m)
    least, unexplained = np.empty(m), np.empty(m)
    stacked = None if given.clusters is None else stack(given.clusters)
    for block, fits in blocks:
        coefficient[block] = fits.coefficients[0]
        least[block], unexplained[block] = fits.least, fits.unexplained
        squares[block] = focal_squares(fits, given, stacked)
    status = np.full(m, "ok", object)
    deficient = least <= lattice.DEFICIENT
    for i in np.flatnonzero(((least < lattice.DOUBTFUL) | (unexplained < NEAR_PERFECT)) & ~deficient):
        coefficient[i], squares[i], status[i] = _alone(prepared, given, held[i])
    status[deficient] = "rank deficient"
    status[sizes >= n] = "too few rows"
    clusters = prepared.clusters or n
    factor = clusters / (clusters - 1) * (n - 1) / np.maximum(n - sizes, 1)
    scale = given.lengths[-1] / given.lengths[0]
    lacking = status != "ok"
    found = np.where(lacking, np.nan, coefficient * scale)
    error = np.where(lacking, np.nan, np.sqrt(factor * squares) * scale)
    return Found(found, error, found, status)


def stack(clusters: np.ndarray) -> np.ndarray:
    """The upper triangles of the clusters' cross-products without the last square, (G, pairs)."""
    p = clusters.shape[1] - 1
    return np.concatenate([clusters[:, i, i:] for i in range(p)], axis=1)


def scores(stacked: np.ndarray, toward: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Each cluster's score of the focal coefficient, (G, m), as one product.

    It is the sum over the cluster's rows of (x' toward) times the residual (y - x' b), hence bilinear in
    `toward` and in (-b, 1), with the cluster's cross-products as the form.

    Parameters
    ----------
    stacked : (G, pairs), from `stack`. toward : (p, m). rest : (p, m), the coefficients b of the residual.
    """
    p, m = toward.shape
    pairs, rest = np.empty((stacked.shape[1], m)), -rest
    at = 0
    for i in range(p):
        width = p - i
        np.multiply(toward[i], rest[i:], out=pairs[at : at + width])
        pairs[at + 1 : at + width] += rest[i] * toward[i + 1 :]
        pairs[at + width] = toward[i]
        at += width + 1
    return stacked @ pairs


def focal_squares(fits: lattice.Swept, given: Sums, stacked: np.ndarray | None) -> np.ndarray:
    """The sum of squared scores of the focal coefficient, (m,): of clusters, or of rows."""
    if stacked is not None:
        found = scores(stacked, fits.toward, fits.coefficients)
        return np.einsum("gm,gm->m", found, found)
    out = np.empty(fits.toward.shape[1])
    for begin in range(0, len(out), AT_ONCE):
        some = slice(begin, begin + AT_ONCE)
        residuals = given.columns[:, [-1]] - given.columns[:, :-1] @ fits.coefficients[:, some]
        residuals *= given.columns[:, :-1] @ fits.toward[:, some]
        out[some] = np.einsum("nm,nm->m", residuals, residuals)
    return out


def _alone(prepared: Prepared, given: Sums, held: np.ndarray) -> tuple[float, float, str]:
    """One specification by QR: what a sweep would lose digits on."""
    X, y = given.columns[:, np.r_[True, held, False]], given.columns[:, -1]
    if np.abs(np.diag(np.linalg.qr(X, mode="r"))).min() <= DEPENDENT:
        return np.nan, np.nan, "rank deficient"
    beta = lpm.least_squares(X, y)
    residuals = y - X @ beta
    if residuals @ residuals <= PERFECT:
        return np.nan, np.nan, "perfect fit"
    codes = np.arange(len(y)) if prepared.codes is None else prepared.codes
    covariance = clustered_covariance(inverse_gram(X, np.ones(len(y))), X * residuals[:, None], codes)
    return float(beta[0]), float(covariance[0, 0]), "ok"

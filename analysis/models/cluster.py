"""Sandwich covariances from scores, and the one clustered convention of the project.

The convention: the sum over clusters of outer products of summed scores, times G/(G-1) times
(n-1)/(n-k), where effects nested in the clusters count in k as the one constant that they replace;
t with G-1 degrees of freedom. See Cameron and Miller, "A Practitioner's Guide to
Cluster-Robust Inference" (Journal of Human Resources 50, 2015); for absorbed effects it gives the
numbers of R's fixest at its defaults.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular

from analysis.errors import ModelError


def inverse_gram(X: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The inverse of X' diag(weights) X, (k, k), without forming it.

    Raises
    ------
    ModelError : it cannot be inverted.
    """
    triangle = np.linalg.qr(X * np.sqrt(weights)[:, None], mode="r")
    if not np.abs(np.diag(triangle)).min(initial=np.inf) > 0:
        raise ModelError("The information matrix cannot be inverted: the fitted values reach 0 or 1.")
    inverse = solve_triangular(triangle, np.eye(len(triangle)))
    return inverse @ inverse.T


def sum_by_cluster(scores: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Sums of the rows of `scores` (n, k) within each cluster: (G, k), `codes` being 0 .. G-1."""
    columns = [np.bincount(codes, weights=column) for column in scores.T]  # ten times as fast as np.add.at
    return np.column_stack(columns)


def correction(n: int, k: int, clusters: int) -> float:
    """The finite-sample factor of the convention, G/(G-1) times (n-1)/(n-k).

    >>> round(correction(101, 1, 11), 3)
    1.1
    """
    return clusters / (clusters - 1) * (n - 1) / (n - k)


def clustered_covariance(
    bread: np.ndarray, scores: np.ndarray, codes: np.ndarray, factor: float = 1.0
) -> np.ndarray:
    """The clustered sandwich `factor * bread @ sum_g(s_g s_g') @ bread`, (k, k).

    Parameters
    ----------
    bread : (k, k), the inverse of the information or of X'X.
    scores : (n, k), each row's contribution to the first derivative.
    codes : (n,), the cluster of each row as 0 .. G-1.
    factor : 1 is CR0; `correction(n, k, G)` is the project's convention (CR1).
    """
    sums = sum_by_cluster(scores, codes) @ bread
    return factor * (sums.T @ sums)


def two_way_covariance(
    bread: np.ndarray, scores: np.ndarray, first: np.ndarray, second: np.ndarray, k: int
) -> np.ndarray:
    """The sandwich clustered in two ways, (k, k): by the first, plus by the second, minus by both.

    Each of the three carries its own factor of the convention (Cameron, Gelbach and Miller, "Robust
    Inference with Multiway Clustering", Journal of Business and Economic Statistics 29, 2011). The
    difference need not be positive definite.

    Parameters
    ----------
    bread, scores : as for `clustered_covariance`. first, second : (n,), as 0 .. G-1.
    """
    both = np.unique(np.column_stack([first, second]), axis=0, return_inverse=True)[1].ravel()
    parts = [
        clustered_covariance(bread, scores, codes, correction(len(scores), k, int(codes.max()) + 1))
        for codes in (first, second, both)
    ]
    return parts[0] + parts[1] - parts[2]


def cluster_leverage(X: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Each cluster's leverage, (G,): the sum of its rows' diagonal of the hat matrix; in all, k.

    Parameters
    ----------
    X : (n, k), already multiplied by the square root of the working weights, if there are any.
    """
    Q = np.linalg.qr(X / np.linalg.norm(X, axis=0))[0]
    return np.bincount(codes, weights=(Q**2).sum(axis=1))


def robust_covariance(bread: np.ndarray, scores: np.ndarray, k: int) -> np.ndarray:
    """White's sandwich with the factor n/(n-k) (HC1), (k, k): what is used without clusters where the
    model does not itself give a covariance (least squares, weights)."""
    n = len(scores)
    spread = scores @ bread
    return n / (n - k) * (spread.T @ spread)


def kish(sizes: np.ndarray) -> float:
    """Kish's effective number, (sum w)^2 / sum w^2: of clusters, when `sizes` are their sizes.

    >>> float(kish(np.array([5, 5, 5, 5])))
    4.0
    """
    sizes = np.asarray(sizes, dtype=float)
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def effective_clusters(X: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The effective number of clusters for each coefficient, (k,).

    G* of Carter, Schnepel and Steigerwald, "Asymptotic Behavior of a t-Test Robust to Cluster
    Heterogeneity" (Review of Economics and Statistics 99, 2017), at an intra-cluster correlation of 0:
    G / (1 + squared coefficient of variation of gamma_g), where gamma_g is the cluster's share of the
    sum of squares of the regressor after the others are taken out. That is Kish's effective number of
    the clusters' partial leverages. A coefficient that rests on one cluster has G* = 1.

    Parameters
    ----------
    X : (n, k), already multiplied by the square root of the working weights, if there are any.
    codes : (n,), the cluster of each row as 0 .. G-1.
    """
    Q, R = np.linalg.qr(X / np.linalg.norm(X, axis=0))
    partial = solve_triangular(R, Q.T).T  # X (X'X)^-1, up to the scale of each column
    shares = sum_by_cluster(partial**2, codes)
    return shares.sum(axis=0) ** 2 / (shares**2).sum(axis=0)


def rests_on(values: np.ndarray, codes: np.ndarray, groups: np.ndarray | None = None) -> int | None:
    """The one cluster without which a column (n,) would be constant, or None where there is no such one.

    Parameters
    ----------
    codes : (n,), the clusters as 0 .. G-1. groups : (n,), or None: effects within which it must vary.

    >>> rests_on(np.array([0, 0, 1, 0]), np.array([0, 1, 2, 2]))
    2
    """
    groups = np.zeros(len(values), dtype=int) if groups is None else groups

    def varying(rows: np.ndarray) -> np.ndarray:
        low, high = np.full(groups.max() + 1, np.inf), np.full(groups.max() + 1, -np.inf)
        np.minimum.at(low, groups[rows], values[rows])
        np.maximum.at(high, groups[rows], values[rows])
        return np.flatnonzero(high > low)

    found = varying(np.ones(len(values), dtype=bool))
    inside = np.flatnonzero(groups == found[0]) if len(found) else found
    ends = inside[[values[inside].argmin(), values[inside].argmax()]] if len(found) else inside
    for cluster in np.unique(codes[ends]):  # if there is one, it holds an end of any group that varies
        if not len(varying(codes != cluster)):
            return int(cluster)
    return None


def is_nested(groups: np.ndarray, codes: np.ndarray) -> bool:
    """Whether every group lies in one cluster; both (n,), as 0 .. G-1."""
    return len(np.unique(groups.astype(np.int64) * (int(codes.max()) + 1) + codes)) == len(np.unique(groups))

"""Fits without one cluster at a time: the cluster jackknife CV3 and the range of each coefficient.

MacKinnon, Nielsen and Webb, "Leverage, Influence, and the Jackknife in Clustered Regression Models" (Stata
Journal 23, 2023), for least squares; "Cluster-Robust Jackknife and Bootstrap Inference for Logistic
Regression Models" (2024) for logits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models import firth, logit, lpm
from analysis.models.design import Design, design
from analysis.models.results import Fit

JACKKNIFED = ("logit", "lpm")


@dataclass(frozen=True, eq=False)
class Jackknife:
    """What leaving out one cluster at a time gives for the k coefficients of a fit.

    Parameters
    ----------
    names : the coefficients. labels : of the G clusters, in the order of the design's codes.
    estimates : (G, k), each row without that cluster; NaN where it is not determined without it.
    covariance : (k, k), CV3: (G-1)/G times the sum of outer products of the deviations from the estimate
        on all clusters; NaN where an estimate is.
    """

    names: tuple[str, ...]
    labels: tuple
    estimates: np.ndarray
    covariance: np.ndarray


def jackknife(fit: Fit, data: pd.DataFrame) -> Jackknife:
    """Refits a clustered `logit` or `lpm` without each cluster in turn, in full.

    A coefficient that rests on one cluster, or whose maximum does not exist without one, has no CV3.

    Raises
    ------
    ModelError : a fit without clusters, or by another estimator.
    """
    model = fit.model
    if fit.clusters is None or model.estimator not in JACKKNIFED:
        raise ModelError(
            f"Model {model.name!r}: the cluster jackknife needs a clustered {' or '.join(JACKKNIFED)}, not "
            f"{model.estimator} with cluster={model.cluster!r}."
        )
    arrays = design(model, data)
    labels = pd.unique(data.loc[arrays.used, model.cluster])
    estimates = without_each(arrays, arrays.codes, fit.coefficients)
    return Jackknife(fit.terms, tuple(labels), estimates, cv3(estimates, fit.coefficients))


def without_each(arrays: Design, codes: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The coefficients (G, k) without each cluster in turn; rows of NaN where they do not exist.

    Effects of groups that leave with a cluster are NaN.

    Parameters
    ----------
    arrays : of a `logit`, `lpm` or `firth`. codes : (n,), the clusters to leave out, as 0 .. G-1.
    beta : (k,), where the likelihoods start.
    """
    clusters = int(codes.max()) + 1
    estimates = np.full((clusters, len(beta)), np.nan)
    for cluster in range(clusters):
        rows = codes != cluster
        X, y = arrays.X[rows], arrays.y[rows]
        weights = None if arrays.weights is None else arrays.weights[rows]
        here = np.abs(X).max(axis=0) > 0
        here[: len(beta) - arrays.effects] = True  # only effects may leave with their rows
        if arrays.model.estimator == "lpm":
            inner = np.column_stack([y, X])
            if arrays.groups:
                groups = tuple(np.unique(group[rows], return_inverse=True)[1] for group in arrays.groups)
                inner = lpm.demean(inner, groups, weights)
            y, X = inner[:, 0], inner[:, 1:]
        if not _full_rank(X[:, here]):
            continue
        if arrays.model.estimator == "lpm":
            estimates[cluster] = lpm.least_squares(X, y, weights)
            continue
        try:
            if arrays.model.estimator == "firth":
                estimates[cluster, here] = firth.maximise(X[:, here], y, start=beta[here])[0]
            else:
                estimates[cluster, here] = logit.maximise(X[:, here], y, weights, start=beta[here])
        except ModelError:  # without this cluster the maximum does not exist
            continue
    return estimates


def _full_rank(X: np.ndarray) -> bool:
    """Whether no column of X (n, k) is a combination of those before it."""
    lengths = np.linalg.norm(X, axis=0)
    if not (lengths > 0).all():
        return False
    return bool(np.abs(np.diag(np.linalg.qr(X / lengths, mode="r"))).min() > 1e-9)


def cv3(estimates: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The jackknife covariance (k, k) from the estimates (G, k) without each cluster, around beta (k,)."""
    clusters = len(estimates)
    away = estimates - beta
    return (clusters - 1) / clusters * (away.T @ away)

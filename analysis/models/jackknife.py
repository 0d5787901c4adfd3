"""Fits without one cluster at a time: the cluster jackknife CV3 and the range of each coefficient.

MacKinnon, Nielsen and Webb, "Leverage, Influence, and the Jackknife in Clustered Regression Models" (Stata
Journal 23, 2023), for least squares; "Cluster-Robust Jackknife and Bootstrap Inference for Logistic
Regression Models" (2024) for logits. For the conditional logit a cluster leaves with its strata.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular
from scipy.special import expit

from analysis.errors import ModelError
from analysis.models import conditional, firth, logit, lpm, separation
from analysis.models.design import Design, fitted_design
from analysis.models.results import Fit
from analysis.models.spec import ABSORBING, MAXIMUM_LIKELIHOOD

JACKKNIFED = ("logit", "lpm", "conditional_logit")
BLOCK = 64  # clusters that are left out at the same time, each with an array of all rows


@dataclass(frozen=True, eq=False)
class Jackknife:
    """What leaving out one cluster at a time gives for the k coefficients of a fit.

    Parameters
    ----------
    names : the coefficients. labels : of the G clusters, in the order of the design's codes.
    estimates : (G, k), each row without that cluster; NaN where it is not determined without it.
    covariance : (k, k), CV3: (G-1)/G times the sum of outer products of the deviations from the estimate
        on all clusters; NaN in the row and column of a coefficient that some cluster alone determines.

    Examples
    --------
    >>> Jackknife(("x",), ("A", "B"), np.zeros((2, 1)), np.zeros((1, 1))).labels
    ('A', 'B')
    """

    names: tuple[str, ...]
    labels: tuple
    estimates: np.ndarray
    covariance: np.ndarray


def jackknife(fit: Fit, data: pd.DataFrame) -> Jackknife:
    """Refits a clustered `logit`, `lpm` or `conditional_logit` without each cluster in turn, in full.

    A coefficient that rests on one cluster, or that separates without one, has no CV3; the others have
    theirs, what separates leaving with the rows that it predicts, as in `fit`.

    Parameters
    ----------
    fit : from `fit`. data : the frame that was fitted.

    Raises
    ------
    ModelError : a fit without clusters, or by another estimator; other data than were fitted.

    Examples
    --------
    >>> from analysis.models import Model, fit
    >>> frame = pd.DataFrame({"x": [1, 2, 3, 4, 5, 6, 7, 8], "state": list("AABBCCDD")})
    >>> frame["y"] = [0, 0, 1, 0, 1, 1, 0, 1]
    >>> found = fit(Model("small", "y", ["x"], estimator="lpm", cluster="state"), frame)
    >>> left_out = jackknife(found, frame)
    >>> left_out.labels, left_out.estimates[:, 1].round(3).tolist()
    (('A', 'B', 'C', 'D'), [0.0, 0.116, 0.069, 0.2])
    """
    arrays, model = fitted_design(fit, data), fit.model
    if fit.clusters is None or model.estimator not in JACKKNIFED:
        raise ModelError(
            f"Model {model.name!r}: the cluster jackknife needs a clustered {', '.join(JACKKNIFED[:-1])} or "
            f"{JACKKNIFED[-1]}, not {model.estimator} with cluster={model.cluster!r}."
        )
    estimates = without_each(arrays, arrays.clustering[0], fit.coefficients)
    return Jackknife(fit.terms, arrays.labels, estimates, cv3(estimates, fit.coefficients))


def without_each(arrays: Design, codes: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The coefficients (G, k) without each cluster in turn, NaN where the other rows do not determine one.

    Parameters
    ----------
    codes : (n,), the clusters to leave out, as 0 .. G-1. beta : (k,), where the likelihoods start.
    """
    clusters = np.arange(int(codes.max()) + 1)
    blocks = np.array_split(clusters, -(-len(clusters) // BLOCK))
    estimates = np.vstack([_at_once(arrays, codes, beta, block) for block in blocks])
    for cluster in np.flatnonzero(np.isnan(estimates).any(axis=1)):
        estimates[cluster] = _on(arrays, codes != cluster, beta)
    return estimates


def _at_once(arrays: Design, codes: np.ndarray, beta: np.ndarray, block: np.ndarray) -> np.ndarray:
    """The coefficients without each cluster of a block, by Newton's method for all of them together.

    Of a `logit` or `lpm` without fixed effects; rows of NaN for other models and where it does not settle.
    """
    k, estimator = len(beta), arrays.model.estimator
    estimates = np.full((len(block), k), np.nan)
    if arrays.groups or estimator not in ("logit", "lpm"):
        return estimates
    (Z, R), y = logit.orthogonal(arrays.X), arrays.y
    weights = np.ones(len(y)) if arrays.weights is None else arrays.weights
    kept = weights * (codes != block[:, None])  # a row for each cluster left out
    products = (Z[:, :, None] * Z[:, None, :]).reshape(len(y), k * k)
    gamma, left = np.tile(R @ beta, (len(block), 1)), np.arange(len(block))
    for _ in range(25):
        eta = gamma[left] @ Z.T
        mean, slope = (eta, 1.0) if estimator == "lpm" else (expit(eta), expit(eta) * expit(-eta))
        information = ((kept[left] * slope) @ products).reshape(-1, k, k)
        sound = np.isfinite(information).all(axis=(1, 2))
        sound[sound] = np.linalg.cond(information[sound]) < 1e10
        left, score = left[sound], (kept[left] * (y - mean))[sound] @ Z
        step = np.linalg.solve(information[sound], score[:, :, None])[:, :, 0]
        gamma[left] += step
        settled = np.abs(step).max(axis=1, initial=0.0) < 1e-9
        estimates[left[settled]] = solve_triangular(R, gamma[left[settled]].T).T
        left = left[~settled]
        if not len(left):
            break
    return estimates


def _on(arrays: Design, rows: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The coefficients (k,) on some of the rows; where no maximum exists, without what separates."""
    out, estimator = np.full(len(beta), np.nan), arrays.model.estimator
    columns = np.arange(len(beta))
    while True:
        X, y = arrays.X[np.ix_(rows, columns)], arrays.y[rows]
        if not len(y) or (estimator in MAXIMUM_LIKELIHOOD and np.ptp(y) == 0):
            return out
        weights = None if arrays.weights is None else arrays.weights[rows]
        groups = tuple(np.unique(group[rows], return_inverse=True)[1] for group in arrays.groups)
        if groups and estimator in ABSORBING:
            inner = lpm.demean(np.column_stack([y, X]), groups, weights)
            inner_y, inner_X = inner[:, 0], inner[:, 1:]
        else:
            inner_y, inner_X = y, X
        here = _independent(inner_X)
        X, start = X[:, here], beta[columns[here]]
        try:
            if estimator == "lpm":
                found = lpm.least_squares(inner_X[:, here], inner_y, weights)
            elif estimator == "firth":
                found = firth.maximise(X, y, start)[0]
            elif estimator == "logit":
                found = logit.maximise(X, y, weights, start)
            else:
                found = conditional.maximise(X, y, groups[0], start)[0]
        except ModelError:
            separated = _separated(arrays, rows, columns) if estimator in MAXIMUM_LIKELIHOOD else None
            if separated is None:
                return out
            rows, columns = separated
            continue
        out[columns[here]] = found
        if not here.all():
            out[columns[separation.unidentified(inner_X)]] = np.nan
        return out


def _separated(arrays: Design, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows and columns without the covariates that separate and what they predict; None if none does."""
    first = np.array(
        [j for j, name in enumerate(arrays.names) if name == "Intercept" or j >= _covariates(arrays)], int
    )
    base = arrays.X[np.ix_(rows, first)]
    if arrays.model.estimator == "conditional_logit":
        base = (arrays.groups[0][rows][:, None] == np.unique(arrays.groups[0][rows])).astype(float)
    base = base[:, _independent(base)]
    rest = np.setdiff1d(columns, first)
    X = np.column_stack([base, arrays.X[np.ix_(rows, rest)]])
    predicted, _, part = separation.smallest(X, arrays.y[rows], base.shape[1])
    if not predicted.any():
        return None
    kept = rows.copy()
    kept[np.flatnonzero(rows)[predicted]] = False
    return kept, np.setdiff1d(columns, rest[np.array(part, dtype=int) - base.shape[1]])


def _covariates(arrays: Design) -> int:
    """How many of the first columns are not fixed effects."""
    return len(arrays.names) - arrays.effects


def _independent(X: np.ndarray) -> np.ndarray:
    """Which columns (k,) of X (n, k) are no combination of those before them."""
    lengths = np.linalg.norm(X, axis=0)
    triangle = np.linalg.qr(X / np.where(lengths > 0, lengths, 1.0), mode="r")
    diagonal = np.zeros(X.shape[1])
    diagonal[: min(X.shape)] = np.abs(np.diag(triangle))
    return diagonal > 1e-9


def cv3(estimates: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The jackknife covariance (k, k) from the estimates (G, k) without each cluster, around beta (k,)."""
    clusters = len(estimates)
    away = estimates - beta
    return (clusters - 1) / clusters * (away.T @ away)

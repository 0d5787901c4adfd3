"""The wild cluster bootstrap with the null imposed: WCR-11 for least squares, linearised for logits.

Roodman, MacKinnon, Nielsen and Webb, "Fast and Wild" (Stata Journal 19, 2019), for least squares and for
limits by inverting the test; MacKinnon, Nielsen and Webb, "Cluster-Robust Jackknife and Bootstrap Inference
for Logistic Regression Models" (2024), for logits: the scores at the restricted estimates get the clusters'
signs, in the regression that linearises the logit there, and the statistics are held against that of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from analysis.errors import ModelError, nearest
from analysis.models import logit, lpm
from analysis.models.cluster import correction, sum_by_cluster
from analysis.models.design import Design, design
from analysis.models.results import Fit

BOOTSTRAPPED = ("logit", "lpm")
TIE = 1e-9  # statistics this close, as a share, are equal
FAR = 100.0  # standard errors beyond which a limit counts as unbounded
NEAR = 1e-3  # standard errors to which a limit is found


@dataclass(frozen=True, eq=False)
class Restricted:
    """The restricted fit of one null, as a linear regression.

    Parameters
    ----------
    root : (n,), the square root of the working weights.
    X : (n, k), times the root. residuals : (n,), on the same scale.
    """

    root: np.ndarray
    X: np.ndarray
    residuals: np.ndarray


def wild_cluster_bootstrap(
    fit: Fit, data: pd.DataFrame, term: str, draws: int = 9999, seed: int = 0
) -> tuple[float, float, float]:
    """The p-value that a coefficient is zero, and its 95 % limits, by the wild cluster bootstrap.

    Each draw gives every cluster a sign (Rademacher); where all 2^G sign vectors are at most `draws`,
    each is taken once. The p-value is the share of draws whose statistic is strictly larger in size. The
    limits hold the values that the same draws do not reject at 5 %; an infinite one has no end.

    Parameters
    ----------
    fit : a `logit` or `lpm` with `cluster`. data : the frame that was fitted.
    term : a term of the fit. draws : at least 99. seed : of the signs.

    Returns
    -------
    (p_value, conf_low, conf_high)

    Raises
    ------
    ModelError : a fit without clusters, another estimator, a term that it lacks (with the nearest) or that
        has no numbers, too few draws.
    """
    model = fit.model
    if fit.clusters is None:
        raise ModelError(f"Model {model.name!r} has no cluster, without which there is nothing to draw.")
    if model.estimator not in BOOTSTRAPPED:
        raise ModelError(
            f"Model {model.name!r}: no wild cluster bootstrap for {model.estimator}; "
            f"there is one for {' and '.join(BOOTSTRAPPED)}."
        )
    if term in fit.omitted:
        raise ModelError(f"Model {model.name!r}: {term!r} has no coefficient: {fit.notes[term]}")
    if term not in fit.terms:
        raise ModelError(f"Model {model.name!r} has no term {term!r}.{nearest(term, fit.terms)}")
    arrays = design(model, data)
    if not np.array_equal(arrays.y, fit.outcome):
        raise ModelError(f"Model {model.name!r}: these are not the data that were fitted.")
    arrays = without_effects(arrays)
    j = fit.terms.index(term)
    signs = sign_vectors(fit.clusters, draws, seed)
    estimate, error = float(fit.coefficients[j]), float(np.sqrt(fit.covariance[j, j]))
    null = drawn(arrays, j, 0.0, fit.coefficients, signs)
    return share_beyond(estimate / error, null), *limits(arrays, j, fit.coefficients, error, signs, null)


def sign_vectors(clusters: int, draws: int, seed: int) -> np.ndarray:
    """Signs (G, B): all 2^G vectors when these are at most `draws`, else that many random ones.

    Raises
    ------
    ModelError : fewer than 99 draws, and not all vectors.

    >>> sign_vectors(2, 99, 0).tolist()
    [[1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]]
    """
    if 2**clusters <= draws:
        every = (np.arange(2**clusters) >> np.arange(clusters)[:, None]) & 1
        return 1.0 - 2.0 * every
    if draws < 99:
        raise ModelError(f"draws={draws}: a p-value at 5 % needs at least 99.")
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(clusters, draws))


def without_effects(arrays: Design) -> Design:
    """The design with absorbed effects taken out of outcome and columns; its counts stay."""
    if not arrays.groups or arrays.effects:
        return arrays
    inner = lpm.demean(np.column_stack([arrays.y, arrays.X]), arrays.groups, arrays.weights)
    return replace(arrays, y=inner[:, 0], X=inner[:, 1:], groups=())


def restrict(arrays: Design, j: int, at: float, beta: np.ndarray) -> Restricted:
    """The fit with coefficient j held at a value. For a logit: the regression that linearises it there.

    arrays : their effects taken out, if there are any to absorb (`without_effects`).
    beta : (k,), the unrestricted estimates, from where a logit starts.

    Raises
    ------
    ModelError : the restricted logit does not converge.
    """
    X, y = arrays.X, arrays.y
    others = np.delete(X, j, axis=1)
    weights = np.ones(len(y)) if arrays.weights is None else arrays.weights
    if arrays.model.estimator == "lpm":
        root = np.sqrt(weights)
        rest = y - at * X[:, j]
        if others.shape[1]:
            rest = rest - others @ lpm.least_squares(others, rest, weights)
        return Restricted(root, X * root[:, None], rest * root)
    eta = at * X[:, j]
    if others.shape[1]:
        carried = lpm.least_squares(others, X[:, j])  # what the others take over as j moves
        start = np.delete(beta, j) + (beta[j] - at) * carried
        eta = eta + others @ logit.maximise(others, y, weights, start, offset=at * X[:, j])
    p, q = expit(eta), expit(-eta)
    root = np.sqrt(np.maximum(weights * p * q, 1e-300))
    return Restricted(root, X * root[:, None], weights * (y - p) / root)


def drawn(arrays: Design, j: int, at: float, beta: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """The statistics (B,) of coefficient j under the null that it is `at`, one a column of signs (G, B)."""
    null = restrict(arrays, j, at, beta)
    factor = correction(len(arrays.y), arrays.parameters, arrays.clusters)
    return statistics(null, arrays.codes, j, signs, factor)


def statistics(null: Restricted, codes: np.ndarray, j: int, signs: np.ndarray, factor: float) -> np.ndarray:
    """t of the bootstrap (B,): the residuals of the null times their cluster's sign, regressed anew.

    With a = column j of X (X'X)^-1, cluster g adds c_g = a_g' u_g to the coefficient, and the clusters'
    scores of the bootstrap residuals are c_g v_g less what the new coefficients take away: everything is
    sums by cluster, and no draw is fitted.
    """
    X, u = null.X, null.residuals
    scale = np.linalg.norm(X, axis=0)
    X = X / scale
    inverse = np.linalg.inv(X.T @ X)
    toward = X @ inverse[:, j]
    pushes = sum_by_cluster(X * u[:, None], codes)  # (G, k)
    own = np.bincount(codes, weights=toward * u)  # (G,)
    taken = sum_by_cluster(X * toward[:, None], codes) @ inverse  # (G, k)
    pushed = pushes.T @ signs  # (k, B), and with it the sum over clusters of (c_g v_g - taken_g pushed)^2:
    crossed = (taken * own[:, None]).T @ signs
    squares = own @ own + (pushed * ((taken.T @ taken) @ pushed - 2 * crossed)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (own @ signs) / np.sqrt(factor * np.maximum(squares, 0.0))
    return np.nan_to_num(found, nan=0.0)


def share_beyond(statistic: float, drawn: np.ndarray) -> float:
    """The share of draws strictly larger in size than the statistic, ties apart.

    >>> share_beyond(-2.0, np.array([-2.0, 2.0, 3.0, 1.0]))
    0.25
    """
    return float((np.abs(drawn) > abs(statistic) * (1 + TIE)).mean())


def limits(
    arrays: Design, j: int, beta: np.ndarray, error: float, signs: np.ndarray, null: np.ndarray
) -> tuple[float, float]:
    """The two values of coefficient j at which the test's p-value crosses 5 %, to a thousandth of `error`.

    An end is infinite when values 100 standard errors out are not rejected, and NaN when the restricted
    logit has no digits left before an end is found.

    Parameters
    ----------
    beta : (k,), the unrestricted estimates. error : the clustered standard error of coefficient j.
    null : (B,), the statistics drawn under zero, whose reach says where to look first.
    """
    first = float(np.clip(np.quantile(np.abs(null), 0.95), 0.5, 10.0))

    def excess(away: float) -> float:
        null = drawn(arrays, j, beta[j] + away * error, beta, signs)
        return share_beyond(away, null) - 0.05

    ends = []
    for side in (-1, 1):
        inside, outside = 0.0, first
        try:
            while outside <= FAR and excess(side * outside) > 0:
                inside, outside = outside, 1.2 * outside
            while inside == 0.0 and outside > NEAR:  # not farther out than `first`
                if excess(side * outside / 1.2) > 0:
                    inside = outside / 1.2
                else:
                    outside /= 1.2
            away = np.inf if outside > FAR else outside
            if NEAR < outside <= FAR:
                away = brentq(lambda size, side=side: excess(side * size), inside, outside, xtol=NEAR)
        except ModelError:
            away = np.nan
        ends.append(float(beta[j] + side * away * error))
    return ends[0], ends[1]

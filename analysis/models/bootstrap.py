"""The wild cluster bootstrap with the null imposed: WCR-11 for least squares, linearised for likelihoods.

Roodman, MacKinnon, Nielsen and Webb, "Fast and Wild" (Stata Journal 19, 2019), for least squares and for
limits by inverting the test; MacKinnon, Nielsen and Webb, "Cluster-Robust Jackknife and Bootstrap Inference
for Logistic Regression Models" (2024), for logits: the scores at the restricted estimates get the clusters'
signs, in the regression that linearises the logit there, and the statistics are held against that of the fit.
For the conditional logit the strata's scores and information take the place of the rows' (Kline and Santos,
"A Score Based Approach to Wild Bootstrap Inference", Journal of Econometric Methods 1, 2012, for any
M-estimator).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from analysis.errors import ModelError, nearest
from analysis.models import conditional, logit, lpm
from analysis.models.cluster import correction, sum_by_cluster
from analysis.models.design import Design, fitted_design
from analysis.models.results import Fit, require_fit
from analysis.models.terms import whole

BOOTSTRAPPED = ("logit", "lpm", "conditional_logit")
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


@dataclass(frozen=True, eq=False)
class Linearised:
    """One null by cluster, each column scaled so that its information is 1.

    Parameters
    ----------
    pushes : (G, k), the clusters' scores. inverse : (k, k), of the information.
    taken : (G, k), the clusters' information times the tested column of that inverse.
    """

    pushes: np.ndarray
    inverse: np.ndarray
    taken: np.ndarray


def wild_cluster_bootstrap(
    fit: Fit, data: pd.DataFrame, term: str, draws: int = 9999, seed: int = 0
) -> tuple[float, float, float]:
    """The p-value that a coefficient is zero, and its 95 % limits, by the wild cluster bootstrap.

    Each draw gives every cluster a sign (Rademacher); where all 2^G sign vectors are at most `draws`,
    each is taken once. The p-value is the share of draws whose statistic is strictly larger in size. The
    limits hold the values that the same draws do not reject at 5 %; an infinite one has no end.

    Parameters
    ----------
    fit : a `logit`, `lpm` or `conditional_logit` with `cluster`. data : the frame that was fitted.
    term : a term of the fit. draws : a whole number, at least 99. seed : of the signs, a whole number.

    Returns
    -------
    (p_value, conf_low, conf_high)

    Raises
    ------
    ModelError : a fit without clusters, another estimator, a term that it lacks (with the nearest) or that
        has no numbers, other data than were fitted, draws or a seed that cannot be.

    Examples
    --------
    >>> from analysis.models import Model, fit
    >>> frame = pd.DataFrame({"x": [1, 2, 3, 4, 5, 6, 7, 8], "state": list("AABBCCDD")})
    >>> frame["y"] = [0, 0, 1, 0, 1, 1, 0, 1]
    >>> found = fit(Model("small", "y", ["x"], estimator="lpm", cluster="state"), frame)
    >>> p_value, conf_low, conf_high = wild_cluster_bootstrap(found, frame, "x")  # all 16 sign vectors
    >>> p_value, conf_low < found.coefficients[1] < conf_high
    (0.375, np.True_)
    """
    require_fit(fit)
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
    signs = sign_vectors(fit.clusters, draws, seed)
    arrays = without_effects(fitted_design(fit, data))
    j = fit.terms.index(term)
    estimate, error = float(fit.coefficients[j]), float(np.sqrt(fit.covariance[j, j]))
    null = drawn(arrays, j, 0.0, fit.coefficients, signs)
    return share_beyond(estimate / error, null), *limits(arrays, j, fit.coefficients, error, signs, null)


def sign_vectors(clusters: int, draws: int, seed: int) -> np.ndarray:
    """Signs (G, B): all 2^G vectors when these are at most `draws`, else that many random ones.

    Raises
    ------
    ModelError : draws or seed are no whole numbers, or too small: not all vectors and fewer than 99.

    >>> sign_vectors(2, 99, 0).tolist()
    [[1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]]
    """
    whole("seed", seed, 0)
    if 2**clusters <= whole("draws", draws, 1):
        every = (np.arange(2**clusters) >> np.arange(clusters)[:, None]) & 1
        return 1.0 - 2.0 * every
    whole("draws", draws, 99, "a p-value at 5 % needs them")
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(clusters, draws))


def without_effects(arrays: Design) -> Design:
    """The design of an `lpm` with absorbed effects taken out of outcome and columns; its counts stay."""
    if arrays.model.estimator != "lpm" or not arrays.groups:
        return arrays
    inner = lpm.demean(np.column_stack([arrays.y, arrays.X]), arrays.groups, arrays.weights)
    return replace(arrays, y=inner[:, 0], X=inner[:, 1:], groups=())


def start_at(arrays: Design, j: int, at: float, beta: np.ndarray) -> np.ndarray:
    """Where to look for the estimates (k,) with coefficient j held: the others take over what it loses."""
    others, column = np.delete(arrays.X, j, axis=1), arrays.X[:, j]
    if arrays.model.estimator == "conditional_logit":
        inner = lpm.demean(arrays.X, arrays.groups)
        others, column = np.delete(inner, j, axis=1), inner[:, j]
    start = beta.copy()
    start[j] = at
    if others.shape[1]:
        start[np.arange(len(beta)) != j] += (beta[j] - at) * lpm.least_squares(others, column)
    return start


def restrict(arrays: Design, j: int, at: float, beta: np.ndarray) -> Restricted:
    """The fit of an `lpm` or `logit` with coefficient j held at a value; a logit as the regression that
    linearises it there.

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
        start = np.delete(start_at(arrays, j, at, beta), j)
        eta = eta + others @ logit.maximise(others, y, weights, start, offset=at * X[:, j])
    p, q = expit(eta), expit(-eta)
    root = np.sqrt(np.maximum(weights * p * q, 1e-300))
    return Restricted(root, X * root[:, None], weights * (y - p) / root)


def linearise(arrays: Design, j: int, at: float, beta: np.ndarray) -> Linearised:
    """What the clusters add to the score and to the information where coefficient j is held at a value."""
    codes, _ = arrays.clustering
    if arrays.model.estimator == "conditional_logit":
        (groups,) = arrays.groups
        start = start_at(arrays, j, at, beta)
        _, _, scores, information = conditional.maximise(arrays.X, arrays.y, groups, start, j, at)
        owner = conditional.owners(groups, codes)
        assert owner is not None, "the fit refuses strata that lie in several clusters"
        scale = np.sqrt(np.diag(information.sum(axis=0)))
        information = information / np.outer(scale, scale)
        inverse = np.linalg.inv(information.sum(axis=0))
        return Linearised(
            sum_by_cluster(scores / scale, owner), inverse, sum_by_cluster(information @ inverse[:, j], owner)
        )
    null = restrict(arrays, j, at, beta)
    X = null.X / np.linalg.norm(null.X, axis=0)
    inverse = np.linalg.inv(X.T @ X)
    toward = X @ inverse[:, j]
    return Linearised(
        sum_by_cluster(X * null.residuals[:, None], codes),
        inverse,
        sum_by_cluster(X * toward[:, None], codes),
    )


def drawn(arrays: Design, j: int, at: float, beta: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """The statistics (B,) of coefficient j under the null that it is `at`, one a column of signs (G, B).

    Each draw gives the clusters' scores their signs and takes one step of Newton's method: cluster g adds
    c_g to the coefficient, and its score of the draw is c_g v_g less what the step takes away, so that the
    variance sums (c_g v_g - taken_g pushed)^2. Everything is sums by cluster, and no draw is fitted. For
    least squares the step is the fit itself.
    """
    null = linearise(arrays, j, at, beta)
    factor = correction(len(arrays.y), arrays.parameters, arrays.clustering[1])
    own = null.pushes @ null.inverse[:, j]  # (G,)
    taken = null.taken @ null.inverse  # (G, k)
    pushed = null.pushes.T @ signs  # (k, B)
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

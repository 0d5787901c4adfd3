"""A logit with a normal random intercept for each group, by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from scipy.linalg import solve_triangular
from scipy.special import expit

from analysis.errors import ModelError
from analysis.models import logit
from analysis.models.cluster import correction, inverse_gram, is_nested, kish, sum_by_cluster
from analysis.models.lpm import demean
from analysis.models.quadrature import Grouped, Integrated, averaged, grouped, integrate
from analysis.models.results import Estimated, RandomIntercept, condition_number, wald

if TYPE_CHECKING:
    from analysis.models.design import Design

LOGISTIC_VARIANCE = np.pi**2 / 3
NOTHING = 1e-3  # a standard deviation below this is zero: the likelihood is flat there
FAR = 50.0  # a standard deviation, in log odds, beyond which groups are all 0 or all 1
QUICK_STEPS = 12  # after which the curvature is taken exactly, which costs more
POINTS_OF_STEPS = 9  # nodes that are enough for the direction of a step, however few are asked for
ADVICE = (
    "Try more quadrature_points, fewer or rescaled covariates, or conditional_logit with the groups as its "
    "fixed effect."
)


@dataclass(frozen=True, eq=False)
class Maximum:
    """The maximum: coefficients (k,), the standard deviation, the likelihood there, the pooled logit's."""

    beta: np.ndarray
    deviation: float
    at: Integrated | None
    value: float
    pooled: float


def maximise(
    X: np.ndarray,
    y: np.ndarray,
    codes: np.ndarray,
    points: int,
    start: tuple[np.ndarray, float] | None = None,
    steps: int = 200,
) -> Maximum:
    """The coefficients and the standard deviation that maximise the likelihood.

    Newton's method in orthogonal coordinates, each step halved until the likelihood does not fall. Where
    the likelihood is highest without any variance, the deviation is 0 and the coefficients are the logit's.

    Parameters
    ----------
    X : (n, k), of full column rank, unseparated. y : (n,), 0 and 1. codes : (n,), as 0 .. G-1.
    points : nodes a group. start : coefficients and deviation, or None.

    Raises
    ------
    ModelError : no convergence, or a variance that grows without bound.
    """
    Z, R = logit.orthogonal(X)
    pooled = logit.maximise(X, y)
    pooled_value = logit.log_likelihood(X @ pooled, y, np.ones(len(y)))
    rows = grouped(Z, y, codes)
    beta, deviation = start or (pooled, 1.0)
    theta, here = _climb(rows, np.r_[R @ beta, deviation or 1.0], points, steps)
    if theta[-1] < NOTHING:  # maybe a lesser maximum: slopes within and between groups may differ
        beta, deviation = _within(X, y, codes)
        theta, here = _climb(rows, np.r_[R @ beta, deviation], points, steps)
    if theta[-1] < NOTHING or here.value <= pooled_value:
        return Maximum(pooled, 0.0, None, pooled_value, pooled_value)
    return Maximum(solve_triangular(R, theta[:-1]), float(theta[-1]), here, here.value, pooled_value)


def _climb(rows: Grouped, theta: np.ndarray, points: int, steps: int) -> tuple[np.ndarray, Integrated]:
    """The maximum that is reached from `theta` (k + 1,), the deviation as a positive number."""
    here = integrate(rows, theta[:-1], theta[-1], points)
    for number in range(steps):
        curvature = _curvature(rows, theta, here, points, exact=number >= QUICK_STEPS)
        size, turned = np.linalg.eigh(curvature)
        size = np.maximum(np.abs(size), 1e-8 * np.abs(size).max())  # uphill where it is not concave
        step = turned @ ((turned.T @ here.scores.sum(axis=0)) / size)
        step *= min(1.0, max(1.0, 0.5 * abs(theta[-1])) / max(abs(step[-1]), 1e-300))
        share = 1.0
        while True:
            trial = theta + share * step
            tried = integrate(rows, trial[:-1], trial[-1], points, here.modes)
            if tried.value >= here.value - 1e-12 * abs(here.value) or share < 1e-10:
                break
            share /= 2
        theta, here = trial, tried
        if abs(theta[-1]) > FAR:
            raise ModelError(
                f"The random intercept's standard deviation grows beyond {FAR:g}: given the covariates, the "
                f"groups are nearly all 0 or all 1, and the likelihood has no maximum. {ADVICE}"
            )
        if np.abs(step).max() < 1e-8:
            if theta[-1] < 0:  # the likelihood is the same for both signs
                theta = np.r_[theta[:-1], -theta[-1]]
                here = integrate(rows, theta[:-1], theta[-1], points)
            return theta, here
    raise ModelError(
        f"The random-intercept logit did not converge in {steps} steps: its likelihood is flat. {ADVICE}"
    )


def _within(X: np.ndarray, y: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, float]:
    """A start from the slopes within groups (least squares) and how far apart they leave the groups."""
    inner = demean(np.column_stack([y, X]), (codes,))
    beta = np.linalg.lstsq(inner[:, 1:], inner[:, 0], rcond=1e-8)[0] / (y.mean() * (1 - y.mean()))
    levels = np.bincount(codes, weights=X @ beta) / np.bincount(codes)
    return beta, 1.0 + float(levels.std())


# The first derivative by central differences of sixth order, so wide that the rounding of the scores stays
# below the twelfth digit.
WIDTH = 1e-2
STENCIL = tuple((side * steps, side * w / 60) for steps, w in ((1, 45), (2, -9), (3, 1)) for side in (1, -1))


def _curvature(rows: Grouped, theta: np.ndarray, here: Integrated, points: int, exact: bool) -> np.ndarray:
    """The negative second derivatives (k + 1, k + 1) in the coordinates of `theta`: central differences of
    the scores, or quickly, by Louis' identity, those that more nodes than a few would give."""
    if not exact:
        told = max(points, POINTS_OF_STEPS)
        return integrate(rows, theta[:-1], theta[-1], told, here.modes, with_information=True).information
    columns = []
    for j in range(len(theta)):
        slope = 0.0
        for steps, weight in STENCIL:
            moved = theta.copy()
            moved[j] += steps * WIDTH
            slope += weight * integrate(rows, moved[:-1], moved[-1], points, here.modes).scores.sum(axis=0)
        columns.append(-slope / WIDTH)
    information = np.array(columns)
    return (information + information.T) / 2


def inverse_information(design: Design, found: Maximum) -> np.ndarray:
    """The inverse (k + 1, k + 1) of the observed information at the maximum, exact for any number of nodes.

    Inverted in orthogonal coordinates, so that a column far from zero loses no digits.

    Raises
    ------
    ModelError : it is not positive definite.
    """
    Z, R = logit.orthogonal(design.X)
    theta = np.r_[R @ found.beta, found.deviation]
    rows, points = grouped(Z, design.y, design.random), design.model.quadrature_points
    information = _curvature(rows, theta, found.at, points, exact=True)
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError as error:
        raise ModelError(
            f"Model {design.model.name!r}: the observed information is not positive definite at the "
            f"estimates. {ADVICE}"
        ) from error
    turn = np.eye(len(theta))
    turn[:-1, :-1] = solve_triangular(R, np.eye(len(R)))
    return turn @ np.linalg.inv(information) @ turn.T


def spread(deviation: float, covariance: np.ndarray) -> dict[str, float]:
    """Standard error and 95 % limits of the standard deviation, symmetric in its logarithm; NaN for zero."""
    if not deviation:
        return dict.fromkeys(("std_error", "conf_low", "conf_high"), np.nan)
    error = float(np.sqrt(covariance[-1, -1]))
    reach = float(np.exp(stats.norm.ppf(0.975) * error / deviation))
    return {"std_error": error, "conf_low": deviation / reach, "conf_high": deviation * reach}


def random_intercept(
    design: Design, found: Maximum, covariance: np.ndarray, bread: np.ndarray, note: str
) -> RandomIntercept:
    """What is known of the intercepts: their variance with its test, and each group's own.

    Parameters
    ----------
    covariance : (k + 1, k + 1), of the coefficients and the standard deviation. bread : the same without
        account of clusters. note : what is wrong with the integrals.
    """
    deviation, groups = found.deviation, len(design.random_labels)
    ratio = max(2 * (found.value - found.pooled), 0.0)
    plain = float(stats.chi2.sf(ratio, 1))
    modes = np.zeros(groups) if found.at is None else deviation * found.at.modes
    spreads = np.zeros(groups) if found.at is None else deviation * found.at.spreads
    return RandomIntercept(
        group=design.model.random_intercept,
        labels=design.random_labels,
        points=design.model.quadrature_points,
        std_deviation=deviation,
        **spread(deviation, covariance),
        variance=deviation**2,
        icc=deviation**2 / (deviation**2 + LOGISTIC_VARIANCE),
        lr_statistic=ratio,
        p_value=plain / 2 if ratio > 0 else 1.0,
        p_value_chi2=plain,
        covariance=covariance,
        information_covariance=bread,
        intercepts=modes,
        intercept_std_errors=spreads,
        note=note,
    )


def why_no_variance(codes: np.ndarray, y: np.ndarray) -> str:
    """Why rows in these groups, both (n,), say nothing of a variance between them; empty where they do."""
    sizes, events = np.bincount(codes), np.bincount(codes, weights=y)
    if len(sizes) < 2:
        return "has one group; it takes two. Use logit."
    if sizes.max() < 2:
        return (
            f"has one row in each of {len(sizes)} groups: what a group adds cannot be told from what the row "
            "adds. Use logit."
        )
    if not ((events > 0) & (events < sizes)).any():
        return (
            f"has {len(sizes)} groups, within none of which the outcome varies: the variance has no bound. "
            "Use firth or lpm."
        )
    return ""


def check_groups(design: Design) -> None:
    """Nothing, when a variance between the groups can be told from the other parts of the model.

    Raises
    ------
    ModelError : what `why_no_variance` names, groups that lie in several clusters, or columns that take up
        every group.
    """
    model, codes = design.model, design.random
    start = f"Model {model.name!r}: the random intercept {model.random_intercept!r}"
    if why := why_no_variance(codes, design.y):
        raise ModelError(f"{start} {why}")
    groups = len(design.random_labels)
    if design.codes is not None and not is_nested(codes, design.codes):
        raise ModelError(
            f"{start} has a group that lies in several clusters of {model.cluster!r}; mixed_logit needs "
            "whole groups in a cluster. Leave the cluster out, or cluster by what holds the groups."
        )
    if groups <= design.X.shape[1]:
        indicators = (codes[:, None] == np.arange(groups)).astype(float)
        scaled = design.X / np.abs(design.X).max(axis=0)
        rest = indicators - scaled @ np.linalg.lstsq(scaled, indicators, rcond=None)[0]
        if np.abs(rest).max() < 1e-7:
            raise ModelError(
                f"{start}: fixed effects or covariates that are constant within groups take up all "
                f"{groups} groups, so that no variance is left between them. Use fewer of them, or logit "
                "with the groups as fixed effects."
            )


def estimate(design: Design) -> Estimated:
    """A random-intercept logit for a design.

    Without clusters: the observed information and the normal law. With clusters: the project's convention on
    the groups' scores, t with G-1 degrees of freedom. `fitted` are probabilities averaged over the
    intercepts' law. Where the variance is estimated as zero all numbers are the pooled logit's, and a note
    says so.
    """
    X, y, codes, points = design.X, design.y, design.random, design.model.quadrature_points
    check_groups(design)
    found = maximise(X, y, codes, points)
    k = X.shape[1]
    covariance, bread = np.zeros((2, k + 1, k + 1))
    note = rough = ""
    if found.deviation == 0:
        plain = logit.estimate(design)
        eta = X @ found.beta
        bread[:k, :k] = inverse_gram(X, expit(eta) * expit(-eta))
        covariance[:k, :k], df, effective = (
            plain.covariance,
            plain.degrees_of_freedom,
            plain.effective_clusters,
        )
        note = "the random intercept's variance is estimated as zero: these are the logit's numbers"
    else:
        bread = inverse_information(design, found)
        covariance, df, effective = _covariance(design, found, bread)
        error = abs(integrate(*_at(X, y, codes, found), 2 * points + 1).value - found.value)
        if points > 1 and error > 1e-2:
            rough = (
                f"{points} quadrature points leave an error of {error:.1g} in the log-likelihood: take more"
            )
    beta = found.beta
    fitted = averaged(X @ beta, found.deviation)[0]
    return Estimated(
        coefficients=beta,
        covariance=covariance[:k, :k],
        inference=wald(beta, covariance[:k, :k], df),
        degrees_of_freedom=df,
        log_likelihood=found.value,
        converged=True,
        condition_number=condition_number(X * np.sqrt(fitted * (1 - fitted))[:, None]),
        fitted=fitted,
        effective_clusters=effective,
        random=random_intercept(design, found, covariance, bread, rough),
        note=note or rough,
    )


def _at(X: np.ndarray, y: np.ndarray, codes: np.ndarray, found: Maximum) -> tuple[Grouped, np.ndarray, float]:
    return grouped(X, y, codes), found.beta, found.deviation


def _covariance(
    design: Design, found: Maximum, bread: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray | None]:
    """The covariance (k + 1, k + 1), the degrees of freedom, the effective number of clusters (k,)."""
    if design.codes is None:
        return bread, np.inf, None
    rows = grouped(design.X, design.y, design.random)
    scores = integrate(rows, found.beta, found.deviation, design.model.quadrature_points).scores
    owner = np.zeros(len(rows.starts), dtype=int)
    owner[design.random] = design.codes
    sums = sum_by_cluster(scores, owner) @ bread
    factor = correction(len(design.y), design.parameters, design.clusters)
    given = _information_of_groups(rows, found)
    beta_bread = bread[:-1, :-1]
    spent = np.einsum("ja,sab,bj->sj", beta_bread, given, beta_bread)
    effective = np.array([kish(share) for share in sum_by_cluster(spent, owner).T])
    return factor * (sums.T @ sums), design.clusters - 1.0, effective


def _information_of_groups(rows: Grouped, found: Maximum) -> np.ndarray:
    """Each group's information on the coefficients, (G, k, k), linearised at its mode: the rows' own less
    what goes to the group's intercept."""
    p = expit(rows.X @ found.beta + found.deviation * found.at.modes[rows.codes])
    v = p * (1 - p)
    weighted = rows.X * v[:, None]
    own = rows.sums(weighted[:, :, None] * rows.X[:, None, :])
    level, size = rows.sums(weighted), rows.sums(v)
    return own - level[:, :, None] * level[:, None, :] / (1 / found.deviation**2 + size)[:, None, None]

"""Exact conditional logit: the effects of a group are conditioned away, its number of events being fixed.

Chamberlain, "Analysis of Covariance with Qualitative Data" (Review of Economic Studies 47, 1980). The sum
over all subsets of a group is a recursion over its rows (Gail, Lubin and Rubinstein, Biometrika 68, 1981),
kept here as a logarithm with the mean and the covariance of the subset's sum, each step mixing the subsets
without a row and with it: nothing overflows or cancels, however big the group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_triangular

from analysis.errors import ModelError
from analysis.models import logit
from analysis.models.cluster import correction, inverse_gram, kish, sum_by_cluster
from analysis.models.lpm import demean
from analysis.models.results import Estimated, condition_number, wald

if TYPE_CHECKING:
    from analysis.models.design import Design


def subsets(X: np.ndarray, eta: np.ndarray, events: int) -> tuple[float, np.ndarray, np.ndarray]:
    """The law of a random subset of `events` rows, each subset weighted by exp of its sum of `eta`.

    Parameters
    ----------
    X : (n, k). eta : (n,). events : 0 .. n.

    Returns
    -------
    The logarithm of the sum of all weights, and mean (k,) and covariance (k, k) of the subset's sum of X.
    """
    n, k = X.shape
    if 2 * events > n:  # fewer rows to leave out than to take
        value, mean, spread = subsets(X, -eta, n - events)
        return value + float(eta.sum()), X.sum(axis=0) - mean, spread
    value = np.full(events + 1, -np.inf)
    value[0] = 0.0
    mean, spread = np.zeros((events + 1, k)), np.zeros((events + 1, k, k))
    for count, (row, weight) in enumerate(zip(X, eta, strict=True), start=1):
        top = min(count, events)
        taken = value[:top] + weight
        both = np.logaddexp(value[1 : top + 1], taken)
        share = np.exp(taken - both)[:, None]
        gap = mean[:top] + row - mean[1 : top + 1]
        spread[1 : top + 1] += share[:, :, None] * (
            spread[:top] - spread[1 : top + 1] + (1 - share)[:, :, None] * gap[:, :, None] * gap[:, None, :]
        )
        mean[1 : top + 1] += share * gap
        value[1 : top + 1] = both
    return float(value[events]), mean[events], spread[events]


def inclusion(eta: np.ndarray, events: int) -> np.ndarray:
    """The probability (n,) of each row to be in the random subset of `subsets`."""
    if events == 0:
        return np.zeros(len(eta))
    before, after = _growing(eta, events), _growing(eta[::-1], events)[::-1]
    total = before[-1, events]
    rest = before[:-1, :events] + after[1:, events - 1 :: -1]
    return np.exp(np.logaddexp.reduce(rest, axis=1) + eta - total)


def _growing(eta: np.ndarray, events: int) -> np.ndarray:
    """(n + 1, events + 1): the log sum over subsets of each size of the first 0 .. n rows."""
    value = np.full((len(eta) + 1, events + 1), -np.inf)
    value[:, 0] = 0.0
    for row, weight in enumerate(eta):
        value[row + 1, 1:] = np.logaddexp(value[row, 1:], value[row, :-1] + weight)
    return value


def likelihood(
    X: np.ndarray, y: np.ndarray, strata: list[np.ndarray], beta: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """The conditional log-likelihood, its first derivatives (S, k) and information (S, k, k) by stratum.

    Parameters
    ----------
    X : (n, k). y : (n,), 0 and 1. strata : the positions of the rows of each of S strata.
    """
    eta, value = X @ beta, 0.0
    scores, information = [], []
    for rows in strata:
        events = y[rows] == 1
        total, mean, spread = subsets(X[rows], eta[rows], int(events.sum()))
        value += eta[rows][events].sum() - total
        scores.append(X[rows][events].sum(axis=0) - mean)
        information.append(spread)
    return float(value), np.array(scores), np.array(information)


def maximise(
    X: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    start: np.ndarray | None = None,
    held: int | None = None,
    at: float = 0.0,
    steps: int = 50,
) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """The maximum of the conditional likelihood, by Newton's method with halved steps.

    Parameters
    ----------
    X : (n, k), of full column rank within groups. y : (n,), 0 and 1. groups : (n,), as 0 .. S-1.
    start : (k,) or None for zeros. held : a coefficient that is held at the value `at`.

    Returns
    -------
    Coefficients (k,), the log-likelihood, and scores (S, k) and information (S, k, k) by group, with those
    of the held coefficient.

    Raises
    ------
    ModelError : no convergence.
    """
    k = X.shape[1]
    order = np.arange(k) if held is None else np.r_[np.delete(np.arange(k), held), held]
    rows = np.argsort(groups, kind="stable")
    strata = np.split(rows, np.flatnonzero(np.diff(groups[rows])) + 1)
    Z, R = logit.orthogonal(demean(X[:, order], (groups,)))
    gamma = np.zeros(k) if start is None else R @ start[order]
    free = slice(0, k if held is None else k - 1)
    if held is not None:
        gamma[-1] = R[-1, -1] * at
    value, scores, information = likelihood(Z, y, strata, gamma)
    for _ in range(steps):
        step = np.zeros(k)
        try:
            step[free] = np.linalg.solve(information.sum(axis=0)[free, free], scores.sum(axis=0)[free])
        except np.linalg.LinAlgError:
            break
        share = 1.0
        while True:
            tried = likelihood(Z, y, strata, gamma + share * step)
            if tried[0] >= value - 1e-12 * abs(value) or share < 1e-10:
                break
            share /= 2
        gamma, (value, scores, information) = gamma + share * step, tried
        if np.abs(step).max() < 1e-6:  # convergence is quadratic: the next step would be nothing
            back = np.argsort(order)
            turned = np.einsum("ia,sij,jb->sab", R, information, R)
            return (
                solve_triangular(R, gamma)[back],
                value,
                (scores @ R)[:, back],
                turned[:, back][:, :, back],
            )
    raise ModelError("The conditional logit did not converge: its likelihood is flat. Use fewer covariates.")


def owners(groups: np.ndarray, codes: np.ndarray) -> np.ndarray | None:
    """The cluster (S,) of each group, `groups` and `codes` being (n,); None where a group has several."""
    owner = np.zeros(int(groups.max()) + 1, dtype=int)
    owner[groups] = codes
    return owner if np.array_equal(owner[groups], codes) else None


def fitted_values(X: np.ndarray, y: np.ndarray, groups: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The probability (n,) of each row given its stratum's number of events."""
    out, eta = np.zeros(len(y)), X @ beta
    for group in range(int(groups.max()) + 1):
        rows = groups == group
        out[rows] = inclusion(eta[rows], int(y[rows].sum()))
    return out


def leverage(design: Design, beta: np.ndarray) -> np.ndarray:
    """Each cluster's share of the information at the estimates (k,), (G,): in all, k."""
    (groups,) = design.groups
    information = maximise(design.X, design.y, groups, beta)[3]
    inverse = np.linalg.inv(information.sum(axis=0))
    return sum_by_cluster(
        np.einsum("sab,ba->s", information, inverse)[:, None], owners(groups, design.codes)
    )[:, 0]


def information_root(design: Design, beta: np.ndarray) -> np.ndarray:
    """A square root (k, k) of the information at the estimates (k,), R with R'R the information.

    From the information in orthogonal coordinates, so that it has the digits of the design, where the
    information itself would have those of its square.

    Raises
    ------
    ModelError : it cannot be inverted.
    """
    (groups,) = design.groups
    rows = np.argsort(groups, kind="stable")
    strata = np.split(rows, np.flatnonzero(np.diff(groups[rows])) + 1)
    Z, R = logit.orthogonal(demean(design.X, design.groups))
    information = likelihood(Z, design.y, strata, R @ beta)[2].sum(axis=0)
    try:
        return np.linalg.cholesky(information).T @ R
    except np.linalg.LinAlgError as error:
        raise ModelError(
            "The conditional logit's information cannot be inverted: the fitted values reach 0 or 1."
        ) from error


def estimate(design: Design) -> Estimated:
    """Conditional logit for a design, its one fixed effect being the strata.

    With clusters: the project's convention on the strata's scores, t with G-1 degrees of freedom.
    Without: the inverse information and the normal law. `fitted` is the probability of each row given its
    stratum's number of events.

    Raises
    ------
    ModelError : a stratum lies in several clusters; no convergence.
    """
    (groups,) = design.groups
    beta, value, scores, information = maximise(design.X, design.y, groups)
    root = information_root(design, beta)
    bread = inverse_gram(root, np.ones(len(root)))
    covariance, df, effective = bread, np.inf, None
    if design.codes is not None:
        owner = owners(groups, design.codes)
        if owner is None:
            raise ModelError(
                f"Model {design.model.name!r}: a group of {design.model.fixed_effects[0]!r} lies in several "
                f"clusters of {design.model.cluster!r}; conditional_logit needs whole groups in a cluster."
            )
        sums = sum_by_cluster(scores, owner) @ bread
        covariance = correction(len(design.y), design.parameters, design.clusters) * (sums.T @ sums)
        df = design.clusters - 1.0
        spent = np.einsum("ja,sab,bj->sj", bread, information, bread)
        effective = np.array([kish(share) for share in sum_by_cluster(spent, owner).T])
    return Estimated(
        coefficients=beta,
        covariance=covariance,
        inference=wald(beta, covariance, df),
        degrees_of_freedom=df,
        log_likelihood=value,
        converged=True,
        condition_number=condition_number(root),
        fitted=fitted_values(design.X, design.y, groups, beta),
        effective_clusters=effective,
    )

"""Maximum likelihood for a binary outcome, by Newton's method on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import expit, log_expit

from analysis.errors import ModelError
from analysis.models.cluster import (
    clustered_covariance,
    correction,
    effective_clusters,
    inverse_gram,
    robust_covariance,
)
from analysis.models.results import Estimated, condition_number, wald

if TYPE_CHECKING:
    from analysis.models.design import Design


def log_likelihood(eta: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """The Bernoulli log-likelihood at the linear predictor `eta`; all (n,)."""
    return float(weights @ log_expit(np.where(y == 1, eta, -eta)))


def information(X: np.ndarray, eta: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The Fisher information X' diag(w p (1-p)) X, (k, k)."""
    return X.T @ (X * (weights * expit(eta) * expit(-eta))[:, None])


def scores(X: np.ndarray, y: np.ndarray, eta: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Each row's first derivative of the log-likelihood, (n, k)."""
    return X * (weights * (y - expit(eta)))[:, None]


def orthogonal(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Z (n, k) with orthogonal columns of length sqrt(n), and upper triangular R (k, k), X = Z R."""
    Q, R = np.linalg.qr(X)
    root = np.sqrt(len(X))
    return Q * root, R / root


def maximise(
    X: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None = None,
    start: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    steps: int = 100,
) -> np.ndarray:
    """The coefficients that maximise the likelihood of a logit, (k,).

    Newton's method in orthogonal coordinates, each step halved until the likelihood does not fall. It
    ends after a step so short (1e-9) that the next one would change nothing, convergence being quadratic.

    Parameters
    ----------
    X : (n, k), of full column rank. y : (n,), 0 and 1. weights, offset : (n,) or None.
    start : (k,) or None for zeros.

    Raises
    ------
    ModelError : no convergence, or an information matrix that cannot be inverted: the maximum does not
        exist or lies too far out.
    """
    n, k = X.shape
    weights = np.ones(n) if weights is None else weights
    offset = np.zeros(n) if offset is None else offset
    Z, R = orthogonal(X)
    gamma = np.zeros(k) if start is None else R @ start
    eta = Z @ gamma + offset
    value = log_likelihood(eta, y, weights)
    for _ in range(steps):
        try:
            step = np.linalg.solve(information(Z, eta, weights), scores(Z, y, eta, weights).sum(axis=0))
        except np.linalg.LinAlgError:
            break
        if not np.isfinite(step).all():
            break
        size = np.abs(step).max()
        share = 1.0
        while True:
            trial = gamma + share * step
            eta = Z @ trial + offset
            tried = log_likelihood(eta, y, weights)
            if tried >= value - 1e-12 * abs(value) or share < 1e-10:
                break
            share /= 2
        gamma, value = trial, tried
        if size < 1e-9:
            return solve_triangular(R, gamma)
    raise ModelError(
        "The logit did not converge: the likelihood is flat, or its maximum lies too far out. "
        "Use estimator='firth', or fewer covariates."
    )


def estimate(design: Design) -> Estimated:
    """A logit by maximum likelihood for a design.

    With clusters: the project's clustered convention (see `cluster`), t with G-1 degrees of freedom.
    Without: the inverse information and the normal law; with weights but no clusters, HC1.
    """
    X, y = design.X, design.y
    weights = np.ones(len(y)) if design.weights is None else design.weights
    beta = maximise(X, y, weights)
    eta = X @ beta
    working = np.sqrt(weights * expit(eta) * expit(-eta))
    bread = inverse_gram(X, working**2)
    df, effective = np.inf, None
    if design.codes is not None:
        factor = correction(len(y), design.parameters, design.clusters)
        covariance = clustered_covariance(bread, scores(X, y, eta, weights), design.codes, factor)
        df = design.clusters - 1.0
        effective = effective_clusters(X * working[:, None], design.codes)
    elif design.weights is not None:
        covariance = robust_covariance(bread, scores(X, y, eta, weights), design.parameters)
    else:
        covariance = bread
    return Estimated(
        coefficients=beta,
        covariance=covariance,
        inference=wald(beta, covariance, df),
        degrees_of_freedom=df,
        log_likelihood=log_likelihood(eta, y, weights),
        converged=True,
        condition_number=condition_number(X * working[:, None]),
        fitted=expit(eta),
        effective_clusters=effective,
    )

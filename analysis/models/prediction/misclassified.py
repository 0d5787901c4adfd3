"""A logit whose outcome is recorded with known errors.

Hausman, Abrevaya and Scott-Morton, "Misclassification of the dependent variable in a discrete-response
setting" (Journal of Econometrics 87, 1998), with both error rates given: nothing in one list tells them, so
that they are varied over a grid.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import expit

from analysis.errors import ModelError
from analysis.models.logit import orthogonal


def log_likelihood(
    X: np.ndarray, y: np.ndarray, beta: np.ndarray, false_positive: float, false_negative: float
) -> float:
    """The log-likelihood when a true 0 is recorded as 1 with one probability and a true 1 as 0 with another.

    Parameters
    ----------
    X : (n, k). y : (n,), 0 and 1 as recorded. beta : (k,), of the logit of the true outcome.
    """
    p = false_positive + (1 - false_positive - false_negative) * expit(X @ beta)
    with np.errstate(divide="ignore"):
        return float(np.log(np.where(y == 1, p, 1 - p)).sum())


def maximise(
    X: np.ndarray,
    y: np.ndarray,
    false_positive: float,
    false_negative: float,
    start: np.ndarray,
    steps: int = 200,
) -> np.ndarray:
    """The coefficients (k,) of the logit of the true outcome, by scoring from `start`.

    The likelihood need not be concave: this is the maximum that scoring from the uncorrected logit's
    coefficients reaches. Each step is halved until the likelihood does not fall.

    Raises
    ------
    ModelError : rates that leave no signal, or no convergence (with rates near the recorded share of events
        the maximum lies at infinity).
    """
    if not (false_positive >= 0 and false_negative >= 0 and false_positive + false_negative < 1):
        raise ModelError(
            f"Error rates of {false_positive} and {false_negative}: neither may be negative, and their sum "
            "must be below 1."
        )
    signal = 1 - false_positive - false_negative
    Z, R = orthogonal(X)
    gamma = R @ start
    value = log_likelihood(Z, y, gamma, false_positive, false_negative)
    for _ in range(steps):
        truth = expit(Z @ gamma)
        p, slope = false_positive + signal * truth, signal * truth * (1 - truth)
        with np.errstate(all="ignore"):
            ratio = slope / (p * (1 - p))
            information = Z.T @ (Z * (slope * ratio)[:, None])
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e14:
            break
        step = np.linalg.solve(information, Z.T @ (ratio * (y - p)))
        step *= min(1.0, 5.0 / np.abs(step).max(initial=1e-300))
        share = 1.0
        while True:
            trial = log_likelihood(Z, y, gamma + share * step, false_positive, false_negative)
            if trial >= value - 1e-12 * abs(value) or share < 1e-10:
                break
            share /= 2
        gamma, value = gamma + share * step, trial
        if np.abs(step).max() < 1e-9:
            return solve_triangular(R, gamma)
    raise ModelError(
        f"With error rates of {false_positive:g} and {false_negative:g} the likelihood has no maximum that "
        "could be reached. Use smaller rates or fewer covariates."
    )

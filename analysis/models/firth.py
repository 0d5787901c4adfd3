"""Firth's penalised likelihood for a binary outcome: finite whatever separates.

Firth, "Bias Reduction of Maximum Likelihood Estimates" (Biometrika 80, 1993); Heinze and Schemper,
"A Solution to the Problem of Separation in Logistic Regression" (Statistics in Medicine 21, 2002), for
profile limits and tests; Puhr, Heinze, Nold, Lusa and Geroldinger (Statistics in Medicine 36, 2017) for
FLIC and FLAC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from scipy.linalg import solve_triangular
from scipy.special import expit

from analysis.errors import ModelError
from analysis.models import logit
from analysis.models.cluster import inverse_gram
from analysis.models.results import Estimated, Inference, condition_number

if TYPE_CHECKING:
    from analysis.models.design import Design

FAR = 1e4  # a limit further than this from the estimate is unbounded, the column being on its own scale


def penalised(X: np.ndarray, y: np.ndarray, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """The penalised log-likelihood l + log|I|/2, its score (k,), and the matrix (k, k) to scale steps by.

    That matrix is the information of the data augmented by Firth's pseudo-observations, each row
    counting 1 + its leverage: with the plain information a row of leverage 1 is stepped over for ever.
    Where the information cannot be factored the value is minus infinity.
    """
    eta = X @ beta
    p = expit(eta)
    root = np.sqrt(p * expit(-eta))
    weighted = X * root[:, None]
    info = weighted.T @ weighted
    try:
        lower = np.linalg.cholesky(info)
        half = np.linalg.solve(lower, weighted.T)
    except np.linalg.LinAlgError:
        return -np.inf, np.full(len(beta), np.nan), info
    leverage = (half**2).sum(axis=0)
    value = logit.log_likelihood(eta, y, np.ones(len(y))) + np.log(np.diag(lower)).sum()
    augmented = weighted.T @ (weighted * (1 + leverage)[:, None])
    return float(value), X.T @ (y - p + leverage * (0.5 - p)), augmented


def maximise(
    X: np.ndarray,
    y: np.ndarray,
    start: np.ndarray | None = None,
    held: int | None = None,
    at: float = 0.0,
    steps: int = 1000,
) -> tuple[np.ndarray, float, float]:
    """The maximum of the penalised likelihood: coefficients (k,), its value, the score of `held` there.

    Scoring in orthogonal coordinates, each step at most 5 long and halved until the penalised likelihood
    does not fall; it ends when a step is below 1e-10.

    Parameters
    ----------
    X : (n, k), of full column rank. y : (n,), 0 and 1. start : (k,) or None for zeros.
    held : a coefficient that is held at the value `at`; the penalty stays that of the whole design. So
        far out that the penalty is not a number any more, the value is minus infinity.

    Raises
    ------
    ModelError : no convergence.
    """
    k = X.shape[1]
    order = np.arange(k) if held is None else np.r_[np.delete(np.arange(k), held), held]
    Z, R = logit.orthogonal(X[:, order])
    constant = np.log(np.abs(np.diag(R))).sum()  # log|X'WX|/2 - log|Z'WZ|/2
    gamma = np.zeros(k) if start is None else R @ start[order]
    free = k if held is None else k - 1
    if held is not None:
        gamma[-1] = R[-1, -1] * at
    value, score, scaling = penalised(Z, y, gamma)
    if not np.isfinite(value):
        return np.full(k, np.nan), -np.inf, np.nan
    for _ in range(steps):
        step = np.zeros(k)
        step[:free] = np.linalg.solve(scaling[:free, :free], score[:free])
        step *= min(1.0, 5.0 / max(np.abs(step).max(), 1e-300))
        size, share = np.abs(step).max(), 1.0
        while True:
            trial = penalised(Z, y, gamma + share * step)
            if trial[0] >= value - 1e-11 * max(1.0, abs(value)) or share < 1e-10:
                break
            share /= 2
        if np.isfinite(trial[0]):
            gamma = gamma + share * step
            value, score, scaling = trial
        if size < 1e-10:
            beta = np.empty(k)
            beta[order] = solve_triangular(R, gamma)
            # the other scores being zero, that of the last coordinate is that of the held coefficient
            return beta, value + constant, float(score[-1] * R[-1, -1])
    raise ModelError("Firth's penalised likelihood did not converge; use fewer covariates.")


def limit(
    X: np.ndarray, y: np.ndarray, beta: np.ndarray, best: float, j: int, side: int, start: float
) -> float:
    """One 95 % limit of the profile penalised likelihood; infinite where there is none.

    Newton's method on the signed root of the profile ratio, whose derivative is known from the score of
    the held coefficient, inside a bracket that is widened and then kept.

    Parameters
    ----------
    beta, best : the maximum and its value. side : -1 lower, +1 upper.
    start : a first distance from the estimate, positive (two standard errors serve).
    """
    target = np.sqrt(stats.chi2.ppf(0.95, 1))
    # The scale of a column is that of what the others do not say: an intercept may lie far from zero.
    order = np.r_[np.delete(np.arange(len(beta)), j), j]
    spread = abs(logit.orthogonal(X[:, order])[1][-1, -1])

    def excess(distance: float, warm: np.ndarray) -> tuple[float, float, np.ndarray]:
        found, value, score = maximise(X, y, warm, held=j, at=beta[j] + side * distance)
        if not np.isfinite(value):
            return np.inf, np.nan, warm
        root = np.sqrt(max(2 * (best - value), 0.0))
        return root - target, -side * score / root if root > 0 else np.nan, found

    inside, outside, distance, warm = 0.0, np.inf, start, beta
    for _ in range(100):
        above, slope, warm = excess(distance, warm)
        if abs(above) < 1e-11:
            break
        if above < 0:
            inside = distance
        else:
            outside = distance
        ahead = distance - above / slope if np.isfinite(slope) and slope > 0 else np.nan
        if np.isinf(outside):
            ahead = min(ahead, 3 * distance) if ahead > distance else 2 * distance
            if ahead * spread > FAR:
                return side * np.inf
        elif not inside < ahead < outside:
            ahead = (inside + outside) / 2
        if abs(ahead - distance) < 1e-12 * max(1.0, distance):
            break
        distance = ahead
    return float(beta[j] + side * distance)


def profile(X: np.ndarray, y: np.ndarray, beta: np.ndarray, best: float, columns: range) -> Inference:
    """Penalised-likelihood-ratio tests and profile limits of the coefficients in `columns`.

    The statistic is the signed root of the ratio, to be read as a standard normal value; the penalty is
    that of the whole design throughout. Other coefficients get NaN. Each array is (k,).
    """
    k = X.shape[1]
    eta = X @ beta
    error = np.sqrt(np.diag(inverse_gram(X, expit(eta) * expit(-eta))))
    root, low, high = np.full(k, np.nan), np.full(k, np.nan), np.full(k, np.nan)
    for j in columns:
        without = maximise(X, y, beta, held=j)[1]
        root[j] = np.sign(beta[j]) * np.sqrt(max(2 * (best - without), 0.0))
        low[j] = limit(X, y, beta, best, j, -1, 2 * error[j])
        high[j] = limit(X, y, beta, best, j, 1, 2 * error[j])
    return Inference(root, stats.chi2.sf(root**2, 1), low, high)


def flic(eta: np.ndarray, y: np.ndarray) -> float:
    """What FLIC adds to the linear predictor, so that the mean fitted probability is the event rate.

    Parameters
    ----------
    eta : (n,), Firth's linear predictor. y : (n,), 0 and 1, both present.
    """
    return float(logit.maximise(np.ones((len(y), 1)), y, offset=eta)[0])


def flac(X: np.ndarray, y: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """FLAC coefficients (k,): maximum likelihood on the data augmented by Firth's pseudo-observations,
    which have an intercept of their own.

    Parameters
    ----------
    beta : (k,), Firth's estimates.
    """
    eta = X @ beta
    weighted = X * np.sqrt(expit(eta) * expit(-eta))[:, None]
    leverage = (np.linalg.qr(weighted)[0] ** 2).sum(axis=1)
    n = len(y)
    stacked = np.column_stack([np.vstack([X, X, X]), np.repeat([0.0, 1.0, 1.0], n)])
    outcome = np.concatenate([y, y, 1 - y])
    return logit.maximise(stacked, outcome, np.concatenate([np.ones(n), leverage / 2, leverage / 2]))[:-1]


def estimate(design: Design) -> Estimated:
    """Firth's estimates for a design, with profile limits and tests; fixed effects are estimated, not
    profiled.

    The standard errors are those of the Fisher information of the data (Heinze and Schemper), the
    log-likelihood is the penalised one, `fitted` are probabilities by FLIC. No theory makes these limits
    robust to clusters: a model that names a cluster is fitted without it, and says so.
    """
    X, y = design.X, design.y
    beta, best, _ = maximise(X, y)
    eta = X @ beta
    shift = flic(eta, y)
    named = design.model.cluster
    return Estimated(
        coefficients=beta,
        covariance=inverse_gram(X, expit(eta) * expit(-eta)),
        inference=profile(X, y, beta, best, range(X.shape[1] - design.effects)),
        degrees_of_freedom=np.inf,
        log_likelihood=best,
        converged=True,
        condition_number=condition_number(X * np.sqrt(expit(eta) * expit(-eta))[:, None]),
        fitted=expit(eta + shift),
        effective_clusters=None,
        shift=shift,
        flac=flac(X, y, beta),
        note=f"profile penalised-likelihood limits, which take no account of clusters ({named})"
        if named
        else "",
    )

"""Many logits on one matrix at once, each with weights and outcome of its own, by Newton's method.

The information matrices of all fits are one product: weights (fits, n) times the products of columns
(n, k(k+1)/2). Each fit is made of the rows that weigh something in it and of nothing else, to the last bit:
no centring, scaling or start is shared, and a fit that has converged is frozen.
"""

from __future__ import annotations

import numpy as np

STEPS = 25  # a maximum that exists is reached in about ten
CONVERGED = 1e-13  # squared Newton decrement, after which the last step is still taken
CERTAIN = 1e-13  # p(1-p) below which probabilities are 0 and 1, and no score tells a maximum from none
SMALLEST = 1e-10  # eigenvalue of the scaled information below which a fit goes to a sturdier method
FITS = 17  # at a time: few enough that their arrays stay in the cache, and one slow fit holds up few


def maximise_many(
    X: np.ndarray, Y: np.ndarray, W: np.ndarray, offset: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The maximum-likelihood coefficients of many logits.

    Parameters
    ----------
    X : (n, k), finite, the first column ones. Y : (n,) or (fits, n), 0 and 1. W : (fits, n), not negative;
        a row of weight 0 takes no part in that fit. offset : (n,), known parts of the linear predictor.

    Returns
    -------
    beta : (fits, k), NaN where not converged. converged : (fits,) bool. That Newton's method converges to a
        point of full rank, with no probability of 0 or 1, proves that the maximum exists there. Otherwise the
        outcome may be separated or a column constant, and the caller must look.
    """
    pairs = np.triu_indices(X.shape[1])
    products = X[:, pairs[0]] * X[:, pairs[1]]
    parts = []
    for start in range(0, len(W), FITS):
        own = slice(start, start + FITS)
        parts.append(_maximise(X, products, pairs, Y if Y.ndim == 1 else Y[own], W[own], offset))
    beta, converged = zip(*parts, strict=True)
    return np.concatenate(beta), np.concatenate(converged)


def _maximise(
    X: np.ndarray,
    products: np.ndarray,
    pairs: tuple,
    Y: np.ndarray,
    W: np.ndarray,
    offset: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    fits, k = len(W), X.shape[1]
    beta, minus = np.zeros((fits, k)), -np.ascontiguousarray(X.T)
    P, rest = np.empty_like(W), np.empty_like(W)  # written over: new arrays of this size cost more than sums
    with np.errstate(all="ignore"):
        total = W.sum(axis=1)
        share = (W * Y).sum(axis=1) / total
        beta[:, 0] = np.log(share / (1 - share)) - (0.0 if offset is None else W @ offset / total)
        moving = np.isfinite(beta[:, 0])
        beta[~moving] = 0.0
        converged, taken = np.zeros(fits, bool), np.zeros((fits, k))
        last, bar = np.full(fits, np.inf), np.full(fits, np.inf)
        for step in range(STEPS):
            np.matmul(beta, minus, out=P)
            if offset is not None:
                P -= offset
            np.exp(P, out=P)
            P += 1
            np.reciprocal(P, out=P)
            np.subtract(Y, P, out=rest)
            rest *= W
            score = rest @ X
            np.subtract(1, P, out=rest)
            P *= rest
            P *= W
            move, decrement, information = _newton(P @ products, pairs, score)
            if step == 0:
                moving &= np.isfinite(decrement) & _has_rank(information)
            # half of a step that helped little is taken back, and again as long as it led away
            ahead = moving & (decrement <= bar)
            back = moving & ~ahead
            taken[ahead], last[ahead], bar[ahead] = move[ahead], decrement[ahead], decrement[ahead] / 2
            taken[back] *= -0.5
            beta[moving] += taken[moving]
            taken[back] *= -1
            bar[back] = last[back]
            arrived = ahead & (decrement < CONVERGED)
            converged |= arrived
            moving &= ~arrived
            if not moving.any():
                break
        np.add(P, W == 0, out=rest)
        certain = rest.min(axis=1) < CERTAIN * W.max(axis=1)
        converged &= _has_rank(information) & ~certain
    beta[~converged] = np.nan
    return beta, converged


def _newton(flat: np.ndarray, pairs: tuple, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Newton's steps (fits, k), their squared decrements (fits,), and the information (fits, k, k) scaled to
    a diagonal of ones."""
    fits, k = score.shape
    information = np.empty((fits, k, k))
    information[:, pairs[0], pairs[1]] = flat
    information[:, pairs[1], pairs[0]] = flat
    scale = 1 / np.sqrt(np.einsum("fkk->fk", information))
    information *= scale[:, :, None]
    information *= scale[:, None, :]
    broken = ~np.isfinite(information).all(axis=(1, 2))
    information[broken] = np.eye(k)
    # a hair's breadth on the diagonal keeps an exactly singular matrix from stopping all the other fits
    move = np.linalg.solve(information + 1e-12 * np.eye(k), (score * scale)[:, :, None])[:, :, 0] * scale
    decrement = (move * score).sum(axis=1)
    return move, np.where(broken, np.nan, decrement), information


def _has_rank(information: np.ndarray) -> np.ndarray:
    """(fits,) bool: no combination of the columns is constant in the rows that count."""
    return np.linalg.eigvalsh(information)[:, 0] > SMALLEST

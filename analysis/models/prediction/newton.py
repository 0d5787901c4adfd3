"""Many logits on one matrix at once, each with weights and outcome of its own, by Newton's method.

The information matrices of all fits are one product: weights (fits, n) times the products of columns
(n, k(k+1)/2). Each fit is made of the rows that weigh something in it and of nothing else, to the last bit:
no centring, scaling or start is shared, and a fit that has converged is frozen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

STEPS = 25  # a maximum that exists is reached in about ten
CONVERGED = 1e-13  # squared Newton decrement at a mean weight of one, after which a last step is still taken
CERTAIN = 30.0  # log odds beyond which no score tells a maximum from none
SMALLEST = 1e-10  # eigenvalue of the scaled information below which a fit goes to a sturdier method
FITS, ROWS = 64, 512  # at a time


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
    spans = [slice(start, start + ROWS) for start in range(0, len(X), ROWS)]
    columns = [
        (-np.ascontiguousarray(part.T), part, part[:, pairs[0]] * part[:, pairs[1]])
        for part in (X[span] for span in spans)
    ]
    parts = []
    for start in range(0, len(W), FITS):
        own = slice(start, start + FITS)
        labels = Y if Y.ndim == 1 else Y[own]
        known = [None if offset is None else offset[span] for span in spans]
        pieces = [
            _Piece(*fixed, labels[..., span], W[own, span], extra)
            for fixed, span, extra in zip(columns, spans, known, strict=True)
        ]
        start, unit = _start(labels, W[own], offset)
        parts.append(_maximise(pieces, pairs, start, unit))
    beta, converged = zip(*parts, strict=True)
    return np.concatenate(beta), np.concatenate(converged)


class _Piece(NamedTuple):
    """Some rows of every fit: few enough that what is made of them stays in the cache."""

    minus: np.ndarray  # -X', (k, rows)
    X: np.ndarray
    products: np.ndarray  # of pairs of columns, (rows, k(k+1)/2)
    Y: np.ndarray
    W: np.ndarray
    offset: np.ndarray | None


def _start(Y: np.ndarray, W: np.ndarray, offset: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """(fits,) the intercept that gives each fit its share of events, not finite where there is none; and the
    mean of its weights that are not 0."""
    with np.errstate(all="ignore"):
        total = W.sum(axis=1)
        share = (W @ Y if Y.ndim == 1 else (W * Y).sum(axis=1)) / total
        start = np.log(share / (1 - share)) - (0.0 if offset is None else W @ offset / total)
        return start, total / np.count_nonzero(W, axis=1)


def _maximise(
    pieces: list[_Piece], pairs: tuple, start: np.ndarray, unit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    fits, k = len(start), pieces[0].X.shape[1]
    moving = np.isfinite(start)
    beta = np.zeros((fits, k))
    beta[moving, 0] = start[moving]
    converged, taken = np.zeros(fits, bool), np.zeros((fits, k))
    last, bar = np.full(fits, np.inf), np.full(fits, np.inf)
    with np.errstate(all="ignore"):
        for step in range(STEPS):
            score, flat = _derivatives(pieces, beta)
            move, decrement, information = _newton(flat, pairs, score)
            decrement /= unit
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
        converged &= _has_rank(information) & (_furthest(pieces, beta) < CERTAIN)
    beta[~converged] = np.nan
    return beta, converged


def _derivatives(pieces: list[_Piece], beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores (fits, k) and information (fits, k(k+1)/2)."""
    score, flat = 0.0, 0.0
    P = rest = np.empty((0, 0))
    for piece in pieces:
        if P.shape != piece.W.shape:
            # written over again and again: new arrays of this size cost more than the sums
            P, rest = np.empty_like(piece.W), np.empty_like(piece.W)
        np.matmul(beta, piece.minus, out=P)
        if piece.offset is not None:
            P -= piece.offset
        np.exp(P, out=P)
        P += 1
        np.reciprocal(P, out=P)
        np.subtract(piece.Y, P, out=rest)
        rest *= piece.W
        score = score + rest @ piece.X
        np.subtract(1, P, out=rest)
        P *= rest
        P *= piece.W
        flat = flat + P @ piece.products
    return score, flat


def _furthest(pieces: list[_Piece], beta: np.ndarray) -> np.ndarray:
    """(fits,) the largest log odds, either way, of a row that weighs something."""
    furthest = np.zeros(len(beta))
    for piece in pieces:
        eta = np.abs(beta @ piece.minus - (0.0 if piece.offset is None else piece.offset))
        eta *= piece.W > 0
        np.maximum(furthest, eta.max(axis=1), out=furthest)
    return furthest


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

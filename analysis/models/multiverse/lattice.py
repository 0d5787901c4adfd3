"""Least squares on every subset of the controls, without a specification touching the rows.

A symmetric sweep on pivot d replaces a_ik by a_ik - a_ij a_jk / d (Goodnight, "A Tutorial on the SWEEP
Operator", American Statistician 33, 1979). A tree doubles the specifications with each control: those
without it, and those with it swept in. A control that has been decided on is never a pivot again, so that its
row is dropped: at the leaves two rows are left, the focal variable's and the outcome's, and they hold what is
needed. Specifications lie along the last axis, so that each step is one operation on long runs of memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

DEFICIENT = 1e-13  # a pivot below this, of columns of length one, is no more than rounding
DOUBTFUL = 1e-5  # below this the digits of a sweep run out: such specifications are fitted by QR
BLOCK = 1024  # specifications whose working arrays fit into a cache together


@dataclass(frozen=True, eq=False)
class Swept:
    """The least-squares fits of m specifications; p regressors, the focal one first.

    Parameters
    ----------
    toward : (p, m), the focal row of the inverse of X'X; 0 for a control that is not in.
    coefficients : (p, m), likewise.
    unexplained : (m,), the residual sum of squares.
    least : (m,), the least pivot; of columns of length one.
    """

    toward: np.ndarray
    coefficients: np.ndarray
    unexplained: np.ndarray
    least: np.ndarray


def masks(k: int) -> np.ndarray:
    """Which of k controls each subset holds, (2^k, k) bool, in binary-count order.

    Subset number i holds control j when bit j of i is set.

    >>> masks(2).astype(int).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    return (np.arange(2**k)[:, None] >> np.arange(k) & 1).astype(bool)


def every(products: np.ndarray) -> Iterator[tuple[slice, Swept]]:
    """The fits of all 2^k subsets in binary-count order, in blocks of at most `BLOCK`.

    Parameters
    ----------
    products : (k + 2, k + 2), the cross-products of focal variable, k controls and outcome, each scaled to
        length one.
    """
    k = len(products) - 2
    low = min(k, BLOCK.bit_length() - 1)
    rows, least = _start(products)
    for control in range(k, low, -1):  # the controls of the high bits: a block for each of their subsets
        without, within, pivot = _decide(rows, control, at=len(rows) - 1)
        order = np.arange(2 * without.shape[2]).reshape(2, -1).T.ravel()
        rows = np.concatenate([without, within], axis=2)[:, :, order]
        least = np.concatenate([least, np.minimum(least, pivot)])[order]
    for block in range(rows.shape[2]):
        yield slice(block << low, (block + 1) << low), _double(rows[:, :, [block]], least[[block]])


def chosen(products: np.ndarray, subsets: np.ndarray) -> Iterator[tuple[slice, Swept]]:
    """The fits of the given subsets (m, k), in blocks.

    Parameters
    ----------
    products : as for `every`.
    """
    first, least = _start(products)
    for begin in range(0, len(subsets), BLOCK):
        among = subsets[begin : begin + BLOCK]
        rows, lowest = np.repeat(first, len(among), axis=2), np.repeat(least, len(among))
        for j, held in enumerate(among.T):
            without, within, pivot = _decide(rows, j + 1, at=2)
            rows = np.where(held, within, without)
            lowest = np.where(held, np.minimum(lowest, pivot), lowest)
        yield slice(begin, begin + len(among)), _leaves(rows, lowest)


def _start(products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows (focal, outcome, controls) x columns x 1 with the focal variable swept in, and its pivot."""
    k = len(products) - 2
    order = [0, k + 1, *range(1, k + 1)]
    rows = products[order][:, :, None]
    pivot = rows[0, 0]
    row = rows[0] / _safe(pivot)
    swept = rows - rows[:, [0]] * row[None]
    swept[:, 0], swept[0] = rows[:, 0] / _safe(pivot), row
    swept[0, 0] = -1.0 / _safe(pivot)
    return swept, pivot


def _decide(rows: np.ndarray, control: int, at: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows without a control and with it swept in, its own row dropped, and its pivots.

    Parameters
    ----------
    rows : (r, k + 2, m). control : its column. at : its row.
    """
    pivot, own = rows[at, control], rows[at]
    rest = np.concatenate([rows[:at], rows[at + 1 :]])
    row = own / _safe(pivot)
    within = rest - rest[:, [control]] * row[None]
    within[:, control] = rest[:, control] / _safe(pivot)
    rest[:, control] = 0.0
    return rest, within, pivot


def _double(rows: np.ndarray, least: np.ndarray) -> Swept:
    """The leaves under one node: its controls taken in the order of their bits."""
    for control in range(1, len(rows) - 1):
        without, within, pivot = _decide(rows, control, at=2)
        rows = np.concatenate([without, within], axis=2)
        least = np.concatenate([least, np.minimum(least, pivot)])
    return _leaves(rows, least)


def _leaves(rows: np.ndarray, least: np.ndarray) -> Swept:
    return Swept(toward=-rows[0, :-1], coefficients=rows[1, :-1], unexplained=rows[1, -1], least=least)


def _safe(pivot: np.ndarray) -> np.ndarray:
    """The pivot where it can divide, else 1; such specifications are told by their least pivot."""
    return np.where(pivot > DEFICIENT, pivot, 1.0)

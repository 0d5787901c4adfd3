"""Curves under the null that the focal variable says nothing, with the structure of the states kept.

Restricted wild bootstrap: each specification is fitted without the focal variable, and its residuals get
their cluster's sign, one draw of signs serving all specifications, so that their dependence is that of the
data (`analysis.models.bootstrap` for one specification, logits being linearised at the restricted fit).
Within-state permutation: the focal variable's values are shuffled among the rows of each state, so that every
state keeps its values; the curve is then run anew. Everything is sums by cluster; no draw touches a fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from analysis.errors import ModelError
from analysis.models import lpm
from analysis.models.multiverse import lattice, linear, logistic
from analysis.models.multiverse.prepare import Prepared
from analysis.models.permutation import varying

AT_ONCE = 32  # specifications whose draws fit into a cache together


@dataclass(frozen=True, eq=False)
class Restricted:
    """What the draws of m specifications need, fitted without the focal variable; c columns, G clusters.

    Parameters
    ----------
    inverse : (m, c, c), of the information, 0 for columns that are not in. focal : its position.
    pushes : (m, c, G), each cluster's score. taken : (m, c, G), its part of the information in the direction
        of the focal coefficient.
    scale : what a coefficient is multiplied by to be in the units of the data.
    """

    inverse: np.ndarray
    focal: int
    pushes: np.ndarray
    taken: np.ndarray
    scale: float


def wild(
    prepared: Prepared, held: np.ndarray, signs: np.ndarray
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Blocks of estimates and t statistics (specifications, draws) under the restricted wild bootstrap.

    Parameters
    ----------
    held : (m, usable controls), which subsets. signs : (G, draws), in the order of `prepared.labels`.

    Raises
    ------
    ModelError : no clusters.
    """
    if prepared.clusters is None:
        raise ModelError(
            "The wild bootstrap of a curve needs a cluster, to whose rows a draw gives one sign."
        )
    restricted = linear_restricted if prepared.estimator == "lpm" else logit_restricted
    n, G = len(prepared.y), prepared.clusters
    for block, given in restricted(prepared, held):
        sizes = prepared.counted + 1 + held[block].sum(axis=1)
        factor = G / (G - 1) * (n - 1) / np.maximum(n - sizes, 1)
        for begin in range(0, len(sizes), AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            yield (
                slice(block.start + begin, min(block.start + begin + AT_ONCE, block.stop)),
                *drawn(given, some, signs, factor[some]),
            )


def drawn(
    given: Restricted, some: slice, signs: np.ndarray, factor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and statistics (specifications, draws): no draw is fitted.

    With own_g the cluster's push on the focal coefficient, its score of a draw is own_g v_g less what the
    draw's coefficients take away, of which the sum of squares is a quadratic form in few terms.
    """
    solved = given.inverse[some] @ given.pushes[some]  # (m, c, G)
    taken, own = given.taken[some], solved[:, given.focal]
    moved = solved @ signs  # (m, c, draws)
    quadratic = (taken @ taken.transpose(0, 2, 1)) @ moved
    quadratic -= 2 * ((taken * own[:, None]) @ signs)
    squares = (own**2).sum(axis=1)[:, None] + np.einsum("mcb,mcb->mb", moved, quadratic)
    estimates = moved[:, given.focal]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.nan_to_num(estimates / np.sqrt(factor[:, None] * np.maximum(squares, 0.0)), posinf=0, neginf=0)
    return estimates * given.scale, t


def linear_restricted(prepared: Prepared, held: np.ndarray) -> Iterator[tuple[slice, Restricted]]:
    """Least squares: all from the clusters' cross-products."""
    given = linear.sums(prepared)
    crossed, constant = given.clusters, not prepared.groups
    if constant:  # the signs move the constant too; effects within clusters they leave where they are
        root = np.ones(len(prepared.y)) if prepared.weights is None else np.sqrt(prepared.weights)
        level = (root / np.linalg.norm(root))[:, None]
        columns = np.column_stack([given.columns[:, :-1], level, given.columns[:, -1]])
        crossed = linear.by_cluster(columns, prepared)
    crossed = crossed[:, :-1]  # (G, c, c + 1)
    G, c, _ = crossed.shape
    total = crossed[:, :, :-1].sum(axis=0)
    always = np.ones(len(held), bool)
    inside = np.column_stack([always, held, always] if constant else [always, held])
    for block, fits in lattice.chosen(given.total, held):
        among = inside[block]
        square = total * (among[:, :, None] & among[:, None, :])
        square[:, np.arange(c), np.arange(c)] += ~among
        inverse = np.linalg.inv(square) * (among[:, :, None] & among[:, None, :])
        toward = inverse[:, 0].T  # (c, m)
        rest = -np.concatenate([fits.coefficients, np.zeros((int(constant), len(among)))])
        rest -= rest[0] * toward / toward[0]
        residual = np.concatenate([rest, np.ones((1, len(among)))])
        pushes = (crossed.reshape(G * c, c + 1) @ residual).reshape(G, c, -1)
        taken = (crossed[:, :, :-1].reshape(G * c, c) @ toward).reshape(G, c, -1)
        scale = given.lengths[-1] / given.lengths[0]
        pushes, taken = (np.ascontiguousarray(each.transpose(2, 1, 0)) for each in (pushes, taken))
        yield block, Restricted(inverse, 0, pushes, taken, scale)


def logit_restricted(prepared: Prepared, held: np.ndarray) -> Iterator[tuple[slice, Restricted]]:
    """Logits: fitted without the focal variable, and linearised there."""
    Z, scale = logistic.standardised(prepared)
    weights = np.ones(len(Z)) if prepared.weights is None else prepared.weights
    newton = logistic.Newton(prepared, Z, weights)
    before = prepared.base.shape[1]
    inside = np.column_stack([np.ones((len(held), before + 1), bool), held])
    without = inside.copy()
    without[:, before] = False
    spans = [slice(begin, end) for begin, end in pairwise([*prepared.starts(), len(Z)])]
    for begin in range(0, len(held), AT_ONCE):
        block = slice(begin, min(begin + AT_ONCE, len(held)))
        beta, _, _ = newton(without[block], np.zeros(without[block].shape))
        for i in np.flatnonzero(~np.isfinite(beta).all(axis=1)):
            columns = without[block][i]
            beta[i] = 0.0
            beta[i, columns] = logistic.logit.maximise(Z[:, columns], prepared.y, weights)
        residuals, density = newton.rows(beta)
        among = inside[block]
        inverse = np.linalg.inv(newton.information(density @ newton.products, among))
        inverse *= among[:, :, None] & among[:, None, :]
        along = (inverse[:, before] @ Z.T) * density
        pushes = np.stack([residuals[:, span] @ Z[span] for span in spans], axis=2)
        taken = np.stack([along[:, span] @ Z[span] for span in spans], axis=2)
        yield block, Restricted(inverse, before, pushes, taken, 1.0 / scale)


def permuted(
    prepared: Prepared, held: np.ndarray, groups: np.ndarray, draws: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each draw's estimates and t statistics, (specifications,), the focal variable shuffled within groups.

    Parameters
    ----------
    held : (m, usable controls). groups : (n,), as 0, 1, ... .

    Raises
    ------
    ModelError : no clusters, another estimator than `lpm`, or a variable that no group has two values of.
    """
    if prepared.estimator != "lpm" or prepared.clusters is None:
        raise ModelError("A curve is permuted for the clustered linear model; use null='wild_bootstrap'.")
    if varying(prepared.X[:, 0], groups) == 0:
        raise ModelError(
            f"{prepared.focal!r} does not vary within any group, so that shuffling says nothing."
        )
    given = linear.sums(prepared)
    n, G = len(prepared.y), prepared.clusters
    every = len(held) == 2 ** held.shape[1]
    factor = G / (G - 1) * (n - 1) / np.maximum(n - prepared.counted - 1 - held.sum(axis=1), 1)
    rng = np.random.default_rng(seed)
    place = np.argsort(groups, kind="stable")
    root = None if prepared.weights is None else np.sqrt(prepared.weights)
    means = prepared.groups or (np.zeros(n, dtype=int),)
    begins, columns = prepared.starts(), given.columns.copy()
    for _ in range(draws):
        shuffled = np.empty(n)
        shuffled[place] = prepared.X[np.argsort(2.0 * groups + rng.random(n)), 0]
        x = lpm.demean(shuffled[:, None], means, prepared.weights)[:, 0]
        x = x if root is None else x * root
        length = np.linalg.norm(x)
        columns[:, 0] = x / length
        sums = _with_focal(given, columns, begins)
        yield _curve(sums, held, factor, given.lengths[-1] / length, every)


def _with_focal(given: linear.Sums, columns: np.ndarray, begins: np.ndarray) -> linear.Sums:
    """The sums with another focal column, the first of `columns`."""
    parts = np.add.reduceat(columns * columns[:, [0]], begins, axis=0)  # (G, p + 1)
    clusters, total = given.clusters.copy(), given.total.copy()
    clusters[:, 0] = clusters[:, :, 0] = parts
    total[0] = total[:, 0] = parts.sum(axis=0)
    return replace(given, columns=columns, clusters=clusters, total=total)


def _curve(
    sums: linear.Sums, held: np.ndarray, factor: np.ndarray, scale: float, every: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and t statistics of one draw."""
    estimate, t = np.empty(len(held)), np.empty(len(held))
    stacked = linear.stack(sums.clusters)
    for block, fits in lattice.every(sums.total) if every else lattice.chosen(sums.total, held):
        squares = linear.focal_squares(fits, sums, stacked)
        estimate[block] = fits.coefficients[0] * scale
        t[block] = fits.coefficients[0] / np.sqrt(factor[block] * squares)
    return estimate, t

"""General dominance: what each block adds to a fit, averaged over all orders in which blocks can enter.

The Shapley value of a measure of fit (Lindeman, Merenda and Gold, 1980, for R-squared; Budescu, Psychological
Bulletin 114, 1993, and Azen and Traxel, Journal of Educational and Behavioral Statistics 34, 2009, for
McFadden's): the shares sum to the measure of the whole model.
"""

from __future__ import annotations

from math import comb

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models.prediction.evaluation import interval, resampled
from analysis.models.prediction.held_out import FITTERS, Rows, linear
from analysis.models.prediction.metrics import losses


def general_dominance(values: np.ndarray) -> np.ndarray:
    """Each block's share of a measure.

    Parameters
    ----------
    values : (2^m, ...), the measure of every subset of m blocks in binary-count order: block j is in the
        subset of number s where s has the bit 2^j.

    Returns
    -------
    (m, ...), which sums over the blocks to `values[-1] - values[0]`.

    Examples
    --------
    >>> general_dominance(np.array([0.0, 0.3, 0.1, 0.4])).round(3).tolist()
    [0.3, 0.1]
    """
    blocks = len(values).bit_length() - 1
    if len(values) != 1 << blocks:
        raise ModelError(f"{len(values)} values are not those of every subset of some blocks.")
    numbers = np.arange(len(values))
    sizes = np.array([bin(number).count("1") for number in numbers])
    shares = []
    for block in range(blocks):
        without = numbers[(numbers >> block) & 1 == 0]
        weight = np.array([1 / (blocks * comb(blocks - 1, size)) for size in sizes[without]])
        shares.append(np.tensordot(weight, values[without | 1 << block] - values[without], axes=1))
    return np.array(shares)


def subset_losses(rows: Rows, blocks: dict[str, tuple[str, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """The log loss of every subset of blocks, summed by group: in sample, and with each group held out.

    Parameters
    ----------
    rows : of a logit. blocks : names of its terms by block, each term in one block.

    Returns
    -------
    inside, held_out : (2^m, G).

    Raises
    ------
    ModelError : a term in no block, or in two, or one that the model does not have.
    """
    terms = [term.name for term in rows.terms]
    named = [name for members in blocks.values() for name in members]
    if sorted(named) != sorted(terms):
        odd = sorted(set(terms) ^ set(named)) or sorted(name for name in named if named.count(name) > 1)
        raise ModelError(f"Model {rows.model.name!r}: each term needs one block; see {', '.join(odd)}.")
    groups = len(rows.labels)
    # the last fit leaves out nobody
    masks = (rows.codes != np.arange(groups + 1)[:, None]) * rows.weights
    found = []
    for subset in range(1 << len(blocks)):
        chosen = {name for bit, part in enumerate(blocks.values()) if subset >> bit & 1 for name in part}
        X = rows.X[:, [True, *(name in chosen for name in terms)]]
        coefficients, _ = FITTERS[rows.model.estimator](X, rows.y, masks)
        etas = linear(X, coefficients[groups]), linear(X, coefficients[rows.codes])
        found.append(
            [
                np.bincount(rows.codes, weights=losses(rows.y, 1 / (1 + np.exp(-eta))), minlength=groups)
                for eta in etas
            ]
        )
    inside, held_out = zip(*found, strict=True)
    return np.array(inside), np.array(held_out)


def dominance_table(rows: Rows, blocks: dict[str, tuple[str, ...]], draws: int, seed: int) -> pd.DataFrame:
    """Shares of McFadden's R-squared and of the reduction of held-out log loss, by block.

    Returns
    -------
    DataFrame `block, terms, measure, estimate, conf_low, conf_high`, and a row `all` a measure. Limits by
    resampling states, the fits held fixed.
    """
    inside, held_out = subset_losses(rows, blocks)
    counts = resampled(len(rows.labels), draws, seed)
    sizes = np.bincount(rows.codes)
    measures = {
        "mcfadden_r2": lambda c: 1 - inside @ c / (inside[:1] @ c),
        "held_out_log_loss": lambda c: (held_out[:1] @ c - held_out @ c) / (sizes @ c),
    }
    tables = []
    for measure, value in measures.items():
        point, spread = (general_dominance(value(c)) for c in (np.ones(len(sizes)), counts.T))
        point, spread = np.append(point, point.sum()), np.vstack([spread, spread.sum(axis=0)])
        low, high = zip(*map(interval, spread), strict=True)
        tables.append(
            pd.DataFrame(
                {
                    "block": [*blocks, "all"],
                    "terms": [*(";".join(part) for part in blocks.values()), ""],
                    "measure": measure,
                    "estimate": point,
                    "conf_low": low,
                    "conf_high": high,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)

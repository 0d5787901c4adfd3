"""What carries a prediction: how much worse it gets when a column is shuffled inside a held-out state.

The fits stay as they are, each without the state; only the values that it is given are permuted, within the
state. What is constant in a state cannot be permuted there, and is no measure of its worth: it may carry what
the model says of the state as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from analysis.models.prediction import metrics
from analysis.models.prediction.evaluation import interval
from analysis.models.prediction.held_out import HeldOut
from analysis.models.terms import product

PERMUTATIONS = 20


def permutation_importance(
    found: HeldOut,
    data: pd.DataFrame,
    sets: Mapping[str, tuple[str, ...]],
    counts: np.ndarray,
    seed: int,
    permutations: int = PERMUTATIONS,
) -> pd.DataFrame:
    """The importance of columns, and of groups of columns that are permuted together.

    Parameters
    ----------
    found : from `predict_held_out`. data : the frame that it was made on.
    sets : columns by the name that the table gives them; products follow their columns.
    counts : (draws, G), from `resampled`.

    Returns
    -------
    DataFrame `set, columns, metric, estimate, conf_low, conf_high, states, note`. Metric `log_loss`: what is
    added to the mean held-out log loss of the rows of the states where a column of the set varies;
    `auc_within`: what is lost of the AUC over pairs of one state there. Limits by resampling states. Numbers
    are empty, the note `n/a`, where the set is constant in every state.
    """
    rows = found.rows
    groups = len(rows.labels)
    parts = dict.fromkeys(part for term in rows.terms for part in term.parts)
    values = {part: data[part].to_numpy(float, na_value=np.nan)[rows.used] for part in parts}
    before = found.respond(rows.X)
    starting = _sums(rows.y, before, rows.codes, groups)
    tables = []
    for position, (name, columns) in enumerate(sets.items()):
        varies = np.zeros(groups, bool)
        for column in columns:
            low, high = (
                pd.Series(values[column]).groupby(rows.codes).agg(how).to_numpy() for how in ("min", "max")
            )
            varies |= low < high
        table = {"set": name, "columns": ";".join(columns), "states": int(varies.sum())}
        if not varies.any():
            note = "n/a: constant in every state"
            tables += [table | {"metric": metric, "note": note} for metric in ("log_loss", "auc_within")]
            continue
        rng = np.random.default_rng([seed, position])
        after = np.mean(
            [
                _sums(rows.y, found.respond(_shuffled(found, values, columns, rng)), rows.codes, groups)
                for _ in range(permutations)
            ],
            axis=0,
        )
        for metric, (estimate, spread) in _changes(starting, after, varies, counts).items():
            low, high = interval(spread)
            tables.append(
                table
                | {
                    "metric": metric,
                    "estimate": estimate,
                    "conf_low": low,
                    "conf_high": high,
                    "note": "",
                }
            )
    columns = ["set", "columns", "metric", "estimate", "conf_low", "conf_high", "states", "note"]
    return pd.DataFrame(tables, columns=columns)


def _shuffled(found: HeldOut, values: dict, columns: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """X with the columns, together, in a random order within each group."""
    codes = found.rows.codes
    home = np.argsort(codes, kind="stable")
    away = np.lexsort((rng.random(len(codes)), codes))
    moved = dict(values)
    for column in columns:
        moved[column] = np.empty(len(codes))
        moved[column][home] = values[column][away]
    touched = [product(term, moved) for term in found.rows.terms]
    return np.column_stack([np.ones(len(codes)), *touched])


def _sums(y: np.ndarray, p: np.ndarray, codes: np.ndarray, groups: int) -> np.ndarray:
    """By group: log loss, rows, pairs in order, pairs; (4, G)."""
    _, level = np.unique(p, return_inverse=True)
    ranks = rankdata(codes.astype(np.int64) * len(p) + level)  # groups one after the other, ties shared
    rows = np.bincount(codes, minlength=groups)
    events = np.bincount(codes, weights=y, minlength=groups)
    before = np.cumsum(rows) - rows
    inside = np.bincount(codes, weights=y * (ranks - before[codes]), minlength=groups)
    loss = np.bincount(codes, weights=metrics.losses(y, p), minlength=groups)
    return np.array([loss, rows, inside - events * (events + 1) / 2, events * (rows - events)])


def _changes(before: np.ndarray, after: np.ndarray, varies: np.ndarray, counts: np.ndarray) -> dict:
    """Each metric's change, and its value in every sample of states."""
    loss, rows, right, pairs = before
    weights = np.vstack([np.ones(len(varies)), counts]) * varies
    with np.errstate(all="ignore"):
        added = weights @ (after[0] - loss) / (weights @ rows)
        lost = weights @ (right - after[2]) / (weights @ pairs)
    return {"log_loss": (added[0], added[1:]), "auc_within": (lost[0], lost[1:])}

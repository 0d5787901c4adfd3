"""What predictions are worth: measures with limits, calibration curves, and what happened in each state.

Limits come from drawing states with replacement, the predictions held fixed: every row keeps the prediction
of the fit that had not seen its state, however often the state is drawn, so that none ever trains on itself.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.models.prediction import metrics
from analysis.models.prediction.held_out import FITTERS, Rows, linear, response
from analysis.models.terms import labels_of, numbers

DRAWS, SEED = 999, 20250531
CALIBRATION_DRAWS = 250  # the first of them: each takes two fits
BINS = 10


def resampled(groups: int, draws: int = DRAWS, seed: int = SEED) -> np.ndarray:
    """(draws, groups): how often each group is in each sample of that many groups with replacement."""
    drawn = np.random.default_rng(seed).integers(groups, size=(draws, groups))
    return np.array([np.bincount(row, minlength=groups) for row in drawn]).astype(float)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the draws that have a value; NaN where fewer than half do."""
    there = values[np.isfinite(values)]
    if 2 * len(there) < len(values) or not len(there):
        return np.nan, np.nan
    low, high = np.percentile(there, [2.5, 97.5])
    return float(low), float(high)


def in_sample(rows: Rows) -> np.ndarray:
    """(n,) predictions by the fit on all rows, which has seen each of them."""
    coefficients, _ = FITTERS[rows.model.estimator](rows.X, rows.y, rows.weights[None])
    return response(rows.model)(linear(rows.X, coefficients[0]))


def measure(
    y: np.ndarray, p: np.ndarray, base: np.ndarray, codes: np.ndarray, groups: int, counts: np.ndarray
) -> pd.DataFrame:
    """Every measure of one set of predictions with its limits.

    Parameters
    ----------
    y, p : (n,). base : (n,), the predictions of the base rate, for Brier's score relative to it.
    codes : (n,), the state of each row. counts : (draws, groups), from `resampled`.

    Returns
    -------
    DataFrame `metric, estimate, conf_low, conf_high, states`: `auc` (pairs over all states), `auc_within`
    (pairs of one state), `auc_averaged` (mean of the states with both), `brier`, `brier_skill` (1 less its
    ratio to the base rate's), `log_loss`, `log_loss_base` (that of the base rate), `calibration_in_the_large`
    and `calibration_slope`. `states`: how many the measure rests on.
    """
    right, pairs = metrics.concordance(y, p, codes, groups)
    own, both = np.diag(right), np.diag(pairs) > 0
    with np.errstate(all="ignore"):
        share = np.where(both, own / np.diag(pairs), 0.0)
    sums = {
        name: np.bincount(codes, weights=values, minlength=groups)
        for name, values in {
            "n": np.ones(len(y)),
            "brier": (y - p) ** 2,
            "base": (y - base) ** 2,
            "loss": metrics.losses(y, p),
            "loss_base": metrics.losses(y, base),
        }.items()
    }

    def every(c: np.ndarray) -> dict[str, np.ndarray]:
        with np.errstate(all="ignore"):
            return {
                "auc": np.einsum("dg,gh,dh->d", c, right, c) / np.einsum("dg,gh,dh->d", c, pairs, c),
                "auc_within": c @ own / (c @ np.diag(pairs)),
                "auc_averaged": c @ share / (c @ both),
                "brier": c @ sums["brier"] / (c @ sums["n"]),
                "brier_skill": 1 - c @ sums["brier"] / (c @ sums["base"]),
                "log_loss": c @ sums["loss"] / (c @ sums["n"]),
                "log_loss_base": c @ sums["loss_base"] / (c @ sums["n"]),
            }

    point, spread = every(np.ones((1, groups))), every(counts)
    with np.errstate(divide="ignore"):
        eta = np.log(p) - np.log1p(-p)
    large, slope = metrics.calibration(y, p)
    for name, value in (("calibration_in_the_large", large), ("calibration_slope", slope)):
        point[name], spread[name] = np.array([value]), np.full(len(counts), np.nan)
    if np.isfinite(slope):
        found = metrics.slopes_many(eta, y, counts[:CALIBRATION_DRAWS, codes])
        spread["calibration_in_the_large"], spread["calibration_slope"] = found
    low, high = zip(*(interval(values) for values in spread.values()), strict=True)
    states = [int(both.sum()) if name in ("auc_within", "auc_averaged") else groups for name in point]
    return pd.DataFrame(
        {
            "metric": list(point),
            "estimate": [values[0] for values in point.values()],
            "conf_low": low,
            "conf_high": high,
            "states": states,
        }
    )


def calibration_curve(
    y: np.ndarray, p: np.ndarray, codes: np.ndarray, counts: np.ndarray, bins: int = BINS
) -> pd.DataFrame:
    """Rows in order of their probability, in bins of equal number: predicted and observed share.

    Returns
    -------
    DataFrame `bin` (1 lowest), `rows, events, lowest, highest, predicted, observed, conf_low, conf_high`, the
    limits of the observed share by resampling states.
    """
    order = np.argsort(p, kind="stable")
    rank = np.empty(len(p), int)
    rank[order] = np.arange(len(p))
    where = rank * min(bins, len(p)) // len(p)
    groups = counts.shape[1]
    table = []
    for number in range(int(where.max()) + 1):
        own = where == number
        size = np.bincount(codes[own], minlength=groups)
        events = np.bincount(codes[own], weights=y[own], minlength=groups)
        with np.errstate(all="ignore"):
            low, high = interval(counts @ events / (counts @ size))
        table.append(
            {
                "bin": number + 1,
                "rows": int(own.sum()),
                "events": int(y[own].sum()),
                "lowest": p[own].min(),
                "highest": p[own].max(),
                "predicted": p[own].mean(),
                "observed": y[own].mean(),
                "conf_low": low,
                "conf_high": high,
            }
        )
    return pd.DataFrame(table)


def calibration_of(
    predicted: pd.Series, observed: pd.Series | None, groups: pd.Series | None, bins: int
) -> pd.DataFrame:
    """The calibration curve of probabilities and outcomes on one index; limits where groups are given.

    Returns
    -------
    DataFrame as for `calibration_curve`; without groups `conf_low` and `conf_high` are missing.

    Raises
    ------
    DataError : no Series, indices that differ, values that are no probabilities or outcomes, no complete row.
    """
    given = {"predicted": predicted, "observed": observed}
    given |= {} if groups is None else {"groups": groups}
    for name, values in given.items():
        if not isinstance(values, pd.Series):
            raise DataError(
                f"{name} is to be a Series, not {type(values).__name__}.",
                remedy="give both by row: calibration_plot(probabilities, panel[outcome]).",
            )
        if not values.index.equals(predicted.index):
            raise DataError(
                f"{name} has another index than the probabilities.", remedy="take both from the same rows."
            )
    frame = pd.DataFrame({name: np.asarray(values) for name, values in given.items()}).dropna()
    p, y = numbers(frame, "predicted", "probabilities"), numbers(frame, "observed", "the outcome")
    if not len(frame) or not ((p >= 0) & (p <= 1)).all() or not np.isin(y, (0, 1)).all():
        raise DataError(
            "probabilities lie between 0 and 1, outcomes are 0 or 1, and a row has both.",
            remedy="mend the values.",
        )
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 1:
        raise DataError(f"bins={bins!r}.", remedy="give a whole number of at least 1.")
    codes, counts = np.zeros(len(frame), int), np.ones((1, 1))
    if groups is not None:
        codes, names = pd.factorize(labels_of(frame, "groups", "the groups"), sort=True)
        counts = resampled(len(names))
    curve = calibration_curve(y, p, codes, counts, bins)
    return curve if groups is not None else curve.assign(conf_low=np.nan, conf_high=np.nan)


def by_group(y: np.ndarray, p: np.ndarray, codes: np.ndarray, folds: pd.DataFrame) -> pd.DataFrame:
    """The folds of `HeldOut` with what was predicted and what happened.

    Returns
    -------
    `folds` and `expected` (sum of probabilities), `auc`, `brier`, `log_loss`, and `kind`: one row alone, none
    listed, all listed, or both; without both there is no AUC.
    """
    rows = []
    for code in range(len(folds)):
        own = codes == code
        listed = y[own].sum()
        kind = "none listed" if not listed else "all listed" if listed == own.sum() else "both"
        rows.append(
            {
                "kind": kind + (", one row" if own.sum() == 1 else ""),
                "expected": p[own].sum(),
                "auc": metrics.auc(y[own], p[own]),
                "brier": metrics.brier(y[own], p[own]),
                "log_loss": metrics.log_loss(y[own], p[own]),
            }
        )
    return pd.concat([folds, pd.DataFrame(rows)], axis=1)

"""How far each headline moves when the list is taken to be wrong, in one table.

Errors of this list depend on what the models hold (counties without a jail of their own are small), so that
they need not pull an estimate towards zero; random flips are therefore made stratum by stratum of size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.errors import ModelError
from analysis.models.prediction import metrics, misclassified
from analysis.models.prediction.held_out import FITTERS, Rows, linear, select
from analysis.models.prediction.newton import maximise_many
from analysis.models.spec import Model
from analysis.models.summaries import SAMPLES
from analysis.models.terms import derivative, numbers

EFFECTS = (
    "democratic_share_2024",
    "log_median_income",
    "foreign_born_share",
)  # those of a family that has them
FLIPS = (0.01, 0.05, 0.10)
FLIP_DRAWS = 20
SIZES = {
    "every size": (0, np.inf),
    "fewer than 5,000 residents": (0, 5_000),
    "5,000 to 25,000 residents": (5_000, 25_000),
    "25,000 to 100,000 residents": (25_000, 100_000),
    "100,000 residents or more": (100_000, np.inf),
}
FALSE_POSITIVES, FALSE_NEGATIVES = (0.0, 0.005, 0.01, 0.02), (0.0, 0.05, 0.1, 0.2)
COLUMNS = (
    "scenario", "detail", "headline", "sample", "estimate", "as_printed", "change", "low", "high", "draws",
    "note",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Headlines:
    """What is looked at: effects in three samples, and predictions of unseen states.

    Parameters
    ----------
    family : the rows of the pre-specified logit. samples : name -> (n,) bool of its rows.
    slopes : column -> (n, k), the derivative of each column of X; steps : (sample, column) -> one standard
        deviation there. predicted : the rows of the prediction.
    """

    family: Rows
    samples: dict[str, np.ndarray]
    slopes: dict[str, np.ndarray]
    steps: dict[tuple[str, str], float]
    predicted: Rows


def headlines(family: Model, prediction: Model, counties: pd.DataFrame) -> Headlines:
    """The headlines of two models of the same outcome on the counties."""
    rows = select(family.with_(cluster=None, sample=None), counties)
    used = counties[rows.used]
    samples = {
        name: np.ones(len(used), bool) if query is None else used.index.isin(used.query(query).index)
        for name, query in SAMPLES.items()
    }
    parts = dict.fromkeys(part for term in rows.terms for part in term.parts)
    columns = {part: numbers(used, part) for part in parts}
    named = [name for name in EFFECTS if name in columns]
    slopes = {
        name: np.column_stack([np.zeros(len(used)), *(derivative(t, name, columns) for t in rows.terms)])
        for name in named
    }
    steps = {
        (sample, name): float(np.std(columns[name][own], ddof=1))
        for sample, own in samples.items()
        for name in named
        if own.sum() > 1
    }
    return Headlines(rows, samples, slopes, steps, select(prediction, counties))


def values(what: Headlines, labels: np.ndarray, kept: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Every headline for many versions of the list.

    Parameters
    ----------
    labels : (draws, N) of 0 and 1, one column a county of the panel. kept : (N,) bool, counties not dropped.

    Returns
    -------
    (headline, sample) -> (draws,): average marginal effects of one standard deviation in probability; AUC
    (all pairs, and pairs of one state) and Brier's skill of the held-out predictions, on that same version
    of the list. NaN where a likelihood has no maximum.
    """
    found = {}
    family, Y = what.family, labels[:, what.family.used]
    for sample, own in what.samples.items():
        own = own & kept[family.used]
        X = family.X[own]
        beta = _fits(X, Y[:, own], np.ones((len(Y), len(X))))
        for name, slope in what.slopes.items():
            found[name, sample] = _effects(beta, X, slope[own]) * what.steps.get((sample, name), np.nan)
    fitted = FITTERS["logit"] if len(labels) == 1 else maximise_many  # one by one only what is not drawn
    scores = [_predict(what.predicted, row[what.predicted.used], kept, fitted) for row in labels]
    for position, name in enumerate(("auc", "auc_within", "brier_skill")):
        found[name, "all counties"] = np.array([row[position] for row in scores])
    return found


def _fits(X: np.ndarray, Y: np.ndarray, W: np.ndarray) -> np.ndarray:
    """(fits, k); NaN where there is no maximum, or too few rows."""
    if len(X) <= X.shape[1]:
        return np.full((len(W), X.shape[1]), np.nan)
    return maximise_many(X, Y, W)[0]


def _effects(beta: np.ndarray, X: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """(fits,) the average derivative of the probability."""
    with np.errstate(invalid="ignore"):
        p = expit(beta @ X.T)
        return (p * (1 - p) * (beta @ slope.T)).mean(axis=1)


def _predict(rows: Rows, y: np.ndarray, kept: np.ndarray, fitted: Callable) -> tuple[float, float, float]:
    own = kept[rows.used]
    X, y, codes = rows.X[own], y[own], pd.factorize(rows.codes[own])[0]
    masks = (codes != np.arange(codes.max() + 1)[:, None]).astype(float)
    beta, _ = fitted(X, y, masks)
    if not np.isfinite(beta).all() or y.min() == y.max():
        return np.nan, np.nan, np.nan
    p = expit(linear(X, beta[codes]))
    base = (masks @ y / masks.sum(axis=1))[codes]
    skill = 1 - metrics.brier(y, p) / metrics.brier(y, base)
    return metrics.auc(y, p), metrics.within_auc(y, p, codes), skill


def flipped(y: np.ndarray, stratum: np.ndarray, share: float, draws: int, seed: list[int]) -> np.ndarray:
    """(draws, n): the outcome with that share of the stratum's rows, at least one, turned over at random."""
    rng = np.random.default_rng(seed)
    where = np.flatnonzero(stratum)
    out = np.tile(y, (draws, 1))
    for row in out:
        turned = rng.choice(where, max(1, round(share * len(where))), replace=False)
        row[turned] = 1 - row[turned]
    return out


def corrected(what: Headlines, y: np.ndarray) -> Iterator[tuple[str, dict, str]]:
    """Effects on the true outcome when the list's error rates are known, over the grid of rates."""
    family, y = what.family, y[what.family.used]
    for false_positive in FALSE_POSITIVES:
        for false_negative in FALSE_NEGATIVES:
            detail = f"false positives {false_positive:g}, false negatives {false_negative:g}"
            found, notes = {}, []
            for sample, own in what.samples.items():
                start = _fits(family.X[own], y[own], np.ones((1, int(own.sum()))))
                try:
                    if np.isnan(start).any():
                        raise ModelError("the uncorrected likelihood has no maximum")
                    beta = misclassified.maximise(
                        family.X[own], y[own], false_positive, false_negative, start[0]
                    )[None]
                except ModelError as error:
                    beta, _ = np.full_like(start, np.nan), notes.append(f"{sample}: {error}")
                for name, slope in what.slopes.items():
                    effect = _effects(beta, family.X[own], slope[own])
                    found[name, sample] = effect * what.steps.get((sample, name), np.nan)
            yield detail, found, "; ".join(notes)


def list_error_table(
    what: Headlines,
    counties: pd.DataFrame,
    outcome: str,
    dropped: Mapping[str, set[str]],
    printings: Mapping[str, str],
    seed: int,
) -> pd.DataFrame:
    """Every headline as the list was printed, and under each way in which the list may be wrong.

    Parameters
    ----------
    dropped : what is left out -> codes. printings : another printing -> its column.
    outcome : the column that the headlines explain. counties : the panel, with `population`.

    Returns
    -------
    DataFrame of `COLUMNS`. `as_printed`: the headline on the list as it is; `change`: the difference. For
    flips `estimate` is the mean and `low` to `high` the 95 % range over `draws`; those without a maximum
    are left out, and `draws` counts the others.
    """
    y = counties[outcome].to_numpy(float)
    everybody = np.ones(len(y), bool)
    base = values(what, y[None], everybody)
    scenarios = [("as printed", "", base, "")]
    for detail, codes in dropped.items():
        kept = ~counties.index.isin(sorted(codes))
        note = f"{int((~kept & (y == 1)).sum())} listed counties left out"
        scenarios.append(("entries dropped", detail, values(what, y[None], kept), note))
    for detail, column in printings.items():
        other = counties[column].to_numpy(float)
        note = f"{int((other != y).sum())} counties differ"
        scenarios.append(("another printing", detail, values(what, other[None], everybody), note))
    size = counties["population"].to_numpy(float)
    for position, (stratum, (low, high)) in enumerate(SIZES.items()):
        inside = (size >= low) & (size < high)
        for share in FLIPS if inside.any() else ():
            draws = flipped(y, inside, share, FLIP_DRAWS, [seed, position, round(1000 * share)])
            note = f"{int((draws[0] != y).sum())} of {int(inside.sum())} counties turned over"
            found = values(what, draws, everybody)
            scenarios.append(("random flips", f"{share:.0%} of counties of {stratum}", found, note))
    scenarios += [("known error rates", *each) for each in corrected(what, y)]
    rows = [
        _row(scenario, detail, key, draws, base[key][0], note)
        for scenario, detail, found, note in scenarios
        for key, draws in found.items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(
    scenario: str, detail: str, key: tuple[str, str], draws: np.ndarray, printed: float, note: str
) -> dict:
    there = draws[np.isfinite(draws)]
    estimate = there.mean() if len(there) else np.nan
    low, high = np.percentile(there, [2.5, 97.5]) if len(there) > 1 else (np.nan, np.nan)
    if not len(there):
        note = "; ".join(filter(None, [note, "no maximum"]))
    return {
        "scenario": scenario,
        "detail": detail,
        "headline": key[0],
        "sample": key[1],
        "estimate": estimate,
        "as_printed": printed,
        "change": round(estimate - printed, 9),  # a difference has fewer digits than its parts
        "low": low,
        "high": high,
        "draws": len(there),
        "note": note,
    }

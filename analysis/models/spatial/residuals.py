"""Whether neighbours resemble each other in the outcome and in what a model leaves over."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import sparse, stats

from analysis.errors import ModelError
from analysis.models.design import Design
from analysis.models.permutation import shuffles, varying
from analysis.models.results import Fit
from analysis.models.spatial.autocorrelation import (
    STATISTICS,
    join_count,
    lagrange_multipliers,
    moran_of_residuals,
    permuted,
    share_beyond,
)
from analysis.models.spatial.weights import adjacency, row_standardised, without_islands
from analysis.models.terms import require

COLUMNS = (
    "residual", "statistic", "value", "expected", "p_value", "expected_within", "p_value_within", "n",
    "islands", "links", "draws", "seed", "note",
)  # fmt: skip
BINARY = ("logit", "firth")


def residuals_of(fit: Fit) -> dict[str, np.ndarray]:
    """A fit's residuals by kind, each (n,): `response` for least squares, else `pearson` and `deviance`.

    Raises
    ------
    ModelError : an estimator without fitted probabilities.
    """
    y, fitted, name = fit.outcome, fit.fitted, fit.model.estimator
    if name == "lpm":
        return {"response": y - fitted}
    if name not in BINARY:
        raise ModelError(f"Model {fit.model.name!r}: {name} has no residuals by row. Use logit or lpm.")
    with np.errstate(divide="ignore"):
        loss = -2 * np.log(np.where(y == 1, fitted, 1 - fitted))
    return {
        "pearson": (y - fitted) / np.sqrt(fitted * (1 - fitted)),
        "deviance": np.sign(y - fitted) * np.sqrt(loss),
    }


def neighbourhood(rows: pd.Index, pairs: pd.DataFrame) -> tuple[sparse.csr_array, np.ndarray]:
    """Zeros and ones of the rows with a neighbour among them, and which these are, (n,) bool."""
    return without_islands(adjacency(rows, pairs))


def resemblance(
    values: Mapping[str, np.ndarray],
    rows: pd.Index,
    states: np.ndarray,
    pairs: pd.DataFrame,
    draws: int = 999,
    seed: int = 0,
    statistic: str = "morans_i",
) -> pd.DataFrame:
    """Moran's I or Geary's C of columns of the same rows, tested by shuffling freely and within states.

    Weights are row-standardised. Rows without a neighbour among the rows are left out and counted. Shuffling
    within states keeps whatever states have in common: `expected_within` is what that alone gives.

    Parameters
    ----------
    values : by kind, each (n,). rows : the units' codes. states : (n,), within which rows are shuffled.
    pairs : two columns of codes, the neighbours. draws : orders. seed : of these.
    statistic : `morans_i` or `gearys_c`.

    Returns
    -------
    DataFrame with `COLUMNS`. Values that do not vary have empty numbers and the reason in `note`, and so does
    the test within states where no state's rows differ.

    Raises
    ------
    ModelError : another statistic, codes that repeat, no neighbours among the rows.
    """
    if statistic not in STATISTICS:
        raise ModelError(f"statistic={statistic!r}: {' or '.join(STATISTICS)} is needed.")
    links, kept = neighbourhood(rows, pairs)
    weights, groups = row_standardised(links), np.unique(np.asarray(states)[kept], return_inverse=True)[1]
    freely, inside = (shuffles(codes, draws, seed) for codes in (np.zeros_like(groups), groups))
    made = []
    for kind, column in values.items():
        here = column[kept]
        row = {"residual": kind, "statistic": statistic, "note": ""}
        try:
            found = STATISTICS[statistic](here, weights)
        except ModelError as error:
            made.append(row | {"note": str(error)})
            continue
        chance = permuted(here, weights, freely, statistic)
        row |= {"value": found, "expected": chance.mean(), "p_value": share_beyond(found, chance)}
        if varying(here, groups):
            within = permuted(here, weights, inside, statistic)
            row |= {"expected_within": within.mean(), "p_value_within": share_beyond(found, within)}
        else:
            row["note"] = "no two rows of one state differ, so that shuffling within states changes nothing"
        made.append(row)
    told = {"n": len(groups), "islands": int((~kept).sum()), "links": links.nnz // 2}
    return pd.DataFrame(made).assign(**told, draws=draws, seed=seed).reindex(columns=list(COLUMNS))


def resemblance_of_fit(
    fit: Fit, data: pd.DataFrame, pairs: pd.DataFrame, draws: int = 999, seed: int = 0
) -> pd.DataFrame:
    """`resemblance` of a fit's residuals and of the outcome on the same rows; `data` has a column `state`."""
    require("state", data, "within which residuals are shuffled")
    values = {"outcome": fit.outcome} | residuals_of(fit)
    return resemblance(values, fit.rows, data["state"].to_numpy()[fit.used], pairs, draws, seed)


def diagnostics(arrays: Design, rows: pd.Index, pairs: pd.DataFrame) -> pd.DataFrame:
    """The closed-form tests of a linear model without effects: Moran's I of its residuals (the normal law),
    the Lagrange multipliers, and for an outcome of 0 and 1 the join count.

    Parameters
    ----------
    arrays : of an `lpm` without fixed effects. rows : (n,), the units' codes. pairs : the neighbours.

    Returns
    -------
    DataFrame with `COLUMNS`, those of the shuffling empty; one row with the reason where they do not exist.

    Raises
    ------
    ModelError : another model, codes that repeat, no neighbours among the rows.
    """
    if arrays.model.estimator != "lpm" or arrays.groups:
        raise ModelError(f"Model {arrays.model.name!r}: these tests are of an lpm without fixed effects.")
    links, kept = neighbourhood(rows, pairs)
    X, y, weights = arrays.X[kept], arrays.y[kept], row_standardised(links)
    told = {"n": int(kept.sum()), "islands": int((~kept).sum()), "links": links.nnz // 2}
    try:
        moments = {"morans_i_normal": ("response", moran_of_residuals(X, y, weights))}
        if set(np.unique(y)) == {0.0, 1.0}:
            moments["join_count"] = ("outcome", join_count(y, links))
        multipliers = lagrange_multipliers(X, y, weights)
    except ModelError as error:
        made = [{"residual": "response", "statistic": "morans_i_normal", "note": str(error)}]
        return pd.DataFrame(made).assign(**told).reindex(columns=list(COLUMNS))
    made = [
        {
            "residual": kind,
            "statistic": name,
            "value": one.value,
            "expected": one.expected,
            "p_value": 2 * stats.norm.sf(abs(one.z)),
        }
        for name, (kind, one) in moments.items()
    ]
    made += [
        {"residual": "response", "statistic": name, "value": value, "p_value": stats.chi2.sf(value, 1)}
        for name, value in multipliers.items()
    ]
    return pd.DataFrame(made).assign(**told, note="").reindex(columns=list(COLUMNS))

"""Entries and absences that are improbable given what a model knows, each with reason codes from the data.

Improbable is not wrong: the agency's rule is unpublished, and a model of a few columns knows little.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy import stats
from scipy.linalg import solve_triangular
from scipy.special import expit

from analysis.jurisdictions.audit import bare
from analysis.models.cluster import correction, sum_by_cluster
from analysis.models.prediction.held_out import HeldOut, linear

COLUMNS = (
    "geoid", "unit", "name", "state", "vintage", "is_listed", "probability", "conf_low", "conf_high", "rank",
    "reasons",
)  # fmt: skip
FEW, MANY = 5_000, 100_000  # residents
HALF = 0.5  # of the two-party vote

# What each code says, in the order in which a row has them.
REASONS = {
    "agreement_on_the_day": "its own agency is on the last 287(g) roster up to the day of the list",
    "vote_below_half": f"listed, and its Democratic share is below {HALF:.0%}",
    "vote_above_half": f"not listed, and its Democratic share is above {HALF:.0%}",
    "few_residents": f"listed, and has fewer than {FEW:,} residents",
    "many_residents": f"not listed, and has {MANY:,} residents or more",
    "state_law_against": "listed, and a state law mandates cooperation or forbids policies against it",
    "state_law_for": "not listed, and a state law or order limits cooperation",
    "name_shared": "another listed government bears its name, in its state or at its level elsewhere",
    "no_prediction": "the model could not predict it: a column is missing, or it is outside the sample",
}


def limits(found: HeldOut) -> tuple[np.ndarray, np.ndarray]:
    """95 % limits of every probability, (n,), for the error of estimation alone.

    On the scale of log odds, from the fit without the row's group: clustered by group with the project's
    factor and t law for `logit`, the inverse information and the normal law for `firth`. How far a group
    differs from others like it is not in them. NaN where the fit has no finite coefficients, or is certain
    of every row.
    """
    rows, groups = found.rows, len(found.rows.labels)
    low, high = np.full((2, len(rows.y)), np.nan)
    for group, beta in enumerate(found.coefficients):
        own = rows.codes == group
        if not np.isfinite(beta).all():
            continue
        X, y, codes = rows.X[~own], rows.y[~own], rows.codes[~own]
        p = expit(linear(X, beta))
        used = beta != 0  # a column without a coefficient is none
        used[0] = True
        X, reach, sums = X[:, used], stats.norm.ppf(0.975), None
        if rows.model.estimator == "logit" and not found.folds["note"].iloc[group] and groups > 2:
            sums = sum_by_cluster(X * (rows.weights[~own] * (y - p))[:, None], codes - (codes > group))
            sums *= np.sqrt(correction(len(y), X.shape[1], groups - 1))
            reach = stats.t.ppf(0.975, groups - 2)
        spread = standard_errors(rows.X[own][:, used], X, rows.weights[~own] * p * (1 - p), sums)
        eta = linear(rows.X[own], beta)
        low[own], high[own] = expit(eta - reach * spread), expit(eta + reach * spread)
    return low, high


def standard_errors(
    wanted: np.ndarray, X: np.ndarray, weights: np.ndarray, sums: np.ndarray | None = None
) -> np.ndarray:
    """Standard errors of the linear predictions `wanted @ beta`, (m,), without forming a covariance.

    Parameters
    ----------
    wanted : (m, k). X : (n, k), the design of the fit. weights : (n,), each row's part in the information.
    sums : (G, k), scores summed by cluster, scaled, for a sandwich; without them the inverse information.

    Notes
    -----
    Both are turned by the triangle of the design first, so that nothing large cancels: between kernels of
    the linear algebra limits differ by 1e-14 at the median; by a covariance they differed by 1e-12.
    NaN where the information is singular.
    """
    triangle = np.linalg.qr(X * np.sqrt(weights)[:, None], mode="r")
    if not np.abs(np.diag(triangle)).min(initial=np.inf) > 0:
        return np.full(len(wanted), np.nan)
    turned = solve_triangular(triangle, wanted.T, trans="T")
    if sums is not None:
        turned = solve_triangular(triangle, sums.T, trans="T").T @ turned
    return np.sqrt((turned**2).sum(axis=0))


def improbable_table(
    found: HeldOut,
    panel: pd.DataFrame,
    vintage: str,
    listed_names: pd.DataFrame,
    holders: Collection[str],
) -> pd.DataFrame:
    """Listed units of a level, the least probable first, and as many unlisted ones, the most probable first.

    Parameters
    ----------
    found : the held-out predictions of `vintage`. panel : the units of the level, index `geoid`.
    listed_names : `code, level, state, bare`, one row a code of a listed government of the vintage.
    holders : codes of governments with an agreement of their own on the day.

    Returns
    -------
    DataFrame of `COLUMNS`. `rank`: among the listed from the lowest probability, among the unlisted from
    the highest; empty without a prediction. `reasons`: codes of `REASONS`, `;`-joined.
    """
    outcome = found.rows.model.outcome
    level = found.rows.model.level
    low, high = (pd.Series(np.nan, panel.index) for _ in range(2))
    low[found.rows.used], high[found.rows.used] = limits(found)
    table = pd.DataFrame(
        {
            "geoid": panel.index,
            "unit": panel["kind"] if level == "place" else level,
            "name": panel["name"],
            "state": panel["state"],
            "vintage": vintage,
            "is_listed": panel[outcome].astype(int),
            "probability": found.probability,
            "conf_low": low,
            "conf_high": high,
        },
        index=panel.index,
    )
    surprise = np.where(table["is_listed"] == 1, table["probability"], -table["probability"])
    table = table.assign(surprise=surprise, order=table.index)
    table = table.sort_values(["is_listed", "surprise", "order"], ascending=[False, True, True])
    rank = table.groupby("is_listed")["surprise"].rank(method="first")
    table["rank"] = rank.astype("Int64")
    entries = table["is_listed"].sum()
    table = table[(table["is_listed"] == 1) | (table["rank"] <= entries)]
    table["reasons"] = reasons(table, panel.loc[table.index], listed_names, holders)
    return table[list(COLUMNS)].reset_index(drop=True)


def reasons(
    table: pd.DataFrame, panel: pd.DataFrame, listed_names: pd.DataFrame, holders: Collection[str]
) -> list[str]:
    """The codes of each row of a table with `is_listed` and `probability`, `panel` being its units."""
    listed = table["is_listed"] == 1
    nothing = pd.Series(np.nan, panel.index)
    vote = panel.get("democratic_share_2024", nothing)
    size = panel["population"] if (panel.index.str.len() > 2).any() else nothing  # a state is never small
    against = (panel.get("has_law_mandating_cooperation", nothing) == 1) | (
        panel.get("has_law_forbidding_sanctuary", nothing) == 1
    )
    limiting = panel.get("has_law_limiting_cooperation", nothing) == 1
    holds = {
        "agreement_on_the_day": table.index.isin(list(holders)),
        "vote_below_half": listed & (vote < HALF),
        "vote_above_half": ~listed & (vote > HALF),
        "few_residents": listed & (size < FEW),
        "many_residents": ~listed & (size >= MANY),
        "state_law_against": listed & against,
        "state_law_for": ~listed & limiting,
        "name_shared": shares_a_name(panel, listed_names),
        "no_prediction": table["probability"].isna(),
    }
    flags = np.column_stack([np.asarray(holds[code], bool) for code in REASONS])
    return [";".join(code for code, flag in zip(REASONS, row, strict=True) if flag) for row in flags]


def shares_a_name(panel: pd.DataFrame, listed_names: pd.DataFrame) -> np.ndarray:
    """(n,) bool: another listed government has the unit's name without its kind, at its level in another
    state or at the other level in its own."""
    if "county_geoid" not in panel or (panel.index.str.len() == 2).all():
        return np.zeros(len(panel), bool)
    level = ["county" if len(code) == 5 else "place" for code in panel.index]
    own = pd.DataFrame(
        {
            "bare": [bare(name) for name in panel["name"]],
            "state": panel["state"].to_numpy(),
            "level": level,
            "code": panel.index,
        }
    )
    pairs = own.reset_index(names="row").merge(listed_names, on="bare", suffixes=("", "_listed"))
    confused = (pairs["state"] != pairs["state_listed"]) == (pairs["level"] == pairs["level_listed"])
    found = np.zeros(len(panel), bool)
    found[pairs.loc[confused & (pairs["code"] != pairs["code_listed"]), "row"].unique()] = True
    return found

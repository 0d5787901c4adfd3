"""Listing against 287(g) agreements: counts, an exact test stratified by state, Firth's profile limits.

No listed county has an agreement, so that a likelihood has no maximum. What can be said is how many would
be expected by chance within states, and how far Firth's penalised likelihood still lets the odds ratio go.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from analysis.models.fitting import sound_fit
from analysis.models.results import estimates
from analysis.models.spec import Model

SCOPES = ("all counties", "counties of listed states", "counties of other states", "states with both")
BY_STATE = "state "  # a state's own row has the scope "state IL"


def agreement_table(counties: pd.DataFrame, rosters: dict[str, str]) -> pd.DataFrame:
    """Listed or not by agreement or not, for each roster: in all counties, in strata, in each state.

    Parameters
    ----------
    counties : the county panel.
    rosters : date of the roster -> the panel's 0/1 column of counties whose agency had an agreement.

    Returns
    -------
    DataFrame `roster, scope, states, counties, listed, with_agreement, listed_with_agreement,
    expected_listed_with_agreement, exact_p_value, log_odds_ratio, conf_low, conf_high, strata`. The scope
    "states with both" holds the states that have a listed county and a county with an agreement: the only
    ones in which the two can be compared. `expected...` and the exact p-value hold each state's counts
    fixed (a product of hypergeometric laws); they are empty where no state can vary. The log odds ratio
    and its limits are Firth's with the profile penalised likelihood and an effect for each state, so that
    they condition on the state as the test does: on the scope's states whose counts can vary (`strata`,
    their number); an end may be infinite. Where there is no such state they are empty. Rows by state have
    counts and the exact test alone.
    """
    rows = []
    for day, column in rosters.items():
        frame = counties[["state", "state_geoid", "is_listed", "is_in_listed_state"]].assign(
            agreement=counties[column]
        )
        listed, has, by_state = frame["is_listed"] == 1, frame["agreement"] == 1, frame["state_geoid"]
        both = has.groupby(by_state).transform("any") & listed.groupby(by_state).transform("any")
        inside = frame["is_in_listed_state"] == 1
        strata = (pd.Series(True, frame.index), inside, ~inside, both)
        for scope, chosen in zip(SCOPES, strata, strict=True):
            rows.append({"roster": day, "scope": scope} | counted(frame[chosen]) | odds(frame[chosen]))
        rows += [
            {"roster": day, "scope": f"{BY_STATE}{state}"} | counted(group)
            for state, group in frame.groupby("state")
        ]
    return pd.DataFrame(rows).astype({"strata": "Int64"})


def counted(frame: pd.DataFrame) -> dict:
    """The counts of one scope, and the exact test within its states.

    Parameters
    ----------
    frame : `is_listed`, `agreement`, `state_geoid`, one row a county.
    """
    listed, has = frame["is_listed"] == 1, frame["agreement"] == 1
    by_state = pd.DataFrame(
        {"counties": 1, "listed": listed, "has": has, "both": listed & has}, index=frame.index
    )
    tables = by_state.groupby(frame["state_geoid"]).sum().to_numpy(dtype=int)
    expected, p = stratified_test(tables)
    return {
        "states": len(tables),
        "counties": len(frame),
        "listed": int(listed.sum()),
        "with_agreement": int(has.sum()),
        "listed_with_agreement": int((listed & has).sum()),
        "expected_listed_with_agreement": expected,
        "exact_p_value": p,
    }


def stratified_test(tables: np.ndarray) -> tuple[float, float]:
    """The exact conditional test of no association in several 2x2 tables, their margins being fixed.

    The number listed with an agreement is a sum of independent hypergeometric counts (Zelen, Biometrika
    58, 1971). The two-sided p-value sums the probabilities of all totals that are no likelier than the one
    seen.

    Parameters
    ----------
    tables : (S, 4), counties, listed, with an agreement, both, one row a state.

    Returns
    -------
    The expected total and the p-value; NaN when the margins leave no choice.

    >>> expected, p = stratified_test(np.array([[8, 4, 4, 0]]))
    >>> round(expected, 3), round(p, 4)
    (2.0, 0.0286)
    """
    law, least, seen, expected = np.ones(1), 0, 0, 0.0
    for counties, listed, has, both in tables:
        low, high = max(0, listed + has - counties), min(listed, has)
        law = np.convolve(law, stats.hypergeom.pmf(np.arange(low, high + 1), counties, listed, has))
        least, seen, expected = least + low, seen + both, expected + listed * has / counties
    if len(law) == 1:
        return float("nan"), float("nan")
    likely = law[seen - least] * (1 + 1e-7)
    return float(expected), float(min(law[law <= likely].sum(), 1.0))


def odds(frame: pd.DataFrame) -> dict:
    """Firth's log odds ratio of being listed with an agreement, within states, with profile limits.

    The states that count are those in which both vary. Empty where there is none.
    """
    by_state = frame.groupby("state_geoid")[["is_listed", "agreement"]]
    informative = (by_state.transform("nunique") == 2).all(axis=1)
    within = frame[informative]
    out = {"log_odds_ratio": np.nan, "conf_low": np.nan, "conf_high": np.nan}
    if len(within):
        model = Model("agreements", "is_listed", ("agreement",), "firth", fixed_effects=("state_geoid",))
        row = estimates(sound_fit(model, within)).set_index("term").loc["agreement"]
        out = {"log_odds_ratio": row["estimate"]} | row[["conf_low", "conf_high"]].to_dict()
    return out | {"strata": within["state_geoid"].nunique()}

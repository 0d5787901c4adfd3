"""Fits of any layer as rows of one shape: terms, and what the random intercept comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models.components import group_intercepts, variance_components
from analysis.models.effects import average_marginal_effects
from analysis.models.fitting import sound_fit
from analysis.models.mixed import spread
from analysis.models.results import Fit, estimates, wald
from analysis.models.spec import Model

COLUMNS = (
    "sample", "model", "estimator", "part", "term",
    "estimate", "std_error", "p_value", "conf_low", "conf_high", "clustered_std_error",
    "effect", "effect_low", "effect_high", "n", "events", "groups", "note",
)  # fmt: skip
NUMBERS = COLUMNS[5:14]
TYPES = dict.fromkeys(("n", "events", "groups"), "Int64") | dict.fromkeys(NUMBERS, "float64")
SAMPLES = {"all": None, "listed states": "is_in_listed_state == 1", "other states": "is_in_listed_state == 0"}


def part_of(term: str, groups: tuple[str, ...]) -> str:
    """To which part of a model a term belongs: `within`, `between`, `group` (what the group is), `all`."""
    for part in ("within", "between"):
        if term.endswith(f"_{part}"):
            return part
    return "group" if term in groups else "all"


def term_rows(fitted: Fit, groups: tuple[str, ...] = ()) -> pd.DataFrame:
    """One row a term but the intercept: `part, term` and the numbers, clustered errors beside them.

    Parameters
    ----------
    groups : covariates that belong to the groups and not to their rows.
    """
    rows = estimates(fitted)
    rows = rows[rows["term"] != "Intercept"]
    known = dict(zip(rows["term"], rows["std_error"], strict=True))
    return rows[["estimate", "std_error", "p_value", "conf_low", "conf_high", "note"]].assign(
        part=[part_of(term, groups) for term in rows["term"]],
        term=[term.removesuffix("_within").removesuffix("_between") for term in rows["term"]],
        clustered_std_error=[known[term] if fitted.clusters else np.nan for term in rows["term"]],
    )


def without_clusters(fitted: Fit) -> Fit:
    """A random-intercept fit with the errors of its observed information in place of clustered ones."""
    found, covariance = fitted.random, fitted.random.information_covariance
    inner = covariance[:-1, :-1]
    return replace(
        fitted,
        covariance=inner,
        inference=wald(fitted.coefficients, inner, np.inf),
        degrees_of_freedom=np.inf,
        clusters=None,
        random=replace(found, covariance=covariance, **spread(found.std_deviation, covariance)),
    )


def variance_rows(fitted: Fit) -> pd.DataFrame:
    """Three rows of part `variance`: standard deviation, intraclass correlation, likelihood-ratio test.

    The test's p-value is that of the mixture for a parameter at its boundary. The limits of the correlation
    are those of the standard deviation carried over.
    """
    (found,) = variance_components(fitted).itertuples()
    low, high = (s**2 / (s**2 + np.pi**2 / 3) for s in (found.conf_low, found.conf_high))
    return pd.DataFrame(
        [
            {
                "term": "standard_deviation",
                "estimate": found.std_deviation,
                "std_error": found.std_error,
                "conf_low": found.conf_low,
                "conf_high": found.conf_high,
            },
            {"term": "intraclass_correlation", "estimate": found.icc, "conf_low": low, "conf_high": high},
            {"term": "likelihood_ratio", "estimate": found.lr_statistic, "p_value": found.p_value},
        ]
    ).assign(part="variance", note=found.note)


def random_rows(fitted: Fit, data: pd.DataFrame, groups: tuple[str, ...] = ()) -> pd.DataFrame:
    """The terms of a random-intercept fit clustered by state, and its variance: limits and effects are those
    of the observed information, the clustered errors stand beside them. No numbers where the quadrature was
    too coarse: the likelihood is then nearly flat, and what is found hangs on the nodes."""
    plain = without_clusters(fitted)
    clustered = term_rows(fitted, groups)["clustered_std_error"]
    terms = with_effects(term_rows(plain, groups).assign(clustered_std_error=clustered), plain, data)
    rows = pd.concat([terms, variance_rows(plain)], ignore_index=True)
    why = fitted.random.note
    return without_numbers(rows, pd.Series(True, rows.index), f"not shown: {why}") if why else rows


def without_numbers(rows: pd.DataFrame, hidden: pd.Series, why: str) -> pd.DataFrame:
    """The rows, those that are hidden (bool, by row) with no number and the reason as their note."""
    emptied = {name: rows[name].mask(hidden) for name in NUMBERS if name in rows}
    return rows.assign(**emptied, note=rows["note"].mask(hidden, why))


def intercept_rows(fitted: Fit) -> pd.DataFrame:
    """One row a group, of part `intercept`: its conditional mode with its standard error."""
    table = group_intercepts(fitted).rename(columns={"group": "term", "intercept": "estimate"})
    return table.assign(part="intercept", note="")


def with_effects(rows: pd.DataFrame, fitted: Fit, data: pd.DataFrame) -> pd.DataFrame:
    """The rows with the average marginal effect of a standard deviation more (0/1 columns: from 0 to 1)."""
    effects = average_marginal_effects(fitted, data, per="sd").set_index("term")
    named = {"estimate": "effect", "conf_low": "effect_low", "conf_high": "effect_high"}
    found = effects.rename(columns=named)[list(named.values())].reindex(rows["term"]).set_axis(rows.index)
    return pd.concat([rows, found], axis=1)


def table_of(
    model: Model, data: pd.DataFrame, sample: str, name: str, make: Callable[[Fit], pd.DataFrame]
) -> pd.DataFrame:
    """What `make` says of the fitted model, with what was fitted, in the order of `COLUMNS`.

    A model that cannot be fitted to this sample has one row without numbers, whose note says why.
    """
    try:
        fitted = sound_fit(model, data)
        rows = make(fitted)
    except ModelError as error:
        rows = pd.DataFrame({"part": [""], "term": "", "n": 0, "note": f"not fitted: {error}"})
    else:
        groups = len(fitted.random.labels) if fitted.random is not None else fitted.clusters
        rows = rows.assign(n=fitted.n, events=int(fitted.outcome.sum()), groups=groups)
    rows = rows.assign(sample=sample, model=name, estimator=model.estimator)
    return rows.reindex(columns=list(COLUMNS)).astype(TYPES)

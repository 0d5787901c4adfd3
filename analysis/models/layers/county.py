"""Counties in states: one slope, slopes within and between states, what the state is, effects of states."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.models.layers.rows import (
    SAMPLES,
    intercept_rows,
    random_rows,
    table_of,
    term_rows,
    variance_rows,
    with_effects,
    without_numbers,
)
from analysis.models.results import Fit
from analysis.models.spec import Model
from analysis.models.within import within_between


def complete(counties: pd.DataFrame, covariates: list[str]) -> pd.DataFrame:
    """The rows with all covariates, the columns of products moved to mean zero over these rows.

    The slope of a column beside its product is then that at the mean of the other; the models are the same.
    """
    parts = [part for term in covariates for part in term.split(":")]
    rows = counties[counties[list(dict.fromkeys(parts))].notna().all(axis=1)]
    moved = dict.fromkeys(part for term in covariates if ":" in term for part in term.split(":"))
    return rows.assign(**{part: rows[part] - rows[part].mean() for part in moved})


def split(rows: pd.DataFrame, covariates: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """The rows with every covariate, products too, as its state's mean and the deviation from it, and these
    columns' names."""
    products = {term: rows[term.split(":")].prod(axis=1) for term in covariates if ":" in term}
    names = [f"{term}_{part}" for part in ("within", "between") for term in covariates]
    return within_between(rows.assign(**products), covariates, "state"), names


def too_few(fitted: Fit, names: list[str], least: int) -> str:
    """What is wrong with the numbers of the state layer where few states carry many of them; else nothing."""
    upper = [term for term in fitted.terms if term in names and term not in fitted.omitted]
    states, coefficients = len(fitted.random.labels), len(upper) + 1
    if len(upper) == 0 or states >= least * coefficients:
        return ""
    return f"not shown: {states} states for {coefficients} coefficients of the state layer"


def without_few(rows: pd.DataFrame, fitted: Fit, names: list[str], least: int) -> pd.DataFrame:
    """The rows, those of the state layer (`names`, and the variance) without numbers where states are few."""
    if not (why := too_few(fitted, names, least)):
        return rows
    upper = rows["part"].isin(["between", "group", "variance"])
    return without_numbers(rows, upper, why)


def county_layers(counties: pd.DataFrame, entry: Mapping) -> pd.DataFrame:
    """Every county model in all counties, in those of listed states and in the others, as rows of `COLUMNS`.

    Models: `pooled` (logit), `empty` (random intercept by state and nothing else), `random_intercept`,
    `within_between`, `within_between_state` (with what the state is), `state_effects` (logit with an
    intercept a state, on the states with both outcomes), `conditional` (the same, exact).

    Parameters
    ----------
    counties : the county panel. entry : `outcome, covariates, state, states_per_coefficient` of params.yaml.
    """
    covariates, state = list(entry["covariates"]), tuple(entry["state"])
    whole, tables = complete(counties, covariates), []
    base = Model("layers", entry["outcome"], covariates, cluster="state")
    mixed = base.with_(estimator="mixed_logit", random_intercept="state")
    for sample, query in SAMPLES.items():
        rows = whole if query is None else whole.query(query)
        parted, names = split(rows, covariates)
        upper = [name for name in names if name.endswith("_between")] + list(state)

        def levels(fitted: Fit, data=parted, upper=upper) -> pd.DataFrame:
            return without_few(
                random_rows(fitted, data, state), fitted, upper, entry["states_per_coefficient"]
            )

        def one_slope(fitted: Fit, data=rows) -> pd.DataFrame:
            return pd.concat([random_rows(fitted, data), intercept_rows(fitted)], ignore_index=True)

        def pooled(fitted: Fit, data=rows) -> pd.DataFrame:
            return with_effects(term_rows(fitted), fitted, data)

        effects = base.with_(fixed_effects="state")
        tables += [
            table_of(base, rows, sample, "pooled", pooled),
            table_of(mixed.with_(covariates=(), cluster=None), rows, sample, "empty", variance_rows),
            table_of(mixed, rows, sample, "random_intercept", one_slope),
            table_of(mixed.with_(covariates=names), parted, sample, "within_between", levels),
            table_of(
                mixed.with_(covariates=[*names, *state]), parted, sample, "within_between_state", levels
            ),
            table_of(effects, rows, sample, "state_effects", term_rows),
            table_of(effects.with_(estimator="conditional_logit"), rows, sample, "conditional", term_rows),
        ]
    return pd.concat(tables, ignore_index=True)

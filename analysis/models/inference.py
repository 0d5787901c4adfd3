"""Every kind of inference for a fit's coefficients, side by side in one tidy table, and the stage of that."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.models import conditional
from analysis.models.bootstrap import (
    BOOTSTRAPPED,
    drawn,
    limits,
    share_beyond,
    sign_vectors,
    without_effects,
)
from analysis.models.cluster import cluster_leverage
from analysis.models.design import Design, fitted_design
from analysis.models.fitting import by_name, fit_all
from analysis.models.jackknife import cv3, without_each
from analysis.models.multiplicity import benjamini_hochberg, holm, romano_wolf
from analysis.models.permutation import shuffles, varying, within_permutation
from analysis.models.results import Fit, wald
from analysis.models.spec import load_model
from analysis.models.terms import require
from analysis.panel import load_panel
from analysis.provenance import processed, read_param
from analysis.stages import run
from analysis.writing import write_csv

COLUMNS = (
    "model", "term", "method", "std_error", "p_value", "conf_low", "conf_high", "clusters",
    "effective_clusters", "states_varying", "draws", "seed",
)  # fmt: skip
NOT_APPLICABLE = "n/a"
FAMILY = "main"  # whose covariates are the primary family of tests


@dataclass(frozen=True)
class Draws:
    """How much is drawn: sign vectors of the bootstrap, permutations, and the seed of both."""

    signs: int = 9999
    permutations: int = 999
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Inferred:
    """The rows of a fit's table, and what leaving each cluster out does (None without clusters)."""

    rows: pd.DataFrame
    influence: pd.DataFrame | None


def inference_table(
    fits: Mapping[str, Fit], data: Mapping[str, pd.DataFrame], family: Collection[str], draws: Draws
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each coefficient of each fit by each method that applies to it, and the influence of each cluster.

    Methods: `clustered` (the convention: CR1, t with G-1 degrees of freedom; `profile_likelihood` for
    Firth, `information` for a random intercept without clusters), `jackknife` (CV3), `wild_bootstrap`,
    `within_state_permutation`; `leave_one_state_out`, whose
    limits are the smallest and the largest estimate without one state, empty where one of them does not
    exist; and adjusted p-values. The terms of the primary family are one family in each model, every model
    being a family of its own: `romano_wolf` on the model's bootstrap draws, `holm` where it has none. The
    terms outside it, of all models together, are one more: `benjamini_hochberg` on their bootstrap p-values.
    Bootstrap limits are empty for a conditional logit (`wild_cluster_bootstrap` gives them, in minutes).
    For Firth there is neither clustered, jackknife nor bootstrap inference, for want of a theory.

    Parameters
    ----------
    fits : by name. data : the frame that each was fitted to, by level, with a column `state`.
    family : the primary family, as terms.

    Returns
    -------
    The table with `COLUMNS`, a `p_value` being a number, empty, or "n/a" where a permutation within states
    cannot be; and `model, cluster, rows, leverage, term, estimate_without`.
    """
    found = {name: infer(fit, data[fit.model.level], family, draws) for name, fit in fits.items()}
    table = pd.concat([one.rows for one in found.values()], ignore_index=True)
    table = pd.concat([table, _exploratory(table, family)], ignore_index=True)
    influence = [one.influence for one in found.values() if one.influence is not None]
    empty = pd.DataFrame(columns=["model", "cluster", "rows", "leverage", "term", "estimate_without"])
    return _typed(table), pd.concat(influence, ignore_index=True) if influence else empty


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers as such; the permutation of what no state varies as "n/a"."""
    table = table.reindex(columns=list(COLUMNS))
    for name in ("clusters", "states_varying", "draws", "seed"):
        table[name] = table[name].astype("Int64")
    constant = (table["method"] == "within_state_permutation") & table["p_value"].isna()
    numbers = table["p_value"].astype("float64")
    texts = numbers.map(lambda value: "" if np.isnan(value) else f"{value:.8g}")
    return table.assign(p_value=texts.mask(constant, NOT_APPLICABLE))


def infer(fit: Fit, data: pd.DataFrame, family: Collection[str], draws: Draws) -> Inferred:
    """The rows of one fit. A coefficient of a term that was left out has none."""
    arrays = fitted_design(fit, data)
    require("state", data, "whose rows are permuted")
    states = pd.factorize(data["state"].to_numpy()[arrays.used])[0]
    terms = [term.name for term in fit.covariates if term.name in fit.terms and term.name not in fit.omitted]
    where = [fit.terms.index(term) for term in terms]
    own = "profile_likelihood" if fit.model.estimator == "firth" else "clustered"
    if fit.random is not None and fit.clusters is None:
        own = "information"
    inference = fit.inference
    rows = [
        {
            "term": term,
            "method": own,
            "std_error": np.sqrt(fit.covariance[j, j]),
            "p_value": inference.p_value[j],
            "conf_low": inference.conf_low[j],
            "conf_high": inference.conf_high[j],
        }
        for term, j in zip(terms, where, strict=True)
    ]
    influence = None
    primary = [term for term in terms if term in family]
    if fit.clusters is not None and fit.model.estimator in BOOTSTRAPPED:
        estimates = without_each(arrays, arrays.codes, fit.coefficients)
        rows += _jackknifed(fit, estimates, terms) + _range(fit, estimates, terms)
        plain = without_effects(arrays)
        rows += _bootstrapped(fit, plain, terms, primary, draws)
        rows += _permuted(fit, plain, states, terms, draws)
        influence = _influence(fit, plain, estimates, terms)
    elif fit.model.estimator == "firth":  # no theory makes its limits robust to clusters
        rows += _range(fit, without_each(arrays, states, fit.coefficients), terms)
    if primary and influence is None:
        adjusted = holm(np.array([inference.p_value[fit.terms.index(term)] for term in primary]))
        rows += [
            {"term": term, "method": "holm", "p_value": p} for term, p in zip(primary, adjusted, strict=True)
        ]
    table = pd.DataFrame(rows)
    effective = dict.fromkeys(fit.terms) if fit.effective_clusters is None else None
    effective = effective or dict(zip(fit.terms, fit.effective_clusters, strict=True))
    spread = {term: varying(arrays.X[:, j], states) for term, j in zip(terms, where, strict=True)}
    table = table.assign(
        model=fit.model.name,
        clusters=fit.clusters,
        effective_clusters=table["term"].map(effective).astype("float64"),
        states_varying=table["term"].map(spread),
    )
    return Inferred(table.reindex(columns=list(COLUMNS)), influence)


def _jackknifed(fit: Fit, estimates: np.ndarray, terms: list[str]) -> list[dict]:
    """CV3 with t(G-1); empty for a term that is not determined without some cluster."""
    covariance = cv3(estimates, fit.coefficients)
    found = wald(fit.coefficients, covariance, fit.clusters - 1.0)
    rows = []
    for term in terms:
        j = fit.terms.index(term)
        rows.append(
            {
                "term": term,
                "method": "jackknife",
                "std_error": np.sqrt(covariance[j, j]),
                "p_value": found.p_value[j],
                "conf_low": found.conf_low[j],
                "conf_high": found.conf_high[j],
            }
        )
    return rows


def _range(fit: Fit, estimates: np.ndarray, terms: list[str]) -> list[dict]:
    """The smallest and the largest estimate without one cluster; empty where one is missing."""
    without = {term: estimates[:, fit.terms.index(term)] for term in terms}
    return [
        {"term": term, "method": "leave_one_state_out", "conf_low": low, "conf_high": high}
        for term, (low, high) in ((term, (one.min(), one.max())) for term, one in without.items())
    ]


def _bootstrapped(fit: Fit, arrays: Design, terms: list[str], primary: list[str], draws: Draws) -> list[dict]:
    """The wild cluster bootstrap of each term, and the family's stepdown on the same draws."""
    signs = sign_vectors(fit.clusters, draws.signs, draws.seed)
    told = {"draws": signs.shape[1], "seed": draws.seed}
    rows, under_null, found = [], {}, {}
    for term in terms:
        j = fit.terms.index(term)
        error = float(np.sqrt(fit.covariance[j, j]))
        found[term] = fit.coefficients[j] / error
        under_null[term] = drawn(arrays, j, 0.0, fit.coefficients, signs)
        low, high = np.nan, np.nan
        if fit.model.estimator != "conditional_logit":  # whose limits would take minutes, each value a fit
            low, high = limits(arrays, j, fit.coefficients, error, signs, under_null[term])
        p = share_beyond(found[term], under_null[term])
        rows.append(
            {"term": term, "method": "wild_bootstrap", "p_value": p, "conf_low": low, "conf_high": high}
            | told
        )
    if primary:
        adjusted = romano_wolf(
            np.array([found[term] for term in primary]), np.array([under_null[term] for term in primary])
        )
        rows += [
            {"term": term, "method": "romano_wolf", "p_value": p} | told
            for term, p in zip(primary, adjusted, strict=True)
        ]
    return rows


def _permuted(fit: Fit, arrays: Design, states: np.ndarray, terms: list[str], draws: Draws) -> list[dict]:
    shuffled = shuffles(states, draws.permutations, draws.seed)
    return [
        {
            "term": term,
            "method": "within_state_permutation",
            "p_value": within_permutation(arrays, fit.terms.index(term), fit.coefficients, states, shuffled),
            "draws": draws.permutations,
            "seed": draws.seed,
        }
        for term in terms
    ]


def _influence(fit: Fit, arrays: Design, estimates: np.ndarray, terms: list[str]) -> pd.DataFrame:
    """Rows, leverage, and each term's estimate without the cluster, one row a cluster and term."""
    if fit.model.estimator == "conditional_logit":
        leverage = conditional.leverage(arrays, fit.coefficients)
    else:
        weights = np.ones(fit.n) if arrays.weights is None else arrays.weights
        if fit.model.estimator == "logit":
            p = expit(arrays.X @ fit.coefficients)
            weights = weights * p * (1 - p)
        leverage = cluster_leverage(arrays.X * np.sqrt(weights)[:, None], arrays.codes)
    tables = [
        pd.DataFrame(
            {
                "model": fit.model.name,
                "cluster": arrays.labels,
                "rows": np.bincount(arrays.codes),
                "leverage": leverage,
                "term": term,
                "estimate_without": estimates[:, fit.terms.index(term)],
            }
        ).sort_values("cluster")
        for term in terms
    ]
    return pd.concat(tables, ignore_index=True)


def _exploratory(table: pd.DataFrame, family: Collection[str]) -> pd.DataFrame:
    """Benjamini and Hochberg's p-values of the terms outside the family, over all models together, from
    the bootstrap."""
    rest = table[(table["method"] == "wild_bootstrap") & ~table["term"].isin(list(family))]
    adjusted = benjamini_hochberg(rest["p_value"].to_numpy(dtype=float))
    return rest.assign(
        method="benjamini_hochberg", p_value=adjusted, std_error=np.nan, conf_low=np.nan, conf_high=np.nan
    )


def main() -> None:
    """Stage `inference`: fit the pre-specified models that name their covariates, and write the tables."""
    models = by_name(read_param("models"))
    panels = {level: load_panel(level) for level in {load_model(name).level for name in models}}
    family = load_model(FAMILY).covariates
    inference, influence = inference_table(fit_all(models, panels), panels, family, Draws())
    write_csv(inference, processed("inference.csv"))
    write_csv(influence, processed("influence.csv"))


if __name__ == "__main__":
    run(main)

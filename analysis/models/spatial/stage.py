"""Stage `spatial`: what neighbours have in common, and what that does to the standard errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models.design import fitted_design
from analysis.models.fitting import sound_fit
from analysis.models.results import Fit, wald
from analysis.models.scores import SCORED, influence, sandwich, slopes_at_means
from analysis.models.spatial.conley import conley_covariances, root_of_positive
from analysis.models.spatial.placebo import noise_fields, placebo
from analysis.models.spatial.residuals import diagnostics, resemblance, resemblance_of_fit
from analysis.models.spec import Model, declared_keys, load_model
from analysis.models.terms import numbers
from analysis.panel import load_panel
from analysis.provenance import processed, read_param
from analysis.sources.geography import read_adjacency
from analysis.stages import run
from analysis.writing import write_csv

KEYS = ("models", "permutations", "cutoffs_km", "noise_range_km", "noise_draws", "noise_against", "seed")
MIXED = "is_in_mixed_state == 1"
NO_ROOT = "the sum over pairs is not above zero"
LESS = "less than if counties were independent: of little use without the larger"


def compared(names: Sequence[str]) -> dict[str, Model]:
    """The models of a sample, the pooled logit first, with what they are to be compared with.

    Those are the same terms by least squares and, for a logit with effects, the pooled logit on the rows that
    it can use: states with listed and unlisted units. Order: pooled ones, then those with effects.
    """
    pooled, *within = (load_model(name) for name in names)
    models = [pooled, pooled.with_(estimator="lpm", name=f"{pooled.name}_linear")]
    if any(model.estimator == "logit" for model in within):
        query = f"({pooled.sample}) and {MIXED}" if pooled.sample else MIXED
        models.append(pooled.with_(sample=query, name=f"{pooled.name}_mixed"))
    return {model.name: model for model in (*models, *within)}


def resemblances(
    samples: Sequence[Sequence[str]], counties: pd.DataFrame, pairs: pd.DataFrame, draws: int, seed: int
) -> pd.DataFrame:
    """Every statistic of every model, in the order in which they are compared.

    Parameters
    ----------
    samples : for each, the names of its pooled logit and of the models with effects.
    """
    tables = []
    for names in samples:
        for name, model in compared(names).items():
            fitted = sound_fit(model, counties)
            made = [resemblance_of_fit(fitted, counties, pairs, draws, seed)]
            if model.estimator == "lpm" and not model.fixed_effects:
                states = counties["state"].to_numpy()[fitted.used]
                outcome = {"outcome": fitted.outcome}
                made.append(resemblance(outcome, fitted.rows, states, pairs, draws, seed, "gearys_c"))
                made.append(diagnostics(fitted_design(fitted, counties), fitted.rows, pairs))
            effects = ";".join(model.fixed_effects)
            tables += [
                table.assign(of=names[0], model=name, estimator=model.estimator, fixed_effects=effects)
                for table in made
            ]
    table = pd.concat(tables, ignore_index=True).astype({"draws": "Int64", "seed": "Int64"})
    first = ["of", "model", "estimator", "fixed_effects"]
    return table[[*first, *table.columns.drop(first)]]


def errors_by_distance(fitted: Fit, data: pd.DataFrame, cutoffs_km: Sequence[float]) -> pd.DataFrame:
    """Each coefficient and slope with clustered errors, Conley's at each cutoff, and the larger of all.

    Returns
    -------
    DataFrame `quantity, term, method, cutoff_km, estimate, std_error, p_value, conf_low, conf_high, note`.
    Method `larger`: the largest of the clustered error and Conley's, with t by the clusters; `cutoff_km` says
    which it is (empty: the clustered one). Quantities as in `measurement.csv`. `note` tells which of Conley's
    errors do not exist or are smaller than those of independent rows.

    Raises
    ------
    ModelError : missing coordinates (columns `latitude`, `longitude`), a fit without clusters.
    """
    if fitted.clusters is None:
        raise ModelError(f"Model {fitted.model.name!r} names no clusters to hold Conley's errors against.")
    arrays = fitted_design(fitted, data)
    rows = influence(arrays, fitted.coefficients)
    used = data[arrays.used]
    latitude, longitude = (numbers(used, name, "the coordinates") for name in ("latitude", "longitude"))
    columns = {part: numbers(used, part) for term in fitted.covariates for part in term.parts}
    names, slopes = slopes_at_means(arrays, columns)
    terms = list(arrays.names[: len(arrays.names) - arrays.effects])
    linear = np.vstack([np.eye(len(arrays.names))[: len(terms)], slopes])
    estimate = linear @ fitted.coefficients
    covariance, df = sandwich(arrays, rows)
    clustered = np.sqrt(np.clip(np.einsum("ij,jk,ik->i", linear, covariance, linear), 0, None))
    spatial = conley_covariances(rows, latitude, longitude, cutoffs_km)
    alone = ((rows @ linear.T) ** 2).sum(axis=0)
    distant = root_of_positive(np.einsum("ij,cjk,ik->ci", linear, spatial, linear), alone)
    every = np.vstack([clustered, distant])
    largest = np.nanargmax(every, axis=0)
    cutoff_of = np.r_[np.nan, np.asarray(cutoffs_km, dtype=float)]
    methods = [("clustered", np.full(len(linear), np.nan), clustered, df)]
    methods += [
        ("conley", np.full(len(linear), cutoff), distant[position], np.inf)
        for position, cutoff in enumerate(cutoffs_km)
    ]
    methods.append(("larger", cutoff_of[largest], np.nanmax(every, axis=0), df))
    tables = []
    for method, cutoff, error, degrees in methods:
        tests, small = wald(estimate, np.diag(error**2), degrees), LESS if method == "conley" else ""
        tables.append(
            pd.DataFrame(
                {
                    "quantity": ["coefficient"] * len(terms) + ["slope_per_sd"] * len(names),
                    "term": [*terms, *names],
                    "method": method,
                    "cutoff_km": cutoff,
                    "estimate": estimate,
                    "std_error": error,
                    "p_value": tests.p_value,
                    "conf_low": tests.conf_low,
                    "conf_high": tests.conf_high,
                    "note": np.select([np.isnan(error), error**2 < (1 - 1e-9) * alone], [NO_ROOT, small], ""),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def placebos(names: Sequence[str], counties: pd.DataFrame, entry: dict) -> pd.DataFrame:
    """The same spatial noise beside each of the models that can take it."""
    tables = []
    for name in names:
        fitted = sound_fit(load_model(name), counties)
        arrays, used = fitted_design(fitted, counties), counties[fitted.used]
        latitude, longitude = (numbers(used, column) for column in ("latitude", "longitude"))
        fields = noise_fields(
            latitude, longitude, entry["noise_range_km"], entry["noise_draws"], entry["seed"]
        )
        against = entry["noise_against"]
        found = placebo(arrays, fields, latitude, longitude, entry["cutoffs_km"], against)
        tables.append(found.assign(model=name, range_km=entry["noise_range_km"], against=against))
    table = pd.concat(tables, ignore_index=True)
    first = ["model", "range_km", "against"]
    return table[[*first, *table.columns.drop(first)]]


def main() -> None:
    """Read the panel and the neighbours, fit, write the tables."""
    entry, counties = declared_keys("spatial", KEYS), load_panel("county")
    pairs = read_adjacency(read_param("vintages")["geography"])[["GEOID", "NEIGHBOR_GEOID"]]
    samples = entry["models"]
    if not (isinstance(samples, list) and samples and all(isinstance(s, list) and s for s in samples)):
        raise ModelError("params.yaml: spatial needs `models`, a list of models for each sample.")
    linear = [[name for name in names if load_model(name).estimator in SCORED] for names in samples]
    errors = pd.concat(
        [
            errors_by_distance(sound_fit(load_model(name), counties), counties, entry["cutoffs_km"]).assign(
                model=name
            )
            for names in linear
            for name in names
        ],
        ignore_index=True,
    )
    tables = {
        "spatial.csv": resemblances(samples, counties, pairs, entry["permutations"], entry["seed"]),
        "spatial_errors.csv": errors[["model", *errors.columns.drop("model")]],
        "spatial_placebo.csv": placebos(linear[0][:2], counties, entry),
    }
    for name, table in tables.items():
        write_csv(table, processed(name))


if __name__ == "__main__":
    run(main)

"""The headlines with and without the survey's errors, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models.jackknife import cv3, without_each
from analysis.models.measurement.noisy import Noisy, noisy_design
from analysis.models.measurement.rubin import pool
from analysis.models.measurement.shrinkage import shrinkage
from analysis.models.measurement.simex import LAMBDAS, Corrected, simex
from analysis.models.results import wald
from analysis.models.scores import coefficients, influence, sandwich, slopes_at_means
from analysis.models.spec import Model
from analysis.models.terms import whole

LEAST_DRAWS = 50
COLUMNS = (
    "method", "quantity", "term", "has_error", "estimate", "std_error", "p_value", "conf_low", "conf_high",
    "degrees_of_freedom", "missing_information", "n", "events", "clusters", "without_margin", "draws", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Simulation:
    """How much is drawn: `draws` for Rubin's rules, `simex_draws` at each of `lambdas`, and the seed."""

    draws: int = 100
    simex_draws: int = 50
    lambdas: Sequence[float] = LAMBDAS
    seed: int = 0

    def __post_init__(self) -> None:
        whole("draws", self.draws, LEAST_DRAWS, "fewer leave the pooled error to chance")


def with_and_without(model: Model, data: pd.DataFrame, simulation: Simulation) -> pd.DataFrame:
    """One model by four methods, on the same rows.

    Methods: `published`, the figures as they are; where the model names clusters `published_jackknife`, the
    same with the kind of error (CV3) that `shrinkage` has; `draws`, pooled by Rubin's rules, which counts the
    survey's error and does not undo the attenuation; `simex` and `shrinkage`, which undo it. Quantities:
    `coefficient` of each term, and `slope_per_sd` of each column at the means of the others.

    Parameters
    ----------
    model : of any estimator that the methods take. data : with its columns and their margins.
    simulation : how much is drawn, and the seed.

    Returns
    -------
    DataFrame with `COLUMNS`; a method that fails has empty numbers and the reason in `note`.

    Raises
    ------
    ModelError : what `noisy_design` names.
    """
    noisy = noisy_design(model, data)
    arrays = noisy.arrays
    names, slopes = slopes_at_means(arrays, noisy.columns)
    terms = list(arrays.names[: len(arrays.names) - arrays.effects])
    linear = np.vstack([np.eye(len(arrays.names))[: len(terms)], slopes])
    asked = pd.DataFrame(
        {
            "quantity": ["coefficient"] * len(terms) + ["slope_per_sd"] * len(names),
            "term": [*terms, *names],
        }
    )
    asked["has_error"] = [any(part in noisy.errors for part in term.split(":")) for term in asked["term"]]
    methods: dict[str, Callable[[], pd.DataFrame]] = {
        "published": lambda: _stated(_as_published(noisy), linear),
        "published_jackknife": lambda: _stated(_jackknifed(noisy), linear),
        "draws": lambda: _drawn(noisy, linear, simulation),
        "simex": lambda: _stated(
            simex(noisy, simulation.lambdas, simulation.simex_draws, simulation.seed), linear
        ),
        "shrinkage": lambda: _stated(shrinkage(noisy), linear),
    }
    if arrays.codes is None:
        del methods["published_jackknife"]
    draws = {"draws": simulation.draws, "simex": simulation.simex_draws * len(simulation.lambdas)}
    tables = []
    for method, made in methods.items():
        try:
            numbers, note = made(), ""
        except ModelError as error:
            numbers, note = pd.DataFrame(index=asked.index), str(error)
        tables.append(pd.concat([asked, numbers], axis=1).assign(method=method, note=note))
    table = pd.concat(tables, ignore_index=True).assign(
        n=len(arrays.y),
        events=int(arrays.y.sum()),
        clusters=arrays.clusters,
        without_margin=noisy.without_margin,
        draws=lambda frame: frame["method"].map(draws),
    )
    typed = {"clusters": "Int64", "draws": "Int64", "has_error": int}
    return table.reindex(columns=list(COLUMNS)).astype(typed)


def _as_published(noisy: Noisy) -> Corrected:
    beta = coefficients(noisy.arrays)
    return Corrected(beta, *sandwich(noisy.arrays, influence(noisy.arrays, beta)))


def _jackknifed(noisy: Noisy) -> Corrected:
    beta = coefficients(noisy.arrays)
    without = without_each(noisy.arrays, noisy.arrays.codes, beta)
    return Corrected(beta, cv3(without, beta), noisy.arrays.clusters - 1.0)


def _drawn(noisy: Noisy, linear: np.ndarray, simulation: Simulation) -> pd.DataFrame:
    """Rubin's rules over fits to draws."""
    start = coefficients(noisy.arrays)
    found, spread, df = [], [], np.inf
    for number in range(simulation.draws):
        arrays = noisy.draw(simulation.seed, number)
        beta = coefficients(arrays, start)
        covariance, df = sandwich(arrays, influence(arrays, beta))
        found.append(linear @ beta)
        spread.append(np.einsum("ij,jk,ik->i", linear, covariance, linear))
    pooled = pool(np.array(found), np.array(spread), df)
    table = _table(pooled.estimate, pooled.variance, pooled.degrees_of_freedom)
    return table.assign(missing_information=pooled.missing_information)


def _stated(found: Corrected, linear: np.ndarray) -> pd.DataFrame:
    variances = np.einsum("ij,jk,ik->i", linear, found.covariance, linear)
    return _table(linear @ found.estimates, variances, np.full(len(linear), found.degrees_of_freedom))


def _table(estimates: np.ndarray, variances: np.ndarray, df: np.ndarray) -> pd.DataFrame:
    tests = wald(estimates, np.diag(variances), df)
    return pd.DataFrame(
        {
            "estimate": estimates,
            "std_error": np.sqrt(variances),
            "p_value": tests.p_value,
            "conf_low": tests.conf_low,
            "conf_high": tests.conf_high,
            "degrees_of_freedom": np.where(np.isfinite(df), df, np.nan),
        }
    )

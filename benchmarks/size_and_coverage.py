"""How often each method rejects what is true, on generated data of the shape of the county panel.

3,144 rows in 51 states of the real, unequal sizes. The outcome's probability is exactly a logit in one county
covariate (itself partly the state's), its rows being tied within states by a common normal shock, so that
coefficients have a known truth under correlation. A state-level dummy that has no part in the outcome is
present in 4, 8, 14 and 25 states drawn anew each time, small ones among them.

The correlation of the shocks is 0.2: inference that takes no account of states then rejects a true null in
about 45 of 100 samples. A row with more of it (0.4) stands beside. Limits cover the truth where the test that
they invert does not reject it.

`make bench` writes `benchmarks/size_and_coverage.csv`. Simulation errors are binomial.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit

from analysis.errors import ModelError
from analysis.models import Model, firth, fit
from analysis.models.bootstrap import drawn, share_beyond, sign_vectors
from analysis.models.design import Design, design
from analysis.models.fitting import ESTIMATE
from analysis.models.jackknife import cv3, without_each
from analysis.models.results import Estimated
from analysis.provenance import read_output, root
from analysis.writing import write_csv

SLOPE, INTERCEPT = 0.8, -2.3  # the truth
SPREAD = np.sqrt(1 + 0.25)  # of the covariate: its county part and its state part
# The correlation of the shocks, and the states with the dummy.
DESIGNS = ((0.2, 4), (0.2, 8), (0.2, 14), (0.2, 25), (0.4, 4))
REPLICATIONS, DRAWS = 1000, 399
LOGIT = Model("logit", "listed", ("x", "dummy"), cluster="state")
LPM = LOGIT.with_(name="lpm", estimator="lpm")
FIRTH = LOGIT.with_(name="firth", estimator="firth", cluster=None)
WITHIN = LOGIT.with_(
    name="conditional_logit", covariates=("x",), estimator="conditional_logit", fixed_effects="state"
)
RESULTS = ["design", "states_with_dummy", "estimator", "term", "method", "truth", "estimate", "p_value"]
QUANTITIES = ("rejection of a true null at 5 %", "coverage of 95 % limits", "mean estimate")
SPARSE, INTERCEPTS = "100 independent rows", "an intercept a state, at most 12 rows"


def generate(
    rng: np.random.Generator, sizes: np.ndarray, present: int, correlation: float = 0.2
) -> pd.DataFrame:
    """One panel: `listed, x, dummy, state`.

    Parameters
    ----------
    sizes : rows of each state. present : in how many states the dummy is 1.
    correlation : of the shocks of two rows of one state.
    """
    states = len(sizes)
    state = np.repeat(np.arange(states), sizes)
    x = rng.normal(size=len(state)) + 0.5 * rng.normal(size=states)[state]
    shock = np.sqrt(correlation) * rng.normal(size=states)[state]
    shock += np.sqrt(1 - correlation) * rng.normal(size=len(state))
    dummy = np.isin(np.arange(states), rng.choice(states, present, replace=False)).astype(float)[state]
    listed = (stats.norm.cdf(shock) < expit(INTERCEPT + SLOPE * x)).astype(int)
    return pd.DataFrame({"listed": listed, "x": x, "dummy": dummy, "state": state})


def generate_intercepts(rng: np.random.Generator, sizes: np.ndarray) -> pd.DataFrame:
    """One panel whose states have intercepts of their own, related to x: `listed, x, state`."""
    level = 1.5 * rng.normal(size=len(sizes))
    state = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=len(state)) + 0.5 * level[state]
    listed = (rng.random(len(state)) < expit(INTERCEPT + level[state] + SLOPE * x)).astype(int)
    return pd.DataFrame({"listed": listed, "x": x, "state": state})


def linear_slope() -> float:
    """The slope of the best linear prediction of the outcome by x: by Stein's lemma the logit's slope times
    the mean of the probability's derivative, x being normal."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    p = expit(INTERCEPT + SLOPE * SPREAD * nodes)
    return float(SLOPE * (weights @ (p * (1 - p))) / weights.sum())


def estimated(model: Model, data: pd.DataFrame) -> tuple[Design, Estimated]:
    """The arrays and the estimates.

    For a logit the check for separation, which takes half of the time, comes only where there is no maximum.
    """
    if model is LOGIT:
        arrays = replace(design(LPM, data), model=LOGIT)
        try:
            return arrays, ESTIMATE["logit"](arrays)
        except ModelError:
            pass
    arrays = design(model, data)
    return arrays, ESTIMATE[model.estimator](arrays)


def clustered_methods(
    model: Model, data: pd.DataFrame, truths: dict[str, float], seed: int
) -> list[tuple[str, str, float, float, float]]:
    """(term, method, truth, estimate, p-value of the truth) of each term of a clustered model.

    `unclustered` (for `lpm` HC1); `cr1_normal` and `cr1`, the project's convention with the normal law and
    with t(G-1); `jackknife`, CV3 with t(G-1), left out for the conditional logit, of which it would take
    hours; `wild_bootstrap`, the null imposed. A separated term has none.
    """
    arrays, found = estimated(model, data)
    beta, df, out = found.coefficients, arrays.clusters - 1, []
    jackknifed = np.full((len(beta), len(beta)), np.nan)
    if model.estimator != "conditional_logit":
        jackknifed = cv3(without_each(arrays, arrays.codes, beta), beta)
    signs = sign_vectors(arrays.clusters, DRAWS, seed)
    plain = ESTIMATE[model.estimator](replace(arrays, codes=None)).covariance
    for term in (term for term in truths if term in arrays.names):
        j, truth = arrays.names.index(term), truths[term]
        away = abs(beta[j] - truth)
        by = (plain, found.covariance, jackknifed)
        unclustered, clustered, left_out = (away / np.sqrt(covariance[j, j]) for covariance in by)
        for method, p in (
            ("unclustered", 2 * stats.norm.sf(unclustered)),
            ("cr1_normal", 2 * stats.norm.sf(clustered)),
            ("cr1", 2 * stats.t.sf(clustered, df)),
            ("jackknife", 2 * stats.t.sf(left_out, df)),
            ("wild_bootstrap", share_beyond(clustered, drawn(arrays, j, truth, beta, signs))),
        ):
            out.append((term, method, truth, beta[j], p))
    return out


def penalised(data: pd.DataFrame, truths: dict[str, float]) -> list[tuple[str, str, float, float, float]]:
    """As `clustered_methods`, of Firth's estimates by the profile penalised likelihood."""
    names = ["x", "dummy"] if "dummy" in truths else ["x"]
    X, y = np.column_stack([np.ones(len(data)), data[names]]), data["listed"].to_numpy(dtype=float)
    beta, best, _ = firth.maximise(X, y)
    out = []
    for term, truth in truths.items():
        j = 1 + names.index(term)
        ratio = 2 * (best - firth.maximise(X, y, beta, held=j, at=truth)[1])
        out.append((term, "profile_likelihood", truth, beta[j], stats.chi2.sf(ratio, 1)))
    return out


def panel(sizes: np.ndarray, seed: int, task: tuple[float, int, int]) -> list[tuple]:
    """Every estimator and method on one generated panel; `task` is correlation, states, replication."""
    correlation, present, replication = task
    rng = np.random.default_rng([seed, round(100 * correlation), present, replication])
    data, rows = generate(rng, sizes, present, correlation), []
    for model, slope in ((LOGIT, SLOPE), (LPM, linear_slope())):
        found = clustered_methods(model, data, {"dummy": 0.0, "x": slope}, replication)
        rows += [(model.name, *row) for row in found]
    rows += [("firth", *row) for row in penalised(data, {"dummy": 0.0, "x": SLOPE})]
    return [(f"correlation {correlation:g}", present, *row) for row in rows]


def within(sizes: np.ndarray, seed: int, replication: int) -> list[tuple]:
    """The conditional logit on one panel whose states have intercepts of their own."""
    rng = np.random.default_rng([seed, 1, replication])
    data = generate_intercepts(rng, np.minimum(sizes, 12))  # of a big state every row costs a step
    found = clustered_methods(WITHIN, data, {"x": SLOPE}, replication)
    return [(INTERCEPTS, pd.NA, WITHIN.name, *row) for row in found if row[1] != "jackknife"]


def sparse(seed: int, replication: int) -> list[tuple]:
    """Firth and maximum likelihood on 100 independent rows, of which about 13 are events."""
    rng = np.random.default_rng([seed, 2, replication])
    x = SPREAD * rng.normal(size=100)
    data = pd.DataFrame({"x": x, "listed": (rng.random(100) < expit(INTERCEPT + SLOPE * x)).astype(int)})
    rows = [("firth", *row) for row in penalised(data, {"x": SLOPE})]
    try:
        found = fit(LOGIT.with_(covariates=("x",), cluster=None), data)
    except ModelError:  # separated: no maximum
        return [(SPARSE, pd.NA, *row) for row in rows]
    p = 2 * stats.norm.sf(abs(found.coefficients[1] - SLOPE) / np.sqrt(found.covariance[1, 1]))
    rows.append(("logit", "x", "unclustered", SLOPE, found.coefficients[1], p))
    return [(SPARSE, pd.NA, *row) for row in rows]


def simulate(
    sizes: np.ndarray,
    replications: int,
    designs: tuple[tuple[float, int], ...] = DESIGNS,
    seed: int = 0,
    workers: int = 1,
) -> pd.DataFrame:
    """One row a replication, model, term and method, with the columns `RESULTS`.

    Parameters
    ----------
    sizes : rows of each state. replications : of each design.
    workers : processes; the numbers do not depend on it.
    """
    tasks = [(*design, replication) for design in designs for replication in range(replications)]
    jobs = (
        (partial(panel, sizes, seed), tasks),
        (partial(within, sizes, seed), range(replications)),
        (partial(sparse, seed), range(replications)),
    )
    if workers == 1:
        found = [rows for job, given in jobs for rows in map(job, given)]
    else:
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            found = [rows for job, given in jobs for rows in pool.map(job, given, chunksize=10)]
    return pd.DataFrame([row for rows in found for row in rows], columns=RESULTS)


def summarise(found: pd.DataFrame) -> pd.DataFrame:
    """Rejection rates of the dummy, coverage of the slopes, and their means, with simulation errors."""
    rows = []
    for key, group in found.groupby(RESULTS[:5], sort=False, dropna=False):
        at = dict(zip(RESULTS[:5], key, strict=True))
        size, known = at["term"] == "dummy", group["p_value"].dropna()
        rejected = float((known < 0.05).mean())
        rows.append(
            {"quantity": QUANTITIES[0] if size else QUANTITIES[1]}
            | at
            | {"value": rejected if size else 1 - rejected, "truth": 0.05 if size else 0.95}
            | {
                "simulation_error": np.sqrt(rejected * (1 - rejected) / len(known)),
                "replications": len(known),
            }
        )
        if at["method"] in ("cr1", "profile_likelihood") or key[0] == SPARSE:
            estimates = group["estimate"]
            rows.append(
                {"quantity": QUANTITIES[2]}
                | at
                | {"method": "", "value": estimates.mean(), "truth": group["truth"].iloc[0]}
                | {"simulation_error": estimates.std() / np.sqrt(len(group)), "replications": len(group)}
            )
    columns = ["quantity", *RESULTS[:5], "value", "simulation_error", "truth", "replications"]
    table = pd.DataFrame(rows)[columns]
    table["states_with_dummy"] = table["states_with_dummy"].astype("Int64")
    place = table["quantity"].map(QUANTITIES.index)
    return table.loc[place.sort_values(kind="stable").index].reset_index(drop=True)


def main(replications: int = REPLICATIONS) -> None:
    """Simulate each design on two cores and write the table."""
    sizes = read_output("listing_by_state.csv")["counties"].to_numpy()
    table = summarise(simulate(sizes, replications, workers=2))
    write_csv(table, root() / "benchmarks" / "size_and_coverage.csv")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""How often each method rejects what is true, on generated data of the shape of the county panel.

3,144 rows in 51 states of the real, unequal sizes. The outcome's probability is exactly a logit in one county
covariate (itself partly the state's), its rows being tied within states by a common normal shock, so that
coefficients have a known truth under correlation. A state-level dummy that has no part in the outcome is
present in 4, 8, 14 and 25 states drawn anew each time.

`make bench` writes `benchmarks/size_and_coverage.csv`. Simulation errors are binomial.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit

from analysis.models import Model, fit
from analysis.models.bootstrap import drawn, share_beyond, sign_vectors
from analysis.models.design import design
from analysis.models.jackknife import cv3, without_each
from analysis.models.results import Fit
from analysis.provenance import read_output, root
from analysis.writing import write_csv

SLOPE, INTERCEPT, SHARED = 0.8, -2.3, 0.4  # the truth; SHARED is the correlation of the shocks in a state
PRESENT = (4, 8, 14, 25)
REPLICATIONS, DRAWS = 300, 399
LOGIT = Model("logit", "listed", ("x", "dummy"), cluster="state")
MODELS = (LOGIT, LOGIT.with_(name="lpm", estimator="lpm"))
WITHIN = LOGIT.with_(
    name="conditional", covariates=("x",), estimator="conditional_logit", fixed_effects="state"
)


def generate(rng: np.random.Generator, sizes: np.ndarray, present: int) -> pd.DataFrame:
    """One panel: `listed, x, dummy, state`.

    Parameters
    ----------
    sizes : rows of each state. present : in how many states the dummy is 1.
    """
    states = len(sizes)
    state = np.repeat(np.arange(states), sizes)
    x = rng.normal(size=len(state)) + 0.5 * rng.normal(size=states)[state]
    shock = np.sqrt(SHARED) * rng.normal(size=states)[state]
    shock += np.sqrt(1 - SHARED) * rng.normal(size=len(state))
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


def p_values(
    found: Fit, data: pd.DataFrame, truths: dict[str, float], seed: int
) -> dict[tuple[str, str], float]:
    """The p-value of each term's true value, by (term, method).

    `unclustered`; `cr1_normal` and `cr1`, the project's convention with the normal law and with t(G-1);
    `jackknife`, CV3 with t(G-1); `wild_bootstrap`, the null imposed. A separated term has none.
    """
    arrays = design(found.model, data)
    plain = fit(found.model.with_(cluster=None), data)
    jackknifed = cv3(without_each(arrays, arrays.codes, found.coefficients), found.coefficients)
    signs, df, out = sign_vectors(found.clusters, DRAWS, seed), found.clusters - 1, {}
    for term, truth in truths.items():
        if term not in found.terms:
            continue
        j = found.terms.index(term)
        away = abs(found.coefficients[j] - truth)
        by = (plain.covariance, found.covariance, jackknifed)
        unclustered, clustered, left_out = (away / np.sqrt(covariance[j, j]) for covariance in by)
        null = drawn(arrays, j, truth, found.coefficients, signs)
        out[term, "unclustered"] = 2 * stats.norm.sf(unclustered)
        out[term, "cr1_normal"] = 2 * stats.norm.sf(clustered)
        out[term, "cr1"] = 2 * stats.t.sf(clustered, df)
        out[term, "jackknife"] = 2 * stats.t.sf(left_out, df)
        out[term, "wild_bootstrap"] = share_beyond(clustered, null)
    return out


def simulate(sizes: np.ndarray, present: int, replications: int, seed: int) -> pd.DataFrame:
    """One row a replication, model, term and method: `estimator, term, method, p_value, estimate`."""
    rng, rows = np.random.default_rng([seed, present]), []
    for replication in range(replications):
        data = generate(rng, sizes, present)
        for model in MODELS:
            found = fit(model, data)
            truths = {"dummy": 0.0} if model.estimator == "lpm" else {"dummy": 0.0, "x": SLOPE}
            for (term, method), p in p_values(found, data, truths, replication).items():
                estimate = found.coefficients[found.terms.index(term)]
                rows.append((model.name, term, method, p, estimate))
    return pd.DataFrame(rows, columns=["estimator", "term", "method", "p_value", "estimate"])


def summarise(found: pd.DataFrame, present: int) -> pd.DataFrame:
    """Rejection rates of the dummy, coverage of the slope, and the slope's mean, with simulation errors."""
    rows = []
    for (estimator, term, method), group in found.groupby(["estimator", "term", "method"], sort=False):
        n, rejected = len(group), float((group["p_value"] < 0.05).mean())
        size = term == "dummy"
        rows.append(
            {
                "quantity": "rejection of a true null at 5 %" if size else "coverage of 95 % limits",
                "estimator": estimator,
                "term": term,
                "method": method,
                "value": rejected if size else 1 - rejected,
                "simulation_error": np.sqrt(rejected * (1 - rejected) / n),
                "truth": 0.05 if size else 0.95,
                "replications": n,
            }
        )
    slope = found[(found["term"] == "x") & (found["method"] == "cr1")]["estimate"]
    rows.append(recovery("logit", slope.to_numpy()))
    return pd.DataFrame(rows).assign(states_with_dummy=present)


def recovery(estimator: str, slopes: np.ndarray) -> dict:
    """The mean of estimates of the slope against its truth."""
    return {
        "quantity": "mean estimate",
        "estimator": estimator,
        "term": "x",
        "method": "",
        "value": slopes.mean(),
        "simulation_error": slopes.std(ddof=1) / np.sqrt(len(slopes)),
        "truth": SLOPE,
        "replications": len(slopes),
    }


def recover_within(sizes: np.ndarray, replications: int, seed: int) -> dict:
    """The mean estimate of conditional logit where states have intercepts of their own."""
    rng = np.random.default_rng(seed)
    frames = (generate_intercepts(rng, sizes) for _ in range(replications))
    return recovery("conditional_logit", np.array([fit(WITHIN, data).coefficients[0] for data in frames]))


def main(replications: int = REPLICATIONS) -> None:
    """Simulate each design and write the table."""
    sizes = read_output("listing_by_state.csv")["counties"].to_numpy()
    tables = [summarise(simulate(sizes, present, replications, 0), present) for present in PRESENT]
    tables.append(pd.DataFrame([recover_within(sizes, max(replications // 10, 2), 0)]))
    columns = ["quantity", "estimator", "term", "method", "states_with_dummy", "value", "simulation_error"]
    table = pd.concat(tables, ignore_index=True)[[*columns, "truth", "replications"]]
    table["states_with_dummy"] = table["states_with_dummy"].astype("Int64")
    order = table["quantity"].map({name: at for at, name in enumerate(dict.fromkeys(table["quantity"]))})
    table = table.loc[order.sort_values(kind="stable").index]
    write_csv(table, root() / "benchmarks" / "size_and_coverage.csv")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

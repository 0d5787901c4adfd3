"""A small version of benchmarks/size_and_coverage.py, and what its committed table says."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.provenance import root
from benchmarks import size_and_coverage as benchmark

SIZES = np.array([60, 45, 40, 30, 30, 25, 20, 20, 15, 15, 10, 10, 10, 8, 5, 5, 3, 1])
KEY = ["design", "estimator", "method"]


@pytest.fixture(scope="module")
def small():
    found = benchmark.simulate(SIZES, 25, ((0.4, 6),), seed=3)
    assert set(found["estimator"]) == {"logit", "lpm", "firth", "conditional_logit"}
    return benchmark.summarise(found)


def test_methods_that_know_of_clusters_reject_less(small):
    sizes = small[small["quantity"] == benchmark.QUANTITIES[0]].set_index(KEY)["value"]["correlation 0.4"]
    for estimator in ("logit", "lpm"):
        assert sizes[estimator, "unclustered"] > 0.2
        assert sizes[estimator, "jackknife"] <= sizes[estimator, "cr1"] <= sizes[estimator, "cr1_normal"]
        assert sizes[estimator, "wild_bootstrap"] <= 0.2
    assert sizes["firth", "profile_likelihood"] > 0.2  # it knows nothing of them


def test_limits_cover_the_slope_and_estimates_recover_it(small):
    covered = small[small["quantity"] == benchmark.QUANTITIES[1]].set_index(KEY)["value"]
    for estimator in ("logit", "lpm"):
        assert covered["correlation 0.4", estimator, "jackknife"] >= 0.8
    assert covered[benchmark.SPARSE, "firth", "profile_likelihood"] >= 0.8
    assert covered[benchmark.INTERCEPTS, "conditional_logit", "wild_bootstrap"] >= 0.8
    means = small[(small["quantity"] == benchmark.QUANTITIES[2]) & (small["term"] == "x")]
    assert len(means) == 6
    assert (np.abs(means["value"] - means["truth"]) < 4.5 * means["simulation_error"]).all()


def test_the_generated_panel_has_its_truth():
    rng = np.random.default_rng(0)
    data = pd.concat([benchmark.generate(rng, np.full(51, 60), 8) for _ in range(20)])
    assert len(data) == 20 * 51 * 60 and data.groupby("state")["dummy"].mean().between(0, 1).all()
    near = data[np.abs(data["x"]) < 0.05]["listed"]
    assert len(near) > 1000
    assert near.mean() == pytest.approx(expit(benchmark.INTERCEPT), abs=0.03)


def test_the_linear_truth_is_the_best_linear_prediction():
    rng = np.random.default_rng(1)
    x = benchmark.SPREAD * rng.normal(size=400_000)
    p = expit(benchmark.INTERCEPT + benchmark.SLOPE * x)
    assert np.cov(x, p)[0, 1] / x.var() == pytest.approx(benchmark.linear_slope(), abs=5e-4)


def test_the_committed_table_shows_the_order_of_the_methods():
    table = pd.read_csv(root() / "benchmarks" / "size_and_coverage.csv")
    sizes = table[table["quantity"] == benchmark.QUANTITIES[0]]
    usual = sizes[sizes["design"] == "correlation 0.2"].set_index(
        ["estimator", "method", "states_with_dummy"]
    )
    assert set(sizes["states_with_dummy"]) == {4, 8, 14, 25} and (sizes["replications"] >= 800).all()
    assert (table["replications"] >= 800).all()  # of a thousand, those where the statistic exists
    rate = usual["value"].sort_index()
    for estimator in ("logit", "lpm"):
        assert rate[estimator, "unclustered", 14] > 0.4 > rate[estimator, "cr1_normal", 4]
        assert rate[estimator, "cr1_normal", 4] > 0.12 > rate[estimator, "cr1", 25]
        assert rate[estimator, "cr1", 4] > rate[estimator, "jackknife", 4] > rate[estimator, "jackknife", 25]
        assert (rate[estimator, "wild_bootstrap"] < 0.1).all()

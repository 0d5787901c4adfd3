"""A small version of benchmarks/size_and_coverage.py, and what its committed table says."""

import numpy as np
import pandas as pd
import pytest

from analysis.provenance import root
from benchmarks import size_and_coverage as benchmark

SIZES = np.array([60, 45, 40, 30, 30, 25, 20, 20, 15, 15, 10, 10, 10, 8, 5, 5, 3, 1])


def test_methods_that_know_of_clusters_reject_less():
    found = benchmark.simulate(SIZES, 6, 25, seed=3)
    table = benchmark.summarise(found, 6).set_index(["quantity", "estimator", "method"])["value"]
    sizes = table["rejection of a true null at 5 %"]
    for estimator in ("logit", "lpm"):
        assert sizes[estimator, "unclustered"] > 0.25
        assert sizes[estimator, "jackknife"] <= sizes[estimator, "cr1"] <= sizes[estimator, "cr1_normal"]
        assert sizes[estimator, "wild_bootstrap"] <= 0.2
    covered = table["coverage of 95 % limits"]["logit"]
    assert covered["jackknife"] >= 0.8
    assert covered["unclustered"] <= covered["jackknife"]
    assert abs(table["mean estimate", "logit", ""] - benchmark.SLOPE) < 0.2


def test_the_generated_panel_has_its_truth():
    rng = np.random.default_rng(0)
    frames = [benchmark.generate(rng, np.full(51, 60), 8) for _ in range(20)]
    data = pd.concat(frames)
    assert len(data) == 20 * 51 * 60 and data.groupby("state")["dummy"].mean().between(0, 1).all()
    near = data[np.abs(data["x"]) < 0.05]["listed"]
    assert len(near) > 1000
    assert near.mean() == pytest.approx(1 / (1 + np.exp(-benchmark.INTERCEPT)), abs=0.03)


def test_conditional_logit_recovers_the_slope_within_states():
    found = benchmark.recover_within(SIZES * 2, 8, 0)
    assert abs(found["value"] - found["truth"]) < 4 * found["simulation_error"] and found["replications"] == 8


def test_the_committed_table_shows_the_order_of_the_methods():
    table = pd.read_csv(root() / "benchmarks" / "size_and_coverage.csv")
    sizes = table[table["quantity"].str.startswith("rejection")]
    assert set(sizes["states_with_dummy"]) == {4, 8, 14, 25} and (sizes["replications"] >= 200).all()
    mean = sizes.groupby("method")["value"].mean()
    assert mean["unclustered"] > 0.3 and mean["cr1_normal"] > mean["cr1"] > mean["jackknife"] < 0.1
    assert mean["wild_bootstrap"] < 0.1

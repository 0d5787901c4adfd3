"""Exact conditional logit and within-between columns, against enumeration and other routes."""

from itertools import combinations
from math import comb, log

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import root
from scipy.special import logsumexp
from statsmodels.discrete.conditional_models import ConditionalLogit

from analysis.errors import ModelError
from analysis.models import Model, average_marginal_effects, conditional, estimates, fit, within_between
from analysis.models.design import design

MODEL = Model("m", "listed", ["x", "dummy"], "conditional_logit", fixed_effects="state")


@pytest.mark.parametrize("events", range(7))
def test_the_recursion_is_the_sum_over_all_subsets(events):
    rng = np.random.default_rng(events)
    X, eta = rng.normal(size=(6, 2)), rng.normal(size=6)
    chosen = [list(rows) for rows in combinations(range(6), events)]
    logs = np.array([eta[rows].sum() for rows in chosen])
    sums = np.array([X[rows].sum(axis=0) for rows in chosen])
    weights = np.exp(logs - logsumexp(logs))
    value, mean, spread = conditional.subsets(X, eta, events)
    assert len(chosen) == comb(6, events)
    np.testing.assert_allclose(value, logsumexp(logs), atol=1e-12)
    np.testing.assert_allclose(mean, weights @ sums, atol=1e-12)
    away = sums - weights @ sums
    np.testing.assert_allclose(spread, (away * weights[:, None]).T @ away, atol=1e-12)
    inside = np.array([sum(weights[i] for i, rows in enumerate(chosen) if row in rows) for row in range(6)])
    np.testing.assert_allclose(conditional.inclusion(eta, events), inside, atol=1e-12)


@pytest.mark.parametrize("size", [0.0, 400.0])
def test_a_stratum_of_254_rows_keeps_its_digits(size):
    eta = np.linspace(-size, size, 254)
    value, mean, spread = conditional.subsets(eta[:, None], eta, 127)
    assert np.isfinite([value, mean[0], spread[0, 0]]).all()
    if size == 0:
        assert value == pytest.approx(log(comb(254, 127)), rel=1e-13)
    moved = [conditional.subsets(eta[:, None], eta * (1 + step), 127)[0] for step in (-1e-6, 1e-6)]
    assert (moved[1] - moved[0]) / 2e-6 == pytest.approx(mean[0], rel=1e-5, abs=1e-4)
    assert conditional.inclusion(eta, 127).sum() == pytest.approx(127, abs=1e-8)


def test_statsmodels_agrees(frame):
    found = fit(MODEL, frame)
    arrays = design(MODEL, frame)
    other = ConditionalLogit(arrays.y, arrays.X, groups=arrays.groups[0])
    theirs = root(other.score, found.coefficients + 0.01, tol=1e-12)  # its own optimiser stops early
    assert theirs.success and len(found.coefficients) == 2
    np.testing.assert_allclose(found.coefficients, theirs.x, atol=1e-8)
    steps = 1e-5 * np.eye(2)
    curvature = [(other.score(theirs.x - step) - other.score(theirs.x + step)) / 2e-5 for step in steps]
    errors = np.sqrt(np.diag(np.linalg.inv(np.array(curvature))))
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), errors, atol=1e-6)
    assert found.log_likelihood == pytest.approx(other.loglike(found.coefficients), abs=1e-8)


def test_known_slopes_come_back(generate):
    found = []
    for seed in range(15):
        frame = generate(seed=200 + seed, states=40, size=30)
        found.append(fit(MODEL.with_(add=["x:share"], cluster="state"), frame).coefficients)
    found = np.array(found)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert len(found) == 15 and (np.abs(found.mean(axis=0) - [0.8, -0.5, 0.3]) < 3.5 * error).all()


def test_clusters_hold_whole_strata(frame):
    plain, clustered = fit(MODEL, frame), fit(MODEL.with_(cluster="state"), frame)
    np.testing.assert_array_equal(plain.coefficients, clustered.coefficients)
    assert clustered.clusters == len(set(frame.loc[clustered.rows, "state"]))
    assert (clustered.effective_clusters > 1).all() and clustered.degrees_of_freedom == clustered.clusters - 1
    assert fit(MODEL.with_(cluster="region"), frame).clusters == 4
    with pytest.raises(ModelError, match="'state' lies in several clusters of 'dummy'"):
        fit(MODEL.with_(drop=["dummy"], cluster="dummy"), frame)


def test_groups_without_variation_leave_with_the_reason(frame):
    frame.loc[frame["state"] == "S03", "listed"] = 1
    frame.loc[frame["state"] == "S04", "listed"] = 0
    found = fit(MODEL, frame)
    gone = found.dropped["reason"] == "group without variation in state"
    assert set(frame.loc[found.dropped.index[gone], "state"]) >= {"S03", "S04"}
    assert found.fitted.sum() == pytest.approx(found.outcome.sum())


def test_separation_within_strata_is_found(frame):
    frame["sure"] = frame["listed"].where(frame["state"] > "S20", 0)
    rows = estimates(fit(MODEL.with_(add=["sure"]), frame)).set_index("term")
    assert np.isnan(rows.loc["sure", "estimate"]) and rows.loc["sure", "note"].startswith("separated (+)")
    assert rows.loc[["x", "dummy"], "estimate"].notna().all()


def test_what_it_cannot_do_is_said(frame):
    for changes in ({"fixed_effects": ()}, {"fixed_effects": ("state", "region")}, {"weights": "population"}):
        with pytest.raises(ModelError, match="one fixed effect, its strata, and no weights"):
            MODEL.with_(**changes)
    with pytest.raises(ModelError, match="no probabilities to average"):
        average_marginal_effects(fit(MODEL, frame), frame)


def test_within_and_between_slopes(frame):
    wide = within_between(frame, ["x", "share"], "state")
    assert list(wide.columns[-4:]) == ["x_between", "x_within", "share_between", "share_within"]
    np.testing.assert_allclose(wide["x_between"] + wide["x_within"], frame["x"])
    assert wide.groupby("state")["x_within"].mean().abs().max() < 1e-12
    split = Model("m", "listed", ["x_within", "share_within", "x_between", "share_between"], "lpm")
    absorbed = Model("m", "listed", ["x", "share"], "lpm", fixed_effects="state")
    np.testing.assert_allclose(
        fit(split, wide).coefficients[1:3], fit(absorbed, frame).coefficients, atol=1e-10
    )
    with pytest.raises(ModelError, match="Nearest: 'share'"):
        within_between(frame, ["shares"], "state")
    with pytest.raises(ModelError, match="already have"):
        within_between(wide, "x", "state")
    wide = within_between(frame.assign(share=frame["share"].where(frame["x"] > 0)), ["x"], "state")
    assert (
        wide["x_between"] == frame.groupby("state")["x"].transform("mean")
    ).all()  # other gaps do not count
    gap = within_between(pd.DataFrame({"g": ["a", None, "a"], "v": [1.0, 2.0, np.nan]}), "v", "g")
    assert gap["v_between"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("estimator", ["logit", "firth", "lpm", "conditional_logit"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outcome": "zero"}, "'zero'"),
        ({"add": ["empty"]}, "missing values: empty"),
        ({"add": ["endless"]}, "'endless' holds 1 infinite values"),
        ({"add": ["shar"]}, "'shar'.*Nearest: 'share'"),
        ({"sample": "geoid < '00003'"}, "3 rows are too few for 3 columns"),
    ],
)
def test_every_estimator_names_the_column(frame, estimator, changes, message):
    frame = frame.assign(
        zero=0, empty=np.nan, endless=np.where(np.arange(len(frame)) == 3, np.inf, frame["x"])
    )
    frame.iloc[:3, frame.columns.get_loc("listed")] = [0, 1, 0]
    effects = "state" if estimator == "conditional_logit" else ()
    with pytest.raises(ModelError, match=message):
        fit(Model("m", "listed", ["x", "dummy"], estimator, fixed_effects=effects).with_(**changes), frame)


def test_constant_and_doubled_columns_leave_and_one_cluster_is_an_error(frame):
    frame = frame.assign(flat=2, double=frame["x"], one="A")
    rows = estimates(fit(MODEL.with_(add=["flat", "double"]), frame)).set_index("term")
    assert rows.loc[["flat", "double"], "estimate"].isna().all()
    assert rows.loc["flat", "note"].startswith("left out: constant")
    assert rows.loc["double", "note"] == "left out: collinear with x"
    with pytest.raises(ModelError, match="one cluster of 'one'"):
        fit(MODEL.with_(cluster="one"), frame)

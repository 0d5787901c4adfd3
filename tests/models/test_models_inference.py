"""Jackknife, wild cluster bootstrap, permutation and multiplicity, against plain loops and other routes."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit
from statsmodels.stats.multitest import multipletests

from analysis.errors import ModelError
from analysis.models import (
    Model,
    bootstrap,
    conditional,
    fit,
    jackknife,
    logit,
    lpm,
    wild_cluster_bootstrap,
)
from analysis.models.bootstrap import drawn, share_beyond, sign_vectors, without_effects
from analysis.models.cluster import (
    cluster_leverage,
    clustered_covariance,
    correction,
    inverse_gram,
    two_way_covariance,
)
from analysis.models.design import design
from analysis.models.inference import COLUMNS, Draws, inference_table
from analysis.models.multiplicity import benjamini_hochberg, holm, romano_wolf
from analysis.models.permutation import shuffles, varying, within_permutation

LOGIT = Model("m", "listed", ["x", "dummy"], cluster="state")
LPM = LOGIT.with_(estimator="lpm")
EFFECTS = LPM.with_(fixed_effects="state")
STRATA = EFFECTS.with_(estimator="conditional_logit")
SMALL = Draws(signs=199, permutations=99)


@pytest.mark.parametrize("model", [LOGIT, LPM, EFFECTS, STRATA, LOGIT.with_(fixed_effects="state")])
def test_the_jackknife_is_a_loop_of_fits(frame, model):
    found = fit(model, frame)
    done = jackknife(found, frame)
    assert len(done.labels) == found.clusters == len(done.estimates) > 20
    for label in done.labels[:4]:
        alone = fit(model, frame[frame["state"] != label])
        np.testing.assert_allclose(
            done.estimates[done.labels.index(label), : len(found.terms) - found.effects],
            alone.coefficients[: len(alone.terms) - alone.effects],
            atol=1e-8,
        )
    away = done.estimates - found.coefficients
    share = (found.clusters - 1) / found.clusters
    assert done.covariance[0, 0] == pytest.approx(share * (away[:, 0] ** 2).sum())


def test_the_jackknife_of_what_rests_on_one_cluster_is_empty(frame):
    frame["only"] = np.where(frame["state"] == "S02", frame["x"], 0.0)
    done = jackknife(fit(LPM.with_(add=["only"]), frame), frame)
    missing = np.isnan(done.estimates).any(axis=1)
    assert [label for label, gone in zip(done.labels, missing, strict=True) if gone] == ["S02"]
    gone = np.isnan(done.covariance)
    assert gone[3].all() and gone[:, 3].all() and not gone[:3, :3].any()
    alone = fit(LPM, frame[frame["state"] != "S02"]).coefficients
    np.testing.assert_allclose(done.estimates[done.labels.index("S02"), :3], alone, atol=1e-10)
    for other in (LPM.with_(cluster=None), LOGIT.with_(estimator="firth", cluster=None)):
        with pytest.raises(ModelError, match="needs a clustered logit, lpm or conditional_logit"):
            jackknife(fit(other, frame), frame)


def test_the_jackknife_of_what_separates_without_one_cluster_is_empty_for_that_term(generate):
    frame = generate(seed=5, states=12)
    frame["flag"] = frame["state"].isin(["S02", "S03"]) & (frame["dummy"] == 1)
    frame.loc[frame["flag"] & (frame["state"] == "S03"), "listed"] = 0  # without S02 it predicts perfectly
    frame.loc[frame["flag"] & (frame["state"] == "S02"), "listed"] = (
        np.arange((frame["flag"] & (frame["state"] == "S02")).sum()) % 2
    )
    for model in (LOGIT.with_(drop=["dummy"], add=["flag"]), STRATA.with_(drop=["dummy"], add=["flag"])):
        found = fit(model, frame)
        done = jackknife(found, frame)
        x, flag = found.terms.index("x"), found.terms.index("flag")
        assert np.isnan(done.covariance[flag, flag]) and np.isfinite(done.covariance[x, x])
        left = frame[frame["state"] != "S02"]
        row = done.estimates[done.labels.index("S02")]
        assert np.isnan(row[flag])
        assert row[x] == pytest.approx(fit(model, left).coefficients[x], abs=1e-7)


def test_the_jackknife_does_not_depend_on_the_order_of_rows(frame):
    found = fit(LOGIT.with_(fixed_effects="region"), frame)
    done = jackknife(found, frame)
    shuffled = jackknife(found, frame.sample(frac=1, random_state=3))
    assert done.names == shuffled.names and len(done.estimates) == 30
    np.testing.assert_allclose(shuffled.covariance, done.covariance, atol=1e-9)


def test_the_bootstrap_of_strata_is_one_step_from_the_null(generate):
    """Each draw from scratch: signed scores, one step of Newton's method, the sandwich of what is left."""
    frame = generate(seed=6, states=9, size=12)
    found, arrays = fit(STRATA, frame), design(STRATA, frame)
    (groups,), j = arrays.groups, found.terms.index("dummy")
    at = conditional.maximise(arrays.X[:, [0]], arrays.y, groups)[0]
    strata = [np.flatnonzero(groups == group) for group in range(groups.max() + 1)]
    _, scores, information = conditional.likelihood(arrays.X, arrays.y, strata, np.array([at[0], 0.0]))
    owner = np.array([arrays.codes[rows[0]] for rows in strata])
    signs = sign_vectors(found.clusters, 99, 3)
    expected, bread = [], np.linalg.inv(information.sum(axis=0))
    for sign in signs.T:
        star = scores * sign[owner][:, None]
        step = bread @ star.sum(axis=0)
        left = (star - information @ step) @ bread
        sums = np.array([left[owner == cluster].sum(axis=0) for cluster in range(found.clusters)])
        factor = correction(found.n, arrays.parameters, found.clusters)
        expected.append(step[j] / np.sqrt(factor * (sums[:, j] ** 2).sum()))
    got = drawn(arrays, j, 0.0, found.coefficients, signs)
    assert len(got) == 99
    np.testing.assert_allclose(got, expected, atol=1e-6)
    p, low, high = wild_cluster_bootstrap(found, frame, "dummy", draws=199, seed=3)
    assert 0 <= p <= 1 and low < found.coefficients[j] < high


def test_the_score_of_strata_is_that_of_the_logit_where_there_is_one_stratum_a_pair():
    """In pairs with one event each the conditional logit is a logit of differences without an intercept."""
    rng = np.random.default_rng(8)
    pairs, x = np.repeat(np.arange(80), 2), rng.normal(size=(160, 2))
    first = rng.random(80) < expit((x[::2, 0] - x[1::2, 0]) * 0.7)
    listed = np.column_stack([first, ~first]).ravel().astype(int)
    frame = pd.DataFrame({"listed": listed, "x": x[:, 0], "z": x[:, 1], "pair": pairs, "state": pairs // 8})
    model = Model("pairs", "listed", ["x", "z"], "conditional_logit", fixed_effects="pair", cluster="state")
    found, arrays = fit(model, frame), design(model, frame)
    gaps = x[::2] - x[1::2]
    other = logit.maximise(gaps, first.astype(float))
    np.testing.assert_allclose(found.coefficients, other, atol=1e-9)
    signs = sign_vectors(10, 99, 0)
    eta = gaps[:, [1]] @ logit.maximise(gaps[:, [1]], first.astype(float))
    root = np.sqrt(expit(eta) * expit(-eta))
    expected = by_refitting(
        gaps * root[:, None], (first - expit(eta)) / root, np.arange(80) // 8, 0, signs, 0
    )
    ratio = np.sqrt(correction(80, 0, 10) / correction(160, arrays.parameters, 10))
    np.testing.assert_allclose(drawn(arrays, 0, 0.0, found.coefficients, signs), expected * ratio, atol=1e-7)


def by_refitting(X, y, codes, j, signs, k):
    """t of every draw by plain regressions, the null that coefficient j is 0 imposed."""
    others = np.delete(X, j, axis=1)
    fitted = others @ lpm.least_squares(others, y)
    bread, out = inverse_gram(X, np.ones(len(y))), []
    for sign in signs.T:
        star = fitted + sign[codes] * (y - fitted)
        beta = lpm.least_squares(X, star)
        scores = X * (star - X @ beta)[:, None]
        factor = correction(len(y), k, len(signs))
        out.append(beta[j] / np.sqrt(clustered_covariance(bread, scores, codes, factor)[j, j]))
    return np.array(out)


@pytest.mark.parametrize("model", [LPM, EFFECTS])
def test_the_bootstrap_of_least_squares_is_a_loop_of_fits(frame, model):
    found, arrays = fit(model, frame), design(model, frame)
    j, signs = found.terms.index("dummy"), sign_vectors(30, 99, 1)
    dummies = pd.get_dummies(frame["state"]).to_numpy(dtype=float)
    X = arrays.X if model is LPM else np.column_stack([arrays.X, dummies])
    expected = by_refitting(X, arrays.y, arrays.codes, j, signs, arrays.parameters)
    got = drawn(without_effects(arrays), j, 0.0, found.coefficients, signs)
    assert len(got) == 99
    np.testing.assert_allclose(got, expected, atol=1e-9)
    p, low, high = wild_cluster_bootstrap(found, frame, "dummy", draws=99, seed=1)
    t = found.coefficients[j] / np.sqrt(found.covariance[j, j])
    assert p == share_beyond(t, expected) and low < found.coefficients[j] < high


def test_the_bootstrap_of_a_logit_is_that_of_its_linearisation(frame):
    found, arrays = fit(LOGIT, frame), design(LOGIT, frame)
    j, signs = 1, sign_vectors(30, 99, 2)
    others = np.delete(arrays.X, j, axis=1)
    eta = others @ logit.maximise(others, arrays.y)
    root = np.sqrt(expit(eta) * expit(-eta))
    X, z = arrays.X * root[:, None], (arrays.y - expit(eta)) / root
    expected = by_refitting(X, z, arrays.codes, j, signs, arrays.parameters)
    got = drawn(arrays, j, 0.0, found.coefficients, signs)
    np.testing.assert_allclose(got, expected, atol=1e-7)
    assert len(got) == 99


def test_permutation_within_strata_is_that_of_a_logit_with_effects(frame):
    groups = pd.factorize(frame["state"])[0]
    exact, many = (fit(model, frame) for model in (STRATA, LOGIT.with_(fixed_effects="state")))
    p = []
    for found in (exact, many):
        arrays = design(found.model, frame)
        assert found.n == len(frame)
        shuffled, j = shuffles(groups, 199, 0), found.terms.index("dummy")
        p.append(within_permutation(arrays, j, found.coefficients, groups, shuffled))
    assert p[0] == pytest.approx(p[1], abs=0.05)


@pytest.mark.parametrize("model", [LOGIT, LPM])
def test_limits_are_where_the_test_turns(frame, model):
    found = fit(model, frame)
    p, low, high = wild_cluster_bootstrap(found, frame, "x", draws=999)
    again = wild_cluster_bootstrap(found, frame, "x", draws=999)
    arrays, signs = design(model, frame), sign_vectors(30, 999, 0)
    j = found.terms.index("x")
    error = np.sqrt(found.covariance[j, j])
    turns = 0
    for end, outward in ((low, -1), (high, 1)):
        for step, rejected in ((0.01, True), (-0.01, False)):
            at = end + outward * step * error
            share = share_beyond(
                (found.coefficients[j] - at) / error, drawn(arrays, j, at, found.coefficients, signs)
            )
            assert (share <= 0.05) == rejected
            turns += 1
    assert turns == 4 and (p, low, high) == again and (p < 0.05) == (low > 0 or high < 0)


def test_few_clusters_are_enumerated(generate):
    frame = generate(seed=4, states=5)
    found = fit(LPM, frame)
    assert wild_cluster_bootstrap(found, frame, "x", seed=1) == wild_cluster_bootstrap(
        found, frame, "x", seed=2
    )
    pair = fit(LPM, frame[frame["state"] < "S02"])  # two clusters: four vectors, of which none can tell
    p, low, high = wild_cluster_bootstrap(pair, frame[frame["state"] < "S02"], "x")
    assert 0 <= p <= 1 and low <= high
    signs = sign_vectors(5, 32, 0)
    assert signs.shape == (5, 32) and len({tuple(column) for column in signs.T}) == 32
    assert sign_vectors(7, 127, 0).shape == (7, 127)


@pytest.mark.parametrize(
    ("model", "term", "draws", "message"),
    [
        (LOGIT.with_(cluster=None), "x", 99, "has no cluster"),
        (LOGIT.with_(estimator="firth"), "x", 99, "has no cluster"),
        (LOGIT, "dumy", 99, "Nearest: 'dummy'"),
        (LOGIT.with_(add=["flat"]), "flat", 99, "has no coefficient: left out: constant"),
        (LOGIT, "x", 98, "at least 99"),
        (LOGIT, "x", 99.0, r"draws=99.0: a whole number of at least 1"),
        (LOGIT, "x", True, "draws=True: a whole number"),
        (LOGIT, "x", -5, "draws=-5"),
    ],
)
def test_what_the_bootstrap_refuses(frame, model, term, draws, message):
    frame = frame.assign(flat=1)
    with pytest.raises(ModelError, match=message):
        wild_cluster_bootstrap(fit(model, frame), frame, term, draws=draws)


def test_the_bootstrap_refuses_other_data(frame):
    with pytest.raises(ModelError, match="not the data that were fitted"):
        wild_cluster_bootstrap(fit(LOGIT, frame), frame.iloc[:-5], "x")


def test_two_ways_and_leverage_agree_with_statsmodels(frame):
    X = sm.add_constant(frame[["x", "dummy"]].to_numpy())
    y = frame["listed"].to_numpy(dtype=float)
    first, second = (pd.factorize(frame[name])[0] for name in ("state", "region"))
    ols = sm.OLS(y, X).fit(cov_type="cluster", cov_kwds={"groups": np.column_stack([first, second])})
    scores = X * ols.resid.reshape(-1, 1)
    found = two_way_covariance(inverse_gram(X, np.ones(len(y))), scores, first, second, 3)
    np.testing.assert_allclose(np.sqrt(np.diag(found)), ols.bse, atol=1e-10)
    leverage = cluster_leverage(X, first)
    hat = sm.OLS(y, X).fit().get_influence().hat_matrix_diag
    np.testing.assert_allclose(leverage, np.bincount(first, weights=hat), atol=1e-10)
    assert len(leverage) == 30 and leverage.sum() == pytest.approx(3)


def test_adjusted_p_values_agree_with_statsmodels():
    rng = np.random.default_rng(0)
    for tests in (1, 2, 9):
        p = rng.random(tests) ** 3
        for mine, method in (
            (holm(p), "holm"),
            (benjamini_hochberg(p), "fdr_bh"),
            (benjamini_hochberg(p, dependent=True), "fdr_by"),
        ):
            np.testing.assert_allclose(mine, multipletests(p, method=method)[1], atol=1e-12)


def test_the_stepdown_of_one_test_is_the_test_and_of_copies_too():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(3, 5000))
    t = np.array([3.0, -2.2, 0.4])
    alone = np.array([share_beyond(value, row) for value, row in zip(t, draws, strict=True)])
    adjusted = romano_wolf(t, draws)
    assert (adjusted >= alone).all() and (np.diff(adjusted) >= 0).all()
    assert adjusted[2] == alone[2] and (adjusted <= holm(alone) + 0.01).all()
    copies = np.repeat(draws[:1], 3, axis=0)
    np.testing.assert_array_equal(romano_wolf(np.full(3, 2.0), copies), share_beyond(2.0, draws[0]))


def test_shuffling_stays_within_groups(frame):
    groups = pd.factorize(frame["state"])[0]
    shuffled = shuffles(groups, 50, 0)
    assert shuffled.shape == (50, len(frame))
    assert (groups[shuffled] == groups).all() and (np.sort(shuffled) == np.arange(len(frame))).all()
    assert len(np.unique(shuffled[:, 0])) > 5


def test_permutation_tells_a_slope_from_none(frame):
    model = LOGIT.with_(add=["share", "level"])
    frame["level"] = frame["state"].str[1:].astype(int) % 2
    groups = pd.factorize(frame["state"])[0]
    found, arrays = fit(model, frame), design(model, frame)
    shuffled = shuffles(groups, 199, 0)
    p = {
        term: within_permutation(arrays, found.terms.index(term), found.coefficients, groups, shuffled)
        for term in ("x", "dummy", "share", "level")
    }
    assert p["x"] == 1 / 200 and p["share"] > 0.05 and np.isnan(p["level"])
    assert (
        varying(frame["level"].to_numpy(), groups) == 0 and varying(frame["dummy"].to_numpy(), groups) == 30
    )


def test_permutation_has_its_size():
    """Under no association in a state-wise shuffled outcome the p-values are about uniform."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(12), 15)
    shuffled, found = shuffles(groups, 99, 0), []
    for _ in range(120):
        frame = pd.DataFrame({"x": rng.normal(size=180) + groups, "z": rng.normal(size=180), "state": groups})
        frame["listed"] = (rng.random(180) < expit(rng.normal(size=12)[groups])).astype(int)
        model = Model("m", "listed", ["x", "z"])
        done, arrays = fit(model, frame), design(model, frame)
        found.append(within_permutation(arrays, 1, done.coefficients, groups, shuffled))
    assert len(found) == 120 and 0.3 < np.mean(np.array(found) <= 0.5) < 0.7
    assert np.mean(np.array(found) <= 0.05) < 0.12


def test_a_draw_that_is_the_data_counts_as_at_least_as_large(frame):
    model = LOGIT.with_(covariates=["x", "share"])
    groups, same = pd.factorize(frame["state"])[0], np.arange(len(frame))
    shuffled = np.stack([same, *shuffles(groups, 40, 0)])
    done, arrays = fit(model, frame), design(model, frame)
    alone = within_permutation(arrays, 1, done.coefficients, groups, shuffled[1:])
    assert within_permutation(arrays, 1, done.coefficients, groups, same[None]) == 1.0
    with_it = within_permutation(arrays, 1, done.coefficients, groups, shuffled)
    assert with_it * 42 == pytest.approx(alone * 41 + 1)


def test_the_table_has_every_method_that_applies(frame):
    frame["level"] = (frame["state"] > "S12").astype(int)
    models = [
        LOGIT.with_(name="main"),
        LOGIT.with_(name="wide", add=["level"]),
        EFFECTS.with_(name="effects"),
        LOGIT.with_(name="strata", estimator="conditional_logit", fixed_effects="state"),
        LOGIT.with_(name="penalised", estimator="firth", cluster=None),
    ]
    fits = {model.name: fit(model, frame) for model in models}
    table, influence = inference_table(fits, {"county": frame}, ("x", "dummy"), SMALL)
    assert list(table.columns) == list(COLUMNS) and not table.duplicated(["model", "term", "method"]).any()
    methods = table.groupby("model")["method"].agg(set)
    drawn_kinds = {"clustered", "jackknife", "leave_one_state_out", "wild_bootstrap", "romano_wolf"}
    drawn_kinds |= {"within_state_permutation"}
    assert methods["main"] == methods["effects"] == drawn_kinds
    assert methods["wide"] == drawn_kinds | {"benjamini_hochberg"}
    assert methods["strata"] == drawn_kinds
    assert methods["penalised"] == {"profile_likelihood", "leave_one_state_out", "holm"}
    indexed = table.set_index(["model", "term", "method"])
    assert indexed.loc[("wide", "level", "within_state_permutation"), "p_value"] == "n/a"
    assert indexed.loc[("wide", "level", "clustered"), "states_varying"] == 0
    assert (table["p_value"] == "n/a").sum() == 1
    whole_numbers = table[["clusters", "states_varying", "draws", "seed"]]
    assert (whole_numbers.dtypes == "Int64").all() and whole_numbers.notna().any().all()
    strata = influence.query("model == 'strata' and term == 'x'")
    assert strata["leverage"].sum() == pytest.approx(2) and (strata["leverage"] > 0).all()
    assert indexed.loc[("strata", "x", "jackknife"), "std_error"] > 0
    assert 0 <= float(indexed.loc[("strata", "x", "within_state_permutation"), "p_value"]) <= 1
    penalised = indexed.loc[("penalised", "x", "leave_one_state_out")]
    assert penalised["conf_low"] < fits["penalised"].coefficients[1] < penalised["conf_high"]
    whole = indexed.loc[("main", "x", "leave_one_state_out")]
    alone = influence.query("model == 'main' and term == 'x'")["estimate_without"]
    assert len(alone) == 30 and (whole["conf_low"], whole["conf_high"]) == (alone.min(), alone.max())
    boot = indexed.loc[("main", "x", "wild_bootstrap")]
    expected = wild_cluster_bootstrap(fits["main"], frame, "x", draws=199)
    assert (boot["draws"], boot["seed"]) == (199, 0)
    np.testing.assert_allclose([float(boot["p_value"]), boot["conf_low"], boot["conf_high"]], expected)


def test_weights_of_one_change_nothing(frame):
    weighted = frame.assign(one=1.0)
    for model in (LOGIT, EFFECTS):
        plain = wild_cluster_bootstrap(fit(model, frame), frame, "x", draws=199)
        other = model.with_(weights="one")
        np.testing.assert_allclose(
            wild_cluster_bootstrap(fit(other, weighted), weighted, "x", draws=199), plain, rtol=1e-7
        )
    assert bootstrap.BOOTSTRAPPED == ("logit", "lpm", "conditional_logit")

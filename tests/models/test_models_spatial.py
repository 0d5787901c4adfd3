"""Neighbours: links, statistics against esda and by hand, errors by distance, and noise that means nothing."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from columbus import read_columbus
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import expit

from analysis.errors import ModelError
from analysis.models import Model, estimates, fit
from analysis.models.design import design
from analysis.models.permutation import shuffles
from analysis.models.scores import coefficients, influence, sandwich
from analysis.models.spatial import (
    adjacency,
    conley_covariances,
    gearys_c,
    join_count,
    lagrange_multipliers,
    moran_moments,
    moran_of_residuals,
    morans_i,
    noise_fields,
    placebo,
    resemblance,
    residuals_of,
    row_standardised,
)
from analysis.models.spatial.autocorrelation import permuted, share_beyond
from analysis.models.spatial.conley import distances, nearby_sums, root_of_positive
from analysis.models.spatial.residuals import diagnostics, resemblance_of_fit
from analysis.models.spatial.stage import compared, errors_by_distance
from analysis.models.spatial.weights import without_islands

SIDE = 20  # a lattice of so many rows and columns, a unit a cell, neighbours edge to edge


def lattice(side: int = SIDE) -> tuple[pd.Index, pd.DataFrame]:
    rows, columns = np.divmod(np.arange(side * side), side)
    units = pd.Index([f"{row:02d}{column:02d}" for row, column in zip(rows, columns, strict=True)])
    pairs = [(units[i], units[i + 1]) for i in range(side * side) if columns[i] + 1 < side]
    pairs += [(units[i], units[i + side]) for i in range(side * (side - 1))]
    return units, pd.DataFrame(pairs, columns=["unit", "neighbour"])


def country(seed: int = 0, side: int = SIDE) -> pd.DataFrame:
    """Units on a lattice of 60 km, in states of five by five, with a shock that neighbours share."""
    units, _ = lattice(side)
    rows, columns = np.divmod(np.arange(side * side), side)
    rng = np.random.default_rng(seed)
    where = {"latitude": 30 + 0.54 * rows, "longitude": -100 + 0.6 * columns}
    shock, x = noise_fields(where["latitude"], where["longitude"], 400, 2, seed).T
    return pd.DataFrame(
        where
        | {
            "x": x,
            "outcome": 0.5 * x + shock + 0.5 * rng.normal(size=len(units)),
            "listed": (rng.random(len(units)) < expit(-0.5 + 1.5 * shock)).astype(int),
            "state": [f"{row // 5}{column // 5}" for row, column in zip(rows, columns, strict=True)],
        },
        index=units,
    )


@pytest.fixture(scope="module")
def weights():
    return row_standardised(adjacency(*lattice()))


OLS = Model("ols", "outcome", ["x"], estimator="lpm", cluster="state")


def test_links_are_symmetric_whatever_direction_is_given():
    links = adjacency(["b", "a", "c"], pd.DataFrame([("a", "b"), ("b", "a"), ("b", "c"), ("c", "zz")]))
    assert links.toarray().tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]
    assert row_standardised(links).toarray()[0].tolist() == [0, 0.5, 0.5]


def test_rows_without_neighbours_stay_empty_when_rows_are_divided_by_their_sums():
    shares = row_standardised(sparse.csr_array(np.array([[0.0, 1, 3], [2, 0, 0], [0, 0, 0]])))
    assert shares.toarray().tolist() == [[0, 0.25, 0.75], [1, 0, 0], [0, 0, 0]]


def test_the_lagrange_multipliers_are_the_scores_over_their_information():
    """The score by differences of the log-likelihoods, the information of all parameters inverted as one."""
    rng, weights = np.random.default_rng(5), row_standardised(adjacency(*lattice(6)))
    W, n = weights.toarray(), 36
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    y = X @ [1.0, 0.5, -0.5] + rng.normal(size=n)
    beta = np.linalg.lstsq(X, y, rcond=None)[0]
    variance = ((y - X @ beta) ** 2).mean()

    def log_likelihood(lag, error):
        moved = np.eye(n) - error * W
        rest = moved @ ((np.eye(n) - lag * W) @ y - X @ beta)
        sizes = np.linalg.slogdet(moved)[1] + np.linalg.slogdet(np.eye(n) - lag * W)[1]
        return sizes - rest @ rest / (2 * variance)

    h = 1e-5
    of_lag = (log_likelihood(h, 0) - log_likelihood(-h, 0)) / (2 * h)
    of_error = (log_likelihood(0, h) - log_likelihood(0, -h)) / (2 * h)
    trace, mean = np.trace(W @ W + W.T @ W), W @ X @ beta
    information = np.block(
        [
            [
                np.array([[trace + mean @ mean / variance, trace], [trace, trace]]),
                np.vstack([mean @ X, 0 * mean @ X]) / variance,
            ],
            [np.vstack([mean @ X, 0 * mean @ X]).T / variance, X.T @ X / variance],
        ]
    )
    without = np.delete(np.arange(5), 1), np.delete(np.arange(5), 0)
    alone = [np.linalg.inv(information[np.ix_(kept, kept)])[0, 0] for kept in without]
    both = np.linalg.inv(information)
    found = lagrange_multipliers(X, y, weights)
    assert found["lm_lag"] == pytest.approx(of_lag**2 * alone[0], rel=1e-5)
    assert found["lm_error"] == pytest.approx(of_error**2 * alone[1], rel=1e-5)
    joint = np.array([of_lag, of_error]) @ both[:2, :2] @ [of_lag, of_error]
    assert found["robust_lm_lag"] == pytest.approx(joint - found["lm_error"], rel=1e-5)
    assert found["robust_lm_error"] == pytest.approx(joint - found["lm_lag"], rel=1e-5)


def test_islands_leave_and_are_told():
    links = adjacency(["a", "b", "island"], pd.DataFrame([("a", "b")]))
    assert row_standardised(links).sum() == 2
    kept_links, kept = without_islands(links)
    assert kept.tolist() == [True, True, False] and kept_links.shape == (2, 2)
    with pytest.raises(ModelError, match="None of the units has a neighbour"):
        without_islands(adjacency(["a", "b"], pd.DataFrame([("c", "d")])))


@pytest.mark.parametrize(
    ("units", "pairs", "named"),
    [
        (["a", "a"], [("a", "b")], "distinct"),
        (["a", None], [("a", "b")], "distinct"),
        (["a", "b"], [("a", "a")], "own neighbour"),
        (["a", "b"], [("a", "b", 1)], "two columns"),
    ],
)
def test_links_that_cannot_be_are_errors(units, pairs, named):
    with pytest.raises(ModelError, match=named):
        adjacency(units, pd.DataFrame(pairs))


def test_statistics_by_hand():
    links = adjacency(list("abcd"), pd.DataFrame([("a", "b"), ("b", "c"), ("c", "d")]))
    values = np.array([1.0, 2.0, 3.0, 4.0])  # deviations -1.5, -0.5, 0.5, 1.5; their squares sum to 5
    assert morans_i(values, links) == pytest.approx(4 / 6 * 2 * (0.75 - 0.25 + 0.75) / 5)
    assert gearys_c(values, links) == pytest.approx(3 * 6 / (2 * 6 * 5))
    assert join_count(np.array([1, 1, 0, 1]), links).value == 1
    assert moran_moments(values, links).expected == pytest.approx(-1 / 3)


def test_moments_are_those_of_all_orders():
    import itertools

    links = adjacency(list("abcdef"), pd.DataFrame([*zip("abcde", "bcdef", strict=True), ("a", "c")]))
    weights, values = row_standardised(links), np.array([1.0, 5.0, 2.0, 2.5, 9.0, 4.0])
    orders = np.array(list(itertools.permutations(range(6))))
    every = permuted(values, weights, orders)
    found = moran_moments(values, weights)
    assert len(every) == 720
    assert (found.expected, found.variance) == (
        pytest.approx(every.mean()),
        pytest.approx(every.var()),
    )
    marks = np.array([1, 0, 1, 1, 0, 0])
    counts = np.array([join_count(marks[order], links).value for order in orders])
    moments = join_count(marks, links)
    assert (moments.expected, moments.variance) == (
        pytest.approx(counts.mean()),
        pytest.approx(counts.var()),
    )


@given(st.integers(0, 2**20))
@settings(max_examples=20, deadline=None)
def test_shuffled_statistics_are_those_of_the_shuffled_values(seed):
    weights = row_standardised(adjacency(*lattice(4)))
    values = np.random.default_rng(seed).normal(size=16)
    orders = shuffles(np.zeros(16, dtype=int), 3, seed)
    for name, of in (("morans_i", morans_i), ("gearys_c", gearys_c)):
        found = permuted(values, weights, orders, name)
        np.testing.assert_allclose(found, [of(values[order], weights) for order in orders])


def test_moments_of_residuals_are_those_of_normal_errors(weights):
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(SIDE**2), country()["x"], np.repeat([0.0, 1.0], SIDE**2 // 2)])
    made = [moran_of_residuals(X, rng.normal(size=SIDE**2), weights) for _ in range(400)]
    values = np.array([one.value for one in made])
    assert values.mean() == pytest.approx(made[0].expected, abs=4 * values.std() / 20)
    assert values.var() == pytest.approx(made[0].variance, rel=0.25)


def test_against_esda_on_columbus():
    pytest.importorskip("esda", reason="esda is not installed (make test-tools)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import esda
        from libpysal.weights import W
    data, pairs = read_columbus()
    theirs = W(
        pairs.groupby("unit")["neighbour"].agg(list).to_dict(),
        id_order=list(data.index),
        silence_warnings=True,
    )
    theirs.transform = "r"
    ours = row_standardised(adjacency(data.index, pairs))
    seen = 0
    for column in ("CRIME", "INC", "HOVAL"):
        values = data[column].to_numpy()
        moran, geary = esda.Moran(values, theirs, permutations=0), esda.Geary(values, theirs, permutations=0)
        found, normal = moran_moments(values, ours), moran_moments(values, ours, "normal")
        assert (found.value, found.expected, found.variance, normal.variance) == pytest.approx(
            (moran.I, moran.EI, moran.VI_rand, moran.VI_norm), rel=1e-9
        )
        assert gearys_c(values, ours) == pytest.approx(geary.C, rel=1e-9)
        seen += 1
    assert seen == 3


def test_resemblance_is_found_and_shuffling_within_states_asks_for_more():
    data, (units, pairs) = country(), lattice()
    rng = np.random.default_rng(1)
    by_state = pd.factorize(data["state"])[0]
    values = {
        "alike": data["outcome"].to_numpy(),
        "chance": rng.normal(size=len(units)),
        "by state": rng.normal(size=16)[by_state] + 0.3 * rng.normal(size=len(units)),
        "constant": np.ones(len(units)),
        "whole states": by_state.astype(float),
    }
    table = resemblance(values, units, data["state"].to_numpy(), pairs, 199, 0).set_index("residual")
    assert table.loc["alike", "value"] > 0.5 and table.loc["alike", "p_value"] == 1 / 200
    assert table.loc["alike", "p_value_within"] < 0.05
    assert table.loc["chance", "p_value"] > 0.01 and abs(table.loc["chance", "expected"]) < 0.02
    assert table.loc["by state", "p_value"] == 1 / 200 and table.loc["by state", "p_value_within"] > 0.05
    assert table.loc["by state", "expected_within"] > 0.3
    assert np.isnan(table.loc["constant", "value"]) and "do not vary" in table.loc["constant", "note"]
    assert (
        np.isnan(table.loc["whole states", "p_value_within"])
        and "one state" in table.loc["whole states", "note"]
    )
    assert set(table["n"]) == {400} and set(table["links"]) == {760} and set(table["islands"]) == {0}


def test_one_state_has_one_test():
    data, (units, pairs) = country(), lattice()
    table = resemblance({"alike": data["outcome"].to_numpy()}, units, np.zeros(400), pairs, 99, 0)
    assert table.loc[0, "p_value"] == table.loc[0, "p_value_within"] == 0.01


def test_state_effects_take_what_states_share():
    data, (_, pairs) = country(), lattice()
    shock = np.random.default_rng(2).normal(size=16)[pd.factorize(data["state"])[0]]
    data["outcome"] = shock + 0.3 * np.random.default_rng(3).normal(size=400)
    before = resemblance_of_fit(fit(OLS, data), data, pairs, 199).set_index("residual").loc["response"]
    after = fit(OLS.with_(fixed_effects="state"), data)
    after = resemblance_of_fit(after, data, pairs, 199).set_index("residual").loc["response"]
    assert before["value"] > 0.5 and before["p_value"] == 1 / 200
    assert abs(after["value"]) < 0.15 and after["p_value_within"] > 0.05


def test_residuals_of_logits_are_pearson_and_deviance():
    data = country()
    fitted = fit(Model("logit", "listed", ["x"], cluster="state"), data)
    found = residuals_of(fitted)
    assert set(found) == {"pearson", "deviance"}
    assert (found["deviance"] ** 2).sum() == pytest.approx(-2 * fitted.log_likelihood)
    X = design(fitted.model, data).X
    weights = np.sqrt(fitted.fitted * (1 - fitted.fitted))
    np.testing.assert_allclose(X.T @ (found["pearson"] * weights), 0, atol=1e-8)
    strata = Model("strata", "listed", ["x"], estimator="conditional_logit", fixed_effects="state")
    with pytest.raises(ModelError, match="no residuals by row"):
        residuals_of(fit(strata, data))


def test_a_statistic_of_nothing_is_an_error(weights):
    with pytest.raises(ModelError, match="do not vary"):
        morans_i(np.full(400, 7.3), weights)
    with pytest.raises(ModelError, match="1 of 400 values are missing"):
        gearys_c(np.r_[np.nan, np.arange(399.0)], weights)
    with pytest.raises(ModelError, match="do not fit"):
        morans_i(np.arange(3.0), weights)
    with pytest.raises(ModelError, match="no neighbours"):
        morans_i(np.arange(3.0), sparse.csr_array((3, 3)))
    with pytest.raises(ModelError, match="own neighbour"):
        morans_i(np.arange(3.0), sparse.csr_array(np.eye(3)))
    with pytest.raises(ModelError, match="0 or 1"):
        join_count(np.arange(400.0), weights)
    with pytest.raises(ModelError, match="exact"):
        X = np.column_stack([np.ones(400), np.arange(400)])
        moran_of_residuals(X, 3.0 * np.arange(400), weights)
    with pytest.raises(ModelError, match="too few"):
        lagrange_multipliers(np.eye(4), np.arange(4.0), row_standardised(adjacency(*lattice(2))))
    with pytest.raises(ModelError, match="law"):
        moran_moments(np.arange(400.0), weights, "poisson")
    with pytest.raises(ModelError, match="statistic"):
        permuted(np.arange(400.0), weights, np.zeros((1, 400), int), "getis")


def test_share_beyond_counts_both_tails():
    drawn = np.linspace(-1, 1, 99)
    assert share_beyond(5.0, drawn) == share_beyond(-5.0, drawn) == 0.01
    assert share_beyond(float(drawn.mean()), drawn) == 1


def test_diagnostics_tell_errors_from_lags():
    data, (units, pairs) = country(), lattice()
    table = diagnostics(design(OLS, data), units, pairs).set_index("statistic")
    assert {"morans_i_normal", "lm_error", "lm_lag", "robust_lm_error", "robust_lm_lag"} <= set(table.index)
    assert (table.loc[["morans_i_normal", "lm_error"], "p_value"] < 0.001).all()
    chance = data.assign(outcome=np.random.default_rng(0).normal(size=400))
    table = diagnostics(design(OLS, chance), units, pairs).set_index("statistic")
    assert (table["p_value"] > 0.01).all() and "join_count" not in table.index
    listed = diagnostics(design(OLS.with_(outcome="listed"), data), units, pairs).set_index("statistic")
    assert listed.loc["join_count", "value"] > listed.loc["join_count", "expected"]
    with pytest.raises(ModelError, match="without fixed effects"):
        diagnostics(design(OLS.with_(fixed_effects="state"), data), units, pairs)
    few = pd.DataFrame([(units[0], units[1])])
    told = diagnostics(design(OLS, data), units, few)
    assert told["value"].isna().all() and "too few" in told["note"][0]


def test_distances_are_those_of_the_sphere():
    found = distances(np.array([0.0, 0.0, 90.0, 40.0]), np.array([0.0, 90.0, 12.0, -190.0]), radius_km=1.0)
    assert found[0, 1] == pytest.approx(np.pi / 2) and found[0, 2] == pytest.approx(np.pi / 2)
    np.testing.assert_allclose(found, found.T, atol=1e-12)
    near = distances(np.array([40.0, 40.0]), np.array([-190.0, 170.0]))
    assert near[0, 1] == pytest.approx(0, abs=1e-6)


def test_conley_is_hc0_at_zero_and_one_sum_at_the_whole_earth():
    data = country()
    arrays = design(OLS, data)
    rows = influence(arrays, coefficients(arrays))
    where = data["latitude"].to_numpy(), data["longitude"].to_numpy()
    none, some, every = conley_covariances(rows, *where, [0, 300, 30_000])
    np.testing.assert_allclose(none, rows.T @ rows)
    assert np.abs(every).max() < 1e-20  # scores add up to zero
    assert np.isnan(root_of_positive(np.diag(every)[None], np.diag(none))).all()
    brute = sum(
        np.outer(rows[i], rows[j])
        for i, near in enumerate(distances(*where) <= 300)
        for j in np.flatnonzero(near)
    )
    np.testing.assert_allclose(some, brute)
    assert np.sqrt(some[1, 1]) > 1.5 * np.sqrt(none[1, 1])
    twice = np.repeat(rows, 2, axis=0)
    doubled = tuple(np.repeat(column, 2) for column in where)
    np.testing.assert_allclose(conley_covariances(twice, *doubled, [0])[0], twice.T @ twice)


@pytest.mark.parametrize(
    ("latitude", "longitude", "cutoffs", "named"),
    [
        ([np.nan, 1.0], [0.0, 1.0], [100], "1 of 2 rows have no latitude"),
        ([91.0, 1.0], [0.0, 1.0], [100], "latitude"),
        ([0.0, 1.0], [0.0, np.nan], [100], "longitude"),
        ([0.0, 1.0], [0.0, 1.0], [-1], "cutoffs"),
        ([0.0, 1.0], [0.0, 1.0], [], "cutoffs"),
        ([0.0], [0.0, 1.0], [100], "not alike"),
    ],
)
def test_missing_coordinates_and_cutoffs_are_errors(latitude, longitude, cutoffs, named):
    with pytest.raises(ModelError, match=named):
        nearby_sums(np.ones((2, 1)), latitude, longitude, cutoffs)


def test_a_sum_that_is_not_positive_has_no_root():
    found = root_of_positive(np.array([[-1.0, 0.0, 1e-15, 4.0]]), np.ones(4))
    assert np.isnan(found).tolist() == [[True, True, True, False]]


def test_the_sandwich_is_that_of_the_fit():
    data = country()
    models = [OLS, OLS.with_(cluster=None), OLS.with_(fixed_effects="state")]
    models += [Model("logit", "listed", ["x"], cluster="state")]
    for model in models:
        arrays, fitted = design(model, data), fit(model, data)
        beta = coefficients(arrays)
        np.testing.assert_allclose(beta, fitted.coefficients, rtol=1e-8)
        covariance, df = sandwich(arrays, influence(arrays, beta))
        np.testing.assert_allclose(covariance, fitted.covariance, rtol=1e-8)
        assert df == fitted.degrees_of_freedom


def test_the_larger_error_is_reported():
    data = country()
    fitted = fit(OLS.with_(covariates=["x", "latitude", "x:latitude"]), data)
    table = errors_by_distance(fitted, data, [100, 300, 1000])
    coefficient = table[table["quantity"] == "coefficient"]
    assert set(coefficient["term"]) == {"Intercept", "x", "latitude", "x:latitude"}
    for _, rows in table.groupby(["quantity", "term"]):
        by = rows.set_index("method")
        largest = rows.loc[rows["method"] != "larger", "std_error"].max()
        assert by.loc["larger", "std_error"] == largest
        clustered = by.loc["clustered", "std_error"] == largest
        assert np.isnan(by.loc["larger", "cutoff_km"]) == clustered
        assert by.loc["larger", "conf_low"] < by.loc["larger", "estimate"] < by.loc["larger", "conf_high"]
    clustered = coefficient[coefficient["method"] == "clustered"].set_index("term")["std_error"]
    np.testing.assert_allclose(clustered, estimates(fitted).set_index("term")["std_error"])
    with pytest.raises(ModelError, match="no clusters"):
        errors_by_distance(fit(OLS.with_(cluster=None), data), data, [100])
    with pytest.raises(ModelError, match="no longitude"):
        errors_by_distance(fitted, data.assign(longitude=np.nan), [100])


def test_errors_below_those_of_independent_rows_are_marked():
    half = country()
    board = np.indices((SIDE, SIDE)).sum(axis=0).ravel() % 2  # neighbours pull against each other
    data = half.assign(outcome=0.5 * half["x"] + 2.0 * board)
    fitted = fit(OLS, data)
    rows = influence(design(OLS, data), fitted.coefficients)
    alone = dict(zip(fitted.terms, np.sqrt((rows**2).sum(axis=0)), strict=True))
    table = errors_by_distance(fitted, data, [0, 100, 300, 30_000]).query("quantity == 'coefficient'")
    conley = table[table["method"] == "conley"]
    smaller = conley["std_error"] < 0.999 * conley["term"].map(alone)
    assert smaller.any() and (conley.loc[smaller, "note"].str.startswith("less than if")).all()
    assert (conley.loc[conley["cutoff_km"] == 0, "note"] == "").all()
    assert (table.loc[table["method"] != "conley", "note"] == "").all()
    whole_earth = conley[conley["cutoff_km"] == 30_000]
    assert len(whole_earth) == 2 and whole_earth["std_error"].isna().all()
    assert (whole_earth["note"] == "the sum over pairs is not above zero").all()


def test_noise_resembles_itself_as_far_as_its_range():
    data = country()
    where = data["latitude"].to_numpy(), data["longitude"].to_numpy()
    fields = noise_fields(*where, 300, 300, seed=1)
    np.testing.assert_allclose(fields.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(fields.std(axis=0), 1)
    away = distances(*where)
    raw = np.corrcoef(fields)
    near, far = raw[(away > 50) & (away < 70)].mean(), raw[away > 900].mean()
    assert near > 0.6 and far < 0.05
    assert np.array_equal(fields, noise_fields(*where, 300, 300, seed=1))
    same = noise_fields(np.array([1.0, 1.0, 5.0]), np.array([2.0, 2.0, 9.0]), 300, 4)
    np.testing.assert_array_equal(same[0], same[1])
    for asked in ({"range_km": 0}, {"range_km": np.nan}, {"draws": 0}):
        with pytest.raises(ModelError):
            noise_fields(*where, **({"range_km": 300, "draws": 2} | asked))
    with pytest.raises(ModelError, match="two points"):
        noise_fields(np.array([1.0, 1.0]), np.array([2.0, 2.0]), 300, 4)


def test_spatial_noise_is_significant_before_correction_and_not_after():
    data = country(4, 24)
    where = data["latitude"].to_numpy(), data["longitude"].to_numpy()
    fields = noise_fields(*where, 300, 300, seed=2)
    for model in (OLS, Model("logit", "listed", ["x"], cluster="state")):
        table = placebo(design(model, data), fields, *where, [100, 400], "x").set_index(
            ["method", "cutoff_km"]
        )
        rejected = table["rejected"]
        before, after = rejected["independent"].iloc[0], rejected["larger"].iloc[0]
        assert before > 0.3, "who takes rows as independent calls noise a finding"
        assert after < before / 2
        assert after <= rejected["clustered"].iloc[0] <= before
        assert set(table["draws"]) == {300} and table["beyond"].between(0, 1).all()
    chance = data.assign(outcome=np.random.default_rng(0).normal(size=len(data)))
    level = placebo(design(OLS, chance), fields, *where, [100])
    assert (level["rejected"] < 0.12).all() and level["beyond"].isna().all()
    with pytest.raises(ModelError, match="no coefficient of 'zz'"):
        placebo(design(OLS, data), fields[:, :2], *where, [100], "zz")


def test_noise_of_short_range_keeps_its_level_after_correction():
    rows, columns = np.divmod(np.arange(30 * 30), 30)
    where = 30 + 0.54 * rows, -100 + 0.6 * columns
    shock, rng = noise_fields(*where, 100, 1, seed=1)[:, 0], np.random.default_rng(1)
    data = pd.DataFrame(
        {
            "x": rng.normal(size=900),
            "outcome": shock + 0.3 * rng.normal(size=900),
            "state": [f"{row // 5}/{column // 5}" for row, column in zip(rows, columns, strict=True)],
        }
    )
    fields = noise_fields(*where, 100, 200, seed=2)
    rejected = placebo(design(OLS, data), fields, *where, [100, 200, 300]).set_index("method")["rejected"]
    assert rejected["independent"] > 0.3
    assert rejected["larger"] < 0.1


def test_models_are_compared_on_the_same_rows():
    names = ["main_listed_states", "within_listed_states", "within_logit_listed_states"]
    found = compared(names)
    assert list(found) == [
        "main_listed_states",
        "main_listed_states_linear",
        "main_listed_states_mixed",
        *names[1:],
    ]
    assert found["main_listed_states_mixed"].sample == "(is_in_listed_state == 1) and is_in_mixed_state == 1"
    assert compared(["main", "within_state_logit"])["main_mixed"].sample == "is_in_mixed_state == 1"
    assert "main_mixed" not in compared(["main", "within_state"])

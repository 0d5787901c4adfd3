"""Sampling errors of covariates: formulas, draws, pooling, and a known truth that the errors hide."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.errors import DataError, ModelError
from analysis.models import Model, estimates, fit
from analysis.models.measurement import (
    Simulation,
    drawn_from,
    noisy_design,
    pool,
    reliability,
    reliability_table,
    shrinkage,
    simex,
    standard_errors,
    with_and_without,
)
from analysis.models.measurement.errors import drawn, with_error
from analysis.models.measurement.simex import extrapolation
from analysis.models.measurement.stage import declared, surveyed
from analysis.panel import load_panel

TRUE = {"x": 1.0, "z": -0.5}


def survey_of(n: int = 4000, seed: int = 0, error: float = 0.6, states: int = 40) -> pd.DataFrame:
    """Units whose true x is seen with errors of known, unequal size; listed by a logit on the true one."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    true = 0.5 * z + rng.normal(size=n)
    size = error * np.sqrt(rng.gamma(2.0, 0.5, n))
    chance = expit(-1 + TRUE["x"] * true + TRUE["z"] * z)
    return pd.DataFrame(
        {
            "true": true,
            "x": true + size * rng.normal(size=n),
            "x_moe": 1.645 * size,
            "z": z,
            "listed": (rng.random(n) < chance).astype(int),
            "outcome": 2 * true - z + rng.normal(size=n),
            "state": rng.integers(0, states, n).astype(str),
        }
    )


LOGIT = Model("logit", "listed", ["x", "z"], cluster="state")


@pytest.fixture(scope="module")
def noisy():
    return noisy_design(LOGIT, survey_of())


def test_attenuation_and_its_correction_in_a_logit(noisy):
    data = survey_of()
    oracle = fit(LOGIT.with_(covariates=["true", "z"]), data).coefficients
    naive = fit(LOGIT, data).coefficients
    assert oracle[1] == pytest.approx(TRUE["x"], abs=0.1)
    assert naive[1] < 0.8 * TRUE["x"]
    assert abs(naive[2]) < abs(TRUE["z"]) - 0.1, "the error in x leaks into z"
    for corrected, share in ((simex(noisy, draws=20), 0.5), (shrinkage(noisy), 0.3)):
        error = np.sqrt(np.diag(corrected.covariance))
        assert abs(corrected.estimates[1] - TRUE["x"]) < share * abs(naive[1] - TRUE["x"])
        assert abs(corrected.estimates[2] - TRUE["z"]) < 0.6 * abs(naive[2] - TRUE["z"])
        assert error[1] > np.sqrt(fit(LOGIT, data).covariance[1, 1]), "a correction costs precision"
        assert corrected.degrees_of_freedom == 39


def test_least_squares_is_corrected_in_full():
    model = Model("ols", "outcome", ["x", "z"], estimator="lpm", cluster="state")
    data = survey_of(8000, 1)
    found = noisy_design(model, data)
    naive = fit(model, data).coefficients
    corrected = shrinkage(found)
    error = np.sqrt(np.diag(corrected.covariance))
    assert naive[1] < 1.5
    assert abs(corrected.estimates[1:] - [2.0, -1.0]).max() < 3 * error[1:].max() < 0.3
    assert abs(simex(found, draws=20).estimates[1] - 2.0) < abs(naive[1] - 2.0) / 2


def test_draws_add_error_and_do_not_undo_attenuation():
    table = with_and_without(LOGIT, survey_of(), Simulation(draws=50, simex_draws=10))
    rows = table[(table["quantity"] == "coefficient") & (table["term"] == "x")].set_index("method")
    estimate = rows["estimate"]
    assert estimate["draws"] < estimate["published"] < estimate["simex"] < 1.1
    assert estimate["published"] < estimate["shrinkage"]
    assert 0 < rows.loc["draws", "missing_information"] < 1
    assert rows.loc["draws", "degrees_of_freedom"] < rows.loc["published", "degrees_of_freedom"]
    assert (rows["conf_low"] < estimate).all() and (estimate < rows["conf_high"]).all()
    assert set(table["note"]) == {""} and set(table["n"]) == {4000}


def test_without_error_nothing_changes():
    data = survey_of(error=1e-9)
    naive = fit(LOGIT, data).coefficients
    found = noisy_design(LOGIT, data)
    for corrected in (simex(found, draws=4), shrinkage(found)):
        np.testing.assert_allclose(corrected.estimates, naive, rtol=1e-6)
    np.testing.assert_allclose(simex(found, draws=4).covariance, fit(LOGIT, data).covariance, rtol=1e-6)


def test_standard_errors_of_the_corrections_are_those_of_repetitions():
    model, found = LOGIT.with_(cluster=None), {"simex": [], "shrinkage": []}
    for seed in range(40):
        one = noisy_design(model, survey_of(700, seed + 10))
        for name, corrected in (("simex", simex(one, draws=6)), ("shrinkage", shrinkage(one))):
            found[name].append([corrected.estimates[1], np.sqrt(corrected.covariance[1, 1])])
    for name, rows in found.items():
        estimate, error = np.array(rows).T
        assert len(estimate) == 40
        assert 0.7 < error.mean() / estimate.std(ddof=1) < 1.4, name


def test_products_and_squares_are_calibrated_as_such():
    rng = np.random.default_rng(5)
    data = survey_of(20000, 2).assign(listed=0)
    eta = -1 + 0.7 * data["true"] + 0.4 * data["true"] * data["z"] - 0.2 * data["true"] ** 2
    data["outcome"] = eta + rng.normal(size=len(data))
    model = Model("products", "outcome", ["x", "z", "x:z", "x:x"], estimator="lpm", cluster="state")
    naive = fit(model, data).coefficients
    corrected = shrinkage(noisy_design(model, data))
    error = np.sqrt(np.diag(corrected.covariance))
    truth = np.array([-1, 0.7, 0, 0.4, -0.2])
    assert (np.abs(corrected.estimates - truth) < 4 * error).all(), (corrected.estimates, error)
    assert np.abs(naive - truth).max() > 3 * np.abs(corrected.estimates - truth).max()
    with pytest.raises(ModelError, match="3 noisy"):
        shrinkage(noisy_design(model.with_(covariates=["x", "z", "x:x:x"]), data))


def test_extrapolation_is_the_polynomial_through_the_means():
    grid = np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    assert extrapolation(grid, 2) @ (3 - 2 * grid + 0.5 * grid**2) == pytest.approx(3 + 2 + 0.5)
    assert extrapolation(grid, 1) @ (3 - 2 * grid) == pytest.approx(5)
    assert extrapolation(grid, 2).sum() == pytest.approx(1)


def test_rubins_rules_at_their_edges():
    same = pool(np.full((5, 1), 2.0), np.full((5, 1), 4.0), complete=20)
    assert (same.estimate[0], same.variance[0], same.missing_information[0]) == (2.0, 4.0, 0.0)
    assert same.degrees_of_freedom[0] == pytest.approx(21 / 23 * 20)
    certain = pool(np.array([[1.0], [2.0], [3.0]]), np.zeros((3, 1)))
    assert certain.variance[0] == pytest.approx(4 / 3) and certain.missing_information[0] == 1
    assert certain.degrees_of_freedom[0] == pytest.approx(2)  # of the draws alone
    few = pool(np.array([[1.0], [2.0], [3.0]]), np.zeros((3, 1)), complete=20)
    assert few.degrees_of_freedom[0] == pytest.approx(0)
    assert np.isinf(pool(np.full((3, 1), 1.0), np.ones((3, 1))).degrees_of_freedom[0])


@pytest.mark.parametrize(
    ("found", "variances", "complete"),
    [
        (np.ones((1, 2)), np.ones((1, 2)), 10),
        (np.ones((3, 2)), np.ones((3, 1)), 10),
        (np.ones(3), np.ones(3), 10),
        (np.array([[1.0], [np.nan]]), np.ones((2, 1)), 10),
        (np.ones((2, 1)), -np.ones((2, 1)), 10),
        (np.ones((2, 1)), np.ones((2, 1)), 0),
    ],
)
def test_what_cannot_be_pooled_is_an_error(found, variances, complete):
    with pytest.raises(ModelError, match=r"Rubin|complete"):
        pool(found, variances, complete)


def panel_like() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "median_income_2024": [50_000.0, 80_000.0, 30_000.0, np.nan],
            "median_income_2024_moe": [3_290.0, 0.0, np.nan, np.nan],
            "log_median_income_2024": np.log([50_000.0, 80_000.0, 30_000.0, np.nan]),
            "population_2022": [1000.0, 10.0, 5.0, 3.0],
            "population": [1.0, 2.0, 3.0, 4.0],
        }
    )


def test_margins_go_through_the_formulas_of_the_catalogue():
    data = panel_like()
    assert drawn_from("log_median_income_2024", data) == ("median_income_2024",)
    assert drawn_from("population", data) == drawn_from("log_population_2022", data) == ()
    found = standard_errors("log_median_income_2024", data)
    np.testing.assert_allclose(found, [2000 / 50_000, 0, np.nan, np.nan], rtol=1e-8)
    made = drawn(["log_median_income_2024", "median_income_2024"], data, seed=3, number=7)
    np.testing.assert_allclose(made["log_median_income_2024"], np.log(made["median_income_2024"]))
    assert made["median_income_2024"][1] == 80_000 and made["median_income_2024"][2] == 30_000
    assert made["median_income_2024"][0] != 50_000


def test_draws_have_the_published_spread_and_stay_in_range():
    data = pd.DataFrame({"limited_english_share": np.full(20_000, 0.4), "limited_english_share_moe": 0.0329})
    found = with_error(data, "limited_english_share", 0, 1)
    assert found.mean() == pytest.approx(0.4, abs=0.001) and found.std() == pytest.approx(0.02, rel=0.02)
    again = with_error(data, "limited_english_share", 0, 1)
    assert again.equals(found) and not with_error(data, "limited_english_share", 0, 2).equals(found)
    zero = with_error(data.assign(limited_english_share=0.0), "limited_english_share", 0, 1)
    assert zero.min() == 0 and zero.max() > 0


def test_rows_without_a_margin_leave_and_are_counted():
    data = survey_of(900)
    data.loc[data.index[:30], "x_moe"] = np.nan
    found = noisy_design(LOGIT, data)
    assert (found.without_margin, len(found.arrays.y)) == (30, 870)
    assert len(found.errors["x"]) == len(found.data) == 870
    with pytest.raises(ModelError, match="no row has a margin"):
        noisy_design(LOGIT, data.assign(x_moe=np.nan))
    with pytest.raises(ModelError, match="no covariate has a margin"):
        noisy_design(LOGIT, data.drop(columns="x_moe"))
    with pytest.raises(ModelError, match="no covariate has a margin"):
        noisy_design(LOGIT, data.assign(x_moe=0.0))
    with pytest.raises(DataError, match=r"x_moe.*annotation code"):
        noisy_design(LOGIT, data.assign(x_moe=-555555555.0))


@pytest.mark.fault("F86")
def test_errors_as_large_as_the_spread_give_a_reason_and_no_number():
    data = survey_of(900, error=0.5)
    data["x_moe"] *= 8
    table = with_and_without(LOGIT, data, Simulation(simex_draws=2, lambdas=(0.5, 1.0))).set_index("method")
    assert table.loc["shrinkage", "estimate"].isna().all()
    assert table.loc["shrinkage", "note"].str.contains("as large as").all()
    assert table.loc["published", "estimate"].notna().all()


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"draws": 5}, "even"),
        ({"draws": 0}, "draws"),
        ({"lambdas": ()}, "lambdas"),
        ({"lambdas": (0.0, 1.0)}, "above 0"),
        ({"lambdas": (1.0, 1.0)}, "distinct"),
        ({"degree": 3}, "linear"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_simulation_that_cannot_be_is_an_error(noisy, asked, named):
    with pytest.raises(ModelError, match=named):
        simex(noisy, **asked)


def test_fewer_than_fifty_draws_are_refused():
    with pytest.raises(ModelError, match="50"):
        Simulation(draws=49)


def test_other_estimators_are_refused():
    with pytest.raises(ModelError, match="logit or lpm"):
        simex(noisy_design(LOGIT.with_(estimator="firth", cluster=None), survey_of(500)), draws=2)


def test_state_effects_and_weights_are_kept():
    data = survey_of(1500, states=8).assign(weight=lambda frame: 1 + frame.index % 3)
    for model in (
        LOGIT.with_(fixed_effects="state"),
        Model("ols", "outcome", ["x", "z"], estimator="lpm", fixed_effects="state", cluster="state"),
        LOGIT.with_(weights="weight"),
    ):
        found = noisy_design(model, data)
        naive, j = fit(model, data).coefficients, found.arrays.names.index("x")
        for corrected in (simex(found, draws=6), shrinkage(found)):
            assert abs(corrected.estimates[j]) > abs(naive[j]) * 1.1
            assert np.isfinite(corrected.covariance[j, j]) and corrected.covariance[j, j] > 0


def test_reliability_is_told_by_size_and_where_there_is_none():
    assert np.isnan(reliability(np.array([1.0, 1.0]), np.array([0.1, 0.1])))
    rng = np.random.default_rng(0)
    n = 4000
    population = np.repeat([1_000.0, 10_000.0, 50_000.0, 500_000.0], n // 4)
    error = 30 / np.sqrt(population)
    data = pd.DataFrame(
        {
            "population": population,
            "under_18_share": rng.normal(size=n) + error * rng.normal(size=n),
            "under_18_share_moe": 1.645 * error,
            "foreign_born_share": rng.random(n),
            "democratic_share_2024": rng.random(n),
        }
    )
    names = ["under_18_share", "foreign_born_share", "democratic_share_2024"]
    table = reliability_table(names, data).set_index(["term", "size"])
    own = table.loc["under_18_share"]
    bands = own.drop("all sizes")["reliability"]
    assert len(bands) == 4 and (np.diff(bands) > 0).all()
    assert bands.iloc[0] == pytest.approx(1 / 1.9, abs=0.06) and bands.iloc[-1] > 0.99
    assert table.loc[("foreign_born_share", "all sizes"), "note"] == "no margin comes with this figure"
    assert table.loc[("democratic_share_2024", "all sizes"), "note"] == "not from a sample"
    with pytest.raises(ModelError, match="No variable"):
        reliability_table([], data)
    constant = reliability_table(["under_18_share"], data.assign(under_18_share=0.2))
    assert constant["reliability"].isna().all() and constant["note"].str.contains("all alike").all()


def test_slopes_at_the_means_are_those_of_a_centred_model():
    data = survey_of(1500).assign(xz=0)
    model = LOGIT.with_(covariates=["x", "z", "x:z"])
    table = with_and_without(model, data, Simulation(simex_draws=2, lambdas=(0.5, 1.0)))
    found = table[(table["method"] == "published") & (table["quantity"] == "slope_per_sd")].set_index("term")
    centred = data.assign(x=data["x"] - data["x"].mean(), z=data["z"] - data["z"].mean())
    other = estimates(fit(model, centred)).set_index("term")
    for term in ("x", "z"):
        spread = data[term].std()
        assert found.loc[term, "estimate"] == pytest.approx(other.loc[term, "estimate"] * spread, rel=1e-6)
        assert found.loc[term, "std_error"] == pytest.approx(other.loc[term, "std_error"] * spread, rel=1e-6)


def test_the_stage_names_what_params_declare(project):
    models, sets, simulation = declared()
    assert [model.name for model in models] == ["main"] and list(sets) == ["latest"]
    assert simulation == Simulation(50, 2, [0.5, 1.0], 1)
    text = (project / "params.yaml").read_text(encoding="utf-8")
    (project / "params.yaml").write_text(text.replace("sets: {latest: ", "sets: {} #"), encoding="utf-8")
    with pytest.raises(ModelError, match="needs `sets`"):
        declared()


def test_every_survey_variable_of_the_panel_is_told():
    counties = load_panel("county")
    _, sets, _ = declared()
    names = surveyed(sets, counties)
    with_margin = {column.removesuffix("_moe") for column in counties if column.endswith("_moe")}
    assert len(with_margin) > 8 and with_margin <= set(names)
    assert {"foreign_born_share", "bachelors_share", "log_median_income_2024"} <= set(names)
    coherent = {part for name in sets["coherent"] for part in name.split(":")}
    assert {part for part in coherent if not drawn_from(part, counties)} == {"democratic_share_2024"}

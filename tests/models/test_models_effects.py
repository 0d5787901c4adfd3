"""Average marginal effects and adjusted predictions against numerical derivatives of the mean
prediction, which know no formula."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit, logit

from analysis.errors import ModelError
from analysis.models import (
    Model,
    adjusted_predictions,
    average_marginal_effects,
    fit,
    jackknife,
    predicted_probabilities,
    wild_cluster_bootstrap,
)
from analysis.models.summaries import frequencies
from analysis.panel import load_panel

MODEL = Model("m", "listed", ["x", "dummy", "x:share", "share:share", "x:dummy"], cluster="state")
VARIANTS = {
    "logit": MODEL,
    "logit_effects": MODEL.with_(fixed_effects="region"),
    "logit_weights": MODEL.with_(weights="population"),
    "firth": MODEL.with_(estimator="firth"),
    "lpm": MODEL.with_(estimator="lpm"),
}


def mean_prediction(found, frame, beta):
    """The weighted mean of predictions, from scratch."""
    values = {
        "Intercept": np.ones(len(frame)),
        "x": frame["x"],
        "dummy": frame["dummy"],
        "x:share": frame["x"] * frame["share"],
        "share:share": frame["share"] ** 2,
        "x:dummy": frame["x"] * frame["dummy"],
    }
    values |= {f"region={name}": (frame["region"] == name) for name in ("R0", "R1", "R2", "R3")}
    eta = sum(b * np.asarray(values[term], float) for term, b in zip(found.terms, beta, strict=True))
    fitted = eta if found.model.estimator == "lpm" else expit(eta + found.shift)
    return np.average(fitted, weights=frame["population"] if found.model.weights else None)


def numerical(found, frame, column, beta, size=1e-5):
    if set(frame[column].unique()) <= {0, 1}:
        high, low = (mean_prediction(found, frame.assign(**{column: value}), beta) for value in (1, 0))
        return high - low
    high, low = (
        mean_prediction(found, frame.assign(**{column: frame[column] + step}), beta) for step in (size, -size)
    )
    return (high - low) / (2 * size)


def gradient(function, beta, size=1e-5):
    steps = np.eye(len(beta)) * size
    return np.array([(function(beta + step) - function(beta - step)) / (2 * size) for step in steps])


@pytest.mark.parametrize("name", VARIANTS)
def test_effects_are_the_numerical_derivatives(frame, name):
    found = fit(VARIANTS[name], frame)
    rows = average_marginal_effects(found, frame).set_index("term")
    assert list(rows.index) == ["x", "dummy", "share"]
    for column in rows.index:
        effect = numerical(found, frame, column, found.coefficients)
        assert rows.loc[column, "estimate"] == pytest.approx(effect, abs=1e-8)
        slope = gradient(lambda beta, c=column: numerical(found, frame, c, beta, 1e-3), found.coefficients)
        error = np.sqrt(slope @ found.covariance @ slope)
        assert rows.loc[column, "std_error"] == pytest.approx(error, rel=1e-4)
    reach = stats.t.ppf(0.975, found.degrees_of_freedom)
    assert np.allclose(rows["conf_high"] - rows["estimate"], reach * rows["std_error"])
    assert np.allclose(rows["estimate"] - rows["conf_low"], reach * rows["std_error"])


@pytest.mark.parametrize("name", VARIANTS)
def test_predictions_are_the_mean_with_columns_set(frame, name):
    found = fit(VARIANTS[name], frame)
    at = [{"x": x, "share": share} for x in (-1.0, 0.5) for share in (0.1, 0.6)]
    rows = adjusted_predictions(found, frame, at)
    assert list(rows.columns) == ["x", "share", "estimate", "std_error", "conf_low", "conf_high"]
    assert rows[["x", "share"]].to_dict("records") == at
    reach = stats.t.ppf(0.975, found.degrees_of_freedom)
    for row, point in zip(rows.itertuples(), at, strict=True):
        moved = frame.assign(**point)
        assert row.estimate == pytest.approx(mean_prediction(found, moved, found.coefficients), abs=1e-12)
        slope = gradient(lambda beta, f=moved: mean_prediction(found, f, beta), found.coefficients)
        error = np.sqrt(slope @ found.covariance @ slope)
        assert row.std_error == pytest.approx(error, rel=1e-6)
        if name == "lpm":
            assert row.conf_high == pytest.approx(row.estimate + reach * error)
        else:
            spread = reach * error / (row.estimate * (1 - row.estimate))
            assert logit(row.conf_high) == pytest.approx(logit(row.estimate) + spread)
            assert 0 < row.conf_low < row.estimate < row.conf_high < 1


def test_effects_agree_with_statsmodels(frame):
    model = Model("m", "listed", ["x", "dummy"])
    other = sm.Logit(frame["listed"], sm.add_constant(frame[["x", "dummy"]])).fit(disp=0, tol=1e-12)
    margins = other.get_margeff(dummy=True).summary_frame()
    rows = average_marginal_effects(fit(model, frame), frame)
    np.testing.assert_allclose(rows["estimate"], margins["dy/dx"], atol=1e-8)
    np.testing.assert_allclose(rows["std_error"], margins["Std. Err."], atol=1e-6)


def test_per(frame):
    found = fit(MODEL, frame)
    unit, sd, ten = (
        average_marginal_effects(found, frame, per).set_index("term") for per in ("unit", "sd", "ten_points")
    )
    for column, size in (("x", frame["x"].std()), ("share", frame["share"].std())):
        np.testing.assert_allclose(sd.loc[column], unit.loc[column] * size)
        np.testing.assert_allclose(ten.loc[column], unit.loc[column] / 10)
    assert sd.loc["dummy"].equals(unit.loc["dummy"]) and ten.loc["dummy"].equals(unit.loc["dummy"])
    with pytest.raises(ModelError, match=r"per='sds' is unknown.*Nearest: 'sd'"):
        average_marginal_effects(found, frame, "sds")


def test_lpm_effects_are_linear(frame):
    found = fit(Model("m", "listed", ["x", "share"], "lpm", cluster="state", fixed_effects="state"), frame)
    rows = average_marginal_effects(found, frame)
    np.testing.assert_allclose(rows["estimate"], found.coefficients)
    np.testing.assert_allclose(rows["std_error"], np.sqrt(np.diag(found.covariance)))
    with pytest.raises(ModelError, match="its level is absorbed"):
        adjusted_predictions(found, frame, [{"x": 0}])


def test_the_rows_of_the_fit_are_used(frame):
    frame.loc[frame.index[:5], "share"] = np.nan
    frame.loc[frame["state"] == "S03", "listed"] = 0
    model = MODEL.with_(sample="population > 5000", fixed_effects="state")
    found = fit(model, frame)
    assert "group without variation in state" in set(found.dropped["reason"])
    expected = average_marginal_effects(found, frame)
    for other in (frame.loc[found.rows], frame.sample(frac=1, random_state=1), frame.reset_index(drop=True)):
        pd.testing.assert_frame_equal(average_marginal_effects(found, other), expected)
    pd.testing.assert_frame_equal(
        average_marginal_effects(found, frame.sample(frac=1, random_state=1)), expected
    )
    renamed = frame.reset_index(drop=True)
    pd.testing.assert_frame_equal(average_marginal_effects(found, renamed), expected)


def altered(frame):
    """The frame with one thing other than it was: a value, a label, a row."""
    yield frame.assign(x=frame["x"].where(frame.index != "00007", 9.0))
    yield frame.assign(listed=1 - frame["listed"])
    yield frame.assign(state=frame["state"].where(frame.index != "00007", "S29"))
    yield frame.assign(x=frame["x"].sample(frac=1, random_state=0).to_numpy())
    yield frame.iloc[:-1]
    yield pd.concat([frame, frame.iloc[:1]])
    yield pd.concat([frame.iloc[1:], frame.iloc[1:2]])


def test_other_data_than_were_fitted_are_refused(frame):
    found, refused = fit(MODEL, frame), 0
    for other in altered(frame):
        for call in (average_marginal_effects, jackknife):
            with pytest.raises(ModelError, match="not the data that were fitted"):
                call(found, other)
            refused += 1
        with pytest.raises(ModelError, match="not the data that were fitted"):
            adjusted_predictions(found, other, [{"x": 0.0}])
        with pytest.raises(ModelError, match="not the data that were fitted"):
            wild_cluster_bootstrap(found, other, "x", draws=99)
    assert refused == 14
    kept = frame.assign(population=0)  # no column of the model
    pd.testing.assert_frame_equal(
        average_marginal_effects(found, kept), average_marginal_effects(found, frame)
    )


def test_effects_where_a_column_is_held(frame):
    found = fit(MODEL, frame)
    rows = average_marginal_effects(found, frame, at={"share": 0.5}).set_index("term")
    effect = numerical(found, frame.assign(share=0.5), "x", found.coefficients)
    assert rows.loc["x", "estimate"] == pytest.approx(effect, abs=1e-8)
    assert not np.isclose(effect, average_marginal_effects(found, frame)["estimate"].iloc[0], rtol=1e-3)
    with pytest.raises(ModelError, match=r"no covariate 'shar'.*Nearest: 'share'"):
        average_marginal_effects(found, frame, at={"shar": 1})


def test_probabilities_of_any_rows(frame):
    for model in VARIANTS.values():
        found = fit(model, frame)
        fitted = predicted_probabilities(found, frame)
        np.testing.assert_allclose(fitted, found.fitted, atol=1e-12)
        assert fitted.index.equals(frame.index)
    new = frame.iloc[:5].assign(x=[np.nan, 1, 2, 3, 4], region=["R0", "R9", None, "R1", "R2"])
    assert predicted_probabilities(fit(MODEL, frame), new).isna().tolist() == [True] + 4 * [False]
    effects = predicted_probabilities(fit(VARIANTS["logit_effects"], frame), new)
    assert effects.isna().tolist() == [True, True, True, False, False]


def test_firth_probabilities_are_corrected_in_two_ways(frame):
    frame = frame.assign(listed=(frame["listed"] == 1) & (frame["x"] > 1.2)).astype({"listed": int})
    found = fit(Model("rare", "listed", ["dummy", "share"], "firth"), frame)
    rate = frame["listed"].mean()
    mean = {kind: predicted_probabilities(found, frame, kind).mean() for kind in ("flic", "flac", "none")}
    assert mean["flic"] == pytest.approx(rate, abs=1e-10) and mean["flac"] == pytest.approx(rate, abs=1e-10)
    assert mean["none"] > rate + 1e-5  # towards one half
    assert predicted_probabilities(found, frame).equals(predicted_probabilities(found, frame, "flic"))
    flac = predicted_probabilities(found, frame, "flac")
    assert not np.allclose(flac, predicted_probabilities(found, frame), atol=1e-7)
    X = np.column_stack([np.ones(len(frame)), frame[["dummy", "share"]]])
    np.testing.assert_allclose(flac, expit(X @ found.flac), atol=1e-12)


def test_what_has_no_probability_is_said(frame):
    logit_fit = fit(MODEL, frame)
    for correction in ("flac", "plain"):
        with pytest.raises(ModelError, match=f"correction='{correction}' for logit"):
            predicted_probabilities(logit_fit, frame, correction)
    with pytest.raises(ModelError, match="'flick' for firth; firth has flic, flac, none"):
        predicted_probabilities(fit(VARIANTS["firth"], frame), frame, "flick")
    effects = Model("m", "listed", ["x"], "lpm", fixed_effects="state")
    with pytest.raises(ModelError, match="its level is absorbed"):
        predicted_probabilities(fit(effects, frame), frame)
    with pytest.raises(ModelError, match="no probabilities"):
        predicted_probabilities(fit(effects.with_(estimator="conditional_logit"), frame), frame)
    sure = frame.assign(sure=frame["listed"].where(frame["state"] > "S20", 0))
    with pytest.raises(ModelError, match="'sure' has no coefficient: sure separated"):
        predicted_probabilities(fit(Model("m", "listed", ["x", "sure"]), sure), sure)


def test_products_with_what_left_have_no_effect(frame):
    frame = frame.assign(flag=(frame["share"] > 0.4).astype(int))
    frame["listed"] = np.where((frame["flag"] == 1) & (frame["dummy"] == 1), 1, frame["listed"])
    found = fit(Model("m", "listed", ["x", "flag", "dummy", "flag:dummy"]), frame)
    assert found.omitted == ("flag:dummy",)
    rows = average_marginal_effects(found, frame).set_index("term")
    assert rows.loc[["flag", "dummy"]].isna().all(axis=None) and rows.loc["x"].notna().all()
    with pytest.raises(ModelError, match=r"'flag' has no coefficient: flag:dummy separated"):
        adjusted_predictions(found, frame, [{"flag": 1}])


def test_a_square_of_a_dummy_changes_nothing(frame):
    with_square = fit(Model("m", "listed", ["x", "dummy", "dummy:dummy"]), frame)
    without = fit(Model("m", "listed", ["x", "dummy"]), frame)
    pd.testing.assert_frame_equal(
        average_marginal_effects(with_square, frame), average_marginal_effects(without, frame)
    )


def test_a_model_without_covariates(frame):
    found = fit(Model("null", "listed", []), frame)
    assert expit(found.coefficients[0]) == pytest.approx(frame["listed"].mean(), abs=1e-12)
    assert average_marginal_effects(found, frame).empty
    assert len(found.terms) == 1


def test_bad_points_are_named(frame):
    found = fit(MODEL, frame)
    for at, message in (
        ([], "at least one point"),
        ([{"x": 1}, {"share": 1}], "all of the same columns"),
        ([{"shar": 1}], "no covariate 'shar'.*Nearest: 'share'"),
    ):
        with pytest.raises(ModelError, match=message):
            adjusted_predictions(found, frame, at)
    with pytest.raises(ModelError, match="no column 'share'"):
        average_marginal_effects(found, frame.drop(columns="share"))
    with pytest.raises(ModelError, match=r"missing values: share \(948\)"):
        average_marginal_effects(found, frame.assign(share=np.nan))


def test_a_covariance_of_zero_has_no_error(frame):
    found = fit(MODEL, frame)
    sure = replace(found, covariance=np.zeros_like(found.covariance))
    assert (average_marginal_effects(sure, frame)["std_error"] == 0).all()


def test_listed_counties_of_a_hundred_are_counted():
    counties = load_panel("county")
    found = frequencies(counties).set_index("sample")
    assert len(found) == 3
    every = found.loc[found["counties"].idxmax()]
    assert (every["counties"], every["listed"]) == (len(counties), counties["is_listed"].sum())
    assert found["per_100"].to_numpy() == pytest.approx(100 * found["listed"] / found["counties"], rel=1e-12)
    assert (found["conf_low"] < found["per_100"]).all() and (found["per_100"] < found["conf_high"]).all()

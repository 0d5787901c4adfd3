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
from analysis.models import Model, adjusted_predictions, average_marginal_effects, fit

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


def test_a_new_frame_is_averaged_over_its_own_rows(generate, frame):
    found = fit(MODEL, frame)
    other = generate(seed=9)
    other.loc[other.index[:4], "x"] = np.nan
    rows = average_marginal_effects(found, other.drop(columns="listed")).set_index("term")
    complete = other.iloc[4:]
    effect = numerical(found, complete, "x", found.coefficients)
    assert rows.loc["x", "estimate"] == pytest.approx(effect, abs=1e-8)
    same_length = frame.assign(x=frame["x"] + 1, listed=1 - frame["listed"])
    rows = average_marginal_effects(found, same_length).set_index("term")
    assert rows.loc["x", "estimate"] == pytest.approx(
        numerical(found, same_length, "x", found.coefficients), abs=1e-8
    )


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
    with pytest.raises(ModelError, match="no row to average"):
        average_marginal_effects(found, frame.assign(share=np.nan))


def test_a_covariance_of_zero_has_no_error(frame):
    found = fit(MODEL, frame)
    sure = replace(found, covariance=np.zeros_like(found.covariance))
    assert (average_marginal_effects(sure, frame)["std_error"] == 0).all()

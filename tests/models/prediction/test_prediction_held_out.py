"""Nothing of a state reaches its own prediction, and states that are hard cases are handled and said."""

import doctest

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analysis.errors import ModelError
from analysis.models import Model, fit
from analysis.models.prediction import (
    held_out,
    k_fold,
    leave_one_state_out,
    predict_held_out,
)
from analysis.models.prediction.newton import maximise_many

MODEL = Model("m", "listed", ["x", "dummy", "x:share"], cluster="state")


def loop(data, columns, outcome="listed"):
    """The same predictions by statsmodels, one state at a time."""
    X, y = sm.add_constant(data[columns].to_numpy(float)), data[outcome].to_numpy(float)
    out = np.empty(len(data))
    for state in data["state"].unique():
        own = (data["state"] == state).to_numpy()
        out[own] = sm.Logit(y[~own], X[~own]).fit(disp=0, tol=1e-12).predict(X[own])
    return out


def test_examples():
    assert doctest.testmod(held_out).attempted > 0 and not doctest.testmod(held_out).failed


@pytest.mark.filterwarnings("ignore:Maximum Likelihood")
def test_the_probabilities_are_those_of_a_loop(frame):
    found = leave_one_state_out(MODEL, frame)
    data = frame.assign(product=frame["x"] * frame["share"])
    assert found.index.equals(frame.index) and found.name == "probability" and len(found) > 300
    np.testing.assert_allclose(found, loop(data, ["x", "dummy", "product"]), atol=1e-10)


def test_every_fold_has_the_rows_and_events_of_the_other_states(frame):
    folds = predict_held_out(MODEL, frame).folds.set_index("group")
    states = frame.groupby("state")["listed"].agg(["size", "sum"])
    assert folds["rows"].equals(states["size"].rename_axis("group").rename("rows")) and len(folds) == 30
    assert (folds["training_rows"] == len(frame) - states["size"]).all()
    assert (folds["training_events"] == frame["listed"].sum() - states["sum"]).all()


@pytest.mark.parametrize("estimator", ["logit", "firth", "lpm"])
def test_every_estimator_predicts_as_its_own_fit(frame, estimator):
    model = MODEL.with_(estimator=estimator, covariates=["x", "dummy"])
    found = leave_one_state_out(model, frame)
    for state in ("S00", "S07"):
        own = frame["state"] == state
        fitted = fit(model, frame[~own])
        X = np.column_stack([np.ones(own.sum()), frame.loc[own, ["x", "dummy"]]])
        eta = X @ fitted.coefficients + fitted.shift
        expected = eta if estimator == "lpm" else 1 / (1 + np.exp(-eta))
        np.testing.assert_allclose(found[own], expected, atol=1e-9)


@pytest.mark.parametrize("estimator", ["logit", "firth", "lpm"])
def test_a_poisoned_state_does_not_reach_its_own_fit(frame, estimator):
    model = Model("m", "listed", ["x", "dummy", "share"], estimator=estimator)
    own = (frame["state"] == "S03").to_numpy()
    poisoned = frame.astype({"dummy": float})
    rng = np.random.default_rng(0)
    rows = np.flatnonzero(own)
    for column in ("x", "dummy", "share"):
        poisoned.iloc[rows, poisoned.columns.get_loc(column)] = 1e6 * rng.permutation(
            poisoned[column].to_numpy()[rows]
        )
    poisoned.iloc[rows, poisoned.columns.get_loc("listed")] = rng.permutation(
        1 - poisoned["listed"].to_numpy()[rows]
    )
    clean, dirty = predict_held_out(model, frame), predict_held_out(model, poisoned)
    fold = clean.folds["group"].tolist().index("S03")
    np.testing.assert_array_equal(clean.coefficients[fold], dirty.coefficients[fold])
    others = np.delete(np.arange(len(clean.folds)), fold)
    assert not np.allclose(clean.coefficients[others], dirty.coefficients[others])
    # the state's untouched rows, beside poisoned copies of them, are predicted as before
    doubled = pd.concat([frame, poisoned[own]], ignore_index=True)
    again = leave_one_state_out(model, doubled)[: len(frame)][own]
    np.testing.assert_allclose(again, clean.probability[own], atol=1e-12)


def test_a_state_drawn_twice_never_trains_on_itself(frame):
    once = leave_one_state_out(MODEL, frame)
    own = frame["state"] == "S05"
    twice = leave_one_state_out(MODEL, pd.concat([frame, frame[own]]))
    np.testing.assert_array_equal(twice[: len(frame)][own], once[own])
    np.testing.assert_array_equal(twice[len(frame) :], once[own])


def test_incomplete_rows_have_no_prediction_and_no_part(frame):
    data = frame.astype({"listed": float}).copy()
    holes = {"x": 3, "dummy": 40, "share": 77, "listed": 120}
    for column, row in holes.items():
        data.iloc[row, data.columns.get_loc(column)] = np.nan
    data.iloc[200, data.columns.get_loc("state")] = None
    found = leave_one_state_out(MODEL, data)
    missing = [*holes.values(), 200]
    assert found.isna().to_numpy().nonzero()[0].tolist() == sorted(missing)
    kept = data.drop(index=data.index[missing])
    np.testing.assert_allclose(found.dropna(), leave_one_state_out(MODEL, kept), atol=1e-12)
    inside = leave_one_state_out(MODEL.with_(sample="share > 0.2"), frame)
    assert inside.notna().equals(frame["share"] > 0.2) and inside.notna().sum() > 100


def test_repeated_labels_and_weights(frame):
    data = frame.set_index(pd.Index(["same"] * len(frame)))
    np.testing.assert_array_equal(leave_one_state_out(MODEL, data), leave_one_state_out(MODEL, frame))
    weighted = frame.assign(w=1 + (frame["x"] > 0))
    heavy = pd.concat([weighted, weighted[weighted["w"] == 2]])
    found = leave_one_state_out(MODEL.with_(weights="w"), weighted)
    np.testing.assert_allclose(found, leave_one_state_out(MODEL, heavy)[: len(frame)], atol=1e-10)


@pytest.mark.parametrize("unit", [1e-12, 1e9])
def test_the_unit_of_the_weights_does_not_matter(frame, unit):
    weighted = frame.assign(w=1 + frame["share"])
    model = MODEL.with_(weights="w")
    found = leave_one_state_out(model, weighted.assign(w=unit * weighted["w"]))
    np.testing.assert_allclose(found, leave_one_state_out(model, weighted), atol=1e-12)


def test_states_with_none_one_or_all_listed(frame):
    data = frame.copy()
    data.loc[data["state"] == "S01", "listed"] = 0
    data.loc[data["state"] == "S02", "listed"] = 1
    one = frame.head(1).assign(state="DC", listed=1)
    found = predict_held_out(MODEL, pd.concat([data, one]))
    folds = found.folds.set_index("group")
    assert folds.loc["S01", "events"] == 0 and folds.loc["S02", "events"] == folds.loc["S02", "rows"]
    assert folds.loc["DC", "rows"] == 1 and (folds["note"] == "").all()
    assert found.probability.between(0, 1).all() and found.probability.notna().all()


def test_a_separated_fold_is_predicted_by_firth_and_said(frame):
    # only S04 has a row with the flag that is not listed, so that without it the flag separates
    data = frame.assign(flag=0.0)
    events = data.index[(data["listed"] == 1) & (data["state"] != "S04")][:12]
    data.loc[events, "flag"] = 1.0
    data.loc[data.index[(data["state"] == "S04") & (data["listed"] == 0)][0], "flag"] = 1.0
    model = Model("m", "listed", ["x", "flag"])
    found = predict_held_out(model, data)
    noted = found.folds.set_index("group")["note"]
    assert noted[noted != ""].index.tolist() == ["S04"] and "Firth" in noted["S04"]
    own = data["state"] == "S04"
    firth = leave_one_state_out(model.with_(estimator="firth"), data)
    np.testing.assert_allclose(found.probability[own], firth[own], atol=1e-10)
    assert found.probability.between(0, 1, inclusive="neither").all()


def test_a_column_that_is_constant_elsewhere_has_no_part(frame):
    data = frame.assign(only=(frame["state"] == "S06") * frame["share"])
    model = Model("m", "listed", ["x", "only"])
    found = predict_held_out(model, data)
    fold = found.folds["group"].tolist().index("S06")
    assert "constant" in found.folds["note"][fold] and found.coefficients[fold, 2] == 0
    own = data["state"] == "S06"
    without = leave_one_state_out(model.with_(drop=["only"]), data)
    np.testing.assert_allclose(found.probability[own], without[own], atol=1e-10)


def test_all_events_in_one_state(frame):
    data = frame.assign(listed=(frame["state"] == "S08") * (frame["x"] > 0))
    found = predict_held_out(Model("m", "listed", ["dummy"]), data)
    own = data["state"] == "S08"
    assert (found.probability[own] == 0).all() and found.probability.notna().all()
    assert "always 0" in found.folds.set_index("group").loc["S08", "note"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fixed_effects": ["state"]}, "has no fixed effect of state"),
        ({"covariates": ["nothing"]}, "No column and no catalogue group"),
        ({"outcome": "x", "covariates": ["dummy"]}, "needs an outcome of 0 and 1"),
        ({"sample": "x > 1000"}, "no row is in the sample"),
        ({"sample": "state == 'S01'"}, "all rows lie in one group"),
        ({"estimator": "conditional_logit", "fixed_effects": ["state"]}, "has no fixed effect"),
    ],
)
def test_what_cannot_be_predicted_is_refused(frame, change, message):
    with pytest.raises(ModelError, match=message):
        leave_one_state_out(MODEL.with_(**change), frame)


def test_bad_frames_are_refused(frame):
    with pytest.raises(ModelError, match="no column 'state'"):
        leave_one_state_out(MODEL.with_(cluster=None), frame.drop(columns="state"))
    with pytest.raises(ModelError, match="infinite or too large"):
        leave_one_state_out(MODEL, frame.assign(x=frame["x"].where(frame["x"] < 2, np.inf)))
    with pytest.raises(
        ModelError, match=r"'state' \(the group that is held out\) holds values that are no labels"
    ):
        leave_one_state_out(MODEL, frame.assign(state=[[name] for name in frame["state"]]))
    with pytest.raises(ModelError, match="DataFrame was expected"):
        leave_one_state_out(MODEL, frame.to_dict())
    with pytest.raises(ModelError, match="Model was expected"):
        leave_one_state_out("main", frame)


def test_ten_random_parts_have_seen_the_state(frame):
    found = k_fold(MODEL, frame, 10, 1)
    assert len(found.folds) == 10 and found.probability.notna().all()
    assert not np.allclose(found.probability, leave_one_state_out(MODEL, frame))
    np.testing.assert_array_equal(found.probability, k_fold(MODEL, frame, 10, 1).probability)


def test_separation_is_not_taken_for_a_maximum():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(60), rng.normal(size=60)])
    y = (X[:, 1] > 0).astype(float)
    beta, converged = maximise_many(X, y, np.ones((1, 60)))
    assert not converged.any() and np.isnan(beta).all()
    mixed = np.r_[1 - y[:5], y[5:]]
    assert maximise_many(X, np.array([y, mixed]), np.ones((2, 60)))[1].tolist() == [False, True]

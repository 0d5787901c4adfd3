"""The maximum that does not exist is found before it is sought."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from analysis.errors import ModelError
from analysis.models import Model, average_marginal_effects, estimates, fit, logit
from analysis.models.separation import independent, joint, single, unidentified

MODEL = Model("m", "listed", ["x", "dummy", "flag"], cluster="state")


def rows(found):
    return estimates(found).set_index("term")


@pytest.mark.fault("F82")
@pytest.mark.parametrize(
    ("at", "value", "direction"),
    [(1, 1, "+"), (1, 0, "-"), (0, 1, "-"), (0, 0, "+")],
)
def test_a_binary_covariate_leaves_with_the_rows_it_predicts(frame, at, value, direction):
    flag = (np.random.default_rng(1).random(len(frame)) < 0.3).astype(int)
    frame = frame.assign(flag=flag, listed=np.where(flag == at, value, frame["listed"]))
    found = fit(MODEL, frame)
    row = rows(found).loc["flag"]
    assert row[["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]].isna().all()
    assert row["note"].startswith(
        f"separated ({direction}): listed is {value} in all {(flag == at).sum()} rows with flag = {at}"
    )
    assert row["note"].endswith("Valid estimators: firth, lpm.")
    assert list(found.dropped.index) == list(frame.index[flag == at])
    assert set(found.dropped["reason"]) == {"predicted perfectly by flag"}
    rest = frame[flag != at]
    expected = fit(MODEL.with_(drop=["flag"]), rest)
    np.testing.assert_allclose(found.coefficients, expected.coefficients, atol=1e-10)
    assert rows(found).loc["Intercept", "note"] == ("of the rows kept, where flag = 1" if at == 0 else "")
    effects = average_marginal_effects(found, frame).set_index("term")
    assert effects.loc["flag"].isna().all() and effects.loc[["x", "dummy"]].notna().all(axis=None)


def test_the_other_coefficients_are_the_limit(frame):
    """Maximum likelihood with the separated coefficient held far out tends to what is reported."""
    flag = (np.random.default_rng(1).random(len(frame)) < 0.3).astype(float)
    frame = frame.assign(flag=flag, listed=np.where(flag == 1, 1, frame["listed"]))
    found = fit(MODEL, frame)
    X = np.column_stack([np.ones(len(frame)), frame[["x", "dummy"]]])
    far = logit.maximise(X, frame["listed"].to_numpy(float), offset=40 * flag)
    np.testing.assert_allclose(found.coefficients, far, atol=1e-8)


@pytest.mark.fault("F82")
@pytest.mark.parametrize("estimator", ["firth", "lpm"])
def test_other_estimators_keep_everything(frame, estimator):
    flag = (np.random.default_rng(1).random(len(frame)) < 0.3).astype(float)
    frame = frame.assign(flag=flag, listed=np.where(flag == 1, 1, frame["listed"]))
    found = fit(MODEL.with_(estimator=estimator), frame)
    assert found.n == len(frame) and rows(found).loc["flag", "estimate"] > 0
    assert np.isfinite(rows(found)[["conf_low", "conf_high"]]).all(axis=None)


def test_a_threshold_with_one_shared_value(frame):
    steps = frame["x"].round(1)
    listed = np.where(steps == 0.5, frame["listed"], (steps > 0.5).astype(int))
    frame = pd.concat([frame.assign(x=steps, listed=listed), frame.assign(x=0.5)])
    found = fit(MODEL.with_(drop=["flag"]), frame)
    note = rows(found).loc["x", "note"]
    assert note.startswith("separated (+): listed is 1 in all") and "x >= 0.6" in note and "x <= 0.4" in note
    assert found.n == (frame["x"] == 0.5).sum()


def test_what_the_rows_kept_do_not_determine_has_no_numbers(frame):
    """With x held at one value, the slopes of share and of x:share cannot be told apart."""
    steps = frame["x"].round(1)
    listed = np.where(steps == 0.5, frame["listed"], (steps > 0.5).astype(int))
    frame = pd.concat([frame.assign(x=steps, listed=listed), frame.assign(x=0.5)])
    found = fit(Model("m", "listed", ["x", "dummy", "share", "x:share"]), frame)
    table = rows(found)
    assert table["estimate"].notna().to_dict() == {
        "Intercept": True, "x": False, "dummy": True, "share": False, "x:share": False,
    }  # fmt: skip
    for name in ("share", "x:share"):
        assert table.loc[name, "note"].startswith("not determined: x is separated")
    kept = frame[frame["x"] == 0.5]
    reference = sm.Logit(kept["listed"], sm.add_constant(kept[["dummy", "share"]])).fit(disp=0, tol=1e-12)
    assert table.loc["dummy", "estimate"] == pytest.approx(reference.params["dummy"], abs=1e-8)
    assert average_marginal_effects(found, frame).set_index("term").loc["share"].isna().all()


@pytest.mark.fault("F82")
def test_complete_separation_is_an_error_that_names_the_covariate(frame):
    with pytest.raises(ModelError, match=r"separated completely.*x: separated \(-\).*firth, lpm"):
        fit(MODEL.with_(drop=["flag"]), frame.assign(listed=(frame["x"] < 0.1).astype(int)))
    both = (frame["x"] + frame["dummy"] > 0.6).astype(int)
    with pytest.raises(ModelError, match=r"x: separated \(\+\) in combination with dummy"):
        fit(MODEL.with_(covariates=["share", "x", "dummy"]), frame.assign(listed=both))


def test_a_combination_leaves_with_the_rows_it_predicts(frame):
    rng = np.random.default_rng(2)
    frame["flag"] = (rng.random(len(frame)) < 0.5).astype(int)
    sign = frame["flag"] - frame["dummy"]
    frame["listed"] = np.where(sign == 0, frame["listed"], (sign > 0).astype(int))
    found = fit(MODEL, frame)
    table = rows(found)
    assert table.loc["flag", "note"].startswith("separated (+) in combination with dummy")
    assert table.loc["dummy", "note"].startswith("separated (-) in combination with flag")
    assert table.loc[["flag", "dummy"], "estimate"].isna().all()
    assert set(found.dropped["reason"]) == {"predicted perfectly by dummy, flag"}
    kept = frame[sign == 0]
    assert found.n == len(kept) > 0
    reference = sm.Logit(kept["listed"], sm.add_constant(kept[["x", "dummy"]])).fit(disp=0, tol=1e-12)
    assert table.loc["x", "estimate"] == pytest.approx(reference.params["x"], abs=1e-8)
    assert table.loc["x", "note"] == "" and "do not predict" in table.loc["Intercept", "note"]


def test_several_separations_are_found_one_after_the_other(frame):
    rng = np.random.default_rng(3)
    for name in ("flag", "other"):
        frame[name] = (rng.random(len(frame)) < 0.2).astype(int)
    first, second = frame["flag"] == 1, (frame["other"] == 1) & (frame["flag"] == 0)
    frame["listed"] = np.select([first, second], [1, 0], frame["listed"])
    found = fit(MODEL.with_(add=["other"]), frame)
    assert found.omitted == ("flag", "other")
    assert found.dropped["reason"].value_counts().to_dict() == {
        "predicted perfectly by flag": first.sum(),
        "predicted perfectly by other": second.sum(),
    }


@pytest.mark.fault("F82")
def test_separation_inside_the_groups_of_a_fixed_effect(frame):
    """In each state the flag orders the outcome, though over all states it does not."""
    rng = np.random.default_rng(4)
    high = frame["state"].isin([f"S{code:02d}" for code in range(15)])
    frame["flag"] = rng.normal(size=len(frame)) + 10 * high
    frame["listed"] = (frame["flag"] > 10 * high).astype(int)
    with pytest.raises(ModelError, match=r"flag: separated \(\+\) in combination with the fixed effects"):
        fit(MODEL.with_(fixed_effects="state"), frame)
    assert fit(MODEL.with_(fixed_effects="state", estimator="lpm"), frame).n == len(frame)


def exists(X, y):
    """Whether the maximum exists, by the primal programme: no direction orders the rows."""
    signed = X * np.where(y == 1, 1.0, -1.0)[:, None]
    answer = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(y)), bounds=[(-1, 1)] * X.shape[1])
    return -answer.fun < 1e-8


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(6, 14), st.integers(1, 3))
def test_the_programme_agrees_with_its_primal(seed, n, k):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.integers(0, 3, (n, k))]).astype(float)
    y = (rng.random(n) < 0.5).astype(float)
    if np.linalg.matrix_rank(X) < k + 1 or y.min() == y.max():
        return
    predicted, direction = joint(X, y)
    assert exists(X, y) == (not predicted.any())
    if predicted.any():
        z = X @ direction * np.where(y == 1, 1, -1)
        assert z.min() > -1e-7 and (z[predicted] > 1e-7).all() and (np.abs(z[~predicted]) < 1e-7).all()
        rest, outcome = X[~predicted], y[~predicted]
        if len(outcome):
            keep = independent(rest[:, 1:], rest[:, :1])[0]
            assert exists(rest[:, np.r_[True, keep]], outcome)


def test_single_needs_order():
    y = np.array([0.0, 0, 1, 1])
    assert single(np.array([1.0, 3, 2, 4]), y, "x", "y") is None
    found = single(np.array([1.0, 2, 2, 4]), y, "x", "y")
    assert found.sign == 1 and found.kept_at == 2 and found.predicted.tolist() == [True, False, False, True]
    assert single(np.array([4.0, 3, 2, 1]), y, "x", "y").sign == -1


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_unit_of_a_column_does_not_decide_whether_it_stays(scale):
    a, b = np.arange(6.0), np.array([1.0, 0, 2, 5, 3, 1])
    keep, reasons = independent(scale * np.column_stack([a, b, 2 * a - b]), np.ones((6, 1)))
    assert keep.tolist() == [True, True, False] and list(reasons[2]) == [0, 1]


def test_independent_and_unidentified():
    ones, a = np.ones((5, 1)), np.array([1.0, 2, 3, 5, 8])
    keep, reasons = independent(np.column_stack([a, 3 - a, a**2, np.full(5, 0.1)]), ones)
    assert keep.tolist() == [True, False, True, False]
    assert reasons == [None, [0], None, "constant"]
    far = 1e6 + np.arange(5.0)
    assert independent(far[:, None], ones)[0].tolist() == [True]
    flat = np.column_stack([ones, a, np.full(5, 2.0)])
    assert unidentified(flat).tolist() == [True, False, True]
    assert unidentified(flat[:0]).tolist() == [True, True, True]

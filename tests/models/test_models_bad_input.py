"""What cannot be meant is refused by name; what only looks odd gives the same numbers."""

import numpy as np
import pandas as pd
import pytest

from analysis.errors import ModelError
from analysis.models import (
    Model,
    adjusted_predictions,
    average_marginal_effects,
    estimates,
    fit,
    jackknife,
    load_model,
    predicted_probabilities,
    wild_cluster_bootstrap,
    within_between,
)
from analysis.models.design import design

LOGIT = Model("m", "listed", ["x", "dummy"], cluster="state")
LPM = LOGIT.with_(estimator="lpm", fixed_effects="state")
MIXED = LOGIT.with_(estimator="mixed_logit", random_intercept="state")
EVERY = [LOGIT, LPM, LOGIT.with_(estimator="firth"), LPM.with_(estimator="conditional_logit"), MIXED]


@pytest.mark.parametrize("model", EVERY, ids=lambda model: model.estimator)
def test_the_constants_name_is_taken(frame, model):
    renamed = frame.rename(columns={"x": "Intercept"})
    for covariates in (["Intercept"], ["dummy:Intercept"]):
        with pytest.raises(ModelError, match="cannot be named 'Intercept'"):
            fit(model.with_(covariates=covariates), renamed)


@pytest.mark.parametrize("effects", ["state", ("state", "region")])
def test_absorbing_does_not_depend_on_where_a_column_lies(frame, effects):
    frame["region"] = np.resize(list("abc"), len(frame))
    level = pd.factorize(frame["state"])[0].astype(float)
    model = LPM.with_(fixed_effects=effects)
    plain = estimates(fit(model, frame)).set_index("term")
    for moved, scale in ((frame["x"] + 1e5, 1.0), (level + 1e-5 * frame["x"], 1e-5)):
        found = estimates(fit(model, frame.assign(x=moved))).set_index("term")
        for column in ("estimate", "std_error", "conf_low", "conf_high"):
            assert found.loc["x", column] * scale == pytest.approx(plain.loc["x", column], rel=1e-8)
            assert found.loc["dummy", column] == pytest.approx(plain.loc["dummy", column], rel=1e-8)


@pytest.mark.parametrize("model", EVERY, ids=lambda model: model.estimator)
def test_labels_that_cannot_be_compared(frame, model):
    odd = frame.assign(odd=[[1]] * len(frame))
    for field in ("cluster", "fixed_effects"):
        with pytest.raises(ModelError, match=r"'odd'.*no labels"):
            fit(model.with_(**{field: "odd"}), odd)


def test_the_order_of_effects_counts_for_nothing(frame):
    frame["h"] = np.resize(list("abcde"), len(frame))
    one, other = (fit(LPM.with_(fixed_effects=order), frame) for order in (["state", "h"], ["h", "state"]))
    assert one.covariance == pytest.approx(other.covariance, rel=1e-9)
    arrays = [design(LPM.with_(fixed_effects=order), frame) for order in (["state", "h"], ["h", "state"])]
    # full dummies are 2 covariates, an intercept, 4 of h, and those of the states, which do not count
    assert [one.parameters for one in arrays] == [2 + 1 + 4] * 2
    dummies = pd.get_dummies(frame[["h", "state"]], drop_first=True, dtype=float)
    full = Model("full", "listed", ["x", "dummy", *dummies], "lpm", cluster="state")
    dense = fit(full, pd.concat([frame, dummies], axis=1))
    n, k = dense.n, 2 + dummies.shape[1] + 1
    by_convention = dense.covariance[1:3, 1:3] * (n - k) / (n - (2 + 1 + 4))
    assert one.covariance == pytest.approx(by_convention, rel=1e-8)


def test_a_query_says_what_is_wrong(frame):
    for sample, message in (
        ("dumy == 1", "'dumy' is not defined.*Nearest: 'dummy'"),
        ("x + 1", "no True or False"),
        ("population", "no True or False"),
        ("True", "no True or False"),
        ("x >", "is no query"),
        ("9**9**9 > x", "a number's power"),
        ("`x` > 9**9**9", "a number's power"),
        ("x**9**9**9 > 1", "a number's power"),
        ("'a' * 10000000000 == state", "a text cannot be multiplied"),
        ("10000000000 * 'a' == state", "a text cannot be multiplied"),
    ):
        with pytest.raises(ModelError, match=message) as caught:
            fit(LOGIT.with_(sample=sample), frame)
        assert len(str(caught.value)) < 250
    known = frame.assign(flag=pd.array([True, False, None] * len(frame), dtype="boolean")[: len(frame)])
    assert fit(LOGIT.with_(sample="flag"), known).n == (known["flag"] == True).sum()  # noqa: E712
    assert fit(LOGIT.with_(sample="(x * 2)**2 > 0.5"), frame).n == ((2 * frame["x"]) ** 2 > 0.5).sum()


def test_values_that_no_array_or_label_can_hold(frame):
    large = frame.assign(x=pd.Series([10**400, *range(1, len(frame))], index=frame.index, dtype=object))
    half = frame.assign(
        state=pd.Series(["\ud800" + text for text in frame["state"]], frame.index, dtype=object)
    )
    for model in EVERY:
        with pytest.raises(ModelError, match=r"'x' .a covariate. holds a number too large"):
            fit(model, large)
        with pytest.raises(ModelError, match=r"'state' .* holds values that are no labels"):
            fit(model, half)


def test_arguments_of_another_kind(frame):
    found = fit(LOGIT, frame)
    calls = [
        lambda: wild_cluster_bootstrap(LOGIT, frame, "x"),
        lambda: wild_cluster_bootstrap(None, frame, "x"),
        lambda: wild_cluster_bootstrap(found, None, "x"),
        lambda: average_marginal_effects(LOGIT, frame),
        lambda: average_marginal_effects(found, frame, at={"x": "a"}),
        lambda: average_marginal_effects(found, frame, at={"x": None}),
        lambda: average_marginal_effects(found, frame, at={"x": np.inf}),
        lambda: average_marginal_effects(found, frame, at=3),
        lambda: adjusted_predictions(LOGIT, frame, [{"x": 1}]),
        lambda: adjusted_predictions(found, frame, None),
        lambda: adjusted_predictions(found, frame, {"x": 1}),
        lambda: adjusted_predictions(found, frame, [{"x": "a"}]),
        lambda: predicted_probabilities(found, None),
        lambda: predicted_probabilities(LOGIT, frame),
        lambda: jackknife(LOGIT, frame),
        lambda: estimates(None),
        lambda: within_between(None, ["x"], "state"),
        lambda: within_between(frame, None, "state"),
        lambda: within_between(frame, 3, "state"),
        lambda: within_between(frame, ["x"], ["state"]),
        lambda: within_between(frame, [["x"]], "state"),
        lambda: within_between(frame.assign(odd=[[1]] * len(frame)), ["x"], "odd"),
        lambda: within_between(frame.assign(x=np.inf), ["x"], "state"),
        lambda: load_model(["main"]),
        lambda: load_model(None),
    ]
    for call in calls:
        with pytest.raises(ModelError):
            call()


def test_an_intercept_far_from_zero_has_limits(frame):
    """The limits of an intercept are those of the fit at x = 0, wherever that lies."""
    firth = Model("m", "listed", ["x"], "firth")
    far = estimates(fit(firth, frame.assign(x=frame["x"] + 1e5))).set_index("term")
    near = estimates(fit(firth, frame)).set_index("term")
    assert np.isfinite(far[["conf_low", "conf_high"]].to_numpy()).all()
    assert far.loc["x", "conf_low"] == pytest.approx(near.loc["x", "conf_low"], rel=1e-5)
    assert far.loc["Intercept", "conf_high"] == pytest.approx(-1e5 * near.loc["x", "conf_low"], rel=1e-3)

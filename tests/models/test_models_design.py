"""Rows and columns: nothing leaves in silence, and nothing wrong reaches a library."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import ModelError
from analysis.models import Model, average_marginal_effects, estimates, fit
from analysis.models.design import design

LOGIT = Model("m", "listed", ["x", "dummy"], cluster="state")
LPM = LOGIT.with_(estimator="lpm")
EVERY = [LOGIT, LPM, LOGIT.with_(estimator="firth")]
by_estimator = pytest.mark.parametrize("model", EVERY, ids=lambda model: model.estimator)


def term(found, name):
    return estimates(found).set_index("term").loc[name]


def test_rows_left_out_have_their_reason(frame):
    frame.loc[frame.index[:3], "x"] = np.nan
    frame.loc[frame.index[2:4], "dummy"] = np.nan
    frame.loc[frame.index[4], "state"] = None
    frame["weight"] = 1.0
    frame.loc[frame.index[5], "weight"] = 0.0
    found = fit(LOGIT.with_(sample="population > 5000", weights="weight"), frame)
    inside = frame["population"] > 5000
    assert (~inside).sum() > 0
    reasons = found.dropped["reason"]
    assert list(reasons.index) == [label for label in frame.index if label in set(reasons.index)]
    assert (reasons == "outside the sample").sum() == (~inside).sum()
    expected = ["missing x", "missing x", "missing x, dummy", "missing dummy", "missing state"]
    expected.append("zero weight in weight")
    for label, reason in zip(frame.index, expected, strict=False):
        assert reasons[label] == (reason if inside[label] else "outside the sample")
    assert found.n + len(reasons) == len(frame)
    assert list(found.rows) == [label for label in frame.index if label not in set(reasons.index)]


def test_any_index_will_do(frame):
    expected = estimates(fit(LOGIT, frame))
    for index in (None, [7] * len(frame), pd.MultiIndex.from_arrays([frame["state"], range(len(frame))])):
        other = frame.reset_index(drop=True) if index is None else frame.set_axis(index)
        pd.testing.assert_frame_equal(estimates(fit(LOGIT, other)), expected)
    repeated = frame.set_axis(["same"] * len(frame))
    repeated.iloc[0, repeated.columns.get_loc("x")] = np.nan
    assert list(fit(LOGIT, repeated).dropped.index) == ["same"]


def test_a_query_may_name_the_index(frame):
    assert fit(LOGIT.with_(sample="geoid > '00100'"), frame).n == (frame.index > "00100").sum()


@pytest.mark.parametrize("kind", ["bool", "boolean", "Int64", "float32", "object", "decimal"])
def test_kinds_of_numbers_agree(frame, kind):
    expected = estimates(fit(LOGIT, frame))
    dummy = frame["dummy"].astype(int)
    column = dummy.map(Decimal).astype(object) if kind == "decimal" else dummy.astype(kind)
    pd.testing.assert_frame_equal(estimates(fit(LOGIT, frame.assign(dummy=column))), expected)


@by_estimator
def test_constant_and_doubled_columns_leave_with_a_note(frame, model):
    frame = frame.assign(flat=3.0, twice=2 * frame["x"] - 1, mix=frame["x"] - frame["dummy"])
    found = fit(model.with_(add=["flat", "twice", "mix"]), frame)
    assert "constant in the rows used (3)" in term(found, "flat")["note"]
    assert term(found, "twice")["note"] == "left out: collinear with x"
    assert term(found, "mix")["note"] == "left out: collinear with x, dummy"
    assert estimates(found)["estimate"].isna().tolist() == [False, False, False, True, True, True]
    assert found.omitted == ("flat", "twice", "mix")
    np.testing.assert_allclose(found.coefficients, fit(model, frame).coefficients, atol=1e-10)


@pytest.mark.parametrize("estimator", ["logit", "lpm"])
def test_what_fixed_effects_absorb_leaves_with_a_note(frame, estimator):
    frame["state_mean"] = frame.groupby("state")["x"].transform("mean")
    found = fit(LOGIT.with_(add=["state_mean"], fixed_effects="state", estimator=estimator), frame)
    assert term(found, "state_mean")["note"] == "left out: collinear with the fixed effects (state)"
    assert "Intercept" not in set(estimates(found)["term"])
    assert len(estimates(found)) == 3


def test_groups_without_variation_leave_a_logit_with_effects(frame):
    frame.loc[frame["state"] == "S00", "listed"] = 0
    frame.loc[frame["state"] == "S01", "listed"] = 1
    found = fit(LOGIT.with_(fixed_effects=["state"]), frame)
    gone = frame.index[frame["state"].isin(["S00", "S01"])]
    assert len(gone) > 0 and list(found.dropped.index) == list(gone)
    assert set(found.dropped["reason"]) == {"group without variation in state"}
    assert found.clusters == 28
    assert fit(LPM.with_(fixed_effects=["state"]), frame).n == len(frame)


@by_estimator
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"listed": 0}, "'listed' is always 0"),
        ({"listed": 1}, "'listed' is always 1"),
        ({"x": np.nan}, r"none of \d+ rows is complete; missing values: x \(\d+\)"),
        ({"x": pd.NA}, r"none of \d+ rows is complete"),
        ({"x": np.inf}, r"'x' holds \d+ infinite values, first at '00000'"),
        ({"x": "text"}, "'x' .a covariate. holds no numbers"),
        ({"x": pd.Timestamp("2025-01-01")}, "'x' .a covariate. holds no numbers"),
        ({"listed": "yes"}, "'listed' .the outcome. holds no numbers"),
    ],
)
def test_bad_columns_are_named(frame, model, change, message):
    with pytest.raises(ModelError, match=message):
        fit(model, frame.assign(**change))


@by_estimator
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"add": ["poplation"]}, "'poplation'.*Nearest: 'population'"),
        ({"add": ["x:dumy"]}, "'dumy' .of the product 'x:dumy'.*Nearest: 'dummy'"),
        ({"add": ["imigration"]}, "No column and no catalogue group.*Nearest: 'immigration'"),
        ({"outcome": "is_listd"}, "'is_listd' .the outcome"),
        ({"cluster": "stat"}, "'stat' .the cluster.*Nearest: 'state'"),
        ({"fixed_effects": ["regio"]}, "'regio' .a fixed effect.*Nearest: 'region'"),
        ({"sample": "population >"}, "is no query on these data"),
        ({"sample": "nowhere == 1"}, "is no query on these data.*nowhere"),
        ({"sample": "population < 0"}, "no row is in the sample"),
        ({"sample": "geoid < '00003'"}, "too few for 3 columns .x, dummy|is always"),
    ],
)
def test_bad_models_are_named(frame, model, change, message):
    with pytest.raises(ModelError, match=message):
        fit(model.with_(**change), frame)


def test_other_refusals(frame):
    with pytest.raises(ModelError, match=r"in one cluster of 'country' \(USA\)"):
        fit(LOGIT.with_(cluster="country"), frame.assign(country="USA"))
    with pytest.raises(ModelError, match="logit needs an outcome of 0 and 1; 'listed' holds 2"):
        fit(LOGIT, frame.assign(listed=frame["listed"] * 2))
    with pytest.raises(ModelError, match="several columns named 'x'"):
        fit(LOGIT, pd.concat([frame, frame[["x"]]], axis=1))
    with pytest.raises(ModelError, match="'weight' hold 1 negative"):
        weight = np.r_[-1.0, np.ones(len(frame) - 1)]
        fit(LPM.with_(weights="weight"), frame.assign(weight=weight))
    with pytest.raises(ModelError, match=r"'x' reach \de\+200, too far from 1"):
        fit(LPM.with_(add=["x:x"]), frame.assign(x=frame["x"] * 1e200))
    with pytest.raises(ModelError, match="A Model was expected"):
        fit("main", frame)
    with pytest.raises(ModelError, match="a DataFrame was expected"):
        fit(LOGIT, [1, 2])
    with pytest.raises(ModelError, match="A Fit was expected"):
        estimates(frame)
    with pytest.raises(ModelError, match="No fit"):
        estimates([])
    with pytest.raises(ModelError, match="no covariate is left"):
        fit(Model("m", "listed", ["flat"], "lpm", fixed_effects=["state"]), frame.assign(flat=1))
    with pytest.raises(ModelError, match="none of 0 rows"):
        fit(LOGIT, frame.iloc[:0])


@pytest.mark.parametrize("estimator", ["logit", "firth", "lpm", "conditional_logit", "mixed_logit"])
def test_one_cluster_is_an_error_for_every_estimator(frame, estimator):
    effects = "state" if estimator == "conditional_logit" else ()
    groups = "state" if estimator == "mixed_logit" else None
    model = LOGIT.with_(
        estimator=estimator, fixed_effects=effects, cluster="country", random_intercept=groups
    )
    with pytest.raises(ModelError, match=r"in one cluster of 'country' \(USA\); it takes two"):
        fit(model, frame.assign(country="USA"))
    with pytest.raises(ModelError, match=r"'country'|country \(948\)"):
        fit(model, frame.assign(country=None))


def test_what_rests_on_one_cluster_says_so(frame):
    frame = frame.assign(only=(frame["state"] == "S03") * 1.0, few=(frame["state"] < "S02") * 1.0)
    frame["slope"] = frame["x"].where(frame["state"] == "S05", 0.0)
    for model in (LOGIT, LPM):
        found = fit(model.with_(add=["only", "few"]), frame)
        assert "one cluster of state only (S03)" in term(found, "only")["note"]
        assert term(found, "few")["note"] == "" == term(found, "x")["note"]
    for estimator in ("lpm", "conditional_logit"):
        found = fit(LOGIT.with_(add=["slope"], estimator=estimator, fixed_effects="state"), frame)
        assert "one cluster of state only (S05)" in term(found, "slope")["note"]
        assert term(found, "x")["note"] == ""
    few = frame[frame["state"] < "S03"]
    assert "no more clusters (3) than coefficients (3)" in term(fit(LPM, few), "x")["note"]


def test_an_exact_fit_says_so(frame):
    for model in (LPM, LPM.with_(fixed_effects="state"), LPM.with_(cluster=None)):
        found = fit(model, frame.assign(listed=2 * frame["x"] + 1))
        assert "standard errors are rounding errors" in term(found, "x")["note"]
        assert term(fit(model, frame), "x")["note"] == ""


def test_weights_of_nothing_are_an_error(frame):
    with pytest.raises(ModelError, match="'weight' are 0 in every complete row"):
        fit(LPM.with_(weights="weight"), frame.assign(weight=0.0))


@pytest.mark.parametrize("estimator", ["logit", "firth", "lpm", "conditional_logit", "mixed_logit"])
@pytest.mark.parametrize("kind", ["bool", "boolean", "Int64", "object", "float32"])
def test_every_estimator_takes_every_kind_of_number(frame, estimator, kind):
    effects = "state" if estimator == "conditional_logit" else ()
    groups = "state" if estimator == "mixed_logit" else None
    model = LOGIT.with_(estimator=estimator, fixed_effects=effects, random_intercept=groups)
    frame = frame[frame["state"] < "S12"]
    expected = estimates(fit(model, frame))
    columns = {name: frame[name].astype(int).astype(kind) for name in ("listed", "dummy")}
    other = frame.assign(**columns, state=frame["state"].astype("category")).set_axis([0] * len(frame))
    pd.testing.assert_frame_equal(estimates(fit(model, other)), expected)
    with pytest.raises(ModelError, match=r"'dummy' .a covariate. holds no numbers but category"):
        fit(model, frame.assign(dummy=frame["dummy"].astype("category")))


def test_groups_of_the_catalogue_resolve(frame, monkeypatch):
    from analysis import catalogue

    monkeypatch.setattr(catalogue, "group_members", lambda group, level: ("x", "share"))
    found = fit(LOGIT.with_(add=["size"]), frame)
    assert list(estimates(found)["term"]) == ["Intercept", "x", "dummy", "share"]
    named = fit(LOGIT.with_(add=["size"]), frame.assign(size=frame["share"]))
    assert list(estimates(named)["term"])[-1] == "size"
    monkeypatch.setattr(catalogue, "group_members", lambda group, level: ("x", "elsewhere"))
    with pytest.raises(ModelError, match="'size' holds columns that the data lack: elsewhere"):
        fit(LOGIT.with_(add=["size"]), frame)


def test_nested_effects_count_as_the_constant(frame):
    nested = design(LPM.with_(fixed_effects="state"), frame)
    assert nested.parameters == 3
    crossed = design(LPM.with_(fixed_effects="region", cluster="dummy", drop=["dummy"]), frame)
    assert crossed.parameters == 1 + 4
    both = design(LPM.with_(fixed_effects=["state", "region"]), frame)
    assert both.parameters == 3
    assert design(LPM.with_(cluster=None, fixed_effects="state"), frame).parameters == 2 + 30


def test_estimates_have_the_columns_of_the_contract(frame):
    rows = estimates([fit(LOGIT.with_(sample="x < 9"), frame), fit(LPM.with_(cluster=None), frame)])
    assert list(rows.columns) == [
        "model", "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high",
        "n", "clusters", "sample", "note",
    ]  # fmt: skip
    assert list(rows["sample"].unique()) == ["x < 9", "all"]
    assert rows["clusters"].tolist() == [30, 30, 30, pd.NA, pd.NA, pd.NA]
    assert len(rows) == 6 and (rows["note"] == "").all()


def pathological(seed: int) -> pd.DataFrame:
    """A small frame of columns that break things: constant, far, close, separating, nearly collinear."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([0, 1, 2, 3, 5, 8, 15, 30]))
    x, y = rng.normal(size=n), (rng.random(n) < rng.uniform(0.1, 0.9)).astype(float)
    return pd.DataFrame(
        {
            "y": y,
            "x": x,
            "constant": np.full(n, 0.1),
            "huge": x * 10.0 ** rng.choice([5, 50, 200]),
            "tiny": x * 1e-200,
            "near": x + rng.normal(size=n) * 10.0 ** -rng.integers(6, 14),
            "far": 1e9 + x,
            "answer": y,
            "part": y * rng.integers(0, 2, n),
            "few": rng.integers(0, 3, n),
            "flag": rng.random(n) < 0.3,
            "gaps": np.where(rng.random(n) < 0.3, np.nan, x),
            "one": (np.arange(n) == 0) * 1.0,
            "spread": np.exp(3 * x),
            "group": rng.integers(0, max(1, n // 4), n).astype(str),
            "other": rng.integers(0, 3, n),
        }
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 100_000))
def test_any_frame_ends_in_a_fit_or_a_model_error(seed):
    frame, rng = pathological(seed), np.random.default_rng(seed)
    names = [name for name in frame.columns if name not in ("y", "group", "other")]
    covariates = list(rng.choice(names, rng.integers(0, 4), replace=False))
    covariates += [":".join(rng.choice(names, 2))] if rng.random() < 0.3 else []
    estimator = str(rng.choice(["logit", "firth", "lpm", "conditional_logit", "mixed_logit"]))
    try:
        model = Model(
            "any",
            "y",
            covariates,
            estimator=estimator,
            random_intercept=str(rng.choice(["group", "other"])) if estimator == "mixed_logit" else None,
            cluster=rng.choice([None, "group", "other"]),
            fixed_effects=[[], ["group"], ["other"], ["group", "other"]][rng.integers(4)],
        )
        found = fit(model, frame)
    except ModelError as error:
        assert len(str(error)) > 20
        return
    rows = estimates(found)
    assert np.isfinite(found.coefficients).all() and found.n + len(found.dropped) == len(frame)
    assert (rows["estimate"].notna() | (rows["note"] != "")).all()
    if model.estimator == "conditional_logit":
        return
    assert len(average_marginal_effects(found, frame)) == len({p for t in found.covariates for p in t.parts})

"""The specification curve: every subset in order, the same numbers as one model at a time, no number where there is none."""

import doctest
import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from linearmodels.datasets import mroz

from analysis.errors import ModelError
from analysis.models import Model, estimates, fit
from analysis.models.multiverse import curve, declaration, inference, lattice, specification_curve

CONTROLS = ["dummy", "share", "size", "z1", "z2", "z3", "z4"]
COLUMNS = ["controls", "estimate", "std_error", "p_value", "n", "status"]


@pytest.fixture(scope="module")
def places(generate):
    """3 % of values correlated across columns, so that subsets differ; states of unequal size."""
    data = generate(3)
    rng = np.random.default_rng(4)
    data["size"] = np.log(data["population"])
    for number in range(1, 5):
        data[f"z{number}"] = 0.6 * data["x"] + 0.5 * data["share"] + rng.normal(size=len(data))
    data["number"] = data["listed"] + 0.4 * data["x"] + rng.normal(size=len(data))
    return data


def hundred(many, seed=0):
    return np.random.default_rng(seed).choice(many, 100, replace=False)


def swept(data, names):
    return data[names] - data.groupby("state")[names].transform("mean")


def by_statsmodels(data, outcome, names, k, model=sm.OLS, effects=False):
    """Coefficient and clustered error of the first name; statsmodels' own k exchanged for the convention's."""
    codes = pd.factorize(data["state"])[0]
    X = swept(data, list(names)) if effects else sm.add_constant(data[list(names)])
    y = swept(data, [outcome])[outcome] if effects else data[outcome]
    arguments = {"disp": False, "method": "newton", "tol": 1e-12} if model is sm.Logit else {}
    found = model(y, X).fit(cov_type="cluster", cov_kwds={"groups": codes}, **arguments)
    n, counted = X.shape
    return found.params[names[0]], found.bse[names[0]] * np.sqrt((n - counted) / (n - k))


@pytest.mark.parametrize("effects", [False, True])
@pytest.mark.parametrize("outcome", ["listed", "number"])
def test_a_random_hundred_linear_models_agree_with_statsmodels(places, effects, outcome):
    options = {"cluster": "state"} | ({"fixed_effects": "state"} if effects else {})
    found = specification_curve(places, outcome, "x", CONTROLS, **options)
    seen = 0
    for row in found.iloc[hundred(len(found))].itertuples():
        names = ("x", *row.controls)
        estimate, error = by_statsmodels(places, outcome, names, len(names) + 1, effects=effects)
        assert row.estimate == pytest.approx(estimate, rel=1e-10, abs=1e-10)
        assert row.std_error == pytest.approx(error, rel=1e-7) and row.status == "ok"
        seen += 1
    assert seen == 100


def test_a_random_hundred_logits_agree_with_statsmodels(places):
    found = specification_curve(places, "listed", "x", CONTROLS, estimator="logit", cluster="state")
    seen = 0
    for row in found.iloc[hundred(len(found))].itertuples():
        names = ("x", *row.controls)
        estimate, error = by_statsmodels(places, "listed", names, len(names) + 1, model=sm.Logit)
        assert row.estimate == pytest.approx(estimate, rel=1e-10, abs=1e-10)
        assert row.std_error == pytest.approx(error, rel=1e-7) and row.status == "ok"
        seen += 1
    assert seen == 100


@pytest.mark.parametrize("estimator", ["lpm", "logit"])
@pytest.mark.parametrize("effects", [(), ("state",), ("region",), ("state", "region")])
@pytest.mark.parametrize("cluster", [None, "state"])
@pytest.mark.parametrize("weights", [None, "population"])
def test_a_specification_is_the_model_fitted_alone(places, estimator, effects, cluster, weights):
    controls = ["dummy", "share", "x:share"]
    options = {"estimator": estimator, "fixed_effects": effects, "cluster": cluster, "weights": weights}
    found = specification_curve(places, "listed", "x", controls, **options)
    assert len(found) == 8
    for row in found.iloc[[0, 5, 7]].itertuples():
        alone = estimates(fit(Model("alone", "listed", ("x", *row.controls), **options), places))
        expected = alone.set_index("term").loc["x"]
        assert row.n == expected["n"]
        assert row.estimate == pytest.approx(expected["estimate"], rel=1e-8)
        assert row.std_error == pytest.approx(expected["std_error"], rel=1e-7)
        assert row.p_value == pytest.approx(expected["p_value"], rel=1e-5, abs=1e-12)


def test_the_curve_of_another_package_on_mroz(reference):
    controls = ["nwifeinc", "exper", "age", "kidslt6", "kidsge6", "hushrs"]
    data = mroz.load()
    linear = specification_curve(data, "inlf", "educ", controls)
    assert len(linear) == 64 and set(linear["status"]) == {"ok"}
    reference.check("spec_mroz_med", linear["estimate"].median())
    reference.check("spec_mroz_min", linear["estimate"].min())
    reference.check("spec_mroz_max", linear["estimate"].max())
    logits = specification_curve(data, "inlf", "educ", controls, estimator="logit")
    reference.check("spec_mroz_logit_med", logits["estimate"].median())
    reference.check("spec_mroz_logit_max", logits["estimate"].max())


@settings(max_examples=20, deadline=None)
@given(controls=st.permutations(CONTROLS).flatmap(lambda names: st.integers(0, 5).map(lambda k: names[:k])))
def test_subsets_come_in_binary_count_order(places, controls):
    found = specification_curve(places, "listed", "x", controls, cluster="state")
    assert list(found.columns) == COLUMNS
    expected = [
        tuple(name for j, name in enumerate(controls) if number >> j & 1)
        for number in range(2 ** len(controls))
    ]
    assert found["controls"].tolist() == expected
    assert all(isinstance(names, tuple) for names in found["controls"])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), estimator=st.sampled_from(["lpm", "logit"]))
def test_the_order_of_rows_does_not_matter(places, seed, estimator):
    options = {"estimator": estimator, "cluster": "state"}
    found = specification_curve(places, "listed", "x", CONTROLS[:3], **options)
    shuffled = places.sample(frac=1, random_state=seed)
    again = specification_curve(shuffled, "listed", "x", CONTROLS[:3], **options)
    np.testing.assert_allclose(again[["estimate", "std_error"]], found[["estimate", "std_error"]], rtol=1e-8)
    assert again["controls"].tolist() == found["controls"].tolist() and len(found) == 8


def test_blocks_of_a_large_curve_are_in_order(places):
    """More controls than one block of the tree holds."""
    rng = np.random.default_rng(0)
    names = [f"c{number}" for number in range(12)]
    data = places.assign(**{name: rng.normal(size=len(places)) + 0.3 * places["x"] for name in names})
    found = specification_curve(data, "listed", "x", names, cluster="state", fixed_effects="state")
    assert len(found) == 4096 and found["controls"].is_unique
    for row in found.iloc[[1, 1024, 2047, 3001, 4095]].itertuples():
        estimate, error = by_statsmodels(
            data, "listed", ("x", *row.controls), len(row.controls) + 2, effects=True
        )
        assert row.estimate == pytest.approx(estimate, rel=1e-10)
        assert row.std_error == pytest.approx(error, rel=1e-7)


def statuses(found, holds):
    """The statuses of the subsets that hold a name, and of the others; numbers just where they are `ok`."""
    inside = np.array([holds(names) for names in found["controls"]])
    assert inside.any()
    fine = found["status"] == "ok"
    for column in ("estimate", "std_error", "p_value"):
        assert (found[column].notna() == fine).all()
    return set(found.loc[inside, "status"]), set(found.loc[~inside, "status"])


@pytest.mark.parametrize("estimator", ["lpm", "logit"])
@pytest.mark.parametrize("factor", [1.0, 1e-9, 1e9])
def test_a_dependent_subset_has_no_number(places, estimator, factor):
    data = places.assign(twin=(2 * places["dummy"] - places["share"]) * factor + 3.0)
    found = specification_curve(data, "listed", "x", ["dummy", "share", "twin", "z1"], estimator=estimator)
    told = statuses(found, lambda names: {"dummy", "share", "twin"} <= set(names))
    assert told == ({"rank deficient"}, {"ok"})


@pytest.mark.parametrize("estimator", ["lpm", "logit"])
def test_a_copy_of_the_focal_variable_has_no_number(places, estimator):
    data = places.assign(copy=1.0 - 5 * places["x"])
    found = specification_curve(data, "listed", "x", ["dummy", "copy"], estimator=estimator, cluster="state")
    assert statuses(found, lambda names: "copy" in names) == ({"rank deficient"}, {"ok"})


@pytest.mark.parametrize("near", [1e-3, 1e-5, 1e-6])
def test_a_nearly_dependent_subset_keeps_its_digits(places, near):
    rng = np.random.default_rng(0)
    data = places.assign(close=places["share"] + near * rng.normal(size=len(places)))
    found = specification_curve(data, "listed", "x", ["share", "close"], cluster="state")
    estimate, error = by_statsmodels(data, "listed", ("x", "share", "close"), 4)
    assert found.loc[3, "status"] == "ok"
    assert found.loc[3, "estimate"] == pytest.approx(estimate, rel=1e-8)
    assert found.loc[3, "std_error"] == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("estimator", ["lpm", "logit"])
def test_the_focal_variable_among_the_controls(places, estimator):
    found = specification_curve(places, "listed", "x", ["dummy", "x", "share"], estimator=estimator)
    assert found["controls"].tolist()[2:4] == [("x",), ("dummy", "x")]
    assert statuses(found, lambda names: "x" in names) == ({"the focal variable: x"}, {"ok"})
    plain = specification_curve(places, "listed", "x", ["dummy", "share"], estimator=estimator)
    kept = found[found["status"] == "ok"]["estimate"]
    np.testing.assert_array_equal(kept, plain["estimate"])


@pytest.mark.parametrize("estimator", ["lpm", "logit"])
def test_constant_columns_have_no_number(places, estimator):
    data = places.assign(always=1.0, fixed=7)
    found = specification_curve(data, "listed", "x", ["dummy", "always", "fixed"], estimator=estimator)
    told = statuses(found, lambda names: bool({"always", "fixed"} & set(names)))
    assert told == ({"constant: always", "constant: fixed", "constant: always, fixed"}, {"ok"})
    focal = specification_curve(data, "listed", "always", ["dummy", "x"], estimator=estimator)
    assert set(focal["status"]) == {"constant: always"} and focal["estimate"].isna().all()


@pytest.mark.parametrize("estimator", ["lpm", "logit"])
def test_what_the_effects_absorb_has_no_number(places, estimator):
    data = places.assign(of_state=places.groupby("state")["x"].transform("mean"))
    options = {"estimator": estimator, "fixed_effects": ["state"], "cluster": "state"}
    found = specification_curve(data, "listed", "x", ["dummy", "of_state"], **options)
    told = statuses(found, lambda names: "of_state" in names)
    assert told == ({"absorbed by the fixed effects: of_state"}, {"ok"})
    focal = specification_curve(data, "listed", "of_state", ["dummy"], **options)
    assert set(focal["status"]) == {"absorbed by the fixed effects: of_state"}


@pytest.mark.parametrize("estimator", ["lpm", "logit"])
@pytest.mark.parametrize("effects", [(), ("state",)])
def test_a_focal_variable_of_one_cluster_has_no_clustered_error(places, estimator, effects):
    """Its clusters' scores sum to zero, and are one: the error would be rounding, and the p-value 0."""
    data = places.assign(local=places["x"].where(places["state"] == "S03", 0.0))
    options = {"estimator": estimator, "fixed_effects": effects}
    found = specification_curve(data, "listed", "local", ["dummy"], cluster="state", **options)
    assert set(found["status"]) == {"varies through one cluster only: local"}
    assert found[["estimate", "std_error", "p_value"]].isna().all(axis=None)
    for fine in (
        specification_curve(data, "listed", "local", ["dummy"], **options),
        specification_curve(data, "listed", "x", ["local"], cluster="state", **options),
    ):
        assert set(fine["status"]) == {"ok"} and len(fine) == 2


def test_a_control_that_separates_has_no_number(places):
    data = places.assign(rule=((places["listed"] == 0) & (places["z1"] > 1)).astype(int))
    found = specification_curve(
        data, "listed", "x", ["dummy", "rule", "z2"], estimator="logit", cluster="state"
    )
    assert statuses(found, lambda names: "rule" in names) == ({"separated by rule"}, {"ok"})
    focal = specification_curve(data, "listed", "rule", ["dummy"], estimator="logit")
    assert set(focal["status"]) == {"separated by rule"}


def test_controls_that_separate_together_have_no_number(places):
    score = places["z1"] + places["z2"]
    data = places[(places["listed"] == 1) == (score > score.median())]
    found = specification_curve(
        data, "listed", "x", ["dummy", "z1", "z2"], estimator="logit", cluster="state"
    )
    assert statuses(found, lambda names: {"z1", "z2"} <= set(names)) == ({"separated"}, {"ok"})


def test_a_perfect_fit_has_no_error(places):
    data = places.assign(exact=2 * places["x"] - places["dummy"])
    found = specification_curve(data, "exact", "x", ["dummy", "share"], cluster="state")
    assert statuses(found, lambda names: "dummy" in names) == ({"perfect fit"}, {"ok"})


def test_too_few_rows_have_no_number():
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(5, 6)), columns=list("yxabcd"))
    found = specification_curve(data, "y", "x", list("abcd"))
    assert statuses(found, lambda names: len(names) >= 3) == ({"too few rows"}, {"ok"})


def test_all_specifications_use_the_rows_complete_in_every_variable(places):
    data = places.copy()
    data.loc[data.index[:9], "share"] = np.nan
    data.loc[data.index[5:12], "x"] = np.nan
    data.loc[data.index[20], "state"] = None
    found = specification_curve(data, "listed", "x", ["dummy", "share"], cluster="state")
    complete = data.dropna(subset=["listed", "x", "dummy", "share", "state"])
    assert set(found["n"]) == {len(complete)} == {len(data) - 13}
    expected = specification_curve(complete, "listed", "x", ["dummy", "share"], cluster="state")
    pd.testing.assert_frame_equal(found, expected)


def test_singleton_groups_stay_and_explain_nothing(places):
    data = places.copy()
    data["state"] = data["state"].where(np.arange(len(data)) >= 3, [f"only {i}" for i in range(len(data))])
    found = specification_curve(data, "listed", "x", ["dummy"], fixed_effects="state", cluster="state")
    alone = estimates(
        fit(Model("m", "listed", ("x", "dummy"), "lpm", fixed_effects="state", cluster="state"), data)
    )
    assert found.loc[1, "n"] == len(data)
    assert found.loc[1, "std_error"] == pytest.approx(alone.set_index("term").loc["x", "std_error"], rel=1e-8)


BAD = [
    ({"focal": "xx"}, "No column.*'xx'.*Nearest: 'x'"),
    ({"controls": ["dumy"]}, "named 'dumy'.*Nearest: 'dummy'"),
    ({"outcome": "listd"}, "no column 'listd'.*Nearest: 'listed'"),
    ({"cluster": "stat"}, "no column 'stat'.*Nearest: 'state'"),
    ({"fixed_effects": "stete"}, "no column 'stete'.*Nearest: 'state'"),
    ({"controls": ["dummy", "dummy"]}, "named twice"),
    ({"controls": ["x", "x"]}, "'x' is named twice"),
    ({"controls": 7}, "list of names, not 7"),
    ({"cluster": "lists"}, "'lists' .the cluster. holds values that are no labels"),
    ({"fixed_effects": "lists"}, "'lists' .a fixed effect. holds values that are no labels"),
    ({"fixed_effects": "listed"}, "'listed' is absorbed by the fixed effects: nothing to explain"),
    ({"outcome": "of_effects", "fixed_effects": ["state", "region"]}, "'of_effects' is absorbed"),
    ({"weights": "nothing"}, "'nothing' are 0 in every complete row"),
    ({"seed": "a", "sampled": 1}, "seed='a'"),
    ({"controls": ["listed"]}, "outcome 'listed' is among"),
    ({"focal": "listed"}, "outcome 'listed' is among"),
    ({"estimator": "probit"}, "No specification curve for the estimator 'probit'"),
    ({"estimator": "logit", "outcome": "number"}, "0 and 1"),
    ({"controls": ["region"]}, "holds no numbers"),
    ({"cluster": "all"}, "one cluster"),
    ({"controls": ["infinite"]}, "infinite"),
    ({"controls": ["empty"]}, "none of .* rows is complete"),
    ({"outcome": "always"}, "always 1"),
    ({"weights": "x"}, "negative"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[message for _, message in BAD])
def test_what_cannot_be_run_is_refused_by_name(places, change, message):
    data = places.assign(all="one", infinite=np.inf, empty=np.nan, always=1, nothing=0)
    data["lists"] = [[number] for number in range(len(data))]
    data["of_effects"] = pd.factorize(data["state"])[0] + 0.1 * pd.factorize(data["region"])[0]
    asked = {"outcome": "listed", "focal": "x", "controls": ["dummy"]} | change
    outcome, focal, controls = (asked.pop(name) for name in ("outcome", "focal", "controls"))
    with pytest.raises(ModelError, match=message):
        specification_curve(data, outcome, focal, controls, **asked)


def test_no_frame_is_refused():
    with pytest.raises(ModelError, match="not dict"):
        specification_curve({}, "y", "x", [])


def test_more_than_twenty_controls_are_refused_with_the_count(places):
    data = places.assign(**{f"c{j}": np.random.default_rng(j).normal(size=len(places)) for j in range(21)})
    names = [f"c{j}" for j in range(21)]
    with pytest.raises(ModelError, match=r"2,097,152 specifications.*sampled"):
        specification_curve(data, "listed", "x", names)
    found = specification_curve(data, "listed", "x", names, sampled=50, cluster="state")
    assert len(found) == 50 and found["controls"].is_unique and set(found["status"]) == {"ok"}
    numbers = [sum(1 << names.index(name) for name in row) for row in found["controls"]]
    assert numbers == sorted(numbers)
    for row in found.iloc[::10].itertuples():
        estimate, error = by_statsmodels(data, "listed", ("x", *row.controls), len(row.controls) + 2)
        assert row.estimate == pytest.approx(estimate, rel=1e-9)
        assert row.std_error == pytest.approx(error, rel=1e-7)
    again = specification_curve(data, "listed", "x", names, sampled=50, cluster="state")
    pd.testing.assert_frame_equal(found, again)
    other = specification_curve(data, "listed", "x", names, sampled=50, cluster="state", seed=1)
    assert other["controls"].tolist() != found["controls"].tolist()


@pytest.mark.parametrize("estimator", ["lpm", "logit"])
def test_a_sample_of_a_small_curve_is_part_of_it(places, estimator):
    options = {"estimator": estimator, "cluster": "state"}
    data = places.assign(always=1)
    controls = [*CONTROLS[:3], "always"]
    full = specification_curve(data, "listed", "x", controls, **options).set_index("controls")
    part = specification_curve(data, "listed", "x", controls, sampled=9, **options).set_index("controls")
    assert len(part) == 9
    expected = full.loc[part.index]
    assert part["status"].tolist() == expected["status"].tolist()
    np.testing.assert_allclose(part["estimate"], expected["estimate"], rtol=1e-8)


@pytest.mark.parametrize("sampled", [0, -1, 9, 2.5, True, "3"])
def test_a_sample_of_no_sense_is_refused(places, sampled):
    with pytest.raises(ModelError, match="sampled="):
        specification_curve(places, "listed", "x", CONTROLS[:3], sampled=sampled)


def test_no_controls_make_one_specification(places):
    found = specification_curve(places, "listed", "x", [], cluster="state")
    assert found["controls"].tolist() == [()] and found.loc[0, "status"] == "ok"


def test_a_group_of_the_catalogue_stands_for_its_variables(places):
    data = places.assign(has_287g=1.0 * (places["z1"] > 0), has_287g_2025_05_28=1.0 * (places["z2"] > 0))
    data = data.assign(agreements_287g=places["z3"], agreements_287g_2025_05_28=places["z4"])
    found = specification_curve(data, "listed", "x", ["dummy", "enforcement"], cluster="state")
    assert len(found) == 32 and len(found["controls"].iloc[-1]) == 5


def test_threads_change_no_byte(places, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    one = specification_curve(places, "listed", "x", CONTROLS, estimator="logit", cluster="state")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    two = specification_curve(places, "listed", "x", CONTROLS, estimator="logit", cluster="state")
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_the_examples_hold():
    tried = [doctest.testmod(module) for module in (curve, declaration, inference, lattice)]
    assert sum(each.attempted for each in tried) >= 6 and all(each.failed == 0 for each in tried)


def test_the_tree_and_the_drawn_subsets_are_one_computation():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(50, 8))
    columns /= np.linalg.norm(columns, axis=0)
    products = columns.T @ columns
    whole = np.concatenate([fits.coefficients for _, fits in lattice.every(products)], axis=1)
    drawn = np.concatenate(
        [fits.coefficients for _, fits in lattice.chosen(products, lattice.masks(6))], axis=1
    )
    assert whole.shape == (7, 64)
    np.testing.assert_allclose(whole, drawn, atol=1e-13)
    for number, chosen in enumerate(itertools.islice(lattice.masks(6), 5, 64, 9)):
        held = np.r_[True, chosen]
        expected = np.linalg.lstsq(columns[:, :7][:, held], columns[:, 7], rcond=None)[0]
        np.testing.assert_allclose(whole[held, 5 + 9 * number], expected, atol=1e-12)

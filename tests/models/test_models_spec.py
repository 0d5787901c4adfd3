"""A model is checked when it is made, and changing it makes a new one."""

import dataclasses

import pandas as pd
import pytest

from analysis.errors import ModelError
from analysis.models import Model, average_marginal_effects, fit, load_model, predicted_probabilities
from analysis.models.fitting import ESTIMATE, by_name
from analysis.models.spec import ESTIMATOR_NAMES, ESTIMATORS, declared_keys
from analysis.provenance import read_output, read_param
from tests.conftest import REPOSITORY

MAIN = Model("main", "is_listed", ["democratic_share", "log_population"], cluster="state")


def test_every_accepted_estimator_exists():
    assert set(ESTIMATE) == set(ESTIMATOR_NAMES) and len(ESTIMATE) > 0


def test_with_makes_a_new_model():
    wider = MAIN.with_(add=["median_age"], drop=["log_population"], name="wider", fixed_effects="state")
    assert wider.covariates == ("democratic_share", "median_age")
    assert (wider.name, wider.fixed_effects, wider.cluster) == ("wider", ("state",), "state")
    assert MAIN.covariates == ("democratic_share", "log_population") and MAIN.fixed_effects == ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        MAIN.outcome = "other"


def test_one_name_may_stand_for_a_list():
    assert Model("m", "y", "x").covariates == ("x",)
    assert MAIN.with_(add="median_age").covariates[-1] == "median_age"
    assert MAIN.with_(covariates=["a"], add=["b"]).covariates == ("a", "b")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"estimator": "logitt"}, "unknown estimator 'logitt'.*Nearest: 'logit'"),
        ({"estimator": "mixed_logits"}, "unknown estimator 'mixed_logits'.*Nearest: 'mixed_logit'"),
        ({"estimator": "mixed_logit"}, "needs random_intercept"),
        ({"level": "town"}, "unknown level 'town'"),
        ({"covariate": ["x"]}, "no field 'covariate'.*Nearest: 'covariates'"),
        ({"drop": ["log_populaton"]}, "'log_populaton' cannot be dropped.*Nearest: 'log_population'"),
        ({"add": ["log_population"]}, "'log_population' is named twice"),
        ({"add": ["is_listed"]}, "outcome 'is_listed' is among"),
        ({"add": ["is_listed:log_population"]}, "outcome 'is_listed' is among"),
        ({"random_intercept": "state"}, "random_intercept='state'"),
        ({"estimator": "firth", "weights": "population"}, "firth takes no weights"),
        ({"cluster": ["state"]}, "cluster must be text or None"),
        ({"outcome": ""}, "outcome must be a name"),
        ({"covariates": [1]}, "covariates must hold names"),
        ({"covariates": 5}, "covariates must be a list"),
    ],
)
def test_what_is_wrong_is_said(change, message):
    with pytest.raises(ModelError, match=message):
        MAIN.with_(**change)


@pytest.fixture
def params(tmp_path, monkeypatch):
    def write(text: str) -> None:
        (tmp_path / "params.yaml").write_text(text, encoding="utf-8")

    monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path))
    return write


def test_load_model_reads_params(params):
    params(
        "models:\n  main:\n    outcome: is_listed\n    covariates: [a, 'a:b']\n    estimator: logit\n"
        "    level: county\n    cluster: state\n    fixed_effects: [state]\n    sample: 'b > 0'\n"
    )
    assert load_model("main") == Model(
        "main", "is_listed", ("a", "a:b"), cluster="state", fixed_effects=("state",), sample="b > 0"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: {main: {outcome: y, covariates: [x]}}", "no model 'mian'.*Nearest: 'main'"),
        ("models: [main]", "must be a mapping"),
        ("models: {mian: [x]}", "must be a mapping of fields"),
        ("models: {mian: {outcome: y, covariates: [x], clusters: s}}", "'clusters'.*Nearest: 'cluster'"),
        ("models: {mian: {covariates: [x]}}", "lacks the field 'outcome'"),
        ("models: {mian: {outcome: y, covariates: [x], estimator: probit}}", "unknown estimator 'probit'"),
        ("other: 1", "no model 'mian'"),
    ],
)
def test_load_model_says_what_is_wrong(params, text, message):
    params(text)
    with pytest.raises(ModelError, match=message):
        load_model("mian")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("other: 1", "`spatial` must be a mapping with draws, seed"),
        ("spatial: [1]", "`spatial` must be a mapping"),
        ("spatial: {draws: 1, sead: 2}", "no key 'sead'.*Nearest: 'seed'"),
        ("spatial: {draws: 1}", "spatial lacks seed"),
    ],
)
def test_a_part_of_params_has_just_its_keys(params, text, message):
    params("spatial: {draws: 1, seed: 2}")
    assert declared_keys("spatial", ("draws", "seed")) == {"draws": 1, "seed": 2}
    params(text)
    with pytest.raises(ModelError, match=message):
        declared_keys("spatial", ("draws", "seed"))


def test_only_wide_models_take_groups_and_none_of_their_inference_is_published(monkeypatch):
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    models, named = read_param("models"), by_name(read_param("models"))
    assert set(models) - set(named) == {"wide", "wide_listed_states", "wide_other_states"} and len(named) > 30
    for name in ("inference", "influence", "contrasts", "surface", "marginal_effects"):
        written = set(read_output(f"{name}.csv")["model"])
        assert written and written <= set(named)
    assert set(read_output("estimates.csv")["model"]) == set(models)


def test_an_estimator_that_declares_no_response_has_no_effects(monkeypatch):
    data = pd.DataFrame({"x": [1.0, 2, 3, 4, 5, 6], "y": [0, 0, 1, 0, 1, 1]})
    found = fit(Model("m", "y", ["x"], estimator="lpm"), data)
    monkeypatch.setitem(ESTIMATORS, "lpm", ESTIMATORS["lpm"]._replace(response=None))
    for ask in (average_marginal_effects, predicted_probabilities):
        with pytest.raises(ModelError, match="a lpm has no probabilities to average, no `response`"):
            ask(found, data)

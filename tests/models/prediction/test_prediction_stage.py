"""The stage's tables: what was committed, the improbable entries, the models that params.yaml specifies."""

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis import checks
from analysis.errors import DataError, ModelError
from analysis.ledger import codes_of
from analysis.models import Model
from analysis.models.cluster import clustered_covariance, sum_by_cluster
from analysis.models.prediction import leave_one_state_out, predict_held_out
from analysis.models.prediction.documented import documented
from analysis.models.prediction.improbable import (
    COLUMNS,
    REASONS,
    improbable_table,
    limits,
    reasons,
    shares_a_name,
    standard_errors,
)
from analysis.models.prediction.justice import dropped_table
from analysis.models.prediction.specification import BASELINES, baselines, load_prediction
from analysis.models.prediction.stage import judged
from analysis.panel import load_panel
from analysis.provenance import read_output, read_param
from benchmarks import prediction as benchmark
from tests.conftest import REPOSITORY


@pytest.fixture
def _committed(monkeypatch):
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))


@pytest.fixture
def improbable(_committed):
    return read_output("improbable.csv")


def test_improbable_entries_have_their_states_held_out(improbable):
    assert tuple(improbable.columns) == COLUMNS
    model, _ = load_prediction("county")
    own = improbable[(improbable["vintage"] == "dhs-2025-05-31") & (improbable["unit"] == "county")]
    entries = own[own["is_listed"] == 1].set_index("geoid")
    panel = load_panel("county")
    assert set(entries.index) == set(panel.index[panel["is_listed"] == 1]) and len(entries) == 408
    expected = leave_one_state_out(model, panel)[entries.index]
    np.testing.assert_allclose(entries["probability"], expected, rtol=1e-6)
    assert ((entries["conf_low"] < entries["probability"]) & (entries["probability"] < entries["conf_high"]))[
        expected.notna()
    ].all()
    ranked = entries.dropna(subset="rank").sort_values("rank")
    assert ranked["probability"].is_monotonic_increasing and ranked["rank"].tolist() == list(
        range(1, len(ranked) + 1)
    )
    absences = own[own["is_listed"] == 0].sort_values("rank")
    assert len(absences) == 408 and absences["probability"].is_monotonic_decreasing
    assert not set(absences["geoid"]) & set(entries.index)


def test_reasons_are_those_of_the_data(improbable):
    own = improbable[improbable["vintage"] == "dhs-2025-05-31"].set_index("geoid")
    codes = own["reasons"].fillna("").str.split(";")
    assert set(codes.explode()) - {""} <= set(REASONS) and codes.str.len().max() > 1
    panel = load_panel("county")
    counties = own[own["unit"] == "county"]
    for geoid, row in counties.iterrows():
        named, unit = set(str(row["reasons"]).split(";")), panel.loc[geoid]
        assert ("vote_below_half" in named) == (row["is_listed"] == 1 and unit["democratic_share_2024"] < 0.5)
        assert ("many_residents" in named) == (row["is_listed"] == 0 and unit["population"] >= 100_000)
        assert ("no_prediction" in named) == bool(pd.isna(row["probability"]))
        if "agreement_on_the_day" in named:
            assert unit["has_287g_2025_05_28"] == 1 or row["is_listed"] == 0
    assert "few_residents" in codes["31005"]  # Arthur County, Nebraska
    assert (
        "agreement_on_the_day" in own[own["unit"] == "state"].loc["25", "reasons"]
    )  # its prisons' department


def test_limits_are_wider_with_fewer_states_and_clustered(frame):
    model = Model("m", "listed", ["x", "dummy"])
    low, high = limits(predict_held_out(model, frame))
    few = frame[frame["state"] < "S08"]
    low_few, high_few = limits(predict_held_out(model, few))
    assert np.isfinite(low).all() and (low < high).all()
    assert (high_few - low_few).mean() > 1.3 * (high - low).mean()


def test_standard_errors_of_predictions_are_those_of_the_covariance():
    draw = np.random.default_rng(4)
    X, weights = draw.normal(size=(60, 4)), draw.uniform(0.1, 1, 60)
    wanted, scores, codes = draw.normal(size=(7, 4)), draw.normal(size=(60, 4)), np.arange(60) % 9
    bread = np.linalg.inv((X * weights[:, None]).T @ X)
    sandwich = clustered_covariance(bread, scores, codes)
    for covariance, sums in ((bread, None), (sandwich, sum_by_cluster(scores, codes))):
        due = np.sqrt(np.einsum("nk,kl,nl->n", wanted, covariance, wanted))
        np.testing.assert_allclose(standard_errors(wanted, X, weights, sums), due, rtol=1e-12)
    assert np.isnan(standard_errors(wanted, X, np.zeros(60))).all(), "certain of every row"


def test_what_cannot_be_predicted_stays_in_the_table(frame):
    panel = frame.assign(name="Some County", county_geoid="", population=9e4).astype({"x": float})
    hole = panel.index[panel["listed"] == 1][0]
    panel.loc[hole, "x"] = np.nan
    names = pd.DataFrame({"code": ["99999"], "level": ["county"], "state": ["ZZ"], "bare": ["some"]})
    found = predict_held_out(Model("m", "listed", ["x"]), panel)
    table = improbable_table(found, panel, "a list", names, {hole}).set_index("geoid")
    assert (table["is_listed"] == 1).sum() == panel["listed"].sum()
    assert table.loc[hole, "reasons"] == "agreement_on_the_day;name_shared;no_prediction"
    assert pd.isna(table.loc[hole, "rank"]) and pd.isna(table.loc[hole, "probability"])


def test_each_reason_is_told_of_the_rows_that_it_fits():
    """Five listed units and four that are not, each with one thing to tell, beside one of each with none."""
    told = ["vote_below_half", "few_residents", "state_law_against", "state_law_against", ""]
    told += ["vote_above_half", "many_residents", "state_law_for", ""]
    panel = pd.DataFrame(
        {
            "democratic_share_2024": [0.49, 0.5, 0.7, 0.7, 0.7, 0.51, 0.5, 0.3, 0.3],
            "population": [5_000, 4_999, 5_000, 200_000, 5_000, 99_999, 100_000, 10, 4_000],
            "has_law_mandating_cooperation": [0, 0, 1, 0, 0, 0, 0, 0, 1],
            "has_law_forbidding_sanctuary": [0, 0, 0, 1, 0, 0, 0, 0, 1],
            "has_law_limiting_cooperation": [1, 0, 0, 0, 1, 0, 0, 1, 0],
        },
        index=[f"{code:05d}" for code in range(9)],
    )
    table = pd.DataFrame({"is_listed": [1] * 5 + [0] * 4, "probability": 0.5}, index=panel.index)
    names = pd.DataFrame({"code": [], "level": [], "state": [], "bare": []})
    assert reasons(table, panel, names, ()) == told


def test_subdivisions_hide_no_entry_that_comes_after_them():
    units = ["county"] * 3 + ["cousub"] * 2 + ["place"] * 3
    table = pd.DataFrame(
        {
            "vintage": "a list",
            "unit": units,
            "geoid": [f"{number:05d}" for number in range(8)],
            "is_listed": 1,
            "probability": np.linspace(0.1, 0.8, 8),
        }
    )
    vote = pd.Series(np.linspace(0.3, 0.6, 8), table["geoid"]).rename("democratic_share_2024")
    doubtful = pd.DataFrame({"kind": "removed", "code": ["00001", "00006"]})
    found = judged(
        table, doubtful, dict.fromkeys(["county", "place", "state"], vote.to_frame()), "the main list"
    )
    assert found.groupby("level")["entries"].first().to_dict() == {"county": 3, "place": 3}


def test_a_name_is_shared_with_another_listed_government():
    names = pd.DataFrame(
        [("0636000", "place", "CA", "springfield"), ("17167", "county", "IL", "tazewell")],
        columns=["code", "level", "state", "bare"],
    )
    units = pd.DataFrame(
        {
            "name": ["Tazewell County", "Tazewell County", "Tazewell town", "Springfield city"],
            "state": ["IL", "VA", "IL", "CA"],
            "county_geoid": "",
        },
        index=["17167", "51185", "1700001", "0636000"],
    )
    assert shares_a_name(units, names).tolist() == [False, True, True, False]


def test_the_models_of_params_follow_the_as_of_rule(_committed):
    entries = read_param("prediction")
    assert {"county", "place", "state"} <= set(entries)
    rows = checks.check_as_of(checks.held_out_models(entries), read_param("as_of_before"))
    assert len(rows) == len(entries) and {row.status for row in rows} == {"pass"}
    late = {"late": {"outcome": "is_listed", "blocks": {"b": list(BASELINES["listed_state_alone"])}}}
    (row,) = checks.check_as_of(checks.held_out_models(late), read_param("as_of_before"))
    assert row.status == "fail"
    for name, entry in entries.items():
        model, blocks = load_prediction(name)
        assert (
            model.covariates == tuple(each for part in blocks.values() for each in part) and entry["outcome"]
        )
    assert set(baselines(model, ["democratic_share_2024"])) == {"base_rate", "vote_alone"}
    with pytest.raises(ModelError, match="Nearest: 'county'"):
        load_prediction("conty")


@pytest.mark.parametrize(
    ("entry", "error", "message"),
    [
        ({"outcome": "is_listed"}, DataError, "'prediction' is not as it should be"),
        ({"blocks": {"a": ["population"]}}, ModelError, "lacks the field 'outcome'"),
        (
            {"outcome": "is_listed", "blocks": {"a": ["population"]}, "leve": "place"},
            ModelError,
            "Nearest: 'level'",
        ),
    ],
)
def test_a_prediction_that_is_badly_specified_is_refused(project, entry, error, message):
    file = project / "params.yaml"
    params = yaml.safe_load(file.read_text())
    params["prediction"] = {"county": entry}
    file.write_text(yaml.safe_dump(params))
    with pytest.raises(error, match=message):
        load_prediction("county")


def test_documented_entries_are_those_of_audit_press_and_printings(_committed):
    table = read_output("improbable_documented.csv", as_text=True)
    by_kind = table.groupby("kind")["code"].apply(set)
    assert {"55115", "08045", "0636000"} <= by_kind["documented error"]
    assert {"08041", "08123", "37189", "0804000"} == by_kind["removed"]
    nebraska = {code for code in by_kind["disputed"] if code.startswith("31")}
    assert len(nebraska) == 10  # the counties without a jail of their own
    assert not {code for code in by_kind["disputed"] if code.startswith("53") and len(code) == 5} - {"53041"}
    ledger = read_output("jurisdictions.csv", as_text=True)
    ledger = ledger.assign(needs_review=ledger["needs_review"] == "true")
    nothing = pd.DataFrame(
        columns=["vintage", "level", "state_abbr", "name_as_published", "note", "n_sources"], dtype="str"
    )
    audit, changes = (read_output(name, as_text=True) for name in ("entry_audit.csv", "vintages.csv"))
    alone = documented(ledger, audit, nothing, changes, "dhs-2025-05-31")
    assert set(alone["kind"]) == {"documented error", "removed"} and len(codes_of(ledger)) > 1000


def test_who_was_dropped_is_counted():
    panel = pd.DataFrame(
        {
            "name": ["A", "B", "C"], "state": ["X", "X", "Y"], "is_listed_one": [1, 1, 0], "is_listed_two": [1, 0, 1],
            "population": [10.0, 20.0, 30.0],
        }
    )  # fmt: skip
    table = dropped_table({"county": panel}, "one", "two").set_index("status")
    assert table["units"].tolist() == [1, 1, 1] and table.loc["dropped", "names"] == "B, X"
    assert table.loc["added", "median_population"] == 30


def test_the_committed_tables_say_what_the_page_says(_committed):
    metrics = read_output("prediction_metrics.csv").set_index(["prediction", "model", "scheme", "metric"])
    auc = [
        metrics.loc[("county_local", "model", scheme, "auc"), "estimate"]
        for scheme in ("in sample", "leave one state out")
    ]
    assert 0.75 < auc[0] < 0.83 and 0.65 < auc[1] < 0.75  # the order of the first look
    states = read_output("prediction_states.csv").set_index(["level", "state"])
    assert states.loc[("county", "DC"), "kind"] == "all listed, one row"
    assert (states.loc["county", "kind"] == "none listed").sum() >= 20
    importance = read_output("prediction_importance.csv")
    assert importance["note"].fillna("").str.startswith("n/a").any() and len(importance) > 50
    errors = read_output("list_error.csv")
    assert errors["scenario"].nunique() == 5 and errors["headline"].nunique() >= 5


def test_the_benchmark_holds_its_bounds():
    table = pd.read_csv(REPOSITORY / "benchmarks" / "prediction.csv").set_index("model")
    assert len(table) >= 3
    bound = table.loc[list(benchmark.BOUND)]
    assert (bound["times_as_fast"] >= benchmark.LEAST_RATIO).all() and benchmark.LEAST_RATIO == 8
    assert (table.drop(index="place")["largest_difference"] < 1e-10).all()

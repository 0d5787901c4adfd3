"""What is misspelt suggests the nearest, what is missing says how much and where, what is new where it goes."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis import catalogue
from analysis.errors import AnalysisError, DataError, MissingValueWarning, ModelError, nearest
from analysis.models import Model, average_marginal_effects, fit, load_model, wild_cluster_bootstrap
from analysis.models.multiverse import specification_curve
from analysis.models.prediction import leave_one_state_out
from analysis.panel import load_panel, read_source
from analysis.provenance import raw_file
from tests.conftest import REPOSITORY


@pytest.fixture(autouse=True)
def _repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    frame = pd.DataFrame({"median_age": rng.normal(40, 5, 300), "log_population": rng.normal(10, 1, 300)})
    frame["is_listed"] = (rng.random(300) < 0.4).astype(int)
    return frame.assign(state=np.repeat(["AK", "CT", "IL", "TX", "NY", "CA"], 50), weight=1.0)


MAIN = Model("main", "is_listed", ["median_age"], cluster="state")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"add": ["median_agee"]}, "Nearest: 'median_age'."),
        ({"add": ["Log Population"]}, "Nearest: 'log_population'."),
        ({"add": ["demografy"]}, "Nearest: 'demography'."),
        ({"add": ["median_age:log_populaton"]}, "Nearest: 'log_population'."),
        ({"outcome": "is_listd"}, "(the outcome). Nearest: 'is_listed'."),
        ({"cluster": "stat"}, "(the cluster). Nearest: 'state'."),
        ({"weights": "weigth"}, "(the weights). Nearest: 'weight'."),
        ({"estimator": "lpm", "fixed_effects": "sate"}, "(a fixed effect). Nearest: 'state'."),
        ({"estimator": "mixed_logit", "random_intercept": "statee"}, "Nearest: 'state'."),
        ({"sample": "stte == 'IL'"}, "Nearest: 'state'."),
        ({"sample": "state == 'Illinois'"}, "The column 'state' never holds 'Illinois'. Nearest: 'IL'."),
        ({"sample": "state = 'IL'"}, "Equality is written ==."),
        ({"sample": "state == "}, "Write it as \"state == 'IL'"),
    ],
)
def test_a_misspelt_name_of_a_model_is_answered_by_the_nearest(
    changes: dict, said: str, data: pd.DataFrame
) -> None:
    with pytest.raises(ModelError) as caught:
        fit(MAIN.with_(**changes), data)
    assert said in str(caught.value)


def test_other_names_are_too(data: pd.DataFrame) -> None:
    found = fit(MAIN, data)
    tries = {
        "'logit'": lambda: MAIN.with_(estimator="logti"),
        "'county'": lambda: MAIN.with_(level="conty"),
        "'cluster'": lambda: MAIN.with_(clusters="state"),
        "'main'": lambda: load_model("mian"),
        "'place'": lambda: load_panel("places"),
        "'state'": lambda: catalogue.load_catalogue("states"),
        "'demography'": lambda: catalogue.group_members("demographics"),
        "'sd'": lambda: average_marginal_effects(found, data, per="sds"),
        "'median_age'": lambda: wild_cluster_bootstrap(found, data, "median_ages"),
        "'lpm'": lambda: specification_curve(data, "is_listed", "median_age", [], estimator="lmp"),
        "'log_population'": lambda: specification_curve(data, "is_listed", "median_age", ["log_pop"]),
        "'dhs-2025-05-31'": lambda: raw_file("lists", "DHS-2025.05.31", "listings.csv"),
        "'votes'": lambda: read_source("vote/2024", "county"),
    }
    for near, attempt in tries.items():
        with pytest.raises(AnalysisError) as caught:
            attempt()
        assert f"Nearest: {near}" in str(caught.value), str(caught.value)
    assert len(tries) > 10


def test_an_unknown_column_says_where_to_declare_it(data: pd.DataFrame) -> None:
    with pytest.raises(ModelError) as caught:
        fit(MAIN.with_(add=["zzz_share"]), data)
    said = str(caught.value)
    assert "one line of analysis/variables.yaml" in said and "`dvc repro`" in said and "data.assign(" in said
    assert all(f"{key}: ..." in said for key in catalogue.REQUIRED)
    with pytest.raises(
        ModelError, match=r"is declared in analysis/variables.yaml for the level place: .*'place'"
    ):
        fit(MAIN.with_(add=["nonhispanic_white_share"]), data)
    with pytest.raises(ModelError, match=r"holds columns that the data lack: .*load_panel\('county'\)"):
        fit(MAIN.with_(add=["economy"]), data)


def test_missing_values_are_counted_by_column_and_state(data: pd.DataFrame) -> None:
    gaps = data.copy()
    gaps.loc[[0, 1, 2, 50], "median_age"] = np.nan
    gaps.loc[[2, 299], "is_listed"] = np.nan
    told = r"5 of 300 rows left out for missing values: median_age \(4\) in AK 3, CT 1; is_listed \(2\) in AK 1, CA 1"
    with pytest.warns(MissingValueWarning, match=told):
        found = fit(MAIN, gaps)
    assert len(found.dropped) == 5 and found.n == 295 and found.missing.startswith("5 of 300")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit(MAIN, data).missing == ""
    empty = gaps.assign(median_age=np.nan)
    for attempt in (fit, leave_one_state_out):
        with pytest.raises(
            ModelError, match=r"median_age \(300\) in AK 50, CA 50, CT 50, IL 50, NY 50, TX 50"
        ):
            attempt(MAIN, empty)
    many = gaps.assign(state=[f"S{at % 9}" for at in range(300)], median_age=np.nan)
    with pytest.raises(ModelError, match="and 3 states more"):
        fit(MAIN, many)


def test_a_warning_points_at_the_line_of_the_user(data: pd.DataFrame) -> None:
    with pytest.warns(MissingValueWarning) as caught:
        fit(MAIN, data.mask(data["median_age"] > 45))
    assert [warned.filename for warned in caught] == [__file__]


def test_the_nearest_is_found_whatever_the_capitals() -> None:
    known = ["median_age", "population", "dhs-2025-05-31"]
    assert nearest("Median Age", known) == " Nearest: 'median_age'."
    assert nearest("dhs_2025_05_31", known) == " Nearest: 'dhs-2025-05-31'."
    assert nearest("zzzz", known) == f" Known: {', '.join(known)}."
    assert nearest("zzzz", map(str, range(13))) == "" and nearest("x", []) == ""


@pytest.mark.parametrize("named", ["nowhere", ""])
def test_no_data_says_how_to_set_the_root(named: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis import provenance

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "site-packages" / "provenance.py"))
    if named:
        monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path / named))
    else:
        monkeypatch.delenv("ANALYSIS_ROOT")
    with pytest.raises(
        DataError, match=r"set ANALYSIS_ROOT to the folder of a clone.*`export ANALYSIS_ROOT="
    ):
        load_panel()

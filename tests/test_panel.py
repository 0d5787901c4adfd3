"""Panels on small frames: joins, inheritance, formulas of formulas, and what goes wrong by name."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.catalogue import LEVELS, Variable, load_catalogue
from analysis.errors import DataError
from analysis.panel import build, describe_join, load_panel, read_source, why_no_unit
from tests.conftest import REPOSITORY, record

UNITS = pd.DataFrame(
    {
        "name": ["A", "B", "C"],
        "state": ["AL", "AL", "CT"],
        "state_geoid": ["01", "01", "09"],
        "county_geoid": ["01001", "01003", "09110"],
        "kind": "county",
        "cautions": "",
    },
    index=pd.Index(["01001", "01003", "09110"], name="geoid"),
)
TABLE = pd.DataFrame({"x": [1.0, 2.0, 9.0], "y": [2.0, 0.0, 9.0]}, index=["01001", "01003", "09001"])


def variable(name: str, formula: str, source: str = "acs/x", **changes: object) -> Variable:
    base = {
        "label": name,
        "unit": "count",
        "group": "size",
        "as_of": datetime.date(2023, 1, 1),
        "range": (0.0, 9.0),
        "level": "county",
    }
    return Variable(name=name, formula=formula, source=source, **(base | changes))


def built(*variables: Variable, above: dict | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    return build(UNITS, {v.name: v for v in variables}, lambda source: TABLE, above or {})


@pytest.mark.fault("F81")
def test_units_without_a_row_stay_and_are_counted() -> None:
    panel, joins = built(variable("ratio", "x / y"))
    np.testing.assert_allclose(panel["ratio"], [0.5, np.nan, np.nan])
    (row,) = joins.to_dict("records")
    assert (row["units"], row["rows"], row["matched"]) == (3, 3, 2)
    assert (row["units_without_row"], row["rows_without_unit"]) == (1, 1)
    assert row["reasons"] == "an old county of Connecticut: 1"


def test_variables_of_variables_in_any_order() -> None:
    panel, _ = built(variable("double", "2 * one", "derived"), variable("one", "x"))
    assert panel["double"].tolist()[:2] == [2.0, 4.0]


def test_a_value_is_inherited_from_the_state() -> None:
    states = pd.DataFrame({"law": [1.0, 0.0]}, index=["01", "09"])
    panel, _ = built(variable("law", "z", inherited_from="state"), above={"state": states})
    assert panel["law"].tolist() == [1.0, 1.0, 0.0]


def test_a_circle_is_named() -> None:
    with pytest.raises(DataError, match="a -> b -> a"):
        built(variable("a", "b", "derived"), variable("b", "a", "derived"))


def test_an_unknown_column_is_named_with_the_nearest() -> None:
    with pytest.raises(DataError, match=r"'poplation'.*Nearest: 'population'"):
        built(variable("population", "x"), variable("log_population", "log(poplation)", "derived"))


def test_a_margin_that_is_not_published_and_a_text_column_are_named() -> None:
    with pytest.raises(DataError, match="publishes no margin 'z'"):
        built(variable("a", "x", margin="z"))
    text = TABLE.assign(x="a word")
    with pytest.raises(DataError, match="'x' of acs/x is text"):
        build(UNITS, {"a": variable("a", "x")}, lambda source: text, {})


@pytest.mark.fault("F66")
def test_a_source_that_repeats_a_unit_is_refused() -> None:
    doubled = pd.concat([TABLE, TABLE])
    with pytest.raises(DataError, match="01001 twice"):
        build(UNITS, {"a": variable("a", "x")}, lambda source: doubled, {})


@pytest.mark.fault("F39", "F42", "F57")
def test_reasons_for_rows_without_a_unit() -> None:
    assert why_no_unit("72001") == "a territory"
    assert why_no_unit("02261") == "a retired county code"
    assert why_no_unit("09001") == "an old county of Connecticut"
    assert describe_join(UNITS, TABLE.iloc[:0], "none")["matched"] == 0


@pytest.mark.parametrize("level", LEVELS)
def test_the_committed_panel_is_what_the_contract_says(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    panel = load_panel(level)
    assert panel.index.name == "geoid" and panel.index.is_unique and panel.index.is_monotonic_increasing
    assert {"name", "state", *load_catalogue(level)} <= set(panel.columns)
    assert len(panel) == {"county": 3144, "state": 51}.get(level, len(panel))
    assert set(panel.index.str.len()) == {"county": {5}, "place": {7, 10}, "state": {2}}[level]
    outcomes = [name for name, v in load_catalogue(level).items() if v.group == "outcome"]
    assert len(outcomes) > 4
    assert all(set(panel[name].unique()) <= {0.0, 1.0} for name in outcomes)


def test_facts_of_the_main_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    counties = load_panel("county")
    listed = counties["is_listed"] == 1
    assert counties["is_listed"].equals(counties["is_listed_dhs_2025_05_31"])
    assert listed.sum() == 408 and counties["is_listed_as_county_dhs_2025_05_31"].sum() == 392
    by_state = counties.groupby("state")["is_listed_as_county_dhs_2025_05_31"].sum()
    assert (by_state["IL"], by_state["MA"], by_state["WA"]) == (96, 13, 35)
    assert by_state[["CT", "RI", "VT"]].sum() == 0
    inside = counties["is_in_listed_state"] == 1
    assert counties.loc[inside, "is_listed_as_county_dhs_2025_05_31"].sum() == 293
    assert counties.loc[["36005", "36047", "36061", "36081", "36085"], "is_listed"].sum() == 0
    assert counties.loc[["02020", "11001", "15003", "20045", "24510"], "is_listed"].sum() == 5
    assert (counties.loc[listed, ["has_287g", "has_287g_2025_05_28"]] == 0).all(axis=None)
    assert counties["is_listed_as_county_doj_2025_08_05"].sum() == 4
    connecticut = counties[counties["state"] == "CT"]
    assert len(connecticut) == 9 and connecticut["democratic_share_2020"].isna().all()
    assert (connecticut["cautions"] == "connecticut_planning_region").all()


def test_an_unknown_panel_and_a_panel_not_built(project: object) -> None:
    with pytest.raises(DataError, match="Nearest: 'county'"):
        load_panel("conty")
    with pytest.raises(DataError, match="make repro"):
        load_panel("county")


def test_a_plain_table_needs_no_reader(project: Path) -> None:
    folder = project / "data" / "raw" / "libraries" / "2024"
    folder.mkdir(parents=True)
    (folder / "county.csv").write_text(
        "GEOID,NAME,LIBRARIES\n17031,Cook,7\n01001,Autauga,\n", encoding="utf-8"
    )
    origin = dict.fromkeys(("publisher", "title", "url", "retrieved", "licence", "obtained"), "x")
    origin |= {"as_of": "2024-12-31", "files": {"county.csv": {"sha256": "", "rows": 2}}}
    (folder / "origin.yaml").write_text(yaml.safe_dump(origin), encoding="utf-8")
    record(folder / "county.csv")
    table = read_source("libraries/2024", "county")
    assert table.index.tolist() == ["01001", "17031"] and list(table) == ["LIBRARIES"]
    assert table.loc["17031", "LIBRARIES"] == 7 and np.isnan(table.loc["01001", "LIBRARIES"])
    with pytest.raises(DataError, match=r"place\.csv.*not both present and recorded"):
        read_source("libraries/2024", "place")
    with pytest.raises(DataError, match=r"no source 'libraries/2023'.*data/raw/<name>/<vintage>"):
        read_source("libraries/2023", "county")
    (folder / "county.csv").write_text(
        "GEOID,NAME,LIBRARIES\n17031,Cook,many\n1001,Autauga,\n", encoding="utf-8"
    )
    record(folder / "county.csv")
    with pytest.raises(DataError, match=r"'1001' is not a code.*lost its leading zero"):
        read_source("libraries/2024", "county")
    (folder / "county.csv").write_text(
        "GEOID,NAME,LIBRARIES\n17031,Cook,many\n01001,Autauga,\n", encoding="utf-8"
    )
    record(folder / "county.csv")
    with pytest.raises(DataError, match=r"line 2, column 'LIBRARIES': 'many' is not a figure"):
        read_source("libraries/2024", "county")

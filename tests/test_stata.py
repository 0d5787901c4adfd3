"""Files of Stata hold what the tables hold, under names that Stata takes."""

from __future__ import annotations

import datetime
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import __main__ as command_line
from analysis import downloads
from analysis.downloads import Table, fields, typed, units
from analysis.provenance import read_output
from analysis.stata import LONGEST_NAME, TAKEN, short_names, stata_bytes
from tests.conftest import REPOSITORY

DAY = datetime.date(2026, 1, 2)


def read(content: bytes) -> tuple[pd.DataFrame, dict[str, str], str]:
    with pd.read_stata(io.BytesIO(content), iterator=True) as reader:
        return reader.read(), reader.variable_labels(), reader.data_label


def test_every_kind_of_column_comes_back() -> None:
    long = "log_grant_awards_fy2022_usd_per_resident"
    frame = pd.DataFrame(
        {
            "geoid": ["01001", "", "é" * 3000],
            "whole": pd.array([1, 2, 3], "Int64"),
            "gaps": pd.array([1, None, 3], "Int64"),
            "large": pd.array([2**40, 1, 2], "Int64"),
            long: [0.1, np.nan, np.inf],
            "flag": pd.array([True, None, False], "boolean"),
            "day": pd.array([DAY, None, DAY], "object"),
        }
    )
    frame["day"] = pd.to_datetime(frame["day"]).astype("datetime64[ns]").astype("date32[pyarrow]")
    content = stata_bytes(frame, {long: "Awards", "geoid": "Census code"}, "A title " * 20, DAY)
    assert content == stata_bytes(frame, {long: "Awards", "geoid": "Census code"}, "A title " * 20, DAY)
    back, labels, title = read(content)
    short = short_names(frame.columns)[long]
    assert list(back) == ["geoid", "whole", "gaps", "large", short, "flag", "day"]
    assert back["geoid"].tolist() == ["01001", "", "é" * 3000]
    assert back["whole"].tolist() == [1, 2, 3] and back["large"].tolist() == [2**40, 1, 2]
    assert back["gaps"].isna().tolist() == [False, True, False]
    assert back[short].iloc[0] == 0.1 and back[short].isna().tolist() == [False, True, True]
    assert back["flag"].fillna(-1).tolist() == [1, -1, 0]
    assert back["day"].dt.date.tolist()[0] == DAY and back["day"].isna().tolist() == [False, True, False]
    assert labels[short] == f"{long}: Awards" and labels["geoid"] == "Census code"
    assert title == ("A title " * 20)[:80]


@given(st.lists(st.text(min_size=0, max_size=60), unique=True, max_size=12))
def test_names_are_short_distinct_and_taken_by_stata(names: list[str]) -> None:
    short = list(short_names(names).values())
    assert len({name.casefold() for name in short}) == len(names)
    for name in short:
        assert 0 < len(name) <= LONGEST_NAME and name not in TAKEN
        assert name.isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit()


def table(name: str) -> Table:
    """A table of the project as it is given out, without reading the others."""
    cells = units(name) if name == "panel_state" else read_output(f"{name}.csv", as_text=True)
    return Table(name, name, cells, fields(cells, {}, frozenset({"geoid", "value", "expected"})))


@pytest.mark.parametrize("name", ["panel_state", "checks", "estimates", "county_287g"])
def test_a_table_of_the_project_comes_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    frame = typed(table(name))
    back, _, _ = read(stata_bytes(frame, {}, name, DAY))
    assert back.shape == frame.shape and len(frame) > 40
    for column, short in short_names(frame.columns).items():
        if pd.api.types.is_numeric_dtype(frame[column].dtype):
            expected = frame[column].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
            assert np.allclose(back[short], np.where(np.isfinite(expected), expected, np.nan), equal_nan=True)
        elif pd.api.types.is_string_dtype(frame[column].dtype):
            assert back[short].tolist() == frame[column].fillna("").tolist()


def test_export_writes_them_described(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    monkeypatch.setattr(downloads, "tables", lambda: iter([table("estimates")]))
    assert command_line.main(["export", "--format", "stata", "--to", str(tmp_path), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert files == [str(tmp_path / "estimates.dta"), str(tmp_path / "datapackage.json")]
    (resource,) = json.loads((tmp_path / "datapackage.json").read_text(encoding="utf-8"))["resources"]
    assert resource["name"] == "estimates-stata" and resource["path"] == "estimates.dta"
    assert resource["format"] == "dta" and resource["rows"] == len(read_output("estimates.csv"))
    shown = pd.read_stata(tmp_path / "estimates.dta")
    assert shown["term"].tolist() == read_output("estimates.csv")["term"].tolist()

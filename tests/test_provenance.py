"""Where files are, what is written, and that nothing is half-written."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import DataError
from analysis.provenance import raw_file, read_output, read_param, root, vintages
from analysis.writing import replacing, round_significant, write_csv, write_parquet
from tests.conftest import REPOSITORY


@pytest.mark.fault("F85", "F73")
def test_every_raw_file_has_an_origin_and_its_checksum() -> None:
    checked = 0
    for folder in sorted((REPOSITORY / "data" / "raw").glob("*/*")):
        origin = yaml.safe_load((folder / "origin.yaml").read_text(encoding="utf-8"))
        for key in ("publisher", "title", "url", "as_of", "retrieved", "licence", "obtained"):
            assert origin.get(key), (folder, key)
        names = {path.name for path in folder.iterdir()} - {"origin.yaml"}
        assert names == set(origin["files"])
        for name in names:
            raw_file(folder.parent.name, folder.name, name).verify()
            checked += 1
    assert checked > 40


def test_the_repository_stays_small() -> None:
    files = [path for path in (REPOSITORY / "data").rglob("*") if path.is_file()]
    assert len(files) > 50
    assert sum(path.stat().st_size for path in files) < 40e6


def test_root_by_the_environment_and_by_search(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANALYSIS_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    assert root() == REPOSITORY
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for named in (str(tmp_path), str(tmp_path / "loop"), "~nobody-of-this-name", "x" * 5_000):
        monkeypatch.setenv("ANALYSIS_ROOT", named)
        with pytest.raises(DataError, match=r"ANALYSIS_ROOT.*params.yaml"):
            root()


def test_an_unknown_vintage_names_those_that_exist(project: Path) -> None:
    with pytest.raises(DataError, match=r"no vintage '1999'.*2020, 2024"):
        raw_file("votes", "1999", "county_votes.csv")
    for name in (None, 5, ["2020"], "x" * 5_000, "../votes/2024", "", "\0"):
        with pytest.raises(DataError, match="no vintage"):
            raw_file("votes", name, "county_votes.csv")
    assert vintages("votes") == ["2020", "2024"]


@pytest.mark.fault("F74")
def test_an_output_that_is_not_there_says_what_to_do(project: Path) -> None:
    with pytest.raises(DataError, match="make repro"):
        read_output("estimates.csv")


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("vintages", {"geography": 2024, "boundaries": "2023", "main_list": "x"}, "each in quotes"),
        ("vintages", None, "each in quotes"),
        ("vintages", ["2024"], "each in quotes"),
        ("as_of_before", {"main": "soon", "sensitivity": "2025-05-29"}, "each a day"),
        ("as_of_before", {"main": "2025-01-20"}, "each a day"),
        ("models", {}, "at least one"),
        ("models", {"main": None}, "at least one"),
    ],
)
def test_a_wrong_parameter_is_named(project: Path, part: str, value: object, message: str) -> None:
    file = project / "params.yaml"
    params = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert read_param(part) == params[part]
    file.write_text(yaml.safe_dump(params | {part: value}), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_param(part)
    assert "params.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("publisher", "", "'publisher' is missing"),
        ("as_of", "May", "'May' is no day"),
        ("files", "abc", "no checksum"),
        ("files", {"county_votes.csv": {"rows": "six"}}, "'county_votes.csv' has no checksum"),
    ],
)
def test_a_wrong_origin_is_named(project: Path, key: str, value: object, message: str) -> None:
    file = project / "data" / "raw" / "votes" / "2024" / "origin.yaml"
    origin = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump(origin | {key: value}), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        raw_file("votes", "2024", "county_votes.csv")
    assert "origin.yaml" in str(caught.value)


@pytest.mark.fault("F74")
def test_a_vintage_that_is_named_must_be_there(project: Path) -> None:
    (project / "data" / "raw" / "lists" / "dhs-2025-05-31" / "origin.yaml").unlink()
    with pytest.raises(DataError, match=r"no vintage 'dhs-2025-05-31' of 'lists', which params.yaml names"):
        vintages("lists")


def test_an_output_that_cannot_be_read_is_named(project: Path) -> None:
    folder = project / "data" / "processed"
    folder.mkdir()
    for name in ("t.csv", "t.parquet"):
        (folder / name).write_bytes(b"")
        with pytest.raises(DataError, match=rf"{name}.*cannot be read.*make repro"):
            read_output(name)


@pytest.mark.fault("F78")
def test_a_failure_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), replacing(path) as beside:
        beside.write_text("half", encoding="utf-8")
        raise ZeroDivisionError
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["out.csv"]  # noqa: PTH208


def test_written_files_have_the_usual_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    with replacing(tmp_path / "new") as beside:
        beside.write_text("x", encoding="utf-8")
    assert (tmp_path / "new").stat().st_mode == plain.stat().st_mode


@pytest.mark.fault("F80")
def test_the_same_frame_gives_the_same_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1 / 3, np.nan, 2e-13], "name": ["a", "é", '"b",']}, index=["1", "2", "3"])
    for name, write in (("t.csv", write_csv), ("t.parquet", write_parquet)):
        write(frame, tmp_path / name)
        first = (tmp_path / name).read_bytes()
        write(frame, tmp_path / name)
        assert (tmp_path / name).read_bytes() == first
    assert (tmp_path / "t.csv").read_bytes() == 'x,name\n0.33333333,a\n,é\n0.0,"""b"","\n'.encode()


def test_floats_of_every_type_are_rounded(tmp_path: Path) -> None:
    third = [1 / 3, np.nan]
    frame = pd.DataFrame(
        {
            "plain": third,
            "nullable": pd.array(third, "Float64"),
            "single": np.array(third, "float32"),
            "mixed": pd.Series(["one third", 1 / 3], dtype="object"),
            "exact": pd.Series([Decimal("0.3333333333"), None], dtype="object"),
            "text": ["0.3333333333", "a"],
            "whole": [2**53 - 1, 1],
        }
    )
    write_csv(frame, tmp_path / "t.csv")
    first, second = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert first == "0.33333333,0.33333333,0.33333334,one third,0.3333333333,0.3333333333,9007199254740991"
    assert second == ",,,0.33333333,,a,1"
    write_parquet(frame.drop(columns="mixed"), tmp_path / "t.parquet")
    back = pd.read_parquet(tmp_path / "t.parquet")
    assert back["plain"][0] == back["nullable"][0] == 0.33333333
    assert back.dtypes.drop("exact").equals(frame.drop(columns="mixed").dtypes.drop("exact"))


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_rounding_keeps_eight_digits_and_is_done_once(value: float) -> None:
    (once,) = round_significant(np.array([value]))
    (twice,) = round_significant(np.array([once]))
    assert (np.isnan(once) and np.isnan(twice)) or once == twice
    if np.isfinite(value) and abs(value) > 1e-12:
        assert abs(once - value) <= 0.5000001e-7 * abs(value)


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_cents_and_whole_numbers_survive(cents: int) -> None:
    assert round_significant(np.array([float(cents)]))[0] == float(cents)
    amount = cents % 10**11 / 100
    assert round_significant(np.array([amount]))[0] == amount

"""The data package: what it describes is there, right, safe in a spreadsheet, and the same twice."""

from __future__ import annotations

import csv
import datetime
import doctest
import hashlib
import io
import json
import re
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import __main__ as command_line
from analysis import downloads
from analysis.downloads import (
    DOWNLOADS,
    Table,
    as_text,
    csv_bytes,
    export,
    fields,
    parquet_bytes,
    safe,
    unsafe,
)
from analysis.errors import DataError
from tests.conftest import REPOSITORY

# What the Data Package and Table Schema standards, version 2, ask of what is used here.
TEXT = {"type": "string", "minLength": 1}
PROFILE = {
    "type": "object",
    "required": ["$schema", "name", "resources", "licenses", "sources", "version", "created"],
    "properties": {
        "$schema": {"const": "https://datapackage.org/profiles/2.0/datapackage.json"},
        "name": {"type": "string", "pattern": "^[a-z0-9._/-]+$"},
        "created": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "contributors": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["title"]}},
        "licenses": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["name"]}},
        "sources": {
            "type": "array",
            "minItems": 10,
            "items": {"type": "object", "required": ["title", "path"]},
        },
        "resources": {
            "type": "array",
            "minItems": 40,
            "items": {
                "type": "object",
                "required": ["name", "title", "path", "type", "format", "mediatype", "hash", "schema"],
                "properties": {
                    "name": {"type": "string", "pattern": "^[a-z0-9._-]+$"},
                    "title": TEXT,
                    "path": {"type": "string", "pattern": r"^(?!/)(?!.*\.\.).+$"},
                    "type": {"const": "table"},
                    "format": {"enum": ["csv", "parquet"]},
                    "hash": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
                    "bytes": {"type": "integer", "minimum": 1},
                    "schema": {
                        "type": "object",
                        "required": ["fields", "missingValues"],
                        "properties": {
                            "fields": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "object",
                                    "required": ["name", "type", "description"],
                                    "properties": {
                                        "name": TEXT,
                                        "description": TEXT,
                                        "type": {"enum": ["string", "integer", "number", "boolean", "date"]},
                                    },
                                },
                            },
                            "primaryKey": {"type": "array", "items": TEXT},
                        },
                    },
                },
            },
        },
    },
}
CAST = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": {"true": True, "false": False}.__getitem__,
    "date": datetime.date.fromisoformat,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
        out = tmp_path_factory.mktemp("downloads")
        export(out)
    return out


@pytest.fixture(scope="module")
def package(folder: Path) -> dict:
    return json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))


def test_examples() -> None:
    tried = doctest.testmod(downloads)
    assert tried.attempted >= 3 and tried.failed == 0


def test_the_description_is_a_data_package(package: dict) -> None:
    jsonschema.Draft202012Validator(PROFILE).validate(package)
    names = [entry["name"] for entry in package["resources"]]
    assert len(set(names)) == len(names)
    stems = {path.stem for path in (REPOSITORY / "data" / "processed").iterdir()}
    assert {
        entry["path"].rpartition(".")[0] for entry in package["resources"] if "/" not in entry["path"]
    } == stems


def test_a_p_value_of_zero_says_what_it_stands_for(package: dict) -> None:
    seen = 0
    for resource in package["resources"]:
        path = REPOSITORY / "data" / "processed" / f"{resource['name']}.csv"
        if not path.exists():
            continue
        described = {field["name"]: field.get("description", "") for field in resource["schema"]["fields"]}
        for column in {"p_value"} & set(described):
            if (pd.read_csv(path, low_memory=False)[column] == 0).any():
                assert re.search(r"\b0\b", described[column]), (resource["name"], described[column])
                seen += 1
    assert seen >= 3


def test_every_file_is_what_its_description_says(folder: Path, package: dict) -> None:
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {entry["path"] for entry in package["resources"]} | {"datapackage.json"}
    cells = 0
    for entry in package["resources"]:
        content = (folder / entry["path"]).read_bytes()
        assert entry["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}", entry["path"]
        described, schema = entry["schema"]["fields"], entry["schema"]
        if entry["format"] == "parquet":
            table = pd.read_parquet(io.BytesIO(content))
            assert list(table) == [field["name"] for field in described] and len(table) == entry["rows"]
            continue
        assert entry["bytes"] == len(content) and b"\r\n" not in content
        head, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
        assert head == [field["name"] for field in described] and len(rows) == entry["rows"]
        for row in rows[:400]:
            for cell, field in zip(row, described, strict=True):
                if cell not in schema["missingValues"]:
                    cells += 1
                    CAST[field["type"]](cell)
        if key := schema.get("primaryKey"):
            places = [head.index(name) for name in key]
            assert len({tuple(row[place] for place in places) for row in rows}) == len(rows), entry["path"]
    assert cells > 50_000


def test_no_cell_of_the_downloads_is_a_formula(folder: Path, package: dict) -> None:
    looked = 0
    for entry in package["resources"]:
        if entry["format"] == "csv":
            for row in csv.reader(
                io.StringIO((folder / entry["path"]).read_text(encoding="utf-8"), newline="")
            ):
                looked += len(row)
                assert not [cell for cell in row if is_formula(cell)], entry["path"]
    assert looked > 500_000


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would run the cell: a sign at its beginning, and no plain number."""
    return (
        bool(cell)
        and cell[0] in "=+-@\t\r\n＝＋－＠"
        and not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", cell, re.I)
    )


@given(st.text() | st.from_regex(r"'*[=+\-@\t\r\n＝＋－＠].*", fullmatch=True))
def test_text_comes_back_and_runs_nowhere(text: str) -> None:
    assert unsafe(safe(text)) == text
    assert not is_formula(safe(text))


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**15), 10**15))
def test_numbers_stay_numbers(number: float) -> None:
    assert safe(str(number)) == str(number)


UNSEEN = "\u034f\u061c\u115f\u180e\u2800\u3164\ufe0f\uffa0\U000e0001"


@pytest.mark.fault("G2")
@pytest.mark.parametrize("unseen", UNSEEN)
def test_signs_that_cannot_be_seen_hide_no_formula(unseen: str) -> None:
    for text in (f"{unseen}=1+1", f"'{unseen}@a", *(f"{sign}a" for sign in "\ufe66\ufe62\ufe63\ufe6b")):
        assert safe(text) == f"'{text}" and unsafe(safe(text)) == text


@pytest.mark.fault("G2")
def test_hostile_cells_in_both_formats() -> None:
    texts = ["=cmd()|'/c calc'!A0", "@SUM(A1)", "+1 555", "-1+1", "\tx", "'=x", 'ä, "q"\nz', "", "n/a"]
    frame = pd.DataFrame({"name": texts, "usd": ["-12.50", "0", "3", "-1", "", "7", "-1e-05", "n/a", "2"]})
    table = Table("t", "T", frame, fields(frame, {}, frozenset()))
    assert [field["type"] for field in table.fields] == ["string", "number"]
    rows = list(csv.DictReader(io.StringIO(csv_bytes(table).decode("utf-8"), newline="")))
    assert [unsafe(row["name"]) for row in rows] == texts and not any(is_formula(row["name"]) for row in rows)
    assert [row["usd"] for row in rows] == frame["usd"].tolist()
    back = pd.read_parquet(io.BytesIO(parquet_bytes(table)))
    assert back["name"].fillna("").tolist() == texts
    assert back["usd"].sum() == pytest.approx(-12.5 + 3 - 1 + 7 - 1e-5 + 2) and back["usd"].isna().sum() == 2


@pytest.mark.fault("F41")
def test_codes_keep_their_zeros_and_whole_numbers_their_form() -> None:
    frame = as_text(
        pd.DataFrame({"geoid": ["01001", "48001"], "n": pd.array([1, None], "Int64"), "share": [0.5, 1]})
    )
    described = fields(frame, {}, frozenset(["geoid"]))
    assert [field["type"] for field in described] == ["string", "integer", "number"]
    back = pd.read_parquet(io.BytesIO(parquet_bytes(Table("t", "T", frame, described))))
    assert back["geoid"].tolist() == ["01001", "48001"] and back["n"].isna().tolist() == [False, True]


@pytest.mark.parametrize("kind", DOWNLOADS)
def test_the_command_writes_one_format_the_same_twice(
    kind: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    (tmp_path / "old.csv").write_text("kept", encoding="utf-8")
    assert command_line.main(["export", "--format", kind, "--to", str(tmp_path)]) == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert len(written) > 20 and {path.suffix for path in written} == {f".{kind}", ".json"}
    for path in written[:-1]:
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes()
    assert (tmp_path / "old.csv").read_text(encoding="utf-8") == "kept", "what is not ours stays"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, project: Path) -> None:
    ours = '{"name": "listed-jurisdictions", "resources": [{"path": "a.csv"}]}'
    paths = ('"a\\u0000.csv"', '"\\ud800"', "1", "null")
    odd = [ours.replace('"a.csv"', path) for path in paths]
    for text in (ours.replace("listed-", ""), ours[:-9], *odd, "[]", ""):
        (tmp_path / "datapackage.json").write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match="not the description of this project"):
            export(tmp_path)
        assert [path.name for path in tmp_path.glob("*.json")] == ["datapackage.json"]
    with pytest.raises(DataError, match="unknown"):
        export(tmp_path / "new", ("xlsx",))


def test_a_folder_that_is_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(SystemExit):  # as an unset variable of the shell gives it
        command_line.main(["export", "--to", ""])
    assert "no folder is named" in capsys.readouterr().err and not list(Path().iterdir())
    Path("loop").symlink_to("loop")
    assert command_line.main(["export", "--to", "loop"]) == 1
    assert "loop: " in (said := capsys.readouterr().err) and "Remedy" in said

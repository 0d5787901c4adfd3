"""`lookup` finds what was meant, tells what is there, and suggests the nearest where nothing is."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from analysis import __main__ as command_line
from analysis.errors import DataError
from analysis.lookup import lookup
from analysis.panel import load_panel
from analysis.provenance import read_output, read_param
from analysis.shown import as_text
from analysis.terminal import as_json, plain_table
from tests.conftest import REPOSITORY, forget


@pytest.fixture(autouse=True, scope="module")
def _repository():
    before = os.environ.get("ANALYSIS_ROOT")
    os.environ["ANALYSIS_ROOT"] = str(REPOSITORY)
    forget()
    yield
    forget()
    os.environ.pop("ANALYSIS_ROOT") if before is None else os.environ.update(ANALYSIS_ROOT=before)


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("Cook County, IL", ["17031"]),
        ("cook county,  illinois", ["17031"]),
        ("Cook, IL", ["17031"]),
        ("17031", ["17031"]),
        (17031, ["17031"]),
        ("0500000US17031", ["17031"]),
        ("Baltimore, MD", ["24005", "24510"]),
        ("Baltimore city, MD", ["24510"]),
        ("2404000", ["2404000"]),
        ("Illinois", ["17"]),
        ("il", ["17"]),
        ("DC", ["11001"]),
        ("Washington, D.C.", ["11001"]),
        ("District of Columbia", ["11001"]),
        ("1150000", ["11001"]),
        ("11", ["11001"]),
        ("Hartford County, CT", ["09003"]),
        ("Capitol Planning Region, CT", ["09110"]),
        ("Fairfax, VA", ["51059", "51600"]),
        ("Athens-Clarke County, GA", ["1303440"]),
        ("Represa, CA", [None]),
        ("Martinsville County, VA", [None]),
    ],
)
def test_names_and_codes_find_what_they_mean(query: object, codes: list[str | None]) -> None:
    assert [found.geoid for found in lookup(query)] == codes


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("Cok County, IL", "Nearest: 'Cook County, IL'"),
        ("Chcago, IL", "Nearest: 'Chicago city, IL'"),
        ("17032", "Nearest: '17031', Cook County, IL"),
        ("6075", "Nearest: '06075', San Francisco County, CA"),
        ("17031.0", "Nearest: '17031', Cook County, IL"),
        ("17-031", "Nearest: '17031', Cook County, IL"),
        ("Clark County, NV, USA", 'write it as "Clark County, IL"'),
        ("Cook County, IX", "no state is called 'IX'. Nearest: 'IL'. Cook County is there in GA, IL, MN."),
        ("Cook County, Ilinois", "Nearest: 'Illinois'"),
        ("Springfield", "is the name of 56 governments: Springfield town, CO"),
        ("Zzyzxville", "no government is called 'Zzyzxville', and no list has an entry"),
        ("Paradise, NV", "census designated place"),
        ("  ", "no name and no code was given"),
    ],
)
def test_what_is_not_there_says_what_is_near(query: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        lookup(query)
    assert said in str(caught.value) and "Remedy: " in str(caught.value)


def test_a_county_is_told_as_the_tables_have_it() -> None:
    (cook,) = lookup("17031")
    panel = load_panel("county").loc["17031"]
    main = read_param("vintages")["main_list"]
    listed = cook.listings.set_index("vintage")
    assert len(listed) == 5
    for vintage, row in listed.iterrows():
        name = str(vintage).replace("-", "_")
        assert row["is_listed"] == bool(panel[f"is_listed_{name}"])
        assert row["as_county"] == bool(panel[f"is_listed_as_county_{name}"])
        assert row["place_inside"] == bool(panel[f"has_listed_place_{name}"])
        assert row["state"] == bool(panel[f"is_in_listed_state_{name}"])
    entry = cook.entries.set_index("vintage").loc[main]
    assert entry["text_as_published"] == "Cook County" and entry["match_type"] == "exact"
    written = read_output("improbable.csv").set_index(["vintage", "geoid"]).loc[(main, "17031")]
    assert cook.prediction is not None
    for name in ("probability", "conf_low", "conf_high"):
        assert cook.prediction[name] == pytest.approx(written[name], rel=1e-6)
    money = read_output("dollars_at_stake.csv")
    own = money[money["geoid"] == "17031"]
    assert (
        len(cook.dollars) == len(own) > 3 and cook.dollars["amount_usd"].sum() == own["amount_usd"].sum() > 0
    )
    assert "Lake County" in set(cook.neighbours["name"]) and cook.neighbours["is_listed"].any()
    assert cook.agreements["agreements"].sum() == 0 and len(cook.agreements) == 13


def test_agreements_are_those_of_the_panel() -> None:
    counties = load_panel("county")
    some = counties.index[counties["agreements_287g"] > 1][:2]
    assert len(some) == 2
    for code in some:
        (found,) = lookup(code)
        rosters = found.agreements.set_index("roster")
        assert rosters.loc["2025-01-19", "agreements"] == counties.loc[code, "agreements_287g"]
        assert rosters.loc["2025-01-19", "agencies"]
        assert "on none" not in as_text(found) and "2025-01-19" in as_text(found)


def test_a_government_with_two_codes_is_one() -> None:
    (district,) = lookup("Washington, DC")
    assert district.also == ("1150000", "11")
    assert district.listings["is_listed"].tolist() == [
        bool(load_panel("county").loc["11001", f"is_listed_{name.replace('-', '_')}"])
        for name in district.listings["vintage"]
    ]
    (city,) = lookup("2404000")
    assert city.also == ("24510",) and len(city.neighbours) > 0


def test_entries_in_review_and_without_a_government_are_told() -> None:
    found = {each.geoid: each for each in lookup("East Hampton, NY")}
    village = found["3622183"]
    assert village.entries["needs_review"].all() and not village.listings["is_listed"].any()
    assert "could also be Town of East Hampton" in as_text(village) and "3610322194" in found
    (prison,) = lookup("Represa, CA")
    assert prison.unit == "none" and prison.prediction is None
    text = as_text(prison)
    assert "post office" in text and "no government" in text and "Probability" not in text


def test_connecticut_and_what_is_missing() -> None:
    (old,) = lookup("09003")
    assert old.prediction is None and "no bridge" in as_text(old)
    (region,) = lookup("09110")
    assert len(region.missing) > 5 and "planning region" in as_text(region)
    (town,) = lookup("3610322194")
    assert town.prediction is not None and np.isnan(town.prediction["probability"])
    assert "none by the model `place`: it has no" in as_text(town)


def test_json_holds_codes_as_text_and_no_nan(capsys: pytest.CaptureFixture) -> None:
    assert command_line.main(["lookup", "San", "Francisco", "County,", "CA", "--json"]) == 0
    printed = capsys.readouterr().out
    said = json.loads(printed, parse_constant=lambda name: pytest.fail(name))
    (found,) = said["found"]
    assert said["query"] == "San Francisco County, CA" and found["geoid"] == "06075"
    assert found["also"] == ["0667000"] and found["prediction"]["conf_low"] < found["prediction"]["conf_high"]
    assert {row["geoid"] for row in found["entries"]} == {"06075", "0667000"}
    assert any(row["amount_usd"] is None for row in found["dollars"])
    assert all(isinstance(row["fiscal_year"], int | None) for row in found["dollars"])


def test_the_terminal_gets_sections_within_its_width(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command_line.main(["lookup", "Cook County, IL"]) == 0
    printed = capsys.readouterr().out
    for heading in (
        "Entries as printed",
        "On each list",
        "287(g)",
        "Probability of an entry",
        "Counties that touch",
    ):
        assert f"\n{heading}" in printed
    assert "\x1b" not in printed and "no measure of any policy" in printed
    (cook,) = lookup("17031")
    narrow = as_text(cook, 60)
    assert max(map(len, narrow.splitlines())) <= 60 < max(map(len, printed.splitlines()))
    assert "".join(narrow.split()).count("5,473,009,298") == 1


def test_an_unknown_name_is_one_message_and_code_1(capsys: pytest.CaptureFixture) -> None:
    assert command_line.main(["lookup", "Cok County, IL"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("error: ") and "Cook County" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lokup", "x"], "Nearest: 'lookup'."),
        (["export", "--format", "stat"], "Nearest: 'stata'."),
        (["refresh", "roster"], "Nearest: 'rosters'."),
        (["lookup", "Cook", "--jsn"], "Nearest: '--json'."),
    ],
)
def test_a_misspelt_word_of_the_command_line_is_mended(
    words: list[str], said: str, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as left:
        command_line.main(words)
    assert left.value.code == 2 and said in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["lookup", "checks", "export", "render", "changes", "review", "flows", "refresh"]
)
def test_help_shows_examples(command: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as left:
        command_line.main([command, "--help"])
    said = capsys.readouterr().out
    assert left.value.code == 0 and f"examples:\n  python -m analysis {command}" in said
    assert ("--json" in said) == (command in ("lookup", "checks", "export", "review"))


def test_checks_as_json(capsys: pytest.CaptureFixture) -> None:
    assert command_line.main(["checks", "--json", "--all"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["counts"]["fail"] == 0 and len(said["checks"]) == sum(said["counts"].values()) > 50


def test_a_reader_that_has_enough_is_no_error() -> None:
    command = f"{sys.executable} -m analysis checks --all | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "ANALYSIS_ROOT": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stderr == "" and done.stdout.startswith("check ")


def test_no_data_says_how_to_name_them(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"export ANALYSIS_ROOT=.*os\.environ\[\"ANALYSIS_ROOT\"\]"):
        load_panel("county")


def test_tables_keep_numbers_right_and_words_whole() -> None:
    frame = pd.DataFrame(
        {"name": ["a long name of words", None], "n": [1, 20], "x": [1.5, np.nan], "b": [True, False]}
    )
    lines = plain_table(frame).splitlines()
    assert (
        lines[0] == "name                   n      x  b"
        and lines[2] == "a long name of words   1  1.500  yes"
    )
    assert lines[3] == "                      20         no"
    narrow = plain_table(frame, 24).splitlines()
    assert max(map(len, narrow)) <= 24 and [line.split()[0] for line in narrow[2:4]] == ["a", "name"]


def test_json_is_plain() -> None:
    value = {
        "a": np.float64("nan"),
        "b": np.int64(3),
        "c": pd.NA,
        "d": (np.True_, 2.0, float("inf")),
        "e": "é",
    }
    assert json.loads(as_json(value)) == {"a": None, "b": 3, "c": None, "d": [True, 2, None], "e": "é"}
    assert "é" in as_json(value)

"""The queue, and that an answer settles its row on the next run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.errors import DataError
from analysis.jurisdictions import match, review
from analysis.jurisdictions.gazetteer import gazetteer
from analysis.jurisdictions.stage import ledger, roster_ledger
from analysis.provenance import root
from analysis.sources import lists, rosters

WHY = [
    "--reason",
    "The town's own page says so.",
    "--source",
    "https://example.org/page",
    "--on",
    "2026-11-22",
]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return review.queue(ledger(lists.read_all(), {}), roster_ledger(rosters.read_all()))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: pd.DataFrame) -> Path:
    """A project with the repository's data and its own copy of the decisions and the queue."""
    home = root()
    (tmp_path / "data" / "processed").mkdir(parents=True)
    shutil.copy(home / "params.yaml", tmp_path)
    shutil.copytree(home / "data" / "corrections", tmp_path / "data" / "corrections")
    (tmp_path / "data" / "raw").symlink_to(home / "data" / "raw")
    rows.to_csv(tmp_path / "data" / "processed" / "review_queue.csv", index=False, encoding="utf-8")
    monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path))
    return tmp_path


def identity_of(rows: pd.DataFrame, name: str) -> str:
    found = rows.loc[rows["name"] == name, "id"]
    assert len(found) == 1
    return found.iloc[0]


def test_every_name_in_review_is_in_the_queue_once(rows: pd.DataFrame) -> None:
    assert tuple(rows.columns) == review.QUEUE
    assert 10 < len(rows) < 60 and rows["id"].is_unique
    assert set(rows["source"]) == {"list", "roster"}
    in_review = (
        match(lists.read_all())["needs_review"].sum() + match(rosters.read_all())["needs_review"].sum()
    )
    assert rows["rows"].sum() == in_review
    assert (rows["reason"] != "").all() and (rows["line"].str.contains("<reason>")).all()


@pytest.mark.parametrize(
    ("name", "value", "geoid", "unit"),
    [
        ("East Hampton", "3622183", "3622183", "place"),
        ("New Paltz", "3611150562", "3611150562", "cousub"),
        ("Martinsville County", "none", None, "none"),
        ("Monroe Police Department", "1352192", "1352192", "place"),
        ("Derry Township Constable's Office", "4212918968", "4212918968", "cousub"),
        ("Ward 5 Marshal's Office", "in 22003", "22003", "part_of_county"),
        ("Office of The District Attorney - Eighth District", "40103;40071", "40071;40103", "counties"),
        ("Florida Atlantic Police Department", "in 12099", "12099", "part_of_county"),
    ],
)
def test_an_answer_settles_the_row_on_the_next_run(
    rows: pd.DataFrame, elsewhere: Path, name: str, value: str, geoid: str | None, unit: str
) -> None:
    asked = rows[rows["name"] == name].iloc[0]
    before = (elsewhere / asked["file"]).read_text(encoding="utf-8")
    assert main(["review", "--answer", asked["id"], "--is", value, *WHY]) == 0
    after = (elsewhere / asked["file"]).read_text(encoding="utf-8")
    assert len(after.splitlines()) - len(before.splitlines()) == (
        name != "Florida Atlantic Police Department"
    )
    if asked["source"] == "list":
        printed = {"level": asked["level"], "text_as_published": name}
    else:
        printed = {"agency_as_published": name, "county_as_published": asked["county"]}
        printed |= {"agency_type_as_published": ""}
    found = match(pd.DataFrame([{"state_abbr": asked["state_abbr"]} | printed])).iloc[0]
    assert (found["unit"], found["needs_review"], found["match_type"]) == (unit, False, "correction")
    assert found["geoid"] == geoid if geoid else pd.isna(found["geoid"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--is", "9999999", *WHY], "no government's code"),
        (["--is", "17031", *WHY], "Cook County of IL, and the name is printed under NY"),
        (["--is", "3622183", *WHY, "--on", "2026-02-30"], "'2026-02-30' is not a decided on"),
        (["--is", "3622183"], "needs --is, --reason and --source"),
        (["--is", "3622183", "--reason", "short", "--source", "https://example.org"], "not a reason"),
        (["--is", "3622183", "--reason", "long enough a reason", "--source", "here"], "not a source url"),
    ],
)
def test_a_bad_answer_is_refused_and_changes_nothing(
    rows: pd.DataFrame, elsewhere: Path, capsys: pytest.CaptureFixture, words: list[str], message: str
) -> None:
    path = elsewhere / "data" / "corrections" / "names.csv"
    before = path.read_bytes()
    assert main(["review", "--answer", identity_of(rows, "East Hampton"), *words]) == 1
    assert message in capsys.readouterr().err and path.read_bytes() == before


def test_an_unknown_id_names_those_there_are(rows: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="not in the queue"):
        review.one(rows, "zzzzzz")


def test_a_part_of_something_else_than_a_county_is_refused(rows: pd.DataFrame) -> None:
    row = rows[rows["source"] == "roster"].iloc[0].to_dict()
    with pytest.raises(DataError, match="no county's"):
        review.decision(
            gazetteer(),
            row | {"state_abbr": "GA"},
            "in 1352192",
            "a reason of some length",
            "https://x.org",
            "2026-11-22",
        )


def test_the_queue_is_printed_plainly_and_as_json(elsewhere: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["review"]) == 0
    printed = capsys.readouterr().out
    assert "East Hampton" in printed and "add to data/corrections/names.csv" in printed
    assert main(["review", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) > 10 and {"id", "proposed", "line", "file"} <= set(found[0])

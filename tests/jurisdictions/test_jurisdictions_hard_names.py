"""The project's own corpus of hard names: right or marked, by kind of error.

`hard_names.csv`: entries (with `level`) and roster rows (with `agency_as_published`), the answer's code,
unit and official name; `review` where no single answer is right.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.jurisdictions import match
from analysis.jurisdictions.gazetteer import frame

CORPUS = pd.read_csv(Path(__file__).with_name("hard_names.csv"), dtype="str", keep_default_na=False)
ENTRY = ["level", "text_as_published"]
AGENCY = ["agency_as_published", "county_as_published", "agency_type_as_published"]


@pytest.fixture(scope="module")
def judged() -> pd.DataFrame:
    is_entry = CORPUS["level"] != ""
    parts = [match(CORPUS[is_entry].drop(columns=AGENCY)), match(CORPUS[~is_entry].drop(columns=ENTRY))]
    found = pd.concat(parts).sort_index()
    right = (found["geoid"].fillna("") == found["answer_geoid"]) & (found["unit"] == found["answer_unit"])
    return found.assign(is_right=right)


def test_the_corpus_is_large_and_its_answers_stand_in_the_gazetteer() -> None:
    assert len(CORPUS) >= 250 and CORPUS["id"].is_unique
    assert not CORPUS.duplicated(["state_abbr", *ENTRY, *AGENCY]).any()
    names = frame()["name"]
    answers = CORPUS[CORPUS["answer_unit"].isin(["state", "county", "place", "cousub", "part_of_county"])]
    assert len(answers) > 200
    assert list(answers["answer_geoid"].map(names)) == list(answers["answer_name"])


@pytest.mark.parametrize("kind", sorted(CORPUS["kind_of_error"].unique()))
def test_no_silent_error(judged: pd.DataFrame, kind: str) -> None:
    rows = judged[judged["kind_of_error"] == kind]
    assert len(rows) > 0
    silent = rows[~rows["is_right"] & ~rows["needs_review"]]
    assert silent[["id", "state_abbr", "geoid", "note"]].values.tolist() == []


def test_answers_are_found_and_seldom_doubted(judged: pd.DataFrame) -> None:
    answerable = judged[judged["answer_unit"] != "review"]
    assert len(answerable) > 200
    assert answerable["is_right"].mean() >= 0.98
    assert answerable["needs_review"].mean() <= 0.05


def test_what_has_no_single_answer_is_marked(judged: pd.DataFrame) -> None:
    open_cases = judged[judged["answer_unit"] == "review"]
    assert len(open_cases) > 30
    assert open_cases["needs_review"].all() and (open_cases["note"] != "").all()

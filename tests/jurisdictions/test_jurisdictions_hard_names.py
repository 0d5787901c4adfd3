"""The project's own corpus of hard names (`data/corrections/hard_names.csv`): right or marked, by kind."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.jurisdictions.accuracy import COLUMNS, OPEN, accuracy, judged, read_corpus
from analysis.jurisdictions.gazetteer import frame
from analysis.jurisdictions.match import AGENCY, ENTRY

CORPUS = read_corpus()


@pytest.fixture(scope="module")
def verdicts() -> pd.DataFrame:
    return judged(CORPUS)


def test_the_corpus_is_large_and_its_answers_stand_in_the_gazetteer() -> None:
    assert len(CORPUS) >= 440 and CORPUS["id"].is_unique
    assert not CORPUS.duplicated([*ENTRY, *AGENCY[1:]]).any()
    assert CORPUS["kind_of_error"].nunique() >= 35
    names = frame()["name"]
    answers = CORPUS[CORPUS["answer_unit"].isin(["state", "county", "place", "cousub", "part_of_county"])]
    assert len(answers) > 350
    assert list(answers["answer_geoid"].map(names)) == list(answers["answer_name"])


@pytest.mark.fault("F43", "F45", "F48", "F52")
@pytest.mark.parametrize("kind", sorted(CORPUS["kind_of_error"].unique()))
def test_no_silent_error(verdicts: pd.DataFrame, kind: str) -> None:
    rows = verdicts[verdicts["kind_of_error"] == kind]
    assert len(rows) > 0
    silent = rows[~rows["is_right"] & ~rows["needs_review"]]
    assert silent[["id", "state_abbr", "geoid", "note"]].values.tolist() == []


def test_answers_are_found_and_only_misspelt_ones_are_often_doubted(verdicts: pd.DataFrame) -> None:
    answerable = verdicts[verdicts["answer_unit"] != OPEN]
    assert len(answerable) > 350
    assert answerable["is_right"].mean() >= 0.99
    well_spelt = answerable[~answerable["kind_of_error"].str.startswith("misspelt")]
    assert len(well_spelt) > 300 and well_spelt["needs_review"].mean() <= 0.02


def test_what_has_no_single_answer_is_marked(verdicts: pd.DataFrame) -> None:
    open_cases = verdicts[verdicts["answer_unit"] == OPEN]
    assert len(open_cases) > 50
    assert open_cases["needs_review"].all() and (open_cases["note"] != "").all()


def test_accuracy_counts_every_name_once(verdicts: pd.DataFrame) -> None:
    table = accuracy(verdicts)
    assert tuple(table.columns) == COLUMNS and len(table) > 35
    assert (table[list(COLUMNS[2:])].sum(axis=1) == table["names"]).all()
    every = table.iloc[-1]
    assert every["kind"] == "all" and every["names"] == len(CORPUS) == table["names"].iloc[:-1].sum()


def test_a_wrong_verdict_is_counted_as_such() -> None:
    rows = pd.DataFrame(
        {
            "kind_of_error": "x",
            "answer_unit": ["county", "county", "county", OPEN, OPEN],
            "is_right": [True, False, True, True, False],
            "needs_review": [False, False, True, True, False],
        }
    )
    assert accuracy(rows).iloc[0].to_dict() == {
        **{"kind": "x", "names": 5, "right": 2, "right_in_review": 1},
        **{"in_review": 0, "silent_wrong": 2},
    }

"""The measured error rate: the verdicts on a corpus of hard names whose answers were set by hand."""

from __future__ import annotations

import pandas as pd

from analysis.jurisdictions.match import AGENCY, ENTRY, match
from analysis.provenance import root
from analysis.sources.reading import check_columns, check_key, parse

COLUMNS = ("kind", "names", "right", "right_in_review", "in_review", "silent_wrong")
ANSWER = ("id", "kind_of_error", "answer_geoid", "answer_unit", "answer_name")
OPEN = "review"  # the answer of a name that no single government can claim


def read_corpus() -> pd.DataFrame:
    """`data/corrections/hard_names.csv` as text: entries (with `level`) and roster rows, one a line.

    Raises
    ------
    DataError : a column is missing, an id is empty or occurs twice.
    """
    path = root() / "data" / "corrections" / "hard_names.csv"
    frame = parse(path.read_bytes(), path)
    check_columns(frame.columns, [*dict.fromkeys((*ANSWER, *ENTRY, *AGENCY))], path)
    check_key(frame, ["id"], path)
    return frame


def judged(corpus: pd.DataFrame) -> pd.DataFrame:
    """The corpus with its verdicts and `is_right`: the answer's code and unit, or review if open."""
    is_entry = corpus["level"] != ""
    parts = [
        match(corpus[is_entry].drop(columns=list(AGENCY[1:]))),
        match(corpus[~is_entry].drop(columns=list(ENTRY[1:]))),
    ]
    found = pd.concat(parts).sort_index()
    same = (found["geoid"].fillna("") == found["answer_geoid"]) & (found["unit"] == found["answer_unit"])
    is_open = found["answer_unit"] == OPEN
    return found.assign(is_right=(same & ~is_open) | (is_open & found["needs_review"]))


def accuracy(verdicts: pd.DataFrame) -> pd.DataFrame:
    """One row a kind of error and one for all, counts of names.

    `right`: settled with the answer, or put in review where no single answer exists. `right_in_review`: in
    review although an answer exists, with that answer proposed. `in_review`: in review without it.
    `silent_wrong`: settled on anything else. The four add up to `names`.
    """
    is_open = verdicts["answer_unit"] == OPEN
    settled = ~verdicts["needs_review"]
    marks = pd.DataFrame(
        {
            "kind": verdicts["kind_of_error"],
            "names": 1,
            "right": verdicts["is_right"] & (settled | is_open),
            "right_in_review": verdicts["is_right"] & ~settled & ~is_open,
            "in_review": ~verdicts["is_right"] & ~settled,
            "silent_wrong": ~verdicts["is_right"] & settled,
        }
    ).astype(dict.fromkeys(COLUMNS[1:], "int64"))
    by_kind = marks.groupby("kind", sort=True).sum().reset_index()
    every = pd.DataFrame([{"kind": "all"} | marks[list(COLUMNS[1:])].sum().to_dict()])
    return pd.concat([by_kind, every], ignore_index=True)[list(COLUMNS)]

"""What holds for any text: a verdict, and a row's verdict depends on that row alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.jurisdictions import match
from analysis.jurisdictions.gazetteer import frame, gazetteer
from analysis.jurisdictions.match import ADDED
from analysis.jurisdictions.normalise import key, normalise

UNITS = {"state", "county", "place", "cousub", "counties", "part_of_county", "none"}
TYPES = {"exact", "normalised", "kind_resolved", "alias", "fuzzy", "correction", "none"}
NAMES = ["Cook County", "Richmond", "Lawrence", "City of Boise", "St. Louis", "New Paltz", "Represa", "x/y"]
AGENCIES = [
    "Cook County Sheriff's Office",
    "Troy Police Department",
    "Florida State Guard",
    "Ward 3 Constable",
]
STATES = st.sampled_from(["IL", "VA", "KS", "ID", "MO", "NY", "CA", "DC", "NH", "FL", "GU", "", "ZZ", None])
HOSTILE = [
    "🚓" * 5,
    "\x00\x07\x1b[31m",
    "a" * 10_000,
    "county " * 1_500,
    "\u202eytnuoC kooC",
    "مقاطعة كوك",
    "=1+1",
    "@SUM(A1)",
    "-2+3",
    "'; drop",
    "\ud800",
    "ß" * 9,
    "，",
]


class Unprintable:
    def __str__(self) -> str:
        raise ValueError("no text")


CELLS = [
    ["Cook County"],
    {"a": 1},
    {1, 2},
    ("x", None),
    np.array([1, 2]),
    np.array([]),
    pd.NaT,
    Unprintable(),
]
ANYTHING = st.one_of(
    st.text(max_size=40),
    st.none(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.sampled_from([*NAMES, *HOSTILE]),
    st.sampled_from(CELLS),
)
ENTRIES = st.lists(
    st.tuples(STATES, st.sampled_from(["state", "county", "place", "", None]), ANYTHING),
    min_size=1,
    max_size=8,
)
ROWS = st.lists(
    st.tuples(STATES, st.one_of(ANYTHING, st.sampled_from(AGENCIES)), ANYTHING, ANYTHING),
    min_size=1,
    max_size=6,
)


def entries(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["state_abbr", "level", "text_as_published"], dtype="object")


def agencies(rows: list[tuple]) -> pd.DataFrame:
    columns = ["agency_as_published", "county_as_published", "agency_type_as_published"]
    return pd.DataFrame(rows, columns=["state_abbr", *columns], dtype="object")


def check_verdicts(frame_in: pd.DataFrame, out: pd.DataFrame) -> None:
    assert len(out) == len(frame_in) > 0
    assert set(out["unit"]) <= UNITS and set(out["match_type"]) <= TYPES
    assert ((out["unit"] == "none") == out["geoid"].isna()).all()
    assert out.loc[out["geoid"].isna(), "note"].ne("").all()


@given(ENTRIES)
@settings(deadline=None, max_examples=60)
def test_any_entry_yields_a_verdict(rows: list[tuple]) -> None:
    check_verdicts(entries(rows), match(entries(rows)))


@given(ROWS)
@settings(deadline=None, max_examples=60)
def test_any_agency_yields_a_verdict(rows: list[tuple]) -> None:
    check_verdicts(agencies(rows), match(agencies(rows)))


@given(ROWS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_order_and_repetition_change_no_other_agency(rows: list[tuple], random) -> None:
    alone = [tuple(match(agencies([row]))[list(ADDED)].fillna("").iloc[0]) for row in rows]
    shuffled = [*range(len(rows)), *range(len(rows))]
    random.shuffle(shuffled)
    together = match(agencies([rows[i] for i in shuffled]))[list(ADDED)].fillna("")
    assert len(together) == 2 * len(rows) > 0
    assert [tuple(row) for row in together.itertuples(index=False)] == [alone[i] for i in shuffled]


@given(ANYTHING)
@settings(deadline=None, max_examples=200)
def test_normalising_twice_is_once(text: object) -> None:
    once = normalise(text)
    assert normalise(once) == once and key(once) == key(text)


@pytest.mark.fault("F45", "F48")
@given(st.sampled_from(["Pulaski", "Kanawha", "Lampasas", "Seattle"]), st.integers(0, 8), st.characters())
@settings(deadline=None, max_examples=80)
def test_one_wrong_letter_never_settles_an_entry_on_another_government(name: str, at: int, char: str) -> None:
    """Its own government, review, or the government that really bears the altered name."""
    states = {"Pulaski": "AR", "Kanawha": "WV", "Lampasas": "TX", "Seattle": "WA"}
    level = "place" if name == "Seattle" else "county"
    text = name[:at] + char + name[at + 1 :]
    found = match(entries([(states[name], level, text)])).iloc[0]
    own = match(entries([(states[name], level, name)])).iloc[0]
    settled = not found["needs_review"] and found["geoid"] != own["geoid"]
    assert not settled or gazetteer().find(states[name], key(text))


@given(ENTRIES, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_order_and_repetition_change_no_other_answer(rows: list[tuple], random) -> None:
    alone = [tuple(match(entries([row]))[list(ADDED)].fillna("").iloc[0]) for row in rows]
    shuffled = [*range(len(rows)), 0]
    random.shuffle(shuffled)
    together = match(entries([rows[i] for i in shuffled]))[list(ADDED)].fillna("")
    assert [tuple(row) for row in together.itertuples(index=False)] == [alone[i] for i in shuffled]


@pytest.mark.fault("G1")
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_marked_and_costs_nothing(text: str) -> None:
    found = match(entries([("IL", "county", text)]))
    check_verdicts(found, found)
    assert found["needs_review"].all()
    row = match(agencies([("IL", text + " Police Department", text, text)]))
    check_verdicts(row, row)
    assert row["needs_review"].all()


def test_every_government_answers_to_its_own_name_or_is_marked() -> None:
    """Over the whole gazetteer: no name of a government is read as another one's in silence."""
    table = frame()
    for unit, level in (("county", "county"), ("place", "place"), ("cousub", "place")):
        part = table[table["unit"] == unit]
        named = pd.DataFrame(
            {"state_abbr": part["state"], "level": level, "text_as_published": part["name"]}, index=part.index
        )
        out = match(named)
        own = [
            code in {geoid, *also.split(";")}
            for code, geoid, also in out[["geoid", "also_geoids"]].itertuples()
        ]
        assert len(own) > 3000
        assert not (~pd.Series(own, index=out.index) & ~out["needs_review"]).any()


def test_no_police_department_is_read_as_another_government_in_silence() -> None:
    table = frame()
    part = table[(table["unit"] == "place") & (table["county_geoids"] != "")]
    assert len(part) > 19_000
    county = part["county_geoids"].str.split(";").str[0].map(table["name"])
    bare = part["name"].str.replace(r" (city|town|village|borough)( \(balance\))?$", "", regex=True)
    rows = pd.DataFrame(
        {
            "state_abbr": part["state"],
            "agency_as_published": bare + " Police Department",
            "county_as_published": county,
            "agency_type_as_published": "Municipality",
        }
    )
    out = match(rows)
    own = [
        code in {geoid, *also.split(";")} for code, geoid, also in out[["geoid", "also_geoids"]].itertuples()
    ]
    wrong = out[~pd.Series(own, index=out.index) & ~out["needs_review"]]
    assert wrong[["state_abbr", "agency_as_published", "geoid"]].values.tolist() == []
    assert out["needs_review"].mean() < 0.05


@pytest.mark.fault("F45")
def test_what_is_smaller_than_a_county_or_no_state_is_never_read_so_in_silence() -> None:
    rows = [
        ("SC", "Charleston County Aviation Authority"),
        ("TX", "Harris County Flood Control District Police"),
        ("LA", "Rapides Parish Ward 1 Marshal's Office"),
        ("OH", "Butler County Fairfield Township Police"),
        ("IN", "Allen County City of New Haven Police"),
        ("PA", "Department of Police, City of Reading"),
        ("OH", "Division of Police, Columbus"),
        ("KY", "Department of Corrections Louisville Metro"),
    ]
    names = pd.DataFrame(rows, columns=["state_abbr", "agency_as_published"])
    verdicts = match(names.assign(county_as_published="", agency_type_as_published=""))
    assert len(verdicts) == 8
    assert (verdicts["needs_review"] | ~verdicts["unit"].isin(["county", "state"])).all()


def test_missing_text_of_any_dtype_yields_a_verdict() -> None:
    texts = pd.Series(["Cook County", pd.NA], dtype="string")
    verdicts = match(pd.DataFrame({"state_abbr": "IL", "level": "county", "text_as_published": texts}))
    assert verdicts["geoid"].tolist()[0] == "17031" and verdicts["needs_review"].tolist() == [False, True]

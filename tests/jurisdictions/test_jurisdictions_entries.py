"""Entries of the lists: every published one, and each kind of name on its own."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.jurisdictions import match
from analysis.sources import lists


@pytest.fixture(scope="module")
def ledger() -> pd.DataFrame:
    return match(lists.read_all())


def verdict(state: object, level: object, text: object) -> pd.Series:
    row = pd.DataFrame({"state_abbr": [state], "level": [level], "text_as_published": [text]})
    return match(row).iloc[0]


def codes(rows: pd.DataFrame) -> set[str]:
    """Every code of the rows' governments."""
    joined = rows["geoid"].fillna("") + ";" + rows["also_geoids"]
    return {code for cell in joined for code in cell.split(";") if code}


def test_every_entry_has_a_verdict(ledger: pd.DataFrame) -> None:
    assert len(ledger) == 1317
    assert (ledger["geoid"].notna() | (ledger["note"] != "")).all()
    assert ((ledger["unit"] == "none") == ledger["geoid"].isna()).all()
    matched = ledger["geoid"].notna() & ~ledger["needs_review"]
    rejected = ledger["geoid"].isna() & ~ledger["needs_review"]
    assert matched.sum() + ledger["needs_review"].sum() + rejected.sum() == 1317


@pytest.mark.fault("F50", "F53")
def test_what_is_in_review_or_rejected(ledger: pd.DataFrame) -> None:
    assert set(ledger.loc[ledger["needs_review"], "text_as_published"]) == {
        "East Hampton",
        "New Paltz",
        "Martinsville County",
    }
    rejected = ledger[ledger["geoid"].isna() & ~ledger["needs_review"]]
    assert (
        set(rejected["text_as_published"]) == {"Represa"} and (rejected["match_type"] == "correction").all()
    )


@pytest.mark.fault("F50", "F51")
def test_the_counts_of_the_main_list(ledger: pd.DataFrame) -> None:
    main = ledger[ledger["vintage"] == "dhs-2025-05-31"]
    assert len(main) == 605
    counties = main[main["unit"] == "county"]
    assert len(counties) == counties["geoid"].nunique() == 392
    assert set(counties.loc[counties["level"] == "place", "geoid"]) == {"20045", "15003"}
    assert len({code for code in codes(main) if len(code) == 5}) == 408
    assert (main["unit"] == "state").sum() == 14
    assert set(main.loc[main["unit"] == "cousub", "text_as_published"]) == {
        *("East Haven", "Hamden", "Windham", "Concord", "Orleans", "Hanover"),
        *("Bloomfield", "Maplewood", "Montclair Township", "North Bergen", "South Orange"),
    }
    boroughs = {"36005", "36047", "36061", "36081", "36085"}
    assert not boroughs & codes(main)


def test_the_lists_agree_on_the_same_government(ledger: pd.DataFrame) -> None:
    for dhs, doj in {"Denver": "Denver, CO", "New York City": "New York City, NY"}.items():
        rows = ledger[ledger["text_as_published"].isin([dhs, doj])]
        assert len(rows) == 5 and len(set(rows["geoid"])) == 1


@pytest.mark.fault("F43", "F48")
@pytest.mark.parametrize(
    ("state", "level", "text", "geoid", "also", "match_type"),
    [
        ("KS", "county", "Lawrence", "2038900", "2004538900", "kind_resolved"),
        ("KS", "place", "Douglas County", "20045", "", "kind_resolved"),
        (
            "DC",
            "place",
            "Self-Identification as Local Sanctuary Jurisdiction",
            "1150000",
            "11001;11",
            "alias",
        ),
        ("DC", "state", "District of Columbia", "1150000", "11001;11", "exact"),
        ("LA", "place", "New Orleans/Orleans (Parish)", "2255000", "22071", "kind_resolved"),
        ("HI", "place", "City of Honolulu", "15003", "", "alias"),
        ("AK", "place", "City of Anchorage", "0203000", "02020", "kind_resolved"),
        ("CA", "county", "San Francisco County", "06075", "0667000", "exact"),
        ("CA", "place", "San Francisco", "0667000", "06075", "exact"),
        ("GA", "county", "Athens-Clarke County", "13059", "1303440", "normalised"),
        ("GA", "place", "Athens", "1303440", "13059", "alias"),
        ("KY", "county", "Jefferson County", "21111", "2148006", "exact"),
        ("MD", "place", "Baltimore City", "2404000", "24510", "normalised"),
        ("MD", "county", "Baltimore County, MD", "24005", "", "exact"),
        ("VA", "place", "Richmond", "5167000", "51760", "exact"),
        ("VA", "county", "Richmond County", "51159", "", "exact"),
        ("NY", "place", "New York City", "3651000", "", "normalised"),
        ("ID", "place", "City of Boise", "1608830", "", "alias"),
        ("CA", "place", "Ventura", "0665042", "", "alias"),
        ("NJ", "place", "Montclair Township", "3401347500", "", "normalised"),
        ("NJ", "place", "Princeton", "3460900", "3402160900", "exact"),
        ("KY", "county", "Cambell County", "21037", "", "correction"),
        ("NE", "county", "Greenley County", "31077", "", "correction"),
        ("NM", "county", "DeBaca County", "35011", "", "normalised"),
        ("IL", "state", "Illinois", "17", "", "exact"),
        ("IL", "state", "ILLINOIS", "17", "", "normalised"),
        ("IL", "state", "illinois", "17", "", "normalised"),
        ("IL", "county", "Cook Couny", "17031", "", "fuzzy"),
        ("RI", "state", "Court Order Requiring State Sanctuary Requirements", "44", "", "alias"),
    ],
)
def test_kinds(state: str, level: str, text: str, geoid: str, also: str, match_type: str) -> None:
    found = verdict(state, level, text)
    assert (found["geoid"], found["also_geoids"], found["match_type"]) == (geoid, also, match_type)
    assert not found["needs_review"]


@pytest.mark.parametrize(
    ("state", "level", "text", "reason"),
    [
        ("VA", "county", "Richmond", "more than one government"),
        ("MD", "county", "Baltimore", "Baltimore city (24510)"),
        ("VA", "county", "Martinsville County", "no county of that name"),
        ("NY", "place", "East Hampton", "Town of East Hampton (3610322194)"),
        ("PA", "place", "Washington Township", "more than one government"),
        ("MD", "place", "Silver Spring", "census designated place"),
        ("CA", "place", "Self-Identification as Local Sanctuary Jurisdiction", "does not say whose"),
        ("IL", "county", "Cook County, GA", "the text says GA"),
        ("CA", "place", "San Jose/Oakland", "not one government"),
        ("IL", "place", "Cook Couny", "'couny' read as county"),
        ("CA", "place", None, "no name"),
        ("CA", "place", "a" * 200, "no government of that name"),
        ("CA", "place", "a" * 201, "too long"),
        (None, "place", "Fresno", "no state"),
        ("CA", "borough", "Fresno", "unknown heading"),
    ],
)
def test_what_goes_to_review_says_why(state: object, level: str, text: object, reason: str) -> None:
    found = verdict(state, level, text)
    assert found["needs_review"] and reason in found["note"]


def test_other_columns_index_and_order_pass_through() -> None:
    rows = pd.DataFrame(
        {
            "state_abbr": ["IL", "CA", "IL"],
            "level": ["county", "place", "county"],
            "text_as_published": ["Cook County", "Fresno", "Cook County"],
            "note": ["theirs", "theirs", "theirs"],
            "x": [1, 2, 3],
        },
        index=[7, 3, 7],
    )
    before = rows.copy()
    out = match(rows)
    assert list(out.index) == [7, 3, 7] and list(out["x"]) == [1, 2, 3]
    assert list(out["geoid"]) == ["17031", "0627000", "17031"] and list(out["note"]) == ["", "", ""]
    assert out["needs_review"].dtype == bool
    pd.testing.assert_frame_equal(rows, before)


def test_no_rows_give_no_rows() -> None:
    empty = pd.DataFrame({"state_abbr": [], "level": [], "text_as_published": []})
    assert len(match(empty)) == 0 and "geoid" in match(empty)


def test_a_frame_of_neither_shape_is_an_error() -> None:
    with pytest.raises(DataError, match="text_as_published"):
        match(pd.DataFrame({"state_abbr": ["IL"]}))


def test_what_is_no_table_of_names_is_refused() -> None:
    for given in (None, [], "Cook County", pd.Series(["Cook County"])):
        with pytest.raises(DataError, match="a DataFrame was expected"):
            match(given)
    rows = pd.DataFrame({"state_abbr": ["IL"], "level": ["County"], "text_as_published": ["Cook County"]})
    with pytest.raises(DataError, match=r"level.*twice"):
        match(pd.concat([rows, rows[["level"]]], axis=1))


@pytest.mark.parametrize(
    ("state", "text", "code"),
    [
        ("MA", "Commonwealth of Massachusetts", "25"),
        ("KY", "Commonwealth of Kentucky", "21"),
        ("NY", "New York State", "36"),
        ("DE", "The State of Delaware", "10"),
        ("CA", "CA", "06"),
        ("CO", "CO", "08"),
    ],
)
def test_a_state_in_its_own_style(state: str, text: str, code: str) -> None:
    row = match(pd.DataFrame({"state_abbr": [state], "level": "state", "text_as_published": text})).iloc[0]
    assert (row["geoid"], row["unit"], row["needs_review"]) == (code, "state", False)

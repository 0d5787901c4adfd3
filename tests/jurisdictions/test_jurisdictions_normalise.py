"""Spellings that must be equal, kind words that must be kept, and idempotence on any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.jurisdictions.gazetteer import split_place_name
from analysis.jurisdictions.normalise import Reading, key, normalise, readings, split_state, state_of

EQUAL = [
    ("DeKalb County", "De Kalb County"),
    ("DeBaca County", "De Baca County"),
    ("LaSalle County", "La Salle  county"),
    ("Miami-Dade", "MIAMI DADE"),
    ("Doña Ana County", "Dona Ana County"),
    ("St. Louis", "Saint Louis"),
    ("Ste. Genevieve", "Sainte Genevieve"),
    ("Ft. Myers", "Fort Myers"),
    ("Mt Vernon", "Mount Vernon"),
    ("Prince George's", "Prince George’s"),
    ("Howey in the Hills", "Howey-in-the-Hills"),
    ("Orleans (Parish)", "Orleans Parish"),
    ("Fish & Wildlife", "Fish and Wildlife"),
    ("ｃｏｏｋ Ｃｏｕｎｔｙ", "Cook County"),
    ("Cook\u200b County", "Cook County"),
]


@pytest.mark.fault("F46", "F47")
@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_spellings_of_one_name_are_equal(one: str, other: str) -> None:
    assert key(one) == key(other) != ""


@pytest.mark.fault("F43")
def test_kind_words_tell_names_apart() -> None:
    names = ["Baltimore", "Baltimore County", "Baltimore City", "Baltimore Township", "City of Baltimore"]
    assert len({key(name) for name in names}) == len(names)


def test_readings_offer_the_whole_name_first() -> None:
    assert readings("Culver City") == [Reading("culvercity", None), Reading("culver", "city")]
    assert readings("City of St. Cloud")[1] == Reading("saintcloud", "city")
    assert readings("Meridian Charter Township")[1] == Reading("meridian", "township")
    assert readings("County")[1:] == []


@pytest.mark.parametrize(
    ("text", "head", "state"),
    [
        ("Baltimore County, MD", "Baltimore County", "MD"),
        ("Cook County, Illinois", "Cook County", "IL"),
        ("Lynchburg, Moore County", "Lynchburg, Moore County", None),
        (", MD", ", MD", None),
    ],
)
def test_the_state_behind_a_comma(text: str, head: str, state: str | None) -> None:
    assert split_state(text) == (head, state)


def test_states_by_name_and_abbreviation() -> None:
    assert state_of(" nm ") == state_of("New  Mexico") == "NM"
    assert state_of("XX") is None and state_of(None) is None


@pytest.mark.parametrize(
    ("official", "parts"),
    [
        ("Boise City city", ("Boise City", [], "city")),
        ("San Buenaventura (Ventura) city", ("San Buenaventura", ["Ventura"], "city")),
        ("Indianapolis city (balance)", ("Indianapolis", [], "city")),
        ("Juneau city and borough", ("Juneau", [], "city and borough")),
        ("Amherst Town city", ("Amherst Town", ["Amherst"], "city")),
        ("Macon-Bibb County", ("Macon-Bibb County", ["Macon-Bibb", "Macon"], "consolidated")),
        (
            "Nashville-Davidson metropolitan government (balance)",
            ("Nashville-Davidson", ["Nashville"], "consolidated"),
        ),
        ("Princeton", ("Princeton", [], "city")),
    ],
)
def test_official_place_names_are_taken_apart(official: str, parts: tuple) -> None:
    assert split_place_name(official) == parts


@pytest.mark.fault("F47")
@given(st.text(max_size=60))
def test_normalising_twice_is_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert key(once) == key(text)


@pytest.mark.parametrize("value", [None, float("nan"), 3, 2.5, b"x", "\x00\x1b", "🎉", "‮abc", "x" * 10_000])
def test_anything_is_text(value: object) -> None:
    assert isinstance(normalise(value), str)
    assert readings(value)

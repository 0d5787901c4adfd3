"""The guarded fuzzy tier: near spellings of one state and kind, for review unless another field agrees."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.jurisdictions import fuzzy, match
from analysis.jurisdictions.gazetteer import Gazetteer, gazetteer


@pytest.fixture(scope="module")
def gaz() -> Gazetteer:
    return gazetteer()


def entry(state: str, level: str, text: str) -> pd.Series:
    row = {"state_abbr": [state], "level": [level], "text_as_published": [text]}
    return match(pd.DataFrame(row)).iloc[0]


def agency(state: str, name: str, county: str = "") -> pd.Series:
    row = {"state_abbr": [state], "agency_as_published": [name], "county_as_published": [county]}
    return match(pd.DataFrame(row | {"agency_type_as_published": [""]})).iloc[0]


@pytest.mark.fault("F48")
@pytest.mark.parametrize(
    ("state", "level", "text", "geoid"),
    [
        ("WV", "county", "Kenawha County", "54039"),
        ("AR", "county", "Pulaksi County", "05119"),
        ("PA", "county", "Philadelhpia County", "42101"),
        ("CA", "place", "Los Angelas", "0644000"),
        ("WA", "place", "Seatle", "5363000"),
        ("CO", "place", "Northglen", "0854330"),
    ],
)
def test_a_misspelt_entry_is_found_and_reviewed(state: str, level: str, text: str, geoid: str) -> None:
    found = entry(state, level, text)
    assert (found["geoid"], found["match_type"], found["needs_review"]) == (geoid, "fuzzy", True)
    assert geoid in found["note"] and "0." in found["note"]


@pytest.mark.parametrize(
    ("state", "name", "county", "geoid", "review"),
    [
        ("WV", "Kenawha County Sheriff's Office", "Kanawha County", "54039", False),
        ("WV", "Kenawha County Sheriff's Office", "Kenawha County", "54039", True),
        ("WV", "Kenawha County Sheriff's Office", "Putnam County", "54039", True),
        ("FL", "Lake Conty Sheriff's Office", "Lake Conty", "12069", False),
        ("FL", "Lake Couty Sheriff's Office", "#N/A", "12069", True),
        ("TX", "Lampass Police Department", "Lampasas County", "4841188", False),
        ("TX", "Lampass Police Department", "#N/A", "4841188", True),
    ],
)
def test_only_another_field_settles_it(state: str, name: str, county: str, geoid: str, review: bool) -> None:
    found = agency(state, name, county)
    assert (found["geoid"], found["match_type"], found["needs_review"]) == (geoid, "fuzzy", review)


@pytest.mark.parametrize(
    ("state", "level", "text"),
    [
        ("MT", "county", "Dawes County"),  # a county of Nebraska: a wrong state, not a wrong letter
        ("NJ", "place", "Sout Orange"),  # the direction is a generic word
        ("FL", "place", "Kendall"),  # a designated place's own name
        ("VA", "county", "Martinsville County"),  # a city's own name
        ("IL", "county", "Lake"),
        ("OH", "place", "North Park"),
        ("CA", "place", "District 9"),
    ],
)
def test_no_near_spelling_where_none_is_meant(gaz: Gazetteer, state: str, level: str, text: str) -> None:
    assert fuzzy.nearest(gaz, state, text, level) == fuzzy.NOTHING


def test_two_that_are_as_near_are_both_named_and_neither_is_chosen(gaz: Gazetteer) -> None:
    near = fuzzy.nearest(gaz, "NY", "Rochestor", "place")
    assert near.winner is None and len(near.candidates) >= 2
    found = entry("NY", "place", "Rochestor")
    assert pd.isna(found["geoid"]) and found["needs_review"]
    assert "3663000" in found["note"] and "3611163011" in found["note"]


def test_a_misspelt_county_column_can_contradict_and_cannot_confirm() -> None:
    agrees = agency("IN", "Angola Police Department", "Stueben County")
    assert not agrees["needs_review"] and "nearly Steuben County" in agrees["note"]
    against = agency("FL", "Bunnell Police Department", "Brevrad County")
    assert against["needs_review"] and "nearly Brevard County" in against["note"]


def test_county_and_city_of_another_state_put_the_state_in_doubt() -> None:
    found = agency("AR", "Texarkana Police Department", "Bowie County")
    assert found["geoid"] == "0568810" and found["needs_review"] and "of TX" in found["note"]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("PENNSLYVANIA", "PA"),
        ("UTAHJ", "UT"),
        ("WEST VIRIGINIA", "WV"),
        ("AKANSAS", None),  # Arkansas and Kansas are one letter away
        ("Ohi", None),
        ("", None),
    ],
)
def test_a_state_of_one_wrong_letter(text: str, state: str | None) -> None:
    assert fuzzy.state_meant(text) == state
    if state:
        assert agency(text, "Jefferson County Sheriff's Office")["needs_review"]


@pytest.mark.fault("F45")
@pytest.mark.parametrize(
    ("state", "name", "county"),
    [
        ("LA", "Bossier City Marshal", "Bossier Parish"),
        ("AR", "Fisher Police Department", "Poinsett County"),
        ("NJ", "Deptford Township Police Department", "Gloucester County"),
        ("PA", "Parks Township Police Department", "Armstrong County"),
    ],
)
def test_a_city_is_neither_its_county_nor_its_state(state: str, name: str, county: str) -> None:
    assert agency(state, name, county)["unit"] in {"place", "cousub"}


def test_a_tribe_is_no_county() -> None:
    found = agency("OK", "Osage Nation Police Department", "Osage County")
    assert found["unit"] == "part_of_county" and found["needs_review"] and "tribe" in found["note"]


@pytest.mark.fault("F44")
@pytest.mark.parametrize(
    ("state", "text", "code"),
    [
        ("KY", "Greene", "21087"),
        ("PA", "Green", "42059"),
        ("OH", "Clarke", "39023"),
        ("NC", "Johnson", "37101"),
    ],
)
def test_another_states_county_is_near_the_states_own_and_for_review(
    state: str, text: str, code: str
) -> None:
    row = match(pd.DataFrame({"state_abbr": [state], "level": "county", "text_as_published": text})).iloc[0]
    assert (row["geoid"], row["match_type"], row["needs_review"]) == (code, "fuzzy", True)


def test_the_nearest_of_several_is_chosen_if_it_is_clearly_so() -> None:
    gaz = gazetteer()

    def decided(**scores: float) -> tuple[str | None, list[str]]:
        near = fuzzy._decide(gaz, {code.removeprefix("c"): score for code, score in scores.items()}, None)
        return near.winner and near.winner.geoid, [g.geoid for g, _ in near.candidates]

    assert decided(c17031=0.82, c17043=0.95, c17097=0.81) == ("17043", ["17043", "17031", "17097"])
    assert decided(c17031=0.90, c17043=0.95) == (None, ["17043", "17031"])
    assert decided(c17031=0.80) == ("17031", ["17031"]) and decided(c17031=0.79) == (None, ["17031"])

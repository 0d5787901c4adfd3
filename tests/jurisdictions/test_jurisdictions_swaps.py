"""What is swapped in a row that was read without doubt is seen: COUNTY, TYPE, STATE, a letter, a kind word."""

from __future__ import annotations

import random

import pandas as pd
import pytest

from analysis.jurisdictions import match
from analysis.jurisdictions.gazetteer import frame, gazetteer
from analysis.jurisdictions.match import AGENCY
from analysis.jurisdictions.normalise import key
from analysis.sources import rosters

ROWS = 400


@pytest.fixture(scope="module")
def settled() -> pd.DataFrame:
    """Distinct rows of the rosters, settled on a county, city or township, with what they were settled on."""
    found = match(rosters.read_all().drop_duplicates(list(AGENCY)))
    found = found[~found["needs_review"] & found["unit"].isin(["county", "place", "cousub"])]
    found = found[found["match_type"] != "correction"].sample(ROWS, random_state=0)
    return found.rename(columns={"geoid": "answer"})[[*AGENCY, "answer"]].reset_index(drop=True)


@pytest.fixture(scope="module")
def governments() -> pd.DataFrame:
    return frame()


def silent(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that are settled on something else than their answer."""
    found = match(rows)
    assert len(found) == ROWS
    return found[~found["needs_review"] & found["geoid"].notna() & (found["geoid"] != found["answer"])]


def test_another_county_of_the_state_is_a_contradiction(
    settled: pd.DataFrame, governments: pd.DataFrame
) -> None:
    counties = governments[governments["unit"] == "county"].groupby("state")["name"].agg(list)
    draw = random.Random(1)
    swapped = [draw.choice(counties[state]) for state in settled["state_abbr"]]
    rows = settled.assign(county_as_published=swapped)
    own = gazetteer().by_geoid
    for row in silent(rows).itertuples():  # a namesake in that very county: Jackson Township
        assert row.county_as_published in {own[code].name for code in own[row.geoid].counties}
    found = match(rows)
    outside = [
        name not in {own[code].name for code in own[answer].counties}
        for name, answer in zip(swapped, settled["answer"], strict=True)
    ]
    assert sum(outside) > 350 and found.loc[outside, "needs_review"].mean() > 0.99


def test_another_type_changes_no_answer(settled: pd.DataFrame) -> None:
    draw = random.Random(2)
    types = [draw.choice(["County", "Municipality", "State Agency", "", "#NA"]) for _ in range(ROWS)]
    found = match(settled.assign(agency_type_as_published=types))
    assert (found["geoid"] == found["answer"]).mean() == 1.0


def test_a_wrong_letter_settles_nothing_else(settled: pd.DataFrame) -> None:
    draw = random.Random(3)
    rows = settled.assign(
        agency_as_published=[_misspelt(name, draw) for name in settled["agency_as_published"]]
    )
    wrong = silent(rows)
    assert len(wrong) <= 0.01 * ROWS, wrong[["state_abbr", "agency_as_published", "geoid"]].values.tolist()


def _misspelt(name: str, draw: random.Random) -> str:
    """A name with two letters exchanged or one left out, not its first."""
    at = draw.randrange(1, max(2, len(name) - 2))
    return name[:at] + draw.choice([name[at + 1], name[at + 1] + name[at]]) + name[at + 2 :]


@pytest.mark.fault("F44")
def test_another_state_settles_only_what_bears_the_name_there(settled: pd.DataFrame) -> None:
    draw = random.Random(4)
    states = sorted(set(settled["state_abbr"]))
    swapped = [draw.choice([s for s in states if s != own]) for own in settled["state_abbr"]]
    wrong = silent(settled.assign(state_abbr=swapped))
    names = gazetteer().by_geoid
    for row in wrong.itertuples():
        bare = key(names[row.geoid].names[0])
        assert bare in key(row.agency_as_published) and row.geoid.startswith(names[row.geoid].geoid[:2])


@pytest.mark.fault("F43")
def test_a_city_by_its_countys_name_is_never_settled() -> None:
    linked = [g for g in gazetteer().by_geoid.values() if g.unit == "county" and g.place_code]
    pairs = [(g, gazetteer().by_geoid[g.place_code]) for g in linked]
    other = [g for g, at in pairs if key(g.names[0]) != key(at.names[0]) and g.state != "DC"]
    assert len(other) >= 20
    found = match(
        pd.DataFrame(
            {
                "state_abbr": [g.state for g in other],
                "level": "place",
                "text_as_published": [g.names[0] for g in other],
            }
        )
    )
    taken = found["geoid"].isin([g.place_code for g in other]) & ~found["needs_review"]
    assert not taken.any()


def test_a_kind_word_that_no_municipality_has_is_never_settled(governments: pd.DataFrame) -> None:
    places = governments[(governments["unit"] == "place") & (governments["kind"] == "village")]
    places = places[~places["state"].isin(["CT", "MA", "RI"])].sample(ROWS, random_state=5)
    bare = places["name"].str.replace(" village", "")
    found = match(
        pd.DataFrame(
            {"state_abbr": places["state"], "level": "place", "text_as_published": "City of " + bare}
        )
    )
    kinds = found["geoid"].map(governments["kind"])
    assert len(found) == ROWS
    assert (found["needs_review"] | (kinds == "city")).all()

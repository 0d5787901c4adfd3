"""Rows of the rosters: every published one, the checked answers, and each kind of agency on its own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.jurisdictions import match
from analysis.sources import rosters

GOLD = Path(__file__).resolve().parents[3] / "shared" / "data" / "agency_gold.csv"


def verdict(state: str, agency: object, county: object = "", kind: object = "") -> pd.Series:
    row = {"state_abbr": state, "agency_as_published": agency}
    row |= {"county_as_published": county, "agency_type_as_published": kind}
    return match(pd.DataFrame([row])).iloc[0]


@pytest.fixture(scope="module")
def ledger() -> pd.DataFrame:
    return match(rosters.read_all())


@pytest.mark.fault("F53")
def test_every_row_has_a_verdict(ledger: pd.DataFrame) -> None:
    assert len(ledger) == 10_548
    assert ((ledger["unit"] == "none") == ledger["geoid"].isna()).all()
    assert ledger.loc[ledger["geoid"].isna(), "note"].ne("").all()
    assert ledger["needs_review"].mean() < 0.02


def test_codes_have_the_width_of_their_unit(ledger: pd.DataFrame) -> None:
    widths = {"state": 2, "county": 5, "place": 7, "cousub": 10, "part_of_county": 5}
    for unit, width in widths.items():
        found = ledger.loc[ledger["unit"] == unit, "geoid"]
        assert len(found) > 10 and (found.str.len() == width).all()
    several = ledger.loc[ledger["unit"] == "counties", "geoid"].unique()
    assert len(several) >= 5
    for cell in several:
        parts = cell.split(";")
        assert len(parts) > 1 and parts == sorted(set(parts)) and {len(part) for part in parts} == {5}


@pytest.mark.skipif(not GOLD.is_file(), reason="the checked answers lie outside the repository")
def test_checked_answers() -> None:
    gold = pd.read_csv(GOLD, dtype="str", keep_default_na=False)
    assert len(gold) >= 60
    found = match(gold)
    unit = gold["answer_level"].replace({"multi_county": "counties"})
    right = (found["geoid"] == gold["answer_geoid"]) & (found["unit"] == unit)
    assert right[unit == "county"].mean() >= 0.97
    assert right.mean() >= 0.95
    assert (~right & ~found["needs_review"]).mean() <= 0.01


@pytest.mark.parametrize(
    ("state", "agency", "county", "kind", "unit", "geoid"),
    [
        ("NC", "Cabarrus County Sheriff's Office", "Cabarrus County ", "County", "county", "37025"),
        ("LA", "St. Charles Parish Sheriff's Office", "German Coast County", "County", "county", "22089"),
        ("VA", "Hopewell County Sheriff's Office", "Hopewell County", "County", "county", "51670"),
        ("VA", "Bedford County Sheriff's Office", "Bedford County", "County", "county", "51019"),
        ("FL", "Jacksonville Sheriff's Office", "", "", "county", "12031"),
        ("GA", "Athens-Clarke County Police Department", "Clarke County", "County", "county", "13059"),
        ("FL", "Gulf County Board of County Commissioners /Detention Facility", "#NA", "", "county", "12045"),
        ("PA", "County of Franklin / Franklin County Jail", "Franklin County", "", "county", "42055"),
        ("NY", "Nassau County Police Department", "Nassau County", "County", "county", "36059"),
        ("FL", "City of Miami Police Department", "#NA", "Municipality", "place", "1245000"),
        ("FL", "Palm Beach Police Department", "#N/A", "Municipality", "place", "1254025"),
        ("SC", "North Police Department", "Orangeburg County", "Municipality", "place", "4550560"),
        ("FL", "Daytona Beach Shores Public Safety", "#N/A", "Municipality", "place", "1216550"),
        ("TX", "College Station Police Department", "Brazos County", "Municipality", "place", "4815976"),
        ("AR", "Ashdown City Police Department", "Little River County", "Municipality", "place", "0502380"),
        ("NH", "Troy Police Department", "#N/A", "Municipality", "cousub", "3300577380"),
        ("PA", "Mahoning TWP Police Department - Montour", "Montour County", "", "cousub", "4209346656"),
        ("PA", "Mahoning Township Police Department", "Lawrence", "", "cousub", "4207346648"),
        ("PA", "Constable Unity Township", "Westmoreland County", "County", "cousub", "4212978656"),
        ("AK", "Department of Corrections", "", "", "state", "02"),
        ("WV", "West Virginia State Police Department", "Washington County", "Municipality", "state", "54"),
        ("ID", "Idaho State Police", "Jerome County", "State Agency", "state", "16"),
        ("GU", "Office Of The Attorney General", "Kattan District", "State", "state", "66"),
        ("TX", "Walker County Constable Pct 3", "Walker County", "County", "part_of_county", "48471"),
        ("PA", "Lower Burrell Fourth Ward Constable", "#N/A", "", "part_of_county", "42129"),
        ("FL", "Lee County Port Authority Police", "Lee County", "County", "part_of_county", "12071"),
        ("FL", "University of Florida Police Department", "#N/A", "", "part_of_county", "12001"),
        ("PA", "Eastern Pike Regional Police Department", "Pike County", "", "part_of_county", "42103"),
        (
            "PA",
            "Greene Washington Regional Police Department",
            "Greene County",
            "",
            "counties",
            "42059;42125",
        ),
        ("FL", "Office of the State Attorney, Sixth Judicial Circuit", "#NA", "", "counties", "12101;12103"),
        ("MI", "Berrian County Sheriff's Office", "Berrian County", "County", "county", "26021"),
        ("NH", "Pittsburgh Police Department", "#N/A", "Municipality", "cousub", "3300761780"),
    ],
)
def test_kinds(state: str, agency: str, county: str, kind: str, unit: str, geoid: str) -> None:
    found = verdict(state, agency, county, kind)
    assert (found["unit"], found["geoid"], found["needs_review"]) == (unit, geoid, False)


@pytest.mark.fault("F53")
@pytest.mark.parametrize(
    ("state", "agency", "county", "geoid", "reason"),
    [
        ("PA", "Bradford County Sheriff's Office", "Bedford County", "42015", "COUNTY says Bedford County"),
        ("GA", "Monroe Police Department", "Monroe County", "1352192", "COUNTY says Monroe County"),
        ("MN", "Dade County Sheriff's Office", "Anoka County", "27003", "MN has no dade county"),
        ("MT", "Crow Wing County Sheriff's Office", "", "27035", "MN alone has one"),
        ("KS", "Lake County Sheriff's Office", "", None, "counties so called"),
        ("PA", "Springfield Township Police Department", "#N/A", None, "more than one government"),
        ("NY", "Newburgh Police Department", "Orange County", "3650034", "Town of Newburgh"),
        ("PA", "Butler Police Department", "Luzerne County", "4207910480", "Butler city"),
        ("MI", "Curtis Police Department", "#N/A", "2600119320", "only Township of Curtis bears the name"),
        ("TN", "23rd Judicial District Drug Task Force", "Dickson County", None, "are not known"),
        ("VA", "Blue Ridge Regional Jail", "", None, "a region whose counties are not known"),
        ("OH", "Example University Police", "Franklin County", "39049", "COUNTY's"),
        ("OR", "Idaho State Police", "", None, "an agency of Idaho under OR"),
        ("VA", "Richmond Sheriff's Office", "", None, "more than one government"),
        ("FL", "Police Department", "Lake County", None, "not named"),
        ("FL", "Lake County", "#N/A", "12069", ""),
    ],
)
def test_contradictions_and_gaps_go_to_review(
    state: str, agency: str, county: str, geoid: str | None, reason: str
) -> None:
    found = verdict(state, agency, county)
    assert reason in found["note"]
    assert found["geoid"] == geoid if geoid else pd.isna(found["geoid"])
    assert found["needs_review"] or agency == "Lake County"


def test_county_chooses_between_governments_of_one_name() -> None:
    springfields = {
        county: verdict("PA", "Springfield Township Police Department", county)["geoid"]
        for county in ("Montgomery County", "Delaware County", "Bucks County")
    }
    assert len(set(springfields.values())) == 3
    assert {code[:5] for code in springfields.values()} == {"42091", "42045", "42017"}
    assert verdict("VA", "Richmond Sheriff's Office", "Richmond County")["geoid"] == "51159"


@pytest.mark.parametrize(
    ("state", "agency", "county", "code", "review"),
    [
        ("FL", "Okaloosa Board of County Commissioners", "Okaloosa", "12091", False),
        ("FL", "Escambia Board of County Commissioners", "Okaloosa", "12033", True),
        ("MO", "Washington University Police Department", "Franklin", "29071", True),
        ("MI", "Lansing Community College Police", "Eaton", "26045", True),
        ("NC", "Stanley County Sheriff", "#N/A", "37167", True),
        ("GA", "Polk County Sheriff's Office", "Hillsborough County", "13233", True),
        ("KY", "Oldham Detention Center", "#N/A", "21185", False),
        ("IN", "Clay Jail", "Clay County", "18021", False),
        ("IN", "Monroe Jail", "#N/A", "18105", True),
        ("KY", "Louisville Metro Police Department", "Jefferson County", "2148006", False),
        ("KY", "Louisville Metro Police Department", "Fayette County", "2148006", True),
        ("MN", "Dade County Sheriff's Office", "Anoka County", "27003", True),
    ],
)
def test_commissioners_campuses_and_counties_of_other_states(
    state: str, agency: str, county: str, code: str, review: bool
) -> None:
    row = {"state_abbr": state, "agency_as_published": agency, "county_as_published": county}
    said = match(pd.DataFrame([{**row, "agency_type_as_published": "County"}])).iloc[0]
    assert (said["geoid"], said["needs_review"]) == (code, review)

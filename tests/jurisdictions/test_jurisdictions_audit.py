"""Oddities of entries and changes between lists, against the counts that the lists' compilers state."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.jurisdictions import audit, corrections, vintages
from analysis.jurisdictions.gazetteer import frame, gazetteer
from analysis.jurisdictions.stage import ledger, roster_ledger
from analysis.sources import lists, rosters

MAIN = "dhs-2025-05-31"


@pytest.fixture(scope="module")
def entries() -> pd.DataFrame:
    return ledger(lists.read_all(), frame()["name"].to_dict())


@pytest.fixture(scope="module")
def oddities(entries: pd.DataFrame) -> pd.DataFrame:
    agencies = roster_ledger(rosters.read_all())
    return audit.entry_audit(entries, agencies, corrections.read("entry_oddities"), gazetteer())


def of_kind(oddities: pd.DataFrame, kind: str, vintage: str = MAIN) -> pd.DataFrame:
    rows = oddities[(oddities["kind"] == kind) & (oddities["vintage"] == vintage)]
    assert len(rows) > 0
    return rows


def test_every_oddity_is_of_a_printed_entry_and_has_evidence(
    entries: pd.DataFrame, oddities: pd.DataFrame
) -> None:
    printed = set(zip(entries["vintage"], entries["text_as_published"], strict=True))
    assert len(oddities) > 300 and not oddities.duplicated().any()
    assert set(zip(oddities["vintage"], oddities["entry"], strict=True)) <= printed
    assert (oddities["evidence"] != "").all() and oddities["source_url"].str.startswith("http").all()


def test_seven_names_of_cities_are_in_several_states(oddities: pd.DataFrame) -> None:
    rows = of_kind(oddities, "name in several states")
    cities = rows[rows["level"] == "place"]
    found = cities.groupby(cities["entry"].map(audit.bare))["state_abbr"].agg(lambda s: "/".join(sorted(s)))
    assert found.to_dict() == {
        **{"albany": "CA/NY", "camden": "DE/NJ", "concord": "CA/MA", "newark": "CA/DE/NJ"},
        **{"portland": "ME/OR", "richmond": "CA/VA", "union": "CA/NJ"},
    }


@pytest.mark.fault("F44")
def test_county_names_in_several_states(oddities: pd.DataFrame) -> None:
    """38 names after folding, 37 by the printed text, as the compilation counts them."""
    rows = of_kind(oddities, "name in several states")
    counties = rows[rows["level"] == "county"]
    by_name = counties.groupby(counties["entry"].map(audit.bare))["state_abbr"].agg(set)
    assert len(by_name) == 38
    assert by_name["warren"] == {"IL", "NJ", "NY", "OH", "VA"}
    exact = counties.groupby("entry")["state_abbr"].nunique()
    assert (exact > 1).sum() == 37


def test_eighteen_pairs_of_a_city_and_a_county(oddities: pd.DataFrame) -> None:
    rows = of_kind(oddities, "same name twice in a state")
    pairs = rows.groupby(["state_abbr", rows["entry"].map(audit.bare)])["level"].agg(set)
    assert len(pairs) == 18 and (pairs.map(len) == 2).all()
    assert {("VA", "tazewell"), ("MD", "baltimore"), ("NM", "santafe"), ("CO", "eagle")} <= set(pairs.index)


@pytest.mark.fault("F50")
@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("wrong heading", {"Lawrence", "Douglas County"}),
        ("no such unit", {"Represa"}),
        ("declared the other way", {"Huntington Beach", "Garfield County", "Bent County"}),
        (
            "one government twice",
            {
                *("Athens", "Athens-Clarke County", "Louisville", "Jefferson County"),
                *("San Francisco", "San Francisco County", "Denver", "Denver County"),
            },
        ),
    ],
)
def test_the_documented_oddities_are_found(oddities: pd.DataFrame, kind: str, named: set[str]) -> None:
    assert set(of_kind(oddities, kind)["entry"]) == named


def test_an_oddity_found_by_a_reader_is_that_of_one_state_and_heading() -> None:
    entries = pd.DataFrame(
        [("NY", "county"), ("PA", "county"), ("NY", "place")], columns=["state_abbr", "level"]
    ).assign(bare="orange", name="Orange County")
    found = pd.DataFrame(
        [("NY", "county", "Orange County", "wrong kind", "seen", "https://example.org")],
        columns=["state_abbr", "level", "key", "value", "reason", "source_url"],
    )
    rows = [(row.state_abbr, row.level, kind) for row, kind, _, _ in audit._by_hand(entries, found)]
    assert rows == [("NY", "county", "wrong kind")]


def test_first_printing(oddities: pd.DataFrame) -> None:
    first = "dhs-2025-05-29"
    assert set(of_kind(oddities, "misspelt", first)["entry"]) == {
        *("Cambell County", "Greenley County", "Cincinnatti", "Tacoma Park"),
    }
    assert set(of_kind(oddities, "no such unit", first)["entry"]) == {"Represa", "Martinsville County"}


def test_a_name_without_a_unit_is_the_government_that_it_names_again(oddities: pd.DataFrame) -> None:
    twice = of_kind(oddities, "one government twice", "dhs-2025-05-29")
    assert {"Martinsville", "Martinsville County"} <= set(twice["entry"])
    assert "Martinsville" not in set(of_kind(oddities, "one government twice")["entry"])


def test_towns_and_villages_under_cities(oddities: pd.DataFrame) -> None:
    small = {"Abingdon", "Duffield", "Tazewell", "State College", "Gettysburg", "Oak Park Village", "Skokie"}
    assert small <= set(of_kind(oddities, "wrong kind")["entry"])


@pytest.mark.fault("F61")
def test_changes_between_lists(entries: pd.DataFrame) -> None:
    compared = vintages.pairs(entries["vintage"].unique())
    assert compared[0] == ("dhs-2025-05-29", MAIN) and compared[-1] == (MAIN, "doj-2025-08-05")
    table = vintages.changes(entries, compared)
    assert list(table.columns[:5]) == ["government", "level", "from", "to", "change"]
    first = table[table["from"] == "dhs-2025-05-29"]
    assert first["change"].value_counts().to_dict() == {"left": 5, "spelling": 4}
    assert set(table.loc[table["from"] == "doj-2025-08-05", "government"]) == {"Nevada"}
    assert set(table.loc[table["from"] == "doj-2025-09-26", "government"]) == {"Baltimore County"}
    to_doj = table[table["to"] == "doj-2025-08-05"]
    assert set(to_doj.loc[to_doj["change"] == "entered", "government"]) == {"Nevada"}
    assert "Washington city" in set(to_doj.loc[to_doj["change"] == "kind", "government"])


@pytest.mark.fault("F53")
def test_entered_and_left_add_up(entries: pd.DataFrame) -> None:
    compared = vintages.pairs(entries["vintage"].unique())
    table = vintages.changes(entries, compared)
    for before, after in compared:
        own = table[(table["from"] == before) & (table["to"] == after)]["change"].value_counts()
        sizes = [len(vintages.by_government(entries[entries["vintage"] == v])) for v in (before, after)]
        assert min(sizes) > 30
        assert sizes[0] - own.get("left", 0) + own.get("entered", 0) == sizes[1]


def test_agreement_of_two_lists(entries: pd.DataFrame) -> None:
    units = vintages.units_by_level(frame())
    assert len(units["state"]) == 51 and len(units["county"]) == 3144
    table = vintages.agreement(entries, units, [(MAIN, "doj-2025-08-05")]).set_index("level")
    cells = table[["both", "only_from", "only_to", "neither"]].sum(axis=1)
    assert len(table) == 3 and (cells == table["units"]).all()
    assert table.loc["county", "both"] + table.loc["county", "only_from"] == 408
    assert table.loc["state", "jaccard"] == 0.75


@pytest.mark.parametrize(
    ("cells", "kappa"), [((20, 5, 10, 15), 0.4), ((10, 0, 0, 10), 1.0), ((0, 5, 5, 0), -1.0)]
)
def test_kappa_against_known_values(cells: tuple[int, ...], kappa: float) -> None:
    assert vintages.kappa(*cells) == kappa
    assert vintages.kappa(5, 0, 0, 0) != vintages.kappa(5, 0, 0, 0)  # not a number: chance is certain

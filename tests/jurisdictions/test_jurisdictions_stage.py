"""The stage's tables: conservation, closed vocabulary, county status by roster date."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.jurisdictions.gazetteer import frame
from analysis.jurisdictions.stage import LEDGER, ROSTER, conservation, ledger, roster_ledger
from analysis.jurisdictions.status import COUNTY_COLUMNS, MODELS, county_status, support_types
from analysis.sources import lists, rosters


@pytest.fixture(scope="module")
def agencies() -> pd.DataFrame:
    return roster_ledger(rosters.read_all())


@pytest.fixture(scope="module")
def status(agencies: pd.DataFrame) -> pd.DataFrame:
    counties = frame().query("unit == 'county'")
    return county_status(agencies, counties["name"], counties["state"])


@pytest.mark.fault("F53")
def test_the_ledger_keeps_every_entry() -> None:
    entries = lists.read_all()
    table = ledger(entries, frame()["name"].to_dict())
    assert tuple(table.columns) == LEDGER
    assert conservation(entries, table, "test") == {"in": 1317, "matched": 1310, "review": 5, "rejected": 2}
    cook = table[table["text_as_published"] == "Cook County, IL"]
    assert len(cook) == 3 and set(cook["name"]) == {"Cook County"}


@pytest.mark.fault("F53")
def test_the_roster_ledger_keeps_every_row(agencies: pd.DataFrame) -> None:
    rows = rosters.read_all()
    assert tuple(agencies.columns) == ROSTER
    counts = conservation(rows, agencies, "test")
    assert counts["in"] == 10_548 and counts["review"] < 100
    assert set(agencies["support_type"]) == set(MODELS)
    on_day = agencies[agencies["roster"] == "2025-05-29"]["support_type"].value_counts()
    assert on_day.to_dict() == {"task_force": 307, "warrant_service_officer": 228, "jail_enforcement": 100}


@pytest.mark.fault("F53")
def test_a_lost_row_is_an_error(agencies: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="do not add up"):
        conservation(agencies, agencies.iloc[1:], "test")
    with pytest.raises(DataError, match="a unit without a code"):
        conservation(agencies, agencies.assign(unit="none"), "test")


@pytest.mark.fault("F65")
def test_an_unknown_model_is_an_error() -> None:
    rows = rosters.read("2025-01-19")
    row = rows.index[3]
    rows.loc[row, "support_type_as_published"] = "Jail Enforcment Model"
    with pytest.raises(DataError, match=rf"Enforcment.*sheet row {rows.loc[row, 'sheet_row']}"):
        support_types(rows, "rosters")


def test_counties_with_an_agreement(status: pd.DataFrame) -> None:
    assert tuple(status.columns) == COUNTY_COLUMNS
    assert status[["roster", "geoid"]].duplicated().sum() == 0
    per_day = status.groupby("roster").size()
    assert len(per_day) == 13
    assert per_day["2025-01-19"] == 125 and per_day["2025-05-28"] == 312
    assert (status[list(MODELS)].sum(axis=1) == status["agreements"]).all()
    assert (status["agencies"] <= status["agreements"]).all() and status["name"].notna().all()


def test_none_of_them_is_listed(status: pd.DataFrame) -> None:
    table = ledger(lists.read_all(), {})
    main = table[table["vintage"] == "dhs-2025-05-31"]
    codes = set(main["geoid"].dropna()) | {code for cell in main["also_geoids"] for code in cell.split(";")}
    assert len({code for code in codes if len(code) == 5}) == 408
    for day in ("2025-01-19", "2025-05-28"):
        assert not codes & set(status.loc[status["roster"] == day, "geoid"])


def test_cities_states_and_parts_do_not_count() -> None:
    rows = pd.DataFrame(
        {
            "roster": "2025-05-28",
            "geoid": ["12031", "12031", "1235000", "12", "12031", "12031", "12031;12089"],
            "unit": ["county", "county", "place", "state", "part_of_county", "county", "counties"],
            "needs_review": [False, False, False, False, False, True, False],
            "agency_as_published": ["A Sheriff’s Office", "A Sheriff's office", "b", "c", "d", "e", "f"],
            "support_type": [*MODELS, *MODELS, "task_force"],
        }
    )
    table = county_status(rows, pd.Series({"12031": "Duval County"}), pd.Series({"12031": "FL"}))
    assert table.to_dict("records") == [
        {
            **{"roster": "2025-05-28", "geoid": "12031", "name": "Duval County", "state": "FL"},
            **{"agencies": 1, "agreements": 2},
            **{"jail_enforcement": 1, "warrant_service_officer": 1, "task_force": 0},
        }
    ]

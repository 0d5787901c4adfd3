"""Reconciliation, spread, timeline and checks of the money; and what the repository's own tables hold."""

from __future__ import annotations

import doctest
import shutil
from decimal import Decimal

import pandas as pd
import pytest
import yaml

from analysis.downloads import by_measure
from analysis.errors import DataError
from analysis.provenance import read_output
from analysis.sources import events
from analysis.stakes import reconcile as reconciling
from analysis.stakes.audit import check_reconciled, check_stakes, check_timeline
from analysis.stakes.governments import under_own_codes
from analysis.stakes.reconcile import reconcile, reconcile_parts, without_states
from analysis.stakes.spread import one_measure, reasons, spread
from analysis.stakes.stage import award_flows, latest, one_vintage_each
from analysis.stakes.timeline import NOT_NAMED, timeline, without_event
from analysis.writing import write_parquet
from tests.conftest import REPOSITORY, record
from tests.stakes.conftest import FLOW, ledger

KEY = {"source": "s/1", "measure": "obligations", "scope": "recipient", "fiscal_year": 2023}


def money(*rows):
    return pd.DataFrame([KEY | {"geoid": code, "amount_usd": usd} for code, usd in rows])


TABLE = money(
    ("17031", 10.25), ("17043", -3.0), ("06075", 5.0), ("09001", 2.0), ("72001", 1.0), ("statewide", 7.0),
    ("ct_legacy_09003", 4.0), ("17045", None),
)  # fmt: skip
UNITS = {"17031", "17043", "17045", "06075"}


@pytest.mark.fault("F55")
def test_counted_and_residual_make_the_total():
    found = reconcile(TABLE, UNITS, {("s/1", "recipient", 2023): (26.0, 0.5)})
    rows = {
        (row.state, row.part, row.reason): (row.rows, row.amount_usd)
        for row in found.astype(object).where(found.notna(), None).itertuples()
    }
    assert rows == {
        ("CA", "counted", ""): (1, 5.0),
        ("IL", "counted", ""): (2, 7.25),
        ("IL", "residual", "blank in the source"): (1, None),
        ("CT", "residual", "an old county of Connecticut"): (2, 6.0),
        ("PR", "residual", "a territory"): (1, 1.0),
        ("", "residual", "no county: statewide"): (1, 7.0),
        ("", "total", ""): (8, 26.25),
    }
    total = found[found["part"] == "total"].iloc[0]
    assert (total["published_usd"], total["difference_usd"], total["status"]) == (
        26.0,
        0.25,
        "equal as printed",
    )
    assert [check.status for check in check_reconciled(found)] == ["pass", "info"]
    summed = without_states(found)
    assert len(summed) == 6 and summed["rows"].sum() == 16 and "state" not in summed


@pytest.mark.parametrize(
    ("published", "status"),
    [({}, "nothing published"), ({("s/1", "recipient", 2023): (26.0, 0.0)}, "differs")],
)
def test_a_total_is_held_against_what_was_published(published, status):
    found = reconcile(TABLE, UNITS, published)
    assert found.loc[found["part"] == "total", "status"].tolist() == [status]


@pytest.mark.fault("F55")
def test_a_total_that_its_parts_do_not_make_fails():
    found = reconcile(TABLE, UNITS, {})
    found.loc[found["reason"] == "a territory", "amount_usd"] += 0.01
    assert check_reconciled(found)[0].status == "fail"


def test_published_parts_against_the_published_total():
    totals = pd.DataFrame(
        {
            "fiscal_year": [2018] * 3 + [2020] * 3,
            "jurisdiction_as_published": ["United States, all JAG", "states", "local"] * 2,
            "amount_usd": [10.0e6, 6.0e6, 5.0e6, 10.0e6, 6.0e6, 4.1e6],
        }
    )
    found = reconcile_parts(totals, "p/1")
    total = found[found["part"] == "total"].set_index("fiscal_year")
    assert total["difference_usd"].to_dict() == {2018: 1.0e6, 2020: 0.1e6}
    assert total["status"].to_dict() == {2018: "differs", 2020: "equal as printed"}
    assert total["rows"].tolist() == [2, 2]


def test_a_government_of_two_codes_has_one_in_every_table():
    listed = pd.DataFrame({"geoid": ["06075"], "unit": ["county"], "codes": [("06075", "0667000")]})
    named = pd.DataFrame({"geoid": ["0667000", "17", None], "unit": ["place", "state", None]})
    found = under_own_codes(named, listed)
    assert found["geoid"].tolist()[:2] == ["06075", "17"] and found["geoid"].isna().tolist()[2]
    assert found["unit"].tolist()[:2] == ["county", "state"]
    shown = read_output("policy_timeline.csv", as_text=True)
    stakes = read_output("dollars_at_stake.csv")
    flags = stakes.drop_duplicates("geoid")["flags"].str.findall(r"also_(\d+)").explode().dropna()
    assert len(flags) > 0 and not set(shown["geoid"]) & set(flags)
    assert {"06075", "08031"} <= set(shown["geoid"])


def test_examples_of_the_reconciliation():
    tried = doctest.testmod(reconciling)
    assert tried.attempted >= 2 and tried.failed == 0
    tried = doctest.testmod(events)
    assert tried.attempted >= 1 and tried.failed == 0


def stakes_of(*rows):
    columns = ["geoid", "unit", "reading", "measure", "fiscal_year", "amount_usd", "per_resident_usd", "reason", "flags"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).astype({"fiscal_year": "Int64"})


SPREAD = stakes_of(
    ("01001", "county", "slfrf", "slfrf_allocation", 2021, 100.0, 1.0, "", "listed_a"),
    ("01003", "county", "slfrf", "slfrf_allocation", 2021, 300.0, 3.0, "", "listed_a"),
    ("01005", "county", "slfrf", "slfrf_allocation", 2021, 9000.0, 9.0, "", "listed_a;state_capital"),
    ("01007", "county", "slfrf", "slfrf_allocation", 2021, 7000.0, 7.0, "", "listed_a;not_a_general_government"),
    ("01009", "county", "slfrf", "slfrf_allocation", 2021, None, None, "none", "listed_a"),
    ("01011", "county", "slfrf", "slfrf_allocation", 2021, 1.0, 1.0, "", "listed_b"),
    ("01001", "county", "own_government", "prime_awards", 2023, 5.0, 5.0, "", "listed_a"),
)  # fmt: skip


@pytest.mark.fault("F56")
def test_capitals_are_kept_out_of_the_distribution_and_told():
    found = spread(SPREAD, "listed_a")
    row = found[found["measure"] == "slfrf_allocation"].iloc[0]
    assert (row["governments"], row["with_amount"], row["kept_out"]) == (5, 4, 2)
    assert (row["total_usd"], row["kept_out_usd"]) == (16400.0, 16000.0)
    assert (row["least_usd"], row["p25_usd"], row["median_usd"], row["most_usd"]) == (100, 150, 200, 300)
    assert row["median_per_resident_usd"] == 2.0
    assert len(found) == 2


def test_reasons_are_counted_by_kind_and_for_all():
    found = reasons(SPREAD, "listed_a")
    counted = found[["unit", "reason", "governments"]].to_numpy().tolist()
    assert counted == [["county", "none", 1], ["all", "none", 1]]


def test_one_measure_and_no_other():
    assert len(one_measure(SPREAD, "prime_awards")) == 1
    with pytest.raises(DataError, match="Nearest: 'prime_awards'"):
        one_measure(SPREAD, "prime_award")
    with pytest.raises(DataError, match="no row has the measure 'obligations'"):
        one_measure(SPREAD, "obligations")


EVENTS = pd.DataFrame(
    {
        "date": ["2025-01", "2025-05-30"],
        "precision": ["month", "day"],
        "event": ["An order", "Weld County removed"],
        "jurisdiction": ["US", "CO"],
        "source_url": ["https://a", "https://b"],
    }
)
NAMED = pd.DataFrame(
    {
        "event": ["Weld County removed"] * 2,
        "role": ["removed"] * 2,
        "text_as_published": ["Weld County", "Nowhere"],
        "state_abbr": ["CO", "CO"],
        "source_url": ["https://c"] * 2,
        "geoid": ["08123", None],
        "unit": ["county", "none"],
        "needs_review": [False, True],
        "note": ["", "no government of the name"],
    }
)


def test_a_month_stays_a_month_and_an_unread_name_stays():
    found = timeline(EVENTS, NAMED, pd.Series({"08123": "dhs-2025-05-29"}))
    assert found["date"].tolist() == ["2025-01", "2025-05-30", "2025-05-30"]
    assert found["precision"].tolist() == ["month", "day", "day"]
    assert found["reason"].tolist() == [NOT_NAMED, "no government of the name", ""]
    weld = found.iloc[2]
    assert (weld["geoid"], weld["role"], weld["listed_on"], weld["name_source_url"]) == (
        "08123",
        "removed",
        "dhs-2025-05-29",
        "https://c",
    )
    assert [check.status for check in check_timeline(found, EVENTS)][:2] == ["pass", "pass"]
    assert check_timeline(found.iloc[1:], EVENTS)[0].status == "fail"
    assert len(without_event(NAMED, EVENTS.iloc[:1])) == 2


@pytest.mark.fault("F62")
def test_a_date_that_is_none_is_named(project):
    path = project / "data/raw/policy_events/2026-11-22/policy_events.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("\n2025-02-05,", "\nFebruary 2025,"), encoding="utf-8"
    )
    record(path)
    with pytest.raises(
        DataError, match="line 4, column 'date': 'February 2025' is neither a day nor a month"
    ):
        events.read("2026-11-22")


@pytest.mark.fault("F51")
def test_checks_find_what_is_missing_or_doubled():
    table = SPREAD[SPREAD["flags"].str.startswith("listed_a")].assign(
        flags=lambda f: f["flags"].str.replace("listed_a", "listed_dhs_2025_05_31")
    )
    found = {
        check.check: check for check in check_stakes(table, ledger()) if "dhs-2025-05-29" not in check.scope
    }
    assert found["readings that a government lacks"].status == "fail"
    assert found["reasons outside the vocabulary"].value == "1"
    doubled = pd.concat([table, table.iloc[:1]])
    again = {check.check: check for check in check_stakes(doubled, ledger())}
    assert found["keys that repeat"].status == "pass" and again["keys that repeat"].value == "1"
    odd = table.assign(flags=table["flags"] + ";strange")
    assert {c.check: c for c in check_stakes(odd, ledger())}[
        "flags outside the vocabulary"
    ].value == "strange"


@pytest.fixture
def own(monkeypatch):
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    return read_output("dollars_at_stake.csv").fillna({"reason": "", "flags": ""})


def test_the_committed_table_holds_every_settled_entry(own):
    entries = read_output("jurisdictions.csv", as_text=True)
    settled = entries[(entries["needs_review"] == "false") & (entries["geoid"] != "")]
    also = own["flags"].str.findall(r"also_(\d+)").explode()
    assert len(settled) > 1000 and set(settled["geoid"]) <= {*own["geoid"], *also}
    main = own[own["flags"].str.contains("listed_dhs_2025_05_31")]
    assert main["geoid"].nunique() == 605 - 3 - 4  # three without a settled government, four stand twice
    twice = set(main.loc[main["flags"].str.contains("printed_twice"), "name"])
    assert len(twice) == 4 and {"San Francisco County", "Denver County"} <= twice


def test_committed_figures_are_those_of_the_sources(own):
    yard = own[own["reading"] == "slfrf"].set_index("geoid")["amount_usd"]
    # Treasury, 2021-05-10: Cook County; San Francisco as county and as city; the District likewise.
    assert yard["17031"] == 1_000_372_385
    assert yard["1150000"] == 137_083_470 + 372_859_344
    raw = pd.read_csv(REPOSITORY / "data/raw/slfrf/2021-05-10/slfrf_allocations.csv", dtype={"geoid": "str"})
    assert yard["06075"] == raw.loc[raw["geoid"].isin(["06075", "0667000"]), "amount_usd"].sum()
    flow = own[own["measure"] == "obligations"]
    assert len(flow) > 2000 and (flow["amount_usd"].notna() | (flow["reason"] != "")).all()
    balance = read_output("money_reconciliation.csv")
    total = balance[balance["part"] == "total"].set_index(["scope", "fiscal_year"])
    assert total.loc[("SLFRF_county_allocation", 2021), "difference_usd"] == 0
    assert total.loc[("SLFRF_metro_city_allocation", 2021), "amount_usd"] == 45_570_000_000
    capitals = set(own.loc[own["flags"].str.contains("state_capital"), "geoid"])
    assert {"06067", "36001", "25025", "15003"} <= capitals and "17031" not in capitals


def test_downloads_hold_one_measure_each(own):
    parts = dict(by_measure(read_output("dollars_at_stake.csv", as_text=True)))
    assert len(parts) == own.groupby(["reading", "measure"]).ngroups >= 8
    for name, rows in parts.items():
        ((reading, measure),) = set(zip(rows["reading"], rows["measure"], strict=True))
        assert name == f"{reading}-{measure}" and list(rows.columns) == list(own.columns)
    assert sum(map(len, parts.values())) == len(own)


def an_award_vintage(project, name, **more):
    folder = project / "data/raw/usaspending" / name
    folder.mkdir(parents=True)
    origin = dict.fromkeys(("publisher", "title", "url", "retrieved", "licence", "obtained"), "x")
    origin |= {"as_of": "2025-09-30", "files": {"a.csv": {"sha256": "0"}}} | more
    (folder / "origin.yaml").write_text(yaml.safe_dump(origin), encoding="utf-8")


def test_stated_coverage_reaches_the_readings(project):
    covers = {"all": [2022], "Department of Justice": [2023, 2024, 2025]}
    an_award_vintage(project, "2026-01-01", covers=covers)
    (project / "data/processed").mkdir(parents=True)
    path = project / "data/processed/grant_flows.parquet"
    row = ("06067", 2023, "Department of Justice", "16.738", "county", "recipient", Decimal("5.25"), 1)
    table = pd.DataFrame([row], columns=FLOW)
    write_parquet(table.assign(vintage="reap-fy2021-2024"), path)
    flows, stated, source = award_flows()
    assert flows.empty and source == "usaspending, not acquired yet"  # a compiled table is no award file
    begun = table.assign(vintage="2026-01-01", fiscal_year=2025)
    write_parquet(pd.concat([table.assign(vintage="2026-01-01"), begun], ignore_index=True), path)
    flows, stated, source = award_flows()
    assert list(flows["fiscal_year"]) == [2023] and source == "usaspending/2026-01-01"
    assert stated == {("all", 2022), ("Department of Justice", 2023), ("Department of Justice", 2024)}


def test_what_two_vintages_hold_counts_once():
    flows = pd.DataFrame(
        [
            ("a-whole", "Justice", 2023, 1),
            ("a-whole", "Justice", 2023, 2),
            ("b-part", "Justice", 2023, 4),
            ("b-part", "Justice", 2024, 8),
            ("c-part", "Justice", 2024, 16),
            ("b-part", "Labor", 2023, 32),
        ],
        columns=["vintage", "awarding_agency", "fiscal_year", "obligations_usd"],
    )
    covers = {"a-whole": {("all", 2023)}, "b-part": set(), "c-part": set()}
    chosen = one_vintage_each(flows, covers)
    assert sorted(chosen["obligations_usd"]) == [1, 2, 16, 32]
    newer = one_vintage_each(flows, covers | {"b-part": {("Justice", 2023)}})
    assert sorted(newer["obligations_usd"]) == [4, 16, 32]


def test_a_source_without_a_vintage_is_named(project):
    shutil.rmtree(project / "data/raw/state_capitals")
    with pytest.raises(DataError, match="state_capitals: no vintage is there"):
        latest("state_capitals")

"""Dollars at stake: values computed by hand, reasons, and what must never change them."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.stakes import readings
from analysis.stakes.definitions import FLAGS, MEASURES, READINGS, REASONS, STANDARD, definitions
from analysis.stakes.governments import capital_codes, governments, lists_by_code, with_roles
from tests.stakes.conftest import CAPITALS, ENTRIES, FLOW, HEALTH, HOMELAND, JUSTICE, POPULATION, ledger

LISTINGS = ["16.606", "16.607", "16.710", "16.738"]
SOURCE = "usaspending/2026-01"


def flag_sets(listed):
    return {row.geoid: set(row.flags) for row in listed.itertuples()}


@pytest.mark.fault("F51")
def test_one_government_counts_once_under_whatever_headings(listed):
    assert listed["geoid"].tolist() == ["06", "0600562", "06067", "06075", "08123", "1150000", "25025", "2507000"]  # fmt: skip
    city = listed.set_index("geoid").loc["06075"]
    assert city["codes"] == ("06075", "0667000") and city["county"] == "06075"
    assert (city["unit"], city["name"], city["population"]) == ("county", "San Francisco County", 800_000)
    flags = flag_sets(listed)
    assert flags["06075"] == {
        "listed_dhs_2025_05_31",
        "listed_doj_2025_08_05",
        "also_0667000",
        "consolidated",
        "printed_twice",
    }
    assert flags["08123"] == {"listed_dhs_2025_05_29"}
    assert "state_capital" in flags["06067"] and "state_capital" in flags["2507000"]
    assert "state_capital" not in flags["06"] and "consolidated" not in flags["2507000"]


def test_a_government_without_residents_has_no_population(listed):
    population = listed.set_index("geoid")["population"]
    assert pd.isna(population["25025"]) and pd.isna(population["2507000"])


@pytest.mark.fault("F56")
def test_capitals_are_the_place_and_the_county_that_holds_it():
    matched = pd.DataFrame(
        {"geoid": ["0664000", "1571550", None], "also_geoids": ["", "15003", ""], "needs_review": [False, True, False]}
    )  # fmt: skip
    assert capital_codes(matched, pd.Series({"0664000": "06067", "1571550": "15003"})) == {"0664000", "06067"}


def test_the_yardstick_is_the_sum_of_both_shares(listed, allocations):
    found = readings.slfrf(listed, allocations, "slfrf/x").set_index("geoid")
    assert found.loc["06075", "amount_usd"] == 624.0
    assert found.loc["06075", "own_flags"] == ("county_and_city_share",)
    assert found.loc["1150000", "amount_usd"] == 509.0
    assert found.loc["2507000", "amount_usd"] == 424.0 and found.loc["2507000", "own_flags"] == ()
    assert found.loc["25025", "own_flags"] == ("not_a_general_government",)
    assert found.loc["08123", "amount_usd"] == 0.0 and found.loc["08123", "reason"] == ""
    assert found.loc["06", "reason"] == REASONS["no_state_allocations"] and pd.isna(
        found.loc["06", "amount_usd"]
    )
    assert found.loc["0600562", "reason"] == REASONS["not_metropolitan"]


def test_awards_of_the_county_are_no_citys(listed):
    awards = pd.Series({"06075": 3039.0, "06067": -12.5, "25025": float("nan"), "08123": 0.0})
    found = readings.whole_awards(listed, awards, 2022, "county_grants/x").set_index("geoid")
    assert found["amount_usd"].dropna().to_dict() == {"06075": 3039.0, "06067": -12.5, "08123": 0.0}
    why = {"25025": "blank_in_source", "1150000": "no_row", "2507000": "not_a_county", "06": "not_a_county"}
    assert {code: found.loc[code, "reason"] for code in why} == {c: REASONS[w] for c, w in why.items()}
    assert set(found["fiscal_year"]) == {2022}


def test_cities_have_a_row_a_year(listed):
    cities = pd.DataFrame(
        {"geoid": ["0667000"] * 2 + ["4835000"], "fiscal_year": [2023, 2022, 2023], "amount_usd": [9.5, None, 1]}
    )  # fmt: skip
    found = readings.prime_awards(listed, cities, "city_grants/x")
    own = found[found["geoid"] == "06075"]
    assert own["fiscal_year"].tolist() == [2022, 2023] and own["reason"].tolist() == [
        REASONS["blank_in_source"],
        "",
    ]
    assert own["amount_usd"].iloc[1] == 9.5 and own["own_flags"].iloc[1] == ("city_registrations_only",)
    why = found.set_index("geoid")["reason"]
    assert why["2507000"] == REASONS["not_among_cities"] and why["06067"] == REASONS["not_a_city"]


def test_a_published_allocation_has_its_own_measure(listed):
    totals = pd.DataFrame(
        {
            "program": ["JAG_allocation_local_eligible_award"] * 2
            + ["JAG_allocation_state_plus_local_within_state", "SCAAP_awards_total"],
            "fiscal_year": 2018,
            "geoid": ["0667000", "4835000", "06", ""],
            "amount_usd": [1.8e6, 1.7e6, 30.2e6, 2e8],
        }
    )
    found = readings.jag(listed, totals, "program_totals/x").set_index("geoid")
    assert found["measure"].to_dict() == {
        "06075": "jag_local_allocation",
        "06": "jag_state_and_local_allocation",
    }
    assert found.loc["06075", "amount_usd"] == 1.8e6 and "one_programme" in found.loc["06", "own_flags"]


def test_flows_of_the_government_itself(listed, flows):
    found = readings.flow_readings(listed, flows, LISTINGS, {("all", 2023)}, SOURCE)
    by = found.set_index(["reading", "geoid"])
    law, both, own, here = (by.loc[name] for name in list(READINGS)[:4])
    assert law["amount_usd"].dropna().to_dict() == {
        "06": 4000.5,
        "06067": -30.1,
        "06075": 150.75,
        "08123": 0.0,
    }
    assert both["amount_usd"]["06075"] == 1157.75 and both["amount_usd"]["06067"] == -30.1
    assert own["amount_usd"]["06075"] == 21157.75
    assert here["amount_usd"].dropna().to_dict() == {"06067": 1234.5}
    assert law["reason"]["0600562"] == REASONS["city_not_separable"]
    assert law["reason"]["25025"] == REASONS["no_transaction"]
    assert here["reason"]["2507000"] == here["reason"]["06"] == REASONS["not_a_county"]
    assert set(found["own_flags"]) == {()} and set(found["measure"]) == {"obligations"}


def test_what_files_do_not_state_to_hold_is_said(listed, flows):
    found = readings.flow_readings(listed, flows, LISTINGS, set(), SOURCE).set_index(["reading", "geoid"])
    assert found.loc[("justice_law_enforcement", "06075"), "amount_usd"] == 150.75
    assert found.loc[("justice_law_enforcement", "06075"), "own_flags"] == ("coverage_not_stated",)
    assert found.loc[("own_government", "06075"), "reason"] == REASONS["not_all_agencies"]
    assert found.loc["performed_in_county", "amount_usd"].isna().all()
    # A file of one programme of another department is no reading of Justice.
    other = flows[flows["awarding_agency"] == HEALTH]
    found = readings.flow_readings(listed, other, LISTINGS, set(), SOURCE).set_index(["reading", "geoid"])
    assert found.loc[("justice_law_enforcement", "06075"), "reason"] == REASONS["no_agency_file"]
    # Justice alone is not Justice and Homeland Security.
    justice = flows[flows["awarding_agency"] == JUSTICE]
    found = readings.flow_readings(listed, justice, LISTINGS, {(JUSTICE, 2023)}, SOURCE)
    found = found.set_index(["reading", "geoid"])
    assert found.loc[("justice_law_enforcement", "06075"), "own_flags"] == ()
    assert found.loc["justice_and_homeland_security", "amount_usd"].isna().all()
    whole = readings.flow_readings(listed, justice, LISTINGS, {(JUSTICE, 2023), (HOMELAND, 2023)}, SOURCE)
    assert whole.set_index(["reading", "geoid"]).loc[("justice_and_homeland_security", "06075"), "amount_usd"] == 157.75  # fmt: skip


def all_readings(listed, allocations, flows, coverage=frozenset()):
    return readings.stakes(
        listed,
        [
            readings.flow_readings(listed, flows, LISTINGS, coverage, SOURCE),
            readings.prime_awards(listed, pd.DataFrame(columns=["geoid", "fiscal_year", "amount_usd"]), "c"),
            readings.whole_awards(listed, pd.Series({"06075": 80.0}), 2022, "g"),
            readings.slfrf(listed, allocations, "s"),
        ],
    )


@pytest.mark.fault("F74")
def test_without_award_files_every_reading_has_a_row_and_a_reason(listed, allocations):
    table = all_readings(listed, allocations, pd.DataFrame(columns=FLOW))
    assert list(table.columns) == readings.COLUMNS
    wanted = {(reading, measure) for reading, measures in STANDARD.items() for measure in measures}
    for _, rows in table.groupby("geoid"):
        assert set(zip(rows["reading"], rows["measure"], strict=True)) == wanted
    flow = table[table["measure"] == "obligations"]
    assert len(flow) == 4 * len(listed) and flow["amount_usd"].isna().all()
    assert set(flow["reason"]) == {REASONS["no_award_files"]}
    assert (table["amount_usd"].notna() | (table["reason"] != "")).all()
    assert not table.duplicated(["geoid", "reading", "measure", "fiscal_year"]).any()


def test_per_resident_is_by_the_panel_or_says_why_not(listed, allocations):
    table = all_readings(listed, allocations, pd.DataFrame(columns=FLOW))
    yard = table[table["reading"] == "slfrf"].set_index("geoid")
    assert yard.loc["1150000", "per_resident_usd"] == round(509 / 700_000, 2)
    assert yard.loc["06067", "per_resident_usd"] == 0.0 and yard.loc["06067", "reason"] == ""
    assert (
        yard.loc["2507000", "amount_usd"] == 424.0
        and yard.loc["2507000", "reason"] == REASONS["no_population"]
    )
    assert pd.isna(yard.loc["2507000", "per_resident_usd"])


SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.fault("F51")
@SLOW
@given(
    order=st.permutations(range(len(ENTRIES))),
    again=st.sampled_from(range(len(ENTRIES))),
    seed=st.integers(0, 99),
)
def test_order_and_a_second_entry_change_no_amount(order, again, seed, allocations, flows):
    before = all_readings(governments(ledger(), CAPITALS, POPULATION), allocations, flows, {("all", 2023)})
    mixed = ledger([ENTRIES[i] for i in (*order, again)])
    shuffled = [frame.sample(frac=1, random_state=seed) for frame in (allocations, flows)]
    after = all_readings(governments(mixed, CAPITALS, POPULATION), *shuffled, {("all", 2023)})
    columns = ["geoid", "reading", "measure", "fiscal_year", "amount_usd", "reason"]
    pd.testing.assert_frame_equal(before[columns], after[columns])


@pytest.mark.fault("F38")
@SLOW
@given(cents=st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=20))
def test_flows_are_summed_to_the_cent(cents):
    one = governments(ledger([ENTRIES[2]]), CAPITALS, POPULATION)
    rows = [("06067", 2024, JUSTICE, "16.738", "county", "recipient", each / 100, 1) for each in cents]
    found = readings.flow_readings(one, pd.DataFrame(rows, columns=FLOW), LISTINGS, {(JUSTICE, 2024)}, SOURCE)
    (amount,) = found.loc[found["reading"] == "justice_law_enforcement", "amount_usd"]
    assert round(amount * 100) == sum(cents)


def test_roles_and_lists_by_any_code(listed):
    events = pd.DataFrame({"geoid": ["0667000", "08123", ""], "role": ["plaintiff", "removed", ""]})
    flags = flag_sets(with_roles(listed, events))
    assert "plaintiff" in flags["06075"] and "removed_from_list" in flags["08123"]
    assert sum("plaintiff" in found for found in flags.values()) == 1
    lists = lists_by_code(listed, ledger())
    assert lists["0667000"] == lists["06075"] == "dhs-2025-05-31;doj-2025-08-05"


def test_every_word_is_defined_once():
    words = definitions()
    assert not words.duplicated(["kind", "name"]).any() and (words["definition"].str.len() > 15).all()
    assert len(words) == len(READINGS) + len(MEASURES) + len(FLAGS) + len(REASONS)
    assert set(STANDARD) == set(READINGS) and {m for each in STANDARD.values() for m in each} <= set(MEASURES)


@pytest.mark.parametrize("code", ["06075", "0667000"])
def test_a_consolidated_government_is_of_both_classes(listed, code):
    own = next(row for row in listed.itertuples() if code in row.codes)
    assert readings.own_classes(own) == {"county", "city_or_township"}

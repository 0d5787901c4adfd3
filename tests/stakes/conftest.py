"""A small ledger, money and flows, of which every figure below is computed by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.stakes.governments import governments

ENTRY = ["vintage", "state_abbr", "name", "geoid", "unit", "also_geoids", "needs_review"]
OLD, NEW, DOJ = "dhs-2025-05-29", "dhs-2025-05-31", "doj-2025-08-05"


def entry(vintage, state, name, geoid, unit, also="", review=False):
    return dict(zip(ENTRY, (vintage, state, name, geoid, unit, also, review), strict=True))


ENTRIES = [
    entry(NEW, "CA", "San Francisco County", "06075", "county", "0667000"),
    entry(NEW, "CA", "San Francisco city", "0667000", "place", "06075"),
    entry(NEW, "CA", "Sacramento County", "06067", "county"),
    entry(NEW, "CA", "Alameda city", "0600562", "place"),
    entry(NEW, "CA", "California", "06", "state"),
    entry(NEW, "MA", "Suffolk County", "25025", "county"),
    entry(NEW, "MA", "Boston city", "2507000", "place", "2502507000"),
    entry(NEW, "DC", "Washington city", "1150000", "place", "11001;11"),
    entry(NEW, "NY", "East Hampton village", "3622183", "place", "", True),
    entry(NEW, "CA", "", "", "none"),
    entry(OLD, "CO", "Weld County", "08123", "county"),
    entry(DOJ, "CA", "San Francisco city", "0667000", "place", "06075"),
]
POPULATION = pd.Series(
    {
        "06075": 800_000,
        "06067": 1_600_000,
        "0600562": 80_000,
        "06": 39_000_000,
        "25025": 0,
        "1150000": 700_000,
    }
    | {"08123": 330_000, "0667000": 800_000, "06067 ": 1}
)
CAPITALS = {"0664000", "06067", "2507000", "25025"}


def ledger(rows=ENTRIES):
    return pd.DataFrame(rows, columns=ENTRY)


@pytest.fixture
def listed():
    return governments(ledger(), CAPITALS, POPULATION)


@pytest.fixture
def allocations():
    rows = [
        ("06075", "county", False, 171.0),
        ("0667000", "place", False, 453.0),
        ("06067", "county", False, 301.0),
        ("25025", "county", True, 156.0),
        ("2502507000", "place", False, 424.0),
        ("11001", "county", False, 137.0),
        ("1150000", "place", False, 372.0),
        ("08123", "county", False, 0.0),
    ]
    return pd.DataFrame(rows, columns=["geoid", "level", "is_starred", "allocation_usd"])


FLOW = ["county_geoid", "fiscal_year", "awarding_agency", "assistance_listing", "recipient_class", "scope"]
FLOW += ["obligations_usd", "transactions"]
JUSTICE, HOMELAND, HEALTH = (
    f"Department of {name}" for name in ("Justice", "Homeland Security", "Health and Human Services")
)


@pytest.fixture
def flows():
    rows = [
        # San Francisco is city and county: both classes are its own.
        ("06075", 2023, JUSTICE, "16.738", "county", "recipient", 100.25, 1),
        ("06075", 2023, JUSTICE, "16.710", "city_or_township", "recipient", 50.5, 2),
        ("06075", 2023, JUSTICE, "16.588", "county", "recipient", 7.0, 1),
        ("06075", 2023, JUSTICE, "16.738", "nonprofit", "recipient", 999.0, 1),
        ("06075", 2023, HOMELAND, "97.067", "county", "recipient", 1000.0, 1),
        ("06075", 2023, HEALTH, "93.778", "county", "recipient", 20000.0, 1),
        # Sacramento County took money back; its city and the state's agencies are not the county.
        ("06067", 2023, JUSTICE, "16.738", "county", "recipient", -30.1, 3),
        ("06067", 2023, JUSTICE, "16.738", "city_or_township", "recipient", 5.0, 1),
        ("06067", 2023, JUSTICE, "16.738", "state", "recipient", 4000.0, 1),
        ("06067", 2023, HEALTH, "93.778", "nonprofit", "place_of_performance", 1234.5, 1),
        ("retired_06999", 2023, JUSTICE, "16.738", "state", "recipient", 0.5, 1),
        # Two sums that cancel are a zero that was computed, not a missing figure.
        ("08123", 2023, JUSTICE, "16.738", "county", "recipient", 5.0, 1),
        ("08123", 2023, JUSTICE, "16.738", "county", "recipient", -5.0, 1),
        ("statewide", 2023, JUSTICE, "16.738", "state", "recipient", 70.0, 1),
    ]
    return pd.DataFrame(rows, columns=FLOW)

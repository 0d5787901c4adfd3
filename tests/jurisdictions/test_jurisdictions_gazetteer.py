"""The governments, and the links between the codes of one government."""

from __future__ import annotations

import pytest

from analysis.jurisdictions.gazetteer import Gazetteer, frame, gazetteer
from analysis.jurisdictions.normalise import key


@pytest.fixture(scope="module")
def gaz() -> Gazetteer:
    return gazetteer()


def test_how_many_governments_there_are() -> None:
    counts = frame()["unit"].value_counts()
    assert counts["state"] == 56  # 50 states, DC, five territories
    assert counts["county"] == 3144 + 8  # with Connecticut's old counties
    assert 19_400 < counts["place"] < 19_600
    assert 16_000 < counts["cousub"] < 16_300


@pytest.mark.fault("F52")
def test_codes_are_unique_and_no_designated_place_is_a_government(gaz: Gazetteer) -> None:
    table = frame()
    assert len(table) > 30_000 and table.index.is_unique
    assert not table["name"].str.endswith("CDP").any()
    assert gaz.designated["MD", key("Silver Spring")] == "Silver Spring CDP"
    assert "1571550" not in gaz.by_geoid  # Urban Honolulu


ONE_GOVERNMENT = {
    "1150000": "11001;11",
    "24510": "2404000",
    "29510": "2965000",
    "51760": "5167000",
    "06075": "0667000",
    "08031": "0820000",
    "08014": "0809280",
    "42101": "4260000",
    "22071": "2255000",
    "02020": "0203000",
    "02110": "0236400",
    "02220": "0270540",
    "32510": "3209700",
    "13059": "1303440",
    "13245": "1304204",
    "13215": "1319000",
    "21111": "2148006",
    "21067": "2146027",
    "47037": "4752006",
    "18097": "1836003",
    "25019": "2501943790",
    "30093": "3011397",
    "30023": "3001675",
    "20209": "2036000",
    "12031": "1235000",
}


@pytest.mark.fault("F43", "F51")
@pytest.mark.parametrize("code", ONE_GOVERNMENT)
def test_one_government_under_several_codes(gaz: Gazetteer, code: str) -> None:
    assert ";".join(gaz.by_geoid[code].also) == ONE_GOVERNMENT[code]


def test_links_go_both_ways(gaz: Gazetteer) -> None:
    linked = [g for g in gaz.by_geoid.values() if g.unit == "county" and g.place_code]
    assert len(linked) == 41 + 29 + 4  # independent cities, class H6, by name or by hand
    for county in linked:
        place = gaz.by_geoid[county.place_code]
        assert place.county_code == county.geoid and county.geoid in place.also
        assert gaz.under(place, "county") is county or county.state == "DC"
        assert gaz.under(county, "place") is place


@pytest.mark.fault("F51")
def test_new_york_city_is_no_county(gaz: Gazetteer) -> None:
    city = gaz.by_geoid["3651000"]
    assert city.also == () and len(city.counties) == 5
    assert gaz.by_geoid["36061"].also == ()


@pytest.mark.fault("F52")
def test_cities_that_stand_in_for_a_subdivision_have_its_codes(gaz: Gazetteer) -> None:
    assert gaz.by_geoid["1714000"].also == ("1703114000",)  # Chicago
    assert gaz.by_geoid["5584250"].also == ("5513384250",)  # Waukesha, a city
    assert gaz.by_geoid["5584275"].also == ("5513384275",)  # Waukesha, a village of the same county
    assert gaz.by_geoid["0937000"].also == ("0911037070",)  # Hartford, a town coextensive with the city
    assert gaz.by_geoid["2501370"].also == ("2501501370",)  # Amherst
    assert "1703114000" not in gaz.by_geoid
    assert "4200351794" in gaz.by_geoid  # Mount Lebanon, without a place of its own


def test_every_name_finds_its_government(gaz: Gazetteer) -> None:
    looked = 0
    for g in gaz.by_geoid.values():
        for name in (*g.names, *g.aliases):
            assert g.geoid in {found.geoid for found, _ in gaz.find(g.state, key(name))}
            looked += 1
    assert looked > 39_000

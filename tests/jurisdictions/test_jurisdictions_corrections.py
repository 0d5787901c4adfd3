"""Hand decisions: every one is documented, means a government that exists, and still has its cause."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.jurisdictions import corrections, match
from analysis.jurisdictions.gazetteer import gazetteer
from analysis.jurisdictions.normalise import key, normalise
from analysis.provenance import root
from analysis.sources import events, lists, rosters
from analysis.stakes.timeline import ROLES


@pytest.mark.fault("F85")
@pytest.mark.parametrize("table", corrections.TABLES)
def test_every_table_is_sound_and_its_codes_exist(table: str) -> None:
    frame = corrections.read(table)
    known = gazetteer().by_geoid
    assert len(frame) > 0
    if table not in {"names", "entry_oddities", "event_governments"}:
        codes = [code for cell in frame["value"] for code in cell.split(";") if code]
        assert len(codes) >= len(frame) - 1
        assert [code for code in codes if code not in known] == []


def test_names_mean_governments() -> None:
    table = corrections.read("names")
    meant = table[table["value"] != ""]
    rows = meant.assign(text_as_published=meant["value"])[["state_abbr", "level", "text_as_published"]]
    assert len(rows) > 10
    several = match(rows)["note"].str.contains("more than one")  # a township that COUNTY still chooses
    assert (match(rows)["geoid"].notna() | several).all()


def test_wrong_names_are_wrong_and_are_printed_somewhere() -> None:
    table = corrections.read("names")
    gaz = gazetteer()
    printed = "|".join(normalise(text) for text in lists.read_all()["text_as_published"])
    published = rosters.read_all()
    for column in ("agency_as_published", "county_as_published"):
        printed += "|" + "|".join({normalise(text) for text in published[column]})
    for row in table.itertuples():
        assert normalise(row.key) in printed
        assert not gaz.find(row.state_abbr, key(row.key))


def test_florida_has_twenty_circuits_of_sixty_seven_counties() -> None:
    codes = ";".join(corrections.read("districts").query("state_abbr == 'FL'")["value"]).split(";")
    counties = [g.geoid for g in gazetteer().by_geoid.values() if g.state == "FL" and g.unit == "county"]
    assert sorted(codes) == sorted(counties) and len(codes) == 67


BAD = {
    "a column missing": (lambda text: text.replace("reason", "why", 1), "column is missing"),
    "a key twice": (lambda text: text + text.splitlines()[1] + "\n", "occurs twice"),
    "no reason": (lambda text: text.splitlines()[0] + "\nCA,place,X,Y,,https://x.org,2026-11-22\n", "reason"),
    "no address": (
        lambda text: text.splitlines()[0] + "\nCA,place,X,Y,because it is so,here,2026-11-22\n",
        "source",
    ),
    "no day": (
        lambda text: text.splitlines()[0] + "\nCA,place,X,Y,because it is so,https://x.org,soon\n",
        "decided",
    ),
    "an unknown state": (lambda text: text.replace("\nKY,", "\nQQ,", 1), "'QQ'"),
    "an empty file": (lambda text: "", "empty"),
}


@pytest.mark.fault("F85")
@pytest.mark.parametrize("name", BAD)
def test_bad_tables_are_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change, message = BAD[name]
    text = (root() / "data/corrections/names.csv").read_text(encoding="utf-8")
    folder = tmp_path / "project"
    (folder / "data/corrections").mkdir(parents=True)
    shutil.copy(root() / "params.yaml", folder)
    (folder / "data/corrections/names.csv").write_text(change(text), encoding="utf-8")
    monkeypatch.setenv("ANALYSIS_ROOT", str(folder))
    with pytest.raises(DataError, match=message):
        corrections.read("names")


def test_a_decision_of_no_unit_is_no_review() -> None:
    row = pd.DataFrame({"state_abbr": ["CA"], "level": ["place"], "text_as_published": ["Represa"]})
    found = match(row).iloc[0]
    assert found["unit"] == "none" and not found["needs_review"] and "prison" in found["note"]


def test_governments_named_in_events_are_read() -> None:
    table = corrections.read("event_governments")
    read = match(table.rename(columns={"value": "text_as_published"}))
    assert len(read) > 60 and read["geoid"].notna().all() and not read["needs_review"].any()
    published = set(events.read_newest()["event"])
    assert {event for event in table["key"] if event not in published} == set()
    assert set(table["role"]) <= set(ROLES)

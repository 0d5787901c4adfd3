"""Oddities of the lists' entries: by code where the data show them, else from `data/corrections/`.

An oddity is of the printed text, and no judgement on the government: an entry may have several.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.jurisdictions.candidates import CITY_KINDS
from analysis.jurisdictions.gazetteer import Gazetteer
from analysis.jurisdictions.normalise import key, readings, split_state

COLUMNS = ("vintage", "entry", "state_abbr", "level", "kind", "evidence", "source_url")


def entry_audit(
    ledger: pd.DataFrame, agencies: pd.DataFrame, oddities: pd.DataFrame, gaz: Gazetteer
) -> pd.DataFrame:
    """One row an entry and oddity, sorted.

    Parameters
    ----------
    ledger, agencies : the rows of `jurisdictions.csv` and `roster_agencies.csv`.
    oddities : the rows of `data/corrections/entry_oddities.csv`, keyed on state, level and name.
    """
    entries = ledger.assign(
        bare=[bare(text) for text in ledger["text_as_published"]], geoid=ledger["geoid"].fillna("")
    )
    found = [
        *_texts(entries, gaz),
        *_one_government_twice(entries, gaz),
        *_shared_names(entries),
        *_agreements(entries, agencies),
        *_by_hand(entries, oddities),
    ]
    rows = [
        (
            row.vintage,
            row.text_as_published,
            row.state_abbr,
            row.level,
            kind,
            evidence,
            source or row.source_url,
        )
        for row, kind, evidence, source in found
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates()
    return table.sort_values(list(COLUMNS), kind="stable").reset_index(drop=True)


def bare(text: object) -> str:
    """The key of an entry's name without state and kind word: "Cook County, IL" gives "cook"."""
    name, _ = split_state(text)
    return readings(name)[-1].key


def _texts(entries: pd.DataFrame, gaz: Gazetteer) -> Iterator[tuple]:
    """Misspelt names, wrong headings and kinds, names of no unit: what the verdict itself shows."""
    for row in entries.itertuples():
        if row.geoid and row.match_type in {"correction", "fuzzy"}:
            yield row, "misspelt", row.note, ""
        if not row.geoid:
            yield row, "no such unit", row.note, ""
        g = gaz.by_geoid.get(row.geoid)
        if g is None or row.needs_review:
            continue
        if row.match_type == "kind_resolved" and (row.level, g.unit) in {
            ("county", "place"),
            ("county", "cousub"),
            ("place", "county"),
        }:
            yield row, "wrong heading", f"printed under {row.level}; {g.name} ({g.geoid}) is a {g.unit}", ""
        if row.level == "place" and g.unit in {"place", "cousub"} and g.kind not in CITY_KINDS:
            yield row, "wrong kind", f"printed under cities; {g.name} ({g.geoid}) is a {g.kind}", ""


def _one_government_twice(entries: pd.DataFrame, gaz: Gazetteer) -> Iterator[tuple]:
    """Entries of one list whose governments share a code, or of which one has no unit and bears the name of
    the other's government."""
    known = entries.assign(codes=[_codes(row, gaz) for row in entries.itertuples()])
    owners = known.explode("codes").dropna(subset="codes")
    for (_, code), group in owners.groupby(["vintage", "codes"], sort=True):
        if len(group) > 1 and (group["geoid"] != "").any():
            names = " and ".join(repr(text) for text in group["text_as_published"])
            for row in group.itertuples():
                if row.geoid in {code, ""} or code not in set(group["geoid"]):
                    yield row, "one government twice", f"{names} are one government", ""


def _codes(row: tuple, gaz: Gazetteer) -> list[str]:
    """The codes of an entry's government; of one without an answer those of the one government so called."""
    if row.geoid:
        return [] if row.needs_review else [row.geoid, *filter(None, row.also_geoids.split(";"))]
    called = [g for g, _ in gaz.find(row.state_abbr, row.bare)]
    codes = {code for g in called for code in (g.geoid, *g.also)}
    return sorted(codes) if called and all({g.geoid, *g.also} == codes for g in called) else []


def _shared_names(entries: pd.DataFrame) -> Iterator[tuple]:
    """Names under one heading in several states, and names under both headings in one state."""
    local = entries[entries["level"].isin(["county", "place"]) & (entries["geoid"] != "")]
    for (_, level, _), group in local.groupby(["vintage", "level", "bare"], sort=True):
        states = sorted(set(group["state_abbr"]))
        if len(states) > 1:
            for row in group.itertuples():
                yield row, "name in several states", f"a {level} of that name in {', '.join(states)}", ""
    for _, group in local.groupby(["vintage", "state_abbr", "bare"], sort=True):
        if set(group["level"]) == {"county", "place"}:
            names = " and ".join(f"{row.name} ({row.geoid})" for row in group.itertuples())
            for row in group.itertuples():
                yield row, "same name twice in a state", names, ""


def _agreements(entries: pd.DataFrame, agencies: pd.DataFrame) -> Iterator[tuple]:
    """Entries whose own agency, by a settled verdict, is on the last roster up to the day of the list."""
    settled = agencies[
        ~agencies["needs_review"] & agencies["unit"].isin(["state", "county", "place", "cousub"])
    ]
    for _, group in entries.groupby("vintage", sort=True):
        days = [day for day in sorted(set(settled["roster"])) if day <= group["published"].iloc[0]]
        if not days:
            continue
        holders = settled[settled["roster"] == days[-1]].groupby("geoid")["agency_as_published"].first()
        for row in group.itertuples():
            own = {code for code in (row.geoid, *str(row.also_geoids).split(";")) if code}
            for code in sorted(own & set(holders.index)) if not row.needs_review else []:
                evidence = f"{holders[code].strip()} ({code}) on the roster of {days[-1]}"
                yield row, "held an agreement on the day", evidence, ""


def _by_hand(entries: pd.DataFrame, oddities: pd.DataFrame) -> Iterator[tuple]:
    """The oddities that only a reader can find, on every list that prints the entry."""
    for oddity in oddities.itertuples():
        level, name = oddity.level, bare(oddity.key)
        own = entries[(entries["state_abbr"] == oddity.state_abbr) & (entries["level"] == level)]
        for row in own[(own["bare"] == name) | (own["name"].map(key) == key(oddity.key))].itertuples():
            yield row, oddity.value, oddity.reason, oddity.source_url

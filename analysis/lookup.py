"""One jurisdiction: what was printed of it, how that was read, and what the tables hold of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from analysis.catalogue import load_catalogue
from analysis.errors import DataError, nearest
from analysis.jurisdictions.candidates import compatible
from analysis.jurisdictions.gazetteer import Gazetteer, Government, gazetteer
from analysis.jurisdictions.normalise import key, readings, split_state, state_of
from analysis.ledger import codes_of, read_jurisdictions, read_ledger
from analysis.models.prediction import HeldOut, predict_held_out
from analysis.models.prediction.improbable import limits
from analysis.models.prediction.specification import load_prediction
from analysis.panel import load_panel
from analysis.provenance import read_output, read_param, vintages
from analysis.sources.geography import read_adjacency
from analysis.sources.states import STATES

__all__ = ["Found", "lookup"]

DISTRICT = "11001"  # DC under its code as a county, of which most is known
CODE = re.compile(r"(?:\d{7}US)?([\W\d]*\d[\W\d]*)")  # a code, or what a spreadsheet made of one
LIKENESS = 0.7  # below it a name is no misspelling of another
MOST = 4  # governments of one name that are all shown
NAMED = 12  # of more, how many a message names
LEVEL = {2: "state", 5: "county", 7: "place", 10: "place"}
OWN = ("state", "county", "place", "cousub")
ENTRY = ["vintage", "level", "text_as_published", "geoid", "match_type", "needs_review", "note", "basis"]
MONEY = ["reading", "measure", "fiscal_year", "amount_usd", "per_resident_usd", "reason", "source"]


@dataclass(frozen=True, eq=False)
class Found:
    """What is known of one government, or of entries that are no government's.

    Parameters
    ----------
    geoid : its Census code as text; None for entries without one. also : its other codes, where one
        government is a county and a city. unit : state, county, place, cousub, or none.
    name, state : official name, postal abbreviation. how : by what it was found.
    entries : one row an entry of a list: `vintage, level` (the heading), `text_as_published, geoid,
        match_type, needs_review, note, basis`.
    listings : one row a list: `vintage`, and true, false or missing for `is_listed, as_county` (under its
        county code), `place_inside` (a listed place lies in it), `county` (the county it lies in is
        listed), `state` (its state is).
    agreements : one row a roster of 287(g) agreements: `roster, agreements`, `agencies`, its own alone.
    prediction : `probability, conf_low, conf_high` of an entry on the main list, by a model that has not
        seen its state; missing where the model lacks a column. `list`, `model`, `missing` beside them.
    dollars : `reading, measure, fiscal_year, amount_usd, per_resident_usd, reason, source`.
    neighbours : of a county, `geoid, name, state, is_listed`.
    missing : labels of the panel's variables that it has no value for. cautions : what a reader must know.

    Examples
    --------
    >>> (found,) = lookup("Represa, CA")
    >>> found.geoid, found.unit, found.entries["match_type"].unique().tolist()
    (None, 'none', ['correction'])
    """

    geoid: str | None
    also: tuple[str, ...]
    unit: str
    name: str
    state: str
    how: str
    entries: pd.DataFrame
    listings: pd.DataFrame
    agreements: pd.DataFrame
    prediction: dict[str, Any] | None
    dollars: pd.DataFrame
    neighbours: pd.DataFrame
    missing: tuple[str, ...]
    cautions: tuple[str, ...]


def lookup(query: object) -> list[Found]:
    """What the project holds of a jurisdiction, by its name or its Census code.

    Parameters
    ----------
    query : "Cook County, IL", "Chicago, Illinois", "Illinois", "17031"; the text of an entry does too. A
        name without a state is looked for in all of them, one without its kind ("Baltimore, MD") among
        counties and places alike.

    Returns
    -------
    One `Found` a government of that name, at most four; a government with two codes (an independent city,
    DC) once. Shares are from 0 to 1, amounts in US dollars.

    Raises
    ------
    DataError : nothing has that name or code (with the nearest), or more than four governments have it
        (with their codes); no tables yet.

    Examples
    --------
    >>> (cook,) = lookup("Cook County, IL")
    >>> cook.geoid, cook.entries["text_as_published"].iloc[0], cook.listings["is_listed"].all()
    ('17031', 'Cook County', np.True_)
    >>> [found.geoid for found in lookup("Baltimore, MD")]
    ['24005', '24510']
    """
    said = " ".join(str(query).split())
    if not said:
        raise DataError("no name and no code was given.", remedy='name a place: "Cook County, IL", or 17031.')
    gaz = gazetteer()
    if (code := CODE.fullmatch(said)) is not None:
        return [_government(_by_code(gaz, code[1]), f"by its code {code[1]}")]
    text, state = split_state(said)
    if state is None and state_of(said):
        state = state_of(said)
    found = _called(gaz, text, state)
    printed = _printed(text, state)
    if not found and printed.empty:
        raise _nothing(gaz, said, text, state)
    if len(found) > MOST:
        raise DataError(
            f"{said!r} is the name of {len(found)} governments: {_described(found)}.",
            remedy="add the state, and the kind (county, city), or give the code.",
        )
    out = [_government(g, f"by its name {said!r}") for g in found]
    known = {code for each in out for code in (each.geoid, *each.also)}
    loose = printed[~printed["geoid"].isin(known)]
    for (abbreviation, heading, _), rows in loose.groupby(["state_abbr", "level", "geoid"], sort=True):
        settled = rows["geoid"].iloc[0]
        if settled in gaz.by_geoid:
            out.append(_government(gaz.by_geoid[settled], f"by the text of an entry, {said!r}"))
        else:
            out.append(_entry(rows, abbreviation, heading))
    return out


def _by_code(gaz: Gazetteer, code: str) -> Government:
    """The government of a code.

    Raises
    ------
    DataError : there is none; with the code of which a zero was lost, or the nearest of the same length.
    """
    if (found := gaz.by_geoid.get(code)) is not None:
        return gaz.by_geoid[DISTRICT] if found.state == "DC" else found
    near = nearest_code(code, gaz.by_geoid)
    hint = f" Nearest: {near!r}, {_name(gaz.by_geoid[near])}." if near else ""
    raise DataError(
        f"{code!r} is no government's code.{hint}",
        remedy="give 2 digits for a state, 5 for a county, 7 for a place, 10 for a county subdivision, zeros "
        "in front included.",
    )


def nearest_code(code: str, known: Iterable[str]) -> str | None:
    """The code without its lost zero, with signs too many, or of as many digits of which fewest differ.

    >>> nearest_code("6075", ["06075", "17031"]), nearest_code("17032", ["17203", "17031"])
    ('06075', '17031')
    >>> nearest_code("17031.0", ["17031"]), nearest_code("170311", ["17031"])
    ('17031', '17031')
    """
    codes = list(known)
    for mended in (f"0{code}", re.sub(r"\.0+$|\D", "", code)):
        if mended in codes:
            return mended
    alike = [each for each in codes if len(each) == len(code)]
    differ = {each: [one != two for one, two in zip(each, code, strict=True)] for each in alike}
    near = sorted(alike, key=lambda each: (sum(differ[each]), -differ[each].index(True), each))
    return next(iter(near or get_close_matches(code, codes, n=1, cutoff=0.8)), None)


def _called(gaz: Gazetteer, text: str, state: str | None) -> list[Government]:
    """The governments that a name means, each under one of its codes, by code."""
    chosen: dict[frozenset[str], Government] = {}
    for where in [state] if state else sorted({*STATES}):
        for reading in readings(text):
            for g, _ in gaz.find(where, reading.key):
                if reading.kind is None or compatible(reading.kind, g):
                    same = frozenset({g.geoid, *g.also})
                    if same not in chosen or _rank(g) < _rank(chosen[same]):
                        chosen[same] = g
        if (code := state_code(text)) and (state is None or where == state_of(text)):
            g = gaz.by_geoid[code]
            chosen.setdefault(frozenset({g.geoid, *g.also}), g)
    if any(g.state == "DC" for g in chosen.values()):  # one government, whatever it is called
        chosen = {codes: g for codes, g in chosen.items() if g.state != "DC"}
        chosen[frozenset({DISTRICT})] = gaz.by_geoid[DISTRICT]
    return sorted(chosen.values(), key=lambda g: g.geoid)


def state_code(text: str) -> str | None:
    """The code of the state that a text names, or None.

    >>> state_code("IL"), state_code("Illinois"), state_code("Cook")
    ('17', '17', None)
    """
    state = state_of(text)
    return STATES[state][0] if state in STATES else None


def _rank(g: Government) -> int:
    """Counties before places before the rest: of one government, the panel of counties holds the most."""
    return {"county": 0, "place": 1, "state": 2}.get(g.unit, 3)


def _printed(text: str, state: str | None) -> pd.DataFrame:
    """The entries of the lists whose printed text is this one."""
    entries = read_jurisdictions()
    keys = entries["text_as_published"].map(key)
    return entries[(keys == key(text)) & ((entries["state_abbr"] == state) if state else True)]


def _nothing(gaz: Gazetteer, said: str, text: str, state: str | None) -> DataError:
    """That no government has the name, with the nearest, or that the state has none."""
    head, comma, tail = (part.strip() for part in said.rpartition(","))
    if comma and state is None:
        there = sorted({g.state for g in _called(gaz, head, None)})
        known = there if len(tail) <= 2 else [name for _, name in STATES.values()]
        named = f" {head} is there in {', '.join(there)}." if 0 < len(there) <= NAMED else ""
        return DataError(
            f"no state is called {tail!r}.{nearest(tail, known or STATES)}{named}",
            remedy=f'write it as "{head.split(",")[0]}, IL" or "{head.split(",")[0]}, Illinois".',
        )
    if state and (state, key(text)) in gaz.designated:
        return DataError(
            f"{gaz.designated[state, key(text)]} in {state} is a census designated place, which has no "
            "government of its own, and no list has an entry of that text.",
            remedy="look up its county.",
        )
    governments = gaz.by_state[state] if state else gaz.by_geoid.values()
    near = nearest(said if state else text, [_name(g) if state else g.name for g in governments], LIKENESS)
    return DataError(
        f"no government is called {said!r}, and no list has an entry of that text.{near}",
        remedy="mend the spelling, or give the Census code.",
    )


def _name(g: Government) -> str:
    return g.name if g.unit == "state" else f"{g.name}, {g.state}"


def _described(governments: list[Government]) -> str:
    named = [f"{_name(g)} ({g.geoid})" for g in governments[:NAMED]]
    more = len(governments) - len(named)
    return "; ".join(named) + (f"; and {more} more" if more else "")


def _government(g: Government, how: str) -> Found:
    """Everything of one government."""
    codes = (g.geoid, *g.also)
    every = codes_of(read_jurisdictions())
    own = every[every["code"].isin(codes)]
    entries = read_jurisdictions()
    of_it = entries[entries["geoid"].isin(codes) | entries.index.isin(own.index)]
    # Of its codes the one whose panel holds most: the county's.
    held = {code: panel for code in codes if code in (panel := load_panel(LEVEL[len(code)])).index}
    code = min(held, key=lambda each: ("county", "place", "state").index(LEVEL[len(each)]), default=None)
    row = held[code].loc[code] if code else pd.Series(dtype=object)
    level = LEVEL[len(code or g.geoid)]
    money = read_output("dollars_at_stake.csv")
    catalogue = load_catalogue(level)
    missing = [v.label for v in catalogue.values() if v.name in row.index and pd.isna(row[v.name])]
    cautions = [part for part in str(row.get("cautions") or "").split(";") if part]
    if code is None:
        cautions.append(_why_in_no_panel(g))
    return Found(
        geoid=g.geoid,
        also=g.also,
        unit=g.unit,
        name=g.name,
        state=g.state,
        how=how,
        entries=_entries(of_it),
        listings=_listings(set(own["vintage"]), row, level),
        agreements=_agreements(codes),
        prediction=_prediction(code, level, held[code]) if code else None,
        dollars=money.loc[money["geoid"].isin(codes), MONEY]
        .astype({"fiscal_year": "Int64"})
        .reset_index(drop=True),
        neighbours=_neighbours(codes),
        missing=tuple(missing),
        cautions=tuple(cautions),
    )


def _why_in_no_panel(g: Government) -> str:
    if g.unit == "county" and g.state == "CT":
        return "an old county of Connecticut: the panel has the nine planning regions, and no bridge is made"
    if g.state not in STATES:
        return "of a territory: the panels hold the 50 states and DC"
    return "not a unit of the panels: a retired code, or a subdivision that a place stands for"


def _entry(rows: pd.DataFrame, state: str, heading: str) -> Found:
    """Entries that are no government's, or not yet."""
    empty = pd.DataFrame()
    return Found(
        geoid=None,
        also=(),
        unit="none",
        name=rows["text_as_published"].iloc[0],
        state=state,
        how=f"by the text of an entry under the heading {heading}",
        entries=_entries(rows),
        listings=empty,
        agreements=empty,
        prediction=None,
        dollars=empty,
        neighbours=empty,
        missing=(),
        cautions=("no government is counted for this entry: the note of the entry says why",),
    )


def _entries(rows: pd.DataFrame) -> pd.DataFrame:
    """Entries of the ledger, what is empty there as missing."""
    return rows[ENTRY].replace("", None).reset_index(drop=True)


def _listings(own: set[str], row: pd.Series, level: str) -> pd.DataFrame:
    """Each list, and what it has of the unit, its county and its state."""
    holder = str(row.get("county_geoid"))
    counties = load_panel("county")
    county = counties.loc[holder] if level == "place" and holder in counties.index else None
    rows = []
    for vintage in vintages("lists"):
        name = vintage.replace("-", "_")
        rows.append(
            {
                "vintage": vintage,
                "is_listed": vintage in own,
                "as_county": _flag(row, f"is_listed_as_county_{name}"),
                "place_inside": _flag(row, f"has_listed_place_{name}"),
                "county": None if county is None else _flag(county, f"is_listed_{name}"),
                "state": _flag(row, f"is_in_listed_state_{name}"),
            }
        )
    return pd.DataFrame(rows)


def _flag(row: pd.Series, column: str) -> bool | None:
    value = row.get(column)
    return None if value is None or pd.isna(value) else bool(value)


def _agreements(codes: Iterable[str]) -> pd.DataFrame:
    """Each roster, and how many agreements of the government's own agencies it holds."""
    agencies = read_ledger("roster_agencies.csv")
    own = agencies[
        agencies["geoid"].isin(list(codes)) & agencies["unit"].isin(OWN) & ~agencies["needs_review"]
    ]
    rosters = sorted(set(agencies["roster"]))
    counts = own.groupby("roster").size().reindex(rosters, fill_value=0)
    names = own.groupby("roster")["agency_as_published"].agg(lambda each: "; ".join(dict.fromkeys(each)))
    return pd.DataFrame(
        {"roster": rosters, "agreements": counts.to_numpy(), "agencies": names.reindex(rosters).fillna("")}
    ).reset_index(drop=True)


def _prediction(code: str, level: str, panel: pd.DataFrame) -> dict[str, Any]:
    """The probability of an entry on the main list, by the first model of the level in `params.yaml`."""
    name = next(each for each in read_param("prediction") if load_prediction(each)[0].level == level)
    model = load_prediction(name)[0]
    found, low, high = _predicted(name)
    at = panel.index.get_loc(code)
    out: dict[str, Any] = {
        "probability": found.probability.iloc[at],
        "conf_low": np.nan,
        "conf_high": np.nan,
        "list": read_param("vintages")["main_list"],
        "model": name,
        "missing": [each for each in model.covariates if pd.isna(panel[each].iloc[at])],
    }
    if found.rows.used[at]:
        position = int(found.rows.used[:at].sum())
        out["conf_low"], out["conf_high"] = low[position], high[position]
    return out


@cache
def _predicted(name: str) -> tuple[HeldOut, np.ndarray, np.ndarray]:
    """A prediction of `params.yaml` for every unit of its panel, and the limits of the rows used."""
    model = load_prediction(name)[0]
    found = predict_held_out(model, load_panel(model.level))
    return found, *limits(found)


def _neighbours(codes: Iterable[str]) -> pd.DataFrame:
    """The counties that touch a county."""
    pairs = read_adjacency(read_param("vintages")["geography"])
    counties = load_panel("county")
    near = sorted(set(pairs.loc[pairs["GEOID"].isin(list(codes)), "NEIGHBOR_GEOID"]) & set(counties.index))
    return counties.loc[near, ["name", "state", "is_listed"]].astype({"is_listed": bool}).reset_index()

"""`match`: names as published to Census codes, for entries of the lists and for rows of the rosters."""

from __future__ import annotations

import re
from dataclasses import asdict, fields, replace

import pandas as pd

from analysis.errors import DataError
from analysis.jurisdictions import corrections, fuzzy, gazetteer
from analysis.jurisdictions.agencies import agency_verdict
from analysis.jurisdictions.corrections import Decisions
from analysis.jurisdictions.gazetteer import Gazetteer
from analysis.jurisdictions.normalise import (
    LONGEST_NAME,
    key,
    normalise,
    split_state,
    state_of,
    text_of,
    without_own_state,
)
from analysis.jurisdictions.resolve import Verdict, answer, is_sentence, resolve, resolve_state

ENTRY = ("state_abbr", "level", "text_as_published")
AGENCY = ("state_abbr", "agency_as_published", "county_as_published", "agency_type_as_published")
LONGEST_NOTE = 1000
ADDED = tuple(column.name for column in fields(Verdict))


def match(names: pd.DataFrame) -> pd.DataFrame:
    """Say of every name which government it means; the same rows in the same order with the same index.

    Parameters
    ----------
    names : either entries of a list, with `state_abbr`, `level` (state, county or place: the heading) and
        `text_as_published`; or rows of a roster, with `state_abbr`, `agency_as_published`,
        `county_as_published`, `agency_type_as_published`. Other columns pass through. Any text will do.

    Returns
    -------
    DataFrame with the columns added (or replaced):

    - `geoid` : text, or missing. Under Cities the place code (7 digits) is the answer, under County the
      county code (5); a county subdivision has 10; several counties are joined by ";", ascending.
    - `unit` : state, county, place, cousub, counties, part_of_county (the county that holds an agency
      smaller than it), none.
    - `also_geoids` : other codes of the same government, joined by ";".
    - `match_type` : exact, normalised, kind_resolved, alias, fuzzy (a near spelling, in review unless another
      field of the row agrees), correction, none.
    - `needs_review` : bool. An answer is right or it is marked so. A name that has no unit by a decision
      of hand has none of both.
    - `note` : what was decided, and what else the name could mean.

    A row's verdict depends on that row alone.

    Raises
    ------
    DataError : the frame has neither set of columns; the data or `data/corrections/` break a rule.

    Examples
    --------
    >>> names = pd.DataFrame({"state_abbr": ["IL", "MD"], "level": ["county", "place"]})
    >>> names["text_as_published"] = ["Cook County", "Baltimore"]
    >>> found = match(names)
    >>> found[["geoid", "unit", "also_geoids"]].to_numpy().tolist()
    [['17031', 'county', ''], ['2404000', 'place', '24510']]
    """
    if not isinstance(names, pd.DataFrame):
        raise DataError(
            f"a DataFrame was expected, not {type(names).__name__}.",
            file="match",
            remedy="give pd.DataFrame(rows).",
        )
    columns = next((group for group in (ENTRY, AGENCY) if set(group) <= set(names.columns)), None)
    if columns is None:
        raise DataError(
            f"neither {', '.join(ENTRY)} nor {', '.join(AGENCY)} are all there.",
            file="match",
            remedy="name the columns as `analysis.sources.lists` or `analysis.sources.rosters` does.",
        )
    for column in columns:
        if list(names.columns).count(column) > 1:
            raise DataError(
                "the column is there twice.", file="match", column=column, remedy="keep one of them."
            )
    gaz, decided = gazetteer.gazetteer(), corrections.decisions()
    judge = entry_verdict if columns is ENTRY else agency_verdict
    rows = list(zip(*([text_of(cell) for cell in names[column]] for column in columns), strict=True))
    verdicts = {row: judge(gaz, decided, *row) for row in dict.fromkeys(rows)}
    said = pd.DataFrame([asdict(verdicts[row]) for row in rows], index=names.index, columns=list(ADDED))
    said["note"] = said["note"].str.slice(0, LONGEST_NOTE)
    text = {column: "str" for column in ADDED if column != "needs_review"}
    said = said.astype({**text, "needs_review": "bool"})
    return names.drop(columns=[c for c in ADDED if c in names]).assign(**{c: said[c] for c in ADDED})


def entry_verdict(gaz: Gazetteer, decided: Decisions, state_abbr: str, level: str, published: str) -> Verdict:
    """The verdict on one entry of a list; every argument may be any text."""
    text, behind = split_state(published)
    level = level.strip().casefold()
    state = state_of(state_abbr) or behind or fuzzy.state_meant(state_abbr)
    text = without_own_state(text, state) if state else text
    if state is None and DISTRICT.fullmatch(normalise(text)) and "columbia" in normalise(text):
        state = "DC"
    if state is None:
        return Verdict(note="no state is given")
    said = normalise(text)
    if not said or len(said) > LONGEST_NAME:
        return Verdict(note="a text too long for a name" if said else "no name is given")
    if state == "DC":
        return _district_verdict(gaz, said)
    if fixed := decided.names.get((state, level, key(text))):
        return corrected(gaz, state, level, *fixed)
    if level == "state":
        verdict = resolve_state(gaz, state, text)
    elif is_sentence(said):
        verdict = Verdict(note="a statement in place of a name, which does not say whose")
    else:
        verdict = _named(gaz, state, text, level if level in {"county", "place"} else "place")
        if level not in {"county", "place"}:
            verdict = verdict.noting(f"unknown heading {level[:40]!r}", review=True)
    if state_of(state_abbr) is None and not behind:
        return verdict.noting(f"the state {state_abbr[:40]!r} read as {state}", review=True)
    if behind and behind != state:
        return verdict.noting(f"the text says {behind}, the row {state}", review=True)
    return verdict


def _named(gaz: Gazetteer, state: str, text: str, level: str) -> Verdict:
    """The government of that name; else with its kind word mended, for which the heading is the witness;
    else the one that is nearly spelled so, which is for review."""
    verdict = resolve(gaz, state, text, level)
    if verdict.geoid is not None:
        return verdict
    said, mending = fuzzy.mended(gaz, state, normalise(text))
    if mending and (again := resolve(gaz, state, said, level)).geoid is not None:
        again = replace(again, match_type="fuzzy").noting(mending)
        return again if again.unit == level else again.noting(review=True)
    return fuzzy.misspelt(gaz, state, text, level) or verdict


def corrected(gaz: Gazetteer, state: str, level: str, value: str, reason: str) -> Verdict:
    """The verdict by a hand decision on a name: the name meant, or no unit at all."""
    if not value:
        return Verdict(match_type="correction", needs_review=False, note=reason)
    verdict = resolve(gaz, state, value, level if level in {"county", "place"} else "place")
    return replace(verdict, match_type="correction").noting(reason)


# DC's names: the city's, the District's, or both; "D.C." is "d c" when normalised.
DISTRICT = re.compile(
    r"(?:government of )?(?:the )?(?:city of )?(?:the )?"
    r"(?:washington(?: city)?(?: (?:d ?c|district of columbia))?|d ?c|district of columbia)(?: government)?"
)


def _district_verdict(gaz: Gazetteer, said: str) -> Verdict:
    """DC has one government: its own name, the city's, or a statement about the jurisdiction mean it."""
    city = gaz.under(gaz.by_geoid["11"], "place")
    if DISTRICT.fullmatch(said):
        return answer(city, "exact" if said == "district of columbia" else "normalised")
    if is_sentence(said):
        return answer(city, "alias", "a sentence in place of a name; DC has one government")
    return Verdict(note="no government of that name in DC")

"""The rows of the 287(g) rosters: which government an agency is of.

The agency's own name weighs first: what it is (a sheriff, a police department, a state's department, a
constable, a campus) and whose. ICE's COUNTY is a second, independent field: it chooses between governments
of one name, and when it names another county the row goes to review. TYPE is too unreliable to decide
anything (state police typed Municipality, city police typed County); a contradiction is noted.
"""

from __future__ import annotations

import re
from dataclasses import replace

from analysis.jurisdictions import fuzzy, special
from analysis.jurisdictions.corrections import Decisions
from analysis.jurisdictions.evidence import County, Row, county_named, county_of, hint_of
from analysis.jurisdictions.gazetteer import Gazetteer, Government
from analysis.jurisdictions.normalise import LONGEST_NAME, key, normalise, readings, state_of
from analysis.jurisdictions.resolve import (
    BARE_TOWN_STATES,
    Verdict,
    answer,
    candidates,
    choose,
    described,
    resolve,
)

COUNTY_OFFICE = re.compile(
    r"\b(sheriffs?|detention|jail|prison|corrections|correctional|commissioners|prosecutors?"
    r"|district attorneys?|criminal justice)\b"
)
# What follows a government's name in the name of its county office or police.
OFFICE_WORDS = re.compile(
    r"\s*\b(the )?(office of the )?(sheriffs?|detention|jail|prison|corrections|correctional|division of"
    r"|department of corrections|board of|prosecutors?|attorneys?|criminal|district attorneys?)\b.*$"
)
POLICE_WORDS = re.compile(r"\s*\b((department of )?public safety|police|marshals?|law enforcement|dps|pd)\b")
AFTER_POLICE = re.compile(
    r"\b(department|departement|dept|services?|office|division|bureau|force|s|public|safety|police)\b"
)


def agency_verdict(
    gaz: Gazetteer, decided: Decisions, state_abbr: str, agency: str, county: str, agency_type: str
) -> Verdict:
    """The verdict on one row of a roster; every argument may be any text.

    The tests of kind run from the narrowest name to the widest, so that a county's constable is never
    taken for the county, nor a university with a state's name for the state.
    """
    state, said = state_of(state_abbr) or fuzzy.state_meant(state_abbr), normalise(agency)
    if state is None:
        return Verdict(note="no state is given")
    if not said or len(said) > LONGEST_NAME:
        return Verdict(note="a text too long for a name" if said else "no agency is named")
    row = Row(state, agency, said, hint_of(gaz, decided, state, county), normalise(agency_type))
    if fixed := decided.agencies.get((state, key(agency))):
        verdict = special.by_decision(gaz, row, *fixed)
    else:
        verdict = _judged(gaz, decided, row)
    if state_of(state_abbr) is None:
        agrees = row.hint.government is not None
        verdict = verdict.noting(
            f"STATE {state_abbr[:40]!r} read as {state}", review=None if agrees else True
        )
    return verdict


def _judged(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict:
    """The verdict by the first rule that knows the kind of agency; with kind words mended if none answers."""
    verdict = _by_kind(gaz, decided, row)
    if verdict.geoid is not None:
        return verdict
    said, mending = fuzzy.mended(gaz, row.state, row.said)
    again = _by_kind(gaz, decided, replace(row, said=said)) if mending else verdict
    if again.geoid is None:
        return verdict
    codes = gaz.by_geoid[again.geoid].counties if again.geoid in gaz.by_geoid else again.geoid.split(";")
    held = row.hint.government
    agrees = held is not None and held.geoid in codes
    return replace(again, match_type="fuzzy").noting(mending, review=None if agrees else True)


def _by_kind(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict:
    """The first rule's verdict, from the narrowest kind of agency to the widest."""
    for judge in (
        special.district_verdict,
        special.constable_verdict,
        special.tribal_verdict,
        special.institution_verdict,
        special.state_verdict,
        special.regional_verdict,
        county_verdict,
        office_verdict,
        police_verdict,
    ):
        if verdict := judge(gaz, decided, row):
            return _with_type(verdict, row)
    held = row.hint.government
    return Verdict(note="no known kind of agency" + (f"; COUNTY gives {described([held])}" if held else ""))


# Behind "X County" these name something smaller than the county's own government; a justice authority runs
# the county's jail.
BELOW_COUNTY = re.compile(
    r"\b(?:county|parish)\b.*\b(?:districts?|(?<!justice )authority|townships?|city|town|village|ward|library"
    r"|port|board of education|forest preserve|beverage control|park and recreation)\b(?! attorney)"
)


def county_verdict(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict | None:
    """An agency whose name says "X County" or "X Parish": the county, unless COUNTY names another."""
    named = county_named(gaz, decided, row.state, row.said)
    if named is None:
        return None
    if named.government is None:
        return _unknown_county(gaz, row, named)
    g = named.government
    match_type = "correction" if named.corrected else "exact" if g.name in row.agency else "normalised"
    verdict = answer(g, match_type, named.note)
    if g.kind == "city":
        verdict = replace(verdict, match_type="kind_resolved").noting(
            f"no such county; the only county-equivalent of that name is {g.name}"
        )
    if named.doubtful:
        verdict = verdict.noting("words before the county's name are not understood", review=True)
    if BELOW_COUNTY.search(row.said):
        verdict = verdict.noting("the name may mean a body or a place within the county", review=True)
    return row.hint.weigh(verdict, [g.geoid])


def _unknown_county(gaz: Gazetteer, row: Row, named: County) -> Verdict:
    """A county that the state does not have: COUNTY, or the one state that has it, as a candidate."""
    note = f"{row.state} has no {named.text}"
    if near := fuzzy.misspelt(gaz, row.state, named.text, "county", row.hint.government):
        if near.geoid:
            return row.hint.weigh(near, [near.geoid])
        note = near.note
    if held := row.hint.government:
        return answer(held, "kind_resolved", f"{note}; COUNTY gives {held.name}", review=True)
    elsewhere = [g for g in gaz.counties_called(key(named.text.rpartition(" ")[0])) if g.state != row.state]
    if len(elsewhere) == 1:
        return answer(
            elsewhere[0], "kind_resolved", f"{note}; {elsewhere[0].state} alone has one", review=True
        )
    also = f"; counties so called: {described(elsewhere)}" if elsewhere else ""
    return Verdict(note=note + also)


def office_verdict(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict | None:
    """A sheriff, jail or prosecutor named without the word County: Jacksonville, Miami-Dade, Carson City."""
    if not COUNTY_OFFICE.search(row.said):
        return None
    stem = OFFICE_WORDS.sub("", row.said)
    if not stem:
        return Verdict(note="an office of a county that is not named")
    stem, corrected = decided.name(row.state, "county", stem)
    found, explicit = candidates(gaz, row.state, stem, "county")
    counties = {code: alias for code, alias in found.items() if gaz.by_geoid[code].unit == "county"}
    if not found and (guess := fuzzy.misspelt(gaz, row.state, stem, "county", row.hint.government)):
        return row.hint.weigh(guess, [guess.geoid]) if guess.geoid else guess
    if not counties:
        near = [gaz.by_geoid[code] for code in found]
        return Verdict(note=f"no county is called {stem}" + (f"; {described(near)} is" if near else ""))
    held = row.hint.government
    if len(counties) > 1 and held and held.geoid in counties:
        counties = {held.geoid: counties[held.geoid]}
    verdict = choose(gaz, counties, "county", stem, explicit)
    if verdict.geoid is None:
        return verdict
    if corrected:
        verdict = replace(verdict, match_type="correction").noting(corrected)
    return row.hint.weigh(verdict, [verdict.geoid])


def police_verdict(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict | None:
    """A police department, marshal or department of public safety: the city, town or township."""
    found = POLICE_WORDS.search(row.said)
    if not found:
        return None
    stem = row.said[: found.start()].strip()
    tail = AFTER_POLICE.sub(" ", row.said[found.end() :]).strip()
    own = county_of(gaz, row.state, tail) if tail else None
    if not stem:
        return Verdict(note="a police department of a government that is not named")
    hint = County(own, tail, "") if own else row.hint
    verdict = municipal_verdict(gaz, decided, row.state, stem, hint, row.kind)
    if tail and own is None:
        verdict = verdict.noting(f"the words {tail!r} are not understood", review=True)
    return verdict


def municipal_verdict(
    gaz: Gazetteer, decided: Decisions, state: str, stem: str, hint: County, kind: str
) -> Verdict:
    """The city, town, village, borough or township that a stem names, with COUNTY as the second witness.

    Where only a county bears the name, COUNTY and TYPE (`kind`) must both say so.
    """
    stem, reason = decided.name(state, "place", stem)
    found, explicit = candidates(gaz, state, stem, "place")
    local = {code: alias for code, alias in found.items() if gaz.by_geoid[code].unit != "county"}
    if not local:
        verdict = resolve(gaz, state, stem, "place")
        if verdict.geoid is None:
            held = hint.government
            if merged := _consolidated(gaz, state, stem, held):
                return merged
            guess = fuzzy.misspelt(gaz, state, stem, "place", held)
            if guess and guess.geoid:
                return hint.weigh(guess, gaz.by_geoid[guess.geoid].counties)
            verdict = guess or verdict
            return verdict.noting(f"COUNTY gives {described([held])}" if held else "")
        confirmed = hint.government is not None and hint.government.geoid == verdict.geoid
        cities = [g for g, _ in gaz.find(state, key(f"{stem} city")) if g.unit == "place"]
        note = f"so is {described(cities)}" if cities else ""
        verdict = verdict.noting("a police department named like a county", note)
        return verdict.noting(review=bool(cities) or not confirmed or kind != "county")
    inside = {code: alias for code, alias in local.items() if hint.holds(gaz.by_geoid[code])}
    verdict = choose(gaz, inside or local, "place", stem, explicit)
    if verdict.geoid is None:
        return verdict
    chosen = gaz.by_geoid[verdict.geoid]
    if reason:
        verdict = replace(verdict, match_type="correction").noting(reason)
    if chosen.kind == "township" and not stem.endswith("township") and state != "NJ":
        cities = [gaz.by_geoid[code] for code in local if gaz.by_geoid[code].unit == "place"]
        if cities or not inside:
            note = f"so is {described(cities)}" if cities else f"only {chosen.name} bears the name"
            verdict = verdict.noting(note, review=True)
    towns = [gaz.by_geoid[code] for code in inside or local if gaz.by_geoid[code].kind == "town"]
    towns = [town for town in towns if town.unit == "cousub" and town.state in BARE_TOWN_STATES]
    if chosen.unit == "place" and towns and not explicit:
        verdict = verdict.noting(f"could also be {described(towns)}", review=True)
    abroad = [other for other in hint.elsewhere if _bears(gaz, other, stem)]
    if abroad:
        note = f"{described(abroad)} of {abroad[0].state} holds a government of that name"
        verdict = verdict.noting(note, review=True)
    return hint.weigh(verdict, chosen.counties)


def _consolidated(gaz: Gazetteer, state: str, stem: str, held: Government | None) -> Verdict | None:
    """ "Louisville Metro": the city of that name, if it is a county's government too; COUNTY must agree."""
    rest = " ".join(word for word in stem.split() if word not in {"metro", "metropolitan"})
    if rest == stem or not rest:
        return None
    found, _ = candidates(gaz, state, rest, "place")
    cities = [gaz.by_geoid[code] for code in found if gaz.by_geoid[code].unit == "place"]
    if len(cities) != 1 or cities[0].county_code is None:
        return None
    agrees = held is not None and held.geoid in cities[0].counties
    return answer(cities[0], "kind_resolved", "the police of a consolidated government", not agrees)


def _bears(gaz: Gazetteer, county: Government, stem: str) -> bool:
    """Whether a county holds a city, town or township of that name."""
    return any(county.geoid in g.counties for r in readings(stem) for g, _ in gaz.find(county.state, r.key))


def _with_type(verdict: Verdict, row: Row) -> Verdict:
    """A note where TYPE says another kind than the agency's own name."""
    expected = {"county": "county", "place": "municipality", "cousub": "municipality", "state": "state"}
    said = row.kind.split()[0] if row.kind else ""
    level = expected.get(verdict.unit)
    if level and said in {"county", "municipality", "state"} and said != level:
        return verdict.noting(f"TYPE says {row.kind}")
    return verdict

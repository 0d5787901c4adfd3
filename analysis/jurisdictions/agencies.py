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
from analysis.jurisdictions.candidates import COUNTYS, candidates, longer, own_governments
from analysis.jurisdictions.corrections import Decisions
from analysis.jurisdictions.evidence import County, Row, county_named, county_of, hint_of, without
from analysis.jurisdictions.gazetteer import Gazetteer, Government
from analysis.jurisdictions.normalise import (
    LONGEST_NAME,
    key,
    normalise,
    readings,
    state_of,
    without_own_state,
)
from analysis.jurisdictions.offices import (
    AROUND_POLICE,
    JAIL,
    POLICE,
    PRISON,
    WITHIN_COUNTY,
    before_police,
    is_county_office,
)
from analysis.jurisdictions.resolve import (
    BARE_TOWN_STATES,
    Verdict,
    answer,
    choose,
    described,
    resolve,
)
from analysis.jurisdictions.special import part_of
from analysis.jurisdictions.state_agencies import own_name_removed, state_verdict

COUNTY_OFFICE = re.compile(
    r"\b(?:sheriffs?|detention|jails?|prisons?|corrections?|correctional|commissioners|prosecutors?"
    r"|(?:district|states?|commonwealths?|prosecuting) attorneys?|criminal justice)\b"
)
# Where the name of a county office begins, behind the county's name: "Miami Dade | division of corrections".
OFFICE_BEGINS = re.compile(
    r"\s*\b(?:the )?(?:office of the |department of |division of |board of (?:county |parish )?|criminal )*"
    r"(?:sheriffs?|detention|jails?|prisons?|corrections?|correctional|commissioners|prosecutors?"
    r"|criminal justice|(?:district|states?|commonwealths?|prosecuting) attorneys?)\b.*$"
)
# "Sheriff's Office of Hall": the county stands behind.
OFFICE_OF = re.compile(r"^(?:office of (?:the )?)?sheriffs?(?: office| department)? of (?:the )?(.+)$")
AFTER_OF = re.compile(r"^(?:(?:of|for|in) )?(?:the )?")
KIND_ALONE = {"", "city", "town", "village", "borough", "the"}


def agency_verdict(
    gaz: Gazetteer, decided: Decisions, state_abbr: str, agency: str, county: str, agency_type: str
) -> Verdict:
    """The verdict on one row of a roster; every argument may be any text.

    The tests of kind run from the narrowest name to the widest, so that a county's constable is never
    taken for the county, nor a university with a state's name for the state.
    """
    state = state_of(state_abbr) or fuzzy.state_meant(state_abbr)
    if state is None:
        return Verdict(note="no state is given")
    said = normalise(without_own_state(agency, state))
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
        state_verdict,
        special.regional_verdict,
        county_verdict,
        office_verdict,
        police_verdict,
    ):
        if verdict := judge(gaz, decided, row):
            return _with_type(verdict, row)
    held = row.hint.government
    return Verdict(note="no known kind of agency" + (f"; COUNTY gives {described([held])}" if held else ""))


def county_verdict(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict | None:
    """An agency whose name says "X County" or "X Parish": the county, if the other words are wholly an office
    of it; the county as the holder, if they name a body within; a city, if they name one; else review."""
    named = county_named(gaz, decided, row.state, row.said)
    if named is None:
        return None
    if named.government is None:
        return _unknown_county(gaz, row, named)
    g = named.government
    left = _without_city(gaz, g, without(named, row.said))
    rest = own_name_removed(row.state, left)
    if named.several:
        left = rest = f"{rest} of several counties"
    office = not rest or is_county_office(rest)
    if not office or own_governments(gaz, row.state, before_police(left)):
        if POLICE.search(left) and not COUNTY_OFFICE.search(left) and not named.several:
            inside = police_verdict(gaz, decided, replace(row, said=left, hint=County(g, g.name)))
            own = gaz.by_geoid.get(inside.geoid) if inside else None
            if own and g.geoid in own.counties and inside.match_type != "fuzzy":
                return row.hint.weigh(inside, [g.geoid])
        if not office and WITHIN_COUNTY.search(rest) and not COUNTY_OFFICE.search(rest):
            return row.hint.weigh(part_of(g.geoid, f"a body within {g.name}"), [g.geoid])
    alias = key(g.names[0]) not in {reading.key for reading in readings(named.text)}
    match_type = "correction" if named.corrected else "exact" if g.name in row.agency else "normalised"
    verdict = answer(
        g, "alias" if alias and not named.corrected and g.kind != "city" else match_type, named.note
    )
    if g.kind == "city":
        verdict = replace(verdict, match_type="kind_resolved").noting(
            f"no such county; the only county-equivalent of that name is {g.name}"
        )
    if not office:
        verdict = verdict.noting(f"the words {rest!r} are no known office of a county", review=True)
    return row.hint.weigh(verdict, [g.geoid])


def _without_city(gaz: Gazetteer, county: Government, left: str) -> str:
    """The words beside a county's name without those of the official name of a consolidated government:
    "Unified Government of Wyandotte County/Kansas City Sheriff"."""
    if county.place_code is None or "government" not in left:
        return left
    place = gaz.by_geoid[county.place_code]
    for name in (*place.names, *place.aliases):
        left = re.sub(rf"\b{re.escape(normalise(name))}\b", " ", left)
    return " ".join(re.sub(r"\b(?:unified|consolidated|metropolitan|metro|government)\b", " ", left).split())


def _unknown_county(gaz: Gazetteer, row: Row, named: County) -> Verdict:
    """A county that the state does not have: COUNTY, or the one state that has it, as a candidate."""
    note = f"{row.state} has no {named.text}"
    if (held := row.hint.government) and fuzzy.one_letter_from(gaz, named.text, held):
        return answer(held, "fuzzy", f"{named.text!r} is one letter from {held.name}; COUNTY agrees")
    if near := fuzzy.misspelt(gaz, row.state, named.text, "county", row.hint.government):
        if near.geoid:
            return row.hint.weigh(near, [near.geoid])
        note = near.note
    if held:
        return answer(held, "kind_resolved", f"{note}; COUNTY gives {held.name}", review=True)
    if len(begun := longer(gaz, row.state, named.text)) == 1:
        return answer(begun[0], "kind_resolved", f"{note}; so begins {begun[0].name}", review=True)
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
    behind = OFFICE_OF.match(row.said)
    stem = behind[1] if behind else OFFICE_BEGINS.sub("", row.said)
    office = "sheriff" if behind else row.said[len(stem) :].strip()
    if not stem:
        return Verdict(note="an office of a county that is not named")
    stem, corrected = decided.name(row.state, "county", stem)
    found, explicit = candidates(gaz, row.state, stem, "county")
    if not found and (bare := own_name_removed(row.state, stem)):
        stem = bare
        found, explicit = candidates(gaz, row.state, stem, "county")
    counties = {code: bears for code, bears in found.items() if gaz.by_geoid[code].unit == "county"}
    if not found and (guess := fuzzy.misspelt(gaz, row.state, stem, "county", row.hint.government)):
        return row.hint.weigh(guess, [guess.geoid]) if guess.geoid else guess
    if not counties:
        near = [gaz.by_geoid[code] for code in found]
        return Verdict(note=f"no county is called {stem}" + (f"; {described(near)} is" if near else ""))
    held = row.hint.government
    if len(counties) > 1 and held and held.geoid in counties and row.hint.says_kind:
        counties = {held.geoid: counties[held.geoid]}
    verdict = choose(gaz, counties, "county", stem, explicit)
    if verdict.geoid is None:
        return verdict
    if corrected:
        verdict = replace(verdict, match_type="correction").noting(corrected)
    if not is_county_office(own_name_removed(row.state, office)):
        verdict = verdict.noting(f"the words {office!r} are no known office of a county", review=True)
    return row.hint.weigh(_jail_of_whom(gaz, row, stem, verdict), [verdict.geoid])


def _jail_of_whom(gaz: Gazetteer, row: Row, stem: str, verdict: Verdict) -> Verdict:
    """A jail or prison without the word County: a state's prison or a city's jail may be so called too."""
    if not JAIL.search(row.said) or re.search(r"\bsheriffs?\b", row.said):
        return verdict
    if PRISON.search(row.said):
        return verdict.noting("a state's prison may be so called", review=True)
    cities = [g for g in own_governments(gaz, row.state, stem) if g.county_code != verdict.geoid]
    agrees = row.hint.government is not None and row.hint.government.geoid == verdict.geoid
    return verdict.noting(f"so is {described(cities)}", review=True) if cities and not agrees else verdict


def police_verdict(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict | None:
    """A police department, marshal or department of public safety: the city, town or township in front of
    these words, or behind them ("Division of Police Newark")."""
    found = POLICE.search(row.said)
    if not found:
        return None
    stem = before_police(row.said)
    tail = " ".join(AROUND_POLICE.sub(" ", row.said[found.end() :]).split())
    own = county_of(gaz, row.state, tail) if tail else None
    if stem in KIND_ALONE or stem in {"department", "dept", "division", "bureau", "office"}:
        stem, tail, own = AFTER_OF.sub("", tail), "", None
    if not stem:
        return Verdict(note="a police department of a government that is not named")
    hint = County(own, tail, "") if own else row.hint
    verdict = municipal_verdict(gaz, decided, row.state, stem, hint, row.kind)
    if tail and own is None and own_name_removed(row.state, tail):
        verdict = verdict.noting(f"the words {tail!r} are not understood", review=True)
    return row.hint.weigh(verdict, gaz.by_geoid[verdict.geoid].counties) if own and verdict.geoid else verdict


def municipal_verdict(
    gaz: Gazetteer, decided: Decisions, state: str, stem: str, hint: County, kind: str
) -> Verdict:
    """The city, town, village, borough or township that a stem names, with COUNTY as the second witness.

    Where only a county bears the name, COUNTY and TYPE (`kind`) must both say so.
    """
    stem, reason = decided.name(state, "place", stem)
    found, explicit = candidates(gaz, state, stem, "place")
    local = {
        code: bears
        for code, bears in found.items()
        if gaz.by_geoid[code].unit != "county" and bears != COUNTYS
    }
    if not local:
        return _not_municipal(gaz, state, stem, hint, kind)
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


def _not_municipal(gaz: Gazetteer, state: str, stem: str, hint: County, kind: str) -> Verdict:
    """The police of a name that no city, town or township bears as its own."""
    held = hint.government
    verdict = resolve(gaz, state, stem, "place")
    if verdict.geoid is None:
        guess = fuzzy.misspelt(gaz, state, stem, "place", held)
        if guess and guess.geoid:
            return hint.weigh(guess, gaz.by_geoid[guess.geoid].counties)
        return (guess or verdict).noting(f"COUNTY gives {described([held])}" if held else "")
    named = gaz.by_geoid[verdict.geoid]
    if named.unit == "place":  # Louisville Metro, or a city by its county's name
        return hint.weigh(verdict, named.counties)
    confirmed = held is not None and held.geoid == verdict.geoid and kind == "county"
    cities = [g for g, _ in gaz.find(state, key(f"{stem} city")) if g.unit == "place"]
    verdict = verdict.noting(
        "a police department named like a county", f"so is {described(cities)}" if cities else ""
    )
    return hint.weigh(verdict.noting(review=bool(cities) or not confirmed), [named.geoid])


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

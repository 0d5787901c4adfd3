"""Agencies that are of no county and no city: districts', constables', campuses', tribes', regions'."""

from __future__ import annotations

import re
from dataclasses import replace

from analysis.jurisdictions.candidates import candidates, own_governments
from analysis.jurisdictions.corrections import Decisions
from analysis.jurisdictions.evidence import Row, county_named, without
from analysis.jurisdictions.gazetteer import Gazetteer
from analysis.jurisdictions.normalise import key
from analysis.jurisdictions.offices import before_police
from analysis.jurisdictions.resolve import Verdict, choose, described

ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
    *("eighteenth", "nineteenth", "twentieth"),
)
NUMBER = rf"(\d+|{'|'.join(ORDINALS)})(?:st|nd|rd|th)?"
DISTRICT = re.compile(rf"\b{NUMBER} (?:judicial )?(circuit|distric\w*)\b")
DISTRICT_OFFICE = re.compile(r"\b(judicial|state attorneys?|district attorneys?|solicitors?)\b")

CONSTABLE = re.compile(r"\bconstables?\b|^ward \w+ marshals?\b")
CONSTABLE_WORDS = re.compile(r"\b((pennsylvania|pa)? ?state|constables?|marshals?|office|of|the|elected|s)\b")
PART_WORDS = re.compile(rf"\b(?:{NUMBER} )?(ward|precinct|pct|district)\b.*$")

INSTITUTION = re.compile(
    r"\b(university|college|campus|airport|port authority|seaport|schools?|isd|academy of|board of trustees"
    r"|hospital|transit|railroad|railway|housing authority|park district|harbor police)\b|^port of\b"
)
# A campus of a city's name may stand elsewhere; a school district may go on into the next county.
CAMPUS = re.compile(r"\b(?:university|college|campus|academy|schools?|isd)\b")
TRIBE = re.compile(r"\b(nation|tribes?|tribal|pueblo|rancheria|reservation|band of)\b")
REGION = re.compile(
    r"\b(regional|police cooperative|metro(politan)? police authority|district jail|joint|drug task force"
    r"|multi county|tri county)\b"
)
DIRECTION = re.compile(
    r"(north|south|east|west|northeast|northwest|southeast|southwest)(ern)?|central|upper|lower|mid|greater"
    r"|metro|metropolitan|county|of|police|authority|the"
)


def by_decision(
    gaz: Gazetteer, row: Row, unit: str, value: str, reason: str, review: bool = False, overrules: str = ""
) -> Verdict:
    """A hand decision on one agency: a unit with its codes, or "none". COUNTY may still contradict it.

    A decision whose source does not say all of it is for `review`; a COUNTY that it `overrules` was weighed
    when it was taken, and contradicts it no more.
    """
    if unit == "none":
        return Verdict(match_type="correction", needs_review=False, note=reason)
    government = gaz.by_geoid.get(value)
    also = ";".join(government.also) if government and unit == government.unit else ""
    verdict = Verdict(value, unit, also, "correction", review, reason)
    if overrules and key(overrules) == key(row.hint.text):
        return verdict.noting(f"the decision overrules COUNTY {row.hint.text[:60]!r}")
    codes = government.counties if government else value.split(";")
    return row.hint.weigh(verdict, codes)


def district_verdict(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict | None:
    """A prosecutor or task force of a numbered judicial circuit or district, from `districts.csv`."""
    found = DISTRICT.search(row.said)
    if not found or not DISTRICT_OFFICE.search(row.said) or "constable" in row.said:
        return None
    ordinal, word = found.groups()
    number = ORDINALS.index(ordinal) + 1 if ordinal in ORDINALS else int(ordinal)
    kind = "circuit" if word == "circuit" else "district"
    fixed = decided.districts.get((row.state, key(f"{kind} {number}")))
    if fixed is None:
        held = f"; COUNTY gives {described([row.hint.government])}" if row.hint.government else ""
        return Verdict(note=f"the counties of {kind} {number} of {row.state} are not known{held}")
    codes = fixed[0].split(";")
    unit = "counties" if len(codes) > 1 else "county"
    return row.hint.weigh(Verdict(fixed[0], unit, "", "correction", False, fixed[1]), codes)


def constable_verdict(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict | None:
    """A constable: of a precinct or ward, the county that holds it; of a whole township, the township."""
    if not CONSTABLE.search(row.said):
        return None
    named = county_named(gaz, decided, row.state, row.said)
    if named and named.government:
        note = named.note or "a constable"
        verdict = part_of(
            named.government.geoid, note, named.several, "correction" if named.corrected else None
        )
        return row.hint.weigh(verdict, [named.government.geoid])
    whole = not PART_WORDS.search(row.said)
    stem = PART_WORDS.sub("", row.said)
    stem = " ".join(CONSTABLE_WORDS.sub(" ", stem).split())
    stem, reason = decided.name(row.state, "place", stem)
    found, explicit = candidates(gaz, row.state, stem, "place")
    held = row.hint.government
    inside = {code: alias for code, alias in found.items() if row.hint.holds(gaz.by_geoid[code])}
    if not found or (held and not inside):
        note = f"a constable of {stem or 'no named government'}"
        return part_of(held.geoid, f"{note}; the county is COUNTY's", True) if held else Verdict(note=note)
    verdict = choose(gaz, inside or found, "place", stem, explicit)
    if verdict.geoid is None:
        return verdict
    chosen = gaz.by_geoid[verdict.geoid]
    if whole:
        verdict = replace(verdict, match_type="correction").noting(reason) if reason else verdict
        borough = chosen.unit == "place"
        verdict = verdict.noting("a constable of a borough" if borough else "", review=borough or None)
        return row.hint.weigh(verdict, chosen.counties)
    if len(chosen.counties) != 1 and not held:
        return Verdict(note=f"a constable of a part of {described([chosen])}, which lies in several counties")
    county = held.geoid if held else chosen.counties[0]
    return row.hint.weigh(part_of(county, f"a constable of a part of {chosen.name}"), [county])


def part_of(county: str, note: str, review: bool = False, match_type: str | None = None) -> Verdict:
    """The verdict on an agency smaller than a county: the county that holds it."""
    return Verdict(county, "part_of_county", "", match_type or "kind_resolved", review, note)


def institution_verdict(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict | None:
    """A campus, airport or port without a hand decision: the county in its name, else COUNTY, else the
    county of the city it is named for; the last two are for review.

    A COUNTY that holds the namesake city confirms an airport or port; a campus may stand elsewhere, as
    Washington University does.
    """
    named = county_named(gaz, decided, row.state, row.said)
    said = without(named, row.said) if named and named.government else row.said
    found = INSTITUTION.search(said)
    if not found or "sheriff" in said or own_governments(gaz, row.state, before_police(said)):
        return None
    note = f"an institution ({found[0]})"
    if named and named.government:
        verdict = part_of(named.government.geoid, note, named.several).noting(named.note)
        return row.hint.weigh(verdict, [named.government.geoid])
    city = _city_in_front(gaz, row.state, row.said)
    if held := row.hint.government:
        agrees = city is not None and held.geoid in city.counties and not CAMPUS.search(row.said)
        return part_of(held.geoid, f"{note}; the county is COUNTY's", review=not agrees)
    if city is not None and len(city.counties) == 1:
        return part_of(city.counties[0], f"{note} named for {city.name}", review=True)
    return Verdict(note=f"{note} whose county is not known")


def tribal_verdict(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict | None:
    """The police of a tribe: no unit of the gazetteer; the county that COUNTY gives is for review."""
    words = [word for word in TRIBE.findall(row.said) if not gaz.find(row.state, word)]  # Colorado's Pueblo
    if not words or own_governments(gaz, row.state, before_police(row.said)):
        return None
    note = "an agency of a tribe, whose government is none of a state's"
    held = row.hint.government
    return part_of(held.geoid, f"{note}; the county is COUNTY's", True) if held else Verdict(note=note)


def _city_in_front(gaz: Gazetteer, state: str, said: str):
    """The one place whose name a normalised text begins with; the longest name wins."""
    words = said.split()
    for end in range(len(words), 0, -1):
        places = [g for g, _ in gaz.find(state, key(" ".join(words[:end]))) if g.unit == "place"]
        if len(places) == 1:
            return places[0]
    return None


def regional_verdict(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict | None:
    """A police or jail of a region: the counties that its name lists, else the one that holds it."""
    found = REGION.search(row.said)
    if not found:
        return None
    words = row.said[: found.start()].split() or row.said[found.end() :].split()
    listed, left = _counties_listed(gaz, row.state, words)
    held = row.hint.government
    if len(listed) > 1 and not left - {"and"}:
        codes = sorted(g.geoid for g in listed)
        verdict = Verdict(
            ";".join(codes), "counties", "", "kind_resolved", False, f"a region of {described(listed)}"
        )
        called = {other.geoid: other for g in listed for other, _ in gaz.find(row.state, key(g.names[0]))}
        pairs = [g for code, g in called.items() if g.unit == "county" and code not in codes]
        if pairs:  # Roanoke is a county and an independent city
            verdict = verdict.noting(f"could also be {described(pairs)}", review=True)
        return row.hint.weigh(verdict, codes)
    if "jail" in row.said.split() or "task" in row.said.split():
        return Verdict(note="a region whose counties are not known")
    note = "the police of a region smaller than the county"
    named = county_named(gaz, decided, row.state, row.said)
    own = (
        named.government
        if named
        else listed[0]
        if len(listed) == 1 and all(DIRECTION.fullmatch(word) for word in left)
        else None
    )
    if own:
        return row.hint.weigh(part_of(own.geoid, note), [own.geoid])
    if held:
        return part_of(held.geoid, f"{note}; the county is COUNTY's", review=True)
    return Verdict(note=f"{note} that is not known")


def _counties_listed(gaz: Gazetteer, state: str, words: list[str]) -> tuple[list, set[str]]:
    """The counties that words name one after another, longest name first, and the words left over."""
    found, left, at = [], set(), 0
    while at < len(words):
        ends = range(min(len(words), at + 4), at, -1)
        step = next(
            ((g, end) for end in ends if (g := gaz.county(state, key(" ".join(words[at:end]))))), None
        )
        if step:
            found.append(step[0])
            at = step[1]
        else:
            left.add(words[at])
            at += 1
    return found, left

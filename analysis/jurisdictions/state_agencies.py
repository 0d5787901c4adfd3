"""Departments of states and territories: by the state's own name in front, or by an office only states have.

A department of police or of public safety without a state's name may be a city's: it is the state's only if
the text is wholly one of the known forms.
"""

from __future__ import annotations

import re
from functools import lru_cache

from analysis.jurisdictions.candidates import own_governments
from analysis.jurisdictions.corrections import Decisions
from analysis.jurisdictions.evidence import Row
from analysis.jurisdictions.gazetteer import Gazetteer
from analysis.jurisdictions.normalise import normalise
from analysis.jurisdictions.offices import POLICE, before_police
from analysis.jurisdictions.resolve import Verdict, answer, described
from analysis.sources.states import STATES, TERRITORIES

NAMES = {state: name for state, (_, name) in {**STATES, **TERRITORIES}.items()}
# How the press shortens states; the postal abbreviation and the full name also stand in front of an office.
SHORT = (
    "AL ala,AZ ariz,AR ark,CA calif,CO colo,CT conn,DE del,FL fla,IL ill,IN ind,KS kan,KS kans,MA mass,"
    "MI mich,MN minn,MS miss,MT mont,NE neb,NE nebr,NV nev,NH n h,NJ n j,NM n m,NY n y,NC n c,ND n d,"
    "OK okla,OR ore,PA penn,PA penna,RI r i,SC s c,SD s d,TN tenn,TX tex,WA wash,WV w va,WI wis,WI wisc,"
    "WY wyo,MP cnmi,MP commonwealth of the northern mariana islands,VI virgin islands,VI us virgin islands"
)
# What may follow the state's own name.
STATE_OFFICE = re.compile(
    r"(?:state )?(?:dept|department|division|bureau|office of|highway|patrol|police$|troopers?"
    r"|national guard|army national|air national|military|attorney generals?|commission|fish|game|wildlife"
    r"|parks and|gaming|lottery|law enforcement|alcohol\w*|marine resources|doc|dps|public safety|corrections"
    r"|penitentiary|prisons?|customs|fire marshal"
    r"|state (?:police|patrol|troopers?|guard|highway|fire|park|penitentiary|prison|bureau|board))\b"
)
TERRITORY_OFFICE = re.compile(r"(?:police|port|customs|fire|[\w ]*department)\b")
# A name that begins with a state's and holds one of these is a local body's.
LOCAL = re.compile(r"\b(?:city of|town of|village of|borough of|township|regional|tribal|tribe)\b")
# Offices without a state's name that are a state's; `LOOSE_OFFICE` begins like one and is for review.
_OF_STATE = (
    r"(?:corrections?(?: and rehabilitation)?|correctional services|public safety(?: and corrections)?"
)
BARE_OFFICE = re.compile(
    rf"(?:state )?(?:dept|department|division|bureau) of {_OF_STATE}|homeland security|state police"
    r"|criminal investigations?|wildlife resources|environmental protection|financial services|agriculture)"
    r"|(?:state )?(?:office of )?(?:the )?attorney generals?(?: office)?"
    r"|office of (?:statewide prosecution|agricultural law enforcement|(?:the )?state auditor"
    r"|(?:the )?state fire marshal)"
    r"|(?:state )?highway patrol|state (?:police|patrol|highway patrol|troopers?)(?: department)?"
    r"|(?:state |army |air )?national guard|state guard|military department"
    r"|(?:state )?(?:bureau of investigation|law enforcement (?:division|agency))"
    r"|fish and wildlife(?: conservation)? commission|(?:marine resources|gaming control) commission"
)
LOOSE_OFFICE = re.compile(
    r"(?:state )?(?:dept|department|division|bureau|office of|highway|patrol|national guard|military|fish"
    r"|game|attorney generals?|commission|wildlife|gaming|alcohol|parks|marine resources|doc|state)\b"
)


def state_verdict(gaz: Gazetteer, decided: Decisions, row: Row) -> Verdict | None:
    """A department of a state: by the state's own name in front, or by an office that only states have."""
    if re.search(r"\b(?:county|parish|sheriffs?)\b", row.said):
        return None
    named, rest = _named(row.said)
    if named and _is_office(named, rest) and not LOCAL.search(rest):
        if row.state not in named:
            if (
                row.kind[:5] != "state"
                and POLICE.match(rest)
                and own_governments(gaz, row.state, NAMES[named[0]])
            ):
                return None
            return Verdict(note=f"an agency of {NAMES[named[0]]} under {row.state}")
        cities = own_governments(gaz, row.state, NAMES[row.state])
        cities = cities if row.kind == "municipality" else [g for g in cities if g.unit == "place"]
        doubt = POLICE.search(rest) and not rest.startswith("state ") and cities
        return _state(gaz, row, f"so is called {described(cities)}" if doubt else "")
    if row.state == "DC" and re.match(r"metropolitan police\b", row.said):
        return _state(gaz, row)
    of_attorney = re.search(r"\b(?:state|district|county) attorneys?\b", row.said)
    if own_governments(gaz, row.state, before_police(row.said)) or of_attorney:
        return None
    if BARE_OFFICE.fullmatch(row.said):
        local = row.kind in {"county", "municipality"}
        return _state(gaz, row, "TYPE says otherwise" if local else "")
    if LOOSE_OFFICE.match(row.said) and not POLICE.search(row.said) and not LOCAL.search(row.said):
        return _state(gaz, row, "the words after it are not understood")
    return None


def _is_office(named: tuple[str, ...], rest: str) -> bool:
    """Whether the words after a state's name are an office of it; a territory's police is its own."""
    if STATE_OFFICE.match(rest):
        return True
    last = re.fullmatch(r"(?:[\w ]+ )?(?:commission|lottery|board(?: of [\w ]+)?|department of [\w ]+)", rest)
    return bool(last) or (named[0] in TERRITORIES and bool(TERRITORY_OFFICE.match(rest)))


def _named(said: str) -> tuple[tuple[str, ...], str]:
    """The states whose name a text begins with (West Virginia before Virginia), and the words after it."""
    words = said.split()
    for end in range(min(len(words) - 1, 6), 0, -1):
        if states := _beginnings().get(" ".join(words[:end])):
            return states, " ".join(words[end:])
    return (), said


@lru_cache(maxsize=1)
def _beginnings() -> dict[str, tuple[str, ...]]:
    """The names, short names and abbreviations of states, with "State of", each with the states so called."""
    found: dict[str, tuple[str, ...]] = {}
    pairs = [(state, normalise(name)) for state, name in NAMES.items()]
    pairs += [(state, state.casefold()) for state in NAMES if normalise(state) == state.casefold()]
    pairs += [tuple(pair.split(" ", 1)) for pair in SHORT.split(",")]
    for state, name in pairs:
        for text in (name, f"state of {name}", f"commonwealth of {name}", f"the state of {name}"):
            found[normalise(text)] = (*found.get(normalise(text), ()), state)
    return found


def own_name_removed(state: str, said: str) -> str:
    """A text without its own state's name or abbreviation, with or without "State of"."""
    names = sorted((text for text, states in _beginnings().items() if states == (state,)), key=len)
    for name in reversed(names):
        said = re.sub(rf"\b{re.escape(name)}\b", " ", said)
    return " ".join(said.split())


def _state(gaz: Gazetteer, row: Row, doubt: str = "") -> Verdict:
    """The state itself; ICE's COUNTY is then the county of an office and no evidence."""
    government = gaz.under(gaz.by_geoid[{**STATES, **TERRITORIES}[row.state][0]], "state")
    return answer(government, "kind_resolved", "an agency of the state", bool(doubt)).noting(doubt)

"""One name under one heading to one government, or to review with the candidates. Pure.

The name's own kind word decides first (County, City of, Township), then the heading, then there being only
one government of that name in the state. No step falls from one kind to another in silence: an answer
against the heading says so, and what two governments could claim goes to review.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from analysis.jurisdictions.candidates import (
    ALIAS,
    CITY_KINDS,
    COUNTYS,
    LOOSE,
    candidates,
    joint,
    longer,
)
from analysis.jurisdictions.gazetteer import Gazetteer, Government
from analysis.jurisdictions.normalise import key, normalise, readings, state_of
from analysis.sources.states import FIPS, STATES

TIERS = {
    "county": ("county", "place", "cousub"),
    "place": ("place", "cousub", "county"),
    "cousub": ("cousub", "place", "county"),
}
# States whose towns are governments as full as cities, and are called by the bare name.
BARE_TOWN_STATES = {"CT", "MA", "ME", "NH", "NY", "RI", "VT", "WI"}
# States where a town keeps its bare name beside the county's: two whose counties have no government, and one
# where a township is as full a municipality as a city.
BARE_TOWNS_ALONE = {"CT", "NJ", "RI"}
NEW_YORK_BOROUGHS = {
    "36005",
    "36047",
    "36061",
    "36081",
    "36085",
}  # counties without a government of their own
COMMONWEALTHS = {"KY", "MA", "PA", "VA"}
# States where a borough or village and the township around it, with a police of its own, share a name.
SHARED_NAME_STATES = {"MI", "NJ", "PA"}


@dataclass(frozen=True)
class Verdict:
    """What the ledger says of one name: the columns that `match` adds."""

    geoid: str | None = None
    unit: str = "none"
    also_geoids: str = ""
    match_type: str = "none"
    needs_review: bool = True
    note: str = ""

    def noting(self, *notes: str, review: bool | None = None) -> Verdict:
        """The same verdict with further notes, and with another word on review if one is given."""
        text = "; ".join(dict.fromkeys(part for part in (self.note, *notes) if part))
        return replace(self, note=text, needs_review=self.needs_review if review is None else review)


def answer(government: Government, match_type: str, note: str = "", review: bool = False) -> Verdict:
    """The verdict that names one government."""
    also = ";".join(government.also)
    return Verdict(government.geoid, government.unit, also, match_type, review, note)


def described(governments: Iterable[Government]) -> str:
    """Candidates for a note: "Baltimore County (24005), Baltimore city (2404000)"."""
    return ", ".join(f"{g.name} ({g.geoid})" for g in sorted(governments, key=lambda g: g.geoid))


def resolve(gaz: Gazetteer, state: str, text: object, heading: str) -> Verdict:
    """The government that a name means in a state.

    Parameters
    ----------
    state : postal abbreviation.
    text : the name, with or without a kind word.
    heading : county or place, the level under which it was printed; it can be wrong.
    """
    found, explicit = candidates(gaz, state, text, heading)
    if found:
        return choose(gaz, found, heading, text, explicit)
    if both := joint(gaz, state, text, heading):
        return answer(both, "kind_resolved", f"the government of {both.name}")
    return _split(gaz, state, text, heading) or _longer(gaz, state, text) or _nothing(gaz, state, text)


def choose(gaz: Gazetteer, found: Mapping[str, str], heading: str, text: object, explicit: bool) -> Verdict:
    """The verdict on candidates that `candidates` found, at least one."""
    near = {code for code, bears in found.items() if bears != COUNTYS}
    if not near:
        chosen = gaz.by_geoid[min(found)]
        return answer(chosen, "kind_resolved", f"only the county of {chosen.name} is so called", review=True)
    verdict = _pick(gaz, [gaz.by_geoid[code] for code in near], heading, text, explicit)
    if verdict.geoid is None:
        return verdict
    chosen = gaz.by_geoid[verdict.geoid]
    if heading == "county" != chosen.unit and not explicit and (begun := _longer(gaz, chosen.state, text)):
        return begun.noting(f"just so is called {described([chosen])}")
    if found[chosen.geoid] == LOOSE:
        return verdict.noting(f"none of that kind; {chosen.name} alone bears the name", review=True)
    if found[chosen.geoid] == ALIAS:
        verdict = replace(verdict, match_type="alias").noting(f"another name of {chosen.name}")
        designated = gaz.designated.get((chosen.state, key(text))) if heading == "place" else None
        return verdict.noting(f"so is {designated}", review=True) if designated else verdict
    if explicit or (chosen.unit != heading and not _stands_for(chosen, heading)):
        return verdict
    spelled = {chosen.name, *chosen.names, f"City of {chosen.names[0]}"}
    return replace(verdict, match_type="exact" if str(text).strip() in spelled else "normalised")


def _stands_for(g: Government, heading: str) -> bool:
    """Whether a government belongs under a heading: towns and townships stand under Cities."""
    return g.unit == heading or (heading == "place" and g.unit == "cousub")


def _pick(
    gaz: Gazetteer, governments: list[Government], heading: str, text: object, explicit: bool
) -> Verdict:
    """The one government of the first level that has any; a fall to another level is no silent one where the
    text does not say the kind itself."""
    said = normalise(text)
    for unit in TIERS[heading]:
        tier = [g for g in governments if g.unit == unit]
        if len(tier) > 1:
            tier = [g for g in tier if said in {normalise(n) for n in (*g.names, g.name)}] or tier
        if not tier:
            continue
        if len(tier) > 1:
            return Verdict(note=f"more than one government of that name: {described(tier)}")
        chosen = tier[0]
        notes = [] if _stands_for(chosen, heading) else _against(gaz, chosen, heading, text, explicit)
        rivals = [] if explicit else [g for g in governments if _rivals(g, chosen)]
        if rivals:
            notes.append(f"could also be {described(rivals)}")
        where = "" if _stands_for(chosen, heading) else f"printed under {heading}; "
        where = f"{where}the only government so named is {chosen.name}" if where else ""
        return answer(chosen, "kind_resolved", where, review=bool(notes)).noting(*notes)
    raise AssertionError("a government is a county, a place or a county subdivision")


def _against(gaz: Gazetteer, chosen: Government, heading: str, text: object, explicit: bool) -> list[str]:
    """What speaks against the one government of a name that stands under the wrong heading, if anything."""
    says_kind = explicit or key(text) == key(chosen.name) != key(chosen.names[0])
    if heading == "county":
        return []
    if chosen.geoid in NEW_YORK_BOROUGHS and not says_kind:
        return ["a borough of New York City has no government of its own"]
    if says_kind or any(key(name) == key(f"City of {chosen.names[0]}") for name in chosen.aliases):
        return []
    designated = gaz.designated.get((chosen.state, key(text)))
    return [f"{designated} is a designated place" if designated else "no city or town is so called"]


def _rivals(other: Government, chosen: Government) -> bool:
    """Whether a bare name could mean the other as well: a village and the town around it, a borough and the
    township beside it. A city keeps its bare name; a township of other states is called one."""
    if other.geoid in NEW_YORK_BOROUGHS:
        return chosen.unit != "county" and other.geoid not in chosen.counties
    if other.unit == "county":  # a county is better known by its bare name than a town or township
        return chosen.unit == "cousub" and chosen.state not in BARE_TOWNS_ALONE
    if chosen.unit != "place" or other.unit != "cousub":
        return False
    if chosen.kind in CITY_KINDS:  # Connecticut's Groton is a city inside a town
        return other.state == "CT"
    if other.state in SHARED_NAME_STATES:
        return True
    return other.kind == "town" and other.state in BARE_TOWN_STATES


def _split(gaz: Gazetteer, state: str, text: object, heading: str) -> Verdict | None:
    """ "New Orleans/Orleans (Parish)": two names with a slash that are one government."""
    parts = [part for part in str(text).split("/") if normalise(part)]
    if len(parts) != 2:
        return None
    each = [resolve(gaz, state, part, heading) for part in parts]
    if each[0].geoid and each[0].geoid == each[1].geoid:
        both = answer(gaz.by_geoid[each[0].geoid], "kind_resolved", "both names are one government")
        return both.noting(review=all(verdict.needs_review for verdict in each))
    codes = [verdict.geoid for verdict in each if verdict.geoid]
    return Verdict(note=f"two names that are not one government: {', '.join(codes) or 'neither is known'}")


def _longer(gaz: Gazetteer, state: str, text: object) -> Verdict | None:
    """ "Kodiak Borough": a county or equivalent whose name begins so, for review."""
    begun = longer(gaz, state, text)
    if not begun:
        return None
    note = f"so begins {described(begun)}"
    return answer(begun[0], "kind_resolved", note, review=True) if len(begun) == 1 else Verdict(note=note)


def _nothing(gaz: Gazetteer, state: str, text: object) -> Verdict:
    """No government: the reason, and what bears the name all the same."""
    for reading in readings(text):
        others = [g for g, _ in gaz.find(state, reading.key)]
        if others and reading.kind:
            return Verdict(note=f"no {reading.kind} of that name; it is the name of {described(others)}")
        if designated := gaz.designated.get((state, reading.key)):
            return Verdict(note=f"{designated} is a census designated place and no government")
    return Verdict(note=f"no government of that name in {state}")


def resolve_state(gaz: Gazetteer, state: str, text: object) -> Verdict:
    """An entry under the heading of states: a state's name, or a sentence that stands for the state."""
    said = normalise(text)
    own = gaz.under(gaz.by_geoid[FIPS[state]], "state") if state in STATES else None
    if own is None:
        return Verdict(note=f"{state} is not one of the 50 states or DC")
    name = gaz.by_geoid[FIPS[state]].name
    if said in _called_state(state, normalise(name)) or state_of(text) == state:
        return answer(own, "exact" if str(text).strip() == name else "normalised")
    if is_sentence(said):
        return answer(own, "alias", "a sentence in place of a name; the state heading says whose")
    other = resolve(gaz, state, text, "place")
    return other.noting("printed under state", review=True)


def _called_state(state: str, name: str) -> set[str]:
    """The ways to write the government of a state, normalised: "the state of delaware", "new york state"."""
    styles = ["state", "commonwealth"] if state in COMMONWEALTHS else ["state"]
    of = {f"{style} of {name}" for style in styles}
    return {name, f"{name} state", *of, *(f"the {each}" for each in of)}


def is_sentence(said: str) -> bool:
    """Whether a normalised text is a statement about a jurisdiction and no name."""
    words = set(said.split())
    return bool(words & {"jurisdiction", "jurisdictions", "requirements", "identification"})

"""One name under one heading to one government, or to review with the candidates. Pure.

The name's own kind word decides first (County, City of, Township), then the heading, then there being only
one government of that name in the state. No step falls from one kind to another in silence: an answer
against the heading says so, and what two governments could claim goes to review.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from analysis.jurisdictions.gazetteer import Gazetteer, Government
from analysis.jurisdictions.normalise import key, normalise, readings
from analysis.sources.states import FIPS, STATES

CITY_KINDS = {"city", "city and borough", "consolidated", "municipality", "corporation"}
MUNICIPAL_WORDS = {"city", "town", "village", "borough"}
COUNTY_KINDS = {"county", "borough", "municipality", "district"}
TIERS = {
    "county": ("county", "place", "cousub"),
    "place": ("place", "cousub", "county"),
    "cousub": ("cousub", "place", "county"),
}
# States whose towns are governments as full as cities, and are called by the bare name.
BARE_TOWN_STATES = {"CT", "MA", "ME", "NH", "NY", "RI", "VT", "WI"}
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


def compatible(kind: str, g: Government) -> bool:
    """Whether a kind word may stand beside a government's name."""
    if kind in {"county", "parish"}:
        return g.kind == "consolidated" or (g.unit == "county" and g.kind in COUNTY_KINDS)
    if kind == "city":
        return g.kind in CITY_KINDS and (g.unit != "county" or g.kind == "city")
    if kind == "city and county":
        return g.county_code is not None
    if kind == "township":
        return g.kind in {"township", "metro township"}
    return g.kind == kind


def resolve(gaz: Gazetteer, state: str, text: object, heading: str) -> Verdict:
    """The government that a name means in a state.

    Parameters
    ----------
    state : postal abbreviation.
    text : the name, with or without a kind word.
    heading : county or place, the level under which it was printed; it can be wrong.
    """
    found, explicit = candidates(gaz, state, text, heading)
    if not found:
        return _split(gaz, state, text, heading) or _nothing(gaz, state, text)
    return choose(gaz, found, heading, text, explicit)


def candidates(gaz: Gazetteer, state: str, text: object, heading: str) -> tuple[dict[str, bool], bool]:
    """Codes of the governments that a name can mean, each with whether by an alias only; and whether a kind
    word was needed to find them ("City of Durango", but not "Culver City")."""
    plain = gaz.find(state, key(text))
    worded = [
        (g, alias)
        for reading in readings(text)[1:]
        for g, alias in gaz.find(state, reading.key)
        if compatible(reading.kind, g)
    ]
    worded = worded or ([] if plain else _loosely_worded(gaz, state, text))
    found = {gaz.under(g, heading).geoid: alias for g, alias in reversed([*plain, *worded])}
    found = {code: alias for code, alias in found.items() if gaz.by_geoid[code].unit != "state"}
    return found, not plain and bool(worded)


def _loosely_worded(gaz: Gazetteer, state: str, text: object) -> list[tuple[Government, bool]]:
    """ "Town of Weymouth", which became a city: the one municipality of that name, whatever it calls itself.

    A township is not meant by these words, nor a county.
    """
    for reading in readings(text)[1:]:
        if reading.kind in MUNICIPAL_WORDS:
            near = [(g, alias) for g, alias in gaz.find(state, reading.key) if g.unit in {"place", "cousub"}]
            near = [(g, alias) for g, alias in near if g.kind != "township"]
            if len(near) == 1:
                return near
    return []


def choose(gaz: Gazetteer, found: dict[str, bool], heading: str, text: object, explicit: bool) -> Verdict:
    """The verdict on candidates that `candidates` found, at least one."""
    governments = [gaz.by_geoid[code] for code in found]
    verdict, against = _pick(gaz, governments, heading, text, explicit)
    if verdict.geoid is None:
        return verdict
    chosen = gaz.by_geoid[verdict.geoid]
    if found[chosen.geoid]:
        return replace(verdict, match_type="alias").noting(f"another name of {chosen.name}")
    if against:
        return replace(verdict, match_type="kind_resolved")
    if explicit:
        return replace(verdict, match_type="kind_resolved")
    spelled = {chosen.name, *chosen.names, f"City of {chosen.names[0]}"}
    return replace(verdict, match_type="exact" if str(text).strip() in spelled else "normalised")


def _pick(
    gaz: Gazetteer, governments: list[Government], heading: str, text: object, explicit: bool
) -> tuple[Verdict, bool]:
    """The one government of the first level that has any, and whether that goes against the heading."""
    said = normalise(text)
    for unit in TIERS[heading]:
        tier = [g for g in governments if g.unit == unit]
        if len(tier) > 1:
            tier = [g for g in tier if said in {normalise(n) for n in (*g.names, g.name)}] or tier
        if not tier:
            continue
        if len(tier) > 1:
            return Verdict(note=f"more than one government of that name: {described(tier)}"), False
        chosen = tier[0]
        against = unit != heading and not (heading == "place" and unit == "cousub")
        note = f"printed under {heading}; the only government so named is {chosen.name}" if against else ""
        if against and unit == "county" and not explicit and (chosen.state, key(text)) in gaz.designated:
            return answer(chosen, "kind_resolved", f"{note}; a designated place bears the name", True), True
        rivals = [] if explicit else [g for g in governments if _rivals(g, chosen)]
        if rivals:
            return answer(chosen, "kind_resolved", f"could also be {described(rivals)}", True), against
        return answer(chosen, "kind_resolved", note), against
    raise AssertionError("a government is a county, a place or a county subdivision")


def _rivals(other: Government, chosen: Government) -> bool:
    """Whether a bare name could mean the other as well: a village and the town around it, a borough and the
    township beside it. A city keeps its bare name; a township of other states is called one."""
    if chosen.unit != "place" or chosen.kind in CITY_KINDS or other.unit != "cousub":
        return False
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
        return replace(each[0], match_type="kind_resolved").noting("both names are one government")
    codes = [verdict.geoid for verdict in each if verdict.geoid]
    return Verdict(note=f"two names that are not one government: {', '.join(codes) or 'neither is known'}")


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
    named = [g for g, _ in gaz.by_key.get((state, key(text)), ()) if g.unit == "state"]
    own = gaz.under(gaz.by_geoid[FIPS[state]], "state") if state in STATES else None
    if own is None:
        return Verdict(note=f"{state} is not one of the 50 states or DC")
    if named:
        return answer(own, "exact" if str(text).strip() == named[0].name else "normalised")
    if is_sentence(said):
        return answer(own, "alias", "a sentence in place of a name; the state heading says whose")
    other = resolve(gaz, state, text, "place")
    return other.noting("printed under state", review=True)


def is_sentence(said: str) -> bool:
    """Whether a normalised text is a statement about a jurisdiction and no name."""
    words = set(said.split())
    return bool(words & {"jurisdiction", "jurisdictions", "requirements", "identification"})

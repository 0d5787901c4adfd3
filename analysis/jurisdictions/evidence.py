"""Counties as evidence: the one that an agency's name holds, and the one that ICE's COUNTY gives."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from analysis.jurisdictions import fuzzy
from analysis.jurisdictions.corrections import Decisions
from analysis.jurisdictions.gazetteer import Gazetteer, Government
from analysis.jurisdictions.normalise import LONGEST_NAME, key, normalise, readings
from analysis.jurisdictions.resolve import Verdict

COUNTY_WORDS = ("county", "parish")
# Words before a county's name that are no part of it.
OFFICE_INTRODUCTION = frozenset(
    [
        "the",
        "office",
        "of",
        "and",
        "for",
        "in",
        "sheriff",
        "sheriffs",
        "district",
        "attorney",
        "attorneys",
        "prosecutor",
        "board",
        "commissioners",
        "department",
        "corrections",
        "division",
        "jail",
        "pennsylvania",
        "pa",
        "state",
        "constable",
        "constables",
        "police",
    ]
)
NOTHING = {"", "n a", "na", "none", "null", "nan"}


@dataclass(frozen=True)
class County:
    """What a text is evidence of: the county it names, if the state has one, and the text itself.

    `near` is the county that a misspelt text is nearly the name of, `elsewhere` the counties of other states
    that bear the name: both can contradict, and neither can confirm. `several` marks a text that names two
    different counties.
    """

    government: Government | None
    text: str
    note: str = ""
    corrected: bool = False
    several: bool = False
    near: Government | None = None
    elsewhere: tuple[Government, ...] = ()

    @property
    def says_kind(self) -> bool:
        """Whether the text says County, City or the like beside the name."""
        return len(readings(self.text)) > 1

    def holds(self, g: Government) -> bool:
        """Whether a government lies in this county."""
        return self.government is not None and self.government.geoid in g.counties

    def weigh(self, verdict: Verdict, counties: Collection[str]) -> Verdict:
        """A verdict after this second witness: unchanged if it agrees or says nothing, else to review.

        `counties` are the codes of the counties that the verdict's government lies in. Connecticut's old
        counties cannot contradict its planning regions.
        """
        if self.government is None:
            said = f"COUNTY {self.text[:60]!r} is no county of the state" if self.text else ""
            if self.near is None and self.elsewhere:
                states = ", ".join(sorted({g.state for g in self.elsewhere}))
                agrees = bool({g.geoid for g in self.elsewhere} & {*counties})
                return verdict.noting(f"{said}, but of {states}", review=None if agrees else True)
            if self.near is None:
                return verdict.noting(said)
            said += f", and nearly {self.near.name}"
            agrees = not counties or self.near.geoid in counties
            return verdict.noting(said, review=None if agrees else True)
        if not counties or self.government.geoid in counties or self.government.state == "CT":
            return verdict
        return verdict.noting(f"COUNTY says {self.government.name}", review=True)


@dataclass(frozen=True)
class Row:
    """One row of a roster, normalised: `said` the agency's name, `hint` what COUNTY is evidence of."""

    state: str
    agency: str
    said: str
    hint: County
    kind: str


def county_of(gaz: Gazetteer, state: str, text: object) -> Government | None:
    """The one county of a state that a text names, with or without its kind word."""
    return next((g for r in readings(text) if (g := gaz.county(state, r.key))), None)


def hint_of(gaz: Gazetteer, decided: Decisions, state: str, county: str) -> County:
    """What ICE's COUNTY is evidence of; #N/A, #NA and N/A are no evidence."""
    said = normalise(county)
    if said in NOTHING or len(said) > LONGEST_NAME:
        return County(None, "")
    fixed = decided.names.get((state, "county", key(county)))
    government = county_of(gaz, state, fixed[0] if fixed else county)
    if government is None:
        said, _ = fuzzy.mended(gaz, state, said)
        government = county_of(gaz, state, said)
    if government is not None:
        return County(government, county.strip(), corrected=bool(fixed))
    named = [r for r in readings(said) if r.kind in {None, *COUNTY_WORDS}]
    elsewhere = {g.geoid: g for r in named for g in gaz.counties_called(r.key)}
    near = fuzzy.nearest(gaz, state, said, "county", elsewhere_too=True).winner
    return County(None, county.strip(), near=near, elsewhere=tuple(elsewhere.values()))


def county_named(gaz: Gazetteer, decided: Decisions, state: str, said: str) -> County | None:
    """The county that a normalised name holds: "X County ...", "County of X ...", or None if it holds none.

    A name that says County without a county of the state comes back without a government; one that names two
    is marked `several`. What else the name holds, `without` tells.
    """
    words = said.split()
    kinds = COUNTY_WORDS if state != "AK" else (*COUNTY_WORDS, "borough")
    found = [
        _before(gaz, decided, state, words[:at], word)
        for at, word in enumerate(words)
        if word in kinds and at and words[at - 1] != "of"  # "Board of County Commissioners"
    ]
    if "county of" in said:
        at = words.index("county")
        found.append(_after(gaz, decided, state, words[at + 2 :]))
    found = [county for county in found if county is not None]
    known = [county for county in found if county.government]
    if not found:
        return None
    if not known:
        return found[0]
    one = len({county.government.geoid for county in known}) == 1
    return known[0] if one else replace(known[0], note="two counties are named", several=True)


def _before(gaz: Gazetteer, decided: Decisions, state: str, words: list[str], kind: str) -> County | None:
    """The county whose name ends right before the word County; the longest name wins."""
    for start in range(len(words)):
        name = " ".join(words[start:])
        fixed, reason = decided.names.get((state, "county", key(f"{name} {kind}")), (None, ""))
        if government := county_of(gaz, state, fixed or f"{name} {kind}"):
            return County(government, f"{name} {kind}", reason, bool(fixed))
    left = [word for word in words if word not in OFFICE_INTRODUCTION]
    return County(None, " ".join([*left, kind])) if left else None


def _after(gaz: Gazetteer, decided: Decisions, state: str, words: list[str]) -> County | None:
    """The county whose name begins right after "County of"; the longest name wins."""
    for end in range(len(words), 0, -1):
        name = " ".join(words[:end])
        fixed, reason = decided.names.get((state, "county", key(f"{name} county")), (None, ""))
        if government := county_of(gaz, state, fixed or f"{name} county"):
            return County(government, f"county of {name}", reason, bool(fixed))
    return None


def without(county: County, said: str) -> str:
    """A normalised name without the county that it names, in whatever order the words County and of stand."""
    name = re.sub(r"^county of | (?:county|parish|borough)$", "", county.text)
    either = rf"\b(?:county of {re.escape(name)}|{re.escape(name)} (?:county|parish|borough))\b"
    return " ".join(re.sub(either, " ", said).split())

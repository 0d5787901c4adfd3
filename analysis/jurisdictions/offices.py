"""What agencies are called: the known forms of a county's offices, of bodies within a county, of police.

Whitelists: what is not wholly one of these forms is never taken for the county's own or the city's own. The
forms are those of the rosters; a word of one wrong letter is still the word.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import OSA

# Bodies that are smaller than their county, or apart from its government.
WITHIN_COUNTY = re.compile(
    r"\b(?:districts?(?! attorneys?)|(?<!justice )(?<!jail )authority|university|college|campus|airport"
    r"|ports?|seaport|aviation|constables?|ward \w+|precinct|pct)\b"
)
# A county's own offices, as phrases; between and around them stand only fillers.
COUNTY_PHRASES = (
    r"sheriffs?",
    r"police",
    r"law enforcement",
    r"public safety",
    r"adult|custody",
    r"corrections?|correctional|rehabilitation",
    r"detention|jails?|prisons?",
    r"criminal justice (?:authority|center)|justice center|jail authority",
    r"board of (?:county |parish )?(?:commissioners|supervisors)",
    r"commissioners?(?: court)?|fiscal court|police jury",
    r"(?:criminal )?district attorneys?|prosecut(?:ors?|ing)|(?:county|states?|commonwealths?|prosecuting)? ?"
    r"attorneys?(?: specialized crimes and narcotics task force)?",
)
FILLERS = (
    "office offices department departments departement dept division bureau service services facility "
    "facilities center centers complex unit force of the and for in s metropolitan metro county parish"
)
WORDS = (
    "office department division sheriff sheriffs police law enforcement public safety correction corrections "
    "correctional rehabilitation detention jail prison criminal justice authority board commissioner "
    "commissioners supervisors district attorney attorneys prosecutor prosecutors constable constables "
    "precinct township borough village university college airport"
)
KNOWN_WORDS = frozenset([*WORDS.split(), *FILLERS.split()])
MENDED_TO = tuple(sorted(word for word in WORDS.split() if len(word) > 5))
_COUNTY = re.compile(rf"\b(?:{'|'.join(COUNTY_PHRASES)})\b")
_FILLER = re.compile(rf"\b(?:{'|'.join(FILLERS.split())})\b")
MENDED_LENGTH = 5

# The police of a municipality, and what else may stand around the words.
POLICE = re.compile(r"\b(?:public safety|police|marshals?|law enforcement|dps|pd)\b")
BEFORE_POLICE = re.compile(r"\s*\b(?:(?:department|dept|division|bureau|office) of(?: the)?|the)$")
AROUND_POLICE = re.compile(
    r"\b(?:department|departement|dept|services?|office|division|bureau|force|s|public|safety|police|marshals?)\b"
)
JAIL = re.compile(r"\b(?:detention|jails?|prisons?|corrections?|correctional|penitentiary)\b")
# Prisons of states are called after counties and cities too.
PRISON = re.compile(r"\b(?:correctional|prisons?|penitentiary|reformatory)\b")


def is_county_office(words: str) -> bool:
    """Whether normalised words are wholly forms of a county's offices, at least one.

    "sheriffs office", "board of commissioners department of corrections"; the county's own name must be taken
    out before.
    """
    left, found = _COUNTY.subn(" ", mended(words))
    return found > 0 and not _FILLER.sub(" ", left).strip()


def before_police(said: str) -> str:
    """The words before those for police, without "Division of"; the whole text if it holds none."""
    found = POLICE.search(said)
    return BEFORE_POLICE.sub("", said[: found.start()].strip()) if found else said


@lru_cache(maxsize=20_000)
def mended(words: str) -> str:
    """Words of one wrong letter as the known words of agencies that they mean: "sheriffs offce"."""
    return " ".join(_meant(word) for word in words.split())


def _meant(word: str) -> str:
    if len(word) < MENDED_LENGTH or word in KNOWN_WORDS:
        return word
    near = [known for known in MENDED_TO if OSA.distance(word, known, score_cutoff=1) <= 1]
    return near[0] if near else word

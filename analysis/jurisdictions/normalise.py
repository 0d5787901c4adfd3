"""Text of a name to a form in which two spellings of one name are equal.

`normalise` folds what never tells two governments apart: case, accents, apostrophes, hyphens, blanks,
Saint/St./Ste., Fort/Ft., Mount/Mt., Twp., Co., a direction's first letter in front (E. Baton Rouge). `key`
also takes the blanks out (DeKalb, De Kalb). The words that do tell governments apart (County, City of,
Township) are kept, and split off by `readings`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from analysis.sources.states import STATES, TERRITORIES

NOT_ALNUM = re.compile(r"[\W_]+")
APOSTROPHES = dict.fromkeys(map(ord, "'`´‘’‛ʻʼ′＇"))
WORDS = {
    "st": "saint",
    "ste": "saint",
    "sainte": "saint",
    "ft": "fort",
    "mt": "mount",
    "twp": "township",
    "twsp": "township",
    "boro": "borough",
    "cnty": "county",
    "co": "county",
}

# A direction's first letter in front of a word ("E. Baton Rouge"); "N.Y. State" has none.
DIRECTION = re.compile(r"([nesw]) (?=\w\w)")
DIRECTIONS = {"n": "north", "e": "east", "s": "south", "w": "west"}

# Kind words, longest first. A name may carry one in front ("City of Durango") or behind ("Cook County").
PREFIXES = {
    "city and county of": "city and county",
    "city and borough of": "city",
    "charter township of": "township",
    "metropolitan government of": "consolidated",
    "unified government of": "consolidated",
    "consolidated government of": "consolidated",
    "municipality of": "municipality",
    "plantation of": "plantation",
    "township of": "township",
    "borough of": "borough",
    "village of": "village",
    "county of": "county",
    "parish of": "parish",
    "city of": "city",
    "town of": "town",
}
SUFFIXES = {
    "city and county": "city and county",
    "city and borough": "city",
    "charter township": "township",
    "metro township": "metro township",
    "planning region": "county",
    "census area": "county",
    "municipality": "municipality",
    "plantation": "plantation",
    "township": "township",
    "borough": "borough",
    "village": "village",
    "county": "county",
    "parish": "parish",
    "city": "city",
    "town": "town",
}
LONGEST_NAME = 200  # letters; a longer text is no name
LONGEST_TEXT = 1000  # letters; what is longer is not looked through
OFFICE = r"(?i:sheriff|police|marshal|public safety|department|dept|detention|jail|corrections|constable)"
ABBREVIATIONS = {*STATES, *TERRITORIES}
STATE_NAMES = {name.casefold(): state for state, (_, name) in {**STATES, **TERRITORIES}.items()}


@dataclass(frozen=True)
class Reading:
    """One way to read a name: `key` to look up, and the kind word beside it, if the name carries one."""

    key: str
    kind: str | None


def text_of(value: object) -> str:
    """Any cell as text: what `str` gives, "" for a missing value. Never raises."""
    if isinstance(value, str):
        return value
    missing = value is None or value is pd.NA or value is pd.NaT
    if missing or (isinstance(value, float) and value != value):
        return ""
    try:
        return str(value)
    except Exception:  # an object whose own text fails has none
        return ""


def normalise(text: object) -> str:
    """Lower-case words of letters and digits, one blank between them; applying it twice changes nothing.

    Returns "" for a missing value or a text without letters and digits. Never raises.
    """
    said = text_of(text)
    # What is too long for a name comes once, and would be kept for good.
    return _normalised(said) if len(said) <= LONGEST_TEXT else _normalised.__wrapped__(said)


@lru_cache(maxsize=200_000)
def _normalised(text: str) -> str:
    if not text.isascii():
        text = _fold(text)
    text = text.casefold().translate(APOSTROPHES).replace("&", " and ")
    text = " ".join(WORDS.get(word, word) for word in NOT_ALNUM.split(text) if word)
    found = DIRECTION.match(text)
    return f"{DIRECTIONS[found[1]]} {text[2:]}" if found else text


def key(text: object) -> str:
    """`normalise` without blanks: "De Kalb", "DeKalb" and "Dekalb" have one key."""
    return normalise(text).replace(" ", "")


def readings(text: object) -> list[Reading]:
    """The ways to read a name, the whole text first: as it stands, then without one kind word.

    "Culver City" gives (culvercity, no kind) and (culver, city): a gazetteer decides which one exists.
    """
    whole = normalise(text)
    found = [Reading(whole.replace(" ", ""), None)]
    for prefix, kind in PREFIXES.items():
        if whole.startswith(prefix + " "):
            found.append(Reading(whole[len(prefix) + 1 :].replace(" ", ""), kind))
            break
    for suffix, kind in SUFFIXES.items():
        if whole.endswith(" " + suffix):
            found.append(Reading(whole[: -len(suffix) - 1].replace(" ", ""), kind))
            break
    return found


def split_state(text: object) -> tuple[str, str | None]:
    """A text and the state behind its last comma: "Cook County, IL" gives ("Cook County", "IL")."""
    said = text_of(text)
    head, comma, tail = said.rpartition(",")
    state = state_of(tail) if comma and head.strip() else None
    return (head.strip(), state) if state else (said.strip(), None)


def without_own_state(text: object, state: str) -> str:
    """A text without its own state's abbreviation behind a name: "Boulder, CO Police", "Boulder CO".

    Behind a comma it is the state in any case of the letters; without one only in capitals at the end or
    before an office, for "Boulder Co." is the county.
    """
    said = text_of(text)
    if state == "DC" or len(said) > LONGEST_TEXT:
        return said
    behind = rf"(?<!\bof)(?:\s*,\s*(?i:{state})\b\.?|\s+{state}\b(?=,?\s+{OFFICE}|[\s,]*$))"
    return re.sub(rf"(?<=[\w.)']){behind}", "", said)


def state_of(text: object) -> str | None:
    """The postal abbreviation that a text names, as an abbreviation or in full, or None."""
    said = text_of(text).strip()
    letters = said.upper().replace(".", "")
    return letters if letters in ABBREVIATIONS else STATE_NAMES.get(" ".join(said.casefold().split()))


def _fold(text: str) -> str:
    """Letters without accents, full-width and other compatibility forms as plain ones."""
    for _ in range(4):
        parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
        folded = "".join(char for char in parts if not unicodedata.combining(char))
        if folded == text:
            break
        text = folded
    return re.sub(r"[\u200b-\u200f\u2060\ufeff\u00ad]", "", text)

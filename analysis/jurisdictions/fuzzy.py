"""The last tier: a misspelt name to the one government of its state and kind that is nearly spelled so.

Guarded: the same state, the same kind of government, a stated likeness, a stated distance to the next one,
equal direction and other generic words, and nothing that is somebody's name as it stands. What it finds is
for review, unless another field of the row agrees; the caller decides that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

from analysis.jurisdictions.candidates import compatible
from analysis.jurisdictions.gazetteer import Gazetteer, Government
from analysis.jurisdictions.normalise import STATE_NAMES, key, normalise, readings, text_of
from analysis.jurisdictions.resolve import Verdict, answer

LIKENESS = 0.80  # 1 - edits / letters of the longer name; two letters exchanged are one edit
MARGIN = 0.08  # by which the nearest must be likelier than the next
SHORTEST = 5  # letters that are not generic words, in the name as printed
LONGEST = 60  # letters; what is longer is no name
CANDIDATES = 3  # named in the note
# Words that many names share: they must be the same in both names, and alone they are no name.
GENERIC_WORDS = (
    "north south east west northern southern eastern western central upper lower new old big little "
    "great mid greater metro metropolitan regional tri united general city town village borough "
    "township county parish charter lake lakes river creek springs spring beach park hill hills heights "
    "valley grove island islands point harbor bay port fort mount mountain saint center centre union "
    "the of and on police sheriff state district department office authority "
)
GENERIC = frozenset(GENERIC_WORDS.split())
# Words of agencies that are mended where one letter is wrong, so that a name is read as what it is.
MENDED = ("county", "parish", "township", "borough", "village", "sheriff", "sheriffs", "police", "constable")
KIND_LENGTH = 5


@dataclass(frozen=True)
class Near:
    """What is spelled nearly like a name: the one clear winner, or None, and the nearest with likeness."""

    winner: Government | None
    candidates: tuple[tuple[Government, float], ...]

    @property
    def note(self) -> str:
        """The candidates for a note: "Kanawha County (54039) 0.86, ..."."""
        return ", ".join(f"{g.name} ({g.geoid}) {score:.2f}" for g, score in self.candidates)


NOTHING = Near(None, ())


def nearest(
    gaz: Gazetteer,
    state: str,
    text: object,
    level: str,
    inside: Government | None = None,
    elsewhere_too: bool = False,
) -> Near:
    """The governments of a state whose names are nearly a text.

    Parameters
    ----------
    text : a name, with or without a kind word; a kind word restricts the kind.
    level : county (counties and equivalents) or place (cities, towns, villages, boroughs, townships).
    inside : a county; if governments inside it are near enough, only they are candidates.
    elsewhere_too : whether a county's text may be the name of another state's county, or of another kind of
        government: what is found then is a candidate and no more.

    Returns
    -------
    `NOTHING` where the text is no misspelling: it is some government's or designated place's name as it
    stands, a county's name of another state, or too short, too long or generic.
    """
    said = normalise(text)
    if (
        len(said) > LONGEST
        or any(char.isdigit() for char in said)
        or (_is_a_county(gaz, state, text) if elsewhere_too else _is_a_name(gaz, state, text, level))
    ):
        return NOTHING
    scores: dict[str, float] = {}
    for reading in readings(text):
        words = _without(said, reading.kind)
        generic = frozenset(words) & GENERIC
        if len("".join(word for word in words if word not in GENERIC)) < SHORTEST:
            continue
        for name_key, name_generic, geoid in _pool(gaz, state, level):
            g = gaz.by_geoid[geoid]
            if name_generic != generic or (reading.kind and not compatible(reading.kind, g)):
                continue
            score = OSA.normalized_similarity(reading.key, name_key, score_cutoff=LIKENESS - MARGIN)
            code = gaz.under(g, level).geoid
            scores[code] = max(score, scores.get(code, 0.0))
    return _decide(gaz, {code: score for code, score in scores.items() if score > 0}, inside)


def _decide(gaz: Gazetteer, scores: dict[str, float], inside: Government | None) -> Near:
    """The winner among scored codes, if it is likely enough and clear of the next."""
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    held = [(c, s) for c, s in ranked if inside and inside.geoid in gaz.by_geoid[c].counties]
    if held and held[0][1] >= max(LIKENESS, ranked[0][1]):
        ranked = held
    candidates = tuple((gaz.by_geoid[code], score) for code, score in ranked[:CANDIDATES])
    if not ranked or ranked[0][1] < LIKENESS:
        return Near(None, candidates)
    clear = len(ranked) == 1 or ranked[0][1] - ranked[1][1] >= MARGIN
    return Near(candidates[0][0] if clear else None, candidates)


def misspelt(
    gaz: Gazetteer, state: str, text: object, level: str, inside: Government | None = None
) -> Verdict | None:
    """The verdict by a near spelling, for review unless the winner lies in `inside`; None if none is near.

    A county's text that is another's name as it stands (Greene in Kentucky, for Green) is always for review.
    """
    near = nearest(gaz, state, text, level, inside)
    if not near.candidates and level == "county":
        near, inside = nearest(gaz, state, text, level, elsewhere_too=True), None
    if not near.candidates:
        return None
    said = text_of(text).strip()[:LONGEST]
    if near.winner is None:
        return Verdict(match_type="fuzzy", note=f"no government is called {said!r}; nearly so: {near.note}")
    agrees = inside is not None and inside.geoid in near.winner.counties
    witness = "; COUNTY agrees" if agrees else ""
    return answer(near.winner, "fuzzy", f"{said!r} is nearly {near.note}{witness}", review=not agrees)


def one_letter_from(gaz: Gazetteer, text: str, g: Government) -> bool:
    """Whether a text is a government's name but for one letter, however short, and is no county's name in any
    state: enough where another field gives that government."""
    said = readings(text)[-1].key
    return OSA.distance(said, key(g.names[0])) == 1 and not gaz.counties_called(said)


def mended(gaz: Gazetteer, state: str, said: str) -> tuple[str, str]:
    """A normalised text whose kind words of one wrong letter are mended, and what was mended ("" if nothing).

    "lake conty sheriff" becomes "lake county sheriff". A word that is itself a name in the state stays.
    """
    words, notes = said.split(), []
    for at, word in enumerate(words):
        right = _meant(word)
        if right and right not in words and not gaz.find(state, word):
            words[at] = right
            notes.append(f"{word!r} read as {right}")
    return " ".join(words), "; ".join(notes)


def state_meant(text: object) -> str | None:
    """The state that a text of one wrong letter means, if there is only one: "PENNSLYVANIA" is PA."""
    said = normalise(text)
    if not SHORTEST <= len(said) <= LONGEST:
        return None
    near = {state for name, state in STATE_NAMES.items() if OSA.distance(said, normalise(name)) == 1}
    return near.pop() if len(near) == 1 else None


@lru_cache(maxsize=50_000)
def _meant(word: str) -> str | None:
    if word in GENERIC or word in MENDED or not KIND_LENGTH <= len(word) <= max(map(len, MENDED)) + 1:
        return None
    near = [right for right in MENDED if OSA.distance(word, right, score_cutoff=1) <= 1]
    return near[0] if near else None


def _is_a_name(gaz: Gazetteer, state: str, text: object, level: str) -> bool:
    """Whether a text, with or without its kind word, is a name as it stands; a county's in any state."""
    for reading in readings(text):
        if gaz.find(state, reading.key) or (state, reading.key) in gaz.designated:
            return True
        if level == "county" and gaz.counties_called(reading.key):
            return True
    return False


def _is_a_county(gaz: Gazetteer, state: str, text: object) -> bool:
    """Whether a text, with or without its kind word, is the name of a county of the state."""
    return any(g.unit == "county" for r in readings(text) for g, _ in gaz.find(state, r.key))


def _without(said: str, kind: str | None) -> list[str]:
    """The words of a name without the kind word that a reading took off."""
    words = said.split()
    if kind is None:
        return words
    taken = {*kind.split(), "of", "charter", "consolidated", "government", "unified"}
    front = bool(words) and words[0] in taken and len(words) > 1 and "of" in words[:4]
    if front:
        return words[words.index("of") + 1 :]
    return words[: len(words) - len(kind.split())]


def _pool(gaz: Gazetteer, state: str, level: str) -> tuple[tuple[str, frozenset[str], str], ...]:
    """(key, generic words, code) of every name at a level in a state."""
    units = {"county"} if level == "county" else {"place", "cousub"}
    if (state, level) not in gaz.pools:
        gaz.pools[state, level] = tuple(
            (key(name), frozenset(normalise(name).split()) & GENERIC, g.geoid)
            for g in gaz.by_state.get(state, ())
            if g.unit in units
            for name in g.names
        )
    return gaz.pools[state, level]

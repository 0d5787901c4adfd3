"""What changed from one list to the next, and how far the two issuers agree."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.jurisdictions.normalise import key, normalise, split_state
from analysis.sources.states import STATES

CHANGES = ("government", "level", "from", "to", "change", "geoid", "text_from", "text_to")
AGREEMENT = ("from", "to", "level", "universe", "units", "both", "only_from", "only_to", "neither")
AGREEMENT += ("jaccard", "kappa")
UNIVERSE = {
    "state": "the 50 states and DC",
    "county": "counties and equivalents, Connecticut's planning regions",
    "place": "incorporated places and governing county subdivisions",
}


def pairs(vintages: Iterable[str]) -> list[tuple[str, str]]:
    """The lists to compare: every two successive ones of an issuer, and each issuer's last with the next
    issuer's first. A vintage is an issuer and a day: "dhs-2025-05-31"."""
    ordered = sorted(vintages, key=lambda name: (name.split("-", 1)[1], name))
    by_issuer: dict[str, list[str]] = {}
    for name in ordered:
        by_issuer.setdefault(name.split("-", 1)[0], []).append(name)
    within = [pair for group in by_issuer.values() for pair in itertools.pairwise(group)]
    groups = list(by_issuer.values())
    return within + [(a[-1], b[0]) for a, b in itertools.pairwise(groups)]


def changes(ledger: pd.DataFrame, compared: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """One row a government and change: entered, left, spelling, kind.

    A government is its set of codes, under whatever heading; an entry without a code is its own text.
    `level` is the heading (of the later list, if it is on both), several joined by ";".
    """
    rows = []
    for before, after in compared:
        old, new = (by_government(ledger[ledger["vintage"] == name]) for name in (before, after))
        for which in sorted({*old, *new}):
            was, now = old.get(which, _NOBODY), new.get(which, _NOBODY)
            known = now if which in new else was
            said = {"from": before, "to": after, "text_from": was["text"], "text_to": now["text"]}
            said |= {"government": known["name"], "level": known["level"], "geoid": known["geoid"]}
            rows += [said | {"change": change} for change in _differences(was, now)]
    return pd.DataFrame(rows, columns=list(CHANGES))


_NOBODY = {"text": "", "name": "", "level": "", "geoid": "", "spelled": frozenset()}


def _differences(was: dict, now: dict) -> list[str]:
    if not was["text"] or not now["text"]:
        return ["entered" if now["text"] else "left"]
    found = ["kind"] if was["level"] != now["level"] else []
    return found + (["spelling"] if was["spelled"] != now["spelled"] else [])


def by_government(entries: pd.DataFrame) -> dict[str, dict]:
    """The entries of one list by government: texts, headings and names as compared, state left out."""
    found: dict[str, list] = {}
    for row in entries.fillna({"geoid": ""}).itertuples():
        codes = sorted({code for code in (row.geoid, *str(row.also_geoids).split(";")) if code})
        settled = codes and not row.needs_review
        which = ";".join(codes) if settled else f"{row.state_abbr} {key(row.text_as_published)}"
        found.setdefault(which, []).append(row)
    return {
        which: {
            "text": "; ".join(sorted(row.text_as_published for row in rows)),
            "name": "; ".join(sorted({row.name or row.text_as_published for row in rows})),
            "level": ";".join(sorted({row.level for row in rows})),
            "geoid": ";".join(sorted({row.geoid for row in rows if row.geoid})),
            "spelled": frozenset(normalise(split_state(row.text_as_published)[0]) for row in rows),
        }
        for which, rows in found.items()
    }


def agreement(
    ledger: pd.DataFrame, units: dict[str, set[str]], compared: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    """How far two lists name the same units, by level: Jaccard's index and Cohen's kappa.

    Parameters
    ----------
    units : codes of every unit by level (`UNIVERSE`). A unit is named if an entry's government has its code,
        under whatever heading; entries in review name nobody.

    Returns
    -------
    DataFrame of `AGREEMENT`; `jaccard` is missing where neither list names a unit, `kappa` where one list
    names all of them or none.
    """
    rows = []
    for before, after in compared:
        named = [_codes(ledger[ledger["vintage"] == name]) for name in (before, after)]
        for level, universe in units.items():
            first, second = (codes & universe for codes in named)
            both, n = len(first & second), len(universe)
            cells = (both, len(first) - both, len(second) - both, n - len(first | second))
            rows.append((before, after, level, UNIVERSE[level], n, *cells, _jaccard(*cells), kappa(*cells)))
    return pd.DataFrame(rows, columns=list(AGREEMENT))


def kappa(both: int, only_first: int, only_second: int, neither: int) -> float:
    """Cohen's kappa of a two-by-two table: agreement beyond chance; NaN where chance is certain.

    >>> kappa(20, 5, 10, 15)
    0.4
    """
    n = both + only_first + only_second + neither
    if not n:
        return float("nan")
    first, second = (both + only_first) / n, (both + only_second) / n
    chance = first * second + (1 - first) * (1 - second)
    return float("nan") if chance == 1 else round(((both + neither) / n - chance) / (1 - chance), 6)


def _jaccard(both: int, only_first: int, only_second: int, neither: int) -> float:
    named = both + only_first + only_second
    return round(both / named, 6) if named else float("nan")


def _codes(entries: pd.DataFrame) -> set[str]:
    settled = entries[~entries["needs_review"] & entries["geoid"].notna()]
    cells = settled["geoid"] + ";" + settled["also_geoids"]
    return {code for cell in cells for code in cell.split(";") if code}


def units_by_level(governments: pd.DataFrame) -> dict[str, set[str]]:
    """Codes by level of `gazetteer.frame()`: the current units that `UNIVERSE` names."""
    codes, units = governments.index.to_series(), governments["unit"]
    return {
        "state": set(codes[(units == "state") & governments["state"].isin(STATES)]),
        "county": set(codes[(units == "county") & ~_old_connecticut(codes)]),
        "place": set(codes[units.isin(["place", "cousub"])]),
    }


def _old_connecticut(codes: pd.Series) -> pd.Series:
    """Connecticut's eight counties, which are units no more (09001 to 09015)."""
    return codes.str.fullmatch(r"090\d\d")

"""The catalogue of variables: `variables.yaml`, read and checked.

A variable is declared once, there. Range checks, models (by group), codebook and labels read it here.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from analysis.errors import nearest
from analysis.formulas import FILE, PROPORTION, fail, names_in
from analysis.provenance import read_origin, read_param, read_yaml, vintages

__all__ = ["load_catalogue"]

GROUPS = {
    "outcome": "Listed or not",
    "size": "Size",
    "demography": "Demography",
    "immigration": "Immigration",
    "economy": "Economy",
    "education": "Education",
    "partisanship": "Partisanship",
    "enforcement": "Enforcement agreements",
    "money": "Federal money",
    "geography": "Geography",
    "state": "State politics and law",
}
UNITS: tuple[str, ...] = ("share", "count", "persons", "log", "years", "usd", "usd_per_resident", "index")
UNITS += ("code", "sqkm", "per_sqkm", "degrees", "0/1", "difference")
LEVELS = ("county", "place", "state")

KEYS: tuple[str, ...] = ("label", "unit", "group", "source", "formula", "as_of", "range", "levels")
KEYS += ("inherited", "margin", "note", "each", *LEVELS)
REQUIRED = ("label", "unit", "group", "source", "formula", "as_of", "range")
# Columns that every panel has beside its variables.
RESERVED = ("geoid", "name", "state", "state_geoid", "county_geoid", "kind", "cautions")
LEVEL_KEYS = ("source", "formula", "as_of", "margin", "note")

TEXTS = {"label": str, "source": str, "note": str, "margin": str | None, "formula": str | int | float}


@dataclass(frozen=True)
class Variable:
    """One variable at one level.

    `formula` is arithmetic on columns of `source` (a folder of data/raw as `name/vintage`, or `derived`)
    and on other variables. `margin` is how its 90 % margin of error is got: "proportion" (the formula is
    `X_E / Y_E` and the margins are `X_M`, `Y_M`) or a formula. `as_of` is the last day measured.
    `inherited_from` is the level of the unit above whose value a unit takes, if it has none of its own.
    """

    name: str
    label: str
    unit: str
    group: str
    source: str
    formula: str
    as_of: datetime.date
    range: tuple[float, float]
    level: str
    margin: str | None = None
    note: str = ""
    inherited_from: str | None = None


@cache
def load_catalogue(level: str = "county", file: Path = FILE) -> dict[str, Variable]:
    """The variables of one level by name, in the order of the file.

    Parameters
    ----------
    level : "county", "place" or "state".

    Raises
    ------
    DataError : the catalogue breaks a rule; the message names the variable and the key.

    Examples
    --------
    >>> variable = load_catalogue("county")["median_age"]
    >>> variable.label, variable.unit, variable.group
    ('Median age', 'years', 'demography')
    """
    if level not in LEVELS:
        raise fail(f"no level {level!r}.{nearest(level, LEVELS)}", f"use one of {', '.join(LEVELS)}.", file)
    entries = read_yaml(file)
    if not entries:
        raise fail("no variable is declared.", "restore it from git.", file)
    return {
        variable.name: variable
        for name, entry in entries.items()
        for each in repeated(name, entry)
        for variable in at_level(*each, level, file)
    }


def repeated(name: str, entry: object) -> list[tuple[str, object]]:
    """The entry itself or, with `each: lists`, one for every list, LIST replaced by the list's name."""
    if not (isinstance(name, str) and isinstance(entry, dict)) or entry.get("each") != "lists":
        return [(name, entry)]
    return [
        (
            name.replace("LIST", list_suffix(vintage)),
            {
                key: value.replace("LIST", vintage) if isinstance(value, str) else value
                for key, value in entry.items()
            }
            | {"as_of": as_day(read_origin("lists", vintage)["as_of"])},
        )
        for vintage in vintages("lists")
    ]


def list_suffix(vintage: str) -> str:
    """The name of a list as it ends column names: `dhs-2025-05-31` gives `dhs_2025_05_31`."""
    return vintage.replace("-", "_")


def as_day(text: object) -> datetime.date:
    """An ISO date, given as text or as a date."""
    return datetime.date.fromisoformat(str(text))


def at_level(name: str, entry: Any, level: str, file: Path) -> list[Variable]:
    """The variable at that level, or nothing where it does not exist."""
    check_entry(name, entry, file)
    own = entry.get(level)
    native = entry.get("levels", ["county"])
    base = Variable(
        name=name,
        **{key: entry[key] for key in ("label", "unit", "group", "source", "formula", "as_of")},
        range=(float(entry["range"][0]), float(entry["range"][1])),
        level=level,
        margin=entry.get("margin"),
        note=entry.get("note", ""),
    )
    if own is not None:
        return [replace(base, **({"margin": None} | own))]
    if level in native:
        return [base]
    if level in entry.get("inherited", []):
        return [replace(base, inherited_from="county" if "county" in native else "state")]
    return []


def check_entry(name: str, entry: Any, file: Path) -> None:
    """Every key known, none missing, the values of the closed sets in them.

    Raises
    ------
    DataError : naming variable and key.
    """
    if not isinstance(name, str) or not name.isidentifier() or not isinstance(entry, dict):
        raise fail("not `name: {key: value}` with a name of letters, digits and _.", "mend it.", file, name)
    if name in RESERVED or name in GROUPS or name.endswith("_moe"):
        raise fail(
            "the name is taken: by a column of every panel, a group, or a margin of error.",
            "choose another name.",
            file,
            name,
        )
    if entry.get("each", "lists") != "lists":
        raise fail(f"each {entry['each']!r} is unknown.", "the one repetition is `each: lists`.", file, name)
    for key in entry:
        if key not in KEYS:
            raise fail(f"unknown key {key!r}.{nearest(str(key), KEYS)}", "mend the key.", file, name)
    for key in REQUIRED:
        if key not in entry:
            raise fail(
                f"the key {key!r} is missing.", f"every variable needs {', '.join(REQUIRED)}.", file, name
            )
    check_forms(name, entry, file)
    for key, allowed in (("unit", UNITS), ("group", tuple(GROUPS))):
        if entry[key] not in allowed:
            raise fail(
                f"{key} {entry[key]!r} is not one of {', '.join(allowed)}.{nearest(entry[key], allowed)}",
                "use one.",
                file,
                name,
            )
    for level in (*entry.get("levels", []), *entry.get("inherited", [])):
        if level not in LEVELS:
            raise fail(
                f"no level {level!r}.{nearest(level, LEVELS)}", f"use {', '.join(LEVELS)}.", file, name
            )
    for level in LEVELS:
        for key in entry.get(level) or {}:
            if key not in LEVEL_KEYS:
                raise fail(
                    f"unknown key {key!r} under {level!r}.{nearest(key, LEVEL_KEYS)}", "mend it.", file, name
                )
    as_of = [entry["as_of"], *[(entry.get(level) or {}).get("as_of", entry["as_of"]) for level in LEVELS]]
    if not all(isinstance(day, datetime.date) for day in as_of):
        raise fail("as_of is not a day.", "write it as 2023-12-31, without quotes.", file, name)
    bounds = entry["range"]
    if not (
        isinstance(bounds, list)
        and len(bounds) == 2
        and all(isinstance(bound, int | float) and not isinstance(bound, bool) for bound in bounds)
        and bounds[0] < bounds[1]
    ):
        raise fail(f"range {bounds!r} is not [low, high].", "write two numbers in order.", file, name)
    for formula in formulas(entry):
        names_in(formula, file, name)
    for part in (entry, *[entry.get(level) or {} for level in LEVELS]):
        formula = str(part.get("formula", entry["formula"]))
        if part.get("margin") == "proportion" and not PROPORTION.fullmatch(formula):
            raise fail(
                f"margin: proportion needs a formula `X_E / Y_E`, not {formula!r}.",
                "write the margin as a formula.",
                file,
                name,
            )


def check_forms(name: str, entry: Mapping, file: Path) -> None:
    """Words are text, levels are lists, what differs at a level is a mapping; else a DataError."""
    parts = {"": entry, **{f"{level}: ": entry.get(level) or {} for level in LEVELS}}
    for where, part in parts.items():
        if not isinstance(part, dict):
            raise fail(f"{where}{part!r} is no mapping.", "write {key: value}.", file, name)
        for key, kinds in TEXTS.items():
            if key in part and not isinstance(part[key], kinds):
                raise fail(f"{where}{key} {part[key]!r} is no text.", "write it in quotes.", file, name)
    for key in ("levels", "inherited"):
        if not isinstance(entry.get(key, []), list):
            raise fail(f"{key} {entry[key]!r} is no list.", f"write [{', '.join(LEVELS)}].", file, name)


def formulas(entry: Mapping) -> list[str]:
    """Every formula of an entry, its margins' included."""
    own = [entry, *[entry.get(level) or {} for level in LEVELS]]
    margins = [part["margin"] for part in own if part.get("margin", "proportion") != "proportion"]
    return [str(part["formula"]) for part in own if "formula" in part] + margins


def group_members(group: str, level: str = "county") -> tuple[str, ...]:
    """The names of a group's variables at a level, in the order of the file.

    Raises
    ------
    DataError : no such group.
    """
    if group not in GROUPS:
        raise fail(f"no group {group!r}.{nearest(group, GROUPS)}", f"groups are {', '.join(GROUPS)}.")
    return tuple(name for name, variable in load_catalogue(level).items() if variable.group == group)


def label(name: str) -> str:
    """The label of a variable, product ("a:b") or square ("a:a"); the name itself where none is declared."""
    parts = name.split(":")
    known = {**load_catalogue("state"), **load_catalogue("place"), **load_catalogue("county")}
    labels = [known[part].label if part in known else part for part in parts]
    if len(labels) == 2 and labels[0] == labels[1]:
        return f"{labels[0]}, squared"
    return " × ".join(labels)


def source_day(source: str) -> datetime.date | None:
    """The last day on which anything in a source was measured; None where the source does not say it.

    Parameters
    ----------
    source : as in the catalogue. `derived` and `units` have no day of their own; the columns of
        `state_laws` each have one, which only their names tell. Grant flows hold no later actions than
        those before the day that main models must precede.
    """
    name, _, vintage = source.partition("/")
    if name in ("derived", "units", "state_laws"):
        return None
    if name == "agreements":
        return as_day(vintage)
    if name == "ledger":
        chosen = read_param("vintages")["main_list"] if vintage == "main_list" else vintage
        return as_day(read_origin("lists", chosen)["as_of"])
    if name == "grant_flows":
        cut = as_day(read_param("as_of_before")["main"]) - datetime.timedelta(days=1)
        return min(cut, as_day(read_origin("usaspending", vintage.partition("/")[0])["as_of"]))
    return as_day(read_origin(name, vintage)["as_of"])


def measured_until(name: str, catalogue: Mapping[str, Variable]) -> datetime.date:
    """The last day on which a variable or anything that it is made of was measured.

    The latest of what the catalogue says, what its source says, and the same of the variables that its
    formula reads: a later figure cannot be passed off as an earlier one.
    """
    variable = catalogue[name]
    days = [variable.as_of, source_day(variable.source)]
    parts = [part for part in names_in(variable.formula) if part in catalogue and part != name]
    days += [measured_until(part, catalogue) for part in parts]
    return max(day for day in days if day is not None)

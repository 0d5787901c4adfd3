"""The multiverse as `params.yaml` declares it: what is varied, checked before anything is fitted."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.catalogue import as_day, load_catalogue, measured_until
from analysis.errors import DataError, nearest
from analysis.formulas import names_in
from analysis.models.multiverse.curve import refuse
from analysis.models.multiverse.prepare import ESTIMATORS
from analysis.models.terms import resolve
from analysis.panel import load_panel
from analysis.provenance import is_day, read_param, read_params, root, vintages

CHOICES = (
    "level", "list", "outcome", "match", "sample", "roster", "acs", "weights", "effects", "estimator",
)  # fmt: skip
NAMED = ("level", "sample", "weights", "effects")  # choices that say what each value means
OUTCOMES = ("own", "as_county", "own_or_place")
MATCHES = ("settled", "strict", "with_review")
PUBLISHED, COUNTERPARTS, DRAW, KEPT = "published", "with_margins", "draw_", "kept"
KEYS = ("focal", "controls", "choices", "margins", "cells", "draws", "seed", "fewest", "headlines")
HEADLINE = ("name", "text", "where", "holds")


@dataclass(frozen=True, eq=False)
class Multiverse:
    """What is varied.

    Parameters
    ----------
    focal : the variables whose coefficients are looked at. controls : those beside which they are, in every
        subset (the focal one left out).
    choices : each choice's values; for `level`, `sample`, `weights` and `effects` with their meaning.
    margins : for a variable, the formula of its counterpart that has margins of error.
    cells : how many combinations of the choices are drawn in each family, by level. draws : curves under the
        null. seed : of all draws. fewest : listed units below which nothing is fitted.
    headlines : name, text, `where` they apply and what `holds`, as queries on the table of specifications.
    """

    focal: tuple[str, ...]
    controls: tuple[str, ...]
    choices: dict[str, dict]
    margins: dict[str, str]
    cells: dict[str, int]
    draws: int
    seed: int
    fewest: int
    headlines: tuple[dict[str, str], ...]

    @cached_property
    def every_cell(self) -> list[dict[str, str]]:
        """All defensible combinations of the choices, in the order of the declaration."""
        values = itertools.product(*(self.choices[name] for name in CHOICES))
        cells = (dict(zip(CHOICES, each, strict=True)) for each in values)
        return [cell for cell in cells if self.is_defensible(cell)]

    def is_defensible(self, cell: Mapping[str, str]) -> bool:
        """Whether a combination means something, and nothing that another one means already.

        Places have one outcome, no agreements of county agencies and no margins of error; a logit with
        effects uses the states with both outcomes whatever the sample says.
        """
        first = {name: next(iter(values)) for name, values in self.choices.items()}
        if cell["level"] != "county" and any(
            cell[name] != first[name] for name in ("outcome", "roster", "acs")
        ):
            return False
        return not (cell["estimator"] == "logit" and cell["effects"] != "none" and is_mixed(cell))

    def is_main(self, cell: Mapping[str, str]) -> bool:
        """Whether a cell has the first value of every choice but those that make the family."""
        free = ("level", "effects", "estimator")
        first = {name: next(iter(values)) for name, values in self.choices.items()}
        mixed = is_mixed(cell) and cell["effects"] != "none"
        return all(
            cell[name] == first[name] or (name == "sample" and mixed) for name in CHOICES if name not in free
        )

    def drawn_cells(self) -> list[dict[str, str]]:
        """The cells that are fitted: of each family its main one and others at random, as many of each sample
        as of any other (or one less), in the order of the declaration."""
        members: dict[tuple[str, str], list[int]] = {}
        for number, cell in enumerate(self.every_cell):
            members.setdefault((cell["level"], family(cell)), []).append(number)
        chosen = []
        for (level, name), numbers in members.items():
            main = [number for number in numbers if self.is_main(self.every_cell[number])]
            rest = [number for number in numbers if number not in set(main)]
            rng = np.random.default_rng([self.seed, *f"{level} {name}".encode()])
            chosen += main
            lot = rng.permutation(rest)
            samples = pd.Series([self.every_cell[number]["sample"] for number in lot], index=lot)
            turns = samples.groupby(samples).cumcount().sort_values(kind="stable")
            chosen += list(turns.index[: max(self.cells[level] - len(main), 0)])
        return [self.every_cell[number] for number in sorted(chosen)]

    def beside(self, focal: str) -> tuple[str, ...]:
        """The controls of a focal variable."""
        return tuple(name for name in self.controls if name != focal)


def is_mixed(cell: Mapping[str, str]) -> bool:
    """Whether the sample is the states with listed and unlisted units."""
    return cell["sample"] == "mixed_states"


def family(cell: Mapping[str, str]) -> str:
    """What a cell's coefficients estimate: families are not pooled.

    >>> family({"estimator": "lpm", "effects": "state", "sample": "mixed_states"})
    'lpm_within_mixed'
    """
    if cell["effects"] == "none":
        return cell["estimator"]
    return f"{cell['estimator']}_within" + ("_mixed" if cell["estimator"] == "lpm" and is_mixed(cell) else "")


def identifier(focal: str, cell: Mapping[str, str], controls: Iterable[str]) -> str:
    """A specification's id: 12 hexadecimal digits of the SHA-256 of its choices, whatever else is declared.

    >>> identifier("x", {"list": "a"}, ["z"]) == identifier("x", {"list": "a"}, ["z"])
    True
    """
    text = json.dumps({"focal": focal, "controls": sorted(controls)} | dict(cell), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def declared() -> Multiverse:
    """The multiverse of `params.yaml`.

    Raises
    ------
    DataError : a key missing or unknown, a value that nothing provides (with the nearest), a regressor
        measured too late. The message names the key.
    """
    given = read_params().get("multiverse")
    if not isinstance(given, dict):
        raise wrong("no mapping.", "declare focal, controls and choices.")
    for key in given:
        if key not in KEYS:
            raise wrong(f"no key {key!r}.{nearest(key, KEYS)}", "mend the key.")
    for key in KEYS:
        if key not in given:
            raise wrong(f"the key {key!r} is missing.", f"give {', '.join(KEYS)}.")
    made = Multiverse(
        focal=_texts(given["focal"], "focal"),
        controls=_texts(given["controls"], "controls"),
        choices=_choices(given["choices"]),
        margins=_mapping(given["margins"], "margins"),
        cells={level: _whole(n, f"cells, {level}") for level, n in _mapping(given["cells"], "cells").items()},
        draws=_whole(given["draws"], "draws", least=99),
        seed=_whole(given["seed"], "seed", least=0),
        fewest=_whole(given["fewest"], "fewest"),
        headlines=_headlines(given["headlines"]),
    )
    _check_variables(made)
    return made


def wrong(rule: str, remedy: str, key: str | None = None) -> DataError:
    where = "multiverse" if key is None else f"multiverse, {key}"
    return DataError(rule, file=root() / "params.yaml", column=where, remedy=remedy)


def _texts(value: object, key: str) -> tuple[str, ...]:
    names = tuple(value) if isinstance(value, list) else ()
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise wrong(f"{value!r} is no list of distinct names.", "write [a, b].", key)
    return names


def _mapping(value: object, key: str) -> dict:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise wrong(f"{value!r} is no mapping from names.", "write {name: value}.", key)
    return value


def _whole(value: object, key: str, least: int = 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise wrong(f"{value!r} is no whole number from {least}.", "write one.", key)
    return value


def _choices(given: object) -> dict[str, dict]:
    given = _mapping(given, "choices")
    for name in given:
        if name not in CHOICES:
            raise wrong(f"no choice {name!r}.{nearest(name, CHOICES)}", "mend it.", "choices")
    out = {}
    for name in CHOICES:
        if name not in given:
            raise wrong(f"the choice {name!r} is missing.", f"give {', '.join(CHOICES)}.", "choices")
        if name in NAMED:
            values = _mapping(given[name], name)
            if not values:
                raise wrong("no value.", "give at least one.", name)
        else:
            values = dict.fromkeys(_texts(given[name], name))
        out[name] = values
    known = {
        "level": ("county", "place"),
        "list": tuple(vintages("lists")),
        "outcome": OUTCOMES,
        "match": MATCHES,
        "roster": (KEPT, *vintages("rosters")),
        "estimator": ESTIMATORS,
    }
    for name, allowed in known.items():
        for value in out[name]:
            if value not in allowed:
                raise wrong(
                    f"{value!r} is not there.{nearest(value, allowed)}", f"use {', '.join(allowed)}.", name
                )
    for value in out["acs"]:
        if value not in (PUBLISHED, COUNTERPARTS) and not (
            value.startswith(DRAW) and value.removeprefix(DRAW).isdigit()
        ):
            raise wrong(f"{value!r} is unknown.", f"use {PUBLISHED}, {COUNTERPARTS} or {DRAW}1.", "acs")
    for name, value in out["weights"].items():
        if not (value is None or isinstance(value, str)):
            raise wrong(f"{name!r} is {value!r}.", "name a column, or none as null.", "weights")
    for name, value in out["effects"].items():
        if not (isinstance(value, list) and all(isinstance(column, str) for column in value)):
            raise wrong(f"{name!r} is {value!r}.", "give a list of columns.", "effects")
    if "none" in out["effects"] and out["effects"]["none"]:
        raise wrong("`none` must have no columns.", "write none: [].", "effects")
    for day in out["roster"]:
        limit = read_param("as_of_before")["sensitivity"]
        if is_day(day) and as_day(day) >= as_day(limit):
            raise wrong(f"the roster of {day} is not before {limit}.", "use an earlier one.", "roster")
    return out


def _headlines(given: object) -> tuple[dict[str, str], ...]:
    entries = given if isinstance(given, list) else []
    for entry in entries:
        texts = isinstance(entry, dict) and all(isinstance(text, str) for text in entry.values())
        if not texts or set(entry) != set(HEADLINE):
            raise wrong(
                f"{entry!r} has not just the keys {', '.join(HEADLINE)}, each with text.",
                "give these.",
                "headlines",
            )
    if not entries or len({entry["name"] for entry in entries}) < len(entries):
        raise wrong("no headline, or two of one name.", "name each once.", "headlines")
    return tuple(entries)


def _check_variables(made: Multiverse) -> None:
    """Every variable is in the panel of every level, and was measured before the day of the main models."""
    limit = as_day(read_param("as_of_before")["main"])
    for level in made.choices["level"]:
        panel, catalogue = load_panel(level), load_catalogue(level)
        if level not in made.cells:
            raise wrong(f"no number of cells for the level {level!r}.", "give one.", "cells")
        for name in (*made.focal, *made.controls):
            for part in (part for term in resolve((name,), panel, level) for part in term.parts):
                _check_day(part, catalogue, limit)
        for key, columns in {
            "weights": [name for name in made.choices["weights"].values() if name],
            "effects": [name for names in made.choices["effects"].values() for name in names],
        }.items():
            for name in columns:
                if name not in panel:
                    raise wrong(f"the {level} panel has no {name!r}.{nearest(name, panel)}", "mend it.", key)
    for focal in made.focal:
        refuse(len(made.beside(focal)))
    counties, catalogue = load_panel("county"), load_catalogue("county")
    for name, formula in made.margins.items():
        for part in names_in(formula):
            if f"{part}_moe" not in counties:
                with_margin = [column.removesuffix("_moe") for column in counties if column.endswith("_moe")]
                raise wrong(
                    f"{part!r} has no margin of error.{nearest(part, with_margin)}",
                    f"use one of {', '.join(with_margin)}.",
                    f"margins, {name}",
                )
            _check_day(part, catalogue, limit)


def _check_day(name: str, catalogue: Mapping, limit: object) -> None:
    if name in catalogue and measured_until(name, catalogue) >= limit:
        raise wrong(
            f"{name!r} was measured on {measured_until(name, catalogue)}, not before {limit}.", "drop it."
        )

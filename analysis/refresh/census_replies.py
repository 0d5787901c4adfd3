"""Replies of the Census Bureau's API: what is asked for in how many requests, and tables from what came.

A reply is JSON, a list of lists of which the first names the columns. Several replies make one table by
GEO_ID, never by the order of their rows; columns are known by their names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import nearest
from analysis.refresh.census_cells import is_labelled
from analysis.refresh.faults import QuarantineError
from analysis.sources.reading import ANNOTATION_CODE

AGAIN = "run the command again to fetch it anew; if it stays so, see what the Census Bureau says."
# The API takes 50 variables a request; two are GEO_ID and NAME, the others pairs of estimate and margin.
PAIRS = 23
DATASETS = {"B": "acs5", "C": "acs5", "S": "acs5/subject", "D": "acs5/profile"}


@dataclass(frozen=True)
class Level:
    """A level of geography: `geo` is what the API is asked, `columns` its columns of codes, `prefix` how a
    GEO_ID of it begins, `by_state` whether it takes a request a state."""

    name: str
    geo: Mapping[str, str]
    columns: tuple[str, ...]
    prefix: str
    by_state: bool

    def asked(self, state: str) -> dict[str, str]:
        return {key: text.format(state) for key, text in self.geo.items()}


LEVELS = (
    Level("state", {"for": "state:*"}, ("state",), "0400000US", False),
    Level("county", {"for": "county:*", "in": "state:*"}, ("state", "county"), "0500000US", False),
    Level("place", {"for": "place:*", "in": "state:{}"}, ("state", "place"), "1600000US", True),
    Level(
        "county_subdivision",
        {"for": "county subdivision:*", "in": "state:{} county:*"},
        ("state", "county", "county subdivision"),
        "0600000US",
        True,
    ),
)

# What stands in place of a figure. A margin of a controlled estimate is zero; all else is missing.
CONTROLLED = ("-555555555", "*****")
REASONS = {
    "-111111111": "below the lowest interval of an open-ended distribution",
    "-222222222": "margin of error cannot be computed: too few sample observations",
    "-333333333": "median in an open-ended interval: no margin of error",
    "-555555555": "estimate is controlled: no sampling error",
    "-666666666": "estimate cannot be computed: too few sample observations",
    "-888888888": "not applicable or not available",
    "-999999999": "not displayed: too few sample cases",
    "*****": "estimate is controlled: no sampling error",
    "****": "estimate is controlled: no sampling error",
    "***": "median in an open-ended interval: no margin of error",
    "**": "margin of error cannot be computed: too few sample observations",
    "-": "estimate cannot be computed: too few sample observations",
    "N": "not displayed: too few sample cases",
    "(X)": "not applicable or not available",
    "null": "nothing published",
}


@dataclass(frozen=True)
class Chunk:
    """One request's share of the cells, of one dataset, with its number."""

    number: int
    dataset: str
    cells: tuple[str, ...]

    def fields(self) -> tuple[str, ...]:
        return ("GEO_ID", "NAME", *(f"{cell}{end}" for cell in self.cells for end in "EM"))


def chunks(cells: Iterable[str]) -> list[Chunk]:
    """The cells in as few requests as there can be; a cell's margin comes with its estimate."""
    groups: dict[str, list[str]] = {}
    for cell in cells:
        groups.setdefault(DATASETS[cell[0]], []).append(cell)
    parts = [
        (name, tuple(group[first : first + PAIRS]))
        for name, group in sorted(groups.items())
        for first in range(0, len(group), PAIRS)
    ]
    return [Chunk(number, *part) for number, part in enumerate(parts, 1)]


def capture(level: Level, state: str, chunk: Chunk) -> str:
    """The file's name of one reply."""
    return "-".join([level.name, *([state] if level.by_state else []), f"{chunk.number}.json"])


def variables_capture(year: int, dataset: str) -> str:
    return f"variables-{year}-{dataset.replace('/', '-')}.json"


def decoded(path: Path) -> object:
    """The JSON of a reply.

    Raises
    ------
    QuarantineError : "truncated JSON".
    """
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise QuarantineError(
            "truncated JSON", f"not whole JSON ({error}).", where=path.name, remedy=AGAIN
        ) from None


def read_labels(path: Path, cells: Iterable[str]) -> pd.DataFrame:
    """The cells' labels as published, each looked at: the same id can mean another thing a year later.

    Returns
    -------
    DataFrame `column` (the estimate's id), `label`, `concept`.

    Raises
    ------
    QuarantineError : "unknown variable", "label changed".
    """
    content = decoded(path)
    known = content.get("variables") if isinstance(content, dict) else None
    if not isinstance(known, dict) or not known:
        raise QuarantineError("not a list of variables", "no `variables`.", where=path.name, remedy=AGAIN)
    rows = []
    for cell in cells:
        about = known.get(f"{cell}E")
        beside = str((about or {}).get("attributes", f"{cell}M")).split(",")
        if about is None or (f"{cell}M" not in known and f"{cell}M" not in beside):
            name = f"{cell}{'M' if about else 'E'}"
            raise QuarantineError(
                "unknown variable",
                f"there is no {name} in this vintage.{nearest(name, list(known))}",
                where=path.name,
                remedy="its table was renamed or dropped: see analysis/variables.yaml and census_cells.py.",
            )
        label, concept = str(about.get("label", "")), str(about.get("concept", ""))
        if not is_labelled(cell, label, concept):
            raise QuarantineError(
                "label changed",
                f"{cell} is {label!r} of {concept!r} in this vintage.",
                where=path.name,
                remedy="the line has moved: find the right one, and mend census_cells.py.",
            )
        rows.append((f"{cell}E", label, concept))
    return pd.DataFrame(rows, columns=["column", "label", "concept"])


def read_reply(path: Path, level: Level, fields: Sequence[str], state: str) -> pd.DataFrame:
    """One reply as text by GEO_ID, nothing published as None.

    Parameters
    ----------
    state : where the level takes a request a state, the state asked for; else "".

    Raises
    ------
    QuarantineError : "reply missing", "truncated JSON", "not a table", "column missing", "ragged row",
        "no rows", "wrong unit", "doubled row".
    """
    if not path.is_file():
        raise QuarantineError("reply missing", "it was not fetched.", where=path.name, remedy=AGAIN)
    content = decoded(path)
    if not isinstance(content, list) or not content or not all(isinstance(row, list) for row in content):
        said = json.dumps(content)[:120]
        raise QuarantineError(
            "not a table", f"no list of rows came, but {said}.", where=path.name, remedy=AGAIN
        )
    header, body = content[0], content[1:]
    for name in (*fields, *level.columns):
        if header.count(name) != 1:
            raise QuarantineError(
                "column missing" if name not in header else "doubled column",
                f"{name} is there {header.count(name)} times; there are {', '.join(map(str, header))}.",
                where=path.name,
                remedy=AGAIN,
            )
    for number, row in enumerate(body, 1):
        if len(row) != len(header):
            raise QuarantineError(
                "ragged row",
                f"row {number} has {len(row)} fields where the first has {len(header)}.",
                where=path.name,
                remedy=AGAIN,
            )
    if not body:
        raise QuarantineError(
            "no rows", "only the names of the columns; no rows is no success.", where=path.name, remedy=AGAIN
        )
    frame = pd.DataFrame(body, columns=header, dtype="object")
    check_units(frame, path, level, state)
    texts = frame[list(fields)].map(lambda value: None if value is None else str(value).strip())
    return texts.set_index("GEO_ID")


def check_units(frame: pd.DataFrame, path: Path, level: Level, state: str) -> None:
    """Every row is a unit of the level, of the state asked for, and comes once.

    Raises
    ------
    QuarantineError : "wrong unit", "doubled row".
    """
    codes = frame[list(level.columns)].astype("str").agg("".join, axis=1)
    # After the level stand five characters for its variant and component, "00000" for the whole unit.
    wrong = frame["GEO_ID"].astype("str") != level.prefix + codes
    wrong |= (frame["state"].astype("str") != state) if state else False
    if wrong.any():
        first = frame.loc[wrong].iloc[0]
        raise QuarantineError(
            "wrong unit",
            f"{first['GEO_ID']!r} ({first['NAME']}) is no {level.name.replace('_', ' ')}"
            f"{f' of state {state}' if state else ''} by its codes ({int(wrong.sum()):,} such rows).",
            where=path.name,
            remedy=AGAIN,
        )
    doubled = frame.loc[frame["GEO_ID"].duplicated(), "GEO_ID"]
    if len(doubled):
        raise QuarantineError(
            "doubled row", f"{doubled.iloc[0]!r} is there twice.", where=path.name, remedy=AGAIN
        )


def joined(replies: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Replies for the same units as one table, by GEO_ID.

    Raises
    ------
    QuarantineError : "rows missing", "names differ": the replies are not of the same units.
    """
    name, first = replies[0]
    for other, frame in replies[1:]:
        odd = sorted(first.index.symmetric_difference(frame.index))
        if odd:
            lacks = other if odd[0] in first.index else name
            raise QuarantineError(
                "rows missing",
                f"{lacks} lacks {odd[0]!r}, which the other reply has ({len(odd):,} units differ).",
                where=f"{name}, {other}",
                remedy=AGAIN,
            )
        named = frame["NAME"].reindex(first.index)
        if (named != first["NAME"]).any():
            unit = first.index[named != first["NAME"]][0]
            raise QuarantineError(
                "names differ",
                f"{unit!r} is {first['NAME'][unit]!r} and {named[unit]!r}.",
                where=f"{name}, {other}",
                remedy=AGAIN,
            )
    return pd.concat([first, *(frame.drop(columns="NAME") for _, frame in replies[1:])], axis=1, join="inner")


def annotated(texts: pd.DataFrame, where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The figures as text, "" where an annotation stands instead, and the annotations with their reasons.

    Parameters
    ----------
    texts : columns of estimates (ending in E) and margins (M) as published, index the unit.

    Returns
    -------
    (figures, annotations) : `annotations` has `geoid`, `column`, `code`, `reason`.

    Raises
    ------
    QuarantineError : "unknown annotation", "not a figure".
    """
    places, found = pd.factorize(texts.fillna("null").to_numpy(dtype="object").ravel())
    # Some replies give codes as decimal numbers.
    told = pd.Series(found, dtype="str").replace("", "null").str.replace(r"\.0+$", "", regex=True)
    places = places.reshape(texts.shape)
    noted = told.isin(list(REASONS)).to_numpy()
    value = pd.to_numeric(told.mask(noted), errors="coerce")
    wrong = ~noted & ~value.between(ANNOTATION_CODE, float("inf"), inclusive="neither").to_numpy()
    if wrong.any():
        row, column = np.argwhere(wrong[places])[0]
        raise not_figure(texts.columns[column], texts.index[row], told[places[row, column]], where)
    kept = told.mask(noted, "").to_numpy(dtype="object")[places]
    margins = texts.columns.str.endswith("M")
    kept[told.isin(CONTROLLED).to_numpy()[places] & margins] = "0"
    columns, rows = np.nonzero(noted[places].T)
    codes = told.to_numpy(dtype="object")[places[rows, columns]]
    notes = pd.DataFrame({"geoid": texts.index[rows], "column": texts.columns[columns], "code": codes})
    notes["reason"] = notes["code"].map(REASONS)
    return pd.DataFrame(kept, texts.index, texts.columns), notes


def not_figure(column: str, unit: str, text: str, where: str) -> QuarantineError:
    """The error that names a text that is no figure, a code or not."""
    if re.fullmatch(r"-\d{9,}", text):
        return QuarantineError(
            "unknown annotation",
            f"{column} of {unit} is {text!r}, a code that is not known.",
            where=where,
            remedy="see the Census Bureau's list of annotation values, and enter it in census_replies.py.",
        )
    return QuarantineError("not a figure", f"{column} of {unit} is {text!r}.", where=where, remedy=AGAIN)

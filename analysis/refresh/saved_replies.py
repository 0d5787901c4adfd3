"""Replies of the Census API that a user saved under any names: which request each one answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from analysis.refresh.answers import decoded
from analysis.refresh.census_replies import AGAIN, LEVELS, Chunk, capture, variables_capture
from analysis.refresh.faults import QuarantineError, UsageError
from analysis.refresh.states import link_or_copy

# The label of median household income names the last year of the estimate.
YEAR_IN_LABEL = re.compile(r"in (\d{4}) inflation-adjusted")
ASK = (
    "save the address's variables.json, and for each level a reply with GEO_ID, NAME, estimates and margins;"
    " name the vintage with --vintage."
)


def name_as_fetched(folder: Path, names: Sequence[str], parts: Sequence[Chunk], year: int | None) -> None:
    """Give saved replies the names that those fetched have, by what they hold.

    Parameters
    ----------
    folder, names : the files.
    parts : the requests of one round; a reply may answer several of them.
    year : the last year of the estimate, or None where the labels must tell it.

    Raises
    ------
    QuarantineError : "not a table", "doubled reply", and see `answers.decoded`.
    UsageError : "no vintage".
    """
    given: dict[str, str] = {}
    for name in names:
        for answered in answers(folder / name, parts, year):
            if answered in given:
                raise QuarantineError(
                    "doubled reply", f"{given[answered]} and {name} answer the same request.", remedy=ASK
                )
            given[answered] = name
    for answered, name in given.items():
        if answered != name:
            (folder / answered).unlink(missing_ok=True)
            link_or_copy(folder / name, folder / answered)


def answers(path: Path, parts: Sequence[Chunk], year: int | None) -> list[str]:
    """The names of the captures that a saved reply stands for; none where it has nothing that is needed."""
    content = decoded(path, AGAIN)
    if isinstance(content, dict) and isinstance(content.get("variables"), dict):
        return of_labels(content["variables"], parts, year)
    if not isinstance(content, list) or not content or not isinstance(content[0], list):
        raise QuarantineError(
            "not a table", "no list of rows and no `variables`.", where=path.name, remedy=ASK
        )
    header, body = content[0], content[1:]
    of_level = [level for level in LEVELS if set(level.columns) <= set(header)]
    if not of_level or not body:
        return []
    level = max(of_level, key=lambda each: len(each.columns))
    at = header.index("state")
    states = {str(row[at]) for row in body if len(row) > at} if level.by_state else {""}
    state = min(states) if states else ""
    return [capture(level, state, part) for part in parts if set(part.fields()) <= set(header)]


def of_labels(variables: dict, parts: Sequence[Chunk], year: int | None) -> list[str]:
    """The list of variables of the dataset whose cells it names."""
    labels = " ".join(str((about or {}).get("label", "")) for about in variables.values())
    told = YEAR_IN_LABEL.search(labels)
    if year is None and told is None:
        raise UsageError("no vintage", "no label tells the year of these replies.", remedy=ASK)
    datasets = {part.dataset for part in parts if f"{part.cells[0]}E" in variables}
    return [variables_capture(year or int(told[1]), dataset) for dataset in sorted(datasets)]

"""The errors that the project raises on purpose, each with what is wrong, where, and the remedy."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable

LONGEST = 800  # letters of a file that a message repeats


class AnalysisError(Exception):
    """Any error that a user can act on; the command line prints it without a traceback."""


def clipped(text: object) -> str:
    """A text without its middle, where it is too long to be read: a cell can hold a whole file.

    >>> clipped("short"), len(clipped("x" * 100_000)) < 1_000
    ('short', True)
    """
    text, half = str(text), LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} [...] {text[-half:]}"


class DataError(AnalysisError, ValueError):
    """An input that breaks a rule.

    Parameters
    ----------
    rule : what should hold, and what was found instead.
    file, row, column : where; `row` counts the file's lines from 1, its header being line 1.
    remedy : what to do about it.
    """

    def __init__(
        self,
        rule: str,
        *,
        file: object = None,
        row: int | None = None,
        column: str | None = None,
        remedy: str | None = None,
    ) -> None:
        rule, column = clipped(rule), None if column is None else clipped(column)
        self.rule, self.file, self.row, self.column, self.remedy = rule, file, row, column, remedy
        where = [str(file)] if file is not None else []
        where += [f"line {row}"] if row is not None else []
        where += [f"column {column!r}"] if column is not None else []
        text = f"{', '.join(where)}: {rule}" if where else rule
        super().__init__(f"{text} Remedy: {remedy}" if remedy else text)


class ModelError(AnalysisError, ValueError):
    """A model that cannot be specified or fitted as asked; the message names the term or column."""

    def __init__(self, text: str) -> None:
        super().__init__(clipped(text))


class RenderError(AnalysisError):
    """A page that cannot be rendered; the message names the source file and the line."""


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main`; an error that a user can act on is one message, without a traceback."""
    try:
        main()
    except (AnalysisError, OSError) as error:
        sys.exit(f"error: {error}")


def nearest(name: object, known: Iterable[str]) -> str:
    """The end of an error message: the known name closest to `name`, or the known names, or nothing.

    >>> nearest("median_agee", ["median_age", "population"])
    " Nearest: 'median_age'."
    """
    known = list(known)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    if close:
        return f" Nearest: {close[0]!r}."
    return f" Known: {', '.join(known)}." if 0 < len(known) <= 12 else ""

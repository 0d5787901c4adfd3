"""The errors that the project raises on purpose, each with what is wrong, where, and the remedy."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

__all__ = ["AnalysisError", "DataError", "MissingValueWarning", "ModelError", "RenderError"]

LONGEST = 800  # letters of a file that a message repeats


class AnalysisError(Exception):
    """Any error that a user can act on; the command line prints it without a traceback.

    Examples
    --------
    >>> issubclass(DataError, AnalysisError), issubclass(ModelError, ValueError)
    (True, True)
    """


def clipped(text: object) -> str:
    """A text without its middle, where it is too long to be read: a cell can hold a whole file.

    >>> clipped("short"), len(clipped("x" * 100_000)) < 1_000
    ('short', True)
    """
    text, half = str(text), LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} [...] {text[-half:]}"


def visible(text: str) -> str:
    """A text for a terminal: what would steer it, or turn its letters about, is shown by its number.

    Line ends and tabs stay.

    >>> print(visible("Kendall \\x1b[31mCounty\\u202e, Cañon City"))
    Kendall \\x1b[31mCounty\\u202e, Cañon City
    """
    return "".join(
        sign if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs") else _number(sign)
        for sign in text
    )


def _number(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode() if ord(sign) > 127 else f"\\x{ord(sign):02x}"


class DataError(AnalysisError, ValueError):
    """An input that breaks a rule.

    Parameters
    ----------
    rule : what should hold, and what was found instead.
    file, row, column : where; `row` counts the file's lines from 1, its header being line 1.
    remedy : what to do about it.

    Examples
    --------
    >>> print(DataError("no share.", file="votes.csv", row=3, column="share", remedy="mend it."))
    votes.csv, line 3, column 'share': no share. Remedy: mend it.
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
    """A model that cannot be specified or fitted as asked; the message names the term or column.

    Examples
    --------
    >>> from analysis.models import Model
    >>> Model("main", "is_listed", ["population"], estimator="logti")
    Traceback (most recent call last):
    analysis.errors.ModelError: Model 'main': unknown estimator 'logti'. Nearest: 'logit'.
    """

    def __init__(self, text: str) -> None:
        super().__init__(clipped(text))


class RenderError(AnalysisError):
    """A page that cannot be rendered; the message names the source file and the line.

    Examples
    --------
    >>> from analysis.wording import claim
    >>> claim("None is listed.", holds=False)
    Traceback (most recent call last):
    analysis.errors.RenderError: The numbers no longer bear the sentence 'None is listed.'. Write it anew.
    """


class MissingValueWarning(UserWarning):
    """Rows that a model leaves out because they miss a value: how many, for which column, in which states.

    Examples
    --------
    Silent, where one knows:

    >>> import warnings
    >>> warnings.simplefilter("ignore", MissingValueWarning)
    """


def nearest(name: object, known: Iterable[object], likeness: float = 0.5) -> str:
    """The end of an error message: the known name closest to `name`, or the known names, or nothing.

    Capitals, spaces, dots and hyphens count for nothing.

    >>> nearest("median_agee", ["median_age", "population"]), nearest("Median Age", ["median_age"])
    (" Nearest: 'median_age'.", " Nearest: 'median_age'.")
    """
    spelt = {plain(each): str(each) for each in reversed(list(map(str, known)))}
    close = difflib.get_close_matches(plain(name), spelt, n=1, cutoff=likeness)
    if close:
        return f" Nearest: {spelt[close[0]]!r}."
    return f" Known: {', '.join(reversed(spelt.values()))}." if 0 < len(spelt) <= 12 else ""


def plain(name: object) -> str:
    """A name without what writers differ in.

    >>> plain("DHS-2025.05 31")
    'dhs_2025_05_31'
    """
    return re.sub(r"[\s.-]+", "_", str(name).strip().casefold())

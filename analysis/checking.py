"""One check: a figure, what it should be, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Check:
    """One row of `checks.csv`; `value` and `expected` are text as printed."""

    check: str
    scope: str
    value: str
    expected: str
    status: str


def compare(check: str, scope: str, value: object, expected: object, holds: bool | None = None) -> Check:
    """A row that passes where the value is the expected one, or where `holds` says so."""
    passed = value == expected if holds is None else holds
    return Check(check, scope, shown(value), shown(expected), "pass" if passed else "fail")


def note(check: str, scope: str, value: object) -> Check:
    """A figure to know."""
    return Check(check, scope, shown(value), "", "info")


def shown(value: object) -> str:
    """A value as text: whole numbers whole, others to six digits."""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.6g}"
    return str(value)


def against_published(rows: Iterable[Check], published: pd.DataFrame) -> list[Check]:
    """The rows, those for which a figure was published turned from `info` to `pass` or `fail`.

    A published figure to which no row belongs is a `fail`: nothing looked at it.
    """
    expected = {(row.check, row.scope): row.expected for row in published.itertuples()}
    out = []
    for row in rows:
        figure = expected.pop((row.check, row.scope), None)
        out.append(row if figure is None else compare(row.check, row.scope, row.value, figure))
    return out + [
        compare(check, scope, "not computed", figure) for (check, scope), figure in expected.items()
    ]

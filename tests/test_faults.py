"""The page of faults is the one that the tests' marks give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.faults import FAULTS, FILE, counted, table

MARK = re.compile(r"@pytest\.mark\.fault\(([^)]*)\)")
NAMED = re.compile(r"^\| ([FG]\d+) \| .+ \| (\d+) \| (.+) \|$", re.M)


def marked() -> dict[str, set[str]]:
    """Faults to the files whose tests bear them, as written."""
    found: dict[str, set[str]] = {}
    for path in (REPOSITORY / "tests").rglob("test_*.py"):
        for marks in MARK.findall(path.read_text(encoding="utf-8")):
            for fault in re.findall(r"[FG]\d+", marks):
                found.setdefault(fault, set()).add(path.relative_to(REPOSITORY / "tests").as_posix())
    return found


def rows() -> dict[str, tuple[int, str]]:
    return {
        name: (int(cases), where) for name, cases, where in NAMED.findall(FILE.read_text(encoding="utf-8"))
    }


def test_every_mark_names_a_fault_and_every_fault_is_held_or_says_why_not() -> None:
    held = marked()
    assert len(held) > 60 and set(held) <= set(FAULTS)
    assert set(FAULTS) == set(held)


def test_the_page_names_the_files_that_bear_the_marks() -> None:
    written, held = rows(), marked()
    assert set(written) == set(FAULTS)
    for fault, files in held.items():
        cases, where = written[fault]
        assert cases >= len(files) and set(re.findall(r"`([^`]+)`", where)) == files, (
            f"{fault}: run `make faults`"
        )


def test_the_counts_are_those_of_the_suite(request: pytest.FixtureRequest) -> None:
    """Where the whole suite was collected."""
    items = request.session.items
    there = {Path(item.fspath) for item in items}
    if there != set((REPOSITORY / "tests").rglob("test_*.py")):
        pytest.skip("a part of the suite")
    assert FILE.read_text(encoding="utf-8") == table(counted(items)), "run `make faults`"

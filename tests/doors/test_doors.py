"""Changed real files at every door: a value or a named error, never anything else; and no door is forgotten."""

from __future__ import annotations

import ast
import csv
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import REPOSITORY
from tests.doors import __main__ as command
from tests.doors.doors import DOORS
from tests.doors.engine import ABSENT, GOOD, MOST, OUTCOMES, Outcome, Worker
from tests.doors.mutations import KINDS, mutated

CASES = 520
BY_NAME = {door.name: door for door in DOORS}
VERY_SLOW = 0.2  # a door's share
NUMBER = {
    door.name: max(1, round(CASES * 1.04 * door.share / sum(each.share for each in DOORS))) for door in DOORS
}


# Where the package's functions are watched with the real file: at one of the doors that say that they reach
# the same, and at none of the slowest.
WATCHED = {door.reaches: door.name for door in reversed(DOORS) if door.share > VERY_SLOW}.values()


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as one:
        yield one


@pytest.fixture(scope="module")
def entered(worker: Worker) -> Callable[[str], Outcome]:
    """What comes of a door's real file, played once."""
    return cache(lambda name: worker.play(name, -1, watch=name in WATCHED))


PLAYED: list[Outcome] = []


@pytest.mark.fault("G1")
@pytest.mark.parametrize("name", BY_NAME)
def test_a_changed_file_gives_a_value_or_a_named_error(
    worker: Worker, entered: Callable[[str], Outcome], name: str
) -> None:
    @settings(
        max_examples=NUMBER[name],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32 - 1))
    def play(seed: int) -> None:
        done = worker.play(name, seed)
        PLAYED.append(done)
        assert done.outcome in GOOD, f'python -m tests.doors --again "{name}:{seed}" : {done}'

    real = entered(name)
    assert real.outcome == "value", f"the real file: {real}"
    play()


@pytest.mark.fault("F76")
def test_enough_was_looked_at() -> None:
    """Of the cases above, where all of them ran."""
    if len({done.door for done in PLAYED}) < len(DOORS):
        pytest.skip("not every door was chosen to run")
    kinds = {kind: sum(done.outcome == kind for done in PLAYED) for kind in OUTCOMES}
    assert len(PLAYED) >= 500
    assert kinds["value"] > 50 and kinds["named error"] > 200, "neither everything nor nothing is refused"
    assert 0 < max(done.megabytes for done in PLAYED) * 1e6 < MOST


# -- the list of doors ---------------------------------------------------------------------------------------

# What opens or parses something, by the name that is called.
OPENERS = {
    "read_csv",
    "read_parquet",
    "read_bytes",
    "read_text",
    "loads",
    "load",
    "load_workbook",
    "PdfReader",
    "ZipFile",
}
OPENERS |= {
    "read_schema",
    "ParquetFile",
    "read_table",
    "reader",
    "DictReader",
    "safe_load",
    "get_single_data",
    "feed",
    "parse",
}
OPENERS |= {"iter_bytes", "fromisoformat", "UniqueKeyLoader", "TextIOWrapper"}
PREFIXES = ("read", "load_", "parse")
# Functions that are no door, and why.
OWN = {
    "analysis.__main__.render": "the PDF that rendering has just written",
    "analysis.__main__.parser": "words of the command line",
    "analysis.checks.check_all": "a check's name; tables come by read_output",
    "analysis.grants.engines.has_fields_too_many": "a file that DuckDB has read; tests/grants",
    "analysis.grants.faults.first_in_csv": "a file that was refused; its message is",
    "analysis.grants.faults.first_in_parquet": "a file that was refused; its message is",
    "analysis.__main__.day": "a word of the command line; argparse names it",
    "analysis.refresh.http._receive": "bytes to a file, which is looked at when it is whole; see tests/refresh",
    "analysis.refresh.client.day": "a word of the command line, refused by name",
    "analysis.refresh.lists.named": "a word of the command line, refused by name",
    "analysis.refresh.rosters.near": "days that were read before; behind `refresh rosters`",
    "analysis.refresh.rosters.make": "days that were read before; behind `refresh rosters`",
    "analysis.refresh.census_checks.moved_labels": "a vintage that was accepted, by the strict reader of CSV; tests/refresh",
    "analysis.refresh.acs.read": "what was laid out; as the stages read it, behind data/raw/acs",
    "analysis.refresh.geography.read": "as the stages read it, behind data/raw/geography",
    "analysis.refresh.lists.read": "as the stages read it, behind data/raw/lists",
    "analysis.refresh.money.read": "as the stages read it, behind origin.yaml",
    "analysis.refresh.rosters.read": "as the stages read it, behind data/raw/rosters",
    "analysis.refresh.votes.read": "as the stages read it, behind data/raw/votes",
    "analysis.refresh.money.sums": "flows that were written a moment before",
    "analysis.grants.stage.vintage_flows": "flows that were written a moment before; the vintage's own files are doors",
    "analysis.grants.engines.read_with_spark": "needs Spark; tests/grants holds it against DuckDB on the same files",
    "analysis.grants.engines.open_remote": "needs Spark; tests/grants",
    "analysis.rendering.convert.to_html": "the package's own theme",
    "analysis.rendering.convert.to_pdf": "a day that was checked when the page was read",
    "analysis.rendering.convert.metadata": "a day that was checked when the page was read",
    "analysis.rendering.cache.key": "bytes that are hashed, not read",
    "analysis.rendering.site.render_site": "bytes that go along with the pages",
    "analysis.rendering.site._delete_old": "a mark is looked for in pages of an earlier run",
    "analysis.rendering.site.reading_order": "no file: the order of a site's pages",
    "analysis.models.multiverse.chunks.load": "arrays without pickles, written by this run under the hash of its inputs",
    "analysis.models.multiverse.chunks.key": "bytes that are hashed, not read",
    "analysis.models.multiverse.stage.curve_tests": "arrays of this run",
    "analysis.rendering.chunks._assigned": "code of a page, whose cells are run anyway",
    "analysis.models.multiverse.stage.main": "arrays of this run",
    "analysis.changes.compare": "panels of another commit by git, which checks every byte",
    "analysis.changes.changed_since_compared": "bytes that are hashed, not read",
    "analysis.wording.day": "a day of a table that read_output has read",
    "analysis.catalogue.as_day": "days that were checked before",
    "analysis.formulas.names_in": "a formula; behind analysis/variables.yaml",
    "analysis.formulas.evaluate": "a formula that names_in has looked through",
    "analysis.downloads.as_text": "CSV that was written a moment before, in memory",
    "analysis.differing.first_difference": "bytes that are compared; what is no table is told by the byte",
    "analysis.lockfile.main": "DVC's own record; tests/test_crash",
    "analysis.lockfile.free": "DVC's own list; tests/test_crash",
    "analysis.differing._table": "as above; tests/test_same_bytes",
    "analysis.differing._of_pdf": "as above; tests/test_same_bytes",
    "analysis.differing._of_types": "as above; tests/test_same_bytes",
    "analysis.manifest.stored": "the manifest; tests/test_same_bytes",
    "analysis.manifest.reads": "no file: what a stage names",
    "analysis.downloads.dta_bytes": "days that were checked before",
    "analysis.explorer.page.data_tables": "a file of the package itables",
    "analysis.explorer.page.document": "the package's own page",
    "analysis.models.rows._endless": "a sample; tests/models/test_models_bad_input",
    "analysis.models.rows._not_held": "a sample that pandas has refused; tests/test_pleasant",
    "analysis.refresh.pages.parse_marked_section": "part of a page that its reader is given; tests/refresh",
    "analysis.sources.plain.read": "by the strict reader of CSV, as every source",
}


def openers() -> dict[str, str]:
    """Every function of the package that opens or parses something, or is called as one that does."""
    found = {}
    for path in sorted((REPOSITORY / "analysis").rglob("*.py")):
        module = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            calls = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
            names = {
                each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in calls
            }
            opened = sorted(names & OPENERS)
            if opened or node.name.startswith(PREFIXES):
                found[f"{module}.{node.name}"] = ", ".join(opened) or "by its name"
    return found


@pytest.fixture(scope="module")
def reached(entered: Callable[[str], Outcome]) -> dict[str, list[str]]:
    """The functions of the package that are called when doors are entered with their real files."""
    found = {name: entered(name) for name in WATCHED}
    return {name: done.called for name, done in found.items() if done.said != ABSENT}


def test_real_files_come_in_and_reach_their_readers(reached: dict[str, list[str]]) -> None:
    assert len(reached) > 50
    for name, called in reached.items():
        assert [each for each in BY_NAME[name].reaches if each not in called] == [], name


@pytest.mark.fault("G1")
def test_every_reader_stands_behind_a_door(reached: dict[str, list[str]]) -> None:
    behind = {each for called in reached.values() for each in called}
    behind |= {each for door in DOORS for each in door.reaches}
    found = openers()
    assert len(found) > 80
    forgotten = {name: why for name, why in found.items() if name not in behind and name not in OWN}
    assert forgotten == {}, "make a door in tests/doors/groups, or say in OWN why it is none"
    assert [name for name in OWN if name not in found] == [], "is no longer there"


# -- the engine ----------------------------------------------------------------------------------------------


def test_doors_have_names_of_their_own_and_every_kind_is_used() -> None:
    assert len(BY_NAME) == len(DOORS) > 80
    assert {door.kind for door in DOORS} == set(KINDS) - {"binary"}


@pytest.mark.parametrize("kind", KINDS)
def test_mutations_change_files_and_follow_from_their_number(kind: str) -> None:
    content = next((door.real() for door in DOORS if door.kind == kind and door.real()), b"a,b\n1,2\n")
    every = [mutated(content, kind, seed) for seed in range(40)]
    assert every[:10] == [mutated(content, kind, seed) for seed in range(10)]
    assert (
        len({changed for changed, _ in every}) > 20
        and len({name for _, names in every for name in names}) > 4
    )


BAD = """
import sys, types
from tests.doors import engine

def door(name, enter):
    return engine.Door(name, "text", lambda: b"x", enter, ())

def hang(given):
    while True:
        pass

def greedy(given):
    return len(bytearray(1_200_000_000))

def wrong(given):
    raise KeyError("x")

doors = (door("hang", hang), door("greedy", greedy), door("wrong", wrong), door("dies", lambda g: engine.os._exit(3)),
               engine.Door("odd", "text", lambda: b"x", lambda g: 1, (), lambda value: "one"))
sys.modules["tests.doors.doors"] = types.SimpleNamespace(DOORS=doors)
engine.SECONDS = 1
engine.serve()
"""


def test_what_should_never_come_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that hangs, takes too much, lets an exception through, ends the process, or gives nonsense."""
    start = Worker.start

    def bad(self: Worker) -> object:
        import subprocess

        real = subprocess.Popen
        monkeypatch.setattr(subprocess, "Popen", lambda command, **how: real([*command[:2], BAD], **how))
        try:
            return start(self)
        finally:
            monkeypatch.setattr(subprocess, "Popen", real)

    monkeypatch.setattr(Worker, "start", bad)
    with Worker() as worker:
        seen = {name: worker.play(name, 1).outcome for name in ("hang", "greedy", "wrong", "odd", "dies")}
    assert seen == {
        "hang": "hang",
        "greedy": "memory",
        "wrong": "other exception",
        "dies": "other exception",
        "odd": "implausible",
    }


@pytest.mark.fault("F76")
def test_the_command_counts_and_fails_where_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "doors.csv"
    assert command.main(["--cases", "6", "--door", "CITATION", "--out", str(out)]) == 0
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["door"] for row in rows] == ["CITATION.cff", "all"] and rows[-1]["cases"] == "6"
    assert rows[0]["group"] == "files written by hand" and rows[0]["first"] == "" < rows[0]["seconds"]
    assert sum(int(rows[-1][kind]) for kind in OUTCOMES) == 6
    monkeypatch.setattr(
        Worker, "play", lambda self, door, seed, whole=False: Outcome(door, seed, "hang", said="x")
    )
    assert command.main(["--cases", "3", "--door", "CITATION"]) == 1
    seen = capsys.readouterr()
    assert "hang: CITATION.cff:" in seen.err and "hang: CITATION.cff:" in seen.out
    assert command.main(["--cases", "0"]) == 1, "no case is no success"

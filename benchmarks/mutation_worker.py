"""The child of `benchmarks.mutants`, in a clone: which test reaches which line, and tests under a mutant.

It imports no module of the project before it forks, so that each mutant is imported afresh, while what all
tests import from outside (three seconds) is imported once.

`python -m benchmarks.mutation_worker reach FILE TESTS` writes {test: {"seconds", "lines": {file: [line]}}}.
`python -m benchmarks.mutation_worker serve` reads one job a line, {"file", "source", "tests", "seconds"}, and
answers each with {"outcome": "killed" | "survived" | "timed out", "by"}: the test that failed, empty where
the process ended without a word.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import resource
import select
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import coverage
import hypothesis
import pytest

OUTSIDE = (
    "numpy", "pandas", "scipy.stats", "scipy.optimize", "scipy.sparse.linalg", "statsmodels.api",
    "linearmodels", "networkx", "pyarrow.parquet", "duckdb", "ibis", "ibis.backends.duckdb", "openpyxl",
    "yaml", "rapidfuzz", "hypothesis.strategies", "hypothesis.extra.numpy", "matplotlib.pyplot",
)  # fmt: skip
LONGEST = 20  # seconds that a test may take under coverage
PASSED = "passed"
REMEMBER = functools.lru_cache
OPTIONS = ["-q", "--disable-warnings", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"]


class Reach:
    """A plugin of pytest: lines by test; those of a fixture or behind a cache count for all that use it."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.contexts = [""]
        self.uses: dict[str, set[str]] = defaultdict(set)
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @contextmanager
    def context(self, name: str) -> Iterator[None]:
        """Lines run meanwhile are counted for `name`."""
        self.contexts.append(name)
        self.coverage.switch_context(name)
        try:
            yield
        finally:
            self.contexts.pop()
            self.coverage.switch_context(self.contexts[-1])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        start = processor()
        with self.context(item.nodeid):
            result = yield
        self.seconds[item.nodeid] = processor() - start
        definitions = item._fixtureinfo.name2fixturedefs.values()
        self.uses[item.nodeid] |= {label(one) for many in definitions for one in many}
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[Any]:
        with self.context(label(fixturedef)):
            return (yield)

    def cached(self, function: Callable) -> Callable:
        """In place of `functools.cache`: the lines are those of a context that every caller uses."""
        kept = REMEMBER(maxsize=None)(function)

        @functools.wraps(kept)
        def call(*args: Any, **named: Any) -> Any:
            name = f"{function.__module__}.{function.__qualname__} {hash((args, tuple(named.items())))}"
            self.uses[self.contexts[-1]].add(name)
            if name in self.uses:
                return kept(*args, **named)
            self.uses[name] = set()
            with self.context(name):
                return kept(*args, **named)

        call.cache_clear = kept.cache_clear
        return call

    def lru_cache(self, maxsize: Any = 128) -> Callable:
        """In place of `functools.lru_cache`; the large ones, of names, remember nothing."""
        if callable(maxsize):
            return self.cached(maxsize)
        return self.cached if maxsize is None or maxsize < 1000 else lambda function: function

    def used(self, context: str, seen: set[str]) -> set[str]:
        """The context and all that it uses."""
        if context not in seen:
            seen.add(context)
            for name in self.uses.get(context, ()):
                self.used(name, seen)
        return seen

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        with limited():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        with limited():
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self.failed.add(report.nodeid)


@contextmanager
def limited() -> Iterator[None]:
    """A test, or what it needs, that takes longer fails, so that it is left out."""
    signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def too_long(*_: object) -> None:
    raise TimeoutError(f"longer than {LONGEST} s")


def processor() -> float:
    """Seconds of the processor that this process and its children have had."""
    return sum(os.times()[:4])


def label(fixture: Any) -> str:
    return f"fixture {fixture.baseid}::{fixture.argname}"


def reach(file: Path, tests: list[str]) -> None:
    """Run the tests and write what each takes and reaches; those that fail or are skipped are left out."""
    measured = coverage.Coverage(data_file=None, source=["analysis"], messages=False)
    plugin = Reach(measured)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functools, "cache", plugin.cached)
        patch.setattr(functools, "lru_cache", plugin.lru_cache)
        measured.start()
        pytest.main([*OPTIONS, *tests], plugins=[plugin])
        measured.stop()
    data = measured.get_data()
    lines: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for path in data.measured_files():
        for line, contexts in data.contexts_by_lineno(path).items():
            for context in contexts:
                lines[context][os.path.relpath(path)].add(line)
    found = {}
    for test in sorted(plugin.seconds.keys() - plugin.failed):
        reached: dict[str, set[int]] = defaultdict(set)
        for context in plugin.used(test, set()):
            for path, numbers in lines.get(context, {}).items():
                reached[path] |= numbers
        found[test] = {
            "seconds": round(plugin.seconds[test], 3),
            "lines": {path: sorted(numbers) for path, numbers in sorted(reached.items())},
        }
    file.write_text(json.dumps(found), encoding="utf-8")


class Chosen:
    """A plugin of pytest that keeps the named tests, in their order, and the name of the one that failed."""

    def __init__(self, tests: list[str]) -> None:
        self.place = {test: place for place, test in enumerate(tests)}
        self.by = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self.place), key=lambda item: self.place[item.nodeid]
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.by = self.by or report.nodeid


def tried(tests: list[str], seconds: int, answer: int) -> None:
    """In the forked child: the tests, until one fails, whose name (or `collecting`) goes to `answer`."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    hypothesis.settings.register_profile("mutants", database=None, derandomize=True, deadline=None)
    hypothesis.settings.load_profile("mutants")
    plugin = Chosen(tests)
    code = pytest.main(
        ["-x", *OPTIONS, *dict.fromkeys(test.split("::")[0] for test in tests)], plugins=[plugin]
    )
    os.write(answer, (plugin.by or ("collecting" if code else PASSED)).encode())
    os._exit(0)


def outcome(tests: list[str], seconds: int) -> dict[str, str]:
    """What the tests say of the clone as it stands."""
    receiving, answer = os.pipe()
    child = os.fork()
    if not child:
        try:
            tried(tests, seconds, answer)
        finally:
            os._exit(1)
    os.close(answer)
    # It is ready when the child has answered or ended; one that only sleeps has no end by itself.
    ready, _, _ = select.select([receiving], [], [], 3 * seconds)
    by = os.read(receiving, 10_000).decode() if ready else ""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(receiving)
    if not ready or (not by and os.WTERMSIG(status) == signal.SIGXCPU):
        return {"outcome": "timed out", "by": ""}
    return {"outcome": "survived", "by": ""} if by == PASSED else {"outcome": "killed", "by": by}


def serve() -> None:
    """Jobs from standard input, one a line."""
    sys.dont_write_bytecode = True
    for line in sys.stdin:
        job = json.loads(line)
        path = Path(job["file"])
        kept = path.read_text(encoding="utf-8")
        # The time in a compiled file is of seconds: a mutant of the same length would be taken for it.
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()
        path.write_text(job["source"], encoding="utf-8")
        try:
            answer = outcome(job["tests"], job["seconds"])
        finally:
            path.write_text(kept, encoding="utf-8")
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    sys.modules["pyspark"] = None  # type: ignore[assignment]  # tests of Spark, of seconds each, are skipped
    for name in OUTSIDE:
        importlib.import_module(name)
    if sys.argv[1] == "reach":
        reach(Path(sys.argv[2]), sys.argv[3:])
    else:
        serve()

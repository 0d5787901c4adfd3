"""Do the tests notice wrong code? A sample of mutants of `jurisdictions`, `grants` and `models`.

A mutant is the code with one operator, number, constant, loop, condition or exception changed, by
cosmic-ray. It is *killed* when a test of its package fails, *survived* when all pass that reach its line,
*not reached* when none does. The score is the share killed, with Wilson's limits; what runs out of time
counts as killed, what is not reached as survived. The sample is drawn evenly over the places that can be
mutated, in the order of modules and lines, with one change a place.

Whatever kills `/` in place of `+` kills most other replacements too and would flatter the score, so `+`
becomes `-` only, `*` becomes `/` and so on. Left out by rule, as the same program: annotations,
`TYPE_CHECKING`, `__main__`, `strict=` of a zip, decorators that only remember or freeze (`cache`,
`dataclass`), the bare `*` of a signature, and changes after which the syntax tree is equal or none.

The tests of a package are those in its folder of `tests`, as far as they pass in a clone within 20 s each
(parity with values that lie beside the repository, and Spark, are skipped). One run of them under coverage
tells which reach which line; a line that runs on import belongs to all that reach its module. Of those that
reach a mutant the quickest run, up to 30 s of the processor, until one fails: a survivor may be one that a
slower test would kill. What only a process that a test starts reaches counts as not reached.

`make mutants` writes `benchmarks/mutation.csv`, a row a package, and `benchmarks/mutation_survivors.csv`,
whose column `verdict` is written by hand and kept: what the survivor means. Mutants are made in temporary
clones of the last commit.
"""

from __future__ import annotations

import ast
import datetime
import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from statsmodels.stats.proportion import proportion_confint

from analysis.provenance import root
from analysis.writing import write_csv
from benchmarks.pipeline import machine

PACKAGES = ("jurisdictions", "grants", "models")
SAMPLE, SEED, WORKERS = 50, 0, 2
BUDGET, GRACE = 30.0, 30.0  # seconds of the processor: tests for a mutant, and what starting them may take
LIKE = {
    "Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Div", "Mod_FloorDiv", "Pow_Mul", "BitOr_BitAnd",
    "BitAnd_BitOr", "BitXor_BitAnd", "LShift_RShift", "RShift_LShift", "MatMul_Mul", "Is_IsNot", "IsNot_Is",
    "USub_UAdd", "Delete_Not", "Delete_Invert",
}  # fmt: skip
ORDERED = {"Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"}
SAME = ("cache", "dataclass", "lru_cache", "cached_property", "overload", "runtime_checkable")
RESULT = ["file", "line", "operator", "before", "after", "outcome"]
FILES = ("benchmarks/mutation.csv", "benchmarks/mutation_survivors.csv")
CHANGE = ["file", "operator", "before", "after"]
KILLED, OUTCOMES = ("killed", "timed out"), ("killed", "timed out", "survived", "not reached")


@dataclass(frozen=True)
class Place:
    """Where code can be changed: its lines, and the changes (operator, its occurrence in the module)."""

    file: str
    line: int
    column: int
    changes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Mutant:
    """A changed module, and the tests that are to notice."""

    file: str
    line: int
    operator: str
    before: str
    after: str
    source: str
    tests: tuple[str, ...]
    seconds: float


def chosen_operators() -> list[str]:
    """cosmic-ray's operators, without those that the first of their kind stands for."""
    found = []
    for name in sorted(operator_names()):
        kind, _, change = name.removeprefix("core/").partition("Operator_")
        ordered = kind == "ReplaceComparison" and set(change.split("_")) <= ORDERED
        if ordered or change in LIKE or (not change and not kind.startswith("Variable")):
            found.append(name)
    return found


def same_by_rule(tree: ast.Module) -> set[tuple[int, int]]:
    """The (line, column) of every token of which a change would be no other program."""
    out: list[ast.AST] = []
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            out += [part for part in [getattr(node, name, None)] if part]
        if isinstance(node, ast.If) and {"TYPE_CHECKING", "__name__"} & {
            part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)
        }:
            out.append(node)
        if isinstance(node, ast.keyword) and node.arg == "strict":
            out.append(node.value)
        for decorator in getattr(node, "decorator_list", []):
            if any(name in ast.unparse(decorator).split("(")[0] for name in SAME):
                out.append(decorator)
    return {
        (line, column)
        for node in out
        for line in range(node.lineno, node.end_lineno + 1)
        for column in range(
            # The sign of a decorator stands before it.
            node.col_offset - 1 if line == node.lineno else 0,
            node.end_col_offset if line == node.end_lineno else 200,
        )
    }


def places(file: str, source: str) -> list[Place]:
    """Every place of a module that can be mutated, in order."""
    out, nodes, same = defaultdict(list), list(ast_nodes(get_ast(source))), same_by_rule(ast.parse(source))
    for name in chosen_operators():
        operator, occurrence = get_operator(name)(), 0
        for node in nodes:
            for start, _ in operator.mutation_positions(node):
                if start not in same:
                    out[start].append((name, occurrence))
                occurrence += 1
    return [Place(file, *start, tuple(changes)) for start, changes in sorted(out.items())]


def statements(source: str) -> dict[int, tuple[set[int], bool]]:
    """For each line of a module the lines that run with it, and whether that is on import.

    They are those of its statement, or of the statement's head where others stand in it; a function's head,
    with its defaults, goes with the body.
    """
    found: dict[int, tuple[set[int], bool]] = {}

    def visit(node: ast.AST, on_import: bool) -> None:
        for child in ast.iter_child_nodes(node):
            function = isinstance(child, ast.FunctionDef)
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                parts = [child, getattr(child, "pattern", None), *getattr(child, "decorator_list", [])]
                first = min(part.lineno for part in parts if hasattr(part, "lineno"))
                body = getattr(child, "body", None)
                last = max(first, body[0].lineno - 1) if body else child.end_lineno
                head = range(first, last + 1)
                together = set(range(last + 1, child.end_lineno + 1)) if function else set(head)
                found.update(dict.fromkeys(head, (together, on_import and not function)))
            visit(child, on_import and not function)

    visit(ast.parse(source), True)
    return found


def drawn(found: list[Place], size: int, rng: random.Random) -> list[Place]:
    """`size` of the places, evenly over their order from a random start; all if there are no more."""
    if size >= len(found):
        return found
    step = len(found) / size
    start = rng.random() * step
    return [found[int(start + number * step)] for number in range(size)]


def changed(place: Place, source: str, rng: random.Random) -> tuple[str, str] | None:
    """(operator, mutated source) by one of its changes; None where each is the same program or none."""
    if source.splitlines()[place.line - 1].startswith("*,", place.column):  # of a signature
        return None
    tree = ast.dump(ast.parse(source))
    for name, occurrence in rng.sample(place.changes, len(place.changes)):
        try:
            mutated = mutate_code(source, get_operator(name)(), occurrence)
            if ast.dump(ast.parse(mutated)) != tree:
                return name.removeprefix("core/"), mutated
        except (SyntaxError, AttributeError):  # the second of cosmic-ray itself, at `except module.Name`
            pass
    return None


def noticing(place: Place, source: str, reach: dict[str, dict]) -> tuple[tuple[str, ...], float]:
    """The quickest tests that reach a place, up to the budget and one at least, and their seconds."""
    wanted, on_import = statements(source).get(place.line, ({place.line}, True))
    found = []
    for test, told in reach.items():
        lines = told["lines"].get(place.file, [])
        if lines if on_import else wanted.intersection(lines):
            found.append((told["seconds"], test))
    total = np.cumsum([seconds for seconds, _ in sorted(found)])
    chosen = sorted(found)[: max(1, int((total <= BUDGET).sum()))]
    return tuple(test for _, test in chosen), sum(seconds for seconds, _ in chosen)


def mutants_of(
    package: str, clone: Path, reach: dict[str, dict], size: int, rng: random.Random
) -> list[Mutant]:
    """The sample of a package."""
    paths = sorted((clone / "analysis" / package).rglob("*.py"))
    sources = {str(path.relative_to(clone)): path.read_text(encoding="utf-8") for path in paths}
    found = [place for file, source in sources.items() for place in places(file, source)]
    out = []
    for place in drawn(found, size, rng):
        source = sources[place.file]
        change = changed(place, source, rng)
        if change:
            old, new = source.splitlines(), change[1].splitlines()
            # What a change of one line looks like: the first that differs, and what stands there now.
            at = next((n for n, (one, two) in enumerate(zip(old, new, strict=False)) if one != two), len(new))
            now = new[at].strip() if at < len(new) and len(new) >= len(old) else ""
            out.append(
                Mutant(
                    place.file,
                    place.line,
                    change[0],
                    old[at].strip(),
                    now,
                    change[1],
                    *noticing(place, source, reach),
                )
            )
    return out


def reached(clone: Path) -> dict[str, dict[str, dict]]:
    """What each test of each package takes and reaches; a process a file of tests."""

    def run(package: str, tests: Path) -> tuple[str, dict[str, dict]]:
        told = clone.parent / f"{package}-{tests.stem}.json"
        command = [sys.executable, "-m", "benchmarks.mutation_worker", "reach", str(told)]
        done = subprocess.run(
            [*command, str(tests.relative_to(clone))],
            cwd=clone,
            env=at(clone),
            capture_output=True,
            text=True,
            check=False,
        )
        if not told.exists():
            sys.exit(f"{tests.name} could not be run:\n{done.stdout}{done.stderr}")
        found = json.loads(told.read_text(encoding="utf-8"))
        print(f"{len(found):4} tests of {tests.name} pass", flush=True)
        return package, found

    found: dict[str, dict[str, dict]] = defaultdict(dict)
    jobs = [
        (package, file)
        for package in PACKAGES
        for file in sorted((clone / "tests" / package).rglob("test_*.py"))
    ]
    with ThreadPoolExecutor(WORKERS) as pool:
        for package, tests in pool.map(run, *zip(*jobs, strict=True)):
            found[package] |= tests
    return found


def at(clone: Path) -> dict[str, str]:
    """The environment of a process in a clone."""
    return os.environ | {"PYTHONPATH": str(clone), "ANALYSIS_ROOT": str(clone), "OMP_NUM_THREADS": "1"}


def outcomes(mutants: list[Mutant], clones: list[Path]) -> Iterator[str]:
    """What became of each mutant, in order; a worker a clone."""
    command = [sys.executable, "-m", "benchmarks.mutation_worker", "serve"]
    free: SimpleQueue[subprocess.Popen] = SimpleQueue()
    for clone in clones:
        free.put(
            subprocess.Popen(
                command, cwd=clone, env=at(clone), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )

    def run(mutant: Mutant) -> str:
        if not mutant.tests:
            return "not reached"
        worker, job = free.get(), {"file": mutant.file, "source": mutant.source, "tests": mutant.tests}
        worker.stdin.write(json.dumps(job | {"seconds": round(GRACE + 3 * mutant.seconds)}) + "\n")
        worker.stdin.flush()
        answer = json.loads(worker.stdout.readline())
        free.put(worker)
        return answer["outcome"]

    with ThreadPoolExecutor(len(clones)) as pool:
        yield from pool.map(run, mutants)
    for _ in clones:
        worker = free.get()
        worker.stdin.close()
        worker.wait()


def cloned(checkout: Path, folder: Path) -> list[Path]:
    """A clone of the last commit for each worker: no mutant comes near the checkout."""
    clones = [folder / f"clone-{number}" for number in range(WORKERS)]
    for clone in clones:
        subprocess.run(["git", "clone", "--quiet", str(checkout), str(clone)], check=True)
    return clones


def scores(tried: pd.DataFrame) -> pd.DataFrame:
    """A row a package: what became of its mutants, the share killed, its 95 % limits."""
    rows = []
    for package in PACKAGES:
        became = tried.loc[tried["package"] == package, "outcome"]
        killed = int(became.isin(KILLED).sum())
        low, high = proportion_confint(killed, len(became), method="wilson")
        counts = {name.replace(" ", "_"): int((became == name).sum()) for name in OUTCOMES}
        rows.append(
            {"package": package, "mutants": len(became)}
            | counts
            | {"score": killed / len(became), "conf_low": low, "conf_high": high}
        )
    return pd.DataFrame(rows).assign(measured_on=datetime.date.today().isoformat(), machine=machine())


def with_verdicts(survivors: pd.DataFrame, file: Path) -> pd.DataFrame:
    """The survivors with what was written of the same changes in the file before."""
    if not file.exists():
        return survivors.assign(verdict="")
    kept = pd.read_csv(file, dtype=str, keep_default_na=False)[[*CHANGE, "verdict"]].drop_duplicates(CHANGE)
    return survivors.merge(kept, on=CHANGE, how="left", validate="many_to_one").fillna({"verdict": ""})


def main(size: int = SAMPLE, seed: int = SEED) -> None:
    """Draw, run, write and print."""
    rows = []
    with TemporaryDirectory(prefix="mutants-") as folder:
        clones = cloned(root(), Path(folder))
        reach = reached(clones[0])
        for package in PACKAGES:
            mutants = mutants_of(package, clones[0], reach[package], size, random.Random(f"{seed} {package}"))
            for mutant, outcome in zip(mutants, outcomes(mutants, clones), strict=True):
                rows.append({"package": package, "outcome": outcome} | vars(mutant))
                print(f"{outcome:12}{mutant.file}:{mutant.line}  {mutant.operator}", flush=True)
    tried = pd.DataFrame(rows)
    survivors = with_verdicts(tried.loc[~tried["outcome"].isin(KILLED), RESULT], root() / FILES[1])
    write_csv(scores(tried), root() / FILES[0])
    write_csv(survivors, root() / FILES[1])
    print(scores(tried).drop(columns=["measured_on", "machine"]).to_string(index=False))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""`make soak`: the same bytes under every condition, runs that are killed, and bad data, in half an hour.

Writes `benchmarks/soak.csv`, one row a condition: how many cases were tried, how many came out as they
should, how many lost something or were silently wrong, and the first difference in words. What the time did
not suffice for is a row that says so. Everything runs in temporary clones of the last commit.
"""

from __future__ import annotations

import argparse
import datetime
import os
import random
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from analysis.differing import differences
from analysis.errors import AnalysisError
from analysis.provenance import read_yaml, root
from analysis.verify import ALTERED, Condition, outputs, run, verify
from analysis.writing import write_csv
from benchmarks.pipeline import machine
from tests import crashes
from tests.conftest import PIPELINE, run_stage
from tests.conftest import outputs as contents

# The user nobody, whose files the kernel still takes for ours, so that the interpreter can be read.
ANOTHER = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
KILLS, BAD_CASES, DOORS, WORKERS = 50, 20_000, 4, 2
# Where sums of many floats are made; the other stages only copy, count and divide.
NUMERIC = [name for name, stage in PIPELINE.items() if "analysis.models." in stage["cmd"]]
# OpenBLAS's names of kernels, with the processor's flag that each needs.
KERNELS = {
    "Prescott": "pni",
    "Nehalem": "sse4_2",
    "Sandybridge": "avx",
    "Haswell": "avx2",
    "SkylakeX": "avx512f",
}
KERNEL = """
import ctypes, glob, os, numpy
(path,) = glob.glob(os.path.join(os.path.dirname(numpy.__file__), "..", "numpy.libs", "libscipy_openblas*"))
name = ctypes.CDLL(path).scipy_openblas_get_corename64_
name.restype = ctypes.c_char_p
print(name().decode())
"""


@dataclass(frozen=True)
class Row:
    """One condition's result.

    Parameters
    ----------
    cases : tried. as_expected : equal bytes, or the clear error that is due. lost : something that was whole
        before was not afterwards. silently_wrong : taken as whole and right, and was not. seconds : a
        piece's, in equal parts for each of its rows.
    """

    part: str
    condition: str
    cases: int
    as_expected: int
    lost: int = 0
    silently_wrong: int = 0
    first: str = ""
    seconds: float = 0.0


def conditions(folder: Path) -> list[Condition]:
    """Three repeats of the whole pipeline, of which each alters every factor in another way; the first takes
    two threads."""
    home = {
        "HOME": str(folder),
        "DVC_SITE_CACHE_DIR": str(folder / "dvc"),
        "MPLCONFIGDIR": str(folder / "mpl"),
    }
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "2")
    return [
        Condition(
            "9.5 hours west, two threads, umask 077, hash seed 0",
            {"TZ": "<-0930>9:30", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"} | threads,
            folder="two threads",
            umask=0o077,
        ),
        replace(ALTERED, name=f"{ALTERED.name}; one thread", umask=0o022),
        Condition(
            "14 hours east, another user, umask 000, hash seed 4294967295, a path in Japanese",
            {"TZ": "<+14>-14", "LC_ALL": "POSIX", "PYTHONHASHSEED": "4294967295"} | home,
            folder="別の利用者",
            umask=0,
            through=ANOTHER,
        ),
    ]


def whole_run(checkout: Path, condition: Condition, folder: Path) -> list[Row]:
    """The pipeline by force in a clone under a condition, beside the commit."""
    told = verify(checkout, folder, condition)
    files = pd.read_csv(checkout / "MANIFEST.csv")["role"].eq("output").sum()
    return [
        Row(
            "the pipeline by force",
            condition.name,
            int(files),
            int(files) - len(told),
            silently_wrong=len(told),
            first=told[0] if told else "",
        )
    ]


def kernels() -> list[str]:
    """Kernels of OpenBLAS that this processor has and this machine's library takes when told."""
    flags = (
        set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text()))
        if Path("/proc/cpuinfo").exists()
        else set()
    )
    here = subprocess.check_output([sys.executable, "-c", KERNEL], text=True).strip()
    found = []
    for name, flag in KERNELS.items():
        taken = subprocess.check_output(
            [sys.executable, "-c", KERNEL], env=os.environ | {"OPENBLAS_CORETYPE": name}, text=True
        ).strip()
        if flag in flags and taken.lower() == name.lower() and taken != here:
            found.append(name)
    return found


def under_kernel(checkout: Path, name: str, folder: Path) -> list[Row]:
    """The stages that solve, under another kernel of the linear algebra, beside the commit's tables."""
    clone, usual = folder / "clone", Condition(name, {"OPENBLAS_CORETYPE": name})
    run(["git", "clone", "--quiet", str(checkout), str(clone)], folder)
    here = {"PYTHONPATH": str(clone), "ANALYSIS_ROOT": str(clone)}
    pipeline = read_yaml(clone / "dvc.yaml")
    made = [path for stage in NUMERIC for path in outputs({"stages": {stage: pipeline["stages"][stage]}})]
    for path in made:
        (clone / path).unlink()
    for stage in NUMERIC:
        command = pipeline["stages"][stage]["cmd"].split()
        run([sys.executable, *command[1:]], clone, usual, **here)
    told = [f"{path}: {said}" for path in made for _, said in differences(checkout / path, clone / path)]
    first = told[0] if told else ""
    return [
        Row("other kernels", name, len(made), len(made) - len(told), silently_wrong=len(told), first=first)
    ]


def kills(count: int, seed: int, folder: Path) -> list[Row]:
    """kill -9 of `dvc repro` at random until `count` hit; each series is run to its end and compared."""
    built = crashes.copy_project(folder / "built")
    for stage in PIPELINE.values():
        done = run_stage(stage["cmd"], built)
        if done.returncode:
            raise AnalysisError(done.stderr)
    whole, draw = contents(built), random.Random(seed)
    hit = wrong = cut = 0
    told, series = [], 0
    while hit < count:
        series += 1
        project = crashes.dvc_project(folder / f"élan {series}")
        for was_running in crashes.killed(project, draw, longest=12.0):
            hit += was_running
            if half := crashes.half_written(project, whole):
                wrong += 1
                told.append(f"{half[0]}: there, and not whole")
            cut += crashes.mend(project)
            if hit >= count or not was_running:
                break
        if (done := crashes.dvc(project, "repro")).returncode:
            told.append(f"the next run failed: {' '.join(done.stderr.split())[-400:]}")
            continue
        after = contents(project)
        told += [f"{path}: differs at the end" for path in whole if after.get(path) != whole[path]]
        told += [f"{path}: left behind" for path in crashes.extra(project)]
    bad = min(len(told), hit)
    wrong = min(wrong, bad)
    first = told[0] if told else "dvc.lock was cut off, and mended" if cut else ""
    return [Row("kill -9 of dvc repro", "random moments", hit, hit - bad, bad - wrong, wrong, first)]


def accidents(folder: Path) -> list[Row]:
    """No room, no right, a file gone, a clock set back, an edit meanwhile: their tests, by name."""
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "tests/test_crash.py", "-k", "not killed_runs"]
    done = subprocess.run(command, cwd=root(), capture_output=True, text=True, check=False)
    found = pd.DataFrame(
        re.findall(r"^(PASSED|FAILED|ERROR) \S+::test_(\w+)", done.stdout, re.M), columns=["outcome", "name"]
    )
    if found.empty:
        raise AnalysisError(f"no test of accidents ran:\n{done.stdout[-500:]}")
    return [
        Row("accidents", name.replace("_", " "), len(group), int(good), lost=int(len(group) - good))
        for name, group in found.groupby("name")
        for good in [(group["outcome"] == "PASSED").sum()]
    ]


def doors(cases: int, seed: int, folder: Path) -> list[Row]:
    """Mutated real files at every reader."""
    out = folder / "doors.csv"
    command = [
        sys.executable,
        "-m",
        "tests.doors",
        "--cases",
        str(cases),
        "--seed",
        str(seed),
        "--out",
        str(out),
    ]
    done = subprocess.run(command, cwd=root(), capture_output=True, text=True, check=False)
    if not out.exists():
        raise AnalysisError(done.stderr[-500:])
    table = pd.read_csv(out, keep_default_na=False)
    table["good"] = table["value"] + table["named error"]
    rows = []
    for group, some in table[table["door"] != "all"].groupby("group", sort=False):
        tried, good, most = int(some["cases"].sum()), int(some["good"].sum()), some["megabytes"].max()
        first = next((f"{said}; " for said in some["first"] if said), "")
        told = f"{first}{most:4.0f} MB of memory at the most"
        rows.append(Row("bad data", group, tried, good, silently_wrong=tried - good, first=told))
    return rows


def timed(part: str, work: Callable[[Path], list[Row]], deadline: float) -> list[Row]:
    """The rows of one piece of work in a folder of its own, or a row that says why there are none."""
    begin = time.monotonic()
    if begin > deadline:
        return [Row(part, "not tried: the time was up", 0, 0)]
    with TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        try:
            rows = work(Path(folder))
        except Exception as error:  # whatever ended it is a row
            traceback.print_exc()
            lines = str(error).strip().splitlines()
            rows = [Row(part, "failed", 1, 0, lost=1, first=lines[-1] if lines else "")]
    spent = (time.monotonic() - begin) / len(rows)
    print(
        f"{part}: {time.monotonic() - begin:.0f} s, {sum(row.cases - row.as_expected for row in rows)} wrong"
    )
    return [replace(row, seconds=round(spent, 1)) for row in rows]


def soak(checkout: Path, minutes: float, only: str) -> Iterable[Row]:
    """Every piece of work, the longest first, in a fixed order of rows: the run on two threads by itself, the
    others on two workers."""
    deadline = time.monotonic() + 60 * minutes
    with TemporaryDirectory(prefix="soak-home-") as home:
        Path(home).chmod(0o777)
        both, *others = conditions(Path(home))
        work = [
            (each.name, lambda folder, each=each: whole_run(checkout, each, folder))
            for each in (both, *others)
        ]
        work += [
            ("kills", lambda folder, seed=seed: kills(KILLS // WORKERS, seed, folder))
            for seed in range(WORKERS)
        ]
        work += [
            ("kernel " + name, lambda folder, name=name: under_kernel(checkout, name, folder))
            for name in kernels()
        ]
        work += [("accidents", accidents)]
        work += [("doors", lambda folder, k=k: doors(BAD_CASES // DOORS, k, folder)) for k in range(DOORS)]
        work = [(part, piece) for part, piece in work if only in part]
        # threads of the linear algebra that wait do so busily: beside another worker they take twice the time
        if work and work[0][0] == both.name:
            yield from timed(*work.pop(0), deadline)
        with ThreadPoolExecutor(WORKERS) as pool:
            for rows in pool.map(lambda piece: timed(*piece, deadline), work):
                yield from rows


def together(table: pd.DataFrame) -> pd.DataFrame:
    """One row a condition, of which several workers took their share.

    Its words are those of the share where most went wrong, so that what went well elsewhere hides none.
    """
    key = ["part", "condition"]
    sums = table.groupby(key, sort=False)[["cases", "as_expected", "lost", "silently_wrong", "seconds"]].sum()
    wrong = table.assign(wrong=table["cases"] - table["as_expected"]).sort_values(["wrong", "first"])
    return sums.join(wrong.groupby(key)["first"].last()).reset_index()


def before(path: Path, table: pd.DataFrame, only: str) -> pd.DataFrame:
    """The rows of an earlier run that a run of some pieces leaves as they are."""
    rows, key = pd.read_csv(path, keep_default_na=False), ["part", "condition"]
    again = rows.set_index(key).index.isin(table.set_index(key).index)
    untried = (rows["cases"] == 0) & rows["part"].str.contains(only, regex=False)
    return rows[~(again | untried)]


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument(
        "--minutes", type=float, default=29, help="no piece is begun after so many; the last are short"
    )
    given.add_argument("--only", default="", help="the pieces whose name holds this; the other rows stay")
    arguments = given.parse_args()
    checkout = root()
    table = pd.DataFrame(soak(checkout, arguments.minutes, arguments.only))
    table = together(table)
    table["measured_on"] = datetime.date.today().isoformat()
    table["machine"] = machine()
    path = checkout / "benchmarks" / "soak.csv"
    kept = before(path, table, arguments.only) if arguments.only and path.exists() else None
    write_csv(pd.concat([kept, table]), path)
    print(table.drop(columns=["measured_on", "machine"]).to_string(index=False, max_colwidth=70))
    wrong = int(table["cases"].sum() - table["as_expected"].sum())
    print(f"{table['cases'].sum()} cases, {wrong} not as expected.")
    return int(wrong > 0 or bool((table["cases"] == 0).any()))


if __name__ == "__main__":
    sys.exit(main())

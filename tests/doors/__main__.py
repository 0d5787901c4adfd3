"""`python -m tests.doors`: changed files at every door, and a table of what came of them.

    python -m tests.doors --cases 20000 --seed 1 --workers 2 --minutes 30 --out doors.csv
    python -m tests.doors --again "refresh votes:17"      one case, with what was done to the file

The exit code is 1 where anything but a value or a named error came. A case in 25 is of a whole real file.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from random import Random
from threading import Lock

from tests.doors.doors import DOORS, GROUPS
from tests.doors.engine import GOOD, OUTCOMES, Outcome, Worker

COLUMNS = ("group", "door", "cases", *OUTCOMES, "megabytes", "seconds", "first")
WHOLE = 25


def planned(cases: int, seed: int, only: str) -> Iterator[tuple[str, int, bool]]:
    """Doors in turn by their shares, each case with a number of its own."""
    draw = Random(seed)
    doors = [door for door in DOORS if only in door.name]
    turns = draw.choices([door.name for door in doors], [door.share for door in doors], k=cases)
    # Every door is entered, however few cases there are.
    for name in islice((*[door.name for door in doors], *turns), cases):
        number = draw.randrange(2**32)
        yield name, number, number % WHOLE == 0


def played(cases: Iterator[tuple[str, int, bool]], workers: int, minutes: float, tell: bool) -> list[Outcome]:
    """The outcomes of the cases, as many as the time allows."""
    end, lock, found = time.monotonic() + 60 * minutes, Lock(), []

    def work(_: int) -> None:
        with Worker() as worker:
            while time.monotonic() < end:
                with lock:
                    case = next(cases, None)
                if case is None:
                    return
                done = worker.play(case[0], case[1], whole=case[2])
                with lock:
                    found.append(done)
                    if done.outcome not in GOOD:
                        print(told(done), file=sys.stderr, flush=True)
                    if tell and len(found) % 500 == 0:
                        print(f"{len(found):,} cases", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    return found


def told(done: Outcome) -> str:
    """A case in words, with what `--again` asks for."""
    again = f"{done.door}:{done.seed}{' --whole' if done.whole else ''}"
    return f"{done.outcome}: {again} {done.mutations} {done.error} {done.said}"


def counted(outcomes: list[Outcome]) -> list[dict[str, object]]:
    """One row a door and one for all: outcomes, the most megabytes, seconds of the processor, the first bad case."""
    rows = []
    for group, name in [
        *((group, door.name) for group, doors in GROUPS.items() for door in doors),
        ("", "all"),
    ]:
        some = [done for done in outcomes if name in (done.door, "all")]
        if not some and group:
            continue
        kinds = Counter(done.outcome for done in some)
        rows.append(
            {"group": group, "door": name, "cases": len(some)}
            | {kind: kinds[kind] for kind in OUTCOMES}
            | {"megabytes": max((done.megabytes for done in some), default=0.0)}
            | {"seconds": round(sum(done.seconds for done in some), 2)}
            | {"first": next((told(done) for done in some if done.outcome not in GOOD), "")}
        )
    return rows


def main(words: list[str] | None = None) -> int:
    one = argparse.ArgumentParser(prog="python -m tests.doors", description=__doc__.splitlines()[0])
    one.add_argument("--cases", type=int, default=500, help="how many (500)")
    one.add_argument("--seed", type=int, default=1, help="of their choice (1)")
    one.add_argument("--workers", type=int, default=1, help="processes (1)")
    one.add_argument("--minutes", type=float, default=1e9, help="no case is begun after so many")
    one.add_argument("--door", default="", metavar="WORDS", help="the doors whose name holds these")
    one.add_argument("--out", type=Path, help="the table as CSV")
    one.add_argument("--again", metavar="DOOR:SEED", help="play this one case")
    one.add_argument("--whole", action="store_true", help="with --again: of the whole real file")
    asked = one.parse_args(words)
    if asked.again:
        name, _, seed = asked.again.rpartition(":")
        with Worker() as worker:
            print(worker.play(name, int(seed), whole=asked.whole))
        return 0
    cases = planned(asked.cases, asked.seed, asked.door)
    rows = counted(played(cases, asked.workers, asked.minutes, tell=True))
    for stream in [sys.stdout, *([asked.out.open("w", encoding="utf-8", newline="")] if asked.out else [])]:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        stream.flush()
    everything = rows[-1]
    return int(not everything["cases"] or any(everything[kind] for kind in OUTCOMES if kind not in GOOD))


if __name__ == "__main__":
    sys.exit(main())

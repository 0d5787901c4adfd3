"""Time and memory of the ledger: every list and roster once, three and ten times, in processes of their own.

`make bench` writes `benchmarks/ledger.csv`. Repeated rows get a number in their name, so that each is judged
anew: only then does the time per row show whether it is linear in rows.
"""

from __future__ import annotations

import datetime
import json
import resource
import subprocess
import sys
import time

import pandas as pd

from analysis.jurisdictions import match
from analysis.jurisdictions.gazetteer import gazetteer
from analysis.provenance import root
from analysis.sources import lists, rosters
from analysis.writing import write_csv
from benchmarks.pipeline import machine

TIMES = (1, 3, 10)
MOST_SECONDS = 5.0  # all lists and rosters once, with the gazetteer
MOST_GROWTH = 1.5  # time per row at the largest size, against the smallest


def repeated(frame: pd.DataFrame, column: str, times: int) -> pd.DataFrame:
    """The rows `times` over; from the second on a suffix of blanks and dots makes each text a new one."""
    parts = [frame.assign(**{column: frame[column] + " " + "." * at}) for at in range(times)]
    return pd.concat(parts, ignore_index=True)


def measure(times: int) -> dict[str, float]:
    """Seconds for the gazetteer and for the rows, rows, and the process's peak of memory in MB."""
    entries = repeated(lists.read_all(), "text_as_published", times)
    rows = repeated(rosters.read_all(), "agency_as_published", times)
    start = time.perf_counter()
    gazetteer()
    built = time.perf_counter()
    judged = len(match(entries)) + len(match(rows))
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "rows": judged,
        "gazetteer_seconds": built - start,
        "match_seconds": done - built,
        "megabytes": peak * (1 if sys.platform == "darwin" else 1024) / 1e6,
    }


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
        return
    found = []
    for times in TIMES:
        command = [sys.executable, "-m", "benchmarks.ledger", str(times)]
        done = subprocess.run(command, cwd=root(), capture_output=True, text=True, check=True)
        found.append({"times": times} | json.loads(done.stdout))
    table = pd.DataFrame(found).round(2)
    table["microseconds_a_row"] = (1e6 * table["match_seconds"] / table["rows"]).round(1)
    table["measured_on"], table["machine"] = datetime.date.today().isoformat(), machine()
    write_csv(table, root() / "benchmarks" / "ledger.csv")
    print(table.drop(columns=["machine", "measured_on"]).to_string(index=False))
    seconds = table.loc[0, "gazetteer_seconds"] + table.loc[0, "match_seconds"]
    growth = table["microseconds_a_row"].iloc[-1] / table["microseconds_a_row"].iloc[0]
    print(f"once: {seconds:.1f} s (at most {MOST_SECONDS}); time per row at {TIMES[-1]} times: {growth:.2f}")
    if seconds > MOST_SECONDS or growth > MOST_GROWTH:
        sys.exit(f"over the bounds: {MOST_SECONDS} s, growth {MOST_GROWTH}")


if __name__ == "__main__":
    main()

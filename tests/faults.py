"""`python -m tests.faults` writes `tests/FAULTS.md`: which faults that data and pipelines have shown which tests hold.

A test that holds a fault bears `@pytest.mark.fault("F34", ...)`. Cases are counted as pytest collects them.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("FAULTS.md")
# In our words. F1 to F87 are faults that others met, of which not every number is taken; G1 and on ours.
FAULTS = {
    "F1": "a publisher asks for patience (429)",
    "F3": "a page about a bad key comes with status 200",
    "F4": "a redirect to a page about a missing key",
    "F5": "a key in an address, a log, an error or a file",
    "F6": "a variable or table that is not there, answered without a word",
    "F7": "an answer without content taken for no rows",
    "F9": "a firewall that refuses programs",
    "F10": "a publisher is gone or shut down",
    "F11": "a download fails or breaks off for hours",
    "F12": "more rows than pages can reach",
    "F13": "status 200 around an error",
    "F15": "an archive that was cut off, used again",
    "F16": "a member of an archive that leaves its folder",
    "F17": "a missing page counted as no rows",
    "F19": "a filter that is passed over in silence",
    "F20": "a default limit that cuts the answer",
    "F21": "a date range that is clipped with only a message",
    "F23": "new award types that are grants",
    "F24": "a line or table that means another thing a year later",
    "F25": "names of fields that change with the year",
    "F26": "a column that was renamed or is absent",
    "F27": "addresses, formats and names of files that move",
    "F28": "a harmless new name that looks like a deletion",
    "F29": "true growth or loss that a gate stops",
    "F30": "annotation codes as numbers, such as -666666666",
    "F31": "signs in a column of numbers, such as *****",
    "F33": "annotation codes that are added up or averaged",
    "F34": "answers in parts whose rows do not line up",
    "F35": "margins of sums with zeros, without a root, without end",
    "F37": "negative obligations, and loans by their face value",
    "F38": "dollars as floating point or in scientific notation",
    "F39": "Connecticut's planning regions and its old counties",
    "F41": "zeros lost in front of codes, and codes with points",
    "F42": "retired county codes",
    "F43": "a city and a county of one name",
    "F44": "one county name in many states",
    "F45": "a near name of another kind of unit",
    "F46": "apostrophes of several shapes",
    "F47": "blanks, case, Saint and St., Fort and Ft.",
    "F48": "misspelt names, towns given as counties, counties that do not exist",
    "F50": "errors of the federal list itself",
    "F51": "one government on a list twice, counted twice",
    "F52": "towns, statistical places and subdivisions that do not govern",
    "F53": "entries that drop out because they are no county",
    "F54": "rows without a county, lost in a sum",
    "F55": "counties that are not mapped, missing from a total",
    "F56": "money that passes through a state's capital",
    "F57": "votes by district or ward joined as counties",
    "F58": "codes that no county has",
    "F59": "a sheet that loses rows for a day",
    "F61": "a new label read as a departure",
    "F62": "impossible dates",
    "F63": "spreadsheet serials and their two epochs",
    "F65": "misspelt names of models",
    "F66": "a row that is printed twice",
    "F67": "links to elsewhere, wrapped links, words in place of links",
    "F68": "a sheet that is months old",
    "F69": "headers in other rows and over several lines",
    "F70": "a file of another type than its name says",
    "F72": "a page that is gone and says so with status 200",
    "F73": "a list that was withdrawn",
    "F74": "an input that is missing becomes empty cells",
    "F76": "a test that looks at nothing",
    "F77": "two runs that write the same files",
    "F78": "a run that was killed",
    "F79": "an input that changes while a stage runs",
    "F80": "pictures and pages that differ in every run",
    "F81": "a conversion that hides missing values",
    "F82": "perfect separation without an error",
    "F83": "packages that drift",
    "F84": "prose that disagrees with its table",
    "F85": "sources that are made up or dead",
    "F86": "figures that should not be believed, published as others",
    "F87": "a page that needs something from elsewhere",
    "G1": "a changed file that ends in an exception, a hang or all the memory",
    "G2": "text of a file that a page or a spreadsheet runs",
    "G3": "archives, workbooks, PDF and YAML made to exhaust a machine",
    "G4": "code that comes in with data",
}


class Collected:
    """A plugin of pytest that keeps what was collected."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.items = items


def counted(items: Iterable[pytest.Item]) -> dict[str, dict[str, int]]:
    """Cases by fault and file."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for item in items:
        for fault in {name for mark in item.iter_markers("fault") for name in mark.args}:
            found[fault][item.nodeid.split("::")[0]] += 1
    return found


def table(found: dict[str, dict[str, int]]) -> str:
    """The page."""
    lines = [
        "# Faults, and the tests that hold them",
        "",
        "Written by `make faults` from the marks of the tests (`@pytest.mark.fault`); a case is one that pytest",
        "collects, and a test that holds several faults counts for each of them with all its cases. F: met by others",
        "who worked with such data; G: ours. What stands in no row was not thought of.",
        "",
        "| | Fault | Cases | In |",
        "|---|---|---:|---|",
    ]
    for fault, said in FAULTS.items():
        where = ", ".join(f"`{name.removeprefix('tests/')}`" for name in sorted(found.get(fault, {})))
        cases = sum(found.get(fault, {}).values())
        lines.append(f"| {fault} | {said} | {cases} | {where or 'no test'} |")
    held = [fault for fault in FAULTS if found.get(fault)]
    lines += ["", f"{len(held)} of {len(FAULTS)} faults are held by a test."]
    return "\n".join(lines) + "\n"


def main() -> int:
    plugin, said = Collected(), io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"], plugins=[plugin])
    if code:
        print(said.getvalue())
        return int(code)
    FILE.write_text(table(counted(plugin.items)), encoding="utf-8")
    print(f"{FILE.name}: {len(plugin.items):,} tests collected")
    return 0


if __name__ == "__main__":
    sys.exit(main())

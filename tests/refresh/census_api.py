"""The Census Bureau's API as far as the client asks it: figures that add up, made from each unit's residents.

`units` gives every level's units and residents; `real` figures, by column and GEOID, stand in place of made
ones. `twist` changes what a test wants to be wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from analysis.refresh.census_cells import TABLES
from tests.refresh.publisher import Reply, Seen

KEY = "0123456789abcdef0123456789abcdef01234567"
BASE = "https://api.census.gov/data/{}/acs/acs5"
COLUMNS = {
    "state": ("state",),
    "county": ("state", "county"),
    "place": ("state", "place"),
    "county subdivision": ("state", "county", "county subdivision"),
}
WIDTHS = {"state": 2, "county": 3, "place": 5, "county subdivision": 5}
PREFIX = {
    "state": "0400000US",
    "county": "0500000US",
    "place": "1600000US",
    "county subdivision": "0600000US",
}
MEDIANS = {"B01002": "39.2", "B19013": "61234", "B19083": "0.4512"}
Rows = list[list[str | None]]


def json_reply(content: object) -> Reply:
    return Reply(json.dumps(content).encode(), headers={"Content-Type": "application/json;charset=utf-8"})


MISSING_KEY = Reply(
    b"", 302, {"Location": "https://api.census.gov/data/missing_key.html", "X-DataWebAPI-KeyError": "1"}
)
INVALID_KEY = Reply(
    b"<html><head><title>Invalid Key</title></head><body><p>A valid <em>key</em> must be included with each data"
    b" API request. You included a key with this request, however, it is not valid.</p></body></html>",
    headers={"Content-Type": "text/html"},
)


def variables() -> dict[str, dict[str, str]]:
    """What variables.json says of the cells that are always asked for."""
    return {
        f"{table}_{line}E": {
            "label": f"Estimate!!{label.replace('*', 'Speak Spanish')}:",
            "concept": title,
            "group": table,
            "attributes": f"{table}_{line}EA,{table}_{line}M,{table}_{line}MA",
        }
        for table, (title, lines) in TABLES.items()
        for line, label in lines.items()
    }


@dataclass
class CensusApi:
    """Answers of one vintage; `asked` has what was wanted, a pair (for, in) a request for figures."""

    year: int
    units: Mapping[str, Mapping[str, int]]
    real: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    twist: Callable[[Seen, Rows], Rows | Reply] = lambda seen, rows: rows
    known: dict[str, dict[str, str]] = field(default_factory=variables)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answers(self) -> dict[str, Callable[[Seen], Reply]]:
        base = BASE.format(self.year)
        return {f"{base}/variables.json": self.labels, base: self.figures}

    def labels(self, seen: Seen) -> Reply:
        return self.keyed(seen) or json_reply({"variables": self.known})

    def keyed(self, seen: Seen) -> Reply | None:
        key = seen.query.get("key", [""])[0]
        return None if key == KEY else (INVALID_KEY if key else MISSING_KEY)

    def figures(self, seen: Seen) -> Reply:
        refused = self.keyed(seen)
        if refused:
            return refused
        fields = seen.query["get"][0].split(",")
        assert len(fields) <= 50, "the API refuses more than 50 variables"
        level = seen.query["for"][0].removesuffix(":*")
        within = seen.query.get("in", [""])[0]
        self.asked.append((level, within))
        state = within.split()[0].removeprefix("state:") if within else "*"
        rows: Rows = [[*fields, *COLUMNS[level]]]
        for code, residents in self.units[level].items():
            if state in ("*", code[:2]):
                rows.append([self.cell(name, level, code, residents) for name in fields] + parts(level, code))
        answer = self.twist(seen, rows)
        return answer if isinstance(answer, Reply) else json_reply(answer)

    def cell(self, name: str, level: str, code: str, residents: int) -> str:
        if name == "GEO_ID":
            return PREFIX[level] + code
        if name == "NAME":
            return self.names.get(code, f"Unit {code}")
        if code in self.real.get(name, {}):
            return self.real[name][code]
        table, line = name[:-1].split("_")
        if name.endswith("M"):
            return "-555555555" if table == "B01003" and level in ("state", "county") else "7"
        if table in MEDIANS:
            return MEDIANS[table]
        if table == "B09001":  # the residents under 18
            return str(residents // 4)
        return str(residents if line == "001" else residents // (3 + int(line)))


def parts(level: str, code: str) -> list[str]:
    out, place = [], 0
    for column in COLUMNS[level]:
        out.append(code[place : place + WIDTHS[column]])
        place += WIDTHS[column]
    return out


def units_of(counties: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Counties and their residents, with their states, two subdivisions each and a place in each."""
    out: dict[str, dict[str, int]] = {level: {} for level in COLUMNS}
    for number, (code, residents) in enumerate(sorted(counties.items())):
        out["county"][code] = residents
        out["state"][code[:2]] = out["state"].get(code[:2], 0) + residents
        out["county subdivision"] |= {
            f"{code}00100": residents // 3,
            f"{code}00200": residents - residents // 3,
        }
        out["place"][f"{code[:2]}{10_000 + number:05d}"] = residents // 2
    return out

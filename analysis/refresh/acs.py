"""The American Community Survey's 5-year estimates, every cell that the catalogue needs, with its margin.

Addresses, parameters and years are those of the package `census`. Its requests go the way of all others here
(`http`), and what comes is read by `census_replies`: the package makes numbers of annotation codes and puts
the parts of a table together by the order of their rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pandas as pd
from census.core import ACS5Client, ACS5DpClient, ACS5StClient

from analysis.provenance import read_origin, read_param, vintages
from analysis.refresh import census_cells
from analysis.refresh.answers import decoded
from analysis.refresh.census_doubts import moved_labels, repeated, wrong_counties, wrong_sums
from analysis.refresh.census_replies import (
    AGAIN,
    LEVELS,
    Chunk,
    Level,
    annotated,
    capture,
    chunks,
    joined,
    read_labels,
    read_reply,
    variables_capture,
)
from analysis.refresh.client import GOVERNMENT_WORK, Compared, Made, Wanted, newest, size_gates
from analysis.refresh.faults import FetchError, QuarantineError, UsageError
from analysis.refresh.http import Web
from analysis.refresh.once import once
from analysis.refresh.parts import MEGABYTE
from analysis.refresh.saved_replies import ASK, name_as_fetched
from analysis.sources import acs
from analysis.sources.geography import read_counties

FOLDER = "acs"
HOSTS = ("api.census.gov",)
KEY = "CENSUS_API_KEY"
ALONE = True
FORM = "the five years of an estimate, such as 2020-2024"
COMPARED = {f"{level.name}.csv": Compared(("GEOID",), ignore=("vintage",)) for level in LEVELS}
SIGN_UP = (
    "get a key, which is free and comes by mail, at https://api.census.gov/data/key_signup.html, and run"
    f" `{KEY}=... python -m analysis refresh acs`."
)
FIRST = 2015  # the last of the five years; earlier ones have no B16005 and C16002 as these are
CLIENTS = {"acs5": ACS5Client, "acs5/subject": ACS5StClient, "acs5/profile": ACS5DpClient}


@dataclass(frozen=True)
class Nothing:
    """A reply without rows for the package, which puts rows together by their order."""

    content: object
    status_code: int = 200

    def json(self) -> object:
        return self.content


@dataclass(frozen=True)
class Saving:
    """The package's session: one request, by the way of all others, into the file `name`."""

    web: Web
    name: str

    def get(self, url: str, params: Mapping[str, str]) -> Nothing:
        shown = {key: text for key, text in params.items() if key != "key"}
        whole = f"{url}?{urlencode(shown, safe=',:*')}" if shown else url
        path = once(self.web, whole, self.name, most=60 * MEGABYTE, params={"key": params["key"]})
        decoded(path, AGAIN)
        return Nothing([[]] if "get" in params else {"variables": {}})


def client(dataset: str, year: int, web: Web, name: str, wanted: Wanted) -> ACS5Client:
    """The package's client of a dataset in a year, whose one reply is saved as `name`.

    The package knows the years up to its own release, asks for the type of every column, a request each, and
    gives the addresses as they are since 2005 to some of its requests only.
    """

    class OneYear(CLIENTS[dataset]):
        years = (year,)

        def _field_type(self, field: str, year: int) -> type:
            return str

    source = OneYear(wanted.key, year, Saving(web, name), retries=1)
    source._switch_endpoints(year)
    return source


def fetch(web: Web, wanted: Wanted) -> None:
    """The list of variables first, so that nothing is asked for that is not there; then level by level."""
    if not wanted.key:
        raise UsageError("missing key", f"{KEY} is not set; every request needs it.", remedy=SIGN_UP)
    if wanted.url:
        raise UsageError("one address", "the survey has no other address.", remedy="leave out --url.")
    parts = chunks(census_cells.cells())
    year = fetch_variables(web, wanted, parts)
    check_labels(web.folder, year, parts)
    plan = list(requests(parts))
    web.say(f"{len(plan)} requests for figures of {year - 4}-{year}")
    for number, (level, state, chunk) in enumerate(plan, 1):
        name = capture(level, state, chunk)
        web.say(f"{name}: {100 * number // len(plan)} %")
        source = client(chunk.dataset, year, web, name, wanted)
        source.query(list(chunk.fields()), level.asked(state), year)


def requests(parts: list[Chunk]) -> Iterator[tuple[Level, str, Chunk]]:
    """Every request for figures, in order: level, state ("" where all come at once), cells."""
    for level in LEVELS:
        for state in states() if level.by_state else [""]:
            for chunk in parts:
                yield level, state, chunk


def states() -> list[str]:
    """The states' codes that have counties in the gazetteer."""
    return sorted({code[:2] for code in read_counties(read_param("vintages")["geography"]).index})


def fetch_variables(web: Web, wanted: Wanted, parts: list[Chunk]) -> int:
    """The lists of variables of the year wanted, or of the newest there is; the year.

    The package leaves open which year is the newest: an estimate comes out up to two years later.
    """
    last = int(wanted.today[:4]) - 1
    years = [last_year(wanted.vintage)] if wanted.vintage else [last, last - 1]
    for year in years:
        try:
            for dataset in sorted({chunk.dataset for chunk in parts}):
                client(dataset, year, web, variables_capture(year, dataset), wanted).fields(year=year)
            return year
        except FetchError as error:
            if error.fault != "not found" or year == years[-1]:
                raise
    raise AssertionError


def last_year(vintage: str) -> int:
    """The last of a vintage's five years.

    Raises
    ------
    UsageError : it names none.
    """
    found = re.fullmatch(r"(\d{4})-(\d{4})(-\w+)?", vintage)
    if not found or int(found[2]) != int(found[1]) + 4 or int(found[2]) < FIRST:
        raise UsageError("no vintage", f"{vintage!r} names no five years.", remedy=f"give {FORM}.")
    return int(found[2])


def check_labels(fetched: Path, year: int, parts: list[Chunk]) -> pd.DataFrame:
    """The labels of every cell asked for; see `census_replies.read_labels`."""
    return pd.concat(
        [read_labels(fetched / variables_capture(year, chunk.dataset), chunk.cells) for chunk in parts],
        ignore_index=True,
    )


def make(fetched: Path, wanted: Wanted) -> Made:
    """One table a level, the annotations of all, and the labels."""
    parts = chunks(census_cells.cells())
    if wanted.by_hand:
        known = last_year(wanted.vintage) if wanted.vintage else None
        name_as_fetched(fetched, wanted.by_hand, parts, known)
    year = fetched_year(fetched, wanted)
    period = f"{year - 4}-{year}"
    vintage = wanted.vintage or period
    if vintage == period and vintage in vintages(FOLDER) and is_compiled(vintage):
        vintage = f"{period}-api"
    before = newest(FOLDER, vintage)
    labels = check_labels(fetched, year, parts)
    files, rows, notes, left_out = {}, {}, [], 0
    residents: dict[str, pd.Series] = {}
    gates = list(moved_labels(labels, before))
    for level in LEVELS:
        table, noted, outside = read_level(fetched, level, parts)
        left_out += outside
        residents[level.name] = pd.to_numeric(table["B01003_001E"])
        notes.append(noted.assign(level=level.name))
        name = f"{level.name}.csv"
        files[name], rows[name] = to_csv(in_columns(table, vintage)), len(table)
        gates += size_gates(len(table), rows_before(before, name), f"rows of {name}", least=0.97, most=1.03)
    annotations = pd.concat(notes, ignore_index=True)[["level", "geoid", "column", "code", "reason"]]
    for name, table in (("annotations.csv", annotations), ("variables.csv", labels)):
        files[name], rows[name] = to_csv(table), len(table)
    counted = annotations["reason"].value_counts()
    return Made(
        vintage,
        {
            "publisher": "US Census Bureau",
            "title": f"American Community Survey 5-year estimates, {period}",
            "url": f"https://api.census.gov/data/{year}/acs/acs5",
            "as_of": f"{year}-12-31",
            "licence": GOVERNMENT_WORK,
            "note": "Replies of the Census API put together by GEO_ID; estimates end in E, 90 % margins in M,"
            " as published. Where an annotation code stood, the cell is empty (0 for the margin of a"
            " controlled estimate) and annotations.csv gives code and reason. Columns PCT_*, SVI_LIMENG_*,"
            " C16002_LIMITED_*, B15003_022_025* and B01002_001E_ROUNDED are computed from these cells."
            " The 50 states and DC."
            + (
                " Hispanic residents of Connecticut's regions repeat its old counties': read as missing."
                * (year == 2022)
            ),
        },
        files,
        rows,
        before,
        (
            *gates,
            *wrong_counties(residents["county"], year),
            *wrong_sums(residents),
            *repeated(residents["county"], before, period),
        ),
        (
            *([f"  {left_out:,} units outside the 50 states and DC are left out"] if left_out else []),
            *(f"  {count:,} cells: {reason}" for reason, count in counted.items()),
            *(f"  {name} of the catalogue is not in this vintage" for name in census_cells.not_made()),
            f"  used where analysis/variables.yaml names acs/{vintage} as a source",
        ),
    )


def fetched_year(fetched: Path, wanted: Wanted) -> int:
    """The last year of what was fetched, by the list of variables that came with it.

    Raises
    ------
    QuarantineError : "reply missing".
    """
    found = sorted(fetched.glob("variables-*-acs5.json"))
    years = [int(path.name.split("-")[1]) for path in found]
    if wanted.vintage:
        years = [year for year in years if year == last_year(wanted.vintage)]
    if not years:
        raise QuarantineError(
            "reply missing",
            "no list of variables of the year wanted.",
            where=fetched.name,
            remedy=f"fetch it without --from, or {ASK}",
        )
    return years[-1]


def is_compiled(vintage: str) -> bool:
    return read_origin(FOLDER, vintage)["obtained"] == "compiled"


def read_level(fetched: Path, level: Level, parts: list[Chunk]) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """A level's table (text, index GEOID, NAME, published columns, then computed ones), its annotations, and
    how many units outside the states were left out.

    Raises
    ------
    QuarantineError : see `census_replies`; "missing states", "impossible value".
    """
    wanted = states()
    found = [read_part(fetched, level, state, parts) for state in (wanted if level.by_state else [""])]
    table = pd.concat([part for part, _ in found]).sort_index()
    notes = pd.concat([part for _, part in found], ignore_index=True)
    inside = table.index.str[:2].isin(wanted)
    missing = sorted(set(wanted) - set(table.index.str[:2]))
    if missing:
        raise QuarantineError(
            "missing states", f"no {level.name} of {', '.join(missing)}.", where=f"{level.name}-*.json"
        )
    notes = notes[notes["geoid"].str[:2].isin(wanted)].sort_values(["geoid", "column"])
    table = table[inside]
    figures = table.drop(columns="NAME")
    values = figures.where(figures != "").astype("float64")
    check_values(values, level.name)
    computed = census_cells.composed(values).map(lambda value: "" if pd.isna(value) else f"{value:.10g}")
    return pd.concat([table, computed], axis=1), notes, int((~inside).sum())


def read_part(
    fetched: Path, level: Level, state: str, parts: list[Chunk]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The units that came with one round of requests: NAME and published columns, and the annotations."""
    names = [capture(level, state, chunk) for chunk in parts]
    table = joined(
        [
            (name, read_reply(fetched / name, level, chunk.fields(), state))
            for name, chunk in zip(names, parts, strict=True)
        ]
    )
    table.index = table.index.str.removeprefix(level.prefix).rename("GEOID")
    titles = table.pop("NAME")
    figures, notes = annotated(table, names[0])
    return pd.concat([titles, figures], axis=1).astype("str"), notes


def check_values(values: pd.DataFrame, where: str) -> None:
    """No margin and none of our estimates is negative, and no part is larger than its table's total.

    Raises
    ------
    QuarantineError : "impossible value".
    """
    ours = [name for name in values if name.partition("_")[0] in census_cells.TABLES or name.endswith("M")]
    wrong = values[ours] < 0
    for table in set(census_cells.TABLES) - set(census_cells.MEDIANS):
        names = [name for name in ours if name.startswith(f"{table}_") and name.endswith("E")]
        if f"{table}_001E" in names:
            wrong[names] |= values[names].gt(values[f"{table}_001E"], axis=0)
    if wrong.to_numpy().any():
        row, column = np.argwhere(wrong.to_numpy())[0]
        raise QuarantineError(
            "impossible value",
            f"{ours[column]} of {values.index[row]} is {values[ours[column]].iloc[row]:g}, negative or above"
            " the total.",
            where=where,
            remedy="the columns may have been mixed up: look at the capture.",
        )


def rows_before(before: str | None, name: str) -> int:
    """The rows of a table in the vintage before; 0 where it is not there, or holds a part of the units."""
    if not before or is_compiled(before):
        return 0
    return read_origin(FOLDER, before)["files"].get(name, {}).get("rows", 0)


def in_columns(table: pd.DataFrame, vintage: str) -> pd.DataFrame:
    """GEOID, NAME, vintage, then the figures: the form that `analysis.sources.acs` reads."""
    frame = table.reset_index()
    frame.insert(2, "vintage", vintage)
    return frame


def to_csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\n").encode()


def read(vintage: str) -> object:
    """Every level that the stages read."""
    return [acs.read(vintage, level) for level in acs.CODE_WIDTH]

"""Grant transactions of a fiscal year from USAspending, held against what its interface adds up.

A file is asked for and made while one waits (`fy2024`), or taken from the monthly archive (`archive-fy2024`),
of all agencies or of one (`fy2024-015`). It is kept as published; the stage `flows` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.grants.flows import GRANTS
from analysis.grants.run import write_flows
from analysis.grants.stage import TOTALS
from analysis.provenance import read_origin, read_param, vintages
from analysis.refresh import archives, jobs, usaspending
from analysis.refresh.client import GOVERNMENT_WORK, Compared, Made, Wanted, one_file
from analysis.refresh.faults import QuarantineError, UsageError
from analysis.refresh.http import Web
from analysis.refresh.once import once
from analysis.refresh.states import clear, desk, fetched_from
from analysis.refresh.usaspending import API, LATER, Asked, Totals
from analysis.sources.states import ABBREVIATION, STATES

FOLDER = "usaspending"
HOSTS = usaspending.HOSTS
FORM = "a fiscal year, such as fy2024, archive-fy2024, or of one agency by its code, fy2024-015"
COMPARED = {TOTALS: Compared(("scope", "by", "name"))}
FILE = "transactions.zip"
FIRST = 2008  # the interface adds up nothing earlier
MOST, MOST_UNPACKED = 20 * archives.GIGABYTE, 100 * archives.GIGABYTE
TOLERANCE = Decimal("0.01")  # agencies correct their figures every day
VINTAGE = re.compile(r"(archive-)?fy(\d{4})(?:-(\d{3}))?(?:-(\d{4}-\d{2}-\d{2})(-\w+)?)?")


@dataclass(frozen=True)
class Part:
    """What a vintage's name asks for: where from, which fiscal year, which agency ("" for all), which day,
    and how another of that day is told apart."""

    archive: bool
    year: int
    agency: str
    day: str = ""
    again: str = ""

    def named(self, day: str) -> str:
        return f"{self.stem}-{self.day or day}{self.again}"

    @property
    def stem(self) -> str:
        agency = f"-{self.agency}" if self.agency else ""
        return f"{'archive-' if self.archive else ''}fy{self.year}{agency}"


def part_of(wanted: Wanted) -> Part:
    """The part asked for; else the last fiscal year that ended before the day that main models must precede.

    Raises
    ------
    UsageError : "no vintage".
    """
    if not wanted.vintage:
        cut = str(read_param("as_of_before")["main"])
        return Part(False, int(cut[:4]) - (cut[5:] <= "09-30"), "")
    found = VINTAGE.fullmatch(wanted.vintage)
    if not found or int(found[2]) < FIRST or f"{int(found[2]) - 1}-10-01" > wanted.today:
        raise UsageError(
            "no vintage", f"{wanted.vintage!r} names no fiscal year from {FIRST}.", remedy=f"give {FORM}."
        )
    return Part(bool(found[1]), int(found[2]), *(text or "" for text in found.groups()[2:]))


def fetch(web: Web, wanted: Wanted) -> None:
    """The totals first, which take seconds; then the file."""
    part = part_of(wanted)
    number, name = agency(web, part)
    asked = Asked(part.year, usaspending.grant_types(web), name)
    usaspending.fetch_totals(web, asked)
    if wanted.url:
        web.save(wanted.url, FILE, kind="zip", most=MOST, also_later=LATER)
    elif part.archive:
        url = jobs.archived(web, asked, number, part.agency)
        web.save(url, FILE, kind="zip", most=MOST, also_later=LATER)
    else:
        jobs.fetch_job(web, asked, FILE, MOST)


def agency(web: Web, part: Part) -> tuple[int | str, str | None]:
    """The publisher's number and name of an agency; "all" and None without one.

    Raises
    ------
    UsageError : "no agency".
    """
    if not part.agency:
        return "all", None
    path = once(web, f"{API}references/toptier_agencies/", "toptier_agencies.json", also_later=LATER)
    known = usaspending.agencies(path)
    if part.agency not in known:
        raise UsageError(
            "no agency",
            f"{part.agency!r} is no agency's code.",
            remedy=f"use one of {', '.join(sorted(known))}.",
        )
    return known[part.agency]


def make(fetched: Path, wanted: Wanted) -> Made:
    """The file as it came, when the flows understand every row of it and its sums are the publisher's."""
    file, part = one_file(fetched, wanted, FILE), part_of(wanted)
    archives.members(file, most=MOST_UNPACKED)
    if (fetched / "status.json").is_file():
        jobs.check_size(file, fetched / "status.json")
    found = sums(file)
    check_year(found, part, file)
    name = agency_name(fetched, part)
    if name and found.agencies != {name}:
        raise QuarantineError(
            "wrong agency",
            f"{name} was asked for, {', '.join(sorted(found.agencies))} came.",
            where=file.name,
        )
    totals = None if wanted.by_hand else usaspending.read_totals(fetched)
    if totals and (fetched / "status.json").is_file():
        check_rows(found, fetched / "status.json", file)
    url = fetched_from(fetched, file.name)
    day = stamp(url) if part.archive else ""
    vintage = part.named(day or wanted.today)
    ended = f"{part.year}-09-30"
    cut = str(read_param("as_of_before")["main"])
    return Made(
        vintage,
        {
            "publisher": "USAspending.gov (US Department of the Treasury)",
            "title": f"Assistance transactions of fiscal year {part.year}, {name or 'all agencies'}",
            "url": url or "https://www.usaspending.gov",
            "as_of": min(ended, wanted.today),
            "licence": GOVERNMENT_WORK,
            "note": "As published, from the archive of all assistance."
            if part.archive
            else f"As published, award types {', '.join(GRANTS)}. Signed obligations of each action; loans by"
            " their subsidy are not among them.",
            **({"covers": {name or "all": [part.year]}} if ended < wanted.today else {}),
            **({"control": control(found, totals)} if totals else {}),
        },
        {FILE: file, TOTALS: found.totals.to_csv(index=False, lineterminator="\n").encode()},
        {TOTALS: len(found.totals)},
        before(part, vintage),
        tuple(doubts(found, totals)) if totals else (),
        (*told(found, totals), *late(part, cut)),
    )


def before(part: Part, vintage: str) -> str | None:
    """The accepted vintage of the same part: this one, else the last before it, else the first after."""
    there = [name for name in vintages(FOLDER) if (found := VINTAGE.fullmatch(name)) and found[4]]
    there = [name for name in there if re.match(rf"{part.stem}-\d{{4}}-\d\d-\d\d", name)]
    earlier = [name for name in there if name <= vintage]
    return earlier[-1] if earlier else (there[0] if there else None)


@dataclass(frozen=True)
class Sums:
    """What a file holds of grants.

    Parameters
    ----------
    transactions, obligations, years, agencies : their number, US dollars, fiscal years and agencies.
    totals : `scope`, `by` (all, agency, state), `name`, `transactions`, `obligations_usd`, sorted; what has
        no state stands under its bucket, such as `multi_state`.
    """

    transactions: int
    obligations: Decimal
    years: frozenset[int]
    agencies: frozenset[str]
    totals: pd.DataFrame

    def states(self, scope: str) -> set[str]:
        """The postal abbreviations of the states with grants."""
        rows = self.totals[(self.totals["scope"] == scope) & (self.totals["by"] == "state")]
        return set(rows["name"]) & set(STATES)


def sums(file: Path) -> Sums:
    """The sums of a file, by the stage's own reading of it.

    Raises
    ------
    QuarantineError : "no rows".
    DataError : the stage would refuse the file.
    """
    folder = desk("money") / "sums"
    clear(folder)  # a killed run leaves it
    folder.mkdir(parents=True)
    done = write_flows([file], folder / "flows.parquet")
    flows = pq.read_table(folder / "flows.parquet")
    clear(folder)
    if not done["transactions"]:
        raise QuarantineError("no rows", "no grant is in the file; no rows is no success.", where=file.name)
    totals = totals_of(flows)
    flows = flows.filter(pc.field("scope") == "recipient")
    return Sums(
        done["transactions"],
        pc.sum(flows["obligations_usd"]).as_py(),
        frozenset(flows["fiscal_year"].unique().to_pylist()),
        frozenset(flows["awarding_agency"].unique().to_pylist()),
        totals,
    )


def totals_of(flows: pa.Table) -> pd.DataFrame:
    """The flows by scope, agency and state, as `Sums.totals`."""
    code = pc.replace_substring_regex(flows["county_geoid"], r"^(?:retired_|ct_legacy_)", "")
    states = [ABBREVIATION.get(text[:2], text) if text[:1].isdigit() else text for text in code.to_pylist()]
    named = {
        "all": pa.repeat("", len(flows)),
        "agency": flows["awarding_agency"],
        "state": pa.array(states, pa.string()),
    }
    parts = []
    for by, names in named.items():
        table = flows.select(["scope", "transactions", "obligations_usd"]).append_column("name", names)
        sums = table.group_by(["scope", "name"]).aggregate(
            [("transactions", "sum"), ("obligations_usd", "sum")]
        )
        columns = {name: sums[name].to_pylist() for name in sums.column_names}
        parts.append(pd.DataFrame(columns).assign(by=by))
    out = pd.concat(parts).rename(
        columns={"transactions_sum": "transactions", "obligations_usd_sum": "obligations_usd"}
    )
    out = out[["scope", "by", "name", "transactions", "obligations_usd"]]
    return out.sort_values(["scope", "by", "name"], ignore_index=True)


def check_year(found: Sums, part: Part, file: Path) -> None:
    """Every transaction is of the fiscal year.

    Raises
    ------
    QuarantineError : "wrong year".
    """
    if found.years != {part.year}:
        raise QuarantineError(
            "wrong year",
            f"{part.year} was asked for, {', '.join(map(str, sorted(found.years)))} came.",
            where=file.name,
            remedy="name the vintage after its fiscal year.",
        )


def check_rows(found: Sums, status: Path, file: Path) -> None:
    """The file holds as many rows as its job said, all of them grants.

    Raises
    ------
    QuarantineError : "rows missing".
    """
    told = usaspending.counted(usaspending.answer(status), "total_rows", status)
    if told is not None and told != found.transactions:
        raise QuarantineError(
            "rows missing",
            f"{found.transactions:,} grants are in the file, {told:,} rows were told.",
            where=file.name,
            remedy=usaspending.AGAIN,
        )


def agency_name(fetched: Path, part: Part) -> str | None:
    path = fetched / "toptier_agencies.json"
    if not part.agency or not path.is_file():
        return None
    return usaspending.agencies(path)[part.agency][1]


def stamp(url: str) -> str:
    """The day of an archive's file, as its name says; "" without one."""
    found = re.search(r"_(\d{4})(\d{2})(\d{2})\.zip$", url)
    return "-".join(found.groups()) if found else ""


def control(found: Sums, totals: Totals) -> dict[str, object]:
    """What the file and the interface add up to, for `origin.yaml`: US dollars as text, to the cent."""
    return {
        "file": {"transactions": found.transactions, "obligations_usd": str(found.obligations)},
        "interface": {
            "transactions": totals.transactions,
            "agencies_usd": str(totals.agencies),
            **{
                scope: {
                    "states_usd": str(each.states),
                    "counties_usd": str(each.counties),
                    "without_county_usd": str(each.residual),
                    "blank_row_usd": str(each.unmapped),
                    "county_rows": each.rows,
                }
                for scope, each in totals.scopes.items()
            },
        },
    }


def doubts(found: Sums, totals: Totals) -> Iterator[str]:
    """A sentence where the file and the interface do not add up to the same, within one percent."""
    if abs(found.transactions - totals.transactions) > TOLERANCE * totals.transactions:
        yield f"{found.transactions:,} grants in the file, {totals.transactions:,} by the interface."
    if abs(found.obligations - totals.agencies) > TOLERANCE * abs(totals.agencies):
        yield f"the file sums to ${found.obligations:,}, the interface's agencies to ${totals.agencies:,}."
    for scope, each in totals.scopes.items():
        if each.counties - each.states > TOLERANCE * abs(each.states):
            yield f"by {scope} the counties have ${each.counties:,}, more than the states' ${each.states:,}."
        if lacking := sorted(found.states(scope) - each.codes):
            yield f"by {scope} the interface has no sum of {', '.join(lacking)}, where the file has grants."
        if each.states - totals.agencies > TOLERANCE * abs(totals.agencies):
            yield f"by {scope} the states have ${each.states:,}, more than all ${totals.agencies:,}."


def told(found: Sums, totals: Totals | None) -> Iterator[str]:
    """The sums, what the county layer loses, and what the interface says."""
    yield f"  {found.transactions:,} grants, ${found.obligations:,}"
    if totals is None:
        yield "  given by hand: not held against the interface's totals"
        return
    for scope, each in totals.scopes.items():
        yield (
            f"  by {scope}: states ${each.states:,}, counties ${each.counties:,}; ${each.residual:,} have no"
            f" county there, ${each.unmapped:,} of it in the row without a code"
        )
        if absent := sorted(set(STATES) - each.codes):
            yield f"  by {scope} {len(absent)} of 51 states have no grant: {', '.join(absent)}"
    yield from (f"  the interface says: {message}" for message in totals.messages)


def late(part: Part, cut: str) -> Iterator[str]:
    if f"{part.year}-09-30" >= cut:
        yield f"  only actions before {cut} reach the panel"


def read(vintage: str) -> object:
    """The origin; `make` has read the file as the stage will."""
    return read_origin(FOLDER, vintage)

"""Presidential votes by county: the compilation of press counts, a file an election."""

from __future__ import annotations

import calendar
import re
from pathlib import Path

import pandas as pd

from analysis.provenance import raw_file, read_param, vintages
from analysis.refresh import sniffing
from analysis.refresh.client import Compared, Made, Wanted, one_file, size_gates
from analysis.refresh.faults import QuarantineError, UsageError
from analysis.refresh.http import Web
from analysis.refresh.parts import MEGABYTE
from analysis.refresh.states import fetched_from
from analysis.sources import votes
from analysis.sources.geography import read_counties
from analysis.sources.reading import check_codes, check_columns, check_key, numbers, parse
from analysis.sources.states import ABBREVIATION, STATES

FOLDER = "votes"
HOSTS = ("raw.githubusercontent.com",)
REPOSITORY = "https://github.com/tonmcg/US_County_Level_Election_Results_08-24"
ADDRESS = (
    "https://raw.githubusercontent.com/tonmcg/US_County_Level_Election_Results_08-24/master/"
    "{}_US_County_Level_Presidential_Results.csv"
)
FORM = "the year of a presidential election from 2020, such as 2024, or of its counts as corrected 2024-b"
COMPARED = {"county_votes.csv": Compared(("GEOID", "geo_type"), ignore=("year",))}
PUBLISHED = ("state_name", "county_fips", "county_name", "votes_gop", "votes_dem", "total_votes")
COLUMNS = ("GEOID", "year", "votes_dem", "votes_gop", "votes_total", "geo_type", "NAME", "STATE_NAME")
COUNTS = ["votes_dem", "votes_gop", "votes_total"]
DISTRICT = re.compile(r"(?:State House )?District (\d+)")
WARD = re.compile(r"Ward (\d+)")
# The parts of a state that has no counties, or none in the counts: column geo_type, prefix of the code.
PARTS = {"AK": (DISTRICT, "ak_house_district", "AKHD"), "DC": (WARD, "dc_ward", "DCW")}
FIRST = 2020
NAME = re.compile(r"([0-9]{4})(?:-\w+)?")
KALAWAO = "15005"  # its votes are counted with Maui's


def fetch(web: Web, wanted: Wanted) -> None:
    """The file of one election."""
    web.save(wanted.url or ADDRESS.format(year_of(wanted)), "votes.csv", kind="csv", most=20 * MEGABYTE)


def year_of(wanted: Wanted) -> str:
    """The election asked for, else the last one before today.

    Raises
    ------
    UsageError : no presidential election from 2020.
    """
    if not wanted.vintage:
        year = int(wanted.today[:4])
        last = year - year % 4
        return str(last if election_day(last) < wanted.today else last - 4)
    found = NAME.fullmatch(wanted.vintage)
    if not found or int(found[1]) % 4 or int(found[1]) < FIRST:
        raise UsageError("no vintage", f"{wanted.vintage!r} names no election.", remedy=f"give {FORM}.")
    return found[1]


def election_day(year: int) -> str:
    """The Tuesday after the first Monday of November."""
    first_monday = next(day for day in range(1, 8) if calendar.weekday(year, 11, day) == 0)
    return f"{year}-11-{first_monday + 1:02d}"


def make(fetched: Path, wanted: Wanted) -> Made:
    """The counts with codes that are unique, and the totals of states that are counted in parts."""
    file, year = one_file(fetched, wanted, "votes.csv"), year_of(wanted)
    sniffing.check(file, "csv", file.name)
    rows = coded(parse(file.read_bytes(), file.name), file.name)
    table = with_totals(rows).assign(year=year)[list(COLUMNS)].sort_values("GEOID", kind="stable")
    vintage = wanted.vintage or year
    before = compared_with(vintage)
    counted = raw_file(FOLDER, before, "county_votes.csv").entry["rows"] if before else 0
    return Made(
        vintage,
        {
            "publisher": "State and county election offices, compiled by Tony McGovern and contributors",
            "title": f"Presidential votes by county, {year}",
            "url": REPOSITORY,
            "as_of": election_day(int(year)),
            "licence": "MIT (compilation); vote counts are facts",
            "note": "Press counts. Alaska by House district and in total, not by borough; wards of the"
            " District of Columbia beside their sum. The compilation lies beside it as published"
            f"{f', from {address}' if (address := fetched_from(fetched, file.name)) else ''}.",
        },
        {"county_votes.csv": table.to_csv(index=False, lineterminator="\n").encode(), "published.csv": file},
        {"county_votes.csv": len(table)},
        before,
        (
            *doubts(table, year),
            *repeated(table, before, year),
            *size_gates(len(table), counted, "rows", most=1.02),
        ),
        (f"  used where analysis/variables.yaml names votes/{vintage} as a source",),
    )


def read(vintage: str) -> object:
    return votes.read(vintage, "state")


def compared_with(vintage: str) -> str | None:
    """The vintage itself where it is accepted, else the last one before."""
    there = [name for name in vintages(FOLDER) if name <= vintage]
    return there[-1] if there else None


def repeated(table: pd.DataFrame, before: str | None, year: str) -> tuple[str, ...]:
    """A sentence where every county has the counts of another election."""
    if before is None or before.startswith(year):
        return ()
    old = votes.read(before)
    new = table.drop_duplicates("GEOID").set_index("GEOID")[COUNTS].reindex(old.index)
    if not (new.dropna() == old.loc[new.dropna().index]).all(axis=None) or new.isna().all(axis=None):
        return ()
    return (f"every count is that of {before}: the file may be of that election.",)


def coded(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    """The published rows in our columns; parts of a state get codes that no county has.

    Raises
    ------
    DataError : a column is missing, a code has lost its zeros or repeats, a count is no figure.
    QuarantineError : "unknown state", "impossible count".
    """
    check_columns(frame.columns, PUBLISHED, file)
    check_codes(frame["county_fips"], 5, file)
    check_key(frame, ["county_fips"], file)
    numbers(frame, ["votes_gop", "votes_dem", "total_votes"], file)
    names = {name: abbreviation for abbreviation, (_, name) in STATES.items()}
    unknown = frame.index[~frame["state_name"].isin(names)]
    if len(unknown):
        name = frame.loc[unknown[0], "state_name"]
        raise QuarantineError("unknown state", f"{name!r} in line {unknown[0]} is no state.", where=file)
    rows = []
    for line, row in frame.iterrows():
        state = names[row["state_name"]]
        pattern, kind, prefix = PARTS.get(state, (None, "", ""))
        part = pattern.fullmatch(row["county_name"]) if pattern else None
        code = f"{prefix}{int(part[1]):02d}" if part else row["county_fips"]
        counts = [whole(row[column], line, file) for column in ("votes_dem", "votes_gop", "total_votes")]
        if min(counts) < 0 or counts[0] + counts[1] > counts[2]:
            raise QuarantineError(
                "impossible count",
                f"line {line}: {counts[0]:,} and {counts[1]:,} of {counts[2]:,} votes.",
                where=file,
            )
        rows.append(
            (code, *counts, kind if part else county_kind(code), row["county_name"], row["state_name"])
        )
    return pd.DataFrame(rows, columns=["GEOID", *COUNTS, "geo_type", "NAME", "STATE_NAME"])


def whole(text: str, line: int, file: str) -> int:
    """A count of votes, which may be printed as `123.0`."""
    value = float(text) if text else -1.0
    if not value.is_integer():
        raise QuarantineError("impossible count", f"line {line}: {text!r} votes.", where=file)
    return int(value)


def county_kind(code: str) -> str:
    """Connecticut's planning regions and old counties are told apart."""
    if code.startswith("09"):
        return "ct_planning_region" if code >= "09110" else "ct_legacy_county"
    return "county"


def with_totals(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, with the sum of the parts of a state that is counted in parts alone."""
    totals = []
    for state, code, name in (
        ("ak_house_district", "02", "Alaska (sum of {} house districts)"),
        ("dc_ward", "11001", "District of Columbia (sum of {} wards)"),
    ):
        parts = rows[rows["geo_type"] == state]
        if len(parts) and code not in set(rows["GEOID"]):
            kind = "ak_state_total" if code == "02" else "county"
            sums = parts[COUNTS].sum().tolist()
            totals.append((code, *sums, kind, name.format(len(parts)), parts["STATE_NAME"].iloc[0]))
    return pd.concat([rows, pd.DataFrame(totals, columns=rows.columns)], ignore_index=True)


def doubts(table: pd.DataFrame, year: str) -> tuple[str, ...]:
    """States and counties that are missing, and codes that no county has."""
    said = []
    missing = sorted({name for _, name in STATES.values()} - set(table["STATE_NAME"]))
    if missing:
        said.append(f"no row of {', '.join(missing)}.")
    units = read_counties(read_param("vintages")["geography"])
    known = set(units.index)
    current = known - set(units.index[units["GEOGRAPHY"] == "legacy"]) - {KALAWAO}
    # Alaska's are counted by district, Connecticut's once by its old counties.
    other = ("02",) if year > "2020" else ("02", "09")
    lacking = sorted(code for code in current - set(table["GEOID"]) if not code.startswith(other))
    if lacking:
        said.append(f"{len(lacking)} counties have no row: {', '.join(lacking[:5])}.")
    counties = table[table["geo_type"].isin(["county", "ct_planning_region", "ct_legacy_county"])]
    ghosts = sorted(set(counties["GEOID"]) - known)
    if ghosts:
        names = ", ".join(f"{code} ({ABBREVIATION.get(code[:2], 'no state')})" for code in ghosts[:5])
        said.append(f"{len(ghosts)} codes are no county's: {names}.")
    return tuple(said)

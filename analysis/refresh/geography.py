"""Census geography: a year's Gazetteer over what was compiled for the vintage before.

The Census Bureau publishes counties and county subdivisions with areas and internal points once a year.
The rest of a vintage (places and their shares, neighbours, classes, rural-urban codes) has no yearly file of
its own; it is carried over for the same units. A year with other counties is refused, with their
names: what was compiled does not fit it, and a reader must compile it anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from analysis.provenance import raw_file, read_origin, vintages
from analysis.refresh import archives
from analysis.refresh.client import GOVERNMENT_WORK, Compared, Made, Wanted
from analysis.refresh.faults import QuarantineError, UsageError
from analysis.refresh.http import Web
from analysis.refresh.parts import MEGABYTE
from analysis.sources import geography
from analysis.sources.reading import check_codes, check_columns, check_key, numbers, parse

FOLDER = "geography"
HOSTS = ("www2.census.gov",)
ADDRESS = "https://www2.census.gov/geo/docs/maps-data/data/gazetteer/{0}_Gazetteer/{0}_Gaz_{1}_national.zip"
PAGE = "https://www.census.gov/geographies/reference-files/time-series/geo/gazetteer-files.html"
FORM = "the year of the Gazetteer, such as 2025, or as corrected 2025-b"
NAME = re.compile(r"20[0-9]{2}(?:-\w+)?")
COMPARED = {
    "county_geography.csv": Compared(("GEOID", "GEOGRAPHY"), ignore=("SOURCE",)),
    "county_subdivisions.csv": Compared(("GEOID",)),
}
CARRIED = ("county_adjacency.csv", "place_county.csv")
KINDS = ("counties", "cousubs")
REQUIRED = ("USPS", "GEOID", "NAME", "ALAND", "AWATER", "INTPTLAT", "INTPTLONG")
WIDTH = {"counties": 5, "cousubs": 10}
MOST_UNPACKED = 60 * MEGABYTE


def fetch(web: Web, wanted: Wanted) -> None:
    """The year's Gazetteer of counties and of county subdivisions."""
    if wanted.url:
        raise UsageError(
            "two files",
            "a geography has two files, and --url names one.",
            remedy="download them; use --from.",
        )
    for kind in KINDS:
        web.save(ADDRESS.format(year_of(wanted), kind), f"{kind}.zip", kind="zip", most=20 * MEGABYTE)


def year_of(wanted: Wanted) -> str:
    """The year asked for, else the year before today's, whose Gazetteer is out.

    Raises
    ------
    UsageError : no year.
    """
    if wanted.vintage and not NAME.fullmatch(wanted.vintage):
        raise UsageError("no vintage", f"{wanted.vintage!r} is no year.", remedy=f"give {FORM}.")
    return wanted.vintage[:4] if wanted.vintage else str(int(wanted.today[:4]) - 1)


def make(fetched: Path, wanted: Wanted) -> Made:
    """The tables of the vintage before with the year's names, areas and points."""
    files = captures(fetched, wanted)
    year = year_in(files, wanted)
    vintage = wanted.vintage or year
    before = [name for name in vintages(FOLDER) if name != vintage and name <= vintage]
    if not before:
        raise UsageError(
            "no vintage before", f"none before {year} to carry over.", remedy="ask for a later year."
        )
    old = {name: raw_file(FOLDER, before[-1], name) for name in (*COMPARED, *CARRIED)}
    counties = parse(old["county_geography.csv"].content, "county_geography.csv")
    counties, _ = over(counties, gazetteer(files["counties"], "counties"), f"gazetteer {year}")
    subdivisions = parse(old["county_subdivisions.csv"].content, "county_subdivisions.csv")
    subdivisions, left = over(subdivisions, gazetteer(files["cousubs"], "cousubs"), None)
    tables = {"county_geography.csv": counties, "county_subdivisions.csv": subdivisions}
    carried = {name: old[name] for name in CARRIED}
    return Made(
        vintage,
        {
            "publisher": "US Census Bureau; US Department of Agriculture (rural-urban codes)",
            "title": f"Gazetteer {year} of counties and county subdivisions; the rest as in {before[-1]}",
            "url": PAGE,
            "as_of": f"{year}-01-01",
            "licence": GOVERNMENT_WORK,
            "note": f"Names of counties, areas and internal points of the {year} Gazetteer, which lies"
            f" beside it; every other column, {', '.join(CARRIED)} as in {before[-1]}, whose note says:"
            f" {read_origin(FOLDER, before[-1])['note']}",
        },
        {name: table.to_csv(index=False, lineterminator="\n").encode() for name, table in tables.items()}
        | {name: recorded.content for name, recorded in carried.items()}
        | {f"{year}_Gaz_{kind}_national.zip": path for kind, path in files.items()},
        {name: len(table) for name, table in tables.items()}
        | {name: recorded.entry["rows"] for name, recorded in carried.items()},
        vintage if vintage in vintages(FOLDER) else before[-1],
        (f"{len(left)} subdivisions are gone and keep their figures: {', '.join(left[:5])}.",)
        if left
        else (),
        (f'  used once params.yaml names it: vintages, geography: "{vintage}"',),
    )


def read(vintage: str) -> object:
    return [geography.read(vintage), geography.read_subdivisions(vintage), geography.read_places(vintage)]


def captures(fetched: Path, wanted: Wanted) -> dict[str, Path]:
    """The archives by what they hold, by hand or fetched.

    Raises
    ------
    UsageError : the two that are needed were not given; it says what to download.
    """
    if not wanted.by_hand:
        return {kind: fetched / f"{kind}.zip" for kind in KINDS}
    found = {kind: [name for name in wanted.by_hand if f"_Gaz_{kind}_" in name] for kind in KINDS}
    if any(len(names) != 1 for names in found.values()) or len(wanted.by_hand) != len(KINDS):
        year = wanted.vintage or "YEAR"
        names = " and ".join(ADDRESS.format(year, kind) for kind in KINDS)
        raise UsageError("two files", f"a geography is made of {names}.", remedy="give both with --from.")
    return {kind: fetched / names[0] for kind, names in found.items()}


def year_in(files: dict[str, Path], wanted: Wanted) -> str:
    """The year that every archive's member is named for.

    Raises
    ------
    QuarantineError : "another year": they differ, or another was asked for.
    """
    names = {kind: archives.members(path, most=MOST_UNPACKED)[0].filename for kind, path in files.items()}
    years = {re.match(r"(20\d\d)_Gaz_", name.rpartition("/")[2]) for name in names.values()}
    found = {year[1] if year else "no year" for year in years}
    asked = {year_of(wanted)} if wanted.vintage or not wanted.by_hand else set()
    if len(found) > 1 or "no year" in found or (asked and found != asked):
        raise QuarantineError(
            "another year",
            f"the archives hold {' and '.join(sorted(names.values()))}.",
            remedy="fetch one year.",
        )
    return found.pop()


def gazetteer(path: Path, kind: str) -> pd.DataFrame:
    """One Gazetteer file, text, by code: tabs until 2024, bars from 2025; Puerto Rico is left out.

    Raises
    ------
    QuarantineError : the archive is damaged, holds other than one file, is not text.
    DataError : a column is missing, a code has lost its zero or repeats, a figure is none.
    """
    inside = [info.filename for info in archives.members(path, most=MOST_UNPACKED)]
    if len(inside) != 1:
        raise QuarantineError("wrong archive", f"{len(inside)} files, one is expected.", where=path.name)
    try:
        text = archives.member(path, inside[0]).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise QuarantineError("wrong type", f"not UTF-8 ({error}).", where=inside[0]) from None
    header = text.partition("\n")[0]
    mark = "|" if "|" in header else "\t"
    rows = [[cell.strip() for cell in line.split(mark)] for line in text.splitlines() if line.strip()]
    if not rows:
        raise QuarantineError("no rows", "an empty file; no rows is no success.", where=inside[0])
    if len(set(rows[0])) < len(rows[0]):
        raise QuarantineError("doubled column", f"the header is {header!r}.", where=inside[0])
    short = next((place for place, row in enumerate(rows, 1) if len(row) != len(rows[0])), None)
    if short:
        raise QuarantineError(
            "truncated archive",
            f"line {short} has {len(rows[short - 1])} of {len(rows[0])} fields.",
            where=inside[0],
        )
    doubled = [name for name in rows[0] if rows[0].count(name) > 1]
    if doubled:
        raise QuarantineError("doubled column", f"{doubled[0]} is there twice.", where=inside[0])
    frame = pd.DataFrame(
        rows[1:], columns=rows[0], index=pd.RangeIndex(2, len(rows) + 1, name="line"), dtype="str"
    )
    check_columns(frame.columns, REQUIRED, inside[0])
    check_codes(frame["GEOID"], WIDTH[kind], inside[0])
    check_key(frame, ["GEOID"], inside[0])
    numbers(frame, ["ALAND", "AWATER", "INTPTLAT", "INTPTLONG"], inside[0])
    return frame[frame["USPS"] != "PR"].set_index("GEOID")


def over(old: pd.DataFrame, new: pd.DataFrame, source: str | None) -> tuple[pd.DataFrame, list[str]]:
    """The table of before with the year's areas and points, and which of its units the year does not have.

    Parameters
    ----------
    source : what the column SOURCE says then, for counties: their names are the year's too, and they must
        be the same ones.

    Raises
    ------
    QuarantineError : "other units": counties are gone or new.
    """
    out = old.copy()
    current = out["GEOGRAPHY"] != "legacy" if source else pd.Series(True, out.index)
    codes = set(out.loc[current, "GEOID"])
    gone, come = sorted(codes - set(new.index)), sorted(set(new.index) - codes) if source else []
    if source and (gone or come):
        named = [f"{code} is gone" for code in gone[:5]]
        named += [f"{code} {new.loc[code, 'NAME']} is new" for code in come[:5]]
        raise QuarantineError(
            "other units",
            f"{len(gone)} counties are gone and {len(come)} are new: {', '.join(named)}.",
            remedy="neighbours, places and codes must be compiled for them first; the vintage before stays.",
        )
    current &= ~out["GEOID"].isin(gone)
    codes = out.loc[current, "GEOID"]
    rows = new.loc[codes]
    for column, field in (("ALAND_SQKM", "ALAND"), ("AWATER_SQKM", "AWATER")):
        if column in out.columns:
            out.loc[current, column] = [sqkm(value) for value in rows[field]]
    out.loc[current, "INTPTLAT"] = rows["INTPTLAT"].str.lstrip("+").to_numpy()
    out.loc[current, "INTPTLON"] = rows["INTPTLONG"].str.lstrip("+").to_numpy()
    if source:
        out.loc[current, "NAME"] = rows["NAME"].to_numpy()
        out.loc[current, "SOURCE"] = source
    return out, gone


def sqkm(square_metres: str) -> str:
    """Square kilometres to three decimals, as text."""
    return str(round(float(square_metres) / 1e6, 3))

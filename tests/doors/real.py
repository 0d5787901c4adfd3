"""Real files, whole or in part, in their own form: those of the repository, and where they are the publishers'."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.conftest import FIXTURE, REPOSITORY
from tests.doors.mutations.archives import zipped
from tests.doors.mutations.tables import table, to_csv

ORIGINALS = REPOSITORY.parent / "shared" / "data" / "originals"
RAW, PROCESSED = REPOSITORY / "data" / "raw", REPOSITORY / "data" / "processed"
ROWS = 40
Bytes = Callable[[], bytes | None]


def whole(path: Path) -> Bytes:
    """The file, read once; None where it is not here."""
    return cache(lambda: path.read_bytes() if path.is_file() else None)


def part(path: Path, rows: int = ROWS) -> Bytes:
    """A CSV's header and rows from all of it."""

    def some() -> bytes | None:
        content = whole(path)()
        records = table(content) if content else []
        step = max(1, len(records) // rows)
        return to_csv([records[0], *records[1::step][:rows]]) if records else content

    return cache(some)


def parquet(path: Path, rows: int = ROWS) -> Bytes:
    """A Parquet file's rows from all of it, with its own schema."""

    def some() -> bytes:
        import pyarrow as pa
        import pyarrow.parquet as pq

        read = pq.read_table(path)
        step = max(1, len(read) // rows)
        stream = pa.BufferOutputStream()
        pq.write_table(read.take(list(range(0, len(read), step))[:rows]), stream, compression="zstd")
        return stream.getvalue().to_pybytes()

    return cache(some)


@cache
def topology() -> bytes:
    """The boundaries of the counties of one state and its own."""
    content = json.loads((RAW / "boundaries" / "2023" / "counties-albers-10m.json").read_bytes())
    kept: dict[int, int] = {}

    def renumbered(arcs: object) -> object:
        if isinstance(arcs, list):
            return [renumbered(each) for each in arcs]
        own = arcs if arcs >= 0 else ~arcs
        number = kept.setdefault(own, len(kept))
        return number if arcs >= 0 else ~number

    objects = {}
    for layer in ("counties", "states"):
        shapes = [
            g for g in content["objects"][layer]["geometries"] if str(g["id"])[:2] in ("44", "10", "72")
        ]
        shapes = [shape | {"arcs": renumbered(shape["arcs"])} for shape in shapes]
        objects[layer] = content["objects"][layer] | {"geometries": shapes}
    arcs = [content["arcs"][old] for old in kept]
    return json.dumps(content | {"objects": objects, "arcs": arcs}).encode()


def workbook(rows: int = ROWS) -> Bytes:
    """ICE's workbook of 2025-08-04 with fewer rows; one of our own where it is not here."""

    def some() -> bytes:
        path = ORIGINALS / "287g" / "participatingAgencies08042025pm.xlsx"
        if not path.is_file():
            from tests.refresh.workbooks import LINK
            from tests.refresh.workbooks import workbook as ours

            return ours(links={"G2": LINK.format("a")})
        with zipfile.ZipFile(path) as book:
            found = [(info.filename, book.read(info)) for info in book.infolist()]
        return zipped([(name, fewer(data, rows) if "/sheet" in name else data) for name, data in found])

    def fewer(sheet: bytes, rows: int) -> bytes:
        last = [found.end() for found in re.finditer(rb"</row>", sheet)]
        end = sheet.find(b"</sheetData>")
        links = [
            m for m in re.finditer(rb'<hyperlink [^>]*ref="[A-Z]+(\d+)[^>]*>', sheet) if int(m[1]) > rows
        ]
        for link in reversed(links):
            sheet = sheet[: link.start()] + sheet[link.end() :]
        return sheet[: last[rows]] + sheet[end:] if len(last) > rows else sheet

    return cache(some)


@cache
def pdf() -> bytes | None:
    """The first pages of the archived list."""
    import pypdf

    path = ORIGINALS / "lists" / "dhs-sanctuary-jurisdictions-archived-2025-05-31.pdf"
    if not path.is_file():
        return None
    writer, stream = pypdf.PdfWriter(), io.BytesIO()
    for page in pypdf.PdfReader(path).pages[:2]:
        writer.add_page(page)
    writer.write(stream)
    return stream.getvalue()


@cache
def justice_page() -> bytes:
    """The Justice Department's list as a page, from its entries."""
    with (RAW / "lists" / "doj-2025-08-05" / "listings.csv").open(encoding="utf-8", newline="") as stream:
        entries = list(csv.DictReader(stream))
    lists = ""
    for name, level in (("States", "state"), ("Counties", "county"), ("Cities", "place")):
        texts = [entry["text_as_published"] for entry in entries if entry["level"] == level]
        lists += f"<h3>{name}:</h3><ul>{''.join(f'<li><p>{text}</p></li>' for text in texts)}</ul>"
    return (
        "<!DOCTYPE html><html><head><title>U.S. Sanctuary Jurisdiction List</title><script>var s = 'STATES:';</script>"
        "</head><body><nav><ul><li><a href='/'>Home</a></li></ul></nav><h1>List</h1>"
        f"{lists}<p>Updated August 5, 2025</p><footer><a href='/privacy'>Privacy</a></footer></body></html>"
    ).encode()


def transactions(form: str, rows: int = ROWS) -> Bytes:
    """Award transactions as CSV ("csv", "legacy"), in an archive ("zip") or as Parquet ("parquet").

    The publisher's where they are here, else made up in their columns.
    """

    def some() -> bytes:
        name = (
            "legacy_FAADS_grants_NY_FY2016"
            if form == "legacy"
            else "Assistance_PrimeTransactions_REAP_FY2021-2025"
        )
        content = part(ORIGINALS / "usaspending" / f"{name}_sample.csv", rows)()
        if content is None:
            from tests.grants.bulk import content as made
            from tests.grants.bulk import generate

            content = made(generate(1, rows))
        if form == "zip":
            return zipped([("All_Assistance_PrimeTransactions_1.csv", content), ("readme.txt", b"x")])
        if form == "parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            header, *body = table(content)
            columns = {
                name: pa.array(values, pa.string())
                for name, values in zip(header, zip(*body, strict=True), strict=True)
            }
            stream = pa.BufferOutputStream()
            pq.write_table(pa.table(columns), stream)
            return stream.getvalue().to_pybytes()
        return content

    return cache(some)


def votes() -> bytes:
    """The compilation of votes in its own columns, some rows of each kind."""
    header = ["state_name", "county_fips", "county_name", "votes_gop", "votes_dem", "total_votes"]
    path = RAW / "votes" / "2024" / "county_votes.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if "(sum" not in row["NAME"]]
    chosen = [row for row in rows if not row["GEOID"].isdigit()][:12] + rows[::60]
    out = [header]
    for row in {row["GEOID"]: row for row in chosen}.values():
        code = row["GEOID"].replace("AKHD", "029").replace("DCW", "119")
        out.append(
            [row["STATE_NAME"], code, row["NAME"], row["votes_gop"], row["votes_dem"], row["votes_total"]]
        )
    return to_csv(out)


@cache
def gazetteer(kind: str) -> bytes:
    """The Census Bureau's Gazetteer in its own form, of the fixture's units."""
    name = {"counties": "county_geography", "cousubs": "county_subdivisions"}[kind]
    path = FIXTURE / "data" / "raw" / "geography" / "2024" / f"{name}.csv"
    lines = ["USPS|GEOID|GEOIDFQ|ANSICODE|NAME|ALAND|AWATER|ALAND_SQMI|AWATER_SQMI|INTPTLAT|INTPTLONG"]
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row.get("GEOGRAPHY") == "legacy":
                continue
            land, water = (f"{float(row.get(c) or 0) * 1e6:.0f}" for c in ("ALAND_SQKM", "AWATER_SQKM"))
            title = row.get("NAME") or row["NAME_OFFICIAL"]
            cells = (row.get("USPS", "CT"), row["GEOID"], "x", "1", title, land, water, "1", "1")
            lines.append("|".join((*cells, row["INTPTLAT"], row["INTPTLON"])) + "      ")
    return zipped([(f"2025_Gaz_{kind}_national.txt", "\n".join(lines).encode())])


@cache
def census_reply() -> tuple[bytes, tuple[str, ...]]:
    """A reply of the Census API for some counties, in today's form (with GEO_ID), and its fields."""
    path = ORIGINALS / "census_api" / "acs5_2023_county_response.json"
    if path.is_file():
        header, *body = json.loads(path.read_bytes())
    else:
        header = ["NAME", "B01003_001E", "B19013_001E", "state", "county"]
        body = [
            ["Cook County, Illinois", "5182617", "-666666666", "17", "031"],
            ["Lea County", "1", "2", "35", "025"],
        ]
    fields = ("GEO_ID", *header[:-2])
    rows = [[f"0500000US{row[-2]}{row[-1]}", *row] for row in body[:: max(1, len(body) // ROWS)]]
    return json.dumps([["GEO_ID", *header], *rows]).encode(), fields


def names() -> bytes:
    """Entries and rows of rosters, some of each: what `match` is given."""
    header = [
        "state_abbr",
        "level",
        "text_as_published",
        "agency_as_published",
        "county_as_published",
        "agency_type_as_published",
    ]
    out = [header]
    for path, step in (("lists/dhs-2025-05-31/listings.csv", 15), ("rosters/2025-05-28/roster.csv", 20)):
        with (RAW / path).open(encoding="utf-8", newline="") as stream:
            out += [[row.get(name, "") for name in header] for row in list(csv.DictReader(stream))[::step]]
    return to_csv(out)

"""Replies of interfaces, and what stands around them."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import pandas as pd

from tests.conftest import FIXTURE, forget
from tests.doors import looks, real
from tests.doors.engine import Door, Given
from tests.doors.mutations.tables import table
from tests.doors.real import ORIGINALS


def reply_doors() -> Iterator[Door]:
    import datetime

    import httpx

    from analysis.refresh import acs, census_cells, census_replies, client, jobs, parts, replies, usaspending
    from analysis.refresh.http import extent

    reply, fields = real.census_reply()
    county = census_replies.LEVELS[1]

    def figures(given: Given) -> object:
        path = given.project / "county-1.json"
        path.write_bytes(given.content)
        frame = census_replies.read_reply(path, county, fields, "")
        return census_replies.annotated(frame.drop(columns="NAME"), path.name)[0]

    yield Door(
        "refresh acs: figures",
        "json",
        cache(lambda: reply),
        figures,
        ("analysis.refresh.census_replies.read_reply", "analysis.refresh.answers.decoded"),
        looks.frame,
    )

    def labels_of() -> bytes:
        import json

        from tests.refresh.census_api import variables

        return json.dumps({"variables": variables()}).encode()

    detailed = cache(lambda: [cell for cell in census_cells.cells() if cell[0] in "BC"])

    def labels(given: Given) -> object:
        path = given.project / "variables-2024-acs5.json"
        path.write_bytes(given.content)
        return census_replies.read_labels(path, detailed())

    yield Door(
        "refresh acs: variables.json",
        "json",
        cache(labels_of),
        labels,
        ("analysis.refresh.census_replies.read_labels",),
        looks.frame,
    )

    def survey(given: Given) -> object:
        """Every reply of a small country, one of them changed."""
        folder = given.project / "fetched"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(survey_replies(given.project), folder)
        (folder / "county-1.json").write_bytes(given.content)
        forget()
        return acs.make(folder, client.Wanted(today="2026-11-22"))

    yield Door(
        "refresh acs: a vintage",
        "json",
        lambda: SURVEY_REPLY(),
        survey,
        ("analysis.refresh.acs.make", "analysis.refresh.acs.read_level", "analysis.refresh.acs.read_part"),
        looks.anything,
        share=0.15,
    )

    spending = ORIGINALS / "usaspending"

    def one(name: str, file: Path, read: Callable[[Path], object], reached: str, otherwise: bytes) -> Door:
        def enter(given: Given) -> object:
            path = given.project / file.name
            path.write_bytes(given.content)
            return read(path)

        return Door(
            name,
            "json",
            lambda: real.whole(file)() or otherwise,
            enter,
            (reached, "analysis.refresh.usaspending.answer"),
            looks.anything,
        )

    agency = b'{"results": [{"toptier_code": "012", "agency_id": 1, "agency_name": "A"}]}'
    yield one(
        "refresh money: agencies",
        spending / "response_toptier_agencies.json",
        usaspending.agencies,
        "analysis.refresh.usaspending.agencies",
        agency,
    )
    status = b'{"status": "finished", "file_name": "x.zip", "total_size": 112.4, "total_rows": 15}'

    def sized(path: Path) -> object:
        from analysis.refresh import money

        zipped = path.with_name("transactions.zip")
        zipped.write_bytes(b"x" * 112_422)
        jobs.check_size(zipped, path)
        return money.check_rows(
            money.Sums(15, Decimal(0), frozenset({2024}), frozenset(), pd.DataFrame()), path, zipped
        )

    yield one(
        "refresh money: a job's status",
        spending / "response_download_status.json",
        sized,
        "analysis.refresh.jobs.check_size",
        status,
    )

    for name in ("count", "agencies-1", "recipient-county", "place_of_performance-state"):

        def totals(given: Given, name: str = name) -> object:
            folder = given.project / "fetched"
            folder.mkdir(exist_ok=True)
            for other, content in total_replies().items():
                (folder / other).write_bytes(content)
            (folder / f"{name}.json").write_bytes(given.content)
            return usaspending.read_totals(folder)

        yield Door(
            f"refresh money: {name}",
            "json",
            lambda name=name: total_replies()[f"{name}.json"],
            totals,
            ("analysis.refresh.usaspending.read_totals", "analysis.refresh.usaspending.amounts"),
            looks.anything,
            share=0.5,
        )

    def job(given: Given) -> object:
        """The answers that a fetch reads between its requests."""
        web = Saved(given.project / "web", given.content)
        asked = usaspending.Asked(2024, ("02", "03", "04", "05"))
        match given.draw.randrange(4):
            case 0:
                return usaspending.grant_types(web)
            case 1:
                return usaspending.pages(web, "agencies", "x", {})
            case 2:
                return jobs.archived(web, asked, "all", "")
            case _:
                return jobs.waited(web, web.folder / "job.json", "x.zip")

    answers = (
        b'{"grants": {"02": "a", "03": "b", "04": "c", "05": "d"}, "page_metadata": {"page": 1, "hasNext": false}, "limit": 100,'
        + (
            b'"status": "finished", "file_name": "x.zip", "file_url": "https://files.usaspending.gov/x.zip",'
            b'"monthly_files": [{"file_name": "FY2024_All_Assistance_Full_20260506.zip", "url": "https://files.usaspending.gov/y.zip"}]}'
        )
    )
    yield Door(
        "refresh money: a job",
        "json",
        cache(lambda: answers),
        job,
        ("analysis.refresh.usaspending.answer",),
        looks.anything,
    )

    def headers(given: Given) -> object:
        lines = given.content.split(b"\n")
        pairs = [tuple(part.strip() for part in line.split(b":", 1)) for line in lines if b":" in line]
        said = httpx.Response(
            given.draw.choice((200, 206, 301, 403, 429, 500)),
            headers=[p for p in pairs if p[0]],
            content=lines[-1],
        )
        now = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
        found = (replies.retry_after(said, now), extent(said), replies.words(said))
        try:
            replies.check_status(said, "https://www.ice.gov/a")
        except replies.LaterError:
            return found
        return replies.target("https://www.ice.gov/a", said, ("www.ice.gov",), "html", "GET")

    sent = b"retry-after: 120\ncontent-length: 500\ncontent-range: bytes 0-499/1000\nlocation: https://www.ice.gov/b\ncontent-type: text/plain\n\nslow down"
    yield Door(
        "a reply's headers",
        "text",
        cache(lambda: sent),
        headers,
        (
            "analysis.refresh.replies.retry_after",
            "analysis.refresh.http.extent",
            "analysis.refresh.replies.words",
        ),
        looks.anything,
    )

    def noted(given: Given) -> object:
        folder = given.project / "notes"
        folder.mkdir(exist_ok=True)
        for name in (parts.NOTES, "a.part.json"):
            (folder / name).write_bytes(given.content)
        held = parts.Held(folder, parts.Asked("https://www.ice.gov/a", "a", "html", 100))
        (folder / "a.part").write_bytes(b"x")
        from analysis.refresh.states import fetched_from

        return (parts.notes(folder), held.validator(), held.resumable(), fetched_from(folder, "a"))

    notes = b'{"a": {"url": "https://www.ice.gov/a", "sha256": "00", "etag": "x"}, "etag": "y", "asked": "z", "last_modified": ""}'
    yield Door(
        "notes of a fetch",
        "json",
        cache(lambda: notes),
        noted,
        ("analysis.refresh.parts.notes", "analysis.refresh.parts.stamp"),
        looks.anything,
    )


class Saved:
    """A web whose every reply is the same; it waits for nothing."""

    def __init__(self, folder: Path, content: bytes) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.folder, self.content, self.saved = folder, content, set()
        (folder / "job.json").write_bytes(b"{}")

    def save(self, url: str, name: str, **_: object) -> Path:
        from analysis.refresh.faults import FetchError

        if len(self.saved) > 3:
            raise FetchError("unreachable", "enough")
        self.saved.add(f"{name} {len(self.saved)}")
        (self.folder / name).write_bytes(self.content)
        return self.folder / name

    def say(self, text: str) -> None:
        from analysis.refresh.faults import FetchError

        raise FetchError("not ready", text)


@cache
def total_replies() -> dict[str, bytes]:
    """What the interface adds up of some real rows."""
    import json

    from analysis.refresh.usaspending import SCOPES
    from tests.refresh.publisher import Seen
    from tests.refresh.usaspending_api import SpendingApi

    header, *rows = table(real.transactions("csv", 60)())
    api = SpendingApi(header, [dict(zip(header, row, strict=True)) for row in rows])

    def asked(**body: object) -> Seen:
        return Seen("POST", "", {}, {}, json.dumps(body).encode())

    found = {
        "count.json": {"calculated_count": len(rows)},
        "agencies-1.json": api.by_agency(asked(limit=100, page=1)),
    }
    for ours, scope in SCOPES.items():
        for layer in ("state", "county"):
            found[f"{ours}-{layer}.json"] = api.geography(asked(scope=scope, geo_layer=layer))
    return {name: json.dumps(content).encode() for name, content in found.items()}


@cache
def survey_replies(project: Path) -> Path:
    """Every reply of the Census API for the fixture's states, in a folder."""
    from analysis.refresh import acs, census_cells, census_replies
    from tests.refresh.census_api import BASE, KEY, CensusApi, units_of
    from tests.refresh.publisher import Seen

    residents = {code: 40_000 + number for number, code in enumerate(sorted(fixture_counties()))}
    api, folder = CensusApi(2024, units_of(residents)), project / "replies"
    folder.mkdir(exist_ok=True)
    parts = census_replies.chunks(census_cells.cells())
    for chunk in parts:
        labels = api.labels(Seen("GET", "", {"key": [KEY]}, {}, b""))
        (folder / census_replies.variables_capture(2024, chunk.dataset)).write_bytes(labels.body)
    for level, state, chunk in acs.requests(parts):
        asked = level.asked(state)
        query = {"get": [",".join(chunk.fields())], "for": [asked["for"]], "key": [KEY]}
        query |= {"in": [asked["in"]]} if "in" in asked else {}
        answer = api.figures(Seen("GET", BASE.format(2024), query, {}, b""))
        (folder / census_replies.capture(level, state, chunk)).write_bytes(answer.body)
    return folder


def fixture_counties() -> list[str]:
    with (FIXTURE / "data/raw/geography/2024/county_geography.csv").open(
        encoding="utf-8", newline=""
    ) as stream:
        return [row["GEOID"] for row in csv.DictReader(stream) if row["GEOGRAPHY"] != "legacy"]


def SURVEY_REPLY() -> bytes:  # noqa: N802
    from analysis.provenance import root

    return (survey_replies(root()) / "county-1.json").read_bytes()

"""Votes and geography: tables from files that publishers keep at a stable address."""

from __future__ import annotations

import csv
import functools
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.provenance import read_origin
from analysis.refresh.command import Outcome
from analysis.refresh.faults import QuarantineError, RefreshError, UsageError
from analysis.refresh.geography import ADDRESS as GAZETTEER
from analysis.refresh.votes import ADDRESS as VOTES
from analysis.refresh.votes import PUBLISHED, election_day
from analysis.sources import geography, votes
from tests.conftest import REPOSITORY
from tests.refresh.conftest import tree
from tests.refresh.publisher import Publisher, Reply, page

Refreshed = Callable[..., Outcome]
RAW = REPOSITORY / "data" / "raw"


@functools.cache
def accepted(path: str) -> list[dict[str, str]]:
    with (RAW / path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def as_csv(rows: list[dict[str, str]], columns: tuple[str, ...] = PUBLISHED) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_published(year: str = "2024") -> list[dict[str, str]]:
    """The accepted votes put back into the compilation's own form, its odd codes for parts included."""
    rows = []
    for row in accepted(f"votes/{year}/county_votes.csv"):
        if row["NAME"].startswith(("Alaska (sum", "District of Columbia (sum")):
            continue
        code = row["GEOID"].replace("AKHD", "029").replace("DCW", "119")
        counts = (row["votes_gop"], row["votes_dem"], row["votes_total"])
        rows.append(dict(zip(PUBLISHED, (row["STATE_NAME"], code, row["NAME"], *counts), strict=True)))
    assert len(rows) > 3_100
    return rows


@pytest.fixture
def real_tables(project: Path) -> Path:
    for source in ("votes", "geography"):
        shutil.rmtree(project / "data" / "raw" / source)
        shutil.copytree(RAW / source, project / "data" / "raw" / source)
    return project


@pytest.mark.fault("F57")
@pytest.mark.parametrize("year", ["2020", "2024"])
def test_votes_come_out_as_they_were_compiled(
    refreshed: Refreshed, real_tables: Path, publisher: Publisher, year: str
) -> None:
    publisher.answers[VOTES.format(year)] = Reply(
        as_csv(as_published(year)), headers={"Content-Type": "text/plain"}
    )
    done = refreshed("votes", vintage=year, dry_run=True)
    assert done.state == "nothing new" and not done.difference
    assert done.difference.rows["county_votes.csv"][0] > 3_100
    assert len(publisher.seen) == 1


def test_a_new_election_is_accepted(refreshed: Refreshed, real_tables: Path, publisher: Publisher) -> None:
    shutil.rmtree(real_tables / "data" / "raw" / "votes" / "2024")
    publisher.answers[VOTES.format("2024")] = Reply(as_csv(as_published()))
    # Connecticut's regions are as many as its old counties but for one, and the wards are new.
    done = refreshed("votes")
    assert done.state == "accepted" and read_origin("votes", "2024")["as_of"] == "2024-11-05"
    again, own = votes.read("2024"), accepted("votes/2024/county_votes.csv")
    assert {code: str(int(total)) for code, total in again["votes_total"].items()} == {
        row["GEOID"]: row["votes_total"] for row in own
    }
    assert election_day(2020) == "2020-11-03" and election_day(2028) == "2028-11-07"


def changed(place: int, **cells: str) -> bytes:
    rows = as_published()
    rows[place] |= cells
    return as_csv(rows)


BAD_VOTES = {
    "code without its zero": (lambda: changed(0, county_fips="1001"), "lost its leading zero"),
    "code with a point": (lambda: changed(0, county_fips="01001.0"), "not a code of 5 digits"),
    "county twice": (lambda: changed(1, county_fips="01001"), "'01001' occurs twice"),
    "ghost": (lambda: changed(1_700, county_fips="30113"), "looks wrong.*30113"),
    "state": (lambda: changed(3, state_name="Alabamma"), "unknown state.*'Alabamma' in line 5"),
    "more than all": (lambda: changed(3, votes_dem="999999"), "impossible count.*line 5"),
    "part of a vote": (lambda: changed(3, votes_dem="10.5"), "impossible count.*'10.5'"),
    "words": (lambda: changed(3, votes_dem="n/a"), "'n/a' is not a figure"),
    "renamed column": (
        lambda: as_csv(as_published()).replace(b"total_votes", b"votes_all", 1),
        "'total_votes'.*missing|column is missing",
    ),
    "half": (lambda: as_csv(as_published()[:1_600]), "looks wrong.*no row of"),
    "a county gone": (
        lambda: as_csv([row for row in as_published() if row["county_fips"] != "48261"]),
        "looks wrong: 1 counties have no row: 48261",
    ),
    "another election": (lambda: as_csv(as_published("2020")), "looks wrong.*every count is that of 2020"),
    "a column twice": (
        lambda: as_csv(as_published()).replace(b"votes_dem", b"votes_gop", 1),
        "names 'votes_gop' twice",
    ),
    "UTF-16": (lambda: as_csv(as_published()).decode().encode("utf-16"), "wrong type"),
    "cut off": (
        lambda: as_csv(as_published())[:-30],
        "fields where the header has|perhaps the file is truncated",
    ),
    "latin-1": (lambda: as_csv(as_published()).replace(b"Do", b"D\xf1", 1), "not UTF-8"),
    "header only": (lambda: as_csv([]), "no rows"),
    "404 as a page": (lambda: page("404: Not Found").body, "soft 404"),
}


@pytest.mark.fault("F26", "F41", "F58", "F72")
@pytest.mark.parametrize("fault", BAD_VOTES)
def test_votes_that_are_wrong_are_put_aside(
    refreshed: Refreshed, real_tables: Path, publisher: Publisher, fault: str
) -> None:
    make, message = BAD_VOTES[fault]
    shutil.rmtree(real_tables / "data" / "raw" / "votes" / "2024")
    publisher.answers[VOTES.format("2024")] = Reply(make())
    before = tree(real_tables / "data")
    with pytest.raises(QuarantineError, match=message):
        refreshed("votes")
    assert tree(real_tables / "data") == before and len(publisher.seen) == 1


@functools.cache
def gazetteer(
    kind: str, mark: str = "|", year: str = "2025", *, rename: str = "", drop: int = 0, name: str = ""
) -> bytes:
    """A Gazetteer of the accepted units: bars from 2025, tabs and blanks at the ends of lines before."""
    table = "county_geography" if kind == "counties" else "county_subdivisions"
    rows = [row for row in accepted(f"geography/2024/{table}.csv") if row.get("GEOGRAPHY") != "legacy"]
    header = [
        "USPS",
        "GEOID",
        "GEOIDFQ",
        "ANSICODE",
        "NAME",
        "ALAND",
        "AWATER",
        "ALAND_SQMI",
        "AWATER_SQMI",
        "INTPTLAT",
        "INTPTLONG",
    ]
    lines = [mark.join(header).replace("GEOID|", f"{rename or 'GEOID'}|", 1)]
    for row in rows[drop:]:
        land, water = (f"{float(row.get(column) or 0) * 1e6:.0f}" for column in ("ALAND_SQKM", "AWATER_SQKM"))
        title = row.get("NAME") or row["NAME_OFFICIAL"]
        cells = (
            row.get("USPS", "CT"),
            row["GEOID"],
            "x",
            "1",
            title,
            land,
            water,
            "1",
            "1",
            row["INTPTLAT"],
            row["INTPTLON"],
        )
        lines.append(mark.join(cells) + "      ")
    lines.append(
        mark.join(
            [
                "PR",
                "72001" if kind == "counties" else "7200101234",
                "x",
                "1",
                "Adjuntas",
                "1",
                "1",
                "1",
                "1",
                "18",
                "-66",
            ]
        )
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name or f"{year}_Gaz_{kind}_national.txt", "\n".join(lines))
    return out.getvalue()


def serve(publisher: Publisher, counties: bytes, cousubs: bytes | None = None) -> None:
    for kind, content in (("counties", counties), ("cousubs", cousubs or gazetteer("cousubs"))):
        publisher.answers[GAZETTEER.format("2025", kind)] = Reply(
            content, headers={"Content-Type": "application/zip"}
        )


@pytest.mark.fault("F25")
@pytest.mark.parametrize("mark", ["|", "\t"])
def test_a_gazetteer_is_laid_over_the_vintage_before(
    refreshed: Refreshed, real_tables: Path, publisher: Publisher, mark: str
) -> None:
    serve(publisher, gazetteer("counties", mark), gazetteer("cousubs", mark))
    done = refreshed("geography", vintage="2025")
    assert done.state == "accepted" and len(publisher.seen) == 2
    # The same figures went in: nothing may differ but the note of the source.
    assert done.difference.counted() == "0 added, 0 removed, 0 changed"
    assert geography.read("2025").drop(columns="SOURCE").equals(geography.read("2024").drop(columns="SOURCE"))
    assert len(geography.read_counties("2025")) == 3_152
    for name in ("place_county.csv", "county_adjacency.csv"):
        folder = real_tables / "data" / "raw" / "geography"
        assert (folder / "2025" / name).read_bytes() == (folder / "2024" / name).read_bytes()
    assert any("params.yaml" in line for line in done.lines)


BAD_GAZETTEERS = {
    "county gone": (lambda: gazetteer("counties", drop=1), "other units.*01001 is gone"),
    "another year": (lambda: gazetteer("counties", year="2024"), "another year.*2024_Gaz"),
    "renamed column": (lambda: gazetteer("counties", rename="COUNTYFP10"), "'GEOID'"),
    "a column twice": (
        lambda: gazetteer("counties", rename="NAME"),
        "doubled column: .*NAME",
    ),
    "zip-slip": (lambda: gazetteer("counties", name="../2025_Gaz_counties_national.txt"), "zip-slip"),
    "truncated": (lambda: gazetteer("counties")[:-200], "truncated archive"),
    "HTML": (lambda: page("Census Bureau").body, "HTML instead of data"),
    "maintenance": (lambda: page("Page not found").body, "soft 404"),
}


@pytest.mark.fault("F15", "F16", "F25")
@pytest.mark.parametrize("fault", BAD_GAZETTEERS)
def test_a_gazetteer_that_does_not_fit_is_put_aside(
    refreshed: Refreshed, real_tables: Path, publisher: Publisher, fault: str
) -> None:
    make, message = BAD_GAZETTEERS[fault]
    serve(publisher, make())
    before = tree(real_tables / "data")
    with pytest.raises(RefreshError, match=message) as caught:
        refreshed("geography", vintage="2025")
    assert caught.value.code == 4
    assert tree(real_tables / "data") == before and len(publisher.seen) in (1, 2)


@pytest.mark.fault("F15")
def test_a_byte_that_turned_is_noticed(refreshed: Refreshed, real_tables: Path, publisher: Publisher) -> None:
    content = bytearray(gazetteer("counties"))
    content[len(content) // 2] ^= 0xFF
    serve(publisher, bytes(content))
    with pytest.raises(QuarantineError, match="truncated archive"):
        refreshed("geography", vintage="2025")
    assert len(publisher.seen) == 2


def test_it_says_what_to_download(
    refreshed: Refreshed, real_tables: Path, publisher: Publisher, tmp_path: Path
) -> None:
    files = [tmp_path / f"2025_Gaz_{kind}_national.zip" for kind in ("counties", "cousubs")]
    for file, kind in zip(files, ("counties", "cousubs"), strict=True):
        file.write_bytes(gazetteer(kind))
    with pytest.raises(
        UsageError, match=r"two files.*2025_Gaz_counties_national.zip and .*2025_Gaz_cousubs_national.zip"
    ):
        refreshed("geography", vintage="2025", files=(files[0],))
    assert refreshed("geography", files=tuple(files)).made.vintage == "2025"
    with pytest.raises(UsageError, match="no vintage"):
        refreshed("votes", vintage="2023")
    assert publisher.seen == []

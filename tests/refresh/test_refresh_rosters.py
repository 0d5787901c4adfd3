"""Rosters of 287(g) agreements, from the programme's page to an accepted vintage that the ledger reads."""

from __future__ import annotations

import datetime
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from analysis.provenance import read_origin
from analysis.refresh.client import Wanted, size_gates
from analysis.refresh.command import Outcome
from analysis.refresh.faults import FetchError, QuarantineError, RefreshError
from analysis.refresh.rosters import LEAST, PAGE, dated, name_day, unwrap
from analysis.refresh.sheets import as_day, text_day
from analysis.sources import rosters
from tests.conftest import REPOSITORY, run_stage
from tests.refresh.conftest import ORIGINALS, needs_originals, tree
from tests.refresh.publisher import Publisher, Reply, page
from tests.refresh.workbooks import HEADINGS, LINK, ROWS, SAFELINK, restamp, workbook

BOOK = "https://www.ice.gov/doclib/about/offices/ero/287g/participatingAgencies08042025pm.xlsx"
PENDING = "https://www.ice.gov/doclib/about/offices/ero/287g/pendingAgencies08042025pm.xlsx"
PENDING_HEADINGS = ("STATE", "LAW ENFORCEMENT AGENCY", "TYPE", "COUNTY", "SUPPORT TYPE")
Refreshed = Callable[..., Outcome]


def site(publisher: Publisher, book: bytes | Reply, at: str = BOOK) -> None:
    """The programme's page, with the roster's workbook and that of pending applications."""
    publisher.answers[PAGE] = page(
        "287(g) Program", (PENDING, "Pending"), (at.replace("https://www.ice.gov", ""), "List")
    )
    publisher.answers[at] = book if isinstance(book, Reply) else Reply(book, headers={"ETag": '"b1"'})
    publisher.answers[PENDING] = Reply(workbook([row[:5] for row in ROWS], headings=PENDING_HEADINGS))


def raw(project: Path) -> dict[str, bytes]:
    return tree(project / "data" / "raw")


def refused(refreshed: Refreshed, project: Path, match: str, **options: object) -> RefreshError:
    """A refresh that is refused leaves every accepted byte as it was, and nothing beside."""
    before = raw(project)
    with pytest.raises(RefreshError, match=match) as caught:
        refreshed("rosters", **options)
    assert raw(project) == before and len(before) > 10
    return caught.value


def test_a_roster_is_accepted_and_read(refreshed: Refreshed, project: Path, publisher: Publisher) -> None:
    book = workbook(
        links={
            "G2": SAFELINK,
            "G3": LINK.format("a"),
            "H5": LINK.format("b"),
            "G6": "https://evil.example.com/a.pdf",
        }
    )
    site(publisher, book)
    before = raw(project)
    done = refreshed("rosters")
    assert done.state == "accepted" and done.made.vintage == "2025-08-04"
    assert [seen.url for seen in publisher.seen] == [PAGE, PENDING, BOOK]
    folder = project / "data" / "raw" / "rosters" / "2025-08-04"
    assert {path.name for path in folder.iterdir()} == {
        "origin.yaml",
        "roster.csv",
        "participatingAgencies08042025pm.xlsx",
    }
    assert (folder / "participatingAgencies08042025pm.xlsx").read_bytes() == book
    assert before.items() <= raw(project).items()
    origin = read_origin("rosters", "2025-08-04")
    assert (origin["url"], origin["retrieved"], origin["obtained"]) == (BOOK, "2026-11-22", "downloaded")
    frame = rosters.read("2025-08-04")
    assert list(frame["signed"]) == ["2020-06-08", "2025-03-27", "2020-12-23", "2025-05-08", "2025-07-07"]
    assert list(frame["signed_note"]) == ["", "", "", "serial:45785", "text:7/72025"]
    assert list(frame["state_abbr"]) == ["TX", "TX", "TX", "FL", "GA"]
    assert frame["county_as_published"].tolist() == [
        "Galveston County",
        "Galveston County",
        "Kendall County ",
        "#N/A",
        "",
    ]
    assert frame["support_type_as_published"].iloc[3] == "Task Force Model "
    assert frame["moa_url"].tolist() == [LINK.format("x"), LINK.format("a"), "", "", ""]
    assert frame["moa_url_unwrapped_from"].tolist() == [
        "safelinks",
        "",
        "",
        "",
        "other-host:evil.example.com",
    ]
    assert frame["addendum_url"].tolist() == ["", "", "", LINK.format("b"), ""]
    assert not (project / ".refresh" / "rosters" / "candidate").exists()
    # The stage takes it without a word in params.yaml.
    assert run_stage("python -m analysis.jurisdictions.stage", project).returncode == 0
    read = pd.read_csv(project / "data" / "processed" / "roster_agencies.csv", dtype="str")
    assert (read["roster"] == "2025-08-04").sum() == 5


def test_a_second_roster_of_a_day_has_a_name_of_its_own(
    refreshed: Refreshed, project: Path, publisher: Publisher
) -> None:
    site(publisher, workbook())
    refreshed("rosters")
    site(publisher, Reply(workbook([*ROWS, ("OHIO", *ROWS[2][1:])]), headers={"ETag": '"b2"'}))
    refused(refreshed, project, r"^vintage there: .*--vintage 2025-08-04-b")
    done = refreshed("rosters", vintage="2025-08-04-b")
    assert done.state == "accepted" and done.made.before == "2025-08-04"
    assert read_origin("rosters", "2025-08-04-b")["as_of"] == "2025-08-04"
    assert len(rosters.read("2025-08-04-b")) == 6 and len(publisher.seen) == 9
    assert run_stage("python -m analysis.jurisdictions.stage", project).returncode == 0
    read = pd.read_csv(project / "data" / "processed" / "roster_agencies.csv", dtype="str")
    assert read["roster"].value_counts()[["2025-08-04", "2025-08-04-b"]].tolist() == [5, 6]


def with_errors(book: bytes, **cells: str) -> bytes:
    table = openpyxl.load_workbook(io.BytesIO(book))
    for name, text in cells.items():
        table.active[name].value, table.active[name].data_type = text, "e"
    stream = io.BytesIO()
    table.save(stream)
    return restamp(stream.getvalue(), "2025-08-04")


def over_two_lines(book: bytes) -> bytes:
    """Every heading is merged with the cell below it, which is empty."""
    table = openpyxl.load_workbook(io.BytesIO(book))
    table.active.insert_rows(2)
    for column in "ABCDEFGH":
        table.active.merge_cells(f"{column}1:{column}2")
    stream = io.BytesIO()
    table.save(stream)
    return restamp(stream.getvalue(), "2025-08-04")


DAMAGED = {
    "no state": (
        lambda: with_errors(workbook(), A3="#REF!"),
        "^error cell: #REF! stands for the state in line 3",
    ),
    "no agency": (lambda: with_errors(workbook(), B2="#NAME?"), "^error cell: #NAME. stands for the agency"),
    "no model": (
        lambda: with_errors(workbook(), E4="#VALUE!"),
        "^error cell: #VALUE! stands for the support",
    ),
    "no county": (lambda: with_errors(workbook(), D2="#REF!"), "^looks wrong: #REF! stands in line 2"),
    "a heading twice": (
        lambda: workbook([(*row, row[1]) for row in ROWS], headings=(*HEADINGS, "Agency")),
        "^doubled column: .* 2 columns for agency",
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_workbook_is_named(
    refreshed: Refreshed, project: Path, publisher: Publisher, case: str
) -> None:
    book, message = DAMAGED[case]
    site(publisher, book())
    refused(refreshed, project, message)
    assert len(publisher.seen) == 3


def test_headings_over_two_lines_are_no_row(
    refreshed: Refreshed, project: Path, publisher: Publisher
) -> None:
    site(publisher, over_two_lines(workbook()))
    assert refreshed("rosters").state == "accepted" and len(publisher.seen) == 3
    assert rosters.read("2025-08-04")["sheet_row"].tolist() == ["3", "4", "5", "6", "7"]


def test_a_link_that_is_no_address_is_passed_over(
    refreshed: Refreshed, project: Path, publisher: Publisher
) -> None:
    site(publisher, workbook(links={"G2": "https://[x"}))
    whole = publisher.answers[PAGE].body
    publisher.answers[PAGE] = Reply(whole.replace(b"<h1>", b'<a href="https://[x.xlsx">odd</a><h1>'))
    assert refreshed("rosters").state == "accepted" and len(publisher.seen) == 3
    assert rosters.read("2025-08-04")["moa_url_unwrapped_from"].iloc[0] == "not-a-url"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7/3/2025", "2025-07-03"),
        (" 7/032025", "2025-07-03"),
        ("2025-07-03", "2025-07-03"),
        ("July 3, 2025", "2025-07-03"),
        ("3-Jul-2025", "2025-07-03"),
        ("45841", "2025-07-03"),
        ("7/3/25", None),
        ("6/30/20026", None),
        ("13/13/2025", None),
        ("pending", None),
        ("", None),
    ],
)
def test_a_day_as_text_is_read_where_it_leaves_no_doubt(text: str, expected: str | None) -> None:
    assert text_day(text) == expected


def test_a_second_run_finds_nothing_new(refreshed: Refreshed, project: Path, publisher: Publisher) -> None:
    site(publisher, workbook())
    refreshed("rosters")
    after = raw(project)
    assert refreshed("rosters").state == "nothing new"
    assert raw(project) == after and len(publisher.seen) == 6


def test_a_dry_run_shows_and_accepts_nothing(
    refreshed: Refreshed, project: Path, publisher: Publisher
) -> None:
    site(
        publisher,
        workbook(
            [
                *ROWS[1:],
                (
                    "UTAH",
                    "Iron County Sheriff's Office",
                    "County",
                    "Iron County",
                    "Task Force Model",
                    45800,
                    "link",
                    None,
                ),
            ]
        ),
    )
    before = raw(project)
    done = refreshed("rosters", dry_run=True)
    told = "\n".join(done.lines)
    assert done.state == "dry run" and raw(project) == before
    assert "+ UT | Iron County Sheriff's Office | Task Force Model" in told
    assert "- TX | Galveston County Sheriff’s Office | Jail Enforcement Model" in told
    # What was fetched is there for the run that accepts it: only asked whether it has changed.
    assert refreshed("rosters").state == "accepted"
    assert publisher.seen[-1].headers["if-none-match"] == '"b1"' and publisher.asked(BOOK) == 2


@pytest.mark.fault("F69")
def test_the_columns_may_move_and_the_header_too(refreshed: Refreshed, publisher: Publisher) -> None:
    order = [3, 6, 0, 1, 4, 2, 5, 7]
    headings = [
        "county",
        "MOA ",
        "State",
        "Law Enforcement\nAgency",
        "Support Type",
        "Type",
        "Date Signed",
        "Addendum",
    ]
    site(publisher, workbook([[row[place] for place in order] for row in ROWS], headings=headings, above=3))
    refreshed("rosters")
    frame = rosters.read("2025-08-04")
    assert frame["agency_as_published"].tolist() == [row[1] for row in ROWS]
    assert frame["sheet_row"].tolist() == ["5", "6", "7", "8", "9"]


def test_hidden_rows_are_read(refreshed: Refreshed, publisher: Publisher) -> None:
    site(publisher, workbook(hidden=[2, 4]))
    done = refreshed("rosters")
    assert len(rosters.read("2025-08-04")) == 5
    assert any("2 of 5 rows are hidden" in line for line in done.lines)


@pytest.mark.fault("F66")
def test_a_row_printed_twice_is_kept_and_told(refreshed: Refreshed, publisher: Publisher) -> None:
    site(publisher, workbook([*ROWS, ROWS[-1]]))
    done = refreshed("rosters")
    assert done.difference.rows == {"roster.csv": (3, 6)}
    assert any("printed twice" in line and "Clarke" in line for line in done.lines)
    assert any("row 2 of that key" in line for line in done.lines)


@pytest.mark.fault("F27", "F28")
def test_the_roster_is_found_by_what_it_holds(refreshed: Refreshed, publisher: Publisher) -> None:
    new = "https://www.ice.gov/doclib/files/List-final(2).xlsx"
    old = "https://www.ice.gov/doclib/participatingAgencies08042025pm.xlsx"
    publisher.answers[PAGE] = page(
        "287(g)",
        ("https://elsewhere.example.com/x.xlsx", "List"),
        ("/participating", "Participating agencies"),
    )
    publisher.answers["https://www.ice.gov/participating"] = page(
        "Agencies", (old, "Old"), (PENDING, "Pending"), (new, "New")
    )
    site_of = {
        old: workbook(ROWS[:3], saved="2025-08-04"),
        new: workbook(saved="2026-01-05"),
        PENDING: workbook([], headings=PENDING_HEADINGS),
    }
    publisher.answers |= {url: Reply(book) for url, book in site_of.items()}
    done = refreshed("rosters")
    assert (done.made.vintage, done.made.origin["url"]) == ("2026-01-05", new)
    assert len(publisher.seen) == 5


def bad_zip(book: bytes) -> bytes:
    return book[: len(book) // 2]


def slipped(name: str) -> bytes:
    out = io.BytesIO(workbook())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(name, b"x")
    return out.getvalue()


def bomb() -> bytes:
    out = io.BytesIO(workbook())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", b"\0" * 60_000_000)
    return out.getvalue()


def entities() -> bytes:
    """A workbook whose strings are defined by a chain of entities."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            text = old.read(info)
            if info.filename == "xl/worksheets/sheet1.xml":
                text = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "STATE">]>' + text.split(b"?>", 1)[
                    -1
                ].replace(b"STATE", b"&a;")
            new.writestr(info.filename, text)
    return out.getvalue()


def renamed(old: str, new: str) -> tuple[str, ...]:
    return tuple(new if heading == old else heading for heading in HEADINGS)


def with_cell(column: int, value: object) -> list[list[object]]:
    rows = [list(row) for row in ROWS]
    rows[2][column] = value
    return rows


FAULTS = {
    "truncated": (lambda: bad_zip(workbook()), "truncated archive"),
    "zip-slip": (lambda: slipped("../../evil.txt"), "zip-slip.*evil.txt"),
    "zip-slip by root": (lambda: slipped("/etc/evil"), "zip-slip"),
    "zip-slip by backslash": (lambda: slipped("..\\evil.txt"), "zip-slip"),
    "zip-slip by drive": (lambda: slipped("C:\\evil.txt"), "zip-slip"),
    "bomb": (bomb, "archive bomb"),
    "entities": (entities, "not a workbook.*Entities"),
    "renamed column": (
        lambda: workbook(headings=renamed("SIGNED", "EFFECTIVE")),
        r"column missing.*'SIGNED'",
    ),
    "agency column gone": (
        lambda: workbook(headings=renamed("LAW ENFORCEMENT AGENCY", "PARTNER")),
        "column missing.*AGENCY",
    ),
    "wrong sheet": (
        lambda: workbook([["a", "b"]], headings=["Detention facility", "Beds"]),
        "participatingAgencies08042025pm.xlsx: none of the sheets 'Sheet1' has",
    ),
    "two sheets": (lambda: workbook(others=[("Copy", [HEADINGS, ROWS[0]])]), "two sheets"),
    "no rows": (lambda: workbook([]), "wrong sheet|no rows|column missing"),
    "fewer rows": (lambda: workbook(ROWS[:2]), r"looks wrong.*2 agreements.*has 3 \(-33"),
    "state": (lambda: workbook(with_cell(0, "GUANAJUATO")), "unknown state.*'GUANAJUATO' in line 4"),
    "state misspelt": (
        lambda: workbook(with_cell(0, "TEXSA")),
        "looks wrong.*'TEXSA' in line 4 was read as Texas",
    ),
    "state empty": (lambda: workbook(with_cell(0, None)), "unknown state.*line 4"),
    "agency empty": (lambda: workbook(with_cell(1, None)), "no agency.*line 4"),
    "support type": (
        lambda: workbook(with_cell(4, "Tribal Task Force")),
        "unknown support type.*'Tribal Task Force'.*line 4",
    ),
    "type": (lambda: workbook(with_cell(2, "Tribe")), "looks wrong.*TYPE 'Tribe' is new .line 4"),
    "year to come": (lambda: workbook(with_cell(5, "6/30/20026")), "looks wrong.*no plausible day .line 4"),
    "year 5025": (lambda: workbook(with_cell(5, "07/08/5025")), "looks wrong.*no plausible day"),
    "signed before the programme": (lambda: workbook(with_cell(5, 30_000)), "looks wrong.*no plausible day"),
    "misnamed": (
        lambda: workbook(saved="2025-09-02"),
        "looks wrong.*name says 2025-08-04.*saved on 2025-09-02",
    ),
    "HTML": (lambda: page("Welcome").body, "HTML instead of data"),
    "soft 404": (lambda: page("Page Not Found").body, "soft 404"),
    "old format": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "wrong type.*xls came"),
    "a stray cell": (
        lambda: workbook(others=[("Notes", [["x"]] * 3)], stray="A200000"),
        "too large.*200,000 rows",
    ),
    "to come": (lambda: workbook(saved="2027-01-05"), "looks wrong.*2027-01-05, is still to come"),
    "a PDF": (lambda: b"%PDF-1.7\n", "wrong type"),
}


@pytest.mark.fault("F15", "F16", "F26", "F59", "F62", "F65", "F70", "F72")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_workbook_that_is_wrong_is_put_aside(
    refreshed: Refreshed, project: Path, publisher: Publisher, fault: str
) -> None:
    book, message = FAULTS[fault]
    site(publisher, book())
    error = refused(refreshed, project, f"(?s){message}")
    assert isinstance(error, QuarantineError) and error.code == 4
    assert len(publisher.seen) == 3
    (reason,) = (project / ".refresh" / "rosters" / "quarantine").rglob("reason.txt")
    assert error.fault in reason.read_text()
    assert not (project.parent / "evil.txt").exists()
    # The next run starts clean.
    site(publisher, workbook())
    assert refreshed("rosters").state == "accepted"


@pytest.mark.fault("F9", "F11", "F17")
@pytest.mark.parametrize(
    ("reply", "match", "requests"),
    [
        (Reply(b"", 404), "not found", 3),
        (Reply(b"", 403), "refused", 3),
        (Reply(b"", 302, {"Location": "https://cdn.example.com/x.xlsx"}), "another host", 3),
        (Reply(b"", 429, {"Retry-After": "3600"}), "too many requests.*3,600 s", 3),
        (Reply(workbook(), cut=500), "unreachable", 7),
    ],
)
def test_a_publisher_that_fails_costs_nothing(
    refreshed: Refreshed, project: Path, publisher: Publisher, reply: Reply, match: str, requests: int
) -> None:
    site(publisher, reply)
    error = refused(refreshed, project, match)
    assert isinstance(error, FetchError) and error.code == 3 and len(publisher.seen) == requests


@pytest.mark.fault("F17", "F27")
def test_a_page_without_a_workbook(refreshed: Refreshed, project: Path, publisher: Publisher) -> None:
    publisher.answers[PAGE] = page("287(g)")
    refused(refreshed, project, "no workbook")
    publisher.answers[PAGE] = page("Page not found")
    refused(refreshed, project, "soft 404")
    publisher.answers[PAGE] = Reply(b"", 302, {"Location": "/"})
    refused(refreshed, project, "front page")
    assert len(publisher.seen) == 3


@pytest.mark.fault("F29")
def test_a_reason_accepts_what_looks_wrong(refreshed: Refreshed, project: Path, publisher: Publisher) -> None:
    site(publisher, workbook(ROWS[:2]))
    done = refreshed("rosters", because="ICE ended an agreement on 2025-08-01")
    assert done.state == "accepted"
    origin = read_origin("rosters", "2025-08-04")
    assert origin["accepted_because"].startswith("ICE ended") and "-33" in origin["accepted_though"][0]


@pytest.mark.fault("F9", "F10")
def test_a_file_by_hand(refreshed: Refreshed, project: Path, publisher: Publisher, tmp_path: Path) -> None:
    file = tmp_path / "what I saved.xls"  # a wrong extension
    file.write_bytes(workbook())
    done = refreshed("rosters", files=(file,))
    assert (done.state, done.made.vintage) == ("accepted", "2025-08-04")
    assert publisher.seen == [] and read_origin("rosters", "2025-08-04")["obtained"] == "downloaded by hand"
    assert refreshed("rosters", files=(file,), vintage="2025-08-06").made.vintage == "2025-08-06"
    assert (project / "data/raw/rosters/2025-08-06/what_I_saved.xls.xlsx").is_file()
    page_file = tmp_path / "page.xlsx"
    page_file.write_bytes(page("Page Not Found").body)
    refused(refreshed, project, "soft 404", files=(page_file,))
    refused(refreshed, project, "no such file", files=(tmp_path / "absent.xlsx",))
    refused(refreshed, project, "no day", files=(file,), vintage="last")
    other = tmp_path / "other.xlsx"
    other.write_bytes(workbook([*ROWS, ROWS[0]]))
    refused(refreshed, project, "vintage there.*old vintages stay", files=(other,), vintage="2025-08-04")


@pytest.mark.fault("F27")
def test_days_of_rosters_are_read_from_names_that_lie() -> None:
    names = {
        "participatingAgencies05282025pm.xlsx": "2025-05-28",
        "participatingAgencies-20250331231039.xlsx": "2025-03-31",
        "participatingAgencies12042025pm2.xlsx": "2025-12-04",
        "ParticipatingEntities-20250119192356.xlsx": "2025-01-19",
        "participatingAgencies13322025.xlsx": None,
        "List-final(2).xlsx": None,
    }
    assert {name: name_day(name) for name in names} == names
    assert dated("2025-05-28", "2025-05-28", Wanted()) == ("2025-05-28", ())
    assert dated("2025-05-28", "2025-05-30", Wanted()) == ("2025-05-30", ())
    assert dated("2026-01-05", "2025-01-05", Wanted())[0] == "2026-01-05"
    assert dated("2025-03-06", "2025-04-21", Wanted())[0] == "2025-03-06"
    assert dated("2026-01-05", "2025-01-05", Wanted(vintage="2026-01-05")) == ("2026-01-05", ())
    assert "saved on 2026-01-05" in dated("2026-01-05", None, Wanted(vintage="2026-03-05"))[1][0]


@pytest.mark.fault("F59")
def test_a_mild_loss_is_noticed_and_a_true_one_is_not() -> None:
    # A sheet once lost 1,012 rows for a day, another 55 of 1,582; true rosters lose four at most.
    assert "-3.5%" in size_gates(1_527, 1_582, "agreements", least=LEAST)[0]
    assert size_gates(570, 1_582, "agreements", least=LEAST) != ()
    assert (
        size_gates(893, 897, "agreements", least=LEAST)
        == size_gates(901, 893, "agreements", least=LEAST)
        == ()
    )
    with pytest.raises(QuarantineError, match="no rows"):
        size_gates(0, 893, "agreements", least=LEAST)


@pytest.mark.fault("F63")
def test_serials_are_days_by_the_workbook_s_own_epoch() -> None:
    assert as_day(45785) == as_day(45785.75) == "2025-05-08"
    assert as_day(44323, CALENDAR_MAC_1904) == "2025-05-08"
    assert as_day(datetime.datetime(2025, 5, 8, 12)) == as_day(datetime.date(2025, 5, 8)) == "2025-05-08"
    assert [as_day(value) for value in (5, 999_999, True, "45785", None)] == [None] * 5


@pytest.mark.fault("F67")
def test_links_are_unwrapped_or_left_out() -> None:
    pdf = LINK.format("x")
    assert unwrap(pdf) == (pdf, "") and unwrap("") == ("", "")
    assert unwrap(SAFELINK) == (pdf, "safelinks")
    assert unwrap(f"https://web.archive.org/web/20250119192356/{pdf}") == (pdf, "wayback")
    assert unwrap("https://gcc02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.com%2F") == (
        "",
        "other-host:evil.com",
    )
    assert unwrap("link pending") == ("", "not-a-url") and unwrap("https://www.ice.gov.evil.com/a") == (
        "",
        "other-host:www.ice.gov.evil.com",
    )


@pytest.mark.fault("F62", "F63", "F65", "F67")
@needs_originals
@pytest.mark.parametrize(
    ("name", "vintage", "rows", "hidden"),
    [
        ("participatingAgencies05282025pm.xlsx", "2025-05-28", 628, 0),
        ("participatingAgencies07082025pm.xlsx", "2025-07-08", 807, 408),
        ("participatingAgencies08042025pm.xlsx", "2025-08-04", 893, 0),
    ],
)
def test_real_workbooks(
    refreshed: Refreshed, project: Path, publisher: Publisher, name: str, vintage: str, rows: int, hidden: int
) -> None:
    folder = project / "data" / "raw" / "rosters"
    shutil.rmtree(folder)
    for before in ("2025-01-19", "2025-05-28", "2025-07-01", "2025-08-04"):
        shutil.copytree(REPOSITORY / "data" / "raw" / "rosters" / before, folder / before)
    site(
        publisher,
        (ORIGINALS / "287g" / name).read_bytes(),
        BOOK.replace("participatingAgencies08042025pm.xlsx", name),
    )
    done = refreshed("rosters", dry_run=True)
    assert done.made.vintage == vintage and done.made.rows == {"roster.csv": rows}
    assert any(f"{hidden} of {rows} rows are hidden" in line for line in done.lines) == bool(hidden)
    if vintage != "2025-07-08":  # an accepted vintage made by others: the same in every cell
        assert not done.difference and done.state == "nothing new"
        assert done.difference.rows == {"roster.csv": (rows, rows)}
    assert len(publisher.seen) == 3


@pytest.mark.fault("F68")
def test_a_roster_that_is_months_old_is_told(refreshed: Refreshed, publisher: Publisher) -> None:
    """ICE has left its page as it was through a shutdown."""
    site(publisher, workbook(saved="2025-08-04"))
    told = "\n".join(refreshed("rosters", dry_run=True, today="2025-09-10").lines)
    assert "days old" not in told
    told = "\n".join(refreshed("rosters", dry_run=True, today="2025-12-04").lines)
    assert "the roster is 122 days old" in told

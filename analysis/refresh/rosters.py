"""ICE's roster of agencies with a 287(g) agreement: the current workbook, found by what it holds."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from analysis.jurisdictions.status import PUBLISHED_MODELS
from analysis.provenance import raw_file
from analysis.refresh import pages, sheets
from analysis.refresh.client import GOVERNMENT_WORK, Compared, Made, Wanted, day, newest, one_file, size_gates
from analysis.refresh.faults import QuarantineError, UsageError
from analysis.refresh.http import Web
from analysis.refresh.parts import MEGABYTE
from analysis.refresh.states import fetched_from
from analysis.sources import rosters
from analysis.sources.states import STATES, TERRITORIES

FOLDER = "rosters"
HOSTS = ("www.ice.gov",)
PAGE = "https://www.ice.gov/identify-and-arrest/287g"
FORM = "the roster's day, such as 2026-06-01, or of a second one of that day 2026-06-01-b"
NAME = re.compile(r"(\d{4}-\d\d-\d\d)(?:-\w+)?")
COMPARED = {
    "roster.csv": Compared(
        ("state_abbr", "agency_as_published", "support_type_as_published"),
        ignore=("snapshot", "sheet_row", "source"),
    )
}
COLUMNS = ("snapshot", "sheet_row", "state_abbr", "state_as_published", "county_as_published")
COLUMNS += ("agency_as_published", "agency_type_as_published", "support_type_as_published", "signed")
COLUMNS += (
    "signed_note",
    "moa_status_as_published",
    "moa_url",
    "moa_url_unwrapped_from",
    "addendum_url",
    "source",
)

HEADINGS = {
    "state": ("STATE",),
    "agency": ("LAW ENFORCEMENT AGENCY", "AGENCY", "AGENCY NAME", "LAW ENFORCEMENT AGENCY (LEA)", "LEA"),
    "type": ("TYPE", "AGENCY TYPE"),
    "county": ("COUNTY", "COUNTY NAME"),
    "support": ("SUPPORT TYPE", "MODEL", "SUPPORT MODEL", "PROGRAM MODEL"),
    "signed": ("SIGNED", "DATE SIGNED", "SIGNED DATE", "MOA SIGNED"),
    "moa": ("MOA", "MOA LINK", "MEMORANDUM OF AGREEMENT"),
    "addendum": ("ADDENDUM", "ADDENDA", "ADDENDUM LINK"),
}
SUPPORT = tuple(PUBLISHED_MODELS)
ABSENT = ("#N/A", "#NA")  # what ICE's own formulas leave where an agency has no county
TYPES = ("county", "municipality", "state agency", "state", "#na", "#n/a", "")
STATE_MISPRINTS = {"PENNSLYVANIA": "PA", "UTAHJ": "UT", "WEST VIRIGINIA": "WV"}
STATE_NAMES = {name.upper(): abbreviation for abbreviation, (_, name) in (STATES | TERRITORIES).items()}

FIRST_AGREEMENT = "2002-01-01"
NAME_DAY = re.compile(
    r"(?<!\d)(\d{2})(\d{2})(20\d{2})(?!\d{3})|(?<!\d)(20\d{2})(\d{2})(\d{2})(?=\d{6}\b|\D|$)"
)
# ICE names a workbook for the day it is posted, at most some days after it was saved.
NAME_DAYS = 4
STALE = 45  # days
LEAST = 0.99  # of the rows before; in a year and a half no true roster lost more than 4 of 897
LINK = re.compile(r"(?i)\.xlsx?(\?|$)")
MOST_LINKS = 12


def fetch(web: Web, wanted: Wanted) -> None:
    """The programme's page and every workbook that it, or a page on participating agencies, links to."""
    if wanted.url and LINK.search(wanted.url):
        web.save(wanted.url, name_of(wanted.url), kind="xlsx", most=20 * MEGABYTE)
        return
    at = wanted.url or PAGE
    links = pages.read(web.save(at, "page.html", kind="html", most=10 * MEGABYTE), at).links
    books = workbooks(links)
    if not books:
        further = [
            url for url, text in links if "participating" in text.lower() and on_host(url) and url != at
        ]
        for number, url in enumerate(dict.fromkeys(further[:3])):
            page = web.save(url, f"page-{number}.html", kind="html", most=10 * MEGABYTE)
            books += workbooks(pages.read(page, url).links)
    if not books:
        raise QuarantineError(
            "no workbook", "the page links to none.", where=at, remedy="give its address with --url."
        )
    for url in books[:MOST_LINKS]:
        web.save(url, name_of(url), kind="xlsx", most=20 * MEGABYTE)


def on_host(url: str) -> bool:
    return host_of(url) in HOSTS and urlsplit(url).scheme == "https"


def host_of(url: str) -> str:
    """An address's host; "" of what is no address."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def workbooks(links: list[tuple[str, str]]) -> list[str]:
    """The addresses of workbooks on the publisher's host, once each."""
    return list(dict.fromkeys(url for url, _ in links if LINK.search(url) and on_host(url)))


def name_of(url: str) -> str:
    """A workbook's name by its address, harmless on any disk."""
    return harmless(unquote(urlsplit(url).path.rsplit("/", 1)[-1]))


def harmless(name: str) -> str:
    name = re.sub(r"(?i)\.xlsx$", "", re.sub(r"[^\w.()-]+", "_", name).lstrip("."))
    return f"{name[:100]}.xlsx"


def make(fetched: Path, wanted: Wanted) -> Made:
    """The newest workbook that has the columns of a roster."""
    if wanted.by_hand:
        chosen = one_file(fetched, wanted, "")
        sheet, told = sheets.read(chosen, HEADINGS, ["addendum"]), ()
    else:
        chosen, sheet, told = choose(sorted(fetched.glob("*.xlsx")))
    posted, gates = dated(sheet.saved, name_day(chosen.name), wanted)
    vintage = wanted.vintage or posted
    if posted > wanted.today:
        gates += (f"the roster's day, {posted}, is still to come.",)
    file = harmless(chosen.name)
    rows, unsure = roster(sheet, vintage, f"ICE:{file}")
    before = newest(FOLDER, vintage)
    told += remarks(sheet, rows)
    days = (date.fromisoformat(wanted.today) - date.fromisoformat(posted)).days
    told += (f"  the roster is {days:,} days old: ICE may have stopped to post it",) if days > STALE else ()
    return Made(
        vintage,
        {
            "publisher": "US Immigration and Customs Enforcement",
            "title": "287(g) participating agencies",
            "url": fetched_from(fetched, chosen.name) or PAGE,
            "as_of": posted,
            "licence": GOVERNMENT_WORK,
            "note": "ICE's text untouched in the columns *_as_published, hidden rows included; signed,"
            " moa_url and addendum_url are normalised. The workbook lies beside it as published.",
        },
        {"roster.csv": to_csv(rows), file: chosen},
        {"roster.csv": len(rows)},
        before,
        (*gates, *unsure, *size_gates(len(rows), rows_of(before), "agreements", least=LEAST)),
        told,
    )


def read(vintage: str) -> object:
    return rosters.read(vintage)


def rows_of(vintage: str | None) -> int:
    return raw_file(FOLDER, vintage, "roster.csv").entry["rows"] if vintage else 0


def choose(books: list[Path]) -> tuple[Path, sheets.Sheet, tuple[str, ...]]:
    """The roster among workbooks: by its columns, and of several the one saved last.

    Raises
    ------
    QuarantineError : none has them (the error of the nearest), or one cannot be read.
    """
    found, errors = [], [sheets.NoSheetError("no workbook", "none was fetched.")]
    for book in books:
        try:
            found.append((sheets.read(book, HEADINGS, ["addendum"]), book))
        except sheets.NoSheetError as error:
            errors.append(error)
    if not found:
        nearest = min(errors[1:] or errors, key=lambda error: error.missing)
        rules = "; ".join(f"{error.where}: {error.rule}" for error in errors[1:])
        raise QuarantineError(nearest.fault, rules or nearest.rule, remedy=nearest.remedy)
    sheet, book = max(found, key=lambda pair: (pair[0].saved, name_day(pair[1].name) or ""))
    told = f"  roster: {book.name}, of {len(books)} workbooks on the page" if len(books) > 1 else ""
    return book, sheet, (told,) if told else ()


def name_day(name: str) -> str | None:
    """The day in a workbook's name, as MMDDYYYY or YYYYMMDD; None without one."""
    for found in NAME_DAY.finditer(name):
        month, day_, year, year2, month2, day2 = found.groups()
        try:
            return date(int(year or year2), int(month or month2), int(day_ or day2)).isoformat()
        except ValueError:
            continue
    return None


def dated(saved: str, name: str | None, wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    """The roster's day: as asked, else that of the name unless the day it was saved speaks against it.

    Names have lied by weeks and by a year, so that the day saved decides then, and a reader must agree.
    """
    if wanted.vintage:
        said = NAME.fullmatch(wanted.vintage)
        asked = day(said[1] if said else wanted.vintage, "day of a roster")
        said = f"{asked} was asked for, but the workbook was saved on {saved}."
        return asked, () if not saved or near(asked, saved) else (said,)
    if not saved and not name:
        raise UsageError(
            "no day", "neither the workbook nor its name tells it.", remedy="give --vintage DAY."
        )
    if not saved or not name:
        return saved or name, ()
    if near(name, saved):
        return name, ()
    said = f"the file's name says {name}, but the workbook was saved on {saved}, which is taken."
    return saved, (said,)


def near(posted: str, saved: str) -> bool:
    """Whether a workbook saved on one day can have been posted on the other."""
    return -1 <= (date.fromisoformat(posted) - date.fromisoformat(saved)).days <= NAME_DAYS


def roster(sheet: sheets.Sheet, vintage: str, source: str) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """The rows in the columns of `data/raw/rosters`, and what looks wrong in them.

    Raises
    ------
    QuarantineError : "unknown state", "no agency", "unknown support type"; with the line of the sheet.
    """
    out, unsure = [], []
    for row in sheet.rows:
        for column in ("state", "agency", "support"):
            if column in row.errors:
                raise QuarantineError(
                    "error cell",
                    f"{row.errors[column]} stands for the {column} in line {row.number} of sheet"
                    f" {sheet.name!r}.",
                    remedy="ICE's workbook is broken: run it again when it is mended.",
                )
        state, doubt = state_of(row)
        unsure += [doubt] if doubt else []
        if not row.text("agency").strip():
            raise QuarantineError("no agency", f"line {row.number} of sheet {sheet.name!r} names none.")
        signed, note = signed_on(row, sheet, vintage)
        link, wrapped = unwrap(row.links.get("moa", ""))
        out.append(
            dict(
                zip(
                    COLUMNS,
                    (
                        vintage,
                        str(row.number),
                        state,
                        row.text("state"),
                        row.text("county"),
                        row.text("agency"),
                        row.text("type"),
                        row.text("support"),
                        signed,
                        note,
                        row.text("moa"),
                        link,
                        wrapped,
                        unwrap(row.links.get("addendum", ""))[0],
                        source,
                    ),
                    strict=True,
                )
            )
        )
    if new := unknown(out, "support_type_as_published", SUPPORT, "SUPPORT TYPE"):
        raise QuarantineError(
            "unknown support type",
            " ".join(new),
            remedy="if ICE has a new model, add it to PUBLISHED_MODELS in analysis/jurisdictions/status.py.",
        )
    unsure += unknown(out, "agency_type_as_published", TYPES, "TYPE")
    broken = [
        (row.number, text)
        for row in sheet.rows
        for name, text in row.errors.items()
        if name in ("county", "type") and text not in ABSENT
    ]
    if broken:
        unsure.append(f"{broken[0][1]} stands in line {broken[0][0]} ({len(broken):,} such cells).")
    undated = [row["sheet_row"] for row in out if not row["signed"]]
    if len(undated) > 0.02 * len(out):
        unsure.append(f"{len(undated):,} of {len(out):,} rows have no plausible day (line {undated[0]}).")
    return out, tuple(unsure)


def unknown(rows: list[dict[str, str]], column: str, known: tuple[str, ...], heading: str) -> list[str]:
    """A sentence for each value outside a closed vocabulary (lower case), with the first line that has it."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if " ".join(row[column].split()).casefold() not in known:
            found.setdefault(row[column], []).append(row["sheet_row"])
    return [
        f"{heading} {text!r} is new (line {lines[0]}, {len(lines)} rows)." for text, lines in found.items()
    ]


def state_of(row: sheets.Row) -> tuple[str, str]:
    """The state's abbreviation, and a doubt where the name is misspelt in a new way."""
    printed = row.text("state")
    name = " ".join(printed.upper().split())
    if found := STATE_NAMES.get(name) or STATE_MISPRINTS.get(name) or (name if name in STATES else None):
        return found, ""
    near = difflib.get_close_matches(name, STATE_NAMES, n=1, cutoff=0.8)
    if not near:
        raise QuarantineError("unknown state", f"{printed!r} in line {row.number} is no state.")
    return STATE_NAMES[near[0]], f"STATE {printed!r} in line {row.number} was read as {near[0].title()}."


def signed_on(row: sheets.Row, sheet: sheets.Sheet, vintage: str) -> tuple[str, str]:
    """The day signed, and a note where the cell was no date or cannot be the day."""
    value = row.values.get("signed")
    found, note = sheets.as_day(value, sheet.epoch), ""
    if found is None and value is not None:
        note = f"text:{row.text('signed')}"
        found = sheets.text_day(row.text("signed"), sheet.epoch)
    elif found is not None and isinstance(value, int | float):
        note = f"serial:{row.text('signed')}"
    if "signed" in row.errors:
        note = f"error:{row.errors['signed']}"
    if found is not None and not FIRST_AGREEMENT <= found <= vintage:
        return "", f"implausible:{row.text('signed') if note else found}"
    return found or "", note


def unwrap(link: str) -> tuple[str, str]:
    """A link without what mail programs, archives and browsers put around it, and what that was."""
    link = link.strip()
    if not link:
        return "", ""
    inner, wrapped = link, ""
    if host_of(link).endswith(".safelinks.protection.outlook.com"):
        inner, wrapped = parse_qs(urlsplit(link).query).get("url", [""])[0], "safelinks"
    elif host_of(link) == "web.archive.org":
        inner, wrapped = re.sub(r"^.*?/web/\d+[a-z_]*/", "", link), "wayback"
    elif host_of(link) and urlsplit(link).scheme == "chrome-extension":
        inner, wrapped = urlsplit(link).path.lstrip("/"), "chrome-extension"
    host = host_of(re.sub(r"^(https?):/+", r"\1://", inner))
    if host not in (*HOSTS, "ice.gov"):
        return "", f"other-host:{host}" if host else "not-a-url"
    return inner, wrapped


def remarks(sheet: sheets.Sheet, rows: list[dict[str, str]]) -> tuple[str, ...]:
    """What a reader of the summary should know."""
    hidden = sum(row.hidden for row in sheet.rows)
    keys = Counter(
        (row["state_abbr"], row["agency_as_published"], row["support_type_as_published"]) for row in rows
    )
    doubled = [key for key, count in keys.items() if count > 1]
    notes = [row for row in rows if row["signed_note"]]
    said: list[tuple[int, Callable[[], str]]] = [
        (hidden, lambda: f"  {hidden:,} of {len(rows):,} rows are hidden in the workbook; all are read"),
        (
            len(doubled),
            lambda: f"  printed twice and kept: {'; '.join(' | '.join(key) for key in doubled[:5])}",
        ),
        (
            len(notes),
            lambda: (
                f"  SIGNED is no plain date in {len(notes):,} rows, first {notes[0]['signed_note']!r}"
                f" in line {notes[0]['sheet_row']}"
            ),
        ),
    ]
    return tuple(text() for count, text in said if count)


def to_csv(rows: list[dict[str, str]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()

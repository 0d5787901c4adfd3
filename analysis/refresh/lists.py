"""The federal lists: the Justice Department's page, and the archived page of Homeland Security."""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import re
from pathlib import Path

from analysis.provenance import raw_file
from analysis.refresh import listed, sniffing
from analysis.refresh.client import GOVERNMENT_WORK, Compared, Made, Wanted, newest, one_file, size_gates
from analysis.refresh.faults import QuarantineError, UsageError
from analysis.refresh.http import Web
from analysis.refresh.parts import MEGABYTE
from analysis.refresh.states import fetched_from
from analysis.sources import lists

FOLDER = "lists"
HOSTS = ("www.justice.gov", "www.dhs.gov", "web.archive.org")
FORM = "the issuer and the day, such as doj-2025-10-31 or dhs-2025-05-31"
LOOSE = ("source_url", "n_press_pages", "note")
COMPARED = {
    "listings.csv": Compared(
        ("state_abbr", "level", "text_as_published"),
        ignore=("vintage", "published", "page_order", "state_heading", "level_heading", "basis", *LOOSE),
    )
}
COLUMNS = ("vintage", "issuer", "published", "page_order", "state_heading", "state_abbr", "level_heading")
COLUMNS += ("level", "text_as_published", "basis", "source_url", "n_press_pages", "note")
NAME = re.compile(r"(dhs|doj)-(\d{4}-\d\d-\d\d)(-\w+)?")
ISSUERS = {
    "dhs": (
        "US Department of Homeland Security",
        "Sanctuary Jurisdictions Defying Federal Immigration Law",
        "https://www.dhs.gov/sanctuary-jurisdictions",
    ),
    "doj": (
        "US Department of Justice",
        "U.S. Sanctuary Jurisdiction List Following Executive Order 14287",
        "https://www.justice.gov/ag/us-sanctuary-jurisdiction-list-following-executive-order-14287"
        "-protecting-american-communities",
    ),
}
ARCHIVE = "https://web.archive.org/web/{}id_/{}"
CAPTURED = re.compile(r"/web/(\d{8})\d*")
UPDATED = re.compile(r"(?i)\b(?:updated|as of|published)\W+(?:on\s+)?([A-Z][a-z]+ \d{1,2}, 20\d\d)")
LEAST, MOST = 0.9, 1.5


def fetch(web: Web, wanted: Wanted) -> None:
    """The page as it stands; of Homeland Security's, which is gone, the archive's capture of the day."""
    issuer, day = named(wanted.vintage) if wanted.vintage else ("doj", "")
    url = wanted.url or ISSUERS[issuer][2]
    if issuer == "dhs" and not wanted.url:
        url = ARCHIVE.format(day.replace("-", ""), url)
    web.save(url, "page.html", kind="html", most=20 * MEGABYTE)
    captured = CAPTURED.search(fetched_from(web.folder, "page.html"))
    if captured and day and captured[1] != day.replace("-", ""):
        raise QuarantineError(
            "another day",
            f"the archive has no capture of {day}; the nearest is of {captured[1]}.",
            where=url,
            remedy="name that day, or read a saved copy with --from FILE.",
        )


def named(vintage: str) -> tuple[str, str]:
    """Issuer and day of a vintage's name.

    Raises
    ------
    UsageError : it has not that form.
    """
    found = NAME.fullmatch(vintage)
    try:
        datetime.date.fromisoformat(found[2] if found else "")
    except ValueError:
        raise UsageError("no vintage", f"{vintage!r} names none.", remedy=f"write {FORM}.") from None
    return found[1], found[2]


def make(fetched: Path, wanted: Wanted) -> Made:
    """The entries of the page, in its order, nothing corrected."""
    file = one_file(fetched, wanted, "page.html")
    if wanted.by_hand:
        sniffing.check(file, "pdf" if sniffing.is_pdf(file) else "html", file.name)
    lines = listed.lines_of(file)
    issuer, day, told, unsure = issued(lines, file, wanted)
    entries = listed.by_state(lines) if issuer == "dhs" else listed.by_level(lines)
    vintage = wanted.vintage or f"{issuer}-{day}"
    publisher, title, url = ISSUERS[issuer]
    address = fetched_from(fetched, file.name)
    archived = CAPTURED.search(address) or (issuer == "dhs" and wanted.by_hand)
    basis = f"archived page (capture of {day})" if archived else f"page as fetched on {wanted.today}"
    rows = [
        (
            vintage,
            issuer.upper(),
            day,
            str(place),
            entry.state_heading,
            entry.state,
            entry.level_heading,
            entry.level,
            entry.text,
            basis,
            url,
            "",
            "",
        )
        for place, entry in enumerate(entries, 1)
    ]
    before = newest(FOLDER, vintage, f"{issuer}-")
    counted = raw_file(FOLDER, before, "listings.csv").entry["rows"] if before else 0
    return Made(
        vintage,
        {
            "publisher": publisher,
            "title": title,
            "url": url,
            "as_of": day,
            "published": day,
            "licence": GOVERNMENT_WORK,
            "note": f"{basis.capitalize()}; entries in the order of the page, as printed. The page lies"
            f" beside it{f'; it came from {address}' if address not in ('', url) else ''}.",
        },
        {"listings.csv": to_csv(rows), f"page{file.suffix.lower()}": file},
        {"listings.csv": len(rows)},
        before,
        (*unsure, *doubts(entries), *size_gates(len(rows), counted, "entries", least=LEAST, most=MOST)),
        told,
    )


def read(vintage: str) -> object:
    return lists.read(vintage)


def issued(
    lines: list[listed.Line], file: Path, wanted: Wanted
) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
    """Issuer and day of a page, what to tell and what looks wrong: as asked, else by its form and words.

    Raises
    ------
    QuarantineError : "no list": no heading of one.
    UsageError : "no day": a capture tells none, and none was given.
    """
    stated = days_in(lines)
    if wanted.vintage:
        issuer, day = named(wanted.vintage)
        other = issuer == "doj" and stated and stated[-1] != day
        return issuer, day, (), (f"{day} was asked for, but the page says {stated[-1]}.",) if other else ()
    headings = {line.text.strip(": ").casefold() for line in lines if listed.level_of(line.text)}
    if not headings:
        raise QuarantineError("no list", "the page has no heading States, Counties or Cities.")
    issuer = "doj" if "states" in headings or not wanted.by_hand else "dhs"
    if in_name := re.search(r"20\d\d-\d\d-\d\d", file.name):
        return issuer, in_name[0], (), ()
    if issuer == "dhs":
        raise UsageError("no day", "the page does not tell its day.", remedy="give --vintage dhs-DAY.")
    if stated:
        return issuer, stated[-1], (), ()
    return issuer, wanted.today, ("  the page tells no day of its own: it is named for today",), ()


def days_in(lines: list[listed.Line]) -> list[str]:
    """The days on which a page says that it was updated, in its order."""
    found = []
    for line in lines:
        for said in UPDATED.findall(line.text):
            with contextlib.suppress(ValueError):
                found.append(datetime.datetime.strptime(said, "%B %d, %Y").date().isoformat())
    return found


def doubts(entries: list[listed.Entry]) -> tuple[str, ...]:
    """What looks like a page that was read wrongly."""
    long = [entry.text for entry in entries if len(entry.text) > 80]
    return tuple(f"an entry is a whole sentence: {text!r}." for text in long[:3])


def to_csv(rows: list[tuple[str, ...]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return stream.getvalue().encode()

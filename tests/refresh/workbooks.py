"""Workbooks of our own in the shape of ICE's."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook

HEADINGS = ("STATE", "LAW ENFORCEMENT AGENCY", "TYPE", "COUNTY", "SUPPORT TYPE", "SIGNED", "MOA", "ADDENDUM")
ROWS = (
    (
        "TEXAS",
        "Galveston County Sheriff’s Office",
        "County",
        "Galveston County",
        "Jail Enforcement Model",
        datetime.datetime(2020, 6, 8),
        "link",
        None,
    ),
    (
        "TEXAS",
        "Galveston County Sheriff's Office",
        "County",
        "Galveston County",
        "Warrant Service Officer",
        datetime.datetime(2025, 3, 27),
        "link pending",
        None,
    ),
    (
        "TEXAS",
        "Kendall County Sheriff's Office",
        "County",
        "Kendall County ",
        "Warrant Service Officer",
        datetime.datetime(2020, 12, 23),
        "link",
        None,
    ),
    (
        "FLORIDA",
        "Alachua Police Department",
        "Municipality",
        "#N/A",
        "Task Force Model ",
        45785,
        "link",
        "link",
    ),
    (
        "GEORGIA ",
        "Clarke County Sheriff's Office",
        "County",
        None,
        "Task Force Model",
        "7/72025",
        "link",
        None,
    ),
)
LINK = "https://www.ice.gov/doclib/287gMOA/{}.pdf"
SAFELINK = "https://gcc02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.ice.gov%2Fdoclib%2F287gMOA%2Fx.pdf&data=05%7C02"


def workbook(
    rows: Iterable[Sequence[object]] = ROWS,
    *,
    headings: Sequence[object] = HEADINGS,
    sheet: str = "Sheet1",
    saved: str = "2025-08-04",
    above: int = 0,
    hidden: Iterable[int] = (),
    links: dict[str, str] | None = None,
    stray: str = "",
    others: Sequence[tuple[str, Sequence[Sequence[object]]]] = (),
) -> bytes:
    """A workbook as bytes: `above` lines before the header, `hidden` rows by number, links by cell."""
    book = Workbook()
    table = book.active
    table.title = sheet
    for line in range(above):
        table.append([f"287(g) participating agencies, line {line}"])
    table.append(list(headings))
    for row in rows:
        table.append(list(row))
    for number in hidden:
        table.row_dimensions[number].hidden = True
    for cell, link in (links or {}).items():
        table[cell].hyperlink = link
        table[cell].value = table[cell].value or "link"
    for cell in table["D"]:
        if cell.value == "#N/A":
            cell.data_type = "e"
    if stray:
        table[stray] = "x"
    for title, lines in others:
        more = book.create_sheet(title)
        for line in lines:
            more.append(list(line))
    book.properties.modified = datetime.datetime.fromisoformat(f"{saved}T18:00:00")
    stream = io.BytesIO()
    book.save(stream)
    # Saving stamps the time of day: put the asked one in.
    return restamp(stream.getvalue(), saved)


def restamp(content: bytes, saved: str) -> bytes:
    """The same workbook with another day saved."""
    import re
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            text = old.read(info)
            if info.filename == "docProps/core.xml":
                text = re.sub(
                    rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + f"{saved}T18:00:00Z".encode(), text
                )
            new.writestr(info.filename, text)
    return out.getvalue()

"""What a reply is, by its first bytes: publishers answer 200 with a page where data were asked for."""

from __future__ import annotations

import html
import re
from pathlib import Path

from analysis.refresh.faults import QuarantineError, UsageError

HEAD = 65_536
BY_HAND = "open the address in a browser; what it offers there can be read with --from FILE."

TITLE = re.compile(r"(?is)<title[^>]*>(.*?)</title>|<h1[^>]*>(.*?)</h1>")
KEY_PAGE = re.compile(r"(?i)(missing|invalid|valid)[\s_-]+key|must be included with each data api request")
PAGE = re.compile(
    rb"(?is)(<\?xml.*?\?>|<!--.*?-->|\s)*<(!doctype\s+html|html|head|body|title|meta|h1|div|p)\b"
)
SOFT_404 = re.compile(
    r"(?i)\b404\b|(page|content|file|site|document)\s+((was|is)\s+)?not\s+found|not be found|can.t find"
    r"|no longer (available|exists?)|page (has been )?(removed|moved)|page unavailable"
)
BLOCKED = re.compile(r"(?i)access denied|are you (a )?(human|robot)|captcha|request (was )?blocked|forbidden")


def form_of(head: bytes) -> str:
    """One of "empty", "html", "zip", "pdf", "gzip", "xls", "json", "xml", "text", "binary"."""
    for mark, form in (
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"%PDF-", "pdf"),
        (b"\x1f\x8b", "gzip"),
        (b"\xd0\xcf\x11\xe0", "xls"),
    ):
        if head.startswith(mark):
            return form
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return "empty"
    if b"\x00" in text:
        return "binary"
    if text[:1] == b"<":
        return "html" if PAGE.match(text) else "xml"
    return "json" if text[:1] in b"[{" else "text"


def is_pdf(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(5) == b"%PDF-"


WANTED = {
    "html": ("html",),
    "json": ("json",),
    "csv": ("text",),
    "text": ("text",),
    "zip": ("zip",),
    "xlsx": ("zip",),
    "pdf": ("pdf",),
}


def title_of(page: str) -> str:
    """The page's title, or its first heading, in one line; "" without either."""
    found = TITLE.search(page)
    return plain(found[1] or found[2] or "")[:120] if found else ""


def plain(markup: str) -> str:
    """Its text in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def check(path: Path, kind: str, where: str) -> None:
    """The file is of the kind that was asked for, and no page that says otherwise.

    Raises
    ------
    QuarantineError : "empty reply", "soft 404", "blocked", "HTML instead of data", "wrong type".
    UsageError : "missing key": the page says that a key is missing or not valid.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    form = form_of(head)
    if form == "empty":
        raise QuarantineError(
            "empty reply", "no bytes; no rows is no success.", where=where, remedy="run it again later."
        )
    if form == "html":
        check_page(head.decode("utf-8", "replace"), kind, where)
    if form not in WANTED[kind]:
        raise QuarantineError(
            "HTML instead of data" if form == "html" else "wrong type",
            f"{kind} was asked for, {form} came{titled(head) if form == 'html' else ''}.",
            where=where,
            remedy=BY_HAND,
        )
    if form == "html" and re.search(rb"(?i)<html\b", head) and b"</html" not in path.read_bytes().lower():
        raise QuarantineError(
            "truncated page", "it ends before its end tag.", where=where, remedy="run it again later."
        )


def check_page(page: str, kind: str, where: str) -> None:
    """The page is not one that says that there is nothing, or that asks for a key.

    A heading decides for a page that was asked for: its text may well speak of pages not found.
    """
    heads = " ".join(plain(found[1] or found[2] or "") for found in TITLE.finditer(page))
    said = heads if kind == "html" else plain(page)
    if kind != "html" and KEY_PAGE.search(said):
        raise UsageError(
            "missing key",
            "the publisher says that the key is missing or not valid.",
            where=where,
            remedy="set the key as the README says, and try again; nothing was kept.",
        )
    for fault, pattern in (("soft 404", SOFT_404), ("blocked", BLOCKED)):
        if pattern.search(said):
            raise QuarantineError(
                fault,
                f"a page titled {title_of(page)!r} came with status 200.",
                where=where,
                remedy=BY_HAND,
            )


def titled(head: bytes) -> str:
    """titled '...', where the page has a title."""
    title = title_of(head.decode("utf-8", "replace"))
    return f" titled {title!r}" if title else ""

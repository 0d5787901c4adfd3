"""Links and text of a publisher's page."""

from __future__ import annotations

import re
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

from analysis.refresh.faults import QuarantineError

SILENT = ("script", "style", "noscript", "template")
BLOCKS = ("p", "li", "tr", "td", "th", "div", "br", "section", "dt", "dd", "button", "summary")
BLOCKS += ("h1", "h2", "h3", "h4", "h5", "h6")
GROUPS = ("ul", "ol", "table")
DECLARED = re.compile(rb"(?i)<meta[^>]*charset\s*=\s*[\"']?\s*([\w-]+)")
LATIN = ("iso-8859-1", "latin-1", "latin1", "windows-1252", "us-ascii")
BLOCKS += GROUPS


def whole(base: str, href: str) -> str:
    """A link's whole address; as it stands where it is none."""
    try:
        return urljoin(base, href)
    except ValueError:
        return href


class Reader(HTMLParser):
    """A page as a list of (tag, group, text): every block of text with the innermost block that holds it, or
    "li" inside a list, and the number of the list or table that it stands in or after."""

    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base, self.links, self.blocks = base, [], []
        self.open, self.group, self.silent, self.link, self.text = ["div"], 0, 0, None, []

    def parse_marked_section(self, start: int, report: int = 1) -> int:
        """`<![x` begins a comment, as in browsers and later Pythons; here an unknown x was an error."""
        return self.parse_bogus_comment(start, report)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag in SILENT:
            self.silent += 1
        elif tag == "base" and given.get("href"):
            self.base = whole(self.base, given["href"])
        elif tag == "a" and given.get("href"):
            self.link = (whole(self.base, given["href"].strip()), [])
        if tag in BLOCKS:
            self.close_block()
            self.group += tag in GROUPS
            if tag != "br":
                self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag == "a" and self.link:
            self.links.append((self.link[0], " ".join("".join(self.link[1]).split())))
            self.link = None
        if tag in BLOCKS and tag in self.open[1:]:
            self.close_block()
            self.group += tag in GROUPS
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.text.append(data)
            if self.link:
                self.link[1].append(data)

    def close_block(self) -> None:
        said = " ".join("".join(self.text).split())
        if said:
            self.blocks.append(("li" if "li" in self.open else self.open[-1], self.group, said))
        self.text = []


def text_of(page: Path) -> str:
    """A page's text: UTF-8, or what it declares.

    Raises
    ------
    QuarantineError : "wrong encoding": its bytes are not of it.
    """
    content = page.read_bytes()
    said = DECLARED.search(content[:4096])
    # What declares latin-1 is Windows-1252 to every browser.
    declared = said[1].decode().lower() if said else ""
    encodings = ("utf-8-sig", "cp1252") if declared in LATIN else ("utf-8-sig",)
    for encoding in encodings:
        with suppress(UnicodeDecodeError):
            text = content.decode(encoding)
            if "\ufffd" not in text:
                return text
    raise QuarantineError(
        "wrong encoding",
        f"it is not {' or '.join(encodings)}: letters would be lost.",
        where=page.name,
        remedy="run it again later, or read a saved copy in UTF-8 with --from FILE.",
    )


def read(page: Path, base: str) -> Reader:
    """A page's links (address, text) and blocks of text (tag, group, text), in its order.

    Raises
    ------
    QuarantineError : "wrong encoding".
    """
    reader = Reader(base)
    reader.feed(text_of(page))
    reader.close()
    reader.close_block()
    return reader

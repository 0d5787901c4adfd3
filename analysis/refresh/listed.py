"""The entries of a federal list as a page prints them, in HTML or as a PDF, in their order."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pypdf

from analysis.refresh import pages, sniffing
from analysis.refresh.faults import QuarantineError
from analysis.sources.states import STATES, TERRITORIES

LEVELS = {"state": "state", "states": "state", "county": "county", "counties": "county"}
LEVELS |= {"city": "place", "cities": "place"}
STATE_NAMES = {name.casefold(): abbreviation for abbreviation, (_, name) in (STATES | TERRITORIES).items()}
WITH_STATE = re.compile(r".+,\s*([A-Z]{2})")
ITEMS = ("li", "td")
LONGEST = 120
# Twenty times what the archived list takes; of programs that the library could call none is.
BOUNDS = {
    "zlib_maximum_output_length": 10_000_000,
    "lzw_maximum_output_length": 10_000_000,
    "run_length_maximum_output_length": 10_000_000,
    "array_based_stream_maximum_output_length": 10_000_000,
    "stream_decoding_work_maximum_length": 20_000_000,
    "stream_parsing_work_maximum_count": 400_000,
    "jbig2dec_binary": None,
}


@dataclass(frozen=True)
class Line:
    """A line of text, how it is set (its tag, or its font and size), and the list or table that holds it."""

    style: str
    text: str
    group: int = 0


@dataclass(frozen=True)
class Entry:
    """One entry: the headings that it stands under, and its text."""

    state_heading: str
    state: str
    level_heading: str
    level: str
    text: str


def lines_of(file: Path) -> list[Line]:
    """The lines of a page, HTML or PDF, in reading order."""
    if sniffing.is_pdf(file):
        return pdf_lines(file)
    return [Line(tag, text, group) for tag, group, text in pages.read(file, "").blocks]


def pages_of(file: Path) -> Iterator[pypdf.PageObject]:
    """The pages of a PDF, read within bounds: a few kilobytes can stand for hours of work."""
    with pypdf.apply_configuration(**BOUNDS):
        yield from pypdf.PdfReader(io.BytesIO(file.read_bytes())).pages


def pdf_lines(file: Path) -> list[Line]:
    """The lines of a PDF from the top of its first page: pieces of one height are one line.

    Raises
    ------
    QuarantineError : "not a PDF": it cannot be read, or ends before its end mark.
    """
    if b"%%EOF" not in file.read_bytes()[-2048:]:
        # The library reads the pages that are left, and entries would be missing without an error.
        raise QuarantineError("not a PDF", "truncated: it ends before its end mark.", where=file.name)
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    pieces: list[tuple[int, float, float, str, str]] = []
    try:
        for number, page in enumerate(pages_of(file)):
            low, high = float(page.mediabox.bottom), float(page.mediabox.top)

            def see(text, cm, tm, font, size, number=number, low=low, high=high) -> None:
                across = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
                up = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
                # A line on the edge is drawn on both pages; it belongs to the one that holds its foot.
                if text.strip() and low <= up < high:
                    name = str((font or {}).get("/BaseFont", "")).rpartition("+")[2]
                    style = f"{name} {abs(size * tm[3] * cm[3]):.1f}"
                    pieces.append((number, -round(up, 1), across, style, text.replace("\n", "")))

            page.extract_text(visitor_text=see)
    except Exception as error:  # the library lets through whatever a broken file causes
        raise QuarantineError(
            "not a PDF", f"it cannot be read ({type(error).__name__}: {error}).", where=file.name
        ) from None
    rows: dict[tuple[int, float], list[tuple[float, str, str]]] = {}
    for number, down, across, style, text in pieces:
        rows.setdefault((number, down), []).append((across, style, text))
    lines = []
    for key in sorted(rows):
        found = sorted(rows[key], key=lambda piece: piece[0])
        lines.append(Line(found[0][1], " ".join("".join(text for _, _, text in found).split())))
    return lines


def level_of(text: str) -> str | None:
    return LEVELS.get(text.strip().rstrip(":").strip().casefold())


def by_state(lines: Sequence[Line]) -> list[Entry]:
    """Entries that stand under a state's name and below it under State, County or Cities.

    Headings are known by their words and by how the first of them are set, so that an entry named as a
    state is no heading.

    Raises
    ------
    QuarantineError : "no list", "unknown heading", "doubled heading".
    """
    start = next(
        (
            place
            for place, (line, after) in enumerate(pairwise(lines))
            if line.text.casefold() in STATE_NAMES and level_of(after.text)
        ),
        None,
    )
    if start is None:
        raise QuarantineError("no list", "no state with State, County or Cities below it.")
    styles = (lines[start].style, lines[start + 1].style)
    is_state = [line.style == styles[0] and line.text.casefold() in STATE_NAMES for line in lines]
    is_level = [line.style == styles[1] and level_of(line.text) is not None for line in lines]
    body = body_style(lines[start:], styles)
    last = max(place for place in range(len(lines)) if is_state[place] or is_level[place])
    entries: list[Entry] = []
    state = heading = ""
    for place, line in enumerate(lines[start:], start):
        if is_state[place]:
            state, heading = line.text, ""
        elif is_level[place]:
            heading = line.text
        elif line.style == body and heading:
            entries.append(
                Entry(state, STATE_NAMES[state.casefold()], heading, level_of(heading) or "", line.text)
            )
        elif place > last:
            break
        elif line.style in styles or line.style == body:
            raise QuarantineError(
                "unknown heading", f"{line.text!r} stands amid the list, after {entries[-1:] or state}."
            )
    return entries


def by_level(lines: Sequence[Line]) -> list[Entry]:
    """Entries that stand under States, Counties and Cities, with the state in the entry's own text.

    Raises
    ------
    QuarantineError : "no list", "unknown entry", "unknown heading".
    """
    at = [place for place, line in enumerate(lines) if level_of(line.text)]
    if not at:
        raise QuarantineError("no list", "no heading States, Counties or Cities was found.")
    entries: list[Entry] = []
    for place, after in zip(at, [*at[1:], len(lines)], strict=True):
        heading, found = lines[place], lines[place + 1 : after]
        for number, line in enumerate(found, 1):
            if line.group != found[0].group:
                break
            state = state_in(line.text, level_of(heading.text))
            if state is None:
                # In a list every item is an entry; plain lines end where no more of them is one.
                more = [each for each in found[number:] if state_in(each.text, level_of(heading.text))]
                if more or (line.style == found[0].style and line.style in ITEMS):
                    raise QuarantineError(
                        "unknown entry", f"{line.text!r} under {heading.text!r} names no state."
                    )
                break
            entries.append(Entry("", state, heading.text.rstrip(": "), level_of(heading.text), line.text))
    missing = {"state", "place"} - {entry.level for entry in entries}
    if missing:
        raise QuarantineError("no list", "States and Cities with entries below them were not found.")
    check_no_other(lines, entries)
    return entries


def check_no_other(lines: Sequence[Line], entries: Sequence[Entry]) -> None:
    """No item of a list, in a page that has the entries in such, looks like an entry and is none.

    Raises
    ------
    QuarantineError : "unknown heading".
    """
    known = Counter(entry.text for entry in entries)
    heading = ""
    for line in lines:
        if line.style not in ITEMS:
            heading = line.text
        elif state_in(line.text, "place") and not known[line.text]:
            raise QuarantineError(
                "unknown heading",
                f"{line.text!r} stands under {heading!r}, which is none of States, Counties and Cities.",
                remedy="look at the page: a new heading belongs in LEVELS of analysis/refresh/listed.py.",
            )


def state_in(text: str, level: str) -> str | None:
    """The state that an entry names: itself, or after its comma."""
    if level == "state":
        return STATE_NAMES.get(text.casefold())
    found = WITH_STATE.fullmatch(text) if len(text) <= LONGEST else None
    return found[1] if found and found[1] in STATES | TERRITORIES else None


def body_style(lines: Sequence[Line], headings: tuple[str, str]) -> str:
    """How entries are set: as most lines are that follow a heading of level."""
    after = Counter(
        below.style
        for line, below in pairwise(lines)
        if line.style == headings[1] and level_of(line.text) and below.style not in headings
    )
    return after.most_common(1)[0][0] if after else "li"

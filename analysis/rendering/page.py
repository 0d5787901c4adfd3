"""One page: read and checked, run or taken from the cache, woven, written."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from analysis.errors import RenderError
from analysis.rendering import cache as kept
from analysis.rendering.chunks import Chunk, Prose, split_chunks, with_params
from analysis.rendering.convert import Manuscript, to_html, to_pdf
from analysis.rendering.execute import run
from analysis.rendering.options import asked_formats, check_document, page_values, settings
from analysis.rendering.source import (
    Line,
    expand,
    read_lines,
    read_mapping,
    refuse,
    shown,
    split_front_matter,
)
from analysis.rendering.structure import check_labels, check_structure
from analysis.rendering.weave import weave
from analysis.writing import replacing


@dataclass(frozen=True)
class Page:
    """A page that has been read and found right, not yet run.

    `values` are its settings with the site's below them; `front` the lines of its front matter, `lines` its
    body with includes and variables in it; `read` every file that it was read from, itself first.
    """

    source: Path
    values: Mapping[str, Any]
    front: tuple[Line, ...]
    lines: tuple[Line, ...]
    chunks: tuple[Chunk, ...]
    read: tuple[Path, ...]

    @property
    def title(self) -> str:
        """The title without its Markdown marks, or the file's name where it has none."""
        return re.sub(r"[*`]", "", str(self.values.get("title", self.source.stem)))


def read_page(source: Path, below: Mapping[str, Any] | None = None, *, site_file: Path | None = None) -> Page:
    """A page, read and checked without running it.

    Parameters
    ----------
    below : the site's settings, over which the page's own stand.
    site_file : `_quarto.yml`, where there is one.

    Raises
    ------
    RenderError : anything that can be seen to be wrong before a cell has run.
    """
    head, body = split_front_matter(read_lines(source))
    own, where = read_mapping(head, "the front matter")
    for line in head:
        if "`{python}" in line.text or "{{<" in line.text:
            refuse(line, "inline code and shortcodes are not honoured in the front matter.")
    check_document(own, where)
    values = page_values(below or {}, own)
    top = Line("", shown(source), 1)
    if "pdf" in asked_formats(values) and "title" not in values:
        refuse(where.get(("format",), top), "a PDF needs a `title` in the front matter.")
    if site_file is not None and "html" not in asked_formats(values):
        refuse(where.get(("format",), top), "a page of a website needs the format html too.")
    for key in ("bibliography", "csl"):
        named = values.get(key, [])
        for name in named if isinstance(named, list) else [named]:
            if not (source.parent / name).is_file():
                refuse(where.get((key,), top), f"the {key} {name!r} does not exist.")
    variables_file = source.parent / "_variables.yml"
    beside = [path for path in (variables_file, site_file) if path is not None and path.is_file()]
    variables, _ = (
        read_mapping(read_lines(variables_file), "the file") if variables_file in beside else ({}, {})
    )
    lines, included = expand(body, source.parent, variables)
    chunks = split_chunks(lines, values.get("execute", {}))
    check_structure([line for chunk in chunks if isinstance(chunk, Prose) for line in chunk.lines])
    check_labels(chunks)
    if values.get("params"):
        chunks = with_params(chunks, values["params"], where.get(("params",), top))
    read = tuple(dict.fromkeys([source, *included, *beside]))
    return Page(source, values, tuple(head), tuple(lines), tuple(chunks), read)


def make_page(
    page: Page,
    *,
    out: Path,
    pages: Sequence[str] = (),
    around: Mapping[str, Any] | None = None,
    cache: Path | None = None,
    stop: threading.Event | None = None,
) -> dict[Path, bytes]:
    """Run a page and make it as HTML, as PDF, or both: what is to be written, by its path in `out`.

    Parameters
    ----------
    pages : the names of the site's pages, which links may go to.
    around : the site's navigation for the template.
    cache : a folder for what the cells gave back, outside `out`; without it every cell runs.
    stop : once it is set, the page's kernel is killed.

    Raises
    ------
    RenderError : as `read_page`, and everything that shows only when cells run and pandoc reads.
    """
    html = settings(page.values, "html")
    results = kept.through(
        cache, page.read, lambda: run(list(page.chunks), page.source.parent, html, stop), out=out
    )
    lines, pictures = weave(page.chunks, results, html)
    lines = lines or [Line("", shown(page.source), 1)]
    check_structure(lines)
    manuscript = Manuscript(lines, page.front, pictures, page.source.parent, pages or [page.source.name])
    wanted = asked_formats(page.values)
    made: dict[str, bytes] = {}
    if "html" in wanted:
        extra = {"page-title": escape(page.title)}
        extra |= {"pdf": f"{page.source.stem}.pdf"} if "pdf" in wanted else {}
        made["html"] = to_html(manuscript, html, {**(around or {}), **extra}).encode("utf-8")
    if "pdf" in wanted:
        made["pdf"] = to_pdf(manuscript, settings(page.values, "pdf"))
    return {out / f"{page.source.stem}.{name}": content for name, content in made.items()}


def write_all(made: Mapping[Path, bytes]) -> list[Path]:
    """Write files, once all of them are made and found right; returns their paths."""
    for path, content in made.items():
        with replacing(path) as beside:
            beside.write_bytes(content)
    return list(made)


def render_page(source: Path, out: Path, *, cache: Path | None = None) -> list[Path]:
    """Render one `.qmd` that belongs to no site into the folder `out`; returns what was written.

    Parameters
    ----------
    source : the page. out : the folder. cache : a folder for what its cells gave back; None runs every cell.

    Raises
    ------
    RenderError : whatever is wrong with the page, with file and line.
    """
    source = Path(source).resolve()
    if source.suffix != ".qmd":
        raise RenderError(f"{shown(source)}, line 1: a page is a .qmd file.")
    return write_all(make_page(read_page(source), out=Path(out), cache=cache))

"""Woven Markdown to HTML and to PDF: one pandoc call each, and for the PDF Typst after it."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from analysis.rendering.source import Line, refuse
from analysis.rendering.structure import find
from analysis.rendering.weave import FOLDER as PICTURES
from analysis.rendering.weave import Pictures
from analysis.wording import MONTHS

HERE = Path(__file__).resolve().parent
FROM_FILTER = re.compile(r"@@(.*?)@@(.*?)@@", re.DOTALL)
POSITION = re.compile(r"line (\d+) column \d+")
MISSING_KEY = re.compile(r"citation (\S+) not found")
# What pandoc reads as Markdown in a page's metadata; everything else is a switch or goes through `variables`.
SHOWN = ("title", "subtitle", "abstract", "abstract-title", "description", "keywords", "bibliography", "csl")


@dataclass(frozen=True)
class Manuscript:
    """A page ready to be converted: its woven body, its pictures, and what its links and files refer to.

    `front` are the lines of the front matter, where a message may have to point; `folder` is the page's own,
    where its images and bibliographies are; `pages` are the names of the site's pages.
    """

    lines: Sequence[Line]
    front: Sequence[Line]
    pictures: Pictures
    folder: Path
    pages: Sequence[str]


def to_html(manuscript: Manuscript, settings: Mapping[str, Any], around: Mapping[str, Any]) -> str:
    """A standalone page.

    Parameters
    ----------
    settings : the page's settings for HTML.
    around : the site's navigation, as the template's variables.

    Raises
    ------
    RenderError : whatever pandoc or the filter does not understand, with the line it stands in.
    """
    theme = (HERE / "theme.css").read_text(encoding="utf-8")
    options = {
        "to": "html5",
        "template": str(HERE / "page.html"),
        "html-math-method": {"method": "mathml"},
        "variables": {"theme": theme, **around},
    }
    with tempfile.TemporaryDirectory(prefix="page-") as name:
        return _pandoc(Path(name), manuscript, settings, options)


def to_pdf(manuscript: Manuscript, settings: Mapping[str, Any]) -> bytes:
    """The same page as a tagged PDF after PDF/UA-1; `settings` are the page's for PDF.

    Raises
    ------
    RenderError : as `to_html`, and what Typst cannot set.
    """
    import typst

    options = {
        "to": "typst",
        "template": str(HERE / "page.typ"),
        "variables": {"paper": settings["papersize"]},
    }
    # Typst takes the clock where it is given no time, and does not know SOURCE_DATE_EPOCH.
    day = datetime.date.fromisoformat(str(settings.get("date", "1970-01-01")))
    with tempfile.TemporaryDirectory(prefix="page-") as name:
        work = Path(name)
        (work / "page.typ").write_text(_pandoc(work, manuscript, settings, options), encoding="utf-8")
        try:
            return typst.compile(
                work / "page.typ",
                root=work,
                ignore_system_fonts=True,
                pdf_standards=["ua-1"],
                timestamp=(day - datetime.date(1970, 1, 1)).days * 86400,
            )
        except RuntimeError as error:
            refuse(manuscript.lines[0], f"somewhere on this page Typst could not go on; it said: {error}")


def _pandoc(
    work: Path, manuscript: Manuscript, settings: Mapping[str, Any], options: Mapping[str, Any]
) -> str:
    """Pandoc's standard output, run in `work`, where the pictures are put first."""
    import pypandoc

    (work / PICTURES).mkdir()
    for name, content in manuscript.pictures.items():
        (work / name).write_bytes(content)
    described = metadata(settings, manuscript.pages)
    (work / "metadata.json").write_text(json.dumps(described), encoding="utf-8")
    defaults = {
        "from": "markdown-yaml_metadata_block-pandoc_title_block",
        "standalone": True,
        "metadata-file": str(work / "metadata.json"),
        "filters": [str(HERE / "filter.lua"), *(["citeproc"] if "bibliography" in settings else [])],
        "resource-path": [str(work), str(manuscript.folder)],
        "table-of-contents": bool(settings.get("toc", False)),
        # Sections are of level 2 in HTML, under the title, and of level 1 on paper.
        "toc-depth": settings["toc-depth"] - (options["to"] == "typst"),
        "syntax-highlighting": "idiomatic" if options["to"] == "typst" else "pygments",
        "wrap": "preserve",
        "fail-if-warnings": True,
        **options,
    }
    (work / "defaults.yaml").write_text(json.dumps(defaults), encoding="utf-8")
    done = subprocess.run(
        [pypandoc.get_pandoc_path(), "--defaults", str(work / "defaults.yaml")],
        input="\n".join(line.text for line in manuscript.lines) + "\n",
        cwd=work,
        env=os.environ | {"LC_ALL": "C.UTF-8"},  # pandoc reads names of files in the locale's encoding
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        diagnose(done.stderr, manuscript)
    return done.stdout


def metadata(settings: Mapping[str, Any], pages: Sequence[str]) -> dict[str, Any]:
    """What pandoc is told of the page, as Markdown, and the filter's switches under `renderer`."""
    out: dict[str, Any] = {key: settings[key] for key in SHOWN if key in settings}
    out |= {key: settings[key] for key in ("lang", "link-citations", "toc-title")}
    people = settings.get("author", [])
    people = people if isinstance(people, list) else [people]
    out["author"] = [person if isinstance(person, str) else person["name"] for person in people]
    if "date" in settings:
        day = datetime.date.fromisoformat(str(settings["date"]))
        # Quarto's long form. strftime would follow the machine's language.
        out["date"] = f"{MONTHS[day.month - 1]} {day.day}, {day.year}"
        out["iso-date"] = day.isoformat()
    out["renderer"] = {
        "numbered": str(bool(settings.get("number-sections", False))).lower(),
        "cites": str("bibliography" in settings).lower(),
        "pages": list(pages),
    }
    return out


def diagnose(stderr: str, manuscript: Manuscript) -> NoReturn:
    """Raise the RenderError for what pandoc said, at the source line that it is about."""
    everything = [*manuscript.lines, *manuscript.front]
    if match := FROM_FILTER.search(stderr):
        refuse(find(everything, match[1]), match[2])
    said = " ".join(stderr.split()).removeprefix("[WARNING] ").split(" [WARNING] ")[0]
    said = said.removesuffix("Failing because there were warnings.").strip()
    if match := MISSING_KEY.search(said):
        refuse(find(everything, f"@{match[1]}"), f"the citation key {match[1]!r} is in no bibliography.")
    if match := POSITION.search(said):
        at = manuscript.lines[min(int(match[1]), len(manuscript.lines)) - 1]
        refuse(at, re.sub(r" *\bat\b *line \d+ column \d+", "", said))
    refuse(manuscript.lines[0], said or "pandoc failed without a word.")

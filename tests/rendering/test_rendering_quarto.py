"""The same sources through Quarto, where it is installed: the same content."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from html_tree import Node, parse

from tests.conftest import REPOSITORY

APPENDIX = ("References", "Footnotes")  # Quarto puts these into an appendix of its own
QUARTO = shutil.which("quarto")


def content(page: Node) -> dict[str, list[str]]:
    """What both renderers must agree on: headings in order, captions, references, cells, figures."""
    main = page.one("main")
    headings = [h for h in main.all() if re.fullmatch("h[1-6]", h.tag) and h.text not in APPENDIX]
    captions = main.all("figcaption") + main.all("caption")
    return {
        "headings": [h.text for h in headings],
        "captions": sorted(c.text.replace("\u00a0", " ") for c in captions),
        "references": [a.text.replace("\u00a0", " ") for a in main.all("a", class_="quarto-xref")],
        "cells": [c.text for c in main.all("td") + main.all("th")],
        "figures": [str(len(main.all("img")))],
    }


@pytest.mark.skipif(QUARTO is None, reason="quarto is not installed (extra [quarto], outside the lock)")
@pytest.mark.parametrize("name", ["index.html", "second.html"])
def test_quarto_says_the_same(name, site, tmp_path_factory):
    source = shutil.copytree(site.source, tmp_path_factory.mktemp("quarto") / "site")
    subprocess.run([QUARTO, "render", source, "--to", "html"], check=True, capture_output=True)
    theirs = content(parse((source / "_site" / name).read_text(encoding="utf-8"), strict=False))
    ours = content(site.page(name))
    assert ours["headings"] and ours["cells"]
    assert ours == theirs


def test_the_tables_that_pages_link_to_are_there_before_quarto_renders():
    told = subprocess.run(
        ["make", "--dry-run", "quarto"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    assert -1 < told.find("analysis export --to reports/downloads") < told.find("quarto render reports")

"""A site as a whole: nothing half written, nothing stale; and the Typst source of a page on paper."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typst

import analysis.rendering.execute as execute_module
from analysis.errors import RenderError
from analysis.provenance import root
from analysis.rendering import render_page, render_site


def site(folder: Path, pages: dict[str, str], more: str = "") -> Path:
    """A site's sources in `folder`."""
    folder.mkdir(exist_ok=True)
    listed = ", ".join(pages)
    (folder / "_quarto.yml").write_text(f"project: {{type: website, render: [{listed}]}}\n{more}")
    for name, text in pages.items():
        (folder / name).write_text(text)
    return folder


def test_a_refused_site_leaves_what_was_there(tmp_path):
    out = tmp_path / "out"
    source = site(tmp_path / "s", {"a.qmd": "first\n", "b.qmd": "## Here\n"})
    assert len(render_site(source, out)) == 2
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert len(before) == 2
    site(source, {"a.qmd": "second [x](b.qmd#nowhere)\n", "b.qmd": "## Here\n"})
    with pytest.raises(RenderError, match="names no place"):
        render_site(source, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_pages_that_left_the_site_are_deleted(tmp_path):
    out = tmp_path / "out"
    paper = "---\ntitle: B\nformat: {html: default, typst: default}\n---\ntext\n"
    source = site(tmp_path / "s", {"a.qmd": "text\n", "b.qmd": paper})
    assert len(render_site(source, out)) == 3
    (out / "mine.html").write_text("<p>not of the site</p>")
    (out / "mine.pdf").write_text("nor this")
    site(source, {"a.qmd": "text\n"})
    assert len(render_site(source, out)) == 1
    assert sorted(path.name for path in out.iterdir()) == ["a.html", "mine.html", "mine.pdf"]


def test_one_failing_page_ends_the_others(tmp_path):
    slow = "```{python}\nimport time\ntime.sleep(60)\n```\n"
    source = site(tmp_path / "s", {"slow.qmd": slow, "wrong.qmd": "```{python}\n1 / 0\n```\n"})
    start = time.monotonic()
    with pytest.raises(RenderError, match=r"wrong\.qmd, line 2: the cell raised ZeroDivisionError"):
        render_site(source, tmp_path / "out")
    assert time.monotonic() - start < 30 and execute_module.LONGEST <= 300


@pytest.mark.parametrize(
    ("pages", "more", "words"),
    [
        ("[3]", "", "a file's name"),
        ("[a.qmd, a.qmd]", "", "'a.qmd' is listed twice"),
        ("[a.qmd]", "website: {navbar: {left: [{href: 3, text: x}]}}", "'href' should be a file's name"),
        ("[a.qmd]", 'website: {page-footer: "See *x*"}', "without Markdown marks"),
        ("[a.qmd]", 'website: {navbar: {left: [{href: a.qmd, text: "[x](y)"}]}}', "without Markdown marks"),
    ],
)
def test_site_files_refused(pages, more, words, tmp_path):
    (tmp_path / "a.qmd").write_text("text\n")
    (tmp_path / "_quarto.yml").write_text(f"project: {{type: website, render: {pages}}}\n{more}\n")
    with pytest.raises(RenderError, match=words) as caught:
        render_site(tmp_path, tmp_path / "out")
    assert re.match(r"\S*_quarto\.yml, line [12]:", str(caught.value)), caught.value


def test_names_that_are_not_ascii_in_a_plain_locale(tmp_path):
    folder = tmp_path / "Größe été"
    folder.mkdir()
    (folder / "été.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (folder / "page.qmd").write_text('![](été.svg){fig-alt="x"}\n', encoding="utf-8")
    code = "import sys, pathlib as p; from analysis.rendering import render_page; \
render_page(p.Path(sys.argv[1]), p.Path(sys.argv[2]))"
    environment = os.environ | {"LC_ALL": "C", "PYTHONPATH": str(root())}
    command = [sys.executable, "-c", code, folder / "page.qmd", folder / "out"]
    subprocess.run(command, check=True, env=environment)
    text = (folder / "out" / "page.html").read_text(encoding="utf-8")
    assert text.count("data:image/svg+xml;base64,") == 1


@pytest.fixture(scope="module")
def paper(tmp_path_factory) -> str:
    """The Typst source of a page with long words, a table without header, and a table of contents."""
    source = tmp_path_factory.mktemp("paper") / "page.qmd"
    long = "w" * 200
    source.write_text(
        f"---\ntitle: T\ntoc: true\nformat: {{typst: {{toc-depth: 3}}}}\n---\n{long} `{long}`\n\n"
        "![](s.svg){fig-alt=x width=200} ![](s.svg){fig-alt=x width=5cm}\n\n"
        "--- ---\n 1  2\n 3  4\n--- ---\n\n| head |\n|------|\n| cell |\n"
    )
    (source.parent / "s.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    sources = []
    with pytest.MonkeyPatch.context() as patch:
        real = typst.compile
        patch.setattr(
            typst, "compile", lambda path, **how: sources.append(path.read_text("utf-8")) or real(path, **how)
        )
        assert len(render_page(source, source.parent / "out")) == 1
    assert len(sources) == 1
    return sources[0]


def test_paper_breaks_long_words(paper):
    pieces = re.findall(r"w+", paper)
    assert sum(len(piece) for piece in pieces) >= 400 and max(map(len, pieces)) <= 30


def test_paper_without_a_header_has_no_bold_row(paper):
    assert "stroke: headerless" in paper and paper.count("#strong[") == 1
    assert re.search(r"table\.header\(\[#strong\[head\]\]", paper)


def test_widths_on_paper(paper):
    assert re.findall(r"width: ([\d.]+\w+)\)", paper) == ["150.0pt", "5cm"]


def test_the_contents_are_as_deep_on_paper(paper):
    assert "depth: 2)" in paper, "the title is no heading there"

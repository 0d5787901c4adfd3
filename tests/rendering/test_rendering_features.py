"""Each honoured feature, by the structure that it leaves in the HTML."""

from __future__ import annotations

import base64
import itertools
import re
from pathlib import Path

import jupytext

from analysis.rendering.chunks import Cell, split_chunks
from analysis.rendering.source import Line

SITE = Path(__file__).parent / "site"


def test_front_matter(index):
    head = index.one("header", class_="title-block")
    assert head.one("h1").text == "Everything honoured & more"
    assert [e.text for e in head.one("h1").all("em")] == ["honoured"]
    assert head.one("p", class_="subtitle").text == "A page that uses each feature"
    assert head.one("p", class_="author").text == "First Author, Second Author"
    assert head.one("time").attributes["datetime"] == "2026-11-22"
    assert head.one("time").text == "November 22, 2026"
    assert head.one("section", class_="abstract").one("strong").text == "emphasis"
    meta = {
        m.attributes.get("name"): m.attributes["content"]
        for m in index.all("meta")
        if "content" in m.attributes
    }
    assert meta["description"] == "The page that the renderer’s tests look at."
    assert meta["keywords"] == "one, two"
    assert meta["author"] in ("First Author", "Second Author")
    assert meta["dcterms.date"] == "2026-11-22"
    assert index.one("title").text == "Everything honoured & more – Test <site>"
    assert index.one("html").attributes["lang"] == "en"


def test_settings_of_page_and_site_meet(index, second):
    assert second.one("html").attributes["lang"] == "en-GB"
    assert index.one("nav", id="TOC"), "toc: true comes from _quarto.yml"
    assert index.one("p", class_="toc-title").text == "In this page", "and so do the options of a format"
    assert not second.all("nav", id="TOC"), "and the page's toc: false stands above it"
    assert not second.all(class_="header-section-number")


def test_table_of_contents_and_section_numbers(index):
    entries = [a.text for a in index.one("nav", id="TOC").all("a")]
    assert entries == ["1 Prose", "1.1 An included section", "2 Figures", "3 Tables", "References"]
    ids = {n.attributes["id"] for n in index.all() if "id" in n.attributes}
    targets = [a.attributes["href"] for a in index.one("nav", id="TOC").all("a")]
    assert targets and all(target.removeprefix("#") in ids for target in targets)


def test_headings_are_in_order_and_alone_at_the_top(index, second):
    for page in (index, second):
        levels = [int(n.tag[1]) for n in page.all() if re.fullmatch("h[1-6]", n.tag)]
        assert levels[0] == 1 and levels.count(1) == 1 and len(levels) > 1
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_params_cells_and_inline_code(index):
    prose = index.one("div", class_="content").all("p")[0]
    assert prose.text.startswith("The level is county, the sum 2")
    assert prose.one("em").text == "marked"
    assert "The value was made in a hidden cell." in [p.text for p in index.all("p")]


def test_cells_see_the_project_and_their_own_folder(index):
    outputs = [o.text for o in index.all("div", class_="cell-output-stdout")]
    assert "RenderError True" in outputs


def test_echo_eval_include_output(index):
    code = [c.text for c in index.all("pre", class_="cell-code")]
    assert code and any("not_defined_anywhere" in text for text in code), "eval: false shows its code"
    assert any("never shown" in text for text in code)
    outputs = " ".join(o.text for o in index.all("div", class_="cell-output"))
    assert "printed" in outputs and "never shown" not in outputs and "kept back" not in outputs
    assert "shown all the same" in outputs, "warning: false keeps back stderr alone"
    assert not any("hidden_value" in text for text in code), "include: false"
    assert not any("#|" in text for text in code)


def test_output_as_it_is(index):
    assert any(p.text == "As is from a cell." and p.all("strong") for p in index.all("p"))


def test_errors_and_warnings_that_are_asked_for(index):
    assert index.one("div", class_="cell-output-error").text == "ZeroDivisionError: division by zero"
    assert index.one("div", class_="cell-output-stderr").text == "UserWarning: careful"


def test_folded_code(index, second):
    folded = index.one("details", class_="code-fold")
    assert folded.one("summary").text == "Code" and "open" not in folded.attributes
    assert "plt.plot" in folded.one("pre").text
    shown = second.one("details", class_="code-fold")
    assert shown.one("summary").text == "How it was made" and "open" in shown.attributes


def test_figures(index):
    captions = {f.attributes["id"]: f.all("figcaption")[-1].text for f in index.all("figure")}
    assert captions == {
        "fig-one": "Figure 1: A line with emphasis .",
        "fig-two": "Figure 2: Two of them.",
        "fig-two-1": "(a) First",
        "fig-two-2": "(b) Second",
        "fig-div": "Figure 3: A caption by div with 42.",
        "fig-square": "Figure 4: A square by hand.",
        "fig-pair": "Figure 5: A pair without letters.",
    }
    images = index.all("img")
    assert len(images) == 7
    assert all(i.attributes["src"].startswith("data:image/svg+xml;base64,") for i in images)
    assert [i.attributes["alt"] for i in images][:4] == [
        'A line that "rises" from 1 to 3.',
        "One falls.",
        "One rises.",
        "Dots.",
    ]
    assert "width:20" in images[4].attributes["style"]
    assert not any("fig-alt" in key for i in images for key in i.attributes)


def test_figure_size(index):
    sizes = []
    for image in index.all("img")[:4]:
        svg = base64.b64decode(image.attributes["src"].partition(",")[2]).decode()
        sizes.append(float(re.search(r'<svg[^>]*?\bwidth="([\d.]+)pt"', svg)[1]))
    assert len(sizes) == 4
    assert sizes[0] < 5 * 72 + 20 < sizes[1], "fig-width of one cell does not stay for the next"


def test_layouts(index):
    layouts = index.all("div", class_="layout")
    assert [len([c for c in layout.parts if not isinstance(c, str)]) for layout in layouts] == [2, 2, 2]
    assert all("--columns: 2" in layout.attributes["style"] for layout in layouts)


def test_tables(index, second):
    tables = index.all("table") + second.all("table")
    assert [t.one("caption").text for t in tables] == [
        "Table 1: A small table.",
        "Table 2: A wide table by hand",
        "Table 3: A caption below its table, after 4 .",
        "Table 1: The only table",
    ]
    assert [t.attributes["id"] for t in tables] == ["tbl-one", "tbl-wide", "tbl-div", "tbl-only"]
    headers = [h for t in tables for h in t.all("th")]
    assert len(headers) == 11 and all(h.attributes["scope"] == "col" for h in headers)
    assert [c.text for c in tables[0].all("td")] == ["x", "1.5", "y", "-2"]
    regions = index.all("div", class_="table-scroll")
    assert len(regions) == 3 and all(len(r.all("table")) == 1 for r in regions)
    assert all(r.attributes["tabindex"] == "0" and r.attributes["aria-label"] for r in regions)


def test_references(index, second):
    shown = [(a.text, a.attributes["href"]) for a in index.all("a", class_="quarto-xref")]
    assert shown == [
        ("Figure 1", "#fig-one"),
        ("Equation 1", "#eq-ols"),
        ("Section 1", "#sec-prose"),
        ("Section 1.1", "#sec-part"),
        ("Fig. 1", "#fig-one"),
        ("1", "#tbl-one"),
        ("Figure 2 (a)", "#fig-two-1"),
        ("Table 1", "#tbl-one"),
        ("Table 2", "#tbl-wide"),
        ("4", "#fig-square"),
    ]
    ids = [n.attributes["id"] for n in index.all() if "id" in n.attributes]
    assert len(ids) == len(set(ids))
    assert all(href.removeprefix("#") in ids for _, href in shown)
    assert [a.text for a in second.all("a", class_="quarto-xref")] == ["Table 1"]


def test_equations(index):
    box = index.one("div", id="eq-ols")
    assert box.one("math").attributes["display"] == "block"
    assert box.one(class_="equation-number").text == "(1)"
    assert "{#eq" not in box.text


def test_citations_and_footnotes(index):
    cited = [c.text for c in index.all("span", class_="citation")]
    assert len(cited) == 2 and cited[0].startswith("Firth (") and "1993, 30" in cited[1]
    assert "Biometrika" in index.one("div", id="refs").text
    assert index.one("h2", id="quarto-bibliography").text == "References"
    notes = index.one("section", id="footnotes")
    assert [li.text.rstrip("↩︎ ") for li in notes.all("li")] == ["The note’s text."]


def test_citation_style_and_place_of_the_bibliography(second):
    assert [c.text for c in second.all("span", class_="citation")] == ["[ 1 ]"]
    assert "1 Bias reduction" in second.one("div", id="refs").text
    assert [h.text for h in second.all("h2")] == ["Only", "Sources", "Last"]


def test_callouts(index):
    kinds = [c for n in index.all() for c in n.classes if re.fullmatch(r"callout-(?!title|kind|body)\w+", c)]
    assert kinds == ["callout-warning", "callout-tip", "callout-note", "callout-important", "callout-caution"]
    closed = index.one("details", class_="callout-warning")
    assert "open" not in closed.attributes
    assert closed.all("summary")[0].text == "Warning Do not use for"
    inner = closed.one("aside", class_="callout-tip")
    assert inner.one("p", class_="callout-title").text == "Tip Inner title"
    assert inner.attributes["aria-label"] == "Tip: Inner title"
    assert "open" in index.one("details", class_="callout-important").attributes
    assert len(index.one("aside", class_="callout-caution").all("li")) == 2
    assert "Inner title" not in index.one("nav", id="TOC").text


def test_tabsets(index):
    tabs = index.one("div", class_="panel-tabset")
    inputs, labels = tabs.all("input"), tabs.all("label")
    assert [label.text for label in labels] == ["One", "Two"]
    assert [i.attributes["id"] for i in inputs] == [label.attributes["for"] for label in labels]
    assert len({i.attributes["name"] for i in inputs}) == 1
    assert ["checked" in i.attributes for i in inputs] == [True, False]
    assert "list" in tabs.all("div", class_="tab-pane")[1].text


def test_includes_variables_divs_and_plain_code(index):
    assert index.one("h3", id="sec-part")
    text = index.one("main").text
    assert "With a value, 605, and" in text and "See the list of 31 May ." in text
    assert "{{< var x >}}" in [c.text for c in index.all("code")], "three braces write a shortcode down"
    assert index.one("div", class_="special").attributes["lang"] == "en"
    assert any("::: {.unclosed}" in p.text for p in index.all("pre")), "code is left alone"


def test_links_between_pages(index, second):
    hrefs = [a.attributes["href"] for a in index.all("a")]
    assert "second.html#sec-only" in hrefs
    assert "index.html#sec-figures" in [a.attributes["href"] for a in second.all("a")]
    assert not any(".qmd" in href for href in hrefs)


def test_no_markup_is_left(index, second):
    for page in (index, second):
        for code in page.all("pre") + page.all("code"):
            code.parts.clear()
        text = page.one("main").text
        assert len(text) > 100
        for mark in (":::", "{#", "{.", "```", "{{<", "**", "@fig", "@tbl", "[^", "{python}", "fig-alt"):
            assert mark not in text, mark


def test_cells_are_those_that_jupytext_finds():
    text = (SITE / "index.qmd").read_text(encoding="utf-8")
    # jupytext takes a cell that is shown inside a longer fence for a cell; ours and Quarto do not.
    text = re.sub(r"(?s)^~~~~.*?^~~~~\n", "", text, flags=re.MULTILINE)
    theirs = [c.source for c in jupytext.reads(text, fmt="Rmd").cells if c.cell_type == "code"]
    lines = [Line(line, "index.qmd", n) for n, line in enumerate(text.splitlines(), start=1)]
    ours = [c.source for c in split_chunks(lines, {}) if isinstance(c, Cell)]
    assert len(ours) == len(theirs) > 10
    assert ours == [re.sub(r"(?m)^#\|.*\n?", "", source).strip("\n") for source in theirs]

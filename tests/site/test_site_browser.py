"""Every page in a browser without a network: requests, axe, keyboard, zoom, print, forced colours, motion."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from site_pages import PAGES

from analysis.rendering import render_site

# What a keyboard has to reach, in the order of the page. Of a group of radio buttons that is the chosen one.
INTERACTIVE = """() => [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
    .filter(e => e.checkVisibility({visibilityProperty: true}) && (e.type !== 'radio' || e.checked))
    .map((e, i) => { e.dataset.order = i; return e.outerHTML.slice(0, 80); })"""
FOCUSED = """() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
    return {order: e.dataset.order, outline: s.outlineStyle === 'none' ? 0 : parseFloat(s.outlineWidth),
            left: r.left, right: r.right, width: r.width}; }"""
# What reaches beyond the window, other than inside a region that scrolls by itself; and what hides its overflow.
CUT = """() => { const wide = document.documentElement.clientWidth, out = [];
    for (const e of document.querySelectorAll('body *')) {
        if (!e.checkVisibility() || e.closest('.skip-link, math, annotation')) continue;
        const box = e.getBoundingClientRect(), style = getComputedStyle(e);
        const scrolls = e.parentElement.closest('.table-scroll');
        if (!scrolls && box.width && (box.right > wide + 1 || box.left < -1)) out.push(e.outerHTML.slice(0, 90));
        if (['hidden', 'clip'].includes(style.overflowX) && e.scrollWidth > e.clientWidth + 1 && box.width > 2)
            out.push('hides: ' + e.outerHTML.slice(0, 90)); }
    return out; }"""

pages = pytest.mark.parametrize("name", PAGES)


@pytest.mark.fault("F87")
@pages
def test_a_page_asks_for_nothing(name, open_page, site):
    page = open_page(name)
    assert page.requests == [(site / f"{name}.html").as_uri()]
    assert page.complaints == []
    assert len(page.inner_text("main")) > 300
    assert (site / f"{name}.html").stat().st_size < 3_000_000


def test_the_first_screen_holds_question_findings_and_edition(open_page):
    page = open_page("index")
    ends = "text => [...document.querySelectorAll('main p, main li')].find(part => part.textContent.startsWith(text))"
    said = ("The question.", "The state", "Outside", "No county", "What this does not show.", "Version")
    places = [page.evaluate(f"{ends}.getBoundingClientRect().bottom", text) for text in said]
    assert places == sorted(places) and places[0] > 0 and places[-1] <= 900


@pages
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(name, scheme, open_page):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed (make test-tools)"
    )
    page = open_page(name, color_scheme=scheme)
    for is_open in (False, True):
        page.evaluate(
            "open => document.querySelectorAll('details').forEach(part => part.open = open)", is_open
        )
        found = axe.Axe().run(page).response
        assert len(found["passes"]) > 15, "axe looked at too little"
        assert [(rule["id"], rule["nodes"][0]["html"][:120]) for rule in found["violations"]] == []


def test_axe_can_find_something(open_page):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed (make test-tools)"
    )
    page = open_page("index")
    page.evaluate(
        "document.querySelector('main').innerHTML += '<img src=\"data:,\"><p style=\"color:#bbb\">pale</p>'"
    )
    assert {"image-alt", "color-contrast"} <= {
        rule["id"] for rule in axe.Axe().run(page).response["violations"]
    }


@pages
def test_the_keyboard_reaches_everything_in_order(name, open_page):
    page = open_page(name, details=True)
    wanted = page.evaluate(INTERACTIVE)
    assert len(wanted) > 8
    for order, what in enumerate(wanted):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUSED)
        assert focus["order"] == str(order), (what, focus)
        assert focus["outline"] >= 2 and focus["width"] > 0, f"no focus is seen on {what}"
        assert order > 0 or focus["left"] >= 0, "the skip link shows itself"


def test_the_skip_link_and_a_summary_work_by_keyboard(open_page):
    page = open_page("findings")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "Main"
    page.focus("summary")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('details').open") is True


@pages
@pytest.mark.parametrize("width", [640, 320], ids=["200 %", "400 %"])
def test_nothing_is_cut_when_enlarged(name, width, open_page):
    page = open_page(name, width=width, details=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT) == []
    for region in page.query_selector_all(".table-scroll"):
        if region.evaluate("e => e.scrollWidth > e.clientWidth + 1"):
            region.focus()
            page.keyboard.press("ArrowRight")
            page.wait_for_function("e => e.scrollLeft > 0", arg=region, timeout=2000)


def test_what_is_cut_is_seen(open_page):
    page = open_page("index", width=320)
    page.evaluate("document.querySelector('main').innerHTML += '<p style=\"width:500px\">wide</p>'")
    assert any("500px" in what for what in page.evaluate(CUT))


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]{4,}", text)


@pages
def test_print_holds_everything_and_cuts_nothing(name, open_page, tmp_path):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    page = open_page(name)
    page.pdf(path=tmp_path / "page.pdf", format="Letter")
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    page.emulate_media(media="print")
    for hidden in ("header.site-header", "nav.toc", "nav.page-navigation"):
        assert all(not part.is_visible() for part in page.query_selector_all(hidden)), hidden
    boxes = subprocess.run(
        ["pdftotext", "-bbox", str(tmp_path / "page.pdf"), "-"],
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout
    wide = float(re.search(r'<page width="([\d.]+)"', boxes)[1])
    placed = re.findall(r'<word xMin="([\d.-]+)" yMin="[\d.-]+" xMax="([\d.-]+)"[^>]*>([^<]*)</word>', boxes)
    assert len(placed) > 50
    assert [word for left, right, word in placed if float(left) < 0 or float(right) > wide] == []
    printed = re.sub(r"[\W_]", "", "".join(word for *_, word in placed))
    shown = words(page.inner_text(".content"))
    assert len(shown) > 40
    missing = [word for word in shown if word not in printed]
    # A word that is broken over two columns of a table is there in two parts.
    assert len(missing) <= len(shown) / 50, missing[:20]


@pages
def test_forced_colours_and_less_motion(name, open_page):
    page = open_page(name, forced_colors="active", reduced_motion="reduce")
    assert page.evaluate("matchMedia('(forced-colors: active)').matches") is True
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)["outline"] >= 2
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert page.evaluate("document.getAnimations().length") == 0
    # Where colours are taken away, links keep their underline and notes their edge.
    assert (
        page.evaluate("getComputedStyle(document.querySelector('main a')).textDecorationLine") == "underline"
    )
    edges = (
        "[...document.querySelectorAll('.callout')].map(e => parseFloat(getComputedStyle(e).borderLeftWidth))"
    )
    assert all(edge >= 3 for edge in page.evaluate(edges))


NAMES = [
    "<script>alert(1)</script>",
    "=cmd()",
    "N" * 300,
    "",
    "&amp;",
    '"><img src=x onerror=alert(1)>',
    "a|b",
    "`x`",
]
HOSTILE = """---
title: "Names"
lang: en
execute:
  echo: false
---

```{python}
#| label: tbl-names
#| tbl-cap: "Names that a list could print."
import json
import pandas as pd
from IPython.display import Markdown
from analysis.tables import escape, markdown_table

names = json.loads(NAMES_HERE)
Markdown(markdown_table(pd.DataFrame({"Name": [name or None for name in names], "Listed": ["yes"] * len(names)})))
```

Inline: `{python} names[0]`, `{python} names[2]`.
"""


@pytest.mark.fault("G2")
def test_hostile_names_are_shown_as_text(open_page, tmp_path: Path):
    (tmp_path / "_quarto.yml").write_text(
        "project:\n  type: website\n  render: [names.qmd]\n", encoding="utf-8"
    )
    source = HOSTILE.replace("NAMES_HERE", repr(json.dumps(NAMES)))
    (tmp_path / "names.qmd").write_text(source, encoding="utf-8")
    render_site(tmp_path, tmp_path / "_site")
    page = open_page("names", width=320, folder=tmp_path / "_site")
    assert page.complaints == [] and len(page.requests) == 1
    assert page.query_selector("main script, main img") is None
    cells = [
        cell.text_content().replace("\u200b", "") for cell in page.query_selector_all("tbody td:first-child")
    ]
    assert cells == NAMES
    assert NAMES[0] in page.inner_text("main > .columns p:last-child")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate(CUT) == []

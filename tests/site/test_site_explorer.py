"""The explorer in a browser without a network: keyboard, axe, print, addresses, numbers, hostile names."""

from __future__ import annotations

import copy
import csv
import io
import re
import time
from pathlib import Path

import pandas as pd
import pytest
from pypdf import PdfReader

from analysis.explorer.columns import columns
from analysis.explorer.page import as_json, document
from tests.conftest import REPOSITORY

READY = "html[data-ready=yes]"
SHOWN = "[...document.querySelectorAll('#pages h1')].map(e => e.textContent)"


@pytest.fixture(scope="module")
def opened(chromium, explorer_page):
    """A function that opens the explorer at an address, once for each kind of window, and waits until it is there."""
    pages, contexts = {}, []

    def open_(address: str = "", *, file: Path = explorer_page, width: int = 1280, scheme: str = "light"):
        kind = (file, width, scheme)
        if kind not in pages:
            context = chromium.new_context(
                viewport={"width": width, "height": 900}, offline=True, color_scheme=scheme
            )
            contexts.append(context)
            page = pages[kind] = context.new_page()
            page.requests, page.complaints = [], []
            page.on("request", lambda request: page.requests.append(request.url))
            page.on("console", lambda message: page.complaints.append(message.text))
            page.on("pageerror", lambda error: page.complaints.append(str(error)))
            page.on("dialog", lambda dialog: (page.complaints.append("a dialog"), dialog.dismiss()))
        page = pages[kind]
        page.goto("about:blank")
        page.requests.clear()
        page.goto(file.as_uri() + address)
        page.wait_for_selector(READY)
        return page

    yield open_
    for context in contexts:
        context.close()


def until(page, holds: str, arg: object = None, seconds: float = 30) -> None:
    """Wait until an expression holds; Playwright's own way would break the page's policy."""
    end = time.monotonic() + seconds
    while not page.evaluate(holds, arg):
        assert time.monotonic() < end, holds
        page.wait_for_timeout(20)


def shown(page) -> list[str]:
    return page.evaluate(SHOWN)


def go(page, address: str) -> None:
    """Another address on the open page; waits until something else is shown."""
    before = page.evaluate("document.title")
    page.evaluate("address => { location.hash = address; }", address)
    until(page, "before => document.title !== before", before)


def test_one_file_that_asks_for_nothing(opened, explorer_page):
    page = opened()
    assert page.requests == [explorer_page.as_uri()] and page.complaints == []
    assert explorer_page.stat().st_size < 4_000_000
    # Layers, pages and a saved table ask for nothing either.
    page.select_option("#layer", "probability")
    go(page, "#17031")
    page.wait_for_timeout(200)
    assert len(page.requests) == 1 and page.complaints == []


def test_the_policy_lets_nothing_else_run(opened):
    page = opened()
    policy = page.get_attribute("meta[http-equiv=Content-Security-Policy]", "content")
    parts = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    assert parts["default-src"] == ["'none'"] and len(parts["script-src"]) == 3
    assert all(re.fullmatch(r"'sha256-[\w+/=]{44}'", source) for source in parts["script-src"])
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.head.append(s); }"
    )
    assert page.evaluate("window.ran") is None
    assert [text for text in page.complaints if "Content Security Policy" in text]
    page.complaints.clear()


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(width, scheme, opened):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed (make test-tools)"
    )
    page = opened(width=width, scheme=scheme)
    for address in ("", "#17031", "#17031,0667000,06,entry-ca-represa", "#99"):
        if address:
            go(page, address)
        found = axe.Axe().run(page).response
        assert len(found["passes"]) > 15, "axe looked at too little"
        told = [(rule["id"], rule["nodes"][0]["html"][:160]) for rule in found["violations"]]
        assert told == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_a_keyboard_reaches_sorts_switches_opens_and_prints(opened, tmp_path):
    page = opened()
    press = page.keyboard.press

    def tab_to(selector: str) -> None:
        for _ in range(60):
            press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                outline = page.evaluate(
                    "() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle === 'none' ? 0 : parseFloat(s.outlineWidth); }"
                )
                assert outline >= 2, selector
                return
        raise AssertionError(f"no way to {selector}")

    # The layer of the map, by arrow.
    tab_to("#layer")
    before = page.inner_text("#layer-text")
    press("ArrowDown")
    until(page, "t => document.getElementById('layer-text').textContent !== t", before)
    assert page.inner_text("#legend-title") == page.evaluate(
        "document.querySelector('#layer').selectedOptions[0].text"
    )
    # The table: sort by residents, the most first.
    tab_to("#units th[data-dt-column] .dt-column-order, #units th .dt-column-order, #units th[tabindex]")
    for _ in range(30):
        if "Residents" in page.evaluate("document.activeElement.closest('th')?.textContent ?? ''"):
            break
        press("Tab")
    press("Enter")
    press("Enter")
    until(page, "() => document.querySelector('#units tbody a').textContent === 'California'")
    # A county by search, its page, and the page on paper.
    page.evaluate("document.getElementById('find').focus()")
    page.keyboard.type("cook county il")
    page.wait_for_selector("#found a")
    assert page.inner_text("#found li:first-child a") == "Cook County, IL"
    assert "found" in page.inner_text("#found-count")
    press("Tab")
    press("Enter")
    until(page, "() => document.activeElement.matches('#pages h1')")
    assert shown(page) == ["Cook County, IL"] and page.url.endswith("#17031")
    assert page.title().startswith("Cook County, IL")
    page.evaluate("window.printed = 0; window.print = () => { window.printed++; }; 0")
    page.focus("#pages .actions a")
    tab_to("#pages .actions button")
    press("Enter")
    assert page.evaluate("window.printed") == 1
    assert pages_of(page) == 1
    # And back, to the search.
    page.focus("#pages .actions a")
    press("Enter")
    until(page, "() => document.activeElement.id === 'find'")
    assert page.is_visible("#overview") and not page.is_visible("#pages")


def pages_of(page, form: str = "Letter") -> int:
    return len(PdfReader(io.BytesIO(page.pdf(format=form))).pages)


def test_the_skip_links_lead_to_search_and_table(opened):
    for target, presses in (("find", 1), ("units", 2)):
        page = opened()
        for _ in range(presses):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        until(page, "id => document.activeElement.id === id", target)
        assert page.is_visible("#overview") and not page.is_visible("#pages")


def test_a_place_on_the_page_in_the_address_shows_map_and_table(opened):
    page = opened("#units")
    assert page.query_selector("#map canvas") and page.is_visible("#units")
    # from the page of a jurisdiction too, and the way back leads to that page
    page = opened("#17031")
    page.evaluate("location.hash = 'units'")
    until(page, "() => document.activeElement.id === 'units' && document.querySelector('#map canvas')")
    assert page.is_visible("#overview") and not page.is_visible("#pages")
    page.go_back()
    until(page, "() => document.activeElement.matches('#pages h1')")
    assert shown(page) == ["Cook County, IL"]
    assert shown(opened("?geoid=17031#find")) == ["Cook County, IL"]


def test_names_are_found_as_they_are_typed(opened):
    page = opened()
    for asked, first in (
        ("dona ana", "Doña Ana County, NM"), ("prince georges", "Prince George's County, MD"),
        ("Prince George’s", "Prince George's County, MD"), ("saint louis county mo", "St. Louis County, MO"),
        ("cook, il", "Cook County, IL"), ("washington", "Washington"), ("washington, d.c.", "City of Washington, DC"),
        ("new york city", "City of New York, NY"), ("king wa", "King County, WA"), ("texas", "Texas"),
    ):  # fmt: skip
        page.fill("#find", asked)
        assert page.inner_text("#found li:first-child a") == first, asked
        page.fill(".dt-search input", asked)
        until(page, "() => document.querySelector('.dt-info').textContent.includes('rows (of')")
        found = page.evaluate("[...document.querySelectorAll('#units tbody tr')].length")
        assert found and page.query_selector("#units tbody a"), asked


def test_money_that_another_code_has_is_linked(opened):
    page = opened("#17031")
    for code, there in (("0667000", "06075"), ("47037", "4752006"), ("11", "1150000"), ("11001", "1150000")):
        go(page, f"#{code}")
        said = page.query_selector("#pages section:has(h2:text('Federal money'))")
        assert "counted once a government" in said.inner_text()
        assert said.query_selector("a").get_attribute("href") == f"#{there}"
    go(page, "#51600")
    assert "Missing: it is worked out for governments on a list alone." in page.inner_text("#pages")


def test_an_entry_without_a_government_is_printed_not_listed(opened):
    page = opened("#17031,entry-ca-represa")
    cells = page.evaluate(
        "[...document.querySelectorAll('.comparison tbody tr')].filter(r => r.textContent.startsWith('Listed by')).map(r => r.lastElementChild.textContent)"
    )
    assert len(cells) == 5 and set(cells) == {"printed, without a government", "not printed"}


def longest(facts: dict) -> list[str]:
    """The pages with the most text in their tables, one of each kind besides."""
    sizes: dict[str, int] = {}
    for packed in facts["records"].values():
        fields = [name for name in packed if name != "codes"]
        texts = {name: [packed[name]["texts"][at] for at in packed[name].get("at", range(len(packed[name]["texts"])))]
                 for name in packed}  # fmt: skip
        for row, codes in enumerate(texts["codes"]):
            for code in codes.split(";"):
                sizes[code] = sizes.get(code, 0) + 20 + sum(len(texts[name][row]) for name in fields)
    kept = {key for level in facts["levels"].values() for key in level["keys"]}
    order = sorted(sizes.keys() & kept, key=lambda code: -sizes[code])
    return order[:8]


def test_a_page_fits_one_sheet(opened, explorer):
    kinds = ["06", "02013", "09110", "11001", "51600", "2507000", "entry-ca-represa", "entry-ny-new-paltz"]
    # the tallest as laid out, by all pages: many agencies, much money, many neighbours
    tallest = ["06075", "21111", "08031", "13059", "06037", "1714000", "06085", "12"]
    known = {key for level in explorer[2]["levels"].values() for key in level["keys"]}
    chosen = list(dict.fromkeys([*kinds, *tallest, *longest(explorer[2])]))
    assert len(chosen) >= 16 and set(chosen) <= known
    page = opened("#17031")
    for code in chosen:
        go(page, f"#{code}")
        sheets = page.pdf(format="Letter")
        read = PdfReader(io.BytesIO(sheets))
        assert len(read.pages) == 1, code
        text = re.sub(r"\s", "", read.pages[0].extract_text())
        ends = re.sub(r"\s", "", page.inner_text("#pages .colophon"))[:60]
        assert ends in text, f"the sheet of {code} has no end"
    assert pages_of(page, "A4") == 1


def test_addresses(opened):
    assert shown(opened("?geoid=17031")) == ["Cook County, IL"]
    assert shown(opened("?geoid=17031,51059")) == ["2 side by side"]
    page = opened("?geoid=cook")
    assert "Cook County, IL" in page.inner_text("#pages article")
    page = opened("#17031")
    assert shown(page) == ["Cook County, IL"]
    # another code of the same government leads to its page, one that is its own page to that
    for address, title in (("#0911037070", "City of Hartford, CT"), ("#0667000", "City of San Francisco, CA"),
                           ("#09001", "Connecticut"), ("#06075", "San Francisco County, CA")):  # fmt: skip
        go(page, address)
        assert shown(page) == [title]
    assert page.get_attribute("#pages header a", "href") == "#0667000"
    go(page, "#entry-ca-represa")
    assert shown(page) == ["Represa, CA"] and "post office" in page.inner_text("#pages")
    # unknown: said, with what is near
    go(page, "#17999")
    assert shown(page) == ["No page for this code"] and "17999" in page.inner_text("#pages q")
    assert page.query_selector("#pages article a[href='#17']")
    for odd in ("#%", "#<img src=x onerror=alert(1)>", "#17031,zzz", "#constructor", "#__proto__"):
        go(page, "#51059")
        go(page, odd)
        assert "No page for this code" in shown(page), odd
        assert page.query_selector("#pages img") is None
    # five: the first four are compared, and the fifth is named
    go(page, "#01001,01003,01005,01007,01009")
    assert shown(page) == ["4 side by side"] and page.query_selector("#add") is None
    assert "Left out: Blount County, AL." in page.inner_text(".actions")
    # as mail and the Census write codes
    for address, n in (
        ("#17031%2C06037", 2),
        ("#17031;06037;48201", 3),
        ("#0500000US17031,1600000US0667000", 2),
    ):
        go(page, "#51059")
        go(page, address)
        assert shown(page) == [f"{n} side by side"], address
    assert shown(opened("?geoid=17031&geoid=51059")) == ["2 side by side"]
    assert page.complaints == []


def test_units_are_added_to_a_comparison_and_taken_away(opened):
    page = opened("#17031")
    page.fill("#add", "fairfax city va")
    page.wait_for_selector(".hits a")
    page.press("#add", "Enter")
    until(page, "() => document.querySelector('#pages h1').textContent === '2 side by side'")
    assert page.url.endswith(",51600") or page.url.endswith(",5126496")
    assert len(page.query_selector_all(".comparison thead th")) == 3
    page.click(".comparison p a >> nth=0")
    until(
        page,
        "() => document.querySelectorAll('#pages h1').length === 1 && !document.querySelector('.comparison')",
    )
    assert shown(page)[0].endswith("VA")


def test_the_legend_and_its_text_are_the_committed_bins(opened):
    page = opened()
    bins = pd.read_csv(REPOSITORY / "data" / "processed" / "explorer_bins.csv")
    names = page.evaluate("[...document.querySelectorAll('#layer option')].map(e => e.value)")
    assert sorted(names) == sorted(bins["layer"].unique()) and len(names) > 30
    pictures = set()
    for name in [*names[::3], "list_dhs_2025_05_31", "probability", "unauthorized_share_fifths"]:
        page.select_option("#layer", name)
        own = bins[bins["layer"] == name]
        until(page, "t => document.getElementById('legend-title').textContent === t", own["label"].iloc[0])
        rows = page.evaluate(
            "[...document.querySelectorAll('#legend tbody tr')].map(r => [r.children[1].textContent, r.children[2].textContent])"
        )
        assert rows[: len(own)] == [
            [text, f"{n:,}"] for text, n in zip(own["text"], own["counties"], strict=True)
        ]
        said = page.inner_text("#layer-text")
        assert all(text in said for text in own["text"][:-1]) and own["label"].iloc[0] in said
        if name in ("list_dhs_2025_05_31", "probability", "unauthorized_share_fifths"):
            page.wait_for_timeout(300)
            pictures.add(page.evaluate("document.querySelector('#map canvas').toDataURL()"))
    assert len(pictures) == 3, "another layer has other colours"


def test_the_map_is_read_and_opened_by_pointer(opened):
    page = opened()
    box = page.query_selector("#map canvas").bounding_box()
    # Cook County on the Albers plane, as its boundary has it.
    page.mouse.move(box["x"] + box["width"] * 0.6475, box["y"] + box["height"] * 0.377)
    until(page, "() => document.getElementById('pointed').textContent.includes('Listed by')")
    name = page.inner_text("#pointed").split(".")[0]
    page.mouse.click(box["x"] + box["width"] * 0.6475, box["y"] + box["height"] * 0.377)
    until(page, "() => document.querySelector('#pages h1')")
    assert shown(page) == [name] and name.endswith(", IL")


def test_a_bin_is_shown_in_the_table(opened):
    page = opened()
    page.select_option("#layer", "probability")
    last = page.query_selector("#legend tbody tr:last-child button")
    n = last.inner_text()
    last.click()
    until(page, "n => document.querySelector('.dt-info').textContent.includes(`of ${n} rows`)", n)
    assert page.evaluate("document.activeElement.id") == "every-bin"
    cells = page.evaluate("[...document.querySelectorAll('#units tbody tr')].map(r => r.textContent)")
    assert len(cells) == 15 and all("missing" in cell for cell in cells)
    page.keyboard.press("Enter")
    until(page, "() => !document.querySelector('.dt-info').textContent.includes('(of')")


def saved_rows(page) -> list[list[str]]:
    with page.expect_download() as download:
        page.click("#save")
    return list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"), newline="")))


def test_every_cell_of_the_table_is_the_committed_number(opened, explorer):
    """Every unit and every column, as the browser prints them, against the tables of the stages."""
    page = opened()
    page.select_option("#shown", "All columns")
    head, *rows = saved_rows(page)
    known = columns()
    expected = pd.concat(
        [pd.read_parquet(REPOSITORY / "data" / "processed" / f"panel_{level}.parquet").assign(level=level)
         for level in ("county", "place", "state")]
    )  # fmt: skip
    predictions = pd.read_parquet(REPOSITORY / "data" / "processed" / "predictions.parquet")
    expected = expected.join(predictions[["probability", "conf_low", "conf_high", "surprise"]])
    table = explorer[0]
    assert len(rows) == len(table) > 6000
    at, compared = {title: place for place, title in enumerate(head)}, 0
    by_key = {row[at["Code"]]: row for row in rows}
    for column in known.values():
        if column.name not in expected:
            continue
        for key, value in expected[column.name].reindex(table.index).items():
            if key.startswith("entry-"):
                continue
            cell = by_key[key][at[column.label]]
            if cell == "not held at this level":
                continue
            cell = cell.removeprefix("'")
            assert cell == written(column, value), (key, column.name)
            compared += 1
    assert compared > 150_000
    # and what the table shows is what was saved
    page.select_option(".dt-length select", "100")
    shown_rows = page.evaluate(
        "[...document.querySelectorAll('#units tbody tr')].map(r => [...r.children].map(c => c.textContent))"
    )
    assert len(shown_rows) == 100 and len(shown_rows[0]) == len(head)
    for cells, saved in zip(shown_rows, rows, strict=False):
        assert cells[4:54] == [cell.removeprefix("'") for cell in saved[4:54]]


def written(column, value: float) -> str:
    """The value by rules of the test's own."""
    if pd.isna(value):
        return "missing"
    if column.choices == ("no", "yes"):
        return ["no", "yes"][int(value)]
    shares = column.suffix in (" %", " points")
    text = f"{abs(100 * value if shares else value):,.{column.decimals}f}"
    rounded = round(100 * value if shares else value, column.decimals)
    sign = "-" if rounded < 0 else "+" if column.suffix == " points" and rounded > 0 else ""
    return f"{sign}{'$' if column.prefix else ''}{text}{column.suffix}"


NAMES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=cmd()|'/c calc'!A0",
    "&amp; </script><b>x</b>",
    "line\u2028end\u2029of",
    "N" * 300,
    "$` ${1} <!--",
]


def test_hostile_names_are_shown_as_text(opened, explorer, tmp_path):
    facts = copy.deepcopy(explorer[2])
    counties = facts["levels"]["county"]
    for place, name in enumerate(NAMES):
        counties["names"][place] = name
    for name in ("text", "note", "read_as"):
        texts = facts["records"]["entries"][name]["texts"]
        facts["records"]["entries"][name]["texts"] = [NAMES[at % len(NAMES)] for at in range(len(texts))]
    file = tmp_path / "explorer.html"
    file.write_text(document(facts, explorer[3], REPOSITORY / "reports"), encoding="utf-8")
    assert file.read_text(encoding="utf-8").count("</script>") == 5
    page = opened(file=file, width=320)
    elements = page.evaluate("document.querySelectorAll('script, img, b').length")
    page.fill(".dt-search input", "alert")
    until(page, "() => document.querySelector('.dt-info').textContent.includes('of 2 rows')")
    assert sorted(
        page.evaluate("[...document.querySelectorAll('#units tbody a')].map(e => e.textContent)")
    ) == sorted(NAMES[:2])
    page.fill(".dt-search input", "01")
    page.select_option("#rows", "county")
    names = {row[0] for row in saved_rows(page)[1:]}
    assert f"'{NAMES[2]}" in names and NAMES[2] not in names, "no cell of a saved file is a formula"
    for place, name in enumerate(NAMES):
        go(page, f"#{counties['keys'][place]}")
        assert page.evaluate("document.querySelector('#pages h1').textContent") == f"{name}, AL"
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    go(page, "#17031,01001,01003")
    assert page.evaluate("document.querySelectorAll('script, img, b').length") == elements
    assert page.complaints == [] and len(page.requests) == 1


def test_json_cannot_end_its_element():
    text = as_json({"a": "</script><!--\u2028\u2029"})
    assert "<" not in text and "\u2028" not in text and "\u2029" not in text


def test_without_javascript_the_page_says_why_and_where_else(chromium, explorer_page):
    context = chromium.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(explorer_page.as_uri())
    said = page.inner_text("noscript")
    assert "JavaScript" in said and page.is_visible("h1") and not page.is_visible("#app")
    links = [link.get_attribute("href") for link in page.query_selector_all("noscript a")]
    assert {"downloads/explorer.csv", "downloads/explorer.parquet", "ledger.html"} <= set(links)
    context.close()


def test_links_to_other_pages_lead_somewhere(site):
    there = (site / "explorer.html").read_text(encoding="utf-8")
    links = {
        link for link in re.findall(r'href="([^"#$`{}]+)"', there) if not link.startswith(("http", "data:"))
    }
    assert len(links) > 12
    assert [link for link in sorted(links) if not (site / link).is_file()] == []
    ledger = (site / "ledger.html").read_text(encoding="utf-8")
    linked = set(re.findall(r'href="explorer\.html#([^"]+)"', ledger))
    keys = set(pd.read_parquet(REPOSITORY / "data" / "processed" / "explorer.parquet").index)
    assert len(linked) > 590 and linked <= keys


def test_the_table_is_searched(opened):
    page = opened()
    page.fill(".dt-search input", "san francisco")
    until(page, "() => document.querySelector('.dt-info').textContent.includes('rows (of')")
    found = page.evaluate("[...document.querySelectorAll('#units tbody a')].map(e => e.textContent)")
    assert {"San Francisco County", "City of San Francisco"} <= set(found)

"""Size and speed of the explorer in headless Chromium without a network.

`make bench` writes `benchmarks/explorer.csv`: each measure is the median of several loads of the page or of
several searches and layers, with its bound. Times are by the page's own clock, from the start of navigation
or from the key or the choice to the frame after the redraw.
"""

from __future__ import annotations

import datetime
import shutil
import statistics
import sys

import pandas as pd

from analysis.explorer.page import PAGE
from analysis.provenance import root
from analysis.writing import write_csv
from benchmarks.pipeline import machine

LOADS = 7
SEARCHES = ("cook", "san francisco", "17031", "montgomery county", "illinois", "no such name", "springfield")
LAYERS = (
    "probability",
    "surprise",
    "roster_2025_05_28",
    "democratic_share_2024_fifths",
    "population_steps",
    "unauthorized_share_fifths",
    "list_dhs_2025_05_31",
)
BOUNDS = {
    "size_mb": 4.0,
    "first_paint_s": 0.5,
    "map_and_table_s": 2.0,
    "search_s": 0.1,
    "layer_s": 0.4,
    "requests": 0,
}
# When the page told that all is drawn, and when it first painted: milliseconds since navigation began.
SHOWN = """() => ({ready: performance.getEntriesByName('ready')[0].startTime,
    paint: performance.getEntriesByName('first-paint')[0].startTime})"""
# From an event to the frame after what it changed is drawn.
SEARCH = """text => new Promise(done => {
    const box = document.querySelector('.dt-search input'), start = performance.now();
    box.value = text; box.dispatchEvent(new Event('input', {bubbles: true}));
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))); })"""
LAYER = """name => new Promise(done => {
    const select = document.getElementById('layer'), start = performance.now();
    document.addEventListener('layer-drawn', () =>
        requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))), {once: true});
    select.value = name; select.dispatchEvent(new Event('change')); })"""


def measure(driver: object, chromium: str) -> dict[str, list[float]]:
    """Every measure of every run, in the units of `BOUNDS`."""
    file = root() / "reports" / PAGE
    found: dict[str, list[float]] = {name: [] for name in BOUNDS}
    found["size_mb"].append(file.stat().st_size / 1e6)
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"],
        )
        for _ in range(LOADS):
            context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
            page, asked = context.new_page(), []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(file.as_uri())
            page.wait_for_selector("html[data-ready=yes]")
            shown = page.evaluate(SHOWN)
            found["first_paint_s"].append(shown["paint"] / 1000)
            found["map_and_table_s"].append(shown["ready"] / 1000)
            found["search_s"] += [page.evaluate(SEARCH, text) / 1000 for text in SEARCHES]
            found["layer_s"] += [page.evaluate(LAYER, name) / 1000 for name in LAYERS]
            found["requests"].append(len(asked) - 1)
            context.close()
        browser.close()
    return found


def main() -> None:
    try:
        import playwright.sync_api as driver
    except ImportError:
        sys.exit("playwright is not installed: make test-tools.")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("chromium is not installed (Debian: apt install chromium).")
    found = measure(driver, chromium)
    rows = [
        {
            "measure": name,
            "median": statistics.median(found[name]),
            "most": max(found[name]),
            "bound": bound,
            "runs": len(found[name]),
        }
        for name, bound in BOUNDS.items()
    ]
    table = pd.DataFrame(rows).round({"median": 3, "most": 3})
    table["measured_on"], table["machine"] = datetime.date.today().isoformat(), machine()
    write_csv(table, root() / "benchmarks" / "explorer.csv")
    print(table.drop(columns=["machine", "measured_on"]).to_string(index=False))
    over = table[table["median"] > table["bound"]]
    if len(over):
        sys.exit(f"over the bounds: {', '.join(over['measure'])}")


if __name__ == "__main__":
    main()

"""The project's own site, rendered once from the committed tables, and a browser without a network."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from site_pages import REPORTS

from analysis.downloads import export
from analysis.rendering import render_site
from tests.conftest import REPOSITORY, once


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, explorer_page: Path) -> Path:
    """The folder of the rendered pages, made from a copy of the sources."""

    def rendered(folder: Path) -> None:
        reports = folder / "reports"
        shutil.copytree(
            REPORTS, reports, ignore=lambda _, names: [n for n in names if n[:1] == "_" and "." not in n]
        )
        shutil.rmtree(reports / "downloads", ignore_errors=True)
        shutil.copy(explorer_page, reports)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
            export(reports / "downloads")
            render_site(reports, reports / "_site")

    return once(tmp_path_factory, "site", rendered) / "reports" / "_site"


@pytest.fixture(scope="session")
def chromium():
    """Chromium without a network; tests that need it are skipped where it or its driver is not installed."""
    driver = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (make test-tools)"
    )
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed (Debian: apt install chromium)")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            # Root, as in a container, cannot have the sandbox; no name resolves.
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, site):
    """A function that opens a page and returns it; `requests` on it lists every address that was asked for."""
    contexts = []

    def opened(name: str, *, width: int = 1280, details: bool = False, folder: Path = site, **options):
        context = chromium.new_context(viewport={"width": width, "height": 900}, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.requests, page.complaints = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (page.complaints.append("a dialog"), dialog.dismiss()))
        page.goto((folder / f"{name}.html").as_uri())
        if details:
            page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        return page

    yield opened
    for context in contexts:
        context.close()

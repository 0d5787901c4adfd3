"""Sources of pages, and the results that are kept of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.doors import looks, real
from tests.doors.engine import Door, Given


def page_doors() -> Iterator[Door]:
    from analysis.rendering.page import read_page
    from analysis.rendering.site import read_site

    reports = REPOSITORY / "reports"

    def folder(given: Given) -> Path:
        own = given.project / "reports"
        for path in reports.glob("*.qmd"):
            if not (own / path.name).is_file():
                shutil.copyfile(path, own / path.name)
        return own

    def site(given: Given) -> object:
        own = folder(given)
        (own / "_quarto.yml").write_bytes(given.content)
        return read_site(own)

    yield Door(
        "reports/_quarto.yml",
        "yaml",
        real.whole(reports / "_quarto.yml"),
        site,
        ("analysis.rendering.site.read_site", "analysis.rendering.source.read_mapping"),
        looks.anything,
    )
    for name in ("findings", "money"):

        def page(given: Given, name: str = name) -> object:
            own = folder(given)
            (own / f"{name}.qmd").write_bytes(given.content)
            return read_page(own / f"{name}.qmd")

        yield Door(
            f"reports/{name}.qmd",
            "yaml",
            real.whole(reports / f"{name}.qmd"),
            page,
            (
                "analysis.rendering.page.read_page",
                "analysis.rendering.source.read_lines",
                "analysis.rendering.source.read_mapping",
            ),
            looks.anything,
        )

    def kept(given: Given) -> object:
        from analysis.rendering.cache import through

        store = given.project / ".render-cache"
        store.mkdir(exist_ok=True)
        (store / "findings.json").write_bytes(given.content)
        return through(store, [given.project / "reports" / "findings.qmd"], lambda: [[]])

    yield Door(
        "a page's kept results",
        "json",
        cache(lambda: b'{"key": "x", "results": [[{"kind": "text"}]]}'),
        kept,
        ("analysis.rendering.cache.through",),
        looks.anything,
        share=0.3,
    )

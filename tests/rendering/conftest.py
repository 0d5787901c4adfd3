"""The site under tests/rendering/site, rendered once for all tests that look at it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from html_tree import Node, parse

from analysis.rendering import render_site

SITE = Path(__file__).parent / "site"


@dataclass
class Rendered:
    """Where a copy of the site's sources is, where its pages and its cache are, what was written."""

    source: Path
    out: Path
    cache: Path
    written: list[Path]

    def page(self, name: str) -> Node:
        return parse((self.out / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Rendered:
    base = tmp_path_factory.mktemp("site")
    source = Path(shutil.copytree(SITE, base / "source"))
    written = render_site(source, base / "out", cache=base / "cache")
    return Rendered(source, base / "out", base / "cache", written)


@pytest.fixture(scope="session")
def index(site) -> Node:
    return site.page("index.html")


@pytest.fixture(scope="session")
def second(site) -> Node:
    return site.page("second.html")

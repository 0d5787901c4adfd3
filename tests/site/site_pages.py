"""The names of the site's pages, as `_quarto.yml` lists them."""

from __future__ import annotations

import yaml

from tests.conftest import REPOSITORY

REPORTS = REPOSITORY / "reports"
PAGES = [
    name.removesuffix(".qmd")
    for name in yaml.safe_load((REPORTS / "_quarto.yml").read_text(encoding="utf-8"))["project"]["render"]
]

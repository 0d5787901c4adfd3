"""Every number in a sentence of a page is one that the page's code gives there, as often as it gives it.

The sources are run here without the renderer, and what they write is held against the rendered pages: an altered
number is seen wherever it stands. That the code reads the committed tables, and that no number is typed, is tested
in `test_site_numbers` and `test_site_sources`.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from site_pages import PAGES, REPORTS
from test_site_numbers import tokens

from tests.conftest import REPOSITORY
from tests.rendering.html_tree import Node, parse

INLINE = re.compile(r"`\{python\} ([^`]*)`")
CELL = re.compile(r"```\{python\}\n(.*?)\n```", re.S)
# What stands in no sentence: rows of tables, and links' targets.
BESIDE = re.compile(r"^\|.*$|\]\([^)]*\)|^:::.*$|\{[#.][^}]*\}", re.M)

REFERENCE = re.compile(r"\b(?:Figure|Table|Section)\s+\d+")


@pytest.fixture(autouse=True)
def _beside_the_pages(monkeypatch: pytest.MonkeyPatch, site: Path) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    monkeypatch.chdir(site.parent)


def shown(value: object) -> str:
    """What a value shows in a page: Markdown, or its text; of a figure nothing."""
    if value is None or hasattr(value, "savefig"):
        return ""
    return getattr(value, "data", None) or str(value)


def run_cell(source: str, names: dict) -> str:
    """Run a cell as a notebook does; what it prints and what its last line is."""
    caption = re.search(r'^#\| fig-cap: "(.*)"$', source, re.M)
    tree = ast.parse(re.sub(r"^(?:%|#\|).*$", "", source, flags=re.M))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, "cell", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None
    plt.close("all")
    return "\n\n".join([printed.getvalue(), shown(value), caption[1] if caption else ""])


def written(name: str) -> str:
    """The Markdown that a page's source makes."""
    text, names, out = (REPORTS / f"{name}.qmd").read_text(encoding="utf-8").split("---", 2)[2], {}, []
    for position, part in enumerate(CELL.split(text)):
        if position % 2:
            out.append(run_cell(part, names))
        else:
            out.append(INLINE.sub(lambda match: shown(eval(match[1], names)), part))
    return BESIDE.sub(" ", "\n".join(out)).replace("\\", "")


def sentences(page: Node) -> Iterator[str]:
    """The innermost texts of a page, numbers of figures, tables and sections taken out."""
    for tag in ("p", "li", "dd", "figcaption"):
        for node in page.one("div", class_="content").all(tag):
            if not any(node.all(inner) for inner in ("table", "p", "li", "dd")):
                yield REFERENCE.sub(" ", node.text)


def in_sentences(name: str, site: Path) -> list[str]:
    page = parse((site / f"{name}.html").read_text(encoding="utf-8"))
    return [token for text in sentences(page) for token in tokens(text)]


def altered(numbers: list[str]) -> Iterator[list[str]]:
    """The same numbers with one of them changed in its first digit, each in turn."""
    for position, number in enumerate(numbers):
        changed = re.sub(r"\d", lambda digit: str((int(digit[0]) + 3) % 10), number, count=1)
        yield [*numbers[:position], changed, *numbers[position + 1 :]]


@pytest.mark.parametrize("name", PAGES)
def test_sentences_hold_the_numbers_that_the_code_gives(name: str, site: Path) -> None:
    numbers, given = in_sentences(name, site), Counter(tokens(written(name)))
    assert numbers or name in ("changes", "downloads")
    assert Counter(numbers) - given == Counter()
    seen = [Counter(others) - given != Counter() for others in altered(numbers)]
    assert sum(seen) >= 0.95 * len(seen), f"{sum(seen)} of {len(seen)}"

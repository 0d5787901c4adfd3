"""The Markdown of the project: links, commands and blocks are what they say, and every public name is there."""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import re
import subprocess
from collections import Counter

import pytest

from analysis.__main__ import parser
from docs import api
from tests.conftest import REPOSITORY
from tests.documents import PAGES, RUN, blocks, read
from tests.test_structure import ORDER

MADE = ("docs/api.md", "benchmarks/spark.md")  # written by a program, of which other tests are
WRITTEN = [page for page in PAGES if page not in MADE]
FENCED = re.compile(r"^ *(`{3,})[^\n]*\n.*?^ *\1`* *$", re.S | re.M)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:analysis|benchmarks|data|docs|notebooks|reports|tests)/[^` ]*)`")


def prose(page: str) -> str:
    """A page without its fenced blocks."""
    return FENCED.sub("", read(page))


def anchors(page: str) -> set[str]:
    """The places of a page's headings, as GitHub names them."""
    found: Counter[str] = Counter()
    places = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.M):
        place = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        places.add(f"{place}-{found[place]}" if found[place] else place)
        found[place] += 1
    return places


def test_pages_are_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/api.md", "docs/add_a_list.md"} <= set(PAGES)
    assert anchors("CONTRIBUTING.md") > {"for-contributors", "how-tos"}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in LINK.findall(prose(page)):
        target, _, place = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        path = (REPOSITORY / page).parent / target if target else REPOSITORY / page
        assert path.exists(), f"{page}: {link}"
        if place:
            assert place in anchors(path.resolve().relative_to(REPOSITORY).as_posix()), f"{page}: {link}"


def test_there_are_links() -> None:
    assert sum(len(LINK.findall(prose(page))) for page in WRITTEN) > 30


def test_paths_named_exist() -> None:
    """Where a page names what a how-to makes or what a build makes, it says so by a place-holder or a page."""
    made = {step.path for page in WRITTEN for step in blocks(page)} | {"reports/downloads"}
    named = {(page, path) for page in WRITTEN if page != "CHANGELOG.md" for path in PATH.findall(prose(page))}
    assert len(named) > 30
    missing = {
        (page, path)
        for page, path in named
        if not (REPOSITORY / path).exists()
        and path.rstrip("/") not in made
        and "_site" not in path
        and "<" not in path
    }
    assert missing == set()


@pytest.mark.parametrize("page", WRITTEN)
def test_every_block_is_carried_out_or_says_why_not(page: str) -> None:
    """`blocks` refuses one of which nothing is said; those of docs/ are carried out by test_howtos."""
    for step in blocks(page):
        assert step.kind != "not run" or len(step.reason) > 20, step.where
        runs = step.kind in RUN
        assert not runs or page.startswith("docs/add_") or (page == "README.md" and step.kind == "python"), (
            f"{step.where}: no test runs this block"
        )


def test_commands_named_exist() -> None:
    text = "\n".join(read(page) for page in WRITTEN if page != "CHANGELOG.md")
    targets = set(re.findall(r"(?:`|^ *)make ([a-z-]+)", text, re.M)) - {"sure"}
    assert len(targets) >= 8
    told = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert {name for name in targets if f"make {name} " not in told} == set()
    commands = set(re.findall(r"python -m analysis ([a-z]+)", text))
    (choices,) = [
        action.choices for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    ]
    assert len(commands) >= 5 and commands <= set(choices)
    modules = set(re.findall(r"python -m ((?:analysis|benchmarks|docs)\.[\w.]*\w)", text))
    assert modules and all(importlib.util.find_spec(name) for name in modules)


def test_the_order_of_modules_is_told() -> None:
    told = re.search(r"from what stands above it: `(.*?)`", read("CONTRIBUTING.md"), re.S)
    assert told is not None
    assert tuple(told[1].replace("\n", " ").split(", ")) == tuple(
        name for name in ORDER if name != "__main__"
    )


def test_the_page_of_public_names_is_current() -> None:
    text = api.PAGE.read_text(encoding="utf-8")
    assert text == api.page(), "run `make docs`"
    assert str(REPOSITORY) not in text and "PosixPath" not in text


def test_every_public_name_is_documented() -> None:
    public = [
        (module, name, value) for module, names in api.public().items() for name, value in names.items()
    ]
    assert len(public) > 40
    assert [f"{module}.{name}" for module, name, value in public if not inspect.getdoc(value)] == []
    text = api.page()
    assert [name for _, name, _ in public if f"\n### `{name}`\n" not in text] == []
    functions = [(name, value) for _, name, value in public if inspect.isfunction(inspect.unwrap(value))]
    assert len(functions) > 20
    unsaid = {
        (name, each)
        for name, value in functions
        for each in inspect.signature(value).parameters
        if not re.search(rf"\b{each}\b", inspect.getdoc(value) or "")
    }
    assert unsaid == set()


def test_a_docstring_becomes_markdown() -> None:
    said = api.shown(
        "One line.\n\nParameters\n----------\na : (n,), the\n    first. b : the second.\n\nReturns\n-------\nTable."
        "\n\nExamples\n--------\n>>> 1 + 1\n2"
    )
    assert said == (
        "One line.\n\n**Parameters**\n\n- `a`: (n,), the first.\n- `b`: the second.\n\n**Returns**\n\nTable."
        "\n\n**Examples**\n\n```pycon\n>>> 1 + 1\n2\n```"
    )

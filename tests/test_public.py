"""What users import is named, described and shown by examples that run; and the type checker reads it."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import subprocess
import tomllib
import warnings
from types import ModuleType

import matplotlib
import pytest

from analysis.errors import MissingValueWarning
from tests.conftest import REPOSITORY

PUBLIC = (
    "analysis.catalogue",
    "analysis.errors",
    "analysis.grants",
    "analysis.jurisdictions",
    "analysis.lookup",
    "analysis.models",
    "analysis.models.multiverse",
    "analysis.models.prediction",
    "analysis.panel",
    "analysis.plots",
    "analysis.tables",
)
TESTED = ("analysis.markup", "analysis.models.rows", "analysis.models.terms")
TESTED += ("analysis.stata", "analysis.terminal")


def names() -> list[tuple[str, str]]:
    return [(module, name) for module in PUBLIC for name in importlib.import_module(module).__all__]


def test_the_lists_are_exact() -> None:
    """Sorted, without a name that is not there, and without a module of one's own that is not listed here."""
    assert len(names()) > 35
    for module in PUBLIC:
        listed = importlib.import_module(module).__all__
        assert listed == sorted(listed, key=lambda name: (name.islower(), name)), module
        assert all(hasattr(importlib.import_module(module), name) for name in listed)


@pytest.mark.parametrize(("module", "name"), names())
def test_a_public_name_says_what_it_takes_and_shows_it(module: str, name: str) -> None:
    thing = getattr(importlib.import_module(module), name)
    text = inspect.getdoc(thing) or ""
    assert len(text) > 40 and "Examples\n--------\n" in text and ">>> " in text
    if inspect.isfunction(thing):
        tree = ast.parse(inspect.getsource(thing)).body[0]
        assert isinstance(tree, ast.FunctionDef)
        arguments = [each.arg for each in (*tree.args.args, *tree.args.kwonlyargs)]
        told = text.split("Examples\n--------")[0]
        assert "Raises\n------" in told or not arguments
        assert "Parameters\n----------" in told or len(arguments) <= 1 or "As `" in told, name
        assert "Returns\n-------" in told or tree.returns is not None
        assert tree.returns is not None and all(
            each.annotation is not None for each in (*tree.args.args, *tree.args.kwonlyargs)
        )


def modules() -> list[ModuleType]:
    """The modules where the public names are at home, and a few more with examples."""
    homes = {inspect.getmodule(getattr(importlib.import_module(module), name)) for module, name in names()}
    homes |= {importlib.import_module(module) for module in TESTED}
    return sorted((home for home in homes if home is not None), key=lambda home: home.__name__)


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_the_examples_do_as_they_say(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    matplotlib.use("Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingValueWarning)
        tried = doctest.testmod(module)
    matplotlib.pyplot.close("all")
    assert tried.attempted > 0 and tried.failed == 0


def test_the_type_checker_reads_every_public_module() -> None:
    """`make lint`, which CI runs, calls it; the files are those of the public names and more."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings["strict"] is True and "tests/typed_user.py" in settings["files"]
    homes = [importlib.import_module(module) for module in PUBLIC] + modules()
    paths = {str(importlib.import_module(home.__name__).__file__) for home in homes}
    missing = {path for path in paths if not any(path.endswith(f"/{file}") for file in settings["files"])}
    assert len(paths) > 20 and missing == set()
    shown = subprocess.run(["make", "-n", "lint"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "mypy" in shown.stdout.split() and "make lint" in (REPOSITORY / ".ci" / "run").read_text()
    assert (REPOSITORY / "analysis" / "py.typed").is_file()

"""The wheel holds everything that the package reads, and works installed, from another folder."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

USE = """
import sys
import analysis
assert analysis.__file__.startswith(sys.argv[1]), analysis.__file__
from analysis.lookup import lookup
from analysis.models import fit, load_model
from analysis.panel import load_panel
from analysis.tables import coefficient_table
from analysis.wording import count
panel = load_panel("county")
print(len(panel), lookup("Cook County, IL")[0].geoid)
print(coefficient_table(fit(load_model("main").with_(add=["median_age"]), panel), format="html").count("<tr>"))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network from a copy of what it is built from."""
    folder = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(
        [
            "git",
            "ls-files",
            "-co",
            "--exclude-standard",
            "analysis",
            "pyproject.toml",
            "README.md",
            "LICENSE",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    for name in filter(None, tracked):
        if (REPOSITORY / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).write_bytes((REPOSITORY / name).read_bytes())
    run(
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        folder,
        folder / "source",
    )
    (built,) = folder.glob("*.whl")
    return built


def run(*words: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "ANALYSIS_ROOT")}
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or environment.get("MAY_FAIL"), done.stderr
    return done


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("analysis/")}
    there = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "analysis").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len({Path(name).suffix for name in there}) >= 7 and len(there) > 150
    assert there - held == set()
    assert {"analysis/variables.yaml", "analysis/tables.yaml", "analysis/py.typed"} <= held
    assert not any(name.startswith(("tests/", "data/")) for name in zipfile.ZipFile(wheel).namelist())


def test_it_works_away_from_its_clone(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    here = {"PYTHONPATH": str(target), "PYTHONSAFEPATH": "1"}
    done = run("-W", "ignore", "-c", USE, target, cwd=elsewhere, ANALYSIS_ROOT=str(REPOSITORY), **here)
    first, second = done.stdout.splitlines()
    assert first == "3144 17031" and int(second) > 10
    told = run("-m", "analysis", "checks", cwd=elsewhere, ANALYSIS_ROOT=str(REPOSITORY), **here)
    assert " pass, 0 fail, " in told.stdout
    lost = run("-m", "analysis", "lookup", "17031", cwd=elsewhere, MAY_FAIL="1", **here)
    assert lost.returncode == 1 and "export ANALYSIS_ROOT=" in lost.stderr and "Traceback" not in lost.stderr
    assert list(elsewhere.iterdir()) == []


def test_what_it_imports_is_declared() -> None:
    """`pip install .` into a clean environment brings whatever a module imports; Spark is an extra."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [re.match(r"[\w-]+", name) for name in project["dependencies"]]
    declared = {name[0].lower().replace("_", "-") for name in found if name}
    provided = importlib.metadata.packages_distributions()
    imported = set()
    for path in (REPOSITORY / "analysis").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported |= {name.partition(".")[0] for name in names}
    outside = imported - set(sys.stdlib_module_names) - {"analysis", "pyspark", "py4j"}
    brought = {name: {each.lower().replace("_", "-") for each in provided.get(name, ())} for name in outside}
    assert len(outside) > 15
    assert {name for name, packages in brought.items() if not packages & declared} == set()

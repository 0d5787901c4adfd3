"""Fixtures for every test: the repository, and a copy of the fixture project with a dozen counties."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

REPOSITORY = Path(__file__).resolve().parents[1]
FIXTURE = Path(__file__).resolve().parent / "fixtures" / "project"
PIPELINE = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
CACHED = type(cache(lambda: None))

# Runs a module as `python -m` does and prints the files that it opened.
RECORDER = """
import json, runpy, sys
opened, module = set(), sys.argv.pop(1)
sys.addaudithook(lambda event, args: opened.add(str(args[0])) if event == "open" else None)
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
finally:
    sys.stderr.write("OPENED" + json.dumps(sorted(opened)))
"""


def forget() -> None:
    """Let go what was read of one project, before another is read in the same process."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "analysis":
            for value in list(vars(module).values()):
                if isinstance(value, CACHED):
                    value.cache_clear()


@pytest.fixture(scope="session")
def explorer() -> tuple:
    """The explorer from the committed tables, made once: its table, the bins of its map, its facts, its outlines."""
    from analysis.explorer.stage import made

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
        forget()
        return made()


@pytest.fixture(scope="session")
def explorer_page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The explorer's file in a folder of its own."""
    from analysis.explorer.page import PAGE, document

    def made(folder: Path) -> None:
        text = document(*request.getfixturevalue("explorer")[2:], REPOSITORY / "reports")
        (folder / PAGE).write_text(text, encoding="utf-8", newline="\n")

    return once(tmp_path_factory, "explorer", made) / PAGE


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the fixture project, which every module takes for the project's folder."""
    folder = copy_project(tmp_path / "project")
    monkeypatch.setenv("ANALYSIS_ROOT", str(folder))
    forget()
    yield folder
    forget()


def copy_project(folder: Path) -> Path:
    """The fixture project in a new folder, with the repository's own corrections and pipeline, of which what
    a dozen counties do not have is no dependency."""
    shutil.copytree(FIXTURE, folder)
    shutil.copytree(REPOSITORY / "data" / "corrections", folder / "data" / "corrections")
    (folder / "dvc.yaml").write_text(fixture_pipeline(), encoding="utf-8")
    return folder


@cache
def fixture_pipeline() -> str:
    """The repository's pipeline without the dependencies that the copies lack and no stage makes."""
    made = {path for stage in PIPELINE.values() for path in outs(stage)} | {"data/processed"}

    def held(dep: str) -> bool:
        return dep in made or ((REPOSITORY if "corrections" in dep else FIXTURE) / dep).exists()

    kept = {
        name: stage | {"deps": [dep for dep in stage["deps"] if held(dep)]}
        for name, stage in PIPELINE.items()
    }
    return yaml.safe_dump({"stages": kept}, sort_keys=False)


def outs(stage: dict) -> list[str]:
    """The paths that a stage writes."""
    return [next(iter(out)) for out in stage["outs"]]


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker of a run makes; the others wait for it, and all only read it."""
    mine = factory.getbasetemp()
    folder = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / name
    made = folder.with_name(f"{name}.made")
    with FileLock(f"{folder}.lock"):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """The fixture project after every stage, and the paths that each stage opened."""
    folder = once(tmp_path_factory, "built", record_stages)
    return folder / "project", json.loads((folder / "opened.json").read_text(encoding="utf-8"))


def record_stages(folder: Path) -> None:
    """Every stage on a copy of the fixture project, `project`; `opened.json` says what each opened."""
    project, opened = copy_project(folder / "project"), {}
    for name, stage in PIPELINE.items():
        _, _, module, *words = stage["cmd"].split()
        done = subprocess.run(
            [sys.executable, "-c", RECORDER, module, *words],
            cwd=project,
            env=os.environ | {"ANALYSIS_ROOT": str(project), "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=False,
        )
        before, _, said = done.stderr.rpartition("OPENED")
        assert done.returncode == 0, (name, before)
        opened[name] = json.loads(said)
    (folder / "opened.json").write_text(json.dumps(opened), encoding="utf-8")


@pytest.fixture(scope="session")
def built(recorded: tuple[Path, dict[str, list[str]]]) -> Path:
    """The fixture project after every stage."""
    return recorded[0]


def outputs(folder: Path) -> dict[str, bytes]:
    """Every file that the pipeline wrote in a project, by its path."""
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for top in ("data/processed", "reports/_site", "reports/downloads")
        for path in sorted((folder / top).rglob("*"))
        if path.is_file()
    }
    assert len(found) > 10
    return found


def run_stage(command: str, folder: Path) -> subprocess.CompletedProcess:
    """A stage's command, as `dvc.yaml` has it, on the project in `folder`."""
    words = command.split()
    assert words[0] == "python"
    return subprocess.run(
        [sys.executable, *words[1:]],
        cwd=folder,
        env=os.environ | {"ANALYSIS_ROOT": str(folder), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def record(path: Path) -> None:
    """Write a changed raw file's checksum into its origin.yaml, as a careless hand would."""
    origin = path.with_name("origin.yaml")
    content = yaml.safe_load(origin.read_text(encoding="utf-8"))
    content["files"][path.name]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    origin.write_text(yaml.safe_dump(content), encoding="utf-8")

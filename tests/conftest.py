"""Fixtures for every test: the repository, and a copy of the fixture project with a dozen counties."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from analysis import catalogue, ledger, panel, units

REPOSITORY = Path(__file__).resolve().parents[1]
FIXTURE = Path(__file__).resolve().parent / "fixtures" / "project"


def forget() -> None:
    """Let go what was read of one project, before another is read in the same process."""
    for module in (catalogue, ledger, panel, units):
        for name in vars(module).values():
            if hasattr(name, "cache_clear"):
                name.cache_clear()


@pytest.fixture(scope="session")
def explorer() -> tuple:
    """The explorer from the committed tables, made once: its table, the bins of its map, its facts, its outlines."""
    from analysis.explorer.stage import made

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
        forget()
        return made()


@pytest.fixture(scope="session")
def explorer_page(explorer: tuple, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The explorer's file in a folder of its own."""
    from analysis.explorer.page import PAGE, document

    file = tmp_path_factory.mktemp("explorer") / PAGE
    file.write_text(document(*explorer[2:], REPOSITORY / "reports"), encoding="utf-8", newline="\n")
    return file


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the fixture project, which every module takes for the project's folder."""
    folder = copy_project(tmp_path / "project")
    monkeypatch.setenv("ANALYSIS_ROOT", str(folder))
    forget()
    yield folder
    forget()


def copy_project(folder: Path) -> Path:
    """The fixture project with the repository's own corrections, in a new folder."""
    shutil.copytree(FIXTURE, folder)
    shutil.copytree(REPOSITORY / "data" / "corrections", folder / "data" / "corrections")
    return folder


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

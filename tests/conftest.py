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

from analysis import catalogue, ledger, lookup, panel, units

REPOSITORY = Path(__file__).resolve().parents[1]
FIXTURE = Path(__file__).resolve().parent / "fixtures" / "project"


def forget() -> None:
    """Let go what was read of one project, before another is read in the same process."""
    for module in (catalogue, ledger, lookup, panel, units):
        for name in vars(module).values():
            if hasattr(name, "cache_clear"):
                name.cache_clear()


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

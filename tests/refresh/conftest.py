"""A publisher on this machine and a project of its own for every test; no wait is longer than it must be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analysis.refresh import http
from analysis.refresh.command import Outcome, Request, refresh
from tests.conftest import REPOSITORY
from tests.refresh.publisher import Publisher

ORIGINALS = REPOSITORY.parent / "shared" / "data" / "originals"
TODAY = "2026-11-22"
needs_originals = pytest.mark.skipif(not ORIGINALS.is_dir(), reason="the publishers' own files are not here")


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
    with Publisher() as server:
        monkeypatch.setenv("ANALYSIS_REFRESH_REPLAY", server.address)
        yield server


@pytest.fixture
def refreshed(project: Path, publisher: Publisher) -> Callable[..., Outcome]:
    """Run a refresh in this process, on the fixture project, against the publisher."""

    def run(source: str, **options: object) -> Outcome:
        return refresh(Request(source, **{"today": TODAY} | options))

    return run


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def command(project: Path, *words: str, **environment: str) -> subprocess.Popen:
    """`python -m analysis refresh` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "analysis", "refresh", *words],
        cwd=project,
        env=os.environ | {"ANALYSIS_ROOT": str(project), "PYTHONPATH": str(REPOSITORY)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

"""Runs of the pipeline that are killed: used by the tests, and many times over by the soak."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from analysis.verify import ALTERED
from tests.conftest import PIPELINE, REPOSITORY, copy_project, outs

DVC = [sys.executable, "-m", "dvc"]


def environment(folder: Path) -> dict[str, str]:
    """Variables for a project in a folder, with the altered time zone, locale and hashes."""
    here = {"ANALYSIS_ROOT": str(folder), "PYTHONPATH": str(REPOSITORY)}
    return os.environ | ALTERED.environment | here


def dvc(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """A DVC command in a project."""
    return subprocess.run(
        [*DVC, *words], cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )


def dvc_project(folder: Path) -> Path:
    """The fixture project with DVC set up, nothing run yet."""
    copy_project(folder)
    (folder / ".dvcignore").write_text((REPOSITORY / ".dvcignore").read_text(encoding="utf-8"))
    assert dvc(folder, "init", "--no-scm", "--quiet").returncode == 0
    for option in ("core.analytics", "core.check_update"):
        assert dvc(folder, "config", option, "false").returncode == 0
    return folder


def mend(folder: Path) -> bool:
    """What `make repro` does first: DVC's own record, which it writes over in place, mended where it was cut."""
    command = [sys.executable, "-m", "analysis.lockfile"]
    about = {"cwd": folder, "env": environment(folder), "capture_output": True, "text": True}
    return bool(subprocess.run(command, check=True, **about).stdout)


def start(folder: Path, *words: str) -> subprocess.Popen:
    """`dvc repro` in a process group of its own."""
    return subprocess.Popen(
        [*DVC, "repro", *words],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def kill(running: subprocess.Popen, *, group: bool) -> bool:
    """kill -9 of DVC with its stage, or of DVC alone, whose stage goes on; whether it was still running."""
    if running.poll() is not None:
        return False
    os.killpg(running.pid, signal.SIGKILL) if group else running.kill()
    running.wait()
    running.stdout.close()
    return True


def killed(folder: Path, draw: random.Random, longest: float) -> Iterator[bool]:
    """Runs that are killed after a random time, for ever: whether each was still running when its time came."""
    while True:
        running = start(folder)
        time.sleep(draw.uniform(0.5, longest))
        yield kill(running, group=draw.random() < 0.7)


def half_written(folder: Path, whole: dict[str, bytes]) -> list[str]:
    """Outputs that are there, and are not what they are at the end."""
    return [
        path
        for path, content in whole.items()
        if (folder / path).is_file() and (folder / path).read_bytes() != content
    ]


def extra(folder: Path) -> list[str]:
    """Files among the outputs that no stage declares."""
    declared = {path for stage in PIPELINE.values() for path in outs(stage)}
    return sorted(
        str(path.relative_to(folder))
        for path in (folder / "data" / "processed").iterdir()
        if str(path.relative_to(folder)) not in declared
    )

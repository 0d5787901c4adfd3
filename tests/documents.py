"""Markdown as a test reads it: the blocks of a page, what the page says to do with each, and doing it.

The paragraph before a block says what it is: "New file `path`:", "At the end of `path`:", "In `path`, below `line`:"
or "In `path`, in place of `line`:". Other blocks of `sh` and `python` are run, and one of `text` is what the run before
it printed. A comment `<!-- not run: why -->` before a block says why none of this is done with it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY

FENCE = re.compile(r"^( *)(`{3,})([\w-]*)\s*$")
NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")
EDITS = (
    ("new", re.compile(r"\bNew file `([^`]+)`:$")),
    ("append", re.compile(r"\b[Aa]t the end of `([^`]+)`:$")),
    ("below", re.compile(r"\b[Ii]n `([^`]+)`, below `([^`]+)`:$")),
    ("replace", re.compile(r"\b[Ii]n `([^`]+)`, in place of `([^`]+)`:$")),
)
RUN = ("sh", "python")
PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for folder in (".", "docs", "benchmarks", "data/corrections")
    for path in (REPOSITORY / folder).glob("*.md")
)


@dataclass(frozen=True)
class Block:
    """A fenced block: `kind` is an edit of EDITS, a language of RUN, `output` or `not run`."""

    page: str
    line: int
    kind: str
    text: str
    path: str = ""
    anchor: str = ""
    reason: str = ""

    @property
    def where(self) -> str:
        return f"{self.page}, line {self.line}"


def read(page: str) -> str:
    return (REPOSITORY / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page in their order."""
    found, paragraph, ended, opened, content = [], [], False, None, []
    for number, line in enumerate(read(page).splitlines(), 1):
        fence = FENCE.match(line)
        if opened is None and fence:
            opened, content = (number, *fence.groups()), []
        elif opened and fence and not fence[3] and len(fence[2]) >= len(opened[2]):
            found.append(block(page, opened, "\n".join(content), " ".join(paragraph)))
            opened, paragraph = None, []
        elif opened:
            indent = len(opened[1])
            assert not line[:indent].strip(), f"{page}, line {number}: less indented than its fence"
            content.append(line[indent:])
        elif line.strip():
            paragraph, ended = [*([] if ended else paragraph), line.strip()], False
        else:
            ended = True
    assert opened is None, f"{page}: a block is not closed"
    return found


def block(page: str, opened: tuple, content: str, before: str) -> Block:
    line, _, _, language = opened
    if reason := NOT_RUN.search(before):
        return Block(page, line, "not run", content, reason=reason[1])
    for kind, pattern in EDITS:
        if said := pattern.search(before):
            return Block(page, line, kind, content, *said.groups())
    kind = "output" if language == "text" else language
    assert kind in (*RUN, "output"), f"{page}, line {line}: nothing says what to do with this block"
    return Block(page, line, kind, content)


def edit(step: Block, folder: Path) -> None:
    """Change a file of the project in `folder` as the page says."""
    path = folder / step.path
    if step.kind == "new":
        assert not path.exists(), f"{step.where}: {step.path} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text + "\n", encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    if step.kind == "append":
        path.write_text(text + step.text + "\n", encoding="utf-8")
        return
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip() == step.anchor)
    lines[at : at + 1] = [lines[at], step.text] if step.kind == "below" else [step.text]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(step: Block, folder: Path) -> str:
    """What the block prints, run in the project in `folder` as in an environment that is active."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "ANALYSIS_ROOT": str(folder),
        "OMP_NUM_THREADS": "1",
    }
    command = ["bash", "-e", "-c"] if step.kind == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*command, step.text], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (
        f"{step.where} failed:\n{step.text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    )
    return done.stdout


def carry_out(*pages: str, folder: Path) -> str:
    """Do all that the pages say in the project in `folder`, every edit first; returns what was printed.

    What a page says is printed must be.
    """
    printed, last = [], ""
    steps = [step for page in pages for step in blocks(page) if step.kind != "not run"]
    for step in steps:
        if step.kind not in (*RUN, "output"):
            edit(step, folder)
    for step in steps:
        if step.kind in RUN:
            last = run(step, folder)
            printed.append(last)
        elif step.kind == "output":
            missing = [line for line in step.text.splitlines() if line.strip() not in last]
            assert not missing, f"{step.where}: not printed: {missing}; printed:\n{last}"
    return "\n".join(printed)


def copy_of_the_repository(folder: Path) -> Path:
    """A clone with the checkout's own state committed in it, changes that are not committed included."""
    git("clone", "--quiet", "--shared", str(REPOSITORY), str(folder), at=REPOSITORY)
    changed = git("ls-files", "-z", "--modified", "--others", "--exclude-standard", at=REPOSITORY)
    for name in dict.fromkeys(filter(None, changed.split("\0"))):
        source, target = REPOSITORY / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        else:
            target.unlink(missing_ok=True)
    git("add", "--all", at=folder)
    git("commit", "--quiet", "--allow-empty", "-m", "as it is", at=folder)
    return folder


def git(*words: str, at: Path) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    return subprocess.run(["git", *who, *words], cwd=at, capture_output=True, text=True, check=True).stdout


def touched(folder: Path) -> list[str]:
    """The paths that differ from the last commit."""
    said = git("status", "--porcelain", "--untracked-files=all", at=folder)
    return [line[3:] for line in said.splitlines()]

"""The states of a refresh, each a step on disk: fetched, candidate, quarantined, accepted.

Everything happens in `.refresh/<source>/`, which neither git nor DVC looks at. Only the last step touches
`data/raw/`: a complete folder is renamed into its place, at once or not at all.
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from analysis.provenance import root
from analysis.refresh.client import Made
from analysis.refresh.faults import LockedError, RefreshError, UsageError
from analysis.refresh.parts import NOTES, digest, notes
from analysis.writing import replacing

ORIGIN = "origin.yaml"
REASON = "reason.txt"


def desk(source: str) -> Path:
    """Where a source's refresh works."""
    return root() / ".refresh" / source


@contextmanager
def locked(source: str) -> Iterator[Path]:
    """The source's desk, for one run at a time. The lock goes with the process, however it ends.

    Raises
    ------
    LockedError : another run holds it.
    """
    folder = desk(source)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LockedError(
                "locked",
                f"another refresh of {source!r} is running.",
                remedy="wait until it has ended; a killed run holds no lock.",
            ) from None
        yield folder


def take_by_hand(files: list[Path], fetched: Path) -> tuple[str, ...]:
    """Copies of files that a user downloaded, under their own names, as the captures; of a folder, of every
    file in it but our own notes.

    Raises
    ------
    UsageError : a file is not there, or two have one name.
    """
    files = [
        each
        for file in files
        for each in (sorted(file.iterdir()) if file.is_dir() else [file])
        if not (file.is_dir() and each.name in (NOTES, REASON))
    ]
    names = [file.name for file in files]
    clear(fetched)
    fetched.mkdir(parents=True)
    for file in files:
        if not file.is_file() or names.count(file.name) > 1 or file.name == NOTES:
            raise UsageError(
                "no such file", "not a file, or named twice.", where=file, remedy="name each file once."
            )
        shutil.copyfile(file, fetched / file.name)
    return tuple(names)


def lay_out(desk: Path, source: str, made: Made, *, today: str, by_hand: bool, because: str | None) -> Path:
    """The candidate's folder, complete with `origin.yaml`, inside a folder that looks like the project's.

    A capture that is taken as it is, is moved when it can be and copied otherwise.
    """
    top = desk / "candidate"
    clear(top)
    folder = top / "data" / "raw" / source / made.vintage
    folder.mkdir(parents=True)
    (top / "params.yaml").write_text("", encoding="utf-8")
    entries = {}
    for name, content in made.files.items():
        path = folder / name
        if isinstance(content, Path):
            link_or_copy(content, path)
        else:
            path.write_bytes(content)
        entries[name] = {"sha256": digest(path)} | ({"rows": made.rows[name]} if name in made.rows else {})
    origin = {
        **made.origin,
        "retrieved": today,
        "obtained": "downloaded by hand" if by_hand else "downloaded",
        **({"accepted_because": because, "accepted_though": list(made.gates)} if made.gates else {}),
        "files": entries,
    }
    text = yaml.safe_dump(origin, sort_keys=False, allow_unicode=True, width=100)
    (folder / ORIGIN).write_text(text, encoding="utf-8")
    return folder


def link_or_copy(file: Path, to: Path) -> None:
    try:
        os.link(file, to)
    except OSError:
        shutil.copyfile(file, to)


@contextmanager
def as_project(folder: Path) -> Iterator[None]:
    """The project's folder is the candidate's, so that it is read just as the stages will read it."""
    top = folder.parents[3]
    before = os.environ.get("ANALYSIS_ROOT")
    os.environ["ANALYSIS_ROOT"] = str(top)
    try:
        yield
    finally:
        if before is None:
            del os.environ["ANALYSIS_ROOT"]
        else:
            os.environ["ANALYSIS_ROOT"] = before


def quarantine(desk: Path, fetched: Path, wrong: list[str], reason: str) -> Path:
    """Put captures aside with the reason; the next run asks for them anew. The same captures, once."""
    mark = hashlib.sha256("".join(digest(fetched / name) for name in sorted(wrong)).encode()).hexdigest()[:12]
    folder = desk / "quarantine" / mark
    clear(folder)
    folder.mkdir(parents=True)
    if (fetched / NOTES).is_file():
        shutil.copyfile(fetched / NOTES, folder / NOTES)
    for name in wrong:
        (fetched / name).rename(folder / name)
    with replacing(folder / REASON) as beside:
        day = datetime.datetime.now(datetime.UTC).date().isoformat()
        beside.write_text(f"{day}\n{reason}\n", encoding="utf-8")
    clear(desk / "candidate")
    return folder


def accept(candidate: Path, source: str) -> Path:
    """Rename the complete candidate into `data/raw/`: the one step that changes it.

    Raises
    ------
    RefreshError : the vintage is there already; old vintages are never touched.
    """
    folder = root() / "data" / "raw" / source / candidate.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    for path in [*candidate.iterdir(), candidate]:
        with_sync(path)
    if folder.exists():
        raise RefreshError("vintage there", "an accepted vintage is never replaced.", where=folder)
    candidate.rename(folder)
    with_sync(folder.parent)
    return folder


def with_sync(path: Path) -> None:
    """On the disk, not only on its way there, should the power fail."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def clear(folder: Path) -> None:
    """Remove a folder of this room: renamed first, so that no half of it is taken for the whole."""
    for left in folder.parent.glob(f".{folder.name}.*.gone"):
        shutil.rmtree(left, ignore_errors=True)
    if folder.exists():
        gone = folder.with_name(f".{folder.name}.{os.getpid()}.gone")
        folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def fetched_from(fetched: Path, name: str) -> str:
    """The address of a capture, without what was added to it; "" for one given by hand."""
    return notes(fetched).get(name, {}).get("url", "")

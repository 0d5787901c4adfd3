"""What surrounds a stage's work: errors as one message, and inputs that stay as they were."""

from __future__ import annotations

import errno
import glob
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.errors import AnalysisError, DataError, MissingValueWarning, visible
from analysis.provenance import read_yaml, root

REMEDIES = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room within your quota",
    errno.EFBIG: "allow larger files (ulimit -f)",
    errno.EACCES: "give yourself the right to read and write there, or work in a copy that is yours",
    errno.EPERM: "give yourself the right to read and write there, or work in a copy that is yours",
    errno.EROFS: "work in a copy on a disk that can be written",
    errno.ENOENT: "restore it (`git checkout` it, or `dvc repro` where a stage writes it)",
    errno.EEXIST: "move away what stands there: a folder was expected",
    errno.ENOTDIR: "move away the file that stands where a folder was expected",
    errno.EISDIR: "move away the folder that stands where a file was expected",
    errno.EIO: "look after the disk, then run it again",
    errno.EMFILE: "allow more open files (ulimit -n)",
}
INTERRUPTED = 130  # what shells give for Ctrl-C


def spoken(error: AnalysisError | OSError) -> str:
    """An error as its reader should see it: for one of the operating system, with the remedy.

    >>> spoken(OSError(errno.ENOSPC, "No space left on device", "panel.csv"))
    'panel.csv: No space left on device. Nothing was half-written. Remedy: make room on the disk.'
    """
    if not isinstance(error, OSError) or error.errno not in REMEDIES:
        return visible(str(error))
    named = error.filename2 or error.filename  # where a file was to be put in place: that place
    place = f"{visible(os.fsdecode(named))}: " if isinstance(named, str | bytes) else ""
    return f"{place}{error.strerror}. Nothing was half-written. Remedy: {REMEDIES[error.errno]}."


def dependencies(stage: str) -> list[Path]:
    """The files and folders that `dvc.yaml` names as what a stage reads.

    Raises
    ------
    DataError : no such stage.
    """
    stages = read_yaml(root() / "dvc.yaml")["stages"]
    if stage not in stages:
        raise DataError(f"no stage {stage!r}.", file=root() / "dvc.yaml", remedy="run `dvc repro`.")
    return [root() / path for path in [*stages[stage].get("deps", ()), "params.yaml"]]


def outputs(stage: str) -> list[Path]:
    """The files and folders that `dvc.yaml` names as what a stage writes."""
    outs = read_yaml(root() / "dvc.yaml")["stages"][stage].get("outs", ())
    return [root() / (out if isinstance(out, str) else next(iter(out))) for out in outs]


def sweep(stage: str) -> None:
    """Delete what a killed run left half-written of a stage's outputs; DVC lets no other run write them."""
    for path in outputs(stage):
        for folder, pattern in ((path.parent, f".{glob.escape(path.name)}.*.part"), (path, "**/.*.part")):
            for half in folder.glob(pattern):
                half.unlink(missing_ok=True)


def state(paths: list[Path]) -> dict[Path, tuple[int, int]]:
    """Size and time of change of every file under some paths, compiled and half-written files apart."""
    files = [path for path in paths if path.is_file()]
    for folder in paths:
        for where, below, names in os.walk(folder):
            below[:] = [name for name in below if name != "__pycache__"]
            files += [Path(where, name) for name in names if not name.endswith((".part", ".pyc"))]
    found = {}
    for path in files:
        try:
            seen = path.stat()
        except FileNotFoundError:  # between the listing and the look
            continue
        found[path] = (seen.st_size, seen.st_mtime_ns)
    return found


@contextmanager
def steady_inputs() -> Iterator[None]:
    """Refuse, at its end, a stage whose inputs were changed while it ran.

    DVC hashes a stage's dependencies when its command has ended, so that an edit made meanwhile would be
    recorded as what the outputs were made from. Outside DVC nothing is recorded, and nothing is looked at.

    Raises
    ------
    DataError : an input was changed, came or went.
    """
    stage = os.environ.get("DVC_STAGE")
    if not stage:
        yield
        return
    paths = dependencies(stage)
    sweep(stage)
    before = state(paths)
    yield
    after = state(paths)
    if moved := sorted(
        str(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    ):
        raise DataError(
            f"{len(moved)} inputs of the stage {stage!r} were changed while it ran, this one first.",
            file=moved[0],
            remedy="run `dvc repro` again; until then dvc.lock keeps the former state.",
        )


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main`; an error that a user can act on is one message, without a traceback."""
    warnings.simplefilter("ignore", MissingValueWarning)  # stages write the rows left out into a table
    try:
        with steady_inputs():
            main()
    except (AnalysisError, OSError) as error:
        sys.exit(f"error: {spoken(error)}")
    except KeyboardInterrupt:
        print("interrupted: nothing was half-written.", file=sys.stderr)
        sys.exit(INTERRUPTED)

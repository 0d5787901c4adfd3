"""`make verify`: the same bytes from a forced run in a clean clone, under other conditions than yours.

The checkout's last commit is cloned to a temporary folder, every stage output is deleted there, every
stage is run by force, and `dvc.lock` and every committed file are compared with the commit. Equal bytes are
promised for one `requirements.lock`, one minor version of Python and one platform.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis.differing import differences, first_difference
from analysis.errors import AnalysisError
from analysis.provenance import read_yaml, root


@dataclass(frozen=True)
class Condition:
    """What differs from the usual run.

    Parameters
    ----------
    name : in words. environment : variables to set. folder : the clone's name, which may be a hard one.
    umask : of the processes; -1: the caller's. through : a command that runs the given one.
    """

    name: str
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "clone"
    umask: int = -1
    through: tuple[str, ...] = ()


# The locale exists on every machine. The time zone is 12 hours and three quarters east, in the form that
# needs no table of zones.
ALTERED = Condition(
    name="another time zone and locale, random hashes, a path with spaces and accents",
    environment={"TZ": "<+1245>-12:45", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "random"},
    folder="a clone élan señal",
)


def run(command: list[str], folder: Path, condition: Condition = Condition("usual"), **more: str) -> str:
    """A command's output, standard error included.

    Raises
    ------
    AnalysisError : it failed; the message ends with what it printed.
    """
    done = subprocess.run(
        [*condition.through, *command],
        cwd=folder,
        env=os.environ | condition.environment | more,
        umask=condition.umask,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise AnalysisError(f"`{' '.join(command)}` failed ({done.returncode}):\n{done.stdout}")
    return done.stdout


def outputs(pipeline: dict) -> list[str]:
    """The paths of every stage's outputs."""
    return [
        next(iter(out)) if isinstance(out, dict) else out
        for stage in pipeline["stages"].values()
        for out in stage["outs"]
    ]


def delete(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def forced(checkout: Path, clone: Path, condition: Condition) -> None:
    """Clone the checkout's last commit, delete every output there and run every stage.

    Raises
    ------
    AnalysisError : a command failed, or a stage did not run.
    """
    clone_it = ["git", "clone", "--quiet", "--no-hardlinks", str(checkout), str(clone)]
    run(clone_it, clone.parent, condition)
    pipeline = read_yaml(clone / "dvc.yaml")
    for path in outputs(pipeline):
        delete(clone / path)
    here = {"PYTHONPATH": str(clone), "ANALYSIS_ROOT": str(clone)}
    printed = run([sys.executable, "-m", "dvc", "repro", "--force"], clone, condition, **here)
    ran = set(re.findall(r"Running stage '([^']+)'", printed))
    if missing := sorted(set(pipeline["stages"]) - ran):
        raise AnalysisError(f"these stages did not run: {', '.join(missing)}.\n{printed}")


def compare(checkout: Path, clone: Path) -> list[str]:
    """What differs in a clone from its commit, a line each with the first difference in words.

    Outputs that are not in git are known by their hash in `dvc.lock`; where they differ, and the checkout has
    its own, these are compared.
    """
    pipeline = read_yaml(clone / "dvc.yaml")
    told = [f"{path}: was not written" for path in outputs(pipeline) if not (clone / path).exists()]
    changed = run(["git", "status", "--porcelain", "-z", "--untracked-files=all"], clone).split("\0")
    with TemporaryDirectory(prefix="committed-") as folder:
        for kind, path in ((line[:2], line[3:]) for line in changed if line):
            if "?" in kind:
                told.append(f"{path}: is new")
                continue
            committed = Path(folder) / Path(path).name
            committed.write_bytes(
                subprocess.run(
                    ["git", "show", f"HEAD:{path}"], cwd=clone, check=True, capture_output=True
                ).stdout
            )
            said = first_difference(committed, clone / path)
            told.append(f"{path}: {said or 'the same bytes, with another mode, or as a link'}")
    if any(line.startswith("dvc.lock:") for line in told):
        ignored = [path for path in outputs(pipeline) if not _is_in_git(clone, path)]
        for path in (path for path in ignored if (checkout / path).exists()):
            parts = differences(checkout / path, clone / path)
            told += [f"{path}/{name}: {said} (beside the checkout's)" for name, said in parts]
    return told


def _is_in_git(clone: Path, path: str) -> bool:
    return bool(run(["git", "ls-files", "--", path], clone))


def verify(checkout: Path, folder: Path, condition: Condition) -> list[str]:
    """What differs from the commit after a forced run in a new clone in `folder`; empty when nothing does.

    Raises
    ------
    AnalysisError : a command failed, or a stage did not run.
    """
    clone = folder / condition.folder
    forced(checkout, clone, condition)
    return compare(checkout, clone)


def main() -> int:
    checkout = root()
    pending = run(["git", "status", "--porcelain"], checkout)
    if pending:
        print("Not committed, so not verified:\n" + pending, end="")
    with TemporaryDirectory(prefix="verify-") as folder:
        try:
            told = verify(checkout, Path(folder), ALTERED)
        except AnalysisError as error:
            print(error, file=sys.stderr)
            return 1
    if told:
        print("After a forced run these differ from the commit:\n" + "\n".join(told), file=sys.stderr)
        return 1
    stages = len(read_yaml(checkout / "dvc.yaml")["stages"])
    print(
        f"Verified with {ALTERED.name}: {stages} stages ran by force, dvc.lock and every committed file are "
        "unchanged."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`make verify`: the same bytes from a forced run in a clean clone.

The checkout's last commit is cloned to a temporary folder, every stage output is deleted there, every
stage is run by force, and `dvc.lock` and every committed file are compared with the commit.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis.errors import AnalysisError
from analysis.provenance import read_yaml, root


def run(command: list[str], folder: Path, **environment: str) -> str:
    """A command's output, standard error included.

    Raises
    ------
    AnalysisError : it failed; the message ends with what it printed.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
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


def verify(checkout: Path, clone: Path) -> list[str]:
    """What differs from the commit after a forced run in `clone`, a line each; empty when nothing does.

    Raises
    ------
    AnalysisError : a command failed, or a stage did not run.
    """
    run(["git", "clone", "--quiet", "--no-hardlinks", str(checkout), str(clone)], checkout)
    pipeline = read_yaml(clone / "dvc.yaml")
    for path in outputs(pipeline):
        delete(clone / path)
    here = {"PYTHONPATH": str(clone), "ANALYSIS_ROOT": str(clone)}
    printed = run([sys.executable, "-m", "dvc", "repro", "--force"], clone, **here)
    ran = set(re.findall(r"Running stage '([^']+)'", printed))
    if missing := sorted(set(pipeline["stages"]) - ran):
        raise AnalysisError(f"these stages did not run: {', '.join(missing)}.\n{printed}")
    absent = [f"was not written: {path}" for path in outputs(pipeline) if not (clone / path).exists()]
    changed = run(["git", "status", "--porcelain", "--untracked-files=all"], clone).splitlines()
    return absent + changed


def main() -> int:
    checkout = root()
    pending = run(["git", "status", "--porcelain"], checkout)
    if pending:
        print("Not committed, so not verified:\n" + pending, end="")
    with TemporaryDirectory(prefix="verify-") as folder:
        try:
            differences = verify(checkout, Path(folder) / "clone")
        except AnalysisError as error:
            print(error, file=sys.stderr)
            return 1
        stages = len(read_yaml(Path(folder) / "clone" / "dvc.yaml")["stages"])
        if differences:
            print(
                "After a forced run these differ from the commit:\n" + "\n".join(differences), file=sys.stderr
            )
            print(
                run(["git", "diff", "--stat", "--", ".", ":!*.parquet"], Path(folder) / "clone"),
                file=sys.stderr,
            )
            return 1
    print(f"Verified: {stages} stages ran by force, dvc.lock and every committed file are unchanged.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

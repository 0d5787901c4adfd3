"""What a page's cells gave back, kept as JSON with a hash of everything that they could have read."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.provenance import replacing, root
from analysis.rendering.execute import PACKAGE, Output

Results = list[list[Output]]


def through(folder: Path | None, read: Sequence[Path], run: Callable[[], Results]) -> Results:
    """The results of a page: from `folder` where nothing that it read has changed, else by `run`, and kept.

    A file that is cut off or was edited is the same as none.

    Parameters
    ----------
    folder : where results are kept, one file a page; None runs always and keeps nothing.
    read : the files that the page was read from, the page itself first.
    """
    if folder is None:
        return run()
    path, wanted = Path(folder) / f"{read[0].stem}.json", key(read)
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["key"] == wanted:
            return kept["results"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    results = run()
    with replacing(path) as beside:
        beside.write_text(json.dumps({"key": wanted, "results": results}), encoding="utf-8")
    return results


def key(read: Sequence[Path]) -> str:
    """A hash over names and bytes: the page's own files, the project's data, code and locked packages."""
    digest = hashlib.sha256(sys.version.encode())
    for name, path in sorted([*((p.name, p) for p in read), *_project_files()]):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _project_files() -> list[tuple[str, Path]]:
    """The package's code, and what stands in the project's folder that a cell may read."""
    top = root()
    code = [p for p in PACKAGE.rglob("*") if p.suffix in (".py", ".yaml")]
    folders = (top / "data" / "processed", top / "data" / "raw")
    data = [p for folder in folders for p in folder.rglob("*") if p.is_file()]
    names = ("params.yaml", "pyproject.toml", "requirements.lock")
    data += [top / name for name in names if (top / name).is_file()]
    return [(p.relative_to(PACKAGE.parent).as_posix(), p) for p in code] + [
        (p.relative_to(top).as_posix(), p) for p in data
    ]

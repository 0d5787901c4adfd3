"""What a page's cells gave back, kept as JSON with a hash of everything that they could have read."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.provenance import root
from analysis.rendering.execute import PACKAGE, Output
from analysis.writing import replacing

Results = list[list[Output]]


# Beside a page: what rendering itself writes, and what Python keeps of a helper.
MADE = {"_site", "_quarto", ".quarto", "__pycache__", ".ipynb_checkpoints"}


def through(
    folder: Path | None, read: Sequence[Path], run: Callable[[], Results], *, out: Path | None = None
) -> Results:
    """The results of a page: from `folder` where nothing that it read has changed, else by `run`, and kept.

    A file that is cut off or was edited is the same as none.

    Parameters
    ----------
    folder : where results are kept, one file a page; None runs always and keeps nothing.
    read : the files that the page was read from, the page itself first.
    out : where pages are written, which no page reads.
    """
    if folder is None:
        return run()
    path, wanted = Path(folder) / f"{read[0].stem}.json", key(read, (folder, *filter(None, [out])))
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["key"] == wanted:
            return kept["results"]
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        pass
    results = run()
    with replacing(path) as beside:
        beside.write_text(json.dumps({"key": wanted, "results": results}), encoding="utf-8")
    return results


def key(read: Sequence[Path], written: Sequence[Path] = ()) -> str:
    """A hash over names and bytes: the page's own files, the project's data, code and locked packages.

    Parameters
    ----------
    read : as in `through`.
    written : the folders that rendering fills, which are left out.
    """
    digest = hashlib.sha256(sys.version.encode())
    for name, path in sorted([*_beside(read, written), *_project_files()]):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _beside(read: Sequence[Path], written: Sequence[Path]) -> list[tuple[str, Path]]:
    """The page's files and every other one in its folder that a cell may open or import, but other pages."""
    top = read[0].resolve().parent
    away = {Path(folder).resolve() for folder in written} - {top}
    found = {path.resolve() for path in read}
    for path in top.rglob("*"):
        parents = {top / part for part in path.relative_to(top).parents}
        is_rendered = path.suffix == ".pdf" and path.with_suffix(".qmd").is_file()
        if path.suffix != ".qmd" and path.is_file() and not is_rendered and not parents & away:
            found |= set() if MADE & set(path.relative_to(top).parts) else {path}
    return [(os.path.relpath(path, top), path) for path in found]


def _project_files() -> list[tuple[str, Path]]:
    """The package's code, and what stands in the project's folder that a cell may read."""
    top = root()
    code = [p for p in PACKAGE.rglob("*") if p.suffix in (".py", ".yaml")]
    data = [p for p in (top / "data").rglob("*") if p.is_file()]
    data += (top / "benchmarks").glob("*.csv")
    names = ("params.yaml", "pyproject.toml", "requirements.lock")
    data += [top / name for name in names if (top / name).is_file()]
    return [(p.relative_to(PACKAGE.parent).as_posix(), p) for p in code] + [
        (p.relative_to(top).as_posix(), p) for p in data
    ]

"""Cells as files while the stage runs: a run that was killed goes on where it stopped, with the same bytes.

Each cell's result is written once, beside and then renamed, under a key of everything that it depends on;
results are always read back from the files, so that a resumed run adds up the same numbers.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from analysis import catalogue
from analysis.models.multiverse.cells import Cell
from analysis.provenance import processed, root
from analysis.writing import replacing

FOLDER = ".multiverse-cache"
INPUTS = ("county_287g.csv", "jurisdictions.csv", "panel_county.parquet", "panel_place.parquet")
FIELDS = ("numbers", "status", "null", "null_t")


def key() -> str:
    """The hash of what a cell's result rests on: the code in use, the catalogue, parameters, tables read."""
    code = (module.__file__ for name, module in sys.modules.items() if name.startswith("analysis."))
    files = [*sorted(Path(file) for file in code if file), catalogue.FILE, root() / "params.yaml"]
    files += [processed(name) for name in INPUTS]
    digest = hashlib.sha256(f"numpy {np.__version__}".encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def folder(name: str) -> Path:
    """The folder of one key; those of other keys are removed."""
    top = root() / FOLDER
    for other in top.glob("*") if top.is_dir() else ():
        if other.name != name:
            shutil.rmtree(other)
    chosen = top / name
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen


def clear() -> None:
    """Remove the chunks once the tables are written."""
    shutil.rmtree(root() / FOLDER, ignore_errors=True)


def path_of(where: Path, choices: Mapping[str, str]) -> Path:
    """The file of one cell."""
    text = json.dumps(dict(choices), sort_keys=True)
    return where / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"


def work(
    where: Path,
    cells: list[dict[str, str]],
    fit: Callable[[Mapping[str, str]], dict[str, Cell]],
    stream=sys.stderr,
) -> None:
    """Fits and writes the cells that have no whole file yet, and says how far it is.

    On a terminal one line is kept up to date; elsewhere a line is printed for every tenth part.
    """
    begun = time.monotonic()
    waiting = [cell for cell in cells if not zipfile.is_zipfile(path_of(where, cell))]  # as .npz is
    done = len(cells) - len(waiting)
    if done:
        print(f"multiverse: {done} of {len(cells)} cells were there already", file=stream)
    for number, cell in enumerate(waiting, 1):
        save(path_of(where, cell), fit(cell))
        report(done + number, len(cells), number, time.monotonic() - begun, stream)


def report(done: int, total: int, now: int, seconds: float, stream) -> None:
    """One line of progress, with the time that is left at the pace so far."""
    text = f"multiverse: {done} of {total} cells, {(total - done) * seconds / now:.0f} s left"
    if stream.isatty():
        print(f"\r{text:60}", end="\n" if done == total else "", file=stream, flush=True)
    elif done == total or 10 * done // total > 10 * (done - 1) // total:
        print(text, file=stream, flush=True)


def save(path: Path, found: Mapping[str, Cell]) -> None:
    """One cell's file, never half-written."""
    arrays = {f"{focal}|{name}": getattr(cell, name) for focal, cell in found.items() for name in FIELDS}
    with replacing(path) as beside, beside.open("wb") as stream:
        np.savez(stream, **arrays)


def load(path: Path, *, null: bool = True) -> dict[str, Cell]:
    """What `save` wrote; without `null` the curves under the null stay where they are, and are empty here."""
    with np.load(path) as arrays:
        names = dict.fromkeys(name.rpartition("|")[0] for name in arrays.files)
        read = [name for name in FIELDS if null or not name.startswith("null")]
        empty = [np.empty((0, 0))] * (len(FIELDS) - len(read))
        return {focal: Cell(*(arrays[f"{focal}|{name}"] for name in read), *empty) for focal in names}

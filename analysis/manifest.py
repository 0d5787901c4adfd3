"""Stage `manifest`: MANIFEST.csv, every output with its checksum and those of what it was made from.

`python -m analysis.manifest --check` compares the files that are here with it, inputs too.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from analysis.errors import DataError, clipped
from analysis.provenance import read_params, read_yaml, root
from analysis.stages import run
from analysis.writing import write_csv

FILE = "MANIFEST.csv"
PART = "params.yaml:"
COLUMNS = ["stage", "role", "path", "bytes", "sha256", "inputs_sha256"]


def files_of(path: Path) -> list[Path]:
    """A file, or every file below a folder in order; compiled and half-written ones apart."""
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix not in (".part", ".pyc")
    )


def sha256(path: Path) -> str:
    """A file's sha256; a folder's is that of the lines `sha256  relative path` of its files, as sha256sum
    writes them, sorted by path.

    Raises
    ------
    DataError : there is no file.
    """
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    found = [(file.relative_to(path).as_posix(), sha256(file)) for file in files_of(path)]
    if not found:
        raise DataError(
            "no such file, or an empty folder.", file=path, remedy="run `dvc repro`, or restore it."
        )
    return of_lines(found)


def size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    return sum(file.stat().st_size for file in files_of(path))


def inputs(folder: Path, stage: dict, params: dict) -> Iterator[dict]:
    """A row for each file, folder and part of params.yaml that a stage reads."""
    for path in stage.get("deps", ()):
        yield {
            "role": "input",
            "path": path,
            "bytes": size(folder / path),
            "sha256": sha256(folder / path),
        }
    for name in stage.get("params", ()):
        if name not in params:
            raise DataError(
                f"{name!r} is absent, which a stage reads.",
                file=folder / "params.yaml",
                remedy="restore it from git.",
            )
        text = written_out(params[name])
        digest = hashlib.sha256(text).hexdigest()
        yield {"role": "input", "path": f"{PART}{name}", "bytes": len(text), "sha256": digest}


def written_out(part: object) -> bytes:
    """A part of params.yaml as text that does not depend on how it was typed."""
    return yaml.safe_dump(part, sort_keys=True, allow_unicode=True).encode()


def of_lines(rows: Iterable[tuple[str, str]]) -> str:
    """The sha256 of lines `sha256  path`, as sha256sum writes them, from paths and their sha256."""
    lines = (f"{digest}  {path}\n" for path, digest in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def outs(stage: dict) -> list[str]:
    """The paths that a stage writes."""
    return [out if isinstance(out, str) else next(iter(out)) for out in stage.get("outs", ())]


def reads(stage: dict) -> list[str]:
    """The paths and parts of params.yaml that a stage reads."""
    return [*stage.get("deps", ()), *(f"{PART}{name}" for name in stage.get("params", ()))]


def stages_of(folder: Path) -> dict:
    """The stages of `dvc.yaml`.

    Raises
    ------
    DataError : it names none.
    """
    found = read_yaml(folder / "dvc.yaml").get("stages")
    if not found or not isinstance(found, dict):
        raise DataError("it names no stages.", file=folder / "dvc.yaml", remedy="restore it from git.")
    return found


def manifest(folder: Path, stages: dict, params: dict) -> pd.DataFrame:
    """Every output file of every stage, and every input as `dvc.yaml` names it.

    Returns
    -------
    DataFrame : `stage`, `role` (output, input), `path`, `bytes`, `sha256`, and for outputs `inputs_sha256`,
        the sha256 of the lines `sha256  path` of the stage's input rows in this table's order.

    Raises
    ------
    DataError : an input or output is not there, or a part of params.yaml.
    """
    rows = []
    for name, stage in sorted(stages.items()):
        named = outs(stage)
        if FILE in named:
            continue
        read = sorted(inputs(folder, stage, params), key=lambda row: row["path"])
        of_inputs = of_lines((row["path"], row["sha256"]) for row in read)
        written = [file for path in named for file in require(folder / path)]
        rows += [
            {
                "stage": name,
                "role": "output",
                "path": file.relative_to(folder).as_posix(),
                "bytes": file.stat().st_size,
                "sha256": sha256(file),
                "inputs_sha256": of_inputs,
            }
            for file in sorted(written)
        ]
        rows += [{"stage": name, **row, "inputs_sha256": ""} for row in read]
    return pd.DataFrame(rows, columns=COLUMNS)


def require(path: Path) -> list[Path]:
    """The files of an output.

    Raises
    ------
    DataError : there is none.
    """
    if found := files_of(path):
        return found
    raise DataError("the stage wrote no such output.", file=path, remedy="run `dvc repro`.")


def stored(file: Path) -> pd.DataFrame:
    """MANIFEST.csv as text.

    Raises
    ------
    DataError : it is absent or no manifest: other columns, no outputs, a row twice or changed by hand.
    """
    if not file.is_file():
        raise DataError("the file does not exist.", file=file, remedy="restore it from git.")
    try:
        table = pd.read_csv(file, dtype="str", keep_default_na=False)
    except ValueError as error:  # what pandas makes of other bytes
        raise DataError("this is no manifest.", file=file, remedy="restore it from git.") from error
    if list(table.columns) != COLUMNS or not (table["role"] == "output").any():
        raise DataError("this is no manifest.", file=file, remedy="restore it from git.")
    for row in np.flatnonzero(table.duplicated(["stage", "role", "path"])):
        raise DataError(
            f"the row of {table['path'][row]} stands twice.",
            file=file,
            row=int(row) + 2,
            remedy="restore it from git.",
        )
    for stage, rows in table.groupby("stage"):
        read = rows[rows["role"] == "input"]
        of_inputs = of_lines(sorted(zip(read["path"], read["sha256"], strict=True)))
        if set(rows.loc[rows["role"] == "output", "inputs_sha256"]) - {of_inputs}:
            raise DataError(
                f"the checksum of the inputs of the stage {stage!r} is not that of their rows.",
                file=file,
                column="inputs_sha256",
                remedy="restore it from git.",
            )
    return table


def check(folder: Path) -> list[str]:
    """A line for everything that is not as MANIFEST.csv has it; empty when all is.

    Told are outputs that are absent, other, in no row or of another stage, rows that no stage writes any
    more, inputs that are absent or other (those that are, or hold, outputs are told as such), and what a
    stage reads now and did not, or did and does not.

    Raises
    ------
    DataError : MANIFEST.csv is absent, or no manifest.
    """
    table = stored(folder / FILE)
    stages, params = stages_of(folder), read_yaml(folder / "params.yaml")
    here = {
        file.relative_to(folder).as_posix(): name
        for name, stage in stages.items()
        for out in outs(stage)
        if out != FILE
        for file in files_of(folder / out)
    }
    written, read = table[table["role"] == "output"], table[table["role"] == "input"]
    told = []
    for row in written.itertuples():
        if here.get(row.path, row.stage) != row.stage:
            told.append(f"{row.path}: an output of the stage {here[row.path]}, not of {row.stage}")
        elif row.path in here:
            told += _other(folder / row.path, row, "written")
        elif (folder / row.path).is_file():
            told.append(f"{row.path}: no output of a stage any more (written by the stage {row.stage})")
        else:
            told.append(f"{row.path}: absent (written by the stage {row.stage})")
    told += [
        f"{path}: in no row (an output of the stage {here[path]})"
        for path in sorted(here.keys() - {*written["path"]})
    ]
    declared = {
        str(part)
        for stage in stages.values()
        for out in outs(stage)
        for part in [Path(out), *Path(out).parents]
    }
    for row in read.drop_duplicates("path").itertuples():
        name = row.path.removeprefix(PART)
        if name != row.path:
            part = written_out(params.get(name))
            if hashlib.sha256(part).hexdigest() != row.sha256:
                told.append(f"{row.path}: other values (read by the stage {row.stage})")
        elif row.path not in declared:
            told += _other(folder / row.path, row, "read")
    for name, rows in read.groupby("stage"):
        was, now = set(rows["path"]), set(reads(stages.get(name, {})))
        if name in stages:
            told += [f"{path}: in no row of the stage {name}, which reads it" for path in sorted(now - was)]
            told += [f"{path}: not read by the stage {name} any more" for path in sorted(was - now)]
    return told


def _other(path: Path, row: tuple, how: str) -> list[str]:
    """A line where a file or folder is not what a row says."""
    if not files_of(path):
        return [f"{row.path}: absent ({how} by the stage {row.stage})"]
    found = sha256(path)
    if found == row.sha256:
        there = str(size(path))
        return [] if there == row.bytes else [f"{row.path}: {there} bytes, not {clipped(row.bytes)}"]
    return [f"{row.path}: sha256 {found[:12]}…, not {row.sha256[:12]}… ({how} by the stage {row.stage})"]


def main() -> None:
    """Write MANIFEST.csv, or with `--check` compare with it."""
    folder, words = root(), sys.argv[1:]
    if words not in ([], ["--check"]):
        sys.exit(f"error: {' '.join(words)!r} is unknown. Remedy: give nothing, or --check.")
    if not words:
        write_csv(manifest(folder, stages_of(folder), read_params()), folder / FILE)
    elif told := check(folder):
        print("\n".join(told))
        sys.exit(
            f"error: {len(told)} files are not as {FILE} has them. Remedy: restore the inputs that you did "
            "not mean to change, then run `make repro`."
        )
    else:
        print(f"Every output is as {FILE} has it, and so is every input.")


if __name__ == "__main__":
    run(main)

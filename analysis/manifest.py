"""Stage `manifest`: MANIFEST.csv, every output with its checksum and those of what it was made from.

`python -m analysis.manifest --check` compares the files that are here with it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import yaml

from analysis.errors import DataError
from analysis.provenance import read_params, read_yaml, root
from analysis.stages import run
from analysis.writing import write_csv

FILE = "MANIFEST.csv"
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
    lines = [f"{sha256(file)}  {file.relative_to(path).as_posix()}\n" for file in files_of(path)]
    if not lines:
        raise DataError(
            "no such file, or an empty folder.", file=path, remedy="run `dvc repro`, or restore it."
        )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


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
        text = yaml.safe_dump(params[name], sort_keys=True, allow_unicode=True).encode()
        digest = hashlib.sha256(text).hexdigest()
        yield {"role": "input", "path": f"params.yaml:{name}", "bytes": len(text), "sha256": digest}


def manifest(folder: Path, pipeline: dict, params: dict) -> pd.DataFrame:
    """Every output file of every stage, and every input as `dvc.yaml` names it.

    Returns
    -------
    DataFrame : `stage`, `role` (output, input), `path`, `bytes`, `sha256`, and for outputs `inputs_sha256`,
        the sha256 of the lines `sha256  path` of the stage's input rows in this table's order.

    Raises
    ------
    DataError : an input or output is not there.
    """
    rows = []
    for name, stage in sorted(pipeline["stages"].items()):
        named = [out if isinstance(out, str) else next(iter(out)) for out in stage["outs"]]
        if FILE in named:
            continue
        read = sorted(inputs(folder, stage, params), key=lambda row: row["path"])
        of_inputs = hashlib.sha256("".join(f"{row['sha256']}  {row['path']}\n" for row in read).encode())
        written = [file for path in named for file in require(folder / path)]
        rows += [
            {
                "stage": name,
                "role": "output",
                "path": file.relative_to(folder).as_posix(),
                "bytes": file.stat().st_size,
                "sha256": sha256(file),
                "inputs_sha256": of_inputs.hexdigest(),
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


def check(folder: Path) -> list[str]:
    """A line for every output in MANIFEST.csv that is not here as it was written; empty when all are.

    Raises
    ------
    DataError : MANIFEST.csv is absent, or names no outputs.
    """
    file = folder / FILE
    if not file.is_file():
        raise DataError("the file does not exist.", file=file, remedy="restore it from git.")
    try:
        table = pd.read_csv(file, dtype="str", keep_default_na=False)
    except ValueError as error:  # what pandas makes of other bytes
        raise DataError("this is no manifest.", file=file, remedy="restore it from git.") from error
    if list(table.columns) != COLUMNS or not len(outputs := table[table["role"] == "output"]):
        raise DataError("this is no manifest.", file=file, remedy="restore it from git.")
    told = []
    for row in outputs.itertuples():
        path = folder / row.path
        if not path.is_file():
            told.append(f"{row.path}: absent (written by the stage {row.stage})")
        elif sha256(path) != row.sha256:
            told.append(f"{row.path}: sha256 {sha256(path)[:12]}…, not {row.sha256[:12]}…")
    return told


def main() -> None:
    """Write MANIFEST.csv, or with `--check` compare with it."""
    folder = root()
    if sys.argv[1:] == ["--check"]:
        if told := check(folder):
            print("\n".join(told))
            sys.exit(f"error: {len(told)} outputs are not as {FILE} has them. Remedy: run `make repro`.")
        print(f"Every output is as {FILE} has it.")
    else:
        write_csv(manifest(folder, read_yaml(folder / "dvc.yaml"), read_params()), folder / FILE)


if __name__ == "__main__":
    run(main)

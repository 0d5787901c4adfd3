"""A file of `data/raw`, changed: where it is put, and the origin that records it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import yaml

from tests.conftest import FIXTURE, forget
from tests.doors import looks, real
from tests.doors.engine import Door, Given
from tests.doors.mutations.tables import table
from tests.doors.real import RAW

READING = (
    "analysis.sources.reading.read_table",
    "analysis.sources.reading.parse",
    "analysis.provenance.raw_file",
)


def put_raw(given: Given, path: str, original: bytes | None) -> Path:
    """The bytes as a file of `data/raw`, with an origin that records them, or the file they were made of."""
    file = given.project / "data" / "raw" / path
    origin = file.with_name("origin.yaml")
    file.parent.mkdir(parents=True, exist_ok=True)
    if not origin.is_file():
        shutil.copyfile(RAW / origin.relative_to(given.project / "data" / "raw"), origin)
    about = real_origin(str(origin))
    stated = given.content if given.recorded else original or b""
    entry = {"sha256": hashlib.sha256(stated).hexdigest()}
    if given.draw.random() < 0.5 and file.suffix == ".csv":
        entry["rows"] = max(0, len(table(stated)) - 1)
    origin.write_text(
        yaml.safe_dump(about | {"files": about["files"] | {file.name: entry}}), encoding="utf-8"
    )
    file.write_bytes(given.content)
    return file


@cache
def real_origin(path: str) -> dict:
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def raw(
    path: str,
    read: Callable[[str], object],
    reaches: tuple[str, ...],
    look: looks.Look,
    name: str = "",
    rows: int = real.ROWS,
) -> Door:
    """The door of one file of `data/raw`: `read` takes its vintage."""
    file = RAW / path
    some = real.part(file, rows) if file.suffix == ".csv" else real.topology

    def enter(given: Given) -> object:
        put_raw(given, path, some())
        forget()
        return read(path.split("/")[1])

    kind = "csv" if file.suffix == ".csv" else "json"
    return Door(
        name or f"data/raw/{path}", kind, some, enter, reaches, look, real.whole(file), checksummed=True
    )


def fixture_raw(path: str, read: Callable[[], object], reached: str, look: looks.Look, name: str) -> Door:
    """A file of the fixture project, rows of the real one that fit each other, before what is built on several."""
    file = FIXTURE / "data" / "raw" / path

    def enter(given: Given) -> object:
        put_raw(replace(given, recorded=True), path, None)
        try:
            forget()
            return read()
        finally:
            shutil.copyfile(file, given.project / "data" / "raw" / path)
            shutil.copyfile(
                file.with_name("origin.yaml"),
                (given.project / "data" / "raw" / path).with_name("origin.yaml"),
            )

    return Door(f"{name}: {path}", "csv", real.whole(file), enter, (*READING, reached), look)

"""What is there of a fetch: the part of a file that broke off, and notes on the files that are whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from analysis.writing import replacing

MEGABYTE = 1_000_000
NOTES = "fetched.json"
MARKS = {"etag": "etag", "last_modified": "last-modified"}


@dataclass(frozen=True)
class Asked:
    """One request: `kind` is what must come (see `sniffing.WANTED`), `most` the most bytes."""

    url: str
    name: str
    kind: str
    most: int
    params: Mapping[str, str] = field(default_factory=dict)
    json: object = None
    also_later: tuple[int, ...] = ()

    @property
    def method(self) -> str:
        return "GET" if self.json is None else "POST"


class Held:
    """The part of a file that is there: `NAME.part`, and beside it of what it is a part."""

    def __init__(self, folder: Path, asked: Asked) -> None:
        self.part, self.about = folder / f"{asked.name}.part", folder / f"{asked.name}.part.json"
        self.asked = hashlib.sha256(json.dumps([asked.url, asked.json], sort_keys=True).encode()).hexdigest()
        self.first = self.size()

    def size(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def stamp(self) -> dict:
        """The publisher's marks of the version, and its size, as noted when the file was begun."""
        known = read_json(self.about)
        total = known.get("total") if isinstance(known, dict) else None
        return texts(known) | ({"total": total} if type(total) is int else {})

    def validator(self) -> str:
        """What tells whether the file is still the same: a strong ETag, else the day it was changed."""
        etag = self.stamp().get("etag", "")
        return etag if etag and not etag.startswith("W/") else self.stamp().get("last_modified", "")

    def resumable(self) -> bool:
        return self.size() > 0 and self.stamp().get("asked") == self.asked and bool(self.validator())

    def begin(self, reply: httpx.Response, total: int | None) -> None:
        """From the first byte, of `total` where that was told."""
        self.part.parent.mkdir(parents=True, exist_ok=True)
        # What was packed for the way has other bytes than the file: it cannot be gone on with.
        packed = reply.headers.get("content-encoding", "identity") != "identity"
        marks = {} if packed else {key: reply.headers.get(name, "") for key, name in MARKS.items()}
        with replacing(self.about) as beside:
            beside.write_text(json.dumps(marks | {"asked": self.asked, "total": total}), encoding="utf-8")
        self.part.write_bytes(b"")
        self.first = 0

    def same(self, reply: httpx.Response, total: int | None) -> bool:
        """Whether the rest is of the version that was begun; some servers heed no If-Range."""
        known = self.stamp()
        marks = [(reply.headers.get(name), known.get(key)) for key, name in MARKS.items()]
        return all(not now or not then or now == then for now, then in [*marks, (total, known.get("total"))])

    @property
    def total(self) -> int | None:
        """The whole file's bytes, as told when it was begun."""
        return self.stamp().get("total")

    def grew(self) -> bool:
        """Whether a megabyte came since the request, so that it is worth going on."""
        return self.size() - self.first >= MEGABYTE

    def drop(self) -> None:
        self.part.unlink(missing_ok=True)
        self.about.unlink(missing_ok=True)
        self.first = 0


def digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def notes(folder: Path) -> dict[str, dict[str, str]]:
    """What was fetched into a folder: name to address, checksum and the publisher's marks."""
    found = read_json(folder / NOTES)
    return {name: texts(about) for name, about in found.items()} if isinstance(found, dict) else {}


def read_json(path: Path) -> object:
    """What a note of ours says; None where it is not there or was edited, which is the same as none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def texts(value: object) -> dict[str, str]:
    """The texts of a mapping, by their keys."""
    given = value if isinstance(value, dict) else {}
    return {key: text for key, text in given.items() if isinstance(text, str)}


def note(folder: Path, name: str, about: Mapping[str, str]) -> None:
    with replacing(folder / NOTES) as beside:
        beside.write_text(json.dumps(notes(folder) | {name: dict(about)}, indent=1), encoding="utf-8")

"""Secrets that were left in files: `python -m tests.secret_scan` looks through the commit and what was made of it.

Patterns of our own, a short list: checksums and commits are long random texts as well, and fill this repository,
so that scanners by entropy find nothing else.
"""

from __future__ import annotations

import base64
import bz2
import contextlib
import gzip
import io
import lzma
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from tests.conftest import REPOSITORY

# Each begins with letters that are found fast, and is looked for in small letters; what must stand before it, if
# anything, is looked at where it is found.
PATTERNS = {
    "Census key": (rb"key\W{0,4}[0-9a-f]{40}(?![0-9a-f])", rb"(census|api)[ _-]?(api[ _-]?)?"),
    "key in an address": (rb"key=(?!redacted|\{|\.\.\.|<)[\w%-]{12,}", rb"[?&;](api_?)?"),
    "token in an address": (rb"token=(?!redacted|\{|\.\.\.|<)[\w%-]{12,}", rb"[?&;](access_)?"),
    "private key": (rb"-----begin (?:[a-z]+ )*private key-----", rb""),
    "GitHub": (rb"gh[pousr]_[a-z0-9]{36}", rb"\W|^"),
    "GitHub, fine": (rb"github_pat_\w{50,}", rb""),
    "GitLab": (rb"glpat-[\w-]{20}", rb""),
    "AWS": (rb"akia[0-9a-z]{16}(?!\w)", rb"\W|^"),
    "Google": (rb"aiza[\w-]{35}", rb"\W|^"),
    "Slack": (rb"xox[abprs]-[\w-]{10,}", rb"\W|^"),
    "PyPI": (rb"pypi-[\w-]{50,}", rb"\W|^"),
    "Hugging Face": (rb"hf_[a-z0-9]{34,}", rb"\W|^"),
    "model provider": (rb"sk-(?:ant-|proj-)?[a-z0-9_-]{32,}", rb"\W|^"),
    "signed token": (rb"eyj[\w-]{10,}\.eyj[\w-]{10,}\.[\w-]{10,}", rb"\W|^"),
    "authorisation": (rb"authorization\W{1,4}(?:bearer|basic) [\w+/=.-]{12,}", rb""),
    "user in an address": (rb"://[^\s/:@\"'<>]{1,60}:[^\s/@\"'<>]{4,}@", rb"https?"),
    "password": (rb"password\s*[=:]\s*[\"'][^\"'\s]{6,}[\"']", rb""),
}
COMPILED = {
    kind: (re.compile(found), re.compile(rb"(?:" + before + rb")$"))
    for kind, (found, before) in PATTERNS.items()
}
ALLOWED = (("tests/refresh/test_refresh_http.py", "user in an address"),)  # made up, to be refused
OUTPUTS = ("reports/_site", "reports/downloads", "data/processed", ".refresh")
MOST = 50_000_000
OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
# Where a stream that zlib packed begins: in a PDF, and in a comment of a picture, short or international.
ZLIB = re.compile(
    rb"(?:stream\r?\n|zTXt[^\x00]{1,79}\x00\x00|iTXt[^\x00]{1,79}\x00\x01\x00[^\x00]*\x00[^\x00]*\x00)"
    rb"(\x78[\x01\x5e\x9c\xda])"
)
BASE64 = re.compile(rb";base64,([A-Za-z0-9+/]{16,})")
DAMAGED = (
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
    OSError,
    ValueError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    pa.ArrowException,
)


def found_in(content: bytes, depth: int = 4) -> Iterator[tuple[str, str]]:
    """Each secret in some bytes: its kind, and its beginning; in what is packed in them too, so many times over."""
    small = content.lower()
    for kind, (pattern, before) in COMPILED.items():
        for match in pattern.finditer(small):
            if before.search(small[max(0, match.start() - 20) : match.start()]):
                yield kind, match[0][:16].decode("utf-8", "replace")
    if depth:
        for inner in packed_in(content):
            yield from found_in(inner, depth - 1)


def packed_in(content: bytes) -> Iterator[bytes]:
    """What bytes hold that cannot be read in them as they are: archives, tables, streams of PDF and pictures, base64,
    and text in two bytes a letter. What cannot be unpacked is left."""
    with contextlib.suppress(*DAMAGED):
        if content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for info in archive.infolist():
                    if info.file_size < MOST:
                        yield archive.read(info)
        elif content.startswith(b"PAR1"):
            yield from texts_of(pq.ParquetFile(io.BytesIO(content)).iter_batches())
        elif content.startswith(b"ARROW1"):
            yield from texts_of([feather.read_table(io.BytesIO(content))])
        elif content.startswith(tuple(OPENERS)):
            opened = next(opener for start, opener in OPENERS.items() if content.startswith(start))
            with opened(io.BytesIO(content)) as stream:
                yield stream.read(MOST)
        elif content.startswith((b"\xff\xfe", b"\xfe\xff")):
            yield content.decode("utf-16").encode()
        elif content.startswith((b"%PDF", b"\x89PNG")):
            for match in ZLIB.finditer(content):
                with contextlib.suppress(zlib.error):
                    yield zlib.decompressobj().decompress(content[match.start(1) :], MOST)
    for match in BASE64.finditer(content):
        with contextlib.suppress(ValueError):
            yield base64.b64decode(match[1] + b"==")
    for sign, meant in ((b"\\/", b"/"), (b"%3D", b"="), (b"%3d", b"=")):
        if sign in content:
            yield content.replace(sign, meant)


def texts_of(parts: Iterable) -> Iterator[bytes]:
    """The texts of a table's parts, each once, a line each."""
    for part in parts:
        for column in part.columns:
            kind = getattr(column.type, "value_type", column.type)
            if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
                yield "\n".join(str(text) for text in column.unique().to_pylist()).encode()


def committed(folder: Path = REPOSITORY) -> Iterator[tuple[str, bytes]]:
    """Every file of the last commit, and its message."""
    run = ["git", "-C", str(folder)]
    yield (
        "the commit's message",
        subprocess.run([*run, "log", "-1", "--format=%an %ae%n%B"], capture_output=True, check=True).stdout,
    )
    names = subprocess.run(
        [*run, "ls-tree", "-r", "-z", "--name-only", "HEAD"], capture_output=True, check=True
    ).stdout
    with subprocess.Popen(
        [*run, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        for name in filter(None, names.decode().split("\0")):
            reader.stdin.write(f"HEAD:{name}\n".encode())
            reader.stdin.flush()
            size = int(reader.stdout.readline().split()[-1])
            yield name, reader.stdout.read(size + 1)[:-1]
        reader.stdin.close()


def made(folder: Path = REPOSITORY) -> Iterator[tuple[str, bytes]]:
    """What lies in the working tree and is not as committed, and the outputs that are in no commit."""
    run = ["git", "-C", str(folder), "ls-files", "-z", "--modified", "--others", "--exclude-standard"]
    names = subprocess.run(run, capture_output=True, check=True).stdout.decode().split("\0")
    paths = {folder / name for name in names if name}
    paths |= {path for top in OUTPUTS for path in (folder / top).rglob("*")}
    for path in sorted(paths):
        if path.is_file() and path.stat().st_size < MOST:
            yield str(path.relative_to(folder)), path.read_bytes()


def scan(files: Iterable[tuple[str, bytes]]) -> tuple[int, list[str]]:
    """How many files were looked at, and a line for each secret in them."""
    count, said = 0, []
    for name, content in files:
        count += 1
        found = [(kind, text) for kind, text in found_in(content) if (name, kind) not in ALLOWED]
        said += [f"{name}: {kind}: {text}..." for kind, text in found]
    return count, said


def main() -> int:
    count, said = scan((*committed(), *made()))
    print("\n".join([*said, f"{count:,} files, {len(said)} secrets"]))
    return int(bool(said) or not count)


if __name__ == "__main__":
    sys.exit(main())

"""Bulk award files as they come: what they are, their headers, zip archives.

Nothing here computes a flow. Headers are compared before an engine reads, because DuckDB takes the columns'
names from its caller and not from the file.
"""

from __future__ import annotations

import csv
import errno
import io
import lzma
import os
import shutil
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np

from analysis.errors import DataError, nearest
from analysis.grants import flows, legacy

COMMA, LINE_FEED, CARRIAGE_RETURN, QUOTE = b',\n\r"'
BLOCK = 1 << 18  # bytes: what a processor holds near
MOST_HEADER = 1 << 20  # bytes: the publisher's has 3,400
MOST_COLUMNS = 1_000  # the publisher's has 112; an engine takes minutes for a hundred thousand
MOST_MEMBERS = 1_000  # a year of all agencies has ten
MOST_RATIO, ALWAYS_FITS = 200, 100 << 20  # a real archive expands 9 times; small ones may expand as they like
AGAIN = "download the file again, and keep it as published."


@dataclass(frozen=True)
class Bulk:
    """One table to read: where it lies, what the user calls it, and its columns in order.

    `path` is text, since a cluster reads from addresses too; `kind` is "csv", "legacy" (CSV of the old
    columns) or "parquet". In a zip archive it is the `member`, of `size` bytes when unpacked.
    """

    path: str
    name: str
    kind: str
    columns: tuple[str, ...]
    member: str = ""
    size: int = 0


def is_remote(path: str) -> bool:
    """Whether the path is an address (`s3a://...`) that only a cluster reads."""
    return "://" in path


def open_bulk(paths: Sequence[str | Path], folder: Path) -> list[Bulk]:
    """Every table in local files: CSV, Parquet, and the CSV members of zip archives.

    Parameters
    ----------
    folder : where links are made to files whose names an engine would read as patterns.

    Raises
    ------
    DataError : a file is absent, named twice, empty, of another kind, unsafe, or not a bulk award file.
    """
    if not paths:
        raise DataError("no file was named.", remedy="name at least one bulk file.")
    seen: dict[str, str] = {}
    found = []
    for path in map(Path, paths):
        if path.is_dir():
            raise DataError("a folder, not a file.", file=path, remedy="name the files in it.")
        if path.exists() and not path.is_file():
            raise DataError("a pipe or device, not a file.", file=path, remedy="save it as a file first.")
        if not path.is_file():
            raise DataError("the file does not exist.", file=path, remedy="mend the path.")
        if (real := os.path.realpath(path)) in seen:
            raise DataError("the file is named twice.", file=path, remedy="name each file once.")
        seen[real] = str(path)
        found += list(tables_of(path, folder / str(len(seen))))
    return found


def tables_of(path: Path, folder: Path) -> Iterator[Bulk]:
    """The tables of one file, told by its first bytes and not by its name."""
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic[:2] == b"PK":
        yield from members(path)
    elif magic == b"PAR1":
        yield Bulk(plainly_named(path, folder), str(path), "parquet", parquet_columns(path))
    else:
        with path.open("rb") as stream:
            columns = header(stream, str(path))
        yield Bulk(plainly_named(path, folder), str(path), kind_of(columns), columns)


def plainly_named(path: Path, folder: Path) -> str:
    """The file's absolute path, or that of a link to it where its name would be read as a pattern."""
    absolute = os.path.realpath(path)
    if not set(absolute) & set("*?[]{}"):
        return absolute
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "linked"
    link.symlink_to(absolute)
    return str(link)


def header(stream: io.BufferedIOBase, name: str) -> tuple[str, ...]:
    """The column names of a CSV file, checked.

    Raises
    ------
    DataError : an empty file, no CSV, a name twice, or a column missing.
    """
    start = stream.read(MOST_HEADER)
    if not start.strip():
        raise DataError("the file is empty.", file=name, remedy=AGAIN)
    try:
        text = start.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")
        columns = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except csv.Error as error:
        raise DataError(f"the header is not CSV ({error}).", file=name, row=1, remedy=AGAIN) from error
    if not all("".join(column.splitlines()).isprintable() for column in columns):
        raise DataError("neither CSV in UTF-8 nor zip nor Parquet.", file=name, remedy=AGAIN)
    return check_columns(columns, name)


def check_columns(columns: Iterable[str], name: str) -> tuple[str, ...]:
    """The names, each once (whatever the case of its letters), all that a flow needs among them."""
    columns = tuple(columns)
    if len(columns) > MOST_COLUMNS:
        raise DataError(f"the header names {len(columns):,} columns.", file=name, row=1, remedy=AGAIN)
    times = Counter(column.lower() for column in columns)
    doubled = [column for column in columns if times[column.lower()] > 1]
    if doubled:
        raise DataError(
            f"the header names {doubled[0]!r} twice.", file=name, row=1, column=doubled[0], remedy=AGAIN
        )
    for column in legacy.NEEDED if kind_of(columns) == "legacy" else (*flows.NEEDED, *flows.EXPLAINING):
        if column not in columns:
            raise DataError(
                f"the column is missing; there are {len(columns)}.{nearest(column, columns)}",
                file=name,
                row=1,
                column=column,
                remedy="give Assistance_PrimeTransactions files with all their columns.",
            )
    return columns


def kind_of(columns: Iterable[str]) -> str:
    """Which columns a CSV file has, today's or the old ones."""
    return "legacy" if "fed_funding_amount" in columns else "csv"


def parquet_columns(path: Path) -> tuple[str, ...]:
    """The column names of a Parquet file, of which those that a flow needs must be text.

    Raises
    ------
    DataError : not Parquet, or codes kept as numbers, which have lost their zeros.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
        names = schema.names
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"not a Parquet file ({error}).", file=path, remedy=AGAIN) from error
    columns = check_columns(names, str(path))
    if kind_of(columns) == "legacy":
        raise DataError("Parquet of the columns of before 2017.", file=path, remedy="give them as CSV.")
    for column in (*flows.NEEDED, *flows.EXPLAINING):
        kind = schema.field(column).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
            raise DataError(
                f"the column is {kind}, and text was expected.",
                file=path,
                column=column,
                remedy="write the Parquet file with every column as text: numbers have lost zeros and cents.",
            )
    return columns


def members(path: Path) -> Iterator[Bulk]:
    """The CSV members of an archive.

    Raises
    ------
    DataError : not a whole archive, a member outside its folder, encrypted, of no known compression, twice,
        or larger than an archive of tables can be; no CSV in it.
    """
    with opened(path) as archive:
        inside = [info for info in archive.infolist() if not info.is_dir()]
        if len(inside) > MOST_MEMBERS:
            raise DataError(f"the archive has {len(inside):,} members.", file=path, remedy=AGAIN)
        for info in inside:
            check_member(info, path)
        tables = [info for info in inside if info.filename.lower().endswith(".csv")]
        if not tables:
            raise DataError("no CSV file is in the archive.", file=path, remedy=AGAIN)
        if len({info.filename for info in tables}) < len(tables):
            raise DataError("two members have one name.", file=path, remedy=AGAIN)
        for info in tables:
            columns = columns_of(archive, info, path)
            name = f"{path}:{info.filename}"
            yield Bulk(str(path), name, kind_of(columns), columns, info.filename, info.file_size)


# What the library raises of offsets, names, lengths and methods that lie.
TORN = (NotImplementedError, EOFError, RuntimeError, ValueError, OSError, struct.error)


@contextmanager
def opened(path: str | Path) -> Iterator[zipfile.ZipFile]:
    """An archive to read from.

    Raises
    ------
    DataError : it is torn, or packed in a way that is not known.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, *TORN) as error:
        if isinstance(error, DataError) or getattr(error, "errno", None) not in (None, errno.EINVAL):
            raise  # the disk's, or told already
        raise DataError(f"the archive cannot be unpacked ({error}).", file=path, remedy=AGAIN) from error


@contextmanager
def open_bytes(bulk: Bulk) -> Iterator[IO[bytes]]:
    """The bytes of a local table, those of a member as it is unpacked."""
    if not bulk.member:
        with Path(bulk.path).open("rb") as stream:
            yield stream
        return
    with opened(bulk.path) as archive, archive.open(bulk.member) as stream:
        yield stream


def unpacked(bulks: Sequence[Bulk], folder: Path) -> list[Bulk]:
    """The tables as files, for an engine that reads no archive: members lie in the folder, under our names.

    Raises
    ------
    DataError : an archive is torn; no room on the disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, bulk in enumerate(bulks):
        if bulk.member:
            target = folder / f"{number}.csv"
            check_room(bulk.size, folder, bulk.name)
            with open_bytes(bulk) as packed, target.open("wb") as out:
                shutil.copyfileobj(packed, out, 1 << 20)
            bulk = replace(bulk, path=str(target), member="")
        found.append(bulk)
    return found


def columns_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> tuple[str, ...]:
    """The header of a member, before it is unpacked."""
    with archive.open(info) as stream:
        return header(stream, f"{path}:{info.filename}")


def check_member(info: zipfile.ZipInfo, path: Path) -> None:
    """A member that lies in its folder, can be read, and is no bomb."""
    parts = PurePosixPath(info.filename.replace("\\", "/"))
    ratio = info.file_size / max(info.compress_size, 1)
    for wrong, rule in (
        (parts.is_absolute() or ".." in parts.parts or ":" in info.filename, "lies outside the archive"),
        (info.flag_bits & 0x1, "is encrypted"),
        (ratio > MOST_RATIO and info.file_size > ALWAYS_FITS, f"would expand {ratio:,.0f} times"),
    ):
        if wrong:
            raise DataError(f"the member {info.filename!r} {rule}.", file=path, remedy=AGAIN)


def check_room(size: int, folder: Path, name: str) -> None:
    """The disk has room for what is unpacked."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DataError(
            f"it unpacks to {size / 1e9:,.1f} GB, and {folder} has {free / 1e9:,.1f} GB free.",
            file=name,
            remedy="make room, or set TMPDIR to a folder on a larger disk.",
        )


@dataclass(frozen=True)
class Ends:
    """How the lines of a CSV file end, of what the engines read differently or not at all.

    `comma`: some line ends in a comma. DuckDB passes over one empty field too many at the end of a row, which
    is what a stray comma within the row leaves where the last column is empty: then every field after the
    comma is in a wrong column. `mixed`: rows end both in LF and in CRLF, which DuckDB cannot read and Spark
    can. A line end after an odd number of quotes is part of a field; a quote out of place turns that round,
    so that only a reader of CSV can say it for sure.
    """

    comma: bool
    mixed: bool


def line_ends(blocks: Iterable[bytes]) -> Ends:
    """How the lines of a CSV file end, from its bytes."""
    comma, quotes, last = False, 0, 0
    rows: set[bool] = set()  # whether a row's end is CRLF
    for block in blocks:
        letters = np.frombuffer(block, dtype="uint8")
        returns = CARRIAGE_RETURN in block
        if not comma:
            commas = letters[:-1] == COMMA
            after = (LINE_FEED, CARRIAGE_RETURN) if returns else (LINE_FEED,)
            comma = any(bool((commas & (letters[1:] == end)).any()) for end in after)
            comma |= last == COMMA and block[0] in after
        marks = letters == QUOTE
        if rows != {False} or returns or last == CARRIAGE_RETURN:
            ends = np.flatnonzero(letters == LINE_FEED)
            inside = (quotes + np.searchsorted(np.flatnonzero(marks), ends)) % 2 == 1
            before = np.where(ends > 0, letters[ends - 1], last)
            rows |= set((before[~inside] == CARRIAGE_RETURN).tolist())
        quotes += np.count_nonzero(marks)
        last = block[-1]
    return Ends(comma or last == COMMA, len(rows) > 1)


def blocks(bulk: Bulk) -> Iterator[bytes]:
    """The bytes of a local CSV file, a block after the other; none of another."""
    if bulk.kind == "parquet" or is_remote(bulk.path):
        return
    with open_bytes(bulk) as stream:
        while block := stream.read(BLOCK):
            yield block

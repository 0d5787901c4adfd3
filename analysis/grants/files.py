"""Bulk award files as they come: what they are, their headers, zip archives.

Nothing here computes a flow. Headers are compared before an engine reads, because DuckDB takes the columns'
names from its caller and not from the file.
"""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from analysis.errors import DataError, nearest
from analysis.grants import flows, legacy

COMMA, LINE_FEED, CARRIAGE_RETURN, QUOTE = b',\n\r"'
MOST_HEADER = 1 << 20  # bytes: the publisher's has 3,400
MOST_RATIO, ALWAYS_FITS = 200, 100 << 20  # a real archive expands 9 times; small ones may expand as they like
AGAIN = "download the file again, and keep it as published."


@dataclass(frozen=True)
class Bulk:
    """One table to read: where it lies, what the user calls it, and its columns in order.

    `path` is text, since a cluster reads from addresses too; `kind` is "csv", "legacy" (CSV of the old
    columns) or "parquet".
    """

    path: str
    name: str
    kind: str
    columns: tuple[str, ...]


def is_remote(path: str) -> bool:
    """Whether the path is an address (`s3a://...`) that only a cluster reads."""
    return "://" in path


def open_bulk(paths: Sequence[str | Path], folder: Path) -> list[Bulk]:
    """Every table in local files: CSV, Parquet, and the CSV members of zip archives.

    Parameters
    ----------
    folder : where members of archives are unpacked, under names of our own.

    Raises
    ------
    DataError : a file is absent, named twice, empty, of another kind, unsafe, or not a bulk award file.
    """
    if not paths:
        raise DataError("no file was named.", remedy="name at least one bulk file.")
    seen: dict[Path, str] = {}
    found = []
    for path in map(Path, paths):
        if path.is_dir():
            raise DataError("a folder, not a file.", file=path, remedy="name the files in it.")
        if not path.is_file():
            raise DataError("the file does not exist.", file=path, remedy="mend the path.")
        if path.resolve() in seen:
            raise DataError("the file is named twice.", file=path, remedy="name each file once.")
        seen[path.resolve()] = str(path)
        found += list(tables_of(path, folder / str(len(seen))))
    return found


def tables_of(path: Path, folder: Path) -> Iterator[Bulk]:
    """The tables of one file, told by its first bytes and not by its name."""
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic[:2] == b"PK":
        yield from members(path, folder)
    elif magic == b"PAR1":
        yield Bulk(plainly_named(path, folder), str(path), "parquet", parquet_columns(path))
    else:
        with path.open("rb") as stream:
            columns = header(stream, str(path))
        yield Bulk(plainly_named(path, folder), str(path), kind_of(columns), columns)


def plainly_named(path: Path, folder: Path) -> str:
    """The file's absolute path, or that of a link to it where its name would be read as a pattern."""
    absolute = path.resolve()
    if not set(str(absolute)) & set("*?[]{}"):
        return str(absolute)
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
        columns = next(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise DataError(f"the header is not CSV ({error}).", file=name, row=1, remedy=AGAIN) from error
    if not all("".join(column.splitlines()).isprintable() for column in columns):
        raise DataError("neither CSV in UTF-8 nor zip nor Parquet.", file=name, remedy=AGAIN)
    return check_columns(columns, name)


def check_columns(columns: Iterable[str], name: str) -> tuple[str, ...]:
    """The names, each once (whatever the case of its letters), all that a flow needs among them."""
    columns = tuple(columns)
    lower = [column.lower() for column in columns]
    doubled = [column for column in columns if lower.count(column.lower()) > 1]
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
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"not a Parquet file ({error}).", file=path, remedy=AGAIN) from error
    columns = check_columns(schema.names, str(path))
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


def members(path: Path, folder: Path) -> Iterator[Bulk]:
    """The CSV members of an archive, unpacked to names of our own.

    Raises
    ------
    DataError : not a whole archive, a member outside its folder, encrypted, of no known compression, or
        larger than an archive of tables can be; no CSV in it; no room on the disk.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [info for info in archive.infolist() if not info.is_dir()]
            for info in inside:
                check_member(info, path)
            tables = [info for info in inside if info.filename.lower().endswith(".csv")]
            if not tables:
                raise DataError("no CSV file is in the archive.", file=path, remedy=AGAIN)
            columns = [columns_of(archive, info, path) for info in tables]
            folder.mkdir(parents=True, exist_ok=True)
            check_room(sum(info.file_size for info in tables), folder, path)
            for number, (info, names) in enumerate(zip(tables, columns, strict=True)):
                target = folder / f"{number}.csv"
                with archive.open(info) as packed, target.open("wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked, 1 << 20)
                yield Bulk(str(target), f"{path}:{info.filename}", kind_of(names), names)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise DataError(f"the archive cannot be unpacked ({error}).", file=path, remedy=AGAIN) from error


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


def check_room(size: int, folder: Path, path: Path) -> None:
    """The disk has room for what is unpacked."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DataError(
            f"it unpacks to {size / 1e9:,.1f} GB, and {folder} has {free / 1e9:,.1f} GB free.",
            file=path,
            remedy="make room, or set TMPDIR to a folder on a larger disk.",
        )


def ends_in_comma(bulk: Bulk) -> bool:
    """Whether any line of a local CSV file ends in a comma.

    DuckDB passes over one empty field too many at the end of a row, which is what a stray comma within the
    row leaves where the last column is empty: then every field after the comma is in a wrong column.
    """
    last = 0
    for letters in blocks(bulk):
        ends = np.flatnonzero((letters == LINE_FEED) | (letters == CARRIAGE_RETURN))
        before = np.where(ends > 0, letters[ends - 1], last)
        if (before == COMMA).any():
            return True
        last = letters[-1]
    return last == COMMA


def may_change_line_ends(bulk: Bulk) -> bool:
    """Whether rows of a local CSV file end both in LF and in CRLF, which DuckDB cannot read and Spark can.

    A line end after an odd number of quotes is part of a field. A quote out of place turns that round, so
    that only a reader of CSV can say it for sure.
    """
    last = quotes = 0
    found: set[bool] = set()
    for letters in blocks(bulk):
        ends = np.flatnonzero(letters == LINE_FEED)
        inside = (quotes + np.searchsorted(np.flatnonzero(letters == QUOTE), ends)) % 2 == 1
        before = np.where(ends > 0, letters[ends - 1], last)
        found |= set((before[~inside] == CARRIAGE_RETURN).tolist())
        if len(found) > 1:
            return True
        quotes += np.count_nonzero(letters == QUOTE)
        last = letters[-1]
    return False


def blocks(bulk: Bulk) -> Iterator[np.ndarray]:
    """The bytes of a local CSV file, a block after the other; none of another."""
    if bulk.kind == "parquet" or is_remote(bulk.path):
        return
    with Path(bulk.path).open("rb") as stream:
        while block := stream.read(1 << 18):
            yield np.frombuffer(block, dtype="uint8")

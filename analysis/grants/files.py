"""Bulk award files as they come: what they are, their headers, zip archives, and where a file is wrong.

Nothing here computes a flow. Headers are compared before an engine reads, because DuckDB takes the columns'
names from its caller and not from the file. What an engine refuses is looked for again in plain Python,
which can name file and line.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from analysis.errors import DataError, nearest
from analysis.grants import flows, legacy

COMMA, LINE_FEED, CARRIAGE_RETURN = b",\n\r"
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
        text = start.decode("utf-8", errors="ignore").removeprefix("\ufeff")
        columns = next(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise DataError(f"the header is not CSV ({error}).", file=name, row=1, remedy=AGAIN) from error
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
    for column in (*flows.NEEDED, *flows.EXPLAINING):
        kind = schema.field(column).type
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
    if bulk.kind == "parquet" or is_remote(bulk.path):
        return False
    last = 0
    with Path(bulk.path).open("rb") as stream:
        while block := stream.read(1 << 18):
            letters = np.frombuffer(block, dtype="uint8")
            ends = np.flatnonzero((letters == LINE_FEED) | (letters == CARRIAGE_RETURN))
            before = np.where(ends > 0, letters[ends - 1], last)
            if (before == COMMA).any():
                return True
            last = letters[-1]
    return last == COMMA


def first_fault(bulk: Bulk) -> DataError | None:
    """The first place where a local CSV file is not as it should be, read in plain Python.

    Lines count from 1, the header's; a record is named by its first line.
    """
    if bulk.kind == "parquet" or is_remote(bulk.path):
        return None
    with Path(bulk.path).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        line = 1
        try:
            for record in reader:
                fault = line > 1 and record and fault_of(record, bulk.columns)
                if fault:
                    rule, column = fault
                    return DataError(rule, file=bulk.name, row=line, column=column, remedy=AGAIN)
                line = reader.line_num + 1
        except csv.Error as error:
            return DataError(f"not CSV ({error}).", file=bulk.name, row=line, remedy=AGAIN)
    return None


def fault_of(record: list[str], columns: tuple[str, ...]) -> tuple[str, str | None] | None:
    """What is wrong with a record, and in which column."""
    if len(record) != len(columns):
        return f"{len(record)} fields where the header has {len(columns)}.", None
    row = dict(zip(columns, record, strict=True))
    if kind_of(columns) == "legacy":
        return fault_of_grant(row, row["assistance_type"][:2], "assistance_type", LEGACY_FORMS)
    for column in (*flows.NEEDED, *flows.EXPLAINING):
        if any("\udc80" <= letter <= "\udcff" or letter == flows.NOT_UTF8 for letter in row[column]):
            return "not UTF-8.", column
    deleted = "correction_delete_indicator_code"
    if row["assistance_type_code"] in flows.GRANTS and row[deleted] == "D":
        return "the transaction is deleted: this is a file of changes (Delta), not of transactions.", deleted
    return fault_of_grant(row, row["assistance_type_code"], "assistance_type_code", FORMS)


def fault_of_grant(row: dict[str, str], kind: str, column: str, forms: tuple) -> tuple[str, str] | None:
    """What is wrong with a grant of that type, or a row that may be a grant."""
    if kind in flows.NOT_GRANTS:
        return None
    if kind not in flows.GRANTS:
        return f"the award type {kind!r} is not known: it may be a grant.", column
    for name, pattern, right, said in forms:
        if bool(re.search(pattern, row[name])) != right:
            return f"{row[name]!r} is not {said}.", name
    return None


# column, pattern, whether a right value matches it, what a right value is
DOLLARS = "an amount in dollars and cents, such as -1234.50"
LEGACY_FORMS = (
    ("fed_funding_amount", flows.AMOUNT, True, DOLLARS),
    ("fiscal_year", flows.YEAR, True, "a fiscal year"),
)
FORMS = (
    ("federal_action_obligation", flows.AMOUNT, True, DOLLARS),
    ("action_date_fiscal_year", flows.YEAR, True, "a fiscal year"),
    ("cfda_number", flows.NUMBER_FOR_LISTING, False, "an assistance listing; zeros were lost (10.500)"),
    *(
        (
            f"prime_award_transaction_{place}_county_fips_code",
            flows.NUMBER_FOR_COUNTY,
            False,
            "a county code of five digits; a zero was lost",
        )
        for place in flows.SCOPES
    ),
)

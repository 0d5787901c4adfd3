"""Where a bulk award file is wrong: what an engine refuses is looked for again in plain Python.

An engine names neither line nor row, or not the right one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import DataError
from analysis.grants import flows, legacy
from analysis.grants.files import AGAIN, Bulk, is_remote, kind_of, open_bytes

LONGEST_FIELD = 2_000_000  # letters; DuckDB reads no longer line


def first_fault(bulk: Bulk, dated: bool = False) -> DataError | None:
    """The first place where a local file is not as it should be.

    Parameters
    ----------
    dated : whether every grant needs its day.
    """
    if is_remote(bulk.path):
        return None
    return first_in_parquet(bulk, dated) if bulk.kind == "parquet" else first_in_csv(bulk, dated)


def first_in_csv(bulk: Bulk, dated: bool) -> DataError | None:
    """The first fault of a CSV file. Lines count from 1, the header's; a record is named by its first."""
    line, ends = 1, [""]  # of the line read last

    def watched(stream: Iterator[str]) -> Iterator[str]:
        for text in stream:
            ends[0] = text[len(text.rstrip("\r\n")) :]
            yield text

    def fault(rule: str, column: str | None = None, remedy: str = AGAIN) -> DataError:
        return DataError(rule, file=bulk.name, row=line, column=column, remedy=remedy)

    with open_bytes(bulk) as plain, fields_of(LONGEST_FIELD):
        stream = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="surrogateescape", newline="")
        reader = csv.reader(watched(stream), strict=True)
        first = ""
        try:
            for record in reader:
                found = line > 1 and record and fault_of(record, bulk.columns, dated)
                if found:
                    return fault(*found)
                first = first or ends[0]
                if ends[0] not in ("", first):
                    change = f"the line ends change: {NAMES[first]} at the header, {NAMES[ends[0]]} here."
                    return fault(change, remedy="write the file with one kind of line end.")
                line = reader.line_num + 1
        except csv.Error as error:
            return fault(f"not CSV ({error}).")
    return None


def first_in_parquet(bulk: Bulk, dated: bool) -> DataError | None:
    """The first fault of a Parquet file. Rows count from 1."""
    try:
        with pq.ParquetFile(bulk.path) as file:
            for number, row in enumerate(rows_of(file), 1):
                found = fault_in(row, dated)
                if found:
                    rule, column = f"row {number:,}: {found[0]}", found[1]
                    return DataError(rule, file=bulk.name, column=column, remedy=FROM_CSV)
    except (pa.ArrowException, OSError) as error:
        return DataError(f"not a whole Parquet file ({error}).", file=bulk.name, remedy=AGAIN)
    return None


def rows_of(file: pq.ParquetFile) -> Iterator[dict[str, str]]:
    """The rows of a Parquet file, of the columns that a flow needs."""
    for batch in file.iter_batches(columns=[*flows.NEEDED, *flows.EXPLAINING]):
        for values in zip(*(texts(column) for column in batch.columns), strict=True):
            yield dict(zip(batch.schema.names, values, strict=True))


def texts(column: pa.Array) -> list[str]:
    """The values of a column of text, "" for null, bytes that are no UTF-8 as a CSV file's are read."""
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    values = plain.cast(pa.large_string()).cast(pa.large_binary()).to_pylist()
    return [(value or b"").decode("utf-8", errors="surrogateescape") for value in values]


@contextmanager
def fields_of(most: int) -> Iterator[None]:
    """Read CSV fields of so many letters; the module's own limit is lower, and one for all readers."""
    usual = csv.field_size_limit(most)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def fault_of(record: list[str], columns: tuple[str, ...], dated: bool) -> tuple[str, str | None] | None:
    """What is wrong with a record, and in which column."""
    if len(record) != len(columns):
        return f"{len(record)} fields where the header has {len(columns)}.", None
    return fault_in(dict(zip(columns, record, strict=True)), dated)


def fault_in(row: dict[str, str], dated: bool) -> tuple[str, str] | None:
    """What is wrong in a row, and in which column."""
    if kind_of(row) == "legacy":
        forms = LEGACY_FORMS + (LEGACY_DAY,) * dated
        return fault_of_grant(row, row["assistance_type"][:2], "assistance_type", forms)
    for column in (*flows.NEEDED, *flows.EXPLAINING):
        if any("\udc80" <= letter <= "\udcff" or letter == flows.NOT_UTF8 for letter in row[column]):
            return "not UTF-8.", column
    deleted = "correction_delete_indicator_code"
    if row["assistance_type_code"] in flows.GRANTS and row[deleted] == "D":
        return "the transaction is deleted: this is a file of changes (Delta), not of transactions.", deleted
    return fault_of_grant(row, row["assistance_type_code"], "assistance_type_code", FORMS + (DAY,) * dated)


def fault_of_grant(row: dict[str, str], kind: str, column: str, forms: tuple) -> tuple[str, str] | None:
    """What is wrong with a grant of that type, or a row that may be a grant."""
    if kind in flows.NOT_GRANTS:
        return None
    if kind not in flows.GRANTS:
        return f"the award type {kind!r} is not known: it may be a grant.", column
    for name, pattern, right, said in forms:
        if bool(re.fullmatch(pattern, row[name])) != right:
            return f"{row[name]!r} is not {said}.", name
    return None


FROM_CSV = "write the Parquet file again from the files as published, every column as text."
NAMES = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}
# column, pattern, whether a right value matches it, what a right value is
DOLLARS = "an amount in dollars and cents, such as -1234.50"
LEGACY_FORMS = (
    ("fed_funding_amount", flows.AMOUNT, True, DOLLARS),
    ("fiscal_year", flows.YEAR, True, "a fiscal year"),
    ("recipient_county_code", f"({legacy.NUMBER})?", True, "a county's number of up to three digits"),
)
LEGACY_DAY = (
    "obligation_action_date",
    "(0[1-9]|1[0-2])/(0[1-9]|[12][0-9]|3[01])/[0-9]{4}",
    True,
    "MM/DD/YYYY",
)
FORMS = (
    ("federal_action_obligation", flows.AMOUNT, True, DOLLARS),
    ("action_date_fiscal_year", flows.YEAR, True, "a fiscal year"),
    ("cfda_number", flows.NUMBER_FOR_LISTING, False, "an assistance listing; zeros were lost (10.500)"),
    *(
        (
            f"prime_award_transaction_{place}_county_fips_code",
            f"({flows.COUNTY})?",
            True,
            "a county code of five digits, such as 01001",
        )
        for place in flows.SCOPES
    ),
)
DAY = ("action_date", flows.DAY, True, "a day, YYYY-MM-DD, that --before could be held against")

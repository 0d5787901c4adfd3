"""Mutations of tables: CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from random import Random

from tests.doors.mutations.text import ANY, HOSTILE, SMALL, TEXT, Mutation


def table(content: bytes) -> list[list[str]]:
    """The records of a CSV, however broken; [] where it is none."""
    try:
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig", "surrogateescape"), newline="")))
    except csv.Error:
        return []


def to_csv(records: list[list[str]], draw: Random | None = None, **form: object) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, **{"lineterminator": "\n", **form}).writerows(records)
    return stream.getvalue().encode("utf-8", "surrogateescape")


def of_table(change: Callable[[list[list[str]], Random], None]) -> Mutation:
    """A mutation of the records of a CSV, in place; nothing where there are fewer than two."""

    def mutation(content: bytes, draw: Random) -> bytes:
        records = table(content)
        if len(records) < 2 or not records[0]:
            return content
        change(records, draw)
        return to_csv(records)

    mutation.__name__, mutation.__doc__ = change.__name__, change.__doc__
    return mutation


@of_table
def cells(records: list[list[str]], draw: Random) -> None:
    """Some cells are hostile."""
    for _ in range(draw.choice((1, 1, 1, 3))):
        record = draw.choice(records[1:])
        if record:
            record[draw.randrange(len(record))] = draw.choice(HOSTILE)


@of_table
def column_of(records: list[list[str]], draw: Random) -> None:
    """Every cell of a column is the same hostile one."""
    at, text = draw.randrange(len(records[0])), draw.choice(SMALL)
    for record in records[1:]:
        if at < len(record):
            record[at] = text


@of_table
def column_renamed(records: list[list[str]], draw: Random) -> None:
    """A heading is another, in another case, or hostile."""
    at = draw.randrange(len(records[0]))
    name = records[0][at]
    records[0][at] = draw.choice(
        (name.lower(), name.upper(), f"{name} ", f" {name}", f"{name}_2", name[:-1], *SMALL)
    )


@of_table
def column_dropped(records: list[list[str]], draw: Random) -> None:
    """A column is missing."""
    at = draw.randrange(len(records[0]))
    for record in records:
        del record[at : at + 1]


@of_table
def column_doubled(records: list[list[str]], draw: Random) -> None:
    """A column is there twice."""
    at = draw.randrange(len(records[0]))
    for record in records:
        record.append(record[at] if at < len(record) else "")


@of_table
def columns_moved(records: list[list[str]], draw: Random) -> None:
    """The columns stand in another order; or their headings alone do, and every value is another's."""
    order = list(range(len(records[0])))
    draw.shuffle(order)
    for record in records if draw.randrange(2) else records[:1]:
        record[:] = [record[at] for at in order if at < len(record)]


@of_table
def ragged(records: list[list[str]], draw: Random) -> None:
    """A record has a field too few or too many."""
    record = draw.choice(records)
    if draw.randrange(2):
        record.insert(draw.randrange(len(record) + 1), draw.choice(SMALL))
    elif record:
        del record[draw.randrange(len(record))]


@of_table
def rows(records: list[list[str]], draw: Random) -> None:
    """A record is doubled, its key another's, or all are gone but the header; or they are turned round."""
    match draw.randrange(4):
        case 0:
            records.append(list(draw.choice(records[1:])))
        case 1:
            one, other = draw.choice(records[1:]), draw.choice(records[1:])
            one[:1] = other[:1]
        case 2:
            del records[1:]
        case _:
            records[1:] = records[:0:-1]


@of_table
def unpadded(records: list[list[str]], draw: Random) -> None:
    """A spreadsheet has opened the file: zeros in front are lost, long numbers rounded, codes have points."""
    for record in records[1:]:
        for at, cell in enumerate(record):
            if cell.isdigit() and cell.isascii():
                record[at] = (
                    draw.choice((str(int(cell)), f"{int(cell)}.0"))
                    if len(cell) < 15
                    else f"{float(cell):.5E}"
                )


def dialect(content: bytes, draw: Random) -> bytes:
    """Other separators, other quotes, everything quoted or nothing."""
    records = table(content)
    form = draw.choice(
        (
            {"delimiter": ";"},
            {"delimiter": "\t"},
            {"delimiter": "|"},
            {"quotechar": "'", "quoting": csv.QUOTE_ALL},
            {"quoting": csv.QUOTE_ALL},
            {"quoting": csv.QUOTE_NONE, "escapechar": "\\"},
            {"lineterminator": "\r\n"},
        )
    )
    try:
        return to_csv(records, **form) if records else content
    except csv.Error:
        return content


CSV = (
    *TEXT,
    cells,
    column_of,
    column_renamed,
    column_dropped,
    column_doubled,
    columns_moved,
    ragged,
    rows,
    unpadded,
)
CSV = (*CSV, dialect, cells, cells, column_of)  # what is most likely to be met, more often


# -- of Parquet ---------------------------------------------------------------------------------------------


def parquet_columns(content: bytes, draw: Random) -> bytes:
    """A column is missing, has another name or type, is all null, or there twice; no row is left."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError, ValueError):
        return content
    if not table.num_columns:
        return content
    at = draw.randrange(table.num_columns)
    name, column = table.column_names[at], table.column(at)
    match draw.randrange(6):
        case 0:
            table = table.remove_column(at)
        case 1:
            table = table.rename_columns(
                [*table.column_names[:at], f"{name}_", *table.column_names[at + 1 :]]
            )
        case 2:
            table = table.set_column(at, name, pa.nulls(len(column), column.type))
        case 3:
            table = table.append_column(name, column)
        case 4:
            table = table.slice(0, 0)
        case _:
            texts = pa.array([draw.choice(SMALL) for _ in range(len(column))], pa.string())
            table = table.set_column(
                at, name, draw.choice((texts, pa.array(range(len(column))), pa.nulls(len(column))))
            )
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


PARQUET = (*ANY, parquet_columns, parquet_columns, parquet_columns)

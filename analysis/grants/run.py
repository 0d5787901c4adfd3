"""Bulk files to a file of flows: read once, checked, and written only where every row was understood."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import ibis
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from analysis.errors import DataError
from analysis.grants import engines, faults, files, flows, pipes
from analysis.writing import replacing

ENGINES = ("duckdb", "spark")
Say = Callable[[str], None]


def write_flows(
    paths: Sequence[str | Path],
    out: Path,
    *,
    engine: str = "duckdb",
    master: str | None = None,
    memory: str = engines.MEMORY,
    before: str | None = None,
    say: Say | None = None,
) -> dict[str, int]:
    """The flows of bulk files to a Parquet or CSV file, sorted, the same bytes on either engine.

    Parameters
    ----------
    paths : CSV, zip and Parquet files mixed; for Spark also addresses that its cluster reads.
    out : ends in .parquet or .csv.
    engine : "duckdb", or "spark" on `master` (this machine's cores where none is named).
    memory : the limit of DuckDB; what does not fit goes to a temporary folder (TMPDIR).
    before : only transactions of earlier days (YYYY-MM-DD); every grant needs its `action_date` then.
    say : hears what is being done.

    Returns
    -------
    dict `files`, `transactions` (of grants), `flows` (rows written).

    Raises
    ------
    DataError : a file breaks a rule, with file and line where one can be named; nothing is written then.
    """
    say = say or (lambda text: None)
    if out.suffix not in (".parquet", ".csv"):
        raise DataError("neither .parquet nor .csv.", file=out, remedy="name such a file with --out.")
    if engine not in ENGINES:
        raise DataError(f"no engine {engine!r}.", file="--engine", remedy=f"use {' or '.join(ENGINES)}.")
    if engine == "duckdb" and master:
        raise DataError("DuckDB has no master.", file="--master", remedy="add --engine spark.")
    engines.check_memory(memory)
    # realpath: Path.resolve raises at a link that leads to itself, before Python 3.13.
    if os.path.realpath(out) in {os.path.realpath(path) for path in paths if not files.is_remote(str(path))}:
        raise DataError("--out names a file to read.", file=out, remedy="name another file with --out.")
    with TemporaryDirectory(prefix="flows-") as temporary:
        folder = Path(temporary)
        remote = [str(path) for path in paths if files.is_remote(str(path))]
        if remote and engine == "duckdb":
            raise DataError("an address, not a file.", file=remote[0], remedy="download it, or use Spark.")
        local = [path for path in paths if not files.is_remote(str(path))]
        bulks = files.open_bulk(local, folder) if local or not remote else []
        with started(engine, master, memory, folder, say) as backend:
            try:
                bulks += engines.open_remote(backend, remote) if remote else []
                if engine == "spark":
                    bulks = files.unpacked(bulks, folder / "unpacked")
                say(f"reading {len(bulks)} tables")
                return flows_of(backend, bulks, out, before, say)
            except engines.errors_of(engine) as error:
                raise explained(bulks, error, dated=bool(before)) from error


@contextmanager
def started(
    engine: str, master: str | None, memory: str, folder: Path, say: Say
) -> Iterator[ibis.BaseBackend]:
    """The engine, ready."""
    if engine == "spark":
        with engines.spark_engine(master) as backend:
            yield backend
    else:
        with engines.duckdb_engine(memory, folder, lambda done: say(f"{done:.0f} %")) as backend:
            yield backend


def flows_of(
    backend: ibis.BaseBackend, bulks: list[files.Bulk], out: Path, before: str | None, say: Say
) -> dict[str, int]:
    """Group once, look for what must be refused, write."""
    read = engines.read_with_duckdb if backend.name == "duckdb" else engines.read_with_spark
    with (
        pipes.piped(bulks, share_of(sum(bulk.size for bulk in bulks), say)) as (through, ends),
        flows.grouped(read(backend, through), before).cache() as groups,
    ):
        found = groups.aggregate(
            transactions=groups.transactions.sum(), refused=flows.faulty(groups).cast("int64").sum()
        ).to_pyarrow()
        counted = {name: values[0] or 0 for name, values in found.to_pydict().items()}
        for bulk, end in zip(bulks, ends, strict=True):
            refuse_misread(backend, bulk, end.result(), dated=bool(before))
        if counted["refused"]:
            raise explained(bulks, None, dated=bool(before))
        say("writing")
        rows = write(engines.batches(backend, flows.by_scope(groups), flows.KEYS), out)
    return {"files": len(bulks), "transactions": counted["transactions"], "flows": rows}


def share_of(size: int, say: Say) -> Callable[[int], None]:
    """Says the share of so many bytes, whenever it has grown by a hundredth, as it is told of more."""
    passed = 0

    def told(count: int) -> None:
        nonlocal passed
        before, passed = passed, passed + count
        if 100 * before // size < 100 * passed // size:
            say(f"{100 * passed // size} %")

    return told


def refuse_misread(backend: ibis.BaseBackend, bulk: files.Bulk, ends: files.Ends, *, dated: bool) -> None:
    """Refuse a file whose line ends an engine reads differently from the other, or without an error."""
    if ends.mixed and (fault := faults.first_fault(bulk, dated)):
        raise fault
    if ends.comma and backend.name == "duckdb":
        with pipes.piped([bulk]) as ([again], _):
            if engines.has_fields_too_many(backend, again):
                raise explained([bulk], None, dated=dated)


def write(batches: Iterable[pa.RecordBatch], out: Path) -> int:
    """The batches beside the file and then in its place; how many rows."""
    schema, rows = flows.FLOWS.to_pyarrow(), 0
    with replacing(out) as beside:
        if out.suffix == ".csv":
            writer = pa_csv.CSVWriter(
                beside, schema, write_options=pa_csv.WriteOptions(quoting_style="needed")
            )
        else:
            writer = pq.ParquetWriter(beside, schema, compression="zstd")
        with writer:
            for batch in batches:
                writer.write_table(pa.Table.from_batches([batch]).cast(schema))
                rows += batch.num_rows
    return rows


def explained(bulks: Sequence[files.Bulk], error: Exception | None, *, dated: bool) -> DataError:
    """What is wrong, with file and line where plain Python finds it."""
    if "Out of Memory" in str(error):
        said = engines.first_line(error)
        return DataError(f"too little ({said}).", file="--memory", remedy="give more, such as 2GB.")
    for bulk in bulks:
        fault = faults.first_fault(bulk, dated)
        if fault:
            return fault
    said = engines.first_line(error) if error else "rows that cannot be counted as grants"
    return DataError(
        f"the engine refuses a file ({said}).",
        file=", ".join(bulk.name for bulk in bulks),
        remedy=files.AGAIN,
    )


def teller() -> Say:
    """What is being done on the error stream: one line rewritten on a terminal, else a line a step."""
    terminal = sys.stderr.isatty()

    def say(text: str) -> None:
        if terminal:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        elif not text.endswith("%"):
            print(text.rstrip(), file=sys.stderr, flush=True)

    return say

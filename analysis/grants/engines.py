"""The engines that flows run on: DuckDB inside this process, and Apache Spark, here or on a cluster.

Both read every column as text and by the same rules of CSV (RFC 4180: quotes doubled, line ends inside
quotes, as many fields in each row as in the header), so that their sums are equal to the cent.
"""

from __future__ import annotations

import csv
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import reduce
from itertools import groupby
from pathlib import Path
from threading import Event, Thread, current_thread, main_thread

import ibis
import pyarrow as pa
from ibis import Table

from analysis.errors import DataError
from analysis.grants import flows, legacy
from analysis.grants.files import Bulk, check_columns, is_remote, kind_of

MEMORY = "512MB"
LEAST_MEMORY = 256 << 20  # below it DuckDB cannot hold the buffers of its own reader
ROWS_A_BATCH = 1 << 17
HERE = "local[*]"
SPARK = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
# A cluster has 200 partitions by default, most of them empty on one machine.
SPARK_HERE = {"spark.sql.shuffle.partitions": "8"}
UNITS = {"MB": 10**6, "GB": 10**9, "MIB": 1 << 20, "GIB": 1 << 30}


@contextmanager
def duckdb_engine(memory: str, folder: Path, report: Callable[[float], None]) -> Iterator[ibis.BaseBackend]:
    """DuckDB with so much memory, spilling to the folder; tells the share that it has read."""
    engine = ibis.duckdb.connect(
        memory_limit=memory, temp_directory=str(folder / "spill"), preserve_insertion_order=False
    )
    done = Event()

    def watch() -> None:
        while not done.wait(0.5):
            with suppress(Exception):  # between two queries there is nothing to ask
                if (share := engine.con.query_progress()) > 0:  # of pipes it knows nothing
                    report(share)

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield engine
    finally:
        done.set()
        watcher.join()
        engine.disconnect()


def read_with_duckdb(engine: ibis.BaseBackend, bulks: Sequence[Bulk]) -> Table:
    """The tables as one, of the columns that a flow needs."""
    tables = []
    for (kind, columns), same in alike(bulks):
        paths = [bulk.path for bulk in same]
        table = (
            engine.read_parquet(paths, hive_partitioning=False)
            if kind == "parquet"
            else read_csv(engine, paths, columns)
        )
        tables.append(needed(table, kind))
    return union(tables)


def read_csv(
    engine: ibis.BaseBackend, paths: Sequence[str], columns: Sequence[str], **options: object
) -> Table:
    """CSV files of one order of columns, strictly, all text."""
    return engine.read_csv(
        paths,
        auto_detect=False,
        header=True,
        delim=",",
        quote='"',
        escape='"',
        strict_mode=True,
        hive_partitioning=False,  # a folder named year=2024 is no column
        columns=dict.fromkeys(columns, "VARCHAR"),
        **options,
    )


def has_fields_too_many(engine: ibis.BaseBackend, bulk: Bulk) -> bool:
    """Whether DuckDB would pass over an empty field too many in a row; reads the file by one thread.

    With a column more than the header has, missing fields are null, and no empty one is.
    """
    columns = (*bulk.columns, "beyond")
    padded = read_csv(engine, [bulk.path], columns, null_padding=True, nullstr="\x01", parallel=False)
    return bool(padded.beyond.count().to_pyarrow().as_py())


@contextmanager
def spark_engine(master: str | None) -> Iterator[ibis.BaseBackend]:
    """A Spark session of its own, on this machine's cores or on the master named.

    Raises
    ------
    DataError : PySpark or Java is absent, or the master does not answer.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise DataError(
            "PySpark is not installed.",
            file="--engine spark",
            remedy="run `make spark`, which needs Java 17.",
        ) from error
    # A session takes Ctrl-C for itself, and keeps it when it has ended.
    usual = signal.getsignal(signal.SIGINT) if current_thread() is main_thread() else None
    if master is None:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # a laptop's own name need not resolve
    try:
        session = (
            SparkSession.builder.appName("grant flows")
            .master(master or HERE)
            .config(map=SPARK | ({} if master else SPARK_HERE))
            .getOrCreate()
        )
    except (PySparkException, RuntimeError, OSError) as error:
        raise DataError(
            f"Spark does not start ({first_line(error)}).",
            file=f"--master {master or HERE}",
            remedy="install Java 17 (Debian: default-jre-headless), or mend the master's address.",
        ) from error
    session.sparkContext.setLogLevel("OFF")
    try:
        with warnings.catch_warnings():
            # PySpark tells the trace of an error as a warning before it raises the error.
            warnings.filterwarnings("ignore", category=UserWarning, module="pyspark")
            yield ibis.pyspark.connect(session)
    finally:
        session.stop()
        if usual is not None:
            signal.signal(signal.SIGINT, usual)


def read_with_spark(engine: ibis.BaseBackend, bulks: Sequence[Bulk]) -> Table:
    """The tables as one, of the columns that a flow needs.

    `multiLine` makes a file one task: without it a line end inside quotes ends the row, and sums are wrong
    in silence. `enforceSchema=False` compares every file's header with ours.
    """
    from pyspark.sql.types import StringType, StructField, StructType

    session, tables = engine._session, []
    for number, ((kind, columns), same) in enumerate(alike(bulks)):
        # A cluster takes a bare path for one of its own file system.
        paths = [bulk.path if is_remote(bulk.path) else f"file:{bulk.path}" for bulk in same]
        if kind == "parquet":
            frame = session.read.parquet(*paths)
        else:
            frame = session.read.csv(
                paths,
                schema=StructType([StructField(column, StringType()) for column in columns]),
                header=True,
                multiLine=True,
                quote='"',
                escape='"',
                enforceSchema=False,
                mode="FAILFAST",
            )
        frame.createOrReplaceTempView(f"bulk_{number}")
        tables.append(needed(engine.table(f"bulk_{number}"), kind))
    return union(tables)


def open_remote(engine: ibis.BaseBackend, paths: Sequence[str]) -> list[Bulk]:
    """The tables at addresses that only the cluster reads: `.parquet`, else CSV.

    Raises
    ------
    DataError : an archive, an address that cannot be read, or not a bulk award file.
    """
    found = []
    for path in paths:
        if path.lower().endswith(".zip"):
            raise DataError("Spark reads no zip archive.", file=path, remedy="unpack it there.")
        kind = "parquet" if path.lower().rstrip("/").endswith(".parquet") else "csv"
        if kind == "parquet":
            columns = engine._session.read.parquet(path).columns
        else:
            lines = engine._session.read.text(path).head(1)
            if not lines:
                raise DataError("the file is empty.", file=path, remedy="name a bulk file.")
            columns = next(csv.reader([lines[0][0].removeprefix("\ufeff")]))
        columns = check_columns(columns, path)
        found.append(Bulk(path, path, kind if kind == "parquet" else kind_of(columns), columns))
    return found


def batches(engine: ibis.BaseBackend, table: Table, keys: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a table, sorted by the keys, in batches.

    Ibis 12 asks DuckDB 2 for batches by a name that is gone, so DuckDB is asked itself.
    """
    if engine.name == "duckdb":
        with table.cache() as held:
            query = engine.compile(held.order_by(*keys))
            yield from engine.con.sql(query).to_arrow_reader(ROWS_A_BATCH)
    else:
        yield from table.order_by(*keys).to_pyarrow().to_batches(ROWS_A_BATCH)


def errors_of(engine: str) -> tuple[type[Exception], ...]:
    """What an engine raises where it cannot read, or is refused memory."""
    if engine == "duckdb":
        import duckdb

        return (duckdb.Error,)
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return (Py4JError, PySparkException)


def alike(bulks: Sequence[Bulk]) -> Iterator[tuple[tuple[str, tuple[str, ...]], list[Bulk]]]:
    """The tables of one kind and one order of columns together, since one call reads them."""

    def form(bulk: Bulk) -> tuple[str, tuple[str, ...]]:
        return bulk.kind, bulk.columns

    for key, same in groupby(sorted(bulks, key=lambda bulk: (form(bulk), bulk.path)), form):
        yield key, list(same)


def needed(table: Table, kind: str) -> Table:
    """The columns that a flow needs, text also where a Parquet column is all empty."""
    table = legacy.modern(table) if kind == "legacy" else table
    return table.select(**{name: table[name].cast("string") for name in (*flows.NEEDED, *flows.EXPLAINING)})


def union(tables: Sequence[Table]) -> Table:
    """The rows of all tables."""
    return reduce(lambda one, other: one.union(other), tables)


def check_memory(text: str) -> str:
    """A memory limit such as 512MB.

    Raises
    ------
    DataError : no such size, or one that is too small to read anything.
    """
    number, unit = text.strip()[:-2], text.strip()[-2:].upper()
    if text.strip().upper().endswith("IB"):
        number, unit = text.strip()[:-3], text.strip()[-3:].upper()
    try:
        size = float(number) * UNITS[unit]
    except (ValueError, KeyError) as error:
        raise DataError(f"{text!r} is no size.", file="--memory", remedy="write 512MB or 2GB.") from error
    if not LEAST_MEMORY / 1.1 <= size < float("inf"):
        raise DataError(
            f"{text} is too little to read a file.", file="--memory", remedy="give 256MB or more."
        )
    return text.strip()


def first_line(error: Exception) -> str:
    """An engine's message without what follows its first line."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)

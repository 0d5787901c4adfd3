"""Stage `flows`: whatever lies in `data/raw/usaspending/`, as one table of grant flows by county.

A vintage holds bulk files of transactions, or, where its origin says `obtained: compiled`, tables that were
already summed by county. Only actions before the day that main models must precede are taken: of bulk files
by `action_date`, of compiled tables the fiscal years that had ended.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import DataError
from analysis.grants import flows
from analysis.grants.run import write_flows
from analysis.provenance import processed, read_origin, read_param, root, vintages
from analysis.sources import money
from analysis.stages import run
from analysis.writing import replacing

SCHEMA = pa.schema([pa.field("vintage", pa.string()), *flows.FLOWS.to_pyarrow()])
ORIGIN = "origin.yaml"
TOTALS = "totals.csv"  # what a refresh added up of the bulk files beside it
ALL_CLASSES = "all"  # of a compiled table, which is not by class of recipient


def vintage_flows(vintage: str, cut: str) -> pa.Table:
    """The flows of one vintage before the day `cut` (YYYY-MM-DD), sorted."""
    origin = read_origin("usaspending", vintage)
    names = sorted(name for name in origin["files"] if name != TOTALS)
    if origin["obtained"] == "compiled":
        return pa.concat_tables(compiled(vintage, name, cut) for name in names)
    folder = root() / "data" / "raw" / "usaspending" / vintage
    for name in names:
        check_bytes(folder / name, origin["files"][name]["sha256"])
    with TemporaryDirectory(prefix="flows-") as temporary:
        out = Path(temporary) / "flows.parquet"
        write_flows([folder / name for name in names], out, before=cut)
        return pq.read_table(out)


def compiled(vintage: str, name: str, cut: str) -> pa.Table:
    """The flows of a table that was already summed by county, those of fiscal years ended before `cut`.

    Codes become counties and buckets as those of transactions do; the class of recipient is "all".
    """
    frame = money.read_county_flows(vintage, name)
    frame = frame[frame["fiscal_year"] + "-09-30" < cut].assign(recipient_class=ALL_CLASSES)
    rows = frame.assign(
        obligations_usd=frame["obligations_usd"].map(Decimal),
        transactions=frame["transactions"].astype("int64"),
    )
    parts = []
    for scope, group in rows.groupby("scope"):
        published = group.drop(columns="scope").rename(columns={"county_geoid": scope})
        parts.append(flows.one_scope(ibis.memtable(published), scope).to_pyarrow())
    return pa.concat_tables(parts).sort_by([(key, "ascending") for key in flows.KEYS])


def check_bytes(path: Path, expected: str) -> None:
    """Compare a file's bytes, read once and not held, with the checksum recorded.

    Raises
    ------
    DataError : the file is absent, or its bytes differ.
    """
    if not path.is_file():
        raise DataError("the file is recorded in origin.yaml and absent.", file=path, remedy="restore it.")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        raise DataError(
            "its sha256 differs from the one in origin.yaml: the file was changed after it was acquired.",
            file=path,
            remedy="restore it from git, or acquire the vintage again.",
        )


def check_all_recorded() -> None:
    """Every file below the folder is an origin, or one that the origin of its vintage lists.

    Raises
    ------
    DataError : a file would be passed over. Hidden ones, and those by which DVC knows a folder, are.
    """
    folder = root() / "data" / "raw" / "usaspending"
    recorded = {
        folder / vintage / name
        for vintage in vintages("usaspending")
        for name in (ORIGIN, *read_origin("usaspending", vintage)["files"])
    }
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        passed = path.suffix == ".dvc" or any(part.startswith(".") for part in inside.parts)
        if path.is_dir() or passed or path in recorded:
            continue
        vintage = folder / inside.parts[0]
        if path.parent == folder:
            rule, remedy = "a file outside a vintage's folder", f"move it to a folder with an {ORIGIN}"
        elif not (vintage / ORIGIN).is_file():
            rule, remedy = f"its folder has no {ORIGIN}", f"write {vintage / ORIGIN}"
        else:
            rule, remedy = f"{vintage / ORIGIN} does not list it", "list it there under files"
        raise DataError(f"{rule}: it would be passed over.", file=path, remedy=f"{remedy}, or take it out.")


def every_vintage() -> Iterator[pa.Table]:
    """The flows of every vintage there, with its name."""
    cut = str(read_param("as_of_before")["main"])
    check_all_recorded()
    for vintage in vintages("usaspending"):
        print(f"usaspending/{vintage}", file=sys.stderr)
        rows = vintage_flows(vintage, cut)
        yield rows.add_column(0, "vintage", pa.repeat(vintage, len(rows))).cast(SCHEMA)


def main() -> None:
    """Stage `flows`: write `grant_flows.parquet`, without a row where no vintage is there."""
    with (
        replacing(processed("grant_flows.parquet")) as beside,
        pq.ParquetWriter(beside, SCHEMA, compression="zstd") as writer,
    ):
        for rows in every_vintage():
            writer.write_table(rows)


if __name__ == "__main__":
    run(main)

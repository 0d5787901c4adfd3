"""Time and memory of grant flows on generated bulk files of 112 columns, against SQL and pandas, and Spark.

`make bench` writes `flows.csv`, `spark.csv` and, from the latter, `spark.md`, all in `benchmarks/`.
Every run is a process of its own; the methods take turns, so that what else the machine does falls on all.
A row of `flows.csv` is a ratio or a peak of memory with its bound. About 8 GB of disk are needed, and half
an hour; `--rounds 1` is shorter, and says so in the table.
"""

from __future__ import annotations

import datetime
import json
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pandas as pd

from analysis.grants import flows
from analysis.grants.run import write_flows
from analysis.provenance import root
from analysis.sources import geography
from analysis.writing import replacing, write_csv
from benchmarks.pipeline import machine

ROUNDS = 5
MILLION = 1_000_000
GROUPS = 20_000  # as many in a file of any length, but for the case of one group a row
ALL_YEARS = 128_156_116  # rows of assistance transactions FY2007 to FY2026, as the archive counts them
LIMIT = "512MB"
# Letters of the wide columns, as in real rows of the publisher's: a file of these has 1.2 kB a row as well.
WIDE = {
    "funding_opportunity_goals_text": 70,
    "disaster_emergency_fund_codes_for_overall_award": 67,
    "prime_award_base_transaction_description": 54,
    "object_classes_funding_this_award": 40,
    "awarding_sub_agency_name": 34,
    "funding_sub_agency_name": 34,
    "cfda_title": 32,
    "assistance_award_unique_key": 28,
    "funding_agency_name": 25,
    "recipient_name": 23,
    "recipient_name_raw": 22,
    "record_type_description": 20,
    "assistance_type_description": 19,
    "treasury_accounts_funding_this_award": 18,
    "awarding_office_name": 17,
    "funding_office_name": 17,
    "business_funds_indicator_description": 16,
    "program_activities_funding_this_award": 16,
    "award_id_fain": 15,
}
HEADER = (root() / "tests" / "fixtures" / "assistance_header.txt").read_text(encoding="utf-8").split()


# ---------------------------------------------------------------------------------------------------------
# files


def generate(path: Path, rows: int, groups: int = GROUPS) -> None:
    """A bulk file as the publisher's, of about 1.2 kB a row; the same rows for the same arguments."""
    codes = sorted(geography.read("2024").index)
    empty = ("officer", "loan", "outlay", "IIJA", "COVID", "foreign", "correction")
    values = {name: f"'{name[:3]}' || (h % 1000)::varchar" for name in HEADER}
    values |= {
        name: f"rpad('{name[:9]}' || (h % 1000)::varchar, {width}, ' and')" for name, width in WIDE.items()
    }
    values |= {name: "NULL" for name in HEADER if name not in WIDE and any(part in name for part in empty)}
    values |= {
        "assistance_transaction_unique_key": "'1234_' || i || '_-NONE-'",
        "federal_action_obligation": "((h % 20000000)::bigint - 3000000) / 100.0",
        "action_date": "'2023-05-06'",
        "action_date_fiscal_year": "2021 + g % 4",
        "awarding_agency_name": "'Department ' || (g // 12800)",
        "cfda_number": "(10 + g % 80) || '.' || (100 + g % 7)",
        "assistance_type_code": "(['02','03','04','05','06','10','07','F001'])[1 + ((h >> 8) % 8)::bigint]",
        "business_types_code": "(['A','B','C','D','G','H','M','X'])[1 + g % 8]",
        "prime_award_transaction_recipient_county_fips_code": "recipient.code",
        "prime_award_transaction_place_of_performance_county_fips_code": "performed.code",
        "recipient_country_code": "'USA'",
        "primary_place_of_performance_country_code": "'USA'",
        "primary_place_of_performance_scope": "'COUNTY-WIDE'",
        "primary_place_of_performance_code": "'IL**031'",
        "record_type_code": "'2'",
        "transaction_description": "repeat('words, more ', (h % 8)::int)"
        " || CASE WHEN h % 100 = 0 THEN chr(10) || 'a \"quoted\" line' ELSE '' END",
        "usaspending_permalink": "'https://www.usaspending.gov/award/' || h",
        "initial_report_date": "'2023-06-01'",
        "last_modified_date": "'2023-06-01'",
    }
    chosen = ", ".join(f'{values[name]} AS "{name}"' for name in HEADER)
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE county (k INTEGER, code VARCHAR)")
        engine.executemany("INSERT INTO county VALUES (?, ?)", list(enumerate(codes)))
        engine.execute("SET preserve_insertion_order = false")
        engine.execute(
            f"""COPY (
                SELECT {chosen}
                FROM (SELECT i, hash(i) AS h, (hash(31 * i + 7) % {groups})::bigint AS g
                    FROM range({rows}) r(i))
                JOIN county recipient ON recipient.k = g % {len(codes)}
                JOIN county performed ON performed.k = (7 * g) % {len(codes)}
            ) TO '{path}' (HEADER, DELIMITER ',')"""
        )


def pack(path: Path) -> Path:
    """The file in a zip archive."""
    out = path.with_suffix(".zip")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(path, "All_Assistance_PrimeTransactions_1.csv")
    return out


def as_parquet(path: Path) -> Path:
    """The file as Parquet, every column text."""
    out = path.with_suffix(".parquet")
    with duckdb.connect() as engine:
        engine.execute(f"COPY (FROM read_csv('{path}', all_varchar = true)) TO '{out}' (COMPRESSION zstd)")
    return out


# ---------------------------------------------------------------------------------------------------------
# methods: each reads a file and writes its flows


def by_flows(path: Path, out: Path) -> None:
    write_flows([path], out, memory=LIMIT)


def by_spark(path: Path, out: Path) -> None:
    write_flows([path], out, engine="spark")


def by_sql(path: Path, out: Path) -> None:
    """What a careful hand would write for DuckDB alone: one reading, the same checks, the same flows."""
    columns = dict.fromkeys(HEADER, "VARCHAR")
    classes = " ".join(
        f"WHEN business_types_code IN {codes} THEN '{name}'" for name, codes in flows.CLASSES.items()
    )
    place = """CASE WHEN assistance_type_code NOT IN {grants} THEN 'unknown_type'
        WHEN coalesce({country}, '') NOT IN {domestic} THEN 'foreign'
        WHEN {code} IS NOT NULL THEN {code} ELSE {otherwise} END"""
    known = {"grants": flows.GRANTS, "domestic": flows.DOMESTIC}
    recipient = place.format(
        country="recipient_country_code",
        code="prime_award_transaction_recipient_county_fips_code",
        otherwise="CASE WHEN record_type_code = '1' THEN 'statewide' ELSE 'missing' END",
        **known,
    )
    performed = place.format(
        country="primary_place_of_performance_country_code",
        code="prime_award_transaction_place_of_performance_county_fips_code",
        otherwise="""CASE WHEN primary_place_of_performance_code = '00*****' THEN 'multi_state'
            WHEN primary_place_of_performance_code LIKE '%*****' THEN 'statewide' ELSE 'missing' END""",
        **known,
    )
    keys = "fiscal_year, awarding_agency, assistance_listing, recipient_class"
    scopes = " UNION ALL ".join(
        f"""SELECT coalesce(c.county, CASE WHEN {scope} SIMILAR TO '[0-9]{{5}}' THEN 'retired_' || {scope}
                ELSE {scope} END) AS county_geoid, {keys}, '{scope}' AS scope,
                sum(obligations_usd)::decimal(38, 2) AS obligations_usd, sum(n)::bigint AS transactions
            FROM grouped LEFT JOIN county c ON c.code = {scope} GROUP BY ALL"""
        for scope in flows.SCOPES
    )
    with duckdb.connect(config={"memory_limit": LIMIT, "preserve_insertion_order": "false"}) as engine:
        engine.execute(f"SET temp_directory = '{out.parent}'")
        engine.execute("CREATE TABLE county (code VARCHAR, county VARCHAR)")
        engine.executemany(
            "INSERT INTO county VALUES (?, ?)", [(code, code) for code in geography.read("2024").index]
        )
        engine.execute(
            f"""CREATE TEMP TABLE grouped AS
            SELECT {recipient} AS recipient, {performed} AS place_of_performance,
                action_date_fiscal_year AS fiscal_year, awarding_agency_name AS awarding_agency,
                cfda_number AS assistance_listing, CASE {classes} ELSE 'other' END AS recipient_class,
                sum(CASE WHEN regexp_matches(federal_action_obligation, '{flows.AMOUNT}')
                    THEN federal_action_obligation END::decimal(18, 2)) AS obligations_usd, count(*) AS n,
                count(*) FILTER (NOT regexp_matches(federal_action_obligation, '{flows.AMOUNT}')
                    OR correction_delete_indicator_code = 'D') AS refused
            FROM read_csv('{path}', auto_detect = false, header = true, quote = '"', escape = '"',
                strict_mode = true, columns = {columns})
            WHERE assistance_type_code NOT IN {flows.NOT_GRANTS} GROUP BY ALL"""
        )
        refused = engine.execute(
            "SELECT sum(refused) + count(*) FILTER (recipient = 'unknown_type') FROM grouped"
        ).fetchall()
        assert refused == [(0,)], refused
        engine.execute(f"COPY ({scopes} ORDER BY ALL) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")


def by_pandas(path: Path, out: Path, columns: list[str] | None = None) -> None:
    """pandas in chunks, cents as whole numbers, without the checks."""
    parts = []
    for chunk in pd.read_csv(path, dtype="str", usecols=columns, chunksize=100_000):
        grants = chunk[chunk["assistance_type_code"].isin(flows.GRANTS)]
        cents = (grants["federal_action_obligation"].astype("float64") * 100).round().astype("int64")
        for scope in flows.SCOPES:
            code = grants[f"prime_award_transaction_{scope}_county_fips_code"].rename("county_geoid")
            by = [code, *(grants[name] for name in flows.NEEDED[2:6])]
            parts.append(
                cents.groupby(by, dropna=False).agg(["sum", "count"]).assign(scope=scope).reset_index()
            )
    every = pd.concat(parts)
    keys = [name for name in every if name not in ("sum", "count")]
    every.groupby(keys, dropna=False)[["sum", "count"]].sum().reset_index().to_parquet(out)


def by_pandas_usecols(path: Path, out: Path) -> None:
    """The same of the columns alone that flows are made of."""
    by_pandas(path, out, [*flows.NEEDED, *flows.EXPLAINING])


METHODS: dict[str, Callable[[Path, Path], None]] = {
    "flows": by_flows,
    "sql": by_sql,
    "pandas": by_pandas,
    "pandas with usecols": by_pandas_usecols,
    "spark": by_spark,
}


def one_run(method: str, path: Path) -> dict[str, float]:
    """Seconds, of the clock and of the processor, and the peak of memory (MB) of one method.

    Of this process: Spark's own is not in the last two.
    """
    with TemporaryDirectory(dir=path.parent) as folder:
        start, processor = time.perf_counter(), time.process_time()
        METHODS[method](path, Path(folder) / "out.parquet")
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
    return {"seconds": seconds, "processor_seconds": processor, "megabytes": peak() / 1e6}


def peak() -> int:
    """The most bytes that this process held. Linux counts in `ru_maxrss` what its parent held as well."""
    status = Path("/proc/self/status")
    if status.is_file():
        held = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(held.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def take_turns(runs: dict[str, tuple[str, Path]], rounds: int) -> dict[str, dict[str, float]]:
    """The median of each run over the rounds, after one that warms the cache."""
    found: dict[str, list[dict]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, (method, path) in runs.items():
            command = [sys.executable, "-m", "benchmarks.flows", "--run", method, str(path)]
            done = subprocess.run(command, cwd=root(), capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{name}: {done.stderr}")
            if number or not rounds:
                found[name].append(json.loads(done.stdout))
    return {name: pd.DataFrame(each).median().to_dict() for name, each in found.items()}


# ---------------------------------------------------------------------------------------------------------
# tables


def measure(folder: Path, million: int, rounds: int) -> pd.DataFrame:
    """Every ratio and peak with its bound: `what, measured, at_most, at_least`."""
    two = folder / "two.csv"
    generate(two, 2 * million)
    turns = {name: (name, two) for name in ("flows", "sql", "pandas with usecols", "pandas")}
    turns |= {"zip": ("flows", pack(two)), "parquet": ("flows", as_parquet(two))}
    by = take_turns(turns, rounds)
    seconds, processor = (
        {name: each[what] for name, each in by.items()} for what in ("seconds", "processor_seconds")
    )
    for path in folder.iterdir():
        path.unlink()
    sizes = {}
    same, alone = GROUPS, 1 << 60
    for name, rows, groups in (
        ("one", million, same),
        ("four", 4 * million, same),
        ("lone", 2 * million, alone),
    ):
        path = folder / f"{name}.csv"
        generate(path, rows, groups)
        sizes |= take_turns({name: ("flows", path)}, 1)
        path.unlink()
    size, growth = 2 * million, sizes["four"]["megabytes"] / sizes["one"]["megabytes"]
    rows = [
        (f"{size:,} rows, seconds", seconds["flows"], None, None),
        ("time over hand-written DuckDB SQL's", seconds["flows"] / seconds["sql"], 1.25, None),
        ("the same, processor time", processor["flows"] / processor["sql"], None, None),
        ("pandas' time with every column over ours", seconds["pandas"] / seconds["flows"], None, 8),
        ("pandas' time with usecols over ours", seconds["pandas with usecols"] / seconds["flows"], None, 2),
        ("from zip over from CSV", seconds["zip"] / seconds["flows"], 3, None),
        ("from Parquet over from CSV", seconds["parquet"] / seconds["flows"], None, None),
        (f"{size:,} rows, peak MB with a limit of {LIMIT}", by["flows"]["megabytes"], 800, None),
        (f"peak at {4 * million:,} rows over at {million:,}, same groups", growth, 1.15, None),
        (f"{size:,} rows, one group a row, peak MB", sizes["lone"]["megabytes"], 1500, None),
        (f"{size:,} rows, one group a row, seconds", sizes["lone"]["seconds"], None, None),
    ]
    return pd.DataFrame(rows, columns=["what", "measured", "at_most", "at_least"])


def measure_spark(folder: Path, million: int) -> pd.DataFrame:
    """Seconds of both engines on one file of 1, 2 and 4 million rows."""
    found = []
    for times in (1, 2, 4):
        path = folder / f"{times}.csv"
        generate(path, times * million)
        by = take_turns({"spark": ("spark", path), "flows": ("flows", path)}, 1)
        found.append(
            {
                "rows": times * million,
                "gigabytes": path.stat().st_size / 1e9,
                "spark_seconds": by["spark"]["seconds"],
                "duckdb_seconds": by["flows"]["seconds"],
            }
        )
        path.unlink()
    return pd.DataFrame(found)


def write_page(table: pd.DataFrame, path: Path) -> None:
    """The page on Spark, from its table."""
    slope = {}
    for engine in ("spark", "duckdb"):
        first, last = table.iloc[0], table.iloc[-1]
        slope[engine] = (last[f"{engine}_seconds"] - first[f"{engine}_seconds"]) / (
            last["rows"] - first["rows"]
        )
    lines = [
        f"| {row.rows:,} | {row.gigabytes:.1f} | {row.spark_seconds:.0f} | {row.duckdb_seconds:.0f} |"
        for row in table.itertuples()
    ]
    with replacing(path) as beside:
        beside.write_text(
            PAGE.format(
                rows="\n".join(lines),
                all_years=f"{ALL_YEARS:,}",
                spark=f"{slope['spark'] * ALL_YEARS / 3600:.1f}",
                duckdb=f"{slope['duckdb'] * ALL_YEARS / 3600:.1f}",
                day=table["measured_on"].iloc[0],
                machine=table["machine"].iloc[0],
            ),
            encoding="utf-8",
        )


PAGE = """# Grant flows on Apache Spark

Written by `python -m benchmarks.flows` from `spark.csv`.

The expression is the same on both engines, and so are the bytes that they write. DuckDB is the default: it
runs inside the command, within a limit of memory. Spark is for files that lie on a cluster.

```sh
make spark    # PySpark beside the environment; Java 17 must be there
python -m analysis flows FILES... --engine spark --out flows.parquet    # on this machine's cores
python -m analysis flows s3a://bucket/part_1.csv s3a://bucket/part_2.csv --engine spark \\
  --master spark://host:7077 --out flows.parquet
```

`--master` takes what Spark takes (`spark://`, `yarn`, `k8s://`, `local[8]`). Name each file or address;
files named by a path must lie at that path on every worker. Archives are unpacked on this machine, so on a
cluster name the files inside them. Spark's own settings (memory of the executors, packages for s3a) come
from its `spark-defaults.conf` or `PYSPARK_SUBMIT_ARGS`. The result comes back to this machine and is
written here. Quoted line ends are read rightly, which makes each CSV file one task: the publisher cuts its
files at a million rows, so that a cluster has as many tasks as files. Parquet is divided further.

## Cost

One file, both engines on the two cores of one machine, start included.

| rows | GB | Spark, seconds | DuckDB, seconds |
| ---: | ---: | ---: | ---: |
{rows}

By the slope from the first row to the last, all {all_years} assistance rows of FY2007 to FY2026 would
take about {spark} hours with Spark on one task at a time, divided by the number of tasks that a cluster
runs at once (at most the number of files), and {duckdb} hours with DuckDB on this machine. This is a
projection, not a measurement: nobody has run it here.

Measured on {day}: {machine}.
"""


def main() -> None:
    if "--run" in sys.argv:
        print(json.dumps(one_run(sys.argv[-2], Path(sys.argv[-1]))))
        return
    small = "--small" in sys.argv  # to try the script: a hundredth of the rows, nothing written
    asked = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else ROUNDS
    million, rounds = (MILLION // 100, 1) if small else (MILLION, asked)
    out = Path(root() / "benchmarks")
    stamp = {"measured_on": datetime.date.today().isoformat(), "machine": machine()}
    with TemporaryDirectory(prefix="bench-") as folder:
        if "--spark-only" not in sys.argv:
            table = measure(Path(folder), million, rounds).round(2).assign(rounds=rounds, **stamp)
            print(table.drop(columns=list(stamp)).to_string(index=False), flush=True)
            if not small:
                write_csv(table, out / "flows.csv")
        try:
            import pyspark  # noqa: F401
        except ImportError:
            print("PySpark is not installed (make spark): the table on Spark stays as it is.")
        else:
            cost = measure_spark(Path(folder), million).round(1).assign(**stamp)
            print(cost.drop(columns=list(stamp)).to_string(index=False), flush=True)
            if not small:
                write_csv(cost, out / "spark.csv")
                write_page(cost, out / "spark.md")
    if "--spark-only" in sys.argv or small:
        return
    over = table[(table["measured"] > table["at_most"]) | (table["measured"] < table["at_least"])]
    if len(over):
        sys.exit(
            "over the bounds:\n" + over[["what", "measured", "at_most", "at_least"]].to_string(index=False)
        )


if __name__ == "__main__":
    main()

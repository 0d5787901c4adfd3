"""Flows of made-up files, in every form that files come in, held against plain Python to the cent."""

from __future__ import annotations

import gzip
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.errors import DataError
from analysis.grants import county_flows
from analysis.grants.engines import check_memory
from analysis.grants.files import Bulk, blocks, line_ends
from analysis.grants.pipes import piped
from analysis.grants.run import write_flows
from tests.conftest import REPOSITORY
from tests.grants import bulk
from tests.grants.bulk import HEADER, content, expected, generate, row

ORIGINALS = REPOSITORY.parent / "shared" / "data" / "originals" / "usaspending"
COLUMNS = ["county_geoid", "fiscal_year", "awarding_agency", "assistance_listing", "recipient_class", "scope"]


@pytest.fixture(autouse=True)
def _repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))


def spark_is_absent() -> str:
    """Why Spark cannot be tested here; empty where it can."""
    try:
        import pyspark  # noqa: F401
    except ImportError:
        return "PySpark is not installed (make spark)"
    return "" if shutil.which("java") else "Java is not installed"


ABSENT = spark_is_absent()
ENGINES = ("duckdb", pytest.param("spark", marks=pytest.mark.skipif(bool(ABSENT), reason=ABSENT)))


def written(path: Path) -> bulk.Flows:
    """A file of flows, as `expected` gives them."""
    frame = pq.read_table(path).to_pandas()
    assert list(frame) == [*COLUMNS, "obligations_usd", "transactions"]
    keys = frame[COLUMNS].itertuples(index=False, name=None)
    sums = zip(frame["obligations_usd"], frame["transactions"].astype(int), strict=True)
    found = dict(zip(keys, sums, strict=True))
    assert len(found) == len(frame) and list(found) == sorted(found)
    return found


def flows(folder: Path, *files: bytes | Path, engine: str = "duckdb", **options: object) -> bulk.Flows:
    """The flows of files, given as paths or as the bytes of a CSV file."""
    paths = []
    for number, file in enumerate(files):
        path = folder / f"{number}.csv" if isinstance(file, bytes) else file
        if isinstance(file, bytes):
            path.write_bytes(file)
        paths.append(path)
    write_flows(paths, folder / "out.parquet", engine=engine, **options)
    return written(folder / "out.parquet")


def test_the_header_is_the_publishers() -> None:
    if not ORIGINALS.is_dir():
        pytest.skip("the publisher's files are not here")
    assert (ORIGINALS / "assistance_header.txt").read_text().split() == HEADER and len(HEADER) == 112


@pytest.mark.fault("F37", "F39", "F42", "F54")
@pytest.mark.parametrize("engine", ENGINES)
def test_every_kind_of_row_in_every_kind_of_file(tmp_path: Path, engine: str) -> None:
    plain, windows, marked, reordered, zipped, kept = (content(generate(seed, 150)) for seed in range(6))
    windows = content(generate(1, 150), line_end="\r\n")
    marked = content(generate(2, 150), bom=True)
    reordered = content(generate(3, 150), header=[*reversed(HEADER)])
    archive = tmp_path / "All_Assistance_PrimeTransactions.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("part/All_1.csv", zipped)
        packed.writestr("part/All_2.csv", content([]))
        packed.writestr("readme.txt", "nothing")
    columns = {
        name: pa.array([each[name] or None for each in generate(5, 150)], pa.string()) for name in HEADER
    }
    pq.write_table(pa.table(columns), tmp_path / "bulk.parquet")
    files = (plain, windows, marked, reordered, content([]), archive, tmp_path / "bulk.parquet")
    found = flows(tmp_path, *files, engine=engine)
    assert found == expected(plain, windows, marked, reordered, zipped, kept)
    assert {key[0] for key in found} >= {*bulk.COUNTIES.values(), *bulk.NOWHERE.values()}
    assert {key[4] for key in found} == {*bulk.CLASSES.values()}
    by_scope = [
        sum(usd for key, (usd, _) in found.items() if key[5] == scope)
        for scope in ("recipient", "place_of_performance")
    ]
    assert by_scope[0] == by_scope[1] != 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_files_name_is_no_pattern_and_no_column(tmp_path: Path, engine: str) -> None:
    folder = tmp_path / "action_date_fiscal_year=1999"
    folder.mkdir()
    paths = [folder / name for name in ("two words é.csv", "part[1].csv", "part{2}*.csv")]
    for seed, path in enumerate(paths):
        path.write_bytes(content(generate(seed, 20)))
    (folder / "part1.csv").write_bytes(content(generate(9, 20)))
    assert flows(tmp_path, *paths, engine=engine) == expected(*(path.read_bytes() for path in paths))


@pytest.mark.fault("F38", "F54")
@given(st.integers(0, 10**9), st.integers(1, 40), st.sampled_from(["\n", "\r\n"]), st.booleans())
@settings(max_examples=15, deadline=None)
def test_any_file_gives_the_same_sums(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int, line_end: str, bom: bool
) -> None:
    rows = [*generate(seed, count), row()]
    file = content(rows, line_end=line_end, bom=bom)
    assert flows(tmp_path_factory.mktemp("any"), file) == expected(file)


@pytest.mark.fault("F21")
@pytest.mark.parametrize("engine", ENGINES)
def test_only_earlier_actions(tmp_path: Path, engine: str) -> None:
    file = content(generate(7, 200))
    found = flows(tmp_path, file, engine=engine, before="2025-01-20")
    assert found == expected(file, before="2025-01-20") != expected(file)


def test_the_expression_is_lazy_and_needs_few_columns() -> None:
    rows = generate(8, 300)
    table = ibis.memtable(pd.DataFrame(rows)[HEADER])
    lazy = county_flows(table)
    assert isinstance(lazy, ibis.Table)
    assert dict(lazy.schema())["obligations_usd"].is_decimal()
    frame = lazy.execute()
    found = {tuple(each[:6]): (each[6], each[7]) for each in frame.itertuples(index=False, name=None)}
    assert found == expected(content(rows))
    few = ibis.memtable(
        pd.DataFrame([row()])[
            [
                bulk.TYPE,
                bulk.USD,
                bulk.YEAR,
                bulk.AGENCY,
                bulk.LISTING,
                bulk.CLASS,
                bulk.RECIPIENT,
                bulk.PERFORMED,
            ]
        ]
    )
    assert set(county_flows(few).execute()["county_geoid"]) == {"17031"}
    with pytest.raises(DataError, match="'cfda_number': the column is missing"):
        county_flows(table.drop("cfda_number"))


@pytest.mark.fault("F23")
@pytest.mark.parametrize("kind", ["12", "F003", "4", "", "G1"])
def test_a_type_that_may_be_a_grant_has_a_bucket_and_stops_the_command(tmp_path: Path, kind: str) -> None:
    rows = [row(), row(**{bulk.TYPE: kind, bulk.USD: "7.00"})]
    frame = county_flows(ibis.memtable(pd.DataFrame(rows)[HEADER])).execute()
    unknown = frame[frame["county_geoid"] == "unknown_type"]
    assert unknown["obligations_usd"].tolist() == [Decimal("7.00")] * 2 and len(frame) == 4
    with pytest.raises(DataError, match=f"line 3, column 'assistance_type_code': the award type '{kind}'"):
        flows(tmp_path, content(rows))


@pytest.mark.fault("F38")
@pytest.mark.parametrize("usd", ["1.005", "1e3", " 5.00", ".5", "+5", "(5.00)", "1,000", "n/a", "9" * 16])
def test_an_amount_that_is_none_is_not_lost_in_the_expression(usd: str) -> None:
    rows = [row(), row(**{bulk.TYPE: "07", bulk.USD: usd}), row(**{bulk.USD: ""})]
    frame = county_flows(ibis.memtable(pd.DataFrame(rows)[HEADER])).execute()
    assert frame["obligations_usd"].tolist() == [Decimal("10.00")] * 2 and set(frame["transactions"]) == {2}
    with pytest.raises(Exception, match=re.escape(f"no amount: {usd}")):
        county_flows(ibis.memtable(pd.DataFrame([*rows, row(**{bulk.USD: usd})])[HEADER])).execute()


@pytest.mark.fault("F41")
def test_columns_of_numbers_are_refused_and_empty_ones_are_text() -> None:
    frame = pd.DataFrame([row()])[HEADER]
    for name, values in ((bulk.USD, 10.0), (bulk.RECIPIENT, 17031), (bulk.PLACE, 1)):
        with pytest.raises(DataError, match=f"column '{name}': the column is .*text was expected"):
            county_flows(ibis.memtable(frame.assign(**{name: values})))
    nothing = county_flows(ibis.memtable(frame.assign(**{bulk.RECIPIENT: None, bulk.AGENCY: None}))).execute()
    assert set(nothing["county_geoid"]) == {"missing", "17031"} and set(nothing["awarding_agency"]) == {""}


@pytest.mark.fault("F41")
def test_a_county_code_gets_its_lost_zero_back() -> None:
    frame = county_flows(ibis.memtable(pd.DataFrame([row(**{bulk.RECIPIENT: "1001"})])[HEADER])).execute()
    assert set(frame["county_geoid"]) == {"01001", "17031"}


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_lines_that_end_in_a_comma_are_seen(tmp_path: Path, line_end: bytes) -> None:
    path = tmp_path / "a.csv"
    for line, ends in ((b"a,b", False), (b"a,b,", True), (b"a,\tb", False), (b",", True)):
        for before in (b"", b"x" * ((1 << 18) - len(line)), b"x" * ((1 << 18) - len(line) - 1)):
            for after in (b"", line_end, line_end + b"c"):
                path.write_bytes(before + line + after)
                assert line_ends(blocks(Bulk(str(path), "a.csv", "csv", ()))).comma == ends


def break_line(file: bytes, number: int, change: Callable[[bytes], bytes]) -> bytes:
    lines = file.split(b"\n")
    lines[number - 1] = change(lines[number - 1])
    return b"\n".join(lines)


THREE = content([row(), row(), row()])
TWO_LINES = content([row(transaction_description="a\nb\nc"), row()])
BAD = {
    "a short row": (
        break_line(THREE, 3, lambda line: line[:-1]),
        "line 3: 111 fields where the header has 112",
    ),
    "a row cut off": (THREE.rstrip()[:-60], r"line 4: \d+ fields where"),
    "a long row": (
        break_line(THREE, 3, lambda line: line + b","),
        "line 3: 113 fields where the header has 112",
    ),
    "a comma within a row": (
        break_line(THREE, 3, lambda line: line.replace(b",B,", b",,B,")),
        "line 3: 113 fields",
    ),
    "a short row after two lines": (break_line(TWO_LINES, 5, lambda line: line[:-1]), "line 5: 111 fields"),
    "a quote left open": (THREE + b'"open', "line 5: not CSV"),
    "three decimals": (
        content([row(**{bulk.USD: "1.005"})]),
        "line 2.*'federal_action_obligation': '1.005' is not an amount",
    ),
    "an exponent": (content([row(), row(**{bulk.USD: "1e3"})]), "line 3.*'1e3' is not an amount"),
    "a dollar sign": (content([row(**{bulk.USD: "$1"})]), r"'\$1' is not an amount"),
    "a thousands comma": (content([row(**{bulk.USD: "1,000"})]), "'1,000' is not an amount"),
    "no amount": (content([row(**{bulk.USD: ""})]), "line 2.*'' is not an amount"),
    "a word": (content([row(**{bulk.USD: "nan"})]), "'nan' is not an amount"),
    "a county without its zero": (
        content([row(**{bulk.RECIPIENT: "1001"})]),
        "'1001' is not a county code of five digits",
    ),
    "a county as a fraction": (
        content([row(**{bulk.PERFORMED: "17031.0"})]),
        "'17031.0' is not a county code",
    ),
    "a listing without its zeros": (
        content([row(**{bulk.LISTING: "10.5"})]),
        "'10.5' is not an assistance listing",
    ),
    "a county of six digits": (content([row(**{bulk.RECIPIENT: "010010"})]), "'010010' is not a county code"),
    "a county after a blank": (content([row(**{bulk.PERFORMED: " 01001"})]), "' 01001' is not a county code"),
    "a county in letters": (content([row(**{bulk.RECIPIENT: "ABCDE"})]), "'ABCDE' is not a county code"),
    "an amount and a line end": (
        content([row(), row(**{bulk.USD: "5.00\n"})]),
        r"line 3, column 'federal_action_obligation': '5.00\\n' is not an amount",
    ),
    "LF and then CRLF": (
        THREE + content([row()], line_end="\r\n").split(b"\n", 1)[1],
        "line 5: the line ends change: LF at the header, CRLF here",
    ),
    "CRLF and then LF": (
        content([row()], line_end="\r\n") + THREE.split(b"\n", 1)[1],
        "line 3: the line ends change: CRLF at the header, LF here",
    ),
    "a fault after a long field": (
        content([row(transaction_description="x" * 200_000), row(**{bulk.USD: "1e3"})]),
        "line 3, column 'federal_action_obligation'",
    ),
    "no fiscal year": (content([row(**{bulk.YEAR: ""})]), "'' is not a fiscal year"),
    "a deleted transaction": (content([row(correction_delete_indicator_code="D")]), "Delta"),
    "bytes of latin-1": (
        THREE.replace(b"Department", b"D\xe9partment"),
        "line 2, column 'awarding_agency_name': not UTF-8",
    ),
}


@pytest.mark.fault("F38", "F41")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fault", BAD)
def test_a_bad_row_is_refused_by_file_and_line(tmp_path: Path, fault: str, engine: str) -> None:
    if engine == "spark" and fault in SAME_CHECK_ON_BOTH:
        pytest.skip("found in the groups, by the same expression on both engines")
    file, said = BAD[fault]
    good = tmp_path / "out.parquet"
    good.write_bytes(b"as it was")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DataError, match=f"{tmp_path}/0.csv, .*{said}") as error:
        flows(tmp_path, file, engine=engine)
    assert error.value.row is not None and "Remedy" in str(error.value)
    assert good.read_bytes() == b"as it was"
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "0.csv"])


SAME_CHECK_ON_BOTH = {"an exponent", "a dollar sign", "a thousands comma", "a word", "a county as a fraction"}
SAME_CHECK_ON_BOTH |= {"a listing without its zeros", "no fiscal year", "a deleted transaction", "no amount"}
SAME_CHECK_ON_BOTH |= {"a county after a blank", "a county in letters", "a fault after a long field"}

DAYS = ("", "07/04/2025", "2024-02-01\n")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_day_is_needed_only_to_hold_it_against_another(tmp_path: Path, engine: str) -> None:
    rows = [row(), row(**{bulk.TYPE: "06", "action_date": "never"}), row(action_date="2025-01-20")]
    assert len(flows(tmp_path, content(rows), engine=engine, before="2025-01-20")) == 2
    for day in DAYS:
        file = content([*rows, row(action_date=day)])
        pq.write_table(text_table([*rows, row(action_date=day)]), tmp_path / "days.parquet")
        for path, where in ((file, "0.csv, line 5, "), (tmp_path / "days.parquet", "days.parquet, ")):
            with pytest.raises(DataError, match=where + "column 'action_date': .*is not a day") as error:
                flows(tmp_path, path, engine=engine, before="2025-01-20")
            assert repr(day) in str(error.value)
        assert sum(n for _, n in flows(tmp_path, file, engine=engine).values()) == 6


def text_table(rows: list[bulk.Row]) -> pa.Table:
    """The rows as a table of text, empty fields null."""
    return pa.table({name: pa.array([each[name] or None for each in rows], pa.string()) for name in HEADER})


@pytest.mark.parametrize("engine", ENGINES)
def test_a_bad_row_of_parquet_is_named_and_categories_are_text(tmp_path: Path, engine: str) -> None:
    rows = generate(11, 60)
    table = text_table(rows)
    kept = table.set_column(
        table.schema.get_field_index(bulk.AGENCY), bulk.AGENCY, table[bulk.AGENCY].dictionary_encode()
    )
    pq.write_table(kept, tmp_path / "kept.parquet")
    assert flows(tmp_path, tmp_path / "kept.parquet", engine=engine) == expected(content(rows))
    pq.write_table(text_table([row(), row(**{bulk.LISTING: "10.5"})]), tmp_path / "bad.parquet")
    said = r"bad.parquet, column 'cfda_number': row 2: '10.5' is not an assistance listing"
    with pytest.raises(DataError, match=said):
        flows(tmp_path, tmp_path / "bad.parquet", engine=engine)


def test_a_name_of_a_column_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "turned.parquet"
    pq.write_table(text_table([row()]), file, store_schema=False)
    name = bulk.AGENCY.encode()
    assert name in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(name, b"\xc4" + name[1:]))
    with pytest.raises(DataError, match=r"turned\.parquet: not a Parquet file"):
        flows(tmp_path, file)


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_spark_refuses_without_a_trace(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    usual = signal.getsignal(signal.SIGINT)
    with pytest.raises(DataError, match="line 3: 111 fields"):
        flows(tmp_path, BAD["a short row"][0], engine="spark")
    assert signal.getsignal(signal.SIGINT) is usual
    assert not [each for each in recwarn if "toPandas" in str(each.message)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_within_quotes_are_no_change(tmp_path: Path, line_end: str) -> None:
    path = tmp_path / "a.csv"
    for filler in range(20):
        rows = [row(transaction_description="x" * (4000 + filler) + word) for word in bulk.WORDS * 9]
        path.write_bytes(content(rows, line_end=line_end))
        assert path.stat().st_size > 1 << 18
        assert not line_ends(blocks(Bulk(str(path), "a.csv", "csv", ()))).mixed
    path.write_bytes(path.read_bytes() + content([row()], line_end={"\n": "\r\n", "\r\n": "\n"}[line_end]))
    assert line_ends(blocks(Bulk(str(path), "a.csv", "csv", ()))).mixed


def test_what_is_no_table_is_said_without_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "garbage.csv").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(THREE))
    (tmp_path / "wide.csv").write_bytes(THREE.decode().encode("utf-16"))
    for name in ("garbage.csv", "a.csv.gz", "wide.csv"):
        with pytest.raises(DataError, match=r"neither CSV in UTF-8 nor zip nor Parquet|not CSV") as error:
            flows(tmp_path, tmp_path / name)
        assert str(error.value).isprintable() and len(str(error.value)) < 300 + len(str(tmp_path))
    with pytest.raises(DataError, match="a folder, not a file"):
        flows(tmp_path, tmp_path)


def test_a_file_that_is_read_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(THREE)
    (tmp_path / "link.csv").symlink_to(path)
    for out in (path, tmp_path / "link.csv", tmp_path / "." / "a.csv"):
        with pytest.raises(DataError, match="--out names a file to read"):
            write_flows([path], out)
    assert path.read_bytes() == THREE


HEADERS = {
    "a column doubled": (lambda names: [*names[:-1], "cfda_number"], "the header names 'cfda_number' twice"),
    "a column doubled but for its case": (lambda names: [*names[:-1], "CFDA_Number"], "twice"),
    "a column missing": (
        lambda names: [name for name in names if name != "cfda_number"],
        "column 'cfda_number': the column is missing",
    ),
    "a column renamed": (
        lambda names: [name.replace("cfda_number", "cfda_numbers") for name in names],
        "Nearest: 'cfda_numbers'",
    ),
}


@pytest.mark.fault("F26")
@pytest.mark.parametrize("fault", HEADERS)
def test_a_bad_header_is_refused(tmp_path: Path, fault: str) -> None:
    change, said = HEADERS[fault]
    lines = THREE.split(b"\n")
    lines[0] = ",".join(change(HEADER)).encode()
    with pytest.raises(DataError, match=f"0.csv, line 1, .*{said}"):
        flows(tmp_path, b"\n".join(lines))


@pytest.mark.fault("F17")
def test_an_empty_file_is_refused_and_a_header_alone_gives_no_flows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the file is empty"):
        flows(tmp_path, b"")
    assert flows(tmp_path, content([])) == {}
    assert pq.read_schema(tmp_path / "out.parquet").field("obligations_usd").type == pa.decimal128(38, 2)


def test_latin_1_where_no_flow_looks_changes_nothing(tmp_path: Path) -> None:
    file = content([row(recipient_name="Canon City"), row()])
    assert flows(tmp_path, file.replace(b"Canon", b"Ca\xf1on")) == expected(file)


def archive(path: Path, *entries: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, file in entries:
            packed.writestr(name, file)
    return path


@pytest.mark.fault("F16", "G3")
def test_archives_that_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    bomb = archive(
        tmp_path / "bomb.zip", ("a.csv", content([row(transaction_description="0" * (101 << 20))]))
    )
    whole = archive(tmp_path / "whole.zip", ("a.csv", THREE))
    torn = tmp_path / "torn.zip"
    torn.write_bytes(whole.read_bytes()[:-40])
    refused = {
        archive(tmp_path / "escape.zip", ("../../escaped.csv", THREE)): "lies outside the archive",
        archive(tmp_path / "absolute.zip", ("/etc/a.csv", THREE)): "lies outside the archive",
        archive(tmp_path / "none.zip", ("a.txt", THREE)): "no CSV file is in the archive",
        archive(
            tmp_path / "bad.zip", ("a.csv", THREE), ("b.csv", BAD["a short row"][0])
        ): "bad.zip:b.csv, line 3",
        archive(tmp_path / "twice.zip", ("a.csv", THREE), ("a.csv", THREE)): "two members have one name",
        bomb: "would expand",
        torn: "cannot be unpacked",
    }
    for path, said in refused.items():
        with pytest.raises(DataError, match=said):
            write_flows([path], out)
    assert not out.exists() and not (tmp_path.parent / "escaped.csv").exists()


def test_members_go_through_pipes_and_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many members of two archives beside a plain file, commas at line ends among them; no file is unpacked."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    parts = [content(generate(seed, 40)) for seed in range(7)]
    for name, some in (("one", parts[:4]), ("two", parts[4:6])):
        archive(tmp_path / f"{name}.zip", *((f"{n}.csv", part) for n, part in enumerate(some)))
    (tmp_path / "plain.csv").write_bytes(parts[6])
    paths = [tmp_path / name for name in ("one.zip", "plain.csv", "two.zip")]
    done = write_flows(paths, tmp_path / "out.parquet")
    assert done["files"] == 7
    assert written(tmp_path / "out.parquet") == expected(*parts)
    ends = archive(tmp_path / "ends.zip", ("a.csv", b"\n".join(line + b"," for line in THREE.splitlines())))
    with pytest.raises(DataError):
        write_flows([*paths, ends], tmp_path / "none.parquet")
    assert not any((tmp_path / "temporary").iterdir()) and not (tmp_path / "none.parquet").exists()


@pytest.mark.fault("F15")
@pytest.mark.parametrize("where", [0.3, 0.6, 0.95])
def test_archives_whose_bytes_are_wrong_are_refused(tmp_path: Path, where: float) -> None:
    """A wrong byte within the packed table is seen only while it is read."""
    whole = archive(tmp_path / "whole.zip", ("a.csv", content(generate(1, 400))), ("b.csv", THREE))
    size = zipfile.ZipFile(whole).infolist()[0].compress_size
    letters = bytearray(whole.read_bytes())
    letters[int(size * where)] ^= 0xFF
    whole.write_bytes(letters)
    with pytest.raises(DataError, match=r"whole\.zip.*cannot be unpacked"):
        write_flows([whole], tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_parquet_with_numbers_is_refused(tmp_path: Path) -> None:
    columns = {name: ["" for _ in range(2)] for name in HEADER} | {bulk.RECIPIENT: [1001, 17031]}
    pq.write_table(pa.table(columns), tmp_path / "typed.parquet")
    with pytest.raises(DataError, match="the column is int64, and text was expected"):
        flows(tmp_path, tmp_path / "typed.parquet")


def test_options_that_make_no_sense(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(THREE)
    for paths, options, said in (
        ([path], {"engine": "polars"}, "no engine"),
        ([path], {"master": "local[1]"}, "DuckDB has no master"),
        ([path], {"memory": "much"}, "no size"),
        ([path], {"memory": "1MB"}, "too little"),
        ([path, path], {}, "named twice"),
        ([tmp_path / "b.csv"], {}, "does not exist"),
        (["s3://bucket/a.csv"], {}, "an address"),
        ([], {}, "no file"),
    ):
        with pytest.raises(DataError, match=said):
            write_flows(paths, tmp_path / "out.parquet", **options)
    with pytest.raises(DataError, match=r"neither \.parquet nor \.csv"):
        write_flows([path], tmp_path / "out.xlsx")


@pytest.mark.parametrize("text", ["256MB", " 512mb ", "0.25GB", "233MiB", "0.24GiB", "2GB"])
def test_a_memory_that_is_enough_is_taken(text: str) -> None:
    assert check_memory(text) == text.strip()


@pytest.mark.parametrize("text", ["240MB", "0.24GB", "232MiB", "0.22GiB", "-2GB", "infGB"])
def test_a_memory_that_is_too_little_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="too little"):
        check_memory(text)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = content(generate(9, 100))
    (tmp_path / "a.csv").write_bytes(file)
    outs = [str(tmp_path / name) for name in ("flows.csv", "flows.parquet", "again.parquet")]
    for out in outs:
        assert main(["flows", str(tmp_path / "a.csv"), "--out", out]) == 0
        said = capsys.readouterr()
        assert said.out.strip() == out and "grant transactions" in said.err and "%" not in said.err
    frame = pd.read_csv(outs[0], dtype="str", keep_default_na=False)
    again = {
        tuple(each[:6]): (Decimal(each[6]), int(each[7])) for each in frame.itertuples(index=False, name=None)
    }
    assert again == {(key[0], str(key[1]), *key[2:]): value for key, value in expected(file).items()}
    assert Path(outs[1]).read_bytes() == Path(outs[2]).read_bytes()
    (tmp_path / "b.csv").write_bytes(BAD["a short row"][0])
    assert main(["flows", str(tmp_path / "b.csv"), "--out", str(tmp_path / "b.parquet")]) == 1
    assert "b.csv, line 3" in capsys.readouterr().err and not (tmp_path / "b.parquet").exists()


def test_without_pyspark_the_remedy_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(THREE)
    (tmp_path / "pyspark.py").write_text("raise ImportError")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "analysis",
            "flows",
            str(tmp_path / "a.csv"),
            "--engine",
            "spark",
            "--out",
            str(tmp_path / "o.csv"),
        ],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "make spark" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.fault("G1")
def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "a.csv").write_bytes(THREE)
    for name, said in (("loop.csv", "does not exist"), ("pipe.csv", "a pipe or device"), (".", "a folder")):
        with pytest.raises(DataError, match=said):
            write_flows([tmp_path / name], tmp_path / "out.csv")
    write_flows([tmp_path / "a.csv"], tmp_path / "loop.csv")
    assert (tmp_path / "loop.csv").is_file() and not (tmp_path / "loop.csv").is_symlink()


@pytest.mark.fault("G3")
def test_columns_and_members_without_end_are_refused_at_once(tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_text(",".join([*(f"c{number}" for number in range(100_000)), *HEADER]) + "\n")
    with pytest.raises(DataError, match="the header names 100,112 columns"):
        write_flows([wide], tmp_path / "out.csv")
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(1_001):
            archive.writestr(f"{number}.csv", THREE)
    with pytest.raises(DataError, match="the archive has 1,001 members"):
        write_flows([tmp_path / "many.zip"], tmp_path / "out.csv")


@pytest.mark.fault("G1")
def test_more_members_than_files_may_be_open_are_no_hang(tmp_path: Path) -> None:
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    members = [Bulk("a.zip", f"a.zip:{number}", "csv", (), str(number)) for number in range(200)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, allowed[1]))
    try:
        with pytest.raises(DataError, match=r"200 members .* 256 files .*ulimit -n 300"), piped(members):
            pytest.fail("pipes were made")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, allowed)


@pytest.mark.parametrize(
    "given", [None, 3, "a.csv", [row()], pd.DataFrame([row()])], ids=lambda x: type(x).__name__
)
def test_what_is_no_table_is_refused(given: object) -> None:
    with pytest.raises(DataError, match=f"not {type(given).__name__}.*ibis.memtable"):
        county_flows(given)

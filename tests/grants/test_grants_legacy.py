"""Flows from the assistance files of before 2017, and what small parts of the reader promise."""

from __future__ import annotations

import zipfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.errors import DataError
from analysis.grants import legacy
from analysis.grants.faults import first_fault
from analysis.grants.files import ALWAYS_FITS, MOST_RATIO, Bulk, blocks, check_member, line_ends
from tests.grants.bulk import HEADER, content, row
from tests.grants.test_grants_flows import flows

OLD = [*legacy.NEEDED, "recipient_name"]
PLAIN = {
    "assistance_type": "04: Project grant",
    "cfda_program_num": "16.738",
    "fed_funding_amount": "10.00",
    "fiscal_year": "2015",
    "maj_agency_cat": "1500: Department of Justice",
    "obligation_action_date": "02/01/2015",
    "principal_place_code": "36**061",
    "principal_place_country_code": "USA",
    "recipient_country_code": "USA",
    "recipient_county_code": "31",
    "recipient_state_code": "IL",
    "recipient_type": "01: County government",
    "record_type": "2",
}


def old(*rows: dict[str, str]) -> bytes:
    """The bytes of a file of the old columns: the plain grant with changes."""
    return content([dict.fromkeys(OLD, "") | PLAIN | changes for changes in rows], header=OLD)


def by_county(found: dict, scope: str) -> dict[str, tuple[Decimal, int]]:
    """Sums by county of one scope, which here are of one class each."""
    out = {key[0]: value for key, value in found.items() if key[5] == scope}
    assert len(out) == sum(key[5] == scope for key in found) > 0
    return out


def test_old_columns_become_flows(tmp_path: Path) -> None:
    found = flows(
        tmp_path,
        old(
            {},
            {"fed_funding_amount": "-2.5", "recipient_county_code": "031"},
            {"assistance_type": "07: Direct loan", "fed_funding_amount": "999"},
            {"recipient_state_code": "AL", "recipient_county_code": "1", "principal_place_code": "0107000"},
        ),
    )
    assert {key[1:4] for key in found} == {(2015, "Department of Justice", "16.738")}
    assert by_county(found, "recipient") == {"17031": (Decimal("7.50"), 2), "01001": (Decimal("10.00"), 1)}
    performed = by_county(found, "place_of_performance")
    assert performed.pop("36061") == (Decimal("7.50"), 2)
    assert list(performed.values()) == [(Decimal("10.00"), 1)] and not {*performed} & {"01070", "01001"}


def test_old_grants_before_a_day(tmp_path: Path) -> None:
    file = old({}, {"obligation_action_date": "12/31/2014", "recipient_county_code": "43"})
    assert by_county(flows(tmp_path, file, before="2015-02-01"), "recipient") == {
        "17043": (Decimal("10.00"), 1)
    }
    assert len(by_county(flows(tmp_path, file, before="2015-02-02"), "recipient")) == 2


@pytest.mark.fault("F38", "F41", "F62")
@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("fed_funding_amount", "1e3", "an amount in dollars"),
        ("fiscal_year", "15", "a fiscal year"),
        ("recipient_county_code", "0031", "a county's number"),
        ("obligation_action_date", "2015-02-01", "MM/DD/YYYY"),
        ("obligation_action_date", "13/01/2015", "MM/DD/YYYY"),
        ("assistance_type", "12: Unheard of", "is not known"),
    ],
)
def test_a_bad_old_row_is_named_by_line_and_column(
    tmp_path: Path, column: str, value: str, said: str
) -> None:
    file = old({}, {"recipient_county_code": ""}, {column: value})
    with pytest.raises(DataError, match=f"line 4, column '{column}'.*{said}"):
        flows(tmp_path, file, before="2020-01-01")


def test_a_day_of_old_grants_is_held_only_against_another(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes(old({"obligation_action_date": ""}))
    bulk = Bulk(str(path), "old.csv", "legacy", tuple(OLD))
    assert first_fault(bulk) is None
    assert "obligation_action_date" in str(first_fault(bulk, dated=True))


@pytest.mark.fault("F15")
def test_a_parquet_file_with_wrong_bytes_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "torn.parquet"
    table = pa.table({name: pa.array([each[name] for each in [row()] * 50]) for name in HEADER})
    pq.write_table(table, path)
    bulk = Bulk(str(path), "torn.parquet", "parquet", tuple(HEADER))
    assert first_fault(bulk) is None and list(blocks(bulk)) == []
    letters = bytearray(path.read_bytes())
    letters[4:2000] = bytes(0xFF for _ in letters[4:2000])
    path.write_bytes(letters)
    assert "not a whole Parquet file" in str(first_fault(bulk))


@pytest.mark.fault("G3")
def test_a_bomb_is_large_and_expands_more_than_archives_do() -> None:
    def member(size: int, packed: int) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo("part.csv")
        info.file_size, info.compress_size = size, packed
        return info

    large = ALWAYS_FITS + 1
    check_member(member(ALWAYS_FITS, 1), Path("a.zip"))
    check_member(member(large, large // MOST_RATIO + 1), Path("a.zip"))
    with pytest.raises(DataError, match="would expand"):
        check_member(member(large, large // (MOST_RATIO + 1)), Path("a.zip"))


@pytest.mark.parametrize(
    ("file", "comma", "mixed"),
    [
        (b"a,b\r\n1,2\n3,4\r\n", False, True),
        (b"a,b\n1,2\r\n3,4\n", False, True),
        (b"a,b\n1,2\n3,4\n", False, False),
        (b"a,b\r\n1,2\r\n3,4\r\n", False, False),
        (b'a,b\n1,"2\r\n3"\n4,5\n', False, False),
        (b"a,b\n1,\n3,4\n", True, False),
        (b"a,b\r\n1,\r\n3,4\r\n", True, False),
    ],
)
def test_line_ends_are_seen_wherever_a_block_ends(file: bytes, comma: bool, mixed: bool) -> None:
    for size in range(1, len(file) + 1):
        found = line_ends(file[at : at + size] for at in range(0, len(file), size))
        assert (found.comma, found.mixed) == (comma, mixed), size

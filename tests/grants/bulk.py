"""Bulk award files made up for tests, and what their flows should be, counted in plain Python.

`expected` shares no code with the package: it reads with `csv`, adds with `Decimal`, and has its own rules
for places, so that an engine's sums can be held against it.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable
from decimal import Decimal

from tests.conftest import FIXTURE

HEADER = (FIXTURE.parent / "assistance_header.txt").read_text(encoding="utf-8").split()

TYPE, USD, YEAR = "assistance_type_code", "federal_action_obligation", "action_date_fiscal_year"
RECIPIENT = "prime_award_transaction_recipient_county_fips_code"
PERFORMED = "prime_award_transaction_place_of_performance_county_fips_code"
PLACE, SCOPE = "primary_place_of_performance_code", "primary_place_of_performance_scope"
COUNTRY = "primary_place_of_performance_country_code"
AGENCY, LISTING, CLASS = "awarding_agency_name", "cfda_number", "business_types_code"
RECORD, STATE = "record_type_code", "prime_award_transaction_recipient_state_fips_code"
PLAIN = {
    TYPE: "04",
    USD: "10.00",
    YEAR: "2024",
    AGENCY: "Department of Justice",
    LISTING: "16.738",
    CLASS: "B",
    RECORD: "2",
    RECIPIENT: "17031",
    STATE: "17",
    "recipient_country_code": "USA",
    PERFORMED: "17031",
    COUNTRY: "USA",
    PLACE: "IL**031",
    SCOPE: "COUNTY-WIDE",
    "action_date": "2024-02-01",
}

Row = dict[str, str]
Flows = dict[tuple, tuple[Decimal, int]]


def row(**changes: str) -> Row:
    """A grant to Cook County, with changes."""
    return dict.fromkeys(HEADER, "") | PLAIN | changes


def content(
    rows: Iterable[Row], header: list[str] = HEADER, line_end: str = "\n", bom: bool = False
) -> bytes:
    """The rows as the bytes of a CSV file."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=line_end)
    writer.writerow(header)
    writer.writerows([each[name] for name in header] for each in rows)
    return (b"\xef\xbb\xbf" if bom else b"") + out.getvalue().encode()


# county code as published -> county of the flow
COUNTIES = {
    "17031": "17031",
    "01001": "01001",
    "11001": "11001",
    "09110": "09110",
    "09001": "ct_legacy_09001",
    "09013": "ct_legacy_09013",
    "46113": "46102",
    "46102": "46102",
    "02270": "02158",
    "02261": "retired_02261",
    "51515": "retired_51515",
    "36360": "retired_36360",
    "11110": "retired_11110",
    "72127": "72127",
    "66010": "66010",
}
# Places of performance without a county code: code, scope, country -> bucket
NOWHERE = {
    ("IL*****", "STATE-WIDE", "USA"): "statewide",
    ("IL*****", "State-wide", "USA"): "statewide",
    ("00*****", "MULTI-STATE", "USA"): "multi_state",
    ("00FORGN", "FOREIGN", "MEX"): "foreign",
    ("00FORGN", "Foreign", ""): "foreign",
    ("", "", "GBR"): "foreign",
    ("IL14000", "CITY-WIDE", "USA"): "missing",
    ("", "", ""): "missing",
}
# record type, state, country -> bucket of a recipient without a county code
RECIPIENTS = {
    ("1", "17", "USA"): "statewide",
    ("1", "", "USA"): "missing",
    ("2", "17", "USA"): "missing",
    ("2", "", "CAN"): "foreign",
    ("3", "", ""): "missing",
}
CLASSES = {"A": "state", "B": "county", "C": "city_or_township", "D": "special_district"}
CLASSES |= {"G": "school_district", "H": "higher_education", "O": "higher_education", "I": "tribal"}
CLASSES |= {"J": "tribal", "K": "tribal", "M": "nonprofit", "N": "nonprofit", "L": "other", "P": "other"}
CLASSES |= {"X": "other", "BC": "other", "": "other", "E": "other"}
GRANTS, OTHERS = ("02", "03", "04", "05", "F001", "F002"), ("06", "07", "08", "09", "10", "11")
WORDS = ("", "plain", 'a "quoted" word', "a comma, here", "two\nlines", "Windows\r\nlines", "ñandú ✓", "'")


def generate(seed: int, count: int) -> list[Row]:
    """Rows of every kind: types, places, buckets, classes, negative and large sums, awkward text."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        place, scope, country = draw.choice(list(NOWHERE))
        record, state, home = draw.choice(list(RECIPIENTS))
        inside, performed = draw.random() < 0.7, draw.random() < 0.7
        cents = draw.choice([0, 1, -1, 123456, draw.randrange(-(10**9), 10**10), 10**14 - 1, -(10**14)])
        rows.append(
            row(
                **{
                    "assistance_transaction_unique_key": str(number),
                    TYPE: draw.choice(GRANTS * 2 + OTHERS),
                    USD: draw.choice(
                        [f"{Decimal(cents) / 100:.2f}", f"{cents}", f"{Decimal(cents) / 10:.1f}"]
                    ),
                    YEAR: draw.choice(["2021", "2024"]),
                    AGENCY: draw.choice(["Department of Justice", "Agency, of commas", ""]),
                    LISTING: draw.choice(["16.738", "97.067", "10.868", ""]),
                    CLASS: draw.choice(list(CLASSES)),
                    RECORD: record,
                    RECIPIENT: draw.choice(list(COUNTIES)) if inside else "",
                    STATE: state,
                    "recipient_country_code": "USA" if inside else home,
                    PERFORMED: draw.choice(list(COUNTIES)) if performed else "",
                    COUNTRY: "USA" if performed else country,
                    PLACE: "IL**031" if performed else place,
                    SCOPE: "COUNTY-WIDE" if performed else scope,
                    "action_date": draw.choice(["2020-12-31", "2024-02-01", "2025-01-20"]),
                    "transaction_description": draw.choice(WORDS),
                    "recipient_name": draw.choice(WORDS),
                    "last_modified_date": draw.choice(["", "2025-01-01"]),
                    "total_obligated_amount": "999999999.99",
                }
            )
        )
    for each in rows:  # what is no grant may have no amount
        if each[TYPE] in OTHERS and draw.random() < 0.3:
            each[USD] = ""
    return rows


def expected(*files: bytes, before: str = "9") -> Flows:
    """The flows of CSV files: (county, year, agency, listing, class, scope) -> (US dollars, transactions)."""
    found: Flows = {}
    for file in files:
        for each in csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")):
            if each[TYPE] not in GRANTS or not each["action_date"] < before:
                continue
            at = (each[PLACE], each[SCOPE], each[COUNTRY])
            who = (each[RECORD], each[STATE], each["recipient_country_code"])
            performed = COUNTIES[each[PERFORMED]] if each[PERFORMED] else NOWHERE[at]
            received = COUNTIES[each[RECIPIENT]] if each[RECIPIENT] else RECIPIENTS[who]
            of = (int(each[YEAR]), each[AGENCY], each[LISTING], CLASSES[each[CLASS]])
            for key in ((received, *of, "recipient"), (performed, *of, "place_of_performance")):
                usd, number = found.get(key, (Decimal(0), 0))
                found[key] = (usd + Decimal(each[USD]), number + 1)
    assert found
    return found

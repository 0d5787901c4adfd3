"""USAspending's interface as far as the client asks it, over the rows of a real bulk file.

Totals are added up from the rows, so that they agree with the file; a test changes what it wants to be wrong.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from analysis.sources.states import STATES
from tests.refresh.publisher import Reply, Seen, data

API = "https://api.usaspending.gov/api/v2/"
FILES = "https://files.usaspending.gov/"
NAME = "All_PrimeTransactions_2026-11-22_H00M16S19412668.zip"
FILE = f"{FILES}generated_downloads/{NAME}"
ARCHIVED = "FY2024_All_Assistance_Full_20260506.zip"
TYPES = {"02": "Block Grant", "03": "Formula Grant", "04": "Project Grant", "05": "Cooperative Agreement"}
COUNTY = {
    "recipient_location": "prime_award_transaction_recipient_county_fips_code",
    "place_of_performance": "prime_award_transaction_place_of_performance_county_fips_code",
}
ABBREVIATIONS = {code: abbreviation for abbreviation, (code, _) in STATES.items()}
USUAL = (
    "For searches, time period start and end dates are currently limited to an earliest date of 2007-10-01."
)


def rows_of(text: str, year: int) -> tuple[list[str], list[dict[str, str]]]:
    """The header and the rows of a fiscal year in a real file."""
    reader = csv.DictReader(io.StringIO(text))
    return list(reader.fieldnames or []), [
        row for row in reader if row["action_date_fiscal_year"] == str(year)
    ]


def zipped(header: list[str], *parts: list[dict[str, str]]) -> bytes:
    """An archive as the publisher packs it, a member a part."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, rows in enumerate(parts, 1):
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, header, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            archive.writestr(
                f"All_Assistance_PrimeTransactions_2026-11-22_H00M16S19_{number}.csv", text.getvalue()
            )
    return stream.getvalue()


@dataclass
class SpendingApi:
    """`waits` statuses before the job is done, `change` what a test does to any answer, by its address."""

    header: list[str]
    rows: list[dict[str, str]]
    waits: list[str] = field(default_factory=lambda: ["ready", "running"])
    change: dict[str, Callable[[Seen, object], object]] = field(default_factory=dict)
    archive: bytes = b""
    kilobytes: float | None = None
    messages: list[str] = field(default_factory=lambda: [USUAL])
    code: str = "All"  # of the agency whose files the archive lists
    lost: Decimal = Decimal(0)  # what the county layer cannot map

    def __post_init__(self) -> None:
        self.archive = self.archive or zipped(self.header, self.rows)
        self.left = list(self.waits)

    def answers(self) -> dict[str, object]:
        posts = {
            "references/award_types/": self.types,
            "references/toptier_agencies/": self.agencies,
            "download/count/": self.count,
            "search/spending_by_category/awarding_agency/": self.by_agency,
            "search/spending_by_geography/": self.geography,
            "bulk_download/awards/": self.job,
            "download/status": self.status,
            "bulk_download/list_monthly_files/": self.listing,
        }
        whole = Reply(self.archive, headers={"ETag": '"1"', "Content-Type": "application/zip"}, ranges=True)
        return {API + path: self.answer(path, make) for path, make in posts.items()} | {
            FILE: whole,
            FILES + ARCHIVED.replace("All", self.code): whole,
        }

    def answer(self, path: str, make: Callable[[Seen], object]) -> Callable[[Seen], Reply]:
        def reply(seen: Seen) -> Reply:
            content = make(seen)
            if path in self.change:
                content = self.change[path](seen, content)
            return content if isinstance(content, Reply) else data(content)

        return reply

    def total(self) -> Decimal:
        return sum((Decimal(row["federal_action_obligation"]) for row in self.rows), Decimal(0))

    def types(self, seen: Seen) -> object:
        return {"contracts": {"A": "BPA Call"}, "grants": TYPES, "loans": {"07": "Direct Loan"}}

    def agencies(self, seen: Seen) -> object:
        names = {row["awarding_agency_name"] for row in self.rows}
        return {
            "results": [
                {"toptier_code": f"{number:03d}", "agency_id": number + 1000, "agency_name": name}
                for number, name in enumerate(sorted(names), 12)
            ]
        }

    def count(self, seen: Seen) -> object:
        asked = json.loads(seen.body)
        assert asked["filters"]["award_type_codes"] == sorted(TYPES)
        return {"calculated_count": len(self.rows), "maximum_limit": 500_000, "rows_gt_limit": False}

    def by_agency(self, seen: Seen) -> object:
        asked = json.loads(seen.body)
        assert asked["limit"] == 100, "ten rows come where no limit is given"
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.rows:
            sums[row["awarding_agency_name"]] += Decimal(row["federal_action_obligation"])
        listed = [
            {"id": number, "name": name, "amount": float(amount)}
            for number, (name, amount) in enumerate(sums.items())
        ]
        first = 100 * (asked["page"] - 1)
        return {
            "limit": asked["limit"],
            "page_metadata": {"page": asked["page"], "hasNext": first + 100 < len(listed)},
            "results": listed[first : first + 100],
            "messages": self.messages,
        }

    def geography(self, seen: Seen) -> object:
        asked = json.loads(seen.body)
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.rows:
            code = row[COUNTY[asked["scope"]]]
            sums[code if asked["geo_layer"] == "county" else ABBREVIATIONS.get(code[:2], "")] += Decimal(
                row["federal_action_obligation"]
            )
        if asked["geo_layer"] == "county":
            sums[""] = self.lost
        results = [
            {
                "shape_code": code,
                "display_name": code.title() or None,
                "aggregated_amount": float(amount),
                "population": None,
                "per_capita": None,
            }
            for code, amount in sums.items()
        ]
        return {
            "scope": asked["scope"],
            "geo_layer": asked["geo_layer"],
            "spending_level": "transactions",
            "results": results,
            "messages": self.messages,
        }

    def job(self, seen: Seen) -> object:
        asked = json.loads(seen.body)
        assert asked["filters"]["prime_award_types"] == sorted(TYPES), "loans and contracts are other money"
        return {
            "status_url": f"{API}download/status?file_name={NAME}",
            "file_name": NAME,
            "file_url": FILE,
            "download_request": asked,
        }

    def status(self, seen: Seen) -> object:
        assert seen.query == {"file_name": [NAME]}
        state = self.left.pop(0) if self.left else "finished"
        done = state == "finished"
        return {
            "status": state,
            "message": "Traceback (most recent call last):\n  ...\nMemoryError: no room"
            if state == "failed"
            else None,
            "file_name": NAME,
            "file_url": FILE,
            "total_size": (len(self.archive) / 1000 if self.kilobytes is None else self.kilobytes)
            if done
            else None,
            "total_columns": 112 if done else None,
            "total_rows": len(self.rows) if done else None,
            "seconds_elapsed": "9.079178",
        }

    def listing(self, seen: Seen) -> object:
        asked = json.loads(seen.body)
        assert asked["type"] == "assistance" and asked["fiscal_year"] == 2024
        return {
            "monthly_files": [
                {"file_name": name, "fiscal_year": 2024, "type": "assistance", "url": FILES + name}
                for name in (ARCHIVED.replace("All", self.code), "FY(All)_All_Assistance_Delta_20260506.zip")
            ]
        }

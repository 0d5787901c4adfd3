"""Files that a refresh reads."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from tests.conftest import forget
from tests.doors import real
from tests.doors.engine import Door, Given
from tests.doors.mutations.tables import table
from tests.doors.real import ORIGINALS


def refresh_doors() -> Iterator[Door]:
    from analysis.refresh.command import Request, refresh

    def by_hand(
        name: str, kind: str, file: str, some: Callable[[], bytes | None], source: str, reaches: tuple[str, ...], *,
        vintage: str | None = None, beside: Callable[[], dict[str, bytes]] = dict, whole: Path | None = None, share: float = 1.0,
    ) -> Door:  # fmt: skip
        """A file that is read with --from, from its first bytes to the candidate that stages would read."""

        def enter(given: Given) -> object:
            folder = given.project / "by-hand"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(given.project / ".refresh", ignore_errors=True)
            folder.mkdir()
            (given.project / ".refresh").mkdir()
            shutil.rmtree(given.project / "data" / "raw" / "votes" / "2024", ignore_errors=True)
            contents = {file: given.content, **beside()}
            for other, content in contents.items():
                (folder / other).write_bytes(content)
            forget()
            files = tuple(folder / other for other in contents)
            request = Request(
                source, vintage=vintage, files=files, dry_run=True, because="a test", today="2026-11-22"
            )
            done = refresh(request)
            return done.state, dict(done.made.files), dict(done.made.rows)

        return Door(
            name, kind, some, enter, reaches, accepted, real.whole(whole) if whole else None, share=share
        )

    def accepted(value: tuple) -> str:
        """A candidate: its tables have the rows that it tells, and hold no bytes that a table cannot."""
        _, files, rows = value
        for name, count in rows.items():
            content = files[name]
            if isinstance(content, bytes) and len(table(content)) != count + 1:
                return f"{name} has {len(table(content)) - 1} rows, {count} are told"
        return ""

    sheets = (
        "analysis.refresh.sheets.read",
        "analysis.refresh.rosters.make",
        "analysis.refresh.sniffing.check",
        "analysis.refresh.archives.members",
    )
    book = ORIGINALS / "287g" / "participatingAgencies08042025pm.xlsx"
    yield by_hand(
        "refresh rosters: a workbook",
        "xlsx",
        "participatingAgencies08042025pm.xlsx",
        real.workbook(),
        "rosters",
        sheets,
        vintage="2025-08-06",
        whole=book,
        share=0.8,
    )
    listed = ("analysis.refresh.lists.make", "analysis.refresh.listed.lines_of")
    yield by_hand(
        "refresh lists: a page",
        "html",
        "page.html",
        cache(real.justice_page),
        "lists",
        (*listed, "analysis.refresh.pages.read"),
        vintage="doj-2025-09-01",
    )
    pdf = ORIGINALS / "lists" / "dhs-sanctuary-jurisdictions-archived-2025-05-31.pdf"
    yield by_hand(
        "refresh lists: a PDF",
        "pdf",
        "page.pdf",
        cache(real.pdf),
        "lists",
        (*listed, "analysis.refresh.listed.pdf_lines"),
        vintage="dhs-2025-06-02",
        whole=pdf,
        share=0.6,
    )
    yield by_hand(
        "refresh votes",
        "csv",
        "votes.csv",
        cache(real.votes),
        "votes",
        ("analysis.refresh.votes.make", "analysis.sources.reading.parse"),
        vintage="2024",
    )
    gazetteers = ("analysis.refresh.geography.make", "analysis.refresh.archives.member")
    yield by_hand("refresh geography", "zip", "2025_Gaz_counties_national.zip", cache(lambda: real.gazetteer("counties")), "geography", gazetteers,
                  beside=lambda: {"2025_Gaz_cousubs_national.zip": real.gazetteer("cousubs")})  # fmt: skip
    yield by_hand(
        "refresh money",
        "zip",
        "transactions.zip",
        fy2024,
        "money",
        ("analysis.refresh.money.make", "analysis.grants.run.write_flows"),
        vintage="fy2024",
        share=0.4,
    )


@cache
def fy2024() -> bytes:
    """An archive of one fiscal year."""
    content = real.transactions("csv", 400)()
    header, *rows = table(content)
    year = header.index("action_date_fiscal_year")
    return real.zipped(
        [
            (
                "All_Assistance_PrimeTransactions_1.csv",
                real.to_csv([header, *[row for row in rows if row[year] == "2024"][:30]]),
            )
        ]
    )

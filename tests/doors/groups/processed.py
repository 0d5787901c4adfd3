"""Tables that stages wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

from tests.conftest import forget
from tests.doors import looks, real
from tests.doors.engine import Door, Given
from tests.doors.real import PROCESSED, RAW


def processed_doors() -> Iterator[Door]:
    from analysis import changes, downloads, flow_columns, ledger
    from analysis.models.multiverse import universe
    from analysis.provenance import read_output
    from analysis.refresh import comparing

    def put(given: Given, name: str) -> Path:
        file = given.project / "data" / "processed" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(given.content)
        forget()
        return file

    def output(
        name: str, read: Callable[[], object], reached: str, look: looks.Look = looks.anything, kind: str = ""
    ) -> Door:
        file = PROCESSED / name
        some = real.parquet(file) if file.suffix == ".parquet" else real.part(file)

        def enter(given: Given) -> object:
            put(given, name)
            return read()

        return Door(
            f"data/processed/{name}",
            kind or file.suffix[1:],
            some,
            enter,
            ("analysis.provenance.read_output", reached),
            look,
            real.whole(file),
            share=0.6,
        )

    def read(name: str, text: bool = False) -> Callable[[], object]:
        return lambda: read_output(name, as_text=text)

    yield output("estimates.csv", read("estimates.csv"), "analysis.provenance.read_output")
    yield output("vintages.csv", read("vintages.csv", True), "analysis.provenance.read_output")
    yield output("dollars_at_stake.csv", read("dollars_at_stake.csv"), "analysis.provenance.read_output")
    yield output("checks.csv", read("checks.csv", True), "analysis.provenance.read_output")
    yield output(
        "jurisdictions.csv",
        lambda: ledger.listings("main_list", "state"),
        "analysis.ledger.read_jurisdictions",
    )
    yield output(
        "roster_agencies.csv",
        lambda: ledger.read_ledger("roster_agencies.csv"),
        "analysis.ledger.read_ledger",
    )
    yield output(
        "county_287g.csv", lambda: ledger.agreements("2025-01-19", "county"), "analysis.ledger.agreements"
    )
    for level in ("county", "place", "state"):
        yield output(
            f"panel_{level}.parquet", partial(universe.load_level, level), "analysis.panel.load_panel"
        )
    yield output(
        "grant_flows.parquet",
        lambda: flow_columns.read_flows("reap-fy2021-2024"),
        "analysis.flow_columns.read_flows",
    )
    yield output("multiverse.parquet", read("multiverse.parquet"), "analysis.provenance.read_output")

    def before(given: Given) -> object:
        now = changes.text_table(real.part(PROCESSED / "vintages.csv")())
        return changes.row_changes(changes.text_table(given.content), now, ("government", "from", "to"))

    yield Door(
        "a table of an earlier commit",
        "csv",
        real.part(PROCESSED / "vintages.csv"),
        before,
        ("analysis.changes.text_table",),
        looks.anything,
    )

    def compared(given: Given) -> object:
        from analysis.refresh.rosters import COMPARED

        file = put(given, "compared.csv")
        old = comparing.read(file)
        return comparing.differences(old, old, COMPARED["roster.csv"])

    yield Door(
        "a vintage to compare with",
        "csv",
        real.part(RAW / "rosters" / "2025-05-28" / "roster.csv"),
        compared,
        ("analysis.refresh.comparing.read",),
        looks.anything,
    )

    def package(given: Given) -> object:
        folder = given.project / "export"
        folder.mkdir(exist_ok=True)
        (folder / downloads.PACKAGE).write_bytes(given.content)
        return sorted(downloads._earlier(folder))

    small = b'{"name": "listed-jurisdictions", "resources": [{"path": "estimates.csv", "bytes": 1}, {"path": "money/a.csv"}]}'
    yield Door(
        "datapackage.json",
        "json",
        cache(lambda: small),
        package,
        ("analysis.downloads.read_package",),
        looks.anything,
    )

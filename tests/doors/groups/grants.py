"""Award transactions."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tests.doors import real
from tests.doors.engine import Door, Given


def grant_doors() -> Iterator[Door]:
    from analysis.grants.run import write_flows

    for form, kind, reached in (
        ("csv", "csv", ("analysis.grants.files.header", "analysis.grants.engines.read_with_duckdb")),
        ("legacy", "csv", ("analysis.grants.files.header", "analysis.grants.files.blocks")),
        (
            "zip",
            "zip",
            (
                "analysis.grants.files.members",
                "analysis.grants.files.open_bytes",
                "analysis.grants.files.opened",
            ),
        ),
        ("parquet", "parquet", ("analysis.grants.files.parquet_columns",)),
    ):

        def flows(given: Given, form: str = form) -> object:
            file = given.project / f"transactions.{form}"
            file.write_bytes(given.content)
            out = given.project / "flows.parquet"
            before = given.draw.choice((None, None, "2024-01-01"))
            write_flows([file], out, before=before, memory="256MB")
            return pd.read_parquet(out)

        yield Door(
            f"flows: {form}",
            kind,
            real.transactions(form),
            flows,
            ("analysis.grants.files.open_bulk", *reached),
            flows_look,
            share=0.5,
        )


def flows_look(value: pd.DataFrame) -> str:
    """Flows: a bucket or a code, a year, the same sum in both scopes."""
    codes = value["county_geoid"].str.fullmatch(r"[0-9]{5}|[a-z_]+|(retired|ct_legacy)_[0-9]{5}")
    if not codes.all():
        return f"{value.loc[~codes, 'county_geoid'].iloc[0]!r} is no county and no bucket"
    sums = [group["obligations_usd"].sum() for _, group in value.groupby("scope")]
    return "" if len(set(sums)) <= 1 else f"sums by scope: {sums}"

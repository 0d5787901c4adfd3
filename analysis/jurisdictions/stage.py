"""The stage `jurisdictions`: every published name to its government, and counties' 287(g) status."""

from __future__ import annotations

import pandas as pd

from analysis.errors import DataError
from analysis.jurisdictions import corrections, gazetteer, vintages
from analysis.jurisdictions.accuracy import accuracy, judged, read_corpus
from analysis.jurisdictions.audit import entry_audit
from analysis.jurisdictions.match import match
from analysis.jurisdictions.review import queue
from analysis.jurisdictions.status import county_status, support_types
from analysis.provenance import processed
from analysis.sources import lists, rosters
from analysis.stages import run
from analysis.writing import write_csv

LEDGER = ("vintage", "issuer", "published", "page_order", "state_abbr", "level", "text_as_published", "name")
LEDGER += ("geoid", "unit", "also_geoids", "match_type", "needs_review", "note", "basis", "source_url")
ROSTER = ("roster", "sheet_row", "state_abbr", "agency_as_published", "county_as_published")
ROSTER += ("agency_type_as_published", "support_type", "signed", "geoid", "unit", "also_geoids")
ROSTER += ("match_type", "needs_review", "note")


def ledger(entries: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Every entry of every list with its verdict, in the order of vintage, heading and page."""
    table = match(entries)
    table = table.assign(name=[names.get(code, "") for code in table["geoid"].fillna("")])
    keys = ["vintage", "page_order", "state_abbr", "level", "text_as_published"]
    return table.sort_values(keys, kind="stable")[list(LEDGER)]


def roster_ledger(rows: pd.DataFrame) -> pd.DataFrame:
    """Every row of every roster with its verdict and its model, by roster and row of the sheet."""
    table = match(rows).rename(columns={"snapshot": "roster"})
    table = table.assign(
        support_type=support_types(rows, "rosters"), sheet_row=rows["sheet_row"].astype("int64")
    )
    return table.sort_values(["roster", "sheet_row"], kind="stable")[list(ROSTER)]


def conservation(before: pd.DataFrame, after: pd.DataFrame, what: str) -> dict[str, int]:
    """Rows in = matched + review + rejected.

    Raises
    ------
    DataError : a row was lost or gained, or a row has a code and no unit, or the other way round.
    """
    matched = after["geoid"].notna() & ~after["needs_review"]
    rejected = after["geoid"].isna() & ~after["needs_review"]
    counts = {
        "in": len(before),
        "matched": int(matched.sum()),
        "review": int(after["needs_review"].sum()),
        "rejected": int(rejected.sum()),
    }
    if counts["in"] != counts["matched"] + counts["review"] + counts["rejected"]:
        raise DataError(f"rows in, matched, review and rejected do not add up: {counts}.", file=what)
    wrong = after[(after["unit"] == "none") != after["geoid"].isna()]
    if len(wrong):
        raise DataError(f"{len(wrong)} rows have a code without a unit, or a unit without a code.", file=what)
    return counts


def tiers(listed: pd.DataFrame, agencies: pd.DataFrame) -> pd.DataFrame:
    """How names were read: rows and distinct names by source, match_type and unit, and those in review."""
    parts = [
        listed.assign(source="lists", name=listed["state_abbr"] + listed["text_as_published"]),
        agencies.assign(source="rosters", name=agencies["state_abbr"] + agencies["agency_as_published"]),
    ]
    rows = pd.concat(parts)[["source", "match_type", "unit", "name", "needs_review"]]
    grouped = rows.groupby(["source", "match_type", "unit"], sort=True)
    table = grouped.agg(rows=("name", "size"), names=("name", "nunique"), in_review=("needs_review", "sum"))
    return table.astype("int64").reset_index()


def write(table: pd.DataFrame, name: str) -> None:
    """One CSV under `data/processed/`: UTF-8, LF, `needs_review` as true or false."""
    if "needs_review" in table:
        table = table.assign(needs_review=table["needs_review"].map({True: "true", False: "false"}))
    write_csv(table, processed(name))


def main() -> None:
    """Read the lists and rosters, judge every row, write what is known of the rows and of the verdicts."""
    entries, rows = lists.read_all(), rosters.read_all()
    governments = gazetteer.frame()
    counties = governments[governments["unit"] == "county"]
    listed = ledger(entries, governments["name"].to_dict())
    agencies = roster_ledger(rows)
    status = county_status(agencies, counties["name"], counties["state"])
    for before, after, what in ((entries, listed, "jurisdictions"), (rows, agencies, "roster_agencies")):
        print(what, conservation(before, after, what))
    compared = vintages.pairs(listed["vintage"].unique())
    units = vintages.units_by_level(governments)
    tables = {
        "entry_audit.csv": entry_audit(
            listed, agencies, corrections.read("entry_oddities"), gazetteer.gazetteer()
        ),
        "vintages.csv": vintages.changes(listed, compared),
        "agreement.csv": vintages.agreement(listed, units, compared),
        "ledger_accuracy.csv": accuracy(judged(read_corpus())),
        "ledger_tiers.csv": tiers(listed, agencies),
        "review_queue.csv": queue(listed, agencies),
    }
    for name, table in tables.items():
        write(table, name)
    write(listed, "jurisdictions.csv")
    write(agencies, "roster_agencies.csv")
    write(status, "county_287g.csv")


if __name__ == "__main__":
    run(main)

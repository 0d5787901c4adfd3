"""The stage `stakes`: dollars at stake of every listed government, reconciled, and the dated events."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from analysis.errors import DataError
from analysis.jurisdictions import corrections, match
from analysis.ledger import read_ledger
from analysis.panel import load_panel
from analysis.provenance import processed, read_origin, read_output, read_param, root, vintages
from analysis.sources import events, money, programs
from analysis.sources.reading import read_table
from analysis.stages import run
from analysis.stakes import readings
from analysis.stakes.definitions import definitions
from analysis.stakes.governments import (
    capital_codes,
    governments,
    lists_by_code,
    under_own_codes,
    with_roles,
)
from analysis.stakes.reconcile import reconcile, reconcile_parts, without_states
from analysis.stakes.spread import reasons, spread
from analysis.stakes.timeline import timeline, without_event
from analysis.writing import write_csv

FLOWS = "grant_flows.parquet"
AWARD_FILES = "usaspending"
AWARDS_YEAR = 2022
# Scope and total, as the two kinds of published totals that are used print them.
PUBLISHED_TOTAL = {
    "US dollars allocated": re.compile(r"\w+=[0-9]+(\.[0-9]+)?"),
    "million US dollars obligated": re.compile(r"\S+ [0-9]{4} [a-z_]+=-?[0-9]+(\.[0-9]+)?"),
}


def latest(source: str) -> str:
    """The newest vintage of a source.

    Raises
    ------
    DataError : there is none.
    """
    there = vintages(source)
    if not there:
        raise DataError(
            "no vintage is there.", file=root() / "data" / "raw" / source, remedy="restore it from git."
        )
    return there[-1]


def listed_governments(panels: dict[str, pd.DataFrame], entries: pd.DataFrame) -> pd.DataFrame:
    """Every listed government once, with its flags and the panel's residents."""
    named = programs.read_capitals(latest("state_capitals"))
    asked = named.rename(columns={"capital": "text_as_published"}).assign(level="place")
    found = match(asked[["state_abbr", "level", "text_as_published"]])
    capitals = capital_codes(found, panels["place"]["county_geoid"])
    return governments(entries, capitals, pd.concat([panel["population"] for panel in panels.values()]))


def dated_events(listed: pd.DataFrame, entries: pd.DataFrame) -> pd.DataFrame:
    """The timeline; a government that is named in an event that no compilation holds is an error."""
    happened = events.read(latest("policy_events"))
    decided = corrections.read("event_governments")
    named = match(decided.rename(columns={"key": "event", "value": "text_as_published"}))
    table = timeline(happened, under_own_codes(named, listed), lists_by_code(listed, entries))
    inert = without_event(named, happened)
    if len(inert):
        raise DataError(
            f"the event {inert['event'].iloc[0]!r} is in no compilation.",
            file=root() / "data" / "corrections" / "event_governments.csv",
            row=int(inert.index[0]),
            column="key",
            remedy="write the event as data/raw/policy_events/ has it, or take the row out.",
        )
    return table


def own_codes(geoid: pd.Series) -> pd.Series:
    """Codes of tables of money, those of designated places replaced by the government's own."""
    decided = corrections.read("money_codes")
    return geoid.replace(dict(zip(decided["key"], decided["value"], strict=True)))


def city_awards() -> tuple[pd.DataFrame, str]:
    """Prime awards to cities under the governments' own codes, and their source."""
    vintage = latest("city_grants")
    rows = programs.read_city_grants(vintage)
    return rows.assign(geoid=own_codes(rows["geoid"])), f"city_grants/{vintage}"


def allocations() -> tuple[pd.DataFrame, str]:
    """Treasury's allocations with the codes of the panel, and their source."""
    vintage = latest("slfrf")
    rows = money.read_slfrf_rows(vintage)
    full = rows["geoid"].map(money.ten_digits())
    level = {program: level for level, program in money.SLFRF_LEVELS.items()}
    return rows.assign(
        geoid=own_codes(rows["geoid"].mask(rows["geoid_kind"] == "cousub", full).fillna(rows["geoid"])),
        level=rows["program"].map(level),
        is_starred=rows["jurisdiction_as_published"].str.endswith("*"),
    ), f"slfrf/{vintage}"


def award_flows() -> tuple[pd.DataFrame, set[tuple[str, int]], str]:
    """Flows of the award files, the years of an agency that these state to hold whole, and their source.

    A vintage states it in its `origin.yaml`: `covers: {all: [2022], "Department of Justice": [2023]}`.
    Tables of single programmes that others compiled are no award files. Of the fiscal year in which the
    flows end, before the day that main models must precede, a part is there, so that it is left out.
    """
    origins = {vintage: read_origin(AWARD_FILES, vintage) for vintage in vintages(AWARD_FILES)}
    origins = {vintage: each for vintage, each in origins.items() if each["obtained"] != "compiled"}
    cut = str(read_param("as_of_before")["main"])
    covers = {
        vintage: {
            (agency, int(year))
            for agency, years in origin.get("covers", {}).items()
            for year in years
            if f"{year}-09-30" < cut
        }
        for vintage, origin in origins.items()
    }
    flows = read_output(FLOWS)
    ended = (flows["fiscal_year"].astype("str") + "-09-30") < cut
    flows = one_vintage_each(flows[flows["vintage"].isin(origins) & ended], covers)
    source = ";".join(f"{AWARD_FILES}/{vintage}" for vintage in sorted(flows["vintage"].unique()))
    return flows, set().union(*covers.values()), source or f"{AWARD_FILES}, not acquired yet"


def one_vintage_each(flows: pd.DataFrame, covers: Mapping[str, set[tuple[str, int]]]) -> pd.DataFrame:
    """Of the vintages that hold an agency's grants of a year, one, so that nothing counts twice.

    The newest of those that state to hold them whole, else the newest.

    Parameters
    ----------
    flows : as `grant_flows.parquet` has them, `vintage` among the columns.
    covers : by vintage, the pairs of an agency (or "all") and a fiscal year that it holds whole.
    """
    keys = ["awarding_agency", "fiscal_year"]
    there = flows[["vintage", *keys]].drop_duplicates()
    whole = [
        bool({(agency, year), ("all", year)} & covers[vintage])
        for vintage, agency, year in there.itertuples(index=False)
    ]
    best = there.assign(whole=whole).sort_values(["whole", "vintage"]).drop_duplicates(keys, keep="last")
    return flows.merge(best.drop(columns="whole"), on=["vintage", *keys], validate="many_to_one")


def published_totals() -> dict[tuple[str, str, int], tuple[float, float]]:
    """Published totals by source, scope and year: US dollars, and half the unit they are printed in."""
    frames = [
        read_table("published", vintage, "published.csv", required=["check", "scope", "expected"])
        for vintage in vintages("published")
    ]
    totals = {}
    for row in pd.concat(frames).itertuples():
        kind = row.check if row.check in ("US dollars allocated", "million US dollars obligated") else ""
        if kind and not PUBLISHED_TOTAL[kind].fullmatch(f"{row.scope}={row.expected}"):
            raise DataError(
                f"{row.expected!r} of {row.scope!r} is no total of a year and scope.",
                file="published.csv",
                row=row.Index,
                column="expected",
                remedy="write dollars as digits, and the scope as the source, the year and the scope.",
            )
        if kind == "US dollars allocated":
            totals[f"slfrf/{latest('slfrf')}", row.scope, 2021] = (float(row.expected), 0.0)
        elif kind:
            source, year, scope = row.scope.split(" ")
            totals[source, scope, int(year)] = (1e6 * float(row.expected), 0.5e6)
    return totals


def by_county(flows: pd.DataFrame) -> pd.DataFrame:
    """Flows summed over agencies and recipients: `source`, `geoid`, `scope`, `fiscal_year`, `amount_usd`."""
    money = flows.assign(
        source=f"{AWARD_FILES}/" + flows["vintage"],
        geoid=flows["county_geoid"],
        amount_usd=flows["obligations_usd"].astype("float64"),
    )
    return money.groupby(["source", "geoid", "scope", "fiscal_year"], as_index=False)["amount_usd"].sum()


def reconciled(panels: dict[str, pd.DataFrame], flows: pd.DataFrame) -> pd.DataFrame:
    """Every table of money against the panel's units and its published total."""
    units = {code for panel in panels.values() for code in panel.index}
    treasury, treasury_source = allocations()
    awards = money.read_county_grants(latest("county_grants")).reset_index()
    cities, city_source = city_awards()
    tables = [
        treasury.assign(
            source=treasury_source,
            measure="slfrf_allocation",
            scope=treasury["program"],
            fiscal_year=2021,
            amount_usd=treasury["allocation_usd"],
        ),
        awards.assign(
            source=f"county_grants/{latest('county_grants')}",
            measure="whole_awards_active",
            scope="place_of_performance",
            fiscal_year=AWARDS_YEAR,
            amount_usd=awards["award_amounts_usd"],
        ),
        cities.assign(source=city_source, measure="prime_awards", scope="recipient"),
        by_county(flows).assign(measure="obligations"),
    ]
    needed = ["source", "measure", "scope", "fiscal_year", "geoid", "amount_usd"]
    every = pd.concat([each[needed] for each in tables if len(each)], ignore_index=True)
    totals = programs.read_totals(latest("program_totals"))
    nation = totals[totals["program"] == "JAG_allocation_total"]
    parts = reconcile_parts(nation, f"program_totals/{latest('program_totals')}")
    return pd.concat([reconcile(every, units, published_totals()), parts], ignore_index=True)


def dollars(listed: pd.DataFrame, flows: pd.DataFrame, stated: set, flow_source: str) -> pd.DataFrame:
    """Every reading of every listed government."""
    treasury, treasury_source = allocations()
    awards = money.read_county_grants(latest("county_grants"))["award_amounts_usd"]
    cities, city_source = city_awards()
    totals = programs.read_totals(latest("program_totals"))
    listings = programs.read_listings(latest("assistance_listings")).index
    return readings.stakes(
        listed,
        [
            readings.flow_readings(listed, flows, listings, stated, flow_source),
            readings.jag(listed, totals, f"program_totals/{latest('program_totals')}"),
            readings.prime_awards(listed, cities, city_source),
            readings.whole_awards(listed, awards, AWARDS_YEAR, f"county_grants/{latest('county_grants')}"),
            readings.slfrf(listed, treasury, treasury_source),
        ],
    )


def main() -> None:
    """Stage `stakes`: read the ledger, the panels and the money, write the tables and the downloads."""
    panels = {level: load_panel(level) for level in ("state", "county", "place")}
    entries = read_ledger("jurisdictions.csv")
    listed = listed_governments(panels, entries)
    happened = dated_events(listed, entries)
    listed = with_roles(listed, happened)
    flows, stated, source = award_flows()
    table = dollars(listed, flows, stated, source)
    main_list = f"listed_{read_param('vintages')['main_list'].replace('-', '_')}"
    write_csv(table, processed("dollars_at_stake.csv"))
    write_csv(spread(table, main_list), processed("money_range.csv"))
    write_csv(reasons(table, main_list), processed("money_reasons.csv"))
    balance = reconciled(panels, read_output(FLOWS))
    write_csv(balance, processed("money_reconciliation.csv"))
    write_csv(without_states(balance), processed("money_residuals.csv"))
    write_csv(happened, processed("policy_timeline.csv"))
    write_csv(definitions(), processed("money_definitions.csv"))


if __name__ == "__main__":
    run(main)

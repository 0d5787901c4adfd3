"""Dollars at stake: five readings of what a listed government could lose, each in its own measure.

Every function takes the listed governments and one table, and returns one row a government and fiscal year:
`geoid, reading, measure, fiscal_year, amount_usd, reason, own_flags, source`. Where there is no figure the
amount is missing and `reason` says why; what is published as zero or below stays so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import pandas as pd

from analysis.stakes.definitions import MEASURES, READINGS, REASONS
from analysis.stakes.governments import CODE_LEVEL

COLUMNS = ["geoid", "unit", "name", "state", "reading", "measure", "fiscal_year", "amount_usd"]
COLUMNS += ["per_resident_usd", "reason", "flags", "source"]
ROW = ["geoid", "reading", "measure", "fiscal_year", "amount_usd", "reason", "own_flags", "source"]

JUSTICE, HOMELAND_SECURITY = "Department of Justice", "Department of Homeland Security"
EVERY_AGENCY = "all"
# The class of recipient that a government is, by the level of each of its codes.
OWN_CLASS = {"state": "state", "county": "county", "place": "city_or_township"}
CENTS = 2

Coverage = Collection[tuple[str, int]]


def stakes(governments: pd.DataFrame, readings: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Every reading of every government as `dollars_at_stake.csv` has it.

    Parameters
    ----------
    governments : as `analysis.stakes.governments.governments` gives them.
    readings : what the functions below return.

    Returns
    -------
    DataFrame of `COLUMNS`, by government, reading, measure and year. `per_resident_usd` is the amount by the
    panel's residents of 2019-2023; where only these are missing, `reason` says so.
    """
    rows = pd.concat(list(readings), ignore_index=True)
    rows = rows.merge(governments.drop(columns="codes"), on="geoid", how="left", validate="m:1")
    per_resident = rows["amount_usd"] / rows["population"]
    unknown = rows["amount_usd"].notna() & rows["population"].isna()
    order = {name: position for position, name in enumerate(READINGS)}
    measures = {name: position for position, name in enumerate(MEASURES)}
    rows = rows.assign(
        per_resident_usd=per_resident.round(CENTS),
        reason=rows["reason"].mask(unknown, REASONS["no_population"]),
        flags=[
            ";".join([*own, *of_row]) for own, of_row in zip(rows["flags"], rows["own_flags"], strict=True)
        ],
        reading_order=rows["reading"].map(order),
        measure_order=rows["measure"].map(measures),
    )
    return rows.sort_values(["geoid", "reading_order", "measure_order", "fiscal_year"], ignore_index=True)[
        COLUMNS
    ]


def row(
    geoid: str,
    kind: tuple[str, str],
    source: str,
    *,
    year: int | None = None,
    amount: float | None = None,
    reason: str = "",
    flags: Iterable[str] = (),
) -> dict:
    """One row of a reading; `kind` is the reading and its measure, `reason` a key of `REASONS`."""
    words = REASONS[reason] if reason else ""
    return dict(zip(ROW, (geoid, *kind, year, amount, words, tuple(flags), source), strict=True))


def table(rows: list[dict]) -> pd.DataFrame:
    """Rows as a frame with years as whole numbers and amounts as floats."""
    frame = pd.DataFrame(rows, columns=ROW)
    return frame.astype({"fiscal_year": "Int64", "amount_usd": "float64"})


def slfrf(governments: pd.DataFrame, allocations: pd.DataFrame, source: str) -> pd.DataFrame:
    """The yardstick: what Treasury allocated to the government in 2021, as county, as city, or as both.

    Parameters
    ----------
    allocations : `geoid` (a place's seven digits, a subdivision's ten), `level` (county, place),
        `is_starred` (no unit of general local government), `allocation_usd`.
    """
    by_code = dict(list(allocations.groupby("geoid")))
    kind, year = ("slfrf", "slfrf_allocation"), 2021
    rows = []
    for own in governments.itertuples():
        found = [by_code[code] for code in own.codes if code in by_code]
        if not found:
            missing = {"state": "no_state_allocations", "county": "no_allocation"}
            reason = missing.get(own.unit, "not_metropolitan")
            rows.append(row(own.geoid, kind, source, year=year, reason=reason))
            continue
        shares = pd.concat(found)
        marks = ["county_and_city_share"] if len(set(shares["level"])) > 1 else []
        marks += ["not_a_general_government"] if shares["is_starred"].any() else []
        amount = shares["allocation_usd"].sum()
        rows.append(row(own.geoid, kind, source, year=year, amount=amount, flags=marks))
    return table(rows)


def whole_awards(governments: pd.DataFrame, awards: pd.Series, year: int, source: str) -> pd.DataFrame:
    """Grants performed in the county, as whole awards active in a year.

    Parameters
    ----------
    awards : sums by county code, missing where the source is blank.
    """
    kind = ("performed_in_county", "whole_awards_active")
    rows = []
    for own in governments.itertuples():
        if not own.county:
            found = {"reason": "not_a_county"}
        elif own.county not in awards.index:
            found = {"reason": "no_row"}
        else:
            found = figure(awards[own.county])
        rows.append(row(own.geoid, kind, source, year=year, **found))
    return table(rows)


def figure(amount: float) -> dict:
    """A figure, or the reason where the source leaves it blank."""
    return {"reason": "blank_in_source"} if pd.isna(amount) else {"amount": float(amount)}


def prime_awards(governments: pd.DataFrame, cities: pd.DataFrame, source: str) -> pd.DataFrame:
    """Prime awards to city governments, one row a year of the compilation.

    Parameters
    ----------
    cities : `geoid`, `fiscal_year`, `amount_usd`.
    """
    kind = ("own_government", "prime_awards")
    by_city = {code: group.sort_values("fiscal_year") for code, group in cities.groupby("geoid")}
    rows = []
    for own in governments.itertuples():
        code = next((code for code in own.codes if code in by_city), None)
        if code is None:
            is_city = any(len(code) in (7, 10) for code in own.codes)
            reason = "not_among_cities" if is_city else "not_a_city"
            rows.append(row(own.geoid, kind, source, reason=reason))
            continue
        marks = ("city_registrations_only",) if own.county else ()
        for each in by_city[code].itertuples():
            found = figure(each.amount_usd)
            rows.append(row(own.geoid, kind, source, year=each.fiscal_year, flags=marks, **found))
    return table(rows)


def jag(governments: pd.DataFrame, totals: pd.DataFrame, source: str) -> pd.DataFrame:
    """Published allocations of one programme of Justice; rows only where one was published.

    Parameters
    ----------
    totals : `program`, `fiscal_year`, `geoid`, `amount_usd`, as `analysis.sources.programs.read_totals`.
    """
    kinds: Mapping[str, tuple[str, tuple[str, ...]]] = {
        "JAG_allocation_local_eligible_award": ("jag_local_allocation", ("one_programme", "rounded")),
        "JAG_allocation_state_plus_local_within_state": (
            "jag_state_and_local_allocation",
            ("one_programme", "rounded", "with_local_governments"),
        ),
    }
    own = {code: each.geoid for each in governments.itertuples() for code in each.codes}
    rows = [
        row(
            own[each.geoid],
            ("justice_law_enforcement", kinds[each.program][0]),
            source,
            year=each.fiscal_year,
            amount=each.amount_usd,
            flags=kinds[each.program][1],
        )
        for each in totals.itertuples()
        if each.program in kinds and each.geoid in own
    ]
    return table(rows)


def flow_readings(
    governments: pd.DataFrame, flows: pd.DataFrame, listings: Collection[str], coverage: Coverage, source: str
) -> pd.DataFrame:
    """The readings that award files give, as obligations of each fiscal year.

    Grants to the government itself are those by recipient whose class is the government's own: a county's in
    its county, of both classes for a consolidated government, a state's in every county of the state. Of a
    city that shares its county nothing can be said. Readings of every agency need files that state to be
    whole.

    Parameters
    ----------
    flows : as `analysis.grants.county_flows` gives them: `county_geoid, fiscal_year, awarding_agency,
        assistance_listing, recipient_class, scope, obligations_usd`; empty before a refresh.
    listings : Assistance Listings of the reading `justice_law_enforcement`.
    coverage : pairs of an agency (or "all") and a fiscal year of which the files hold every grant.
    """
    recipient = flows[flows["scope"] == "recipient"]
    performed = flows[flows["scope"] == "place_of_performance"]
    chosen = {
        "justice_law_enforcement": (recipient[recipient["assistance_listing"].isin(listings)], [JUSTICE]),
        "justice_and_homeland_security": (recipient, [JUSTICE, HOMELAND_SECURITY]),
        "own_government": (recipient, [EVERY_AGENCY]),
        "performed_in_county": (performed, [EVERY_AGENCY]),
    }
    rows = []
    for reading, (of_scope, agencies) in chosen.items():
        years = years_of(flows, agencies, coverage)
        mine = (
            of_scope if agencies == [EVERY_AGENCY] else of_scope[of_scope["awarding_agency"].isin(agencies)]
        )
        sums = amounts(governments, mine, reading)
        for own in governments.itertuples():
            rows += flow_rows(own, reading, sums, years, source, why_none(flows, agencies))
    return table(rows)


def years_of(flows: pd.DataFrame, agencies: list[str], coverage: Coverage) -> dict[int, bool]:
    """The fiscal years of a reading, and of each whether files state to hold all of it.

    A year counts where the files hold a grant of each agency, or state to hold them all.
    """
    there = flows[["awarding_agency", "fiscal_year"]].drop_duplicates()
    seen = {(agency, int(year)) for agency, year in there.itertuples(index=False)}
    years = {}
    for year in sorted({year for _, year in [*seen, *coverage]}):
        stated = [(agency, year) in coverage or (EVERY_AGENCY, year) in coverage for agency in agencies]
        if all(ok or (agency, year) in seen for ok, agency in zip(stated, agencies, strict=True)):
            years[year] = all(stated)
    return years


def why_none(flows: pd.DataFrame, agencies: list[str]) -> str:
    """Why a reading has no year."""
    if flows.empty:
        return "no_award_files"
    return "not_all_agencies" if agencies == [EVERY_AGENCY] else "no_agency_file"


def amounts(governments: pd.DataFrame, flows: pd.DataFrame, reading: str) -> dict[tuple[str, int], float]:
    """Sums by government and fiscal year, of the flows that are the government's."""
    code = flows["county_geoid"].str.replace(r"^(?:ct_legacy_|retired_)", "", regex=True)
    money = flows.assign(usd=flows["obligations_usd"].astype("float64"))
    keys = ["recipient_class", "fiscal_year"]
    by_county = money.groupby(["county_geoid", *keys])["usd"].sum()
    of_counties = code.str.fullmatch(r"\d{5}").astype(bool)
    by_state = money[of_counties].groupby([code[of_counties].str[:2], *keys])["usd"].sum()
    found: dict[tuple[str, int], float] = {}
    for own in governments.itertuples():
        here, place = (by_state, own.geoid) if own.unit == "state" else (by_county, own.county)
        if place not in here.index:
            continue
        sums = here.loc[place].reset_index()
        if reading != "performed_in_county":
            sums = sums[sums["recipient_class"].isin(own_classes(own))]
        for year, usd in sums.groupby("fiscal_year")["usd"].sum().items():
            found[own.geoid, int(year)] = round(usd, CENTS)
    return found


def own_classes(own: object) -> set[str]:
    """The classes of recipient that are the government itself."""
    return {OWN_CLASS[CODE_LEVEL[len(code)]] for code in own.codes}


def flow_rows(
    own: object, reading: str, sums: Mapping, years: Mapping[int, bool], source: str, none: str
) -> list[dict]:
    """The rows of one government in one reading."""
    kind = (reading, "obligations")
    if not years:
        return [row(own.geoid, kind, source, reason=none)]
    by_county = reading == "performed_in_county"
    if not own.county and (by_county or own.unit != "state"):
        return [row(own.geoid, kind, source, reason="not_a_county" if by_county else "city_not_separable")]
    rows = []
    for year, stated in years.items():
        amount = sums.get((own.geoid, year))
        found = {"amount": amount} if amount is not None else {"reason": "no_transaction"}
        marks = () if stated else ("coverage_not_stated",)
        rows.append(row(own.geoid, kind, source, year=year, flags=marks, **found))
    return rows

"""Award transactions to grant flows by county: one Ibis expression for DuckDB and Spark.

The transactions are grouped once, by both of their places; either scope is then a sum of those groups, so
that the files are read once and what is held in memory grows with the groups, not with the rows. A county
code becomes a county or a bucket after that, once a group.
"""

from __future__ import annotations

from functools import reduce

import ibis
from ibis import Table, Value

from analysis.errors import DataError, nearest
from analysis.provenance import read_param
from analysis.sources import geography
from analysis.sources.states import TERRITORY_COUNTIES

GRANTS = ("02", "03", "04", "05", "F001", "F002")
# Direct payments, loans, insurance, other, not specified. What is in neither list may be a grant.
NOT_GRANTS = ("06", "07", "08", "09", "10", "11", "-1")

SCOPES = ("recipient", "place_of_performance")
KEYS = ("county_geoid", "fiscal_year", "awarding_agency", "assistance_listing", "recipient_class", "scope")
FLOWS = ibis.schema(
    dict.fromkeys(KEYS, "string")
    | {"fiscal_year": "int64", "obligations_usd": "decimal(38, 2)", "transactions": "int64"}
)

# Patterns of whole fields; see `is_whole`.
AMOUNT = "-?[0-9]{1,15}([.][0-9]{1,2}0*)?"  # to the cent: 1.005 and 1e3 are none
YEAR = "(19|20)[0-9]{2}"
DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
COUNTY = "[0-9]{5}"
COUNTY_WITHOUT_ZERO = "[0-9]{4}"
# What a program leaves that took listings for numbers: 10.5 for 10.500.
NUMBER_FOR_LISTING = "[0-9]+([.][0-9]{0,2})?|[0-9][.].*"

# The bulk file's columns that a flow is made of, and those that say why a county is absent.
NEEDED = (
    "assistance_type_code",
    "federal_action_obligation",
    "action_date_fiscal_year",
    "awarding_agency_name",
    "cfda_number",
    "business_types_code",
    "prime_award_transaction_recipient_county_fips_code",
    "prime_award_transaction_place_of_performance_county_fips_code",
)
EXPLAINING = (
    "action_date",
    "record_type_code",
    "recipient_country_code",
    "prime_award_transaction_recipient_state_fips_code",
    "primary_place_of_performance_scope",
    "primary_place_of_performance_country_code",
    "primary_place_of_performance_code",
    "correction_delete_indicator_code",
)

# `business_types_code`, of one letter, and its older form of two digits. A code of several letters names no
# one class, and is `other`, as at the publisher.
CLASSES = {
    "county": ("B", "01"),
    "city_or_township": ("C", "02"),
    "special_district": ("D", "04"),
    "school_district": ("G", "05"),
    "state": ("A", "00"),
    "tribal": ("I", "J", "K", "11"),
    "higher_education": ("H", "O", "S", "T", "U", "V", "06", "20"),
    "nonprofit": ("M", "N", "12"),
}
DOMESTIC = ("", "USA", "ASM", "GUM", "MNP", "PRI", "UMI", "VIR")
NOT_UTF8 = "\ufffd"  # what Spark writes for bytes that are no UTF-8
UNKNOWN_TYPE = "unknown_type"
BUCKETS = ("statewide", "multi_state", "foreign", "missing", UNKNOWN_TYPE)
RENAMED = {"46113": "46102", "02270": "02158"}


def county_flows(transactions: Table) -> Table:
    """Obligations of grant transactions by county, fiscal year, agency, listing and class of recipient.

    Lazy, for any engine of Ibis. Grants are the types 02 to 05, F001 and F002; sums are of
    `federal_action_obligation`, negative ones kept, never of whole-award amounts. Within each scope the
    sum over the counties and buckets is the sum over the input's grants, to the cent.

    Parameters
    ----------
    transactions : a bulk award table (`Assistance_PrimeTransactions`) with the file's own columns, all
        text. Those that only explain why a county is absent may be left out.

    Returns
    -------
    Table `county_geoid` (five digits, territories included, or a bucket: `statewide`, `multi_state`,
    `foreign`, `missing`, `retired_<code>` for a code that is no county's now, `ct_legacy_<code>` for an old
    county of Connecticut, `unknown_type` for award types that may be grants), `fiscal_year`,
    `awarding_agency`, `assistance_listing`, `recipient_class`, `scope` (`recipient` or
    `place_of_performance`), `obligations_usd` (decimal, US dollars), `transactions` (number of rows).
    A county code of four digits has lost its zero and gets it back. An empty amount counts as nothing;
    `python -m analysis flows` refuses a file with such rows.

    Raises
    ------
    DataError : no Ibis table; a needed column is missing or no text.
    The engine's own error, when the table is run : a grant's amount is not text of dollars and cents.

    Examples
    --------
    >>> row = dict.fromkeys([*NEEDED, *EXPLAINING], "")
    >>> row |= {"assistance_type_code": "04", "federal_action_obligation": "12.50"}
    >>> row |= {"prime_award_transaction_recipient_county_fips_code": "17031"}
    >>> flows = county_flows(ibis.memtable([row])).execute().set_index("scope")
    >>> flows.loc["recipient", ["county_geoid", "obligations_usd"]].tolist()
    ['17031', Decimal('12.50')]
    """
    return by_scope(grouped(transactions))


def grouped(transactions: Table, before: str | None = None) -> Table:
    """The transactions that are, or may be, grants, by both of their places and the other keys.

    Parameters
    ----------
    before : only those of earlier days: `action_date` is before this day, both YYYY-MM-DD. A grant whose
        day is no such text is kept, and counted in `refused`.

    Returns
    -------
    Table `recipient`, `place_of_performance` (a code as published, or a bucket), the other keys as
    published, `obligations_usd`, `transactions`, and `refused`: rows without an amount or, where it is
    needed, a valid day, and deleted ones.
    """
    if not isinstance(transactions, Table):
        raise DataError(
            f"an Ibis table was expected, not {type(transactions).__name__}.",
            file="county_flows",
            remedy="give ibis.memtable(frame), or ibis.duckdb.connect().read_csv(FILE, all_varchar=True).",
        )
    for name in NEEDED:
        if name not in transactions.columns:
            raise DataError(
                f"the column is missing.{nearest(name, transactions.columns)}",
                column=name,
                remedy="give a bulk file of assistance transactions.",
            )
    for name in (*NEEDED, *EXPLAINING):
        kind = transactions[name].type() if name in transactions.columns else ibis.dtype("string")
        if not (kind.is_string() or kind.is_null()):
            raise DataError(
                f"the column is {kind}, and text was expected.",
                column=name,
                remedy="read every column of the file as text: numbers have lost zeros and cents.",
            )
    absent = [name for name in EXPLAINING if name not in transactions.columns]
    rows = transactions.mutate({name: ibis.literal("") for name in absent})
    rows = rows.select({name: rows[name].cast("string").fill_null("") for name in (*NEEDED, *EXPLAINING)})
    rows = rows.filter(~rows.assistance_type_code.isin(NOT_GRANTS))
    amount = rows.federal_action_obligation
    exact, blank = is_whole(amount, AMOUNT), amount == ""
    # What is neither fails in the cast below: counted as nothing it would be lost in silence, and an engine's
    # own cast takes 1.005 for 1.01.
    exact_or_words = ibis.cases((exact, amount), (blank, None), else_=ibis.literal("no amount: ") + amount)
    wrong = blank | (rows.correction_delete_indicator_code == "D")
    if before:
        dated = is_whole(rows.action_date, DAY)
        wrong |= ~dated
        kept = ~dated | (rows.action_date < before)
    keyed = (rows.filter(kept) if before else rows).select(
        **{scope: place(rows) for scope, place in PLACES.items()},
        fiscal_year=rows.action_date_fiscal_year,
        awarding_agency=rows.awarding_agency_name,
        assistance_listing=rows.cfda_number,
        recipient_class=recipient_class(rows.business_types_code),
        amount=exact_or_words.cast("decimal(18, 2)"),
        refused=wrong.cast("int64"),
    )
    return keyed.group_by(*SCOPES, *KEYS[1:5]).aggregate(
        obligations_usd=keyed.amount.sum().fill_null(0).cast("decimal(38, 2)"),
        transactions=keyed.count(),
        refused=keyed.refused.sum(),
    )


def faulty(groups: Table) -> Value:
    """Which groups of `grouped` hold rows that no flow should be made of; `faults.first_fault` finds them."""
    codeless = [~groups[scope].isin(BUCKETS) & ~is_whole(groups[scope], COUNTY) for scope in SCOPES]
    return (
        (groups.refused > 0)
        | (groups[SCOPES[0]] == UNKNOWN_TYPE)
        | ~is_whole(groups.fiscal_year, YEAR)
        | is_whole(groups.assistance_listing, NUMBER_FOR_LISTING)
        | codeless[0]
        | codeless[1]
        | groups.awarding_agency.contains(NOT_UTF8)
        | groups.assistance_listing.contains(NOT_UTF8)
    )


def by_scope(groups: Table) -> Table:
    """The groups of `grouped`, summed by county or bucket in each scope; see `county_flows`."""
    return reduce(lambda one, other: one.union(other), [one_scope(groups, scope) for scope in SCOPES])


def one_scope(groups: Table, scope: str) -> Table:
    """The flows of one scope."""
    known = counties()
    code = groups[scope]
    whole = is_whole(code, COUNTY_WITHOUT_ZERO).ifelse(ibis.literal("0") + code, code)
    named = groups.mutate(published=whole).left_join(known, "published")
    year = is_whole(named.fiscal_year, YEAR).ifelse(named.fiscal_year, None).cast("int64")
    rows = named.mutate(county_geoid=named.county.fill_null(unlisted(named.published)), fiscal_year=year)
    rows = rows.mutate(scope=ibis.literal(scope))
    summed = rows.group_by(*KEYS).aggregate(
        obligations_usd=rows.obligations_usd.sum(), transactions=rows.transactions.sum()
    )
    return summed.cast(FLOWS).select(*FLOWS.names)


def is_whole(text: Value, pattern: str) -> Value:
    r"""Whether the pattern is all of the text; `$` would, on Spark, pass over a line end after it."""
    return text.re_search(rf"^(?:{pattern})\z")


def recipient_class(code: Value) -> Value:
    """The class of government or organisation, from the recipient's business type."""
    return ibis.cases(*[(code.isin(codes), name) for name, codes in CLASSES.items()], else_="other")


def recipient_place(rows: Table) -> Value:
    """The recipient's county code, or the reason why there is none."""
    code = rows.prime_award_transaction_recipient_county_fips_code
    aggregate = rows.record_type_code == "1"  # a lump to many recipients, of a county or of a state
    in_state = rows.prime_award_transaction_recipient_state_fips_code != ""
    return ibis.cases(
        (~rows.assistance_type_code.isin(GRANTS), UNKNOWN_TYPE),
        (~rows.recipient_country_code.isin(DOMESTIC), "foreign"),
        (code != "", code),
        (aggregate & in_state, "statewide"),
        else_="missing",
    )


def place_of_performance(rows: Table) -> Value:
    """The county code of the place of performance, or the reason why there is none."""
    code = rows.prime_award_transaction_place_of_performance_county_fips_code
    place, scope = rows.primary_place_of_performance_code, rows.primary_place_of_performance_scope.upper()
    abroad = ~rows.primary_place_of_performance_country_code.isin(DOMESTIC)
    return ibis.cases(
        (~rows.assistance_type_code.isin(GRANTS), UNKNOWN_TYPE),
        (abroad | (place == "00FORGN") | (scope == "FOREIGN"), "foreign"),
        (code != "", code),
        ((place == "00*****") | (scope == "MULTI-STATE"), "multi_state"),
        (place.endswith("*****") | (scope == "STATE-WIDE"), "statewide"),
        else_="missing",
    )


PLACES = {"recipient": recipient_place, "place_of_performance": place_of_performance}


def unlisted(code: Value) -> Value:
    """What stands for a code that `counties` does not list: a bucket is itself."""
    return ibis.cases(
        (code.isin(BUCKETS), code),
        (is_whole(code, COUNTY), ibis.literal("retired_") + code),
        else_="missing",
    )


def counties() -> Table:
    """Current, renamed and Connecticut's old counties: `published`, and `county`, the code of their flows."""
    known = geography.read_counties(read_param("vintages")["geography"])
    legacy = known.index[known["GEOGRAPHY"] == "legacy"]
    names = {code: code for code in (*known.index.difference(legacy), *TERRITORY_COUNTIES)}
    names |= RENAMED | {code: f"ct_legacy_{code}" for code in legacy}
    return ibis.memtable(sorted(names.items()), columns=["published", "county"])

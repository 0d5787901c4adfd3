"""Money reconciled: what was counted and what was not make the total, held against what was published."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from analysis.panel import why_no_unit
from analysis.sources.states import ABBREVIATION, TERRITORIES

KEYS = ["source", "measure", "scope", "fiscal_year"]
COLUMNS = [
    *KEYS,
    "state",
    "part",
    "reason",
    "rows",
    "amount_usd",
    "published_usd",
    "difference_usd",
    "status",
]
TERRITORY = {code: abbreviation for abbreviation, (code, _) in TERRITORIES.items()}
CENTS = 2
ROUNDED_BY = 0.05e6

# A published total with half the unit in which it is printed: "65.1 billion, exact" has 0.
Published = Mapping[tuple[str, str, int], tuple[float, float]]


def reconcile(money: pd.DataFrame, units: Collection[str], published: Published) -> pd.DataFrame:
    """What of each table stands in the panel, by state, what does not and why, and the total.

    Parameters
    ----------
    money : one row a published row: `KEYS`, `geoid` (a code, or a bucket such as "statewide"), `amount_usd`,
        missing where the source is blank.
    units : codes of the panel's units.
    published : (source, scope, fiscal_year) -> the total in US dollars and half the unit it is printed in.

    Returns
    -------
    DataFrame of `COLUMNS`. `part` is counted, residual (with the `reason`) or total; the counted and the
    residual rows of a key sum to its total. `status` stands at the total: equal, equal as
    printed (the published one is rounded), differs, or nothing published.
    """
    money = money.assign(reason=reasons(money, units), state=money["geoid"].map(state_of))
    money["part"] = money["reason"].map(lambda reason: "residual" if reason else "counted")
    grouped = money.groupby([*KEYS, "state", "part", "reason"], as_index=False)
    # A part of blank rows alone has no amount; that is not zero.
    parts = grouped.agg(rows=("geoid", "size"), amount_usd=("amount_usd", lambda usd: usd.sum(min_count=1)))
    totals = money.groupby(KEYS, as_index=False).agg(rows=("geoid", "size"), amount_usd=("amount_usd", "sum"))
    totals = totals.assign(state="", part="total", reason="")
    return finish(parts, totals, published)


def finish(parts: pd.DataFrame, totals: pd.DataFrame, published: Published) -> pd.DataFrame:
    """Parts and totals under one another, the totals beside what was published."""
    said = [published.get((row.source, row.scope, row.fiscal_year)) for row in totals.itertuples()]
    usd = [pair[0] if pair else float("nan") for pair in said]
    difference = (totals["amount_usd"] - pd.Series(usd, totals.index)).round(CENTS)
    status = [verdict(pair, gap) for pair, gap in zip(said, difference, strict=True)]
    totals = totals.assign(published_usd=usd, difference_usd=difference, status=status)
    parts = parts.assign(published_usd=float("nan"), difference_usd=float("nan"), status="")
    every = pd.concat([parts, totals], ignore_index=True)
    every = every.assign(amount_usd=every["amount_usd"].round(CENTS))
    order = every["part"].map({"counted": 0, "residual": 1, "total": 2})
    every = every.assign(order=order).sort_values([*KEYS, "order", "state", "reason"], ignore_index=True)
    return every[COLUMNS]


def verdict(published: tuple[float, float] | None, gap: float) -> str:
    """What a total's difference from the published one says, given half the unit that is printed in.

    >>> verdict((65.1e9, 0.0), 0.0), verdict((27e6, 0.5e6), 0.3e6), verdict((27e6, 0.5e6), 0.6e6)
    ('equal', 'equal as printed', 'differs')
    """
    if published is None:
        return "nothing published"
    _, half = published
    if abs(gap) > half:
        return "differs"
    return "equal as printed" if half else "equal"


def reasons(money: pd.DataFrame, units: Collection[str]) -> pd.Series:
    """Why a row is not counted, "" where it is."""
    known = {code: "" if code in units else reason_of(code) for code in money["geoid"].unique()}
    return money["geoid"].map(known).mask(money["amount_usd"].isna(), "blank in the source")


def reason_of(code: str) -> str:
    """Why a code or bucket is no unit of the panel.

    >>> reason_of("72001"), reason_of("statewide"), reason_of("ct_legacy_09001")
    ('a territory', 'no county: statewide', 'an old county of Connecticut')
    """
    bare = code.removeprefix("ct_legacy_").removeprefix("retired_")
    return why_no_unit(bare) if bare.isdigit() else f"no county: {code.replace('_', '-')}"


def state_of(code: str) -> str:
    """The postal abbreviation of the state or territory that a code begins with, "" for a bucket.

    >>> state_of("17031"), state_of("retired_51515"), state_of("72001"), state_of("missing")
    ('IL', 'VA', 'PR', '')
    """
    fips = code.removeprefix("ct_legacy_").removeprefix("retired_")[:2]
    return ABBREVIATION.get(fips, TERRITORY.get(fips, ""))


def without_states(table: pd.DataFrame) -> pd.DataFrame:
    """The reconciliation with the states of each part summed, for a page."""
    keys = [*KEYS, "part", "reason", "published_usd", "difference_usd", "status"]
    grouped = table.groupby(keys, as_index=False, dropna=False, sort=False)[["rows", "amount_usd"]]
    summed = grouped.sum(min_count=1)
    return summed[[column for column in COLUMNS if column != "state"]]


def reconcile_parts(totals: pd.DataFrame, source: str) -> pd.DataFrame:
    """A published total of the nation against its published parts.

    Parameters
    ----------
    totals : rows of JAG_allocation_total: `fiscal_year`, `jurisdiction_as_published`, `amount_usd`; the
        row that begins with "United States" is the total, the others its parts, all rounded to 0.1 million.
    """
    is_total = totals["jurisdiction_as_published"].str.startswith("United States")
    keyed = totals.assign(source=source, measure="jag_allocation", scope="nation", rows=1, state="")
    parts = keyed[~is_total].assign(part="counted", reason=totals["jurisdiction_as_published"])
    sums = parts.groupby(KEYS, as_index=False).agg(rows=("rows", "sum"), amount_usd=("amount_usd", "sum"))
    said = totals[is_total].set_index("fiscal_year")["amount_usd"]
    # Every part and the total may be off by half of the unit in which they are printed.
    published = {
        (source, "nation", row.fiscal_year): (said[row.fiscal_year], ROUNDED_BY * (row.rows + 1))
        for row in sums.itertuples()
    }
    return finish(parts, sums.assign(state="", part="total", reason=""), published)

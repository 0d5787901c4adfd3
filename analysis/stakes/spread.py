"""How far the amounts of one measure lie apart, and how many governments have one. Measures never mix."""

from __future__ import annotations

import pandas as pd

from analysis.errors import DataError, nearest
from analysis.stakes.definitions import MEASURES, READINGS

KEYS = ["reading", "measure", "fiscal_year", "unit"]
UNITS = ("state", "county", "place", "cousub")
QUARTILES = {"p25": 0.25, "median": 0.5, "p75": 0.75}
# Money that the government does not have itself, or not for itself.
KEPT_OUT = ("state_capital", "not_a_general_government")
CENTS = 2


def spread(stakes: pd.DataFrame, flag: str) -> pd.DataFrame:
    """One row a reading, measure, year and kind of government, over the governments with a flag.

    Parameters
    ----------
    stakes : as `analysis.stakes.readings.stakes` gives them.
    flag : such as "listed_dhs_2025_05_31".

    Returns
    -------
    DataFrame: `KEYS`, `governments`, `with_amount`, `kept_out` (of these; state capitals, and counties that
    are no general government), `total_usd` (of all with an amount), `kept_out_usd`, and over the others
    `least_usd, p25_usd, median_usd, p75_usd, most_usd` and, per resident, `p25_per_resident_usd` and so
    on. Years without any figure are left empty, not left out.
    """
    chosen = stakes[has_flag(stakes["flags"], flag)]
    rows = []
    for key, group in chosen.groupby(KEYS, dropna=False, sort=False):
        known = group[group["amount_usd"].notna()]
        is_out = pd.concat([has_flag(known["flags"], each) for each in KEPT_OUT], axis=1).any(axis=1)
        others = known[~is_out]
        rows.append(
            dict(zip(KEYS, key, strict=True))
            | {
                "governments": group["geoid"].nunique(),
                "with_amount": len(known),
                "kept_out": int(is_out.sum()),
            }
            | {"total_usd": known["amount_usd"].sum(min_count=1)}
            | {"kept_out_usd": known.loc[is_out, "amount_usd"].sum()}
            | {"least_usd": others["amount_usd"].min(), "most_usd": others["amount_usd"].max()}
            | {f"{name}_usd": others["amount_usd"].quantile(q) for name, q in QUARTILES.items()}
            | {
                f"{name}_per_resident_usd": others["per_resident_usd"].quantile(q)
                for name, q in QUARTILES.items()
            }
        )
    table = pd.DataFrame(rows).astype({"fiscal_year": "Int64"})
    figures = [name for name in table if name.endswith("_usd")]
    return in_order(table.assign(**table[figures].astype("float64").round(CENTS)), KEYS)


def one_measure(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The rows of one measure; whatever a page shows of money goes through here.

    Raises
    ------
    DataError : the measure is unknown, or no row has it.
    """
    if measure not in MEASURES:
        raise DataError(f"no measure {measure!r}.{nearest(measure, MEASURES)}", remedy="name one of these.")
    rows = frame[frame["measure"] == measure]
    if rows.empty:
        raise DataError(f"no row has the measure {measure!r}.", remedy="leave it out of the page.")
    return rows


def has_flag(flags: pd.Series, flag: str) -> pd.Series:
    """Whether a flag is among those joined by `;`."""
    return flags.str.split(";").map(lambda found: flag in found).astype(bool)


def reasons(stakes: pd.DataFrame, flag: str) -> pd.DataFrame:
    """Governments with a flag and without an amount, counted by reading, measure, unit and reason.

    Returns
    -------
    DataFrame `reading, measure, unit, reason, governments, rows`; the unit "all" takes every kind together.
    """
    chosen = stakes[has_flag(stakes["flags"], flag) & stakes["amount_usd"].isna()]
    keys = ["reading", "measure", "unit", "reason"]
    every = pd.concat([chosen, chosen.assign(unit="all")])
    counted = every.groupby(keys, as_index=False).agg(
        governments=("geoid", "nunique"), rows=("geoid", "size")
    )
    return in_order(counted, keys)


def in_order(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The rows by the keys, readings and measures in the order of their definitions."""
    orders = {"reading": list(READINGS), "measure": list(MEASURES), "unit": [*UNITS, "all"]}

    def rank(column: pd.Series) -> pd.Series:
        return column.map(orders[column.name].index) if column.name in orders else column

    return table.sort_values(keys, key=rank, ignore_index=True)

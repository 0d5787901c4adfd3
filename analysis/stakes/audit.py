"""Checks of the money: every listed government in every reading, nothing twice, nothing unexplained."""

from __future__ import annotations

import pandas as pd

from analysis.checking import Check, compare, note
from analysis.stakes.definitions import FLAGS, REASONS, STANDARD
from analysis.stakes.reconcile import KEYS

FILE = "dollars_at_stake.csv"
# How flags that carry a name of their own begin, by the word that stands for it in `FLAGS`.
NAMED_FLAGS = {"listed_VINTAGE": "listed_", "also_CODE": "also_"}


def check_stakes(stakes: pd.DataFrame, entries: pd.DataFrame) -> list[Check]:
    """Conservation of entries, completeness of readings, keys, reasons and flags."""
    stakes = stakes.assign(reason=stakes["reason"].fillna(""), flags=stakes["flags"].fillna(""))
    key = ["geoid", "reading", "measure", "fiscal_year"]
    has_amount, has_reason = stakes["amount_usd"].notna(), stakes["reason"] != ""
    explained = has_amount & has_reason & (stakes["reason"] != REASONS["no_population"])
    pairs = set(zip(stakes["geoid"], stakes["reading"], stakes["measure"], strict=True))
    wanted = [
        (geoid, reading, measure)
        for geoid in stakes["geoid"].unique()
        for reading, measures in STANDARD.items()
        for measure in measures
    ]
    codes = stakes.drop_duplicates("geoid")["flags"].str.findall(r"\balso_(\d+)").explode().dropna()
    every = pd.concat([codes, pd.Series(stakes["geoid"].unique())])
    found = {flag for flags in stakes["flags"] for flag in flags.split(";") if flag}
    known = {"", *REASONS.values()}
    unknown = sorted(flag for flag in found if not is_known(flag))
    return [
        *conservation(stakes, entries),
        note("listed governments", FILE, stakes["geoid"].nunique()),
        compare("readings that a government lacks", FILE, sum(each not in pairs for each in wanted), 0),
        compare("keys that repeat", FILE, int(stakes.duplicated(key).sum()), 0),
        compare("codes that stand under two governments", FILE, int(every.duplicated().sum()), 0),
        compare("rows with neither amount nor reason", FILE, int((~has_amount & ~has_reason).sum()), 0),
        compare("amounts with a reason for having none", FILE, int(explained.sum()), 0),
        compare("reasons outside the vocabulary", FILE, len(set(stakes["reason"]) - known), 0),
        compare("flags outside the vocabulary", FILE, ", ".join(unknown) or "none", "none"),
        note("rows with an amount", FILE, int(has_amount.sum())),
        note("capitals, or counties of a capital", FILE, int(marked(stakes, "state_capital"))),
    ]


def conservation(stakes: pd.DataFrame, entries: pd.DataFrame) -> list[Check]:
    """Of each list: governments + entries that name one again + in review + rejected = entries."""
    rows = []
    for vintage, group in entries.groupby("vintage"):
        own = marked(stakes, f"listed_{vintage.replace('-', '_')}")
        settled = group[~group["needs_review"] & (group["geoid"] != "")]
        codes = settled[["geoid", "also_geoids"]].agg(";".join, axis=1).str.strip(";").str.split(";")
        again = int(codes.map(lambda each: ";".join(sorted(each))).duplicated().sum())
        left = len(group) - len(settled)
        what = "governments + entries of one again + without a government"
        rows.append(compare(what, f"{FILE} {vintage}", own + again + left, len(group)))
    return rows


def marked(stakes: pd.DataFrame, flag: str) -> int:
    """How many governments have a flag."""
    return stakes.loc[stakes["flags"].str.split(";").map(lambda found: flag in found), "geoid"].nunique()


def is_known(flag: str) -> bool:
    """Whether a flag is of the vocabulary."""
    return flag in FLAGS or flag.startswith(tuple(NAMED_FLAGS.values()))


def check_reconciled(table: pd.DataFrame) -> list[Check]:
    """Counted and residual rows make every total; totals that differ from what was published are told."""
    is_total = table["part"] == "total"
    totals, parts = (
        table[chosen].groupby(KEYS)[["rows", "amount_usd"]].sum() for chosen in (is_total, ~is_total)
    )
    gap = (totals - parts.reindex(totals.index)).abs()
    uneven = (gap["rows"] != 0) | ~(gap["amount_usd"] < 0.01)
    status = table.loc[table["part"] == "total", "status"].value_counts()
    return [
        compare("totals that their parts do not make", "money_reconciliation.csv", int(uneven.sum()), 0),
        *[note(f"totals: {said}", "money_reconciliation.csv", int(n)) for said, n in status.items()],
    ]


def check_timeline(table: pd.DataFrame, events: pd.DataFrame) -> list[Check]:
    """Every event is on the timeline, in its own precision, and every name has a code or a reason."""
    unexplained = (table["geoid"] == "") & (table["reason"] == "")
    dates = set(zip(table["date"], table["event"], strict=True))
    missing = [pair for pair in zip(events["date"], events["event"], strict=True) if pair not in dates]
    return [
        compare("events that are not on it", "policy_timeline.csv", len(missing), 0),
        compare("names with neither code nor reason", "policy_timeline.csv", int(unexplained.sum()), 0),
        note("events", "policy_timeline.csv", len(events)),
        note("governments named", "policy_timeline.csv", int((table["geoid"] != "").sum())),
    ]

"""The table of checks: counts, keys, ranges, missing shares, joins, the as-of rule, published totals.

A row is `pass`, `fail` or `info` (a figure to know, with nothing to compare it to). One `fail` stops the
build and is printed; the table of the last good build stays.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import asdict

import pandas as pd

from analysis.catalogue import (
    GROUPS,
    LEVELS,
    Variable,
    as_day,
    group_members,
    load_catalogue,
    measured_until,
)
from analysis.checking import Check, against_published, compare, note, shown
from analysis.errors import DataError, nearest
from analysis.ledger import codes_of, read_ledger
from analysis.panel import load_panel
from analysis.provenance import processed, read_output, read_param, root, vintages
from analysis.sources import (
    acs,
    events,
    geography,
    lists,
    money,
    rosters,
    state_policy,
    unauthorized,
    votes,
)
from analysis.sources.reading import read_table
from analysis.sources.states import TERRITORIES
from analysis.stages import run
from analysis.stakes.audit import check_reconciled, check_stakes, check_timeline
from analysis.writing import write_csv

CODE_WIDTHS = {"county": {5}, "place": {7, 10}, "state": {2}}


def check_lists(entries: pd.DataFrame, ledger: pd.DataFrame) -> list[Check]:
    """Entries by list and heading, and every one with a verdict."""
    rows = []
    for vintage, group in entries.groupby("vintage"):
        rows.append(note("entries", vintage, len(group)))
        rows += [
            note("entries", f"{vintage} {level}", n) for level, n in group["level"].value_counts().items()
        ]
        rows += verdicts(ledger[ledger["vintage"] == vintage], vintage, len(group))
    return rows


def verdicts(ledger: pd.DataFrame, scope: str, expected: int) -> list[Check]:
    """In = matched + in review + rejected."""
    review = int(ledger["needs_review"].sum())
    rejected = int((~ledger["needs_review"] & (ledger["unit"] == "none")).sum())
    matched = int((~ledger["needs_review"] & (ledger["unit"] != "none") & (ledger["geoid"] != "")).sum())
    return [
        compare("matched + in review + rejected", scope, matched + review + rejected, expected),
        note("in review", scope, review),
        note("rejected, with the reason", scope, rejected),
    ]


def check_rosters(published: pd.DataFrame, ledger: pd.DataFrame) -> list[Check]:
    """Agreements by roster, states and model, and every one with a verdict."""
    rows = []
    for day, group in published.groupby("snapshot"):
        scope, ours = f"roster {day}", ledger[ledger["roster"] == day]
        rows.append(note("agreements", scope, len(group)))
        rows.append(note("states with an agreement", scope, group["state_abbr"].nunique()))
        rows += [
            note("agreements", f"{scope} {model}", n)
            for model, n in ours["support_type"].value_counts().items()
        ]
        rows += verdicts(ours, scope, len(group))
    return rows


def check_verdicts(
    accuracy: pd.DataFrame, queue: pd.DataFrame, ledgers: Iterable[pd.DataFrame]
) -> list[Check]:
    """The error rate on hard names, and that every row in review is in the queue."""
    every = accuracy.set_index("kind").loc["all"]
    scope = "data/corrections/hard_names.csv"
    rows = [note(f"hard names {what.replace('_', ' ')}", scope, int(every[what])) for what in every.index]
    in_review = sum(int(ledger["needs_review"].sum()) for ledger in ledgers)
    return [*rows, compare("rows in the queue", "review_queue.csv", int(queue["rows"].sum()), in_review)]


def check_codes(ledger: pd.DataFrame, panels: Mapping[str, pd.DataFrame], scope: str) -> list[Check]:
    """Every government that the ledger names has a code that is a unit of a panel, or is a territory."""
    codes = codes_of(ledger)
    territories = {code for code, _ in TERRITORIES.values()}
    units = territories.union(*[panel.index for panel in panels.values()])
    any_known = codes["code"].isin(units).groupby(codes.index).any()
    return [compare("governments without a row in a panel", scope, int((~any_known).sum()), 0)]


def check_panel(level: str, panel: pd.DataFrame, catalogue: Mapping[str, Variable]) -> list[Check]:
    """Keys, widths, ranges, missing shares and margins of one panel."""
    scope = f"panel_{level}"
    widths = {int(width) for width in panel.index.str.len()}
    rows = [
        note("rows", scope, len(panel)),
        compare("keys that repeat", scope, int(panel.index.duplicated().sum()), 0),
        compare(
            "widths of the key",
            scope,
            sorted(widths),
            sorted(CODE_WIDTHS[level]),
            widths <= CODE_WIDTHS[level],
        ),
        note("states", scope, panel["state"].nunique()),
    ]
    for name, variable in catalogue.items():
        values = panel[name]
        low, high = variable.range
        outside = int((~values.dropna().between(low, high)).sum())
        where = f"{scope}.{name}"
        span = f"{shown(values.min())} to {shown(values.max())}"
        wanted = f"{shown(low)} to {shown(high)}"
        if values.notna().any():
            rows.append(compare("range", where, span, wanted, outside == 0))
        rows.append(
            compare(
                "missing share", where, float(values.isna().mean()), "below 1", bool(values.notna().any())
            )
        )
        if variable.margin:
            margins = panel[f"{name}_moe"]
            bare, negative = values.notna() & margins.isna(), margins < 0
            rows.append(compare("figures without a margin", where, int(bare.sum()), 0))
            rows.append(compare("margins below zero", where, int(negative.sum()), 0))
    return rows


def check_as_of(models: Mapping[str, dict], before: Mapping[str, object]) -> list[Check]:
    """No regressor of a model was measured on or after the day before which it must be.

    A model whose name begins with `sensitivity_` may use what is dated before the first list.
    """
    rows = []
    for name, model in models.items():
        kind = "sensitivity" if name.startswith("sensitivity_") else "main"
        limit = as_day(before[kind])
        catalogue = load_catalogue(model.get("level", "county"))
        days = [measured_until(each, catalogue) for each in regressors(name, model, catalogue)]
        latest = max(days, default=datetime.date.min)
        rows.append(
            compare(
                "latest day a regressor was measured",
                f"model {name}",
                str(latest),
                f"before {limit}",
                latest < limit,
            )
        )
    return rows


def held_out_models(prediction: Mapping[str, dict]) -> dict[str, dict]:
    """The models of `prediction` in the form of `models`, their blocks as covariates. The baseline that is
    the list's own state entries is none of them: it is exempt by name."""
    return {
        f"prediction {name}": entry
        | {"covariates": [each for part in entry["blocks"].values() for each in part]}
        for name, entry in prediction.items()
    }


def layer_models(layers: Mapping[str, Mapping]) -> dict[str, dict]:
    """The models of `layers` in the form of `models`: what counties, places and states are explained by."""
    county, place, state = (layers[level] for level in ("county", "place", "state"))
    found = {
        "layers county": {"covariates": [*county["covariates"], *county["state"]]},
        "layers place": {"covariates": place["covariates"], "level": "place"},
    }
    return found | {
        f"layers state {name}": {"covariates": covariates, "level": "state"}
        for name, covariates in state["models"].items()
    }


def regressors(model: str, entry: Mapping, catalogue: Mapping[str, Variable]) -> list[str]:
    """The variables on a model's right-hand side: covariates by their parts and groups, effects, weights.

    Raises
    ------
    DataError : a covariate that is no variable, product of variables, or group.
    """
    asked = entry.get("covariates") or []
    asked = [asked] if isinstance(asked, str) else asked
    names = []
    for part in (part.strip() for covariate in asked for part in str(covariate).split(":")):
        if part not in catalogue and part not in GROUPS:
            raise DataError(
                f"model {model!r}: no variable or group {part!r}.{nearest(part, [*catalogue, *GROUPS])}",
                file=root() / "params.yaml",
                remedy="name a variable of analysis/variables.yaml.",
            )
        names += [part] if part in catalogue else group_members(part, entry.get("level", "county"))
    others = [*(entry.get("fixed_effects") or []), entry.get("weights"), entry.get("random_intercept")]
    return names + [name for name in others if name in catalogue]


def check_dates(level: str, catalogue: Mapping[str, Variable]) -> list[Check]:
    """No variable says that it was measured before its source or a variable that it is made of."""
    early = [name for name, variable in catalogue.items() if variable.as_of < measured_until(name, catalogue)]
    said = ", ".join(early) or "none"
    return [compare("variables dated before what they are made of", f"panel_{level}", said, "none")]


def check_outcomes(counties: pd.DataFrame) -> list[Check]:
    """How many counties have each outcome, and how many of them had a 287(g) agreement."""
    outcomes = [*group_members("outcome"), *group_members("enforcement")]
    rows = [note("counties", f"panel_county.{name}", int((counties[name] > 0).sum())) for name in outcomes]
    for name in (name for name in group_members("enforcement") if name.startswith("has_")):
        both = int(((counties[name] == 1) & (counties["is_listed"] == 1)).sum())
        rows.append(note("listed counties with an agreement", f"panel_county.{name}", both))
    return rows


def sums() -> list[Check]:
    """Sums of the raw sources, every vintage."""
    rows = []
    for vintage in vintages("slfrf"):
        allocated = money.read_slfrf_rows(vintage).groupby("program")["allocation_usd"].sum()
        rows += [note("US dollars allocated", program, int(usd)) for program, usd in allocated.items()]
    for year in vintages("votes"):
        counted = votes.read(year, "state").sum()
        rows += [note("votes", f"{year} {party}", int(count)) for party, count in counted.items()]
    for vintage in vintages("acs"):
        residents = acs.read(vintage)["B01003_001E"].sum()
        rows.append(note("residents of the 50 states and DC", f"acs {vintage}", int(residents)))
    for vintage in vintages("unauthorized"):
        nation = unauthorized.read_rows(vintage).query("LEVEL == 'national'")["unauthorized"].sum()
        rows.append(note("unauthorized residents, nation", f"unauthorized {vintage}", int(nation)))
    for day in vintages("state_politics"):
        trifectas = state_policy.read_politics(day)["trifecta"].value_counts()
        rows += [note("state trifectas", f"{day} {party}", int(count)) for party, count in trifectas.items()]
    return rows


def check_flows(flows: pd.DataFrame) -> list[Check]:
    """Obligations by vintage, year and scope, and the same in both scopes: each grant has a place in each."""
    rows = []
    for (vintage, year), group in flows.groupby(["vintage", "fiscal_year"]):
        where, sums = f"usaspending/{vintage} {year}", group.groupby("scope")["obligations_usd"].sum()
        rows += [
            note("million US dollars obligated", f"{where} {scope}", round(usd / 10**6))
            for scope, usd in sums.items()
        ]
        rows.append(compare("sums of the two scopes, apart", where, str(max(sums) - min(sums)), "0.00"))
    return rows


def check_geography(vintage: str) -> list[Check]:
    """Neighbours both ways, and counties that sum to their states."""
    pairs = geography.read_adjacency(vintage)
    forward = set(zip(pairs["GEOID"], pairs["NEIGHBOR_GEOID"], strict=True))
    one_way = sum((b, a) not in forward for a, b in forward)
    by_state = acs.read("2019-2023")["B01003_001E"].groupby(lambda code: code[:2]).sum()
    states = acs.read("2019-2023", "state")["B01003_001E"].reindex(by_state.index)
    return [
        compare("neighbours in one direction only", f"geography {vintage}", one_way, 0),
        compare(
            "states whose counties do not sum to them", "acs 2019-2023", int((by_state != states).sum()), 0
        ),
    ]


def check_joins(joins: pd.DataFrame) -> list[Check]:
    """Every join met as many rows as it should: matched + without a unit = the source's rows."""
    rows = []
    for row in joins.itertuples():
        scope = f"panel_{row.level} {row.source}"
        rows.append(
            compare("rows matched + without a unit", scope, row.matched + row.rows_without_unit, row.rows)
        )
        rows.append(
            compare("units that a source reaches", scope, row.matched, "more than 0", row.matched > 0)
        )
    return rows


def check_all() -> pd.DataFrame:
    """Every check of the built tables, one row each: `check, scope, value, expected, status`."""
    panels = {level: load_panel(level) for level in LEVELS}
    entries, agencies = read_ledger("jurisdictions.csv"), read_ledger("roster_agencies.csv")
    rows = check_lists(lists.read_all(), entries)
    rows += check_rosters(rosters.read_all(), agencies)
    queue, accuracy = (read_output(f"{name}.csv") for name in ("review_queue", "ledger_accuracy"))
    rows += check_verdicts(accuracy, queue, (entries, agencies))
    rows += check_codes(entries, panels, "jurisdictions.csv")
    rows += check_codes(agencies, panels, "roster_agencies.csv")
    rows += check_outcomes(panels["county"])
    rows += check_stakes(read_output("dollars_at_stake.csv"), entries)
    rows += check_reconciled(read_output("money_reconciliation.csv"))
    rows += check_timeline(read_output("policy_timeline.csv", as_text=True), events.read_newest())
    for level, panel in panels.items():
        rows += check_panel(level, panel, load_catalogue(level))
        rows += check_dates(level, load_catalogue(level))
    rows += check_joins(read_output("panel_joins.csv"))
    rows += check_as_of(read_param("models"), read_param("as_of_before"))
    rows += check_as_of(held_out_models(read_param("prediction")), read_param("as_of_before"))
    rows += check_as_of(layer_models(read_param("layers")), read_param("as_of_before"))
    rows += sums()
    rows += check_flows(read_output("grant_flows.parquet"))
    rows += check_geography(read_param("vintages")["geography"])
    published = [
        read_table(
            "published",
            vintage,
            "published.csv",
            required=["check", "scope", "expected", "source"],
            key=["check", "scope"],
        )
        for vintage in vintages("published")
    ]
    return pd.DataFrame([asdict(row) for row in against_published(rows, pd.concat(published))])


def stop_on_fail(table: pd.DataFrame) -> None:
    """Raise where a check failed.

    Raises
    ------
    DataError : with every row that failed.
    """
    failed = table[table["status"] == "fail"]
    if len(failed):
        lines = "\n".join(
            f"  {row.check}, {row.scope}: {row.value}, expected {row.expected}" for row in failed.itertuples()
        )
        raise DataError(
            f"{len(failed)} of {len(table)} checks fail:\n{lines}\n",
            file=processed("checks.csv"),
            remedy="mend the data or the reading; a check is changed only when what it states was wrong.",
        )


def main() -> None:
    """Stage `checks`: run every check, stop on a fail, else write `checks.csv`."""
    table = check_all()
    stop_on_fail(table)
    write_csv(table, processed("checks.csv"))


if __name__ == "__main__":
    run(main)

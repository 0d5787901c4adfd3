"""The panels: one row a jurisdiction, one column a catalogue variable.

Every source is joined one to one on GEOID to the units of its level. Nothing is dropped: units without a
row of the source are missing there, rows of the source without a unit are counted with the reason in
`panel_joins.csv`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

import pandas as pd

from analysis.catalogue import LEVELS, Variable, load_catalogue
from analysis.errors import DataError, nearest
from analysis.flow_columns import read_flows
from analysis.formulas import evaluate, fail, names_in, proportion_margin
from analysis.ledger import agreements, listings
from analysis.provenance import processed, read_output, read_param, root
from analysis.sources import acs, geography, money, plain, state_policy, unauthorized, votes
from analysis.stages import run
from analysis.units import UNIT_COLUMNS, read_units
from analysis.writing import write_csv, write_parquet

__all__ = ["load_panel"]

Table: TypeAlias = pd.DataFrame
READERS: dict[str, Callable[[str, str], Table]] = {
    "acs": acs.read,
    "agreements": agreements,
    "county_grants": money.read_county_grants,
    "geography": geography.read,
    "grant_flows": read_flows,
    "ledger": listings,
    "slfrf": money.read_slfrf,
    "state_laws": state_policy.read_laws,
    "state_politics": state_policy.read_politics,
    "unauthorized": unauthorized.read,
    "votes": votes.read,
}


def load_panel(level: str = "county") -> pd.DataFrame:
    """The panel of one level, as the stage `panel` wrote it.

    Parameters
    ----------
    level : "county" (3,144 rows), "place" (incorporated places, and county subdivisions where they
        govern) or "state" (51 rows).

    Returns
    -------
    DataFrame, index `geoid` (text: 5, 7 or 10, 2 digits), columns `name`, `state` (postal abbreviation),
    those of `analysis.units`, and the variables of `analysis/variables.yaml`: shares from 0 to 1, money in
    US dollars, outcomes and flags as 0/1. Margins of error are 90 % and end in `_moe`.

    Raises
    ------
    DataError : an unknown level, or no panel yet.

    Examples
    --------
    >>> counties = load_panel("county")
    >>> len(counties), counties.index.name, counties.loc["17031", ["name", "state"]].tolist()
    (3144, 'geoid', ['Cook County', 'IL'])
    >>> load_panel("counties")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    analysis.errors.DataError: no panel 'counties'. Nearest: 'county'. Remedy: use one of county, place,...
    """
    if level not in LEVELS:
        raise DataError(
            f"no panel {level!r}.{nearest(level, LEVELS)}", remedy=f"use one of {', '.join(LEVELS)}."
        )
    return read_output(f"panel_{level}.parquet")


def build(
    units: pd.DataFrame,
    catalogue: Mapping[str, Variable],
    tables: Callable[[str], Table],
    above: Mapping[str, pd.DataFrame],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A panel and the table of its joins.

    Parameters
    ----------
    units : index `geoid`, with `name`, `state`, `state_geoid` and, for places, `county_geoid`.
    catalogue : the variables of the level.
    tables : source ("acs/2019-2023") -> its table, index `geoid`.
    above : level -> panel, for what a unit inherits from the county or state that holds it.

    Raises
    ------
    DataError : a formula names a column that is neither in its source nor in the catalogue, or variables
        that refer to one another in a circle.
    """
    own = [variable for variable in catalogue.values() if not variable.inherited_from]
    sources = dict.fromkeys(v.source for v in own if v.source not in ("derived", "units"))
    published = {source: tables(source) for source in sources}
    joins = [describe_join(units, table, source) for source, table in published.items()]
    joined = {source: join(units, table, source) for source, table in published.items()}
    columns = {v.name: joined.get(v.source, units if v.source == "units" else units[[]]) for v in own}
    values: dict[str, pd.Series] = {}
    for name in in_order(catalogue, columns):
        variable = catalogue[name]
        if variable.inherited_from:
            holder = units[f"{variable.inherited_from}_geoid"]
            values[name] = holder.map(above[variable.inherited_from][name]).astype("float64")
        else:
            values[name] = evaluate(variable.formula, values | dict(columns[name].items()))
            if variable.margin:
                values[f"{name}_moe"] = margin_of(variable, columns[name])
    ordered = [each for name in catalogue for each in (name, f"{name}_moe") if each in values]
    panel = pd.DataFrame({name: values[name] for name in ordered}, index=units.index)
    return pd.concat([units[list(UNIT_COLUMNS)], panel], axis=1), pd.DataFrame(joins)


def in_order(catalogue: Mapping[str, Variable], columns: Mapping[str, Table]) -> list[str]:
    """The variables in an order in which each comes after those that its formula reads.

    A name in a formula is a column of the variable's source first, and another variable second.

    Raises
    ------
    DataError : a name that is neither, or a circle.
    """
    reads: dict[str, list[str]] = {}
    for name, variable in catalogue.items():
        reads[name] = []
        if (own := columns.get(name)) is None:
            continue
        for each in names_in(variable.formula):
            if each in own and not pd.api.types.is_numeric_dtype(own[each]):
                raise fail(f"the column {each!r} of {variable.source} is text.", "name figures.", column=name)
        reads[name] = [each for each in names_in(variable.formula) if each not in own]
        for each in reads[name]:
            if each not in catalogue or each == name:
                known = [*own.columns, *(other for other in catalogue if other != name)]
                raise fail(
                    f"the formula names {each!r}, which is neither a column of data/raw/{variable.source} "
                    f"nor another variable of this level.{nearest(each, known)}",
                    "name a column of the source or a variable.",
                    column=name,
                )
    try:
        return list(TopologicalSorter(reads).static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise fail(f"variables refer to one another in a circle: {circle}.", "break the circle.") from error


def margin_of(variable: Variable, columns: Table) -> pd.Series:
    """The 90 % margin of error of a variable, from the margins that its source publishes."""
    margin = variable.margin or "proportion"
    needed = names_in(variable.formula if margin == "proportion" else margin)
    if margin == "proportion":
        needed = tuple(f"{name[:-1]}M" for name in needed)
    published = [name for name in needed if name in columns and columns[name].notna().any()]
    if needed[0] not in published:
        raise fail(
            f"data/raw/{variable.source} publishes no margin {needed[0]!r}.{nearest(needed[0], columns)}",
            "leave `margin` out, or name a column of margins.",
            column=variable.name,
        )
    if margin == "proportion":
        return proportion_margin(variable.formula, columns)
    return evaluate(margin, columns)


def join(units: pd.DataFrame, published: Table, source: str) -> Table:
    """The source's rows of these units, one to one; units without a row are missing.

    Raises
    ------
    DataError : the source names a unit twice.
    """
    doubled = published.index[published.index.duplicated()]
    if len(doubled):
        raise DataError(
            f"{source} has {doubled[0]} twice, and a unit can have one row.",
            remedy="mend the source's reader.",
        )
    return published.reindex(units.index)


def describe_join(units: pd.DataFrame, published: Table, source: str) -> dict:
    """How units and a source's rows met, with the reason for every row that met none."""
    without = published.index.difference(units.index)
    reasons = pd.Series([why_no_unit(code) for code in without], dtype="str").value_counts().sort_index()
    return {
        "source": source,
        "cardinality": "1:1",
        "units": len(units),
        "rows": len(published),
        "matched": len(units.index.intersection(published.index)),
        "units_without_row": len(units.index.difference(published.index)),
        "rows_without_unit": len(without),
        "reasons": "; ".join(f"{reason}: {count}" for reason, count in reasons.items()),
    }


def why_no_unit(code: str) -> str:
    """Why a published code is not a unit of the panel."""
    if "|" in code:
        return "a group of counties, not divided"
    if not code.isdigit() or len(code) == 2:
        return "votes by House district, ward or state"
    if len(code) == 5 and code.startswith("09"):
        return "an old county of Connecticut"
    if code[:2] > "56":
        return "a territory"
    if len(code) == 5:
        return "a retired county code"
    return "a place that is no government (statistical or military), or a retired code"


def read_source(source: str, level: str) -> Table:
    """The table of one source ("name/vintage") at one level: by its reader, or as a plain table.

    Raises
    ------
    DataError : no such source.
    """
    name, _, vintage = source.partition("/")
    if name in READERS:
        return READERS[name](vintage, level)
    if (root() / "data" / "raw" / name / vintage).is_dir():
        return plain.read(name, vintage, level)
    raise fail(
        f"no source {source!r}.{nearest(name, READERS)}",
        f"sources are {', '.join(READERS)} and folders data/raw/<name>/<vintage> with a table <level>.csv.",
    )


def codebook(panels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row a variable and level: what the catalogue says of it and what the panel holds.

    Returns
    -------
    DataFrame `level, name, label, unit, group, source, formula, as_of, low, high, minimum, maximum,
    missing, missing_share, margin, inherited_from, note`.
    """
    rows = []
    for level, panel in panels.items():
        for variable in load_catalogue(level).values():
            values = panel[variable.name]
            rows.append(
                {
                    "level": level,
                    "name": variable.name,
                    "label": variable.label,
                    "unit": variable.unit,
                    "group": variable.group,
                    "source": variable.source,
                    "formula": variable.formula,
                    "as_of": variable.as_of.isoformat(),
                    "low": variable.range[0],
                    "high": variable.range[1],
                    "minimum": values.min(),
                    "maximum": values.max(),
                    "missing": int(values.isna().sum()),
                    "missing_share": values.isna().mean(),
                    "margin": f"{variable.name}_moe" if f"{variable.name}_moe" in panel else "",
                    "inherited_from": variable.inherited_from or "",
                    "note": variable.note,
                }
            )
    return pd.DataFrame(rows)


@cache
def build_all() -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Every panel by level, and the table of all joins."""
    vintage = read_param("vintages")["geography"]
    panels: dict[str, pd.DataFrame] = {}
    joins = []
    for level in ("state", "county", "place"):
        units = read_units(level, vintage)
        tables = cache(partial(read_source, level=level))
        panels[level], made = build(units, load_catalogue(level), tables, panels)
        joins.append(made.assign(level=level))
    joined = pd.concat(joins).sort_values(["level", "source"])
    return panels, joined[["level", *joined.columns.drop("level")]]


def main() -> None:
    """Stage `panel`: read the raw sources and the ledger, write the panels and the table of joins."""
    panels, joins = build_all()
    for level, panel in panels.items():
        write_parquet(panel, processed(f"panel_{level}.parquet"))
    write_csv(joins, processed("panel_joins.csv"))
    write_csv(codebook({level: panels[level] for level in LEVELS}), processed("codebook.csv"))


if __name__ == "__main__":
    run(main)

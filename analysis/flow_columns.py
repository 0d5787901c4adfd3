"""Grant flows as columns of the county panel: one a scope and fiscal year."""

from __future__ import annotations

from numbers import Number

import pandas as pd

from analysis.errors import DataError, nearest
from analysis.provenance import read_output, read_param
from analysis.sources import geography

# Counties to which money under a retired code belongs: what they got is not known apart.
SUCCESSORS = {"02261": ("02063", "02066"), "51515": ("51019",)}
CONNECTICUT = "09"
TEXTS = ("vintage", "assistance_listing", "county_geoid", "scope")
FIGURES = ("fiscal_year", "obligations_usd")


def read_flows(vintage: str, level: str = "county") -> pd.DataFrame:
    """Obligations of grants by county, one column a scope and fiscal year.

    A county without a row has zero, since a vintage is complete for what it holds. It is missing where
    money stands under an old code that is not divided: Connecticut's planning regions, and the successors
    of a retired county. State-wide, multi-state and foreign money and money without a county is in none.

    Parameters
    ----------
    vintage : a folder of `data/raw/usaspending/`; "fy2024/16.738" takes one assistance listing of it,
        "fy2024/16" all of which the code begins so (the Department of Justice's).

    Returns
    -------
    DataFrame, index `geoid`, columns such as `recipient_2024` and `place_of_performance_2024`, US dollars.

    Raises
    ------
    DataError : no such vintage or listing in `grant_flows.parquet`.
    """
    name, _, listing = vintage.partition("/")
    flows = read_output("grant_flows.parquet", columns=(*TEXTS, *FIGURES))
    wrong = [column for column in TEXTS if not pd.api.types.is_string_dtype(flows[column])]
    wrong += [column for column in FIGURES if not _is_figures(flows[column])]
    if wrong:
        raise DataError(
            "the column is not of its type.",
            file="data/processed/grant_flows.parquet",
            column=wrong[0],
            remedy="run `make repro`.",
        )
    rows = flows[(flows["vintage"] == name) & flows["assistance_listing"].str.startswith(listing)]
    if rows.empty:
        known = sorted(flows["vintage"].unique()) if not listing else []
        raise DataError(
            f"no grant flows of {vintage!r}.{nearest(name, known)}",
            file="data/processed/grant_flows.parquet",
            remedy="name a folder of data/raw/usaspending/ and a listing in it.",
        )
    named = rows.assign(
        column=rows["scope"] + "_" + rows["fiscal_year"].astype("str"),
        usd=rows["obligations_usd"].astype("float64"),
    )
    sums = named.pivot_table(index="county_geoid", columns="column", values="usd", aggfunc="sum")
    counties = geography.read(read_param("vintages")["geography"]).index
    out = sums.reindex(counties).fillna(0.0)
    for code in sums.index.difference(counties):
        out.loc[undivided(code, counties), sums.columns[sums.loc[code].notna()]] = float("nan")
    return out


def _is_figures(column: pd.Series) -> bool:
    """Whether every cell is a number, decimal ones among them."""
    return column.map(lambda cell: isinstance(cell, Number) and cell == cell).all()


def undivided(code: str, counties: pd.Index) -> list[str]:
    """The counties that share the money under a bucket's code."""
    if code.startswith("ct_legacy_"):
        return [county for county in counties if county.startswith(CONNECTICUT)]
    successors = SUCCESSORS.get(code.removeprefix("retired_"), ())
    return [county for county in successors if county in counties]

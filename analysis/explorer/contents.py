"""What the browser is given: one copy of every fact, by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.catalogue import LEVELS
from analysis.explorer import records
from analysis.explorer.columns import Column, as_data, digits, list_name, lists, margin_of, rosters
from analysis.explorer.layers import Layer, summary
from analysis.explorer.units import AT_AVERAGE, FEWEST
from analysis.predicted import BLOCKS
from analysis.provenance import addresses, read_param, released, version
from analysis.sources.states import STATES
from analysis.wording import percent

CAUTIONS = {
    "connecticut_planning_region": "Connecticut's planning regions took the place of its eight old counties "
    "in 2022; what exists for the old counties alone is missing here, and no bridge is invented.",
    "alaska_no_borough_vote": "Alaska counts its votes by House district, not by borough.",
    "place_population_only": "The sources at hand have residents alone for this place.",
    "subdivision_population_only": "The sources at hand have residents alone for county subdivisions.",
    "county_unknown": "The sources at hand do not say in which county it lies.",
}
# Why a figure is missing, where the unit's cautions do not say it.
UNCOUNTED = {
    "unauthorized_share": "the source has estimates for larger counties only",
    "slfrf_usd": "not one of Treasury's counties and metropolitan cities; others were paid through the state",
    "slfrf_usd_per_resident": "no allocation, or no residents to divide it by",
    "foreign_born_change": "no figure of the earlier period",
    "population": "no figure of this period",
    "population_2021": "no figure of this period",
}
LEAST = 0.0005  # what would be printed as none
OPEN = "blank at the source"


def contents(table: pd.DataFrame, columns: Mapping[str, Column], layers: Sequence[Layer]) -> dict:
    """Everything that the page shows, for `explorer.js`.

    Parameters
    ----------
    table : as `units.explorer_table` gives it. columns : as `columns.columns`. layers : of the map.

    Returns
    -------
    dict that JSON can hold. `columns` say how a value is printed; `levels` hold the units by column, a number
    as it is printed, a choice as one character; `records` the tables of texts; `layers` those of the map.
    """
    parts = {level: table[table["level"] == level] for level in (*LEVELS, "entry")}
    counties, states = parts["county"], parts["state"]
    return {
        "fewest": FEWEST,
        "version": version(),
        "released": released(),
        "report": addresses(),
        "main": f"list_{read_param('vintages')['main_list'].replace('-', '_')}",
        "columns": [described(column) for column in columns.values()],
        "levels": {level: of_level(part, columns) for level, part in parts.items()},
        "lists": {
            name: {"vintage": vintage, "said": list_name(vintage)} for name, vintage in lists().items()
        },
        "rosters": rosters(),
        "states": {code: [postal, name] for postal, (code, name) in STATES.items()},
        "cautions": CAUTIONS,
        "missing": UNCOUNTED | {"": OPEN},
        "averages": averages(table),
        "blocks": {f"odds_{name}": label for name, label in BLOCKS.items()},
        "layers": [told(layer, counties["state"], states) for layer in layers],
        "records": {
            name: records.packed(getattr(records, name)())
            for name in ("entries", "agencies", "money", "oddities", "events", "reasons")
        },
        "neighbours": records.neighbours(counties.index, states.index),
        "others": records.other_codes(table.index),
    }


def described(column: Column) -> dict:
    """How a column is printed."""
    out = {"name": column.name, "label": column.label, "group": column.group, "until": column.until}
    if column.kind == "choice":
        return out | {"choices": list(column.choices)}
    return out | {
        "decimals": column.decimals,
        "prefix": column.prefix,
        "suffix": column.suffix,
        "signed": column.signed,
        **({"margin": margin_of(column).suffix} if column.has_margin else {}),
    }


def of_level(part: pd.DataFrame, columns: Mapping[str, Column]) -> dict:
    """The units of a level: texts, columns and margins of error; what is missing all through is left out."""
    values, margins = {}, {}
    for column in columns.values():
        if column.name in part and part[column.name].notna().any():
            values[column.name] = as_data(column, part[column.name])
        margin = margin_of(column)
        if margin.name in part and part[margin.name].notna().any():
            margins[column.name] = as_data(margin, part[margin.name])
    texts = ("county_geoids", "also_geoids", "cautions", "no_probability")
    return {
        "keys": part.index.tolist(),
        "names": part["name"].tolist(),
        **records.packed(part[list(texts)].fillna("")),
        "values": values,
        "margins": margins,
    }


def averages(table: pd.DataFrame) -> dict[str, dict[str, str]]:
    """By level and state: the probability at the average of every column in the other states."""
    known = table.dropna(subset=AT_AVERAGE).drop_duplicates(["level", "state"])
    out: dict[str, dict[str, str]] = {}
    for row in known.to_dict("records"):
        share = row[AT_AVERAGE]
        out.setdefault(row["level"], {})[row["state"]] = (
            percent(share, 1) if share >= LEAST else "below 0.1 %"
        )
    return out


def told(layer: Layer, of_county: pd.Series, states: pd.DataFrame) -> dict:
    """A layer of the map; `outlined` are the states that the list itself names."""
    outlined = (states[layer.outlines] >= 2) if layer.outlines else pd.Series(False, states.index)
    return {
        "name": layer.name,
        "column": layer.column,
        "label": layer.label,
        "group": layer.group,
        # a layer of a choice has the bins of its column
        **({} if layer.is_choice else {"bins": digits(layer.bins)}),
        "labels": list(layer.labels),
        "colours": list(layer.colours),
        "counts": layer.counts(),
        "missing": layer.missing(),
        "summary": summary(layer, of_county),
        "outlined": digits(outlined),
        "outlines": int(outlined.sum()),
    }

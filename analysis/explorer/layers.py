"""The layers of the map: into which bin each county falls, with edges and counts, and a text that says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.explorer.columns import Column, lists, rosters
from analysis.wording import count

# Lightness orders every scale, so that no reader needs the hues.
BLUES = ("#E3EEF7", "#B9D5EA", "#83B4DA", "#4A8DC2", "#1F639F", "#0A3D70", "#04203F")
LISTED_COLOURS = ("#E4E4E4", "#F0B57A", "#0072B2", "#002F4D")
HELD_COLOURS = ("#E4E4E4", "#E08A4A", "#7A2E00")
SURPRISE_COLOURS = ("#0A3D70", "#4A8DC2", "#D9E6F0", "#F3E6DA", "#F0B57A", "#C7651B", "#6B2800")

PROBABILITY_EDGES = (0, 1, 2, 5, 10, 25, 50, 100)  # percent
UNLISTED_EDGES, LISTED_EDGES = (25, 50), (10, 25, 50)  # percent, of the bins of surprise
SURPRISES = (
    "not listed, probability 50 % or more",
    "not listed, 25 to 50 %",
    "not listed, below 25 %",
    "listed, 50 % or more",
    "listed, 25 to 50 %",
    "listed, 10 to 25 %",
    "listed, below 10 %",
)
PARTS = 5
COVARIATES = (
    "democratic_share_2024",
    "foreign_born_share",
    "unauthorized_share",
    "hispanic_share",
    "bachelors_share",
    "median_income",
    "poverty_share",
    "population",
    "residents_per_sqkm",
    "slfrf_usd_per_resident",
    "grant_awards_fy2022_usd_per_resident",
)
LOGGED = (
    "population",
    "residents_per_sqkm",
    "grant_awards_fy2022_usd_per_resident",
    "slfrf_usd_per_resident",
)
GROUPS = {
    "Lists": "Lists",
    "Prediction": "Prediction, of being listed",
    "287(g)": "287(g) agreements of county agencies",
}
STATES_NAMED = 5


@dataclass(frozen=True)
class Layer:
    """One way to colour the counties.

    `bins` has the bin of every county by position, NaN where missing; `labels`, `low`, `high`, `colours` are
    by bin, `low` and `high` None where a bin is no range. `told` are the bins whose states the text names,
    `what` how it calls their counties. `outlines` is the column of the list whose states are outlined.
    `is_choice`: the bins are the choices of the column.
    """

    name: str
    column: str
    label: str
    group: str
    bins: pd.Series
    labels: tuple[str, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    colours: tuple[str, ...]
    told: tuple[int, ...]
    what: str
    outlines: str | None = None
    is_choice: bool = False

    def counts(self) -> list[int]:
        """Counties in each bin."""
        return [int((self.bins == at).sum()) for at in range(len(self.labels))]

    def missing(self) -> int:
        """Counties without a bin."""
        return int(self.bins.isna().sum())


def layers(counties: pd.DataFrame, columns: dict[str, Column]) -> list[Layer]:
    """Every layer of the map, in the order in which it is offered.

    Parameters
    ----------
    counties : the rows of `units.explorer_table` of the level county. columns : as `columns.columns`.
    """
    out = [
        chosen(
            columns[name], counties[name], LISTED_COLOURS, (2, 3), "counties whose government is listed", name
        )
        for name in lists()
    ]
    probability, surprise = columns["probability"], columns["surprise"]
    out.append(
        binned("probability", probability, counties["probability"], PROBABILITY_EDGES, BLUES, (5, 6),
               "counties with a probability of 25 % or more")
    )  # fmt: skip
    nothing = (None,) * len(SURPRISES)
    out.append(
        Layer("surprise", "surprise", surprise.label, GROUPS["Prediction"], surprises(counties, probability),
              SURPRISES, nothing, nothing, SURPRISE_COLOURS, (0, len(SURPRISES) - 1),
              "counties that the model expected least as they are")
    )  # fmt: skip
    out += [
        chosen(columns[name], counties[name], HELD_COLOURS, (1, 2), "counties with an agreement")
        for name in rosters()
    ]
    for name in COVARIATES:
        column = columns[name]
        for scheme, edges in (
            ("fifths", fifths(column, counties[name])),
            ("steps", steps(column, counties[name])),
        ):
            top = len(edges) - 2
            out.append(
                binned(f"{name}_{scheme}", column, counties[name], edges, BLUES[1:], (top,),
                       "counties of the highest bin")
            )  # fmt: skip
    return out


def chosen(
    column: Column, values: pd.Series, colours: Sequence[str], told: tuple[int, ...], what: str, outlines=None
) -> Layer:
    """A layer of a choice: its words are its bins."""
    nothing = (None,) * len(column.choices)
    return Layer(
        column.name, column.name, column.label, GROUPS[column.group], values, column.choices, nothing,
        nothing, tuple(colours), told, what, outlines, True,
    )  # fmt: skip


def surprises(counties: pd.DataFrame, probability: Column) -> pd.Series:
    """The position in `SURPRISES` of every county, by its probability as printed; NaN without one."""
    printed = pd.Series([probability.printed(value) for value in counties["probability"]], counties.index)
    printed = printed.astype("float64")
    listed = counties["surprise"] > -counties["probability"]  # listed less probability, so that it is 1 more
    unlisted = len(UNLISTED_EDGES) - np.digitize(printed, UNLISTED_EDGES)
    own = len(SURPRISES) - 1 - np.digitize(printed, LISTED_EDGES)
    return pd.Series(np.where(listed, own, unlisted), counties.index).where(printed.notna())


def binned(
    name: str,
    column: Column,
    values: pd.Series,
    edges: Sequence[float],
    colours: Sequence[str],
    told: tuple[int, ...],
    what: str,
) -> Layer:
    """A layer of a number: bins from one edge up to, but without, the next; the last with its upper edge.

    Edges are in the unit that is printed, and so are the values that are held against them.
    """
    printed = pd.Series([column.printed(value) for value in values], values.index, dtype="float64")
    place = np.digitize(printed, edges[1:-1]).astype("float64")
    bins = pd.Series(place, values.index).where(printed.notna())
    low, high = tuple(edges[:-1]), tuple(edges[1:])
    pairs = enumerate(zip(low, high, strict=True))
    said = tuple(edge_text(column, *pair, last=at == len(low) - 1) for at, pair in pairs)
    scheme = {"fifths": ", fifths of the counties", "steps": ", equal steps"}.get(name.rpartition("_")[2], "")
    if scheme and column.name in LOGGED:
        scheme = scheme.replace("equal steps", "equal factors")
    group = GROUPS.get(column.group, column.group)
    return Layer(
        name, column.name, column.label + scheme, group, bins, said, low, high, tuple(colours[: len(low)]),
        told, what,
    )  # fmt: skip


def edge_text(column: Column, low: float, high: float, *, last: bool = False) -> str:
    """A bin in words.

    >>> edge_text(Column("x", "X", "g", scale=100, decimals=1, suffix=" %"), 5, 12.5)
    '5.0 to below 12.5 %'
    """
    lower, upper = (column.text(edge / column.scale) for edge in (low, high))
    lower = lower.removesuffix(column.suffix) if column.suffix else lower
    return f"{lower} to {'' if last else 'below '}{upper}"


def fifths(column: Column, values: pd.Series) -> list[float]:
    """Edges, as printed, of five bins with as many counties each, as far as ties and rounding allow."""
    known = values.dropna()
    edges = [column.printed(known.quantile(at / PARTS)) for at in range(PARTS + 1)]
    return distinct([column.printed(known.min()), *edges[1:-1], column.printed(known.max())])


def steps(column: Column, values: pd.Series) -> list[float]:
    """Edges, as printed, of five bins of the same width; of the same factor for what spans many sizes."""
    known = values.dropna()
    low, high = known.min(), known.max()
    if column.name in LOGGED:
        low = known[known > 0].min()
        inner = np.geomspace(low, high, PARTS + 1)[1:-1]
    else:
        inner = np.linspace(low, high, PARTS + 1)[1:-1]
    rounded = [float(f"{value * column.scale:.2g}") for value in inner]
    inner = [column.printed(value / column.scale) for value in rounded]
    return distinct([column.printed(known.min()), *inner, column.printed(known.max())])


def distinct(edges: Sequence[float]) -> list[float]:
    """Edges in order without repetitions; two at least."""
    kept = sorted(set(edges))
    return kept if len(kept) > 1 else [kept[0], kept[0]]


def summary(layer: Layer, states: pd.Series) -> str:
    """The layer in words: every bin with its count, what is missing, and the states with most of it.

    Parameters
    ----------
    states : postal abbreviation by county, index as the layer's bins.
    """
    parts = [f"{label}: {count(n)}" for label, n in zip(layer.labels, layer.counts(), strict=True)]
    missing = layer.missing()
    parts.append(f"no figure: {count(missing)}" if missing else "none is missing")
    text = f"{layer.label}. Of {count(len(layer.bins))} counties: {'; '.join(parts)}."
    inside = states[layer.bins.isin(layer.told)].value_counts()
    if inside.empty:
        return f"{text} There are no {layer.what}."
    order = (
        inside.rename_axis("state").reset_index(name="n").sort_values(["n", "state"], ascending=[False, True])
    )
    every = states.value_counts()
    named = [f"{row.state} {row.n} of {every[row.state]}" for row in order.head(STATES_NAMED).itertuples()]
    return f"{text} States with most {layer.what}: {', '.join(named)}."


def bins_table(found: Sequence[Layer]) -> pd.DataFrame:
    """`layer, label, bin, text, low, high, counties`: every bin of every layer, and what is missing."""
    rows = []
    for layer in found:
        each = zip(layer.labels, layer.low, layer.high, layer.counts(), strict=True)
        for at, (text, low, high, n) in enumerate(each):
            rows.append((layer.name, layer.label, at + 1, text, low, high, n))
        rows.append((layer.name, layer.label, None, "missing", None, None, layer.missing()))
    frame = pd.DataFrame(rows, columns=["layer", "label", "bin", "text", "low", "high", "counties"])
    return frame.astype({"bin": "Int64", "low": "float64", "high": "float64"})

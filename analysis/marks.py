"""Marks with limits, one row a term and one look a model, and text that matplotlib shows as it is."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from analysis.catalogue import label
from analysis.errors import DataError, ModelError
from analysis.figures import BLUE, GREEN, GREY, ORANGE, STYLE, draw_intervals
from analysis.tables import reason_in_brief

LIMITS = ["estimate", "conf_low", "conf_high"]
# Colours of Okabe and Ito; shapes differ as well.
LOOKS_OF_MODELS = (
    *((BLUE, "s"), (ORANGE, "D"), (GREEN, "^"), (GREY, "o")),
    *(("black", "v"), ("#56B4E9", "P"), ("#CC79A7", "X"), ("#E69F00", "*")),
)


def one_axes(ax: object) -> Axes:
    """What was given as `ax`, when it is one axes.

    Raises
    ------
    ModelError : it is something else, such as a figure or an array of axes.
    """
    if not isinstance(ax, Axes):
        raise ModelError(
            f"ax= takes one axes of matplotlib, not {type(ax).__name__}: plt.subplots()[1], or axes[0]."
        )
    return ax


def axes_or_new(ax: Axes | None, width: float, height: float) -> Axes:
    """The axes given, or those of a new figure of that many inches in the project's style."""
    if ax is not None:
        return one_axes(ax)
    with plt.rc_context(STYLE):
        return plt.subplots(figsize=(width, height), layout="constrained")[1]


def as_it_stands(text: str) -> str:
    """Text for matplotlib: between two dollars it would set mathematics, and leave `_name` out of a legend.

    >>> print(as_it_stands("$ per resident, $ per year"), as_it_stands("_own"), sep="|")
    \\$ per resident, \\$ per year| _own
    """
    shown = text.replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def rows_of_marks(tables: Mapping[str, pd.DataFrame], terms: list[str], ax: Axes | None) -> Axes:
    """One row a term, one mark a table; each table has the terms as its index, in their order.

    A limit without end runs to the edge, and an arrowhead there says so.

    Raises
    ------
    ModelError : more tables than can be told apart, no term, or no axes.
    DataError : limits that do not hold their estimate.
    """
    if len(tables) > (most := len(LOOKS_OF_MODELS)):
        raise ModelError(f"{len(tables)} models in one picture; at most {most} can be told apart.")
    if not terms:
        raise ModelError("No term to draw.")
    axes = axes_or_new(ax, 6.4, max(0.24 * len(tables) + 0.26, 0.42) * len(terms) + 1.2)
    height = np.arange(len(terms), dtype=float)
    axes.axvline(0, color="black", linewidth=0.8)
    numbers = np.concatenate(
        [[0.0], *(rows[LIMITS].to_numpy(dtype=float).ravel() for rows in tables.values())]
    )
    low, high = numbers[np.isfinite(numbers)].min(), numbers[np.isfinite(numbers)].max()
    beyond = 0.1 * (high - low) or 1.0
    for position, ((name, rows), (colour, marker)) in enumerate(
        zip(tables.items(), LOOKS_OF_MODELS, strict=False)
    ):
        if (outside := (rows["conf_low"] > rows["estimate"]) | (rows["conf_high"] < rows["estimate"])).any():
            raise DataError(
                f"the limits of {rows.index[outside][0]!r} do not hold its estimate.", remedy="mend the row."
            )
        offset = 0.7 / len(tables) * (position - (len(tables) - 1) / 2)
        look: dict[str, Any] = {"color": colour, "markersize": 5}
        ended = rows.replace({"conf_low": {-np.inf: low - beyond}, "conf_high": {np.inf: high + beyond}})
        style: dict[str, Any] = {"fmt": marker, "capsize": 3, "linewidth": 1.4, "label": as_it_stands(name)}
        draw_intervals(axes, ended, height + offset, **look, **style)
        for column, edge, head in (("conf_low", low - beyond, "<"), ("conf_high", high + beyond, ">")):
            if (endless := np.isinf(rows[column].to_numpy(dtype=float))).any():
                at = (height + offset)[endless]
                axes.plot(np.full(len(at), edge), at, linestyle="", marker=head, **look)
        if "note" in rows:
            for at, (_, row) in zip(height, rows.iterrows(), strict=True):
                if pd.isna(row["estimate"]) and isinstance(row["note"], str) and row["note"]:
                    axes.annotate(
                        as_it_stands(reason_in_brief(row["note"])),
                        (0, at + offset),
                        xytext=(4, 0),
                        color=colour,
                        textcoords="offset points",
                        va="center",
                        fontsize=8,
                    )
    axes.set_yticks(height, [as_it_stands(textwrap.fill(label(term), 34)) for term in terms])
    axes.set_ylim(len(terms) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    sns.despine(ax=axes, left=True)
    if len(tables) > 1:
        axes.legend(frameon=False, fontsize=8)
    return axes

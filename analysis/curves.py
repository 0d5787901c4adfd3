"""The picture of a multiverse: sorted curves, one a family, and under each the choices along it.

What the figure of the vote draws is here as well, and its description.
"""

from __future__ import annotations

import re
import textwrap
from typing import TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.catalogue import label
from analysis.figures import BLUE, GREY, ORANGE, new_figure
from analysis.provenance import read_output
from analysis.tables import number
from analysis.wording import count, percent

FAMILIES = {
    "lpm": "Linear, across states",
    "lpm_within": "Linear, within states",
    "lpm_within_mixed": "Linear, within mixed states",
    "logit": "Logit, across states",
    "logit_within": "Logit, within states",
}
DRAWN = {name: FAMILIES[name] for name in ("lpm", "lpm_within", "logit", "logit_within")}
BINS = 40  # along each curve
Row: TypeAlias = tuple[str, str | bool, str]  # of the matrix: column, value (True: it is held), text
ROW = 0.165  # inches
WITH = "with_"
CHOICES = {
    "list": "list",
    "outcome": "outcome",
    "match": "names",
    "sample": "sample",
    "roster": "agreements",
    "acs": "survey",
    "weights": "weights",
}
LOOKS = (
    (BLUE, "above zero, p below 0.05"),
    (GREY, "not told from zero"),
    (ORANGE, "below zero, p below 0.05"),
)


def specification_curve_figure(
    specifications: pd.DataFrame, families: dict[str, str], units: dict[str, str], title: str
) -> Figure:
    """Curves of one focal variable side by side, each sorted, and the choice matrix under them.

    A column of the matrix is one part of the curve above it, each with as many specifications; a cell is the
    darker, the more often its value was chosen there than along the whole curve.

    Parameters
    ----------
    specifications : of one focal variable: `family`, `estimate`, `p_value`, `status`, the choices,
        `with_<control>`. Those without a number are left out.
    families : the families to be shown with their headings, in order. units : of their estimates.
    title : what the picture shows, in a sentence.
    """
    fine = specifications[specifications["status"] == "ok"]
    shown = {name: fine[fine["family"] == name].sort_values("estimate", kind="stable") for name in families}
    rows = matrix_rows(fine)
    below = ROW * len(rows)
    figure = new_figure(7.6, 2.9 + below)
    figure.suptitle(textwrap.fill(title, 88), fontsize=10.5, x=0.01, ha="left", weight="bold")
    grid = figure.subplots(2, len(families), squeeze=False, height_ratios=[1.7, below])
    for name, top, bottom in zip(families, *grid, strict=True):
        heading = f"{families[name]}\n{len(shown[name]):,} specifications"
        draw_curve(top, shown[name], heading, units[name])
        draw_matrix(bottom, shown[name], rows, named=bottom is grid[1, 0])
    handles = [
        Line2D([], [], color=colour, marker="o", linestyle="", markersize=4, label=text)
        for colour, text in LOOKS
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def matrix_rows(specifications: pd.DataFrame) -> list[Row]:
    """The rows of the matrix: choice column, value and text; choices of one value are left out."""
    out: list[Row] = []
    for name, text in CHOICES.items():
        values = list(dict.fromkeys(specifications[name].astype(str)))
        ordered = sorted(
            values,
            key=lambda value: [
                part.zfill(8) if part.isdigit() else part for part in re.split(r"(\d+)", value)
            ],
        )
        out += [(name, value, f"{text}: {value.replace('_', ' ')}") for value in ordered if len(values) > 1]
    for name in (column for column in specifications if column.startswith(WITH)):
        if specifications[name].any():
            words = label(name.removeprefix(WITH)).replace("Residents aged 25 and over with a ", "")
            out.append((name, True, f"with: {textwrap.shorten(words, 30, placeholder=' …')}"))
    return out


def draw_curve(axes: Axes, curve: pd.DataFrame, heading: str, unit: str, size: float = 1.6) -> None:
    """The sorted estimates, coloured by sign and significance."""
    estimate, p = (curve[name].to_numpy(dtype=float) for name in ("estimate", "p_value"))
    kinds = np.select([(estimate > 0) & (p < 0.05), (estimate < 0) & (p < 0.05)], [0, 2], 1)
    rank = np.arange(len(curve))
    for kind in (1, 0, 2):
        here = kinds == kind
        axes.plot(rank[here], estimate[here], ".", color=LOOKS[kind][0], markersize=size, rasterized=True)
    axes.axhline(0, color="black", linewidth=0.8)
    if len(curve):
        axes.axhline(np.median(estimate), color="black", linewidth=0.8, linestyle=":")
        axes.set_xlim(-0.5, len(curve) - 0.5)
    axes.set_title(heading, fontsize=8)
    axes.set_ylabel(unit, fontsize=7.5, labelpad=1)
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    axes.tick_params(axis="y", labelsize=7, length=2, pad=1)


def draw_matrix(axes: Axes, curve: pd.DataFrame, rows: list[Row], named: bool) -> None:
    """Each value's frequency along the curve, against its frequency in all of it."""
    bins = max(1, min(BINS, len(curve)))
    image = np.zeros((len(rows), bins))
    parts = np.array_split(np.arange(len(curve)), bins)
    for line, (name, value, _) in enumerate(rows):
        column = curve[name] if value is True else curve[name].astype(str) == value
        held = column.fillna(False).to_numpy(dtype=float)
        if held.any():
            image[line] = [held[part].mean() / held.mean() if len(part) else 0.0 for part in parts]
    axes.imshow(image, aspect="auto", cmap="Greys", vmin=0, vmax=2.2, interpolation="nearest")
    choices = [name.startswith(WITH) or name for name, _, _ in rows]
    for line in range(1, len(rows)):
        if choices[line] != choices[line - 1]:
            axes.axhline(line - 0.5, color=BLUE, linewidth=0.7)
    axes.set_yticks(np.arange(len(rows)), [text for _, _, text in rows] if named else [""] * len(rows))
    axes.tick_params(axis="y", labelsize=7, length=0)
    axes.set_xticks([])
    axes.set_xlabel("sorted by estimate", fontsize=7.5)


def vote_curve_data() -> pd.DataFrame:
    """The specifications of the vote's slope for counties that gave a number, sorted along their curves.

    `id, family`, the choices, `with_<control>`, `estimate, p_value, status`.
    """
    every = read_output("multiverse.parquet").reset_index()
    own = (every["focal"] == "democratic_share_2024") & (every["level"] == "county")
    shown = every[own & every["family"].isin(list(DRAWN)) & (every["status"] == "ok")]
    beside = [name for name in every if name.startswith(WITH) and shown[name].notna().any()]
    shown = shown.astype({"family": "str"}).sort_values(["family", "estimate", "id"], ignore_index=True)
    return shown[["id", "family", *CHOICES, *beside, "estimate", "p_value", "status"]]


def describe_vote_curve(data: pd.DataFrame) -> str:
    parts = []
    for name, heading in DRAWN.items():
        curve = data.loc[data["family"] == name, "estimate"]
        parts.append(
            f"{heading}: {count(len(curve))} specifications, the median {number(curve.median(), 2)}, "
            f"{percent((curve > 0).mean(), 1)} above zero."
        )
    return (
        f"{count(len(DRAWN))} curves side by side, each of points that rise from the lowest estimate to the "
        "highest: in one colour above zero and in another below it where the p-value is below 0.05, else "
        "grey; a line at zero and a dotted one at the median. Below each a grid in shades of grey, one row a "
        f"value of a choice. {' '.join(parts)}"
    )

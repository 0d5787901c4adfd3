"""Figures from the committed tables: each function takes a frame and returns a matplotlib figure."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from analysis.catalogue import label
from analysis.errors import DataError

# Okabe and Ito's palette, safe for colour-blind readers; shape and lightness differ as well.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#767676"
MARKS = ((GREY, "o"), (BLUE, "s"), (ORANGE, "D"), (GREEN, "^"))
POWERS = {0: "1", 1: "10", 2: "100", 3: "1k", 4: "10k", 5: "100k", 6: "1M", 7: "10M", 8: "100M", 9: "1bn"}
POWERS |= {10: "10bn", 11: "100bn", 12: "1,000bn"}
LIMITS = ["estimate", "conf_low", "conf_high"]

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "svg.hashsalt": "listed-jurisdictions",
    "svg.fonttype": "path",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": 100,
    "savefig.dpi": 160,
}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that many inches in the project's style, apart from any global state."""
    sns.set_theme(style="ticks", rc=STYLE)
    return Figure(figsize=(width, height), layout="constrained")


def draw_intervals(
    axes: Axes,
    rows: pd.DataFrame,
    height: np.ndarray,
    low: str = "conf_low",
    high: str = "conf_high",
    **look: Any,
) -> None:
    """A mark at each row's `estimate` with a bar from `low` to `high`, at these heights (n,)."""
    error = [rows["estimate"] - rows[low], rows[high] - rows["estimate"]]
    axes.errorbar(rows["estimate"], height, xerr=error, **look)


def draw_calibration(axes: Axes, rows: pd.DataFrame, colour: str, marker: str) -> None:
    """Observed shares against predicted ones with their limits, and the line on which the two agree.

    Parameters
    ----------
    rows : `predicted, observed, conf_low, conf_high`; limits may be missing.
    """
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8)
    error = [rows["observed"] - rows["conf_low"], rows["conf_high"] - rows["observed"]]
    axes.errorbar(
        rows["predicted"], rows["observed"], yerr=np.clip(error, 0, None), fmt=marker, color=colour,
        markersize=4, capsize=2, linewidth=1.2,
    )  # fmt: skip
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_aspect("equal")


def listing_by_state_figure(by_state: pd.DataFrame) -> Figure:
    """Share of each state's counties that are listed, states without one left out.

    Parameters
    ----------
    by_state : `state, listed, counties, listed_share, is_listed_state`, one row a state.
    """
    shown = by_state[by_state["listed"] > 0].sort_values(["listed_share", "state"], ascending=[False, True])
    kinds = {1: "the state itself is listed", 0: "the state is not listed"}
    looks: dict[int, dict[str, Any]] = {
        1: {"facecolor": BLUE},
        0: {"facecolor": "#F7D9BF", "edgecolor": ORANGE, "hatch": "////"},
    }
    figure = new_figure(7.2, 0.21 * len(shown) + 1.0)
    axes = figure.subplots()
    sns.barplot(data=shown, x="listed_share", y="state", color=BLUE, saturation=1, ax=axes)
    for bar, is_listed_state in zip(axes.patches, shown["is_listed_state"], strict=True):
        bar.set(**looks[is_listed_state])
    for position, row in enumerate(shown.itertuples()):
        axes.text(
            row.listed_share + 0.01, position, f"{row.listed} of {row.counties}", va="center", fontsize=8
        )
    axes.set(xlabel="Share of the state's counties that are listed", ylabel="", xlim=(0, 1.14))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xticks(np.linspace(0, 1, 6))
    handles = [Patch(**looks[kind], label=text) for kind, text in kinds.items()]
    axes.legend(handles=handles, loc="lower right", frameon=False)
    return figure


def marginal_effects_figure(effects: pd.DataFrame) -> Figure:
    """Average marginal effects with 95 % intervals, one row a covariate, one panel a sample.

    Each panel has a scale of its own, since listing is far rarer in some samples than in others.

    Parameters
    ----------
    effects : `term, sample, estimate, conf_low, conf_high` in probability, in the order to be shown.
    """
    terms, samples = list(dict.fromkeys(effects["term"])), list(dict.fromkeys(effects["sample"]))
    figure = new_figure(7.6, 0.48 * len(terms) + 1.1)
    panels = figure.subplots(1, len(samples), sharey=True, squeeze=False)[0]
    for axes, sample, (colour, marker) in zip(panels, samples, MARKS, strict=False):
        rows = 100 * effects[effects["sample"] == sample].set_index("term").reindex(terms)[LIMITS]
        axes.axvline(0, color="black", linewidth=0.8)
        draw_intervals(
            axes,
            rows,
            np.arange(len(terms)),
            fmt=marker,
            color=colour,
            markersize=5,
            capsize=3,
            linewidth=1.4,
        )
        axes.set_title(sample, fontsize=10)
        axes.tick_params(axis="y", length=0)
        sns.despine(ax=axes, left=True)
    panels[0].set_yticks(
        np.arange(len(terms)), [textwrap.fill(label(term), 27) for term in terms], fontsize=9
    )
    panels[0].invert_yaxis()
    figure.supxlabel("Percentage points of listing that go with one standard deviation more", fontsize=10)
    return figure


def coefficients_figure(coefficients: pd.DataFrame) -> Figure:
    """Coefficients with two ranges each, one panel a term, one row a model.

    A thick bar holds the 95 % limits, a thin one with ends what the estimate becomes without one state.

    Parameters
    ----------
    coefficients : `term, sample, estimate, conf_low, conf_high, least, most`, in the order to be shown.
    """
    terms, samples = (list(dict.fromkeys(coefficients[name])) for name in ("term", "sample"))
    across = 2
    down = -(-len(terms) // across)
    figure = new_figure(7.6, down * (0.26 * len(samples) + 0.75) + 0.6)
    panels = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
    height = np.arange(len(samples))
    for axes, term in zip(panels, terms, strict=False):
        rows = coefficients[coefficients["term"] == term].set_index("sample").reindex(samples)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.hlines(height, rows["conf_low"], rows["conf_high"], color=BLUE, linewidth=4, alpha=0.45)
        draw_intervals(
            axes, rows, height, "least", "most", fmt="o", color=ORANGE, markersize=4, capsize=3, linewidth=1.1
        )
        axes.set_title(textwrap.fill(label_of(term), 46), fontsize=9)
        axes.tick_params(length=0, axis="y")
        axes.tick_params(labelsize=8)
    for axes in panels[len(terms) :]:
        axes.set_visible(False)
    panels[0].set_yticks(height, samples)
    panels[0].invert_yaxis()
    figure.supxlabel("Log odds of listing for one unit of the covariate", fontsize=10)
    return figure


def amounts_figure(amounts: pd.DataFrame, unit: str) -> Figure:
    """How many governments have an amount of which size, in one measure; never two measures on one axis.

    Parameters
    ----------
    amounts : `reading`, `measure`, `fiscal_year`, `amount_usd`, one row a government; amounts of zero or
        below have no place on the scale of powers of ten and are counted in its title.
    unit : what a row is, in the plural: "counties".

    Raises
    ------
    DataError : no amount above zero, or more than one measure or year.
    """
    if len(amounts[["reading", "measure", "fiscal_year"]].drop_duplicates()) != 1:
        raise DataError(
            "a figure of amounts shows one measure of one year.", remedy="choose the rows of one."
        )
    shown = amounts[amounts["amount_usd"] > 0]
    if shown.empty:
        raise DataError("no amount is above zero.", remedy="leave the figure out.")
    figure = new_figure(7.2, 2.6)
    axes = figure.subplots()
    powers = np.log10(shown["amount_usd"])
    edges = np.arange(np.floor(powers.min() * 2) / 2, powers.max() + 0.5, 0.5)
    axes.hist(powers, bins=edges.tolist(), color=BLUE, edgecolor="white")
    whole = np.arange(np.ceil(edges[0]), np.floor(edges[-1]) + 1)
    axes.set_xticks(whole, [POWERS[int(power)] for power in whole])
    axes.set(
        xlabel="US dollars (k thousand, M million, bn billion); each step is ten times the last",
        ylabel=f"Number of {unit}",
    )
    left = len(amounts) - len(shown)
    if left:
        axes.set_title(f"{left} of zero or below are not drawn", fontsize=9, loc="left")
    return figure


def intervals_figure(rows: pd.DataFrame, axis: str, reference: float | None = None) -> Figure:
    """Estimates with their limits, one row each, in panels side by side.

    Parameters
    ----------
    rows : `panel, row, estimate, conf_low, conf_high`, and where marks differ `kind`; in the order shown.
    axis : what is measured. reference : a value to compare with, drawn as a line.
    """
    panels, names = (list(dict.fromkeys(rows[name])) for name in ("panel", "row"))
    kinds = list(dict.fromkeys(rows["kind"])) if "kind" in rows else [None]
    figure = new_figure(7.6, 0.36 * len(names) + 1.3)
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel in zip(every, panels, strict=True):
        if reference is not None:
            axes.axvline(reference, color="black", linewidth=0.8)
        for position, (kind, (colour, marker)) in enumerate(zip(kinds, MARKS, strict=False)):
            own = rows[(rows["panel"] == panel) & ((rows["kind"] == kind) if kind else True)]
            own = own.set_index("row").reindex(names)
            height = np.arange(len(names)) + 0.22 * (position - (len(kinds) - 1) / 2)
            draw_intervals(
                axes,
                own,
                height,
                fmt=marker,
                color=colour,
                markersize=4,
                capsize=2,
                linewidth=1.2,
                label=kind,
            )
        axes.set_title(panel, fontsize=10)
        axes.tick_params(axis="y", length=0)
        sns.despine(ax=axes, left=True)
    every[0].set_yticks(np.arange(len(names)), [textwrap.fill(name, 30) for name in names], fontsize=9)
    every[0].invert_yaxis()
    if len(kinds) > 1:
        handles, labels = every[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside upper center", ncols=len(kinds), frameon=False, fontsize=9
        )
    figure.supxlabel(axis, fontsize=10)
    return figure


def calibration_figure(curve: pd.DataFrame) -> Figure:
    """Observed against predicted share, one point a tenth of the rows, one panel a level.

    Parameters
    ----------
    curve : `panel, predicted, observed, conf_low, conf_high`, in the order to be shown.
    """
    panels = list(dict.fromkeys(curve["panel"]))
    figure = new_figure(7.6, 3.4)
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel, (colour, marker) in zip(every, panels, MARKS[1:], strict=False):
        rows = curve[curve["panel"] == panel]
        draw_calibration(axes, rows, colour, marker)
        axes.set_title(panel)
    every[0].set_ylabel("Share listed")
    figure.supxlabel("Mean probability, the state not having been seen", fontsize=10)
    return figure


def label_of(term: str) -> str:
    """The catalogue's label of a column, or the labels of a product's parts.

    >>> label_of("democratic_share_2024:population").count(" x ")
    1
    """
    return " x ".join(label(part) for part in term.split(":"))

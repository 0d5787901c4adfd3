"""Pictures of fits and frames of one's own, each on matplotlib axes that can be drawn on further.

Every function takes `ax`, or makes a figure of its own, and returns the axes: `ax.figure.savefig(path)`
writes it. The figures of the pages are drawn by the same strokes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from analysis.catalogue import label
from analysis.curves import LOOKS, WITH, draw_curve, draw_matrix
from analysis.errors import DataError, ModelError, nearest
from analysis.figures import BLUE, GREEN, GREY, ORANGE, STYLE, draw_calibration, draw_intervals
from analysis.maps import draw_listing
from analysis.models import Fit, average_marginal_effects, estimates
from analysis.models.effects import PER
from analysis.models.prediction.evaluation import BINS, calibration_of
from analysis.models.results import as_fits
from analysis.models.terms import numbers, require, require_frame
from analysis.provenance import read_param
from analysis.sources.geography import read_boundaries
from analysis.tables import distinct_names, reason_in_brief

__all__ = [
    "calibration_plot",
    "coefficient_plot",
    "listing_map",
    "marginal_effects_plot",
    "specification_curve_plot",
]

LIMITS = ["estimate", "conf_low", "conf_high"]
# Colours of Okabe and Ito; shapes differ as well.
LOOKS_OF_MODELS = (
    *((BLUE, "s"), (ORANGE, "D"), (GREEN, "^"), (GREY, "o")),
    *(("black", "v"), ("#56B4E9", "P"), ("#CC79A7", "X"), ("#E69F00", "*")),
)
STEP = {
    "unit": "one unit more",
    "sd": "one standard deviation more",
    "ten_points": "ten percentage points more",
}


def coefficient_plot(
    fits: Fit | Iterable[Fit], *, terms: Iterable[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Coefficients with their 95 % limits, one row a term, one mark a model.

    A term without a number, such as one that separates, keeps its row and says why there. The intercept is
    left out unless it is named.

    Parameters
    ----------
    fits : one fit or many, at most eight. terms : which terms, from the top; None: all but the intercept.
    ax : where to draw; None makes a figure.

    Returns
    -------
    Axes. Across: log odds, or probability for `lpm`, for one unit of the covariate. Up: terms, the first on
    top at 0, the second at 1, and so on.

    Raises
    ------
    ModelError : no fit, a term that no fit has (with the nearest), or `lpm` beside other estimators, whose
        units differ.

    Examples
    --------
    >>> from analysis.models import Model, fit
    >>> frame = pd.DataFrame({"listed": [0, 0, 1, 0, 1, 1], "x": [1, 2, 3, 4, 5, 6]})
    >>> axes = coefficient_plot(fit(Model("small", "listed", ["x"], estimator="lpm"), frame))
    >>> [text.get_text() for text in axes.get_yticklabels()], axes.get_xlabel()
    (['x'], 'Probability for one unit of the covariate, with 95 % limits')
    """
    listed = as_fits(fits)
    linear = {fit.model.estimator == "lpm" for fit in listed}
    if len(linear) > 1:
        raise ModelError(
            "Coefficients of lpm are probabilities, those of the other estimators log odds: no axis holds "
            "both. Draw them apart, or compare average marginal effects."
        )
    tables = [estimates(fit).set_index("term") for fit in listed]
    known = list(dict.fromkeys(term for table in tables for term in table.index))
    shown = [term for term in known if term != "Intercept"] if terms is None else list(terms)
    for term in shown:
        if term not in known:
            raise ModelError(f"No fit has a term {term!r}.{nearest(term, known)}")
    names = distinct_names([fit.model.name for fit in listed])
    rows = [table.reindex(shown).assign(kind=name) for name, table in zip(names, tables, strict=True)]
    axes = _rows_of_marks(dict(zip(names, rows, strict=True)), shown, ax)
    unit = "Probability" if linear == {True} else "Log odds"
    axes.set_xlabel(f"{unit} for one unit of the covariate, with 95 % limits")
    return axes


def marginal_effects_plot(
    effects: Fit | pd.DataFrame | Mapping[str, pd.DataFrame],
    data: pd.DataFrame | None = None,
    *,
    per: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Average marginal effects with their 95 % limits, in percentage points, one row a covariate.

    Parameters
    ----------
    effects : a fit, of which they are computed; or what `average_marginal_effects` returned; or several of
        these by name, such as one a sample.
    data : with a fit, the frame that was fitted.
    per : the step that the effects are of, `unit`, `sd` or `ten_points`. With a fit it is taken (`unit` if
        None), with a frame it is only named under the axis.
    ax : where to draw; None makes a figure.

    Returns
    -------
    Axes. Across: percentage points of probability. Up: covariates, the first on top at 0.

    Raises
    ------
    ModelError : an unknown `per`, a fit without its data, a frame without the columns; and what
        `average_marginal_effects` raises.

    Examples
    --------
    >>> effects = pd.DataFrame({"term": ["x"], "estimate": [0.1], "conf_low": [0.05], "conf_high": [0.15]})
    >>> axes = marginal_effects_plot(effects, per="sd")
    >>> axes.lines[-1].get_xdata().tolist(), axes.get_xlabel().split(" goes with ")[1]
    ([15.0], 'one standard deviation more')
    """
    if per is not None and per not in PER:
        raise ModelError(f"per={per!r} is unknown.{nearest(per, PER)}")
    if isinstance(effects, Fit):
        if data is None:
            raise ModelError("marginal_effects_plot needs the frame that was fitted beside a fit: data=...")
        per = per or "unit"
        effects = {effects.model.name: average_marginal_effects(effects, data, per)}
    tables = dict(effects) if isinstance(effects, Mapping) else {"": effects}
    for frame in tables.values():
        _columns(frame, ["term", *LIMITS], "marginal effects")
    terms = list(dict.fromkeys(term for frame in tables.values() for term in frame["term"]))
    rows = {name: 100 * frame.set_index("term")[LIMITS].reindex(terms) for name, frame in tables.items()}
    axes = _rows_of_marks({str(name): frame for name, frame in rows.items()}, terms, ax)
    step = f"\nthat goes with {STEP[per]}" if per else ""
    axes.set_xlabel(f"Percentage points of probability, with 95 % limits,{step}".rstrip(","))
    return axes


def calibration_plot(
    predicted: pd.DataFrame | pd.Series,
    observed: pd.Series | None = None,
    *,
    groups: pd.Series | None = None,
    bins: int = BINS,
    ax: Axes | None = None,
) -> Axes:
    """Observed against predicted shares, one point a bin of rows in order of their probability.

    Parameters
    ----------
    predicted : probabilities by row, as `leave_one_state_out` returns them; or the curve itself, a frame
        with `predicted, observed` and, where there are limits, `conf_low, conf_high`.
    observed : the outcome of the same rows, 0 or 1, on the same index. Rows that miss either are left out.
    groups : of the same rows; where given, limits are those of drawing whole groups (states) anew, 999
        times. Without groups no limits are drawn.
    bins : of equal number of rows. ax : where to draw; None makes a figure.

    Returns
    -------
    Axes. Across: mean probability in the bin; up: share with the outcome; both 0 to 1, with a line where the
    two agree.

    Raises
    ------
    DataError : probabilities without their outcome, indices that differ, values outside 0 to 1, no row.

    Examples
    --------
    >>> p = pd.Series([0.1, 0.2, 0.8, 0.9])
    >>> axes = calibration_plot(p, pd.Series([0, 0, 1, 1]), bins=2)
    >>> axes.lines[1].get_xydata().round(2).tolist()
    [[0.15, 0.0], [0.85, 1.0]]
    """
    if isinstance(predicted, pd.DataFrame):
        curve = _columns(predicted, ["predicted", "observed"], "a calibration curve")
        curve = curve.reindex(columns=["predicted", "observed", "conf_low", "conf_high"])
    else:
        curve = calibration_of(predicted, observed, groups, bins)
    axes = _axes(ax, 4.2, 4.2)
    draw_calibration(axes, curve, BLUE, "s")
    axes.set(xlabel="Mean probability", ylabel="Observed share")
    return axes


def specification_curve_plot(curve: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """The estimates of a specification curve in ascending order, and under them which controls go along.

    Parameters
    ----------
    curve : what `specification_curve` returned. Rows without a number are left out, and counted in the title.
    ax : where to draw the estimates alone; None makes a figure with the controls below them, darker where
        a control is there more often than along the whole curve.

    Returns
    -------
    Axes of the estimates. Across: rank, from 0. Up: the focal variable's coefficient, in the unit of the
    estimator.
    Colour: above zero or below it with a p-value below 0.05, or neither.

    Raises
    ------
    DataError : a column is missing, or no row has a number.

    Examples
    --------
    >>> from analysis.models.multiverse import specification_curve
    >>> frame = pd.DataFrame({"y": [0, 0, 1, 0, 1, 1], "x": [1, 2, 3, 4, 5, 6], "z": [1, 0, 2, 1, 0, 1]})
    >>> axes = specification_curve_plot(specification_curve(frame, "y", "x", ["z"]))
    >>> axes.get_title()
    '2 specifications'
    """
    _columns(curve, ["controls", "estimate", "p_value", "status"], "a specification curve")
    shown = curve[curve["status"] == "ok"].sort_values("estimate", kind="stable")
    if shown.empty:
        reasons = ", ".join(dict.fromkeys(curve["status"]))
        raise DataError(f"no specification has a number ({reasons or 'no row'}).", remedy="mend the curve.")
    left = len(curve) - len(shown)
    heading = f"{len(shown):,} specifications" + (f", {left:,} more without a number" if left else "")
    controls = list(dict.fromkeys(name for held in curve["controls"] for name in held))
    if ax is None:
        with plt.rc_context(STYLE):
            below = 0.2 * max(len(controls), 1)
            ax, bottom = plt.subplots(
                2, 1, figsize=(6.4, 3.2 + below), layout="constrained", height_ratios=[2.4, below]
            )[1]
        held = shown.assign(
            **{f"{WITH}{name}": [name in each for each in shown["controls"]] for name in controls}
        )
        draw_matrix(bottom, held, [(f"{WITH}{name}", True, label(name)) for name in controls], named=True)
        bottom.set_visible(bool(controls))
    draw_curve(ax, shown, heading, "Coefficient of the focal variable", max(1.6, 6 - len(shown) / 50))
    handles = [
        Line2D([], [], color=colour, marker="o", linestyle="", markersize=4, label=text)
        for colour, text in LOOKS
    ]
    ax.legend(handles=handles, loc="best", frameon=False, fontsize=8)
    return ax


def listing_map(
    panel: pd.DataFrame, column: str = "is_listed", *, outline: str | None = "", ax: Axes | None = None
) -> Axes:
    """A map of the counties, dark where a 0/1 column is 1, white where it is missing.

    Parameters
    ----------
    panel : index GEOIDs of counties (five digits, as text), such as `load_panel("county")`.
    column : of 0 and 1: `is_listed`, `is_listed_<list>`, or any other.
    outline : a 0/1 column, 1 in the counties of states that get a dark line. Not given, it is the column
        of listed states that belongs to `column`, if the panel has it; None draws no line.
    ax : where to draw; None makes a figure.

    Returns
    -------
    Axes without ticks, in the plane of the Census Bureau's boundaries (Albers, Alaska and Hawaii inset).
    `axes.collections[0]` are the counties.

    Raises
    ------
    DataError : the index holds no codes of counties, or no boundaries were acquired.
    ModelError : no such column (with the nearest), or one that holds other values than 0 and 1.

    Examples
    --------
    >>> from analysis.panel import load_panel
    >>> counties = load_panel("county")
    >>> axes = listing_map(counties, "is_listed_doj_2025_08_05")
    >>> len(axes.collections[0].get_paths()) == len(counties)
    True
    """
    require_frame(panel, "listing_map: ")
    listed = _zero_one(panel, column, "what is drawn")
    codes = panel.index.astype(str)
    if wrong := [code for code in codes if not (len(code) == 5 and code.isdigit())]:
        raise DataError(
            f"the index is no code of a county: {wrong[0]!r}.",
            remedy="give a frame as load_panel('county'), whose index `geoid` has five digits as text.",
        )
    if outline == "":
        beside = column.replace("is_listed", "is_in_listed_state").replace("as_county_", "")
        outline = beside if beside != column and beside in panel.columns else None
    outlined: set[str] = set()
    if outline is not None:
        inside = _zero_one(panel, outline, "the outlined states")
        outlined = {code[:2] for code, value in zip(codes, inside, strict=True) if value == 1}
    named = column.startswith("is_listed")
    words = ("county listed", "county not listed") if named else ("yes", "no")
    topology = read_boundaries(read_param("vintages")["boundaries"])
    axes = _axes(ax, 7.6, 4.9)
    draw_listing(axes, topology, listed.set_axis(codes), outlined, words)
    if not named:
        axes.set_title(textwrap.fill(label(column), 70))
    return axes


def _axes(ax: Axes | None, width: float, height: float) -> Axes:
    """The axes given, or those of a new figure of that many inches in the project's style."""
    if ax is not None:
        return ax
    with plt.rc_context(STYLE):
        return plt.subplots(figsize=(width, height), layout="constrained")[1]


def _columns(frame: pd.DataFrame, needed: list[str], what: str) -> pd.DataFrame:
    """The frame, when it has the columns needed."""
    require_frame(frame, f"{what}: ")
    for name in needed:
        require(name, frame, f"of {what}")
    return frame


def _zero_one(panel: pd.DataFrame, column: str, role: str) -> pd.Series:
    """A column of 0, 1 and missing values."""
    values = pd.Series(numbers(panel, column, role), index=panel.index)
    odd = values[values.notna() & ~values.isin([0, 1])]
    if len(odd):
        raise ModelError(f"The column {column!r} ({role}) holds {odd.iloc[0]:g}; 0 and 1 can be drawn.")
    return values


def _rows_of_marks(tables: Mapping[str, pd.DataFrame], terms: list[str], ax: Axes | None) -> Axes:
    """One row a term, one mark a table; each table has the terms as its index, in their order."""
    if len(tables) > (most := len(LOOKS_OF_MODELS)):
        raise ModelError(f"{len(tables)} models in one picture; at most {most} can be told apart.")
    axes = _axes(ax, 6.4, max(0.24 * len(tables) + 0.26, 0.42) * len(terms) + 1.2)
    height = np.arange(len(terms), dtype=float)
    axes.axvline(0, color="black", linewidth=0.8)
    for position, ((name, rows), (colour, marker)) in enumerate(
        zip(tables.items(), LOOKS_OF_MODELS, strict=False)
    ):
        if (outside := (rows["conf_low"] > rows["estimate"]) | (rows["conf_high"] < rows["estimate"])).any():
            raise DataError(
                f"the limits of {rows.index[outside][0]!r} do not hold its estimate.", remedy="mend the row."
            )
        offset = 0.7 / len(tables) * (position - (len(tables) - 1) / 2)
        draw_intervals(
            axes,
            rows,
            height + offset,
            fmt=marker,
            color=colour,
            markersize=5,
            capsize=3,
            linewidth=1.4,
            label=name,
        )
        if "note" in rows:
            for at, (_, row) in zip(height, rows.iterrows(), strict=True):
                if pd.isna(row["estimate"]) and isinstance(row["note"], str) and row["note"]:
                    axes.annotate(
                        reason_in_brief(row["note"]),
                        (0, at + offset),
                        xytext=(4, 0),
                        color=colour,
                        textcoords="offset points",
                        va="center",
                        fontsize=8,
                    )
    axes.set_yticks(height, [textwrap.fill(label(term), 34) for term in terms])
    axes.set_ylim(len(terms) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    sns.despine(ax=axes, left=True)
    if len(tables) > 1:
        axes.legend(frameon=False, fontsize=8)
    return axes

"""Pictures of fits and frames of one's own, each on matplotlib axes that can be drawn on further.

Every function takes `ax`, or makes a figure of its own, and returns the axes: `ax.figure.savefig(path)`
writes it. The figures of the pages are drawn by the same strokes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from analysis.catalogue import label
from analysis.curves import LOOKS, WITH, Row, draw_curve, draw_matrix
from analysis.errors import DataError, ModelError, nearest
from analysis.figures import BLUE, STYLE, draw_calibration
from analysis.maps import draw_listing, is_state
from analysis.marks import LIMITS, as_it_stands, axes_or_new, one_axes, rows_of_marks
from analysis.models import Fit, average_marginal_effects, estimates
from analysis.models.effects import PER
from analysis.models.prediction.evaluation import BINS, calibration_of
from analysis.models.results import as_fits
from analysis.models.terms import numbers, require, require_frame
from analysis.provenance import read_param
from analysis.sources.geography import read_boundaries
from analysis.tables import distinct_names

__all__ = [
    "calibration_plot",
    "coefficient_plot",
    "listing_map",
    "marginal_effects_plot",
    "specification_curve_plot",
]

STEP = {
    "unit": "one unit more",
    "sd": "one standard deviation more",
    "ten_points": "ten percentage points more",
}


def coefficient_plot(
    fits: Fit | Iterable[Fit], *, terms: str | Iterable[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Coefficients with their 95 % limits, one row a term, one mark a model.

    A term without a number, such as one that separates, keeps its row and says why there. The intercept is
    left out unless it is named.

    Parameters
    ----------
    fits : one fit or many, at most eight. terms : which terms, from the top, or one alone; None: all but
        the intercept.
    ax : where to draw, one axes; None makes a figure.

    Returns
    -------
    Axes. Across: log odds, or probability for `lpm`, for one unit of the covariate. Up: terms, the first on
    top at 0, the second at 1, and so on.

    Raises
    ------
    ModelError : no fit, no term, a term that no fit has (with the nearest), more than one axes in `ax`, or
        `lpm` beside other estimators, whose units differ.

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
    wanted = [term for term in known if term != "Intercept"] if terms is None else terms
    shown = list(dict.fromkeys([wanted] if isinstance(wanted, str) else wanted))
    for term in shown:
        if term not in known:
            raise ModelError(f"No fit has a term {term!r}.{nearest(term, known)}")
    names = distinct_names([fit.model.name for fit in listed])
    rows = [table.reindex(shown).assign(kind=name) for name, table in zip(names, tables, strict=True)]
    axes = rows_of_marks(dict(zip(names, rows, strict=True)), shown, ax)
    unit = "Probability" if linear == {True} else "Log odds"
    axes.set_xlabel(f"{unit} for one unit of the covariate, with 95 % limits")
    return axes


def marginal_effects_plot(
    effects: Fit | pd.DataFrame | Mapping[str, Fit | pd.DataFrame],
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
    data : with a fit, or fits, the frame that was fitted.
    per : the step that the effects are of, `unit`, `sd` or `ten_points`. With a fit it is taken (`unit` if
        None), with a frame it is only named under the axis.
    ax : where to draw; None makes a figure.

    Returns
    -------
    Axes. Across: percentage points of probability. Up: covariates, the first on top at 0.

    Raises
    ------
    ModelError : an unknown `per`, a fit without its data, a frame without the columns or with text in them,
        no row, a covariate twice in one frame; and what `average_marginal_effects` raises.
    DataError : limits that do not hold their estimate.

    Examples
    --------
    >>> effects = pd.DataFrame({"term": ["x"], "estimate": [0.1], "conf_low": [0.05], "conf_high": [0.15]})
    >>> axes = marginal_effects_plot(effects, per="sd")
    >>> axes.lines[-1].get_xdata().tolist(), axes.get_xlabel().split(" goes with ")[1]
    ([15.0], 'one standard deviation more')
    """
    if per is not None and per not in PER:
        raise ModelError(f"per={per!r} is unknown.{nearest(per, PER)}")
    given = {effects.model.name: effects} if isinstance(effects, Fit) else effects
    given = dict(given) if isinstance(given, Mapping) else {"": given}
    if any(isinstance(each, Fit) for each in given.values()):
        if data is None:
            raise ModelError("marginal_effects_plot needs the frame that was fitted beside a fit: data=...")
        per = per or "unit"
    tables = {
        name: average_marginal_effects(each, data, per or "unit") if isinstance(each, Fit) else each
        for name, each in given.items()
    }
    for frame in tables.values():
        _columns(frame, ["term", *LIMITS], "marginal effects", "average_marginal_effects")
        for name in LIMITS:
            numbers(frame, name, "of marginal effects")
        if (twice := frame["term"].duplicated()).any():
            raise ModelError(
                f"marginal effects: {frame['term'][twice].iloc[0]!r} is there twice. Give frames by name."
            )
    terms = list(dict.fromkeys(term for frame in tables.values() for term in frame["term"]))
    rows = {name: 100 * frame.set_index("term")[LIMITS].reindex(terms) for name, frame in tables.items()}
    axes = rows_of_marks({str(name): frame for name, frame in rows.items()}, terms, ax)
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
        curve = _columns(predicted, ["predicted", "observed"], "a calibration curve", "calibration_curve")
        curve = curve.reindex(columns=["predicted", "observed", "conf_low", "conf_high"])
        shares = pd.DataFrame({name: numbers(curve, name, "of a calibration curve") for name in curve})
        if not len(shares.dropna(subset=["predicted", "observed"])) or not (
            shares.isna() | ((shares >= 0) & (shares <= 1))
        ).all(axis=None):
            raise DataError(
                "a calibration curve has rows, and shares from 0 to 1.", remedy="mend the values."
            )
    else:
        curve = calibration_of(predicted, observed, groups, bins)
    axes = axes_or_new(ax, 4.2, 4.2)
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
    columns = ["controls", "estimate", "p_value", "status"]
    _columns(curve, columns, "a specification curve", "specification_curve")
    shown = curve[curve["status"] == "ok"].sort_values("estimate", kind="stable")
    if shown.empty:
        reasons = ", ".join(dict.fromkeys(curve["status"]))
        raise DataError(f"no specification has a number ({reasons or 'no row'}).", remedy="mend the curve.")
    left = len(curve) - len(shown)
    heading = f"{len(shown):,} specification{'s' * (len(shown) > 1)}" + (
        f", {left:,} more without a number" if left else ""
    )
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
        names: list[Row] = [(f"{WITH}{name}", True, as_it_stands(label(name))) for name in controls]
        draw_matrix(bottom, held, names, named=True)
        bottom.set_visible(bool(controls))
    ax = one_axes(ax)
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
    DataError : the index holds no codes of counties, one twice, or none of the map; or no boundaries were
        acquired.
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
    if (twice := panel.index.duplicated()).any():
        raise DataError(f"the county {codes[twice][0]!r} is there twice.", remedy="give one row a county.")
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
    drawn = {str(each["id"]) for each in topology["objects"]["counties"]["geometries"]}
    if not any(code in drawn and is_state(code) for code in codes):
        raise DataError(
            f"no row is a county of the map{f': {codes[0]!r} is none' if len(codes) else ''}.",
            remedy="give counties of the 50 states and DC.",
        )
    axes = axes_or_new(ax, 7.6, 4.9)
    draw_listing(axes, topology, listed.set_axis(codes), outlined, words)
    if not named:
        axes.set_title(as_it_stands(textwrap.fill(label(column), 70)))
    return axes


def _columns(frame: pd.DataFrame, needed: list[str], what: str, source: str) -> pd.DataFrame:
    """The frame, when it has the columns needed."""
    require_frame(frame, f"{what}: ")
    for name in needed:
        if name not in frame.columns:
            near = nearest(name, frame.columns)
            raise ModelError(f"{what}: no column {name!r}.{near} Give what `{source}` returned.")
        require(name, frame, f"of {what}")
    return frame


def _zero_one(panel: pd.DataFrame, column: str, role: str) -> pd.Series:
    """A column of 0, 1 and missing values."""
    values = pd.Series(numbers(panel, column, role), index=panel.index)
    odd = values[values.notna() & ~values.isin([0, 1])]
    if len(odd):
        raise ModelError(f"The column {column!r} ({role}) holds {odd.iloc[0]:g}; 0 and 1 can be drawn.")
    return values

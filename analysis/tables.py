"""Tables: coefficients of fitted models as Markdown, LaTeX or HTML, and any frame as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from analysis import catalogue
from analysis.errors import AnalysisError, ModelError, nearest
from analysis.markup import WRITERS, Grid, escape
from analysis.models import Fit, estimates
from analysis.models.results import as_fits
from analysis.models.spec import ESTIMATORS

__all__ = ["coefficient_table", "markdown_table"]

# A number as `analysis.wording` and `number` write it, alone in its cell. Codes and years have no commas, and
# are text.
WRITTEN = re.compile(
    r"(?:below )?[+-]?\d{1,3}(?:,\d{3})*(?:\.\d+)?(?:e[+-]\d+)?(?: (?:%|million|billion))?|[–-]|none|"
)


def number(value: float, digits: int = 3) -> str:
    """A number with that many significant digits, without exponent between 1e-6 and 1e9.

    >>> number(0.0123456), number(1234567.0), number(-np.inf), number(np.nan)
    ('0.0123', '1234567', '-∞', '')
    """
    if value is None or pd.isna(value):
        return ""
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0 or not 1e-6 <= abs(value) < 1e9:
        return f"{value:.{digits - 1}e}" if value else "0"
    size = int(f"{value:.{digits - 1}e}".split("e")[1])
    return f"{value:.{max(digits - 1 - size, 0)}f}"


def p_value(value: float) -> str:
    """A p-value with two significant digits, and no more than that it is small where it is.

    >>> p_value(0.0243), p_value(9.6e-9), p_value(np.nan)
    ('0.024', 'below 0.001', '')
    """
    return "below 0.001" if value < 0.001 else number(value, 2)


def markdown_table(
    frame: pd.DataFrame, *, headers: Mapping[str, str] | None = None, digits: int = 3, escaped: bool = True
) -> str:
    """The frame as a pipe table without its index; numbers, written ones too, to the right, text to the left.

    Parameters
    ----------
    frame : any frame. Missing values are empty cells; floats have `digits` significant digits, whole
        numbers all of theirs.
    headers : another heading for some columns.
    escaped : whether text is escaped, so that it shows as text; False where cells hold Markdown.

    Raises
    ------
    ModelError : no column.

    Examples
    --------
    >>> print(markdown_table(pd.DataFrame({"list": ["dhs", "doj"], "share": [0.25, None]})).rstrip())
    | list | share |
    | :--- | ---: |
    | dhs | 0.250 |
    | doj |  |
    """
    if not len(frame.columns):
        raise ModelError("A table needs at least one column.")
    shown = escape if escaped else str
    cells, marks = [], []
    for position, name in enumerate(frame.columns):
        column = frame.iloc[:, position]
        is_number = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(
            column.dtype
        )
        whole = pd.api.types.is_integer_dtype(column.dtype)
        marks.append("---:" if is_number or is_written(column) else ":---")
        texts = [shown((headers or {}).get(name, name))]
        for value in column:
            if pd.isna(value):
                texts.append("")
            elif is_number:
                texts.append(f"{int(value)}" if whole else number(value, digits))
            else:
                texts.append(shown(value))
        cells.append(texts)
    rows = list(zip(*cells, strict=True))
    lines = ["| " + " | ".join(row) + " |" for row in [rows[0], tuple(marks), *rows[1:]]]
    return "\n".join(lines) + "\n"


def is_written(column: pd.Series) -> bool:
    """Whether a column of text holds written numbers alone, beside cells that are empty, none or a dash.

    >>> [is_written(pd.Series(cells)) for cells in (["3,144", ""], ["12 %"], ["17031"], ["2024"], ["none"])]
    [True, True, False, False, False]
    """
    cells = column.dropna().astype("str")
    return bool(cells.str.fullmatch(WRITTEN).all() and cells.str.contains(r"\d").any())


def coefficient_table(fits: Fit | Iterable[Fit], *, format: str = "markdown") -> str:
    """Terms as rows, models as columns: each estimate with its 95 % interval in brackets.

    Terms carry the catalogue's label where one is known. Below them: estimator, fixed effects, the
    random intercept where a model has one (standard deviation with limits, intraclass correlation), sample,
    rows, clusters with their effective number (Kish's, by rows). There are no stars. An empty estimate
    says why in its cell, and in full in the notes below the table, which also tell the rows left out for
    missing values by state; a dash marks a term that the model does not have. Models of the same name are
    numbered.

    Parameters
    ----------
    fits : one fit or many, in the order of the columns.
    format : `markdown` (a pipe table), `latex` (a `tabular` that needs the package booktabs) or `html` (a
        `table`); each shows names and notes as they are, whatever signs they hold.

    Returns
    -------
    str, the table and its notes. Units are those of `estimates`, named in the first note: log odds, or
    probability for `lpm`, for one unit of the covariate.

    Raises
    ------
    ModelError : no fit, or an unknown format (with the nearest).

    Examples
    --------
    >>> from analysis.models import Model, fit
    >>> frame = pd.DataFrame({"listed": [0, 0, 1, 0, 1, 1], "x": [1, 2, 3, 4, 5, 6]})
    >>> found = fit(Model("small", "listed", ["x"], estimator="lpm"), frame)
    >>> print(coefficient_table(found).splitlines()[3])
    | x | 0.200 \\[0.0834, 0.317\\] |
    >>> print(coefficient_table(found, format="html").splitlines()[6])
    <tr><th scope="row">x</th><td>0.200 [0.0834, 0.317]</td></tr>
    """
    if not isinstance(format, str) or format not in WRITERS:
        raise ModelError(
            f"format={format!r} is unknown; one of {', '.join(WRITERS)}.{nearest(format, WRITERS)}"
        )
    return WRITERS[format](_grid(as_fits(fits)))


def _grid(fits: list[Fit]) -> Grid:
    """The table of coefficients as plain text: terms, then what was fitted."""
    tables = [estimates(fit).set_index("term") for fit in fits]
    terms = list(dict.fromkeys(term for table in tables for term in table.index))
    names = distinct_names([fit.model.name for fit in fits])
    mixed = any(fit.random is not None for fit in fits)
    feet = [_foot(fit, mixed) for fit in fits]
    shown = [
        (_label(term), *(_cell(table.loc[term]) if term in table.index else "–" for table in tables))
        for term in terms
    ]
    kinds = [ESTIMATORS[fit.model.estimator] for fit in fits]
    units = dict.fromkeys(f"{kind.title}: {kind.unit}" for kind in kinds)
    notes = [f"95 % intervals in brackets. {'; '.join(units)}."]
    for name, fit, table in zip(names, fits, tables, strict=True):
        own = [] if len(fits) == 1 else [name]
        for note, where in table.groupby("note", sort=False).groups.items():
            if note:
                subject = own + ([] if len(where) == len(table) else ["; ".join(map(_label, where))])
                notes.append(f"{', '.join(subject) or name}: {note.rstrip('.')}.")
        if fit.missing:
            notes.append(f"{name}: {fit.missing}.")
    foot = tuple((row, *(each[row] for each in feet)) for row in feet[0])
    return Grid(("Term", *names), (tuple(shown), foot), tuple(notes))


def _cell(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return reason_in_brief(row["note"])
    limits = f"{number(row['conf_low'])}, {number(row['conf_high'])}"
    return f"{number(row['estimate'])} [{limits}]"


def reason_in_brief(note: str) -> str:
    """Why a term has no number, as short as a cell.

    >>> reason_in_brief("separated (-): listed is 0 in all 97 rows with x = 1; these rows left too.")
    'none: separated (-)'
    """
    reason = note.split(":")[1] if note.startswith("left out:") else note
    return "none: " + re.split(r" in combination|:| \(\d", reason.strip())[0]


def _foot(fit: Fit, mixed: bool) -> dict[str, str]:
    """What stands below the coefficients; the random intercept where any of the fits has one."""
    model, found = fit.model, fit.random
    spread, share = "none", ""
    if found is not None:
        limits = f" [{number(found.conf_low)}, {number(found.conf_high)}]" if found.std_deviation else ""
        spread = f"{number(found.std_deviation)}{limits} in {len(found.labels)} groups of {found.group}"
        share = number(found.icc)
    drawn = {"Random intercept, standard deviation": spread, "Intraclass correlation": share} if mixed else {}
    clusters = "not clustered"
    if fit.clusters is not None:
        clusters = f"{fit.clusters} by {model.cluster} (effective: {fit.effective_clusters_by_size:.1f})"
    return {
        "Estimator": ESTIMATORS[model.estimator].title,
        "Fixed effects": ", ".join(model.fixed_effects) or "none",
        **drawn,
        "Sample": model.sample or "all",
        "Rows": f"{fit.n}",
        "Clusters": clusters,
    }


def _label(term: str) -> str:
    try:
        return catalogue.label(term)
    except AnalysisError:
        return term


def distinct_names(names: list[str]) -> list[str]:
    """Names with ` (2)`, ` (3)` behind the second and third of the same name."""
    return [
        name if names[:position].count(name) == 0 else f"{name} ({names[:position].count(name) + 1})"
        for position, name in enumerate(names)
    ]

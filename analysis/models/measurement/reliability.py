"""How much of what a survey variable varies between counties is not sampling error."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.catalogue import load_catalogue
from analysis.errors import ModelError
from analysis.models.measurement.errors import drawn_from, standard_errors, why_without_margin
from analysis.models.terms import numbers

# Counties by residents: the least of each band.
BANDS = {
    "under 5,000 residents": 0,
    "5,000 to 19,999": 5_000,
    "20,000 to 99,999": 20_000,
    "100,000 and more": 100_000,
}
EVERY = "all sizes"
COLUMNS = (
    "term", "label", "size", "counties", "without_margin", "zero_margin", "zero_estimate", "mean_std_error",
    "sd", "reliability", "note",
)  # fmt: skip


def reliability(values: np.ndarray, errors: np.ndarray) -> float:
    """1 less the mean squared standard error over the variance; NaN for a constant or fewer than two rows.

    Below 0 where the published errors exceed all that the figures vary. As a rule of thumb the slope of one
    noisy column alone is attenuated by that factor.

    Parameters
    ----------
    values : (n,), the figures. errors : (n,), their standard errors.

    Examples
    --------
    >>> round(reliability(np.array([0.0, 2.0]), np.array([1.0, 1.0])), 6)
    0.5
    """
    if len(values) < 2 or np.ptp(values) == 0:
        return float("nan")
    return float(1 - np.mean(errors**2) / np.var(values, ddof=1))


def reliability_table(names: list[str], data: pd.DataFrame, residents: str = "population") -> pd.DataFrame:
    """Each variable's reliability in all units and by their size.

    Parameters
    ----------
    names : columns of `data`. A variable without published margins has one row that says so.
    residents : the column by which units are put in bands.

    Returns
    -------
    DataFrame with `COLUMNS`: `counties` have a value and a margin, `without_margin` a value only,
    `zero_margin` a margin of zero (controlled estimates), `zero_estimate` a figure of zero.

    Raises
    ------
    ModelError : no names; a column that is absent or holds no numbers.
    """
    if not names:
        raise ModelError("No variable was given whose reliability could be told.")
    size = numbers(data, residents, "by which counties are put in bands")
    least = list(BANDS.values())
    bands = {EVERY: np.ones(len(data), bool)}
    for name, low, high in zip(BANDS, least, [*least[1:], np.inf], strict=True):
        bands[name] = (size >= low) & (size < high)
    rows = []
    for name in names:
        values = numbers(data, name)
        if not drawn_from(name, data):
            here = {"counties": 0, "without_margin": int(np.isfinite(values).sum())}
            rows.append({"term": name, "size": EVERY, "note": why_without_margin(name)} | here)
            continue
        errors = standard_errors(name, data)
        rows += [
            {"term": name, "size": band} | _told(values[rows_in], errors[rows_in])
            for band, rows_in in bands.items()
        ]
    table = pd.DataFrame(rows).assign(label=lambda frame: frame["term"].map(_label))
    whole = ["counties", "without_margin", "zero_margin", "zero_estimate"]
    return table.reindex(columns=list(COLUMNS)).astype(dict.fromkeys(whole, "Int64")).fillna({"note": ""})


def _told(values: np.ndarray, errors: np.ndarray) -> dict:
    known = np.isfinite(values) & np.isfinite(errors)
    figures, spread = values[known], errors[known]
    note = "" if known.sum() > 1 and np.ptp(figures) > 0 else "fewer than two counties, or all alike"
    return {
        "counties": int(known.sum()),
        "without_margin": int((np.isfinite(values) & ~np.isfinite(errors)).sum()),
        "zero_margin": int((spread == 0).sum()),
        "zero_estimate": int((figures == 0).sum()),
        "mean_std_error": float(spread.mean()) if len(spread) else np.nan,
        "sd": float(figures.std(ddof=1)) if len(figures) > 1 else np.nan,
        "reliability": reliability(figures, spread),
        "note": note,
    }


def _label(name: str) -> str:
    known = load_catalogue()
    return known[name].label if name in known else name

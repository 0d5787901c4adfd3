"""Average marginal effects and adjusted predictions, on the scale of probability.

The covariance of a fit goes through the delta method. Products and squares move with the columns that
they are made of. For `firth` a probability carries the FLIC correction of the intercept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, logit

from analysis.errors import ModelError, nearest
from analysis.models.design import sample_rows
from analysis.models.results import Fit
from analysis.models.terms import Term, derivative, numbers, product, require

PER = ("unit", "sd", "ten_points")


def average_marginal_effects(fit: Fit, data: pd.DataFrame, per: str = "unit") -> pd.DataFrame:
    """The average over rows of the change in probability that goes with a change of each column.

    A column of only 0 and 1 gets the discrete change from 0 to 1, whatever `per` says; any other column
    the derivative times the step. Averages are weighted by the model's weights. A column that separates,
    or of which no term is left, keeps its row with empty numbers.

    Parameters
    ----------
    fit : from `fit`.
    data : the frame that was fitted (the rows of the fit are used), or another one with the same columns
        (its rows inside the sample that are complete and of groups known to the fit).
    per : `unit`: one unit of the column; `sd`: its standard deviation over these rows (n-1);
        `ten_points`: a tenth of its unit, ten percentage points of a share.

    Returns
    -------
    DataFrame with `term` (a column; products are not terms here), `estimate`, `std_error`, `conf_low`,
    `conf_high` (95 %, by the law of the fit: t with G-1 degrees of freedom when clustered).

    Raises
    ------
    ModelError : an unknown `per`, a column that the data lack, no usable row, a `conditional_logit`.
    """
    if per not in PER:
        raise ModelError(f"per={per!r} is unknown; one of {', '.join(PER)}.{nearest(per, PER)}")
    columns, constant, weights = _rows(fit, data)
    X = _columns_of(fit, columns, constant)
    rows = []
    for name, values in columns.items():
        share, gradient = np.nan, np.full(len(fit.terms), np.nan)
        if _has_numbers(fit, name):
            if np.isin(values, (0.0, 1.0)).all():
                share, gradient = _discrete(fit, columns, constant, weights, name)
            else:
                step = {"unit": 1.0, "sd": _deviation(values), "ten_points": 0.1}[per]
                share, gradient = _slope(fit, X, columns, weights, name)
                share, gradient = share * step, gradient * step
        rows.append((name, share, np.sqrt(max(gradient @ fit.covariance @ gradient, 0.0))))
    frame = pd.DataFrame(rows, columns=["term", "estimate", "std_error"])
    frame.loc[frame["estimate"].isna(), "std_error"] = np.nan
    reach = stats.t.ppf(0.975, fit.degrees_of_freedom)
    frame["conf_low"] = frame["estimate"] - reach * frame["std_error"]
    frame["conf_high"] = frame["estimate"] + reach * frame["std_error"]
    return frame


def adjusted_predictions(fit: Fit, data: pd.DataFrame, at: Iterable[Mapping[str, float]]) -> pd.DataFrame:
    """The average predicted probability when some columns are set to given values in every row.

    Products and squares are computed anew. Averages are weighted by the model's weights.

    Parameters
    ----------
    fit : from `fit`; an `lpm` without fixed effects, or any other.
    data : as for `average_marginal_effects`.
    at : one mapping from columns to values for each row wanted, all with the same columns.

    Returns
    -------
    DataFrame with the columns of `at`, `estimate`, `std_error` (of the probability, delta method),
    `conf_low`, `conf_high`: at 95 %, for `logit` and `firth` symmetric on the logit scale of the average
    and so within 0 and 1, for `lpm` symmetric on the scale of probability.

    Raises
    ------
    ModelError : a column that the model lacks (with the nearest) or that separates, no point, an `lpm`
        with fixed effects (its level is absorbed).
    """
    points = [dict(point) for point in at]
    columns, constant, weights = _rows(fit, data)
    if not points or any(set(point) != set(points[0]) for point in points):
        raise ModelError("adjusted_predictions needs at least one point, all of the same columns.")
    for name in points[0]:
        if name not in columns:
            raise ModelError(f"Model {fit.model.name!r} has no covariate {name!r}.{nearest(name, columns)}")
        if not _has_numbers(fit, name):
            raise ModelError(f"Model {fit.model.name!r}: {name!r} has no coefficient: {_why(fit, name)}")
    if fit.model.estimator == "lpm" and fit.model.fixed_effects:
        raise ModelError("Predictions of an lpm with fixed effects are not defined: its level is absorbed.")
    reach, n = stats.t.ppf(0.975, fit.degrees_of_freedom), len(weights)
    rows = []
    for point in points:
        moved = columns | {name: np.full(n, float(value)) for name, value in point.items()}
        mean, gradient = _mean(fit, _columns_of(fit, moved, constant), weights)
        error = float(np.sqrt(max(gradient @ fit.covariance @ gradient, 0.0)))
        if fit.model.estimator == "lpm":
            low, high = mean - reach * error, mean + reach * error
        elif 0 < mean < 1:
            centre, spread = logit(mean), error / (mean * (1 - mean))
            low, high = expit(centre - reach * spread), expit(centre + reach * spread)
        else:
            low, high = mean, mean
        rows.append((*point.values(), mean, error, low, high))
    return pd.DataFrame(rows, columns=[*points[0], "estimate", "std_error", "conf_low", "conf_high"])


def _rows(fit: Fit, data: pd.DataFrame) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """The model's columns over the rows to average, the columns that stay as they are, and the weights
    (summing to 1)."""
    if fit.model.estimator == "conditional_logit":
        raise ModelError(
            f"Model {fit.model.name!r}: a conditional_logit has no probabilities to average, its effects "
            "being conditioned away; use logit with the same fixed effect."
        )
    names = list(dict.fromkeys(part for term in fit.covariates for part in term.parts))
    columns = {name: numbers(data, name) for name in names}
    weights = numbers(data, fit.model.weights, "the weights") if fit.model.weights else np.ones(len(data))
    groups = {}
    for effect in fit.model.fixed_effects:
        require(effect, data, "a fixed effect")
        groups[effect] = np.array([f"{label}" for label in data[effect].to_numpy()])
    used = _same_rows(fit, data)
    if used is None:
        used = sample_rows(fit.model, data) & (weights > 0)
        for values in columns.values():
            used &= np.isfinite(values)
        for effect, labels in groups.items():
            if fit.effects:
                known = [term.partition("=")[2] for term in fit.terms if term.startswith(f"{effect}=")]
                used &= np.isin(labels, known)
    weights = weights[used]
    if not used.any() or not np.isfinite(weights).all():
        raise ModelError(f"Model {fit.model.name!r}: the data hold no row to average over.")
    constant = {"Intercept": np.ones(used.sum())}
    for term in fit.terms[len(fit.terms) - fit.effects :]:
        effect, _, group = term.partition("=")
        constant[term] = (groups[effect][used] == group).astype(float)
    return {name: values[used] for name, values in columns.items()}, constant, weights / weights.sum()


def _same_rows(fit: Fit, data: pd.DataFrame) -> np.ndarray | None:
    """The fit's rows, when `data` is the frame that was fitted: same labels, same outcomes, complete."""
    same = len(data) == len(fit.used) and data.index[fit.used].equals(fit.rows)
    if not same or fit.model.outcome not in data.columns:
        return None
    if not np.array_equal(numbers(data, fit.model.outcome)[fit.used], fit.outcome):
        return None
    for name in dict.fromkeys(part for term in fit.covariates for part in term.parts):
        if not np.isfinite(numbers(data, name)[fit.used]).all():
            return None
    return fit.used


def _columns_of(
    fit: Fit, columns: Mapping[str, np.ndarray], constant: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The design (n, k) for the fit's terms at these values of the columns."""
    terms = {term.name: term for term in fit.covariates}
    return np.column_stack(
        [product(terms[name], columns) if name in terms else constant[name] for name in fit.terms]
    )


def _has_numbers(fit: Fit, column: str) -> bool:
    """Whether some term of the column was fitted and none of its terms separates."""
    terms = [term.name for term in fit.covariates if column in term.parts]
    separated = [name for name in terms if name in fit.omitted and "separated" in fit.notes[name]]
    return not separated and any(name in fit.terms for name in terms)


def _why(fit: Fit, column: str) -> str:
    terms = [term.name for term in fit.covariates if column in term.parts]
    return "; ".join(f"{name} {fit.notes[name]}" for name in terms if name in fit.omitted)


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan


def _mean(fit: Fit, X: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """The weighted mean of the fitted values at X (n, k), and its gradient (k,)."""
    eta = X @ fit.coefficients
    if fit.model.estimator == "lpm":
        return float(weights @ eta), weights @ X
    p = expit(eta + fit.shift)
    return float(weights @ p), (weights * p * (1 - p)) @ X


def _discrete(fit, columns, constant, weights, name) -> tuple[float, np.ndarray]:
    """The mean change when the column goes from 0 to 1 in every row, and its gradient (k,)."""
    low, high = (
        _mean(fit, _columns_of(fit, {**columns, name: np.full(len(weights), value)}, constant), weights)
        for value in (0.0, 1.0)
    )
    return high[0] - low[0], high[1] - low[1]


def _slope(fit, X, columns, weights, name) -> tuple[float, np.ndarray]:
    """The mean derivative of the fitted values with respect to the column, and its gradient (k,)."""
    terms: dict[str, Term] = {term.name: term for term in fit.covariates}
    zero = np.zeros(len(weights))
    moves = np.column_stack(
        [derivative(terms[term], name, columns) if term in terms else zero for term in fit.terms]
    )
    rate = moves @ fit.coefficients
    if fit.model.estimator == "lpm":
        return float(weights @ rate), weights @ moves
    p = expit(X @ fit.coefficients + fit.shift)
    density = weights * p * (1 - p)
    return float(density @ rate), (density * (1 - 2 * p) * rate) @ X + density @ moves

"""Average marginal effects and adjusted predictions, on the scale of probability.

The covariance of a fit goes through the delta method. Products and squares move with the columns that
they are made of. For `firth` a probability carries the FLIC correction of the intercept; for `mixed_logit`
it is averaged over the law of the random intercept, whose estimated standard deviation has its part in the
standard errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, logit

from analysis.errors import ModelError, nearest
from analysis.models.design import fitted_design
from analysis.models.quadrature import averaged
from analysis.models.results import Fit, require_fit
from analysis.models.spec import ESTIMATORS
from analysis.models.terms import Term, derivative, numbers, product, require, require_frame

PER = ("unit", "sd", "ten_points")
CORRECTIONS = ("flic", "flac", "none")
CONDITIONED_AWAY = "its effects being conditioned away; use logit with the same fixed effect"


def average_marginal_effects(
    fit: Fit, data: pd.DataFrame, per: str = "unit", at: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """The average over rows of the change in probability that goes with a change of each column.

    A column of only 0 and 1 gets the discrete change from 0 to 1, whatever `per` says; any other column
    the derivative times the step. Averages are weighted by the model's weights. A column that separates,
    or of which no term is left, keeps its row with empty numbers.

    Parameters
    ----------
    fit : from `fit`.
    data : the frame that was fitted; the average is over the rows of the fit.
    per : `unit`: one unit of the column; `sd`: its standard deviation over these rows (n-1);
        `ten_points`: a tenth of its unit, ten percentage points of a share.
    at : columns to hold at one value in every row, and these values; None leaves all rows as they are.

    Returns
    -------
    DataFrame with `term` (a column; products are not terms here), `estimate`, `std_error`, `conf_low`,
    `conf_high` (95 %, by the law of the fit: t with G-1 degrees of freedom when clustered).

    Raises
    ------
    ModelError : an unknown `per`, a column in `at` that the model lacks, other data than were fitted, a
        `conditional_logit`.

    Examples
    --------
    >>> from analysis.models import Model, fit
    >>> frame = pd.DataFrame({"x": [1, 2, 3, 4, 5, 6, 7, 8], "state": list("AABBCCDD")})
    >>> frame["y"] = [0, 0, 1, 0, 1, 1, 0, 1]
    >>> found = fit(Model("small", "y", ["x"]), frame)
    >>> average_marginal_effects(found, frame).round(3).to_dict("records")
    [{'term': 'x', 'estimate': 0.088, 'std_error': 0.048, 'conf_low': -0.007, 'conf_high': 0.182}]
    """
    if per not in PER:
        raise ModelError(f"per={per!r} is unknown.{nearest(per, PER)}")
    columns, constant, weights = _rows(fit, data)
    at = _checked(fit, at or {}, columns)
    columns |= {name: np.full(len(weights), value) for name, value in at.items()}
    X, covariance, rows = _columns_of(fit, columns, constant), _covariance(fit), []
    for name, values in columns.items():
        share, gradient = np.nan, np.full(len(covariance), np.nan)
        if _has_numbers(fit, name):
            if np.isin(values, (0.0, 1.0)).all() and name not in at:
                share, gradient = _discrete(fit, columns, constant, weights, name)
            else:
                step = {"unit": 1.0, "sd": _deviation(values), "ten_points": 0.1}[per]
                share, gradient = _slope(fit, X, columns, weights, name)
                share, gradient = share * step, gradient * step
        rows.append((name, share, np.sqrt(max(gradient @ covariance @ gradient, 0.0))))
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
    data : the frame that was fitted; the average is over the rows of the fit.
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

    Examples
    --------
    >>> from analysis.models import Model, fit
    >>> frame = pd.DataFrame({"x": [1, 2, 3, 4, 5, 6, 7, 8], "state": list("AABBCCDD")})
    >>> frame["y"] = [0, 0, 1, 0, 1, 1, 0, 1]
    >>> found = fit(Model("small", "y", ["x"]), frame)
    >>> adjusted_predictions(found, frame, [{"x": 2}, {"x": 6}])["estimate"].round(3).tolist()
    [0.253, 0.657]
    """
    columns, constant, weights = _rows(fit, data)
    if isinstance(at, Mapping | str) or not isinstance(at, Iterable):
        raise ModelError(f"at={at!r}: a list of mappings from columns to numbers is needed.")
    points = [_checked(fit, point, columns) for point in at]
    if not points or any(set(point) != set(points[0]) for point in points):
        raise ModelError("adjusted_predictions needs at least one point, all of the same columns.")
    _check_level(fit)
    reach, n = stats.t.ppf(0.975, fit.degrees_of_freedom), len(weights)
    covariance, rows = _covariance(fit), []
    for point in points:
        moved = columns | {name: np.full(n, value) for name, value in point.items()}
        mean, gradient = _mean(fit, _columns_of(fit, moved, constant), weights)
        error = float(np.sqrt(max(gradient @ covariance @ gradient, 0.0)))
        if _is_linear(fit):
            low, high = mean - reach * error, mean + reach * error
        elif 0 < mean < 1:
            centre, spread = logit(mean), error / (mean * (1 - mean))
            low, high = expit(centre - reach * spread), expit(centre + reach * spread)
        else:
            low, high = mean, mean
        rows.append((*point.values(), mean, error, low, high))
    return pd.DataFrame(rows, columns=[*points[0], "estimate", "std_error", "conf_low", "conf_high"])


def predicted_probabilities(fit: Fit, data: pd.DataFrame, correction: str | None = None) -> pd.Series:
    """The fitted probability of each row of any frame with the model's columns.

    Parameters
    ----------
    fit : a `logit`, `firth`, `lpm` (of which the values need not lie between 0 and 1) or `mixed_logit`, whose
        random intercept is integrated out in every row, that of a known group too.
    data : its rows outside the model's sample are predicted as well.
    correction : for `firth` alone, whose own probabilities are drawn towards one half: `flic` (the default)
        moves the intercept so that the mean over the fitted rows is the event rate, `flac` takes the
        coefficients that are fitted with an indicator of Firth's pseudo-observations, `none` neither
        (Puhr, Heinze, Nold, Lusa and Geroldinger, Statistics in Medicine 36, 2017).

    Returns
    -------
    Series, index as in `data`; NaN where a column is missing or a group was not among the fitted rows.

    Raises
    ------
    ModelError : an unknown correction or one for another estimator, a covariate that separates, a
        `conditional_logit`, an `lpm` with fixed effects.

    Examples
    --------
    >>> from analysis.models import Model, fit
    >>> frame = pd.DataFrame({"x": [1, 2, 3, 4, 5, 6, 7, 8], "state": list("AABBCCDD")})
    >>> frame["y"] = [0, 0, 1, 0, 1, 1, 0, 1]
    >>> found = fit(Model("small", "y", ["x"]), frame)
    >>> predicted_probabilities(found, pd.DataFrame({"x": [2, 6, None]})).round(3).tolist()
    [0.253, 0.657, nan]
    """
    require_fit(fit)
    require_frame(data)
    name = fit.model.name
    _check_response(fit)
    if correction is not None and (fit.model.estimator != "firth" or correction not in CORRECTIONS):
        raise ModelError(
            f"Model {name!r}: correction={correction!r} for {fit.model.estimator}; firth has "
            f"{', '.join(CORRECTIONS)}, other estimators have none."
        )
    _check_level(fit)
    for column in _parts(fit):
        if not _has_numbers(fit, column) and "separated" in _why(fit, column):
            raise ModelError(f"Model {name!r}: {column!r} has no coefficient: {_why(fit, column)}")
    columns = {column: numbers(data, column) for column in _parts(fit)}
    known, constant = np.ones(len(data), bool), {"Intercept": np.ones(len(data))}
    for effect in fit.model.fixed_effects:
        require(effect, data, "a fixed effect")
        labels = np.array([f"{effect}={label}" for label in data[effect].to_numpy()], dtype=object)
        constant |= {
            term: (labels == term).astype(float) for term in fit.terms if term.startswith(f"{effect}=")
        }
        known &= np.isin(labels, [f"{effect}={label}" for label in fit.groups[effect]])
    X = _columns_of(fit, columns, constant)
    if correction == "flac":
        eta = X @ fit.flac
    else:
        eta = X @ fit.coefficients + (0.0 if correction == "none" else fit.shift)
    values = eta if _is_linear(fit) else _response(fit, eta)[0]
    return pd.Series(np.where(known, values, np.nan), index=data.index, name="probability")


def _check_column(fit: Fit, name: str, columns: Mapping[str, np.ndarray]) -> None:
    """Nothing, when the model has numbers for a column of that name."""
    if name not in columns:
        raise ModelError(f"Model {fit.model.name!r} has no covariate {name!r}.{nearest(name, columns)}")
    if not _has_numbers(fit, name):
        raise ModelError(f"Model {fit.model.name!r}: {name!r} has no coefficient: {_why(fit, name)}")


def _checked(fit: Fit, at: object, columns: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The values of one point as numbers, its columns being the model's.

    Raises
    ------
    ModelError : no mapping, a column that the model lacks, a value that is no finite number.
    """
    if not isinstance(at, Mapping):
        raise ModelError(f"at={at!r}: a mapping from columns to numbers is needed.")
    for name, value in at.items():
        _check_column(fit, name, columns)
        if not (isinstance(value, Real) and np.isfinite(float(value))):
            raise ModelError(f"at: {name!r} is to be {value!r}, which is no finite number.")
    return {name: float(value) for name, value in at.items()}


def _check_response(fit: Fit) -> None:
    """Nothing, when the fit's estimator gives probabilities."""
    name = fit.model.estimator
    if ESTIMATORS[name].response is None:
        why = CONDITIONED_AWAY if name == "conditional_logit" else "no `response` being declared for it"
        raise ModelError(f"Model {fit.model.name!r}: a {name} has no probabilities to average, {why}.")


def _is_linear(fit: Fit) -> bool:
    return ESTIMATORS[fit.model.estimator].response == "identity"


def _check_level(fit: Fit) -> None:
    """Nothing, when the fit has a level of its own."""
    if _is_linear(fit) and fit.model.fixed_effects:
        raise ModelError("Predictions of an lpm with fixed effects are not defined: its level is absorbed.")


def _rows(fit: Fit, data: pd.DataFrame) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """The model's columns over the rows of the fit, the columns that stay as they are, and the weights
    (summing to 1)."""
    require_fit(fit)
    _check_response(fit)
    arrays = fitted_design(fit, data)
    columns = {name: numbers(data, name)[arrays.used] for name in _parts(fit)}
    covariates = {term.name for term in fit.covariates}
    constant = {
        name: column for name, column in zip(fit.terms, arrays.X.T, strict=True) if name not in covariates
    }
    weights = np.ones(len(arrays.y)) if arrays.weights is None else arrays.weights
    return columns, constant, weights / weights.sum()


def _parts(fit: Fit) -> list[str]:
    """The columns that the model's covariates are made of."""
    return list(dict.fromkeys(part for term in fit.covariates for part in term.parts))


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


def _response(fit: Fit, eta: np.ndarray) -> np.ndarray:
    """The probability at the linear predictors eta (n,), its first and second derivative in eta, and the
    derivatives of the first two in the random intercept's standard deviation: (5, n).

    Only for `mixed_logit` are the last two anything but zero; without a variance they are zero there too.
    """
    if fit.random is not None:
        return averaged(eta, fit.random.std_deviation)
    p = expit(eta)
    return np.array([p, p * (1 - p), p * (1 - p) * (1 - 2 * p), np.zeros(len(p)), np.zeros(len(p))])


def _covariance(fit: Fit) -> np.ndarray:
    """The covariance (k, k) of the coefficients; of `mixed_logit` (k + 1, k + 1), the deviation last."""
    return fit.covariance if fit.random is None else fit.random.covariance


def _gradient(fit: Fit, of_coefficients: np.ndarray, of_deviation: float) -> np.ndarray:
    """Derivatives in the order of `_covariance`."""
    return of_coefficients if fit.random is None else np.r_[of_coefficients, of_deviation]


def _mean(fit: Fit, X: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """The weighted mean of the fitted values at X (n, k), and its gradient (of `_covariance`)."""
    eta = X @ fit.coefficients + fit.shift
    if _is_linear(fit):
        return float(weights @ eta), weights @ X
    p, slope, _, by_deviation, _ = _response(fit, eta)
    return float(weights @ p), _gradient(fit, (weights * slope) @ X, weights @ by_deviation)


def _discrete(
    fit: Fit,
    columns: Mapping[str, np.ndarray],
    constant: Mapping[str, np.ndarray],
    weights: np.ndarray,
    name: str,
) -> tuple[float, np.ndarray]:
    """The mean change when the column goes from 0 to 1 in every row, and its gradient."""
    low, high = (
        _mean(fit, _columns_of(fit, {**columns, name: np.full(len(weights), value)}, constant), weights)
        for value in (0.0, 1.0)
    )
    return high[0] - low[0], high[1] - low[1]


def _slope(
    fit: Fit, X: np.ndarray, columns: Mapping[str, np.ndarray], weights: np.ndarray, name: str
) -> tuple[float, np.ndarray]:
    """The mean derivative of the fitted values with respect to the column, and its gradient."""
    terms: dict[str, Term] = {term.name: term for term in fit.covariates}
    zero = np.zeros(len(weights))
    moves = np.column_stack(
        [derivative(terms[term], name, columns) if term in terms else zero for term in fit.terms]
    )
    rate = moves @ fit.coefficients
    if _is_linear(fit):
        return float(weights @ rate), weights @ moves
    _, slope, bend, _, slope_by_deviation = _response(fit, X @ fit.coefficients + fit.shift)
    density = weights * slope
    gradient = (weights * bend * rate) @ X + density @ moves
    return float(density @ rate), _gradient(fit, gradient, (weights * slope_by_deviation) @ rate)

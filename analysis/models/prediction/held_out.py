"""Predictions of rows by a fit that has not seen their group: a state, or a tenth of all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from analysis.errors import ModelError
from analysis.models import firth, lpm, mixed
from analysis.models import logit as likelihood
from analysis.models.prediction.newton import CERTAIN, maximise_many
from analysis.models.quadrature import averaged
from analysis.models.rows import describe, sample_rows
from analysis.models.separation import independent, joint
from analysis.models.spec import Model
from analysis.models.terms import Term, labels_of, numbers, product, require_frame, resolve

GROUP = "state"
LIMIT = 1e100  # the squares of larger values are no numbers
FIRTH_NOTE = "separated in the other groups, so that no maximum is reached: Firth's estimates through FLIC"


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a model on a frame, complete, and the groups that are held out one at a time.

    Parameters
    ----------
    used : (rows of data,) bool. X : (n, k), the first column ones. y, weights : (n,).
    terms : the covariates, those of the columns of X after the first.
    codes : (n,) group of each row as 0 .. G-1, sorted by label. labels : the groups.
    random : (n,) group of the random intercept as 0, 1, ..., or None.
    """

    model: Model
    used: np.ndarray
    terms: tuple[Term, ...]
    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    codes: np.ndarray
    labels: tuple
    random: np.ndarray | None


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Predictions for every group by the fit on all others.

    Parameters
    ----------
    rows : what was predicted.
    coefficients : (G, k), of the fit without each group; FLIC's shift is in the intercept, a column that
        the fit could not use has 0. An outcome that is constant in the training rows has an infinite
        intercept.
    deviations : (G,), the standard deviation of each fit's random intercept; 0 without one.
    probability : index as in the data, NaN for rows outside the sample or incomplete.
    folds : one row a group: `group, rows, events, training_rows, training_events, note`.

    Examples
    --------
    >>> frame = pd.DataFrame({"y": [0, 1, 0, 1, 1, 0], "x": [1, 2, 3, 1, 2, 3], "state": list("AAABBB")})
    >>> found = predict_held_out(Model("m", "y", []), frame)
    >>> found.respond(found.rows.X).round(3).tolist() == found.probability.round(3).tolist()
    True
    """

    rows: Rows
    coefficients: np.ndarray
    deviations: np.ndarray
    probability: pd.Series
    folds: pd.DataFrame

    def respond(self, X: np.ndarray) -> np.ndarray:
        """(n,) predictions for other values X (n, k) of the same rows, each by the fit without its group."""
        codes = self.rows.codes
        return respond(self.rows.model, linear(X, self.coefficients[codes]), self.deviations[codes])


def leave_one_state_out(model: Model, data: pd.DataFrame) -> pd.Series:
    """The probability of each row by the model fitted to the rows of all other states.

    Nothing of a state reaches its own predictions: each fit is made of the other states' rows alone. Where
    those separate the outcome, the logit has no maximum and the state is predicted by Firth's penalised
    likelihood; where they all have one outcome, by that outcome; `predict_held_out` says for which states.

    Parameters
    ----------
    model : estimator `logit`, `firth` (its probabilities through FLIC), `lpm` (linear predictions, which
        may lie outside 0 to 1) or `mixed_logit` (the random intercept integrated out), without fixed effects.
    data : one row a jurisdiction, with the model's columns and `state`; any index, repeated labels included.

    Returns
    -------
    Series of floats named `probability`, index as in `data`; NaN for rows outside the sample and for rows
    that miss a covariate, the outcome, the cluster, the weight, the random intercept's group or the state.

    Raises
    ------
    ModelError : fixed effects (a state that was not seen has none), an estimator without predictions, fewer
        than two states, and whatever is wrong with a column; the message names it.

    Examples
    --------
    >>> frame = pd.DataFrame({"y": [0, 1, 0, 1, 1, 0], "x": [1, 2, 3, 1, 2, 3], "state": list("AAABBB")})
    >>> leave_one_state_out(Model("m", "y", []), frame).round(3).tolist()
    [0.667, 0.667, 0.667, 0.333, 0.333, 0.333]
    """
    return predict_held_out(model, data).probability


def k_fold(model: Model, data: pd.DataFrame, folds: int = 10, seed: int = 0) -> HeldOut:
    """As `predict_held_out` with random groups of rows, which have seen a state's other rows.

    Parameters
    ----------
    model, data : as for `leave_one_state_out`. folds : how many groups. seed : of the groups.

    Returns
    -------
    HeldOut, its `probability` from 0 to 1 on the index of `data`.

    Raises
    ------
    ModelError : as for `leave_one_state_out`.

    Examples
    --------
    >>> frame = pd.DataFrame({"y": [0, 1, 0, 1, 1, 0], "x": [1, 2, 3, 1, 2, 3], "state": list("AAABBB")})
    >>> k_fold(Model("m", "y", []), frame, folds=3).folds["rows"].tolist()
    [2, 2, 2]
    """
    order = np.random.default_rng(seed).permutation(len(data))
    return predict_held_out(model, data, pd.Series(order % folds, index=data.index))


def predict_held_out(model: Model, data: pd.DataFrame, groups: pd.Series | None = None) -> HeldOut:
    """The predictions of `leave_one_state_out` with the fits behind them.

    Parameters
    ----------
    model, data : as for `leave_one_state_out`.
    groups : the group of each row, in the order of `data`; the column `state` where nothing is said.

    Returns
    -------
    HeldOut, its `probability` from 0 to 1 on the index of `data`.

    Raises
    ------
    ModelError : as for `leave_one_state_out`.

    Examples
    --------
    >>> frame = pd.DataFrame({"y": [0, 1, 0, 1, 1, 0], "x": [1, 2, 3, 1, 2, 3], "state": list("AAABBB")})
    >>> folds = predict_held_out(Model("m", "y", []), frame).folds
    >>> folds[["group", "rows", "training_events"]].to_dict("records")
    [{'group': 'A', 'rows': 3, 'training_events': 2}, {'group': 'B', 'rows': 3, 'training_events': 1}]
    """
    rows = select(model, data, groups)
    masks = (rows.codes != np.arange(len(rows.labels))[:, None]) * rows.weights
    if rows.random is None:
        coefficients, notes = FITTERS[model.estimator](rows.X, rows.y, masks)
        deviations = np.zeros(len(masks))
    else:
        coefficients, deviations, notes = _mixed(rows, masks)
    values = np.full(len(data), np.nan)
    values[rows.used] = respond(model, linear(rows.X, coefficients[rows.codes]), deviations[rows.codes])
    counts = np.bincount(rows.codes)
    events = np.bincount(rows.codes, weights=rows.y)
    folds = pd.DataFrame(
        {
            "group": list(rows.labels),
            "rows": counts,
            "events": events.astype(int) if model.estimator != "lpm" else events,
            "training_rows": counts.sum() - counts,
            "training_events": (events.sum() - events).astype(int)
            if model.estimator != "lpm"
            else events.sum() - events,
            "note": notes,
        }
    )
    return HeldOut(
        rows, coefficients, deviations, pd.Series(values, index=data.index, name="probability"), folds
    )


def select(model: Model, data: pd.DataFrame, groups: pd.Series | None = None) -> Rows:
    """The complete rows of a model, as arrays. Errors as for `leave_one_state_out`."""
    if not isinstance(model, Model):
        raise ModelError(f"A Model was expected, not {type(model).__name__}: see load_model(name).")
    require_frame(data, f"Model {model.name!r}: ")
    if model.fixed_effects:
        raise ModelError(
            f"Model {model.name!r}: a group that was not seen has no fixed effect of "
            f"{', '.join(model.fixed_effects)}, so that it cannot be predicted. Drop the fixed effects."
        )
    if model.estimator not in (*FITTERS, "mixed_logit"):
        raise ModelError(
            f"Model {model.name!r}: the estimator {model.estimator!r} has no predictions for a group that it "
            f"has not seen; use one of {', '.join(FITTERS)}, mixed_logit."
        )
    if groups is None:
        groups = labels_of(data, GROUP, "the group that is held out")
    terms = resolve(model.covariates, data, model.level)
    parts = dict.fromkeys(part for term in terms for part in term.parts)
    if model.outcome in parts:
        raise ModelError(f"Model {model.name!r}: the outcome {model.outcome!r} is among its covariates.")
    columns = {part: numbers(data, part) for part in parts}
    y = numbers(data, model.outcome, "the outcome")
    weights = numbers(data, model.weights, "the weights") if model.weights else np.ones(len(data))
    missing = {name: np.isnan(values) for name, values in {model.outcome: y, **columns}.items()}
    missing |= {str(groups.name): groups.isna().to_numpy()}
    if model.weights:
        missing |= {model.weights: np.isnan(weights)}
    if model.cluster is not None and model.estimator != "firth":
        missing |= {model.cluster: labels_of(data, model.cluster, "the cluster").isna().to_numpy()}
    intercepts = None
    if model.random_intercept is not None:
        intercepts = labels_of(data, model.random_intercept, "the random intercept")
        missing |= {model.random_intercept: intercepts.isna().to_numpy()}
    inside = sample_rows(model, data)
    used = inside & ~np.any(list(missing.values()), axis=0)
    if not used.any():
        raise ModelError(
            f"Model {model.name!r}: no row of the sample is complete; missing values: "
            f"{describe(missing, inside, data)}."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        values = [product(term, columns)[used] for term in terms]
    X = np.column_stack([np.ones(int(used.sum())), *values])
    _check(model, X, y[used], weights[used], terms)
    codes, labels = pd.factorize(groups[used].to_numpy(), sort=True)
    if len(labels) < 2:
        raise ModelError(f"Model {model.name!r}: all rows lie in one group ({labels[0]}); it takes two.")
    random = None if intercepts is None else pd.factorize(intercepts[used].to_numpy())[0]
    return Rows(model, used, terms, X, y[used], weights[used], codes, tuple(labels), random)


def _check(model: Model, X: np.ndarray, y: np.ndarray, weights: np.ndarray, terms: tuple[Term, ...]) -> None:
    for term, column in zip(terms, X.T[1:], strict=True):
        if not np.abs(column).max() < LIMIT:
            raise ModelError(
                f"The column {term.name!r} holds values that are infinite or too large: rescale it."
            )
    if not np.isfinite(y).all() or (model.estimator != "lpm" and len(odd := y[~np.isin(y, (0.0, 1.0))])):
        wrong = y[~np.isfinite(y)] if not np.isfinite(y).all() else odd
        raise ModelError(
            f"{model.estimator} needs an outcome of 0 and 1; {model.outcome!r} holds {wrong[0]:g}."
        )
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ModelError(f"The weights {model.weights!r} must be finite and not negative.")


def linear(X: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """(n,) the linear predictor of X (n, k) by one vector of coefficients (k,) or each row's own (n, k)."""
    return (X * coefficients).sum(axis=1)


def response(model: Model) -> Callable[[np.ndarray], np.ndarray]:
    """From linear predictor to prediction."""
    return np.asarray if model.estimator == "lpm" else expit


def respond(model: Model, eta: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """From linear predictors (n,) to predictions, a normal intercept of these deviations integrated out."""
    return response(model)(eta) if model.random_intercept is None else averaged(eta, deviations)[0]


def _logits(X: np.ndarray, y: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """All logits at once; one by one those that did not converge so."""
    coefficients, converged = maximise_many(X, y, masks)
    notes = [""] * len(masks)
    for fold in np.flatnonzero(~converged):
        coefficients[fold], notes[fold] = _one(X, y, masks[fold], _logit)
    return coefficients, notes


def _each(fit: Callable) -> Callable:
    def fitted(X: np.ndarray, y: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, list[str]]:
        found = [_one(X, y, mask, fit) for mask in masks]
        return np.array([beta for beta, _ in found]), [note for _, note in found]

    return fitted


def _one(X: np.ndarray, y: np.ndarray, weights: np.ndarray, fit: Callable) -> tuple[np.ndarray, str]:
    """One fit on the rows that weigh something, without the columns that these do not determine."""
    rows = weights > 0
    X, y, weights = X[rows], y[rows], weights[rows]
    beta, note = np.zeros(X.shape[1]), ""
    if not len(y):
        raise ModelError("No row of positive weight is left outside one of the groups.")
    if y.min() == y.max():
        beta[0] = logit(y[0]) if fit is not _linear_model else y[0]
        return beta, f"the outcome is always {y[0]:g} in the other groups"
    keep = np.r_[True, independent(X[:, 1:], X[:, :1])[0]]
    if not keep.all():
        note = f"{(~keep).sum()} columns constant or collinear in the other groups"
    if len(y) <= keep.sum():
        raise ModelError(f"{len(y)} rows outside one of the groups are too few for {keep.sum()} columns.")
    beta[keep], said = fit(X[:, keep], y, weights)
    return beta, "; ".join(filter(None, [note, said]))


def _logit(X: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, str]:
    try:
        beta = likelihood.maximise(X, y, weights)
    except ModelError:
        beta = None
    if beta is not None and np.abs(X @ beta).max() < CERTAIN:
        return beta, ""
    centred = np.column_stack([X[:, :1], X[:, 1:] - X[:, 1:].mean(axis=0)])
    if beta is None or joint(centred, y)[0].any():
        return _firth(X, y, weights)[0], FIRTH_NOTE
    return beta, ""


def _firth(X: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, str]:
    if np.ptp(weights) > 0:
        raise ModelError(
            "The rows outside one of the groups separate the outcome, and Firth's estimates, which would "
            "serve then, take no weights. Drop the weights or a covariate."
        )
    beta = firth.maximise(X, y)[0]
    beta[0] += firth.flic(X @ beta, y)
    return beta, ""


def _mixed(rows: Rows, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Random-intercept logits one by one, and the standard deviations of their intercepts."""
    deviations, points = np.zeros(len(masks)), rows.model.quadrature_points
    assert rows.random is not None
    found: list[tuple[np.ndarray, str]] = []
    near: tuple[np.ndarray, float] | None = None  # each begins where the last one ended
    for fold, mask in enumerate(masks):
        codes = np.unique(rows.random[mask > 0], return_inverse=True)[1]

        def fitted(
            X: np.ndarray, y: np.ndarray, weights: np.ndarray, fold: int = fold, codes: np.ndarray = codes
        ) -> tuple[np.ndarray, str]:
            beta, note = _logit(X, y, weights)
            if note:
                return beta, note
            if why := mixed.why_no_variance(codes, y):
                raise ModelError(
                    f"Model {rows.model.name!r}: without {rows.labels[fold]} the random intercept "
                    f"{rows.model.random_intercept!r} {why}"
                )
            nonlocal near
            start = near if near is not None and len(near[0]) == X.shape[1] else None
            maximum = mixed.maximise(X, y, codes, points, start)
            near = maximum.beta, maximum.deviation
            deviations[fold] = maximum.deviation
            return maximum.beta, ""

        found.append(_one(rows.X, rows.y, mask, fitted))
    return np.array([beta for beta, _ in found]), deviations, [note for _, note in found]


def _linear_model(X: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, str]:
    return lpm.least_squares(X, y, weights), ""


# A new estimator of probabilities needs one entry: the coefficients of every fold, and how they respond.
FITTERS = {"logit": _logits, "firth": _each(_firth), "lpm": _each(_linear_model)}

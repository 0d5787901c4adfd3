"""What each row contributes to a coefficient, for logit and least squares: the parts of any sandwich."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from analysis.errors import ModelError
from analysis.models import logit, lpm
from analysis.models.cluster import (
    clustered_covariance,
    correction,
    inverse_gram,
    robust_covariance,
)
from analysis.models.design import Design
from analysis.models.terms import product

SCORED = ("logit", "lpm")


def coefficients(arrays: Design, start: np.ndarray | None = None) -> np.ndarray:
    """The coefficients (k,) of a `logit` or `lpm`, absorbed effects taken out.

    Raises
    ------
    ModelError : another estimator, or a logit that does not converge.
    """
    if _estimator(arrays) == "logit":
        return logit.maximise(arrays.X, arrays.y, arrays.weights, start)
    X, y = _within(arrays)
    return lpm.least_squares(X, y, arrays.weights)


def influence(arrays: Design, beta: np.ndarray) -> np.ndarray:
    """Each row's part of the coefficients' error, (n, k): its score times the inverse information.

    Sums of outer products of these rows, by row, cluster or distance, are the sandwich covariances.
    """
    weights = np.ones(len(arrays.y)) if arrays.weights is None else arrays.weights
    if _estimator(arrays) == "logit":
        eta = arrays.X @ beta
        rows = logit.scores(arrays.X, arrays.y, eta, weights)
        return rows @ inverse_gram(arrays.X, weights * expit(eta) * expit(-eta))
    X, y = _within(arrays)
    return X * (weights * (y - X @ beta))[:, None] @ inverse_gram(X, weights)


def sandwich(arrays: Design, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """The covariance (k, k) by the project's conventions of coefficients with this influence (n, k), and the
    degrees of freedom: clustered and G-1, or HC1 and the normal law (`lpm`: n-k)."""
    identity = np.eye(rows.shape[1])
    if arrays.codes is not None:
        factor = correction(len(rows), arrays.parameters, arrays.clusters)
        return clustered_covariance(identity, rows, arrays.codes, factor), arrays.clusters - 1.0
    df = np.inf if arrays.model.estimator == "logit" else float(len(rows) - arrays.parameters)
    return robust_covariance(identity, rows, arrays.parameters), df


def slopes_at_means(arrays: Design, columns: dict[str, np.ndarray]) -> tuple[tuple[str, ...], np.ndarray]:
    """The slope of one standard deviation of each column, the others at their means, as a linear map.

    In a model without products that is the coefficient times the standard deviation; with them it spares the
    reader a slope where the other column is zero.

    Parameters
    ----------
    arrays : of the model. columns : the parts of its terms, each (n,).

    Returns
    -------
    The columns' names, and (columns, k): times the coefficients (k,) it gives the slopes.
    """
    terms = [term for term in arrays.terms if term.name in arrays.names]
    names = tuple(dict.fromkeys(part for term in terms for part in term.parts))
    means = {name: float(columns[name].mean()) for name in names}
    out = np.zeros((len(names), len(arrays.names)))
    for i, name in enumerate(names):
        spread = float(columns[name].std(ddof=1))
        for term in terms:
            powers = {part: means[part] ** term.parts.count(part) for part in term.parts if part != name}
            times = term.parts.count(name)
            if times:
                slope = times * means[name] ** (times - 1) * float(np.prod(list(powers.values())))
                out[i, arrays.names.index(term.name)] = spread * slope
    return names, out


def with_columns(arrays: Design, columns: dict[str, np.ndarray]) -> np.ndarray:
    """The design's X (n, k) with its terms made of other columns, the constant and effects as they are."""
    X = arrays.X.copy()
    for term in arrays.terms:
        if term.name in arrays.names:
            X[:, arrays.names.index(term.name)] = product(term, columns)
    return X


def _estimator(arrays: Design) -> str:
    name = arrays.model.estimator
    if name not in SCORED:
        raise ModelError(f"Model {arrays.model.name!r}: this needs a {' or '.join(SCORED)}, not {name}.")
    return name


def _within(arrays: Design) -> tuple[np.ndarray, np.ndarray]:
    """X and y with absorbed effects taken out."""
    if not arrays.groups:
        return arrays.X, arrays.y
    inner = lpm.demean(np.column_stack([arrays.y, arrays.X]), arrays.groups, arrays.weights)
    return inner[:, 1:], inner[:, 0]

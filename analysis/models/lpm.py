"""The linear probability model: least squares, with effects absorbed by linearmodels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from linearmodels.iv.absorbing import AbsorbingLS
from linearmodels.panel.utility import AbsorbingEffectError

from analysis.errors import ModelError
from analysis.models.cluster import (
    clustered_covariance,
    correction,
    effective_clusters,
    inverse_gram,
    robust_covariance,
)
from analysis.models.results import Estimated, condition_number, wald

if TYPE_CHECKING:
    from analysis.models.design import Design


def least_squares(X: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The coefficients of (weighted) least squares, (k,), by QR. X : (n, k) of full column rank."""
    root = np.ones(len(y)) if weights is None else np.sqrt(weights)
    Q, R = np.linalg.qr(X * root[:, None])
    return np.linalg.solve(R, Q.T @ (y * root))


def demean(X: np.ndarray, groups: tuple[np.ndarray, ...], weights: np.ndarray | None = None) -> np.ndarray:
    """X (n, k) with the groups' (weighted) means taken out, by alternating projections."""
    weights = np.ones(len(X)) if weights is None else weights
    totals = [np.bincount(codes, weights=weights) for codes in groups]
    out = X - X.mean(axis=0)  # which loses nothing, and keeps the digits of what lies far from zero
    largest_of = np.abs(out).max(axis=0)
    for _ in range(10_000):
        largest = 0.0
        for codes, total in zip(groups, totals, strict=True):
            for j in range(out.shape[1]):
                mean = np.bincount(codes, weights=weights * out[:, j]) / total
                out[:, j] -= mean[codes]
                largest = max(largest, np.abs(mean).max() / (largest_of[j] or 1.0))
        if len(groups) == 1 or largest < 1e-13:
            break
    return out


def absorbed(
    X: np.ndarray,
    y: np.ndarray,
    groups: tuple[np.ndarray, ...],
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """The coefficients (k,), effects absorbed by linearmodels.

    X is demeaned beforehand, which does not change them: linearmodels compares what is left of a column with
    the whole, and would refuse one that lies far from zero or nearly in the effects.

    Raises
    ------
    ModelError : linearmodels finds a column that the effects absorb, or cannot fit.
    """
    absorb = pd.DataFrame({f"g{i}": pd.Categorical(group) for i, group in enumerate(groups)})
    X = demean(X, groups, weights)
    scale = np.linalg.norm(X, axis=0) / np.sqrt(len(X))
    try:
        model = AbsorbingLS(y, pd.DataFrame(X / scale), absorb=absorb, weights=weights)
        return model.fit().params.to_numpy() / scale
    except (AbsorbingEffectError, ValueError, np.linalg.LinAlgError) as error:
        raise ModelError(f"The fixed effects leave too little of a covariate: {error}") from error


def estimate(design: Design) -> Estimated:
    """Least squares for a design; any numeric outcome will do.

    With fixed effects the coefficients are those of linearmodels' AbsorbingLS, and the sandwich is made of
    the demeaned columns by QR: AbsorbingLS inverts their square, which loses twice the digits. With
    clusters: t with G-1 degrees of freedom. Without: HC1, t with n-k.
    """
    X, y, weights = design.X, design.y, design.weights
    n, df, effective = len(y), float(len(y) - design.parameters), None
    if design.groups:
        beta = absorbed(X, y, design.groups, weights)
        inner = demean(np.column_stack([y, X]), design.groups, weights)
        residuals, within = inner[:, 0] - inner[:, 1:] @ beta, inner[:, 1:]
    else:
        beta = least_squares(X, y, weights)
        residuals, within = y - X @ beta, X
    root = np.ones(n) if weights is None else np.sqrt(weights)
    if design.codes is not None:
        effective = effective_clusters(within * root[:, None], design.codes)
        df, factor = design.clusters - 1.0, correction(n, design.parameters, design.clusters)
    else:
        factor = n / (n - design.parameters)
    bread = inverse_gram(within, root**2)
    scores = within * (residuals * root**2)[:, None]
    covariance = (
        robust_covariance(bread, scores, design.parameters)
        if design.codes is None
        else clustered_covariance(bread, scores, design.codes, factor)
    )
    squares = float(residuals**2 @ root**2)
    exact = squares <= 1e-20 * float(y**2 @ root**2)
    with np.errstate(divide="ignore"):
        likelihood = float(np.log(root).sum() - n / 2 * (np.log(2 * np.pi) + np.log(squares / n) + 1))
    return Estimated(
        coefficients=beta,
        covariance=covariance,
        inference=wald(beta, covariance, df),
        degrees_of_freedom=df,
        log_likelihood=likelihood,
        converged=True,
        condition_number=condition_number(within * root[:, None]),
        fitted=y - residuals,
        effective_clusters=effective,
        note="the fit is exact, so that its standard errors are rounding errors" if exact else "",
    )

"""Spatial noise as a covariate: how often nothing at all comes out as significant, by method.

Kelly, "The Standard Errors of Persistence" (CEPR Discussion Paper 13783, 2019): noise that resembles itself
among neighbours often "explains" what does the same. A method that is sound finds it at its level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import ModelError
from analysis.models.cluster import clustered_covariance, correction
from analysis.models.design import Design
from analysis.models.scores import coefficients, influence
from analysis.models.spatial.conley import conley_variances, distances, root_of_positive
from analysis.models.terms import whole

LEVEL = 0.05


def noise_fields(
    latitude: np.ndarray, longitude: np.ndarray, range_km: float, draws: int, seed: int = 0
) -> np.ndarray:
    """Gaussian noise (n, draws), each column of mean 0 and standard deviation 1 over the rows.

    The correlation of two points is exp(-distance / range); rows at one point have the same value.

    Parameters
    ----------
    latitude, longitude : (n,), in degrees. range_km : above 0. draws : columns. seed : of these.

    Raises
    ------
    ModelError : a range that is not above 0, no draws, fewer than two points.
    """
    whole("seed", seed, 0)
    whole("draws", draws, 1)
    if not (np.isfinite(range_km) and range_km > 0):
        raise ModelError(f"range_km={range_km!r}: kilometres above 0 are needed.")
    points, where = np.unique(np.column_stack([latitude, longitude]), axis=0, return_inverse=True)
    if len(points) < 2:
        raise ModelError("Spatial noise needs two points or more.")
    together = np.exp(-distances(points[:, 0], points[:, 1]) / range_km)
    together[np.diag_indices(len(points))] += 1e-9  # so that rounding leaves it positive
    root = np.linalg.cholesky(together)
    fields = (root @ np.random.default_rng(seed).standard_normal((len(points), draws)))[where.ravel()]
    return (fields - fields.mean(axis=0)) / fields.std(axis=0)


def placebo(
    arrays: Design,
    fields: np.ndarray,
    latitude: np.ndarray,
    longitude: np.ndarray,
    cutoffs_km: Sequence[float],
    against: str | None = None,
) -> pd.DataFrame:
    """How often noise beside a model's covariates is significant at the 5 % level, by method.

    Methods: `independent` (HC0, the normal law), `clustered` (where the model names clusters: the convention
    and t with G-1 degrees of freedom), `conley` at each cutoff (the normal law), `larger` of the clustered
    error and the largest of Conley's (t with G-1). A field without an error counts as not
    significant.

    Parameters
    ----------
    arrays : of a `logit` or `lpm`. fields : (n, draws). latitude, longitude : (n,), in degrees.
    cutoffs_km : of Conley's errors. against : a term of the model, or None.

    Returns
    -------
    DataFrame `method, cutoff_km, draws, rejected, beyond`: fields that could be fitted, the share of them
    that is significant, and the share whose statistic is larger than that of `against` by the same method.

    Raises
    ------
    ModelError : what `noise_fields` and `nearby_sums` name, no field that can be fitted, no such term.
    """
    k = len(arrays.names)
    start = np.r_[coefficients(arrays), 0.0]
    found, rows = np.empty(fields.shape[1]), np.empty(fields.shape)
    for draw, field in enumerate(fields.T):
        wider = replace(arrays, X=np.column_stack([arrays.X, field]))
        try:
            beta = coefficients(wider, start)
        except ModelError:  # the field separates the outcome
            found[draw], rows[:, draw] = np.nan, 0.0
            continue
        found[draw], rows[:, draw] = beta[k], influence(wider, beta)[:, k]
    fitted = np.isfinite(found)
    if not fitted.any():
        raise ModelError(f"Model {arrays.model.name!r} could be fitted with none of the noise beside it.")
    found, rows = found[fitted], rows[:, fitted]
    errors = _errors(arrays, rows, latitude, longitude, cutoffs_km)
    beyond: dict[tuple[str, float], float] = {}
    if against is not None:
        if against not in arrays.names:
            raise ModelError(
                f"Model {arrays.model.name!r} has no coefficient of {against!r} to compare with."
            )
        j = arrays.names.index(against)
        own = _errors(arrays, influence(arrays, start[:-1])[:, [j]], latitude, longitude, cutoffs_km)
        for key, (error, _) in errors.items():
            beyond[key] = float((np.abs(found) / error > abs(start[j]) / own[key][0][0]).mean())
    return pd.DataFrame(
        {
            "method": method,
            "cutoff_km": cutoff,
            "draws": len(found),
            "rejected": float((2 * stats.t.sf(np.abs(found) / error, df) < LEVEL).mean()),
            "beyond": beyond.get((method, cutoff), np.nan),
        }
        for (method, cutoff), (error, df) in errors.items()
    )


def _errors(
    arrays: Design,
    rows: np.ndarray,
    latitude: np.ndarray,
    longitude: np.ndarray,
    cutoffs_km: Sequence[float],
) -> dict[tuple[str, float | None], tuple[np.ndarray, float]]:
    """The standard errors (m,) of coefficients with this influence (n, m), and the t law's degrees."""
    alone = (rows**2).sum(axis=0)
    spatial = root_of_positive(conley_variances(rows, latitude, longitude, cutoffs_km), alone)
    out = {("independent", None): (np.sqrt(alone), np.inf)}
    largest, df = np.fmax.reduce(spatial, axis=0), np.inf
    if arrays.codes is not None:
        factor = correction(len(rows), arrays.parameters, arrays.clusters)
        sums = clustered_covariance(np.eye(rows.shape[1]), rows, arrays.codes, factor)
        clustered, df = np.sqrt(np.diag(sums)), arrays.clusters - 1.0
        out["clustered", None] = (clustered, df)
        largest = np.fmax(clustered, largest)
    out |= {("conley", cutoff): (spatial[i], np.inf) for i, cutoff in enumerate(cutoffs_km)}
    return out | {("larger", None): (largest, df)}

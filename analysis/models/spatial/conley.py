"""Standard errors that let errors go together up to a distance.

Conley, "GMM Estimation with Cross Sectional Dependence" (Journal of Econometrics 92, 1999), with a uniform
kernel: every pair up to the cutoff counts in full. Such a sum need not be positive; where it is not there is
no standard error.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.errors import ModelError

EARTH_KM = 6371.0088  # mean radius
BLOCK = 256  # rows whose distances to all others are held at a time
ROUNDING = 1e-12  # a variance below this share of that of independent rows is a sum of zero


def distances(
    latitude: np.ndarray, longitude: np.ndarray, rows: slice = slice(None), radius_km: float = EARTH_KM
) -> np.ndarray:
    """Great-circle distances in kilometres from some of the points to all, (rows, n), by the haversine.

    >>> distances(np.array([0.0, 0.0]), np.array([0.0, 180.0])).round().tolist()[0]
    [0.0, 20015.0]
    """
    phi, lam = np.radians(latitude), np.radians(longitude)
    half = np.sin((phi[rows, None] - phi) / 2) ** 2
    half += np.cos(phi[rows, None]) * np.cos(phi) * np.sin((lam[rows, None] - lam) / 2) ** 2
    return 2 * radius_km * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


def nearby_sums(
    values: np.ndarray,
    latitude: np.ndarray,
    longitude: np.ndarray,
    cutoffs_km: Sequence[float],
    radius_km: float = EARTH_KM,
) -> np.ndarray:
    """For every row the sum of the values (n, k) of all rows within each cutoff, itself included: (c, n, k).

    At a cutoff of 0 that is the row alone, also where others lie at the same point.

    Raises
    ------
    ModelError : missing coordinates, or outside their range; a cutoff that is negative or no number.
    """
    values = np.asarray(values, dtype=float)
    latitude, longitude = np.asarray(latitude, dtype=float), np.asarray(longitude, dtype=float)
    if not len(values) == len(latitude) == len(longitude):
        raise ModelError(
            f"{len(values)} rows, {len(latitude)} latitudes, {len(longitude)} longitudes: not alike."
        )
    for name, column, low, high in (("latitude", latitude, -90, 90), ("longitude", longitude, -180, 360)):
        if (bad := ~((column >= low) & (column <= high))).any():
            raise ModelError(
                f"{bad.sum()} of {len(column)} rows have no {name} between {low} and {high} degrees, first "
                f"at position {bad.argmax()} ({column[bad.argmax()]}). Leave them out or find "
                "their coordinates."
            )
    if not len(cutoffs_km) or not all(np.isfinite(cutoff) and cutoff >= 0 for cutoff in cutoffs_km):
        raise ModelError(f"cutoffs {list(cutoffs_km)}: kilometres of 0 or more are needed.")
    out = np.empty((len(cutoffs_km), *values.shape))
    for start in range(0, len(values), BLOCK):
        rows = slice(start, start + BLOCK)
        away = distances(latitude, longitude, rows, radius_km)
        for position, cutoff in enumerate(cutoffs_km):
            out[position, rows] = (away <= cutoff).astype(float) @ values if cutoff > 0 else values[rows]
    return out


def conley_covariances(
    influence: np.ndarray,
    latitude: np.ndarray,
    longitude: np.ndarray,
    cutoffs_km: Sequence[float],
    radius_km: float = EARTH_KM,
) -> np.ndarray:
    """The covariance (c, k, k) of coefficients at each cutoff, without a finite-sample factor.

    At a cutoff of 0 that is HC0.

    Parameters
    ----------
    influence : (n, k), from `analysis.models.scores.influence`. latitude, longitude : (n,), in degrees.
    cutoffs_km : (c,), within which rows go together. radius_km : of the sphere.
    """
    sums = nearby_sums(influence, latitude, longitude, cutoffs_km, radius_km)
    return np.einsum("ni,cnj->cij", influence, sums)


def conley_variances(
    influence: np.ndarray,
    latitude: np.ndarray,
    longitude: np.ndarray,
    cutoffs_km: Sequence[float],
) -> np.ndarray:
    """The variances alone, (c, k), for many columns of influence (n, k) that need no covariances."""
    sums = nearby_sums(influence, latitude, longitude, cutoffs_km)
    return np.einsum("ni,cni->ci", influence, sums)


def root_of_positive(variances: np.ndarray, alone: np.ndarray) -> np.ndarray:
    """Square roots of variances (c, k); NaN where one is not above 0, as the uniform kernel can make it.

    What is left of a sum of zero by rounding, as where the cutoff holds all rows, is told by the variances of
    independent rows, `alone` (k,).
    """
    with np.errstate(invalid="ignore"):
        return np.where(variances > ROUNDING * alone, np.sqrt(variances), np.nan)

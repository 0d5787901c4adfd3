"""SIMEX: add more error, see what it does to the estimates, and extrapolate back to none.

Cook and Stefanski (Journal of the American Statistical Association 89, 1994); the covariance as in Carroll,
Küchenhoff, Lombard and Stefanski (the same, 91, 1996), for errors of known size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import ModelError
from analysis.models.measurement.noisy import Noisy
from analysis.models.scores import coefficients, influence, sandwich
from analysis.models.terms import whole

LAMBDAS = (0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True, eq=False)
class Corrected:
    """Coefficients (k,) after a correction, their covariance (k, k), and its degrees of freedom."""

    estimates: np.ndarray
    covariance: np.ndarray
    degrees_of_freedom: float


def simex(
    noisy: Noisy, lambdas: Sequence[float] = LAMBDAS, draws: int = 100, seed: int = 0, degree: int = 2
) -> Corrected:
    """Coefficients extrapolated to columns without error.

    To every column that has an error of standard deviation s, normal error of variance lambda s^2 is added,
    products are made anew, and the model is fitted; the mean over draws, as a polynomial in lambda, is
    continued to lambda = -1. The extrapolation is a fixed combination of the fits, so that the same
    combination of their rows' influence gives the covariance, by the project's conventions. Every draw is
    used with both signs, which takes most of the simulation's own error out.

    Parameters
    ----------
    noisy : from `noisy_design`.
    lambdas : shares of the variance that are added, above 0; the fit as published is the one at 0.
    draws : fits at each lambda, an even number. seed : of these. degree : of the polynomial, 1 or 2.

    Raises
    ------
    ModelError : lambdas that are not above 0, doubled, or too few for the degree; an odd number of draws; a
        fit that does not converge.
    """
    whole("seed", seed, 0)
    if whole("draws", draws, 2) % 2:
        raise ModelError(f"draws={draws}: an even number is needed, each draw being used with both signs.")
    grid = np.array(lambdas, dtype=float)
    if degree not in (1, 2):
        raise ModelError(f"degree={degree!r}: the extrapolation is linear (1) or quadratic (2).")
    if not ((grid > 0).all() and len(set(grid)) == len(grid) >= degree):
        raise ModelError(f"lambdas={list(lambdas)}: distinct values above 0 are needed, {degree} or more.")
    start = coefficients(noisy.arrays)
    fits, rows = [start], [influence(noisy.arrays, start)]
    for share in grid:
        total, parts = np.zeros_like(start), np.zeros_like(rows[0])
        for number in range(draws):
            arrays = noisy.on(noisy.columns | _noisier(noisy, share, seed, number))
            beta = coefficients(arrays, start)
            total += beta
            parts += influence(arrays, beta)
        fits.append(total / draws)
        rows.append(parts / draws)
    weights = extrapolation(np.r_[0.0, grid], degree)
    covariance, df = sandwich(noisy.arrays, np.tensordot(weights, np.array(rows), axes=1))
    return Corrected(weights @ np.array(fits), covariance, df)


def extrapolation(lambdas: np.ndarray, degree: int) -> np.ndarray:
    """The weights (L,) by which a least-squares polynomial through values at lambdas gives that at -1.

    >>> extrapolation(np.array([0.0, 1.0]), 1).round(6).tolist()
    [2.0, -1.0]
    """
    powers = np.vander(lambdas, degree + 1)
    return np.linalg.pinv(powers).T @ np.vander([-1.0], degree + 1)[0]


def _noisier(noisy: Noisy, share: float, seed: int, number: int) -> dict[str, np.ndarray]:
    """The columns with errors added; odd draws have the errors of the one before with the other sign."""
    rng = np.random.default_rng([seed, number // 2])
    size = np.sqrt(share) * (-1 if number % 2 else 1)
    return {
        name: noisy.columns[name] + size * error * rng.standard_normal(len(error))
        for name, error in noisy.errors.items()
    }

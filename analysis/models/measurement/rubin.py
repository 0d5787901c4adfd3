"""Rubin's rules: one estimate and one error from fits to several draws of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.errors import ModelError


@dataclass(frozen=True, eq=False)
class Pooled:
    """What m fits say together of k quantities; every field (k,).

    Parameters
    ----------
    estimate : mean of the estimates. variance : mean variance plus (1 + 1/m) times that between draws.
    degrees_of_freedom : Barnard and Rubin's. missing_information : the fraction of information that the
        draws stand for.
    """

    estimate: np.ndarray
    variance: np.ndarray
    degrees_of_freedom: np.ndarray
    missing_information: np.ndarray


def pool(estimates: np.ndarray, variances: np.ndarray, complete: float = np.inf) -> Pooled:
    """Rubin's rules with the degrees of freedom of Barnard and Rubin (Biometrika 86, 1999).

    Draws from published errors add the survey's uncertainty to the error of an estimate. They do not undo the
    attenuation that the errors cause: each draw has the errors twice.

    Parameters
    ----------
    estimates, variances : (m, k), of the fits to m draws. complete : degrees of freedom of a single fit.

    Raises
    ------
    ModelError : fewer than two draws, unlike shapes, a value that is no number, a negative variance.

    Examples
    --------
    >>> pooled = pool(np.array([[0.0], [2.0]]), np.array([[1.0], [1.0]]))
    >>> pooled.estimate.tolist(), pooled.variance.tolist()
    ([1.0], [4.0])
    """
    estimates, variances = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    if estimates.ndim != 2 or estimates.shape != variances.shape or len(estimates) < 2:
        raise ModelError(
            f"Rubin's rules need two draws or more, and a variance an estimate; the shapes are "
            f"{estimates.shape} and {variances.shape}."
        )
    if not (np.isfinite(estimates).all() and np.isfinite(variances).all() and (variances >= 0).all()):
        raise ModelError("Rubin's rules need estimates and variances that are numbers, none of them below 0.")
    if not complete > 0:
        raise ModelError(f"complete={complete!r}: degrees of freedom above 0 are needed.")
    m = len(estimates)
    inside, between = variances.mean(axis=0), (1 + 1 / m) * estimates.var(axis=0, ddof=1)
    total = inside + between
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(total > 0, between / total, 0.0)
        drawn = np.where(share > 0, (m - 1) / share**2, np.inf)
        few = (complete + 1) / (complete + 3) * complete * (1 - share)
        seen = np.full_like(share, np.inf) if np.isinf(complete) else few
        df = 1 / (1 / drawn + 1 / seen)
        increase = np.where(inside > 0, between / inside, np.inf)
        missing = np.where(np.isinf(increase), 1.0, (increase + 2 / (df + 3)) / (increase + 1))
    return Pooled(estimates.mean(axis=0), total, df, np.where(between > 0, missing, 0.0))

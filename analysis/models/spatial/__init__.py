"""Neighbours: whether they resemble each other, and errors that let them."""

from analysis.models.spatial.autocorrelation import (
    gearys_c,
    join_count,
    lagrange_multipliers,
    moran_moments,
    moran_of_residuals,
    morans_i,
)
from analysis.models.spatial.conley import conley_covariances
from analysis.models.spatial.placebo import noise_fields, placebo
from analysis.models.spatial.residuals import resemblance, residuals_of
from analysis.models.spatial.weights import adjacency, row_standardised

__all__ = [
    "adjacency",
    "conley_covariances",
    "gearys_c",
    "join_count",
    "lagrange_multipliers",
    "moran_moments",
    "moran_of_residuals",
    "morans_i",
    "noise_fields",
    "placebo",
    "resemblance",
    "residuals_of",
    "row_standardised",
]

"""Sampling errors of covariates: carried through formulas, counted in the errors, and undone."""

from analysis.models.measurement.errors import drawn_from, standard_errors
from analysis.models.measurement.headlines import Simulation, with_and_without
from analysis.models.measurement.noisy import noisy_design
from analysis.models.measurement.reliability import reliability, reliability_table
from analysis.models.measurement.rubin import pool
from analysis.models.measurement.shrinkage import shrinkage
from analysis.models.measurement.simex import simex

__all__ = [
    "Simulation",
    "drawn_from",
    "noisy_design",
    "pool",
    "reliability",
    "reliability_table",
    "shrinkage",
    "simex",
    "standard_errors",
    "with_and_without",
]

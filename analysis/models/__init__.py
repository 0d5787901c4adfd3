"""Models of being listed: describe one, fit it, read it."""

from analysis.models.bootstrap import wild_cluster_bootstrap
from analysis.models.components import group_intercepts, variance_components
from analysis.models.effects import (
    adjusted_predictions,
    average_marginal_effects,
    predicted_probabilities,
)
from analysis.models.fitting import fit
from analysis.models.jackknife import jackknife
from analysis.models.results import Fit, estimates
from analysis.models.spec import Model, load_model
from analysis.models.within import within_between

__all__ = [
    "Fit",
    "Model",
    "adjusted_predictions",
    "average_marginal_effects",
    "estimates",
    "fit",
    "group_intercepts",
    "jackknife",
    "load_model",
    "predicted_probabilities",
    "variance_components",
    "wild_cluster_bootstrap",
    "within_between",
]

"""Fits a model: the design, the estimator of that name, and one frozen result."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from analysis.errors import MissingValueWarning, ModelError
from analysis.models import conditional, firth, logit, lpm, mixed
from analysis.models.cluster import kish
from analysis.models.design import design
from analysis.models.results import Fit
from analysis.models.spec import Model

ESTIMATORS = {
    "logit": logit.estimate,
    "firth": firth.estimate,
    "lpm": lpm.estimate,
    "conditional_logit": conditional.estimate,
    "mixed_logit": mixed.estimate,
}


def fit(model: Model, data: pd.DataFrame) -> Fit:
    """Fits one model on any DataFrame.

    Parameters
    ----------
    model : from `load_model` or `Model`.
    data : one row a jurisdiction, with the model's columns; any index, repeated labels included.

    Raises
    ------
    ModelError : what `analysis.models.design.design` names, or an estimator that did not converge.

    Warns
    -----
    MissingValueWarning : rows are left out because they miss a value: how many, for which column, in which
        states. `fit.dropped` has the reason of every row left out, `fit.missing` the sentence.

    Examples
    --------
    >>> frame = pd.DataFrame({"listed": [0, 0, 1, 0, 1, 1], "x": [1, 2, 3, 4, 5, 6]})
    >>> found = fit(Model("small", "listed", ["x"], estimator="lpm"), frame)
    >>> found.n, found.terms, found.coefficients.round(3).tolist()
    (6, ('Intercept', 'x'), [-0.2, 0.2])
    """
    if not isinstance(model, Model):
        raise ModelError(f"A Model was expected, not {type(model).__name__}: see load_model(name).")
    chosen = design(model, data)
    if chosen.missing:
        warnings.warn(f"Model {model.name!r}: {chosen.missing}.", MissingValueWarning, stacklevel=2)
    with np.errstate(over="ignore", under="ignore"):
        found = ESTIMATORS[model.estimator](chosen)
    notes, k = dict(chosen.notes), len(chosen.names) - chosen.effects
    general = [found.note] if found.note else []
    if chosen.clusters is not None and chosen.clusters <= k:
        general.append(f"no more clusters ({chosen.clusters}) than coefficients ({k}): errors too small")
    for name in chosen.names[:k] if general else ():
        notes[name] = "; ".join(filter(None, [notes.get(name, ""), *general]))
    return Fit(
        model=model,
        n=len(chosen.y),
        rows=data.index[chosen.used],
        used=chosen.used,
        dropped=chosen.dropped,
        missing=chosen.missing,
        covariates=chosen.terms,
        terms=chosen.names,
        effects=chosen.effects,
        groups={name: tuple(data[name][chosen.used].unique()) for name in model.fixed_effects},
        coefficients=found.coefficients,
        covariance=found.covariance,
        inference=found.inference,
        degrees_of_freedom=found.degrees_of_freedom,
        clusters=chosen.clusters,
        effective_clusters=found.effective_clusters,
        effective_clusters_by_size=None if chosen.codes is None else kish(np.bincount(chosen.codes)),
        log_likelihood=found.log_likelihood,
        converged=found.converged,
        condition_number=found.condition_number,
        outcome=chosen.y,
        fitted=found.fitted,
        shift=found.shift,
        flac=found.flac,
        random=found.random,
        notes=notes,
        omitted=chosen.omitted,
        fingerprint=chosen.fingerprint,
    )

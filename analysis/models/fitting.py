"""Fits a model: the design, the estimator of that name, and one frozen result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models import conditional, firth, logit, lpm, mixed
from analysis.models.cluster import kish
from analysis.models.design import design
from analysis.models.results import CONDITION_LIMIT, Fit
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

    Examples
    --------
    >>> frame = pd.DataFrame({"listed": [0, 0, 1, 0, 1, 1], "x": [1, 2, 3, 4, 5, 6]})
    >>> fit(Model("small", "listed", ["x"], estimator="lpm"), frame).n
    6
    """
    if not isinstance(model, Model):
        raise ModelError(f"A Model was expected, not {type(model).__name__}: see load_model(name).")
    chosen = design(model, data)
    with np.errstate(over="ignore", under="ignore"):
        found = ESTIMATORS[model.estimator](chosen)
    notes, k = dict(chosen.notes), len(chosen.names) - chosen.effects
    general = [found.note] if found.note else []
    if found.condition_number > CONDITION_LIMIT:
        general.append(_ill_conditioned(found.condition_number))
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


def sound_fit(model: Model, data: pd.DataFrame) -> Fit:
    """A fit whose numbers are printed: refused where rounding to these digits would hide an instability.

    Raises
    ------
    ModelError : as `fit`, and where the fit did not converge or is too ill-conditioned.
    """
    fitted = fit(model, data)
    if not fitted.converged:
        raise ModelError(f"Model {model.name!r} did not converge. Look for separation or drop a covariate.")
    if fitted.condition_number > CONDITION_LIMIT:
        raise ModelError(
            f"Model {model.name!r}: {_ill_conditioned(fitted.condition_number)}. Drop or rescale a covariate."
        )
    return fitted


def _ill_conditioned(number: float) -> str:
    return (
        f"the condition number {number:.3g} is above {CONDITION_LIMIT:.0e}, so that not all printed digits "
        "are exact"
    )

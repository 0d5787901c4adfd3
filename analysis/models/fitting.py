"""Fits a model: the design, the estimator of that name, and one frozen result; and all of `params.yaml`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.catalogue import GROUPS
from analysis.errors import MissingValueWarning, ModelError
from analysis.models import conditional, firth, logit, lpm, mixed
from analysis.models.cluster import kish
from analysis.models.design import design
from analysis.models.results import CONDITION_LIMIT, Fit
from analysis.models.spec import Model, load_model

ESTIMATE = {
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
        found = ESTIMATE[model.estimator](chosen)
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


def fit_all(models: Mapping[str, dict], panels: Mapping[str, pd.DataFrame]) -> dict[str, Fit]:
    """Every pre-specified model, fitted to the panel of its level, as `sound_fit` does."""
    return {name: sound_fit(load_model(name), panels[load_model(name).level]) for name in models}


def by_name(models: Mapping[str, dict]) -> dict[str, dict]:
    """The models that name every covariate, so that a new variable in a group cannot change them."""
    groups = set(GROUPS)
    return {name: entry for name, entry in models.items() if not groups & set(load_model(name).covariates)}

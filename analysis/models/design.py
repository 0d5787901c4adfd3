"""From a model and any DataFrame to arrays: which rows, which columns, and why the others are left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models.cluster import is_nested, rests_on
from analysis.models.results import Fit, require_fit
from analysis.models.rows import drop_missing, sample_rows
from analysis.models.selection import INTERCEPT, Base, Selection, base_columns, choose
from analysis.models.spec import ABSORBING, Model
from analysis.models.terms import Term, labels_of, numbers, product, require_frame, resolve


@dataclass(frozen=True, eq=False)
class Design:
    """The arrays of one model on one frame.

    Parameters
    ----------
    model : what was asked.
    terms : all covariates in the model's order, those left out included.
    names : the columns of X. With fixed effects there is no `Intercept`; `logit` and `firth` have the
        effects as columns at the end (`"state=CA"`), `lpm` and `conditional_logit` have them in `groups`.
    effects : how many of the last columns of X are fixed effects.
    X : (n, k), of full column rank. y : (n,). weights : (n,) or None.
    codes : (n,) cluster of each row as 0 .. G-1, or None. clusters : G, or None. labels : of the G clusters.
    groups : for each fixed effect, the group of each row as 0, 1, ... .
    random : (n,) group of the random intercept as 0, 1, ..., or None. random_labels : of these groups.
    parameters : k of the clustered convention: the columns and effects, nested effects as one constant.
    used : (rows of data,) bool. dropped : index as in data, column `reason`.
    missing : what to say of the rows that miss a value; empty where none does.
    notes : for each term that needs one, what a reader must know.
    omitted : terms whose numbers are empty (their note says why).
    fingerprint : (n,), a hash of all that the fit takes from each row, in ascending order.
    """

    model: Model
    terms: tuple[Term, ...]
    names: tuple[str, ...]
    effects: int
    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    codes: np.ndarray | None
    clusters: int | None
    labels: tuple
    groups: tuple[np.ndarray, ...]
    random: np.ndarray | None
    random_labels: tuple
    parameters: int
    used: np.ndarray
    dropped: pd.DataFrame
    missing: str
    notes: dict[str, str]
    omitted: tuple[str, ...]
    fingerprint: np.ndarray

    @property
    def clustering(self) -> tuple[np.ndarray, int]:
        """`codes` and `clusters` of a design that has them."""
        assert self.codes is not None and self.clusters is not None
        return self.codes, self.clusters


def design(model: Model, data: pd.DataFrame) -> Design:
    """The arrays for `model` on `data`, every row and column left out with its reason.

    Rows leave when they are outside the sample, miss a value, or weigh nothing. Covariates leave when
    they are constant or a combination of others. For `logit` and `conditional_logit`, before anything is
    fitted: groups of a fixed effect without variation leave, and what separates the outcome leaves with
    the rows that it predicts, again and again until the maximum exists. (A combination separates within
    strata just when it separates beside their intercepts, so that one check serves both.)

    Raises
    ------
    ModelError : an unknown or doubled name, a covariate named `Intercept`, labels that cannot be compared,
        a column without numbers, infinite values, an outcome that
        does not vary or is not 0 and 1, one cluster, no complete row, no more rows than columns, an
        outcome that is separated completely. The message names the column.
    """
    require_frame(data, f"Model {model.name!r}: ")
    terms = resolve(model.covariates, data, model.level)
    parts = tuple(dict.fromkeys(part for term in terms for part in term.parts))
    if model.outcome in parts:
        raise ModelError(f"Model {model.name!r}: the outcome {model.outcome!r} is among its covariates.")
    if INTERCEPT in parts:
        raise ModelError(
            f"Model {model.name!r}: a covariate cannot be named {INTERCEPT!r}, which is what the constant is "
            "called. Rename the column."
        )
    columns = {part: numbers(data, part) for part in parts}
    columns[model.outcome] = numbers(data, model.outcome, "the outcome")
    if model.weights:
        columns[model.weights] = numbers(data, model.weights, "the weights")
    clustered = model.cluster if model.estimator != "firth" else None  # Firth takes no account of them
    roles: dict[str | None, str] = dict.fromkeys(model.fixed_effects, "a fixed effect")
    roles |= {model.cluster: "the cluster", model.random_intercept: "the random intercept"}
    labels: dict[str | None, pd.Series] = {
        name: labels_of(data, name, role) for name, role in roles.items() if name is not None
    }

    work = Selection(
        model=model,
        y=columns[model.outcome],
        values=values_of(terms, columns),
        effects={name: labels[name] for name in model.fixed_effects},
        keep=np.ones(len(data), bool),
        reason=np.full(len(data), "", object),
        active=[term.name for term in terms],
    )
    work.drop(~sample_rows(model, data), "outside the sample")
    needed = {name: np.isnan(column) for name, column in columns.items()}
    for name in dict.fromkeys(filter(None, [clustered, model.random_intercept, *model.fixed_effects])):
        needed[name] = labels[name].isna().to_numpy()
    missing = drop_missing(work, needed, data)
    check_sizes(work, columns, data.index)
    drop_weightless(work, columns)
    base = choose(work)
    if model.cluster is not None:
        found = pd.unique(labels[model.cluster][work.keep].dropna())
        if len(found) < 2:
            where = f"in one cluster of {model.cluster!r} ({found[0]})" if len(found) else "in no cluster"
            raise ModelError(f"All rows used lie {where}; it takes two clusters of {model.cluster!r}.")
    intercepts = labels.get(model.random_intercept)
    weights = columns[model.weights] if model.weights else None
    return _assemble(work, base, terms, data.index, labels.get(clustered), intercepts, weights, missing)


def values_of(terms: Iterable[Term], columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each term's values."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return {term.name: product(term, columns) for term in terms}


def check_sizes(work: Selection, columns: dict[str, np.ndarray], index: pd.Index) -> None:
    """Nothing, when the rows kept hold finite numbers whose squares are numbers."""
    for name, column in columns.items():
        if (bad := np.isinf(column) & work.keep).any():
            first = index[np.flatnonzero(bad)[0]]
            raise ModelError(f"The column {name!r} holds {bad.sum()} infinite values, first at {first!r}.")
    for name, column in (work.values | columns).items():
        largest = np.abs(column[work.keep]).max(initial=0.0)
        if not (largest == 0 or 1e-100 < largest < 1e100):
            raise ModelError(f"The values of {name!r} reach {largest:.0e}, too far from 1: rescale them.")


def drop_weightless(work: Selection, columns: dict[str, np.ndarray]) -> None:
    """Drops rows that weigh nothing.

    Raises
    ------
    ModelError : a negative weight, or none that is positive.
    """
    if (name := work.model.weights) is None:
        return
    if (bad := (columns[name] < 0) & work.keep).any():
        raise ModelError(f"The weights {name!r} hold {bad.sum()} negative values.")
    work.drop(columns[name] == 0, f"zero weight in {name}")
    if not work.keep.any():
        raise ModelError(f"The weights {name!r} are 0 in every complete row.")


def _assemble(
    work: Selection,
    base: Base,
    terms: tuple[Term, ...],
    index: pd.Index,
    clusters: pd.Series | None,
    random: pd.Series | None,
    weights: np.ndarray | None,
    missing: str,
) -> Design:
    """The design of what is left."""
    model, kept = work.model, work.keep
    codes, labels = _coded(clusters, kept)
    groups = tuple(pd.factorize(effect[kept].to_numpy())[0] for effect in work.effects.values())
    drawn, drawn_labels = _coded(random, kept)
    for name in work.active:
        if codes is not None and (only := rests_on(work.values[name][kept], codes, *groups[:1])) is not None:
            work.say(
                name,
                f"varies through one cluster of {model.cluster} only ({labels[only]}): no clustered standard "
                "error or test of it can be trusted",
            )
    for name in work.active if codes is None else ():
        if drawn is not None and (only := rests_on(work.values[name][kept], drawn, *groups[:1])) is not None:
            work.say(
                name,
                f"varies through one group of {model.random_intercept} only ({drawn_labels[only]}) and rests "
                "on the normal law of the intercepts",
            )
    nested = [codes is not None and is_nested(group, codes) for group in groups]
    counted = len(work.active) + len(base.names)
    if any(nested):  # all that they span, whatever their order, is one constant
        inner = {
            name: work.effects[name] for name, inside in zip(work.effects, nested, strict=True) if inside
        }
        counted -= len(base_columns(inner, kept).names) - 1
    blocks, names, effects = [work.covariates()], list(work.active), 0
    if not groups:
        blocks, names = [base.columns, *blocks], base.names + names
    elif model.estimator not in ABSORBING:
        blocks, names, effects = [*blocks, base.columns], names + base.names, len(base.names)
    if not names:
        notes = "; ".join(f"{name} {note}" for name, note in work.notes.items())
        raise ModelError(f"Model {model.name!r}: no covariate is left. {notes}".rstrip())
    return Design(
        model=model,
        terms=terms,
        names=tuple(names),
        effects=effects,
        X=np.hstack(blocks),
        y=work.y[kept],
        weights=None if weights is None else weights[kept],
        codes=codes,
        clusters=None if codes is None else len(labels),
        labels=tuple(labels),
        groups=groups,
        random=drawn,
        random_labels=tuple(drawn_labels),
        parameters=counted,
        used=kept,
        dropped=pd.DataFrame({"reason": work.reason[~kept].astype(str)}, index=index[~kept]),
        missing=missing,
        notes=dict(work.notes),
        omitted=tuple(work.omitted),
        fingerprint=_fingerprint(work, weights, clusters, random),
    )


def _coded(labels: pd.Series | None, kept: np.ndarray) -> tuple[np.ndarray | None, tuple]:
    """The groups of the rows kept as 0, 1, ..., and their labels; nothing without a column."""
    if labels is None:
        return None, ()
    codes, found = pd.factorize(labels[kept].to_numpy())
    return codes, tuple(found)


def _fingerprint(work: Selection, weights: np.ndarray | None, *groups: pd.Series | None) -> np.ndarray:
    """A hash of outcome, covariates, weight, effects and groups of each row kept, in ascending order."""
    kept = work.keep
    columns = [work.y[kept], *(work.values[name][kept] for name in sorted(work.active))]
    columns += [] if weights is None else [weights[kept]]
    labels = [*work.effects.values(), *(each for each in groups if each is not None)]
    columns += [label[kept].astype(str).to_numpy(dtype=object) for label in labels]
    table = pd.DataFrame(dict(enumerate(columns)))
    return np.sort(pd.util.hash_pandas_object(table, index=False).to_numpy())


def fitted_design(fit: Fit, data: pd.DataFrame) -> Design:
    """The design of a fit, made anew from the frame that was fitted, its columns in the fit's order.

    Rows that the fit left out may be gone, and the others may stand in another order.

    Raises
    ------
    ModelError : these are not the data that were fitted.
    """
    require_fit(fit)
    arrays, name = design(fit.model, data), fit.model.name
    advice = "Give the frame that fit() was given."
    if sorted(arrays.names) != sorted(fit.terms) or len(arrays.y) != fit.n:
        raise ModelError(
            f"Model {name!r}: these are not the data that were fitted: {len(arrays.y)} rows and "
            f"{len(arrays.names)} columns can be used, not {fit.n} and {len(fit.terms)}. {advice}"
        )
    if others := int((~np.isin(arrays.fingerprint, fit.fingerprint)).sum()):
        raise ModelError(
            f"Model {name!r}: these are not the data that were fitted: {others} of {fit.n} rows have other "
            f"values. {advice}"
        )
    if not np.array_equal(arrays.fingerprint, fit.fingerprint):
        raise ModelError(f"Model {name!r}: these are not the data that were fitted: rows repeat. {advice}")
    order = [arrays.names.index(term) for term in fit.terms]
    return replace(arrays, names=fit.terms, X=arrays.X[:, order])

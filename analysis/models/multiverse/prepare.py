"""From a frame to the arrays that every specification of a curve shares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.errors import ModelError, nearest
from analysis.models import lpm
from analysis.models.cluster import is_nested, rests_on
from analysis.models.design import check_sizes, drop_weightless, values_of
from analysis.models.rows import drop_missing
from analysis.models.selection import Selection, base_columns, check_outcome, drop_groups
from analysis.models.spec import Model, distinct
from analysis.models.terms import labels_of, numbers, require_frame, resolve

ESTIMATORS = ("lpm", "logit")
ABSORBED = 1e-7  # what must remain of a column, as a share of its deviation from the mean (as for one model)


@dataclass(frozen=True, eq=False)
class Prepared:
    """The rows that are complete in every variable of the curve, sorted by cluster.

    Parameters
    ----------
    controls : all controls as terms, in the given order.
    unusable : the controls that no specification can hold, and the focal variable where it is one, with why.
    usable : positions in `controls` of the others.
    X : (n, 1 + usable), focal first. y : (n,). weights : (n,) or None.
    base : (n, b), the constant or the effects' dummies; (n, 0) where they are swept out.
    groups : each effect's groups as 0, 1, ... .
    counted : how many columns of the base count in the clustered convention (nested effects as one).
    codes : (n,), 0 .. G-1 ascending, or None. clusters : G, or None. labels : (G,), the clusters' names.
    rows : (n,), positions in the data.
    """

    estimator: str
    focal: str
    controls: tuple[str, ...]
    usable: np.ndarray
    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    base: np.ndarray
    groups: tuple[np.ndarray, ...]
    counted: int
    codes: np.ndarray | None
    clusters: int | None
    labels: np.ndarray | None
    rows: np.ndarray
    unusable: dict[str, str] = field(default_factory=dict)

    def starts(self) -> np.ndarray:
        """(G,), where each cluster's rows begin."""
        assert self.codes is not None
        return np.flatnonzero(np.r_[True, np.diff(self.codes) > 0])

    def degrees_of_freedom(self, sizes: np.ndarray) -> np.ndarray:
        """Those of the t law for specifications of so many columns (m,); infinite: the normal law."""
        if self.clusters is not None:
            return np.full(len(sizes), self.clusters - 1.0)
        if self.estimator == "logit":
            return np.full(len(sizes), np.inf)
        return np.maximum(len(self.y) - sizes, 1).astype(float)


def prepare(
    data: pd.DataFrame,
    outcome: str,
    focal: str,
    controls: Iterable[str],
    estimator: str,
    fixed_effects: str | Iterable[str],
    cluster: str | None,
    weights: str | None,
    level: str = "county",
) -> Prepared:
    """The arrays of a curve.

    Raises
    ------
    ModelError : an unknown or doubled name (with the nearest), an estimator that has no curve, the outcome
        among the variables, a column without numbers, infinite values, no complete row, one cluster, an
        outcome that does not vary (beside the effects) or, for `logit`, is not 0 and 1.
    """
    require_frame(data, "A specification curve: ")
    if estimator not in ESTIMATORS:
        raise ModelError(
            f"No specification curve for the estimator {estimator!r}; there is one for "
            f"{' and '.join(ESTIMATORS)}.{nearest(estimator, ESTIMATORS)}"
        )
    if not isinstance(focal, str):
        raise ModelError(f"The focal variable must be one name, not {focal!r}.")
    given = distinct(controls, "controls", "specification_curve")
    model = Model(
        "specification_curve",
        outcome,
        (focal, *(name for name in given if name != focal)),
        estimator,
        level=level,
        fixed_effects=distinct(fixed_effects, "fixed_effects", "specification_curve"),
        cluster=cluster,
        weights=weights,
    )
    first = resolve((focal,), data, level)
    if len(first) != 1:
        raise ModelError(f"The focal variable {focal!r} is a group of {len(first)} variables; name one.")
    terms = {name: resolve((name,), data, level) for name in given if name != focal}
    listed = tuple(dict.fromkeys(term.name for name in given for term in terms.get(name, first)))
    every = {term.name: term for term in (*first, *(term for each in terms.values() for term in each))}
    columns = {part: numbers(data, part) for term in every.values() for part in term.parts}
    if outcome in columns:
        raise ModelError(f"The outcome {outcome!r} is among the variables of the curve.")
    columns[outcome] = numbers(data, outcome, "the outcome")
    if weights:
        columns[weights] = numbers(data, weights, "the weights")
    labels = {}
    for name, role in ((cluster, "the cluster"), *((each, "a fixed effect") for each in model.fixed_effects)):
        if name is not None:
            labels[name] = labels_of(data, name, role)
    work = Selection(
        model=model,
        y=columns[outcome],
        values=values_of(every.values(), columns),
        effects={name: labels[name] for name in model.fixed_effects},
        keep=np.ones(len(data), bool),
        reason=np.full(len(data), "", object),
        active=list(every),
    )
    missing = {name: np.isnan(column) for name, column in columns.items()}
    drop_missing(work, missing | {name: column.isna().to_numpy() for name, column in labels.items()}, data)
    check_sizes(work, columns, data.index)
    drop_weightless(work, columns)
    if estimator == "logit":
        drop_groups(work)
    check_outcome(work)
    clusters = labels[cluster] if cluster is not None else None
    return _arrays(work, focal, listed, clusters, columns[weights] if weights else None)


def _arrays(
    work: Selection,
    focal: str,
    controls: tuple[str, ...],
    labels: pd.Series | None,
    weights: np.ndarray | None,
) -> Prepared:
    rows, codes, names = np.flatnonzero(work.keep), None, None
    if labels is not None:
        codes, names = pd.factorize(labels.to_numpy()[rows], sort=True)
        if len(names) < 2:
            raise ModelError(
                f"All rows used lie in one cluster of {labels.name!r} ({names[0]}); it takes two."
            )
        order = np.argsort(codes, kind="stable")
        rows, codes = rows[order], codes[order]
    groups = tuple(pd.factorize(column.to_numpy()[rows])[0] for column in work.effects.values())
    nested = [codes is not None and is_nested(group, codes) for group in groups]
    base, spanned = np.empty((len(rows), 0)), int(groups[0].max()) + 1 if groups else 1
    if work.model.estimator != "lpm" or len(groups) > 1:  # else the base is swept out and only counted
        made = base_columns(work.effects, work.keep)
        inside = np.cumsum(work.keep) - 1  # its rows are those kept, in the order of the data
        base, spanned = made.columns[inside[rows]], len(made.names)
    if any(nested):  # all that they span, whatever their order, is one constant
        inner = {
            name: column for (name, column), held in zip(work.effects.items(), nested, strict=True) if held
        }
        spanned -= len(base_columns(inner, work.keep).names) - 1
    used = None if weights is None else weights[rows]
    if (why := _unusable(work.y[rows], groups, used)) is not None:
        raise ModelError(f"The outcome {work.model.outcome!r} is {why}: nothing to explain.")
    unusable = {}
    for name, column in work.values.items():
        if (why := _unusable(column[rows], groups, used)) is not None:
            unusable[name] = why
    if focal not in unusable and codes is not None and _in_one(work.values[focal][rows], codes, groups):
        unusable[focal] = "varies through one cluster only"
    usable = [j for j, name in enumerate(controls) if name != focal and name not in unusable]
    columns = [focal, *(controls[j] for j in usable)]
    return Prepared(
        estimator=work.model.estimator,
        focal=focal,
        controls=controls,
        usable=np.array(usable, dtype=int),
        X=np.column_stack([work.values[name][rows] for name in columns]),
        y=work.y[rows],
        weights=used,
        base=base,
        groups=groups,
        counted=spanned,
        codes=codes,
        clusters=None if codes is None else int(codes.max()) + 1,
        labels=None if names is None else np.asarray(names),
        rows=rows,
        unusable=unusable | ({focal: unusable.get(focal, "the focal variable")} if focal in controls else {}),
    )


def _in_one(column: np.ndarray, codes: np.ndarray, groups: tuple[np.ndarray, ...]) -> bool:
    """Whether a column varies through one cluster only, so that its clustered error would be rounding."""
    return rests_on(column, codes, *groups[:1]) is not None


def _unusable(column: np.ndarray, groups: tuple[np.ndarray, ...], weights: np.ndarray | None) -> str | None:
    """Why a column says nothing beside the constant and the effects."""
    if np.ptp(column) <= 1e-12 * np.abs(column).max(initial=0.0):
        return "constant"
    if groups:
        rest = lpm.demean(column[:, None], groups, weights)
        if np.linalg.norm(rest) <= ABSORBED * np.linalg.norm(column - column.mean()):
            return "absorbed by the fixed effects"
    return None

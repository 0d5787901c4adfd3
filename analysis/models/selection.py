"""Which rows and columns a fit can use: what must leave before it exists, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models import separation
from analysis.models.spec import MAXIMUM_LIKELIHOOD, Model

INTERCEPT = "Intercept"
LEFT = "these rows left too. Valid estimators: firth, lpm."


@dataclass
class Selection:
    """What is known of the rows and columns of a design while they are being chosen.

    Parameters
    ----------
    y : (rows of data,). values : each covariate's, (rows of data,). effects : each fixed effect's column.
    keep, reason : (rows of data,), whether a row stays, and why it left.
    active : the covariates that stay. notes, omitted : as in `Design`.
    """

    model: Model
    y: np.ndarray
    values: dict[str, np.ndarray]
    effects: dict[str, pd.Series]
    keep: np.ndarray
    reason: np.ndarray
    active: list[str]
    notes: dict[str, str] = field(default_factory=dict)
    omitted: list[str] = field(default_factory=list)

    def drop(self, rows: np.ndarray, reason: str) -> None:
        rows = self.keep & rows
        self.reason[rows] = reason
        self.keep &= ~rows

    def drop_kept(self, among_kept: np.ndarray, reason: str) -> None:
        rows = np.zeros(len(self.keep), bool)
        rows[np.flatnonzero(self.keep)[among_kept]] = True
        self.drop(rows, reason)

    def say(self, name: str, note: str) -> None:
        self.notes[name] = "; ".join(filter(None, [self.notes.get(name, ""), note]))

    def omit(self, name: str, note: str) -> None:
        self.notes.setdefault(name, note)
        if name not in self.omitted:
            self.omitted.append(name)

    def covariates(self) -> np.ndarray:
        """The active covariates in the rows kept, (n, k)."""
        columns = [self.values[name][self.keep] for name in self.active]
        return np.column_stack(columns) if columns else np.empty((int(self.keep.sum()), 0))


class Base(NamedTuple):
    """The columns before the covariates: (n, m), and their names."""

    columns: np.ndarray
    names: list[str]


def choose(work: Selection) -> Base:
    """Drops rows and columns until the fit exists, and returns the columns before the covariates."""
    while True:
        if work.model.estimator in MAXIMUM_LIKELIHOOD:
            drop_groups(work)
        check_outcome(work)
        base = base_columns(work.effects, work.keep)
        _check_rows(work, base)
        _drop_dependent(work, base)
        if work.model.estimator not in MAXIMUM_LIKELIHOOD:
            return base
        if not (_drop_single(work, base) or _drop_joint(work, base)):
            return base


def drop_groups(work: Selection) -> None:
    """Groups whose rows all have one outcome leave, until no effect has such a group."""
    grouping = {name: pd.factorize(labels)[0] for name, labels in work.effects.items()}
    changed = True
    while changed:
        changed = False
        for name, codes in grouping.items():
            counts = np.bincount(codes[work.keep], minlength=codes.max() + 1)
            events = np.bincount(codes[work.keep], weights=work.y[work.keep], minlength=codes.max() + 1)
            uniform = (counts > 0) & ((events == 0) | (events == counts))
            if uniform.any():
                work.drop(uniform[codes], f"group without variation in {name}")
                changed = True


def check_outcome(work: Selection) -> None:
    model, seen = work.model, np.unique(work.y[work.keep])
    if not len(seen):
        separated = [name for name in work.omitted if work.notes[name].startswith("separated")]
        if not separated:
            raise ModelError(
                f"The outcome {model.outcome!r} does not vary within any group of "
                f"{', '.join(model.fixed_effects)}: nothing to explain."
            )
        raise ModelError(
            f"Model {model.name!r}: {model.outcome!r} is separated completely, so the likelihood has no "
            f"maximum. {' '.join(f'{name}: {work.notes[name]}' for name in separated)}"
        )
    odd = seen[~np.isin(seen, (0.0, 1.0))]
    if model.estimator != "lpm" and len(odd):
        raise ModelError(
            f"{model.estimator} needs an outcome of 0 and 1; {model.outcome!r} holds {odd[0]:g}."
        )
    if len(seen) == 1:
        raise ModelError(
            f"The outcome {model.outcome!r} is always {seen[0]:g} in the {work.keep.sum()} rows used: "
            "nothing to explain."
        )


def base_columns(effects: dict[str, pd.Series], keep: np.ndarray) -> Base:
    """The constant, or one column a group of each fixed effect (of full column rank together)."""
    if not effects:
        return Base(np.ones((keep.sum(), 1)), [INTERCEPT])
    blocks, names = [], []
    for name, labels in effects.items():
        codes, found = pd.factorize(labels[keep].to_numpy())
        blocks.append((codes[:, None] == np.arange(len(found))).astype(float))
        names += [f"{name}={label}" for label in found]
    X, first = np.hstack(blocks), blocks[0].shape[1]
    adds = np.ones(X.shape[1], bool)
    if len(blocks) > 1:
        adds[first:] = separation.independent(X[:, first:], X[:, :first])[0]
    return Base(X[:, adds], [name for name, added in zip(names, adds, strict=True) if added])


def _check_rows(work: Selection, base: Base) -> None:
    n, k = int(work.keep.sum()), len(base.names) + len(work.active)
    if n <= k:
        reasons = pd.Series(work.reason[~work.keep]).value_counts()
        why = "; ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
        raise ModelError(
            f"Model {work.model.name!r}: {n} rows are too few for {k} columns "
            f"({', '.join(work.active) or ', '.join(base.names[:3])}). Rows left out: {why}."
        )


def _drop_dependent(work: Selection, base: Base) -> None:
    """Constant columns and combinations of earlier columns leave, with a note."""
    X = work.covariates()
    keep, reasons = separation.independent(X, base.columns)
    for name, column, reason in zip(work.active, X.T, reasons, strict=True):
        if reason == "constant":
            work.omit(name, f"left out: constant in the rows used ({column[0]:g})")
        elif reason is not None:
            partners = [work.active[j] for j in reason]
            partners += [] if partners else [f"the fixed effects ({', '.join(work.model.fixed_effects)})"]
            work.omit(name, f"left out: collinear with {', '.join(partners)}")
    work.active = [name for name, kept in zip(work.active, keep, strict=True) if kept]


def _drop_single(work: Selection, base: Base) -> bool:
    """Whether one covariate separates; it leaves with the rows that it predicts."""
    X, y = work.covariates(), work.y[work.keep]
    for name, column in zip(work.active, X.T, strict=True):
        found = separation.single(column, y, name, work.model.outcome)
        if found is None:
            continue
        work.omit(name, f"separated ({'+' if found.sign > 0 else '-'}): {found.text}; {LEFT}")
        rest = np.column_stack([base.columns, X])[~found.predicted]
        lost = separation.unidentified(rest)[len(base.names) :]
        lost &= len(rest) > 0
        for other, is_lost in zip(work.active, lost, strict=True):
            if is_lost and other != name:
                work.omit(other, f"not determined: {name} is separated and left with the rows it predicts")
        work.drop_kept(found.predicted, f"predicted perfectly by {name}")
        work.active.remove(name)
        if not work.effects and found.kept_at:
            work.say(INTERCEPT, f"of the rows kept, where {name} = {found.kept_at:g}")
        return True
    return False


def _drop_joint(work: Selection, base: Base) -> bool:
    """Whether a combination of covariates separates; the rows that it predicts leave, and what the others
    do not determine loses its numbers."""
    before, y = len(base.names), work.y[work.keep]
    X = work.covariates()
    X = np.column_stack([base.columns, X - X.mean(axis=0)])
    predicted, direction, part = separation.smallest(X, y, before)
    if not predicted.any():
        return False
    names = [work.active[j - before] for j in part] or ["the fixed effects"]
    lost = separation.unidentified(X[~predicted])[before:]
    if predicted.all():
        lost = np.isin(np.arange(before, X.shape[1]), part)
    for name, is_lost, slope in zip(work.active, lost, direction[before:], strict=True):
        if is_lost:
            sign = {1: "+", -1: "-", 0: "undetermined"}[int(np.sign(slope))]
            others = [other for other in names if other != name]
            work.omit(
                name,
                f"separated ({sign}) in combination with {', '.join(others) or 'the fixed effects'}: "
                f"{work.model.outcome} is predicted perfectly in {predicted.sum()} rows; {LEFT}",
            )
    if not work.effects:
        work.say(INTERCEPT, f"of the rows kept, which {', '.join(names)} do not predict")
    work.drop_kept(predicted, f"predicted perfectly by {', '.join(names)}")
    return True

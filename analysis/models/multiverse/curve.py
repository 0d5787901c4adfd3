"""One row a subset of the controls: the focal variable's estimate in every specification."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtr

from analysis.errors import ModelError
from analysis.models.multiverse import lattice, linear, logistic
from analysis.models.multiverse.linear import Found
from analysis.models.multiverse.prepare import Prepared, prepare
from analysis.models.terms import whole

ESTIMATE = {"lpm": linear.estimate, "logit": logistic.estimate}
MOST_CONTROLS = 20
COLUMNS = ["controls", "estimate", "std_error", "p_value", "n", "status"]


def specification_curve(
    data: pd.DataFrame,
    outcome: str,
    focal: str,
    controls: Iterable[str],
    *,
    estimator: str = "lpm",
    fixed_effects: str | Iterable[str] = (),
    cluster: str | None = None,
    weights: str | None = None,
    sampled: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """The coefficient of one variable beside every subset of the controls.

    All specifications use the same rows: those complete in every variable named. For `logit` with fixed
    effects, groups in which the outcome does not vary leave.

    Parameters
    ----------
    data : one row a jurisdiction; any index.
    outcome : the column explained; 0 and 1 for `logit`, any number for `lpm`.
    focal : the variable whose coefficient is looked at; a column, or a product "a:b".
    controls : columns, products, catalogue groups; at most 20 in all, unless `sampled` is given.
    estimator : `lpm` (least squares, effects swept out) or `logit` (maximum likelihood).
    fixed_effects : columns whose every value gets an intercept of its own, in every specification.
    cluster : the column within whose values errors may be correlated. None: HC1 for `lpm`, the inverse
        information for `logit`, as for a single model.
    weights : a column of weights.
    sampled : how many subsets to draw at random, without repetition, instead of taking all. seed : of these.

    Returns
    -------
    DataFrame, one row a subset in binary-count order (row i holds control j when bit j of i is set, so that
    the first control changes fastest):
    `controls` (tuple of names, in the given order), `estimate`, `std_error`, `p_value`, `n`, `status`.
    `status` is `ok`, or why there is no number: `rank deficient`, `constant: <names>`, `absorbed by the fixed
    effects: <names>`, `the focal variable: <name>` (it is among the controls), `varies through one cluster
    only: <name>` (the focal variable: its clustered error would be rounding), `separated`, `separated by
    <name>`, `perfect fit`, `too few rows`, `not converged`. Numbers are empty where the status is not `ok`.
    Errors follow the project's clustered convention (see `analysis.models.cluster`).

    Raises
    ------
    ModelError : an unknown name (with the nearest), more than 20 controls without `sampled` (with the number
        of specifications), and what else no specification can do without: see `prepare`.

    Examples
    --------
    >>> frame = pd.DataFrame({"y": [0, 0, 1, 0, 1, 1], "x": [1, 2, 3, 4, 5, 6], "z": [1, 0, 2, 1, 0, 1]})
    >>> specification_curve(frame, "y", "x", ["z"])["controls"].tolist()
    [(), ('z',)]
    """
    prepared = prepare(data, outcome, focal, controls, estimator, fixed_effects, cluster, weights)
    subsets = None if sampled is None else draw(len(prepared.controls), sampled, seed)
    if subsets is None:
        refuse(len(prepared.controls))
        held = lattice.masks(len(prepared.controls))
        names = named(prepared.controls)
    else:
        held = subsets
        names = [tuple(np.array(prepared.controls, object)[row]) for row in held]
    found = run(prepared, held, every=subsets is None)
    p_value = two_sided(found, prepared, held)
    frame = pd.DataFrame(
        {
            "estimate": found.estimate,
            "std_error": found.std_error,
            "p_value": p_value,
            "n": len(prepared.y),
            "status": pd.array(found.status, dtype="str"),
        }
    )
    frame.insert(0, "controls", pd.Series(names, dtype=object))
    return frame[COLUMNS]


def refuse(k: int) -> None:
    """Nothing, up to 20 controls.

    Raises
    ------
    ModelError : with the number of specifications that there would be.
    """
    if k > MOST_CONTROLS:
        raise ModelError(
            f"{k} controls make {2**k:,} specifications; at most {MOST_CONTROLS} controls "
            f"({2**MOST_CONTROLS:,}) are run in full. Name fewer, or draw some at random with sampled=10_000."
        )


def draw(k: int, many: int, seed: int) -> np.ndarray:
    """Distinct subsets of k controls drawn at random, (many, k) bool, in binary-count order.

    Raises
    ------
    ModelError : `many` is no whole number from 1 to 2^k.
    """
    if whole("sampled", many, 1) > 2**k:
        raise ModelError(f"sampled={many!r}: {k} controls have {2**k:,} subsets to draw from.")
    rng = np.random.default_rng(whole("seed", seed, 0))
    if k <= MOST_CONTROLS:
        numbers = np.sort(rng.choice(2**k, int(many), replace=False))
        return (numbers[:, None] >> np.arange(k) & 1).astype(bool)
    rows = np.empty((0, k), bool)
    while len(rows) < many:  # more than 20 controls have over a million subsets: repetitions are rare
        more = rng.random((int(many) - len(rows), k)) < 0.5
        rows = np.unique(np.concatenate([rows, more])[:, ::-1], axis=0)[:, ::-1]
    return rows


def named(controls: tuple[str, ...]) -> list[tuple[str, ...]]:
    """All subsets of the controls as tuples, in binary-count order.

    >>> named(("a", "b"))
    [(), ('a',), ('b',), ('a', 'b')]
    """
    out: list[tuple[str, ...]] = [()]
    for name in controls:
        out += [(*names, name) for names in out]
    return out


def run(prepared: Prepared, held: np.ndarray, *, every: bool) -> Found:
    """The estimates of the subsets `held` (m, controls); `every` says that they are all, in order.

    Columns that no specification can hold are left out of the computing, and told by the status.
    """
    m, k = held.shape
    why = prepared.unusable.get(prepared.focal)
    if why not in (None, "the focal variable"):
        return _none(np.full(m, f"{why}: {prepared.focal}", object))
    estimate = ESTIMATE[prepared.estimator]
    usable = prepared.usable
    if len(usable) == k:
        return estimate(prepared, None if every else held)
    status = _told(prepared, held)
    fine = status == "ok"
    found = _none(status)
    if every:
        inner = estimate(prepared)
        place = (held[np.ix_(fine, usable)] << np.arange(len(usable))).sum(axis=1)
    else:
        inner = estimate(prepared, held[np.ix_(fine, usable)])
        place = np.arange(fine.sum())
    for name in ("estimate", "std_error", "effect", "status"):
        getattr(found, name)[fine] = getattr(inner, name)[place]
    return found


def _told(prepared: Prepared, held: np.ndarray) -> np.ndarray:
    """The status of subsets that hold what none can hold: the reasons, each with its names."""
    position = {name: j for j, name in enumerate(prepared.controls)}
    status = np.full(len(held), "", object)
    for why in dict.fromkeys(prepared.unusable.values()):
        names = [name for name, reason in prepared.unusable.items() if reason == why]
        listed = np.full(len(held), "", object)
        for name in names:
            has = held[:, position[name]]
            listed[has] += np.where(listed[has] == "", f"{why}: {name}", f", {name}").astype(object)
        both = (status != "") & (listed != "")
        status[both] += "; "
        status += listed
    status[status == ""] = "ok"
    return status


def _none(status: np.ndarray) -> Found:
    """No number for anything."""
    estimate, std_error, effect = np.full((3, len(status)), np.nan)
    return Found(estimate, std_error, effect, status)


def two_sided(found: Found, prepared: Prepared, held: np.ndarray) -> np.ndarray:
    """Two-sided p-values (m,) by the t law, or the normal law where degrees of freedom are infinite."""
    with np.errstate(invalid="ignore", divide="ignore"):
        size = -np.abs(found.estimate / found.std_error)
    df = prepared.degrees_of_freedom(prepared.counted + 1 + held.sum(axis=1))
    return 2 * (ndtr(size) if np.isinf(df).all() else stdtr(df, size))

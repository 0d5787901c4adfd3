"""The test of a whole curve: median, share and Stouffer's Z against curves under the null."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from analysis.errors import ModelError
from analysis.models.bootstrap import TIE
from analysis.models.multiverse import lattice
from analysis.models.multiverse.curve import refuse, run
from analysis.models.multiverse.null import permuted, wild
from analysis.models.multiverse.prepare import prepare
from analysis.models.terms import labels_of, whole

NULLS = ("wild_bootstrap", "permutation")
STATISTICS = ("median", "share", "stouffer")
LEVEL = 0.05
FEWEST_DRAWS = 99


@dataclass(eq=False)
class Tally:
    """Curves, the observed one or many under the null, as their specifications come in.

    Parameters
    ----------
    draws : how many curves. estimates : blocks (specifications, draws).
    above, below : (draws,), significant specifications by sign. z : (draws,), sums of normal scores.
    count : specifications.
    """

    draws: int
    estimates: list[np.ndarray] = field(default_factory=list)
    above: np.ndarray = field(init=False)
    below: np.ndarray = field(init=False)
    z: np.ndarray = field(init=False)
    count: int = 0

    def __post_init__(self) -> None:
        self.above, self.below, self.z = (np.zeros(self.draws) for _ in range(3))

    def add(self, estimates: np.ndarray, t: np.ndarray, df: np.ndarray) -> None:
        """Some specifications of every curve, both (specifications, draws); df : (specifications,)."""
        reach = critical(df)[:, None]
        self.estimates.append(estimates.astype("float32"))
        self.above += (t > reach).sum(axis=0)
        self.below += (t < -reach).sum(axis=0)
        self.z += scores(t, df[:, None]).sum(axis=0)
        self.count += len(t)

    def statistics(self) -> dict[str, np.ndarray]:
        """Each statistic of every curve, (draws,): the median estimate, the share of specifications that are
        significant at 5 % in the more frequent direction, Stouffer's Z."""
        return {
            "median": np.median(np.concatenate(self.estimates), axis=0),
            "share": np.maximum(self.above, self.below) / self.count,
            "stouffer": self.z / np.sqrt(self.count),
        }


def critical(df: np.ndarray) -> np.ndarray:
    """The two-sided critical values at 5 %."""
    return np.where(np.isinf(df), -ndtri(LEVEL / 2), stdtrit(np.where(np.isinf(df), 1.0, df), 1 - LEVEL / 2))


def scores(t: np.ndarray, df: np.ndarray) -> np.ndarray:
    """The normal score of each t statistic: as likely under the normal law as t is under its own."""
    tail = np.where(np.isinf(df), ndtr(-np.abs(t)), stdtr(np.where(np.isinf(df), 1.0, df), -np.abs(t)))
    return -np.sign(t) * ndtri(np.maximum(tail, 1e-300))


def p_value(found: float, null: np.ndarray) -> float:
    """(1 + draws at least as large in size, ties within 1e-9 included) / (1 + draws).

    The data count as one of the draws, so that no p-value is 0 (Davison and Hinkley, Bootstrap Methods and
    their Application, 1997, chapter 4).

    >>> p_value(2.0, np.array([1.0, -2.0, 3.0]))
    0.75
    """
    return float((1 + (np.abs(null) >= abs(found) * (1 - TIE)).sum()) / (1 + len(null)))


def compared(observed: Tally, null: Tally) -> pd.DataFrame:
    """One row a statistic: `statistic, value, null_low, null_high, p_value, specifications, draws`.

    `null_low` and `null_high` hold the middle 95 % of the curves under the null.
    """
    under = null.statistics()
    rows = []
    for name, value in observed.statistics().items():
        low, high = np.quantile(under[name], [0.025, 0.975])
        rows.append(
            {
                "statistic": name,
                "value": float(value[0]),
                "null_low": low,
                "null_high": high,
                "p_value": p_value(float(value[0]), under[name]),
                "specifications": observed.count,
                "draws": null.draws,
            }
        )
    return pd.DataFrame(rows)


def curve_test(
    data: pd.DataFrame,
    outcome: str,
    focal: str,
    controls: Iterable[str],
    *,
    estimator: str = "lpm",
    fixed_effects: str | Iterable[str] = (),
    cluster: str | None = None,
    weights: str | None = None,
    null: str = "wild_bootstrap",
    within: str | None = None,
    draws: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Whether a curve is more than chance makes of a variable that says nothing.

    Parameters
    ----------
    data, outcome, focal, controls, estimator, fixed_effects, cluster, weights : as for `specification_curve`.
    null : `wild_bootstrap` (each specification's own null imposed, one sign a cluster for all of them) or
        `permutation` (the focal variable shuffled within the groups of `within`; `lpm` alone).
    within : a column; None is the cluster. draws : curves under the null, at least 99. seed : of these.

    Returns
    -------
    DataFrame, one row for each of `median`, `share` (significant at 5 % in the more frequent direction) and
    `stouffer`: `statistic, value, null_low, null_high, p_value, specifications, draws`, from the
    specifications whose status is `ok`. A p-value is (1 + draws at least as large in size) / (1 + draws).

    Raises
    ------
    ModelError : what `specification_curve` raises, no cluster, too few draws, no specification with a number.

    Examples
    --------
    >>> frame = pd.DataFrame({"x": range(40), "state": list("ABCDEFGH") * 5})
    >>> frame["z"] = frame["x"] % 7
    >>> frame["y"] = (frame["x"] + 3 * frame["z"] > 25).astype(int)
    >>> found = curve_test(frame, "y", "x", ["z"], cluster="state", draws=99)
    >>> dict(zip(found["statistic"], found["p_value"], strict=True))
    {'median': 0.01, 'share': 0.03, 'stouffer': 0.01}
    """
    if null not in NULLS:
        raise ModelError(f"null={null!r} is unknown; one of {', '.join(NULLS)}.")
    whole("draws", draws, FEWEST_DRAWS, "a p-value at 5 % needs them")
    whole("seed", seed, 0)
    if cluster is None:
        raise ModelError("The test of a curve needs a cluster, the structure that the null keeps.")
    prepared = prepare(data, outcome, focal, controls, estimator, fixed_effects, cluster, weights)
    codes, clusters = prepared.codes, prepared.clusters
    assert codes is not None and clusters is not None
    refuse(len(prepared.controls))
    held = lattice.masks(len(prepared.controls))
    found = run(prepared, held, every=True)
    fine = found.status == "ok"
    if not fine.any():
        raise ModelError(f"No specification has a number: {', '.join(sorted(set(found.status)))}.")
    among = held[np.ix_(fine, prepared.usable)]
    df = np.full(len(among), clusters - 1.0)
    observed, under = Tally(1), Tally(int(draws))
    observed.add(found.estimate[fine, None], (found.estimate / found.std_error)[fine, None], df)
    if null == "permutation":
        groups = codes
        if within is not None:
            labels = labels_of(data, within, "the groups to shuffle within")
            groups = pd.factorize(labels.to_numpy()[prepared.rows])[0]
        curves = list(permuted(prepared, among, groups, int(draws), seed))
        under.add(np.column_stack([e for e, _ in curves]), np.column_stack([t for _, t in curves]), df)
    else:
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(clusters, int(draws)))
        for block, estimates, t in wild(prepared, among, signs):
            under.add(estimates, t, df[block])
    return compared(observed, under)

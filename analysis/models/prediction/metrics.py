"""How good probabilities are: discrimination, accuracy, calibration; each on arrays.

`y` is (n,) of 0 and 1, `p` (n,) the probabilities predicted, `codes` (n,) the state of each row as 0 .. G-1.
A measure that does not exist (no event, one outcome) is NaN. DeLong, DeLong and Clarke-Pearson (Biometrics
44, 1988); calibration after Cox (Biometrika 45, 1958).
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from analysis.errors import ModelError
from analysis.models import logit as likelihood
from analysis.models.prediction.newton import maximise_many


def auc(y: np.ndarray, p: np.ndarray) -> float:
    """The share of pairs of a listed and an unlisted row in which the listed one has the higher
    probability; ties count half.

    >>> auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.9]))
    0.875
    """
    events = y.sum()
    if events in (0, len(y)):
        return np.nan
    ranks = stats.rankdata(p)[y == 1]
    return float((ranks.sum() - events * (events + 1) / 2) / (events * (len(y) - events)))


def placements(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each event the share of non-events below it, for each non-event the share of events above it."""
    inside, outside = p[y == 1], p[y == 0]
    ordered, reverse = np.sort(outside), np.sort(inside)
    below = (np.searchsorted(ordered, inside) + np.searchsorted(ordered, inside, "right")) / 2
    above = (np.searchsorted(reverse, outside) + np.searchsorted(reverse, outside, "right")) / 2
    return below / len(outside), 1 - above / len(inside)


def delong(y: np.ndarray, *probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The AUC of one or several predictions of the same rows, and their covariance by DeLong.

    Rows count as independent of one another, which counties of one state are not.

    Returns
    -------
    areas : (m,). covariance : (m, m).

    Raises
    ------
    ModelError : fewer than two events or two non-events.
    """
    if min(y.sum(), (1 - y).sum()) < 2:
        raise ModelError("DeLong's variance takes two rows of each outcome at least.")
    found = [placements(y, p) for p in probabilities]
    events, others = (np.atleast_2d(np.cov(np.array(part))) for part in zip(*found, strict=True))
    areas = np.array([inside.mean() for inside, _ in found])
    return areas, events / y.sum() + others / (1 - y).sum()


def delong_z(y: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """DeLong's statistic for the difference of two AUCs on the same rows, by the standard normal law."""
    areas, covariance = delong(y, first, second)
    contrast = np.array([1.0, -1.0])
    spread = contrast @ covariance @ contrast
    return float((areas[0] - areas[1]) / np.sqrt(spread)) if spread > 0 else np.nan


def brier(y: np.ndarray, p: np.ndarray) -> float:
    """The mean squared difference of outcome and probability."""
    return float(np.mean((y - p) ** 2))


def losses(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Each row's log loss, (n,); infinite where what was called impossible happened."""
    with np.errstate(divide="ignore"):
        return -np.log(np.where(y == 1, p, 1 - p))


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    """The mean log loss, minus the mean log-likelihood."""
    return float(losses(y, p).mean())


def calibration(y: np.ndarray, p: np.ndarray) -> tuple[float, float]:
    """Calibration in the large and calibration slope; 0 and 1 are perfect.

    The first is the intercept of a logit with the log odds predicted as offset, the second their coefficient
    in a logit with an intercept of its own. NaN where a probability is 0 or 1, or no such logit exists.
    """
    with np.errstate(divide="ignore"):
        eta = np.log(p) - np.log1p(-p)
    if not np.isfinite(eta).all() or y.min() == y.max():
        return np.nan, np.nan
    large = float(likelihood.maximise(np.ones((len(y), 1)), y, offset=eta)[0])
    separated = eta[y == 1].min() >= eta[y == 0].max() or eta[y == 0].min() >= eta[y == 1].max()
    if np.ptp(eta) < 1e-9 or separated:
        return large, np.nan
    return large, float(likelihood.maximise(np.column_stack([np.ones(len(y)), eta]), y)[1])


def concordance(
    y: np.ndarray, p: np.ndarray, codes: np.ndarray, groups: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of an event in one group and a non-event in another: how many are in order, how many there are.

    Both are (groups, groups), the event's group in the row. Sums over them give the AUC of any sample of
    whole groups, the diagonal that within groups.
    """
    inside, outside = y == 1, y == 0
    events = np.bincount(codes[inside], minlength=groups)
    right = np.zeros((groups, groups))
    for group in np.unique(codes[outside]):
        ordered = np.sort(p[outside & (codes == group)])
        below = np.searchsorted(ordered, p[inside]) + np.searchsorted(ordered, p[inside], "right")
        right[:, group] = np.bincount(codes[inside], weights=below / 2, minlength=groups)
    return right, np.outer(events, np.bincount(codes[outside], minlength=groups)).astype(float)


def within_auc(y: np.ndarray, p: np.ndarray, codes: np.ndarray) -> float:
    """The AUC over pairs of rows of one group."""
    right, pairs = concordance(y, p, codes, int(codes.max()) + 1)
    total = np.trace(pairs)
    return float(np.trace(right) / total) if total else np.nan


def averaged_auc(y: np.ndarray, p: np.ndarray, codes: np.ndarray) -> float:
    """The plain mean of the AUCs of the groups that have both outcomes."""
    right, pairs = concordance(y, p, codes, int(codes.max()) + 1)
    both = np.diag(pairs) > 0
    return float((np.diag(right)[both] / np.diag(pairs)[both]).mean()) if both.any() else np.nan


def slopes_many(eta: np.ndarray, y: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Calibration in the large and slope for many samples of the same rows.

    Parameters
    ----------
    eta : (n,), finite. counts : (draws, n), how often each row is in a sample.

    Returns
    -------
    large, slope : (draws,), NaN where they do not exist.
    """
    ones = np.ones((len(y), 1))
    large = maximise_many(ones, y, counts, offset=eta)[0][:, 0]
    return large, maximise_many(np.column_stack([ones, eta]), y, counts)[0][:, 1]

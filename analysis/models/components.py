"""Tables of what a random intercept comes to: its variance with its test, and each group's own intercept."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from analysis.errors import ModelError
from analysis.models.results import Fit, as_fits, require_fit

COLUMNS = (
    "model", "group", "groups", "std_deviation", "std_error", "conf_low", "conf_high", "variance", "icc",
    "lr_statistic", "p_value", "p_value_chi2", "quadrature_points", "log_likelihood", "n", "note",
)  # fmt: skip
ZERO = "the variance is estimated as zero: the other numbers are those of a logit"


def variance_components(fits: Fit | Iterable[Fit]) -> pd.DataFrame:
    """One row a fit with a random intercept: how far apart the groups are, given the covariates.

    Parameters
    ----------
    fits : one fit or many; at least one of a `mixed_logit`.

    Returns
    -------
    DataFrame with `COLUMNS`. `std_deviation` with its standard error and 95 % limits (symmetric in the
    logarithm), and `variance`, in log odds; `icc`, the intraclass correlation, variance over variance +
    pi^2/3; the likelihood-ratio test against the logit without random intercept, `p_value` by the mixture
    for a parameter at its boundary, `p_value_chi2` by chi2(1), twice as large. Without variance the error
    and the limits are empty, and `note` says so; it also tells where the quadrature points were too few.

    Raises
    ------
    ModelError : no fit was given, or none with a random intercept.

    Examples
    --------
    >>> from analysis.models import Model, fit
    >>> frame = pd.DataFrame({"x": [1, 2, 3, 4] * 12, "state": [name for name in "ABCDEF" for _ in range(8)]})
    >>> listed = frame["x"] + 2 * frame["state"].isin(["A", "B", "C"]) + frame.index % 3 > 4
    >>> frame["y"] = listed.astype(int)
    >>> model = Model("mixed", "y", ["x"], estimator="mixed_logit", random_intercept="state")
    >>> variance_components(fit(model, frame))[["groups", "std_deviation"]].round(2).to_dict("records")
    [{'groups': 6, 'std_deviation': 1.58}]
    """
    mixed = [(fit, fit.random) for fit in as_fits(fits) if fit.random is not None]
    if not mixed:
        raise ModelError("None of the fits has a random intercept: see estimator='mixed_logit'.")
    rows = [
        {
            "model": fit.model.name,
            "group": found.group,
            "groups": len(found.labels),
            **{name: getattr(found, name) for name in COLUMNS[3:12]},
            "quadrature_points": found.points,
            "log_likelihood": fit.log_likelihood,
            "n": fit.n,
            "note": found.note if found.std_deviation else ZERO,
        }
        for fit, found in mixed
    ]
    return pd.DataFrame(rows)[list(COLUMNS)]


def group_intercepts(fit: Fit) -> pd.DataFrame:
    """Each group's intercept beside the common one, in log odds, given its rows: its conditional mode.

    They are drawn towards zero, the more the fewer rows a group has.

    Returns
    -------
    DataFrame `group, intercept, std_error`, sorted by group as text.

    Raises
    ------
    ModelError : no random intercept.

    Examples
    --------
    >>> from analysis.models import Model, fit
    >>> frame = pd.DataFrame({"x": [1, 2, 3, 4] * 12, "state": [name for name in "ABCDEF" for _ in range(8)]})
    >>> listed = frame["x"] + 2 * frame["state"].isin(["A", "B", "C"]) + frame.index % 3 > 4
    >>> frame["y"] = listed.astype(int)
    >>> model = Model("mixed", "y", ["x"], estimator="mixed_logit", random_intercept="state")
    >>> group_intercepts(fit(model, frame)).round(2).head(1).to_dict("records")
    [{'group': 'A', 'intercept': 1.31, 'std_error': 0.82}]
    """
    require_fit(fit)
    if fit.random is None:
        raise ModelError(f"Model {fit.model.name!r} has no random intercept: see estimator='mixed_logit'.")
    table = pd.DataFrame(
        {
            "group": list(fit.random.labels),
            "intercept": fit.random.intercepts,
            "std_error": fit.random.intercept_std_errors,
        }
    )
    return table.sort_values("group", key=lambda labels: labels.astype(str), ignore_index=True)

"""What a fit returns, frozen, and the tidy table of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import ModelError
from analysis.models.spec import Model
from analysis.models.terms import Term

ESTIMATE_COLUMNS = (
    "model", "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high",
    "n", "clusters", "sample", "note",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Inference:
    """For each of k coefficients: test statistic, two-sided p-value, 95 % limits; each (k,)."""

    statistic: np.ndarray
    p_value: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray


@dataclass(frozen=True, eq=False)
class RandomIntercept:
    """What `mixed_logit` finds of the intercepts of G groups, in log odds.

    Parameters
    ----------
    group : the column of groups. labels : the G groups. points : quadrature points, 1 being Laplace's.
    std_deviation, variance : between the groups. std_error, conf_low, conf_high : of the standard deviation;
        limits at 95 %, symmetric in its logarithm. Empty (NaN) where the variance is estimated as zero.
    icc : intraclass correlation on the scale of the latent logistic variable, variance over
        variance + pi^2/3.
    lr_statistic : of the likelihood-ratio test against the logit without random intercept.
    p_value : by the mixture of a point at 0 and chi2(1) in equal parts, the variance having a boundary (Self
        and Liang, Journal of the American Statistical Association 82, 1987). p_value_chi2 : by chi2(1) alone.
    covariance : (k + 1, k + 1), of the coefficients and, last, the standard deviation.
    information_covariance : the same by the observed information alone, whether or not errors are clustered.
    intercepts, intercept_std_errors : (G,), each group's conditional mode and its standard error.
    note : what is wrong with the integrals, empty where nothing is.
    """

    group: str
    labels: tuple
    points: int
    std_deviation: float
    std_error: float
    conf_low: float
    conf_high: float
    variance: float
    icc: float
    lr_statistic: float
    p_value: float
    p_value_chi2: float
    covariance: np.ndarray
    information_covariance: np.ndarray
    intercepts: np.ndarray
    intercept_std_errors: np.ndarray
    note: str


@dataclass(frozen=True, eq=False)
class Estimated:
    """What an estimator hands to `fit`: numbers for the columns of a design.

    `covariance` is (k, k); `fitted` (n,) the fitted means; `shift` what an estimator of probabilities
    adds to the linear predictor (FLIC), 0 elsewhere, and `flac` its FLAC coefficients (k,);
    `degrees_of_freedom` is infinite for the normal law. `random` is what `mixed_logit` finds of the
    intercepts. `note` concerns every covariate.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    inference: Inference
    degrees_of_freedom: float
    log_likelihood: float
    converged: bool
    condition_number: float
    fitted: np.ndarray
    effective_clusters: np.ndarray | None
    shift: float = 0.0
    flac: np.ndarray | None = None
    random: RandomIntercept | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Fit:
    """One fitted model.

    Parameters
    ----------
    model : what was asked.
    n : rows used. rows : their labels, in order. used : (rows of data,) bool.
    dropped : the rows left out, index as in `data`, column `reason`.
    missing : a sentence on the rows left out for missing values, by column and state; empty without any.
    covariates : every covariate asked for, as terms; those left out included.
    terms : what the k coefficients belong to: `Intercept`, covariates, then `effects` fixed effects.
    groups : for each fixed effect its values among the rows used.
    coefficients, covariance, inference : (k,), (k, k), and tests with 95 % limits of the k coefficients.
    degrees_of_freedom : of the t law used; G-1 when clustered, infinite for the normal law.
    clusters : G, or None when the errors are not clustered.
    effective_clusters : (k,), the effective number of clusters of each coefficient, or None.
    effective_clusters_by_size : Kish's effective number by rows, or None.
    log_likelihood : at the estimates (`firth`: penalised; `lpm`: Gaussian).
    converged : whether the estimator reached its tolerance.
    condition_number : of the design that the last step solves with, its rows weighted as there and its
        columns scaled to length one.
    outcome, fitted : (n,), what was observed and the fitted means (`firth`: through FLIC; `mixed_logit`:
        averaged over the random intercept).
    shift : what `firth` adds to the linear predictor for a probability (FLIC); 0 elsewhere.
    flac : (k,), for `firth` the FLAC coefficients, which serve for probabilities; None elsewhere.
    random : of the random intercept of a `mixed_logit` (see `RandomIntercept`); None elsewhere.
    notes : for each term that needs one, what a reader must know.
    omitted : terms without numbers; their note says why.
    fingerprint : (n,), by which the data that were fitted are known again.

    Examples
    --------
    >>> from analysis.models import Model, fit
    >>> frame = pd.DataFrame({"y": [0, 0, 1, 0, 1, 1], "x": [1, 2, 3, 4, 5, None]})
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     found = fit(Model("small", "y", ["x"], estimator="lpm"), frame)
    >>> found.n, found.terms, found.dropped["reason"].tolist(), found.missing
    (5, ('Intercept', 'x'), ['missing x'], '1 of 6 rows left out for missing values: x (1)')
    """

    model: Model
    n: int
    rows: pd.Index
    used: np.ndarray
    dropped: pd.DataFrame
    missing: str
    covariates: tuple[Term, ...]
    terms: tuple[str, ...]
    effects: int
    groups: dict[str, tuple]
    coefficients: np.ndarray
    covariance: np.ndarray
    inference: Inference
    degrees_of_freedom: float
    clusters: int | None
    effective_clusters: np.ndarray | None
    effective_clusters_by_size: float | None
    log_likelihood: float
    converged: bool
    condition_number: float
    outcome: np.ndarray
    fitted: np.ndarray
    shift: float
    flac: np.ndarray | None
    random: RandomIntercept | None
    notes: dict[str, str]
    omitted: tuple[str, ...]
    fingerprint: np.ndarray


def wald(estimate: np.ndarray, covariance: np.ndarray, degrees_of_freedom: float) -> Inference:
    """Wald tests and 95 % limits, by the t law (by the normal law for infinite degrees of freedom).

    >>> wald(np.array([1.96]), np.array([[1.0]]), np.inf).p_value.round(3)
    array([0.05])
    """
    error = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / error
    reach = stats.t.ppf(0.975, degrees_of_freedom)
    return Inference(
        statistic=statistic,
        p_value=2 * stats.t.sf(np.abs(statistic), degrees_of_freedom),
        conf_low=estimate - reach * error,
        conf_high=estimate + reach * error,
    )


# A coefficient of a design above this has fewer exact digits than are printed.
CONDITION_LIMIT = 1e6


def condition_number(X: np.ndarray) -> float:
    """The condition number of X (n, k) with its columns scaled to length one.

    A relative error of 1e-16 in the data can grow by this factor in coefficients from an orthogonal
    decomposition, and by its square in a covariance.
    """
    return float(np.linalg.cond(X / np.linalg.norm(X, axis=0)))


def require_fit(fit: object) -> None:
    """Nothing, when it is a Fit.

    Raises
    ------
    ModelError : it is something else.
    """
    if not isinstance(fit, Fit):
        raise ModelError(f"A Fit was expected, not {type(fit).__name__}: call fit(model, data) first.")


def as_fits(fits: Fit | Iterable[Fit]) -> list[Fit]:
    """A list of fits from one or from many.

    Raises
    ------
    ModelError : nothing, or something that is no fit.
    """
    listed = [fits] if isinstance(fits, Fit) else list(fits) if isinstance(fits, Iterable) else [fits]
    for fit in listed:
        require_fit(fit)
    if not listed:
        raise ModelError("No fit was given.")
    return listed


def estimates(fits: Fit | Iterable[Fit]) -> pd.DataFrame:
    """One row a term of each fit: the intercept, then the covariates in the model's order.

    Fixed effects are left out. A term without numbers keeps its row; `note` says why.

    Parameters
    ----------
    fits : one fit or many, each from `fit`.

    Returns
    -------
    DataFrame with `model, term, estimate, std_error, statistic, p_value, conf_low, conf_high, n,
    clusters, sample, note`. Units: log odds (`logit`, `firth`; within strata `conditional_logit`; given the
    group's intercept `mixed_logit`) or probability (`lpm`) for one unit of
    the covariate. The limits are at 95 %: Wald, except that for `firth` they are those of the profile
    penalised likelihood, with the p-value of its ratio and, as `statistic`, the signed root of that
    ratio. `clusters` is missing where errors are not clustered, `sample` is `all` without a query.

    Raises
    ------
    ModelError : no fit was given.

    Examples
    --------
    >>> from analysis.models import Model, fit
    >>> frame = pd.DataFrame({"x": [1, 2, 3, 4, 5, 6, 7, 8], "state": list("AABBCCDD")})
    >>> frame["y"] = [0, 0, 1, 0, 1, 1, 0, 1]
    >>> found = fit(Model("small", "y", ["x"]), frame)
    >>> estimates(found).round(3)[["term", "estimate", "conf_low", "conf_high", "n"]].to_dict("records")[1]
    {'term': 'x', 'estimate': 0.433, 'conf_low': -0.302, 'conf_high': 1.168, 'n': 8}
    """
    return pd.concat([_rows(fit) for fit in as_fits(fits)], ignore_index=True)


def _rows(fit: Fit) -> pd.DataFrame:
    names = list(fit.terms[:1]) if fit.terms[0] == "Intercept" else []
    names += [term.name for term in fit.covariates]
    where = {term: position for position, term in enumerate(fit.terms) if term not in fit.omitted}
    position = np.array([where.get(name, -1) for name in names], dtype=int)

    def taken(values: np.ndarray) -> np.ndarray:
        return np.where(position >= 0, values[position], np.nan)

    frame = pd.DataFrame(
        {
            "model": fit.model.name,
            "term": names,
            "estimate": taken(fit.coefficients),
            "std_error": taken(np.sqrt(np.diag(fit.covariance))),
            "statistic": taken(fit.inference.statistic),
            "p_value": taken(fit.inference.p_value),
            "conf_low": taken(fit.inference.conf_low),
            "conf_high": taken(fit.inference.conf_high),
            "n": fit.n,
            "clusters": pd.array([fit.clusters] * len(names), dtype="Int64"),
            "sample": fit.model.sample or "all",
            "note": [fit.notes.get(name, "") for name in names],
        }
    )
    return frame[list(ESTIMATE_COLUMNS)]

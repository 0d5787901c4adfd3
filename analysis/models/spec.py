"""What is asked: a frozen description of one model, checked when it is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Any, NamedTuple

from analysis.errors import ModelError, nearest
from analysis.provenance import read_params


class Estimator(NamedTuple):
    """What must be known of an estimator beside its numbers; `analysis.models.fitting` has the function.

    `title` and `unit` (of a coefficient) are for tables. `may_separate`: its likelihood need not have a
    maximum, so that what separates the outcome leaves beforehand. `absorbs`: fixed effects are taken out, and
    get no coefficients. `response`: what makes a probability of the linear predictor, "logistic" or
    "identity"; without it there are no probabilities, and no effects on them.
    """

    title: str
    unit: str
    may_separate: bool = False
    absorbs: bool = False
    response: str | None = None


ESTIMATORS = {
    "logit": Estimator(
        "Logit",
        "log odds for one unit of the covariate, with Wald limits",
        may_separate=True,
        response="logistic",
    ),
    "firth": Estimator(
        "Firth logit",
        "log odds for one unit of the covariate, with profile penalised-likelihood limits",
        response="logistic",
    ),
    "lpm": Estimator(
        "Linear probability",
        "probability for one unit of the covariate, with Wald limits",
        absorbs=True,
        response="identity",
    ),
    "conditional_logit": Estimator(
        "Conditional logit",
        "log odds within strata for one unit of the covariate, with Wald limits",
        may_separate=True,
        absorbs=True,
    ),
    "mixed_logit": Estimator(
        "Random-intercept logit",
        "log odds for one unit of the covariate, given the group's intercept, with Wald limits",
        may_separate=True,
        response="logistic",
    ),
}
ESTIMATOR_NAMES = tuple(ESTIMATORS)
MAXIMUM_LIKELIHOOD = tuple(name for name, about in ESTIMATORS.items() if about.may_separate)
ABSORBING = tuple(name for name, about in ESTIMATORS.items() if about.absorbs)
LEVELS = ("county", "place", "state")
MOST_POINTS = 100  # of quadrature; further out the weights are no numbers


@dataclass(frozen=True)
class Model:
    """One model: what is explained, by what, on which rows, and how it is estimated.

    Parameters
    ----------
    name : what tables call it.
    outcome : the column explained; 0 and 1, for `lpm` any number.
    covariates : columns, catalogue groups (a name is a column first), products as `"a:b"`, squares as
        `"a:a"`.
    estimator : `logit` (maximum likelihood), `firth` (penalised likelihood), `lpm` (least squares),
        `conditional_logit` (exact, given each stratum's number of events; the strata are the one fixed
        effect) or `mixed_logit` (maximum likelihood with a normal intercept for each group of
        `random_intercept`, by adaptive Gauss-Hermite quadrature).
    level : what a row is: `county`, `place` or `state`.
    fixed_effects : columns whose every value gets an intercept of its own.
    random_intercept : for `mixed_logit` alone, the column of groups. Fixed effects of other columns may stand
        beside it, and a cluster that holds whole groups.
    cluster : the column within whose values errors may be correlated.
    sample : a `DataFrame.query` string; None keeps every row.
    weights : a column of weights (each row counts that many times in the sums, not in `n`).
    quadrature_points : for `mixed_logit`, how many nodes a group's integral has; 1 is Laplace's.

    Raises
    ------
    ModelError : an unknown estimator or level, a name given twice, the outcome among the covariates.

    Examples
    --------
    >>> main = Model("main", "is_listed", ["foreign_born_share"])
    >>> main.with_(add=["median_age"], cluster="state").covariates
    ('foreign_born_share', 'median_age')
    """

    name: str
    outcome: str
    covariates: Sequence[str]
    estimator: str = "logit"
    level: str = "county"
    fixed_effects: Sequence[str] = ()
    random_intercept: str | None = None
    cluster: str | None = None
    sample: str | None = None
    weights: str | None = None
    quadrature_points: int = 25

    def __post_init__(self) -> None:
        for field in ("covariates", "fixed_effects"):
            object.__setattr__(self, field, distinct(getattr(self, field), field, self.name))
        for field in ("name", "outcome"):
            if not (isinstance(getattr(self, field), str) and getattr(self, field).strip()):
                raise ModelError(
                    f"Model {self.name!r}: {field} must be a name, not {getattr(self, field)!r}."
                )
        for field in ("random_intercept", "cluster", "sample", "weights"):
            value = getattr(self, field)
            if value is not None and not (isinstance(value, str) and value.strip()):
                raise ModelError(f"Model {self.name!r}: {field} must be text or None, not {value!r}.")
        _one_of(self.estimator, ESTIMATOR_NAMES, "estimator", self.name)
        _one_of(self.level, LEVELS, "level", self.name)
        _check_random_intercept(self)
        if self.outcome in {part for name in self.covariates for part in (name, *name.split(":"))}:
            raise ModelError(f"Model {self.name!r}: the outcome {self.outcome!r} is among its covariates.")
        if self.estimator == "conditional_logit" and (len(self.fixed_effects) != 1 or self.weights):
            found = f"weights {self.weights!r}" if self.weights else f"{list(self.fixed_effects)}"
            raise ModelError(
                f"Model {self.name!r}: conditional_logit takes one fixed effect, its strata, and no weights; "
                f"found {found}."
            )
        if self.estimator == "firth" and self.weights is not None:
            raise ModelError(
                f"Model {self.name!r}: firth takes no weights ({self.weights!r}): its penalty is defined "
                "for rows that count once. Use logit or lpm."
            )

    def with_(self, *, add: Iterable[str] = (), drop: Iterable[str] = (), **changes: Any) -> Model:
        """A new model with covariates added and dropped, and other fields replaced.

        Raises
        ------
        ModelError : a field that a model does not have, or a covariate to drop that is not there (each
            with the nearest name), or what the changed model breaks.
        """
        known = [field.name for field in fields(self)]
        for field in changes:
            if field not in known:
                raise ModelError(f"A model has no field {field!r}.{nearest(field, known)}")
        covariates = list(distinct(changes.pop("covariates", self.covariates), "covariates", self.name))
        for name in distinct(drop, "drop", self.name):
            if name not in covariates:
                raise ModelError(
                    f"Model {self.name!r}: {name!r} cannot be dropped, it is not among the "
                    f"covariates.{nearest(name, covariates)}"
                )
            covariates.remove(name)
        covariates += distinct(add, "add", self.name)
        return replace(self, covariates=tuple(covariates), **changes)


def _check_random_intercept(model: Model) -> None:
    """Nothing, when `mixed_logit` and `random_intercept` come together, and with what goes with them."""
    start, group = f"Model {model.name!r}:", model.random_intercept
    if (model.estimator == "mixed_logit") != (group is not None):
        raise ModelError(
            f"{start} mixed_logit needs random_intercept, the column of groups."
            if group is None
            else f"{start} random_intercept={group!r}, but {model.estimator} has no random intercept; use "
            "estimator='mixed_logit'."
        )
    points = model.quadrature_points
    if isinstance(points, bool) or not isinstance(points, Integral) or not 1 <= points <= MOST_POINTS:
        raise ModelError(f"{start} quadrature_points={points!r}; 1 (Laplace) to {MOST_POINTS} are possible.")
    object.__setattr__(model, "quadrature_points", int(points))
    if group is not None and model.weights is not None:
        raise ModelError(
            f"{start} mixed_logit takes no weights ({model.weights!r}): beside a random intercept the answer "
            "depends on how they are scaled within groups. Use logit, clustered by the groups."
        )
    if group is not None and group in (*model.covariates, *model.fixed_effects, model.outcome):
        raise ModelError(
            f"{start} the random intercept {group!r} is the outcome, a covariate or a fixed effect as well; "
            "it can have one part only."
        )


def load_model(name: str) -> Model:
    """The model of that name in `params.yaml`, under `models:`.

    Raises
    ------
    ModelError : no such model (with the nearest name), or an entry that is no valid model.
    DataError : `params.yaml` is not found or is not YAML.

    Examples
    --------
    >>> main = load_model("main")
    >>> main.outcome, main.estimator, main.cluster
    ('is_listed', 'logit', 'state')
    >>> load_model("mian")
    Traceback (most recent call last):
    analysis.errors.ModelError: params.yaml has no model 'mian'. Nearest: 'main'.
    """
    if not isinstance(name, str):
        raise ModelError(f"A model's name is needed, not {name!r}.")
    models = read_params().get("models") or {}
    if not isinstance(models, dict):
        raise ModelError("params.yaml: `models` must be a mapping from names to models.")
    if name not in models:
        raise ModelError(f"params.yaml has no model {name!r}.{nearest(name, map(str, models))}")
    entry = models[name]
    if not isinstance(entry, dict):
        raise ModelError(f"params.yaml: model {name!r} must be a mapping of fields, not {entry!r}.")
    known = [field.name for field in fields(Model)]
    for field in entry:
        if field not in known:
            raise ModelError(f"params.yaml: model {name!r} has no field {field!r}.{nearest(field, known)}")
    for field in ("outcome", "covariates"):
        if field not in entry:
            raise ModelError(f"params.yaml: model {name!r} lacks the field {field!r}.")
    return Model(**{"name": name, **entry})


def declared_keys(part: str, keys: Iterable[str]) -> dict:
    """A part of `params.yaml` that has just these keys.

    Raises
    ------
    ModelError : no such part, or a key that is unknown (with the nearest) or missing.
    """
    entry, keys = read_params().get(part), list(keys)
    if not isinstance(entry, dict):
        raise ModelError(f"params.yaml: `{part}` must be a mapping with {', '.join(keys)}.")
    for key in entry:
        if key not in keys:
            raise ModelError(f"params.yaml: {part} has no key {key!r}.{nearest(key, keys)}")
    if absent := [key for key in keys if key not in entry]:
        raise ModelError(f"params.yaml: {part} lacks {', '.join(absent)}.")
    return entry


def distinct(value: object, field: str, model: object) -> tuple[str, ...]:
    """A tuple of distinct names out of a name, a list of names, or None."""
    names = () if value is None else (value,) if isinstance(value, str) else value
    if not isinstance(names, Iterable):
        raise ModelError(f"Model {model!r}: {field} must be a list of names, not {value!r}.")
    names = tuple(names)
    for name in names:
        if not (isinstance(name, str) and name.strip()):
            raise ModelError(f"Model {model!r}: {field} must hold names, not {name!r}.")
        if names.count(name) > 1:
            raise ModelError(f"Model {model!r}: {name!r} is named twice in {field}.")
    return tuple(str(name) for name in names)


def _one_of(value: object, known: tuple[str, ...], field: str, model: object) -> None:
    if value not in known:
        raise ModelError(f"Model {model!r}: unknown {field} {value!r}.{nearest(value, known)}")

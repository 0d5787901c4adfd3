"""What `params.yaml` pre-specifies under `prediction`, and the baselines beside every prediction."""

from __future__ import annotations

from dataclasses import fields

from analysis.errors import ModelError, nearest
from analysis.models.spec import Model
from analysis.provenance import read_param

Blocks = dict[str, tuple[str, ...]]

# By name, because `listed_state_alone` is dated as the list itself: it shows how far the list's own state
# entries go, and is no model.
BASELINES = {
    "base_rate": (),
    "vote_alone": ("democratic_share_2024",),
    "listed_state_alone": ("is_in_listed_state",),
}


def load_prediction(name: str) -> tuple[Model, Blocks]:
    """A model of `params.yaml`, under `prediction`, and its covariates by block.

    Raises
    ------
    ModelError : no such model (with the nearest name), no valid model, or one with a random intercept.
    """
    entries = read_param("prediction")
    if name not in entries:
        raise ModelError(f"params.yaml: `prediction` has no model {name!r}.{nearest(name, entries)}")
    entry = dict(entries[name])
    blocks = {str(block): tuple(names) for block, names in entry.pop("blocks").items()}
    known = [field.name for field in fields(Model) if field.name != "covariates"]
    for field in entry:
        if field not in known:
            raise ModelError(f"params.yaml: model {name!r} has no field {field!r}.{nearest(field, known)}")
    if "outcome" not in entry:
        raise ModelError(f"params.yaml: model {name!r} lacks the field 'outcome'.")
    if entry.get("random_intercept") is not None:
        raise ModelError(
            f"params.yaml: the prediction {name!r} has a random intercept, whose limits and dominance are "
            "not computed. Use logit; leave_one_state_out predicts with one."
        )
    covariates = [each for part in blocks.values() for each in part]
    return Model(**{"name": name, **entry, "covariates": covariates}), blocks


def baselines(model: Model, columns: list[str]) -> dict[str, Model]:
    """The baselines that the columns allow, fitted to the same outcome and sample."""
    return {
        name: model.with_(name=name, covariates=covariates, estimator="logit", cluster=None)
        for name, covariates in BASELINES.items()
        if set(covariates) <= set(columns)
    }

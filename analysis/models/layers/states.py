"""The states themselves: 51 units, of which few are listed, by Firth's method with one or two covariates."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.errors import ModelError
from analysis.models.layers.rows import table_of, term_rows
from analysis.models.spec import Model

MOST = 2  # covariates that so few events can carry


def state_layer(states: pd.DataFrame, entry: Mapping) -> pd.DataFrame:
    """Every model of states as rows of `analysis.models.layers.rows.COLUMNS`, the sample being `states`.

    Parameters
    ----------
    states : the state panel. entry : `outcome` and `models`, a list of covariates each, of params.yaml.

    Raises
    ------
    ModelError : more than two covariates.
    """

    tables = []
    for name, covariates in entry["models"].items():
        if len(covariates) > MOST:
            raise ModelError(
                f"params.yaml: the model {name!r} of states has {len(covariates)} covariates; {MOST} are as "
                "many as so few listed states can carry."
            )
        model = Model(name, entry["outcome"], covariates, "firth", "state")
        tables.append(table_of(model, states, "states", name, term_rows))
    return pd.concat(tables, ignore_index=True)

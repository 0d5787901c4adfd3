"""Stage `measurement`: how far the survey's errors reach, and what they do to the headlines."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.catalogue import load_catalogue
from analysis.errors import ModelError
from analysis.models.measurement.errors import SAMPLED, drawn_from
from analysis.models.measurement.headlines import Simulation, with_and_without
from analysis.models.measurement.reliability import reliability_table
from analysis.models.spec import Model, declared_keys, load_model
from analysis.panel import load_panel
from analysis.provenance import processed
from analysis.stages import run
from analysis.writing import write_csv

KEYS = ("sets", "models", "draws", "simex_draws", "lambdas", "seed")


def declared() -> tuple[list[Model], Mapping[str, list[str]], Simulation]:
    """The models whose covariates are replaced, by which sets, and how much is drawn, from `params.yaml`.

    Raises
    ------
    ModelError : a key that is unknown or missing, no set or model.
    """
    entry = declared_keys("measurement", KEYS)
    if not (isinstance(entry["sets"], dict) and entry["sets"] and entry["models"]):
        raise ModelError("params.yaml: measurement needs `sets` of covariates by name, and `models`.")
    models = [load_model(name) for name in entry["models"]]
    return models, entry["sets"], Simulation(**{key: entry[key] for key in KEYS[2:]})


def surveyed(sets: Mapping[str, list[str]], counties: pd.DataFrame) -> list[str]:
    """The variables of the catalogue that a survey gives or that have margins, and what the models use."""
    used = {part for covariates in sets.values() for name in covariates for part in name.split(":")}
    used |= {part for name in load_model("main").covariates for part in name.split(":")}
    return [
        name
        for name, variable in load_catalogue().items()
        if name in used or variable.source.partition("/")[0] in SAMPLED or drawn_from(name, counties)
    ]


def main() -> None:
    """Read the panel, fit with and without the errors, write the tables."""
    counties = load_panel("county")
    models, sets, simulation = declared()
    tables = []
    for name, covariates in sets.items():
        for model in models:
            table = with_and_without(model.with_(covariates=covariates), counties, simulation)
            tables.append(table.assign(covariates=name, model=model.name))
    table = pd.concat(tables, ignore_index=True)
    first = ["covariates", "model"]
    write_csv(table[[*first, *table.columns.drop(first)]], processed("measurement.csv"))
    write_csv(reliability_table(surveyed(sets, counties), counties), processed("measurement_reliability.csv"))


if __name__ == "__main__":
    run(main)

"""Stage `layers`: models of counties in states, of places in counties, and of states, as tidy tables."""

from __future__ import annotations

import pandas as pd

from analysis.models.layers.county import county_layers
from analysis.models.layers.places import place_layers, without_covariates
from analysis.models.layers.states import state_layer
from analysis.panel import load_panel
from analysis.provenance import processed, read_param
from analysis.stages import run
from analysis.writing import write_csv


def main() -> None:
    """Read the panels, fit, write the tables."""
    entries = read_param("layers")
    panels = {level: load_panel(level) for level in ("county", "place", "state")}
    counties, places = panels["county"], panels["place"]
    layers = [county_layers(counties, entries["county"]), state_layer(panels["state"], entries["state"])]
    tables = {
        "layers.csv": pd.concat(layers, ignore_index=True),
        "places_estimates.csv": place_layers(places, counties, entries["place"]),
        "places_without_covariates.csv": without_covariates(places, counties, entries["place"]),
    }
    for name, table in tables.items():
        write_csv(table, processed(name))


if __name__ == "__main__":
    run(main)

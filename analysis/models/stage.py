"""Stage `models`: fit what `params.yaml` pre-specifies and write the tidy tables that pages read."""

from __future__ import annotations

from analysis.catalogue import group_members, load_catalogue
from analysis.models.agreements import agreement_table
from analysis.models.counts import cross_table, listing_by_state
from analysis.models.fitting import by_name, fit_all
from analysis.models.results import estimates
from analysis.models.spec import load_model
from analysis.models.summaries import (
    contrasts,
    describe,
    dropped_rows,
    frequencies,
    marginal_effects,
    surface,
)
from analysis.panel import load_panel
from analysis.provenance import processed, read_param
from analysis.stages import run
from analysis.writing import write_csv

JUSTICE = "doj_2025_08_05"  # the first of the Justice lists, for description


def roster_columns() -> dict[str, str]:
    """The day of each roster that the catalogue has a 0/1 variable of, with the variable's name."""
    enforcement = (load_catalogue("county")[name] for name in group_members("enforcement"))
    return {v.source.partition("/")[2]: v.name for v in enforcement if v.unit == "0/1"}


def main() -> None:
    """Read the panels, fit, write the tables."""
    models, vintages = read_param("models"), read_param("vintages")
    panels = {level: load_panel(level) for level in {load_model(name).level for name in models} | {"county"}}
    counties = panels["county"]
    fits = fit_all(models, panels)
    named = {name: fits[name] for name in by_name(models)}
    dhs = vintages["main_list"].replace("-", "_")
    tables = {
        "agreements_287g.csv": agreement_table(counties, roster_columns()),
        "contrasts.csv": contrasts(named, counties),
        "dropped.csv": dropped_rows(fits, panels),
        "estimates.csv": estimates(list(fits.values())),
        "fits.csv": describe(fits),
        "frequencies.csv": frequencies(counties),
        "listing_by_state.csv": listing_by_state(counties),
        "marginal_effects.csv": marginal_effects(named, panels),
        "outcomes.csv": cross_table(counties, dhs, JUSTICE),
        "surface.csv": surface(named, counties),
    }
    for name, table in tables.items():
        write_csv(table, processed(name))


if __name__ == "__main__":
    run(main)

"""Stage `explorer`: the table of every jurisdiction, the bins of the map, and the page."""

from __future__ import annotations

import pandas as pd

from analysis.explorer.columns import Column, columns
from analysis.explorer.contents import contents
from analysis.explorer.layers import bins_table, layers
from analysis.explorer.outlines import on_grid
from analysis.explorer.page import PAGE, document
from analysis.explorer.units import explorer_table
from analysis.provenance import processed, read_param, root
from analysis.sources.geography import read_boundaries
from analysis.stages import run
from analysis.writing import replacing, write_csv, write_parquet


def in_words(table: pd.DataFrame, known: dict[str, Column]) -> pd.DataFrame:
    """The table with its choices as words, for readers without the page."""
    worded = {
        column.name: table[column.name].map(dict(enumerate(column.choices)))
        for column in known.values()
        if column.kind == "choice" and column.name in table
    }
    return table.assign(**worded)


def made() -> tuple[pd.DataFrame, pd.DataFrame, dict, dict]:
    """From the committed tables: the explorer's own two, and the facts and outlines of the page."""
    table, known = explorer_table(), columns()
    counties, states = (table[table["level"] == level] for level in ("county", "state"))
    found = layers(counties, known)
    boundaries = read_boundaries(read_param("vintages")["boundaries"])
    outlines = on_grid(boundaries, counties.index, states.index)
    return in_words(table, known), bins_table(found), contents(table, known, found), outlines


def main() -> None:
    """Read the committed tables, write the explorer's own and the page."""
    table, bins, facts, outlines = made()
    write_parquet(table, processed("explorer.parquet"))
    write_csv(bins, processed("explorer_bins.csv"))
    with replacing(root() / "reports" / PAGE) as beside:
        beside.write_text(document(facts, outlines, root() / "reports"), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    run(main)

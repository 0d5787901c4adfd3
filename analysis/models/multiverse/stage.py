"""Stage `multiverse`: fit the cells that were drawn, and the same under the null; write what pages read."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models.multiverse import chunks, summary
from analysis.models.multiverse.cells import fit_cell, permutation_tests, signs
from analysis.models.multiverse.declaration import Multiverse, declared, family
from analysis.models.multiverse.inference import Tally, compared
from analysis.provenance import processed
from analysis.stages import run
from analysis.writing import write_csv, write_parquet

CATEGORIES = ("focal", "family", "status")


def curve_tests(made: Multiverse, where: Path, cells: list[dict[str, str]]) -> pd.DataFrame:
    """Every curve against its own under the null, cell by cell: one focal variable and family at a time."""
    tables = []
    members: dict[tuple[str, str], list[dict[str, str]]] = {}
    for cell in cells:
        members.setdefault((cell["level"], family(cell)), []).append(cell)
    for (level, name), group in members.items():
        tallies = {focal: (Tally(1), Tally(made.draws)) for focal in made.focal}
        for choices in group:
            for focal, cell in chunks.load(chunks.path_of(where, choices)).items():
                fine = cell.status == "ok"
                if not fine.any():
                    continue
                estimate, error, clusters = (
                    cell.numbers[0, fine],
                    cell.numbers[1, fine],
                    cell.numbers[6, fine],
                )
                tallies[focal][0].add(estimate[:, None], (estimate / error)[:, None], clusters - 1)
                tallies[focal][1].add(cell.null, cell.null_t.astype(float), clusters - 1)
        for focal, (observed, under) in tallies.items():
            if observed.count:
                tables.append(compared(observed, under).assign(focal=focal, level=level, family=name))
    if not tables:
        raise ModelError(
            "The multiverse has no specification with a number: look at its choices in params.yaml."
        )
    return pd.concat(tables, ignore_index=True)


def inference(made: Multiverse, where: Path, cells: list[dict[str, str]]) -> pd.DataFrame:
    """The tests of the curves by both nulls: `focal, level, family, null, cells, statistic, ...`."""
    wild = curve_tests(made, where, cells).assign(null="wild_bootstrap", cells="all")
    shuffled = permutation_tests(made).assign(null="permutation", cells="main")
    table = pd.concat([wild, shuffled], ignore_index=True)
    first = [*summary.CURVE, "null", "cells"]
    return table[[*first, *table.columns.drop(first)]]


def write_specifications(table: pd.DataFrame) -> None:
    """The table of specifications; text as categories, numbers to six digits, which a curve does not need."""
    few = table.assign(
        **{name: table[name].astype("category") for name in table.select_dtypes("str")},
        **{
            name: six_digits(table[name].to_numpy(dtype=float))
            for name in ("estimate", "std_error", "p_value", "effect")
        },
    )
    write_parquet(few, processed("multiverse.parquet"))


def six_digits(values: np.ndarray) -> np.ndarray:
    """Floats to six significant digits."""
    with np.errstate(all="ignore"):
        scale = 10.0 ** (5 - np.floor(np.log10(np.abs(values))))
        out = np.rint(values * scale) / scale
    return np.where(np.isfinite(out), out, values)


def main() -> None:
    """Fit what is not there yet, add up, write the tables, remove the chunks."""
    made = declared()
    cells, where = made.drawn_cells(), chunks.folder(chunks.key())
    chunks.work(where, cells, partial(fit_cell, made, flips=signs(made)))
    found = ((cell, chunks.load(chunks.path_of(where, cell), null=False)) for cell in cells)
    table = summary.specifications(made, found)
    tables = {
        "multiverse_inference.csv": inference(made, where, cells),
        "multiverse_summary.csv": summary.by_family(table, made),
        "multiverse_choices.csv": summary.by_choice(table, made),
        "multiverse_variance.csv": summary.decomposition(table, made),
        "multiverse_headlines.csv": summary.headlines(table, made),
    }
    write_specifications(table)
    for name, frame in tables.items():
        write_csv(frame, processed(name))
    chunks.clear()


if __name__ == "__main__":
    run(main)

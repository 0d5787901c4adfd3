"""Random-intercept logits on every county: seconds a fit, by model and number of quadrature points.

`make bench` writes `benchmarks/mixed.csv`: wall seconds (the median of several runs) with their bound, and
how far the estimate moves when the points are doubled.
"""

from __future__ import annotations

import datetime
import sys
import time

import numpy as np
import pandas as pd

from analysis.models import Fit, Model, fit, load_model
from analysis.models.layers.county import complete, split
from analysis.models.prediction import leave_one_state_out
from analysis.panel import load_panel
from analysis.provenance import read_param, root
from analysis.writing import write_csv
from benchmarks.pipeline import machine

RUNS = 5
SECONDS = 5.0  # a fit on all counties
EVERY_COUNTY = [
    "foreign_born_share",
    "hispanic_share",
    "bachelors_share",
    "log_population",
]  # none is missing
POINTS = (1, 25)


def models() -> dict[str, tuple[Model, pd.DataFrame]]:
    """What is fitted, each with its frame."""
    counties, entry = load_panel("county"), read_param("layers")["county"]
    parted, names = split(complete(counties, entry["covariates"]), entry["covariates"])
    mixed = load_model("main").with_(estimator="mixed_logit", random_intercept="state", cluster=None)
    return {
        "four covariates without a missing value": (mixed.with_(covariates=EVERY_COUNTY), counties),
        "main": (mixed, counties),
        "within and between states, with who governs": (
            mixed.with_(covariates=[*names, *entry["state"]]),
            parted,
        ),
    }


def seconds(function, *arguments) -> tuple[float, object]:
    """The median of the runs, and the last result."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        found = function(*arguments)
        times.append(time.perf_counter() - start)
    return float(np.median(times)), found


def moved(found: Fit, model: Model, data: pd.DataFrame) -> float:
    """The largest change of a coefficient, in standard errors, with twice the points."""
    finer = fit(model.with_(quadrature_points=2 * model.quadrature_points), data)
    return float((np.abs(finer.coefficients - found.coefficients) / np.sqrt(np.diag(found.covariance))).max())


def main() -> None:
    rows = []
    for name, (model, data) in models().items():
        for points in POINTS:
            asked = model.with_(quadrature_points=points)
            took, found = seconds(fit, asked, data)
            rows.append(
                (name, points, found.n, len(found.random.labels), took, SECONDS, moved(found, asked, data))
            )
    model, data = models()["main"]
    start = time.perf_counter()
    predicted = leave_one_state_out(model, data).notna()
    took = time.perf_counter() - start
    rows.append(
        (
            "main, each state left out",
            model.quadrature_points,
            predicted.sum(),
            data.loc[predicted, "state"].nunique(),
            took,
            None,
            None,
        )
    )
    columns = ["model", "points", "rows", "groups", "seconds", "at_most", "moved_std_errors"]
    table = pd.DataFrame(rows, columns=columns).round({"seconds": 2, "moved_std_errors": 5})
    table["measured_on"], table["machine"] = datetime.date.today().isoformat(), machine()
    write_csv(table, root() / "benchmarks" / "mixed.csv")
    print(table.drop(columns=["machine", "measured_on"]).to_string(index=False))
    if (table["seconds"] > table["at_most"]).any():
        sys.exit(f"over the bound of {SECONDS} seconds a fit")


if __name__ == "__main__":
    main()

"""Leave one state out: all folds in one batched Newton, against a loop of statsmodels in the same process.

`make bench` writes `benchmarks/prediction.csv`: milliseconds of processor time of each (the least of several
runs, in turn), how many times as fast, and the largest difference of a probability.
"""

from __future__ import annotations

import datetime
import sys
import time
import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm

from analysis.models import Model, load_model
from analysis.models.prediction import leave_one_state_out
from analysis.models.prediction.held_out import select
from analysis.models.prediction.specification import load_prediction
from analysis.panel import load_panel
from analysis.provenance import root
from analysis.writing import write_csv
from benchmarks.pipeline import machine

RUNS = 9
LEAST_RATIO, MOST_DIFFERENCE = 8.0, 1e-10
MODELS = ("main", "county_local", "county", "place")
# With more columns their products take the time either way. A fold of the places is separated: it is
# predicted by Firth's estimates, and the loop has no maximum to be compared with.
BOUND = ("main", "county_local")


def loop(model: Model, data: pd.DataFrame) -> pd.Series:
    """The same probabilities by statsmodels, one state after the other, on the same rows."""
    rows = select(model, data)
    out = np.empty(len(rows.y))
    for code in range(len(rows.labels)):
        own = rows.codes == code
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # at this tolerance it warns where rounding stops it
            fitted = sm.Logit(rows.y[~own], rows.X[~own]).fit(disp=0, tol=1e-12)
        out[own] = fitted.predict(rows.X[own])
    return pd.Series(out, data.index[rows.used])


def timed(function, *arguments) -> tuple[float, pd.Series]:
    start = time.process_time()
    result = function(*arguments)
    return 1000 * (time.process_time() - start), result


def measure(name: str) -> dict[str, object]:
    """One model of `params.yaml` on its panel."""
    model = load_model(name) if name == "main" else load_prediction(name)[0]
    data = load_panel(model.level)
    ours, theirs = [], []
    for _ in range(RUNS if model.level == "county" else 3):
        elapsed, found = timed(leave_one_state_out, model, data)
        ours.append(elapsed)
        elapsed, reference = timed(loop, model, data)
        theirs.append(elapsed)
    found = found.dropna()
    return {
        "model": name,
        "rows": len(found),
        "states": data.loc[found.index, "state"].nunique(),
        "columns": 1 + len(model.covariates),
        "batched_ms": min(ours),
        "loop_ms": min(theirs),
        "times_as_fast": min(theirs) / min(ours),
        "largest_difference": float(np.abs(found - reference.reindex(found.index)).max()),
    }


def main() -> None:
    table = pd.DataFrame([measure(name) for name in MODELS])
    table = table.round({"batched_ms": 1, "loop_ms": 1, "times_as_fast": 1})
    table["measured_on"], table["machine"] = datetime.date.today().isoformat(), machine()
    write_csv(table, root() / "benchmarks" / "prediction.csv")
    print(table.drop(columns=["machine", "measured_on"]).to_string(index=False))
    same = table[table["model"] != "place"]["largest_difference"] <= MOST_DIFFERENCE
    fast = table[table["model"].isin(BOUND)]["times_as_fast"] >= LEAST_RATIO
    if not (same.all() and fast.all()):
        sys.exit(f"over the bounds: {LEAST_RATIO} times as fast, differences below {MOST_DIFFERENCE}")


if __name__ == "__main__":
    main()

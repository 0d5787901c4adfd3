"""The multiverse against a loop and against other packages, in one process, turn by turn.

3,144 rows in 51 states of the real sizes, twelve controls: 4,096 specifications. Loops are timed on a part
and scaled by the number of models. Each ratio is the median over rounds in which all contestants ran one
after the other, so that what else the machine does falls on all of them. The peers (`specification-curve`,
`wildboottest`) live in an environment of their own, `.venv-bench`, since they are needed for nothing else;
where they are not installed their rows are left out, which is said. `make bench` writes
`benchmarks/multiverse.csv`.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib
import importlib.metadata
import io
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.special import expit

from analysis.models import Model, fit
from analysis.models.bootstrap import drawn, share_beyond, sign_vectors
from analysis.models.design import design
from analysis.models.multiverse import curve_test, specification_curve
from analysis.provenance import read_output, root
from analysis.writing import write_csv
from benchmarks.pipeline import machine

CONTROLS = [f"z{number}" for number in range(12)]
ROUNDS, PART, DRAWS = 5, 128, 9999
PEER_CONTROLS = 7  # 128 models of the peer
STATES = 51


class Row(NamedTuple):
    """One measured figure: `at_least` or `at_most` is what the project asks for."""

    what: str
    measured: float
    at_least: float = np.nan
    at_most: float = np.nan


def generate(controls: int = 12) -> pd.DataFrame:
    """Rows with a binary outcome that hangs on x, the controls and the state."""
    sizes = read_output("listing_by_state.csv")["counties"].to_numpy()
    rng = np.random.default_rng(0)
    state = np.repeat(np.arange(len(sizes)), sizes)
    Z = rng.normal(size=(len(state), controls)) + rng.normal(size=(len(sizes), controls))[state]
    x = rng.normal(size=len(state)) + 0.3 * Z[:, :6].sum(axis=1)
    eta = -2 + 0.3 * x + 0.2 * Z[:, ::2].sum(axis=1) + 0.5 * rng.normal(size=len(sizes))[state]
    columns = {f"z{j}": column for j, column in enumerate(Z.T)}
    return pd.DataFrame({"listed": 1 * (rng.random(len(x)) < expit(eta)), "x": x, "state": state} | columns)


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call, its words and warnings swallowed."""
    silence = io.StringIO()
    with (
        contextlib.redirect_stdout(silence),
        contextlib.redirect_stderr(silence),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        begun = time.perf_counter()
        call()
        return time.perf_counter() - begun


def loop(model: type, y: np.ndarray, X: np.ndarray, subsets: np.ndarray, codes: np.ndarray) -> None:
    """What one would write with statsmodels: one clustered fit a subset; the first columns are in each."""
    always = X.shape[1] - subsets.shape[1]
    arguments = {"disp": False} if model is sm.Logit else {}
    for subset in subsets:
        columns = np.r_[np.ones(always, bool), subset]
        found = model(y, X[:, columns]).fit(cov_type="cluster", cov_kwds={"groups": codes}, **arguments)
        assert np.isfinite(found.bse[always - 1])


def curves(data: pd.DataFrame) -> list[Row]:
    """Linear and logit curves against loops and against the other package."""
    rng = np.random.default_rng(1)
    subsets = rng.random((PART, len(CONTROLS))) < 0.5
    codes, names = data["state"].to_numpy(), ["x", *CONTROLS]
    y, X = data["listed"].to_numpy(dtype=float), data[names].to_numpy()
    inner = (
        data[["listed", *names]] - data.groupby("state")[["listed", *names]].transform("mean")
    ).to_numpy()
    constant = np.column_stack([np.ones(len(y)), X])
    within = {"fixed_effects": "state", "cluster": "state"}
    contestants = {
        "lpm": lambda: specification_curve(data, "listed", "x", CONTROLS, **within),
        "ols loop": lambda: loop(sm.OLS, inner[:, 0], inner[:, 1:], subsets, codes),
        "logit": lambda: specification_curve(
            data, "listed", "x", CONTROLS, estimator="logit", cluster="state"
        ),
        "logit loop": lambda: loop(sm.Logit, y, constant, subsets[: PART // 2], codes),
    }
    if (package := peer("specification_curve")) is not None:
        few = CONTROLS[:PEER_CONTROLS]
        contestants["package"] = lambda: package.SpecificationCurve(data, "listed", "x", few).fit()
    times = interleaved(contestants)
    models = 2 ** len(CONTROLS)
    ols = times["ols loop"] * models / PART / times["lpm"]
    logit = times["logit loop"] * models / (PART // 2) / times["logit"]
    rows = [
        Row("4,096 linear specifications, seconds", float(np.median(times["lpm"]))),
        Row("4,096 linear specifications, times a statsmodels loop", float(np.median(ols)), at_least=350),
        Row("4,096 logits, seconds", float(np.median(times["logit"]))),
        Row("4,096 logits, times a statsmodels loop", float(np.median(logit)), at_least=10),
    ]
    if package is not None:
        ratio = times["package"] * models / 2**PEER_CONTROLS / times["lpm"]
        text = f"4,096 linear specifications, times {said('specification-curve')}"
        rows.append(Row(text, float(np.median(ratio)), at_least=1500))
    return rows + bounds(len(data), float(np.median(times["lpm"])), float(np.median(times["logit"])))


def bootstraps(data: pd.DataFrame) -> list[Row]:
    """9,999 draws of the wild cluster bootstrap of one linear model, to the p-value."""
    model = Model("bench", "listed", ("x", *CONTROLS), "lpm", cluster="state")
    found, arrays = fit(model, data), design(model, data)
    j = found.terms.index("x")
    statistic = found.coefficients[j] / np.sqrt(found.covariance[j, j])

    def own() -> None:
        signs = sign_vectors(found.clusters, DRAWS, 0)
        share_beyond(statistic, drawn(arrays, j, 0.0, found.coefficients, signs))

    if (package := peer("wildboottest.wildboottest")) is None:
        return []
    X = sm.add_constant(data[["x", *CONTROLS]])

    def other() -> None:
        package.wildboottest(
            sm.OLS(data["listed"], X), param="x", cluster=data["state"], B=DRAWS, seed=1, show=False
        )

    seconds(other)  # compiled the first time
    times = interleaved({"own": own, "other": other})
    ratio = float(np.median(times["other"] / times["own"]))
    return [
        Row("9,999 wild cluster draws, seconds", float(np.median(times["own"]))),
        Row(f"9,999 wild cluster draws, times {said('wildboottest')}", ratio, at_least=35),
    ]


def nulls(data: pd.DataFrame) -> list[Row]:
    """500 curves of 4,096 specifications under each null."""
    rows = []
    for null in ("wild_bootstrap", "permutation"):
        options = {"fixed_effects": "state", "cluster": "state", "null": null, "draws": 500}
        took = seconds(lambda options=options: curve_test(data, "listed", "x", CONTROLS, **options))
        rows.append(Row(f"500 curves under the null ({null}), seconds", took, at_most=15))
    return rows


def bounds(n: int, linear: float, logit: float) -> list[Row]:
    """What flops and bytes allow on this machine with one thread, and the distance to it."""
    m, k = 2 ** len(CONTROLS), len(CONTROLS)
    p, q = k + 1, k + 2
    square = np.random.default_rng(0).normal(size=(1024, 1024))
    peak = 2 * 1024**3 / min(seconds(lambda: square @ square) for _ in range(5))
    long = np.zeros(40_000_000)
    target = np.empty_like(long)
    bandwidth = 2 * long.nbytes / min(seconds(lambda: np.copyto(target, long)) for _ in range(5))
    tree = sum(2 ** (level + 1) * (k - level + 1) * q for level in range(k))
    pairs = p * (p + 1) // 2 + p
    flops = 3 * tree + m * pairs * (3 + 2 * STATES) + 2 * n * q**2
    moved = 8 * (2 * tree + m * (2 * p + 3) + n * q)
    lower = max(flops / peak, moved / bandwidth)
    c, rounds = k + 2, 4
    newton = rounds * m * n * (4 * c + c * (c + 1) + 30) + m * n * (2 * c + 2)
    return [
        Row("one thread, GFLOP a second", peak / 1e9),
        Row("one thread, GB a second", bandwidth / 1e9),
        Row("4,096 linear specifications, bound by flops and bytes, seconds", lower),
        Row("4,096 linear specifications, times the bound", linear / lower),
        Row("4,096 logits, bound by flops and bytes, one thread, seconds", newton / peak),
        Row("4,096 logits, times the bound", logit * peak / newton),
    ]


def interleaved(contestants: dict[str, Callable[[], object]]) -> dict[str, np.ndarray]:
    """Seconds of each contestant in each round, (rounds,), after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(ROUNDS + 1):
        for name, call in contestants.items():
            took = seconds(call)
            if number:
                times[name].append(took)
    return {name: np.array(values) for name, values in times.items()}


def peer(module: str):
    """A package to compare with, or None where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        print(f"{module} is not installed (`make bench` installs it in .venv-bench): left out")
        return None


def said(package: str) -> str:
    """A package with its version."""
    return f"{package} {importlib.metadata.version(package)}"


def memory() -> float:
    """The peak of memory of 2^16 clustered specifications, in MB, this process's imports included."""
    specification_curve(
        generate(16), "listed", "x", [f"z{j}" for j in range(16)], fixed_effects="state", cluster="state"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def main() -> None:
    """Measure, write the table, and fail where a bound is missed."""
    if sys.argv[1:] == ["memory"]:
        print(json.dumps(memory()))
        return
    command = [sys.executable, "-m", "benchmarks.multiverse", "memory"]
    peak = json.loads(subprocess.run(command, cwd=root(), capture_output=True, text=True, check=True).stdout)
    data = generate()
    rows = [*curves(data), *bootstraps(data), *nulls(data)]
    rows.append(Row("65,536 linear specifications, peak memory, MB", peak, at_most=1000))
    table = pd.DataFrame(rows)
    table["measured"] = [float(f"{value:.3g}") for value in table["measured"]]
    table = table.assign(
        statsmodels=importlib.metadata.version("statsmodels"),
        measured_on=datetime.date.today().isoformat(),
        machine=machine(),
    )
    write_csv(table, root() / "benchmarks" / "multiverse.csv")
    print(table[["what", "measured", "at_least", "at_most"]].to_string(index=False))
    missed = table[(table["measured"] < table["at_least"]) | (table["measured"] > table["at_most"])]
    if len(missed):
        sys.exit(f"over the bounds: {'; '.join(missed['what'])}")


if __name__ == "__main__":
    main()

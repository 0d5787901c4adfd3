"""Frames with known truths, and the outside reference values beside the repository."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

PARITY = Path(__file__).parents[2].parent / "shared" / "parity"


def generated(seed: int = 0, states: int = 30, size: int = 25) -> pd.DataFrame:
    """Places in states of unequal size, with a state part in outcome and covariates.

    `listed` follows a logit with coefficients 0.8 (x), -0.5 (dummy), 0.3 (x:share), intercept -1.
    """
    rng = np.random.default_rng(seed)
    state = np.repeat(np.arange(states), rng.integers(size // 2, 2 * size, states))
    n = len(state)
    x = rng.normal(size=n) + 0.5 * rng.normal(size=states)[state]
    dummy = (rng.random(n) < 0.4).astype(float)
    share = rng.beta(2, 5, n)
    eta = -1 + 0.8 * x - 0.5 * dummy + 0.3 * x * share
    return pd.DataFrame(
        {
            "listed": (rng.random(n) < expit(eta)).astype(int),
            "x": x,
            "dummy": dummy,
            "share": share,
            "state": [f"S{code:02d}" for code in state],
            "region": [f"R{code % 4}" for code in state],
            "population": rng.lognormal(10, 1, n).round(),
        },
        index=pd.Index([f"{place:05d}" for place in range(n)], name="geoid"),
    )


@pytest.fixture(scope="session")
def generate():
    return generated


@pytest.fixture
def frame() -> pd.DataFrame:
    return generated()


class Reference:
    """The rows of parity.csv by id, and the data sets they were computed from."""

    def __init__(self, folder: Path) -> None:
        self.rows = pd.read_csv(folder / "parity.csv").set_index("id")
        self.folder = folder

    def check(self, row: str, value: float) -> None:
        expected, tolerance = self.rows.loc[row, ["value", "tolerance"]]
        assert abs(value - expected) <= tolerance, f"{row}: {value!r}, expected {expected!r} +- {tolerance}"

    def read(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / "data" / f"{name}.csv")

    def contraception(self) -> pd.DataFrame:
        data = self.read("contraception")
        livch = data["livch"].astype(str)
        return data.assign(
            y=(data["use"] == "Y").astype(int),
            urb=(data["urban"] == "Y").astype(int),
            lc1=livch.eq("1"),
            lc2=livch.eq("2"),
            lc3=livch.eq("3+"),
        )


@pytest.fixture(scope="session")
def reference() -> Reference:
    if not (PARITY / "parity.csv").is_file():
        pytest.skip("the reference values (shared/parity beside the repository) are not on this machine")
    return Reference(PARITY)

"""Helpers of the tests of predictions."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit


def known(seed: int = 0, states: int = 40, size: int = 120, truth: tuple = (-1.0, 1.0, -0.7)) -> pd.DataFrame:
    """Rows whose probability is known: a logit of `x` and `z`, `noise` having no part in it."""
    rng = np.random.default_rng(seed)
    state = np.repeat(np.arange(states), rng.integers(size // 2, size, states))
    x, z, noise = rng.normal(size=(3, len(state)))
    x = x + rng.normal(size=states)[state]
    p = expit(truth[0] + truth[1] * x + truth[2] * z)
    return pd.DataFrame(
        {
            "listed": (rng.random(len(p)) < p).astype(int), "p": p, "x": x, "z": z, "noise": noise,
            "state": [f"S{code:02d}" for code in state],
        }
    )  # fmt: skip


@pytest.fixture
def truth() -> pd.DataFrame:
    return known()

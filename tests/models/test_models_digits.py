"""No fit that is printed hangs on the order of its rows, however near its covariates lie to each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import ModelError
from analysis.models import Model, estimates
from analysis.models.fitting import sound_fit
from analysis.writing import rounded

WITHIN = {"fixed_effects": "state"}


@pytest.mark.parametrize("apart", [1e-3, 1e-4, 1e-5, 1e-6])
@pytest.mark.parametrize(
    "how",
    [
        {"estimator": "lpm"} | WITHIN,
        {"estimator": "lpm", "cluster": "state"} | WITHIN,
        {"estimator": "conditional_logit"} | WITHIN,
        {"estimator": "conditional_logit", "cluster": "state"} | WITHIN,
        {"estimator": "lpm", "cluster": "state"},
        {"estimator": "logit", "cluster": "state"},
    ],
    ids=lambda how: "-".join(how.values()) if isinstance(how, dict) else str(how),
)
def test_printed_digits_do_not_hang_on_the_order_of_rows(how: dict, apart: float) -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=400)
    listed = (draw.random(400) < 1 / (1 + np.exp(-x))).astype(int)
    state = np.repeat([f"S{i:02d}" for i in range(40)], 10)
    data = pd.DataFrame({"listed": listed, "x": x, "state": state, "z": x + apart * draw.normal(size=400)})
    model = Model("near", "listed", ["x", "z"], **how)
    if apart < 2e-6:
        with pytest.raises(ModelError):
            sound_fit(model, data)
        return
    printed = rounded(estimates(sound_fit(model, data))[["estimate", "std_error"]])
    again = rounded(estimates(sound_fit(model, data.iloc[draw.permutation(400)]))[["estimate", "std_error"]])
    assert len(printed) >= 2 and np.allclose(printed, again, rtol=2.1e-8, atol=0)


def test_a_weighted_fit_is_judged_by_its_weighted_rows() -> None:
    draw = np.random.default_rng(2)
    x, few = draw.normal(size=400), np.arange(400) < 10
    z = np.where(few, draw.normal(size=400), x + 1e-6 * draw.normal(size=400))
    data = pd.DataFrame({"y": x + draw.normal(size=400), "x": x, "z": z, "w": np.where(few, 1e-14, 1.0)})
    with pytest.raises(ModelError, match="condition number"):
        sound_fit(Model("weighted", "y", ["x", "z"], estimator="lpm", weights="w"), data)

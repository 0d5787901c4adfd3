"""Every unit's probability with its limits, and what each block of columns does to it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.models.prediction.held_out import HeldOut
from analysis.models.prediction.improbable import limits

PREFIX = "log_odds_"
DECIMALS = 6  # of log odds: near zero they are differences, which have fewer digits than they show


def explained_table(
    found: HeldOut, panel: pd.DataFrame, blocks: Mapping[str, tuple[str, ...]]
) -> pd.DataFrame:
    """The units that a model could predict, each by the fit that has not seen its state.

    Parameters
    ----------
    found : held-out predictions of a `logit` or `firth` without a random intercept. panel : its units, index
        `geoid`. blocks : names of its terms by block.

    Returns
    -------
    DataFrame, index `geoid`: `level, name, state, is_listed, probability, conf_low, conf_high, surprise`
    (listed less probability, -1 to 1), `probability_at_average` (of a unit whose columns are the means of the
    rows that the fit has seen), and `log_odds_<block>`, what the block's columns add to the log odds of such
    a unit: the log odds of the probability are those at the average plus the blocks'. Empty where a fit has
    no finite coefficients.
    """
    rows = found.rows
    seen = np.array([rows.X[rows.codes != group].mean(axis=0) for group in range(len(rows.labels))])
    coefficients = found.coefficients[rows.codes]
    added = (rows.X - seen[rows.codes]) * coefficients
    terms = [term.name for term in rows.terms]
    low, high = limits(found)
    own = panel[rows.used]
    out = pd.DataFrame(
        {
            "level": rows.model.level,
            "name": own["name"],
            "state": own["state"],
            "is_listed": rows.y.astype(int),
            "probability": found.probability.to_numpy()[rows.used],
            "conf_low": low,
            "conf_high": high,
        },
        index=own.index,
    )
    out["surprise"] = out["is_listed"] - out["probability"]
    out["probability_at_average"] = expit((seen[rows.codes] * coefficients).sum(axis=1))
    for block, names in blocks.items():
        out[PREFIX + block] = added[:, [1 + terms.index(name) for name in names]].sum(axis=1).round(DECIMALS)
    computed = ["probability_at_average", *(PREFIX + block for block in blocks)]
    out.loc[~np.isfinite(coefficients).all(axis=1), computed] = np.nan
    return out.rename_axis("geoid").sort_index()

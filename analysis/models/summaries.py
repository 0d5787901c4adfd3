"""Tables made from fits: what was fitted, and what it says on the scale of probability."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from scipy.special import expit

from analysis.models.effects import adjusted_predictions, average_marginal_effects
from analysis.models.fitting import sound_fit
from analysis.models.results import Fit, estimates
from analysis.models.spec import ESTIMATORS, Model

SAMPLES = {
    "all counties": None,
    "counties of listed states": "is_in_listed_state == 1",
    "counties of other states": "is_in_listed_state == 0",
}
LEVELS = [0.1, 0.25, 0.5, 0.75, 0.9]


def describe(fits: Mapping[str, Fit]) -> pd.DataFrame:
    """One row a model: what was fitted, on how many rows, and how well the numbers are determined."""
    return pd.DataFrame(
        {
            "model": name,
            "outcome": fitted.model.outcome,
            "estimator": fitted.model.estimator,
            "fixed_effects": ";".join(fitted.model.fixed_effects),
            "sample": fitted.model.sample or "all",
            "n": fitted.n,
            "events": int(fitted.outcome.sum()),
            "clusters": fitted.clusters,
            "effective_clusters_by_size": fitted.effective_clusters_by_size,
            "log_likelihood": fitted.log_likelihood,
            "condition_number": fitted.condition_number,
            "dropped": "; ".join(
                f"{reason}: {count}" for reason, count in fitted.dropped["reason"].value_counts().items()
            ),
        }
        for name, fitted in fits.items()
    ).astype({"clusters": "Int64"})


def dropped_rows(fits: Mapping[str, Fit], panels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every unit inside a model's sample that the model could not use, with the reason."""
    tables = []
    for name, fitted in fits.items():
        units = panels[fitted.model.level]
        out = fitted.dropped[fitted.dropped["reason"] != "outside the sample"]
        names = units.loc[out.index, ["name", "state"]].reset_index()
        tables.append(names.assign(model=name, reason=out["reason"].to_numpy()))
    columns = ["model", "geoid", "name", "state", "reason"]
    return pd.concat(tables)[columns].sort_values(["model", "geoid"])


def marginal_effects(fits: Mapping[str, Fit], panels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Average marginal effects of every model with probabilities, per standard deviation and per ten points
    (shares).

    Returns
    -------
    DataFrame `model, term, per, estimate, std_error, conf_low, conf_high, sample, note`. A model whose
    estimator takes no account of the clusters that it names says so in `note`.
    """
    tables = [
        average_marginal_effects(fitted, panels[fitted.model.level], per=per).assign(
            model=name, per=per, sample=fitted.model.sample or "all", note=_unclustered(fitted)
        )
        for name, fitted in fits.items()
        if ESTIMATORS[fitted.model.estimator].response is not None
        for per in ("sd", "ten_points")
    ]
    columns = ["model", "term", "per", "estimate", "std_error", "conf_low", "conf_high", "sample", "note"]
    frame = pd.concat(tables)[columns]
    return frame[(frame["per"] == "sd") | frame["term"].str.contains("_share")]


def _unclustered(fitted: Fit) -> str:
    """What a reader must know of a fit whose limits take no account of the clusters that its model names."""
    if fitted.clusters is not None or fitted.model.cluster is None:
        return ""
    return f"limits by the delta method take no account of clusters ({fitted.model.cluster})"


def frequencies(counties: pd.DataFrame) -> pd.DataFrame:
    """How many of 100 counties are listed, by sample, with the interval of a superpopulation of states.

    Returns
    -------
    DataFrame `sample, counties, listed, states, per_100, conf_low, conf_high`: the limits are those of a
    logit with nothing but an intercept, clustered by state, t with G-1 degrees of freedom.
    """
    rows = []
    for sample, query in SAMPLES.items():
        fitted = sound_fit(Model("share", "is_listed", (), cluster="state", sample=query), counties)
        low, high = estimates(fitted)[["conf_low", "conf_high"]].iloc[0]
        rows.append(
            {
                "sample": sample,
                "counties": fitted.n,
                "listed": int(fitted.outcome.sum()),
                "states": fitted.clusters,
                "per_100": 100 * fitted.outcome.mean(),
                "conf_low": 100 * expit(low),
                "conf_high": 100 * expit(high),
            }
        )
    return pd.DataFrame(rows)


def contrasts(fits: Mapping[str, Fit], counties: pd.DataFrame) -> pd.DataFrame:
    """How many of 100 counties a model expects listed when one covariate is low or high and all else as is.

    Low and high are the 10th and 90th percentile of the covariate among the model's own rows.

    Returns
    -------
    DataFrame `model, term, level, value, per_100, conf_low, conf_high`.
    """
    tables = []
    for name, fitted in fits.items():
        if not _is_county_logit(fitted):
            continue
        used = counties.loc[fitted.rows]
        for term in (term for term in fitted.terms if term in counties):
            values = used[term].quantile([0.1, 0.9]).round(4).tolist()
            predicted = adjusted_predictions(fitted, counties, [{term: value} for value in values])
            hundred = 100 * predicted[["estimate", "conf_low", "conf_high"]]
            table = hundred.rename(columns={"estimate": "per_100"})
            tables.append(table.assign(model=name, term=term, level=["low", "high"], value=values))
    return pd.concat(tables)[["model", "term", "level", "value", "per_100", "conf_low", "conf_high"]]


def surface(fits: Mapping[str, Fit], counties: pd.DataFrame) -> pd.DataFrame:
    """For each product of two columns: what goes with the one at every level of the other.

    The levels are the deciles and quartiles of each column among the model's own rows. All else is as is.

    Returns
    -------
    DataFrame `model, term, value, by, by_value, quantity, estimate, std_error, conf_low, conf_high`.
    Quantity `probability`: the mean probability with both columns set. `ten_points`: the average marginal
    effect of ten points of `term` where `by` is set; `value` is empty, the column being as it is.
    """
    tables = []
    for name, fitted in fits.items():
        if not _is_county_logit(fitted):
            continue
        for product in (term for term in fitted.covariates if len(set(term.parts)) == 2):
            by, term = product.parts
            used = counties.loc[fitted.rows]
            across, along = (used[column].quantile(LEVELS).round(4).tolist() for column in (term, by))
            points = [{term: value, by: level} for level in along for value in across]
            grid = adjusted_predictions(fitted, counties, points)
            grid = grid.rename(columns={term: "value", by: "by_value"}).assign(quantity="probability")
            slopes = []
            for level in along:
                table = average_marginal_effects(fitted, counties, "ten_points", at={by: level})
                slopes.append(table[table["term"] == term].assign(by_value=level, quantity="ten_points"))
            tables += [table.assign(model=name, term=term, by=by) for table in (grid, *slopes)]
    columns = ["model", "term", "value", "by", "by_value", "quantity"]
    columns += ["estimate", "std_error", "conf_low", "conf_high"]
    return pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns)


def _is_county_logit(fitted: Fit) -> bool:
    """Whether the fit is a logit of counties without fixed effects, of which probabilities are shown."""
    model = fitted.model
    return model.estimator == "logit" and model.level == "county" and not model.fixed_effects

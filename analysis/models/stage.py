"""Stage `models`: fit what `params.yaml` pre-specifies and write the tidy tables that pages read."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from scipy.special import expit

from analysis.errors import ModelError, run
from analysis.models.counts import agreement_table, listing_by_state
from analysis.models.effects import adjusted_predictions, average_marginal_effects
from analysis.models.fitting import fit
from analysis.models.results import Fit, estimates
from analysis.models.spec import Model, load_model
from analysis.panel import load_panel
from analysis.provenance import processed, read_params, write_csv

# A coefficient of a design above this has fewer exact digits than are printed.
CONDITION_LIMIT = 1e6

SAMPLES = {
    "all counties": None,
    "counties of listed states": "is_in_listed_state == 1",
    "counties of other states": "is_in_listed_state == 0",
}


def fit_all(models: Mapping[str, dict], panels: Mapping[str, pd.DataFrame]) -> dict[str, Fit]:
    """Every pre-specified model, fitted to the panel of its level.

    Raises
    ------
    ModelError : one cannot be fitted, did not converge, or is too ill-conditioned for its printed digits.
    """
    fits = {name: fit(load_model(name), panels[load_model(name).level]) for name in models}
    for name, fitted in fits.items():
        if not fitted.converged:
            raise ModelError(f"Model {name!r} did not converge. Look for separation or drop a covariate.")
        if fitted.condition_number > CONDITION_LIMIT:
            raise ModelError(
                f"Model {name!r}: its condition number {fitted.condition_number:.3g} is above "
                f"{CONDITION_LIMIT:.0g}, so that not all printed digits are exact. "
                "Drop or rescale a covariate."
            )
    return fits


def describe(fits: Mapping[str, Fit]) -> pd.DataFrame:
    """One row a model: what was fitted, on how many rows, and how well the numbers are determined."""
    return pd.DataFrame(
        {
            "model": name,
            "outcome": fitted.model.outcome,
            "estimator": fitted.model.estimator,
            "fixed_effects": ";".join(fitted.model.fixed_effects),
            "sample": fitted.model.sample or "",
            "n": fitted.n,
            "events": int(fitted.outcome.sum()),
            "clusters": fitted.clusters,
            "effective_clusters": fitted.effective_clusters_by_size,
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
    """Average marginal effects of every model, per standard deviation and per ten points (shares)."""
    tables = [
        average_marginal_effects(fitted, panels[fitted.model.level], per=per).assign(
            model=name, per=per, sample=fitted.model.sample or ""
        )
        for name, fitted in fits.items()
        for per in ("sd", "ten_points")
    ]
    columns = ["model", "term", "per", "estimate", "std_error", "conf_low", "conf_high", "sample"]
    frame = pd.concat(tables)[columns]
    return frame[(frame["per"] == "sd") | frame["term"].str.contains("_share")]


def frequencies(counties: pd.DataFrame) -> pd.DataFrame:
    """How many of 100 counties are listed, by sample, with the interval of a superpopulation of states.

    Returns
    -------
    DataFrame `sample, counties, listed, states, per_100, conf_low, conf_high`: the limits are those of a
    logit with nothing but an intercept, clustered by state, t with G-1 degrees of freedom.
    """
    rows = []
    for sample, query in SAMPLES.items():
        fitted = fit(Model("share", "is_listed", (), cluster="state", sample=query), counties)
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
        if fitted.model.estimator != "logit" or fitted.model.level != "county":
            continue
        used = counties.loc[fitted.rows]
        for term in (term for term in fitted.terms if term in counties):
            values = used[term].quantile([0.1, 0.9]).round(4).tolist()
            predicted = adjusted_predictions(fitted, counties, [{term: value} for value in values])
            hundred = 100 * predicted[["estimate", "conf_low", "conf_high"]]
            table = hundred.rename(columns={"estimate": "per_100"})
            tables.append(table.assign(model=name, term=term, level=["low", "high"], value=values))
    return pd.concat(tables)[["model", "term", "level", "value", "per_100", "conf_low", "conf_high"]]


def main() -> None:
    """Read the panels, fit, write the tables."""
    params = read_params()
    models = params["models"]
    panels = {level: load_panel(level) for level in {load_model(name).level for name in models} | {"county"}}
    counties = panels["county"]
    fits = fit_all(models, panels)
    rosters = {params["vintages"]["main_roster"]: "has_287g"}
    rosters[params["vintages"]["sensitivity_roster"]] = "has_287g_2025_05_28"
    tables = {
        "agreements_287g.csv": agreement_table(counties, rosters),
        "contrasts.csv": contrasts(fits, counties),
        "dropped.csv": dropped_rows(fits, panels),
        "estimates.csv": estimates(list(fits.values())),
        "fits.csv": describe(fits),
        "frequencies.csv": frequencies(counties),
        "listing_by_state.csv": listing_by_state(counties),
        "marginal_effects.csv": marginal_effects(fits, panels),
    }
    for name, table in tables.items():
        write_csv(table, processed(name))


if __name__ == "__main__":
    run(main)

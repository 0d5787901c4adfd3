"""What each figure draws: its data from the committed tables, a description in words, its source.

A page draws `drawn(name)`, the downloads hold the same frame as `figures/<name>.csv`, and
`figure_notes(name)` is the Markdown below the picture that describes it and links to the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd

from analysis import layered, predicted
from analysis.catalogue import label
from analysis.curves import describe_vote_curve, vote_curve_data
from analysis.errors import DataError, nearest
from analysis.figures import label_of
from analysis.headlines import SAMPLES, SAMPLES_BESIDE
from analysis.panel import load_panel
from analysis.provenance import read_output, read_param
from analysis.stakes.spread import KEPT_OUT, has_flag, one_measure
from analysis.tables import escape
from analysis.wording import count, direction, dollars, fraction, percent, points

FOLDER = "downloads/figures"


@dataclass(frozen=True)
class Drawn:
    """One figure: a title for its file, what it draws, its long description, where its numbers come from.

    `data` reads the committed tables and returns exactly what is drawn, `describe` turns that into
    sentences; neither takes anything else.
    """

    title: str
    data: Callable[[], pd.DataFrame]
    describe: Callable[[pd.DataFrame], str]
    source: str


def listing_map_data() -> pd.DataFrame:
    """`geoid, name, state, state_geoid, is_listed, is_in_listed_state`, one row a county."""
    counties = load_panel("county")[["name", "state", "state_geoid", "is_listed", "is_in_listed_state"]]
    return counties.astype({"is_listed": "int64", "is_in_listed_state": "int64"}).reset_index()


def describe_map(data: pd.DataFrame) -> str:
    listed = data[data["is_listed"] == 1]
    inside = int(listed["is_in_listed_state"].sum())
    states = data.loc[data["is_in_listed_state"] == 1, "state"].unique()
    return (
        "A map of the counties of the United States, Alaska and Hawaii set below the others. "
        f"{count(len(listed))} of {count(len(data))} counties are filled dark because their "
        f"government has an "
        f"entry; the others are light. A dark line surrounds each of the {count(len(states))} states "
        f"that have an "
        f"entry of their own: {', '.join(sorted(states))}. {count(inside)} of the dark counties, "
        f"{fraction(inside, len(listed))}, lie inside such a line."
    )


def listing_by_state_data() -> pd.DataFrame:
    """`geoid, state, counties, listed, listed_share, is_listed_state`, states with a listed county."""
    by_state = read_output("listing_by_state.csv")
    shown = by_state[by_state["listed"] > 0]
    return shown.sort_values(["listed_share", "state"], ascending=[False, True], ignore_index=True)


def describe_states(data: pd.DataFrame) -> str:
    first, last = data.iloc[0], data.iloc[-1]
    own = data["is_listed_state"] == 1
    return (
        f"{count(len(data))} horizontal bars, one a state with at least one listed county, from the "
        f"highest share "
        f"({first['state']}, {count(first['listed'])} of {count(first['counties'])} counties) down to "
        f"the lowest "
        f"({last['state']}, {count(last['listed'])} of {count(last['counties'])}). The bars of the "
        f"{count(own.sum())} states that are themselves listed are plain and their shares lie between "
        f"{percent(data.loc[own, 'listed_share'].min())} and "
        f"{percent(data.loc[own, 'listed_share'].max())}; the "
        f"other {count((~own).sum())} are hatched and lie between "
        f"{percent(data.loc[~own, 'listed_share'].min())} "
        f"and {percent(data.loc[~own, 'listed_share'].max())}. Each bar ends with its counts."
    )


def marginal_effects_data() -> pd.DataFrame:
    """`sample, term, label, estimate, conf_low, conf_high`: one standard deviation more, in probability."""
    effects = read_output("marginal_effects.csv")
    shown = effects[(effects["per"] == "sd") & effects["model"].isin(SAMPLES)]
    shown = shown.assign(sample=shown["model"].map(SAMPLES), label=shown["term"].map(label))
    columns = ["sample", "term", "label", "estimate", "conf_low", "conf_high"]
    return shown[columns].reset_index(drop=True)


def describe_effects(data: pd.DataFrame) -> str:
    parts = []
    for sample, rows in data.groupby("sample", sort=False):
        told = [
            f"{row['label']} {points(row)}" for _, row in rows.iterrows() if "chance" not in direction(row)
        ]
        said = f"the interval leaves out zero for {'; '.join(told)}" if told else "every interval holds zero"
        parts.append(f"{sample}: {said}")
    return (
        f"{count(data['sample'].nunique())} panels side by side, each with its own scale and one row "
        f"for each of "
        f"{count(data['term'].nunique())} covariates: a point for the average change of the chance of "
        f"being listed, "
        "in percentage points, that goes with one standard deviation more, a bar for its 95 % "
        "limits, and a line at "
        f"zero. In the panel of {'. In the panel of '.join(parts)}."
    )


def coefficients_data() -> pd.DataFrame:
    """`term, label, sample, estimate, conf_low, conf_high, least, most`: the primary terms, log odds.

    Limits are those of the wild cluster bootstrap, `least` and `most` the range without one state.
    """
    keys, names = ["model", "term"], SAMPLES | SAMPLES_BESIDE
    inference = read_output("inference.csv")
    bootstrap, without = (
        inference[inference["method"] == method].set_index(keys)[["conf_low", "conf_high"]]
        for method in ("wild_bootstrap", "leave_one_state_out")
    )
    shown = read_output("estimates.csv")[[*keys, "estimate"]]
    terms = read_param("models")["main"]["covariates"]
    shown = shown[shown["model"].isin(names) & shown["term"].isin(terms)]
    shown = shown.join(bootstrap, on=keys).join(
        without.rename(columns={"conf_low": "least", "conf_high": "most"}), on=keys
    )
    order = shown["term"].map(terms.index) * len(names) + shown["model"].map(list(names).index)
    shown = shown.assign(sample=shown["model"].map(names), label=shown["term"].map(label_of))
    columns = ["term", "label", "sample", "estimate", "conf_low", "conf_high", "least", "most"]
    return shown.loc[order.sort_values().index, columns].reset_index(drop=True)


def describe_coefficients(data: pd.DataFrame) -> str:
    parts = []
    for name, rows in data.groupby("label", sort=False):
        told = rows.loc[(rows["conf_low"] > 0) | (rows["conf_high"] < 0), "sample"]
        parts.append(f"{name}: {', '.join(told) if len(told) else 'none'}")
    return (
        f"{count(data['term'].nunique())} panels, one a covariate, each with its own scale and "
        f"{count(data['sample'].nunique())} rows, one a sample: a point for the coefficient in log "
        f"odds, a thick bar "
        "for its 95 % limits by the wild cluster bootstrap, a thin one with ends for the range of "
        "estimates without "
        "one state, and a line at zero. Samples whose limits leave out zero, by panel: "
        f"{'; '.join(parts)}."
    )


SURVEY_METHODS = {
    "published": "as published",
    "draws": "over draws",
    "simex": "SIMEX",
    "shrinkage": "shrinkage",
}


# Rows of the figure of survey errors; the catalogue's labels are too long beside four marks each.
SURVEY_TERMS = {
    "democratic_share_2024": "Democratic share",
    "limited_english_share": "little English spoken",
    "hispanic_share_2022": "Hispanic or Latino",
    "no_high_school_share": "no high-school diploma",
    "low_income_share": "near the poverty line",
    "log_population_2022": "residents (log)",
}


def survey_error_data() -> pd.DataFrame:
    """`panel, row, kind, estimate, conf_low, conf_high`: slopes of one standard deviation by method.

    Log odds, of the set of covariates in which every survey figure has a margin.
    """
    table = read_output("measurement.csv")
    shown = table[
        (table["covariates"] == "coherent")
        & (table["quantity"] == "slope_per_sd")
        & table["model"].isin(SAMPLES)
        & table["method"].isin(SURVEY_METHODS)
    ]
    shown = shown.assign(
        panel=shown["model"].map(SAMPLES),
        row=shown["term"].map(SURVEY_TERMS),
        kind=shown["method"].map(SURVEY_METHODS),
    )
    order = shown["kind"].map(list(SURVEY_METHODS.values()).index).sort_values(kind="stable").index
    return shown.loc[order, ["panel", "row", "kind", "estimate", "conf_low", "conf_high"]].reset_index(
        drop=True
    )


def describe_survey_error(data: pd.DataFrame) -> str:
    parts = []
    for panel, rows in data.groupby("panel", sort=False):
        sure = [
            name
            for name, own in rows.groupby("row", sort=False)
            if (own["conf_low"] > 0).all() or (own["conf_high"] < 0).all()
        ]
        parts.append(f"{panel}: {', '.join(sure) if sure else 'none'}")
    panels, names, kinds = (count(data[column].nunique()) for column in ("panel", "row", "kind"))
    return (
        f"{panels} panels side by side, each with its own scale, one row for each of {names} covariates and "
        f"in each row {kinds} marks, one a method: a point for the slope in log odds, a bar for its 95 % "
        "limits, and a line at zero. Covariates whose limits leave out zero by every method, by panel: "
        f"{'; '.join(parts)}."
    )


def amounts_data(measure: str, year: int, unit: str) -> pd.DataFrame:
    """`geoid, name, state, reading, measure, fiscal_year, amount_usd`: listed governments with an amount.

    Capitals, and counties that are no general government, are kept out: the money is not their own.
    """
    stakes = read_output("dollars_at_stake.csv").fillna({"flags": ""})
    main = f"listed_{read_param('vintages')['main_list'].replace('-', '_')}"
    rows = one_measure(stakes[has_flag(stakes["flags"], main)], measure)
    rows = rows[(rows["fiscal_year"] == year) & (rows["unit"] == unit) & rows["amount_usd"].notna()]
    out = pd.concat([has_flag(rows["flags"], flag) for flag in KEPT_OUT], axis=1).any(axis=1)
    columns = ["geoid", "name", "state", "reading", "measure", "fiscal_year", "amount_usd"]
    shown = rows.loc[~out, columns].astype({"fiscal_year": "int64"})
    return shown.sort_values(["amount_usd", "geoid"], ignore_index=True)


def describe_amounts(data: pd.DataFrame) -> str:
    usd = data["amount_usd"]
    quarter, half, most = usd.quantile(0.25), usd.quantile(0.75), data.iloc[-1]
    return (
        f"A histogram of {count(len(data))} governments by their amount of FY{most['fiscal_year']}, on a "
        f"scale of powers of ten. The middle half lies between {dollars(quarter)} and {dollars(half)}; the "
        f"last bar holds {most['name']} ({most['state']}) with {dollars(most['amount_usd'])}."
    )


FIGURES = {
    "listing-map": Drawn(
        "Which counties and states are listed",
        listing_map_data,
        describe_map,
        "the ledger of list entries and the county panel of this project; boundaries of the Census Bureau",
    ),
    "listing-by-state": Drawn(
        "Counties listed by state",
        listing_by_state_data,
        describe_states,
        "the ledger of list entries and the county panel of this project (`listing_by_state.csv`)",
    ),
    "marginal-effects": Drawn(
        "Average marginal effects of the main model in three samples",
        marginal_effects_data,
        describe_effects,
        "the logit models of this project (`marginal_effects.csv`)",
    ),
    "coefficients": Drawn(
        "Coefficients of the primary terms by sample",
        coefficients_data,
        describe_coefficients,
        "the models of this project (`estimates.csv`, `inference.csv`)",
    ),
    "survey-error": Drawn(
        "Slopes with and without the survey's errors",
        survey_error_data,
        describe_survey_error,
        "the models of this project (`measurement.csv`)",
    ),
    "prime_awards": Drawn(
        "Listed cities by prime awards of FY2023",
        partial(amounts_data, "prime_awards", 2023, "place"),
        describe_amounts,
        "Johns Hopkins University (govex), from USAspending.gov (`dollars_at_stake.csv`)",
    ),
    "whole_awards_active": Drawn(
        "Listed counties by whole awards active in FY2022 and performed there",
        partial(amounts_data, "whole_awards_active", 2022, "county"),
        describe_amounts,
        "USAspending.gov, as compiled in January 2023 (`dollars_at_stake.csv`)",
    ),
    "slfrf_allocation": Drawn(
        "Listed counties by their allocation of recovery funds in 2021",
        partial(amounts_data, "slfrf_allocation", 2021, "county"),
        describe_amounts,
        "US Treasury (`dollars_at_stake.csv`)",
    ),
    "pairs": Drawn(
        "Pairs of a listed and an unlisted unit in the right order",
        predicted.pairs_data,
        predicted.describe_pairs,
        "the predictions of this project (`prediction_metrics.csv`)",
    ),
    "calibration": Drawn(
        "Predicted and observed shares by tenths of the units",
        predicted.calibration_data,
        predicted.describe_calibration,
        "the predictions of this project (`prediction_calibration.csv`)",
    ),
    "dominance": Drawn(
        "What each block of columns carries of the wide model",
        predicted.dominance_data,
        predicted.describe_rows,
        "the predictions of this project (`prediction_dominance.csv`)",
    ),
    "list-error": Drawn(
        "Three headlines under ways in which the list may be wrong",
        predicted.list_error_data,
        predicted.describe_rows,
        "the models of this project on changed lists (`list_error.csv`)",
    ),
    "vote-slopes": Drawn(
        "The vote's slope by model of counties in states",
        layered.vote_slopes_data,
        layered.describe_vote_slopes,
        "the models of this project (`layers.csv`)",
    ),
    "city-effects": Drawn(
        "Average marginal effects for places",
        layered.city_effects_data,
        layered.describe_city_effects,
        "the models of this project (`places_estimates.csv`)",
    ),
    "vote-curve": Drawn(
        "All specifications of the vote's slope for counties",
        vote_curve_data,
        describe_vote_curve,
        "the multiverse of this project (`multiverse.parquet`)",
    ),
}


def figure(name: str) -> Drawn:
    """One figure by its name.

    Raises
    ------
    DataError : no figure of that name.
    """
    if name not in FIGURES:
        raise DataError(
            f"no figure is called {name!r}.{nearest(name, FIGURES)}",
            file="analysis/drawn.py",
            remedy="name one of FIGURES, or describe the figure there.",
        )
    return FIGURES[name]


def drawn(name: str) -> pd.DataFrame:
    """What the figure draws, from the committed tables: the frame that its download holds."""
    return figure(name).data()


def figure_notes(name: str) -> str:
    """A folded Markdown block for below the picture: long description, data to download, source."""
    this = figure(name)
    data = this.data()
    return (
        '::: {.callout-note collapse="true" title="Description, data and source of the figure"}\n'
        f"{escape(this.describe(data))}\n\n"
        f"Data: [{name}.csv]({FOLDER}/{name}.csv), exactly what is drawn ({count(len(data))} rows). "
        f"Source: {this.source}.\n"
        ":::\n"
    )

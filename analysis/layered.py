"""What the figures of the layers draw, from the committed tables, each in words, and their models' names."""

from __future__ import annotations

import pandas as pd

from analysis.catalogue import label
from analysis.predicted import LIMITS
from analysis.provenance import read_output, read_param
from analysis.tables import number
from analysis.wording import count

VOTE = "democratic_share_2024"
SAMPLES = {
    "all": "all counties",
    "listed states": "counties of listed states",
    "other states": "other counties",
}
PLACES = {"all": "all places", "listed states": "places of listed states", "other states": "other places"}
COUNTY_MODELS = {
    "pooled": "pooled logit",
    "random_intercept": "random intercept, one slope",
    "within_between": "within and between states",
    "within_between_state": "the same, with who governs",
    "state_effects": "logit with state effects",
    "conditional": "conditional logit",
}
PLACE_MODELS = {
    "pooled": "pooled logit",
    "state_intercept": "random intercept by state",
    "county_intercept": "random intercept by county",
    "county_in_state": "by county, with state effects",
    "within_county": "within counties, conditional",
}
OWN = "own covariates"
INSIDE = ("all", "within")  # the parts whose slopes compare units, of a state where it is split


def county_terms(term: str) -> pd.DataFrame:
    """A covariate's slope in every county model, by model and sample; within states where it is split."""
    layers = read_output("layers.csv")
    shown = layers[(layers["term"] == term) & layers["part"].isin(INSIDE) & layers["sample"].isin(SAMPLES)]
    return shown.set_index(["model", "sample"])


def vote_slopes_data() -> pd.DataFrame:
    """`panel, row, estimate, conf_low, conf_high`: the vote's slope in log odds by sample and model.

    A model that could not be fitted to a sample has no row there.
    """
    slopes = county_terms(VOTE)
    rows = [
        {"panel": panel, "row": row, **slopes.loc[(model, sample), LIMITS]}
        for sample, panel in SAMPLES.items()
        for model, row in COUNTY_MODELS.items()
        if (model, sample) in slopes.index
    ]
    return pd.DataFrame(rows, columns=["panel", "row", *LIMITS])


def describe_vote_slopes(data: pd.DataFrame) -> str:
    told = []
    for panel, rows in data.groupby("panel", sort=False):
        clear = rows[(rows["conf_low"] > 0) | (rows["conf_high"] < 0)]
        told.append(
            f"{panel}: from {number(rows['estimate'].min(), 2)} to {number(rows['estimate'].max(), 2)}, "
            f"limits without zero in {count(len(clear))} of {count(len(rows))} models"
        )
    return (
        f"{count(data['panel'].nunique())} panels side by side, one a sample, each with its own scale and "
        f"{count(data['row'].nunique())} rows, one a model: a mark for the slope in log odds with its 95 % "
        f"limits, and a line at zero. {'; '.join(told)}."
    )


def city_effects_data() -> pd.DataFrame:
    """`panel, row, kind, estimate, conf_low, conf_high`: what goes with one standard deviation more.

    In percentage points, for places with a random intercept by state; `kind` is whose covariates they are.
    """
    places = read_output("places_estimates.csv")
    floor = read_param("layers")["place"]["floors"][0]
    shown = places[(places["model"] == "state_intercept") & (places["least_population"] == floor)]
    shown = shown[shown["part"] == "all"]
    kinds = {"published": OWN, "county_where_missing": "its county's where it has none"}
    table = pd.DataFrame(
        {
            "panel": shown["sample"].map(PLACES),
            "row": shown["term"].map(city_label),
            "kind": shown["covariates"].map(kinds),
            "estimate": 100 * shown["effect"],
            "conf_low": 100 * shown["effect_low"],
            "conf_high": 100 * shown["effect_high"],
        }
    )
    return table.reset_index(drop=True)


def city_label(term: str) -> str:
    """A covariate's name for places; a city's vote is not counted, and its county's is named as such."""
    return f"{label(term)} (the county's)" if term == VOTE else label(term)


def describe_city_effects(data: pd.DataFrame) -> str:
    told = []
    for panel, rows in data[data["kind"] == OWN].groupby("panel", sort=False):
        clear = rows[(rows["conf_low"] > 0) | (rows["conf_high"] < 0)]
        named = [f"{row['row']} {number(row['estimate'], 2)}" for _, row in clear.iterrows()]
        told.append(f"{panel}: {'; '.join(named) if named else 'none'}")
    return (
        f"{count(data['panel'].nunique())} panels side by side, one a sample, and "
        f"{count(data['row'].nunique())} rows, one a covariate, with two marks each: places with covariates "
        "of their own, and with their county's where they have none. A mark is the average change in "
        "percentage points that goes with one standard deviation more, a bar its 95 % limits. With their own "
        f"covariates, limits leave out zero for {'. For '.join(told)}."
    )

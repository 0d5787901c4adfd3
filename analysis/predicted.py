"""What the figures of the predictions draw, from the committed tables, and each in words."""

from __future__ import annotations

import pandas as pd

from analysis.provenance import read_output
from analysis.tables import number
from analysis.wording import count, percent

UNSEEN, SEEN, FOLDS = "leave one state out", "in sample", "ten-fold"
LEVELS = {"county": "counties", "place": "places", "state": "states"}
LIMITS = ["estimate", "conf_low", "conf_high"]
PAIRS = {"auc": "over all states", "auc_within": "inside a state", "auc_averaged": "mean over states"}
PREDICTED = {
    ("county", "model"): "counties: the model",
    ("county", "vote_alone"): "counties: the vote alone",
    ("county", "listed_state_alone"): "counties: the state's own entry alone",
    ("county_local", "model"): "counties: eight local covariates",
    ("place", "model"): "places: the model",
}
BLOCKS = {
    "partisanship": "vote",
    "demography": "demography",
    "economy": "economy and education",
    "geography": "size and place",
    "state": "who governs, state law",
    "money": "federal allocation",
    "all": "all together",
}
CARRIED = {
    "mcfadden_r2": "McFadden's R-squared, in sample",
    "held_out_log_loss": "less log loss, states unseen",
}
INSIDE = ("democratic_share_2024", "counties of listed states")
HEADLINES = {
    ("auc", "all counties"): "AUC, states unseen",
    ("democratic_share_2024", "all counties"): "vote, all counties",
    INSIDE: "vote, listed states",
}
# The scenarios that the figure shows, in its order: what a row is called, and which details it is of.
SCENARIOS = {
    "as printed": ("as printed", ""),
    "entries dropped": ("without {}", ""),
    "another printing": ("printing {}", ""),
    "random flips": ("{} turned over", "of every size$"),
    "known error rates": ("{}", "^false positives 0,"),
}


def pairs_data() -> pd.DataFrame:
    """`panel, row, kind, estimate, conf_low, conf_high`: the share of pairs in the right order.

    `kind` is which rows the model had seen.
    """
    measured = read_output("prediction_metrics.csv").set_index(["prediction", "model", "scheme", "metric"])
    rows = [
        {"panel": panel, "row": row, "kind": scheme, **measured.loc[(*who, scheme, metric), LIMITS]}
        for metric, panel in PAIRS.items()
        for who, row in PREDICTED.items()
        for scheme in (SEEN, FOLDS, UNSEEN)
        if (*who, scheme, metric) in measured.index
    ]
    return pd.DataFrame(rows)


def describe_pairs(data: pd.DataFrame) -> str:
    return (
        f"{size(data)}; a mark with its limits for each of {'; '.join(dict.fromkeys(data['kind']))}; and a "
        f"line at chance. Marks of {UNSEEN}. {panels(data[data['kind'] == UNSEEN])}"
    )


def size(data: pd.DataFrame) -> str:
    """How many panels and rows a figure has."""
    return (
        f"{count(data['panel'].nunique())} panels side by side with {count(data['row'].nunique())} rows each"
    )


def panels(data: pd.DataFrame) -> str:
    """Every panel's rows with their numbers, a sentence a panel."""
    return " ".join(
        f"Panel “{panel}”: {'; '.join(map(told, rows.to_dict('records')))}."
        for panel, rows in data.groupby("panel", sort=False)
    )


def told(row: dict) -> str:
    """A row of a figure with its number, and its limits where they lie apart."""
    low, high = (number(row[name], 2) for name in ("conf_low", "conf_high"))
    limits = f" ({low} to {high})" if row["conf_low"] < row["conf_high"] else ""
    return f"{row['row']} {number(row['estimate'], 2)}{limits}"


def calibration_data() -> pd.DataFrame:
    """`panel, bin, rows, events, predicted, observed, conf_low, conf_high`: one row a tenth of the units."""
    curve = read_output("prediction_calibration.csv")
    columns = ["panel", "bin", "rows", "events", "predicted", "observed", "conf_low", "conf_high"]
    return curve.assign(panel=curve["level"].map(LEVELS))[columns]


def describe_calibration(data: pd.DataFrame) -> str:
    parts = []
    for panel, rows in data.groupby("panel", sort=False):
        low, high = rows.iloc[0], rows.iloc[-1]
        above = (rows["observed"] > rows["predicted"]).sum()
        parts.append(
            f"{panel.capitalize()}: in the lowest tenth {percent(low['predicted'])} predicted and "
            f"{percent(low['observed'])} listed, in the highest {percent(high['predicted'])} and "
            f"{percent(high['observed'])}; {count(above)} of {count(len(rows))} points lie above the line."
        )
    return (
        f"{count(data['panel'].nunique())} square panels, the mean probability across and the share listed "
        f"up, both from none to all, with a diagonal where the two agree. {' '.join(parts)}"
    )


def dominance_data() -> pd.DataFrame:
    """`panel, row, estimate, conf_low, conf_high`: each block's share of two measures of the wide model."""
    shares = read_output("prediction_dominance.csv")
    wide = shares[(shares["prediction"] == "county_wide") & (shares["block"] != "all")]
    wide = wide.assign(panel=wide["measure"].map(CARRIED), row=wide["block"].map(BLOCKS))
    return wide[["panel", "row", *LIMITS]].reset_index(drop=True)


def describe_rows(data: pd.DataFrame) -> str:
    return f"{size(data)}, a mark with its limits in each. {panels(data)}"


def list_error_data() -> pd.DataFrame:
    """`panel, row, estimate, conf_low, conf_high`: three headlines under ways in which the list may be wrong.

    Limits are the range over random draws; where nothing was drawn they are the estimate.
    """
    errors = read_output("list_error.csv").fillna({"detail": ""})
    parts = []
    for (headline, sample), panel in HEADLINES.items():
        own = errors[(errors["headline"] == headline) & (errors["sample"] == sample)]
        for scenario, (form, pattern) in SCENARIOS.items():
            rows = own[(own["scenario"] == scenario) & own["detail"].str.contains(pattern)]
            parts.append(rows.assign(panel=panel, row=rows["detail"].map(form.format)))
    shown = pd.concat(parts, ignore_index=True)
    shown = shown.assign(
        conf_low=shown["low"].fillna(shown["estimate"]), conf_high=shown["high"].fillna(shown["estimate"])
    )
    return shown[["panel", "row", *LIMITS]]

"""Stage `prediction`: what models are worth for states they have not seen, and which entries surprise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.catalogue import LEVELS
from analysis.jurisdictions.audit import bare
from analysis.ledger import codes_of, read_ledger
from analysis.models.prediction import metrics
from analysis.models.prediction.documented import documented, read_press
from analysis.models.prediction.dominance import dominance_table
from analysis.models.prediction.evaluation import (
    SEED,
    by_group,
    calibration_curve,
    in_sample,
    measure,
    resampled,
)
from analysis.models.prediction.explained import explained_table
from analysis.models.prediction.held_out import HeldOut, k_fold, predict_held_out
from analysis.models.prediction.importance import permutation_importance
from analysis.models.prediction.improbable import improbable_table
from analysis.models.prediction.judged import judge
from analysis.models.prediction.justice import dropped_table
from analysis.models.prediction.list_error import headlines, list_error_table
from analysis.models.prediction.specification import Blocks, baselines, load_prediction
from analysis.models.spec import Model, load_model
from analysis.panel import load_panel
from analysis.provenance import processed, read_output, read_param
from analysis.stages import run
from analysis.writing import write_csv, write_parquet

JUSTICE = "doj-2025-08-05"
FOLDS = 10
DRAWS = 999

Panels = Mapping[str, pd.DataFrame]


def evaluate(model: Model, panel: pd.DataFrame) -> tuple[pd.DataFrame, HeldOut]:
    """Every measure of a model and its baselines: in sample, with each state held out, in ten random parts.

    All are fitted to and measured on the rows that the model can use.

    Returns
    -------
    table : `level, prediction, model, scheme, metric, estimate, conf_low, conf_high, states, rows, events,
        note`. found : the model's own held-out predictions, of the whole panel.
    """
    found = predict_held_out(model, panel)
    data = panel[found.rows.used]
    y, codes, groups = found.rows.y, found.rows.codes, len(found.rows.labels)
    counts = resampled(groups, DRAWS)
    candidates = {"model": model} | baselines(model, list(panel.columns))
    own = {name: predict_held_out(each, data) for name, each in candidates.items()}
    probabilities = {(name, "leave one state out"): held.probability.to_numpy() for name, held in own.items()}
    probabilities["model", "in sample"] = in_sample(own["model"].rows)
    probabilities["model", "ten-fold"] = k_fold(model, data, FOLDS, SEED).probability.to_numpy()
    base = probabilities["base_rate", "leave one state out"]
    about = {"level": model.level, "prediction": model.name, "rows": len(y), "events": int(y.sum())}
    tables = []
    for (name, scheme), p in probabilities.items():
        table = measure(y, p, base, codes, groups, counts)
        if name == "base_rate":
            # the rate of the other states is lowest where most are listed: its order means nothing
            table = table[table["metric"].isin(["brier", "log_loss"])]
        tables.append(table.assign(**about, model=name, scheme=scheme, note=""))
        if min(y.sum(), (1 - y).sum()) > 1 and name != "base_rate":
            tables.append(pd.DataFrame([_delong(y, p)]).assign(**about, model=name, scheme=scheme))
    columns = ["level", "prediction", "model", "scheme", "metric", "estimate", "conf_low", "conf_high"]
    return pd.concat(tables)[[*columns, "states", "rows", "events", "note"]], found


def _delong(y: np.ndarray, p: np.ndarray) -> dict:
    (area,), ((variance,),) = metrics.delong(y, p)
    reach = 1.959963984540054 * np.sqrt(variance)
    note = "limits as if rows were independent of one another, which those of one state are not"
    limits = {"conf_low": area - reach, "conf_high": area + reach}
    return {"metric": "auc_delong", "estimate": area, **limits, "note": note}


def importance(found: HeldOut, panel: pd.DataFrame, blocks: Blocks) -> pd.DataFrame:
    """Permutation importance of every column and every block of a model."""
    single = {part: (part,) for term in found.rows.terms for part in term.parts}
    counts = resampled(len(found.rows.labels), DRAWS)
    tables = [
        permutation_importance(found, panel, sets, counts, SEED).assign(kind=kind)
        for kind, sets in (("column", single), ("block", blocks))
    ]
    about = {"level": found.rows.model.level, "prediction": found.rows.model.name}
    table = pd.concat(tables).assign(**about)
    return table[["level", "prediction", "kind", *tables[0].columns.drop("kind")]]


def holders_on(day: str) -> set[str]:
    """Codes of governments whose own agency, by a settled verdict, is on the last roster up to a day."""
    agencies = read_ledger("roster_agencies.csv")
    settled = agencies[
        ~agencies["needs_review"] & agencies["unit"].isin(["state", "county", "place", "cousub"])
    ]
    days = [roster for roster in sorted(set(settled["roster"])) if roster <= day]
    return set(settled.loc[settled["roster"] == days[-1], "geoid"]) if days else set()


def improbable(ledger: pd.DataFrame, panels: Panels, models: Mapping[str, Model], main: str) -> pd.DataFrame:
    """`improbable.csv`: every list of the main one's issuer, every level."""
    issuer = ledger.loc[ledger["vintage"] == main, "issuer"].iloc[0]
    own = ledger[ledger["issuer"] == issuer]
    tables = []
    for vintage, entries in own.groupby("vintage", sort=True):
        codes = codes_of(entries).drop_duplicates("code")
        codes = codes[codes["code_level"].isin(["county", "place"])]
        names = pd.DataFrame(
            {
                "code": codes["code"],
                "level": codes["code_level"],
                "state": codes["state_abbr"],
                "bare": [bare(name) for name in codes["name"]],
            }
        )
        holders = holders_on(entries["published"].iloc[0])
        for level, model in models.items():
            outcome = f"is_listed_{vintage.replace('-', '_')}"
            found = predict_held_out(model.with_(outcome=outcome), panels[level])
            tables.append(improbable_table(found, panels[level], vintage, names, holders))
    return pd.concat(tables, ignore_index=True)


def judged(table: pd.DataFrame, doubtful: pd.DataFrame, panels: Panels, main: str) -> pd.DataFrame:
    """How early documented errors, disputed entries and removed ones come among the improbable entries."""
    tables = []
    for (vintage, unit), rows in table[table["is_listed"] == 1].groupby(["vintage", "unit"], sort=True):
        level = unit if unit in LEVELS else "place"
        if unit == "cousub":
            continue  # none has covariates, so that none has a probability
        rows = rows.dropna(subset="probability").set_index("geoid")
        if rows.empty:
            continue
        vote = panels[level].get("democratic_share_2024", pd.Series(dtype=float))
        scores = pd.DataFrame({"model": rows["probability"], "vote_alone": vote.reindex(rows.index)}).dropna()
        kinds = ["documented error", "disputed"] if vintage == main else ["removed"]
        members = {kind: set(doubtful.loc[doubtful["kind"] == kind, "code"]) for kind in kinds}
        tables.append(judge(scores, members, vote).assign(vintage=vintage, level=level))
    frame = pd.concat(tables)
    return frame[["vintage", "level", *frame.columns.drop(["vintage", "level"])]]


def main() -> None:
    """Read panels and ledger, predict, measure, write the tables."""
    params, lists = read_param("prediction"), read_param("vintages")
    specified = {name: load_prediction(name) for name in params}
    panels = {level: load_panel(level) for level in LEVELS}
    ledger = read_ledger("jurisdictions.csv")
    main_list = lists["main_list"]
    audit, changes = (read_output(name, as_text=True) for name in ("entry_audit.csv", "vintages.csv"))
    doubtful = documented(ledger, audit, read_press(), changes, main_list)

    evaluated = {name: evaluate(model, panels[model.level]) for name, (model, _) in specified.items()}
    first: dict[str, str] = {}
    for name, (model, _) in specified.items():
        first.setdefault(model.level, name)
    found = {level: evaluated[name][1] for level, name in first.items()}
    models = {level: specified[name][0] for level, name in first.items()}
    curves, states = [], []
    for level, held in found.items():
        y, p, codes = held.rows.y, held.probability.to_numpy()[held.rows.used], held.rows.codes
        counts = resampled(len(held.rows.labels), DRAWS)
        curves.append(calibration_curve(y, p, codes, counts).assign(level=level))
        states.append(
            by_group(y, p, codes, held.folds.rename(columns={"group": "state"})).assign(level=level)
        )
    surprising = improbable(ledger, panels, models, main_list)
    predicted = {
        level: panel.assign(probability=found[level].probability) if level in found else panel
        for level, panel in panels.items()
    }
    suffixes = [each.replace("-", "_") for each in (main_list, JUSTICE)]
    tables = {
        "prediction_metrics.csv": pd.concat([table for table, _ in evaluated.values()]),
        "prediction_calibration.csv": _first(pd.concat(curves), "level"),
        "prediction_states.csv": _first(pd.concat(states), "level"),
        "prediction_importance.csv": pd.concat(
            importance(evaluated[name][1], panels[model.level], blocks)
            for name, (model, blocks) in specified.items()
        ),
        "prediction_dominance.csv": pd.concat(
            dominance_table(evaluated[name][1].rows, blocks, DRAWS, SEED).assign(prediction=name)
            for name, (model, blocks) in specified.items()
            if model.estimator == "logit"
        ),
        "improbable.csv": surprising,
        "improbable_judged.csv": judged(surprising, doubtful, panels, main_list),
        "improbable_documented.csv": doubtful,
        "dropped_by_justice.csv": dropped_table(predicted, *suffixes),
    }
    if "county" in models:
        tables["list_error.csv"] = errors_of_the_list(
            models["county"], panels["county"], doubtful, ledger, main_list
        )
    for name, table in tables.items():
        write_csv(table, processed(name))
    units = [
        explained_table(held, panels[level], specified[first[level]][1])
        for level, held in found.items()
        if models[level].estimator in ("logit", "firth")
    ]
    write_parquet(pd.concat(units), processed("predictions.parquet"))


def errors_of_the_list(
    model: Model, counties: pd.DataFrame, doubtful: pd.DataFrame, ledger: pd.DataFrame, main_list: str
) -> pd.DataFrame:
    """`list_error.csv`: documented errors dropped, other printings, flips, known error rates."""
    errors = set(doubtful.loc[doubtful["kind"] == "documented error", "code"])
    disputed = set(doubtful.loc[doubtful["kind"] == "disputed", "code"])
    issuer = ledger.loc[ledger["vintage"] == main_list, "issuer"].iloc[0]
    others = sorted(set(ledger.loc[ledger["issuer"] == issuer, "vintage"]) - {main_list})
    return list_error_table(
        headlines(load_model("main"), model, counties),
        counties,
        model.outcome,
        {"documented errors": errors, "documented errors and disputed entries": errors | disputed},
        {vintage: f"is_listed_{vintage.replace('-', '_')}" for vintage in others},
        SEED,
    )


def _first(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame[[column, *frame.columns.drop(column)]]


if __name__ == "__main__":
    run(main)

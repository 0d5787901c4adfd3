"""Which units the explorer has, and the facts of each, from the committed tables alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.catalogue import LEVELS, label
from analysis.errors import DataError
from analysis.explorer.columns import EXPLAINED, FACTOR_EDGES, PREDICTION, VARIABLES, lists, rosters
from analysis.jurisdictions.gazetteer import Government, gazetteer
from analysis.ledger import codes_of, read_jurisdictions, read_ledger
from analysis.models.prediction.explained import PREFIX
from analysis.models.prediction.specification import load_prediction
from analysis.panel import load_panel
from analysis.provenance import processed, read_output, read_param

FEWEST = 20_000  # residents of a place that is on no list and no roster
AT_AVERAGE = "probability_at_average"
OWN_UNITS = ("state", "county", "place", "cousub")


def explorer_table() -> pd.DataFrame:
    """One row a unit of the explorer.

    Returns
    -------
    DataFrame, index `key` (the unit's Census code; an entry without a settled government has a name of its
        own), by level and key: `level` (county, place, state, entry), `kind`, `name`, `state`,
        `county_geoids` and `also_geoids` (`;`-joined: the counties it lies in, other codes of the same
        government), `cautions`, a column a list (position in `columns.LISTED`) and a roster (in
        `columns.HELD`), the prediction with what each block adds, and the variables with their margins.

    Raises
    ------
    DataError : a table was not written yet.
    """
    entries, agencies = read_jurisdictions(), read_ledger("roster_agencies.csv")
    predictions = read_output("predictions.parquet")
    parts = []
    for level in LEVELS:
        panel = load_panel(level)
        held = agreements(panel.index, level, agencies)
        if level == "place":
            panel = panel[shown(panel, codes_of(entries)["code"], held)]
        own = predictions[predictions["level"] == level]
        parts.append(facts(level, panel, own, held.reindex(panel.index)))
    return pd.concat([*parts, without_government(entries)]).rename_axis("key")


def shown(panel: pd.DataFrame, listed: pd.Series, held: pd.DataFrame) -> np.ndarray:
    """Whether a place is shown: on a list or a roster, or of `FEWEST` residents, (n,) bool."""
    residents = panel["population"].fillna(panel["population_2021"])
    return ((residents >= FEWEST) | panel.index.isin(listed) | (held > 0).any(axis=1)).to_numpy()


def facts(level: str, panel: pd.DataFrame, predicted: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """The units of one level with every column of the explorer."""
    known = gazetteer().by_geoid
    also = same_government(known)
    out = pd.DataFrame(
        {
            "level": level,
            "kind": [kind_of(code, level) for code in panel.index],
            "name": panel["name"],
            "state": panel["state"],
            "county_geoids": [counties_of(code, panel, known) for code in panel.index],
            "also_geoids": [also.get(code, "") for code in panel.index],
            "cautions": panel["cautions"].fillna(""),
        },
        index=panel.index,
    )
    for name in lists():
        suffix = name.removeprefix("list_")
        inside = panel.get(f"has_listed_place_{suffix}", pd.Series(0.0, panel.index))
        out[name] = 2 * panel[f"is_listed_{suffix}"] + inside
    out = out.join(predicted[[*PREDICTION, AT_AVERAGE]]).join(held)
    for name in predicted.columns[predicted.columns.str.startswith(PREFIX)]:
        added = predicted[name].dropna()
        factors = pd.Series(np.digitize(np.exp(added), FACTOR_EDGES), added.index, dtype="float64")
        out[EXPLAINED + name.removeprefix(PREFIX)] = factors.reindex(out.index)
    out["no_probability"] = (
        [""] * len(out) if level == "state" else unpredicted(level, panel, out["probability"])
    )
    chosen = [each for name in VARIABLES[level] for each in (name, f"{name}_moe") if each in panel]
    return out.join(panel[chosen])


def same_government(known: Mapping[str, Government]) -> dict[str, str]:
    """The other codes of every code's government, `;`-joined; of codes that are another one alone too."""
    out = {}
    for government in known.values():
        every = (government.geoid, *government.also)
        for code in every if government.also else ():
            if code == government.geoid or code not in known:
                out[code] = ";".join(each for each in every if each != code)
    return out


def unpredicted(level: str, panel: pd.DataFrame, probability: pd.Series) -> list[str]:
    """Why a unit has no probability, "" where it has one."""
    name = next(name for name in read_param("prediction") if load_prediction(name)[0].level == level)
    model = load_prediction(name)[0]
    inside = panel.index.isin(panel.query(model.sample).index) if model.sample else np.ones(len(panel), bool)
    absent = panel[list(model.covariates)].isna()
    out = []
    for code, used in zip(panel.index, inside, strict=True):
        missing = [label(column) for column in absent.columns[absent.loc[code]]]
        if pd.notna(probability[code]):
            out.append("")
        elif missing:
            out.append(f"the model needs what is missing here: {'; '.join(missing)}")
        else:
            out.append("" if used else f"the model is of places with {model.sample}")
    return out


def kind_of(code: str, level: str) -> str:
    """What sort of government a code is: county, city, town or township, state."""
    if level != "place":
        return level
    return "city" if len(code) == 7 else "town"


def counties_of(code: str, panel: pd.DataFrame, known: dict) -> str:
    """The current counties that a place lies in, the one with most of it first; "" for other levels."""
    if len(code) < 7:
        return ""
    first = panel["county_geoid"].get(code)
    named = known[code].counties if code in known else ()
    every = [first, *named] if isinstance(first, str) else list(named)
    return ";".join(dict.fromkeys(county for county in every if county))


def agreements(codes: pd.Index, level: str, agencies: pd.DataFrame) -> pd.DataFrame:
    """The agreements of each unit's own agencies on the day of every roster, as positions in `HELD`.

    Counties are as `county_287g.csv` has them; states and places as the settled rows of the rosters.
    """
    if level == "county":
        rows = read_output("county_287g.csv")
        task = rows["task_force"] > 0
    else:
        rows = agencies[~agencies["needs_review"] & agencies["unit"].isin(OWN_UNITS)]
        rows = rows[rows["geoid"].isin(codes)]
        task = rows["support_type"] == "task_force"
    most = rows.assign(held=np.where(task, 2.0, 1.0)).groupby(["roster", "geoid"])["held"].max()
    out = pd.DataFrame(0.0, index=codes, columns=list(rosters()))
    for name, day in rosters().items():
        if day in most.index.get_level_values("roster"):
            found = most.loc[day]
            out[name] = found.reindex(codes).fillna(0.0).to_numpy()
    return out


def key_of_entry(state: str, text: str) -> str:
    """The name in the address of an entry that is no government.

    >>> key_of_entry("CA", "Represa")
    'entry-ca-represa'
    """
    return f"entry-{state.lower()}-{re.sub(r'[^a-z0-9]+', '-', text.lower()).strip('-')}"


def page_of_entry(row: object) -> str:
    """The address of the page of a row of the ledger: its government's code, or one of its own."""
    open_ = row.needs_review or not row.geoid
    return key_of_entry(row.state_abbr, row.text_as_published) if open_ else row.geoid


def without_government(entries: pd.DataFrame) -> pd.DataFrame:
    """One row a printed name that no government was settled for: rejected, or in review."""
    open_ = entries[entries["needs_review"] | (entries["geoid"] == "")]
    keys = [key_of_entry(*pair) for pair in zip(open_["state_abbr"], open_["text_as_published"], strict=True)]
    open_ = open_.assign(key=keys)
    found = open_.drop_duplicates("key").set_index("key")
    if (spellings := open_.groupby("key")["text_as_published"].nunique()).gt(1).any():
        raise DataError(
            f"two printed names share the address {spellings.idxmax()!r}.",
            file=processed("jurisdictions.csv"),
            remedy="tell them apart in `key_of_entry`.",
        )
    out = pd.DataFrame(
        {
            "level": "entry",
            "kind": "entry",
            "name": found["text_as_published"],
            "state": found["state_abbr"],
            "county_geoids": "",
            "also_geoids": "",
            "cautions": "",
        },
        index=found.index,
    )
    for name, vintage in lists().items():
        out[name] = np.where(out.index.isin(open_.loc[open_["vintage"] == vintage, "key"]), 2.0, 0.0)
    return out.sort_index()

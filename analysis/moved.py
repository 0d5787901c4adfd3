"""What moved each headline between two versions of the county panel, one source's columns at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.catalogue import group_members, load_catalogue
from analysis.errors import AnalysisError
from analysis.formulas import names_in
from analysis.models.prediction.list_error import headlines, values
from analysis.models.prediction.specification import load_prediction
from analysis.models.spec import load_model
from analysis.models.summaries import SAMPLES

COLUMNS = ["headline", "sample", "moved_by", "before", "after", "change", "note"]
FAMILY, PREDICTED = "main", "county"  # the models whose results are the headlines
LISTS, UNITS, TOGETHER = "lists and rosters", "units that came or went", "together"
NOTHING = "nothing"


def headline_values(counties: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Every headline on one version of the panel, by today's models.

    Parameters
    ----------
    counties : the county panel.

    Returns
    -------
    (headline, sample) -> value: `listed_per_100`; for the effects of `list_error.csv` the change of
    probability that goes with one standard deviation; `auc`, `auc_within` and `brier_skill` of predictions
    for unseen states; `listed_with_agreement`, counties, on the first roster of the catalogue.

    Raises
    ------
    AnalysisError : the panel lacks a column that the models use, or has no unit that can be fitted.
    """
    family, (prediction, _) = load_model(FAMILY), load_prediction(PREDICTED)
    listed = counties[family.outcome].to_numpy(float)
    found = {
        ("listed_per_100", name): 100 * float(own[family.outcome].mean())
        for name, own in ((n, counties if q is None else counties.query(q)) for n, q in SAMPLES.items())
    }
    what = headlines(family, prediction, counties)
    found |= {
        key: float(value[0]) for key, value in values(what, listed[None], np.ones(len(listed), bool)).items()
    }
    agreement = min(
        (v for v in map(load_catalogue("county").get, group_members("enforcement")) if v.unit == "0/1"),
        key=lambda variable: variable.as_of,
    )
    found["listed_with_agreement", "all counties"] = float(
        np.nansum(counties[agreement.name].to_numpy(float) * listed)
    )
    return found


def sources_of(name: str) -> str:
    """The publishers that a panel column comes from, through every formula, as folders of data/raw."""
    catalogue = load_catalogue("county")
    variable = catalogue.get(name.removesuffix("_moe"))
    if variable is None:
        return LISTS if "listed" in name or "mixed" in name else "geography"
    if variable.source != "derived":
        source = variable.source.partition("/")[0]
        return LISTS if source == "ledger" else source
    parts = {sources_of(part) for part in names_in(variable.formula)}
    return " and ".join(sorted({one for part in parts for one in part.split(" and ")}))


def differing(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, list[str]]:
    """The columns of both panels that differ in a unit of both, by source."""
    units = after.index.intersection(before.index)
    found: dict[str, list[str]] = {}
    for name in [column for column in after.columns if column in before.columns]:
        was, now = before.loc[units, name], after.loc[units, name]
        if not ((was == now) | (was.isna() & now.isna())).fillna(False).all():
            found.setdefault(sources_of(name), []).append(name)
    return found


def swaps(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The panel of before with one source's columns of after, by source, and with its units."""
    units = after.index.intersection(before.index)
    found = {}
    for source, names in differing(before, after).items():
        panel = before.copy()
        for name in names:
            panel[name] = after[name].reindex(before.index).where(before.index.isin(units), before[name])
        found[source] = panel
    if len(units) != len(before) or len(units) != len(after):
        both = [column for column in after.columns if column in before.columns]
        new = after.index.difference(before.index)
        found[UNITS] = pd.concat([before.loc[units, both], after.loc[new, both]]).sort_index()
    return found


def headline_moves(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Every headline before and after, and what moved it.

    Both panels go through today's code and models, so that a change of these moves nothing here. Each source
    is put in alone, on top of before; what the sources do beyond the sum of that stands as `together`.

    Parameters
    ----------
    before, after : county panels.

    Returns
    -------
    DataFrame `headline, sample, moved_by, before, after, change, note`: one row for each headline, sample
    and source that moved it, or one with `moved_by` "nothing". Where a panel cannot be fitted its numbers
    are empty and `note` says why.
    """
    measured, notes = {}, {}
    for name, panel in {"before": before, "after": after, **swaps(before, after)}.items():
        try:
            measured[name] = headline_values(panel)
        except (AnalysisError, KeyError) as error:
            measured[name] = {}
            notes[name] = (
                str(error) if isinstance(error, AnalysisError) else f"the panel has no column {error}"
            )
    sources = [name for name in measured if name not in ("before", "after")]
    keys = dict.fromkeys(key for found in measured.values() for key in found)
    rows = []
    for key in keys:
        was, now = (measured[name].get(key, np.nan) for name in ("before", "after"))
        parts = {name: measured[name].get(key, np.nan) - was for name in sources}
        parts[TOGETHER] = now - was - sum(parts.values())
        moved = {name: part for name, part in parts.items() if not abs(part) < 1e-9}
        note = "; ".join(f"{name}: {said}" for name, said in notes.items())
        rows += [(*key, name, was, now, part, note) for name, part in (moved or {NOTHING: 0.0}).items()]
    return pd.DataFrame(rows, columns=COLUMNS)

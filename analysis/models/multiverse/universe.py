"""The data of one cell: outcome under a rule of reading names, sample, agreements, errors of the survey."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pandas as pd

from analysis.errors import ModelError
from analysis.formulas import evaluate, names_in
from analysis.ledger import agreements, listed_units, read_jurisdictions
from analysis.models.measurement.errors import with_error
from analysis.models.multiverse.declaration import COUNTERPARTS, DRAW, KEPT, PUBLISHED, Multiverse
from analysis.panel import load_panel

OUTCOME = "is_listed_in_cell"
STRICT = ("exact", "normalised")  # without aliases, corrections, and kinds read from the heading


def frame(declared: Multiverse, cell: Mapping[str, str]) -> pd.DataFrame:
    """The rows and columns of one cell, the outcome as `is_listed_in_cell`.

    Raises
    ------
    ModelError : too few units are listed, or too few are not.
    """
    level = cell["level"]
    flags = outcomes(level, cell["list"], cell["match"])
    strata = outcomes(level, cell["list"], "settled")
    data = surveyed(declared, level, cell["acs"]).assign(
        **{OUTCOME: flags[cell["outcome"]]},
        is_in_listed_state=strata["state_entry"],
        is_in_mixed_state=strata["mixed"],
    )
    if cell["roster"] != KEPT:
        data = data[without_agreement(cell["roster"]).reindex(data.index)]
    for query in (declared.choices["level"][level], declared.choices["sample"][cell["sample"]]):
        data = data if query is None else data.query(query)
    events = int(data[OUTCOME].sum())
    if min(events, len(data) - events) < declared.fewest:
        raise ModelError(f"too few: {events} listed of {len(data)}")
    return data


@cache
def outcomes(level: str, vintage: str, match: str) -> pd.DataFrame:
    """What a list says of every unit under a rule of reading names: `own, as_county, own_or_place,
    state_entry, mixed`, as 0/1.

    `settled` is the ledger; `strict` takes only names that were read as printed or after normalising;
    `with_review` also takes entries in review, at the code proposed.
    """
    entries = read_jurisdictions()
    entries = entries[entries["vintage"] == vintage]
    if match == "strict":
        entries = entries[entries["match_type"].isin(STRICT)]
    if match == "with_review":
        entries = entries.assign(needs_review=False)
    flags = listed_units(entries, level)
    either = flags[["own", "place_inside"]].max(axis=1)
    return flags.assign(own_or_place=either).drop(columns="place_inside")


@cache
def without_agreement(roster: str) -> pd.Series:
    """Whether a county's agencies had no 287(g) agreement on the day of a roster."""
    return agreements(roster, "county")["agreements"] == 0


def surveyed(declared: Multiverse, level: str, acs: str) -> pd.DataFrame:
    """The panel, with the counterparts that have margins of error in place of the variables, and for a draw
    with normal errors of these margins added, within the range that the catalogue gives the column.

    The draw's number and the seed give the errors, whatever else is declared.
    """
    panel = load_level(level)
    if acs == PUBLISHED:
        return panel
    replaced = {}
    for name, formula in declared.margins.items():
        columns = {part: panel[part] for part in names_in(formula)}
        if acs != COUNTERPARTS:
            number = int(acs.removeprefix(DRAW))
            columns = {part: with_error(panel, part, declared.seed, number) for part in columns}
        replaced[name] = evaluate(formula, columns)
    return panel.assign(**replaced)


@cache
def load_level(level: str) -> pd.DataFrame:
    """The panel of a level, read once."""
    return load_panel(level)

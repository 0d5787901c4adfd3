"""Places in counties in states: what goes with a city's listing, its county's vote standing for its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.models.layers.rows import COLUMNS, SAMPLES, random_rows, table_of, term_rows, with_effects
from analysis.models.results import Fit
from analysis.models.spec import Model

PLACE_COLUMNS = ("covariates", "least_population", *COLUMNS)
OWN, FILLED = "published", "county_where_missing"
SIZE = "log_population"


def residents(places: pd.DataFrame) -> pd.Series:
    """Residents of 2019-2023, and where the compilation has none of 2017-2021."""
    return places["population"].fillna(places["population_2021"])


def filled(places: pd.DataFrame, counties: pd.DataFrame, covariates: list[str]) -> pd.DataFrame:
    """The places with their county's value of each covariate that they lack; their size stays their own."""
    given = {
        name: places[name].fillna(places["county_geoid"].map(counties[name]))
        for name in covariates
        if name != SIZE
    }
    known = residents(places)
    return places.assign(**given, **{SIZE: places[SIZE].fillna(np.log(known.where(known > 0)))})


def without_covariates(places: pd.DataFrame, counties: pd.DataFrame, entry: Mapping) -> pd.DataFrame:
    """The listed places that lack a covariate, each with what it lacks, sorted by code.

    Returns
    -------
    DataFrame `geoid, name, state, kind, county_geoid, county, population, population_2021, missing`, and
    `missing_after`: what is still missing once its county's values stand in.
    """
    covariates = list(entry["covariates"])

    def lacking(frame: pd.DataFrame) -> pd.Series:
        return frame[covariates].isna().apply(lambda row: ";".join(row.index[row]), axis=1)

    listed = places[places[entry["outcome"]] == 1]
    table = listed.assign(
        county=listed["county_geoid"].map(counties["name"]),
        missing=lacking(listed),
        missing_after=lacking(filled(listed, counties, covariates)),
    )
    columns = ["name", "state", "kind", "county_geoid", "county", "population", "population_2021"]
    table = table.loc[table["missing"] != "", [*columns, "missing", "missing_after"]]
    return table.sort_index().reset_index()


def place_layers(places: pd.DataFrame, counties: pd.DataFrame, entry: Mapping) -> pd.DataFrame:
    """Every model of places as rows of `PLACE_COLUMNS`: all, those of listed states, the others.

    Of places above the first floor of residents: `pooled` (logit), `state_intercept` and `county_intercept`
    (a random intercept by state, by county), `county_in_state` (by county, beside an intercept a state, on
    the states with both outcomes) and `within_county` (conditional logit, each place against the others of
    its county, whose vote they share). Above the other floors, and with the county's covariates where a
    place has none, the first two.

    Parameters
    ----------
    places, counties : the panels. entry : `outcome, covariates, floors` of params.yaml.
    """
    covariates, floors = list(entry["covariates"]), list(entry["floors"])
    completed = filled(places, counties, covariates)
    tables = []
    for fill, frame in ((OWN, places), (FILLED, completed)):
        for floor in floors if fill == OWN else floors[:1]:
            rows = frame[(residents(frame) >= floor) & frame[covariates].notna().all(axis=1)]
            for sample, query in SAMPLES.items():
                chosen = rows if query is None else rows.query(query)
                base = Model("places", entry["outcome"], covariates, level="place", cluster="state")
                table = _models(base, chosen, sample, every=fill == OWN and floor == floors[0])
                tables.append(table.assign(covariates=fill, least_population=floor))
    return pd.concat(tables, ignore_index=True)[list(PLACE_COLUMNS)]


def _models(base: Model, rows: pd.DataFrame, sample: str, every: bool) -> pd.DataFrame:
    """The rows of one sample: two models, or `every` one."""

    def pooled(fitted: Fit) -> pd.DataFrame:
        return with_effects(term_rows(fitted), fitted, rows)

    def drawn(fitted: Fit) -> pd.DataFrame:
        return random_rows(fitted, rows)

    by_state = base.with_(estimator="mixed_logit", random_intercept="state")
    by_county = by_state.with_(random_intercept="county_geoid")
    tables = [
        table_of(base, rows, sample, "pooled", pooled),
        table_of(by_state, rows, sample, "state_intercept", drawn),
    ]
    if every:
        strata = base.with_(estimator="conditional_logit", fixed_effects="county_geoid")
        tables += [
            table_of(by_county, rows, sample, "county_intercept", drawn),
            table_of(by_county.with_(fixed_effects="state"), rows, sample, "county_in_state", drawn),
            table_of(strata, rows, sample, "within_county", term_rows),
        ]
    return pd.concat(tables, ignore_index=True)

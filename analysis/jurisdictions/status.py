"""Which counties had a 287(g) agreement of a county agency on the day of each roster."""

from __future__ import annotations

import pandas as pd

from analysis.errors import DataError

MODELS = ("jail_enforcement", "warrant_service_officer", "task_force")
PUBLISHED_MODELS = {
    "jail enforcement model": "jail_enforcement",
    "warrant service officer": "warrant_service_officer",
    "warrant service office": "warrant_service_officer",
    "task force model": "task_force",
}
COUNTY_COLUMNS = ("roster", "geoid", "name", "state", "agencies", "agreements", *MODELS)


def support_types(rosters: pd.DataFrame, file: object) -> pd.Series:
    """The model of every agreement: jail_enforcement, warrant_service_officer or task_force.

    Parameters
    ----------
    rosters : rows with `snapshot`, `sheet_row`, `support_type_as_published`.
    file : what to name in a complaint.

    Raises
    ------
    DataError : a text that is none of the published models, with its roster and row.
    """
    said = rosters["support_type_as_published"].str.split().str.join(" ").str.casefold()
    model = said.map(PUBLISHED_MODELS)
    unknown = rosters.index[model.isna()]
    if len(unknown):
        row = rosters.loc[unknown[0]]
        raise DataError(
            f"{row['support_type_as_published']!r} is no known model (sheet row {row['sheet_row']}).",
            file=f"{file} {row['snapshot']}",
            column="support_type_as_published",
            remedy="if ICE prints a new model, add it to PUBLISHED_MODELS in status.py.",
        )
    return model.astype("str")


def county_status(agencies: pd.DataFrame, names: pd.Series, states: pd.Series) -> pd.DataFrame:
    """One row a roster and county with a county agency's agreement.

    Parameters
    ----------
    agencies : the rows of `roster_agencies.csv`.
    names, states : name and postal abbreviation by county code.

    Returns
    -------
    DataFrame of `COUNTY_COLUMNS`, sorted. Counts are of distinct agency names (`agencies`), of rows
    (`agreements`) and of rows by model. Only rows of unit county that are not under review count: cities,
    state agencies, agencies of several counties and parts of a county never do.
    """
    counted = agencies[(agencies["unit"] == "county") & ~agencies["needs_review"]]
    spelled = counted["agency_as_published"].str.casefold().str.replace(r"[\W_]+", "", regex=True)
    grouped = counted.assign(_agency=spelled).groupby(["roster", "geoid"], sort=True)
    table = grouped.agg(agencies=("_agency", "nunique"), agreements=("_agency", "size")).astype("int64")
    for model in MODELS:
        table[model] = grouped["support_type"].agg(lambda said, model=model: int((said == model).sum()))
    table = table.reset_index()
    table.insert(2, "name", table["geoid"].map(names))
    table.insert(3, "state", table["geoid"].map(states))
    return table[list(COUNTY_COLUMNS)]

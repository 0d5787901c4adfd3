"""Who governed each state, and which state laws limit or mandate cooperation with ICE."""

from __future__ import annotations

import pandas as pd

from analysis.provenance import raw_file
from analysis.sources.reading import check_states, numbers, read_table
from analysis.sources.states import FIPS

SEATS = ("lower_d", "lower_r", "lower_other", "upper_d", "upper_r", "upper_other")
KINDS = ("limits_cooperation", "forbids_sanctuary", "mandates_cooperation")


def read_politics(vintage: str, level: str = "state") -> pd.DataFrame:
    """Governor and chambers, 51 rows.

    Returns
    -------
    DataFrame, index `geoid` (two digits): the published text columns, seats as float, and as 0/1
    `governor_d`, `house_d`, `senate_d`, `trifecta_d`, `trifecta_r` (a coalition, a tie or a nonpartisan
    chamber is 0).
    """
    name = "state_politics.csv"
    frame = read_table(
        "state_politics",
        vintage,
        name,
        required=["geoid", "governor_party", "house_control", "senate_control", "trifecta", *SEATS],
        key=["geoid"],
        codes={"geoid": 2},
        states="state_abbr",
    )
    controls = {
        "governor_d": frame["governor_party"] == "D",
        "house_d": frame["house_control"] == "D",
        "senate_d": frame["senate_control"] == "D",
        "trifecta_d": frame["trifecta"] == "D",
        "trifecta_r": frame["trifecta"] == "R",
    }
    seats = numbers(frame, SEATS, raw_file("state_politics", vintage, name).path)
    flags = {column: values.astype("float64") for column, values in controls.items()}
    return frame.assign(**seats, **flags).set_index("geoid").sort_index()


def read_laws(vintage: str, level: str = "state") -> pd.DataFrame:
    """Whether a law of each kind was in force, 51 rows.

    Returns
    -------
    DataFrame, index `geoid`: `<kind>_<day>` as 0/1 for the kinds `limits_cooperation`,
    `forbids_sanctuary`, `mandates_cooperation` and the days `2025_01_20`, `2025_05_29`. 0 means that no
    support for such a law was found; a state with nothing but "unknown" is missing.
    """
    rows = read_law_rows(vintage)
    states = pd.Index(sorted(FIPS), name="state_abbr")
    out = {}
    for day in ("2025_01_20", "2025_05_29"):
        for kind in KINDS:
            status = rows[rows["kind"] == kind].groupby("state_abbr")[f"in_force_on_{day}"].agg(set)
            status = status.reindex(states)
            found = status.map(lambda seen: "true" in seen, na_action="ignore")
            unknown = status.map(lambda seen: "unknown" in seen and "true" not in seen, na_action="ignore")
            value = found.fillna(False).astype("float64")
            out[f"{kind}_{day}"] = value.mask(unknown.fillna(False).astype(bool))
    return pd.DataFrame(out).rename(index=FIPS).rename_axis("geoid").sort_index()


def read_law_rows(vintage: str) -> pd.DataFrame:
    """One row a law or state-wide order, as compiled."""
    name = "state_immigration_laws.csv"
    frame = read_table(
        "state_laws",
        vintage,
        name,
        required=["state_abbr", "kind", "in_force_on_2025_01_20", "in_force_on_2025_05_29"],
    )
    check_states(frame["state_abbr"], raw_file("state_laws", vintage, name).path)
    return frame

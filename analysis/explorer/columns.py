"""What the explorer shows of every unit: its columns, and each value as the page has it.

A number is kept as it is printed, in the unit that is printed, so that the browser only adds separators and
signs; a choice among few words is one character.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.catalogue import GROUPS, LEVELS, load_catalogue
from analysis.predicted import BLOCKS
from analysis.provenance import read_param, vintages

ISSUERS = {"dhs": "Homeland Security", "doj": "Justice"}
PREDICTION = {
    "probability": "Predicted probability of being listed",
    "conf_low": "Lower 95 % limit",
    "conf_high": "Upper 95 % limit",
    "surprise": "Surprise: listed (100) or not (0) less the probability",
}

# The variables of the pages, by their names in the catalogue; where the newest has no margin of error, the
# one that has stands beside it. What a place or county takes from its state stands on the state's page.
COUNTY_VARIABLES = (
    "population", "residents_per_sqkm", "is_metropolitan", "rural_urban_code",
    "hispanic_share", "hispanic_share_2022", "black_share", "median_age",
    "foreign_born_share", "foreign_born_change", "limited_english_share", "unauthorized_share",
    "median_income", "median_income_2024", "poverty_share", "low_income_share",
    "unemployment_share", "unemployment_share_2022", "bachelors_share", "no_high_school_share",
    "democratic_share_2024", "democratic_share_2020",
    "slfrf_usd", "slfrf_usd_per_resident", "grant_awards_fy2022_usd", "grant_awards_fy2022_usd_per_resident",
)  # fmt: skip
PLACE_VARIABLES = (
    "population", "population_2021", "residents_per_sqkm", "is_metropolitan", "rural_urban_code",
    "hispanic_share", "black_share", "median_age", "foreign_born_share", "median_income", "poverty_share",
    "unemployment_share", "bachelors_share", "democratic_share_2024", "slfrf_usd", "slfrf_usd_per_resident",
)  # fmt: skip
STATE_VARIABLES = (
    "population", "residents_per_sqkm", "hispanic_share", "black_share", "foreign_born_share",
    "unauthorized_share", "median_income", "poverty_share", "bachelors_share_2021",
    "democratic_share_2024", "democratic_share_2020", "has_democratic_governor", "has_democratic_trifecta",
    "has_republican_trifecta", "has_law_limiting_cooperation", "has_law_forbidding_sanctuary",
    "has_law_mandating_cooperation",
)  # fmt: skip
VARIABLES = {"county": COUNTY_VARIABLES, "place": PLACE_VARIABLES, "state": STATE_VARIABLES}

LISTED = (
    "not listed",
    "a listed city or town lies in it",
    "its government is listed",
    "its government and a place in it are listed",
)
HELD = ("none", "jail enforcement or warrant service", "task force")
YES = ("no", "yes")
# What a block of columns does to the odds of being listed, by the factor; the edges are those between.
FACTORS = (
    "divides them by 4 or more",
    "divides them by 2 to 4",
    "divides them by 1.25 to 2",
    "hardly changes them",
    "multiplies them by 1.25 to 2",
    "multiplies them by 2 to 4",
    "multiplies them by 4 or more",
)
FACTOR_EDGES = (1 / 4, 1 / 2, 1 / 1.25, 1.25, 2, 4)
EXPLAINED = "odds_"


@dataclass(frozen=True)
class Column:
    """One column: how a value is printed, and what it is.

    `kind` is "number" (printed with `prefix`, `decimals` and `suffix` after `scale`) or "choice" (one of
    `choices`, by its position). `until` is the last day measured.
    """

    name: str
    label: str
    group: str
    kind: str = "number"
    scale: float = 1
    decimals: int = 0
    prefix: str = ""
    suffix: str = ""
    signed: bool = False
    choices: tuple[str, ...] = ()
    until: str = ""
    has_margin: bool = False

    def printed(self, value: float) -> float | None:
        """The number that is printed; None where it is missing.

        >>> Column("x", "X", "g", scale=100, decimals=1).printed(0.12345)
        12.3
        """
        return None if pd.isna(value) else float(f"{value * self.scale:.{self.decimals}f}") + 0.0

    def text(self, value: float) -> str:
        """The value as a reader sees it; "missing" where it is.

        >>> Column("x", "X", "g", scale=100, decimals=1, suffix=" %").text(0.12345)
        '12.3 %'
        """
        if pd.isna(value):
            return "missing"
        if self.kind == "choice":
            return self.choices[int(value)]
        number = self.printed(value)
        sign = "-" if number < 0 else "+" if self.signed and number > 0 else ""
        return f"{sign}{self.prefix}{abs(number):,.{self.decimals}f}{self.suffix}"


FORMS = {
    "share": {"scale": 100, "decimals": 1, "suffix": " %"},
    "difference": {"scale": 100, "decimals": 1, "suffix": " points", "signed": True},
    "persons": {},
    "count": {},
    "code": {},
    "usd": {"prefix": "$"},
    "usd_per_resident": {"prefix": "$"},
    "years": {"decimals": 1},
    "index": {"decimals": 3},
    "per_sqkm": {},
    "0/1": {"kind": "choice", "choices": YES},
}


def list_name(vintage: str) -> str:
    """A list in words: who listed, on which day.

    >>> list_name("doj-2025-08-05")
    'Justice, 2025-08-05'
    """
    issuer, _, day = vintage.partition("-")
    return f"{ISSUERS.get(issuer, issuer.upper())}, {day}"


def lists() -> dict[str, str]:
    """The column of every list, and the list."""
    return {f"list_{vintage.replace('-', '_')}": vintage for vintage in vintages("lists")}


def rosters() -> dict[str, str]:
    """The column of every roster, and its day."""
    return {f"roster_{day.replace('-', '_')}": day for day in read_param("vintages")["rosters"]}


def blocks() -> set[str]:
    """The blocks of columns of the models whose probabilities are shown: the first of each level."""
    first: dict[str, set[str]] = {}
    for entry in read_param("prediction").values():
        first.setdefault(entry.get("level", "county"), set(entry["blocks"]))
    return set().union(*first.values())


def columns() -> dict[str, Column]:
    """Every column by name, in the order of the page."""
    found = [
        Column(name, f"Listed by {list_name(vintage)}", "Lists", "choice", choices=LISTED, until=vintage[4:])
        for name, vintage in lists().items()
    ]
    percent = {"scale": 100, "decimals": 1, "suffix": " %"}
    for name, label in PREDICTION.items():
        form = percent | {"suffix": " points", "signed": True} if name == "surprise" else percent
        found.append(Column(name, label, "Prediction", **form))
    found += [
        Column(EXPLAINED + block, f"Odds of being listed: {label}", "Prediction", "choice", choices=FACTORS)
        for block, label in BLOCKS.items()
        if block in blocks()
    ]
    found += [
        Column(name, f"287(g) on {day}", "287(g)", "choice", choices=HELD, until=day)
        for name, day in rosters().items()
    ]
    county, place, state = (load_catalogue(level) for level in LEVELS)
    known = county | {name: variable for name, variable in (place | state).items() if name not in county}
    for name in sorted(set().union(*VARIABLES.values()), key=list(known).index):
        variable = known[name]
        found.append(
            Column(name, variable.label, GROUPS[variable.group], until=str(variable.as_of),
                   has_margin=variable.margin is not None, **FORMS[variable.unit])
        )  # fmt: skip
    return {column.name: column for column in found}


def margin_of(column: Column) -> Column:
    """The column of the 90 % margin of error of another."""
    suffix = " points" if column.suffix == " %" else column.suffix
    return Column(
        f"{column.name}_moe", f"{column.label}: margin of error", column.group, scale=column.scale,
        decimals=column.decimals, prefix=column.prefix, suffix=suffix,
    )  # fmt: skip


def descriptions() -> dict[str, str]:
    """What every column of `explorer.parquet` is, for the downloads."""
    out = {}
    for column in columns().values():
        until = f" Measured until {column.until}." if column.until else ""
        out[column.name] = f"{column.label}.{until}"
        out[f"{column.name}_moe"] = f"90 % margin of error of {column.name}"
    return out


def digits(values: pd.Series) -> str:
    """Choices as one character each, "-" where missing.

    >>> digits(pd.Series([0, 2, None]))
    '02-'
    """
    return "".join("-" if pd.isna(value) else str(int(value)) for value in values)


def as_data(column: Column, values: pd.Series) -> str:
    """A column of a level as the page holds it: choices as characters, numbers with a comma between, and
    nothing where one is missing.

    >>> as_data(Column("x", "X", "g", scale=100, decimals=1), pd.Series([0.5, None, 0.123]))
    '50,,12.3'
    """
    if column.kind == "choice":
        return digits(values)
    return ",".join("" if pd.isna(value) else f"{column.printed(value):.15g}" for value in values)

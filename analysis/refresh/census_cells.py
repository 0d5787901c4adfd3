"""The cells of the American Community Survey that every vintage holds, what their labels say, and what is
made of them.

A cell is a table and a line, `B01003_001`; its estimate ends in E, its 90 % margin of error in M. Tables are
renamed and lines move between years, so a cell is known by its label too. `*` in a label is any one part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from analysis.catalogue import LEVELS, load_catalogue
from analysis.formulas import names_in, proportion_margin

# Table to its title, and line to the label below "Estimate"; case, marks and years do not count.
TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "B01002": ("Median Age by Sex", {"001": "Median age --!!Total"}),
    "B01003": ("Total Population", {"001": "Total"}),
    "B02001": (
        "Race",
        {
            "001": "Total",
            "002": "Total!!White alone",
            "003": "Total!!Black or African American alone",
            "005": "Total!!Asian alone",
        },
    ),
    "B03002": (
        "Hispanic or Latino Origin by Race",
        {
            "001": "Total",
            "003": "Total!!Not Hispanic or Latino!!White alone",
            "004": "Total!!Not Hispanic or Latino!!Black or African American alone",
            "005": "Total!!Not Hispanic or Latino!!American Indian and Alaska Native alone",
            "006": "Total!!Not Hispanic or Latino!!Asian alone",
            "007": "Total!!Not Hispanic or Latino!!Native Hawaiian and Other Pacific Islander alone",
            "008": "Total!!Not Hispanic or Latino!!Some other race alone",
            "009": "Total!!Not Hispanic or Latino!!Two or more races",
            "012": "Total!!Hispanic or Latino",
        },
    ),
    "B05001": (
        "Nativity and Citizenship Status in the United States",
        {"001": "Total", "006": "Total!!Not a U.S. citizen"},
    ),
    "B05002": (
        "Place of Birth by Nativity and Citizenship Status",
        {"001": "Total", "013": "Total!!Foreign-born"},
    ),
    "B06009": (
        "Place of Birth by Educational Attainment in the United States",
        {"001": "Total", "002": "Total!!Less than high school graduate"},
    ),
    "B09001": ("Population Under 18 Years by Age", {"001": "Total"}),
    "B15003": (
        "Educational Attainment for the Population 25 Years and Over",
        {
            "001": "Total",
            "022": "Total!!Bachelor's degree",
            "023": "Total!!Master's degree",
            "024": "Total!!Professional school degree",
            "025": "Total!!Doctorate degree",
        },
    ),
    "B16005": (
        "Nativity by Language Spoken at Home by Ability to Speak English for the Population 5 Years and Over",
        {"001": "Total"}
        | {
            f"{first + step:03d}": f'Total!!{nativity}!!*!!Speak English "{how}"'
            for nativity, starts in (("Native", (7, 12, 17, 22)), ("Foreign born", (29, 34, 39, 44)))
            for first in starts
            for step, how in enumerate(("not well", "not at all"))
        },
    ),
    "B17001": (
        "Poverty Status in the Past 12 Months by Sex by Age",
        {"001": "Total", "002": "Total!!Income in the past 12 months below poverty level"},
    ),
    "B19013": ("Median Household Income", {"001": "Median household income in the past 12 months*"}),
    "B19083": ("Gini Index of Income Inequality", {"001": "Gini Index"}),
    "B23025": (
        "Employment Status for the Population 16 Years and Over",
        {
            "003": "Total!!In labor force!!Civilian labor force",
            "005": "Total!!In labor force!!Civilian labor force!!Unemployed",
        },
    ),
    "B25001": ("Housing Units", {"001": "Total"}),
    "B25003": ("Tenure", {"001": "Total", "002": "Total!!Owner occupied"}),
    "C16002": (
        "Household Language by Household Limited English Speaking Status",
        {"001": "Total"}
        | dict.fromkeys(("004", "007", "010", "013"), "Total!!*!!Limited English speaking household"),
    ),
    "C17002": (
        "Ratio of Income to Poverty Level in the Past 12 Months",
        {
            "001": "Total",
            "002": "Total!!Under .50",
            "003": "Total!!.50 to .99",
            "004": "Total!!1.00 to 1.24",
            "005": "Total!!1.25 to 1.49",
        },
    ),
}
# Not counts of a total: no cell of theirs is a part of the first.
MEDIANS = ("B01002", "B19013", "B19083")

CELL = re.compile(r"((?:B|C)\d{5}[A-I]?(?:PR)?_\d{3}|S\d{4}_C\d{2}_\d{3}|DP\d{2}_\d{4})([EM])")
LIMITED_ENGLISH = tuple(f"B16005_{line}" for line in TABLES["B16005"][1] if line != "001")
SUMS = {
    "C16002_LIMITED_": tuple(f"C16002_{line}" for line in ("004", "007", "010", "013")),
    "B15003_022_025": tuple(f"B15003_{line}" for line in ("022", "023", "024", "025")),
    "SVI_LIMENG_": LIMITED_ENGLISH,
    "SVI_POV150_": tuple(f"C17002_{line}" for line in ("002", "003", "004", "005")),
}
PERCENTS = {
    "PCT_FOREIGN_BORN": ("B05002_013", "B05002_001"),
    "PCT_UNEMPLOYED": ("B23025_005", "B23025_003"),
    "PCT_BACHELORS_PLUS": ("B15003_022_025", "B15003_001"),
    "PCT_POVERTY": ("B17001_002", "B17001_001"),
    "PCT_LIMITED_ENGLISH_HH": ("C16002_LIMITED_", "C16002_001"),
    "PCT_OWNER_OCCUPIED": ("B25003_002", "B25003_001"),
    "PCT_HISPANIC": ("B03002_012", "B03002_001"),
    "PCT_NH_WHITE": ("B03002_003", "B03002_001"),
    "PCT_BLACK": ("B02001_003", "B02001_001"),
    "PCT_ASIAN": ("B02001_005", "B02001_001"),
}
ROUNDED = "B01002_001E_ROUNDED"


def cells() -> tuple[str, ...]:
    """The cells to ask for: ours, and those that the catalogue's formulas name beside them, sorted."""
    ours = {f"{table}_{line}" for table, (_, lines) in TABLES.items() for line in lines}
    return tuple(sorted(ours | {found[1] for name in named() if (found := CELL.fullmatch(name))}))


def not_made() -> tuple[str, ...]:
    """Columns of the catalogue's formulas that are neither published cells nor made of them."""
    made = {ROUNDED, *PERCENTS, *(f"{name}_M" for name in PERCENTS)}
    made |= {f"{stem}{end}" for stem in SUMS for end in "EM"}
    return tuple(sorted(name for name in named() if not CELL.fullmatch(name) and name not in made))


def named() -> set[str]:
    """The columns that formulas on tables of the survey read."""
    found = set()
    for level in LEVELS:
        for variable in load_catalogue(level).values():
            if variable.source.startswith("acs/"):
                margin = () if variable.margin in (None, "proportion") else names_in(variable.margin)
                found |= {*names_in(variable.formula), *margin}
    return found


def plain(text: str) -> str:
    """A label without case, marks and years, in parts: `Estimate!!Total:` is `estimate!!total`."""
    return "!!".join(re.sub(r"[^a-z*]+", "", part) for part in text.lower().split("!!"))


def is_labelled(cell: str, label: str, concept: str) -> bool:
    """Whether a cell's label and its table's title say what ours say; True of cells that are not ours."""
    title, lines = TABLES.get(cell.partition("_")[0], ("", {}))
    expected = lines.get(cell.partition("_")[2])
    if expected is None:
        return True
    pattern = re.escape(plain(f"Estimate!!{expected}")).replace(r"\*", "[a-z]*")
    return bool(re.fullmatch(pattern, plain(label))) and plain(concept).startswith(plain(title))


def composed(values: pd.DataFrame) -> pd.DataFrame:
    """The sums and percents that formulas read, with their 90 % margins.

    Source: Census Bureau, Understanding and Using ACS Data (2020), chapter 8. Of the cells of a sum whose
    estimate is zero only the largest margin counts.
    """
    columns = {name: values[name] for name in values}
    for stem, parts in SUMS.items():
        columns[f"{stem}E"] = values[[f"{part}E" for part in parts]].sum(axis=1, skipna=False)
        columns[f"{stem}M"] = margin_of_sum(values, parts)
    out = {name: columns[name] for name in columns if name not in values}
    for name, (part, whole) in PERCENTS.items():
        share = columns[f"{part}E"] / columns[f"{whole}E"].where(columns[f"{whole}E"] > 0)
        out[name] = (100 * share).round(4)
        out[f"{name}_M"] = (100 * proportion_margin(f"{part}E / {whole}E", columns)).round(4)
    out[ROUNDED] = values["B01002_001E"].round()
    return pd.DataFrame(out, index=values.index)


def margin_of_sum(values: pd.DataFrame, parts: Iterable[str]) -> pd.Series:
    """The 90 % margin of error of a sum of cells; missing where one of theirs is."""
    estimates = values[[f"{part}E" for part in parts]].to_numpy()
    margins = values[[f"{part}M" for part in parts]].to_numpy()
    zero = estimates == 0
    of_zeros = np.where(zero, margins, 0).max(axis=1)
    squares = np.where(zero, 0, margins**2).sum(axis=1) + of_zeros**2
    missing = np.isnan(margins).any(axis=1)
    return pd.Series(np.where(missing, np.nan, np.sqrt(squares)), index=values.index).round(2)

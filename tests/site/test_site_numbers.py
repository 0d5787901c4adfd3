"""Every number on the rendered pages is one of the committed tables', row by row, and a wrong one is seen.

The tables are read here apart from the pages' code. A row of a page's table is right where one committed row, or
the committed rows of one model and term, hold all its numbers; where rows are counted, one group's counts. A
number in a sentence is right where the tables, their sizes or their groups' sizes hold it.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from site_pages import PAGES, REPORTS

from analysis.catalogue import load_catalogue
from analysis.models.prediction.improbable import REASONS
from analysis.provenance import processed, read_origin, read_params, root, vintages
from analysis.wording import MONTHS, count, dollars, frequency, percent, points
from tests.conftest import REPOSITORY
from tests.rendering.html_tree import Node, parse

NUMBER = re.compile(r"(?<![\w.])[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])(?: %)?")
FRACTION_OF_TAMPERED_SEEN = 0.85
LABELS = {name: variable.label for name, variable in load_catalogue("county").items()}


def plain(value: float, digits: int) -> str:
    """So many significant digits without an exponent, written anew here to be held against the pages."""
    if value == 0:
        return "0"
    size = int(f"{value:.{digits - 1}e}".split("e")[1])
    return f"{value:.{max(digits - 1 - size, 0)}f}"


@functools.cache  # the same numbers stand in many rows and on many pages
def forms(value: float) -> frozenset[str]:
    """How a page may write one number."""
    if pd.isna(value):
        return frozenset()
    out = {plain(value, 2), plain(value, 3), f"{value:.2f}", f"{value:.10g}", f"{value:,.10g}"}
    if 0 < abs(value) < 1e-6:
        out |= {f"{value:.1e}", f"{value:.2e}"}
    if float(value).is_integer():
        out.add(count(value))
    else:
        out.add(f"{value:.0f}")
    if 0 <= value <= 1:
        out |= {percent(value), percent(value, 1)}
    if abs(value) >= 1000:
        out |= {f"{value:,.0f}", f"{value:,.2f}", dollars(value).split(" ")[0]}
    return frozenset(out)


def row_forms(row: dict) -> set[str]:
    """How a page may write what one committed row holds: each number, its numbers together, its text's numbers."""
    out: set[str] = set()
    for value in row.values():
        if isinstance(value, bool | int | float):
            out |= forms(float(value))
        elif isinstance(value, str):
            out |= {value, *tokens(value), *tokens(value.replace("_", " "))}
            words = [word.removeprefix("with_") for word in re.findall(r"\w+", value)]
            named = [LABELS[word] for word in words if word in LABELS]
            out |= {*named, *(token for text in named for token in tokens(text))}
            out |= {count(int(word)) for word in re.findall(r"\b\d{4,15}\b", value)}
    if row.get("p_value", 1) < 0.001:
        out |= {"below 0.001", "0.001"}
    if row.get("p_value", 1) == 0 and row.get("draws", 0) > 0:
        least = plain(1 / row["draws"], 1)
        out |= {f"below {least}", least}
    if {"estimate", "conf_low", "conf_high"} <= set(row) and not pd.isna(row["estimate"]):
        out |= {points(row), *tokens(points(row))}
    if {"effect", "effect_low", "effect_high"} <= set(row) and not pd.isna(row["effect"]):
        names = {"estimate": "effect", "conf_low": "effect_low", "conf_high": "effect_high"}
        shown = points(pd.Series({name: row[column] for name, column in names.items()}))
        out |= {shown, *tokens(shown)}
    if {"holds", "specifications"} <= set(row):
        out.add(percent(row["holds"] / row["specifications"]))
    if {"per_100", "conf_low", "conf_high"} <= set(row):
        out |= {frequency(row), *tokens(frequency(row))}
    if {"conf_low", "conf_high"} <= set(row) and not pd.isna(row["conf_low"]):
        out.add(f"{plain(row['conf_low'], 3)} to {plain(row['conf_high'], 3)}")
    return out


@functools.cache  # a cell is held against thousands of rows
def tokens(text: str) -> tuple[str, ...]:
    """The numbers of a text; days, codes and names that hold digits are none."""
    text = re.sub(rf"\b(?:\d+ )?(?:{'|'.join(MONTHS)})(?: \d+,)? \d{{4}}\b|\b(?:of|In) 2025\b", " ", text)
    text = re.sub(
        r"\b(?:[a-z]+-)?\d{4}-\d\d-\d\d\b|\b\d+\.\d+\.\d+\b|287\(g\)|https?://\S+|(?<![\d,.])0\d+\b",
        " ",
        text,
    )
    return tuple(match.strip("+,") for match in NUMBER.findall(text))


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Every committed table, codes as text, and the panels as far as pages show them."""
    codes = dict.fromkeys(["geoid", "also_geoids", "roster", "proposed", "id", "sheet_row"], "str")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
        found = {path.name: pd.read_csv(path, dtype=codes) for path in sorted(processed("").glob("*.csv"))}
        for vintage in vintages("published"):
            path = root() / "data" / "raw" / "published" / vintage / "published.csv"
            found[f"published {vintage}"] = pd.read_csv(path, dtype="str")
    assert len(found) > 20
    return found


def groups(table: pd.DataFrame) -> Iterator[dict]:
    """What a page may count: rows and sums of every group of one or two columns of text, as rows."""
    texts = [
        name for name in table if table[name].nunique() < 300 and not pd.api.types.is_float_dtype(table[name])
    ]
    numbers = [name for name in table if pd.api.types.is_numeric_dtype(table[name])]
    for keys in [*itertools.combinations(texts, 1), *itertools.combinations(texts[:12], 2)]:
        grouped = table.groupby(list(keys), dropna=False)
        sums = grouped[[name for name in numbers if name not in keys]].sum()
        sums["rows of the group"] = grouped.size()
        for names, row in sums.iterrows():
            names = names if isinstance(names, tuple) else (names,)
            yield dict(zip(keys, names, strict=True)) | row.to_dict()


# Tables of one row a government or agency: pages count their rows and list some of them, and add no figures.
COUNTED = (
    "jurisdictions.csv",
    "roster_agencies.csv",
    "vintages.csv",
    "entry_audit.csv",
    "checks.csv",
    "policy_timeline.csv",
    "prediction_states.csv",
)

# Tables of which pages set several rows side by side: those with the same values here make one row of a page.
SIDE_BY_SIDE = {
    "estimates.csv": ["term", "estimator"],
    "fits.csv": ["estimator"],
    "inference.csv": ["term", "estimator"],
    "improbable_judged.csv": ["vintage", "level", "kind", "measure"],
    "layers.csv": ["sample", "model"],
    "list_error.csv": ["headline", "sample"],
    "measurement.csv": ["covariates", "model", "quantity", "term"],
    "measurement_reliability.csv": ["term"],
    "multiverse_choices.csv": ["focal", "level", "choice", "value"],
    "multiverse_inference.csv": ["focal", "level", "family"],
    "multiverse_variance.csv": ["focal", "level", "family"],
    "places_estimates.csv": ["covariates", "least_population", "sample", "model"],
    "prediction_importance.csv": ["prediction", "kind", "set"],
    "prediction_metrics.csv": ["prediction", "model", "scheme"],
    "spatial_placebo.csv": ["method", "cutoff_km"],
}


def named(name: str) -> list[str]:
    """The committed tables that a page's source names, and those behind its figures and shared sentences."""
    source = (REPORTS / f"{name}.qmd").read_text(encoding="utf-8")
    found = set(re.findall(r'read_output\("([\w.]+)"', source)) | {"frequencies.csv", "fits.csv"}
    if "headlines import" in source:
        found |= {"agreements_287g.csv", "contrasts.csv", "marginal_effects.csv", "jurisdictions.csv"}
    found |= {"dollars_at_stake.csv"} if name == "money" else set()
    if "drawn(" in source:
        found |= {"listing_by_state.csv", "estimates.csv", "inference.csv", "outcomes.csv"}
    found |= {"review_queue.csv"} if "read_queue" in source else set()
    return sorted(found)


def without_wide(name: str, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables that a page may tell of: the wide models' many estimates stand on the page of models alone."""
    if name == "models":
        return tables
    estimates = tables["estimates.csv"]
    return tables | {"estimates.csv": estimates[~estimates["model"].str.startswith("wide")]}


def bundles(name: str, tables: dict[str, pd.DataFrame]) -> list[set[str]]:
    """The sets of forms of which one must hold all numbers of a row of the page."""
    tables = without_wide(name, tables)
    out, together, beside = [], {}, {}
    for file in named(name):
        table = tables[file]
        if file in COUNTED:
            out += [row_forms(row) for row in verdicts(table)]
            out += [row_forms(row) for row in groups(table)] if len(table) < 5000 else []
        if file in COUNTED[:2]:
            continue
        for key, held in side_by_side(file, tables):
            beside.setdefault(key, set()).update(held)
        if file == "improbable.csv":
            out += reasons(table)
        for row in table.to_dict("records"):
            held = row_forms(row)
            out.append(held)
            # Pages set side by side what several tables say of one model and term, or of one variable.
            keys = [(row["model"], row.get("term"))] if "model" in row else []
            keys += [(None, row["term"])] if row.get("per") == "sd" else []
            keys += [("variable", row["name"])] if file == "codebook.csv" else []
            for key in keys:
                together.setdefault(key, set()).update(held)
    out += beside.values()
    if name == "ledger":  # shows the main list entry by entry
        entries = tables["jurisdictions.csv"].drop(columns="page_order").fillna("")
        own = entries[entries["vintage"] == read_params()["vintages"]["main_list"]]
        out += [row_forms(row) for row in own.to_dict("records")]
    if name == "robustness":
        out.append(set(tokens(str(read_params()["multiverse"]))))
    if "data_quality" in name:
        for file, table in tables.items():
            out += (
                [row_forms(row) for row in table.to_dict("records")] if file.startswith("published") else []
            )
        sources = sorted(path.name for path in (root() / "data" / "raw").iterdir() if path.is_dir())
        origins = [
            (vintage, read_origin(source, vintage)) for source in sources for vintage in vintages(source)
        ]
        out += [row_forms({"vintage": vintage, **origin}) for vintage, origin in origins]
    out += [held | together.get((key, None), set()) for (key, term), held in together.items() if term]
    if "entry_audit.csv" in named(name):
        kinds = pd.crosstab(tables["entry_audit.csv"]["kind"], tables["entry_audit.csv"]["vintage"])
        out += [set(map(count, row)) for row in kinds.to_numpy()]
    return out


def side_by_side(file: str, tables: dict[str, pd.DataFrame]) -> Iterator[tuple[tuple, set[str]]]:
    """The forms of the rows that a page may set side by side, each with what they have in common."""
    keys, table = SIDE_BY_SIDE.get(file, []), tables[file]
    if "estimator" in keys and "estimator" not in table:
        table = table.merge(tables["fits.csv"][["model", "estimator"]], on="model", validate="many_to_one")
    for values, rows in table.groupby(keys, dropna=False) if keys else ():
        yield (*keys, *values), set().union(*map(row_forms, rows.to_dict("records")))


def reasons(table: pd.DataFrame) -> Iterator[set[str]]:
    """How many rows of the main list's table have each reason code, with what the code says."""
    own = table.loc[table["vintage"] == read_params()["vintages"]["main_list"], "reasons"].dropna()
    for code, text in REASONS.items():
        yield row_forms({"text": text, "rows": int(sum(code in held.split(";") for held in own))})


def verdicts(table: pd.DataFrame) -> Iterator[dict]:
    """Rows by verdict for each list or roster, counted apart from the page."""
    if "needs_review" not in table:
        return
    by = "vintage" if "vintage" in table else "roster"
    for key, rows in table.groupby(by):
        open_, none = rows["needs_review"], rows["unit"] == "none"
        parts = {"matched": (~open_ & ~none).sum(), "review": open_.sum(), "rejected": (~open_ & none).sum()}
        yield {by: key, "rows": len(rows)} | {part: int(number) for part, number in parts.items()}


def vocabulary(name: str, tables: dict[str, pd.DataFrame]) -> set[str]:
    """Every form of every number that a sentence of the page may state."""
    tables = without_wide(name, tables)
    out = set().union(*bundles(name, tables))
    for file in named(name):
        table = tables[file]
        out |= {count(len(table)), *(count(table[column].nunique()) for column in table)}
        out |= set().union(*(row_forms(row) for row in groups(table))) if len(table) < 5000 else set()
        out |= {count(total) for total in table.select_dtypes("int64").sum()}
    out |= {count(len(vintages(source))) for source in ("lists", "rosters")}
    every = tables["ledger_accuracy.csv"].set_index("kind").loc["all"]
    out |= {percent((every["right_in_review"] + every["in_review"]) / every["names"], 1), count(len(PAGES))}
    out |= {count(len(tables["ledger_accuracy.csv"]) - 1), percent(every["right"] / every["names"], 1)}
    params = set(tokens(str(read_params())))
    return out | params | {count(int(token)) for token in params if token.isdigit()}


@pytest.fixture(autouse=True)
def _repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))


def rows(page: Node) -> Iterator[list[str]]:
    for body in page.all("tbody"):
        for row in body.all("tr"):
            yield [cell.text.replace("\u200b", "") for cell in row.all("td")]


def holds(cells: list[str], bundle: set[str]) -> bool:
    """Whether one bundle holds every number of a row of cells, cell by cell."""
    return all(
        cell in bundle or all(token in bundle or token.replace(",", "") in bundle for token in tokens(cell))
        for cell in cells
    )


def with_numbers(cells: list[str]) -> list[str]:
    return [cell for cell in cells if tokens(cell)]


def tampered(cells: list[str]) -> list[str]:
    """The same row with its last number changed in its first digit."""
    position = max(i for i, cell in enumerate(cells) if tokens(cell))
    changed = re.sub(r"\d", lambda digit: str((int(digit[0]) + 3) % 10), cells[position], count=1)
    return [*cells[:position], changed, *cells[position + 1 :]]


def test_a_row_of_money_without_residents_says_so(site, tables):
    stakes, said = tables["dollars_at_stake.csv"], "nothing per resident"
    main = f"listed_{read_params()['vintages']['main_list']}".replace("-", "_")
    known = stakes[stakes["flags"].str.contains(main) & stakes["amount_usd"].notna()]
    newest = known["fiscal_year"] == known.groupby("measure")["fiscal_year"].transform("max")
    without = known[newest & known["per_resident_usd"].isna()]
    page = parse((site / "money.html").read_text(encoding="utf-8"))
    told = [cells for cells in rows(page) if said in cells[-1]]
    assert len(told) == len(without) > 0
    assert {cells[1] for cells in told} == set(without["name"])


# Lists the downloads' own sizes, which no committed table holds; its test is that of the downloads.
OF_FILES = ("downloads",)


def shown(name: str, site: Path) -> list[list[str]]:
    """The rows of a page's tables, cells with numbers alone."""
    page = parse((site / f"{name}.html").read_text(encoding="utf-8"))
    return [cells for cells in map(with_numbers, rows(page)) if cells]


@pytest.mark.fault("F84")
@pytest.mark.parametrize("name", [page for page in PAGES if page not in OF_FILES])
def test_the_numbers_of_tables_are_the_committed_ones(name, site, tables):
    held = bundles(name, tables)
    wrong = [cells for cells in shown(name, site) if not any(holds(cells, bundle) for bundle in held)]
    assert wrong == []


def test_a_wrong_number_in_a_table_is_seen(site, tables):
    seen = total = 0
    for name in ("findings", "models", "data_quality", "ledger"):
        held = bundles(name, tables)
        for cells in shown(name, site)[::4]:
            total += 1
            seen += not any(holds(tampered(cells), bundle) for bundle in held)
    assert total > 60
    assert seen / total > FRACTION_OF_TAMPERED_SEEN, f"{seen} of {total}"


def sentences(page: Node) -> Iterator[str]:
    main = page.one("main")
    for tag in ("p", "li", "dd", "figcaption"):
        for node in main.all(tag):
            if not node.all("table") and "toc" not in node.classes and not node.all("ul"):
                yield node.text


@pytest.mark.fault("F84")
@pytest.mark.parametrize("name", PAGES)
def test_the_numbers_of_sentences_are_the_committed_ones(name, site, tables):
    page = parse((site / f"{name}.html").read_text(encoding="utf-8"))
    found = [(token, text) for text in sentences(page) for token in tokens(text)]
    assert found or name in ("changes", "downloads")
    held = vocabulary(name, tables)
    assert [(token, text) for token, text in found if token not in held] == []


def test_a_wrong_number_in_a_sentence_is_seen(site, tables):
    """Numbers of four digits and more, whose first becomes each other. Shorter ones stand in some table by chance;
    they are held by what the sentence's code gives (test_site_sentences.py)."""
    seen = total = 0
    for name in ("findings", "models", "money", "prediction", "ledger"):
        page = parse((site / f"{name}.html").read_text(encoding="utf-8"))
        held = vocabulary(name, tables)
        for token in {token for text in sentences(page) for token in tokens(text)}:
            if len(re.sub(r"\D", "", token)) > 3:
                wrong = [re.sub(r"\d", str(digit), token, count=1) for digit in range(10)]
                total += len(wrong) - 1
                seen += sum(each not in held for each in wrong if each != token)
    assert total > 300
    assert seen / total > 0.9, f"{seen} of {total}"

"""The page of the money compares no two measures: neither its data nor its sentences."""

from __future__ import annotations

import ast
import re

import pandas as pd
import pytest

from analysis import figures
from analysis.errors import DataError
from analysis.figures import amounts_figure
from tests.conftest import REPOSITORY

SOURCE = (REPOSITORY / "reports" / "money.qmd").read_text(encoding="utf-8")
CHUNKS = re.findall(r"```\{python\}\n(.*?)```", SOURCE, re.S)
# Tables of words, which hold no amount.
WORDS = {"tbl-listings", "tbl-timeline", "tbl-flags"}
# How each measure is told in prose.
TOLD = {
    "obligations": r"(?<!de-)\bobligations",
    "prime_awards": r"prime awards",
    "whole_awards_active": r"whole awards|whole amounts",
    "slfrf_allocation": r"recovery funds|yardstick|have an allocation",
    "jag": r"\bJAG\b",
}
COMPARES = r"\b(?:times|fold|ratio|twice|double|compared|exceeds?|larger|smaller|higher|lower|more than|less than|of which|share of)\b"


def label(chunk: str) -> str:
    return re.search(r"#\| label: (\S+)", chunk)[1]


def measures_of(code: str, helpers: dict[str, ast.FunctionDef]) -> set[str]:
    """The measures that a chunk names as the argument of a helper that takes one."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in helpers:
            found |= {
                arg.value for arg in node.args if isinstance(arg, ast.Constant) and arg.value in MEASURES
            }
    return found


MEASURES = set(
    pd.read_csv(REPOSITORY / "data/processed/money_definitions.csv").query("kind == 'measure'")["name"]
)


def test_each_table_and_figure_shows_one_measure() -> None:
    setup = ast.parse("\n".join(line for line in CHUNKS[0].splitlines() if not line.startswith("%")))
    functions = {node.name: node for node in setup.body if isinstance(node, ast.FunctionDef)}
    takes = {"one_measure": None, "drawn": None, "figure_notes": None}  # a figure refuses two measures
    for name, node in functions.items():
        if node.args.args and node.args.args[0].arg == "measure":
            called = {
                n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
            }
            assert called & {*takes}, f"{name} takes a measure and does not go through one_measure"
            takes[name] = node
    shown = [chunk for chunk in CHUNKS[1:] if label(chunk) not in WORDS]
    assert len(shown) >= 18
    for chunk in shown:
        code = "\n".join(line for line in chunk.splitlines() if not line.startswith("#|"))
        assert len(measures_of(code, takes)) == 1, label(chunk)
        for frame in ("stakes", "spread", "reasons", "residuals"):
            uses = re.findall(rf"\b{frame}\b(?=\[|\.)", code)
            assert uses == [], f"{label(chunk)} reads {frame} past one_measure"


def sentences() -> list[str]:
    prose = re.sub(r"^---\n.*?\n---\n", "", SOURCE, count=1, flags=re.S)
    captions = re.findall(r'#\| (?:tbl|fig)-(?:cap|alt): "(.*?)"\n', prose)
    prose = re.sub(r"```\{python\}.*?```", "\n\n", prose, flags=re.S)
    meanings = pd.read_csv(REPOSITORY / "data/processed/money_definitions.csv")
    prose = re.sub(
        r'`\{python\} meaning\("(\w+)", "(\w+)"\)`',
        lambda m: meanings.query(f"kind == '{m[1]}' and name == '{m[2]}'")["definition"].iloc[0],
        prose,
    )
    text = re.sub(r"\s+", " ", " \n ".join([prose, *captions]))
    return [each.strip() for each in re.split(r"(?<=[.:])\s+|\*\*|\|", text) if each.strip()]


def has_number(sentence: str) -> bool:
    return "{python}" in sentence or bool(re.search(r"\d", sentence))


def test_no_sentence_with_a_number_sets_two_measures_side_by_side() -> None:
    found = [each for each in sentences() if has_number(each)]
    assert len(found) > 25
    for sentence in found:
        told = [name for name, pattern in TOLD.items() if re.search(pattern, sentence, re.I)]
        assert len(told) <= 1, sentence
        if told and "dollars(" in sentence:
            assert not re.search(COMPARES, sentence, re.I), sentence


def test_each_measure_is_told_with_a_number_somewhere() -> None:
    for name, pattern in TOLD.items():
        assert any(re.search(pattern, each, re.I) and has_number(each) for each in sentences()), name


def test_a_figure_of_two_measures_is_refused() -> None:
    one = pd.DataFrame(
        {
            "reading": "slfrf",
            "measure": "slfrf_allocation",
            "fiscal_year": 2021,
            "amount_usd": [1e6, 0.0, 2e9],
        }
    )
    figure = amounts_figure(one, "counties")
    (axes,) = figure.axes
    assert sum(patch.get_height() for patch in axes.patches) == 2
    assert axes.get_title(loc="left") == "1 of zero or below are not drawn"
    assert {"1M", "1bn"} <= {tick.get_text() for tick in axes.get_xticklabels()}
    for column, other in (("measure", "prime_awards"), ("fiscal_year", 2022), ("reading", "own_government")):
        mixed = pd.concat([one, one.assign(**{column: other})])
        with pytest.raises(DataError, match="one measure of one year"):
            amounts_figure(mixed, "counties")
    with pytest.raises(DataError, match="no amount is above zero"):
        amounts_figure(one.assign(amount_usd=-1.0), "counties")
    assert figures.POWERS[6] == "1M"

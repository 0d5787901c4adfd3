"""Tables say what was fitted, and text shows as text."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pypandoc
import pytest

from analysis import catalogue
from analysis.errors import ModelError
from analysis.models import Model, fit
from analysis.tables import coefficient_table, escape, markdown_table, number


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x, flag = rng.normal(size=200), (np.arange(200) % 5 == 0).astype(int)
    listed = np.where(flag == 1, 1, (rng.random(200) < 0.4).astype(int))
    return pd.DataFrame({"listed": listed, "x": x, "flag": flag, "flat": 1, "state": np.arange(200) % 20})


MAIN = Model("main", "listed", ["x"], cluster="state")


def cells(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_models_are_columns_and_terms_are_rows(data):
    table = coefficient_table([fit(MAIN, data), fit(MAIN.with_(add=["flag", "flat"]), data)])
    rows = {row[0]: row[1:] for row in cells(table)}
    assert rows["Term"] == ["main", "main (2)"]
    assert len(rows) == 11
    assert rows["flag"] == ["–", r"none: separated (\+)"]
    assert rows["flat"] == ["–", "none: constant in the rows used"]
    assert rows["Rows"] == ["200", "160"]
    assert rows["Clusters"][0] == "20 by state (effective: 20.0)"
    found = fit(MAIN, data)
    low, high = found.inference.conf_low[1], found.inference.conf_high[1]
    assert rows["x"][0] == rf"{number(found.coefficients[1])} \[{number(low)}, {number(high)}\]"
    assert "main (2), flag: separated (\\+): listed is 1 in all 40 rows with flag = 1" in table
    assert "\\*" not in table and "***" not in table


def test_one_fit_and_labels_of_the_catalogue(data):
    table = coefficient_table(fit(MAIN.with_(add=["population"]), data.assign(population=data["x"] ** 2)))
    assert catalogue.label("population") != "population"
    assert f"| {escape(catalogue.label('population'))} |" in table and cells(table)[0] == ["Term", "main"]


def test_firth_and_effects_are_named(data):
    models = [MAIN.with_(estimator="firth"), MAIN.with_(estimator="lpm", fixed_effects="state")]
    table = coefficient_table(fit(model, data) for model in models)
    rows = {row[0]: row[1:] for row in cells(table)}
    assert rows["Estimator"] == ["Firth logit", "Linear probability"]
    assert rows["Fixed effects"] == ["none", "state"] and rows["Intercept"][1] == "–"
    assert rows["Clusters"][0] == "not clustered"
    assert "- main: profile penalised-likelihood limits, which take no account of clusters (state)." in table


def test_refusals(data):
    with pytest.raises(ModelError, match="format='html' is unknown"):
        coefficient_table(fit(MAIN, data), format="html")
    with pytest.raises(ModelError, match="No fit"):
        coefficient_table([])
    with pytest.raises(ModelError, match="at least one column"):
        markdown_table(pd.DataFrame())


@pytest.mark.fault("G2")
@pytest.mark.parametrize(
    "text",
    [
        "a|b", "<script>alert(1)</script>", "*x* _y_ **z**", "`code`", "[link](http://a.b)", "![i](j.png)",
        "x^2^ ~3~ $a$", "# title", "@ref", "&amp;", "\\", "it's \"quoted\" -- and ...", "{.class}",
        "1. one", "+ a", "- a", "two\nlines", "::: x", "a  b",
    ],
)  # fmt: skip
def test_any_text_shows_as_text(text):
    table = markdown_table(pd.DataFrame({text: [text, "second"]}))
    shown = pypandoc.convert_text(table, "html", format="markdown", extra_args=["--wrap=none"])
    found = list(ElementTree.fromstring(shown.strip()).iter())
    shown_cells = [cell for cell in found if cell.tag in ("th", "td")]
    assert len(shown_cells) == 3 and all(len(cell) == 0 for cell in shown_cells)
    expected = " ".join(text.split())
    assert [cell.text for cell in shown_cells] == [expected, expected, "second"]


def test_numbers_and_missing_values():
    frame = pd.DataFrame({"n": [1, 20000], "x": [0.123456, np.nan], "t": ["a", None], "b": [True, False]})
    assert cells(markdown_table(frame)) == [
        ["n", "x", "t", "b"], ["---:", "---:", ":---", ":---"],
        ["1", "0.123", "a", "True"], ["20000", "", "", "False"],
    ]  # fmt: skip
    assert cells(markdown_table(frame[["n"]], headers={"n": "Rows"}))[0] == ["Rows"]
    assert cells(markdown_table(frame[["n"]].astype("Int64")))[2:] == [["1"], ["20000"]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (1.0, "1.00"), (-0.05, "-0.0500"), (12.345, "12.3"), (1234.5, "1234"),
        (1.2e-7, "1.20e-07"), (np.inf, "∞"), (None, ""), (0.99999, "1.00"),
    ],
)  # fmt: skip
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("column", "right"),
    [
        (["3,144", "", None, "0"], True),
        (["-1,234,567.50", "none", "–"], True),
        (["12 %", "below 0.001", "1.2e-07"], True),
        (["48.6 million", "2.75 billion", "5,000"], True),
        (["17031", "06075"], False),
        (["2021", "2024"], False),
        (["2025-05-31"], False),
        (["+7.3 (3.6 to 11.0)"], False),
        (["none", ""], False),
        ([], False),
        (["yes", "12"], False),
    ],
)
def test_written_numbers_stand_to_the_right_and_codes_to_the_left(column, right):
    mark = markdown_table(pd.DataFrame({"a": pd.Series(column, dtype="str")})).splitlines()[1]
    assert mark == ("| ---: |" if right else "| :--- |")


def test_escape_is_one_line():
    assert escape("  a\n b ") == "a b"

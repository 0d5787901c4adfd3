"""Tables say what was fitted, and text shows as text."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pypandoc
import pytest

from analysis import catalogue
from analysis.errors import MissingValueWarning, ModelError
from analysis.markup import one_line
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


SHOWN = pd.DataFrame({"listed": [0, 0, 1, 0, 1, 1] * 5, "a_b & 50 %": np.arange(30) % 7, "#{x}": 1})


@pytest.mark.parametrize("format", ["markdown", "latex", "html"])
def test_every_format_shows_the_same_texts(format, data):
    """Names with signs of LaTeX, HTML and Markdown come back from pandoc as they were."""
    hard = Model(r"<i>$x_1$\ ~^", "listed", ["a_b & 50 %", "#{x}"], estimator="lpm", sample="listed < 2")
    fits = [fit(hard, SHOWN), fit(MAIN.with_(name="--", add=["flag"]), data)]
    table = coefficient_table(fits, format=format)
    read = pypandoc.convert_text(table, "html", format=format, extra_args=["--wrap=none"])
    shown = [
        ["".join(cell.itertext()).replace("−", "-") for cell in row if cell.tag in ("th", "td")]
        for row in ElementTree.fromstring(f"<all>{read}</all>").iter("tr")
    ]
    expected = [[one_line(cell) for cell in row] for row in cells_of(fits)]
    assert len(shown) == 11 and shown == expected
    text = "".join(ElementTree.fromstring(f"<all>{read}</all>").itertext())
    assert "listed is 1 in all 40 rows with flag = 1" in text and "not clustered" in text


def cells_of(fits) -> list[list[str]]:
    """The table's cells as plain text, computed from the fits."""
    first, second = (fit.model.name for fit in fits)
    found = [dict(zip(fit.terms, range(len(fit.terms)), strict=True)) for fit in fits]

    def cell(at: int, term: str) -> str:
        fit, where = fits[at], found[at].get(term)
        if where is None:
            return "–"
        low, high = fit.inference.conf_low[where], fit.inference.conf_high[where]
        return f"{number(fit.coefficients[where])} [{number(low)}, {number(high)}]"

    rows = [[term, cell(0, term), cell(1, term)] for term in ("Intercept", "a_b & 50 %", "#{x}", "x", "flag")]
    rows[2][1], rows[4][2] = "none: constant in the rows used", "none: separated (+)"
    return [
        ["Term", first, second],
        *rows,
        ["Estimator", "Linear probability", "Logit"],
        ["Fixed effects", "none", "none"],
        ["Sample", "listed < 2", "all"],
        ["Rows", "30", "160"],
        ["Clusters", "not clustered", "16 by state (effective: 16.0)"],
    ]


def test_rows_left_out_for_missing_values_are_told_by_state(data):
    gaps = data.assign(state=np.where(np.arange(200) % 20 < 10, "AK", "CT"))
    gaps.loc[[0, 1, 10], "x"] = np.nan
    with pytest.warns(MissingValueWarning, match=r"3 of 200 rows .*: x \(3\) in AK 2, CT 1"):
        found = fit(MAIN, gaps)
    assert len(found.dropped) == 3
    for format in ("markdown", "latex", "html"):
        assert "3 of 200 rows left out for missing values: x (3) in AK 2, CT 1." in coefficient_table(
            found, format=format
        )


def test_firth_and_effects_are_named(data):
    models = [MAIN.with_(estimator="firth"), MAIN.with_(estimator="lpm", fixed_effects="state")]
    table = coefficient_table(fit(model, data) for model in models)
    rows = {row[0]: row[1:] for row in cells(table)}
    assert rows["Estimator"] == ["Firth logit", "Linear probability"]
    assert rows["Fixed effects"] == ["none", "state"] and rows["Intercept"][1] == "–"
    assert rows["Clusters"][0] == "not clustered"
    assert "- main: profile penalised-likelihood limits, which take no account of clusters (state)." in table


def test_refusals(data):
    with pytest.raises(ModelError, match=r"format='htlm' is unknown.*Nearest: 'html'"):
        coefficient_table(fit(MAIN, data), format="htlm")
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

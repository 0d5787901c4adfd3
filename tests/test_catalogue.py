"""The catalogue: its rules, its formulas and its margins."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.catalogue import GROUPS, LEVELS, group_members, label, load_catalogue, measured_until
from analysis.errors import DataError
from analysis.formulas import evaluate, names_in, proportion_margin

ENTRY = (
    "x: {label: X, unit: count, group: size, source: acs/2019-2023, formula: B25001_001E, "
    "as_of: 2023-12-31, range: [0, 10]}\n"
)


def catalogue(tmp_path: Path, text: str, level: str = "county") -> dict:
    file = tmp_path / "variables.yaml"
    file.write_text(text, encoding="utf-8")
    return load_catalogue(level, file)


def test_the_catalogue_covers_every_group_and_level() -> None:
    counties = load_catalogue("county")
    assert len([v for v in counties.values() if v.group != "outcome"]) >= 30
    assert {variable.group for variable in counties.values()} == set(GROUPS)
    for level in LEVELS:
        assert len(load_catalogue(level)) > 30
    assert any(variable.margin for variable in counties.values())


def test_names_carry_their_unit() -> None:
    looked_at = 0
    endings = {"share": ("_share", "_per_resident"), "log": (), "usd_per_resident": ("_per_resident",)}
    for level in LEVELS:
        for name, variable in load_catalogue(level).items():
            bare = (
                name.removesuffix("_2021").removesuffix("_2022").removesuffix("_2024").removesuffix("_2020")
            )
            if variable.unit == "0/1":
                assert name.startswith(("is_", "has_")), name
                looked_at += 1
            elif variable.unit == "log":
                assert name.startswith("log_"), name
                looked_at += 1
            elif variable.unit == "share":
                assert bare.endswith(endings["share"]) or "share" in bare, name
                assert variable.range[0] >= 0
                looked_at += 1
    assert looked_at > 50


def test_no_label_says_more_than_listed() -> None:
    labels = [variable.label for level in LEVELS for variable in load_catalogue(level).values()]
    assert len(labels) > 100
    assert not [text for text in labels if "sanctuary" in text.lower()]


def test_a_variable_is_added_by_one_line(tmp_path: Path) -> None:
    (variable,) = catalogue(tmp_path, ENTRY).values()
    assert (
        variable.label == "X" and variable.as_of == datetime.date(2023, 12, 31) and variable.level == "county"
    )
    assert catalogue(tmp_path / ".", ENTRY) and load_catalogue("place", tmp_path / "variables.yaml") == {}


def test_levels_and_what_they_inherit(tmp_path: Path) -> None:
    text = ENTRY.replace("range:", "inherited: [place], state: {formula: B01003_001E}, range:")
    file = tmp_path / "variables.yaml"
    file.write_text(text, encoding="utf-8")
    assert load_catalogue("place", file)["x"].inherited_from == "county"
    assert load_catalogue("state", file)["x"].formula == "B01003_001E"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("label:", "lable:"), "unknown key 'lable'. Nearest: 'label'"),
        (("unit: count, ", ""), "the key 'unit' is missing"),
        (("group: size", "group: sizes"), "group 'sizes' is not one of"),
        (("unit: count", "unit: furlongs"), "unit 'furlongs' is not one of"),
        (("[0, 10]", "[10, 0]"), "range [10, 0] is not [low, high]"),
        (("[0, 10]", "10"), "range 10 is not [low, high]"),
        (("2023-12-31", "'2023'"), "as_of is not a day"),
        (("B25001_001E", "exec(1)"), "uses more than arithmetic"),
        (("B25001_001E", "a if b else c"), "uses more than arithmetic"),
        (("B25001_001E", "'a +'"), "is not arithmetic"),
        (("range:", "levels: [town], range:"), "no level 'town'"),
        (
            ("range:", "place: {formulla: a}, range:"),
            "unknown key 'formulla' under 'place'. Nearest: 'formula'",
        ),
        (("x: {", "2x: {"), "with a name of letters"),
        (("x: {", "12: {each: lists, "), "with a name of letters"),
        (("x: {", "state: {"), "the name is taken"),
        (("x: {", "x_moe: {"), "the name is taken"),
        (("range:", "each: list, range:"), "each 'list' is unknown"),
        (("range:", "margin: proportion, range:"), "needs a formula `X_E / Y_E`"),
        ((ENTRY, "{}"), "no variable is declared"),
        ((ENTRY, ENTRY + ENTRY), "the key 'x' occurs twice"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        catalogue(tmp_path, ENTRY.replace(*change))
    assert message in str(caught.value) and "variables.yaml" in str(caught.value)


def test_unknown_group_and_level() -> None:
    with pytest.raises(DataError, match="Nearest: 'economy'"):
        group_members("econmy")
    with pytest.raises(DataError, match="no level 'town'"):
        load_catalogue("town")


def test_labels_of_products_and_squares() -> None:
    assert label("population:log_population") == "Residents × Residents (log)"
    assert label("population:population") == "Residents, squared"
    assert label("not_there") == "not_there"


COLUMNS = {
    "a": pd.Series([4.0, 0.0, np.nan, -1.0]),
    "b": pd.Series([2.0, 0.0, 1.0, 0.0]),
}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a / b", [2, np.nan, np.nan, np.nan]),
        ("log(a)", [np.log(4), np.nan, np.nan, np.nan]),
        ("log1p(b) - sqrt(a)", [np.log(3) - 2, 0, np.nan, np.nan]),
        ("a > b", [1, 0, np.nan, 0]),
        ("(a == 0) * 3", [0, 3, np.nan, 0]),
        ("-abs(a) ** 2", [-16, 0, np.nan, -1]),
    ],
)
def test_formulas(formula: str, expected: list[float]) -> None:
    np.testing.assert_allclose(evaluate(formula, COLUMNS).to_numpy(), expected)


def test_a_formula_names_its_columns_once() -> None:
    assert names_in("x / (x + y)") == ("x", "y")


# Worked by hand from the formula for a proportion; the second radicand is negative, so the ratio's holds.
def test_margin_of_a_proportion() -> None:
    columns = {
        "X_E": pd.Series([4634.0, 90.0, 10.0]),
        "X_M": pd.Series([989.0, 5.0, 3.0]),
        "Y_E": pd.Series([31713.0, 100.0, 100.0]),
        "Y_M": pd.Series([601.0, 50.0, np.nan]),
    }
    share = 4634 / 31713
    expected = [
        np.sqrt(989**2 - share**2 * 601**2) / 31713,
        np.sqrt(5**2 + 0.9**2 * 50**2) / 100,
        0.03,
    ]
    np.testing.assert_allclose(proportion_margin("X_E / Y_E", columns), expected, rtol=1e-12)


@given(st.text(max_size=30))
def test_any_formula_is_read_or_refused_by_name(text: str) -> None:
    try:
        names_in(text)
    except DataError as error:
        assert "formula" in str(error)


def test_a_later_figure_cannot_be_passed_off_as_an_earlier_one(tmp_path: Path) -> None:
    early = "label: S, unit: 0/1, group: enforcement, as_of: 2024-12-31, range: [0, 1]"
    text = f"""
a: {{{early}, source: agreements/2025-05-28, formula: agreements > 0}}
b: {{{early}, source: derived, formula: a * 1}}
c: {{{early}, source: ledger/dhs-2025-05-31, formula: own}}
d: {{{early}, source: votes/2020, formula: votes_dem}}
"""
    made = catalogue(tmp_path, text)
    found = {name: measured_until(name, made) for name in made}
    day = datetime.date.fromisoformat
    assert found == {
        "a": day("2025-05-28"),
        "b": day("2025-05-28"),
        "c": day("2025-05-31"),
        "d": day("2024-12-31"),
    }

"""Margins of error: the Bureau's worked examples, the fallback, and what must not pass for a margin."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import DataError
from analysis.margins import (
    margin_of_product,
    margin_of_proportion,
    margin_of_ratio,
    margin_of_sum,
    standard_error,
)

SIZES = st.integers(0, 10**9).map(lambda number: number / 1000)


@pytest.mark.fault("F35")
def test_the_handbooks_examples():
    assert float(margin_of_sum([3860, 2642, 1957]).round()) == 5070
    assert float(margin_of_proportion(203119, 5070, 630498, 831).round(3)) == 0.008
    assert float(standard_error(np.array(5070.0)).round()) == 3082


def test_a_product_has_the_errors_of_both_factors():
    assert float(margin_of_product(200.0, 3.0, 4.0, 0.08)) == pytest.approx(np.hypot(200 * 0.08, 4 * 3.0))
    assert float(margin_of_product(200.0, 3.0, 4.0, 0.0)) == pytest.approx(12.0)


@pytest.mark.fault("F35")
def test_a_negative_radicand_takes_the_ratio_instead():
    for x, y in ((90.0, 100.0), (100.0, 100.0)):
        fallback = margin_of_proportion(x, 5.0, y, 10.0)
        assert fallback == margin_of_ratio(x, 5.0, y, 10.0) > 0
    assert float(margin_of_proportion(90, 5, 100, 10).round(9)) == 0.102956301
    assert margin_of_proportion(10.0, 5.0, 100.0, 10.0) < margin_of_ratio(10.0, 5.0, 100.0, 10.0)


@pytest.mark.fault("F35")
def test_a_radicand_of_zero_is_a_margin_of_zero():
    assert margin_of_proportion(50.0, 5.0, 100.0, 10.0) == 0


@pytest.mark.fault("F35")
def test_of_zero_estimates_only_the_largest_margin_counts():
    assert margin_of_sum([13.0, 13.0, 13.0], [0, 0, 0]) == 13
    assert margin_of_sum([5.0, 13.0, 12.0, 13.0], [40, 0, 7, 0]) == pytest.approx(np.sqrt(25 + 144 + 169))
    rows = margin_of_sum(np.array([[3.0, 4.0], [13.0, 13.0]]), np.array([[1, 1], [0, 0]]))
    assert rows.tolist() == [5.0, 13.0]


def test_what_is_undefined_is_missing():
    assert np.isnan(margin_of_proportion(0.0, 12.0, 0.0, 12.0))
    assert np.isnan(margin_of_ratio(5.0, 1.0, 0.0, 1.0))
    assert np.isnan(margin_of_proportion(1.0, np.nan, 10.0, 1.0))
    assert np.isnan(standard_error(np.array([np.nan]))[0])


@pytest.mark.fault("F30", "F33")
@pytest.mark.parametrize("of", [margin_of_proportion, margin_of_ratio, margin_of_product])
@pytest.mark.parametrize("code", [-555555555, -222222222.0, -1.0])
def test_an_annotation_code_is_no_margin(of, code):
    with pytest.raises(DataError, match="annotation code"):
        of(10.0, code, 100.0, 5.0)
    with pytest.raises(DataError, match="annotation code"):
        margin_of_sum([3.0, code])
    with pytest.raises(DataError, match="annotation code"):
        standard_error(pd.Series([1.0, code]))


def test_what_does_not_belong_together_is_an_error():
    with pytest.raises(DataError, match="do not belong"):
        margin_of_sum([3.0, 4.0], [1.0, 2.0, 3.0])
    for call in (
        lambda: margin_of_sum(["a", 1]),
        lambda: standard_error("-"),
        lambda: standard_error([[1], []]),
    ):
        with pytest.raises(DataError, match="no number"):
            call()


def test_a_series_keeps_its_index():
    found = standard_error(pd.Series([1.645, 3.29], index=["01001", "01003"]))
    assert found.to_dict() == pytest.approx({"01001": 1.0, "01003": 2.0})


@given(SIZES, SIZES, SIZES.map(lambda size: size + 1), SIZES)
def test_no_proportion_has_more_error_than_its_ratio(x, margin_x, y, margin_y):
    proportion, ratio = (of(x, margin_x, y, margin_y) for of in (margin_of_proportion, margin_of_ratio))
    assert 0 <= proportion <= ratio * (1 + 1e-9)
    assert ratio >= margin_x / y * (1 - 1e-9)

"""Listing against agreements: the exact test against enumeration, and the table's rows."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.models import Model, estimates, fit
from analysis.models.agreements import SCOPES, agreement_table, stratified_test
from analysis.models.counts import cross_table


@pytest.mark.parametrize("table", [(8, 4, 4, 0), (20, 7, 5, 4), (9, 1, 8, 1), (30, 10, 12, 2)])
def test_one_state_is_fishers_exact_test(table):
    n, listed, has, both = table
    cells = [[both, listed - both], [has - both, n - listed - has + both]]
    expected, p = stratified_test(np.array([table]))
    assert p == pytest.approx(stats.fisher_exact(cells).pvalue, abs=1e-12)
    assert expected == pytest.approx(listed * has / n)


def test_several_states_are_every_table_with_these_margins():
    tables = np.array([(8, 4, 3, 0), (6, 2, 3, 1), (5, 0, 2, 0)])
    laws = [
        {x: stats.hypergeom.pmf(x, n, listed, has) for x in range(min(listed, has) + 1)}
        for n, listed, has, _ in tables
    ]
    total = {}
    for cells in product(*laws):
        chance = np.prod([law[x] for law, x in zip(laws, cells, strict=True)])
        total[sum(cells)] = total.get(sum(cells), 0) + chance
    likely = sum(chance for chance in total.values() if chance <= total[1] * (1 + 1e-7))
    assert len(total) == 6 and stratified_test(tables)[1] == pytest.approx(likely, abs=1e-12)
    assert np.isnan(stratified_test(np.array([(5, 0, 2, 0), (4, 4, 1, 1)]))).all()


@pytest.fixture
def counties() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    state = np.repeat(["AA", "BB", "CC", "DD"], 20)
    frame = pd.DataFrame({"state": state, "state_geoid": state})
    frame["is_listed"] = (rng.random(80) < np.repeat([0.8, 0.4, 0.0, 0.3], 20)).astype(int)
    frame["is_in_listed_state"] = (state == "AA").astype(int)
    frame["has"] = ((rng.random(80) < 0.4) & (frame["is_listed"] == 0) & (state != "DD")).astype(int)
    return frame


def test_the_table_has_scopes_and_states(counties):
    table = agreement_table(counties, {"day": "has"}).set_index("scope")
    assert list(table.index) == [*SCOPES, "state AA", "state BB", "state CC", "state DD"]
    assert (table["listed_with_agreement"] == 0).all()
    states = table[table.index.str.startswith("state ")]
    for column in ("counties", "listed", "with_agreement"):
        assert states[column].sum() == table.loc["all counties", column] > 0
    both = table.loc["states with both"]
    assert both["states"] == both["strata"] == 2 and both["conf_low"] < both["conf_high"] < 0
    whole = table.loc["all counties"]
    assert both["exact_p_value"] == whole["exact_p_value"] < 0.05
    numbers = ["log_odds_ratio", "conf_low", "conf_high", "strata"]
    assert both[numbers].tolist() == whole[numbers].tolist()  # both condition on the state
    inside = counties[counties["state"] == "AA"]
    alone = estimates(fit(Model("m", "is_listed", ["has"], "firth"), inside)).set_index("term").loc["has"]
    assert table.loc["counties of listed states", "strata"] == 1
    assert table.loc["counties of listed states", "log_odds_ratio"] == pytest.approx(alone["estimate"])
    assert np.isnan(table.loc["state DD", "exact_p_value"])


@pytest.mark.fault("F82")
def test_an_unbounded_end_is_said(counties):
    alone = counties[counties["state"] == "DD"].assign(has=0)
    table = agreement_table(alone, {"day": "has"}).set_index("scope")
    assert np.isnan(table.loc["all counties", "log_odds_ratio"]) and len(table) == 5


def test_the_outcomes_are_crossed():
    frame = pd.DataFrame(
        {
            "state": ["A", "A", "B"],
            "is_listed": [1, 1, 0],
            "is_in_listed_state": [1, 1, 0],
            "has_listed_place_d": [0, 0, 1],
            "is_listed_as_county_d": [1, 1, 0],
            "is_listed_j": [0, 0, 0],
            "is_listed_as_county_j": [0, 0, 0],
        }
    )
    table = cross_table(frame, "d", "j")
    assert table["counties"].tolist() == [1, 2] and table["states"].tolist() == [1, 1]

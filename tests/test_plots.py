"""Plots of one's own draw the estimates: positions of marks and bars are held against the numbers."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from analysis.catalogue import label
from analysis.errors import DataError, ModelError
from analysis.maps import FILL
from analysis.models import Model, average_marginal_effects, estimates, fit
from analysis.models.multiverse import specification_curve
from analysis.models.prediction import leave_one_state_out
from analysis.models.prediction.evaluation import calibration_curve, resampled
from analysis.panel import load_panel
from analysis.plots import (
    calibration_plot,
    coefficient_plot,
    listing_map,
    marginal_effects_plot,
    specification_curve_plot,
)
from tests.conftest import REPOSITORY

matplotlib.use("Agg")
MODEL = Model("first", "y", ["a", "b", "a:b"], cluster="state")


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    yield
    matplotlib.pyplot.close("all")


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    frame["y"] = (rng.random(400) < 1 / (1 + np.exp(-frame["a"]))).astype(int)
    frame["flag"] = ((frame["y"] == 1) & (np.arange(400) % 9 == 0)).astype(int)
    return frame.assign(state=[f"S{at % 25:02d}" for at in range(400)])


def marks(axes: Axes, at: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Of one group of marks: (n, 2) where they are, (m, 2, 2) where the bars that are there begin and end."""
    line, _, (bars,) = axes.containers[at]
    return line.get_xydata(), np.array([segment for segment in bars.get_segments() if len(segment)])


def test_coefficients_stand_where_the_estimates_are(data: pd.DataFrame) -> None:
    fits = [fit(MODEL, data), fit(MODEL.with_(name="second", add=["flag"]), data)]
    axes = coefficient_plot(fits)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b", "a × b", "flag"]
    assert len(axes.containers) == 2
    for at, found in enumerate(fits):
        table = estimates(found).set_index("term").reindex(["a", "b", "a:b", "flag"])
        where, bars = marks(axes, at)
        assert np.allclose(where[:, 0], table["estimate"], equal_nan=True)
        there = table["estimate"].notna()
        assert there.sum() == 3
        assert np.allclose(bars[:, 0, 0], table.loc[there, "conf_low"])
        assert np.allclose(bars[:, 1, 0], table.loc[there, "conf_high"])
        assert np.allclose(np.round(where[there, 1]), [0, 1, 2]) and np.allclose(
            bars[:, 0, 1], where[there, 1]
        )
    said = [text.get_text() for text in axes.texts]
    assert said == ["none: separated (+)"] and axes.texts[0].xy[1] == pytest.approx(3, abs=0.4)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["first", "second"]
    assert axes.get_xlabel().startswith("Log odds for one unit")
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first term is on top"


def test_terms_are_chosen_and_axes_are_those_given(data: pd.DataFrame) -> None:
    given = matplotlib.figure.Figure().subplots()
    found = fit(MODEL.with_(estimator="lpm"), data)
    axes = coefficient_plot(found, terms=["b", "Intercept"], ax=given)
    assert axes is given and axes.get_legend() is None
    table = estimates(found).set_index("term")["estimate"]
    assert np.allclose(marks(axes)[0], [[table["b"], 0], [table["Intercept"], 1]])
    assert axes.get_xlabel().startswith("Probability for one unit")
    with pytest.raises(ModelError, match=r"no axis holds both"):
        coefficient_plot([found, fit(MODEL, data)])
    with pytest.raises(ModelError, match=r"No fit has a term 'aa'"):
        coefficient_plot(found, terms=["aa"])
    with pytest.raises(ModelError, match=r"9 models in one picture; at most 8"):
        coefficient_plot([found] * 9)


def test_marginal_effects_are_drawn_in_percentage_points(data: pd.DataFrame) -> None:
    found = fit(MODEL, data)
    effects = average_marginal_effects(found, data, "sd")
    for axes in (marginal_effects_plot(found, data, per="sd"), marginal_effects_plot(effects, per="sd")):
        where, bars = marks(axes)
        assert np.allclose(where, np.column_stack([100 * effects["estimate"], [0, 1]]))
        assert np.allclose(bars[:, :, 0], 100 * effects[["conf_low", "conf_high"]])
        assert axes.get_xlabel().endswith("one standard deviation more")
    both = marginal_effects_plot({"all": effects, "half": effects.assign(estimate=0.0, conf_low=-1).iloc[:1]})
    assert np.isnan(marks(both, 1)[0][1, 0]) and marks(both, 1)[0][0, 0] == 0
    with pytest.raises(ModelError, match="Nearest: 'sd'"):
        marginal_effects_plot(effects, per="sds")
    with pytest.raises(ModelError, match="the frame that was fitted"):
        marginal_effects_plot(found)
    with pytest.raises(DataError, match="the limits of 'a' do not hold its estimate"):
        marginal_effects_plot(effects.assign(estimate=-9.0))
    with pytest.raises(
        ModelError, match=r"no column 'conf_low'.*Give what `average_marginal_effects` returned"
    ):
        marginal_effects_plot(effects.drop(columns="conf_low"))


def test_calibration_is_that_of_the_rows(data: pd.DataFrame) -> None:
    p = leave_one_state_out(MODEL, data)
    p.iloc[3] = np.nan
    axes = calibration_plot(p, data["y"], groups=data["state"], bins=8)
    there = p.notna()
    codes = pd.factorize(data.loc[there, "state"], sort=True)[0]
    curve = calibration_curve(
        data.loc[there, "y"].to_numpy(float), p[there].to_numpy(), codes, resampled(25), 8
    )
    line, _, (bars,) = axes.containers[0]
    assert np.allclose(line.get_xydata(), curve[["predicted", "observed"]]) and len(curve) == 8
    ends = np.array(bars.get_segments())[:, :, 1]
    assert np.allclose(ends[:, 0], np.minimum(curve["conf_low"], curve["observed"]))
    assert np.allclose(ends[:, 1], np.maximum(curve["conf_high"], curve["observed"]))
    assert axes.lines[0].get_xydata().tolist() == [[0, 0], [1, 1]]
    again = calibration_plot(curve)
    assert np.allclose(again.containers[0][0].get_xydata(), curve[["predicted", "observed"]])
    bare = calibration_plot(p, data["y"], bins=8)
    assert np.allclose(bare.containers[0][0].get_xydata(), curve[["predicted", "observed"]])
    assert marks(bare)[0].shape == (8, 2) and not len(marks(bare)[1])
    for wrong, why in (
        ((p, None), "observed is to be a Series"),
        ((p, data["y"].iloc[1:]), "another index"),
        ((p + 1, data["y"]), "between 0 and 1"),
        ((p, data["a"]), "between 0 and 1"),
    ):
        with pytest.raises(DataError, match=why):
            calibration_plot(*wrong)


def test_a_specification_curve_is_sorted_and_coloured(data: pd.DataFrame) -> None:
    curve = specification_curve(data.assign(flat=1), "y", "a", ["b", "flag", "flat"], cluster="state")
    axes = specification_curve_plot(curve)
    fine = curve[curve["status"] == "ok"].sort_values("estimate")
    assert 0 < len(fine) < len(curve)
    points = np.concatenate([line.get_xydata() for line in axes.lines[:3]])
    points = points[np.argsort(points[:, 0])]
    assert np.allclose(points, np.column_stack([np.arange(len(fine)), fine["estimate"]]))
    above = axes.lines[1].get_xydata()[:, 1]
    clear = fine.loc[(fine["p_value"] < 0.05) & (fine["estimate"] > 0), "estimate"]
    assert np.allclose(above, clear) and len(clear)
    assert axes.get_title() == f"{len(fine)} specifications, {len(curve) - len(fine)} more without a number"
    below = axes.figure.axes[1]
    image = below.images[0].get_array()
    held = np.array([[name in row for row in fine["controls"]] for name in ("b", "flag", "flat")])
    assert np.array_equal(np.asarray(image) > 0, held)
    given = matplotlib.figure.Figure().subplots()
    assert specification_curve_plot(curve, ax=given) is given and len(given.figure.axes) == 1
    with pytest.raises(DataError, match=r"no specification has a number \(absent\)"):
        specification_curve_plot(curve.assign(status="absent"))


def test_a_map_fills_the_counties_that_are_listed() -> None:
    counties = load_panel("county").iloc[::-1]
    axes = listing_map(counties)
    fills = [to_hex(colour).upper() for colour in axes.collections[0].get_facecolors()]
    assert fills.count(FILL["listed"]) == counties["is_listed"].sum() > 300
    assert len(fills) == len(counties)
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert f"county listed ({int(counties['is_listed'].sum())})" in words
    assert f"state listed ({counties.loc[counties['is_in_listed_state'] == 1, 'state'].nunique()})" in words


def test_a_map_of_another_column_names_it_and_what_is_missing() -> None:
    counties = load_panel("county")
    gaps = counties.assign(has_287g=counties["has_287g"].where(counties["state"] != "TX"))
    axes = listing_map(gaps, "has_287g", outline=None)
    fills = [to_hex(colour).upper() for colour in axes.collections[0].get_facecolors()]
    assert fills.count(FILL["no data"]) == (counties["state"] == "TX").sum()
    assert fills.count(FILL["listed"]) == (gaps["has_287g"] == 1).sum() > 50
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert any(word.startswith("no data (") for word in words) and not any("state" in word for word in words)
    assert axes.get_title().replace("\n", " ") == label("has_287g")
    with pytest.raises(ModelError, match=r"holds 0\.\d+; 0 and 1 can be drawn"):
        listing_map(counties, "democratic_share_2024")
    with pytest.raises(ModelError, match="Nearest: 'is_listed'"):
        listing_map(counties, "is_lissted")
    with pytest.raises(DataError, match=r"no code of a county: '01'.*load_panel\('county'\)"):
        listing_map(load_panel("state"))


def test_names_are_shown_letter_by_letter(data: pd.DataFrame) -> None:
    """No mathematics between dollars, and no model that vanishes from the legend."""
    named = data.rename(columns={"b": "cost $x_1$ or $y^{$"})
    fits = [fit(Model(name, "y", ["a", "cost $x_1$ or $y^{$"]), named) for name in ("_own $z^{$", "plain")]
    axes = coefficient_plot(fits)
    axes.figure.canvas.draw()
    assert [text.get_text().strip() for text in axes.get_legend().get_texts()] == [r"_own \$z^{\$", "plain"]
    assert axes.get_yticklabels()[1].get_text() == r"cost \$x_1\$ or \$y^{\$"
    curve = specification_curve(named, "y", "a", ["cost $x_1$ or $y^{$"])
    specification_curve_plot(curve).figure.canvas.draw()


def test_a_limit_without_end_runs_to_the_edge(data: pd.DataFrame) -> None:
    effects = average_marginal_effects(fit(MODEL, data), data).assign(conf_high=[np.inf, 0.9])
    axes = marginal_effects_plot(effects)
    where, bars = marks(axes)
    assert len(bars) == 2 and bars[0, 1, 0] > bars[1, 1, 0] == 90 and np.isfinite(where).all()
    heads = [line for line in axes.lines if line.get_marker() == ">"]
    assert [line.get_xydata().tolist() for line in heads] == [[[bars[0, 1, 0], 0.0]]]


def test_several_fits_by_name_have_their_effects_computed(data: pd.DataFrame) -> None:
    found = fit(MODEL, data)
    effects = average_marginal_effects(found, data, "sd")
    axes = marginal_effects_plot({"one": found, "two": effects}, data, per="sd")
    assert np.allclose(marks(axes, 0)[0][:, 0], marks(axes, 1)[0][:, 0]) and len(effects) == 2
    with pytest.raises(ModelError, match="the frame that was fitted"):
        marginal_effects_plot({"one": found})


def test_what_cannot_be_drawn_is_told(data: pd.DataFrame) -> None:
    found = fit(MODEL, data)
    effects = average_marginal_effects(found, data)
    counties = load_panel("county").iloc[:3]
    curve = pd.DataFrame({"predicted": [0.1], "observed": [0.2]})
    assert len(coefficient_plot(found, terms="b").get_yticklabels()) == 1
    grid = matplotlib.figure.Figure().subplots(1, 2)
    for call, why in (
        (lambda: coefficient_plot(found, ax=grid), "one axes of matplotlib, not ndarray"),
        (lambda: coefficient_plot(found, ax=grid[0].figure), "one axes of matplotlib, not Figure"),
        (lambda: coefficient_plot(found, terms=[]), "No term to draw"),
        (lambda: marginal_effects_plot({}), "No term to draw"),
        (lambda: marginal_effects_plot(pd.concat([effects, effects])), "'a' is there twice"),
        (lambda: marginal_effects_plot(effects.assign(estimate="x")), "holds no numbers"),
        (lambda: calibration_plot(curve * 9), "shares from 0 to 1"),
        (lambda: calibration_plot(curve.iloc[:0]), "has rows"),
        (lambda: calibration_plot(curve.assign(observed="x")), "holds no numbers"),
        (lambda: calibration_plot(curve.rename(columns={"observed": "observd"})), "Nearest: 'observd'"),
        (lambda: listing_map(pd.concat([counties, counties])), "'01001' is there twice"),
        (lambda: listing_map(counties.iloc[:0]), "no row is a county of the map"),
        (lambda: listing_map(counties.set_axis(["99998", "99999", "72001"])), "'99998' is none"),
    ):
        with pytest.raises((DataError, ModelError), match=why):
            call()

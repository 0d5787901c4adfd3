"""Measures on generated data with known probabilities, importance, dominance, list errors, ranks."""

import doctest

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.errors import ModelError
from analysis.models import Model, average_marginal_effects, fit
from analysis.models.prediction import dominance, metrics, misclassified, predict_held_out
from analysis.models.prediction.dominance import dominance_table, general_dominance
from analysis.models.prediction.evaluation import calibration_curve, in_sample, measure, resampled
from analysis.models.prediction.held_out import select
from analysis.models.prediction.importance import permutation_importance
from analysis.models.prediction.judged import judge
from analysis.models.prediction.list_error import flipped, headlines, list_error_table, values
from tests.models.prediction.conftest import known

MODEL = Model("m", "listed", ["x", "z", "noise"])


def test_examples():
    for module in (metrics, dominance):
        assert doctest.testmod(module).attempted > 0 and not doctest.testmod(module).failed


def test_calibration_is_recovered(truth):
    y, p = truth["listed"].to_numpy(float), truth["p"].to_numpy()
    large, slope = metrics.calibration(y, p)
    assert abs(large) < 0.1 and abs(slope - 1) < 0.1
    found = predict_held_out(MODEL, truth).probability.to_numpy()
    assert np.abs(found - p).mean() < 0.02
    large, slope = metrics.calibration(y, found)
    assert abs(large) < 0.1 and abs(slope - 1) < 0.12
    # probabilities twice too far out on the scale of log odds have half the slope
    wild = expit(2 * np.log(p / (1 - p)))
    assert metrics.calibration(y, wild)[1] == pytest.approx(metrics.calibration(y, p)[1] / 2, rel=1e-6)
    codes = pd.factorize(truth["state"])[0]
    curve = calibration_curve(y, p, codes, resampled(40, 200))
    assert curve["rows"].sum() == len(y) and len(curve) == 10
    inside = curve["predicted"].between(curve["conf_low"], curve["conf_high"])
    assert inside.sum() >= 8


def test_limits_cover_the_true_worth():
    covered, estimates = [], []
    many = known(99, states=400)
    target = metrics.auc(many["listed"].to_numpy(float), many["p"].to_numpy())
    for seed in range(20):
        data = known(seed)
        y, p = data["listed"].to_numpy(float), data["p"].to_numpy()
        codes = pd.factorize(data["state"])[0]
        table = measure(y, p, np.full(len(y), y.mean()), codes, 40, resampled(40, 200)).set_index("metric")
        assert table.loc["calibration_slope", "conf_low"] < table.loc["calibration_slope", "conf_high"]
        covered.append(table.loc["auc", "conf_low"] <= target <= table.loc["auc", "conf_high"])
        estimates.append(table.loc["auc", "estimate"])
    assert sum(covered) >= 16 and abs(np.mean(estimates) - target) < 0.02


def test_measures_by_their_definitions(truth):
    y, p = truth["listed"].to_numpy(float), truth["p"].round(2).clip(0.01, 0.99).to_numpy()  # with ties
    codes = pd.factorize(truth["state"])[0]
    pairs = [
        (1.0 if a > b else 0.5 if a == b else 0.0, s == t)
        for a, s in zip(p[y == 1][:200], codes[y == 1][:200], strict=True)
        for b, t in zip(p[y == 0][:200], codes[y == 0][:200], strict=True)
    ]
    some = np.r_[np.flatnonzero(y == 1)[:200], np.flatnonzero(y == 0)[:200]]
    assert metrics.auc(y[some], p[some]) == pytest.approx(np.mean([each for each, _ in pairs]), abs=1e-12)
    own = np.mean([each for each, same in pairs if same])
    assert metrics.within_auc(y[some], p[some], codes[some]) == pytest.approx(own, abs=1e-12)
    averaged = np.mean([metrics.auc(y[codes == code], p[codes == code]) for code in range(40)])
    assert metrics.averaged_auc(y, p, codes) == pytest.approx(averaged, abs=1e-12)
    # drawing states: the AUC of a sample is that of its rows, repeated
    counts = resampled(40, 3, seed=7)
    right, number = metrics.concordance(y, p, codes, 40)
    for draw in counts:
        repeat = np.repeat(np.arange(len(y)), draw[codes].astype(int))
        assert draw @ right @ draw / (draw @ number @ draw) == pytest.approx(
            metrics.auc(y[repeat], p[repeat])
        )
        large, slope = metrics.slopes_many(np.log(p / (1 - p)), y, draw[None, codes])
        expected = metrics.calibration(y[repeat], p[repeat])
        assert (large[0], slope[0]) == pytest.approx(expected, abs=1e-6)


def test_measures_that_do_not_exist_are_empty():
    ones, p = np.ones(4), np.array([0.1, 0.2, 0.3, 0.4])
    assert np.isnan(metrics.auc(ones, p)) and np.isnan(metrics.calibration(ones, p)).all()
    assert np.isnan(metrics.calibration(np.array([0, 0, 1, 1.0]), p)[1])  # separated
    assert metrics.log_loss(np.array([1.0, 0.0]), np.array([0.0, 0.5])) == np.inf
    with pytest.raises(ModelError, match="two rows of each"):
        metrics.delong(np.array([0, 0, 0, 1.0]), p)


def test_in_sample_is_the_fit(frame):
    model = Model("m", "listed", ["x", "dummy"])
    np.testing.assert_allclose(in_sample(select(model, frame)), fit(model, frame).fitted, atol=1e-10)


def test_a_noise_column_has_no_importance(truth):
    data = truth.assign(flat=[int(state[1:]) % 2 for state in truth["state"]])
    found = predict_held_out(MODEL.with_(add=["flat"]), data)
    sets = {"x": ("x",), "noise": ("noise",), "both": ("x", "z"), "flat": ("flat",)}
    table = permutation_importance(found, data, sets, resampled(40, 300), seed=1)
    table = table.set_index(["set", "metric"])
    for metric in ("log_loss", "auc_within"):
        noise, x, both = (table.loc[(name, metric)] for name in ("noise", "x", "both"))
        assert noise["conf_low"] <= 0 <= noise["conf_high"]
        assert x["conf_low"] > 0 and both["estimate"] > x["estimate"] and x["states"] == 40
        assert np.isnan(table.loc[("flat", metric), "estimate"])
        assert (
            table.loc[("flat", metric), "note"].startswith("n/a")
            and table.loc[("flat", metric), "states"] == 0
        )


def test_states_where_a_column_is_constant_have_no_part_in_its_importance(truth):
    some = truth["state"] < "S20"
    data = truth.assign(x=truth["x"].where(some, 0.0))
    found = predict_held_out(MODEL, data)
    table = permutation_importance(found, data, {"x": ("x",)}, resampled(40, 50), seed=1)
    assert (table["states"] == 20).all()


def test_dominance_sums_to_the_whole_and_finds_noise(truth):
    rows = select(MODEL, truth)
    blocks = {"signal": ("x", "z"), "noise": ("noise",)}
    table = dominance_table(rows, blocks, 200, 1).set_index(["measure", "block"])
    for measure_ in ("mcfadden_r2", "held_out_log_loss"):
        part = table.loc[measure_, "estimate"]
        assert part["signal"] + part["noise"] == pytest.approx(part["all"], abs=1e-12)
        assert part["signal"] > 20 * abs(part["noise"])
    null = fit(MODEL.with_(covariates=[]), truth).log_likelihood
    whole = 1 - fit(MODEL, truth).log_likelihood / null
    assert table.loc[("mcfadden_r2", "all"), "estimate"] == pytest.approx(whole, abs=1e-10)
    noise = table.loc[("held_out_log_loss", "noise")]
    assert noise["conf_low"] <= 0.0005 and noise["estimate"] < 0.0005
    with pytest.raises(ModelError, match="each term needs one block"):
        dominance_table(rows, {"signal": ("x",)}, 10, 1)
    with pytest.raises(ModelError, match="every subset"):
        general_dominance(np.zeros(3))


def test_known_error_rates_are_undone():
    data = known(5, states=60, size=200)
    rng = np.random.default_rng(0)
    y = data["listed"].to_numpy(float)
    wrong = rng.random(len(y)) < np.where(y == 1, 0.2, 0.03)
    recorded = np.where(wrong, 1 - y, y)
    X = np.column_stack([np.ones(len(y)), data["x"], data["z"]])
    naive = fit(MODEL.with_(drop=["noise"]), data.assign(listed=recorded.astype(int))).coefficients
    mended = misclassified.maximise(X, recorded, 0.03, 0.2, naive)
    assert abs(naive[1]) < 0.85 and mended[1] == pytest.approx(1.0, abs=0.12)
    assert mended[2] == pytest.approx(-0.7, abs=0.12)
    for rates in ((-0.1, 0), (0.6, 0.5)):
        with pytest.raises(ModelError, match="neither may be negative"):
            misclassified.maximise(X, recorded, *rates, naive)


def counties(seed=2):
    data = known(seed, states=20, size=60)
    rng = np.random.default_rng(seed)
    listed = data["state"].isin(["S00", "S01", "S02", "S03", "S04", "S05", "S06", "S07", "S08"])
    return data.assign(
        is_listed=data["listed"], is_in_listed_state=listed.astype(int), population=rng.lognormal(9, 2, len(data)),
        democratic_share_2024=data["x"], other_printing=data["listed"],
    )  # fmt: skip


def test_headlines_are_those_of_the_models():
    data = counties()
    model = Model("main", "is_listed", ["democratic_share_2024", "z", "democratic_share_2024:z"])
    what = headlines(model, model, data)
    found = values(what, data[["is_listed"]].to_numpy(float).T, np.ones(len(data), bool))
    for sample, query in (("all counties", None), ("counties of listed states", "is_in_listed_state == 1")):
        effects = average_marginal_effects(fit(model.with_(sample=query), data), data, per="sd").set_index(
            "term"
        )
        expected = effects.loc["democratic_share_2024", "estimate"]
        assert found["democratic_share_2024", sample][0] == pytest.approx(expected, abs=1e-9)
    held = predict_held_out(model, data).probability.to_numpy()
    assert found["auc", "all counties"][0] == pytest.approx(
        metrics.auc(data["is_listed"].to_numpy(float), held), abs=1e-9
    )


def test_list_errors_move_headlines_in_one_table():
    data = counties()
    data.loc[data.index[:3], "other_printing"] = 1 - data.loc[data.index[:3], "other_printing"]
    model = Model("main", "is_listed", ["democratic_share_2024", "z"])
    dropped = {"documented errors": set(data.index[data["is_listed"] == 1][:5])}
    table = list_error_table(
        headlines(model, model, data), data, "is_listed", dropped, {"first": "other_printing"}, 1
    )
    assert set(table["scenario"]) == {
        "as printed",
        "entries dropped",
        "another printing",
        "random flips",
        "known error rates",
    }
    assert (table.loc[table["scenario"] == "as printed", "change"] == 0).all()
    same = table[table["detail"] == "false positives 0, false negatives 0"]
    assert len(same) and same["change"].abs().max() < 1e-7
    auc = table[(table["headline"] == "auc") & table["detail"].str.contains("every size")][
        "estimate"
    ].tolist()
    assert len(auc) == 3 and auc[0] > auc[1] > auc[2]  # more errors, less order
    assert (table.loc[table["scenario"] == "entries dropped", "note"] == "5 listed counties left out").all()
    assert (table.loc[table["scenario"] == "another printing", "note"] == "3 counties differ").all()


def test_flips_stay_in_their_stratum():
    y, stratum = np.zeros(100), np.arange(100) < 40
    draws = flipped(y, stratum, 0.1, 30, [1])
    assert (draws[:, :40].sum(axis=1) == 4).all() and not draws[:, 40:].any()
    assert len({tuple(row) for row in draws}) > 20


def test_doubtful_entries_are_judged_against_chance():
    rng = np.random.default_rng(0)
    scores = pd.DataFrame({"model": rng.random(200)}, index=[f"{code:05d}" for code in range(200)])
    early = set(scores["model"].nsmallest(8).index) | {scores["model"].idxmax()}
    vote = pd.Series(rng.random(200), scores.index)
    members = {"early": early, "random": set(scores.index[:20]), "nobody": set()}
    table = judge(scores, members, vote)
    found = table[(table["kind"] == "early") & (table["measure"] == "recall")].set_index("k")
    assert found.loc[10, "value"] == pytest.approx(8 / 9) and found.loc[10, "expected"] == pytest.approx(0.05)
    assert found.loc[10, "p_value"] < 1e-6
    rank = table[table["measure"] == "mean_rank"].set_index("kind")
    assert rank.loc["early", "value"] < rank.loc["early", "low"] and rank.loc["random", "p_value"] > 0.01
    assert (table.loc[table["kind"] == "nobody", "measure"] == "none of them was predicted").all()

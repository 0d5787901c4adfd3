"""Known truths come back, independent routes agree, and what must not matter does not."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from linearmodels.panel import PanelOLS
from scipy import stats
from scipy.optimize import brentq, minimize
from scipy.special import expit

from analysis.errors import ModelError
from analysis.models import Model, estimates, firth, fit, load_model, logit, lpm
from analysis.models.cluster import correction, effective_clusters, kish
from analysis.models.design import design
from analysis.models.fitting import sound_fit
from analysis.models.results import CONDITION_LIMIT
from analysis.panel import load_panel
from analysis.provenance import read_param

LOGIT = Model("m", "listed", ["x", "dummy", "x:share"], cluster="state")
LPM = LOGIT.with_(estimator="lpm")
FIRTH = LOGIT.with_(estimator="firth", cluster=None)
NUMBERS = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]


def exog(frame):
    return np.column_stack([np.ones(len(frame)), frame[["x", "dummy"]], frame["x"] * frame["share"]])


def agree(found, params, errors):
    np.testing.assert_allclose(found.coefficients[: len(params)], params, atol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance))[: len(params)], errors, atol=1e-6)


@pytest.mark.parametrize("estimator", ["logit", "firth"])
def test_known_coefficients_come_back(generate, estimator):
    """The mean of 20 estimates lies within three of its standard errors of the truth."""
    truth = pd.Series({"Intercept": -1.0, "x": 0.8, "dummy": -0.5, "x:share": 0.3})
    model = LOGIT.with_(estimator=estimator)
    frames = [generate(seed=100 + draw, states=60, size=60) for draw in range(20)]
    found = pd.DataFrame({draw: pd.Series(recover(model, frame)) for draw, frame in enumerate(frames)}).T
    assert len(found) == 20 and set(found.columns) == set(truth.index)
    error = found.std() / np.sqrt(20)
    assert (error < 0.1).all() and (abs(found.mean() - truth) < 3 * error).all()


def recover(model, frame):
    arrays = design(model, frame)
    solve = logit.maximise if model.estimator == "logit" else lambda X, y: firth.maximise(X, y)[0]
    return dict(zip(arrays.names, solve(arrays.X, arrays.y), strict=True))


def test_known_slopes_of_an_lpm_with_effects_come_back(generate):
    frame = generate(seed=12, states=40, size=100)
    rng = np.random.default_rng(5)
    level = rng.uniform(0.2, 0.5, 40)[frame["state"].str[1:].astype(int)]
    p = np.clip(level + 0.05 * np.clip(frame["x"], -3, 3) + 0.1 * frame["dummy"], 0, 1)
    frame["listed"] = (rng.random(len(frame)) < p).astype(int)
    model = Model("m", "listed", ["x", "dummy"], "lpm", fixed_effects="state", cluster="state")
    rows = estimates(fit(model, frame)).set_index("term")
    assert abs(rows.loc["x", "estimate"] - 0.05) < 3 * rows.loc["x", "std_error"] < 0.05
    assert abs(rows.loc["dummy", "estimate"] - 0.1) < 3 * rows.loc["dummy", "std_error"] < 0.1


def test_coverage_with_clusters():
    """Of 200 intervals for a slope in clustered data, close to 95 % hold the truth."""
    held = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        state = np.repeat(np.arange(40), 20)
        x = rng.normal(size=800) + rng.normal(size=40)[state]
        y = 2 * x + rng.normal(size=800) + rng.normal(size=40)[state]
        model = Model("m", "y", ["x"], "lpm", cluster="s")
        row = estimates(fit(model, pd.DataFrame({"y": y, "x": x, "s": state}))).iloc[1]
        held.append(row["conf_low"] <= 2 <= row["conf_high"])
    assert len(held) == 200 and 0.90 <= np.mean(held) <= 0.99


def test_logit_agrees_with_statsmodels(frame):
    plain = sm.Logit(frame["listed"], exog(frame)).fit(disp=0, tol=1e-12)
    agree(fit(LOGIT.with_(cluster=None), frame), plain.params, plain.bse)
    groups = pd.factorize(frame["state"])[0]
    clustered = sm.Logit(frame["listed"], exog(frame)).fit(
        disp=0, tol=1e-12, cov_type="cluster", cov_kwds={"groups": groups}
    )
    found = fit(LOGIT, frame)
    agree(found, clustered.params, clustered.bse)
    assert found.log_likelihood == pytest.approx(clustered.llf, abs=1e-8)
    row = estimates(found).iloc[1]
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(row["statistic"]), 29), abs=1e-12)
    reach = stats.t.ppf(0.975, 29) * row["std_error"]
    assert row["conf_high"] - row["estimate"] == pytest.approx(reach, abs=1e-12)


def test_logit_with_effects_agrees_with_dummies(frame):
    dummies = pd.get_dummies(frame["region"]).to_numpy(float)
    X = np.column_stack([exog(frame)[:, 1:], dummies])
    clustered = sm.Logit(frame["listed"], X).fit(
        disp=0, tol=1e-12, cov_type="cluster", cov_kwds={"groups": pd.factorize(frame["state"])[0]}
    )
    found = fit(LOGIT.with_(fixed_effects="region"), frame)
    agree(found, clustered.params, clustered.bse)
    assert found.terms[-4:] == ("region=R0", "region=R1", "region=R2", "region=R3")


def test_least_squares_agrees_with_statsmodels(frame):
    white = sm.OLS(frame["listed"], exog(frame)).fit(cov_type="HC1")
    agree(fit(LPM.with_(cluster=None), frame), white.params, white.bse)
    groups = pd.factorize(frame["state"])[0]
    options = {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
    clustered = sm.OLS(frame["listed"], exog(frame)).fit(**options)
    found = fit(LPM, frame)
    agree(found, clustered.params, clustered.bse)
    assert found.log_likelihood == pytest.approx(clustered.llf, abs=1e-8)
    weighted = sm.WLS(frame["listed"], exog(frame), weights=frame["population"]).fit(**options)
    found = fit(LPM.with_(weights="population"), frame)
    agree(found, weighted.params, weighted.bse)
    assert found.log_likelihood == pytest.approx(weighted.llf, abs=1e-6)


@pytest.mark.parametrize("weights", [None, "population"])
@pytest.mark.parametrize("effects", [("state",), ("state", "region2"), ("region", "region2")])
def test_absorbed_effects_agree_with_dummies(frame, weights, effects):
    frame["region2"] = np.random.default_rng(6).integers(0, 5, len(frame))
    model = LPM.with_(fixed_effects=effects, weights=weights)
    found = fit(model, frame)
    dummies = [pd.get_dummies(frame[name]).to_numpy(float) for name in effects]
    X = np.column_stack([exog(frame)[:, 1:], dummies[0], *(block[:, 1:] for block in dummies[1:])])
    root = np.sqrt(frame["population"].to_numpy() if weights else np.ones(len(frame)))
    whole = sm.OLS(frame["listed"] * root, X * root[:, None]).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(frame["state"])[0]}
    )
    n, k = X.shape
    nested = 29 if effects[0] == "state" else 0
    factor = np.sqrt((n - k) / (n - (k - nested)))
    agree(found, whole.params[:3], whole.bse[:3] * factor)
    residuals = (frame["listed"] - X @ whole.params).to_numpy()
    np.testing.assert_allclose(frame["listed"] - found.fitted, residuals, atol=1e-8)


def test_absorbed_effects_agree_with_panel_least_squares(frame):
    panel = frame.assign(product=frame["x"] * frame["share"], position=range(len(frame)))
    panel = panel.set_index(["state", "position"])
    other = PanelOLS(panel["listed"], panel[["x", "dummy", "product"]], entity_effects=True).fit(
        cov_type="clustered", cluster_entity=True, group_debias=True
    )
    found = fit(LPM.with_(fixed_effects="state"), frame)
    n, k = found.n, 3
    ours = np.sqrt(np.diag(found.covariance)) / np.sqrt((n - 1) / (n - k - 1))
    theirs = other.std_errors.to_numpy()
    np.testing.assert_allclose(found.coefficients, other.params, atol=1e-8)
    ratio = ours / theirs
    assert ratio.std() < 1e-6 and abs(ratio[0] - 1) < 0.01


def test_weights_of_a_logit_are_repetitions(frame):
    frame["times"] = np.random.default_rng(7).integers(1, 4, len(frame))
    repeated = frame.loc[frame.index.repeat(frame["times"])]
    weighted = fit(LOGIT.with_(weights="times"), frame)
    whole = fit(LOGIT, repeated)
    np.testing.assert_allclose(weighted.coefficients, whole.coefficients, atol=1e-8)
    k = len(weighted.terms)
    ratio = correction(len(frame), k, 30) / correction(len(repeated), k, 30)
    np.testing.assert_allclose(weighted.covariance, whole.covariance * ratio, rtol=1e-8)
    robust = fit(LOGIT.with_(weights="times", cluster=None), frame)
    assert robust.clusters is None and np.isfinite(robust.covariance).all()


def test_firth_agrees_with_a_plain_maximiser(frame):
    small = frame.iloc[:60]
    found = fit(FIRTH.with_(drop=["x:share"]), small)
    X, y = exog(small)[:, :3], small["listed"].to_numpy()

    def loss(beta):
        p = expit(X @ beta)
        information = X.T @ (X * (p * (1 - p))[:, None])
        return -(np.log(np.where(y == 1, p, 1 - p)).sum() + np.linalg.slogdet(information)[1] / 2)

    best = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(found.coefficients, best.x, atol=1e-6)
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-9)

    def ratio(value, j):
        others = [i for i in range(3) if i != j]
        start = best.x[others]

        def held(rest):
            beta = np.empty(3)
            beta[others], beta[j] = rest, value
            return loss(beta)

        return 2 * (minimize(held, start, method="BFGS", options={"gtol": 1e-9}).fun - best.fun)

    cut = stats.chi2.ppf(0.95, 1)
    for j in range(3):
        low = brentq(lambda value, j=j: ratio(value, j) - cut, best.x[j] - 8, best.x[j], xtol=1e-10)
        high = brentq(lambda value, j=j: ratio(value, j) - cut, best.x[j], best.x[j] + 8, xtol=1e-10)
        assert found.inference.conf_low[j] == pytest.approx(low, abs=1e-6)
        assert found.inference.conf_high[j] == pytest.approx(high, abs=1e-6)
        assert found.inference.p_value[j] == pytest.approx(stats.chi2.sf(ratio(0.0, j), 1), abs=1e-8)


def test_firth_settles_on_a_row_of_leverage_one():
    """One row alone in its cell: half an event is added to each of its two outcomes."""
    data = pd.DataFrame({"y": [1] + [0, 1] * 7, "alone": [1] + [0] * 14})
    found = fit(Model("m", "y", ["alone"], "firth"), data)
    assert found.coefficients == pytest.approx([0, np.log(1.5 / 0.5)], abs=1e-9)


def test_a_covariate_far_from_zero_is_no_obstacle(frame):
    """The unit's origin moves the intercept and nothing else."""
    moved = frame.assign(x=frame["x"] + 1e6)
    for model in (LOGIT, LPM, FIRTH):
        model = model.with_(drop=["x:share"])
        expected, found = (estimates(fit(model, data)).set_index("term") for data in (frame, moved))
        np.testing.assert_allclose(
            found.loc["x", NUMBERS], expected.loc["x", NUMBERS].astype(float), rtol=1e-5
        )


def test_firth_says_that_clusters_do_not_count(frame):
    rows = estimates(fit(FIRTH.with_(cluster="state"), frame))
    assert rows["clusters"].isna().all() and len(rows) == 4
    assert rows["note"].str.contains(r"take no account of clusters \(state\)").all()
    assert (estimates(fit(FIRTH, frame))["note"] == "").all()


def test_firth_with_effects_keeps_groups_without_variation(frame):
    frame.loc[frame["state"] == "S00", "listed"] = 0
    found = fit(FIRTH.with_(fixed_effects="state", drop=["x:share"]), frame)
    assert found.n == len(frame) and len(estimates(found)) == 2
    assert np.isfinite(found.coefficients).all()
    assert found.fitted.mean() == pytest.approx(frame["listed"].mean(), abs=1e-10)


def test_a_limit_out_of_reach_is_infinite(monkeypatch):
    data = pd.DataFrame({"x": [0.0, 0, 0, 1, 1, 1], "y": [0, 1, 0, 1, 1, 1]})
    model = Model("m", "y", ["x"], "firth")
    row = estimates(fit(model, data)).iloc[1]
    assert np.isfinite(row["conf_high"])
    monkeypatch.setattr(firth, "FAR", 2.0)
    row = estimates(fit(model, data)).iloc[1]
    assert row["conf_high"] == np.inf and np.isfinite(row["conf_low"])


def test_a_threshold_with_a_narrow_margin_has_firth_limits():
    x = np.r_[np.linspace(-1, -1e-3, 20), np.linspace(1e-3, 1, 20)]
    found = fit(Model("m", "y", ["x"], "firth"), pd.DataFrame({"x": x, "y": (x > 0).astype(int)}))
    row = estimates(found).iloc[1]
    assert 0 < row["conf_low"] < row["estimate"] < row["conf_high"] <= np.inf


def test_newton_says_when_there_is_no_maximum():
    x = np.arange(10.0)
    with pytest.raises(ModelError, match="did not converge"):
        logit.maximise(np.column_stack([np.ones(10), x]), (x > 4.5).astype(float), steps=15)


def test_effective_clusters():
    codes = np.repeat(np.arange(10), 20)
    ones = np.ones((200, 1))
    assert effective_clusters(ones, codes) == pytest.approx([10.0])
    treated = (codes < 2).astype(float)[:, None]
    found = effective_clusters(np.column_stack([ones, treated]), codes)
    assert found[1] == pytest.approx((2 * 0.4**2 + 8 * 0.1**2) ** 2 / (2 * 0.4**4 + 8 * 0.1**4))
    assert kish(np.array([254, 1, 1])) == pytest.approx(256**2 / (254**2 + 2))


def test_the_fit_carries_what_was_used(frame):
    found = fit(LOGIT, frame)
    assert found.converged and found.clusters == 30 and 0 < found.effective_clusters_by_size < 30
    assert found.effective_clusters.shape == (4,) and (found.effective_clusters <= 30).all()
    assert found.degrees_of_freedom == 29
    X = exog(frame)
    weighted = X * np.sqrt(found.fitted * (1 - found.fitted))[:, None]
    assert found.condition_number == pytest.approx(
        np.linalg.cond(weighted / np.linalg.norm(weighted, axis=0))
    )
    assert found.used.sum() == found.n == len(found.rows) == len(found.fitted)


STRATA = LOGIT.with_(estimator="conditional_logit", fixed_effects="state")
EVERY = [LOGIT, LPM, LPM.with_(fixed_effects="state"), FIRTH, STRATA]


@pytest.mark.parametrize("model", EVERY, ids=["logit", "lpm", "lpm_effects", "firth", "strata"])
@settings(max_examples=5, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000), factor=st.floats(0.01, 1000))
def test_order_and_unit_do_not_matter(generate, model, seed, factor):
    frame = generate(seed=3, states=12)
    expected = estimates(fit(model, frame)).set_index("term")[NUMBERS]
    shuffled = frame.sample(frac=1, random_state=seed)
    found = estimates(fit(model, shuffled)).set_index("term")[NUMBERS]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    scaled = estimates(fit(model, frame.assign(dummy=frame["dummy"] * factor))).set_index("term")[NUMBERS]
    in_units = ["estimate", "std_error", "conf_low", "conf_high"]
    scaled.loc["dummy", in_units] = scaled.loc["dummy", in_units] * factor
    np.testing.assert_allclose(scaled, expected, rtol=1e-6, atol=1e-9)


def test_demeaning_takes_out_every_group(frame):
    codes = tuple(pd.factorize(frame[name])[0] for name in ("state", "dummy"))
    inner = lpm.demean(frame[["x", "share"]].to_numpy(), codes)
    for group in codes:
        assert np.abs(pd.DataFrame(inner).groupby(group).mean()).to_numpy().max() < 1e-10


def test_the_cluster_order_does_not_matter(frame):
    arrays = design(LOGIT, frame)
    assert set(arrays.codes) == set(range(30)) and arrays.clusters == 30


@pytest.mark.parametrize("model", [LOGIT, LPM, FIRTH, STRATA], ids=lambda model: model.estimator)
def test_a_fit_with_fewer_exact_digits_than_are_printed_is_told_and_not_published(model, frame):
    near = frame.assign(twin=frame["x"] + 5e-7 * np.sin(np.arange(len(frame))))
    told = fit(model.with_(add=["twin"]), near)
    assert told.condition_number > CONDITION_LIMIT
    assert "so that not all printed digits are exact" in told.notes["x"]
    with pytest.raises(ModelError, match=r"condition number .* is above 1e\+06"):
        sound_fit(model.with_(add=["twin"]), near)
    sound = sound_fit(model, frame)
    assert sound.condition_number < CONDITION_LIMIT and "exact" not in "".join(sound.notes.values())


def test_published_models_lose_no_printed_digit_to_the_order_of_rows():
    """Sums in another order are rounded otherwise: what that moves must stay far from the eighth digit."""
    panel = load_panel("county")
    shuffled = panel.sample(frac=1, random_state=7)
    names = list(read_param("models"))
    assert len(names) > 5
    for name in names:
        one, other = (sound_fit(load_model(name), data) for data in (panel, shuffled))
        k = len(one.terms) - one.effects  # which come in the order of the rows
        for part in ("coefficients", "covariance"):
            here, there = (getattr(each, part)[:k] for each in (one, other))
            here, there = (np.diag(x) if x.ndim == 2 else x for x in (here[..., :k], there[..., :k]))
            np.testing.assert_allclose(there, here, rtol=1e-9, err_msg=f"{name} {part}")

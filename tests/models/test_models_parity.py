"""Numbers computed elsewhere (R and its packages), each row within the tolerance of parity.csv."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.stats
from linearmodels.datasets import mroz
from scipy.optimize import minimize_scalar
from scipy.special import expit

from analysis.models import Model, average_marginal_effects, estimates, firth, fit, logit, lpm
from analysis.models.cluster import clustered_covariance, robust_covariance
from analysis.models.design import design

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
    corrected = firth.flac(arrays.X, arrays.y)
    reference.check("flac_sex2_b0", corrected[0])
    reference.check("flac_sex2_dia", corrected[found.terms.index("dia")])


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

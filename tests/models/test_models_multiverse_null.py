"""Curves under the null: each specification as by itself, shuffled as by hand, and tests that can fail."""

import numpy as np
import pandas as pd
import pytest

from analysis.errors import ModelError
from analysis.models import Model, fit
from analysis.models.bootstrap import drawn, without_effects
from analysis.models.design import design
from analysis.models.multiverse import curve_test, lattice, specification_curve
from analysis.models.multiverse.inference import Tally, compared, p_value
from analysis.models.multiverse.null import permuted, wild
from analysis.models.multiverse.prepare import prepare

CONTROLS = ["dummy", "share", "size"]
STATISTICS = ["median", "share", "stouffer"]


@pytest.fixture(scope="module")
def places(generate):
    data = generate(3)
    return data.assign(size=np.log(data["population"]))


def unrelated(places, seed):
    """An outcome that has the states' own levels and nothing of x."""
    rng = np.random.default_rng(seed)
    level = dict(zip(places["state"].unique(), rng.normal(size=places["state"].nunique()), strict=True))
    return places.assign(listed=(rng.normal(size=len(places)) + places["state"].map(level) > 0).astype(int))


@pytest.mark.parametrize(
    ("estimator", "effects", "weights"),
    [
        ("lpm", (), None),
        ("lpm", ("state",), None),
        ("lpm", (), "population"),
        ("lpm", ("state",), "population"),
        ("logit", (), None),
        ("logit", (), "population"),
        ("logit", ("region",), None),
    ],
)
def test_a_bootstrapped_specification_is_the_one_by_itself(places, estimator, effects, weights):
    options = {"estimator": estimator, "fixed_effects": effects, "weights": weights, "cluster": "state"}
    prepared = prepare(places, "listed", "x", CONTROLS, **options)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(prepared.clusters, 99))
    held, seen = lattice.masks(3), 0
    rows = places.iloc[prepared.rows]
    for block, _, found in wild(prepared, held, signs):
        for number, t in zip(range(block.start, block.stop), found, strict=True):
            names = ("x", *np.array(CONTROLS)[held[number]])
            model = Model("alone", "listed", names, **options)
            alone = fit(model, rows)
            arrays = without_effects(design(model, rows))
            j = alone.terms.index("x")
            expected = drawn(arrays, j, 0.0, alone.coefficients, signs)
            np.testing.assert_allclose(t, expected, rtol=1e-6, atol=1e-8)
            seen += 1
    assert seen == 8


@pytest.mark.parametrize("effects", [(), ("state",)])
@pytest.mark.parametrize("weights", [None, "population"])
def test_a_permuted_curve_is_the_curve_of_shuffled_values(places, effects, weights):
    options = {"fixed_effects": effects, "weights": weights, "cluster": "state"}
    prepared = prepare(places, "listed", "x", CONTROLS, "lpm", **options)
    rows = places.iloc[prepared.rows]
    rng = np.random.default_rng(5)
    curves = list(permuted(prepared, lattice.masks(3), prepared.codes, 3, seed=5))
    assert len(curves) == 3
    for estimate, t in curves:
        order = np.argsort(2.0 * prepared.codes + rng.random(len(rows)))
        assert (rows["state"].to_numpy()[order] == rows["state"].to_numpy()).all()
        shuffled = rows.assign(x=rows["x"].to_numpy()[order])
        expected = specification_curve(shuffled, "listed", "x", CONTROLS, **options)
        np.testing.assert_allclose(estimate, expected["estimate"], rtol=1e-8)
        np.testing.assert_allclose(t, expected["estimate"] / expected["std_error"], rtol=1e-8)


@pytest.mark.parametrize("null", ["wild_bootstrap", "permutation"])
def test_a_strong_association_is_beyond_every_curve(places, null):
    found = curve_test(
        places, "listed", "x", CONTROLS, fixed_effects="state", cluster="state", null=null, draws=199
    )
    assert found["statistic"].tolist() == STATISTICS
    assert (found["specifications"] == 8).all() and (found["draws"] == 199).all()
    rows = found.set_index("statistic")
    assert rows.loc["median", "p_value"] == rows.loc["stouffer", "p_value"] == 1 / 200
    observed = specification_curve(places, "listed", "x", CONTROLS, fixed_effects="state", cluster="state")
    assert rows.loc["median", "value"] == pytest.approx(observed["estimate"].median(), rel=1e-6)
    assert rows.loc["share", "value"] == (observed["p_value"] < 0.05).mean() == 1


@pytest.mark.parametrize(
    ("null", "estimator"), [("wild_bootstrap", "lpm"), ("permutation", "lpm"), ("wild_bootstrap", "logit")]
)
def test_of_true_nulls_few_are_rejected(places, null, estimator):
    """40 outcomes without x: at 5 % each statistic rejects about two; eight or more would be one in 4,000."""
    p = []
    for seed in range(40):
        data = unrelated(places, seed)
        options = {"estimator": estimator, "cluster": "state", "null": null, "draws": 99}
        if estimator == "lpm":
            options["fixed_effects"] = "state"
        p.append(curve_test(data, "listed", "x", ["dummy"], **options).set_index("statistic")["p_value"])
    table = pd.DataFrame(p)
    assert table.shape == (40, 3)
    assert ((table < 0.05).sum() < 8).all() and 0.3 < table["median"].mean() < 0.7


def test_the_same_seed_gives_the_same_test(places):
    options = {"cluster": "state", "draws": 99}
    first, again = (curve_test(places, "listed", "x", CONTROLS, seed=3, **options) for _ in range(2))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    other = curve_test(places, "listed", "x", CONTROLS, seed=4, **options)
    assert not other.equals(first)


def test_what_has_no_number_takes_no_part(places):
    data = places.assign(always=1.0, twin=places["dummy"] * 2)
    plain = curve_test(places, "listed", "x", ["dummy", "share"], cluster="state", draws=99)
    more = curve_test(data, "listed", "x", ["dummy", "share", "always"], cluster="state", draws=99)
    pd.testing.assert_frame_equal(plain, more)
    twins = curve_test(data, "listed", "x", ["dummy", "twin"], cluster="state", draws=99)
    assert (twins["specifications"] == 3).all()


def test_a_p_value_counts_the_data_and_ties():
    null = np.array([1.0, -3.0, 3.0, 0.5])
    assert p_value(3.0, null) == 3 / 5 and p_value(-3.1, null) == 1 / 5


def test_a_tally_is_the_same_in_parts():
    rng = np.random.default_rng(0)
    estimates, t, df = rng.normal(size=(6, 50)), 3 * rng.normal(size=(6, 50)), np.full(6, 20.0)
    whole, parts = Tally(50), Tally(50)
    whole.add(estimates, t, df)
    parts.add(estimates[:2], t[:2], df[:2])
    parts.add(estimates[2:], t[2:], df[2:])
    observed = Tally(1)
    observed.add(estimates[:, :1], t[:, :1], df)
    pd.testing.assert_frame_equal(compared(observed, whole), compared(observed, parts))
    share = compared(observed, whole).set_index("statistic").loc["share", "value"]
    signs = (t[:, 0] > 2.086).mean(), (t[:, 0] < -2.086).mean()
    assert share == max(signs)


BAD = [
    ({"null": "jackknife"}, "null='jackknife' is unknown"),
    ({"draws": 50}, "draws=50.*at least 99"),
    ({"draws": 99.5}, "draws=99.5"),
    ({"cluster": None}, "needs a cluster"),
    ({"null": "permutation", "estimator": "logit"}, "clustered linear model"),
    ({"null": "permutation", "within": "regin"}, "Nearest: 'region'"),
    ({"focal": "always"}, "No specification has a number: constant: always"),
    ({"focal": "of_state", "null": "permutation"}, "does not vary within any group"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[message for _, message in BAD])
def test_a_test_that_cannot_be_made_is_refused(places, change, message):
    data = places.assign(always=1, of_state=places.groupby("state")["x"].transform("mean"))
    asked = {"focal": "x", "cluster": "state", "draws": 99, "fixed_effects": "region"} | change
    with pytest.raises(ModelError, match=message):
        curve_test(data, "listed", asked.pop("focal"), ["dummy"], **asked)

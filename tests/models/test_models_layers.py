"""The layers: what is split, what is shown, whose values stand in, and what the committed tables say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import checks
from analysis.errors import DataError, ModelError
from analysis.models import Model, average_marginal_effects, estimates, fit, variance_components
from analysis.models.layers import county, places, rows, states
from analysis.panel import load_panel
from analysis.provenance import read_output, read_param
from tests.conftest import REPOSITORY


@pytest.fixture(autouse=True)
def _repository(monkeypatch):
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))


@pytest.fixture(scope="module")
def layers():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
        return read_output("layers.csv").fillna({"note": "", "part": ""})


@pytest.fixture(scope="module")
def cities():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
        return read_output("places_estimates.csv").fillna({"note": "", "part": ""})


ENTRY = {
    "outcome": "listed",
    "covariates": ["x", "dummy", "x:dummy"],
    "state": ["big"],
    "states_per_coefficient": 3,
}


def counties(frame):
    small = frame[frame["state"] < "S20"]
    return small.assign(
        big=(small["state"] > "S08").astype(int), is_in_listed_state=(small["state"] < "S12") * 1
    )


def test_the_middle_of_a_product_is_moved_and_nothing_else(frame):
    data = frame.copy()
    data.loc[data.index[:2], "x"] = np.nan
    whole = county.complete(data, ["x", "share", "x:dummy"])
    assert len(whole) == len(data) - 2
    assert abs(whole["x"].mean()) < 1e-12 and abs(whole["dummy"].mean()) < 1e-12
    assert whole["share"].equals(data.loc[whole.index, "share"])
    model = Model("m", "listed", ["x", "dummy", "x:dummy"])
    moved, plain = fit(model, whole), fit(model, data)
    assert moved.log_likelihood == pytest.approx(plain.log_likelihood)
    assert moved.coefficients[3] == pytest.approx(plain.coefficients[3])
    ours, theirs = (average_marginal_effects(one, on) for one, on in ((moved, whole), (plain, data)))
    assert ours.loc[0, "estimate"] == pytest.approx(theirs.loc[0, "estimate"])


def test_means_and_deviations_add_up(frame):
    parted, names = county.split(frame, ["x", "x:dummy"])
    assert names == ["x_within", "x:dummy_within", "x_between", "x:dummy_between"]
    product = frame["x"] * frame["dummy"]
    assert (parted["x:dummy_within"] + parted["x:dummy_between"]).to_numpy() == pytest.approx(
        product.to_numpy()
    )
    assert parted.groupby("state")["x_within"].mean().abs().max() < 1e-12


def test_every_model_of_counties(frame):
    data = counties(frame)
    table = county.county_layers(data, ENTRY)
    assert list(table.columns) == list(rows.COLUMNS)
    assert not table.duplicated(["sample", "model", "part", "term"]).any()
    assert not table["note"].str.startswith("not fitted").any()
    every = table[table["sample"] == "all"].set_index(["model", "part", "term"])
    assert every.index.is_unique
    models = [
        "pooled",
        "empty",
        "random_intercept",
        "within_between",
        "within_between_state",
        "state_effects",
    ]
    assert list(every.index.get_level_values("model").unique()) == [*models, "conditional"]
    every = every.sort_index()
    within = every.loc[("within_between", "within", "x"), "estimate"]
    strata = every.loc[("conditional", "all", "x"), "estimate"]
    assert within == pytest.approx(strata, abs=0.15)
    plain = every.loc[("random_intercept", "all", "x")]
    assert plain["clustered_std_error"] > 0 and plain["clustered_std_error"] != plain["std_error"]
    assert plain["effect_low"] < plain["effect"] < plain["effect_high"]
    assert np.isnan(every.loc[("within_between", "within", "x"), "effect"])
    assert not np.isnan(every.loc[("within_between_state", "group", "big"), "effect"])
    assert len(every.loc[("random_intercept", "intercept")]) == data["state"].nunique()
    mixed = Model("m", "listed", ENTRY["covariates"], "mixed_logit", random_intercept="state")
    (spread,) = variance_components(fit(mixed, data)).itertuples()
    shown = every.loc[("random_intercept", "variance")]
    assert shown.loc["intraclass_correlation", "estimate"] == pytest.approx(spread.icc, abs=1e-9)
    assert shown.loc["likelihood_ratio", "p_value"] == pytest.approx(spread.p_value)
    low, high = (s**2 / (s**2 + np.pi**2 / 3) for s in (spread.conf_low, spread.conf_high))
    assert shown.loc["intraclass_correlation", ["conf_low", "conf_high"]].tolist() == pytest.approx(
        [low, high]
    )


def test_few_states_show_no_state_layer(frame):
    table = county.county_layers(counties(frame), ENTRY | {"states_per_coefficient": 4})
    one = table[(table["sample"] == "listed states") & (table["model"] == "within_between")].set_index("part")
    assert (one.loc["between", "note"] == "not shown: 12 states for 4 coefficients of the state layer").all()
    assert one.loc["between", "estimate"].isna().all() and one.loc["variance", "estimate"].isna().all()
    assert one.loc["within", "estimate"].notna().all()


def test_a_model_that_cannot_be_fitted_says_why(frame):
    data = counties(frame).assign(is_in_listed_state=0)
    table = county.county_layers(data, ENTRY)
    none = table[table["sample"] == "listed states"]
    assert len(none) == 7 and none["note"].str.startswith("not fitted: Model").all()
    assert none["estimate"].isna().all() and (none["n"] == 0).all()


PLACES = {
    "outcome": "is_listed",
    "covariates": ["v", "log_population"],
    "floors": [100, 500],
    "quadrature_points": 7,
}


def test_what_stands_in_for_a_missing_covariate():
    frame = pd.DataFrame(
        {
            "county_geoid": ["c", "c", "d", "x"],
            "v": [1.0, np.nan, np.nan, np.nan],
            "population": [200.0, np.nan, 50.0, np.nan],
            "population_2021": [np.nan, 400.0, 60.0, np.nan],
            "log_population": np.log([200.0, np.nan, 50.0, np.nan]),
            "is_listed": 1,
            "name": list("pqrs"),
            "state": "S",
            "kind": "place",
        },
        index=pd.Index(list("1234"), name="geoid"),
    )
    above = pd.DataFrame({"v": [7.0, np.nan], "log_population": 9.0, "name": ["C", "D"]}, index=["c", "d"])
    done = places.filled(frame, above, PLACES["covariates"])
    assert done["v"].tolist()[:2] == [1.0, 7.0] and done["v"].isna().sum() == 2
    assert done["log_population"].iloc[1] == np.log(400) and np.isnan(done["log_population"].iloc[3])
    lacking = places.without_covariates(frame, above, PLACES).set_index("geoid")
    assert lacking["missing"].to_dict() == {"2": "v;log_population", "3": "v", "4": "v;log_population"}
    assert lacking["missing_after"].tolist() == ["", "v", "v;log_population"]
    assert lacking["county"].tolist()[:2] == ["C", "D"]


def test_models_of_places(frame):
    town = frame.assign(
        is_listed=frame["listed"],
        v=frame["x"],
        log_population=np.log(frame["population"]),
        population_2021=np.nan,
        county_geoid=frame["state"] + np.resize(list("ab"), len(frame)),
        is_in_listed_state=(frame["state"] < "S12") * 1,
    )
    town.loc[town.index[::20], "v"] = np.nan
    above = pd.DataFrame({"v": 0.0}, index=town["county_geoid"].unique())
    floor = int(town["population"].median())
    table = places.place_layers(town, above, PLACES | {"floors": [100, floor]})
    assert list(table.columns) == list(places.PLACE_COLUMNS)
    assert not table["note"].str.startswith("not fitted").any()
    sizes = table.groupby(["covariates", "least_population", "sample"])["n"].max()
    assert sizes["county_where_missing", 100, "all"] == len(town) > sizes["published", 100, "all"]
    assert sizes["published", floor, "all"] < sizes["published", 100, "all"]
    assert ("county_where_missing", floor, "all") not in sizes
    found = table[(table["least_population"] == 100) & (table["sample"] == "all") & (table["term"] == "v")]
    assert len(found) == 7 and found["estimate"].between(0.4, 1.2).all()


@pytest.mark.fault("F86")
def test_integrals_that_are_not_exact_show_no_number(frame):
    model = Model("m", "listed", ["x"], "mixed_logit", random_intercept="state", quadrature_points=1)
    coarse = replace(fit(model, frame), random=replace(fit(model, frame).random, note="1 point is too few"))
    shown, hidden = (rows.random_rows(one, frame) for one in (fit(model, frame), coarse))
    assert shown["estimate"].notna().all() and (shown["note"] == "").all()
    assert hidden[["estimate", "p_value", "effect"]].isna().all(axis=None) and len(hidden) == len(shown)
    assert (hidden["note"] == "not shown: 1 point is too few").all()


def test_states_take_two_covariates_at_most():
    panel = load_panel("state")
    with pytest.raises(ModelError, match="'wide' of states has 3 covariates"):
        states.state_layer(panel, {"outcome": "is_listed", "models": {"wide": ["a", "b", "c"]}})


def test_regressors_of_layers_are_dated():
    table = checks.check_as_of(checks.layer_models(read_param("layers")), read_param("as_of_before"))
    assert len(table) >= 7 and {row.status for row in table} == {"pass"}
    late = {"county": {"covariates": ["has_law_limiting_cooperation_2025_05_29"], "state": []}}
    late |= {"place": {"covariates": []}, "state": {"models": {}}}
    assert checks.check_as_of(checks.layer_models(late), read_param("as_of_before"))[0].status == "fail"


@pytest.mark.parametrize("broken", ["layers: 3", "layers: {county: {outcome: y}}", "other: 1"])
def test_a_broken_declaration_is_an_error(broken, tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text(broken, encoding="utf-8")
    monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path))
    with pytest.raises(DataError, match="'layers' is not as it should be"):
        read_param("layers")


# --- the committed tables --------------------------------------------------------------------------------


def test_every_committed_model_was_fitted(layers, cities):
    assert len(layers) > 300 and len(cities) > 200
    without = cities[cities["note"].str.startswith("not fitted")]
    assert without[["model", "sample"]].drop_duplicates().to_numpy().tolist() == [
        ["within_county", "other states"]
    ]
    assert without["note"].str.contains("separated completely").all()
    assert not layers["note"].str.startswith("not fitted").any()
    for table in (layers, cities):
        unshown = table["estimate"].isna()
        assert (table.loc[unshown, "note"] != "").all() and unshown.mean() < 0.25
        assert (table["std_error"].dropna() > 0).all()
        coarse = table["note"].str.contains("leave an error")
        assert table.loc[coarse, "estimate"].isna().all()


def test_the_committed_pooled_model_is_the_main_one(layers):
    effects = read_output("marginal_effects.csv")
    effects = effects[(effects["model"] == "main") & (effects["per"] == "sd")].set_index("term")
    own = layers[(layers["sample"] == "all") & (layers["model"] == "pooled")].set_index("term")
    shared = [term for term in own.index if term in effects.index]
    assert len(shared) == 6
    for term in shared:
        for mine, theirs in (
            ("effect", "estimate"),
            ("effect_low", "conf_low"),
            ("effect_high", "conf_high"),
        ):
            assert own.loc[term, mine] == pytest.approx(effects.loc[term, theirs], rel=1e-6)


def test_slopes_within_states_agree(layers):
    """Effects of states, Mundlak's deviations and the conditional logit answer one question."""
    seen = 0
    for (_, term), part in layers[layers["part"].isin(["all", "within"])].groupby(["sample", "term"]):
        slopes = part.set_index("model")
        if "conditional" not in slopes.index:
            continue
        error = slopes.loc["conditional", "std_error"]
        for model in ("within_between", "state_effects"):
            assert (
                abs(slopes.loc[model, "estimate"] - slopes.loc["conditional", "estimate"]) < 0.75 * error
            ), term
            seen += 1
    assert seen >= 40


def test_listed_places_are_all_accounted_for(cities):
    entry, panel = read_param("layers")["place"], load_panel("place")
    listed = panel[panel["is_listed"] == 1]
    without = read_output("places_without_covariates.csv")
    complete = listed[entry["covariates"]].notna().all(axis=1)
    assert len(without) + complete.sum() == len(listed) and len(without) > 20
    main = cities[(cities["sample"] == "all") & (cities["model"] == "pooled")]
    by = main.groupby(["covariates", "least_population"])["events"].first()
    floor = entry["floors"][0]
    assert by["published", floor] == (complete & (places.residents(listed) >= floor)).sum()
    assert by["county_where_missing", floor] > by["published", floor]
    assert by["published", floor] + len(without) <= len(listed)
    split = cities[(cities["model"] == "pooled") & (cities["term"] == "log_population")]
    own = split[(split["covariates"] == "published") & (split["least_population"] == floor)].set_index(
        "sample"
    )
    assert own.loc["all", "events"] == own.loc["listed states", "events"] + own.loc["other states", "events"]


def test_the_committed_benchmark_keeps_its_bound():
    table = pd.read_csv(REPOSITORY / "benchmarks" / "mixed.csv")
    bound = table.dropna(subset="at_most")
    assert len(bound) >= 6 and (bound["seconds"] <= bound["at_most"]).all() and bound["rows"].max() == 3144


def test_state_models_are_fitted_to_all_states(layers):
    own = layers[layers["sample"] == "states"]
    assert (
        set(own["model"]) == set(read_param("layers")["state"]["models"])
        and (own["estimator"] == "firth").all()
    )
    assert own["n"].max() == 51
    first = estimates(
        fit(Model("m", "is_listed", ["democratic_share_2024"], "firth", "state"), load_panel("state"))
    )
    kept = own[(own["model"] == "vote")].iloc[0]
    assert kept["estimate"] == pytest.approx(first.loc[1, "estimate"], rel=1e-6)

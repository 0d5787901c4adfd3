"""The declared multiverse: what is refused, what a cell holds, a run that is killed and goes on, the tables."""

import io
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from analysis.curves import matrix_rows, specification_curve_figure
from analysis.errors import DataError, ModelError
from analysis.models import Model, estimates, fit
from analysis.models.multiverse import chunks, summary, universe
from analysis.models.multiverse.cells import Cell, fit_cell, signs
from analysis.models.multiverse.declaration import CHOICES, Multiverse, declared, family, identifier
from analysis.models.multiverse.stage import curve_tests
from analysis.panel import load_panel
from tests.conftest import REPOSITORY, copy_project, run_stage

STAGE = "python -m analysis.models.multiverse.stage"
OUTPUTS = ["multiverse.parquet"]
OUTPUTS += [f"multiverse_{name}.csv" for name in ("choices", "headlines", "inference", "summary", "variance")]


def test_a_curve_is_tested_by_its_own_errors(tmp_path):
    """Specifications of which one has no number; the statistics are those of its numbers, by plain means."""
    rng = np.random.default_rng(0)
    numbers = np.vstack([rng.normal(1, 0.3, 5), rng.uniform(0.2, 0.6, 5), np.zeros((4, 5)), [50.0] * 5])
    null = rng.normal(size=(4, 19)).astype("float32")
    cell = Cell(numbers, np.array(["ok", "ok", "separated", "ok", "ok"]), null, null)
    choices = {"level": "county", "effects": "none", "estimator": "lpm"}
    made = SimpleNamespace(focal=("x",), draws=19)
    chunks.save(chunks.path_of(tmp_path, choices), {"x": cell})
    found = curve_tests(made, tmp_path, [choices]).set_index("statistic")
    fine = np.array([True, True, False, True, True])
    t = numbers[0, fine] / numbers[1, fine]
    assert found.loc["median", "value"] == pytest.approx(np.median(numbers[0, fine]), rel=1e-6)
    assert found.loc["share", "value"] == (t > stats.t.ppf(0.975, 49)).mean() > 0
    z = stats.norm.ppf(stats.t.cdf(t, 49))
    assert found.loc["stouffer", "value"] == pytest.approx(z.sum() / 2, rel=1e-6)
    assert (found["specifications"] == 4).all()


def test_only_the_cells_without_a_file_are_fitted(tmp_path):
    nothing = np.empty((0, 0))
    made = {"x": Cell(np.ones((7, 2)), np.array(["ok", "ok"]), nothing, nothing)}
    cells = [{"level": level, "estimator": "lpm"} for level in ("county", "place", "state")]
    chunks.save(chunks.path_of(tmp_path, cells[1]), made)
    fitted, said = [], io.StringIO()
    chunks.work(tmp_path, cells, lambda cell: fitted.append(cell) or made, said)
    assert fitted == [cells[0], cells[2]] and "1 of 3 cells were there" in said.getvalue()
    assert all(chunks.load(chunks.path_of(tmp_path, cell))["x"].numbers.sum() == 14 for cell in cells)


def test_places_have_the_first_outcome_roster_and_vintage_only():
    names = ("outcome", "roster", "acs")
    choices = {name: {"m": {}, "a": {}, "z": {}} for name in names} | {"level": {"county": {}}}
    main = dict.fromkeys(names, "m") | {"estimator": "lpm", "effects": "none"}
    may = partial(Multiverse.is_defensible, SimpleNamespace(choices=choices))
    assert may(main | {"level": "county"}) and may(main | {"level": "place"})
    for name in names:
        for other in ("a", "z"):
            assert may(main | {"level": "county", name: other})
            assert not may(main | {"level": "place", name: other}), (name, other)


@pytest.fixture
def repository(monkeypatch):
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    for cached in (universe.outcomes, universe.without_agreement, universe.load_level):
        cached.cache_clear()
    yield declared()
    for cached in (universe.outcomes, universe.without_agreement, universe.load_level):
        cached.cache_clear()


def cell(made, **changes):
    first = {name: next(iter(made.choices[name])) for name in CHOICES}
    return first | changes


@pytest.fixture(scope="module")
def panels(tmp_path_factory) -> Path:
    """The fixture project with its ledger and panels."""
    folder = copy_project(tmp_path_factory.mktemp("multiverse") / "project")
    for module in ("jurisdictions.stage", "grants.stage", "panel"):
        done = run_stage(f"python -m analysis.{module}", folder)
        assert done.returncode == 0, done.stderr
    return folder


def outputs(folder: Path) -> dict[str, bytes]:
    return {name: (folder / "data" / "processed" / name).read_bytes() for name in OUTPUTS}


@pytest.mark.fault("F78")
def test_a_killed_run_goes_on_with_the_same_bytes(panels):
    done = run_stage(STAGE, panels)
    assert done.returncode == 0, done.stderr
    assert "25 of 25 cells" in done.stderr and not (panels / chunks.FOLDER).exists()
    whole = outputs(panels)
    for name in OUTPUTS:
        (panels / "data" / "processed" / name).unlink()
    environment = os.environ | {"ANALYSIS_ROOT": str(panels), "PYTHONPATH": str(REPOSITORY)}
    killed = subprocess.Popen(
        [sys.executable, *STAGE.split()[1:]], cwd=panels, env=environment, stderr=subprocess.DEVNULL
    )
    while len(there := list((panels / chunks.FOLDER).rglob("*.npz"))) < 3 and killed.poll() is None:
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    there = list((panels / chunks.FOLDER).rglob("*.npz"))
    assert killed.returncode == -signal.SIGKILL and 3 <= len(there) < 25
    assert not any((panels / "data" / "processed" / name).exists() for name in OUTPUTS)
    there[0].write_bytes(there[0].read_bytes()[:-30])  # as a disk may lose it
    done = run_stage(STAGE, panels)
    assert done.returncode == 0, done.stderr
    assert f"{len(there) - 1} of 25 cells were there already" in done.stderr
    assert outputs(panels) == whole


def test_the_tables_of_the_fixture_hang_together(panels):
    if not (panels / "data" / "processed" / "multiverse.parquet").exists():
        assert run_stage(STAGE, panels).returncode == 0
    table = pd.read_parquet(panels / "data" / "processed" / "multiverse.parquet")
    assert len(table) == 200 and table.index.is_unique and table.index.str.fullmatch("[0-9a-f]{12}").all()
    fine = table["status"] == "ok"
    assert 0 < fine.sum() < 200 and (table["estimate"].notna() == fine).all()
    families = pd.read_csv(panels / "data" / "processed" / "multiverse_summary.csv")
    assert families["drawn"].sum() == 200 and families["fitted"].sum() == fine.sum()
    heads = pd.read_csv(panels / "data" / "processed" / "multiverse_headlines.csv")
    vote = table[fine & (table["focal"] == "democratic_share_2024")]
    assert heads["specifications"].sum() == len(vote) and heads["holds"].sum() == (vote["estimate"] > 0).sum()


def test_chunks_of_other_inputs_are_not_used(panels, monkeypatch):
    monkeypatch.setenv("ANALYSIS_ROOT", str(panels))
    first = chunks.key()
    assert chunks.key() == first
    stale = chunks.folder("0123456789abcdef")
    (stale / "a.npz").write_bytes(b"")
    fresh = chunks.folder(first)
    assert fresh.is_dir() and not stale.exists()
    path = panels / "data" / "processed" / "jurisdictions.csv"
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    assert chunks.key() != first
    path.write_bytes(before)
    chunks.clear()
    assert not (panels / chunks.FOLDER).exists()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_one_line_on_a_terminal_and_ten_elsewhere():
    screen, log = Terminal(), io.StringIO()
    for number in range(1, 101):
        chunks.report(number, 100, number, 1.0, screen)
        chunks.report(number, 100, number, 1.0, log)
    assert screen.getvalue().count("\n") == 1 and screen.getvalue().count("\r") == 100
    assert log.getvalue().count("\n") == 10 and "50 of 100 cells" in log.getvalue()


def changed(key, change):
    def apply(params):
        change(params["multiverse"] if key is None else params["multiverse"][key])

    return apply


BAD = {
    "no such key": (changed(None, lambda m: m.update(focals=1)), "no key 'focals'. Nearest: 'focal'"),
    "a key missing": (changed(None, lambda m: m.pop("margins")), "'margins' is missing"),
    "a list unknown": (
        changed("choices", lambda c: c.update(list=["dhs-2025-05-30"])),
        "Nearest: 'dhs-2025-05",
    ),
    "a choice unknown": (
        changed("choices", lambda c: c.update(sampel=1)),
        "no choice 'sampel'. Nearest: 'sample'",
    ),
    "a choice missing": (changed("choices", lambda c: c.pop("roster")), "choice 'roster' is missing"),
    "an outcome unknown": (changed("choices", lambda c: c.update(outcome=["ours"])), "'ours' is not there"),
    "a level unknown": (
        changed("choices", lambda c: c.update(level={"state": None})),
        "'state' is not there",
    ),
    "an estimator unknown": (changed("choices", lambda c: c.update(estimator=["firth"])), "use lpm, logit"),
    "a survey unknown": (changed("choices", lambda c: c.update(acs=["draw_x"])), "'draw_x' is unknown"),
    "a value twice": (changed("choices", lambda c: c.update(match=["strict", "strict"])), "distinct names"),
    "effects none with columns": (
        changed("choices", lambda c: c.update(effects={"none": ["state"]})),
        "no columns",
    ),
    "an effect unknown": (
        changed("choices", lambda c: c.update(effects={"s": ["stat"]})),
        "Nearest: 'state'",
    ),
    "effects that are no list": (
        changed("choices", lambda c: c.update(effects={"state": -1})),
        "give a list of columns",
    ),
    "effects that are no columns": (
        changed("choices", lambda c: c.update(effects={"state": [{"a": 1}]})),
        "give a list of columns",
    ),
    "a weight that is no column": (
        changed("choices", lambda c: c.update(weights={"w": ["population"]})),
        "name a column",
    ),
    "a weight unknown": (
        changed("choices", lambda c: c.update(weights={"w": "populatio"})),
        "Nearest: 'population'",
    ),
    "a roster too late": (
        lambda p: (
            p["multiverse"]["choices"].update(roster=["2025-05-28"]),
            p["as_of_before"].update(sensitivity="2025-05-28"),
        ),
        "the roster of 2025-05-28 is not before",
    ),
    "a variable unknown": (changed(None, lambda m: m.update(focal=["populatoin"])), "Nearest: 'population'"),
    "a variable too late": (
        changed(None, lambda m: m.update(focal=["has_287g_2025_05_28"])),
        "not before 2025-01-20",
    ),
    "no margin": (
        changed(None, lambda m: m.update(margins={"x": "foreign_born_share"})),
        "has no margin of error",
    ),
    "no number": (changed(None, lambda m: m.update(draws="many")), "'many' is no whole number"),
    "too few draws": (changed(None, lambda m: m.update(draws=98)), "from 99"),
    "no cells of a level": (changed(None, lambda m: m.update(cells={"county": 3})), "no number of cells for"),
    "a headline without query": (
        changed(None, lambda m: m["headlines"][0].pop("holds")),
        "not just the keys",
    ),
    "no multiverse": (lambda p: p.pop("multiverse"), "declare focal"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_declaration_that_means_nothing_is_refused(name, panels, tmp_path, monkeypatch):
    change, message = BAD[name]
    params = yaml.safe_load((panels / "params.yaml").read_text(encoding="utf-8"))
    change(params)
    for part in ("data",):
        (tmp_path / part).symlink_to(panels / part)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path))
    with pytest.raises((DataError, ModelError)) as error:
        declared()
    assert message in str(error.value), error.value


def test_a_headline_that_is_no_query_is_refused(repository):
    made = replace(repository, headlines=({"name": "a", "text": "b", "where": "focl == 1", "holds": "1"},))
    with pytest.raises(DataError, match="headline 'a' is no query"):
        summary.headlines(pd.DataFrame({"status": ["ok"], "focal": ["x"]}), made)


def test_ids_are_of_the_choices_alone(repository):
    choices = cell(repository)
    one = identifier("a", choices, ["b", "c"])
    assert one == identifier("a", dict(reversed(choices.items())), ["c", "b"])
    others = {
        identifier("a", choices | {"match": "strict"}, ["b", "c"]),
        identifier("b", choices, ["b", "c"]),
    }
    assert one not in others | {identifier("a", choices, ["b"])} and len(others) == 2


def test_cells_are_drawn_from_every_family_with_its_main_one(repository):
    drawn = repository.drawn_cells()
    assert len(drawn) > 100 and drawn == repository.drawn_cells()
    every = {tuple(each.values()) for each in repository.every_cell}
    families = {(each["level"], family(each)) for each in repository.every_cell}
    mains = [each for each in drawn if repository.is_main(each)]
    assert {(each["level"], family(each)) for each in mains} == families and len(mains) == len(families) == 10
    assert {tuple(each.values()) for each in drawn} <= every
    fewer = replace(repository, cells={"county": 5, "place": 2}).drawn_cells()
    assert len(fewer) == 35 and [each for each in drawn if each in fewer] == fewer
    by_lot = Counter(
        (each["level"], family(each), each["sample"]) for each in drawn if not repository.is_main(each)
    )
    for one in families:
        sizes = [number for key, number in by_lot.items() if key[:2] == one]
        assert sizes and max(sizes) - min(sizes) <= 1


def test_the_main_cell_is_the_model_by_itself(repository):
    focal = "democratic_share_2024"
    found = fit_cell(repository, cell(repository, effects="state"), signs(repository))[focal]
    controls = repository.beside(focal)
    counties = load_panel("county").dropna(subset=list(repository.controls))
    model = Model("m", "is_listed", (focal, *controls), "lpm", fixed_effects="state", cluster="state")
    expected = estimates(fit(model, counties)).set_index("term").loc[focal]
    assert len(found.status) == 2 ** len(controls)
    assert found.numbers[0, -1] == pytest.approx(expected["estimate"], rel=1e-9)
    assert found.numbers[1, -1] == pytest.approx(expected["std_error"], rel=1e-8)
    assert found.numbers[4, -1] == expected["n"] and found.numbers[6, -1] == expected["clusters"]
    assert found.null.shape == (32, repository.draws)


def test_a_logit_cell_gives_the_average_marginal_effect(repository):
    from analysis.models import average_marginal_effects

    focal = "democratic_share_2024"
    found = fit_cell(repository, cell(repository, estimator="logit"), signs(repository))[focal]
    counties = load_panel("county").dropna(subset=list(repository.controls))
    alone = fit(Model("m", "is_listed", (focal, *repository.beside(focal)), cluster="state"), counties)
    effect = average_marginal_effects(alone, counties).set_index("term").loc[focal, "estimate"]
    assert found.numbers[3, -1] == pytest.approx(effect, rel=1e-8)


def test_names_are_read_by_the_rule(repository):
    main = "dhs-2025-05-31"
    settled, strict, review = (
        universe.outcomes("county", main, rule) for rule in ("settled", "strict", "with_review")
    )
    assert settled["own"].sum() == load_panel("county")["is_listed"].sum()
    # Anchorage, DC and Douglas (Kansas) are read by their heading or a sentence; Cook by its name.
    for code in ("02020", "11001", "20045"):
        assert (settled.loc[code, "own"], strict.loc[code, "own"]) == (1, 0)
    assert strict.loc["17031", "own"] == 1 and (review["own"] >= settled["own"]).all()
    places = [universe.outcomes("place", main, rule)["own"] for rule in ("settled", "with_review")]
    assert places[1].sum() - places[0].sum() == 2  # East Hampton and New Paltz
    assert (settled["own_or_place"] >= settled["own"]).all() and (
        settled["as_county"] <= settled["own"]
    ).all()


def test_counties_with_an_agreement_leave(repository):
    kept = universe.frame(repository, cell(repository))
    without = universe.frame(repository, cell(repository, roster="2025-01-19"))
    had = load_panel("county")["has_287g"] == 1
    assert len(kept) - len(without) == had.sum() > 100 and not had[without.index].any()


def test_samples_are_those_of_the_list_and_the_query(repository):
    inside = universe.frame(repository, cell(repository, sample="listed_states"))
    assert len(inside) == (load_panel("county")["is_in_listed_state"] == 1).sum() > 0
    assert "IL" not in set(universe.frame(repository, cell(repository, sample="without_IL"))["state"])
    assert (
        universe.frame(repository, cell(repository, sample="from_20000_residents"))["population"].min()
        >= 20000
    )


def test_survey_errors_have_the_published_size(repository):
    panel = load_panel("county")
    plain = universe.surveyed(repository, "county", "with_margins")
    np.testing.assert_array_equal(plain["hispanic_share"], panel["hispanic_share_2022"])
    deviations = []
    for number in range(1, 31):
        drawn = universe.surveyed(repository, "county", f"draw_{number}")
        assert drawn["foreign_born_share"].equals(panel["foreign_born_share"])
        deviations.append(np.exp(drawn["log_median_income"]) - panel["median_income_2024"])
    error = panel["median_income_2024_moe"] / 1.645
    ratio = (np.stack(deviations) / error.to_numpy()).ravel()
    ratio = ratio[np.isfinite(ratio)]
    assert len(ratio) > 90_000 and abs(ratio.mean()) < 0.02 and ratio.std() == pytest.approx(1, abs=0.02)
    again = universe.surveyed(repository, "county", "draw_7")["log_median_income"]
    assert again.equals(universe.surveyed(repository, "county", "draw_7")["log_median_income"])


def test_a_cell_with_too_few_listed_says_so(repository):
    found = fit_cell(repository, cell(repository, list="doj-2025-08-05"), signs(repository))
    assert len(found) == 4
    for each in found.values():
        assert set(each.status) == {"too few: 7 listed of 3144"} or each.status[0].startswith("too few: ")
        assert np.isnan(each.numbers).all() and each.null.shape[0] == 0


def generated_table(made, effect):
    rng = np.random.default_rng(0)
    n = 2000
    table = pd.DataFrame({name: rng.choice(list(made.choices[name]), n) for name in CHOICES})
    table = table.assign(level="county", focal="x", family="lpm", status="ok", effect=0.0, p_value=0.01)
    for name in made.controls:
        table[f"with_{name}"] = pd.array(rng.random(n) < 0.5, dtype="boolean")
    return table.assign(estimate=effect(table, rng))


def test_the_decomposition_finds_what_moves_the_estimates(repository):
    def effect(table, rng):
        return (
            3.0 * (table["weights"] == "residents")
            + 1.0 * table["with_hispanic_share"].astype(float)
            + rng.normal(size=len(table))
        )

    found = summary.decomposition(generated_table(repository, effect), repository).set_index("choice")[
        "share"
    ]
    # variances 9/4, 1/4 and 1
    assert found["weights"] == pytest.approx(2.25 / 3.5, abs=0.03)
    assert found["with_hispanic_share"] == pytest.approx(0.25 / 3.5, abs=0.02)
    assert found["combinations"] == pytest.approx(1 / 3.5, abs=0.03) and found["sample"] < 0.01
    assert found["all choices"] + found["combinations"] == pytest.approx(1)


def test_headlines_are_counted_by_family(repository):
    table = generated_table(repository, lambda table, rng: np.where(table["weights"] == "none", 1.0, -1.0))
    entry = {"name": "a", "text": "t", "where": "focal == 'x'", "holds": "estimate > 0"}
    (row,) = summary.headlines(table, replace(repository, headlines=(entry,))).to_dict("records")
    assert row["holds"] == (table["weights"] == "none").sum() and row["specifications"] == 2000
    assert row["moved_most_by"] == "weights" and row["share_of_variance"] == pytest.approx(1, abs=0.03)
    assert row["conf_low"] < row["holds"] / 2000 < row["conf_high"]
    entry["holds"] = "p_value < 0.05"
    (row,) = summary.headlines(table, replace(repository, headlines=(entry,))).to_dict("records")
    assert row["holds"] == 2000 and row["moved_most_by"] == ""


def test_choices_that_tie_are_all_named(repository):
    """One specification alone fails: whatever sets it apart does so alike, and rounding noise picks nothing."""
    table = generated_table(repository, lambda table, rng: np.ones(len(table)))
    fixed = {name: table[name].iloc[0] for name in CHOICES}
    both = list(product([False, True], repeat=len(repository.controls)))
    table = table.iloc[: len(both)].assign(**fixed)
    for place, name in enumerate(repository.controls):
        table[f"with_{name}"] = pd.array([row[place] for row in both], dtype="boolean")
    entry = {"name": "a", "text": "t", "where": "focal == 'x'", "holds": "estimate > 0"}
    table.loc[table.index[-1], "estimate"] = -1.0
    (row,) = summary.headlines(table, replace(repository, headlines=(entry,))).to_dict("records")
    assert row["moved_most_by"].split("; ") == [f"with_{name}" for name in repository.controls]
    # of 64, one differs: its indicator on a choice of two equal halves
    assert row["share_of_variance"] == pytest.approx(1 / (len(both) - 1), abs=1e-8)


@pytest.mark.parametrize("shape", [(0.1, 0.1), (2, 2), (20, 0.5), (0.02, 0.5)])
def test_limits_of_a_share_hold_that_of_all_cells(shape):
    """Of 500 cells that agree more or less within themselves 40 are drawn."""
    rng = np.random.default_rng(0)
    every = rng.random((500, 32)) < rng.beta(*shape, size=500)[:, None]
    held = 0
    for _ in range(200):
        chosen = every[rng.choice(500, 40, replace=False)]
        low, high = summary.limits(chosen.ravel(), np.repeat(np.arange(40), 32), 40 / 500)
        held += low <= every.mean() <= high
        assert high - low < 0.35
    assert held >= 180
    assert summary.limits(np.ones(64, bool), np.repeat([0, 1], 32), 0.01)[0] < 0.5
    assert np.isnan(summary.limits(np.ones(32, bool), np.zeros(32, int), 0.01)).all()


def test_the_picture_is_drawn_alike_twice(repository):
    table = generated_table(repository, lambda table, rng: rng.normal(size=len(table)))
    table.loc[:9, "status"] = "separated"
    arguments = (
        table,
        {"lpm": "Linear", "logit": "Logit"},
        {"lpm": "probability", "logit": "log odds"},
        "It is so.",
    )
    pictures = []
    for _ in range(2):
        stream = io.BytesIO()
        figure = specification_curve_figure(*arguments)
        figure.savefig(stream, format="png", metadata={"Software": None})
        pictures.append(stream.getvalue())
    assert pictures[0][:4] == b"\x89PNG" and pictures[0] == pictures[1]
    assert "1,990 specifications" in figure.axes[0].get_title()
    labels = [text for _, _, text in matrix_rows(table)]
    assert "sample: without CA" in labels and labels.index("survey: draw 1") < labels.index("survey: draw 3")

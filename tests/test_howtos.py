"""The how-tos of docs/, carried out word for word on a copy of the repository."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.documents import PAGES, blocks, carry_out, copy_of_the_repository, git, touched

STAGES = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
MADE = {"dvc.lock"} | {next(iter(out)) for stage in STAGES.values() for out in stage["outs"]}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_repository(tmp_path_factory.mktemp("copy") / "project")


@pytest.fixture
def copy(clone: Path) -> Path:
    """The copy as the repository is, whatever the test before did to it."""
    git("reset", "--quiet", "--hard", at=clone)
    git("clean", "--quiet", "--force", "-d", at=clone)
    # Pages link to it; the stage that makes it takes a minute, and no how-to is about it.
    (clone / "reports" / "explorer.html").write_text(
        "<!DOCTYPE html><title>Explorer</title>", encoding="utf-8"
    )
    return clone


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "data" / "processed" / name, dtype="str", keep_default_na=False)


def test_each_page_is_carried_out_here() -> None:
    pages = [page for page in PAGES if page.startswith("docs/add_")]
    assert pages == [
        f"docs/add_{what}.md"
        for what in ("a_covariate", "a_list", "a_page", "a_roster", "a_source", "an_estimator")
    ]
    assert [step.where for page in pages for step in blocks(page) if step.kind == "not run"] == []


def test_a_covariate_touches_one_file_and_all_follows(copy: Path) -> None:
    printed = carry_out("docs/add_a_covariate.md", folder=copy)
    assert "Vacant housing" in printed
    changed = set(touched(copy))
    assert changed - MADE == {"analysis/variables.yaml"}
    # Codebook, checks and the wide model follow.
    line = table(copy, "codebook.csv").set_index("name").loc["vacant_share"]
    assert line["label"] == "Vacant housing" and 0 < float(line["maximum"]) < 1
    checks = table(copy, "checks.csv")
    own = checks[checks["scope"] == "panel_county.vacant_share"].set_index("check")["status"]
    assert own.to_dict() == {"range": "pass", "missing share": "pass"}
    before, after = table(REPOSITORY, "estimates.csv"), table(copy, "estimates.csv")
    wide = after["model"].str.startswith("wide")
    new = after[wide & (after["term"] == "vacant_share")]
    assert set(new["model"]) == {"wide", "wide_listed_states", "wide_other_states"}
    assert (new["estimate"] != "").all()
    # No published model changes, nor any file that holds only those.
    published = before[~before["model"].str.startswith("wide")]
    assert len(published) > 100 and published["model"].nunique() > 30
    pd.testing.assert_frame_equal(after[~wide].reset_index(drop=True), published.reset_index(drop=True))
    of_models = {next(iter(out)) for out in STAGES["models"]["outs"]}
    assert of_models & changed == {f"data/processed/{name}.csv" for name in ("estimates", "fits")}
    # The pages show it.
    site = copy / "reports" / "_site"
    assert all(
        "Vacant housing" in (site / page).read_text("utf-8") for page in ("codebook.html", "models.html")
    )


def test_a_list_a_roster_and_a_source(copy: Path) -> None:
    """Together, because each runs stages that take most of a minute, which then run once."""
    pages = [f"docs/add_a_{what}.md" for what in ("list", "roster", "source")]
    printed = carry_out(*pages, folder=copy)
    # A list becomes verdicts, outcomes and a name in the queue.
    ledger = table(copy, "jurisdictions.csv").query("vintage == 'example-2025-06-15'")
    assert ledger["needs_review"].tolist() == ["false", "false", "true"]
    assert "Washtenau" in printed
    # Rows of a roster have verdicts, and a column of their own.
    rows = table(copy, "roster_agencies.csv").query("roster == '2025-06-15'")
    assert rows["unit"].tolist() == ["county", "place"]
    # A plain table and one with a module are joined, and what is described is in the codebook.
    joins = table(copy, "panel_joins.csv").set_index(["level", "source"])["matched"]
    assert joins[("county", "libraries/2024")] == "3" and joins[("state", "courts/2024")] == "2"
    described = set(table(copy, "codebook.csv")["name"])
    assert {"is_listed_example_2025_06_15", "has_287g_2025_06_15", "libraries", "courts"} <= described
    # Beside what stages make, nothing is touched but what the pages name.
    named = {step.path for page in pages for step in blocks(page) if step.path}
    assert len(named) == 12 and set(touched(copy)) - MADE == named
    assert (table(copy, "checks.csv")["status"] != "fail").all()


def test_an_estimator(copy: Path) -> None:
    printed = carry_out("docs/add_an_estimator.md", folder=copy)
    assert "1 passed" in printed or printed.startswith(".")
    assert "Probit: standard deviations of the latent variable" in printed


def test_a_page(copy: Path) -> None:
    printed = carry_out("docs/add_a_page.md", folder=copy)
    assert set(printed.split()) == {"reports/_site/medians.html", "reports/_site/explorer.html"}
    page = (copy / "reports" / "_site" / "medians.html").read_text("utf-8")
    assert 'aria-current="page">Medians' in page and "Variables by level" in page

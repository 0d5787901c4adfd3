"""What changed since the last tag, in small repositories with and without tags."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from analysis import __main__ as command_line
from analysis.changes import changed_since_compared, git, last_tag, panel_changes, row_changes, update
from analysis.errors import DataError
from analysis.moved import headline_moves, sources_of
from analysis.panel import load_panel
from analysis.provenance import read_output
from tests.conftest import REPOSITORY

ESTIMATES = "model,term,estimate,note\nmain,a,1.5,\nmain,b,-2,\n"
LEDGER = "vintage,state_abbr,level,text_as_published,geoid\nv,IL,county,Cook,17031\nv,IL,county,Cook,17031\n"


def run(folder: Path, *words: str) -> None:
    who = {
        f"GIT_{role}_{what}": "x@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *words],
        cwd=folder,
        env=os.environ | who,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a few tables and without history."""
    folder = tmp_path / "project"
    processed = folder / "data" / "processed"
    processed.mkdir(parents=True)
    shutil.copy(REPOSITORY / "params.yaml", folder)
    (folder / "data" / "raw").symlink_to(REPOSITORY / "data" / "raw")
    (processed / "estimates.csv").write_text(ESTIMATES, encoding="utf-8")
    (processed / "jurisdictions.csv").write_text(LEDGER, encoding="utf-8")
    pd.DataFrame(
        {"share": [0.1, None], "old": [1.0, 2.0]}, index=pd.Index(["01", "02"], name="geoid")
    ).to_parquet(processed / "panel_county.parquet")
    monkeypatch.setenv("ANALYSIS_ROOT", str(folder))
    return folder


@pytest.fixture
def repository(archive: Path) -> Path:
    run(archive, "init", "-q")
    run(archive, "add", "-A")
    run(archive, "commit", "-q", "-m", "one")
    return archive


def commit(folder: Path, tag: str | None = None) -> None:
    run(folder, "add", "-A")
    run(folder, "commit", "-q", "--allow-empty", "-m", "more")
    if tag:
        run(folder, "tag", "-a", tag, "-m", tag)


def test_without_a_tag_it_is_the_first_version(repository: Path, capsys: pytest.CaptureFixture) -> None:
    assert command_line.main(["changes", "--no-run"]) == 0
    assert "first version" in capsys.readouterr().out
    assert len(read_output("changes.csv")) == len(read_output("changes_since.csv")) == 0


def test_an_archive_says_that_it_has_no_history(archive: Path, capsys: pytest.CaptureFixture) -> None:
    assert command_line.main(["changes", "--no-run"]) == 1
    said = capsys.readouterr().err
    assert "no git repository" in said and "Remedy" in said and "Traceback" not in said
    assert not (archive / "data" / "processed" / "changes.csv").exists()


def test_a_folder_inside_another_repository_is_not_taken_for_one(archive: Path) -> None:
    run(archive.parent, "init", "-q")
    with pytest.raises(DataError, match="no git repository"):
        git("status")


def test_entries_values_and_estimates(repository: Path) -> None:
    run(repository, "tag", "v1")
    processed = repository / "data" / "processed"
    (processed / "estimates.csv").write_text(
        "model,term,estimate,note\nmain,a,1.6,\nmain,c,0,\n", encoding="utf-8"
    )
    (processed / "jurisdictions.csv").write_text(
        LEDGER.replace("Cook,17031\nv", "Cook,17033\nv"), encoding="utf-8"
    )
    pd.DataFrame(
        {"share": [0.2, None], "new": [1.0, 2.0]}, index=pd.Index(["01", "03"], name="geoid")
    ).to_parquet(processed / "panel_county.parquet")
    assert "since v1" in update()
    found = read_output("changes.csv", as_text=True)
    rows = {tuple(row) for row in found.drop(columns=["units", "beyond_margin"]).itertuples(index=False)}
    assert rows == {
        ("jurisdictions.csv", "entry re-matched", "v, IL, county, Cook", "geoid", "17031", "17033"),
        ("estimates.csv", "row removed", "main, b", "", "", ""),
        ("estimates.csv", "row added", "main, c", "", "", ""),
        ("estimates.csv", "value changed", "main, a", "estimate", "1.5", "1.6"),
        ("panel_county.parquet", "row removed", "", "", "", ""),
        ("panel_county.parquet", "row added", "", "", "", ""),
        ("panel_county.parquet", "column removed", "", "old", "", ""),
        ("panel_county.parquet", "column added", "", "new", "", ""),
        ("panel_county.parquet", "value changed", "", "share", "", ""),
    }
    assert set(found.loc[found["change"] == "value changed", "units"]) == {"", "1"}
    assert changed_since_compared() == []
    (processed / "estimates.csv").write_text(ESTIMATES, encoding="utf-8")
    assert changed_since_compared() == ["estimates.csv"]


def test_a_new_roster_adds_its_entries(repository: Path) -> None:
    file = repository / "data" / "processed" / "roster_agencies.csv"
    columns = "roster,state_abbr,agency_as_published,county_as_published,support_type,geoid\n"
    first = "2025-01-19,AL,Etowah County Sheriff's Office,,jail_enforcement,"
    file.write_text(f"{columns}{first}01055\n", encoding="utf-8")
    commit(repository, "v1")
    again = first.replace("2025-01-19", "2025-07-08")
    file.write_text(f"{columns}{first}01057\n{again}01055\n{again}01055\n", encoding="utf-8")
    update()
    found = read_output("changes.csv", as_text=True)
    assert sorted(found["change"]) == ["entry added", "entry added", "entry re-matched"]
    assert found["key"].is_unique and set(found["table"]) == {"roster_agencies.csv"}


def test_a_tagged_commit_is_compared_with_the_tag_before(repository: Path) -> None:
    run(repository, "tag", "v1")
    assert last_tag() is None, "the only tag is this very version"
    (repository / "data" / "processed" / "estimates.csv").write_text(
        ESTIMATES + "main,d,1,\n", encoding="utf-8"
    )
    assert last_tag() == "v1"
    commit(repository, "v2")
    assert last_tag() == "v1"
    commit(repository)
    assert last_tag() == "v2"
    update("v1")
    assert list(read_output("changes.csv")["key"]) == ["main, d"]


def test_a_clone_without_its_tags_destroys_no_comparison(repository: Path) -> None:
    run(repository, "tag", "v1")
    commit(repository)
    update()
    before = (repository / "data" / "processed" / "changes_since.csv").read_bytes()
    run(repository, "tag", "-d", "v1")
    with pytest.raises(DataError, match="no tag to compare with"):
        update()
    with pytest.raises(DataError, match="no tag or commit"):
        update("v9")
    assert (repository / "data" / "processed" / "changes_since.csv").read_bytes() == before


def test_equal_tables_have_no_changes() -> None:
    table = pd.DataFrame({"model": ["m"], "term": ["a"], "estimate": ["1"]})
    assert row_changes(table, table, ("model", "term")).empty
    panel = pd.DataFrame({"x": [1.0, None]}, index=["01", "02"])
    assert panel_changes(panel, panel).empty


def test_without_a_tag_changed_tables_are_compared_with_the_commit(repository: Path) -> None:
    (repository / "data" / "processed" / "estimates.csv").write_text(
        ESTIMATES + "main,d,1,\n", encoding="utf-8"
    )
    assert "1 changes since HEAD" in update()
    assert list(read_output("changes.csv")["change"]) == ["row added"]
    since = read_output("changes_since.csv", as_text=True)
    assert set(since["since"]) == {git("rev-parse", "HEAD").decode()[:12]}


def test_what_moved_beyond_its_margins_is_counted() -> None:
    units = pd.Index(["01", "02", "03", "04"], name="geoid")
    before = pd.DataFrame({"x": [1.0, 1, 1, None], "x_moe": [0.3, 0.3, 0.3, None], "y": 0.0}, index=units)
    after = before.assign(x=[1.4, 1.5, 1.0, 2.0], x_moe=[0.3, 0.3, 0.3, 0.1], y=1.0)
    found = panel_changes(before, after).set_index("column")
    assert found.loc["x", "units"] == 3 and found.loc["x", "beyond_margin"] == 1
    assert found.loc["y", "units"] == 4 and pd.isna(found.loc["y", "beyond_margin"])


@pytest.fixture
def counties(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    return load_panel("county")


def test_equal_panels_move_nothing(counties: pd.DataFrame) -> None:
    found = headline_moves(counties, counties)
    assert set(found["moved_by"]) == {"nothing"} and set(found["change"]) == {0} and len(found) >= 16
    printed = read_output("list_error.csv")
    printed = printed[printed["scenario"] == "as printed"].set_index(["headline", "sample"])["estimate"]
    shown = found.set_index(["headline", "sample"])["after"]
    assert len(printed) >= 12
    assert (shown[printed.index] - printed).abs().max() < 1e-6


def test_each_source_is_told_by_what_it_moves(counties: pd.DataFrame) -> None:
    """Entries of one state go, votes of another move: the lists and the votes are named, and nothing else."""
    after = counties.copy()
    gone = after["state"] == "IL"
    after.loc[gone, "is_listed"] = 0
    entries = headline_moves(counties, after)
    assert set(entries["moved_by"]) == {"lists and rosters", "nothing"}
    share = entries.set_index(["headline", "sample"])["change"]["listed_per_100", "all counties"]
    assert share == pytest.approx(-100 * counties.loc[gone, "is_listed"].sum() / len(counties))
    after["democratic_share_2024"] = after["democratic_share_2024"].where(after["state"] != "TX", 0.9)
    found = headline_moves(counties, after)
    assert set(found["moved_by"]) == {"lists and rosters", "votes", "together", "nothing"}
    sums = found.groupby(["headline", "sample"]).agg({"change": "sum", "before": "first", "after": "first"})
    assert (sums["change"] - (sums["after"] - sums["before"])).abs().max() < 1e-9
    moved = found[found["headline"] == "listed_per_100"]["moved_by"]
    assert set(moved) <= {"lists and rosters", "nothing"}, "votes list nobody"


def test_units_that_went_and_columns_that_are_missing_are_said(counties: pd.DataFrame) -> None:
    fewer = headline_moves(counties, counties[counties["state"] != "VA"])
    assert {"units that came or went"} == set(fewer["moved_by"]) - {"together", "nothing"}
    lacking = headline_moves(counties.drop(columns="democratic_share_2024"), counties)
    assert len(lacking) and lacking["before"].isna().all() and lacking["after"].notna().all()
    assert lacking["note"].str.contains("democratic_share_2024").all()


def test_a_derived_column_belongs_to_the_sources_of_its_parts() -> None:
    assert sources_of("democratic_share_2024") == "votes"
    assert sources_of("hispanic_share_2022_moe") == "acs" == sources_of("log_median_income")
    assert set(sources_of("slfrf_usd_per_resident").split(" and ")) == {"acs", "slfrf"}
    lists = ("is_listed_dhs_2025_05_31", "is_in_mixed_state", "is_listed", "has_listed_place_doj_2025_08_05")
    assert {sources_of(name) for name in lists} == {"lists and rosters"}


def test_the_committed_comparison_is_the_one_that_git_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    since = read_output("changes_since.csv", as_text=True)
    assert list(since) == ["since", "commit", "table", "sha256"]
    try:
        tag = last_tag()
    except DataError:
        pytest.skip("no git history here")
    if tag is None and since.empty:
        assert read_output("changes.csv").empty and read_output("headline_changes.csv").empty
    else:
        assert not since.empty, "a tag exists: run `python -m analysis changes`"
        assert changed_since_compared() == [], "tables changed: run `python -m analysis changes`"


def test_a_misspelt_tag_is_answered_by_the_nearest(repository: Path) -> None:
    git("tag", "v2.1")
    with pytest.raises(DataError, match=r"no tag or commit 'v2\.11'\. Nearest: 'v2\.1'"):
        update("v2.11")

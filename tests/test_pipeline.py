"""The whole pipeline on a dozen counties, and what a stage does with bad input."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.conftest import PIPELINE, outputs, outs, record, run_stage


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "data" / "processed" / name, dtype={"geoid": "str"}, keep_default_na=False)


def test_every_stage_writes_what_it_declares(built: Path) -> None:
    declared = [path for stage in PIPELINE.values() for path in outs(stage)]
    assert len(declared) > 10
    assert [path for path in declared if not (built / path).exists()] == []


def test_the_dozen_counties_are_read_as_a_reader_would(built: Path) -> None:
    counties = pd.read_parquet(built / "data" / "processed" / "panel_county.parquet")
    listed = counties["is_listed"]
    # Cook and Kendall by name; Anchorage, DC and Clarke as consolidated governments; Douglas under Cities.
    assert set(counties.index[listed == 1]) == {"17031", "17093", "02020", "11001", "13059", "20045", "35049"}
    # Galveston's sheriff had an agreement; so had Kendall's in Texas, who is not Kendall's in Illinois.
    assert counties.loc["48167", "has_287g"] == 1 and counties.loc["17093", "has_287g"] == 0
    assert (
        counties.loc["17031", "is_in_listed_state"] == 1 and counties.loc["11001", "is_in_listed_state"] == 0
    )
    assert counties.loc["11001", "is_in_listed_state_doj_2025_08_05"] == 1
    assert pd.isna(counties.loc["02020", "democratic_share_2024"])
    assert pd.isna(counties.loc["09110", "democratic_share_2020"])
    assert counties.loc["35049", "has_listed_place_dhs_2025_05_31"] == 1
    assert counties.loc["35025", "has_listed_place_dhs_2025_05_31"] == 0


def test_a_figure_is_what_the_source_says(built: Path) -> None:
    counties = pd.read_parquet(built / "data" / "processed" / "panel_county.parquet")
    raw = pd.read_csv(built / "data/raw/acs/2019-2023/county.csv", dtype={"GEOID": "str"}).set_index("GEOID")
    votes = pd.read_csv(built / "data/raw/votes/2024/county_votes.csv", dtype={"GEOID": "str"}).set_index(
        "GEOID"
    )
    cook = counties.loc["17031"]
    assert cook["population"] == raw.loc["17031", "B01003_001E"]
    assert cook["foreign_born_share"] == pytest.approx(raw.loc["17031", "PCT_FOREIGN_BORN"] / 100, abs=1e-9)
    two_party = votes.loc["17031", "votes_dem"] + votes.loc["17031", "votes_gop"]
    assert cook["democratic_share_2024"] == pytest.approx(
        votes.loc["17031", "votes_dem"] / two_party, rel=1e-7
    )


@pytest.mark.fault("F81")
def test_no_unit_is_dropped_and_every_join_is_counted(built: Path) -> None:
    joins = table(built, "panel_joins.csv")
    assert len(joins) > 20
    assert (joins["matched"] + joins["rows_without_unit"] == joins["rows"]).all()
    assert (joins["matched"] + joins["units_without_row"] == joins["units"]).all()
    without = joins[joins["rows_without_unit"] > 0]
    assert len(without) and (without["reasons"] != "").all()
    dropped = table(built, "dropped.csv")
    assert set(dropped.loc[dropped["model"] == "main", "geoid"]) == {"02020"}


def test_the_page_shows_the_tables_numbers(built: Path) -> None:
    page = (built / "reports" / "_site" / "findings.html").read_text(encoding="utf-8")
    assert "Of 12 counties 7 are listed" in page
    estimate = table(built, "estimates.csv").query("model == 'main'")["estimate"].iloc[-1]
    assert f"{float(estimate):.3g}" in page


def replace(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


COUNTY = "data/raw/acs/2019-2023/county.csv"
LIST = "data/raw/lists/dhs-2025-05-31/listings.csv"
BAD = {
    "a column renamed": (
        COUNTY,
        replace("B01003_001E", "POPULATION"),
        "names 'B01003_001E', which is neither",
        "panel",
    ),
    "a key renamed": (COUNTY, replace("GEOID", "FIPS"), "column 'GEOID': the column is missing", "panel"),
    "a column doubled": (COUNTY, replace("B01003_001M", "B01003_001E"), "'B01003_001E' twice", "panel"),
    "a zero lost": (COUNTY, replace("\n02020,", "\n2020,"), "line 2, column 'GEOID': '2020'", "panel"),
    "a zero lost among several codes": (
        "data/raw/unauthorized/2023/unauthorized_county.csv",
        replace("\n17031,", "\n7031,"),
        "'7031' is not a code of 2 or 5 digits",
        "panel",
    ),
    "a key doubled": (
        COUNTY,
        lambda text: text + text.splitlines(keepends=True)[1],
        "'02020' occurs twice",
        "panel",
    ),
    "an annotation code": (
        COUNTY,
        replace(",289069,", ",-666666666,"),
        "'-666666666' is not a figure",
        "panel",
    ),
    "a word for a figure": (COUNTY, replace(",289069,", ",many,"), "'many' is not a figure", "panel"),
    "a state unknown": (LIST, replace(",IL,", ",XX,"), "'XX' is not the abbreviation", "jurisdictions"),
    "a level unknown": (LIST, replace(",county,", ",parish,"), "'parish' is not one of", "jurisdictions"),
    "a file empty": (LIST, lambda text: "", "the file is empty", "jurisdictions"),
    "a header alone": (LIST, lambda text: text.splitlines()[0] + "\n", "no rows", "jurisdictions"),
    "a file truncated in a row": (LIST, lambda text: text[: len(text) // 2], "truncated", "jurisdictions"),
    "a file truncated between rows": (
        LIST,
        lambda text: "".join(text.splitlines(keepends=True)[:-3]),
        "perhaps it is truncated",
        "jurisdictions",
    ),
    "a byte that is not UTF-8": (LIST, replace("Anchorage", "Anchorage\udce9"), "not UTF-8", "jurisdictions"),
}


@pytest.mark.fault("F17", "F26", "F30", "F41")
@pytest.mark.parametrize("name", BAD)
def test_bad_input_stops_the_stage_and_costs_nothing(name: str, built: Path, tmp_path: Path) -> None:
    file, change, message, stage = BAD[name]
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    before = outputs(folder)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    path.write_bytes(change(text).encode("utf-8", "surrogateescape"))
    record(path)
    done = run_stage(PIPELINE[stage]["cmd"], folder)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "Remedy:" in done.stderr
    assert str(Path(file).parent) in done.stderr and message in done.stderr, done.stderr
    assert outputs(folder) == before
    assert not list(folder.rglob(".*.csv.*"))


@pytest.mark.fault("F15")
def test_bytes_that_differ_from_the_origin_stop_the_stage(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    path = folder / LIST
    path.write_text(path.read_text(encoding="utf-8").replace("Cook County", "Lake County"), encoding="utf-8")
    done = run_stage(PIPELINE["jurisdictions"]["cmd"], folder)
    assert done.returncode == 1 and LIST in done.stderr and "sha256" in done.stderr


def test_a_failed_check_stops_the_build_and_names_the_row(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    path = folder / "data/raw/published/2026-11-22/published.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",12,", ",13,"), encoding="utf-8")
    record(path)
    before = outputs(folder)
    done = run_stage(PIPELINE["checks"]["cmd"], folder)
    assert done.returncode == 1 and "rows, panel_county: 12, expected 13" in done.stderr
    assert outputs(folder) == before


def test_a_list_that_is_not_there_is_named(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("dhs-2025-05-31", "dhs-2025-05-13"))
    done = run_stage(PIPELINE["panel"]["cmd"], folder)
    assert (
        done.returncode == 1
        and "no vintage 'dhs-2025-05-13' of 'lists'" in done.stderr
        and "dhs-2025-05-31" in done.stderr
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"covariates": ["has_287g_2025_05_28"]}, "model late: 2025-05-28, expected before 2025-01-20"),
        ({"covariates": ["population"], "weights": "is_listed"}, "model late: 2025-05-31, expected before"),
        ({"covariates": ["population"], "fixed_effects": ["is_in_listed_state"]}, "model late: 2025-05-31"),
        (
            {"covariates": ["populatoin"]},
            "params.yaml: model 'late': no variable or group 'populatoin'. Nearest: 'population'",
        ),
    ],
)
def test_a_regressor_measured_too_late_stops_the_build(
    change: dict, message: str, built: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    file = folder / "params.yaml"
    params = yaml.safe_load(file.read_text(encoding="utf-8"))
    params["models"]["late"] = {"outcome": "is_listed", "cluster": "state"} | change
    file.write_text(yaml.safe_dump(params), encoding="utf-8")
    done = run_stage(PIPELINE["checks"]["cmd"], folder)
    assert done.returncode == 1 and message in done.stderr, done.stderr


@pytest.mark.fault("F74")
def test_a_vintage_that_vanished_stops_the_ledger_before_it_writes(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    before = outputs(folder)
    shutil.rmtree(folder / "data" / "raw" / "rosters" / "2025-05-28")
    done = run_stage(PIPELINE["jurisdictions"]["cmd"], folder)
    assert done.returncode == 1 and "data/raw/rosters/2025-05-28" in done.stderr
    assert outputs(folder) == before

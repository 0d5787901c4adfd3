"""Flows of real files, and how flows reach the panel."""

from __future__ import annotations

import csv
import hashlib
import shutil
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import yaml

from analysis.catalogue import measured_until
from analysis.errors import DataError
from analysis.flow_columns import read_flows
from analysis.grants.stage import main
from analysis.panel import build, read_source
from analysis.provenance import read_output
from analysis.units import read_units
from tests.conftest import REPOSITORY
from tests.grants import bulk
from tests.grants.bulk import content, row
from tests.grants.test_grants_flows import ENGINES, ORIGINALS, flows
from tests.test_panel import variable

SAMPLES = {
    "Assistance_PrimeTransactions_REAP_FY2021-2025_sample.csv": (bulk.TYPE, bulk.USD, 415, 346),
    "legacy_FAADS_grants_NY_FY2016_sample.csv": ("assistance_type", "fed_funding_amount", 447, 447),
}


@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="the publisher's files are not here")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", SAMPLES)
def test_real_rows_sum_to_themselves(
    tmp_path: Path, name: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    kind, amount, count, grants = SAMPLES[name]
    with (ORIGINALS / name).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    chosen = [Decimal(each[amount]) for each in rows if each[kind][:2] in bulk.GRANTS]
    assert (len(rows), len(chosen)) == (count, grants)
    found = flows(tmp_path, ORIGINALS / name, engine=engine)
    for scope in ("recipient", "place_of_performance"):
        of = [value for key, value in found.items() if key[5] == scope]
        assert (sum(usd for usd, _ in of), sum(n for _, n in of)) == (sum(chosen), grants)
    if name.startswith("legacy"):
        pseudo = [n for key, (_, n) in found.items() if key[0] == "retired_36360"]
        assert sum(pseudo) == sum(each["recipient_county_code"] == "360" for each in rows) == 32
        assert {key[0] for key in found} >= {"36061", "foreign", "statewide", "multi_state", "missing"}


def test_the_programmes_sums_are_the_published_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    table = read_output("grant_flows.parquet").query("vintage == 'reap-fy2021-2024'")
    sums = table.groupby(["scope", "fiscal_year"])["obligations_usd"].sum().astype("float64") / 1e9
    for scope in ("recipient", "place_of_performance"):
        # obligations of award type 04 by fiscal year, billion US dollars, as counted from its transactions
        assert sums[scope].round(3).to_dict() == {2021: 0.034, 2022: 0.049, 2023: 0.450, 2024: 0.711}
    panel = pd.read_parquet(REPOSITORY / "data" / "processed" / "panel_county.parquet")
    assert panel["reap_grants_usd"].isna().sum() == 9 and (panel["reap_grants_usd"] != 0).sum() > 1500
    inside = table[table["county_geoid"].isin(panel.index[panel["state"] != "CT"])]
    performed = inside.query("scope == 'place_of_performance'")["obligations_usd"].sum()
    assert panel["reap_grants_usd"].sum() == pytest.approx(float(performed), abs=0.01)


def add_vintage(project: Path, rows: list[bulk.Row], as_of: str = "2026-05-30") -> Path:
    """Generated bulk transactions as a vintage of the project's raw data."""
    folder = project / "data" / "raw" / "usaspending" / "generated"
    folder.mkdir(parents=True)
    path = folder / "All_Assistance_PrimeTransactions_1.csv"
    path.write_bytes(content(rows))
    origin = yaml.safe_load(
        (project / "data/raw/usaspending/reap-fy2021-2024/origin.yaml").read_text(encoding="utf-8")
    )
    files = {path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}}
    origin |= {"obtained": "downloaded", "as_of": as_of, "files": files}
    (folder / "origin.yaml").write_text(yaml.safe_dump(origin), encoding="utf-8")
    return path


GENERATED = [
    row(**{bulk.USD: "100.25"}),
    row(**{bulk.USD: "-40.00", bulk.PERFORMED: "17093", "action_date": "2025-01-19", bulk.YEAR: "2025"}),
    row(**{bulk.USD: "7.00", bulk.LISTING: "97.067"}),
    row(**{bulk.USD: "999.00", "action_date": "2025-01-20", bulk.YEAR: "2025"}),  # not before the day
    row(**{bulk.USD: "5.00", bulk.RECIPIENT: "09003"}),
]


def test_generated_transactions_reach_the_panel(project: Path) -> None:
    add_vintage(project, GENERATED)
    main()
    table = read_output("grant_flows.parquet")
    assert set(table["vintage"]) == {"generated", "reap-fy2021-2024"}
    every, justice = read_flows("generated"), read_flows("generated/16")
    assert justice.loc["17031", "place_of_performance_2024"] == 105.25
    assert justice.loc["17093", "place_of_performance_2025"] == -40.00
    assert every.loc["17031", "recipient_2024"] == 107.25 and every.loc["17031", "recipient_2025"] == -40.00
    # What stands on an old county of Connecticut is not divided among the regions; elsewhere none is zero.
    assert every["recipient_2024"].isna().to_dict() == {code: code == "09110" for code in every.index}
    assert every.loc["09110", "place_of_performance_2024"] == 0
    own = variable("justice_usd", "place_of_performance_2024", "grant_flows/generated/16.738")
    tables = lambda source: read_source(source, "county")  # noqa: E731
    panel, joins = build(read_units("county", "2024"), {own.name: own}, tables, {})
    assert panel.loc["17031", "justice_usd"] == 105.25
    assert joins.loc[0, "matched"] == len(panel) > 10


def test_flows_are_dated_before_the_day_that_main_models_must_precede(project: Path) -> None:
    add_vintage(project, GENERATED)
    late = variable("late", "recipient_2024", "grant_flows/generated/16")
    assert str(measured_until("late", {"late": late})) == "2025-01-19"
    early = variable("early", "recipient_2024", "grant_flows/reap-fy2021-2024")
    assert str(measured_until("early", {"early": early})) == "2024-09-30"


def test_what_the_stage_refuses(project: Path) -> None:
    path = add_vintage(project, GENERATED)
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(DataError, match="sha256 differs"):
        main()
    path.unlink()
    with pytest.raises(DataError, match="and absent"):
        main()
    assert not (project / "data" / "processed" / "grant_flows.parquet").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("loose.csv", "outside a vintage's folder"),
        ("fy2024/part.csv", "has no origin.yaml"),
        ("generated/part.csv", "origin.yaml does not list it"),
    ],
)
def test_a_file_that_would_be_passed_over_is_refused(project: Path, name: str, said: str) -> None:
    add_vintage(project, GENERATED)
    folder = project / "data" / "raw" / "usaspending"
    (folder / "generated" / ".gitignore").write_text("*.csv")
    main()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content(GENERATED))
    with pytest.raises(DataError, match=f"{name}: .*{said}"):
        main()


def test_without_a_vintage_the_table_is_empty(project: Path) -> None:
    shutil.rmtree(project / "data" / "raw" / "usaspending")
    main()
    table = read_output("grant_flows.parquet")
    assert len(table) == 0 and list(table)[:2] == ["vintage", "county_geoid"]
    with pytest.raises(DataError, match="no grant flows of 'fy2024'"):
        read_flows("fy2024")


def test_a_vintage_that_is_not_there_is_named_with_the_nearest(project: Path) -> None:
    main()
    with pytest.raises(DataError, match="Nearest: 'reap-fy2021-2024'"):
        read_flows("reap-fy2021-2025")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sum_of_transaction_obligations_in_FY", "whole_awards"),
        ("CFDA_10.868_", "ALL_"),
        (".00,", ".005,"),
        (",3,", ",３,"),
    ],
)
def test_a_compiled_table_of_another_measure_is_refused(project: Path, old: str, new: str) -> None:
    path = project / "data/raw/usaspending/reap-fy2021-2024/grants_county_cfda10868.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    origin = path.with_name("origin.yaml")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    content_of = yaml.safe_load(origin.read_text(encoding="utf-8"))
    content_of["files"][path.name]["sha256"] = digest
    origin.write_text(yaml.safe_dump(content_of), encoding="utf-8")
    with pytest.raises(DataError, match="line 2: not a year's obligations"):
        main()

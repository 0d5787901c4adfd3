"""The American Community Survey by the Census API: coherent, by GEO_ID, with reasons for what is missing."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from analysis.formulas import evaluate
from analysis.refresh import acs, census_cells, census_replies
from analysis.refresh.command import Outcome
from analysis.refresh.faults import FetchError, QuarantineError, UsageError
from analysis.sources.acs import read
from tests.conftest import record
from tests.refresh.census_api import BASE, INVALID_KEY, KEY, MISSING_KEY, CensusApi, json_reply, units_of
from tests.refresh.conftest import ORIGINALS, command, needs_originals, tree
from tests.refresh.publisher import Publisher, Reply, Seen

COUNTIES = ("09110", "17031", "17093", "35025", "35049")
RESIDENTS = {code: 40_000 + 1_000 * number for number, code in enumerate(COUNTIES)}
STATES = 3
CHUNKS = 3
FIGURES = CHUNKS * (2 + 2 * STATES)  # states, counties, and places and subdivisions by state
WHOLE = 2 + FIGURES  # and the lists of variables of 2025, which is not there yet, and of 2024
VARIABLES = BASE.format(2024) + "/variables.json"
CODES = ORIGINALS / "census_api" / "annotation_codes.json"


@pytest.fixture
def api(project: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> CensusApi:
    """The API for a country of three states, those of the gazetteer here."""
    gazetteer = project / "data" / "raw" / "geography" / "2024" / "county_geography.csv"
    header, *rows = gazetteer.read_text(encoding="utf-8").splitlines()
    kept = [row for row in rows if row[:2] in ("09", "17", "35")]
    assert len(kept) == len(COUNTIES) + 1  # and an old county of Connecticut
    gazetteer.write_text("\n".join([header, *kept, ""]), encoding="utf-8")
    origin = gazetteer.with_name("origin.yaml")
    content = yaml.safe_load(origin.read_text(encoding="utf-8"))
    content["files"][gazetteer.name]["rows"] = len(kept)
    origin.write_text(yaml.safe_dump(content), encoding="utf-8")
    record(gazetteer)
    monkeypatch.setenv("CENSUS_API_KEY", KEY)
    api = CensusApi(2024, units_of(RESIDENTS))
    publisher.answers |= api.answers()
    return api


def held(project: Path) -> dict[str, bytes]:
    return tree(project / "data" / "raw" / "acs")


def without_key(project: Path) -> int:
    """How many files of the project were looked at; none holds the key."""
    files = [path for path in project.rglob("*") if path.is_file()]
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path
    return len(files)


def first_state(level: str) -> Callable[[Seen], bool]:
    return lambda seen: seen.query["for"] == [f"{level}:*"] and "B01003_001E" in seen.query["get"][0]


def test_every_cell_level_and_margin_of_one_vintage_lands(
    refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher, project: Path
) -> None:
    outcome = refreshed("acs")
    assert outcome.state == "accepted" and outcome.made.vintage == "2020-2024-api"  # the other is compiled
    assert len(publisher.seen) == WHOLE == 26
    assert publisher.asked(BASE.format(2025) + "/variables.json") == 1
    assert all(seen.query["key"] == [KEY] for seen in publisher.seen), "the key belongs to every request"
    folder = project / "data" / "raw" / "acs" / "2020-2024-api"
    origin = yaml.safe_load((folder / "origin.yaml").read_text())
    rows = {name: entry.get("rows") for name, entry in origin["files"].items()}
    assert rows["county.csv"] == 5 and rows["state.csv"] == 3 and rows["county_subdivision.csv"] == 10
    assert origin["obtained"] == "downloaded" and origin["as_of"] == "2024-12-31"
    counties = read("2020-2024-api")
    looked = 0
    for cell in census_cells.cells():
        assert counties[f"{cell}E"].notna().all() and counties[f"{cell}M"].notna().all(), cell
        looked += 1
    assert looked == 63
    assert counties.loc["17031", "B01003_001E"] == RESIDENTS["17031"]
    assert counties.loc["17031", "B01003_001M"] == 0  # controlled
    places = read("2020-2024-api", "place")
    assert places.index.str.len().value_counts().to_dict() == {10: 10, 7: 5}  # county subdivisions too
    assert places["B05002_013M"].notna().all()
    annotations = pd.read_csv(folder / "annotations.csv", dtype="str")
    assert len(annotations) == 8 and set(annotations["code"]) == {"-555555555"}
    assert annotations["reason"].str.contains("controlled").all()
    assert without_key(project) > 20 and KEY not in "\n".join(outcome.lines)


def test_every_formula_of_the_catalogue_works_with_the_new_vintage(
    refreshed: Callable[..., Outcome], api: CensusApi
) -> None:
    refreshed("acs")
    looked = 0
    for level in ("county", "place", "state"):
        table = read("2020-2024-api", level)
        for variable in census_cells.load_catalogue(level).values():
            if variable.source.startswith("acs/"):
                values = evaluate(variable.formula, table)
                assert values.notna().all(), (level, variable.name)
                low, high = variable.range
                if variable.unit == "share":
                    assert values.between(low, high).all(), (level, variable.name)
                looked += 1
    assert looked > 30


@pytest.mark.fault("F34")
def test_rows_in_any_order_and_columns_in_any_order_make_the_same_files(
    refreshed: Callable[..., Outcome], api: CensusApi, project: Path
) -> None:
    refreshed("acs")
    folder = project / "data" / "raw" / "acs" / "2020-2024-api"
    plain = tree(folder)
    shutil.rmtree(folder)
    shuffler = random.Random(3)

    def shuffled(seen: Seen, rows: list) -> list:
        order = list(range(len(rows[0])))
        shuffler.shuffle(order)
        body = rows[1:]
        shuffler.shuffle(body)
        return [[row[place] for place in order] for row in [rows[0], *body]]

    api.twist = shuffled
    refreshed("acs")
    assert tree(folder) == plain and len(plain) == 7


def test_the_second_run_finds_nothing_new(
    refreshed: Callable[..., Outcome], api: CensusApi, project: Path
) -> None:
    refreshed("acs")
    before = held(project)
    assert refreshed("acs").state == "nothing new"
    assert held(project) == before and len(before) > 10


@pytest.mark.fault("F30", "F31", "F33")
def test_every_annotation_code_becomes_missing_with_its_reason(
    refreshed: Callable[..., Outcome], api: CensusApi, project: Path
) -> None:
    api.real = {
        "B19013_001E": {"35025": "-666666666", "17031": "-999999999", "17093": None, "35049": "-666666666.0"},
        "B19013_001M": {"35025": "-222222222", "17031": "-333333333", "17093": "**", "09110": "-888888888"},
        "B01003_001M": {"17031": "*****", "09110": "-555555555"},
    }
    codes = {code for column in api.real.values() for code in column.values()} - {None, "-666666666.0"}
    assert len(codes) == 8 and (not CODES.is_file() or codes >= set(json.loads(CODES.read_text())))
    refreshed("acs")
    counties = read("2020-2024-api")
    assert counties["B19013_001E"].isna().sum() == 4 and counties["B19013_001M"].isna().sum() == 4
    assert (counties["B01003_001M"] == 0).all()
    notes = pd.read_csv(
        project / "data/raw/acs/2020-2024-api/annotations.csv", dtype="str", keep_default_na=False
    )
    notes = notes[notes["level"] == "county"].set_index(["geoid", "column"])
    assert notes.loc[("17093", "B19013_001E"), "code"] == "null"
    assert notes.loc[("35049", "B19013_001E"), "code"] == "-666666666"
    for code in codes:
        reasons = notes.loc[notes["code"] == code, "reason"]
        assert len(reasons) and (reasons != "").all(), code
    assert counties["PCT_POVERTY"].notna().all()


@pytest.mark.fault("F3", "F6", "F7", "F34")
@pytest.mark.parametrize(
    ("fault", "kind", "twist"),
    [
        ("truncated JSON", QuarantineError, lambda rows: Reply(json.dumps(rows).encode()[:-30])),
        ("HTML instead of data", QuarantineError, lambda rows: Reply(b"<html><title>Sorry</title></html>")),
        ("missing key", UsageError, lambda rows: INVALID_KEY),
        ("missing key", UsageError, lambda rows: MISSING_KEY),
        ("empty reply", QuarantineError, lambda rows: Reply(b"", 204)),
        ("empty reply", QuarantineError, lambda rows: Reply(b"")),
        ("not a table", QuarantineError, lambda rows: json_reply([])),
        ("no rows", QuarantineError, lambda rows: rows[:1]),
        ("ragged row", QuarantineError, lambda rows: [*rows[:-1], rows[-1][:-1]]),
        ("doubled row", QuarantineError, lambda rows: [*rows, rows[-1]]),
        ("rows missing", QuarantineError, lambda rows: rows[:-1]),
        (
            "column missing",
            QuarantineError,
            lambda rows: [[f"{name}X" if name.startswith("B01003") else name for name in rows[0]], *rows[1:]],
        ),
        ("doubled column", QuarantineError, lambda rows: [[*row, row[2]] for row in rows]),
        (
            "unknown annotation",
            QuarantineError,
            lambda rows: [rows[0], *[[*row[:2], "-777777777", *row[3:]] for row in rows[1:]]],
        ),
        (
            "not a figure",
            QuarantineError,
            lambda rows: [rows[0], *[[*row[:2], "many", *row[3:]] for row in rows[1:]]],
        ),
        (
            "impossible value",
            QuarantineError,
            lambda rows: [rows[0], *[[*row[:2], "-5", *row[3:]] for row in rows[1:]]],
        ),
        (
            "names differ",
            QuarantineError,
            lambda rows: [rows[0], *[[row[0], "Elsewhere", *row[2:]] for row in rows[1:]]],
        ),
        (
            "wrong unit",
            QuarantineError,
            lambda rows: [rows[0], *[[*row[:-2], "72", row[-1]] for row in rows[1:]]],
        ),
        (
            "not a figure",
            QuarantineError,
            lambda rows: Reply(json.dumps(rows).replace(f'"{rows[1][2]}"', "NaN", 1).encode()),
        ),
        ("truncated JSON", QuarantineError, lambda rows: Reply(b"[" * 100_000)),
        (
            "not text",
            QuarantineError,
            lambda rows: Reply(
                json.dumps([rows[0], *[[row[0], "\ud800", *row[2:]] for row in rows[1:]]]).encode()
            ),
        ),
        ("truncated JSON", QuarantineError, lambda rows: Reply(json.dumps(rows).encode() + b"\xe9")),
        ("wrong type", QuarantineError, lambda rows: Reply(json.dumps(rows).encode("utf-16"))),
        ("key in the reply", QuarantineError, lambda rows: json_reply([*rows, [f"?key={KEY}"]])),
        (
            "bad reply",
            FetchError,
            lambda rows: Reply(b"error: unknown variable 'B01003_001E'", 400, {"Content-Type": "text/plain"}),
        ),
        ("unreachable", FetchError, lambda rows: Reply(b"", 503)),
        ("too many requests", FetchError, lambda rows: Reply(b"", 429)),
    ],
)
def test_what_looks_like_success_and_is_none_is_named(
    fault: str,
    kind: type,
    twist: Callable,
    refreshed: Callable[..., Outcome],
    api: CensusApi,
    publisher: Publisher,
    project: Path,
) -> None:
    before = held(project)
    api.twist = lambda seen, rows: twist(rows) if first_state("county")(seen) else rows
    with pytest.raises(kind, match=f"^{fault}: ") as caught:
        refreshed("acs")
    assert held(project) == before and len(before) > 5
    fetched = (
        2 + 2 * CHUNKS - 2
        if kind is not QuarantineError
        or fault in ("truncated JSON", "HTML instead of data", "empty reply", "not a table")
        else None
    )
    tries = 5 if fault in ("unreachable", "too many requests") else 1
    if fetched and fault != "not a table":
        assert len(publisher.seen) == 2 + CHUNKS + tries  # lists, states, and the first request for counties
    else:
        assert len(publisher.seen) >= 2 + CHUNKS + 1
    assert KEY not in str(caught.value) and without_key(project) > 10


@pytest.mark.parametrize("when", ["fetching", "reading"])
def test_one_wrong_reply_costs_no_other(
    when: str, refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher, project: Path
) -> None:
    wrong = {"fetching": Reply(b"<html><title>Sorry</title></html>"), "reading": json_reply([["GEO_ID"]])}
    broken = [wrong[when]]

    def one(seen: Seen, rows: list) -> list | Reply:
        return (
            broken[0] if broken and first_state("place")(seen) and seen.query["in"] == ["state:09"] else rows
        )

    api.twist = one
    with pytest.raises(QuarantineError):
        refreshed("acs")
    asked = len(publisher.seen)
    (aside,) = (project / ".refresh" / "acs" / "quarantine").iterdir()
    kept = {path.name for path in aside.iterdir()} - {"fetched.json", "reason.txt"}
    assert kept == {"place-09-1.json"} and (aside / "place-09-1.json").read_bytes() == wrong[when].body
    broken.clear()
    assert refreshed("acs").state == "accepted"
    left = 1 + FIGURES - 2 * CHUNKS if when == "fetching" else 2
    assert len(publisher.seen) - asked == left


def test_saved_replies_are_known_by_what_they_hold(
    refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher, project: Path, tmp_path: Path
) -> None:
    refreshed("acs", dry_run=True)
    asked = len(publisher.seen)
    saved, chance = tmp_path / "saved", random.Random(1)
    saved.mkdir()
    captures = sorted((project / ".refresh/acs/fetched/newest").glob("*.json"))
    captures = [path for path in captures if path.name != "fetched.json"]
    for path in captures:
        shutil.copyfile(path, saved / f"response ({chance.getrandbits(40)}).json")
    assert len(captures) == WHOLE - 1
    outcome = refreshed("acs", files=(saved,), vintage="2020-2024")
    assert outcome.state == "accepted" and len(publisher.seen) == asked
    assert read("2020-2024-api").loc["17031", "B01003_001E"] == RESIDENTS["17031"]
    shutil.copyfile(next(saved.iterdir()), saved / "once more.json")
    with pytest.raises(QuarantineError, match=r"^doubled reply: "):
        refreshed("acs", files=(saved,), vintage="2020-2024-b")
    (saved / "once more.json").unlink()
    figures = next(
        path
        for path in saved.iterdir()
        if b"B01003_001E" in path.read_bytes()[:99] and path.stat().st_size < 9999
    )
    figures.unlink()
    with pytest.raises(QuarantineError, match=r"^reply missing: "):
        refreshed("acs", files=(saved,), vintage="2020-2024-b")
    with pytest.raises(UsageError, match=r"^no vintage: no label tells the year"):
        refreshed("acs", files=(saved,))


def test_the_figures_of_another_period_look_wrong(
    refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher
) -> None:
    refreshed("acs")
    publisher.answers |= CensusApi(2025, api.units).answers()
    with pytest.raises(QuarantineError, match=r"^looks wrong: .*residents of 2020-2024-api"):
        refreshed("acs", vintage="2021-2025")
    assert len(publisher.seen) == 2 * WHOLE - 1


@pytest.mark.fault("F20")
@pytest.mark.parametrize("level", ["state", "county", "place", "county subdivision"])
def test_missing_units_are_seen(
    level: str, refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher, project: Path
) -> None:
    before = held(project)
    gone = {"state": "09", "county": "09110", "place": "0910000", "county subdivision": "0911000200"}[level]
    assert gone in api.units[level]
    del api.units[level][gone]
    fault = {
        "state": "missing states",
        "county": "missing states",
        "place": "no rows",
        "county subdivision": "looks wrong",
    }
    with pytest.raises(QuarantineError, match=f"^{fault[level]}: ") as caught:
        refreshed("acs")
    assert level != "county subdivision" or "wrong number of rows" in str(caught.value)
    assert held(project) == before and len(publisher.seen) == WHOLE


@pytest.mark.fault("F29")
def test_a_county_too_few_looks_wrong_and_needs_a_reason(
    refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher, project: Path
) -> None:
    for level, code in (
        ("county", "17093"),
        ("county subdivision", "1709300100"),
        ("county subdivision", "1709300200"),
    ):
        api.units["state"]["17"] -= api.units[level].pop(code) if level == "county" else 0
        api.units[level].pop(code, None)
    with pytest.raises(QuarantineError, match=r"^looks wrong: .*wrong number of rows: 4 counties .* 17093"):
        refreshed("acs")
    assert refreshed("acs", because="It was dissolved.").state == "accepted"
    origin = yaml.safe_load((project / "data/raw/acs/2020-2024-api/origin.yaml").read_text())
    assert origin["accepted_because"] == "It was dissolved." and len(origin["accepted_though"]) >= 1
    assert len(publisher.seen) == 2 * WHOLE


@pytest.mark.fault("F4")
def test_without_a_key_nothing_is_asked_and_the_remedy_is_told(
    refreshed: Callable[..., Outcome], publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CENSUS_API_KEY", raising=False)
    with pytest.raises(UsageError, match=r"^missing key: CENSUS_API_KEY .*key_signup\.html") as caught:
        refreshed("acs")
    assert caught.value.code == 2 and not publisher.seen


def test_another_address_is_refused(
    refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher
) -> None:
    with pytest.raises(UsageError, match=r"^one address: "):
        refreshed("acs", url="https://api.census.gov/data/2023/acs/acs1")
    assert not publisher.seen


@pytest.mark.fault("F39")
def test_hispanic_residents_of_connecticuts_regions_in_2022_are_not_read(
    refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher
) -> None:
    publisher.answers |= CensusApi(2022, api.units).answers()
    refreshed("acs", vintage="2018-2022")
    counties = read("2018-2022-api")
    columns = ["B03002_012E", "B03002_012M", "PCT_HISPANIC"]
    assert counties.loc["09110", columns].isna().all() and counties.loc["17031", columns].notna().all()
    assert len(publisher.seen) == WHOLE - 1


def test_the_command_without_a_key_ends_with_two(project: Path, publisher: Publisher) -> None:
    run = command(project, "acs", CENSUS_API_KEY="")
    _, err = run.communicate(timeout=60)
    assert run.returncode == 2 and "missing key" in err and "Traceback" not in err and not publisher.seen


@pytest.mark.fault("F6")
@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("unknown variable", lambda known: known.pop("B05002_013E")),
        ("unknown variable", lambda known: known["B05002_013E"].update(attributes="B05002_013EA")),
        ("label changed", lambda known: known["B05002_013E"].update(label="Estimate!!Total:!!Native:")),
        ("label changed", lambda known: known["B01003_001E"].update(concept="Housing Units")),
        ("not a list of variables", lambda known: known.clear()),
    ],
)
def test_ids_and_labels_are_looked_at_before_any_figure_is_asked_for(
    fault: str, change: Callable, refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher
) -> None:
    change(api.known)
    with pytest.raises(QuarantineError, match=f"^{fault}: "):
        refreshed("acs")
    assert len(publisher.seen) == 2 and not api.asked


@pytest.mark.fault("F24")
def test_labels_are_known_in_the_spellings_of_every_year() -> None:
    looked = 0
    for cell, label, concept in (
        (
            "B05002_013",
            "Estimate!!Total:!!Foreign-born:",
            "Place of Birth by Nativity and Citizenship Status",
        ),
        ("B05002_013", "Estimate!!Total!!Foreign born", "PLACE OF BIRTH BY NATIVITY AND CITIZENSHIP STATUS"),
        ("B01002_001", "Estimate!!Median age --!!Total:", "Median Age by Sex"),
        (
            "B19013_001",
            "Estimate!!Median household income in the past 12 months (in 2023 inflation-adjusted dollars)",
            "MEDIAN HOUSEHOLD INCOME IN THE PAST 12 MONTHS (IN 2023 INFLATION-ADJUSTED DOLLARS)",
        ),
        (
            "C16002_004",
            "Estimate!!Total:!!Spanish:!!Limited English speaking household",
            "Household Language by Household Limited English Speaking Status",
        ),
    ):
        assert census_cells.is_labelled(cell, label, concept), label
        looked += 1
    assert looked == 5 and not census_cells.is_labelled(
        "C16002_004",
        "Estimate!!Total:!!Spanish:!!Not a limited English speaking household",
        "Household Language by Household Limited English Speaking Status",
    )


def test_a_cell_that_the_catalogue_names_is_asked_for_with_its_margin(
    refreshed: Callable[..., Outcome],
    api: CensusApi,
    publisher: Publisher,
    monkeypatch: pytest.MonkeyPatch,
    project: Path,
) -> None:
    found = {*census_cells.named(), "B25064_001E"}
    monkeypatch.setattr(census_cells, "named", lambda: found)
    with pytest.raises(QuarantineError, match=r"^unknown variable: .*B25064_001E"):
        refreshed("acs")
    api.known["B25064_001E"] = {
        "label": "Estimate!!Median gross rent",
        "concept": "Median Gross Rent",
        "attributes": "B25064_001EA,B25064_001M",
    }
    refreshed("acs")
    assert {"B25064_001E", "B25064_001M"} <= set(read("2020-2024-api")) and len(publisher.seen) == 2 + WHOLE


def test_a_subject_table_comes_from_its_own_dataset(
    refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {*census_cells.named(), "S1701_C03_001E"}
    monkeypatch.setattr(census_cells, "named", lambda: found)
    subject = BASE.format(2024) + "/subject"
    known = {"S1701_C03_001E": {"label": "Estimate!!Percent below poverty level", "concept": "Poverty"}}
    api.real = {"S1701_C03_001E": dict.fromkeys([*COUNTIES], "12.5")} | {
        "S1701_C03_001M": dict.fromkeys([*COUNTIES], "1.5")
    }
    publisher.answers |= {
        f"{subject}/variables.json": json_reply({"variables": known}),
        subject: subject_figures(api),
    }
    refreshed("acs")
    assert (read("2020-2024-api")["S1701_C03_001E"] == 12.5).all()
    assert (
        publisher.asked(subject) == FIGURES // CHUNKS and len(publisher.seen) == 2 + 1 + FIGURES // CHUNKS * 4
    )


def subject_figures(api: CensusApi) -> Callable[[Seen], Reply]:
    class Subject(CensusApi):
        def cell(self, name: str, level: str, code: str, residents: int) -> str:
            return "12.5" if name.startswith("S") else super().cell(name, level, code, residents)

    return Subject(api.year, api.units).figures


@pytest.mark.fault("F24")
def test_a_new_label_of_a_cell_looks_wrong(
    refreshed: Callable[..., Outcome], api: CensusApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {*census_cells.named(), "B25064_001E"}
    monkeypatch.setattr(census_cells, "named", lambda: found)
    about = {"label": "Estimate!!Median gross rent", "concept": "Median Gross Rent"}
    api.known["B25064_001E"] = dict(about)
    refreshed("acs")
    api.known["B25064_001E"] = about | {"label": "Estimate!!Median contract rent"}
    with pytest.raises(QuarantineError, match=r"^looks wrong: .*label changed: B25064_001E"):
        refreshed("acs", vintage="2020-2024-second")


@pytest.mark.parametrize("vintage", ["2024", "2020-2023", "2004-2008", "latest"])
def test_a_vintage_is_five_years(
    vintage: str, refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher
) -> None:
    with pytest.raises(UsageError, match=r"^no vintage: "):
        refreshed("acs", vintage=vintage)
    assert not publisher.seen


@pytest.mark.fault("F1")
def test_retry_after_is_heeded_and_the_run_goes_on(
    refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher
) -> None:
    left = [Reply(b"", 429, {"Retry-After": "0"}), Reply(b"", 503), Reply(b"[[", 200, cut=1)]
    api.twist = lambda seen, rows: left.pop() if left and first_state("county")(seen) else rows
    assert refreshed("acs").state == "accepted" and len(publisher.seen) == WHOLE + 3


@pytest.mark.fault("F1", "F11")
def test_a_run_that_broke_off_does_not_ask_again_for_what_it_has(
    refreshed: Callable[..., Outcome], api: CensusApi, publisher: Publisher, project: Path
) -> None:
    broken = [True]
    api.twist = lambda seen, rows: Reply(b"", 403) if broken and first_state("place")(seen) else rows
    with pytest.raises(FetchError, match=r"^refused: "):
        refreshed("acs")
    asked = len(publisher.seen)
    assert asked == 2 + 2 * CHUNKS + 1
    broken.clear()
    assert refreshed("acs").state == "accepted"
    assert len(publisher.seen) - asked == 1 + FIGURES - 2 * CHUNKS  # the list of 2025 is looked for again
    assert without_key(project) > 10


@pytest.mark.fault("F78", "F5")
def test_a_killed_run_is_gone_on_with(api: CensusApi, publisher: Publisher, project: Path) -> None:
    before, moments = held(project), random.Random(7)
    for _ in range(3):
        stop = len(publisher.seen) + moments.randrange(1, 12)
        run = command(project, "acs", CENSUS_API_KEY=KEY)
        while len(publisher.seen) < stop and run.poll() is None:
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
        _, err = run.communicate()
        assert held(project) == before and KEY not in err and "Traceback" not in err
    run = command(project, "acs", CENSUS_API_KEY=KEY)
    out, err = run.communicate(timeout=100)
    assert run.returncode == 0, err
    assert "accepted: data/raw/acs/2020-2024-api" in out and KEY not in out + err
    whole = WHOLE + 3  # every run looks for the list of 2025
    assert whole <= len(publisher.seen) <= whole + 2 * 3
    assert without_key(project) > 10


@needs_originals
def test_the_real_reply_for_every_county_becomes_a_table(tmp_path: Path) -> None:
    """On the repository's own gazetteer; the cells that the reply lacks are made."""
    rows = json.loads((ORIGINALS / "census_api" / "acs5_2023_county_response.json").read_text())
    header, body = rows[0], rows[1:]
    codes = ["".join(row[-2:]) for row in body]
    columns = zip(*body, strict=True)
    real = {name: dict(zip(codes, column, strict=True)) for name, column in zip(header, columns, strict=True)}
    residents = {code: int(text) for code, text in real["B01003_001E"].items()}
    figures = {name: real[name] for name in ("B19013_001E", "B17001_001E", "B17001_002E")}
    assert len(codes) == 3222
    api = CensusApi(2023, units_of(residents), figures, real["NAME"])
    level, parts = census_replies.LEVELS[1], census_replies.chunks(census_cells.cells())
    for chunk in parts:
        query = {"get": [",".join(chunk.fields())], "for": ["county:*"], "in": ["state:*"], "key": [KEY]}
        answer = api.figures(Seen("GET", BASE.format(2023), query, {}, b""))
        (tmp_path / census_replies.capture(level, "", chunk)).write_bytes(answer.body)
    table, notes, left_out = acs.read_level(tmp_path, level, parts)
    assert len(table) == 3144 and left_out == 78
    compiled = read("2019-2023")
    for name in ("B01003_001E", "B19013_001E", "B17001_001E", "B17001_002E"):
        ours = pd.to_numeric(table[name]).astype("float64").rename_axis("geoid")
        pd.testing.assert_series_equal(ours, compiled[name])
    missing = notes[notes["column"] == "B19013_001E"]
    assert missing["geoid"].tolist() == ["32009", "48261"] and (missing["code"] == "-666666666").all()


@pytest.mark.fault("F35")
def test_margins_of_sums_by_the_handbook() -> None:
    """Of cells whose estimate is zero only the largest margin counts."""
    values = pd.DataFrame({"aE": [10.0, 0.0], "aM": [3.0, 12.0], "bE": [20.0, 0.0], "bM": [4.0, 9.0]})
    assert census_cells.margin_of_sum(values, ["a", "b"]).tolist() == [5.0, 12.0]


@pytest.mark.fault("F34")
def test_no_request_has_more_than_fifty_variables_and_every_cell_is_in_one() -> None:
    parts = census_replies.chunks([f"B{number:05d}_001" for number in range(200)])
    assert len(parts) == 9 and all(len(part.fields()) <= 49 for part in parts)
    assert len({cell for part in parts for cell in part.cells}) == 200
    assert acs.HOSTS == ("api.census.gov",)

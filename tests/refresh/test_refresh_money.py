"""Grant transactions from USAspending: every row, once, held against what the interface adds up."""

from __future__ import annotations

import io
import json
import shutil
import signal
import time
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import yaml

from analysis.grants import stage
from analysis.provenance import read_origin
from analysis.refresh import jobs, money, usaspending
from analysis.refresh.command import Outcome
from analysis.refresh.faults import FetchError, QuarantineError, RefreshError, UsageError
from tests.conftest import run_stage
from tests.refresh.conftest import ORIGINALS, command, needs_originals, tree
from tests.refresh.publisher import Publisher, Reply, Seen
from tests.refresh.usaspending_api import API, ARCHIVED, FILE, FILES, NAME, SpendingApi, rows_of, zipped

pytestmark = needs_originals
REAL = ORIGINALS / "usaspending"
VINTAGE = "fy2024-2026-11-22"
SNIFFED = ("empty reply", "HTML instead of data", "wrong type")  # seen as they come
ASKED = 9  # types, count, agencies, four layers, the job, and the file; looks at the job come on top
STATUS = API + "download/status"


@pytest.fixture
def api(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> SpendingApi:
    """The real rows of one programme, those of fiscal year 2024 that are grants."""
    monkeypatch.setattr(jobs, "FIRST_LOOK", 0.01)
    text = (REAL / "Assistance_PrimeTransactions_REAP_FY2021-2025_sample.csv").read_text(encoding="utf-8")
    header, rows = rows_of(text, 2024)
    grants = [row for row in rows if row["assistance_type_code"] == "04"]
    assert len(header) == 112 and len(grants) == 100 and len(rows) == 111
    api = SpendingApi(header, grants)
    publisher.answers |= api.answers()
    return api


def served(publisher: Publisher, api: SpendingApi, body: bytes) -> None:
    """Another file in place of the job's."""
    api.archive = body
    publisher.answers |= api.answers()


def held(project: Path) -> dict[str, bytes]:
    return tree(project / "data" / "raw" / "usaspending")


def all_rows() -> list[dict[str, str]]:
    return rows_of(
        (REAL / "Assistance_PrimeTransactions_REAP_FY2021-2025_sample.csv").read_text("utf-8"), 2024
    )[1]


def test_a_year_is_made_fetched_checked_and_read_by_the_stage(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher, project: Path
) -> None:
    outcome = refreshed("money")
    assert outcome.state == "accepted" and outcome.made.vintage == VINTAGE
    assert len(publisher.seen) == ASKED + len(api.waits) + 1 and publisher.asked(STATUS) == 3
    assert publisher.asked(API + "bulk_download/awards/") == publisher.asked(FILE) == 1
    folder = project / "data" / "raw" / "usaspending" / VINTAGE
    assert (folder / "transactions.zip").read_bytes() == api.archive
    origin = yaml.safe_load((folder / "origin.yaml").read_text())
    assert origin["obtained"] == "downloaded" and origin["covers"] == {"all": [2024]}
    assert origin["control"]["file"] == {"transactions": 100, "obligations_usd": f"{api.total():.2f}"}
    flows = stage.vintage_flows(VINTAGE, "2025-01-20").to_pandas()
    for _, scope in flows.groupby("scope"):
        assert scope["obligations_usd"].sum() == api.total() and scope["transactions"].sum() == 100
    assert flows["scope"].nunique() == 2
    asked = json.loads(
        next(seen.body for seen in publisher.seen if seen.url.endswith("bulk_download/awards/"))
    )
    assert asked["filters"]["date_range"] == {"start_date": "2023-10-01", "end_date": "2024-09-30"}


def test_the_stage_takes_the_new_vintage_beside_the_old(
    refreshed: Callable[..., Outcome], api: SpendingApi, project: Path
) -> None:
    refreshed("money")
    done = run_stage("python -m analysis.grants.stage", project)
    assert done.returncode == 0, done.stderr
    flows = pd.read_parquet(project / "data" / "processed" / "grant_flows.parquet")
    ours = flows[(flows["vintage"] == VINTAGE) & (flows["scope"] == "recipient")]
    assert Decimal(str(ours["obligations_usd"].sum())) == api.total() and flows["vintage"].nunique() == 2


@pytest.mark.fault("F37")
def test_the_archive_counts_grants_alone_and_keeps_its_day(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher, project: Path
) -> None:
    served(publisher, api, zipped(api.header, all_rows()))  # loans too
    outcome = refreshed("money", vintage="archive-fy2024")
    assert outcome.made.vintage == "archive-fy2024-2026-05-06"
    assert len(publisher.seen) == ASKED and publisher.asked(FILES + ARCHIVED) == 1
    origin = read_origin("usaspending", "archive-fy2024-2026-05-06")
    assert origin["control"]["file"] == {"transactions": 100, "obligations_usd": f"{api.total():.2f}"}


def test_one_agency_by_its_code(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher, project: Path
) -> None:
    outcome = refreshed("money", vintage="fy2024-012")
    assert outcome.made.vintage == "fy2024-012-2026-11-22" and len(publisher.seen) == ASKED + 1 + 3
    assert read_origin("usaspending", outcome.made.vintage)["covers"] == {"Department of Agriculture": [2024]}
    for seen in publisher.seen:
        if seen.method == "POST":
            asked = json.loads(seen.body)["filters"]
            assert asked["agencies"][0]["name"] == "Department of Agriculture", seen.url
    with pytest.raises(UsageError, match=r"^no agency: .*use one of 012"):
        refreshed("money", vintage="fy2024-999")


def test_one_agency_from_the_archive(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher
) -> None:
    api.code = "012"
    publisher.answers |= api.answers()
    outcome = refreshed("money", vintage="archive-fy2024-012")
    assert outcome.made.vintage == "archive-fy2024-012-2026-05-06" and len(publisher.seen) == ASKED + 1
    listing = next(seen for seen in publisher.seen if seen.url.endswith("list_monthly_files/"))
    assert json.loads(listing.body)["agency"] == 1012
    api.code = "070"
    with pytest.raises(QuarantineError, match=r"^not in the archive: .*FY2024_070_"):
        refreshed("money", vintage="archive-fy2024-012")


def test_a_file_in_several_parts_is_one(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher
) -> None:
    served(publisher, api, zipped(api.header, api.rows[:60], api.rows[60:], []))
    assert refreshed("money").state == "accepted" and len(publisher.seen) == ASKED + 3
    assert read_origin("usaspending", VINTAGE)["control"]["file"]["transactions"] == 100


def test_the_real_list_of_agencies_is_read() -> None:
    known = usaspending.agencies(REAL / "response_toptier_agencies.json")
    assert known["015"][1] == "Department of Justice" and len(known) > 100


def test_the_real_status_and_job_are_read() -> None:
    status = usaspending.answer(REAL / "response_download_status.json")
    job = usaspending.answer(REAL / "response_download_assistance.json")
    assert status["status"] in jobs.DONE and status["file_name"] == job["file_name"]
    assert status["total_size"] == Decimal("112.422") and status["total_rows"] == 15


@pytest.mark.fault("F19", "F21")
def test_the_real_messages_are_passed_over_and_others_are_not() -> None:
    content = usaspending.answer(REAL / "response_spending_by_state.json")
    assert len(content["messages"]) == 2 and usaspending.messages(content) == []
    path = Path("answer.json")
    with pytest.raises(QuarantineError, match=r"^filter ignored: "):
        usaspending.results(
            {"results": [], "messages": ["The filters ['award_type'] were not used."]}, path, ()
        )


def test_states_in_real_quarters_have_one_row_without_a_code() -> None:
    table = pd.read_csv(
        REAL / "spending_by_geography_state_FY2008_2024_quarterly.csv", dtype="str", keep_default_na=False
    )
    looked = 0
    for _, quarter in table.groupby(["fy", "quarter"]):
        rows = [{"shape_code": row.code, "aggregated_amount": row.amount} for row in quarter.itertuples()]
        found = usaspending.amounts({"results": rows}, Path("state.json"), 2)
        assert len(found) == 57 and "" in found
        looked += 1
    assert looked == 68


@pytest.mark.fault("F55")
def test_what_the_county_layer_loses_is_told_and_recorded(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher
) -> None:
    gone = api.rows[0]["prime_award_transaction_recipient_county_fips_code"]
    lost = sum(
        Decimal(row["federal_action_obligation"])
        for row in api.rows
        if row["prime_award_transaction_recipient_county_fips_code"] == gone
    )

    def without(seen: Seen, content: dict) -> dict:
        rows = [
            row for row in content["results"] if content["geo_layer"] == "state" or row["shape_code"] != gone
        ]
        return content | {"results": rows}

    api.change["search/spending_by_geography/"] = without
    outcome = refreshed("money")
    recorded = read_origin("usaspending", VINTAGE)["control"]["interface"]["recipient"]
    assert Decimal(recorded["without_county_usd"]) == lost != 0
    assert any(f"${lost:,} have no county there" in line for line in outcome.lines)


def test_what_moved_in_the_totals_is_told(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher, project: Path
) -> None:
    refreshed("money")
    folder = project / "data" / "raw" / "usaspending" / VINTAGE
    totals = pd.read_csv(folder / "totals.csv", dtype="str", keep_default_na=False).set_index(
        ["scope", "by", "name"]
    )
    for scope in ("recipient", "place_of_performance"):
        assert Decimal(totals.loc[(scope, "all", ""), "obligations_usd"]) == api.total()
        for by in ("agency", "state"):
            assert sum(map(Decimal, totals.loc[(scope, by), "obligations_usd"])) == api.total()
    assert refreshed("money", today="2026-12-01").state == "nothing new"
    moved = Decimal(api.rows[0]["federal_action_obligation"]) + 1000
    before = api.total()
    api.rows[0] = api.rows[0] | {"federal_action_obligation": str(moved)}
    served(publisher, api, zipped(api.header, api.rows))
    shutil.rmtree(project / ".refresh")
    with pytest.raises(QuarantineError, match=r"^vintage there: .*--vintage fy2024-2026-11-22-b") as caught:
        refreshed("money")
    assert caught.value.code == 4 and (folder / "totals.csv").is_file()
    done = refreshed("money", today="2026-12-02", dry_run=True)
    assert done.made.before == VINTAGE and done.state == "dry run"
    assert f"'{before}' to '{before + 1000}'" in "\n".join(done.lines)
    assert refreshed("money", vintage="fy2024-2026-11-22-b").made.vintage == "fy2024-2026-11-22-b"
    assert publisher.asked(API + "bulk_download/awards/") >= 4


@pytest.mark.fault("F21")
def test_messages_of_the_interface_are_told(refreshed: Callable[..., Outcome], api: SpendingApi) -> None:
    api.messages.append("Dates before 2007-10-01 were clipped to it.")
    outcome = refreshed("money")
    assert sum("were clipped" in line for line in outcome.lines) == 1


@pytest.mark.fault("F12", "F13", "F17", "F19", "F20")
@pytest.mark.parametrize(
    ("fault", "kind", "path", "change"),
    [
        (
            "unknown award types",
            QuarantineError,
            "references/award_types/",
            lambda seen, content: {"grants": content["grants"] | {"F003": "New"}},
        ),
        (
            "unknown award types",
            QuarantineError,
            "references/award_types/",
            lambda seen, content: {"loans": {}},
        ),
        (
            "not an answer",
            QuarantineError,
            "references/award_types/",
            lambda seen, content: {"detail": "Sorry."},
        ),
        ("no rows", QuarantineError, "download/count/", lambda seen, content: {"calculated_count": 0}),
        ("wrong type", QuarantineError, "download/count/", lambda seen, content: Reply(b'"ok"')),
        (
            "doubled name",
            QuarantineError,
            "download/count/",
            lambda seen, content: Reply(b'{"calculated_count": 100, "calculated_count": 1}'),
        ),
        (
            "not a figure",
            QuarantineError,
            "search/spending_by_geography/",
            lambda seen, content: (
                content
                | {"results": [row | {"aggregated_amount": float("nan")} for row in content["results"]]}
            ),
        ),
        (
            "looks wrong",
            QuarantineError,
            "search/spending_by_geography/",
            lambda seen, content: (
                content | {"results": [row for row in content["results"] if row["shape_code"] != "IA"]}
            ),
        ),
        ("looks wrong", QuarantineError, "download/count/", lambda seen, content: {"calculated_count": 140}),
        ("empty reply", QuarantineError, "download/count/", lambda seen, content: Reply(b"", 204)),
        (
            "HTML instead of data",
            QuarantineError,
            "download/count/",
            lambda seen, content: Reply(b"<html><title>Gateway</title></html>"),
        ),
        (
            "truncated JSON",
            QuarantineError,
            "download/count/",
            lambda seen, content: Reply(b'{"calculated_count": 10'),
        ),
        (
            "wrong page",
            QuarantineError,
            "search/spending_by_category/awarding_agency/",
            lambda seen, content: content | {"page_metadata": {"page": 7, "hasNext": False}},
        ),
        (
            "wrong page",
            QuarantineError,
            "search/spending_by_category/awarding_agency/",
            lambda seen, content: content | {"limit": 10},
        ),
        (
            "deep page",
            QuarantineError,
            "search/spending_by_category/awarding_agency/",
            lambda seen, content: content | {"page_metadata": content["page_metadata"] | {"hasNext": True}},
        ),
        (
            "column missing",
            QuarantineError,
            "search/spending_by_category/awarding_agency/",
            lambda seen, content: content | {"results": [{"id": 1, "name": "A", "sum": 1}]},
        ),
        (
            "not a figure",
            QuarantineError,
            "search/spending_by_category/awarding_agency/",
            lambda seen, content: content | {"results": [{"id": 1, "name": "A", "amount": None}]},
        ),
        (
            "filter ignored",
            QuarantineError,
            "search/spending_by_category/awarding_agency/",
            lambda seen, content: content | {"messages": ["The following filters were not used: agencies"]},
        ),
        (
            "no rows",
            QuarantineError,
            "search/spending_by_category/awarding_agency/",
            lambda seen, content: content | {"results": []},
        ),
        (
            "looks wrong",
            QuarantineError,
            "search/spending_by_category/awarding_agency/",
            lambda seen, content: content | {"results": [{"id": 1, "name": "A", "amount": 5.0}]},
        ),
        (
            "wrong level",
            QuarantineError,
            "search/spending_by_geography/",
            lambda seen, content: content | {"scope": "place_of_performance"},
        ),
        (
            "no rows",
            QuarantineError,
            "search/spending_by_geography/",
            lambda seen, content: content | {"results": []},
        ),
        (
            "doubled row",
            QuarantineError,
            "search/spending_by_geography/",
            lambda seen, content: content | {"results": content["results"] * 2},
        ),
        (
            "wrong unit",
            QuarantineError,
            "search/spending_by_geography/",
            lambda seen, content: (
                content | {"results": [row | {"shape_code": "1001"} for row in content["results"][:1]]}
            ),
        ),
        (
            "looks wrong",
            QuarantineError,
            "search/spending_by_geography/",
            lambda seen, content: (
                content | {"results": [row | {"aggregated_amount": 1e9} for row in content["results"]]}
            ),
        ),
        (
            "not an answer",
            QuarantineError,
            "bulk_download/awards/",
            lambda seen, content: {"file_name": None},
        ),
        ("unreachable", FetchError, "bulk_download/awards/", lambda seen, content: Reply(b"", 503)),
        (
            "bad reply",
            FetchError,
            "bulk_download/awards/",
            lambda seen, content: Reply(b'{"detail": "date_range"}', 422),
        ),
        (
            "wrong file",
            QuarantineError,
            "download/status",
            lambda seen, content: content | {"file_name": "other.zip"},
        ),
        (
            "download failed",
            FetchError,
            "download/status",
            lambda seen, content: content | {"status": "failed", "message": "MemoryError: no room"},
        ),
        (
            "download failed",
            FetchError,
            "download/status",
            lambda seen, content: content | {"status": "errored"},
        ),
        (
            "host not allowed",
            FetchError,
            "download/status",
            lambda seen, content: content | {"file_url": "https://example.org/a.zip"},
        ),
        (
            "wrong size",
            QuarantineError,
            "download/status",
            lambda seen, content: content | {"total_size": 3.5},
        ),
        (
            "rows missing",
            QuarantineError,
            "download/status",
            lambda seen, content: content | {"total_rows": 101},
        ),
    ],
)
def test_what_looks_like_success_and_is_none_is_named(
    fault: str,
    kind: type[RefreshError],
    path: str,
    change: Callable,
    refreshed: Callable[..., Outcome],
    api: SpendingApi,
    publisher: Publisher,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = held(project)
    api.waits, api.left = [], []
    api.change[path] = change
    monkeypatch.setattr(usaspending, "WINDOW", 500)
    with pytest.raises(kind, match=f"^{fault}: "):
        refreshed("money")
    order = [
        "references/award_types/",
        "download/count/",
        "search/spending_by_category/awarding_agency/",
        "search/spending_by_geography/",
        "bulk_download/awards/",
        "download/status",
    ]
    at_once = {
        "unknown award types",
        "not an answer",
        "empty reply",
        "HTML instead of data",
        "truncated JSON",
        "wrong page",
        "bad reply",
        "wrong file",
        "download failed",
        "host not allowed",
    }
    if (fault in at_once and path != "download/count/") or fault in SNIFFED:
        assert len(publisher.seen) == order.index(path) + 1 + (3 if order.index(path) > 3 else 0)
    elif fault == "deep page":
        assert publisher.asked(API + path) == 5 and len(publisher.seen) == 7
    elif fault == "unreachable":
        assert publisher.asked(API + path) == 5 and len(publisher.seen) == 7 + 5
    else:
        assert len(publisher.seen) in (ASKED + 1, 3)
    assert held(project) == before and len(before) == 2


@pytest.mark.fault("F20")
def test_an_answer_cut_off_by_its_default_limit_is_no_whole(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher
) -> None:
    """More agencies than a page holds: every page is asked for, and their sum is the total."""
    for number, row in enumerate(api.rows):
        row["awarding_agency_name"] = f"Agency {number}"
    api.rows += [row | {"awarding_agency_name": f"Other {number}"} for number, row in enumerate(api.rows)]
    served(publisher, api, zipped(api.header, api.rows))
    outcome = refreshed("money")
    assert publisher.asked(API + "search/spending_by_category/awarding_agency/") == 2
    assert (
        read_origin("usaspending", outcome.made.vintage)["control"]["interface"]["agencies_usd"]
        == f"{api.total():.2f}"
    )


def escaping(api: SpendingApi) -> bytes:
    stream = io.BytesIO(api.archive)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("../../outside.csv", "a,b\n1,2\n")
    return stream.getvalue()


def flipped(api: SpendingApi) -> bytes:
    body = bytearray(api.archive)
    body[len(body) // 2] ^= 0xFF
    return bytes(body)


@pytest.mark.fault("F15", "F16")
@pytest.mark.parametrize(
    ("fault", "body"),
    [
        ("zip-slip", escaping),
        ("truncated archive", lambda api: api.archive[: len(api.archive) // 2]),
        ("truncated archive", flipped),
        ("HTML instead of data", lambda api: b"<!DOCTYPE html><html><title>Sorry</title></html>"),
        ("wrong type", lambda api: b"a,b\n1,2\n"),
        ("no rows", lambda api: zipped(api.header, [])),
        (
            "wrong year",
            lambda api: zipped(api.header, [row | {"action_date_fiscal_year": "2023"} for row in api.rows]),
        ),
        (
            "breaks a rule",
            lambda api: zipped(api.header, [row | {"assistance_type_code": "F003"} for row in api.rows]),
        ),
        ("breaks a rule", lambda api: zipped(["x", *api.header[7:]], [])),
        ("rows missing", lambda api: zipped(api.header, api.rows[:60], api.rows[60:99])),
    ],
)
def test_a_file_that_is_not_whole_or_not_the_year_is_refused(
    fault: str,
    body: Callable,
    refreshed: Callable[..., Outcome],
    api: SpendingApi,
    publisher: Publisher,
    project: Path,
) -> None:
    before = held(project)
    served(publisher, api, body(api))
    with pytest.raises(QuarantineError, match=f"^{fault}: "):
        refreshed("money")
    assert publisher.asked(FILE) == 1 and len(publisher.seen) == ASKED + 3
    assert held(project) == before and not list(project.parent.rglob("outside.csv"))


@pytest.mark.fault("F11")
def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher
) -> None:
    whole = publisher.answers[FILE]
    cut = Reply(whole.body, headers=whole.headers, ranges=True, cut=len(whole.body) // 3)
    publisher.answers[FILE] = [Reply(b"", 404), cut, whole]  # told before it is there, then reset midway
    assert refreshed("money").state == "accepted"
    ranges = [seen.headers.get("range") for seen in publisher.seen if seen.url == FILE]
    assert len(ranges) == 3 and ranges[:2] == [None, None] and ranges[2].startswith("bytes=")


@pytest.mark.fault("F11", "F13")
def test_a_job_that_failed_is_asked_for_anew(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher
) -> None:
    api.left = ["running", "failed", "running", "finished"]
    with pytest.raises(FetchError, match=r"^download failed: .*MemoryError: no room"):
        refreshed("money")
    assert refreshed("money").state == "accepted"
    assert publisher.asked(API + "bulk_download/awards/") == 2 and publisher.asked(STATUS) == 4
    assert publisher.asked(API + "download/count/") == 1  # answered by the first run


def test_a_job_that_never_ends_has_an_end(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PATIENCE", 0.3)
    api.left = ["running"] * 50
    with pytest.raises(FetchError, match=r"^not ready: "):
        refreshed("money")
    assert 2 <= publisher.asked(STATUS) <= 20


@pytest.mark.fault("F78")
def test_a_run_killed_while_it_waits_and_while_it_loads_goes_on(
    api: SpendingApi, publisher: Publisher, project: Path
) -> None:
    before = held(project)
    api.left = ["running"]
    whole = publisher.answers[FILE]
    body = whole.body + bytes(1_500_000)  # a comment at the end of a zip may be anything; long, to be cut off
    publisher.answers[FILE] = Reply(body, headers=whole.headers, ranges=True, drip=0.1)
    for moment in (STATUS, FILE):
        run = command(project, "money")
        deadline = time.monotonic() + 60
        while not publisher.asked(moment) and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)
        run.send_signal(signal.SIGKILL)
        _, err = run.communicate()
        assert "Traceback" not in err and held(project) == before
    assert publisher.asked(API + "bulk_download/awards/") == 1
    publisher.answers[FILE] = Reply(whole.body, headers={"ETag": '"2"'}, ranges=True)
    run = command(project, "money")
    _, err = run.communicate(timeout=100)
    assert run.returncode == 0, err
    assert publisher.asked(API + "bulk_download/awards/") == 1 and publisher.asked(FILE) == 2
    ranges = [seen.headers.get("range") for seen in publisher.seen if seen.url == FILE]
    assert ranges[1], "the second asks for the rest, if it is still the same"
    looks = publisher.asked(STATUS)
    assert len(publisher.seen) == 8 + looks + 2 and 3 <= looks <= 4


def test_a_file_by_hand_needs_no_request(
    refreshed: Callable[..., Outcome], api: SpendingApi, publisher: Publisher, tmp_path: Path
) -> None:
    file = tmp_path / NAME
    file.write_bytes(api.archive)
    outcome = refreshed("money", files=(file,), vintage="fy2024")
    assert outcome.state == "accepted" and not publisher.seen
    origin = read_origin("usaspending", VINTAGE)
    assert origin["obtained"] == "downloaded by hand" and "control" not in origin


@pytest.mark.parametrize("vintage", ["2024", "fy2007", "fy2031", "fy2024-9", "latest"])
def test_a_vintage_is_a_fiscal_year(
    vintage: str, refreshed: Callable[..., Outcome], publisher: Publisher
) -> None:
    with pytest.raises(UsageError, match=r"^no vintage: "):
        refreshed("money", vintage=vintage)
    assert not publisher.seen


def test_the_year_in_which_the_panel_ends_is_told(
    refreshed: Callable[..., Outcome], publisher: Publisher, api: SpendingApi
) -> None:
    text = (REAL / "Assistance_PrimeTransactions_REAP_FY2021-2025_sample.csv").read_text("utf-8")
    api.rows = [row for row in rows_of(text, 2025)[1] if row["assistance_type_code"] == "04"]
    served(publisher, api, zipped(api.header, api.rows))
    outcome = refreshed("money", vintage="fy2025")
    assert any("only actions before 2025-01-20 reach the panel" in line for line in outcome.lines)
    assert len(api.rows) == 35 and money.HOSTS == ("api.usaspending.gov", "files.usaspending.gov")

"""The states of a refresh: whole or nothing, two at once, killed at any moment, and what scripts hear."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from analysis import __main__ as main
from analysis.errors import DataError
from analysis.refresh import states
from analysis.refresh.client import Compared, Wanted
from analysis.refresh.command import Outcome
from analysis.refresh.comparing import LISTED, compare
from analysis.refresh.faults import LockedError, RefreshError, UsageError
from analysis.sources import rosters
from tests.conftest import REPOSITORY
from tests.refresh.conftest import command, tree
from tests.refresh.publisher import Publisher, Reply, Seen
from tests.refresh.test_refresh_rosters import BOOK, PAGE, site
from tests.refresh.workbooks import ROWS, workbook

Refreshed = Callable[..., Outcome]
MARKS = {"ETag": '"b1"', "Last-Modified": "Mon, 04 Aug 2025 20:00:00 GMT"}


def incompressible(rows: int = 2_000) -> bytes:
    """A workbook that takes a while: rows of random names."""
    chance = random.Random(0)
    names = [f"{chance.getrandbits(256):064x} County" for _ in range(rows)]
    return workbook(
        [
            ("TEXAS", f"{name} Sheriff", "County", name, "Task Force Model", 45785, "link", None)
            for name in names
        ]
    )


@pytest.mark.fault("F78")
def test_killed_at_any_moment_the_next_run_resumes_or_starts_clean(
    project: Path, publisher: Publisher
) -> None:
    book = incompressible()
    site(publisher, Reply(book, headers=MARKS, ranges=True, drip=0.05))
    before = tree(project / "data")
    accepted = project / "data" / "raw" / "rosters" / "2025-08-04"
    chance, killed, moments, whole = random.Random(7), 0, [], None
    for _ in range(10):
        # A moment of the run: so many requests, and then a while. Machines differ in how long it takes to begin.
        requests, while_ = len(publisher.seen) + chance.randint(0, 3), chance.uniform(0, 0.4)
        run = command(project, "rosters", "--because", "the fixture's roster is short")
        until = time.monotonic() + 30
        while run.poll() is None and len(publisher.seen) < requests and time.monotonic() < until:
            time.sleep(0.005)
        try:
            run.wait(while_)
        except subprocess.TimeoutExpired:
            os.kill(run.pid, signal.SIGKILL)
            killed += 1
        out, err = run.communicate()
        moments.append((requests, round(while_, 2), run.returncode))
        after = tree(project / "data")
        assert before.items() <= after.items(), "an accepted byte has changed"
        assert run.returncode in (0, -signal.SIGKILL), (moments, out, err)
        if accepted.is_dir():
            whole = whole or {path.name for path in accepted.iterdir()}
            assert whole == {"origin.yaml", "roster.csv", "participatingAgencies08042025pm.xlsx"}
        else:
            assert after == before
    assert killed >= 5, moments
    last = command(project, "rosters", "--because", "the fixture's roster is short")
    out, err = last.communicate()
    assert last.returncode == 0 and ("accepted: " in out or "nothing new" in out), err
    assert accepted.is_dir() and (accepted / "participatingAgencies08042025pm.xlsx").read_bytes() == book
    assert len(rosters.read("2025-08-04")) == 2_000
    assert publisher.asked(PAGE) >= 2 and publisher.asked(BOOK) >= 1
    left = {path.name for path in (project / ".refresh" / "rosters").iterdir()}
    assert left <= {"lock", "fetched", "diff-2025-08-04.csv"}


def test_a_killed_download_goes_on_where_it_stopped(project: Path, publisher: Publisher) -> None:
    book = incompressible()
    site(publisher, Reply(book, headers=MARKS, ranges=True, drip=0.3))
    part = (
        project / ".refresh" / "rosters" / "fetched" / "newest" / "participatingAgencies08042025pm.xlsx.part"
    )
    run = command(project, "rosters")
    until = time.monotonic() + 30
    while not (part.is_file() and part.stat().st_size > 0) and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    there = part.stat().st_size
    assert 0 < there < len(book)
    site(publisher, Reply(book, headers=MARKS, ranges=True))
    again = command(project, "rosters", "--because", "the fixture's roster is short")
    assert again.wait(60) == 0, again.stderr.read()
    again.communicate()
    assert publisher.asked(BOOK) == 2
    assert publisher.seen[-1].headers["range"] == f"bytes={there}-"
    assert (project / "data/raw/rosters/2025-08-04/participatingAgencies08042025pm.xlsx").read_bytes() == book


@pytest.mark.fault("F77")
def test_of_two_at_once_one_waits_outside(project: Path, publisher: Publisher) -> None:
    site(publisher, workbook())
    begun, may_end = threading.Event(), threading.Event()
    whole = publisher.answers[PAGE]

    def slow(seen: Seen) -> Reply:
        begun.set()
        may_end.wait(60)
        return whole

    publisher.answers[PAGE] = slow
    first = command(project, "rosters")
    assert begun.wait(30)
    second = command(project, "rosters")
    _, err = second.communicate()
    assert second.returncode == 5 and "locked: another refresh of 'rosters' is running" in err
    may_end.set()
    out, err = first.communicate()
    assert first.returncode == 0 and "accepted: data/raw/rosters/2025-08-04" in out, err
    assert publisher.asked(PAGE) == 1 and len(publisher.seen) == 3
    assert "100 %" not in err and err.count("\n") < 10


@pytest.mark.fault("F77")
def test_two_threads_of_one_source_exclude_each_other(project: Path) -> None:
    with states.locked("rosters"):
        with pytest.raises(LockedError) as caught, states.locked("rosters"):
            pass
        assert caught.value.code == 5
        with states.locked("lists") as other:
            assert other.is_dir()
    with states.locked("rosters") as desk:
        assert desk.is_dir()


@pytest.mark.fault("F73")
def test_an_accepted_vintage_is_never_replaced(
    refreshed: Refreshed, project: Path, publisher: Publisher
) -> None:
    candidate = project / "elsewhere" / "2025-05-28"
    candidate.mkdir(parents=True)
    (candidate / "roster.csv").write_text("x")
    before = tree(project / "data")
    with pytest.raises(RefreshError, match="vintage there"):
        states.accept(candidate, "rosters")
    assert tree(project / "data") == before and candidate.is_dir()
    site(publisher, workbook([*ROWS, ROWS[0]]))
    with pytest.raises(RefreshError, match=r"vintage there.*other contents"):
        refreshed("rosters", vintage="2025-05-28", because="no reason helps")
    assert tree(project / "data") == before and len(publisher.seen) == 3


@pytest.mark.parametrize("step", ["lay_out", "as_project", "accept"])
def test_a_disk_that_fails_leaves_nothing(
    refreshed: Refreshed, project: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    site(publisher, workbook())
    before = tree(project / "data")

    def full(*words: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(states, step, full)
        assert main.main(["refresh", "rosters"]) == 1
    assert tree(project / "data") == before
    assert refreshed("rosters").state == "accepted"


def test_scripts_hear_what_happened(
    project: Path, publisher: Publisher, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    def code(*words: str) -> int:
        return main.main(["refresh", "rosters", *words])

    site(publisher, Reply(b"", 404))
    assert code() == 3
    site(publisher, workbook(ROWS[:2]))
    assert code() == 4
    assert 'Remedy: look at it; if it is right, run again with --because "WHY".' in capsys.readouterr().err
    site(publisher, workbook())
    assert code("--vintage", "yesterday") == 2
    assert code("--from", "x.xlsx", "--url", PAGE) == 2
    assert code("--dry-run") == 0 and "dry run: would accept" in capsys.readouterr().out
    assert code() == 0 and "Next: `python -m analysis changes --since HEAD`" in capsys.readouterr().out
    assert code() == 0 and "nothing new" in capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        main.main(["refresh", "moon"])
    assert caught.value.code == 2
    with pytest.raises(SystemExit) as caught:
        main.main(["refresh", "--help"])
    assert caught.value.code == 0 and "exit codes" in capsys.readouterr().out
    assert len(publisher.seen) == 3 + 3 + 3 + 3 + 3 + 3


@pytest.mark.fault("F5")
def test_other_libraries_tell_no_key(
    project: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    from analysis.refresh import rosters as client

    secret = "c0ffee" * 6

    def fetch(web: object, wanted: Wanted) -> None:
        assert wanted.key == secret
        raise ConnectionError(f"Max retries exceeded with url: /data?get=NAME&key={wanted.key} ({secret})")

    monkeypatch.setattr(client, "KEY", "SOME_API_KEY", raising=False)
    monkeypatch.setattr(client, "fetch", fetch)
    monkeypatch.setenv("SOME_API_KEY", secret)
    assert main.main(["refresh", "rosters"]) == 3
    told = capsys.readouterr()
    assert "Max retries exceeded" in told.err and secret not in told.err + told.out
    assert [path for path, text in tree(project / ".refresh").items() if secret.encode() in text] == []
    assert publisher.seen == []


def test_ctrl_c_is_no_traceback(
    project: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("analysis.refresh.rosters.make", lambda *words: signal.raise_signal(signal.SIGINT))
    site(publisher, workbook())
    assert main.main(["refresh", "rosters"]) == 130
    assert "nothing was accepted" in capsys.readouterr().err and len(publisher.seen) == 3


def test_another_address_stays_on_the_publisher_s_host(refreshed: Refreshed, publisher: Publisher) -> None:
    moved = "https://www.ice.gov/new/287g"
    site(publisher, workbook())
    publisher.answers[moved] = publisher.answers.pop(PAGE)
    assert refreshed("rosters", url=moved).state == "accepted"
    assert refreshed("rosters", url=BOOK).state == "nothing new"
    assert publisher.seen[0].url == moved and publisher.seen[-1].url == BOOK
    with pytest.raises(RefreshError, match="host not allowed") as caught:
        refreshed("rosters", url="https://evil.example.com/287g")
    assert caught.value.code == 3


def test_names_of_vintages_are_no_paths(refreshed: Refreshed, project: Path, publisher: Publisher) -> None:
    for name in ("../x", "/etc", "a/b", "..", ""):
        if name:
            with pytest.raises(UsageError, match="no vintage"):
                refreshed("rosters", vintage=name)
    assert publisher.seen == [] and not (project / "data" / "x").exists()


def test_git_and_dvc_do_not_see_the_desk() -> None:
    assert "/.refresh/" in (REPOSITORY / ".gitignore").read_text().splitlines()
    assert ".refresh" in (REPOSITORY / ".dvcignore").read_text().splitlines()
    pipeline = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    deps = {dep for stage in pipeline.values() for dep in stage["deps"]}
    assert len(deps) > 20 and not any(".refresh".startswith(dep) for dep in deps)


def test_a_column_that_changes_everywhere_is_told_once(tmp_path: Path) -> None:
    for name, factor in {"old": 1, "new": 2}.items():
        (tmp_path / name).mkdir()
        rows = "".join(f'{row},{row * factor},"a\n{row}"\n' for row in range(1, LISTED + 2))
        (tmp_path / name / "t.csv").write_text(f"k,a,b\n{rows}")
    found = compare(tmp_path / "old", tmp_path / "new", {"t.csv": Compared(("k",))})
    told = [tuple(row) for row in found.table.itertuples(index=False, name=None)]
    assert told == [("t.csv", "column changed", "", "a", "", f"{LISTED + 1:,} of {LISTED + 1:,} rows")]
    assert f"0 added, 0 removed, {LISTED + 1:,} changed" in found.counted()
    assert f"column changed: a of t.csv: {LISTED + 1:,} of" in "\n".join(found.lines())


@pytest.mark.fault("F28", "F61")
def test_differences_are_told_by_key(tmp_path: Path) -> None:
    for name, text in {
        "old": "k,a,b,gone\n1,x,y,\n2,x,y,\n2,z,y,\n",
        "new": "k,a,b,come\n2,x,y,\n2,z,Y,\n3,x,y,\n",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "t.csv").write_text(text)
    found = compare(tmp_path / "old", tmp_path / "new", {"t.csv": Compared(("k",))})
    assert found.rows == {"t.csv": (3, 3)}
    told = {tuple(row) for row in found.table.drop(columns="file").itertuples(index=False, name=None)}
    assert told == {
        ("column removed", "", "gone", "", ""),
        ("column added", "", "come", "", ""),
        ("removed", "1", "", "", ""),
        ("added", "3", "", "", ""),
        ("changed", "2 (row 2 of that key)", "b", "y", "Y"),
    }
    assert "1 added, 1 removed, 1 changed" in found.counted()
    assert not compare(tmp_path / "old", tmp_path / "old", {"t.csv": Compared(("k",))})
    assert len(compare(None, tmp_path / "new", {"t.csv": Compared(("k",))}).table) == 3
    (tmp_path / "old" / "t.csv").write_text("k,k\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"t\.csv, line 1, column 'k': the header names 'k' twice"):
        compare(tmp_path / "old", tmp_path / "new", {"t.csv": Compared(("k",))})

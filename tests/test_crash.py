"""What the pipeline does when its machine fails: killed, two at once, no room, no right, a file gone, a clock
set back."""

from __future__ import annotations

import ctypes
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analysis import lockfile
from analysis.errors import DataError
from analysis.stages import spoken, state, steady_inputs
from analysis.writing import replacing
from tests.conftest import PIPELINE, REPOSITORY, outputs, record
from tests.crashes import dvc, dvc_project, extra, half_written, killed, mend, start

KILLS = 5
LISTING = "data/raw/lists/dhs-2025-05-31/listings.csv"
CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24


@pytest.mark.fault("F77", "F78", "F80")
def test_killed_runs_end_in_the_same_bytes(built: Path, tmp_path: Path) -> None:
    """Five kills at random moments in a hard path, another time zone, locale and hashes; then two at once."""
    whole = outputs(built)
    folder = dvc_project(tmp_path / "élan vital")
    stopped = 0
    for was_running in killed(folder, random.Random(20250529), longest=12.0):
        stopped += was_running
        assert half_written(folder, whole) == []
        mend(folder)  # DVC's own record is all that a kill can cut off, and it then refuses to run
        if stopped == KILLS or not was_running:
            break
    assert stopped >= 3
    first = start(folder)
    time.sleep(2.5)
    second = dvc(folder, "repro")
    said = first.communicate()[0]
    assert first.returncode == 0, said
    if second.returncode:
        assert "busy" in second.stderr or "lock" in second.stderr, second.stderr
    record_ = folder / "dvc.lock"
    text = record_.read_text(encoding="utf-8")
    record_.write_text(text[: text.rindex("    cmd:")], encoding="utf-8")
    busy = folder / lockfile.BUSY
    busy.write_text('{"write": {', encoding="utf-8")
    refused = dvc(folder, "repro")
    assert refused.returncode and "dvc.lock" in refused.stderr
    assert mend(folder) and not mend(folder) and not busy.exists()
    assert dvc(folder, "repro").returncode == 0
    after = outputs(folder)
    assert [name for name in whole if after.get(name) != whole[name]] == []
    assert sorted(after) == sorted(whole)
    assert (folder / "MANIFEST.csv").read_bytes() == (built / "MANIFEST.csv").read_bytes()
    assert extra(folder) == []
    assert "up to date" in dvc(folder, "status").stdout


@pytest.mark.fault("F78")
def test_a_record_that_was_cut_keeps_its_whole_stages() -> None:
    text = (REPOSITORY / "dvc.lock").read_text(encoding="utf-8")
    assert lockfile.mended(text) == text and len(lockfile.STAGE.findall(text)) == len(PIPELINE)
    draw, kept = random.Random(5), []
    first = [found.start() for found in lockfile.STAGE.finditer(text)][1]
    for end in [
        first - 40,
        *draw.sample(range(first, len(text) // 4), 9),
    ]:  # longer ones take seconds, no more
        whole = lockfile.mended(text[:end])
        stages = lockfile.parse_yaml(whole, "dvc.lock").get("stages", {})
        assert text.startswith(whole) and end - len(whole) < 20_000
        kept.append(len(stages))
    assert kept[0] < 2 < max(kept)
    for nothing in ("", "sche", "schema: '2.0'\nstages:\n", "\0" * 9):
        assert lockfile.mended(nothing) == "", nothing


@pytest.mark.fault("F78")
@pytest.mark.parametrize("left", ["", "\0\0", "sche"])
def test_a_record_of_which_nothing_is_left_is_deleted(
    left: str, project: Path, capsys: pytest.CaptureFixture
) -> None:
    """DVC empties its record before it writes it: a kill or a full disk between leaves nothing at all."""
    record_ = project / "dvc.lock"
    record_.write_text(left, encoding="utf-8")
    lockfile.main()
    assert "dvc.lock was cut off" in capsys.readouterr().out and not record_.exists()
    lockfile.main()
    assert not capsys.readouterr().out


def test_a_record_that_cannot_be_mended_is_named(project: Path) -> None:
    (project / "dvc.lock").write_text("schema: '2.0'\nstages:\n  one:\n    cmd: make\n  tw", encoding="utf-8")
    project.chmod(0o555)
    try:
        done = stage_of("python -m analysis.lockfile", project, before=no_privilege)
    finally:
        project.chmod(0o755)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "dvc.lock" in done.stderr and "Remedy: give yourself the right" in done.stderr


@pytest.mark.fault("F78")
def test_an_edit_with_the_clock_set_back_is_seen(built: Path, tmp_path: Path) -> None:
    folder = dvc_project(tmp_path / "project")
    assert dvc(folder, "repro", "jurisdictions").returncode == 0
    path = folder / LISTING
    size = path.stat().st_size
    text = path.read_text(encoding="utf-8")
    assert "Kendall County" in text
    path.write_text(text.replace("Kendall County", "Kendell County"), encoding="utf-8")
    record(path)
    assert path.stat().st_size == size
    for changed in (path, path.with_name("origin.yaml"), folder / "data/processed/jurisdictions.csv"):
        os.utime(changed, (631152000, 631152000))  # 1990
    assert dvc(folder, "repro", "jurisdictions").returncode == 0
    assert "Kendell" in (folder / "data/processed/jurisdictions.csv").read_text(encoding="utf-8")


def stage(folder: Path, name: str, *, before: object = None) -> subprocess.CompletedProcess:
    return stage_of(PIPELINE[name]["cmd"], folder, before=before)


def stage_of(command: str, folder: Path, *, before: object = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command.split()[1:]],
        cwd=folder,
        env=os.environ | {"ANALYSIS_ROOT": str(folder), "PYTHONPATH": str(REPOSITORY)},
        preexec_fn=before,
        capture_output=True,
        text=True,
        check=False,
    )


def no_room() -> None:
    """Files of more than one kilobyte cannot be written, as on a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))


def no_privilege() -> None:
    """Let root heed the rights of files, as others must."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)


@pytest.mark.parametrize("name", ["jurisdictions", "flows", "panel", "models", "figures"])
def test_a_full_disk_costs_nothing(name: str, built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    before = outputs(folder)
    done = stage(folder, name, before=no_room)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "File too large" in done.stderr and "Remedy: allow larger files" in done.stderr, done.stderr
    assert outputs(folder) == before
    assert not list(folder.rglob("*.part"))


@pytest.mark.parametrize("name", ["jurisdictions", "stakes"])
def test_a_read_only_folder_is_named(name: str, built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    before = outputs(folder)
    (folder / "data" / "processed").chmod(0o555)
    try:
        done = stage(folder, name, before=no_privilege)
    finally:
        (folder / "data" / "processed").chmod(0o755)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "data/processed" in done.stderr and "Permission denied" in done.stderr, done.stderr
    assert "Remedy: give yourself the right" in done.stderr
    assert outputs(folder) == before


@pytest.mark.fault("F74")
@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("panel", "data/raw/votes/2024/county_votes.csv"),
        ("models", "data/processed/panel_county.parquet"),
        ("checks", "data/processed/jurisdictions.csv"),
        ("jurisdictions", "data/raw/geography/2024/county_geography.csv"),
        ("checks", "params.yaml"),
    ],
)
def test_a_file_that_vanished_is_named(name: str, gone: str, built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    assert (folder / gone).is_file()
    (folder / gone).unlink()
    before = outputs(folder)
    done = stage(folder, name)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert Path(gone).name in done.stderr and ("emedy: " in done.stderr), done.stderr
    assert outputs(folder) == before


@pytest.mark.fault("F79")
@pytest.mark.parametrize("change", ["edited", "gone", "new", "none"])
def test_inputs_that_change_while_a_stage_runs_are_refused(
    change: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project / LISTING

    def work() -> None:
        with steady_inputs():
            if change == "edited":
                path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
            elif change == "gone":
                path.unlink()
            elif change == "new":
                path.with_name("more.csv").write_text("a\n", encoding="utf-8")
            (path.parent / "half.csv.part").write_text("a\n", encoding="utf-8")

    monkeypatch.setenv("DVC_STAGE", "jurisdictions")
    if change == "none":
        assert len(state([project / "data" / "raw" / "lists"])) > 1
        work()
        return
    with pytest.raises(DataError, match="1 inputs of the stage 'jurisdictions' were changed while it ran"):
        work()


@pytest.mark.fault("F78")
def test_what_a_killed_run_left_is_swept_by_the_next_of_its_stage(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its own outputs alone: another stage may be writing."""
    monkeypatch.setenv("DVC_STAGE", "pages")
    left = [
        project / "reports/_site/.index.html.abc.part",
        project / "reports/_site/downloads/figures/.pairs.csv.abc.part",
        project / "reports/.findings.pdf.abc.part",
    ]
    kept = [
        project / "data/processed/.jurisdictions.csv.abc.part",
        project / "reports/_site/half.part",
        project / "reports/_site/index.html",
        project / ".refresh/big.zip.part",
    ]
    for path in (*left, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    with steady_inputs():
        assert [path for path in left if path.exists()] == []
        assert [path for path in kept if not path.exists()] == []


@pytest.mark.parametrize("there", ["folder", "file above"])
def test_what_stands_in_the_way_of_an_output_is_named(there: str, tmp_path: Path) -> None:
    path = tmp_path / "processed" / "a.csv"
    if there == "folder":
        path.mkdir(parents=True)
    else:
        path.parent.write_text("no folder")
    with pytest.raises(OSError) as raised, replacing(path) as beside:
        beside.write_text("a\n")
    said = spoken(raised.value)
    assert said.startswith(f"{path if there == 'folder' else path.parent}: "), said
    assert "Remedy: move away" in said and ".part" not in said
    assert path.is_dir() if there == "folder" else path.parent.read_text() == "no folder"


@pytest.mark.fault("F80")
def test_what_an_earlier_build_left_among_the_pages_is_no_output(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    before = outputs(folder)
    for stray in ("old.csv", "downloads/figures/gone.parquet", "old.pdf"):
        (folder / "reports/_site" / stray).parent.mkdir(parents=True, exist_ok=True)
        (folder / "reports/_site" / stray).write_text("of a build long ago")
    done = stage(folder, "pages")
    assert done.returncode == 0, done.stderr
    assert outputs(folder) == before


def test_an_operating_system_error_without_a_known_remedy_keeps_its_words() -> None:
    assert spoken(OSError(9999, "odd")) == "[Errno 9999] odd"
    assert spoken(PermissionError(13, "Permission denied", "a.csv")).startswith("a.csv: Permission denied.")

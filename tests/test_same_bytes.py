"""How differences of bytes are told, the manifest, and that each output is in it."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from matplotlib.figure import Figure

from analysis.differing import differences, first_difference
from analysis.errors import DataError
from analysis.manifest import check, manifest, sha256
from analysis.verify import Condition, compare, run
from benchmarks.soak import Row, together
from tests.conftest import PIPELINE, REPOSITORY, outs, run_stage

TABLE = "name,value\na,1.5\nb,2.25\n"


def two(folder: Path, name: str, was: bytes, now: bytes) -> tuple[Path, Path]:
    for version, content in (("was", was), ("now", now)):
        (folder / version).mkdir(exist_ok=True)
        (folder / version / name).write_bytes(content)
    return folder / "was" / name, folder / "now" / name


@pytest.mark.parametrize(
    ("name", "now", "said"),
    [
        ("t.csv", TABLE, ""),
        (
            "t.csv",
            TABLE.replace("2.25", "2.2500225"),
            "row 2, column 'value': 2.25 became 2.2500225 (by 1.0e-05 of it); 1 cells in all",
        ),
        ("t.csv", TABLE.replace("a,", "ä,"), "row 1, column 'name': a became ä; 1 cells in all"),
        ("t.csv", TABLE.replace("value", "worth"), "column 'value' became 'worth'"),
        ("t.csv", TABLE.replace("value", "value,x"), "column 'none' became 'x'"),
        ("t.csv", TABLE + "c,3\n", "2 rows became 3"),
        ("t.csv", TABLE.replace("\n", "\r\n"), "the same cells, written otherwise; byte 11 of 24, now 27"),
        ("t.csv", TABLE.replace("1.5", "nan"), "row 1, column 'value': 1.5 became nan; 1 cells in all"),
        (
            "t.csv",
            TABLE.replace("b,", '"b\x1b[2J\nb",'),
            r"row 2, column 'name': 'b' became 'b\x1b[2J\nb'; 1 cells in all",
        ),
        (
            "t.csv",
            TABLE.replace("b,", "b" * 9_999 + ","),
            f"row 2, column 'name': b became {'b' * 60}; 1 cells in all",
        ),
        ("t.csv", "", "not a table any more (No columns to parse from file); byte 1 of 24, now 0"),
        ("t.txt", TABLE.replace("b,2", "b,3"), "line 3, character 3: 'b,2.25' became 'b,3.25'"),
        ("t.txt", TABLE[:-1], "line 4 is only in the earlier version"),
    ],
)
def test_the_first_difference_is_told_in_words(name: str, now: str, said: str, tmp_path: Path) -> None:
    assert first_difference(*two(tmp_path, name, TABLE.encode(), now.encode())) == said


def test_other_files_are_told_by_the_byte(tmp_path: Path) -> None:
    assert first_difference(*two(tmp_path, "a.png", b"\xff\x00\x01", b"\xff\x00\x02")) == "byte 3 of 3, now 3"
    assert first_difference(tmp_path / "no", tmp_path / "was" / "a.png") == "absent before"
    assert first_difference(tmp_path / "was" / "a.png", tmp_path / "no") == "absent now"
    assert first_difference(tmp_path / "was" / "a.png", tmp_path) == "a folder now"
    assert differences(tmp_path / "was" / "a.png", tmp_path) == [("a.png", "a folder now")]
    assert differences(tmp_path / "was", tmp_path / "no") == [("a.png", "absent now")]


def drawing(text: str, form: str, **metadata: str | None) -> bytes:
    figure = Figure(figsize=(2, 1), dpi=50)
    figure.text(0.1, 0.5, text)
    out = io.BytesIO()
    blank = {"Software": None} if form == "png" else {"CreationDate": None}
    figure.savefig(out, format=form, metadata=blank | metadata)
    return out.getvalue()


def test_pictures_and_pdf_are_told_by_what_is_seen(tmp_path: Path) -> None:
    plain = drawing("605", "png")
    was, now = two(tmp_path, "a.png", plain, drawing("604", "png"))
    said = re.match(
        r"dot (\d+) of line (\d+): \((.+)\) became \((.+)\); (\d+) dots in all; byte ",
        first_difference(was, now),
    )
    assert said and int(said[1]) > 10 and int(said[2]) > 10 and 2 < int(said[5]) < 500 and said[3] != said[4]
    now.write_bytes(drawing("605", "png", Comment="at noon"))
    assert first_difference(was, now).startswith("the same picture, packed or described otherwise; byte ")
    now.write_bytes(plain[:100])
    assert re.fullmatch(rf"byte 101 of {len(plain)}, now 100", first_difference(was, now))

    was, now = two(tmp_path, "a.pdf", drawing("605 entries", "pdf"), drawing("604 entries", "pdf"))
    said = first_difference(was, now)
    assert said.startswith("page 1, line 1, character 3: '605 entries' became '604 entries'; byte "), said
    now.write_bytes(drawing("605 entries", "pdf", Title="at noon"))
    assert first_difference(was, now).startswith("the same text, drawn, packed or described otherwise; byte ")
    now.write_bytes(b"no PDF")
    assert first_difference(was, now).startswith("byte 1 of ")


def test_parquet_is_told_by_row_and_column(tmp_path: Path) -> None:
    was, now = two(tmp_path, "p.parquet", b"", b"")
    frame = pd.DataFrame({"x": [1.0, None, 3.0]}, index=pd.Index(["a", "b", "c"], name="geoid"))
    frame.to_parquet(was)
    frame.replace(3.0, 6.0).to_parquet(now)
    assert (
        first_difference(was, now) == "row 3, column 'x': 3.0 became 6.0 (by 1.0e+00 of it); 1 cells in all"
    )
    frame.astype("float32").to_parquet(now)
    assert first_difference(was, now) == "column 'x': double became float"
    frame.to_parquet(now, compression="gzip")
    assert first_difference(was, now).startswith("the same cells, written otherwise; byte ")
    for path, last in ((was, [3]), (now, [4])):
        pd.DataFrame({"x": [[1, 2], None, last]}).to_parquet(path)
    assert first_difference(was, now) == "row 3, column 'x': [3] became [4]; 1 cells in all"


def test_every_file_of_a_folder_is_compared(tmp_path: Path) -> None:
    two(tmp_path, "b.txt", b"1\n", b"2\n")
    two(tmp_path, "c.txt", b"1\n", b"1\n")
    (tmp_path / "now" / "a.txt").write_text("new")
    (tmp_path / "now" / ".d.part").write_text("half")
    told = differences(tmp_path / "was", tmp_path / "now")
    assert told == [("a.txt", "absent before"), ("b.txt", "line 1, character 1: '1' became '2'")]


def test_verify_tells_what_changed_in_a_clone(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    stages = {"stages": {"one": {"cmd": "true", "outs": [{"a b.csv": {"cache": False}}, "gone.csv"]}}}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump(stages))
    (tmp_path / "a b.csv").write_text(TABLE)
    run(["git", "init", "--quiet"], tmp_path)
    run([*git, "add", "."], tmp_path)
    run([*git, "commit", "--quiet", "-m", "one"], tmp_path)
    assert compare(tmp_path, tmp_path) == ["gone.csv: was not written"]
    (tmp_path / "a b.csv").write_text(TABLE.replace("1.5", "1.6"))
    (tmp_path / "é.txt").write_text("x")
    said = compare(tmp_path, tmp_path)
    assert "a b.csv: row 1, column 'value': 1.5 became 1.6 (by 6.7e-02 of it); 1 cells in all" in said
    assert "é.txt: is new" in said and len(said) == 3
    (tmp_path / "a b.csv").write_text(TABLE)
    (tmp_path / "a b.csv").chmod(0o755)
    assert "a b.csv: the same bytes, with another mode, or as a link" in compare(tmp_path, tmp_path)


def test_a_condition_reaches_the_process() -> None:
    code = "import os, time; print(os.environ['TZ'], time.timezone, oct(os.umask(0)))"
    odd = Condition("odd", {"TZ": "<+1245>-12:45"}, umask=0o077)
    assert run([sys.executable, "-c", code], REPOSITORY, odd).split() == ["<+1245>-12:45", "-45900", "0o77"]


def test_a_folders_checksum_is_that_of_its_listing(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.txt").write_text("2")
    (tmp_path / "a.txt").write_text("1")
    listing = subprocess.run(
        ["sha256sum", "a.txt", "b/two.txt"], cwd=tmp_path, capture_output=True, check=True
    )
    assert sha256(tmp_path) == hashlib.sha256(listing.stdout).hexdigest()
    with pytest.raises(DataError, match="an empty folder"):
        sha256(tmp_path / "none")


def test_the_manifest_has_every_output_and_every_input(built: Path) -> None:
    table = pd.read_csv(built / "MANIFEST.csv", dtype="str", keep_default_na=False)
    pipeline = yaml.safe_load((built / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, stage in pipeline.items():
        rows = table[table["stage"] == name]
        if name == "manifest":
            assert not len(rows)
            continue
        written = rows.loc[rows["role"] == "output", "path"]
        assert all(any(Path(path).is_relative_to(out) for path in written) for out in outs(stage)), name
        read = set(rows.loc[rows["role"] == "input", "path"])
        assert read == set(stage["deps"]) | {f"params.yaml:{part}" for part in stage.get("params", ())}
        assert rows.loc[rows["role"] == "output", "inputs_sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert len(table) > 200
    page = table.set_index("path").loc["reports/_site/findings.html"]
    content = (built / "reports/_site/findings.html").read_bytes()
    assert page["sha256"] == hashlib.sha256(content).hexdigest() and int(page["bytes"]) == len(content)


def test_the_manifest_comes_after_every_stage() -> None:
    deps = [Path(dep) for dep in PIPELINE["manifest"]["deps"]]
    needed = {
        path
        for name, stage in PIPELINE.items()
        if name != "manifest"
        for path in [*stage["deps"], *outs(stage)]
    }
    assert len(needed) > 100
    assert [path for path in sorted(needed) if not any(Path(path).is_relative_to(dep) for dep in deps)] == []


def test_an_altered_output_is_found_by_the_manifest(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    assert check(folder) == []
    path = folder / "data/processed/estimates.csv"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (folder / "data/processed/checks.csv").unlink()
    (folder / "reports/_site/more.html").write_text("more")
    told = check(folder)
    assert [line.split(":")[0] for line in told] == [
        "data/processed/checks.csv",
        "data/processed/estimates.csv",
        "reports/_site/more.html",
    ]
    assert "absent (written by the stage checks)" in told[0] and "in no row" in told[2]
    done = run_stage(f"{PIPELINE['manifest']['cmd']} --check", folder)
    assert done.returncode == 1 and "3 files are not as MANIFEST.csv has them" in done.stderr
    assert "Remedy: restore" in done.stderr and told[1] in done.stdout
    for other in (b"a\n", b"", b"\xff\xfe", b'stage\n"half'):
        (folder / "MANIFEST.csv").write_bytes(other)
        with pytest.raises(DataError, match="this is no manifest"):
            check(folder)
    done = run_stage(f"{PIPELINE['manifest']['cmd']} --chek", folder)
    assert done.returncode == 1 and (folder / "MANIFEST.csv").read_bytes() == b'stage\n"half'


def test_an_altered_input_is_found_by_the_manifest(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    votes = folder / "data/raw/votes/2024/county_votes.csv"
    votes.write_bytes(votes.read_bytes() + b"\n")
    shutil.rmtree(folder / "data/raw/acs")
    params = folder / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text("# the values are the same\n" + text.replace("seed: ", "seed: 1"), encoding="utf-8")
    told = check(folder)
    assert [line for line in told if line.startswith("data/raw/votes: sha256 ")]
    assert [line for line in told if line.startswith("data/raw/acs: absent (read by the stage ")]
    changed = {line.split(":")[1] for line in told if line.startswith("params.yaml:")}
    assert changed and "vintages" not in changed, "comments are no values"


def test_a_stage_that_went_and_one_that_came_are_told(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    pipeline = yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))
    gone = pipeline["stages"].pop("checks")
    pipeline["stages"]["new"] = {"cmd": "true", "outs": ["new.csv"]}
    (folder / "dvc.yaml").write_text(yaml.safe_dump(pipeline, sort_keys=False), encoding="utf-8")
    (folder / "new.csv").write_text("a\n")
    told = [line for line in check(folder) if "checks" in line or "new" in line]
    assert told == [
        f"{outs(gone)[0]}: no output of a stage any more (written by the stage checks)",
        "new.csv: in no row (an output of the stage new)",
    ]


def test_a_manifest_that_was_edited_is_refused(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    file = folder / "MANIFEST.csv"
    lines = file.read_bytes().splitlines(keepends=True)
    for order in (lines[:1] + lines[:0:-1], [line.replace(b"\n", b"\r\n") for line in lines]):
        file.write_bytes(b"".join(order))
        assert check(folder) == []
    file.write_bytes(b"".join([*lines, lines[1]]))
    with pytest.raises(DataError, match=rf"MANIFEST.csv, line {len(lines) + 1}: the row of .* stands twice"):
        check(folder)
    at = next(at for at, line in enumerate(lines) if b",input," in line)
    file.write_bytes(b"".join(lines[:at] + lines[at + 1 :]))
    with pytest.raises(DataError, match=r"'inputs_sha256': the checksum of the inputs of the stage"):
        check(folder)


def test_a_manifest_of_other_stages_bytes_or_inputs_is_told(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    file, text = folder / "MANIFEST.csv", (built / "MANIFEST.csv").read_text(encoding="utf-8")
    file.write_text(re.sub("^checks,", "chekcs,", text, flags=re.M), encoding="utf-8")
    assert check(folder) == ["data/processed/checks.csv: an output of the stage checks, not of chekcs"]
    length = (folder / "data/processed/checks.csv").stat().st_size
    file.write_text(text.replace(f"checks.csv,{length},", "checks.csv,9,", 1), encoding="utf-8")
    assert check(folder) == [f"data/processed/checks.csv: {length} bytes, not 9"]
    file.write_text(text, encoding="utf-8")
    pipeline = yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))
    gone, pipeline["stages"]["checks"]["deps"][0] = pipeline["stages"]["checks"]["deps"][0], "CITATION.cff"
    (folder / "dvc.yaml").write_text(yaml.safe_dump(pipeline, sort_keys=False), encoding="utf-8")
    assert check(folder) == [
        "CITATION.cff: in no row of the stage checks, which reads it",
        f"{gone}: not read by the stage checks any more",
    ]
    for odd in ("a: 1\n", "stages: []\n"):
        (folder / "dvc.yaml").write_text(odd, encoding="utf-8")
        with pytest.raises(DataError, match=r"dvc\.yaml: it names no stages"):
            check(folder)


def test_an_output_that_was_not_written_stops_the_manifest(tmp_path: Path) -> None:
    stages = {"one": {"outs": ["a.csv"]}}
    with pytest.raises(DataError, match="the stage wrote no such output"):
        manifest(tmp_path, stages, {})
    with pytest.raises(DataError, match=r"params\.yaml: 'seed' is absent, which a stage reads"):
        manifest(tmp_path, {"one": {"params": ["seed"]}}, {})


def test_the_committed_manifest_is_of_the_committed_outputs() -> None:
    table = pd.read_csv(REPOSITORY / "MANIFEST.csv", dtype="str", keep_default_na=False)
    here = table[(table["role"] == "output") & table["path"].str.startswith("data/processed/")]
    assert len(here) > 50
    assert [row.path for row in here.itertuples() if sha256(REPOSITORY / row.path) != row.sha256] == []


def test_shares_of_a_soak_keep_the_words_of_the_one_that_went_wrong() -> None:
    well = Row("kills", "random", 2, 2, first="dvc.lock was cut off, and mended")
    wrong = Row("kills", "random", 2, 1, lost=1, first="data/processed/a.csv: differs at the end")
    for shares in ([well, wrong], [wrong, well]):
        (row,) = together(pd.DataFrame(shares)).to_dict("records")
        assert row["first"] == wrong.first and (row["cases"], row["as_expected"], row["lost"]) == (4, 3, 1)
    (row,) = together(pd.DataFrame([well, Row("kills", "random", 2, 2)])).to_dict("records")
    assert row["first"] == well.first and not row["lost"]

"""The notebooks run in a clean kernel, and each is the pair of its script, without outputs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest

from tests.conftest import REPOSITORY

SCRIPTS = sorted((REPOSITORY / "notebooks").glob("*.py"))
# What each must print, beside tables.
SAYS = {
    "add_a_covariate": ["over\\_65\\_share", "with my column", "over\\_65\\_share\\_moe"],
    "another_list": ["Washtenau County", "Avalon County", "place\\_inside", "my list"],
    "extend_a_model": ["Median age", "poorer", "within"],
    "multiverse_of_your_own": ["without Illinois", "stouffer"],
    "your_county": ["Cook County, IL", "probability", "slfrf", "low\\_income\\_share"],
}


def test_there_are_notebooks() -> None:
    assert {script.stem for script in SCRIPTS} == set(SAYS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_pair_has_the_same_cells_and_no_outputs(script: Path) -> None:
    written = jupytext.read(script)
    pair = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(pair)
    assert len(pair.cells) > 1
    assert [(cell.cell_type, cell.source) for cell in pair.cells] == [
        (cell.cell_type, cell.source) for cell in written.cells
    ]
    code = [cell for cell in pair.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def status() -> str:
    """What git says of the repository's files."""
    told = ["git", "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(told, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is no clone to work in, and `ANALYSIS_ROOT` at the project in yet another place."""
    project, work = tmp_path / "project", tmp_path / "work"
    project.mkdir()
    work.mkdir()
    for name in ("params.yaml", "data", "notebooks"):
        (project / name).symlink_to(REPOSITORY / name)
    monkeypatch.setenv("ANALYSIS_ROOT", str(project))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    return work


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_it_runs_in_a_clean_kernel_from_anywhere_and_leaves_the_clone_alone(
    script: Path, elsewhere: Path
) -> None:
    before, notebook = status(), jupytext.read(script)
    here = {"metadata": {"path": os.fspath(elsewhere)}}
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300, resources=here).execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert printed.count("|") > 100
    assert [words for words in SAYS[script.stem] if words not in printed] == []
    assert list(elsewhere.iterdir()) == [] and status() == before


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_it_says_for_whom_and_has_three_cells_to_change(script: Path) -> None:
    cells = jupytext.read(script).cells
    title, _, rest = cells[0].source.partition("\n")
    assert cells[0].cell_type == "markdown" and title.startswith("# ")
    assert rest.strip().startswith("For whoever ") and "clone" in rest
    marked = [number for number, cell in enumerate(cells) if cell.source.startswith("## Change this: ")]
    assert len(marked) == 3
    assert all(cells[number].cell_type == "markdown" for number in marked)
    assert all(cells[number + 1].cell_type == "code" for number in marked)
    assert sum("change this" in cell.source.lower() for cell in cells) == 3


def test_seven_lines_make_a_new_table() -> None:
    (notebook,) = [jupytext.read(script) for script in SCRIPTS if script.stem == "extend_a_model"]
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    lines = [line for line in first.source.splitlines() if line.strip()]
    assert len(lines) == 7 and "coefficient_table" in lines[-1]


def test_the_pair_is_small_and_without_metadata_of_a_machine() -> None:
    for script in SCRIPTS:
        metadata = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))["metadata"]
        assert set(metadata) <= {"jupytext", "kernelspec"}
    assert SCRIPTS

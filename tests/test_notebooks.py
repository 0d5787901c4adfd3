"""The notebooks run in a clean kernel, and each is the pair of its script, without outputs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest

from tests.conftest import REPOSITORY

SCRIPTS = sorted((REPOSITORY / "notebooks").glob("*.py"))


def test_there_are_notebooks() -> None:
    assert len(SCRIPTS) > 0


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


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_it_runs_in_a_clean_kernel(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYSIS_ROOT", str(REPOSITORY))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    notebook = jupytext.read(script)
    here = {"metadata": {"path": os.fspath(script.parent)}}
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300, resources=here).execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert printed.count("|") > 100 and "Median age" in printed


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

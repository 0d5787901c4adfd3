"""The order of imports, and that every stage of the pipeline names what it reaches."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import PIPELINE, REPOSITORY, outs

# A module imports only from what stands above it. `a | b` are one room.
ORDER = (
    "errors",
    "provenance",
    "stages",
    "writing",
    "margins",
    "formulas",
    "catalogue",
    "sources",
    "jurisdictions",
    "grants",
    "flow_columns",
    "units",
    "ledger",
    "panel",
    "checking",
    "stakes",
    "checks",
    "models",
    "markup",
    "tables",
    "terminal",
    "wording",
    "headlines",
    "figures",
    "curves",
    "predicted",
    "layered",
    "maps",
    "marks",
    "plots",
    "lookup",
    "shown",
    "stata",
    "drawn",
    "moved",
    "changes",
    "rendering",
    "explorer",
    "downloads",
    "differing",
    "lockfile",
    "manifest",
    "verify",
    "refresh",
    "__main__",
)
PACKAGE = REPOSITORY / "analysis"


def imports(path: Path) -> set[str]:
    """The rooms of `analysis` that a module imports."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full"
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names]
                if node.module == "analysis"
                else [node.module]
            )
        rooms |= {name.split(".")[1] for name in names if name and name.startswith("analysis.")}
    return rooms


def test_a_module_imports_only_from_above() -> None:
    seen = 0
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room == "__init__":
            assert path.read_text() == ""
            continue
        assert room in ORDER, f"{room} has no place in the order"
        for other in imports(path) - {room}:
            seen += 1
            assert ORDER.index(other) < ORDER.index(room), (
                f"{path.name} imports {other}, which stands below it"
            )
    assert seen > 40


def test_rooms_are_of_a_size_to_be_read() -> None:
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert len(sizes) > 30
    assert {str(path): size for path, size in sizes.items() if size > 400} == {}


def test_stages_say_in_one_line_what_they_do() -> None:
    assert len(PIPELINE) >= 5
    for name, stage in PIPELINE.items():
        assert stage["desc"] and "\n" not in stage["desc"], name
        for out in stage["outs"]:
            (options,) = out.values()
            assert options == {"cache": False, "persist": True}, "an output must outlive a run that fails"


@pytest.fixture(scope="module")
def reached(recorded: tuple[Path, dict[str, list[str]]]) -> dict[str, set[str]]:
    """The files of the project that each stage opens, as paths from its root."""
    folder, opened = recorded
    found = {}
    for name, everything in opened.items():
        paths = {Path(path).resolve() for path in everything if not path.isdigit()}
        own = {str(path.relative_to(folder)) for path in paths if path.is_relative_to(folder)}
        code = {str(path.relative_to(REPOSITORY)) for path in paths if path.is_relative_to(PACKAGE)}
        found[name] = own | {source_of(path) for path in code}
    return found


def source_of(path: str) -> str:
    """The module of a compiled file: `analysis/__pycache__/panel.cpython-311.pyc` is `analysis/panel.py`."""
    parts = Path(path)
    if parts.suffix != ".pyc":
        return path
    return str(parts.parent.parent / f"{parts.name.split('.')[0]}.py")


@pytest.mark.parametrize("name", PIPELINE)
def test_a_stage_names_what_it_reaches(name: str, reached: dict[str, set[str]]) -> None:
    stage = PIPELINE[name]
    named = [*stage["deps"], *outs(stage), "dvc.yaml"]  # which DVC itself reads, and refuses as a dependency
    named += ["params.yaml"] if stage.get("params") else []
    files = {path for path in reached[name] - {"analysis/__init__.py"} if Path(path).suffix}
    files = {path for path in files if not any(part.startswith(".") for part in Path(path).parts)}
    assert len(files) > 5
    unnamed = {path for path in files if not any(Path(path).is_relative_to(dep) for dep in named)}
    assert unnamed == set()


def test_a_dependency_exists() -> None:
    deps = {dep for stage in PIPELINE.values() for dep in stage["deps"]}
    made = {out for stage in PIPELINE.values() for each in stage["outs"] for out in each}
    assert len(deps) > 20
    assert [dep for dep in sorted(deps - made) if not (REPOSITORY / dep).exists()] == []

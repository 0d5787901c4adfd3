"""Where files are and where they come from."""

from __future__ import annotations

import datetime
import hashlib
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from analysis.errors import DataError, clipped, nearest

SET_ROOT = (
    "set ANALYSIS_ROOT to the folder of a clone, the one that holds params.yaml: "
    "`export ANALYSIS_ROOT=/path/to/clone` in the shell, or "
    '`os.environ["ANALYSIS_ROOT"] = "/path/to/clone"` in Python.'
)


def root() -> Path:
    """The project's folder: `ANALYSIS_ROOT`, else the nearest folder upwards that holds `params.yaml`
    and `data/`, starting at the working directory and then at this package.

    Raises
    ------
    DataError : no such folder.
    """
    if named := os.environ.get("ANALYSIS_ROOT"):
        try:
            folder = Path(named).expanduser().resolve()
            holds = (folder / "params.yaml").is_file()
        except (RuntimeError, OSError):  # a link that leads to itself, nobody's home, a name too long
            folder, holds = Path(clipped(named)), False
        if not holds:
            raise DataError("ANALYSIS_ROOT names a folder without params.yaml.", file=folder, remedy=SET_ROOT)
        return folder
    here = Path(__file__).resolve().parent
    for folder in [Path.cwd(), *Path.cwd().parents, *here.parents]:
        if (folder / "params.yaml").is_file() and (folder / "data").is_dir():
            return folder
    raise DataError(
        "the project's data were not found.",
        remedy=f"run inside a clone of the project, or {SET_ROOT}",
    )


def version() -> str:
    """The project's version, as `pyproject.toml` states it."""
    return read_project()["version"]


def read_project() -> dict:
    """The table `project` of `pyproject.toml`: at least a version, and `urls` with texts, maybe none.

    Raises
    ------
    DataError : the file is absent, is not TOML, or does not say it.
    """
    file = root() / "pyproject.toml"
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project")
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"it cannot be read ({error}).", file=file, remedy="restore it from git.") from error
    stated = project if isinstance(project, dict) else {}
    urls = stated.get("urls", {})
    texts = [stated.get("version"), *(urls.values() if isinstance(urls, dict) else [None])]
    if not all(isinstance(text, str) for text in texts):
        raise DataError(
            "no version, or an address that is no text.", file=file, remedy="restore it from git."
        )
    return stated | {"urls": urls}


def addresses() -> str:
    """A sentence with the addresses under `project.urls` of `pyproject.toml`, or what to do without."""
    urls = read_project()["urls"]
    if not urls:
        return (
            "This copy states no address: tell whoever gave it to you, or send them the line that mends it."
        )
    return f"Write to: {', '.join(f'{name} {url}' for name, url in urls.items())}."


def released() -> str:
    """The day of the version, as `CITATION.cff` states it.

    Raises
    ------
    DataError : it states no day.
    """
    file = root() / "CITATION.cff"
    stated = read_yaml(file).get("date-released")
    if not is_day(stated):
        raise DataError("no day of release.", file=file, remedy="write `date-released: 2026-11-22`.")
    return str(stated)


def processed(name: str) -> Path:
    """The path of one output under `data/processed/`."""
    return root() / "data" / "processed" / name


def read_output(name: str, *, as_text: bool = False, columns: Sequence[str] = ()) -> pd.DataFrame:
    """A table that a stage wrote to `data/processed/`; codes stay text.

    Parameters
    ----------
    as_text : every column of a CSV as text, empty cells as "".
    columns : those that must be there.

    Raises
    ------
    DataError : it was not written yet, cannot be read, or lacks a column.
    """
    frame = _read_output(name, as_text)
    for column in columns:
        if column not in frame.columns:
            raise DataError(
                "the column is missing.", file=processed(name), column=column, remedy="run `make repro`."
            )
    return frame


def _read_output(name: str, as_text: bool) -> pd.DataFrame:
    path = processed(name)
    if not path.is_file():
        raise DataError("the table was not written yet.", file=path, remedy="run `make repro`.")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if as_text:
            return pd.read_csv(path, dtype="str", keep_default_na=False)
        return pd.read_csv(path, dtype={"geoid": "str", "roster": "str"})
    except UNREADABLE as error:
        raise unreadable(error, path) from error


# What pandas and Arrow raise of a file that is no table.
UNREADABLE = (ValueError, OSError, NotImplementedError, LookupError, TypeError, AttributeError)


def unreadable(error: Exception, file: object) -> DataError:
    """The error that stands for what a library says of a table of ours."""
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"the table cannot be read ({first}).", file=file, remedy="run `make repro`.")


def read_params() -> dict:
    """`params.yaml` as a dictionary."""
    return read_yaml(root() / "params.yaml")


def read_param(part: str) -> dict:
    """One part of `params.yaml`: "vintages", "as_of_before", "models", "layers" or "prediction".

    Raises
    ------
    DataError : the part is missing or not of the form that every stage needs.
    """
    value = read_params().get(part)
    given = value if isinstance(value, dict) else {}
    named = ("geography", "boundaries", "main_list")
    holds, expected = {
        "vintages": (
            all(isinstance(given.get(key), str) for key in named),
            f"{', '.join(named)}, each in quotes",
        ),
        "as_of_before": (
            all(is_day(given.get(key)) for key in ("main", "sensitivity")),
            'main and sensitivity, each a day as "2025-01-20"',
        ),
        "models": (
            bool(given) and all(isinstance(model, dict) for model in given.values()),
            "at least one `name: {outcome: ..., covariates: [...]}`",
        ),
        "layers": (
            _is_layered(given),
            "county, place and state, each with its outcome, and covariates or models",
        ),
        "prediction": (
            bool(given) and all(_has_blocks(model) for model in given.values()),
            "at least one `name: {outcome: ..., blocks: {name: [covariate, ...]}}`",
        ),
    }[part]
    if not holds:
        raise DataError(
            f"{part!r} is not as it should be.", file=root() / "params.yaml", remedy=f"give {expected}."
        )
    return given


def _has_blocks(model: object) -> bool:
    blocks = model.get("blocks") if isinstance(model, dict) else None
    return isinstance(blocks, dict) and all(isinstance(names, list) for names in blocks.values())


def _is_layered(given: dict) -> bool:
    needed: dict[str, dict[str, type]] = {
        "county": {"outcome": str, "covariates": list, "state": list, "states_per_coefficient": int},
        "place": {"outcome": str, "covariates": list, "floors": list},
        "state": {"outcome": str, "models": dict},
    }
    return all(
        isinstance(given.get(level), dict)
        and all(isinstance(given[level].get(key), kind) for key, kind in keys.items())
        for level, keys in needed.items()
    )


def is_day(value: object) -> bool:
    """Whether a value is an ISO date, as text or as a date."""
    try:
        datetime.date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


MOST_VALUES = 100_000  # in a YAML file written out; the largest of ours has some 10,000


class UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, of which YAML would silently keep the last, a key that is
    no text, a value that is none of its kind, and aliases or brackets without end."""

    def get_single_node(self) -> yaml.Node | None:
        try:
            if (node := super().get_single_node()) is not None:
                _check_size(node)
        except RecursionError as error:
            raise yaml.composer.ComposerError(None, None, "values nest too deep", self.get_mark()) from error
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a key is no text", key)
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise _refused(f"the key {key.value!r} occurs twice", key)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        # The library lets through whatever a date, number or tag that is none causes.
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
            raise _refused(f"{node.value!r} is no valid value ({error})", node) from error


def _refused(what: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, clipped(what), node.start_mark)


def _check_size(top: yaml.Node) -> None:
    """No alias stands inside what it repeats, and written out the file is of a size to be read."""
    sizes: dict[int, int | None] = {}

    def size(node: yaml.Node) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = None  # until it is known
            inner = [] if isinstance(node, yaml.ScalarNode) else node.value
            parts = [each for pair in inner for each in (pair if isinstance(pair, tuple) else (pair,))]
            sizes[id(node)] = 1 + sum(size(part) for part in parts)
        known = sizes[id(node)]
        if known is None or known > MOST_VALUES:
            raise _refused("aliases that repeat themselves, or too much", node)
        return known

    size(top)


def read_yaml(path: Path) -> dict:
    """A YAML mapping from a file.

    Raises
    ------
    DataError : the file is absent, is not YAML, or is not a mapping.
    """
    if not path.is_file():
        raise DataError("the file does not exist.", file=path, remedy="restore it from git.")
    try:
        content = UniqueKeyLoader(path.read_text(encoding="utf-8")).get_single_data()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise DataError(
            f"not valid YAML ({getattr(error, 'problem', None) or error}).",
            file=path,
            row=mark.line + 1 if mark else None,
            remedy="mend the syntax.",
        ) from error
    if not isinstance(content, dict):
        raise DataError("a mapping was expected.", file=path, remedy="write `key: value` lines.")
    return content


ORIGIN_KEYS = ("publisher", "title", "url", "as_of", "retrieved", "licence", "obtained", "files")


@dataclass(frozen=True)
class Recorded:
    """A raw file as read once: its path, its bytes, and its entry in `origin.yaml`."""

    path: Path
    content: bytes
    entry: dict

    def verify(self) -> None:
        """Compare the bytes with the recorded checksum.

        Raises
        ------
        DataError : they differ.
        """
        if hashlib.sha256(self.content).hexdigest() != self.entry.get("sha256"):
            raise DataError(
                "its sha256 differs from the one in origin.yaml: the file was changed after it was acquired.",
                file=self.path,
                remedy="restore it from git; corrections belong in data/corrections/.",
            )


def raw_file(source: str, vintage: str, name: str) -> Recorded:
    """A file of `data/raw/<source>/<vintage>/` with its origin; the caller calls `verify()`.

    Raises
    ------
    DataError : the vintage, the file or its origin is absent.
    """
    folder = root() / "data" / "raw" / source / str(vintage)
    if str(vintage) not in {path.name for path in folder.parent.glob("*")}:
        there = ", ".join(vintages(source)) or "none"
        raise DataError(
            f"no vintage {vintage!r} of {source!r}; there: {there}.{nearest(vintage, vintages(source))}",
            file=folder,
            remedy="name one of these, or acquire the vintage first.",
        )
    path = folder / name
    entry = read_origin(source, vintage)["files"].get(name)
    if entry is None or not path.is_file():
        raise DataError(
            "the file is not both present and recorded in origin.yaml.",
            file=path,
            remedy="restore the folder from git, or record the file with its sha256.",
        )
    return Recorded(path, path.read_bytes(), entry)


def read_origin(source: str, vintage: str) -> dict:
    """The `origin.yaml` of a vintage.

    Raises
    ------
    DataError : it does not say what every origin must, or not in the right form.
    """
    file = root() / "data" / "raw" / source / vintage / "origin.yaml"
    origin = read_yaml(file)
    for key in ORIGIN_KEYS:
        if not origin.get(key):
            raise DataError(f"{key!r} is missing.", file=file, remedy=f"say {', '.join(ORIGIN_KEYS)}.")
    if not is_day(origin["as_of"]):
        raise DataError(
            f"as_of {origin['as_of']!r} is no day.", file=file, remedy='write it as "2023-12-31".'
        )
    entries = origin["files"] if isinstance(origin["files"], dict) else {"files": None}
    for name, entry in entries.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("rows", 0), int):
            raise DataError(
                f"{name!r} has no checksum and number of rows.",
                file=file,
                remedy="write under files: `name: {sha256: ..., rows: ...}`.",
            )
    return origin


def vintages(source: str) -> list[str]:
    """The vintages of a source under `data/raw/`, sorted.

    Raises
    ------
    DataError : one that `params.yaml` names under `vintages` is not there.
    """
    folder = root() / "data" / "raw" / source
    there = sorted(path.parent.name for path in folder.glob("*/origin.yaml"))
    named = read_param("vintages").get(source, [])
    missing = sorted(set(named if isinstance(named, list) else [named]) - set(there))
    if missing:
        raise DataError(
            f"no vintage {missing[0]!r} of {source!r}, which params.yaml names; "
            f"there: {', '.join(there) or 'none'}.{nearest(missing[0], there)}",
            file=folder / missing[0],
            remedy="restore it from git, or take it out of params.yaml.",
        )
    return there

"""The tables for other programs: CSV, Parquet, Stata, described by a frictionless `datapackage.json`.

In CSV a cell of text that a spreadsheet would take for a formula has an apostrophe before it; numbers, the
negative ones too, are as they are. Parquet holds the text as it is.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.catalogue import LEVELS, load_catalogue
from analysis.drawn import FIGURES
from analysis.errors import DataError, nearest
from analysis.explorer.columns import descriptions
from analysis.provenance import (
    processed,
    read_origin,
    read_output,
    read_yaml,
    released,
    root,
    version,
    vintages,
)
from analysis.stata import stata_bytes
from analysis.writing import replacing

FORMATS = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "stata": "application/x-stata-dta",
}
DOWNLOADS = ("csv", "parquet")  # what is written where no format is asked for
ENDINGS = {"csv": "csv", "parquet": "parquet", "stata": "dta"}
PACKAGE = "datapackage.json"
DESCRIPTIONS = Path(__file__).with_name("tables.yaml")

# Full-width and small signs begin a formula as well where a spreadsheet is set to Japanese or Chinese; blanks
# and signs that cannot be seen (of Unicode's Default_Ignorable_Code_Point too) are taken away by some.
UNSEEN = (
    "\\s\0-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
FORMULA = re.compile(f"'*([\t\r\n]|[{UNSEEN}]*[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])")
PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
WHOLE = re.compile(r"0|-?[1-9]\d{0,17}")
NUMBER = re.compile(r"-?\d+\.\d+([eE][+-]?\d+)?|-?\d+[eE][+-]?\d+|0|-?[1-9]\d*|-?inf")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
BOOLEANS = {"True": "true", "False": "false"}  # as the Table Schema standard writes them
MISSING = ("", "n/a")  # the second: a method that has no answer
TYPES = {"boolean": "boolean", "integer": "Int64", "number": "float64", "string": "str"}


def safe(text: str) -> str:
    """Text as a cell that no spreadsheet runs: an apostrophe before what would begin a formula.

    A plain number stays. What already has apostrophes before such a sign gets one more, so that `unsafe`
    gives every text back.

    >>> [safe(text) for text in ("=cmd()", "-12.50", "-1+1", "'=x", "'tis", "@a", "Cook")]
    ["'=cmd()", '-12.50', "'-1+1", "''=x", "'tis", "'@a", 'Cook']
    """
    return f"'{text}" if FORMULA.match(text) and not PLAIN_NUMBER.fullmatch(text) else text


def unsafe(cell: str) -> str:
    """The text of a cell that `safe` wrote.

    >>> [unsafe(cell) for cell in ("'=cmd()", "''=x", "'tis", "-12.50")]
    ['=cmd()', "'=x", "'tis", '-12.50']
    """
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


@dataclass(frozen=True)
class Table:
    """A table to be given out: every cell as text, empty where missing, and what its columns are.

    `fields` are frictionless field descriptors in the order of the columns; `formats` are those that it is
    given out in.
    """

    name: str
    title: str
    cells: pd.DataFrame
    fields: tuple[Mapping[str, str], ...]
    key: tuple[str, ...] = ()
    description: str = ""
    formats: tuple[str, ...] = tuple(FORMATS)


def type_of(column: pd.Series, codes: frozenset[str] = frozenset()) -> str:
    """The frictionless type that every cell of a column of text has; codes and empty columns are strings.

    >>> [type_of(pd.Series(cells)) for cells in (["1", ""], ["-1.5", "2"], ["01", "2"], ["true", "false"])]
    ['integer', 'number', 'string', 'boolean']
    """
    cells = column[~column.isin(MISSING)]
    if column.name in codes or cells.empty:
        return "string"
    for name, matches in (
        ("boolean", cells.isin(["true", "false"])),
        ("integer", cells.str.fullmatch(WHOLE)),
        ("number", cells.str.fullmatch(NUMBER)),
        ("date", cells.str.fullmatch(DAY)),
    ):
        if matches.all():
            return name
    return "string"


def fields(cells: pd.DataFrame, described: Mapping[str, str], codes: frozenset[str]) -> tuple[dict, ...]:
    """A field descriptor a column: name, type and, where one is written, description."""
    out = []
    for name in cells.columns:
        field = {"name": name, "type": type_of(cells[name], codes)}
        out.append(field | ({"description": described[name]} if name in described else {}))
    return tuple(out)


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell as the CSV of `analysis.writing` would have it, empty where missing."""
    stream = io.StringIO(frame.to_csv(index=False, lineterminator="\n"))
    return pd.read_csv(stream, dtype="str", keep_default_na=False).replace(BOOLEANS)


def units(name: str) -> pd.DataFrame:
    """A table of units as text; floats that are whole numbers all through are written without a point."""
    frame = read_output(f"{name}.parquet").reset_index()
    whole = [
        name
        for name in frame.select_dtypes("float64")
        if (frame[name].dropna() % 1 == 0).all() and frame[name].abs().max() < 2**53
    ]
    return as_text(frame.astype(dict.fromkeys(whole, "Int64")))


def variables(level: str) -> dict[str, str]:
    """Label, unit and remark of every column of a panel, from the catalogue."""
    out = {}
    for variable in load_catalogue(level).values():
        remark = f" {variable.note}" if variable.note else ""
        out[variable.name] = (
            f"{variable.label}. Unit: {variable.unit}. Measured until {variable.as_of}.{remark}"
        )
        out[f"{variable.name}_moe"] = f"90 % margin of error of {variable.name}"
    return out


def by_measure(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The dollars at stake apart by reading and measure, since no two measures are to be compared."""
    for (reading, measure), part in cells.groupby(["reading", "measure"]):
        yield f"{reading}-{measure}", part.reset_index(drop=True)


def tables() -> Iterator[Table]:
    """Every table under data/processed, the dollars at stake also by measure, then what each figure draws."""
    told = read_yaml(DESCRIPTIONS)
    codes = frozenset(told["codes"])
    for path in sorted(processed("").iterdir()):
        if path.suffix not in (".csv", ".parquet"):
            continue
        said = told["tables"].get(path.stem, {})
        described = told["columns"] | said.get("columns", {})
        level = path.stem.removeprefix("panel_")
        if path.suffix == ".parquet" and level in LEVELS:
            cells, described = units(path.stem), described | variables(level)
        elif path.stem == "explorer":
            cells, described = units(path.stem), described | descriptions()
        elif path.suffix == ".parquet":
            frame = read_output(path.name)
            cells = as_text(frame if frame.index.name is None else frame.reset_index())
        else:
            cells = read_output(path.name, as_text=True).replace(BOOLEANS)
        key, title = tuple(said.get("key", ())), said.get("title", path.stem)
        yield Table(
            path.stem,
            title,
            cells,
            fields(cells, described, codes),
            key,
            said.get("description", ""),
            tuple(said.get("formats", FORMATS)),
        )
        if path.stem == "dollars_at_stake":
            for name, part in by_measure(cells):
                yield Table(f"money/{name}", f"{title}: {name}", part, fields(part, described, codes))
    for name, figure in FIGURES.items():
        cells = as_text(figure.data())
        described = told["columns"] | variables("county") | {"label": "Term in words", "sample": "Sample"}
        yield Table(
            f"figures/{name}",
            f"Figure: {figure.title}",
            cells,
            fields(cells, described, codes),
            description=f"Exactly what the figure draws. Source: {figure.source}.",
        )


def csv_bytes(table: Table) -> bytes:
    """The table as CSV: UTF-8, LF, text safe in a spreadsheet."""
    texts = [field["name"] for field in table.fields if field["type"] == "string"]
    cells = table.cells.assign(**{name: table.cells[name].map(safe) for name in texts})
    return cells.to_csv(index=False, lineterminator="\n").encode("utf-8")


def typed(table: Table) -> pd.DataFrame:
    """The table with each column of its type, the text as it is, missing as null."""
    out = {}
    for field in table.fields:
        cells = table.cells[field["name"]]
        present = cells.where(cells != "" if field["type"] == "string" else ~cells.isin(MISSING))
        if field["type"] == "boolean":
            out[field["name"]] = present.map({"true": True, "false": False}).astype("boolean")
        elif field["type"] == "date":
            days = pd.to_datetime(present, format="%Y-%m-%d")
            out[field["name"]] = days.astype(pd.ArrowDtype(_day_type()))
        elif field["type"] == "integer":
            out[field["name"]] = pd.to_numeric(present).astype("Int64")
        else:
            out[field["name"]] = present.astype(TYPES[field["type"]])
    return pd.DataFrame(out)


def parquet_bytes(table: Table) -> bytes:
    """The table as Parquet (zstd)."""
    stream = io.BytesIO()
    typed(table).to_parquet(stream, engine="pyarrow", compression="zstd", index=False)
    return stream.getvalue()


def dta_bytes(table: Table) -> bytes:
    """The table as a file of Stata, its columns labelled."""
    labels = {field["name"]: field.get("description", "") for field in table.fields}
    return stata_bytes(typed(table), labels, table.title, datetime.date.fromisoformat(released()))


def _day_type() -> object:
    import pyarrow

    return pyarrow.date32()


WRITERS = {"csv": csv_bytes, "parquet": parquet_bytes, "stata": dta_bytes}


def resource(table: Table, kind: str, content: bytes) -> dict:
    """The description of one file; the name says the format where it is not CSV."""
    name = table.name.replace("/", "-").replace("_", "-")
    missing = [value for value in MISSING if value == "" or table.cells.eq(value).to_numpy().any()]
    schema = {"fields": [dict(field) for field in table.fields], "missingValues": missing}
    if table.key:
        schema["primaryKey"] = list(table.key)
    out = {
        "name": name if kind == "csv" else f"{name}-{kind}",
        "type": "table",
        "title": table.title,
        "description": table.description,
        "path": f"{table.name}.{ENDINGS[kind]}",
        "format": ENDINGS[kind],
        "mediatype": FORMATS[kind],
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "rows": len(table.cells),
        "schema": schema,
    }
    # frictionless counts the bytes of text alone: with a number it would call every Parquet file invalid.
    out |= {"encoding": "utf-8", "bytes": len(content)} if kind == "csv" else {}
    return {key: value for key, value in out.items() if value != ""}


def package(resources: list[dict]) -> dict:
    """The data package: what it is, under which terms, from which sources, and its files."""
    folders = sorted(path.name for path in (root() / "data" / "raw").iterdir() if path.is_dir())
    origins = [read_origin(source, vintage) for source in folders for vintage in vintages(source)]
    sources = {
        (origin["title"], origin["url"]): {
            "title": f"{origin['publisher']}: {origin['title']} ({origin['licence']})",
            "path": origin["url"],
        }
        for origin in origins
    }
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "listed-jurisdictions",
        "title": "Listed jurisdictions: tables",
        "description": (
            "The tables of a study of which measured factors predict being named on the federal "
            "lists of 2025. "
            "In CSV, text that a spreadsheet would take for a formula has one apostrophe before it "
            "(before =, +, "
            "-, @, tab, line end, or apostrophes and then one of these); take it away to have the "
            "text. Numbers "
            "are as they are. Parquet holds the text as it is. The specifications of the multiverse are "
            "given out as Parquet alone, since their CSV would be too large. "
            "Being named on a list is no measure "
            "of any policy."
        ),
        "version": version(),
        "created": f"{released()}T00:00:00Z",
        "licenses": [
            {"name": "MIT", "path": "https://opensource.org/license/mit", "title": "MIT License"},
        ],
        "sources": list(sources.values()),
        "contributors": [{"title": "the contributors"}],
        "resources": resources,
    }


def export(folder: Path, formats: tuple[str, ...] = DOWNLOADS) -> list[Path]:
    """Write every table in the formats asked for, and `datapackage.json`, which comes last.

    Files of an earlier export that are not written anew are deleted, by that export's own description.

    Parameters
    ----------
    folder : where to; made if need be.
    formats : of `csv`, `parquet`, `stata`.

    Raises
    ------
    DataError : an unknown format, a table that was not written yet, or a folder with another data package.
    """
    if unknown := [name for name in formats if name not in FORMATS]:
        raise DataError(
            f"the format {unknown[0]!r} is unknown.{nearest(unknown[0], FORMATS)}",
            remedy=f"give one of {', '.join(FORMATS)}.",
        )
    old = _earlier(folder)
    resources, written = [], []
    for table in tables():
        for kind in (kind for kind in formats if kind in table.formats):
            content = WRITERS[kind](table)
            resources.append(resource(table, kind, content))
            written.append(folder / f"{table.name}.{ENDINGS[kind]}")
            with replacing(written[-1]) as beside:
                beside.write_bytes(content)
    if not resources:
        raise DataError("no table was written yet.", file=processed(""), remedy="run `make repro`.")
    for path in old - set(written):
        path.unlink(missing_ok=True)
    written.append(folder / PACKAGE)
    with replacing(written[-1]) as beside:
        text = json.dumps(package(resources), ensure_ascii=False, indent=1)
        beside.write_text(text + "\n", encoding="utf-8", newline="\n")
    return written


def _earlier(folder: Path) -> set[Path]:
    """The files that an earlier export wrote to the folder."""
    described = read_package(folder) if (folder / PACKAGE).is_file() else {"resources": []}
    top = Path(os.path.realpath(folder))  # Path.resolve raises at a link that leads to itself
    paths = {folder / entry["path"] for entry in described["resources"]}
    return {path for path in paths if top in Path(os.path.realpath(path)).parents and not path.is_dir()}


def read_package(folder: Path) -> dict:
    """The `datapackage.json` of an export.

    Raises
    ------
    DataError : there is none, or it is of something else.
    """
    file = folder / PACKAGE
    try:
        described = json.loads(file.read_text(encoding="utf-8"))
        own = described["name"] == "listed-jurisdictions" and all(
            isinstance(entry["path"], str) and entry["path"].isprintable() for entry in described["resources"]
        )
    except FileNotFoundError:
        raise DataError("the tables were not exported yet.", file=file, remedy="run `make repro`.") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        own = False
    if not own:
        raise DataError(
            "not the description of this project's tables.",
            file=file,
            remedy="name another folder, or delete this one where it holds nothing but an export.",
        )
    return described

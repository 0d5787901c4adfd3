"""The queue of names that wait for a reader, and the one line that settles each."""

from __future__ import annotations

import csv
import hashlib
import io
import re

import pandas as pd

from analysis.errors import DataError
from analysis.jurisdictions import corrections
from analysis.jurisdictions.gazetteer import Gazetteer, Government
from analysis.jurisdictions.normalise import key
from analysis.provenance import read_output, root

QUEUE = ("id", "source", "state_abbr", "level", "name", "county", "proposed", "unit", "reason", "rows")
QUEUE += ("seen", "file", "line")
FILES = {"list": "names", "roster": "agencies"}
NOBODY = "none"


def queue(listed: pd.DataFrame, agencies: pd.DataFrame) -> pd.DataFrame:
    """One row a distinct name in review, lists first, sorted; columns `QUEUE`.

    Parameters
    ----------
    listed, agencies : the rows of `jurisdictions.csv` and `roster_agencies.csv`.

    Returns
    -------
    DataFrame: `id` (stable), `proposed` the code that the rules would take ("" for none), `reason` with the
    candidates, `seen` the lists or rosters, `file` and `line` what to add and where.
    """
    parts = [
        pd.DataFrame(
            {
                "source": "list",
                "level": listed["level"],
                "name": listed["text_as_published"],
                "county": "",
                "seen": listed["vintage"],
            }
        ).join(listed[["state_abbr", "geoid", "unit", "note", "needs_review"]]),
        pd.DataFrame(
            {
                "source": "roster",
                "level": "",
                "name": agencies["agency_as_published"].str.strip(),
                "county": agencies["county_as_published"].str.strip(),
                "seen": agencies["roster"],
            }
        ).join(agencies[["state_abbr", "geoid", "unit", "note", "needs_review"]]),
    ]
    rows = pd.concat([part[part["needs_review"]] for part in parts], ignore_index=True).fillna({"geoid": ""})
    which = ["source", "state_abbr", "level", "name", "county"]
    found = []
    for names, group in rows.groupby(which, sort=True):
        row = dict(zip(which, names, strict=True)) | {"id": identity(*names), "rows": len(group)}
        first = group.iloc[0]
        row |= {"proposed": first["geoid"], "unit": first["unit"], "reason": first["note"]}
        row |= {"seen": ";".join(sorted(set(group["seen"]))), "file": path_of(row["source"])}
        found.append(row | {"line": template(row)})
    return pd.DataFrame(found, columns=list(QUEUE))


def read_queue() -> pd.DataFrame:
    """`review_queue.csv` as text.

    Raises
    ------
    DataError : it was not written yet, or cannot be read.
    """
    return read_output("review_queue.csv", as_text=True, columns=QUEUE)


def identity(*parts: str) -> str:
    """Six characters that stand for a name as printed, the same in every run."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:6]


def path_of(source: str) -> str:
    """The file of hand decisions that settles names of a list or of a roster."""
    return f"data/corrections/{FILES[source]}.csv"


def template(row: dict) -> str:
    """The line to add, with what a reader has to fill in between angle brackets."""
    blank = ["<reason>", "<source_url>", "<YYYY-MM-DD>"]
    if row["source"] == "list":
        return line_of([row["state_abbr"], row["level"], row["name"], "<name meant, or nothing>", *blank])
    unit, codes = (row["unit"], row["proposed"]) if row["proposed"] else ("<unit>", "<codes>")
    return line_of([row["state_abbr"], row["name"], unit, codes, row["county"], "", *blank])


def line_of(cells: list[str]) -> str:
    """One line of CSV without its end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def decision(gaz: Gazetteer, row: dict, value: str, reason: str, source_url: str, day: str) -> list[str]:
    """The cells of the line that settles one row of the queue.

    Parameters
    ----------
    value : code of the government, codes of counties joined by ";", or "none" where no unit exists. For an
        agency that is smaller than its county, the county's code behind "in ": "in 12071".

    Raises
    ------
    DataError : an unknown code, a code of another state, several codes for an entry of a list.
    """
    behind = [reason, source_url, day]
    if row["source"] == "list":
        meant = "" if value == NOBODY else _spelled(_government(gaz, row, value), row["level"])
        return [row["state_abbr"], row["level"], row["name"], meant, *behind]
    unit, codes = NOBODY, ""
    if value != NOBODY:
        codes = ";".join(sorted(value.removeprefix("in ").split(";")))
        units = [_government(gaz, row, code).unit for code in codes.split(";")]
        unit = "part_of_county" if value.startswith("in ") else "counties" if len(units) > 1 else units[0]
        if unit in {"counties", "part_of_county"} and set(units) != {"county"}:
            raise _refused(f"{value!r} holds a code that is no county's.", "give codes of counties.")
    return [row["state_abbr"], row["name"], unit, codes, row["county"], "", *behind]


def _government(gaz: Gazetteer, row: dict, code: str) -> Government:
    g = gaz.by_geoid.get(code)
    if g is None:
        raise _refused(f"{code!r} is no government's code.", "take one of the candidates in `reason`.")
    if g.state != row["state_abbr"]:
        raise _refused(
            f"{code!r} is {g.name} of {g.state}, and the name is printed under {row['state_abbr']}.",
            "take a code of that state; where the printed state is wrong, add the line by hand.",
        )
    return g


def _spelled(g: Government, level: str) -> str:
    """A government's name with its kind word, as the rules read it under a heading."""
    if g.unit == "cousub":
        return g.name
    if g.unit == "place" and level == "place":
        return f"{g.kind.title()} of {g.names[0]}" if g.kind in {"town", "village", "borough"} else g.names[0]
    return g.name


def answer(row: dict, cells: list[str]) -> str:
    """Write one decision into its file: added, or in place of the line that decides the same name.

    Raises
    ------
    DataError : the file with the new line breaks a rule of `corrections`; the file stays as it was.
    """
    table = FILES[row["source"]]
    path = root() / path_of(row["source"])
    if not all(is_storable(cell) for cell in cells):
        raise _refused("the answer holds a character that no file can.", "type it anew.")
    corrections.read(table)  # what is wrong before is not the answer's fault
    before = path.read_bytes()
    text = before.decode("utf-8-sig")
    records = list(csv.reader(io.StringIO(text, newline="")))
    names = [records[0].index(column) for column in corrections.TABLES[table]]
    same = [at for at, record in enumerate(records) if at and record and _same(record, cells, names)]
    line = line_of(cells)
    if same:
        records[same[0]] = cells
        text = "\n".join(line_of(record) for record in records) + "\n"
    else:
        text += ("" if text.endswith("\n") else "\n") + line + "\n"
    path.write_text(text, encoding="utf-8")
    try:
        corrections.read(table)
    except DataError:
        path.write_bytes(before)
        raise
    return line


def _same(record: list[str], cells: list[str], names: list[int]) -> bool:
    return all(key(record[at]) == key(cells[at]) for at in names)


def is_storable(text: str) -> bool:
    """Whether a text can stand in a file: a terminal may hand on bytes that are no characters, and NUL."""
    return "\x00" not in text and text == text.encode("utf-8", "replace").decode("utf-8")


def _refused(what: str, remedy: str) -> DataError:
    return DataError(what, file="review --answer", remedy=remedy)


def one(rows: pd.DataFrame, identifier: str) -> dict:
    """The row of the queue with that id.

    Raises
    ------
    DataError : none, with the ids there are.
    """
    found = rows[rows["id"] == identifier]
    if found.empty or not re.fullmatch(r"[0-9a-f]{6}", identifier):
        raise _refused(f"{identifier!r} is not in the queue.", f"take one of {', '.join(rows['id'])}.")
    return found.iloc[0].to_dict()

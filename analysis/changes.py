"""What changed in the tables since a version in git: entries, values, estimates; what moved the headlines.

The comparison needs git's history, which an archive or a shallow clone does not have. So it is no stage: the
command `python -m analysis changes` makes it, its three tables are committed, and the page reads these.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from analysis.errors import DataError, nearest
from analysis.moved import COLUMNS as MOVED
from analysis.moved import headline_moves
from analysis.provenance import UNREADABLE, processed, read_output, root, unreadable
from analysis.writing import write_csv

# The tables that are compared, by their keys: row by row, the panels column by column.
KEYS: Mapping[str, tuple[str, ...]] = {
    "jurisdictions.csv": ("vintage", "state_abbr", "level", "text_as_published"),
    "roster_agencies.csv": (
        "roster",
        "state_abbr",
        "agency_as_published",
        "county_as_published",
        "support_type",
    ),
    "estimates.csv": ("model", "term"),
    "marginal_effects.csv": ("model", "term", "per"),
    "contrasts.csv": ("model", "term", "level"),
    "frequencies.csv": ("sample",),
    "agreements_287g.csv": ("roster", "scope"),
}
PANELS = ("panel_county.parquet", "panel_place.parquet", "panel_state.parquet")
LEDGERS, COUNTIES = ("jurisdictions.csv", "roster_agencies.csv"), "panel_county.parquet"
REMATCHED = ("geoid", "unit", "also_geoids")  # columns of a ledger that say which government an entry is
COLUMNS = ["table", "change", "key", "column", "before", "after", "units", "beyond_margin"]
SINCE = ["since", "commit", "table", "sha256"]


def git(*words: str) -> bytes:
    """What a git command in the project's folder prints.

    Raises
    ------
    DataError : the folder is no repository, or git is not installed, or the command failed.
    """
    folder = root()
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
        top = subprocess.run(
            ["git", "rev-parse", "--show-toplevel"], cwd=folder, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise DataError("git was not found.", remedy="install git (Debian: apt install git).") from None
    if top.returncode or Path(top.stdout.decode().strip()).resolve() != folder.resolve():
        raise DataError(
            "the folder is no git repository (an archive has no history), so that nothing can be compared.",
            file=folder,
            remedy="clone the project with its tags; the page keeps the comparison that is committed.",
        )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise DataError(f"`git {' '.join(words)}` failed: {said[-1] if said else 'no message'}.", file=folder)
    return done.stdout


def last_tag() -> str | None:
    """The nearest tag behind the working tables, or None where there is no tag.

    On a tagged commit whose tables stand as committed it is the tag before, so that a release shows what
    it brought.
    """
    here = git("tag", "--points-at", "HEAD").decode().split()
    dirty = git("status", "--porcelain", "--", "data/processed").strip()
    away = [] if dirty else [word for tag in here for word in ("--exclude", tag)]
    if not git("tag", "--merged", "HEAD").strip():
        return None
    try:
        return git("describe", "--tags", "--abbrev=0", *away).decode().strip()
    except DataError:
        return None


def then(tag: str, name: str) -> bytes | None:
    """A table as the tag has it, or None where it did not exist."""
    path = f"data/processed/{name}"
    listed = git("ls-tree", "--name-only", f"{tag}^{{commit}}", "--", path).strip()
    return git("show", f"{tag}^{{commit}}:{path}") if listed else None


def keyed(table: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
    """The rows by one text key; what stands twice is numbered."""
    known = [name for name in key if name in table.columns]
    names = table[known].agg(", ".join, axis=1) if len(table) else pd.Series(dtype="str")
    again = names.groupby(names).cumcount()
    names = names.where(again == 0, names + " (" + (again + 1).astype("str") + ")")
    return table.set_index(pd.Index(names, name="key"))


def row_changes(before: pd.DataFrame, after: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
    """Rows that came and went, and cells that changed; every cell is text.

    Returns
    -------
    DataFrame : `change, key, column, before, after`; `change` is "row added", "row removed", "value changed",
    "column added" or "column removed".
    """
    old, new = keyed(before, key), keyed(after, key)
    rows = [("row removed", name, "", "", "") for name in old.index.difference(new.index, sort=False)]
    rows += [("row added", name, "", "", "") for name in new.index.difference(old.index, sort=False)]
    rows += column_changes(old, new)
    both = new.index.intersection(old.index, sort=False)
    for column in [name for name in new.columns if name in old.columns]:
        was, now = old.loc[both, column], new.loc[both, column]
        rows += [("value changed", name, column, was[name], now[name]) for name in both[was != now]]
    return pd.DataFrame(rows, columns=["change", "key", "column", "before", "after"])


def column_changes(old: pd.DataFrame, new: pd.DataFrame) -> list[tuple[str, ...]]:
    """Columns that came and went, as rows of `row_changes`."""
    gone = [("column removed", "", name, "", "") for name in old.columns if name not in new.columns]
    return gone + [("column added", "", name, "", "") for name in new.columns if name not in old.columns]


def entry_changes(before: pd.DataFrame, after: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
    """`row_changes` of a ledger in its own words: "entry added", "entry removed" and, where the government
    is another, "entry re-matched"."""
    found = row_changes(before, after, key)
    found["change"] = found["change"].replace(
        {f"row {what}": f"entry {what}" for what in ("added", "removed")}
    )
    again = (found["change"] == "value changed") & found["column"].isin(REMATCHED)
    return found.assign(change=found["change"].mask(again, "entry re-matched"))


def beyond_margin(before: pd.DataFrame, after: pd.DataFrame, column: str) -> int | None:
    """How many units moved by more than the two 90 % margins of error allow; None without margins.

    The margin of a difference is taken as the root of the sum of squares. Years that two vintages share make
    it smaller, so that the count errs towards none.
    """
    margin = f"{column}_moe"
    if margin not in before or margin not in after:
        return None
    allowed = (before[margin] ** 2 + after[margin] ** 2) ** 0.5
    return int(((after[column] - before[column]).abs() > allowed).sum())


def panel_changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Units that came and went, and for every column how many units have another value.

    Returns
    -------
    DataFrame : as `row_changes`, and `units`, the number of units that are concerned, and `beyond_margin`, of
    these the number that moved beyond the survey's margins of error, where the panel has them.
    """
    rows = [
        (change, "", "", "", "", len(units), None)
        for change, units in (
            ("row removed", before.index.difference(after.index)),
            ("row added", after.index.difference(before.index)),
        )
        if len(units)
    ]
    rows += [(*row, len(after), None) for row in column_changes(before, after)]
    both = after.index.intersection(before.index)
    for column in [name for name in after.columns if name in before.columns]:
        was, now = before.loc[both, column], after.loc[both, column]
        differs = ~((was == now) | (was.isna() & now.isna())).fillna(False)
        if differs.any():
            beyond = beyond_margin(before.loc[both], after.loc[both], column)
            rows.append(("value changed", "", column, "", "", int(differs.sum()), beyond))
    return pd.DataFrame(rows, columns=COLUMNS[1:])


def text_table(content: bytes) -> pd.DataFrame:
    """A committed CSV, every cell as text.

    Raises
    ------
    DataError : it is none.
    """
    try:
        return pd.read_csv(io.BytesIO(content), dtype="str", keep_default_na=False)
    except UNREADABLE as error:
        raise unreadable(error, "a table of another commit") from error


def compare(tag: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The working tables against those of a tag, or of another name of a commit.

    Returns
    -------
    changes : `table, change, key, column, before, after, units, beyond_margin`.
    since : `since, commit, table, sha256`, one row a table that was compared; the checksum is
        of the table now.
    headlines : as `moved.headline_moves`.
    """
    try:
        commit = (
            git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{tag}^{{commit}}").decode().strip()
        )
    except DataError:
        tags = git("tag").decode().split()  # tells what else is wrong, such as no repository
        near = nearest(tag, [*tags, "HEAD"])
        raise DataError(
            f"--since: no tag or commit {tag!r}.{near}", remedy="see `git tag` and `git log --oneline`."
        ) from None
    parts, compared = [], []
    for name in (*KEYS, *PANELS):
        if not processed(name).is_file():
            continue
        content, old = processed(name).read_bytes(), then(tag, name)
        compared.append(
            (tag if tag != "HEAD" else commit[:12], commit, name, hashlib.sha256(content).hexdigest())
        )
        if old is None:
            found = pd.DataFrame([("table added", "", "", "", "")], columns=COLUMNS[1:-2])
        elif name in LEDGERS:
            found = entry_changes(text_table(old), text_table(content), KEYS[name])
        elif name in KEYS:
            found = row_changes(text_table(old), text_table(content), KEYS[name])
        else:
            found = panel_changes(pd.read_parquet(io.BytesIO(old)), read_output(name))
        parts.append(found.assign(table=name))
    found = pd.concat(parts, ignore_index=True).reindex(columns=COLUMNS)
    counts = ["units", "beyond_margin"]
    found[counts] = found[counts].astype("Int64")
    old = then(tag, COUNTIES) if processed(COUNTIES).is_file() else None
    moves = pd.DataFrame(columns=MOVED)
    if old is not None:
        moves = headline_moves(pd.read_parquet(io.BytesIO(old)), read_output(COUNTIES))
    return found, pd.DataFrame(compared, columns=SINCE), moves


def differs_from_commit() -> bool:
    """Whether a compared table is not as the last commit has it."""
    names = (f"data/processed/{name}" for name in (*KEYS, *PANELS))
    return bool(git("status", "--porcelain", "--", *names).strip())


def update(since: str | None = None) -> str:
    """Compare and write `changes.csv`, `changes_since.csv` and `headline_changes.csv`.

    Returns a sentence that says what was done.

    Parameters
    ----------
    since : a tag or another name of a commit; by default the last tag, and without any tag the last commit
        where the tables differ from it. Where there is neither, the tables are written empty, unless a
        comparison is committed already: a clone without its tags would destroy it, and is refused.

    Raises
    ------
    DataError : no repository, or the commit is not in it.
    """
    since = since or last_tag() or ("HEAD" if differs_from_commit() else None)
    if since is None:
        file = processed("changes_since.csv")
        if file.is_file() and len(known := read_output(file.name, as_text=True)):
            raise DataError(
                f"this clone has no tag to compare with, and the committed comparison is with "
                f"{known['since'][0]}.",
                file=file,
                remedy="fetch the tags: `git fetch --tags --unshallow`, or without the last word; or name a "
                "commit with --since.",
            )
        write((pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=SINCE), pd.DataFrame(columns=MOVED)))
        return "No tag: this is the first version, and nothing is listed."
    found = compare(since)
    write(found)
    return f"{len(found[0])} changes since {since}, in {len(found[1])} tables."


def write(tables: tuple[pd.DataFrame, ...]) -> None:
    """Write the comparison: changes, what it is with, and the headlines."""
    for name, table in zip(("changes", "changes_since", "headline_changes"), tables, strict=True):
        write_csv(table, processed(f"{name}.csv"))


def rerun(pipeline: dict, to: str) -> None:
    """Run the stages that are not up to date: `to` "tables" stops before those that read the comparison.

    Raises
    ------
    DataError : a stage failed; what it printed is above.
    """
    later = [name for name, stage in pipeline["stages"].items() if "data/processed" in stage["deps"]]
    stages = [name for name in pipeline["stages"] if name not in later] if to == "tables" else []
    done = subprocess.run([sys.executable, "-m", "dvc", "repro", *stages], cwd=root(), check=False)
    if done.returncode:
        raise DataError(
            "the pipeline stopped; nothing was compared.",
            file=root() / "dvc.yaml",
            remedy="mend what the stage above says, or take the refreshed folder out of data/raw/ again.",
        )


def changed_since_compared() -> list[str]:
    """The compared tables whose bytes are no longer those that were compared."""
    since = read_output("changes_since.csv", as_text=True)
    return [
        name
        for name, checksum in zip(since["table"], since["sha256"], strict=True)
        if not processed(name).is_file()
        or hashlib.sha256(processed(name).read_bytes()).hexdigest() != checksum
    ]

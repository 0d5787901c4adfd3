"""What a source's module gives, and what it is given. One module a source, all of one shape:

HOSTS : the only hosts that are asked.
FOLDER : the source's folder under `data/raw/`.
COMPARED : file name to `Compared`, for the tables whose rows are compared with the vintage before.
FORM : what a vintage's name looks like, for the help.
KEY : optional, the environment variable of the key that every request needs.
ALONE : optional, whether each capture stands alone, so that one that is wrong goes and the others stay.
fetch(web, wanted) -> None : captures, as published, by `web.save(url, name, kind=...)`.
make(fetched, wanted) -> Made : reads the captures, refuses what is wrong, gives the vintage's files.
read(vintage) -> object : reads the candidate as the stages will; what they would refuse is refused now.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analysis.provenance import vintages
from analysis.refresh.faults import QuarantineError, UsageError

GOVERNMENT_WORK = "US federal government work, public domain in the United States (17 U.S.C. 105)"
LEAST, MOST = 0.98, 2.0


@dataclass(frozen=True)
class Wanted:
    """What the user asked for.

    Parameters
    ----------
    vintage : its name, or None for the newest.
    by_hand : the files given with --from, already copied to the folder of captures under their own names.
    url : another address than the module's, on a host of its list.
    today : the day of the run (UTC).
    key : the source's key, where it has one.
    """

    vintage: str | None = None
    by_hand: tuple[str, ...] = ()
    url: str | None = None
    today: str = ""
    key: str = ""


@dataclass(frozen=True)
class Made:
    """A candidate: what would stand in `data/raw/<source>/<vintage>/`.

    Parameters
    ----------
    vintage : the folder's name.
    origin : publisher, title, url, as_of, licence, note; the rest of `origin.yaml` is added.
    files : name to bytes, or to the path of a capture that is taken as it is.
    rows : rows of the files that are tables.
    before : the accepted vintage to compare with, None without one.
    gates : what may be right and looks wrong, a sentence each; accepted only with a reason.
    told : sentences for the summary.
    """

    vintage: str
    origin: Mapping[str, object]
    files: Mapping[str, bytes | Path]
    rows: Mapping[str, int] = field(default_factory=dict)
    before: str | None = None
    gates: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """How a table is compared: rows are one by `key`; columns in `ignore` may differ."""

    key: tuple[str, ...]
    ignore: tuple[str, ...] = ()


def newest(source: str, vintage: str, prefix: str = "") -> str | None:
    """The accepted vintage before this one by name, among those that begin with `prefix`; itself if it is
    there; without one before, the first after."""
    there = [name for name in vintages(source) if name.startswith(prefix)]
    before = [name for name in there if name <= vintage]
    return before[-1] if before else (there[0] if there else None)


def one_file(fetched: Path, wanted: Wanted, name: str) -> Path:
    """The one capture of a source: that given by hand, else `name`.

    Raises
    ------
    UsageError : several were given by hand.
    """
    if len(wanted.by_hand) > 1:
        raise UsageError(
            "one file expected", f"--from names {len(wanted.by_hand)} files.", remedy="give one."
        )
    return fetched / (wanted.by_hand[0] if wanted.by_hand else name)


def day(text: str, what: str) -> str:
    """An ISO day.

    Raises
    ------
    UsageError : it is none.
    """
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError("no day", f"{text!r} is no {what}.", remedy="write it as 2025-05-28.") from None


def size_gates(
    rows: int, before: int, what: str, *, least: float = LEAST, most: float = MOST
) -> tuple[str, ...]:
    """A sentence where there are far fewer or far more rows than in the vintage before.

    Raises
    ------
    QuarantineError : there are none.
    """
    if rows == 0:
        raise QuarantineError("no rows", f"no {what}; no rows is no success.", remedy="look at the capture.")
    if before and not least <= rows / before <= most:
        return (f"{rows:,} {what}, where the vintage before has {before:,} ({rows / before - 1:+.1%}).",)
    return ()

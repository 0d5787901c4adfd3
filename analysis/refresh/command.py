"""One refresh from the first request to the accepted vintage, and what it says about it."""

from __future__ import annotations

import datetime
import errno
import importlib
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from analysis.errors import AnalysisError
from analysis.provenance import root
from analysis.refresh import comparing, states
from analysis.refresh.client import Made, Wanted
from analysis.refresh.comparing import Difference
from analysis.refresh.faults import FetchError, QuarantineError, RefreshError, UsageError, redact
from analysis.refresh.http import opened
from analysis.refresh.parts import NOTES
from analysis.sources.reading import RESTORE

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    Parameters
    ----------
    source : the module's name.
    vintage : its name, or None for the newest.
    files : read these instead of fetching.
    url : fetch from this address of the publisher's.
    dry_run : show what would change, and accept nothing.
    because : why a candidate that looks wrong is right.
    today : the day of the run; today (UTC) where it is empty.
    """

    source: str
    vintage: str | None = None
    files: tuple[Path, ...] = ()
    url: str | None = None
    dry_run: bool = False
    because: str | None = None
    today: str = ""


@dataclass(frozen=True)
class Outcome:
    """`state` is "accepted", "nothing new" or "dry run"; `lines` is the summary."""

    state: str
    made: Made
    difference: Difference
    lines: tuple[str, ...]


def refresh(request: Request, say: Say = lambda text: None) -> Outcome:
    """Fetch, validate, compare, accept.

    Raises
    ------
    RefreshError : nothing was accepted; `code` is the exit code. No message holds a key.
    """
    client = load(request.source)
    key = os.environ.get(getattr(client, "KEY", ""), "")
    wanted = Wanted(
        request.vintage,
        (),
        request.url,
        request.today or datetime.datetime.now(datetime.UTC).date().isoformat(),
        key,
    )
    if request.files and request.url:
        raise UsageError("one of two", "--from and --url exclude each other.", remedy="give one.")
    if request.vintage and not re.fullmatch(r"\w[\w.-]{0,60}", request.vintage):
        raise UsageError("no vintage", f"{request.vintage!r} names none.", remedy=f"use {client.FORM}.")
    with states.locked(request.source) as desk:
        fetched, asked = desk / "fetched" / (slug(request)), []
        alone = getattr(client, "ALONE", False)
        try:
            wanted = fetch(client, request, wanted, fetched, asked, say)
            say("reading and checking")
            asked = []
            made, candidate = validate(client, request, wanted, desk, fetched)
            return conclude(client, request, made, candidate, desk, fetched, say)
        except AnalysisError as error:
            if isinstance(error, RefreshError) and not isinstance(error, QuarantineError):
                raise
            wrong = wrong_captures(error, fetched, asked, alone)
            raise put_aside(desk, fetched, wrong, error, key) from None


def wrong_captures(error: AnalysisError, fetched: Path, asked: list[str], alone: bool) -> list[str]:
    """The captures to put aside: while they are fetched, and where each stands `alone`, those that the error
    names or the last; else all of them, since they are wrong together.

    Parameters
    ----------
    asked : the captures asked for so far, empty once all are there.
    """
    there = [path.name for path in fetched.glob("*") if path.name != NOTES]
    named = set(re.split(r"[\s,]+", str(getattr(error, "where", "")))) & set(there)
    if asked:
        return sorted(named) or [name for name in asked[-1:] if name in there]
    return sorted(named) if alone and named else there


def put_aside(desk: Path, fetched: Path, wrong: list[str], error: AnalysisError, key: str) -> QuarantineError:
    """Quarantine captures; the same error with the place where they lie."""
    fault = getattr(error, "fault", "breaks a rule")
    # The readers' remedy is for what was accepted.
    said = redact(str(error), (key,)).replace(RESTORE, "look at what came.")
    folder = states.quarantine(desk, fetched, wrong, said).relative_to(root())
    return QuarantineError(fault, f"{said.removeprefix(f'{fault}: ')} Nothing was accepted; see {folder}.")


def load(source: str) -> ModuleType:
    """The module of a source."""
    return importlib.import_module(f"analysis.refresh.{source}")


def slug(request: Request) -> str:
    """A folder's name for what is fetched, so that only the same request resumes it."""
    if request.files:
        return "by-hand"
    return re.sub(r"\W+", "-", f"{request.vintage or 'newest'}{request.url or ''}")[:80]


def fetch(
    client: ModuleType, request: Request, wanted: Wanted, fetched: Path, asked: list[str], say: Say
) -> Wanted:
    """The captures, by hand or from the publisher; `asked` hears their names."""
    if request.files:
        return replace(wanted, by_hand=states.take_by_hand(list(request.files), fetched))
    secrets = (wanted.key,) if wanted.key else ()
    try:
        with opened(fetched, client.HOSTS, secrets, say, asked) as web:
            client.fetch(web, wanted)
            web.forget_others()
    except RefreshError:
        raise
    except OSError as error:
        if error.filename is not None or error.errno == errno.ENOSPC:
            raise  # this machine's disk, not the publisher
        # Other libraries' errors hold whole addresses, and thus keys.
        raise FetchError("unreachable", redact(str(error), secrets)) from None
    return wanted


def validate(
    client: ModuleType, request: Request, wanted: Wanted, desk: Path, fetched: Path
) -> tuple[Made, Path]:
    """The candidate on disk, read as the stages will read it.

    Raises
    ------
    QuarantineError, DataError : it breaks a rule, or looks wrong and no reason was given.
    """
    made = client.make(fetched, wanted)
    if made.gates and not request.because:
        raise QuarantineError(
            "looks wrong",
            " ".join(made.gates),
            remedy='look at it; if it is right, run again with --because "WHY".',
        )
    candidate = states.lay_out(
        desk,
        client.FOLDER,
        made,
        today=wanted.today,
        by_hand=bool(request.files),
        because=request.because,
    )
    with states.as_project(candidate):
        client.read(made.vintage)
    return made, candidate


def conclude(
    client: ModuleType, request: Request, made: Made, candidate: Path, desk: Path, fetched: Path, say: Say
) -> Outcome:
    """Compare with the vintage before, and accept unless there is nothing new or nothing is wanted."""
    raw = root() / "data" / "raw" / client.FOLDER
    there = raw / made.vintage
    before = made.vintage if there.is_dir() else made.before
    difference = comparing.compare(raw / before if before else None, candidate, client.COMPARED)
    listing = desk / f"diff-{made.vintage}.csv"
    comparing.write(difference, listing)
    lines = [*summary(request.source, made, before, difference), *made.told]
    if difference:
        lines.append(f"  all changes: {listing.relative_to(root())}")
    if there.is_dir() and difference:
        raise QuarantineError(
            "vintage there",
            f"{made.vintage} was accepted before, with other contents ({difference.counted()}).",
            where=there.relative_to(root()),
            remedy=f"old vintages stay; name this one otherwise: --vintage {made.vintage}-b.",
        )
    if there.is_dir() or (before and not difference and not request.vintage and client.COMPARED):
        state, said = "nothing new", f"nothing new: {client.FOLDER}/{before} stays the newest."
    elif request.dry_run:
        state, said = "dry run", f"dry run: would accept data/raw/{client.FOLDER}/{made.vintage}."
    else:
        states.accept(candidate, client.FOLDER)
        state, said = "accepted", f"accepted: data/raw/{client.FOLDER}/{made.vintage}"
        said += "\nNext: `python -m analysis changes --since HEAD`, which runs what follows."
    states.clear(desk / "candidate")
    if not request.dry_run:
        states.clear(fetched)
    return Outcome(state, made, difference, (*lines, said))


def summary(source: str, made: Made, before: str | None, difference: Difference) -> list[str]:
    """What the candidate holds, and what it changes."""
    rows = ", ".join(f"{name} {count:,} rows" for name, count in made.rows.items()) or "no tables"
    against = f"against {before}" if before else "the first vintage"
    lines = [f"{source} {made.vintage} (as of {made.origin['as_of']}): {rows}"]
    lines += [f"  {against}: {difference.counted()}", *difference.lines()]
    return lines + [f"  accepted though: {gate}" for gate in made.gates]


def run(request: Request) -> int:
    """The command: its summary on the output, its progress and errors on the error stream; the exit code."""
    say = teller()
    try:
        outcome = refresh(request, say)
    except RefreshError as error:
        say("")
        print(f"error: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        say("")
        print("interrupted: nothing was accepted; the next run goes on from what is there", file=sys.stderr)
        return 130
    say("")
    print("\n".join(outcome.lines))
    return 0


def teller() -> Say:
    """Progress on the error stream: one line rewritten on a terminal, else a line a step and none a chunk."""
    terminal = sys.stderr.isatty()

    def say(text: str) -> None:
        if terminal:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        elif text and not text.endswith("%"):
            print(text, file=sys.stderr, flush=True)

    return say

"""One case at a door: a real file, changed, is given to its reader, and what came of it is told.

A case is a door's name and a number, from which everything about it follows. Cases are played in a child
process with a limit of memory, which its parent ends when a case takes too long: what a reader does to its own
process is seen from outside.
"""

from __future__ import annotations

import json
import logging
import os
import re
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from types import FrameType

from tests.conftest import REPOSITORY
from tests.doors.mutations import mutated

SECONDS = 30  # a case; on a busy machine a file of a megabyte takes one
MOST = 1 << 30  # bytes of memory
CASES = 2_000  # of one child, so that a case is not blamed for what others left; a new one costs 20 seconds
OUTCOMES = ("value", "named error", "implausible", "other exception", "hang", "memory")
GOOD = OUTCOMES[:2]
ABSENT = "the real file is not here"


@dataclass(frozen=True)
class Given:
    """What a reader is given: the bytes, how many mutations made them, and whether the file's record (its
    checksum, its number of rows) was made to fit them."""

    content: bytes
    project: Path
    recorded: bool
    draw: Random


@dataclass(frozen=True)
class Door:
    """A way in.

    Parameters
    ----------
    name : what the table calls it.
    kind : of mutations, a key of `mutations.KINDS`.
    real : gives the real file's bytes, or part of it in its own form; None where it is not here.
    enter : puts the bytes where the reader looks, reads, gives the value.
    reaches : the readers behind it, each of which must be called for the real file.
    look : says what is implausible in the value, "" where nothing is.
    whole : gives the whole real file, where `real` gives a part.
    checksummed : bytes that differ from the recorded ones must be refused.
    share : cases of it for one of an ordinary door.
    """

    name: str
    kind: str
    real: Callable[[], bytes | None]
    enter: Callable[[Given], object]
    reaches: tuple[str, ...]
    look: Callable[[object], str] = lambda value: ""
    whole: Callable[[], bytes | None] | None = None
    checksummed: bool = False
    share: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """What came of a case (of the whole real file, or a part): one of `OUTCOMES`, the error, the mutations,
    megabytes of memory at the most, seconds of the processor, and the package's functions that were called,
    where these were watched."""

    door: str
    seed: int
    outcome: str
    whole: bool = False
    error: str = ""
    said: str = ""
    mutations: list[str] = field(default_factory=list)
    megabytes: float = 0.0
    seconds: float = 0.0
    called: list[str] = field(default_factory=list)


class HangError(BaseException):
    """No `except Exception` catches it."""


def play(door: Door, project: Path, seed: int, *, whole: bool = False, watch: bool = False) -> Outcome:
    """One case, in this process; a number below 0 stands for the real file, recorded as it is."""
    from analysis.errors import AnalysisError

    begin, draw = time.process_time(), Random(f"{door.name} {seed}")
    content = (door.whole if whole and door.whole else door.real)()
    if content is None:
        return Outcome(door.name, seed, "value", said=ABSENT)
    changed, names = mutated(content, door.kind, draw.randrange(2**32)) if seed >= 0 else (content, [])
    recorded = draw.random() < 0.85 or seed < 0
    called: set[str] = set()
    about = {"door": door.name, "seed": seed, "whole": whole, "mutations": names}
    forget_peak()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with watched(called) if watch else nullcontext():
            value = door.enter(Given(changed, project, recorded, draw))
        wrong = door.look(value)
        if door.checksummed and not recorded and changed != door.real():  # which is what is recorded
            wrong = "bytes that are not those recorded were read"
        out = Outcome(outcome="implausible" if wrong else "value", said=wrong, **about)
    except AnalysisError as error:
        out = Outcome(outcome="named error", error=type(error).__name__, said=str(error)[:300], **about)
        if fault := unhelpful(str(error)):
            out = Outcome(outcome="implausible", error=type(error).__name__, said=fault, **about)
    except MemoryError:
        out = Outcome(outcome="memory", said=where(), **about)
    except HangError:
        out = Outcome(outcome="hang", said=where(), **about)
    except BaseException as error:  # that none comes is what is tested
        said = f"{str(error)[:200]} at {where()}"
        out = Outcome(outcome="other exception", error=type(error).__name__, said=said, **about)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    peak = peak_bytes()
    outcome = "memory" if peak > MOST else out.outcome
    taken = {"megabytes": round(peak / 1e6, 1), "seconds": round(time.process_time() - begin, 4)}
    return Outcome(**asdict(out) | {"outcome": outcome, "called": sorted(called)} | taken)


@contextmanager
def watched(called: set[str]) -> Iterator[None]:
    """The package's functions that are called meanwhile, in whatever thread, are put into the set."""
    seen: set[tuple[str, str]] = set()

    def see(frame: FrameType, event: str, _: object) -> None:  # of calls alone
        seen.add((frame.f_globals.get("__name__", ""), frame.f_code.co_name))

    before = sys.gettrace()
    threading.settrace(see)
    sys.settrace(see)
    try:
        yield
    finally:
        sys.settrace(before)
        threading.settrace(before)
        called |= {f"{module}.{name}" for module, name in seen if module.startswith("analysis")}


def unhelpful(message: str) -> str:
    """What an error should not hold: more text of a file than a reader takes in, or a traceback."""
    if len(message) > 4_000:
        return f"a message of {len(message):,} letters"
    return "a traceback in the message" if "Traceback (most recent" in message else ""


def where() -> str:
    """The last lines of the project on the way to the exception that is being handled."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    own = [each for each in frames if "/analysis/" in each.filename]
    return " < ".join(f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in own[:-4:-1])


def forget_peak() -> None:
    """Let the system count the most memory anew; without such a system the process's peak stays."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak_bytes() -> int:
    """The most memory that was held since `forget_peak`."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
        return int(found[1]) * 1024
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


# -- the child ----------------------------------------------------------------------------------------------


def serve() -> None:
    """Play the cases that come as lines on the input, and answer each with a line."""
    from tests.conftest import copy_project
    from tests.doors.doors import DOORS

    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what readers print is no answer

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")

    def hang(number: int, frame: object) -> None:
        raise HangError

    signal.signal(signal.SIGALRM, hang)
    doors = {door.name: door for door in DOORS}
    with tempfile.TemporaryDirectory(prefix="doors-") as folder:
        projects: dict[str, Path] = {}
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        for line in sys.stdin:
            asked = json.loads(line)
            door = doors[asked["door"]]
            if door.name not in projects:
                projects[door.name] = copy_project(Path(folder) / f"project-{len(projects)}")
                limit()
            os.environ["ANALYSIS_ROOT"] = str(projects[door.name])
            done = play(door, projects[door.name], asked["seed"], whole=asked["whole"], watch=asked["watch"])
            print(json.dumps(asdict(done)), file=answers, flush=True)


def limit() -> None:
    """An end to what a case can take, beyond what is counted: libraries reserve more than they use."""
    try:
        found = re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    except OSError:
        return
    resource.setrlimit(resource.RLIMIT_DATA, (int(found[1]) * 1024 + 2 * MOST, resource.RLIM_INFINITY))


# -- the parent ---------------------------------------------------------------------------------------------


class Worker:
    """A child process that plays cases; one that hangs or dies is replaced. A context manager."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment, self.child, self.played = dict(environment or {}), None, 0

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> subprocess.Popen:
        paths = {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
        paths |= {"ARROW_DEFAULT_MEMORY_POOL": "system"}  # others reserve a gigabyte at once
        return subprocess.Popen(
            [sys.executable, "-c", "from tests.doors.engine import serve; serve()"],
            cwd=REPOSITORY,
            env=os.environ | paths | self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def end(self) -> int | None:
        """The child's end, with whatever it has started; how it ended."""
        if self.child is None:
            return None
        code = self.child.poll()
        if code is None:
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.communicate()
        self.child = None
        return code

    def play(self, door: str, seed: int, *, whole: bool = False, watch: bool = False) -> Outcome:
        """What comes of a case, however it ends."""
        self.played += 1
        if self.played % CASES == 0:
            self.end()
        self.child = self.child or self.start()
        try:
            asked = {"door": door, "seed": seed, "whole": whole, "watch": watch}
            self.child.stdin.write(json.dumps(asked) + "\n")
            self.child.stdin.flush()
            answered = readable(self.child, 2 * SECONDS + 60)
            line = self.child.stdout.readline() if answered else ""
        except BrokenPipeError:
            answered, line = True, ""
        if line:
            return Outcome(**json.loads(line))
        code = self.end()
        said = "no answer, not even to the alarm" if not answered else f"the process died ({code})"
        return Outcome(door, seed, "other exception" if answered else "hang", whole, said=said)


def readable(child: subprocess.Popen, seconds: float) -> bool:
    """Whether the child answers within so many seconds."""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        return bool(selector.select(seconds))

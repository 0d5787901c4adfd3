"""Tables on their way to an engine: members of archives through named pipes, and how every table's lines end.

An archive is unpacked while it is read, so that it needs no room on the disk.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis.errors import DataError
from analysis.grants.files import Bulk, Ends, blocks, line_ends

Told = Callable[[int], None]
BESIDES = 100  # files that the engine and the threads have open beside the pipes


@contextmanager
def piped(
    bulks: Sequence[Bulk], told: Told = lambda count: None
) -> Iterator[tuple[list[Bulk], list[Future]]]:
    """The tables as an engine can open them, each once, and how the lines of each end, known when it is read.

    Parameters
    ----------
    told : hears how many bytes of a member went through.

    Yields
    ------
    bulks : members of archives in place of which stand pipes.
    ends : a future of `Ends` for each; it raises DataError where an archive turns out to be torn.

    Raises
    ------
    DataError : more members than this process may have pipes open, of which some would never be fed.
    """
    packed = [bulk for bulk in bulks if bulk.member]
    check_open(len(packed))
    with (
        TemporaryDirectory(prefix="flows-") as folder,
        ThreadPoolExecutor(1) as scanner,  # beside the engine, which leaves time enough
        ThreadPoolExecutor(max(len(packed), 1)) as feeders,  # one each: the engine chooses the order
    ):
        pipes = {bulk: Path(folder) / f"{number}.csv" for number, bulk in enumerate(packed)}
        for pipe in pipes.values():
            os.mkfifo(pipe)
        fed = {bulk: feeders.submit(feed, bulk, pipe, told) for bulk, pipe in pipes.items()}
        ends = [fed.get(bulk) or scanner.submit(lambda one=bulk: line_ends(blocks(one))) for bulk in bulks]
        try:
            through = [replace(b, path=str(pipes[b]), member="") if b in pipes else b for b in bulks]
            yield through, ends
        finally:
            for future in ends:
                future.cancel()
            release(list(pipes.values()), list(fed.values()))


def check_open(pipes: int) -> None:
    """So many pipes can be open at once: a waiting one counts, and its engine would wait without end."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed != resource.RLIM_INFINITY and pipes + BESIDES > allowed:
        raise DataError(
            f"{pipes:,} members of archives at once, where {allowed:,} files may be open.",
            file="flows",
            remedy=f"allow more (`ulimit -n {pipes + BESIDES}`), or unpack them and name the files.",
        )


def feed(bulk: Bulk, pipe: Path, told: Told) -> Ends:
    """Unpack a member into a pipe, which waits for its reader."""

    def passing(out: object) -> Iterator[bytes]:
        for block in blocks(bulk):
            out.write(block)
            told(len(block))
            yield block

    try:
        with pipe.open("wb") as out:
            return line_ends(passing(out))
    except BrokenPipeError:
        return Ends(comma=False, mixed=False)  # the engine has stopped, and says why


def release(pipes: Sequence[Path], fed: Sequence[Future]) -> None:
    """Let go of the threads that wait for a reader who will not come, or has gone."""
    while not all(future.done() for future in fed):
        for pipe in pipes:
            with suppress(OSError):
                os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
        time.sleep(0.01)

"""Fetching: to a temporary file, resumed, within bounds, again after a while, and never with a key in sight.

A file counts as fetched when it is whole and is of the kind that was asked for. What was fetched is noted in
`fetched.json` beside it, so that the next run asks only whether it has changed. A file that broke off goes on
from where it stopped, if the publisher says that it is still the same.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import tenacity

from analysis.provenance import read_project, version
from analysis.refresh import sniffing
from analysis.refresh.faults import FetchError, QuarantineError, RefreshError, UsageError, is_told, redact
from analysis.refresh.parts import MEGABYTE, NOTES, Asked, Held, digest, note, notes
from analysis.refresh.replies import (
    REPLAY,
    LaterError,
    check_host,
    check_status,
    replayed,
    target,
    whole_number,
)
from analysis.refresh.sniffing import BY_HAND

TIMEOUT = httpx.Timeout(60.0, connect=20.0)
# Bytes a second, over so many seconds: a reply that drips more slowly is broken off and resumed.
SLOWEST, WATCHED = 500, 30.0
REDIRECTS = 4
# Tries in a row without a megabyte more; the first wait in seconds, doubled each time; the longest wait.
TRIES = 5
FIRST_WAIT = 1.0
LONGEST_WAIT = 120.0


def user_agent() -> str:
    """Who asks, with the version and the address of the project where it states one."""
    urls = read_project()["urls"]
    about = "; ".join(["reproducible statistics", *list(urls.values())[:1]])
    return f"listed-jurisdictions/{version()} ({about}) python-httpx/{httpx.__version__}"


@dataclass(frozen=True)
class Web:
    """The way to one publisher: where from, where to, and what must not be told.

    Parameters
    ----------
    client : see `opened`.
    folder : where files are put.
    hosts : the only hosts that are asked.
    secrets : keys, which appear in no error, file or line.
    say : hears how far it is.
    saved : the names of what was asked for, in that order.
    """

    client: httpx.Client
    folder: Path
    hosts: tuple[str, ...]
    secrets: tuple[str, ...] = ()
    say: Callable[[str], None] = lambda text: None
    saved: list[str] = field(default_factory=list)

    def save(
        self,
        url: str,
        name: str,
        *,
        kind: str,
        most: int = 50 * MEGABYTE,
        params: Mapping[str, str] | None = None,
        json: object = None,
        also_later: tuple[int, ...] = (),
    ) -> Path:
        """Fetch one file into the folder, as `name`; a file that is there and has not changed stays.

        Parameters
        ----------
        kind : "html", "json", "csv", "text", "zip", "xlsx" or "pdf".
        most : the most bytes.
        params : what is added to the address, keys for instance; it is not noted.
        json : the content of a POST request.
        also_later : statuses to be tried again beside the usual ones.

        Raises
        ------
        FetchError, QuarantineError, UsageError : see `replies` and `sniffing`; nothing is left but what can
            be resumed, and of a QuarantineError what came.
        """
        asked = Asked(url, name, kind, most, params or {}, json, also_later)
        check_host(url, self.hosts)
        tries = 0

        def tired(state: tenacity.RetryCallState) -> bool:
            nonlocal tries
            tries = 1 if state.outcome.exception().progressed else tries + 1
            return tries >= TRIES or too_long(state.outcome.exception())

        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(LaterError),
            wait=lambda state: patience(state.outcome.exception(), tries),
            stop=tired,
            before_sleep=lambda state: self.say(
                f"{name}: {state.outcome.exception()}; again in {state.next_action.sleep:.0f} s"
            ),
            reraise=True,
        )
        self.saved.append(name)
        try:
            return trying(self._fetch, asked)
        except LaterError as error:
            raise self.told(gave_up(asked, error, tries)) from None
        except RefreshError as error:
            raise self.told(error) from None

    def forget_others(self) -> None:
        """Remove what an earlier run fetched and this one did not ask for."""
        for path in self.folder.iterdir():
            if path.name not in {*self.saved, NOTES}:
                path.unlink()

    def told(self, error: RefreshError) -> RefreshError:
        """The same error without keys in it."""
        where = None if error.where is None else redact(str(error.where), self.secrets)
        said = (redact(error.rule, self.secrets), error.remedy and redact(error.remedy, self.secrets))
        return type(error)(error.fault, said[0], where=where, remedy=said[1])

    def _fetch(self, asked: Asked) -> Path:
        path = self.folder / asked.name
        headers, held = self._known(asked)
        try:
            with self._sent(asked, headers) as (reply, came_from):
                if reply.status_code == 416:
                    held.drop()
                    raise LaterError("the part that is there fits no more")
                check_status(reply, asked.url, asked.also_later)
                if reply.status_code == 304:
                    self.say(f"{asked.name}: not changed")
                    return path
                self._receive(asked, reply, held)
        except httpx.InvalidURL:  # the library looks at a redirect even where it does not follow it
            raise FetchError(
                "redirect refused", "it names no address.", where=asked.url.split("?")[0], remedy=BY_HAND
            ) from None
        except httpx.RequestError as error:
            raise LaterError(
                f"the connection failed ({error or type(error).__name__})", progressed=held.grew()
            ) from None
        known = held.stamp()
        held.part.replace(path)
        held.drop()
        # What is not of the kind stays to be put aside: without a note it is not taken for fetched.
        try:
            sniffing.check(path, asked.kind, asked.url)
        except UsageError:
            path.unlink()
            raise
        known |= {"url": redact(came_from, self.secrets), "sha256": digest(path)}
        note(self.folder, asked.name, known)
        return path

    def _known(self, asked: Asked) -> tuple[dict[str, str], Held]:
        """Headers that ask for the rest of what broke off, or whether what is there has changed."""
        held = Held(self.folder, asked)
        headers = {"Accept-Encoding": "identity"}
        if asked.method == "GET" and held.resumable():
            return headers | {"Range": f"bytes={held.size()}-", "If-Range": held.validator()}, held
        held.drop()
        known = notes(self.folder).get(asked.name, {})
        path = self.folder / asked.name
        if (
            asked.method == "GET"
            and known.get("asked") == held.asked
            and path.is_file()
            and digest(path) == known.get("sha256")
        ):
            for header, key in (("If-None-Match", "etag"), ("If-Modified-Since", "last_modified")):
                headers |= {header: known[key]} if known.get(key) else {}
        return headers, held

    @contextmanager
    def _sent(self, asked: Asked, headers: Mapping[str, str]) -> Iterator[tuple[httpx.Response, str]]:
        """The reply and its address, after redirects that stay with what was asked for."""
        url, params = asked.url, dict(asked.params)
        for _ in range(REDIRECTS + 1):
            check_host(url, self.hosts)
            # `params` of httpx would replace what the address asks.
            whole = httpx.URL(replayed(url)).copy_merge_params(params)
            request = self.client.build_request(asked.method, whole, json=asked.json, headers=headers)
            reply = self.client.send(request, stream=True)
            try:
                if not (300 <= reply.status_code < 400 and reply.status_code != 304):
                    yield reply, url
                    return
                url, params = target(url, reply, self.hosts, asked.kind, asked.method), {}
            finally:
                reply.close()
        raise FetchError("redirect refused", f"more than {REDIRECTS} redirects.", where=asked.url)

    def _receive(self, asked: Asked, reply: httpx.Response, held: Held) -> None:
        """The reply's bytes onto what is there."""
        begins, total = extent(reply)
        same = reply.status_code == 206 and begins == held.size() and held.same(reply, total)
        if reply.status_code == 206 and not same:
            held.drop()
            raise LaterError("the rest does not fit what is there")
        if not same:
            held.begin(reply, total)
        total = held.total if total is None else total
        if total is not None and total > asked.most:
            held.drop()
            raise too_large(asked, total)
        begun, size, first, tail = time.monotonic(), held.size(), held.size(), ""
        with held.part.open("ab") as stream:
            for chunk in reply.iter_bytes():
                size += len(chunk)
                if size > asked.most:
                    break
                if self.secrets:
                    tail = self._silent(asked, held, tail + chunk.decode("latin-1"))
                stream.write(chunk)
                lasted = time.monotonic() - begun
                if lasted > WATCHED and (size - first) / lasted < SLOWEST:
                    raise LaterError("the connection drips", progressed=held.grew())
                if size // MEGABYTE > (size - len(chunk)) // MEGABYTE:
                    self.say(progress(asked.name, size, total))
        if size > asked.most:
            held.drop()
            raise too_large(asked, size)
        if total is not None and size != total:
            raise LaterError(f"{size:,} of {total:,} bytes came", progressed=held.grew())

    def _silent(self, asked: Asked, held: Held, text: str) -> str:
        """The end of a text in which no key stands; one that repeats a key reaches no file."""
        if is_told(text, self.secrets):
            held.drop()
            sniffing.check_page(text, asked.kind, asked.url)
            raise QuarantineError(
                "key in the reply",
                "it repeats the key; nothing of it was kept.",
                where=asked.url,
                remedy="try it again; if it stays so, tell the publisher.",
            )
        return text[-16 * max(map(len, self.secrets)) :]


def extent(reply: httpx.Response) -> tuple[int, int | None]:
    """Where the reply's bytes begin, and how many the whole file has, where the reply says."""
    if reply.status_code == 206:
        span, _, whole = reply.headers.get("content-range", "").removeprefix("bytes ").partition("/")
        begins = whole_number(span.partition("-")[0])
        return -1 if begins is None else begins, whole_number(whole)
    plain = reply.headers.get("content-encoding", "identity") == "identity"
    return 0, whole_number(reply.headers.get("content-length", "")) if plain else None


def too_large(asked: Asked, size: int) -> QuarantineError:
    return QuarantineError(
        "too large",
        f"{size:,} bytes or more, where at most {asked.most:,} are expected.",
        where=asked.url,
        remedy="look what it is; if it is right, read it with --from FILE.",
    )


def too_long(error: LaterError) -> bool:
    """Whether the publisher asks for more patience than a command should have."""
    return error.after is not None and error.after > LONGEST_WAIT


def patience(error: LaterError, tries: int) -> float:
    """Seconds until the next try: doubled each time, a little scattered, no less than the publisher says."""
    scattered = FIRST_WAIT * 2 ** max(0, tries - 1) * random.uniform(0.75, 1.25)
    return min(max(error.after or 0.0, scattered), LONGEST_WAIT)


def gave_up(asked: Asked, error: LaterError, tries: int) -> FetchError:
    """The error after the last try."""
    busy = "429" in str(error) or too_long(error)
    wait = f"in {error.after:,.0f} s" if too_long(error) else "later"
    return FetchError(
        "too many requests" if busy else "unreachable",
        f"{error}, after {tries} tries.",
        where=asked.url,
        remedy=f"run the same command again {wait}: it goes on from what is there. Or use --from FILE.",
    )


def progress(name: str, size: int, total: int | None) -> str:
    """How far one file is; the last sign is %, so that a log has no line a chunk."""
    part = f"{100 * size // total}" if total else "?"
    return f"{name}: {size / MEGABYTE:,.1f} MB, {part} %"


@contextmanager
def opened(
    folder: Path,
    hosts: tuple[str, ...],
    secrets: tuple[str, ...] = (),
    say: Callable[[str], None] = lambda text: None,
    saved: list[str] | None = None,
) -> Iterator[Web]:
    """A `Web` for one run. Its libraries' own log lines, which hold whole addresses, are turned off."""
    for library in ("httpx", "httpcore", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    with httpx.Client(
        headers={"User-Agent": user_agent()},
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=not os.environ.get(REPLAY),
    ) as client:
        yield Web(client, folder, hosts, secrets, say, [] if saved is None else saved)

"""What a reply's status and headers say: go on, try again in a while, or give up, and with what words."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from urllib.parse import urljoin, urlsplit

import httpx

from analysis.refresh.faults import FetchError, QuarantineError, UsageError
from analysis.refresh.sniffing import BY_HAND, KEY_PAGE

# Overridden by tests: every address https://HOST/PATH is asked at REPLAY/HOST/PATH, on this machine only.
REPLAY = "ANALYSIS_REFRESH_REPLAY"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

LATER = (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524)
PACKED = ("identity", "gzip", "deflate")  # one of these at a time: what is packed twice fills disks
PAGES = ("", ".htm", ".html", ".asp", ".aspx", ".php")


class LaterError(Exception):
    """Worth trying again, after so many seconds where the publisher said."""

    def __init__(self, why: str, after: float | None = None, *, progressed: bool = False) -> None:
        super().__init__(why)
        self.after, self.progressed = after, progressed


def replayed(url: str) -> str:
    """The address that is really asked: its own, or that of the server that replays it.

    Raises
    ------
    UsageError : the server named is not on this machine.
    """
    base = os.environ.get(REPLAY)
    if not base:
        return url
    if urlsplit(base).hostname not in LOOPBACK:
        raise UsageError("host not allowed", f"{REPLAY} names another machine.", where=base)
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{base.rstrip('/')}/{parts.netloc}{parts.path or '/'}{query}"


def check_host(url: str, hosts: Iterable[str]) -> None:
    """The address is https, on a host of the list, on the usual port, and names no user.

    Raises
    ------
    FetchError : "host not allowed".
    """
    hosts = tuple(hosts)
    try:
        parts = urlsplit(url)
        port = parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        raise FetchError("host not allowed", "not an address.", where=url) from None
    well = parts.scheme == "https" and parts.hostname in hosts and port in (None, 443) and not parts.username
    if not well:
        raise FetchError(
            "host not allowed",
            f"only https on {', '.join(hosts)} is asked.",
            where=f"{parts.scheme}://{parts.hostname}",
            remedy=BY_HAND,
        )


def target(url: str, reply: httpx.Response, hosts: Iterable[str], kind: str, method: str) -> str:
    """Where a redirect leads, if it leads to what was asked for, on the same host.

    Raises
    ------
    UsageError : "missing key": it leads to a page that says so.
    FetchError : "redirect refused".
    """
    location = reply.headers.get("location", "")
    try:
        to = str(httpx.URL(urljoin(url, location)))
        before, after = urlsplit(url), urlsplit(to)
    except (ValueError, httpx.InvalidURL):
        raise FetchError(
            "redirect refused", "it names no address.", where=url.split("?")[0], remedy=BY_HAND
        ) from None
    if KEY_PAGE.search(after.path) or reply.headers.get("x-datawebapi-keyerror"):
        raise UsageError(
            "missing key",
            "the publisher redirects to its page on missing keys.",
            where=url.split("?")[0],
            remedy="set the key as the README says.",
        )
    ends = PurePosixPath(after.path).suffix.lower()
    why = None
    if after.hostname != before.hostname:
        why = f"it leads to another host, {after.hostname}"
    elif method != "GET":
        why = "a request with content is not redirected"
    elif kind != "html" and ends in PAGES and ends != PurePosixPath(before.path).suffix.lower():
        why = f"it leads to a page, {after.path}, where {kind} was asked for"
    elif kind == "html" and after.path in ("", "/") and before.path not in ("", "/"):
        why = "it leads to the front page, as for a page that is gone"
    if why or not location:
        raise FetchError(
            "redirect refused", f"{why or 'it names no address'}.", where=url.split("?")[0], remedy=BY_HAND
        )
    check_host(to, hosts)
    return to


def whole_number(text: str) -> int | None:
    """A header's whole number; None for anything else, also for digits of other scripts or without end."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def retry_after(reply: httpx.Response, now: datetime.datetime) -> float | None:
    """The seconds to wait by the header Retry-After, given as seconds or as a date; None without one."""
    said = reply.headers.get("retry-after", "").strip()
    if (seconds := whole_number(said)) is not None:
        return float(seconds)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=datetime.UTC)
    return max(0.0, (until - now).total_seconds())


def check_status(reply: httpx.Response, url: str, also_later: Iterable[int] = ()) -> None:
    """The reply brings what was asked for (200, 206, 304), or not.

    Raises
    ------
    LaterError : worth another try.
    QuarantineError : "empty reply" (204), "packed reply".
    FetchError : "not found", "refused" and other statuses, with the publisher's words.
    """
    status = reply.status_code
    if status in (200, 206, 304):
        packed = reply.headers.get("content-encoding", "identity").strip().lower()
        if packed not in PACKED:
            raise QuarantineError(
                "packed reply",
                f"it is packed as {packed!r}, which was not asked for.",
                where=url,
                remedy=BY_HAND,
            )
        return
    if status in LATER or status in also_later:
        raise LaterError(f"status {status}", retry_after(reply, datetime.datetime.now(datetime.UTC)))
    if status in (204, 205):
        raise QuarantineError(
            "empty reply",
            f"status {status} without content; no rows is no success.",
            where=url,
            remedy="ask for another vintage, or look what the publisher says.",
        )
    fault = {401: "refused", 403: "refused", 404: "not found", 410: "not found"}.get(status, "bad reply")
    remedy = {
        "refused": "some sites refuse programs: " + BY_HAND,
        "not found": "it has moved or is gone: give its address with --url, or its file with --from.",
        "bad reply": "see what the publisher says; " + BY_HAND,
    }[fault]
    raise FetchError(fault, f"status {status}{words(reply)}.", where=url, remedy=remedy)


def words(reply: httpx.Response) -> str:
    """What a refusal says, in one short line; "" where it is a page or nothing."""
    if "html" in reply.headers.get("content-type", ""):
        return ""
    try:
        # The first piece, however short: a reply that drips is not waited for.
        said = next(reply.iter_bytes(), b"")[:400].decode("utf-8", "replace")
    except httpx.HTTPError:
        return ""
    said = " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())[:200]
    return f" ({said})" if said else ""

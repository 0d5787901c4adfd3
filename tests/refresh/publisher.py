"""A publisher on this machine: it answers with what a test gives it, and remembers every request.

Every address https://HOST/PATH is asked here at /HOST/PATH (`ANALYSIS_REFRESH_REPLAY`), so that a test names
addresses as the publisher does. A reply given as a list is used up one by one; the last one stays.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Seen:
    """One request as the publisher saw it."""

    method: str
    url: str  # https://HOST/PATH, without the query
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What is answered.

    Parameters
    ----------
    body : the whole file.
    cut : the connection is reset after so many bytes of this answer.
    ranges : whether a Range is honoured, by ETag or Last-Modified as If-Range says.
    drip : seconds between pieces of 64 kB.
    length : whether the length is told.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    ranges: bool = False
    drip: float = 0.0
    length: bool = True


Answer = Reply | Sequence[Reply] | Callable[[Seen], Reply]


class Publisher:
    """The server: `answers` by address, `seen` in order. A context manager."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.answers: dict[str, Answer] = dict(answers or {})
        self.seen: list[Seen] = []
        self.used: dict[str, int] = {}
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                publisher.answer(self)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Publisher:
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def asked(self, url: str) -> int:
        """How many requests an address had."""
        return sum(seen.url == url for seen in self.seen)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("content-length") or 0)
        seen = Seen(
            handler.command,
            f"https:/{parts.path}",
            parse_qs(parts.query),
            {name.lower(): value for name, value in handler.headers.items()},
            handler.rfile.read(length),
        )
        self.seen.append(seen)
        reply = self.reply_to(seen)
        try:
            send(handler, reply, seen)
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True

    def reply_to(self, seen: Seen) -> Reply:
        answer = self.answers.get(seen.url, Reply(b"<html><title>Not here</title></html>", 404))
        if isinstance(answer, Reply):
            return answer
        if callable(answer):
            return answer(seen)
        place = self.used.get(seen.url, 0)
        self.used[seen.url] = place + 1
        return answer[min(place, len(answer) - 1)]


def send(handler: BaseHTTPRequestHandler, reply: Reply, seen: Seen) -> None:
    body, status, headers = reply.body, reply.status, dict(reply.headers)
    marks = {name.lower(): value for name, value in headers.items()}
    known = (marks.get("etag"), marks.get("last-modified"))
    if status == 200 and {seen.headers.get("if-none-match"), seen.headers.get("if-modified-since")} & {
        *known
    } - {None}:
        body, status = b"", 304
    span = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
    if reply.ranges and span and seen.headers.get("if-range") in known:
        first = int(span[1])
        if first >= len(body):
            body, status, headers = b"", 416, headers | {"Content-Range": f"bytes */{len(body)}"}
        else:
            headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
            body, status = body[first:], 206
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    if reply.length and status not in (204, 304):
        handler.send_header("Content-Length", str(len(body)))
    if not reply.length:
        handler.send_header("Connection", "close")
        handler.close_connection = True
    handler.end_headers()
    sent = body if reply.cut is None else body[: reply.cut]
    for start in range(0, len(sent), 65_536):
        handler.wfile.write(sent[start : start + 65_536])
        handler.wfile.flush()
        time.sleep(reply.drip)
    if reply.cut is not None:
        # With no time to linger, closing sends a reset and not an end.
        time.sleep(0.05)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True


def page(title: str, *links: tuple[str, str], text: str = "") -> Reply:
    """A page in HTML with links (address, text)."""
    anchors = "".join(f'<p><a href="{address}">{said}</a></p>' for address, said in links)
    html = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>{anchors}{text}</body></html>"
    return Reply(html.encode(), headers={"Content-Type": "text/html; charset=utf-8"})


def data(content: object) -> Reply:
    """A reply in JSON."""
    return Reply(json.dumps(content).encode(), headers={"Content-Type": "application/json"})

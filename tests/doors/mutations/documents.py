"""Mutations of documents: web pages and PDF."""

from __future__ import annotations

import re
from random import Random

from tests.doors.mutations.text import ANY, TEXT


def tags(content: bytes, draw: Random) -> bytes:
    """A tag is missing, unclosed, or stands where it should not; markup that is hostile; nests without end."""
    found = list(re.finditer(rb"<[^>]*>", content))
    if not found:
        return content
    tag, other = draw.choice(found), draw.choice(found)
    said = draw.choice(
        (b"", other[0], b"<", b"<!--", b"<script>", b"<![CDATA[", b"</html>", b"<base href='//x'>", b"<li>" * 3_000,
         b"<div>" * 50_000, b"&#x110000;", b"&#0;", b"&bogus;", b"<?php", b"<!x", b"<![if", b"</", b"<a href='http://[::1'>x</a>",
         b"<a href='javascript:alert(1)'>List.xlsx</a>", b"<base href='http://[bad'>"))  # fmt: skip
    return content[: tag.start()] + said + content[tag.end() :]


HTML = (*TEXT, tags, tags, tags)


def pdf(content: bytes, draw: Random) -> bytes:
    """A number, a name or an operator of a PDF is another; offsets and lengths that lie, circles."""
    found = list(
        re.finditer(
            rb"(?<=[ \[/])\d+(?=[ \]/\r\n])|/[A-Z]\w+|\bobj\b|\bendobj\b|\bstream\b|\bendstream\b|\btrailer\b",
            content,
        )
    )
    if not found:
        return content
    for _ in range(draw.choice((1, 1, 3))):
        piece = draw.choice(found)
        said = draw.choice((b"0", b"1", b"-1", b"99999999", b"2147483648", b"1e9", b"/Length", b"/Kids", b"/Parent", b"null", b"[]", b"<<>>",
                            b"3 0 R", b"1 0 R", b"/FlateDecode", b"/ASCII85Decode", b"/LZWDecode", b"/RunLengthDecode", b"", b"obj"))  # fmt: skip
        content = content[: piece.start()] + said + content[piece.end() :]
        found = [each for each in found if each.end() < piece.start()] or found[:1]
    return content


PDF = (*ANY, pdf, pdf, pdf)

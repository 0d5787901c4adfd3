"""Mutations of any file and of text, and the hostile words that the others put into theirs."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

Mutation = Callable[[bytes, Random], bytes]

HOSTILE = (
    "", " ", "\t", "NaN", "nan", "inf", "-inf", "1e400", "-1e400", "1e-400", "-666666666", "-555555555.0",
    "*****", "(X)", "null", "None", "N/A", "#N/A", "=cmd()", "+1+1", "-1", "@SUM(A1)", "=1|calc", "\x00",
    "a\x00b", "0", "00000", "0x1F", "1_000", "1,000", "$1,000", "1.5", "1e5", "12345678901234567890",
    "9" * 400, "x" * 100_000, "é" * 2_000, "١٢٣٤٥", "１２３４５", "²³", "Ⅷ", "৪৫৬৭৮", "\u202e01001", "\u200f", "\ufeff", "\ufffd", "\ud7ff",
    "🜁", "İ", "ß", "ﬃ", "a\nb", "a\r\nb", '"', '""', "'", ";", "|", "2025-02-30", "0000-00-00", "6/30/20026",
    "99999-01-01", "2025-05-31", "31.05.2025", "45785", "01/20/25", "True", "<script>alert(1)</script>",
    "[x](javascript:alert(1))", "../../etc/passwd", "http://", "{{7*7}}", "%s%s%s", "\\", "01001", "1001",
    "1001.0", "ZZ", "il", "IL ", "Cook County, IL", "1", "-0.0", "+5",
)  # fmt: skip
SMALL = tuple(text for text in HOSTILE if len(text) < 1_000)
OTHER_FILES = (
    b"", b"\n", b"\x00" * 64, b"\xef\xbb\xbf", b"\xff\xfe", b"[]", b"{}", b"null", b"0", b'"x"', b"%PDF-1.4\n%%EOF",
    b"<!DOCTYPE html><html><head><title>Page Not Found</title></head><body><h1>404</h1></body></html>",
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
    b"PK\x05\x06" + b"\x00" * 18, b"PK\x03\x04", b"PAR1PAR1", b"\x89PNG\r\n\x1a\n", b"\x1f\x8b\x08\x00", b"\xd0\xcf\x11\xe0",
    b"error: rate limit\n", b"a,b\n1,2\n", b"- a\n- b\n", b"a: b\n",
)  # fmt: skip


# -- of any file --------------------------------------------------------------------------------------------


def flip(content: bytes, draw: Random) -> bytes:
    """Some bytes are others."""
    out = bytearray(content)
    for _ in range(draw.choice((1, 1, 3, 20)) if out else 0):
        out[draw.randrange(len(out))] = draw.randrange(256)
    return bytes(out)


def truncate(content: bytes, draw: Random) -> bytes:
    """The end is missing."""
    return content[: draw.randrange(len(content) + 1)]


def behead(content: bytes, draw: Random) -> bytes:
    """The beginning is missing."""
    return content[draw.randrange(len(content) + 1) :]


def cut(content: bytes, draw: Random) -> bytes:
    """A piece in the middle is missing."""
    first, last = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    return content[:first] + content[last:]


def double(content: bytes, draw: Random) -> bytes:
    """A piece is there twice."""
    first, last = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    return content[:last] + content[first:last] + content[last:]


def noughts(content: bytes, draw: Random) -> bytes:
    """A block of the disk came back as zeros."""
    at = draw.randrange(len(content) + 1)
    size = draw.choice((1, 512, 4096))
    return content[:at] + b"\x00" * size + content[at + size :]


def append(content: bytes, draw: Random) -> bytes:
    """Something stands behind the end."""
    return content + draw.choice(
        (b"\x00", b"\n", b"\x1a", b"<!-- cached -->", b"\n\n\n", content[:100], b'"')
    )


def other_file(content: bytes, draw: Random) -> bytes:
    """Another file came."""
    return draw.choice(OTHER_FILES)


def mark_of_order(content: bytes, draw: Random) -> bytes:
    """A byte order mark in front, once or twice."""
    return b"\xef\xbb\xbf" * draw.choice((1, 2)) + content


ANY = (flip, truncate, behead, cut, double, noughts, append, other_file, mark_of_order)


# -- of text ------------------------------------------------------------------------------------------------


def recoded(content: bytes, draw: Random) -> bytes:
    """Another encoding."""
    text = content.decode("utf-8", "replace")
    return text.encode(
        draw.choice(("utf-16", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp037")), "replace"
    )


def line_ends(content: bytes, draw: Random) -> bytes:
    """Other ends of lines, or several kinds."""
    lines = content.split(b"\n")
    kinds = draw.choice(((b"\r\n",), (b"\r",), (b"\n", b"\r\n"), (b"\n\n",), (b"\x0b",), (b"\xe2\x80\xa8",)))
    return b"".join(line + draw.choice(kinds) for line in lines)


def lines(content: bytes, draw: Random) -> bytes:
    """A line is missing, doubled, exchanged, halved, emptied or turned round."""
    found = content.split(b"\n")
    for _ in range(draw.choice((1, 1, 2, 10))):
        at, other = draw.randrange(len(found)), draw.randrange(len(found))
        match draw.randrange(6):
            case 0 if len(found) > 1:
                del found[at]
            case 1:
                found.insert(other, found[at])
            case 2:
                found[at], found[other] = found[other], found[at]
            case 3:
                found[at] = found[at][: len(found[at]) // 2]
            case 4:
                found[at] = b""
            case _:
                found[at] = found[at][::-1]
    return b"\n".join(found)


def words(content: bytes, draw: Random) -> bytes:
    """A word or a number is a hostile one."""
    found = list(re.finditer(rb"[\w.-]+", content))
    if not found:
        return content
    word = draw.choice(found)
    return content[: word.start()] + draw.choice(SMALL).encode() + content[word.end() :]


TEXT = (*ANY, recoded, line_ends, lines, words)

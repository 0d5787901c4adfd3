"""Mutations of archives and of what is one: workbooks."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random

from tests.doors.mutations.tables import CSV
from tests.doors.mutations.text import ANY, SMALL, TEXT, Mutation

UNPACKING = (ValueError, RuntimeError, NotImplementedError, OSError, EOFError)


def unzipped(content: bytes) -> list[tuple[zipfile.ZipInfo, bytes]]:
    """The members of an archive; [] where it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [(info, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, *UNPACKING):
        return []


def zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return stream.getvalue()


def of_members(content: bytes, draw: Random, change: Callable[[bytes, Random], bytes]) -> bytes:
    """The archive with one member changed; its checksum fits."""
    found = [(info.filename, data) for info, data in unzipped(content)]
    full = [at for at, (_, data) in enumerate(found) if 0 < len(data) < 10_000_000]
    if not full:
        return content
    at = max(full, key=lambda at: len(found[at][1])) if draw.randrange(2) else draw.choice(full)
    found[at] = (found[at][0], change(found[at][1], draw))
    return zipped(found)


def members(content: bytes, draw: Random) -> bytes:
    """A member is missing, doubled, renamed, outside, nested, a bomb, or packed in another way."""
    found = [(info.filename, data) for info, data in unzipped(content)]
    if not found:
        return content
    at = draw.randrange(len(found))
    name, data = found[at]
    match draw.randrange(8):
        case 0:
            del found[at]
        case 1:
            found.append((name, draw.choice(found)[1]))
        case 2:
            found[at] = (
                draw.choice((f"../{name}", f"/{name}", f"..\\{name}", f"C:{name}", f"{name}/", "x", "é.csv")),
                data,
            )
        case 3:
            found[at] = (name, zipped(found))
        case 4:
            found[at] = (name, b"\x00" * draw.choice((10**6, 2 * 10**7, 3 * 10**8)))
        case 5:
            found[at] = (name, b"")
        case 6:
            found.append(("extra.txt", b"x"))
        case _:
            return zipped(found, draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))
    return zipped(found)


def flags(content: bytes, draw: Random) -> bytes:
    """A member says that it is encrypted, or of another size, or packed in an unknown way."""
    out = bytearray(content)
    heads = [found.start() for found in re.finditer(rb"PK\x01\x02|PK\x03\x04", content)]
    if not heads:
        return content
    at = draw.choice(heads) + draw.choice((6, 8, 9, 10, 18, 20, 22, 24, 28, 42))
    out[at : at + 1] = bytes([draw.randrange(256)])
    return bytes(out)


def of_member(*mutations: Mutation) -> Mutation:
    def member_changed(content: bytes, draw: Random) -> bytes:
        """A member is changed, and the archive fits it."""
        return of_members(content, draw, draw.choice(mutations))

    return member_changed


ZIP = (*ANY, members, members, flags, of_member(*CSV), of_member(*CSV))


# -- of workbooks -------------------------------------------------------------------------------------------

ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
    b"<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'>",
)


def xml(content: bytes, draw: Random) -> bytes:
    """Part of a workbook: an element, an attribute or a text is another, missing, or doubled; or entities."""
    match draw.randrange(6):
        case 0:
            end = content.find(b"?>") + 2 if b"?>" in content else 0
            return content[:end] + draw.choice(ENTITIES) + content[end:].replace(b"</v>", b"&a;</v>", 1)
        case 1:
            found = list(re.finditer(rb'(?<==")[^"]*(?=")', content))
            said = draw.choice(
                (*SMALL, "A1048576", "XFD9", "A0", "1:1", "-1", "s", "e", "b", "str", "d", "n", "inlineStr")
            )
        case 2:
            found = list(re.finditer(rb"(?<=>)[^<]+(?=<)", content))
            said = draw.choice((*SMALL, "99999999", "-1", "1e308", "#REF!", "2958466", "-5", "60"))
        case 3:
            found, said = list(re.finditer(rb"<[^>]*>", content)), ""
        case 4:
            found = list(re.finditer(rb"<(row|c|si|xf|sheet|Relationship)\b.*?</\1>", content, re.S))
            said = ""
        case _:
            found = list(re.finditer(rb"<(row|c|si)\b.*?</\1>", content, re.S))
            if not found:
                return content
            piece = draw.choice(found)
            return content[: piece.end()] + piece[0] * draw.choice((1, 50)) + content[piece.end() :]
    if not found:
        return content
    piece = draw.choice(found)
    return content[: piece.start()] + said.encode("utf-8", "surrogatepass") + content[piece.end() :]


XLSX = (*ANY, members, flags, of_member(xml), of_member(xml), of_member(xml), of_member(*TEXT))

"""Zip archives from outside: whole, of a sensible size, and with no member that leaves its folder."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from analysis.refresh.faults import QuarantineError

AGAIN = "run the command again to fetch it anew; if it stays so, the publisher's file is broken."
GIGABYTE = 1_000_000_000
# Text shrinks tenfold; what grows two hundred times over is made to fill disks.
RATIO = 200


def members(path: Path, *, most: int = 4 * GIGABYTE, whole: bool = True) -> list[zipfile.ZipInfo]:
    """The files in an archive, in its order, after every check.

    Parameters
    ----------
    most : the most bytes when unpacked.
    whole : read every member and compare its checksum.

    Raises
    ------
    QuarantineError : "truncated archive", "zip-slip", "archive bomb", "locked archive", "doubled member".
    """
    try:
        with zipfile.ZipFile(path) as archive:
            check_members(archive.infolist(), path, most)
            found = [info for info in archive.infolist() if not info.is_dir()]
            broken = archive.testzip() if whole else None
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,
        ValueError,
    ) as error:
        raise QuarantineError(
            "truncated archive", f"not a whole zip ({error}).", where=path.name, remedy=AGAIN
        ) from None
    if broken:
        raise QuarantineError("truncated archive", f"{broken!r} is damaged.", where=path.name, remedy=AGAIN)
    if not found:
        raise QuarantineError("no rows", "the archive is empty.", where=path.name, remedy=AGAIN)
    return found


def check_members(found: list[zipfile.ZipInfo], path: Path, most: int) -> None:
    """No member escapes, is a link, is encrypted, comes twice, or is far too large."""
    seen = set()
    for info in found:
        # Python mends some names when it reads them: the name in the archive is the one to look at.
        for name in (info.filename, info.orig_filename):
            parts = PurePosixPath(name.replace("\\", "/")).parts
            if (
                ".." in parts
                or name.startswith(("/", "\\"))
                or (parts and parts[0][1:2] == ":")
                or "\x00" in name
            ):
                raise QuarantineError(
                    "zip-slip", f"the member {name!r} would leave its folder.", where=path.name, remedy=AGAIN
                )
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise QuarantineError(
                "zip-slip", f"{info.filename!r} is a link or a device.", where=path.name, remedy=AGAIN
            )
        if info.flag_bits & 1:
            raise QuarantineError(
                "locked archive", f"{info.filename!r} is encrypted.", where=path.name, remedy=AGAIN
            )
        if info.filename.casefold() in seen:
            raise QuarantineError(
                "doubled member", f"{info.filename!r} is there twice.", where=path.name, remedy=AGAIN
            )
        seen.add(info.filename.casefold())
        if info.file_size > 1_000_000 and info.file_size > RATIO * max(info.compress_size, 1):
            raise QuarantineError(
                "archive bomb",
                f"{info.filename!r} grows from {info.compress_size:,} to {info.file_size:,} bytes.",
                where=path.name,
                remedy=AGAIN,
            )
    total = sum(info.file_size for info in found)
    if total > most:
        raise QuarantineError(
            "archive bomb", f"{total:,} bytes unpacked, at most {most:,}.", where=path.name, remedy=AGAIN
        )


def member(path: Path, name: str, *, most: int = 400_000_000) -> bytes:
    """The bytes of one member of an archive that `members` has checked."""
    with zipfile.ZipFile(path) as archive, archive.open(name) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise QuarantineError(
            "archive bomb", f"{name!r} is larger than it says.", where=path.name, remedy=AGAIN
        )
    return content

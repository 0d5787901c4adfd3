"""`dvc.lock`, which DVC writes over in place: what a killed run has cut off is told and mended.

Outputs are written beside and renamed, so that a kill leaves them whole; DVC's own record is not. Where that
was cut off, DVC refuses to read it. `python -m analysis.lockfile`, which `make repro` calls first, keeps the
stages before the cut; the others run again and end in the same bytes.
"""

from __future__ import annotations

import re

from dvc.dvcfile import Lockfile
from dvc.exceptions import DvcException
from dvc.utils.serialize import parse_yaml

from analysis.provenance import root
from analysis.writing import replacing

NAME = "dvc.lock"
STAGE = re.compile(r"^  \S.*:$", re.MULTILINE)


def is_whole(text: str) -> bool:
    """Whether DVC can read the record; one that holds nothing it cannot.

    >>> is_whole("schema: '2.0'\\nstages:\\n  panel:\\n    cmd: make it\\n")
    True
    >>> is_whole("schema: '2.0'\\nstages:\\n  pan")
    False
    """
    try:
        Lockfile.validate(parse_yaml(text, NAME), NAME)
    except DvcException:
        return False
    return True


def mended(text: str) -> str:
    """As many stages from the beginning of a record as can be read, "" for none."""
    starts = [match.start() for match in STAGE.finditer(text)]
    for end in (len(text), *reversed(starts[1:])):
        if is_whole(text[:end]):
            return text[:end]
    return ""


def main() -> None:
    """Mend the record where it was cut off, and say so."""
    path = root() / NAME
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    kept = mended(text)
    if kept == text:
        return
    print(
        f"{NAME} was cut off by a run that was ended; {len(STAGE.findall(kept))} stages of it are kept, "
        "the others run again."
    )
    if not kept:
        path.unlink()
        return
    with replacing(path) as part:
        part.write_text(kept, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

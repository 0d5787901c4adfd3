"""What DVC writes over in place, and a killed run can have cut off: told and mended.

The stages write their outputs beside and rename them, so that a kill leaves them whole. DVC writes its record
`dvc.lock` and its list of who reads and writes what in place, and refuses to read one that was cut off.
`python -m analysis.lockfile`, which `make repro` calls first, keeps the record's stages before the cut; the
others run again and end in the same bytes. A list that cannot be read is of runs that are no more.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from dvc.dvcfile import Lockfile
from dvc.exceptions import DvcException
from dvc.utils.serialize import parse_yaml

from analysis.provenance import root
from analysis.stages import run
from analysis.writing import replacing

NAME = "dvc.lock"
BUSY = ".dvc/tmp/rwlock"
STAGE = re.compile(r"^  \S.*:$", re.MULTILINE)


def is_whole(text: str) -> bool:
    """Whether DVC can read the record; an empty one, as a full disk or a kill leaves it, it cannot.

    >>> is_whole("schema: '2.0'\\nstages:\\n  panel:\\n    cmd: make it\\n")
    True
    >>> is_whole("schema: '2.0'\\nstages:\\n  pan"), is_whole("")
    (False, False)
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


def free(path: Path) -> bool:
    """Delete DVC's list of readers and writers where it cannot be read; whether that was so."""
    try:
        json.loads(path.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        path.unlink()
        return True
    return False


def main() -> None:
    """Mend what was cut off, and say so."""
    if free(root() / BUSY):
        print(f"{BUSY} was cut off by a run that was ended, and is deleted.")
    path = root() / NAME
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    kept = mended(text)
    if kept and kept == text:
        return
    stages = len(STAGE.findall(kept))
    print(
        f"{NAME} was cut off by a run that was ended; {stages} stages of it are kept, the others run again."
    )
    if kept:
        with replacing(path) as part:
            part.write_text(kept, encoding="utf-8", newline="\n")
    else:
        path.unlink()


if __name__ == "__main__":
    run(main)

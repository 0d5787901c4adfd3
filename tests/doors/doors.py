"""Every door of the project: what can come in, and who reads it.

`test_doors.py` holds that every function of `analysis` that opens or parses anything stands behind a door
here, or among those that `OWN` says are none.
"""

from __future__ import annotations

from tests.doors.engine import Door
from tests.doors.groups.grants import grant_doors
from tests.doors.groups.hand import hand_doors
from tests.doors.groups.names import name_doors
from tests.doors.groups.pages import page_doors
from tests.doors.groups.processed import processed_doors
from tests.doors.groups.raw import raw_doors
from tests.doors.groups.refresh import refresh_doors
from tests.doors.groups.replies import reply_doors

GROUPS: dict[str, tuple[Door, ...]] = {
    "published files": tuple(raw_doors()),
    "files written by hand": tuple(hand_doors()),
    "names and answers": tuple(name_doors()),
    "tables of the stages": tuple(processed_doors()),
    "pages": tuple(page_doors()),
    "files for a refresh": tuple(refresh_doors()),
    "replies to a refresh": tuple(reply_doors()),
    "award files": tuple(grant_doors()),
}
DOORS: tuple[Door, ...] = tuple(door for group in GROUPS.values() for door in group)

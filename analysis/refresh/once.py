"""Requests that need not be sent again: what a run that broke off fetched whole, less than a day ago."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from analysis.refresh.http import Web
from analysis.refresh.parts import MEGABYTE, Asked, Held, digest, notes

DAY = 86_400


def once(
    web: Web,
    url: str,
    name: str,
    *,
    kind: str = "json",
    most: int = 50 * MEGABYTE,
    params: Mapping[str, str] | None = None,
    json: object = None,
    also_later: tuple[int, ...] = (),
) -> Path:
    """`web.save`, without a request where the same one was answered less than a day ago.

    Most interfaces mark no version of an answer, so that nothing else tells whether it is still the same.
    """
    path, known = web.folder / name, notes(web.folder).get(name, {})
    asked = Held(web.folder, Asked(url, name, kind, most, params or {}, json)).asked
    whole = known.get("asked") == asked and path.is_file() and time.time() - path.stat().st_mtime < DAY
    if whole and digest(path) == known.get("sha256"):
        web.saved.append(name)
        return path
    return web.save(url, name, kind=kind, most=most, params=params, json=json, also_later=also_later)

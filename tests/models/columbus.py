"""Anselin's 49 neighbourhoods of Columbus, from the files that libpysal ships, read without importing it."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import pandas as pd
import pytest


def read_columbus() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The figures, index the neighbourhood's number as text, and the pairs of neighbours."""
    found = importlib.util.find_spec("libpysal")
    if found is None:
        pytest.skip("libpysal is not installed (make test-tools)")
    folder = Path(found.origin).parent / "examples" / "columbus"
    if not (folder / "columbus.dbf").is_file():
        pytest.skip("this libpysal ships no columbus data")
    raw = (folder / "columbus.dbf").read_bytes()
    rows, head, size = struct.unpack("<xxxxLHH", raw[:12])
    fields = [(raw[at : at + 11].split(b"\0")[0].decode(), raw[at + 16]) for at in range(32, head - 1, 32)]
    table = []
    for start in range(head, head + rows * size, size):
        at, row = start + 1, {}
        for name, width in fields:
            row[name], at = float(raw[at : at + width]), at + width
        table.append(row)
    words = (folder / "columbus.gal").read_text().split("\n", 1)[1].split()
    pairs, at = [], 0
    while at < len(words):
        unit, count = words[at], int(words[at + 1])
        pairs += [(unit, other) for other in words[at + 2 : at + 2 + count]]
        at += 2 + count
    data = pd.DataFrame(table)
    data.index = data["POLYID"].astype(int).astype(str)
    assert len(data) == 49 and len(pairs) > 200
    return data, pd.DataFrame(pairs, columns=["unit", "neighbour"])

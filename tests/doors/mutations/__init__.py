"""What happens to files on their way: a mutation takes a file's bytes and a source of chance, and gives bytes.

Each is of a kind that real files had: bytes lost or turned, lines doubled, columns renamed, cells that hold
codes, formulas or nothing, other separators and encodings, a page in place of a table, members of archives
exchanged, entities in XML. Where a mutation does not apply the bytes come back as they were.
"""

from __future__ import annotations

from random import Random

from tests.doors.mutations.archives import XLSX, ZIP
from tests.doors.mutations.documents import HTML, PDF
from tests.doors.mutations.tables import CSV, PARQUET
from tests.doors.mutations.text import ANY, TEXT, Mutation
from tests.doors.mutations.trees import JSON, YAML

KINDS: dict[str, tuple[Mutation, ...]] = {
    "binary": ANY,
    "text": TEXT,
    "csv": CSV,
    "json": JSON,
    "yaml": YAML,
    "toml": TEXT,
    "zip": ZIP,
    "xlsx": XLSX,
    "html": HTML,
    "pdf": PDF,
    "parquet": PARQUET,
}


def mutated(content: bytes, kind: str, seed: int) -> tuple[bytes, list[str]]:
    """The bytes after one to three mutations of their kind, chosen by the seed, and the names of these."""
    draw = Random(seed)
    chosen = [draw.choice(KINDS[kind]) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
    for mutation in chosen:
        content = mutation(content, draw)
    return content, [mutation.__name__ for mutation in chosen]

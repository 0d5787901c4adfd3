"""Names of whatever kind, and answers to the queue."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import cache

import pandas as pd

from tests.conftest import REPOSITORY, forget
from tests.doors import looks, real
from tests.doors.engine import Door, Given
from tests.doors.mutations.tables import table
from tests.doors.real import PROCESSED


def name_doors() -> Iterator[Door]:
    from analysis.jurisdictions import corrections, review
    from analysis.jurisdictions.gazetteer import gazetteer
    from analysis.jurisdictions.match import match
    from analysis.jurisdictions.normalise import key, normalise, readings, split_state, state_of

    def matched(given: Given) -> object:
        text = given.content.decode("utf-8", "surrogateescape")
        records = [line.split("\x1f") for line in text.replace(",", "\x1f").split("\n")][:60]
        header = table(real.names())[0]
        rows = [(record + [""] * len(header))[: len(header)] for record in records]
        for _ in range(given.draw.randrange(4)):
            row, at = given.draw.choice(rows), given.draw.randrange(len(header))
            row[at] = given.draw.choice([None, float("nan"), pd.NA, pd.NaT, 7, 1e308, b"x", [], {}, object()])
        frame = pd.DataFrame(
            {name: pd.Series([row[at] for row in rows], dtype="object") for at, name in enumerate(header)}
        )
        for cell in frame.to_numpy().ravel():
            once = normalise(cell)
            assert normalise(once) == once, cell
            key(cell), readings(cell), split_state(cell), state_of(cell)
        agencies = frame.drop(columns=["level", "text_as_published"])
        return (match(frame), match(agencies))

    yield Door(
        "names",
        "csv",
        cache(real.names),
        matched,
        ("analysis.jurisdictions.match.match", "analysis.jurisdictions.normalise.readings"),
        looks.all_of(looks.verdicts, looks.verdicts),
        share=2,
    )

    def entries(content: bytes) -> dict:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
        return {name: str(text) for name, text in rows[0].items()}

    queue = PROCESSED / "review_queue.csv"

    def answered(given: Given) -> object:
        """The answer's words are changed, not the queue."""
        words = given.content.decode("utf-8", "surrogateescape").split("|") + [""] * 4
        forget()
        row = entries(queue.read_bytes()) | {"state_abbr": "NM", "name": "Nowhere", "level": "place"}
        row |= given.draw.choice(
            ({"source": "list"}, {"source": "roster", "file": "data/corrections/agencies.csv"})
        )
        path = given.project / review.path_of(row["source"])
        before = path.read_bytes()
        try:
            line = review.answer(row, review.decision(gazetteer(), row, *words[:4]))
            corrections.read(review.FILES[row["source"]])
            return line
        finally:
            path.write_bytes(before)

    real_answer = "3570500|The page of the city says so.|https://example.org/a|2026-11-22".encode
    yield Door(
        "review --answer",
        "text",
        cache(real_answer),
        answered,
        ("analysis.jurisdictions.review.answer", "analysis.jurisdictions.review.decision"),
        looks.anything,
    )

    def table_answered(given: Given) -> object:
        """The file that the answer goes to is changed."""
        forget()
        row = entries(queue.read_bytes()) | {"state_abbr": "NM", "name": "Nowhere", "level": "place"}
        path = given.project / review.path_of("list")
        before = (REPOSITORY / review.path_of("list")).read_bytes()
        path.write_bytes(given.content)
        try:
            cells = [
                "NM",
                "place",
                "Nowhere",
                "Santa Fe",
                "The page of the city says so.",
                "https://example.org",
                "2026-11-22",
            ]
            review.answer(row, cells)
            return corrections.read("names")
        finally:
            path.write_bytes(before)

    yield Door(
        "review --answer: names.csv",
        "csv",
        real.whole(REPOSITORY / review.path_of("list")),
        table_answered,
        ("analysis.jurisdictions.review.answer",),
        looks.frame,
    )

    def queued(given: Given) -> object:
        file = given.project / "data" / "processed" / "review_queue.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(given.content)
        return review.read_queue()

    yield Door(
        "data/processed/review_queue.csv",
        "csv",
        real.part(queue),
        queued,
        ("analysis.jurisdictions.review.read_queue",),
        looks.anything,
    )

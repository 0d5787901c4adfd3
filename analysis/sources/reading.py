"""Read a published CSV strictly: every rule that is broken stops the reading, with file, line and remedy.

Everything is text until a source module asks for numbers, so that no code loses its zeros. The index of
every frame is the line number in the file, so that a later complaint can still name the line.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import pandas as pd

from analysis.errors import DataError
from analysis.provenance import Recorded, raw_file
from analysis.sources.states import STATES, TERRITORIES

# No published figure here is below -100 million dollars; the Census Bureau's annotation codes all are.
ANNOTATION_CODE = -1e8

TOGETHER = 2_000  # records that are held as Python's own text at a time, which takes ten times the room
RESTORE = "restore the file from git, or acquire the vintage again."


def read_table(
    source: str,
    vintage: str,
    name: str,
    *,
    required: Sequence[str],
    key: Sequence[str] = (),
    codes: dict[str, int | tuple[int, ...]] | None = None,
    states: str | None = None,
) -> pd.DataFrame:
    """One CSV file of `data/raw/<source>/<vintage>/` as text, empty cells as "".

    Parameters
    ----------
    required : columns that must be there (others may be).
    key : columns whose values together must not repeat.
    codes : columns of digits with their width or widths; an empty cell is allowed outside the key.
    states : a column of postal abbreviations.

    Returns
    -------
    DataFrame of `str`, one row a record, index `line` (from 2).

    Raises
    ------
    DataError : any rule broken, with file, line, column and remedy. The content is looked at before the
        checksum, so that the message says what is wrong and not only that something is.
    """
    recorded = raw_file(source, vintage, name)
    frame = parse(recorded.content, recorded.path)
    checked = dict.fromkeys((*required, *key, *(codes or {}), *([states] if states else [])))
    check_columns(frame.columns, list(checked), recorded.path)
    for column, width in (codes or {}).items():
        check_codes(frame[column], width, recorded.path)
    if states:
        check_states(frame[states], recorded.path)
    if key:
        check_key(frame, key, recorded.path)
    check_length(frame, recorded)
    recorded.verify()
    return frame


def parse(content: bytes, file: object) -> pd.DataFrame:
    """CSV bytes (UTF-8, RFC 4180) to a frame of text; see `read_table`."""
    if not content.strip():
        raise DataError("the file is empty.", file=file, remedy=RESTORE)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8 (byte {error.object[error.start]:#04x}).",
            file=file,
            row=content.count(b"\n", 0, error.start) + 1,
            remedy=RESTORE,
        ) from error
    records = numbered(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True), file)
    _, header = next(records, (1, []))
    if not header:
        raise DataError("the file is empty.", file=file, remedy=RESTORE)
    doubled = sorted(column for column, count in Counter(header).items() if count > 1)
    if doubled:
        raise DataError(
            f"the header names {doubled[0]!r} twice.", file=file, row=1, column=doubled[0], remedy=RESTORE
        )
    parts = []
    while some := list(islice(records, TOGETHER)):
        for line, record in some:
            if len(record) != len(header):
                raise DataError(
                    f"{len(record)} fields where the header has {len(header)}; perhaps the file is"
                    " truncated.",
                    file=file,
                    row=line,
                    remedy=RESTORE,
                )
        lines = pd.Index([line for line, _ in some], name="line")
        parts.append(pd.DataFrame([record for _, record in some], lines, header, dtype="str"))
    if not parts:
        raise DataError("the file has a header and no rows.", file=file, remedy=RESTORE)
    return pd.concat(parts) if len(parts) > 1 else parts[0]


def numbered(reader: Iterable[list[str]], file: object) -> Iterator[tuple[int, list[str]]]:
    """The records with the line of the file on which each begins.

    Raises
    ------
    DataError : a record is not valid CSV.
    """
    line = 1
    try:
        for record in reader:
            yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"not valid CSV ({error}); perhaps the file is truncated.", file=file, row=line, remedy=RESTORE
        ) from error


def check_columns(present: Iterable[str], required: Sequence[str], file: object) -> None:
    """Every required column is there."""
    present = list(present)
    for column in required:
        if column not in present:
            raise DataError(
                f"the column is missing; there are {', '.join(present)}.",
                file=file,
                row=1,
                column=column,
                remedy=RESTORE,
            )


def check_codes(codes: pd.Series, width: int | tuple[int, ...], file: object) -> None:
    """Every code is digits of the stated width; a shorter one has lost its leading zero."""
    widths = (width,) if isinstance(width, int) else width
    pattern = "|".join(rf"[0-9]{{{w}}}" for w in (*widths, 0))
    wrong = codes[~codes.str.fullmatch(pattern)]
    if len(wrong):
        said = " or ".join(map(str, widths))
        lost = wrong.iloc[0].isdigit() and len(wrong.iloc[0]) + 1 in widths
        raise DataError(
            f"{wrong.iloc[0]!r} is not a code of {said} digits"
            + ("; it seems to have lost its leading zero." if lost else "."),
            file=file,
            row=int(wrong.index[0]),
            column=str(codes.name),
            remedy="keep codes as text; " + RESTORE,
        )


def check_states(states: pd.Series, file: object) -> None:
    """Every value is the postal abbreviation of a state, DC or a territory."""
    wrong = states[~states.isin([*STATES, *TERRITORIES])]
    if len(wrong):
        raise DataError(
            f"{wrong.iloc[0]!r} is not the abbreviation of a state or territory.",
            file=file,
            row=int(wrong.index[0]),
            column=str(states.name),
            remedy=RESTORE,
        )


def check_key(frame: pd.DataFrame, key: Sequence[str], file: object) -> None:
    """The key columns are never empty and never repeat."""
    for column in key:
        empty = frame.index[frame[column] == ""]
        if len(empty):
            raise DataError("a key is empty.", file=file, row=int(empty[0]), column=column, remedy=RESTORE)
    doubled = frame.index[frame.duplicated(list(key))]
    if len(doubled):
        values = ", ".join(frame.loc[doubled[0], list(key)])
        raise DataError(
            f"the key {values!r} occurs twice.",
            file=file,
            row=int(doubled[0]),
            column="+".join(key),
            remedy=RESTORE,
        )


def check_length(frame: pd.DataFrame, recorded: Recorded) -> None:
    """As many rows as origin.yaml records."""
    expected = recorded.entry.get("rows")
    if expected is not None and expected != len(frame):
        raise DataError(
            f"origin.yaml records {expected:,} rows, the file has {len(frame):,}; perhaps it is truncated.",
            file=recorded.path,
            remedy=RESTORE,
        )


def numbers(frame: pd.DataFrame, columns: Sequence[str], file: object) -> pd.DataFrame:
    """The columns as floats, "" as missing.

    Raises
    ------
    DataError : text that is no finite number, or a value below -1e8 (an annotation code such as
        -666666666 that was left in place of a missing value).
    """
    check_columns(frame.columns, columns, file)
    out = {}
    for column in columns:
        text = frame[column]
        value = pd.to_numeric(text.where(text != ""), errors="coerce").astype("float64")
        wrong = frame.index[(text != "") & ~value.between(ANNOTATION_CODE, float("inf"), inclusive="neither")]
        if len(wrong):
            raise DataError(
                f"{text[wrong[0]]!r} is not a figure.",
                file=file,
                row=int(wrong[0]),
                column=column,
                remedy="annotation codes and words belong in an empty cell; " + RESTORE,
            )
        out[column] = value
    return pd.DataFrame(out, index=frame.index)

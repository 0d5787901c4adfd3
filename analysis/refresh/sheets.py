"""Tables in workbooks: every row, hidden ones too, each cell as what it is, columns by their names."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import openpyxl
from openpyxl.utils.datetime import CALENDAR_WINDOWS_1900, from_excel
from openpyxl.worksheet.worksheet import Worksheet

from analysis.refresh import sniffing
from analysis.refresh.archives import members
from analysis.refresh.faults import QuarantineError, UsageError

LOOKED_AT = 15  # rows, for the header
MOST = 200_000_000
MOST_ROWS = 100_000
DATE_TEXT = re.compile(r"(\d{1,2}) ?/? ?(\d{2}|\d) ?/? ?(\d{4})")
DATE_FORMS = ("%m/%d/%Y", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%B %d, %Y", "%b %d, %Y", "%d-%b-%Y")


class NoSheetError(QuarantineError):
    """No sheet has the wanted columns; `missing` is how many the nearest lacks."""

    missing = 0


@dataclass(frozen=True)
class Row:
    """One row of a sheet: its number, whether it is hidden, its cells' values and links by column."""

    number: int
    hidden: bool
    values: Mapping[str, object]
    links: Mapping[str, str]
    errors: Mapping[str, str]

    def text(self, column: str) -> str:
        """The cell as it is printed: an error cell's text, a whole number without a point, "" if empty."""
        if column in self.errors:
            return self.errors[column]
        value = self.values.get(column)
        if value is None:
            return ""
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value)


@dataclass(frozen=True)
class Sheet:
    """A table found in a workbook, with the day the workbook was saved, its columns as printed."""

    name: str
    header: int
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    saved: str
    epoch: datetime.datetime


def read(path: Path, wanted: Mapping[str, Iterable[str]], optional: Iterable[str] = ()) -> Sheet:
    """The one sheet whose header has every wanted column, wherever it stands in sheet and workbook.

    Parameters
    ----------
    wanted : our name of a column to the headings that it is known under.
    optional : the names in `wanted` that may be absent.

    Raises
    ------
    QuarantineError : "truncated archive" and its kin; "not a workbook"; "wrong sheet" (no sheet has the
        columns; the message names what is nearest); "two sheets" (several have).
    """
    if not openpyxl.DEFUSEDXML:
        raise UsageError("unsafe reader", "openpyxl runs without defusedxml.", remedy="run `make env`.")
    sniffing.check(path, "xlsx", path.name)
    members(path, most=MOST)
    try:
        with path.open("rb") as stream:
            book = openpyxl.load_workbook(stream, data_only=True)
    except Exception as error:  # the library lets through whatever its parsers raise
        cause = error.__cause__ or error.__context__ or error
        raise QuarantineError(
            "not a workbook", f"it cannot be read ({type(cause).__name__}: {cause}).", where=path.name
        ) from None
    required = [name for name in wanted if name not in set(optional)]
    fits, nearest = [], []
    for sheet in book.worksheets:
        if sheet.max_row > MOST_ROWS:
            raise QuarantineError(
                "too large", f"sheet {sheet.title!r} has {sheet.max_row:,} rows.", where=path.name
            )
        number, found = header_of(sheet, wanted)
        missing = [name for name in required if name not in found]
        nearest.append((len(missing), sheet.title, missing, number))
        if not missing:
            fits.append((sheet, number, found))
    filled = [fit for fit in fits if fit[0].max_row > fit[1]]
    if not filled:
        raise lacking(path, book.sheetnames, min(nearest), wanted)
    if len(filled) > 1:
        titles = ", ".join(repr(fit[0].title) for fit in filled)
        raise QuarantineError("two sheets", f"{titles} look alike.", where=path.name, remedy="keep one.")
    sheet, number, found = filled[0]
    saved = book.properties.modified
    printed = tuple(str(cell.value) for cell in sheet[number] if cell.value is not None)
    return Sheet(
        sheet.title,
        number,
        printed,
        tuple(rows_of(sheet, number, found)),
        saved.date().isoformat() if saved else "",
        book.epoch,
    )


def lacking(
    path: Path,
    sheets: list[str],
    nearest: tuple[int, str, list[str], int],
    wanted: Mapping[str, Iterable[str]],
) -> NoSheetError:
    """The error that names what the nearest sheet lacks, or that no sheet is near."""
    count, title, missing, number = nearest
    names = "; ".join(f"{name} (as {' or '.join(map(repr, wanted[name]))})" for name in missing)
    near = 0 < count < len(wanted) / 2
    if count == 0:
        fault, rule = "no rows", f"sheet {title!r} has a header and nothing below it."
    elif near:
        fault, rule = "column missing", f"sheet {title!r}, line {number}: no column for {names}."
    else:
        fault, rule = "wrong sheet", f"none of the sheets {', '.join(map(repr, sheets))} has {names}."
    error = NoSheetError(
        fault,
        rule,
        where=path.name,
        remedy="look at the workbook: a renamed column belongs in the client's list of headings.",
    )
    error.missing = count
    return error


def heading(text: object) -> str:
    """A heading without case, line breaks, marks and doubled blanks."""
    return " ".join(re.sub(r"[^0-9a-z()]+", " ", str(text or "").lower()).split())


def header_of(sheet: Worksheet, wanted: Mapping[str, Iterable[str]]) -> tuple[int, dict[str, int]]:
    """The row with the most known headings among the first, and the column number of each.

    Raises
    ------
    QuarantineError : "doubled column": two of its headings are of one column.
    """
    known = {heading(each): name for name, headings in wanted.items() for each in headings}
    best: tuple[int, dict[str, list[int]]] = (0, {})
    for cells in sheet.iter_rows(min_row=1, max_row=min(LOOKED_AT, sheet.max_row)):
        found: dict[str, list[int]] = {}
        for cell in cells:
            if name := known.get(heading(cell.value)):
                found.setdefault(name, []).append(cell.column)
        if len(found) > len(best[1]):
            best = (cells[0].row, found)
    number, found = best
    for name, columns in found.items():
        if len(columns) > 1:
            raise QuarantineError(
                "doubled column",
                f"sheet {sheet.title!r}, line {number}: {len(columns)} columns for {name}.",
                remedy="look at the workbook: only one of them can be meant.",
            )
    return number, {name: columns[0] for name, columns in found.items()}


def rows_of(sheet: Worksheet, header: int, columns: Mapping[str, int]) -> Iterable[Row]:
    """The rows below the header that hold anything in a wanted column."""
    merged, first = {}, header + 1
    for span in sheet.merged_cells.ranges:
        if span.min_row <= header <= span.max_row:  # a heading over several lines
            first = max(first, span.max_row + 1)
        for row, column in span.cells:
            merged[row, column] = sheet.cell(span.min_row, span.min_col).value
    for cells in sheet.iter_rows(min_row=first, max_col=max(columns.values())):
        number = cells[0].row
        values, links, errors = {}, {}, {}
        for name, column in columns.items():
            cell = cells[column - 1]
            value = cell.value if cell.value is not None else merged.get((number, column))
            if cell.data_type == "e":
                errors[name] = str(value)
            elif value is not None:
                values[name] = value
            link = getattr(cell, "hyperlink", None)
            if link and (link.target or link.location):
                links[name] = link.target or link.location
        if values or errors:
            yield Row(number, bool(sheet.row_dimensions[number].hidden), values, links, errors)


def text_day(text: str, epoch: datetime.datetime = CALENDAR_WINDOWS_1900) -> str | None:
    """An ISO day from a text that leaves no doubt: 7/3/2025, with or without its first stroke, 2025-07-03,
    July 3, 2025, or a serial; None for anything else, a year of two digits for one."""
    text = " ".join(text.split())
    if re.fullmatch(r"\d{5}", text):
        return as_day(int(text), epoch)
    if found := DATE_TEXT.fullmatch(text):
        text = "/".join(found.groups())
    for form in DATE_FORMS:
        try:
            return datetime.datetime.strptime(text, form).date().isoformat()
        except ValueError:
            continue
    return None


def as_day(value: object, epoch: datetime.datetime = CALENDAR_WINDOWS_1900) -> str | None:
    """An ISO day from a date cell or an Excel serial; None for anything else."""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool) and 20_000 <= value <= 80_000:
        return from_excel(value, epoch).date().isoformat()
    return None

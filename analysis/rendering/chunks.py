"""A page's body as prose and cells, in order, with the expressions that stand in the prose.

jupytext's reader of `Rmd` finds the same cells (a test compares them), but it keeps no line numbers, which
every message here needs, and it takes a cell that is shown inside a longer fence for one to run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from analysis.rendering.options import check_cell
from analysis.rendering.source import CODE_FENCE, Line, code_blocks, inside_code, read_mapping, refuse

INLINE = re.compile(r"(?<!`)`\{(\w+)\}[ \t]+([^`]+)`(?!`)")
OPTION = re.compile(r"^#\s*\| ?")  # as Quarto reads it, so that `# | include: false` hides too
LANGUAGE = re.compile(r"\{\s*(\w+)\b(.*)\}")


@dataclass(frozen=True)
class Prose:
    """Lines of Markdown, and the expressions in them: (line, expression) in order."""

    lines: tuple[Line, ...]
    expressions: tuple[tuple[Line, str], ...]


@dataclass(frozen=True)
class Cell:
    """A `{python}` cell: the fence's line, the code's lines, its options over the page's `execute`."""

    line: Line
    code: tuple[Line, ...]
    options: Mapping[str, Any]

    @property
    def source(self) -> str:
        """The code as text."""
        return "\n".join(line.text for line in self.code).strip("\n")


Chunk = Prose | Cell


def split_chunks(lines: list[Line], execute: Mapping[str, Any]) -> list[Chunk]:
    """Prose and cells in order.

    Parameters
    ----------
    execute : the page's defaults for cells.

    Raises
    ------
    RenderError : a cell of another language, options in its braces, or an option that is not honoured.
    """
    chunks: list[Chunk] = []
    done = 0
    for first, last in code_blocks(lines):
        if _is_cell(lines[first]):
            chunks += _prose(lines[done:first])
            chunks.append(_cell(lines[first], lines[first + 1 : last], execute))
            done = last + 1
    return chunks + _prose(lines[done:])


def _is_cell(line: Line) -> bool:
    """Whether a code fence opens a cell, that is, names a language in braces without a dot."""
    fence = CODE_FENCE.match(line.text)
    if fence and fence[2].startswith("{{"):
        refuse(line, "double braces are not honoured; show a cell inside a longer fence of tildes.")
    if fence is None or (match := LANGUAGE.match(fence[2])) is None:
        return False
    if match[1] != "python":
        refuse(line, f"a cell of the language {match[1]!r} is not honoured; only {{python}} is.")
    if match[2].strip():
        refuse(line, "a cell's options stand in `#|` lines, not in its braces.")
    if not line.text.startswith("```"):
        refuse(line, "a cell begins with backticks at the start of the line.")
    return True


def _prose(lines: list[Line]) -> list[Chunk]:
    if not lines:
        return []
    expressions = []
    for line, code in zip(lines, inside_code(lines), strict=True):
        for match in () if code else INLINE.finditer(line.text):
            if match[1] != "python":
                refuse(line, f"inline code of the language {match[1]!r} is not honoured; only {{python}} is.")
            expressions.append((line, match[2].strip()))
    return [Prose(tuple(lines), tuple(expressions))]


def _cell(opened: Line, lines: list[Line], execute: Mapping[str, Any]) -> Cell:
    count = next((i for i, line in enumerate(lines) if not OPTION.match(line.text)), len(lines))
    head = [replace(line, text=OPTION.sub("", line.text)) for line in lines[:count]]
    for line in lines[count:]:
        if line.text.startswith("#|"):
            refuse(line, "the `#|` options of a cell stand before its code.")
    options, where = read_mapping(head, "a cell's options")
    check_cell(options, where, opened)
    return Cell(opened, tuple(lines[count:]), {**execute, **options})


def with_params(chunks: list[Chunk], params: Mapping[str, Any], line: Line) -> list[Chunk]:
    """The chunks with the front matter's `params` set right after the cell tagged `parameters`.

    Parameters
    ----------
    line : the line of `params`, for the message.

    Raises
    ------
    RenderError : no cell is tagged `parameters`, or it does not give each of them a value first.
    """
    from papermill.translators import translate_parameters

    tagged = [
        i
        for i, chunk in enumerate(chunks)
        if isinstance(chunk, Cell) and "parameters" in chunk.options.get("tags", ())
    ]
    if not tagged:
        refuse(line, "'params' needs a cell with `#| tags: [parameters]` that gives their defaults.")
    after = tagged[0] + 1
    if missing := sorted(set(map(str, params)) - _assigned(chunks[tagged[0]])):
        refuse(line, f"the cell tagged 'parameters' gives no value to {', '.join(missing)}.")
    code = translate_parameters("python3", "python", dict(params), "Parameters")
    lines = tuple(Line(text, line.file, line.number) for text in code.splitlines())
    return [*chunks[:after], Cell(line, lines, {"include": False}), *chunks[after:]]


def _assigned(cell: Cell) -> set[str]:
    """The names that a cell assigns at its top level; none where it is not Python, which running it says."""
    try:
        statements = ast.parse(cell.source).body
    except SyntaxError:
        return set()
    targets = [t for s in statements if isinstance(s, ast.Assign) for t in s.targets]
    targets += [s.target for s in statements if isinstance(s, ast.AnnAssign)]
    return {target.id for target in targets if isinstance(target, ast.Name)}

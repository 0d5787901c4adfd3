"""What can be said of a page before it runs: divs that close, labels that are there once.

Everything else is asked of pandoc's parse (checks.lua), after the cells have run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from analysis.rendering.chunks import Cell, Chunk, Prose
from analysis.rendering.source import CODE_SPAN, Line, inside_code, refuse

DIV_FENCE = re.compile(r"^[\s>]*(:{3,})\s*(.*?)\s*:*\s*$")
LABEL = re.compile(r"\{[^{}]*?#([A-Za-z][\w.-]*)[^{}]*\}")
REFERENCES = ("fig", "tbl", "sec", "eq")
OTHER_REFERENCES = re.compile(
    r"^(lst|thm|lem|cor|prp|cnj|def|exm|exr|sol|rem|alg|tip|nte|wrn|imp|cau|vid|dia|apx)-"
)


def check_structure(lines: Sequence[Line]) -> None:
    """Check the divs of a body, a source's or a woven one's.

    Raises
    ------
    RenderError : a div that is not closed or was never opened, a block of metadata.
    """
    open_divs: list[Line] = []
    body = list(lines)
    code = inside_code(body)
    for index, line in enumerate(body):
        if code[index]:
            continue
        if _is_metadata(body, index):
            refuse(line, "a block of metadata stands only at the head of the file; for a rule write `***`.")
        if (fence := DIV_FENCE.match(line.text)) is None:
            continue
        if fence[2]:
            open_divs.append(line)
        elif open_divs:
            open_divs.pop()
        else:
            refuse(line, "this closes a div that was never opened.")
    if open_divs:
        refuse(open_divs[-1], "this div is not closed.")


def _is_metadata(lines: Sequence[Line], index: int) -> bool:
    """Whether pandoc would read a block of metadata here: `---` after an empty line, text right below."""
    before = lines[index - 1].text if index else ""
    after = lines[index + 1].text if index + 1 < len(lines) else ""
    return lines[index].text.rstrip() == "---" and not before.strip() and bool(after.strip())


def check_labels(chunks: Iterable[Chunk]) -> None:
    """Check that every label is there once, and is of a kind that is counted here.

    Raises
    ------
    RenderError : a label twice, or one of Quarto's kinds that is not honoured (a theorem, a listing).
    """
    first: dict[str, Line] = {}
    for label, line in _labels(chunks):
        if label in first:
            earlier = first[label]
            refuse(line, f"the label {label!r} is already used in {earlier.file}, line {earlier.number}.")
        if OTHER_REFERENCES.match(label):
            kinds = ", ".join(f"{kind}-" for kind in REFERENCES)
            refuse(
                line, f"a label like {label!r} is not honoured; labels that are counted begin with {kinds}."
            )
        first[label] = line


def _labels(chunks: Iterable[Chunk]) -> Iterable[tuple[str, Line]]:
    for chunk in chunks:
        if isinstance(chunk, Cell):
            if "label" in chunk.options:
                yield str(chunk.options["label"]), chunk.line
            continue
        yield from _prose_labels(chunk)


def _prose_labels(prose: Prose) -> Iterable[tuple[str, Line]]:
    for line, code in zip(prose.lines, inside_code(list(prose.lines)), strict=True):
        if not code:
            for match in LABEL.finditer(CODE_SPAN.sub("", line.text)):
                yield match[1], line


def find(lines: Sequence[Line], wanted: str) -> Line:
    """The line that a message is about: the first that says `wanted`, else the first of all.

    Looked for as whole words outside code, then anywhere outside blocks of code, then anywhere.

    Parameters
    ----------
    wanted : pieces of one line between tabs; alternatives, the likeliest first, on lines of their own.
    """
    code = inside_code(list(lines))

    def whole(piece: str, text: str) -> bool:
        pattern = rf"(?<![\w-]){re.escape(piece)}(?![\w-]|\.\w)"
        return re.search(pattern, CODE_SPAN.sub("", text)) is not None

    def within(piece: str, text: str) -> bool:
        return piece in text

    for alternative in wanted.split("\n"):
        for says, blocks in ((whole, False), (within, False), (within, True)):
            for line, in_block in zip(lines, code, strict=True):
                if blocks >= in_block and all(says(piece, line.text) for piece in alternative.split("\t")):
                    return line
    return lines[0]

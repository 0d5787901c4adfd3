"""What can be said of a page before it runs: divs that close, their classes and attributes, labels once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from analysis.rendering.chunks import Cell, Chunk, Prose
from analysis.rendering.source import Line, inside_code, refuse

DIV_FENCE = re.compile(r"^\s*(:{3,})\s*(.*?)\s*:*\s*$")
CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
LABEL = re.compile(r"\{[^{}]*?#([A-Za-z][\w.-]*)[^{}]*\}")
CLASS = re.compile(r"(?:^|\s)\.([\w-]+)")
ATTRIBUTE = re.compile(r"""([\w-]+)=("(?:[^"\\]|\\.)*"|'[^']*'|\S+)""")
CALLOUTS = ("note", "tip", "warning", "important", "caution")
# Quarto's own meanings, which a browser or a page of paper would not see.
NOT_HONOURED = re.compile(
    r"^(column-|content-|panel-(?!tabset$)|g-col-|grid$|aside$|margin-|incremental$|landscape$|hidden$"
    r"|fig-|layout-|proof$|remark$|solution$|cell)"
)
REFERENCES = ("fig", "tbl", "sec", "eq")
OTHER_REFERENCES = re.compile(
    r"^(lst|thm|lem|cor|prp|cnj|def|exm|exr|sol|rem|alg|tip|nte|wrn|imp|cau|vid|dia|apx)-"
)


def check_structure(lines: Sequence[Line]) -> None:
    """Check the divs of a body, a source's or a woven one's.

    Raises
    ------
    RenderError : a div that is not closed or was never opened, an unknown kind of callout, a class that has
        a meaning in Quarto and none here, an attribute that is not honoured, a block of metadata.
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
            _check_attributes(line, fence[2])
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


def _check_attributes(line: Line, given: str) -> None:
    if not given.startswith("{"):
        classes, attributes = [given], {}
    else:
        inner = given.strip("{}")
        attributes = {match[1]: match[2].strip("\"'") for match in ATTRIBUTE.finditer(inner)}
        classes = CLASS.findall(ATTRIBUTE.sub("", inner))
    allowed = {"layout-ncol", "lang", "role"}
    for name in classes:
        if name.startswith("callout") and name.removeprefix("callout-") not in CALLOUTS:
            refuse(line, f"the callout {name!r} is not honoured; honoured are {', '.join(CALLOUTS)}.")
        if NOT_HONOURED.match(name) and name not in WOVEN_CLASSES:
            refuse(line, f"the div class {name!r} is not honoured.")
        allowed |= {"title", "collapse"} if name.startswith("callout") else set()
        allowed |= {"summary", "state"} if name == "code-fold" else set()
    for name, value in attributes.items():
        if name not in allowed and not name.startswith("aria-"):
            refuse(line, f"the div attribute {name!r} is not honoured here.")
        if name == "collapse" and value not in ("true", "false"):
            refuse(line, f"'collapse' should be true or false, not {value!r}.")
        if name == "layout-ncol" and not (value.isdigit() and int(value)):
            refuse(line, f"'layout-ncol' should be a whole number, not {value!r}.")


# The classes that weave.py writes, which are Quarto's names for the same things.
WOVEN_CLASSES = {"cell", "cell-output", "cell-output-stdout", "cell-output-stderr", "cell-output-error"}


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
    """The first line that says `wanted` as a whole word outside code, else anywhere, else the first line."""
    whole = re.compile(rf"(?<![\w-]){re.escape(wanted)}(?![\w-]|\.\w)")
    for test in (lambda text: whole.search(CODE_SPAN.sub("", text)), lambda text: wanted in text):
        for line in lines:
            if test(line.text):
                return line
    return lines[0]

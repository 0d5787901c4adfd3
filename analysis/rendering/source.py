"""A `.qmd` file as lines that remember where they stand, with its includes and variables put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import yaml

from analysis.errors import DataError, RenderError
from analysis.provenance import UniqueKeyLoader, root

# A fence may stand behind the mark of a list's item or of a quotation.
CODE_FENCE = re.compile(r"^(?:[\s>]|[-*+]\s|\d+[.)]\s)*(`{3,}|~{3,})\s*(.*)$")
CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
# What no page can hold: control characters, halves of characters, and what Unicode keeps for itself.
NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
SHORTCODE = re.compile(r"(?<!\{)\{\{<\s*(\S*)\s*(.*?)\s*>\}\}(?!\})")
ESCAPED_SHORTCODE = re.compile(r"\{\{\{<(.*?)>\}\}\}")
Where = dict[tuple[str | int, ...], "Line"]


@dataclass(frozen=True)
class Line:
    """One line of text and where the author wrote it; `file` is as a reader of the project knows it."""

    text: str
    file: str
    number: int


def refuse(line: Line, what: str) -> NoReturn:
    """Raise the RenderError that names file and line."""
    raise RenderError(f"{line.file}, line {line.number}: {what}")


def shown(path: Path) -> str:
    """The path as messages print it: from the project's root where the file is inside it."""
    try:
        return path.resolve().relative_to(root()).as_posix()
    except (ValueError, DataError):
        return path.as_posix()


def read_lines(path: Path) -> list[Line]:
    """The lines of a UTF-8 file.

    Raises
    ------
    RenderError : the file is absent or is not UTF-8.
    """
    name = shown(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RenderError(f"{name}, line 1: the file does not exist.") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise RenderError(f"{name}, line {line}: the file is not UTF-8.") from None
    lines = [
        Line(part, name, number) for number, part in enumerate(text.removesuffix("\n").split("\n"), start=1)
    ]
    for line in lines:
        if found := NO_TEXT.search(line.text):
            refuse(line, f"the character U+{ord(found[0]):04X} is no text.")
    return lines


def split_front_matter(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """The lines between the opening `---` and the next one, and the body after them."""
    if not lines or lines[0].text.rstrip() != "---":
        return [], lines
    for index, line in enumerate(lines[1:], start=1):
        if line.text.rstrip() in ("---", "..."):
            return lines[1:index], lines[index + 1 :]
    refuse(lines[0], "the front matter is not closed by a line `---`.")


def code_blocks(lines: list[Line]) -> list[tuple[int, int]]:
    """The positions of the opening and the closing fence of each fenced code block.

    Raises
    ------
    RenderError : a block is not closed; the line is the opening fence's.
    """
    blocks: list[tuple[int, int]] = []
    opened: tuple[int, str] | None = None
    for index, line in enumerate(lines):
        fence = CODE_FENCE.match(line.text)
        if fence is None:
            continue
        if opened is None:
            # Backticks after the opening ones make it inline code, as in CommonMark.
            if not (fence[1][0] == "`" and "`" in fence[2]):
                opened = index, fence[1]
        elif not fence[2] and fence[1].startswith(opened[1]):
            blocks.append((opened[0], index))
            opened = None
    if opened is not None:
        refuse(lines[opened[0]], "this code block is not closed.")
    return blocks


def inside_code(lines: list[Line]) -> list[bool]:
    """For each line whether it belongs to a fenced code block, its fences included."""
    flags = [False] * len(lines)
    for first, last in code_blocks(lines):
        flags[first : last + 1] = [True] * (last + 1 - first)
    return flags


def expand(lines: list[Line], folder: Path, variables: Mapping[str, Any]) -> tuple[list[Line], list[Path]]:
    """The body with every `{{< include >}}` and `{{< var >}}` put in, and the files that were included.

    Parameters
    ----------
    folder : the page's own folder, from which every include is named, however deep.
    variables : the content of `_variables.yml`.

    Raises
    ------
    RenderError : an unknown shortcode or variable, a file that is absent or includes itself.
    """
    included: list[Path] = []
    text = _with_includes(without_comments(lines), folder, (), included)
    flags = inside_code(text)
    return [_with_variables(line, code, variables) for line, code in zip(text, flags, strict=True)], included


def without_comments(lines: list[Line]) -> list[Line]:
    """The lines with every HTML comment outside code taken out, so that nothing in it is run or counted.

    Raises
    ------
    RenderError : a comment is not closed.
    """
    out: list[Line] = []
    opened: Line | None = None
    fence = ""
    for line in lines:
        text = line.text
        if opened is None and (mark := CODE_FENCE.match(text)):
            if not fence and not (mark[1][0] == "`" and "`" in mark[2]):
                fence = mark[1]
            elif fence and not mark[2] and mark[1].startswith(fence):
                fence = ""
        shown_text, at = "", 0
        while not fence:
            if opened is None:
                # Code is blanked for the search alone, at the same length.
                plain = CODE_SPAN.sub(lambda match: " " * len(match[0]), text)
                if (start := plain.find("<!--", at)) < 0:
                    break
                shown_text, at, opened = shown_text + text[at:start], start + 4, line
            if (end := text.find("-->", at)) < 0:
                at = len(text)
                break
            at, opened = end + 3, None
        out.append(replace(line, text=shown_text + text[at:]))
    if opened is not None:
        refuse(opened, "this comment is not closed by `-->`.")
    return out


def _with_includes(
    lines: list[Line], folder: Path, above: tuple[Path, ...], included: list[Path]
) -> list[Line]:
    out: list[Line] = []
    for line, code in zip(lines, inside_code(lines), strict=True):
        match = SHORTCODE.fullmatch(line.text.strip())
        if code or match is None or match[1] != "include":
            out.append(line)
            continue
        if match[2].strip("\"'").startswith("/"):
            refuse(
                line,
                "an include is named from the page's folder; one from the project's root is not honoured.",
            )
        path = folder / match[2].strip("\"'")
        if not path.is_file():
            refuse(line, f"the included file {match[2]!r} does not exist.")
        if path in above:
            refuse(line, f"{match[2]!r} includes itself.")
        inner = without_comments(read_lines(path))
        if inner and inner[0].text.rstrip() == "---":
            refuse(inner[0], "an included file cannot have front matter.")
        included.append(path)
        out += _with_includes(inner, folder, (*above, path), included)
    return out


def _with_variables(line: Line, code: bool, variables: Mapping[str, Any]) -> Line:
    def value(match: re.Match[str]) -> str:
        kind, argument = match[1], match[2]
        if code:
            refuse(line, f"the shortcode {kind!r} stands in a code block; write it with three braces there.")
        if kind == "include":
            refuse(line, "an include stands on a line of its own.")
        if kind != "var":
            refuse(line, f"the shortcode {kind!r} is not honoured; honoured are include and var.")
        found: Any = variables
        for part in argument.split("."):
            if not isinstance(found, Mapping) or part not in found:
                refuse(line, f"the variable {argument!r} is not in _variables.yml.")
            found = found[part]
        if isinstance(found, Mapping | list) or found is None:
            refuse(line, f"the variable {argument!r} is not one value.")
        if "\n" in str(found).strip():
            refuse(line, f"the variable {argument!r} has several lines; put them into an included file.")
        return str(found).lower() if isinstance(found, bool) else str(found).strip()

    text = SHORTCODE.sub(value, line.text)
    if "{{<" in ESCAPED_SHORTCODE.sub("", text):
        refuse(line, "a shortcode is not closed by `>}}`.")
    return replace(line, text=ESCAPED_SHORTCODE.sub(r"{{<\1>}}", text))


def read_mapping(lines: list[Line], what: str) -> tuple[dict[str, Any], Where]:
    """A YAML mapping and the line of every key, however deep.

    Parameters
    ----------
    what : what the text is, for the message ("the front matter").

    Raises
    ------
    RenderError : the text is not YAML, not a mapping, or has a key twice.
    """
    if not lines:
        return {}, {}
    try:
        loader = UniqueKeyLoader("\n".join(line.text for line in lines) + "\n")
        node = loader.get_single_node()
        where: Where = {}
        if node is not None:
            _note_lines(node, (), lines, where)
        value = {} if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = lines[min(mark.line, len(lines) - 1)] if mark else lines[0]
        refuse(line, f"{what} is not valid YAML ({getattr(error, 'problem', None) or error}).")
    if not isinstance(value, dict):
        refuse(lines[0], f"{what} is not a YAML mapping.")
    return value, where


def _note_lines(node: yaml.Node, path: tuple[str | int, ...], lines: list[Line], where: Where) -> None:
    if isinstance(node, yaml.MappingNode):
        pairs = [(key.value, key, child) for key, child in node.value]
    elif isinstance(node, yaml.SequenceNode):
        pairs = [(index, child, child) for index, child in enumerate(node.value)]
    else:
        return
    for name, key, child in pairs:
        line = lines[min(key.start_mark.line, len(lines) - 1)]
        if key is not child and key.tag != "tag:yaml.org,2002:str":
            refuse(line, "a key is text here; put quotes around it, or write it otherwise.")
        if (*path, name) in where:
            refuse(line, f"the key {name!r} is there twice.")
        where[(*path, name)] = line
        _note_lines(child, (*path, name), lines, where)

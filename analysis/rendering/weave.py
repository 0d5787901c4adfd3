"""A page's chunks and their outputs as plain Markdown, every line with the source line it came from."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.rendering.chunks import INLINE, Cell, Chunk, Prose
from analysis.rendering.execute import Output
from analysis.rendering.source import Line, inside_code, refuse

Pictures = dict[str, bytes]
FOLDER = ".woven"  # of the pictures that cells show, apart from every file of the author
NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?|True|False|None")


def weave(
    chunks: Sequence[Chunk], results: Sequence[list[Output]], defaults: Mapping[str, Any]
) -> tuple[list[Line], Pictures]:
    """The whole body as lines of Markdown, and its pictures by file name.

    Parameters
    ----------
    results : one list of outputs for each chunk, as `execute.run` gives them.
    defaults : the page's `code-fold` and `code-summary`.

    What the filter is to know and no author writes is in classes that begin with `woven-`.

    Raises
    ------
    RenderError : a picture without alternative text, or captions that do not fit what a cell showed.
    """
    lines: list[Line] = []
    pictures: Pictures = {}
    for number, (chunk, outputs) in enumerate(zip(chunks, results, strict=True), start=1):
        if isinstance(chunk, Prose):
            lines += _prose(chunk, outputs)
        else:
            text, new = _cell(chunk, outputs, defaults, number)
            lines += [Line(part, chunk.line.file, chunk.line.number) for part in text.split("\n")]
            pictures |= new
    return lines, pictures


def _prose(prose: Prose, values: list[Output]) -> list[Line]:
    """The lines with each expression's value in its place. A value of several lines makes several."""
    queue = iter(values)
    out: list[Line] = []
    for line, code in zip(prose.lines, inside_code(list(prose.lines)), strict=True):
        text = line.text if code else INLINE.sub(lambda _, at=line: _value(next(queue), at), line.text)
        out += [Line(part, line.file, line.number) for part in text.split("\n")]
    return out


def _value(output: Output, line: Line) -> str:
    data = output["data"]
    return _without_shortcode(data, line) if output["kind"] == "value" else plain(data)


def plain(text: str) -> str:
    """Text as Markdown that shows it and nothing else, on one line; a number stays as it is, for formulas.

    >>> print(plain("*d* | 2. x"), plain("-2.5"), plain("1. x"), plain("12 % (3 to 4)"))
    \\*d\\* \\| 2. x -2.5 1\\. x 12 % (3 to 4)
    """
    if NUMBER.fullmatch(text):
        return text
    text = re.sub(r"([\\`*_{}\[\]<>~^$@#|&])", r"\\\1", " ".join(text.split()))
    text = text.replace("--", r"\-\-").replace("...", r"\.\.\.")
    # What begins a list, a quotation of terms or a caption where it begins a line.
    return re.sub(r"^(\(?\w+)?([-+:.)])(?=\s|$)", r"\1\\\2", text)


def _without_shortcode(text: str, line: Line) -> str:
    if "{{<" in text:
        refuse(line, "the output holds a shortcode, which is put in before cells run and not after.")
    return text


def _cell(
    cell: Cell, outputs: list[Output], defaults: Mapping[str, Any], number: int
) -> tuple[str, Pictures]:
    options = {"echo": True, "output": True, "warning": True} | defaults | cell.options
    if options.get("include", True) is False:
        return "", {}
    parts = [_code(cell, options)] if options["echo"] and cell.source else []
    outputs = [o for o in outputs if options["warning"] or o["kind"] != "stderr"]
    pictures: Pictures = {}
    if options["output"] is not False and cell.options.get("eval", True):
        pictures = _pictures(outputs, number)
        parts += _laid_out(cell, outputs, _images(cell, list(pictures)), options["output"] == "asis")
    body = "\n\n".join(part for part in parts if part)
    return f"\n{_div('.woven-cell', body)}\n", pictures


def _is_picture(output: Output) -> bool:
    return output["kind"] in ("svg", "png")


def _div(attributes: str, body: str) -> str:
    return f":::::: {{{attributes}}}\n{body}\n::::::\n"


def _code(cell: Cell, options: Mapping[str, Any]) -> str:
    block = _fenced(cell.source, ".python .cell-code")
    fold = options.get("code-fold", False)
    if fold is False:
        return block
    state = "open" if fold == "show" else "closed"
    return _div(f'.woven-fold summary="{_quoted(str(options["code-summary"]))}" state="{state}"', block)


def _fenced(text: str, attributes: str) -> str:
    ticks = "`" * (max([2, *(len(run) for run in re.findall(r"`+", text))]) + 1)
    return f"{ticks} {{{attributes}}}\n{text}\n{ticks}"


def _quoted(text: str) -> str:
    """Text for an attribute in double quotes, on one line."""
    return re.sub(r'([\\"&])', r"\\\1", " ".join(text.split()))


def _text(output: Output, asis: bool, line: Line) -> str:
    if output["kind"] == "markdown" or (asis and output["kind"] == "text"):
        return _without_shortcode(output["data"].strip("\n"), line)
    name = {"text": "stdout", "stderr": "stderr", "error": "error"}[output["kind"]]
    return _div(f".woven-output .woven-output-{name}", _fenced(output["data"].rstrip("\n"), ".text"))


def _pictures(outputs: list[Output], number: int) -> Pictures:
    """The bytes of each picture, named by the cell's place on the page and its own in the cell."""
    out: Pictures = {}
    for output in filter(_is_picture, outputs):
        data = output["data"]
        content = data.encode("utf-8") if output["kind"] == "svg" else base64.b64decode(data)
        out[f"{FOLDER}/{number}-{len(out) + 1}.{output['kind']}"] = content
    return out


def _images(cell: Cell, names: list[str]) -> list[str]:
    """One Markdown image a picture, with its alternative text and, where it has one, its own caption."""
    given = cell.options.get("fig-alt")
    alts = given if isinstance(given, list) else [] if given is None else [given]
    subcaps = cell.options.get("fig-subcap", [])
    label = cell.options.get("label", "")
    if len(alts) != len(names):
        refuse(
            cell.line,
            f"each picture needs its alternative text: {len(names)} shown, {len(alts)} texts in 'fig-alt'.",
        )
    if "fig-subcap" in cell.options and len(subcaps) != len(names):
        refuse(cell.line, f"{len(names)} pictures are shown, and 'fig-subcap' names {len(subcaps)}.")
    out = [f'![]({name}){{fig-alt="{_quoted(str(alt))}"}}' for name, alt in zip(names, alts, strict=True)]
    if not subcaps:
        return out
    return [
        _div(f".woven-part #{label}-{index}", f"{image}\n\n{_caption(subcap)}")
        for index, (image, subcap) in enumerate(zip(out, subcaps, strict=True), start=1)
    ]


def _laid_out(cell: Cell, outputs: list[Output], images: list[str], asis: bool) -> list[str]:
    """The outputs in order; what a label counts stands in a div whose last paragraph is the caption."""
    label = str(cell.options.get("label", ""))
    columns = f"layout-ncol={cell.options['layout-ncol']}" if "layout-ncol" in cell.options else ""
    queue = iter(images)
    # Neighbouring pictures belong together; everything else stands for itself.
    groups = [
        (True, [next(queue) for _ in group])
        if pictures
        else (False, [_text(output, asis, cell.line) for output in group])
        for pictures, group in itertools.groupby(outputs, _is_picture)
    ]
    shown = sum(pictures for pictures, _ in groups)
    if label.startswith("tbl-"):
        everything = [part for _, group in groups for part in group]
        return [_div(f"#{label}", "\n\n".join([*everything, _caption(cell.options["tbl-cap"])]))]
    if label.startswith("fig-"):
        if not shown:
            refuse(cell.line, f"the cell labelled {label!r} shows no picture.")
        if shown > 1:
            refuse(cell.line, f"the cell labelled {label!r} shows something else between its pictures.")
        caption = [_caption(cell.options["fig-cap"])]
        groups = [(p, group + caption if p else group) for p, group in groups]
        columns = f"#{label} {columns}"
    elif columns and not shown:
        refuse(cell.line, "'layout-ncol' sets pictures side by side, and the cell shows none.")
    parts = []
    for pictures, group in groups:
        parts += [_div(columns, "\n\n".join(group))] if pictures and columns else group
    return parts


def _caption(text: object) -> str:
    """A paragraph, whatever it begins with: behind the mark `2020.` begins no list, and `#` no heading."""
    return f"[]{{.woven-caption}} {' '.join(str(text).split())}"

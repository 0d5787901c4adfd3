"""A page's chunks and their outputs as plain Markdown, every line with the source line it came from."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.rendering.chunks import INLINE, Cell, Chunk, Prose
from analysis.rendering.execute import Output
from analysis.rendering.source import Line, inside_code, refuse

Pictures = dict[str, bytes]


def weave(
    chunks: Sequence[Chunk], results: Sequence[list[Output]], defaults: Mapping[str, Any]
) -> tuple[list[Line], Pictures]:
    """The whole body as lines of Markdown, and its pictures by file name.

    Parameters
    ----------
    results : one list of outputs for each chunk, as `execute.run` gives them.
    defaults : the page's `code-fold` and `code-summary`.

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
        text = line.text if code else INLINE.sub(lambda _: next(queue)["data"], line.text)
        out += [Line(part, line.file, line.number) for part in text.split("\n")]
    return out


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
        label = str(options.get("label", f"cell-{number}"))
        pictures = _pictures(outputs, label)
        images = _images(cell, list(pictures))
        texts = [_text(output, options["output"] == "asis") for output in outputs if _is_text(output)]
        parts += _laid_out(cell, images, texts)
    body = "\n\n".join(part for part in parts if part)
    return f"\n{_div('.cell', body)}\n", pictures


def _is_text(output: Output) -> bool:
    return output["kind"] not in ("svg", "png")


def _div(attributes: str, body: str) -> str:
    return f":::::: {{{attributes}}}\n{body}\n::::::\n"


def _code(cell: Cell, options: Mapping[str, Any]) -> str:
    block = _fenced(cell.source, ".python .cell-code")
    fold = options.get("code-fold", False)
    if fold is False:
        return block
    state = "open" if fold == "show" else "closed"
    return _div(f'.code-fold summary="{_quoted(str(options["code-summary"]))}" state="{state}"', block)


def _fenced(text: str, attributes: str) -> str:
    ticks = "`" * (max([2, *(len(run) for run in re.findall(r"`+", text))]) + 1)
    return f"{ticks} {{{attributes}}}\n{text}\n{ticks}"


def _quoted(text: str) -> str:
    """Text for an attribute in double quotes, on one line."""
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')


def _text(output: Output, asis: bool) -> str:
    if output["kind"] == "markdown" or (asis and output["kind"] == "text"):
        return output["data"].strip("\n")
    name = {"text": "stdout", "stderr": "stderr", "error": "error"}[output["kind"]]
    return _div(f".cell-output .cell-output-{name}", _fenced(output["data"].rstrip("\n"), ".text"))


def _pictures(outputs: list[Output], label: str) -> Pictures:
    """The bytes of each picture, named by the cell's label and its place in the cell."""
    out: Pictures = {}
    for output in outputs:
        if not _is_text(output):
            data = output["data"]
            content = data.encode("utf-8") if output["kind"] == "svg" else base64.b64decode(data)
            out[f"{re.sub(r'[^A-Za-z0-9_-]', '-', label)}-{len(out) + 1}.{output['kind']}"] = content
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
    out = []
    for index, (name, alt) in enumerate(zip(names, alts, strict=True)):
        sub = f"#{label}-{index + 1} " if subcaps else ""
        caption = " ".join(str(subcaps[index]).split()) if subcaps else ""
        out.append(f'![{caption}]({name}){{{sub}fig-alt="{_quoted(str(alt))}"}}')
    return out


def _laid_out(cell: Cell, images: list[str], texts: list[str]) -> list[str]:
    """The outputs; what a label counts stands in a div whose last paragraph is the caption."""
    label = str(cell.options.get("label", ""))
    columns = f"layout-ncol={cell.options['layout-ncol']}" if "layout-ncol" in cell.options else ""
    if label.startswith("fig-"):
        if not images:
            refuse(cell.line, f"the cell labelled {label!r} shows no picture.")
        return [*texts, _div(f"#{label} {columns}", "\n\n".join([*images, _one_line(cell, "fig-cap")]))]
    if label.startswith("tbl-"):
        return [_div(f"#{label}", "\n\n".join([*texts, _one_line(cell, "tbl-cap")])), *images]
    if columns and not images:
        refuse(cell.line, "'layout-ncol' sets pictures side by side, and the cell shows none.")
    return [*texts, _div(columns, "\n\n".join(images))] if columns else [*texts, *images]


def _one_line(cell: Cell, option: str) -> str:
    return " ".join(str(cell.options[option]).split())

"""A table of text as Markdown, LaTeX or HTML: each writer shows every text as it is, and nothing else."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """A table of plain text.

    Parameters
    ----------
    header : the columns' headings. blocks : rows of cells, as long as the header, in groups set apart by a
        rule. notes : sentences below the table.
    """

    header: tuple[str, ...]
    blocks: tuple[tuple[tuple[str, ...], ...], ...]
    notes: tuple[str, ...] = ()


def one_line(value: object) -> str:
    """Any value as text on one line.

    >>> one_line("  a\\n b ")
    'a b'
    """
    return re.sub(r"\s+", " ", str(value)).strip()


def escape(value: object) -> str:
    """Any value as Markdown that shows its text and nothing else, on one line.

    >>> print(escape("a|b <i> *x* _y_"))
    a\\|b \\<i\\> \\*x\\* \\_y\\_
    """
    text = re.sub(r"([\\`*_{}\[\]<>#|~^$@&!'\"+])", r"\\\1", one_line(value))
    return text.replace("--", r"\-\-").replace("...", r"\.\.\.")


LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': "''",
    "[": "{[}",  # bare after the end of a row it would begin an option
    "]": "{]}",
    "×": r"\ensuremath{\times}",
    "∞": r"\ensuremath{\infty}",
}


def escape_latex(value: object) -> str:
    """Any value as LaTeX that shows its text and nothing else, on one line.

    >>> print(escape_latex("a_b & 95 % of {x}"))
    a\\_b \\& 95 \\% of \\{x\\}
    """
    text = "".join(LATEX.get(sign, sign) for sign in one_line(value)).replace("--", "-{}-")
    return re.sub(r"(?<![\w-])-(?=[\d.\\])", r"\\ensuremath{-}", text).replace("–", "--")


def escape_html(value: object) -> str:
    """Any value as HTML that shows its text and nothing else, on one line.

    >>> escape_html("<b> & 'c'")
    '&lt;b&gt; &amp; &#x27;c&#x27;'
    """
    return html.escape(one_line(value))


def markdown(grid: Grid) -> str:
    """A pipe table, then the notes as a list."""
    rows = [grid.header, tuple(":---" for _ in grid.header)]
    rows += [row for block in grid.blocks for row in block]
    lines = ["| " + " | ".join(row if at == 1 else map(escape, row)) + " |" for at, row in enumerate(rows)]
    return "\n".join([*lines, "", *(f"- {escape(note)}" for note in grid.notes)]) + "\n"


def latex(grid: Grid) -> str:
    """A `tabular` with the rules of the package booktabs, then the notes in small print."""

    def row(cells: Sequence[str]) -> str:
        return " & ".join(map(escape_latex, cells)) + r" \\"

    lines = ["% needs \\usepackage{booktabs}", f"\\begin{{tabular}}{{{'l' * len(grid.header)}}}"]
    lines += [r"\toprule", row(grid.header)]
    for block in grid.blocks:
        lines += [r"\midrule", *map(row, block)]
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [f"\n{{\\footnotesize {escape_latex(note)}\\par}}" for note in grid.notes]
    return "\n".join(lines) + "\n"


def html_table(grid: Grid) -> str:
    """A `table`, its first cells the rows' headings, then the notes as a list."""
    heads = "".join(f'<th scope="col">{escape_html(cell)}</th>' for cell in grid.header)
    lines = ["<table>", f"<thead>\n<tr>{heads}</tr>\n</thead>"]
    for block in grid.blocks:
        lines.append("<tbody>")
        for first, *cells in block:
            shown = "".join(f"<td>{escape_html(cell)}</td>" for cell in cells)
            lines.append(f'<tr><th scope="row">{escape_html(first)}</th>{shown}</tr>')
        lines.append("</tbody>")
    notes = "\n".join(f"<li>{escape_html(note)}</li>" for note in grid.notes)
    lines += ["</table>", *([f"<ul>\n{notes}\n</ul>"] if notes else [])]
    return "\n".join(lines) + "\n"


WRITERS: dict[str, Callable[[Grid], str]] = {"markdown": markdown, "latex": latex, "html": html_table}

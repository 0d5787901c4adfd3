"""No number is typed into a page: neither in its prose and captions nor in the text that its cells show."""

from __future__ import annotations

import ast
import re

import pytest
from site_pages import PAGES, REPORTS

from analysis.drawn import FIGURES

# What holds digits and states no result: the section of the law, levels of limits and tests, "of 100", the year of
# the lists, fiscal years, listings and award types, formulas, the least p-value that is printed, the names of
# simulated designs, and what a scale means (a share runs from 0 to 1, chance is 0.5).
NAMES = re.compile(
    r"287\(g\)|\b9[05] %|\b(?:at|the) 5 %|\b100 (?:counties|pairs)|\bof\s100\b|\bcoin orders 50\b"
    r"|\b(?:May|In|in|of|August) 2025\b|CV3|below 0\.001|from 0 to 1\b"
    r"|G/\(G-1\)|\(n-1\)/\(n-k\)|G-1 degrees|\(1 \+ curves|1 is perfect|0 is no better"
    r"|\b0 in the large and a slope of 1 are|slope below 1 means|0\.5 is chance|\b0 is the least expected"
    r"|\bFY20\d\d\b|\b(?:of|in) 2021\b|Survey \d{4}-\d{4}|Listing \d\d\.\d{3}|award types 02 to 05|\bF00[12]\b"
    r"|correlation 0\.\d|100 independent rows|at most 12 rows|^\d\. ",
    re.M,
)
INLINE = re.compile(r"`\{python\}[^`]*`")


def parts(name: str) -> tuple[str, list[str]]:
    """A page's prose with its inline code taken out, and the sources of its cells."""
    text = (REPORTS / f"{name}.qmd").read_text(encoding="utf-8").split("---", 2)[2]
    cells = re.findall(r"```\{python\}\n(.*?)\n```", text, re.S)
    return re.sub(r"```\{python\}\n.*?\n```", "", text, flags=re.S), cells


def digits(text: str) -> list[str]:
    """Words of prose that hold a digit, links' targets, labels, code and allowed names taken out."""
    text = INLINE.sub("", text)
    text = re.sub(r"`[^`]*`|\]\([^)]*\)|\{[^}]*\}|@[\w-]+|^:::.*$", " ", text, flags=re.M)
    return re.findall(r"\S*\d\S*", NAMES.sub(" ", text))


@pytest.mark.fault("F84")
@pytest.mark.parametrize("name", PAGES)
def test_prose_and_captions_hold_no_number(name):
    prose, cells = parts(name)
    assert len(prose) > 200 and cells
    captions = re.findall(r'^#\| (?:fig|tbl)-(?:cap|alt): "(.*)"$', "\n".join(cells), re.M)
    assert digits(prose) == []
    assert [word for caption in captions for word in digits(caption)] == []


# Functions that write their first argument into the page; of any other it is a key or a setting.
WRITES = {
    "claim",
    "count",
    "dollars",
    "fraction",
    "how_many",
    "limits",
    "Markdown",
    "number",
    "of_hundred",
    "percent",
}
WRITES |= {"points", "frequency", "print", "str", "escape", "file_size", "Series", "DataFrame"}


def may_hold(node: ast.Constant, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a number in code states no result: compared with, an index, a setting, digits to show."""
    above = parents[node]
    while isinstance(above, ast.UnaryOp | ast.Tuple | ast.List):
        node, above = above, parents[above]
    if isinstance(above, ast.Compare | ast.Subscript | ast.Slice | ast.keyword | ast.Dict | ast.arguments):
        return True
    if isinstance(above, ast.Call):
        name = above.func.attr if isinstance(above.func, ast.Attribute) else above.func.id
        return name not in WRITES or above.args[0] is not node
    if isinstance(above, ast.BinOp):
        return isinstance(parents[above], ast.Compare) or getattr(node, "value", None) in (0, 1, 100)
    return isinstance(above, ast.Assign) and ast.unparse(above.targets[0]).isupper()


@pytest.mark.fault("F84")
@pytest.mark.parametrize("name", PAGES)
def test_cells_and_inline_code_hold_no_result(name):
    prose, cells = parts(name)
    code = [re.sub(r"^(#\||%).*$", "", cell, flags=re.M) for cell in cells]
    code += [match[len("`{python}") : -1].strip() for match in INLINE.findall(prose)]
    seen = 0
    for source in code:
        tree = ast.parse(source)
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or isinstance(parents.get(node), ast.FormattedValue):
                continue
            seen += 1
            if isinstance(node.value, int | float) and not isinstance(node.value, bool):
                assert may_hold(node, parents), (node.lineno, ast.unparse(parents[node]))
            elif isinstance(node.value, str) and not re.fullmatch(r"[\w./:%{},+-]*", node.value):
                assert digits(node.value) == [], node.value
    assert seen > 0


@pytest.mark.parametrize("shown", ["count(408)", "f(number(1.5, 2))", "x + 3", "print(7)"])
def test_a_typed_result_in_code_is_seen(shown):
    tree = ast.parse(shown)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    numbers = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert numbers and not all(may_hold(node, parents) for node in numbers)


@pytest.mark.parametrize(
    "typed", ["Of these, 408 are listed.", "About 12 % of counties.", "a third of 3,144"]
)
def test_a_typed_number_is_seen(typed):
    assert digits(typed)


@pytest.mark.parametrize("name", PAGES)
def test_a_figure_says_its_finding_and_comes_with_its_data(name):
    _, cells = parts(name)
    everything = "\n".join(cells)
    drawn, noted = (re.findall(rf'{what}\("([\w-]+)"\)', everything) for what in ("drawn", "figure_notes"))
    assert set(noted) <= set(drawn) & set(FIGURES)
    assert len(noted) == len(re.findall(r"^#\| fig-cap:", everything, re.M))
    for cell in cells:
        if not (caption := re.search(r'^#\| fig-cap: "(.*)"$', cell, re.M)):
            continue
        first = re.match(r".*?\.(?= |$)", caption[1])[0]
        assert f'"{first}"' in everything, f"no claim() holds the sentence {first!r}"
        assert re.search(r'^#\| fig-alt: ".{60,}"$', cell, re.M)

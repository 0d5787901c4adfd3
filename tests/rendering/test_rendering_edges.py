"""What once went wrong in silence: shown as it should be, or refused by name."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from html_tree import Node, parse

from analysis.errors import RenderError
from analysis.rendering import render_page

PLOT = "import matplotlib.pyplot as plt\n"


def cell(code: str, *options: str) -> str:
    """A cell's source whose code is not shown."""
    return "\n".join(["```{python}", "#| echo: false", *(f"#| {o}" for o in options), code, "```"]) + "\n\n"


def rendered(folder: Path, body: str, head: str = "title: T") -> Node:
    """The page's content, rendered beside a picture `square.svg`."""
    (folder / "square.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    page = folder / "page.qmd"
    page.write_text(f"---\n{head}\n---\n{body}\n", encoding="utf-8")
    return parse((render_page(page, folder / "out")[0]).read_text(encoding="utf-8")).one("main")


def drawings(page: Node) -> list[str]:
    """The pictures' own files, in order."""
    found = [i.attributes["src"].partition(",")[2] for i in page.all("img")]
    return [base64.b64decode(data).decode() for data in found]


def test_a_figure_keeps_what_is_no_picture(tmp_path):
    page = rendered(
        tmp_path,
        '::: {#fig-a}\n\n```{python}\n#| fig-alt: x\nimport matplotlib.pyplot as plt\nprint("n = 3,144")\n'
        '_ = plt.plot([1])\n```\n\nSource: Census.\n\n- a list\n\n![](square.svg){fig-alt="y"}\n\nCaption\n:::\n',
    )
    figure = page.one("figure", id="fig-a")
    assert len(figure.all("img")) == 2
    for part in ("n = 3,144", "Source: Census.", "a list", "plt.plot", "Figure 1: Caption"):
        assert part in figure.text, part


def test_outputs_keep_their_order_and_printed_text(tmp_path):
    code = (
        PLOT
        + 'print("<first>")\nplt.plot([1]); plt.show()\nprint("[<second>]")\nplt.plot([2]); plt.show()\n3'
    )
    page = rendered(tmp_path, cell(code, "fig-alt: [one, two]"))
    order = [n.text or n.attributes["alt"] for n in page.all() if n.tag in ("pre", "img")]
    assert order == ["<first>", "one", "[<second>]", "two", "3"]
    last = rendered(tmp_path, cell(PLOT + "plt.title('x')", "fig-alt: x"))
    assert len(last.all("img")) == 1 and not last.all("pre"), "what plotting returns is not shown"


def test_pictures_are_never_taken_for_one_another(tmp_path):
    labels = ("fig-a.b", "fig-a-b", "fig-é", "fig-ü", "fig-a", "fig-" + "x" * 300)
    body = "".join(
        cell(f"{PLOT}_ = plt.plot([1, {i}]*{i})", f"label: {label}", "fig-cap: c", "fig-alt: x")
        for i, label in enumerate(labels, start=1)
    )
    (tmp_path / "fig-a-1.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="77" height="9"/>')
    page = rendered(tmp_path, body + '![Cap](fig-a-1.svg){#fig-z fig-alt="x"}')
    found = drawings(page)
    assert len(found) == len(labels) + 1 and len(set(found)) == len(found)
    assert 'width="77"' in found[-1]


def test_captions_are_text_whatever_they_begin_with(tmp_path):
    captions = ("# counties", "2020. The year", "- of", ": x", "| a | b |")
    body = "".join(
        cell(f"{PLOT}_ = plt.plot([{i}])", f"label: fig-{i}", f'fig-cap: "{caption}"', "fig-alt: x")
        for i, caption in enumerate(captions)
    )
    sub = ["fig-subcap: ['a ] b [x', '[l](https://a.b) *e*']", "fig-alt: ['&amp; \"q\"', y]"]
    code = PLOT + "plt.plot([1]); plt.show()\nplt.plot([2]); plt.show()"
    body += cell(code, "label: fig-z", "fig-cap: whole", *sub)
    page = rendered(tmp_path, body)
    shown = [f.all("figcaption")[-1].text for f in page.all("figure")]
    assert shown[: len(captions)] == [f"Figure {i}: {c}" for i, c in enumerate(captions, start=1)]
    assert shown[len(captions) :] == ["Figure 6: whole", "(a) a ] b [x", "(b) l e"]
    assert page.all("img")[-2].attributes["alt"] == '&amp; "q"'


def test_streams_do_not_depend_on_timing(tmp_path):
    code = (
        "import sys, time\nfor i in range(4):\n    print('o', i); sys.stdout.flush(); time.sleep(0.3 * (i == 1))\n"
        "    print('e', i, file=sys.stderr); sys.stderr.flush()"
    )
    page = rendered(tmp_path, cell(code))
    assert [p.text for p in page.all("pre")] == ["o 0 o 1 o 2 o 3", "e 0 e 1 e 2 e 3"]


def test_a_string_is_shown_as_it_is(tmp_path):
    strings = [
        "*d* _e_ `c`",
        "<script>",
        "$x$",
        "a|b",
        "1. x",
        "# h",
        "[l](u)",
        "@fig-x",
        "2026-11-22",
        "12 % (1 to 2)",
    ]
    body = "\n\n".join(f"`{{python}} {text!r}`".replace("`c`", "c") for text in strings)
    page = rendered(tmp_path, body + "\n\n$x = `{python} -2.5`$ and `{python} ['a_b_c', 1]`")
    paragraphs = [p.text for p in page.one("div", class_="content").all("p")]
    assert paragraphs[: len(strings)] == [text.replace("`c`", "c") for text in strings]
    assert "['a_b_c', 1]" in paragraphs[-1].replace("‘", "'").replace("’", "'")
    assert "2.5" in page.one("math").text


def test_options_behind_a_blank_hide_too(tmp_path):
    page = rendered(tmp_path, '```{python}\n# | include: false\nprint("secret")\n```\n\ntext')
    assert "secret" not in page.text and "text" in page.text


def test_days_in_tables_stay_on_one_line(tmp_path):
    page = rendered(tmp_path, "| a | b |\n|---|---|\n| 2026-11-22 | dhs-2025-05-31 |\n| text | 2026 |\n")
    days = page.all("td", class_="day")
    assert [cell.text for cell in days] == ["2026-11-22", "dhs-2025-05-31"]


def test_a_comment_hides_what_is_in_it(tmp_path):
    body = (
        "<!--\n::: {.callout-note}\n```{python}\nopen('ran', 'w')\n```\n@fig-no {#sec-a}\n-->\n"
        "one <!-- x --> two `<!-- code -->`\n\n```text\n<!-- shown -->\n```\n\n## A {#sec-a}\n"
    )
    page = rendered(tmp_path, body)
    assert not (tmp_path / "ran").exists()
    assert "one two" in page.text and "<!-- code -->" in page.text and "<!-- shown -->" in page.text
    assert "callout" not in page.text


def test_variables_and_code_in_lists(tmp_path):
    (tmp_path / "_variables.yml").write_text("yes_no: true\nday: 2026-01-02\n")
    page = rendered(tmp_path, "{{< var yes_no >}} {{< var day >}}\n\n- ```python\n  1\n  ```\n\nlast")
    assert "true 2026-01-02" in page.text and page.one("li").one("pre").text == "1"


def test_titles_of_callouts_and_tabs_are_no_sections(tmp_path):
    body = (
        "::: {#my-box .callout-note}\n##### 2. Title {#my-title}\nx\n:::\n\n"
        '::: {.callout-tip title="# 2. Raw"}\nx\n:::\n\n## First {#sec-one}\n\n::: {#tabs .panel-tabset}\n'
        "### Tab {#my-tab}\n\n#### Inside\n\ny\n:::\n\n### Sub {#sec-sub}\n\n"
        "@sec-one, @sec-sub, [box](#my-box), [title](#my-title), [tab](#my-tab), [tabs](#tabs)\n"
    )
    page = rendered(tmp_path, body, "title: T\nnumber-sections: true\ntoc: true")
    assert [a.text for a in page.one("nav", id="TOC").all("a")] == ["1 First", "1.1 Sub"]
    assert [h.text for h in page.all("h4")] == ["Inside"]
    assert page.one("aside", class_="callout-tip").one("p", class_="callout-title").text == "Tip # 2. Raw"
    ids = [n.attributes["id"] for n in page.all() if "id" in n.attributes]
    assert {"my-box", "my-title", "my-tab", "tabs"} <= set(ids) and len(ids) == len(set(ids))


REFUSED = {
    "a div in a quotation": ('> ::: {.content-hidden when-format="html"}\n> x\n> :::', 4, "'content-hidden'"),
    "a native div": ('text\n\n<div class="column-margin">\n\nx\n\n</div>', 6, "'column-margin'"),
    "a native attribute": ('<div onclick="x()">\n\nx\n\n</div>', 4, "'onclick' is not honoured"),
    "a class of a link": ("[x](https://a.b){.btn}", 4, "'btn' is not honoured on a link"),
    "an attribute of a link": ("[x](https://a.b){target=_blank}", 4, "'target'"),
    "an attribute of a heading": ('## A {style="x"}', 4, "'style' is not honoured on a heading"),
    "a class of an image": ('![](square.svg){.lightbox fig-alt="x"}', 4, "'lightbox'"),
    "a class of a table": ("| a |\n|--|\n| 1 |\n\n: Cap {#tbl-a .striped}", 8, "'striped'"),
    "an attribute of a span": ("[x]{onclick=a}", 4, "'onclick' is not honoured on a span"),
    "numbered lines": ("```{.python .numberLines}\n1\n```", 4, "'numberLines'"),
    "columns of a callout": ("::: {.callout-note layout-ncol=2}\nx\n:::", 4, "'layout-ncol' is not honoured"),
    "an identifier twice": ("## Intro\n\n::: {#intro}\nx\n:::", 6, '\'?"intro" is there twice'),
    "an identifier of the template": ("## X {#Main}", 4, '"Main" is the template\'s'),
    "an identifier of a tab": ("## X {#tabset-1-1}", 4, '"tabset-1-1" is the template\'s'),
    "a part's identifier elsewhere": (
        "::: {#fig-a}\n![a](square.svg){#fig-a-2 fig-alt=x}\n\n![b](square.svg){fig-alt=x}\n\nCap\n:::",
        5,
        '"fig-a-2" is there twice',
    ),
    "a part too many": (
        "::: {#fig-a}\n" + "![a](square.svg){fig-alt=x}\n\n" * 27 + "Cap\n:::",
        4,
        "more than 26 parts",
    ),
    "pictures beside text": (
        '::: {#fig-a layout-ncol=2}\ntext\n\n![](square.svg){fig-alt="x"}\n\nCap\n:::',
        4,
        "holds something else",
    ),
    "an expression over two lines": ("text\n\nText `{python}\n1 + 1` end", 6, "was not run"),
    "an expression without a blank": ("`{python}1`", 4, "was not run"),
    "a cell in a quotation": ("> ```{python}\n> 1\n> ```", 4, "at the start of the line"),
    "a comment without end": ("text\n\n<!-- x", 6, "comment is not closed"),
    "a script behind a comment": ("<!-- x --><script>alert(2)</script>", 4, "raw html is not honoured"),
    "a first heading too deep": ("### A", 4, "skips a level"),
    "a width that is none": (
        '![](square.svg){fig-alt="x" width="1cm) #x("}',
        4,
        "the width .* is not honoured",
    ),
    "an absolute include": ("{{< include /part.qmd >}}", 4, "from the page's folder"),
    "an absolute image": ('![](/etc/hostname){fig-alt="x"}', 4, "not from the root"),
    "an image that is none": ('![](page.qmd){fig-alt="x"}', 4, "is no picture"),
    "a neighbouring name": ("```{python}\n#| fig-captoin: x\n1\n```", 5, "is 'fig-cap' meant"),
    "an infinite width": ("```{python}\n#| fig-width: .inf\n1\n```", 5, "inches"),
    "a label with a blank": ("```{python}\n#| label: fig-a b\n#| fig-cap: c\n1\n```", 5, "letters, digits"),
    "a control character": ("text\x07", 4, r"U\+0007"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name, tmp_path):
    body, line, words = REFUSED[name]
    with pytest.raises(RenderError) as caught:
        rendered(tmp_path, body)
    assert re.search(words, str(caught.value)), caught.value
    assert re.match(rf"\S*page\.qmd, line {line}:", str(caught.value)), caught.value


HEADS = {
    "a key that is no text": ("true: x", 2, "a key is text"),
    "a day that is none": ("date: 2026-02-30", 2, "no valid value"),
    "a bibliography that is a number": ("bibliography: 3", 2, "a file's name"),
    "a style that is a number": ("csl: 3", 2, "a file's name"),
    "contents of nothing": ("toc-depth: 1", 2, "above one"),
}


@pytest.mark.parametrize("name", HEADS)
def test_front_matter_refused(name, tmp_path):
    head, line, words = HEADS[name]
    with pytest.raises(RenderError, match=words) as caught:
        rendered(tmp_path, "text", head)
    assert f"page.qmd, line {line}:" in str(caught.value)


CODE = {
    "a printing expression": ("text\n\n`{python} 1` and\n`{python} print('x')`", 7, "prints, warns or plots"),
    "a warning expression": ("`{python} __import__('warnings').warn('x') or 3`", 4, "prints, warns or plots"),
    "half a character": (cell("print('\\ud800')"), 6, "UnicodeEncodeError"),
    "half a character in Markdown": (
        cell("from IPython.display import Markdown\nMarkdown('\\ud800')"),
        7,
        "UnicodeEncodeError",
    ),
    "half a character in a line": ("`{python} '\\ud800'`", 4, r"U\+D800"),
    "a bell": (cell("print('\\x07')"), 4, r"U\+0007"),
    "the interpreter's path": (cell("import sys; print(sys.executable)"), 4, "path of this machine"),
    "the home": (cell("from pathlib import Path; print(Path.home() / 'x')"), 4, "path of this machine"),
    "the page's folder": (cell("import os; print('file://' + os.getcwd())"), 4, "path of this machine"),
    "the kernel's file": (cell("print('ipykernel_12/34.py')"), 4, "path of this machine"),
    "an address": (cell("print(hex(140000000000))"), 4, "address in memory"),
    "an exit": (cell("exit()"), 6, "cannot exit"),
    "another exit": (cell("import sys\nsys.exit()"), 4, "SystemExit"),
    "a flood": (cell("print('x' * 6_000_000)"), 4, "longer than"),
    "a shortcode in an output": (cell('print("{{" + "< var a >" + "}}")', "output: asis"), 4, "a shortcode"),
    "text between a figure's pictures": (
        cell(
            PLOT + "plt.plot([1]); plt.show()\nprint(1)\nplt.plot([1]); plt.show()",
            "label: fig-a",
            "fig-cap: c",
            "fig-alt: [x, y]",
        ),
        4,
        "something else between",
    ),
    "an error behind blank lines": ("```{python}\n   \n\nx = 1\n1 / 0\n```", 8, "ZeroDivisionError"),
}


@pytest.mark.parametrize("name", CODE)
def test_code_refused_with_line(name, tmp_path):
    body, line, words = CODE[name]
    with pytest.raises(RenderError, match=words) as caught:
        rendered(tmp_path, body)
    assert f"page.qmd, line {line}:" in str(caught.value), caught.value


def test_a_folder_for_temporary_files_may_have_a_long_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than a socket's address can be."""
    long = tmp_path / ("long" * 40)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    assert rendered(tmp_path, cell("print(6 * 7)")).one("pre").text.strip() == "42"

"""What stops the render, and that the message names file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.errors import RenderError
from analysis.rendering import render_page, render_site

# name: (front matter, body, the line of the file that is named, words of the message)
WITHOUT_KERNEL = {
    "unknown front-matter key": ("title: x\nbanner: y", "", 3, "'banner' is not honoured"),
    "unknown execute option": ("execute:\n  cache: true", "", 3, "'cache' is not honoured"),
    "unknown format": ("format:\n  docx: default", "", 3, "'docx' is not honoured"),
    "unknown html option": ("format:\n  html:\n    theme: cosmo", "", 4, "'theme' is not honoured"),
    "another format": ("format: revealjs", "", 2, "should be html or typst or pdf"),
    "a date by the clock": ("date: today", "", 2, "a day as YYYY-MM-DD"),
    "a time": ("date: 2026-11-22 10:00:00", "", 2, "a day as YYYY-MM-DD"),
    "another language": ("lang: fr", "", 2, "should be en"),
    "math from outside": ("html-math-method: mathjax", "", 2, "should be mathml"),
    "a key twice": ("title: x\ntitle: y", "", 3, "'title' is there twice"),
    "front matter that is not YAML": ("title: [x", "", 2, "not valid YAML"),
    "front matter that is a list": ("- x", "", 2, "not a YAML mapping"),
    "inline code in front matter": ("title: n `{python} 1`", "", 2, "not honoured in the front matter"),
    "params without a cell": ("title: x\nparams:\n  a: 1", "", 3, r"tags: \[parameters\]"),
    "params without a default": (
        "params:\n  a: 1",
        "```{python}\n#| tags: [parameters]\nb = 1\n```",
        2,
        "gives no value to a",
    ),
    "unknown cell option": ("", "```{python}\n#| echo: true\n#| fig-align: left\n1\n```", 5, "'fig-align'"),
    "cell option of the wrong kind": ("", "```{python}\n#| echo: maybe\n1\n```", 4, "true or false"),
    "options that are not YAML": ("", "```{python}\n#| echo: [\n1\n```", 4, "not valid YAML"),
    "options behind code": ("", "```{python}\nx = 1\n#| echo: true\n```", 5, "before its code"),
    "options in braces": ("", "```{python, echo=FALSE}\n1\n```", 3, "`#|` lines"),
    "a caption without label": ("", "```{python}\n#| fig-cap: x\n1\n```", 4, "label that starts with `fig-`"),
    "a label without caption": ("", "```{python}\n#| label: tbl-x\n1\n```", 3, "needs the option 'tbl-cap'"),
    "subcaptions alone": ("", "```{python}\n#| fig-subcap: [a]\n1\n```", 4, "needs 'fig-cap'"),
    "another language's cell": ("", "text\n\n```{r}\n1\n```", 5, "language 'r'"),
    "another language's inline code": ("", "text `{r} 1`", 3, "language 'r'"),
    "an unclosed cell": ("", "text\n\n```{python}\n1", 5, "code block is not closed"),
    "an unclosed div": ("", "text\n\n::: {.callout-note}\ntext", 5, "div is not closed"),
    "an inner unclosed div": ("", "::: {.a}\n\n::: {.b}\ntext\n:::", 3, "div is not closed"),
    "a div closed twice": ("", "::: {.a}\ntext\n:::\n\n:::", 7, "never opened"),
    "unknown callout": ("", "\n::: {.callout-danger}\ntext\n:::", 4, "'callout-danger' is not honoured"),
    "unknown callout attribute": ("", '::: {.callout-tip icon="false"}\ntext\n:::', 3, "'icon'"),
    "wrong collapse": ("", '::: {.callout-tip collapse="yes"}\ntext\n:::', 3, "true or false"),
    "a class of Quarto's": ("", "::: {.column-margin}\ntext\n:::", 3, "'column-margin' is not honoured"),
    "a div attribute": ("", '::: {.a style="color: red"}\ntext\n:::', 3, "'style' is not honoured"),
    "a label twice": ("", "## A {#sec-a}\n\n## B {#sec-a}", 5, "already used in .* line 3"),
    "a cell's label twice": (
        "",
        "```{python}\n#| label: a\n1\n```\n\n```{python}\n#| label: a\n1\n```",
        8,
        "'a' is already used",
    ),
    "a theorem": ("", "::: {#thm-a}\ntext\n:::", 3, "'thm-a' is not honoured"),
    "unknown shortcode": ("", "text {{< video x.mp4 >}}", 3, "'video' is not honoured"),
    "unknown variable": ("", "text {{< var no.such >}}", 3, "'no.such' is not in _variables.yml"),
    "an unclosed shortcode": ("", "text {{< var x", 3, "not closed"),
    "a shortcode in code": ("", "```\n{{< var x >}}\n```", 4, "stands in a code block"),
    "an include that is absent": ("", "text\n\n{{< include no.qmd >}}", 5, "'no.qmd' does not exist"),
    "an include inside a line": ("", "text {{< include no.qmd >}}", 3, "a line of its own"),
    "metadata in the body": ("", "text\n\n---\ntitle: y\n---", 5, "block of metadata"),
    "unresolved reference": ("", "text\n\nSee @fig-nowhere.", 5, "@fig-nowhere has no target"),
    "a section reference without numbers": ("", "## A {#sec-a}\n\nSee @sec-a.", 5, "number-sections"),
    "missing citation key": ("", "text\n\nAs @nobody2020 says.", 5, "nobody2020. is in no bibliography"),
    "a key that the bibliography lacks": (
        "bibliography: refs.bib",
        "text\n\nAs @nobody2020 says.",
        6,
        "nobody2020. is in no bibliography",
    ),
    "missing bibliography": ("bibliography: no.bib", "text", 2, "no.bib"),
    "reference and citation together": ("", "## A\n\n[@fig-a; @nobody]", 5, "cannot share"),
    "image without alt text": ("", "text\n\n![](square.svg)", 5, "no alternative text"),
    "figure without alt text": ("", "![A caption](square.svg)", 3, "no alternative text"),
    "image that is absent": ("", '![](no.svg){fig-alt="x"}', 3, "no.svg does not exist"),
    "image from outside": ("", '![](https://example.org/a.png){fig-alt="x"}', 3, "no network"),
    "image attribute": ("", '![](square.svg){fig-alt="x" fig-align="left"}', 3, "fig-align"),
    "raw HTML": ("", "text\n\n<script>alert(1)</script>", 5, "raw html is not honoured"),
    "raw HTML in a line": ("", "text <br> text", 3, "raw html is not honoured"),
    "raw block": ("", "```{=typst}\n#pagebreak()\n```", 4, "raw typst is not honoured"),
    "a footnote without text": ("", "text[^a]", 3, r"\[\^a\] has no text"),
    "a footnote never used": ("", "text\n\n[^a]: note", 5, "not used"),
    "link to no page": ("", "[x](other.qmd)", 3, "other.qmd names no page"),
    "link to no place": ("", "[x](#nowhere)", 3, "#nowhere has no target"),
    "link that runs": ("", "[x](javascript:void)", 3, '"javascript:" is not honoured'),
    "a heading of level 1": ("", "# Top", 3, "level 1"),
    "a reference in the abstract": ("title: x\nabstract: see @fig-a", "text", 3, "@fig-a has no target"),
    "a class of a heading": ("", "## A {.appendix}", 3, "'appendix' is not honoured on a heading"),
    "a counted picture without caption": ("", '![](square.svg){#fig-a fig-alt="x"}', 3, "has a caption"),
    "a table attribute": (
        "",
        '| a |\n|---|\n| 1 |\n\n: Cap {#tbl-a tbl-colwidths="[9]"}',
        7,
        "tbl-colwidths",
    ),
    "a code block attribute": (
        "",
        '```{.python filename="a.py"}\n1\n```',
        3,
        "'filename' is not honoured on a code block",
    ),
    "a span of Quarto's": ("", "text [note]{.aside}", 3, "'aside' is not honoured"),
    "attributes of nothing": ("", "$$\nx\n$$ {#wrong}", 5, "belong to nothing"),
    "double braces": ("", "```{{python}}\n1\n```", 3, "double braces"),
    "a heading that skips": ("", "## A\n\n#### B", 5, "skips a level"),
    "a figure div without picture": ("", "::: {#fig-a}\ntext\n\ncaption\n:::", 3, "holds no picture"),
    "a table div without table": ("", "::: {#tbl-a}\ntext\n\ncaption\n:::", 3, "holds 0"),
    "a figure div without caption": ("", '::: {#fig-a}\n![](square.svg){fig-alt="x"}\n:::', 3, "no caption"),
    "a tabset without headings": ("", "::: {.panel-tabset}\ntext\n:::", 3, "heading of its first tab"),
    "a PDF without title": ("format: typst", "text", 2, "needs a `title`"),
}

WITH_KERNEL = {
    "a cell that raises": ("", "```{python}\n#| echo: true\n\nx = 1\n1 / 0\n```", 7, "ZeroDivisionError"),
    "a cell that is not Python": (
        "",
        "```{python}\nx = 1\nx = (\n```",
        5,
        "SyntaxError|_IncompleteInputError",
    ),
    "inline code that raises": ("", "text\n\n`{python} 1` and `{python} nothing`", 5, "NameError"),
    "a cell that returns HTML": (
        "",
        "```{python}\nfrom IPython.display import HTML\nHTML('<b>x</b>')\n```",
        3,
        "text/html is not honoured",
    ),
    "a path of this machine": (
        "",
        "```{python}\nimport os\nprint(os.environ['IPYTHONDIR'])\n```",
        3,
        "a path",
    ),
    "an address in memory": ("", "```{python}\nobject()\n```", 3, "an address in memory"),
    "a picture without alt text": (
        "",
        "```{python}\nimport matplotlib.pyplot as plt\n_ = plt.plot([1])\n```",
        3,
        "1 shown, 0 texts in 'fig-alt'",
    ),
    "a layout of nothing": ("", "```{python}\n#| layout-ncol: 2\n1\n```", 3, "'layout-ncol' sets pictures"),
    "a figure that shows nothing": (
        "",
        "```{python}\n#| label: fig-a\n#| fig-cap: x\n1\n```",
        3,
        "shows no picture",
    ),
}


def written(folder: Path, head: str, body: str) -> Path:
    (folder / "square.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (folder / "refs.bib").write_text("@book{known, author={A}, title={B}, year={2000}}\n")
    page = folder / "page.qmd"
    front = f"---\n{head}\n---\n" if head else "---\n---\n"
    page.write_text(front + body + "\n", encoding="utf-8")
    return page


@pytest.mark.parametrize("name", [*WITHOUT_KERNEL, *WITH_KERNEL])
def test_refused_with_file_and_line(name, tmp_path):
    head, body, line, words = (WITHOUT_KERNEL | WITH_KERNEL)[name]
    page = written(tmp_path, head, body)
    with pytest.raises(RenderError) as caught:
        render_page(page, tmp_path / "out")
    message = str(caught.value)
    assert re.search(words, message), message
    assert re.match(rf"\S*page\.qmd, line {line}:", message), message
    assert not list((tmp_path).glob("out/*")), "a refused page leaves nothing behind"


@pytest.mark.parametrize(
    ("inside", "line", "words"),
    [
        ("text\n\nSee @fig-nowhere.", 3, "@fig-nowhere"),
        ("text\n\n::: {.a}", 3, "not closed"),
        ("```{python}\nx = 1\nraise ValueError('no')\n```", 3, "ValueError: no"),
        ("```{python}\n#| colour: red\n```", 2, "'colour'"),
        ("text\n\n{{< include _part.qmd >}}", 3, "includes itself"),
        ("---\ntitle: x\n---", 1, "cannot have front matter"),
    ],
)
def test_line_inside_an_included_file(inside, line, words, tmp_path):
    page = written(tmp_path, "title: x", "one\n\ntwo\n\n{{< include _part.qmd >}}\n\nthree")
    (tmp_path / "_part.qmd").write_text(inside + "\n")
    with pytest.raises(RenderError, match=words) as caught:
        render_page(page, tmp_path / "out")
    assert re.match(rf"\S*_part\.qmd, line {line}:", str(caught.value)), caught.value


SITE_FILE = "project:\n  type: website\n  render: [page.qmd]\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (SITE_FILE + "website:\n  search: true\n", 5, "'search' is not honoured"),
        (SITE_FILE + "website:\n  navbar:\n    left:\n      - text: x\n", 7, "either `href:`"),
        (SITE_FILE + "website:\n  navbar:\n    left: [no.qmd]\n", 6, "neither a page"),
        (SITE_FILE + "website:\n  sidebar:\n    style: docked\n", 6, "'style'"),
        (SITE_FILE + "theme: cosmo\n", 4, "'theme'"),
        ("project:\n  type: book\n  render: [page.qmd]\n", 2, "should be website"),
        ("project:\n  type: website\n  render: [page.qmd, no.qmd]\n", 3, "'no.qmd'"),
        ("project:\n  type: website\n", 1, "the list of the site's pages"),
        ("project: [\n", 1, "not valid YAML"),
    ],
)
def test_site_file_refused_with_line(text, line, words, tmp_path):
    written(tmp_path, "title: x", "text")
    (tmp_path / "_quarto.yml").write_text(text)
    with pytest.raises(RenderError, match=words) as caught:
        render_site(tmp_path, tmp_path / "out")
    assert re.match(rf"\S*_quarto\.yml, line {line}:", str(caught.value)), caught.value


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("other.qmd#nowhere", "names no place"),
        ("no.csv", "names no file"),
        ("../secret.csv", "names no file"),
    ],
)
def test_links_between_pages_are_checked(target, words, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("a\n")
    page = written(folder, "title: x", f"text\n\n[x]({target})")
    (folder / "other.qmd").write_text("## A place\n")
    (folder / "_quarto.yml").write_text("project: {type: website, render: [page.qmd, other.qmd]}\n")
    with pytest.raises(RenderError, match=words) as caught:
        render_site(folder, tmp_path / "out")
    assert f"{page.name}, line 6:" in str(caught.value)


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(RenderError, match=r"page\.qmd, line 1: the file does not exist"):
        render_page(tmp_path / "page.qmd", tmp_path / "out")
    (tmp_path / "page.qmd").write_bytes(b"text\nLa Mo\xf1a\n")
    with pytest.raises(RenderError, match=r"page\.qmd, line 2: the file is not UTF-8"):
        render_page(tmp_path / "page.qmd", tmp_path / "out")
    with pytest.raises(RenderError, match=r"a page is a \.qmd file"):
        render_page(tmp_path / "page.md", tmp_path / "out")
    with pytest.raises(RenderError, match=r"_quarto\.yml, line 1: the file does not exist"):
        render_site(tmp_path, tmp_path / "out")

"""What front matter, cells and `_quarto.yml` may say. A key that is not here is refused by name."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

from analysis.rendering.source import Line, Where, refuse

# A rule returns what the value should have been, or None where it is right.
Rule = Callable[[Any], str | None]


def one_of(*values: object) -> Rule:
    """A rule: one of these values, of the same type (1 is not `true`)."""
    names = " or ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
    kinds = {(type(value), value) for value in values}
    return lambda value: (
        None if isinstance(value, bool | str | int) and (type(value), value) in kinds else names
    )


def text(value: Any) -> str | None:
    """A rule: text or a number, which YAML does not quote."""
    return None if isinstance(value, str | int | float) and not isinstance(value, bool) else "text"


def label(value: Any) -> str | None:
    """A rule: a cell's label; one that is counted is also an identifier."""
    if isinstance(value, str) and re.match("fig-|tbl-", value):
        return None if re.fullmatch(r"\w[\w:.-]*", value) else "letters, digits, and - _ . : alone"
    return text(value) if value != "" else "text"


def name(value: Any) -> str | None:
    """A rule: a file's name."""
    return None if isinstance(value, str) and value else "a file's name"


def names(value: Any) -> str | None:
    """A rule: a file's name, or a list of them."""
    files = value if isinstance(value, list) else [value]
    return None if files and all(name(file) is None for file in files) else "a file's name or a list of them"


def texts(value: Any) -> str | None:
    """A rule: text, or a list of texts."""
    right = text(value) is None or (isinstance(value, list) and value and all(text(v) is None for v in value))
    return None if right else "text or a list of texts"


def text_list(value: Any) -> str | None:
    """A rule: a list of texts."""
    return "a list of texts" if not isinstance(value, list) else texts(value)


def whole(value: Any) -> str | None:
    """A rule: a whole number above zero."""
    return None if isinstance(value, int) and not isinstance(value, bool) and value > 0 else "a whole number"


def depth(value: Any) -> str | None:
    """A rule: the deepest heading of the table of contents; the title is 1, sections begin with 2."""
    return "a whole number above one" if whole(value) or value < 2 else None


def inches(value: Any) -> str | None:
    """A rule: a number of inches above zero that a picture can have."""
    right = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 100
    return None if right else "a number of inches above 0 and up to 100"


def mapping(value: Any) -> str | None:
    """A rule: a mapping; what is in it is checked elsewhere."""
    return None if isinstance(value, Mapping) else "a mapping"


def english(value: Any) -> str | None:
    """A rule: English, the one language in which the renderer says Figure, Table and Note."""
    right = isinstance(value, str) and re.fullmatch(r"en(-[A-Z]{2})?", value)
    return None if right else "en, or en with a country, as in en-US"


def day(value: Any) -> str | None:
    """A rule: a calendar day. `today`, `now` and `last-modified` would change the bytes."""
    if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date | str):
        return "a day as YYYY-MM-DD"
    try:
        datetime.date.fromisoformat(str(value))
    except ValueError:
        return "a day as YYYY-MM-DD"
    return None


def authors(value: Any) -> str | None:
    """A rule: a name, or a list of names or of mappings that hold only `name`."""
    people = value if isinstance(value, list) else [value]
    right = people and all(
        isinstance(p, str) or (isinstance(p, Mapping) and set(p) == {"name"} and isinstance(p["name"], str))
        for p in people
    )
    return None if right else "a name, a list of names, or `name:` entries"


def formats(value: Any) -> str | None:
    """A rule: html, typst or pdf, alone or as keys of a mapping."""
    if isinstance(value, Mapping):
        wrong = [v for v in value.values() if not isinstance(v, Mapping) and v != "default"]
        return "`default` or a mapping under each format" if wrong else None
    return one_of("html", "typst", "pdf")(value)


FLAG = one_of(True, False)
BOTH_FORMATS: dict[str, Rule] = {
    "toc": FLAG,
    "toc-depth": depth,
    "toc-title": text,
    "number-sections": FLAG,
}
HTML: dict[str, Rule] = BOTH_FORMATS | {
    "code-fold": one_of(True, False, "show"),
    "code-summary": text,
    "html-math-method": one_of("mathml"),
    "embed-resources": one_of(True),
}
TYPST: dict[str, Rule] = BOTH_FORMATS | {"papersize": one_of("a4", "us-letter")}
EXECUTE: dict[str, Rule] = {
    "echo": FLAG,
    "eval": FLAG,
    "output": one_of(True, False, "asis"),
    "warning": FLAG,
    "error": FLAG,
    "include": FLAG,
}
DOCUMENT: dict[str, Rule] = (
    HTML
    | TYPST
    | {
        "title": text,
        "subtitle": text,
        "author": authors,
        "date": day,
        "abstract": text,
        "abstract-title": text,
        "description": text,
        "keywords": texts,
        "lang": english,
        "params": mapping,
        "bibliography": names,
        "csl": name,
        "link-citations": FLAG,
        "execute": mapping,
        "jupyter": one_of("python3"),
        "format": formats,
        "fig-width": inches,
        "fig-height": inches,
        "fig-format": one_of("svg", "png"),
        "fig-dpi": whole,
    }
)
CELL: dict[str, Rule] = EXECUTE | {
    "label": label,
    "code-fold": one_of(True, False, "show"),
    "code-summary": text,
    "fig-cap": text,
    "fig-subcap": text_list,
    "fig-alt": texts,
    "fig-width": inches,
    "fig-height": inches,
    "layout-ncol": whole,
    "tbl-cap": text,
    "tags": text_list,
}
DEFAULTS: dict[str, Any] = {
    "lang": "en",
    "fig-width": 7,
    "fig-height": 5,
    "fig-format": "svg",
    "fig-dpi": 192,
    "toc-depth": 3,
    "toc-title": "On this page",
    "abstract-title": "Abstract",
    "link-citations": True,
    "code-summary": "Code",
    "papersize": "us-letter",
}


def check(
    values: Mapping[str, Any],
    rules: Mapping[str, Rule],
    where: Where,
    what: str,
    under: tuple[str | int, ...] = (),
) -> None:
    """Compare a mapping with its rules.

    Parameters
    ----------
    what : what a key of it is called, for the message ("cell option").
    under : the path of the mapping in its file, for the line.

    Raises
    ------
    RenderError : an unknown key, or a value of the wrong kind.
    """
    for key, value in values.items():
        line = where[(*under, str(key))]
        if key not in rules:
            near = difflib.get_close_matches(key, rules, 1)
            meant = f" (is {near[0]!r} meant?)" if near else ""
            refuse(
                line, f"the {what} {key!r} is not honoured{meant}; honoured are {', '.join(sorted(rules))}."
            )
        if (expected := rules[key](value)) is not None:
            refuse(line, f"the {what} {key!r} should be {expected}, not {value!r}.")


def check_document(values: Mapping[str, Any], where: Where) -> None:
    """Check front matter, or the part of `_quarto.yml` that is not about the site.

    Raises
    ------
    RenderError : as `check`.
    """
    check(values, DOCUMENT, where, "front-matter key")
    check(values.get("execute") or {}, EXECUTE, where, "execute option", ("execute",))
    chosen = values.get("format")
    if isinstance(chosen, Mapping):
        rules = {"html": HTML, "typst": TYPST, "pdf": TYPST}
        check(chosen, dict.fromkeys(rules, lambda _: None), where, "format", ("format",))
        for name, inner in chosen.items():
            if isinstance(inner, Mapping):
                check(inner, rules[name], where, f"{name} option", ("format", name))


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two levels of settings; `above` wins, key by key, in mappings too."""
    out = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping)
        out[key] = merged(out[key], value) if both else value
    return out


def options_by_format(values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The key `format`, however short it is written, as options by format; HTML where it is absent."""
    chosen = values.get("format", "html")
    chosen = chosen if isinstance(chosen, Mapping) else {chosen: "default"}
    return {name: inner if isinstance(inner, Mapping) else {} for name, inner in chosen.items()}


def page_values(site: Mapping[str, Any], page: Mapping[str, Any]) -> dict[str, Any]:
    """A page's settings over its site's. The page says which formats, the site adds options to these."""
    out = merged(site, page)
    if "format" in page:
        below = options_by_format(site)
        out["format"] = {
            name: merged(below.get(name, {}), inner) for name, inner in options_by_format(page).items()
        }
    return out


def asked_formats(values: Mapping[str, Any]) -> set[str]:
    """The formats that a page asks for, `html` and `pdf`; Typst is how the PDF is made."""
    return {"pdf" if name == "typst" else name for name in options_by_format(values)}


def settings(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The settings of one format (`html` or `pdf`): the defaults, the page's, then the format's own."""
    out = DEFAULTS | ({"toc-title": "Contents"} if name == "pdf" else {})
    out |= {key: value for key, value in values.items() if key != "format"}
    given = options_by_format(values)
    for key in ("html",) if name == "html" else ("typst", "pdf"):
        out |= given.get(key, {})
    return out


def check_cell(values: Mapping[str, Any], where: Where, line: Line) -> None:
    """Check one cell's options, each and together.

    Raises
    ------
    RenderError : as `check`, or a caption without the label that numbers it, or a label without a caption.
    """
    check(values, CELL, where, "cell option")
    label = str(values.get("label", ""))
    for kind, caption in (("fig", "fig-cap"), ("tbl", "tbl-cap")):
        if label.startswith(f"{kind}-") and caption not in values:
            refuse(line, f"the label {label!r} needs the option {caption!r}.")
        if caption in values and not label.startswith(f"{kind}-"):
            refuse(where[(caption,)], f"{caption!r} needs a label that starts with `{kind}-`.")
    if "fig-subcap" in values and "fig-cap" not in values:
        refuse(where[("fig-subcap",)], "'fig-subcap' needs 'fig-cap' and a label.")

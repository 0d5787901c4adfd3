"""Write `docs/api.md`: every public name with its signature and what its docstring says.

Public is what the modules' `__all__` name. `make docs` runs it; a test holds the page against the code.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from pathlib import Path

import analysis

PAGE = Path(__file__).with_name("api.md")
HEAD = """# Public names

Made by `make docs` from the modules' `__all__` and docstrings; to change it, change those. Shapes are given
as (n, k); (n,) is one value a row. Money is in US dollars, shares run from 0 to 1, codes are text. Examples
are run by the tests.
"""
UNDERLINED = re.compile(r"^([A-Z][a-z]+(?: [a-z]+)?)\n-{3,}\n", re.M)
ENTRY = re.compile(r"^([*\w][\w*, .\[\]]*?) : (.*)", re.S)
NEXT = re.compile(r"(?<=\.) (?=[a-z_]\w*(?:, \w+)* : )")  # `rows : their labels. used : (n,)` are two entries
WIDTH = 100


def public() -> dict[str, dict[str, object]]:
    """The public names by module, each under the first module that names it."""
    found: dict[str, dict[str, object]] = {}
    seen: set[int] = set()
    for info in pkgutil.walk_packages(analysis.__path__, "analysis."):
        if info.name.rpartition(".")[2] == "__main__":
            continue
        module = importlib.import_module(info.name)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if id(value) not in seen:
                seen.add(id(value))
                found.setdefault(info.name, {})[name] = value
    return found


class Written(str):
    """An annotation as the code writes it, without quotes."""

    __repr__ = str.__str__


def signature(name: str, value: object) -> str:
    """The call, on one line or with one parameter a line."""
    if not callable(value):
        return name
    try:
        own = inspect.signature(value)
    except ValueError:  # a class of Python's own kind without a call of its own: an error
        return name
    returned = inspect.Signature.empty if inspect.isclass(value) else written(own.return_annotation)
    own = own.replace(
        parameters=[
            each.replace(annotation=written(each.annotation), default=usual(each.default))
            for each in own.parameters.values()
        ],
        return_annotation=returned,
    )
    line = name + str(own)
    if len(line) <= WIDTH:
        return line
    parts, star = [], False
    for parameter in own.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        star = star or parameter.kind is parameter.VAR_POSITIONAL
        parts.append(str(parameter))
    _, _, returned = str(own).rpartition(")")
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){returned}"


def written(annotation: object) -> object:
    return Written(annotation) if isinstance(annotation, str) else annotation


def usual(default: object) -> object:
    """A default as the page writes it: a file of the project by its path there, wherever the project lies."""
    if isinstance(default, Path):
        return Written(f"Path({default.relative_to(PAGE.parents[1]).as_posix()!r})")
    return default


def sections(docstring: str) -> list[tuple[str, str]]:
    """The parts of a docstring: ("", what comes first), then each title with its text."""
    pieces = UNDERLINED.split(docstring)
    return [
        ("", pieces[0].strip()),
        *zip(pieces[1::2], (text.strip("\n") for text in pieces[2::2]), strict=True),
    ]


def entries(text: str) -> list[str]:
    """The entries of a section: lines that are not indented, each with the indented ones below it."""
    found: list[str] = []
    for line in text.splitlines():
        if not line.strip() or (found and line.startswith(" ")):
            found[-1:] = [f"{found[-1] if found else ''} {line.strip()}".strip()]
        else:
            found.append(line.strip())
    return [each for entry in found for each in NEXT.split(entry)]


def listed(text: str) -> str:
    """Entries as a list, `name : what it is` with the name as code."""
    return "\n".join(
        f"- `{named[1]}`: {named[2]}" if (named := ENTRY.match(each)) else f"- {each}"
        for each in entries(text)
    )


def shown(docstring: str) -> str:
    """A docstring as Markdown."""
    parts = []
    for title, text in sections(docstring):
        if not title:
            parts.append(text)
        elif title == "Examples":
            parts.append(f"**Examples**\n\n```pycon\n{text}\n```")
        elif title in ("Parameters", "Raises", "Attributes"):
            parts.append(f"**{title}**\n\n{listed(text)}")
        else:
            parts.append(f"**{title}**\n\n{text}")
    return "\n\n".join(parts)


def source(value: object) -> str:
    """Where the code stands."""
    if not callable(value):
        return ""
    file = Path(inspect.getsourcefile(inspect.unwrap(value))).relative_to(PAGE.parents[1]).as_posix()
    return f"Source: [`{file}`](../{file})"


def anchor(name: str, names: Counter) -> str:
    """The place of a heading, as GitHub names it: of the second of one name it ends in -1."""
    place = name.lower()
    names[place] += 1
    return place if names[place] == 1 else f"{place}-{names[place] - 1}"


def described(name: str, value: object) -> str:
    """The entry of one name, public methods of a class after it."""
    said = inspect.getdoc(value) if callable(value) else None
    parts = [f"### `{name}`", f"```python\n{signature(name, value)}\n```", shown(said or ""), source(value)]
    if inspect.isclass(value):
        for method, function in vars(value).items():
            if inspect.isfunction(function) and not method.startswith("_"):
                parts += [f"#### `{name}.{method}`", f"```python\n{signature(method, function)}\n```"]
                parts.append(shown(inspect.getdoc(function) or ""))
    return "\n\n".join(part for part in parts if part)


def page() -> str:
    """The whole page."""
    parts, contents, places = [], [], Counter()
    for module, names in public().items():
        links = ", ".join(f"[`{name}`](#{anchor(name, places)})" for name in names)
        contents.append(f"- `{module}`: {links}")
        said = (inspect.getdoc(importlib.import_module(module)) or "").partition("\n\n")[0]
        parts += [f"## {module}", said.replace("\n", " ")]
        parts += [described(name, value) for name, value in names.items()]
    return "\n\n".join([HEAD.strip(), "\n".join(contents), *parts]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

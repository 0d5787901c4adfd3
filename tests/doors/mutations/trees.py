"""Mutations of what nests: JSON and YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random

from tests.doors.mutations.text import SMALL, TEXT, Mutation

# -- of JSON ------------------------------------------------------------------------------------------------

VALUES = (
    None,
    True,
    False,
    0,
    -1,
    10**30,
    -666666666,
    1e308,
    0.1,
    "",
    "x",
    "NaN",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
)


def places(value: object, found: list) -> list:
    """Every container of a JSON value, with the keys that it has."""
    if isinstance(value, dict | list) and len(found) < 5_000:
        found.append(value)
        for inner in value.values() if isinstance(value, dict) else value:
            places(inner, found)
    return found


def of_json(change: Callable[[object, Random], None]) -> Mutation:
    def mutation(content: bytes, draw: Random) -> bytes:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            return content
        holders = [each for each in places(value, []) if each]
        if not holders:
            return content
        change(draw.choice(holders), draw)
        return json.dumps(value).encode("utf-8", "surrogatepass")

    mutation.__name__, mutation.__doc__ = change.__name__, change.__doc__
    return mutation


def key_in(holder: object, draw: Random) -> object:
    return draw.choice(list(holder)) if isinstance(holder, dict) else draw.randrange(len(holder))


@of_json
def json_value(holder: object, draw: Random) -> None:
    """A value is of another kind, or hostile."""
    holder[key_in(holder, draw)] = draw.choice((*VALUES, *SMALL))


@of_json
def json_dropped(holder: object, draw: Random) -> None:
    """A key or an element is missing."""
    del holder[key_in(holder, draw)]


@of_json
def json_renamed(holder: object, draw: Random) -> None:
    """A key has another name; an element of a list is there twice."""
    name = key_in(holder, draw)
    if isinstance(holder, dict):
        holder[f"{name}_"] = holder.pop(name)
    else:
        holder.append(holder[name])


def json_text(content: bytes, draw: Random) -> bytes:
    """Numbers that are none in JSON, a key twice, brackets without end."""
    match draw.randrange(4):
        case 0:
            found = list(re.finditer(rb"-?\d+(\.\d+)?", content))
            if not found:
                return content
            number = draw.choice(found)
            said = draw.choice((b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5_000, b"-0", b"1E+9999"))
            return content[: number.start()] + said + content[number.end() :]
        case 1:
            return content.replace(b"{", b'{"a": 1, "a": 2,', 1)
        case 2:
            return (b"[" if draw.randrange(2) else b'{"a":') * 200_000
        case _:
            return b"[" + content + b"," + content + b"]"


JSON = (*TEXT, json_value, json_value, json_dropped, json_renamed, json_text)


# -- of YAML ------------------------------------------------------------------------------------------------

SCALARS = (
    "", "~", "[]", "{}", "[a, b]", "{a: 1}", "2025-13-45", "2025-02-30", "!!python/object/apply:os.system [id]",
    "!!int x", "!!float x", "!!binary ###", "!!timestamp x", "!!set {a, b}", "!unknown x", "&a [*a]", "*nothing", "0o9",
    "1:60:99", ".inf", "-.nan", "yes", "1_000", "'unclosed", '"\\u0000"', '"\\ud800"', "|\n  text", "? x", "<<: 1", "@x", "`x`", "%x",
    "[" * 200, "[" * 20_000, "{" * 2_000, "99999999999999999999", "1e999", "__import__('os')", "a.b", "a + ", "log(a, b)", "a if b else c",
    "(" * 300 + "a" + ")" * 300, "-" * 5_000 + "a", "a**9**9**9", "a[0]", "lambda: 0", "B01003_001E", "x" * 10_000,
)  # fmt: skip
BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n".encode()
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def yaml_value(content: bytes, draw: Random) -> bytes:
    """The value behind a key is hostile, or of another kind."""
    found = list(re.finditer(rb"(?m)(?<=: )[^\n{}\[\],]+|(?<=:)$", content))
    if not found:
        return content
    value = draw.choice(found)
    said = draw.choice((*SCALARS, *SMALL)).encode("utf-8", "surrogatepass")
    return content[: value.start()] + b" " + said + content[value.end() :]


def yaml_key(content: bytes, draw: Random) -> bytes:
    """A key has another name, or is no text."""
    found = list(re.finditer(rb"[\w-]+(?=:)", content))
    if not found:
        return content
    key = draw.choice(found)
    said = draw.choice(
        (b"x", b"1", b"~", b"[a]", b"{a: b}", b"? [a]\n", b"2025-01-01", b"true", b"<<", b"!!x y", b"''")
    )
    return content[: key.start()] + said + content[key.end() :]


def yaml_shape(content: bytes, draw: Random) -> bytes:
    """A bomb of aliases, another indent, tabs, two documents, a key twice."""
    match draw.randrange(5):
        case 0:
            return BOMB + content
        case 1:
            return content.replace(b"\n  ", b"\n" + b" " * draw.randrange(1, 6), draw.choice((1, -1)))
        case 2:
            return content.replace(b"  ", b"\t", draw.choice((1, -1)))
        case 3:
            return content + b"\n---\n" + content
        case _:
            return content + b"\n" + content


YAML = (*TEXT, yaml_value, yaml_value, yaml_value, yaml_key, yaml_shape)

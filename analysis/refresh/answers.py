"""JSON read strictly: whole, no name twice, no NaN, and nothing that no table can hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from analysis.refresh.faults import QuarantineError


def decoded(path: Path, again: str, *, number: Callable[[str], object] = float) -> object:
    """The JSON of a reply.

    Parameters
    ----------
    again : the remedy.
    number : what is made of a number with a point.

    Raises
    ------
    QuarantineError : "truncated JSON", "doubled name", "not a figure" (NaN, Infinity), "not text".
    """

    def refuse(text: str) -> object:
        raise QuarantineError("not a figure", f"it holds {text}.", where=path.name, remedy=again)

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise QuarantineError(
                "doubled name", f"an object has {twice!r} twice.", where=path.name, remedy=again
            )
        return found

    text = path.read_bytes()
    try:
        content = json.loads(text, parse_float=number, parse_constant=refuse, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise QuarantineError(
            "truncated JSON", f"not whole JSON ({error}).", where=path.name, remedy=again
        ) from None
    if b"\\u" in text:
        # Half a pair of UTF-16, which no file can hold; and the sign that ends text in other languages.
        try:
            whole = "\\u0000" not in json.dumps(content, ensure_ascii=False, default=str).encode().decode()
        except UnicodeEncodeError:
            whole = False
        if not whole:
            raise QuarantineError("not text", "it holds half a sign.", where=path.name, remedy=again)
    return content

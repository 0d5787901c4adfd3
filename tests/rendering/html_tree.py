"""A page's HTML as a tree that tests can ask: tags, attributes, text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input", "col"}


@dataclass
class Node:
    """An element; `parts` are its children and its pieces of text, in order."""

    tag: str
    attributes: dict[str, str]
    parts: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text inside, with every run of white space as one space."""
        raw = "".join(part if isinstance(part, str) else f" {part.text} " for part in self.parts)
        return " ".join(raw.split())

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    def all(self, tag: str | None = None, **wanted: str) -> list[Node]:
        """Every element inside, in order, of this tag and with these attributes (`class_`: one of them)."""
        found = []
        for part in self.parts:
            if isinstance(part, str):
                continue
            right = all(
                value in part.classes if key == "class_" else part.attributes.get(key.rstrip("_")) == value
                for key, value in wanted.items()
            )
            if right and tag in (None, part.tag):
                found.append(part)
            found += part.all(tag, **wanted)
        return found

    def one(self, tag: str | None = None, **wanted: str) -> Node:
        """The only such element."""
        found = self.all(tag, **wanted)
        assert len(found) == 1, f"{len(found)} elements {tag} {wanted}"
        return found[0]


class _Builder(HTMLParser):
    def __init__(self, strict: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.strict = strict
        self.open = [Node("document", {})]

    def handle_starttag(self, tag, attributes):
        node = Node(tag, {key: value or "" for key, value in attributes})
        self.open[-1].parts.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag, attributes):
        self.open[-1].parts.append(Node(tag, {key: value or "" for key, value in attributes}))

    def handle_endtag(self, tag):
        assert self.open[-1].tag == tag or not self.strict, f"</{tag}> closes <{self.open[-1].tag}>"
        while any(node.tag == tag for node in self.open) and self.open.pop().tag != tag:
            pass

    def handle_data(self, data):
        self.open[-1].parts.append(data)


def parse(text: str, strict: bool = True) -> Node:
    """The document. Where `strict`, every element must be closed, and in order."""
    builder = _Builder(strict)
    builder.feed(text)
    builder.close()
    assert len(builder.open) == 1 or not strict, [node.tag for node in builder.open]
    return builder.open[0]

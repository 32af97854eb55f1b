"""The values of a YAML file with the place of each: scalars, lists and mappings.

Scalars stay text; what a text means (a number, a quantity, a name) is decided by who reads it, so that
`size: "100"` and `size: 100` are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: How a key without a value is written in YAML.
NULLS = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True)
class Span:
    """A marked stretch of one line: 1-based line and column, and its length."""

    line: int
    column: int
    length: int


@dataclass(frozen=True)
class Scalar:
    """A text. `origin` says where it was written when it came through a parameter."""

    text: str
    span: Span
    plain: bool = True
    origin: str | None = None

    @property
    def is_null(self) -> bool:
        """Whether nothing was written."""
        return self.plain and self.text in NULLS


@dataclass(frozen=True)
class Listing:
    """A list. `total` counts the nodes below and itself, `height` the levels."""

    items: tuple[Node, ...]
    span: Span
    origin: str | None = None
    total: int = field(init=False)
    height: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", 1 + sum(total(item) for item in self.items))
        object.__setattr__(self, "height", 1 + max((height(item) for item in self.items), default=0))


@dataclass(frozen=True)
class Entry:
    """A key of a mapping and its value.

    `introduced` is the key in a branch of `choices` that the value comes from, where its messages stand
    there and not at its use.
    """

    key: Scalar
    value: Node
    introduced: Scalar | None = None

    @property
    def at(self) -> Scalar:
        """Where a message stands about what the value lacks."""
        return self.introduced or self.key


@dataclass(frozen=True)
class Mapping:
    """A mapping without duplicate keys. `total` counts the nodes below and itself, `height` the levels."""

    entries: tuple[Entry, ...]
    span: Span
    origin: str | None = None
    total: int = field(init=False)
    height: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", 1 + sum(1 + total(entry.value) for entry in self.entries))
        heights = (height(entry.value) for entry in self.entries)
        object.__setattr__(self, "height", 1 + max(heights, default=0))

    def get(self, name: str) -> Node | None:
        """The value of a key, or None."""
        return next((entry.value for entry in self.entries if entry.key.text == name), None)


@dataclass(frozen=True)
class Broken:
    """A value that could not be read and was already reported."""

    span: Span
    origin: str | None = None


Node = Scalar | Listing | Mapping | Broken


def total(node: Node) -> int:
    """How many nodes a walk through `node` meets, each alias counted as often as it is used."""
    return node.total if isinstance(node, (Listing, Mapping)) else 1


def height(node: Node) -> int:
    """How many levels a node has."""
    return node.height if isinstance(node, (Listing, Mapping)) else 1


def describe(node: Node) -> str:
    """What the node is, in words short enough for a message."""
    if isinstance(node, Scalar):
        return "nothing" if node.is_null else f"'{shortened(node.text)}'"
    if isinstance(node, Listing):
        if all(isinstance(item, Scalar) for item in node.items):
            text = ", ".join(item.text for item in node.items[:20] if isinstance(item, Scalar))
            if len(text) <= 40 and len(node.items) <= 20:
                return f"[{shortened(text)}]"
        return f"a list of {len(node.items)}"
    if isinstance(node, Mapping):
        keys = ", ".join(shortened(entry.key.text) for entry in node.entries[:4])
        more = ", ..." if len(node.entries) > 4 else ""
        return f"a mapping with {keys}{more}" if keys else "an empty mapping"
    return "a value that is wrong in itself"


def with_origin(text: str, node: Node) -> str:
    """`text` about a node, and where the node was written if it came through a parameter."""
    return text if node.origin is None or node.origin in text else f"{text} ({node.origin})"


def shortened(text: str, most: int = 60) -> str:
    """`text` on one line, without control characters, cut where it is too long for a message."""
    visible = "".join(character if character.isprintable() else " " for character in text)
    return visible if len(visible) <= most else visible[: most - 3] + "..."

"""`${name}`: parameters, what the command line sets, and the choices that parameters make.

A text that is exactly `${name}` becomes the whole value of the name, mapping and list included; within a
longer text the value's text is put in. Every value keeps the place where it is *used*, and says in its
origin where it was written. In a branch of `choices` that is read on trial it keeps the place where it
was written, since its use is right as the file stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from collections.abc import Mapping as Mappings
from dataclasses import dataclass, replace

from burstchip.frontend.compose import MOST_EXPANDED, MOST_LEVELS
from burstchip.frontend.report import Report
from burstchip.frontend.tree import Broken, Entry, Listing, Mapping, Node, Scalar, describe, height, total
from hw_models.diagnostics import nearest

#: What a parameter, population, plasticity and the like may be called.
NAME = r"[A-Za-z][A-Za-z0-9_]*"

_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_WHOLE = re.compile(rf"\$\{{({NAME})\}}")

#: Longer texts than this come from parameters that multiply, not from a person.
_LONGEST_TEXT = 10_000


@dataclass(frozen=True)
class Definition:
    """A name's value before substitution, and where it was written.

    With `key`, the name's key in a branch that is read on trial, the value keeps its place when it is used.
    """

    node: Node
    where: str
    key: Scalar | None = None


def references(nodes: Iterable[Node]) -> Iterator[str]:
    """All names referred to anywhere in the nodes."""
    stack = list(nodes)
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            yield from (found.group(1).strip() for found in _REFERENCE.finditer(node.text))
        elif isinstance(node, (Listing, Mapping)) and id(node) not in seen:
            # An alias is one node however often it is used.
            seen.add(id(node))
            stack.extend(node.items if isinstance(node, Listing) else (entry.value for entry in node.entries))


class Substitution:
    """Replaces references by the values of their definitions; reports those that cannot be."""

    def __init__(self, definitions: Mappings[str, Definition], report: Report) -> None:
        self.definitions = definitions
        self.report = report
        self._resolved: dict[str, Node] = {}
        self._resolving: list[str] = []
        self._expanded = 0

    def value(self, name: str) -> Node:
        """The value of a defined name, its own references replaced."""
        if name not in self._resolved:
            definition = self.definitions[name]
            self._resolving.append(name)
            self._resolved[name] = self.apply(definition.node)
            self._resolving.pop()
        return self._resolved[name]

    def apply(self, node: Node) -> Node:
        """`node` with every reference replaced."""
        if isinstance(node, Scalar):
            return self._scalar(node) if "${" in node.text else node
        if isinstance(node, Listing):
            return replace(node, items=tuple(self.apply(item) for item in node.items))
        if isinstance(node, Mapping):
            return replace(node, entries=tuple(self.entry(entry) for entry in node.entries))
        return node

    def entry(self, entry: Entry) -> Entry:
        """An entry with every reference in its value replaced."""
        value = self.apply(entry.value)
        whole = _WHOLE.fullmatch(entry.value.text.strip()) if isinstance(entry.value, Scalar) else None
        definition = self.definitions.get(whole.group(1)) if whole is not None else None
        return Entry(entry.key, value, None if definition is None else definition.key)

    @property
    def asked(self) -> Set[str]:
        """The names whose values were needed so far."""
        return self._resolved.keys()

    def _scalar(self, node: Scalar) -> Node:
        whole = _WHOLE.fullmatch(node.text.strip())
        if whole is not None:
            value = self._looked_up(whole.group(1), node)
            return value if isinstance(value, Broken) else self._moved(value, node, whole.group(1))
        parts: list[str] = []
        origins: list[str] = []
        span = node.span
        position = 0
        for found in _REFERENCE.finditer(node.text):
            parts.append(node.text[position : found.start()])
            position = found.end()
            name = found.group(1)
            if not re.fullmatch(NAME, name):
                return self._malformed(node)
            value = self._looked_up(name, node)
            if isinstance(value, Broken):
                return value
            if not isinstance(value, Scalar):
                self.report.add(
                    "BC029",
                    node,
                    f"${{{name}}} stands for {describe(value)} and cannot be part of a text",
                    required="a number or a text",
                    hint=f"write ${{{name}}} alone, as the whole value",
                )
                return Broken(node.span)
            parts.append(value.text)
            if self.definitions[name].key is not None:
                span = value.span
            origins.append(value.origin or self._origin(name))
        parts.append(node.text[position:])
        text = "".join(parts)
        if "${" in "".join(parts[::2]):
            return self._malformed(node)
        self._expanded += len(text) // 100
        if len(text) > _LONGEST_TEXT or self._expanded > MOST_EXPANDED:
            return self._too_much(node)
        return Scalar(text, span, False, f"'{node.text}', {', '.join(dict.fromkeys(origins))}")

    def _looked_up(self, name: str, at: Scalar) -> Node:
        if name in self._resolving:
            circle = " -> ".join([*self._resolving[self._resolving.index(name) :], name])
            self.report.add(
                "BC023",
                at,
                f"parameter '{name}' refers to itself",
                required="a value that does not refer to itself",
                given=circle,
            )
            return Broken(at.span)
        if name not in self.definitions:
            self.report.add(
                "BC022",
                at,
                f"unknown parameter '{name}'",
                required="a name that is defined under 'parameters' or 'choices'",
                hint=nearest(name, tuple(self.definitions)) or _known(self.definitions),
            )
            return Broken(at.span)
        if len(self._resolving) > MOST_LEVELS:
            return self._too_much(at)
        value = self.value(name)
        return Broken(at.span) if isinstance(value, Broken) else value

    def _origin(self, name: str) -> str:
        return f"${{{name}}} from {self.definitions[name].where}"

    def _moved(self, value: Node, use: Scalar, name: str) -> Node:
        """The value at the place of its use."""
        self._expanded += total(value)
        if self._expanded > MOST_EXPANDED or height(value) > MOST_LEVELS:
            return self._too_much(use)
        return value if self.definitions[name].key is not None else self._at(value, use, name)

    def _at(self, value: Node, use: Scalar, name: str) -> Node:
        where = f"{self.report.file}:{value.span.line}:{value.span.column}"
        if isinstance(self.definitions[name].node, Scalar):
            where = self.definitions[name].where
        origin = value.origin or f"${{{name}}} from {where}"
        if isinstance(value, Scalar):
            # What the value is (quoted or not) goes with it, so that `~` stays nothing.
            return Scalar(value.text, use.span, value.plain, origin)
        if isinstance(value, Listing):
            return Listing(tuple(self._at(item, use, name) for item in value.items), use.span, origin)
        if isinstance(value, Mapping):
            entries = tuple(
                Entry(self._key_at(e.key, use, name), self._at(e.value, use, name)) for e in value.entries
            )
            return Mapping(entries, use.span, origin)
        return Broken(use.span, origin)

    def _key_at(self, key: Scalar, use: Scalar, name: str) -> Scalar:
        moved = self._at(key, use, name)
        assert isinstance(moved, Scalar)
        return moved

    def _malformed(self, node: Scalar) -> Broken:
        self.report.add(
            "BC027",
            node,
            "a reference that is not written as ${name}",
            required="${name}, the name made of letters, digits and '_'",
        )
        return Broken(node.span)

    def _too_much(self, node: Scalar) -> Broken:
        self.report.add(
            "BC010",
            node,
            "the parameters of this file expand to too many values",
            required=f"at most {MOST_EXPANDED} values and {MOST_LEVELS} levels",
        )
        return Broken(node.span)


def _known(definitions: Mappings[str, Definition]) -> str:
    return "defined are: " + ", ".join(sorted(definitions)) if definitions else "no parameters are defined"

"""A network file as it is read: parameters and choices put in, written as YAML again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping as Mappings
from dataclasses import replace
from typing import TypeGuard

from burstchip.frontend.tree import NULLS, Entry, Listing, Mapping, Node, Scalar, Span

#: What YAML reads as the text itself, without quotes, inside of `{...}` and `[...]` too.
_PLAIN = re.compile(r"(?:[A-Za-z0-9_.+]|-(?=[^ ]))(?:[A-Za-z0-9_.+*/^%()>-]| (?! ))*(?<! )")

#: Values that fit a line of this length stay on it.
_LINE = 110


def with_values(root: Mapping, values: Mappings[str, str]) -> Mapping:
    """`root` with these texts by `key` or `section.key`; a key that is not there is added at the end."""
    for name, text in values.items():
        section, _, key = name.rpartition(".")
        if not section:
            root = _put(root, key, Scalar(text, root.span))
        else:
            below = root.get(section)
            assert isinstance(below, Mapping), f"the file has a section '{section}'"
            root = _put(root, section, _put(below, key, Scalar(text, below.span)))
    return root


def _put(mapping: Mapping, key: str, value: Node) -> Mapping:
    entries = [Entry(entry.key, value) if entry.key.text == key else entry for entry in mapping.entries]
    if mapping.get(key) is None:
        entries.append(Entry(Scalar(key, Span(1, 1, 1)), value))
    return replace(mapping, entries=tuple(entries))


def yaml_text(root: Mapping) -> str:
    """YAML that reads as `root`; sections are blocks, short values below them stand on one line."""
    lines: list[str] = []
    for entry in root.entries:
        key, value = _scalar(entry.key), entry.value
        if _is_section(value):
            lines += [f"{key}:", *_block(value, "  ")]
        else:
            lines += _value(f"{key}: ", value, "  ")
    return "\n".join(lines) + "\n"


def _is_section(value: Node) -> TypeGuard[Mapping | Listing]:
    if isinstance(value, Mapping):
        return bool(value.entries)
    return isinstance(value, Listing) and any(not isinstance(item, Scalar) for item in value.items)


def _block(node: Mapping | Listing, indent: str) -> list[str]:
    lines: list[str] = []
    if isinstance(node, Mapping):
        for entry in node.entries:
            lines += _value(f"{indent}{_scalar(entry.key)}: ", entry.value, f"{indent}  ")
    else:
        for item in node.items:
            lines += _value(f"{indent}- ", item, f"{indent}  ")
    return lines


def _value(head: str, node: Node, indent: str) -> list[str]:
    """A value behind its key or dash: on that line where it fits, and else in lines below."""
    line = head + _flow(node)
    if len(line) <= _LINE or isinstance(node, Scalar):
        return [line]
    assert isinstance(node, (Mapping, Listing))
    if isinstance(node, Listing) and all(isinstance(item, Scalar) for item in node.items):
        return _wrapped(head, [_flow(item) for item in node.items], indent)
    if head.endswith("- "):
        # What a dash begins goes on in its line, so that a block of a block needs no line of its own.
        first, *rest = _block(node, indent)
        return [head + first[len(indent) :], *rest]
    return [head.rstrip(), *_block(node, indent)]


def _wrapped(head: str, items: list[str], indent: str) -> list[str]:
    lines, line = [head + "["], indent
    for item in items:
        if len(line) + len(item) > _LINE and line != indent:
            lines.append(line.rstrip())
            line = indent
        line += f"{item}, "
    return [*lines, line.rstrip().removesuffix(",") + "]"]


def _flow(node: Node) -> str:
    if isinstance(node, Scalar):
        return _scalar(node)
    if isinstance(node, Listing):
        return "[" + ", ".join(_flow(item) for item in node.items) + "]"
    assert isinstance(node, Mapping), "a file that was read has no broken value"
    return "{" + ", ".join(f"{_scalar(entry.key)}: {_flow(entry.value)}" for entry in node.entries) + "}"


def _scalar(node: Scalar) -> str:
    if node.is_null:
        return "~"
    if _PLAIN.fullmatch(node.text) and node.text not in NULLS:
        return node.text
    return json.dumps(node.text, ensure_ascii=False)

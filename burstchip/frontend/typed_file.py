"""A YAML file of a plain typed form -> a `msgspec` struct, or what is wrong with it and where."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec

from burstchip.frontend.compose import compose
from burstchip.frontend.report import Report
from burstchip.frontend.text import Wanted, read_text
from burstchip.frontend.tree import Broken, Listing, Mapping, Node, Scalar, describe
from hw_models.diagnostics import BurstchipError

_WHOLE = re.compile(r"[-+]?[0-9]{1,18}\Z")
_REAL = re.compile(r"[-+]?(?:[0-9]{1,18}\.?[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,3})?\Z")
_FLAGS = {"yes": True, "true": True, "no": False, "false": False}
#: How msgspec names a place: `$.over.size[2]`, with `[...]` for any value of a mapping.
_PATH = re.compile(r" - at `(?:key in )?\$(?P<path>.*)`\Z")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`\Z")

T = TypeVar("T", bound=msgspec.Struct)


def plain(node: Node, *, flags: bool = False) -> object:
    """The values of a tree as plain Python; a text that looks like a number and has no quotes is one.

    With `flags` so are yes and no.
    """
    if isinstance(node, Mapping):
        return {entry.key.text: plain(entry.value, flags=flags) for entry in node.entries}
    if isinstance(node, Listing):
        return [plain(item, flags=flags) for item in node.items]
    if isinstance(node, Broken) or node.is_null:
        return None
    if node.plain and _WHOLE.match(node.text):
        return int(node.text)
    if node.plain and _REAL.match(node.text):
        return float(node.text)
    if node.plain and flags and node.text in _FLAGS:
        return _FLAGS[node.text]
    return node.text


def node_at(root: Node, path: tuple[str | int, ...]) -> tuple[Node, Scalar | None]:
    """(what stands at a path or nearest above it, its key)."""
    node, key = root, None
    for step in path:
        if isinstance(node, Mapping):
            entry = next((it for it in node.entries if it.key.text == step), None)
            if entry is None:
                break
            node, key = entry.value, entry.key
        elif isinstance(node, Listing) and isinstance(step, int) and step < len(node.items):
            node, key = node.items[step], None
        else:
            break
    return node, key


def read_typed(path: Path, kind: type[T], wanted: Wanted, id: str) -> T:
    """The file's values as a `kind`. Raises `BurstchipError` with place; `id` where a value does not fit."""
    report = Report(str(path))
    text = read_text(path, report, wanted)
    root = None if text is None else compose(text, report, wanted.what)
    if root is not None and not report.failed:
        try:
            return msgspec.convert(plain(root, flags=True), kind)
        except msgspec.ValidationError as error:
            _tell(str(error), root, report, id, kind)
    raise BurstchipError([replace(it, severity="error") for it in report.messages()])


def _tell(message: str, root: Node, report: Report, id: str, kind: type[msgspec.Struct]) -> None:
    found = _PATH.search(message)
    text = message[: found.start()] if found else message
    # Behind any value of a mapping it does not say which.
    steps = _STEP.findall(found["path"].split("[...]")[0]) if found else []
    path = tuple(int(index) if index else name for name, index in steps if index or name)
    node, key = node_at(root, path)
    if unknown := _UNKNOWN.match(text):
        node = node_at(root, path)[0]
        key = _key(node, unknown["name"])
        report.add(id, key or node, f"unknown key '{unknown['name']}'", required=_keys_of(kind, path))
        return
    name = ".".join(map(str, path)) or "the file"
    report.add(id, node, f"'{name}' does not fit", required=text, given=describe(node))


def _key(node: Node, name: str) -> Scalar | None:
    """The first key of this name in the values of a node and below."""
    if isinstance(node, Listing):
        return next((key for it in node.items if (key := _key(it, name)) is not None), None)
    if not isinstance(node, Mapping):
        return None
    for entry in node.entries:
        found = entry.key if entry.key.text == name else _key(entry.value, name)
        if found is not None:
            return found
    return None


def _keys_of(kind: type[msgspec.Struct], path: tuple[str | int, ...]) -> str:
    """The keys that may stand there, as far as the form of the whole file says."""
    if path:
        return "a key of this part of the file"
    return ", ".join(field.encode_name for field in msgspec.structs.fields(kind))

"""Reads a tree of values against the table of the language and reports every value that does not fit."""

from __future__ import annotations

import re

from burstchip.frontend.fields import Entries, Fields, Items, label_of
from burstchip.frontend.kinds import Anything, Forms, Kind, ListOf, Named, Record, Row, Variants
from burstchip.frontend.report import Report
from burstchip.frontend.scalars import expected, phrase, read_single
from burstchip.frontend.substitute import NAME
from burstchip.frontend.tree import Broken, Listing, Mapping, Node, Scalar, describe, shortened, with_origin
from hw_models.diagnostics import nearest


def read(kind: Kind, node: Node, label: str, report: Report, at: Node | None = None) -> object | None:
    """The value of `node` as one of `kind`; None where it is not, which is then reported.

    `label` names the value in messages. `at` is what introduces it, its key for one: there a message
    stands about what is missing.
    """
    if isinstance(node, Broken):
        return None
    if isinstance(node, Scalar) and node.is_null:
        report.add(
            "BC018",
            at or node,
            f"{label} has no value",
            required=in_full(kind),
            given=with_origin("nothing", node),
        )
        return None
    if isinstance(kind, Forms):
        return _read_forms(kind, node, label, report, at)
    if isinstance(kind, Anything) and not kind.single:
        return node
    if isinstance(node, Mapping) and isinstance(kind, Named):
        return _read_named(kind, node, label, report, at or node)
    if isinstance(node, Mapping) and isinstance(kind, (Record, Variants)):
        return _read_record(kind, node, label, report, at or node)
    if isinstance(node, Listing) and isinstance(kind, ListOf):
        return _read_list(kind, node, label, report)
    if isinstance(node, Listing) and isinstance(kind, Row):
        return _read_row(kind, node, label, report)
    if isinstance(node, Scalar) and not isinstance(kind, (Named, Record, Variants, ListOf, Row)):
        return read_single(kind, node, label, report)
    report.add("BC014", node, f"{label} needs {_in_short(kind)}", required=in_full(kind))
    return None


def in_full(kind: Kind) -> str:
    """What a value of this kind is, for the part of a message that says what is required."""
    if isinstance(kind, (Record, Variants)):
        return f"a mapping for {kind.what}" if kind.what.startswith("a ") else "a mapping"
    if isinstance(kind, Named):
        return f"a mapping from names to {kind.plural or kind.what + 's'}"
    if isinstance(kind, (Forms, Row)):
        return kind.what
    if isinstance(kind, ListOf):
        return kind.what if kind.what.startswith("a list") else f"a list of {kind.what}"
    return expected(kind)


def _in_short(kind: Kind) -> str:
    if isinstance(kind, (Record, Variants, Named)):
        return "a mapping"
    if isinstance(kind, (ListOf, Row)):
        return "a list"
    if isinstance(kind, Forms):
        return _in_short(kind.single) if kind.single is not None else "a mapping"
    return phrase(kind)


def _read_forms(kind: Forms, node: Node, label: str, report: Report, at: Node | None) -> object | None:
    if isinstance(node, Scalar) and kind.single is not None:
        return read(kind.single, node, label, report, at)
    if isinstance(node, Listing) and kind.listing is not None:
        return read(kind.listing, node, label, report, at)
    if not isinstance(node, Mapping) or not kind.records:
        report.add("BC014", node, f"{label} needs {_in_short(kind)}", required=kind.what)
        return None
    keys = [entry.key.text for entry in node.entries]
    for record in kind.records:
        if record.keys[0].name in keys:
            return _read_record(record, node, label, report, at or node)
    first = tuple(record.keys[0].name for record in kind.records)
    unknown = node.entries[0].key if node.entries else node
    report.add(
        "BC012",
        unknown,
        f"{label} has no form '{shortened(keys[0])}'" if keys else f"{label} is empty",
        required=kind.what,
        hint=nearest(keys[0], first) if keys else None,
    )
    return None


def _read_list(kind: ListOf, node: Listing, label: str, report: Report) -> Items:
    if len(node.items) < kind.fewest:
        report.add(
            "BC031", node, f"{label} is too short", required=f"at least {kind.fewest} of {in_full(kind)}"
        )
    values = tuple(
        read(kind.item, item, _owned(f"{kind.called} {index}", label), report)
        for index, item in enumerate(node.items, 1)
    )
    return Items(values, node.items)


def _owned(text: str, label: str) -> str:
    """What stands directly under a key of the whole network needs no owner: "projection 3"."""
    return text if re.fullmatch("'[^']*'", label) else f"{text} of {label}"


def _read_row(kind: Row, node: Listing, label: str, report: Report) -> Items | None:
    least, most = len(kind.items) - kind.optional, len(kind.items)
    if not least <= len(node.items) <= most:
        report.add("BC031", node, f"{label} has the wrong number of items", required=kind.what)
        return None
    values = tuple(
        read(item_kind, item, f"{name} of {label}", report)
        for item_kind, item, name in zip(kind.items, node.items, kind.names, strict=False)
    )
    return Items(values, node.items)


def _read_named(kind: Named, node: Mapping, label: str, report: Report, at: Node) -> Entries:
    if len(node.entries) < kind.fewest:
        report.add(
            "BC031",
            at,
            f"{label} is empty",
            required=f"at least {kind.fewest} {kind.what}",
            given=with_origin(describe(node), node),
        )
    found: list[tuple[Scalar, object]] = []
    for entry in node.entries:
        name = shortened(entry.key.text)
        if not re.fullmatch(NAME, entry.key.text):
            report.add(
                "BC109",
                entry.key,
                f"'{name}' is not a name for a {kind.what}",
                required="a letter, then letters, digits and '_'",
            )
        found.append(
            (
                entry.key,
                read(kind.item, entry.value, _owned(f"{kind.what} '{name}'", label), report, entry.at),
            )
        )
    return Entries(tuple(found))


def _read_record(kind: Record | Variants, node: Mapping, label: str, report: Report, at: Node) -> Fields:
    """The fields of a mapping. A variant is chosen first, so that its keys are known."""
    given = {entry.key.text: entry for entry in node.entries}
    record = kind
    variant = None
    if isinstance(kind, Variants):
        variant = _variant(kind, node.get(kind.selector.name), report)
        record = kind.records[variant] if variant is not None else _in_common(kind)
    assert isinstance(record, Record)
    values: dict[str, object] = {}
    for entry in node.entries:
        key = record.key(entry.key.text)
        if key is not None:
            value = read(key.kind, entry.value, label_of(key.name, label), report, entry.at)
            if value is not None:
                values[key.name] = value
        else:
            _report_unknown(kind, record, variant, entry.key, entry.value, label, report)
    for key in record.keys:
        if key.required and key.name not in given:
            report.add(
                "BC013",
                at,
                f"{label} needs '{key.name}'",
                required=f"'{key.name}': {in_full(key.kind)}",
                given=with_origin(describe(node), node),
            )
    _check_company(record, node, label, at, report)
    defaults = tuple(key for key in record.keys if key.default is not None and key.name not in given)
    return Fields(
        label, at, {entry.key.text: entry.value for entry in node.entries}, values, variant, defaults
    )


def _variant(kind: Variants, node: Node | None, report: Report) -> str | None:
    if node is None:
        return kind.selector.default
    return node.text if isinstance(node, Scalar) and node.text in kind.records else None


def _in_common(kind: Variants) -> Record:
    """The keys that every variant has, for a mapping whose variant is not known."""
    first, *others = kind.records.values()
    keys = tuple(key for key in first.keys if all(other.key(key.name) == key for other in others))
    return Record(keys, kind.what)


def _report_unknown(
    kind: Record | Variants,
    record: Record,
    variant: str | None,
    key: Scalar,
    value: Node,
    label: str,
    report: Report,
) -> None:
    name = shortened(key.text)
    others: tuple[str, ...] = ()
    if isinstance(kind, Variants):
        others = tuple(word for word, other in kind.records.items() if other.key(key.text) is not None)
        if variant is None and others:
            return
        if others:
            what = kind.selector.name
            report.add(
                "BC019",
                key,
                f"{label_of(name, label)} is not read by {what} '{variant}'",
                required=f"keys of {record.what}: {', '.join(k.name for k in record.keys)}",
                hint=f"read by {what}: {' or '.join(others)}",
            )
            return
    valid = tuple(k.name for k in record.keys)
    hint = nearest(key.text, valid)
    if ":" in key.text and isinstance(value, Scalar) and value.is_null:
        hint = "a blank is needed after ':'"
    report.add("BC012", key, f"{label} has no key '{name}'", required=f"one of {', '.join(valid)}", hint=hint)


def _check_company(record: Record, node: Mapping, label: str, at: Node, report: Report) -> None:
    """Keys that exclude each other, and keys that come together."""
    keys = {entry.key.text: entry.key for entry in node.entries}
    for group in record.one_of:
        present = [
            next(name for name in names if name in keys) for names in group if keys.keys() & set(names)
        ]
        ways = " or ".join("/".join(f"'{name}'" for name in names) for names in group)
        if not present:
            report.add(
                "BC020", at, f"{label} needs {ways}", required=ways, given=with_origin(describe(node), node)
            )
        for name in present[1:]:
            message = f"{label_of(name, label)} excludes '{present[0]}'"
            report.add("BC020", keys[name], message, required=f"either {ways}", given="both")
    for name, other in record.apart:
        if name in keys and other in keys:
            message = f"{label_of(name, label)} excludes '{other}'"
            either = f"either '{name}' or '{other}'"
            report.add("BC020", keys[name], message, required=either, given="both")
    for names in record.together:
        missing = [name for name in names if name not in keys]
        if missing and len(missing) < len(names):
            here = next(name for name in names if name in keys)
            report.add(
                "BC020",
                keys[here],
                f"{label_of(here, label)} needs {' and '.join(repr(name) for name in missing)} beside it",
                required=" and ".join(repr(name) for name in names),
                given=f"'{here}' without {' and '.join(repr(name) for name in missing)}",
            )

"""Reads single values: quantities, whole numbers, words, names, texts and addresses."""

from __future__ import annotations

import re

from burstchip.frontend.fields import AddressText, Amount
from burstchip.frontend.kinds import PROJECTION_NAME, Address, Anything, Name, QuantityOf, Text, Whole, Word
from burstchip.frontend.report import Report
from burstchip.frontend.substitute import NAME
from burstchip.frontend.tree import Node, Scalar, describe, shortened
from burstchip.frontend.units import PHRASES, NotAQuantity, parse_quantity
from hw_models.diagnostics import nearest
from hw_models.neurons.model import BASE_UNITS, Dimension

SingleKind = QuantityOf | Whole | Word | Name | Text | Address | Anything

#: Longer runs of digits exceed every number that is used here.
_MOST_DIGITS = 25


def expected(kind: SingleKind) -> str:
    """What a value of this kind is, in full."""
    if isinstance(kind, QuantityOf):
        if kind.dimension is None:
            return "a number with its unit"
        phrase, examples = PHRASES[kind.dimension]
        return "a plain number" if kind.dimension == "number" else f"{phrase} ({examples})"
    if isinstance(kind, Whole):
        return f"a whole number from {kind.minimum} to {kind.maximum}"
    if isinstance(kind, Word):
        return ", ".join((*kind.options, kind.otherwise) if kind.otherwise else kind.options)
    if isinstance(kind, Name):
        return f"the name of {kind.what}"
    if isinstance(kind, Address):
        last = kind.what.split()[-1]
        return (
            f"population.{last} or projection.{last}"
            if kind.projections
            else f"population or population.{last}"
        )
    return kind.what


def phrase(kind: SingleKind) -> str:
    """What a value of this kind is, in a word or two."""
    if isinstance(kind, QuantityOf):
        return "a number with its unit" if kind.dimension is None else PHRASES[kind.dimension][0]
    if isinstance(kind, Whole):
        return "a whole number"
    return f"a {kind.what}" if isinstance(kind, Word) else kind.what.split(";")[0]


def read_single(kind: SingleKind, node: Scalar, label: str, report: Report) -> object | None:
    """The value of `node` as one of `kind`, or None after reporting why it is none."""
    if isinstance(kind, QuantityOf):
        return read_quantity(kind, node, label, report)
    if isinstance(kind, Whole):
        return _read_whole(kind, node, label, report)
    if isinstance(kind, Word):
        if node.text in kind.options:
            return node.text
        report.add(
            kind.id,
            node,
            f"{label}: unknown {kind.what} '{shortened(node.text)}'",
            required=expected(kind),
            hint=nearest(node.text, kind.options),
        )
        return None
    if isinstance(kind, Name):
        return node.text if _is_name(node, label, kind.what, report) else None
    if isinstance(kind, Address):
        return _read_address(kind, node, label, report)
    if isinstance(kind, Text):
        return _read_text(kind, node, label, report)
    return node


def _is_name(node: Scalar, label: str, what: str, report: Report) -> bool:
    if re.fullmatch(NAME, node.text):
        return True
    report.add("BC109", node, f"{label} needs {what}", required="a letter, then letters, digits and '_'")
    return False


def _read_text(kind: Text, node: Scalar, label: str, report: Report) -> str | None:
    if kind.characters is None or re.fullmatch(f"[{kind.characters}]{{1,200}}", node.text):
        return node.text
    report.add(
        "BC109",
        node,
        f"{label} needs {kind.what}",
        required=f"at most 200 characters: {kind.in_words}",
    )
    return None


def _read_address(kind: Address, node: Scalar, label: str, report: Report) -> AddressText | None:
    found = re.fullmatch(rf"({NAME})(?:\.({NAME}))?", node.text)
    if found is None and kind.projections:
        # A projection's name may have points and arrows.
        found = re.fullmatch(rf"([{PROJECTION_NAME}]{{1,500}}?)(?:\.({NAME}))?", node.text)
    if found is None:
        # A choice of neurons is no part of a network.
        chosen = kind.projections and "[" in node.text
        hint = f"some neurons alone: burstchip run --record {node.text}" if chosen else None
        report.add("BC123", node, f"{label} needs {kind.what}", required=expected(kind), hint=hint)
        return None
    return AddressText(found.group(1), found.group(2), node)


def _read_whole(kind: Whole, node: Scalar, label: str, report: Report) -> int | None:
    text = node.text.strip()
    if re.fullmatch(rf"[+-]?\d{{1,{_MOST_DIGITS}}}", text):
        value = int(text)
    elif re.fullmatch(r"[+-]?\d+", text):
        # Out of any range; its digits need not be worked out.
        value = kind.maximum + 1
    else:
        quantity = parse_quantity(text)
        if isinstance(quantity, NotAQuantity):
            report.add(
                quantity.id, node, f"{label} {quantity.reason}", required=expected(kind), hint=quantity.hint
            )
            return None
        if quantity.dimension != "number":
            _report_dimension("number", Amount(quantity, node), label, report, expected(kind))
            return None
        if quantity.value != int(quantity.value):
            report.add("BC104", node, f"{label} needs a whole number", required=expected(kind))
            return None
        value = int(quantity.value)
    if not kind.minimum <= value <= kind.maximum:
        hint = kind.beyond if value > kind.maximum else None
        report.add("BC103", node, f"{label} is out of range", required=expected(kind), hint=hint)
        return None
    return value


def read_quantity(kind: QuantityOf, node: Scalar, label: str, report: Report) -> Amount | None:
    """The amount of a quantity, or None after reporting why it is none or out of range."""
    quantity = parse_quantity(node.text)
    if isinstance(quantity, NotAQuantity):
        report.add(
            quantity.id, node, f"{label} {quantity.reason}", required=expected(kind), hint=quantity.hint
        )
        return None
    amount = Amount(quantity, node)
    if kind.dimension is None:
        return amount
    if not has_dimension(amount, kind.dimension, label, report):
        return None
    value = quantity.value
    if kind.whole and value != int(value):
        report.add("BC104", node, f"{label} needs a whole number", required=range_of(kind))
        return None
    low = kind.minimum is not None and value < kind.minimum
    high = kind.maximum is not None and value > kind.maximum
    if low or high or (kind.above is not None and value <= kind.above):
        report.add("BC103", node, f"{label} is out of range", required=range_of(kind))
        return None
    return amount


def unit_scale(unit: str, dimension: Dimension, node: Node, label: str, report: Report) -> float | None:
    """What 1 in this unit is in the dimension's base unit, or None after reporting why it is nothing."""
    text = unit.strip()
    assert isinstance(node, Scalar)
    quantity = parse_quantity(text if text == "1" else f"1 {text}")
    if isinstance(quantity, NotAQuantity):
        required = expected(QuantityOf(dimension))
        report.add(quantity.id, node, f"{label} {quantity.reason}", required=required)
        return None
    if not has_dimension(Amount(quantity, node), dimension, label, report):
        return None
    return quantity.value


def has_dimension(amount: Amount, dimension: Dimension, label: str, report: Report) -> bool:
    """Whether the amount is of this dimension; reports it if not."""
    found = amount.quantity.dimension
    if found == dimension or (dimension == "fraction" and found == "number"):
        return True
    _report_dimension(dimension, amount, label, report, expected(QuantityOf(dimension)))
    return False


def _report_dimension(
    dimension: Dimension, amount: Amount, label: str, report: Report, required: str
) -> None:
    quantity = amount.quantity
    unit = BASE_UNITS[dimension]
    plain = quantity.dimension == "number"
    number = f"{quantity.value:.12g}" if quantity.dimension == "fraction" else quantity.number
    hint = f"did you mean: {number} {unit}".rstrip()
    if not plain and unit:
        # The number of another dimension says nothing of this one.
        hint = f"give {PHRASES[dimension][0]}"
    report.add(
        "BC105" if plain else "BC107",
        amount.node,
        f"{label} needs {'a unit' if plain else PHRASES[dimension][0]}",
        required=required,
        given=f"{quantity.phrase}, {describe(amount.node)}",
        hint=hint,
    )


def range_of(kind: QuantityOf) -> str:
    """What a quantity of this kind is, with its bounds."""
    unit = BASE_UNITS[kind.dimension or "number"]
    what = "a whole number" if kind.whole else PHRASES[kind.dimension or "number"][0]
    bounds = []
    if kind.above is not None:
        bounds.append(f"above {_with_unit(kind.above, unit)}")
    if kind.minimum is not None and kind.maximum is not None:
        bounds.append(f"from {_with_unit(kind.minimum, unit)} to {_with_unit(kind.maximum, unit)}")
    elif kind.minimum is not None:
        bounds.append(f"of at least {_with_unit(kind.minimum, unit)}")
    elif kind.maximum is not None:
        bounds.append(f"up to {_with_unit(kind.maximum, unit)}")
    return f"{what} {' and '.join(bounds)}".strip()


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.12g} {unit}".strip()

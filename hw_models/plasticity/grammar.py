"""Reads rule strings such as `u0*2^-4*x1*y1 - u0*t*y2`, in Lava's grammar and with messages of its own.

    sum       = [sign] product { sign product }
    product   = item { "*" item }
    item      = condition | variable | literal | bracket | sgn
    condition = "x0" | "y0" | "u" digit           the first of a product; exactly one is needed
    variable  = "x1" | "x2" | "y1" | "y2" | "y3" | "w" | "t" | "d"
    literal   = integer | "2^" [sign] integer     all literals of a product multiply
    bracket   = "(" variable sign constant ")" | "(" constant sign variable ")" | "(" [sign] literal ")"
    sgn       = "sgn(" ( "w" | "t" | "d" ) [sign constant] ")"

A second x0 or y0 in a product is a factor of one bit. What Lava would misread without a word (`u12` as
2·u1, `(x1*3)` as x1+3, `(-x1)` as x1) or end on with a Python error (`0.5`, `y7`) is an error here, and all
mistakes of a text are reported at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from hw_models.diagnostics import BurstchipError, Diagnostic, Place, register_codes
from hw_models.plasticity.items import ITEM, Reading, read_item
from hw_models.plasticity.rule import (
    EXPONENTS,
    MANTISSAS,
    TARGETS,
    Condition,
    LearningRule,
    Product,
    SumOfProducts,
    Target,
)
from hw_models.plasticity.tokens import Token, at_place, scan

register_codes(
    {
        "BC203": "a product without a condition",
        "BC207": "a product's mantissa that the chip cannot hold",
        "BC208": "a product's exponent that the chip cannot hold",
        "BC213": "conditions uK of several K in one rule set",
        "BC214": "a plasticity rule without products",
    }
)


def parse_rule(target: Target, text: str, place: Place | None = None) -> SumOfProducts:
    """The sum of products that `text` stands for; `place` is where the text starts in its file.

    Raises BurstchipError with every mistake of the text (BC200 to BC217).
    """
    tokens, diagnostics = scan(text, place)
    products: list[Product] = []
    if not tokens and not diagnostics:
        where = at_place(place, text, 0, max(1, len(text)))
        diagnostics.append(
            Diagnostic("BC214", f"the rule for {target} is empty", where, required="a product")
        )
    for group in _split(tokens):
        reading = Reading(text, place)
        product = _read_product(reading, group)
        diagnostics += reading.diagnostics
        if product is not None:
            products.append(product)
    if diagnostics:
        raise BurstchipError(sorted(diagnostics, key=lambda d: d.place.column if d.place else 0))
    return SumOfProducts(target, tuple(products))


def learning_rule(
    dw: str | None = None,
    dt: str | None = None,
    dd: str | None = None,
    *,
    places: Mapping[str, Place] | None = None,
) -> LearningRule:
    """The rule set of one connection from its texts; `places` holds where each text starts.

    Raises BurstchipError with every mistake of all texts, several K among them (BC213).
    """
    places = places or {}
    texts = {"dw": dw, "dt": dt, "dd": dd}
    sums: dict[Target, SumOfProducts] = {}
    diagnostics: list[Diagnostic] = []
    for target in TARGETS:
        text = texts[target]
        if text is None:
            continue
        try:
            sums[target] = parse_rule(target, text, places.get(target))
        except BurstchipError as error:
            diagnostics += error.diagnostics
    if not sums and not diagnostics:
        raise BurstchipError(
            Diagnostic("BC214", "a rule is missing", required="at least one of dw, dt and dd")
        )
    first: tuple[Target, str] | None = None
    for target, found in sums.items():
        for condition in (p.condition for p in found.products if p.condition[0] == "u"):
            first = first or (target, condition)
            if condition != first[1]:
                text = cast(str, texts[target])
                where = at_place(places.get(target), text, text.find(condition), len(condition))
                message = f"{target} has the condition {condition}, but {first[0]} has {first[1]}"
                diagnostics.append(
                    Diagnostic("BC213", message, where, required="one K for all conditions uK of a rule set")
                )
                break
    if diagnostics:
        raise BurstchipError(diagnostics)
    return LearningRule(sums.get("dw"), sums.get("dt"), sums.get("dd"))


def _split(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens of each product with the signs before it; signs inside brackets and after * or ^ stay."""
    groups: list[list[Token]] = []
    depth = 0
    previous = ""
    for token in tokens:
        starts = token.text in ("+", "-") and depth == 0 and previous not in ("*", "^", "+", "-")
        if starts or not groups:
            groups.append([])
        groups[-1].append(token)
        depth = max(0, depth + {"(": 1, ")": -1}.get(token.text, 0))
        previous = token.text
    return groups


def _read_product(reading: Reading, tokens: list[Token]) -> Product | None:
    """The product in `tokens`, or None with the mistakes in `reading`."""
    index = 0
    while index < len(tokens) and tokens[index].text in ("+", "-"):
        if index > 0:
            reading.error_at("BC209", "two signs in a row", tokens[index], required="one sign")
        reading.mantissa *= -1 if tokens[index].text == "-" else 1
        index += 1
    if index == len(tokens):
        reading.error_at("BC212", "a factor is missing after the sign", tokens[-1], required=ITEM)
        return None
    first = tokens[index]
    expects_item = True
    while index < len(tokens):
        token = tokens[index]
        if expects_item:
            index = read_item(reading, tokens, index)
            expects_item = False
        elif token.text == "*":
            index += 1
            expects_item = True
        elif token.text == ")":
            reading.error_at("BC210", "this bracket was never opened", token)
            index += 1
        elif token.text == "^":
            reading.error_at("BC206", "only powers of two are allowed", token, required="2^n, such as 2^-6")
            index += 2
        else:
            previous = tokens[index - 1].text
            message = f"no '*' between '{previous}' and '{token.text}'"
            reading.error_at("BC212", message, token, required=f"{previous}*{token.text}")
            expects_item = True
    if expects_item:
        reading.error_at("BC212", "a factor is missing after '*'", tokens[-1], required=ITEM)
    return _finish(reading, first, tokens[-1])


def _finish(reading: Reading, first: Token, last: Token) -> Product | None:
    """Check the product as a whole and normalise its scale as Lava does."""
    length = last.start + len(last.text) - first.start
    text = reading.text[first.start : first.start + length]
    if reading.condition is None and not reading.name_unread:
        reading.error(
            "BC203",
            "a product without a condition",
            first.start,
            length,
            required="one of x0, y0 and u0 to u9 in each product",
            given=text,
            hint=f"u0*{text} counts in every learning epoch",
        )
    mantissa, exponent = reading.mantissa, reading.exponent
    while abs(mantissa) > MANTISSAS[1] and mantissa % 2 == 0 and exponent < EXPONENTS[1]:
        mantissa //= 2
        exponent += 1
    if not reading.literal_unread:
        given = str(reading.mantissa) if reading.exponent == 0 else f"{reading.mantissa}*2^{reading.exponent}"
        if not MANTISSAS[0] <= mantissa <= MANTISSAS[1]:
            reading.error(
                "BC207",
                "the scale of this product exceeds the chip's mantissa",
                first.start,
                length,
                required=f"m*2^n with m from {MANTISSAS[0]} to {MANTISSAS[1]} and n up to {EXPONENTS[1]}",
                given=given,
            )
        elif not EXPONENTS[0] <= exponent <= EXPONENTS[1]:
            reading.error(
                "BC208",
                "the exponent of this product is out of range",
                first.start,
                length,
                required=f"2^{EXPONENTS[0]} to 2^{EXPONENTS[1]}",
                given=given,
            )
    if reading.diagnostics or reading.condition is None:
        return None
    return Product(cast(Condition, reading.condition), tuple(reading.factors), mantissa, exponent)

"""Reads one item of a product of a rule string: a condition, a variable, a scale, a bracket or sgn(...)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from hw_models.diagnostics import Diagnostic, Place, nearest, register_codes
from hw_models.plasticity.rule import Factor, FactorKind, constant_range
from hw_models.plasticity.tokens import Token, at_place

register_codes(
    {
        "BC201": "an unknown name in a plasticity rule",
        "BC202": "a condition uK whose K has more than one digit",
        "BC204": "a condition uK that is not the first condition of its product",
        "BC206": "a power other than of two",
        "BC209": "a misplaced sign",
        "BC210": "a bracket that is not a variable plus a constant",
        "BC211": "sgn of something else than w, t or d",
        "BC212": "a missing factor or multiplication sign",
        "BC215": "a constant inside a factor that the chip cannot hold",
    }
)

VARIABLES = ("x1", "x2", "y1", "y2", "y3", "w", "t", "d")
CONDITIONS = ("x0", "y0", *(f"u{k}" for k in range(10)))
ITEM = "a condition (x0, y0, u0 to u9), a variable (x1, x2, y1, y2, y3, w, t, d), sgn(...) or a power 2^n"
BRACKET = "a variable plus or minus a constant, such as (x1-3)"
SGN = "sgn(w), sgn(t) or sgn(d)"
#: Longer integers are far outside every range; reading them would only cost time.
_MOST_DIGITS = 9


@dataclass
class Reading:
    """The product being read: what was found, and what went wrong."""

    text: str
    place: Place | None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    condition: str | None = None
    factors: list[Factor] = field(default_factory=list)
    mantissa: int = 1
    exponent: int = 0
    #: A literal or a name could not be read, so that later checks would only repeat that.
    literal_unread: bool = False
    name_unread: bool = False

    def error(
        self,
        code: str,
        message: str,
        start: int,
        length: int,
        required: str | None = None,
        given: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Note a mistake in `text[start : start + length]`."""
        place = at_place(self.place, self.text, start, length)
        self.diagnostics.append(Diagnostic(code, message, place, "error", required, given, hint))

    def error_at(
        self,
        code: str,
        message: str,
        token: Token,
        required: str | None = None,
        given: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Note a mistake at a word."""
        self.error(code, message, token.start, len(token.text), required, given, hint)


def read_item(reading: Reading, tokens: list[Token], index: int) -> int:
    """Read the item at `index` into `reading`; the index after it."""
    while tokens[index].text in ("+", "-"):
        required = "the sign before the product"
        given = f"*{tokens[index].text}"
        reading.error_at("BC209", "a sign inside a product", tokens[index], required, given)
        index += 1
        if index == len(tokens):
            return index
    token = tokens[index]
    opens = index + 1 < len(tokens) and tokens[index + 1].text == "("
    if token.kind == "number":
        mantissa, exponent, after = _literal(reading, tokens, index)
        reading.mantissa *= mantissa
        reading.exponent += exponent
        return after
    if token.text == "(":
        return _read_bracket(reading, tokens, index, token.start, is_sgn=False)
    if token.text == "sgn" and opens:
        return _read_bracket(reading, tokens, index + 1, token.start, is_sgn=True)
    if token.kind == "name":
        if token.text in CONDITIONS:
            _take_condition(reading, token)
        elif token.text in VARIABLES:
            reading.factors.append(Factor(cast(FactorKind, token.text)))
        else:
            _unknown_name(reading, token)
            if opens:
                return _after_bracket(tokens, index + 1)
        return index + 1
    reading.error_at("BC212", f"a factor is missing before '{token.text}'", token, ITEM)
    return index + (token.text != "*")


def _take_condition(reading: Reading, token: Token) -> None:
    if reading.condition is None:
        reading.condition = token.text
    elif token.text[0] == "u":
        hint = None if reading.condition[0] == "u" else f"write {token.text}*{reading.condition}*..."
        message = f"{token.text} follows the condition {reading.condition}"
        reading.error_at("BC204", message, token, "uK as the first and only uK of its product", hint=hint)
    else:
        reading.factors.append(Factor(cast(FactorKind, token.text)))


def _unknown_name(reading: Reading, token: Token) -> None:
    """Say what a name may be; the common slips have words of their own."""
    reading.name_unread = True
    name = token.text
    if name[0] == "u" and name[1:].isdecimal():
        message = f"'{name}' has a K with several digits, which Lava reads as u{name[1]} times {name[2:]}"
        reading.error_at("BC202", message, token, "u0 to u9", name)
        return
    required: str = ITEM
    hint = nearest(name.lower(), [*VARIABLES, *CONDITIONS, "sgn"])
    if name[0] in "xy" and name[1:].isdecimal():
        required = "x0, x1 or x2" if name[0] == "x" else "y0, y1, y2 or y3"
        hint = None
    elif name == "u":
        required, hint = "u0 to u9", "u0 holds in every learning epoch"
    elif name == "sgn":
        required, hint = SGN, None
    reading.error_at("BC201", f"unknown name '{name}'", token, required, name, hint)


def _literal(reading: Reading, tokens: list[Token], index: int) -> tuple[int, int, int]:
    """Mantissa, exponent and the index after a literal; 1, 0 where it cannot be read."""
    base = tokens[index]
    after = index + 1
    if after == len(tokens) or tokens[after].text != "^":
        return _integer(base.text), 0, after
    after += 1
    is_signed = after < len(tokens) and tokens[after].text in ("+", "-")
    sign = -1 if is_signed and tokens[after].text == "-" else 1
    after += is_signed
    if after < len(tokens) and tokens[after].kind == "number" and base.text == "2":
        return 1, sign * _integer(tokens[after].text), after + 1
    last = tokens[min(after, len(tokens) - 1)]
    length = last.start + len(last.text) - base.start
    given = reading.text[base.start : base.start + length]
    message = "a scale must be an integer or a power of two"
    reading.literal_unread = True
    reading.error("BC206", message, base.start, length, "2^n with an integer n, such as 2^-6", given)
    return 1, 0, min(after + 1, len(tokens))


def _integer(digits: str) -> int:
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _after_bracket(tokens: list[Token], index: int) -> int:
    """The index after the bracket that closes the one at `index`; the end where none does."""
    depth = 0
    for position in range(index, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[position].text, 0)
        if depth == 0:
            return position + 1
    return len(tokens)


def _read_bracket(reading: Reading, tokens: list[Token], index: int, start: int, *, is_sgn: bool) -> int:
    """Read `(...)` or `sgn(...)`, whose bracket opens at `index`; the index after it."""
    after = _after_bracket(tokens, index)
    last = tokens[after - 1]
    bracket = Token("op", reading.text[start : last.start + len(last.text)], start)
    if last.text != ")":
        reading.error_at("BC210", "this bracket is never closed", tokens[index])
        reading.name_unread = reading.literal_unread = True
        return after
    errors = len(reading.diagnostics)
    message = _take_bracket(reading, tokens[index + 1 : after - 1], bracket, is_sgn=is_sgn)
    if message is not None and len(reading.diagnostics) == errors:
        what, required, hint = message
        code = "BC211" if is_sgn else "BC210"
        reading.error_at(code, what, bracket, required, None if hint else bracket.text, hint)
    if len(reading.diagnostics) > errors:
        reading.name_unread = reading.literal_unread = True
    return after


def _take_bracket(
    reading: Reading, inner: list[Token], bracket: Token, *, is_sgn: bool
) -> tuple[str, str, str | None] | None:
    """Take what is between the brackets; else what is wrong, what is required and a hint."""
    found = _terms(reading, inner)
    if found is None:
        return f"{bracket.text} is not a variable plus a constant", SGN if is_sgn else BRACKET, None
    variable, sign, constant = found
    if is_sgn and variable not in ("w", "t", "d"):
        return "sgn(...) must contain a synaptic variable", SGN, None
    if is_sgn and sign < 0:
        return "sgn(...) cannot take a negated variable", SGN, None
    if variable is None:
        if constant is None:
            return "an empty bracket", BRACKET, None
        reading.mantissa *= constant[0]
        reading.exponent += constant[1]
        return None
    if constant is None and variable in ("x0", "y0"):
        return f"Lava ignores the brackets of {bracket.text}", BRACKET, f"write {variable} without brackets"
    if constant is None and sign < 0:
        return f"Lava reads {bracket.text} as {variable}", BRACKET, "write the sign before the product"
    reading.mantissa *= sign
    kind = cast(FactorKind, f"sgn({variable})" if is_sgn else variable)
    _take_factor(reading, kind, constant or (0, 0), sign, bracket)
    return None


def _terms(reading: Reading, inner: list[Token]) -> tuple[str | None, int, tuple[int, int] | None] | None:
    """Variable, its sign and the constant (mantissa, exponent) of a bracket; None for anything else."""
    variable: str | None = None
    variable_sign = 1
    constant: tuple[int, int] | None = None
    position = 0
    while position < len(inner):
        is_signed = inner[position].text in ("+", "-")
        sign = -1 if inner[position].text == "-" else 1
        if not is_signed and position > 0:
            return None
        position += is_signed
        if position == len(inner):
            return None
        token = inner[position]
        if token.kind == "name" and variable is None:
            if token.text not in (*VARIABLES, *CONDITIONS):
                _unknown_name(reading, token)
            elif token.text[0] == "u":
                reading.error_at(
                    "BC204", f"the condition {token.text} cannot be inside a bracket", token, BRACKET
                )
            variable, variable_sign = token.text, sign
            position += 1
        elif token.kind == "number" and constant is None:
            mantissa, exponent, position = _literal(reading, inner, position)
            # The form m*2^n, as one constant.
            if [t.text for t in inner[position : position + 3]] == ["*", "2", "^"] and exponent == 0:
                more, exponent, position = _literal(reading, inner, position + 1)
                mantissa *= more
            constant = sign * mantissa, exponent
        else:
            return None
    return variable, variable_sign, constant


def _take_factor(
    reading: Reading, kind: FactorKind, constant: tuple[int, int], sign: int, bracket: Token
) -> None:
    """Add a factor; its constant is `mantissa * 2^exponent`, negated with a negated variable."""
    low, high = constant_range(kind)
    mantissa, exponent = constant
    value = sign * mantissa * 2 ** min(max(exponent, 0), 64)
    if exponent < 0:
        message = "a constant inside a factor must be an integer"
    elif not low <= value <= high:
        message = f"the constant {value:+d} beside {kind} is out of range"
    else:
        reading.factors.append(Factor(kind, value))
        return
    reading.error_at("BC215", message, bracket, f"an integer from {low} to {high}", bracket.text)

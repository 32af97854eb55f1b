"""The words of a rule string, and where a mistake in it stands in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from hw_models.diagnostics import Diagnostic, Place, register_codes

register_codes(
    {
        "BC200": "a character that has no meaning in a plasticity rule",
        "BC205": "a decimal number in a plasticity rule",
        "BC216": "a power written ** in a plasticity rule",
        "BC217": "a division in a plasticity rule",
    }
)

_WORD = re.compile(
    r"""\s*(?:
    (?P<decimal> [0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)? | [0-9]+\.(?:[eE][+-]?[0-9]+)? | [0-9]+[eE][+-]?[0-9]+ )
    | (?P<number> [0-9]+ )
    | (?P<name> [A-Za-z_][A-Za-z_0-9]* )
    | (?P<op> \*\* | [-+*^()] )
    | (?P<other> \S )
    )""",
    re.VERBOSE,
)

#: Characters that were surely meant as another one: read on with that, so that one slip is one message.
_MEANT = {"−": "-", "–": "-", "·": "*", "×": "*", "/": "*", "[": "(", "]": ")", "{": "(", "}": ")"}


@dataclass(frozen=True)
class Token:
    """A word of the text and the index at which it starts."""

    kind: Literal["number", "name", "op"]
    text: str
    start: int


def at_place(place: Place | None, text: str, start: int, length: int) -> Place | None:
    """The place of `text[start : start + length]`, where `place` is that of the text.

    `place` may also point to the quotation mark before the text. Where the file's line does not hold the text
    as it is (folded over lines, escaped characters), the whole place is marked instead.
    """
    if place is None:
        return None
    column = place.column
    if place.text is not None and not place.text.startswith(text, column - 1):
        if not (place.text.startswith(('"', "'"), column - 1) and place.text.startswith(text, column)):
            return place
        column += 1
    return replace(place, column=column + start, length=max(1, length))


def scan(text: str, place: Place | None) -> tuple[list[Token], list[Diagnostic]]:
    """The words of `text` and a message for every character that can be no part of a rule."""
    tokens: list[Token] = []
    diagnostics: list[Diagnostic] = []

    def error(code: str, message: str, start: int, word: str, required: str, hint: str | None = None) -> None:
        where = at_place(place, text, start, len(word))
        diagnostics.append(Diagnostic(code, message, where, required=required, given=word, hint=hint))

    for match in _WORD.finditer(text):
        kind = match.lastgroup
        assert kind is not None
        word, start = match.group(kind), match.start(kind)
        if kind == "decimal":
            error(
                "BC205",
                "a rule cannot contain decimal numbers",
                start,
                word,
                "an integer or a power of two",
                _as_power(word),
            )
            # One as a stand-in: whatever it was, the rest of the product is read as written.
            tokens.append(Token("number", "1", start))
        elif word == "**":
            error("BC216", "powers are written with '^'", start, word, "2^n, such as 2^-6")
            is_power = bool(tokens) and tokens[-1].kind == "number"
            tokens.append(Token("op", "^" if is_power else "*", start))
        elif word == "/":
            error("BC217", "a rule cannot contain a division", start, word, "a power of two", "x/8 is x*2^-3")
            tokens.append(Token("op", "*", start))
        elif kind == "other":
            meant = _MEANT.get(word)
            hint = f"did you mean: {meant}" if meant else None
            error(
                "BC200",
                f"'{word}' is not part of a learning rule",
                start,
                word,
                "names, integers and + - * ^ ( )",
                hint,
            )
            if meant:
                tokens.append(Token("op", meant, start))
        else:
            tokens.append(Token(kind, word, start))  # type: ignore[arg-type]
    return tokens, diagnostics


def _as_power(word: str) -> str | None:
    """The power of two that a decimal number stands for, if it stands for one."""
    value = float(word)
    for exponent in range(-20, 0):
        if value == 2.0**exponent:
            return f"write 2^{exponent}"
    return None

"""Numbers and physical quantities as they are written: `20 ms`, `-70 mV`, `1/s`, `55 %`, `2^-5`.

The unit is pint's to understand; its registry holds the units that a network needs and nothing else,
which takes 4 ms to set up where pint's own takes over a hundred. Numbers stay fractions until the end, so
that `0.1 s` is 100 ms exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hw_models.neurons.model import BASE_UNITS, Dimension

if TYPE_CHECKING:
    import pint

#: How each dimension is called in a message, and the units that are named as examples.
PHRASES: dict[Dimension, tuple[str, str]] = {
    "time": ("a time", "ms, s, us"),
    "voltage": ("a voltage", "mV, V, uV"),
    "current": ("a current", "pA, nA, uA"),
    "capacitance": ("a capacitance", "pF, nF, uF"),
    "conductance": ("a conductance", "nS, uS, or multiples of the leak as in 0.3 leak"),
    "leak": ("a multiple of the leak", "0.3 leak"),
    "rate": ("a rate", "Hz, kHz, 1/s"),
    "fraction": ("a fraction", "0.5 or 50 %"),
    "number": ("a plain number", "0.25 or 2^-2"),
}

#: What a number may look like, as a regular expression without groups.
NUMBER = r"[+-]?(?:2\^[+-]?\d{1,4}|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"

_LEADING_NUMBER = re.compile(NUMBER)
_NOT_FINITE = re.compile(r"[+-]?\.?(?:nan|inf|infinity)\b", re.IGNORECASE)
_ONE_UNIT = r"[A-Za-zµμ]+(?:(?:\^|\*\*)-?\d)?"
_UNIT = re.compile(rf"(?:1 */ *)?{_ONE_UNIT}(?: *[*/] *{_ONE_UNIT})*")

#: Magnitudes beyond these mean nothing in any unit of the language.
LARGEST, SMALLEST = 1e15, 1e-15

_DEFINITIONS = (
    "nano- = 1e-9 = n-",
    "pico- = 1e-12 = p-",
    "femto- = 1e-15 = f-",
    "micro- = 1e-6 = µ- = μ- = u-",
    "milli- = 1e-3 = m-",
    "kilo- = 1e3 = k-",
    "mega- = 1e6 = M-",
    "second = [time] = s = sec",
    "minute = 60 * second = min",
    "hour = 3600 * second = h",
    "volt = [voltage] = V",
    "ampere = [current] = A = amp",
    "farad = ampere * second / volt = F",
    "siemens = ampere / volt = S",
    "ohm = volt / ampere = Ω",
    "coulomb = ampere * second = C",
    "watt = volt * ampere = W",
    "joule = volt * ampere * second = J",
    "hertz = 1 / second = Hz",
    "leak = [leak]",
)

#: Dimensions that nothing in the language has, but that a mistaken unit may name.
_FOREIGN = {
    "volt / ampere": "a resistance",
    "ampere * second": "a charge",
    "ampere * volt": "a power",
    "ampere * second * volt": "an energy",
}

#: Units to guess from when one is not known.
_USUAL_UNITS = (
    "s",
    "ms",
    "us",
    "min",
    "V",
    "mV",
    "uV",
    "A",
    "nA",
    "pA",
    "uA",
    "F",
    "pF",
    "nF",
    "uF",
    "nS",
    "uS",
    "leak",
    "Hz",
    "kHz",
)


@dataclass(frozen=True)
class Quantity:
    """A number with its dimension; `value` is in the dimension's base unit."""

    value: float
    dimension: Dimension | None
    #: The dimension in words: "a time", "a conductance".
    phrase: str
    #: The number as it was written.
    number: str


@dataclass(frozen=True)
class NotAQuantity:
    """Why a text is none: the id of the message, the reason and perhaps the remedy."""

    id: str
    reason: str
    hint: str | None = None


def parse_quantity(text: str) -> Quantity | NotAQuantity:
    """The quantity that `text` stands for, or why it is none."""
    text = text.strip()
    if _NOT_FINITE.match(text):
        return NotAQuantity("BC102", "is not a finite number")
    found = _LEADING_NUMBER.match(text)
    if found is None:
        plain = text.replace("\N{MINUS SIGN}", "-")
        return NotAQuantity(
            "BC101", "is not a number", f"did you mean: {plain}" if _LEADING_NUMBER.match(plain) else None
        )
    number, unit = found.group(), text[found.end() :].strip()
    if unit[:1] in (",", "_") or (number.lstrip("+-") == "0" and unit[:1] in ("x", "o", "b")):
        hint = f"did you mean: {text.replace(',', '.')}" if unit[:1] == "," else "write digits only"
        return NotAQuantity("BC101", "is not a number", hint)
    if unit.startswith("/"):
        unit = f"1{unit}"
    value = _exact(number)
    if value is None:
        return NotAQuantity("BC102", f"exceeds the largest number, {LARGEST:g}")
    scale: Fraction | int = 1
    dimension: Dimension | None = "number"
    phrase = PHRASES["number"][0]
    if unit == "%":
        scale, dimension, phrase = Fraction(1, 100), "fraction", "a percentage"
    elif unit:
        meaning = _meaning(unit) if len(unit) <= 40 and _UNIT.fullmatch(unit) else None
        if meaning is None:
            return _unknown_unit(number, unit)
        scale, dimension, phrase = meaning
    exact = value * scale
    if abs(exact) > LARGEST:
        return NotAQuantity("BC102", f"exceeds the largest number, {LARGEST:g}")
    if exact and abs(exact) < SMALLEST:
        return NotAQuantity("BC102", f"is closer to zero than the least number, {SMALLEST:g}")
    return Quantity(float(exact), dimension, phrase, number)


def _exact(number: str) -> Fraction | None:
    """The number as a fraction, or None where it is so large that working it out would take for ever."""
    if "^" in number:
        mantissa, exponent = number.split("^")
        power = Fraction(2) ** int(exponent)
        return -power if mantissa.startswith("-") else power
    digits, _, exponent = number.lower().partition("e")
    # An exponent beyond these is out of range with any digits.
    if len(exponent.lstrip("+-0")) > 3:
        return None if "-" not in exponent else Fraction(1, 10**400)
    if len(digits) > 400:
        return None
    return Fraction(number)


def _unknown_unit(number: str, unit: str) -> NotAQuantity:
    same = [usual for usual in _USUAL_UNITS if usual.lower() == unit.lower()]
    close = same or get_close_matches(unit, _USUAL_UNITS, n=1, cutoff=0.5)
    hint = f"did you mean: {number} {close[0]}" if close else None
    return NotAQuantity("BC106", f"has an unknown unit, '{unit[:40]}'", hint)


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None, non_int_type=Fraction)
    for definition in _DEFINITIONS:
        registry.define(definition)
    return registry


@lru_cache(maxsize=256)
def _meaning(unit: str) -> tuple[Fraction, Dimension | None, str] | None:
    """Scale to the base unit, dimension and its name in words; None for an unknown unit."""
    import pint

    registry = _registry()
    try:
        parsed = registry.parse_units(unit.replace("^", "**"))
        factor, _ = registry.get_base_units(parsed)
    except (pint.errors.PintError, AttributeError, TypeError, ValueError, ArithmeticError):
        return None
    for dimension, base in BASE_UNITS.items():
        if base and parsed.dimensionality == registry.parse_units(base).dimensionality:
            base_factor, _ = registry.get_base_units(registry.parse_units(base))
            return _fraction(factor) / _fraction(base_factor), dimension, PHRASES[dimension][0]
    if not parsed.dimensionality:
        return _fraction(factor), "number", PHRASES["number"][0]
    for foreign, phrase in _FOREIGN.items():
        if parsed.dimensionality == registry.parse_units(foreign).dimensionality:
            return _fraction(factor), None, phrase
    return _fraction(factor), None, f"a quantity in {unit}"


def _fraction(factor: object) -> Fraction:
    assert isinstance(factor, (int, Fraction)), "pint's registry keeps fractions"
    return Fraction(factor)

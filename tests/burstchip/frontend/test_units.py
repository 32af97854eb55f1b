"""Quantities as they are written become numbers in base units, exactly, or a reason why not."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstchip.frontend.units import NotAQuantity, Quantity, parse_quantity


def quantity(text: str) -> Quantity:
    found = parse_quantity(text)
    assert isinstance(found, Quantity), found
    return found


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("20 ms", 20.0, "time"),
        ("20ms", 20.0, "time"),
        ("0.1 s", 100.0, "time"),
        ("100 us", 0.1, "time"),
        ("100 µs", 0.1, "time"),
        ("2 min", 120000.0, "time"),
        ("3 milliseconds", 3.0, "time"),
        ("-70 mV", -70.0, "voltage"),
        ("-0.07 V", -70.0, "voltage"),
        ("100 pA", 100.0, "current"),
        ("0.1 nA", 100.0, "current"),
        ("0.37 nF", 370.0, "capacitance"),
        ("5 V*pF/ms", 5000.0, "current"),
        ("5 Hz", 5.0, "rate"),
        ("5 1/s", 5.0, "rate"),
        ("5/s", 5.0, "rate"),
        ("1/s", 1.0, "rate"),
        ("5 s^-1", 5.0, "rate"),
        ("0.25 kHz", 250.0, "rate"),
        ("55 %", 0.55, "fraction"),
        ("0.25", 0.25, "number"),
        ("2^-5", 0.03125, "number"),
        ("-2^3 mV", -8.0, "voltage"),
        ("1e-3 V", 1.0, "voltage"),
        (".5 ms", 0.5, "time"),
        ("0", 0.0, "number"),
    ],
)
def test_value_and_dimension(text: str, value: float, dimension: str) -> None:
    found = quantity(text)
    # Exactly: whatever the prefix, the nearest float to the decimal number that was written.
    assert (found.value, found.dimension) == (value, dimension)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("2 ohm", "a resistance"),
        ("3 pA*s", "a charge"),
        ("1 V^2", "a quantity in V^2"),
    ],
)
def test_other_dimensions_are_named(text: str, phrase: str) -> None:
    found = quantity(text)
    assert (found.dimension, found.phrase) == (None, phrase)


@pytest.mark.parametrize(
    ("text", "id", "hint"),
    [
        ("", "BC101", None),
        ("many", "BC101", None),
        ("\N{MINUS SIGN}70 mV", "BC101", "did you mean: -70 mV"),
        ("1,5 mV", "BC101", "did you mean: 1.5 mV"),
        ("1_000", "BC101", "write digits only"),
        ("0x10", "BC101", "write digits only"),
        (".nan", "BC102", None),
        ("-inf ms", "BC102", None),
        ("1e400 ms", "BC102", None),
        ("1e999999999999 ms", "BC102", None),
        ("1e-999999999999 ms", "BC102", None),
        ("9" * 5000, "BC102", None),
        ("2^-999", "BC102", None),
        ("20 mVolt", "BC106", "did you mean: 20 mV"),
        ("5 HZ", "BC106", "did you mean: 5 Hz"),
        # A plural of a symbol is no unit: it would read volt seconds as volts.
        ("5 Vs", "BC106", "did you mean: 5 s"),
        ("5 9**9**9", "BC106", None),
        ("5 s**s", "BC106", None),
    ],
)
def test_what_is_no_quantity(text: str, id: str, hint: str | None) -> None:
    found = parse_quantity(text)
    assert isinstance(found, NotAQuantity)
    assert (found.id, found.hint) == (id, hint)


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=4), st.sampled_from(["us", "ms", "s"]))
def test_scaling_rounds_once(number: object, unit: str) -> None:
    scale = {"us": Fraction(1, 1000), "ms": Fraction(1), "s": Fraction(1000)}[unit]
    found = parse_quantity(f"{number} {unit}")
    assert isinstance(found, Quantity)
    assert found.value == float(Fraction(str(number)) * scale)


@given(st.text(max_size=60))
def test_any_text_is_a_quantity_or_not(text: str) -> None:
    assert isinstance(parse_quantity(text), (Quantity, NotAQuantity))


def test_pint_waits_until_it_is_needed() -> None:
    """The command line imports the frontend to print its help; pint alone takes a fifth of a second."""
    code = "import sys; import burstchip.frontend; sys.exit('pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_models.program.widths import FLAG, Width, signed, unsigned


@given(st.integers(1, 40))
def test_two_s_complement(bits: int) -> None:
    assert (signed(bits).low, signed(bits).high) == (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    assert signed(bits).bits == unsigned(bits).bits == bits
    assert signed(bits + 1).holds(signed(bits)) and not signed(bits).holds(signed(bits + 1))


@pytest.mark.parametrize(
    ("width", "bits"),
    [
        (FLAG, 1),
        (Width(0, 0), 0),
        (Width(-1, 0), 1),
        (Width(-1, 1), 2),
        (Width(3, 200), 8),
        (Width(-129, 0), 9),
    ],
)
def test_bits(width: Width, bits: int) -> None:
    assert width.bits == bits


def test_text_and_order() -> None:
    assert str(Width(-5, 7)) == "-5..7"
    with pytest.raises(AssertionError, match=r"empty width 2\.\.1"):
        Width(2, 1)

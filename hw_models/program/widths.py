"""Declared widths: the least and greatest value that an integer on the chip may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Width:
    """The integers low..high, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        assert self.low <= self.high, f"empty width {self.low}..{self.high}"

    def holds(self, other: Width) -> bool:
        """Whether every value of `other` is one of this width."""
        return self.low <= other.low and other.high <= self.high

    @property
    def bits(self) -> int:
        """Bits that store it, the sign included where it has one."""
        sign = 1 if self.low < 0 else 0
        return max((-self.low - 1).bit_length() if self.low < 0 else 0, max(self.high, 0).bit_length()) + sign

    def __str__(self) -> str:
        return f"{self.low}..{self.high}"


def signed(bits: int) -> Width:
    """Two's complement: -2^(bits-1) .. 2^(bits-1) - 1."""
    return Width(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def unsigned(bits: int) -> Width:
    """0 .. 2^bits - 1."""
    return Width(0, (1 << bits) - 1)


FLAG = Width(0, 1)
#: The machine's integers.
INT32, INT64 = signed(32), signed(64)

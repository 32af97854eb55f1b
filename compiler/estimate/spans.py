"""A number that is not known exactly: what to reckon with, and between which two it lies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hw_models.chips.chip import Cost


@dataclass(frozen=True)
class Span:
    """`low` <= `value` <= `high`."""

    low: float
    value: float
    high: float

    def __add__(self, other: Span) -> Span:
        return Span(self.low + other.low, self.value + other.value, self.high + other.high)

    def times(self, cost: Cost) -> Span:
        """So many operations at a cost."""
        return Span(self.low * cost.low, self.value * cost.value, self.high * cost.high)

    def over(self, count: float) -> Span:
        """Each end divided by a number."""
        return Span(self.low / count, self.value / count, self.high / count)


def exactly(value: float) -> Span:
    """A number that is known."""
    return Span(value, value, value)


def total(spans: Iterable[Span]) -> Span:
    """The sum: low ends with low ends, high ends with high ends."""
    found = exactly(0.0)
    for span in spans:
        found = found + span
    return found

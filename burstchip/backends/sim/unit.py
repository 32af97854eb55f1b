"""A unit: a small function of its own text, and one call of it with what it works on.

The text holds no name, number or size of the network, so that it is the same for all populations and
projections that do the same; it is compiled once, and kept under its own hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from burstchip.backends.sim.code import words

Kind = Literal["source", "listing", "delivery", "neurons", "traces", "learning", "recording"]

#: What every unit's text may use.
PRELUDE = """\
import numpy as np
from numba import cfunc

from burstchip.backends.sim.code.frame import UNIT, array, real, word
"""


@dataclass(frozen=True)
class Entry:
    """One argument in a frame: a number, by value or by the name it is given under, or an array by name."""

    kind: Literal["word", "real", "array"]
    value: str | int
    dtype: str = "int64"
    dimensions: int = 0


@dataclass(frozen=True)
class Call:
    """A unit's text, the frame of one call of it, and when the call takes part.

    `gate` is a word of `code.words`; the call is made in steps n where that is set and n + `ahead` is a
    multiple of `period`. `work` and `owner` say what is done, for which population or projection.
    """

    text: str
    frame: tuple[Entry, ...]
    gate: int
    period: int
    ahead: int
    work: Kind
    owner: str


@dataclass(frozen=True)
class Kernel:
    """A program's run loop: the calls of one step, in their order.

    In its stages messages arrive, neurons and sources emit, synapses learn and what is recorded is kept.
    """

    arriving: tuple[Call, ...]
    emitting: tuple[Call, ...]
    ending: tuple[Call, ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        """Those of all stages."""
        return (*self.arriving, *self.emitting, *self.ending)

    @property
    def texts(self) -> frozenset[str]:
        """The texts that are compiled."""
        return frozenset(call.text for call in self.calls)


@dataclass
class Unit:
    """A unit under construction. The methods for arguments give the expression that reads them."""

    imports: Iterable[str] = ()
    functions: Iterable[str] = ()
    body: list[str] = field(default_factory=list)
    frame: list[Entry] = field(default_factory=list)
    length: int = 0

    def _place(self, entry: Entry, length: int) -> int:
        place = self.length
        self.frame.append(entry)
        self.length += length
        return place

    def word(self, value: str | int) -> str:
        """An integer."""
        return f"word(frame, {self._place(Entry('word', value), 1)})"

    def real(self, value: str) -> str:
        """A float64."""
        return f"real(frame, {self._place(Entry('real', value, 'float64'), 1)})"

    def array(self, name: str, dtype: str, dimensions: int = 1) -> str:
        """A C-contiguous array."""
        place = self._place(Entry("array", name, dtype, dimensions), 1 + dimensions)
        return f"array(frame, {place}, np.{dtype}, {dimensions})"

    def add(self, *lines: str) -> None:
        """Append lines to the body."""
        self.body += lines

    def call(
        self,
        work: Kind,
        owner: str,
        *,
        gate: int = words.ALWAYS,
        period: int = 1,
        ahead: int = 0,
    ) -> Call:
        """The finished unit, called behind a gate."""
        parts = [PRELUDE + "".join(f"{line}\n" for line in self.imports), *self.functions]
        unit = ["@cfunc(UNIT, error_model='numpy')", "def unit(now, frame):"]
        unit += [f"    {line}" for line in self.body]
        text = "\n\n".join([*(part.strip("\n") + "\n" for part in parts), "\n".join(unit) + "\n"])
        return Call(text, tuple(self.frame), gate, period, ahead, work, owner)


def now(place: int) -> str:
    """The expression that reads a word of `code.words`."""
    return f"word(now, {place})"

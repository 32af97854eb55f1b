"""What a protocol does, stretch by stretch: a phase of an example, or a time without one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from compiler.ir.protocol import Part, Protocol
from compiler.steps import whole_steps
from hw_models.program.random import at, key

#: The stream of the order of shuffled rounds: behind those of all populations and projections.
_ORDER_STREAM = (1 << 31) - 1

Integers = NDArray[np.int64]


def steps_of(time_ms: float, step_ms: float) -> int:
    """A time of a protocol in steps; all of them are whole ones."""
    steps = whole_steps(time_ms, step_ms)
    assert steps is not None, f"{time_ms} ms in steps of {step_ms} ms"
    return steps


def order_of(part: Part, examples: int, seed: int, round_: int) -> Integers:
    """The examples in the order of one of a part's rounds: as listed, or sorted by random numbers."""
    if part.order == "listed":
        return np.arange(examples)
    numbers = at(key(seed, _ORDER_STREAM, round_), np.arange(examples))
    return np.argsort(numbers, kind="stable").astype(np.int64)


@dataclass(frozen=True)
class Plan:
    """Arrays of one entry a stretch; `round` counts within its part, `example` and `phase` are -1 in a rest.

    `first` is the clock before a stretch, `steps` how long it is, `bins` in how many bins its events are
    counted, the last of them perhaps a shorter one.
    """

    protocol: Protocol
    step_ms: float
    part: Integers
    round: Integers
    example: Integers
    phase: Integers
    steps: Integers

    @property
    def count(self) -> int:
        """The number of stretches."""
        return self.steps.size

    @cached_property
    def first(self) -> Integers:
        """[stretch]."""
        return np.asarray(np.cumsum(self.steps) - self.steps)

    @property
    def total(self) -> int:
        """Steps of the whole protocol."""
        return int(self.steps.sum())

    @cached_property
    def bin_steps(self) -> int:
        """Steps of a whole bin."""
        return steps_of(self.protocol.bin, self.step_ms)

    @cached_property
    def bins(self) -> Integers:
        """[stretch]."""
        return np.asarray(-(-self.steps // self.bin_steps))

    @cached_property
    def first_bin(self) -> Integers:
        """The number of a stretch's first bin."""
        return np.asarray(np.cumsum(self.bins) - self.bins)

    @cached_property
    def bin_stretch(self) -> Integers:
        """The stretch that a bin is of, [bin]."""
        return np.repeat(np.arange(self.count), self.bins)

    @cached_property
    def bin_ends(self) -> Integers:
        """Steps from a bin's stretch's beginning to its own end, [bin]."""
        number = np.arange(self.bin_stretch.size) - self.first_bin[self.bin_stretch]
        return np.asarray(np.minimum((number + 1) * self.bin_steps, self.steps[self.bin_stretch]))

    @cached_property
    def bin_lasts(self) -> NDArray[np.float64]:
        """The seconds of each bin."""
        begins = self.bin_ends - 1 - (self.bin_ends - 1) % self.bin_steps
        return np.asarray((self.bin_ends - begins) * self.step_ms / 1000)

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """The ends of bins in seconds from the start."""
        return np.asarray((self.first[self.bin_stretch] + self.bin_ends) * self.step_ms / 1000)

    @cached_property
    def rounds(self) -> NDArray[np.bool_]:
        """Whether a round of all examples, or a rest, ends with a stretch."""
        after = np.append(np.diff(self.part) != 0, True) | np.append(np.diff(self.round) != 0, True)
        return np.asarray(after, dtype=np.bool_)

    def part_number(self, name: str) -> int:
        """The number of the part of this name."""
        return next(k for k, part in enumerate(self.protocol.parts) if part.name == name)

    def phase_number(self, name: str) -> int:
        """The number of the phase of this name."""
        return next(k for k, phase in enumerate(self.protocol.phases) if phase.name == name)

    @cached_property
    def judged(self) -> NDArray[np.bool_]:
        """The stretches at whose end an example is judged.

        That is the last phase before the teachers act for the first time; where they never act, or at once,
        the last one.
        """
        found = np.zeros(self.count, dtype=np.bool_)
        stretch = 0
        for part in self.protocol.parts:
            phases = self.protocol.phases_of(part)
            taught = [phase.taught for phase in phases]
            before = taught.index(True) - 1 if any(taught) else -1
            if not phases:
                stretch += 1
            for _ in range(part.rounds * len(self.protocol.examples) if phases else 0):
                found[stretch + (before if before >= 0 else len(phases) - 1)] = True
                stretch += len(phases)
        return found


def plan_of(protocol: Protocol, step_ms: float, seed: int) -> Plan:
    """All stretches of a protocol; shuffled rounds are a function of `seed`."""
    numbers = {phase.name: k for k, phase in enumerate(protocol.phases)}
    lasts = {phase.name: steps_of(phase.lasts, step_ms) for phase in protocol.phases}
    rows: list[tuple[int, int, int, int, int]] = []
    for part_number, part in enumerate(protocol.parts):
        if not part.phases:
            rows.append((part_number, 0, -1, -1, steps_of(part.rest, step_ms)))
            continue
        for round_ in range(part.rounds):
            for example in order_of(part, len(protocol.examples), seed, round_):
                rows += [
                    (part_number, round_, int(example), numbers[name], lasts[name]) for name in part.phases
                ]
    columns = np.array(rows, dtype=np.int64).T
    return Plan(protocol, step_ms, *columns)

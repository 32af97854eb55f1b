"""What an answer of a target must be, beside what its type says; an answer that is not is a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burstchip.remote.arrays import unpacked
from burstchip.remote.failures import Failure, TargetFailure
from burstchip.remote.messages import Array, Counts
from compiler.ir.chip_program import ChipProgram

if TYPE_CHECKING:
    from burstchip.remote.asking import Asking

#: By how much the time of a target may exceed that of the host: clocks differ, and ticks are coarse.
_TIME_SHARE, _TIME_NS = 0.05, 20_000_000


class Checks:
    """The checks of one run's answers; each raises `TargetFailure`."""

    def __init__(self, connection: Asking, code: ChipProgram) -> None:
        self.connection, self.code = connection, code
        self._last_ns = 0

    def numbers(self, array: Array, what: str) -> NDArray[Any]:
        """The numbers of a message."""
        try:
            return unpacked(array)
        except ValueError as reason:
            raise self.wrong_values(f"the numbers of {what}", str(reason)) from None

    def shaped(self, array: Array, shape: tuple[int, ...], what: str) -> NDArray[Any]:
        """The numbers of a message that must have this shape, integers in at least 32 bits."""
        values, real = self.numbers(array, what), self.connection.profile.real
        if values.shape != shape:
            raise self.wrong_values(f"{what} of shape {list(shape)}", f"shape {list(values.shape)}")
        if not real and values.dtype.kind == "f":
            raise self.wrong_values(f"integers for {what}", f"type {array.dtype}")
        return values.astype(np.int32) if values.dtype.kind != "f" and values.itemsize < 4 else values

    def counts(self, counts: Counts) -> None:
        """One number of each kind for each population."""
        populations = len(self.code.populations)
        for what in (counts.events, counts.bursts, counts.clipped):
            if len(what) != populations:
                raise self.wrong_values(f"counts of {populations} populations", f"{len(what)}")

    def classes(self, classes: tuple[int, ...], expected: int) -> None:
        """So many classes that the read-out has."""
        task = self.code.task
        if len(classes) != expected:
            raise self.wrong_values(f"classes of {expected} samples", f"{len(classes)}")
        if task is not None and classes and max(classes) >= (most := self.code.population(task.readout).size):
            raise self.wrong_values(f"classes below {most}", f"class {max(classes)}")

    def clock(self, given: int, required: int) -> None:
        """The step at which the run must be."""
        if given != required:
            raise self.connection.failed(Failure.wrong_clock, f"step {required}", f"step {given}")

    def time(self, began: int, ended: int, elapsed: int) -> int:
        """The nanoseconds of steps, which follow those before and lie within what the exchange took."""
        if began < self._last_ns or ended < began:
            raise self.wrong_time("times that do not go back", f"{self._last_ns}, {began}, {ended} ns")
        most = int(elapsed * (1 + _TIME_SHARE)) + _TIME_NS + self.connection.profile.tick_ns
        if ended - began > most:
            given = f"{ended - began} ns for the steps"
            raise self.wrong_time(f"at most the {elapsed} ns of the whole exchange", given)
        self._last_ns = ended
        return ended - began

    def sha256(self, given: str, computed: str) -> None:
        """The hash of a state, as the target says and as the host computed it."""
        if given != computed:
            required, told = f"a hash of {computed[:16]}...", f"{given[:16]}..."
            raise self.connection.failed(Failure.wrong_state, required, told)

    def wrong_values(self, required: str, given: str) -> TargetFailure:
        """The failure of values that do not fit."""
        return self.connection.failed(Failure.wrong_values, required, given)

    def wrong_time(self, required: str, given: str) -> TargetFailure:
        """The failure of times that cannot be."""
        return self.connection.failed(Failure.wrong_time, required, given)

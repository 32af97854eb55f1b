"""A training loop that takes its own time: the same compiled units, with the clock read between their calls.

Calls of one part, such as the traces of one projection, count together. Reading the clock does not wait for
what is still under way, so at the borders some tens of nanoseconds count for a neighbour.
"""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.profiling.ticks import LONGEST, ticks
from burstchip.backends.sim.code.clock import turn
from burstchip.backends.sim.code.frame import call
from burstchip.backends.sim.machine_code import module_of
from burstchip.backends.sim.unit import Call, Kernel, Kind

PartKind = Literal["schedule"] | Kind
KINDS: tuple[PartKind, ...] = (
    "schedule",
    "source",
    "listing",
    "delivery",
    "neurons",
    "traces",
    "learning",
    "recording",
)

Words = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """A part of the loop: what it does, and for which population or projection."""

    kind: PartKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


SCHEDULE = Part("schedule", "")


@njit(nogil=True, error_model="numpy")
def _timed(
    begin: int,
    last: int,
    now: Words,
    functions: Words,
    frames: Words,
    gates: Words,
    periods: Words,
    ahead: Words,
    periodic: NDArray[np.uint8],
    flags: Words,
    parts: Words,
    passed: Words,
    passes: Words,
    interrupted: Words,
) -> None:
    """`code.steps.unit` with its clock; what lies between two calls is part 0."""
    address = now.ctypes.data
    before = ticks()
    for n in range(begin, last):
        turn(now, n, periodic, flags)
        for k in range(len(functions)):
            due = periods[k] == 1 or (n + ahead[k]) % periods[k] == 0
            if due and now[gates[k]] != 0:
                started = ticks()
                call(functions[k], address, frames[k])
                ended = ticks()
                for part, stretch in ((0, started - before), (parts[k], ended - started)):
                    if stretch < LONGEST:
                        passed[part] += stretch
                        passes[part] += 1
                    else:
                        interrupted[0] += 1
                before = ended


def parts_of(kernel: Kernel) -> tuple[Part, ...]:
    """The parts of a kernel in the order in which they first occur, the schedule first."""
    return tuple(dict.fromkeys([SCHEDULE, *(Part(call.work, call.owner) for call in kernel.calls)]))


@dataclass(frozen=True)
class Instrumented:
    """A kernel's loop with its clock, in the place of `Simulation.run` and `Simulation.load`.

    Per part: `passed` ticks in `passes` stretches. Stretches that the system interrupted are left out and
    counted. `modules` are those of the units, with the population or projection that each serves.
    """

    parts: tuple[Part, ...]
    of_call: Words
    passed: Words
    passes: Words
    interrupted: Words
    modules: list[tuple[str, ModuleType]]

    def run(self, *arguments: Any) -> None:
        """The loop, called as the one it stands for."""
        _timed(*arguments, self.of_call, self.passed, self.passes, self.interrupted)

    def load(self, call: Call) -> int:
        """The address of a unit that does not come from the cache, which has no assembly."""
        module = module_of(call.text, f"profiled_{len(self.modules)}")
        self.modules.append((call.owner, module))
        address: int = module.unit.address
        return address

    def clear(self) -> None:
        """Forget all times."""
        for array in (self.passed, self.passes, self.interrupted):
            array[:] = 0


def instrument(kernel: Kernel) -> Instrumented:
    """The loop of a kernel with its clock."""
    parts = parts_of(kernel)
    numbers = [parts.index(Part(call.work, call.owner)) for call in kernel.calls]
    return Instrumented(
        parts=parts,
        of_call=np.array(numbers, dtype=np.int64),
        passed=np.zeros(len(parts), dtype=np.int64),
        passes=np.zeros(len(parts), dtype=np.int64),
        interrupted=np.zeros(1, dtype=np.int64),
        modules=[],
    )

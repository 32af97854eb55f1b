"""What comparing the executions of one program shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burstchip.running.verification import Difference, verify
from compare.documents import digits
from compare.executions import Values, in_numba, in_numpy, in_one_call
from compiler.ir.chip_program import ChipProgram
from compiler.passes.certify import certify

if TYPE_CHECKING:
    from burstchip.backends.lava.session import LavaWorker


@dataclass(frozen=True)
class Comparison:
    """How many values were equal, and the first two that are not.

    A run in which nothing happens proves little: `events` counts events, `changes` plastic weights, tags
    and delays that changed in a step.
    """

    values: int
    difference: Difference | None
    events: int = 0
    changes: int = 0


#: Compares the executions of a program for some steps.
Judge = Callable[[ChipProgram, int], Comparison]


def told(difference: Difference) -> str:
    """The difference in a line."""
    values = ", ".join(f"{value} in {name}" for name, value in difference.values.items())
    where = f"{difference.variable} of {difference.place} at {difference.index}"
    return f"step {difference.step}, {where}: {values}"


def numpy_against_numba(code: ChipProgram, steps: int) -> Comparison:
    """Every value after every step; and one call for all steps ends as a call for each does."""
    synapses = {projection.name for projection in code.projections}
    count = events = changes = 0
    before: Values = {}
    values: Values = {}
    pairs: Iterator[tuple[Values, Values]] = zip(in_numpy(code, steps), in_numba(code, steps), strict=True)
    for step, (plain, values) in enumerate(pairs):
        found = _first(step, {"numpy": plain, "numba": values})
        count += sum(array.size for array in plain.values())
        for (name, variable), array in plain.items():
            events += int(np.count_nonzero(array)) if variable == "events" else 0
            if name in synapses and variable in ("w", "t", "d") and before:
                changes += int(np.count_nonzero(array != before[name, variable]))
        before = {place: array.copy() for place, array in plain.items()}
        if found is not None:
            return Comparison(count, found, events, changes)
    whole = in_one_call(code, steps)
    stepped = {place: values[place] for place in whole}
    found = _first(steps - 1, {"one call": whole, "a call a step": stepped})
    return Comparison(count, found, events, changes)


def bounds_against_numba(code: ChipProgram, steps: int) -> Comparison:
    """Every value after every step lies within what is proved of it, for limits and for given weights."""
    certificates = [certify(code), *([] if _learns(code) else [certify(code, "given")])]
    bounds = {}
    for certificate in certificates:
        for it in certificate.bounds:
            low, high = bounds.get((it.population, it.variable), (it.low, it.high))
            bounds[it.population, it.variable] = max(low, it.low), min(high, it.high)
    count = events = 0
    for step, values in enumerate(in_numba(code, steps)):
        for place, array in values.items():
            events += int(np.count_nonzero(array)) if place[1] == "events" else 0
            if place not in bounds:
                continue
            count += array.size
            low, high = bounds[place]
            outside = np.argwhere((array < low) | (array > high))
            if len(outside):
                index = tuple(int(i) for i in outside[0])
                found = {"numba": int(array[index]), "at least": low, "at most": high}
                return Comparison(count, Difference(step, *place, index, found), events)
    return Comparison(count, None, events)


def _learns(code: ChipProgram) -> bool:
    return any(projection.learning is not None for projection in code.projections)


def sim_against_lava(worker: LavaWorker) -> Judge:
    """Every value after every step, by the product's own comparison; `worker` holds Lava."""

    def judge(code: ChipProgram, steps: int) -> Comparison:
        done = verify(code, steps, pictures=None if code.task is None else digits(), worker=worker)
        return Comparison(done.values, done.difference)

    return judge


def _first(step: int, executions: dict[str, Values]) -> Difference | None:
    (one, ours), (other, theirs) = executions.items()
    assert ours.keys() == theirs.keys(), f"{one} and {other} tell of different variables"
    for (name, variable), array in ours.items():
        wanted = theirs[name, variable]
        assert array.shape == wanted.shape, f"shapes of {variable} of {name}: {array.shape}, {wanted.shape}"
        unequal = np.argwhere(array != wanted)
        if len(unequal):
            index = tuple(int(i) for i in unequal[0])
            found = {one: int(array[index]), other: int(wanted[index])}
            return Difference(step, name, variable, index, found)
    return None

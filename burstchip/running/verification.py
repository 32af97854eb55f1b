"""Run one program on two backends and compare every integer in every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from burstchip.backends.available import require_backend
from burstchip.remote.address import is_address
from burstchip.running.recording import check_steps, first_epoch, training_pictures
from burstchip.running.run import Run, open_run
from burstchip.variables import Place, synapse_ends, variables_of
from compiler.ir.chip_program import FACTORS, ChipProgram
from compiler.ir.signals import Rows
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

if TYPE_CHECKING:
    from burstchip.backends.lava.session import LavaWorker
    from burstchip.tasks.presentation import Pictures
    from burstchip.tasks.protocol.steering import Steering

register_codes(
    {
        "BC554": "backends that cannot be compared",
        "BC556": "how much to compare is missing, or given twice",
    }
)

#: Backends that compute the chip's integers.
EXACT = ("sim", "plain", "lava")
#: What is compared where nothing else is asked for.
DEFAULT = ("sim", "lava")
#: Bytes that one call to each backend may bring back.
PART_BYTES = 1 << 26
#: Seconds that the slower backend should run between two comparisons.
PART_SECONDS = 1.0
Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Difference:
    """The first value in which two backends part.

    `step` is the clock; `place` a population or projection; `index` the neuron, or (pre, post) of a synapse.
    """

    step: int
    place: str
    variable: str
    index: tuple[int, ...]
    values: Mapping[str, int]


@dataclass(frozen=True)
class Verification:
    """`values` integers were equal in `steps` steps, or there is a first `difference`.

    `kinds` splits the values by what they are: neurons' states and outputs, synapses, traces. `stock` names
    the populations and projections that ran as Lava's own processes.
    """

    backends: tuple[str, ...]
    steps: int
    values: int
    kinds: Mapping[str, int]
    stock: tuple[str, ...]
    difference: Difference | None


@dataclass(frozen=True)
class Compared:
    """How many integers a variable has, its kind, and what a flat index stands for."""

    size: int
    kind: str
    pairs: tuple[Any, Any] | None = None
    #: Set at the start and then never; compared once.
    fixed: bool = False

    def index(self, flat: int) -> tuple[int, ...]:
        """The neuron, or the ends of the synapse, of a place in its values."""
        if self.pairs is None:
            return (flat,)
        return int(self.pairs[0][flat]), int(self.pairs[1][flat])


def compared_variables(code: ChipProgram) -> dict[Place, Compared]:
    """Everything that is compared, in the order in which a step computes it."""
    found: dict[Place, Compared] = {}
    for population in code.populations:
        for name in variables_of(code, population.name):
            found[population.name, name] = Compared(population.size, "neurons")
    for projection in code.projections:
        learning, pairs = projection.learning, synapse_ends(code, projection)
        count = len(pairs[0])
        found[projection.name, "w"] = Compared(count, "synapses", pairs, learning is None)
        if learning is None:
            continue
        pre, post = (code.population(n).size for n in (projection.source, projection.target))
        if learning.form == "carry":
            found[projection.name, "x1"] = Compared(pre, "traces")
            continue
        for name in ("t", "d"):
            found[projection.name, name] = Compared(count, "synapses", pairs)
        found |= {(projection.name, name): Compared(pre, "traces") for name in ("x1", "x2", "tx")}
        found[projection.name, "ty"] = Compared(post, "traces")
        if not learning.third_factors:
            # Third factors are the neuron's own outputs and compared there.
            found |= {(projection.name, name): Compared(post, "traces") for name in FACTORS}
    return found


@dataclass
class _Tally:
    """What was compared so far."""

    backends: tuple[str, str]
    variables: Mapping[Place, Compared]
    kinds: dict[str, int] = field(default_factory=dict)

    def compare(self, step: int, one: Mapping[Place, Any], other: Mapping[Place, Any]) -> Difference | None:
        """The first difference of a part of the run that begins at `step`."""
        first: tuple[int, Place, int] | None = None
        for place, variable in self.variables.items():
            if variable.fixed and step:
                continue
            rows = slice(0, 1) if variable.fixed else slice(None)
            unequal = one[place][rows] != other[place][rows]
            self.kinds[variable.kind] = self.kinds.get(variable.kind, 0) + unequal.size
            if unequal.any():
                row, index = (int(number) for number in np.argwhere(unequal)[0])
                if first is None or row < first[0]:
                    first = row, place, index
        if first is None:
            return None
        row, place, index = first
        values = (int(one[place][row, index]), int(other[place][row, index]))
        return Difference(
            step + row,
            *place,
            self.variables[place].index(index),
            dict(zip(self.backends, values, strict=True)),
        )


def check_backends(backends: tuple[str, ...]) -> None:
    """Raise `BurstchipError` unless these are two different backends of integers that can run here."""
    for name in backends:
        require_backend(name, or_target=True)
    here = {name for name in backends if not is_address(name)}
    if len(backends) != 2 or len(set(backends)) != 2 or not here <= set(EXACT):
        raise BurstchipError(
            Diagnostic(
                "BC554",
                "these backends cannot be compared value by value",
                required=f"two backends that compute the chip's integers: {','.join(EXACT)}",
                given=",".join(backends),
                hint="backend 'reference' does not round, so its values differ by design",
            )
        )


def steps_to_verify(code: ChipProgram, steps: int | None, samples: int | None) -> int:
    """The number of steps that `--steps N` or `--train SAMPLES` stand for."""
    if (steps is None) == (samples is None):
        raise BurstchipError(
            Diagnostic(
                "BC556",
                "the number of steps is missing" if steps is None else "the number of steps is given twice",
                required="--steps N or --duration TIME, or --train SAMPLES with a task",
                given="neither" if steps is None else f"--steps {steps} --train {samples}",
            )
        )
    if samples is not None and code.task is None:
        raise BurstchipError(
            Diagnostic(
                "BC556",
                f"'{code.name}' has no task, so it cannot train on samples",
                required="--steps N",
                given=f"--train {samples}",
            )
        )
    count = steps if steps is not None else (samples or 0) * (code.task.present if code.task else 0)
    check_steps(count)
    return count


def verify(
    code: ChipProgram,
    steps: int,
    *,
    backends: tuple[str, ...] = DEFAULT,
    data_dir: Path | None = None,
    pictures: Pictures | None = None,
    streams: Mapping[str, ArrayLike | Rows] | None = None,
    watch: Watch | None = None,
    worker: LavaWorker | None = None,
) -> Verification:
    """Run `steps` steps with learning on both backends and compare all integers of each step.

    A program with a task shows its training `pictures` in the order of the first epoch, which are loaded from
    `data_dir`, or where `load_dataset` looks, unless they are given; `streams` are those of the network's own
    signals. A protocol is followed, as far as the steps go. `watch` receives the steps done and all of them.
    `worker` lends a child process that already holds Lava. Raises `BurstchipError` for backends that cannot
    be compared or run, and where Lava fails.
    """
    check_steps(steps)
    check_backends(backends)
    if pictures is None:
        pictures, _ = training_pictures(code, data_dir, None)
    variables = compared_variables(code)
    tally = _Tally((backends[0], backends[1]), variables)
    bytes_a_row = 4 * sum(variable.size for variable in variables.values())
    rows = max(1, min(PART_BYTES // bytes_a_row, 4096))
    runs: list[Run] = []
    stock: tuple[str, ...] = ()
    difference: Difference | None = None
    steering = _steering(code)
    try:
        for name in backends:
            shown = None if pictures is None else first_epoch(code, steps, pictures)
            given = {**(streams or {}), **({} if shown is None else shown.streams)}
            run = open_run(code, name, record=tuple(variables), streams=given, worker=worker)
            runs.append(run)
            stock = getattr(run, "stock", stock)
        done, part = 0, 1
        while done < steps and difference is None:
            count = min(part, steps - done, rows)
            if steering is not None:
                holds = [steering.before(run) for run in runs]
                count = min(count, *(it for it in holds if it), count)
            started = perf_counter()
            parts = [run.advance(count) for run in runs]
            difference = tally.compare(done, *parts)
            done += count
            part = int(np.clip(count * PART_SECONDS / (perf_counter() - started), 1, 4 * count))
            if watch is not None:
                watch(done, steps)
    finally:
        for run in runs:
            run.close()
    return Verification(backends, done, sum(tally.kinds.values()), tally.kinds, stock, difference)


def _steering(code: ChipProgram) -> Steering | None:
    """What a protocol writes, where there is one."""
    if code.protocol is None:
        return None
    from burstchip.tasks.protocol.plan import plan_of
    from burstchip.tasks.protocol.steering import Steering

    return Steering(code, plan_of(code.protocol, code.step_ms, code.seed))

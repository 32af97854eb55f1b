"""A program executed by the backend `plain` and by the simulator, seen after every step.

Both give, step by step, every integer there is: states and outputs of neurons; weights, tags, delays and
traces of synapses. What belongs to a synapse is a matrix [source, target] where the projection is dense.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.plain.run import PlainRun
from burstchip.backends.sim import simulator
from burstchip.backends.sim.learning_source import ChipLearning
from burstchip.backends.sim.simulator import Simulation, start
from compare.documents import streams_of_task
from compiler.ir.chip_program import ChipProgram, ProjectionCode
from compiler.ir.signals import Host

#: (population or projection, variable).
Place = tuple[str, str]
Values = Mapping[Place, NDArray[Any]]


def neuron_places(code: ChipProgram) -> tuple[Place, ...]:
    """Every state and output of every population, in the order in which `burstchip verify` records them."""
    return tuple(
        (population.name, variable)
        for population in code.populations
        for program in [population.program]
        for variable in dict.fromkeys((*program.states, *program.outputs))
    )


def in_numpy(code: ChipProgram, steps: int) -> Iterator[Values]:
    """The backend `plain`, step by step."""
    run = PlainRun(code, Host(streams_of_task(code, steps)))
    for _ in range(steps):
        run.advance(1)
        values: dict[Place, NDArray[Any]] = {place: run.read(*place) for place in neuron_places(code)}
        for it in run.synapses:
            where = ... if it.code.dense else (it.code.pre, it.code.post)
            values[it.code.name, "w"] = it.listed.copy()
            if it.learning is None:
                continue
            if it.learning.form == "carry":
                values[it.code.name, "x1"] = it.x[0].copy()
                continue
            values |= {(it.code.name, "t"): it.t[where], (it.code.name, "d"): it.d[where]}
            values |= _trace_values(it.code, it.x, it.y, it.noted_x, it.noted_y)
        yield values | _counts(run)


def in_numba(code: ChipProgram, steps: int) -> Iterator[Values]:
    """The simulator, called for one step after the other."""
    simulation = _started(code, steps)
    for _ in range(steps):
        seen = simulation.advance(1)
        yield (
            {place: values[0] for place, values in seen.items()} | _synapses(simulation) | _counts(simulation)
        )


def in_one_call(code: ChipProgram, steps: int) -> Values:
    """The simulator called once for all steps; what it ends with."""
    simulation = _started(code, steps)
    last = {place: values[-1] for place, values in simulation.advance(steps).items()}
    return last | _synapses(simulation)


def loop_text(code: ChipProgram) -> str:
    """All that the simulator compiles."""
    return "\n".join(sorted(start(code, learning=True, record=neuron_places(code)).kernel.texts))


def _started(code: ChipProgram, steps: int) -> Simulation:
    host = Host(streams_of_task(code, steps))
    return simulator.start(code, learning=True, record=neuron_places(code), host=host)


def _counts(run: PlainRun | Simulation) -> dict[Place, NDArray[Any]]:
    """Clipped inputs, and the class read out last."""
    counts = {(name, "clipped inputs"): np.array([count]) for name, count in run.clipped.items()}
    task = run.code.task
    return counts if task is None else {**counts, (task.readout, "class"): np.array(run.readout[-1:])}


def _synapses(simulation: Simulation) -> dict[Place, NDArray[Any]]:
    """Copies of what the synapses hold."""
    values: dict[Place, NDArray[Any]] = {}
    arrays = {name: array.copy() for name, array in simulation.arrays.items()}
    for index, projection in enumerate(simulation.layout.code.projections):
        values[projection.name, "w"] = arrays[f"w_{index}"]
        learning = projection.learning
        if learning is not None and learning.form == "carry":
            values[projection.name, "x1"] = arrays[f"x1_{index}"]
        elif learning is not None:
            for name in "td":
                # What the rule does not touch is held nowhere.
                held = simulation.read(projection.name, name).reshape(arrays[f"w_{index}"].shape)
                values[projection.name, name] = held.copy()
            stored = (arrays[f"{kind}_{side}_{index}"] for kind in ("stored", "noted") for side in "xy")
            values |= _trace_values(projection, *stored)
    return values


def _trace_values(
    projection: ProjectionCode, x: NDArray[Any], y: NDArray[Any], noted_x: NDArray[Any], noted_y: NDArray[Any]
) -> dict[Place, NDArray[Any]]:
    """Traces as they are between learning steps, and the noted places of events, where any are kept."""
    assert projection.learning is not None
    chip = ChipLearning(0, projection, projection.learning)
    named = {"x1": x[0], "x2": x[1], "event of x": noted_x}
    if not chip.third_factors:
        named |= {"y1": y[0], "y2": y[1], "y3": y[2]}
    if chip.reads_events:
        named["event of y"] = noted_y
    return {(projection.name, name): value for name, value in named.items()}

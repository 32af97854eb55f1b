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
from burstchip.backends.sim.learning_source import ChipLearning
from burstchip.backends.sim.simulator import Pictures, Simulation, sample_order, start
from burstchip.recording import shown_pictures
from compare.documents import pictures_of_task
from compiler.ir.chip_program import ChipProgram, ProjectionCode

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


def _shown(code: ChipProgram, steps: int, pictures: Pictures | None) -> NDArray[np.int64]:
    if code.task is None or pictures is None:
        return np.zeros(0, dtype=np.int64)
    return np.resize(sample_order(code, len(pictures.images), 0), steps // code.task.present + 2)


def in_numpy(code: ChipProgram, steps: int) -> Iterator[Values]:
    """The backend `plain`, step by step."""
    pictures = pictures_of_task(code)
    run = PlainRun(code, shown_pictures(pictures, _shown(code, steps, pictures)))
    for _ in range(steps):
        run.advance(1)
        values: dict[Place, NDArray[Any]] = {place: run.read(*place) for place in neuron_places(code)}
        for it in run.synapses:
            where = ... if it.code.dense else (it.code.pre, it.code.post)
            values[it.code.name, "w"] = it.w[where]
            if it.learning is None:
                continue
            if it.learning.form == "carry":
                values[it.code.name, "x1"] = it.x[0].copy()
                continue
            values |= {(it.code.name, "t"): it.t[where], (it.code.name, "d"): it.d[where]}
            values |= _trace_values(it.code, it.x, it.y, it.noted_x, it.noted_y)
        for population in code.populations:
            values[population.name, "clipped inputs"] = np.array([run.neurons[population.name].clipped])
        if code.task is not None:
            values[code.task.readout, "class"] = np.array(run.readout[-1:])
        yield values


def in_numba(code: ChipProgram, steps: int) -> Iterator[Values]:
    """The simulator, called for one step after the other."""
    simulation = start(code, learning=True, record=neuron_places(code))
    given, predictions = _given(code, steps)
    for n in range(steps):
        records = _records(simulation, 1)
        simulation.advance(1, {**given, **records}, prime=n == 0 and code.task is not None)
        values: dict[Place, NDArray[Any]] = {
            place: records[_record_name(simulation, place)][0] for place in neuron_places(code)
        }
        values |= _synapses(simulation)
        for number, population in enumerate(code.populations):
            clipped = simulation.arrays["clipped_inputs"][number : number + 1]
            values[population.name, "clipped inputs"] = clipped.copy()
        if code.task is not None:
            values[code.task.readout, "class"] = predictions[predictions >= 0][-1:]
        yield values


def in_one_call(code: ChipProgram, steps: int) -> Values:
    """The simulator called once for all steps; what it ends with."""
    simulation = start(code, learning=True, record=neuron_places(code))
    given, _ = _given(code, steps)
    records = _records(simulation, steps)
    simulation.advance(steps, {**given, **records}, prime=code.task is not None)
    last = {place: records[_record_name(simulation, place)][-1] for place in neuron_places(code)}
    return last | _synapses(simulation)


def loop_text(code: ChipProgram) -> str:
    """All that the simulator compiles."""
    return "\n".join(sorted(start(code, learning=True, record=neuron_places(code)).kernel.texts))


def _given(code: ChipProgram, steps: int) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """What a run is told from outside, and where it writes the classes that it reads out."""
    pictures = pictures_of_task(code)
    predictions = np.full(steps + 2, -1, dtype=np.int64)
    given: dict[str, Any] = {"first_sample": 0, "predictions": predictions}
    if pictures is not None:
        given |= {
            "shown": _shown(code, steps, pictures),
            "images": pictures.images,
            "maximum": pictures.maximum,
            "labels": pictures.labels,
        }
    return given, predictions


def _record_name(simulation: Simulation, place: Place) -> str:
    return f"r_{simulation.layout.numbers[place[0]]}_{place[1]}"


def _records(simulation: Simulation, steps: int) -> dict[str, NDArray[np.int32]]:
    code = simulation.layout.code
    return {
        _record_name(simulation, place): np.zeros((steps, code.population(place[0]).size), dtype=np.int32)
        for place in neuron_places(code)
    }


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
            values |= {(projection.name, name): arrays[f"{name}_{index}"] for name in "td"}
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

"""A program as a simple device needs it: integer programs, numbers and lists of synapses, in one document.

The form `flat` of an artifact: MessagePack, in which nothing is named that can be numbered, nothing is left
to be drawn or derived. It carries the hash of the artifact that it was made from, and has one of its own. It
holds networks that do not learn, without a task. `docs/protocol.md` explains it to those who read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from burstchip.backends.integers import require_integers
from burstchip.remote.arrays import packed
from burstchip.remote.messages import Array
from burstchip.variables import synapse_ends
from compiler.ir.chip_program import ChipProgram, PopulationCode, ProjectionCode
from compiler.ir.signals import Clock, Constant, Listed, Periodic, Signal, Streamed, Waveform, Written
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.roles import LEARNING_CONTROLS
from hw_models.program.rewrite import inputs_read
from hw_models.program.trace import Program

register_codes({"BC888": "what a target cannot do for a run"})

FLAT = 1
#: Operations by number; `value` stands for inputs and, behind them, parameters.
OPERATIONS = (
    "const", "state", "value", "add", "sub", "mul", "shift_left", "shift_right", "shift_right_zero",
    "shift_right_round", "less", "equal", "select", "minimum", "maximum", "saturate", "wrap", "lookup",
    "random",
)  # fmt: skip


class FlatProgramCode(Struct, frozen=True):
    """Operations, each (operation, a, b, c, attribute, draw); the operation of each next state and output."""

    nodes: Array
    tables: tuple[Array, ...]
    next_state: tuple[int, ...]
    output: tuple[int, ...]


class FlatValue(Struct, frozen=True, tag_field="kind"):
    """What an input or a parameter is in a step."""


class Fixed(FlatValue, frozen=True, tag="fixed"):
    """Always the same: one number, or [neuron]."""

    numbers: Array


class ClockValue(FlatValue, frozen=True, tag="clock"):
    """The step's number."""


class PeriodicValue(FlatValue, frozen=True, tag="periodic"):
    """1 where first <= n mod period < last, else 0; with period 0 once."""

    period: int
    first: int
    last: int


class ListedValue(FlatValue, frozen=True, tag="listed"):
    """What the population's list `spikes` has for the neuron in the step, else 0."""


class WaveformValue(FlatValue, frozen=True, tag="waveform"):
    """Rows [row, 1 or neuron] as `compiler.ir.signals.Waveform` plays them, the last one where it rests."""

    rows: Array
    pace: int
    per: int
    start: int
    stop: int
    repeats: bool


class StreamedValue(FlatValue, frozen=True, tag="streamed"):
    """Row n // hold of the stream."""

    stream: str
    hold: int


class WrittenValue(FlatValue, frozen=True, tag="written"):
    """`offset` plus what the host wrote last, before that plus `start`."""

    name: str
    start: Array
    offset: int


class PortValue(FlatValue, frozen=True, tag="port"):
    """The sum that arrived plus `added`, clipped to low..high, which counts where it is `counted`."""

    low: int
    high: int
    counted: bool
    added: FlatValue | None


class FlatPopulation(Struct, frozen=True):
    """Neurons that run program number `program`; sources come after all others in a step.

    `values` are those of inputs and then parameters, those in `learned` are 0 where the run does not learn.
    `initial` has each state at the start. `spikes` lists (step, neuron, message), sorted. `events` and
    `bursts` number the outputs that are counted, -1 for none.
    """

    name: str
    size: int
    stream: int
    source: bool
    program: int
    states: tuple[str, ...]
    outputs: tuple[str, ...]
    values: tuple[FlatValue, ...]
    learned: tuple[int, ...]
    initial: tuple[Array, ...]
    spikes: Array
    events: int
    bursts: int


class FlatProjection(Struct, frozen=True):
    """Synapses sorted by source: (sum of weight * message) * 2^exponent goes to value `port` of the target.

    A message of output `output` that is emitted in step n acts in step n + 1 + delay.
    """

    name: str
    source: int
    output: int
    target: int
    port: int
    exponent: int
    pre: Array
    post: Array
    weights: Array
    delays: Array


class Flat(Struct, frozen=True):
    """The whole document."""

    flat: int
    artifact: str
    name: str
    seed: int
    programs: tuple[FlatProgramCode, ...]
    populations: tuple[FlatPopulation, ...]
    projections: tuple[FlatProjection, ...]


def flat_of(code: ChipProgram, artifact: str) -> bytes:
    """The document of a program whose artifact has this hash.

    Raises `BurstchipError` BC888 for a program that learns, has a task or draws arrivals.
    """
    require_integers(code)
    if code.task is not None or any(it.learning is not None for it in code.projections):
        raise _beyond(code, "a network without task and plasticity", "one that learns")
    programs: list[Program] = []
    for population in code.populations:
        if population.program not in programs:
            programs.append(population.program)
    numbers = {population.name: number for number, population in enumerate(code.populations)}
    found = Flat(
        flat=FLAT,
        artifact=artifact,
        name=code.name,
        seed=code.seed,
        programs=tuple(_program(code, it) for it in programs),
        populations=tuple(_population(it, programs) for it in code.populations),
        projections=tuple(_projection(code, it, numbers) for it in code.projections),
    )
    return msgspec.msgpack.encode(found)


def _beyond(code: ChipProgram, required: str, given: str) -> BurstchipError:
    message = f"'{code.name}' has no flat form, which is all that the target reads"
    return BurstchipError(Diagnostic("BC888", message, required=required, given=given))


def _program(code: ChipProgram, program: Program) -> FlatProgramCode:
    leaves = {
        "state": {name: k for k, name in enumerate(program.states)},
        "input": {name: k for k, name in enumerate(program.inputs)},
        "param": {name: k + len(program.inputs) for k, name in enumerate(program.parameters)},
    }
    rows = np.zeros((len(program.nodes), 6), dtype=np.int64)
    for row, node in zip(rows, program.nodes, strict=True):
        operation = {"input": "value", "param": "value", "dither": "random"}.get(
            node.operation, node.operation
        )
        if operation not in OPERATIONS:
            raise _beyond(
                code, f"operations of {', '.join(OPERATIONS)}", f"'{operation}' in '{program.name}'"
            )
        row[0] = OPERATIONS.index(operation)
        row[1 : 1 + len(node.arguments)] = node.arguments
        row[4:] = (
            leaves[node.operation][node.name] if node.operation in leaves else node.attribute,
            node.repeat,
        )
    return FlatProgramCode(
        packed(rows),
        tuple(packed(np.array(table, dtype=np.int64)) for table in program.tables),
        tuple(program.next_state[name] for name in program.states),
        tuple(program.output[name] for name in program.outputs),
    )


def _population(population: PopulationCode, programs: list[Program]) -> FlatPopulation:
    program, starts = population.program, population.starts(real=False)
    names = [*program.inputs, *program.parameters]
    controls = {name for name, it in population.roles.controls.items() if it in LEARNING_CONTROLS}
    outputs = tuple(program.outputs)
    spikes = np.zeros((0, 3), dtype=np.int64) if population.spikes is None else population.spikes
    ones = np.ones((len(spikes), 1), dtype=np.int64)
    return FlatPopulation(
        population.name,
        population.size,
        population.stream,
        population.is_source,
        programs.index(program),
        tuple(program.states),
        outputs,
        tuple(_value(population, name) for name in names),
        tuple(k for k, name in enumerate(names) if name in controls),
        tuple(packed(np.asarray(starts[name], dtype=np.int64)) for name in program.states),
        packed(np.hstack([spikes, ones])[:, :3].astype(np.int64)),
        *(outputs.index(name) if name in outputs else -1 for name in ("events", "bursts")),
    )


def _value(population: PopulationCode, name: str) -> FlatValue:
    signal = population.signals.get(name)
    if name in population.ports:
        width = population.program.inputs[name]
        added = None if signal is None else _signal(signal, population.parameters)
        return PortValue(width.low, width.high, name in inputs_read(population.program), added)
    if signal is None:
        return Fixed(packed(np.asarray(population.parameters[name], dtype=np.int64)))
    return _signal(signal, population.parameters)


def _signal(signal: Signal, parameters: Mapping[str, int | NDArray[np.int64]]) -> FlatValue:
    if isinstance(signal, Constant):
        value: Any = parameters[signal.value] if isinstance(signal.value, str) else signal.value
        return Fixed(packed(np.asarray(value, dtype=np.int64)))
    if isinstance(signal, Clock):
        return ClockValue()
    if isinstance(signal, Periodic):
        return PeriodicValue(signal.period, signal.first, signal.last)
    if isinstance(signal, Listed):
        return ListedValue()
    if isinstance(signal, Streamed):
        return StreamedValue(signal.stream, signal.hold)
    if isinstance(signal, Written):
        return WrittenValue(signal.name, packed(np.asarray(signal.start, dtype=np.int64)), signal.offset)
    assert isinstance(signal, Waveform)
    rows = signal.rows[:, np.newaxis] if signal.rows.ndim == 1 else signal.rows
    return WaveformValue(packed(rows), signal.pace, signal.per, signal.start, signal.stop, signal.repeats)


def _projection(code: ChipProgram, it: ProjectionCode, numbers: Mapping[str, int]) -> FlatProjection:
    source, target = code.population(it.source), code.population(it.target)
    pre, post = synapse_ends(code, it)
    # A dense matrix is [target, source]; synapses are listed source by source.
    weights = it.weights.T.ravel() if it.dense else it.weights
    return FlatProjection(
        it.name,
        numbers[it.source],
        list(source.program.outputs).index(it.output),
        numbers[it.target],
        list(target.program.inputs).index(it.port),
        it.weight_exp,
        packed(np.asarray(pre, dtype=np.int32)),
        packed(np.asarray(post, dtype=np.int32)),
        packed(weights),
        packed(it.delays),
    )

"""The rules that each intermediate representation obeys. A broken rule is a bug, hence an assertion."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from math import isfinite, prod
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

from compiler.draws import WeightDraws
from compiler.ir.chip_program import (
    CARRY_HIGH,
    CARRY_LOW,
    FACTORS,
    ChipProgram,
    KernelCode,
    LearningCode,
    PopulationCode,
    ProjectionCode,
)
from compiler.ir.elaborated import Elaborated
from compiler.ir.network import DATA_SHAPES, NO_CHIP, Network
from compiler.ir.partitioned import Partition
from compiler.ir.signals import Constant
from compiler.ir.verify_placement import placement_faults
from compiler.ir.verify_protocol import verify_protocol
from compiler.ir.verify_signals import signal_range, verify_given, verify_signal
from hw_models.chips.chip import CHIPS
from hw_models.neurons.verify import verify_binding
from hw_models.program.verify import verify_program
from hw_models.program.widths import FLAG, Width

#: What a probe of a projection may name.
SYNAPTIC = ("w", "t", "d", "x1", "x2", *FACTORS)
#: The stored weights of a sign mode, or of the carry form.
_WEIGHT_RANGES = {
    "MIXED": (-256, 255),
    "EXCITATORY": (0, 255),
    "INHIBITORY": (-255, 0),
    "carry": (CARRY_LOW, CARRY_HIGH),
}


def _require_integers(it: Any) -> None:
    """What a data class declares as an integer is one, and not a float or a number of numpy."""
    for name in _integers(it.__class__):
        value = getattr(it, name)
        assert value is None or type(value) is int, f"{type(it).__name__}.{name} is {value!r}"


@cache
def _integers(kind: type) -> tuple[str, ...]:
    hints = get_type_hints(kind)
    return tuple(it.name for it in fields(kind) if hints[it.name] in (int, int | None))


def verify_network(network: Network) -> None:
    """Names are unique and resolve, integers are integers, sizes are positive, endpoints exist in models."""
    connected = [projection.connectivity for projection in network.projections]
    named = (*network.populations, *network.projections, *connected, *network.plasticity)
    for it in (network, *named, *(() if network.task is None else (network.task,))):
        _require_integers(it)
    names = [population.name for population in network.populations]
    shared = set(names) & {projection.name for projection in network.projections}
    assert not shared, f"populations and projections have the names {shared}"
    assert len(set(names)) == len(names), "population names repeat"
    known = {population.name: network.model_of(population.name) for population in network.populations}
    assert all(population.size > 0 for population in network.populations), "an empty population"
    projection_names = [projection.name for projection in network.projections]
    assert len(set(projection_names)) == len(projection_names), "projection names repeat"
    rules = {plasticity.name for plasticity in network.plasticity}
    for projection in network.projections:
        assert projection.source.port in known[projection.source.population].program.outputs
        ports = {port.name for port in known[projection.target.population].ports}
        assert projection.target.port in ports
        assert projection.learn is None or projection.learn in rules
    if network.task is not None:
        assert {network.task.input, network.task.readout} <= set(names)


def verify_elaborated(elaborated: Elaborated) -> None:
    """Synapses are sorted, within their populations, and each has exactly one weight."""
    sizes = {population.name: population.size for population in elaborated.network.populations}
    for synapses in elaborated.synapses:
        projection = synapses.projection
        n_pre, n_post = sizes[projection.source.population], sizes[projection.target.population]
        assert synapses.pre.shape == synapses.post.shape == synapses.delays.shape
        assert (synapses.weights is None) != (synapses.quantiles is None)
        _verify_order(synapses.pre, synapses.post, n_pre, n_post, projection.name)
        assert not synapses.dense or synapses.pre.size == n_pre * n_post
        assert np.all(synapses.delays >= 0), "a delay below one step"
        values = synapses.quantiles if synapses.weights is None else synapses.weights
        shared = synapses.shared
        size = synapses.pre.size if shared is None else prod(shared.convolution.weights_shape)
        assert values is not None and values.shape == (size,), f"{values} for {size} weights"


def _verify_order(
    pre: NDArray[np.int32], post: NDArray[np.int32], n_pre: int, n_post: int, name: str
) -> None:
    """Synapses join neurons that exist, sorted by source and target, each once: simulators rely on it."""
    for ends, size in ((pre, n_pre), (post, n_post)):
        inside = ends.size == 0 or (ends.min() >= 0 and ends.max() < size)
        assert inside, f"{name} lists a neuron that is not there"
    rises = (pre[1:] > pre[:-1]) | ((pre[1:] == pre[:-1]) & (post[1:] > post[:-1]))
    assert np.all(rises), f"the synapses of {name} are unsorted or repeat"


#: Streams and seeds have 32 bits.
_INT32 = 1 << 31


def verify_chip_program(code: ChipProgram) -> None:
    """Parameters fit their declared widths, weights their mode, shapes and indices their populations."""
    populations = {population.name: population for population in code.populations}
    assert len(populations) == len(code.populations), "population names repeat"
    assert np.isfinite(code.step_ms) and code.step_ms > 0, f"a step of {code.step_ms} ms"
    assert type(code.seed) is int and 0 <= code.seed < 1 << 63, f"the seed is {code.seed}"
    # It names the chip's file.
    assert code.target in (*CHIPS, NO_CHIP), f"the target is {code.target!r}"
    for population in code.populations:
        _verify_population(population)
    for projection in code.projections:
        _verify_projection(projection, populations, on_chip=code.on_chip)
    verify_given(code)
    for name, variable in code.probes:
        if name in populations:
            program = populations[name].program
            assert variable in program.states or variable in program.outputs, f"no variable {name}.{variable}"
        else:
            assert any(it.name == name for it in code.projections), f"a probe of {name}, which is not there"
            assert variable in SYNAPTIC, f"no variable {name}.{variable}"
    if code.protocol is not None:
        verify_protocol(code, code.protocol)
    if code.task is not None:
        assert {code.task.input, code.task.readout} <= set(populations), "a task without its populations"
        for what in ("present", "teach_after", "epochs", "split", "order_stream"):
            value = getattr(code.task, what)
            assert type(value) is int and 0 <= value < 2 * _INT32, f"a task with {what} = {value}"
        assert code.task.present > 0, "a task that presents nothing"
        file = code.task.file
        assert file is not None or code.task.data in DATA_SHAPES, f"a task with data {code.task.data!r}"
        if file is not None:
            assert isfinite(file.low) and isfinite(file.high) and file.low < file.high, "data without a range"


def _verify_population(population: PopulationCode) -> None:
    name, program = population.name, population.program
    for what in ("size", "stream", "gather_every"):
        value = getattr(population, what)
        assert type(value) is int, f"the {what} of {name} is not an integer"
        assert 0 <= value < 2 * _INT32, f"the {what} of {name} is {value}"
    assert population.size > 0 and population.gather_every >= 0, f"{name} has {population.size} neurons"
    verify_program(program)
    if population.exact is not None:
        verify_program(population.exact)
        for group in ("states", "parameters", "inputs", "outputs", "initial"):
            same = getattr(population.exact, group) == getattr(program, group)
            assert same, f"the exact program of {name} has other {group}"
    assert (population.exact is None) == (not population.functions), f"{name} has tables of no function"
    for it in population.functions:
        counts = (it.low, it.high, it.entries, it.spacing)
        assert type(it.function) is str and all(type(count) is int for count in counts), f"a table of {name}"
        assert it.low <= it.high and it.entries > 0 and 0 <= it.spacing < 32, f"a table of {name} is empty"
        assert type(it.bound) is float and it.bound >= 0, f"a table of {name} has no bound"
    verify_binding(program, population.ports, population.roles, population.parameters)
    _verify_signals(population)
    for parameter, given in population.parameters.items():
        value = np.asarray(given)
        assert value.dtype.kind in "iu", f"{name}.{parameter} is not an integer"
        assert value.shape in ((), (population.size,)), f"{name}.{parameter} has shape {value.shape}"
    for parameter, width in program.parameters.items():
        value = np.asarray(population.parameters[parameter])
        inside = np.all((value >= width.low) & (value <= width.high))
        assert inside, f"{name}.{parameter} = {value} is outside {width}"
    for parameter, real in population.real.items():
        value = np.asarray(real)
        assert parameter in population.parameters, f"{name}.{parameter} has no integer"
        assert value.dtype == np.float64 and np.all(np.isfinite(value)), f"{name}.{parameter} is not real"
        assert value.shape in ((), (population.size,)), f"{name}.{parameter} has shape {value.shape}"
    for variable, origin in population.origins.items():
        value = np.asarray(origin)
        assert variable in population.units, f"{name}.{variable} has an origin, but no unit"
        assert value.dtype == np.float64 and np.all(np.isfinite(value)), f"{name}.{variable} has no origin"
        assert value.shape in ((), (population.size,)), f"the origins of {name}.{variable}: {value.shape}"
    assert set(population.initial) == set(population.real_initial), f"{name} starts in halves"
    for state, given in population.initial.items():
        assert state in program.states, f"{name} starts with {state}, which is not a state"
        value, width = np.asarray(given), program.states[state]
        assert value.dtype.kind in "iu", f"{name}.{state} starts with what is not an integer"
        assert value.shape in ((), (population.size,)), f"{name}.{state} starts with shape {value.shape}"
        inside = np.all((value >= width.low) & (value <= width.high))
        assert inside, f"{name}.{state} starts outside {width}"
        real = np.asarray(population.real_initial[state])
        assert real.dtype == np.float64 and np.all(np.isfinite(real)), f"{name}.{state} starts with no real"
        assert real.shape in ((), (population.size,)), f"{name}.{state} starts with shape {real.shape}"
    roles = population.roles
    assert (population.spikes is None) == (not roles.of_list), f"a list of {name} that nothing reads, or none"
    if population.spikes is not None:
        listed = population.spikes
        assert listed.dtype == np.int64 and listed.ndim == 2, f"the list of {name}"
        columns = 3 if roles.bound_to("message") else 2
        assert listed.shape[1] == columns, f"the list of {name} has {listed.shape[1]} columns"
        steps, neurons = listed.T[:2]
        inside = np.all(np.abs(2 * listed[:, 2:] + 1) < 1 << 16)
        assert inside, f"{name} lists a message of more than 16 bits"
        assert np.all(steps >= 0), f"{name} lists an event before the first step"
        assert np.all(np.diff(steps) >= 0), f"the events of {name} are unsorted"
        assert np.all((neurons >= 0) & (neurons < population.size)), f"{name} lists a neuron it has not"


def verify_bound(code: ChipProgram) -> None:
    """Every control of every program is bound to a signal, as the pass `bind` leaves it."""
    for population in code.populations:
        missing = [name for name in population.roles.controls if name not in population.signals]
        assert not missing, f"the inputs {', '.join(missing)} of {population.name} are bound to nothing"


def _verify_signals(population: PopulationCode) -> None:
    """Signals are of names that exist, and what they can be is within the widths of these."""
    name, program = population.name, population.program
    widths = {**program.inputs, **program.parameters}
    for bound, signal in population.signals.items():
        assert bound in widths, f"a signal of {name}.{bound}, which is neither an input nor a parameter"
        verify_signal(signal, f"{name}.{bound}", population.size)
        if isinstance(signal, Constant) and isinstance(signal.value, str):
            assert signal.value in population.parameters, f"{name}.{bound} is of no parameter: {signal.value}"
        ends = signal_range(signal)
        # What a run is given is checked where it is given.
        inside = ends is None or widths[bound].holds(Width(*ends))
        assert inside, f"the signal of {name}.{bound} is from {ends}, beyond {widths[bound]}"


def _verify_learning(learning: LearningCode, name: str) -> None:
    """What a learning engine receives has the declared types: code is generated from it."""
    assert learning.rounding in ("lava", "per_synapse"), f"{name} rounds by '{learning.rounding}'"
    for what in ("every", "shift", "consolidate_every", "stream", "trace_stream"):
        value = getattr(learning, what)
        assert type(value) is int, f"'{what}' of {name} is not an integer"
        assert -_INT32 <= value < 2 * _INT32, f"'{what}' of {name} is {value}"
    seed = learning.seed
    assert seed is None or (type(seed) is int and 0 <= seed < 1 << 63), f"the seed of {name} is {seed}"
    assert type(learning.whole) is bool, f"'whole' of {name} is not a truth value"
    assert learning.form in ("chip", "carry"), f"{name} learns in the form '{learning.form}'"
    kinds = ["plain"] if learning.form == "carry" else ["lava"] * len(learning.traces)
    found = [trace.kind for trace in learning.traces]
    assert found == kinds, f"{name} learns by traces of the kinds {found}"
    assert learning.every > 0, f"{name} learns every {learning.every} steps"
    for trace in learning.traces:
        assert trace.kind in ("lava", "plain"), f"{name} has a trace of kind '{trace.kind}'"
        assert trace.name in ("x1", "x2", *FACTORS), f"{name} has a trace '{trace.name}'"
        integers = (trace.decay, trace.impulse)
        assert all(type(value) is int for value in integers), f"a trace of {name} is not of integers"
        assert type(trace.tau) in (int, float) and np.isfinite(trace.tau), f"a trace of {name} has no tau"
        assert all(_is_real(it) for it in (trace.kept, trace.increment)), f"a trace of {name} is not real"
    for what in ("gate", "restart", "halvings"):
        verify_signal(getattr(learning, what), f"{name}.{what}", 1)
    assert _is_real(learning.rate) and _is_real(learning.consolidation), f"the rates of {name} are not real"
    assert learning.rate is None or learning.rate > 0, f"{name} learns at a rate of {learning.rate}"
    assert type(learning.gains) is tuple and all(type(gain) is float for gain in learning.gains)
    assert all(_is_real(gain) for gain in learning.gains), f"the gains of {name} are not real"
    for text in learning.rules.values():
        assert type(text) is str, f"a rule of {name} is not a text"


def _is_real(value: object) -> bool:
    """Whether an exact number is one, or left out."""
    return value is None or (type(value) is float and bool(np.isfinite(value)))


def _verify_projection(
    projection: ProjectionCode, populations: dict[str, PopulationCode], *, on_chip: bool
) -> None:
    name = projection.name
    source, target = populations[projection.source], populations[projection.target]
    assert projection.output in source.program.outputs, f"{name} has no output"
    assert projection.port in target.ports, f"{name} has no port"
    n_pre, n_post = source.size, target.size
    weights = projection.weights
    assert weights.dtype == np.int16, f"{name} has weights of {weights.dtype}"
    requested = projection.requested
    assert isinstance(requested, WeightDraws) or projection.stored.shape == requested.shape
    if projection.kernel is not None:
        _verify_kernel(projection, projection.kernel, n_pre, n_post)
    if projection.dense:
        assert weights.shape == (n_post, n_pre), f"{name} has weights {weights.shape}"
    else:
        assert weights.shape == projection.pre.shape == projection.post.shape, f"{name} has uneven lists"
        _verify_order(projection.pre, projection.post, n_pre, n_post, name)
    for what, dtype in (("pre", np.int32), ("post", np.int32), ("delays", np.int16)):
        found = getattr(projection, what).dtype
        assert found == dtype, f"{name} has {what} of {found}"
    assert projection.delays.shape == (weights.size,), f"{name} has {projection.delays.shape} delays"
    assert np.all(projection.delays >= 0), f"{name} has a delay below one step"
    carries = projection.learning is not None and projection.learning.form == "carry"
    form = "carry" if carries else projection.sign_mode
    low, high = _WEIGHT_RANGES[form]
    if projection.learning is not None:
        _verify_learning(projection.learning, name)
        followed = projection.learning.postsynaptic
        if projection.learning.reads_events:
            assert target.program.outputs.get(followed) == FLAG, f"{name} follows no events '{followed}'"
        gains = len(projection.learning.gains)
        assert not gains or gains == len(projection.learning.rule.products), f"{name} has {gains} gains"
    assert _is_real(projection.limit), f"the limit of {name} is not real"
    assert np.all((weights >= low) & (weights <= high)), f"{name} has weights outside {low}..{high}"
    exponent, most = projection.weight_exp, 32 if on_chip else 1000
    assert type(exponent) is int and abs(exponent) <= most, f"{name} has weights at 2^{exponent}"
    bits = projection.num_weight_bits
    assert type(bits) is int and 1 <= bits <= 8, f"{name} has weights of {bits} bits"
    if form != "carry":
        # Lava truncates others in its first step.
        step = 1 << (8 - bits + (projection.sign_mode == "MIXED"))
        assert not np.any(weights % step), f"{name} has weights that are not multiples of {step}"


def _verify_kernel(projection: ProjectionCode, kernel: KernelCode, n_pre: int, n_post: int) -> None:
    """The lists of a projection are those of its kernel."""
    name, convolution = projection.name, kernel.pairs.convolution
    assert not convolution.problem(), f"{name} has {convolution.problem()}"
    ends = (prod(convolution.source), prod(convolution.target))
    assert ends == (n_pre, n_post), f"{name} is a convolution of {ends} neurons"
    assert kernel.weights.dtype == np.int16 and kernel.weights.shape == convolution.weights_shape
    assert not projection.dense and projection.learning is None, f"{name} shares weights that learn"
    for found, made in ((projection.pre, kernel.pairs.pre), (projection.post, kernel.pairs.post)):
        assert found is made or np.array_equal(found, made), f"{name} lists other synapses than its kernel"
    assert np.array_equal(projection.weights, kernel.listed), f"{name} does not have its kernel's weights"


def verify_partition(partition: Partition) -> None:
    """Every neuron that is not a source's lies on one neurocore; every limit, counted again, is kept."""
    verify_chip_program(partition.code)
    faults = placement_faults(partition)
    assert not faults, "; ".join(faults[:3])

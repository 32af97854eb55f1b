"""From a `ChipProgram` to connected Lava processes, stock ones wherever they mean the same.

    lif, one parameter for all, sums that fit, free run     LIF
    any other population                                    its program's own process
    a convolution without delays, exponent 0 or above       Conv
    any other fixed weights                                 Dense, Sparse, DelayDense, DelaySparse
    chip form, all to all, no delays, rounding lava         LearningDense
    chip form, else                                         LearningDense with a derived model
    carry form                                              CarryDense

Each process is given its model, so that Lava does not search for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule
from lava.proc.conv.process import Conv
from lava.proc.dense.models import (
    PyDelayDenseModelBitAcc,
    PyDenseModelBitAcc,
    PyLearningDenseModelBitApproximate,
)
from lava.proc.dense.process import DelayDense, Dense, LearningDense
from lava.proc.lif.models import PyLifModelBitAcc
from lava.proc.lif.process import LIF
from lava.proc.sparse.models import PyDelaySparseModelBitAcc, PySparseModelBitAcc
from lava.proc.sparse.process import DelaySparse, Sparse
from lava.utils.weightutils import SignMode
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from burstchip.backends.lava.processes.connections import (
    CarryDense,
    PyCarryDense,
    PyLearningConnection,
    SynapseDraws,
)
from burstchip.backends.lava.processes.convolution import (
    conv_input,
    conv_output,
    conv_process,
    uses_stock_conv,
)
from burstchip.backends.lava.processes.neurons import population_process
from burstchip.backends.lava.processes.recorded import (
    learning_values,
    neuron_values,
    recorded,
    static_values,
)
from burstchip.backends.lava.recorder import Recorder
from compiler.ir.chip_program import FACTORS, ChipProgram, LearningCode, PopulationCode, ProjectionCode
from compiler.ir.signals import Host
from compiler.passes.check_inputs import greatest_input
from hw_models.neurons.lif import LIF as STOCK_LIF
from hw_models.program.widths import FLAG

#: Any number above 0 makes a connection multiply by the message; wide enough for all of ours.
GRADED_BITS = 24


@dataclass
class LavaNetwork:
    """Processes by the name of their population or projection, and the model of each."""

    neurons: dict[str, Any] = field(default_factory=dict)
    connections: dict[str, Any] = field(default_factory=dict)
    models: dict[Any, type] = field(default_factory=dict)

    @property
    def stock(self) -> tuple[str, ...]:
        """Names of populations and projections whose process and arithmetic are Lava's own."""
        named = {**self.neurons, **self.connections}
        return tuple(name for name, process in named.items() if is_stock(self.models[process]))


def is_stock(model: type) -> bool:
    """Whether a model's phases are Lava's own, written down or not."""
    kind = model.__base__ if model.__name__.startswith("Recorded") else model
    return kind is not None and kind.__module__.startswith("lava.")


def uses_stock_lif(code: ChipProgram, population: PopulationCode) -> bool:
    """Whether stock LIF computes the same: it has one decay and threshold, clips no sums, starts at once."""
    if population.program != STOCK_LIF.program or code.lead_in or population.signals:
        return False
    width = population.program.inputs["soma"]
    one = all(np.ndim(population.parameters[name]) == 0 for name in ("du", "dv", "vth"))
    return one and greatest_input(code, population.name, "soma") <= min(-width.low, width.high)


def build_network(code: ChipProgram, host: Host, recorders: Mapping[str, Recorder]) -> LavaNetwork:
    """The program's processes, connected. Those named in `recorders` write down what they do."""
    network = LavaNetwork()
    for population in code.populations:
        process, model = _neurons(code, population, host, recorders.get(population.name))
        network.neurons[population.name] = process
        network.models[process] = model
    for projection in code.projections:
        process, model = _connection(code, projection, host, recorders.get(projection.name))
        network.connections[projection.name] = process
        network.models[process] = model
        _wire(code, projection, process, network)
    return network


def _neurons(
    code: ChipProgram, population: PopulationCode, host: Host, recorder: Recorder | None
) -> tuple[Any, type]:
    shape = (population.size,)
    if uses_stock_lif(code, population):
        numbers = {name: population.parameters[name] for name in ("du", "dv", "vth")}
        process = LIF(
            shape=shape,
            **{name: int(value) for name, value in numbers.items()},
            bias_mant=population.parameters["bias_mant"],
            bias_exp=population.parameters["bias_exp"],
            **{state: np.broadcast_to(value, shape) for state, value in population.initial.items()},
            name=population.name,
            recorder=recorder,
        )
        return process, recorded(PyLifModelBitAcc, neuron_values) if recorder else PyLifModelBitAcc
    kind, model = population_process(population)
    # The clock of sources is ahead with a task.
    ahead = code.lead if population.is_source else 0
    return (
        kind(
            shape=shape,
            parameters=population.parameters,
            stream=population.stream,
            seed=code.seed,
            signals=population.signals,
            host=host,
            behind=1 + code.lead_in - ahead,
            spikes=population.spikes,
            initial=population.initial,
            recorder=recorder,
            name=population.name,
        ),
        model,
    )


def matrices(
    code: ChipProgram, projection: ProjectionCode
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """(weights, delays, connected) of a projection, each [post, pre]; 0 where a synapse is missing."""
    shape = (code.population(projection.source).size, code.population(projection.target).size)
    if projection.dense:
        delays = projection.delays.reshape(shape).T
        return projection.weights.astype(np.int32), delays.astype(int), np.ones(shape[::-1], dtype=bool)
    weights, delays = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=int)
    connected = np.zeros(shape, dtype=bool)
    pairs = (projection.pre, projection.post)
    weights[pairs], delays[pairs], connected[pairs] = projection.weights, projection.delays, True
    return weights.T, delays.T, connected.T


def _message_bits(code: ChipProgram, projection: ProjectionCode) -> int:
    width = code.population(projection.source).program.outputs[projection.output]
    return 0 if width == FLAG else GRADED_BITS


def _connection(
    code: ChipProgram, projection: ProjectionCode, host: Host, recorder: Recorder | None
) -> tuple[Any, type]:
    if uses_stock_conv(code, projection):
        return conv_process(projection, _message_bits(code, projection), recorder)
    weights, delays, connected = matrices(code, projection)
    shared: dict[str, Any] = {
        "weights": np.ascontiguousarray(weights),
        "weight_exp": projection.weight_exp,
        "num_message_bits": _message_bits(code, projection),
        "name": projection.name,
        "recorder": recorder,
    }
    learning = projection.learning
    if learning is not None and learning.form == "carry":
        process = CarryDense(
            **shared,
            delays=delays,
            connected=connected,
            learning=learning,
            host=host,
            behind=1 + code.lead_in,
            seed=learning.seed_in(code.seed),
        )
        return process, PyCarryDense
    shared |= {"num_weight_bits": projection.num_weight_bits, "sign_mode": SignMode[projection.sign_mode]}
    if learning is not None:
        return _plastic(code, projection, learning, shared, delays, connected)
    delayed = bool(np.any(delays))
    if not projection.dense and weights.any():
        # An explicit 0 is a synapse too, but sends nothing.
        shared["weights"] = csr_matrix(shared["weights"])
        kind, model = (DelaySparse, PyDelaySparseModelBitAcc) if delayed else (Sparse, PySparseModelBitAcc)
        delay_values: Any = csr_matrix(delays)
    else:
        kind, model = (DelayDense, PyDelayDenseModelBitAcc) if delayed else (Dense, PyDenseModelBitAcc)
        delay_values = delays
    if delayed:
        shared |= {"delays": delay_values, "max_delay": int(delays.max())}
    return kind(**shared), recorded(model, static_values) if recorder else model


def _plastic(
    code: ChipProgram,
    projection: ProjectionCode,
    learning: LearningCode,
    shared: dict[str, Any],
    delays: NDArray[Any],
    connected: NDArray[Any],
) -> tuple[Any, type]:
    traces: dict[str, Any] = {}
    for trace in learning.traces:
        traces |= {f"{trace.name}_tau": trace.tau, f"{trace.name}_impulse": trace.impulse}
    seed = learning.seed_in(code.seed)
    kind = Loihi3FLearningRule if learning.third_factors else Loihi2FLearningRule
    rule = kind(**learning.rules, **traces, t_epoch=learning.every, rng_seed=seed)
    own: dict[str, Any] = {}
    if learning.rounding == "per_synapse":
        own["draws"] = SynapseDraws(
            seed, learning.stream, learning.trace_stream, learning.every, code.lead_in
        )
    if np.any(delays):
        own["delays"] = delays
    if not projection.dense:
        own["connected"] = connected
    process = LearningDense(**shared, learning_rule=rule, **own)
    model = PyLearningConnection if own else PyLearningDenseModelBitApproximate
    return process, recorded(model, learning_values, True) if shared["recorder"] else model


def _wire(code: ChipProgram, projection: ProjectionCode, connection: Any, network: LavaNetwork) -> None:
    source, target = network.neurons[projection.source], network.neurons[projection.target]
    stock = isinstance(source, LIF)
    sender = source.s_out if stock else getattr(source, f"s_out_{projection.output}")
    convolves = isinstance(connection, Conv)
    (conv_input(sender, projection) if convolves else sender).connect(connection.s_in)
    stock = isinstance(target, LIF)
    receiver = target.a_in if stock else getattr(target, f"a_in_{projection.port}")
    (conv_output(connection, projection) if convolves else connection.a_out).connect(receiver)
    learning = projection.learning
    if learning is None:
        return
    population = code.population(projection.target)
    if learning.form == "carry":
        getattr(target, f"s_out_{population.roles.gathered}").connect(connection.s_in_y1)
        return
    if learning.reads_events:
        spikes = target.s_out if stock else getattr(target, f"s_out_{learning.postsynaptic}")
        spikes.connect(connection.s_in_bap)
    if learning.third_factors:
        for factor in FACTORS:
            if factor in population.program.outputs:
                getattr(target, f"s_out_{factor}").connect(getattr(connection, f"s_in_{factor}"))

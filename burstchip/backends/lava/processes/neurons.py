"""Lava processes made from integer programs: one process and one model for each program.

A program's port `p` is the InPort `a_in_p`, its output `o` the OutPort `s_out_o`; states and parameters are
Vars of their own names. `BurstUnit` is the bursting neuron, to be wired by hand like any Lava process:

    neurons = BurstUnit(shape=(10,), parameters={...})
    dense.a_out.connect(neurons.a_in_soma);  neurons.s_out_events.connect(next.s_in)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from burstchip.backends.lava.recorder import COUNTED, COUNTS, Recorder
from compiler.ir.chip_program import PopulationCode
from compiler.ir.signals import Host, Signal, value_at
from compiler.passes.bind import control_signal
from compiler.passes.quantize_neurons import rounded
from hw_models.neurons.burst_unit import BURST_UNIT
from hw_models.neurons.model import NeuronModel
from hw_models.neurons.roles import Roles
from hw_models.program.numpy_interpreter import step
from hw_models.program.random import key
from hw_models.program.rewrite import inputs_read
from hw_models.program.serialise import program_sha256
from hw_models.program.trace import Program


def sent_variables(program: Program, roles: Roles) -> tuple[str, ...]:
    """What a process sends each step: the program's outputs, and the gathered burst error if it has one.

    Synapses of the carry form read it, so that the state is sent like an output.
    """
    outputs = tuple(program.outputs)
    return (*outputs, roles.gathered) if roles.gathered else outputs


@lru_cache(maxsize=1)
def _taken() -> frozenset[str]:
    """Attributes of Lava's classes, of their instances, and of ours."""

    class Bare(PyLoihiProcessModel):  # type: ignore[misc]
        pass

    own = ("name", "id", "program", "ports", "roles", "size", "read", "behind", "host", "recorder", "counts")
    return frozenset((*dir(AbstractProcess), *dir(Bare), *vars(Bare({})), *own))


def var_name(name: str) -> str:
    """The Var of a state or parameter; a name that Lava uses itself gets a `_` behind it."""
    return f"{name}_" if name in _taken() else name


class PyProgram(PyLoihiProcessModel):  # type: ignore[misc]
    """Runs a population's integer program once in each step, in the `numpy` interpretation."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.program: Program = proc_params["program"]
        self.ports: tuple[str, ...] = proc_params["ports"]
        self.roles: Roles = proc_params["roles"]
        self.size: int = proc_params["shape"][0]
        self.read = inputs_read(self.program)
        #: Lava's step t is the clock t - behind.
        self.behind: int = proc_params["behind"]
        self.host: Host = proc_params["host"]
        self.recorder: Recorder | None = proc_params["recorder"]
        #: How many events and bursts were emitted, how many summed inputs clipped to their port's width.
        self.counts = np.zeros(len(COUNTED), dtype=np.int64)

    def run_spk(self) -> None:
        """Receive the ports' sums, run the program, send its outputs."""
        sums = {port: getattr(self, f"a_in_{port}").recv() for port in self.ports}
        clock = self.time_step - self.behind
        sent = sent_variables(self.program, self.roles)
        if clock < 0:
            outputs = {name: np.zeros(self.size, dtype=np.int32) for name in sent}
        else:
            outputs = self._step(clock, sums)
            self.counts[:2] += [np.count_nonzero(outputs.get(name, 0)) for name in COUNTED[:2]]
        for name in sent:
            getattr(self, f"s_out_{name}").send(outputs[name].astype(np.int32))
        if self.recorder is not None:
            states = {name: getattr(self, var_name(name)) for name in self.program.states}
            self.recorder.write(self.time_step, {**states, **outputs, COUNTS: self.counts})

    def _step(self, clock: int, sums: Mapping[str, Any]) -> dict[str, Any]:
        program = self.program
        given = self.proc_params
        signals = {
            name: value_at(signal, clock, self.host, given["parameters"], given["spikes"], self.size)
            for name, signal in given["signals"].items()
        }
        # One number for all neurons too: a program that reads nothing else has its size from them.
        parameters = {
            name: np.broadcast_to(
                signals[name] if name in signals else getattr(self, var_name(name)), (self.size,)
            )
            for name in program.parameters
        }
        states = {name: getattr(self, var_name(name)) for name in program.states}
        inputs = {name: value for name, value in signals.items() if name in program.inputs}
        for name, values in sums.items():
            width, total = program.inputs[name], values.astype(np.int64) + signals.get(name, 0)
            inputs[name] = np.clip(total, width.low, width.high)
            if name in self.read:
                self.counts[2] += np.count_nonzero(inputs[name] != total)
        every = {n: np.broadcast_to(np.asarray(v), (self.size,)) for n, v in inputs.items()}
        draw = key(self.proc_params["seed"], self.proc_params["stream"], clock)
        states, outputs = step(program, states, parameters, every, int(draw))
        for name, values in states.items():
            getattr(self, var_name(name))[:] = values
        gathered = self.roles.gathered
        return {**outputs, gathered: states[gathered]} if gathered else outputs


def _free_run(roles: Roles, gather_every: int) -> dict[str, Signal]:
    """The signals of a program without a task whose synapses learn, if any do, in epochs of so many steps."""
    return {name: control_signal(bound, roles, gather_every, 0) for name, bound in roles.controls.items()}


class ProgramProcess(AbstractProcess):  # type: ignore[misc]
    """A population of one program; `program`, `ports` and `roles` are set by each subclass.

    `parameters` are the program's integers, a number or one value a neuron each. `stream` and `seed` fix the
    random draws, `gather_every` is the learning epoch of the plastic synapses that end here (steps, 0 for
    none), `spikes` the (step, neuron) of a spike list or (step, neuron, message). `signals` bind inputs and
    parameters as the compiler does, by default to those of a free run. `initial` has the states that do
    not start as the program says. Lava's step t is the clock t - `behind`; neurons rest before clock 0.
    """

    program: Program
    ports: tuple[str, ...]
    roles: Roles

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        parameters: Mapping[str, Any],
        stream: int = 0,
        seed: int = 0,
        gather_every: int = 0,
        signals: Mapping[str, Signal] | None = None,
        host: Host | None = None,
        behind: int = 1,
        spikes: Any = None,
        initial: Mapping[str, Any] | None = None,
        recorder: Recorder | None = None,
        name: str | None = None,
    ) -> None:
        kind = type(self)
        super().__init__(
            program=kind.program,
            ports=kind.ports,
            roles=kind.roles,
            shape=shape,
            parameters=dict(parameters),
            stream=stream,
            seed=seed,
            signals=_free_run(kind.roles, gather_every) if signals is None else signals,
            host=Host() if host is None else host,
            behind=behind,
            spikes=spikes,
            recorder=recorder,
            name=name,
        )
        for port in kind.ports:
            setattr(self, f"a_in_{port}", InPort(shape=shape))
        for output in sent_variables(kind.program, kind.roles):
            setattr(self, f"s_out_{output}", OutPort(shape=shape))
        for parameter in kind.program.parameters:
            value = np.asarray(parameters[parameter], dtype=np.int64)
            setattr(self, var_name(parameter), Var(shape=value.shape or (1,), init=value))
        for state in kind.program.states:
            start = {**kind.program.initial, **(initial or {})}[state]
            value = np.asarray(parameters[start] if isinstance(start, str) else start, dtype=np.int64)
            setattr(self, var_name(state), Var(shape=shape, init=np.broadcast_to(value, shape).copy()))


Classes = tuple[type[ProgramProcess], type[PyProgram]]

#: The classes made so far, by everything in which they differ.
_made: dict[tuple[object, ...], Classes] = {}


def _process(name: str, doc: str, program: Program, ports: tuple[str, ...], roles: Roles) -> Classes:
    identity = (name, program_sha256(program), ports, repr(roles))
    if identity in _made:
        return _made[identity]
    title = "".join(part.capitalize() for part in name.split("_"))
    own = {"__module__": __name__, "__doc__": doc, "program": program, "ports": ports, "roles": roles}
    process = type(title, (ProgramProcess,), own)
    variables: dict[str, Any] = {f"a_in_{port}": LavaPyType(PyInPort.VEC_DENSE, np.int32) for port in ports}
    sent = sent_variables(program, roles)
    variables |= {f"s_out_{o}": LavaPyType(PyOutPort.VEC_DENSE, np.int32) for o in sent}
    variables |= {
        var_name(variable): LavaPyType(np.ndarray, np.int64)
        for variable in (*program.states, *program.parameters)
    }
    bare = type(f"Py{title}", (PyProgram,), {"__module__": __name__, **variables})
    run = implements(proc=process, protocol=LoihiProtocol)(requires(CPU)(tag("fixed_pt")(bare)))
    # Lava finds the model of a process among the names of the module that the process is of.
    globals().update({made.__name__: made for made in (process, run)})
    _made[identity] = process, run
    return _made[identity]


def population_process(population: PopulationCode) -> Classes:
    """(process, model) that run a population's program."""
    doc = f"Neurons of the program {population.program.name}."
    return _process(population.model, doc, population.program, population.ports, population.roles)


def neuron_process(model: NeuronModel) -> Classes:
    """(process, model) of a neuron model, to be wired by hand."""
    ports = tuple(port.name for port in model.ports)
    return _process(model.name, model.doc, model.program, ports, model.roles)


def integers_of(model: NeuronModel, step_ms: float, **values: float) -> Mapping[str, Any]:
    """The `parameters` of a model's process from physical ones: in ms, mV, pA, pF and Hz, or as fractions.

    What is not given takes its default.
    """
    physical = {parameter.name: parameter.default or 0.0 for parameter in model.parameters}
    unknown = values.keys() - physical.keys()
    assert not unknown, f"{model.name} has no parameter {sorted(unknown)}; it has {sorted(physical)}"
    return rounded(model, {**physical, **values}, step_ms).integers


BurstUnit, PyBurstUnit = neuron_process(BURST_UNIT)

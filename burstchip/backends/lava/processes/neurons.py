"""Lava processes made from integer programs: one process and one model for each neuron model.

A program's port `p` is the InPort `a_in_p`, its output `o` the OutPort `s_out_o`; states and parameters are
Vars of their own names. `BurstUnit` is the bursting neuron, to be wired by hand like any Lava process:

    neurons = BurstUnit(shape=(10,), parameters={...})
    dense.a_out.connect(neurons.a_in_soma);  neurons.s_out_events.connect(next.s_in)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
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

from burstchip.backends.lava.recorder import Recorder
from burstchip.backends.lava.schedule import Schedule, source_values
from hw_models.neurons.model import NeuronModel
from hw_models.neurons.registry import models
from hw_models.program.numpy_interpreter import step
from hw_models.program.random import key

#: A state that synapses of the carry form read, sent like an output.
GATHERED = "gathered"


def sent_variables(model: NeuronModel) -> tuple[str, ...]:
    """What a process sends each step: the program's outputs, and the gathered burst error if it has one."""
    outputs = tuple(model.program.outputs)
    return (*outputs, GATHERED) if GATHERED in model.program.states else outputs


@lru_cache(maxsize=1)
def _taken() -> frozenset[str]:
    """Attributes of Lava's classes, of their instances, and of ours."""

    class Bare(PyLoihiProcessModel):  # type: ignore[misc]
        pass

    own = ("name", "id", "model", "size", "schedule", "recorder", "clipped")
    return frozenset((*dir(AbstractProcess), *dir(Bare), *vars(Bare({})), *own))


def var_name(name: str) -> str:
    """The Var of a state or parameter; a name that Lava uses itself gets a `_` behind it."""
    return f"{name}_" if name in _taken() else name


class PyProgram(PyLoihiProcessModel):  # type: ignore[misc]
    """Runs a population's integer program once in each step, in the `numpy` interpretation."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.model: NeuronModel = proc_params["model"]
        self.size: int = proc_params["shape"][0]
        self.schedule: Schedule = proc_params["schedule"]
        self.recorder: Recorder | None = proc_params["recorder"]
        #: How many summed inputs were clipped to their port's width.
        self.clipped = 0

    def run_spk(self) -> None:
        """Receive the ports' sums, run the program, send its outputs."""
        program = self.model.program
        sums = {port.name: getattr(self, f"a_in_{port.name}").recv() for port in self.model.ports}
        source = self.model.kind == "source"
        clock = self.schedule.source_clock(self.time_step) if source else self.schedule.clock(self.time_step)
        if clock < 0:
            outputs = {name: np.zeros(self.size, dtype=np.int32) for name in sent_variables(self.model)}
        else:
            outputs = self._step(clock, sums)
        for name in sent_variables(self.model):
            getattr(self, f"s_out_{name}").send(outputs[name].astype(np.int32))
        if self.recorder is not None:
            states = {name: getattr(self, var_name(name)) for name in program.states}
            self.recorder.write(self.time_step, {**states, **outputs, "clipped": np.array([self.clipped])})

    def _step(self, clock: int, sums: Mapping[str, Any]) -> dict[str, Any]:
        program = self.model.program
        parameters = {name: getattr(self, var_name(name)) for name in program.parameters}
        states = {name: getattr(self, var_name(name)) for name in program.states}
        inputs: dict[str, Any] = dict(self.schedule.controls(clock, self.proc_params["gather_every"]))
        for name, values in sums.items():
            width = program.inputs[name]
            inputs[name] = np.clip(values.astype(np.int64), width.low, width.high)
            self.clipped += int(np.count_nonzero(inputs[name] != values))
        inputs["label"] = (
            self.schedule.label(clock, self.size)
            if self.proc_params["taught"]
            else np.zeros(self.size, dtype=np.int64)
        )
        if "value" in program.inputs:
            inputs["value"] = self._value(clock)
        every = {n: np.broadcast_to(np.asarray(v), (self.size,)) for n, v in inputs.items()}
        draw = key(self.proc_params["seed"], self.proc_params["stream"], clock)
        states, outputs = step(program, states, parameters, every, int(draw))
        for name, values in states.items():
            getattr(self, var_name(name))[:] = values
        return {**outputs, GATHERED: states[GATHERED]} if GATHERED in states else outputs

    def _value(self, clock: int) -> Any:
        spikes = self.proc_params["spikes"]
        if spikes is not None:
            value = np.zeros(self.size, dtype=np.int64)
            value[spikes[spikes[:, 0] == clock, 1]] = 1
            return value
        return source_values(
            self.schedule, clock, self.proc_params["parameters"], self.size, self.proc_params["pictured"]
        )


class ProgramProcess(AbstractProcess):  # type: ignore[misc]
    """A population of one neuron model; `model` is set by each subclass.

    `parameters` are the program's integers, a number or one value a neuron each. `stream` and `seed` fix the
    random draws, `gather_every` is the learning epoch of the plastic synapses that end here (steps, 0 for
    none), `spikes` the (step, neuron) of a spike list. `pictured` sources show the schedule's pictures,
    `taught` populations its labels.
    """

    model: NeuronModel

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        parameters: Mapping[str, Any],
        stream: int = 0,
        seed: int = 0,
        gather_every: int = 0,
        schedule: Schedule | None = None,
        spikes: Any = None,
        pictured: bool = False,
        taught: bool = False,
        recorder: Recorder | None = None,
        name: str | None = None,
    ) -> None:
        model = type(self).model
        super().__init__(
            model=model,
            shape=shape,
            parameters=dict(parameters),
            stream=stream,
            seed=seed,
            gather_every=gather_every,
            schedule=schedule or Schedule(),
            spikes=spikes,
            pictured=pictured,
            taught=taught,
            recorder=recorder,
            name=name,
        )
        for port in model.ports:
            setattr(self, f"a_in_{port.name}", InPort(shape=shape))
        for output in sent_variables(model):
            setattr(self, f"s_out_{output}", OutPort(shape=shape))
        for parameter in model.program.parameters:
            value = np.asarray(parameters[parameter], dtype=np.int64)
            setattr(self, var_name(parameter), Var(shape=value.shape or (1,), init=value))
        for state in model.program.states:
            start = model.program.initial[state]
            value = np.asarray(parameters[start] if isinstance(start, str) else start, dtype=np.int64)
            setattr(self, var_name(state), Var(shape=shape, init=np.broadcast_to(value, shape).copy()))


@cache
def neuron_process(name: str) -> tuple[type[ProgramProcess], type[PyProgram]]:
    """(process, model) of the registered neuron model `name`."""
    model = models()[name]
    title = "".join(part.capitalize() for part in name.split("_"))
    process = type(title, (ProgramProcess,), {"__module__": __name__, "__doc__": model.doc, "model": model})
    ports: dict[str, Any] = {
        f"a_in_{port.name}": LavaPyType(PyInPort.VEC_DENSE, np.int32) for port in model.ports
    }
    ports |= {f"s_out_{o}": LavaPyType(PyOutPort.VEC_DENSE, np.int32) for o in sent_variables(model)}
    variables = {
        var_name(variable): LavaPyType(np.ndarray, np.int64)
        for variable in (*model.program.states, *model.program.parameters)
    }
    bare = type(f"Py{title}", (PyProgram,), {"__module__": __name__, **ports, **variables})
    run = implements(proc=process, protocol=LoihiProtocol)(requires(CPU)(tag("fixed_pt")(bare)))
    return process, run


def integers_of(name: str, step_ms: float, **values: float) -> Mapping[str, Any]:
    """The `parameters` of a model's process from physical ones: in ms, mV, pA, pF and Hz, or as fractions.

    What is not given takes its default.
    """
    model = models()[name]
    physical = {parameter.name: parameter.default or 0.0 for parameter in model.parameters}
    unknown = values.keys() - physical.keys()
    assert not unknown, f"{name} has no parameter {sorted(unknown)}; it has {sorted(physical)}"
    return model.quantize({**physical, **values}, step_ms).parameters


BurstUnit, PyBurstUnit = neuron_process("burst_unit")
# Lava finds the model of a process among the names of the module that the process is of.
for _name in models():
    for _class in neuron_process(_name):
        globals().setdefault(_class.__name__, _class)

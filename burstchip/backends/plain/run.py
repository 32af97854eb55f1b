"""A program under way in numpy: `PlainRun._step` is the order of `docs/time.md`, line by line.

Slow, and for small networks: synapses that learn are matrices, whatever their connectivity.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.host_values import check_ahead, written_value
from burstchip.backends.integers import require_integers
from burstchip.backends.plain.learning import follow_arrivals, learn_by_carry, note_and_learn
from burstchip.backends.plain.neurons import Neurons, resting
from burstchip.backends.plain.synapses import Synapses, at_the_start
from burstchip.interruption import uninterrupted
from burstchip.variables import Place, check_place
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Host, Signal, value_at
from hw_models.neurons.roles import LEARNING_CONTROLS
from hw_models.plasticity.carry import forward_weight
from hw_models.program.random import key

Integers = NDArray[np.int64]
#: What synapses hold beside the messages under way.
_SYNAPTIC = ("w", "t", "d", "x", "y", "noted_x", "noted_y")


class PlainRun:
    """A program from its start; `clock` is the number of steps done, `readout` the class of each sample.

    `host` holds the streams that the program's signals are of, and what is written between two calls. Without
    `learning` weights stay, and the lead-in is that of the sources alone; those of projections in `frozen`
    stay as well.
    """

    def __init__(
        self,
        code: ChipProgram,
        host: Host | None = None,
        record: Sequence[Place] = (),
        *,
        learning: bool = True,
        seed: int | None = None,
        frozen: Collection[str] = (),
        begin: int = 0,
    ) -> None:
        require_integers(code)
        self.code, self.clock, self.learning = code, begin, learning
        self.host, self.record = Host() if host is None else host, tuple(record)
        self.seed = code.seed if seed is None else seed
        self.lead_in = code.lead_in if learning else code.lead
        self.readout: list[int] = []
        self.neurons = {population.name: resting(population) for population in code.populations}
        self.synapses = [
            at_the_start(p, code.population(p.source).size, code.population(p.target).size, learning)
            for p in code.projections
        ]
        self.frozen, self.led_in = frozenset(frozen), False

    def __repr__(self) -> str:
        return f"<run of '{self.code.name}' on plain, {self.clock:,} steps done>"

    def advance(self, steps: int) -> dict[Place, Integers]:
        """Take `steps` steps; what is recorded at the end of each, [step, index]."""
        check_ahead(steps)
        kept: dict[Place, list[Integers]] = {place: [] for place in self.record}
        if not self.led_in:
            with uninterrupted():
                self._lead_in()
        for _ in range(steps):
            with uninterrupted():
                self._step(self.clock)
                self.clock += 1
            for place, values in kept.items():
                values.append(self.read(*place))
        return {
            place: np.array(values, dtype=np.int64).reshape(len(values), self.read(*place).size)
            for place, values in kept.items()
        }

    def read(self, place: str, variable: str) -> Integers:
        """A copy of a population's state or output, [neuron], or of a projection's `Synapses.variable`."""
        check_place(self.code, (place, variable))
        if place in self.neurons:
            neurons = self.neurons[place]
            return np.array({**neurons.output, **neurons.state}[variable])
        return np.array(self._synapses(place).variable(variable))

    def write(self, name: str, value: Any) -> None:
        """Set what the host writes as `name`, from the next step on."""
        self.host.written[name] = written_value(self.code, name, value, real=False)

    def weights(self, name: str) -> Integers:
        """The weights that events see, [source, target] where dense, in units of 2^weight_exp."""
        it = self._synapses(name)
        return forward_weight(it.listed) if it.learns("carry") else it.listed

    def set_weights(self, weights: Mapping[str, Integers]) -> None:
        """Take these for the weights that events see, by projection; without learning alone."""
        assert not self.learning
        for name, values in weights.items():
            self._synapses(name).w[...] = values

    def state(self) -> dict[str, Integers]:
        """Everything that the run goes on from, beside its clock and what the host wrote."""
        kept: dict[str, Integers] = {}
        for name, neurons in self.neurons.items():
            kept |= {f"{name}.state.{variable}": values for variable, values in neurons.state.items()}
            kept |= {f"{name}.output.{variable}": values for variable, values in neurons.output.items()}
            kept[f"{name}.counts"] = np.array([neurons.events, neurons.bursts, neurons.clipped])
        for it in self.synapses:
            for variable in _SYNAPTIC:
                kept[f"{it.code.name}.{variable}"] = getattr(it, variable)
            # The first row is due in this step.
            none = np.zeros_like(it.noted_y)
            rows = [it.arriving.get(self.clock + k, none) for k in range(it.longest)]
            kept[f"{it.code.name}.arriving"] = np.array(rows)
        return kept

    def restore(self, state: Mapping[str, Integers], clock: int) -> None:
        """Go on from the state that another run of the program had after `clock` steps."""
        self.clock, self.led_in = clock, clock > 0
        for name, neurons in self.neurons.items():
            neurons.state = {it: state[f"{name}.state.{it}"].copy() for it in neurons.state}
            neurons.output = {it: state[f"{name}.output.{it}"].copy() for it in neurons.output}
            neurons.events, neurons.bursts, neurons.clipped = (int(n) for n in state[f"{name}.counts"])
        for it in self.synapses:
            for variable in _SYNAPTIC:
                setattr(it, variable, state[f"{it.code.name}.{variable}"].copy())
            rows = state[f"{it.code.name}.arriving"]
            it.arriving = {clock + k: rows[k].copy() for k in range(it.longest)}

    @property
    def events(self) -> dict[str, int]:
        """How many events each population has emitted."""
        return {name: neurons.events for name, neurons in self.neurons.items()}

    @property
    def bursts(self) -> dict[str, int]:
        """How many bursts each population that has any has emitted."""
        bursting = {n: it for n, it in self.neurons.items() if "bursts" in it.code.program.outputs}
        return {name: neurons.bursts for name, neurons in bursting.items()}

    @property
    def clipped(self) -> dict[str, int]:
        """How many summed inputs of each population left their width."""
        return {name: neurons.clipped for name, neurons in self.neurons.items()}

    def adopt(self, state: Mapping[str, Integers]) -> None:
        """Take neurons and weights from the state of another run, but no messages, traces and tags."""
        for name, neurons in self.neurons.items():
            neurons.state = {it: state[f"{name}.state.{it}"].copy() for it in neurons.state}
        for it in self.synapses:
            it.w = state[f"{it.code.name}.w"].copy()

    def close(self) -> None:
        """Nothing is held beyond memory."""

    def _synapses(self, name: str) -> Synapses:
        return next(it for it in self.synapses if it.code.name == name)

    def _lead_in(self) -> None:
        """Before clock 0 of a task neurons rest; in the last of these steps the sources emit for clock 0."""
        for n in range(self.clock - self.lead_in, self.clock):
            if n == self.clock - 1:
                self._update(n + 1, sources=True)
            self._emit_and_learn_in_chip(n)
        self.led_in = True

    def _step(self, n: int) -> None:
        # Deliver. The chip form's messages left with the weights of the step in which they were emitted.
        for it in self.synapses:
            if not it.learns("chip"):
                it.send(self._sent(it), n)
            if it.learning is not None and it.learns("carry"):
                follow_arrivals(it, self._sent(it), anew=bool(self._value(it.learning.restart, n)))
        # Neurons, which emit; with a task the read-out at a sample's end; then sources.
        self._update(n, sources=False)
        if self.code.task is not None and n % self.code.task.present == self.code.task.present - 1:
            self.readout.append(self._class_read_out(self.code.task.readout))
        self._update(n + self.code.lead, sources=True)
        # Traces, and learning. What was emitted in this step leaves with the weights from before.
        self._emit_and_learn_in_chip(n)
        for it in self.synapses:
            if it.learning is not None and it.learns("carry") and (n + 1) % it.learning.every == 0:
                neurons = self.neurons[it.code.target]
                if self._value(it.learning.gate, n, neurons) and it.code.name not in self.frozen:
                    gathered = neurons.state[neurons.code.roles.gathered]
                    learn_by_carry(it, gathered, n, self.seed, self._value(it.learning.halvings, n))

    def _update(self, clock: int, *, sources: bool) -> None:
        for name, neurons in self.neurons.items():
            population = neurons.code
            if population.is_source is not sources:
                continue
            arrived = {port: np.zeros(population.size, dtype=np.int64) for port in population.ports}
            for it in self.synapses:
                if it.code.target == name:
                    arrived[it.code.port] += it.arriving.pop(clock, 0)
            signals = {
                bound: self._value(signal, clock, neurons) for bound, signal in population.signals.items()
            }
            if not self.learning:
                controls = population.roles.controls
                signals |= {bound: 0 for bound in signals if controls.get(bound) in LEARNING_CONTROLS}
            neurons.update(signals, arrived, int(key(self.seed, population.stream, clock)))

    def _value(self, signal: Signal, clock: int, neurons: Neurons | None = None) -> Any:
        if neurons is None:
            return value_at(signal, clock, self.host, {}, None, 1)
        code = neurons.code
        return value_at(signal, clock, self.host, code.parameters, code.spikes, code.size)

    def _emit_and_learn_in_chip(self, n: int) -> None:
        for it in self.synapses:
            if it.learns("chip"):
                it.send(self._sent(it), n + 1)
                sent = self.neurons[it.code.target].output
                frozen = it.code.name in self.frozen
                note_and_learn(it, self._sent(it), sent, n, self.lead_in, self.seed, frozen)

    def _sent(self, it: Synapses) -> Integers:
        return self.neurons[it.code.source].output[it.code.output]

    def _class_read_out(self, readout: str) -> int:
        """The neuron of most events; of those, of the highest potential; of those, the first."""
        neurons = self.neurons[readout]
        count, tie = (neurons.state[name] for name in (neurons.code.roles.count, neurons.code.roles.tie))
        return int(np.lexsort((-tie, -count))[0])

"""A program under way in numpy: `PlainRun._step` is the order of `docs/time.md`, line by line.

Slow, and for small networks: synapses are matrices, whatever their connectivity.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from burstchip.backends.integers import require_integers
from burstchip.backends.plain.learning import follow_arrivals, learn_by_carry, note_and_learn
from burstchip.backends.plain.neurons import resting
from burstchip.backends.plain.signals import Signals
from burstchip.backends.plain.synapses import Synapses, at_the_start
from burstchip.backends.shown import Shown
from compiler.ir.chip_program import ChipProgram
from hw_models.program.random import key

Integers = NDArray[np.int64]
#: (population or projection, variable).
Place = tuple[str, str]


class PlainRun:
    """A program from its start; `clock` is the number of steps done, `readout` the class of each sample.

    A program with a task is `shown` its samples. Without `learning` weights stay, and the lead-in is that of
    the sources alone. `anneal` is how often the learning rates have halved; it may be set between steps.
    """

    def __init__(
        self,
        code: ChipProgram,
        shown: Shown | None = None,
        *,
        learning: bool = True,
        seed: int | None = None,
        anneal: int = 0,
    ) -> None:
        require_integers(code)
        assert code.task is None or shown is not None, "a program with a task needs its samples"
        self.code, self.anneal, self.clock = code, anneal, 0
        self.seed = code.seed if seed is None else seed
        self.lead = 0 if code.task is None else 1
        self.lead_in = code.lead_in if learning else self.lead
        self.readout: list[int] = []
        self.signals = Signals(code, shown, learning)
        self.neurons = {population.name: resting(population) for population in code.populations}
        self.synapses = [
            at_the_start(p, code.population(p.source).size, code.population(p.target).size, learning)
            for p in code.projections
        ]
        self._lead_in()

    def advance(self, steps: int, variables: Sequence[Place] = ()) -> dict[Place, Integers]:
        """Take `steps` steps; the variables at the end of each, [step, index]."""
        kept: dict[Place, list[Integers]] = {place: [] for place in variables}
        for _ in range(steps):
            self._step(self.clock)
            self.clock += 1
            for place, values in kept.items():
                values.append(self.read(*place))
        return {place: np.array(values, dtype=np.int64) for place, values in kept.items()}

    def read(self, place: str, variable: str) -> Integers:
        """A copy of a population's state or output, [neuron], or of a projection's `Synapses.variable`."""
        if place in self.neurons:
            neurons = self.neurons[place]
            return np.array({**neurons.output, **neurons.state}[variable])
        return np.array(next(it for it in self.synapses if it.code.name == place).variable(variable))

    def _lead_in(self) -> None:
        """Before clock 0 of a task neurons rest; in the last of these steps the sources emit for clock 0."""
        for n in range(-self.lead_in, 0):
            if n == -1:
                self._update(0, sources=True)
            self._emit_and_learn_in_chip(n)

    def _step(self, n: int) -> None:
        task = self.code.task
        t = n if task is None else n % task.present
        # Deliver. The chip form's messages left with the weights of the step in which they were emitted.
        for it in self.synapses:
            if not it.learns("chip"):
                it.send(self._sent(it), n)
            if it.learns("carry"):
                follow_arrivals(it, self._sent(it), anew=task is not None and t == 0)
        # Neurons, which emit; with a task the read-out at a sample's end; then sources.
        self._update(n, sources=False)
        if task is not None and t == task.present - 1:
            self.readout.append(self._class_read_out(task.readout))
        self._update(n + self.lead, sources=True)
        # Traces, and learning. What was emitted in this step leaves with the weights from before.
        self._emit_and_learn_in_chip(n)
        plastic = task is None or t >= task.teach_after
        for it in self.synapses:
            if (
                it.learning is not None
                and it.learns("carry")
                and plastic
                and (n + 1) % it.learning.every == 0
            ):
                target = self.neurons[it.code.target]
                learn_by_carry(it, target.state[target.code.roles.gathered], n, self.seed, self.anneal)

    def _update(self, clock: int, *, sources: bool) -> None:
        for name, neurons in self.neurons.items():
            population = neurons.code
            if population.is_source is not sources:
                continue
            arrived = {port: np.zeros(population.size, dtype=np.int64) for port in population.ports}
            for it in self.synapses:
                if it.code.target == name:
                    arrived[it.code.port] += it.arriving.pop(clock, 0)
            controls = self.signals.inputs(population, clock, self.anneal)
            neurons.update(controls, arrived, int(key(self.seed, population.stream, clock)))

    def _emit_and_learn_in_chip(self, n: int) -> None:
        for it in self.synapses:
            if it.learns("chip"):
                it.send(self._sent(it), n + 1)
                sent = self.neurons[it.code.target].output
                note_and_learn(it, self._sent(it), sent, n, self.lead_in, self.seed)

    def _sent(self, it: Synapses) -> Integers:
        return self.neurons[it.code.source].output[it.code.output]

    def _class_read_out(self, readout: str) -> int:
        """The neuron of most events; of those, of the highest potential; of those, the first."""
        neurons = self.neurons[readout]
        count, tie = (neurons.state[name] for name in (neurons.code.roles.count, neurons.code.roles.tie))
        return int(np.lexsort((-tie, -count))[0])

"""The order of `docs/time.md`, step by step in numpy: slow, and written without a look at the simulator."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from math import lcm
from typing import Any

import numpy as np
import pytest

from compiler.ir.chip_program import ChipProgram, LearningCode, PopulationCode, ProjectionCode
from hw_models.plasticity.carry import carry_draws, forward_weight, learn_carry
from hw_models.plasticity.draws import counter_draws
from hw_models.plasticity.engine_numpy import EpochTraces, SynapticVariables, learn
from hw_models.plasticity.grammar import learning_rule
from hw_models.plasticity.lava_draws import lava_draws
from hw_models.plasticity.traces import history, integer_trace, note_spikes, spike_trace, third_factor
from hw_models.program.numpy_interpreter import step
from hw_models.program.random import at, key, row


@dataclass
class Synapses:
    """One projection: matrices [source, target], and what is under way to its target."""

    code: ProjectionCode
    learning: LearningCode | None
    connected: Any
    delays: Any
    w: Any
    #: By the step of arrival: for each step of emission the sum of weight times message, shifted.
    arriving: dict[int, Any] = field(default_factory=dict)
    plain_trace: Any = None
    t: Any = None
    d: Any = None
    x: Any = None
    y: Any = None
    noted_x: Any = None
    noted_y: Any = None


@dataclass
class Pictures:
    images: Any
    maximum: int
    labels: Any
    shown: Any


class Plain:
    """A program under way. `run` advances it and gives what was recorded."""

    def __init__(
        self,
        code: ChipProgram,
        steps: int,
        pictures: Pictures | None = None,
        *,
        anneal: int = 0,
        learning: bool = True,
        seed: int | None = None,
    ) -> None:
        self.code, self.steps, self.pictures, self.anneal = code, steps, pictures, anneal
        self.learning, self.seed = learning, code.seed if seed is None else seed
        self.lead = 1 if code.task else 0
        epochs = [p.learning.every for p in code.projections if p.learning and p.learning.form == "chip"]
        self.lead_in = lcm(*epochs) if code.task and learning else self.lead
        self.state: dict[str, Any] = {}
        #: What each population emitted last; nothing before its first step.
        self.output: dict[str, Any] = {population.name: defaultdict(int) for population in code.populations}
        self.predictions: list[int] = []
        self.clipped = {population.name: 0 for population in code.populations}
        for population in code.populations:
            program = population.program
            self.state[population.name] = {}
            for name in program.states:
                start = program.initial[name]
                value = population.parameters[start] if isinstance(start, str) else start
                self.state[population.name][name] = np.broadcast_to(value, (population.size,)).astype(
                    np.int64
                )
        self.synapses = [self._synapses(projection) for projection in code.projections]

    def _synapses(self, projection: ProjectionCode) -> Synapses:
        n_pre = self.code.population(projection.source).size
        n_post = self.code.population(projection.target).size
        w, delays = np.zeros((n_pre, n_post), np.int64), np.zeros((n_pre, n_post), np.int64)
        connected = np.zeros((n_pre, n_post), bool)
        if projection.dense:
            w[:], delays[:], connected[:] = (
                projection.weights.T,
                projection.delays.reshape(n_pre, n_post),
                True,
            )
        else:
            place = (projection.pre, projection.post)
            w[place], delays[place], connected[place] = projection.weights, projection.delays, True
        it = Synapses(projection, projection.learning if self.learning else None, connected, delays, w)
        if not self.learning and projection.learning is not None and projection.learning.form == "carry":
            it.w = forward_weight(w)
        it.plain_trace = np.zeros(n_pre, np.int64)
        it.t, it.d = np.zeros_like(w), np.zeros_like(w)
        it.x, it.y = np.zeros((2, n_pre), np.int64), np.zeros((3, n_post), np.int64)
        it.noted_x, it.noted_y = np.zeros(n_pre, np.int64), np.zeros(n_post, np.int64)
        return it

    def _forward(self, it: Synapses) -> Any:
        carry = it.learning is not None and it.learning.form == "carry"
        return np.where(it.connected, forward_weight(it.w) if carry else it.w, 0)

    def _send(self, it: Synapses, first_arrival: int) -> None:
        messages = np.broadcast_to(self.output[it.code.source][it.code.output], it.w.shape[:1])
        for delay in np.unique(it.delays[it.connected]):
            weights = np.where(it.delays == delay, self._forward(it), 0)
            sums = it.arriving.setdefault(first_arrival + int(delay), np.zeros(it.w.shape[1], np.int64))
            total, exponent = messages @ weights, it.code.weight_exp
            sums += total << exponent if exponent >= 0 else total >> -exponent

    def _is_chip(self, it: Synapses) -> bool:
        return it.learning is not None and it.learning.form == "chip"

    def _controls(self, population: PopulationCode, n: int) -> dict[str, Any]:
        task = self.code.task
        every = population.gather_every
        controls: dict[str, Any] = {
            "reset": int(n == 0),
            "learning": 1,
            "plastic": 1,
            "last": 0,
            "anneal": self.anneal,
            "label": 0,
            "clock": n,
            "gather": int(bool(every) and n % every == 0),
            "report": int(bool(every) and (n + 1) % every == 0),
        }
        period = max((it.learning.consolidate_every for it in self.synapses if self._is_chip(it)), default=0)  # type: ignore[union-attr]
        if task:
            t, sample = n % task.present, n // task.present
            controls |= {"reset": int(t == 0), "last": int(t == task.present - 1)}
            controls |= {"plastic": int(t >= task.teach_after)}
            controls["consolidate"] = int(controls["last"] and period and (sample + 1) % period == 0)
            if population.name == task.readout:
                assert self.pictures is not None
                label = (
                    self.pictures.labels[self.pictures.shown[sample]]
                    if sample < len(self.pictures.shown)
                    else 0
                )
                controls["label"] = np.eye(population.size, dtype=np.int64)[label]
        else:
            epoch = max((p.gather_every for p in self.code.populations), default=0) * period
            controls["consolidate"] = int(bool(epoch) and (n + 1) % epoch == 0)
        if not self.learning:
            kept = ("reset", "last", "clock")
            controls = {name: value if name in kept else 0 for name, value in controls.items()}
        return controls

    def _value(self, population: PopulationCode, n: int) -> Any:
        task = self.code.task
        if population.spikes is not None:
            now = population.spikes[population.spikes[:, 0] == n, 1]
            return np.bincount(now, minlength=population.size)
        if task and population.name == task.input:
            assert self.pictures is not None
            sample = n // task.present
            if sample >= len(self.pictures.shown):
                return np.zeros(population.size, np.int64)
            image = self.pictures.images[self.pictures.shown[sample]].astype(np.int64)
            most, maximum = population.parameters[population.roles.full_rate], self.pictures.maximum
            return (image * most + maximum // 2) // maximum << 6
        return np.broadcast_to(population.parameters[population.roles.rate], (population.size,))

    def _update(self, population: PopulationCode, n: int) -> None:
        program = population.program
        controls = self._controls(population, n)
        inputs = {
            name: self._value(population, n) if control in ("rate", "listed") else controls[control]
            for name, control in population.roles.controls.items()
        }
        for port in population.ports:
            total = np.zeros(population.size, np.int64)
            for it in self.synapses:
                if it.code.target == population.name and it.code.port == port:
                    total += it.arriving.pop(n, 0)
            width = program.inputs[port]
            inputs[port] = np.clip(total, width.low, width.high)
            self.clipped[population.name] += int(np.count_nonzero(inputs[port] != total))
        random_key = int(key(self.seed, population.stream, n))
        state, output = self.state[population.name], {}
        if not population.parameters.keys() & program.parameters.keys() and not program.states:
            # Without a state nothing tells how many neurons there are.
            inputs = {name: np.broadcast_to(value, (population.size,)) for name, value in inputs.items()}
        parameters = {name: population.parameters[name] for name in program.parameters}
        if not program.states:
            parameters = {name: np.broadcast_to(v, (population.size,)) for name, v in parameters.items()}
        state, output = step(program, state, parameters, inputs, random_key)
        self.state[population.name], self.output[population.name] = state, output

    def _sources(self, clock: int) -> None:
        for population in self.code.populations:
            if population.is_source:
                self._update(population, clock)

    def _learn_carry(self, it: Synapses, n: int) -> None:
        assert it.learning is not None
        k = it.learning.shift + self.anneal
        draws = carry_draws(int(key(self.seed, it.learning.stream, n)), it.learning.rounding, it.w.shape, k)
        new = learn_carry(
            it.w,
            it.plain_trace,
            self.state[it.code.target][self.code.population(it.code.target).roles.gathered],
            k,
            draws,
        )
        it.w = np.where(it.connected, new, it.w)

    def _note_and_learn_chip(self, it: Synapses, n: int) -> None:
        learning = it.learning
        assert learning is not None
        every = learning.every
        rule = learning_rule(learning.rules.get("dw"), learning.rules.get("dt"), learning.rules.get("dd"))
        by_name = {trace.name: spike_trace(trace.tau, trace.impulse) for trace in learning.traces}
        third = not {"y1", "y2", "y3"} & set(by_name)
        none = spike_trace(0, 0)
        x_specs = [by_name.get(name, none) for name in ("x1", "x2")]
        y_specs = [third_factor()] * 3 if third else [by_name.get(name, none) for name in ("y1", "y2", "y3")]
        if learning.rounding == "lava":
            drawn = lava_draws(learning.rng_seed, 0, self.lead_in + self.steps, every)
            traces, rounding = drawn.traces, drawn.rounding
        else:
            first, steps = -self.lead_in, self.lead_in + self.steps
            traces, rounding = counter_draws(self.seed, learning.trace_stream, first, steps, every), None
        place = n % every + 1
        n_pre, n_post = it.w.shape
        x_events = np.broadcast_to(self.output[it.code.source][it.code.output], n_pre).astype(bool)
        it.x = np.stack([note_spikes(it.x[k], it.noted_x, x_events, x_specs[k]) for k in range(2)])
        it.noted_x = np.where(x_events, place, it.noted_x)
        reads_y0 = "y0" in rule.conditions or "y0" in rule.variables
        if not third or reads_y0:
            y_events = np.broadcast_to(self.output[it.code.target]["events"], n_post).astype(bool)
            second = int(traces.y_second[n + self.lead_in])
            it.y = np.stack(
                [note_spikes(it.y[k], it.noted_y, y_events, y_specs[k], second) for k in range(3)]
            )
            it.noted_y = np.where(y_events, place, it.noted_y)
        if place != every:
            return
        if third:
            sent = self.output[it.code.target]
            it.y = np.stack([np.broadcast_to(sent.get(name, 0), n_post) for name in ("y1", "y2", "y3")])
        # Lava's step is n + 1 + lead_in; this is the number of its learning phase, from 0.
        e = (n + 1 + self.lead_in) // every - 1
        draws = int(traces.x_decay[e]), int(traces.x_impulse[e])
        x = np.stack([history(it.x[k], it.noted_x, x_specs[k], every, *draws) for k in range(2)], axis=1)
        draws = int(traces.y_decay[e]), int(traces.y_impulse[e])
        y = np.stack([history(it.y[k], it.noted_y, y_specs[k], every, *draws) for k in range(3)], axis=1)
        if rounding is not None:
            draw: Any = int(rounding[e])
        else:
            k = key(self.seed, learning.stream, n)
            rows = row(k, np.arange(it.w.shape[0]))[:, None]
            draw = at(rows, np.arange(it.w.shape[1])[None, :]).astype(np.int64) >> 25
        new = learn(
            rule,
            SynapticVariables(it.w, it.t, it.d),
            EpochTraces(x, y, it.noted_x, it.noted_y),
            e + 1,
            draw,
            it.code.sign_mode.lower(),  # type: ignore[arg-type]
        )
        it.w, it.t, it.d = (np.where(it.connected, v, 0) for v in (new.w, new.t, new.d))
        it.x, it.noted_x, it.noted_y = x[-1], np.zeros_like(it.noted_x), np.zeros_like(it.noted_y)
        if not third:
            it.y = y[-1]

    def start(self) -> None:
        """What happens before step 0 of a task: neurons are idle, and at last sources emit for clock 0."""
        for n in range(-self.lead_in, 0):
            if n == -1:
                self._sources(0)
            for it in self.synapses:
                if self._is_chip(it):
                    self._send(it, n + 1)
                    self._note_and_learn_chip(it, n)

    def step(self, n: int) -> None:
        """Step n of the whole network; steps are taken one after the other, from 0 on."""
        task = self.code.task
        # Deliver.
        for it in self.synapses:
            if not self._is_chip(it):
                self._send(it, n)
            if it.learning is not None and it.learning.form == "carry":
                if task and n % task.present == 0:
                    it.plain_trace[:] = 0
                events = np.broadcast_to(self.output[it.code.source][it.code.output], it.w.shape[0])
                trace = it.learning.traces[0]
                it.plain_trace = integer_trace(it.plain_trace, events, trace.decay, trace.impulse)
        # Neurons, which emit; then sources.
        for population in self.code.populations:
            if not population.is_source:
                self._update(population, n)
        if task and n % task.present == task.present - 1:
            readout, roles = self.state[task.readout], self.code.population(task.readout).roles
            self.predictions.append(int(np.argmax((readout[roles.count] << 24) + readout[roles.tie])))
        self._sources(n + self.lead)
        # Learn. What was emitted in this step leaves with the weights from before.
        plastic = not task or n % task.present >= task.teach_after
        for it in self.synapses:
            if self._is_chip(it):
                self._send(it, n + 1)
                self._note_and_learn_chip(it, n)
            elif it.learning is not None and plastic and (n + 1) % it.learning.every == 0:
                self._learn_carry(it, n)

    def run(self, record: tuple[tuple[str, str], ...] = ()) -> dict[tuple[str, str], Any]:
        recorded: dict[tuple[str, str], list[Any]] = {variable: [] for variable in record}
        self.start()
        for n in range(self.steps):
            self.step(n)
            for name, variable in record:
                values = {**self.output[name], **self.state[name]}
                recorded[name, variable].append(values[variable])
        return {variable: np.array(values) for variable, values in recorded.items()}


@pytest.fixture(scope="session")
def plain() -> type[Plain]:
    return Plain


@pytest.fixture(scope="session")
def plain_pictures() -> type[Pictures]:
    return Pictures

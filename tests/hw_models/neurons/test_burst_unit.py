"""The bursting neuron against its equations, written out once more for one neuron in plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from compiler.passes.quantize_neurons import rounded
from hw_models.neurons.burst_unit import BURST_UNIT, burst_unit_program
from hw_models.neurons.roles import ANNEALINGS_MAX
from hw_models.program.numpy_interpreter import step
from hw_models.program.random import at, key

PRESENT, TEACH_AFTER, EVERY = 24, 8, 4


def dec(x: int, d: int) -> int:
    return (abs(x) * (4096 - d) >> 12) * (1 if x >= 0 else -1)


def clip(x: int, low: int, high: int) -> int:
    return min(max(x, low), high)


@dataclass
class Neuron:
    """One neuron as `docs/integer-programs.md` has it, hidden or output as its parameters say."""

    index: int
    du: int = 4095
    dv: int = 128
    dd: int = 512
    threshold: int = 8192
    bias: int = 300
    dendrite_shift: int = 6
    usual_shift: int = 10
    rate_shift: int = 10
    rate_target: int = 125829
    rate_gain: int = 17
    rate_limit: int = 32
    teacher_on: int = 0
    teacher_off: int = 0
    teacher_event: int = 0
    u: int = 0
    v: int = 0
    d: int = 0
    y: int = 0
    P: int = 1 << 17
    R: int = 125829
    h: int = 0
    count: int = 0

    def step(self, a: int, g: int, t: int, label: int, k: int) -> dict[str, int]:
        plastic = t >= TEACH_AFTER
        if t == 0:
            self.u = self.v = self.d = self.y = self.count = 0
            drive = (self.rate_target - self.R) * self.rate_gain >> 16
            self.h = clip(drive, -self.rate_limit, self.rate_limit)
        if t % EVERY == 0:
            self.y = 0
        self.u = dec(self.u, self.du) + (a << 6)
        self.v = dec(self.v, self.dv) + self.u + self.bias
        e = int(self.v > self.threshold)
        if e:
            self.v -= self.threshold
        self.v = max(self.v, -self.threshold)
        self.count += e
        self.d = dec(self.d, self.dd) + g
        if plastic:
            taught = self.teacher_on if label else self.teacher_off
            self.d += taught - self.teacher_event * e
        b = delta = 0
        if e:
            p = clip(32 + (self.d >> self.dendrite_shift) + (self.h if plastic else 0), 0, 64)
            b = int(int(at(k, self.index)) & 63) < p
            if plastic:
                delta = 64 * b - (self.P + 2048 >> 12)
                self.y = clip(self.y + delta, -127, 127)
            self.P += (b << 18) - self.P >> self.usual_shift
        self.R += (e << 20) - self.R >> self.rate_shift
        # The last event of a sample would act in the next one.
        last = t == PRESENT - 1
        return {
            "events": 0 if last else e,
            "bursts": 0 if last else int(b),
            "burst_error": 0 if last else delta,
        }


HIDDEN: dict[str, int] = {}
OUTPUT = {
    "dd": 128,
    "bias": 2000,
    "dendrite_shift": 7,
    "rate_target": 0,
    "rate_gain": 0,
    "rate_limit": 0,
    "teacher_on": 512,
    "teacher_off": 64,
    "teacher_event": 1024,
    "R": 0,
}
ADAPTIVE = {
    "du": 1000,
    "usual_shift": 3,
    "rate_shift": 4,
    "rate_gain": 300,
    "dendrite_shift": 2,
    "rate_limit": 20,
}


def parameters(neuron: Neuron) -> dict[str, int]:
    names = {*burst_unit_program.parameters, "teacher_on", "teacher_off"}
    values = {name: value for name, value in vars(neuron).items() if name in names}
    fixed = {
        "vth": 128,
        "bias_mant": neuron.bias,
        "bias_exp": 0,
        "soma_exp": 6,
        "dendrite_exp": 0,
        "factor_shift": 0,
    }
    return {**values, **fixed}


@pytest.mark.parametrize("kind", [HIDDEN, OUTPUT, ADAPTIVE], ids=["hidden", "output", "adaptive"])
def test_trajectories_follow_the_equations(kind: dict[str, int]) -> None:
    size, samples = 12, 30
    random = np.random.default_rng(len(kind))
    neurons = [Neuron(index, **kind) for index in range(size)]
    given = parameters(neurons[0])
    state: Any = {name: np.zeros(size, dtype=np.int64) for name in burst_unit_program.states}
    state["P"][:] = 1 << 17
    state["R"][:] = given["rate_target"]
    for clock in range(samples * PRESENT):
        t = clock % PRESENT
        if t == 0:
            label = np.eye(size, dtype=np.int64)[random.integers(size)]
            mean = random.integers(-30, 120, size)
        a = mean + random.integers(-60, 60, size)
        g = random.integers(-800, 800, size)
        inputs = {
            "soma": a,
            "dendrite": g,
            "teacher": np.where(label, neurons[0].teacher_on, neurons[0].teacher_off),
            "reset": int(t == 0),
            "learning": 1,
            "plastic": int(t >= TEACH_AFTER),
            "gather": int(t % EVERY == 0),
            "last": int(t == PRESENT - 1),
            "report": 0,
            "consolidate": 0,
        }
        k = int(key(3, 2, clock))
        state, outputs = step(burst_unit_program, state, given, inputs, k)
        for i, neuron in enumerate(neurons):
            wanted = neuron.step(int(a[i]), int(g[i]), t, int(label[i]), k)
            assert {name: int(outputs[name][i]) for name in wanted} == wanted, (clock, i)
            for ours, theirs in (
                ("u", "u"),
                ("v", "v"),
                ("d", "d"),
                ("gathered", "y"),
                ("P", "P"),
                ("R", "R"),
            ):
                assert int(state[ours][i]) == getattr(neuron, theirs), (clock, i, ours)
            assert int(state["count"][i]) == neuron.count and int(state["h"][i]) == neuron.h
    # The trajectories went through what they are to test.
    assert min(neuron.count for neuron in neurons) < max(neuron.count for neuron in neurons)


QUIET = dict.fromkeys(burst_unit_program.inputs, 0)
REST = {**dict.fromkeys(burst_unit_program.states, 0), "P": 1 << 17}


def third_factors(gathered: int, count: int, key: int = 1, factor_shift: int = 0, **inputs: int) -> Any:
    """What `count` neurons, each with this sum of burst errors, send to their synapses."""
    state = {**REST, "gathered": np.full(count, gathered)}
    given = {**parameters(Neuron(0)), "factor_shift": factor_shift}
    return step(burst_unit_program, state, given, {**QUIET, "learning": 1, **inputs}, key)[1]


@pytest.mark.parametrize("gathered", [-127, -100, -8, -3, -1, 0, 1, 5, 64, 127])
@pytest.mark.parametrize("shift", [0, 1, 3])
def test_the_third_factor_is_a_multiple_of_8_and_right_in_the_mean(gathered: int, shift: int) -> None:
    y1 = third_factors(gathered, 40_000, factor_shift=shift, report=1)["y1"]
    assert not np.any(y1 % 8)
    assert np.mean(y1) == pytest.approx(gathered / 2**shift, abs=0.12)
    assert np.all(np.abs(y1 - gathered / 2**shift) < 8)


def test_a_shift_of_one_more_halves_the_third_factor() -> None:
    once, twice = (third_factors(88, 40_000, factor_shift=shift, report=1)["y1"] for shift in (1, 2))
    assert np.mean(once) == pytest.approx(2 * np.mean(twice), abs=0.3)
    # As often as a learning rate may be beyond the product's exponent and halve in a training.
    assert burst_unit_program.parameters["factor_shift"].high == 7 + ANNEALINGS_MAX


def test_third_factors_are_sent_when_asked() -> None:
    outputs = third_factors(50, 3)
    assert not outputs["y1"].any() and not outputs["y2"].any()
    outputs = third_factors(50, 3, consolidate=1)
    assert outputs["y2"].tolist() == [32, 32, 32]
    outputs = third_factors(50, 3, report=1, learning=0)
    assert not outputs["y1"].any()


def test_inference_leaves_what_is_learned_alone() -> None:
    state = {**REST, "v": np.array([9000, 0]), "d": np.array([77, -5]), "gathered": 9, "R": 5, "h": 3}
    given = parameters(Neuron(0))
    after, outputs = step(burst_unit_program, state, given, {**QUIET, "soma": 5, "dendrite": 400}, 1)
    for name in ("d", "gathered", "P", "R", "h"):
        assert after[name].tolist() == np.broadcast_to(state[name], 2).tolist(), name
    assert outputs["events"].tolist() == [1, 0]
    assert not outputs["bursts"].any() and not outputs["burst_error"].any()


def test_counts_stay_within_16_bits() -> None:
    state = {**REST, "v": 9000, "count": 65535}
    after, _ = step(burst_unit_program, state, parameters(Neuron(0)), QUIET)
    assert int(after["count"]) == 65535


def quantized(**values: float) -> dict[str, Any]:
    given = {parameter.name: parameter.default for parameter in BURST_UNIT.parameters}
    assert set(values) <= set(given)
    return dict(rounded(BURST_UNIT, {**given, **values}, 1.0).integers)  # type: ignore[dict-item]


def test_physical_values_become_the_published_integers() -> None:
    hidden = quantized(
        bias=73.24,
        tau_dendrite=7.49,
        target_rate=120.0,
        homeostasis_gain=4.25,
        homeostasis_limit=0.5,
        homeostasis_window=1024.0,
    )
    fixed = {"bias_exp": 0, "soma_exp": 6, "dendrite_exp": 0, "factor_shift": 0, "vth": 128, "bias_mant": 300}
    published = {name: v for name, v in parameters(Neuron(0)).items() if name not in fixed}
    assert hidden == {**published, **fixed}
    output = quantized(
        bias=488.3,
        tau_dendrite=31.5,
        dendrite_shift=7.0,
        teacher_on=500.0,
        teacher_off=62.5,
        teacher_gain=0.125,
    )
    assert output == parameters(Neuron(0, **OUTPUT))

"""Networks of Lava's stock processes, built by hand, against the simulator: every integer of every step.

The networks are written in YAML. What goes to `stock_judge.py`, which knows nothing of burstchip, are the
integers of the compiled program; Lava's step t is the clock n = t - 1. Several circuits that do not touch
each other share a network, so that few loops have to be compiled.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from burstchip.backends.sim.simulator import start
from burstchip.compilation import compile_file
from compiler.ir.chip_program import ChipProgram, LearningCode, ProjectionCode

STEPS = 80
#: Lava can hang without a word; a judge that takes longer is ended.
PATIENCE_S = 150
LEARNED = ("w", "t", "d", "x1", "x2")
FACTORS = ("y1", "y2", "y3")
Values = dict[str, dict[str, NDArray[np.int64]]]


def listed(size: int, share: float, seed: int) -> str:
    """Events of a spike list, each neuron emitting in this share of all steps."""
    steps, neurons = np.nonzero(np.random.default_rng(seed).random((STEPS, size)) < share)
    return "[" + ", ".join(f"[{j}, {n} ms]" for n, j in zip(steps, neurons, strict=True)) + "]"


STATIC = f"""burstchip: 1
name: static
step: 1 ms
seed: 5
populations:
  drive: {{model: spike_list, size: 6, events: {listed(6, 0.3, 1)}}}
  excitatory: {{model: lif, size: 8, tau_current: 4 ms, tau_membrane: 15 ms,
               bias: [0 pA, 90 pA, 150 pA, -40 pA, 20 pA, 60 pA, 220 pA, -300 pA]}}
  inhibitory: {{model: lif, size: 4, tau_current: 2 ms, bias: 30 pA}}
  pulses: {{model: spike_list, size: 5, events: {listed(5, 0.35, 2)}}}
  fine: {{model: lif, size: 6, tau_current: 3 ms, bias: 560 pA}}
  coarse: {{model: lif, size: 6, tau_current: 0 ms, tau_membrane: 0 ms}}
  endless: {{model: lif, size: 3, tau_current: 1.0e+9 ms, tau_membrane: 3 ms}}
  clicks: {{model: spike_list, size: 4, events: {listed(4, 0.4, 3)}}}
  late: {{model: lif, size: 5, tau_current: 2 ms}}
  drifting: {{model: lif, size: 5, tau_current: 2 ms, bias: 100 pA}}
  ticks: {{model: spike_list, size: 9, events: {listed(9, 0.3, 4)}}}
  patchy: {{model: lif, size: 12, tau_current: 2 ms}}
  never: {{model: spike_list, size: 1, events: [[0, 9000 ms]]}}
  level: {{model: current_source, size: 4, level: [-40, 3, 77, 12], start: 5 ms, stop: 60 ms}}
  graded: {{model: lif, size: 4, tau_current: 5 ms, bias: 50 pA}}
  graded_late: {{model: lif, size: 4, tau_current: 1 ms}}
  integers: {{model: lif, size: 5, du: 900, dv: 300, vth: 90, bias_mant: [3, -5, 0, 90, -7], bias_exp: 3,
             initial: {{v: [-50 mV, -60 mV, -70 mV, -90 mV, 0 mV], u: {{uniform: [-90 pA, 90 pA]}}}}}}
  set_back: {{model: lif_reset, size: 5, du: 700, dv: 90, vth: 60, bias_mant: 40, bias_exp: 1,
             reset_interval: 9 ms, reset_offset: 4 ms, initial: {{v: -30 mV}}}}
  ternary: {{model: ternary_lif, size: 4, du: 2000, dv: 90, vth_hi: 60, vth_lo: -40}}
projections:
  - {{from: drive, to: excitatory, weight: {{uniform: [-2 mV, 9 mV]}}}}
  - {{name: loop, from: excitatory, to: excitatory, weight: {{uniform: [-3 mV, 5 mV]}}, weight_bits: 6}}
  - {{from: excitatory, to: inhibitory, weight: {{uniform: [0 mV, 9 mV]}}, weight_bits: 5}}
  - {{from: inhibitory, to: excitatory, weight: {{uniform: [-8 mV, 0 mV]}}, weight_bits: 3}}
  - {{from: inhibitory, to: inhibitory, weight: -2 mV, weight_bits: 1}}
  - {{name: floored, from: pulses, to: fine, weight: {{uniform: [-0.6 mV, 0.6 mV]}}}}
  - {{name: down, from: pulses, to: fine, weight: {{uniform: [-0.9 mV, -0.1 mV]}}, limit: 2.5 mV}}
  - {{from: pulses, to: coarse, weight: {{uniform: [-1000 mV, 1000 mV]}}, weight_bits: 2}}
  - {{from: pulses, to: endless, weight: {{uniform: [-1500 mV, 3000 mV]}}, limit: 5000 mV}}
  - {{name: constant, from: clicks, to: late, weight: {{uniform: [-3 mV, 12 mV]}}, delay: 4 ms}}
  - {{name: own, from: clicks, to: late, weight: {{uniform: [-30 mV, 60 mV]}},
     delay: {{uniform: [1 ms, 9 ms]}}}}
  - {{from: clicks, to: drifting, weight: {{uniform: [-1 mV, 1.5 mV]}}, delay: {{uniform: [1 ms, 6 ms]}}}}
  - {{name: some, from: ticks, to: patchy, weight: {{uniform: [-4 mV, 12 mV]}},
     connectivity: {{probability: 0.3}}}}
  - {{name: few, from: ticks, to: patchy, weight: {{uniform: [-3 mV, 1 mV]}}, connectivity: {{in_degree: 2}},
     delay: 63 ms, weight_bits: 4}}
  - {{name: around, from: patchy, to: patchy, weight: {{uniform: [0 mV, 9 mV]}},
     connectivity: {{probability: 0.2}},
     delay: {{uniform: [1 ms, 7 ms]}}}}
  - {{name: pairs, from: ticks, to: patchy,
     connectivity: {{pairs: [[0, 0, 9 mV], [0, 11, 12 mV], [3, 4, -2 mV],
     [8, 4, 20 mV], [8, 11, 5 mV]]}}}}
  # So great a weight, which no event goes through, keeps the scale of voltages coarse.
  - {{name: great, from: never, to: fine, weight: 5000 mV}}
  - {{name: great_too, from: never, to: graded, weight: 5000 mV}}
  - {{from: level, to: graded, weight: {{uniform: [-0.1 mV, 0.1 mV]}}}}
  - {{name: level_pairs, from: level, to: graded, connectivity: {{pairs: [[0, 3, 0.3 mV], [2, 1, 0.02 mV]]}}}}
  - {{from: level, to: graded_late, weight: {{uniform: [-45 mV, 50 mV]}},
     delay: {{uniform: [1 ms, 9 ms]}}, limit: 60 mV}}
  # Lava's own numbers, among them of all sign modes and exponents of both signs.
  - {{name: whole, from: ticks, to: integers, weight: 37, weight_exp: 1}}
  - {{name: halves, from: ticks, to: integers, weight: {{uniform: [-60, 40]}}, weight_exp: -1}}
  - {{name: nets, from: ticks, to: set_back, weight: {{uniform: [0, 25]}}, weight_exp: 1, weight_bits: 6}}
  - {{name: signed, from: ticks, to: ternary, weight: {{uniform: [-60, 60]}}, weight_exp: 0, weight_bits: 7,
     sign_mode: mixed}}
  - {{name: both_ways, from: ternary.signed, to: integers, weight: -21, weight_exp: 2, sign_mode: inhibitory}}
"""

LEARNING = f"""burstchip: 1
name: learning
step: 1 ms
seed: 1
populations:
  spikes: {{model: spike_list, size: 1, events: [[0, 0 ms], [0, 3 ms]]}}
  first: {{model: lif, size: 1, tau_current: 0 ms, tau_membrane: 0 ms}}
  second: {{model: lif, size: 1, tau_current: 0 ms, tau_membrane: 0 ms}}
  before: {{model: spike_list, size: 5, events: {listed(5, 0.3, 11)}}}
  after: {{model: lif, size: 4, tau_current: 1 ms, bias: 50 pA}}
  below: {{model: lif, size: 4, tau_current: 2 ms, bias: 1500 pA}}
  noise: {{model: spike_list, size: 6, events: {listed(6, 0.4, 12)}}}
  circle: {{model: lif, size: 6, tau_current: 1 ms, tau_membrane: 8 ms}}
  bursting: {{model: burst_unit, size: 5, bias: 350 pA}}
plasticity:
  table:
    every: 1 ms
    traces: [{{name: x1, tau: 2 ms, increment: 16}}, {{name: y1, tau: 2 ms, increment: 16}}]
    dw: x0*y0*2^0 + y0*x1*2^-1 - x0*y1*2^-1
    rounding: lava
  tagged:
    every: 1 ms
    traces:
      - {{name: x1, tau: 5 ms, increment: 30}}
      - {{name: x2, tau: 20 ms, increment: 7}}
      - {{name: y1, tau: 9 ms, increment: 40}}
    dw: y0*2^-4*x1 - x0*2^-3*y1 + u1*2^-5*t
    dt: y0*2^-1*x2 - u1*2^-2*t + x0*2^-7*d
    dd: x0*2^1*y1
    rounding: lava
  paired:
    every: 2 ms
    traces: [{{name: x1, tau: 8 ms, increment: 50}}, {{name: y1, tau: 8 ms, increment: 60}}]
    dw: y0*2^-1*x1 - x0*2^0*y1
    rounding: lava
  by_epoch:
    every: 8 ms
    traces:
      - {{name: x1, tau: 12 ms, increment: 90}}
      - {{name: y1, tau: 4 ms, increment: 60}}
      - {{name: y2, tau: 30 ms, increment: 20}}
      - {{name: y3, tau: 1 ms, increment: 127}}
    dw: y0*2^-3*x1 - x0*2^-2*y1 + u1*2^-7*x1*y2 - u1*2^-4*w
    dt: x0*2^-3*y3
    rounding: lava
  third:
    every: 4 ms
    trace: {{name: x1, tau: 6 ms, increment: 25}}
    dw: u0*2^-2*x1*y1 - y0*2^2
    rounding: lava
  burst_rule:
    every: 4 ms
    trace: {{name: x1, tau: 16 ms, increment: 16}}
    learning_rate: 2^-2
    consolidation_rate: 2^-5
    consolidate_every: 2
    rounding: lava
projections:
  - {{name: fixed, from: spikes, to: first, weight: 15.625 mV, limit: 40 mV}}
  - {{name: table, from: first, to: second, weight: 15.625 mV, limit: 40 mV, learn: table}}
  - {{name: tagged, from: before, to: after, weight: {{uniform: [0 mV, 20 mV]}}, limit: 320 mV,
     learn: tagged}}
  - {{name: down, from: before, to: below, weight: {{uniform: [-6 mV, 0 mV]}}, limit: 25 mV, learn: paired}}
  - {{from: noise, to: circle, weight: {{uniform: [2 mV, 12 mV]}}}}
  - {{name: many, from: circle, to: circle, weight: {{uniform: [-4 mV, 4 mV]}}, limit: 9 mV, learn: by_epoch}}
  - {{name: third, from: before, to: bursting.soma, weight: {{uniform: [-4 mV, 4 mV]}}, limit: 15 mV,
     learn: third}}
  - {{name: burst_rule, from: noise, to: bursting.soma, weight: {{uniform: [-4 mV, 4 mV]}},
     limit: 15 mV, learn: burst_rule}}
"""


def simulated(code: ChipProgram) -> Values:
    """Every state, output, weight and trace at the end of every step, by the name of its owner."""
    run = start(code, learning=True)
    found: dict[str, dict[str, list[Any]]] = {}

    def keep(owner: str, variable: str, value: NDArray[Any]) -> None:
        found.setdefault(owner, {}).setdefault(variable, []).append(np.array(value, dtype=np.int64))

    for _ in range(STEPS):
        run.advance(1)
        for number, population in enumerate(code.populations):
            for name, value in run.arrays.items():
                kind, _, rest = name.partition(f"_{number}_")
                if kind in ("s", "o"):
                    keep(population.name, rest, value)
        for number, projection in enumerate(code.projections):
            if projection.learning is not None:
                for variable in ("w", "t", "d"):
                    # What the rule does not touch is held nowhere.
                    held = run.read(projection.name, variable).reshape(run.arrays[f"w_{number}"].shape)
                    keep(projection.name, variable, held.T)
                for side, names in (("x", LEARNED[3:]), ("y", FACTORS)):
                    for variable, value in zip(names, run.arrays[f"stored_{side}_{number}"], strict=True):
                        keep(projection.name, variable, value)
    return {owner: {name: np.array(v) for name, v in values.items()} for owner, values in found.items()}


def matrix(projection: ProjectionCode, values: NDArray[Any], shape: tuple[int, int]) -> list[list[int]]:
    """The values of synapses as [post][pre], 0 where there is none; `shape` is (pre, post)."""
    full = np.zeros(shape, dtype=np.int64)
    if projection.dense:
        full[:] = values.reshape(shape) if values.ndim == 1 else values.T
    else:
        full[projection.pre, projection.post] = values
    return full.T.tolist()  # type: ignore[no-any-return]


def connection(code: ChipProgram, projection: ProjectionCode) -> dict[str, Any]:
    """A projection in the words of Lava's connections."""
    shape = (code.population(projection.source).size, code.population(projection.target).size)
    delayed = bool(np.any(projection.delays))
    given = {
        "kind": f"{'Delay' * delayed}{'Dense' if projection.dense else 'Sparse'}",
        "source": projection.source,
        "target": projection.target,
        "weights": matrix(projection, projection.weights, shape),
        "weight_exp": projection.weight_exp,
        "num_weight_bits": projection.num_weight_bits,
        "num_message_bits": 8 if projection.output in ("current", "signed") else 0,
        "sign_mode": projection.sign_mode,
    }
    if delayed and len(set(projection.delays.tolist())) == 1:
        given["delays"] = int(projection.delays[0])
    elif delayed:
        given["delays"] = matrix(projection, projection.delays, shape)
    if projection.learning is not None:
        given |= {"kind": "LearningDense", "rule": rule(projection.learning, code.seed), "ports": {}}
        if given["rule"]["factors"] == 2:
            given["ports"] = {"s_in_bap": projection.target}
    return given


def rule(learning: LearningCode, seed: int) -> dict[str, Any]:
    """How it learns, as Lava's rule takes it: with traces y1 to y3 of its own, or with third factors."""
    names = [trace.name for trace in learning.traces]
    traces = {f"{trace.name}_tau": trace.tau for trace in learning.traces}
    traces |= {f"{trace.name}_impulse": trace.impulse for trace in learning.traces}
    return {
        "factors": 2 if set(names) & set(FACTORS) else 3,
        "sums": dict(learning.rules),
        "traces": traces,
        "t_epoch": learning.every,
        "rng_seed": learning.seed_in(seed),
    }


def request(code: ChipProgram) -> dict[str, Any]:
    """The network for the judge; sources list what the YAML says that they emit."""
    nodes: dict[str, Any] = {}
    for population in code.populations:
        parameters = {name: np.asarray(value).tolist() for name, value in population.parameters.items()}
        if population.model == "spike_list":
            assert population.spikes is not None
            data = np.zeros((STEPS, population.size), dtype=int)
            data[tuple(population.spikes[population.spikes[:, 0] < STEPS].T)] = 1
            nodes[population.name] = {"data": data.tolist()}
        elif population.model == "current_source":
            clock = np.arange(STEPS)[:, None]
            sends = (clock >= parameters["start"]) & (clock < parameters["stop"])
            nodes[population.name] = {"data": (sends * np.array(parameters["level"])).tolist()}
        elif "lif" in population.model:
            starts = {name: np.asarray(it).tolist() for name, it in population.initial.items()}
            starts = {name: np.broadcast_to(it, population.size).tolist() for name, it in starts.items()}
            nodes[population.name] = {"size": population.size, **parameters, **starts}
            if "interval" in parameters:
                interval = parameters["interval"]
                # Lava's steps count from 1.
                more = {"reset_interval": interval, "reset_offset": (1 - parameters["first"]) % interval}
                nodes[population.name] |= more
    connections = {projection.name: connection(code, projection) for projection in code.projections}
    return {"steps": STEPS, "nodes": nodes, "connections": connections}


def judged(asked: dict[str, Any]) -> Values:
    """What Lava gives."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("stock_judge.py"))],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return {owner: {name: np.array(v) for name, v in values.items()} for owner, values in answer.items()}


def compiled(text: str, folder: Path) -> ChipProgram:
    path = folder / "network.yaml"
    path.write_text(text, encoding="utf-8")
    return compile_file(path)[0]


def assert_equal(ours: Values, theirs: Values, owner: str, variables: Sequence[str]) -> None:
    __tracebackhide__ = True
    for variable in variables:
        mine, lavas = ours[owner][variable], theirs[owner][variable]
        assert mine.shape == lavas.shape, f"{owner}.{variable}"
        for step in range(STEPS):
            if not np.array_equal(mine[step], lavas[step]):
                index = tuple(np.argwhere(mine[step] != lavas[step])[0].tolist())
                values = f"sim {mine[step][index]}, Lava {lavas[step][index]}"
                pytest.fail(f"{owner}.{variable}[{index}] at clock {step}: {values}")


@dataclass(frozen=True)
class Pair:
    """A program with what the simulator and what Lava make of it."""

    code: ChipProgram
    sim: Values
    lava: Values


@pytest.fixture(scope="module")
def static(needs_lava: None, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    code = compiled(STATIC, tmp_path_factory.mktemp("static"))
    return Pair(code, simulated(code), judged(request(code)))


@pytest.fixture(scope="module")
def learning(needs_lava: None, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    code = compiled(LEARNING, tmp_path_factory.mktemp("learning"))
    # What the language does not offer and the chip has: a low threshold, plastic weights of one sign.
    modes: dict[str, Any] = {"tagged": "EXCITATORY", "down": "INHIBITORY"}
    code = replace(
        code,
        populations=tuple(
            replace(p, parameters={**p.parameters, "vth": 50}) if p.name in ("first", "second") else p
            for p in code.populations
        ),
        projections=tuple(replace(p, sign_mode=modes.get(p.name, p.sign_mode)) for p in code.projections),
    )
    asked = request(code)
    sim = simulated(code)
    # Lava has no bursting neuron. Its events and factors, as simulated, drive the stock connections.
    for name in ("y1", "y2", "events"):
        asked["nodes"][f"bursting.{name}"] = {"data": sim["bursting"][name].tolist()}
    for name in ("third", "burst_rule"):
        given = asked["connections"][name]
        assert given["rule"]["factors"] == 3
        given["target"] = None
        given["ports"] = {f"s_in_{factor}": f"bursting.{factor}" for factor in ("y1", "y2")}
    # Only a rule that reads y0 is told of events: they clip the factors.
    asked["connections"]["third"]["ports"]["s_in_bap"] = "bursting.events"
    return Pair(code, sim, judged(asked))


STATE = ("u", "v", "events")


@pytest.mark.parametrize(
    "population", ["excitatory", "inhibitory", "fine", "coarse", "endless", "late", "drifting",
                   "patchy", "graded", "graded_late", "integers", "set_back"]
)  # fmt: skip
def test_neurons_of_a_static_network(static: Pair, population: str) -> None:
    assert_equal(static.sim, static.lava, population, STATE)


def test_events_of_either_sign(static: Pair) -> None:
    ours = {"ternary": {**static.sim["ternary"], "events": static.sim["ternary"]["signed"]}}
    assert_equal(ours, static.lava, "ternary", STATE)
    assert {-1, 0, 1} == set(np.unique(static.lava["ternary"]["events"]))


def test_integers_of_the_user_are_those_of_the_chip(static: Pair) -> None:
    code = static.code
    integers = code.population("integers").parameters
    assert {name: np.asarray(value).tolist() for name, value in integers.items()} == {
        "du": 900, "dv": 300, "vth": 90, "bias_mant": [3, -5, 0, 90, -7], "bias_exp": 3
    }  # fmt: skip
    whole, signed = code.projection("whole"), code.projection("signed")
    assert np.all(whole.weights == 37) and (whole.weight_exp, whole.sign_mode) == (1, "EXCITATORY")
    assert not np.any(signed.weights % 4) and np.any(signed.weights < 0)
    truncated = [it.message for it in code.diagnostics if it.id == "BC364"]
    assert any("of 36 weights of 'signed' lose their lowest bits" in it for it in truncated), truncated


def test_the_static_network_is_worth_comparing(static: Pair) -> None:
    """Each kind of connection, exponents of both signs, several widths of weights; all at work."""
    kinds = {name: given["kind"] for name, given in request(static.code)["connections"].items()}
    assert set(kinds.values()) == {"Dense", "Sparse", "DelayDense", "DelaySparse"}
    exponents = {projection.weight_exp for projection in static.code.projections}
    assert (min(exponents), max(exponents)) == (-8, 7) and {-4, 0, 1} <= exponents
    bits = {projection.num_weight_bits for projection in static.code.projections}
    assert bits == {1, 2, 3, 4, 5, 6, 7, 8}
    modes = {projection.sign_mode for projection in static.code.projections}
    assert modes == {"MIXED", "EXCITATORY", "INHIBITORY"}
    for name, values in static.lava.items():
        assert 0 < np.count_nonzero(values["events"]) < values["events"].size, (
            f"{name} is silent, or never is"
        )
        assert len(np.unique(values["v"])) > 2
    # One wrap after another, and the corner of a current that never decays.
    currents = static.lava["endless"]["u"]
    assert np.any(np.diff(currents, axis=0) < -(1 << 23))


def test_the_chain_that_was_worked_out(learning: Pair) -> None:
    """Both agree with the numbers that Lava gave when its step was looked into."""
    worked = {
        "first": {"u": [0, 6400, 0, 0, 6400, 0], "events": [0, 1, 0, 0, 1, 0]},
        "second": {"u": [0, 0, 6400, 0, 0, 6720], "events": [0, 0, 1, 0, 0, 1]},
        "table": {
            "x1": [0, 16, 9, 5, 19, 12],
            "y1": [0, 0, 16, 9, 6, 20],
            "w": [100, 100, 105, 105, 102, 108],
        },
    }
    for found in (learning.sim, learning.lava):
        for owner, variables in worked.items():
            for name, wanted in variables.items():
                assert found[owner][name][:6].reshape(-1).tolist() == wanted, f"{owner}.{name}"


@pytest.mark.parametrize("population", ["first", "second", "after", "below", "circle"])
def test_neurons_behind_plastic_synapses(learning: Pair, population: str) -> None:
    assert_equal(learning.sim, learning.lava, population, STATE)


@pytest.mark.parametrize("projection", ["table", "tagged", "down", "many"])
def test_two_factors(learning: Pair, projection: str) -> None:
    assert_equal(learning.sim, learning.lava, projection, (*LEARNED, *FACTORS))


def test_the_learning_network_is_worth_comparing(learning: Pair) -> None:
    kinds = {p.sign_mode for p in learning.code.projections if p.learning}
    assert kinds == {"MIXED", "EXCITATORY", "INHIBITORY"}
    assert {p.learning.every for p in learning.code.projections if p.learning} == {1, 2, 4, 8}
    assert {np.sign(p.weight_exp) for p in learning.code.projections if p.learning} == {-1, 0, 1}
    for name in ("tagged", "down", "many", "third", "burst_rule"):
        weights = learning.lava[name]["w"]
        assert np.count_nonzero(np.any(weights[1:] != weights[:-1], axis=(1, 2))) >= 5, name
    # Weights come to the ends of their modes; odd ones, which learning alone makes, are used.
    assert np.any(learning.lava["tagged"]["w"] == 0) and np.any(learning.lava["down"]["w"] == 0)
    assert np.any(learning.lava["many"]["w"] % 2)
    assert all(np.any(learning.lava[name]["t"]) for name in ("tagged", "many", "burst_rule"))
    assert np.any(learning.lava["tagged"]["d"])


@pytest.mark.parametrize("projection", ["third", "burst_rule"])
def test_three_factors(learning: Pair, projection: str) -> None:
    assert_equal(learning.sim, learning.lava, projection, LEARNED)
    # Between the learning steps Lava shows what arrives, of which only the last message of an epoch is read.
    (every,) = (p.learning.every for p in learning.code.projections if p.name == projection and p.learning)
    read = slice(every - 1, None, every)
    for factor in FACTORS:
        mine, lavas = (found[projection][factor][read] for found in (learning.sim, learning.lava))
        np.testing.assert_array_equal(mine, lavas, err_msg=factor)


def test_the_current_behind_three_factors(learning: Pair) -> None:
    """What Lava's connections send in step t the bursting neuron's current takes up at clock t - 1."""
    population = learning.code.population("bursting")
    keep, shift = 4096 - int(population.parameters["du"]), int(population.parameters["soma_exp"])
    current = learning.sim["bursting"]["u"]
    before = np.vstack([np.zeros_like(current[:1]), current[:-1]])
    decayed = np.sign(before) * (np.abs(before) * keep >> 12)
    sent = learning.lava["third"]["activation"] + learning.lava["burst_rule"]["activation"]
    np.testing.assert_array_equal(current, decayed + (sent << shift))
    assert np.any(sent > 0) and np.any(sent < 0)

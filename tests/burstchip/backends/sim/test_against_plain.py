"""Random small networks: every recorded number equals that of the backend `plain`, bit for bit."""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np
import pytest

from burstchip.backends.plain.run import PlainRun
from burstchip.backends.sim.simulator import start
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import Dense, ExplicitPairs, FixedInDegree, FixedProbability, OneToOne
from compiler.ir.network import Endpoint, Network, Plasticity, Population, Projection, TraceSpec
from compiler.ir.values import Constant, Normal, Uniform
from compiler.pipeline import compile_network
from hw_models.neurons.registry import models

STEPS = 200


def a_source(name: str, random: python_random.Random) -> Population:
    size = random.choice([1, 3, 8, 17])
    kind = random.choice(["rate_source", "poisson_source", "spike_list", "current_source"])
    if kind == "spike_list":
        events = {(random.randrange(size), float(random.randrange(STEPS + 50))) for _ in range(size * 30)}
        return Population(name, kind, size, {}, tuple(sorted(events)))
    if kind == "current_source":
        levels = tuple(float(random.randint(-40, 40)) for _ in range(size))
        return Population(name, kind, size, {"level": levels, "start": 20.0, "stop": 150.0})
    rates = tuple(random.uniform(0, 300) for _ in range(size))
    return Population(name, kind, size, {"rate": rates if random.random() < 0.5 else 120.0})


def some_neurons(name: str, random: python_random.Random, *, learns: bool) -> Population:
    size = random.choice([1, 4, 9, 31, 32, 40])
    each = random.random() < 0.4

    def value(low: float, high: float) -> Any:
        values = tuple(random.uniform(low, high) for _ in range(size))
        return values if each else values[0]

    if not learns and random.random() < 0.5:
        parameters = {"tau_membrane": value(1, 40), "tau_current": value(0, 20), "bias": value(-50, 260)}
        if each:
            parameters["threshold"] = value(-60, -40)
        return Population(name, "lif", size, parameters)
    return Population(
        name,
        "burst_unit",
        size,
        {
            "tau_soma": value(5, 40),
            "tau_dendrite": value(2, 20),
            "bias": value(50, 400),
            "burst_window": 2.0 ** random.randint(2, 10),
            "target_rate": value(0, 200),
            "homeostasis_gain": value(0, 20),
            "homeostasis_limit": value(0, 1),
            "homeostasis_window": 2.0 ** random.randint(3, 10),
            "dendrite_shift": float(random.randint(0, 8)),
        },
    )


def a_projection(
    name: str, source: Population, target: Population, random: python_random.Random, learn: str | None
) -> Projection:
    outputs = models()[source.model].program.outputs
    output = random.choice([o for o in outputs if o not in ("y1", "y2")])
    if learn:
        output = "events"
    port = "soma" if learn else random.choice(models()[target.model].ports).name
    ways: list[Any] = [Dense(), Dense(), FixedProbability(0.4), FixedInDegree(random.randint(0, source.size))]
    if source.size == target.size:
        ways.append(OneToOne())
    pairs = [(i, j) for i in range(source.size) for j in range(target.size) if random.random() < 0.2]
    random.shuffle(pairs)
    ways.append(ExplicitPairs.of(tuple(pairs)))
    strength = 10.0 ** random.uniform(-2, 1) if port == "soma" else random.uniform(0.05, 1.0)
    if outputs[output].high > 1:
        strength /= 30
    weight = random.choice(
        [Constant(strength), Uniform(-strength, strength), Normal(0.0, strength), Uniform(-strength, 0.0)]
    )
    delay = random.choice(
        [Constant(1.0), Constant(1.0), Constant(float(random.randint(2, 9))), Uniform(1.0, 7.0)]
    )
    return Projection(
        name=name,
        source=Endpoint(source.name, output),
        target=Endpoint(target.name, port),
        connectivity=random.choice(ways),
        weight=weight,
        delay=delay,
        limit=random.choice([None, min(strength * random.uniform(0.5, 20), 38.0)]),
        weight_bits=8 if learn else random.choice([8, 8, 5, 2]),
        learn=learn,
    )


def a_rule(form: Any, random: python_random.Random) -> Plasticity:
    rounding = random.choice(["lava", "per_synapse"])
    traces = (TraceSpec("x1", random.uniform(0, 30), float(random.randint(1, 60))),)
    if form == "carry":
        return Plasticity(
            "rule", form, rounding, random.choice([1.0, 4.0, 8.0]), traces, {}, 2.0 ** -random.randint(0, 9)
        )
    every = random.choice([1.0, 3.0, 8.0])
    if random.random() < 0.5:
        return Plasticity(
            "rule",
            form,
            rounding,
            every,
            traces,
            {},
            2.0 ** -random.randint(1, 9),
            2.0 ** -random.randint(1, 7),
            random.randint(0, 3),
        )
    texts = [
        {"dw": "u0*2^-4*x1*y1", "dt": "u0*2^-3*x1*y1"},
        {"dw": "x0*2^-2*y1 - u1*2^-5*w", "dt": "u1*2^-3*x1*y1 + x0*2^-4*d", "dd": "y0*x1"},
        {"dw": "y0*2^-1*x1 - x0*2^-2*y1 + u0*t*2^-6", "dt": "x0*2^-3*y1"},
    ]
    own = (*traces, TraceSpec("y1", 12.0, 20.0)) if random.random() < 0.5 else traces
    return Plasticity("rule", form, rounding, every, own, random.choice(texts))


def a_network(seed: int, form: str | None) -> ChipProgram:
    random = python_random.Random(f"{seed} {form}")
    sources = [a_source(f"s{i}", random) for i in range(random.randint(1, 2))]
    neurons = [some_neurons(f"n{i}", random, learns=form is not None) for i in range(random.randint(1, 3))]
    spiking = [p for p in (*sources, *neurons) if p.model != "current_source"]
    projections = []
    for i in range(random.randint(3, 6)):
        # Source and target may be the same: a recurrent projection.
        learn = "rule" if form and i % 2 == 0 else None
        source = random.choice(spiking if learn else [*sources, *neurons])
        projections.append(a_projection(f"p{i}", source, random.choice(neurons), random, learn))
    rules = (a_rule(form, random),) if form else ()
    return compile_network(
        Network(
            "random",
            1.0,
            seed,
            (*sources, *neurons),
            tuple(projections),
            rules,
            (),
            None,
            "loihi2",
            {},
            models(),
        )
    )


def assert_same(code: ChipProgram) -> None:
    variables = tuple(
        (population.name, variable)
        for population in code.populations
        for program in [population.program]
        for variable in (*program.states, *(o for o in program.outputs if o not in ("y1", "y2")))
    )
    slow, simulation = PlainRun(code, record=variables), start(code, learning=True, record=variables)
    wanted, found = slow.advance(STEPS), simulation.advance(STEPS)
    for variable in variables:
        same = found[variable] == wanted[variable]
        if not np.all(same):
            n, neuron = np.argwhere(~same)[0]
            ours, theirs = found[variable][n, neuron], wanted[variable][n, neuron]
            pytest.fail(f"{variable} of neuron {neuron} in step {n}: simulated {ours}, plainly {theirs}")
    for it in slow.synapses:
        if it.learning is not None:
            for kind in "wtd" if it.learning.form == "chip" else "w":
                stored = simulation.read(it.code.name, kind)
                np.testing.assert_array_equal(stored, it.variable(kind), err_msg=f"{kind} of {it.code.name}")
    names = [population.name for population in code.populations]
    assert dict(zip(names, simulation.arrays["clipped_inputs"].tolist(), strict=True)) == {
        name: neurons.clipped for name, neurons in slow.neurons.items()
    }
    for number, name in enumerate(names):
        if (name, "events") in wanted:
            assert simulation.arrays["event_totals"][number, 0] == wanted[name, "events"].sum()


def test_a_network_that_does_not_learn() -> None:
    assert_same(a_network(0, None))


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 3))
@pytest.mark.parametrize("form", [None, "carry", "chip"])
def test_more_networks(form: str | None, seed: int) -> None:
    assert_same(a_network(seed, form))

"""The steps that lead into a task: learning runs in them, neurons do not, and they come once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from burstchip.backends.sim.simulator import Simulation, start
from burstchip.running.run import open_run
from burstchip.tasks.checkpoint import state_sha256
from burstchip.tasks.presentation import Pictures, Presentation
from burstchip.tasks.showing import show
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import Dense, FixedProbability
from compiler.ir.network import Endpoint, Network, Plasticity, Population, Projection, Task, TraceSpec
from compiler.ir.values import Constant, Uniform
from compiler.pipeline import compile_network
from hw_models.neurons.registry import models

PRESENT = 24


def rule(name: str, rounding: Any, every: float, increment: float = 12.3, **texts: str) -> Plasticity:
    return Plasticity(name, "chip", rounding, every, (TraceSpec("x1", 9.0, increment),), texts)


def projection(source: str, target: str, learn: str | None, **changes: Any) -> Projection:
    ends = Endpoint(*source.split(".")), Endpoint(*target.split("."))
    it = Projection(f"{source}->{target}", *ends, Dense(), Uniform(-2.0, 4.0), Constant(1.0), learn=learn)
    return replace(it, **changes)


@pytest.fixture(scope="module")
def code() -> ChipProgram:
    """Learning epochs of 3 and 8 steps: 24 steps lead in, the longer one ends three times in them."""
    populations = (
        Population("image", "rate_source", 64, {"max_rate": 400.0}),
        Population("noise", "poisson_source", 5, {"rate": 400.0}),
        Population("hidden", "burst_unit", 7, {"bias": 150.0}),
        Population("readout", "burst_unit", 10, {"bias": 200.0, "teacher_on": 500.0, "teacher_gain": 0.1}),
    )
    rules = (
        rule("eights", "lava", 8.0, dw="u0*2^-4*x1*y1 - u0*w*2^-2 + x0*2^2", dt="x0*2^-3*x1 + u0*2^-1"),
        rule(
            "threes",
            "per_synapse",
            3.0,
            dw="u1*2^-3*x1*y1 + u1*2^-2*x1 - u1*w*2^-3 + x0*2^-6*d",
            dd="u1*3 - x0*x1",
        ),
    )
    projections = (
        projection("image.events", "hidden.soma", "eights"),
        projection("noise.events", "hidden.soma", "eights", connectivity=FixedProbability(0.6)),
        projection("noise.events", "readout.soma", "threes", delay=Uniform(1.0, 4.0)),
        projection("hidden.events", "readout.soma", "threes"),
        projection("readout.burst_error", "hidden.dendrite", None, weight=Uniform(-0.4, 0.4)),
    )
    task = Task("digits", "image", "readout", float(PRESENT), 0.0, 1)
    parts = (populations, projections, rules, (), task, "loihi2", {}, models())
    return compile_network(Network("lead", 1.0, 5, *parts))


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    images = np.random.default_rng(1).integers(0, 17, (4, 64)).astype(np.uint8)
    return Pictures(images, 16, np.array([1, 2, 3, 4]))


def shown_in(code: ChipProgram, pictures: Pictures, *pieces: int, learning: bool = True) -> Simulation:
    presentation, done = Presentation(code, pictures), 0
    run: Any = open_run(code, streams=presentation.streams, learning=learning)
    for piece in pieces:
        order = np.arange(done, done + piece)
        done += piece
        show(run, presentation, order, done if done < len(pictures.images) else -1)
    return run


@pytest.mark.once
def test_as_plainly_written(code: ChipProgram, pictures: Pictures) -> None:
    simulation = shown_in(code, pictures, 4)
    slow: Any = open_run(code, "plain", streams=Presentation(code, pictures, np.arange(4)).streams)
    slow.advance(4 * PRESENT)
    for index, it in enumerate(slow.synapses):
        for kind in "wtd" if it.learning else "w":
            found = simulation.read(it.code.name, kind)
            np.testing.assert_array_equal(found, it.variable(kind), err_msg=f"{kind} {it.code.name}")
        if it.learning is not None:
            np.testing.assert_array_equal(simulation.arrays[f"stored_x_{index}"], it.x)
    for number, population in enumerate(code.populations[2:], start=2):
        for name, values in slow.neurons[population.name].state.items():
            np.testing.assert_array_equal(simulation.arrays[f"s_{number}_{name}"], values, err_msg=name)


def test_learning_before_the_first_step(code: ChipProgram, pictures: Pictures) -> None:
    simulation = shown_in(code, pictures, 0)
    assert (code.lead_in, simulation.clock) == (24, 0)
    slow: Any = open_run(code, "plain", streams=Presentation(code, pictures, np.arange(1)).streams)
    slow.advance(0)
    for index in range(4):
        it = slow.synapses[index]
        np.testing.assert_array_equal(simulation.arrays[f"w_{index}"].ravel(), it.variable("w"))
        np.testing.assert_array_equal(simulation.arrays[f"stored_x_{index}"], it.x)
    # Three learning phases add a half to each tag, the third an eighth of x1 where a source emitted.
    tags, emitted = simulation.arrays["t_0"], simulation.arrays["stored_x_0"][0] > 0
    assert 0 < np.count_nonzero(emitted) < 64
    assert set(np.unique(tags[~emitted])) <= {1, 2} and np.all(tags[emitted] >= 2)
    # Of eight phases every second adds 3.
    assert set(np.unique(simulation.arrays["d_3"])) == {12}
    assert np.any(simulation.arrays["w_1"] != code.projections[1].weights)
    # The neurons have not run.
    fresh = start(code, learning=True).arrays
    for name in (n for n in fresh if n.startswith(("s_2_", "s_3_"))):
        np.testing.assert_array_equal(simulation.arrays[name], fresh[name])


def test_the_first_events_are_sent_with_weights_from_before(code: ChipProgram, pictures: Pictures) -> None:
    first = code.projections[0]
    alone = replace(code, projections=(first,))
    assert (alone.lead_in, first.weight_exp) == (8, 0)
    arrays = shown_in(alone, pictures, 0).arrays
    emitted = arrays["e_0_events"][: arrays["c_0_events"][0]]
    before = first.weights.T[emitted]
    assert np.any(arrays["w_0"][emitted] != before)
    np.testing.assert_array_equal(arrays["a_2_soma"][0], before.sum(axis=0))


def test_it_happens_once(code: ChipProgram, pictures: Pictures) -> None:
    whole = shown_in(code, pictures, 4)
    for pieces in ((1, 3), (2, 0, 2), (1, 1, 1, 1)):
        assert state_sha256(shown_in(code, pictures, *pieces).arrays) == state_sha256(whole.arrays)


def test_a_network_that_does_not_learn_is_led_in_by_its_sources_alone(
    code: ChipProgram, pictures: Pictures
) -> None:
    simulation = shown_in(code, pictures, 0, learning=False)
    assert simulation.layout.lead_in == 1
    for index, projection in enumerate(code.projections[:2]):
        wanted = projection.weights.T if projection.dense else projection.weights
        np.testing.assert_array_equal(simulation.arrays[f"w_{index}"], wanted)
    assert simulation.arrays["c_0_events"][0] > 0

"""What a run gives: shapes, counters, clipped sums, any seed, and reals close to the integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from burstchip.backends.plain.run import PlainRun
from burstchip.backends.sim.simulator import Simulation, start
from burstchip.running.recording import record
from burstchip.variables import Variable
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import Dense
from compiler.ir.network import Endpoint, Network, Population, Projection
from compiler.ir.values import Constant, Uniform
from compiler.passes.bind import bind
from compiler.pipeline import compile_network
from hw_models.neurons.registry import models

#: What is recorded is compiled into the loop: one set keeps the number of loops small.
RECORD = (("b", "v"), ("b", "events"), ("a", "events"), ("b", "u"))


def simulate(
    code: ChipProgram, steps: int, record: tuple[tuple[str, str], ...], *, real: bool = False
) -> tuple[Any, Simulation]:
    """What is recorded of `steps` steps with learning, and the simulation at their end."""
    simulation = start(code, learning=True, real=real, record=record)
    return simulation.advance(steps), simulation


def chain(
    *, weight: float = 15 * 20 / 128, targets: int = 5, delay: float = 1.0, seed: int = 0
) -> ChipProgram:
    """Listed spikes drive one layer, which drives itself."""
    spikes = tuple((neuron, float(time)) for neuron in range(2) for time in (3, 4, 10, 40 + neuron))
    populations = (
        Population("a", "spike_list", 2, {}, spikes),
        Population("b", "lif", targets, {"tau_current": 2.0, "bias": 80.0}),
    )
    projections = (
        Projection(
            "in", Endpoint("a", "events"), Endpoint("b", "soma"), Dense(), Constant(weight), Constant(delay)
        ),
        Projection(
            "back", Endpoint("b", "events"), Endpoint("b", "soma"), Dense(), Uniform(-1.0, 0.5), Constant(1.0)
        ),
    )
    network = Network("chain", 1.0, seed, populations, projections, (), (), None, "loihi2", {}, models())
    return compile_network(network)


@pytest.fixture(scope="module")
def code() -> ChipProgram:
    return chain()


def run(
    code: ChipProgram, steps: int, variables: Sequence[Variable] = RECORD, backend: str = "sim"
) -> Mapping[Variable, NDArray[Any]]:
    """What is recorded in a free run."""
    return record(code, steps, variables, backend=backend).values


def state_after(code: ChipProgram, steps: int) -> Simulation:
    simulation = start(code, learning=True)
    simulation.advance(steps)
    return simulation


def test_one_row_a_step_one_column_a_neuron(code: ChipProgram) -> None:
    found = run(code, 60)
    assert tuple(found) == RECORD
    assert {name: values.shape for name, values in found.items()} == {
        ("b", "v"): (60, 5),
        ("b", "u"): (60, 5),
        ("b", "events"): (60, 5),
        ("a", "events"): (60, 2),
    }
    assert {values.dtype for values in found.values()} == {np.dtype(np.int32)}
    listed = np.argwhere(found["a", "events"]).tolist()
    assert sorted(listed) == [[3, 0], [3, 1], [4, 0], [4, 1], [10, 0], [10, 1], [40, 0], [41, 1]]


@pytest.mark.parametrize("delay", [1.0, 63.0])
def test_an_event_acts_after_its_delay(delay: float) -> None:
    found = run(chain(delay=delay), 80)
    first = int(np.flatnonzero(found["b", "u"][:, 0])[0])
    assert first == 3 + delay


def test_what_is_sent_in_one_step_is_floored_by_itself() -> None:
    """A half from step 3 with a long delay and a half from step 4 with a short one meet, and are 0, not 1."""
    code = chain(targets=1)
    both = replace(
        code.projections[0],
        weights=np.array([[1, 1]], dtype=np.int16),
        delays=np.array([1, 0], dtype=np.int16),
        weight_exp=-1,
    )
    spikes = np.array([[3, 0], [4, 1], [10, 0], [10, 1], [20, 1], [21, 1]])
    listed = replace(code.populations[0], spikes=spikes)
    code = replace(code, populations=(listed, code.populations[1]), projections=(both, code.projections[1]))
    found = run(code, 30)
    assert not found["b", "u"].any()
    uniform = replace(both, delays=np.ones(2, dtype=np.int16))
    code = replace(code, projections=(uniform, code.projections[1]))
    found = run(code, 30)
    # Those of step 10 are sent together.
    assert np.flatnonzero(found["b", "u"])[0] == 12


def test_a_source_that_nothing_reads(code: ChipProgram) -> None:
    """Of its program nothing is left to compute."""
    model = models()["current_source"]
    source = replace(
        code.populations[0],
        name="unread",
        program=model.program,
        roles=model.roles,
        parameters={"level": 1, "start": 0, "stop": 9},
        spikes=None,
        signals={},
    )
    code = bind(replace(code, populations=(*code.populations, source)))
    assert np.array_equal(run(code, 20)["b", "v"], run(chain(), 20)["b", "v"])


def test_no_steps_change_nothing(code: ChipProgram) -> None:
    arrays = start(code, learning=True).arrays
    simulation = state_after(code, 0)
    assert simulation.clock == 0
    for name, array in arrays.items():
        np.testing.assert_array_equal(simulation.arrays[name], array, err_msg=name)


def test_events_are_counted(code: ChipProgram) -> None:
    recording, simulation = record(code, 60, RECORD), state_after(code, 60)
    events = recording.values["b", "events"]
    assert recording.events == {"a": 8, "b": events.sum()}
    assert simulation.clock == 60
    assert simulation.arrays["event_totals"][:, 0].tolist() == [8, events.sum()]
    # A message is counted when it is delivered, a step after its emission.
    assert simulation.arrays["synaptic_events"].tolist() == [8 * 5, 5 * events[:-1].sum()]


def test_sums_beyond_the_port_are_clipped_and_counted() -> None:
    # Two sources of 255 units at 2^10: 522240, where the port holds 131072.
    code = chain(weight=255 * 20 / 128)
    strong = replace(code.projections[0], weight_exp=10)
    code = replace(code, projections=(strong, code.projections[1]))
    assert state_after(code, 20).arrays["clipped_inputs"].tolist() == [0, 3 * 5]
    assert run(code, 20)["b", "u"].max() == 1 << 23


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1, 2**63 - 1])
def test_any_seed(seed: int) -> None:
    code = replace(chain(), seed=seed)
    model = models()["poisson_source"]
    poisson = replace(
        code.populations[0],
        program=model.program,
        roles=model.roles,
        parameters={"value": 9000, "max_value": 0},
        spikes=None,
        signals={},
    )
    code = bind(replace(code, populations=(poisson, code.populations[1])))
    found = run(code, 50, [("a", "events")])
    wanted = PlainRun(code, record=[("a", "events")]).advance(50)
    assert np.array_equal(found["a", "events"], wanted["a", "events"])


def test_the_state_is_all_there_is(code: ChipProgram) -> None:
    """A run in two parts, the second from copies of the arrays, is the run in one."""
    whole = start(code, learning=True)
    whole.advance(60)
    first = start(code, learning=True)
    first.advance(23)
    second = start(code, learning=True)
    second.restore({name: array.copy() for name, array in first.state().items()}, first.clock)
    second.advance(37)
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(second.arrays[name], array, err_msg=name)


@pytest.mark.parametrize("targets", [1, 5])
def test_a_run_does_not_write_into_its_program(targets: int) -> None:
    """A matrix of one row is contiguous both ways round."""
    code = chain(targets=targets)
    arrays = start(code, learning=True).arrays
    for index, projection in enumerate(code.projections):
        assert not np.shares_memory(arrays[f"w_{index}"], projection.weights)


def test_reals_are_close_where_little_is_rounded() -> None:
    """Below the threshold, where no event turns a small difference into a large one."""
    code = chain(weight=-13 * 20 / 128)
    integers, reals = run(code, 60), run(code, 60, backend="reference")
    assert {values.dtype for values in reals.values()} == {np.dtype(np.float64)}
    assert np.array_equal(reals["a", "events"], integers["a", "events"])
    assert not reals["b", "events"].any() and not integers["b", "events"].any()
    # Weights have 8 bits, and decays lose up to one a step.
    greatest = np.abs(reals["b", "v"]).max()
    assert np.abs(reals["b", "v"] - integers["b", "v"]).max() < greatest / 100
    assert np.any(reals["b", "v"] % 1)


@pytest.mark.slow
def test_reals_of_the_bursting_neuron_have_the_same_rates() -> None:
    populations = (
        Population("a", "poisson_source", 20, {"rate": 60.0}),
        Population("b", "burst_unit", 40, {"bias": 150.0, "burst_window": 64.0}),
    )
    ends = (Endpoint("a", "events"), Endpoint("b", "soma"))
    drive = Projection("in", *ends, Dense(), Uniform(-2.0, 4.0), Constant(1.0))
    ends = (Endpoint("b", "burst_error"), Endpoint("b", "dendrite"))
    back = Projection("back", *ends, Dense(), Uniform(-0.3, 0.3), Constant(1.0))
    network = Network("burst", 1.0, 4, populations, (drive, back), (), (), None, "loihi2", {}, models())
    code = compile_network(network)
    variables = (("a", "events"), ("b", "events"), ("b", "bursts"), ("b", "P"))
    integers, reals = run(code, 600, variables), run(code, 600, variables, backend="reference")
    # The same draws: whether a source emits is decided alike but for the rounding of its rate.
    assert np.count_nonzero(reals["a", "events"] != integers["a", "events"]) <= 5
    for name, share in (("events", 0.02), ("bursts", 0.06)):
        totals = integers["b", name].sum(), reals["b", name].sum()
        assert totals[0] > 500
        assert totals[1] == pytest.approx(totals[0], rel=share)
    assert reals["b", "P"].mean() == pytest.approx(integers["b", "P"].mean(), rel=0.03)

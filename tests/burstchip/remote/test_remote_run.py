"""A run on a target is the run that its backend has here: the same values, counts, states and errors."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pytest

import burstchip
from burstchip.backends.available import require_backend
from burstchip.remote import remote_run
from burstchip.remote.address import Address, parse_address
from burstchip.remote.arrays import state_sha256
from burstchip.remote.failures import TargetRefusal
from burstchip.remote.messages import Message, Profile
from burstchip.remote.readable import readable_state
from burstchip.remote.target import Target
from burstchip.running.run import open_run
from burstchip.running.verification import verify
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

STEERED = """burstchip: 1
name: steered
step: 1 ms
seed: 3
populations:
  input: {model: poisson_source, size: 6, rate: 200 Hz}
  even: {model: rate_source, size: 4}
  fast: {model: lif, size: 3, capacitance: [50 pF, 100 pF, 200 pF]}
  units: {model: burst_unit, size: 4, bias: 490 pA, teacher_gain: 0.125}
plasticity:
  burst:
    form: chip
    every: 8 ms
    learning_rate: 2^-4
    consolidation_rate: 2^-6
    consolidate_every: 4
    trace: {name: x1, tau: 16 ms, increment: 16}
projections:
  - {from: input, to: units.soma, weight: {uniform: [-2 mV, 4 mV]}, limit: 20 mV, learn: burst}
  - {from: even, to: fast.soma, weight: 2 mV}
  - {from: units.burst_error, to: units.dendrite, weight: {uniform: [-0.2, 0.2]}}
signals:
  lesson: {to: units.teacher, streamed: {every: 10 ms, from: 0 Hz, to: 400 Hz}}
  each: {to: even.rate, streamed: {every: 1 ms, from: 0 Hz, to: 500 Hz}}
  host: {to: fast.bias, written: {from: -300 pA, to: 900 pA, start: 20 pA}}
"""
LESSON = np.random.default_rng(0).uniform(0, 400, (15, 4))
EACH = np.random.default_rng(1).uniform(0, 500, (150, 4))
STREAMS = {"lesson": LESSON, "each": EACH}


@pytest.fixture(scope="module")
def steered(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = tmp_path_factory.mktemp("steered") / "net.yaml"
    path.write_text(STEERED)
    return burstchip.compile_file(path)[0]


def record_of(code: ChipProgram) -> list[tuple[str, str]]:
    return [("units", "v"), ("fast", "v"), ("units", "events"), (code.projections[0].name, "w")]


def test_a_run_in_chunks_and_by_steps_is_the_same(reach: Any, steered: ChipProgram) -> None:
    record = record_of(steered)
    here = open_run(steered, "plain", record=record, streams=STREAMS)
    there = reach().open_run(steered, record=record, streams=STREAMS)
    for steps in (1, 1, 30, 0, 90, 7):
        ours, theirs = here.advance(steps), there.advance(steps)
        for place in record:
            assert theirs[place].shape == ours[place].shape
            np.testing.assert_array_equal(ours[place], theirs[place])
        for run in (here, there):
            run.write("host", [400.0, 20.0, 100.0 + run.clock])
    assert (there.clock, there.events, there.bursts, there.clipped) == (
        here.clock,
        here.events,
        here.bursts,
        here.clipped,
    )
    assert sum(here.events.values()) > 100
    np.testing.assert_array_equal(there.read("fast", "u"), here.read("fast", "u"))
    np.testing.assert_array_equal(there.weights(record[3][0]), here.weights(record[3][0]))
    assert there.state_hash() == state_sha256(readable_state(here))
    assert there.target_ns > 0


def test_the_host_closes_the_loop(reach: Any, steered: ChipProgram) -> None:
    here = open_run(steered, "plain", streams=STREAMS)
    there = reach().open_run(steered, streams=STREAMS)
    for _ in range(60):
        for run in (here, there):
            run.advance(1)
            run.write("host", 900.0 if run.read("fast", "v")[0] < 0 else -100.0)
    assert there.state_hash() == state_sha256(readable_state(here))


def test_only_the_rows_of_the_steps_are_asked_for(reach: Any, steered: ChipProgram) -> None:
    asked: list[tuple[int, int]] = []

    def each(first: int, count: int) -> Any:
        asked.append((first, count))
        return np.zeros((count, 4), dtype=np.int64)

    run = reach().open_run(steered, streams={"lesson": LESSON, "each": each})
    run.advance(1)
    run.advance(1)
    run.advance(20)
    assert asked == [(0, 1), (1, 1), (2, 20)]


class Small(Target):
    """A target that takes messages of 6,000 bytes, as it says."""

    def answer(self, request: Message) -> Message:
        found = super().answer(request)
        return msgspec.structs.replace(found, frame_bytes=6000) if isinstance(found, Profile) else found


def test_messages_stay_within_what_the_target_takes(reach: Any, steered: ChipProgram) -> None:
    record = record_of(steered)
    here = open_run(steered, "plain", record=record, streams=STREAMS)
    connection = reach(Small("plain"), most=6000)
    there = connection.open_run(steered, record=record, streams=STREAMS)
    ours, theirs = here.advance(150), there.advance(150)
    for place in record:
        np.testing.assert_array_equal(ours[place], theirs[place])
    # A state does not fit, and is not sent; the run goes on.
    with pytest.raises(BurstchipError, match="BC888"):
        there.restore({"much": np.zeros(6000)}, 0)
    assert there.state_hash() == state_sha256(readable_state(here))
    wide = connection.open_run(steered, record=record * 40, streams=STREAMS)
    with pytest.raises(BurstchipError, match="BC888.*a step does not fit"):
        wide.advance(1)


def test_a_state_goes_there_and_back(reach: Any, steered: ChipProgram) -> None:
    run = reach().open_run(steered, streams=STREAMS)
    run.advance(40)
    state = run.state()
    run.advance(25)
    after = run.state_hash()
    run.restore(state, 40)
    run.advance(25)
    assert run.state_hash() == after
    here = open_run(steered, "plain", streams=STREAMS)
    here.restore(state, 40)
    here.advance(25)
    assert state_sha256(readable_state(here)) == after
    with pytest.raises(TargetRefusal) as raised:
        run.restore({**state, "units.state.v": state["units.state.v"][:1]}, 40)
    assert raised.value.code == "state"
    # The connection goes on.
    assert run.state_hash() == after


def test_weights_and_neurons_of_another_run(reach: Any, steered: ChipProgram) -> None:
    connection, name = reach(), steered.projections[0].name
    learned = connection.open_run(steered, streams=STREAMS)
    learned.advance(80)
    weights, state = learned.weights(name), learned.state()
    assert not np.array_equal(weights, steered.projections[0].weights.T)
    other = connection.open_run(steered, streams=STREAMS, learning=False)
    other.set_weights({name: weights})
    np.testing.assert_array_equal(other.weights(name), weights)
    for wrong in (weights[1:], weights * 1.5):
        with pytest.raises(TargetRefusal, match="do not fit"):
            other.set_weights({name: wrong})
    going_on = connection.open_run(steered, streams=STREAMS)
    going_on.adopt(state)
    np.testing.assert_array_equal(going_on.weights(name), weights)
    np.testing.assert_array_equal(going_on.read("units", "v"), state["units.state.v"])
    assert going_on.clock == 0
    with pytest.raises(TargetRefusal, match="none of the program's state"):
        going_on.adopt({"units.state.nothing": weights})


def test_a_task_is_taught_in_parts(
    reach: Any, monkeypatch: pytest.MonkeyPatch, digits_code: ChipProgram
) -> None:
    from burstchip.tasks.presentation import Pictures, Presentation
    from burstchip.tasks.showing import show

    drawn = np.random.default_rng(3)
    pictures = Pictures(drawn.integers(0, 17, (6, 64)), 16.0, drawn.integers(0, 10, 6))
    monkeypatch.setattr(remote_run, "_FIRST_STEPS", 37)
    found = []
    for opened in (partial(open_run, digits_code), partial(reach(Target("sim")).open_run, digits_code)):
        presentation = Presentation(digits_code, pictures)
        run = opened(streams=presentation.streams)
        classes = [show(run, presentation, np.arange(6)), show(run, presentation, np.array([2, 1]), 5)]
        found.append((state_sha256(readable_state(run)), np.concatenate(classes).tolist(), run.events))
    assert found[0] == found[1]


def test_samples_in_one_exchange(reach: Any, digits_code: ChipProgram) -> None:
    from burstchip.tasks.presentation import Pictures, Presentation
    from burstchip.tasks.showing import show

    drawn = np.random.default_rng(4)
    pictures = Pictures(drawn.integers(0, 17, (8, 64)), 16.0, drawn.integers(0, 10, 8))
    presentation = Presentation(digits_code, pictures, np.arange(8))
    here = open_run(digits_code, streams=presentation.streams, learning=False)
    expected = show(here, presentation, np.arange(8))
    connection = reach(Target("sim"))
    there = connection.open_run(digits_code, streams=presentation.streams, learning=False)
    shown = there.infer(6, warm_ups=2)
    assert list(shown.classes) == expected[2:].tolist()
    assert len(shown.sample_ns) == 6 and min(shown.sample_ns) > 0
    with pytest.raises(TargetRefusal):
        there.learn(1)
    learning = connection.open_run(digits_code, streams=presentation.streams)
    state = learning.state()
    learning.restore(state, 0)
    name = next(it for it in state if it.startswith("s_"))
    for take in (learning.adopt, lambda given: learning.restore(given, 0)):
        with pytest.raises(TargetRefusal) as raised:
            take({**state, name: np.full_like(state[name], np.iinfo(state[name].dtype).max)})
        # Compiled code looks tables up by states.
        assert raised.value.code == "BC569"
    before = learning.weights(digits_code.projections[0].name)
    assert len(learning.learn(4).classes) == 4
    assert not np.array_equal(before, learning.weights(digits_code.projections[0].name))
    with pytest.raises(BurstchipError, match="is over"):
        there.advance(1)


def test_what_is_wrong_here_is_said_here(reach: Any, steered: ChipProgram) -> None:
    connection = reach()
    with pytest.raises(BurstchipError, match="BC605"):
        connection.open_run(steered, record=[("units", "nothing")], streams=STREAMS)
    with pytest.raises(BurstchipError, match="BC567"):
        connection.open_run(steered)
    run = connection.open_run(steered, streams=STREAMS)
    with pytest.raises(BurstchipError, match="BC559"):
        run.write("host", 9000.0)
    with pytest.raises(BurstchipError, match="BC603"):
        run.advance(-1)


def test_a_target_refuses_what_does_not_fit_the_program(reach: Any, steered: ChipProgram) -> None:
    def beyond(first: int, count: int) -> Any:
        return np.full((count, 4), 1 << 24)

    run = reach().open_run(steered, streams={"lesson": LESSON, "each": beyond})
    with pytest.raises(TargetRefusal, match="rows of 'each' outside"):
        run.advance(1)


def test_an_address_is_a_backend(lif: ChipProgram) -> None:
    address = f"child:{sys.executable} -m burstchip target --backend plain --listen stdio"
    found = verify(lif, 60, backends=("plain", address))
    assert found.difference is None and found.steps == 60


def test_only_what_a_target_can_do_takes_an_address() -> None:
    require_backend("tcp://127.0.0.1:5570", or_target=True)
    with pytest.raises(BurstchipError, match="BC886"):
        require_backend("tcp://127.0.0.1:99999", or_target=True)
    with pytest.raises(BurstchipError, match="BC550"):
        require_backend("tcp://127.0.0.1:5570")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("tcp://127.0.0.1:5570", Address("tcp", "127.0.0.1", 5570)),
        ("tcp://[::1]:80", Address("tcp", "::1", 80)),
        ("serial:///dev/ttyACM0", Address("serial", "/dev/ttyACM0", 115200)),
        ("serial:///dev/ttyUSB1?baud=9600", Address("serial", "/dev/ttyUSB1", 9600)),
        ("child:./target -v", Address("child", "./target -v", lines=True)),
        ("child+msgpack:./target", Address("child", "./target")),
    ],
)
def test_addresses(text: str, place: Address) -> None:
    assert parse_address(text) == place


@pytest.mark.parametrize(
    "text", ["", "sim", "tcp://host", "tcp://host:99999", "serial://", "child: ", "http://x:1"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BurstchipError, match="BC886"):
        parse_address(text)

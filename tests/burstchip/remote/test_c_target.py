"""The target in C: the same integers as the specification, over a pipe, a socket and a serial line."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import burstchip
from burstchip.remote import connection as connection_module
from burstchip.remote.address import parse_address
from burstchip.remote.arrays import state_sha256
from burstchip.remote.connection import connect
from burstchip.remote.failures import TargetRefusal
from burstchip.remote.listening import listen
from burstchip.remote.readable import readable_state
from burstchip.remote.target import Target
from burstchip.running.run import open_run
from burstchip.running.verification import verify
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

SIGNALS = """burstchip: 1
name: signals
step: 1 ms
seed: 3
populations:
  input: {model: poisson_source, size: 6, rate: 100 Hz}
  even: {model: rate_source, size: 4}
  level: {model: current_source, size: 2, level: 3}
  cells: {model: lif, size: 5, bias: 50 pA, tau_membrane: {uniform: [10 ms, 30 ms]}}
  fast: {model: lif, size: 3, capacitance: [50 pF, 100 pF, 200 pF], lower_bound: -90 mV}
  gated: {model: burst_unit, size: 4, bias: 490 pA}
projections:
  - {from: input, to: cells.soma, weight: {uniform: [-2 mV, 6 mV]}, delay: {uniform: [1 ms, 5 ms]}}
  - {from: even, to: cells.soma, weight: 2 mV, weight_bits: 4}
  - {from: level, to: fast.soma, weight: 1 mV}
  - {from: gated.bursts, to: fast.soma, weight: -1 mV}
  - {from: cells.events, to: gated.soma, weight: 3 mV}
signals:
  drive: {to: cells.bias, sine: {mean: 60 pA, amplitude: 130 pA, frequency: 13 Hz, phase: 0.25}, start: 10 ms,
    stop: 180 ms}
  poke: {to: cells.soma, pulses: {value: 3 mV, width: 4 ms, period: 30 ms}}
  rates: {to: input.rate, steps: [[0 ms, 50 Hz], [60 ms, 400 Hz], [120 ms, 0 Hz]]}
  climb: {to: even.rate, streamed: {every: 7 ms, from: 0 Hz, to: 500 Hz}}
  graded: {to: level.level, table: {values: [1, -2, 5], every: 7 ms, repeat: yes}}
  host: {to: fast.bias, written: {from: -300 pA, to: 900 pA, start: 20 pA}}
"""
CLIMB = np.random.default_rng(0).uniform(0, 500, (40, 4))


@pytest.fixture(scope="module")
def signals(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = tmp_path_factory.mktemp("signals") / "net.yaml"
    path.write_text(SIGNALS)
    return burstchip.compile_file(path)[0]


@pytest.fixture
def listening(c_target: Path) -> Iterator[str]:
    """The address of a C target on a socket."""
    child = subprocess.Popen([c_target, "tcp", "0"], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    yield child.stdout.readline().split()[-1]
    child.kill()
    child.wait()
    child.stdout.close()


@pytest.fixture(params=["child", "child+msgpack", "socket", "serial"])
def address(request: pytest.FixtureRequest, c_target: Path) -> Iterator[str]:
    """Where a C target is, over each carrier."""
    if request.param == "socket":
        yield request.getfixturevalue("listening")
    elif request.param == "serial":
        host, device = request.getfixturevalue("line")
        child = subprocess.Popen([c_target, "serial", device])
        yield f"serial://{host}"
        child.kill()
        child.wait()
    else:
        place = "stdio" if request.param == "child" else "stdio+msgpack"
        yield f"{request.param}:{c_target} {place}"


def test_the_same_integers_over_every_carrier(address: str, lif: ChipProgram) -> None:
    assert parse_address(address)
    found = verify(lif, 120, backends=("plain", address))
    assert found.difference is None and found.steps == 120


@pytest.mark.once
@pytest.mark.slow
def test_the_simulator_spikes_alike(c_target: Path, lif: ChipProgram) -> None:
    places = [("first", "events"), ("second", "events"), ("noise", "events")]
    here = open_run(lif, "sim", record=places).advance(400)
    with connect(f"{c_target} stdio") as connection:
        there = connection.open_run(lif, record=places).advance(400)
    assert all(here[place].sum() > 20 for place in places)
    for place in places:
        np.testing.assert_array_equal(here[place], there[place])


def test_signals_streams_and_writes(c_target: Path, signals: ChipProgram) -> None:
    record = [("cells", "v"), ("fast", "v"), ("fast", "events"), ("gated", "events"), ("level", "current")]
    given: Any = {"streams": {"climb": CLIMB}, "record": record}
    here = open_run(signals, "plain", **given)
    with connect(f"{c_target} stdio") as connection:
        there = connection.open_run(signals, **given)
        for steps in (1, 60, 3, 130):
            ours, theirs = here.advance(steps), there.advance(steps)
            for place in record:
                np.testing.assert_array_equal(ours[place], theirs[place])
            for run in (here, there):
                run.write("host", [400.0, -20.0, 2.0 * run.clock])
        assert (here.events, here.bursts, here.clipped) == (there.events, there.bursts, there.clipped)
        assert there.state_hash() == state_sha256(readable_state(here))
        state = there.state()
        there.advance(30)
        after = there.state_hash()
        there.restore(state, here.clock)
        there.advance(30)
        assert there.state_hash() == after
        assert connection.timestamp() <= connection.timestamp()


def test_the_seed_of_the_run(c_target: Path, lif: ChipProgram) -> None:
    here = open_run(lif, "plain", seed=99, learning=False, begin=7)
    with connect(f"child+msgpack:{c_target} stdio+msgpack") as connection:
        for _ in range(2):
            there = connection.open_run(lif, seed=99, learning=False, begin=7)
            there.advance(50)
        here.advance(50)
        assert there.state_hash() == state_sha256(readable_state(here))


def test_an_artifact_in_pieces(
    c_target: Path, lif: ChipProgram, reach: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_PIECE", 700)
    here = open_run(lif, "plain")
    here.advance(9)
    with connect(f"{c_target} stdio") as in_c:
        for connection in (in_c, reach()):
            for _ in range(2):
                there = connection.open_run(lif)
                there.advance(9)
                assert there.state_hash() == state_sha256(readable_state(here))


def test_what_it_cannot_do_it_says(c_target: Path, lif: ChipProgram, digits_code: ChipProgram) -> None:
    with connect(f"{c_target} stdio") as connection:
        with pytest.raises(BurstchipError, match="BC888.*no flat form"):
            connection.open_run(digits_code, streams={"samples": np.zeros, "labels": np.zeros})
        run = connection.open_run(lif)
        with pytest.raises(TargetRefusal, match="unable") as raised:
            run.weights(lif.projections[0].name)
        assert raised.value.code == "unable"
        assert run.advance(3) == {} and run.clock == 3


def test_it_answers_rubbish_and_goes_on(c_target: Path) -> None:
    lines = [
        b"hello",
        b"{",
        b'{"type": "advance", "id": 4, "steps": 1}',
        b'{"a": [[[[[[[[[[[[[[[[[[[[1',
        b"[1,]",
    ]
    lines += [
        b'{"type": "load", "id": 5, "form": "flat", "artifact": "x", "sha256": "y", "size": 1}',
        b"\xff\x00",
    ]
    lines += [b'{"type": "piece", "id": 6, "data": "***"}', b'{"type": "bye", "id": 7}']
    done = subprocess.run(
        [c_target, "stdio"], input=b"\n".join(lines) + b"\n", capture_output=True, timeout=20
    )
    assert done.returncode == 0
    said = done.stdout.splitlines()
    assert len(said) == 2 * 8 + 1
    assert all(b'"error"' in it for it in said[:-1:2]) and all(b'"ready"' in it for it in said[1::2])


def test_the_reference_target_on_a_serial_line(line: tuple[str, str], lif: ChipProgram) -> None:
    ours, theirs = (f"serial://{device}?baud=9600" for device in line)
    opened = threading.Event()
    # What comes before a port is open is lost.
    given = {"listening": lambda _: opened.set()}
    thread = threading.Thread(target=listen, args=(Target("plain"), theirs), kwargs=given, daemon=True)
    thread.start()
    assert opened.wait(30)
    found = verify(lif, 20, backends=("plain", ours))
    assert found.difference is None
    thread.join(10)
    assert not thread.is_alive()

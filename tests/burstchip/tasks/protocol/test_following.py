"""A protocol is followed as its file says, on every backend alike, and goes on where it was interrupted."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
import pytest

import burstchip.tasks.protocol.following as following
from burstchip.compilation import compile_file
from burstchip.running.recording import record
from burstchip.running.run import Run, open_run
from burstchip.running.verification import verify
from burstchip.tasks.checkpoint import state_sha256
from burstchip.tasks.protocol.following import Finished, FollowProgress, follow
from burstchip.tasks.protocol.plan import plan_of
from burstchip.tasks.protocol.steering import Steering
from burstchip.tasks.protocol.teaching import taught
from burstchip.tasks.train_options import TrainOptions
from burstchip.tasks.training import train
from compiler.artifact import load_artifact, save_artifact
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

NETWORK = """\
burstchip: 1
name: small
step: 1 ms
seed: 3
target: ${target}
parameters: {target: loihi2, every: 200 ms, order: listed, rounds: 3}
populations:
  drive: {model: burst_poisson, size: 6, burst_trace: 16 ms}
  out:
    model: burst_poisson
    size: 4
    dendrite_bias: 400 pA
    burst_trace: 16 ms
    tau_average: 200 ms
    rate_low: 2 Hz
  noise: {model: poisson_noise, size: 6, rate: 500 Hz}
plasticity:
  bursts:
    every: 1 ms
    traces: [{name: x1, tau: 100 ms, increment: 32}, {name: x2, tau: 0 ms, increment: 32}]
    dw: u0*2^-6*x1*y1 + x0*2^-4*x2*y3
projections:
  - {from: noise, to: drive.soma_exc, connectivity: one_to_one, weight: 1 leak}
  - {name: learned, from: drive.events, to: out.soma_exc, weight: 1.5 leak, limit: 3 leak, learn: bursts}
protocol:
  inputs: {x: drive.bias}
  teachers:
    y: {to: out.dendrite_bias, strength: 1000 pA, low: 2 Hz, high: 10 Hz, tolerance: 1 Hz, every: "${every}"}
  examples:
    weak: {x: 0 pA, y: 0}
    middle: {x: 200 pA, y: 0}
    strong: {x: 400 pA, y: 1}
  phases:
    shown: {for: 150 ms}
    guess: {for: 250 ms}
    learn: {for: 400 ms, taught: yes, plastic: [out]}
  parts:
    - {name: settling, for: 100 ms}
    - {name: before, phases: [shown]}
    - {name: training, phases: [guess, learn], rounds: "${rounds}", order: "${order}"}
    - {name: after, phases: [shown]}
  bin: 100 ms
"""


#: For backends that take milliseconds a step: one round, whose phases let the teacher look twice and no more.
BRIEF = {
    "for: 100 ms": "for: 20 ms",
    "for: 150 ms": "for: 30 ms",
    "for: 250 ms": "for: 30 ms",
    "for: 400 ms": "for: 220 ms",
    "rounds: 3": "rounds: 1",
}


#: What a backend calls within a step.
SIM = "burstchip.backends.sim.simulator.Simulation._check_widths"
PLAIN = "burstchip.backends.plain.run.PlainRun._emit_and_learn_in_chip"


@pytest.fixture(autouse=True)
def own_folders() -> None:
    """Unlike the tests of data sets, these keep the folder of compiled loops that all tests share."""


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(NETWORK, encoding="utf-8")
    return path


@pytest.fixture
def brief(tmp_path: Path) -> Path:
    """The same network, so that its loop is the same, with a shorter protocol."""
    text = NETWORK
    for long, short in BRIEF.items():
        assert long in text
        text = text.replace(long, short)
    path = tmp_path / "brief.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def compiled(network: Path, **settings: str) -> ChipProgram:
    return compile_file(network, settings)[0]


def same(found: Finished, other: Finished) -> bool:
    return state_sha256(found.state) == state_sha256(other.state) and all(
        np.array_equal(array, other.followed.arrays[name]) for name, array in found.followed.arrays.items()
    )


def test_plan_is_the_protocol(network: Path) -> None:
    code = compiled(network)
    assert code.protocol is not None
    plan = plan_of(code.protocol, code.step_ms, code.seed)
    assert plan.count == 1 + 3 + 3 * 3 * 2 + 3
    assert plan.total == 100 + 3 * 150 + 9 * 650 + 3 * 150
    assert plan.first[0] == 0 and plan.first[4] == 100 + 3 * 150
    # 250 ms are two bins and half of one.
    assert plan.bins[4] == 3 and plan.bin_lasts[plan.first_bin[4] :][:4].tolist() == [0.1, 0.1, 0.05, 0.1]
    assert plan.times[-1] * 1000 == plan.total
    # Judged before the teachers come, and where none comes at the end.
    assert np.flatnonzero(plan.judged).tolist() == [1, 2, 3, *range(4, 22, 2), 22, 23, 24]
    assert np.flatnonzero(plan.rounds).tolist() == [0, 3, 9, 15, 21, 24]


def test_shuffled_rounds_show_all_examples_in_an_order_of_the_seed(network: Path) -> None:
    code = compiled(network, order="shuffled")
    assert code.protocol is not None
    orders = [plan_of(code.protocol, 1.0, seed).example[4:22:2].reshape(3, 3) for seed in (1, 2, 1)]
    assert all(sorted(row) == [0, 1, 2] for order in orders for row in order.tolist())
    assert np.array_equal(orders[0], orders[2]) and not np.array_equal(orders[0], orders[1])


def test_plain_follows_it_too(brief: Path) -> None:
    code = compiled(brief)
    ours, others = follow(code), follow(code, "plain")
    assert np.ptp(ours.followed.weights) > 0, "nothing is learned"
    for name, array in ours.followed.arrays.items():
        assert np.array_equal(array, others.followed.arrays[name]), name


def test_real_numbers_follow_it_too(network: Path) -> None:
    code = compiled(network)
    ours, others = follow(code).followed, follow(code, "reference32").followed
    assert np.ptp(others.weights) > 0, "nothing is learned"
    # Another course of events, of the same kind.
    assert others.events.sum() == pytest.approx(ours.events.sum(), rel=0.3)


def test_signals_are_those_of_the_stretch(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run is given in each part of it, against the file and the teacher's equation."""
    seen: list[tuple[int, dict[str, object], np.ndarray]] = []
    opened = following.open_run

    def watched(code: ChipProgram, backend: str, *, threads: int, record: object) -> Run:
        run = opened(code, backend, threads=threads)
        advance, write, values = run.advance, run.write, dict[str, object]()

        def note(name: str, value: object) -> None:
            values[name] = value
            write(name, value)

        def go(steps: int) -> object:
            rates = np.asarray(run.read("out", "E")) * code.population("out").units["E"][0]
            seen.append((run.clock, dict(values), rates))
            return advance(steps)

        run.write, run.advance = note, go  # type: ignore[method-assign,assignment]
        return run

    monkeypatch.setattr(following, "open_run", watched)
    follow(compiled(network))
    at = {clock: (values, rates) for clock, values, rates in seen}
    assert at[0][0]["protocol.x"] == 0.0 and at[0][0]["protocol.plastic.out"] == 0
    first = 100 + 3 * 150
    assert at[first + 650][0]["protocol.x"] == 200.0
    assert np.all(at[first][0]["protocol.y"] == 400.0)
    # The strong example's target is 1; the teacher looks again 200 ms later.
    protocol = compiled(network).protocol
    assert protocol is not None
    for clock in (first + 2 * 650 + 250, first + 2 * 650 + 450):
        values, rates = at[clock]
        assert values["protocol.plastic.out"] == 1
        assert values["protocol.y"] == pytest.approx(400 + taught(protocol.teachers[0], 1, rates))
    assert at[first + 3 * 650][0]["protocol.plastic.out"] == 0


def test_nothing_is_learned_outside_of_plastic_phases(network: Path) -> None:
    followed = follow(compiled(network)).followed
    weights = followed.weights[:, 0]
    # At the start, after the rest, after the first showing; three rounds; after the last showing.
    assert weights[0] == weights[1] == weights[2] and weights[5] == weights[6]
    assert len(set(weights.tolist())) > 2
    assert followed.round_weights("training").shape == (3, 1)


def test_rates_count_the_events_of_a_bin(network: Path) -> None:
    followed = follow(compiled(network)).followed
    ends, rates = followed.rates("events", "training", -1, 2)
    assert ends == pytest.approx([0.1, 0.2, 0.25, 0.35, 0.45, 0.55, 0.65])
    bins = slice(followed.plan.first_bin[20], followed.plan.first_bin[22])
    counts = followed.events[bins, followed.populations.index("drive")]
    assert rates["drive"] * 6 * np.diff(np.append(0, ends)) == pytest.approx(counts)
    mean = followed.mean_rate("events", "drive", "training", 2, 0.0, 0.25)
    assert mean == pytest.approx(counts[:3].sum() / 6 / 0.25)


def test_interrupted_between_stretches_it_ends_in_the_same_state(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "CHECKPOINT_SECONDS", 0.0)
    code = compiled(network)
    whole = follow(code)
    for stop in (1, 4, 5, 12, 23):
        checkpoint = tmp_path / f"{stop}.safetensors"
        calls = 0

        def interrupt(state: FollowProgress, stop: int = stop) -> None:
            nonlocal calls
            calls += 1
            if calls > stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            follow(code, checkpoint=checkpoint, watch=interrupt)
        assert same(follow(code, checkpoint=checkpoint, resume=True), whole)
        # Of one that has ended nothing is left to do.
        assert same(follow(code, checkpoint=checkpoint, resume=True), whole)


@contextmanager
def ctrl_c(within: str, at: int) -> Iterator[None]:
    """Have Ctrl-C come in the call `at` of what is called where arrays have gone on and the clock has not."""
    place, name = within.rsplit(".", 1)
    original, calls = getattr(resolve_name(place), name), count(1)

    def interrupted(*given: Any, **named: Any) -> Any:
        if next(calls) == at:
            signal.raise_signal(signal.SIGINT)
        return original(*given, **named)

    # Another package may have put a handler of its own there.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(within, interrupted)
            yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("backend", "within"), [("sim", SIM), ("plain", PLAIN)])
def test_interrupted_within_a_stretch_it_ends_in_the_same_state(
    brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, within: str
) -> None:
    monkeypatch.setattr(following, "CHECKPOINT_SECONDS", 0.0)
    code = compiled(brief)
    whole = follow(code, backend)
    for stop in (3, 5, 8):
        checkpoint = tmp_path / f"{stop}.safetensors"
        with ctrl_c(within, stop), pytest.raises(KeyboardInterrupt):
            follow(code, backend, checkpoint=checkpoint)
        assert same(follow(code, backend, checkpoint=checkpoint, resume=True), whole)


@pytest.mark.parametrize(("backend", "within"), [("sim", SIM), ("plain", PLAIN)])
def test_ctrl_c_leaves_a_run_whole(brief: Path, backend: str, within: str) -> None:
    """Its clock says how many steps its state has seen."""
    code = compiled(brief)
    other, run = open_run(code, backend), open_run(code, backend)
    with ctrl_c(within, 1), pytest.raises(KeyboardInterrupt):
        run.advance(7)
    other.advance(run.clock)
    assert state_sha256(run.state()) == state_sha256(other.state())


def test_checkpoint_of_another_program_is_refused(network: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "it.safetensors"
    follow(compiled(network), checkpoint=checkpoint)
    with pytest.raises(BurstchipError, match="BC566"):
        follow(compiled(network, every="100 ms"), checkpoint=checkpoint, resume=True)
    with pytest.raises(BurstchipError, match="BC566"):
        follow(compiled(network), "plain", checkpoint=checkpoint, resume=True)


def test_protocol_is_in_the_artifact(network: Path, tmp_path: Path) -> None:
    code = compiled(network)
    save_artifact(code, tmp_path / "small.burst")
    loaded, _ = load_artifact(tmp_path / "small.burst")
    assert loaded.protocol == code.protocol
    assert same(follow(loaded), follow(code))


def test_network_without_a_protocol_is_refused() -> None:
    code = compile_file(Path(__file__).parents[4] / "examples" / "poisson_lif.yaml", {})[0]
    with pytest.raises(BurstchipError, match="BC720"):
        follow(code)


def test_verify_follows_the_protocol(brief: Path, needs_lava: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both backends are taught as they go, and hold the same integers in every step."""
    begun: list[int] = []
    looked: list[int] = []
    begin, look = Steering.begin, Steering.look
    monkeypatch.setattr(
        Steering, "begin", lambda it, run, stretch: (begun.append(stretch), begin(it, run, stretch))
    )
    monkeypatch.setattr(
        Steering, "look", lambda it, run, stretch: (looked.append(stretch), look(it, run, stretch))
    )
    code = compiled(brief)
    assert code.protocol is not None
    plan = plan_of(code.protocol, code.step_ms, code.seed)
    # One example of the first round: learning and a teacher that looks again are in it.
    found = verify(code, int(plan.first[6]), backends=("sim", "lava"))
    assert found.difference is None and found.steps == plan.first[6]
    assert sorted(begun) == sorted([*range(6), *range(6)])
    # Once more in the taught phase.
    assert len(looked) == len(begun) + 2


def test_lava_follows_it_too(brief: Path, tmp_path: Path, needs_lava: None) -> None:
    code = compiled(brief)
    ours, theirs = follow(code), follow(code, "lava", checkpoint=tmp_path / "none")
    assert np.ptp(ours.followed.weights) > 0, "nothing is learned"
    for name, array in ours.followed.arrays.items():
        assert np.array_equal(array, theirs.followed.arrays[name]), name
    assert not theirs.state and not (tmp_path / "none").exists()


def test_recording_says_that_it_does_not_follow(network: Path) -> None:
    found = record(compiled(network), 5, ["learned.w"])
    assert [it.id for it in found.diagnostics] == ["BC515"]
    assert np.ptp(found.values["learned", "w"]) == 0


def test_training_names_the_command_that_follows(network: Path, tmp_path: Path) -> None:
    with pytest.raises(BurstchipError, match="burstchip follow"):
        train(TrainOptions(network, tmp_path / "out"))

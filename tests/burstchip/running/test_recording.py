"""Recordings of a small network that runs freely, and of the digits network on its task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from burstchip.compilation import compile_file
from burstchip.running import recording as recording_module
from burstchip.running.recording import Recording, RecordProgress, record
from burstchip.running.run import open_run
from burstchip.templates import write_template
from burstchip.variables import variables_of
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError
from hw_models.neurons.lif import LIF
from hw_models.program import numpy_interpreter

PAIR = """burstchip: 1
name: pair
step: 0.5 ms
seed: 3
populations:
  source: {model: rate_source, size: 4, rate: 200 Hz}
  cell: {model: lif, size: 3, bias: 50 pA}
projections:
  - {name: drive, from: source, to: cell.soma, weight: {uniform: [1 mV, 4 mV]}}
probes: [cell.v, cell.events]
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = tmp_path_factory.mktemp("pair") / "pair.yaml"
    path.write_text(PAIR)
    return compile_file(path)[0]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = write_template("digits", tmp_path_factory.mktemp("digits"))
    return compile_file(path, {"weight_form": "carry"})[0]


def _equal(one: Recording, other: Recording) -> bool:
    return one.values.keys() == other.values.keys() and all(
        np.array_equal(one.values[name], other.values[name]) for name in one.values
    )


def test_the_probes_are_what_is_recorded_by_default(pair: ChipProgram, backend: str) -> None:
    found = record(pair, 100, backend=backend)
    kind = np.float64 if backend == "reference" else np.int32
    assert found.backend == backend and list(found.values) == [("cell", "v"), ("cell", "events")]
    assert all(values.shape == (100, 3) and values.dtype == kind for values in found.values.values())
    assert found.events["cell"] == found.values["cell", "events"].sum() > 0
    assert found.samples is None and found.diagnostics == ()


def test_every_variable_of_every_model_can_be_recorded(pair: ChipProgram, backend: str) -> None:
    names = [(p.name, v) for p in pair.populations for v in variables_of(pair, p.name)]
    assert set(names) == {
        ("source", "phase"), ("source", "events"), ("cell", "u"), ("cell", "v"), ("cell", "events")
    }  # fmt: skip
    assert set(record(pair, 10, names, backend=backend).values) == set(names)


@pytest.mark.backends("sim", "plain", "lava", reason="compares with the model's integers")
def test_what_is_recorded_is_what_the_program_computes(pair: ChipProgram, backend: str) -> None:
    everything = [(p.name, v) for p in pair.populations for v in variables_of(pair, p.name)]
    found = record(pair, 60, everything, backend=backend)
    cell = pair.population("cell")
    drive = pair.projections[0]
    states = {"u": np.zeros(3, dtype=np.int64), "v": np.zeros(3, dtype=np.int64)}
    arrived = np.zeros(4, dtype=np.int64)
    for number in range(60):
        total = drive.weights.astype(np.int64) @ arrived
        soma = total << drive.weight_exp if drive.weight_exp >= 0 else total >> -drive.weight_exp
        states, outputs = numpy_interpreter.step(LIF.program, states, cell.parameters, {"soma": soma})
        for name in ("u", "v"):
            assert np.array_equal(found.values["cell", name][number], states[name]), (number, name)
        assert np.array_equal(found.values["cell", "events"][number], outputs["events"])
        arrived = found.values["source", "events"][number].astype(np.int64)


LEARNS = """burstchip: 1
name: learns
step: 1 ms
populations:
  source: {model: rate_source, size: 3, rate: 150 Hz}
  cell: {model: lif, size: 2, bias: 300 pA}
plasticity:
  pairs:
    every: 4 ms
    traces: [{name: x1, tau: 20 ms, increment: 16}, {name: y1, tau: 20 ms, increment: 16}]
    dw: y0*2^-2*x1 - x0*2^-3*y1
projections:
  - {name: learned, from: source, to: cell, weight: 4 mV, limit: 8 mV, learn: pairs}
  - {from: source, to: cell, weight: 1 mV, connectivity: {pairs: [[0, 1], [2, 0]]}}
probes: [cell.events, learned.w, learned.x1, source->cell.w]
"""


@pytest.fixture(scope="module")
def learns(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = tmp_path_factory.mktemp("learns") / "learns.yaml"
    path.write_text(LEARNS)
    return compile_file(path)[0]


def test_weights_and_traces_over_time(learns: ChipProgram, backend: str) -> None:
    found = record(learns, 60, backend=backend).values
    run = open_run(learns, backend, record=list(found))
    for step in range(60):
        seen = run.advance(1)
        for place in found:
            assert np.array_equal(found[place][step], seen[place][0]), (step, place)
    assert np.array_equal(run.weights("learned").ravel(), found["learned", "w"][-1])
    run.close()
    assert np.unique(found["learned", "w"], axis=0).shape[0] > 3 and found["learned", "x1"].any()
    assert found["learned", "w"].shape == (60, 6) and found["source->cell", "w"].shape == (60, 2)


@pytest.mark.parametrize("every", [1, 3, 4, 7, 100])
def test_weights_at_every_nth_step(learns: ChipProgram, backend: str, every: int) -> None:
    # Weights alone are looked at once a learning epoch.
    names = ["learned.w[1:5]", "learned.t", "cell.v"]
    whole, some = (record(learns, 61, names, backend=backend, every=n).values for n in (1, every))
    for name, values in whole.items():
        assert np.array_equal(some[name], values[::every]), name


@pytest.mark.parametrize("seconds", [0.0, 1e-6, 10.0])
def test_the_parts_of_a_run_do_not_change_it(
    seconds: float, pair: ChipProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = record(pair, 700)
    monkeypatch.setattr(recording_module, "CALL_SECONDS", seconds)
    assert _equal(record(pair, 700), whole)


def test_a_longer_run_begins_like_a_shorter_one(pair: ChipProgram, backend: str) -> None:
    longer, shorter = (record(pair, steps, backend=backend) for steps in (300, 41))
    assert all(np.array_equal(longer.values[name][:41], values) for name, values in shorter.values.items())


def test_progress_begins_at_0_and_ends_at_all(pair: ChipProgram, backend: str) -> None:
    seen: list[RecordProgress] = []
    record(pair, 700, backend=backend, watch=seen.append)
    assert seen[0] == RecordProgress(0, 700) and seen[-1] == RecordProgress(700, 700)
    assert [state.steps_done for state in seen] == sorted({state.steps_done for state in seen})


def test_reference_records_reals(pair: ChipProgram) -> None:
    found = record(pair, 500, backend="reference")
    assert found.values["cell", "v"].dtype == np.float64
    assert np.any(found.values["cell", "v"] % 1)
    events = found.values["cell", "events"]
    assert set(np.unique(events)) == {0.0, 1.0} and found.events["cell"] == events.sum()
    assert found.events["cell"] == pytest.approx(record(pair, 500).events["cell"], rel=0.1)


def test_a_task_is_shown_its_training_samples(digits: ChipProgram, backend: str) -> None:
    assert digits.task is not None
    found = record(digits, 2 * digits.task.present + 1, backend=backend)
    assert found.samples is not None
    assert len(found.samples.index) == 3 and len(set(found.samples.index)) == 3
    counts = found.values["readout", "events"].reshape(-1)[: 2 * 96 * 10].reshape(2, 96, 10).sum(axis=1)
    for sample in range(2):
        assert counts[sample][found.samples.readout[sample]] == counts[sample].max()
    assert found.samples.readout[2] == -1


def test_the_parts_of_a_task_do_not_change_it(digits: ChipProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = record(digits, 500)
    monkeypatch.setattr(recording_module, "CALL_SECONDS", 0.0)
    parts = record(digits, 500)
    assert _equal(parts, whole)
    assert whole.samples is not None and parts.samples is not None
    assert np.array_equal(parts.samples.readout, whole.samples.readout)


@pytest.mark.backends("sim", "plain", "lava", reason="the reference has no widths to clip to")
def test_clipped_inputs_are_counted_and_told(pair: ChipProgram, tmp_path: Path, backend: str) -> None:
    path = tmp_path / "loud.yaml"
    path.write_text(PAIR.replace("size: 4, rate: 200 Hz", "size: 400, rate: 1 kHz").replace(
        "{uniform: [1 mV, 4 mV]}", "1000 mV"
    ))  # fmt: skip
    (found,) = record(compile_file(path)[0], 50, backend=backend).diagnostics
    assert (found.id, found.severity) == ("BC510", "warning")
    assert "summed inputs of population 'cell' were clipped" in found.message
    assert found.required == "sums within their widths: soma -131072..131072"


def test_listed_events_after_the_end_are_told(tmp_path: Path, backend: str) -> None:
    path = tmp_path / "late.yaml"
    path.write_text(
        "burstchip: 1\nname: late\nstep: 0.5 ms\npopulations:\n"
        "  listed: {model: spike_list, size: 2, events: [[0, 1 ms], [1, 4.5 ms], [0, 5 ms]]}\n"
    )
    code = compile_file(path)[0]
    (found,) = record(code, 10, ["listed.events"], backend=backend).diagnostics
    assert (found.id, found.message) == ("BC514", "1 of 3 events of 'listed' come after the run's end")
    assert (found.required, found.given) == ("events before 5 ms", "one at 5 ms")
    assert not record(code, 11, ["listed.events"], backend=backend).diagnostics


@pytest.mark.parametrize("steps", [0, -1, 1 << 31])
def test_steps_that_cannot_be(steps: int, pair: ChipProgram) -> None:
    with pytest.raises(BurstchipError, match=f"BC603(?s:.*)given: {steps}"):
        record(pair, steps)


def test_a_recording_beyond_the_memory(pair: ChipProgram) -> None:
    with pytest.raises(BurstchipError, match=r"BC511.*cell.v, cell.events exceed the memory"):
        record(pair, (1 << 31) - 1, [("cell", "v"), ("cell", "events")])


def test_options_that_a_network_does_not_read(pair: ChipProgram, tmp_path: Path) -> None:
    with pytest.raises(BurstchipError, match=r"BC613"):
        record(pair, 10, data_dir=tmp_path)
    with pytest.raises(BurstchipError, match=r"BC551"):
        record(pair, 10, backend="loihi2")

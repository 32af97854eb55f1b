"""The cost of a run against that of its recording, and against what the simulator counts by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from burstchip import compile_file, open_run, record, save_recording, to_dataset
from burstchip.running.chip_cost import cost_of_recording, cost_of_run
from compiler.ir.chip_program import ChipProgram
from hw_models.chips.reading import chip
from hw_models.diagnostics import BurstchipError

NETWORK = """burstchip: 1
name: chain
step: 1 ms
seed: 3
populations:
  source: {model: poisson_source, size: 6, rate: 200 Hz}
  near: {model: lif, size: 4, bias: 100 pA}
  far: {model: lif, size: 3}
projections:
  - {name: first, from: source, to: near.soma, weight: 4 mV, connectivity: {probability: 0.5}}
  - {name: second, from: near, to: far.soma, weight: 5 mV}
target: loihi2
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = tmp_path_factory.mktemp("chain") / "chain.yaml"
    path.write_text(NETWORK)
    return compile_file(path)[0]


def test_the_simulator_counts_as_many_synaptic_operations(code: ChipProgram) -> None:
    found, notes = cost_of_run(code, 400)
    run = open_run(code)
    run.advance(400)
    assert notes == ()
    counted = found.work["synaptic operations"].everywhere * 400
    assert counted > 500 and counted == pytest.approx(run.synaptic_events, abs=30)  # type: ignore[attr-defined]
    assert found.work["spikes"].everywhere * 400 == run.events["near"]


@pytest.mark.parametrize("backend", ["sim", "plain"])
def test_a_recording_costs_what_its_run_costs(code: ChipProgram, backend: str, tmp_path: Path) -> None:
    names = ["source.events", "near.events"]
    recording = record(code, 60, names, backend=backend)
    save_recording(to_dataset(recording, "0" * 64), tmp_path / "out.nc")
    known, notes = cost_of_recording(code, tmp_path / "out.nc", artifact_sha256="0" * 64)
    expected, _ = cost_of_run(code, 60)
    assert (known.work, known.time, known.energy, notes) == (
        expected.work,
        expected.time,
        expected.energy,
        (),
    )
    _, (note,) = cost_of_recording(code, tmp_path / "out.nc", artifact_sha256="1" * 64)
    assert note.id == "BC823" and note.severity == "warning"


def test_a_recording_of_another_chip(code: ChipProgram) -> None:
    one, other = (cost_of_run(code, 20, chip(name))[0] for name in ("loihi1", "loihi2"))
    assert one.work == other.work and one.time.value > other.time.value


def unusable(code: ChipProgram, path: Path) -> str:
    with pytest.raises(BurstchipError) as raised:
        cost_of_recording(code, path)
    return str(raised.value)


def test_recordings_that_do_not_do(code: ChipProgram, tmp_path: Path) -> None:
    path = tmp_path / "out.nc"
    save_recording(to_dataset(record(code, 5, ["near.events"])), path)
    text = unusable(code, path)
    assert text.startswith(f"error[BC822]: no cost can be estimated from '{path}'\n")
    assert "given: no source.events    hint: burstchip run ... --record source.events,near.events" in text
    save_recording(to_dataset(record(code, 5, ["near.events[0:2]", "source.events"])), path)
    assert "required: all 4 neurons of near.events    given: 2" in unusable(code, path)
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert "required: a recording that `burstchip run` wrote" in unusable(code, path)
    assert "FileNotFoundError" in unusable(code, tmp_path / "none.nc")


def test_a_program_for_no_chip(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    path.write_text(NETWORK.replace("loihi2", "none"))
    with pytest.raises(BurstchipError) as raised:
        cost_of_run(compile_file(path)[0], 5)
    assert raised.value.diagnostics[0].id == "BC557"


def test_what_a_neuron_that_never_sends_costs(code: ChipProgram) -> None:
    found, _ = cost_of_run(code, 1)
    assert np.isfinite(found.time.high) and found.steps == 1

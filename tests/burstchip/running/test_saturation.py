"""A strict run names the first sum that was clipped: checked against the plain backend, step by step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from burstchip import compile_file, open_run, record
from burstchip.running import recording as recording_module
from burstchip.running import saturation
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

#: Excitation that rarely all comes at once, delayed, onto two populations.
LOUD = """burstchip: 1
name: loud
step: 1 ms
seed: 5
populations:
  source: {model: poisson_source, size: 60, rate: 300 Hz}
  calm: {model: lif, size: 3}
  cell: {model: lif, size: 5, tau_current: 0 ms}
projections:
  - {name: soft, from: source, to: calm.soma, weight: 1 mV}
  - {name: drive, from: source, to: cell.soma, weight: {uniform: [2 V, 5 V]},
     delay: {uniform: [1 ms, 5 ms]}, connectivity: {probability: 0.7}}
probes: [cell.v]
target: loihi2
"""


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = tmp_path_factory.mktemp("loud") / "loud.yaml"
    path.write_text(LOUD)
    return compile_file(path)[0]


def first_clipped(code: ChipProgram, steps: int) -> tuple[int, int, int]:
    """(step, first neuron, value) of the first clipped sum, from the messages themselves."""
    drive = code.projection("drive")
    run = open_run(code, "plain", record=[("source", "events")])
    events = run.advance(steps)[("source", "events")]
    width = code.population("cell").program.inputs["soma"]
    for step in range(steps):
        sums = np.zeros(code.population("cell").size, dtype=np.int64)
        for pre, post, weight, delay in zip(drive.pre, drive.post, drive.weights, drive.delays, strict=True):
            sent = step - 1 - int(delay)
            if sent >= 0 and events[sent, pre]:
                sums[post] += int(weight) << drive.weight_exp
        beyond = np.flatnonzero((sums < width.low) | (sums > width.high))
        if beyond.size:
            return step, int(beyond[0]), int(sums[beyond[0]])
    raise AssertionError("nothing was clipped")


@pytest.mark.parametrize("keep", [0.0, 100.0])
@pytest.mark.backends("sim", "plain", "lava", reason="the reference has no widths to clip to")
def test_the_first_clipped_sum_is_named(
    loud: ChipProgram, backend: str, keep: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saturation, "KEEP_SECONDS", keep)
    # Parts of a single step: a state is kept before the one that matters.
    monkeypatch.setattr(recording_module, "CALL_SECONDS", 0.0)
    step, neuron, value = first_clipped(loud, 60)
    assert step >= 2
    with pytest.raises(BurstchipError) as raised:
        record(loud, 60, backend=backend, strict=True)
    (found,) = raised.value.diagnostics
    assert found.id == "BC824"
    assert found.message == f"the sum at cell.soma is clipped in step {step}, at neuron {neuron}"
    assert found.given is not None and found.given.startswith(f"{value:,} at {step} ms")
    assert not record(loud, step, backend=backend, strict=True).diagnostics


def test_a_run_that_is_not_strict_goes_on(loud: ChipProgram) -> None:
    (found,) = record(loud, 60).diagnostics
    assert found.id == "BC510"


def test_the_first_population_of_a_step_is_named(tmp_path: Path) -> None:
    path = tmp_path / "both.yaml"
    path.write_text(LOUD.replace("to: calm.soma, weight: 1 mV", "to: calm.soma, weight: 5 V"))
    with pytest.raises(BurstchipError) as raised:
        record(compile_file(path)[0], 60, strict=True)
    text = str(raised.value)
    assert "error[BC824]: the sum at calm.soma is clipped in step 1, at neuron 0" in text
    assert "and 2 other sums in this step" in text

"""A strict run names the first value that a neuron saturated or wrapped: checked against the equations."""

from __future__ import annotations

import numpy as np
import pytest

from burstchip import compile_file, open_run, record
from burstchip.running import recording as recording_module
from burstchip.running import saturation
from burstchip.running.lost_values import watched
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError

#: Slow currents: excitation adds up in u, which wraps long before a sum is clipped.
NETWORK = """burstchip: 1
name: slow
step: 1 ms
seed: 5
populations:
  source: {model: poisson_source, size: 60, rate: 300 Hz}
  calm: {model: lif, size: 3}
  cell: {model: lif, size: 5, tau_current: 500 ms}
projections:
  - {name: soft, from: source, to: calm.soma, weight: 1 mV}
  - {name: drive, from: source, to: cell.soma, weight: {uniform: [5 mV, 30 mV]},
     connectivity: {probability: 0.7}}
probes: [cell.u, cell.v]
target: loihi2
"""
V_MAX = (1 << 23) - 1


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = tmp_path_factory.mktemp("slow") / "slow.yaml"
    path.write_text(NETWORK)
    return compile_file(path)[0]


def truncated(value: int, factor: int) -> int:
    """value * factor / 4096, rounded toward zero."""
    return int(np.sign(value)) * (abs(value) * factor >> 12)


def first_lost(code: ChipProgram, steps: int) -> tuple[int, int, str, int]:
    """(step, neuron, variable, value) of the first u that wraps or v that is clipped, by the equations."""
    drive, cell = code.projection("drive"), code.population("cell")
    run = open_run(
        code, "plain", record=[("source", "events"), ("cell", "u"), ("cell", "v"), ("cell", "events")]
    )
    found = run.advance(steps)
    before = [(0, 0)] * cell.size
    bias = int(cell.parameters["bias_mant"]) << int(cell.parameters["bias_exp"])
    for step in range(steps):
        sums = np.zeros(cell.size, dtype=np.int64)
        for pre, post, weight in zip(drive.pre, drive.post, drive.weights, strict=True):
            if step and found["source", "events"][step - 1, pre]:
                sums[post] += int(weight) << drive.weight_exp
        for neuron, (u, v) in enumerate(before):
            free_u = truncated(u, 4096 - (int(cell.parameters["du"]) + 1)) + (int(sums[neuron]) << 6)
            if free_u > 1 << 23:
                return step, neuron, "u", free_u
            free_v = truncated(v, 4096 - int(cell.parameters["dv"])) + free_u + bias
            if abs(free_v) > V_MAX and not found["cell", "events"][step, neuron]:
                return step, neuron, "v", free_v
        before = [
            (int(found["cell", "u"][step, k]), int(found["cell", "v"][step, k])) for k in range(cell.size)
        ]
    raise AssertionError("nothing was lost")


@pytest.mark.parametrize("keep", [0.0, 100.0])
@pytest.mark.backends("sim", "plain", "lava", reason="the reference has no widths to wrap in")
def test_the_first_lost_value_is_named(
    slow: ChipProgram, backend: str, keep: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saturation, "KEEP_SECONDS", keep)
    monkeypatch.setattr(recording_module, "CALL_SECONDS", 0.0)
    step, neuron, variable, value = first_lost(slow, 120)
    assert step > 5
    with pytest.raises(BurstchipError) as raised:
        record(slow, 120, backend=backend, strict=True)
    (found,) = raised.value.diagnostics
    assert found.id == "BC910"
    done = {"u": "wrapped", "v": "saturated"}[variable]
    assert found.message == f"'{variable}' of cell is {done} in step {step}, at neuron {neuron}"
    assert found.given is not None and found.given.startswith(f"{value:,} at {step} ms")
    kept = record(slow, step, backend=backend, strict=True)
    plain = record(slow, step, backend=backend)
    assert not kept.diagnostics
    assert all(np.array_equal(kept.values[name], plain.values[name]) for name in plain.values)


def test_what_an_event_resets_is_not_lost(slow: ChipProgram) -> None:
    """v is 0 after an event, whatever it was cut to before."""
    step, neuron, variable, _ = first_lost(slow, 120)
    assert variable == "u"
    found = record(slow, step, ["cell.events", "cell.v"], strict=True)
    fired = found.values["cell", "events"][:step, neuron]
    assert fired.any() and not found.values["cell", "v"][:step, neuron][fired != 0].any()


def test_a_watched_program_computes_the_same(slow: ChipProgram) -> None:
    watch = watched(slow)
    places = [("cell", name) for name in ("u", "v", "events")]
    runs = [open_run(code, "plain", record=places) for code in (slow, watch.code)]
    one, two = (run.advance(120) for run in runs)
    assert all(np.array_equal(one[place], two[place]) for place in places)
    assert set(watch.states) == {"calm", "cell"} and watch.losing(runs[1]) == ["cell"]

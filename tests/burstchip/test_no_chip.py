"""`target: none`: what no chip holds compiles for `reference`, and for nothing else."""

from __future__ import annotations

from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip import load_artifact, save_artifact
from burstchip.backends.loihi2.deploy import write_deployment
from burstchip.compilation import check_file, compile_file
from burstchip.running.recording import record
from hw_models.diagnostics import BurstchipError

#: Beyond any chip: the step, the delay, the threshold, the weight, the bias, the learning rate, the inputs.
UNHELD = """burstchip: 1
name: unheld
step: 0.01 ms
seed: 0
populations:
  clock: {model: spike_list, size: 1, events: [[0, 0 ms]]}
  cell: {model: lif, size: 2, tau_membrane: 10 s, tau_current: 2 s, threshold: [2 V, 9 kV], bias: 1 uA}
  unit: {model: burst_unit, size: 3, bias: 1 nA}
plasticity:
  slow:
    trace: {name: x1, tau: 20 ms, increment: 16}
    learning_rate: 1e-9
    consolidation_rate: 3e-7
    consolidate_every: 0
    every: 1 ms
projections:
  - {name: drive, from: clock, to: cell, weight: 5 V, delay: 20 ms}
  - {name: faint, from: clock, to: cell, weight: 1e-9 mV, delay: 20 ms}
  - {name: learns, from: clock, to: unit.soma, weight: 1 V, learn: slow}
probes: [cell.v, cell.u, unit.v]
target: none
"""


@pytest.fixture
def unheld(tmp_path: Path) -> Path:
    (tmp_path / "unheld.yaml").write_text(UNHELD)
    return tmp_path / "unheld.yaml"


def test_what_no_chip_holds_compiles_without_a_message(unheld: Path) -> None:
    result = check_file(unheld)
    assert result.code is not None and result.diagnostics == ()
    assert result.code.quantisation == () and not result.code.on_chip
    errors = [check_file(unheld, target="loihi2").diagnostics]
    assert {found.id for found in errors[0] if found.severity == "error"}


def test_each_of_its_limits_is_a_chips(tmp_path: Path) -> None:
    """What the chip refuses one by one, `none` takes."""
    parts = {
        "BC312": ("weight: 1 mV", "weight: 1 mV, delay: 70 ms"),
        "BC314": ("weight: 1 mV", "weight: 100 kV"),
        "BC315": ("bias: 0 pA", "bias: 0 pA, threshold: [2 V, 9 kV]"),
    }
    text = """burstchip: 1
name: one
step: 1 ms
populations:
  clock: {model: spike_list, size: 1, events: [[0, 0 ms]]}
  cell: {model: lif, size: 2, bias: 0 pA}
projections: [{from: clock, to: cell, weight: 1 mV}]
"""
    for code, (old, new) in parts.items():
        (tmp_path / "one.yaml").write_text(text.replace(old, new))
        assert [found.id for found in check_file(tmp_path / "one.yaml").diagnostics] == [code]
        assert check_file(tmp_path / "one.yaml", target="none").diagnostics == ()


def test_reference_solves_it(unheld: Path, tmp_path: Path) -> None:
    """v after an event with the current of two synapses, and a bias in every step."""
    code, _ = compile_file(unheld)
    save_artifact(code, tmp_path / "net.burst")
    loaded, _ = load_artifact(tmp_path / "net.burst")
    steps, step, arrives = 3000, 0.01, 2000
    values = record(loaded, steps, backend="reference").values
    a, b, bias = exp(-step / 2000), exp(-step / 10_000), 1e6 * step / 100
    n = np.arange(steps)
    since = np.maximum(n - arrives + 1, 0)
    weight = 5e3 + 1e-9
    ahead = np.arange(1_000_000)
    peak = (b**ahead - a**ahead).max()
    wanted = bias * (1 - b ** (n + 1)) / (1 - b) + weight * (b**since - a**since) / peak
    unit = code.population("cell").units["v"][0]
    # Of the two thresholds the second is never reached.
    assert wanted.max() > 2e5
    assert values["cell", "v"][:, 1] * unit == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("name", ["sim", "plain"])
def test_integers_refuse_it(unheld: Path, name: str) -> None:
    code, _ = compile_file(unheld)
    with pytest.raises(BurstchipError) as caught:
        record(code, 10, backend=name)
    assert str(caught.value) == (
        "error[BC557]: 'unheld' is compiled for no chip and has no integers to run\n"
        "  required: --backend reference, or a network compiled for a chip    given: target: none"
        "    hint: burstchip compile FILE --target loihi2"
    )


def test_so_do_lava_and_deployment(unheld: Path, tmp_path: Path, needs_lava: None) -> None:
    code, _ = compile_file(unheld)
    for run in (lambda: record(code, 10, backend="lava"), lambda: write_deployment(code, tmp_path / "chip")):
        with pytest.raises(BurstchipError, match="BC557"):
            run()


HELD = """burstchip: 1
name: held
step: 1 ms
seed: 4
populations:
  noise: {model: poisson_source, size: 20, rate: 100 Hz}
  low: {model: burst_unit, size: 10, bias: 75 pA}
  high: {model: burst_unit, size: 4, bias: 300 pA}
plasticity:
  burst:
    trace: {name: x1, tau: 16 ms, increment: 16}
    learning_rate: 2^-4
    consolidation_rate: 2^-6
    consolidate_every: 0
    every: 8 ms
projections:
  - {from: noise, to: low.soma, weight: {uniform: [-3 mV, 3 mV]}, limit: 20 mV, learn: burst}
  - {from: low.events, to: high.soma,
     weight: {normal: {mean: 2 mV, sd: 1 mV}}, delay: {uniform: [1 ms, 9 ms]}}
  - {from: high.burst_error, to: low.dendrite, weight: {uniform: [-0.4, 0.4]}}
probes: [low.v, low.d, low.P, high.v]
"""


def test_what_a_chip_holds_runs_alike_without_it(tmp_path: Path) -> None:
    (tmp_path / "held.yaml").write_text(HELD)
    seen: list[Any] = []
    for target in ("loihi2", "none"):
        code, _ = compile_file(tmp_path / "held.yaml", target=target)
        assert code.target == target
        seen.append(record(code, 600, backend="reference"))
    for place, values in seen[0].values.items():
        np.testing.assert_allclose(seen[1].values[place], values, rtol=1e-12)
    assert seen[0].events == seen[1].events and min(seen[0].events.values()) > 0


def test_an_unknown_target(unheld: Path) -> None:
    with pytest.raises(BurstchipError) as caught:
        check_file(unheld, target="loihi3")
    assert str(caught.value) == (
        "error[BC614]: unknown target 'loihi3'\n"
        "  required: loihi2, loihi1, none    given: loihi3    hint: did you mean: loihi2"
    )


def test_a_delay_beyond_what_is_stored(unheld: Path) -> None:
    unheld.write_text(UNHELD.replace("delay: 20 ms", "delay: 400 ms"))
    (error, *_) = check_file(unheld).diagnostics
    assert (error.id, error.required) == ("BC312", "1..32768 steps (the backend reference)")

"""`reference` learns with what was asked for: exact traces, learning rates and limits, in both forms."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from burstchip.backends.sim.simulator import Simulation, start
from burstchip.compilation import compile_file
from burstchip.error_shares import with_rounded_parameters
from compiler.artifact import load_artifact, save_artifact
from compiler.ir.chip_program import ChipProgram
from compiler.ir.verify import verify_chip_program

#: Events of the source, in ms; the first acts within an epoch of 1 ms.
EVENTS = (0.4, 3.1, 3.9, 7.0)

GROWTH = """burstchip: 1
name: growth
step: 0.1 ms
seed: 0
populations:
  clock: {{model: spike_list, size: 1, events: [{events}]}}
  cell: {{model: lif, size: 1}}
plasticity:
  growth:
    trace: {{name: x1, tau: {tau}, increment: {increment}}}
    dw: u0*2^{power}*x1
    every: 1 ms
projections:
  - {{name: grows, from: clock, to: cell, weight: 1 mV, limit: {limit}, learn: growth}}
target: {target}
"""


def compiled(tmp_path: Path, text: str) -> ChipProgram:
    (tmp_path / "net.yaml").write_text(text)
    code, _ = compile_file(tmp_path / "net.yaml")
    save_artifact(code, tmp_path / "net.burst")
    # What an artifact holds is what runs.
    return load_artifact(tmp_path / "net.burst")[0]


def growth(tmp_path: Path, power: int = -4, limit: str = "19.7 mV", **more: Any) -> ChipProgram:
    events = ", ".join(f"[0, {time} ms]" for time in EVENTS)
    values = {"tau": "1000 ms", "increment": 16.3, "target": "loihi2", **more}
    return compiled(tmp_path, GROWTH.format(events=events, power=power, limit=limit, **values))


def after(code: ChipProgram, steps: int) -> Simulation:
    simulation = start(code, learning=True, real=True)
    simulation.advance(steps)
    return simulation


def learned(code: ChipProgram, steps: int, name: str = "w_0") -> NDArray[np.float64]:
    simulation = after(code, steps)
    return np.asarray(simulation.arrays[name])


def traced(steps: int, kept: float, increment: float, every: int = 10) -> NDArray[np.float64]:
    """The trace at the end of each epoch: each event decays from the step in which it is emitted."""
    ends = np.arange(every - 1, steps, every)
    emitted = [round(time / 0.1) for time in EVENTS]
    return np.array([sum(increment * kept ** (n - e) for e in emitted if e <= n) for n in ends])


@pytest.mark.parametrize("target", ["loihi2", "none"])
@pytest.mark.parametrize("tau", [1000.0, 20.0, 3.3])
def test_a_trace_decays_as_its_time_constant_says(tmp_path: Path, tau: float, target: str) -> None:
    code = growth(tmp_path, tau=f"{tau} ms", target=target)
    steps = 200
    (product,) = code.projections[0].learning.rule.products  # type: ignore[union-attr]
    kept = exp(-0.1 / tau)
    # Two events in one epoch: the first adds its impulse at the epoch's start, as it does in integers.
    trace, stored = [], 0.0
    for first in range(0, steps, 10):
        emitted = [round(time / 0.1) for time in EVENTS if first <= round(time / 0.1) < first + 10]
        stored += 16.3 * max(len(emitted) - 1, 0)
        stored *= kept**10
        stored += 16.3 * kept ** (first + 9 - emitted[-1]) if emitted else 0.0
        trace.append(stored)
    wanted = 1.0 / code.projections[0].unit + product.gain * np.cumsum(trace)[-1]
    assert learned(code, steps)[0, 0] == pytest.approx(wanted, rel=1e-12)


def test_integers_would_round_the_increment(tmp_path: Path) -> None:
    code = growth(tmp_path)
    (trace,) = code.projections[0].learning.traces  # type: ignore[union-attr]
    assert (trace.impulse, trace.increment, trace.kept) == (16, 16.3, pytest.approx(exp(-1e-4), rel=1e-15))
    rounded = with_rounded_parameters(code)
    (same,) = rounded.projections[0].learning.traces  # type: ignore[union-attr]
    assert (same.real_increment, same.real_kept) == (16.0, pytest.approx(exp(-1e-4), rel=1e-15))
    assert learned(rounded, 200)[0, 0] < learned(code, 200)[0, 0]


def test_a_weight_ends_at_the_limit_that_was_given(tmp_path: Path) -> None:
    code = growth(tmp_path, power=3, limit="3.3 mV")
    projection = code.projections[0]
    assert learned(code, 400)[0, 0] * projection.unit == pytest.approx(3.3, rel=1e-12)
    assert learned(with_rounded_parameters(code), 400)[0, 0] == 255.0


def test_without_a_limit_a_weight_goes_as_far_as_the_integers(tmp_path: Path) -> None:
    unlimited = GROWTH.replace(", limit: {limit}", "")
    code = compiled(
        tmp_path, unlimited.format(events="[0, 1 ms]", power=3, tau="9 ms", increment=99, target="none")
    )
    assert learned(code, 400)[0, 0] == 255.0


BURSTS = """burstchip: 1
name: bursts
step: 1 ms
seed: 5
populations:
  noise: {{model: poisson_source, size: 6, rate: 200 Hz}}
  cells: {{model: burst_unit, size: 4, bias: 600 pA}}
plasticity:
  burst:
    form: {form}
    trace: {{name: x1, tau: 16.7 ms, increment: {increment}}}
    learning_rate: {rate}
    {more}
    every: 8 ms
projections:
  - {{from: noise, to: cells.soma, weight: {{uniform: [-3 mV, 3 mV]}}, limit: 20 mV, learn: burst}}
target: {target}
"""


def bursts(
    tmp_path: Path, form: str, rate: Any, more: str = "", target: str = "none", **other: Any
) -> ChipProgram:
    values = {"increment": 16, **other}
    return compiled(tmp_path, BURSTS.format(form=form, rate=rate, more=more, target=target, **values))


CARRIES = "consolidation_rate: {}\n    consolidate_every: 0"
MOVES = "consolidation_rate: {}\n    consolidate_every: 1"


@pytest.mark.parametrize("rate", [0.05, 3e-3, 1e-9, 700.0])
@pytest.mark.parametrize("target", ["none", "loihi2"])
def test_the_learning_rate_is_the_one_asked_for(tmp_path: Path, rate: float, target: str) -> None:
    """1e-9 is far below the chip form's least, 2^-14; what is gathered first is proportional to the rate."""
    if target == "loihi2" and rate in (1e-9, 700.0):
        pytest.skip("the chip refuses it")
    one, other = (
        learned(bursts(tmp_path, "chip", it, CARRIES.format("2^-6"), target), 8, "t_0")
        for it in (2.0**-4, rate)
    )
    assert np.count_nonzero(one) > 10
    np.testing.assert_allclose(other, one * rate * 2**4, rtol=1e-12)


def test_a_tag_that_carries_gathers_in_units_of_the_weight(tmp_path: Path) -> None:
    """At 0.02 in place of 2^-6 a gathered change is worth more of the weight."""
    one, other = (
        learned(bursts(tmp_path, "chip", "2^-4", CARRIES.format(it)), 16, "t_0") for it in (2.0**-6, 0.02)
    )
    np.testing.assert_allclose(other, one * 0.02 * 2**6, rtol=1e-12)


def test_a_tag_that_is_moved_goes_at_its_rate(tmp_path: Path) -> None:
    first, one, other = (
        learned(bursts(tmp_path, "chip", "2^-4", MOVES.format(it)), steps)
        for it, steps in ((2.0**-6, 7), (2.0**-6, 16), (0.02, 16))
    )
    assert np.count_nonzero(one - first) > 10
    np.testing.assert_allclose(other - first, (one - first) * 0.02 * 2**6, rtol=1e-9)


def test_the_carry_form_learns_at_its_rate(tmp_path: Path) -> None:
    first, one, other, tiny = (
        learned(bursts(tmp_path, "carry", rate), steps)
        for rate, steps in ((2.0**-4, 7), (2.0**-4, 8), (0.05, 8), (1e-7, 8))
    )
    assert np.count_nonzero(one - first) > 10
    np.testing.assert_allclose(other - first, (one - first) * 0.05 * 2**4, rtol=1e-9)
    np.testing.assert_allclose(tiny - first, (one - first) * 1e-7 * 2**4, rtol=1e-2)


def test_the_trace_of_the_carry_form_is_exact(tmp_path: Path) -> None:
    """Every event adds 60.5 and decays with 16.7 ms: no cap at 127, no decay of 239/4096."""
    code = bursts(tmp_path, "carry", "2^-12", increment=60.5, target="loihi2")
    steps = 120
    simulation = start(code, learning=True, real=True, record=[("noise", "events")])
    found = simulation.advance(steps)
    emitted = found["noise", "events"]
    # What is emitted in a step arrives in the next.
    age = steps - 2 - np.arange(steps - 1)
    wanted = 60.5 * (emitted[:-1] * exp(-1 / 16.7) ** age[:, np.newaxis]).sum(axis=0)
    assert wanted.max() > 200
    np.testing.assert_allclose(simulation.arrays["x1_0"], wanted, rtol=1e-12)


def test_a_third_factor_does_not_leak(tmp_path: Path) -> None:
    """What the neuron sends is what the synapses read: in integers Lava's history loses of it by chance."""
    code = bursts(tmp_path, "chip", "2^-4", CARRIES.format("2^-6"))
    simulation = after(code, 8)
    sent, read = simulation.arrays["o_1_y1"], simulation.arrays["history_y_0"][-1, 0]
    assert np.count_nonzero(sent) and np.array_equal(sent, read)


@pytest.mark.parametrize(
    "wrong",
    [{"gains": (1.0,)}, {"gains": (1.0, float("nan"), 1.0, 1.0, 1.0)}, {"rate": "2"}, {"rate": -0.5}],
    ids=str,
)
def test_what_is_no_number_does_not_reach_the_code(tmp_path: Path, wrong: dict[str, Any]) -> None:
    code = bursts(tmp_path, "chip", "2^-4", CARRIES.format("2^-6"))
    (projection,) = code.projections
    assert projection.learning is not None and len(projection.learning.gains) == 5
    broken = replace(projection, learning=replace(projection.learning, **wrong))
    with pytest.raises(AssertionError):
        verify_chip_program(replace(code, projections=(broken,)))

"""What any backend must show: when a message acts, how neurons respond, what learning does.

`docs/time.md` says when; the numbers of neurons follow from their equations, with room for rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip import compile_file, record
from burstchip.variables import Variable
from compiler.ir.chip_program import ChipProgram

HEAD = "burstchip: 1\nname: net\nstep: 1 ms\nseed: 4\n"
Recorded = dict[str, np.ndarray[Any, Any]]


@pytest.fixture
def recorded(backend: str, tmp_path: Path) -> Callable[..., Recorded]:
    """`recorded(text, steps, "cell.v", ...)`: the network's recording on the chosen backend.

    In integers, or `physical`, in the units of the variables.
    """

    def run(text: str, steps: int, *names: str, physical: bool = False) -> Recorded:
        path = tmp_path / "net.yaml"
        path.write_text(HEAD + text, encoding="utf-8")
        code: ChipProgram = compile_file(path)[0]
        wanted: list[Variable] = [(name.split(".")[0], name.split(".")[1]) for name in names]
        found = record(code, steps, wanted, backend=backend)
        assert set(found.events) == {population.name for population in code.populations}
        units = {name: code.population(name[0]).units[name[1]][0] if physical else 1 for name in found.values}
        return {".".join(name): values * units[name] for name, values in found.values.items()}

    return run


def first_step(values: np.ndarray[Any, Any]) -> int:
    """The first step in which a variable of neuron 0 is not 0."""
    return int(np.flatnonzero(values[:, 0])[0])


def test_a_connection_takes_a_step_and_a_delay_the_rest(recorded: Callable[..., Recorded]) -> None:
    """The chain of the page on time: emitted in step 2, acts in 3, felt by the next with 3 ms in step 6."""
    found = recorded(
        """
populations:
  spikes: {model: spike_list, size: 1, events: [[0, 2 ms]]}
  first: {model: lif, size: 1, tau_current: 0 ms}
  second: {model: lif, size: 1, tau_current: 0 ms}
projections:
  - {from: spikes, to: first.soma, weight: 25 mV}
  - {from: first, to: second.soma, weight: 5 mV, delay: 3 ms}
""",
        10,
        *("spikes.events", "first.events", "second.u"),
    )
    assert np.flatnonzero(found["spikes.events"]).tolist() == [2]
    assert np.flatnonzero(found["first.events"]).tolist() == [3]
    assert np.flatnonzero(found["second.u"]).tolist() == [6]


@pytest.mark.parametrize("delay", [1, 2, 9, 63])
def test_an_event_acts_after_its_delay(delay: int, recorded: Callable[..., Recorded]) -> None:
    found = recorded(
        f"""
populations:
  spikes: {{model: spike_list, size: 1, events: [[0, 3 ms]]}}
  cell: {{model: lif, size: 2}}
projections: [{{from: spikes, to: cell, weight: 5 mV, delay: {delay} ms}}]
""",
        70,
        "cell.u",
    )
    assert first_step(found["cell.u"]) == 3 + delay


def test_each_synapse_has_its_own_delay(recorded: Callable[..., Recorded]) -> None:
    found = recorded(
        """
populations:
  spikes: {model: spike_list, size: 30, events: [[0, 0 ms], [7, 20 ms], [29, 40 ms]]}
  cell: {model: lif, size: 20, tau_current: 0 ms}
projections: [{from: spikes, to: cell, weight: 1 mV, delay: {uniform: [2 ms, 8 ms]}}]
""",
        60,
        "cell.u",
    )
    current = found["cell.u"]
    for emitted in (0, 20, 40):
        arrivals = current[emitted : emitted + 12] > 0
        assert np.all(arrivals.sum(axis=0) == 1)
        delays = arrivals.argmax(axis=0)
        assert delays.min() >= 2 and delays.max() <= 8 and len(set(delays)) > 3


def test_a_loop_of_two_takes_two_steps(recorded: Callable[..., Recorded]) -> None:
    found = recorded(
        """
populations:
  spikes: {model: spike_list, size: 1, events: [[0, 0 ms]]}
  ping: {model: lif, size: 1, tau_current: 0 ms}
  pong: {model: lif, size: 1, tau_current: 0 ms}
projections:
  - {from: spikes, to: ping, weight: 25 mV}
  - {from: ping, to: pong, weight: 25 mV}
  - {from: pong, to: ping, weight: 25 mV}
""",
        12,
        *("ping.events", "pong.events"),
    )
    assert np.flatnonzero(found["ping.events"]).tolist() == [1, 3, 5, 7, 9, 11]
    assert np.flatnonzero(found["pong.events"]).tolist() == [2, 4, 6, 8, 10]


def test_a_potential_decays_with_its_time_constants(recorded: Callable[..., Recorded]) -> None:
    """One event of 5 mV: a current that decays with 5 ms, and the potential that it and 20 ms make."""
    found = recorded(
        """
populations:
  spikes: {model: spike_list, size: 1, events: [[0, 0 ms]]}
  cell: {model: lif, size: 1, tau_current: 5 ms, tau_membrane: 20 ms}
projections: [{from: spikes, to: cell, weight: 5 mV}]
""",
        40,
        *("cell.u", "cell.v"),
        physical=True,
    )
    courses = np.zeros((40, 2))
    u = v = 0.0
    for n in range(40):
        u = u * np.exp(-1 / 5) + (1.0 if n == 1 else 0.0)
        v = v * np.exp(-1 / 20) + u
        courses[n] = u, v
    # A weight is the greatest depolarisation.
    courses *= 5.0 / courses[:, 1].max()
    # Each step rounds toward zero, and decays are whole 4096ths.
    assert found["cell.u"][:, 0] == pytest.approx(courses[:, 0], abs=0.02)
    assert found["cell.v"][:, 0] == pytest.approx(courses[:, 1], abs=0.1)


def test_a_bias_makes_events_at_its_rate(recorded: Callable[..., Recorded]) -> None:
    """2 mV a step against a leak of 20 ms: v(n) = 2 (1 - k^n) / (1 - k) passes 20 mV in step 14."""
    found = recorded(
        "populations:\n  cell: {model: lif, size: 3, tau_membrane: 20 ms, bias: [200 pA, 0 pA, 2500 pA]}\n",
        60,
        *("cell.events", "cell.v"),
    )
    events = found["cell.events"]
    keep = np.exp(-1 / 20)
    passes = int(np.ceil(np.log(1 - 20 * (1 - keep) / 2) / np.log(keep)))
    assert np.flatnonzero(events[:, 0]).tolist() == list(range(passes - 1, 60, passes))
    assert not events[:, 1].any() and events[:, 2].all()
    # The potential is recorded after the reset.
    assert not found["cell.v"][events == 1].any()


@pytest.mark.backends("sim", "plain", "lava", reason="the reference does not round what arrives")
def test_what_arrives_is_floored_once_a_step(recorded: Callable[..., Recorded]) -> None:
    """In units of 2^-4: three weights of -2 make -6/16, floored to -1; one of 20 makes 1, not 20/16.

    A weight of 255 thresholds keeps the voltage scale so coarse.
    """
    found = recorded(
        """
populations:
  spikes: {model: spike_list, size: 4, events: [[0, 0 ms], [1, 0 ms], [2, 0 ms], [3, 5 ms]]}
  cell: {model: lif, size: 1, tau_current: 0 ms}
projections:
  - {name: down, from: spikes, to: cell, limit: 2.5 mV,
     connectivity: {pairs: [[0, 0, -0.01953125 mV], [1, 0, -0.01953125 mV], [2, 0, -0.01953125 mV]]}}
  - {name: up, from: spikes, to: cell, limit: 2.5 mV, connectivity: {pairs: [[3, 0, 0.1953125 mV]]}}
  - {name: great, from: spikes, to: cell, weight: 5100 mV, connectivity: {pairs: [[3, 0]]}, delay: 30 ms}
""",
        8,
        "cell.u",
    )
    current = found["cell.u"][:, 0]
    assert np.flatnonzero(current).tolist() == [1, 6]
    assert current[[1, 6]].tolist() == [-1 << 6, 1 << 6]


def test_graded_messages_scale_with_their_level(recorded: Callable[..., Recorded]) -> None:
    found = recorded(
        """
populations:
  push: {model: current_source, size: 2, level: [3, -2], start: 2 ms, stop: 5 ms}
  cell: {model: lif, size: 2, tau_current: 0 ms}
projections: [{from: push, to: cell, weight: 0.625 mV, connectivity: one_to_one}]
""",
        8,
        *("push.current", "cell.u"),
    )
    assert found["push.current"].tolist() == [[0, 0]] * 2 + [[3, -2]] * 3 + [[0, 0]] * 3
    # 0.625 mV a millisecond and level, at the scale of 8192 * 2^5 units for 20 mV.
    assert found["cell.u"] * 20 / (8192 << 5) == pytest.approx(
        np.array([[0.0, 0.0]] * 3 + [[1.875, -1.25]] * 3 + [[0.0, 0.0]] * 2), abs=0.01
    )


def test_half_of_the_events_of_a_bursting_neuron_are_bursts(recorded: Callable[..., Recorded]) -> None:
    """Without input to the dendrite; a dendrite that is pushed up hard bursts with each event."""
    found = recorded(
        """
populations:
  push: {model: current_source, size: 1}
  plain: {model: burst_unit, size: 40, bias: 500 pA}
  excited: {model: burst_unit, size: 40, bias: 500 pA}
projections: [{from: push, to: excited.dendrite, weight: 25 %}]
""",
        150,
        *("plain.events", "plain.bursts", "excited.events", "excited.bursts"),
    )
    events, bursts = found["plain.events"].sum(), found["plain.bursts"].sum()
    assert events > 500 and bursts / events == pytest.approx(0.5, abs=0.07)
    assert found["excited.bursts"][50:].sum() > 0.97 * found["excited.events"][50:].sum()


@pytest.mark.parametrize("rounding", ["lava", "per_synapse"])
def test_a_rule_of_the_chip_changes_weights_where_its_source_emits(
    rounding: str, recorded: Callable[..., Recorded]
) -> None:
    """Every event of the source adds 4 units of weight to its own synapse, from the next event on."""
    found = recorded(
        f"""
populations:
  spikes: {{model: spike_list, size: 2, events: [[0, 0 ms], [0, 10 ms], [0, 20 ms], [1, 20 ms], [0, 30 ms]]}}
  cell: {{model: lif, size: 2, tau_current: 0 ms}}
plasticity:
  growth: {{every: 1 ms, trace: {{name: x1, tau: 5 ms, increment: 16}}, dw: x0*2^-2*x1, rounding: {rounding}}}
projections:
  - {{from: spikes, to: cell, weight: 1.25 mV, limit: 40 mV, connectivity: one_to_one, learn: growth}}
""",
        40,
        "cell.u",
    )
    # A weight unit is 20 mV / 128; the weight starts at 8. Traces have decayed to about 2 after 10 ms.
    units = found["cell.u"] / 64
    assert np.flatnonzero(units[:, 0]).tolist() == [1, 11, 21, 31]
    assert units[[1, 11, 21, 31], 0] == pytest.approx([8, 12, 16.5, 21], abs=1)
    assert units[21, 1] == 8


def test_the_carry_form_follows_the_burst_error(recorded: Callable[..., Recorded]) -> None:
    """A dendrite pushed up bursts more than usual: weights from a source that emits grow, the others stay."""
    often = ", ".join(f"[0, {n} ms]" for n in range(2, 120, 3))
    found = recorded(
        f"""
populations:
  spikes: {{model: spike_list, size: 2, events: [{often}, [1, 149 ms]]}}
  push: {{model: current_source, size: 1, stop: 130 ms}}
  cell: {{model: burst_unit, size: 8, bias: 400 pA}}
plasticity:
  bursts: {{form: carry, every: 8 ms, trace: {{name: x1, tau: 15 ms, increment: 16}}, learning_rate: 2^-4}}
projections:
  - {{from: spikes, to: cell.soma, weight: 0.2 mV, limit: 10 mV, learn: bursts}}
  - {{from: push, to: cell.dendrite, weight: 20 %}}
""",
        152,
        "cell.u",
    )
    # Each event acts alone on the current, which has no memory here.
    current = found["cell.u"].mean(axis=1)
    assert current[120] > 1.5 * current[3] > 0
    assert current[150] == pytest.approx(current[3], rel=0.2)


def test_each_population_consolidates_in_its_own_rhythm(recorded: Callable[..., Recorded]) -> None:
    """Two rules in a free run: y2 asks for the tags at the end of each second epoch, of 8 and of 12 ms."""
    rules = "\n".join(
        f"  {name}: {{form: chip, every: {every} ms, trace: {{name: x1, tau: 16 ms, increment: 16}}, "
        "learning_rate: 2^-4, consolidation_rate: 2^-4, consolidate_every: 2}"
        for name, every in (("quick", 8), ("slow", 12))
    )
    found = recorded(
        f"""
populations:
  noise: {{model: poisson_source, size: 5, rate: 100 Hz}}
  first: {{model: burst_unit, size: 3, bias: 400 pA}}
  second: {{model: burst_unit, size: 3, bias: 400 pA}}
plasticity:
{rules}
projections:
  - {{from: noise, to: first.soma, weight: 1 mV, limit: 20 mV, learn: quick}}
  - {{from: noise, to: second.soma, weight: 1 mV, limit: 20 mV, learn: slow}}
""",
        97,
        *("first.y2", "second.y2"),
    )
    for name, every in (("first", 16), ("second", 24)):
        asked = np.flatnonzero(found[f"{name}.y2"].any(axis=1))
        assert asked.tolist() == list(range(every - 1, 97, every))


def test_an_event_at_a_dendrite_does_what_the_report_says(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        """burstchip: 1
name: pushed
step: 1 ms
populations:
  push: {model: spike_list, size: 1, events: [[0, 3 ms]]}
  cell: {model: burst_unit, size: 1}
projections: [{from: push, to: cell.dendrite, weight: 25 %}]
"""
    )
    code, warnings = compile_file(path)
    (line,) = (line for line in code.quantisation if line.parameter == "one event")
    d = record(code, 20, ["cell.d"]).values["cell", "d"] * code.population("cell").units["d"][0]
    assert (line.requested, line.represented) == (0.25, float(d.max())) and d.max() == 0.25
    assert not warnings

"""The specification itself: numbers worked out by hand, and that it needs nothing but numpy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from burstchip import compile_network, load_network, record, save_artifact
from burstchip.backends.plain.run import PlainRun
from compiler.ir.chip_program import ChipProgram

CHAIN = """burstchip: 1
name: chain
step: 1 ms
seed: 0
populations:
  spikes: {model: spike_list, size: 2, events: [[0, 2 ms], [1, 2 ms], [1, 4 ms]]}
  first: {model: lif, size: 1, tau_current: 0 ms}
projections:
  - {from: spikes, to: first.soma, weight: 5 mV, connectivity: {pairs: [[0, 0], [1, 0]]}, delay: 3 ms}
"""


def chain(folder: Path) -> ChipProgram:
    path = folder / "chain.yaml"
    path.write_text(CHAIN)
    return compile_network(load_network(path))


def test_a_message_acts_after_its_delay(tmp_path: Path) -> None:
    """Two messages emitted in step 2 meet in step 5, that of step 4 comes in step 7; u = 64 times the sum."""
    code = chain(tmp_path)
    weight = int(code.projections[0].weights[0])
    assert code.projections[0].weight_exp == 0
    run = PlainRun(code, record=[("first", "u"), ("spikes", "events")])
    seen = run.advance(9)
    assert seen["spikes", "events"].sum(axis=1).tolist() == [0, 0, 2, 0, 1, 0, 0, 0, 0]
    assert seen["first", "u"][:, 0].tolist() == [64 * weight * k for k in (0, 0, 0, 0, 0, 2, 0, 1, 0)]
    assert (run.clock, run.neurons["spikes"].events, run.neurons["first"].clipped) == (9, 3, 0)


def test_a_run_in_parts_is_the_run_in_one(tmp_path: Path) -> None:
    code = chain(tmp_path)
    whole, parts = (PlainRun(code, record=[("first", "v")]) for _ in range(2))
    pieces = [parts.advance(steps)["first", "v"] for steps in (0, 1, 3, 5)]
    assert np.array_equal(np.concatenate(pieces), whole.advance(9)["first", "v"])


def test_a_run_goes_on_from_the_state_of_another(tmp_path: Path) -> None:
    code = chain(tmp_path)
    whole, first, second = (PlainRun(code, record=[("first", "v")]) for _ in range(3))
    expected = whole.advance(9)["first", "v"]
    for steps in (0, 3, 4):
        first.advance(steps)
        second.restore(first.state(), first.clock)
        assert np.array_equal(second.advance(9 - first.clock)["first", "v"], expected[first.clock :])


def test_what_was_read_does_not_change(tmp_path: Path) -> None:
    run = PlainRun(chain(tmp_path))
    before = run.read("spikes->first", "w")
    before[:] = 0
    assert run.read("spikes->first", "w").all()


def test_no_compiler_is_needed(tmp_path: Path) -> None:
    save_artifact(chain(tmp_path), tmp_path / "chain.burst")
    text = (
        "import sys, pathlib, burstchip\n"
        "sys.modules['numba'] = None\n"
        "code, _ = burstchip.load_artifact(pathlib.Path(sys.argv[1]))\n"
        "found = burstchip.record(code, 9, [('first', 'events')], backend='plain')\n"
        "print(found.backend, found.events['spikes'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", text, str(tmp_path / "chain.burst")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["plain", "3"], done.stderr


def test_recorded_like_the_other_backends(tmp_path: Path) -> None:
    code = chain(tmp_path)
    found = record(code, 9, [("first", "u")], backend="plain")
    assert found.values["first", "u"].dtype == np.int32 and found.values["first", "u"].shape == (9, 1)
    assert dict(found.events) == {"spikes": 3, "first": 0} and not found.diagnostics


FLAGS = """burstchip: 1
name: flags
step: 1 ms
seed: 0
populations:
  spikes: {model: spike_list, size: 2, events: [[0, 1 ms], [1, 3 ms], [0, 4 ms]]}
  cells: {model: lif, size: 1, tau_current: 0 ms, tau_membrane: 0 ms}
plasticity:
  flags: {every: 2 ms, dw: x0*2^1 - y0*2^2}
projections:
  - {from: spikes, to: cells, weight: 10 mV, limit: 20 mV, learn: flags}
  - {name: push, from: spikes, to: cells, weight: 30 mV, connectivity: {pairs: [[0, 0]]}}
"""


def test_a_rule_without_traces_counts_spikes(tmp_path: Path) -> None:
    """+2 for each source that fired in an epoch of two steps, -4 where the target did: in steps 2 and 5."""
    path = tmp_path / "flags.yaml"
    path.write_text(FLAGS)
    code = compile_network(load_network(path))
    run = PlainRun(code, record=[("spikes->cells", "w"), ("cells", "events")])
    start = run.read("spikes->cells", "w")
    seen = run.advance(6)
    assert seen["cells", "events"][:, 0].tolist() == [0, 0, 1, 0, 0, 1]
    changes = (seen["spikes->cells", "w"] - start).tolist()
    assert changes == [[0, 0], [2, 0], [2, 0], [-2, -2], [-2, -2], [-4, -6]]


SEEDED = """burstchip: 1
name: seeded
step: 1 ms
seed: 3
populations:
  spikes: {{model: spike_list, size: 2, events: [[0, 1 ms], [1, 3 ms], [0, 14 ms], [1, 15 ms]]}}
  cells: {{model: lif, size: 3}}
plasticity:
  grow:
    {{every: 2 ms, dw: u0*2^-3*x1, rounding: {rounding}, trace: {{name: x1, tau: 9 ms, increment: 37}}{seed}}}
projections:
  - {{name: grown, from: spikes, to: cells, weight: 1 mV, limit: 90 mV, learn: grow}}
"""


@pytest.mark.parametrize("rounding", ["lava", "per_synapse"])
def test_a_rule_draws_with_a_seed_of_its_own(rounding: str, tmp_path: Path) -> None:
    """Nothing else is drawn here: a run with another seed is one whose rule has that seed."""

    def grown(rule_seed: int | None, run_seed: int | None = None) -> list[list[int]]:
        path = tmp_path / "seeded.yaml"
        seed = "" if rule_seed is None else f", seed: {rule_seed}"
        path.write_text(SEEDED.format(rounding=rounding, seed=seed))
        code = compile_network(load_network(path))
        run = PlainRun(code, record=[("grown", "w"), ("grown", "x1")], seed=run_seed)
        seen = run.advance(40)
        return [seen[place].tolist() for place in (("grown", "w"), ("grown", "x1"))]

    assert grown(None) == grown(3) != grown(8)
    assert grown(8) == grown(None, 8) == grown(8, 21)

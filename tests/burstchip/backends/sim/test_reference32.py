"""`reference32` is `reference` but for the rounding of float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from burstchip.backends.available import all_backends
from burstchip.compilation import compile_file
from burstchip.running.recording import record
from burstchip.running.run import open_run
from compiler.ir.chip_program import ChipProgram


def network(folder: Path, rule: str = "", target: str = "none") -> ChipProgram:
    path = folder / "net.yaml"
    learns = ", learn: rule" if rule else ""
    path.write_text(
        "burstchip: 1\nname: both\nstep: 0.1 ms\nseed: 2\n"
        f"target: {target}\npopulations:\n"
        "  noise: {model: poisson_noise, size: 40, rate: 500 Hz}\n"
        "  cells: {model: pyramidal, size: 40, bias: 300 pA, dendrite_bias: 200 pA, tau_average: 0.2 s}\n"
        "  released: {model: facilitating, size: 40}\n"
        "  others: {model: adex_som, size: 20}\n"
        "  targets: {model: burst_poisson, size: 9, bias: 1 nA, dendrite_bias: 1 nA, tau_average: 0.2 s}\n"
        f"{rule}projections:\n"
        "  - {from: noise, to: cells.soma_exc, weight: 0.35 leak, connectivity: one_to_one}\n"
        "  - {from: cells.spikes, to: released, weight: 1, connectivity: one_to_one}\n"
        "  - {from: released, to: others.exc, weight: 1 leak, connectivity: {probability: 40 %}}\n"
        "  - {from: others, to: cells.dendrite_inh, weight: 0.05 leak}\n"
        f"  - {{from: cells.events, to: targets.soma_exc, weight: 0.05 leak{learns},\n"
        "     connectivity: {probability: 90 %}}\n"
    )
    return compile_file(path)[0]


RULE = """\
plasticity:
  rule: {every: 0.1 ms, traces: [{name: x1, tau: 20 ms, increment: 30}], dw: u0*2^-7*x1*y1}
"""


def test_it_is_one_of_the_backends() -> None:
    assert "reference32" in {it.name for it in all_backends()}


@pytest.mark.once
def test_states_are_those_of_float64(tmp_path: Path) -> None:
    """Until the first difference in a spike nothing but rounding parts them."""
    code = network(tmp_path, RULE)
    emitted = [("cells", "events"), ("others", "events"), ("targets", "events")]
    seen = ["cells.v", "cells.d", "cells.w", "others.v", "others.w", "released.u", "targets.d", "targets.v"]
    asked = [*seen, *map(".".join, emitted)]
    one, other = (record(code, 3000, asked, backend=it) for it in ("reference", "reference32"))
    assert all(one.events[name] > 20 for name, _ in emitted)
    parted = [np.any(one.values[it] != other.values[it], axis=1) for it in emitted]
    until = int(np.argmax(np.append(np.any(parted, axis=0), True)))
    # Behind many spikes, for which a voltage that differs in its sixth digit is early or late enough.
    assert np.sum(one.values["cells", "events"][:until]) >= 50
    for place, exact in one.values.items():
        found, exact = other.values[place][:until], exact[:until]
        # One neuron in ten may have been at the edge of a spike.
        assert np.quantile(np.abs(found - exact), 0.9) <= 1e-3 * np.max(np.abs(exact)), place
    for name, _ in emitted:
        assert other.events[name] == pytest.approx(one.events[name], rel=0.03)


def test_synapses_learn_as_in_float64(tmp_path: Path) -> None:
    code = network(tmp_path, RULE)
    (learned,) = (it for it in code.projections if it.learning is not None)
    weights = []
    for backend in ("reference", "reference32"):
        run = open_run(code, backend)
        run.advance(1000)
        weights.append(run.read(learned.name, "w").copy())
    start = open_run(code, "reference").read(learned.name, "w")
    change, other = weights[0] - start, weights[1] - start
    assert np.max(np.abs(change)) > 1
    np.testing.assert_allclose(other, change, atol=0.02 * np.max(np.abs(change)))


@pytest.mark.parametrize(("backend", "most"), [("sim", 10), ("reference", 12), ("reference32", 12)])
def test_a_synapse_takes_twelve_bytes_at_most(backend: str, most: int, tmp_path: Path) -> None:
    """Weight, target and place in a column; of synapses that learn and of others."""
    code = network(tmp_path, RULE, target="loihi2")
    run = open_run(code, backend)
    state = {**run.state(), **run.columns}  # type: ignore[attr-defined]
    lists = [(k, it) for k, it in enumerate(code.projections) if not it.dense]
    assert any(it.learning for _, it in lists) and not all(it.learning for _, it in lists)
    for index, projection in lists:
        names = [f"{name}_{index}" for name in ("w", "t", "d", "post", "places")]
        held = sum(state[name].nbytes for name in names if name in state)
        assert held <= most * projection.weights.size


def test_neurons_and_fixed_synapses_take_half_the_memory(tmp_path: Path) -> None:
    code = network(tmp_path, RULE)
    one, other = (open_run(code, it).state() for it in ("reference", "reference32"))
    assert all(other[name].itemsize == 4 for name in other if name[:2] in ("s_", "a_", "o_", "p_"))
    for index in range(len(code.projections)):
        assert one[f"w_{index}"].itemsize == 8
        assert other[f"w_{index}"].itemsize == 4


@pytest.mark.parametrize("threads", [1, 2])
def test_what_decays_comes_to_zero(tmp_path: Path, threads: int) -> None:
    """Not to numbers below 1e-38, which processors take a hundred times as long for."""
    path = tmp_path / "quiet.yaml"
    path.write_text(
        "burstchip: 1\nname: quiet\nstep: 0.1 ms\nseed: 1\ntarget: none\npopulations:\n"
        "  once: {model: spike_list, size: 3, events: [[0, 1 ms], [1, 1 ms], [2, 1 ms]]}\n"
        "  cells: {model: pyramidal, size: 3}\n"
        "  others: {model: pyramidal, size: 3}\n"
        "projections:\n"
        "  - {from: once, to: cells.soma_exc, weight: 0.1 leak, connectivity: one_to_one}\n"
        "  - {from: cells.spikes, to: others.soma_exc, weight: 0.1 leak, connectivity: one_to_one}\n"
    )
    smallest = np.finfo(np.float32).tiny
    run = open_run(compile_file(path)[0], backend="reference32", threads=threads)
    run.advance(200)
    early = run.read("cells", "g_soma_exc").copy()
    # 5 ms is the conductance's; after 87 times that float32 has no more whole precision for it.
    run.advance(4600)
    late = run.read("cells", "g_soma_exc").copy()
    run.close()
    assert np.all(early > 0)
    assert np.all((late == 0) | (late >= smallest)), late
    # What the thread had before is its own again.
    assert np.float32(1e-30) * np.float32(1e-10) > 0

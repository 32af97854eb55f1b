"""Backends that compute the same are found equal, and a single wrong bit is found and named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip.backends.lava.session import LavaRun, LavaWorker
from burstchip.backends.plain.run import PlainRun
from burstchip.frontend import load_network
from burstchip.running import verification
from burstchip.running.verification import Verification, check_backends, steps_to_verify, verify
from burstchip.variables import variables_of
from compiler.ir.chip_program import ChipProgram
from compiler.pipeline import compile_network
from hw_models.diagnostics import BurstchipError

HEAD = """burstchip: 1
name: net
step: 1 ms
seed: 5
populations:
  noise: {model: poisson_source, size: 6, rate: 150 Hz}
  lower: {model: burst_unit, size: 5, bias: 150 pA}
  upper: {model: burst_unit, size: 3, bias: 150 pA}
  cells: {model: lif, size: 4, bias: 120 pA}
"""
#: Stock processes, own ones, every plastic form: several at once, since each network must be compiled.
NETWORKS = {
    "static": """projections:
  - {from: noise, to: lower.soma, weight: {uniform: [-3 mV, 6 mV]}, delay: {uniform: [1 ms, 6 ms]}}
  - {from: lower.events, to: upper.soma, weight: 3 mV, connectivity: {probability: 0.5}, weight_bits: 4}
  - {from: upper.burst_error, to: lower.dendrite, weight: {uniform: [-50 %, 50 %]}, delay: 3 ms}
  - from: upper.bursts
    to: cells.soma
    weight: -2 mV
    connectivity: {in_degree: 2}
    delay: {uniform: [1 ms, 4 ms]}
  - {from: cells, to: cells.soma, weight: {uniform: [-1 mV, 2 mV]}}
  - {from: cells, to: upper.soma, weight: 0.01 mV}
""",
    "chip": """plasticity:
  burst:
    form: chip
    every: 4 ms
    rounding: per_synapse
    learning_rate: 2^-3
    consolidate_every: 2
    consolidation_rate: 2^-4
    trace: {name: x1, tau: 16 ms, increment: 20}
  pair:
    form: chip
    every: 3 ms
    rounding: lava
    traces: [{name: x1, tau: 9 ms, increment: 30}, {name: y1, tau: 12 ms, increment: 25}]
    dw: "y0*2^-1*x1 - x0*2^-2*y1"
    dt: "u1*2^-3*x1*y1 - u1*2^-5*t"
projections:
  - from: noise
    to: lower.soma
    weight: {uniform: [-3 mV, 6 mV]}
    limit: 9 mV
    learn: burst
    connectivity: {probability: 0.6}
  - from: lower.events
    to: upper.soma
    weight: {uniform: [-3 mV, 6 mV]}
    limit: 9 mV
    learn: burst
    delay: {uniform: [1 ms, 4 ms]}
  - {from: lower.events, to: cells.soma, weight: {uniform: [0 mV, 3 mV]}, limit: 9 mV, learn: pair}
""",
    "carry": """plasticity:
  burst:
    form: carry
    every: 4 ms
    rounding: per_synapse
    learning_rate: 2^-2
    trace: {name: x1, tau: 16 ms, increment: 20}
  shared:
    form: carry
    every: 2 ms
    rounding: lava
    learning_rate: 2^-1
    trace: {name: x1, tau: 16 ms, increment: 20}
projections:
  - from: noise
    to: lower.soma
    weight: {uniform: [-3 mV, 6 mV]}
    limit: 9 mV
    learn: burst
    connectivity: {probability: 0.6}
    delay: {uniform: [1 ms, 4 ms]}
  - {from: lower.events, to: upper.soma, weight: {uniform: [-3 mV, 6 mV]}, limit: 9 mV, learn: shared}
  - {from: noise, to: cells.soma, weight: 2 mV}
""",
}
#: What runs as Lava's own processes.
STOCK = {
    "static": {
        "cells",
        "noise->lower.soma",
        "lower.events->upper.soma",
        "upper.burst_error->lower.dendrite",
        "upper.bursts->cells",
        "cells->cells",
        "cells->upper.soma",
    },
    "chip": {"cells", "lower.events->cells"},
    "carry": {"cells", "noise->cells"},
}
lava = pytest.mark.usefixtures("needs_lava")


@pytest.fixture(scope="module")
def worker(needs_lava: None) -> Iterator[LavaWorker]:
    with LavaWorker() as it:
        yield it


def compiled(name: str, folder: Path) -> ChipProgram:
    path = folder / f"{name}.yaml"
    path.write_text(HEAD + NETWORKS[name])
    return compile_network(load_network(path))


@lava
@pytest.mark.parametrize("name", NETWORKS)
def test_sim_and_lava_are_equal(name: str, tmp_path: Path, worker: LavaWorker) -> None:
    code = compiled(name, tmp_path)
    told: list[tuple[int, int]] = []
    found = verify(code, 120, worker=worker, watch=lambda done, total: told.append((done, total)))
    assert found.difference is None
    neurons = sum(p.size * len(variables_of(code, p.name)) for p in code.populations)
    assert found.steps == 120 and found.kinds["neurons"] == 120 * neurons
    assert found.values == sum(found.kinds.values())
    assert set(found.stock) == STOCK[name]
    assert told[-1] == (120, 120)


@pytest.mark.parametrize("name", NETWORKS)
def test_sim_and_plain_are_equal(name: str, tmp_path: Path) -> None:
    code = compiled(name, tmp_path)
    found = verify(code, 120, backends=("sim", "plain"))
    assert found.difference is None and (found.steps, found.stock) == (120, ())
    neurons = sum(p.size * len(variables_of(code, p.name)) for p in code.populations)
    assert found.kinds["neurons"] == 120 * neurons
    assert ("traces" in found.kinds) is (name != "static")


def test_the_first_neuron_that_differs_from_plain_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = compiled("static", tmp_path)
    cells = code.population("cells")
    bias = np.full(4, cells.parameters["bias_mant"])
    bias[2] += 1
    other = replace(cells, parameters={**cells.parameters, "bias_mant": bias})
    changed = replace(code, populations=tuple(other if p.name == "cells" else p for p in code.populations))
    monkeypatch.setattr(
        "burstchip.backends.plain.run.PlainRun", lambda _, *given, **named: PlainRun(changed, *given, **named)
    )
    found = verify(code, 9, backends=("plain", "sim")).difference
    assert found is not None
    assert (found.step, found.place, found.variable, found.index) == (0, "cells", "v", (2,))
    assert found.values["plain"] - found.values["sim"] == 1 << int(np.max(cells.parameters["bias_exp"]))


def verify_against(
    changed: Any, code: ChipProgram, worker: LavaWorker, monkeypatch: pytest.MonkeyPatch
) -> Verification:
    """`verify` with another program in Lava than in the simulator."""
    monkeypatch.setattr(
        "burstchip.backends.lava.session.LavaRun", lambda worker, _, *given: LavaRun(worker, changed, *given)
    )
    return verify(code, 120, worker=worker)


@lava
def test_one_wrong_weight_is_named(
    tmp_path: Path, worker: LavaWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = compiled("static", tmp_path)
    weights = code.projections[0].weights.copy()
    weights[2, 4] += 2
    changed = replace(
        code, projections=(replace(code.projections[0], weights=weights), *code.projections[1:])
    )
    found = verify_against(changed, code, worker, monkeypatch)
    assert found.difference is not None
    assert found.difference == verification.Difference(
        0, "noise->lower.soma", "w", (4, 2),
        {"sim": int(code.projections[0].weights[2, 4]), "lava": int(weights[2, 4])},
    )  # fmt: skip


@lava
def test_the_first_wrong_neuron_is_named(
    tmp_path: Path, worker: LavaWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = compiled("static", tmp_path)
    cells = code.population("cells")
    bias = np.full(4, cells.parameters["bias_mant"])
    bias[2] += 1
    changed = tuple(
        replace(p, parameters={**p.parameters, "bias_mant": bias}) if p.name == "cells" else p
        for p in code.populations
    )
    found = verify_against(replace(code, populations=changed), code, worker, monkeypatch)
    assert found.difference is not None
    assert (found.difference.step, found.difference.place) == (0, "cells")
    assert (found.difference.variable, found.difference.index) == ("v", (2,))
    exponent = int(np.max(cells.parameters["bias_exp"]))
    assert found.difference.values["lava"] - found.difference.values["sim"] == 1 << exponent


@pytest.mark.parametrize(
    "names", [("sim",), ("sim", "sim"), ("sim", "reference"), ("reference", "sim"), ("sim", "lava", "sim")]
)
def test_backends_that_cannot_be_compared(names: tuple[str, ...]) -> None:
    with pytest.raises(BurstchipError, match=r"BC55[14]"):
        check_backends(names)


def test_an_unknown_backend() -> None:
    with pytest.raises(BurstchipError, match=r"unknown backend 'larva'.*") as caught:
        check_backends(("sim", "larva"))
    assert "did you mean: lava" in str(caught.value)


def test_how_much_to_compare(tmp_path: Path) -> None:
    code = compiled("static", tmp_path)
    assert steps_to_verify(code, 7, None) == 7
    for steps, samples, message in (
        (None, None, "the number of steps is missing(?s:.*)given: neither"),
        (3, 4, "the number of steps is given twice(?s:.*)given: --steps 3 --train 4"),
        (None, 4, "'net' has no task, so it cannot train on samples"),
        (0, None, "BC603"),
    ):
        with pytest.raises(BurstchipError, match=message):
            steps_to_verify(code, steps, samples)

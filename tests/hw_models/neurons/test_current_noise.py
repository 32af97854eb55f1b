"""Random currents have the spread and the memory that they are given, at any step and in any arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from burstchip.compilation import compile_file
from burstchip.running.recording import record
from burstchip.running.verification import verify
from compiler.ir.chip_program import ChipProgram
from hw_models.neurons.registry import models

MODELS = {
    "pyramidal": ("noise", "dendrite_noise"),
    "burst_poisson": ("noise", "dendrite_noise"),
    "adex": ("noise",),
    "adex_som": ("noise",),
}


def network(folder: Path, model: str, step: float, keys: str, size: int = 400) -> ChipProgram:
    path = folder / "net.yaml"
    path.write_text(
        f"burstchip: 1\nname: noisy\nstep: {step} ms\nseed: 6\ntarget: loihi2\npopulations:\n"
        f"  cell: {{model: {model}, size: {size}, {keys}}}\n"
    )
    return compile_file(path)[0]


#: Each model in integers, and one of each kind in real numbers.
RUNS = [(model, "sim") for model in sorted(MODELS)] + [
    (model, backend) for model in ("pyramidal", "adex_som") for backend in ("reference", "reference32")
]


@pytest.mark.parametrize("step", [0.1, 1.0])
@pytest.mark.parametrize(("model", "backend"), RUNS)
def test_spread_and_memory(model: str, step: float, backend: str, tmp_path: Path) -> None:
    spreads = dict(zip(MODELS[model], (80.0, 250.0), strict=False))
    keys = ", ".join(f"{name}: {sd} pA" for name, sd in spreads.items())
    code = network(tmp_path, model, step, f"{keys}, tau_noise: 10 ms")
    states = [f"cell.i_{name}" for name in spreads]
    settled = round(50 / step)
    found = record(code, settled + 200, states, backend=backend)
    for (_, state), values in found.values.items():
        unit, name = code.population("cell").units[state]
        assert name == "pA"
        late = values[settled:] * unit
        # 200 steps of 400 neurons are as many draws as there are memories in them.
        independent = 400 * max(1.0, 200 * step / 20)
        sd = spreads[state[2:]]
        assert abs(late.mean()) < 4 * sd / np.sqrt(independent)
        assert late.std() == pytest.approx(sd, rel=4 / np.sqrt(2 * independent) + 0.003)
        lag = round(10 / step)
        remembered = np.mean(late[:-lag] * late[lag:]) / late.var()
        assert remembered == pytest.approx(np.exp(-1), abs=5 / np.sqrt(independent))
        assert np.mean(late**4) / late.var() ** 2 == pytest.approx(3.0, abs=0.4)


def test_currents_are_independent(tmp_path: Path) -> None:
    """Of compartments, of neurons and, with no memory, of steps."""
    code = network(tmp_path, "pyramidal", 1.0, "noise: 90 pA, dendrite_noise: 90 pA, tau_noise: 0 ms")
    found = record(code, 400, ["cell.i_noise", "cell.i_dendrite_noise"]).values
    soma, dendrite = (values / values.std() for values in found.values())
    for one, other in ((soma, dendrite), (soma[:, 1:], soma[:, :-1]), (soma[1:], soma[:-1])):
        assert abs(np.mean(one * other)) < 4 / np.sqrt(one.size)


def test_it_moves_the_membrane_as_theory_says(tmp_path: Path) -> None:
    """A leaky soma of 16 ms under noise of 5 ms: sd R sqrt(tau / (tau + tau_m)), at both steps."""
    expected = 60 * 16 / 370 * np.sqrt(5 / (5 + 16))
    for step in (0.1, 1.0):
        keys = "noise: 60 pA, threshold: 500 mV, plateau: 0 pA, dendrite_to_soma: 0 pA"
        code = network(tmp_path, "pyramidal", step, keys)
        values = record(code, round(600 / step), ["cell.v"], every=round(5 / step), backend="reference")
        late = values.values["cell", "v"][20:] * code.population("cell").units["v"][0]
        # The step holds the current: half a step more memory.
        assert late.std() == pytest.approx(expected, rel=0.02 + 0.05 * step)


@pytest.mark.backends("plain", "lava", reason="each is compared with sim")
@pytest.mark.parametrize("model", sorted(MODELS))
def test_backends_agree(model: str, backend: str, tmp_path: Path) -> None:
    code = network(tmp_path, model, 1.0, "noise: 400 pA, bias: 400 pA, tau_noise: 3 ms", size=6)
    assert verify(code, 120, backends=("sim", backend)).difference is None
    assert record(code, 120, ["cell.events"]).events["cell"] > 0


@pytest.mark.parametrize("model", sorted(MODELS))
def test_one_option_brings_the_others(model: str) -> None:
    noisy = models()[model].with_options(["tau_noise"])
    assert {*MODELS[model], "tau_noise"} <= {it.name for it in noisy.parameters}
    assert noisy.name == model
    plain = {it.name: it.default for it in models()[model].parameters}
    assert {it.name: it.default for it in noisy.parameters if it.name in plain} == plain

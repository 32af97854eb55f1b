"""What is proved holds where everything arrives that can, and little more is claimed than that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip.compilation import compile_file
from burstchip.running.recording import record
from compiler.ir.certificate import Bound, Certificate
from compiler.ir.chip_program import ChipProgram
from compiler.passes.certify import certify

STEPS = 400


def network(folder: Path, cells: str, weight: str = "2 mV", more: str = "", sources: int = 20) -> ChipProgram:
    """Sources that emit in every step, onto `cells`."""
    path = folder / "net.yaml"
    events = ", ".join(f"[{k}, {n} ms]" for k in range(sources) for n in range(STEPS))
    path.write_text(
        "burstchip: 1\nname: worst\nstep: 1 ms\nseed: 1\ntarget: loihi2\npopulations:\n"
        f"  all: {{model: spike_list, size: {sources}, events: [{events}]}}\n"
        f"  cells: {cells}\n{more}"
        f"projections:\n  - {{from: all, to: cells.soma, weight: {weight}}}\n"
    )
    return compile_file(path)[0]


def bound(found: Certificate, variable: str, population: str = "cells") -> Bound:
    return next(it for it in found.bounds if (it.population, it.variable) == (population, variable))


def seen(code: ChipProgram, *variables: str) -> dict[str, Any]:
    found = record(code, STEPS, [f"cells.{name}" for name in variables])
    return {name: found.values["cells", name] for name in variables}


@pytest.mark.parametrize("weight", ["2 mV", "{uniform: [-1 mV, 2 mV]}", "-3 mV"])
@pytest.mark.parametrize("tau", ["0 ms", "5 ms", "40 ms"])
def test_bounds_of_a_current_are_reached(tmp_path: Path, weight: str, tau: str) -> None:
    """All synapses of one sign, in every step: the bound is what really happens, or 6 % more."""
    cells = f"{{model: lif, size: 6, tau_current: {tau}, threshold: 10 V}}"
    code = network(tmp_path, cells, weight)
    found = certify(code)
    values = seen(code, "u", "v")
    for name, reached in values.items():
        it = bound(found, name)
        assert it.low <= reached.min() and reached.max() <= it.high
    if "uniform" in weight:
        return
    u = bound(found, "u")
    extreme = max(-values["u"].min(), values["u"].max())
    assert extreme <= max(-u.low, u.high) <= 1.06 * extreme + 2


def test_an_event_bounds_the_potential(tmp_path: Path) -> None:
    code = network(tmp_path, "{model: lif, size: 3, threshold: 15 mV, reset: -5 mV}", "0.4 mV")
    found, v = certify(code), seen(code, "v")["v"]
    assert found.proved
    vth = int(code.population("cells").parameters["vth"]) << 6
    assert bound(found, "v").high == vth
    assert 0.5 * vth < v.max() <= vth
    assert bound(found, "v").low <= v.min()


def test_what_overflows_is_not_proved(tmp_path: Path) -> None:
    """Lava's u wraps: so it does here, and the certificate has said so."""
    cells = "{model: lif, size: 1, tau_current: 200 ms, threshold: 20 mV}"
    code = network(tmp_path, cells, "40 mV", sources=60)
    found = certify(code)
    u = bound(found, "u")
    assert not found.proved and u.escapes is not None
    assert u.escapes.high > u.width.high == 1 << 23
    assert seen(code, "u")["u"].min() < 0, "all weights are positive, so that only a wrap makes u negative"
    (shares,) = (it for (name, port), it in found.arriving.items() if (name, port) == ("cells", "soma"))
    assert [name for name, _ in shares] == ["all->cells"]


def test_weights_at_their_limits_and_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "learns.yaml"
    path.write_text(
        "burstchip: 1\nname: learns\nstep: 1 ms\nseed: 1\ntarget: loihi2\npopulations:\n"
        "  noise: {model: poisson_source, size: 10, rate: 100 Hz}\n"
        "  cells: {model: lif, size: 4}\n"
        "plasticity:\n"
        "  rule: {every: 1 ms, traces: [{name: x1, tau: 20 ms, increment: 30}, "
        "{name: y1, tau: 20 ms, increment: 30}], dw: y0*2^-4*x1}\n"
        "projections:\n"
        "  - {from: noise, to: cells.soma, weight: 1 mV, limit: 8 mV, learn: rule}\n"
    )
    code = compile_file(path)[0]
    limits, given = (bound(certify(code, it), "soma") for it in ("limits", "given"))  # type: ignore[arg-type]
    (projection,) = code.projections
    one = 2.0**projection.weight_exp
    assert projection.sign_mode == "MIXED"
    assert (limits.low, limits.high) == (10 * -256 * one, 10 * 255 * one)
    assert (given.low, given.high) == (0, int(projection.weights[0].sum()) * one)


def test_messages_of_a_list(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        "burstchip: 1\nname: messages\nstep: 1 ms\nseed: 1\ntarget: loihi2\npopulations:\n"
        "  sends: {model: message_list, size: 2, messages: [[0, 3 ms, -10], [1, 5 ms, 38]]}\n"
        "  cells: {model: lif, size: 2}\n"
        "projections:\n  - {from: sends, to: cells.soma, weight: 0.1 mV}\n"
    )
    code = compile_file(path)[0]
    it = bound(certify(code), "message", "sends")
    assert it.proved and (it.low, it.high) == (-10, 38)
    values = record(code, 10, ["sends.message"]).values["sends", "message"]
    assert (values.min(), values.max()) == (-10, 38)


def test_neurons_with_parameters_of_their_own_are_followed_apart(tmp_path: Path) -> None:
    cells = "{model: lif, size: 2, tau_current: [2 ms, 50 ms], threshold: [30 mV, 3 mV]}"
    code = network(tmp_path, cells, "0.1 mV", sources=1)
    found = certify(code)
    values = seen(code, "u", "v")
    for name in ("u", "v"):
        it = bound(found, name)
        assert it.proved and it.low <= values[name].min() and values[name].max() <= it.high
    # The slow current and the high threshold are not one neuron's.
    slow, quick = values["u"].max(axis=0)[::-1]
    assert slow != quick
    assert bound(found, "u").high <= 1.06 * max(slow, quick) + 2


def test_a_trained_networks_bounds_hold(tmp_path: Path) -> None:
    """Averages, probabilities and phases keep their widths without anything that clips them."""
    code = compile_file(Path(__file__).parents[3] / "examples" / "burst_feedback.yaml")[0]
    found = certify(code)
    for name in ("P", "R", "u", "v", "d", "count"):
        it = bound(found, name, "upper")
        assert it.proved, name
    names = [(it.name, state) for it in code.populations for state in it.program.states]
    values = record(code, STEPS, [".".join(name) for name in names]).values
    for population, state in names:
        it = bound(found, state, population)
        reached = values[population, state]
        assert it.low <= reached.min() and reached.max() <= it.high, (population, state)
    assert np.any(values["upper", "P"] > 0)

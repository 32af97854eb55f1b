"""The neurons with conductances: what an event does in all, at any step, and what their dendrites do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from burstchip import compile_file, open_run, record
from burstchip.running.verification import verify
from compiler.ir.chip_program import ChipProgram

HEAD = "burstchip: 1\nname: net\nstep: {step} ms\nseed: 2\npopulations:\n"
ONE_EVENT = """  clock: {{model: spike_list, size: 1, events: [[0, 10 ms]]}}
  cell: {{model: {model}, size: 1{keys}}}
projections:
  - {{from: clock, to: cell.{port}, weight: {weight}, delay: {step} ms}}
"""


def compiled(text: str, folder: Path) -> ChipProgram:
    path = folder / "net.yaml"
    path.write_text(text, encoding="utf-8")
    return compile_file(path)[0]


def trace(code: ChipProgram, variable: str, steps: int, backend: str) -> NDArray[np.float64]:
    """A variable of the first neuron of `cell`, in its unit, from where it rests."""
    unit = code.population("cell").units[variable][0]
    found = record(code, steps, [f"cell.{variable}"], backend=backend).values["cell", variable]
    return np.asarray(found[:, 0] * unit, dtype=np.float64)


@pytest.mark.parametrize("model", ["pyramidal", "burst_poisson", "adex_pv"])
def test_what_an_event_does_in_all_does_not_depend_on_the_step(model: str, tmp_path: Path) -> None:
    """A small event moves the soma by the same peak at 0.1, 0.5 and 1 ms, in integers as in real numbers."""
    port, peaks = ("exc" if model == "adex_pv" else "soma_exc"), []
    for step in (0.1, 0.5, 1.0):
        text = HEAD.format(step=step) + ONE_EVENT.format(
            model=model, keys="", port=port, weight="0.1 leak", step=step
        )
        code = compiled(text, tmp_path)
        steps = round(80 / step)
        peaks += [
            np.max(trace(code, "v", steps, backend)[round(9 / step) :]) for backend in ("reference", "plain")
        ]
    assert peaks == pytest.approx([peaks[0]] * 6, rel=0.04)


def test_multiples_of_the_leak_and_siemens(tmp_path: Path) -> None:
    """The soma's leak is 370 pF / 16 ms = 23.125 nS, the dendrite's 170 pF / 7 ms."""
    for port, leak in (("soma_exc", 370 / 16), ("dendrite_inh", 170 / 7)):
        found = []
        for weight in ("0.5 leak", f"{0.5 * leak:.9g} nS"):
            text = HEAD.format(step=1) + ONE_EVENT.format(
                model="pyramidal", keys="", port=port, weight=weight, step=1
            )
            found.append(trace(compiled(text, tmp_path), f"g_{port}", 30, "plain"))
        assert np.array_equal(*found)
        tau = 5.0 if port.endswith("exc") else 10.0
        # The mean over the step of what decays within it.
        assert np.max(found[0]) == pytest.approx(0.5 * tau * (1 - np.exp(-1 / tau)), rel=0.01)


def test_leaks_may_differ_between_neurons(tmp_path: Path) -> None:
    text = HEAD.format(step=1) + ONE_EVENT.format(
        model="pyramidal", keys="", port="soma_exc", weight="0.5 leak", step=1
    )
    text = text.replace("model: pyramidal, size: 1", "model: pyramidal, size: 2, tau_soma: [16 ms, 32 ms]")
    code = compiled(text, tmp_path)
    opened = record(code, 30, ["cell.g_soma_exc"], backend="plain").values["cell", "g_soma_exc"]
    assert np.array_equal(opened[:, 0], opened[:, 1])


@pytest.mark.parametrize("model", ["pyramidal", "burst_poisson"])
def test_the_dendrite_makes_bursts(model: str, tmp_path: Path) -> None:
    """A strong dendritic current turns single spikes into bursts; each burst is an event before."""
    shares = []
    for current in (0, 250 if model == "pyramidal" else 600):
        text = HEAD.format(step=0.5) + (
            f"  cell: {{model: {model}, size: 40, dendrite_bias: {current} pA, "
            "bias: {uniform: [500 pA, 700 pA]}}\n"
        )
        code = compiled(text, tmp_path)
        found = record(code, 1600, ["cell.spikes", "cell.events", "cell.bursts"], backend="plain").values
        spikes, events, bursts = (found["cell", it] for it in ("spikes", "events", "bursts"))
        assert np.all(events + bursts <= spikes)
        order = np.cumsum(events.astype(int) - bursts, axis=0)
        assert np.all(order >= 0)
        shares.append(bursts.sum() / events.sum())
    assert shares[0] < 0.25 and shares[1] > 0.5


def test_how_many_events_are_bursts_hardly_depends_on_the_step(tmp_path: Path) -> None:
    """Under noise, in real numbers: f is taken in the middle of a step, where a kick has taken the dendrite.

    Over 10 s a population of 400 emits 16,000 events, so that a share is known to 0.3 points. With f from
    the beginning of each step it would be 2.5 points less at 1 ms than at 0.1 ms.
    """
    shares, rates = [], []
    for step in (0.1, 1.0):
        inputs = {"soma_exc": (500, 0.17), "soma_inh": (150, 0.26)}
        inputs |= {"dendrite_exc": (500, 0.0425), "dendrite_inh": (150, 0.065)}
        noise = "".join(
            f"  {it}: {{model: poisson_noise, size: 400, rate: {hz} Hz}}\n" for it, (hz, _) in inputs.items()
        )
        joined = "".join(
            f"  - {{from: {it}, to: cell.{it}, connectivity: one_to_one, weight: {weight} leak}}\n"
            for it, (_, weight) in inputs.items()
        )
        cell = "  cell: {model: pyramidal, size: 400}\n"
        text = f"{HEAD.format(step=step)}{noise}{cell}projections:\n{joined}target: none\n"
        code = compiled(text, tmp_path)
        run = open_run(code, "reference")
        run.advance(round(10_000 / step))
        shares.append(100 * run.bursts["cell"] / run.events["cell"])
        rates.append(run.events["cell"] / 400 / 10)
        run.close()
    assert shares[1] == pytest.approx(shares[0], abs=1.4)
    assert rates[1] == pytest.approx(rates[0], rel=0.05)
    assert 10 < shares[0] < 15


def test_bursts_are_counted_alike(tmp_path: Path) -> None:
    """A detector's bursts come in other steps than its events."""
    times = ", ".join(f"[0, {time} ms]" for time in (5, 12, 60, 90, 92))
    text = HEAD.format(step=1) + (
        f"  train: {{model: spike_list, size: 1, events: [{times}]}}\n"
        "  cell: {model: burst_detector, size: 1}\n"
        "projections:\n  - {from: train, to: cell, weight: 1}\n"
    )
    code = compiled(text, tmp_path)
    for backend in ("sim", "plain", "reference"):
        found = record(code, 120, ["cell.bursts"], backend=backend)
        assert (found.events["cell"], found.bursts["cell"]) == (3, 2), backend
        assert found.values["cell", "bursts"].sum() == 2


def test_a_tensor_may_be_called_leak(tmp_path: Path) -> None:
    """The name of a tensor says nothing of its unit: a matrix is in nS."""
    save_file({"leak": np.full((1, 1), 0.5 * 370 / 16, np.float32)}, tmp_path / "w.safetensors")
    found = []
    for how in ("weight: 0.5 leak", "connectivity: {file: w.safetensors, tensor: leak}"):
        text = HEAD.format(step=1) + ONE_EVENT.format(
            model="pyramidal", keys="", port="soma_exc", weight="WEIGHT", step=1
        ).replace("weight: WEIGHT", how)
        found.append(trace(compiled(text, tmp_path), "g_soma_exc", 30, "plain"))
    assert np.array_equal(*found)


def test_a_signal_may_bring_many_thresholds(tmp_path: Path) -> None:
    """Slow adaptation asks for a fine scale of voltages, which leaves room for what a signal brings."""
    text = HEAD.format(step=0.5) + (
        "  cell: {model: adex_som, size: 1}\n"
        "signals:\n  push: {to: cell.bias, steps: [[0 ms, 700 pA], [20 ms, -700 pA]]}\n"
    )
    code = compiled(text, tmp_path)
    events = record(code, 80, ["cell.events"], backend="plain").values["cell", "events"]
    assert events[:40].sum() >= 3 and events[44:].sum() == 0


@pytest.mark.parametrize(
    "keys",
    [
        "pyramidal, bias: {uniform: [500 pA, 900 pA]}, dendrite_bias: 300 pA, tau_average: 1 s",
        "burst_poisson, bias: {uniform: [500 pA, 900 pA]}, dendrite_bias: 500 pA, burst_trace: 16 ms",
        "adex_pv, bias: {uniform: [250 pA, 400 pA]}",
        "adex_som, bias: {uniform: [60 pA, 120 pA]}",
    ],
    ids=lambda keys: str(keys.partition(",")[0]),
)
def test_lava_agrees_while_they_emit(keys: str, tmp_path: Path, needs_lava: None) -> None:
    """Under noise, with short-term plasticity behind: every state in every step, and many events."""
    port = "" if keys.startswith("adex") else "soma_"
    text = HEAD.format(step=0.5) + (
        "  noise: {model: poisson_noise, size: 6, rate: 500 Hz}\n"
        f"  cell: {{model: {keys}, size: 6}}\n"
        "  release: {model: facilitating, size: 6}\n"
        "projections:\n"
        f"  - {{from: noise, to: cell.{port}exc, weight: 0.1 leak, connectivity: one_to_one}}\n"
        "  - {from: cell.events, to: release, weight: 1, connectivity: one_to_one}\n"
        f"  - {{from: release, to: cell.{port}inh, weight: 0.2 leak, delay: 1 ms}}\n"
    )
    code = compiled(text, tmp_path)
    found = verify(code, 240, backends=("sim", "lava"))
    assert found.difference is None
    assert record(code, 240, ["cell.events"]).events["cell"] >= 6


def test_adaptation_falls_as_fast_in_integers(tmp_path: Path) -> None:
    """Over 200 ms after spikes 100 ms apart, mean over 200 neurons: rounding takes nothing in the mean."""
    times = ", ".join(f"[{k}, {t} ms]" for k in range(200) for t in (10, 110, 210))
    text = HEAD.format(step=0.5) + (
        f"  kick: {{model: spike_list, size: 200, events: [{times}]}}\n"
        "  cell: {model: burst_poisson, size: 200, tau_threshold: 100 ms}\n"
        "projections:\n  - {from: kick, to: cell.soma_exc, weight: 8 leak, connectivity: one_to_one}\n"
    )
    code = compiled(text, tmp_path)
    found = {
        backend: record(code, 800, ["cell.a", "cell.th", "cell.events"], backend=backend).values
        for backend in ("sim", "reference")
    }
    assert np.array_equal(*(np.asarray(it["cell", "events"]) > 0 for it in found.values()))
    for state in ("a", "th"):
        real, integer = (np.mean(it["cell", state], axis=1) for it in (found["reference"], found["sim"]))
        left = slice(440, 800)
        assert np.max(np.abs(real[left])) > 100
        np.testing.assert_allclose(integer[left], real[left], rtol=0.004, atol=1.0)


def test_adaptation_does_not_see_how_far_a_step_overshoots(tmp_path: Path) -> None:
    """Rates of noisy cells at 1 ms and at 0.1 ms, in real numbers and in integers."""
    rates = {}
    for step in (0.1, 1.0):
        text = HEAD.format(step=step) + (
            "  cell: {model: adex_som, size: 500, bias: 30 pA}\n"
            "  exc: {model: poisson_noise, size: 500}\n"
            "projections:\n  - {from: exc, to: cell.exc, connectivity: one_to_one, weight: 0.1 leak}\n"
        )
        code = compiled(text, tmp_path)
        for backend in ("sim", "reference"):
            run = open_run(code, backend)
            run.advance(round(1500 / step))
            rates[backend, step] = run.events["cell"] / 500 / 1.5
    assert rates["reference", 0.1] > 8
    assert rates["reference", 1.0] == pytest.approx(rates["reference", 0.1], rel=0.06)
    for step in (0.1, 1.0):
        assert rates["sim", step] == pytest.approx(rates["reference", step], rel=0.01)

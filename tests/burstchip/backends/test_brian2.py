"""The paper's neurons in `reference` against Brian2, an independent simulator of the same equations.

A second without noise: currents in steps and listed events of both signs onto each compartment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from burstchip import compile_file, record

brian2 = pytest.importorskip("brian2")

pytestmark = pytest.mark.once

STEPS = 10_000
EXCITED = (120.3, 125.0, 131.2, 400.0, 404.5, 407.7, 620.1, 800.4, 803.1)
INHIBITED = (122.0, 250.5, 405.0, 700.2)
Traces = Mapping[str, NDArray[np.float64]]


def network(populations: str, target: str, ports: Mapping[str, float], signals: str, probes: str) -> str:
    """A cell with listed excitation and inhibition; `ports` are weights in multiples of the leak."""
    events = {
        which: "[" + ", ".join(f"[0, {time} ms]" for time in times) + "]"
        for which, times in (("exc", EXCITED), ("inh", INHIBITED))
    }
    lines = [
        f"  - {{from: {port.rpartition('_')[2]}, to: {target}.{port}, weight: {weight} leak, delay: 0.1 ms}}"
        for port, weight in ports.items()
    ]
    sources = "\n".join(
        f"  {which}: {{model: spike_list, size: 1, events: {listed}}}" for which, listed in events.items()
    )
    return (
        f"burstchip: 1\nname: judged\nstep: 0.1 ms\ntarget: none\npopulations:\n{sources}\n{populations}\n"
        "projections:\n" + "\n".join(lines) + f"\nsignals:\n{signals}\nprobes: [{probes}]\n"
    )


def seen(text: str, folder: Path) -> dict[str, NDArray[np.float64]]:
    """The recorded variables of the cell, potentials in mV."""
    path = folder / "net.yaml"
    path.write_text(text, encoding="utf-8")
    code = compile_file(path)[0]
    found = record(code, STEPS, backend="reference")
    cell = code.population("cell")
    traces = {}
    for (_, variable), values in found.values.items():
        unit = cell.units.get(variable, (1.0, ""))[0]
        traces[variable] = values[:, 0] * unit + float(np.max(cell.origins.get(variable, 0.0)))
    return traces


def judged(
    equations: str,
    parameters: Mapping[str, Any],
    spike: tuple[str, str, Any],
    start: Mapping[str, Any],
    listed: Mapping[str, Mapping[str, float]],
    before: str,
    after: str,
) -> Traces:
    """The same by Brian2: potentials after each step, and the steps of spikes."""
    b = brian2
    b.prefs.codegen.target = "numpy"
    b.start_scope()
    b.defaultclock.dt = 0.1 * b.ms
    threshold, reset, refractory = spike
    cell = b.NeuronGroup(
        1,
        equations,
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        method="exponential_euler",
        namespace={**parameters},
    )
    for name, value in start.items():
        setattr(cell, name, value)
    kept = [cell]
    for which, times in (("exc", EXCITED), ("inh", INHIBITED)):
        # An event of step n is felt in step n + 1: Brian2 hands it on at the end of step n.
        source = b.SpikeGeneratorGroup(1, [0] * len(times), np.array(times) * b.ms)
        # The mean over a step of what decays within it.
        tau = 5.0 if which == "exc" else 10.0
        mean = tau / 0.1 * (1 - np.exp(-0.1 / tau))
        opened = "\n".join(f"{g} += {float(w * mean)!r}" for g, w in listed[which].items())
        synapses = b.Synapses(source, cell, on_pre=opened)
        synapses.connect()
        kept += [source, synapses]
    cell.run_regularly(before, when="before_groups")
    cell.run_regularly(after, when="after_groups")
    potentials = [name for name in ("v", "d", "w") if name in cell.variables]
    monitor = b.StateMonitor(cell, potentials, record=True, when="end")
    spikes = b.SpikeMonitor(cell)
    b.Network(*kept, monitor, spikes).run(1 * b.second)
    return {
        **{name: np.asarray(getattr(monitor, name)[0]) for name in potentials},
        "spikes": np.rint(np.asarray(spikes.t / b.ms) / 0.1).astype(np.int64),
    }


def agree(ours: Traces, theirs: Traces, output: str, least: int) -> None:
    """Potentials within 0.1 mV at every step, and the same spikes, at least so many."""
    spikes = np.flatnonzero(ours[output])
    assert spikes.tolist() == theirs["spikes"].tolist()
    assert len(spikes) >= least
    for name in set(theirs) - {"spikes"}:
        assert np.max(np.abs(ours[name] - theirs[name])) < 0.1, name


TWO_COMPARTMENTS = """
dv/dt = (-(v + 70) + soma + (a + I(t) + TO_SOMA*f)/(370/16.0)) / (16*ms) : 1
dd/dt = (-(d + 70) + dendrite + (-13*w + J(t) + INTO_DENDRITE)/(170/7.0))/(7*ms) : 1
da/dt = -a/(100*ms) : 1
dth/dt = -th/(27*ms) : 1
dg_se/dt = -g_se/(5*ms) : 1
dg_de/dt = -g_de/(5*ms) : 1
dg_si/dt = -g_si/(10*ms) : 1
dg_di/dt = -g_di/(10*ms) : 1
f = 1/(1 + exp(-(d - MIDPOINT)/6)) : 1
w : 1
soma : 1
dendrite : 1
"""
#: What conductances drive is held within a step, as everything but the leak is.
DRIVES = "soma = g_se*(0 - v) + g_si*(-80 - v); dendrite = g_de*(0 - FELT) + g_di*(-80 - FELT)"
LISTED = {"exc": {"g_se": 0.4, "g_de": 0.6}, "inh": {"g_si": 0.3, "g_di": 0.2}}
WEIGHTS = {"soma_exc": 0.4, "dendrite_exc": 0.6, "soma_inh": 0.3, "dendrite_inh": 0.2}
SIGNALS = """  into_soma: {to: cell.bias, steps: [[0 ms, 300 pA], [300 ms, 700 pA], [600 ms, 200 pA]]}
  into_dendrite: {to: cell.dendrite_bias, steps: [[0 ms, 0 pA], [500 ms, 350 pA], [900 ms, -50 pA]]}"""


def currents() -> dict[str, Any]:
    b = brian2
    soma = np.repeat([300.0, 700.0, 200.0], [3, 3, 4])
    dendrite = np.repeat([0.0, 350.0, -50.0], [5, 4, 1])
    return {"I": b.TimedArray(soma, dt=100 * b.ms), "J": b.TimedArray(dendrite, dt=100 * b.ms)}


@pytest.mark.parametrize(("own", "felt"), [(0, "v"), (1, "d")])
def test_the_pyramidal_neuron(own: int, felt: str, tmp_path: Path) -> None:
    text = network(
        f"  cell: {{model: pyramidal, size: 1, own_drive: {own}}}",
        "cell",
        WEIGHTS,
        SIGNALS,
        "cell.v, cell.d, cell.w, cell.spikes",
    )
    back = "2600*int(t - lastspike < 2.05*ms)"
    equations = TWO_COMPARTMENTS.replace("f = 1/(1 + exp(-(d - MIDPOINT)/6)) : 1", "f : 1")
    for name, value in {"TO_SOMA": "1300", "INTO_DENDRITE": f"1200*f + {back}"}.items():
        equations = equations.replace(name, value)
    # Held within a step is f in its middle, by a first guess of where the dendrite goes.
    first = (
        f"target = -70 + dendrite + (-13*w + J(t) + 1200/(1 + exp(-(d + 38)/6)) + {back})/(170/7.0); "
        "middle = d + (target - d)*(1 - exp(-dt/(7*ms)))/2; f = 1/(1 + exp(-(middle + 38)/6))"
    )
    b = brian2
    theirs = judged(
        equations,
        currents(),
        ("v > -50 + th", "v = -70; th += 2; a -= 200", 0 * b.ms),
        {"v": -70, "d": -70, "lastspike": -1 * b.second},
        LISTED,
        before=f"{DRIVES.replace('FELT', felt)}; {first}",
        after="w = d + 70 + (w - d - 70)*exp(-dt/(30*ms))",
    )
    agree(seen(text, tmp_path), theirs, "spikes", 15)


def test_the_simplified_neuron_where_it_never_bursts(tmp_path: Path) -> None:
    """Its draws are its own: with a dendrite that never doubles an event, nothing is drawn."""
    text = network(
        "  cell: {model: burst_poisson, size: 1, dendrite_midpoint: 500 mV}",
        "cell",
        WEIGHTS,
        SIGNALS,
        "cell.v, cell.d, cell.w, cell.spikes",
    )
    equations = TWO_COMPARTMENTS
    for name, value in {"TO_SOMA": "0", "INTO_DENDRITE": "0", "MIDPOINT": "500"}.items():
        equations = equations.replace(name, value)
    b = brian2
    theirs = judged(
        equations,
        currents(),
        # No event while it is refractory, but the potential goes on.
        (
            "v > -50 + th and timestep(t - lastspike, dt) > timestep(20*ms, dt)",
            "v = -70; th += 2; a -= 200",
            0 * b.ms,
        ),
        {"v": -70, "d": -70, "lastspike": -1 * b.second},
        LISTED,
        before=DRIVES.replace("FELT", "v"),
        after="w = d + 70 + (w - d - 70)*exp(-dt/(30*ms))",
    )
    agree(seen(text, tmp_path), theirs, "spikes", 6)


ADEX = """
dv/dt = (-G*(v + 70) + G*D*exp(steep) - w + I(t) + G*drive) / C : 1 (unless refractory)
dg_exc/dt = -g_exc/(5*ms) : 1
dg_inh/dt = -g_inh/(10*ms) : 1
steep : 1
drive : 1
w : 1
"""


@pytest.mark.parametrize(
    ("preset", "leak", "slope", "threshold", "a", "jump", "tau_w", "refractory"),
    [("adex_pv", 10, 2, -48.0, 0.0, 0, 5, 1), ("adex_som", 5, 4, -61.8358, 0.5, 10, 500, 2)],
)
def test_the_interneurons(
    preset: str,
    leak: float,
    slope: float,
    threshold: float,
    a: float,
    jump: float,
    tau_w: float,
    refractory: float,
    tmp_path: Path,
) -> None:
    signals = "  drive: {to: cell.bias, steps: [[0 ms, 20 pA], [300 ms, 260 pA], [600 ms, 80 pA]]}"
    text = network(
        f"  cell: {{model: {preset}, size: 1}}",
        "cell",
        {"exc": 0.7, "inh": 0.4},
        signals,
        "cell.v, cell.events",
    )
    b = brian2
    # Within a step the exponential is held, as everything but the leak is.
    equations = ADEX.replace("exp(steep)", "steep").replace("- w +", "- held +") + "held : 1\n"
    theirs = judged(
        equations,
        {
            "G": leak,
            "D": slope,
            "C": 100 * b.ms,
            "I": b.TimedArray(np.repeat([20.0, 260.0, 80.0], [3, 3, 4]), dt=100 * b.ms),
        },
        # Refractory for so many steps after that of the spike.
        ("v > 0", f"v = -70; w += {jump}", (refractory + 0.1) * b.ms),
        {"v": -70},
        {"exc": {"g_exc": 0.7}, "inh": {"g_inh": 0.4}},
        before=f"steep = exp(clip((v - ({threshold}))/{slope}, -16, 12)); held = w; "
        "drive = g_exc*(0 - v) + g_inh*(-80 - v)",
        after="v = clip(v, -80, inf); after = v*int(v <= 0) - 70*int(v > 0); "
        f"w = {a}*(after + 70) + (w - {a}*(after + 70))*exp(-dt/({tau_w}*ms))",
    )
    theirs = {name: values for name, values in theirs.items() if name != "w"}
    agree(seen(text, tmp_path), theirs, "events", 5)

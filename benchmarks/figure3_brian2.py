"""The network of `fig3_multiplexing` in Brian2, to be compiled to a program of its own (C++ standalone).

Written as its users would for speed: short-term plasticity once for each source neuron, noise by
`PoissonInput`, nothing recorded but how often each population spiked.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

PYRAMIDAL = """
dv/dt = (-(v + 70) + g_se*(0 - v) + g_si*(-80 - v) + (a + I + 1300*f)/23.125)/(16*ms) : 1
dd/dt = (-(d + 70) + g_de*(0 - v) + g_di*(-80 - v) + (-13*w + J + 1200*f + K)/24.285714285714285)/(7*ms) : 1
dw/dt = (d + 70 - w)/(30*ms) : 1
da/dt = -a/(100*ms) : 1
dth/dt = -th/(27*ms) : 1
dg_se/dt = -g_se/(5*ms) : 1
dg_de/dt = -g_de/(5*ms) : 1
dg_si/dt = -g_si/(10*ms) : 1
dg_di/dt = -g_di/(10*ms) : 1
dx_d/dt = (1 - x_d)/(20*ms) : 1
du_d/dt = (0.9 - u_d)/second : 1
dx_f/dt = (1 - x_f)/(100*ms) : 1
du_f/dt = (0.02 - u_f)/(100*ms) : 1
f = 1/(1 + exp(-(d + 38)/6)) : 1
K = 2600*int(t - last < 2.05*ms) : 1
last : second
released_d : 1
released_f : 1
"""
RESET = """
v = -70
last = t
th += 2
a -= 200
released_d = u_d*x_d
x_d -= released_d
u_d += 0.9*(1 - u_d)
released_f = u_f*x_f
x_f -= released_f
u_f += 0.02*(1 - u_f)
"""
LOWER = "I = 200*sin(2*pi*2*Hz*(t - 1*second))*int(t > 1*second) : 1\nJ = 50 : 1"
HIGHER = "I = -100 : 1\nJ = 100 + 100*sin(2*pi*0.894427191*Hz*t)*int(t > 1*second) : 1"
ADEX = """
dv/dt = (-G*(v + 70) + G*D*exp(clip((v - T)/D, -16, 12)) - w + I + G*(g_exc*(0 - v) + g_inh*(-80 - v)))/C
    : 1 (unless refractory)
dw/dt = (A*(v + 70) - w)/tau_w : 1
dg_exc/dt = -g_exc/(5*ms) : 1
dg_inh/dt = -g_inh/(10*ms) : 1
"""
NOISE = {"g_se": 0.35, "g_si": 0.35, "g_de": 0.05, "g_di": 0.05}


def build(folder: Path, seconds: float, size: int, interneurons: int) -> None:
    """Write and compile the program that runs the network for so long."""
    b: Any = import_module("brian2")
    b.device.reinit()
    b.set_device("cpp_standalone", build_on_run=False, directory=None)
    b.start_scope()
    b.seed(1)
    b.defaultclock.dt = 0.1 * b.ms

    def pyramids(currents: str) -> Any:
        group = b.NeuronGroup(
            size, PYRAMIDAL + currents, threshold="v > -50 + th", reset=RESET, method="euler"
        )
        group.v = group.d = "-70 + 5*randn()"
        group.x_d = group.x_f = 1
        group.u_d = group.u_f = 0.01
        group.last = -1 * b.second
        return group

    def cells(refractory: float, **values: Any) -> Any:
        group = b.NeuronGroup(
            interneurons,
            ADEX,
            threshold="v > 0",
            reset="v = -70; w += jump",
            refractory=refractory * b.ms,
            method="euler",
            namespace={"C": 100 * b.ms, **values},
        )
        group.v = "-70 + 5*randn()"
        return group

    lower, higher = pyramids(LOWER), pyramids(HIGHER)
    pv = cells(1, G=10, D=2, T=-48, A=0, jump=0, tau_w=5 * b.ms, I=205)
    som = cells(2, G=5, D=4, T=-61.8358, A=0.5, jump=10, tau_w=500 * b.ms, I=0)
    parts = [lower, higher, pv, som]
    for group in (lower, higher):
        parts += [b.PoissonInput(group, name, 1, 500 * b.Hz, weight) for name, weight in NOISE.items()]
    for group, weights in ((pv, (0.75, 1.125)), (som, (0.4, 0.5))):
        for name, weight in zip(("g_exc", "g_inh"), weights, strict=True):
            parts.append(b.PoissonInput(group, name, 1, 500 * b.Hz, weight))
    # (source, target, conductance, weight, what is released)
    for source, target, name, weight, released in (
        (lower, higher, "g_se", 0.05, "*released_d_pre"),
        (lower, pv, "g_exc", 0.05, "*released_d_pre"),
        (pv, higher, "g_si", 0.07, ""),
        (higher, lower, "g_de", 0.37, "*released_f_pre"),
        (higher, som, "g_exc", 0.3, "*released_f_pre"),
        (som, lower, "g_di", 0.035, ""),
        (lower, lower, "g_di", 0.1, "*released_f_pre"),
        (higher, higher, "g_di", 0.1, "*released_f_pre"),
    ):
        synapses = b.Synapses(source, target, on_pre=f"{name}_post += {weight}{released}", delay=0.9 * b.ms)
        synapses.connect(p=0.05)
        parts.append(synapses)
    named = {"lower": lower, "higher": higher, "pv": pv, "som": som}
    monitors = [b.SpikeMonitor(group, record=False, name=f"spikes_{name}") for name, group in named.items()]
    network = b.Network(*parts, *monitors)
    network.run(seconds * b.second)
    b.device.build(directory=str(folder), compile=True, run=False, debug=False)


def run(folder: Path) -> tuple[float, Mapping[str, int]]:
    """Run the program; seconds that its loop took, and how often each population spiked."""
    subprocess.run([str(folder / "main")], cwd=folder, check=True, capture_output=True)
    results = folder / "results"
    took, _ = (float(text) for text in (results / "last_run_info.txt").read_text().split())
    spikes = {}
    for name in ("lower", "higher", "pv", "som"):
        (path,) = results.glob(f"_array_spikes_{name}_N_*")
        spikes[name] = int(np.fromfile(path, dtype=np.int32)[0])
    return took, spikes

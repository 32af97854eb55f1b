"""Runs LIF neurons in Lava: one JSON list of populations from stdin, their states after every step to stdout.

A population has du, dv, vth, bias_mant, bias_exp, u, v (the last four by neuron) and a_in by step and
neuron; with `kind` it is one of Lava's other LIF neurons. With the argument `model` the stock fixed-point
model is driven directly, which takes milliseconds; with `network` all populations run side by side through
Lava's own run time.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from typing import Any

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.source import RingBuffer
from lava.proc.lif.models import (
    PyLifModelBitAcc,
    PyLifRefractoryModelFloat,
    PyLifResetModelBitAcc,
    PyTernLifModelFixed,
)
from lava.proc.lif.process import LIF
from lava.proc.monitor.process import Monitor


class Port:
    """Stands for a channel: what is put in comes out."""

    value: Any = 0

    def recv(self) -> Any:
        return self.value

    def send(self, value: Any) -> None:
        self.value = value


class FixedRefractory(PyLifRefractoryModelFloat, PyLifModelBitAcc):  # type: ignore[misc]
    """Lava's refractory neuron around its fixed-point arithmetic, which Lava itself does not put together."""

    def __init__(self, proc_params: Any) -> None:
        PyLifModelBitAcc.__init__(self, proc_params)
        self.refractory_period = proc_params["refractory_period"]

    def subthr_dynamics(self, activation_in: Any) -> None:
        self.scale_bias()
        self.scale_threshold()
        before = self.v.copy()
        PyLifModelBitAcc.subthr_dynamics(self, activation_in)
        waits = self.refractory_period_end >= self.time_step
        self.v[waits] = before[waits]

    def spiking_activation(self) -> Any:
        return PyLifModelBitAcc.spiking_activation(self)


KINDS = {
    "lif": PyLifModelBitAcc,
    "reset": PyLifResetModelBitAcc,
    "ternary": PyTernLifModelFixed,
    "refractory": FixedRefractory,
}


def model(case: dict[str, Any]) -> dict[str, Any]:
    it = KINDS[case.get("kind", "lif")](case.get("process", {}))
    it.a_in, it.s_out = Port(), Port()
    it.refractory_period_end = np.zeros(len(case["u"]), dtype=int)
    for name in ("du", "dv", "vth", "vth_hi", "vth_lo"):
        if name in case:
            setattr(it, name, case[name])
    for name in ("u", "v", "bias_mant", "bias_exp"):
        setattr(it, name, np.array(case[name], dtype=np.int32))
    states: dict[str, list[Any]] = {"u": [], "v": [], "events": []}
    for number, a_in in enumerate(case["a_in"]):
        it.time_step = number + 1
        it.a_in.value = np.array(a_in, dtype=np.int32)
        it.run_spk()
        states["u"].append(it.u.tolist())
        states["v"].append(it.v.tolist())
        states["events"].append(it.s_out.value.astype(int).tolist())
    return states


def network(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    probes = []
    steps = len(cases[0]["a_in"])
    for case in cases:
        arrays = {name: np.array(case[name]) for name in ("u", "v", "bias_mant", "bias_exp")}
        lif = LIF(shape=arrays["u"].shape, **arrays, **{name: case[name] for name in ("du", "dv", "vth")})
        source = RingBuffer(data=np.array(case["a_in"], dtype=np.int32).T.copy())
        source.s_out.connect(lif.a_in)
        found = {name: Monitor() for name in ("u", "v", "s_out")}
        for name, monitor in found.items():
            monitor.probe(getattr(lif, name), steps)
        probes.append((lif, found))
        lif.run(condition=RunSteps(steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    answers = []
    for lif, found in probes:
        values = {name: monitor.get_data()[lif.name][name] for name, monitor in found.items()}
        answer = {name: np.asarray(value, dtype=int).tolist() for name, value in values.items()}
        answer["events"] = answer.pop("s_out")
        answers.append(answer)
        lif.stop()
    return answers


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    try:
        cases = json.load(sys.stdin)
        answer = network(cases) if sys.argv[1] == "network" else [model(case) for case in cases]
        sys.stdout.write(json.dumps(answer))
        sys.stdout.flush()
    except Exception:
        # Lava's processes outlive an error, and then hang at a normal exit.
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

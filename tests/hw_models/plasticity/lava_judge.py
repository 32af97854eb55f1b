"""Runs one plastic connection in Lava: a child process that answers a line of JSON with a line of JSON.

`model` drives Lava's stock fixed-point model of a LearningDense phase by phase, which takes milliseconds;
`network` builds and runs a network of stock processes. Both answer with the state after every step.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from typing import Any

import numpy as np
from lava.magma.core.learning.constants import GradedSpikeCfg
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.models import PyLearningDenseModelBitApproximate
from lava.proc.dense.process import LearningDense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.monitor.process import Monitor
from lava.utils.weightutils import SignMode

RECORDED = ("weights", "tag_1", "tag_2", "x1", "x2", "y1", "y2", "y3")


class Port:
    """Stands for a channel: what is put in comes out."""

    value: Any = 0

    def recv(self) -> Any:
        return self.value

    def send(self, value: Any) -> None:
        self.value = value


class SynapseDraws:
    """Lava's rounding generator with a number of its own for each synapse."""

    def __init__(self, draws: list[Any]) -> None:
        self.draws = iter(draws)
        self.random_stochastic_round: Any = None

    def advance(self) -> None:
        self.random_stochastic_round = np.array(next(self.draws)) / 128


def learning_rule(case: dict[str, Any]) -> Any:
    kind = Loihi3FLearningRule if case["third_factors"] else Loihi2FLearningRule
    return kind(**case["rule"], **case["traces"], t_epoch=case["epoch"], rng_seed=case["seed"])


def model(case: dict[str, Any]) -> dict[str, Any]:
    weights = np.array(case["w"], dtype=np.int32)
    post, pre = weights.shape
    parameters = {
        "learning_rule": learning_rule(case),
        "shape": weights.shape,
        "graded_spike_cfg": GradedSpikeCfg.USE_REGULAR_IMPULSE,
        "sign_mode": SignMode[case["sign_mode"].upper()],
        "num_weight_bits": 8,
    }
    it = PyLearningDenseModelBitApproximate(parameters)
    it.weights, it.weights_set = weights, True
    it.tag_1, it.tag_2 = np.array(case["t"]), np.array(case["d"])
    it.num_message_bits, it.a_buff = np.array([0]), np.zeros(post, dtype=int)
    for name in ("x0", "tx", "x1", "x2"):
        setattr(it, name, np.zeros(pre, dtype=bool if name == "x0" else int))
    for name in ("y0", "ty", "y1", "y2", "y3"):
        setattr(it, name, np.zeros(post, dtype=bool if name == "y0" else int))
    for name in ("s_in", "a_out", "s_in_bap", "s_in_y1", "s_in_y2", "s_in_y3"):
        setattr(it, name, Port())
    if "draws" in case:
        it._conn_var_random = SynapseDraws(case["draws"])
    states: dict[str, list[Any]] = {name: [] for name in RECORDED}
    for step, spikes in enumerate(case["x_spikes"]):
        it.time_step = step + 1
        it.s_in.value = np.array(spikes)
        it.s_in_bap.value = np.array(case["y_spikes"][step])
        for k in range(3):
            getattr(it, f"s_in_y{k + 1}").value = np.array(case["y_values"][step][k], dtype=np.int32)
        it.run_spk()
        if it.lrn_guard():
            it.run_lrn()
        for name in RECORDED:
            states[name].append(np.asarray(getattr(it, name), dtype=int).tolist())
    return states


def network(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Several connections side by side in one run."""
    probes = []
    steps = len(cases[0]["x_spikes"])
    # Lava runs what is connected; the common sink makes it one network.
    sink = Sink(shape=(len(cases[0]["w"]),), buffer=steps)
    for case in cases:
        connection = LearningDense(
            weights=np.array(case["w"]),
            tag_1=np.array(case["t"]),
            tag_2=np.array(case["d"]),
            learning_rule=learning_rule(case),
            sign_mode=SignMode[case["sign_mode"].upper()],
        )
        ports = {"s_in": np.array(case["x_spikes"]), "s_in_bap": np.array(case["y_spikes"])}
        if case["third_factors"]:
            values = np.array(case["y_values"])
            ports |= {f"s_in_y{k + 1}": values[:, k] for k in range(3)}
        for name, data in ports.items():
            # An unconnected port of spikes is not the same as one that brings none.
            if name == "s_in_bap" and not data.any():
                continue
            source = Source(data=np.ascontiguousarray(data.T.astype(np.int32)))
            source.s_out.connect(getattr(connection, name))
        connection.a_out.connect(sink.a_in)
        found = {}
        for name in ("weights", "tag_1", "x1", "y1"):
            found[name] = Monitor()
            found[name].probe(getattr(connection, name), steps)
        probes.append((connection, found))
    sink.run(condition=RunSteps(steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    states = []
    for connection, found in probes:
        values = {name: monitor.get_data()[connection.name][name] for name, monitor in found.items()}
        states.append({name: np.asarray(value, dtype=int).tolist() for name, value in values.items()})
    sink.stop()
    return states


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = model(request["model"]) if "model" in request else network(request["network"])
        except Exception:
            # Lava's processes outlive an error, and then hang at a normal exit.
            traceback.print_exc()
            print(json.dumps("failed"), flush=True)
            os._exit(1)
        print(json.dumps(answer), flush=True)
    # Lava's shared memory and threads can keep an interpreter from ending.
    os._exit(0)

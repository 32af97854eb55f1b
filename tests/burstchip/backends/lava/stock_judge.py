"""Builds a network of stock processes by Lava's public interface and runs it step by step.

A description comes as JSON through stdin, in Lava's words and integers: `nodes` (sources of listed data and
LIF neurons) and `connections`. The state at the end of every step goes to stdout.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from typing import Any

import numpy as np
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import DelayDense, Dense, LearningDense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF, AbstractLIF, LIFReset, TernaryLIF
from lava.proc.sparse.process import DelaySparse, LearningSparse, Sparse
from lava.utils.weightutils import SignMode
from scipy.sparse import csr_matrix

CONNECTIONS = {
    kind.__name__: kind for kind in (Dense, Sparse, DelayDense, DelaySparse, LearningDense, LearningSparse)
}
#: What is read of a connection that learns: the name here and Lava's.
LEARNED = {"w": "weights", "t": "tag_1", "d": "tag_2"}


def node(given: dict[str, Any]) -> Any:
    if "data" in given:
        # One column a step.
        return Source(data=np.ascontiguousarray(np.array(given["data"], dtype=np.int32).T))
    arrays = {name: np.array(given[name]) for name in ("bias_mant", "bias_exp", "u", "v") if name in given}
    more = ("du", "dv", "vth", "vth_hi", "vth_lo", "reset_interval", "reset_offset")
    numbers = {name: given[name] for name in more if name in given}
    kind = TernaryLIF if "vth_hi" in given else LIFReset if "reset_interval" in given else LIF
    return kind(shape=(given["size"],), **numbers, **arrays)


def connection(given: dict[str, Any]) -> Any:
    parameters: dict[str, Any] = {
        "weights": np.array(given["weights"]),
        "weight_exp": given["weight_exp"],
        "num_weight_bits": given["num_weight_bits"],
        "num_message_bits": given["num_message_bits"],
    }
    if given["sign_mode"] is not None:
        parameters["sign_mode"] = SignMode[given["sign_mode"]]
    if "delays" in given:
        delays = given["delays"]
        parameters["delays"] = delays if isinstance(delays, int) else np.array(delays)
    if given["kind"].endswith("Sparse"):
        for name in ("weights", "delays"):
            if name in parameters and not isinstance(parameters[name], int):
                parameters[name] = csr_matrix(parameters[name])
    if "rule" in given:
        rule = given["rule"]
        kind = Loihi3FLearningRule if rule["factors"] == 3 else Loihi2FLearningRule
        parameters["learning_rule"] = kind(
            **rule["sums"], **rule["traces"], t_epoch=rule["t_epoch"], rng_seed=rule["rng_seed"]
        )
        for name in ("tag_1", "tag_2"):
            if name in given:
                parameters[name] = np.array(given[name])
    return CONNECTIONS[given["kind"]](**parameters)


def plain(value: Any) -> list[Any]:
    """A variable as lists of integers; Lava hands out floats, of which nothing may get lost."""
    array = np.asarray(value.todense()) if hasattr(value, "todense") else np.asarray(value)
    whole = array.astype(np.int64)
    assert np.array_equal(whole, array), "not integers"
    return whole.tolist()  # type: ignore[no-any-return]


def run(request: dict[str, Any]) -> dict[str, Any]:
    steps = request["steps"]
    nodes = {name: node(given) for name, given in request["nodes"].items()}
    neurons = {name: it for name, it in nodes.items() if isinstance(it, AbstractLIF)}
    connections, sinks = {}, {}
    for name, given in request["connections"].items():
        it = connections[name] = connection(given)
        nodes[given["source"]].s_out.connect(it.s_in)
        if given["target"] is None:
            sinks[name] = Sink(shape=it.a_out.shape, buffer=steps)
            it.a_out.connect(sinks[name].a_in)
        else:
            it.a_out.connect(nodes[given["target"]].a_in)
        for port, source in given.get("ports", {}).items():
            nodes[source].s_out.connect(getattr(it, port))
    for name, lif in neurons.items():
        sinks[name] = Sink(shape=lif.s_out.shape, buffer=steps)
        lif.s_out.connect(sinks[name].a_in)
    states: dict[str, dict[str, list[Any]]] = {name: {"u": [], "v": []} for name in neurons}
    for name, given in request["connections"].items():
        if "rule" in given:
            states[name] = {variable: [] for variable in (*LEARNED, "x1", "x2", "y1", "y2", "y3")}
    processes = {**connections, **neurons}
    for first in nodes.values():
        if first.runtime is not None:
            continue
        # A run takes along all that is connected. Few processes at a time are much faster than all at once.
        for _ in range(steps):
            first.run(condition=RunSteps(1), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
            for name, found in states.items():
                if processes[name].runtime is first.runtime:
                    for variable, values in found.items():
                        values.append(plain(getattr(processes[name], LEARNED.get(variable, variable)).get()))
        for name, sink in sinks.items():
            if sink.runtime is first.runtime:
                kind = "events" if name in neurons else "activation"
                states.setdefault(name, {})[kind] = plain(sink.data.get().T)
        first.stop()
    return states


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    try:
        sys.stdout.write(json.dumps(run(json.load(sys.stdin))))
        sys.stdout.flush()
    except Exception:
        # Lava's processes outlive an error, and then hang at a normal exit.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)

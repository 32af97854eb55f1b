"""Each kind of node in small graphs, beside its difference equation stepped here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nir_graphs import Run, chain, write
from numpy.typing import NDArray

STEPS = 60
DRAW = np.random.default_rng(11)


def events(neurons: int, share: float = 0.3) -> NDArray[np.int64]:
    return (DRAW.random((STEPS, neurons)) < share).astype(np.int64)


def ends(size: Any, out: Any) -> dict[str, dict[str, Any]]:
    return {
        "input": {"type": "Input", "shape": np.atleast_1d(size)},
        "output": {"type": "Output", "shape": np.atleast_1d(out)},
    }


def stepped(
    kind: str, p: dict[str, NDArray[np.float64]], x: NDArray[np.float64], dt: float, how: str, subtract: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(v, events) of each step for input x [step, neuron], by the equations of NIR's documentation."""

    def lost(tau: NDArray[np.float64]) -> NDArray[np.float64]:
        return dt / tau if how == "euler" else 1 - np.exp(-dt / tau)

    v = current = np.zeros(len(p["r"]))
    reset = p.get("v_reset", np.zeros(len(p["r"])))
    v = v + reset
    potentials, spikes = [], []
    for now in x:
        if kind.startswith("Cuba"):
            current = current + lost(p["tau_syn"]) * (p["w_in"] * now - current)
            v = v + lost(p["tau_mem"]) * (p["v_leak"] - v + p["r"] * current)
        elif kind in ("IF", "I"):
            v = v + p["r"] * now
        else:
            v = v + lost(p["tau"]) * (p["v_leak"] - v + p["r"] * now)
        spike = v > p["v_threshold"] if "v_threshold" in p else np.zeros(len(v), bool)
        v = np.where(spike, v - p["v_threshold"] if subtract else reset, v) if spike.any() else v
        potentials.append(v)
        spikes.append(spike)
    return np.array(potentials), np.array(spikes).astype(int)


def parameters(kind: str, n: int) -> dict[str, NDArray[np.float64]]:
    each = {"r": DRAW.uniform(0.5, 3, n)}
    if kind in ("LIF", "LI"):
        each["tau"] = DRAW.uniform(0.004, 0.02, n)
    if kind.startswith("Cuba"):
        each |= {"tau_mem": DRAW.uniform(0.004, 0.02, n), "tau_syn": DRAW.uniform(0.003, 0.01, n)}
        each["w_in"] = DRAW.uniform(1, 3, n)
    if kind not in ("IF", "I"):
        each["v_leak"] = DRAW.uniform(-0.05, 0.1, n)
    if kind in ("LIF", "CubaLIF"):
        each["v_threshold"] = DRAW.uniform(0.1, 0.3, n)
    if kind == "IF":
        each["v_threshold"] = DRAW.uniform(2, 4, n)
    return each


@pytest.mark.parametrize(
    ("kind", "reset", "how"),
    [
        ("LIF", "zero", "euler"),
        ("LIF", "subtract", "exponential"),
        ("CubaLIF", "zero", "exponential"),
        ("CubaLIF", "subtract", "euler"),
        ("IF", "zero", "euler"),
        ("IF", "subtract", "euler"),
        ("LI", "zero", "exponential"),
        ("CubaLI", "zero", "euler"),
        ("I", "zero", "euler"),
    ],
)
def test_neurons_follow_their_equation(
    tmp_path: Path, imported: Run, kind: str, reset: str, how: str
) -> None:
    n, m = 4, 3
    p = parameters(kind, n)
    if kind == "LIF" and reset == "zero":
        p["v_reset"] = DRAW.uniform(-0.05, 0.05, n)
    weight, bias = DRAW.normal(1, 1, (n, m)), DRAW.uniform(-0.1, 0.3, n)
    nodes = {
        **ends(m, n),
        "map": {"type": "Affine", "weight": weight, "bias": bias},
        "cells": {"type": kind, **p},
    }
    path = write(tmp_path / "net.nir", nodes, chain("input", "map", "cells", "output"))
    sent = events(m)
    v, spikes = stepped(kind, p, sent @ weight.T + bias, 0.001, how, reset == "subtract")
    silent = "v_threshold" not in p
    assert silent or spikes.sum() > 5
    ran = imported(path, sent, ["cells.events", "cells.v"], steps=STEPS + 1, reset=reset, integration=how)
    # An event takes a step to the neuron.
    assert np.array_equal(ran.values["cells.events"][1:], spikes)
    start = p.get("v_reset", np.zeros(n))
    rest = start if reset == "zero" else np.zeros(n)
    assert np.allclose(ran.values["cells.v"][1:] + rest, v, atol=1e-9)
    assert ran.text.count("cells.v" if silent else "cells.events") == 1


def test_branches_scales_and_delays(tmp_path: Path, imported: Run) -> None:
    """Two ways from an input, one of them later, and one from neurons back to themselves."""
    one = {
        "tau": np.full(3, 0.01),
        "r": np.full(3, 10.0),
        "v_leak": np.zeros(3),
        "v_threshold": np.full(3, 0.9),
    }
    fast, slow, back = (DRAW.uniform(0.1, 0.8, (3, 3)) for _ in range(3))
    nodes = {
        **ends(3, 3),
        "fast": {"type": "Linear", "weight": fast},
        "slow": {"type": "Linear", "weight": slow},
        "later": {"type": "Delay", "delay": np.array([0.0, 0.002, 0.0051])},
        "scale": {"type": "Scale", "scale": np.array([0.5, 1.0, 2.0])},
        "back": {"type": "Linear", "weight": -back},
        "cells": {"type": "LIF", **one},
    }
    edges = [
        *chain("input", "fast", "cells", "output"),
        *chain("input", "later", "scale", "slow", "cells"),
        *chain("cells", "back", "cells"),
    ]
    path = write(tmp_path / "net.nir", nodes, edges)
    sent = events(3)
    x = sent @ fast.T
    for neuron, (delay, scale) in enumerate(zip((0, 2, 5), (0.5, 1.0, 2.0), strict=True)):
        x[delay:] += np.outer(sent[: STEPS - delay, neuron] * scale, slow[:, neuron])
    v, spikes, wanted = np.zeros(3), np.zeros(3), []
    for now in x:
        v = v + 0.1 * (10 * (now - back @ spikes) - v)
        spikes = (v > 0.9).astype(float)
        v = np.where(spikes > 0, 0, v)
        wanted.append(spikes)
    ran = imported(path, sent, ["cells.events"], steps=STEPS + 1)
    assert 20 < np.sum(wanted) < 2 * STEPS
    assert np.array_equal(ran.values["cells.events"][1:], wanted)
    assert "node 'later': 1 delays between two steps are rounded" in ran.notes


def test_a_graph_in_a_graph_and_parallel_edges(tmp_path: Path, imported: Run) -> None:
    """The recurrent layer of the paper's notebooks, as a graph of its own."""
    one = {"tau": np.full(2, 0.005), "r": np.ones(2), "v_leak": np.zeros(2), "v_threshold": np.full(2, 0.3)}
    weight, back = np.array([[1.5, -0.4], [0.3, 2.0]]), np.array([[0.0, 1.0], [-1.0, 0.0]])
    flat = {
        **ends(2, 2),
        "fc": {"type": "Linear", "weight": weight},
        "rnn.cells": {"type": "LIF", **one},
        "rnn.back": {"type": "Linear", "weight": back},
    }
    inner = {
        "nodes": {**ends(2, 2), "cells": {"type": "LIF", **one}, "back": {"type": "Linear", "weight": back}},
        "edges": [*chain("input", "cells", "output"), *chain("cells", "back", "cells")],
    }
    sent = events(2)
    edges = [*chain("input", "fc", "rnn.cells", "output"), *chain("rnn.cells", "rnn.back", "rnn.cells")]
    both = [
        imported(write(tmp_path / f"{number}.nir", nodes, edges), sent, ["rnn_cells.events"], steps=STEPS)
        for number, (nodes, edges) in enumerate(
            [
                (flat, [*edges, edges[0]]),
                ({**ends(2, 2), "fc": flat["fc"], "rnn": inner}, chain("input", "fc", "rnn", "output")),
            ]
        )
    ]
    assert both[0].values["rnn_cells.events"].sum() > 5
    assert np.array_equal(both[0].values["rnn_cells.events"], both[1].values["rnn_cells.events"])
    assert "1 edges that the file lists twice count once" in both[0].notes


def test_a_convolutional_network(tmp_path: Path, imported: Run) -> None:
    """Convolution, pooling and a dense layer between integrate-and-fire neurons, as of cnn_sinabs.nir."""
    from scipy.signal import correlate

    first, second = DRAW.normal(0, 1, (2, 1, 3, 3)), DRAW.normal(0, 1, (3, 8))
    bias = np.array([0.2, -0.1])
    nodes = {
        **ends([1, 4, 4], 3),
        "0": {
            "type": "Conv2d",
            "weight": first,
            "bias": bias,
            "input_shape": [4, 4],
            "stride": [1, 1],
            "padding": [1, 1],
            "dilation": [1, 1],
            "groups": 1,
        },
        "1": {"type": "IF", "r": np.ones((2, 4, 4)), "v_threshold": np.ones((2, 4, 4))},
        "2": {"type": "SumPool2d", "kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0]},
        "3": {"type": "Flatten", "start_dim": 0, "end_dim": -1, "input_type": [2, 2, 2]},
        "4": {"type": "Linear", "weight": second},
        "5": {"type": "IF", "r": np.ones(3), "v_threshold": np.ones(3)},
    }
    path = write(tmp_path / "net.nir", nodes, chain("input", "0", "1", "2", "3", "4", "5", "output"))
    sent = events(16)
    v, w, hidden, out = np.zeros((2, 4, 4)), np.zeros(3), [], []
    for now in sent:
        padded = np.pad(now.reshape(4, 4), 1)
        v = (
            v
            + np.stack([correlate(padded, kernel[0], mode="valid") for kernel in first])
            + bias[:, None, None]
        )
        spikes = v > 1
        v = np.where(spikes, 0, v)
        w = w + second @ spikes.reshape(2, 2, 2, 2, 2).sum((2, 4)).reshape(-1)
        hidden.append(spikes.reshape(-1))
        out.append(w > 1)
        w = np.where(w > 1, 0, w)
    ran = imported(path, sent, ["n1.events", "n5.events"], steps=STEPS + 2)
    assert np.sum(out) > 10
    assert np.array_equal(ran.values["n1.events"][1:-1], hidden)
    assert np.array_equal(ran.values["n5.events"][2:], out)

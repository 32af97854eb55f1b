"""NIR's public files: what they are imported as, and what the networks do beside other platforms' recordings.

`lif_exact.csv` is the exact solution, `lif_lava_loihi_fixed.csv` was recorded on a chip,
`lif_lava_cpu_fixed.csv` in Lava. An event takes a step to the neuron here and in Lava, none in the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import h5py
import numpy as np
import pytest
from nir_graphs import Run
from numpy.typing import NDArray
from scipy.signal import correlate

from burstchip import check_file
from burstchip.nir.importing import import_nir
from burstchip.nir.neurons_in import Settings
from hw_models.diagnostics import BurstchipError

STEP_MS = 0.1


def recorded(folder: Path, name: str) -> NDArray[np.float64]:
    """[step, (input, v, events)]"""
    return np.loadtxt(folder / f"lif_{name}.csv", delimiter=",")


@pytest.mark.parametrize(
    ("file", "neurons", "synapses"),
    [
        ("lif_norse", 1, 1),
        ("lif_rockpool", 1, 1),
        ("two_lif_neurons", 2, 2),
        ("braille_noDelay_bias_zero", 45, 2166),
        ("braille_noDelay_noBias_subtract", 47, 2360),
        ("cnn_sinabs", 8970, 1122848),
    ],
)
def test_every_file_becomes_a_network(
    nir_folder: Path, tmp_path: Path, file: str, neurons: int, synapses: int
) -> None:
    network = tmp_path / "net.yaml"
    found = import_nir(nir_folder / f"{file}.nir", network, Settings(STEP_MS))
    assert (found.neurons, found.synapses) == (neurons, synapses)
    assert {it.parent for it in found.files} == {tmp_path}
    assert sorted(tmp_path.iterdir()) == sorted(found.files)
    checked = check_file(network)
    assert checked.errors == 0 and checked.code is not None
    assert sum(it.weights.size for it in checked.code.projections) == synapses


def test_an_edge_to_nothing_is_named(nir_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BurstchipError) as caught:
        import_nir(
            nir_folder / "braille_noDelay_bias_zero_subgraph.nir", tmp_path / "net.yaml", Settings(STEP_MS)
        )
    (found,) = caught.value.diagnostics
    assert found.id == "BC804" and found.given == "lif"
    assert found.message == (
        "braille_noDelay_bias_zero_subgraph.nir: node 'lif1': "
        "the edge 'input' -> 'lif' names a node that the graph does not have"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("integration", "reset", "simulator"),
    [
        ("euler", "zero", "reference"),
        ("euler", "subtract", "reference"),
        ("exponential", "zero", "reference"),
        ("exponential", "subtract", "reference"),
        ("euler", "zero", "sim"),
        ("exponential", "subtract", "sim"),
        ("exponential", "subtract", "plain"),
    ],
)
def test_the_lif_spikes_as_the_exact_solution_and_the_chip(
    nir_folder: Path, imported: Run, integration: str, reset: str, simulator: str
) -> None:
    exact, chip = recorded(nir_folder, "exact"), recorded(nir_folder, "lava_loihi_fixed")
    ran = imported(
        nir_folder / "lif_norse.nir",
        exact[:, :1],
        ["n1.events", "n1.v"],
        steps=1001,
        step_ms=STEP_MS,
        backend=simulator,
        integration=integration,
        reset=reset,
    )
    events = ran.values["n1.events"][:, 0]
    assert exact[:, 2].sum() == 4
    assert np.array_equal(events[1:], exact[:, 2])
    assert np.array_equal(events[:1000], chip[:, 2])
    if (integration, reset) == ("exponential", "subtract"):
        # The exact neuron spikes within a step, here at its end: until then the potentials are the same.
        first = int(np.argmax(exact[:, 2]))
        apart = np.abs(ran.values["n1.v"][1:, 0] - exact[:, 1])
        assert apart[:first].max() < (1e-7 if simulator == "reference" else 1e-3)
        assert apart.max() < 1e-3


@pytest.mark.parametrize(("name", "at_spikes"), [("lava_loihi_fixed", 128), ("lava_cpu_fixed", 0)])
def test_the_chips_own_integers_give_the_chips_potentials(
    nir_folder: Path, imported: Run, name: str, at_spikes: int
) -> None:
    """The integers of the paper's conversion to Lava: dv 0.04 4095, vth 0.1 131071 / 2^9, weight 0.04 256."""

    def as_lava(text: str) -> str:
        text = re.sub(r"tau_membrane:.*}", "du: 4095, dv: 163, vth: 25}", text)
        return re.sub(r"weight: .* mV", "weight: 10, weight_exp: 0, sign_mode: excitatory", text)

    seen = recorded(nir_folder, name)
    ran = imported(
        nir_folder / "lif_norse.nir",
        seen[:, :1],
        ["n1.events", "n1.v"],
        steps=1000,
        step_ms=STEP_MS,
        backend="sim",
        edit=as_lava,
    )
    # 1 of vth is 1 mV, and 64 units of v.
    v = np.rint(ran.values["n1.v"][:, 0] * 64000).astype(int)
    spikes = seen[:, 2] == 1
    assert np.array_equal(ran.values["n1.events"][:, 0], spikes)
    assert np.array_equal(v[~spikes], seen[~spikes, 1])
    assert set(v[spikes]) == {0} and set(seen[spikes, 1]) == {at_spikes}


def braille_input() -> NDArray[np.int64]:
    """[step, input]"""
    text = files("benchmarks") / "runner" / "workloads" / "networks" / "braille_input.txt"
    rows = text.read_text(encoding="ascii").split()
    return np.array([[int(it) for it in row] for row in rows]).T


def activity(folder: Path, platform: str, model: str) -> NDArray[np.float64]:
    """[step, neuron] of the first layer."""
    found = np.load(folder / f"{platform}_activity_noDelay_{model}.npy", allow_pickle=False)
    return found if len(found) == 256 else found.T


@pytest.fixture
def braille(nir_folder: Path, imported: Run) -> Callable[..., NDArray[np.int64]]:
    def run(model: str, simulator: str) -> NDArray[np.int64]:
        ran = imported(
            nir_folder / f"braille_noDelay_{model}.nir",
            braille_input(),
            ["lif1_lif.events"],
            steps=257,
            step_ms=STEP_MS,
            backend=simulator,
            reset=model.rpartition("_")[2],
        )
        return ran.values["lif1_lif.events"][1:]

    return run


def test_the_braille_network_does_what_it_did_where_it_was_trained(
    nir_folder: Path, braille: Callable[..., NDArray[np.int64]]
) -> None:
    """All 9,728 values are snnTorch's."""
    assert np.array_equal(braille("bias_zero", "reference"), activity(nir_folder, "snntorch", "bias_zero"))


#: Spikes of the first layer in all published recordings: for the first network of snnTorch, Norse,
#: SpiNNaker 2, Nengo, Lava and Spyx, for the second of these without Lava, of Rockpool and of Xylo.
SPIKES = {"bias_zero": (109, 174), "noBias_subtract": (103, 151)}


@pytest.mark.parametrize(
    ("model", "platforms"),
    [("bias_zero", ("norse", "s2", "nengo", "lava")), ("noBias_subtract", ("norse",))],
)
@pytest.mark.parametrize("simulator", ["reference", "sim"])
def test_the_braille_networks_lie_within_the_spread_of_the_platforms(
    nir_folder: Path,
    braille: Callable[..., NDArray[np.int64]],
    model: str,
    platforms: tuple[str, ...],
    simulator: str,
) -> None:
    """In spikes, and in how many values differ from where the network was trained."""
    ours, trained = braille(model, simulator), activity(nir_folder, "snntorch", model)
    least, most = SPIKES[model]
    assert least <= ours.sum() <= most
    others = [int((activity(nir_folder, it, model) != trained).sum()) for it in platforms]
    assert int((ours != trained).sum()) <= max(others)


@pytest.mark.slow
@pytest.mark.once
def test_the_convolutional_network_does_what_its_layers_say(nir_folder: Path, imported: Run) -> None:
    """Events of all layers, beside scipy's correlation and sums over windows, layer by layer."""
    with h5py.File(nir_folder / "cnn_sinabs.nir") as file:
        nodes = {name: {key: it[()] for key, it in node.items()} for name, node in file["node/nodes"].items()}
    sent = (np.random.default_rng(2).random((12, 2 * 34 * 34)) < 0.1).astype(int)
    v = {name: np.zeros(it["v_threshold"].shape) for name, it in nodes.items() if it["type"] == b"IF"}
    wanted: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in v}
    for now in sent:
        x: NDArray[np.float64] = now.reshape(2, 34, 34).astype(float)
        for name in map(str, range(13)):
            it = nodes[name]
            kind = it["type"].decode()
            if kind == "Conv2d":
                around = [(0, 0), *((int(p), int(p)) for p in it["padding"])]
                padded, (down, right) = np.pad(x, around), it["stride"]
                kernels = it["weight"].astype(float)
                full = [
                    sum(correlate(a, k, "valid") for a, k in zip(padded, each, strict=True))
                    for each in kernels
                ]
                x = np.array(full)[:, ::down, ::right] + it["bias"].astype(float)[:, None, None]
            elif kind == "SumPool2d":
                x = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).sum((2, 4))
            elif kind == "Flatten":
                x = x.reshape(-1)
            elif kind == "Affine":
                x = it["weight"].astype(float) @ x + it["bias"].astype(float)
            else:
                v[name] = v[name] + x
                spikes = v[name] > it["v_threshold"]
                v[name] = np.where(spikes, 0, v[name])
                wanted[name].append(spikes.reshape(-1))
                x = spikes.astype(float)
    variables = [f"n{name}.events" for name in v]
    ran = imported(nir_folder / "cnn_sinabs.nir", sent, variables, steps=17)
    # A layer is a step behind the one before it; biases, which are 0 here, would not be.
    for behind, name in enumerate(("1", "3", "6", "10", "12"), start=1):
        events = ran.values[f"n{name}.events"]
        assert np.sum(wanted[name]) > 0
        assert not events[:behind].any()
        assert np.array_equal(events[behind : behind + 12], wanted[name])

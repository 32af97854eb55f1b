"""Weights of a run folder: sparse projections are written, read and drawn as lists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from burstchip.backends.sim.simulator import start
from burstchip.compilation import compile_file
from burstchip.report.receptive_fields import draw_receptive_fields
from burstchip.report.run_folder import read_run_folder
from burstchip.report.weight_file import read_weights
from burstchip.report.weight_histograms import draw_weight_histograms
from burstchip.tasks.run_folder import write_weights
from hw_models.diagnostics import BurstchipError

NETWORK = """\
burstchip: 1
name: net
step: 1 ms
seed: 3
populations:
  a: {model: poisson_source, size: 30000, rate: 5 Hz}
  b: {model: lif, size: 20000}
projections:
  - {name: few, from: a, to: b, connectivity: {probability: 0.00001}, weight: {uniform: [-1 mV, 2 mV]}}
  - {name: none, from: a, to: b, connectivity: {probability: 0.000000000001}, weight: 1 mV}
target: loihi2
"""


def test_a_sparse_projection_is_written_and_read_as_a_list(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(NETWORK)
    code, _ = compile_file(tmp_path / "net.yaml")
    few = code.projections[0]
    write_weights(tmp_path / "w.safetensors", code, start(code, learning=True))
    # The matrix would have 600 million entries.
    assert (tmp_path / "w.safetensors").stat().st_size < 16 * few.weights.size + 1000
    found = read_weights(tmp_path / "w.safetensors")
    assert set(found.by_projection) == {"few", "none"} and found.units == {"few": "mV", "none": "mV"}
    assert found.shape("few") == found.shape("none") == (20000, 30000)
    assert np.array_equal(found.by_projection["few"], few.weights * few.unit)
    onto = found.onto("few", 100)
    assert onto.shape == (100, 30000)
    first = few.post < 100
    assert np.count_nonzero(onto) == np.count_nonzero(few.weights[first])
    assert np.array_equal(onto[few.post[first], few.pre[first]], few.weights[first] * few.unit)


def sparse(folder: Path, **changes: Any) -> Path:
    """A file with a sparse projection; `changes` replace its tensors, or its shape."""
    tensors: dict[str, Any] = {
        "w": np.array([1.0, 2.0, 3.0]),
        "pre:w": np.array([0, 0, 4], dtype=np.int32),
        "post:w": np.array([1, 2, 0], dtype=np.int32),
    }
    shape = changes.pop("shape", "[3, 5]")
    tensors = {name: value for name, value in {**tensors, **changes}.items() if value is not None}
    save_file(tensors, folder / "w.safetensors", {"shape:w": shape, "unit:w": "mV"})
    return folder / "w.safetensors"


def test_a_sparse_projection_in_the_report(run_folder: Path, tmp_path: Path) -> None:
    run = read_run_folder(run_folder)
    pixels = np.arange(6, dtype=np.int32) * 9
    lists = sparse(
        tmp_path, shape="[2, 64]", w=np.arange(1.0, 7.0), **{"pre:w": pixels, "post:w": pixels % 2}
    )
    before = read_weights(lists)
    after = replace(before, by_projection={"w": before.by_projection["w"] * 2})
    assert len(draw_receptive_fields(run, before, after)) == 1
    assert draw_weight_histograms(run, before, after).title == "Weights before and after learning"
    empty = read_weights(
        sparse(tmp_path, w=np.zeros(0), **dict.fromkeys(("pre:w", "post:w"), np.zeros(0, np.int32)))
    )
    assert draw_weight_histograms(run, empty, empty).title == "Weights before and after learning"


@pytest.mark.parametrize(
    ("changes", "given"),
    [
        ({"pre:w": None}, "'w'"),
        ({"pre:w": np.array([0, 0, 5], dtype=np.int32)}, "'w'"),
        ({"post:w": np.array([-1, 0, 2], dtype=np.int32)}, "'w'"),
        ({"post:w": np.array([1, 0], dtype=np.int32)}, "'w'"),
        ({"pre:w": np.array([0.0, 0.0, 4.0])}, "'w'"),
        ({"shape": "[3]"}, "'w'"),
        ({"shape": "three"}, "'w'"),
    ],
)
def test_synapses_without_their_ends(tmp_path: Path, changes: dict[str, Any], given: str) -> None:
    with pytest.raises(BurstchipError) as caught:
        read_weights(sparse(tmp_path, **changes))
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.id, diagnostic.given) == ("BC543", given)
    assert diagnostic.required == "source and target neuron of each weight"


def test_a_list_that_is_not_of_numbers(tmp_path: Path) -> None:
    with pytest.raises(BurstchipError) as caught:
        read_weights(sparse(tmp_path, w=np.array([1.0, np.inf, 0.0])))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.required == "finite numbers in a list of synapses"
    assert diagnostic.given == "'w' of shape [3]"


def test_lists_of_two_networks(run_folder: Path, tmp_path: Path) -> None:
    sparse(tmp_path).replace(run_folder / "weights_before.safetensors")
    fewer = {name: np.array([0]) for name in ("pre:w", "post:w")}
    sparse(tmp_path, w=np.ones(1), **fewer).replace(run_folder / "weights_after.safetensors")
    with pytest.raises(BurstchipError) as caught:
        read_run_folder(run_folder)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.id, diagnostic.given) == (
        "BC545",
        "[3, 5], 3 synapses and [3, 5], 1 synapses",
    )

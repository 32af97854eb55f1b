"""Synapses take few bytes in an artifact, and all of them come back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.artifact import dump_artifact, load_artifact
from compiler.draws import WeightDraws
from compiler.ir.chip_program import ChipProgram, ProjectionCode
from compiler.ir.connectivity import ExplicitPairs, FixedProbability, TensorFile
from compiler.ir.values import Normal, Uniform
from compiler.passes.elaborate import elaborate


def projection_code(make: Any, size: int, weight: Any, **more: Any) -> ChipProgram:
    compiled: ChipProgram = make.compiled(
        make.population("a", size=size),
        make.population("b", size=size),
        make.projection("a.events", "b.soma", weight, **more),
    )
    return compiled


def stored(code: ChipProgram, folder: Path) -> ProjectionCode:
    (folder / "net.burst").write_bytes(dump_artifact(code))
    return load_artifact(folder / "net.burst")[0].projections[0]


def assert_whole(code: ChipProgram, folder: Path) -> None:
    found, written = stored(code, folder), code.projections[0]
    for name in ("pre", "post", "weights", "delays", "exact"):
        one, other = getattr(found, name), getattr(written, name)
        assert one.dtype == other.dtype and np.array_equal(one, other), name


@pytest.mark.parametrize("weight", [1.0, Uniform(-0.2, 0.7), Normal(0.1, 0.3)])
@pytest.mark.parametrize("delay", [2.0, Uniform(1.0, 9.0)])
def test_a_drawn_synapse_takes_at_most_seven_bytes(
    make: Any, tmp_path: Path, weight: Any, delay: Any
) -> None:
    code = projection_code(make, 400, weight, delay=delay, connectivity=FixedProbability(0.1))
    assert_whole(code, tmp_path)
    without = replace(code.projections[0], pre=np.empty(0, np.int32), post=np.empty(0, np.int32))
    without = replace(without, weights=np.empty(0, np.int16), delays=np.empty(0, np.int16))
    empty = len(dump_artifact(replace(code, projections=(without,))))
    synapses = code.projections[0].pre.size
    # 4 bytes for each source neuron, and a little for the names of numbers.
    assert len(dump_artifact(code)) - empty <= 7 * synapses + 4 * 400 + 100


@pytest.mark.parametrize("weight", [1.0, Uniform(-0.2, 0.7), Normal(0.1, 0.3)])
@pytest.mark.parametrize("sparse", [False, True])
def test_weights_before_rounding_are_drawn_again(make: Any, weight: Any, sparse: bool) -> None:
    rule = {"connectivity": FixedProbability(0.4)} if sparse else {}
    parts = (
        make.population("a", size=7),
        make.population("b", size=5),
        make.projection("a.events", "b.soma", weight, **rule),
    )
    code = make.compiled(*parts).projections[0]
    assert isinstance(code.requested, WeightDraws) and code.exact.shape == code.weights.shape
    (synapses,) = elaborate(make.network(*parts)).synapses
    if synapses.weights is None:
        wanted = -0.2 + (0.7 + 0.2) * (synapses.quantiles + 0.5) / 65536
    else:
        wanted = synapses.weights
    exact = code.exact if sparse else code.exact.T.reshape(-1)
    assert np.array_equal(exact, wanted)
    assert np.abs(code.weights * code.unit - code.exact).max() <= code.unit * 3


@pytest.mark.parametrize(("weights", "kind"), [((0.5, -1.25, 3.0), "F32"), ((0.1, -1.25, 3.0), "F64")])
def test_listed_weights_lose_nothing(
    make: Any, tmp_path: Path, weights: tuple[float, ...], kind: str
) -> None:
    pairs = ExplicitPairs.of(((0, 1), (1, 0), (3, 2)), weights)
    code = projection_code(make, 5, None, connectivity=pairs)
    assert_whole(code, tmp_path)
    assert f'"projection.0.requested":{{"dtype":"{kind}"'.encode() in dump_artifact(code)


def test_a_file_s_weights_take_32_bits(make: Any, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    matrix = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)
    matrix[np.abs(matrix) < 0.5] = 0
    save_file({"w": matrix}, str(tmp_path / "w.safetensors"))
    code = projection_code(make, 6, None, connectivity=TensorFile(str(tmp_path / "w.safetensors"), "w"))
    assert_whole(code, tmp_path)
    assert b'"projection.0.requested":{"dtype":"F32"' in dump_artifact(code)


def test_no_synapses_and_none_of_the_last_neurons(make: Any, tmp_path: Path) -> None:
    for pairs in ((), ((1, 4),)):
        assert_whole(projection_code(make, 5, 1.0, connectivity=ExplicitPairs.of(pairs)), tmp_path)

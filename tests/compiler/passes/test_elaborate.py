"""Connectivity, weights and delays are drawn as asked, each synapse by its own number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from compiler.ir.connectivity import (
    Dense,
    ExplicitPairs,
    FixedInDegree,
    FixedProbability,
    OneToOne,
    TensorFile,
)
from compiler.ir.elaborated import Streams, Synapses
from compiler.ir.values import Normal, Uniform
from compiler.ir.verify import verify_elaborated
from compiler.passes.elaborate import elaborate
from hw_models.diagnostics import BurstchipError


@pytest.fixture
def drawn(make: Any) -> Any:
    """The synapses of one projection between populations of these sizes."""

    def draw(
        pre: int, post: int, weight: Any = 1.0, seed: int = 0, step: float = 1.0, **more: Any
    ) -> Synapses:
        parts = (
            make.population("a", size=pre),
            make.population("b", size=post),
            make.projection("a.events", "b.soma", weight, **more),
        )
        elaborated = elaborate(make.network(*parts, seed=seed, step=step))
        verify_elaborated(elaborated)
        return elaborated.synapses[0]

    return draw


def pairs(synapses: Synapses) -> list[tuple[int, int]]:
    return list(zip(synapses.pre.tolist(), synapses.post.tolist(), strict=True))


def test_dense_in_order_of_source_then_target(drawn: Any) -> None:
    synapses = drawn(2, 3)
    assert synapses.dense
    assert pairs(synapses) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert synapses.weights.tolist() == [1.0] * 6 and synapses.delays.tolist() == [0] * 6


def test_one_to_one(drawn: Any) -> None:
    assert pairs(drawn(3, 3, connectivity=OneToOne())) == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.7, 1.0])
def test_fixed_probability(drawn: Any, probability: float) -> None:
    synapses = drawn(200, 150, connectivity=FixedProbability(probability))
    expected = 30_000 * probability
    assert not synapses.dense
    assert abs(len(synapses.pre) - expected) <= 4 * np.sqrt(expected * (1 - probability))


@pytest.mark.parametrize("degree", [1, 7, 40])
def test_fixed_in_degree_is_exact(drawn: Any, degree: int) -> None:
    synapses = drawn(40, 30, connectivity=FixedInDegree(degree))
    assert np.bincount(synapses.post, minlength=30).tolist() == [degree] * 30
    assert len(set(pairs(synapses))) == 30 * degree


def test_in_degree_chooses_all_sources_alike(drawn: Any) -> None:
    synapses = drawn(20, 2000, connectivity=FixedInDegree(5))
    out_degrees = np.bincount(synapses.pre, minlength=20)
    assert np.all(np.abs(out_degrees - 500) < 4 * np.sqrt(2000 * 0.25 * 0.75))


def test_listed_pairs_with_and_without_weights(drawn: Any) -> None:
    listed = ((2, 0), (0, 1), (0, 0))
    assert pairs(drawn(3, 2, connectivity=ExplicitPairs.of(listed))) == [(0, 0), (0, 1), (2, 0)]
    synapses = drawn(3, 2, None, connectivity=ExplicitPairs.of(listed, (3.0, 2.0, 1.0)))
    assert synapses.weights.tolist() == [1.0, 2.0, 3.0]
    assert len(drawn(3, 2, connectivity=ExplicitPairs.of(())).pre) == 0


def test_a_tensor_file_is_target_by_source(drawn: Any, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"w": np.array([[0.0, 2.0, 0.0], [4.0, 0.0, -6.0]], dtype=np.float32)}, str(path))
    synapses = drawn(3, 2, None, connectivity=TensorFile(str(path), "w"))
    assert pairs(synapses) == [(0, 1), (1, 0), (2, 1)]
    assert synapses.weights.tolist() == [4.0, 2.0, -6.0]


def test_zeros_of_a_tensor_file_may_be_synapses(drawn: Any, make: Any, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"w": np.array([[0.0, 2.0], [4.0, 0.0]])}, str(path))
    rule = TensorFile(str(path), "w", zeros=True)
    synapses = drawn(2, 2, None, connectivity=rule)
    assert synapses.dense and synapses.weights.tolist() == [0.0, 4.0, 2.0, 0.0]
    ends = make.projection("a.events", "a.soma", None, connectivity=rule, autapses=False)
    (apart,) = elaborate(make.network(make.population("a", size=2), ends)).synapses
    assert not apart.dense and pairs(apart) == [(0, 1), (1, 0)]


def test_a_tensor_file_that_changed_since_it_was_checked(drawn: Any, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"

    def message(tensor: str = "w") -> str:
        with pytest.raises(BurstchipError) as caught:
            drawn(3, 2, None, connectivity=TensorFile(str(path), tensor))
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.id == "BC301"
        return f"{diagnostic.message} / {diagnostic.required} / {diagnostic.given}"

    unusable = f"tensor 'w' of '{path}' cannot be used / a matrix of real numbers in a safetensors file / "
    assert message() == f"{unusable}No such file or directory"
    path.write_bytes(b"nonsense")
    assert message().startswith(f"{unusable}not a safetensors file: ")
    save_file({"w": np.zeros((2, 3), dtype=np.complex64)}, str(path))
    assert message().startswith(f"{unusable}tensor 'w' has the type C64, required: F64, ")
    # What lies beside the tensor may be of a type that numpy does not have.
    header = {"w": ("F64", [2, 3], (0, 48)), "b": ("BF16", [2], (48, 52)), "f": ("F8_E4M3", [1], (52, 53))}
    entries = {
        name: {"dtype": kind, "shape": shape, "data_offsets": list(where)}
        for name, (kind, shape, where) in header.items()
    }
    text = json.dumps(entries).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + np.arange(6.0).tobytes() + bytes(5))
    synapses = drawn(3, 2, None, connectivity=TensorFile(str(path), "w"))
    assert sorted(synapses.weights.tolist()) == [1.0, 2.0, 3.0, 4.0, 5.0]
    save_file({"w": np.zeros((3, 2)), "n": np.full((2, 3), np.nan)}, str(path))
    assert message() == "tensor 'w' has the wrong shape / (target, source) = (2, 3) / (3, 2)"
    assert message("n") == "tensor 'n' contains NaN or infinity / finite weights / NaN or infinity"
    assert message("q").endswith(" / no tensor 'q', the file has: n, w")


def test_weights(drawn: Any) -> None:
    quantiles = drawn(100, 100, Uniform(-1.0, 3.0)).quantiles
    assert quantiles.min() >= 0 and quantiles.max() < 65536
    assert quantiles.mean() == pytest.approx(32768, rel=0.02)
    normal = drawn(100, 100, Normal(2.0, 0.5)).weights
    assert normal.mean() == pytest.approx(2.0, abs=0.02) and normal.std() == pytest.approx(0.5, abs=0.02)
    assert np.mean(normal > 2.0) == pytest.approx(0.5, abs=0.02)
    # Heavy tails or a bound would show here.
    assert np.mean(np.abs(normal - 2.0) > 1.0) == pytest.approx(0.0455, abs=0.008)


def test_uniform_delays_reach_every_step_alike(drawn: Any) -> None:
    delays = drawn(100, 100, delay=Uniform(1.0, 5.0)).delays
    counts = np.bincount(delays, minlength=5)
    assert len(counts) == 5
    assert np.all(np.abs(counts - 2000) < 4 * np.sqrt(10_000 * 0.2 * 0.8))
    assert drawn(2, 2, delay=3.0).delays.tolist() == [2] * 4
    assert drawn(2, 2, delay=0.3, step=0.1).delays.tolist() == [2] * 4
    assert drawn(2, 2, delay=Uniform(2.0, 2.0)).delays.tolist() == [1] * 4


def test_a_synapse_s_draws_depend_on_its_place_alone(drawn: Any) -> None:
    dense = drawn(30, 20, Uniform(0.0, 1.0), delay=Uniform(1.0, 9.0))
    sparse = drawn(30, 20, Uniform(0.0, 1.0), delay=Uniform(1.0, 9.0), connectivity=FixedProbability(0.3))
    place = sparse.pre * 20 + sparse.post
    assert sparse.quantiles.tolist() == dense.quantiles[place].tolist()
    assert sparse.delays.tolist() == dense.delays[place].tolist()
    wider = drawn(40, 20, Uniform(0.0, 1.0))
    assert wider.quantiles[: 30 * 20].tolist() == dense.quantiles.tolist()


def test_listed_delays_go_with_their_pairs(drawn: Any) -> None:
    listed = ExplicitPairs.of(((2, 0), (0, 1), (0, 0)), delays=(3.0, 2.6, 1.0))
    assert drawn(3, 2, connectivity=listed).delays.tolist() == [0, 2, 2]


def test_a_matrix_with_autapses_that_are_excluded(make: Any, tmp_path: Path) -> None:
    save_file({"w": np.eye(3)}, tmp_path / "w.safetensors")
    ends = make.projection(
        "a.events",
        "a.soma",
        None,
        connectivity=TensorFile(str(tmp_path / "w.safetensors"), "w"),
        autapses=False,
    )
    (error,) = make.errors(make.population("a", size=3), ends)
    assert (error.id, error.message) == (
        "BC342",
        "tensor 'w' has autapses, which 'a.events->a.soma' excludes",
    )
    assert error.given == "3 weights on the diagonal"


def test_seeds(drawn: Any) -> None:
    rule = FixedProbability(0.5)
    one, same, other = (drawn(20, 20, Uniform(0.0, 1.0), seed=seed, connectivity=rule) for seed in (1, 1, 2))
    assert pairs(one) == pairs(same) and one.quantiles.tolist() == same.quantiles.tolist()
    assert pairs(one) != pairs(other)


def test_projections_draw_from_streams_of_their_own(make: Any) -> None:
    parts = [make.population("a", size=20), make.population("b", size=20)]
    parts += [
        make.projection("a.events", "b.soma", Uniform(0.0, 1.0), name=name, connectivity=Dense())
        for name in "xyz"
    ]
    first, second, third = (s.quantiles.tolist() for s in elaborate(make.network(*parts)).synapses)
    assert first != second and second != third and first != third


def test_no_two_things_share_a_stream() -> None:
    streams = Streams(populations=3, plastic=2, projections=4)
    used = [streams.population(i) for i in range(3)] + [streams.learning(i) for i in range(2)]
    for numbered in ("weights", "connectivity", "second_weights", "delays", "trace"):
        used += [getattr(streams, numbered)(i) for i in range(4)]
    used.append(streams.order)
    assert len(set(used)) == len(used) and min(used) == 1


def test_the_published_streams() -> None:
    """Input phases 1, bursts 2 and 3, rounding 4 and 5, initial weights 6 to 8, order 9."""
    streams = Streams(populations=3, plastic=2, projections=3)
    assert [streams.population(i) for i in range(3)] == [1, 2, 3]
    assert [streams.learning(i) for i in range(2)] == [4, 5]
    assert [streams.weights(i) for i in range(3)] == [6, 7, 8]
    assert streams.order == 9

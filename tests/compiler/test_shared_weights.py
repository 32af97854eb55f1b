"""Weights of a convolution are drawn, rounded and stored once for each entry of the kernel."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from compiler.artifact import dump_artifact, load_artifact
from compiler.cost import compile_cost
from compiler.ir.chip_program import ChipProgram, ProjectionCode
from compiler.ir.connectivity import Convolved
from compiler.ir.convolution import Convolution, convolved_pairs
from compiler.ir.values import Constant, Distribution, Normal, Uniform
from compiler.ir.verify import verify_chip_program
from hw_models.diagnostics import BurstchipError

IMAGE = Convolution((2, 9, 8), 4, (3, 2), (2, 1), (1, 0), (1, 2), 2)
POOL = Convolution((2, 9, 8), 2, (3, 2), (3, 2), (0, 0), (1, 1), 2, pooled=True)


def parts(make: Any, it: Convolution, weight: Distribution | None, **more: Any) -> tuple[Any, ...]:
    connectivity = more.pop("connectivity", Convolved(it))
    target = more.pop("target", {})
    return (
        make.population("a", size=prod(it.source)),
        make.population("b", size=prod(it.target), **target),
        make.projection("a.events", "b.soma", weight, connectivity=connectivity, **more),
    )


def compiled(make: Any, it: Convolution, weight: Distribution | None, **more: Any) -> ChipProgram:
    code: ChipProgram = make.compiled(*parts(make, it, weight, **more))
    return code


def first(code: ChipProgram) -> ProjectionCode:
    return code.projections[0]


@pytest.mark.parametrize("weight", [Constant(2.0), Uniform(-1.0, 3.0), Normal(1.0, 0.5)])
@pytest.mark.parametrize("it", [IMAGE, POOL])
def test_synapses_of_one_entry_have_one_weight(make: Any, it: Convolution, weight: Distribution) -> None:
    code = first(compiled(make, it, weight, delay=3.0))
    pairs = convolved_pairs(it)
    assert code.kernel is not None and code.kernel.weights.shape == it.weights_shape
    assert np.array_equal(code.pre, pairs.pre) and np.array_equal(code.post, pairs.post)
    assert np.array_equal(code.weights, code.kernel.weights.ravel()[pairs.entry])
    assert np.all(code.delays == 2)
    # What was asked for is shared as well, and a uniform distribution is drawn on the integers.
    exact = np.zeros(prod(it.weights_shape))
    exact[pairs.entry] = code.exact
    assert np.array_equal(code.exact, exact[pairs.entry])
    assert np.abs(code.exact - code.weights * code.unit).max() <= 3 * code.unit
    if it is IMAGE and not isinstance(weight, Constant):
        assert len(np.unique(exact)) == exact.size


def test_entries_are_drawn_as_a_matrix_of_filters_is(make: Any) -> None:
    dense = make.compiled(
        make.population("a", size=6),
        make.population("b", size=4),
        make.projection("a.events", "b.soma", Normal(1, 2)),
    )
    kernel = first(compiled(make, IMAGE, Normal(1, 2))).kernel
    matrix = first(dense)
    assert kernel is not None
    # The sizes differ in what else is drawn, so only one stream is the same: that of the weights.
    shared = first(compiled(make, IMAGE, Normal(1, 2)))
    assert isinstance(shared.requested, type(matrix.requested))
    drawn = shared.exact[np.unique(convolved_pairs(IMAGE).entry, return_index=True)[1]]
    assert np.array_equal(drawn.reshape(4, 6), matrix.exact)


def test_a_file_gives_the_kernel(make: Any, tmp_path: Path) -> None:
    kernel = np.random.default_rng(0).normal(0, 2, IMAGE.weights_shape)
    kernel[1, 0, 2, 1] = 0.0
    save_file({"k": kernel}, tmp_path / "k.safetensors")
    path = str(tmp_path / "k.safetensors")
    code = first(compiled(make, IMAGE, None, connectivity=Convolved(IMAGE, path=path, tensor="k")))
    pairs = convolved_pairs(IMAGE)
    assert code.pre.size == pairs.pre.size
    assert np.array_equal(code.exact, kernel.ravel()[pairs.entry])
    apart = Convolved(IMAGE, shared=False, path=path, tensor="k")
    alone = first(compiled(make, IMAGE, None, connectivity=apart))
    assert alone.kernel is None and np.array_equal(alone.weights, code.weights)


def test_a_file_of_another_shape_is_refused(make: Any, tmp_path: Path) -> None:
    save_file({"k": np.ones((4, 2, 3, 2))}, tmp_path / "k.safetensors")
    given = Convolved(IMAGE, path=str(tmp_path / "k.safetensors"), tensor="k")
    (error,) = make.errors(*parts(make, IMAGE, None, connectivity=given))
    assert error.id == "BC301" and "(4, 1, 3, 2)" in str(error)


def test_weights_that_are_not_shared_are_drawn_apart_and_learn(make: Any) -> None:
    code = make.compiled(
        *parts(make, IMAGE, Normal(1.0, 0.5), connectivity=Convolved(IMAGE, shared=False), learn="rule")[:1],
        make.population("b", "burst_unit", prod(IMAGE.target)),
        parts(make, IMAGE, Normal(1.0, 0.5), connectivity=Convolved(IMAGE, shared=False), learn="rule")[2],
        make.burst_rule(),
    )
    projection = first(code)
    assert projection.kernel is None and projection.learning is not None
    assert len(np.unique(projection.exact)) == projection.weights.size


def test_a_recurrent_convolution_leaves_neurons_onto_themselves_out(make: Any) -> None:
    it = Convolution((2, 4, 4), 2, (3, 3), (1, 1), (1, 1), (1, 1))
    rule = Convolved(it, shared=False)
    code = first(
        make.compiled(
            make.population("a", size=32),
            make.projection("a.events", "a.soma", 1.0, connectivity=rule, autapses=False),
        )
    )
    assert code.pre.size == it.synapses - 32 and not np.any(code.pre == code.post)


def test_wide_weights_share_both_parts(make: Any) -> None:
    code = compiled(make, IMAGE, Uniform(-1.0, 3.0), weight_bits=12)
    high, low = code.projections
    assert high.kernel is not None and low.kernel is not None
    whole = high.weights * high.unit + low.weights * low.unit
    assert np.abs(whole - high.exact - low.exact).max() <= 1.01 * low.unit


def test_neurons_of_different_units_cannot_share(make: Any) -> None:
    taus = {"tau_membrane": Uniform(5.0, 40.0)}
    (error,) = make.errors(*parts(make, IMAGE, Constant(1.0), target=taus))
    assert error.id == "BC845" and error.hint is not None and "shared: no" in error.hint
    alone = first(
        compiled(make, IMAGE, Constant(1.0), target=taus, connectivity=Convolved(IMAGE, shared=False))
    )
    assert len(np.unique(alone.weights)) > 1


def test_the_report_counts_entries(make: Any) -> None:
    code = compiled(make, IMAGE, Uniform(-1.0, 3.0))
    (line,) = [line for line in code.quantisation if line.parameter == "least weight"]
    assert f"of {prod(IMAGE.weights_shape)} weights" in line.integers


def test_the_cost_counts_synapses_without_making_them(make: Any) -> None:
    it = Convolution((64, 256, 256), 256, (3, 3), (1, 1), (1, 1), (1, 1))
    cost = compile_cost(make.network(*parts(make, it, Constant(1.0))))
    assert cost.synapses == it.synapses == 64 * 256 * (3 * 256 - 2) ** 2


@pytest.mark.parametrize("weight", [Constant(2.0), Uniform(-1.0, 3.0)])
def test_an_artifact_holds_the_kernel_alone(make: Any, tmp_path: Path, weight: Distribution) -> None:
    it = Convolution((3, 40, 40), 8, (5, 5), (1, 1), (2, 2), (1, 1))
    code = compiled(make, it, weight)
    data = dump_artifact(code)
    kept = dump_artifact(replace(code, projections=()))
    assert it.synapses > 800_000 and len(data) - len(kept) < 2 * prod(it.weights_shape) + 1500
    (tmp_path / "net.burst").write_bytes(data)
    found, written = first(load_artifact(tmp_path / "net.burst")[0]), first(code)
    for name in ("pre", "post", "weights", "delays", "exact"):
        one, other = getattr(found, name), getattr(written, name)
        assert one.dtype == other.dtype and np.array_equal(one, other), name
    assert dump_artifact(load_artifact(tmp_path / "net.burst")[0]) == data


def _forged(code: ChipProgram, it: Convolution) -> ChipProgram:
    projection = first(code)
    assert projection.kernel is not None
    kernel = replace(projection.kernel, pairs=replace(projection.kernel.pairs, convolution=it))
    return replace(code, projections=(replace(projection, kernel=kernel),))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"padding": (3, 0)}, "a padding that target neurons see alone"),
        ({"stride": (0, 1)}, "a size below 1"),
        ({"kernel": (3, 1)}, "a kernel of (4, 1, 3, 2)"),
        ({"source": (2, 9, 9)}, "is a convolution of"),
    ],
)
def test_an_altered_geometry_is_refused(
    make: Any, tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    forged = _forged(compiled(make, IMAGE, Constant(2.0)), replace(IMAGE, **change))
    (tmp_path / "net.burst").write_bytes(dump_artifact(forged))
    with pytest.raises(BurstchipError, match="BC403") as caught:
        load_artifact(tmp_path / "net.burst")
    assert problem in str(caught.value)


def test_an_artifact_that_asks_for_too_many_synapses_is_refused(make: Any, tmp_path: Path) -> None:
    vast = Convolution((1 << 11, 64, 64), 1 << 11, (2, 1), (1, 1), (0, 0), (1, 1))
    code = compiled(make, IMAGE, Constant(2.0))
    projection = first(_forged(code, vast))
    assert projection.kernel is not None
    kernel = replace(projection.kernel, weights=np.zeros(vast.weights_shape, dtype=np.int16))
    forged = replace(code, projections=(replace(projection, kernel=kernel),))
    (tmp_path / "net.burst").write_bytes(dump_artifact(forged))
    with pytest.raises(BurstchipError, match="BC846"):
        load_artifact(tmp_path / "net.burst")


def test_lists_that_are_not_the_kernels_are_a_bug(make: Any) -> None:
    code = compiled(make, IMAGE, Uniform(-1.0, 3.0))
    projection = first(code)
    for change in ({"weights": projection.weights + np.int16(2)}, {"pre": projection.pre[::-1].copy()}):
        with pytest.raises(AssertionError):
            verify_chip_program(replace(code, projections=(replace(projection, **change),)))

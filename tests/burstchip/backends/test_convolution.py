"""Convolutions and pools run alike on every backend, and as SciPy computes them from the spikes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.signal import correlate

from burstchip.compilation import compile_file
from burstchip.error_shares import with_rounded_parameters
from burstchip.report.network_drawing import projection_rows
from burstchip.running.recording import record
from burstchip.running.verification import verify
from burstchip.tasks.start_weights import with_weights_of
from compiler.artifact import save_artifact
from compiler.ir.chip_program import ChipProgram, Learned
from compiler.ir.verify import verify_chip_program

HEAD = "burstchip: 1\nname: convolved\nstep: 1 ms\nseed: 3\npopulations:\n"

#: Of each projection: whether stock `Conv` computes the same.
STOCK = {
    "strided": True,
    "padded": True,
    "averaged": True,
    "shifted": True,
    "floored": False,
    "bursting": True,
    "graded": False,
    "counted": True,
    "late": False,
    "along": True,
    "halved": True,
    "apart": False,
}

MANY = f"""{HEAD}
  image: {{model: poisson_source, shape: [2, 6, 7], rate: 100 Hz}}
  line: {{model: poisson_source, shape: [3, 11], rate: 100 Hz}}
  grey: {{model: burst_unit, shape: [2, 6, 7]}}
  features: {{model: lif, shape: [4, 4, 3], tau_current: 2 ms}}
  fine: {{model: lif, shape: [4, 6, 8], tau_current: 2 ms}}
  pooled: {{model: lif, shape: [4, 2, 1], tau_current: 2 ms}}
  integers: {{model: lif, shape: [3, 6, 7], du: 900, dv: 300, vth: 90}}
  strip: {{model: lif, shape: [6, 4]}}
  halves: {{model: lif, size: 12}}
plasticity:
  stdp: {{every: 4 ms, trace: {{name: x1, tau: 9 ms, increment: 9}}, dw: x1*y0}}
projections:
  - {{name: strided, from: image, to: features, weight: {{uniform: [-3 mV, 9 mV]}},
     connectivity: {{conv2d: {{kernel: [3, 2], channels: 4, stride: [1, 2], dilation: [1, 2], groups: 2}}}}}}
  - {{name: padded, from: image, to: fine, weight: {{uniform: [-3 mV, 9 mV]}},
     connectivity: {{conv2d: {{kernel: [3, 2], channels: 4, padding: [2, 1], dilation: [2, 1]}}}}}}
  - {{name: averaged, from: features, to: pooled, weight: 60 mV,
     connectivity: {{pool2d: {{kernel: [2, 3], kind: average}}}}}}
  - {{name: shifted, from: image, to: integers, weight: {{uniform: [-80, 120]}}, weight_exp: 1,
     connectivity: {{conv2d: {{kernel: 3, padding: 1, channels: 3}}}}}}
  - {{name: floored, from: integers, to: integers, weight: {{uniform: [-80, 120]}}, weight_exp: -3,
     connectivity: {{conv2d: {{kernel: 3, padding: 1, channels: 3}}}}}}
  - {{name: bursting, from: image, to: grey.soma, weight: {{uniform: [-9 mV, 18 mV]}},
     connectivity: {{conv2d: {{kernel: 3, padding: 1, channels: 2}}}}}}
  - {{name: graded, from: grey.burst_error, to: features, weight: {{uniform: [-3 mV, 9 mV]}},
     connectivity: {{conv2d: {{kernel: [3, 2], channels: 4, stride: [1, 2], dilation: [1, 2], groups: 2}}}}}}
  - {{name: counted, from: grey.burst_error, to: integers, weight: {{uniform: [-9, 9]}}, weight_exp: 0,
     connectivity: {{conv2d: {{kernel: 3, padding: 1, channels: 3}}}}}}
  - {{name: late, from: features, to: features, delay: 3 ms, weight: {{uniform: [-3 mV, 9 mV]}},
     connectivity: {{conv2d: {{kernel: 3, padding: 1, channels: 4}}}}}}
  - {{name: along, from: line, to: strip, weight: {{uniform: [-3 mV, 9 mV]}},
     connectivity: {{conv1d: {{kernel: 4, padding: 2, stride: 3, channels: 6, groups: 3}}}}}}
  - {{name: halved, from: strip, to: halves, weight: 4 mV, connectivity: {{pool1d: {{kernel: 2}}}}}}
  - {{name: apart, from: strip, to: halves, weight: {{uniform: [-3 mV, 9 mV]}}, learn: stdp,
     connectivity: {{conv1d: {{kernel: 3, shared: no, channels: 6}}}}}}
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    path = tmp_path_factory.mktemp("many") / "many.yaml"
    path.write_text(MANY)
    return compile_file(path)[0]


def test_plain_agrees(many: ChipProgram) -> None:
    found = verify(many, 120, backends=("sim", "plain"))
    assert found.difference is None
    found = record(many, 120, ["pooled.events", "halves.events", "grey.bursts", "apart.w"]).values
    learned = found.pop(("apart", "w"))
    assert all(np.count_nonzero(it) > 5 for it in found.values())
    assert not np.array_equal(learned[0], learned[-1])


def test_lava_agrees(many: ChipProgram, needs_lava: None) -> None:
    found = verify(many, 120, backends=("sim", "lava"))
    assert found.difference is None


def test_rounded_parameters_keep_the_kernel(many: ChipProgram) -> None:
    rounded = with_rounded_parameters(many)
    verify_chip_program(rounded)
    for projection in rounded.projections:
        assert np.array_equal(projection.exact, projection.weights * projection.unit)


def test_fixed_weights_of_another_training_come_with_their_kernel(many: ChipProgram, tmp_path: Path) -> None:
    path = tmp_path / "many.yaml"
    path.write_text(MANY)
    code, other = many, compile_file(path, seed=4)[0]
    learned = Learned(
        artifact_sha256="0" * 64, backend="sim", epoch=0, epochs=0, samples=0, rounded=0, tags=0
    )
    found, _ = with_weights_of(code, replace(other, learned=learned), "other")
    for name in ("strided", "along"):
        given, taken = other.projection(name), found.projection(name)
        assert taken.kernel is given.kernel and np.array_equal(taken.exact, given.exact)
        assert not np.array_equal(taken.weights, code.projection(name).weights)


def test_a_report_tells_how_many_weights_are_shared(many: ChipProgram) -> None:
    rows = {row.name: row.synapses for row in projection_rows(many)}
    assert rows["averaged"] == "48, sharing 1 weight" and rows["along"] == "84, sharing 24 weights"


SCRIPT = """
import json, os, sys
from burstchip.backends.lava.network import build_network
from compiler.artifact import load_artifact

network = build_network(load_artifact(sys.argv[1])[0], None, {})
sys.stdout.write(json.dumps({name: type(it).__name__ for name, it in network.connections.items()}))
sys.stdout.flush()
os._exit(0)
"""


def test_lava_runs_its_own_conv_where_that_is_the_same(
    many: ChipProgram, tmp_path: Path, needs_lava: None
) -> None:
    save_artifact(many, tmp_path / "many.burst")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "many.burst")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    kinds = json.loads(done.stdout.splitlines()[-1])
    assert {name: kind == "Conv" for name, kind in kinds.items()} == STOCK
    assert kinds["floored"] == "Sparse" and kinds["late"] == "DelaySparse"


def convolved(
    spikes: NDArray[np.int64], kernel: NDArray[np.int64], stride: tuple[int, int], padding: int, groups: int
) -> NDArray[np.int64]:
    """The correlation of [channel, row, column], channel by channel."""
    padded = np.pad(spikes, [(0, 0), (padding, padding), (padding, padding)])
    inputs = kernel.shape[1]
    outputs = len(kernel) // groups
    return np.stack(
        [
            sum(
                correlate(padded[number // outputs * inputs + own], one[own], "valid")
                for own in range(inputs)
            )[:: stride[0], :: stride[1]]
            for number, one in enumerate(kernel)
        ]
    )


@pytest.mark.parametrize(
    ("shape", "target", "kernel", "stride", "padding", "groups"),
    [
        ((3, 9, 8), (4, 7, 6), (4, 3, 3, 3), (1, 1), 0, 1),
        ((4, 7, 9), (6, 4, 5), (6, 2, 3, 3), (2, 2), 1, 2),
        ((2, 8, 5), (2, 9, 6), (2, 1, 4, 4), (1, 1), 2, 2),
    ],
)
def test_currents_are_those_of_scipy(
    tmp_path: Path,
    shape: tuple[int, int, int],
    target: tuple[int, int, int],
    kernel: tuple[int, int, int, int],
    stride: tuple[int, int],
    padding: int,
    groups: int,
) -> None:
    weights = 2 * np.random.default_rng(shape[1]).integers(-60, 60, kernel)
    save_file({"k": weights}, tmp_path / "k.safetensors")
    conv = f"kernel: {list(kernel[2:])}, channels: {kernel[0]}, stride: {list(stride)}, padding: {padding}"
    path = tmp_path / "net.yaml"
    # A current that decays at once and a threshold that is never reached: u is what arrived, times 64.
    path.write_text(
        f"{HEAD}  image: {{model: poisson_source, shape: {list(shape)}, rate: 200 Hz}}\n"
        f"  cells: {{model: lif, shape: {list(target)}, du: 4095, dv: 0, vth: 131071}}\n"
        "projections:\n  - {from: image, to: cells, weight_exp: 1, sign_mode: mixed, connectivity: "
        f"{{conv2d: {{{conv}, groups: {groups}, file: k.safetensors, tensor: k}}}}}}\n"
    )
    code = compile_file(path)[0]
    for backend in ("sim", "plain", "reference"):
        found = record(code, 12, ["image.events", "cells.u"], backend=backend).values
        events = np.asarray(found["image", "events"]).astype(np.int64).reshape(-1, *shape)
        assert events.sum() > 50
        wanted = [128 * convolved(it, weights, stride, padding, groups) for it in events[:-1]]
        arrived = np.asarray(found["cells", "u"])[1:].reshape(-1, *target)
        assert np.array_equal(arrived, wanted), backend


def test_an_average_is_a_sum_of_shares(tmp_path: Path) -> None:
    lines = f"{HEAD}  image: {{model: poisson_source, shape: [2, 4, 6], rate: 100 Hz}}\n"
    lines += "  one: {model: lif, shape: [2, 2, 3]}\n  other: {model: lif, shape: [2, 2, 3]}\nprojections:\n"
    lines += "  - {from: image, to: one, weight: 8 mV, connectivity: {pool2d: {kernel: 2, kind: average}}}\n"
    lines += "  - {from: image, to: other, weight: 2 mV, connectivity: {pool2d: {kernel: 2}}}\n"
    (tmp_path / "net.yaml").write_text(lines)
    code = compile_file(tmp_path / "net.yaml")[0]
    average, total = code.projections
    assert np.array_equal(average.exact, total.exact) and np.all(average.exact == 2.0)
    found = record(code, 200, ["one.v", "other.v"]).values
    assert np.array_equal(found["one", "v"], found["other", "v"])

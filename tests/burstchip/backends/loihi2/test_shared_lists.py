"""A convolution takes the synaptic memory of its kernel on each neurocore, and is read back whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from burstchip.backends.loihi2 import deploy
from burstchip.backends.loihi2.comparison import compare_deployment
from burstchip.backends.loihi2.images import build_images
from burstchip.compilation import compile_file
from compiler.ir.chip_program import ChipProgram
from compiler.ir.partitioned import Partition
from compiler.passes.partition import partition
from hw_models.chips.chip import Chip
from hw_models.chips.reading import chip
from hw_models.diagnostics import BurstchipError

TEXT = """burstchip: 1
name: convolved
step: 1 ms
seed: 3
populations:
  image: {{model: poisson_source, shape: [1, 14, 14], rate: 100 Hz}}
  features: {{model: burst_unit, shape: [4, 12, 12]}}
  pooled: {{model: lif, shape: [4, 6, 6]}}
projections:
  - {{name: conv, from: image, to: features.dendrite, weight: {{uniform: [-1, 1]}},
     connectivity: {{conv2d: {{kernel: 3, channels: 4, shared: {shared}}}}}, delay: 2 ms}}
  - {{name: pool, from: features.events, to: pooled, weight: 9 mV, connectivity: {{pool2d: {{kernel: 2}}}}}}
"""


def program(folder: Path, shared: str = "yes") -> ChipProgram:
    (folder / "net.yaml").write_text(TEXT.format(shared=shared))
    return compile_file(folder / "net.yaml")[0]


def small(neurons: int) -> Chip:
    real = chip("loihi2")
    few = replace(real["compartments"], values=(neurons,))
    return replace(real, facts={**real.facts, "compartments": few})


def words(code: ChipProgram, on: Chip) -> list[int]:
    """What each neurocore holds, which is what the partition counted."""
    found = partition(code, on)
    images = build_images(found).cores
    held = [image.tensors["synapses"].size for image in images]
    assert [64 * it for it in held] == [core.used["synaptic_memory_bits"] for core in found.cores]
    assert [len(image.tensors["input_axons"]) for image in images] == [
        core.used["input_axons"] for core in found.cores
    ]
    return held


def test_memory_grows_with_the_kernel(tmp_path: Path) -> None:
    shared, alone = words(program(tmp_path), chip("loihi2")), words(program(tmp_path, "no"), chip("loihi2"))
    # A neuron in the middle reaches 36 others, one in a corner 4: 25 kinds of neurons, each at bases below
    # 256 from the first of its kind.
    assert shared[0] < alone[0] / 7
    synapse = (10 + 8 + 1) * 36 + 10
    assert shared[0] <= 25 * -(-synapse // 64)


@pytest.mark.once
@pytest.mark.parametrize("neurons", [1 << 13, 300, 24])
def test_what_is_deployed_is_read_back(tmp_path: Path, neurons: int, monkeypatch: pytest.MonkeyPatch) -> None:
    code = program(tmp_path)
    words(code, small(neurons))

    def on_small(code: ChipProgram, **given: object) -> Partition:
        return partition(code, small(neurons))

    monkeypatch.setattr(deploy, "partition_program", on_small)
    deploy.write_deployment(code, tmp_path / "sent")
    found = compare_deployment(code, tmp_path / "sent")
    assert found.difference is None


@pytest.mark.parametrize(("column", "given"), [(1, "lists of several lengths"), (2, "synapses onto")])
def test_axons_that_do_not_fit_their_list_are_refused(tmp_path: Path, column: int, given: str) -> None:
    code = program(tmp_path)
    deploy.write_deployment(code, tmp_path / "sent")
    path = tmp_path / "sent" / "core-0000.safetensors"
    tensors = load_file(path)
    axons = tensors["input_axons"].copy()
    repeated = np.flatnonzero(axons[:, 2] > 0)[-1]
    axons[repeated, column] = 1 if column == 1 else 2 * 4 * 144 - 1
    save_file({**tensors, "input_axons": axons}, path)
    with pytest.raises(BurstchipError, match="BC411") as caught:
        compare_deployment(code, tmp_path / "sent")
    assert given in str(caught.value)


def test_only_groups_that_share_say_so(tmp_path: Path) -> None:
    for shared, wanted in (("yes", [True]), ("no", [None])):
        code = program(tmp_path, shared)
        deploy.write_deployment(code, tmp_path / shared)
        table = json.loads((tmp_path / shared / "core-0000.json").read_text())
        assert [group.get("shared") for group in table["groups"]] == wanted

"""What lies on a chip comes back into a program: learned weights, exactly, and of this network alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from burstchip import compile_file
from burstchip.backends.loihi2.comparison import compare_deployment
from burstchip.backends.loihi2.deploy import write_deployment
from burstchip.backends.loihi2.read_back import with_deployed_weights
from compiler.artifact import artifact_sha256, load_artifact, save_artifact
from compiler.ir.chip_program import ChipProgram, Learned
from compiler.learned_weights import learned_projection, with_weights
from hw_models.diagnostics import BurstchipError


def taught(code: ChipProgram) -> ChipProgram:
    """The program with other weights wherever it learns."""
    random = np.random.default_rng(1)
    plastic = [it for it in code.projections if it.learning is not None]
    learned = {
        it.name: learned_projection(it, random.integers(-200, 200, it.weights.shape))[0] for it in plastic
    }
    assert learned
    return with_weights(code, learned, Learned(artifact_sha256(code), "sim", 1, 1, 0, 0, 0))


def test_learned_weights_come_back(small: ChipProgram, tmp_path: Path) -> None:
    sent = taught(small)
    write_deployment(sent, tmp_path / "sent")
    back = with_deployed_weights(small, tmp_path / "sent")
    for wanted, found, before in zip(sent.projections, back.projections, small.projections, strict=True):
        np.testing.assert_array_equal(found.weights, wanted.weights, err_msg=wanted.name)
        assert np.array_equal(found.weights, before.weights) == (before.learning is None)
    assert compare_deployment(back, tmp_path / "sent").difference is None
    assert back.learned is not None and back.learned.artifact_sha256 == artifact_sha256(sent)
    assert back.learned.text == "weights of a deployment"
    save_artifact(back, tmp_path / "back.burst")
    assert load_artifact(tmp_path / "back.burst")[0].learned == back.learned


def test_a_deployment_of_another_network(small: ChipProgram, tmp_path: Path) -> None:
    write_deployment(taught(small), tmp_path / "sent")
    for other, said in (
        (replace(small, seed=6), "seed"),
        (_with_other_fixed_weight(small), "drive.weight"),
    ):
        with pytest.raises(BurstchipError, match="BC415") as caught:
            with_deployed_weights(other, tmp_path / "sent")
        assert said in str(caught.value)


def _with_other_fixed_weight(code: ChipProgram) -> ChipProgram:
    first = code.projection("drive")
    other = replace(first, weights=first.weights + np.int16(2))
    return replace(code, projections=tuple(other if it is first else it for it in code.projections))


def test_an_altered_file(small: ChipProgram, tmp_path: Path) -> None:
    write_deployment(small, tmp_path / "sent")
    table = tmp_path / "sent" / "core-0000.json"
    table.write_text(table.read_text() + "\n")
    with pytest.raises(BurstchipError, match="BC411"):
        with_deployed_weights(small, tmp_path / "sent")
    with pytest.raises(BurstchipError, match="BC410"):
        with_deployed_weights(small, tmp_path / "nothing")


def test_a_network_without_learning_takes_nothing(tmp_path: Path) -> None:
    code = compile_file(Path(__file__).parents[4] / "examples" / "poisson_lif.yaml")[0]
    write_deployment(code, tmp_path / "sent")
    back = with_deployed_weights(code, tmp_path / "sent")
    for wanted, found in zip(code.projections, back.projections, strict=True):
        np.testing.assert_array_equal(found.weights, wanted.weights)

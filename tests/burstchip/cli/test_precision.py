"""What fewer bits of learned weights cost, of a training and of a protocol."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burstchip.compilation import compile_file
from burstchip.precision import learned_program, losses
from burstchip.tasks.datasets import load_dataset
from burstchip.tasks.prediction import predict
from burstchip.tasks.protocol.seeds import SeedFolder
from hw_models.diagnostics import BurstchipError

EXAMPLE = Path(__file__).parents[3] / "examples" / "and_gate.yaml"


@pytest.fixture(scope="module")
def seed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seed of the example with its times a tenth as long."""
    folder = tmp_path_factory.mktemp("precision")
    text = EXAMPLE.read_text(encoding="utf-8")
    for long, brief in {
        "for: 0.8 s": "for: 0.2 s",
        "for: 8 s": "for: 0.8 s",
        "for: 7.2 s": "for: 0.6 s",
    }.items():
        text = text.replace(long, brief)
    path = folder / "and_gate.yaml"
    path.write_text(
        text.replace("bin: 0.4 s", "bin: 0.1 s").replace("for: 6 s", "for: 0.5 s"), encoding="utf-8"
    )
    code, _ = compile_file(path, {"size": "6", "rounds": "1"}, 1)
    it = SeedFolder(folder / "seed_1", "sim")
    it.prepare(code, resume=False)
    it.go()
    return folder / "seed_1"


def test_of_a_training(trained: Path, burstchip: Any, tmp_path: Path) -> None:
    done = burstchip("precision", trained, "--bits", "1,8", "--draws", 2, "-o", "found.json", "--json")
    assert done.code == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert {**found, "ok": True, "output": "found.json"} == done.json and found["what"] == "test error"
    one, eight = found["by_bits"]
    assert max(eight["lost"].values()) < 0.02 < 0.2 < min(one["lost"].values())
    assert len(one["predicted"]) == len(eight["predicted"]) == 2
    # Exact weights in real numbers: what a prediction on that backend gets wrong.
    samples = load_dataset("digits")
    expected = predict(trained, samples.test_images, samples.test_labels, backend="reference")
    assert expected.accuracy == pytest.approx(1 - found["exact"])


@pytest.mark.once
def test_of_a_protocol(seed_folder: Path) -> None:
    code = learned_program(seed_folder)
    found = losses(code, (8,), draws=1)
    (eight,) = found.by_bits
    assert found.what == "cost" and np.isfinite([found.exact, eight.actual, *eight.predicted]).all()
    assert max(eight.lost.values()) < 0.02
    again = losses(code, (8,), draws=1)
    assert again == found


def test_learned_weights_are_those_of_the_checkpoint(seed_folder: Path) -> None:
    from burstchip.running.run import open_run
    from burstchip.tasks.checkpoint import FILE, read_checkpoint

    code = learned_program(seed_folder)
    arrays, _ = read_checkpoint(seed_folder / FILE)
    run = open_run(code, "sim")
    run.restore({name[4:]: array for name, array in arrays.items() if name.startswith("run.")}, 1)
    for it in code.projections:
        if it.learning is not None:
            assert np.allclose(it.exact, run.weights(it.name).T * it.unit)


def test_what_is_refused(seed_folder: Path, trained: Path, burstchip: Any, tmp_path: Path) -> None:
    for bits in ("0", "9", "four", "", "4,,8"):
        done = burstchip("precision", trained, "--bits", bits)
        assert done.code == 2 and "BC860" in done.err
    with pytest.raises(BurstchipError, match="BC650") as error:
        learned_program(seed_folder.parent)
    assert "seed_1" in str(error.value)
    shutil.copytree(seed_folder, tmp_path / "copy")
    (tmp_path / "copy" / "checkpoint.safetensors").unlink()
    done = burstchip("precision", "copy")
    assert done.code == 2 and "BC650" in done.err


def test_weights_that_no_learning_leaves_are_refused(seed_folder: Path, tmp_path: Path) -> None:
    from burstchip.tasks.checkpoint import FILE, read_checkpoint, save_checkpoint

    shutil.copytree(seed_folder, tmp_path / "copy")
    arrays, progress = read_checkpoint(seed_folder / FILE)
    code = learned_program(seed_folder)
    number = next(k for k, it in enumerate(code.projections) if it.learning is not None)
    arrays[f"run.w_{number}"] = np.full_like(arrays[f"run.w_{number}"], 300)
    save_checkpoint(tmp_path / "copy" / FILE, arrays, progress)
    with pytest.raises(BurstchipError, match="BC565"):
        learned_program(tmp_path / "copy")

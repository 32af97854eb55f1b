"""A synthetic run folder: made-up numbers in the trainer's format, to see what the report makes of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from safetensors.numpy import save_file

from burstchip.compilation import compile_file
from burstchip.templates import write_template
from compiler.artifact import save_artifact

PRESENT_MS, TEACH_AFTER_MS = 96, 24
LABELS = (3, 8, 0, 5, 1)
ANSWERS = (3, 1, 0, 5, 1)

NETWORK = """burstchip: 1
name: synthetic
populations:
  image:   {model: rate_source, size: 64}
  hidden:  {model: burst_unit, size: 100}
  readout: {model: burst_unit, size: 10}
task: {data: digits, input: image, readout: readout, split: "${split}"}
"""


def summary() -> dict[str, Any]:
    """A run with 9 of 360 test samples wrong."""
    confusion = np.diag([36, 35, 35, 34, 36, 35, 36, 35, 33, 36])
    for label, answer, count in ((1, 8, 1), (3, 9, 2), (3, 2, 1), (5, 9, 1), (7, 4, 1), (8, 1, 2), (2, 3, 1)):
        confusion[label, answer] += count
    return {
        "task": "digits",
        "data": {"training_samples": 1437, "test_samples": 360, "shape": [8, 8], "range": [0, 16]},
        "name": "synthetic",
        "seed": 0,
        "split": 0,
        "epochs": 20,
        "weight_form": "carry",
        "train_error": 0.0042,
        "test_error": 9 / 360,
        "samples_per_second": 2812.4,
        "synaptic_events_per_second": 412_345_678.0,
        "artifact_sha256": "0123456789abcdef" * 4,
        "state_sha256": "fedcba9876543210" * 4,
        "backend": "sim",
        "confusion": confusion.tolist(),
        "classes": 10,
        "frozen": [],
        "overrides": {"split": "0"},
        "test_activity": {
            "samples": 360,
            "events": {"image": 131_895, "hidden": 400_330, "readout": 22_312},
            "bursts": {},
            "synaptic_operations": 17_192_800,
        },
        "diagnostics": [
            "network.yaml:7:3: warning[BC310]: 'bias' of population 'hidden' is represented 2.40 % off\n"
            "  required: at most 1 %    given: 73.24 pA"
        ],
    }


def history(epochs: int = 20) -> list[dict[str, Any]]:
    """Errors that fall, rates that settle."""
    generator = np.random.default_rng(2)
    entries = []
    for epoch in range(epochs + 1):
        falling = np.exp(-epoch / 4)
        entries.append(
            {
                "epoch": epoch,
                "train_error": None if epoch == 0 else 0.0042 + 0.4 * falling * generator.uniform(0.8, 1.2),
                "test_error": 0.9
                if epoch == 0
                else round(9 + 108 * falling * generator.uniform(0.8, 1.2)) / 360,
                "seconds": 0.0 if epoch == 0 else 0.51,
                "event_rate": {
                    "image": 61.0,
                    "hidden": 120 + 60 * falling + generator.normal(0, 2),
                    "readout": 90 - 30 * falling + generator.normal(0, 2),
                },
                "burst_probability": {
                    "hidden": 0.5 + 0.05 * falling + generator.normal(0, 0.004),
                    "readout": 0.5 - 0.1 * falling + generator.normal(0, 0.004),
                },
            }
        )
    entries[-1]["test_error"] = 9 / 360
    return entries


def quantisation() -> list[dict[str, Any]]:
    """Rows of every kind: exact, off, far off, one value a neuron, without a relative error."""

    def row(
        where: str, parameter: str, unit: str, asked: Any, got: Any, error: float | None, integers: str
    ) -> Any:
        return {
            "where": where,
            "parameter": parameter,
            "unit": unit,
            "requested": asked,
            "represented": got,
            "relative_error": error,
            "integers": integers,
        }

    return [
        row("hidden", "tau_soma", "ms", 31.5, 31.4978, -7e-5, "dv = 128"),
        row("hidden", "threshold", "mV", 20.0, 20.0, 0.0, "vth = 8192"),
        row("hidden", "bias", "pA", 73.24, 75.0, 0.024, "bias_mant = 300"),
        row("readout", "gain", "", [0.1, 0.125, 0.25], [0.1, 0.125, 0.25], 1.2e-7, "gain = 1 ... 3"),
        row("readout", "offset", "mV", 0.0, 0.0, None, "offset = 0"),
        row("image->hidden.soma", "weight", "mV", 20.0, 19.84, -0.008, "weight_exp = 5"),
    ]


def weights() -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]], dict[str, str]]:
    """Noise before learning; after it, blobs on a grid of 8-bit weights."""
    generator = np.random.default_rng(5)
    before = {
        "image->hidden.soma": generator.uniform(-3.2, 3.2, (100, 64)),
        "hidden.events->readout.soma": generator.uniform(-0.8, 0.8, (10, 100)),
        "readout.burst_error->hidden.dendrite": generator.uniform(-0.44, 0.44, (100, 10)),
    }
    y, x = np.mgrid[:8, :8]
    after = dict(before)
    centres = generator.uniform(1, 6, (100, 2, 2))
    blobs = [
        np.exp(-((y - a[0]) ** 2 + (x - a[1]) ** 2) / 4) - np.exp(-((y - b[0]) ** 2 + (x - b[1]) ** 2) / 4)
        for a, b in centres
    ]
    after["image->hidden.soma"] = before["image->hidden.soma"] + 9 * np.array(blobs).reshape(100, 64)
    after["hidden.events->readout.soma"] = before["hidden.events->readout.soma"] * 1.5
    step = {"image->hidden.soma": 20 / 127, "hidden.events->readout.soma": 2 / 127}
    for name, grid in step.items():
        before[name] = np.round(before[name] / grid) * grid
        after[name] = np.round(after[name] / grid) * grid
    units = {f"unit:{name}": "mV" for name in step}
    return before, after, {**units, "unit:readout.burst_error->hidden.dendrite": ""}


def recording(seed: int, label_rate: float) -> xr.Dataset:
    """Five samples; the label's unit fires at `label_rate` and bursts more once the teacher is on."""
    generator = np.random.default_rng(seed)
    steps = PRESENT_MS * len(LABELS)
    since = np.arange(steps) % PRESENT_MS
    label = np.repeat(LABELS, PRESENT_MS)
    taught = (since >= TEACH_AFTER_MS)[:, None]
    of_label = label[:, None] == np.arange(10)
    rates = generator.gamma(2.0, 0.06, (len(LABELS), 100)).repeat(PRESENT_MS, axis=0)
    hidden = generator.random((steps, 100)) < rates
    readout = generator.random((steps, 10)) < np.where(of_label, label_rate, 0.06)
    image = generator.random((steps, 64)) < generator.uniform(0, 0.19, (len(LABELS), 64)).repeat(
        PRESENT_MS, 0
    )
    hidden_bursts = hidden & (generator.random(hidden.shape) < np.where(taught, 0.55, 0.5))
    chance = np.where(taught & of_label, 0.8, np.where(taught, 0.3, 0.5))
    readout_bursts = readout & (generator.random(readout.shape) < chance)
    variables = {
        "image.events": image,
        "hidden.events": hidden,
        "hidden.bursts": hidden_bursts,
        "readout.events": readout,
        "readout.bursts": readout_bursts,
    }
    return xr.Dataset(
        {
            name: (("time", f"{name.split('.')[0]}_neuron"), values.astype(np.int8))
            for name, values in variables.items()
        },
        coords={
            "time": ("time", np.arange(steps, dtype=np.float64), {"units": "ms"}),
            "sample_start": ("sample", PRESENT_MS * np.arange(len(LABELS), dtype=np.float64)),
            "sample_label": ("sample", np.array(LABELS)),
            "sample_readout": ("sample", np.array(ANSWERS)),
        },
        attrs={
            "present_ms": PRESENT_MS,
            "teach_after_ms": TEACH_AFTER_MS,
        },
    )


def provenance() -> dict[str, Any]:
    """A run of two sessions, the second with another numpy."""
    session = {
        "begun": "2026-01-02 03:04:05 UTC",
        "burstchip": "0.1.0",
        "python": "3.10.13",
        "numpy": "1.26.4",
        "numba": "0.60.0",
        "system": "Linux 6.1 x86_64",
        "processor": "A Processor",
        "cores": 2,
    }
    later = {**session, "begun": "2026-01-03 00:00:00 UTC", "numpy": "2.0.0"}
    return {
        "command": "burstchip train net.yaml --set split=0 --out run",
        "sessions": [session, later],
    }


def answers(confusion: list[list[int]]) -> dict[str, NDArray[Any]]:
    """The answers that the confusion matrix counts, with pictures of the wrong ones."""
    pairs = [(r, c) for r, row in enumerate(confusion) for c, count in enumerate(row) for _ in range(count)]
    label, answer = np.array(pairs, dtype=np.int32).T.copy()
    wrong = np.flatnonzero(label != answer).astype(np.int32)
    pictures = np.random.default_rng(3).integers(0, 256, (len(wrong), 64)).astype(np.uint8)
    return {"label": label, "answer": answer, "wrong": wrong, "pictures": pictures}


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete synthetic run folder, made once; tests work on copies."""
    folder = tmp_path_factory.mktemp("original") / "run"
    folder.mkdir()
    (folder / "summary.json").write_text(json.dumps(summary()))
    (folder / "history.json").write_text(json.dumps(history()))
    (folder / "quantisation.json").write_text(json.dumps(quantisation()))
    before, after, metadata = weights()
    save_file(before, folder / "weights_before.safetensors", metadata)
    save_file(after, folder / "weights_after.safetensors", metadata)
    recording(1, 0.08).to_netcdf(folder / "recording_before.nc", engine="h5netcdf")
    recording(2, 0.35).to_netcdf(folder / "recording_after.nc", engine="h5netcdf")
    (folder / "network.yaml").write_text(NETWORK)
    (folder / "network_as_run.yaml").write_text(NETWORK.replace('"${split}"', "0"))
    (folder / "provenance.json").write_text(json.dumps(provenance()))
    kept = answers(summary()["confusion"])
    save_file(kept, folder / "answers.safetensors", {"shape": "[8, 8]"})
    code, _ = compile_file(write_template("digits", tmp_path_factory.mktemp("digits")))
    save_artifact(code, folder / "net.burst")
    return folder


@pytest.fixture
def run_folder(original: Path, tmp_path: Path) -> Path:
    """A complete synthetic run folder of the test's own."""
    return Path(shutil.copytree(original, tmp_path / "run"))


@pytest.fixture
def edit(run_folder: Path) -> Callable[..., None]:
    """Changes entries of a JSON object in the run folder: `edit("summary.json", seed=1)`."""

    def change(file: str, **entries: Any) -> None:
        content = json.loads((run_folder / file).read_text())
        (run_folder / file).write_text(json.dumps({**content, **entries}))

    return change

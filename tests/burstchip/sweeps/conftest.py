"""Networks that sweeps in tests vary, and the command in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import burstchip
from burstchip.cli.app import app

#: Noise excites as many cells, of which each hears `heard` sources.
RUNS = """burstchip: 1
name: runs
step: 1 ms
seed: 4
parameters: {cells: 6, heard: 2}
populations:
  noise: {model: poisson_source, size: "${cells}", rate: 200 Hz}
  cell: {model: lif, size: "${cells}"}
projections:
  - {from: noise, to: cell.soma, weight: 9 mV, connectivity: {in_degree: "${heard}"}}
"""

#: The digits template for three classes of twelve features: what it runs is compiled for other tests too.
SMALLER = {
    "size: 64": "size: 12",
    "size: 10\n": "size: 3\n",
    "data: digits": "data: {file: samples.npz}",
    "split: ${split}": "test_share: 20 %",
    "  split: 0 ": "  #",
    "epochs: 60": "epochs: 2",
    "hidden_size: 100": "hidden_size: 6",
}

#: A call of `burstchip sweep`: (exit code, stdout, stderr).
Sweep = Callable[..., tuple[int, str, str]]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The file of a network without a task."""
    path = tmp_path / "runs.yaml"
    path.write_text(RUNS)
    return path


@pytest.fixture(scope="session")
def learns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a network that learns a task, and its samples."""
    path = tmp_path_factory.mktemp("learns") / "learns.yaml"
    text = (Path(burstchip.__file__).parent / "templates" / "digits" / "network.yaml").read_text()
    for what, other in SMALLER.items():
        assert what in text
        text = text.replace(what, other)
    path.write_text(text)
    labels = np.arange(60) % 3
    features = 8 * (np.arange(12) // 4 == labels[:, None]) + np.arange(60 * 12).reshape(60, 12) % 7
    np.savez(path.with_name("samples.npz"), x=features, y=labels)
    return path


@pytest.fixture(scope="session")
def sweep() -> Sweep:
    """`sweep(file, "--seeds", "2")`, in a process of its own where it starts others."""

    def call(*arguments: object) -> tuple[int, str, str]:
        words = ["sweep", *map(str, arguments)]
        if {"--jobs", "--dask"} & set(words):
            command = [sys.executable, "-m", "burstchip", *words]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            return done.returncode, done.stdout, done.stderr
        result = CliRunner().invoke(app, words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return call


@pytest.fixture(scope="session")
def learned(learns: Path, sweep: Sweep, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep of trainings, to be looked at only."""
    out = tmp_path_factory.mktemp("learned") / "out"
    code, _, stderr = sweep(learns, "--grid", "hidden_size=5,8", "--seeds", 2, "--out", out)
    assert code == 0, stderr
    return out

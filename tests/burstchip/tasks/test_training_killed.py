"""A training killed at random moments ends, resumed, in the state of the training that nothing disturbed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import burstchip

ROOT = Path(__file__).parents[3]
TEMPLATE = Path(burstchip.__file__).parent / "templates" / "digits" / "network.yaml"

#: Trains with a checkpoint after every few samples; the last line is the summary.
DRIVER = """
import json, sys
from pathlib import Path
from burstchip.tasks import epochs
from burstchip.tasks.train_options import TrainOptions
from burstchip.tasks.training import train
epochs.CHECKPOINT_SECONDS, epochs.CALL_SECONDS = 0.0, 0.02
out = Path(sys.argv[2])
print("starting", flush=True)
summary = train(TrainOptions(
    Path(sys.argv[1]), out, epochs=1, workers=1, resume=True,
    overrides={"weight_form": "chip"},
))
print(json.dumps(summary))
"""


@pytest.fixture(autouse=True)
def own_folders() -> None:
    """Unlike the tests of data sets, these keep the folder of compiled loops that all tests share."""


def start(out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DRIVER, str(TEMPLATE), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def finish(out: Path) -> dict[str, Any]:
    done, _ = start(out).communicate(timeout=400)
    return json.loads(done.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    """In one form of weights: that checkpoints hold all of either, trainings that are stopped say."""
    began = time.monotonic()
    undisturbed = finish(tmp_path / "undisturbed")
    length = time.monotonic() - began
    out = tmp_path / "killed"
    moments = random.Random(time.time_ns())
    kills = 0
    for attempt in range(4):
        training = start(out)
        assert training.stdout is not None
        training.stdout.readline()
        # The first may die before it has written anything, the others go on from a checkpoint.
        pause = moments.uniform(0, length / 3 if attempt else length / 10)
        try:
            training.wait(pause)
        except subprocess.TimeoutExpired:
            kills += 1
        training.kill()
        training.wait()
        training.stdout.close()
        leftovers = [path.name for path in out.glob(".*")] if out.exists() else []
        assert len(leftovers) <= attempt + 1, leftovers
    summary = finish(out)
    assert kills >= 1
    for name in ("state_sha256", "test_error", "train_error", "confusion", "artifact_sha256"):
        assert summary[name] == undisturbed[name], name

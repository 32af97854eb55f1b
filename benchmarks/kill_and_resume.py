"""Whether a training that is killed at any moment, and resumed, ends in the state of one that was not.

    python -m benchmarks.kill_and_resume [--times 100] [--seed 0] [--set KEY=VALUE ...]

Trains `digits` once undisturbed. Then again and again: each training is ended by SIGKILL at a moment drawn
uniformly from the time that the undisturbed one took, as often as it takes until it ends by itself, with
`--resume`; its `state_sha256` must be that of the first.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hw_models.program.random import at, key

#: Small and short, so that most of its moments are in an epoch, a test or a checkpoint.
SETTINGS = ("hidden_size=40",)
EPOCHS = 6


def _command(network: Path, out: Path, settings: Sequence[str]) -> list[str]:
    given = [word for it in settings for word in ("--set", it)]
    train = ["train", str(network), "-o", str(out), "--epochs", str(EPOCHS), "-q", *given]
    return [sys.executable, "-m", "burstchip", *train]


def _state(out: Path) -> str:
    return str(json.loads((out / "summary.json").read_text(encoding="utf-8"))["state_sha256"])


def one(network: Path, out: Path, settings: Sequence[str], moments: Sequence[float]) -> tuple[str, int]:
    """(hash of the state at the end, how often it was killed); killed after each of `moments` seconds."""
    command, kills = _command(network, out, settings), 0

    def going_on() -> list[str]:
        if (out / "checkpoint.safetensors").exists():
            return [*command, "--resume"]
        # Killed before its first checkpoint, it begins again in an empty folder.
        if out.exists():
            shutil.rmtree(out)
        return command

    for seconds in moments:
        child = subprocess.Popen(going_on())
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            kills += 1
            continue
        break
    if not (out / "summary.json").exists():
        subprocess.run(going_on(), check=True)
    return _state(out), kills


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; exit code 1 where a state differs."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kill_and_resume", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--times", type=int, default=100, help="how many trainings are killed")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--set", action="append", default=list(SETTINGS), metavar="KEY=VALUE")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as there:
        folder = Path(there)
        subprocess.run([sys.executable, "-m", "burstchip", "new", "digits", str(folder), "-q"], check=True)
        network = folder / "network.yaml"
        started = time.monotonic()
        expected, _ = one(network, folder / "whole", options.set, [])
        took = time.monotonic() - started
        equal, kills = 0, 0
        for number in range(options.times):
            out = folder / "killed"
            shutil.rmtree(out, ignore_errors=True)
            draws = at(key(options.seed, 0, number), [0, 1, 2]).astype(float) / 2**32
            found, killed = one(network, out, options.set, [float(it) * took for it in draws])
            equal, kills = equal + (found == expected), kills + killed
            if found != expected:
                print(f"training {number}: {found}, not {expected}", flush=True)
    print(f"{equal} of {options.times} trainings ended in the same state after {kills} kills")
    print(f"the one that was not disturbed took {took:.1f} s")
    if equal < options.times:
        sys.exit(1)


if __name__ == "__main__":
    main()

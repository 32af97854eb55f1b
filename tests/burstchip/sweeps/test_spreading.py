"""Sweeps on processes and on a cluster, whose workers are killed, end in the results of one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: A process each time that it begins with one of two points of a sweep, from which it does not come back.
DEADLY = """\
import os, signal, sys
from dataclasses import dataclass
from pathlib import Path
from burstchip.sweeps.description import read_description
from burstchip.sweeps.point import PointFolder
from burstchip.sweeps.spreading import spread
from burstchip.workers import Workers

@dataclass(frozen=True)
class Deadly(PointFolder):
    def work(self):
        if self.point.parameters["cells"] == "7":
            self.word.write_text("{}")
            os.kill(os.getpid(), signal.SIGKILL)
        super().work()

out = Path(sys.argv[1])
sweep = read_description(out)
spread([Deadly(out, sweep, point) for point in sweep.points], Workers(jobs=2))
"""

#: A real cluster of two workers; prints where its scheduler writes its address.
CLUSTER = """\
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, next(iter(cluster.workers.values())).pid, flush=True)
        sys.stdin.read()
"""

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
    pytest.mark.once,
    pytest.mark.slow,
]

GRID = ("--grid", "hidden_size=5,8", "--seeds", "2")


def begin(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "burstchip", "sweep", *map(str, arguments), "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until_a_point_is_under_way(out: Path, process: subprocess.Popen[str]) -> None:
    while not list(out.glob("working/*.json")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)


def workers_of(parent: int) -> list[int]:
    """The processes in which joblib has points done."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            status = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(status[1]) == parent and any(b"popen_loky" in word for word in words):
            found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes there")
def test_killed_workers_and_a_killed_sweep_lose_nothing(learns: Path, learned: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = begin(learns, *GRID, "--jobs", 2, "--out", out)
    wait_until_a_point_is_under_way(out, first)
    os.kill(workers_of(first.pid)[0], signal.SIGKILL)
    time.sleep(0.5)
    wait_until_a_point_is_under_way(out, first)
    first.kill()
    first.communicate()
    assert not list(out.glob("results.json")), "over before it was killed"
    second = begin(out, "--resume", "--jobs", 2)
    _, stderr = second.communicate(timeout=200)
    assert second.returncode == 0, stderr
    assert (out / "results.json").read_bytes() == (learned / "results.json").read_bytes()


def test_a_point_that_kills_its_process_is_given_up(runs: Path, sweep, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("--grid", "cells=6,7", "--steps", 20, "--backend", "plain", "--out", out)
    assert sweep(runs, *arguments)[0] == 0
    for it in out.glob("points/*/point.json"):
        it.unlink()
    done = subprocess.run(
        [sys.executable, "-c", DEADLY, str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    kept = [json.loads(it.read_bytes())["result"] for it in sorted(out.glob("points/*/point.json"))]
    assert [it["state"] for it in kept] == ["done", "failed"]
    assert "killed again and again" in kept[1]["diagnostics"][0]
    # Where it lives, the point is done after all.
    assert sweep(out, "--resume")[0] == 0


@contextmanager
def cluster() -> Iterator[tuple[str, int]]:
    """(address, process of a worker)."""
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        address, pid = process.stdout.readline().split()
        yield address, int(pid)
        process.stdin.close()


def test_a_cluster_that_loses_a_worker_loses_nothing(learns: Path, learned: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with cluster() as (address, worker):
        scheduler = tmp_path / "scheduler.json"
        scheduler.write_text(json.dumps({"address": address}))
        first = begin(learns, *GRID, "--dask", scheduler, "--out", out)
        wait_until_a_point_is_under_way(out, first)
        os.kill(worker, signal.SIGKILL)
        _, stderr = first.communicate(timeout=200)
    assert first.returncode == 0, stderr
    assert (out / "results.json").read_bytes() == (learned / "results.json").read_bytes()

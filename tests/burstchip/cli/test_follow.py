"""`burstchip follow`: results, pages, resuming, seeds side by side, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from burstchip.cli.app import app

EXAMPLE = Path(__file__).parents[3] / "examples" / "and_gate.yaml"
#: Two workers, until the standard input ends; says where they are, and the process of one.
CLUSTER = """\
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, next(iter(cluster.workers.values())).pid, flush=True)
        sys.stdin.read()
"""
#: Small enough for tests; nothing is learned in so short a time.
SMALL = ("--set", "size=6", "--set", "rounds=2")
#: So long that it can be killed on its way.
LONG = ("--set", "size=6", "--set", "rounds=30")


def call(*arguments: str | Path) -> tuple[int, str, str]:
    if {"--jobs", "--dask"} & set(arguments):
        # What starts processes stays out of this one, where Lava chooses how they are started.
        program = "import sys; from burstchip.cli.main import main; sys.exit(main())"
        command = [sys.executable, "-c", program, "follow", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr
    result = CliRunner().invoke(app, ["follow", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with times a tenth as long."""
    path = tmp_path_factory.mktemp("short") / "and_gate.yaml"
    text = EXAMPLE.read_text(encoding="utf-8")
    for long, brief in {
        "for: 0.8 s": "for: 0.2 s",
        "for: 8 s": "for: 0.8 s",
        "for: 7.2 s": "for: 0.6 s",
    }.items():
        text = text.replace(long, brief)
    path.write_text(
        text.replace("bin: 0.4 s", "bin: 0.1 s").replace("for: 6 s", "for: 0.5 s"), encoding="utf-8"
    )
    return path


@pytest.fixture(scope="module")
def followed(short: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    out = tmp_path_factory.mktemp("followed") / "out"
    code, stdout, stderr = call(short, "--out", out, "--seeds", "2", "--json", *SMALL)
    assert code == 0, stderr
    return out, json.loads(stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def undisturbed(short: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The states in which two seeds of the long run end, where nothing is killed."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    code, stdout, stderr = call(short, "--out", out, "--seeds", "2", "--json", *LONG)
    assert code == 0, stderr
    states: list[str] = json.loads(stdout.splitlines()[-1])["state_sha256"]
    return states


def test_results_are_written(followed: tuple[Path, dict[str, object]]) -> None:
    out, said = followed
    results = json.loads((out / "results.json").read_text())
    assert {**results, "page": str(out / "report.html")} == said
    assert results["seeds"] == [1, 2] and results["asked"] == 8
    assert len(set(results["state_sha256"])) == 2, "seeds are alike"
    assert np.shape(results["costs"]["training"]) == (2, 2)
    page = (out / "report.html").read_text()
    assert "only first" in page and "seeds 1, 2" in page and page.count("<svg") + page.count("<img") >= 4
    assert {it.name for it in (out / "figures").iterdir()} >= {"cost.svg", "events_output.svg", "weights.svg"}


def test_recording_holds_every_bin(followed: tuple[Path, dict[str, object]]) -> None:
    with xr.open_dataset(followed[0] / "protocol.nc", engine="h5netcdf") as data:
        assert data.sizes["seed"] == 2 and set(data["population"].values) == {"first", "second", "output"}
        assert float(data["bin_lasts"].sum()) == pytest.approx(float(data["bin"][-1]))
        assert int(data["events"].sum()) > 100
        assert data["example"].values[0, 1:5].tolist() == ["neither", "only_first", "only_second", "both"]
        assert data["weight"].sizes["round"] == 1 + 1 + 1 + 2 + 1


def test_earlier_results_are_refused_resumed_or_replaced(
    short: Path, followed: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(followed[0], out)
    code, _, stderr = call(short, "--out", out, *SMALL)
    assert code == 2 and "BC723" in stderr and "--resume" in stderr
    code, _, stderr = call(short, "--out", out, "--seeds", "3", "--resume", *SMALL)
    assert code == 2 and "BC722" in stderr and "seeds = [1, 2]" in stderr
    code, _, stderr = call(
        short, "--out", out, "--seeds", "2", "--resume", "--set", "size=7", "--set", "rounds=2"
    )
    assert code == 2 and "BC722" in stderr
    code, stdout, _ = call(short, "--out", out, "--seeds", "2", "--resume", "--json", *SMALL)
    assert code == 0 and json.loads(stdout.splitlines()[-1])["state_sha256"] == followed[1]["state_sha256"]
    code, _, _ = call(short, "--out", out, "--overwrite", *SMALL)
    assert code == 0 and not (out / "seed_2").exists()


def test_side_by_side_is_one_after_the_other(
    short: Path, followed: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    code, stdout, stderr = call(
        short, "--out", tmp_path / "out", "--seeds", "2", "--jobs", "2", "--json", *SMALL
    )
    assert code == 0, stderr
    assert json.loads(stdout.splitlines()[-1])["state_sha256"] == followed[1]["state_sha256"]


@pytest.mark.once
@pytest.mark.slow
def test_cluster_that_loses_a_worker_loses_nothing(
    short: Path, undisturbed: list[str], tmp_path: Path
) -> None:
    """On a real cluster, of which a worker is killed once there is a checkpoint to go on from."""
    out = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as cluster:
        assert cluster.stdout is not None and cluster.stdin is not None
        address, pid = cluster.stdout.readline().split()

        def kill() -> None:
            # Before the first checkpoint nothing would be lost.
            while not _written(out):
                time.sleep(0.01)
            os.kill(int(pid), signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        code, stdout, stderr = call(short, "--out", out, "--dask", address, "--seeds", "2", "--json", *LONG)
        killer.join(timeout=10)
        cluster.stdin.close()
    assert code == 0, stderr
    assert json.loads(stdout.splitlines()[-1])["state_sha256"] == undisturbed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--resume", "--overwrite"), "BC611"),
        (("--seed", "1", "--seeds", "2"), "BC611"),
        (("--jobs", "2", "--dask", "tcp://127.0.0.1:1"), "BC611"),
        (("--backend", "simulator"), "sim"),
        (("--set", "sizes=3"), "BC025"),
        (("--dask", "tcp://127.0.0.1:1"), "BC721"),
    ],
)
def test_options_that_cannot_be(short: Path, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    code, _, stderr = call(short, "--out", tmp_path / "out", *SMALL[:2], *arguments)
    assert code == 2 and said in stderr
    assert not (tmp_path / "out" / "results.json").exists()


def test_folder_of_something_else_is_left_alone(short: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for more in ((), ("--overwrite",), ("--resume",)):
        code, _, stderr = call(short, "--out", tmp_path, *more, *SMALL)
        assert code == 2 and "BC723" in stderr
    assert [it.name for it in tmp_path.iterdir()] == ["mine.txt"]


def test_network_without_a_protocol(tmp_path: Path) -> None:
    code, _, stderr = call(EXAMPLE.with_name("poisson_lif.yaml"), "--out", tmp_path / "out")
    assert code == 2 and "BC720" in stderr and not (tmp_path / "out").exists()


def test_damaged_checkpoint_is_refused(
    short: Path, followed: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(followed[0], out)
    checkpoint = out / "seed_1" / "checkpoint.safetensors"
    data = bytearray(checkpoint.read_bytes())
    data[-1] ^= 1
    checkpoint.write_bytes(bytes(data))
    code, _, stderr = call(short, "--out", out, "--seeds", "2", "--resume", *SMALL)
    assert code == 2 and "BC565" in stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_at_any_time_it_goes_on_to_the_same_state(
    short: Path, undisturbed: list[str], tmp_path: Path
) -> None:
    """`kill -9` and Ctrl-C at times of a run; what is resumed ends as one that nobody killed."""
    out = tmp_path / "out"
    # A checkpoint after each stretch, so that there is one to go on from.
    text = "import burstchip.tasks.protocol.following as f; f.CHECKPOINT_SECONDS = 0.0; "
    program = text + "import sys; from burstchip.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "follow", str(short), "--out", str(out), *LONG]
    killed = 0
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        resumed = ["--resume"] if (out / "started.json").exists() else []
        child = subprocess.Popen([*command, *resumed], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        before = _written(out)
        while child.poll() is None and _written(out) == before:
            time.sleep(0.01)
        time.sleep(0.05)
        child.send_signal(number)
        child.communicate()
        killed += child.returncode not in (0, 2)
    assert killed == 3, "it was over too early"
    code, stdout, stderr = call(short, "--out", out, "--resume", "--json", *LONG)
    assert code == 0, stderr
    assert json.loads(stdout.splitlines()[-1])["state_sha256"] == undisturbed[:1]


def _written(out: Path) -> int:
    """What tells a checkpoint from an earlier one."""
    try:
        return os.stat(out / "seed_1" / "checkpoint.safetensors").st_mtime_ns
    except FileNotFoundError:
        return 0

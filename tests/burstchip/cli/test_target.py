"""`burstchip target`, and commands that run on one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import xarray

from burstchip import compile_file, connect, save_artifact

NET = """burstchip: 1
name: small
step: 1 ms
seed: 2
populations:
  input: {model: poisson_source, size: 3, rate: 200 Hz}
  c: {model: lif, size: 2}
projections: [{from: input, to: c, weight: 6 mV}]
probes: [c.v, c.events]
"""
TARGET = [sys.executable, "-m", "burstchip", "target", "--backend", "plain"]
STDIO = f"child:{' '.join(TARGET)} --listen stdio"


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    (tmp_path / "net.yaml").write_text(NET)
    save_artifact(compile_file(tmp_path / "net.yaml")[0], tmp_path / "net.burst")
    return tmp_path / "net.burst"


def test_a_recording_made_on_a_target(artifact: Path, burstchip) -> None:
    here, there = artifact.with_name("here.nc"), artifact.with_name("there.nc")
    burstchip("run", artifact, "--steps", 90, "-o", here, "--backend", "plain")
    done = burstchip("run", artifact, "--steps", 90, "-o", there, "--target", STDIO, "--json")
    assert done.code == 0 and json.loads(done.out.splitlines()[-1])["backend"] == STDIO
    with xarray.open_dataset(here) as one, xarray.open_dataset(there) as other:
        assert one["c.events"].sum() > 0
        xarray.testing.assert_equal(one, other)


def test_a_target_on_a_socket_serves_one_host_after_another(artifact: Path) -> None:
    child = subprocess.Popen(TARGET, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    address = child.stdout.readline().split()[2].rstrip(",")
    code = compile_file(artifact.with_name("net.yaml"))[0]
    found = []
    for _ in range(2):
        with connect(address) as connection:
            run = connection.open_run(code)
            run.advance(20)
            found.append(run.state_hash())
    assert found[0] == found[1]
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 143 and said == "ended by SIGTERM; the target has ended\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["target", "--listen", "udp://127.0.0.1:1"], "BC886]: 'udp://127.0.0.1:1' is not the address"),
        (["target", "--listen", "child:x"], "BC886]: a target cannot listen at 'child:x'"),
        (["target", "--backend", "nothing"], "BC550]: unknown backend 'nothing'"),
        (["target", "--listen", "stdio", "--json"], "BC611]: --json and --listen stdio exclude each other"),
        (["run", "ARTIFACT", "--steps", "3", "--target", "sim", "-o", "x.nc"], "BC886]: 'sim' is not"),
        (
            ["run", "ARTIFACT", "--steps", "3", "--target", STDIO, "--backend", "plain", "-o", "x.nc"],
            "BC611]: --backend and --target exclude each other",
        ),
        (
            ["verify", "ARTIFACT", "--steps", "3", "--backends", "plain,reference"],
            "BC554]: these backends cannot be compared",
        ),
    ],
)
def test_what_cannot_be(words: list[str], complaint: str, artifact: Path, burstchip) -> None:
    done = burstchip(*[str(artifact) if it == "ARTIFACT" else it for it in words])
    assert done.code == 2 and complaint in done.err

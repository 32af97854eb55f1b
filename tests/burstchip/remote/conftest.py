"""Targets that answer in a thread of the test, over a pair of sockets."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import burstchip
from benchmarks.pseudo_terminals import serial_line
from burstchip.remote.carriers.sockets import Socket
from burstchip.remote.connection import Connection
from burstchip.remote.messages import MOST_FRAME
from burstchip.remote.serving import serve
from burstchip.remote.target import Target
from compiler.ir.chip_program import ChipProgram

Reach = Callable[..., Connection]
ROOT = Path(__file__).parents[3]

LIF = """burstchip: 1
name: lif_pair
step: 1 ms
seed: 5
populations:
  noise: {model: poisson_source, size: 12, rate: 150 Hz}
  list: {model: spike_list, size: 3, events: [[0, 2 ms], [1, 5 ms], [2, 5 ms], [0, 40 ms]]}
  first: {model: lif, size: 7, bias: 40 pA}
  second: {model: lif, size: 4, refractory: 3 ms, tau_current: 2 ms}
projections:
  - {from: noise, to: first.soma, weight: {uniform: [-2 mV, 6 mV]}, connectivity: {probability: 0.6}}
  - {from: list, to: first.soma, weight: 9 mV, delay: 3 ms}
  - {from: first, to: second.soma, weight: {uniform: [0 mV, 12 mV]}, weight_bits: 5}
  - {from: second, to: first.soma, weight: -3 mV, delay: 2 ms}
probes: [first.events, second.v]
target: loihi2
"""


@pytest.fixture
def reach() -> Iterator[Reach]:
    """Connects to a target that runs in a thread: `reach(target=Target("plain"), timeout=20)`."""
    with ExitStack() as stack:

        def reach(target: Target | None = None, timeout: float = 30.0, most: int = MOST_FRAME) -> Connection:
            ours, theirs = socket.socketpair()
            carrier = Socket(theirs, requests=True, most=most)
            served = (Target("plain") if target is None else target, carrier)
            thread = threading.Thread(target=serve, args=served, daemon=True)
            thread.start()
            connection = Connection(Socket(ours, requests=False), "pair", timeout=timeout)
            stack.callback(thread.join, 5)
            stack.callback(connection.close)
            return connection

        yield reach


@pytest.fixture(scope="session")
def lif(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    """A small network of LIF neurons, noise and listed spikes."""
    return compiled(LIF, tmp_path_factory.mktemp("lif"))


def compiled(text: str, folder: Path) -> ChipProgram:
    """The program of a network's text."""
    (folder / "net.yaml").write_text(text)
    return burstchip.compile_file(folder / "net.yaml")[0]


@pytest.fixture(scope="session")
def digits_code(tmp_path_factory: pytest.TempPathFactory) -> ChipProgram:
    """The template `digits`, 20 hidden neurons."""
    from burstchip import compile_file

    path = Path(burstchip.__file__).parent / "templates" / "digits" / "network.yaml"
    return compile_file(path, {"hidden_size": "20"})[0]


@pytest.fixture
def line() -> Iterator[tuple[str, str]]:
    """The two ends of a serial line: devices of two pseudo-terminals, each of which hears the other."""
    pytest.importorskip("serial", reason="pyserial is not installed")
    with serial_line() as devices:
        yield devices


@pytest.fixture(scope="session")
def c_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example target in C, compiled by the system's compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler by the name of cc")
    made = tmp_path_factory.mktemp("c") / "target"
    sources = sorted(str(it) for it in (ROOT / "examples" / "targets" / "c").glob("*.c"))
    strict = ["-std=c11", "-O1", "-Wall", "-Wextra"]
    done = subprocess.run([compiler, *strict, "-o", str(made), *sources], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return made

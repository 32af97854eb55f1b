"""What the device protocol costs: the latency of a step over each carrier, and of training in chunks.

    python -m benchmarks.protocol_latency [--steps N] [--quick] [--json]

The target is `burstchip target` on this machine, a process of its own. With `--json` the last line on stdout
is one object.
"""

from __future__ import annotations

import argparse
import json
import shlex
import socket
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from time import perf_counter, perf_counter_ns, process_time

import numpy as np
from rich.table import Table

from benchmarks.contests import training_pictures, training_program
from benchmarks.machine import machine
from benchmarks.networks import poisson_to_lif
from benchmarks.printing import console_of, machine_line
from benchmarks.pseudo_terminals import serial_line
from burstchip.remote.carriers.sockets import Socket
from burstchip.remote.connection import Connection, connect
from burstchip.remote.serving import serve
from burstchip.remote.target import Target
from burstchip.running.run import Run, open_run
from burstchip.tasks.presentation import Presentation
from burstchip.tasks.showing import sample_order, show
from compiler.ir.connectivity import Dense
from compiler.pipeline import compile_network

#: Neurons of the network whose steps are taken one by one.
NEURONS = 100
#: Turns before the clock counts: loops are compiled, and messages find their size.
_WARM_UPS = 3
_COMMAND = [sys.executable, "-m", "burstchip", "target"]


@dataclass(frozen=True)
class Latency:
    """Microseconds from the question for one step to its answer, and those that the target took itself."""

    carrier: str
    p50: float
    p99: float
    target_p50: float


@dataclass(frozen=True)
class Overhead:
    """Samples a second of training, here and on a target; the share that the target takes longer.

    Each is a median over repetitions in turn, and so is the share, of each repetition's two times. Where the
    `clock` is the processor's, seconds are those that both sides together had a core.
    """

    clock: str

    carrier: str
    chunk: int
    direct: float
    remote: float
    share: float
    lowest: float
    highest: float


def _serial(stack: ExitStack) -> str:
    host, device = stack.enter_context(serial_line())
    _serving(stack, f"serial://{device}")
    return f"serial://{host}"


def _socket(stack: ExitStack) -> str:
    return _serving(stack, "tcp://127.0.0.1:0")


def _serving(stack: ExitStack, place: str) -> str:
    """The address at which a target listens from now on."""
    command = [*_COMMAND, "--listen", place]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    child = stack.enter_context(_ended(subprocess.Popen(command, stdout=pipe, stderr=nothing, text=True)))
    assert child.stdout is not None
    return child.stdout.readline().split()[2].rstrip(",")


@contextmanager
def _ended(child: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield child
    finally:
        child.terminate()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _child(place: str) -> Callable[[ExitStack], str]:
    scheme = "child" if place == "stdio" else "child+msgpack"
    return lambda _: f"{scheme}:{shlex.join([*_COMMAND, '--listen', place])}"


#: How each carrier's target is started; the address that it then has.
CARRIERS: dict[str, Callable[[ExitStack], str]] = {
    "child, JSON": _child("stdio"),
    "child, MessagePack": _child("stdio+msgpack"),
    "socket": _socket,
    "serial line (pseudo-terminals)": _serial,
}
#: Those that training is measured over.
TRAINED = ("child, JSON", "socket")


@contextmanager
def _connected(carrier: str) -> Iterator[Connection]:
    with ExitStack() as stack:
        yield stack.enter_context(connect(CARRIERS[carrier](stack)))


def latency(carrier: str | None, steps: int) -> Latency:
    """Of `steps` steps of a network of LIF neurons whose events are recorded; None: without a target."""
    code = compile_network(poisson_to_lif(Dense(), NEURONS))
    record = [("cells", "events")]
    if carrier is None:
        taken, _ = _each(open_run(code, record=record), steps)
        return Latency("none: the same run in this process", *_percentiles(taken), 0.0)
    with _connected(carrier) as connection:
        run = connection.open_run(code, record=record)
        taken, at_target = _each(run, steps)
    return Latency(carrier, *_percentiles(taken), statistics.median(at_target) / 1000)


def _percentiles(taken: Sequence[float]) -> tuple[float, float]:
    p50, p99 = np.percentile(np.asarray(taken) / 1000, [50, 99])
    return float(p50), float(p99)


def _each(run: Run, steps: int) -> tuple[list[int], list[int]]:
    """Nanoseconds of each step, here and by the target's own clock."""
    run.advance(50)
    taken, at_target = [], []
    for _ in range(steps):
        before, started = getattr(run, "target_ns", 0), perf_counter_ns()
        run.advance(1)
        taken.append(perf_counter_ns() - started)
        at_target.append(getattr(run, "target_ns", 0) - before)
    return taken, at_target


def overhead(carrier: str, chunk: int, repeats: int) -> Overhead:
    """Of online training of the digits, `chunk` samples in each call, here and on a target in turn."""
    with _connected(carrier) as connection:
        return _trained(connection, "wall", carrier, chunk, repeats)


def processor_overhead(chunk: int, repeats: int) -> Overhead:
    """The same with the target in a thread, in processor time, which does not depend on what else runs."""
    ours, theirs = socket.socketpair()
    served = (Target("sim"), Socket(theirs, requests=True))
    thread = threading.Thread(target=serve, args=served)
    thread.start()
    try:
        with Connection(Socket(ours, requests=False), "thread") as connection:
            return _trained(connection, "processor", "socket, target in a thread", chunk, repeats)
    finally:
        thread.join()


def _trained(connection: Connection, clock: str, carrier: str, chunk: int, repeats: int) -> Overhead:
    now = process_time if clock == "processor" else perf_counter
    code = training_program("digits", "carry")
    pictures = training_pictures(code, None)
    order = sample_order(code, len(pictures.images), 0)
    here, there = Presentation(code, pictures), Presentation(code, pictures)
    runs: list[tuple[Run, Presentation]] = [
        (open_run(code, streams=here.streams), here),
        (connection.open_run(code, streams=there.streams), there),
    ]
    times: list[list[float]] = [[], []]
    for turn in range(_WARM_UPS + repeats):
        for number, (run, presentation) in enumerate(runs):
            shown = np.resize(np.roll(order, -turn * chunk), chunk + 1)
            started = now()
            show(run, presentation, shown[:-1], int(shown[-1]))
            times[number].append(now() - started)
    assert runs[0][0].readout == runs[1][0].readout, "the target learned otherwise"
    ours, theirs = (it[_WARM_UPS:] for it in times)
    shares = [remote / direct - 1 for direct, remote in zip(ours, theirs, strict=True)]
    return Overhead(
        clock,
        carrier,
        chunk,
        chunk / statistics.median(ours),
        chunk / statistics.median(theirs),
        statistics.median(shares),
        min(shares),
        max(shares),
    )


def _latency_table(found: Sequence[Latency]) -> Table:
    table = Table(title=f"One step of {NEURONS} LIF neurons, in microseconds")
    table.add_column("carrier")
    for heading in ("p50", "p99", "p50 of the target alone"):
        table.add_column(heading, justify="right")
    for it in found:
        table.add_row(
            it.carrier, f"{it.p50:.0f}", f"{it.p99:.0f}", f"{it.target_p50:.0f}" if it.target_p50 else ""
        )
    return table


def _overhead_table(found: Sequence[Overhead]) -> Table:
    table = Table(title="Training of the digits, samples a second")
    table.add_column("carrier")
    for heading in ("clock", "samples a chunk", "here", "on the target", "longer (lowest – highest)"):
        table.add_column(heading, justify="right")
    for it in found:
        longer = f"{it.share:.1%} ({it.lowest:.1%} – {it.highest:.1%})"
        table.add_row(it.carrier, it.clock, str(it.chunk), f"{it.direct:,.0f}", f"{it.remote:,.0f}", longer)
    return table


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.protocol_latency", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--steps", type=int, default=5000, metavar="N", help="steps taken one by one")
    parser.add_argument("--quick", action="store_true", help="few steps and repetitions: a rough idea")
    parser.add_argument("--json", action="store_true", help="end stdout with one line of JSON")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = _arguments(arguments)
    steps, repeats, chunks = (200, 3, (20,)) if options.quick else (options.steps, 25, (20, 100, 500))
    console, about = console_of(json=options.json), machine()
    console.print(machine_line(about))
    carriers = [name for name in CARRIERS if "serial" not in name or find_spec("serial") is not None]
    with console.status("measuring"):
        latencies = [latency(name, steps) for name in (None, *carriers)]
        overheads = [overhead(name, chunk, repeats) for name in TRAINED for chunk in chunks]
        overheads += [processor_overhead(chunk, repeats) for chunk in chunks]
    console.print(_latency_table(latencies))
    console.print(_overhead_table(overheads))
    if options.json:
        found = {
            "machine": asdict(about),
            "quick": options.quick,
            "latencies_us": [asdict(it) for it in latencies],
            "overheads": [asdict(it) for it in overheads],
        }
        print(json.dumps(found))


if __name__ == "__main__":
    main()

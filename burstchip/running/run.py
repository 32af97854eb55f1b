"""A run: a program under way on one backend, one step after the other, seen and steered by the host.

run = open_run(code, "sim", record=[("hidden", "v")], streams={"drive": array})
values = run.advance(100)              # {("hidden", "v"): [step, neuron]}
run.write("current", 150.0)            # in the unit that the signal was declared in
run.close()
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import ArrayLike, NDArray

from burstchip.backends.available import COMPILED, REAL, require_backend
from burstchip.backends.host_values import require_streams, stream_of, written_at_the_start
from burstchip.remote.address import is_address
from burstchip.running.cost import require_room_to_run
from burstchip.variables import Place, check_place
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Host, Rows
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

if TYPE_CHECKING:
    from burstchip.backends.lava.session import LavaWorker

#: More than a machine of today has cores for one program.
MOST_THREADS = 64

register_codes({"BC567": "a backend that cannot do what a run asks of it"})


class Run(Protocol):
    """A program under way. `clock` is the number of steps done.

    `readout` has the class of each sample of a task that is over; `events`, `bursts` and `clipped` count, by
    population, what was emitted and how many summed inputs were clipped to their width.
    """

    clock: int
    readout: list[int]

    @property
    def code(self) -> ChipProgram:
        """The program that runs."""

    @property
    def events(self) -> Mapping[str, int]:
        """How many events each population has emitted."""

    @property
    def bursts(self) -> Mapping[str, int]:
        """The same of bursts, where there are any."""

    @property
    def clipped(self) -> Mapping[str, int]:
        """How many summed inputs were clipped."""

    def advance(self, steps: int) -> Mapping[Place, NDArray[Any]]:
        """Take `steps` steps; what is recorded at the end of each, [step, index]."""

    def read(self, place: str, variable: str) -> NDArray[Any]:
        """A population's state or output, [neuron], or a projection's variable, synapses in their order."""

    def write(self, name: str, value: Any) -> None:
        """Set what the host writes as `name`, from the next step on, in the unit that it was declared in."""

    def weights(self, name: str) -> NDArray[Any]:
        """A projection's weights as events see them, [source, target] where dense: units of 2^weight_exp."""

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Take these for the weights that events see, by projection; in a run without learning alone."""

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Everything that the run goes on from, beside its clock and what the host wrote."""

    def restore(self, state: Mapping[str, NDArray[Any]], clock: int) -> None:
        """Go on from the state that another run of the program had after `clock` steps."""

    def adopt(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take neurons and weights from the state of another run, but no messages, traces and tags."""

    def close(self) -> None:
        """Give back what the run holds."""


def open_run(
    code: ChipProgram,
    backend: str = "sim",
    *,
    record: Sequence[Place] = (),
    streams: Mapping[str, ArrayLike | Rows] | None = None,
    learning: bool = True,
    seed: int | None = None,
    frozen: Collection[str] = (),
    begin: int = 0,
    worker: LavaWorker | None = None,
    threads: int = 1,
) -> Run:
    """A run of a program at its start, or at clock `begin` with everything at rest.

    `backend` may be the address of a target, such as `tcp://127.0.0.1:5570`, to which the run then goes.
    `record` are the places whose values `advance` returns. `streams` are the rows of the program's streams:
    arrays [row, neuron] in the unit that the signal was declared in, or functions `rows(first, count)` that
    give the program's own numbers. Without `learning` weights stay; projections in `frozen` keep theirs.
    `seed` takes the place of the program's. `worker` lends a child process that already holds Lava. Compiled
    backends share the populations among so many `threads`; what comes out does not depend on it. Raises
    `BurstchipError` for a backend that cannot run here, for streams that are missing or do not fit, BC567 for
    what the backend cannot do, BC681 for a program that does not fit in memory.
    """
    require_backend(backend, or_target=True)
    for place in record:
        check_place(code, place)
    if type(begin) is not int or begin < 0:
        raise BurstchipError(
            Diagnostic("BC567", "a run begins at a step", required="0 or a later step", given=repr(begin))
        )
    _require_threads(threads, backend)
    if is_address(backend):
        from burstchip.remote.connection import run_at

        return run_at(
            code,
            backend,
            record=record,
            streams=streams,
            learning=learning,
            seed=seed,
            frozen=frozen,
            begin=begin,
        )
    require_room_to_run(code, backend, learning=learning)
    real = backend in REAL
    rows = {name: stream_of(code, name, it, real=real) for name, it in (streams or {}).items()}
    host = Host(rows, written_at_the_start(code, real=real))
    require_streams(code, host)
    if backend == "lava":
        from burstchip.backends.lava.session import LavaRun

        if not learning or frozen or begin or seed is not None:
            raise BurstchipError(
                Diagnostic(
                    "BC567",
                    "backend 'lava' runs a program as it is: from step 0, learning, with its own seed",
                    required="backend sim, plain or reference",
                    given="lava",
                )
            )
        return LavaRun(worker, code, host, record)
    if backend == "plain":
        from burstchip.backends.plain.run import PlainRun

        return PlainRun(code, host, record, learning=learning, seed=seed, frozen=frozen, begin=begin)
    # The simulator brings numba with it, which nobody should wait for to learn of a misspelt option.
    from burstchip.backends.sim.simulator import start

    return start(
        code,
        learning=learning,
        real=real,
        single=backend == "reference32",
        record=record,
        frozen=frozen,
        host=host,
        seed=seed,
        begin=begin,
        threads=threads,
    )


def _require_threads(threads: int, backend: str) -> None:
    if type(threads) is not int or not 1 <= threads <= MOST_THREADS:
        raise BurstchipError(
            Diagnostic(
                "BC567", "a run has threads", required=f"1..{MOST_THREADS} threads", given=repr(threads)
            )
        )
    if threads > 1 and backend not in COMPILED:
        raise BurstchipError(
            Diagnostic(
                "BC567",
                f"backend '{backend}' runs on one thread",
                required=f"backend {', '.join(COMPILED)}",
                given=f"{threads} threads",
            )
        )

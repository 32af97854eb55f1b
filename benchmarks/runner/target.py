"""Where a workload runs: a backend of burstchip's, a device behind the protocol, or a plug-in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol

from numpy.typing import ArrayLike

from benchmarks.runner.power import Monitor, processor_monitor
from benchmarks.runner.unknown import unknown
from burstchip.backends.available import REAL, all_backends
from burstchip.running.run import Run, open_run
from burstchip.variables import Place
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Rows

#: Entry points of other packages: name -> a function without arguments that gives a `Target`.
GROUP = "burstchip.targets"
#: Too slow to do more than what all targets do.
SLOW = ("lava", "plain")


class Target(Protocol):
    """A place where programs run."""

    name: str

    @property
    def real(self) -> bool:
        """Whether it computes in real numbers; its integers else are to be those of all others."""

    @property
    def slow(self) -> bool:
        """Whether it does just the part that all do."""

    @property
    def single(self) -> bool:
        """Whether it holds one run at a time: one that is opened ends the one before."""

    def missing(self) -> str:
        """What it lacks to run here; empty where it can."""

    def about(self) -> Mapping[str, str]:
        """What results should say of it."""

    def monitor(self) -> Monitor | None:
        """What measures its power; None where nothing does."""

    def places(self, code: ChipProgram, wanted: Sequence[Place]) -> Sequence[Place]:
        """Those of the variables that it can tell."""

    def open(
        self,
        code: ChipProgram,
        *,
        record: Sequence[Place] = (),
        streams: Mapping[str, ArrayLike | Rows] | None = None,
        learning: bool = True,
        seed: int | None = None,
        frozen: Collection[str] = (),
    ) -> Run:
        """A run of a program; see `open_run`."""

    def close(self) -> None:
        """Give back what it holds."""


@dataclass
class LocalTarget:
    """A backend of this process; Lava keeps its child between two runs."""

    name: str
    worker: Any = None

    @property
    def real(self) -> bool:
        """Whether it computes in real numbers."""
        return self.name in REAL

    @property
    def slow(self) -> bool:
        """Whether it does just the part that all do."""
        return self.name in SLOW

    @property
    def single(self) -> bool:
        """Runs of this process stand beside each other."""
        return False

    def missing(self) -> str:
        """What it lacks to run here."""
        return "; ".join(next(it.missing for it in all_backends() if it.name == self.name))

    def about(self) -> Mapping[str, str]:
        """What results should say of it."""
        doc = next(it.doc for it in all_backends() if it.name == self.name)
        return {"kind": "backend", "description": doc}

    def monitor(self) -> Monitor | None:
        """The processor's own counters, where this system shows them."""
        return processor_monitor()

    def places(self, code: ChipProgram, wanted: Sequence[Place]) -> Sequence[Place]:
        """All of them."""
        return wanted

    def open(
        self,
        code: ChipProgram,
        *,
        record: Sequence[Place] = (),
        streams: Mapping[str, ArrayLike | Rows] | None = None,
        learning: bool = True,
        seed: int | None = None,
        frozen: Collection[str] = (),
    ) -> Run:
        """A run of a program."""
        if self.name == "lava" and self.worker is None:
            from burstchip.backends.lava.session import LavaWorker

            self.worker = LavaWorker()
        return open_run(
            code,
            self.name,
            record=record,
            streams=streams,
            learning=learning,
            seed=seed,
            frozen=frozen,
            worker=self.worker,
        )

    def close(self) -> None:
        """End Lava's child."""
        if self.worker is not None:
            self.worker.end()
            self.worker = None


def all_targets(devices: Mapping[str, Target] | None = None) -> dict[str, Target]:
    """Every target by name: backends, plug-ins, and the `devices` of a file."""
    found: dict[str, Target] = {it.name: LocalTarget(it.name) for it in all_backends()}
    for point in entry_points(group=GROUP):
        found[point.name] = point.load()()
    return {**found, **(devices or {})}


@contextmanager
def chosen_targets(
    names: Sequence[str], devices: Mapping[str, Target] | None = None
) -> Iterator[list[Target]]:
    """The targets of these names. Raises `BurstchipError` BC851 for an unknown one."""
    known = all_targets(devices)
    for name in names:
        if name not in known:
            raise unknown("target", name, f"one of {', '.join(known)}", list(known))
    chosen = [known[name] for name in names]
    try:
        yield chosen
    finally:
        for target in chosen:
            target.close()

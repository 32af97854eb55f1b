"""What a network's ports and states reach, and what its neurons send, in a short run in real numbers.

The run is that of `reference`: nothing is rounded, so that the integers are yet to be chosen. Its programs
also send what arrives at their ports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import fsum, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from burstchip.running.recording import RecordProgress, record
from burstchip.running.saturation import opened
from burstchip.variables import Variable
from compiler.calibration_bounds import without_chip
from compiler.ir.calibration import Calibration, Kind, Reach, Sent
from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import Network
from compiler.passes.calibrate import fingerprint
from compiler.port_units import port_units
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from burstchip.tasks.dataset import FetchProgress

register_codes({"BC926": "a network with a protocol cannot be calibrated by a run"})

Reals = NDArray[np.float64]


@dataclass
class _Statistics:
    """Of one variable, [neuron]: the least and greatest value, the sum and the sum of squares over steps."""

    low: Reals
    high: Reals
    total: Reals
    squares: Reals

    @classmethod
    def none(cls, size: int) -> _Statistics:
        """Those of no step."""
        return cls(np.full(size, np.inf), np.full(size, -np.inf), np.zeros(size), np.zeros(size))

    def add(self, values: Reals) -> None:
        """Take values [step, neuron] in."""
        self.low = np.minimum(self.low, values.min(axis=0))
        self.high = np.maximum(self.high, values.max(axis=0))
        # One step after the other, in how many parts they come: sums must not depend on the machine.
        self.total = np.add.accumulate(np.vstack([self.total, values]), axis=0)[-1]
        self.squares = np.add.accumulate(np.vstack([self.squares, values * values]), axis=0)[-1]


@dataclass
class _Gathering:
    """Takes what a run brings back, and keeps statistics alone."""

    found: dict[Variable, _Statistics] = field(default_factory=dict)

    def add(self, first: int, values: Mapping[Variable, NDArray[Any]]) -> None:
        """Add the values of steps from `first` on."""
        for name, rows in values.items():
            if name not in self.found:
                self.found[name] = _Statistics.none(rows.shape[1])
            self.found[name].add(np.asarray(rows, dtype=np.float64))


def calibrate(
    network: Network,
    steps: int,
    *,
    data_dir: Path | None = None,
    streams: Mapping[str, ArrayLike] | None = None,
    watch: Callable[[RecordProgress], None] | None = None,
    fetch: FetchProgress | None = None,
    notes: list[Diagnostic] | None = None,
) -> Calibration:
    """The calibration of a network from its first `steps` steps on `reference`, with learning.

    `data_dir`, `streams`, `watch` and `fetch` are those of `record`. Warnings of the run are added to
    `notes`. Raises `BurstchipError` where the network does not compile or cannot run, BC926 where it has a
    protocol.
    """
    if network.protocol is not None:
        raise BurstchipError(
            Diagnostic(
                "BC926",
                f"'{network.name}' has a protocol, without which its inputs are at rest",
                network.place,
                required="bounds, or a network without a protocol",
                given="a run that would calibrate silence",
                hint="--bounds, or --calibrate bounds",
            )
        )
    code, elaborated = without_chip(network)
    arrived, places = opened(code, [it.name for it in code.populations if it.ports])
    states = [(it.name, name) for it in code.populations for name in it.program.states if name in it.units]
    outputs = [(it.name, name) for it in code.populations for name in _sent(code, it.name)]
    gathering = _Gathering()
    wanted = list(dict.fromkeys((*places, *states, *outputs)))
    ran = record(
        arrived,
        steps,
        wanted,
        backend="reference",
        data_dir=data_dir,
        streams=streams,
        sink=gathering,
        watch=watch,
        fetch=fetch,
    )
    if notes is not None:
        notes.extend(ran.diagnostics)
    by_port = {(name, port): (name, output) for (name, output), port in places.items()}
    reaches: list[Reach] = []
    for name, port, unit, base in port_units(elaborated, code):
        # What nothing reads is not sent either.
        if (name, port) in by_port:
            found = gathering.found[by_port[name, port]]
            reaches.append(_reach((name, "port", port, base), found, unit, steps))
    for name, state in states:
        unit, base = code.population(name).units[state]
        reaches.append(_reach((name, "state", state, base), gathering.found[name, state], unit, steps))
    sent = tuple(_of_output(code, it, gathering.found[it], steps) for it in outputs)
    sizes = {population.name: population.size for population in network.populations}
    return Calibration(
        "run", network.name, fingerprint(elaborated), network.step, steps, sizes, tuple(reaches), sent
    )


def _sent(code: ChipProgram, population: str) -> Iterator[str]:
    """The outputs of a population that go anywhere, and its events."""
    program = code.population(population).program
    read = {it.output for it in code.projections if it.source == population}
    yield from (name for name in program.outputs if name in read or name == "events")


def _reach(what: tuple[str, Kind, str, str], found: _Statistics, unit: Any, steps: int) -> Reach:
    """`unit` is what 1 stands for, one number or [neuron]."""
    square = found.squares * np.square(unit)
    rms = sqrt(fsum(square) / square.size / steps)
    return Reach(*what, float(np.min(found.low * unit)), float(np.max(found.high * unit)), rms)


def _of_output(code: ChipProgram, output: Variable, found: _Statistics, steps: int) -> Sent:
    unit, _ = code.population(output[0]).units.get(output[1], (1.0, ""))
    mean, square = found.total * unit / steps, found.squares * unit**2 / steps
    return Sent(*output, tuple(mean.tolist()), tuple(square.tolist()))

"""`devices.yaml`: targets outside of this process, how they are reached, and what measures their power."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from numpy.typing import ArrayLike

from benchmarks.runner.power import Monitor, Program
from benchmarks.runner.target import Target
from burstchip.frontend.text import Wanted
from burstchip.frontend.typed_file import read_typed
from burstchip.running.run import Run
from burstchip.variables import Place
from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import Rows
from hw_models.diagnostics import BurstchipError

if TYPE_CHECKING:
    from burstchip.remote.connection import Connection

_Name = Annotated[str, Meta(min_length=1, max_length=1000)]
_WANTED = Wanted("a devices file", "docs/bench.md shows one", 1 << 18, "")


class Device(Struct, frozen=True, forbid_unknown_fields=True):
    """A device: where it is, what it is, whether it is slow, the command that prints its power."""

    connect: _Name
    about: str = ""
    slow: bool = False
    timeout_s: Annotated[float, Meta(gt=0, le=86_400)] = 60.0
    power: list[_Name] | None = None


class Devices(Struct, frozen=True, forbid_unknown_fields=True):
    """All devices by name."""

    devices: dict[_Name, Device]


def read_devices(path: Path) -> dict[str, Device]:
    """The devices of a file. Raises `BurstchipError` BC850 and those of YAML files."""
    return read_typed(path, Devices, _WANTED, "BC850").devices


@dataclass
class DeviceTarget:
    """A device behind the protocol, reached when it is first used; after a failure it is reached again."""

    name: str
    device: Device
    _connection: Connection | None = None

    @property
    def real(self) -> bool:
        """What it says of itself."""
        return self._reached().profile.real

    @property
    def slow(self) -> bool:
        """What the file says."""
        return self.device.slow

    @property
    def single(self) -> bool:
        """A connection carries one run."""
        return True

    def missing(self) -> str:
        """Whether it is there shows when it is reached."""
        return ""

    def about(self) -> Mapping[str, str]:
        """What results should say of it."""
        return {"kind": "device", "description": self.device.about or "a device", "at": self.device.connect}

    def _reached(self) -> Connection:
        if self._connection is None:
            from burstchip.remote.connection import connect

            self._connection = connect(self.device.connect, timeout=self.device.timeout_s)
        return self._connection

    def monitor(self) -> Monitor | None:
        """The program that the file names."""
        return None if self.device.power is None else Program(self.device.power)

    def places(self, code: ChipProgram, wanted: Sequence[Place]) -> Sequence[Place]:
        """All of them: one that it cannot tell fails the run, with its name."""
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
        try:
            return self._reached().open_run(
                code, record=record, streams=streams, learning=learning, seed=seed, frozen=frozen
            )
        except BurstchipError:
            # What a target left unfinished must not meet the next run.
            self.close()
            raise

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def device_targets(devices: Mapping[str, Device]) -> dict[str, Target]:
    """The targets of a devices file."""
    return {name: DeviceTarget(name, it) for name, it in devices.items()}

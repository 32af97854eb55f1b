"""Lava runs what is connected; an anchor is connected to every part of a network that falls apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from lava.magma.compiler.compiler_graphs import find_processes
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Anchor(AbstractProcess):  # type: ignore[misc]
    """Takes messages of one process of each part, and does nothing with them."""

    def __init__(self, *, sizes: Sequence[tuple[int, ...]]) -> None:
        super().__init__(ports=len(sizes))
        for number, shape in enumerate(sizes):
            setattr(self, f"s_in_{number}", InPort(shape=shape))


class PyAnchor(PyLoihiProcessModel):  # type: ignore[misc]
    """Receives, so that no sender waits."""

    def run_spk(self) -> None:
        """Take one message from each part."""
        for number in range(self.proc_params["ports"]):
            getattr(self, f"s_in_{number}").recv()


def _anchor_model(ports: int) -> type:
    types = {f"s_in_{number}": LavaPyType(PyInPort.VEC_DENSE, np.int32) for number in range(ports)}
    bare = type("PyAnchor", (PyAnchor,), {"__module__": __name__, **types})
    model: type = implements(proc=Anchor, protocol=LoihiProtocol)(requires(CPU)(tag("fixed_pt")(bare)))
    return model


def anchored(processes: list[Any]) -> tuple[Any, dict[Any, type]]:
    """(a process from which Lava reaches all others, the model of what had to be added)."""
    parts: list[Any] = []
    seen: set[Any] = set()
    for process in processes:
        if process not in seen:
            seen |= set(find_processes(process))
            parts.append(process)
    if len(parts) == 1:
        return parts[0], {}
    ports = [next(iter(process.out_ports)) for process in parts]
    anchor = Anchor(sizes=[port.shape for port in ports])
    for number, port in enumerate(ports):
        port.connect(getattr(anchor, f"s_in_{number}"))
    return anchor, {anchor: _anchor_model(len(ports))}

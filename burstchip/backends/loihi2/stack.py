"""What this machine lacks to run on a Loihi 2, found without importing any of it.

The conditions are those of lava-nc 0.10.0 (`lava.utils.loihi`, `lava.utils.slurm`): its extension for Loihi
must be importable, and a board must be named in the environment. lava-nc itself holds nothing that drives a
chip, and `Loihi2HwCfg` does not fall back to the CPU.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from importlib.util import find_spec

#: As the README of lava-nc has it.
ACCESS = (
    "Intel gives the Lava extension for Loihi, and access to boards, to members of its Neuromorphic Research "
    "Community: join at neuromorphic.intel.com or write to inrc_interest@intel.com; the README of lava-nc "
    "links to a page for members on how to get started with the extension"
)
#: What must be importable, in the order in which one needs the other.
MODULES = {
    "lava.magma.core.run_configs": "Lava with its Loihi2HwCfg: the package lava-nc 0.10.0, for Python 3.10",
    "lava.utils.loihi2_profiler": "the Lava extension for Loihi, lava-loihi "
    "(lava-nc looks for its module lava.utils.loihi2_profiler)",
    "lava.magma.core.model.nc.model": "process models for neurocores "
    "(module lava.magma.core.model.nc.model, which lava-nc names but does not hold)",
    "nxcore": "the driver of the chip (module nxcore)",
}
BOARD = (
    "a board: SLURM=1 with PARTITION or BOARD where sinfo answers, or NOSLURM=1 with NXSDKHOST and "
    "HOST_BINARY"
)
#: Said even where all else is there: no one could run it yet.
DRIVER = (
    "code of burstchip that drives a board: it was not written, because it could not be tested without the "
    "stack; a dry run writes what it would send"
)


def importable(name: str) -> bool:
    """Whether a module would be found, its parents first; nothing is imported."""
    if sys.modules.get(name) is not None:
        return True
    first, *rest = name.split(".")
    spec = find_spec(first)
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return False
        # find_spec of the whole name would import the parents. By its last part a module is found too, and a
        # parent that is a namespace need not be in sys.modules for it.
        spec = PathFinder.find_spec(part, list(spec.submodule_search_locations))
    return spec is not None


def board_is_named(environment: Mapping[str, str] | None = None) -> bool:
    """Whether the environment names a board as `lava.utils.loihi` leaves it, for SLURM or for Ethernet."""
    given = os.environ if environment is None else environment
    if given.get("SLURM") == "1":
        named = bool(given.get("PARTITION") or given.get("BOARD"))
        return named and shutil.which("sinfo", path=given.get("PATH", "")) is not None
    return given.get("NOSLURM") == "1" and bool(given.get("NXSDKHOST") and given.get("HOST_BINARY"))


def missing() -> tuple[str, ...]:
    """Everything that is missing, and at the end what burstchip itself lacks."""
    found = [what for name, what in MODULES.items() if not importable(name)]
    if not board_is_named():
        found.append(BOARD)
    return (*found, DRIVER)

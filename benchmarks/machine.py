"""What a measurement must say about the machine it was made on. Nothing here names a path or a user."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass

from burstchip.machine import cores, processor, version_of


@dataclass(frozen=True)
class Machine:
    """The machine and the versions that timings depend on.

    `vector_bits` is the width of the widest vector registers, 0 where it is not known. `load` is the system's
    load of the last minute: where it is near `cores` or above, timings are disturbed.
    """

    system: str
    processor: str
    microarchitecture: str
    cores: int
    vector_bits: int
    load: float | None
    python: str
    numpy: str
    numba: str
    llvmlite: str
    burstchip: str


def _vector_bits() -> int:
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 512
    if features.get("avx2"):
        return 256
    if features.get("sse2") or features.get("neon"):
        return 128
    return 0


def machine() -> Machine:
    """Look at this machine."""
    from llvmlite import binding

    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        processor=processor(),
        microarchitecture=binding.get_host_cpu_name(),
        cores=cores(),
        vector_bits=_vector_bits(),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        python=platform.python_version(),
        numpy=version_of("numpy"),
        numba=version_of("numba"),
        llvmlite=version_of("llvmlite"),
        burstchip=version_of("burstchip"),
    )

"""Which backends there are, and what each lacks to run on this machine."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from burstchip.remote.address import is_address, parse_address
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes(
    {
        "BC550": "an unknown backend",
        "BC551": "a backend that cannot run here",
    }
)


#: Backends of real numbers, with the exact parameters of the network.
REAL = ("reference", "reference32")
#: Backends whose steps are one compiled loop.
COMPILED = ("sim", *REAL)


@dataclass(frozen=True)
class Backend:
    """A backend and what it lacks here; it can run where nothing is missing."""

    name: str
    doc: str
    missing: tuple[str, ...]


def all_backends() -> tuple[Backend, ...]:
    """All backends, those to come included. Looks for packages without importing them."""
    numba = () if find_spec("numba") else ("the package numba",)
    return (
        Backend("sim", "integers, compiled: what the chip would compute", numba),
        Backend("plain", "integers, one numpy operation after the other: the specification, slow", ()),
        Backend("reference", "float64 without rounding: what the network was meant to do", numba),
        Backend("reference32", "the same in float32: about twice as fast", numba),
        Backend("lava", "integers, Lava's own processes on the CPU", _lava()),
        Backend("loihi2", "the chip", _loihi2()),
    )


def _lava() -> tuple[str, ...]:
    missing: list[str] = []
    if sys.version_info[:2] != (3, 10):
        running = f"{sys.version_info[0]}.{sys.version_info[1]}"
        missing.append(f"Python 3.10, for which lava-nc is made (this is {running})")
    if _version("lava-nc") is None:
        missing.append("the package lava-nc 0.10.0 (extra `lava`)")
    return tuple(missing)


def _loihi2() -> tuple[str, ...]:
    from burstchip.backends.loihi2.stack import ACCESS, missing

    return (*missing(), f"({ACCESS})")


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def require_backend(name: str, *, or_target: bool = False) -> None:
    """Raise `BurstchipError` for a backend that does not exist (BC550) or cannot run here (BC551).

    The address of a target is one as well with `or_target`; BC886 where it cannot be.
    """
    if or_target and is_address(name):
        parse_address(name)
        return
    known = {backend.name: backend for backend in all_backends()}
    runnable = " or ".join(backend.name for backend in known.values() if not backend.missing) or "none"
    if name not in known:
        raise BurstchipError(
            Diagnostic(
                "BC550",
                f"unknown backend '{name}'",
                required=runnable,
                given=name,
                hint=nearest(name, list(known)),
            )
        )
    if known[name].missing:
        raise BurstchipError(
            Diagnostic(
                "BC551",
                f"backend '{name}' cannot run here",
                required="; ".join(known[name].missing),
                given=name,
                hint=f"backends that can run here: {runnable}",
            )
        )

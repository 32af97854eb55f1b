"""What one core of this machine can do at most: bytes a second from its caches, integer operations a second.

Measured with loops that do nothing else, written in the widest vectors: a[i] = b[i] + c[i] for the bytes
(two read, one written), chains of multiply-add and of minimum-and-add for the operations. Compiled loops that
LLVM vectorises with shorter ones have lower limits of their own. Importing this imports numba.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numba import njit

from burstchip.backends.sim.code.loop import loop
from burstchip.backends.sim.code.vectors import add, at_most, load, mul, splat, store

#: Bytes of each of the three arrays: together well within the first cache, and within the second.
L1_BYTES, L2_BYTES = 8 << 10, 128 << 10
_CHAINS = 8


@dataclass(frozen=True)
class Limits:
    """Bytes a second; operations a second on 16 and 32 bits, where a multiplication and an addition are two.

    `simple` operations are those that need no multiplication.
    """

    l1_bytes: float
    l2_bytes: float
    multiply_add_16: float
    multiply_add_32: float
    simple_16: float
    simple_32: float

    def bytes_of(self, working_set: int) -> float:
        """The limit for loops over so many bytes."""
        return self.l1_bytes if working_set <= 4 * L1_BYTES else self.l2_bytes

    def simple(self, bits: int) -> float:
        """Simple operations on 16 or 32 bits."""
        return self.simple_16 if bits == 16 else self.simple_32


@loop
def _triad(n, repeats, a, b, c):
    for _ in range(repeats):
        for i in range(0, n, 32):
            store(a, i, add(load(b, i, 32), load(c, i, 32)))


def _chain_text(lanes: int, bits: int, first: str) -> str:
    """Independent chains of two operations each, as many as it takes for none to wait for another."""
    names = [f"a{number}" for number in range(_CHAINS)]
    lines = [
        "def chains(repeats, values):",
        f"    m, c = splat(values[0], {bits}, {lanes}), splat(values[1], {bits}, {lanes})",
        *(f"    {name} = load(values, {number * lanes}, {lanes})" for number, name in enumerate(names)),
        "    for _ in range(repeats):",
        *(f"        {name} = add({first}({name}, m), c)" for name in names),
        *(f"    store(values, {number * lanes}, {name})" for number, name in enumerate(names)),
    ]
    return "\n".join(lines)


def _operations(bits: int, first: str) -> float:
    """Operations a second of chains of `first` and an addition."""
    lanes = 512 // bits
    names = {"add": add, "mul": mul, "at_most": at_most, "load": load, "splat": splat, "store": store}
    exec(_chain_text(lanes, bits, first), names)
    chains = njit(names["chains"])
    values = np.arange(1, _CHAINS * lanes + 1, dtype=f"int{bits}")
    repeats = 50_000
    chains(1, values)
    return 2.0 * _CHAINS * lanes * repeats / _shortest(lambda: chains(repeats, values))


def _bytes(size: int) -> float:
    a, b, c = (np.ones(size // 2, dtype=np.int16) for _ in range(3))
    repeats = max(1, (64 << 20) // (3 * size))
    _triad(len(a), 1, a, b, c)
    return 3.0 * size * repeats / _shortest(lambda: _triad(len(a), repeats, a, b, c))


def _shortest(work, tries: int = 15) -> float:
    """The time of the least disturbed of several tries."""
    times = []
    for _ in range(tries):
        started = perf_counter()
        work()
        times.append(perf_counter() - started)
    return min(times)


def limits() -> Limits:
    """Measure; takes a few seconds."""
    return Limits(
        l1_bytes=_bytes(L1_BYTES),
        l2_bytes=_bytes(L2_BYTES),
        multiply_add_16=_operations(16, "mul"),
        multiply_add_32=_operations(32, "mul"),
        simple_16=_operations(16, "at_most"),
        simple_32=_operations(32, "at_most"),
    )

"""Source text of the compiled twin of `hw_models.plasticity.carry.learn_carry`: the hot loop of training.

The loop is bound by the two vector ports of the core: 6 instructions for 32 synapses with one draw for the
matrix, 30 with a draw for each synapse, 24 of which make the draw.
"""

from __future__ import annotations

from typing import Literal

from burstchip.backends.sim.code.text import Text
from hw_models.plasticity.carry import MOST_K, STORED_RANGE, Rounding
from hw_models.program.random import INDEX_STEP

_IMPORTS = """\
import numpy as np

from burstchip.backends.sim.code.draws import mix, row
from burstchip.backends.sim.code.scratch import release, scratch
from burstchip.backends.sim.code.vector_draws import index_halves, random_low
from burstchip.backends.sim.code.vectors import (
    add, add_saturate, at_least_by, at_most_by, bit_and, load, load_part, mul, mul_by, narrow, shift_right,
    shift_right_by, splat, store, store_part,
)
"""
_SHIFT_HALF = "np.uint32(16)"


def carry_source(
    *, storage: Literal["dense", "csr"], rounding: Rounding, real: bool = False, name: str = "learn_carry"
) -> str:
    """Python source of a module with one function, to be compiled with `numba.njit`.

        dense   name(stored, x, y1, k, key) -> synapses visited
        csr     name(indptr, posts, stored, x, y1, k, key) -> synapses visited
        real    name(..., k, low, high) -> synapses visited

    `stored` is int16, [pre, post] or, in csr, one entry a synapse: row j has those from indptr[j] to
    indptr[j + 1], with postsynaptic neurons `posts` (int32). It is updated in place. `x` and `y1` are
    integers of any width, `k` at most 14, `key` the uint32 key of the learning step. Rows with x = 0 are
    skipped. With `real` all arrays are float64, nothing is rounded, `k` is any number, and what is stored
    stays within `low`..`high`.
    """
    text = Text()
    text.line(f'"""The carry form, {storage}, {"real" if real else f"rounding {rounding}"}."""')
    text.block(_IMPORTS)
    text.line("")
    text.line("")
    csr = storage == "csr"
    last = "k, low, high" if real else "k, key"
    text.line(f"def {name}({'indptr, posts, ' if csr else ''}stored, x, y1, {last}):")
    with text.indented():
        _real(text, csr) if real else _integers(text, csr, per_synapse=rounding == "per_synapse")
        text.line("return visited")
    return str(text)


def _real(text: Text, csr: bool) -> None:
    text.block(
        """\
rate = 2.0 ** -k
visited = 0
for j in range(len(x)):
    if x[j] == 0.0:
        continue
    change = x[j] * rate
"""
    )
    with text.indented():
        if csr:
            text.block(
                """\
for s in range(indptr[j], indptr[j + 1]):
    stored[s] = min(max(stored[s] + change * y1[posts[s]], low), high)
visited += indptr[j + 1] - indptr[j]
"""
            )
        else:
            text.block(
                """\
for i in range(len(y1)):
    stored[j, i] = min(max(stored[j, i] + change * y1[i], low), high)
visited += len(y1)
"""
            )


def _integers(text: Text, csr: bool, *, per_synapse: bool) -> None:
    text.line(f"assert k <= {MOST_K}")
    text.line("n_post = len(y1)")
    text.line("y = scratch(0, n_post, np.int16)")
    with text.indented("for i in range(n_post):"):
        text.line("y[i] = np.int16(y1[i])")
    if per_synapse and not csr:
        text.line("low_index, high_index = index_halves(n_post)")
    if csr:
        text.line("longest = np.int64(0)")
        with text.indented("for j in range(len(x)):"):
            text.line("longest = max(longest, np.int64(indptr[j + 1] - indptr[j]))")
        text.line("y_row = scratch(0, longest, np.int16)")
    for lanes in (32, 16):
        text.line(f"k_{lanes} = splat(k, 16, {lanes})")
        if per_synapse:
            text.line(f"mask_{lanes} = splat((1 << k) - 1, 16, {lanes})")
        else:
            text.line(f"r_{lanes} = splat(mix(np.uint32(key)) & np.uint32((1 << k) - 1), 16, {lanes})")
    text.line("visited = np.int64(0)")
    with text.indented("for j in range(len(x)):"):
        text.line("x_j = np.int16(x[j])")
        with text.indented("if x_j == 0:"):
            text.line("continue")
        if csr:
            text.block(
                """\
base = np.int64(indptr[j])
n = np.int64(indptr[j + 1]) - base
posts_j = posts[base : base + n]
for s in range(n):
    # Unsigned, so that no test for indices from the end is made.
    y_row[s] = y[np.uint32(posts_j[s])]
"""
            )
        else:
            text.line("base, n = j * n_post, n_post")
        if per_synapse:
            text.line("key_j = row(np.uint32(key), j)")
        for lanes in (32, 16):
            text.line(f"x_{lanes} = splat(x_j, 16, {lanes})")
            if per_synapse:
                text.line(f"low_{lanes} = splat(key_j, 16, {lanes})")
                text.line(f"high_{lanes} = splat(key_j >> {_SHIFT_HALF}, 16, {lanes})")
        text.line("whole = n // 32 * 32")
        with text.indented("for i in range(0, whole, 32):"):
            _vector(text, 32, csr, per_synapse, part=False)
        text.line("i = whole")
        with text.indented("if n - i > 16:"):
            _vector(text, 32, csr, per_synapse, part=True)
        with text.indented("elif n > i:"):
            _vector(text, 16, csr, per_synapse, part=True)
        text.line("visited += n")
    drawn = ("low_index", "high_index") if per_synapse else ()
    for array in ("y", *(("y_row",) if csr else drawn)):
        text.line(f"release({array})")


def _vector(text: Text, lanes: int, csr: bool, per_synapse: bool, *, part: bool) -> None:
    """The update of `lanes` synapses from i on, or of those that are left."""
    in_row = "_row" if csr else ""

    def loaded(array: str, index: str) -> str:
        return f"load_part({array}, {index}, n - i, {lanes})" if part else f"load({array}, {index}, {lanes})"

    if per_synapse:
        low, high = loaded("low_index", "i"), loaded("high_index", "i")
        if csr:
            text.line(f"index = mul_by({loaded('posts', 'base + i')}, {INDEX_STEP})")
            low, high = "narrow(index)", "narrow(shift_right_by(index, 16))"
        text.line(f"r = bit_and(random_low(low_{lanes}, high_{lanes}, {low}, {high}), mask_{lanes})")
        r = "r"
    else:
        r = f"r_{lanes}"
    text.line(f"product = mul({loaded(f'y{in_row}', 'i')}, x_{lanes})")
    text.line(f"change = shift_right(add(product, {r}), k_{lanes})")
    text.line(f"new = add_saturate({loaded('stored', 'base + i')}, change)")
    text.line(f"new = at_most_by(at_least_by(new, {STORED_RANGE[0]}), {STORED_RANGE[1]})")
    text.line("store_part(stored, base + i, new, n - i)" if part else "store(stored, base + i, new)")

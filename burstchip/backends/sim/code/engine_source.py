"""Source text of a learning engine specialised to one rule: the compiled twin of `engine_numpy.learn`.

The generated function first reduces the postsynaptic side of each product to one vector Z, and picks the loop
that holds just the products that are live (condition true, Z not all zero). Rows whose products are all zero
are skipped. Within a row, 32 synapses are computed at once, in 16-bit lanes where the plan proves that they
hold every intermediate value, else in 32-bit lanes.

A tag at -257 moves by chance in every learning epoch (see `engine_numpy`), so rows that hold one are never
skipped; `lowest`, at most 0 and at most each row's least tag, finds them.
"""

from __future__ import annotations

from typing import Literal

from burstchip.backends.sim.code.columns import each_without_event
from burstchip.backends.sim.code.engine_plan import FEW, Plan, PlannedProduct, Variant, clip_range, plan
from burstchip.backends.sim.code.engine_real import write_real
from burstchip.backends.sim.code.engine_vectors import LANES, Layout, write_synapse, write_vectors
from burstchip.backends.sim.code.text import Text
from hw_models.plasticity.carry import Rounding
from hw_models.plasticity.engine_numpy import ACCUMULATOR, TAG_RANGE
from hw_models.plasticity.rule import Factor, LearningRule

_IMPORTS = """\
import numpy as np

from burstchip.backends.sim.code.draws import at, row
from burstchip.backends.sim.code.loop import loop
from burstchip.backends.sim.code.scratch import release, scratch
from burstchip.backends.sim.code.vector_draws import index_halves, random_7
from burstchip.backends.sim.code.vectors import (
    add, add_by, add_saturate, add_where_less, at_least, at_least_by, at_most, at_most_by, bit_and,
    bit_and_by, load, load_part, lowest_lane, mul, mul_by, narrow, shift_left, shift_left_by, shift_right,
    shift_right_by, splat, store, store_part, widen,
)
"""


def engine_source(
    rule: LearningRule,
    *,
    storage: Literal["dense", "csr"],
    rounding: Rounding,
    real: bool = False,
    columns: bool = False,
    whole: bool = False,
    name: str = "learn",
) -> str:
    """Python source of a module with one function, to be compiled with `numba.njit`.

        dense   name(w, t, d, lowest, x, y, tx, ty, holds_u, scales, draw, low, high) -> synapses visited
        csr     name(indptr, posts, w, t, d, lowest, x, y, tx, ty, holds_u, scales, draw, low, high) -> ...

    posts      int32, the postsynaptic neuron of each synapse; row j has those from indptr[j] to indptr[j + 1]
    w, t, d    int16 [pre, post], or one entry a synapse in the order of `indptr` and `posts`; updated in
               place, within their ranges; one that the rule does not use may be any array of the same kind
    lowest     int16 [pre]: `lowest_tags` at the start, kept by the function. No state of its own: it may be
               made again from t at any time
    x, y       int32 [places, 2, pre] and [places, 3, post]: the traces after place 0 to E of the epoch, as in
               `engine_numpy.EpochTraces`; where every condition is a uK the last place suffices
    tx, ty     integers: place of each neuron's last spike in the epoch, 0 for none
    holds_u    whether uK holds, `rule.holds_u(epoch)`
    scales     integers: `engine_plan.scales(rule)`; nothing else here depends on the exponents of the rule
    draw       rounding `lava`: 0 to 127, one for all. `per_synapse`: the uint32 key of this learning epoch;
               synapse (j, i) draws `at(row(key, j), i) >> 25`
    low, high  what the sign mode allows a weight, `engine_numpy.WEIGHT_RANGES`

    With `columns`, for csr and a plan with `of_columns`, two more arguments follow posts: column i has the
    entries from heads[i] to heads[i + 1] of `places`, uint32, each a row times 2^16 and the place of the
    synapse in that row (`columns.by_column`). Rows without an event are left out where few columns have
    something to learn, and those columns are gone through instead.

    With `real` w, t, d, x and y are real numbers, and nothing is rounded, wrapped or clipped but w at `low`
    and `high` and d at its range; `lowest` is not read, and `draw` only where `whole` is set: weights are
    rounded at random to whole numbers then. `scales` are what the rule's products are worth, such as
    `Product.gain`.
    """
    planned = plan(rule)
    text = Text()
    kind = "real" if real else f"rounding {rounding}"
    text.line(f'"""Learning engine, {storage}, {kind}."""')
    text.block(_IMPORTS)
    text.line("")
    text.line("")
    csr = storage == "csr"
    assert not columns or (csr and planned.of_columns)
    if columns and not real:
        _write_column(text, planned, Layout(csr, rounding == "per_synapse", lanes=1, column=True))
    lists = "indptr, posts, heads, places, " if columns else "indptr, posts, " if csr else ""
    arrays = "w, t, d, lowest, x, y, tx, ty, holds_u, scales, draw, low, high"
    with text.indented(f"def {name}({lists}{arrays}):"):
        text.line("n_pre, n_post = x.shape[2], y.shape[2]")
        text.line("last_x, last_y = x.shape[0] - 1, y.shape[0] - 1")
        text.line("visited = np.int64(0)")
        if real:
            rounded = rounding if whole else None
            write_real(text, planned, csr=csr, columns=columns, rounding=rounded)
        else:
            _write_integers(text, planned, Layout(csr, rounding == "per_synapse"), columns=columns)
        text.line("return visited")
    return str(text)


def _zs(planned: Plan) -> str:
    """The arguments of a column's function that hold Z."""
    return "".join(f"z{product.index}, " for product in planned.of_columns)


def _write_column(text: Text, planned: Plan, layout: Layout) -> None:
    """A function that updates the synapses of a column in rows without an event, one after another."""
    products = planned.of_columns
    variant = Variant((), (), products)
    text.line("@loop")
    arguments = f"i, indptr, heads, places, w, d, x, tx, {_zs(planned)}holds_u, scales, draw, low, high"
    with text.indented(f"def learn_column({arguments}):"):
        text.line("last_x = x.shape[0] - 1")
        text.line("visited = np.int64(0)")
        _write_splats(text, products, layout)
        with each_without_event(text):
            for product in products:
                _write_x(text, product)
            if variant.skips_rows:
                with text.indented(f"if {' and '.join(f'pre{it.index} == 0' for it in products)}:"):
                    text.line("continue")
            text.line("visited += 1")
            write_synapse(text, variant, layout)
        text.line("return visited")
    text.line("")
    text.line("")


def _write_splats(text: Text, products: tuple[PlannedProduct, ...], layout: Layout) -> None:
    """What is the same for all synapses."""
    if not layout.per_synapse:
        text.line(f"r = splat(draw, 16, {layout.lanes})")
    for product in products:
        text.line(f"scale{product.index}_32 = splat({product.scale}, 32, {layout.lanes})")
    text.line(f"low_w, high_w = splat(low, 16, {layout.lanes}), splat(high, 16, {layout.lanes})")


def _write_few(text: Text, planned: Plan) -> None:
    """List the columns where a row without an event has something to learn, and whether they are few."""
    text.line("count = 0")
    live = " or ".join(f"z{product.index}[i] != 0" for product in planned.of_columns)
    with text.indented("for i in range(n_post):"), text.indented(f"if {live}:"):
        text.line("seen[count] = i")
        text.line("count += 1")
    text.line(f"few = count * {FEW} < n_post")


def _write_integers(text: Text, planned: Plan, layout: Layout, *, columns: bool) -> None:
    taken: list[str] = []

    def take(name: str, columns: str, kind: str, rows: str = "0") -> None:
        text.line(f"{name} = scratch({rows}, {columns}, np.{kind})")
        taken.append(name)

    for product in planned.products:
        if product.has_z:
            rows = "y.shape[0]" if product.z_by_place else "0"
            take(f"z{product.index}", "n_post", _z_type(product), rows)
    _write_postsynaptic(text, planned)
    if layout.per_synapse and not layout.csr:
        text.line("low_index, high_index = index_halves(n_post)")
        taken += ["low_index", "high_index"]
    _write_splats(text, planned.products, layout)
    for product in planned.products:
        p, scale = product.index, product.scale
        if product.fits_16_bits:
            text.line(f"more{p} = max({scale} - {product.shift}, 0)")
            text.line(f"less{p} = splat(min(max({product.shift} - {scale}, 0), 15), 16, {LANES})")
            text.line(f"mask{p} = splat(-1 << {scale}, 16, {LANES})")
    if columns:
        take("seen", "n_post", "int32")
        _write_few(text, planned)
    if layout.csr:
        text.line("longest = np.int64(0)")
        with text.indented("for j in range(n_pre):"):
            text.line("longest = max(longest, np.int64(indptr[j + 1] - indptr[j]))")
        for product in planned.products:
            if product.has_z and not product.x_by_place:
                take(f"z{product.index}_row", "longest", _z_type(product))
    for product in planned.products:
        if product.x_by_place:
            take(f"xs{product.index}", "x.shape[0]", "int64")
            take(f"z{product.index}_row", layout.longest, "int32")
    word = "if"
    for variant in planned.variants:
        tests = [f"live{g}" for g in variant.live] + [f"not live{g}" for g in variant.dead]
        with text.indented(f"{word} {' and '.join(tests)}:"):
            _write_rows(text, planned, variant, layout, columns=columns)
        word = "elif"
    if planned.changes_tags:
        with text.indented("else:"), text.indented("for j in range(n_pre):"):
            layout.write_bounds(text)
            _write_settling(text, layout)
    if columns:
        with text.indented("if few:"), text.indented("for k in range(count):"):
            given = f"w, d, x, tx, {_zs(planned)}holds_u, scales, draw, low, high"
            text.line(f"visited += learn_column(seen[k], indptr, heads, places, {given})")
    for name in taken:
        text.line(f"release({name})")


def _write_postsynaptic(text: Text, planned: Plan) -> None:
    """Z of each product, its greatest magnitude, and which groups are live."""
    for product in planned.products:
        if product.has_z:
            text.line(f"most{product.index} = np.int64(0)")
            _write_z(text, product)
    for g, group in enumerate(planned.groups):
        conditions = []
        for product in group:
            if product.has_z:
                conditions.append(f"most{product.index} > 0")
            else:
                conditions.append("holds_u" if product.condition == "u" else "True")
        text.line(f"live{g} = {' or '.join(dict.fromkeys(conditions))}")


def _write_z(text: Text, product: PlannedProduct) -> None:
    p, condition = product.index, product.condition
    place = {"x0": "place", "y0": "ty[i]", "u": "last_y"}[condition]
    values = _times(product.product.mantissa, [_factor(f, place, "i") for f in product.y])
    target = f"z{p}[place, i]" if product.z_by_place else f"z{p}[i]"

    def write() -> None:
        with text.indented("for i in range(n_post):"):
            if condition == "y0":
                with text.indented("if ty[i] == 0:"):
                    text.line("continue")
            text.line(f"z = np.int64(np.int32({values}))")
            text.line(f"{target} = z")
            text.line(f"most{p} = max(most{p}, abs(z))")

    if condition == "u":
        with text.indented("if holds_u:"):
            write()
    elif product.z_by_place:
        with text.indented("for place in range(1, y.shape[0]):"):
            write()
    else:
        write()


def _write_rows(text: Text, planned: Plan, variant: Variant, layout: Layout, *, columns: bool) -> None:
    with text.indented("for j in range(n_pre):"):
        if columns:
            with text.indented("if few and tx[j] == 0:"):
                text.line("continue")
        for product in variant.products:
            _write_x(text, product)
        layout.write_bounds(text)
        settles = planned.changes_tags and "t" not in variant.targets
        if variant.skips_rows:
            zeros = " and ".join(f"pre{product.index} == 0" for product in variant.products)
            with text.indented(f"if {zeros}:"):
                if planned.changes_tags:
                    _write_settling(text, layout)
                text.line("continue")
        text.line("visited += n")
        layout.write_row(text, variant)
        if variant.fits_16_bits:
            _write_narrow_test(text, variant)
            with text.indented("if narrow_row:"):
                write_vectors(text, variant, layout, bits=16)
            with text.indented("else:"):
                write_vectors(text, variant, layout, bits=32)
        else:
            write_vectors(text, variant, layout, bits=32)
        if settles:
            _write_settling(text, layout)


def _write_narrow_test(text: Text, variant: Variant) -> None:
    """Whether 16 bits hold every scaled product of row j, and every sum that matters."""
    tests = []
    for product in variant.products:
        p = product.index
        text.line(f"most{p}_row = np.int64(abs(pre{p})) * {_most_z(product)}")
        text.line(f"least{p}_row = (-most{p}_row >> {product.shift}) << {product.scale}")
        # 16 bits saturate at -32768, Lava's accumulator one below: only a tag's range lets that be seen.
        tag = "np.int64(lowest[j]) * 128 + " if product.target == "t" else ""
        tests.append(f"{tag}least{p}_row > -32768")
    text.line(f"narrow_row = {' and '.join(tests)}")


def _write_x(text: Text, product: PlannedProduct) -> None:
    """X of row j: an int32, or 1 and the row's Z by place of the postsynaptic spike."""
    p, condition = product.index, product.condition
    if product.x_by_place:
        values = _times(1, [_factor(factor, "place", "j") for factor in product.x])
        text.line(f"pre{p} = np.int32(0)")
        with text.indented("for place in range(1, x.shape[0]):"):
            text.line(f"xs{p}[place] = np.int64(np.int32({values}))")
            with text.indented(f"if xs{p}[place] != 0:"):
                text.line(f"pre{p} = np.int32(1)")
        return
    place = {"x0": "tx[j]", "y0": "0", "u": "last_x"}[condition]
    mantissa = 1 if product.has_z else product.product.mantissa
    values = _times(mantissa, [_factor(factor, place, "j") for factor in product.x])
    gates = {"x0": "tx[j] > 0", "u": "holds_u"}
    # Without a Z, which would be zero then, the condition uK is the row's to see to.
    if condition == "x0" or (condition == "u" and not product.has_z):
        text.line(f"pre{p} = np.int32(0)")
        with text.indented(f"if {gates[condition]}:"):
            text.line(f"pre{p} = np.int32({values})")
    else:
        text.line(f"pre{p} = np.int32({values})")


def _write_settling(text: Text, layout: Layout) -> None:
    """Round the tags of row j that the accumulator cannot hold."""
    with text.indented(f"if lowest[j] == {TAG_RANGE[0]}:"):
        text.line("lowest[j] = 0")
        with text.indented("for s in range(n):"):
            with text.indented(f"if {layout.tag('s')} == {TAG_RANGE[0]}:"):
                if layout.per_synapse:
                    post = "posts[base + s]" if layout.csr else "s"
                    drawn = f"at(row(np.uint32(draw), j), {post}) >> np.uint32(25)"
                else:
                    drawn = "draw"
                with text.indented(f"if {drawn} < {ACCUMULATOR[0] & 127}:"):
                    text.line(f"{layout.tag('s')} += 1")
            text.line(f"lowest[j] = min(lowest[j], {layout.tag('s')})")


def _factor(factor: Factor, place: str, neuron: str) -> str:
    """The clipped sum of a trace, or of a spike's presence, and the constant."""
    low, high = clip_range(factor)
    kind = factor.kind
    if kind in ("x0", "y0"):
        value = f"np.int64(t{kind[0]}[{neuron}] > 0)"
    else:
        value = f"np.int64({kind[0]}[{place}, {int(kind[1]) - 1}, {neuron}])"
    if factor.constant:
        value = f"{value} + {factor.constant}"
    return f"min(max({value}, {low}), {high})"


def _times(mantissa: int, factors: list[str]) -> str:
    return " * ".join([str(mantissa), *factors] if mantissa != 1 or not factors else factors)


def _z_type(product: PlannedProduct) -> str:
    return "int16" if product.z_bound < 1 << 15 else "int32"


def _most_z(product: PlannedProduct) -> str:
    return f"most{product.index}" if product.has_z else "1"

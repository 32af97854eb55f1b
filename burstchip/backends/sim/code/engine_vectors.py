"""The inner loop of a generated learning engine: 32 synapses of a row at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from burstchip.backends.sim.code.engine_plan import PlannedProduct, Variant, clip_range, needs_factor_clip
from burstchip.backends.sim.code.text import Text
from hw_models.plasticity.engine_numpy import ACCUMULATOR, DELAY_RANGE, TAG_RANGE
from hw_models.plasticity.rule import FRACTION_BITS, Factor
from hw_models.program.random import INDEX_STEP

LANES = 32
#: The expression that loads from an array at an index.
_Loaded = Callable[[str, str], str]
_FRACTION_MASK = (1 << FRACTION_BITS) - 1


@dataclass(frozen=True)
class Layout:
    """Where the synapses lie and where their draws come from."""

    csr: bool
    per_synapse: bool
    lanes: int = LANES
    #: Whether what is updated is a synapse of a column, and not a part of a row.
    column: bool = False

    @property
    def longest(self) -> str:
        """The greatest number of synapses of a row."""
        return "longest" if self.csr else "n_post"

    def tag(self, index: str) -> str:
        """The tag of a synapse of row j."""
        return f"t[base + {index}]" if self.csr else f"t[j, {index}]"

    def write_bounds(self, text: Text) -> None:
        """`base`, the index of row j's first synapse, and `n`, their number."""
        if self.csr:
            text.line("base = np.int64(indptr[j])")
            text.line("n = np.int64(indptr[j + 1]) - base")
        else:
            text.line("base, n = j * n_post, n_post")

    def write_row(self, text: Text, variant: Variant) -> None:
        """What all synapses of row j share: X and the halves of the key; and Z in the row's order."""
        by_place = [product for product in variant.products if product.x_by_place]
        gathered = [p for p in variant.products if self.csr and p.has_z and not p.x_by_place]
        if by_place or gathered:
            if self.csr:
                text.line("posts_j = posts[base : base + n]")
            with text.indented("for s in range(n):"):
                # Unsigned, so that no test for indices from the end is made.
                text.line("i = np.uint32(posts_j[s])" if self.csr else "i = s")
                for product in by_place:
                    p = product.index
                    text.line(f"z{p}_row[s] = np.int32(np.int64(z{p}[i]) * xs{p}[ty[i]])")
                for product in gathered:
                    p = product.index
                    at = f"z{p}[tx[j], i]" if product.z_by_place else f"z{p}[i]"
                    text.line(f"z{p}_row[s] = {at}")
        if self.per_synapse:
            self.write_key(text)
        for product in variant.products:
            if not product.x_by_place:
                p = product.index
                text.line(f"pre{p}_32 = splat(pre{p}, 32, {self.lanes})")
                if variant.fits_16_bits:
                    text.line(f"pre{p}_16 = splat(np.int64(pre{p}) << more{p}, 16, {self.lanes})")

    def write_key(self, text: Text) -> None:
        """The halves of the key that the draws of row j share."""
        text.line("key_j = row(np.uint32(draw), j)")
        text.line(f"key_low = splat(key_j, 16, {self.lanes})")
        text.line(f"key_high = splat(key_j >> np.uint32(16), 16, {self.lanes})")

    def z(self, product: PlannedProduct) -> tuple[str, str]:
        """The array that holds Z for row j, and the index of synapse i's."""
        if (product.x_by_place or self.csr) and not self.column:
            return f"z{product.index}_row", "i"
        return f"z{product.index}", "tx[j] * n_post + i" if product.z_by_place else "i"


def write_vectors(text: Text, variant: Variant, layout: Layout, *, bits: int) -> None:
    """Update the synapses of row j, in lanes of 16 or 32 bits."""
    tags = "t" in variant.targets
    if tags:
        text.line(f"least = splat(0, 16, {layout.lanes})")
    text.line(f"whole = n // {layout.lanes} * {layout.lanes}")
    with text.indented(f"for i in range(0, whole, {layout.lanes}):"):
        _write_vector(text, variant, layout, bits, part=False)
    with text.indented("if whole < n:"):
        text.line("i = whole")
        _write_vector(text, variant, layout, bits, part=True)
    if tags:
        text.line("lowest[j] = lowest_lane(least)")


def write_synapse(text: Text, variant: Variant, layout: Layout) -> None:
    """Update synapse s of row j and column i."""
    if layout.per_synapse:
        layout.write_key(text)
    for product in variant.products:
        text.line(f"pre{product.index}_32 = splat(pre{product.index}, 32, {layout.lanes})")
    _write_vector(text, variant, layout, 32, part=False)


def _write_vector(text: Text, variant: Variant, layout: Layout, bits: int, *, part: bool) -> None:
    lanes = layout.lanes

    def loaded(array: str, index: str) -> str:
        return f"load_part({array}, {index}, n - i, {lanes})" if part else f"load({array}, {index}, {lanes})"

    if layout.per_synapse:
        if layout.csr:
            posts = f"splat(i, 32, {lanes})" if layout.column else loaded("posts", "base + i")
            text.line(f"index = mul_by({posts}, {INDEX_STEP})")
            halves = "narrow(index), narrow(shift_right_by(index, 16))"
        else:
            halves = f"{loaded('low_index', 'i')}, {loaded('high_index', 'i')}"
        text.line(f"r = random_7(key_low, key_high, {halves})")
    read = {factor.variable for product in variant.products for factor in product.synaptic}
    at = "s" if layout.column else "base + i"
    for variable in "wtd":
        if variable in read or variable in variant.targets:
            text.line(f"old_{variable} = {loaded(variable, at)}")
            if bits == 32:
                text.line(f"wide_{variable} = widen(old_{variable})")
    for target in variant.targets:
        products = variant.of(target)
        old = f"wide_{target}" if bits == 32 else f"old_{target}"
        text.line(f"a = shift_left_by({old}, {FRACTION_BITS})")
        if target == "t" and bits == 32 and not products[0].is_first:
            # A dead first product adds nothing, but its clip acts on a tag at the lower end.
            text.line(f"a = at_least_by(a, {ACCUMULATOR[0]})")
        for product in products:
            if bits == 16:
                _write_product_16(text, product, layout, loaded)
            else:
                _write_product_32(text, product, layout, loaded, is_last=product is products[-1])
        _write_rounding(text, target, bits)
    for target in variant.targets:
        stored = f"{target}, {at}, new_{target}"
        text.line(f"store_part({stored}, n - i)" if part else f"store({stored})")
    if "t" in variant.targets:
        text.line("least = at_most(least, new_t)")


def _write_product_16(text: Text, product: PlannedProduct, layout: Layout, loaded: _Loaded) -> None:
    if product.has_z:
        text.line(f"p = mul({loaded(*layout.z(product))}, pre{product.index}_16)")
    else:
        text.line(f"p = pre{product.index}_16")
    # (v >> s) << c is v << (c - s), which X holds already, or v >> (s - c), without its last c bits.
    text.line(f"p = bit_and(shift_right(p, less{product.index}), mask{product.index})")
    text.line("a = add_saturate(a, p)")


def _write_product_32(
    text: Text, product: PlannedProduct, layout: Layout, loaded: _Loaded, *, is_last: bool
) -> None:
    if product.has_z:
        z = loaded(*layout.z(product))
        z = f"widen({z})" if not product.x_by_place and product.z_bound < 1 << 15 else z
        text.line(f"p = {z}" if product.x_by_place else f"p = mul({z}, pre{product.index}_32)")
    else:
        text.line(f"p = pre{product.index}_32")
    for factor in product.synaptic:
        text.line(f"p = mul(p, {_synaptic(factor)})")
    text.line(f"p = shift_left(shift_right_by(p, {product.shift}), scale{product.index}_32)")
    low, high = ACCUMULATOR
    text.line(f"p = at_most_by(at_least_by(p, {low}), {high})")
    text.line("a = add(a, p)")
    if not is_last:
        text.line(f"a = at_most_by(at_least_by(a, {low}), {high})")
    elif product.target == "t":
        # The other ends of the last clip make no difference to what is left after rounding.
        text.line(f"a = at_least_by(a, {low})")


def _synaptic(factor: Factor) -> str:
    value = f"wide_{factor.variable}"
    if factor.constant:
        value = f"add_by({value}, {factor.constant})"
    if factor.kind.startswith("sgn"):
        return f"at_most_by(at_least_by({value}, -1), 1)"
    if needs_factor_clip(factor):
        low, high = clip_range(factor)
        value = f"at_most_by(at_least_by({value}, {low}), {high})"
    return value


def _write_rounding(text: Text, target: str, bits: int) -> None:
    """From the accumulator to the variable."""
    if bits == 32:
        text.line(f"q = narrow(shift_right_by(a, {FRACTION_BITS}))")
        text.line(f"f = narrow(bit_and_by(a, {_FRACTION_MASK}))")
    else:
        text.line(f"q = shift_right_by(a, {FRACTION_BITS})")
        text.line(f"f = bit_and_by(a, {_FRACTION_MASK})")
    text.line("q = add_where_less(q, r, f)")
    if target == "w":
        text.line("new_w = at_most(at_least(q, low_w), high_w)")
    elif target == "t":
        text.line(f"new_t = at_most_by(q, {TAG_RANGE[1]})")
    else:
        text.line(f"new_d = at_most_by(at_least_by(q, {DELAY_RANGE[0]}), {DELAY_RANGE[1]})")

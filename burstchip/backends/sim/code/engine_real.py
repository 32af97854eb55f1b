"""A rule's sums of products in float64: what integers and their rounding are compared with."""

from __future__ import annotations

from collections.abc import Sequence

from burstchip.backends.sim.code.columns import each_without_event
from burstchip.backends.sim.code.engine_plan import FEW, Plan, PlannedProduct
from burstchip.backends.sim.code.text import Text
from hw_models.plasticity.carry import Rounding
from hw_models.plasticity.engine_numpy import DELAY_RANGE
from hw_models.plasticity.rule import Factor


def write_real(text: Text, planned: Plan, *, csr: bool, columns: bool, rounding: Rounding | None) -> None:
    """The loops of a generated engine in real numbers.

    A product is worth its gain, an entry of `scales`, times its factors, without the integer engine's floors,
    wraps and clips. A weight keeps to its limit and a delay to its range; a tag is not bounded here. Of rows
    and columns those are left out in which every product is 0; a row whose neuron did not emit has fewer
    products, and fewer columns with something to learn. With `columns` these are not searched for in each
    such row, but gone through by themselves. With a `rounding` weights are whole numbers.
    """
    at_spikes = [product for product in planned.products if product.condition == "x0"]
    others = [product for product in planned.products if product.condition != "x0"]
    seen: dict[str, Sequence[PlannedProduct]] = {"other": others}
    if at_spikes:
        seen["any"] = planned.products
    for name, products in seen.items():
        _write_seen(text, name, products)
    with text.indented("for j in range(n_pre):"):
        if columns:
            with text.indented("if few_other and tx[j] == 0:"):
                text.line("continue")
        if at_spikes:
            with text.indented("if tx[j] > 0:"):
                text.line("seen, count, free, few = seen_any, count_any, free_any, few_any")
            with text.indented("else:"):
                text.line("seen, count, free, few = seen_other, count_other, free_other, few_other")
        else:
            text.line("seen, count, free, few = seen_other, count_other, free_other, few_other")
        with text.indented("if not free and count == 0:"):
            text.line("continue")
        tests = [_x_test(product) for product in planned.products]
        if all(tests):
            with text.indented(f"if not ({' or '.join(f'({test})' for test in tests)}):"):
                text.line("continue")
        if csr:
            text.line("s, end = indptr[j], indptr[j + 1]")
        with text.indented("if few:"), text.indented("for k in range(count):"):
            text.line("i = seen[k]")
            if csr:
                _write_search(text)
                with text.indented("if s == end or posts[s] != i:"):
                    text.line("continue")
            _write_synapse(text, planned, csr=csr, rounding=rounding)
            text.line("visited += 1")
        with text.indented("else:"):
            text.line(f"visited += {'end - s' if csr else 'n_post'}")
            with text.indented("for s in range(indptr[j], end):" if csr else "for i in range(n_post):"):
                if csr:
                    text.line("i = posts[s]")
                _write_synapse(text, planned, csr=csr, rounding=rounding)
    if columns:
        with text.indented("if few_other:"), text.indented("for c in range(count_other):"):
            text.line("i = seen_other[c]")
            with each_without_event(text):
                _write_synapse(text, planned, csr=csr, rounding=rounding)
                text.line("visited += 1")
    for name in seen:
        text.line(f"release(seen_{name})")


def _write_seen(text: Text, name: str, products: Sequence[PlannedProduct]) -> None:
    """List the columns in which one of the products may be not 0, as `seen_{name}`.

    `free` is set where a product does not ask the column, `few` where searching for them is the faster way.
    """
    asked = [product for product in products if product.has_z]
    free = [product for product in products if not product.has_z]
    text.line(f"seen_{name} = scratch(0, n_post, np.int32)")
    text.line(f"count_{name} = 0")
    if asked:
        with text.indented("for i in range(n_post):"):
            text.line("live = False")
            for product in asked:
                _write_z_test(text, product)
            with text.indented("if live:"):
                text.line(f"seen_{name}[count_{name}] = i")
                text.line(f"count_{name} += 1")
    always = [("holds_u" if product.condition == "u" else "True") for product in free]
    text.line(f"free_{name} = {' or '.join(dict.fromkeys(always)) or 'False'}")
    text.line(f"few_{name} = not free_{name} and count_{name} * {FEW} < n_post")


def _write_z_test(text: Text, product: PlannedProduct) -> None:
    """Set `live` where the postsynaptic side of a product is not 0."""

    def write(place: str) -> None:
        factors = [_factor(factor, ("", place)) for factor in product.y]
        text.line(f"live = live or {' * '.join(factors) or '1.0'} != 0.0")

    if product.condition == "u":
        with text.indented("if holds_u:"):
            write("last_y")
    elif product.condition == "y0":
        with text.indented("if ty[i] > 0:"):
            write("ty[i]")
    else:
        with text.indented("for place in range(1, y.shape[0]):"):
            write("place")


def _x_test(product: PlannedProduct) -> str:
    """Whether the presynaptic side of a product is not 0 in row j; "" where that is not of the row alone."""
    if product.x_by_place or not product.depends_on_row:
        return ""
    place = "tx[j]" if product.condition == "x0" else "last_x"
    factors = [_factor(factor, (place, "")) for factor in product.x]
    test = f"{' * '.join(factors) or '1.0'} != 0.0"
    return {"x0": f"tx[j] > 0 and {test}", "u": f"holds_u and {test}"}.get(product.condition, test)


def _write_search(text: Text) -> None:
    """Move s to the first synapse of row j, from s on, whose target is i or one behind it."""
    text.line("after = end")
    with text.indented("while s < after:"):
        text.line("middle = (s + after) >> 1")
        with text.indented("if posts[middle] < i:"):
            text.line("s = middle + 1")
        with text.indented("else:"):
            text.line("after = middle")


def _write_synapse(text: Text, planned: Plan, *, csr: bool, rounding: Rounding | None) -> None:
    targets = [target for target in "wtd" if any(p.target == target for p in planned.products)]
    at = "s" if csr else "j, i"
    for variable in "wtd":
        if variable in targets or any(_reads(p, variable) for p in planned.products):
            text.line(f"old_{variable} = {variable}[{at}]")
    for target in targets:
        text.line(f"change_{target} = 0.0")
    # Signs first: two that cancel then leave nothing behind in which a small change could be lost.
    for product in sorted(planned.products, key=_has_no_sign):
        _write_product(text, product)
    for target in targets:
        value = f"old_{target} + change_{target}"
        if target == "w" and rounding:
            # As many bits as there are: of fewer than a change has, rounding would be biased.
            each = "at(row(np.uint32(draw), j), i) * 2.0**-32"
            drawn = "(draw + 0.5) / 128.0" if rounding == "lava" else each
            text.line(f"whole_w = np.floor({value})")
            value = f"whole_w + (1.0 if {drawn} < {value} - whole_w else 0.0)"
        if target != "t":
            low, high = ("low", "high") if target == "w" else DELAY_RANGE
            value = f"min(max({value}, np.float64({low})), np.float64({high}))"
        text.line(f"{target}[{at}] = {value}")


def _has_no_sign(product: PlannedProduct) -> bool:
    return not any(factor.kind.startswith("sgn") for factor in product.product.factors)


def _reads(product: PlannedProduct, variable: str) -> bool:
    return any(factor.variable == variable for factor in product.synaptic)


def _write_product(text: Text, product: PlannedProduct) -> None:
    condition = {"u": "holds_u", "x0": "tx[j] > 0", "y0": "ty[i] > 0"}[product.condition]
    place = {"u": ("last_x", "last_y"), "x0": ("tx[j]", "tx[j]"), "y0": ("ty[i]", "ty[i]")}[product.condition]
    factors = [f"scales[{product.index}]", *(_factor(f, place) for f in product.product.factors)]
    with text.indented(f"if {condition}:"):
        text.line(f"change_{product.target} += {' * '.join(factors)}")


def _factor(factor: Factor, place: tuple[str, str]) -> str:
    name = factor.variable
    if name in ("w", "t", "d"):
        value = f"old_{name}"
    elif name in ("x0", "y0"):
        value = f"np.float64(t{name[0]}[{'j' if name[0] == 'x' else 'i'}] > 0)"
    elif name[0] == "x":
        value = f"x[{place[0]}, {int(name[1]) - 1}, j]"
    else:
        value = f"y[{place[1]}, {int(name[1]) - 1}, i]"
    value = f"({value} + {factor.constant}.0)" if factor.constant else value
    return f"np.sign({value})" if factor.kind.startswith("sgn") else value

"""A rule's sums of products in float64: what integers and their rounding are compared with."""

from __future__ import annotations

from burstchip.backends.sim.code.engine_plan import Plan, PlannedProduct
from burstchip.backends.sim.code.text import Text
from hw_models.plasticity.engine_numpy import DELAY_RANGE
from hw_models.plasticity.rule import Factor


def write_real(text: Text, planned: Plan, *, csr: bool) -> None:
    """The loops of a generated engine in float64.

    A product is worth its gain, an entry of `scales`, times its factors, without the integer engine's floors,
    wraps and clips. A weight keeps to its limit and a delay to its range; a tag is not bounded here.
    """
    targets = [target for target in "wtd" if any(p.target == target for p in planned.products)]
    with text.indented("for j in range(n_pre):"):
        text.line(f"visited += {'indptr[j + 1] - indptr[j]' if csr else 'n_post'}")
        head = "for s in range(indptr[j], indptr[j + 1]):" if csr else "for i in range(n_post):"
        with text.indented(head):
            if csr:
                text.line("i = posts[s]")
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

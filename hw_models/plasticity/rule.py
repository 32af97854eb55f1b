"""A learning rule as data: for each synaptic variable a sum of products, in the form that Lava takes.

    dw = Σ condition · 2^exponent · mantissa · Π (factor + constant)

`w` is the weight, `t` the tag (Lava: tag_1), `d` the delay (Lava: tag_2). A product counts only where its
condition holds: `x0`, the presynaptic neuron fired in this learning epoch; `y0`, the postsynaptic one did;
`uK`, the number of the learning epoch (from 1) is a multiple of 2^K. `str` gives Lava's rule string, and
`grammar.parse_rule` reads it back to the same value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

Target = Literal["dw", "dt", "dd"]
Condition = Literal["x0", "y0", "u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"]
FactorKind = Literal[
    "x0", "y0", "x1", "x2", "y1", "y2", "y3", "w", "t", "d", "sgn(w)", "sgn(t)", "sgn(d)"
]  # fmt: skip

TARGETS: tuple[Target, ...] = ("dw", "dt", "dd")

#: Bits of a factor without its sign. A sum of factor and constant saturates at [-2^b, 2^b - 1]; the widths
#: also set how far a product is shifted down before it is scaled.
WIDTHS: dict[FactorKind, int] = {
    "x0": 1, "y0": 1,
    "x1": 7, "x2": 7, "y1": 7, "y2": 7, "y3": 7,
    "w": 9, "t": 9, "d": 9, "sgn(w)": 9, "sgn(t)": 9, "sgn(d)": 9,
}  # fmt: skip

MANTISSA_BITS = 4
ACCUMULATOR_BITS = 15
#: Fraction bits of a synaptic variable in the accumulator.
FRACTION_BITS = 7

MANTISSAS = (-8, 7)
EXPONENTS = (-7, 8)


def constant_range(kind: FactorKind) -> tuple[int, int]:
    """The constants that may be added to this factor: 8 bits, doubled for the weight and the tag."""
    return (-256, 255) if kind in ("w", "t", "sgn(w)", "sgn(t)") else (-128, 127)


@dataclass(frozen=True)
class Factor:
    """A variable plus a constant; for the kinds `sgn(...)` the sign of that sum."""

    kind: FactorKind
    constant: int = 0

    def __post_init__(self) -> None:
        low, high = constant_range(self.kind)
        assert low <= self.constant <= high, f"constant {self.constant} of {self.kind}"

    @property
    def width(self) -> int:
        """Bits without the sign."""
        return WIDTHS[self.kind]

    @property
    def variable(self) -> str:
        """What is read: the kind without `sgn`."""
        return self.kind[4:-1] if self.kind.startswith("sgn") else self.kind

    def __str__(self) -> str:
        if self.constant == 0:
            return self.kind
        inner = f"{self.variable}{self.constant:+d}"
        return f"sgn({inner})" if self.kind.startswith("sgn") else f"({inner})"


@dataclass(frozen=True)
class Product:
    """`condition · mantissa · 2^exponent · Π factors`, in the normal form that Lava gives it.

    A mantissa of -8 stands only beside the greatest exponent: elsewhere Lava turns it into -4 and raises the
    exponent, which rounds differently.
    """

    condition: Condition
    factors: tuple[Factor, ...]
    mantissa: int = 1
    exponent: int = 0

    def __post_init__(self) -> None:
        assert MANTISSAS[0] <= self.mantissa <= MANTISSAS[1], f"mantissa {self.mantissa}"
        assert EXPONENTS[0] <= self.exponent <= EXPONENTS[1], f"exponent {self.exponent}"
        assert self.mantissa != -8 or self.exponent == EXPONENTS[1], "-8 is written -4 * 2"

    @property
    def shift(self) -> int:
        """Bits by which the product of mantissa and factors is shifted down (floor) before scaling."""
        width = sum(factor.width for factor in self.factors) + MANTISSA_BITS
        return max(0, width - ACCUMULATOR_BITS)

    @property
    def gain(self) -> float:
        """What one unit of the factors' product is worth in units of the target, rounding aside."""
        return float(self.mantissa * 2.0 ** (self.exponent - self.shift))

    def __str__(self) -> str:
        parts: list[str] = [self.condition]
        if abs(self.mantissa) != 1:
            parts.append(str(abs(self.mantissa)))
        if self.exponent != 0:
            parts.append(f"2^{self.exponent}")
        return "*".join([*parts, *(str(factor) for factor in self.factors)])


@dataclass(frozen=True)
class SumOfProducts:
    """The change of one synaptic variable: the products in the order in which they are accumulated."""

    target: Target
    products: tuple[Product, ...]

    def __post_init__(self) -> None:
        assert self.products, "a sum without products"

    def __str__(self) -> str:
        text = "-" if self.products[0].mantissa < 0 else ""
        text += str(self.products[0])
        for product in self.products[1:]:
            text += f" {'-' if product.mantissa < 0 else '+'} {product}"
        return text


@dataclass(frozen=True)
class LearningRule:
    """The sums of products of one plastic connection. All read w, t and d as they were before the update."""

    dw: SumOfProducts | None = None
    dt: SumOfProducts | None = None
    dd: SumOfProducts | None = None

    def __post_init__(self) -> None:
        assert self.sums, "a rule that changes nothing"
        for target in TARGETS:
            given = cast("SumOfProducts | None", getattr(self, target))
            assert given is None or given.target == target
        assert len(self.decimations) <= 1, "more than one K"

    @property
    def sums(self) -> tuple[SumOfProducts, ...]:
        """The sums that are present, in the order dw, dt, dd."""
        return tuple(given for given in (self.dw, self.dt, self.dd) if given is not None)

    @property
    def products(self) -> tuple[Product, ...]:
        """The products of all sums."""
        return tuple(product for given in self.sums for product in given.products)

    @property
    def conditions(self) -> frozenset[str]:
        """The conditions that occur, `u` for any uK."""
        return frozenset(p.condition[0] if p.condition[0] == "u" else p.condition for p in self.products)

    @property
    def decimations(self) -> frozenset[int]:
        """Every K that occurs in a condition uK; at most one."""
        return frozenset(int(p.condition[1:]) for p in self.products if p.condition[0] == "u")

    @property
    def variables(self) -> frozenset[str]:
        """The variables that occur as factors: `x1`, `y2`, `t`, ..."""
        return frozenset[str]().union(*(self.read_by(target) for target in TARGETS))

    def touches(self, variable: str) -> bool:
        """Whether a sum changes or reads `w`, `t` or `d`."""
        return any(given.target == f"d{variable}" for given in self.sums) or variable in self.variables

    def read_by(self, target: Target) -> frozenset[str]:
        """The variables that one sum reads as factors; none where it is absent."""
        given: SumOfProducts | None = getattr(self, target)
        products = () if given is None else given.products
        return frozenset(factor.variable for product in products for factor in product.factors)

    def holds_u(self, epoch: int) -> bool:
        """Whether the condition uK holds in learning epoch `epoch` = 1, 2, ... (False without one)."""
        return any(epoch % 2**k == 0 for k in self.decimations)

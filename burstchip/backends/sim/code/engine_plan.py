"""How the compiled engine splits a product: into a row's, a postsynaptic neuron's and a synapse's part.

A product is `X[pre] * Z[post] * factors of the synapse`, where X takes the presynaptic factors and Z the
postsynaptic ones. Where either is zero the product does nothing, which is what lets the engine skip rows, and
whole products, at run time. The exponents of a rule, its rates, are arguments of the engine: rules that
differ in nothing else share their plan and their text. Bounds known from the rest tell whether 16 bits hold
a product.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from hw_models.plasticity.engine_numpy import DELAY_RANGE, TAG_RANGE, WEIGHT_RANGES
from hw_models.plasticity.rule import FRACTION_BITS, Factor, LearningRule, Product

_INT16 = 1 << 15
#: What a variable can be before a constant is added; third factors come clipped.
_RANGES: dict[str, tuple[int, int]] = {
    "x0": (0, 1),
    "y0": (0, 1),
    **dict.fromkeys(("x1", "x2"), (0, 127)),
    **dict.fromkeys(("y1", "y2", "y3"), (-(1 << 30), 1 << 30)),
    "w": WEIGHT_RANGES["mixed"],
    "t": TAG_RANGE,
    "d": DELAY_RANGE,
}
#: Where less than one postsynaptic neuron in this many has something to learn, these are gone through.
FEW = 16
#: Beyond this many groups of products there is one loop for all of them instead of one for each combination.
_MOST_GROUPS = 3


@dataclass(frozen=True)
class PlannedProduct:
    """A product, its place in the rule and in its sum, and its factors by the side that they belong to."""

    index: int
    target: str
    is_first: bool
    product: Product
    x: tuple[Factor, ...]
    y: tuple[Factor, ...]
    synaptic: tuple[Factor, ...]

    @property
    def condition(self) -> str:
        """x0, y0 or u."""
        return "u" if self.product.condition[0] == "u" else self.product.condition

    @property
    def has_z(self) -> bool:
        """Whether the postsynaptic side matters; else the mantissa is part of X."""
        return bool(self.y) or self.condition == "y0"

    @property
    def z_by_place(self) -> bool:
        """Whether Z depends on when the presynaptic neuron fired."""
        return self.condition == "x0" and any(factor.kind != "y0" for factor in self.y)

    @property
    def x_by_place(self) -> bool:
        """Whether X depends on when the postsynaptic neuron fired."""
        return self.condition == "y0" and any(factor.kind != "x0" for factor in self.x)

    @property
    def depends_on_row(self) -> bool:
        """Whether X can be zero."""
        return bool(self.x) or self.condition == "x0"

    @property
    def shift(self) -> int:
        """Bits of the right shift; more than 31 leave the sign, as 31 do."""
        return min(self.product.shift, 31)

    @property
    def scale(self) -> str:
        """The expression for the bits of the left shift, an argument: rates are not in the text."""
        return f"scales[{self.index}]"

    @property
    def x_bound(self) -> int:
        """The greatest magnitude of X."""
        return prod(_bound(factor) for factor in self.x) * (1 if self.has_z else abs(self.product.mantissa))

    @property
    def z_bound(self) -> int:
        """The greatest magnitude of Z."""
        return prod(_bound(factor) for factor in self.y) * (abs(self.product.mantissa) if self.has_z else 1)

    @property
    def fits_16_bits(self) -> bool:
        """Whether the product is a 16-bit integer whatever the neurons do; the scaled one may not be."""
        return not self.synaptic and not self.x_by_place and self.x_bound * self.z_bound < _INT16


@dataclass(frozen=True)
class Variant:
    """One loop over the rows: its products, and the groups that are live and dead when it is taken."""

    live: tuple[int, ...]
    dead: tuple[int, ...]
    products: tuple[PlannedProduct, ...]

    def of(self, target: str) -> tuple[PlannedProduct, ...]:
        """The products that change `w`, `t` or `d`, in their order."""
        return tuple(product for product in self.products if product.target == target)

    @property
    def targets(self) -> tuple[str, ...]:
        """The variables that this loop changes."""
        return tuple(target for target in "wtd" if self.of(target))

    @property
    def fits_16_bits(self) -> bool:
        """Whether each variable gets one product that fits 16 bits, so that rows may be scaled in them."""
        return all(len(self.of(target)) == 1 and self.of(target)[0].fits_16_bits for target in self.targets)

    @property
    def skips_rows(self) -> bool:
        """Whether rows exist for which no product does anything."""
        return all(product.depends_on_row for product in self.products)


@dataclass(frozen=True)
class Plan:
    """The products of a rule, in groups that live and die together, and a loop for each combination."""

    products: tuple[PlannedProduct, ...]
    groups: tuple[tuple[PlannedProduct, ...], ...]
    variants: tuple[Variant, ...]

    @property
    def changes_tags(self) -> bool:
        """Whether the rule has a sum for t."""
        return any(product.target == "t" for product in self.products)

    @property
    def of_columns(self) -> tuple[PlannedProduct, ...]:
        """The products of a row whose neuron did not emit, where all of them are 0 in most columns.

        None where a product does not ask the column, or where tags have to be settled in every row.
        """
        found = tuple(product for product in self.products if product.condition != "x0")
        asked = all(product.has_z and not product.x_by_place for product in found)
        return found if asked and not self.changes_tags else ()


def plan(rule: LearningRule) -> Plan:
    """The plan of a rule."""
    products: list[PlannedProduct] = []
    for change in rule.sums:
        for position, product in enumerate(change.products):
            sides = [tuple(f for f in product.factors if _side(f) == side) for side in ("x", "y", "s")]
            target, is_first = change.target[1], position == 0
            products.append(PlannedProduct(len(products), target, is_first, product, *sides))
    groups: dict[object, list[PlannedProduct]] = {}
    for planned in products:
        groups.setdefault((planned.condition, planned.y), []).append(planned)
    members = tuple(tuple(group) for group in groups.values())
    if len(members) > _MOST_GROUPS:
        members = (tuple(products),)
    variants = []
    for chosen in range(1, 1 << len(members)):
        live = tuple(g for g in range(len(members)) if chosen >> g & 1)
        dead = tuple(g for g in range(len(members)) if not chosen >> g & 1)
        within = sorted((p for g in live for p in members[g]), key=lambda p: p.index)
        variants.append(Variant(live, dead, tuple(within)))
    return Plan(tuple(products), members, tuple(variants))


def scales(rule: LearningRule) -> tuple[int, ...]:
    """Bits by which each product is shifted left, in the order of the rule: what a plan leaves open."""
    return tuple(product.exponent + FRACTION_BITS for product in rule.products)


def clip_range(factor: Factor) -> tuple[int, int]:
    """Where the sum of variable and constant saturates."""
    return -(1 << factor.width), (1 << factor.width) - 1


def needs_factor_clip(factor: Factor) -> bool:
    """Whether the sum can leave that range."""
    (low, high), (least, most) = _RANGES[factor.variable], clip_range(factor)
    return low + factor.constant < least or high + factor.constant > most


def _side(factor: Factor) -> str:
    return factor.kind[0] if factor.kind[0] in "xy" else "s"


def _bound(factor: Factor) -> int:
    if factor.kind.startswith("sgn"):
        return 1
    (low, high), (least, most) = _RANGES[factor.variable], clip_range(factor)
    ends = (low + factor.constant, high + factor.constant)
    return max(abs(min(max(end, least), most)) for end in ends)

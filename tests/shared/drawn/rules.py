"""Random learning rules."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hw_models.plasticity.rule import (
    EXPONENTS,
    MANTISSAS,
    WIDTHS,
    Factor,
    LearningRule,
    Product,
    SumOfProducts,
    constant_range,
)


def factors() -> st.SearchStrategy[Factor]:
    """Any factor, with constants at the ends of their ranges not too rarely."""

    def of_kind(kind: Any) -> st.SearchStrategy[Factor]:
        low, high = constant_range(kind)
        return st.builds(Factor, st.just(kind), st.sampled_from([0, 0, low, high]) | st.integers(low, high))

    return st.sampled_from(sorted(WIDTHS)).flatmap(of_kind)


def products(condition: st.SearchStrategy[Any]) -> st.SearchStrategy[Product]:
    """Any product in the normal form."""
    scales = st.tuples(st.integers(*MANTISSAS), st.integers(*EXPONENTS))
    return st.builds(
        lambda condition, factors, scale: Product(condition, tuple(factors), *scale),
        condition,
        st.lists(factors(), max_size=5),
        scales.filter(lambda scale: scale[0] != -8 or scale[1] == EXPONENTS[1]),
    )


def rules(largest_k: int = 9) -> st.SearchStrategy[LearningRule]:
    """Any rule set with one K."""

    @st.composite
    def draw_rule(draw: st.DrawFn) -> LearningRule:
        k = draw(st.integers(0, largest_k))
        conditions = st.sampled_from(["x0", "y0", f"u{k}"])
        targets = draw(st.sets(st.sampled_from(["dw", "dt", "dd"]), min_size=1))
        sums: dict[Any, Any] = {
            target: SumOfProducts(target, tuple(draw(st.lists(products(conditions), min_size=1, max_size=3))))
            for target in sorted(targets)  # type: ignore[type-var]
        }
        return LearningRule(**sums)

    return draw_rule()

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import convert

from burstchip.backends.loihi2.folder_schema import Learning, Term
from burstchip.backends.loihi2.microcode import learning_entry, read_learning, read_rule, rule_of, terms
from compiler.ir.chip_program import LearningCode, TraceCode
from hw_models.plasticity.grammar import learning_rule
from hw_models.plasticity.rule import Factor, Product, SumOfProducts

KINDS = ["x0", "y0", "x1", "x2", "y1", "y2", "y3", "w", "t", "d", "sgn(w)", "sgn(t)", "sgn(d)"]


def products() -> st.SearchStrategy[Product]:
    factors = st.lists(st.builds(Factor, st.sampled_from(KINDS), st.integers(-128, 127)), max_size=4)
    conditions = st.sampled_from(["x0", "y0", "u3"])
    return st.builds(
        Product, conditions, factors.map(tuple), st.integers(-7, 7).filter(bool), st.integers(-7, 8)
    )


def test_the_terms_of_a_rule() -> None:
    rule = learning_rule(dw="u0*2^-4*x1*y1 - x0*(w-3)", dd="y0*sgn(d+1)")
    assert terms(rule) == [
        {
            "target": "dw",
            "condition": "u0",
            "factors": [["x1", 0], ["y1", 0]],
            "mantissa": 1,
            "exponent": -4,
            "shift": 3,
        },
        {
            "target": "dw",
            "condition": "x0",
            "factors": [["w", -3]],
            "mantissa": -1,
            "exponent": 0,
            "shift": 0,
        },
        {
            "target": "dd",
            "condition": "y0",
            "factors": [["sgn(d)", 1]],
            "mantissa": 1,
            "exponent": 0,
            "shift": 0,
        },
    ]


@settings(deadline=None)
@given(st.lists(products(), min_size=1, max_size=4))
def test_terms_are_read_back(given_products: list[Product]) -> None:
    found = SumOfProducts("dw", tuple(given_products))
    rule = read_rule(convert(_entries(found), list[Term]))
    assert rule.dw == found


def _entries(given: SumOfProducts) -> list[dict[str, object]]:
    from hw_models.plasticity.rule import LearningRule

    return terms(LearningRule(dw=given))


@settings(deadline=None)
@given(st.floats(1e-3, 1e6))
def test_a_learning_engine_is_read_back(tau: float) -> None:
    traces = (TraceCode("lava", "x1", tau, 0, 16), TraceCode("lava", "y1", 7.0, 0, 12))
    rules = {"dw": "y0*2^-2*x1 - x0*2^-2*y1", "dt": "u0*x1*y1"}
    learning = LearningCode("chip", "lava", 2, traces, rules, 0, 0, 3, 4, 5)
    found = read_learning(convert(learning_entry(learning), Learning))
    assert found.traces == learning.traces and rule_of(found) == rule_of(learning)
    assert (found.every, found.rounding, found.stream, found.trace_stream, found.seed) == (
        2,
        "lava",
        3,
        4,
        5,
    )


def test_a_shift_that_contradicts_its_factors() -> None:
    entries = terms(learning_rule(dw="u0*x1*y1"))
    with pytest.raises(ValueError, match="a product of 2 factors is shifted by 2"):
        read_rule(convert([{**entries[0], "shift": 2}], list[Term]))

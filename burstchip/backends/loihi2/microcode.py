"""Learning rules as the terms that a learning engine takes, in integers, and back.

A term is one product: its target (dw, dt, dd), its condition, its factors (kind and added constant), its
mantissa and exponent, and `shift`, by which the engine shifts the product down before it scales it. Time
constants of traces are exact ratios of steps; what number a chip's trace unit wants for one is not public.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from burstchip.backends.loihi2.folder_schema import Learning, Term
from compiler.ir.chip_program import LearningCode, TraceCode
from hw_models.plasticity.grammar import learning_rule
from hw_models.plasticity.rule import Factor, LearningRule, Product, SumOfProducts, Target

#: What a learning engine receives in addition to its terms and traces.
SCALARS = (
    "form",
    "rounding",
    "every",
    "shift",
    "consolidate_every",
    "stream",
    "trace_stream",
    "seed",
    "postsynaptic",
)


def rule_of(learning: LearningCode) -> LearningRule:
    """The parsed sums of products."""
    return learning_rule(*(learning.rules.get(target) for target in ("dw", "dt", "dd")))


def terms(rule: LearningRule) -> list[dict[str, Any]]:
    """The products of a rule in the order in which they are accumulated."""
    return [
        {
            "target": given.target,
            "condition": product.condition,
            "factors": [[factor.kind, factor.constant] for factor in product.factors],
            "mantissa": product.mantissa,
            "exponent": product.exponent,
            "shift": product.shift,
        }
        for given in rule.sums
        for product in given.products
    ]


def read_rule(entries: Sequence[Term]) -> LearningRule:
    """The rule that has these terms. Raises ValueError where they contradict each other."""
    products: dict[Target, list[Product]] = {}
    for entry in entries:
        factors = tuple(Factor(factor.kind, factor.constant) for factor in entry.factors)
        product = Product(entry.condition, factors, entry.mantissa, entry.exponent)
        if product.shift != entry.shift:
            raise ValueError(f"a product of {len(factors)} factors is shifted by {entry.shift}")
        products.setdefault(entry.target, []).append(product)
    return LearningRule(**{t: SumOfProducts(t, tuple(found)) for t, found in products.items()})


def learning_entry(learning: LearningCode) -> dict[str, Any]:
    """All that a learning engine receives, as plain values."""
    return {
        **{name: getattr(learning, name) for name in SCALARS},
        "traces": [
            {
                "kind": trace.kind,
                "name": trace.name,
                "tau": list(float(trace.tau).as_integer_ratio()),
                "decay": trace.decay,
                "impulse": trace.impulse,
            }
            for trace in learning.traces
        ],
        "terms": terms(rule_of(learning)),
    }


def read_learning(entry: Learning) -> LearningCode:
    """What `learning_entry` wrote; its rules are text again. Raises ValueError as `read_rule`."""
    rule = read_rule(entry.terms)
    traces = tuple(TraceCode(t.kind, t.name, t.tau[0] / t.tau[1], t.decay, t.impulse) for t in entry.traces)
    return LearningCode(
        traces=traces,
        rules={given.target: str(given) for given in rule.sums},
        **{name: getattr(entry, name) for name in SCALARS},
    )

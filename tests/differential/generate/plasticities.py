"""Plasticities: both forms, both roundings, all that the grammar of rules takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from hypothesis import strategies as st

from generate.quantities import between, quantity
from hw_models.plasticity.rule import (
    EXPONENTS,
    MANTISSAS,
    Factor,
    FactorKind,
    LearningRule,
    Product,
    SumOfProducts,
    constant_range,
)

ROUNDINGS = ("lava", "per_synapse")

#: Rules that let weights wander instead of driving them to a bound at once; {k} is the K of every uK.
_TWO_FACTORS = (
    {"dw": "u{k}*2^-4*x1*y1"},
    {"dw": "y0*2^-1*x1 - x0*2^-1*y1"},
    {"dw": "2^-2*x0*(y1-5)", "dt": "u{k}*2^-3*x2*y2"},
    {"dw": "y0*2^-3*x1 - u{k}*2^-4*w + x0*2^-6*d", "dd": "y0*x1 - u{k}*y3"},
    {"dw": "x0*y0*3 - x0*2^-2*y1*sgn(w-5)", "dt": "-y0*7*2^-7*(x1+20)*t"},
)
_THIRD_FACTORS = (
    {"dw": "u{k}*2^-4*x1*y1", "dt": "u{k}*2^-3*x1*y1"},
    {"dw": "u{k}*2^-3*x1*y1 + u{k}*2^-4*t*y2", "dt": "x0*2^-3*y1 - u{k}*t*y2"},
    {"dw": "y0*2^-1*x1 - x0*2^-2*y1 + u{k}*t*2^-6", "dt": "x0*2^-3*y1"},
    {"dw": "u{k}*2^-2*x2*y1*sgn(w)", "dt": "x0*2^2 - u{k}*2^-3*d", "dd": "y0*x1 - u{k}*2^-1*d"},
)
#: For targets that send y1 and y3.
_LIFTING = (
    {"dw": "u{k}*2^-4*x1*y1 + x0*2^-3*y3"},
    {"dw": "u{k}*2^-2*x1*y1", "dt": "u{k}*2^-3*x2*y3 - u{k}*2^-3*t"},
    {"dw": "u{k}*2^-3*x1*y1 + x0*2^-4*x2*y3 - u{k}*2^-6*w"},
)
_FLAGS = (
    {"dw": "x0*2^1 - y0*2^1"},
    {"dw": "x0*y0*2^2 - u{k}*2^-4*w", "dt": "x0*2^0 - u{k}*2^-2*t"},
    {"dw": "u{k}*2^-3*y0*x0 - y0*2^-5*(w-9)"},
)
_SOURCE_ONLY = (
    {"dw": "x0*2^-1*x1 - u{k}*2^-3*w"},
    {"dw": "u{k}*2^-5*x1 - u{k}*2^-6*w", "dt": "x0*x2 - u{k}*2^1*sgn(t-3)"},
    {"dw": "x0*2^-3*(x1-9) + u{k}*t", "dt": "u{k}*2^-4*x1*(w+7) - x0*2^-5*d", "dd": "x0*3"},
)


@dataclass(frozen=True)
class PlasticityStructure:
    """One plasticity as all members have it. `traces` maps names to `None`, or to (tau in steps, increment)
    where the loop's text depends on both."""

    name: str
    form: str
    rounding: str
    every: int
    traces: tuple[tuple[str, tuple[float, int] | None], ...]
    rules: tuple[tuple[str, str], ...] = ()
    rates: tuple[tuple[str, Any], ...] = ()
    #: Whether its draws have a seed of their own.
    is_seeded: bool = False
    #: The output of the target that y0 and traces follow.
    postsynaptic: str = "events"

    @property
    def third_factors(self) -> frozenset[str]:
        """What the target has to send."""
        if self.rates:
            return frozenset(("y1", "y2"))
        if any(name.startswith("y") for name, _ in self.traces):
            return frozenset()
        return frozenset(it for it in ("y1", "y2", "y3") if any(it in text for _, text in self.rules))


@st.composite
def plasticity_structures(
    draw: st.DrawFn,
    name: str,
    every: int,
    third_factors: frozenset[str],
    errors: bool,
    bursts: bool,
    consolidate_every: int,
) -> PlasticityStructure:
    """A plasticity for projections onto neurons that send third factors, gather errors, burst, or do not."""
    forms = ["rule", "burst", "carry", "rule"] if errors else ["rule"]
    form = draw(st.sampled_from(forms))
    rounding = draw(st.sampled_from(ROUNDINGS))
    if form == "rule":
        sent = "lifting" if "y3" in third_factors else "third"
        factors = sent if third_factors and draw(st.booleans()) else "own"
        if factors == "own" and draw(st.integers(0, 3)) == 0:
            factors = draw(st.sampled_from(("none", "none", "flags")))
        rules = draw(st.one_of(_sensible_rules(factors), _any_rules(factors)))
        traces = _traces_of(rules, factors)
        follows = any("y0" in text for _, text in rules) or any(trace.startswith("y") for trace, _ in traces)
        followed = draw(st.sampled_from(("events", "bursts"))) if bursts and follows else "events"
        seeded = draw(st.booleans())
        return PlasticityStructure(
            name, "chip", rounding, every, traces, rules, is_seeded=seeded, postsynaptic=followed
        )
    if form == "carry":
        trace = draw(st.tuples(st.sampled_from((0.5, 4.0, 16.0, 1e6)), st.sampled_from((1, 16, 60, 127))))
        rate = draw(st.sampled_from((0, 2, 5, 9, 14)))
        rates: tuple[tuple[str, Any], ...] = (("learning_rate", f"2^-{rate}"),)
        return PlasticityStructure(name, "carry", rounding, every, (("x1", trace),), rates=rates)
    # Beyond 2^-7 the neuron sends smaller third factors, to all its plastic projections alike.
    rate = draw(st.sampled_from((-8, 0, 2, 4, 6, 7)))
    consolidation = draw(st.integers(1, 7) if not consolidate_every else st.sampled_from((-8, -2, 0, 3, 7)))
    rates = (
        ("learning_rate", f"2^{-rate}"),
        ("consolidation_rate", f"2^{-consolidation}"),
        ("consolidate_every", consolidate_every),
    )
    return PlasticityStructure(name, "chip", rounding, every, (("x1", None),), rates=rates)


def _sensible_rules(factors: str) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    among = {
        "own": _TWO_FACTORS,
        "third": _THIRD_FACTORS,
        "lifting": _LIFTING,
        "none": _SOURCE_ONLY,
        "flags": _FLAGS,
    }[factors]
    return st.builds(
        lambda rules, k: tuple((target, text.format(k=k)) for target, text in rules.items()),
        st.sampled_from(among),
        st.sampled_from((0, 0, 1, 3)),
    )


@st.composite
def _any_rules(draw: st.DrawFn, factors: str) -> tuple[tuple[str, str], ...]:
    """Anything that the grammar takes, with at least one trace of the source in it or with none at all."""
    k = draw(st.sampled_from((0, 0, 0, 1, 2, 5, 9)))
    conditions = st.sampled_from(("x0", "y0", f"u{k}", f"u{k}"))
    targets = ["dw", *sorted(draw(st.sets(st.sampled_from(("dt", "dd")))))]
    kinds = {
        "own": ("x1", "x2", "y1", "y2", "y3"),
        "third": ("x1", "x2", "y1", "y2"),
        "lifting": ("x1", "x2", "y1", "y3"),
        "none": ("x1", "x2"),
        "flags": ("x0", "y0"),
    }[factors]
    every_kind = (*kinds, *kinds, "x0", "y0", "w", "t", "d", "sgn(w)", "sgn(t)", "sgn(d)")
    sums = {
        target: list(draw(st.lists(_products(conditions, every_kind), min_size=1, max_size=2)))
        for target in targets
    }
    read = {
        factor.variable for products in sums.values() for product in products for factor in product.factors
    }
    if factors != "flags" and "x1" not in read and "x2" not in read:
        sums["dw"].append(Product("x0", (Factor("x1"),), 1, -2))
    if factors == "own" and not read & {"y1", "y2", "y3"}:
        sums["dw"].append(Product(draw(conditions), (Factor("y1"), Factor("x1")), -1, -3))
    others = [factor.variable for name in ("dw", "dt") for it in sums.get(name, []) for factor in it.factors]
    if "dd" in sums and "d" not in others:
        # A d that nothing reads is refused.
        sums["dw"].append(Product("x0", (Factor("d"),), 1, -5))
    made: dict[str, Any] = {
        target: SumOfProducts(cast(Any, target), tuple(products)) for target, products in sums.items()
    }
    rule = LearningRule(**made)
    return tuple((change.target, str(change)) for change in rule.sums)


@st.composite
def _products(draw: st.DrawFn, conditions: st.SearchStrategy[Any], kinds: tuple[str, ...]) -> Product:
    factors = []
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=3)):
        low, high = constant_range(cast(FactorKind, kind))
        constant = draw(
            st.one_of(st.just(0), st.just(0), st.integers(low, high), st.sampled_from((low, high)))
        )
        factors.append(Factor(cast(FactorKind, kind), constant))
    scales = st.tuples(st.integers(*MANTISSAS), st.integers(-7, 2) | st.integers(*EXPONENTS))
    scale = draw(scales.filter(lambda scale: scale[0] not in (0, -8) or scale[1] == EXPONENTS[1]))
    return Product(draw(conditions), tuple(factors), *scale)


def _traces_of(rules: tuple[tuple[str, str], ...], factors: str) -> tuple[tuple[str, None], ...]:
    names = ("x1", "x2", "y1", "y2", "y3") if factors == "own" else ("x1", "x2")
    text = " ".join(rule for _, rule in rules)
    return tuple((name, None) for name in names if name in text)


@st.composite
def plasticities(draw: st.DrawFn, it: PlasticityStructure, step_ms: float) -> dict[str, Any]:
    """The mapping of one plasticity in YAML."""
    traces = []
    for name, fixed in it.traces:
        tau, increment = fixed or (
            draw(between(0.5, 40, (0.0, 1e-3, 0.2, 300.0, 1e9))),
            draw(st.one_of(st.integers(0, 127), st.sampled_from((16, 16, 0, 1, 127)))),
        )
        traces.append({"name": name, "tau": quantity(tau * step_ms, "ms"), "increment": increment})
    keys: dict[str, Any] = {
        "form": it.form,
        "every": quantity(it.every * step_ms, "ms"),
        "rounding": it.rounding,
    }
    if traces:
        keys |= {"trace": traces[0]} if len(traces) == 1 else {"traces": traces}
    if it.postsynaptic != "events":
        keys["postsynaptic"] = it.postsynaptic
    if it.is_seeded:
        keys["seed"] = draw(st.sampled_from((0, 5, 2**32 - 1)))
    return keys | dict(it.rates) | dict(it.rules)

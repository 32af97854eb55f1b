"""Exponents, rules and epochs as the chip takes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compiler.ir.values import Uniform
from compiler.passes.elaborate import elaborate
from compiler.passes.lower import carrying_burst_rule, consolidated_burst_rule, lower
from compiler.passes.quantize import quantize
from hw_models.plasticity.engine_numpy import EpochTraces, SynapticVariables, learn
from hw_models.plasticity.grammar import learning_rule


@pytest.fixture
def lowered(make: Any) -> Any:
    return lambda *parts, **more: lower(quantize(elaborate(make.network(*parts, **more))))


#: A weight of a burst unit at exponent 6 is 20/128 mV.
UNIT = 20 / 128


@pytest.mark.parametrize(
    ("limits", "port_exponent", "left"),
    [
        ([256 * UNIT], 6, [0]),
        ([512 * UNIT], 7, [0]),
        ([1024 * UNIT / 8], 5, [0]),
        # The port takes the smallest, the others keep what is left.
        ([256 * UNIT, 32 * UNIT], 3, [3, 0]),
        ([32 * UNIT, 512 * UNIT], 3, [0, 4]),
        # A finer voltage scale takes the place of an exponent below 0.
        ([UNIT], 0, [0]),
        # As far as the other goes: then the projection's sum is shifted right.
        ([UNIT, 256 * UNIT], 0, [-1, 7]),
    ],
)
def test_the_port_takes_the_exponent_that_all_share(
    make: Any, lowered: Any, limits: list[float], port_exponent: int, left: list[int]
) -> None:
    parts = [make.population("a"), make.population("n", "burst_unit")]
    parts += [
        make.projection("a.events", "n.soma", Uniform(-UNIT, UNIT), limit=limit, name=f"p{i}")
        for i, limit in enumerate(limits)
    ]
    code = lowered(*parts)
    assert code.population("n").parameters["soma_exp"] == port_exponent
    assert [projection.weight_exp for projection in code.projections] == left


def test_ports_without_projections_and_models_without_exponents_stay(make: Any, lowered: Any) -> None:
    code = lowered(
        make.population("a"),
        make.population("n", "burst_unit"),
        make.population("l"),
        make.projection("a.events", "l.soma", 20.0),
    )
    assert code.population("n").parameters["soma_exp"] == 6
    assert code.projections[0].weight_exp == 0


@pytest.mark.parametrize(
    ("rate", "consolidation", "rules", "factor_shift"),
    [
        (2.0**-4, 2.0**-6, {"dt": "u0*2^-4*x1*y1 - u0*t*y2", "dw": "u0*2^-6*t*y2"}, 0),
        (1.0, 1.0, {"dt": "u0*2^0*x1*y1 - u0*t*y2", "dw": "u0*2^0*t*y2"}, 0),
        (8.0, 2.0, {"dt": "u0*2^3*x1*y1 - u0*t*y2", "dw": "u0*2^1*t*y2"}, 0),
        (2.0**-7, 2.0**-7, {"dt": "u0*2^-7*x1*y1 - u0*t*y2", "dw": "u0*2^-7*t*y2"}, 0),
        # Smaller rates than the grammar has: the neuron sends less.
        (2.0**-9, 2.0**-6, {"dt": "u0*2^-7*x1*y1 - u0*t*y2", "dw": "u0*2^-6*t*y2"}, 2),
        (2.0**-14, 2.0**-6, {"dt": "u0*2^-7*x1*y1 - u0*t*y2", "dw": "u0*2^-6*t*y2"}, 7),
    ],
)
def test_the_burst_rule_in_the_chip_s_grammar(
    make: Any, lowered: Any, rate: float, consolidation: float, rules: dict[str, str], factor_shift: int
) -> None:
    code = lowered(
        make.population("a"),
        make.population("n", "burst_unit"),
        make.burst_rule(learning_rate=rate, consolidation_rate=consolidation),
        make.projection("a.events", "n.soma", Uniform(-1.0, 1.0), learn="rule"),
    )
    learning = code.projections[0].learning
    assert learning.rules == rules
    assert code.population("n").parameters["factor_shift"] == factor_shift
    assert code.population("n").gather_every == 8 and code.population("a").gather_every == 0
    # The rule is one that the grammar takes as it stands.
    learning_rule(rules["dw"], rules["dt"], None)


def test_every_shift_that_quantize_lets_through_is_in_the_grammar() -> None:
    for shift in range(-8, 8):
        rules = consolidated_burst_rule(shift, shift)
        learning_rule(rules["dw"], rules["dt"], None)
    for shift in range(-8, 8):
        rules = carrying_burst_rule(shift, max(shift, 1))
        learning_rule(rules["dw"], rules["dt"], None)


def test_a_tag_carries_whole_weight_units_and_keeps_the_rest() -> None:
    rules = carrying_burst_rule(4, 6)
    tags = np.array([[0], [63], [64], [65], [200], [-64], [-65], [-200]])
    one = np.zeros((2, 3, 1), dtype=np.int64)
    for draw in (0, 63, 64, 127):
        after = learn(
            learning_rule(rules["dw"], rules["dt"]),
            SynapticVariables(np.full((8, 1), 10), tags, np.zeros((8, 1), dtype=np.int64)),
            EpochTraces(
                np.zeros((2, 2, 8), dtype=np.int64),
                one,
                np.ones(8, dtype=np.int64),
                np.zeros(1, dtype=np.int64),
            ),
            epoch=1,
            draw=draw,
        )
        # At just +-64 half a unit is carried, rounded at random; the tag pays for half of it either way.
        half = int(draw < 64)
        assert after.w.ravel().tolist() == [10, 10, 10 + half, 11, 11, 9 + half, 9, 9]
        assert after.t.ravel().tolist() == [0, 63, 32, 1, 136, -32, -1, -136]


def test_other_rules_and_forms_are_left_alone(make: Any, lowered: Any) -> None:
    parts = [make.population("a"), make.population("n", "burst_unit")]
    own = replace(
        make.burst_rule("rule"),
        learning_rate=None,
        consolidation_rate=None,
        consolidate_every=None,
        rules={"dw": "u0*2^-4*x1*y1"},
    )
    projection = make.projection("a.events", "n.soma", Uniform(-1.0, 1.0), learn="rule")
    assert lowered(*parts, own, projection).projections[0].learning.rules == {"dw": "u0*2^-4*x1*y1"}
    carry = lowered(*parts, make.burst_rule(form="carry"), projection)
    assert carry.projections[0].learning.rules == {}
    assert carry.population("n").parameters["factor_shift"] == 0 and carry.population("n").gather_every == 8


@pytest.mark.parametrize(
    ("first", "second", "what", "given"),
    [
        ({}, {"every": 4.0}, "learning epoch", "p: 8, q: 4"),
        ({"learning_rate": 2.0**-9}, {"learning_rate": 2.0**-8}, "learning rate beyond 2^-7", "p: 2, q: 1"),
        ({"learning_rate": 2.0**-9}, {"form": "carry"}, "learning rate beyond 2^-7", "p: 2, q: 0"),
    ],
)
def test_what_a_neuron_does_once_must_be_the_same_for_all(
    make: Any, first: dict[str, Any], second: dict[str, Any], what: str, given: str
) -> None:
    (error,) = make.errors(
        make.population("a"),
        make.population("n", "burst_unit"),
        make.burst_rule("one", **first),
        make.burst_rule("two", **second),
        make.projection("a.events", "n.soma", 1.0, learn="one", name="p"),
        make.projection("a.events", "n.soma", 1.0, learn="two", name="q"),
    )
    assert error.id == "BC320"
    assert error.message == f"the plastic projections onto 'n' differ in {what}"
    assert error.given == given
    assert error.hint == "use one plasticity for all projections of the population"


def test_rates_that_differ_within_the_grammar_are_fine(make: Any, lowered: Any) -> None:
    code = lowered(
        make.population("a"),
        make.population("n", "burst_unit"),
        make.burst_rule("one", learning_rate=2.0**-4),
        make.burst_rule("two", learning_rate=2.0**-7),
        make.projection("a.events", "n.soma", 1.0, learn="one", name="p"),
        make.projection("a.events", "n.soma", 1.0, learn="two", name="q"),
    )
    assert code.population("n").parameters["factor_shift"] == 0

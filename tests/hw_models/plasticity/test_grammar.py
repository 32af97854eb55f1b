"""Rule strings: what they mean, that they survive a round trip, and what is said about wrong ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_models.diagnostics import BurstchipError, Place
from hw_models.plasticity.grammar import learning_rule, parse_rule
from hw_models.plasticity.rule import Factor, LearningRule, Product, SumOfProducts


def test_the_burst_rule() -> None:
    rule = learning_rule(dw="u0*2^-6*t*y2", dt="u0*2^-4*x1*y1 - u0*t*y2")
    assert rule.dt is not None and rule.dd is None
    assert rule.dt.products == (
        Product("u0", (Factor("x1"), Factor("y1")), 1, -4),
        Product("u0", (Factor("t"), Factor("y2")), -1, 0),
    )
    assert [product.shift for product in rule.dt.products] == [3, 5]
    assert [product.gain for product in rule.dt.products] == [2.0**-7, -(2.0**-5)]
    assert rule.conditions == {"u"} and rule.variables == {"x1", "y1", "y2", "t"}
    assert str(rule.dt) == "u0*2^-4*x1*y1 - u0*t*y2"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("64*x0", Product("x0", (), 4, 4)),
        ("2^-3 * x0 * 3 * 2^1 * y1", Product("x0", (Factor("y1"),), 3, -2)),
        ("-8*2^7*x0", Product("x0", (), -4, 8)),
        ("-8*2^8*x0", Product("x0", (), -8, 8)),
        ("0*y0", Product("y0", (), 0, 0)),
        ("x0*y0*x1", Product("x0", (Factor("y0"), Factor("x1")))),
        ("y1*u9*x0", Product("u9", (Factor("y1"), Factor("x0")))),
        ("x0*(x1-3)", Product("x0", (Factor("x1", -3),))),
        ("x0*(3-x1)", Product("x0", (Factor("x1", -3),), -1)),
        ("x0*(-3-x1)", Product("x0", (Factor("x1", 3),), -1)),
        ("x0*(-x1+3)", Product("x0", (Factor("x1", -3),), -1)),
        ("x0*(w-3*2^4)", Product("x0", (Factor("w", -48),))),
        ("x0*(255-w)", Product("x0", (Factor("w", -255),), -1)),
        ("x0*(y1)*(-3)*(2^2)", Product("x0", (Factor("y1"),), -3, 2)),
        ("x0*sgn(w)*sgn(t-5)", Product("x0", (Factor("sgn(w)"), Factor("sgn(t)", -5)))),
        ("(x0-1)*y0", Product("y0", (Factor("x0", -1),))),
        ("+x0*2^+2", Product("x0", (), 1, 2)),
    ],
)
def test_a_product(text: str, meaning: Product) -> None:
    assert parse_rule("dw", text).products == (meaning,)


@given(data=st.data())
def test_text_and_value_are_one(data: st.DataObject, any_product: st.SearchStrategy[Product]) -> None:
    written = SumOfProducts("dt", tuple(data.draw(st.lists(any_product, min_size=1, max_size=4))))
    assert parse_rule("dt", str(written)) == written


@given(st.text(alphabet="xyuwtdsgn0123789+-*^() ._/", max_size=24))
def test_any_text_is_a_rule_or_has_messages(text: str) -> None:
    """No text ends in anything but a rule or messages that stand within the text."""
    line = f"  dw: {text}"
    try:
        parse_rule("dw", text, Place("a.yaml", 1, 7, 1, line))
    except BurstchipError as error:
        for diagnostic in error.diagnostics:
            assert diagnostic.place is not None
            assert 7 <= diagnostic.place.column <= max(7, len(line))
            assert str(diagnostic)


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("u12*x1", ["1+3 BC202 'u12' has a K with several digits, which Lava reads as u1 times 2"]),
        ("x0*y7", ["4+2 BC201 unknown name 'y7'"]),
        ("x3*u0", ["1+2 BC201 unknown name 'x3'"]),
        ("u*x1", ["1+1 BC201 unknown name 'u'"]),
        ("X0*y1", ["1+2 BC201 unknown name 'X0'"]),
        ("sign(w)*x0", ["1+4 BC201 unknown name 'sign'"]),
        ("x0*sgn*y1", ["4+3 BC201 unknown name 'sgn'"]),
        ("2^-6*x1*y1", ["1+10 BC203 a product without a condition"]),
        ("x0*y1 - x1", ["9+2 BC203 a product without a condition"]),
        ("x0*u1*y1", ["4+2 BC204 u1 follows the condition x0"]),
        ("u0*u0*y1", ["4+2 BC204 u0 follows the condition u0"]),
        ("u0*(u1-3)", ["5+2 BC204 the condition u1 cannot be inside a bracket"]),
        ("0.5*x0*y1", ["1+3 BC205 a rule cannot contain decimal numbers"]),
        ("x0*2^2.5", ["6+3 BC205 a rule cannot contain decimal numbers"]),
        ("x0*1e-3", ["4+4 BC205 a rule cannot contain decimal numbers"]),
        ("x0*3^2", ["4+3 BC206 a scale must be an integer or a power of two"]),
        ("x0*2^y1", ["4+4 BC206 a scale must be an integer or a power of two"]),
        ("x0*2^", ["4+2 BC206 a scale must be an integer or a power of two"]),
        ("x0*(x1-3)^2", ["10+1 BC206 only powers of two are allowed"]),
        ("9*x0*y1", ["1+7 BC207 the scale of this product exceeds the chip's mantissa"]),
        ("8*2^8*x0", ["1+8 BC207 the scale of this product exceeds the chip's mantissa"]),
        ("x0*" + "9" * 5000, ["1+5003 BC207 the scale of this product exceeds the chip's mantissa"]),
        ("2^-8*x0", ["1+7 BC208 the exponent of this product is out of range"]),
        ("x0*2^9", ["1+6 BC208 the exponent of this product is out of range"]),
        ("x0*x1*-1*y1", ["7+1 BC209 a sign inside a product"]),
        ("x0 + -y0", ["6+1 BC209 two signs in a row"]),
        ("x0*(y1-y2)", ["4+7 BC210 (y1-y2) is not a variable plus a constant"]),
        ("x0*(x1*3)", ["4+6 BC210 (x1*3) is not a variable plus a constant"]),
        ("x0*(x1-3+4)", ["4+8 BC210 (x1-3+4) is not a variable plus a constant"]),
        ("x0*((x1-3))", ["4+8 BC210 ((x1-3)) is not a variable plus a constant"]),
        ("x0*()", ["4+2 BC210 an empty bracket"]),
        ("x0*(-x1)", ["4+5 BC210 Lava reads (-x1) as x1"]),
        ("u0*(x0)", ["4+4 BC210 Lava ignores the brackets of (x0)"]),
        ("x0*(x1", ["4+1 BC210 this bracket is never closed"]),
        ("x0)*y1", ["3+1 BC210 this bracket was never opened"]),
        ("x0*sgn(x1)", ["4+7 BC211 sgn(...) must contain a synaptic variable"]),
        ("x0*sgn(3)", ["4+6 BC211 sgn(...) must contain a synaptic variable"]),
        ("x0*sgn(-w)", ["4+7 BC211 sgn(...) cannot take a negated variable"]),
        ("x0*sgn(3-w)", ["4+8 BC211 sgn(...) cannot take a negated variable"]),
        ("2x0*y1", ["2+2 BC212 no '*' between '2' and 'x0'"]),
        ("x0 y1", ["4+2 BC212 no '*' between 'x0' and 'y1'"]),
        ("x0*", ["3+1 BC212 a factor is missing after '*'"]),
        ("x0**y1", ["3+2 BC216 powers are written with '^'"]),
        ("x0*y1 -", ["7+1 BC212 a factor is missing after the sign"]),
        ("*x0", ["1+1 BC212 a factor is missing before '*'"]),
        ("", ["1+1 BC214 the rule for dw is empty"]),
        ("   ", ["1+3 BC214 the rule for dw is empty"]),
        ("x0*(x1-200)", ["4+8 BC215 the constant -200 beside x1 is out of range"]),
        ("x0*(w+256)", ["4+7 BC215 the constant +256 beside w is out of range"]),
        ("x0*(x1-2^-1)", ["4+9 BC215 a constant inside a factor must be an integer"]),
        ("u0*2**-6*x1", ["5+2 BC216 powers are written with '^'"]),
        ("u0*x1/8", ["6+1 BC217 a rule cannot contain a division"]),
        ("x0 − y0", ["4+1 BC200 '−' is not part of a learning rule"]),
        (
            "x0 & y0",
            ["4+1 BC200 '&' is not part of a learning rule", "6+2 BC212 no '*' between 'x0' and 'y0'"],
        ),
        (
            "u12*x1 + 0.3*y7 - 9*x0",
            [
                "1+3 BC202 'u12' has a K with several digits, which Lava reads as u1 times 2",
                "10+3 BC205 a rule cannot contain decimal numbers",
                "14+2 BC201 unknown name 'y7'",
                "19+4 BC207 the scale of this product exceeds the chip's mantissa",
            ],
        ),
    ],
)
def test_a_mistake(text: str, messages: list[str]) -> None:
    with pytest.raises(BurstchipError) as caught:
        parse_rule("dw", text, Place("a.yaml", 3, 1, 1, text))
    told = []
    for diagnostic in caught.value.diagnostics:
        assert diagnostic.place is not None
        told.append(
            f"{diagnostic.place.column}+{diagnostic.place.length} {diagnostic.id} {diagnostic.message}"
        )
    assert told == messages


def test_the_whole_message() -> None:
    line = '    dw: "u0*2^-4*x1*0.25"'
    with pytest.raises(BurstchipError) as caught:
        parse_rule("dw", "u0*2^-4*x1*0.25", Place("net.yaml", 7, 9, 17, line))
    assert str(caught.value) == (
        "net.yaml:7:21: error[BC205]: a rule cannot contain decimal numbers\n"
        '   7 |     dw: "u0*2^-4*x1*0.25"\n'
        "     |                     ^^^^\n"
        "  required: an integer or a power of two    given: 0.25    hint: write 2^-2"
    )


def test_a_text_that_the_line_does_not_hold_is_marked_whole() -> None:
    place = Place("net.yaml", 7, 9, 3, "    dw: >-")
    with pytest.raises(BurstchipError) as caught:
        parse_rule("dw", "u0*x1 * y7", place)
    assert caught.value.diagnostics[0].place == place


def test_several_k_in_one_rule_set() -> None:
    places = {"dt": Place("a.yaml", 4, 7, 1, "  dt: x0*y1 + u2*x1")}
    with pytest.raises(BurstchipError) as caught:
        learning_rule(dw="u1*x1", dt="x0*y1 + u2*x1", places=places)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "BC213" and diagnostic.message == "dt has the condition u2, but dw has u1"
    assert diagnostic.place is not None and (diagnostic.place.column, diagnostic.place.length) == (15, 2)


def test_mistakes_of_all_texts_are_told() -> None:
    with pytest.raises(BurstchipError) as caught:
        learning_rule(dw="y7*x0", dt="0.5*x0", dd="x0*")
    assert [diagnostic.id for diagnostic in caught.value.diagnostics] == ["BC201", "BC205", "BC212"]


def test_no_rule() -> None:
    with pytest.raises(BurstchipError, match="a rule is missing"):
        learning_rule()


def test_when_uk_holds() -> None:
    rule = learning_rule(dw="u2*x1")
    assert [epoch for epoch in range(1, 13) if rule.holds_u(epoch)] == [4, 8, 12]
    assert not LearningRule(dw=parse_rule("dw", "x0")).holds_u(1)

"""Named functions: what they are in digits, in integers and in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from hw_models.program import numpy_interpreter, real_interpreter
from hw_models.program.functions import FUNCTIONS, FixedFunction
from hw_models.program.printer import program_lines
from hw_models.program.rewrite import rewrite, specialize
from hw_models.program.serialise import decode_program, encode_program
from hw_models.program.trace import clip, function, program
from hw_models.program.verify import ProgramError, verify_program
from hw_models.program.widths import Width, signed

MATH: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "inverse": lambda x: -1 / (1 + x) if x > 0 else x - 1,
    "tanh": math.tanh,
}


@program(
    states={"v": signed(12)},
    parameters={},
    inputs={"x": Width(-400, 400), "on": Width(0, 1)},
    outputs={"p": Width(0, 256), "e": Width(0, 5000), "t": Width(-64, 64), "i": Width(-500, 0)},
)
def each_function(s: Any, p: Any, x: Any) -> Any:
    """Every function of the table, on an argument in 64ths."""
    return {"v": x.x * x.on}, {
        "p": function("sigmoid", x.x * x.on, argument_bits=6, result_bits=8),
        "e": function("exp", clip(x.x, -400, 256), argument_bits=6, result_bits=6),
        "t": function("tanh", x.x, argument_bits=6, result_bits=6),
        "i": function("inverse", x.x, argument_bits=6, result_bits=6),
    }


def test_the_table_is_covered() -> None:
    assert set(MATH) == set(FUNCTIONS) == {it.name for it in each_function.functions}
    verify_program(each_function)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_digits_agree_with_the_library(name: str) -> None:
    fixed = FixedFunction(name, 5, 7)
    for x in range(-200, 200, 7):
        wanted = MATH[name](x / 32) * 128
        assert float(fixed.exact(x)) == pytest.approx(wanted, rel=1e-14, abs=1e-14)
        assert float(fixed.real(x)) == pytest.approx(wanted, rel=1e-14, abs=1e-14)
        assert fixed.nearest(x) == round(wanted)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_what_lies_far_out_has_its_limit(name: str) -> None:
    """No overflow, and no result that is not increasing, at the ends of 32 bits."""
    fixed = FixedFunction(name, 4, 10)
    low, high = fixed.exact(-(1 << 31)), fixed.exact((1 << 31) - 1)
    assert fixed.nearest(-(1 << 31)) == {"exp": 0, "sigmoid": 0, "tanh": -1024}.get(name, int(low))
    assert fixed.nearest((1 << 31) - 1) == {"sigmoid": 1024, "tanh": 1024, "inverse": 0}.get(name, int(high))
    assert low < fixed.exact(-5) < fixed.exact(0) < fixed.exact(5) < high


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_second_derivative_is_bounded(name: str) -> None:
    """Second differences of the digits never exceed the bound, which is not ten times too great."""
    fixed = FixedFunction(name, 6, 20)
    values = [Fraction(fixed.exact(x)) for x in range(-300, 301)]
    for high in (-100, 0, 300):
        until = values[: high + 301]
        most = max(abs(a - 2 * b + c) for a, b, c in zip(until, until[1:], until[2:], strict=False))
        assert most <= Fraction(fixed.bend(high)) < 10 * most or (name != "exp" and high < 300)


def test_integers_are_the_nearest_and_reals_exact() -> None:
    x = np.arange(-400, 401)
    inputs = {"x": x, "on": 1}
    _, integers = numpy_interpreter.step(each_function, {"v": 0}, {}, inputs)
    _, reals = real_interpreter.step(each_function, {"v": 0.0}, {}, inputs)
    wanted = {
        "p": [MATH["sigmoid"](v / 64) * 256 for v in x],
        "e": [MATH["exp"](min(v, 256) / 64) * 64 for v in x],
        "t": [MATH["tanh"](v / 64) * 64 for v in x],
        "i": [MATH["inverse"](v / 64) * 64 for v in x],
    }
    for name, values in wanted.items():
        assert integers[name].tolist() == [round(value) for value in values]
        np.testing.assert_allclose(reals[name], values, rtol=1e-14, atol=1e-14)


def test_a_real_argument_is_not_rounded_nor_is_one_that_is_known() -> None:
    _, reals = real_interpreter.step(each_function, {"v": 0.0}, {}, {"x": 10.25, "on": 0.0})
    assert reals["t"] == pytest.approx(math.tanh(10.25 / 64) * 64, rel=1e-15)
    off = specialize(each_function, {"on": 0})
    assert off.functions == each_function.functions
    _, reals = real_interpreter.step(off, {"v": 0.0}, {}, {"x": 10.25})
    assert reals["p"] == 128.0


def test_a_program_with_functions_is_written_and_read() -> None:
    written = encode_program(each_function)
    assert written["functions"] == [["sigmoid", 6, 8], ["exp", 6, 6], ["tanh", 6, 6], ["inverse", 6, 6]]
    assert decode_program(written) == each_function
    lines = "\n".join(program_lines(each_function))
    assert "function(t3, sigmoid 2^-6 -> 2^-8): 0..256" in lines
    assert "functions" not in encode_program(rewrite(each_function, lambda node, a: constant(node, a)))


def constant(node: Any, arguments: Any) -> Any:
    return arguments[0] * 0 if node.operation == "function" else None


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        (
            [["sine", 6, 8], ["exp", 6, 6], ["tanh", 6, 6], ["inverse", 6, 6]],
            "no function 'sine', required: exp, sigmoid, inverse, tanh",
        ),
        (
            [["sigmoid", 31, 8], ["exp", 6, 6], ["tanh", 6, 6], ["inverse", 6, 6]],
            "function sigmoid with a fraction of 31 bits, at most 30",
        ),
        (
            [["sigmoid", 6, -1], ["exp", 6, 6], ["tanh", 6, 6], ["inverse", 6, 6]],
            "function sigmoid with a fraction of -1 bits, at most 30",
        ),
        ([["sigmoid", 6, 8]], "operation 9: no function 1"),
        ([["sigmoid", 6, "8"]], "'8' where an integer is required"),
        ([["exp", 0, 0], ["exp", 6, 6], ["tanh", 6, 6], ["inverse", 6, 6]], "exceeds 64 bits"),
    ],
)
def test_a_function_that_is_none(functions: list[Any], message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        decode_program({**encode_program(each_function), "functions": functions})
    assert message in str(caught.value)


def test_a_name_that_is_none() -> None:
    with pytest.raises(AssertionError, match="no function 'sine': one of exp, sigmoid, inverse, tanh"):

        @program(states={}, parameters={}, inputs={"x": signed(8)}, outputs={"y": signed(8)})
        def wrong(s: Any, p: Any, x: Any) -> Any:
            return {}, {"y": function("sine", x.x, argument_bits=4, result_bits=4)}

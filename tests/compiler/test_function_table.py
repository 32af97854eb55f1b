"""Tables of functions: the proven bound holds for every argument, and is not much greater than need be."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from compiler.function_table import MOST_ENTRIES, FunctionTable, function_table
from hw_models.program.functions import FixedFunction
from hw_models.program.numpy_interpreter import step
from hw_models.program.trace import program
from hw_models.program.verify import verify_program
from hw_models.program.widths import Width, signed

#: Few arguments, of which each has its entry; and many, between which the table interpolates.
FEW = (
    (FixedFunction("sigmoid", 6, 6), signed(12)),
    (FixedFunction("sigmoid", 4, 0), signed(9)),
    (FixedFunction("exp", 3, 5), Width(-100, 40)),
    (FixedFunction("tanh", 5, 8), signed(10)),
    (FixedFunction("inverse", 6, 8), Width(-70, 800)),
    (FixedFunction("exp", 4, 4), Width(5, 5)),
    (FixedFunction("sigmoid", 2, 3), Width(100, 900)),
)
MANY = (
    (FixedFunction("sigmoid", 9, 12), signed(13)),
    (FixedFunction("sigmoid", 8, 16), Width(-800, 4000)),
    (FixedFunction("exp", 10, 8), Width(-7000, 3001)),
    (FixedFunction("exp", 10, 20), Width(-(1 << 13), 0)),
    (FixedFunction("tanh", 9, 12), signed(13)),
    (FixedFunction("inverse", 12, 14), Width(0, 4095)),
    (FixedFunction("inverse", 9, 12), signed(12)),
)


def in_a_program(table: FunctionTable) -> Any:
    """The table's operations over all of its arguments: the integers of the specification."""

    @program(states={}, parameters={}, inputs={"x": table.argument}, outputs={"y": signed(32)})
    def looked_up(s: Any, p: Any, x: Any) -> Any:
        return {}, {"y": table.in_program(x.x)}

    verify_program(looked_up)
    result = looked_up.nodes[looked_up.output["y"]].width
    assert table.function.width(table.argument).holds(result), "the result's range is that of the function"
    x = np.arange(table.argument.low, table.argument.high + 1)
    return x, step(looked_up, {}, {}, {"x": x})[1]["y"]


@pytest.mark.parametrize(("function", "argument"), [*FEW, *MANY], ids=str)
def test_the_bound_holds_for_every_argument(function: FixedFunction, argument: Width) -> None:
    table = function_table(function, argument)
    assert len(table.entries) <= MOST_ENTRIES
    worst = Fraction(0)
    for x, y in zip(*in_a_program(table), strict=True):
        exact = Fraction(function.exact(int(x)))
        worst = max(worst, abs(int(y) - exact))
        assert abs(int(y) - exact) <= table.bound, x
        assert table.result(int(x)) == y
    assert table.bound <= max(Fraction(1, 2), worst * Fraction(5, 4))
    assert Fraction(table.value_bound) * (1 << function.result_bits) >= table.bound
    # What the report shows as the worst is near it.
    assert Fraction(table.error(table.worst())) >= worst * Fraction(7, 10)


@pytest.mark.parametrize(("function", "argument"), FEW, ids=str)
def test_few_arguments_have_an_entry_each(function: FixedFunction, argument: Width) -> None:
    table = function_table(function, argument)
    assert table.spacing == 0 and table.bound <= Fraction(1, 2) + Fraction(1, 10**39)
    x, y = in_a_program(table)
    assert y.tolist() == [function.nearest(int(value)) for value in x]


@pytest.mark.parametrize(("function", "argument"), MANY, ids=str)
def test_many_arguments_share_entries(function: FixedFunction, argument: Width) -> None:
    table = function_table(function, argument)
    assert table.spacing > 0 and len(table.entries) > MOST_ENTRIES // 2
    _, y = in_a_program(table)
    assert np.all(np.diff(y) >= 0), "an increasing function has an increasing table"


@pytest.mark.parametrize("most", [2, 3, 17, 100])
def test_the_bound_grows_with_fewer_entries(most: int) -> None:
    """With chords of any length it holds, and it says what they cost."""
    function = FixedFunction("sigmoid", 6, 10)
    table = function_table(function, signed(11), most)
    assert len(table.entries) <= most
    looked_up = zip(*in_a_program(table), strict=True)
    worst = max(abs(int(y) - Fraction(function.exact(int(x)))) for x, y in looked_up)
    assert worst <= table.bound
    assert table.bound > function_table(function, signed(11), 10 * most).bound


def test_ends_where_nothing_changes_are_cut() -> None:
    """Of 2^31 arguments those count at which the result is neither 0 nor 1."""
    table = function_table(FixedFunction("sigmoid", 6, 6), Width(-(1 << 30), 1 << 30))
    assert (table.first, table.last, table.spacing) == (-311, 311, 0)
    assert (table.entries[0], table.entries[1], table.entries[-2], table.entries[-1]) == (0, 1, 63, 64)
    assert [table.result(x) for x in (-(1 << 30), 0, 1 << 30)] == [0, 32, 64]

"""What a cut loses: found by computing without it, and only where a result changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hw_models.neurons.registry import models
from hw_models.program.losses import cuts, losing, telling
from hw_models.program.numpy_interpreter import step
from hw_models.program.trace import lookup, maximum, minimum, program, saturate, where, wrap
from hw_models.program.verify import verify_program
from hw_models.program.widths import FLAG, signed, unsigned

TABLE = tuple(range(0, 128, 2))


@program(
    states={"a": signed(8), "b": signed(12), "c": signed(16)},
    parameters={},
    inputs={"x": signed(16), "on": FLAG},
    outputs={"y": signed(16)},
)
def several(s: Any, p: Any, x: Any) -> Any:
    a = saturate(s.a + x.x, bits=8)
    untaken = saturate(s.b + x.x, bits=11)
    limited = minimum(saturate(s.c + x.x, bits=12), 100)
    index = maximum(minimum(saturate(x.x, bits=5), 15), 0)
    sent = wrap(s.b + x.x, bits=12)
    return {"a": a, "b": where(x.on, untaken, s.b), "c": maximum(limited, -100)}, {
        "y": sent + lookup(TABLE, index)
    }


def expected(s: dict[str, int], x: int, on: int) -> bool:
    """Whether a cut changes anything, worked out by hand."""
    index = min(x, 15) != min(min(x, 15), 15)
    return (
        abs(s["a"] + x) > 127
        or (bool(on) and abs(s["b"] + x) > 1023)
        or not -2047 <= s["b"] + x <= 2048
        or index
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_cut_counts_where_a_result_changes(seed: int) -> None:
    draw = np.random.default_rng(seed)
    watched = losing(several, "lost")
    verify_program(watched)
    for _ in range(400):
        state = {name: int(draw.integers(-100, 100)) for name in ("a", "b", "c")}
        scale = int(draw.choice([20, 150, 3000]))
        given = {"x": int(draw.integers(-scale, scale)), "on": int(draw.integers(2))}
        # What leaves its declared width ends the numpy interpretation: such a sum is not asked for.
        if not -2047 - 4095 < state["b"] + given["x"] < 2048 + 4095:
            continue
        after, sent = step(watched, {**state, "lost": 0}, {}, given)
        without, also = step(several, state, {}, given)
        assert {name: int(after[name]) for name in without} == {k: int(v) for k, v in without.items()}
        assert sent == also
        assert bool(after["lost"]) == expected(state, given["x"], given["on"]), (state, given)


def test_what_was_lost_stays_lost() -> None:
    watched = losing(several, "lost")
    rest = {"a": 0, "b": 0, "c": 0}
    assert int(step(watched, {**rest, "lost": 1}, {}, {"x": 0, "on": 0})[0]["lost"]) == 1


def test_each_cut_is_told_of_its_variable() -> None:
    mine = cuts(several)
    assert [(it.operation, it.variable) for it in mine if it.variable != "y"] == [
        ("saturate", "a"),
        ("saturate", "b"),
        ("saturate", "c"),
    ]
    names = [(f"m{n}", f"v{n}") for n in range(len(mine))]
    told = telling(several, mine, names)
    verify_program(told)
    sent = step(told, {"a": 100, "b": 1000, "c": 0}, {}, {"x": 60, "on": 0})[1]
    by_variable = {
        it.variable: (int(sent[mark]), int(sent[value]))
        for it, (mark, value) in zip(mine, names, strict=True)
    }
    # a changes its state, b was cut in the branch that is not taken, c was not cut.
    assert by_variable["a"] == (2, 160) and by_variable["b"] == (1, 1060) and by_variable["c"] == (0, 60)


def test_a_program_that_cuts_nothing_stays_as_it_is() -> None:
    @program(states={"n": unsigned(8)}, parameters={}, inputs={"x": FLAG}, outputs={"y": FLAG})
    def counting(s: Any, p: Any, x: Any) -> Any:
        return {"n": minimum(s.n + x.x, 255)}, {"y": x.x}

    assert losing(counting, "lost") is counting and cuts(counting) == ()


@pytest.mark.parametrize("name", sorted(models()))
def test_every_model_can_be_watched(name: str) -> None:
    found = models()[name].program
    if not found.sends_arrivals and not found.functions:
        verify_program(losing(found, "lost_value"))

"""The specification refuses what leaves its width and draws from the step's key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hw_models.program.numpy_interpreter import WidthError, step
from hw_models.program.random import at, row
from hw_models.program.trace import program, random_bits, saturate, where, wrap
from hw_models.program.widths import FLAG, Width, signed, unsigned


@program(
    states={"free": signed(8), "kept": signed(8), "turned": Width(-127, 128), "idle": signed(8)},
    parameters={"gain": unsigned(2)},
    inputs={"x": signed(8)},
    outputs={"high": FLAG, "sum": signed(9)},
)
def accumulator(s: Any, p: Any, x: Any) -> Any:
    """Sums without a bound, with saturation, with a wrap."""
    step = x.x * p.gain
    states = {"free": s.free + step, "kept": saturate(s.kept + step, 8), "turned": wrap(s.turned + step, 8)}
    return states, {"high": s.free > 100, "sum": s.free + x.x}


ZERO = {"free": 0, "kept": 0, "turned": 0, "idle": 5}


def run(state: Any = ZERO, gain: Any = 1, x: Any = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    return step(accumulator, state, {"gain": gain}, {"x": x})


def test_a_step() -> None:
    state, outputs = run({"free": 100, "kept": 120, "turned": 120, "idle": -3}, x=20)
    assert {name: int(value) for name, value in state.items()} == {
        "free": 120,
        "kept": 127,
        "turned": -116,
        "idle": -3,
    }
    assert int(outputs["high"]) == 0 and int(outputs["sum"]) == 120


def test_one_value_out_of_many_is_enough_for_an_error() -> None:
    free = np.array([0, 100, 20])
    with pytest.raises(WidthError) as caught:
        run({**ZERO, "free": free}, x=np.array([1, 28, 0]))
    assert str(caught.value) == "state 'free' of program 'accumulator' is 128, outside -128..127"
    state, _ = run({**ZERO, "free": free}, x=np.array([1, 27, 0]))
    assert state["free"].tolist() == [1, 127, 20]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"state": {**ZERO, "kept": -129}},
            "state 'kept' of program 'accumulator' is -129, outside -128..127",
        ),
        ({"gain": 4}, "param 'gain' of program 'accumulator' is 4, outside 0..3"),
        ({"gain": -1}, "param 'gain' of program 'accumulator' is -1, outside 0..3"),
        ({"x": 128}, "input 'x' of program 'accumulator' is 128, outside -128..127"),
        ({"gain": 3, "x": -60}, "state 'free' of program 'accumulator' is -180, outside -128..127"),
    ],
)
def test_what_leaves_its_width_is_an_error(given: dict[str, Any], message: str) -> None:
    with pytest.raises(WidthError) as caught:
        run(**given)
    assert str(caught.value) == message


def test_an_output_that_leaves_its_width() -> None:
    @program(states={}, parameters={}, inputs={"x": signed(8)}, outputs={"y": signed(8)})
    def doubled(s: Any, p: Any, x: Any) -> Any:
        return {}, {"y": x.x << 1}

    assert step(doubled, {}, {}, {"x": np.array([63, -64])})[1]["y"].tolist() == [126, -128]
    with pytest.raises(WidthError, match=r"output 'y' of program 'doubled' is 128, outside -128\.\.127"):
        step(doubled, {}, {}, {"x": 64})


def test_only_integers() -> None:
    with pytest.raises(AssertionError, match="input 'x' of accumulator is not an integer"):
        run(x=0.5)


def test_results_are_copies_of_one_shape() -> None:
    x = np.arange(6).reshape(2, 3)
    state, outputs = run(x=x)
    assert state["free"].shape == state["idle"].shape == outputs["high"].shape == (2, 3)
    state["idle"][0, 0] = 9
    assert state["idle"][0, 1] == 5


def test_draws_belong_to_the_key_and_the_place() -> None:
    @program(
        states={},
        parameters={},
        inputs={"x": FLAG},
        outputs={"a": unsigned(8), "b": unsigned(8), "c": unsigned(8)},
    )
    def draws(s: Any, p: Any, x: Any) -> Any:
        return {}, {
            "a": random_bits(x.x, 8),
            "b": random_bits(x.x, 8),
            "c": where(x.x, random_bits(x.x, 8), 0),
        }

    _, outputs = step(draws, {}, {}, {"x": np.array([0, 1, 1, 0])}, key=77)
    for number, name in enumerate("abc"):
        wanted = at(row(77, number), np.arange(4)) & 255
        if name == "c":
            wanted = wanted * np.array([0, 1, 1, 0])
        assert outputs[name].tolist() == wanted.tolist()
    assert draws.draws == 3
    _, others = step(draws, {}, {}, {"x": np.array([0, 1, 1, 0])}, key=78)
    assert others["a"].tolist() != outputs["a"].tolist()

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hw_models.neurons.registry import models
from hw_models.program.numpy_interpreter import step
from hw_models.program.ranges import output_range
from hw_models.program.widths import Width


@pytest.mark.parametrize(
    ("level", "sent"),
    [(5, Width(0, 5)), (-300, Width(-300, 0)), (np.array([-2, 7]), Width(-2, 7)), (0, Width(0, 0))],
)
def test_a_current_is_its_level_or_nothing(level: Any, sent: Width) -> None:
    program = models()["current_source"].program
    assert output_range(program, {"level": level, "start": 0, "stop": 9}, "current") == sent


def test_no_output_is_wider_than_declared() -> None:
    for model in models().values():
        parameters = {name: np.array([w.low, w.high]) for name, w in model.program.parameters.items()}
        for output, declared in model.program.outputs.items():
            assert declared.holds(output_range(model.program, parameters, output))


def test_what_a_bursting_neuron_sends_is_within(draw_integers: Any) -> None:
    program = models()["burst_unit"].program
    random = np.random.default_rng(0)
    parameters = {name: int(draw_integers(width, random, 1)[0]) for name, width in program.parameters.items()}
    states, inputs = (
        {name: draw_integers(width, random, 2000) for name, width in widths.items()}
        for widths in (program.states, program.inputs)
    )
    _, outputs = step(program, states, parameters, inputs, 3)
    for name, values in outputs.items():
        sent = output_range(program, parameters, name)
        assert sent.low <= values.min() and values.max() <= sent.high

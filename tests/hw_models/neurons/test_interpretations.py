"""Every registered model means the same whatever the simulator fixes of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hw_models.neurons.registry import models
from hw_models.program import numpy_interpreter
from hw_models.program.rewrite import specialize

NAMES = sorted(models())
#: What the simulator fixes: inference, a training, a free run.
INFERENCE = dict.fromkeys(("learning", "plastic", "gather", "report", "consolidate", "teacher"), 0)
FREE_RUN = {"learning": 1, "plastic": 1, "last": 0}


@pytest.mark.parametrize(
    "fixed", [INFERENCE, FREE_RUN, {"learning": 1}, {"reset": 1}, {"plastic": 0}], ids=str
)
@pytest.mark.parametrize("model", NAMES)
def test_fixed_inputs_change_nothing_else(
    model: str, fixed: dict[str, int], draw_integers: Callable[..., Any]
) -> None:
    program = models()[model].program
    constants = {key: value for key, value in fixed.items() if key in program.inputs}
    special = specialize(program, constants)
    for seed in range(3):
        random = np.random.default_rng(seed)
        states, parameters, inputs = (
            {name: draw_integers(width, random, 2000) for name, width in declared.items()}
            for declared in (program.states, program.parameters, program.inputs)
        )
        wanted = numpy_interpreter.step(program, states, parameters, {**inputs, **constants}, seed)
        rest = {key: value for key, value in inputs.items() if key not in constants}
        found = numpy_interpreter.step(special, states, parameters, rest, seed)
        for left, right in zip(found, wanted, strict=True):
            assert set(left) == set(right)
            for name in left:
                np.testing.assert_array_equal(left[name], right[name], err_msg=name)

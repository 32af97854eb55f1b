"""Neurons of which none emits take less than the whole program, and come to the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from drawn.integers import corners

from burstchip.backends.sim.code.quiet import BLOCK, quiet
from compiler.function_table import function_table
from hw_models.neurons.burst_poisson import burst_poisson_program
from hw_models.neurons.lif import LIF
from hw_models.program import numpy_interpreter, real_interpreter
from hw_models.program.rewrite import rewrite
from hw_models.program.trace import Integer, Node, Program

SIZE = 5 * BLOCK + 3
RULED = burst_poisson_program(traces=True, rule=True)


def with_tables(program: Program) -> Program:
    def table(node: Node, arguments: tuple[Integer, ...]) -> Integer | None:
        if node.operation != "function":
            return None
        return function_table(program.functions[node.attribute], arguments[0].width).in_program(arguments[0])

    return rewrite(program, table)


def drawn(program: Program, emitting: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Random values with which only neurons of one block may emit."""
    random = np.random.default_rng(emitting + 1)
    declared = (program.states, program.parameters, program.inputs)
    states, parameters, inputs = (
        {name: corners(width, random, SIZE) for name, width in widths.items()} for widths in declared
    )
    silent = np.arange(SIZE) // BLOCK != emitting
    # Shares are positive and small, which ranges do not say.
    for name in ("e_fall", "s_fall", "low_gain"):
        parameters[name], parameters[f"{name}_exp"] = np.full(SIZE, 2000), np.zeros(SIZE, dtype=np.int64)
    states["idle"][silent], states["waits"][silent] = 5, 0
    return states, parameters, inputs


@pytest.mark.parametrize("real", [False, True])
def test_a_block_is_told_from_others(real: bool, compiled: Callable[..., Any]) -> None:
    program = RULED if real else with_tables(RULED)
    loop = compiled(
        program, {f"p_{p}" for p in program.parameters} | {f"x_{x}" for x in program.inputs}, real
    )
    interpreter = real_interpreter if real else numpy_interpreter
    spikes = 0
    for emitting in (-1, 0, 3, 5):
        given = drawn(program, emitting)
        ours, wanted = loop(*given, 7), interpreter.step(program, *given, 7)
        spikes += int(np.sum(wanted[1]["spikes"]))
        for left, right in zip(ours, wanted, strict=True):
            for name in left:
                np.testing.assert_allclose(
                    left[name], right[name], rtol=1e-9 if real else 0, atol=1e-6 if real else 0, err_msg=name
                )
    assert spikes > 0


def test_what_events_alone_need_is_left_out() -> None:
    found = quiet(RULED, real=True)
    assert found is not None
    asked, left = found
    assert list(asked.output) == ["spikes"]
    assert not any(node.operation in ("function", "random", "dither") for node in left.nodes)
    assert set(RULED.next_state) == set(left.next_state)
    assert set(RULED.output) == set(left.output)


def test_a_program_that_would_save_little_stays_whole() -> None:
    assert quiet(LIF.program, real=True) is None
    assert quiet(LIF.program, real=False) is None

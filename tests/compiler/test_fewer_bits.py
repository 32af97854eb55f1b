"""Weights on fewer bits: as many values as these have, the nearest of them, and noise as wide as a step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import burstchip
from burstchip.compilation import compile_file
from compiler.fewer_bits import grid, learned_units, lost_share, with_bits, with_noise
from compiler.ir.chip_program import ChipProgram, ProjectionCode
from compiler.ir.verify import verify_chip_program

DIGITS = Path(burstchip.__file__).parent / "templates" / "digits" / "network.yaml"
LEARNED = "hidden_to_readout"


@pytest.fixture(params=["chip", "carry"])
def code(request: pytest.FixtureRequest) -> ChipProgram:
    """With real weights of very different magnitudes, as a training leaves them."""
    code, _ = compile_file(DIGITS, {"weight_form": request.param})
    return replace(code, projections=tuple(spread(it) for it in code.projections))


def spread(it: ProjectionCode) -> ProjectionCode:
    if it.learning is None:
        return it
    exact = np.random.default_rng(1).standard_t(3, it.weights.shape) * 8 * it.event_unit
    return replace(it, requested=exact)


def held(it: ProjectionCode) -> np.ndarray:
    """What an event does, in the physical unit."""
    return np.asarray(it.forward(it.weights) * it.event_unit * 1.0)


@pytest.mark.parametrize("bits", range(1, 9))
def test_as_many_values_as_the_bits_have_and_the_nearest(code: ChipProgram, bits: int) -> None:
    found = with_bits(code, bits)
    verify_chip_program(found)
    before, after = code.projection(LEARNED), found.projection(LEARNED)
    values = np.unique(held(after))
    chosen = grid(before, bits)
    step = chosen.step * before.event_unit
    assert len(values) <= 2**bits and np.allclose(values / step, np.rint(values / step))
    assert np.allclose(held(after), after.exact)
    # By hand: each weight is at the nearest multiple of the step, those beyond the ends at an end.
    inside = np.abs(held(after) - before.exact) <= step / 2 * (1 + 1e-9)
    ends = np.isclose(held(after), chosen.low * before.event_unit) | np.isclose(
        held(after), chosen.high * before.event_unit
    )
    assert np.all(inside | ends) and found.projection("feedback") is code.projection("feedback")


@pytest.mark.parametrize("bits", [2, 4, 6])
def test_no_other_step_loses_less(code: ChipProgram, bits: int) -> None:
    it = code.projection(LEARNED)
    weights = learned_units(it)
    chosen = grid(it, bits)
    lost = np.sum((chosen.nearest(weights) - weights) ** 2)
    lowest = 0 if it.learning is not None and it.learning.form == "carry" else -4
    for k in range(lowest, 9):
        integers = np.clip(np.rint(weights / 2.0**k), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        within = np.clip(integers * 2.0**k, -127 // 2**k * 2**k if lowest == 0 else -256, 255)
        assert lost <= np.sum((within - weights) ** 2) + 1e-9


def test_noise_is_as_wide_as_a_step_and_another_in_each_draw(code: ChipProgram) -> None:
    it, chosen = code.projection(LEARNED), grid(code.projection(LEARNED), 4)
    exact = learned_units(it)
    first, again, second = (learned_units(with_noise(code, 4, n).projection(LEARNED)) for n in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, second)
    inside = (np.abs(exact) + chosen.step) < min(-chosen.low, chosen.high)
    added = (first - exact)[inside] / chosen.step
    assert np.max(np.abs(added)) <= 0.5 + 1e-9
    # The standard error of the mean of so many uniform draws, and of their root mean square, are a 14th.
    assert abs(np.mean(added)) < 0.09 and abs(np.std(added) - 12**-0.5) < 0.05


def test_more_bits_lose_less(code: ChipProgram) -> None:
    lost = [lost_share(code, bits)[LEARNED] for bits in range(1, 9)]
    assert lost == sorted(lost, reverse=True) and lost[-1] < 0.1 < lost[0]

"""Arrivals along a row of neurons: distributed as they are to be, and as their definition says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hw_models.neurons.sources import poisson_noise_program
from hw_models.program.arrivals import GAP, GAP_BITS, GAP_SHIFT, MOST, SHORTEST, arrivals, exponential
from hw_models.program.random import at, row
from hw_models.program.trace import Node, Program
from hw_models.program.verify import ProgramError, verify_program
from hw_models.program.widths import Width

WHOLE = 1 << 16


def test_draws_are_logarithms() -> None:
    bits = np.concatenate([2 ** np.arange(32) - 1, np.arange(0, 1 << 32, 99_991), [0xFFFFFFFF]])
    exact = -np.log((bits + 1.0) / 2**32)
    # Its own last bit, and that of the table between its entries.
    assert np.abs(exponential(bits.astype(np.uint32)) / WHOLE - exact).max() < 3e-5


def test_draws_are_exponential() -> None:
    drawn = exponential(at(row(7, 0), np.arange(1_000_000))) / WHOLE
    assert drawn.mean() == pytest.approx(1.0, abs=4e-3)
    assert drawn.std() == pytest.approx(1.0, abs=8e-3)
    for least in (0.01, 0.5, 2.0, 5.0):
        assert np.mean(drawn > least) == pytest.approx(np.exp(-least), abs=2e-3)


@pytest.mark.parametrize(
    ("gap", "shift"), [(SHORTEST, 0), (3 << GAP_BITS, 0), (1 << 30, 3), (GAP, GAP_SHIFT)]
)
@pytest.mark.parametrize("share", [WHOLE, 20_000, 0])
def test_one_after_the_other(gap: int, shift: int, share: int) -> None:
    """The definition, as a loop over arrivals."""
    for key in range(20):
        counts, reached, k = [0] * 300, 0, 0
        while True:
            reached += int(exponential(at(row(key, 1), k))) * (gap << shift)
            if reached >> 36 >= 300:
                break
            counts[reached >> 36] += int(at(row(key, 1), -1 - k)) % WHOLE < share
            k += 1
        assert arrivals(key, 1, gap, shift, share, MOST, 300).tolist() == [min(it, MOST) for it in counts]


def test_reals_and_integers_decide_alike() -> None:
    for gap in (SHORTEST, 5 << GAP_BITS, 1 << 30):
        for key in range(50):
            one, other = (arrivals(key, 0, it, 0, WHOLE, MOST, 1000) for it in (gap, float(gap)))
            assert one.tolist() == other.tolist()


def test_no_arrivals_and_too_many() -> None:
    assert not arrivals(1, 0, 0, 0, WHOLE, MOST, 100).any()
    one, other = (arrivals(1, 0, gap, 0, WHOLE, MOST, 100) for gap in (1, SHORTEST))
    assert one.tolist() == other.tolist()
    assert np.minimum(one, 3).tolist() == arrivals(1, 0, 1, 0, WHOLE, 3, 100).tolist()


PROGRAM = poisson_noise_program


def changed(name: str, **fields: object) -> Program:
    """The program with other fields of a parameter, or of the draw itself."""
    nodes = tuple(
        replace(it, **fields) if name in (it.name, it.operation) else it  # type: ignore[arg-type]
        for it in PROGRAM.nodes
    )
    return replace(PROGRAM, nodes=nodes)


def test_what_a_program_of_arrivals_cannot_have() -> None:
    verify_program(PROGRAM)
    with pytest.raises(ProgramError, match="7 arrivals at most, required: 20"):
        verify_program(changed("arrivals", attribute=7, width=Width(0, 7)))
    width = Width(0, 1 << 17)
    wide = replace(changed("share", width=width), parameters={**PROGRAM.parameters, "share": width})
    with pytest.raises(ProgramError, match=r"arrivals with a share in 0\.\.131072, required: 0\.\.65536"):
        verify_program(wide)
    more = replace(
        PROGRAM,
        outputs={**PROGRAM.outputs, "one": Width(1, 1)},
        nodes=(*PROGRAM.nodes, Node("const", (), 1, "", Width(1, 1))),
        output={**PROGRAM.output, "one": len(PROGRAM.nodes)},
    )
    with pytest.raises(ProgramError, match="other states or outputs"):
        verify_program(more)

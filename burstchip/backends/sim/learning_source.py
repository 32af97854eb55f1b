"""The text of the learning step of each plastic projection."""

from __future__ import annotations

from collections.abc import Callable

from burstchip.backends.sim.layout import Layout
from compiler.ir.chip_program import LearningCode, ProjectionCode
from hw_models.plasticity.rule import LearningRule


def carry_function(index: int, projection: ProjectionCode, learning: LearningCode, layout: Layout) -> str:
    r = "at(row(key, j), i)" if learning.rounding == "per_synapse" else "shared"
    return f"""
@loop
def carry_{index}(x, n_pre, y, n_post, w, indptr, post, key, shift):
    mask = u32((1 << shift) - 1)
    shared = mix(key)
    sh = i32(shift)
    for j in range(n_pre):
        xj = i32(x[j])
        if xj != 0:
            for i in range(n_post):
                d = i32(i32(i32(xj * y[i]) + i32({r} & mask)) >> sh)
                w[j, i] = min(max(i32(i32(w[j, i]) + d), i32(-32640)), i32(32639))
"""


def chip_functions(
    index: int, projection: ProjectionCode, learning: LearningCode, rule: LearningRule, layout: Layout
) -> list[str]:
    raise NotImplementedError


def chip_lines(
    index: int,
    projection: ProjectionCode,
    learning: LearningCode,
    rule: LearningRule,
    layout: Layout,
    argument: Callable[[str], str],
    ahead: str,
) -> list[str]:
    raise NotImplementedError

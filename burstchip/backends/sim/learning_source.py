"""The text of the learning step of each plastic projection."""

from __future__ import annotations

from collections.abc import Callable

from burstchip.backends.sim.layout import Layout
from compiler.ir.chip_program import LearningCode, ProjectionCode
from hw_models.plasticity.carry_numba import carry_source
from hw_models.plasticity.rule import LearningRule


def _compiled(source: str, name: str) -> str:
    """A generated function, marked for compilation where the loop's own functions are."""
    return source.replace(f"def {name}(", f"@loop\ndef {name}(")


def carry_function(index: int, projection: ProjectionCode, learning: LearningCode, layout: Layout) -> str:
    """The learning step of a projection in the carry form."""
    name = f"carry_{index}"
    source = carry_source(
        storage="dense" if projection.dense else "csr",
        rounding=learning.rounding,
        real=layout.variant.real,
        name=name,
    )
    return _compiled(source, name)


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

"""A training loop that takes its own time: the same text, with the clock read between its parts.

Parts are told apart by the functions that the loop calls: `deliver_0` is the delivery of projection 0,
`step_1` the neuron step of population 1. Statements that call none of them belong to the part before.
Reading the clock does not wait for what is still under way, so at the borders some tens of nanoseconds count
for a neighbour.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.profiling.ticks import LONGEST
from burstchip.backends.sim.compiled import load_module
from burstchip.backends.sim.kernel_source import Kernel
from burstchip.backends.sim.layout import Layout

Kind = Literal["schedule", "delivery", "traces", "neurons", "listing", "source", "learning"]
KINDS: tuple[Kind, ...] = ("schedule", "source", "listing", "delivery", "neurons", "traces", "learning")

#: Functions that belong to a projection: the kind of its part, and where its number stands.
_OF_PROJECTION: dict[str, Kind] = {
    r"deliver_(\d+)\(": "delivery",
    r"carry_(\d+)\(": "learning",
    r"learn_(\d+)\(": "learning",
    r"decay_plain(?:_real)?\(x1_(\d+)": "traces",
    r"bump\(x1_(\d+)": "traces",
    r"note(?:_real)?\(stored_._(\d+)": "traces",
    r"replay(?:_real)?\(stored_._(\d+)": "traces",
}
_OF_POPULATION: dict[str, Kind] = {
    r"step_(\d+)\(": "neurons",
    r"clipped\(in_(\d+)_": "neurons",
    r"encode(?:_real)?\(.*\bx_(\d+)_value": "source",
    r"listed(?:_among)?\([ox]_(\d+)_": "listing",
    r"count_flags\(o_(\d+)_": "listing",
}


@dataclass(frozen=True)
class Part:
    """A part of the loop: what it does, and for which population or projection."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True)
class Instrumented:
    """The loop and its parts in the order in which they first occur.

    Per part: `passed` ticks in `passes` stretches; `visited` is the sum of what learning steps return, the
    synapses they went through. Stretches that the system interrupted are left out and counted.
    """

    parts: tuple[Part, ...]
    module: ModuleType
    passed: NDArray[np.int64]
    passes: NDArray[np.int64]
    visited: NDArray[np.int64]
    interrupted: NDArray[np.int64]

    def run(self, *arguments: Any) -> None:
        """The loop, called as the one it stands for."""
        self.module.run(*arguments, self.passed, self.passes, self.visited, self.interrupted)

    def clear(self) -> None:
        """Forget all times."""
        for array in (self.passed, self.passes, self.visited, self.interrupted):
            array[:] = 0


def instrumented_text(layout: Layout, kernel: Kernel) -> tuple[str, tuple[Part, ...]]:
    """(the text of a kernel whose loop takes its own time, the parts by number)."""
    tree = ast.parse(kernel.text)
    (run,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run")
    (loop,) = (node for node in run.body if isinstance(node, ast.For))
    parts: dict[Part, int] = {Part("schedule", ""): 0}
    loop.body = _timed(loop.body, parts, layout, Part("schedule", ""))
    run.body.insert(run.body.index(loop), _statements("before = ticks()")[0])
    run.args.args += [ast.arg(name) for name in ("passed", "passes", "visited", "interrupted")]
    # A loop from numba's cache would come without the machine code of its functions.
    (decorator,) = run.decorator_list
    assert isinstance(decorator, ast.Call)
    decorator.keywords = [keyword for keyword in decorator.keywords if keyword.arg != "cache"]
    text = ast.unparse(ast.fix_missing_locations(tree))
    return f"from benchmarks.profiling.ticks import ticks\n{text}\n", tuple(parts)


def instrument(layout: Layout, kernel: Kernel) -> Instrumented:
    """Take apart the loop of a kernel, and compile it with its clock."""
    text, parts = instrumented_text(layout, kernel)
    return Instrumented(
        parts=parts,
        module=load_module(Kernel(text, kernel.arguments)),
        passed=np.zeros(len(parts), dtype=np.int64),
        passes=np.zeros(len(parts), dtype=np.int64),
        visited=np.zeros(len(parts), dtype=np.int64),
        interrupted=np.zeros(1, dtype=np.int64),
    )


def looking_on(found: list[Instrumented], layout: Layout) -> Callable[[Kernel], Callable[..., Any]]:
    """A `Simulation.load` that puts the instrumented loop in the place of the other, and into `found`."""

    def load(kernel: Kernel) -> Callable[..., Any]:
        if not found:
            found.append(instrument(layout, kernel))
        return found[0].run

    return load


def _statements(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


def _parts_of(statement: ast.stmt, layout: Layout) -> list[Part]:
    """The parts that a statement's calls belong to, in their order."""
    text = ast.unparse(statement)
    found: list[tuple[int, Part]] = []
    for pattern, kind in _OF_PROJECTION.items():
        for match in re.finditer(rf"\b{pattern}", text):
            found.append((match.start(), Part(kind, layout.code.projections[int(match[1])].name)))
    for pattern, kind in _OF_POPULATION.items():
        for match in re.finditer(rf"\b{pattern}", text):
            population = layout.code.populations[int(match[1])]
            is_source = kind == "neurons" and layout.is_source(population)
            found.append((match.start(), Part("source" if is_source else kind, population.name)))
    return list(dict.fromkeys(part for _, part in sorted(found, key=lambda place: place[0])))


def _timed(body: list[ast.stmt], parts: dict[Part, int], layout: Layout, current: Part) -> list[ast.stmt]:
    """The statements, with the clock read after each run of statements of one part."""
    timed: list[ast.stmt] = []

    def close() -> None:
        number = parts.setdefault(current, len(parts))
        timed.extend(
            _statements(
                f"""\
now = ticks()
if now - before < {LONGEST}:
    passed[{number}] += now - before
    passes[{number}] += 1
else:
    interrupted[0] += 1
before = now
"""
            )
        )

    for statement in body:
        found = _parts_of(statement, layout)
        if len(found) > 1 and isinstance(statement, ast.If):
            close()
            statement.body = _timed(statement.body, parts, layout, found[0])
        elif found and found[0] != current:
            close()
            current = found[0]
        timed.append(_counted(statement, parts, layout))
    close()
    return timed


class _Count(ast.NodeTransformer):
    """Add up what a learning step returns."""

    def __init__(self, number: int) -> None:
        self.number = number

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        called = node.value
        if isinstance(called, ast.Call) and re.match(r"(carry|learn)_\d+", ast.unparse(called.func)):
            return _statements(f"visited[{self.number}] += {ast.unparse(called)}")[0]
        return node


def _counted(statement: ast.stmt, parts: dict[Part, int], layout: Layout) -> ast.stmt:
    found = _parts_of(statement, layout)
    if len(found) != 1 or found[0].kind != "learning":
        return statement
    counted = _Count(parts.setdefault(found[0], len(parts))).visit(statement)
    assert isinstance(counted, ast.stmt)
    return counted

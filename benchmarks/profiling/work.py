"""What each part of the loop must do for a sample: bytes that it reads and writes, integer operations.

Counted from the program and from what was seen to happen, not from the machine code: a value is counted each
time an array gives or takes it, an operation as the program or the rule writes it. A draw of 32 random bits
counts as the 12 operations of its hash. What only some samples do, such as encoding a picture, is spread over
the sample; what is the same for a whole row or step is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.profiling.instrument import Part
from burstchip.backends.sim.layout import Layout
from compiler.ir.chip_program import PopulationCode, ProjectionCode
from hw_models.neurons.roles import PER_NEURON, Roles
from hw_models.plasticity.grammar import learning_rule
from hw_models.program.rewrite import specialize
from hw_models.program.trace import Program

_LEAVES = ("const", "state", "param", "input")
_DRAW = 12
#: Operations on a synapse in a learning step of the carry form, the draw aside: multiply, add the draw,
#: shift, add, two bounds.
_CARRY = 6
#: In the chip form. A sum: widen the variable; fraction, compare, shift, add, two bounds. A product: two
#: shifts and two bounds; add and two bounds; a multiplication for each factor but the first, and for
#: `sgn(v+c)` an addition and the sign.
_SUM, _PRODUCT, _SIGN = 7, 7, 2
#: Operations on a trace in a step of the replayed epoch: index and its two bounds, look-up, place, choice.
_REPLAY = 6


@dataclass(frozen=True)
class Seen:
    """Of a sample, on average: rows delivered, synapses that learning visits, by projection; lit pixels."""

    rows: Mapping[str, float]
    visited: Mapping[str, float]
    lit: float


@dataclass(frozen=True)
class Work:
    """Of a sample: bytes moved, operations on `bits` bits, and the bytes of all that is gone through."""

    bytes: float
    operations: float
    bits: int
    working_set: int


def work_of(part: Part, layout: Layout, seen: Seen) -> Work | None:
    """The work of a part; None for the schedule, which is not of this kind."""
    task = layout.code.task
    assert task is not None
    populations = {population.name: population for population in layout.code.populations}
    projections = {projection.name: projection for projection in layout.code.projections}
    if part.kind in ("neurons", "source"):
        return _steps(populations[part.name], layout, task.present)
    if part.kind == "listing":
        return _listing(populations[part.name], layout, task.present, seen)
    if part.kind == "delivery":
        return _delivery(projections[part.name], layout, seen.rows[part.name], task.present)
    if part.kind == "traces":
        return _traces(projections[part.name], layout, task.present)
    if part.kind == "learning":
        return _learning(projections[part.name], layout, seen.visited[part.name])
    return None


def _operations(program: Program, roles: Roles) -> int:
    """Operations on a neuron in a step that neither begins nor ends a sample."""
    within = {name: 0 for name, control in roles.controls.items() if control in ("reset", "last")}
    program = specialize(program, {name: 0 for name in within if name in program.inputs})
    return sum(
        _DRAW if node.operation in ("random", "dither") else 1
        for node in program.nodes
        if node.operation not in _LEAVES
    )


def _steps(population: PopulationCode, layout: Layout, steps: int) -> Work:
    number = layout.numbers[population.name]
    program = layout.programs[number]
    read = {(node.operation, node.name) for node in program.nodes if node.operation == "state"}
    ports = sum(owner == number for owner, _ in layout.ports)
    # The sums of a port are read, and set to zero for the next step.
    values = len(read) + len(program.next_state) + len(program.output) + 2 * ports
    shown = {name for name, control in population.roles.controls.items() if control in PER_NEURON}
    values += any(node.operation == "input" and node.name in shown for node in program.nodes)
    size = population.size
    return Work(
        4.0 * values * size * steps,
        float(_operations(program, population.roles) * size * steps),
        32,
        4 * values * size,
    )


def _listing(population: PopulationCode, layout: Layout, steps: int, seen: Seen) -> Work:
    number = layout.numbers[population.name]
    task = layout.code.task
    assert task is not None
    lists = sum(owner == number for owner, _ in layout.senders)
    looked_at = seen.lit if task.input == population.name and layout.needs_value(number) else population.size
    # Each entry looked at: its flag is read, its number written; compare and add.
    each = looked_at * lists * steps
    return Work(8.0 * each, 2.0 * each, 32, 8 * population.size)


def _delivery(projection: ProjectionCode, layout: Layout, rows: float, steps: int) -> Work:
    source, target = (layout.numbers[name] for name in (projection.source, projection.target))
    targets = layout.code.populations[target].size
    synapses = rows * targets
    each = 2 if layout.is_carry(projection) else 0
    event = layout.is_event(source, projection.output)
    each += 1 if event else 2
    # A weight is read for each synapse; the sums are read and written once a step.
    return Work(
        2.0 * synapses + 8.0 * targets * steps,
        each * synapses,
        16 if event and projection.dense else 32,
        int(projection.weights.nbytes) + 4 * targets,
    )


def _traces(projection: ProjectionCode, layout: Layout, steps: int) -> Work:
    size = layout.code.populations[layout.numbers[projection.source]].size
    if layout.is_carry(projection):
        return Work(8.0 * size * steps, 2.0 * size * steps, 32, 4 * size)
    assert projection.learning is not None
    kinds = len(projection.learning.traces)
    epochs = steps / projection.learning.every
    operations = float(_REPLAY * kinds * size * steps)
    return Work((4.0 * size * steps + 16.0 * kinds * size * epochs), operations, 32, 16 * kinds * size)


def _learning(projection: ProjectionCode, layout: Layout, visited: float) -> Work:
    learning = projection.learning
    assert learning is not None
    operations, changed = _CARRY, 1
    if layout.is_chip(projection):
        rules = learning.rules
        rule = learning_rule(rules.get("dw"), rules.get("dt"), rules.get("dd"))
        signs = [f for product in rule.products for f in product.factors if f.kind.startswith("sgn")]
        operations = _SUM * len(rule.sums) + _PRODUCT * len(rule.products) + _SIGN * len(signs)
        operations += sum(len(product.factors) - 1 for product in rule.products)
        changed = len(rule.sums)
    if learning.rounding == "per_synapse":
        operations += _DRAW
    # What changes is read and written; the postsynaptic factor is read.
    bytes_each = 4 * changed + 2
    size = int(projection.weights.nbytes) * changed
    return Work(float(bytes_each * visited), float(operations * visited), 16, size)

"""What a program computes for neurons that emit nothing in a step: most of them in most steps.

A rule that acts at events, the draws that decide what becomes of one, and functions that only these read are
left out where no event is. Neurons are taken some at a time: first it is found whether any of them emits,
then all of them take the whole program or the quiet one. Both have the same values where nothing is emitted.
"""

from __future__ import annotations

from dataclasses import replace

from hw_models.program.rewrite import rewrite
from hw_models.program.trace import DRAWS, Integer, Node, Program
from hw_models.program.widths import FLAG

#: Neurons that are taken together.
BLOCK = 128
#: What a function and a draw cost, in operations, and how much of a program's cost must be saved.
_FUNCTION, _DRAW, _SAVED = 20, 10, 0.25


def quiet(program: Program, *, real: bool) -> tuple[Program, Program] | None:
    """(what tells whether a neuron emits, as its one output; what is left where none does), if it pays."""
    flags = [name for name in program.outputs if program.outputs[name] == FLAG]
    best: tuple[float, Program, Program] | None = None
    for name in flags:
        gate = program.nodes[program.output[name]]
        left = _without(program, gate, real=real)
        index = program.output[name]
        asked = rewrite(replace(program, next_state={}, output={name: index}), lambda _, __: None)
        cost = _cost(left, real=real) + _cost(asked, real=real)
        if gate.operation != "const" and (best is None or cost < best[0]):
            best = cost, asked, left
    if best is None or best[0] > (1 - _SAVED) * _cost(program, real=real):
        return None
    return best[1:]


def _implied(program: Program, gate: Node) -> list[Node]:
    """The nodes that are 0 where a flag is: both sides of an `or`, too."""
    found = [gate]
    for node in found:
        if node.operation == "maximum":
            found += [it for it in (program.nodes[k] for k in node.arguments) if it.width == FLAG]
    return found


def _without(program: Program, gate: Node, *, real: bool) -> Program:
    """The program where a flag is 0."""
    silent = _implied(program, gate)

    def folded(node: Node, arguments: tuple[Integer, ...]) -> Integer | None:
        if not arguments:
            return None
        graph = arguments[0].graph
        if any(node is it for it in silent):
            return Integer(graph, graph.constant(0))
        given = [graph.nodes[it.index] for it in arguments]
        if real and any(it.operation == "dither" for it in given):
            # Where nothing is rounded it is 0.
            kept = (
                graph.constant(0) if it.operation == "dither" else k.index
                for it, k in zip(given, arguments, strict=True)
            )
            return Integer(graph, graph.apply(node.operation, tuple(kept), node.attribute))
        if node.operation in ("minimum", "maximum"):
            for one, other in ((0, 1), (1, 0)):
                zero = given[one].operation == "const" and given[one].attribute == 0
                if zero and given[other].width.low >= 0:
                    return arguments[one if node.operation == "minimum" else other]
        return None

    return rewrite(program, folded)


def _cost(program: Program, *, real: bool) -> float:
    def of(node: Node) -> int:
        if node.operation == "function":
            return _FUNCTION
        if node.operation in DRAWS:
            return 0 if real and node.operation == "dither" else _DRAW
        return int(bool(node.arguments))

    return float(sum(map(of, program.nodes)))

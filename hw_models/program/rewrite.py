"""Programs made from programs: inputs fixed, operations replaced, what is then unused left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from hw_models.program.trace import Graph, Integer, Node, Program

#: What stands in the place of a node whose arguments these are; None where it stays.
Replacement = Callable[[Node, tuple[Integer, ...]], Integer | None]


def rewrite(source: Program, replacement: Replacement) -> Program:
    """The same program with some operations replaced.

    Ranges are computed again. Draws keep their place, so that what is replaced never moves another draw.
    """
    return _traced_anew(source, lambda _, node, arguments: replacement(node, arguments), source.output)


def specialize(
    source: Program, constants: Mapping[str, int], outputs: Collection[str] | None = None
) -> Program:
    """The same program with some inputs fixed and, where given, only some outputs.

    What a fixed input decides is folded, what is then unused is gone. Draws keep their place, so that
    fixing an input never moves another draw.
    """

    def fixed(graph: Graph, node: Node, _: tuple[Integer, ...]) -> Integer | None:
        if node.operation == "input" and node.name in constants:
            return Integer(graph, graph.constant(constants[node.name]))
        return None

    wanted = [name for name in source.output if outputs is None or name in outputs]
    found = _traced_anew(source, fixed, wanted)
    return replace(
        found, inputs={name: width for name, width in source.inputs.items() if name not in constants}
    )


def inputs_read(source: Program) -> frozenset[str]:
    """The inputs on which a next state or an output depends."""
    return frozenset(node.name for node in specialize(source, {}).nodes if node.operation == "input")


def _traced_anew(
    source: Program,
    replacement: Callable[[Graph, Node, tuple[Integer, ...]], Integer | None],
    outputs: Collection[str],
) -> Program:
    graph = Graph(tables=list(source.tables), functions=list(source.functions))
    moved: list[int] = []
    for node in source.nodes:
        arguments = tuple(moved[argument] for argument in node.arguments)
        replaced = replacement(graph, node, tuple(Integer(graph, argument) for argument in arguments))
        if replaced is not None:
            moved.append(replaced.index)
        elif not arguments or node.operation in ("lookup", "function", "arrivals"):
            moved.append(
                graph.add(node.operation, arguments, node.attribute, node.name, node.width, node.repeat)
            )
        else:
            moved.append(graph.apply(node.operation, arguments, node.attribute))
    next_state = {name: moved[index] for name, index in source.next_state.items()}
    output = {name: moved[source.output[name]] for name in outputs}
    order = _needed(graph, (*next_state.values(), *output.values()))
    place = {old: new for new, old in enumerate(order)}
    nodes = tuple(
        replace(graph.nodes[old], arguments=tuple(place[a] for a in graph.nodes[old].arguments))
        for old in order
    )
    return replace(
        source,
        outputs={name: source.outputs[name] for name in output},
        tables=tuple(graph.tables),
        nodes=nodes,
        next_state={name: place[index] for name, index in next_state.items()},
        output={name: place[index] for name, index in output.items()},
        functions=source.functions if any(node.operation == "function" for node in nodes) else (),
    )


def _needed(graph: Graph, results: tuple[int, ...]) -> list[int]:
    """The nodes that the results depend on, in their order."""
    keep: set[int] = set()
    stack = [*results]
    while stack:
        index = stack.pop()
        if index not in keep:
            keep.add(index)
            stack.extend(graph.nodes[index].arguments)
    return sorted(keep)

"""Programs made from programs: inputs fixed, operations replaced, what is then unused left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from hw_models.program.trace import Graph, Integer, Node, Program, clip
from hw_models.program.widths import Width

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


def undithered(source: Program) -> Program:
    """The program where nothing is rounded, so that what serves rounding alone is 0."""

    def exact(graph: Graph, node: Node, _: tuple[Integer, ...]) -> Integer | None:
        return Integer(graph, graph.constant(0)) if node.operation == "dither" else None

    dithers = any(node.operation == "dither" for node in source.nodes)
    return _traced_anew(source, exact, source.output) if dithers else source


def without(source: Program, output: str) -> Program:
    """What the program does in a step in which `output`, which is never negative, is 0.

    Where that is so, it computes the same as the program itself, mostly with less.
    """
    absent = _absent(source, source.output[output])
    numbers = iter(range(len(source.nodes)))

    def decided(graph: Graph, node: Node, arguments: tuple[Integer, ...]) -> Integer | None:
        if next(numbers) in absent:
            return Integer(graph, graph.constant(0))
        if node.operation in ("minimum", "maximum"):
            return _one_of(node.operation, *arguments)
        return None

    return _traced_anew(source, decided, source.output)


def exposing(source: Program, arrived: Mapping[str, str], width: Width) -> Program:
    """The same program, which also sends what arrives at ports, before it is clipped to their width.

    `arrived` names the new output of each port, which the program must read; the ports take `width` then.
    """
    places = {node.name: node for node in source.nodes if node.operation == "input"}
    count = len(source.nodes)
    extended = replace(
        source,
        nodes=(*source.nodes, *(places[port] for port in arrived)),
        outputs={**source.outputs, **dict.fromkeys(arrived.values(), width)},
        output={**source.output, **{name: count + n for n, name in enumerate(arrived.values())}},
    )
    numbers = iter(range(len(extended.nodes)))

    def opened(graph: Graph, node: Node, _: tuple[Integer, ...]) -> Integer | None:
        number = next(numbers)
        if node.operation != "input" or node.name not in arrived:
            return None
        whole = Integer(graph, graph.add("input", name=node.name, width=width))
        declared = source.inputs[node.name]
        return whole if number >= count else clip(whole, declared.low, declared.high)

    found = _traced_anew(extended, opened, extended.output)
    return replace(found, inputs={**source.inputs, **dict.fromkeys(arrived, width)})


def _absent(source: Program, index: int) -> set[int]:
    """The nodes that are 0 where this one, which is never negative, is."""
    found: set[int] = set()
    stack = [index]
    while stack:
        found.add(number := stack.pop())
        node = source.nodes[number]
        if node.operation == "maximum" and all(source.nodes[it].width.low >= 0 for it in node.arguments):
            stack.extend(node.arguments)
    return found


def _one_of(operation: str, a: Integer, b: Integer) -> Integer | None:
    """The one of two integers that is their minimum or maximum, if their ranges tell."""
    less, greater = (a, b) if a.width.high <= b.width.low else (b, a)
    if less.width.high > greater.width.low:
        return None
    return less if operation == "minimum" else greater


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
        moved.append(copied(graph, node, arguments) if replaced is None else replaced.index)
    next_state = {name: moved[index] for name, index in source.next_state.items()}
    output = {name: moved[source.output[name]] for name in outputs}
    found = replace(source, outputs={name: source.outputs[name] for name in output})
    return of_graph(found, graph, next_state, output)


def copied(graph: Graph, node: Node, arguments: tuple[int, ...]) -> int:
    """The index of the same operation on other arguments."""
    if not arguments or node.operation in ("lookup", "function", "arrivals"):
        return graph.add(node.operation, arguments, node.attribute, node.name, node.width, node.repeat)
    return graph.apply(node.operation, arguments, node.attribute)


def of_graph(
    source: Program, graph: Graph, next_state: Mapping[str, int], output: Mapping[str, int]
) -> Program:
    """The program with the operations of a graph: those that the next states and the outputs need."""
    order = needed(graph.nodes, (*next_state.values(), *output.values()))
    place = {old: new for new, old in enumerate(order)}
    nodes = tuple(
        replace(graph.nodes[old], arguments=tuple(place[a] for a in graph.nodes[old].arguments))
        for old in order
    )
    return replace(
        source,
        tables=tuple(graph.tables),
        nodes=nodes,
        next_state={name: place[index] for name, index in next_state.items()},
        output={name: place[index] for name, index in output.items()},
        functions=source.functions if any(node.operation == "function" for node in nodes) else (),
    )


def needed(nodes: Sequence[Node], results: Iterable[int]) -> list[int]:
    """The nodes that the results depend on, in their order."""
    keep: set[int] = set()
    stack = [*results]
    while stack:
        index = stack.pop()
        if index not in keep:
            keep.add(index)
            stack.extend(nodes[index].arguments)
    return sorted(keep)

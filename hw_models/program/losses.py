"""Whether a saturation or a wrap loses anything: programs that also say so.

A value that is cut counts where that changes a next state or an output: it may stand in a branch that is not
taken, or behind a limit that a model sets on purpose. To tell, the program is written a second time without
the cuts, sharing all that comes before them, and the results are compared, neuron by neuron and exactly.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from hw_models.program.rewrite import copied, needed, of_graph
from hw_models.program.trace import Graph, Integer, Program, clip, maximum, where
from hw_models.program.widths import FLAG, INT32, INT64, Width

_SHIFTS = ("shift_left", "shift_right", "shift_right_round", "shift_right_zero")
#: How a value was cut: not at all, without changing a result by itself, or so that one is another.
MARK = Width(0, 2)


@dataclass(frozen=True)
class Cut:
    """An operation that may bring its argument back into `room`, and the variable that it is a part of."""

    node: int
    operation: str
    room: Width
    variable: str


def cuts(source: Program) -> tuple[Cut, ...]:
    """The saturations and wraps whose argument may exceed their width, in order."""
    owners = _owners(source)
    found = []
    for number, node in enumerate(source.nodes):
        if node.operation in ("saturate", "wrap"):
            half = 1 << (node.attribute - 1)
            room = Width(1 - half, half - 1 if node.operation == "saturate" else half)
            if number in owners and not room.holds(source.nodes[node.arguments[0]].width):
                found.append(Cut(number, node.operation, room, owners[number]))
    return tuple(found)


def _owners(source: Program) -> dict[int, str]:
    """The variable that each operation is a part of: the one that depends on least."""
    results = {**source.next_state, **{k: v for k, v in source.output.items() if k not in source.next_state}}
    cones = {name: needed(source.nodes, [number]) for name, number in results.items()}
    found: dict[int, str] = {}
    for name in sorted(cones, key=lambda name: (name not in source.next_state, len(cones[name]))):
        for number in cones[name]:
            found.setdefault(number, name)
    return found


def losing(source: Program, state: str) -> Program:
    """The same program with one more state, which is 1 from the first step on in which a cut lost anything.

    `state` is its name, which the program must not have. A program that cuts nothing is returned as it is.
    """
    open_ = [cut.node for cut in cuts(source)]
    if not open_:
        return source
    graph, moved = _graph(source)
    before = graph.add("state", name=state, width=FLAG)
    lost = maximum(Integer(graph, before), _differs(graph, source, moved, open_))
    extended = replace(source, states={**source.states, state: FLAG}, initial={**source.initial, state: 0})
    following = {name: moved[number] for name, number in source.next_state.items()}
    sent = {name: moved[number] for name, number in source.output.items()}
    return of_graph(extended, graph, {**following, state: lost.index}, sent)


def telling(
    source: Program, watched: Sequence[Cut], names: Sequence[tuple[str, str]], besides: str = ""
) -> Program:
    """The same program, which also sends what is cut: a mark (`MARK`) and the value for each of these cuts.

    `names` are those of the new outputs. A value beyond 32 bits is sent as the nearest that fits. What a cut
    changes in the state `besides` does not count.
    """
    graph, moved = _graph(source)
    sent = {name: moved[number] for name, number in source.output.items()}
    widths = dict(source.outputs)
    for cut, (mark, value) in zip(watched, names, strict=True):
        given = Integer(graph, moved[source.nodes[cut.node].arguments[0]])
        held = Integer(graph, moved[cut.node])
        effect = _differs(graph, source, moved, [cut.node], besides)
        sent[mark] = _index(graph, where(given.equals(held), 0, effect + 1))
        sent[value] = _index(graph, clip(given, INT32.low, INT32.high))
        widths |= {mark: MARK, value: INT32}
    following = {name: moved[number] for name, number in source.next_state.items()}
    return of_graph(replace(source, outputs=widths), graph, following, sent)


def _graph(source: Program) -> tuple[Graph, list[int]]:
    """The operations of a program in a new graph, and the place of each in it."""
    graph = Graph(tables=list(source.tables), functions=list(source.functions))
    moved: list[int] = []
    for node in source.nodes:
        moved.append(copied(graph, node, tuple(moved[argument] for argument in node.arguments)))
    return graph, moved


def _index(graph: Graph, value: Integer | int) -> int:
    return graph.constant(value) if isinstance(value, int) else value.index


def _differs(
    graph: Graph, source: Program, moved: Sequence[int], open_: Collection[int], besides: str = ""
) -> Integer:
    """1 where a next state, but for `besides`, or an output would be another without cuts at `open_`."""
    free, found = _freed(graph, source, moved, open_)
    states = [number for name, number in source.next_state.items() if name != besides]
    for number in (*states, *source.output.values()):
        found.append(_unequal(graph, moved[number], free[number]))
    total = Integer(graph, graph.constant(0))
    for it in found:
        total = maximum(total, it)
    return total


def _unequal(graph: Graph, a: int, b: int) -> Integer:
    if a == b:
        return Integer(graph, graph.constant(0))
    return 1 - Integer(graph, a).equals(Integer(graph, b))


def _freed(
    graph: Graph, source: Program, moved: Sequence[int], open_: Collection[int]
) -> tuple[list[int], list[Integer]]:
    """The operations without the cuts at `open_`, and flags for what cannot be computed with such values.

    An index, an amount of a shift and what would exceed 64 bits take the values that they have in the
    program; where these are others than without the cuts, that is a loss by itself.
    """
    free: list[int] = []
    flags: list[Integer] = []

    def held(argument: int) -> int:
        flags.append(_unequal(graph, moved[argument], free[argument]))
        return moved[argument]

    for number, node in enumerate(source.nodes):
        arguments = tuple(free[argument] for argument in node.arguments)
        if number in open_:
            free.append(arguments[0])
        elif arguments == tuple(moved[argument] for argument in node.arguments):
            free.append(moved[number])
        elif node.operation in ("lookup", "function"):
            free.append(copied(graph, node, (held(node.arguments[0]),)))
        else:
            if node.operation in _SHIFTS:
                arguments = (arguments[0], held(node.arguments[1]))
            index = copied(graph, node, arguments)
            if INT64.holds(graph.nodes[index].width):
                free.append(index)
            else:
                flags += [_unequal(graph, moved[it], free[it]) for it in node.arguments]
                free.append(moved[number])
    return free, flags

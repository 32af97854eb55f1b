"""Integer programs: a Python function over symbolic integers becomes a graph of `OPERATIONS`.

    @program(states={"v": signed(24)}, parameters={"vth": unsigned(17)}, inputs={"soma": signed(18)},
             outputs={"events": FLAG})
    def model(s, p, x):
        v = saturate(s.v + x.soma, bits=24)
        spike = v > p.vth
        return {"v": where(spike, 0, v)}, {"events": spike}

The function runs once. What it returns is the state at the end of the step and the outputs of the step;
a state it leaves out keeps its value. Everything else is an interpretation of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Union

from hw_models.program.arrivals import MOST
from hw_models.program.functions import FRACTION_BITS_MAX, FUNCTIONS, FixedFunction
from hw_models.program.operations import OPERATIONS, rounded, saturated, toward_zero, wrapped
from hw_models.program.widths import Width

#: Operations that draw at random; each of a program's draws has its own number.
DRAWS = ("random", "dither", "arrivals")
_SHIFTS = {"shift_left", "shift_right", "shift_right_round", "shift_right_zero"}

IntegerLike = Union["Integer", int]


@dataclass(frozen=True)
class Node:
    """One operation: indices of its arguments, its integer attribute, its name if a leaf, its range.

    `repeat` distinguishes the draws of a program; it is 0 for every other operation.
    """

    operation: str
    arguments: tuple[int, ...]
    attribute: int
    name: str
    width: Width
    repeat: int = 0


@dataclass(frozen=True)
class Program:
    """A traced program. Nodes stand in an order in which arguments come before their use."""

    name: str
    states: Mapping[str, Width]
    parameters: Mapping[str, Width]
    inputs: Mapping[str, Width]
    outputs: Mapping[str, Width]
    initial: Mapping[str, int | str]
    tables: tuple[tuple[int, ...], ...]
    nodes: tuple[Node, ...]
    next_state: Mapping[str, int]
    output: Mapping[str, int]
    functions: tuple[FixedFunction, ...] = ()

    @property
    def draws(self) -> int:
        """How many random draws a neuron makes in a step."""
        return sum(node.operation in DRAWS for node in self.nodes)

    @property
    def sends_arrivals(self) -> bool:
        """Whether this is a program that sends arrivals, and does nothing else."""
        return any(node.operation == "arrivals" for node in self.nodes)


@dataclass
class Graph:
    """The graph under construction: equal nodes are one node, constants are folded."""

    nodes: list[Node] = field(default_factory=list)
    known: dict[tuple[object, ...], int] = field(default_factory=dict)
    tables: list[tuple[int, ...]] = field(default_factory=list)
    functions: list[FixedFunction] = field(default_factory=list)
    draws: int = 0

    def add(
        self,
        operation: str,
        arguments: tuple[int, ...] = (),
        attribute: int = 0,
        name: str = "",
        width: Width | None = None,
        repeat: int = 0,
    ) -> int:
        """The index of this node, a new one unless an equal one is there."""
        identity = (operation, arguments, attribute, name, repeat)
        if identity in self.known:
            return self.known[identity]
        if width is None:
            widths = tuple(self.nodes[argument].width for argument in arguments)
            width = OPERATIONS[operation].width(widths, attribute)
        self.nodes.append(Node(operation, arguments, attribute, name, width, repeat))
        self.known[identity] = len(self.nodes) - 1
        return len(self.nodes) - 1

    def constant(self, value: int) -> int:
        """The index of an integer."""
        return self.add("const", (), value)

    def draw(self, operation: str, attribute: int, arguments: tuple[int, ...] = ()) -> int:
        """The index of a draw of its own: one of `DRAWS`."""
        self.draws += 1
        return self.add(operation, arguments, attribute, repeat=self.draws - 1)

    def apply(self, operation: str, arguments: tuple[int, ...], attribute: int = 0) -> int:
        """Add an operation after folding what is constant or has no effect."""
        nodes = [self.nodes[argument] for argument in arguments]
        if all(node.operation == "const" for node in nodes):
            values = [node.attribute for node in nodes]
            return self.constant(self._fold(operation, values, attribute))
        if operation == "less" and nodes[0].width.high < nodes[1].width.low:
            return self.constant(1)
        if operation == "less" and nodes[0].width.low >= nodes[1].width.high:
            return self.constant(0)
        if operation == "select" and nodes[0].operation == "const":
            return arguments[1] if nodes[0].attribute else arguments[2]
        if operation == "select" and arguments[1] == arguments[2]:
            return arguments[1]
        if operation in (_SHIFTS | {"add", "sub"}) and self._is(nodes[1], 0):
            return arguments[0]
        if operation == "add" and self._is(nodes[0], 0):
            return arguments[1]
        if operation in (_SHIFTS | {"mul"}) and self._is(nodes[0], 0):
            return arguments[0]
        if operation == "mul" and self._is(nodes[1], 0):
            return arguments[1]
        if operation == "mul" and self._is(nodes[0], 1):
            return arguments[1]
        if operation == "mul" and self._is(nodes[1], 1):
            return arguments[0]
        return self.add(operation, arguments, attribute)

    @staticmethod
    def _is(node: Node, value: int) -> bool:
        return node.operation == "const" and node.attribute == value

    def _fold(self, operation: str, v: list[int], attribute: int) -> int:
        folded: dict[str, Callable[[], int]] = {
            "add": lambda: v[0] + v[1],
            "sub": lambda: v[0] - v[1],
            "mul": lambda: v[0] * v[1],
            "shift_left": lambda: v[0] << v[1],
            "shift_right": lambda: v[0] >> v[1],
            "shift_right_zero": lambda: toward_zero(v[0], v[1]),
            "shift_right_round": lambda: rounded(v[0], v[1]),
            "less": lambda: int(v[0] < v[1]),
            "equal": lambda: int(v[0] == v[1]),
            "select": lambda: v[1] if v[0] else v[2],
            "minimum": lambda: min(v),
            "maximum": lambda: max(v),
            "saturate": lambda: saturated(v[0], attribute),
            "wrap": lambda: wrapped(v[0], attribute),
            "lookup": lambda: self.tables[attribute][v[0]],
        }
        return folded[operation]()


class Integer:
    """A symbolic integer inside a program function; arithmetic adds nodes to the graph."""

    def __init__(self, graph: Graph, index: int) -> None:
        self.graph = graph
        self.index = index

    @property
    def width(self) -> Width:
        """The range that this value cannot leave."""
        return self.graph.nodes[self.index].width

    def _other(self, other: IntegerLike) -> int:
        return other.index if isinstance(other, Integer) else self.graph.constant(int(other))

    def _binary(self, operation: str, other: IntegerLike, reverse: bool = False) -> Integer:
        pair = (self.index, self._other(other))
        return Integer(self.graph, self.graph.apply(operation, pair[::-1] if reverse else pair))

    def __add__(self, other: IntegerLike) -> Integer:
        return self._binary("add", other)

    def __radd__(self, other: int) -> Integer:
        return self._binary("add", other, reverse=True)

    def __sub__(self, other: IntegerLike) -> Integer:
        return self._binary("sub", other)

    def __rsub__(self, other: int) -> Integer:
        return self._binary("sub", other, reverse=True)

    def __mul__(self, other: IntegerLike) -> Integer:
        return self._binary("mul", other)

    def __rmul__(self, other: int) -> Integer:
        return self._binary("mul", other, reverse=True)

    def __neg__(self) -> Integer:
        return self._binary("sub", 0, reverse=True)

    def __lshift__(self, other: IntegerLike) -> Integer:
        return self._binary("shift_left", other)

    def __rshift__(self, other: IntegerLike) -> Integer:
        return self._binary("shift_right", other)

    def __lt__(self, other: IntegerLike) -> Integer:
        return self._binary("less", other)

    def __gt__(self, other: IntegerLike) -> Integer:
        return self._binary("less", other, reverse=True)

    def __le__(self, other: IntegerLike) -> Integer:
        return 1 - (self > other)

    def __ge__(self, other: IntegerLike) -> Integer:
        return 1 - (self < other)

    def equals(self, other: IntegerLike) -> Integer:
        """1 where both are equal."""
        return self._binary("equal", other)

    def __eq__(self, other: object) -> bool:
        # Python's own answer would be a constant of the program, whatever the values are.
        raise TypeError("a program cannot compare values of the chip with == or !=: use a.equals(b)")

    __hash__ = object.__hash__

    def __and__(self, other: IntegerLike) -> Integer:
        """Both of two flags."""
        return self._binary("minimum", other)

    def __or__(self, other: IntegerLike) -> Integer:
        """Either of two flags."""
        return self._binary("maximum", other)

    def __bool__(self) -> bool:
        raise TypeError(
            "a program cannot branch on a value of the chip: use where(condition, then, otherwise)"
        )


def _graph_of(*values: IntegerLike) -> Graph:
    for value in values:
        if isinstance(value, Integer):
            return value.graph
    raise TypeError("at least one argument must be a value of the program")


def _apply(operation: str, values: tuple[IntegerLike, ...], attribute: int = 0) -> Integer:
    graph = _graph_of(*values)
    indices = tuple(v.index if isinstance(v, Integer) else graph.constant(int(v)) for v in values)
    return Integer(graph, graph.apply(operation, indices, attribute))


def where(condition: IntegerLike, then: IntegerLike, otherwise: IntegerLike) -> Integer:
    """`then` where the flag is set, else `otherwise`."""
    return _apply("select", (condition, then, otherwise))


def minimum(a: IntegerLike, b: IntegerLike) -> Integer:
    """The lesser of two."""
    return _apply("minimum", (a, b))


def maximum(a: IntegerLike, b: IntegerLike) -> Integer:
    """The greater of two."""
    return _apply("maximum", (a, b))


def clip(value: IntegerLike, low: IntegerLike, high: IntegerLike) -> Integer:
    """A bound that belongs to the model's equations, kept in every interpretation."""
    return minimum(maximum(value, low), high)


def saturate(value: Integer, bits: int) -> Integer:
    """A bound that belongs to the register's width, absent from the `real` interpretation."""
    return _apply("saturate", (value,), bits)


def wrap(value: Integer, bits: int) -> Integer:
    """Lava's single wrap of a register, absent from the `real` interpretation."""
    return _apply("wrap", (value,), bits)


def shift_toward_zero(value: Integer, shift: IntegerLike) -> Integer:
    """sign(value) * (|value| >> shift)."""
    return _apply("shift_right_zero", (value, shift))


def shift_rounded(value: Integer, shift: IntegerLike) -> Integer:
    """value / 2^shift to the nearest integer, halves upwards; exact in the `real` interpretation."""
    return _apply("shift_right_round", (value, shift))


def decay(value: Integer, rate: IntegerLike) -> Integer:
    """value * (4096 - rate) / 4096, rounded toward zero."""
    return shift_toward_zero(value * (4096 - rate), 12)


def lookup(table: tuple[int, ...], index: Integer) -> Integer:
    """Entry `index` of a table of integers that covers the whole range of the index."""
    assert index.width.low >= 0 and index.width.high < len(table), "the table is shorter than its index"
    graph = _graph_of(index)
    if table not in graph.tables:
        graph.tables.append(table)
    width = Width(min(table), max(table))
    number = graph.tables.index(table)
    return Integer(graph, graph.add("lookup", (index.index,), number, width=width))


def function(name: str, argument: Integer, *, argument_bits: int, result_bits: int) -> Integer:
    """A function of `FUNCTIONS`, where argument and result count 2^-argument_bits and 2^-result_bits.

    Rounded to nearest in integers, exact in the `real` interpretation. The result's range follows from the
    argument's, so `clip` the argument of a function that grows.
    """
    assert name in FUNCTIONS, f"no function '{name}': one of {', '.join(FUNCTIONS)}"
    bits = (argument_bits, result_bits)
    assert all(0 <= it <= FRACTION_BITS_MAX for it in bits), f"fractions of {bits} bits"
    graph = _graph_of(argument)
    fixed = FixedFunction(name, argument_bits, result_bits)
    if fixed not in graph.functions:
        graph.functions.append(fixed)
    number = graph.functions.index(fixed)
    width = fixed.width(argument.width)
    return Integer(graph, graph.add("function", (argument.index,), number, width=width))


def random_bits(source: Integer, bits: int) -> Integer:
    """`bits` uniform random bits, new for each neuron and step. `source` is any value of the program."""
    return _bits("random", source, bits)


def dither(source: Integer, bits: int) -> Integer:
    """`bits` random bits for stochastic rounding; 0 in the `real` interpretation, which rounds nothing."""
    return _bits("dither", source, bits)


def _bits(operation: str, source: Integer, bits: int) -> Integer:
    assert 0 < bits < 32, f"{bits} random bits"
    graph = _graph_of(source)
    return Integer(graph, graph.draw(operation, bits))


def arrivals(gap: Integer, shift: Integer, share: Integer, most: Integer) -> Integer:
    """How many arrivals of a Poisson process fall on each neuron: see `hw_models.program.arrivals`.

    All but `share` are parameters, the same for all neurons; a program that draws arrivals does nothing else
    than send them.
    """
    graph = _graph_of(gap)
    arguments = tuple(it.index for it in (gap, shift, share, most))
    return Integer(graph, graph.draw("arrivals", MOST, arguments))


def program(
    *,
    states: Mapping[str, Width],
    parameters: Mapping[str, Width],
    inputs: Mapping[str, Width],
    outputs: Mapping[str, Width],
    initial: Mapping[str, int | str] | None = None,
) -> Callable[[Callable[..., tuple[Mapping[str, IntegerLike], Mapping[str, IntegerLike]]]], Program]:
    """Trace a function (s, p, x) -> (next states, outputs) into a `Program`.

    `initial` gives a state's value at the start: an integer, or the name of a parameter; else 0.
    """

    def traced(
        function: Callable[..., tuple[Mapping[str, IntegerLike], Mapping[str, IntegerLike]]],
    ) -> Program:
        graph = Graph()

        def leaves(operation: str, declared: Mapping[str, Width]) -> SimpleNamespace:
            return SimpleNamespace(
                **{
                    name: Integer(graph, graph.add(operation, name=name, width=width))
                    for name, width in declared.items()
                }
            )

        s, p, x = leaves("state", states), leaves("param", parameters), leaves("input", inputs)
        new_states, new_outputs = function(s, p, x)
        assert set(new_states) <= set(states), f"undeclared states {set(new_states) - set(states)}"
        assert set(new_outputs) == set(outputs), f"outputs {set(new_outputs)} are not those declared"

        def index(value: IntegerLike) -> int:
            return value.index if isinstance(value, Integer) else graph.constant(int(value))

        next_state = {name: index(new_states.get(name, getattr(s, name))) for name in states}
        output = {name: index(value) for name, value in new_outputs.items()}
        return Program(
            name=function.__name__,
            states=dict(states),
            parameters=dict(parameters),
            inputs=dict(inputs),
            outputs=dict(outputs),
            initial={name: (initial or {}).get(name, 0) for name in states},
            tables=tuple(graph.tables),
            nodes=tuple(graph.nodes),
            next_state=next_state,
            output=output,
            functions=tuple(graph.functions),
        )

    return traced

"""A program as the source text of loops over neurons, to be compiled by numba.

Each node becomes one assignment (see `node_source`). Most neurons are silent in most steps, and then much of
a program does not matter: what a burst adds, what a table says of its probability. Where that is so, a loop
in vectors finds the neurons that emit, the whole program is computed for each of these alone, and another
loop in vectors takes what is left of the program for all others.
Conventions of the text: states `s_NAME[i]`, outputs `o_NAME[i]`, parameters `p_NAME` or `p_NAME[i]`,
inputs `x_NAME` or `x_NAME[i]`, the step's random key `key`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from burstchip.backends.sim.code.node_source import cast_of, integer_text, is_integral, real_text, table_name
from hw_models.program.rewrite import needed, undithered, without
from hw_models.program.trace import DRAWS, Node, Program
from hw_models.program.widths import FLAG, Width

#: What the generated text needs to see.
PRELUDE = """\
import numpy as np
from burstchip.backends.sim.code.arithmetic import add32, interpolated, mul32, or32, sar, shl, shr, signed32
from burstchip.backends.sim.code.draws import at, key as key_of, row
from burstchip.backends.sim.code.functions import (
    exp, exp32, inverse, inverse32, power_of_two, power_of_two32, sigmoid, sigmoid32, tanh, tanh32,
)
from burstchip.backends.sim.code.lists import listed
from burstchip.backends.sim.code.loop import contracted, longest_vectors, loop
from burstchip.backends.sim.code.scratch import release, scratch

i32 = np.int32
i64 = np.int64
u32 = np.uint32
f32 = np.float32
f64 = np.float64
"""
#: How much less a program has to be without what emitting takes, for being compiled in two parts.
LEAST_GAIN = 1.5
#: About how many instructions of a vector an operation takes, where it is more than one.
_COSTS = {"random": 10, "dither": 10, "function": 15, "lookup": 12}
_PREFIX = {"state": "s_", "param": "p_", "input": "x_"}


def _stored(program: Program) -> Iterator[tuple[str, str, int]]:
    """(kind, name, node) of each state that changes and of each output."""
    for state, index in program.next_state.items():
        node = program.nodes[index]
        if node.operation != "state" or node.name != state:
            yield "state", state, index
    for output, index in program.output.items():
        yield "output", output, index


def _declared(program: Program, kind: str, name: str) -> Width:
    return program.states[name] if kind == "state" else program.outputs[name]


def checked(program: Program) -> tuple[tuple[str, str], ...]:
    """(kind, name) of the states and outputs that the rules of ranges do not prove to fit."""
    return tuple(
        (kind, name)
        for kind, name, index in _stored(program)
        if not _declared(program, kind, name).holds(program.nodes[index].width)
    )


def _is_uniform(node: Node, per_neuron: Collection[str], uniform: Collection[int]) -> bool:
    """Whether a node has the same value for all neurons, as the nodes in `uniform` do."""
    if node.operation in ("param", "input"):
        return _PREFIX[node.operation] + node.name not in per_neuron
    if node.operation in ("state", *DRAWS):
        return False
    return all(argument in uniform for argument in node.arguments)


@dataclass(frozen=True)
class _Body:
    """The text of a program for neuron i.

    `lines` compute its nodes, "" where one is a constant; `used` are the leaves that they read. `checks` clip
    what it leaves, `written` has what is left for each array that is written.
    """

    lines: Sequence[str]
    used: Sequence[str]
    checks: Sequence[str]
    written: Mapping[str, str]

    @property
    def computing(self) -> list[str]:
        """All lines that come before something is written."""
        return [*filter(None, self.lines), *self.checks]


@dataclass(frozen=True)
class _Text:
    """What text a program becomes: `per_neuron` and `number` are those of `step_source` and `real_text`.

    `number` is empty in integers. `watched` are the arrays whose values are checked, in the order of bits.
    """

    per_neuron: Collection[str]
    number: str
    watched: Sequence[str]

    def uniform(self, program: Program) -> set[int]:
        """The nodes that have one value for all neurons."""
        found: set[int] = set()
        for number, node in enumerate(program.nodes):
            if _is_uniform(node, self.per_neuron, found):
                found.add(number)
        return found

    def body(self, program: Program, unless: str = "") -> _Body:
        """The text of a program.

        Of a neuron for which the flag `unless` is set it does not count that something was clipped.
        """
        names: list[str] = []
        lines: list[str] = []
        used: list[str] = []
        uniform, integral = self.uniform(program), set[int]()
        for number, node in enumerate(program.nodes):
            if is_integral(node, integral):
                integral.add(number)
            cast = self.number or cast_of(node.width)
            if node.operation == "const":
                value = repr(float(node.attribute)) if self.number else node.attribute
                names.append(f"{cast}({value})")
                lines.append("")
                continue
            if node.operation in _PREFIX:
                leaf = _PREFIX[node.operation] + node.name
                used.append(leaf)
                array = node.operation == "state" or leaf in self.per_neuron
                text = f"{cast}({leaf}[i])" if array else f"{cast}({leaf})"
            elif self.number:
                text = real_text(program, node, names, self.number, uniform, integral)
            else:
                text = integer_text(program, node, names)
            names.append(f"t{number}")
            lines.append(f"t{number} = {text}")
        return _Body(lines, used, *self._stores(program, names, unless))

    def _stores(
        self, program: Program, names: Sequence[str], unless: str
    ) -> tuple[list[str], dict[str, str]]:
        counted = f" and {unless} == 0" if unless else ""
        checks: list[str] = []
        written: dict[str, str] = {}
        for kind, variable, index in _stored(program):
            target, value = f"{kind[0]}_{variable}", names[index]
            declared = _declared(program, kind, variable)
            if target in self.watched and not declared.holds(program.nodes[index].width):
                cast = cast_of(program.nodes[index].width)
                low, high = (f"{cast}({bound})" for bound in (declared.low, declared.high))
                checks.append(f"c{index} = min(max({value}, {low}), {high})")
                bit = 1 << min(self.watched.index(target), 30)
                checks.append(f"left = or32(left, i32({bit}) if c{index} != {value}{counted} else i32(0))")
                value = f"c{index}"
            written[target] = value
        return checks, written

    def silent(self, program: Program) -> tuple[str, Program] | None:
        """(the output without which a neuron emits nothing, what the program then does).

        None where finding out who emits, and the rest for the others, are not that much less than all. What
        the rest makes of neurons that emit is of no meaning, so that it must not be looked up.
        """
        flags = [name for name in program.output if program.outputs[name] == FLAG]
        whole = self._cost(program, range(len(program.nodes)))
        for name in flags:
            first = self._cost(program, needed(program.nodes, [program.output[name]]))
            if first * LEAST_GAIN > whole:
                continue
            rest = without(program, name)
            if any(rest.nodes[rest.output[it]].operation != "const" for it in flags):
                continue
            if any(node.operation == "lookup" for node in rest.nodes):
                return None
            others = self._cost(rest, range(len(rest.nodes)))
            return (name, rest) if (first + others) * LEAST_GAIN <= whole else None
        return None

    def _cost(self, program: Program, numbers: Collection[int]) -> int:
        """About how many instructions these nodes of a program take, of those that differ among neurons."""
        varying = set(numbers) - self.uniform(program)
        return sum(_COSTS.get(program.nodes[it].operation, 1) for it in varying)


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _loop(lines: Sequence[str]) -> list[str]:
    """A loop over neurons; nothing is left of a program without states whose outputs nothing reads."""
    return ["for i in range(n):", *_indented(lines or ["pass"])]


def _writing(values: Mapping[str, str]) -> list[str]:
    return [f"{target}[i] = {value}" for target, value in values.items()]


def _emitting(body: _Body) -> list[str]:
    """The lines that keep, for each neuron in `places`, what the whole program leaves.

    They go on until a place below 0, so that LLVM does not try vectors on the few.
    """
    keeping = [f"kept[base + {place}] = {value}" for place, value in enumerate(body.written.values())]
    return [
        "base, k, i = 0, 0, i64(places[0])",
        "while i >= 0:",
        *_indented([*body.computing, *keeping]),
        f"    base, k = base + {len(body.written)}, k + 1",
        "    i = i64(places[k])",
    ]


def _in_parts(body: _Body, rest: _Body, flags: str, decided: Sequence[int], emitting: str) -> list[str]:
    """The loops of a program that does `rest` for neurons of which `flags` are 0.

    The nodes `decided` compute these; the call `emitting` does what neurons take where they are not 0.
    """
    width, numbers = len(body.written), {**rest.written}
    del numbers[flags]
    return [
        "count = i32(0)",
        *_loop(
            [
                *filter(None, (body.lines[number] for number in decided)),
                f"{flags}[i] = {body.written[flags]}",
                f"count = add32(count, i32(1) if {body.written[flags]} != 0 else i32(0))",
            ]
        ),
        "places = scratch(0, count + 1, np.int32)",
        f"kept = scratch(0, count * {width}, {flags}.dtype)",
        "if count:",
        f"    listed({flags}, n, places)",
        "places[count] = -1",
        "if count:",
        f"    {emitting}",
        *_loop([*rest.computing, *_writing(numbers)]),
        "base, k, i = 0, 0, i64(places[0])",
        "while i >= 0:",
        *(f"    {target}[i] = kept[base + {place}]" for place, target in enumerate(body.written)),
        f"    base, k = base + {width}, k + 1",
        "    i = i64(places[k])",
        "release(places)",
        "release(kept)",
    ]


def step_source(
    program: Program,
    name: str,
    *,
    per_neuron: Collection[str],
    real: bool = False,
    single: bool = False,
) -> tuple[str, tuple[str, ...]]:
    """(text of `def name(n, key, ...)`, its argument names after `n` and `key`).

    `per_neuron` names the parameters (`p_...`) and inputs (`x_...`) that are arrays; the others are
    scalars. States that never change are not written, outputs always are. In integer text `name` returns a
    word whose bit k is set if a value was outside the width of `checked(program)[k]` (bit 30 stands for all
    from 30 on); it is stored clipped, so that no table is read beyond its end. A program of which nothing has
    to be checked returns nothing. `real` text computes in float64, or in float32 where `single` is set.
    """
    program = undithered(program) if real else program
    watched = [] if real else [f"{kind[0]}_{variable}" for kind, variable in checked(program)]
    text = _Text(per_neuron, ("f32" if single else "f64") if real else "", watched)
    body = text.body(program)
    arguments = tuple(dict.fromkeys([*body.used, *body.written]))
    listed = ", ".join(arguments)
    begins, ends = (["left = i32(0)"], ["return left"]) if watched else ([], [])
    functions: dict[str, list[str]] = {}
    if silent := text.silent(program):
        decides, rest = silent
        called, flags = f"{name}_emitting(places, kept, key, {listed})", f"o_{decides}"
        functions[called] = _emitting(body)
        decided = needed(program.nodes, [program.output[decides]])
        emitting = f"left = or32(left, {called})" if watched else called
        loops = _in_parts(body, text.body(rest, f"{flags}[i]"), flags, decided, emitting)
    else:
        loops = _loop([*body.computing, *_writing(body.written)])
    functions[f"{name}(n, key, {listed})"] = ["longest_vectors()", *loops]
    lines = [
        f"{table_name(program, number)} = np.array({list(table)}, dtype=np.int64)"
        for number, table in enumerate(program.tables)
    ]
    for head, inside in functions.items():
        lines += [
            "@contracted" if single else "@loop",
            f"def {head}:",
            *_indented([*begins, *inside, *ends]),
            "",
        ]
    return "\n".join(lines), arguments

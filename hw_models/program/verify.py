"""The rules that every program obeys, whether it was traced here or read from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hw_models.program.arrivals import GAP, GAP_SHIFT, MOST, SHARE_BITS
from hw_models.program.functions import FRACTION_BITS_MAX, FUNCTIONS
from hw_models.program.operations import OPERATIONS
from hw_models.program.trace import DRAWS, Node, Program
from hw_models.program.widths import INT32, INT64, Width

SHIFT_MAX = 63
#: Far more than any neuron needs; a longer program is taken for a mistake.
NODES_MAX = 1 << 14
TABLE_MAX = 1 << 20
NAME_MAX = 64

_DECLARED = {"state": "states", "param": "parameters", "input": "inputs"}
_SHIFTS = ("shift_left", "shift_right", "shift_right_zero", "shift_right_round")


class ProgramError(ValueError):
    """A program that breaks a rule; the message says which and where."""


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ProgramError(message)


def is_name(text: object) -> bool:
    """Whether a name may be used in generated code: ASCII letters, digits and underscores, a letter first."""
    return (
        isinstance(text, str)
        and len(text) <= NAME_MAX
        and text.isascii()
        and text.isidentifier()
        and not text.startswith("_")
    )


def verify_functions(program: Program) -> None:
    """The functions that a program names are known, and so are their fractions. Raises `ProgramError`."""
    for fixed in program.functions:
        _require(fixed.name in FUNCTIONS, f"no function '{fixed.name}', required: {', '.join(FUNCTIONS)}")
        for bits in (fixed.argument_bits, fixed.result_bits):
            _require(
                type(bits) is int and 0 <= bits <= FRACTION_BITS_MAX,
                f"function {fixed.name} with a fraction of {bits} bits, at most {FRACTION_BITS_MAX}",
            )


def node_width(program: Program, node: Node, before: Sequence[Node], where: str) -> Width:
    """The range of a node behind the nodes `before`. Raises `ProgramError` where the node breaks a rule."""
    operation = OPERATIONS.get(node.operation)
    if operation is None:
        raise ProgramError(f"{where}: unknown operation '{node.operation}'")
    _require(
        len(node.arguments) == operation.arity,
        f"{where}: {node.operation} takes {operation.arity} arguments, not {len(node.arguments)}",
    )
    _require(
        all(0 <= argument < len(before) for argument in node.arguments),
        f"{where}: {node.operation} reads a later operation",
    )
    widths = tuple(before[argument].width for argument in node.arguments)
    if node.operation in _DECLARED:
        declared: Mapping[str, Width] = getattr(program, _DECLARED[node.operation])
        _require(node.name in declared, f"{where}: undeclared {node.operation} '{node.name}'")
        return declared[node.name]
    if node.operation == "lookup":
        _require(0 <= node.attribute < len(program.tables), f"{where}: table {node.attribute} is missing")
        table = program.tables[node.attribute]
        _require(
            widths[0].low >= 0 and widths[0].high < len(table),
            f"{where}: the index {widths[0]} exceeds the table's {len(table)} entries",
        )
        return Width(min(table), max(table))
    if node.operation == "function":
        _require(0 <= node.attribute < len(program.functions), f"{where}: no function {node.attribute}")
        return program.functions[node.attribute].width(widths[0])
    if node.operation in ("random", "dither"):
        _require(0 < node.attribute < 32, f"{where}: {node.attribute} random bits, required: 1..31")
    if node.operation in ("saturate", "wrap"):
        _require(1 < node.attribute < 64, f"{where}: {node.operation} to {node.attribute} bits")
    if node.operation in _SHIFTS:
        _require(widths[1].low >= 0 and widths[1].high <= SHIFT_MAX, f"{where}: a shift by {widths[1]} bits")
    return operation.width(widths, node.attribute)


def _verify_arrivals(program: Program) -> None:
    """What draws arrivals does nothing else: compiled code goes from one arrival to the next."""
    found = [number for number, node in enumerate(program.nodes) if node.operation == "arrivals"]
    if not found:
        return
    node = program.nodes[found[0]]
    _require(
        not program.states and list(program.output.values()) == found,
        "a program that draws arrivals has other states or outputs",
    )
    _require(node.attribute == MOST, f"{node.attribute} arrivals at most, required: {MOST}")
    _require(
        all(program.nodes[it].operation == "param" for it in node.arguments),
        "arrivals follow from something else than parameters",
    )
    limits = {"gap": GAP, "shift": GAP_SHIFT, "share": 1 << SHARE_BITS, "most": MOST}
    for (name, most), argument in zip(limits.items(), node.arguments, strict=True):
        width = program.nodes[argument].width
        _require(
            width.low >= 0 and width.high <= most, f"arrivals with a {name} in {width}, required: 0..{most}"
        )


def verify_program(program: Program) -> None:
    """Names, arity, order, ranges and tables. Raises `ProgramError`."""
    _require(is_name(program.name), f"'{program.name}' is not a valid name for a program")
    groups = ("states", "parameters", "inputs", "outputs")
    for group in groups:
        for name, width in getattr(program, group).items():
            _require(is_name(name), f"{group}: '{name}' is not a valid name")
            # What is declared is stored and sent in 32 bits, by every backend.
            _require(INT32.holds(width), f"{group}: {name} in {width} exceeds 32 bits")
    shared = set(program.states) & set(program.parameters)
    # Both are variables of a process in Lava.
    _require(not shared, f"{', '.join(sorted(shared))}: a state and a parameter have the same name")
    _require(set(program.initial) == set(program.states), "every state needs exactly one initial value")
    for name, start in program.initial.items():
        if isinstance(start, str):
            _require(start in program.parameters, f"state {name} starts from the unknown parameter '{start}'")
            width = program.parameters[start]
        else:
            width = Width(start, start)
        _require(
            program.states[name].holds(width),
            f"state {name} starts from {width}, outside {program.states[name]}",
        )
    for number, table in enumerate(program.tables):
        _require(0 < len(table) <= TABLE_MAX, f"table {number} has {len(table)} entries")
        _require(INT64.holds(Width(min(table), max(table))), f"table {number} exceeds 64 bits")
    _require(len(program.nodes) <= NODES_MAX, f"{len(program.nodes)} operations, at most {NODES_MAX}")
    verify_functions(program)
    before: list[Node] = []
    for number, node in enumerate(program.nodes):
        where = f"operation {number}"
        width = node_width(program, node, before, where)
        before.append(node)
        _require(node.width == width, f"{where}: {node.operation} has the range {width}, not {node.width}")
        _require(INT64.holds(width), f"{where}: {node.operation} in {width} exceeds 64 bits")
    _verify_arrivals(program)
    draws = [node.repeat for node in program.nodes if node.operation in DRAWS]
    _require(
        len(set(draws)) == len(draws) and all(0 <= d < 1 << 16 for d in draws),
        "two draws have the same number",
    )
    for group, indices in (("states", program.next_state), ("outputs", program.output)):
        _require(
            set(indices) == set(getattr(program, group)),
            f"the {group} that are declared and those that are computed differ",
        )
        for name, index in indices.items():
            _require(
                0 <= index < len(program.nodes), f"{name} is computed by an operation that does not exist"
            )
            declared, found = getattr(program, group)[name], program.nodes[index].width
            # The rules do not know how values depend on each other: overlapping is all that they can require.
            _require(
                found.low <= declared.high and declared.low <= found.high,
                f"{name} has the range {found}, none of which is in the declared {declared}",
            )

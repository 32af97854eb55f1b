"""A program as plain values (lists, texts, integers), and back. What is read back is verified.

Mappings become lists of pairs, since their order counts. Ranges of operations are left out: they follow from
those that are declared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hw_models.program.functions import FixedFunction
from hw_models.program.trace import Node, Program
from hw_models.program.verify import (
    NODES_MAX,
    ProgramError,
    node_width,
    verify_functions,
    verify_program,
)
from hw_models.program.widths import Width

_RANGES = ("states", "parameters", "inputs", "outputs")


def encode_program(program: Program) -> dict[str, Any]:
    """The program as JSON holds it."""
    # A program without functions is written as it was before there were any.
    functions = [[it.name, it.argument_bits, it.result_bits] for it in program.functions]
    return {
        "name": program.name,
        **{
            group: [[name, width.low, width.high] for name, width in getattr(program, group).items()]
            for group in _RANGES
        },
        "initial": [[name, start] for name, start in program.initial.items()],
        "tables": [list(table) for table in program.tables],
        "nodes": [[n.operation, list(n.arguments), n.attribute, n.name, n.repeat] for n in program.nodes],
        "next_state": [[name, index] for name, index in program.next_state.items()],
        "output": [[name, index] for name, index in program.output.items()],
        **({"functions": functions} if functions else {}),
    }


def program_sha256(program: Program) -> str:
    """A hash over everything that a program does."""
    text = json.dumps(encode_program(program), separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _integer(value: object) -> int:
    if type(value) is not int or not -(1 << 64) < value < 1 << 64:
        raise ProgramError(f"{str(value)[:40]!r} where an integer is required")
    return value


def _text(value: object) -> str:
    if type(value) is not str:
        raise ProgramError(f"{str(value)[:40]!r} where a text is required")
    return value


def _list(value: object, length: int | None = None) -> list[Any]:
    if type(value) is not list or (length is not None and len(value) != length):
        wanted = "a list" if length is None else f"a list of {length}"
        raise ProgramError(f"{str(value)[:40]!r} where {wanted} is required")
    return value


def _mapping(entry: Mapping[str, Any], group: str, columns: int, read: Callable[..., Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in _list(entry.get(group)):
        name, *values = _list(row, columns)
        if _text(name) in found:
            raise ProgramError(f"{group}: '{name}' appears twice")
        found[name] = read(*values)
    return found


def _width(low: object, high: object) -> Width:
    if _integer(low) > _integer(high):
        raise ProgramError(f"the range {low}..{high} is empty")
    return Width(_integer(low), _integer(high))


def _initial(value: object) -> int | str:
    return value if isinstance(value, str) else _integer(value)


def decode_program(entry: Mapping[str, Any]) -> Program:
    """What `encode_program` wrote. Raises `ProgramError` for anything that is not a program."""
    rows = _list(entry.get("nodes"))
    if len(rows) > NODES_MAX:
        raise ProgramError(f"{len(rows)} operations, at most {NODES_MAX}")
    bare = Program(
        name=_text(entry.get("name")),
        **{group: _mapping(entry, group, 3, _width) for group in _RANGES},
        initial=_mapping(entry, "initial", 2, _initial),
        tables=tuple(tuple(_integer(v) for v in _list(table)) for table in _list(entry.get("tables"))),
        nodes=(),
        next_state=_mapping(entry, "next_state", 2, _integer),
        output=_mapping(entry, "output", 2, _integer),
        functions=tuple(
            FixedFunction(_text(name), _integer(argument_bits), _integer(result_bits))
            for name, argument_bits, result_bits in (
                _list(row, 3) for row in _list(entry.get("functions", []))
            )
        ),
    )
    verify_functions(bare)
    if not all(bare.tables):
        raise ProgramError("a table has no entries")
    nodes: list[Node] = []
    for number, row in enumerate(rows):
        operation, arguments, attribute, name, repeat = _list(row, 5)
        given = tuple(_integer(argument) for argument in _list(arguments))
        node = Node(_text(operation), given, _integer(attribute), _text(name), Width(0, 0), _integer(repeat))
        width = node_width(bare, node, nodes, f"operation {number}")
        nodes.append(replace(node, width=width))
    program = replace(bare, nodes=tuple(nodes))
    verify_program(program)
    return program

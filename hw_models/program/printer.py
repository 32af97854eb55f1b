"""A program as text, one operation a line: for people, and for comparing with what it was before."""

from __future__ import annotations

from collections.abc import Iterator

from hw_models.program.operations import OPERATIONS
from hw_models.program.serialise import program_sha256
from hw_models.program.trace import DRAWS, Program

#: How a program function names what it is given.
_LEAVES = {"state": "s", "param": "p", "input": "x"}


def program_lines(program: Program) -> Iterator[str]:
    """What it declares, then each operation with its range, then what states and outputs become."""
    yield f"{program.name} #{program_sha256(program)[:8]}"
    for group, label in (("states", "state"), ("parameters", "parameter"), ("inputs", "input")):
        for name, width in getattr(program, group).items():
            start = f", at first {program.initial[name]}" if group == "states" else ""
            yield f"  {label} {name}: {width}{start}"
    for number, table in enumerate(program.tables):
        yield f"  table {number}: {len(table)} entries {min(table)}..{max(table)}"
    texts: list[str] = []
    for number, node in enumerate(program.nodes):
        if node.operation == "const":
            texts.append(str(node.attribute))
            continue
        if node.operation in _LEAVES:
            texts.append(f"{_LEAVES[node.operation]}.{node.name}")
            continue
        given = [texts[argument] for argument in node.arguments]
        if node.operation == "function":
            given.append(str(program.functions[node.attribute]))
        elif attribute := OPERATIONS[node.operation].attribute:
            given.append(f"{attribute}={node.attribute}")
        if node.operation in DRAWS:
            given.append(f"draw={node.repeat}")
        texts.append(f"t{number}")
        yield f"  t{number} = {node.operation}({', '.join(given)}): {node.width}"
    for name, index in program.next_state.items():
        if texts[index] != f"s.{name}":
            yield f"  s.{name} <- {texts[index]}"
    for name, index in program.output.items():
        yield f"  output {name}: {program.outputs[name]} = {texts[index]}"

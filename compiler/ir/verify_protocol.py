"""The rules that a protocol obeys. A broken rule is a bug, or a file that the compiler did not write."""

from __future__ import annotations

from math import isfinite

from compiler.ir.chip_program import ChipProgram
from compiler.ir.protocol import GATE, RATE, Protocol, ProtocolInput, Teacher, gate_signal
from compiler.steps import whole_steps

#: Rounds of a part, and phases, examples and the like.
_MOST = 1_000_000


def verify_protocol(code: ChipProgram, protocol: Protocol) -> None:
    """Names resolve, rows fit their columns, times are whole steps, and every signal is one of the host."""
    assert code.task is None, "a task and a protocol"
    populations = {population.name: population for population in code.populations}
    columns: list[ProtocolInput | Teacher] = [*protocol.inputs, *protocol.teachers]
    for what, names in {
        "inputs and teachers": [it.name for it in columns],
        "phases": [it.name for it in protocol.phases],
        "parts": [it.name for it in protocol.parts],
        "examples": [it.name for it in protocol.examples],
    }.items():
        assert names and len(set(names)) == len(names), f"the names of {what} are {names}"
    written = {it.signal: (it.population, it.variable) for it in columns}
    written |= {gate_signal(name): (name, GATE) for name in protocol.gated}
    for signal, (population, variable) in written.items():
        assert signal in code.host, f"the host does not write '{signal}'"
        given = code.host[signal]
        assert (given.population, given.input) == (population, variable), (
            f"'{signal}' is of {given.population}"
        )
    for example in protocol.examples:
        assert len(example.inputs) == len(protocol.inputs), f"{example.name} has {len(example.inputs)} values"
        assert len(example.targets) == len(protocol.teachers), f"{example.name} has targets {example.targets}"
        assert set(example.targets) <= {0, 1}, f"{example.name} has targets {example.targets}"
        assert all(isfinite(value) for value in example.inputs), f"{example.name} is not finite"
    for teacher in protocol.teachers:
        assert RATE in populations[teacher.population].program.states, f"{teacher.population} has no rates"
        numbers = (teacher.low, teacher.high, teacher.tolerance, teacher.strength)
        assert all(isfinite(number) for number in numbers), f"{teacher.name} is not finite"
        assert 0 < 2 * teacher.tolerance < teacher.high - teacher.low, f"{teacher.name} has no range"
    times = {"bin": protocol.bin} | {f"phase {it.name}": it.lasts for it in protocol.phases}
    times |= {f"teacher {it.name}": it.every for it in protocol.teachers if it.every is not None}
    times |= {f"part {it.name}": it.rest for it in protocol.parts if not it.phases}
    for what, time in times.items():
        assert isfinite(time) and time > 0 and whole_steps(time, code.step_ms), f"{what} lasts {time} ms"
    known = {phase.name for phase in protocol.phases}
    for part in protocol.parts:
        assert set(part.phases) <= known, f"{part.name} has phases {part.phases}"
        assert 1 <= part.rounds <= _MOST, f"{part.name} has {part.rounds} rounds"

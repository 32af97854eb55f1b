"""What a run and its recording will take, told from sizes alone, before anything is made."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from burstchip.backends.available import REAL
from burstchip.variables import Selection, Variable
from compiler.ir.chip_program import ChipProgram, ProjectionCode
from compiler.machine_memory import as_bytes, available_memory
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC511": "a recording does not fit into the memory",
        "BC681": "a run that would not fit in memory",
        "BC682": "a recording that may not fit on the disk",
    }
)

#: Runs that take less than this are not worth asking the system for.
SMALL = 1 << 26


def run_bytes(code: ChipProgram, backend: str, *, learning: bool = True) -> int:
    """Bytes that a run of the program takes at least: neurons, synapses, and sums on their way."""
    number = 4 if backend in ("sim", "reference32") else 8
    total = 0
    for population in code.populations:
        program = population.program
        total += population.size * number * (len(program.states) + len(program.outputs))
        for port in population.ports:
            longest = max(
                (_longest(it) for it in code.projections if (it.target, it.port) == (population.name, port)),
                default=0,
            )
            # `plain` and `lava` hold a row of sums for what is under way alone.
            total += population.size * number * (1 + (longest if backend in ("sim", *REAL) else 0))
    return total + sum(_synapse_bytes(code, it, backend, learning=learning) for it in code.projections)


def _longest(projection: ProjectionCode) -> int:
    return int(np.max(projection.delays, initial=0))


def _synapse_bytes(code: ChipProgram, projection: ProjectionCode, backend: str, *, learning: bool) -> int:
    count, learns = int(projection.weights.size), learning and projection.learning is not None
    if backend == "plain":
        if learns and not projection.dense:
            # A synapse that learns has a place in a matrix, connected or not.
            count = code.population(projection.source).size * code.population(projection.target).size
        return 33 * count  # weight, delay, tag and its gain in 64 bits, and whether it is connected
    held = {"sim": projection.weights.dtype.itemsize, "reference32": 4}.get(backend, 8)
    chip = projection.learning if learns and projection.learning is not None else None
    if chip is None or chip.form != "chip":
        return count * held
    # Tags and delays take room where the rule has to do with them.
    return count * held * (1 + sum(chip.rule.touches(it) for it in ("t", "d")))


def require_room_to_run(
    code: ChipProgram, backend: str, *, learning: bool = True, available: int | None = None
) -> None:
    """Raise `BurstchipError` BC681 where a run exceeds the `available` bytes (None: what the machine has)."""
    needed = run_bytes(code, backend, learning=learning)
    if needed < SMALL and available is None:
        return
    available = available_memory() if available is None else available
    if available is None or needed <= available:
        return
    neurons = sum(population.size for population in code.populations)
    synapses = sum(int(projection.weights.size) for projection in code.projections)
    longest = max((_longest(it) for it in code.projections), default=0)
    raise BurstchipError(
        Diagnostic(
            "BC681",
            f"a run of '{code.name}' on backend '{backend}' does not fit in memory",
            required=f"at most {as_bytes(available)}, which is available",
            given=f"at least {as_bytes(needed)} for {neurons:,} neurons, {synapses:,} synapses "
            f"and delays up to {longest + 1} steps",
            hint="fewer neurons or synapses, or shorter delays"
            + ("" if backend == "sim" else "; backend sim takes the least"),
        )
    )


def recording_bytes(
    code: ChipProgram,
    rows: int,
    selections: Sequence[Selection],
    *,
    real: bool = False,
    flags: Collection[Variable] = (),
    listed: Collection[Variable] = (),
) -> int:
    """Bytes of a recording of so many rows and of its times.

    A number has 4 bytes, with `real` 8, a variable in `flags` 1; lists of events are not known before.
    """
    row = 8
    for it in selections:
        if it.variable not in listed:
            row += it.size(code) * (1 if it.variable in flags else 8 if real else 4)
    return rows * row


def require_room_to_record(
    code: ChipProgram,
    rows: int,
    selections: Sequence[Selection],
    *,
    real: bool,
    available: int | None = None,
) -> None:
    """Raise `BurstchipError` BC511 where the arrays of a recording take more than the `available` bytes."""
    needed = recording_bytes(code, rows, selections, real=real)
    if needed < SMALL and available is None:
        return
    available = available_memory() if available is None else available
    if available is None or needed <= available:
        return
    raise BurstchipError(
        Diagnostic(
            "BC511",
            f"{rows} steps of {', '.join(it.text for it in selections)} exceed the memory",
            required=f"at most {as_bytes(available)}, which is available",
            given=as_bytes(needed),
            hint="record fewer steps or fewer variables, or let `burstchip run` write them to a file",
        )
    )


def room_on_disk(path: Path, needed: int, free: int | None = None) -> tuple[Diagnostic, ...]:
    """A warning (BC682) where a file of `needed` bytes, uncompressed, exceeds the `free` ones of its disk.

    A recording is compressed, by how much is not known before: it is not an error.
    """
    if free is None:
        folder = next((it for it in path.absolute().parents if it.is_dir()), None)
        if folder is None:
            return ()
        free = shutil.disk_usage(folder).free
    if needed <= free:
        return ()
    return (
        Diagnostic(
            "BC682",
            f"recording '{path}' may not fit on the disk",
            severity="warning",
            required=f"at most {as_bytes(free)}, which is free",
            given=f"up to {as_bytes(needed)} before it is compressed",
            hint="--every N keeps every Nth step, --events list events alone, `hidden.v[0:10]` some neurons",
        ),
    )

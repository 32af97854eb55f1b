"""What the host gives a run, in physical units, as the program's own numbers: checked, never clipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import HALVINGS, Host, HostInput, Rows, Streamed, Written
from compiler.passes.bind import LABELS, SAMPLES
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes
from hw_models.neurons.roles import ANNEALINGS_MAX

register_codes(
    {
        "BC603": "a number of steps out of range",
        "BC567": "a backend that cannot do what a run asks of it",
        "BC558": "a signal that the host cannot set",
        "BC559": "a value of the host that does not fit its signal",
    }
)


def _given(code: ChipProgram, name: str) -> HostInput:
    if name not in code.host:
        known = tuple(code.host)
        declared = "a signal declared as written or streamed"
        raise BurstchipError(
            Diagnostic(
                "BC558",
                f"'{code.name}' has no signal '{name}' that the host sets",
                required=f"one of {', '.join(known)}" if known else declared,
                given=f"'{name}'",
                hint=nearest(name, known),
            )
        )
    return code.host[name]


def _numbers(code: ChipProgram, name: str, value: ArrayLike, *, rows: bool, real: bool) -> NDArray[Any]:
    """The program's numbers of `value`: one, or [neuron]; with `rows` one or [neuron] in each row, 2-D."""
    given = _given(code, name)
    size = 1 if given.single else code.population(given.population).size
    unit = f" {given.unit_name}".rstrip()
    where = f"{given.population}.{given.input}"

    def error(required: str, what: str) -> BurstchipError:
        message = f"what is given as '{name}' does not fit {where}"
        return BurstchipError(Diagnostic("BC559", message, required=required, given=what))

    try:
        physical = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as reason:
        raise error("numbers", str(reason)) from None
    expected = [(), (size,)] if not rows else [physical.shape[:1], (*physical.shape[:1], size)]
    if physical.shape not in expected or (rows and (physical.ndim == 0 or physical.size == 0)):
        shape = f"[{size}]" if not rows else f"[rows] or [rows, {size}]"
        raise error(f"one number or {shape}" if not rows else shape, f"shape {list(physical.shape)}")
    beyond = ~((physical >= given.least) & (physical <= given.greatest))
    if np.any(beyond):
        first = float(physical[beyond].flat[0]) if physical.ndim else float(physical)
        raise error(f"{given.least:.6g} to {given.greatest:.6g}{unit}", f"{first:.6g}{unit}")
    if rows and physical.ndim == 1:
        physical = physical[:, np.newaxis]
    exact = physical / given.unit
    return exact if real else np.rint(exact).astype(np.int64)


def check_ahead(steps: object) -> None:
    """Raise `BurstchipError` BC603 unless `steps` is a number of steps that a run can take."""
    if not isinstance(steps, int | np.integer) or steps < 0:
        raise BurstchipError(
            Diagnostic("BC603", "a run goes on by whole steps", required="0 or more", given=repr(steps))
        )


@dataclass(frozen=True, eq=False)
class Numbers:
    """A value of the host that is the program's own number already, or [neuron]: a remote host sends it."""

    values: NDArray[Any]


def written_value(code: ChipProgram, name: str, value: Any, *, real: bool) -> Any:
    """The program's number, or [neuron], of what the host writes. Raises `BurstchipError` BC558, BC559."""
    if isinstance(value, Numbers):
        return _own_number(code, name, value.values, real=real)
    if name == HALVINGS:
        assert type(value) is int and 0 <= value <= ANNEALINGS_MAX, "learning rates halve 0 to 7 times"
        return value
    if name in code.host and not _is_written(code, name):
        raise BurstchipError(
            Diagnostic(
                "BC558",
                f"signal '{name}' is a stream",
                required="a signal declared as written",
                given=f"'{name}'",
                hint="give its rows when the run is opened: open_run(code, streams={...})",
            )
        )
    numbers = _numbers(code, name, value, rows=False, real=real)
    return numbers if numbers.ndim else numbers.item()


def _own_number(code: ChipProgram, name: str, values: NDArray[Any], *, real: bool) -> Any:
    """The program's number, where it is in the signal's range."""
    shape: tuple[int, ...] = ()
    least: NDArray[np.float64] | float = 0.0
    greatest: NDArray[np.float64] | float = float(ANNEALINGS_MAX)
    if name != HALVINGS:
        given = _given(code, name)
        if not _is_written(code, name):
            written_value(code, name, 0.0, real=real)
        shape = () if given.single else (code.population(given.population).size,)
        ends = np.array([given.least / np.asarray(given.unit), given.greatest / np.asarray(given.unit)])
        ends = ends if real else np.rint(ends)
        least, greatest = ends.min(axis=0), ends.max(axis=0)
    fits = values.shape in ((), shape) and (real or values.dtype.kind in "iub")
    if not fits or not np.all((values >= least) & (values <= greatest)):
        raise BurstchipError(
            Diagnostic(
                "BC559",
                f"what is given as '{name}' does not fit its signal",
                required=f"{np.min(least):g} to {np.max(greatest):g}, one number or {list(shape)}",
                given=f"{values.dtype} of shape {list(values.shape)}"
                + (f", {values.min():g} to {values.max():g}" if values.size else ""),
            )
        )
    kind = np.float64 if real else np.int64
    return values.astype(kind) if values.ndim else values.astype(kind).item()


def _is_written(code: ChipProgram, name: str) -> bool:
    signals = (signal for population in code.populations for signal in population.signals.values())
    return any(isinstance(signal, Written) and signal.name == name for signal in signals)


def written_at_the_start(code: ChipProgram, *, real: bool) -> dict[str, Any]:
    """What stands for the host's values before it writes any."""
    started: dict[str, Any] = {HALVINGS: 0}
    for population in code.populations:
        for signal in population.signals.values():
            if isinstance(signal, Written) and signal.name in code.host:
                given = code.host[signal.name]
                started[signal.name] = given.start / given.unit if real else signal.start
    return started


def stream_of(code: ChipProgram, name: str, values: ArrayLike | Rows, *, real: bool) -> Rows:
    """Rows of a stream from an array of physical values; 0 after its last. A function stays as it is.

    Raises `BurstchipError` BC558, BC559.
    """
    if callable(values):
        return values
    if name in (SAMPLES, LABELS):
        raise BurstchipError(
            Diagnostic(
                "BC558",
                f"stream '{name}' is the task's",
                required="the task's data set",
                given="an array",
                hint="`burstchip.record` presents the samples of a task",
            )
        )
    size = code.population(_given(code, name).population).size
    numbers = _numbers(code, name, values, rows=True, real=real)
    table = np.broadcast_to(numbers, (len(numbers), size))

    def rows(first: int, count: int) -> NDArray[Any]:
        found = np.zeros((count, size), dtype=table.dtype)
        there = table[first : first + count]
        found[: len(there)] = there
        return found

    return rows


def require_streams(code: ChipProgram, host: Host) -> None:
    """Raise `BurstchipError` BC567 where a stream of the program is not given."""
    needed = {
        signal.stream
        for population in code.populations
        for signal in population.signals.values()
        if isinstance(signal, Streamed)
    }
    if missing := sorted(needed - set(host.streams)):
        raise BurstchipError(
            Diagnostic(
                "BC567",
                f"'{code.name}' needs streams that the run is not given",
                required=f"streams {', '.join(sorted(needed))}",
                given=", ".join(sorted(host.streams)) or "none",
                hint=f"missing: {', '.join(missing)}; --stream NAME=FILE, or `streams` in Python",
            )
        )

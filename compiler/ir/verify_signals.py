"""The rules that a signal obeys. A broken rule is a bug, or a file that the compiler did not write."""

from __future__ import annotations

import numpy as np

from compiler.ir.chip_program import ChipProgram
from compiler.ir.signals import (
    HALVINGS,
    Clock,
    Constant,
    Listed,
    Periodic,
    Signal,
    Streamed,
    Waveform,
    Written,
)
from hw_models.neurons.roles import ANNEALINGS_MAX

#: The clock has 31 bits.
_STEPS = 1 << 31


def signal_range(signal: Signal) -> tuple[int, int] | None:
    """The least and the greatest integer of a signal; None where the host or a parameter decides."""
    if isinstance(signal, Constant):
        return None if isinstance(signal.value, str) else (signal.value, signal.value)
    if isinstance(signal, Periodic | Listed):
        return 0, 1
    if isinstance(signal, Clock):
        return 0, _STEPS - 1
    if isinstance(signal, Waveform):
        return int(signal.rows.min()), int(signal.rows.max())
    if isinstance(signal, Written):
        least, most = (signal.offset + int(end) for end in (np.min(signal.start), np.max(signal.start)))
        # Written to a parameter of the compiler's own are the halvings of learning rates.
        return least, most + (ANNEALINGS_MAX if signal.offset else 0)
    return None


def verify_signal(signal: Signal, where: str, size: int) -> None:
    """The fields are of their kind and the numbers in range."""

    def whole(low: int, *names: str) -> None:
        for name in names:
            value = getattr(signal, name)
            assert type(value) is int and low <= value < _STEPS, f"{where}: {name} = {value!r}"

    if isinstance(signal, Constant):
        assert type(signal.value) in (int, str), f"{where} is {signal.value!r} throughout"
    elif isinstance(signal, Periodic):
        whole(0, "period", "first", "last")
    elif isinstance(signal, Streamed):
        whole(1, "hold")
        assert type(signal.stream) is str, f"{where} has a stream without a name"
    elif isinstance(signal, Written):
        assert type(signal.name) is str, f"{where} is written without a name"
        start = np.asarray(signal.start)
        assert start.dtype.kind == "i" and start.shape in ((), (size,)), f"{where} starts with no integer"
        assert type(signal.offset) is int, f"{where} has the offset {signal.offset!r}"
    elif isinstance(signal, Waveform):
        _verify_waveform(signal, where, size)
    else:
        assert isinstance(signal, Clock | Listed), f"{where} is not a signal"


def verify_given(code: ChipProgram) -> None:
    """What signals take from elsewhere is there: the list of a population, the values of the host."""
    populations = {population.name: population for population in code.populations}
    for name, given in code.host.items():
        assert given.population in populations, f"'{name}' of the host is of no population"
        shapes = ((), (populations[given.population].size,))
        for what in ("unit", "start"):
            value = np.asarray(getattr(given, what))
            sound = value.dtype == np.float64 and value.shape in shapes and bool(np.all(np.isfinite(value)))
            assert sound, f"'{name}' of the host has no {what}"
        assert np.all(given.unit), f"'{name}' of the host has the unit 0"
        assert given.least <= given.greatest, f"'{name}' of the host has no range"
    widths: dict[str, int] = {}
    for population in code.populations:
        for bound, signal in population.signals.items():
            where = f"{population.name}.{bound}"
            if isinstance(signal, Streamed):
                # Its rows have one number for each neuron of all that read it: compiled code counts on it.
                known = code.host.get(signal.stream)
                size = population.size if known is None else populations[known.population].size
                same = widths.setdefault(signal.stream, size) == size == population.size
                assert same, f"{where} has another size than the stream '{signal.stream}'"
            if isinstance(signal, Listed):
                listed = population.spikes is not None and bound == population.roles.of_list
                assert listed, f"{where} has no list"
            if isinstance(signal, Written):
                _verify_written(signal, where, code, population.name)
                parameter = bound in population.program.parameters
                assert parameter or not signal.offset, f"{where} counts from no parameter"
    for projection in code.projections:
        if projection.learning is None:
            continue
        for what in ("gate", "restart", "halvings"):
            signal, where = getattr(projection.learning, what), f"{projection.name}.{what}"
            assert not isinstance(signal, Listed), f"{where} has no list"
            if isinstance(signal, Written):
                _verify_written(signal, where, code, None)
                assert not signal.offset, f"{where} counts from no parameter"


def _verify_written(signal: Written, where: str, code: ChipProgram, population: str | None) -> None:
    """The host writes the halvings of learning rates, and what the network says that it does."""
    given = code.host.get(signal.name)
    if given is None:
        assert signal.name == HALVINGS, f"{where} is written as '{signal.name}', which no host does"
    else:
        assert given.population == population, f"{where} is written as '{signal.name}' of {given.population}"


def _verify_waveform(signal: Waveform, where: str, size: int) -> None:
    rows, exact = signal.rows, signal.exact
    assert rows.dtype == np.int64 and exact.dtype == np.float64, f"{where} has rows of {rows.dtype}"
    assert rows.shape == exact.shape and len(rows) > 1, f"{where} has rows {rows.shape} and {exact.shape}"
    assert rows.shape[1:] in ((), (size,)), f"{where} has rows of {rows.shape[1:]}"
    assert bool(np.all(np.isfinite(exact))), f"{where} is not finite"
    for what, least, most in (
        # A step's number times the pace has 63 bits.
        ("pace", 1, 1 << 32),
        ("per", 1, 1 << 40),
        ("start", 0, _STEPS),
        ("stop", 0, _STEPS),
    ):
        value = getattr(signal, what)
        assert type(value) is int and least <= value < most, f"{where}: {what} = {value!r}"
    flags = (signal.repeats, signal.linear)
    assert all(type(flag) is bool for flag in flags), f"{where} is neither repeated nor played once"
    if signal.sine is not None:
        finite = [type(value) is float and bool(np.isfinite(value)) for value in signal.sine]
        assert len(finite) == 4 and all(finite), f"{where} has the sine {signal.sine}"

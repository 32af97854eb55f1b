"""The states that neurons start with, as the chip's integers, beside the real numbers before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import QuantisationLine
from compiler.ir.network import Population
from compiler.passes.elaborate_values import INITIAL
from compiler.passes.quantize_neurons import Rounded, numbers_of, spread
from compiler.passes.quantize_report import ROUNDING_SHARE, Report, amount
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.model import BASE_UNITS, NeuronModel, Parameter, Reals
from hw_models.neurons.quantities import Integers, integers
from hw_models.program.widths import Width

register_codes({"BC361": "values of a state at the start that its width does not hold"})


@dataclass(frozen=True)
class Starts:
    """The states that a population's `initial` names: integers, and the real numbers behind them."""

    integers: dict[str, Integers]
    real: dict[str, Reals]


@dataclass(frozen=True)
class _Values:
    """One state of a population: what was asked in its unit and as integers, and what the width holds.

    1 in the state is `unit`, 0 is `origin`. All are one number, or [neuron].
    """

    asked: NDArray[np.float64]
    wanted: NDArray[np.int64]
    held: NDArray[np.int64]
    unit: NDArray[np.float64]
    origin: NDArray[np.float64]

    @property
    def got(self) -> NDArray[np.float64]:
        return np.asarray(self.origin + self.held * self.unit)


def quantize_initial(population: Population, model: NeuronModel, found: Rounded, report: Report) -> Starts:
    """What a population starts with, rounded, each with a line in the report.

    Raises `BurstchipError` BC361 where the width of a state does not hold a value. For no chip the real
    numbers stay, and the integers beside them, which nothing runs with, end at the width.
    """
    starts = Starts({}, {})
    for it in model.initial:
        if it.name not in population.initial:
            continue
        asked, unit, origin = np.broadcast_arrays(
            numbers_of(population.initial[it.name]), *found.numbers.starts[it.name]
        )
        real = np.asarray((asked - origin) / unit, dtype=np.float64)
        width = model.program.states[it.name]
        wanted = np.asarray(integers(real))
        held = np.clip(wanted, width.low, width.high).astype(np.int64)
        starts.integers[it.name] = int(held) if held.ndim == 0 else held
        starts.real[it.name] = float(real) if real.ndim == 0 else real
        if report.chip:
            values = _Values(asked, wanted, held, unit, origin)
            _require_width(population, it, values, width)
            _report(population, it, values, report)
    return starts


def _require_width(population: Population, it: Parameter, values: _Values, width: Width) -> None:
    outside = int(np.count_nonzero(values.wanted != values.held))
    if not outside:
        return
    at, unit = int(np.argmax(np.abs(values.wanted - values.held))), BASE_UNITS[it.dimension]
    origin, one = values.origin.flat[at].item(), values.unit.flat[at].item()
    least, most = (amount(origin + end * one, unit) for end in (width.low, width.high))
    raise BurstchipError(
        Diagnostic(
            "BC361",
            f"{outside} of {values.held.size} initial values of"
            f" '{population.name}.{it.name}' exceed its width",
            population.parameter_places.get(INITIAL + it.name),
            required=f"from {least} to {most}",
            given=amount(values.asked.flat[at].item(), unit),
        )
    )


def _report(population: Population, it: Parameter, values: _Values, report: Report) -> None:
    unit, what = BASE_UNITS[it.dimension], f"initial {it.name}"
    place = population.parameter_places.get(INITIAL + it.name)
    # The whole is the way from 0 of the state: -70 mV may be nothing.
    whole = float(np.max(np.abs(values.asked - values.origin)))
    at = int(np.argmax(np.abs(values.got - values.asked)))
    asked, got, held = (array.flat[at].item() for array in (values.asked, values.got, values.held))
    if INITIAL + it.name in population.drawn:
        report.lines.extend(spread(population.name, what, unit, values.asked, values.got, values.held))
    else:
        report.lines.append(QuantisationLine(population.name, what, unit, asked, got, f"{it.name} = {held}"))
    if abs(got - asked) > ROUNDING_SHARE * whole:
        report.diagnostics.append(
            Diagnostic(
                "BC310",
                f"'{what}' of '{population.name}' is {amount(asked, unit)} in the network"
                f" and {amount(got, unit)} on the chip",
                place,
                "warning",
                required=amount(asked, unit),
                given=f"{amount(got, unit)} ({it.name} = {held})",
            )
        )

"""How `quantize` uses a calibration: scales of populations, exponents of projections, and its report.

The report has a line for what every port and state has to hold, beside what it holds (BC924 where that is
less), and one for the sums of every projection that stays, beside those of the rounded weights, with their
error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from compiler.ir.calibration import Calibration, Kind
from compiler.ir.chip_program import PopulationCode, ProjectionCode, QuantisationLine
from compiler.ir.elaborated import Elaborated, Synapses
from compiler.ir.network import Population, Projection
from compiler.passes.calibrated_scale import Reaching, calibrated_steps, margin, scaled_states
from compiler.passes.calibrated_sums import Sums
from compiler.passes.lower import port_exponent
from compiler.passes.quantize_report import Report, amount
from compiler.passes.quantize_scales import Arriving, slowest_decays
from compiler.passes.quantize_weights import EXPONENT_RANGE, Weights
from compiler.passes.weight_signs import Form
from hw_models.diagnostics import Diagnostic, register_codes
from hw_models.neurons.model import Reals
from hw_models.neurons.quantities import VOLTAGE_STEPS

register_codes({"BC924": "values that a calibrated network reaches do not fit"})


@dataclass
class Calibrated:
    """What is known of a calibrated network while it is quantised.

    `reaching` are the projections by name, `scales[population]` the chosen scale and that for the worst case,
    `worst_units[population, port]` the port's base unit at the latter; `scaled` names the states that count
    in it.
    """

    elaborated: Elaborated
    calibration: Calibration
    reaching: dict[str, Reaching] = field(default_factory=dict)
    scales: dict[str, tuple[float, float]] = field(default_factory=dict)
    worst_units: dict[tuple[str, str], float] = field(default_factory=dict)
    scaled: dict[str, frozenset[str]] = field(default_factory=dict)

    def scale(
        self,
        population: Population,
        values: Mapping[str, Reals],
        arriving: Sequence[tuple[Synapses, Form, float, Arriving]],
        worst: float,
    ) -> float:
        """The scale of a population; of each projection its message's unit and its worst case."""
        network = self.elaborated.network
        model = network.model_of(population.name)
        base = model.in_chip_units(values, network.step, float(VOLTAGE_STEPS))
        self.scaled[population.name] = scaled_states(model, values, network.step)
        memory = 1 / min(slowest_decays(base), default=1.0)
        found = []
        for synapses, form, message, at_worst in arriving:
            port = synapses.projection.target.port
            units = np.broadcast_to(np.asarray(base.port_units[port], dtype=np.float64), population.size)
            of_sum = _of_sum(self.elaborated, synapses.projection, base.leaks.get(port, 1.0))
            found.append(
                Reaching(
                    port,
                    Sums.of(synapses, form, self.calibration, np.max(units) / units, memory),
                    at_worst,
                    of_sum / message,
                    of_sum,
                    EXPONENT_RANGE[0] if port in model.roles.exponents else 0,
                )
            )
            self.reaching[synapses.projection.name] = found[-1]
        signals = any(it.population == population.name for it in network.signals)
        chosen = calibrated_steps(
            model, values, network.step, population.name, found, self.calibration, worst, signals=signals
        )
        self.scales[population.name] = chosen, worst
        before = model.in_chip_units(values, network.step, worst)
        for port in before.port_units:
            self.worst_units[population.name, port] = float(np.max(np.asarray(before.port_units[port])))
        return chosen

    def chooser(self, projection: Projection) -> Callable[[int, float], int] | None:
        """Of a projection's weights: the exponent for one that clips none, and the unit at exponent 0."""
        it = self.reaching.get(projection.name)
        if it is None:
            return None

        def best(whole: int, unit: float) -> int:
            return it.sums.best(whole, unit, unit / it.of_weight * it.of_sum)

        return best

    def report_sums(
        self, projection: Projection, parts: Sequence[Weights], unit: Reals, unit_name: str, report: Report
    ) -> None:
        """The line of a projection's sums."""
        it = self.reaching.get(projection.name)
        if it is None or it.learns or not self.calibration.sent or not it.sums.rms:
            return
        if it.sums.synapses.quantiles is not None:
            # These are drawn on the integers.
            return
        held = sum(np.asarray(part.integers * part.unit, dtype=np.float64) for part in parts)
        assert isinstance(held, np.ndarray)
        held = it.sums.synapses.listed(held)
        quantum = float(np.max(np.asarray(unit))) / it.of_weight * it.of_sum
        floored = it.sums.floored(parts[-1].exponent, quantum)
        error = math.sqrt(it.sums.square(held - it.sums.weights) + floored**2)
        before = self.worst_units[projection.target.population, it.port]
        worst = it.sums.error(
            it.sums.whole(before * it.of_weight), before * it.of_weight, before * it.of_sum, it.least
        )
        text = f"rms error {_percent(error, it)} predicted, {_percent(worst, it)} for the worst case"
        got = math.sqrt(it.sums.square(held))
        report.lines.append(
            QuantisationLine(projection.name, "calibrated sum", unit_name, it.sums.rms, got, text)
        )

    def report_reaches(
        self,
        populations: Iterable[PopulationCode],
        projections: Sequence[ProjectionCode],
        units: Mapping[tuple[str, str], tuple[Reals, str]],
        report: Report,
    ) -> None:
        """The lines of ports and states, with a warning (BC924) for each that holds less than it has to."""
        network = self.elaborated.network
        places = {it.name: it.place for it in network.populations}
        learning = {it.target for it in projections if it.learning is not None}
        for population in populations:
            for kind, name, holds in _holding(population, projections, units):
                reach = self.calibration.reach(population.name, kind, name)
                times = margin(self.calibration.origin, learns=population.name in learning)
                if reach is None or reach.greatest == 0:
                    continue
                if kind == "state" and name not in self.scaled.get(population.name, ()):
                    # The model itself bounds it.
                    continue
                asked = times * reach.greatest
                line = QuantisationLine(
                    population.name,
                    f"reach of {name}",
                    reach.unit,
                    asked,
                    min(asked, holds),
                    f"{times:g} times {amount(reach.greatest, reach.unit)};"
                    f" it holds {amount(holds, reach.unit)}" + self._scale_text(population.name),
                )
                report.lines.append(line)
                if holds < reach.greatest:
                    report.diagnostics.append(
                        Diagnostic(
                            "BC924",
                            f"{kind} '{name}' of population '{population.name}' holds less than it reaches",
                            places[population.name],
                            "warning",
                            required=f"{amount(reach.greatest, reach.unit)}, as it was calibrated",
                            given=amount(holds, reach.unit),
                            hint="weaker or fewer synapses, or a greater threshold",
                        )
                    )

    def _scale_text(self, population: str) -> str:
        chosen, worst = self.scales[population] if self.scaled.get(population) else (0.0, 0.0)
        return f"; {chosen:g} units to the threshold, {worst:g} for the worst case" if chosen else ""


def _percent(error: float, it: Reaching) -> str:
    return f"{100 * error / it.sums.rms:.3g} %"


def _of_sum(elaborated: Elaborated, projection: Projection, leak: Reals) -> float:
    """A port's base unit in the unit of a projection's sums: leaks, or what counts for a millisecond."""
    found = 1.0 / float(np.max(np.asarray(leak))) if projection.in_leaks else 1.0
    if projection.source.port in elaborated.network.model_of(projection.source.population).continuous:
        found /= elaborated.network.step
    return found


def _holding(
    population: PopulationCode,
    projections: Sequence[ProjectionCode],
    units: Mapping[tuple[str, str], tuple[Reals, str]],
) -> Iterator[tuple[Kind, str, float]]:
    """(kind, port or state, what it holds in its unit)."""
    program = population.program
    for port in population.ports:
        shift = port_exponent(population, port, projections) if port in population.roles.exponents else 0
        width = program.inputs[port]
        unit = float(np.min(np.asarray(units[population.name, port][0]))) * 2.0**shift
        yield "port", port, min(-width.low, width.high) * unit
    for name, (value, _) in population.units.items():
        if name in program.states:
            width = program.states[name]
            yield "state", name, (min(-width.low, width.high) if width.low < 0 else width.high) * value

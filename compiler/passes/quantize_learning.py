"""Learning rates and traces of a projection as the chip's integers, beside the exact numbers."""

from __future__ import annotations

import math

from compiler.ir.chip_program import LearningCode, TraceCode
from compiler.ir.elaborated import Elaborated
from compiler.ir.network import Plasticity, TraceSpec
from compiler.passes.quantize_report import Report, require_whole_steps
from hw_models.diagnostics import BurstchipError, Diagnostic, Place, register_codes
from hw_models.neurons.quantities import decay_rate, decay_tau, decay_units

register_codes({"BC321": "a learning rate cannot be represented"})

#: Rates are 2^-shift. A product of the chip's grammar is scaled by 2^-7 .. 2^8, and the neuron can send a
#: third factor that is smaller by up to 2^-7.
CHIP_SHIFTS = (-8, 14)
CONSOLIDATION_SHIFTS = (-8, 7)
#: A tag that carries by itself is compared with 2^S, which must lie within its 9 bits.
TAG_CARRY_SHIFTS = (1, 7)
#: Annealing adds to the shift of the carry form; there may be no more.
CARRY_SHIFTS = (0, 14)


def _power(rate: float) -> int:
    """K of the nearest 2^-K."""
    return round(-math.log2(rate))


def _rate(name: str, value: float, shifts: tuple[int, int], plasticity: Plasticity, report: Report) -> int:
    shift = _power(value)
    place = plasticity.places.get(name)
    if not report.chip:
        return min(max(shift, shifts[0]), shifts[1])
    if not shifts[0] <= shift <= shifts[1]:
        raise BurstchipError(
            Diagnostic(
                "BC321",
                f"'{name}' of plasticity '{plasticity.name}' cannot be represented",
                place,
                required=f"2^{-shifts[1]} to 2^{-shifts[0]} in the form {plasticity.form}",
                given=f"2^{-shift}",
            )
        )
    where = f"plasticity {plasticity.name}"
    report.add(where, name, "", value, 2.0**-shift, f"shift = {shift}", place)
    return shift


def _trace(
    spec: TraceSpec, form: str, where: str, step_ms: float, place: Place | None, report: Report
) -> TraceCode:
    impulse = round(spec.increment)
    report.add(
        where, f"{spec.name} increment", "", spec.increment, float(impulse), f"impulse = {impulse}", place
    )
    kept = float(1 - decay_units(spec.tau, step_ms) / 4096)
    if form == "chip":
        tau = spec.tau / step_ms
        report.add(where, f"{spec.name} tau", "ms", spec.tau, spec.tau, f"tau = {tau:g} steps", place)
        return TraceCode("lava", spec.name, tau, 0, impulse, kept, float(spec.increment))
    decay = int(decay_rate(spec.tau, step_ms))
    represented = float(decay_tau(decay, step_ms))
    report.add(where, f"{spec.name} tau", "ms", spec.tau, represented, f"decay = {decay}", place)
    return TraceCode("plain", spec.name, 0.0, decay, impulse, kept, float(spec.increment))


def quantize_learning(
    plasticity: Plasticity, index: int, plastic_index: int, elaborated: Elaborated, report: Report
) -> LearningCode:
    """How projection `index`, number `plastic_index` of the plastic ones, learns.

    Raises `BurstchipError` BC313 for an epoch that is not a whole number of steps, BC321 for a rate that the
    form does not have.
    """
    network = elaborated.network
    where = f"plasticity {plasticity.name}"
    if any(line.where == where for line in report.lines):
        report = Report(report.chip)  # several projections share the rule: one set of lines is enough
    what = f"'every' of plasticity '{plasticity.name}'"
    every = require_whole_steps(plasticity.every, network.step, what, plasticity.places.get("every"))
    place = plasticity.places.get("trace")
    traces = tuple(
        _trace(spec, plasticity.form, where, network.step, place, report) for spec in plasticity.traces
    )
    shift = 0
    rules = dict(plasticity.rules)
    if plasticity.learning_rate is not None:
        halvings = len(network.task.anneal) if network.task else 0
        shifts = CHIP_SHIFTS if plasticity.form == "chip" else (CARRY_SHIFTS[0], CARRY_SHIFTS[1] - halvings)
        shift = _rate("learning_rate", plasticity.learning_rate, shifts, plasticity, report)
    if plasticity.consolidation_rate is not None:
        rate = plasticity.consolidation_rate
        shifts = CONSOLIDATION_SHIFTS if plasticity.consolidate_every else TAG_CARRY_SHIFTS
        consolidation = _rate("consolidation_rate", rate, shifts, plasticity, report)
        rules["consolidation"] = str(consolidation)
    return LearningCode(
        form=plasticity.form,
        rounding=plasticity.rounding,
        every=every,
        traces=traces,
        rules=rules,
        shift=shift,
        consolidate_every=plasticity.consolidate_every or 0,
        stream=elaborated.streams.learning(plastic_index),
        trace_stream=elaborated.streams.trace(index),
        seed=plasticity.seed,
        postsynaptic=plasticity.postsynaptic,
        rate=plasticity.learning_rate,
        consolidation=plasticity.consolidation_rate,
    )

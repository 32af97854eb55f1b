"""effects: what one event and a typical sum of events do. ChipProgram in, the same with report lines out.

Of a stored weight a report can only say what it stands for. What it *does* is found by running the target's
integer program from rest, with one event and with a tenth of a neuron's synapses at once, and taking the
greatest change of the state that the port moves (`Roles.responses`), which is what a weight says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.draws import WeightDraws
from compiler.ir.chip_program import ChipProgram, PopulationCode, ProjectionCode, QuantisationLine
from compiler.ir.values import Uniform
from compiler.passes.quantize_report import ROUNDING_SHARE, Report, amount
from hw_models.diagnostics import Diagnostic, Subject, register_codes
from hw_models.program.numpy_interpreter import WidthError, step
from hw_models.program.widths import FLAG

register_codes({"BC319": "what events do differs from what was asked"})

#: The share of a neuron's synapses whose events make a typical sum.
TYPICAL_SHARE = 0.1
#: Steps after which no response is followed any further.
_LONGEST = 1 << 13

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Volley:
    """Events of one projection that reach a neuron in one step: what they ask for, and what arrives.

    One unit that arrives is `worth` so much of the port's base unit; `rounding` is a unit of each weight.
    """

    where: str
    parameter: str
    unit: str
    port: str
    neuron: int
    asked: float
    arrives: int
    worth: float
    rounding: float
    integers: str


def _arrives(projection: ProjectionCode, weights: int) -> int:
    exponent = projection.weight_exp
    return weights << exponent if exponent >= 0 else weights >> -exponent


def volleys(code: ChipProgram, projection: ProjectionCode) -> Iterator[Volley]:
    """One event of the least, the median and the greatest weight, and a typical sum."""
    target = code.population(projection.target)
    exact, stored = projection.exact, projection.forward(projection.weights).astype(np.int64)
    post: NDArray[Any] = projection.post
    if projection.dense:
        post = np.broadcast_to(np.arange(target.size)[:, np.newaxis], stored.shape).ravel()
    exact, stored = exact.ravel(), stored.ravel()
    unit = projection.event_unit
    requested = projection.requested
    if isinstance(requested, WeightDraws) and isinstance(requested.distribution, Uniform):
        # These are drawn on the integers.
        exact = np.asarray(stored * unit, dtype=np.float64)
    chosen = np.flatnonzero(exact)
    if not chosen.size:
        return
    # What one unit at the port is worth, for what makes no response that can be seen.
    worth = unit / 2.0**projection.weight_exp

    def volley(synapses: NDArray[np.int64], parameter: str) -> Volley:
        total = int(stored[synapses].sum())
        return Volley(
            projection.name,
            parameter,
            projection.weight_unit,
            projection.port,
            int(post[synapses[0]]),
            float(exact[synapses].sum()),
            _arrives(projection, total),
            worth,
            unit * len(synapses),
            f"weight {total} at 2^{projection.weight_exp}",
        )

    order = chosen[np.argsort(np.abs(exact[chosen]), kind="stable")]
    least, middle, greatest = order[0], order[(len(order) - 1) // 2], order[-1]
    if exact[least] == exact[greatest] and stored[least] == stored[greatest]:
        yield volley(order[:1], "one event")
    else:
        for synapse, name in ((least, "least"), (middle, "median"), (greatest, "greatest")):
            yield volley(np.array([synapse]), f"one event, {name}")
    fan_in = np.bincount(post[chosen], minlength=target.size)
    neuron = int(np.argsort(fan_in, kind="stable")[target.size // 2])
    arriving = chosen[post[chosen] == neuron]
    count = round(TYPICAL_SHARE * len(arriving))
    if count > 1:
        spread = np.linspace(0, len(arriving) - 1, count).astype(np.int64)
        yield volley(arriving[spread], f"{count} events at once")


def responses(code: ChipProgram, population: PopulationCode, sent: Sequence[Volley]) -> list[float]:
    """What each volley does: the greatest change of the state that its port moves, in the unit of its weight.

    Where the neuron emits meanwhile, or its model does not say what the port moves, it is what arrives.
    """
    moved = [population.roles.responses.get(it.port, "") for it in sent]
    seen = [state in population.units for state in moved]
    arithmetic = [it.arrives * it.worth for it in sent]
    if not any(seen):
        return arithmetic
    peak, silent = _run(population, sent, moved)
    return [
        float(peak[k]) * population.units[moved[k]][0] if seen[k] and silent[k] else arithmetic[k]
        for k in range(len(sent))
    ]


def _run(
    population: PopulationCode, sent: Sequence[Volley], moved: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(the greatest change of each volley's state, whether the neuron stayed silent)."""
    program, neurons = population.program, np.array([it.neuron for it in sent])
    count = len(sent)
    # The second half are the same neurons without the volley.
    twice = np.concatenate([neurons, neurons])
    parameters = {
        name: np.asarray(population.parameters[name])[twice]
        if np.ndim(population.parameters[name])
        else population.parameters[name]
        for name in program.parameters
    }
    state: Mapping[str, NDArray[np.int64]] = {
        name: np.broadcast_to(parameters[start] if isinstance(start, str) else start, (2 * count,))
        for name, start in program.initial.items()
    }
    nothing = {name: np.zeros(2 * count, dtype=np.int64) for name in program.inputs}
    # Every free run learns; without it a state may stay as it is.
    if learning := population.roles.bound_to("learning"):
        nothing[learning] += 1
    given = {name: values.copy() for name, values in nothing.items()}
    for k, it in enumerate(sent):
        width = program.inputs[it.port]
        given[it.port][k] = min(max(it.arrives, width.low), width.high)
    peak, silent = np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.bool_)
    latest = 0
    for n in range(_LONGEST):
        try:
            state, outputs = step(program, state, parameters, given if n == 0 else nothing)
        except WidthError:
            return peak, np.zeros(count, dtype=np.bool_)
        if "events" in outputs:
            emitted = outputs["events"] != 0
            silent &= ~(emitted[:count] | emitted[count:])
        change = np.array(
            [state[name][k] - state[name][count + k] if name else 0 for k, name in enumerate(moved)]
        )
        greater = (np.abs(change) > np.abs(peak)) & silent
        peak = np.where(greater, change, peak)
        latest = n if np.any(greater) else latest
        if n > 2 * latest + 8:
            break
    return peak, silent


def _compare(volley: Volley, done: float, report: Report) -> None:
    """Add the line, and warn where what is done differs by more than the rounding of weights explains."""
    line = QuantisationLine(volley.where, volley.parameter, volley.unit, volley.asked, done, volley.integers)
    report.lines.append(line)
    if line.relative_error > ROUNDING_SHARE and abs(done - volley.asked) > volley.rounding:
        report.diagnostics.append(
            Diagnostic(
                "BC319",
                f"the effect of {volley.parameter} of '{volley.where}' differs from what its weights ask for",
                severity="warning",
                required=amount(volley.asked, volley.unit),
                given=f"{amount(done, volley.unit)} ({volley.integers})",
                hint="the sum of all inputs and the threshold's width limit the voltage scale: use weaker or "
                "fewer synapses, a longer step, or a greater threshold where it is an integer",
                about=Subject("projection", volley.where, ("weight", "connectivity")),
            )
        )


def effects(code: ChipProgram) -> ChipProgram:
    """Add for each projection of events what these ask for and what they do; warn where the two differ."""
    if not code.on_chip:
        return code
    report = Report()
    for population in code.populations:
        sent = [
            volley
            for projection in code.projections
            if projection.target == population.name
            and code.population(projection.source).program.outputs[projection.output] == FLAG
            for volley in volleys(code, projection)
        ]
        if not sent:
            continue
        for volley, done in zip(sent, responses(code, population, sent), strict=True):
            _compare(volley, done, report)
    return replace(
        code,
        quantisation=(*code.quantisation, *report.lines),
        diagnostics=(*code.diagnostics, *report.diagnostics),
    )

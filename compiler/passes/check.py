"""check: what the target cannot hold, what is emulation only. ChipProgram in, the same out with messages.

Without a chip, target `none`, only those rules are left that are of the network itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import FACTORS, ChipProgram, ProjectionCode
from compiler.ir.signals import Signal, Streamed, Written
from compiler.ir.verify_signals import signal_range
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes
from hw_models.neurons.roles import ANNEALINGS_MAX
from hw_models.program.ranges import output_range

register_codes(
    {
        "BC330": "a form that no chip's learning engine has: emulation only",
        "BC331": "the task and the network do not fit each other",
        "BC332": "the learning epoch and the presentation do not fit each other",
        "BC333": "a rule reads a third factor that the neuron does not send",
        "BC334": "the summed input of a port may exceed its width",
        "BC335": "a population without input or without effect",
        "BC336": "a parameter that nothing reads here",
        "BC339": "plastic projections of one population consolidate after different numbers of samples",
        "BC338": "the summed input of a port may exceed the 32 bits that backends add up in",
        "BC341": "a rule changes what nothing reads",
        "BC337": "learning rates are annealed more often than the neuron can",
    }
)

#: Backends add up messages in 32 bits.
SUM_MAX = (1 << 31) - 1


def _error(code: str, message: str, required: str, given: str, hint: str | None = None) -> Diagnostic:
    return Diagnostic(code, message, required=required, given=given, hint=hint)


def _emulation(code: ChipProgram) -> Iterator[Diagnostic]:
    carry = [p.name for p in code.projections if p.learning is not None and p.learning.form == "carry"]
    if carry:
        yield Diagnostic(
            "BC330",
            f"the carry form of {', '.join(carry)} is emulation only",
            severity="warning",
            required=f"sums of products, for target {code.target}",
            given="8-bit weight, 8-bit tag and carry",
            hint="--set weight_form=chip where the template has it, or form: chip",
        )


def _task(code: ChipProgram) -> Iterator[Diagnostic]:
    task = code.task
    if task is None:
        return
    pixels, classes = task.shape
    source, readout = code.population(task.input), code.population(task.readout)
    if source.size != pixels:
        yield _error(
            "BC331",
            f"input '{source.name}' does not fit data '{task.data}'",
            f"size {pixels}",
            f"size {source.size}",
        )
    if readout.size != classes:
        yield _error(
            "BC331",
            f"readout '{readout.name}' does not fit data '{task.data}'",
            f"size {classes}",
            f"size {readout.size}",
        )
    if not source.roles.full_rate:
        yield _error(
            "BC331",
            f"input '{source.name}' cannot show data",
            "model rate_source or poisson_source",
            source.model,
        )
    elif not np.any(np.asarray(source.numbers(real=not code.on_chip)[source.roles.full_rate])):
        yield _error("BC331", f"input '{source.name}' is silent", "a max_rate above 0", "max_rate: 0 Hz")
    if not readout.roles.count:
        yield _error(
            "BC331",
            f"readout '{readout.name}' does not count events",
            "a model that counts its events",
            readout.model,
            "model: burst_unit",
        )
    if len(task.anneal) > ANNEALINGS_MAX:
        yield _error(
            "BC337",
            "the learning rates are annealed too often",
            f"at most {ANNEALINGS_MAX} fractions in 'anneal'",
            f"{len(task.anneal)}",
        )
    for population in code.populations:
        every = population.gather_every
        if every and task.present % every:
            yield _error(
                "BC332",
                f"learning epochs of '{population.name}' do not divide a presentation",
                f"a presentation that is a multiple of {every} steps",
                f"{task.present} steps",
            )
        elif every and task.teach_after % every:
            yield _error(
                "BC332",
                f"teaching does not start with a learning epoch of '{population.name}'",
                f"teach_after a multiple of {every} steps",
                f"{task.teach_after} steps",
            )


def _rules(code: ChipProgram) -> Iterator[Diagnostic]:
    for projection in code.projections:
        learning = projection.learning
        if learning is None:
            continue
        target = code.population(projection.target)
        if learning.form == "carry":
            if not target.roles.gathered:
                yield _error(
                    "BC333",
                    f"the burst rule of '{projection.name}' needs burst errors",
                    "a target model that gathers them, such as burst_unit",
                    target.model,
                )
            continue
        if not learning.third_factors:
            continue  # traces of the target's own events: the neuron sends no third factor
        for factor in FACTORS:
            if factor in str(learning.rule) and factor not in target.program.outputs:
                yield _error(
                    "BC333",
                    f"the rule of '{projection.name}' reads {factor}",
                    f"a target model that sends {factor}, such as burst_unit for y1 and y2",
                    target.model,
                )


def _unread(code: ChipProgram) -> Iterator[Diagnostic]:
    """A delay variable delays nothing, here as in Lava, and a tag alone changes no weight."""
    for projection in code.projections:
        learning = projection.learning
        if learning is None or learning.form != "chip":
            continue
        rule = learning.rule
        others = {name: rule.read_by(name) for name in ("dw", "dt", "dd")}
        if rule.dd is not None and "d" not in others["dw"] | others["dt"]:
            yield _error(
                "BC341",
                f"'dd' of the rule of '{projection.name}' has no effect: d delays no event",
                "a rule without 'dd', or a 'dw' or 'dt' that reads d",
                f"dd: {rule.dd}",
                "d is a third variable of a synapse, in Lava's LearningDense too",
            )
        tag_is_read = "t" in others["dw"] or ("t" in others["dd"] and "d" in others["dw"])
        if rule.dt is not None and not tag_is_read:
            yield Diagnostic(
                "BC341",
                f"'dt' of the rule of '{projection.name}' has no effect on weights: 'dw' does not read t",
                severity="warning",
                required="a 'dw' that reads t",
                given=f"dw: {rule.dw}" if rule.dw is not None else "no dw",
            )


def _consolidation(code: ChipProgram) -> Iterator[Diagnostic]:
    """A neuron sends one signal to consolidate, y2, to all synapses that end at it."""
    for population in code.populations:
        every = {
            p.name: p.learning.consolidate_every
            for p in code.projections
            if p.target == population.name and p.learning is not None and p.learning.consolidate_every
        }
        if len(set(every.values())) > 1:
            yield _error(
                "BC339",
                f"plastic projections onto '{population.name}' consolidate after different numbers of "
                "samples",
                "one consolidate_every, or 0, for all projections of a population",
                ", ".join(f"{name}: {value}" for name, value in every.items()),
            )


def _greatest_input(code: ChipProgram, projection: ProjectionCode) -> NDArray[np.float64]:
    """The greatest input magnitude of each target neuron, if all sources send their most at once."""
    source = code.population(projection.source)
    # A parameter that a signal sets can be anything of its width.
    fixed = {name: value for name, value in source.parameters.items() if name not in source.signals}
    sent = output_range(source.program, fixed, projection.output)
    message = max(abs(sent.low), abs(sent.high))
    size = code.population(projection.target).size
    learning = projection.learning
    if learning is not None:
        greatest = np.full(projection.weights.shape, 128 if learning.form == "carry" else 256, dtype=np.int64)
    else:
        greatest = np.abs(projection.weights.astype(np.int64))
    total = np.zeros(size, dtype=np.int64)
    if projection.dense:
        total += greatest.sum(axis=1)
    else:
        # Sums of integers below 2^53 are exact in float64.
        total += np.bincount(projection.post, greatest, minlength=size).astype(np.int64)
    return np.asarray(total * message * 2.0**projection.weight_exp, dtype=np.float64)


def greatest_input(code: ChipProgram, population: str, port: str) -> float:
    """The greatest magnitude that a port's summed input can have, over its neurons, a signal included."""
    arriving = [
        _greatest_input(code, p) for p in code.projections if p.target == population and p.port == port
    ]
    added = _greatest_signal(code, code.population(population).signals.get(port))
    return added + (float(np.max(np.sum(arriving, axis=0))) if arriving else 0.0)


def _greatest_signal(code: ChipProgram, signal: Signal | None) -> float:
    """The greatest magnitude of what a signal adds to a port."""
    if signal is None:
        return 0.0
    if isinstance(signal, Streamed | Written):
        given = code.host[signal.stream if isinstance(signal, Streamed) else signal.name]
        return float(given.largest)
    ends = signal_range(signal)
    return 0.0 if ends is None else float(max(map(abs, ends)))


def _widths(code: ChipProgram) -> Iterator[Diagnostic]:
    for population in code.populations:
        for port in population.ports:
            greatest = greatest_input(code, population.name, port)
            width = population.program.inputs[port]
            # Before a shift to the right a sum is greater than after it.
            ends = (population.name, port)
            shifts = [-p.weight_exp for p in code.projections if (p.target, p.port) == ends]
            unshifted = greatest * 2.0 ** max([*shifts, 0])
            if unshifted > SUM_MAX:
                yield _error(
                    "BC338",
                    f"the input of '{population.name}.{port}' may exceed 32 bits",
                    f"at most {SUM_MAX} if all sources send at once, before shifts to the right",
                    f"{unshifted:.0f}",
                    "use fewer synapses, smaller messages or a smaller limit",
                )
            elif greatest > width.high:
                yield Diagnostic(
                    "BC334",
                    f"the input of '{population.name}.{port}' may reach {greatest:.0f}",
                    severity="warning",
                    required=f"at most {width.high} if all sources send at once",
                    given=f"{greatest:.0f}",
                    hint="use fewer synapses or a smaller limit; the run counts what exceeds the width",
                )


def _unused(code: ChipProgram) -> Iterator[Diagnostic]:
    for projection in code.projections:
        if projection.learning and projection.learning.form == "carry" and projection.num_weight_bits != 8:
            yield _error(
                "BC336",
                f"'weight_bits' of '{projection.name}' is not read",
                "8 bits of weight and 8 of tag, the carry form",
                f"weight_bits: {projection.num_weight_bits}",
            )
    for projection in code.projections:
        if not projection.dense and not projection.pre.size:
            yield Diagnostic(
                "BC335",
                f"projection '{projection.name}' has no synapse",
                severity="warning",
                required="at least one pair of neurons",
                given="none",
                hint="a greater probability, or another seed",
            )
    for population in code.populations:
        sends = any(p.source == population.name for p in code.projections)
        receives = any(p.target == population.name for p in code.projections)
        # Controls and the shift that annealing changes are bound in any case.
        own = {*population.roles.controls, population.roles.factor_shift}
        receives = receives or any(name not in own for name in population.signals)
        missing = "" if receives else "input"
        if population.is_source:
            missing = "" if sends else "effect"
        if missing:
            yield Diagnostic(
                "BC335",
                f"population '{population.name}' has no {missing}",
                severity="warning",
                required="a projection",
                given="none",
            )


def check(code: ChipProgram) -> ChipProgram:
    """Add what the design rules find. Raises `BurstchipError` with all errors where there is any."""
    rules = (_emulation, _task, _rules, _unread, _consolidation, _widths, _unused)
    of_chips = (_emulation, _widths)
    held = [rule for rule in rules if code.on_chip or rule not in of_chips]
    found = [diagnostic for rule in held for diagnostic in rule(code)]
    if any(diagnostic.severity == "error" for diagnostic in found):
        raise BurstchipError([*found])
    return replace(code, diagnostics=(*code.diagnostics, *found))

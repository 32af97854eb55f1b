"""check: what the target cannot hold, what is emulation only. ChipProgram in, the same out with messages.

Without a chip, target `none`, only those rules are left that are of the network itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from compiler.ir.chip_program import FACTORS, ChipProgram
from compiler.passes.check_inputs import check_inputs
from hw_models.diagnostics import BurstchipError, Diagnostic, Subject, register_codes
from hw_models.neurons.roles import ANNEALINGS_MAX

register_codes(
    {
        "BC330": "a form that no chip's learning engine has: emulation only",
        "BC331": "the task and the network do not fit each other",
        "BC332": "the learning epoch and the presentation do not fit each other",
        "BC333": "a rule reads a third factor that the neuron does not send",
        "BC335": "a population without input or without effect",
        "BC336": "a parameter that nothing reads here",
        "BC339": "plastic projections of one population consolidate after different numbers of samples",
        "BC341": "a rule changes what nothing reads",
        "BC337": "learning rates are annealed more often than the neuron can",
    }
)


def _error(
    code: str, message: str, required: str, given: str, hint: str | None, about: Subject
) -> Diagnostic:
    return Diagnostic(code, message, required=required, given=given, hint=hint, about=about)


def _of_task(*keys: str) -> Subject:
    return Subject("task", keys=keys)


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
            about=Subject("plasticity", carry[0], ("form",)),
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
            None,
            Subject("population", source.name, ("size", "shape")),
        )
    if readout.size != classes:
        yield _error(
            "BC331",
            f"readout '{readout.name}' does not fit data '{task.data}'",
            f"size {classes}",
            f"size {readout.size}",
            None,
            Subject("population", readout.name, ("size", "shape")),
        )
    if not source.roles.full_rate:
        yield _error(
            "BC331",
            f"input '{source.name}' cannot show data",
            "model rate_source or poisson_source",
            source.model,
            None,
            Subject("population", source.name, ("model",)),
        )
    elif not np.any(np.asarray(source.numbers(real=not code.on_chip)[source.roles.full_rate])):
        yield _error(
            "BC331",
            f"input '{source.name}' is silent",
            "a max_rate above 0",
            "max_rate: 0 Hz",
            None,
            Subject("population", source.name, ("max_rate",)),
        )
    if not readout.roles.count:
        yield _error(
            "BC331",
            f"readout '{readout.name}' does not count events",
            "a model that counts its events",
            readout.model,
            "model: burst_unit",
            Subject("population", readout.name, ("model",)),
        )
    if len(task.anneal) > ANNEALINGS_MAX:
        yield _error(
            "BC337",
            "the learning rates are annealed too often",
            f"at most {ANNEALINGS_MAX} fractions in 'anneal'",
            f"{len(task.anneal)}",
            f"leave out {len(task.anneal) - ANNEALINGS_MAX} of them: each halves every rate",
            _of_task("anneal"),
        )
    for population in code.populations:
        every = population.gather_every
        if every and task.present % every:
            yield _error(
                "BC332",
                f"learning epochs of '{population.name}' do not divide a presentation",
                f"a presentation that is a multiple of {every} steps",
                f"{task.present} steps",
                f"for example {_whole_epochs('present', task.present, every, code.step_ms)}",
                _of_task("present"),
            )
        elif every and task.teach_after % every:
            yield _error(
                "BC332",
                f"teaching does not start with a learning epoch of '{population.name}'",
                f"teach_after a multiple of {every} steps",
                f"{task.teach_after} steps",
                f"for example {_whole_epochs('teach_after', task.teach_after, every, code.step_ms)}",
                _of_task("teach_after"),
            )


def _whole_epochs(key: str, steps: int, every: int, step_ms: float) -> str:
    """What a time of the task could be in its place: the next whole number of epochs."""
    return f"{key}: {-(-steps // every) * every * step_ms:g} ms"


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
                    None,
                    Subject("projection", projection.name, ("learn",)),
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
                    None,
                    Subject("projection", projection.name, ("learn",)),
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
                "remove 'dd': d is a third variable of a synapse, in Lava's LearningDense too",
                Subject("plasticity", projection.name, ("dd",)),
            )
        tag_is_read = "t" in others["dw"] or ("t" in others["dd"] and "d" in others["dw"])
        if rule.dt is not None and not tag_is_read:
            yield Diagnostic(
                "BC341",
                f"'dt' of the rule of '{projection.name}' has no effect on weights: 'dw' does not read t",
                severity="warning",
                required="a 'dw' that reads t",
                given=f"dw: {rule.dw}" if rule.dw is not None else "no dw",
                hint="let 'dw' read t, such as u0*2^-6*t, or remove 'dt'",
                about=Subject("plasticity", projection.name, ("dt",)),
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
                "use one plasticity for all projections of the population",
                Subject("plasticity", _first_other(every), ("consolidate_every",)),
            )


def _first_other(values: Mapping[str, int]) -> str:
    """The first name whose value is not that of the first."""
    first = next(iter(values.values()))
    return next(name for name, value in values.items() if value != first)


def _unused(code: ChipProgram) -> Iterator[Diagnostic]:
    for projection in code.projections:
        if projection.learning and projection.learning.form == "carry" and projection.num_weight_bits != 8:
            yield _error(
                "BC336",
                f"'weight_bits' of '{projection.name}' is not read",
                "8 bits of weight and 8 of tag, the carry form",
                f"weight_bits: {projection.num_weight_bits}",
                "remove 'weight_bits'",
                Subject("projection", projection.name, ("weight_bits",)),
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
                about=Subject("projection", projection.name, ("connectivity",)),
            )
    for population in code.populations:
        sends = any(p.source == population.name for p in code.projections)
        receives = any(p.target == population.name for p in code.projections)
        # Controls and the shift that annealing changes are bound in any case.
        own = {*population.roles.controls, population.roles.factor_shift}
        receives = receives or any(name not in own for name in population.signals)
        missing, way = "" if receives else "input", "to"
        if population.is_source:
            missing, way = "" if sends else "effect", "from"
        if missing:
            yield Diagnostic(
                "BC335",
                f"population '{population.name}' has no {missing}",
                severity="warning",
                required="a projection",
                given="none",
                hint=f"add a projection {way} it, or remove the population",
                about=Subject("population", population.name),
            )


def check(code: ChipProgram) -> ChipProgram:
    """Add what the design rules find. Raises `BurstchipError` with all errors where there is any."""
    rules = (_emulation, _task, _rules, _unread, _consolidation, check_inputs, _unused)
    of_chips = (_emulation, check_inputs)
    held = [rule for rule in rules if code.on_chip or rule not in of_chips]
    found = [diagnostic for rule in held for diagnostic in rule(code)]
    if any(diagnostic.severity == "error" for diagnostic in found):
        raise BurstchipError([*found])
    return replace(code, diagnostics=(*code.diagnostics, *found))

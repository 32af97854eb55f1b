"""The intermediate representations as text, for people and for comparing: equal programs, equal text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from compiler.ir.calibration import Calibration
from compiler.ir.certificate import Certificate
from compiler.ir.chip_program import ChipProgram, LearningCode, PopulationCode, ProjectionCode
from compiler.ir.elaborated import Elaborated, Synapses
from compiler.ir.network import DataFile, Network, Population
from compiler.ir.partitioned import Partition
from compiler.ir.signals import Signal
from hw_models.program.printer import program_lines
from hw_models.program.serialise import program_sha256
from hw_models.synapses.memory import SynapseFormat


def as_text(ir: object) -> str:
    """A `Network`, `Elaborated`, `ChipProgram`, `Partition` or `Certificate` as indented lines.

    Arrays are given by type, shape, range and a short hash.
    """
    if isinstance(ir, Network):
        lines = _network(ir)
    elif isinstance(ir, Elaborated):
        lines = _elaborated(ir)
    elif isinstance(ir, ChipProgram):
        lines = _chip_program(ir)
    elif isinstance(ir, Certificate):
        lines = _certificate(ir)
    else:
        assert isinstance(ir, Partition), f"a {type(ir).__name__} has no text"
        lines = _partition(ir)
    return "\n".join(lines) + "\n"


def _number(value: object) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def _array(values: NDArray[np.generic]) -> str:
    """`int16[10, 100] -21..20 #1a2b3c4d`; the hash is over the little-endian bytes."""
    head = f"{values.dtype.name}{list(values.shape)}"
    if values.size == 0:
        return head
    low, high = values.min().item(), values.max().item()
    little = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False)
    return f"{head} {_number(low)}..{_number(high)} #{hashlib.sha256(little.tobytes()).hexdigest()[:8]}"


def _value(value: object) -> str:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(_value(item) for item in value) + ")"
    return _number(value)


def _entries(values: Mapping[str, object]) -> Iterator[str]:
    for name, value in values.items():
        yield f"    {name} = {_value(value)}"


def _network(network: Network) -> Iterator[str]:
    yield from _head(network)
    for projection in network.projections:
        yield f"  projection {projection.name}: {projection.source} -> {projection.target}"
        yield f"    weight = {projection.weight}"
    yield from _rest(network)


def _elaborated(elaborated: Elaborated) -> Iterator[str]:
    network = elaborated.network
    yield from _head(network)
    for synapses in elaborated.synapses:
        yield from _synapses(synapses)
    yield from _rest(network)
    if elaborated.calibration is not None:
        yield from _calibration(elaborated.calibration)


def _calibration(it: Calibration) -> Iterator[str]:
    over = "" if it.origin == "bounds" else f" of {it.steps} steps"
    yield f"  calibration from {'bounds' if it.origin == 'bounds' else 'a run'}{over}"
    for sent in it.sent:
        rate = it.rate(sent.population, sent.output) or 0.0
        yield f"    {sent.population}.{sent.output} sends {_rounded(rate)} a second"
    for reach in it.reaches:
        unit = f" {reach.unit}" if reach.unit else ""
        rms = "" if reach.rms is None else f", rms {_rounded(reach.rms)}"
        ends = f"{_rounded(reach.low)}..{_rounded(reach.high)}{rms}{unit}"
        yield f"    {reach.kind} {reach.population}.{reach.variable} = {ends}"


def _rounded(value: float) -> str:
    return f"{value:.4g}"


def _head(network: Network) -> Iterator[str]:
    head = f"network {network.name} step={_number(network.step)} ms seed={network.seed}"
    yield f"{head} target={network.target}"
    for population in network.populations:
        yield from _population(population)


def _population(population: Population) -> Iterator[str]:
    yield f"  population {population.name}: {population.model} x {population.size}"
    yield from _entries(population.parameters)
    if len(population.spikes):
        yield f"    spikes = {len(population.spikes)}"


def _synapses(synapses: Synapses) -> Iterator[str]:
    projection = synapses.projection
    dense = "dense" if synapses.dense else "sparse"
    yield f"  projection {projection.name}: {projection.source} -> {projection.target}"
    yield f"    synapses = {synapses.pre.size} {dense}"
    if synapses.shared is not None:
        yield f"    shared = {synapses.shared.convolution}"
    if not synapses.dense:
        yield f"    pre = {_array(synapses.pre)}"
        yield f"    post = {_array(synapses.post)}"
    if synapses.quantiles is not None:
        yield f"    weight = {projection.weight}"
        yield f"    quantiles = {_array(synapses.quantiles)}"
    if synapses.weights is not None:
        yield f"    weights = {_array(synapses.weights)}"
    yield f"    extra delays = {_array(synapses.delays)}"
    if projection.learn is not None:
        yield f"    learn = {projection.learn}"


def _rest(network: Network) -> Iterator[str]:
    for plasticity in network.plasticity:
        yield f"  plasticity {plasticity.name}: {plasticity.form}, {plasticity.rounding}"
        yield f"    every = {_number(plasticity.every)} ms"
        for name in ("learning_rate", "consolidation_rate", "consolidate_every"):
            value = getattr(plasticity, name)
            if value is not None:
                yield f"    {name} = {_number(value)}"
        yield from _entries(plasticity.rules)
        for trace in plasticity.traces:
            yield f"    trace {trace.name}: tau {_number(trace.tau)} ms, increment {_number(trace.increment)}"
    for probe in network.probes:
        yield f"  probe {probe.owner}.{probe.variable}"
    if (task := network.task) is not None:
        yield f"  task {task.data}: {task.input} -> {task.readout}"
        yield f"    present = {_number(task.present)} ms, teach_after = {_number(task.teach_after)} ms"
        yield from _entries({name: getattr(task, name) for name in ("epochs", "anneal", "split")})
        yield from _data_file(task.file)


def _chip_program(code: ChipProgram) -> Iterator[str]:
    head = f"program {code.name} step={_number(code.step_ms)} ms seed={code.seed} target={code.target}"
    yield f"{head} weight_form={code.weight_form}"
    programs = {program_sha256(population.program): population.program for population in code.populations}
    for program in programs.values():
        yield from (f"  {line}" for line in program_lines(program))
    for population in code.populations:
        yield from _population_code(population)
    for projection in code.projections:
        yield from _projection_code(projection)
    for name, variable in code.probes:
        yield f"  probe {name}.{variable}"
    for name, given in code.host.items():
        unit = f"{given.unit} {given.unit_name}".rstrip() if np.ndim(given.unit) == 0 else given.unit_name
        where = f"{given.population}.{given.input}"
        yield f"  host {name}: {where}, {given.least:.9g} to {given.greatest:.9g}, 1 is {unit}"
    if (task := code.task) is not None:
        yield f"  task {task.data}: {task.input} -> {task.readout}"
        names = ("present", "teach_after", "epochs", "anneal", "split", "order_stream")
        yield from _entries({name: getattr(task, name) for name in names})
        yield from _data_file(task.file)


def _data_file(file: DataFile | None) -> Iterator[str]:
    if file is not None:
        names = ("sha256", "values", "classes", "low", "high", "test_share")
        yield from _entries({name: getattr(file, name) for name in names})


def _population_code(population: PopulationCode) -> Iterator[str]:
    program = f"{population.program.name} #{program_sha256(population.program)[:8]}"
    yield f"  population {population.name}: {program} x {population.size} stream {population.stream}"
    yield f"    ports = {', '.join(population.ports) or 'none'}"
    roles = population.roles
    if not population.signals:
        yield from (f"    {name} is bound to {control}" for name, control in roles.controls.items())
    yield from (f"    {name} is {_signal(signal)}" for name, signal in population.signals.items())
    yield from (f"    {parameter} is the exponent of {port}" for port, parameter in roles.exponents.items())
    for role in ("rate", "full_rate", "taught", "taught_else", "factor_shift", "gathered", "count", "tie"):
        if name := getattr(roles, role):
            yield f"    {name} is the {role}"
    yield from _entries(population.parameters)
    yield from _entries({f"{state} at the start": value for state, value in population.initial.items()})
    for it in population.functions:
        table = f"{it.entries} entries, {1 << it.spacing} apart, error at most {_number(it.bound)}"
        yield f"    {it.function} of {it.low}..{it.high} = {table}"
    if population.gather_every:
        yield f"    gather every {population.gather_every} steps"
    if population.spikes is not None:
        yield f"    spikes = {_array(population.spikes)}"


def _signal(signal: Signal) -> str:
    """A signal as its kind and what it is made of."""
    values = {field.name: getattr(signal, field.name) for field in fields(signal)}
    shown = (f"{name}={_array(v) if isinstance(v, np.ndarray) else v}" for name, v in values.items())
    return f"{type(signal).__name__.lower()}({', '.join(shown)})"


def _projection_code(projection: ProjectionCode) -> Iterator[str]:
    ends = f"{projection.source}.{projection.output} -> {projection.target}.{projection.port}"
    yield f"  projection {projection.name}: {ends}"
    unit = f"{_number(projection.unit)} {projection.weight_unit}".rstrip()
    yield f"    weight_exp = {projection.weight_exp}, unit = {unit}"
    yield f"    num_weight_bits = {projection.num_weight_bits}, sign_mode = {projection.sign_mode}"
    if not projection.dense:
        yield f"    pre = {_array(projection.pre)}"
        yield f"    post = {_array(projection.post)}"
    if projection.kernel is not None:
        yield f"    kernel = {projection.kernel.pairs.convolution}"
        yield f"    kernel weights = {_array(projection.kernel.weights)}"
    yield f"    weights = {_array(projection.weights)}"
    if np.any(projection.delays):
        yield f"    extra delays = {_array(projection.delays)}"
    if projection.learning is not None:
        yield from _learning(projection.learning)


def _learning(learning: LearningCode) -> Iterator[str]:
    steps = f"every {learning.every} steps"
    yield f"    learn {learning.form}, {learning.rounding}, {steps}, stream {learning.stream}"
    if learning.reads_events:
        yield f"      postsynaptic = {learning.postsynaptic}"
    if learning.form == "carry":
        yield f"      shift = {learning.shift}"
        for name in ("gate", "restart", "halvings"):
            yield f"      {name} = {_signal(getattr(learning, name))}"
    for name, rule in learning.rules.items():
        yield f"      {name} = {rule}"
    for trace in learning.traces:
        kept = f"tau {_number(trace.tau)} steps" if trace.kind == "lava" else f"decay {trace.decay}"
        yield f"      trace {trace.name}: {trace.kind}, {kept}, impulse {trace.impulse}"


def _partition(partition: Partition) -> Iterator[str]:
    yield f"partition {partition.code.name} on {partition.chip.name}: {len(partition.cores)} neurocores"
    for field in fields(partition.measures):
        if field.name != "least_by_limit":
            yield f"  {field.name} = {getattr(partition.measures, field.name)}"
    for core in partition.cores:
        pieces = ", ".join(f"{piece.population} {piece.text}" for piece in core.pieces)
        yield f"  neurocore {core.number} at tile {core.tile[0]}, {core.tile[1]}: {pieces}"
        for name, form in core.formats.items():
            yield f"    synapses of {name}: {_format(form)}"
        for name, used in core.used.items():
            yield f"    {name} = {used} of {partition.chip[name].value}"


def _certificate(certificate: Certificate) -> Iterator[str]:
    open_ = sum(not it.proved for it in certificate.bounds)
    yield f"certificate for weights {certificate.weights}: {open_} of {len(certificate.bounds)} not proved"
    for it in certificate.bounds:
        verdict = "proved" if it.escapes is None else f"may reach {it.escapes}"
        yield f"  {it.population} {it.kind} {it.variable} = {it.low}..{it.high} of {it.width}: {verdict}"
        for name, added in certificate.arriving[it.population, it.variable] if it.kind == "port" else ():
            yield f"    {name} adds {added}"


def _format(form: SynapseFormat) -> str:
    fields = ("index_bits", "weight_bits", "weight_shift", "weight_exp", "delay_bits", "tag_bits")
    order = "dense" if form.dense else "sparse"
    return f"{form.sign}, {order}, {', '.join(f'{name} {getattr(form, name)}' for name in fields)}"

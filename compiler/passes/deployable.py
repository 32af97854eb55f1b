"""What a chip lacks however a network is spread over it, and how a projection's synapses lie there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from compiler.ir.chip_program import ChipProgram, ProjectionCode
from hw_models.chips.chip import Chip
from hw_models.diagnostics import Diagnostic, Subject, register_codes
from hw_models.neurons.lif import LIF
from hw_models.program.ranges import output_range
from hw_models.synapses.memory import Lists, SynapseFormat
from hw_models.synapses.shared import SharedLists, share

register_codes(
    {
        "BC351": "a projection that is emulation only cannot be deployed",
        "BC352": "a neuron model or a message that the chip does not have",
        "BC353": "weights or delays that the chip's synapses cannot hold",
    }
)

WEIGHT_BITS = 8

Integers = NDArray[np.int64]


def synapse_format(projection: ProjectionCode, compartments: int, chip: Chip) -> SynapseFormat:
    """How the synapses of a projection lie on a neurocore with so many compartments.

    Plastic weights take their full 9 bits, since learning makes them odd, a tag where the rule has one, and
    the whole delay field where the rule changes delays.
    """
    mixed = projection.sign_mode == "MIXED"
    weight_bits = chip.fit("weight_bits", max(projection.num_weight_bits, 1)) or WEIGHT_BITS
    shift = WEIGHT_BITS - weight_bits + mixed
    longest = int(np.max(projection.delays, initial=0))
    delay_bits, tag_bits = longest.bit_length(), 0
    if projection.learning is not None:
        weight_bits, shift = chip["learning_weight_bits"].value, 0
        rules = projection.learning.rules
        tag_bits = chip["tag_bits"].value if "dt" in rules else 0
        delay_bits = chip["delay_bits"].value if "dd" in rules else delay_bits
    index_bits = 0 if projection.dense else chip.fit("index_bits", (compartments - 1).bit_length())
    assert index_bits is not None, f"{compartments} compartments a neurocore"
    exponent = projection.weight_exp
    return SynapseFormat(
        projection.sign_mode, weight_bits, shift, exponent, delay_bits, tag_bits, index_bits, projection.dense
    )


def stored_lists(
    projection: ProjectionCode, lengths: Integers, compartment: Integers, synapse: Integers, chip: Chip
) -> SharedLists:
    """The lists of a projection with shared weights onto one neurocore, as that stores them.

    Of its synapses there, sorted by source and then compartment, `lengths` counts those of each source,
    none of them 0; `compartment` is the index of each and `synapse` its place in the projection.
    """
    weight, delay = (values[synapse].astype(np.int64) for values in (projection.weights, projection.delays))
    lists = Lists(lengths, compartment, weight, delay, np.zeros_like(weight))
    return share(lists, chip["axon_base"].value)


def not_deployable(code: ChipProgram, chip: Chip) -> Iterator[Diagnostic]:
    """What no partition helps against: BC351 to BC353."""
    for population in code.populations:
        # Without neuron programs a chip has Lava's LIF neuron, and no other.
        fact = chip["neuron_programs"]
        if not population.is_source and fact.value == 0 and population.program != LIF.program:
            changed = ", with options that change its program" if population.model == LIF.name else ""
            yield Diagnostic(
                "BC352",
                f"population '{population.name}' cannot be deployed to {chip.name}",
                required=f"model {LIF.name}: the chip loads no neuron programs ({fact.origin})",
                given=f"model {population.model}{changed}",
                hint=f"target: loihi2{', or a lif without these options' if changed else ''}",
                about=Subject("population", population.name, ("model",)),
            )
    for projection in code.projections:
        if projection.learning is not None and projection.learning.form == "carry":
            yield Diagnostic(
                "BC351",
                f"the carry form of '{projection.name}' is emulation only: it cannot be deployed",
                required=f"sums of products, for target {code.target}",
                given="8-bit weight, 8-bit tag and carry",
                hint="--set weight_form=chip where the template has it, or form: chip",
                about=Subject("plasticity", projection.name, ("form",)),
            )
        else:
            yield from _synapses(code, projection, chip)


def _synapses(code: ChipProgram, projection: ProjectionCode, chip: Chip) -> Iterator[Diagnostic]:
    source = code.population(projection.source)
    sent = output_range(source.program, source.parameters, projection.output)
    fact = chip["message_bits"]
    if (sent.low < 0 and fact.value == 1) or sent.bits > fact.value:
        yield Diagnostic(
            "BC352",
            f"the messages of '{projection.name}' cannot be deployed to {chip.name}",
            required=f"messages of at most {fact.value} bits ({fact.origin})",
            given=f"{projection.source}.{projection.output}, {sent}",
            hint="target: loihi2",
            about=Subject("projection", projection.name, ("from",)),
        )
    form = synapse_format(projection, 1, chip)
    wrong = int(np.count_nonzero(~form.holds(projection.weights)))
    if wrong:
        low, high = form.weight_range
        yield Diagnostic(
            "BC353",
            f"{wrong} weights of '{projection.name}' do not fit the synapses",
            required=f"{low}..{high} in steps of {1 << form.weight_shift} ({projection.sign_mode}, "
            f"weight_bits: {projection.num_weight_bits})",
            given=f"{int(projection.weights.min())}..{int(projection.weights.max())}",
            hint="compile the network again: the compiler rounds weights to these steps",
            about=Subject("projection", projection.name, ("weight", "connectivity")),
        )
    fact = chip["delay_bits"]
    if form.delay_bits > fact.value:
        yield Diagnostic(
            "BC353",
            f"delays of '{projection.name}' do not fit the synapses",
            required=f"at most {fact.value} bits ({fact.origin})",
            given=f"{int(projection.delays.max())} extra steps",
            hint="shorter delays, or a longer step",
            about=Subject("projection", projection.name, ("delay", "connectivity")),
        )

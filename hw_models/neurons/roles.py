"""What the inputs, states and parameters of a neuron program mean to those who run it.

A program's inputs are its ports, which sum the messages of synapses, and its *controls*, each of which is
bound to one signal below. A model declares its roles, the compiler hands them on with the program, and every
backend binds by role. Of the outputs, `events` (0 or 1) are those that a backend counts and traces follow,
`bursts` those of them that are bursts, and `y1` to `y3` the third factors of the rules' grammar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from hw_models.program.widths import FLAG, Width, signed, unsigned

Control = Literal[
    "clock",
    "reset",
    "last",
    "learning",
    "plastic",
    "gather",
    "report",
    "consolidate",
    "taught",
    "rate",
    "listed",
    "message",
]

#: How often learning rates may halve in a training.
ANNEALINGS_MAX = 7

#: The values that each control takes.
CONTROL_WIDTHS: Mapping[str, Width] = {
    "clock": unsigned(31),
    **dict.fromkeys(
        ("reset", "last", "learning", "plastic", "gather", "report", "consolidate", "listed"), FLAG
    ),
    "taught": signed(16),
    "message": signed(16),
    "rate": Width(0, 1 << 16),
}
assert set(CONTROL_WIDTHS) == set(get_args(Control))

#: Controls that are one value for each neuron; the others are one for the whole population.
PER_NEURON: frozenset[Control] = frozenset(("taught", "rate", "listed", "message"))

#: Controls that are 0 throughout where nothing learns.
LEARNING_CONTROLS: tuple[Control, ...] = (
    "learning",
    "plastic",
    "gather",
    "report",
    "consolidate",
    "taught",
)


@dataclass(frozen=True)
class Roles:
    """The meaning of a program's names; "" where a program has none of a kind.

    `controls[input]` is the signal that the input is bound to:

        clock        the step's number, from 0
        reset        1 in the first step of a run, with a task in the first of each sample
        last         1 in the last step of a task's sample, else 0
        learning     1 where the run learns; else every control but clock, reset and last is 0
        plastic      1 where weights may change: from a task's `teach_after` on, without a task always
        gather       1 in the first step of a learning epoch of the synapses that end here
        report       1 in its last step, at whose end the synapses read the third factors
        consolidate  1 in the step in which tags move into weights
        taught       what a teacher asks of the neuron: the parameter `taught` for the class of the sample,
                     `taught_else` for other neurons and without a task
        rate         2^-16 events a step: of the parameter `rate`, or of a task's pixel
        listed       1 where the population's list has an event
        message      what the population's list has the neuron send, else 0

    `exponents[port]` is the parameter that the compiler sets to the port's weight exponent, `responses[port]`
    the state that its events move: a weight is the greatest change of that state by one event. `rate` and
    `full_rate` are parameters that the program itself does not read: what the control `rate` is without a
    task, and at a full-intensity pixel (in 2^-10 events a step); likewise `taught` and `taught_else`.
    `factor_shift` is the parameter by whose number of bits the third factor shrinks, where a learning rate
    is beyond the product's exponent, and as often as learning rates have halved in a training.
    `gathered` is the state that synapses of the carry form read; of `count` and `tie` the read-out takes the
    greatest, `tie` deciding between equal counts.
    """

    controls: Mapping[str, Control] = field(default_factory=dict)
    exponents: Mapping[str, str] = field(default_factory=dict)
    responses: Mapping[str, str] = field(default_factory=dict)
    rate: str = ""
    full_rate: str = ""
    taught: str = ""
    taught_else: str = ""
    factor_shift: str = ""
    gathered: str = ""
    count: str = ""
    tie: str = ""

    @property
    def of_list(self) -> str:
        """The input that is bound to the population's list, of events or messages, or ""."""
        return self.bound_to("listed") or self.bound_to("message")

    def bound_to(self, control: Control) -> str:
        """The input that is bound to a control, or ""."""
        return next((name for name, bound in self.controls.items() if bound == control), "")

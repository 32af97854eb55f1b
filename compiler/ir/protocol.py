"""A protocol: which examples a network is shown, in which phases and how often, and what teaches it.

An example sets variables of populations and names a target, 0 or 1, for each teacher. A part of the protocol
shows all examples in each of its rounds, each example through the part's phases; a part without phases shows
none. Neurons that can learn do so in the phases that name their population, and in no other. In a phase that
is taught each teacher adds to a variable of its population, from each neuron's own running rate E of events,

    target 1: 0 where E >= high - tolerance, strength where E <= low + tolerance,
              else strength tolerance / (E - low)
    target 0: 0 where E <= low + tolerance, -strength where E >= high - tolerance,
              else -strength tolerance / (high - E)

which is the slope of the cost -y ln e - (1 - y) ln(1 - e) with e = (E - low) / (high - low).
Source: Payeur, Guerguiev, Zenke, Richards, Naud, Nat. Neurosci. 24, 1010 (2021), figure 4, and its
simulation. Times are in ms, rates in Hz, values in the base unit of their variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hw_models.diagnostics import Place

#: What the signals that a protocol writes are called, with a point that no name of a file has.
PREFIX = "protocol."
#: What the burst rule gives a neuron: its running rate of events, and when it learns.
RATE, GATE = "E", "plastic"


@dataclass(frozen=True)
class ProtocolInput:
    """A value of the examples: `variable` of `population` takes it while an example is shown."""

    name: str
    population: str
    variable: str

    @property
    def signal(self) -> str:
        """The signal that carries it."""
        return f"{PREFIX}{self.name}"


@dataclass(frozen=True)
class Teacher:
    """What drives the neurons of `population`, by `variable`, towards the target of the example."""

    name: str
    population: str
    variable: str
    low: float
    high: float
    tolerance: float
    strength: float
    #: How often it looks at the rates in a phase that is taught; None: once, at its start.
    every: float | None = None

    @property
    def signal(self) -> str:
        """The signal that carries it."""
        return f"{PREFIX}{self.name}"


@dataclass(frozen=True)
class Example:
    """One row of the table: values in the order of the inputs, targets in that of the teachers."""

    name: str
    inputs: tuple[float, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True)
class Phase:
    """A stretch of an example; the populations named in `plastic` learn in it."""

    name: str
    lasts: float
    plastic: tuple[str, ...] = ()
    taught: bool = False


@dataclass(frozen=True)
class Part:
    """`rounds` of all examples, each through `phases`; without phases `rest` ms without an example."""

    name: str
    phases: tuple[str, ...] = ()
    rounds: int = 1
    order: Literal["listed", "shuffled"] = "listed"
    rest: float = 0.0


@dataclass(frozen=True)
class Protocol:
    """All of it; rates are counted over `bin`, and `gated` are the populations that can learn."""

    inputs: tuple[ProtocolInput, ...]
    teachers: tuple[Teacher, ...]
    examples: tuple[Example, ...]
    phases: tuple[Phase, ...]
    parts: tuple[Part, ...]
    bin: float
    gated: tuple[str, ...]
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def phase(self, name: str) -> Phase:
        """The phase of this name."""
        return next(phase for phase in self.phases if phase.name == name)

    def phases_of(self, part: Part) -> tuple[Phase, ...]:
        """What each example of a part goes through."""
        return tuple(self.phase(name) for name in part.phases)


def gate_signal(population: str) -> str:
    """The signal that says when a gated population learns."""
    return f"{PREFIX}{GATE}.{population}"

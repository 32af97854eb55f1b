"""What the neurons of a run did, counted as it goes: messages that were sent, potentials that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burstchip.variables import Variable
from compiler.ir.chip_program import ChipProgram, PopulationCode

Counts = NDArray[np.int64]

#: The state that is a neuron's membrane potential, and the output that is its activation.
POTENTIAL, EVENTS = "v", "events"


@dataclass(frozen=True)
class Sent:
    """In how many steps each neuron sent something else than 0, [neuron].

    `spikes` counts in steps in which all that the population sent was -1, 0 or 1, `graded` in the others.
    """

    spikes: Counts
    graded: Counts


@dataclass(frozen=True)
class Activity:
    """A run of `steps` steps, which showed so many `samples`, at least 1.

    `sent` is of each output that a projection reads and of the events of all neurons; `membrane_updates`
    counts, by population, the steps in which a neuron's potential changed, all neurons in the first.
    """

    steps: int
    samples: int
    sent: Mapping[Variable, Sent]
    membrane_updates: Mapping[str, int]


def neurons_of(code: ChipProgram) -> Iterator[PopulationCode]:
    """The populations that are neurons, and not sources: those that hear messages."""
    return (it for it in code.populations if it.ports)


class ActivityCounter:
    """Counts what a run brings back; a sink of `record`, asked for `variables`."""

    def __init__(self, code: ChipProgram) -> None:
        self._code = code
        read = [(it.source, it.output) for it in code.projections]
        events = [(it.name, EVENTS) for it in neurons_of(code) if EVENTS in it.program.outputs]
        self._outputs = tuple(dict.fromkeys([*read, *events]))
        self._potentials = tuple(
            (it.name, POTENTIAL) for it in neurons_of(code) if POTENTIAL in it.program.states
        )
        sizes = {it.name: it.size for it in code.populations}
        self._sent = {
            it: Sent(np.zeros(sizes[it[0]], dtype=np.int64), np.zeros(sizes[it[0]], dtype=np.int64))
            for it in self._outputs
        }
        self._last: dict[Variable, NDArray[Any]] = {}
        self._updates = dict.fromkeys((name for name, _ in self._potentials), 0)
        self._steps = 0

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What has to be recorded, of all neurons in all steps."""
        return tuple(dict.fromkeys([*self._outputs, *self._potentials]))

    def add(self, first: int, values: Mapping[Variable, NDArray[Any]]) -> None:
        """Count steps from `first` on, [step, neuron]; they come in their order."""
        assert first == self._steps, "steps are counted once, one after the other"
        for it in self._outputs:
            found = values[it]
            graded = np.abs(found).max(axis=1, initial=0) > 1
            self._sent[it].spikes[:] += np.count_nonzero(found[~graded], axis=0)
            self._sent[it].graded[:] += np.count_nonzero(found[graded], axis=0)
        for it in self._potentials:
            found = np.asarray(values[it])
            if it not in self._last and len(found):
                self._updates[it[0]] += found.shape[1]
            before = self._last.get(it, found[:1])
            self._updates[it[0]] += int(np.count_nonzero(np.diff(found, axis=0, prepend=before)))
            self._last[it] = found[-1:].copy()
        self._steps += len(next(iter(values.values())))

    def activity(self) -> Activity:
        """All that was counted so far."""
        task = self._code.task
        samples = 1 if task is None else max(1, self._steps // task.present)
        return Activity(self._steps, samples, dict(self._sent), dict(self._updates))

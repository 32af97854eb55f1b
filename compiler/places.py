"""Where a network's file says what a message about its program is about.

A program in integers knows no file, so that messages of the later passes carry a `Subject` in place of a
place. What compiled a file still has its `Network`, which knows where each of its entries was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from compiler.ir.network import Network
from hw_models.diagnostics import BurstchipError, Diagnostic, Place, Subject


def located(messages: Iterable[Diagnostic], network: Network | None) -> tuple[Diagnostic, ...]:
    """The messages, each without a place at what it is about in the network's file; None: no file."""
    return tuple(
        message
        if network is None or message.about is None or message.place is not None
        else replace(message, place=place_of(message.about, network))
        for message in messages
    )


@contextmanager
def locating(network: Network | None) -> Iterator[None]:
    """Errors that leave the block are raised with the places of `located`."""
    try:
        yield
    except BurstchipError as error:
        raise BurstchipError(located(error.diagnostics, network)) from error.__cause__


def place_of(subject: Subject, network: Network) -> Place | None:
    """Where the first of the subject's keys that is written stands, else the subject; None: nowhere."""
    whole, entries = _written(subject, network)
    return next((entries[key] for key in subject.keys if key in entries), whole)


def _written(subject: Subject, network: Network) -> tuple[Place | None, Mapping[str, Place]]:
    """The place of the subject, and that of each of its entries."""
    if subject.kind == "population":
        for population in network.populations:
            if population.name == subject.name:
                return population.place, population.parameter_places
    elif subject.kind == "signal":
        for signal in network.signals:
            if f"{signal.population}.{signal.variable}" == subject.name:
                return signal.place, signal.places
    elif subject.kind == "task":
        if network.task is not None:
            return network.task.place, network.task.places
    else:
        # Wide weights are two projections of a program.
        for projection in network.projections:
            if subject.name not in projection.parts:
                continue
            if subject.kind == "projection":
                return projection.place, projection.places
            learned = next(it for it in network.plasticity if it.name == projection.learn)
            return learned.place, learned.places
    return None, {}

"""calibrate: what ports and states reach, for `quantize` to choose by. Elaborated in, the same with it out.

What is reached is given: from a short run in real numbers, or from `compiler.calibration_bounds`. Without it
the pass changes nothing, and `quantize` chooses for the worst case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np

from compiler.ir.calibration import Calibration
from compiler.ir.elaborated import Elaborated
from compiler.ir.network import NO_CHIP, ListedEvents, Network
from compiler.ir.text import as_text
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC922": "a calibration of another network",
        "BC923": "a calibration of an earlier version of the network",
        "BC925": "a calibration for no chip",
    }
)


def fingerprint(elaborated: Elaborated) -> str:
    """A hash of all that a run in real numbers depends on: the network's text, and what it leaves out."""
    network = replace(elaborated.network, target=NO_CHIP, probes=())
    found = hashlib.sha256(as_text(replace(elaborated, network=network, calibration=None)).encode())
    for population in network.populations:
        found.update(repr(sorted(population.initial.items())).encode())
        events = population.spikes
        events = events if isinstance(events, ListedEvents) else ListedEvents.of(events)
        for listed in (events.neurons, events.times, events.messages):
            found.update(b"" if listed is None else np.ascontiguousarray(listed).tobytes())
    for signal in network.signals:
        found.update(f"{signal.population}.{signal.variable} {signal.start} {signal.stop}".encode())
        for it in fields(signal.course):
            value = getattr(signal.course, it.name)
            array = isinstance(value, np.ndarray)
            found.update(np.ascontiguousarray(value).tobytes() if array else repr(value).encode())
    return found.hexdigest()


def _differs(elaborated: Elaborated, given: Calibration) -> Iterator[str]:
    """What the calibration has that the network has not."""
    network = elaborated.network
    sizes = {it.name: it.size for it in network.populations}
    if dict(given.sizes) != sizes:
        odd = sorted(given.sizes.items() ^ sizes.items())
        yield f"populations differ: {', '.join(f'{name} of {size}' for name, size in odd)}"
        return
    known = {name: network.model_of(name) for name in sizes}
    for it in given.reaches:
        model = known.get(it.population)
        program = None if model is None else model.program
        if program is None or it.variable not in (program.inputs if it.kind == "port" else program.states):
            yield f"no {it.kind} {it.population}.{it.variable}"
    for sent in given.sent:
        model = known.get(sent.population)
        if model is None or sent.output not in model.program.outputs:
            yield f"no output {sent.population}.{sent.output}"
        elif len(sent.mean) != sizes[sent.population]:
            yield f"{len(sent.mean)} neurons at {sent.population}.{sent.output}"


def require_chip(network: Network) -> None:
    """Raise `BurstchipError` BC925 for a network of which nothing becomes an integer."""
    if network.target == NO_CHIP:
        raise BurstchipError(
            Diagnostic(
                "BC925",
                f"'{network.name}' is for no chip, so that nothing is chosen by a calibration",
                network.place,
                required="the target of a chip, such as loihi2",
                given=NO_CHIP,
                hint="--target loihi2",
            )
        )


def calibrate(elaborated: Elaborated, calibration: Calibration | None = None) -> Elaborated:
    """The network with its calibration.

    Raises `BurstchipError` BC922 where populations, ports or states differ from the network's, BC925
    where it is for no chip; warns (BC923) where anything else differs, so that it may reach something else.
    """
    if calibration is None:
        return elaborated
    require_chip(elaborated.network)
    if (found := next(_differs(elaborated, calibration), None)) is not None:
        raise BurstchipError(
            Diagnostic(
                "BC922",
                f"the calibration of '{calibration.network}' is not one of '{elaborated.network.name}'",
                elaborated.network.place,
                required="the same populations, ports, states and outputs",
                given=found,
                hint="calibrate this network",
            )
        )
    messages = list(elaborated.diagnostics)
    if calibration.sha256 != fingerprint(elaborated) or calibration.step_ms != elaborated.network.step:
        messages.append(
            Diagnostic(
                "BC923",
                f"'{elaborated.network.name}' was changed after its calibration: what it reaches may differ",
                elaborated.network.place,
                "warning",
                required=f"the network that was calibrated: {calibration.sha256[:8]}",
                given=fingerprint(elaborated)[:8],
                hint="calibrate again",
            )
        )
    return replace(elaborated, calibration=calibration, diagnostics=tuple(messages))

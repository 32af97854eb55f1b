"""Addresses: `population.output` as a source, `population.port` as a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from burstchip.frontend.fields import AddressText
from burstchip.frontend.populations import Neurons, Populations
from burstchip.frontend.report import Report
from burstchip.frontend.tree import Scalar, Span
from compiler.ir.network import Endpoint
from hw_models.diagnostics import nearest
from hw_models.neurons.model import NeuronModel


def outputs(model: NeuronModel) -> tuple[str, ...]:
    """The outputs that a projection may start from."""
    return tuple(model.program.outputs)


def ports(model: NeuronModel) -> tuple[str, ...]:
    """The ports that a projection may end at."""
    return tuple(port.name for port in model.ports)


def find_population(
    name: str,
    at: Scalar,
    populations: Populations,
    label: str,
    report: Report,
    others: tuple[str, ...] | None = None,
) -> Neurons | None:
    """The population of this name; reports an unknown one. `others` are projections that may be meant too."""
    names = (*populations.neurons, *(others or ()))
    if name not in names and populations.complete:
        report.add(
            "BC120",
            at,
            f"{label}: unknown population {'or projection ' if others else ''}'{name}'",
            required=f"one of {', '.join(names)}" if names else "a population",
            hint=nearest(name, names),
        )
    return populations.neurons.get(name)


def resolve(
    address: AddressText, what: str, populations: Populations, label: str, report: Report
) -> Endpoint | None:
    """The endpoint that an address names; `what` is "output" or "port".

    Where the address gives the population alone, its only output or port is meant.
    """
    neurons = find_population(
        address.population, part(address.node, 0, len(address.population)), populations, label, report
    )
    if neurons is None or neurons.model is None:
        return None
    model = neurons.model
    valid = outputs(model) if what == "output" else ports(model)
    if not valid:
        report.add(
            "BC124",
            address.node,
            f"{label}: '{neurons.name}' has no {what}s",
            required=f"a population with {what}s",
            given=f"'{address.node.text}', a {model.kind} of model '{model.name}'",
        )
        return None
    if address.port is None:
        if len(valid) > 1:
            report.add(
                "BC122",
                address.node,
                f"{label} does not say which {what} of '{neurons.name}' is meant",
                required=one_of(neurons.name, valid),
            )
            return None
        return Endpoint(neurons.name, valid[0])
    if address.port not in valid:
        report.add(
            "BC121",
            part(address.node, len(address.population) + 1, len(address.port)),
            f"{label}: '{neurons.name}' has no {what} '{address.port}'",
            required=one_of(neurons.name, valid),
            given=f"'{address.node.text}'",
            hint=nearest(address.port, valid),
        )
        return None
    return Endpoint(neurons.name, address.port)


def one_of(population: str, valid: Sequence[str]) -> str:
    """The addresses that would have been right."""
    return ", ".join(f"{population}.{name}" for name in valid)


def part(node: Scalar, start: int, length: int) -> Scalar:
    """The part of a text, where its place in the file is its place in the text."""
    if node.origin is not None or node.span.length != len(node.text):
        return node
    span = Span(node.span.line, node.span.column + start, length)
    return replace(node, text=node.text[start : start + length], span=span)


def short(endpoint: Endpoint, valid: Sequence[str]) -> str:
    """The shortest address of an endpoint."""
    return endpoint.population if len(valid) == 1 else str(endpoint)

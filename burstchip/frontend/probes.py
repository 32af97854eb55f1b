"""Probes: the variables that a run records."""

from __future__ import annotations

from burstchip.frontend.addresses import find_population, one_of, part
from burstchip.frontend.fields import AddressText, Items
from burstchip.frontend.populations import Populations
from burstchip.frontend.report import Report
from compiler.ir.network import Probe
from hw_models.diagnostics import nearest
from hw_models.neurons.model import NeuronModel


def variables(model: NeuronModel) -> tuple[str, ...]:
    """What can be recorded of a model: its outputs and its states."""
    return tuple(dict.fromkeys((*model.program.outputs, *model.program.states)))


def read_probes(items: Items, populations: Populations, report: Report) -> tuple[Probe, ...]:
    """All probes; reports unknown variables and those that are given twice."""
    found: dict[tuple[str, str], Probe] = {}
    for index, address, node in items.of(AddressText):
        label = f"probe {index + 1}"
        at = part(address.node, 0, len(address.population))
        neurons = find_population(address.population, at, populations, label, report)
        if neurons is None or neurons.model is None:
            continue
        valid = variables(neurons.model)
        if address.port is None:
            report.add(
                "BC122",
                node,
                f"{label} does not say which variable of '{neurons.name}' is meant",
                required=one_of(neurons.name, valid),
            )
        elif address.port not in valid:
            report.add(
                "BC150",
                part(address.node, len(address.population) + 1, len(address.port)),
                f"{label}: '{neurons.name}' has no variable '{address.port}'",
                required=one_of(neurons.name, valid),
                given=f"'{address.node.text}'",
                hint=nearest(address.port, valid),
            )
        elif (neurons.name, address.port) in found:
            report.add("BC151", node, f"{label} is given twice", required="each variable once")
        else:
            probe = Probe(neurons.name, address.port, report.place(node))
            found[neurons.name, address.port] = probe
    return tuple(found.values())

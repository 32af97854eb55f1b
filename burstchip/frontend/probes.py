"""Probes: the variables that a run records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from burstchip.frontend.addresses import find_population, one_of, part
from burstchip.frontend.fields import AddressText, Items
from burstchip.frontend.plasticity import Learning
from burstchip.frontend.populations import Populations
from burstchip.frontend.report import Report
from burstchip.variables import synaptic_variables
from compiler.ir.network import Probe, Projection
from hw_models.diagnostics import nearest
from hw_models.neurons.model import NeuronModel


def variables(model: NeuronModel) -> tuple[str, ...]:
    """What can be recorded of a model: its outputs and its states."""
    return tuple(dict.fromkeys((*model.program.outputs, *model.program.states)))


@dataclass(frozen=True)
class Unread:
    """Projections that could not be made out: `names` that they give, None where nothing is known of them."""

    count: int
    names: frozenset[str] | None

    def may_be(self, name: str) -> bool:
        """Whether one of them may have this name; one without a name is called by its ends."""
        return self.names is None or (self.count > 0 and (name in self.names or "->" in name))


def read_probes(
    items: Items,
    populations: Populations,
    projections: Sequence[Projection],
    unread: Unread,
    plasticity: Mapping[str, Learning | None],
    report: Report,
) -> tuple[Probe, ...]:
    """All probes; reports unknown variables and those that are given twice."""
    found: dict[tuple[str, str], Probe] = {}
    synapses = {it.name: it for it in projections}
    for index, address, node in items.of(AddressText):
        label = f"probe {index + 1}"
        owner, valid = address.population, None
        whole = synapses.get(address.node.text)
        if whole is not None:
            # What stands behind the last point is a part of the name, and no variable.
            owner, valid = whole.name, _of_synapses(whole, plasticity)
        elif owner in synapses:
            valid = _of_synapses(synapses[owner], plasticity)
        elif owner in populations.neurons or not unread.may_be(owner):
            at = part(address.node, 0, len(owner))
            neurons = find_population(owner, at, populations, label, report, others=tuple(synapses))
            if neurons is not None and neurons.model is not None:
                valid = variables(neurons.model)
        if valid is None:
            continue
        if address.port is None or whole is not None:
            report.add(
                "BC122",
                node,
                f"{label} does not say which variable of '{owner}' is meant",
                required=one_of(owner, valid),
            )
        elif address.port not in valid:
            report.add(
                "BC150",
                part(address.node, len(owner) + 1, len(address.port)),
                f"{label}: '{owner}' has no variable '{address.port}'",
                required=one_of(owner, valid),
                given=f"'{address.node.text}'",
                hint=nearest(address.port, valid),
            )
        elif (owner, address.port) in found:
            report.add("BC151", node, f"{label} is given twice", required="each variable once")
        else:
            found[owner, address.port] = Probe(owner, address.port, report.place(node))
    return tuple(found.values())


def _of_synapses(projection: Projection, plasticity: Mapping[str, Learning | None]) -> tuple[str, ...] | None:
    """What can be recorded of a projection; None where that is not known."""
    if projection.learn is None:
        return synaptic_variables(None, ())
    learning = plasticity.get(projection.learn)
    if learning is None:
        return None
    rule = learning.plasticity
    return synaptic_variables(rule.form, [trace.name for trace in rule.traces])

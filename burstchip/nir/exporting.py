"""From a network to a `.nir` file.

Sources become inputs, populations of `lif` neurons, projections Linear nodes with a Delay before them where
they take more than a step. What NIR cannot say is an error with its place in the network's file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.nir.file import MOST_FILE_BYTES
from burstchip.nir.neurons_in import MILLI
from burstchip.nir.neurons_out import NirNeurons, neurons_of
from burstchip.nir.steps import Integration
from burstchip.nir.writer import OutNode, nir_bytes
from compiler.ir.elaborated import Elaborated, Synapses
from compiler.ir.network import Network, Population
from compiler.passes.elaborate import elaborate
from compiler.passes.quantize_integers import asked_integers
from compiler.passes.quantize_weights import exact_weights
from compiler.whole_file import write_whole
from hw_models.diagnostics import BurstchipError, Diagnostic

#: Outputs of sources whose messages are events, or numbers of them.
_EVENTS = ("events", "message", "count")


@dataclass(frozen=True)
class Exported:
    """How many nodes and edges were written, and what the file leaves out (BC812)."""

    nodes: int
    edges: int
    notes: tuple[Diagnostic, ...]


def export_nir(network: Network, path: Path, how: Integration = "euler") -> Exported:
    """Write a network as `path`, whole or not at all.

    Raises `BurstchipError` BC810 and BC811 with every population and projection that NIR cannot say, what
    `elaborate` raises, and OSError where the file cannot be written.
    """
    it = _Exporter(elaborate(network), how)
    it.gather()
    write_whole(path, nir_bytes(it.nodes, tuple(it.edges)))
    return Exported(len(it.nodes), len(it.edges), tuple(it.notes))


class _Exporter:
    def __init__(self, drawn: Elaborated, how: Integration) -> None:
        self.network, self.synapses, self.how = drawn.network, drawn.synapses, how
        self.neurons: dict[str, NirNeurons] = {}
        self.populations = {it.name: it for it in self.network.populations}
        self.nodes: dict[str, OutNode] = {}
        self.edges: list[tuple[str, str]] = []
        self.notes: list[Diagnostic] = []
        self.wrong: list[Diagnostic] = []

    def gather(self) -> None:
        """Nodes, edges and notes. Raises `BurstchipError` with all that cannot be said."""
        for population in self.network.populations:
            try:
                self._population(population)
            except BurstchipError as error:
                self.wrong += error.diagnostics
        for synapses in self.synapses:
            self._check(synapses)
        for signal in self.network.signals:
            self._signal(signal.name, self.populations[signal.population])
        if self.wrong:
            raise BurstchipError(self.wrong)
        for what in ("task", "protocol"):
            if getattr(self.network, what) is not None:
                self._leave_out(f"its {what}")
        self._projections()
        for name in self._outputs():
            size = self.populations[name].size
            self.nodes[f"{name}.output"] = OutNode("Output", {"shape": np.array([size])})
            self.edges.append((name, f"{name}.output"))

    def _population(self, population: Population) -> None:
        name = population.name
        if self.network.model_of(name).kind == "source":
            self.nodes[name] = OutNode("Input", {"shape": np.array([population.size])})
            self._leave_out(f"when '{name}' ({population.model}) emits events")
            return
        found = neurons_of(population, self.network, self.how)
        self.neurons[name] = found
        self.nodes[name] = OutNode(found.kind, found.fields)
        if found.subtracts:
            self._leave_out(f"that an event of '{name}' subtracts: import it with --reset subtract")
        if found.starts:
            self._leave_out(f"the initial values of '{name}'")

    def _check(self, synapses: Synapses) -> None:
        projection = synapses.projection
        source, output = projection.source.population, projection.source.port
        if projection.learn is not None:
            self._refuse(
                synapses, f"that it learns ('{projection.learn}')", "a projection that does not learn"
            )
        elif self.network.model_of(source).kind == "source" and output not in _EVENTS:
            self._refuse(synapses, f"the messages of '{source}.{output}'", "a source of events")

    def _refuse(self, synapses: Synapses, what: str, required: str) -> None:
        it = synapses.projection
        message = f"projection '{it.name}': NIR cannot say {what}"
        self.wrong.append(Diagnostic("BC811", message, it.place, required=required, given=it.name))

    def _signal(self, name: str, population: Population) -> None:
        if self.network.model_of(population.name).kind == "source":
            self._leave_out(f"the signal '{name}'")
            return
        message = f"population '{population.name}': NIR cannot say the signal '{name}'"
        given = "a signal"
        required = "neurons without signals"
        self.wrong.append(Diagnostic("BC810", message, population.place, required=required, given=given))

    def _leave_out(self, what: str) -> None:
        self.notes.append(Diagnostic("BC812", f"the NIR file does not say {what}", severity="warning"))

    def _projections(self) -> None:
        """A Linear node for each source, target and delay, Affine where it brings the bias of an IF."""
        ways: dict[tuple[str, str, int], list[Synapses]] = {}
        for synapses in self.synapses:
            ends = synapses.projection.source.population, synapses.projection.target.population
            for steps in np.unique(synapses.delays).tolist():
                ways.setdefault((*ends, steps), []).append(synapses)
        self._require_room(ways)
        unbiased = {name for name, it in self.neurons.items() if np.any(it.bias != 0)}
        for (source, target, steps), several in sorted(ways.items()):
            matrix = np.zeros((self.populations[target].size, self.populations[source].size))
            for synapses in several:
                chosen = synapses.delays == steps
                np.add.at(
                    matrix, (synapses.post[chosen], synapses.pre[chosen]), self._weights(synapses)[chosen]
                )
            if not np.any(matrix.astype(np.float32)):
                self._leave_out(f"the projection '{source}->{target}', whose weights are 0")
                continue
            self._way(source, target, steps, matrix, target in unbiased)
            unbiased.discard(target)
        for name in sorted(unbiased):
            message = (
                f"population '{name}': NIR cannot say a bias of neurons that do not decay and get no input"
            )
            required, given = "a projection to it, or 'tau_membrane'", "neither"
            place = self.populations[name].place
            raise BurstchipError(Diagnostic("BC810", message, place, required=required, given=given))

    def _way(self, source: str, target: str, steps: int, matrix: NDArray[np.float64], biased: bool) -> None:
        linear = f"{source}.{target}" + (f".{steps + 1}" if steps else "")
        fields = {"weight": matrix} | ({"bias": self.neurons[target].bias} if biased else {})
        self.nodes[linear] = OutNode("Affine" if biased else "Linear", fields)
        before = source
        if steps:
            before = f"{linear}.delay"
            delay = np.full(matrix.shape[1], steps * self.network.step / MILLI)
            self.nodes[before] = OutNode("Delay", {"delay": delay})
            self.edges.append((source, before))
        self.edges += [(before, linear), (linear, target)]

    def _weights(self, synapses: Synapses) -> NDArray[np.float64]:
        """NIR's weight of each synapse."""
        projection, target = synapses.projection, self.neurons[synapses.projection.target.population]
        if projection.weight_exp is None:
            weights = synapses.listed(exact_weights(synapses)[0])
            if projection.limit is not None:
                weights = np.clip(weights, -projection.limit, projection.limit)
            mantissas = weights / target.port_unit[synapses.post]
        else:
            mantissas = synapses.listed(asked_integers(synapses)) * 2.0**projection.weight_exp
        return np.asarray(mantissas * target.unit * target.gain[synapses.post])

    def _require_room(self, ways: dict[tuple[str, str, int], list[Synapses]]) -> None:
        size = 0
        for source, target, _ in ways:
            size += 4 * self.populations[source].size * self.populations[target].size
            if size > MOST_FILE_BYTES // 2:
                it = ways[source, target, _][0].projection
                raise BurstchipError(
                    Diagnostic(
                        "BC811",
                        f"projection '{it.name}': its matrix and those before it make too large a NIR file",
                        it.place,
                        required=f"matrices of at most {MOST_FILE_BYTES // 2} bytes",
                        given=f"{size} bytes",
                    )
                )

    def _outputs(self) -> Iterator[str]:
        """Neurons that are probed; else those that send to no others; else all."""
        probed = {it.owner for it in self.network.probes} & self.neurons.keys()
        sends = {s.projection.source.population for s in self.synapses if not _onto_itself(s)}
        yield from sorted(probed or self.neurons.keys() - sends or self.neurons.keys())


def _onto_itself(synapses: Synapses) -> bool:
    return synapses.projection.source.population == synapses.projection.target.population

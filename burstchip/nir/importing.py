"""From a `.nir` file to a network file and the weight files beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from burstchip.nir.compose import compose
from burstchip.nir.graph import read_graph
from burstchip.nir.network_text import network_text
from burstchip.nir.neurons_in import Settings, neurons_of
from compiler.whole_file import write_all_whole
from hw_models.diagnostics import Diagnostic


@dataclass(frozen=True)
class Imported:
    """What an import wrote, and what it assumed, rounded or left out (BC808), in the order of the nodes."""

    files: tuple[Path, ...]
    notes: tuple[Diagnostic, ...]
    neurons: int
    synapses: int


def import_nir(path: Path, network: Path, settings: Settings) -> Imported:
    """Read a NIR file; write the network file `network` and files of weights with its name, or nothing.

    Raises `BurstchipError` BC800 to BC807 with the node, and OSError where a file cannot be written.
    """
    graph = read_graph(path)
    composed = compose(graph, settings.step_ms)
    neurons = {
        name: neurons_of(graph.nodes[name], signal, settings, graph.file)
        for name, signal in composed.arriving.items()
    }
    text = network_text(graph, composed, neurons, settings, network.stem)
    files = {
        network if name == f"{network.stem}.yaml" else network.with_name(name): data
        for name, data in text.files.items()
    }
    write_all_whole(files)
    told = [*composed.notes]
    told += [f"node '{name}': {note}" for name, it in neurons.items() for note in it.notes]
    told += text.notes
    for name, node in graph.nodes.items():
        if node.kind == "Input" and not graph.passes_on(name):
            told.append(f"node '{name}': NIR does not say what comes in; give its `events`")
    told.append("an event takes a step from each sender to each neuron; NIR says nothing of steps")
    notes = tuple(Diagnostic("BC808", f"{graph.file}: {it}", severity="warning") for it in told)
    synapses = sum(int(m.nnz) for it in composed.arriving.values() for m in it.parts.values())
    size = sum(it.gain.size for it in neurons.values())
    return Imported(tuple(files), notes, size, synapses)

"""Connectivity: which neurons of a projection are connected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from burstchip.frontend.convolution import read_convolution
from burstchip.frontend.distributions import check_delay
from burstchip.frontend.fields import Amount, Fields, Items
from burstchip.frontend.populations import Neurons
from burstchip.frontend.report import Report
from burstchip.frontend.scalars import has_dimension
from burstchip.frontend.tree import Node
from burstchip.frontend.weight_file import check_weight_file
from compiler.ir.connectivity import (
    Connectivity,
    Convolved,
    Dense,
    ExplicitPairs,
    FixedInDegree,
    FixedProbability,
    OneToOne,
    TensorFile,
)
from hw_models.neurons.model import Dimension


@dataclass(frozen=True)
class Ends:
    """The populations that are connected, and what is known of the synapses; None where it is not known."""

    source: Neurons | None
    target: Neurons | None
    dimension: Dimension | None
    step: float | None
    autapses: bool

    @property
    def sizes(self) -> tuple[int | None, int | None]:
        """How many neurons both have."""
        return self.source.size if self.source else None, self.target.size if self.target else None


def read_connectivity(projection: Fields, ends: Ends, report: Report) -> Connectivity | None:
    """The connectivity of a projection; None where it is not right.

    What depends on the populations or on the dimension of the weights is checked where these are known.
    """
    written = projection.values.get("connectivity", "dense" if not projection.given("connectivity") else None)
    source, target, sizes = ends.source, ends.target, ends.sizes
    if written == "dense":
        return Dense()
    at = projection.nodes["connectivity"]
    if written == "one_to_one":
        if None not in sizes and sizes[0] != sizes[1]:
            assert source is not None and target is not None
            report.add(
                "BC130",
                at,
                f"{projection.label} connects populations of different sizes one to one",
                required="as many source as target neurons",
                given=f"'{source.name}' with {source.size}, '{target.name}' with {target.size}",
            )
        if not ends.autapses:
            report.add(
                "BC146",
                at,
                f"{projection.label} connects neurons to themselves alone, which 'autapses: no' excludes",
                required="another connectivity, or autapses: yes",
            )
        return OneToOne()
    if not isinstance(written, Fields):
        return None
    if written.given("probability"):
        probability = written.number("probability")
        return None if probability is None else FixedProbability(probability)
    if written.given("in_degree"):
        return _in_degree(projection, written, ends, report)
    if written.given("pairs"):
        return _pairs(projection, written, ends, report)
    if not written.given("file"):
        return read_convolution(projection, written, ends.source, ends.target, report)
    return _file(projection, written, sizes, report)


def _in_degree(projection: Fields, written: Fields, ends: Ends, report: Report) -> FixedInDegree | None:
    degree, source = written.get("in_degree", int), ends.source
    if degree is not None and source is not None and source.size is not None:
        most = source.size if ends.autapses else source.size - 1
        if degree > most:
            others = "" if ends.autapses else ", less the neuron itself"
            report.add(
                "BC131",
                written.nodes["in_degree"],
                f"{projection.label} needs more source neurons than there are",
                required=f"at most {most}, the size of '{source.name}'{others}",
            )
    return None if degree is None else FixedInDegree(degree)


#: How messages call what a pair gives beside its neurons.
_GIVEN: dict[tuple[str, ...] | None, str] = {
    (): "no weight and no delay",
    ("weight",): "a weight alone",
    ("delay",): "a delay alone",
    ("weight", "delay"): "a weight and a delay",
}


def _pairs(projection: Fields, written: Fields, ends: Ends, report: Report) -> ExplicitPairs | None:
    listed = written.values.get("pairs")
    if isinstance(listed, Fields):
        # Imported here: most networks have no such file.
        from burstchip.frontend.listed_file import read_pair_file

        return read_pair_file(listed, ends.sizes, ends.dimension, report, autapses=ends.autapses)
    if not isinstance(listed, Items):
        return None
    pairs: dict[tuple[int, int], int] = {}
    amounts: dict[str, list[float]] = {"weight": [], "delay": []}
    first_has: tuple[str, ...] | None = None
    for index, pair, node in listed.of(Items):
        label = f"pair {index + 1} of {projection.label}"
        has = _given(pair)
        first_has = has if first_has is None else first_has
        if has is not None and has != first_has:
            report.add(
                "BC133",
                node,
                f"{label} has {_GIVEN[has]}, unlike the first",
                required=f"{_GIVEN[first_has]} in all pairs",
            )
        neurons = _ends(pair, ends.sizes, label, report)
        if neurons is None:
            continue
        first = pairs.setdefault(neurons, index)
        if first != index:
            report.add(
                "BC132",
                node,
                f"{label} repeats pair {first + 1}",
                required="each pair once",
                given=f"{list(neurons)}",
            )
        if not ends.autapses and neurons[0] == neurons[1]:
            report.add(
                "BC146",
                node,
                f"{label} connects a neuron to itself, which 'autapses: no' excludes",
                required="two different neurons, or autapses: yes",
            )
        for what, amount in zip(has or (), pair.values[2:], strict=False):
            if isinstance(amount, Amount) and _is_right(what, amount, ends, f"the {what} of {label}", report):
                amounts[what].append(amount.value)
    if not listed.complete:
        return None
    weights, delays = (amounts[what] if what in (first_has or ()) else None for what in ("weight", "delay"))
    return ExplicitPairs.of(pairs, weights, delays)


def _given(pair: Items) -> tuple[str, ...] | None:
    """What a pair gives beside its neurons; None where it cannot be told. A time alone is a delay."""
    more = pair.values[2:]
    if len(more) == 1:
        if not isinstance(more[0], Amount):
            return None
        return ("delay",) if more[0].quantity.dimension == "time" else ("weight",)
    return ("weight", "delay") if more else ()


def _is_right(what: str, amount: Amount, ends: Ends, label: str, report: Report) -> bool:
    if what == "delay":
        check_delay(amount, ends.step, label, report)
        return True
    return ends.dimension is None or has_dimension(amount, ends.dimension, label, report)


def _ends(
    pair: Items, sizes: tuple[int | None, int | None], label: str, report: Report
) -> tuple[int, int] | None:
    """Source and target neuron; None where one could not be read."""
    for end, size, neuron, node in zip(("source", "target"), sizes, pair.values, pair.nodes, strict=False):
        if isinstance(neuron, int) and size is not None and neuron >= size:
            report.add(
                "BC112",
                node,
                f"{label} has a {end} neuron that does not exist",
                required=f"a neuron from 0 to {size - 1}",
            )
    source, target = pair.values[:2]
    return (source, target) if isinstance(source, int) and isinstance(target, int) else None


def _file(
    projection: Fields, written: Fields, sizes: tuple[int | None, int | None], report: Report
) -> TensorFile | None:
    file, tensor = written.get("file", str), written.get("tensor", str)
    if file is None or tensor is None:
        return None
    # A relative name is relative to the file it is in, in whichever folder the command was given.
    path = Path(report.file).parent / file
    places: tuple[Node, Node] = (written.nodes["file"], written.nodes["tensor"])
    source, target = sizes
    known = None if source is None or target is None else ((target, source), "target, source")
    check_weight_file(path, tensor, places, known, projection.label, report)
    return TensorFile(str(path), tensor, zeros=written.get("zeros", str) == "synapses")


def carries_weights(connectivity: Connectivity | None) -> bool:
    """Whether the weights come with the connectivity."""
    if isinstance(connectivity, ExplicitPairs):
        return connectivity.weights is not None
    if isinstance(connectivity, Convolved):
        return connectivity.path is not None
    return isinstance(connectivity, TensorFile)

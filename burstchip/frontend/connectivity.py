"""Connectivity: which neurons of a projection are connected."""

from __future__ import annotations

from pathlib import Path

from burstchip.frontend.distributions import check_limit
from burstchip.frontend.fields import Amount, Fields, Items
from burstchip.frontend.populations import Neurons
from burstchip.frontend.report import Report
from burstchip.frontend.scalars import has_dimension
from burstchip.frontend.tree import Node
from burstchip.frontend.weight_file import check_weight_file
from compiler.ir.network import (
    Connectivity,
    Dense,
    ExplicitPairs,
    FixedInDegree,
    FixedProbability,
    OneToOne,
    TensorFile,
)
from hw_models.neurons.model import Dimension


def read_connectivity(
    projection: Fields,
    source: Neurons | None,
    target: Neurons | None,
    dimension: Dimension | None,
    limit: Amount | None,
    report: Report,
) -> Connectivity | None:
    """The connectivity of a projection; None where it is not right.

    What depends on the populations or on the dimension of the weights is checked where these are known.
    """
    written = projection.values.get("connectivity", "dense" if not projection.given("connectivity") else None)
    sizes = (source.size if source else None, target.size if target else None)
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
        return OneToOne()
    if not isinstance(written, Fields):
        return None
    if written.given("probability"):
        probability = written.number("probability")
        return None if probability is None else FixedProbability(probability)
    if written.given("in_degree"):
        return _in_degree(projection, written, source, report)
    if written.given("pairs"):
        return _pairs(projection, written, sizes, dimension, limit, report)
    return _file(projection, written, sizes, report)


def _in_degree(
    projection: Fields, written: Fields, source: Neurons | None, report: Report
) -> FixedInDegree | None:
    degree = written.get("in_degree", int)
    if degree is not None and source is not None and source.size is not None and degree > source.size:
        report.add(
            "BC131",
            written.nodes["in_degree"],
            f"{projection.label} needs more source neurons than there are",
            required=f"at most {source.size}, the size of '{source.name}'",
        )
    return None if degree is None else FixedInDegree(degree)


def _pairs(
    projection: Fields,
    written: Fields,
    sizes: tuple[int | None, int | None],
    dimension: Dimension | None,
    limit: Amount | None,
    report: Report,
) -> ExplicitPairs | None:
    listed = written.values.get("pairs")
    if isinstance(listed, Fields):
        # Imported here: most networks have no such file.
        from burstchip.frontend.listed_file import read_pair_file

        return read_pair_file(listed, sizes, dimension, None if limit is None else limit.value, report)
    if not isinstance(listed, Items):
        return None
    pairs: dict[tuple[int, int], int] = {}
    weights: list[float] = []
    with_weight: bool | None = None
    for index, pair, node in listed.of(Items):
        label = f"pair {index + 1} of {projection.label}"
        here = len(pair.nodes) == 3
        if with_weight is None:
            with_weight = here
        elif here != with_weight:
            report.add(
                "BC133",
                node,
                f"{label} has {'a' if here else 'no'} weight, unlike the first",
                required="a weight in all pairs or in none",
            )
        ends = _ends(pair, sizes, label, report)
        if ends is None:
            continue
        first = pairs.setdefault(ends, index)
        if first != index:
            report.add(
                "BC132",
                node,
                f"{label} repeats pair {first + 1}",
                required="each pair once",
                given=f"{list(ends)}",
            )
        if here and isinstance(pair.values[2], Amount):
            weight = pair.values[2]
            if dimension is None or has_dimension(weight, dimension, f"the weight of {label}", report):
                weights.append(weight.value)
                if limit is not None:
                    check_limit(weight, limit, f"the weight of {label}", report)
    if not listed.complete:
        return None
    return ExplicitPairs.of(pairs, weights if with_weight else None)


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
    check_weight_file(path, tensor, places, sizes, projection.label, report)
    return TensorFile(str(path), tensor)


def carries_weights(connectivity: Connectivity | None) -> bool:
    """Whether the weights come with the connectivity."""
    if isinstance(connectivity, ExplicitPairs):
        return connectivity.weights is not None
    return isinstance(connectivity, TensorFile)

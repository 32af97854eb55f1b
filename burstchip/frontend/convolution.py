"""Convolutions and pools: from the keys of a projection to their geometry, checked against both shapes."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.frontend.fields import Fields, Items
from burstchip.frontend.populations import Neurons
from burstchip.frontend.report import Report
from burstchip.frontend.tree import Node
from burstchip.frontend.weight_file import check_weight_file
from compiler.ir.connectivity import Convolved
from compiler.ir.convolution import Convolution
from compiler.ir.values import Constant, Distribution

#: What messages call the places of each dimension.
_PLACES = {1: ("places",), 2: ("rows", "columns")}
_NAMES = ("conv1d", "conv2d", "pool1d", "pool2d")
_SHAPES = {1: "[channels, places]", 2: "[channels, rows, columns]"}


def read_convolution(
    projection: Fields, written: Fields, source: Neurons | None, target: Neurons | None, report: Report
) -> Convolved | None:
    """The connectivity under `conv1d`, `conv2d`, `pool1d` or `pool2d`; None where it is not right."""
    # Another key beside it is reported where it is read.
    name = next(name for name in written.nodes if name in _NAMES)
    fields = written.get(name, Fields)
    dimensions = int(name[-2])
    if fields is None or fields.lost("groups", "channels", "shared"):
        return None
    shape = _source_shape(projection, name, dimensions, source, report)
    kernel = _numbers(fields, "kernel", dimensions)
    pooled = name.startswith("pool")
    rest = [
        _numbers(fields, key, dimensions, kernel if pooled and key == "stride" else (default,) * dimensions)
        for key, default in (("stride", 1), ("padding", 0), ("dilation", 1))
    ]
    if shape is None or kernel is None or None in rest:
        return None
    stride, padding, dilation = (numbers for numbers in rest if numbers is not None)
    channels = shape[0] if pooled else fields.get("channels", int)
    groups = shape[0] if pooled else fields.get("groups", int) or 1
    if channels is None:
        return None
    found = Convolution(shape, channels, kernel, stride, padding, dilation, groups, pooled)
    assert source is not None
    if not _is_right(found, projection, fields, source, target, report):
        return None
    _warn_of_unread(found, projection, fields, source, report)
    shared = fields.get("shared", str) not in ("no", "false")
    if shared:
        _check_shared(projection, report)
    file, tensor = fields.get("file", str), fields.get("tensor", str)
    if file is None or tensor is None:
        return None if fields.lost("file", "tensor") else Convolved(found, shared)
    path = Path(report.file).parent / file
    places: tuple[Node, Node] = (fields.nodes["file"], fields.nodes["tensor"])
    axes = ", ".join(("channels", "channels of the source", *_PLACES[dimensions]))
    check_weight_file(path, tensor, places, (found.weights_shape, axes), projection.label, report)
    return Convolved(found, shared, str(path), tensor)


def shared_weight(
    projection: Fields, connectivity: Convolved, weight: Distribution | None, report: Report
) -> Distribution | None:
    """The weight of each synapse: of an average pool the share of each place that it reads."""
    if not connectivity.convolution.pooled or weight is None:
        return weight
    if not isinstance(weight, Constant):
        report.add(
            "BC844",
            projection.nodes["weight"],
            f"{projection.name_of('weight')} is drawn, but all synapses of a pool have one weight",
            required="one weight, such as 1 mV",
        )
        return weight
    written = projection.get("connectivity", Fields)
    pool = next(iter(written.values.values())) if written is not None else None
    average = isinstance(pool, Fields) and pool.get("kind", str) == "average"
    return Constant(weight.value / prod(connectivity.convolution.kernel)) if average else weight


def _source_shape(
    projection: Fields, name: str, dimensions: int, source: Neurons | None, report: Report
) -> tuple[int, ...] | None:
    """The shape of the source; reports one that a convolution of these dimensions cannot read."""
    if source is None or source.fields is None or source.fields.lost("shape", "size"):
        return None
    if source.shape is not None and len(source.shape) == dimensions + 1:
        return source.shape
    if source.shape is None and (source.size is None or source.fields.given("shape")):
        return None
    given = f"size {source.size}" if source.shape is None else f"shape {list(source.shape)}"
    report.add(
        "BC840",
        projection.nodes["from"],
        f"{projection.label}: {name} needs a source with a shape of {dimensions + 1} numbers",
        required=f"shape: {_SHAPES[dimensions]} of '{source.name}'",
        given=given,
    )
    return None


def _numbers(
    fields: Fields, key: str, dimensions: int, default: tuple[int, ...] | None = None
) -> tuple[int, ...] | None:
    """A number for each dimension; None where these could not be read."""
    if not fields.given(key):
        return default
    written = fields.values.get(key)
    if isinstance(written, int):
        return (written,) * dimensions
    if not isinstance(written, Items) or not written.complete:
        return None
    return tuple(number for _, number, _ in written.of(int))


def _is_right(
    it: Convolution,
    projection: Fields,
    fields: Fields,
    source: Neurons,
    target: Neurons | None,
    report: Report,
) -> bool:
    """Whether the kernel fits the source and the result the target; reports where not."""
    shape = f"'{source.name}' of shape {list(it.source)}"
    if it.source[0] % it.groups or it.channels % it.groups:
        report.add(
            "BC841",
            fields.nodes["groups"],
            f"{projection.label}: the channels do not fall into {it.groups} groups",
            required=f"a divisor of {it.source[0]} and of {it.channels}, the channels of source and target",
            given=str(it.groups),
        )
        return False
    for axis, places in zip(it.axes, _PLACES[len(it.kernel)], strict=True):
        if axis.padding >= axis.extent:
            report.add(
                "BC842",
                fields.nodes["padding"],
                f"{projection.label}: neurons would read nothing but the padding of {axis.padding} {places}",
                required=f"at most {axis.extent - 1}: the kernel spans {axis.extent} {places}",
            )
            return False
        if axis.target < 1:
            report.add(
                "BC842",
                fields.nodes["kernel"],
                f"{projection.label}: the kernel is larger than its source",
                required=f"at most {axis.size + 2 * axis.padding} {places}: {shape}, and its padding",
                given=f"{axis.extent} {places}",
            )
            return False
    problem = it.problem()
    if problem:
        report.add("BC842", fields.at, f"{projection.label} has {problem}", required="a smaller convolution")
        return False
    if target is None or target.size is None:
        return True
    given = target.shape or (target.size,)
    if given != it.target and (target.shape is not None or target.size != prod(it.target)):
        report.add(
            "BC841",
            projection.nodes["to"],
            f"{projection.label} does not end on the shape of '{target.name}'",
            required=f"shape: {list(it.target)}, from {shape}",
            given=f"shape: {list(given)}" if target.shape is not None else f"size: {target.size}",
        )
        return False
    return True


def _ranges(places: NDArray[np.int64]) -> str:
    """Numbers as people write them: 3, 5 to 7."""
    parts = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    texts = [f"{part[0]}" if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in parts]
    return ", ".join(texts[:4]) + (f" and {len(texts) - 4} more" if len(texts) > 4 else "")


def _warn_of_unread(
    it: Convolution, projection: Fields, fields: Fields, source: Neurons, report: Report
) -> None:
    for axis, places in zip(it.axes, _PLACES[len(it.kernel)], strict=True):
        unread = axis.unread
        share = f"{unread.size} of the {axis.size} {places} of '{source.name}'"
        if unread.size:
            report.add(
                "BC843",
                fields.nodes["stride" if fields.given("stride") else "kernel"],
                f"{projection.label} leaves {share} unread",
                required="a stride and a padding that reach all",
                given=f"not read, counted from 0: {_ranges(unread)}",
                severity="warning",
            )


def _check_shared(projection: Fields, report: Report) -> None:
    """Report what weights that are shared cannot be."""
    if projection.given("learn"):
        report.add(
            "BC844",
            projection.nodes["learn"],
            f"{projection.name_of('learn')}: weights that are shared cannot learn",
            required="fixed weights: no public text says that a chip changes shared ones",
            hint="shared: no, in conv1d or conv2d, gives each synapse a weight of its own, which learns",
        )
    if projection.get("autapses", str) in ("no", "false"):
        report.add(
            "BC844",
            projection.nodes["autapses"],
            f"{projection.label} shares its weights, so that no synapse can be left out",
            required="autapses: yes",
            hint="shared: no, in conv1d or conv2d, leaves them out",
        )
    if isinstance(projection.values.get("delay"), Fields):
        report.add(
            "BC844",
            projection.nodes["delay"],
            f"{projection.name_of('delay')} is drawn, but synapses that share weights have one delay",
            required="one delay, such as 2 ms",
        )

"""The neurocores that a program takes: what lies on each, how full it is, and what they send each other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Patch, Rectangle
from numpy.typing import NDArray

from burstchip.report.style import AXIS, INK, POPULATIONS, SOFT, Picture, new_figure, picture
from compiler.ir.chip_program import ProjectionCode
from compiler.ir.partitioned import Neurocore, Partition

#: So many neurocores have their numbers written on them, and so many arrows are drawn, the strongest.
_NAMED, _ARROWS = 64, 40
#: The side of a neurocore where the distance between two is 1.
_SIDE = 0.72


@dataclass(frozen=True)
class Flow:
    """How many axons of one neurocore end on another."""

    source: int
    target: int
    axons: int


def fill(core: Neurocore, partition: Partition) -> tuple[str, float]:
    """The limit that a neurocore is nearest to, and the share that it uses of it."""
    shares = {name: used / partition.chip[name].value for name, used in core.used.items()}
    name = max(shares, key=lambda it: shares[it])
    return name, shares[name]


def flows(partition: Partition) -> tuple[Flow, ...]:
    """The axons between neurocores that are not the same, in order; those of the host are none."""
    core_of = _cores(partition)
    total = len(partition.cores)
    counted: NDArray[np.int64] = np.zeros((total, total), dtype=np.int64)
    for it in partition.code.projections:
        source, target = core_of[it.source], core_of[it.target]
        if not total or np.all(source < 0):
            continue
        pre, post = _pairs(it)
        # One axon for each neuron and neurocore that it reaches.
        ends = np.unique(pre.astype(np.int64) * total + target[post])
        np.add.at(counted, (source[ends // total], ends % total), 1)
    np.fill_diagonal(counted, 0)
    return tuple(Flow(int(a), int(b), int(counted[a, b])) for a, b in np.argwhere(counted))


def _cores(partition: Partition) -> Mapping[str, NDArray[np.int64]]:
    """The neurocore of each neuron by population, -1 with the host."""
    found = {it.name: np.full(it.size, -1, dtype=np.int64) for it in partition.code.populations}
    for core in partition.cores:
        for piece in core.pieces:
            found[piece.population][piece.neurons] = core.number
    return found


def _pairs(it: ProjectionCode) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if not it.dense:
        return it.pre.astype(np.int64), it.post.astype(np.int64)
    n_post, n_pre = it.weights.shape
    post, pre = np.divmod(np.arange(n_pre * n_post), n_pre)
    return pre, post


def places(partition: Partition) -> list[tuple[int, int]]:
    """(column, row) of each neurocore: its tile's, and within that, in a square, in order of the numbers."""
    side = math.ceil(math.sqrt(partition.chip["tile_neurocores"].value))
    taken: Counter[tuple[int, int]] = Counter()
    found = []
    for core in partition.cores:
        down, right = divmod(taken[core.tile], side)
        taken[core.tile] += 1
        found.append((core.tile[0] * side + right, core.tile[1] * side + down))
    return found


def draw_core_map(partition: Partition) -> Picture:
    """Squares that fill up from below, in the colours of their populations, and arrows between them."""
    where, sent = places(partition), flows(partition)
    columns = [column for column, _ in where] or [0]
    rows = [row for _, row in where] or [0]
    wide, high = max(columns) - min(columns) + 1, max(rows) - min(rows) + 1
    # One neurocore alone would fill the page.
    figure = new_figure(8.6, min(9.0, 0.7 + 8.2 * high / max(wide, 5)))
    axes = figure.subplots()
    names = [it.name for it in partition.code.populations if not it.is_source]
    colours = {name: POPULATIONS[k % len(POPULATIONS)] for k, name in enumerate(names)}
    for core, place in zip(partition.cores, where, strict=True):
        _draw_core(axes, core, place, partition, colours)
    drawn = sorted(sent, key=lambda it: (-it.axons, it.source, it.target))[:_ARROWS]
    most = max((it.axons for it in drawn), default=1)
    for it in drawn:
        _draw_arrow(axes, where[it.source], where[it.target], it.axons / most)
    middle, half = (min(columns) + max(columns)) / 2, max(wide, 5) / 2 + 0.1
    axes.set(xlim=(middle - half, middle + half), ylim=(max(rows) + 0.5, min(rows) - 0.5), aspect="equal")
    axes.axis("off")
    if len(names) <= 12:
        axes.legend(
            handles=[Patch(color=colours[name], label=name) for name in names],
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            ncols=min(4, max(1, len(names))),
        )
    fullest = max(partition.cores, key=lambda it: fill(it, partition)[1], default=None)
    said = "none" if fullest is None else _said(fullest, partition)
    some = f" The strongest {len(drawn)} of {len(sent):,}." if len(drawn) < len(sent) else ""
    return picture(
        figure,
        "core_map",
        "Neurocores",
        "Each square is a neurocore, as full as the limit that it is nearest to; colours share it by "
        f"compartments. Those of one tile stand together. "
        f"Arrows: axons from one to another, thicker where there are more.{some}",
        f"{len(partition.cores)} neurocores. The fullest: {said}.",
    )


def _said(core: Neurocore, partition: Partition) -> str:
    name, share = fill(core, partition)
    return f"number {core.number}, {100 * share:.0f} % of {name.replace('_', ' ')}"


def _draw_core(
    axes: Axes, core: Neurocore, place: tuple[int, int], partition: Partition, colours: Mapping[str, str]
) -> None:
    left, top = place[0] - _SIDE / 2, place[1] - _SIDE / 2
    _, share = fill(core, partition)
    height = _SIDE * min(share, 1.0)
    ports = {it.name: max(1, len(it.ports)) for it in partition.code.populations}
    sizes = [piece.neurons.size * ports[piece.population] for piece in core.pieces]
    at = left
    for piece, size in zip(core.pieces, sizes, strict=True):
        width = _SIDE * size / sum(sizes)
        bottom = top + _SIDE - height
        axes.add_patch(
            Rectangle((at, bottom), width, height, facecolor=colours[piece.population], linewidth=0)
        )
        at += width
    axes.add_patch(Rectangle((left, top), _SIDE, _SIDE, fill=False, edgecolor=AXIS, linewidth=0.9))
    if len(partition.cores) <= _NAMED:
        axes.text(place[0], top + 0.05, f"{core.number}", ha="center", va="top", fontsize=8, color=INK)
        axes.text(
            place[0], top - 0.02, f"{100 * share:.0f} %", ha="center", va="bottom", fontsize=7, color=SOFT
        )


def _draw_arrow(axes: Axes, start: tuple[int, int], end: tuple[int, int], share: float) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            connectionstyle="arc3,rad=0.18",
            arrowstyle="-|>",
            mutation_scale=6,
            shrinkA=4,
            shrinkB=4,
            linewidth=0.3 + 1.5 * share,
            color=INK,
            alpha=0.4,
        )
    )

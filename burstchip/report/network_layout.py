"""Where the boxes and lines of a network's drawing are: populations in rows, one lane for each projection.

Rows follow the way of the signals from the sources down. A line leaves the lower edge of its source, runs in
a lane of its own below that row and, where the next row is not its target's, in a lane at the right to the
row above its target; so no two lines lie on each other, and any number of them stays legible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Sizes in the drawing's units, of which a line of text is 13 high.
BOX_WIDTH, BOX_HEIGHT, SIDE, GAP, LANE, MARGIN = 164.0, 74.0, 10.0, 28.0, 17.0, 8.0

#: Boxes in a row; more become rows of their own, since a phone is narrow.
ACROSS = 2


@dataclass(frozen=True)
class Edge:
    """A projection: from an output of a population to a port of one."""

    source: str
    output: str
    target: str
    port: str


@dataclass(frozen=True)
class Box:
    """A population's place: left and upper edge, and the middle of each port above and output below."""

    left: float
    top: float
    ports: Mapping[str, float]
    outputs: Mapping[str, float]


@dataclass(frozen=True)
class Layout:
    """Boxes by population; for each edge the corners of its line, and where its number stands."""

    width: float
    height: float
    boxes: Mapping[str, Box]
    lines: tuple[tuple[tuple[float, float], ...], ...]
    marks: tuple[tuple[float, float], ...]


def rows_of(populations: Sequence[str], edges: Sequence[Edge]) -> list[list[str]]:
    """Populations by their distance from those without input, in their order; loops count once."""
    level = dict.fromkeys(populations, 0)
    order = {name: place for place, name in enumerate(populations)}
    onward = {(e.source, e.target) for e in edges if e.source != e.target}
    onward -= _back(populations, onward)
    # Without the edges that close a circle the longest way has fewer steps than there are populations.
    for _ in populations:
        raised = {target: level[source] + 1 for source, target in onward if level[target] <= level[source]}
        if not raised:
            break
        for source, target in onward:
            level[target] = max(level[target], level[source] + 1)
    rows: list[list[str]] = []
    for depth in sorted(set(level.values())):
        names = sorted((name for name in populations if level[name] == depth), key=order.__getitem__)
        rows += [names[first : first + ACROSS] for first in range(0, len(names), ACROSS)]
    return rows


def _back(populations: Sequence[str], onward: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The edges that lead back to where a walk in the populations' order came from."""
    following: dict[str, list[str]] = {name: [] for name in populations}
    for source, target in sorted(onward, key=lambda e: (populations.index(e[0]), populations.index(e[1]))):
        following[source].append(target)
    entered = {target for _, target in onward}
    begins = [name for name in populations if name not in entered]
    done: set[str] = set()
    found: set[tuple[str, str]] = set()
    for begin in (*begins, *populations):
        if begin in done:
            continue
        way, open_ = [(begin, iter(following[begin]))], {begin}
        while way:
            name, rest = way[-1]
            target = next(rest, "")
            if not target:
                way.pop()
                open_.discard(name)
                done.add(name)
            elif target in open_:
                found.add((name, target))
            elif target not in done:
                open_.add(target)
                way.append((target, iter(following[target])))
    return found


def lay_out(
    populations: Sequence[str],
    ports: Mapping[str, Sequence[str]],
    outputs: Mapping[str, Sequence[str]],
    edges: Sequence[Edge],
) -> Layout:
    """The drawing of these populations, with the `ports` and used `outputs` of each."""
    rows = rows_of(populations, edges)
    row_of = {name: index for index, names in enumerate(rows) for name in names}
    # Channel k is above row k; a line runs in that below its source and in that above its target.
    lanes: list[list[tuple[int, str]]] = [[] for _ in range(len(rows) + 1)]
    spans: dict[int, tuple[int, int]] = {}
    for number, edge in enumerate(edges):
        leaves, enters = row_of[edge.source] + 1, row_of[edge.target]
        lanes[leaves].append((number, "leaves"))
        if leaves != enters:
            lanes[enters].append((number, "enters"))
            spans[number] = (min(leaves, enters), max(leaves, enters))
    sides = _side_lanes(spans)
    inner = ACROSS * BOX_WIDTH + (ACROSS - 1) * GAP if any(len(names) > 1 for names in rows) else BOX_WIDTH
    boxes, channel = {}, []
    y = MARGIN
    for index, names in enumerate(rows):
        channel.append(y)
        y += LANE * len(lanes[index]) + (SIDE if lanes[index] else 0.0) + (GAP / 2 if index else 0.0)
        left = MARGIN + (inner - len(names) * BOX_WIDTH - (len(names) - 1) * GAP) / 2
        for name in names:
            boxes[name] = Box(left, y, _spread(left, ports[name]), _spread(left, outputs[name]))
            left += BOX_WIDTH + GAP
        y += BOX_HEIGHT
    channel.append(y)
    y += LANE * len(lanes[-1]) + (SIDE if lanes[-1] else 0.0)
    place = {
        (number, what): channel[index] + SIDE + LANE * lane
        for index, found in enumerate(lanes)
        for lane, (number, what) in enumerate(found)
    }
    right = MARGIN + inner + SIDE
    ends = _ends(boxes, edges)
    lines: list[tuple[tuple[float, float], ...]] = []
    marks: list[tuple[float, float]] = []
    for number, edge in enumerate(edges):
        (x0, x1), lane = ends[number], place[number, "leaves"]
        bottom, top = boxes[edge.source].top + BOX_HEIGHT, boxes[edge.target].top
        if number in sides:
            side, entering = right + LANE * 0.6 * sides[number], place[number, "enters"]
            lines.append(
                ((x0, bottom), (x0, lane), (side, lane), (side, entering), (x1, entering), (x1, top))
            )
            marks.append(((x0 + side) / 2, lane))
        else:
            lines.append(((x0, bottom), (x0, lane), (x1, lane), (x1, top)))
            marks.append(((x0 + x1) / 2, lane))
    width = right + LANE * 0.6 * (1 + max(sides.values(), default=-1)) + MARGIN
    return Layout(width, y + MARGIN, boxes, tuple(lines), tuple(marks))


def _side_lanes(spans: Mapping[int, tuple[int, int]]) -> dict[int, int]:
    """A lane at the right for each line, from and to these channels; short lines are the inner ones."""
    lanes: list[list[tuple[int, int]]] = []
    found = {}
    for number, (first, last) in sorted(spans.items(), key=lambda item: (item[1][1] - item[1][0], item[0])):
        free = (k for k, taken in enumerate(lanes) if all(last < a or b < first for a, b in taken))
        lane = next(free, len(lanes))
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((first, last))
        found[number] = lane
    return found


def _spread(left: float, names: Sequence[str]) -> dict[str, float]:
    return {name: left + BOX_WIDTH * (place + 0.5) / len(names) for place, name in enumerate(names)}


def _ends(boxes: Mapping[str, Box], edges: Sequence[Edge]) -> list[tuple[float, float]]:
    """Where each line leaves and enters: side by side at the output and the port."""
    at: dict[tuple[str, str, str], list[int]] = {}
    for number, edge in enumerate(edges):
        at.setdefault(("from", edge.source, edge.output), []).append(number)
        at.setdefault(("to", edge.target, edge.port), []).append(number)

    def x(kind: str, name: str, end: str, number: int) -> float:
        box, together = boxes[name], at[kind, name, end]
        slots = box.outputs if kind == "from" else box.ports
        room = 0.8 * BOX_WIDTH / len(slots)
        step = min(12.0, room / len(together))
        return slots[end] + step * (together.index(number) - (len(together) - 1) / 2)

    return [
        (x("from", e.source, e.output, number), x("to", e.target, e.port, number))
        for number, e in enumerate(edges)
    ]

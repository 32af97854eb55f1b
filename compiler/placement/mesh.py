"""What messages load the links between tiles, and where neurocores lie so that they load them little.

A chip is a mesh of tiles with some neurocores each; several chips continue the mesh in their rows, which is
assumed. A message goes along its row first and then along a column, and one axon's messages to several
neurocores share the links that they have in common. Inside a tile no link is used; messages of the host are
not counted, since where it sends them into the mesh is not public.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from compiler.placement.bisection import row_order
from compiler.placement.needs import Needs
from hw_models.chips.chip import Chip

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Exchanges whose load is calculated, and their work: axons times neurocores and columns.
_TRIALS = 2_000
_WORK = 60_000_000
#: Neurocores squared times exchanges that only shorten ways.
_EXCHANGES = 8_000_000


@dataclass(frozen=True)
class Nets:
    """Axons by what they join: each row sends `rate` messages from `sender` to all in `reaches[row]`."""

    sender: Indices
    reaches: Flags
    rate: Indices

    @cached_property
    def pairs(self) -> tuple[Indices, Indices]:
        """(row, neurocore) of all that is reached."""
        row, core = np.nonzero(self.reaches)
        return row, core

    def between(self) -> Indices:
        """Messages a step from each neurocore to each other one."""
        size = self.reaches.shape[1]
        found = np.zeros((size, size), dtype=np.int64)
        row, core = self.pairs
        np.add.at(found, (self.sender[row], core), self.rate[row])
        np.fill_diagonal(found, 0)
        return found


@dataclass(frozen=True)
class Load:
    """Messages a step on the busiest link, and on all links together."""

    busiest: int
    traffic: int

    @property
    def score(self) -> int:
        """What tiles are chosen by: as large a share of the busiest link's load as of all traffic."""
        return self.busiest * self.traffic


@dataclass(frozen=True)
class Mesh:
    """Tiles in columns and rows, each with `slots` neurocores."""

    columns: int
    rows: int
    slots: int

    def tiles(self, order: str = "rows") -> Indices:
        """(column, row) of each slot: row by row, or along a Hilbert curve, where near slots are near."""
        if order == "rows":
            row, column = np.divmod(np.arange(self.columns * self.rows), self.columns)
            tiles = np.stack([column, row], axis=1)
        else:
            tiles = np.array(sorted(np.ndindex(self.columns, self.rows), key=lambda t: _hilbert(*t)))
        return np.repeat(tiles.astype(np.int64), self.slots, axis=0)


def mesh(chip: Chip, neurocores: int) -> Mesh:
    """The mesh of as many chips as hold the neurocores."""
    chips = max(1, -(-neurocores // chip["neurocores"].value))
    return Mesh(chip["mesh_columns"].value * chips, chip["mesh_rows"].value, chip["tile_neurocores"].value)


def _hilbert(column: int, row: int) -> tuple[int, int]:
    """Where a tile comes on a curve through blocks of 4 x 4 tiles, one after another."""
    x, y, place = column % 4, row % 4, 0
    for side in (2, 1):
        right, up = int(x & side > 0), int(y & side > 0)
        place += side * side * ((3 * right) ^ up)
        if up == 0:
            if right:
                x, y = 3 - x, 3 - y
            x, y = y, x
    return (row // 4) * 1_000_000 + column // 4, place


def nets(needs: Needs, parts: list[Indices]) -> Nets:
    """The axons of all neurons, once each kind: those of one neurocore that reach the same ones are added."""
    home = np.zeros(needs.size, dtype=np.int64)
    for number, part in enumerate(parts):
        home[part] = number
    reached: dict[str, list[tuple[int, Indices]]] = {}
    for number, part in enumerate(parts):
        for projection, _, heard, _ in needs.lists(needs.pieces(np.sort(part))):
            reached.setdefault(projection.name, []).append((number, heard))
    senders, reaches, rates = [], [np.zeros((0, len(parts)), dtype=bool)], []
    for projection in needs.projections:
        if projection.source not in needs.first or projection.name not in reached:
            continue
        size = needs.into[projection.name].sources
        grid = np.zeros((size, len(parts)), dtype=bool)
        for number, heard in reached[projection.name]:
            grid[heard, number] = True
        first = needs.first[projection.source]
        senders.append(home[first : first + size])
        reaches.append(grid)
        rates.append(needs.rates[projection.source])
    none = np.zeros(0, dtype=np.int64)
    return _added(np.concatenate([none, *senders]), np.concatenate(reaches), np.concatenate([none, *rates]))


def _added(sender: Indices, reaches: Flags, rate: Indices) -> Nets:
    """Rows that are alike as one, and none that stays inside its neurocore."""
    away = reaches.copy()
    away[np.arange(sender.size), sender] = False
    sending = away.any(axis=1) & (rate > 0)
    sender, away, rate = sender[sending], away[sending], rate[sending]
    if sender.size == 0:
        return Nets(sender, away, rate)
    bits = np.packbits(away, axis=1)
    keys = np.concatenate([sender.astype(">u4").view(np.uint8).reshape(-1, 4), bits], axis=1)
    rows = np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1]))).reshape(-1)
    _, first, which = np.unique(rows, return_index=True, return_inverse=True)
    total = np.zeros(first.size, dtype=np.int64)
    np.add.at(total, which.reshape(-1), rate)
    return Nets(sender[first], away[first], total)


def link_load(given: Nets, tiles: Indices, shape: Mesh) -> Load:
    """The load of the links when neurocore k lies at `tiles[k]`."""
    links = link_loads(given, tiles, shape)
    return Load(max(int(it.max(initial=0)) for it in links), sum(int(it.sum()) for it in links))


def link_loads(given: Nets, tiles: Indices, shape: Mesh) -> tuple[Indices, Indices, Indices, Indices]:
    """Messages a step on the links to the right and to the left [row, column], down and up [column, row].

    The link k of a row or column lies between tiles k and k + 1.
    """
    columns, rows = shape.columns, shape.rows
    right, left = (np.zeros((rows, columns + 1), dtype=np.int64) for _ in range(2))
    down, up = (np.zeros((columns, rows + 1), dtype=np.int64) for _ in range(2))
    x, y = tiles[given.sender].T
    rate = given.rate
    reached = np.zeros((rate.size, columns, rows), dtype=bool)
    row, core = given.pairs
    reached.reshape(-1)[row * (columns * rows) + (tiles[:, 0] * rows + tiles[:, 1])[core]] = True
    entered = reached.any(axis=2)
    furthest = np.where(entered, np.arange(columns), -1).max(axis=1)
    nearest = np.where(entered, np.arange(columns), columns).min(axis=1)
    _add(right, y, x, np.maximum(furthest, x), rate)
    _add(left, y, np.minimum(nearest, x), x, rate)
    axon, column = np.nonzero(entered)
    # The furthest row that each axon reaches in each column, downwards and upwards of its own.
    inside = reached[axon, column]
    lowest, highest = rows - 1 - np.argmax(inside[:, ::-1], axis=1), np.argmax(inside, axis=1)
    _add(down, column, y[axon], np.maximum(lowest, y[axon]), rate[axon])
    _add(up, column, np.minimum(highest, y[axon]), y[axon], rate[axon])
    right, left, down, up = (np.cumsum(it, axis=1)[:, :-1] for it in (right, left, down, up))
    return right, left, down, up


def _add(changes: Indices, line: Indices, first: Indices, last: Indices, rate: Indices) -> None:
    """Count `rate` on the links first..last - 1 of a line, as changes from link to link."""
    np.add.at(changes, (line, first), rate)
    np.add.at(changes, (line, last), -rate)


def place(given: Nets, shape: Mesh, neurocores: int) -> Indices:
    """The tile of each neurocore: of several ways the one with the least busiest link, then least traffic."""
    size = len(shape.tiles())
    messages = given.between()
    full = -(-neurocores // shape.slots)
    joined = np.argsort(row_order(messages + messages.T, np.ones(neurocores, dtype=np.int64), full))
    found = []
    for order in ("rows", "hilbert"):
        tiles = shape.tiles(order)
        for slots in (np.arange(neurocores), joined):
            found.append(tiles[slots])
            found.append(tiles[_exchanged(messages, tiles, slots, size)])
    loads = [link_load(given, tiles, shape) for tiles in found]
    ranked = sorted(range(len(found)), key=lambda k: (loads[k].score, k))
    kept = list(dict.fromkeys([ranked[0], min(ranked, key=lambda k: loads[k].traffic)]))
    ended = [_climbed(given, found[k], shape, loads[k]) for k in kept]
    return min(ended, key=lambda it: it[1].score)[0]


def _climbed(given: Nets, tiles: Indices, shape: Mesh, load: Load) -> tuple[Indices, Load]:
    """Tiles after exchanges of two neurocores, or moves to a free slot, each of which lessens the load."""
    count = len(tiles)
    work = max(1, given.rate.size * (count + 2 * shape.columns))
    left = min(_TRIALS, _WORK // work)
    spread = np.unique(shape.tiles(), axis=0)
    changed = True
    while changed and left > 0:
        changed = False
        for core in range(count):
            targets = [tuple(tile) for tile in spread.tolist() if tile != tiles[core].tolist()]
            others = {tile: np.flatnonzero((tiles == tile).all(axis=1)) for tile in targets}
            for tile in targets:
                near = np.abs(tiles - np.array(tile)).sum(axis=1).min() <= 1
                swaps = others[tile].tolist() + ([-1] if near and others[tile].size < shape.slots else [])
                for other in swaps:
                    if left <= 0:
                        return tiles, load
                    left -= 1
                    trial = tiles.copy()
                    trial[core] = tile
                    if other >= 0:
                        trial[other] = tiles[core]
                    found = link_load(given, trial, shape)
                    if found.score < load.score:
                        tiles, load, changed = trial, found, True
                        break
                else:
                    continue
                break
    return tiles, load


def _product(a: Indices, b: Indices) -> Indices:
    """a @ b, of numbers from 0 on; in real numbers where these hold every sum exactly, which is faster."""
    if float(a.max(initial=0)) * float(b.max(initial=0)) * len(b) < 2.0**53:
        return np.asarray(np.rint(a.astype(np.float64) @ b.astype(np.float64)), dtype=np.int64)
    return np.asarray(a @ b)


def _exchanged(messages: Indices, tiles: Indices, slots: Indices, size: int) -> Indices:
    """The slots after exchanges, or moves to empty slots, each of which shortens the messages' ways most."""
    if slots.size < 2:
        return slots
    distance = np.abs(tiles[:, None, :] - tiles[None, :, :]).sum(axis=2)
    flow = np.zeros((size, size), dtype=np.int64)
    flow[: slots.size, : slots.size] = messages + messages.T
    at = np.concatenate([slots, np.setdiff1d(np.arange(size), slots)])
    near = distance[np.ix_(at, at)]
    here = _product(flow, near)  # the cost of each neurocore at the slot of each other
    for _ in range(max(20, _EXCHANGES // (size * size))):
        own = np.diagonal(here)
        loss = here - own[:, None]
        change = loss + loss.T + 2 * flow * near
        one, two = np.unravel_index(int(np.argmin(change)), change.shape)
        if change[one, two] >= 0:
            break
        here += np.outer(flow[:, one] - flow[:, two], near[two] - near[one])
        at[[one, two]] = at[[two, one]]
        here[:, [one, two]] = here[:, [two, one]]
        near[:, [one, two]] = near[:, [two, one]]
        near[[one, two]] = near[[two, one]]
    return np.asarray(at[: slots.size])

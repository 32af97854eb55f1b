"""Loads of links against routes that are walked tile by tile, and tiles that shorten ways."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from compiler.placement.mesh import Mesh, Nets, link_load, place


def walked(given: Nets, tiles: np.ndarray) -> Counter[tuple[tuple[int, int], tuple[int, int]]]:
    """Messages on each link: each axon's routes, along the row and then the column, as one set of links."""
    load: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
    for sender, reaches, rate in zip(given.sender, given.reaches, given.rate, strict=True):
        links = set()
        for target in np.flatnonzero(reaches):
            at, to = tiles[sender].tolist(), tiles[target].tolist()
            for axis in (0, 1):
                while at[axis] != to[axis]:
                    before = tuple(at)
                    at[axis] += 1 if to[axis] > at[axis] else -1
                    links.add((before, tuple(at)))
        load.update(dict.fromkeys(links, int(rate)))
    return load


def drawn(seed: int, neurocores: int) -> tuple[Nets, Mesh, np.ndarray]:
    draw = np.random.default_rng(seed)
    shape = Mesh(4, 3, 2)
    sender = draw.integers(0, neurocores, 30)
    reaches = draw.random((30, neurocores)) < 0.3
    reaches[np.arange(30), sender] = False
    tiles = draw.permutation(shape.tiles())[:neurocores]
    return Nets(sender, reaches, draw.integers(1, 9, 30)), shape, tiles


@pytest.mark.parametrize("seed", range(10))
def test_the_load_is_that_of_walked_routes(seed: int) -> None:
    given, shape, tiles = drawn(seed, 9)
    load, by_link = link_load(given, tiles, shape), walked(given, tiles)
    assert (load.busiest, load.traffic) == (max(by_link.values()), sum(by_link.values()))


def test_neurocores_that_talk_to_each_other_come_near() -> None:
    shape = Mesh(8, 4, 1)
    # A chain whose links are listed in a shuffled order: neurocore order[k] sends to order[k + 1].
    order = np.random.default_rng(0).permutation(12)
    reaches = np.zeros((11, 12), dtype=bool)
    reaches[np.arange(11), order[1:]] = True
    given = Nets(order[:-1], reaches, np.ones(11, dtype=np.int64))
    found = place(given, shape, 12)
    assert len(np.unique(found, axis=0)) == 12
    # No placement uses fewer than one link for each of the eleven.
    assert link_load(given, found, shape).traffic <= 13 < link_load(given, shape.tiles()[:12], shape).traffic


def test_every_tile_has_its_slots_in_either_order() -> None:
    for name in ("rows", "hilbert"):
        tiles, counts = np.unique(Mesh(8, 4, 4).tiles(name), axis=0, return_counts=True)
        assert len(tiles) == 32 and set(counts.tolist()) == {4}
    curve = Mesh(8, 4, 1).tiles("hilbert")
    assert np.all(np.abs(np.diff(curve, axis=0)).sum(axis=1) == 1)

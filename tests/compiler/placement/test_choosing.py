"""What is connected lies together, however its neurons are listed, and always in the same way."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.placement_networks import clusters, population, program, recurrent, ring, sparse, uniform
from compiler.ir.text import as_text
from compiler.ir.verify_placement import placement_faults
from compiler.passes.partition import partition
from compiler.placement.choosing import best, in_order
from compiler.placement.mesh import link_load, mesh, nets
from compiler.placement.needs import needs
from hw_models.chips.reading import chip

ROOT = Path(__file__).parents[3]
SCRIPT = """
import hashlib
from benchmarks.placement_networks import recurrent, ring
from compiler.ir.text import as_text
from compiler.passes.partition import partition
code = recurrent("ring", 1200, *ring(1200, 160), shuffled=3)
placed = partition(code)
neurons = b"".join(piece.neurons.tobytes() for core in placed.cores for piece in core.pieces)
print(hashlib.sha256(as_text(placed).encode() + neurons).hexdigest())
"""


def test_shuffled_groups_are_found_again() -> None:
    pre, post = clusters(30, 150, 90, 0)
    listed, shuffled = (partition(recurrent("c", 4500, pre, post, shuffled=s)) for s in (None, 1))
    assert placement_faults(listed) == placement_faults(shuffled) == []
    assert len(shuffled.cores) <= len(listed.cores) * 1.05
    assert shuffled.measures.remote <= 1.05 * listed.measures.remote
    plain = in_order(needs(shuffled.code, chip("loihi2")))
    assert shuffled.measures.traffic <= 0.7 * plain.traffic
    assert shuffled.measures.busiest_link <= 0.7 * plain.busiest


def test_small_populations_share_neurocores() -> None:
    cells = [population(f"p{k}", "lif", 30) for k in range(12)]
    joined = [sparse(a, b, *uniform(30, 30, 5, k)) for k, (a, b) in enumerate(pairwise(cells))]
    placed = partition(program("chain", cells, joined))
    assert len(placed.cores) == 1 == placed.measures.least_neurocores
    assert len(in_order(needs(placed.code, chip("loihi2"))).parts) == 12


def test_messages_that_are_often_sent_stay_at_home() -> None:
    """Each neuron has connections of two kinds; the rates say which of them matter."""
    pre, post = ring(600, 300)
    draw = np.random.default_rng(0)
    code = recurrent("r", 600, pre, post, shuffled=2)
    rates = {"cells": draw.integers(0, 50, 600)}
    weighted = partition(code, rates=rates)
    counts = needs(code, chip("loihi2"), rates)
    parts = [np.concatenate([piece.neurons for piece in core.pieces]) for core in weighted.cores]
    given = nets(counts, parts)
    tiles = np.array([core.tile for core in weighted.cores])
    load = link_load(given, tiles, mesh(counts.chip, len(parts)))
    assert (load.busiest, load.traffic) == (weighted.measures.busiest_link, weighted.measures.traffic)
    assert placement_faults(weighted) == []


def test_the_busiest_neurocore_counts_before_traffic() -> None:
    code = recurrent("r", 200, *ring(200, 20))
    one = in_order(needs(code, chip("loihi2")))
    busy = type(one)("busy", one.parts, one.output_axons, one.tiles, one.read * 2, 0, 0, 0)
    assert best([busy, one]) is one


@pytest.mark.parametrize("hash_seed", ["7"])
def test_the_same_bytes_whatever_the_hash_seed_and_the_threads(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": "1"}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    placed = partition(recurrent("ring", 1200, *ring(1200, 160), shuffled=3))
    assert placed.measures.order == "joined"
    neurons = b"".join(piece.neurons.tobytes() for core in placed.cores for piece in core.pieces)
    assert done.stdout.strip() == hashlib.sha256(as_text(placed).encode() + neurons).hexdigest()

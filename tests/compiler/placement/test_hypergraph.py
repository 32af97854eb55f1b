"""What mtkahypar is asked to cut, that its order is packed under every limit, and what is said without it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.placement_networks import clusters, recurrent
from compiler.ir.text import as_text
from compiler.ir.verify_placement import placement_faults
from compiler.passes.partition import partition
from compiler.placement.hypergraph import _library, hyperedges
from compiler.placement.needs import needs
from hw_models.chips.reading import chip
from hw_models.diagnostics import BurstchipError


def test_an_axon_is_its_neuron_and_all_that_it_reaches(make: Any) -> None:
    code = make.compiled(
        make.population("a", "rate_source", 3, rate=50.0),
        make.population("b", "lif", 4),
        make.population("c", "lif", 2),
        make.projection("a.events", "b.soma", 2.0),
        make.projection("b.events", "c.soma", 2.0),
    )
    rates = {"b": np.array([5, 0, 2, 1])}
    edges, weights = hyperedges(needs(code, chip("loihi2"), rates))
    # Neurons are numbered without sources: b from 0 on, c from 4 on.
    wanted = [([0, 1, 2, 3], 1)] * 3 + [([k, 4, 5], w) for k, w in enumerate((5, 1, 2, 1))]
    assert sorted(zip(edges, weights, strict=True)) == sorted(wanted)


def test_projections_without_synapses_have_no_axons() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert hyperedges(needs(recurrent("n", 3, none, none), chip("loihi2"))) == ([], [])


@pytest.mark.once
def test_its_order_keeps_every_limit_and_is_always_the_same() -> None:
    pytest.importorskip("mtkahypar")
    code = recurrent("c", 4500, *clusters(30, 150, 90, 0), shuffled=1)
    first, again = (partition(code, partitioner="mtkahypar") for _ in range(2))
    assert placement_faults(first) == [] and as_text(first) == as_text(again)
    own = partition(code)
    assert len(first.cores) <= len(own.cores) and first.measures.traffic <= 1.05 * own.measures.traffic


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _library.cache_clear()
    monkeypatch.setitem(sys.modules, "mtkahypar", None)
    code = recurrent("c", 4500, *clusters(30, 150, 90, 0), shuffled=1)
    with pytest.raises(BurstchipError, match="BC391"):
        partition(code, partitioner="mtkahypar")

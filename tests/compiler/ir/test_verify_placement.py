"""The count of a finished placement: nothing wrong with those that the compiler makes, every fault found."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import FixedInDegree, FixedProbability
from compiler.ir.network import TraceSpec
from compiler.ir.partitioned import Neurocore, Partition, Piece
from compiler.ir.values import Uniform
from compiler.ir.verify_placement import placement_faults
from compiler.passes.partition import partition
from hw_models.chips.chip import Chip
from hw_models.chips.reading import chip
from hw_models.diagnostics import BurstchipError

#: How many generated networks are placed.
NETWORKS = int(os.environ.get("BURSTCHIP_PLACEMENTS", "12"))


def smaller(**limits: int) -> Chip:
    """A Loihi 2 with other limits."""
    real = chip("loihi2")
    facts = {name: replace(real[name], values=(value,)) for name, value in limits.items()}
    return replace(real, facts={**real.facts, **facts})


@pytest.fixture(scope="module")
def code(make: Any) -> ChipProgram:
    """Three populations, two programs, dense, sparse and plastic projections, delays."""
    return make.compiled(
        make.population("a", "poisson_source", 9, rate=100.0),
        make.population("b", "burst_unit", 12, bias=50.0),
        make.population("c", "lif", 14),
        make.population("d", "lif", 5),
        make.burst_rule(),
        make.projection("a.events", "b.soma", Uniform(-2.0, 2.0), limit=9.0, learn="rule"),
        make.projection("c.events", "d.soma", Uniform(-2.0, 2.0)),
        make.projection(
            "d.events", "c.soma", Uniform(-2.0, 2.0), Uniform(1.0, 7.0), connectivity=FixedInDegree(2)
        ),
        make.projection("b.events", "b.dendrite", Uniform(-0.1, 0.1), connectivity=FixedProbability(0.4)),
    )


@pytest.fixture(scope="module")
def placed(code: ChipProgram) -> Partition:
    found = partition(code, smaller(compartments=10))
    assert placement_faults(found) == [] and len(found.cores) >= 5
    return found


def core(found: Partition, number: int, **changes: Any) -> Partition:
    """With one neurocore changed."""
    cores = list(found.cores)
    cores[number] = replace(cores[number], **changes)
    return replace(found, cores=tuple(cores))


def piece(found: Partition, number: int, change: Callable[[Piece], Piece]) -> Partition:
    """With the first piece of a neurocore changed."""
    first, *rest = found.cores[number].pieces
    return core(found, number, pieces=(change(first), *rest))


def formed(found: Partition, of: str = "", **changes: Any) -> Partition:
    """With the first sparse format changed, of this projection or of any."""
    for number, it in enumerate(found.cores):
        for name, form in it.formats.items():
            if not form.dense and of in name:
                return core(found, number, formats={**it.formats, name: replace(form, **changes)})
    raise AssertionError


def counted(found: Partition, name: str, by: int) -> Partition:
    """With one use counted wrongly."""
    return core(found, 0, used={**found.cores[0].used, name: found.cores[0].used[name] + by})


def swapped(found: Partition) -> Partition:
    """Neurons of two programs on one neurocore."""
    one = next(it for it in found.cores if it.piece("b"))
    two = next(it for it in found.cores if it.piece("c"))
    moved = core(found, one.number, pieces=two.pieces)
    return core(moved, two.number, pieces=(*one.pieces, *two.pieces[1:]))


def exchanged(found: Partition) -> Partition:
    """Neurons of two neurocores exchanged; what is counted for each stays."""
    two = [it for it in found.cores if it.piece("c")][:2]
    pieces = [it.piece("c") for it in two]
    assert pieces[0] is not None and pieces[1] is not None
    moved = core(found, two[0].number, pieces=(replace(pieces[1], base=0),))
    return core(moved, two[1].number, pieces=(replace(pieces[0], base=0),))


def reversed_formats(it: Neurocore) -> dict[str, Any]:
    return dict(reversed(list(it.formats.items())))


def plastic_first(found: Partition) -> Partition:
    number = next(it.number for it in found.cores if len(it.formats) > 1 and it.piece("b"))
    return core(found, number, formats=reversed_formats(found.cores[number]))


FAULTS: list[tuple[Callable[[Partition], Partition], str]] = [
    (lambda p: replace(p, cores=p.cores[:-1]), "lies on no neurocore"),
    (lambda p: replace(p, cores=(*p.cores, replace(p.cores[0], number=len(p.cores)))), "on two neurocores"),
    (lambda p: replace(p, cores=tuple(replace(it, number=0) for it in p.cores)), "neurocore 1 is numbered 0"),
    (lambda p: piece(p, 0, lambda it: replace(it, neurons=it.neurons[1:])), "lies on no neurocore"),
    (lambda p: piece(p, 0, lambda it: replace(it, neurons=it.neurons + 50)), "neurocore 0 holds neuron"),
    (lambda p: piece(p, 0, lambda it: replace(it, population="x")), "the unknown population x"),
    (lambda p: piece(p, 0, lambda it: replace(it, base=3)), "begins at compartment 3 of neurocore 0, not 0"),
    (lambda p: piece(p, 0, lambda it: replace(it, neurons=it.neurons[::-1])), "out of order"),
    (lambda p: core(p, 0, tile=(8, 0)), "neurocore 0 lies at tile 8, 0 of 8 x 4"),
    (lambda p: core(p, 0, tile=(0, -1)), "neurocore 0 lies at tile 0, -1"),
    (lambda p: replace(p, cores=tuple(replace(it, tile=(0, 0)) for it in p.cores)), "tile 0, 0 has"),
    (lambda p: counted(p, "compartments", 1), "compartments, not"),
    (lambda p: counted(p, "synaptic_memory_bits", -64), "synaptic_memory_bits, not"),
    (lambda p: counted(p, "input_axons", -1), "input_axons, not"),
    (lambda p: counted(p, "output_axons", 1), "output_axons, not"),
    (lambda p: counted(p, "synapse_formats", -1), "synapse_formats, not"),
    (lambda p: counted(p, "fan_in", -1), "fan_in, not"),
    (lambda p: counted(p, "delay_slots", 1), "delay_slots, not"),
    (lambda p: counted(p, "learning_rules", 1), "learning_rules, not"),
    (lambda p: counted(p, "trace_configurations", -1), "trace_configurations, not"),
    (lambda p: formed(p, index_bits=3), "has 3 index bits"),
    (lambda p: formed(p, weight_bits=7), "has 7 weight bits"),
    (lambda p: formed(p, delay_bits=7), "has 7 delay bits"),
    (lambda p: formed(p, "d.events", delay_bits=0), "has delays up to"),
    (lambda p: formed(p, weight_bits=2), "has weights that its format cannot hold"),
    (lambda p: formed(p, weight_exp=3), "counts its weights at 2^3"),
    (lambda p: core(p, 0, formats={}), "has no format for"),
    (lambda p: replace(p, chip=smaller(compartments=9)), "of 9"),
    (lambda p: replace(p, chip=smaller(compartments=10, input_axons=1)), "input_axons, of 1"),
    (lambda p: replace(p, chip=smaller(compartments=10, output_axons=1)), "output_axons, of 1"),
    (lambda p: replace(p, chip=smaller(compartments=10, fan_in=8)), "fan_in, of 8"),
    (lambda p: replace(p, chip=smaller(compartments=10, delay_slots=9)), "delay_slots, of 9"),
    (lambda p: replace(p, chip=smaller(compartments=10, learning_rules=0)), "learning_rules, of 0"),
    (lambda p: replace(p, chip=smaller(compartments=10, trace_configurations=0)), "configurations, of 0"),
    (plastic_first, "plastic lists stand before static ones"),
    (swapped, ""),
    (exchanged, ""),
]


@pytest.mark.parametrize(("change", "expected"), FAULTS)
def test_a_fault_is_found(change: Callable[[Partition], Partition], expected: str, placed: Partition) -> None:
    faults = placement_faults(change(placed))
    assert faults and any(expected in fault for fault in faults), faults


def test_two_programs_and_two_epochs(placed: Partition) -> None:
    one = next(it for it in placed.cores if it.piece("b"))
    two = next(it for it in placed.cores if it.piece("c"))
    base = sum(len(it.neurons) * 2 for it in one.pieces)
    both = (*one.pieces, *(replace(it, base=base) for it in two.pieces))
    rest = tuple(it for it in placed.cores if it.number not in (one.number, two.number))
    cores = (*rest, replace(one, pieces=both))
    numbered = tuple(replace(it, number=number) for number, it in enumerate(cores))
    faults = placement_faults(replace(placed, cores=numbered))
    last = len(numbered) - 1
    assert f"neurocore {last} has more than 1 neuron programs" in faults
    assert f"neurocore {last} has several learning epochs" in faults


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_nothing_is_wrong_with_generated_networks(seed: int, make: Any) -> None:
    draw = np.random.default_rng(seed)
    populations = [make.population("in", "poisson_source", int(draw.integers(1, 8)), rate=100.0)]
    for number in range(int(draw.integers(1, 5))):
        model = ["lif", "burst_unit"][int(draw.integers(2))]
        populations.append(make.population(f"p{number}", model, int(draw.integers(2, 25))))
    projections: list[Any] = []
    rules = [
        make.burst_rule(
            f"r{number}", learning_rate=2.0**-number, traces=(TraceSpec("x1", 9.0 + number % 2, 16.0),)
        )
        for number in range(1, 5)
    ]
    for source in populations:
        for target in populations[1:]:
            kind = int(draw.integers(4))
            if kind == 0:
                continue
            more = [{}, {"connectivity": FixedProbability(0.3)}, {"connectivity": FixedInDegree(1)}][kind - 1]
            ends = f"{source.name}.events", f"{target.name}.soma"
            if target.model == "burst_unit" and draw.integers(3) == 0:
                more = {**more, "limit": 9.0, "learn": f"r{int(draw.integers(1, 5))}"}
            projections.append(
                make.projection(*ends, Uniform(-2.0, 2.0), Uniform(1.0, float(draw.integers(1, 9))), **more)
            )
    code = make.compiled(*populations, *rules, *projections, seed=seed)
    limits = {
        "compartments": int(draw.integers(4, 40)),
        "synaptic_memory_bits": 64 * int(draw.integers(80, 200)),
        "input_axons": int(draw.integers(70, 150)),
        "output_axons": int(draw.integers(40, 100)),
        "delay_slots": int(draw.integers(64, 400)),
        "trace_configurations": int(draw.integers(1, 4)),
        "learning_rules": int(draw.integers(1, 4)),
    }
    try:
        found = partition(code, smaller(**limits))
    except BurstchipError:
        pytest.skip("one neuron alone is too much")
    assert placement_faults(found) == []
    assert found.measures.least_neurocores <= len(found.cores)
    assert found.measures.least_remote <= found.measures.remote

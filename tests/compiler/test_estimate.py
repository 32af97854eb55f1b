"""Estimates against what is counted by hand, synapse by synapse, and against what is published of a chip."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from compiler.estimate.estimate import TERMS, Estimate, Estimating
from compiler.estimate.layout import Arrival, Layout, Resident, layout
from compiler.estimate.memory import SYNAPTIC, memory
from compiler.estimate.spans import Span, exactly, total
from compiler.estimate.traffic import Traffic
from compiler.estimate.work import Workload
from compiler.ir.chip_program import ChipProgram
from compiler.ir.connectivity import FixedProbability
from compiler.passes.partition import partition
from hw_models.chips.chip import Chip
from hw_models.chips.reading import chip

RANDOM = np.random.default_rng(7)


def small_chip(cost: float = 0.0, **changes: Any) -> Chip:
    """A mesh of 2 x 2 tiles with a neurocore each, where every cost is the same but those that are named."""
    real = chip("loihi2")
    limits = {"neurocores": 4, "compartments": 3, "tile_neurocores": 1, "mesh_columns": 2, "mesh_rows": 2}
    facts = {name: replace(real[name], values=(value,)) for name, value in limits.items()}
    costs = {
        name: replace(it, value=value, low=value / 2, high=value * 2)
        for name, it in real.costs.items()
        for value in [float(changes.get(name, cost))]
    }
    return replace(real, facts={**real.facts, **facts}, costs=costs)


@pytest.fixture(scope="module")
def two_layers(make: Any) -> ChipProgram:
    """Four sources, six neurons, three behind these."""
    return make.compiled(
        make.population("a", "rate_source", 4, rate=200.0),
        make.population("b", "lif", 6),
        make.population("c", "lif", 3),
        make.projection("a.events", "b.soma", 2.0, connectivity=FixedProbability(0.6)),
        make.projection("b.events", "c.soma", 2.0),
        seed=3,
    )


def sent_at_random(code: ChipProgram, sent: Any, steps: int) -> dict[Any, NDArray[np.int64]]:
    return {it: (RANDOM.random((steps, code.population(it[0]).size)) < 0.4).astype(np.int64) for it in sent}


def estimate(code: ChipProgram, on: Chip, steps: int = 50) -> Estimate:
    found = Estimating(partition(code, on))
    found.add(sent_at_random(code, found.sent, steps), steps)
    return found.result()


def way(source: tuple[int, int], target: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """The links that a message takes, one after the other."""
    (x, y), links = source, []
    while (x, y) != target:
        ahead = (x + np.sign(target[0] - x), y) if x != target[0] else (x, y + np.sign(target[1] - y))
        links.append((x, y, *ahead))
        x, y = ahead
    return links


def ends_of(code: ChipProgram, projection: Any) -> list[tuple[int, int]]:
    if projection.dense:
        sizes = code.population(projection.source).size, code.population(projection.target).size
        return [(i, k) for i in range(sizes[0]) for k in range(sizes[1])]
    return list(zip(projection.pre.tolist(), projection.post.tolist(), strict=True))


def test_work_is_what_is_counted_message_by_message(two_layers: ChipProgram) -> None:
    code, on = two_layers, small_chip()
    found = layout(partition(code, on))
    load = Workload(code, found)
    assert load.sent == (("a", "events"), ("b", "events"))
    values = sent_at_random(code, load.sent, 20)
    steps = load.of(values, 20)
    home = {(it.population, n): it.core for it in found.residents for n in it.neurons.tolist()}
    operations, messages, spikes, hops = (np.zeros((20, found.cores)) for _ in range(4))
    crossed: dict[tuple[Any, ...], NDArray[np.float64]] = {}
    columns, rows = found.tiles
    tiles = list(zip(columns.tolist(), rows.tolist(), strict=True))
    for projection in code.projections:
        pairs = ends_of(code, projection)
        for step, neuron in zip(*np.nonzero(values[projection.source, "events"]), strict=True):
            cores = [home[projection.target, k] for i, k in pairs if i == neuron]
            for core in cores:
                operations[step, core] += 1
            for core in set(cores):
                messages[step, core] += 1
                here = home.get((projection.source, int(neuron)))
                links: list[tuple[Any, ...]] = [("in", core)]
                if here is not None:
                    links += [("out", here), *way(tiles[here], tiles[core])]
                    hops[step, 0] += len(links) - 2
                for link in links:
                    crossed.setdefault(link, np.zeros(20))[step] += 1
            if (projection.source, int(neuron)) in home:
                spikes[step, home[projection.source, int(neuron)]] += 1
    assert np.array_equal(steps.operations, operations)
    assert np.array_equal(steps.messages, messages)
    assert np.array_equal(steps.spikes, spikes)
    assert np.array_equal(steps.hops, hops.sum(1))
    assert np.array_equal(steps.link, np.max(list(crossed.values()), axis=0))
    assert np.array_equal(
        steps.sent.sum(1), sum(counts for link, counts in crossed.items() if link[0] == "out")
    )
    joined = [
        (home[it.source, i], home[it.target, k])
        for it in code.projections
        for i, k in ends_of(code, it)
        if (it.source, i) in home
    ]
    assert load.furthest == max(len(way(tiles[one], tiles[other])) for one, other in joined)


def test_the_longest_term_bounds_a_step(two_layers: ChipProgram) -> None:
    for cost, term in (
        ("neuron_update_time", "neuron updates"),
        ("synaptic_operation_time", "synaptic operations"),
        ("memory_read_time", "synaptic memory"),
        ("message_time", "messages taken in"),
        ("link_time", "busiest link"),
        ("hop_time", "longest way"),
        ("barrier_time", "barrier"),
    ):
        found = estimate(two_layers, small_chip(**{cost: 10.0}))
        assert found.terms[term].value > 0
        assert {name for name in TERMS if found.terms[name].value} == {term}
        assert found.time.value == pytest.approx(found.terms[term].value)
        assert (found.time.low, found.time.high) == pytest.approx(
            (found.terms[term].low, found.terms[term].high)
        )
        assert found.bounding[term] == pytest.approx(1, abs=0.1)


def test_the_low_end_is_a_maximum_and_the_high_end_a_sum(two_layers: ChipProgram) -> None:
    found = estimate(two_layers, small_chip(1.0))
    assert found.time.low >= max(it.low for it in found.terms.values())
    assert found.time.high == pytest.approx(sum(it.high for it in found.terms.values()))
    assert found.time.low < found.time.value < found.time.high
    assert sum(found.bounding.values()) == pytest.approx(1)


def test_energy_is_work_times_cost(two_layers: ChipProgram) -> None:
    found = estimate(two_layers, small_chip(**{it: 3.0 for it in chip("loihi2").costs if "energy" in it}))
    work = {name: amount.everywhere for name, amount in found.work.items()}
    assert work["neuron updates"] == 9
    for part, counted in (
        ("neurons", 9),
        ("synapses", work["synaptic operations"]),
        ("spikes", work["spikes"]),
        ("messages", work["messages sent"]),
        ("hops", work["hops"]),
        ("barrier", 1),
    ):
        assert found.energy[part].value == pytest.approx(3 * counted)
        assert found.energy[part].low == pytest.approx(1.5 * counted)
    assert found.energy["static"] == exactly(0.0)
    assert found.energy_total == total(found.energy.values())


def test_static_energy_follows_the_time_and_the_chips(two_layers: ChipProgram) -> None:
    found = estimate(two_layers, small_chip(static_power=5.0, barrier_time=100.0))
    assert found.energy["static"] == Span(2.5 * 50, 500, 10 * 200)
    assert found.real_time == Span(2.5e6, 5e6, 1e7)


def in_order(cores: int) -> Layout:
    """Neurocores of the small chip, 2 x 2 tiles of one each, row by row, chips side by side."""
    places = [(core // 4 * 2 + core % 2, core % 4 // 2) for core in range(cores)]
    return Layout(small_chip(), tuple(places), (), (), ())


def test_a_chip_more_is_beside_the_first() -> None:
    found = in_order(6)
    assert (found.chips, found.mesh, found.used_tiles) == (2, (4, 2), 6)


def test_a_partition_that_says_where_neurocores_lie_is_followed(two_layers: ChipProgram) -> None:
    part = partition(two_layers, small_chip())
    away = replace(part, cores=tuple(replace(it, tile=(it.number % 2, 1)) for it in part.cores))
    columns, rows = layout(away).tiles
    assert columns.tolist() == [it.number % 2 for it in part.cores] and set(rows.tolist()) == {1}


def test_traffic_is_what_each_message_adds_to_its_links() -> None:
    found = in_order(16)
    columns, rows = found.tiles
    tiles = list(zip(columns.tolist(), rows.tolist(), strict=True))
    step, source, target = (RANDOM.integers(0, most, 300) for most in (5, 16, 16))
    traffic = Traffic(found, 5)
    hops = traffic.add(step[:100], source[:100], target[:100]) + traffic.add(
        step[100:], source[100:], target[100:]
    )
    loads: dict[Any, NDArray[np.float64]] = {}
    for n, one, other in zip(step, source, target, strict=True):
        for link in way(tiles[one], tiles[other]):
            loads.setdefault(link, np.zeros(5))[n] += 1
    assert np.array_equal(traffic.busiest(), np.max(list(loads.values()), axis=0))
    assert np.array_equal(hops, sum(loads.values()))


def test_memory_is_what_is_deployed(make: Any) -> None:
    code = make.compiled(
        make.population("a", "rate_source", 70, rate=200.0),
        make.population("b", "burst_unit", 5),
        make.projection("a.events", "b.soma", 1.0, learn="rule", limit=20.0),
        make.projection("b.burst_error", "b.dendrite", 0.1, connectivity=FixedProbability(0.5)),
        make.burst_rule(),
    )
    part = partition(code)
    found = memory(code, layout(part))
    assert sum(found[0][kind] for kind in SYNAPTIC) == part.cores[0].used["synaptic_memory_bits"]
    assert found[0]["weights"] == sum(
        part.cores[0].formats[it.name].weight_bits * it.weights.size for it in code.projections
    )
    assert found[0]["tags"] == 9 * 350
    bits = sum(width.bits for width in code.population("b").program.states.values())
    assert found[0]["neuron states"] == 5 * bits


def test_learning_counts_synapses_an_epoch_and_products(make: Any) -> None:
    code = make.compiled(
        make.population("a", "rate_source", 10, rate=200.0),
        make.population("b", "burst_unit", 5),
        make.projection("a.events", "b.soma", 1.0, learn="rule", limit=20.0),
        make.burst_rule(every=4.0),
    )
    found = Estimating(partition(code))
    quiet = {it: np.zeros((8, code.population(it[0]).size)) for it in found.sent}
    found.add(quiet, 8)
    rule = code.projections[0].learning
    assert rule is not None
    known, high = found.result(), 50 / 4 * len(rule.rule.products) / 2
    assert known.work["learning updates"].everywhere == 50 / 4
    cost = chip("loihi2").costs["learning_update_energy"]
    assert known.energy["learning"] == Span(0, 50 / 4 * cost.value, high * cost.high)
    assert "learning" in known.assumptions and "neuron programs" in known.assumptions


def test_every_assumption_that_is_used_is_named(two_layers: ChipProgram) -> None:
    found = estimate(two_layers, chip("loihi2"))
    assumed = {it.name for it in chip("loihi2").costs.values() if it.assumption}
    unused = {"learning_update_energy", "learning_update_time", "hop_energy", "hop_time"}
    assert assumed - unused <= found.assumptions.keys()
    assert set(chip("loihi2").assumed) <= found.assumptions.keys()
    assert {"host", "placement"} <= found.assumptions.keys()
    verified = estimate(two_layers, chip("loihi1"))
    assert "synaptic_operation_energy" not in verified.assumptions
    assert "barrier_energy" in verified.assumptions


def test_parts_of_a_run_do_not_change_the_estimate(two_layers: ChipProgram) -> None:
    whole, parts = (Estimating(partition(two_layers, chip("loihi1"))) for _ in range(2))
    values = sent_at_random(two_layers, whole.sent, 40)
    whole.add(values, 40)
    for first, last in ((0, 1), (1, 30), (30, 40)):
        parts.add({name: it[first:last] for name, it in values.items()}, last - first)
    assert parts.result().time.value == pytest.approx(whole.result().time.value)
    assert parts.result().work == whole.result().work


def test_a_network_that_sends_nothing(make: Any) -> None:
    code = make.compiled(make.population("b", "lif", 3))
    found = Estimating(partition(code))
    assert found.sent == ()
    found.add({}, 10)
    cost = chip("loihi2").costs["neuron_update_time"]
    assert found.result().terms["neuron updates"].value == pytest.approx(3 * cost.value)


def test_a_full_hala_point_is_as_fast_as_intel_says(make: Any) -> None:
    """Hala Point at its full 1.15 billion neurons, 8,192 on each neurocore, runs 20 times as fast as a brain.

    With a step of 1 ms that is a step each 50 us. No synapses are counted here, of which nothing is said.
    """
    code = make.compiled(make.population("b", "lif", 8192))
    found = Estimating(partition(code))
    found.add({}, 1)
    time = found.result().time
    assert time.low < 50e3 < time.high
    assert time.value == pytest.approx(39.7e3, rel=0.01)


def test_a_step_of_all_of_loihi_1(make: Any) -> None:
    """Each of 1,024 compartments of a neurocore is updated, at 5.3 to 12.1 ns, and then comes the barrier."""
    resident = Resident(0, "b", np.arange(1024))
    code = make.compiled(make.population("b", "lif", 1024))
    found = Workload(code, Layout(chip("loihi1"), ((0, 0),), (resident,), (), (0,)))
    assert found.constant.updates.tolist() == [1024] == found.constant.updates_high.tolist()
    result = Estimating(partition(code, chip("loihi1")))
    result.add({}, 1)
    assert result.result().terms["neuron updates"] == Span(1024 * 5.3, 1024 * 9.7, 1024 * 12.1)


def test_an_arrival_without_synapses_costs_nothing(two_layers: ChipProgram) -> None:
    form = partition(two_layers).cores[0].formats[two_layers.projections[0].name]
    nothing = Arrival(0, two_layers.projections[0].name, form, np.zeros(4, dtype=np.int64))
    found = Workload(two_layers, Layout(chip("loihi2"), ((0, 0),), (), (nothing,), (0,)))
    steps = found.of({("a", "events"): np.ones((2, 4))}, 2)
    assert not steps.messages.any() and not steps.operations.any() and not steps.words.any()

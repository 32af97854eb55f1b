from __future__ import annotations

import math

import pytest

from hw_models.chips.chip import COSTS, FACTS, STATUSES
from hw_models.chips.reading import chip
from hw_models.synapses import memory


@pytest.mark.parametrize("name", ["loihi1", "loihi2"])
def test_every_number_has_a_source_and_a_status(name: str) -> None:
    found = chip(name)
    assert found.name == name and not found.own
    assert tuple(found.facts) == FACTS and tuple(found.costs) == tuple(COSTS)
    for it in (*found.facts.values(), *found.costs.values()):
        assert it.source and it.unit
        for statement in (it, *it.others):
            assert statement.status in STATUSES
            cited = [source for source in found.sources if source in statement.source]
            assert cited or statement.status == "assumed", f"{it.name}: {statement.source}"


@pytest.mark.parametrize("name", ["loihi1", "loihi2"])
def test_every_cost_lies_in_its_range_and_every_assumption_has_a_name(name: str) -> None:
    for cost in chip(name).costs.values():
        assert 0 <= cost.low <= cost.value <= cost.high
        assert cost.unit == COSTS[cost.name]
        assert bool(cost.assumption) == (cost.status == "assumed")


def test_loihi1_assumes_the_shape_of_its_mesh_and_two_limits() -> None:
    assert chip("loihi1").assumed == ("fan_in", "learning_rules", "mesh_columns", "mesh_rows")


def test_messages_wait_at_each_compartment_of_loihi1_as_long_as_is_public() -> None:
    """Davies 2018: 8 steps are sure; brian2_loihi: up to 62, which fewer compartments allow."""
    found = chip("loihi1")
    assert found["delay_slots"].value // found["compartments"].value == 8
    assert found["delay_slots"].value // 2 ** found["delay_bits"].value == 128


def test_conflicting_statements_stand_side_by_side() -> None:
    cores = chip("loihi2")["neurocores"]
    assert cores.value == 128 and cores.source == "Intel 2021"
    assert {(it.value, it.source) for it in cores.others} == {
        ((152,), "Wever 2026"),
        ((122,), "Hala Point 2024"),
    }
    assert 122 * 1152 == 140_544
    assert [it.value for it in chip("loihi1")["synapse_formats"].others] == [(8,)]


def test_the_barrier_is_what_its_sources_say() -> None:
    """Davies 2018: 113 to 465 ns for 1 to 32 tiles; SANA-FE: 1,800 ns for 29; Intel 2021: 200 ns at most."""
    one, doubling = (chip("loihi1").costs[f"barrier{it}_time"] for it in ("", "_doubling"))
    assert one.low + 5 * doubling.low == pytest.approx(465, abs=0.5)
    assert one.value + math.log2(29) * doubling.value == pytest.approx(1800, abs=1)
    one, doubling = (chip("loihi2").costs[f"barrier{it}_time"] for it in ("", "_doubling"))
    assert one.value + 5 * doubling.value == pytest.approx(200, abs=0.5)


def test_what_hala_point_does_at_best_is_for_one_of_its_neurocores() -> None:
    costs = chip("loihi2").costs
    assert costs["neuron_update_time"].low == pytest.approx(140_544 / 240e3, rel=0.01)
    assert costs["synaptic_operation_time"].low == pytest.approx(140_544 / 380e3, rel=0.01)
    assert costs["memory_read_time"].low == pytest.approx(8 * 140_544 / 16e6, rel=0.01)
    assert costs["link_time"].low == pytest.approx(4 * 140_544 / 3.5e6, rel=0.01)


@pytest.mark.parametrize("name", ["loihi1", "loihi2"])
def test_the_words_of_synaptic_memory_are_the_chips(name: str) -> None:
    found = chip(name)
    assert found["word_bits"].value == memory.WORD_BITS
    assert found["format_bits"].value == memory.FORMAT_BITS
    assert found["count_bits"].value == memory.COUNT_BITS
    assert found["synapse_formats"].value == 1 << memory.FORMAT_BITS


@pytest.mark.parametrize("name", ["loihi1", "loihi2"])
def test_every_neurocore_lies_on_the_mesh(name: str) -> None:
    found = chip(name)
    tiles = found["mesh_columns"].value * found["mesh_rows"].value
    assert tiles * found["tile_neurocores"].value == found["neurocores"].value


def test_every_compartment_has_an_index() -> None:
    for found in (chip("loihi1"), chip("loihi2")):
        assert found.fit("index_bits", (found["compartments"].value - 1).bit_length()) is not None


def test_the_least_width_that_fits_is_chosen() -> None:
    assert [chip("loihi1").fit("weight_bits", bits) for bits in (1, 6, 7, 8, 9)] == [1, 6, 8, 8, None]


def test_a_fact_as_text() -> None:
    assert str(chip("loihi2")["input_axons"]) == "at most 4,096 input axons a neurocore (assumed: as Loihi 1)"

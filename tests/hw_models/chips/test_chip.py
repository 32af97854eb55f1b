from __future__ import annotations

import pytest

from hw_models.chips.chip import FACTS, chip
from hw_models.synapses import memory


@pytest.mark.parametrize("name", ["loihi1", "loihi2"])
def test_every_fact_has_a_source_and_a_status(name: str) -> None:
    found = chip(name)
    assert found.name == name and tuple(found.facts) == FACTS
    for fact in found.facts.values():
        assert fact.source and fact.unit and fact.status in ("verified", "second hand", "assumed")
        cited = [source for source in found.sources if source in fact.source]
        assert bool(cited) == (fact.status != "assumed"), f"{fact.name} cites {cited}"


def test_loihi1_assumes_nothing() -> None:
    assert not [fact.name for fact in chip("loihi1").facts.values() if fact.status == "assumed"]


@pytest.mark.parametrize("name", ["loihi1", "loihi2"])
def test_the_words_of_synaptic_memory_are_the_chips(name: str) -> None:
    found = chip(name)
    assert found["word_bits"].value == memory.WORD_BITS
    assert found["format_bits"].value == memory.FORMAT_BITS
    assert found["count_bits"].value == memory.COUNT_BITS
    assert found["synapse_formats"].value == 1 << memory.FORMAT_BITS


def test_every_compartment_has_an_index() -> None:
    for found in (chip("loihi1"), chip("loihi2")):
        assert found.fit("index_bits", (found["compartments"].value - 1).bit_length()) is not None


def test_the_least_width_that_fits_is_chosen() -> None:
    assert [chip("loihi1").fit("weight_bits", bits) for bits in (1, 6, 7, 8, 9)] == [1, 6, 8, 8, None]


def test_a_fact_as_text() -> None:
    assert str(chip("loihi2")["input_axons"]) == "at most 4,096 input axons a neurocore (assumed: as Loihi 1)"

"""Lists of synapses as words: the layout by hand, round trips, and what damage does."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_models.synapses.memory import DamagedMemory, Lists, SynapseFormat, list_words, pack, unpack


def integers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


SPARSE = SynapseFormat("MIXED", 8, 1, 0, delay_bits=6, tag_bits=0, index_bits=6, dense=False)


@st.composite
def formats(draw: st.DrawFn) -> SynapseFormat:
    dense = draw(st.booleans())
    return SynapseFormat(
        sign=draw(st.sampled_from(["MIXED", "EXCITATORY", "INHIBITORY"])),
        weight_bits=draw(st.sampled_from([1, 2, 3, 4, 5, 6, 8, 9])),
        weight_shift=draw(st.integers(0, 7)),
        weight_exp=draw(st.integers(-8, 7)),
        delay_bits=draw(st.integers(0, 6)),
        tag_bits=draw(st.sampled_from([0, 9])),
        index_bits=0 if dense else draw(st.sampled_from([6, 7, 8, 12, 13])),
        dense=dense,
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, SynapseFormat, Lists]:
    form = draw(formats())
    lengths = draw(st.lists(st.integers(1, 150), min_size=1, max_size=6))
    size = sum(lengths)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    low, high = form.weight_range
    step = 1 << form.weight_shift
    index = [np.arange(n) if form.dense else random.integers(0, 1 << form.index_bits, n) for n in lengths]
    lists = Lists(
        integers(*lengths),
        np.concatenate(index).astype(np.int64),
        random.integers(low // step, high // step + 1, size) * step,
        random.integers(0, 1 << form.delay_bits, size),
        random.integers(-256, 256, size) if form.tag_bits else np.zeros(size, dtype=np.int64),
    )
    return draw(st.integers(0, 15)), form, lists


def equal(a: Lists, b: Lists) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in vars(a))


def test_the_layout_by_hand() -> None:
    lists = Lists(integers(2), integers(3, 5), integers(-2, 254), integers(1, 62), integers(0, 0))
    words, sizes = pack(7, SPARSE, lists)
    header = 7 | 1 << 4
    first = 3 | 0xFF << 6 | 1 << 14
    second = 5 | 0x7F << 6 | 62 << 14
    assert words.tolist() == [header | first << 10 | second << 30] and sizes.tolist() == [1]


def test_a_field_goes_on_in_the_next_word() -> None:
    lists = Lists(
        integers(3), integers(1, 2, 63), integers(0, 0, -256), integers(0, 0, 63), integers(0, 0, 0)
    )
    words, sizes = pack(0, SPARSE, lists)
    last = 63 | 0x80 << 6 | 63 << 14
    assert sizes.tolist() == [2] and int(words[0]) >> 50 == last & 0x3FFF and int(words[1]) == last >> 14


def test_a_block_ends_after_64_synapses() -> None:
    lists = Lists(integers(65), np.arange(65), *(np.zeros(65, dtype=np.int64) for _ in range(3)))
    form = SynapseFormat("EXCITATORY", 8, 0, 0, 0, 0, 0, dense=True)
    words, sizes = pack(0, form, lists)
    block = -(-(10 + 64 * 8) // 64)
    assert sizes.tolist() == [block + 1] and int(words[0]) >> 4 == 63 and int(words[block]) == 0


def test_the_cost_is_that_of_nengo_loihi() -> None:
    def bits_per_axon(bits: int, synapses: int) -> int:  # nengo_loihi/block.py
        blocks = [min(64, synapses - first) for first in range(0, synapses, 64)]
        return sum(-(-(n * bits + 10) // 64) * 64 for n in blocks)

    for bits in (8, 14, 21, 36):
        lengths = np.arange(0, 300)
        assert (list_words(bits, lengths) * 64).tolist() == [bits_per_axon(bits, n) for n in lengths]


@settings(deadline=None)
@given(cases())
def test_what_is_packed_is_unpacked(case: tuple[int, SynapseFormat, Lists]) -> None:
    number, form, lists = case
    words, sizes = pack(number, form, lists)
    assert np.array_equal(sizes, list_words(form.synapse_bits, lists.lengths))
    assert equal(unpack(number, form, words, sizes), lists)


@settings(deadline=None)
@given(cases(), st.data())
def test_no_flipped_bit_stays_unseen(case: tuple[int, SynapseFormat, Lists], data: st.DataObject) -> None:
    number, form, lists = case
    words, sizes = pack(number, form, lists)
    word, bit = data.draw(st.integers(0, words.size - 1)), data.draw(st.integers(0, 63))
    words[word] ^= np.uint64(1 << bit)
    with suppress(DamagedMemory):
        assert not equal(unpack(number, form, words, sizes), lists)


@pytest.mark.parametrize(
    ("word", "bit", "complaint"),
    [
        (0, 0, "word 0 has format 1, not 0"),
        (0, 5, "word 0 begins a block of 4 synapses, which do not fit"),
        (0, 63, "word 0 has bits set in its padding"),
    ],
)
def test_damage_is_described(word: int, bit: int, complaint: str) -> None:
    lists = Lists(integers(2), integers(3, 5), integers(-2, 254), integers(1, 62), integers(0, 0))
    words, sizes = pack(0, SPARSE, lists)
    words[word] ^= np.uint64(1 << bit)
    with pytest.raises(DamagedMemory) as caught:
        unpack(0, SPARSE, words, sizes)
    assert str(caught.value) == complaint


def test_words_of_another_length_are_damage() -> None:
    with pytest.raises(DamagedMemory) as caught:
        unpack(0, SPARSE, np.zeros(2, dtype=np.uint64), integers(1))
    assert str(caught.value) == "2 words for lists of 1"


def test_weights_that_a_format_holds() -> None:
    weights = np.array([-256, -255, -2, 0, 1, 254, 255], dtype=np.int16)
    assert SPARSE.holds(weights).tolist() == [True, False, True, True, False, True, False]

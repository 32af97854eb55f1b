"""Synaptic memory: lists of synapses as bits in words, and back.

A list holds the synapses of one input axon, in rising order of their index. It lies in blocks, each of at
most 2^count_bits synapses and each beginning in a new word:

    block    = header synapse {synapse} padding       padding: zeros up to the end of the word
    header   = format(4) count(6)                     count: synapses of the block, less 1
    synapse  = [index] weight [delay] [tag]           each as wide as the format says, [..] perhaps 0 bits

Bits are counted from the least significant bit of a word upwards, and go on in the next word. The weight
is stored without its lowest `weight_shift` bits, which are 0: in two's complement in the mode MIXED, else as
a magnitude. The tag is in two's complement. Without index bits a list is dense: its synapse k has index k.

The widths and the cost are those of nengo-loihi's `bits_per_axon`; the order of the fields inside a block
is not public, and assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Words = NDArray[np.uint64]
Sign = Literal["MIXED", "EXCITATORY", "INHIBITORY"]

WORD_BITS = 64
FORMAT_BITS = 4
COUNT_BITS = 6
HEADER_BITS = FORMAT_BITS + COUNT_BITS
BLOCK = 1 << COUNT_BITS


class DamagedMemory(ValueError):
    """Words that are not lists of synapses. The text says where and why."""


@dataclass(frozen=True)
class SynapseFormat:
    """Widths of the fields of a synapse, and how its weight counts.

    A weight acts as weight * 2^weight_exp. `dense` lists have no index.
    """

    sign: Sign
    weight_bits: int
    weight_shift: int
    weight_exp: int
    delay_bits: int
    tag_bits: int
    index_bits: int
    dense: bool

    def __post_init__(self) -> None:
        assert self.index_bits == 0 or not self.dense
        assert 0 < self.synapse_bits <= WORD_BITS

    @property
    def synapse_bits(self) -> int:
        """Bits of one synapse."""
        return self.index_bits + self.weight_bits + self.delay_bits + self.tag_bits

    @property
    def weight_range(self) -> tuple[int, int]:
        """The least and the greatest weight; every multiple of 2^weight_shift between them is one."""
        if self.sign == "MIXED":
            half = 1 << (self.weight_bits - 1)
            return -half << self.weight_shift, (half - 1) << self.weight_shift
        most = ((1 << self.weight_bits) - 1) << self.weight_shift
        return (0, most) if self.sign == "EXCITATORY" else (-most, 0)

    def holds(self, weights: NDArray[np.int16] | Integers) -> NDArray[np.bool_]:
        """Which weights can be stored as they are."""
        low, high = self.weight_range
        wide = weights.astype(np.int64)
        return np.asarray((wide >= low) & (wide <= high) & (wide % (1 << self.weight_shift) == 0))


@dataclass(frozen=True)
class Lists:
    """Lists of synapses one after another: `lengths` of each, and the fields of all synapses in a row."""

    lengths: Integers
    index: Integers
    weight: Integers
    delay: Integers
    tag: Integers


def list_words(synapse_bits: int, lengths: Integers) -> Integers:
    """Words that lists of these lengths need, an empty one none."""
    lengths = np.asarray(lengths, dtype=np.int64)
    most = int(lengths.max(initial=0)) + 1
    if np.ndim(synapse_bits) == 0 and 2 * most < lengths.size:
        # There are fewer lengths than lists.
        return list_words(synapse_bits, np.arange(most))[lengths]
    blocks, rest = np.divmod(lengths, BLOCK)
    full = -(-(HEADER_BITS + BLOCK * synapse_bits) // WORD_BITS)
    last = -(-(HEADER_BITS + rest * synapse_bits) // WORD_BITS)
    return np.asarray(blocks * full + np.where(rest > 0, last, 0), dtype=np.int64)


def _blocks(lengths: Integers, synapse_bits: int) -> tuple[Integers, Integers]:
    """Of each block in order: the synapses in it, and its first word."""
    each = -(-lengths // BLOCK)
    number = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
    counts = np.minimum(np.repeat(lengths, each) - number * BLOCK, BLOCK)
    words = list_words(synapse_bits, counts)
    return counts, np.cumsum(words) - words


def _positions(counts: Integers, starts: Integers, synapse_bits: int) -> Integers:
    """The first bit of each synapse, of blocks that begin at the words `starts`."""
    inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.asarray(np.repeat(starts * WORD_BITS + HEADER_BITS, counts) + inside * synapse_bits)


def _put(words: Words, positions: Integers, values: Words, bits: int) -> None:
    """Set fields of `bits` bits that do not overlap, at rising positions."""
    if positions.size == 0:
        return
    word, offset = positions >> 6, (positions & 63).astype(np.uint64)
    crosses = (positions & 63) + bits > WORD_BITS
    parts = [(word, values << offset), (word[crosses] + 1, values[crosses] >> (64 - offset[crosses]))]
    for places, part in parts:
        if places.size:
            first = np.flatnonzero(np.diff(places, prepend=-1))
            words[places[first]] |= np.bitwise_or.reduceat(part, first)


def _get(words: Words, positions: Integers, bits: int) -> Words:
    """The fields of `bits` bits at these positions."""
    word, offset = positions >> 6, (positions & 63).astype(np.uint64)
    low = words[word] >> offset
    crosses = np.flatnonzero((positions & 63) + bits > WORD_BITS)
    low[crosses] |= words[word[crosses] + 1] << (64 - offset[crosses])
    return np.asarray(low & np.uint64((1 << bits) - 1))


def _field(values: Integers, bits: int) -> Words:
    return (values & ((1 << bits) - 1)).astype(np.uint64)


def pack(number: int, form: SynapseFormat, lists: Lists) -> tuple[Words, Integers]:
    """The words of non-empty lists in format `number`, and how many words each list takes."""
    assert 0 <= number < 1 << FORMAT_BITS and np.all(lists.lengths > 0)
    assert np.all(form.holds(lists.weight)), "weights that the format cannot hold"
    assert np.all((lists.delay >= 0) & (lists.delay >> form.delay_bits == 0)), "delays beyond their field"
    magnitude = np.abs(lists.weight) if form.sign == "INHIBITORY" else lists.weight
    fields = [
        (lists.index, form.index_bits),
        (magnitude >> form.weight_shift, form.weight_bits),
        (lists.delay, form.delay_bits),
        (lists.tag, form.tag_bits),
    ]
    synapses = np.zeros(lists.weight.size, dtype=np.uint64)
    offset = 0
    for values, bits in fields:
        if bits:
            synapses |= _field(values, bits) << np.uint64(offset)
            offset += bits
    counts, starts = _blocks(lists.lengths, form.synapse_bits)
    words_of_lists = list_words(form.synapse_bits, lists.lengths)
    words = np.zeros(int(words_of_lists.sum()), dtype=np.uint64)
    words[starts] = _field(number | (counts - 1) << FORMAT_BITS, HEADER_BITS)
    _put(words, _positions(counts, starts, form.synapse_bits), synapses, form.synapse_bits)
    return words, words_of_lists


def _headers(number: int, form: SynapseFormat, words: Words, sizes: Integers) -> tuple[Integers, Integers]:
    """(synapses of each block, its first word), of lists of `sizes` words. Raises `DamagedMemory`."""
    ends = np.cumsum(sizes)
    starts, counts = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    word = ends - sizes
    while word.size:  # the next block of every list that has one
        header = words[word].astype(np.int64) & ((1 << HEADER_BITS) - 1)
        form_number, count = header & ((1 << FORMAT_BITS) - 1), (header >> FORMAT_BITS) + 1
        wrong = np.flatnonzero(form_number != number)
        if wrong.size:
            first = wrong[0]
            raise DamagedMemory(f"word {word[first]} has format {form_number[first]}, not {number}")
        following = word - (-(HEADER_BITS + count * form.synapse_bits) // WORD_BITS)
        wrong = np.flatnonzero((following > ends) | ((following < ends) & (count < BLOCK)))
        if wrong.size:
            first = wrong[0]
            given = f"a block of {count[first]} synapses, which do not fit"
            raise DamagedMemory(f"word {word[first]} begins {given}")
        starts.append(word)
        counts.append(count)
        more = following < ends
        word, ends = following[more], ends[more]
    order = np.argsort(np.concatenate(starts))
    return np.concatenate(counts)[order], np.concatenate(starts)[order]


def unpack(number: int, form: SynapseFormat, words: Words, sizes: Integers) -> Lists:
    """The lists that `pack` made; list k takes `sizes[k]` words. Raises `DamagedMemory`."""
    if words.size != sizes.sum() or np.any(sizes <= 0):
        raise DamagedMemory(f"{words.size} words for lists of {int(sizes.sum())}")
    counts, starts = _headers(number, form, words, sizes)
    synapses = _get(words, _positions(counts, starts, form.synapse_bits), form.synapse_bits)
    list_of = np.searchsorted(np.cumsum(sizes), starts, side="right")
    lengths = np.zeros(sizes.size, dtype=np.int64)
    np.add.at(lengths, list_of, counts)
    values: list[Integers] = []
    offset = 0
    for bits in (form.index_bits, form.weight_bits, form.delay_bits, form.tag_bits):
        field = (synapses >> np.uint64(offset)) & np.uint64((1 << bits) - 1) if bits else synapses * 0
        values.append(field.astype(np.int64))
        offset += bits
    index, weight, delay, tag = values
    if form.dense:
        index = np.arange(counts.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    if form.sign == "MIXED":
        weight = _signed(weight, form.weight_bits)
    weight = weight << form.weight_shift
    lists = Lists(
        lengths,
        index,
        -weight if form.sign == "INHIBITORY" else weight,
        delay,
        _signed(tag, form.tag_bits) if form.tag_bits else tag,
    )
    packed, _ = pack(number, form, lists)
    if not np.array_equal(packed, words):
        place = int(np.flatnonzero(packed != words)[0])
        raise DamagedMemory(f"word {place} has bits set in its padding")
    return lists


def _signed(values: Integers, bits: int) -> Integers:
    half = 1 << (bits - 1)
    return np.asarray((values ^ half) - half)

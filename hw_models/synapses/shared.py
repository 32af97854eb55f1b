"""Lists of synapses that input axons share: equal ones, each moved by what its axon adds to every index.

An axon has a base, which counts on from the indices of its list. So the neurons of a convolution that see the
same part of the kernel need its weights once in a neurocore. This is how nengo-loihi's `conv2d_loihi_weights`
lays out convolutions on Loihi 1; there a base is below 256, and lists are repeated where it would be greater.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_models.synapses.memory import Lists

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class SharedLists:
    """`stored` lists; of each axon the number of its list in `which`, and its `base`."""

    stored: Lists
    which: Integers
    base: Integers

    @property
    def lists(self) -> Lists:
        """The lists as the axons have them."""
        lengths = self.stored.lengths[self.which]
        starts = np.cumsum(self.stored.lengths) - self.stored.lengths
        place = _places(starts[self.which], lengths)
        moved = self.stored.index[place] + np.repeat(self.base, lengths)
        fields = (self.stored.weight, self.stored.delay, self.stored.tag)
        return Lists(lengths, moved, *(field[place] for field in fields))


def _places(starts: Integers, lengths: Integers) -> Integers:
    """The places start, start + 1, ... of lists that begin there."""
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.repeat(starts - before, lengths) + np.arange(lengths.sum()))


def share(lists: Lists, most: int) -> SharedLists:
    """Non-empty lists as few stored ones, with bases of at most `most`.

    The first list of a kind, in the order of first indices, is stored as it is and serves those that are up
    to `most` further on; then the next one is.
    """
    assert np.all(lists.lengths > 0)
    ends = np.cumsum(lists.lengths)
    starts = ends - lists.lengths
    first = lists.index[starts]
    fields = (lists.index - np.repeat(first, lists.lengths), lists.weight, lists.delay, lists.tag)
    rows = np.ascontiguousarray(np.stack(fields, axis=1), dtype=np.int64)
    serving: dict[bytes, tuple[int, int]] = {}
    chosen: list[int] = []
    which, base = np.zeros_like(starts), np.zeros_like(starts)
    for axon in np.argsort(first, kind="stable").tolist():
        text = rows[starts[axon] : ends[axon]].tobytes()
        number, at = serving.get(text, (-1, 0))
        here = int(first[axon])
        if number < 0 or here - at > most:
            number, at = serving[text] = (len(chosen), here)
            chosen.append(axon)
        which[axon], base[axon] = number, here - at
    kept = np.array(chosen, dtype=np.int64)
    lengths = lists.lengths[kept]
    place = _places(starts[kept], lengths)
    stored = Lists(lengths, *(it[place] for it in (lists.index, lists.weight, lists.delay, lists.tag)))
    return SharedLists(stored, which, base)

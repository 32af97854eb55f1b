"""The networks of examples: an excerpt, with what it leaves out taken from a whole network."""

from __future__ import annotations

import re

_SECTION = re.compile(r"^(\w+):", re.MULTILINE)


def completed(excerpt: str, frame: str) -> str:
    """`excerpt` with those sections of `frame` behind it that it does not have; its lines keep their numbers.

    A section begins with its key at the start of a line. Nothing is added to an excerpt where `frame` is
    empty.
    """
    own = set(_SECTION.findall(excerpt))
    starts = [(found[1], found.start()) for found in _SECTION.finditer(frame)]
    ends = [*(start for _, start in starts), len(frame)][1:]
    added = [frame[start:end] for (name, start), end in zip(starts, ends, strict=True) if name not in own]
    return excerpt + "".join(added)

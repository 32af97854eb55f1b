"""Names of NIR nodes, which may be any text, as names of the language."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Characters of a name that stay, so that names of files stay short too.
_LONGEST = 48


def names_for(nodes: Iterable[str]) -> dict[str, str]:
    """A name for each node: letters, digits and `_`, a letter first, each once."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for node in nodes:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", node)[:_LONGEST]
        start = plain if re.match(r"[A-Za-z]", plain) else f"n{plain}"
        name, number = start, 1
        # Files beside the network have the names too, and some disks know no capitals.
        while name.lower() in taken:
            number += 1
            name = f"{start}_{number}"
        taken.add(name.lower())
        found[node] = name
    return found

"""JSON files: strict, indented, keys in order, so that two runs can be compared by their text."""

from __future__ import annotations

from pathlib import Path

from compiler.strict_json import strict_json
from compiler.whole_file import write_whole


def write_json(path: Path, value: object) -> None:
    """Write JSON, whole or not at all. Raises OSError."""
    write_whole(path, (strict_json(value, 1, sort_keys=True) + "\n").encode())

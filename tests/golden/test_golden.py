"""The text of each representation of a small network, as `burstchip compile --print-after` shows it.

A difference is a change of what is compiled. If it is meant, write the text anew:

    python tests/golden/test_golden.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from burstchip.frontend import load_network
from compiler.ir.text import as_text
from compiler.pipeline import ANALYSES, OWN, compile_network, partition_program

FOLDER = Path(__file__).parent


def texts() -> dict[str, str]:
    """The text behind each pass."""
    found: dict[str, str] = {}
    network = load_network(FOLDER / "small.yaml")

    def after(name: str, ir: object) -> None:
        found[name] = as_text(ir)

    code = compile_network(network, after)
    partition_program(code, after)
    for name, analysis in ANALYSES.items():
        after(name, analysis(code))
    return found


@pytest.mark.parametrize("name", [*(known.name for known in OWN), *ANALYSES])
def test_the_text_is_as_it_was(name: str) -> None:
    assert texts()[name] == (FOLDER / f"small.{name}.txt").read_text(encoding="utf-8")


if __name__ == "__main__":
    for stage, text in texts().items():
        (FOLDER / f"small.{stage}.txt").write_text(text, encoding="utf-8")

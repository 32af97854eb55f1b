"""The program that a command is to use: an artifact, or a training's with its learned weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burstchip.cli.console import Output

if TYPE_CHECKING:
    from compiler.ir.chip_program import ChipProgram


def load(path: Path, out: Output) -> tuple[ChipProgram, str]:
    """(program, SHA-256) of an artifact or run folder; says where learned weights come from."""
    from burstchip.tasks.checkpoint import FILE

    # The passes of the compiler, which learned weights may need, take time to import.
    if path.is_dir() or path.with_name(FILE).exists():
        from burstchip.tasks.trained import load_program

        found = load_program(path)
        out.messages(found.diagnostics)
        code, sha256 = found.code, found.sha256
    else:
        from compiler.artifact import load_artifact

        code, sha256 = load_artifact(path)
    if code.learned is not None:
        out.text(f"{path}: {code.learned.text}")
    return code, sha256

"""The program that a command is to use: an artifact's, a network's, or a training's with learned weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burstchip.cli.console import Output

if TYPE_CHECKING:
    from compiler.ir.chip_program import ChipProgram
    from compiler.ir.network import Network

#: How the name of a network's file ends.
_NETWORK = (".yaml", ".yml")


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


def load_or_compile(path: Path, out: Output) -> tuple[ChipProgram, str, Network | None]:
    """(program, SHA-256 of its artifact, network) of what `load` takes, or of a network's file.

    The network knows where its file says what; it is None for an artifact.
    """
    if path.suffix.lower() not in _NETWORK or path.is_dir():
        return *load(path, out), None
    from burstchip.compilation import check_file
    from compiler.artifact import artifact_sha256
    from hw_models.diagnostics import BurstchipError

    result = check_file(path)
    if result.code is None:
        raise BurstchipError(result.diagnostics)
    out.messages(result.diagnostics)
    return result.code, artifact_sha256(result.code), result.network

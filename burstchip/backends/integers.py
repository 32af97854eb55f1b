"""What a program must be so that a backend of integers can run it."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC555": "a function that is no table, in a program that is to run in integers"})


def require_integers(code: ChipProgram) -> None:
    """Raise `BurstchipError` BC555 where a program has more than integers can say."""
    if found := list(_unlowered(code)):
        raise BurstchipError(found)


def _unlowered(code: ChipProgram) -> Iterator[Diagnostic]:
    for population in code.populations:
        for fixed in population.program.functions:
            yield Diagnostic(
                "BC555",
                f"the function '{fixed.name}' of population '{population.name}' has no integers",
                required="a table in its place, as the pass lower_functions makes it",
                given=f"{fixed} in the program '{population.program.name}'",
                hint="compile the network with all passes, or run it with --backend reference",
            )

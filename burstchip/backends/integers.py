"""What a program must be so that a backend of integers can run it."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes(
    {
        "BC555": "a function without a table, in a program that is to run in integers",
        "BC557": "a program that was compiled for no chip is to run in integers",
        "BC568": "a program whose value leaves its declared width",
    }
)


def require_integers(code: ChipProgram) -> None:
    """Raise `BurstchipError` BC557 or BC555 where a program has more than integers can say."""
    if not code.on_chip:
        raise BurstchipError(
            Diagnostic(
                "BC557",
                f"'{code.name}' is compiled for no chip and has no integers to run",
                required="--backend reference, or a network compiled for a chip",
                given=f"target: {code.target}",
                hint="burstchip compile FILE --target loihi2",
            )
        )
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


def outside_width(population: str, given: str) -> BurstchipError:
    """The error BC568 of a population whose program computes what its declared widths do not hold."""
    return BurstchipError(
        Diagnostic(
            "BC568",
            f"the program of population '{population}' leaves its widths",
            required="values within the declared widths",
            given=given,
            hint="fix the neuron model: saturate or wrap the value, or declare it wider",
        )
    )

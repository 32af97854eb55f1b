"""What a program's integers may be off by, where a user sets it."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import Network
from compiler.passes.quantize_report import amount
from hw_models.diagnostics import Diagnostic, Place, register_codes

register_codes({"BC344": "a value is further off than --max-error allows"})

#: Of the weights nearest to 0, of which the rms weight and several events at once have their share.
LEAST = ("least weight", "one event, least")


def too_far_off(code: ChipProgram, network: Network, most: float) -> Iterator[Diagnostic]:
    """An error for each line of the quantisation report whose relative error is greater than `most`."""
    for line in code.quantisation:
        if line.relative_error > most and line.parameter not in LEAST:
            yield Diagnostic(
                "BC344",
                f"'{line.parameter}' of '{line.where}' is off by {100 * line.relative_error:.3g} %",
                _place(network, line.where, line.parameter),
                required=f"{amount(line.requested, line.unit)}, at most {100 * most:g} % off",
                given=f"{amount(line.represented, line.unit)} ({line.integers})",
                hint="another value, or a greater --max-error",
            )


def _place(network: Network, where: str, parameter: str) -> Place | None:
    """Where the value stands in the file, or what it belongs to."""
    for population in network.populations:
        if population.name == where:
            return population.parameter_places.get(parameter, population.place)
    for projection in network.projections:
        # The low part of a wide weight has a name of its own.
        if where in (projection.name, f"{projection.name}.low"):
            return projection.places.get(parameter, projection.places.get("weight", projection.place))
    for rule in network.plasticity:
        if where == f"plasticity {rule.name}":
            return rule.places.get(parameter, rule.place)
    return None

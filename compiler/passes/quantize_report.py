"""What quantize reports of each value: what was asked, what is represented, and where they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from compiler.ir.chip_program import QuantisationLine
from compiler.steps import whole_steps
from hw_models.diagnostics import BurstchipError, Diagnostic, Place, register_codes

register_codes(
    {
        "BC310": "a value is represented with an error of more than a twentieth",
        "BC313": "a time is not a whole number of steps",
    }
)

#: A represented value further than this from what was asked is reported.
ROUNDING_SHARE = 0.05


@dataclass
class Report:
    """The lines and messages that the pass collects; none without a chip, for which nothing is rounded."""

    chip: bool = True
    lines: list[QuantisationLine] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def add(
        self,
        where: str,
        parameter: str,
        unit: str,
        requested: float,
        represented: float,
        integers: str,
        place: Place | None = None,
        origin: float = 0.0,
    ) -> None:
        """Add a line, and a warning where the relative error is greater than `ROUNDING_SHARE`."""
        if not self.chip:
            return
        line = QuantisationLine(where, parameter, unit, requested, represented, integers, origin)
        self.lines.append(line)
        if line.relative_error > ROUNDING_SHARE:
            self.diagnostics.append(
                Diagnostic(
                    "BC310",
                    f"'{parameter}' of '{where}' is {amount(requested, unit)} in the network"
                    f" and {amount(represented, unit)} on the chip",
                    place,
                    "warning",
                    required=amount(requested, unit),
                    given=f"{amount(represented, unit)} ({integers})",
                )
            )


def amount(value: float, unit: str) -> str:
    """A value with its unit."""
    return f"{value:g} {unit}".rstrip() if math.isfinite(value) else "infinite"


def require_whole_steps(time_ms: float, step_ms: float, what: str, place: Place | None) -> int:
    """`time_ms` in steps. Raises `BurstchipError` BC313 where it is not a whole number of them."""
    steps = whole_steps(time_ms, step_ms)
    if steps is None:
        raise BurstchipError(
            Diagnostic(
                "BC313",
                f"{what} is not a whole number of steps",
                place,
                required=f"a multiple of {step_ms:g} ms",
                given=f"{time_ms:g} ms",
                hint=f"did you mean: {max(round(time_ms / step_ms), 1) * step_ms:g} ms",
            )
        )
    return steps

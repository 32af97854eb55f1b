"""What quantize tells of each value: what was asked, what is represented, and a warning where they part."""

from __future__ import annotations

from dataclasses import dataclass, field

from compiler.ir.chip_program import QuantisationLine
from hw_models.diagnostics import BurstchipError, Diagnostic, Place, register_codes

register_codes(
    {
        "BC310": "a value is rounded by more than a twentieth",
        "BC313": "a time is not a whole number of steps",
    }
)

#: A represented value further than this from what was asked is reported.
ROUNDING_SHARE = 0.05


@dataclass
class Report:
    """The lines and messages that the pass collects."""

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
    ) -> None:
        """Add a line, and a warning where the value is rounded by more than `ROUNDING_SHARE`."""
        line = QuantisationLine(where, parameter, unit, requested, represented, integers)
        self.lines.append(line)
        if line.relative_error > ROUNDING_SHARE:
            self.diagnostics.append(
                Diagnostic(
                    "BC310",
                    f"'{parameter}' of '{where}' is rounded by {100 * line.relative_error:.3g} %",
                    place,
                    "warning",
                    required=f"{requested:g} {unit}".rstrip(),
                    given=f"{represented:g} {unit} ({integers})".replace("  ", " "),
                )
            )


def whole_steps(time_ms: float, step_ms: float, what: str, place: Place | None) -> int:
    """`time_ms` in steps. Raises `BurstchipError` BC313 where it is not a whole number of them."""
    steps = round(time_ms / step_ms)
    if abs(steps * step_ms - time_ms) > 1e-6 * max(step_ms, time_ms):
        raise BurstchipError(
            Diagnostic(
                "BC313",
                f"{what} is not a whole number of steps",
                place,
                required=f"a multiple of {step_ms:g} ms",
                given=f"{time_ms:g} ms",
                hint=f"take {max(steps, 1) * step_ms:g} ms",
            )
        )
    return steps

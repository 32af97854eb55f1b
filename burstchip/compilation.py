"""From a YAML file to a program: every message of the frontend and of the passes together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from burstchip.arguments import Overrides
from burstchip.frontend import load
from burstchip.frontend.defaults import Default
from burstchip.frontend.language import TARGETS
from compiler.accuracy import too_far_off
from compiler.ir.calibration import Calibration
from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import Network
from compiler.passes.calibrate import require_chip
from compiler.pipeline import compile_network
from compiler.places import located
from hw_models.diagnostics import BurstchipError, Diagnostic, nearest, register_codes

register_codes({"BC614": "an unknown target"})

_NONE: Overrides = MappingProxyType({})


@dataclass(frozen=True)
class Compilation:
    """A program, or None where a message is an error, every message about the file, and its defaults.

    `network` is what was compiled, None where the file is none.
    """

    code: ChipProgram | None
    diagnostics: tuple[Diagnostic, ...]
    defaults: tuple[Default, ...] = ()
    network: Network | None = None

    @property
    def errors(self) -> int:
        """How many messages are errors."""
        return sum(diagnostic.severity == "error" for diagnostic in self.diagnostics)

    @property
    def warnings(self) -> int:
        """How many messages are warnings."""
        return len(self.diagnostics) - self.errors


def check_file(
    path: str | Path,
    overrides: Overrides = _NONE,
    seed: int | None = None,
    *,
    strict: bool = False,
    target: str | None = None,
    max_error: float | None = None,
    after: Callable[[str, object], None] | None = None,
    calibrate: Callable[[Network], Calibration] | None = None,
) -> Compilation:
    """Read and compile a file, and report everything that is wrong with it.

    `overrides` set the file's parameters, `seed` and `target` override its own; with `strict` warnings
    are errors, and so is a value whose relative error in integers is greater than `max_error` (BC344).
    `after(name, ir)` is called behind each pass. `calibrate(network)` says what the network reaches, where
    integers are to be chosen for that and not for the worst case. Nothing is raised for what the file holds;
    raises `BurstchipError` BC614 for a target that is none.
    """
    _require_target(target)
    loaded = load(path, overrides, seed)
    messages = list(loaded.diagnostics)
    code, network = None, loaded.network
    if network is not None:
        passed: list[Diagnostic] = []

        def seen(name: str, ir: object) -> None:
            if isinstance(ir, ChipProgram):
                # What a pass has found stays known where a later one fails.
                passed[:] = ir.diagnostics
            if after is not None:
                after(name, ir)

        try:
            network = network if target is None else replace(network, target=target)
            reached = None
            if calibrate is not None:
                require_chip(network)
                reached = calibrate(network)
            code = compile_network(network, seen, calibration=reached)
        except BurstchipError as error:
            messages += located([*passed, *(it for it in error.diagnostics if it not in passed)], network)
        else:
            messages += located(code.diagnostics, network)
            if max_error is not None:
                messages += too_far_off(code, network, max_error)
    if strict:
        messages = [replace(message, severity="error") for message in messages]
    if any(message.severity == "error" for message in messages):
        code = None
    return Compilation(code, tuple(messages), loaded.defaults, network)


def compile_file(
    path: str | Path,
    overrides: Overrides = _NONE,
    seed: int | None = None,
    *,
    strict: bool = False,
    target: str | None = None,
    max_error: float | None = None,
    after: Callable[[str, object], None] | None = None,
    calibrate: Callable[[Network], Calibration] | None = None,
) -> tuple[ChipProgram, tuple[Diagnostic, ...]]:
    """(program, warnings) of a file; arguments as of `check_file`.

    Raises `BurstchipError` with every message where one is an error.
    """
    result = check_file(
        path,
        overrides,
        seed,
        strict=strict,
        target=target,
        max_error=max_error,
        after=after,
        calibrate=calibrate,
    )
    if result.code is None:
        raise BurstchipError(result.diagnostics)
    return result.code, result.diagnostics


def _require_target(target: str | None) -> None:
    if target is not None and target not in TARGETS:
        raise BurstchipError(
            Diagnostic(
                "BC614",
                f"unknown target '{target}'",
                required=", ".join(TARGETS),
                given=target,
                hint=nearest(target, TARGETS),
            )
        )

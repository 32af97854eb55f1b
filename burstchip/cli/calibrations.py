"""How a network is calibrated, as the options of a command say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from burstchip.cli.checks import steps_of
from burstchip.cli.progress import progress
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from burstchip.running.recording import RecordProgress
    from compiler.ir.calibration import Calibration
    from compiler.ir.network import Network

register_codes({"BC920": "a --calibrate that says nothing to calibrate by"})

#: Worst-case bounds, in place of a run.
BOUNDS = "bounds"


def calibrating(text: str, *, quiet: bool, notes: list[Diagnostic]) -> Callable[[Network], Calibration]:
    """What `--calibrate` stands for: steps, a time, `bounds` or the file of a calibration.

    Warnings of a run are added to `notes`. Raises `BurstchipError` BC920 for anything else, BC921 for a file
    that is none.
    """
    text = text.strip()
    if text == BOUNDS:
        return lambda network: by_bounds(network, quiet=quiet)
    if text.endswith(".json"):
        from burstchip.files.calibration import read_calibration

        found = read_calibration(Path(text))
        return lambda _: found
    if text.isdecimal():
        return lambda network: by_run(network, int(text), quiet=quiet, notes=notes)
    if text[:1].isdecimal():
        return lambda network: by_run(network, steps_of(None, text, network.step), quiet=quiet, notes=notes)
    raise BurstchipError(
        Diagnostic(
            "BC920",
            f"--calibrate {text} says nothing to calibrate by",
            required="a number of steps, a time, bounds, or a file that `burstchip calibrate` wrote",
            given=text,
            hint="--calibrate 1000",
        )
    )


def by_bounds(network: Network, *, quiet: bool) -> Calibration:
    """The worst-case bounds of a network."""
    from compiler.calibration_bounds import calibration_bounds

    with progress(f"calibrating {network.name}", "preparing", quiet=quiet) as advance:
        return calibration_bounds(network, advance)


def by_run(
    network: Network,
    steps: int,
    *,
    quiet: bool,
    notes: list[Diagnostic],
    data: Path | None = None,
    streams: Mapping[str, ArrayLike] | None = None,
) -> Calibration:
    """What a network reaches in a run of so many steps."""
    from burstchip.calibration import calibrate

    with progress(f"calibrating {network.name}", "preparing", quiet=quiet) as advance:

        def watch(state: RecordProgress) -> None:
            note = f"{state.steps_done:,} steps" if state.steps_done else "preparing"
            advance(state.steps_done, state.steps_total if state.steps_done else 0, note)

        def fetch(name: str, done: int, total: int) -> None:
            advance(done, total, f"fetching {name}")

        return calibrate(
            network, steps, data_dir=data, streams=streams, watch=watch, fetch=fetch, notes=notes
        )

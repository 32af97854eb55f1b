"""Run an experiment with several seeds, compare its means with what is accepted, and write all of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from burstchip.arguments import Overrides
from burstchip.backends.available import REAL
from burstchip.compilation import check_file
from burstchip.experiments.checked import Checked, checked
from burstchip.experiments.experiment import (
    Drawing,
    Experiment,
    OwnModel,
    ProtocolExperiment,
    Runs,
)
from burstchip.experiments.rates import Rates, Reals, count_rates
from burstchip.experiments.stages import Errors, Rounding
from burstchip.report.style import figure_style
from compiler.artifact import artifact_sha256
from compiler.ir.chip_program import ChipProgram
from compiler.ir.network import NO_CHIP
from compiler.steps import whole_steps
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

if TYPE_CHECKING:
    import xarray as xr

register_codes({"BC711": "an experiment whose bins are not whole numbers of steps"})

#: The network as it is.
NO_OVERRIDES: Overrides = MappingProxyType({})

#: Called with what runs, the bins that are done and all bins of all seeds and variants.
Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """An experiment that has run: rates and quantities of each seed, and the checks.

    One that simulates itself has `series` and `parameters` in place of backend, step, artifacts and `runs`,
    one that follows a protocol `recorded`, a netCDF file, in place of `runs`.
    """

    experiment: Experiment | OwnModel | ProtocolExperiment
    backend: str | None
    step_ms: float | None
    seeds: tuple[int, ...]
    artifacts: tuple[str, ...]
    runs: tuple[Runs, ...]
    measured: tuple[Mapping[str, float], ...]
    checks: tuple[Checked, ...]
    drawing: Drawing
    diagnostics: tuple[Diagnostic, ...]
    series: xr.Dataset | None = None
    parameters: Mapping[str, int | float] = MappingProxyType({})
    recorded: bytes = b""
    #: What was run in place of what was published.
    variant: str = ""
    #: What step and rounding change, where that was asked for.
    errors: Errors | None = None

    @property
    def passes(self) -> bool:
        """Whether all checks do."""
        return all(it.passes for it in self.checks)

    @property
    def tally(self) -> tuple[int, int]:
        """How many of the quantities that have bounds pass, and how many have them."""
        bounded = [it.passes for it in self.checks if it.check.bounded]
        return sum(bounded), len(bounded)


def step_of(it: Experiment, backend: str, step_ms: float | None) -> float:
    """The step that is asked for, or the experiment's.

    Raises `BurstchipError` BC711 where a bin is not a whole number of it.
    """
    description = it.description
    step = step_ms or (description.step if backend in REAL else description.integer_step)
    if whole_steps(description.bin, step) is None:
        raise BurstchipError(
            Diagnostic(
                "BC711",
                f"a bin of {description.bin:g} ms is not a whole number of steps",
                required=f"a step that divides {description.bin:g} ms",
                given=f"{step:g} ms",
            )
        )
    return step


def compiled(
    network: Path,
    step_ms: float,
    seed: int,
    settings: Overrides,
    backend: str,
    rounded: Rounding | None = None,
) -> tuple[ChipProgram, tuple[Diagnostic, ...]]:
    """A network with the settings of a step, for a backend, and its warnings.

    Real numbers are of a network for no chip, or have what `rounded` makes of one for a chip.
    """
    exact = backend in REAL and rounded is None
    wanted = {"step": f"{step_ms:.12g} ms", "target": NO_CHIP if exact else "loihi2", **settings}
    found = check_file(network, wanted, seed)
    if found.code is None:
        raise BurstchipError(found.diagnostics)
    return (found.code if rounded is None else rounded(found.code)), found.diagnostics


def run_experiment(
    it: Experiment,
    *,
    backend: str = "reference",
    seeds: Sequence[int] | None = None,
    step_ms: float | None = None,
    overrides: Overrides = NO_OVERRIDES,
    watch: Watch | None = None,
    threads: int = 1,
    rounded: Rounding | None = None,
    drawn: bool = True,
) -> Outcome:
    """Run an experiment: by default in `reference`, with the seeds and at the step that it names.

    `overrides` set parameters of its network, `threads` are those of `open_run`; `rounded` is that of
    `compiled`. Where nothing is to be `drawn` the outcome has an empty drawing.

    Raises `BurstchipError`: BC711 for a step that does not fit, and those of compiling and running.
    """
    step = step_of(it, backend, step_ms)
    chosen = tuple(range(1, it.description.seeds + 1) if seeds is None else seeds)
    steps_a_bin = whole_steps(it.description.bin, step)
    assert steps_a_bin is not None, "the step was checked"
    variants = it.description.variants
    runs: list[Runs] = []
    artifacts: list[str] = []
    messages: dict[str, Diagnostic] = {}
    total, before = len(chosen) * sum(it.description.bins(name) for name in variants), 0
    for seed in chosen:
        found: dict[str, Rates] = {}
        for name, varied in variants.items():
            with tempfile.TemporaryDirectory() as folder:
                files = it.inputs(name, step, seed, Path(folder))
                settings = {**it.settings(step), **varied, **files, **overrides}
                code, reported = compiled(it.network, step, seed, settings, backend, rounded)
            messages |= {str(message): message for message in reported}
            artifacts.append(artifact_sha256(code))

            def tell(done: int, before: int = before, what: str = f"seed {seed}, {name}") -> None:
                if watch is not None:
                    watch(what, before + done, total)

            tell(0)
            bins = it.description.bins(name)
            found[name] = count_rates(
                code, backend, bins, steps_a_bin, tell, it.description.watched, threads=threads
            )
            before += bins
        runs.append(found)
    measured = tuple(it.measure(found) for found in runs)
    checks = checked(it.description.checks, measured)
    with figure_style():
        drawing = it.draw(runs) if drawn else Drawing((), b"")
    return Outcome(
        it,
        backend,
        step,
        chosen,
        tuple(artifacts),
        tuple(runs),
        measured,
        checks,
        drawing,
        tuple(messages.values()),
    )


def _padded(series: Sequence[Sequence[Reals]]) -> Reals:
    """[seed, variant, time] or the like, with no number behind the end of a shorter series."""
    longest = max(values.size for row in series for values in row)
    found = np.full((len(series), len(series[0]), longest), np.nan)
    for i, row in enumerate(series):
        for k, values in enumerate(row):
            found[i, k, : values.size] = values
    return found


def recording(outcome: Outcome) -> bytes:
    """What was measured as netCDF, with seed, variant and time.

    `population.event_rate` and `.burst_rate` in Hz; of what is watched the mean under its name, and each
    value at the end as `variable.end.variant`, [seed, index].
    """
    import xarray as xr

    if outcome.recorded:
        return outcome.recorded
    if outcome.series is not None:
        return _bytes(outcome.series)
    assert isinstance(outcome.experiment, Experiment)
    variants = list(outcome.experiment.description.variants)
    one = max((outcome.runs[0][it] for it in variants), key=lambda rates: rates.times.size)
    kinds = {"events": ".event_rate", "bursts": ".burst_rate", "means": ""}
    variables: dict[str, Any] = {
        f"{name}{suffix}": (
            ("seed", "variant", "time"),
            _padded([[getattr(runs[it], kind)[name] for it in variants] for runs in outcome.runs]),
            {"units": "Hz"} if suffix else {},
        )
        for kind, suffix in kinds.items()
        for name in getattr(one, kind)
    }
    for name in one.ends:
        for it in variants:
            # Seeds may have different numbers of synapses.
            (values,) = _padded([[runs[it].ends[name] for runs in outcome.runs]])
            variables[f"{name}.end.{it}"] = (("seed", f"{name}.{it}"), values)
    times = ("time", one.times, {"units": "s", "long_name": "middle of the bin"})
    dataset = xr.Dataset(
        variables,
        coords={"seed": list(outcome.seeds), "variant": variants, "time": times},
        attrs={
            "experiment": outcome.experiment.name,
            "backend": outcome.backend,
            "step_ms": outcome.step_ms,
            "artifact_sha256": ", ".join(outcome.artifacts),
        },
    )
    return _bytes(dataset)


def _bytes(dataset: xr.Dataset) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rates.nc"
        dataset.to_netcdf(path, engine="h5netcdf")
        return path.read_bytes()

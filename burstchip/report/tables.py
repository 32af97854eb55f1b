"""The tables of the report as text, ready to be set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from burstchip.report.json_files import Errors, QuantizedValue, Summary
from burstchip.report.proportion import wilson_interval
from burstchip.report.run_folder import RunFolder
from burstchip.report.wording import EMULATION_ONLY, number, percent, weight_form
from hw_models.diagnostics import BurstchipError

#: A relative error from which a row of the quantisation table is marked.
MARKED_ERROR = 0.01

#: Significant digits in the quantisation table, enough to see a small error.
DIGITS = 6

#: Significant digits of an error.
ERROR_DIGITS = 3


@dataclass(frozen=True)
class Result:
    """The test error as a reader should take it: with its counts, its uncertainty and the form of weight."""

    test_error: str
    counts: str
    interval: str
    train_error: str | None
    weight_form: str
    emulation_only: bool


@dataclass(frozen=True)
class QuantizedRow:
    """A row of the quantisation table; `marked` when the value is off by more than `MARKED_ERROR`."""

    where: str
    parameter: str
    requested: str
    represented: str
    unit: str
    error: str
    integers: str
    marked: bool


@dataclass(frozen=True)
class ErrorRow:
    """A row of the table of errors: root mean squares in `unit`."""

    variable: str
    unit: str
    rms: str
    step: str
    parameter: str
    state: str


def result(summary: Summary) -> Result:
    """The result of a run."""
    wrong, total = _counted(summary)
    low, high = wilson_interval(wrong, total)
    return Result(
        test_error=percent(summary.test_error),
        counts=f"{wrong:,} of {total:,} test samples",
        interval=f"{percent(float(low))} to {percent(float(high))}" if total else "unknown",
        train_error=None if summary.train_error is None else percent(summary.train_error),
        weight_form=weight_form(summary.weight_form),
        emulation_only=summary.weight_form == "carry",
    )


def contradictions(run: RunFolder) -> list[str]:
    """Where matrix or history report another test error than the summary, or the data file has changed."""
    error = run.summary.test_error
    wrong, total = _counted(run.summary)
    found = []
    # Half a sample is what rounding of the reported fraction can explain.
    if total == 0 or abs(error * total - wrong) > 0.5:
        found.append(
            f"The confusion matrix counts {wrong:,} wrong answers of {total:,}, "
            f"but the summary reports a test error of {percent(error)}."
        )
    last = run.history[-1]
    if last.test_error is not None and abs(last.test_error - error) * total > 0.5:
        found.append(
            f"The history ends with a test error of {percent(last.test_error)} in epoch {last.epoch}, "
            f"but the summary reports {percent(error)}."
        )
    if changed := _changed_data(run.summary):
        found.append(changed)
    return found


def _changed_data(summary: Summary) -> str | None:
    """What to say where the user's own data are there, but are no longer those of the training."""
    from burstchip.tasks.npz_file import file_sha256

    data = summary.data
    if data.file is None or not Path(data.file).is_file():
        return None
    try:
        found = file_sha256(Path(data.file))
    except BurstchipError:
        return None
    if found == data.sha256:
        return None
    return f"'{data.file}' has changed since the training: its SHA-256 is now {found}."


def _counted(summary: Summary) -> tuple[int, int]:
    """Wrong answers and all answers in the confusion matrix."""
    total = sum(map(sum, summary.confusion))
    return total - sum(row[index] for index, row in enumerate(summary.confusion)), total


def setting_rows(run: RunFolder) -> list[tuple[str, str]]:
    """What was run, as (property, value); a property that the run does not state is left out."""
    summary = run.summary
    form = {
        "carry": f"carry: 8-bit weight, 8-bit tag with carry; {EMULATION_ONLY}, no learning engine does it",
        "chip": "chip: a sum of products in the chip's own grammar",
    }.get(summary.weight_form, summary.weight_form)
    seconds = [epoch.seconds for epoch in run.history if epoch.seconds is not None]
    rows: list[tuple[str, str | None]] = [
        ("Network", summary.name),
        ("Task", f"{summary.task}, {summary.setting}"),
        *_data_rows(summary),
        ("Epochs", str(summary.epochs)),
        ("Weight form", form),
        ("Frozen projections", ", ".join(summary.frozen) or None),
        ("Backend", summary.backend),
        ("Time for all epochs", f"{number(sum(seconds))} s" if seconds else None),
        ("Training speed", _per_second(summary.samples_per_second, "samples")),
        ("Synaptic events", _per_second(summary.synaptic_events_per_second, "events")),
        ("Artifact SHA-256", summary.artifact_sha256),
        ("Final state SHA-256", summary.state_sha256),
    ]
    return [(name, value) for name, value in rows if value is not None]


def _data_rows(summary: Summary) -> list[tuple[str, str | None]]:
    data = summary.data
    shape = " x ".join(map(str, data.shape)) + (" values" if len(data.shape) == 1 else " pixels")
    low, high = (number(end) for end in data.range)
    samples = f"{data.training_samples:,} for training, {data.test_samples:,} for the test, {shape} each"
    return [
        ("Samples", samples),
        ("Range of values", f"{low} (no events) to {high} (the greatest rate)"),
        ("Data SHA-256", data.sha256),
    ]


def error_rows(errors: Errors | None) -> list[ErrorRow]:
    """One row for each variable, in the order of the file."""

    def text(value: float | None) -> str:
        return "–" if value is None else number(value, ERROR_DIGITS)

    return [
        ErrorRow(
            f"{share.population}.{share.variable}",
            share.unit,
            *(text(value) for value in (share.rms, share.step, share.parameter, share.state)),
        )
        for share in (errors.errors if errors else ())
    ]


def quantisation_rows(values: Sequence[QuantizedValue]) -> list[QuantizedRow]:
    """One row for each physical parameter, in the order of the file."""
    return [
        QuantizedRow(
            where=value.where,
            parameter=value.parameter,
            requested=_spread(value.requested),
            represented=_spread(value.represented),
            unit=value.unit,
            error=_error(value.relative_error),
            integers=_integers(value.integers),
            marked=value.relative_error is not None and abs(value.relative_error) > MARKED_ERROR,
        )
        for value in values
    ]


def _per_second(value: float | None, of: str) -> str | None:
    return None if value is None else f"{value:,.0f} {of} per second"


def _spread(value: float | list[float] | None) -> str:
    """One number, or for one number a neuron the least and the greatest; None is an infinite one."""
    if value is None:
        return "infinite"
    if isinstance(value, float):
        return number(value, DIGITS)
    if not value:
        return "none"
    low, high = min(value), max(value)
    return (
        f"{number(low, DIGITS)} … {number(high, DIGITS)} ({len(value)} values)"
        if low != high
        else number(low, DIGITS)
    )


def _error(relative_error: float | None) -> str:
    if relative_error is None:
        return "not defined"
    if relative_error == 0:
        return "exact"
    # The two values beside it show the direction.
    value = 100 * abs(relative_error)
    if value < 1e-4:
        return "under 0.0001 %"
    return f"{value:.2f} %" if value >= 0.01 else f"{value:.1g} %"


def _integers(integers: str | int | list[int] | dict[str, int]) -> str:
    if isinstance(integers, dict):
        return ", ".join(f"{name} = {value}" for name, value in integers.items())
    if isinstance(integers, list):
        return ", ".join(map(str, integers))
    return str(integers)

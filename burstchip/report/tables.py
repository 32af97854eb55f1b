"""The tables of the report as text, ready to be set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burstchip.files.provenance import Provenance
from burstchip.report.json_files import Errors, QuantizedValue, Summary
from burstchip.report.recording_file import Recording
from burstchip.report.run_folder import RunFolder
from burstchip.report.wording import EMULATION_ONLY, count, number, percent, plasticity
from burstchip.tasks.proportion import wilson_interval
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
    plasticity: str
    emulation_only: bool


@dataclass(frozen=True)
class ActivityRow:
    """Events of one population a sample: the mean of the test, and the spread of the recorded samples."""

    population: str
    test: str
    recorded: str
    bursts: str


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
        plasticity=plasticity(summary.weight_form),
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
        "none": "no plasticity",
    }.get(summary.weight_form, summary.weight_form)
    seconds = [epoch.seconds for epoch in run.history if epoch.seconds is not None]
    rows: list[tuple[str, str | None]] = [
        ("Network", summary.name),
        ("Task", f"{summary.task}, {summary.setting}"),
        *_data_rows(summary),
        ("Epochs", str(summary.epochs)),
        ("Weight form", form),
        ("Frozen projections", ", ".join(summary.frozen) or None),
        (
            "Parameters set",
            ", ".join(f"{name} = {value}" for name, value in summary.overrides.items()) or None,
        ),
        ("Backend", summary.backend),
        ("Time for all epochs", f"{number(sum(seconds))} s" if seconds else None),
        ("Training speed", _per_second(summary.samples_per_second, "samples")),
        ("Synaptic events", _per_second(summary.synaptic_events_per_second, "events")),
        ("Artifact SHA-256", summary.artifact_sha256),
        ("Final state SHA-256", summary.state_sha256),
    ]
    return [(name, value) for name, value in rows if value is not None]


def origin_rows(provenance: Provenance | None) -> list[tuple[str, str]]:
    """Dates, versions and machine of the sessions of a run, the same ones once."""
    if provenance is None:
        return []
    sessions = provenance.sessions
    seen = {
        "Date": [it.begun for it in sessions],
        "burstchip": [it.burstchip for it in sessions],
        "Python": [it.python for it in sessions],
        "numpy": [it.numpy for it in sessions],
        "numba": [it.numba for it in sessions],
        "Processor": [f"{it.processor}, {count(it.cores, 'core')}" for it in sessions],
        "System": [it.system for it in sessions],
    }
    rows = [(name, "; then ".join(dict.fromkeys(values))) for name, values in seen.items()]
    return [*rows, *([("Sessions", str(len(sessions)))] if len(sessions) > 1 else [])]


def activity_rows(run: RunFolder) -> list[ActivityRow]:
    """Events a sample of every population that the test or the recording after learning has."""
    test, recorded = run.summary.test_activity, run.recording_after
    names = dict.fromkeys([*(test.events if test else ()), *(recorded.events if recorded else ())])
    rows = []
    for name in sorted(names, key=lambda name: (name == run.readout, name != run.input)):
        spread, bursts = "–", "–"
        if recorded is not None and name in recorded.events:
            each = _each_sample(recorded, recorded.events[name])
            low, middle, high = (number(float(it)) for it in np.quantile(each, (0, 0.5, 1)))
            spread = f"{low} … {middle} … {high}"
            if name in recorded.bursts and each.sum():
                bursts = percent(int(recorded.bursts[name].sum()) / int(recorded.events[name].sum()))
        mean = number(test.events[name] / test.samples) if test and name in test.events else "–"
        rows.append(ActivityRow(name, mean, spread, bursts))
    return rows


def operations(summary: Summary) -> str | None:
    """Synaptic operations a sample, and how they were counted; None where the run does not say."""
    test = summary.test_activity
    if test is None:
        return None
    shown = f"while the {count(test.samples, 'test sample')} were shown, learning off"
    if test.synaptic_operations is None:
        return f"Events were counted {shown}; backend {summary.backend} does not count synaptic operations."
    return (
        f"{number(test.synaptic_operations / test.samples)} synaptic operations a sample: every message "
        f"times the synapses that leave its neuron, counted {shown}, as were the events of the test."
    )


def _each_sample(recording: Recording, spikes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Spikes of a population in each sample."""
    since = recording.sample_start_ms
    begins = np.searchsorted(recording.time_ms, since)
    ends = np.searchsorted(recording.time_ms, since + recording.present_ms)
    return np.array([spikes[a:b].sum() for a, b in zip(begins, ends, strict=True)], dtype=np.int64)


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

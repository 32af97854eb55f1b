"""A run folder, read and checked: everything that a report can show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import yaml

from burstchip.files.provenance import Provenance, read_provenance
from burstchip.report.answers_file import Answers, read_answers
from burstchip.report.json_files import (
    Epoch,
    Errors,
    QuantizedValue,
    Summary,
    read_errors,
    read_history,
    read_quantisation,
    read_summary,
)
from burstchip.report.problems import damaged
from burstchip.report.recording_file import Recording, read_recording
from burstchip.report.weight_file import Weights, read_weights
from compiler.artifact import load_artifact
from compiler.ir.chip_program import ChipProgram
from hw_models.diagnostics import BurstchipError, Diagnostic

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Missing:
    """A part that the folder does not hold: the file, and what the report cannot show without it."""

    file: str
    shows: str


@dataclass(frozen=True)
class RunFolder:
    """The contents of a run folder; None for a part that is not there, which `missing` then names."""

    path: Path
    summary: Summary
    history: list[Epoch]
    quantisation: list[QuantizedValue] | None
    errors: Errors | None
    weights_before: Weights | None
    weights_after: Weights | None
    recording_before: Recording | None
    recording_after: Recording | None
    network: str | None
    as_run: str | None
    provenance: Provenance | None
    answers: Answers | None
    program: ChipProgram | None
    input: str | None
    readout: str | None
    missing: tuple[Missing, ...]


def read_run_folder(path: Path) -> RunFolder:
    """The run folder at `path`.

    `summary.json` and `history.json` must be there; other files may be missing, but none may be damaged.
    Raises `BurstchipError` (BC540 to BC545) with every problem of the folder.
    """
    if not path.is_dir():
        raise BurstchipError(
            Diagnostic(
                id="BC540",
                message=f"'{path}' is not a run folder",
                required="the folder that `burstchip train --out` wrote",
                given="a file" if path.exists() else "missing",
            )
        )
    problems: list[Diagnostic] = []
    missing: list[Missing] = []

    def part(name: str, read: Callable[[Path], _Part], shows: str) -> _Part | None:
        if not (path / name).exists():
            missing.append(Missing(name, shows))
            return None
        try:
            return read(path / name)
        except BurstchipError as error:
            if [found.id for found in error.diagnostics] == ["BC404"]:
                # What an earlier version trained has its results all the same.
                missing.append(Missing(name, f"{shows}: the file has the format of another version"))
            else:
                problems.extend(error.diagnostics)
            return None

    summary = part("summary.json", read_summary, "the result")
    history = part("history.json", read_history, "the course of learning")
    if required := [absent.file for absent in missing]:
        problems.append(
            Diagnostic(
                id="BC541",
                message=f"the run in '{path}' is not complete",
                required=" and ".join(required),
                given="no such file" if len(required) == 1 else "neither file",
                hint="finish the training with `burstchip train ... --resume`",
            )
        )
    quantisation = part("quantisation.json", read_quantisation, "the quantisation table")
    # Nobody misses what has to be asked for.
    errors = part("errors.json", read_errors, "") if (path / "errors.json").exists() else None
    before = part("weights_before.safetensors", read_weights, "the weights before learning")
    after = part("weights_after.safetensors", read_weights, "the weights after learning")
    recording_before = part("recording_before.nc", read_recording, "spikes and bursts before learning")
    recording_after = part("recording_after.nc", read_recording, "spikes and bursts after learning")
    network = part("network.yaml", _read_network, "the network's own text")
    as_run = part("network_as_run.yaml", _read_network, "the network as it ran")
    provenance = part("provenance.json", read_provenance, "command, versions, date and machine of the run")
    answers = part("answers.safetensors", read_answers, "samples with a wrong answer, receptive fields")
    program = part("net.burst", lambda file: load_artifact(file)[0], "the drawing of the network")
    if before is not None and after is not None:
        problems.extend(_different(before, after, path))
    for name, recording in (("before", recording_before), ("after", recording_after)):
        if recording is not None and summary is not None:
            labels = (*recording.labels, *(answer for answer in recording.answers if answer != -1))
            problems.extend(_unknown_labels(summary, labels, path / f"recording_{name}.nc"))
    if answers is not None and summary is not None:
        labels = tuple(np.unique([answers.label, answers.answer]).tolist())
        problems.extend(_unknown_labels(summary, labels, path / "answers.safetensors"))
    if problems or summary is None or history is None:
        raise BurstchipError(problems)
    return RunFolder(
        path=path,
        summary=summary,
        history=history,
        quantisation=quantisation,
        errors=errors,
        weights_before=before,
        weights_after=after,
        recording_before=recording_before,
        recording_after=recording_after,
        network=network,
        as_run=as_run,
        provenance=provenance,
        answers=answers,
        program=program,
        input=_task_population(as_run or network, "input"),
        readout=_task_population(as_run or network, "readout"),
        missing=tuple(missing),
    )


def _read_network(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        given = str(error).splitlines()[0]
        raise BurstchipError(damaged("BC542", path, "the YAML text of the network", given)) from error
    return text


def _task_population(network: str | None, role: str) -> str | None:
    """The population that the task uses as `role`, where the text of the network says it plainly."""
    document = yaml.safe_load(network) if network is not None else None
    task = document.get("task") if isinstance(document, dict) else None
    name = task.get(role) if isinstance(task, dict) else None
    return name if isinstance(name, str) else None


def _unknown_labels(summary: Summary, labels: Iterable[int], path: Path) -> list[Diagnostic]:
    classes = len(summary.class_names)
    return [
        Diagnostic(
            id="BC545",
            message=f"'{path}' shows a sample of a class that the summary does not know",
            required=f"labels from 0 to {classes - 1}",
            given=f"label {label}",
            hint="do not mix the files of two runs",
        )
        for label in sorted(set(labels))
        if not 0 <= label < classes
    ]


def _shape(weights: Weights, name: str) -> str:
    shape = str(list(weights.shape(name)))
    return f"{shape}, {weights.by_projection[name].size} synapses" if name in weights.ends else shape


def _different(before: Weights, after: Weights, path: Path) -> list[Diagnostic]:
    shapes = [{name: _shape(weights, name) for name in weights.by_projection} for weights in (before, after)]
    return [
        Diagnostic(
            id="BC545",
            message=f"the weights before and after learning in '{path}' are not of one network",
            required=f"projection '{name}' of one shape in both files",
            given=" and ".join(shape.get(name, "none") for shape in shapes),
            hint="do not mix the files of two runs",
        )
        for name in sorted(shapes[0].keys() | shapes[1].keys())
        if shapes[0].get(name) != shapes[1].get(name)
    ]

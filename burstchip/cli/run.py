"""`burstchip run`: run an artifact and save a recording."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burstchip.cli.console import Output, as_json, output
from burstchip.cli.options import (
    Backend,
    Data,
    Duration,
    Json,
    Program,
    Quiet,
    Steps,
    Streams,
    Strict,
    TargetAddress,
    Threads,
    Variables,
    out_file,
)
from burstchip.cli.progress import progress
from burstchip.cli.wording import weight_form
from hw_models.diagnostics import BurstchipError

if TYPE_CHECKING:
    from burstchip.running.recording import Recording, RecordProgress


class EventForm(str, Enum):
    """How variables that are 0 or 1 are kept."""

    flags = "flags"
    list = "list"


def run(
    artifact: Program,
    target: Annotated[Path, out_file("out.nc")],
    steps: Steps = None,
    duration: Duration = None,
    record: Variables = None,
    every: Annotated[int, typer.Option(metavar="N", min=1, help="Keep every Nth step.")] = 1,
    events: Annotated[
        EventForm, typer.Option(help="Events as a flag in each step, or as a list of times and neurons.")
    ] = EventForm.flags,
    units: Annotated[
        bool, typer.Option("--units", help="Also keep variables in their physical unit, as NAME.physical.")
    ] = False,
    backend: Backend = "sim",
    target_at: TargetAddress = None,
    threads: Threads = 1,
    stream: Streams = None,
    data: Data = None,
    strict: Strict = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Run an artifact from its start, learning as it goes, and save the recording as labelled arrays.

    A network with a task is shown its training samples.
    """
    with output(json=json, quiet=quiet, interrupted="nothing was written") as out:
        from burstchip.backends.available import REAL, require_backend
        from burstchip.cli.checks import output_file, steps_of, streams
        from burstchip.cli.program import load
        from burstchip.files.recording import RecordingFile, is_flag
        from burstchip.running.cost import recording_bytes, room_on_disk
        from burstchip.running.physical import scale_of
        from burstchip.running.recording import check_steps
        from burstchip.running.recording import record as record_
        from burstchip.variables import parse_selections

        backend = _chosen(backend, target_at, threads)
        output_file(target, artifact)
        given = streams(stream)
        code, sha256 = load(artifact, out)
        count = steps_of(steps, duration, code.step_ms)
        check_steps(count)
        names = [name.strip() for text in record or () for name in text.split(",")]
        selections = parse_selections(code, names)
        listed = [it.variable for it in selections if events is EventForm.list and is_flag(code, it.variable)]
        flags = [it.variable for it in selections if is_flag(code, it.variable)]
        real = backend in REAL
        needed = recording_bytes(code, -(-count // every), selections, real=real, flags=flags, listed=listed)
        tight = room_on_disk(target, needed)
        if strict and tight:
            raise BurstchipError([replace(it, severity="error") for it in tight])
        out.messages(tight)
        with progress(f"running {code.name}", "preparing", quiet=quiet) as advance:

            def watch(state: RecordProgress) -> None:
                note = f"{state.steps_done:,} steps" if state.steps_done else "preparing"
                advance(state.steps_done, state.steps_total if state.steps_done else 0, note)

            def fetch(name: str, done: int, total: int) -> None:
                advance(done, total, f"fetching {name}")

            require_backend(backend, or_target=True)
            with RecordingFile(
                target,
                code,
                selections,
                every=every,
                listed=listed,
                real=real,
                physical=units,
            ) as file:
                recording = record_(
                    code,
                    count,
                    names,
                    backend=backend,
                    data_dir=data,
                    streams=given,
                    sink=file,
                    watch=watch,
                    fetch=fetch,
                    threads=threads,
                    strict=strict,
                )
                if strict and recording.diagnostics:
                    raise BurstchipError([replace(it, severity="error") for it in recording.diagnostics])
                file.finish(recording, sha256)
        out.messages(recording.diagnostics)
        _tell(recording, out)
        scales = [scale_of(code, it.variable) if units else None for it in selections]
        texts = [
            it.text if scale is None else f"{it.text} (and in {scale.unit or 'real numbers'})"
            for it, scale in zip(selections, scales, strict=True)
        ]
        recorded = ", ".join(texts)
        setting = f"{weight_form(code.weight_form)}, backend {backend}"
        out.text(f"{target}: {recorded}, {count:,} steps, {setting}")
        out.result(
            {
                "ok": True,
                "recording": str(target),
                "artifact_sha256": sha256,
                "backend": backend,
                "weight_form": code.weight_form,
                "steps": count,
                "recorded": [it.text for it in selections],
                "events": dict(recording.events),
                "bursts": dict(recording.bursts),
                "diagnostics": as_json(recording.diagnostics),
            }
        )


def _chosen(backend: str, address: str | None, threads: int) -> str:
    """The backend, or the address of a target, that the run goes to. Raises `BurstchipError` BC611, BC886."""
    if address is None:
        return backend
    from burstchip.cli.checks import exclude
    from burstchip.remote.address import parse_address

    exclude(backend != "sim", "--backend and --target exclude each other", "--backend or --target", "both")
    exclude(threads > 1, "a target has threads of its own", "--target without --threads", "both")
    parse_address(address)
    return address


def _tell(recording: Recording, out: Output) -> None:
    """Events, rates and bursts of each population that emits any."""
    seconds = recording.steps * recording.code.step_ms / 1000
    emitting = [it for it in recording.code.populations if "events" in it.program.outputs]
    width = max((len(population.name) for population in emitting), default=0)
    for population in emitting:
        events = recording.events[population.name]
        rate = events / population.size / seconds
        line = f"{population.name:<{width}}  {events:,} events ({rate:.4g} Hz a neuron)"
        if population.name in recording.bursts:
            line += f", {recording.bursts[population.name]:,} bursts"
        out.text(line)
